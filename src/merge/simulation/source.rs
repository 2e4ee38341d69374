//! Sources in the simulation: what a replica shows elsewhere, without some fields, and takes edits from.
//!
//! A source keeps per item what it showed last and which heads that is of. Items that were skipped when it was written keep
//! theirs, so that their edits are made on an old base.

use super::*;

/// Fields that a source does not show; the rest of a record is what a lossy format has.
const HIDDEN: [&[&str]; 3] = [
    &["/note", "/phones/x/order"],
    &["/phones/x/label", "/keywords"],
    &["/name/given"],
];

/// An item: what it shows, and the heads that it is of.
#[derive(Clone)]
struct Item {
    shown: Value,
    base: Vec<SnapshotId>,
}

/// What a replica shows in some other place.
#[derive(Clone, Default)]
pub(super) struct Source {
    items: BTreeMap<RecordKey, Item>,
    hides: usize,
}

impl Source {
    pub(super) fn hiding(hides: usize) -> Self {
        Self {
            hides,
            ..Self::default()
        }
    }

    fn lens(&self, record: &Value) -> Value {
        let mut shown = record.clone();
        for at in HIDDEN[self.hides % HIDDEN.len()] {
            shown.remove_at(&FieldPath::parse(at).unwrap());
        }
        shown
    }

    /// The leaves that the source does not show.
    fn hidden(&self, record: &Value) -> Vec<(FieldPath, Value)> {
        let hidden: Vec<FieldPath> = HIDDEN[self.hides % HIDDEN.len()]
            .iter()
            .map(|at| FieldPath::parse(at).unwrap())
            .collect();
        let leaves = record.leaves().into_iter();
        let leaves = leaves.filter(|(path, _)| hidden.iter().any(|above| path.starts_with(above)));
        leaves.map(|(path, value)| (path, value.clone())).collect()
    }
}

/// What a person changed, leaf by leaf, as between two views.
fn edits(old: &Value, new: &Value) -> Vec<FieldOperation> {
    let mut edits = Vec::new();
    for (path, value) in new.leaves() {
        if !path.is_root() && old.at(&path) != Some(value) {
            edits.push(FieldOperation::Set(path, value.clone()));
        }
    }
    for (path, _) in old.leaves() {
        if !path.is_root() && new.at(&path).is_none() {
            edits.push(FieldOperation::Clear(path));
        }
    }
    edits.sort_by(|left, right| left.path().cmp(right.path()));
    edits.dedup_by(|inner, outer| inner.path().starts_with(outer.path()));
    edits
}

impl World {
    /// Somebody edits the items of a source; these are taken in on what each one showed, and the state is written back.
    pub(super) fn use_source(&mut self) {
        // One that shows something is there to be edited.
        let sources = &self.at_hand.sources;
        let filled: Vec<usize> = (0..sources.len()).filter(|at| !sources[*at].items.is_empty()).collect();
        let at = if filled.is_empty() || self.dice.one_in(3) {
            self.dice.below(self.replicas.len())
        } else {
            *self.dice.pick(&filled)
        };
        let mut source = self.at_hand.sources[at].clone();
        let mut groups: BTreeMap<Vec<SnapshotId>, BTreeMap<RecordKey, Operation>> = BTreeMap::new();
        for (key, item) in source.items.clone() {
            if !self.dice.one_in(3) {
                continue;
            }
            let operation = if self.dice.one_in(5) {
                Operation::Remove
            } else {
                let mut new = item.shown.clone();
                mutate(&mut self.dice, &mut new);
                let new = source.lens(&new);
                let edits = edits(&item.shown, &new);
                if edits.is_empty() {
                    continue;
                }
                Operation::Change(edits)
            };
            groups.entry(item.base).or_default().insert(key, operation);
        }
        for (base, operations) in groups {
            self.meet("edits through sources");
            self.check_hidden(at, &base, &operations, &source);
            self.author(at, &base, operations);
        }
        self.write_back(at, &mut source);
        self.at_hand.sources[at] = source;
    }

    /// What a source does not show is not changed by an edit of it.
    fn check_hidden(
        &self,
        at: usize,
        base: &[SnapshotId],
        operations: &BTreeMap<RecordKey, Operation>,
        source: &Source,
    ) {
        let objects = &self.replicas[at].objects;
        let state = merged_state(&History::new(objects), base).unwrap();
        for (key, operation) in operations {
            let old = record(objects, &state, key)
                .unwrap()
                .and_then(Entry::into_record)
                .unwrap();
            if let Some(new) = apply(Some(&old), operation).unwrap() {
                // A leaf written over a map of hidden ones, or the last shown one of it cleared, is an edit of the map.
                for (path, value) in source.hidden(&old) {
                    let is_whole = matches!(operation, Operation::Change(edits)
                        if edits.iter().any(|edit| path.starts_with(edit.path())));
                    assert!(new.at(&path) == Some(&value) || is_whole, "seed {}: {path}", self.seed);
                }
            }
        }
    }

    /// Shows the state of a replica in its source, but for the items that cannot be written now.
    fn write_back(&mut self, at: usize, source: &mut Source) {
        let heads = self.replicas[at].heads.clone();
        let objects = &self.replicas[at].objects;
        let state = merged_state(&History::new(objects), &heads).unwrap();
        let mut items = BTreeMap::new();
        let mut skipped = 0;
        for entry in tree::iter(objects, &state.content) {
            let (key, bytes) = entry.unwrap();
            let key = RecordKey::new(key).unwrap();
            let Entry::Record(record) = Entry::decode(&bytes).unwrap() else {
                continue;
            };
            if self.dice.one_in(4) {
                skipped += 1;
                continue;
            }
            let (shown, base) = (source.lens(&record), heads.clone());
            items.insert(key, Item { shown, base });
        }
        for (key, item) in std::mem::take(&mut source.items) {
            // One that was not written stays as it was; so may one whose record went.
            let is_there = record(objects, &state, &key).unwrap().is_some();
            if !items.contains_key(&key) && (is_there || self.dice.one_in(4)) {
                items.insert(key, item);
            }
        }
        source.items = items;
        for _ in 0..skipped {
            self.meet("skipped items");
        }
    }
}
