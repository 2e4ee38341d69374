//! What is in whose history.

use std::collections::{BTreeMap, BTreeSet};

use super::super::work::Work;
use super::super::{SyncResult, other};
use super::out_of_place;
use super::transfer::Trouble;
use crate::model::SnapshotId;
use crate::remote::{MAX_ASKED, PeerLink, PeerMessage};

/// The most questions before a bound has to do (chosen: a line of 10^18 snapshots takes six).
const MOST_QUESTIONS: usize = 8;

/// Returns which of `ids` are in the history of this store's heads; what merely lies in the store is not.
pub(super) fn known_here(work: &Work<'_>, ids: &[SnapshotId]) -> SyncResult<BTreeSet<SnapshotId>> {
    let wrap = |error| other("reading the history", error);
    let mut wanted = BTreeSet::new();
    let mut floor = u32::MAX;
    for id in ids {
        // One that cannot be read is none of the history, which could be read before.
        if work.objects.contains(&id.0)
            && let Ok(snapshot) = work.history.snapshot(id)
        {
            floor = floor.min(snapshot.generation);
            wanted.insert(*id);
        }
    }
    let mut known = BTreeSet::new();
    let mut open: BTreeSet<(u32, SnapshotId)> = BTreeSet::new();
    if !wanted.is_empty() {
        for id in work.view.collections.values().flat_map(|view| &view.heads) {
            open.insert((work.history.snapshot(id).map_err(wrap)?.generation, *id));
        }
    }
    while let Some((generation, id)) = open.pop_last() {
        if generation < floor || wanted.is_empty() {
            break;
        }
        if wanted.remove(&id) {
            known.insert(id);
        }
        for parent in &work.history.snapshot(&id).map_err(wrap)?.parents {
            open.insert((work.history.snapshot(parent).map_err(wrap)?.generation, *parent));
        }
    }
    Ok(known)
}

/// Asks which of these snapshots of ours (parents first) the other side has, in few questions however many they are.
pub(super) fn known_there(
    work: &Work<'_>,
    link: &mut PeerLink,
    ours: &[SnapshotId],
) -> Result<BTreeSet<SnapshotId>, Trouble> {
    let parents = |id: &SnapshotId| match work.history.snapshot(id) {
        Ok(snapshot) => Ok(snapshot.parents.clone()),
        Err(error) => Err(other("reading the history", error).into()),
    };
    let mut ask = |ids: &[SnapshotId]| {
        link.send(&PeerMessage::Ask(ids.to_vec()))?;
        match link.receive()? {
            PeerMessage::Known(marks) if marks.0.len() == ids.len() => Ok(marks.0),
            message => out_of_place(&message),
        }
    };
    narrow(ours, MAX_ASKED, &parents, &mut ask)
}

/// Asks the other side which of some snapshots it has.
type Asking<'a> = dyn FnMut(&[SnapshotId]) -> Result<Vec<bool>, Trouble> + 'a;

/// Finds out by questions about at most `most` snapshots each which of `ours` are known.
///
/// Whoever has a snapshot has all that it descends from, so a sample tells of many. What is found is known for sure; where
/// the questions do not suffice some that are known are not found.
fn narrow(
    ours: &[SnapshotId],
    most: usize,
    parents: &dyn Fn(&SnapshotId) -> Result<Vec<SnapshotId>, Trouble>,
    ask: &mut Asking<'_>,
) -> Result<BTreeSet<SnapshotId>, Trouble> {
    let all: BTreeSet<SnapshotId> = ours.iter().copied().collect();
    let mut answers: BTreeMap<SnapshotId, bool> = BTreeMap::new();
    for _ in 0..MOST_QUESTIONS {
        let open: Vec<SnapshotId> = ours.iter().filter(|id| !answers.contains_key(id)).copied().collect();
        if open.is_empty() {
            break;
        }
        let step = open.len().div_ceil(most);
        // From the newest backwards, so that the newest is asked about for sure.
        let asked: Vec<SnapshotId> = open.iter().rev().step_by(step).copied().collect();
        let marks = ask(&asked)?;
        answers.extend(asked.into_iter().zip(marks));
        // Descendants of what is not known are not, ancestors of what is known are.
        for id in ours {
            if parents(id)?.iter().any(|parent| answers.get(parent) == Some(&false)) {
                answers.insert(*id, false);
            }
        }
        for id in ours.iter().rev() {
            if answers.get(id) == Some(&true) {
                let known = parents(id)?.into_iter().filter(|parent| all.contains(parent));
                answers.extend(known.map(|parent| (parent, true)));
            }
        }
    }
    Ok(answers
        .into_iter()
        .filter(|(_, known)| *known)
        .map(|(id, _)| id)
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Hash;

    fn id(number: usize) -> SnapshotId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
        SnapshotId(Hash::from_bytes(bytes))
    }

    /// Returns what is found and in how many questions, for snapshots with parents of lower numbers.
    fn found(parents: &[Vec<usize>], known: &BTreeSet<usize>, most: usize) -> (BTreeSet<SnapshotId>, usize) {
        let ours: Vec<SnapshotId> = (0..parents.len()).map(id).collect();
        let number = |one: &SnapshotId| ours.iter().position(|other| other == one).unwrap();
        let mut questions = 0;
        let result = narrow(
            &ours,
            most,
            &|one| Ok(parents[number(one)].iter().copied().map(id).collect()),
            &mut |asked| {
                assert!(asked.len() <= most && !asked.is_empty());
                questions += 1;
                Ok(asked.iter().map(|one| known.contains(&number(one))).collect())
            },
        );
        (result.unwrap(), questions)
    }

    proptest! {
        #[test]
        fn what_is_found_is_known_and_on_a_line_it_is_all(
            length in 1..90usize,
            wide in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..40),
            heads in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
            most in 3..9usize,
        ) {
            let line: Vec<Vec<usize>> = (0..length).map(|at| at.checked_sub(1).into_iter().collect()).collect();
            let wide: Vec<Vec<usize>> = wide
                .iter()
                .enumerate()
                .map(|(at, parents)| parents.iter().filter(|_| at > 0).map(|parent| parent.index(at)).collect())
                .collect();
            for (parents, is_line) in [(line, true), (wide, false)] {
                let mut known = BTreeSet::new();
                let mut open: Vec<usize> = heads.iter().map(|head| head.index(parents.len())).collect();
                while let Some(one) = open.pop() {
                    if known.insert(one) {
                        open.extend(&parents[one]);
                    }
                }
                let (found, questions) = found(&parents, &known, most);
                let expected: BTreeSet<SnapshotId> = known.iter().copied().map(id).collect();
                prop_assert!(found.is_subset(&expected));
                // Each question leaves at most the stretch between two snapshots of a sample.
                if is_line || parents.len() <= most {
                    prop_assert_eq!(&found, &expected);
                }
                prop_assert!(questions <= MOST_QUESTIONS);
            }
        }
    }
}
