//! Files: every byte that reaches a disk goes through [`Disk`].
//!
//! *Owns* durable replacement of files and the fault plan that tests use to stop a process at its n-th write.
//! *Leaves* what files mean to `store`, `source` and `remote`. *Invariant*: after a planned stop nothing more
//! is written, as after a power cut. *Fails* with [`DiskError`], which names the path.

mod handle;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use crate::model::TimeMs;
use crate::port::Clock;

pub use handle::{Appender, FileLock, LockAttempt, RandomFile};

/// A file operation failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {action} `{}`", path.display())]
pub struct DiskError {
    /// What was being done.
    pub action: &'static str,
    /// To which path.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: Arc<io::Error>,
}

impl DiskError {
    /// Makes an error for `action` on `path`.
    pub fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    /// Returns the kind of the underlying error.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// Returns whether the path does not exist.
    pub fn is_not_found(&self) -> bool {
        self.kind() == io::ErrorKind::NotFound
    }
}

/// The result of a file operation.
pub type DiskResult<T> = Result<T, DiskError>;

/// What tells that a file is still the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stat {
    /// Length in bytes.
    pub length_bytes: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified_ns: i128,
    /// Change time of the inode in nanoseconds since 1970.
    pub changed_ns: i128,
    /// Inode number.
    pub inode: u64,
    /// Device number.
    pub device: u64,
}

/// How much of a file is read at once (chosen).
const PIECE_BYTES: usize = 256 * 1024;

/// How much room is made for a file before it is read, at most: its length may be a lie.
const MAX_RESERVED_BYTES: usize = 1 << 30;

/// Reads once, however often a signal comes.
fn read_some(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// How many more writes happen before everything stops, for tests.
#[derive(Debug, Default)]
pub struct FaultPlan {
    remaining: AtomicI64,
    done: AtomicI64,
    paths: Mutex<Vec<PathBuf>>,
}

impl FaultPlan {
    /// Plans a stop before write number `n` (from 0).
    pub fn stop_before(n: u32) -> Arc<Self> {
        Arc::new(Self {
            remaining: AtomicI64::new(i64::from(n)),
            ..Self::default()
        })
    }

    /// Plans no stop, only counts.
    pub fn count() -> Arc<Self> {
        Arc::new(Self {
            remaining: AtomicI64::new(i64::MAX),
            ..Self::default()
        })
    }

    /// Returns how many writes were done.
    pub fn writes(&self) -> i64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Returns the paths that were written, in order, once for each write.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn step(&self, path: &Path) -> io::Result<()> {
        if self.remaining.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.remaining.store(0, Ordering::SeqCst);
            return Err(io::Error::other("planned stop"));
        }
        self.done.fetch_add(1, Ordering::SeqCst);
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.push(path.to_owned());
        Ok(())
    }
}

/// Called with a path after a file was put in its place; for tests of places that other programs write to.
#[derive(Clone)]
struct Filter(Arc<dyn Fn(&Path) + Send + Sync>);

impl std::fmt::Debug for Filter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Filter")
    }
}

/// Access to files. Cloning is cheap; clones share the fault plan.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    faults: Option<Arc<FaultPlan>>,
    filter: Option<Filter>,
}

impl Disk {
    /// Returns access that stops as `plan` says.
    pub fn with_faults(plan: Arc<FaultPlan>) -> Self {
        Self {
            faults: Some(plan),
            filter: None,
        }
    }

    /// Returns access on which `filter` is called, for tests, after each file that was put in its place: it stands
    /// for a program that rewrites what it finds.
    pub fn with_filter(filter: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        Self {
            faults: None,
            filter: Some(Filter(Arc::new(filter))),
        }
    }

    fn placed(&self, path: &Path) {
        if let Some(Filter(filter)) = &self.filter {
            filter(path);
        }
    }

    fn step(&self, action: &'static str, path: &Path) -> DiskResult<()> {
        match &self.faults {
            Some(plan) => plan.step(path).map_err(|error| DiskError::new(action, path, error)),
            None => Ok(()),
        }
    }

    /// Reads a whole file.
    pub fn read(&self, path: &Path) -> DiskResult<Vec<u8>> {
        self.read_with_stat(path).map(|(bytes, _)| bytes)
    }

    /// Reads a whole file, and what it was when it was opened.
    pub fn read_with_stat(&self, path: &Path) -> DiskResult<(Vec<u8>, Stat)> {
        let wrap = |error| DiskError::new("read", path, error);
        let mut file = File::open(path).map_err(wrap)?;
        let metadata = file.metadata().map_err(wrap)?;
        // One byte more than there should be: a read that leaves it free has met the end, so small files take one call.
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX - 1);
        let mut bytes = vec![0; length.saturating_add(1).min(PIECE_BYTES)];
        let read = read_some(&mut file, &mut bytes).map_err(wrap)?;
        // Files of the kernel are longer than the nothing they claim to be.
        let is_whole = read > 0 && read == length && read < bytes.len();
        bytes.truncate(read);
        if !is_whole {
            bytes.reserve_exact(length.saturating_sub(read).min(MAX_RESERVED_BYTES));
            file.read_to_end(&mut bytes).map_err(wrap)?;
        }
        Ok((bytes, stat_of(&metadata)))
    }

    /// Returns whether a file has exactly these bytes.
    pub fn has_bytes(&self, path: &Path, bytes: &[u8]) -> DiskResult<bool> {
        let wrap = |error| DiskError::new("read", path, error);
        let mut file = File::open(path).map_err(wrap)?;
        let mut piece = vec![0; bytes.len().saturating_add(1).min(PIECE_BYTES)];
        let mut rest = bytes;
        loop {
            let read = read_some(&mut file, &mut piece).map_err(wrap)?;
            let piece = piece.get(..read).unwrap_or_default();
            if !rest.starts_with(piece) {
                return Ok(false);
            }
            rest = rest.get(read..).unwrap_or_default();
            // A regular file gives less than was asked for at its end alone.
            if read == 0 || rest.is_empty() && read == bytes.len() {
                return Ok(rest.is_empty());
            }
        }
    }

    /// Reads a part of a file; shorter at its end.
    pub fn read_range(&self, path: &Path, offset: u64, length_bytes: u64) -> DiskResult<Vec<u8>> {
        use std::os::unix::fs::FileExt;
        let wrap = |error| DiskError::new("read", path, error);
        let file = File::open(path).map_err(wrap)?;
        let end = file.metadata().map_err(wrap)?.len();
        let length = length_bytes.min(end.saturating_sub(offset));
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut bytes, offset).map_err(wrap)?;
        Ok(bytes)
    }

    /// Calls `each` with the pieces of a file in order until it returns false.
    pub fn read_pieces(&self, path: &Path, each: &mut dyn FnMut(&[u8]) -> bool) -> DiskResult<()> {
        let wrap = |error| DiskError::new("read", path, error);
        let mut file = File::open(path).map_err(wrap)?;
        let length = file.metadata().map_err(wrap)?.len();
        let size = usize::try_from(length).unwrap_or(PIECE_BYTES).clamp(512, PIECE_BYTES);
        let mut piece = vec![0; size];
        loop {
            let read = match file.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result.map_err(wrap)?,
            };
            if read == 0 || !each(piece.get(..read).unwrap_or_default()) {
                return Ok(());
            }
        }
    }

    /// Opens a file for reading piece by piece.
    pub fn open(&self, path: &Path) -> DiskResult<impl Read + use<>> {
        File::open(path).map_err(|error| DiskError::new("open", path, error))
    }

    /// Returns what identifies the state of a file; `None` when it does not exist.
    pub fn stat(&self, path: &Path) -> DiskResult<Option<Stat>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(stat_of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DiskError::new("look at", path, error)),
        }
    }

    /// Returns whether a path exists and is a folder.
    pub fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    /// Lists the names of the plain files directly in a folder, in order.
    pub fn names(&self, path: &Path) -> DiskResult<Vec<std::ffi::OsString>> {
        let wrap = |error| DiskError::new("list", path, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(wrap)? {
            let entry = entry.map_err(wrap)?;
            if entry.file_type().map_err(wrap)?.is_file() {
                names.push(entry.file_name());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Lists the plain files directly in a folder with their states, in order of name.
    pub fn list(&self, path: &Path) -> DiskResult<Vec<(PathBuf, Stat)>> {
        let wrap = |error| DiskError::new("list", path, error);
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(wrap)? {
            let entry = entry.map_err(wrap)?;
            if entry.file_type().map_err(wrap)?.is_file() {
                let metadata = match entry.metadata() {
                    Ok(metadata) => metadata,
                    // A file may vanish between listing and looking.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(wrap(error)),
                };
                files.push((entry.file_name(), stat_of(&metadata)));
            }
        }
        files.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        Ok(files.into_iter().map(|(name, stat)| (path.join(name), stat)).collect())
    }

    /// Makes a folder and its parents, durably.
    pub fn create_dir_all(&self, path: &Path) -> DiskResult<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.step("create folder", path)?;
        fs::create_dir_all(path).map_err(|error| DiskError::new("create folder", path, error))?;
        path.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    /// Makes one folder in an existing one, durably; an existing folder is no error.
    pub fn create_dir(&self, path: &Path) -> DiskResult<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.step("create folder", path)?;
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(DiskError::new("create folder", path, error)),
            Ok(()) => path.parent().map_or(Ok(()), |parent| self.sync_dir(parent)),
        }
    }

    /// Lists the folders directly in a folder, in order of name; links are not followed.
    pub fn folders(&self, path: &Path) -> DiskResult<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for entry in walkdir::WalkDir::new(path)
            .min_depth(1)
            .max_depth(1)
            .sort_by_file_name()
        {
            let entry = entry.map_err(|error| DiskError::new("list", path, error.into()))?;
            if entry.file_type().is_dir() {
                folders.push(entry.into_path());
            }
        }
        Ok(folders)
    }

    /// Writes a new file and its bytes durably; an existing file is an error.
    ///
    /// A stop may leave the file with part of the bytes: use it for names that nobody reads yet.
    pub fn create_new(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        self.create_with(path, bytes, 0o666)
    }

    /// Writes a new file that is not durable before [`Self::sync_written`]; an existing file is an error.
    pub fn create_unsynced(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        let mut file = self.begin_file(path, bytes, 0o666)?;
        file.write_all(bytes)
            .map_err(|error| DiskError::new("write", path, error))
    }

    /// Makes `files`, which all lie in `folder`, durable: the file system as a whole where it can do that, since a sync
    /// of each of thousands of files takes longer by two orders of magnitude.
    pub fn sync_written<'p>(&self, folder: &Path, files: impl Iterator<Item = &'p Path>) -> DiskResult<()> {
        self.step("sync", folder)?;
        let opened = File::open(folder).map_err(|error| DiskError::new("sync", folder, error))?;
        if sync_file_system(&opened).map_err(|error| DiskError::new("sync", folder, error))? {
            return Ok(());
        }
        for path in files {
            File::open(path)
                .and_then(|file| file.sync_all())
                .map_err(|error| DiskError::new("sync", path, error))?;
        }
        Ok(())
    }

    /// Writes a new file that only its owner may read.
    pub fn create_private(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        self.create_with(path, bytes, 0o600)
    }

    fn create_with(&self, path: &Path, bytes: &[u8], mode: u32) -> DiskResult<()> {
        let mut file = self.begin_file(path, bytes, mode)?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| DiskError::new("write", path, error))
    }

    /// Makes a new file; a planned stop may leave it with the first half of `bytes`.
    fn begin_file(&self, path: &Path, bytes: &[u8], mode: u32) -> DiskResult<File> {
        use std::os::unix::fs::OpenOptionsExt;
        let wrap = |error| DiskError::new("write", path, error);
        let stop = self.step("write", path);
        let even = self.faults.as_ref().is_some_and(|plan| plan.writes() % 2 == 0);
        if let (Err(stop), true) = (&stop, even) {
            return Err(stop.clone());
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .map_err(wrap)?;
        if let Err(stop) = stop {
            // Every second planned stop tears the write, as a real one may.
            file.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default())
                .map_err(wrap)?;
            return Err(stop);
        }
        Ok(file)
    }

    /// Renames a file over another name, durably.
    pub fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.step("rename", to)?;
        fs::rename(from, to).map_err(|error| DiskError::new("rename to", to, error))?;
        self.placed(to);
        to.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    /// Renames a file to a name that must not exist yet, durably; returns `false`, and changes nothing, if it does.
    ///
    /// Where the file system cannot refuse to replace, a hard link does it; where that is missing too, a look before
    /// the rename.
    pub fn rename_new(&self, from: &Path, to: &Path) -> DiskResult<bool> {
        if !self.rename_new_unsynced(from, to)? {
            return Ok(false);
        }
        to.parent().map_or(Ok(()), |parent| self.sync_dir(parent))?;
        Ok(true)
    }

    /// Renames like [`Self::rename_new`]; the new name is not durable before [`Self::sync_dir`].
    pub fn rename_new_unsynced(&self, from: &Path, to: &Path) -> DiskResult<bool> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        self.step("rename", to)?;
        let wrap = |error| DiskError::new("rename to", to, error);
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(false),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match fs::hard_link(from, to) {
                Ok(()) => fs::remove_file(from).map_err(wrap)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
                Err(_) if to.symlink_metadata().is_ok() => return Ok(false),
                Err(_) => fs::rename(from, to).map_err(wrap)?,
            },
            Err(error) => return Err(wrap(error.into())),
        }
        self.placed(to);
        Ok(true)
    }

    /// Exchanges two existing files in one step; falls back to [`Self::rename`] where the file system cannot.
    ///
    /// Returns whether the files were exchanged, so that `from` now holds what was displaced.
    pub fn exchange(&self, from: &Path, to: &Path) -> DiskResult<bool> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        self.step("replace", to)?;
        let exchanged = match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
            Ok(()) => true,
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
                fs::rename(from, to).map_err(|error| DiskError::new("replace", to, error))?;
                false
            }
            Err(error) => return Err(DiskError::new("replace", to, error.into())),
        };
        self.placed(to);
        to.parent().map_or(Ok(()), |parent| self.sync_dir(parent))?;
        Ok(exchanged)
    }

    /// Gives `path` the permissions and, where allowed, the owner of `like`.
    pub fn copy_mode(&self, like: &Path, path: &Path) -> DiskResult<()> {
        use std::os::unix::fs::MetadataExt;
        let Ok(metadata) = fs::metadata(like) else {
            return Ok(());
        };
        fs::set_permissions(path, metadata.permissions())
            .map_err(|error| DiskError::new("set mode of", path, error))?;
        // Only root may give files away; a refusal leaves the file with its writer, as any editor does.
        let _refused = std::os::unix::fs::chown(path, Some(metadata.uid()), Some(metadata.gid()));
        Ok(())
    }

    /// Writes a file so that a reader sees the old or the new bytes: temporary name, fsync, rename, fsync.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> DiskResult<()> {
        let temporary = temporary_name(path);
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DiskError::new("remove", &temporary, error));
            }
            _ => {}
        }
        self.create_new(&temporary, bytes)?;
        self.copy_mode(path, &temporary)?;
        self.rename(&temporary, path)
    }

    /// Removes a file, durably; a missing file is no error.
    pub fn remove(&self, path: &Path) -> DiskResult<()> {
        self.step("remove", path)?;
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(DiskError::new("remove", path, error)),
            Ok(()) => path.parent().map_or(Ok(()), |parent| self.sync_dir(parent)),
        }
    }

    /// Makes the names in a folder durable.
    pub fn sync_dir(&self, path: &Path) -> DiskResult<()> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        match File::open(path).and_then(|folder| folder.sync_all()) {
            // Some network file systems cannot sync a folder; their rename is as durable as they make it.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result.map_err(|error| DiskError::new("sync", path, error)),
        }
    }
}

/// Syncs the file system of an open file; returns false where that would not reach the medium for sure.
#[cfg(target_os = "linux")]
fn sync_file_system(file: &File) -> io::Result<bool> {
    // ext2-4, XFS, btrfs, F2FS, ZFS, tmpfs: others (FUSE, network) may do nothing.
    const KNOWN: [u32; 6] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x2FC1_2FC1, 0x0102_1994];
    let kind = rustix::fs::fstatfs(file)?.f_type;
    if !u32::try_from(kind & 0xFFFF_FFFF).is_ok_and(|kind| KNOWN.contains(&kind)) {
        return Ok(false);
    }
    rustix::fs::syncfs(file)?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_file: &File) -> io::Result<bool> {
    Ok(false)
}

/// Returns the name under which new bytes for `path` are written first, in the same folder.
pub fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let mut temporary = std::ffi::OsString::with_capacity(name.len() + 11);
    temporary.push(".");
    temporary.push(name);
    temporary.push(".dsync-tmp");
    path.with_file_name(temporary)
}

fn stat_of(metadata: &fs::Metadata) -> Stat {
    use std::os::unix::fs::MetadataExt;
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Stat {
        length_bytes: metadata.len(),
        modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
        device: metadata.dev(),
    }
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the clock port")]
    fn now(&self) -> TimeMs {
        let since = std::time::SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        TimeMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
