//! How snapshots come to be, and how those of others are checked.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::MergeError;
use super::conflict::{Marks, marks, record};
use super::history::{History, Step, Walk};
use super::register::is_quiet;
use super::state::{Edits, evaluate_groups, merged_state};
use crate::delta::{
    ChangeError, Counts, Delta, DeltaWriter, Entry, FieldOperation, Operation, Snapshot, State, Transaction, apply,
    check, normalize,
};
use crate::model::{Hash, Kind, RecordKey, ReplicaId, SnapshotId, TimeMs, Value};
use crate::port::Objects;
use crate::tree;

/// Who authors a snapshot, of what and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authoring {
    /// The collection's name.
    pub collection: String,
    /// What its records are.
    pub kind: Kind,
    /// The author's replica.
    pub replica: ReplicaId,
    /// The author's name for its system.
    pub system: String,
    /// When.
    pub time: TimeMs,
    /// What the author says about it.
    pub message: Option<String>,
}

/// Whether transactions are taken as meant or as stated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// An author's: brought into normal form; what does nothing is dropped.
    Lenient,
    /// A stored set's: anything but the normal form is an error.
    Strict,
}

/// Applies transactions, in order of keys, to the merged state of `parents`, and stores the snapshot.
///
/// Writes below absent maps become one write of the map, clearing what is not there is dropped; every other
/// transaction that does not fit (adding what exists, changing what does not) is [`MergeError::Unfit`]. The caller's
/// errors are passed on. On an empty state memory is bounded; else it follows the changes.
pub fn author(
    history: &History<'_>,
    parents: &[SnapshotId],
    meta: Authoring,
    transactions: impl IntoIterator<Item = Result<Transaction, MergeError>>,
) -> Result<SnapshotId, MergeError> {
    let objects = history.objects;
    let parents = history.heads_of(parents)?;
    let mut generation = 0;
    for parent in &parents {
        let snapshot = history.snapshot(parent)?;
        if snapshot.collection != meta.collection || snapshot.kind != meta.kind {
            return Err(MergeError::Inconsistent {
                snapshot: *parent,
                what: "it belongs to another collection",
            });
        }
        generation = generation.max(snapshot.generation);
    }
    let merged = merged_state(history, &parents)?;
    let writer = RefCell::new(if parents.is_empty() {
        DeltaWriter::on_nothing(objects)
    } else {
        DeltaWriter::new(objects)
    });
    let sink = |transaction: &Transaction| writer.borrow_mut().push(transaction).map_err(MergeError::from);
    let applied = Application::new(history, &parents, merged, Reading::Lenient, &sink).run(transactions)?;
    let (delta, counts) = writer.into_inner().finish(&applied.content)?;
    let snapshot = Snapshot {
        collection: meta.collection,
        kind: meta.kind,
        parents,
        generation: generation.saturating_add(1),
        replica: meta.replica,
        system: meta.system,
        time: meta.time,
        message: meta.message,
        delta,
        result: applied,
        counts,
        records: tree::count(objects, &applied.content)?,
    };
    Ok(snapshot.write(objects)?)
}

/// A first snapshot of nothing but new records, given by their canonical bytes: no record is decoded.
pub struct Additions<'h> {
    objects: &'h dyn Objects,
    delta: DeltaWriter<'h>,
    content: tree::TreeWriter<'h>,
    records: u64,
}

impl<'h> Additions<'h> {
    /// Begins a snapshot without parents.
    pub fn new(objects: &'h dyn Objects) -> Self {
        Self {
            objects,
            delta: DeltaWriter::on_nothing(objects),
            content: tree::TreeWriter::new(objects),
            records: 0,
        }
    }

    /// Adds a record whose key is greater than all before. The caller vouches for its bytes: a canonical map without
    /// empty maps in it.
    pub fn push(&mut self, key: &[u8], record: &[u8]) -> Result<(), MergeError> {
        self.delta.push_addition(key, record)?;
        self.content.push(key, record)?;
        self.records += 1;
        Ok(())
    }

    /// Stores the snapshot.
    pub fn finish(self, meta: Authoring) -> Result<SnapshotId, MergeError> {
        let content = self.content.finish()?;
        let (delta, counts) = self.delta.finish(&content)?;
        let snapshot = Snapshot {
            collection: meta.collection,
            kind: meta.kind,
            parents: Vec::new(),
            generation: 1,
            replica: meta.replica,
            system: meta.system,
            time: meta.time,
            message: meta.message,
            delta,
            result: State {
                content,
                conflicts: tree::empty_root(),
            },
            counts,
            records: self.records,
        };
        Ok(snapshot.write(self.objects)?)
    }
}

/// Checks a snapshot whose parents are here: computes its result from them and its writes and compares.
///
/// Its nodes are then in the objects. Nothing else is remembered, so that a refused snapshot leaves no trace but garbage.
pub fn receive(history: &History<'_>, id: &SnapshotId) -> Result<(), MergeError> {
    let objects = history.objects;
    let snapshot = history.snapshot(id)?;
    let wrong = |what| Err(MergeError::Inconsistent { snapshot: *id, what });
    let mut generation = 0;
    for parent in &snapshot.parents {
        let parent = history.snapshot(parent)?;
        if parent.collection != snapshot.collection {
            return wrong("it belongs to another collection than its parent");
        }
        if parent.kind != snapshot.kind {
            return wrong("its records are of another kind than its parent's");
        }
        generation = generation.max(parent.generation);
    }
    if generation.checked_add(1) != Some(snapshot.generation) {
        return wrong("its generation is not one more than its parents'");
    }
    if history.heads_of(&snapshot.parents)? != snapshot.parents {
        return wrong("one of its parents is an ancestor of another");
    }
    let counts = RefCell::new(Counts::default());
    let sink = |transaction: &Transaction| {
        counts.borrow_mut().count(&transaction.operation);
        Ok(())
    };
    let computed = computed(history, &snapshot, &sink)?;
    if counts.into_inner() != snapshot.counts {
        return wrong("it counts other changes than it holds");
    }
    if computed != snapshot.result {
        return Err(MergeError::RootMismatch {
            snapshot: *id,
            claimed: Box::new(snapshot.result),
            computed: Box::new(computed),
        });
    }
    if tree::count(objects, &computed.content)? != snapshot.records {
        return wrong("it counts other records than it holds");
    }
    Ok(())
}

/// Computes the state that a snapshot leads to from its parents and its writes, which `sink` gets to see.
pub(super) fn computed(
    history: &History<'_>,
    snapshot: &Snapshot,
    sink: &dyn Fn(&Transaction) -> Result<(), MergeError>,
) -> Result<State, MergeError> {
    let merged = merged_state(history, &snapshot.parents)?;
    let delta = Delta::open(history.objects, &snapshot.delta)?;
    let transactions = delta.iter().map(|transaction| transaction.map_err(MergeError::from));
    Application::new(history, &snapshot.parents, merged, Reading::Strict, sink).run(transactions)
}

/// A key and its new value in the content tree.
type TreeEdit = (Vec<u8>, Option<Vec<u8>>);

/// The application of transactions to a state.
struct Application<'a, 'h> {
    history: &'a History<'h>,
    parents: &'a [SnapshotId],
    merged: State,
    reading: Reading,
    sink: &'a dyn Fn(&Transaction) -> Result<(), MergeError>,
    has_marks: bool,
    edits: Edits,
    /// The aliases met, in order.
    aliases: Vec<(RecordKey, RecordKey)>,
    /// What was done to the keys that are no additions, which aliases may concern.
    operations: BTreeMap<RecordKey, Operation>,
    last: Option<RecordKey>,
}

impl<'a, 'h> Application<'a, 'h> {
    fn new(
        history: &'a History<'h>,
        parents: &'a [SnapshotId],
        merged: State,
        reading: Reading,
        sink: &'a dyn Fn(&Transaction) -> Result<(), MergeError>,
    ) -> Self {
        Self {
            history,
            parents,
            merged,
            reading,
            sink,
            has_marks: merged.conflicts != tree::empty_root(),
            edits: Edits::default(),
            aliases: Vec::new(),
            operations: BTreeMap::new(),
            last: None,
        }
    }

    fn run(
        mut self,
        transactions: impl IntoIterator<Item = Result<Transaction, MergeError>>,
    ) -> Result<State, MergeError> {
        let objects = self.history.objects;
        let mut failure = None;
        let merged = self.merged;
        let mut transactions = transactions.into_iter();
        // Pulls transactions until one has an entry; an error ends the edit and is looked at afterwards.
        let mut next = || {
            loop {
                match self.step(transactions.next()?) {
                    Ok(Some(entry)) => return Some(entry),
                    Ok(None) => {}
                    Err(error) => {
                        failure = Some(error);
                        return None;
                    }
                }
            }
        };
        let content = if merged.content == tree::empty_root() {
            let additions =
                std::iter::from_fn(|| Some(Ok::<_, tree::TreeError>(next()?))).filter_map(|entry| match entry {
                    Ok((key, value)) => value.map(|value| Ok((key, value))),
                    Err(error) => Some(Err(error)),
                });
            tree::build(objects, additions)
        } else {
            tree::edit(objects, &merged.content, std::iter::from_fn(&mut next))
        };
        if let Some(error) = failure {
            return Err(error);
        }
        let state = State {
            content: content?,
            conflicts: merged.conflicts,
        };
        self.unite()?;
        self.edits.apply(objects, &state)
    }

    /// Checks and notes a transaction; returns the new entry of its key, if it has one.
    fn step(&mut self, transaction: Result<Transaction, MergeError>) -> Result<Option<TreeEdit>, MergeError> {
        let Transaction { key, operation, forced } = transaction?;
        let unfit = |source| MergeError::Unfit {
            key: key.clone(),
            source,
        };
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(crate::delta::DeltaError::Unsorted(key).into());
        }
        self.last = Some(key.clone());
        let old = match record(self.history.objects, &self.merged, &key)? {
            Some(Entry::Record(record)) => Some(record),
            None => None,
            Some(Entry::Alias(_)) => return Err(unfit(ChangeError::Missing)),
        };
        let operation = match self.reading {
            Reading::Strict => {
                check(old.as_ref(), &operation).map_err(unfit)?;
                operation
            }
            Reading::Lenient => match normalize(old.as_ref(), operation).map_err(unfit)? {
                Some(operation) => operation,
                None => return Ok(None),
            },
        };
        // An addition in normal form is the new record itself; most transactions of a first import are that.
        let new = match &operation {
            Operation::Add(_) if !self.has_marks => None,
            _ => apply(old.as_ref(), &operation).map_err(unfit)?,
        };
        if let Operation::Alias(to) = &operation {
            self.check_alias(&key, to)?;
            self.aliases.push((key.clone(), to.clone()));
        } else if self.has_marks {
            let before = marks(self.history.objects, &self.merged, &key)?;
            if !before.conflicts.is_empty() {
                let after = resolved(before, &operation, new.as_ref());
                self.edits.marks(&key, &after);
            }
        }
        let transaction = Transaction { key, operation, forced };
        (self.sink)(&transaction)?;
        let Transaction { key, operation, .. } = transaction;
        let bytes = key.bytes().to_vec();
        let new = match operation {
            Operation::Add(record) => Some(record),
            operation => {
                self.operations.insert(key, operation);
                new
            }
        };
        Ok(Some((bytes, new.map(|record| Entry::Record(record).encode()))))
    }

    fn check_alias(&self, key: &RecordKey, to: &RecordKey) -> Result<(), MergeError> {
        let is_record = matches!(record(self.history.objects, &self.merged, to)?, Some(Entry::Record(_)));
        let stays = !matches!(self.operations.get(to), Some(Operation::Remove | Operation::Alias(_)));
        if to < key && is_record && stays {
            Ok(())
        } else {
            Err(MergeError::Unfit {
                key: key.clone(),
                source: ChangeError::Alias,
            })
        }
    }

    /// Evaluates the united records: what an alias moves keeps its writers, and these only the history knows.
    fn unite(&mut self) -> Result<(), MergeError> {
        if self.aliases.is_empty() {
            return Ok(());
        }
        let objects = self.history.objects;
        let mut whole = self.history.walk(self.parents, true)?;
        push_own_step(&mut whole);
        let mut classes: BTreeMap<RecordKey, Vec<RecordKey>> = BTreeMap::new();
        for (from, to) in &self.aliases {
            let class = classes.entry(to.clone()).or_default();
            class.push(from.clone());
            class.extend(marks(objects, &self.merged, from)?.aliases);
        }
        let mut groups = Vec::new();
        for (first, mut class) in classes {
            class.extend(marks(objects, &self.merged, &first)?.aliases);
            class.push(first);
            class.sort();
            class.dedup();
            groups.push(class);
        }
        evaluate_groups(objects, &whole, &groups, Some(&self.operations), &mut self.edits)
    }
}

/// Adds the snapshot that is being made as last step; it supersedes what it writes, so its id is never asked for.
fn push_own_step(whole: &mut Walk) {
    let mut ancestors = super::bits::Bits::default();
    for number in 0..whole.steps.len() {
        ancestors.insert(number);
    }
    let nothing = Hash::from_bytes([0; Hash::BYTES]);
    let snapshot = Rc::new(Snapshot {
        collection: String::new(),
        kind: Kind::Contact,
        parents: Vec::new(),
        generation: 0,
        replica: ReplicaId::from_bytes([0; 16]),
        system: String::new(),
        time: TimeMs(0),
        message: None,
        delta: nothing,
        result: State::empty(),
        counts: Counts::default(),
        records: 0,
    });
    whole.steps.push(Step {
        id: SnapshotId(nothing),
        snapshot,
        ancestors,
    });
}

/// Returns what stays in conflict after an operation by somebody who saw the conflicts.
fn resolved(mut marks: Marks, operation: &Operation, new: Option<&Value>) -> Marks {
    marks.conflicts.retain(|conflict| {
        let path = &conflict.path;
        let is_kept = match operation {
            Operation::Add(_) | Operation::Remove | Operation::Alias(_) => false,
            Operation::Change(operations) if operations.is_empty() => !path.is_root(),
            Operation::Change(operations) => !operations.iter().any(|operation: &FieldOperation| {
                let written = operation.path();
                let is_below = written.starts_with(path);
                path.starts_with(written) || (is_below && !is_quiet(written))
            }),
        };
        is_kept && new.is_some_and(|record| record.at(path).is_some())
    });
    marks
}
