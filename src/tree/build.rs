//! The builder: entries in, nodes out, one level on top of the other.

use super::node::{Entries, KEY_MAX_BYTES, VALUE_MAX_BYTES, child_value};
use super::split::Splitter;
use super::{TreeError, empty_root};
use crate::model::{Domain, Hash};
use crate::port::Objects;

/// Builds the tree of `entries`, which come in strictly ascending order of their keys, and returns its root.
///
/// Memory holds one open node per level. Errors of the entries end the build and are returned as they are; nodes
/// written before are then garbage.
pub fn build<E: From<TreeError>>(
    objects: &dyn Objects,
    entries: impl IntoIterator<Item = Result<(Vec<u8>, Vec<u8>), E>>,
) -> Result<Hash, E> {
    let mut builder = Builder::new(objects);
    for entry in entries {
        let (key, value) = entry?;
        builder.push_entry(&key, &value)?;
    }
    Ok(builder.finish()?.hash)
}

/// Builds a tree from entries that are pushed, as [`build`] does from those it pulls.
pub struct TreeWriter<'a> {
    builder: Builder<'a>,
}

impl<'a> TreeWriter<'a> {
    /// Begins an empty tree.
    pub fn new(objects: &'a dyn Objects) -> Self {
        Self {
            builder: Builder::new(objects),
        }
    }

    /// Adds an entry whose key is greater than all before.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), TreeError> {
        self.builder.push_entry(key, value)
    }

    /// Writes what is left and returns the root.
    pub fn finish(self) -> Result<Hash, TreeError> {
        Ok(self.builder.finish()?.hash)
    }
}

/// Makes nodes out of entries, and out of whole subtrees where these stand in step.
pub(super) struct Builder<'a> {
    objects: &'a dyn Objects,
    levels: Vec<Level>,
    /// Bytes of the node being written, kept to save the allocation.
    encoded: Vec<u8>,
}

/// The open node of one level.
struct Level {
    entries: Entries,
    splitter: Splitter,
    /// The last key of the last node of this level that was ended here, if any was.
    ended: Option<Vec<u8>>,
}

/// What a builder made.
pub(super) struct Root {
    /// The address.
    pub(super) hash: Hash,
    /// Whether the root was pushed as a whole subtree; it may then be an inner node with one child.
    pub(super) is_reused: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(objects: &'a dyn Objects) -> Self {
        Self {
            objects,
            levels: Vec::new(),
            encoded: Vec::new(),
        }
    }

    /// Adds an entry whose key is greater than all before.
    pub(super) fn push_entry(&mut self, key: &[u8], value: &[u8]) -> Result<(), TreeError> {
        if key.len() > KEY_MAX_BYTES {
            return Err(TreeError::KeyTooLong { length: key.len() });
        }
        if value.len() > VALUE_MAX_BYTES {
            return Err(TreeError::ValueTooLong { length: value.len() });
        }
        self.push(0, key, value)
    }

    /// Returns whether no node below `level` is open, so that a subtree may be pushed there as it is.
    pub(super) fn is_in_step(&self, level: u8) -> bool {
        self.levels
            .iter()
            .take(usize::from(level))
            .all(|below| below.entries.len() == 0)
    }

    /// Adds an entry at `level`: of an inner level the last key of a node and the bytes that stand for it.
    ///
    /// The caller has asked [`Self::is_in_step`], and the node pushed ends by the rule of the splitter or is the last
    /// of its level.
    pub(super) fn push(&mut self, level: u8, key: &[u8], value: &[u8]) -> Result<(), TreeError> {
        for missing in (0..=level).skip(self.levels.len()) {
            self.levels.push(Level {
                entries: Entries::default(),
                splitter: Splitter::new(missing),
                ended: None,
            });
        }
        let Some(open) = self.levels.get_mut(usize::from(level)) else {
            return Ok(());
        };
        // In the order of a build this is its input; in a damaged tree the bounds that parents name may hide it.
        let before = if open.entries.len() > 0 {
            Some(open.entries.last_key())
        } else {
            open.ended.as_deref()
        };
        if before.is_some_and(|before| before >= key) {
            return Err(TreeError::Unsorted { key: key.to_vec() });
        }
        open.entries.push(key, value);
        if open.splitter.ends_with(key, value.len()) {
            self.end_node(level)?;
        }
        Ok(())
    }

    /// Writes the open node of `level` and pushes it one level up.
    fn end_node(&mut self, level: u8) -> Result<(), TreeError> {
        let Some(open) = self.levels.get_mut(usize::from(level)) else {
            return Ok(());
        };
        open.entries.encode(level, &mut self.encoded);
        let domain = if level == 0 { Domain::Leaf } else { Domain::Inner };
        let hash = self.objects.put(domain, &self.encoded)?;
        let value = child_value(&hash, open.entries.records(level));
        let key = open.entries.last_key().to_vec();
        open.entries.clear();
        open.ended = Some(key.clone());
        self.push(level + 1, &key, &value)
    }

    /// Ends the open nodes and returns the root.
    pub(super) fn finish(mut self) -> Result<Root, TreeError> {
        let mut level = 0;
        // Ending a node may open a level, hence no iterator.
        while let Some(open) = self.levels.get(usize::from(level)) {
            let is_top = usize::from(level) + 1 == self.levels.len();
            if is_top && level > 0 && open.ended.is_none() && open.entries.len() == 1 {
                let is_reused = self
                    .levels
                    .get(usize::from(level) - 1)
                    .is_none_or(|below| below.ended.is_none());
                let hash = open.entries.first_value().first_chunk().copied().unwrap_or_default();
                return Ok(Root {
                    hash: Hash::from_bytes(hash),
                    is_reused,
                });
            }
            if open.entries.len() > 0 {
                self.end_node(level)?;
            }
            level += 1;
        }
        Ok(Root {
            hash: empty_root(),
            is_reused: false,
        })
    }
}
