//! Storages around storages: counting, refusing, pretending.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::memory::MemoryStorage;
use super::storage::{Storage, StorageError, StorageResult, StoredObject};

/// What went through a [`Counting`] storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Listings asked for.
    pub lists: u64,
    /// Reads asked for.
    pub gets: u64,
    /// Writes asked for.
    pub puts: u64,
    /// Deletions asked for.
    pub deletes: u64,
    /// Content bytes that came back, without names and protocol.
    pub received_bytes: u64,
    /// Content bytes that were handed over, without names and protocol.
    pub sent_bytes: u64,
}

impl Traffic {
    /// Returns the number of calls of any kind.
    pub fn requests(&self) -> u64 {
        self.lists + self.gets + self.puts + self.deletes
    }
}

/// Counts what goes through to another storage.
#[derive(Debug, Default)]
pub struct Counting<S> {
    inner: S,
    lists: AtomicU64,
    gets: AtomicU64,
    puts: AtomicU64,
    deletes: AtomicU64,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
}

impl<S: Storage> Counting<S> {
    /// Counts from zero.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            lists: AtomicU64::new(0),
            gets: AtomicU64::new(0),
            puts: AtomicU64::new(0),
            deletes: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
        }
    }

    /// Returns the counts so far.
    pub fn traffic(&self) -> Traffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            lists: read(&self.lists),
            gets: read(&self.gets),
            puts: read(&self.puts),
            deletes: read(&self.deletes),
            received_bytes: read(&self.received_bytes),
            sent_bytes: read(&self.sent_bytes),
        }
    }
}

fn add(counter: &AtomicU64, number: usize) {
    counter.fetch_add(number as u64, Ordering::Relaxed);
}

impl<S: Storage> Storage for Counting<S> {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        add(&self.lists, 1);
        self.inner.list(prefix)
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        add(&self.gets, 1);
        let bytes = self.inner.get(name, range)?;
        add(&self.received_bytes, bytes.len());
        Ok(bytes)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        add(&self.puts, 1);
        add(&self.sent_bytes, bytes.len());
        self.inner.put(name, bytes)
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        add(&self.deletes, 1);
        self.inner.delete(name)
    }
}

/// Refuses every write with [`StorageError::Denied`].
#[derive(Debug, Clone)]
pub struct ReadOnly<S> {
    inner: S,
}

impl<S: Storage> ReadOnly<S> {
    /// Makes `inner` read-only.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: Storage> Storage for ReadOnly<S> {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        self.inner.list(prefix)
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        self.inner.get(name, range)
    }

    fn put(&self, name: &str, _bytes: &[u8]) -> StorageResult<()> {
        Err(StorageError::Denied {
            name: name.to_owned(),
            source: None,
        })
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        self.put(name, &[])
    }
}

/// Keeps writes in memory, so that a dry run does everything but change the storage.
#[derive(Debug)]
pub struct DryRun<S> {
    inner: S,
    written: MemoryStorage,
    deleted: std::sync::Mutex<std::collections::BTreeSet<String>>,
}

impl<S: Storage> DryRun<S> {
    /// Lays an empty memory over `inner`.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            written: MemoryStorage::default(),
            deleted: std::sync::Mutex::default(),
        }
    }

    fn is_deleted(&self, name: &str) -> bool {
        let deleted = self.deleted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        deleted.contains(name)
    }
}

impl<S: Storage> Storage for DryRun<S> {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        let mut objects = self.inner.list(prefix)?;
        objects.retain(|object| !self.is_deleted(&object.name));
        objects.extend(self.written.list(prefix)?);
        objects.sort();
        Ok(objects)
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        match self.written.get(name, range.clone()) {
            Err(error) if error.is_not_found() && !self.is_deleted(name) => self.inner.get(name, range),
            result => result,
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        if !self.is_deleted(name) {
            match self.inner.get(name, None) {
                Ok(there) if there == bytes => return Ok(()),
                Ok(_) => return Err(StorageError::Exists { name: name.to_owned() }),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        self.written.put(name, bytes)
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        self.written.delete(name)?;
        let mut deleted = self.deleted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        deleted.insert(name.to_owned());
        Ok(())
    }
}
