//! States whose trees are not here any more, made again from difference sets.
//!
//! Garbage collection keeps of old snapshots what they changed, not what they led to. Every state is its parents' merged
//! state after the snapshot's own writes, so it can be had again, and its roots prove that it is the same. Whole trees
//! are dropped and never parts of one: where the root is here, all of the tree is.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::MergeError;
use super::author::computed;
use super::history::History;
use super::portion::{Collector, StateReader, Touched, portion_keys};
use super::state::Edits;
use crate::delta::{ChangeError, Entry, Snapshot, State, apply};
use crate::model::SnapshotId;
use crate::tree;

/// Snapshots whose trees are missing, in an order in which each comes after its parents.
type Missing = BTreeMap<(u32, SnapshotId), Rc<Snapshot>>;

/// Makes the tree of a snapshot's result again, with those it needs for that.
pub(super) fn rebuild(history: &History<'_>, id: &SnapshotId) -> Result<(), MergeError> {
    let mut missing = Missing::new();
    let mut open = vec![*id];
    while let Some(id) = open.pop() {
        let snapshot = history.snapshot(&id)?;
        let is_new = !history.is_whole(&snapshot.result) && !missing.contains_key(&(snapshot.generation, id));
        if is_new {
            open.extend(&snapshot.parents);
            missing.insert((snapshot.generation, id), snapshot);
        }
    }
    if let Some(start) = start_of_line(history, &missing)? {
        return along_line(history, &start, &missing);
    }
    for ((_, id), snapshot) in &missing {
        let (state, _) = computed(history, snapshot)?;
        prove(id, snapshot, &state)?;
    }
    Ok(())
}

fn prove(id: &SnapshotId, snapshot: &Snapshot, computed: &State) -> Result<(), MergeError> {
    if snapshot.result == *computed {
        return Ok(());
    }
    Err(MergeError::RootMismatch {
        snapshot: *id,
        claimed: Box::new(snapshot.result),
        computed: Box::new(*computed),
    })
}

/// Returns the state before the first of the snapshots, if they follow one another, nothing is in conflict in any, and each
/// writes to a key what stands there afterwards.
fn start_of_line(history: &History<'_>, missing: &Missing) -> Result<Option<State>, MergeError> {
    let is_plain = |state: &State| state.conflicts == tree::empty_root();
    let Some((_, first)) = missing.first_key_value() else {
        return Ok(None);
    };
    let start = match first.parents.as_slice() {
        [] => State::empty(),
        [parent] => history.snapshot(parent)?.result,
        _ => return Ok(None),
    };
    let is_line = missing
        .iter()
        .zip(missing.iter().skip(1))
        .all(|(((_, before), _), (_, after))| after.parents == [*before]);
    let mut all = missing.values();
    let is_plain = is_plain(&start) && all.all(|snapshot| is_plain(&snapshot.result) && snapshot.counts.renamed == 0);
    Ok((is_line && is_plain).then_some(start))
}

/// Makes the last state of a line with one edit of the tree before it: the states between are not needed.
fn along_line(history: &History<'_>, start: &State, missing: &Missing) -> Result<(), MergeError> {
    let objects = history.objects();
    let deltas = || missing.values().map(|snapshot| &snapshot.delta);
    let touched = Touched::read(objects, deltas())?;
    let mut before = StateReader::new(objects, start);
    let mut edits = Edits::default();
    let mut collector = Collector::new(objects, deltas());
    let snapshots = missing.values().map(|snapshot| &**snapshot);
    let size = portion_keys(history.portion_keys, touched.keys.len(), snapshots);
    for keys in touched.keys.chunks(size) {
        for (key, operations) in collector.collect(keys.iter().cloned())? {
            let unfit = |source| MergeError::Unfit {
                key: key.clone(),
                source,
            };
            let mut record = match before.record(&key)? {
                Some(Entry::Alias(_)) => return Err(unfit(ChangeError::Missing)),
                entry => entry.and_then(Entry::into_record),
            };
            for (_, operation) in &operations {
                record = apply(record.as_ref(), operation).map_err(unfit)?;
            }
            edits.entry(&key, record.map(Entry::Record).as_ref())?;
        }
    }
    let state = edits.apply(objects, start)?;
    match missing.last_key_value() {
        Some(((_, id), last)) => prove(id, last, &state),
        None => Ok(()),
    }
}
