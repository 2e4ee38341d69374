//! What the items of a source show of the present records, without reading each of them.

use std::collections::{BTreeMap, BTreeSet};

use super::work::Work;
use super::{SyncResult, other};
use crate::delta::State;
use crate::model::{RecordKey, SnapshotId, Value};
use crate::source::{Index, SourceError, ViewReader};
use crate::tree;

/// How many items must have one base for a comparison of whole states (chosen: a look-up of each costs less below).
const MANY_ITEMS: usize = 16;

/// The keys of the records that a source shows.
pub(super) struct Shown<'i> {
    /// Those of its index, sorted.
    known: Vec<&'i RecordKey>,
    more: BTreeSet<RecordKey>,
}

impl<'i> Shown<'i> {
    pub(super) fn of(index: &'i Index) -> Self {
        let mut known: Vec<&RecordKey> = index.items.values().map(|entry| &entry.key).collect();
        known.sort_unstable();
        Self {
            known,
            more: BTreeSet::new(),
        }
    }

    pub(super) fn has(&self, key: &RecordKey) -> bool {
        self.known.binary_search(&key).is_ok() || self.more.contains(key)
    }

    pub(super) fn add(&mut self, key: &RecordKey) {
        if !self.has(key) {
            self.more.insert(key.clone());
        }
    }
}

/// The records that changed since bases which many items have of their own.
pub(super) struct Since<'i>(BTreeMap<&'i [SnapshotId], BTreeSet<RecordKey>>);

impl<'i> Since<'i> {
    pub(super) fn bases_of(work: &Work<'_>, index: &'i Index, heads: &State) -> SyncResult<Self> {
        let mut counts: BTreeMap<&[SnapshotId], usize> = BTreeMap::new();
        for base in index.items.values().filter_map(|entry| entry.base.as_deref()) {
            *counts.entry(base).or_default() += 1;
        }
        counts.retain(|base, count| !base.is_empty() && *count >= MANY_ITEMS);
        let mut since = BTreeMap::new();
        for base in counts.into_keys() {
            let state = work.state_at(base)?;
            let mut changed = BTreeSet::new();
            for change in tree::diff(work.objects, &state.content, &heads.content) {
                let change = change.map_err(|error| other("comparing states", error))?;
                changed.extend(RecordKey::new(change.key));
            }
            since.insert(base, changed);
        }
        Ok(Self(since))
    }

    /// Returns whether the record is known to be what it was at a base.
    pub(super) fn is_unchanged(&self, base: &[SnapshotId], key: &RecordKey) -> bool {
        self.0.get(base).is_some_and(|changed| !changed.contains(key))
    }
}

/// Returns whether an item that was edited shows a derived value that its record no longer has.
pub(super) fn is_stale(views: &mut ViewReader<'_>, number: u64, record: &Value) -> Result<bool, SourceError> {
    const DERIVED: &str = "full";
    let view = views.get(number)?;
    let Some(view) = view.filter(|view| view.may_have(DERIVED)) else {
        return Ok(false);
    };
    let leaves = Value::Map(view.decode()?.view);
    let derived = leaves.leaves().into_iter().map(|(path, _)| path);
    Ok(derived
        .filter(|path| path.parts().last().is_some_and(|last| last == DERIVED))
        .any(|path| record.at(&path).is_none()))
}
