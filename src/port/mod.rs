//! Ports: what pure algorithms ask of the world, as traits, and in-memory stand-ins for tests.
//!
//! *Owns* [`Objects`] (content-addressed bytes), [`Clock`] and the placement of large values ([`blob`]).
//! *Leaves* files and networks to adapters (`store`, `remote`). *Invariant*: an object that [`Objects::get`]
//! returns hashes to the address asked for. *Fails* with [`ObjectError`].

pub mod blob;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Domain, Hash, TimeMs};

/// Why an object could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    /// No object has this address here.
    #[error("object {0} is missing")]
    Missing(Hash),
    /// The bytes found under this address are not what was stored.
    #[error("object {id} is damaged: {what}")]
    Damaged {
        /// The address.
        id: Hash,
        /// What is wrong with the bytes.
        what: String,
    },
    /// The medium failed.
    #[error("cannot {action} object")]
    Io {
        /// What was being done.
        action: &'static str,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
}

impl ObjectError {
    /// Makes the error for `id` whose bytes are wrong in the way `what` says.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers pass words or the error they just caught"
    )]
    pub fn damaged(id: Hash, what: impl ToString) -> Self {
        Self::Damaged {
            id,
            what: what.to_string(),
        }
    }
}

/// Content-addressed bytes. Writers buffer as they like; `put` needs no `&mut` so that readers may go on.
pub trait Objects {
    /// Returns the content under `id`.
    fn get(&self, id: &Hash) -> Result<Arc<[u8]>, ObjectError>;

    /// Stores `content` and returns its address, [`Hash::of`]`(domain, content)`.
    fn put(&self, domain: Domain, content: &[u8]) -> Result<Hash, ObjectError>;

    /// Returns whether an object is here, without reading it.
    fn contains(&self, id: &Hash) -> bool;
}

/// Objects in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    objects: Mutex<HashMap<Hash, Arc<[u8]>>>,
}

impl Objects for MemoryObjects {
    fn get(&self, id: &Hash) -> Result<Arc<[u8]>, ObjectError> {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.get(id).cloned().ok_or(ObjectError::Missing(*id))
    }

    fn put(&self, domain: Domain, content: &[u8]) -> Result<Hash, ObjectError> {
        let id = Hash::of(domain, content);
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.entry(id).or_insert_with(|| content.into());
        Ok(id)
    }

    fn contains(&self, id: &Hash) -> bool {
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(id)
    }
}

/// The time of day.
pub trait Clock {
    /// Returns the present time.
    fn now(&self) -> TimeMs;
}
