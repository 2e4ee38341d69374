//! The folder `packs/`: which packs there are, and objects out of them.
//!
//! Every complete file with the name of a pack belongs to the store; no other list exists that could disagree.
//! Packs hold content under its address, so one that no operation needs yet (or any more) is harmless.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::StoreError;
use super::cache::BlockCache;
use super::error::object_error;
use super::pack::{Entry, PACK_VERSION, Pack, PackError, PackWriter};
use crate::disk::Disk;
use crate::model::{Domain, Hash};
use crate::port::ObjectError;

/// The end of a pack's name.
const PACK_ENDING: &str = ".pack";
/// The end of the names of unfinished files (the same that [`Disk::replace`] uses).
const TEMPORARY_ENDING: &str = ".dsync-tmp";
/// How often the folder is listed anew when a pack vanishes between listing and opening (chosen: each miss needs
/// another process to merge packs at that moment).
const LIST_ATTEMPTS: usize = 8;
/// Numbers that tell packs and temporary names of this process apart.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// The packs that are open, and those that cannot be.
#[derive(Default)]
struct Listing {
    /// In the reverse of the order in which they are asked.
    packs: Vec<Arc<Pack>>,
    damaged: BTreeMap<PathBuf, String>,
}

/// What becomes of open packs whose files are gone when the folder is listed anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Vanished {
    /// They are closed: the handle moves to the present state.
    Close,
    /// They stay open: the handle stays at its operation, whose objects may have been merged or dropped since.
    Keep,
}

/// The folder `packs/` of a store.
pub(super) struct Packs {
    disk: Disk,
    folder: PathBuf,
    listing: RwLock<Listing>,
    cache: Mutex<BlockCache>,
    /// Objects that were found damaged in every pack that has them.
    bad: Mutex<HashSet<Hash>>,
}

impl Packs {
    /// Opens all packs in `folder`.
    pub(super) fn open(disk: &Disk, folder: PathBuf) -> Result<Self, StoreError> {
        let packs = Self {
            disk: disk.clone(),
            folder,
            listing: RwLock::default(),
            cache: Mutex::default(),
            bad: Mutex::default(),
        };
        packs.refresh(Vanished::Close)?;
        Ok(packs)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn with<T>(&self, use_it: impl FnOnce(&Listing) -> T) -> T {
        use_it(&self.listing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the packs that can be read.
    pub(super) fn all(&self) -> Vec<Arc<Pack>> {
        self.with(|listing| listing.packs.clone())
    }

    /// Returns the packs that cannot be opened, and why.
    pub(super) fn damaged(&self) -> BTreeMap<PathBuf, String> {
        self.with(|listing| listing.damaged.clone())
    }

    /// Returns the path of the pack `name`.
    pub(super) fn path(&self, name: Hash) -> PathBuf {
        self.folder.join(format!("{name}{PACK_ENDING}"))
    }

    /// Lists the folder and opens what is new. Returns whether files of open packs were gone.
    pub(super) fn refresh(&self, vanished: Vanished) -> Result<bool, StoreError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.list() {
                Err(error) if error.is_not_found() && attempt < LIST_ATTEMPTS => {}
                Err(error) => return Err(error),
                Ok(mut new) => {
                    let mut listing = self.listing.write().unwrap_or_else(PoisonError::into_inner);
                    let names: BTreeSet<Hash> = new.packs.iter().map(|pack| pack.name()).collect();
                    let is_gone = |pack: &&Arc<Pack>| !names.contains(&pack.name());
                    let gone: Vec<_> = listing.packs.iter().filter(is_gone).cloned().collect();
                    let any_gone = !gone.is_empty();
                    if vanished == Vanished::Keep {
                        new.packs.splice(0..0, gone);
                    }
                    *listing = new;
                    return Ok(any_gone);
                }
            }
        }
    }

    fn list(&self) -> Result<Listing, StoreError> {
        let known: BTreeMap<Hash, Arc<Pack>> = self.all().into_iter().map(|pack| (pack.name(), pack)).collect();
        let mut listing = Listing::default();
        for (path, stat) in self.disk.list(&self.folder)? {
            let Some(name) = pack_name(&path) else {
                continue;
            };
            if let Some(pack) = known.get(&name) {
                listing.packs.push(Arc::clone(pack));
                continue;
            }
            match self.open_pack(&path, name) {
                Ok(pack) => listing.packs.push(Arc::new(pack)),
                Err(PackError::Newer { found }) => {
                    return Err(StoreError::NewerVersion {
                        path,
                        found,
                        supported: PACK_VERSION,
                    });
                }
                Err(PackError::Disk(error)) => return Err(error.into()),
                Err(PackError::Damaged(what)) => {
                    let what = format!("{what} ({} bytes)", stat.length_bytes);
                    listing.damaged.insert(path, what);
                }
            }
        }
        // The last is asked first, and the largest has most objects.
        listing.packs.sort_by_key(|pack| (pack.stored_bytes(), pack.name()));
        Ok(listing)
    }

    /// Opens a pack by its path, past those that are open.
    pub(super) fn open_pack(&self, path: &Path, name: Hash) -> Result<Pack, PackError> {
        let pack = Pack::open(Box::new(self.disk.open_random(path)?), next_number())?;
        if pack.name() == name {
            Ok(pack)
        } else {
            Err(PackError::Damaged("its bytes are not what its name says"))
        }
    }

    /// Begins a pack under a temporary name.
    pub(super) fn start(&self) -> Result<PackWriter, PackError> {
        loop {
            let number = next_number();
            let name = format!(".new-{}-{number}{TEMPORARY_ENDING}", std::process::id());
            match PackWriter::create(&self.disk, &self.folder.join(name), number) {
                // A leftover of a process that had our id.
                Err(PackError::Disk(error)) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                result => return result,
            }
        }
    }

    /// Finishes a pack, gives it its name durably, and opens it.
    pub(super) fn publish(&self, writer: PackWriter) -> Result<Arc<Pack>, StoreError> {
        let temporary = writer.path().to_owned();
        let result = writer
            .finish()
            .map_err(|error| pack_error(&temporary, error))
            .and_then(|name| {
                let path = self.path(name);
                self.disk.rename(&temporary, &path)?;
                let pack = self.open_pack(&path, name);
                pack.map_err(|error| pack_error(&path, error))
            });
        match result {
            Ok(pack) => {
                let pack = Arc::new(pack);
                // What was damaged may be in this one.
                self.bad().clear();
                let mut listing = self.listing.write().unwrap_or_else(PoisonError::into_inner);
                listing.packs.retain(|other| other.name() != pack.name());
                listing.packs.push(Arc::clone(&pack));
                Ok(pack)
            }
            Err(error) => {
                // What cannot be removed now is left to garbage collection.
                let _left = self.disk.remove(&temporary);
                Err(error)
            }
        }
    }

    /// Removes a pack whose objects are elsewhere or needed by nobody. Readers that have it open go on reading it.
    pub(super) fn remove(&self, name: Hash) -> Result<(), StoreError> {
        self.disk.remove(&self.path(name))?;
        let mut listing = self.listing.write().unwrap_or_else(PoisonError::into_inner);
        listing.packs.retain(|pack| pack.name() != name);
        Ok(())
    }

    /// Removes an unfinished file.
    pub(super) fn remove_temporary(&self, path: &Path) -> Result<(), StoreError> {
        Ok(self.disk.remove(path)?)
    }

    /// Returns whether a pack has an object. A damaged index counts as not having it, and so does an object that was
    /// found damaged: then it may be put again.
    pub(super) fn contains(&self, id: &Hash) -> bool {
        let has = |pack: &Arc<Pack>| matches!(pack.find(id), Ok(Some(_)));
        self.with(|listing| listing.packs.iter().rev().any(has)) && !self.bad().contains(id)
    }

    fn bad(&self) -> MutexGuard<'_, HashSet<Hash>> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an object is damaged in every pack that has it.
    fn distrust(&self, id: Hash) {
        self.bad().insert(id);
    }

    /// Reads an object and checks it; `Ok(None)` when no pack has it. A sound copy in another pack is taken where one
    /// is damaged.
    pub(super) fn get(&self, id: &Hash) -> Result<Option<Arc<[u8]>>, ObjectError> {
        let mut failure = None;
        for pack in self.all().iter().rev() {
            let result = pack.find(id).and_then(|entry| match entry {
                Some(entry) => self.block(pack, entry.block).map(|block| Some((entry, block))),
                None => Ok(None),
            });
            match result {
                Ok(Some((entry, block))) => match checked(&entry, &block) {
                    Ok(content) => return Ok(Some(content)),
                    Err(error) => failure = Some(error),
                },
                Ok(None) => {}
                Err(PackError::Disk(error)) => failure = Some(object_error("read", error)),
                Err(error) => failure = Some(ObjectError::damaged(*id, error)),
            }
        }
        if let Some(ObjectError::Damaged { .. }) = failure {
            self.distrust(*id);
        }
        failure.map_or(Ok(None), Err)
    }

    fn block(&self, pack: &Pack, block: u32) -> Result<Arc<Vec<u8>>, PackError> {
        self.cached((pack.number(), block), || pack.block(block))
    }

    /// Returns a block from the cache, or `read`s it into the cache.
    pub(super) fn cached(
        &self,
        place: (u64, u32),
        read: impl FnOnce() -> Result<Vec<u8>, PackError>,
    ) -> Result<Arc<Vec<u8>>, PackError> {
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = cache().get(place) {
            return Ok(block);
        }
        let block = Arc::new(read()?);
        cache().insert(place, &block);
        Ok(block)
    }

    /// Adds to `out` the ids that start with the hex digits `prefix`, from `start` on, until it has `limit`.
    pub(super) fn matching(&self, start: &Hash, prefix: &str, limit: usize, out: &mut BTreeSet<Hash>) {
        for pack in self.all() {
            let mut found = 0;
            // A damaged page hides its ids here; `verify` reports it.
            let _damaged = pack.scan(start, &mut |entry| {
                let fits = found < limit && entry.id.to_string().starts_with(prefix);
                if fits {
                    out.insert(entry.id);
                    found += 1;
                }
                fits
            });
        }
    }
}

/// Turns an error of the pack at `path` into the store's.
pub(super) fn pack_error(path: &Path, error: PackError) -> StoreError {
    match error {
        PackError::Newer { found } => StoreError::NewerVersion {
            path: path.to_owned(),
            found,
            supported: PACK_VERSION,
        },
        PackError::Damaged(what) => StoreError::damaged(path, what),
        PackError::Disk(error) => error.into(),
    }
}

/// Cuts an object out of its block and checks that it is what its address says.
pub(super) fn checked(entry: &Entry, block: &[u8]) -> Result<Arc<[u8]>, ObjectError> {
    let damaged = || ObjectError::damaged(entry.id, "its bytes are not what its address says");
    let content = entry.slice(block).ok_or_else(damaged)?;
    let domain = Domain::from_number(entry.domain).ok_or_else(damaged)?;
    if Hash::of(domain, content) == entry.id {
        Ok(content.into())
    } else {
        Err(damaged())
    }
}

/// Returns the unfinished files in a folder of the store.
pub(super) fn temporaries(disk: &Disk, folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let files = disk.list(folder)?;
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().and_then(std::ffi::OsStr::to_str);
        name.is_some_and(|name| name.starts_with('.') && name.ends_with(TEMPORARY_ENDING))
    };
    Ok(files.into_iter().map(|(path, _)| path).filter(is_ours).collect())
}

fn pack_name(path: &Path) -> Option<Hash> {
    path.file_name()?.to_str()?.strip_suffix(PACK_ENDING)?.parse().ok()
}

fn next_number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}
