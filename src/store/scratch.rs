//! New objects that nobody keeps, over those of a store: what a dry run makes.

use std::sync::{Arc, Mutex, PoisonError};

use super::pack::MAX_OBJECT_BYTES;
use super::pending::Pending;
use super::{Store, pack_object_error};
use crate::model::{Domain, Hash};
use crate::port::{ObjectError, Objects};

/// Objects over those of a store; dropping it forgets them.
///
/// Like those that are to be committed they stay in memory up to a limit. Above it they go to a file that has no name any
/// more, so that nothing is left of it however the process ends.
pub struct Scratch<'a> {
    store: &'a Store,
    pending: Mutex<Pending>,
}

impl<'a> Scratch<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self {
            store,
            pending: Mutex::default(),
        }
    }
}

impl Objects for Scratch<'_> {
    fn get(&self, id: &Hash) -> Result<Arc<[u8]>, ObjectError> {
        match self.store.find_pending(&self.pending, id)? {
            Some(content) => Ok(content),
            None => self.store.get(id),
        }
    }

    fn put(&self, domain: Domain, content: &[u8]) -> Result<Hash, ObjectError> {
        let id = Hash::of(domain, content);
        if content.len() > MAX_OBJECT_BYTES {
            return Err(ObjectError::damaged(id, "it is larger than any object may be"));
        }
        if self.store.contains(&id) {
            return Ok(id);
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.insert(id, domain, content);
        if pending.is_full() {
            let spilled = pending.spill(|| {
                let writer = self.store.packs.start()?;
                self.store.disk.remove(writer.path())?;
                Ok(writer)
            });
            // Where no file can be made, as in a store that is not ours to write to, memory has to do.
            if pending.is_spilled() {
                spilled.map_err(|error| pack_object_error(id, error))?;
            }
        }
        Ok(id)
    }

    fn contains(&self, id: &Hash) -> bool {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.contains(id) || self.store.contains(id)
    }
}
