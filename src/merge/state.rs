//! The merged state at a set of heads.

use super::MergeError;
use super::conflict::{Marks, StoredConflict, encode_settings, record, settings};
use super::group::evaluate;
use super::history::{History, Walk};
use super::moved::{Edges, evaluate_class};
use super::policy::{Rules, is_settings, settings_key};
use super::portion::{
    Collector, Operations, Portion, StateReader, Touched, changes_of_settings, deltas, portion_keys, portions,
    snapshots, united,
};
use super::register::Registers;
use crate::delta::{Entry, Operation, State};
use crate::model::{Hash, RecordKey, SnapshotId, Value};
use crate::port::Objects;
use crate::spool::{SortedRuns, SpoolError};
use crate::tree;

/// New entries of a state's trees; the last one of a key stands.
#[derive(Default)]
pub(super) struct Edits {
    /// No bytes at all delete.
    content: SortedRuns,
    conflicts: SortedRuns,
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
    pub(super) fn entry(&mut self, key: &RecordKey, entry: Option<&Entry>) -> Result<(), MergeError> {
        if is_settings(key) {
            let record = entry.cloned().and_then(Entry::into_record);
            self.settings = Some(record.map_or(Fate::Goes, Fate::Is));
            return Ok(());
        }
        let bytes = entry.map(Entry::encode);
        Ok(self.content.push(key.clone(), bytes.unwrap_or_default())?)
    }

    pub(super) fn marks(&mut self, key: &RecordKey, marks: &Marks) -> Result<(), MergeError> {
        if is_settings(key) {
            self.settings_conflicts = Some(marks.conflicts.clone());
            return Ok(());
        }
        Ok(self.conflicts.push(key.clone(), marks.encode().unwrap_or_default())?)
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
            self.conflicts.push(settings_key(), entry.unwrap_or_default())?;
        }
        Ok(State {
            content: edit_tree(objects, &state.content, self.content)?,
            conflicts: edit_tree(objects, &state.conflicts, self.conflicts)?,
        })
    }
}

/// Applies new entries to a tree, the last one of each key; no bytes at all delete.
pub(super) fn edit_tree(objects: &dyn Objects, root: &Hash, edits: SortedRuns) -> Result<Hash, MergeError> {
    let mut failure: Option<SpoolError> = None;
    let mut edits = edits.in_order()?.peekable();
    let edited = tree::edit(
        objects,
        root,
        std::iter::from_fn(|| {
            loop {
                let (key, bytes) = edits.next()?.map_err(|error| failure = Some(error)).ok()?;
                let is_last = !matches!(edits.peek(), Some(Ok((next, _))) if *next == key);
                if is_last {
                    return Some((key.bytes().to_vec(), (!bytes.is_empty()).then_some(bytes)));
                }
            }
        }),
    );
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(edited?),
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
    let (start, unseen) = richest_head(history, walk, heads)?;
    let of_unseen = unseen.iter().filter_map(|number| walk.steps.get(*number));
    let touched = Touched::read(objects, of_unseen.map(|step| &step.snapshot.delta))?;
    let edges = Edges::read(objects, &walk.steps)?;
    let moved = edges.classes(&touched.keys);
    let others = touched.keys.iter().filter(|key| !edges.concern(key));
    let classes = united(objects, &start, others, touched.aliases)?;
    let base = walk.base();
    // What was done to the settings is asked of every step, as what a conflict shows depends on it.
    let settings_key = settings_key();
    let changes = changes_of_settings(objects, &walk.steps)?;
    let settings = record(objects, &base, &settings_key)?.and_then(Entry::into_record);
    let rules = Rules::new(objects, &walk.steps, settings.as_ref(), &changes);
    let merging = Merging {
        history,
        walk,
        heads,
        rules: &rules,
    };
    let mut edits = Edits::default();
    if !changes.is_empty() {
        let mut reader = StateReader::new(objects, &base);
        evaluate_record((objects, None), walk, &settings_key, &changes, &mut reader, &mut edits)?;
    }
    let mut united: Vec<&RecordKey> = classes.iter().flatten().collect();
    united.sort_unstable();
    let is_alone = |key: &&RecordKey| !edges.concern(key) && united.binary_search(key).is_err();
    let mut alone = touched.keys.iter().filter(is_alone).cloned().peekable();
    let mut reader = StateReader::new(objects, &base);
    let size = portion_keys(history.portion_keys, touched.keys.len(), snapshots(&walk.steps));
    let mut collector = Collector::new(objects, deltas(&walk.steps));
    while alone.peek().is_some() {
        let keys: Vec<RecordKey> = alone.by_ref().take(size).collect();
        let portion = collector.collect(keys.iter().cloned())?;
        for key in &keys {
            merging.one(std::slice::from_ref(key), &portion, &mut reader, &mut edits)?;
        }
    }
    merging.classes(&classes, &mut collector, &mut reader, &mut edits)?;
    for classes in portions(&moved, size) {
        let portion = collector.collect(classes.iter().flatten().cloned())?;
        for class in classes {
            evaluate_class((history, &rules), heads, walk, class, &portion, &mut edits)?;
        }
    }
    edits.apply(objects, &start)
}

/// A merge on its way.
struct Merging<'m, 'h> {
    history: &'m History<'h>,
    walk: &'m Walk,
    heads: &'m [SnapshotId],
    rules: &'m Rules<'m>,
}

impl Merging<'_, '_> {
    /// Evaluates a class of keys that was one record at the cut.
    fn one(
        &self,
        class: &[RecordKey],
        portion: &Portion,
        base: &mut StateReader<'_>,
        edits: &mut Edits,
    ) -> Result<(), MergeError> {
        let Some(key) = class.first() else { return Ok(()) };
        // Where the cut does not know under which key the record stands, the renames of before count.
        if base.marks(key)?.key.is_some() {
            let rules = (self.history, self.rules);
            return evaluate_class(rules, self.heads, self.walk, class, portion, edits);
        }
        let operations = portion.get(key).map_or(&[][..], Vec::as_slice);
        let rules = (self.history.objects, Some(self.rules));
        evaluate_record(rules, self.walk, key, operations, base, edits)
    }

    /// Evaluates classes of keys that are united.
    fn classes(
        &self,
        classes: &[Vec<RecordKey>],
        collector: &mut Collector<'_, '_>,
        base: &mut StateReader<'_>,
        edits: &mut Edits,
    ) -> Result<(), MergeError> {
        let mut groups: Vec<Vec<RecordKey>> = Vec::new();
        let keys = classes.iter().map(Vec::len).sum();
        let size = portion_keys(self.history.portion_keys, keys, snapshots(&self.walk.steps));
        for classes in portions(classes, size) {
            let mut ones = Vec::new();
            for class in classes {
                if is_one(base, class)? {
                    ones.push(class);
                } else {
                    groups.push(class.clone());
                }
            }
            let keys = ones.iter().flat_map(|class| class.iter().cloned());
            let portion = collector.collect(keys)?;
            for class in ones {
                self.one(class, &portion, base, edits)?;
            }
        }
        if groups.is_empty() {
            return Ok(());
        }
        let whole = self.history.walk(self.heads, true)?;
        evaluate_groups(self.history, &whole, whole.steps.len(), &groups, edits)
    }
}

/// Returns the state of the head that has seen most writes, and the steps it has not seen.
fn richest_head(history: &History<'_>, walk: &Walk, heads: &[SnapshotId]) -> Result<(State, Vec<usize>), MergeError> {
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
        return Ok((walk.base(), (0..walk.steps.len()).collect()));
    };
    let is_unseen = |number: &usize| *number != position && !step.ancestors.contains(*number);
    Ok((
        history.result(&step.id)?,
        (0..walk.steps.len()).filter(is_unseen).collect(),
    ))
}

/// Returns whether a class was one record at the cut already.
fn is_one(base: &mut StateReader<'_>, class: &[RecordKey]) -> Result<bool, MergeError> {
    let Some((first, others)) = class.split_first() else {
        return Ok(true);
    };
    for key in others {
        if base.alias(key)?.as_ref() != Some(first) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Evaluates one record from what the cut shows and what was done since.
fn evaluate_record(
    (objects, rules): (&dyn Objects, Option<&Rules<'_>>),
    walk: &Walk,
    key: &RecordKey,
    operations: &[(usize, Operation)],
    base: &mut StateReader<'_>,
    edits: &mut Edits,
) -> Result<(), MergeError> {
    let base_marks = base.marks(key)?;
    let base_record: Option<Value> = base.record(key)?.and_then(Entry::into_record);
    let mut registers = Registers::new(objects, &walk.steps, base_record.as_ref(), &base_marks.conflicts);
    registers.rules = rules;
    for (step, operation) in operations {
        registers.add(*step, 0, operation);
    }
    let (record, conflicts) = registers.outcome()?;
    edits.entry(key, record.map(Entry::Record).as_ref())?;
    let marks = Marks {
        conflicts,
        aliases: base_marks.aliases,
        key: None,
    };
    edits.marks(key, &marks)
}

/// Evaluates classes of keys that are united in the end but were not at the cut, from the whole history.
///
/// Of its steps the first `stored` count for the settings: behind them may stand a snapshot in the making.
pub(super) fn evaluate_groups(
    history: &History<'_>,
    whole: &Walk,
    stored: usize,
    groups: &[Vec<RecordKey>],
    edits: &mut Edits,
) -> Result<(), MergeError> {
    let objects = history.objects;
    let of_settings = whole.steps.get(..stored).unwrap_or(&whole.steps);
    let changes = changes_of_settings(objects, of_settings)?;
    let rules = Rules::new(objects, &whole.steps, None, &changes);
    let keys = groups.iter().map(Vec::len).sum();
    let mut collector = Collector::new(objects, deltas(&whole.steps));
    let size = portion_keys(history.portion_keys, keys, snapshots(&whole.steps));
    for groups in portions(groups, size) {
        let mut known = collector.collect(groups.iter().flatten().cloned())?;
        for class in groups {
            let mut writes: Vec<(usize, usize, Operation)> = Vec::new();
            for (position, key) in class.iter().enumerate() {
                let operations: Operations = known.remove(key).unwrap_or_default();
                writes.extend(
                    operations
                        .into_iter()
                        .map(|(step, operation)| (step, position, operation)),
                );
            }
            writes.sort_by_key(|(step, position, _)| (*step, *position));
            evaluate_group((objects, &rules), whole, class, &writes, edits)?;
        }
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
    edits.entry(first, record.map(Entry::Record).as_ref())?;
    let aliases = others.to_vec();
    let marks = Marks {
        conflicts,
        aliases,
        key: None,
    };
    edits.marks(first, &marks)?;
    for key in others {
        edits.entry(key, Some(&Entry::Alias(first.clone())))?;
        edits.marks(key, &Marks::default())?;
    }
    Ok(())
}
