//! Prolly trees: ordered maps from byte keys to byte values as Merkle trees over [`Objects`].
//!
//! *Owns* the bytes of nodes, the rule where nodes end, and every operation on trees: [`build()`], [`edit()`], [`get`],
//! [`Finder`], [`iter`], [`diff()`], [`count`], [`visit`], [`each_node`], [`verify()`]. *Leaves* to others what keys and values mean, where
//! objects lie and when they become durable.
//!
//! *Invariants*: the root depends on the entries alone, never on the order or the batches in which they came; keys are
//! strictly ascending; a node ends where its last key and the sizes of its entries say so, or because it is the last of
//! its level; the root has at least two children or is a leaf; the empty tree is [`empty_root`] and needs no object.
//! All sizes are bytes. *Fails* with [`TreeError`]; bytes of a node never make it panic.
//!
//! Nodes are specified in `formats/SPEC.md`, section "Trees". *Start reading* at [`build()`] and the builder behind it:
//! there is no other way by which a node comes to be.

mod build;
mod cursor;
mod diff;
mod edit;
mod find;
mod node;
mod rank;
mod split;
mod verify;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::model::{Domain, Hash};
use crate::port::{ObjectError, Objects};

pub use build::{TreeWriter, build};
pub use cursor::{Cursor, count, each_node, get, iter, iter_from, visit};
pub use diff::{Change, Diff, diff};
pub use edit::edit;
pub use find::Finder;
pub use node::{KEY_MAX_BYTES, NodeError, VALUE_MAX_BYTES, check_node};
pub use rank::{nth, rank};
pub use verify::verify;

use node::Node;

/// Why a tree could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TreeError {
    /// An object of the tree could not be read or written.
    #[error("cannot reach an object of the tree")]
    Object(#[from] ObjectError),
    /// The bytes of a node are no node, or one that does not belong where it stands.
    #[error("damaged tree: {what}, in node {node}")]
    Damaged {
        /// The address of the node.
        node: Hash,
        /// What is wrong with it.
        what: String,
    },
    /// Entries or edits did not come in strictly ascending order of their keys, or those of a damaged tree do not.
    #[error("key {} is not greater than the one before", data_encoding::HEXLOWER.encode(.key))]
    Unsorted {
        /// The key that came too late.
        key: Vec<u8>,
    },
    /// A key is longer than [`KEY_MAX_BYTES`].
    #[error("a key of {length} bytes is longer than {KEY_MAX_BYTES}")]
    KeyTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A value is longer than [`VALUE_MAX_BYTES`].
    #[error("a value of {length} bytes is longer than {VALUE_MAX_BYTES}")]
    ValueTooLong {
        /// Its length in bytes.
        length: usize,
    },
}

impl TreeError {
    fn damaged(node: Hash, what: &dyn ToString) -> Self {
        Self::Damaged {
            node,
            what: what.to_string(),
        }
    }
}

/// The address of the empty tree.
static EMPTY_ROOT: LazyLock<Hash> = LazyLock::new(|| Hash::of(Domain::Leaf, &node::EMPTY_NODE));

/// Returns the root of the empty tree: the address of a leaf without entries.
///
/// Every function of this module takes it without asking the objects, and none stores it.
pub fn empty_root() -> Hash {
    *EMPTY_ROOT
}

/// Reads the node at `hash`.
fn load(objects: &dyn Objects, hash: &Hash) -> Result<Node, TreeError> {
    if *hash == *EMPTY_ROOT {
        return Ok(Node::empty());
    }
    Node::parse(objects.get(hash)?).map_err(|error| TreeError::damaged(*hash, &error))
}

/// Reads child `index` of the inner node `parent` and checks it against what the parent says of it.
fn load_child(objects: &dyn Objects, parent: &Node, index: usize) -> Result<Node, TreeError> {
    let (hash, records) = parent.child(index);
    let node = load(objects, &hash)?;
    let wrong = |what: &str| Err(TreeError::damaged(hash, &what));
    if node.level() + 1 != parent.level() {
        return wrong("its level is not the one below its parent's");
    }
    if node.records() != records {
        return wrong("its parent counts other records");
    }
    let Some(last) = node.len().checked_sub(1) else {
        return wrong("it is empty");
    };
    if node.compare_keys(last, parent, index).is_ne() {
        return wrong("its last key is not the one its parent names");
    }
    if index > 0 && node.compare_keys(0, parent, index - 1).is_le() {
        return wrong("its keys begin before its place");
    }
    Ok(node)
}
