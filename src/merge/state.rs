//! The merged state at a set of heads.

use std::collections::{BTreeMap, BTreeSet};

use super::MergeError;
use super::conflict::{Marks, StoredConflict, encode_settings, marks, record, settings};
use super::group::{components, evaluate};
use super::history::{History, Walk};
use super::moved::{Edges, evaluate_class};
use super::policy::{Rules, is_settings, settings_key};
use super::register::Registers;
use crate::delta::{Delta, Entry, Operation, State};
use crate::model::{RecordKey, SnapshotId, Value};
use crate::port::Objects;
use crate::tree;

/// Operations on one key, with the numbers of their steps, in order of steps.
pub(super) type Operations = Vec<(usize, Operation)>;

/// New entries of a state's trees; `None` deletes.
#[derive(Default)]
pub(super) struct Edits {
    pub(super) content: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    pub(super) conflicts: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// What becomes of the settings' record, and its conflicts, where they are new.
    settings: Option<Fate>,
    settings_conflicts: Option<Vec<StoredConflict>>,
}

/// What becomes of a record.
enum Fate {
    Is(Value),
    Goes,
}

impl Edits {
    pub(super) fn entry(&mut self, key: &RecordKey, entry: Option<&Entry>) {
        if is_settings(key) {
            let record = entry.cloned().and_then(Entry::into_record);
            self.settings = Some(record.map_or(Fate::Goes, Fate::Is));
            return;
        }
        self.content.insert(key.bytes().to_vec(), entry.map(Entry::encode));
    }

    pub(super) fn marks(&mut self, key: &RecordKey, marks: &Marks) {
        if is_settings(key) {
            self.settings_conflicts = Some(marks.conflicts.clone());
            return;
        }
        self.conflicts.insert(key.bytes().to_vec(), marks.encode());
    }

    pub(super) fn apply(mut self, objects: &dyn Objects, state: &State) -> Result<State, MergeError> {
        if self.settings.is_some() || self.settings_conflicts.is_some() {
            let (old, conflicts) = settings(objects, state)?.unzip();
            let record = match self.settings.take() {
                Some(Fate::Is(record)) => Some(record),
                Some(Fate::Goes) => None,
                None => old,
            };
            let conflicts = self.settings_conflicts.take().or(conflicts).unwrap_or_default();
            let entry = record.map(|record| encode_settings(record, &conflicts));
            self.conflicts.insert(settings_key().bytes().to_vec(), entry);
        }
        Ok(State {
            content: tree::edit(objects, &state.content, self.content)?,
            conflicts: tree::edit(objects, &state.conflicts, self.conflicts)?,
        })
    }
}

/// Returns the state of a collection at `heads`, in any order; nodes it lacks are written to the objects.
///
/// One head: its result, without any work where its tree is here. Else the work follows the snapshots since the last one that all of them
/// have as ancestor, and the records that these touched on more than one side.
pub fn merged_state(history: &History<'_>, heads: &[SnapshotId]) -> Result<State, MergeError> {
    let heads = history.heads_of(heads)?;
    match heads.as_slice() {
        [] => return Ok(State::empty()),
        [head] => return history.result(head),
        _ => {}
    }
    if let Some(state) = history.remembered(&heads) {
        return Ok(state);
    }
    let walk = history.walk(&heads, false)?;
    let state = merge(history, &walk, &heads)?;
    history.remember(&heads, state);
    Ok(state)
}

fn merge(history: &History<'_>, walk: &Walk, heads: &[SnapshotId]) -> Result<State, MergeError> {
    let objects = history.objects;
    let (start, seen, unseen) = richest_head(history, walk, heads)?;
    let mut touched: BTreeMap<RecordKey, Operations> = BTreeMap::new();
    for number in unseen {
        if let Some(step) = walk.steps.get(number) {
            for transaction in Delta::open(objects, &step.snapshot.delta)?.iter() {
                let transaction = transaction?;
                let operations = touched.entry(transaction.key).or_default();
                operations.push((number, transaction.operation));
            }
        }
    }
    let edges = Edges::read(objects, &walk.steps)?;
    let moved = edges.classes(touched.keys());
    // What was done to the settings is asked of every step, as what a conflict shows depends on it.
    let settings_key = settings_key();
    for key in moved.iter().flatten() {
        touched.entry(key.clone()).or_default();
    }
    let classes = classes(
        objects,
        &start,
        touched
            .iter()
            .filter(|(key, _)| !edges.concern(key) && !is_settings(key)),
    )?;
    for key in classes.iter().flatten().chain([&settings_key]) {
        touched.entry(key.clone()).or_default();
    }
    for number in seen {
        if let Some(step) = walk.steps.get(number) {
            collect_known(objects, number, &step.snapshot.delta, &mut touched)?;
        }
    }
    for operations in touched.values_mut() {
        operations.sort_by_key(|(step, _)| *step);
    }
    let base = walk.base();
    let mut edits = Edits::default();
    let changes = touched.remove(&settings_key).unwrap_or_default();
    let settings = record(objects, &base, &settings_key)?.and_then(Entry::into_record);
    let rules = Rules::new(objects, &walk.steps, settings.as_ref(), &changes);
    if !changes.is_empty() {
        let marks = marks(objects, &base, &settings_key)?;
        evaluate_record((objects, None), walk, &settings_key, (&changes, marks), &mut edits)?;
    }
    let mut groups: Vec<Vec<RecordKey>> = Vec::new();
    for class in classes {
        match class.first() {
            Some(key) if is_one(objects, &base, &class)? => {
                let marks = marks(objects, &base, key)?;
                if marks.key.is_some() {
                    evaluate_class((history, &rules), heads, walk, &class, &touched, &mut edits)?;
                } else {
                    let operations = touched.get(key).map_or(&[][..], Vec::as_slice);
                    evaluate_record((objects, Some(&rules)), walk, key, (operations, marks), &mut edits)?;
                }
            }
            _ => groups.push(class),
        }
    }
    for class in moved {
        evaluate_class((history, &rules), heads, walk, &class, &touched, &mut edits)?;
    }
    if !groups.is_empty() {
        let whole = history.walk(heads, true)?;
        evaluate_groups(objects, &whole, &groups, None, &mut edits)?;
    }
    edits.apply(objects, &start)
}

/// Returns the state of the head that has seen most writes, and the steps it has seen and not.
fn richest_head(
    history: &History<'_>,
    walk: &Walk,
    heads: &[SnapshotId],
) -> Result<(State, Vec<usize>, Vec<usize>), MergeError> {
    let mut best: Option<(u64, usize)> = None;
    for head in heads {
        let Some(position) = walk.position(head) else { continue };
        let Some(step) = walk.steps.get(position) else { continue };
        let writes = walk
            .steps
            .iter()
            .enumerate()
            .filter(|(number, _)| *number == position || step.ancestors.contains(*number))
            .fold(0u64, |sum, (_, step)| sum.saturating_add(step.snapshot.counts.total()));
        if best.is_none_or(|(most, _)| writes > most) {
            best = Some((writes, position));
        }
    }
    let Some((position, step)) = best.and_then(|(_, position)| Some((position, walk.steps.get(position)?))) else {
        return Ok((walk.base(), Vec::new(), (0..walk.steps.len()).collect()));
    };
    let (seen, unseen) =
        (0..walk.steps.len()).partition(|number| *number == position || step.ancestors.contains(*number));
    Ok((history.result(&step.id)?, seen, unseen))
}

/// Adds what a step that the start has seen did to the touched keys.
pub(super) fn collect_known(
    objects: &dyn Objects,
    number: usize,
    delta: &crate::model::Hash,
    touched: &mut BTreeMap<RecordKey, Operations>,
) -> Result<(), MergeError> {
    let delta = Delta::open(objects, delta)?;
    // One by one, a block is read for each key at most; all in a row, each block once.
    if (touched.len() as u64).saturating_mul(4) < delta.len() {
        for (key, operations) in touched {
            if let Some(transaction) = delta.get(key)? {
                operations.push((number, transaction.operation));
            }
        }
    } else {
        for transaction in delta.iter() {
            let transaction = transaction?;
            if let Some(operations) = touched.get_mut(&transaction.key) {
                operations.push((number, transaction.operation));
            }
        }
    }
    Ok(())
}

/// Returns the touched keys with all that are united with them, the smallest key of each class first.
fn classes<'t>(
    objects: &dyn Objects,
    start: &State,
    touched: impl Iterator<Item = (&'t RecordKey, &'t Operations)>,
) -> Result<Vec<Vec<RecordKey>>, MergeError> {
    let has_marks = start.conflicts != tree::empty_root();
    let mut edges: Vec<(RecordKey, RecordKey)> = Vec::new();
    let mut keys: BTreeSet<RecordKey> = BTreeSet::new();
    for (key, operations) in touched {
        keys.insert(key.clone());
        for (_, operation) in operations {
            if let Operation::Alias(to) = operation {
                edges.push((key.clone(), to.clone()));
                keys.insert(to.clone());
            }
        }
    }
    // An alias exists only where there is a mark at its target.
    let mut open: Vec<RecordKey> = if has_marks {
        keys.iter().cloned().collect()
    } else {
        Vec::new()
    };
    while let Some(key) = open.pop() {
        let others = match record(objects, start, &key)? {
            Some(Entry::Alias(to)) => vec![to],
            _ => marks(objects, start, &key)?.aliases,
        };
        for other in others {
            edges.push((key.clone(), other.clone()));
            if keys.insert(other.clone()) {
                open.push(other);
            }
        }
    }
    if edges.is_empty() {
        return Ok(keys.into_iter().map(|key| vec![key]).collect());
    }
    let keys: Vec<RecordKey> = keys.into_iter().collect();
    Ok(split_into_classes(&keys, &edges))
}

/// Splits sorted keys into classes by edges; keys and classes stay in order.
fn split_into_classes(keys: &[RecordKey], edges: &[(RecordKey, RecordKey)]) -> Vec<Vec<RecordKey>> {
    // Most keys have no edge.
    let united: BTreeSet<&RecordKey> = edges.iter().flat_map(|(left, right)| [left, right]).collect();
    let united: Vec<&RecordKey> = united.into_iter().collect();
    let number = |key: &RecordKey| united.binary_search(&key).ok();
    let numbered = edges
        .iter()
        .filter_map(|(left, right)| Some((number(left)?, number(right)?)));
    let class_of = components(united.len(), numbered);
    let mut classes: BTreeMap<&RecordKey, Vec<RecordKey>> = BTreeMap::new();
    for key in keys {
        let first = number(key)
            .and_then(|number| class_of.get(number))
            .and_then(|class| united.get(*class).copied())
            .unwrap_or(key);
        classes.entry(first).or_default().push(key.clone());
    }
    classes.into_values().collect()
}

/// Returns whether a class was one record in `base` already.
fn is_one(objects: &dyn Objects, base: &State, class: &[RecordKey]) -> Result<bool, MergeError> {
    let Some((first, others)) = class.split_first() else {
        return Ok(true);
    };
    for key in others {
        match record(objects, base, key)? {
            Some(Entry::Alias(to)) if to == *first => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Evaluates one record from what the cut shows and what was done since.
fn evaluate_record(
    (objects, rules): (&dyn Objects, Option<&Rules<'_>>),
    walk: &Walk,
    key: &RecordKey,
    (operations, base_marks): (&[(usize, Operation)], Marks),
    edits: &mut Edits,
) -> Result<(), MergeError> {
    let base_record: Option<Value> = record(objects, &walk.base(), key)?.and_then(Entry::into_record);
    let mut registers = Registers::new(objects, &walk.steps, base_record.as_ref(), &base_marks.conflicts);
    registers.rules = rules;
    for (step, operation) in operations {
        registers.add(*step, 0, operation);
    }
    let (record, conflicts) = registers.outcome()?;
    edits.entry(key, record.map(Entry::Record).as_ref());
    let marks = Marks {
        conflicts,
        aliases: base_marks.aliases,
        key: None,
    };
    edits.marks(key, &marks);
    Ok(())
}

/// Evaluates classes of keys that are united in the end but were not at the cut, from the whole history.
///
/// `own` are the operations of the last step, where that is a snapshot in the making.
pub(super) fn evaluate_groups(
    objects: &dyn Objects,
    whole: &Walk,
    groups: &[Vec<RecordKey>],
    own: Option<&BTreeMap<RecordKey, Operation>>,
    edits: &mut Edits,
) -> Result<(), MergeError> {
    let mut known: BTreeMap<RecordKey, Operations> =
        groups.iter().flatten().map(|key| (key.clone(), Vec::new())).collect();
    known.insert(settings_key(), Vec::new());
    let stored = whole.steps.len().saturating_sub(usize::from(own.is_some()));
    for (number, step) in whole.steps.iter().enumerate().take(stored) {
        collect_known(objects, number, &step.snapshot.delta, &mut known)?;
    }
    let changes = known.remove(&settings_key()).unwrap_or_default();
    let rules = Rules::new(objects, &whole.steps, None, &changes);
    for (key, operation) in own.into_iter().flatten() {
        if let Some(operations) = known.get_mut(key) {
            operations.push((stored, operation.clone()));
        }
    }
    for class in groups {
        let mut writes: Vec<(usize, usize, Operation)> = Vec::new();
        for (position, key) in class.iter().enumerate() {
            let operations = known.remove(key).unwrap_or_default();
            writes.extend(
                operations
                    .into_iter()
                    .map(|(step, operation)| (step, position, operation)),
            );
        }
        writes.sort_by_key(|(step, position, _)| (*step, *position));
        evaluate_group((objects, &rules), whole, class, &writes, edits)?;
    }
    Ok(())
}

/// Evaluates one class of keys from all operations on them, in order of steps.
fn evaluate_group(
    (objects, rules): (&dyn Objects, &Rules<'_>),
    whole: &Walk,
    class: &[RecordKey],
    writes: &[(usize, usize, Operation)],
    edits: &mut Edits,
) -> Result<(), MergeError> {
    let (record, conflicts) = evaluate((objects, rules), &whole.steps, class, writes)?;
    let Some((first, others)) = class.split_first() else {
        return Ok(());
    };
    edits.entry(first, record.map(Entry::Record).as_ref());
    let aliases = others.to_vec();
    let marks = Marks {
        conflicts,
        aliases,
        key: None,
    };
    edits.marks(first, &marks);
    for key in others {
        edits.entry(key, Some(&Entry::Alias(first.clone())));
        edits.marks(key, &Marks::default());
    }
    Ok(())
}
