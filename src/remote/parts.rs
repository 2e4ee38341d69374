//! Cutting a large push into parts and putting it together again.
//!
//! Pieces carry objects alone; what the push says (collections, seen numbers, predecessors) stands in the last part,
//! so that nothing of it counts before all of it is there.

use std::collections::BTreeMap;

use super::log_object::{LogObject, Part};

/// A push in parts.
pub(super) struct Cut {
    /// The pieces before the last part, numbered upwards; none when the push is small.
    pub(super) pieces: Vec<LogObject>,
    /// The last part, [`Part::Whole`] until its pieces have names.
    pub(super) last: LogObject,
}

/// Cuts a push so that each part has about `target_bytes`; an object larger than that is a part alone.
pub(super) fn cut(mut push: LogObject, target_bytes: usize) -> Cut {
    let mut groups = vec![Vec::new()];
    let mut filled_bytes = 0;
    for object in std::mem::take(&mut push.objects) {
        let length = object.1.len();
        if filled_bytes > 0 && filled_bytes + length > target_bytes {
            groups.push(Vec::new());
            filled_bytes = 0;
        }
        filled_bytes += length;
        if let Some(group) = groups.last_mut() {
            group.push(object);
        }
    }
    push.objects = groups.pop().unwrap_or_default();
    push.part = Part::Whole;
    let count = groups.len() + 1;
    let first = push.sequence;
    push.sequence = first.saturating_add(groups.len() as u64);
    let pieces = groups
        .into_iter()
        .enumerate()
        .map(|(index, objects)| LogObject {
            replica: push.replica,
            sequence: first.saturating_add(index as u64),
            predecessors: Vec::new(),
            system: String::new(),
            time: push.time,
            seen: BTreeMap::new(),
            collections: Vec::new(),
            part: Part::Piece {
                number: u32::try_from(index + 1).unwrap_or(u32::MAX),
                count: u32::try_from(count).unwrap_or(u32::MAX),
            },
            objects,
        })
        .collect();
    Cut { pieces, last: push }
}

/// Puts parts together under the last one's number; `None` when they are not all pieces of one push in order.
pub(super) fn join(pieces: Vec<LogObject>, mut last: LogObject) -> Option<LogObject> {
    let count = u32::try_from(pieces.len() + 1).ok()?;
    let mut objects = Vec::new();
    for (number, piece) in (1..).zip(pieces) {
        if piece.part != (Part::Piece { number, count }) || piece.replica != last.replica {
            return None;
        }
        objects.extend(piece.objects);
    }
    objects.append(&mut last.objects);
    last.objects = objects;
    last.part = Part::Whole;
    Some(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Domain, ReplicaId, TimeMs};

    fn push(lengths: &[usize]) -> LogObject {
        LogObject {
            replica: ReplicaId::from_bytes([4; 16]),
            sequence: 5,
            predecessors: vec![],
            system: "a".to_owned(),
            time: TimeMs(1),
            seen: BTreeMap::new(),
            collections: vec![],
            part: Part::Whole,
            objects: lengths.iter().map(|length| (Domain::Blob, vec![1; *length])).collect(),
        }
    }

    proptest! {
        #[test]
        fn join_inverts_cut(lengths in proptest::collection::vec(0..50usize, 0..20), target in 1..80usize) {
            let whole = push(&lengths);
            let Cut { pieces, last } = cut(whole.clone(), target);
            for part in pieces.iter().chain([&last]) {
                let size: usize = part.objects.iter().map(|object| object.1.len()).sum();
                prop_assert!(size <= target || part.objects.iter().filter(|object| !object.1.is_empty()).count() == 1);
            }
            let sequences: Vec<_> = pieces.iter().chain([&last]).map(|part| part.sequence).collect();
            prop_assert!(sequences.iter().copied().eq(5..5 + sequences.len() as u64));
            if pieces.len() > 1 {
                let mut turned = pieces.clone();
                turned.reverse();
                prop_assert!(join(turned, last.clone()).is_none());
                prop_assert!(join(pieces[1..].to_vec(), last.clone()).is_none());
            }
            let joined = join(pieces, last.clone()).unwrap();
            prop_assert_eq!(joined, LogObject { sequence: last.sequence, ..whole });
        }
    }
}
