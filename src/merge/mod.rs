//! The state of a collection at a set of heads; conflicts as data; authoring.
//!
//! *Owns* the rules of merging (`docs/architecture.md`, "The merged state at a set of heads"), the entries of the
//! conflict tree, and the only ways by which a snapshot comes to be ([`author`]) or to be trusted ([`receive`]).
//! *Leaves* to `delta` the bytes of snapshots, to `store` which heads there are, to `sync` when to merge.
//!
//! *Invariants*: the merged state depends on the set of ancestors of the heads alone, so it is the same on every
//! replica and in every order; nothing that was written concurrently is lost: it is shown, or an alternative of a
//! conflict; a snapshot's result is the merged state of its parents after its own writes.
//! *Fails* with [`MergeError`]. *Start reading* at [`merged_state`], then `register`, which holds the rules.

mod author;
mod bits;
mod conflict;
mod decide;
mod group;
mod history;
mod lineage;
mod moved;
mod policy;
mod portion;
mod rebuild;
mod register;
mod state;
mod text;

#[cfg(test)]
mod author_tests;
#[cfg(test)]
mod graph_tests;
#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod portion_tests;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod rename_tests;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub use author::{Additions, Authoring, author, receive};
pub use conflict::{
    Alternative, Conflict, ConflictKind, Writer, alias_count, conflicts, conflicts_of, record, record_count,
    resolve_alias,
};
pub use decide::decide;
pub use history::History;
pub use moved::renames_between;
pub use policy::{ParsePolicyError, Policy, Settings, settings_key};
pub use state::merged_state;

pub use crate::delta::State;

use crate::delta::{ChangeError, DeltaError};
use crate::model::{RecordKey, SnapshotId};
use crate::port::ObjectError;
use crate::spool::SpoolError;
use crate::tree::TreeError;

/// Why a state cannot be computed, or a snapshot not be accepted.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// An object cannot be had.
    #[error("cannot access a stored object")]
    Object(#[from] ObjectError),
    /// A tree cannot be read or written.
    #[error("cannot access a tree")]
    Tree(#[from] TreeError),
    /// A snapshot or difference set is malformed.
    #[error("cannot read or write changes")]
    Delta(#[from] DeltaError),
    /// What waited in memory is lost.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// An entry of the conflict tree is malformed.
    #[error("conflict entry of record {key} is malformed: {what}")]
    MalformedEntry {
        /// The record, in hexadecimal digits.
        key: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A transaction does not fit the merged state of the parents.
    #[error("record {key} cannot be changed so")]
    Unfit {
        /// The record.
        key: RecordKey,
        /// Why.
        #[source]
        source: ChangeError,
    },
    /// A snapshot says something else about itself than its parents and writes do.
    #[error("snapshot {snapshot} contradicts its parents: {what}")]
    Inconsistent {
        /// The snapshot.
        snapshot: SnapshotId,
        /// What does not agree.
        what: &'static str,
    },
    /// A snapshot's result is not what its writes give here.
    #[error("snapshot {snapshot} gives another state here than at its author")]
    RootMismatch {
        /// The snapshot.
        snapshot: SnapshotId,
        /// The state that its author computed.
        claimed: Box<State>,
        /// The state that its writes give here.
        computed: Box<State>,
    },
    /// The collection is kept by newer rules than this program knows.
    #[error("the collection is kept by version {found} of the rules for `{rule}`, which is not known here")]
    Newer {
        /// Of what the rules are.
        rule: String,
        /// Their version.
        found: i64,
    },
    /// The caller's transactions ended with an error.
    #[error("the changes to record could not be produced")]
    Input(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl MergeError {
    /// Wraps an error of the iterator that is given to [`author`].
    pub fn input(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Input(error.into())
    }
}
