//! What a plan of write-back takes over from what is there: the style of files, UIDs, and all of a file that is not
//! written.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::Document;
use crate::model::{Hash, SnapshotId, Value};
use crate::source::{Index, IndexEdit, ItemEntry};

/// Returns what stands for an item that went on a base of its own: if its record stays after all, it is written again.
///
/// To the base of its source such a removal changes nothing, so nothing else would bring it back there.
pub(super) fn awaited(entry: &ItemEntry) -> IndexEdit {
    let awaited = ItemEntry {
        fingerprint: None,
        base: Some(Vec::new()),
        ..entry.clone()
    };
    IndexEdit::Put(awaited, None)
}

/// Returns the style that most of the first files with items have.
pub(super) fn majority_style<'d>(documents: impl Iterator<Item = &'d dyn Document>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for document in documents.filter(|document| document.item_count() > 0).take(200) {
        *counts.entry(document.style()).or_default() += 1;
    }
    let best = counts.into_iter().max_by_key(|(_, count)| *count);
    best.map(|(style, _)| style)
}

/// Takes back what was planned for a file that is not written: its items keep what they were and the base they last
/// agreed with, and those that were to be new in it are to be written at the next run.
pub(super) fn keep_file(
    edits: &mut BTreeMap<u64, IndexEdit>,
    order: &mut BTreeMap<String, (Hash, Vec<u64>)>,
    index: &Index,
    base: &[SnapshotId],
    name: &str,
    planned: impl Iterator<Item = u64>,
) {
    let known = index.files.get(name);
    let numbers: BTreeSet<u64> = known
        .into_iter()
        .flat_map(|(_, order)| order.clone())
        .chain(planned)
        .collect();
    for number in numbers {
        let Some(edit) = edits.get_mut(&number) else { continue };
        if let Some(entry) = index.items.get(&number) {
            let base = entry.base.clone().unwrap_or_else(|| base.to_vec());
            let kept = ItemEntry {
                base: Some(base),
                ..entry.clone()
            };
            *edit = IndexEdit::Put(kept, None);
        } else if let IndexEdit::Put(entry, view) = edit {
            entry.fingerprint = None;
            entry.base = Some(Vec::new());
            *view = None;
        }
    }
    match known {
        Some(file) => order.insert(name.to_owned(), file.clone()),
        None => order.remove(name),
    };
}

/// Returns the UID of a record; empty without one.
pub(super) fn uid_of(record: &Value) -> &str {
    let uid = record.as_map().and_then(|map| map.get("uid")?.as_text());
    uid.unwrap_or_default()
}
