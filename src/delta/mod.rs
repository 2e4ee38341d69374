//! Snapshots and difference sets: what one author changed against the merged state of its parents.
//!
//! *Owns* [`Snapshot`], [`Transaction`] and their bytes ([`Delta`]), the difference of two records ([`difference`]),
//! its application ([`apply`]) and composition ([`compose`]). *Leaves* to `merge` what a transaction means beside
//! concurrent ones, and to `tree` how states are stored.
//! *Invariants*: `apply(old, difference(old, new)) == new`; transactions stand strictly by key, one per key; the
//! paths of one transaction stand strictly in order and none is a prefix of another; a decoder returns an error on
//! every other byte sequence. *Fails* with [`DeltaError`].
//! *Start reading* at [`Operation`]. Bytes are specified in `formats/SPEC.md`, "Snapshots" and "Difference sets".

mod block;
mod bytes;
mod change;
mod compose;
mod entry;
mod set;
mod snapshot;

pub use change::{ChangeError, apply, difference, renaming};
pub(crate) use change::{check, normalize, same};
pub use compose::{compose, compose_operations};
pub use entry::Entry;
pub use set::{Delta, DeltaFinder, DeltaWriter};
pub use snapshot::Snapshot;

use crate::model::{FieldPath, Hash, RecordKey, Value};
use crate::port::ObjectError;
use crate::tree;

/// What a transaction does to its record.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// The record did not exist at the parents. Supersedes all that was known of its key.
    Add(Value),
    /// Fields change. Without any, the record's existence is chosen again.
    Change(Vec<FieldOperation>),
    /// The record goes.
    Remove,
    /// The record is one with that of the given smaller key, from now on.
    Alias(RecordKey),
    /// The record of another key stands under this one from now on, with some fields changed, and leaves its old key free.
    /// Its own key as `from` is that choice made again.
    Rename {
        /// The key under which the record stood at the parents.
        from: RecordKey,
        /// What changes of its fields, as in [`Operation::Change`].
        changes: Vec<FieldOperation>,
    },
}

/// One step of an [`Operation::Change`].
#[derive(Debug, Clone, PartialEq)]
pub enum FieldOperation {
    /// What is at the path is replaced; setting what is there already is a choice made again.
    Set(FieldPath, Value),
    /// What is at the path goes.
    Clear(FieldPath),
}

impl FieldOperation {
    /// Returns the path that is written.
    pub fn path(&self) -> &FieldPath {
        match self {
            Self::Set(path, _) | Self::Clear(path) => path,
        }
    }
}

/// What one snapshot does to one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// The record.
    pub key: RecordKey,
    /// What is done to it.
    pub operation: Operation,
    /// Whether it overrides safety thresholds on purpose.
    pub forced: bool,
}

impl Transaction {
    /// Makes a transaction that forces nothing.
    pub fn new(key: RecordKey, operation: Operation) -> Self {
        Self {
            key,
            operation,
            forced: false,
        }
    }
}

/// How many records a difference set touches, by kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records that are new.
    pub added: u64,
    /// Records with changed fields.
    pub changed: u64,
    /// Records that went, those united with another one among them.
    pub removed: u64,
    /// Records whose key changed.
    pub renamed: u64,
}

impl Counts {
    /// Counts one operation more.
    pub fn count(&mut self, operation: &Operation) {
        match operation {
            Operation::Add(_) => self.added += 1,
            Operation::Change(_) => self.changed += 1,
            Operation::Remove | Operation::Alias(_) => self.removed += 1,
            Operation::Rename { .. } => self.renamed += 1,
        }
    }

    /// Returns the number of transactions.
    pub fn total(&self) -> u64 {
        let kept = self.added.saturating_add(self.changed);
        kept.saturating_add(self.removed).saturating_add(self.renamed)
    }
}

/// The state of a collection, as two tree roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    /// The records: key → [`Entry`]. Pure data without clock, author or mark of conflict.
    pub content: Hash,
    /// What is in conflict, and which keys are united: key → entry of `merge`.
    pub conflicts: Hash,
}

impl State {
    /// Returns the state without records.
    pub fn empty() -> Self {
        Self {
            content: tree::empty_root(),
            conflicts: tree::empty_root(),
        }
    }
}

/// Why a snapshot or difference set cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeltaError {
    /// An object cannot be had.
    #[error("cannot access a stored object")]
    Object(#[from] ObjectError),
    /// The tree that a set stands for cannot be read.
    #[error("cannot read the records of a difference set")]
    Tree(#[from] tree::TreeError),
    /// The bytes are no difference set or snapshot.
    #[error("{object} is malformed: {what}")]
    Malformed {
        /// What was being decoded.
        object: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// Transactions came out of key order, or two for one key.
    #[error("transactions are not strictly sorted at record {0}")]
    Unsorted(RecordKey),
    /// A transaction cannot be written or applied.
    #[error("change of record {key} is not possible")]
    Change {
        /// The record.
        key: RecordKey,
        /// Why.
        #[source]
        source: ChangeError,
    },
}

impl DeltaError {
    pub(crate) const fn malformed(object: &'static str, what: &'static str) -> Self {
        Self::Malformed { object, what }
    }
}
