//! A storage in memory, with the faults that real ones have.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::storage::{Storage, StorageError, StorageResult, StoredObject, check_name, cut_range};

/// A storage in memory, for tests and trials.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// Objects that a listing does not show yet.
    unlisted: BTreeSet<String>,
    list_late: bool,
    unreachable: bool,
    tear_next_put: Option<Tear>,
}

/// How the next upload goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    /// Half of the bytes are kept under the final name and the caller is told of a failure.
    Reported,
    /// Half of the bytes are kept under the final name and the caller is told that all is well.
    Silent,
}

impl MemoryStorage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> StorageResult<MutexGuard<'_, State>> {
        let state = self.state();
        if state.unreachable {
            return Err(StorageError::Unreachable {
                location: self.location(),
                source: None,
            });
        }
        Ok(state)
    }

    /// Makes the storage reachable or not.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.state().unreachable = unreachable;
    }

    /// Makes listings leave out what is put from now on, until [`Self::catch_up`].
    pub fn list_late(&self) {
        self.state().list_late = true;
    }

    /// Makes listings complete again.
    pub fn catch_up(&self) {
        let mut state = self.state();
        state.list_late = false;
        state.unlisted.clear();
    }

    /// Makes the next upload go wrong.
    pub fn tear_next_put(&self, tear: Tear) {
        self.state().tear_next_put = Some(tear);
    }

    /// Replaces the bytes of an object, as damage or an enemy would, or lets it vanish (`None`).
    pub fn tamper(&self, name: &str, bytes: Option<Vec<u8>>) {
        let mut state = self.state();
        match bytes {
            Some(bytes) => {
                state.objects.insert(name.to_owned(), bytes);
            }
            None => {
                state.objects.remove(name);
            }
        }
    }
}

impl Storage for MemoryStorage {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        let state = self.reach()?;
        let shown = |name: &&String| name.starts_with(prefix) && !state.unlisted.contains(*name);
        Ok(state
            .objects
            .keys()
            .filter(shown)
            .map(|name| StoredObject {
                name: name.clone(),
                length_bytes: state.objects.get(name).map_or(0, Vec::len) as u64,
            })
            .collect())
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        check_name(name)?;
        let state = self.reach()?;
        let bytes = state
            .objects
            .get(name)
            .ok_or_else(|| StorageError::NotFound { name: name.to_owned() })?;
        Ok(cut_range(bytes, range.as_ref()))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        check_name(name)?;
        let mut state = self.reach()?;
        if let Some(there) = state.objects.get(name) {
            return if there == bytes {
                Ok(())
            } else {
                Err(StorageError::Exists { name: name.to_owned() })
            };
        }
        if state.list_late {
            state.unlisted.insert(name.to_owned());
        }
        let tear = state.tear_next_put.take();
        let kept = if tear.is_some() { bytes.len() / 2 } else { bytes.len() };
        let kept = bytes.get(..kept).unwrap_or_default().to_vec();
        state.objects.insert(name.to_owned(), kept);
        if tear == Some(Tear::Reported) {
            return Err(StorageError::Failed {
                action: "write",
                name: name.to_owned(),
                temporary: true,
                source: std::sync::Arc::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
            });
        }
        Ok(())
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        check_name(name)?;
        self.reach()?.objects.remove(name);
        Ok(())
    }
}
