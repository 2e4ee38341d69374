//! New objects that are not committed: in memory, and above a limit in a pack that is being written.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::pack::{Entry, PackError, PackWriter};
use crate::disk::Disk;
use crate::model::{Domain, Hash};

/// How many bytes of new objects stay in memory (chosen: an ordinary command never touches the disk before commit).
const MEMORY_BYTES: usize = 8 << 20;
/// What an object is counted as beside its bytes.
const OBJECT_BYTES: usize = 128;

/// Where a new object is.
pub(super) enum Found {
    /// In memory.
    Here(Arc<[u8]>),
    /// In this block of the unfinished pack with this number.
    Spilled(u64, Entry),
}

/// The new objects of one handle.
#[derive(Default)]
pub(super) struct Pending {
    fresh: HashMap<Hash, (Domain, Arc<[u8]>)>,
    /// The keys of `fresh` in the order in which they came: what is written together is read together.
    order: Vec<Hash>,
    fresh_bytes: usize,
    spilled: Option<PackWriter>,
    /// Objects that were put and lie in packs already.
    reused: HashSet<Hash>,
    /// Whether objects were lost because a write failed: then nothing that was put may be relied on.
    is_lost: bool,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.spilled.is_none()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Records that a write has failed that objects depended on.
    pub(super) fn set_lost(&mut self) {
        self.is_lost = true;
    }

    /// Notes that an object was put that is in a pack already.
    pub(super) fn reuse(&mut self, id: Hash) {
        self.reused.insert(id);
    }

    /// Returns whether all objects that were put and were in packs then are `still_there`.
    pub(super) fn reused_are(&self, still_there: impl Fn(&Hash) -> bool) -> bool {
        self.reused.iter().all(still_there)
    }

    /// Forgets what was committed.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn contains(&self, id: &Hash) -> bool {
        self.fresh.contains_key(id) || self.spilled.as_ref().is_some_and(|writer| writer.find(id).is_some())
    }

    pub(super) fn find(&self, id: &Hash) -> Option<Found> {
        if let Some((_, content)) = self.fresh.get(id) {
            return Some(Found::Here(Arc::clone(content)));
        }
        let writer = self.spilled.as_ref()?;
        writer.find(id).map(|entry| Found::Spilled(writer.number(), entry))
    }

    /// Returns a decompressed block of the unfinished pack.
    pub(super) fn block(&self, block: u32) -> Result<Vec<u8>, PackError> {
        let writer = self.spilled.as_ref();
        writer.ok_or(PackError::Damaged("no block was written"))?.block(block)
    }

    pub(super) fn insert(&mut self, id: Hash, domain: Domain, content: &[u8]) {
        if !self.contains(&id) {
            self.fresh.insert(id, (domain, content.into()));
            self.order.push(id);
            self.fresh_bytes += content.len() + OBJECT_BYTES;
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.fresh_bytes > MEMORY_BYTES
    }

    /// Returns whether there is an unfinished pack.
    pub(super) fn is_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    /// Moves what is in memory into the unfinished pack, which `start` begins where there is none.
    ///
    /// After an error the pack has bytes that belong to nothing, so everything is lost.
    pub(super) fn spill(&mut self, start: impl FnOnce() -> Result<PackWriter, PackError>) -> Result<(), PackError> {
        let result = self.try_spill(start);
        self.is_lost |= result.is_err();
        result
    }

    fn try_spill(&mut self, start: impl FnOnce() -> Result<PackWriter, PackError>) -> Result<(), PackError> {
        let writer = match &mut self.spilled {
            Some(writer) => writer,
            none => none.insert(start()?),
        };
        for id in &self.order {
            if let Some((domain, content)) = self.fresh.get(id) {
                writer.add(*id, *domain, content)?;
            }
        }
        writer.flush()?;
        self.fresh.clear();
        self.order.clear();
        self.fresh_bytes = 0;
        Ok(())
    }

    /// Takes the unfinished pack out, so that it can be finished.
    pub(super) fn take_writer(&mut self) -> Option<PackWriter> {
        self.spilled.take()
    }

    /// Returns the file of the unfinished pack.
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.spilled.as_ref().map(|writer| writer.path().to_owned())
    }

    /// Forgets everything.
    pub(super) fn discard(&mut self, disk: &Disk) {
        if let Some(path) = self.path() {
            // What cannot be removed now is left to garbage collection.
            let _left = disk.remove(&path);
        }
        *self = Self::default();
    }

    /// Returns the ids of all new objects.
    pub(super) fn ids(&self) -> impl Iterator<Item = Hash> {
        let spilled = self.spilled.iter().flat_map(PackWriter::ids);
        self.order.iter().copied().chain(spilled)
    }
}
