//! The local store `.dsync/`: objects in packs, the operation log, the lock, garbage collection.
//!
//! *Owns* `packs/`, `ops/`, `lock` and the folders `cache/` and `keys/`. *Leaves* the meaning of objects to `tree`,
//! `delta` and `merge`, what reaches what to the caller of [`Store::gc`], and `config.toml` to the commands.
//! *Invariants*: one commit point (the rename of `ops/head`): a stop at any instruction leaves the state before or after;
//! an operation is pointed to only when all objects put before it are durable; files are never changed, only added and
//! removed; readers need no lock; the cost of a command does not grow with the number of commands before it.
//! *Fails* with [`StoreError`] and, through the port, [`ObjectError`]. *Start reading* at [`Store::commit`].
//! Bytes and protocol are in `formats/SPEC.md`, section "Store".

mod cache;
mod error;
mod gc;
mod operation;
pub mod pack;
mod packs;
mod pending;
mod scratch;
mod verify;
mod view;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use error::StoreError;
pub use gc::{GcReport, Walk};
pub use operation::{OPERATION_VERSION, Operation, OperationError, OperationId, Operations};
pub use scratch::Scratch;
pub use verify::{DamagedObject, DeepCheck};
pub use view::{BaseView, CollectionView, Intent, Outbox, RemoteView, SourceView, Told, View};

use crate::disk::{Disk, FileLock, LockAttempt};
use crate::model::{Domain, Hash, TimeMs};
use crate::port::{ObjectError, Objects};
use error::object_error;
use operation::Log;
use pack::{MAX_OBJECT_BYTES, PackError};
use packs::{Packs, Vanished, pack_error};
use pending::{Found, Pending};

/// How long a waiter sleeps between two attempts to take the lock (chosen).
const LOCK_POLL: Duration = Duration::from_millis(20);

/// The store of one system.
///
/// A handle sees the operation that was newest when it was opened or reloaded. Whoever writes takes the lock,
/// reloads, puts objects, commits. Large amounts of new objects go to a temporary file before the commit, so whoever
/// puts without the lock may lose it to a collection and then fails with [`StoreError::Lost`].
pub struct Store {
    disk: Disk,
    root: PathBuf,
    log: Log,
    packs: Packs,
    pending: Mutex<Pending>,
    head: OperationId,
    view: View,
    objects_read: AtomicU64,
}

/// The right to write to a store, until it is dropped.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock {
    _file: FileLock,
}

/// Which of the operations of one command is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The first: a new entry of what a person did.
    First,
    /// One more of the command that committed the newest operation.
    Further,
}

impl Store {
    /// Makes a store in the folder `root` with a first operation, and opens it.
    ///
    /// What an interrupted attempt has left there is taken over. A folder that is made is for its owner alone.
    pub fn create(disk: &Disk, root: &Path, view: &View, time: TimeMs) -> Result<Self, StoreError> {
        if let Some(parent) = root.parent() {
            disk.create_dir_all(parent)?;
        }
        // The store may hold what the sources let only their owner read.
        disk.create_private_dir(root)?;
        let _lock = take_lock(disk, root, Duration::ZERO)?;
        let log = Log::new(disk, root.join("ops"));
        if log.newest()?.is_some() {
            return Err(StoreError::Exists { path: root.to_owned() });
        }
        for folder in ["packs", "ops", "cache"] {
            disk.create_dir_all(&root.join(folder))?;
        }
        disk.create_private_dir(&root.join("keys"))?;
        let first = Operation {
            parent: None,
            time,
            command: "init".to_owned(),
            continues: false,
            view: view.clone(),
        };
        let id = log.write(&first)?;
        log.set_head(id)?;
        Self::open(disk, root)
    }

    /// Opens the store in the folder `root` at its newest operation. Needs no lock.
    pub fn open(disk: &Disk, root: &Path) -> Result<Self, StoreError> {
        let log = Log::new(disk, root.join("ops"));
        let not_a_store = || StoreError::NotAStore { path: root.to_owned() };
        let (head, operation) = log.newest()?.ok_or_else(not_a_store)?;
        // After the pointer: an object of that operation is in a pack that is listed now, or in one merged from it.
        let packs = Packs::open(disk, root.join("packs"))?;
        Ok(Self {
            disk: disk.clone(),
            root: root.to_owned(),
            log,
            packs,
            pending: Mutex::default(),
            head,
            view: operation.view,
            objects_read: AtomicU64::new(0),
        })
    }

    /// Takes the lock, waiting for at most `wait`. Call [`Self::reload`] once it is held.
    pub fn lock(&self, wait: Duration) -> Result<Lock, StoreError> {
        take_lock(&self.disk, &self.root, wait)
    }

    /// Goes to the newest operation. Objects that were put and not committed stay.
    pub fn reload(&mut self) -> Result<(), StoreError> {
        let not_a_store = || StoreError::NotAStore {
            path: self.root.clone(),
        };
        let (head, operation) = self.log.newest()?.ok_or_else(not_a_store)?;
        self.follow_packs()?;
        self.head = head;
        self.view = operation.view;
        Ok(())
    }

    /// Looks which packs are there now. An object that was put and found in a pack must not have been dropped since.
    fn follow_packs(&self) -> Result<(), StoreError> {
        let any_gone = self.packs.refresh(Vanished::Close)?;
        let mut pending = self.pending();
        if any_gone && !pending.reused_are(|id| self.packs.contains(id)) {
            pending.set_lost();
        }
        Ok(())
    }

    /// Returns the folder of the store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the state at the present operation.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Returns the id of the present operation.
    pub fn operation_id(&self) -> OperationId {
        self.head
    }

    /// Makes the objects that were put and the new view durable, all or nothing, as the work of one command. Needs the
    /// lock.
    ///
    /// Without new objects and with an equal view nothing is written and the present id is returned. After an error the
    /// handle is as before, but new objects may be gone; then every commit fails with [`StoreError::Lost`] until
    /// [`Self::discard`]. [`StoreError::Moved`] when another handle has committed since this one was loaded.
    pub fn commit(&mut self, view: View, command: &str, time: TimeMs) -> Result<OperationId, StoreError> {
        self.commit_step(view, command, Step::First, time)
    }

    /// Does what [`Self::commit`] does, for a command that commits more than once.
    pub fn commit_step(
        &mut self,
        view: View,
        command: &str,
        step: Step,
        time: TimeMs,
    ) -> Result<OperationId, StoreError> {
        let lost = || StoreError::Lost {
            path: self.root.clone(),
        };
        if self.pending().is_lost() {
            return Err(lost());
        }
        let is_empty = self.pending().is_empty();
        if is_empty && view == self.view {
            return Ok(self.head);
        }
        if self.log.head()?.is_some_and(|head| head != self.head) {
            return Err(StoreError::Moved {
                path: self.root.clone(),
            });
        }
        self.follow_packs()?;
        if self.pending().is_lost() {
            return Err(lost());
        }
        if is_empty {
            // Objects this view needs may be in a pack whose writer died between the rename and making it durable.
            self.disk.sync_dir(self.packs.folder())?;
        } else {
            self.publish_pending()?;
        }
        let operation = Operation {
            parent: Some(self.head),
            time,
            command: command.to_owned(),
            continues: step == Step::Further,
            view,
        };
        let id = self.log.write(&operation)?;
        self.log.set_head(id)?;
        self.head = id;
        self.view = operation.view;
        self.pending().clear();
        // The commit has happened, whatever becomes of this: packs that could not be merged are merged next time.
        let _later = self.merge_small_packs();
        Ok(id)
    }

    fn publish_pending(&self) -> Result<(), StoreError> {
        let mut pending = self.pending();
        let folder = self.packs.folder();
        pending
            .spill(|| self.packs.start())
            .map_err(|error| pack_error(folder, error))?;
        let Some(writer) = pending.take_writer() else {
            return Ok(());
        };
        let published = self.packs.publish(writer);
        if published.is_err() {
            pending.set_lost();
        }
        published.map(|_| ())
    }

    /// Drops the objects that were put and not committed.
    pub fn discard(&self) {
        self.pending().discard(&self.disk);
    }

    /// Returns the committed operations, newest first, as far back as they are kept.
    pub fn operations(&self) -> Operations {
        Operations::new(self.log.clone(), self.head)
    }

    /// Returns the committed operation whose id starts with the hex digits `prefix`.
    pub fn operation(&self, prefix: &str) -> Result<(OperationId, Operation), StoreError> {
        let lower = prefix.to_ascii_lowercase();
        let mut candidates: BTreeSet<_> = self.log.all()?.into_iter().collect();
        candidates.retain(|id| id.to_string().starts_with(&lower));
        let mut found = Vec::new();
        // A file may be there that was never committed, so the log decides.
        let mut operations = self.operations();
        while !candidates.is_empty() {
            let Some(next) = operations.next() else {
                break;
            };
            let (id, operation) = next?;
            if candidates.remove(&id) {
                found.push((id, operation));
            }
        }
        let prefix = prefix.to_owned();
        if found.len() > 1 {
            let mut candidates: Vec<_> = found.into_iter().map(|(id, _)| id).collect();
            candidates.sort_unstable();
            return Err(StoreError::AmbiguousOperation { prefix, candidates });
        }
        found.pop().ok_or(StoreError::UnknownOperation { prefix })
    }

    /// Returns up to `limit` addresses of objects that start with the hex digits `prefix`, in order.
    pub fn find(&self, prefix: &str, limit: usize) -> Vec<Hash> {
        let prefix = prefix.to_ascii_lowercase();
        let Ok(start) = format!("{prefix:0<width$}", width = 2 * Hash::BYTES).parse::<Hash>() else {
            return Vec::new();
        };
        let mut found: BTreeSet<Hash> = self
            .pending()
            .ids()
            .filter(|id| id.to_string().starts_with(&prefix))
            .collect();
        self.packs.matching(&start, &prefix, limit, &mut found);
        found.into_iter().take(limit).collect()
    }

    /// Returns how many objects the packs hold; one that lies in two packs counts twice.
    pub fn object_count(&self) -> u64 {
        self.packs.all().iter().map(|pack| pack.object_count()).sum()
    }

    /// Returns how many packs there are.
    pub fn pack_count(&self) -> usize {
        self.packs.all().len()
    }

    /// Returns how many bytes the packs have on disk.
    pub fn stored_bytes(&self) -> u64 {
        self.packs.all().iter().map(|pack| pack.stored_bytes()).sum()
    }

    /// Returns how many objects were read through this handle.
    pub fn objects_read(&self) -> u64 {
        self.objects_read.load(Ordering::Relaxed)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a place for new objects over those of this store, of which nothing is kept.
    pub fn scratch(&self) -> Scratch<'_> {
        Scratch::new(self)
    }

    /// Returns an object that was put into `pending`, which spills beside the packs of this store.
    fn find_pending(&self, pending: &Mutex<Pending>, id: &Hash) -> Result<Option<Arc<[u8]>>, ObjectError> {
        let pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
        match pending.find(id) {
            None => Ok(None),
            Some(Found::Here(content)) => Ok(Some(content)),
            Some(Found::Spilled(number, entry)) => {
                let block = self.packs.cached((number, entry.block), || pending.block(entry.block));
                let block = block.map_err(|error| pack_object_error(*id, error))?;
                packs::checked(&entry, &block).map(Some)
            }
        }
    }

    /// Says why an object that no pack has is missing: perhaps it was in one that cannot be read.
    fn missing(&self, id: &Hash) -> ObjectError {
        match self.packs.damaged().first_key_value() {
            None => ObjectError::Missing(*id),
            Some((path, what)) => ObjectError::damaged(
                *id,
                format!("it may be in `{}`, which is damaged: {what}", path.display()),
            ),
        }
    }
}

impl Objects for Store {
    fn get(&self, id: &Hash) -> Result<Arc<[u8]>, ObjectError> {
        self.objects_read.fetch_add(1, Ordering::Relaxed);
        if let Some(content) = self.find_pending(&self.pending, id)? {
            return Ok(content);
        }
        if let Some(content) = self.packs.get(id)? {
            return Ok(content);
        }
        // Another process may have merged packs while we listed the folder and have hidden one from us.
        if self.packs.refresh(Vanished::Keep).is_ok()
            && let Some(content) = self.packs.get(id)?
        {
            return Ok(content);
        }
        Err(self.missing(id))
    }

    fn put(&self, domain: Domain, content: &[u8]) -> Result<Hash, ObjectError> {
        let id = Hash::of(domain, content);
        if content.len() > MAX_OBJECT_BYTES {
            return Err(ObjectError::damaged(id, "it is larger than any object may be"));
        }
        let is_stored = self.packs.contains(&id);
        let mut pending = self.pending();
        if is_stored {
            pending.reuse(id);
            return Ok(id);
        }
        pending.insert(id, domain, content);
        if pending.is_full() {
            pending
                .spill(|| self.packs.start())
                .map_err(|error| pack_object_error(id, error))?;
        }
        Ok(id)
    }

    fn contains(&self, id: &Hash) -> bool {
        self.pending().contains(id) || self.packs.contains(id)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.discard();
    }
}

fn pack_object_error(id: Hash, error: PackError) -> ObjectError {
    match error {
        PackError::Disk(error) => object_error("write", error),
        error => ObjectError::damaged(id, error),
    }
}

fn take_lock(disk: &Disk, root: &Path, wait: Duration) -> Result<Lock, StoreError> {
    let path = root.join("lock");
    let mut waited = Duration::ZERO;
    loop {
        match disk.try_lock(&path)? {
            LockAttempt::Taken(file) => return Ok(Lock { _file: file }),
            LockAttempt::Held(holder) if waited >= wait => return Err(StoreError::Busy { path, holder }),
            LockAttempt::Held(_) => {
                let pause = LOCK_POLL.min(wait.saturating_sub(waited));
                std::thread::sleep(pause);
                waited += pause;
            }
        }
    }
}

#[cfg(test)]
mod tests;
