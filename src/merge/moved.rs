//! Evaluation of keys that renames concern, together.

use std::collections::{BTreeMap, BTreeSet};

use super::MergeError;
use super::bits::Bits;
use super::conflict::{Marks, StoredConflict, marks, record};
use super::history::{History, Step, Walk};
use super::lineage::{KeyedOperation, Lineages};
use super::policy::Rules;
use super::portion::{Collector, Portion, changes_of_settings, deltas};
use super::register::{Registers, View};
use super::state::Edits;
use crate::delta::{Delta, Entry, Operation, State};
use crate::model::{RecordKey, SnapshotId, Value};
use crate::port::Objects;

/// Which keys the renames of some steps connect.
#[derive(Default)]
pub(super) struct Edges(BTreeMap<RecordKey, BTreeSet<RecordKey>>);

impl Edges {
    /// Reads the renames of `steps`; a rename of a key to itself concerns it, too.
    pub(super) fn read(objects: &dyn Objects, steps: &[Step]) -> Result<Self, MergeError> {
        let mut edges = Self::default();
        for step in steps.iter().filter(|step| step.snapshot.counts.renamed > 0) {
            for transaction in Delta::open(objects, &step.snapshot.delta)?.iter() {
                let transaction = transaction?;
                if let Operation::Rename { from, .. } = transaction.operation {
                    edges.0.entry(from.clone()).or_default().insert(transaction.key.clone());
                    edges.0.entry(transaction.key).or_default().insert(from);
                }
            }
        }
        Ok(edges)
    }

    /// Returns whether a rename names the key.
    pub(super) fn concern(&self, key: &RecordKey) -> bool {
        self.0.contains_key(key)
    }

    /// Returns all keys that are connected with `keys`, in order, these among them.
    pub(super) fn closure(&self, keys: &[RecordKey]) -> Vec<RecordKey> {
        let mut all: BTreeSet<RecordKey> = keys.iter().cloned().collect();
        let mut open: Vec<RecordKey> = keys.to_vec();
        while let Some(key) = open.pop() {
            for other in self.0.get(&key).into_iter().flatten() {
                if all.insert(other.clone()) {
                    open.push(other.clone());
                }
            }
        }
        all.into_iter().collect()
    }

    /// Returns those of `keys` that renames concern, with what each is connected with, as classes.
    pub(super) fn classes<'k>(&self, keys: impl IntoIterator<Item = &'k RecordKey>) -> Vec<Vec<RecordKey>> {
        let mut done: BTreeSet<RecordKey> = BTreeSet::new();
        let mut classes = Vec::new();
        for key in keys {
            if self.concern(key) && !done.contains(key) {
                let class = self.closure(std::slice::from_ref(key));
                done.extend(class.iter().cloned());
                classes.push(class);
            }
        }
        classes
    }
}

/// Returns where records that were renamed between two sets of heads stood: their keys at `to`, and those at `from`.
///
/// What was renamed there and back is none of them, nor is one that came up in between. The work follows the snapshots between.
pub fn renames_between(
    history: &History<'_>,
    from: &[SnapshotId],
    to: &[SnapshotId],
) -> Result<BTreeMap<RecordKey, RecordKey>, MergeError> {
    let all: Vec<SnapshotId> = from.iter().chain(to).copied().collect();
    if from.is_empty() || from == to {
        return Ok(BTreeMap::new());
    }
    let walk = history.walk(&all, false)?;
    let below = |heads: &[SnapshotId]| {
        let mut steps = Bits::default();
        for number in heads.iter().filter_map(|head| walk.position(head)) {
            steps.insert(number);
            if let Some(step) = walk.steps.get(number) {
                steps.union(&step.ancestors);
            }
        }
        steps
    };
    let (before, after) = (below(from), below(to));
    let mut origins: BTreeMap<RecordKey, RecordKey> = BTreeMap::new();
    for (number, step) in walk.steps.iter().enumerate() {
        if step.snapshot.counts.renamed == 0 || before.contains(number) || !after.contains(number) {
            continue;
        }
        let mut moved = Vec::new();
        for transaction in Delta::open(history.objects, &step.snapshot.delta)?.iter() {
            let transaction = transaction?;
            match transaction.operation {
                Operation::Rename { from, .. } => moved.push((transaction.key, from)),
                // What was renamed and removed is not what was added under the key.
                Operation::Add(_) => drop(origins.remove(&transaction.key)),
                _ => {}
            }
        }
        let origin = |key: &RecordKey| origins.get(key).unwrap_or(key).clone();
        let moved: Vec<_> = moved
            .into_iter()
            .map(|(key, from)| (key, origin(&from), from))
            .collect();
        for (_, _, from) in &moved {
            origins.remove(from);
        }
        origins.extend(moved.into_iter().map(|(key, origin, _)| (key, origin)));
    }
    origins.retain(|key, origin| key != origin);
    Ok(origins)
}

/// Evaluates a class of keys from what the cut shows and what was done since.
///
/// Where two records met under a key, only the whole history knows who wrote what of them.
pub(super) fn evaluate_class(
    (history, rules): (&History<'_>, &Rules<'_>),
    heads: &[SnapshotId],
    walk: &Walk,
    class: &[RecordKey],
    touched: &Portion,
    edits: &mut Edits,
) -> Result<(), MergeError> {
    let objects = history.objects;
    let base = Base::read(objects, &walk.base(), class)?;
    let writes = in_order(class, touched);
    let is_base: Vec<bool> = base.records.iter().map(Option::is_some).collect();
    let lineages = Lineages::trace(&walk.steps, class, &is_base, &writes);
    let mut outcome = vec![Outcome::default(); class.len()];
    if lineages.never_meet() {
        apart((objects, rules), walk, class, &base, (&lineages, &writes), &mut outcome)?;
    } else if walk.cut.is_none() {
        together((objects, rules), walk, class, lineages, &writes, &mut outcome)?;
    } else {
        let whole = history.walk(heads, true)?;
        let all = Edges::read(objects, &whole.steps)?.closure(class);
        let known = Collector::new(objects, deltas(&whole.steps)).collect(all.iter().cloned())?;
        let changes = changes_of_settings(objects, &whole.steps)?;
        let rules = Rules::new(objects, &whole.steps, None, &changes);
        let writes = in_order(&all, &known);
        let lineages = Lineages::trace(&whole.steps, &all, &[], &writes);
        let mut of_all = vec![Outcome::default(); all.len()];
        together((objects, &rules), &whole, &all, lineages, &writes, &mut of_all)?;
        let wanted = all
            .iter()
            .zip(of_all)
            .filter(|(key, _)| class.binary_search(key).is_ok());
        outcome = wanted.map(|(_, outcome)| outcome).collect();
    }
    for (key, (record, marks)) in class.iter().zip(outcome) {
        edits.entry(key, record.map(Entry::Record).as_ref())?;
        edits.marks(key, &marks)?;
    }
    Ok(())
}

/// What stands under a key.
type Outcome = (Option<Value>, Marks);

/// What the cut has of some keys.
struct Base {
    records: Vec<Option<Value>>,
    marks: Vec<Marks>,
}

impl Base {
    fn read(objects: &dyn Objects, state: &State, keys: &[RecordKey]) -> Result<Self, MergeError> {
        let mut base = Self {
            records: Vec::new(),
            marks: Vec::new(),
        };
        for key in keys {
            base.records
                .push(record(objects, state, key)?.and_then(Entry::into_record));
            base.marks.push(marks(objects, state, key)?);
        }
        Ok(base)
    }
}

/// Returns all operations on `keys` in order of steps, then keys.
fn in_order(keys: &[RecordKey], operations: &Portion) -> Vec<KeyedOperation> {
    let mut writes: Vec<KeyedOperation> = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        let of_key = operations.get(key).into_iter().flatten();
        writes.extend(of_key.map(|(step, operation)| (*step, number, operation.clone())));
    }
    writes.sort_by_key(|(step, number, _)| (*step, *number));
    writes
}

/// Evaluates records that never met: each by itself.
fn apart(
    (objects, rules): (&dyn Objects, &Rules<'_>),
    walk: &Walk,
    keys: &[RecordKey],
    base: &Base,
    (lineages, writes): (&Lineages<'_>, &[KeyedOperation]),
    out: &mut [Outcome],
) -> Result<(), MergeError> {
    for single in lineages.apart() {
        let of_cut = single
            .key_at_cut
            .and_then(|key| Some((base.records.get(key)?.as_ref()?, base.marks.get(key)?)));
        let conflicts: &[StoredConflict] = of_cut.map_or(&[], |(_, marks)| &marks.conflicts);
        let mut registers = Registers::new(objects, &walk.steps, of_cut.map(|(record, _)| record), conflicts);
        registers.rules = Some(rules);
        for (step, _, operation) in single.operations.iter().filter_map(|number| writes.get(*number)) {
            registers.add(*step, 0, operation);
        }
        let (record, conflicts) = registers.outcome()?;
        let Some(slot) = out.get_mut(single.place).filter(|_| record.is_some()) else {
            continue;
        };
        let key_at_cut = of_cut.and_then(|(_, marks)| marks.key.as_ref());
        let marks = Marks {
            conflicts,
            aliases: Vec::new(),
            key: lineages.key_conflict(keys, single.place, &single.members, key_at_cut),
        };
        *slot = (record, marks);
    }
    Ok(())
}

/// Evaluates records that may have met, from all that was ever written to their keys.
fn together<'w>(
    (objects, rules): (&'w dyn Objects, &'w Rules<'w>),
    walk: &'w Walk,
    keys: &[RecordKey],
    mut lineages: Lineages<'w>,
    writes: &'w [KeyedOperation],
    out: &mut [Outcome],
) -> Result<(), MergeError> {
    let mut registers = Registers::new(objects, &walk.steps, None, &[]);
    registers.rules = Some(rules);
    lineages.write_all(&mut registers, writes);
    let places = lineages.places();
    registers.lineages = Some(lineages);
    for (place, members) in places {
        let (record, conflicts) = registers.outcome_in(&View::of(None, Some(members.clone())))?;
        let Some(slot) = out.get_mut(place).filter(|_| record.is_some()) else {
            continue;
        };
        let lineages = registers.lineages.as_ref();
        let marks = Marks {
            conflicts,
            aliases: Vec::new(),
            key: lineages.and_then(|lineages| lineages.key_conflict(keys, place, &members, None)),
        };
        *slot = (record, marks);
    }
    Ok(())
}
