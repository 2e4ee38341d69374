//! How snapshots come to be, and how those of others are checked.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::MergeError;
use super::conflict::{Marks, marks, record};
use super::history::{History, Step, Walk};
use super::policy::{Settings, is_settings};
use super::portion::StateReader;
use super::register::is_quiet;
use super::state::{Edits, evaluate_groups, merged_state};
use crate::delta::{
    ChangeError, Counts, Delta, DeltaWriter, Entry, FieldOperation, Operation, Snapshot, State, Transaction, apply,
    check, normalize,
};
use crate::model::row::SCHEMA_KEY;
use crate::model::{Hash, Keys, Kind, RecordKey, ReplicaId, SnapshotId, TimeMs, Value};
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
/// errors are passed on. Memory is bounded but for the keys that are united or renamed.
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
    Settings::check(objects, &merged)?;
    let draft = Draft::new(if parents.is_empty() {
        DeltaWriter::on_nothing(objects)
    } else {
        DeltaWriter::new(objects)
    });
    let applied =
        Application::new(history, &parents, (merged, meta.kind), Reading::Lenient, &draft).run(transactions)?;
    let (delta, counts) = draft.finish(&applied.content)?;
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
    let (computed, counts) = computed(history, &snapshot)?;
    if counts != snapshot.counts {
        return wrong("it counts other changes than it holds");
    }
    if computed != snapshot.result {
        // A snapshot that brings in newer rules may be made by them already.
        Settings::check(objects, &computed)?;
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

/// Computes the state that a snapshot leads to from its parents and its writes, and counts these.
pub(super) fn computed(history: &History<'_>, snapshot: &Snapshot) -> Result<(State, Counts), MergeError> {
    let merged = merged_state(history, &snapshot.parents)?;
    Settings::check(history.objects, &merged)?;
    let delta = Delta::open(history.objects, &snapshot.delta)?;
    let transactions = delta.iter().map(|transaction| transaction.map_err(MergeError::from));
    let start = (merged, snapshot.kind);
    let stored = Stored {
        delta: snapshot.delta,
        counts: Cell::default(),
    };
    let state = Application::new(history, &snapshot.parents, start, Reading::Strict, &stored).run(transactions)?;
    Ok((state, stored.counts.get()))
}

/// The difference set of the snapshot that transactions belong to.
trait OwnSet {
    /// Gets to see the next transaction.
    fn push(&self, transaction: &Transaction) -> Result<(), MergeError>;

    /// Returns the address of the set, all transactions of which were pushed and some of which are no additions.
    fn address(&self) -> Result<Hash, MergeError>;
}

/// A set that is being written.
struct Draft<'h> {
    writer: RefCell<Option<DeltaWriter<'h>>>,
    finished: Cell<Option<(Hash, Counts)>>,
}

impl<'h> Draft<'h> {
    fn new(writer: DeltaWriter<'h>) -> Self {
        Self {
            writer: RefCell::new(Some(writer)),
            finished: Cell::new(None),
        }
    }

    /// Stores what is left. `content` is the tree that the set leads to.
    fn finish(&self, content: &Hash) -> Result<(Hash, Counts), MergeError> {
        let finished = match (self.finished.get(), self.writer.take()) {
            (Some(finished), _) => finished,
            (None, Some(writer)) => writer.finish(content)?,
            (None, None) => (Hash::from_bytes([0; Hash::BYTES]), Counts::default()),
        };
        self.finished.set(Some(finished));
        Ok(finished)
    }
}

impl OwnSet for Draft<'_> {
    fn push(&self, transaction: &Transaction) -> Result<(), MergeError> {
        let mut writer = self.writer.borrow_mut();
        let Some(writer) = writer.as_mut() else { return Ok(()) };
        if is_settings(&transaction.key) {
            // They are no part of the tree that a large first set is stored as.
            writer.write_out()?;
        }
        Ok(writer.push(transaction)?)
    }

    fn address(&self) -> Result<Hash, MergeError> {
        // Only a set of nothing but additions is stored as the tree that it leads to.
        Ok(self.finish(&tree::empty_root())?.0)
    }
}

/// A set that is there.
struct Stored {
    delta: Hash,
    counts: Cell<Counts>,
}

impl OwnSet for Stored {
    fn push(&self, transaction: &Transaction) -> Result<(), MergeError> {
        let mut counts = self.counts.get();
        counts.count(&transaction.operation);
        self.counts.set(counts);
        Ok(())
    }

    fn address(&self) -> Result<Hash, MergeError> {
        Ok(self.delta)
    }
}

/// A key and its new value in the content tree.
type TreeEdit = (Vec<u8>, Option<Vec<u8>>);

/// The application of transactions to a state.
struct Application<'a, 'h> {
    history: &'a History<'h>,
    parents: &'a [SnapshotId],
    merged: State,
    keys: Keys,
    reading: Reading,
    own: &'a dyn OwnSet,
    has_marks: bool,
    /// Reads the merged state in the order of the transactions.
    reader: StateReader<'h>,
    edits: Edits,
    /// The aliases met, in order.
    aliases: Vec<(RecordKey, RecordKey)>,
    /// The records that got another key: old key and new one.
    renamed: BTreeMap<RecordKey, RecordKey>,
    /// The keys with a record at the parents that get another one.
    retaken: BTreeSet<RecordKey>,
    last: Option<RecordKey>,
}

impl<'a, 'h> Application<'a, 'h> {
    fn new(
        history: &'a History<'h>,
        parents: &'a [SnapshotId],
        (merged, kind): (State, Kind),
        reading: Reading,
        own: &'a dyn OwnSet,
    ) -> Self {
        Self {
            history,
            parents,
            merged,
            keys: kind.keys(),
            reading,
            own,
            has_marks: merged.conflicts != tree::empty_root(),
            reader: StateReader::new(history.objects, &merged),
            edits: Edits::default(),
            aliases: Vec::new(),
            renamed: BTreeMap::new(),
            retaken: BTreeSet::new(),
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
        self.rename()?;
        self.unite()?;
        self.edits.apply(objects, &state)
    }

    /// Returns the record that an operation starts from: that of the key, or of the old key of a rename.
    fn source(&mut self, key: &RecordKey, operation: &Operation) -> Result<Option<Value>, MergeError> {
        let objects = self.history.objects;
        let unfit = |source| {
            let key = key.clone();
            Err(MergeError::Unfit { key, source })
        };
        match (operation, self.keys) {
            (Operation::Alias(_), Keys::Content) => return unfit(ChangeError::NaturalKeys),
            (Operation::Rename { .. }, Keys::Ids) => return unfit(ChangeError::FixedKeys),
            _ => {}
        }
        let old = match self.reader.record(key)? {
            Some(Entry::Record(record)) => Some(record),
            None => None,
            Some(Entry::Alias(_)) => return unfit(ChangeError::Missing),
        };
        match operation {
            // The record that is there may get another key in this same set; whether it does is known at its end.
            Operation::Add(_) if old.is_some() && self.keys == Keys::Content => {
                self.retaken.insert(key.clone());
                Ok(None)
            }
            Operation::Rename { from, .. } if from != key => {
                if old.is_some() {
                    self.retaken.insert(key.clone());
                }
                Ok(record(objects, &self.merged, from)?.and_then(Entry::into_record))
            }
            _ => Ok(old),
        }
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
        let old = self.source(&key, &operation)?;
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
        } else if let Operation::Rename { from, .. } = &operation {
            if self.renamed.insert(from.clone(), key.clone()).is_some() || is_reserved(from) || is_reserved(&key) {
                return Err(unfit(ChangeError::Rename));
            }
            if self.has_marks {
                let before = marks(self.history.objects, &self.merged, from)?;
                let after = resolved(before, &operation, new.as_ref());
                self.edits.marks(&key, &after)?;
            }
        } else if self.has_marks {
            let before = self.reader.marks(&key)?;
            if !before.conflicts.is_empty() || before.key.is_some() {
                let after = resolved(before, &operation, new.as_ref());
                self.edits.marks(&key, &after)?;
            }
        }
        let transaction = Transaction { key, operation, forced };
        self.own.push(&transaction)?;
        let Transaction { key, operation, .. } = transaction;
        let bytes = key.bytes().to_vec();
        let new = match operation {
            Operation::Add(record) => Some(record),
            _ => new,
        };
        if is_settings(&key) {
            self.edits.entry(&key, new.map(Entry::Record).as_ref())?;
            return Ok(None);
        }
        Ok(Some((bytes, new.map(|record| Entry::Record(record).encode()))))
    }

    /// Clears the keys that records were taken away from, once it is known that all of it fits.
    fn rename(&mut self) -> Result<(), MergeError> {
        let unfit = |key: &RecordKey, source| {
            let key = key.clone();
            Err(MergeError::Unfit { key, source })
        };
        let stays = |key: &&RecordKey| self.renamed.get(*key).is_none_or(|to| to == *key);
        if let Some(key) = self.retaken.iter().find(stays) {
            return unfit(key, ChangeError::Exists);
        }
        if self.renamed.is_empty() {
            return Ok(());
        }
        let arrived: BTreeSet<&RecordKey> = self.renamed.values().collect();
        let own = Delta::open(self.history.objects, &self.own.address()?)?;
        let mut own = own.finder();
        for (from, to) in &self.renamed {
            // Under its own key stands another one, or nothing: what is said of it stands with the rename.
            let done = own.find(from)?.map(|transaction| transaction.operation);
            if matches!(done, Some(Operation::Change(_) | Operation::Remove)) {
                return unfit(to, ChangeError::Rename);
            }
            if arrived.contains(from) {
                continue;
            }
            if !self.retaken.contains(from) {
                self.edits.entry(from, None)?;
            }
            if self.has_marks {
                self.edits.marks(from, &Marks::default())?;
            }
        }
        Ok(())
    }

    fn check_alias(&self, key: &RecordKey, to: &RecordKey) -> Result<(), MergeError> {
        let is_record = matches!(record(self.history.objects, &self.merged, to)?, Some(Entry::Record(_)));
        if to < key && is_record && !is_settings(to) {
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
        let own = self.own.address()?;
        self.check_targets(&own)?;
        let mut whole = self.history.walk(self.parents, true)?;
        let stored = whole.steps.len();
        push_own_step(&mut whole, own);
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
        evaluate_groups(self.history, &whole, stored, &groups, &mut self.edits)
    }

    /// Checks that what others are united with stays.
    fn check_targets(&mut self, own: &Hash) -> Result<(), MergeError> {
        self.aliases
            .sort_unstable_by(|(left, left_to), (right, right_to)| (left_to, left).cmp(&(right_to, right)));
        let own = Delta::open(self.history.objects, own)?;
        let mut own = own.finder();
        for (from, to) in &self.aliases {
            let done = own.find(to)?.map(|transaction| transaction.operation);
            if matches!(done, Some(Operation::Remove | Operation::Alias(_))) {
                return Err(MergeError::Unfit {
                    key: from.clone(),
                    source: ChangeError::Alias,
                });
            }
        }
        Ok(())
    }
}

/// Adds the snapshot that is being made as last step; it supersedes what it writes, so its id is never asked for.
fn push_own_step(whole: &mut Walk, delta: Hash) {
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
        delta,
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

/// Returns whether a key is no record's: that of what a table says of itself, or of the settings.
fn is_reserved(key: &RecordKey) -> bool {
    key.bytes() == SCHEMA_KEY || is_settings(key)
}

/// Returns what stays in conflict after an operation by somebody who saw the conflicts.
fn resolved(mut marks: Marks, operation: &Operation, new: Option<&Value>) -> Marks {
    marks.conflicts.retain(|conflict| {
        let path = &conflict.path;
        let is_kept = match operation {
            Operation::Add(_) | Operation::Remove | Operation::Alias(_) => false,
            Operation::Change(operations) if operations.is_empty() => !path.is_root(),
            Operation::Rename { .. } if path.is_root() => false,
            Operation::Change(operations)
            | Operation::Rename {
                changes: operations, ..
            } => !operations.iter().any(|operation: &FieldOperation| {
                let written = operation.path();
                let is_below = written.starts_with(path);
                path.starts_with(written) || (is_below && !is_quiet(written))
            }),
        };
        is_kept && new.is_some_and(|record| record.at(path).is_some())
    });
    if !matches!(operation, Operation::Change(_)) {
        marks.key = None;
    }
    marks
}
