//! Open files: reading at any place, appending piece by piece, and the lock of a folder.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Disk, DiskError, DiskResult, temporary_name};

/// An open file that is read at any place. It stays readable after its name was removed.
#[derive(Debug)]
pub struct RandomFile {
    file: File,
    path: PathBuf,
    length_bytes: u64,
}

impl RandomFile {
    /// Returns the length when the file was opened.
    pub fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// Returns the path it was opened under.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads exactly `length_bytes` from `offset`; a shorter file is an error.
    pub fn read_at(&self, offset: u64, length_bytes: usize) -> DiskResult<Vec<u8>> {
        read_exactly(&self.file, &self.path, offset, length_bytes)
    }
}

/// A new file that grows at its end and is not durable before [`Self::finish`].
#[derive(Debug)]
pub struct Appender {
    disk: Disk,
    file: File,
    path: PathBuf,
    length_bytes: u64,
}

impl Appender {
    /// Returns how many bytes were written.
    pub fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes at the end.
    pub fn append(&mut self, bytes: &[u8]) -> DiskResult<()> {
        let wrap = |error| DiskError::new("write", &self.path, error);
        if let Err(stop) = self.disk.step("write", &self.path) {
            // Every second planned stop tears the write, as a real one may.
            if self.disk.faults.as_ref().is_some_and(|plan| plan.writes() % 2 == 1) {
                self.file
                    .write_all(bytes.get(..bytes.len() / 2).unwrap_or_default())
                    .map_err(wrap)?;
            }
            return Err(stop);
        }
        self.file.write_all(bytes).map_err(wrap)?;
        self.length_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Reads back exactly `length_bytes` from `offset`.
    pub fn read_at(&self, offset: u64, length_bytes: usize) -> DiskResult<Vec<u8>> {
        read_exactly(&self.file, &self.path, offset, length_bytes)
    }

    /// Makes the bytes durable under the present name.
    pub fn finish(&mut self) -> DiskResult<()> {
        self.disk.step("sync", &self.path)?;
        self.file
            .sync_all()
            .map_err(|error| DiskError::new("sync", &self.path, error))
    }
}

fn read_exactly(file: &File, path: &Path, offset: u64, length_bytes: usize) -> DiskResult<Vec<u8>> {
    let mut bytes = vec![0; length_bytes];
    file.read_exact_at(&mut bytes, offset)
        .map_err(|error| DiskError::new("read", path, error))?;
    Ok(bytes)
}

/// A lock file that this process holds until the value is dropped or the process ends.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

/// The outcome of [`Disk::try_lock`].
#[derive(Debug)]
pub enum LockAttempt {
    /// The lock is ours.
    Taken(FileLock),
    /// Somebody else has it; their process id where they have written it.
    Held(Option<u32>),
}

impl Disk {
    /// Opens a file for reading at any place.
    pub fn open_random(&self, path: &Path) -> DiskResult<RandomFile> {
        let wrap = |error| DiskError::new("open", path, error);
        let file = File::open(path).map_err(wrap)?;
        let length_bytes = file.metadata().map_err(wrap)?.len();
        Ok(RandomFile {
            file,
            path: path.to_owned(),
            length_bytes,
        })
    }

    /// Does what [`Self::replace`] does with bytes that come in pieces: `feed` calls what it is given with each.
    ///
    /// Where `feed` fails, what is there stays.
    pub fn replace_by_pieces<E: From<DiskError>>(
        &self,
        path: &Path,
        feed: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), E>,
    ) -> Result<(), E> {
        /// How many bytes are written at once (chosen: few calls for small pieces).
        const WRITE_BYTES: usize = 1 << 20;
        let temporary = temporary_name(path);
        if self.stat(&temporary)?.is_some() {
            self.remove(&temporary)?;
        }
        let mut file = self.append_new(&temporary)?;
        let mut waiting = Vec::with_capacity(WRITE_BYTES);
        let mut written = Ok(());
        let fed = feed(&mut |piece| {
            waiting.extend_from_slice(piece);
            if waiting.len() >= WRITE_BYTES && written.is_ok() {
                written = file.append(&waiting);
                waiting.clear();
            }
        });
        let written = written
            .and_then(|()| file.append(&waiting))
            .and_then(|()| file.finish());
        if let Err(error) = fed.and_then(|()| written.map_err(E::from)) {
            // What cannot be removed now is replaced by the next attempt.
            let _left = self.remove(&temporary);
            return Err(error);
        }
        self.copy_mode(path, &temporary)?;
        Ok(self.rename(&temporary, path)?)
    }

    /// Creates a file that is written piece by piece; an existing file is an error.
    pub fn append_new(&self, path: &Path) -> DiskResult<Appender> {
        self.step("create", path)?;
        let file = fs::OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .open(path)
            .map_err(|error| DiskError::new("create", path, error))?;
        Ok(Appender {
            disk: self.clone(),
            file,
            path: path.to_owned(),
            length_bytes: 0,
        })
    }

    /// Makes a folder that only its owner may enter; an existing one is left as it is.
    pub fn create_private_dir(&self, path: &Path) -> DiskResult<()> {
        use std::os::unix::fs::DirBuilderExt;
        if path.is_dir() {
            return Ok(());
        }
        self.step("create folder", path)?;
        fs::DirBuilder::new()
            .mode(0o700)
            .create(path)
            .map_err(|error| DiskError::new("create folder", path, error))?;
        path.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    /// Takes the lock file at `path`, which is made when missing, without waiting.
    pub fn try_lock(&self, path: &Path) -> DiskResult<LockAttempt> {
        let wrap = |error| DiskError::new("lock", path, error);
        self.step("lock", path)?;
        let mut file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o666)
            .open(path)
            .map_err(wrap)?;
        match file.try_lock() {
            Ok(()) => {
                // For the message of whoever finds it held; the lock itself is the kernel's.
                file.set_len(0).map_err(wrap)?;
                file.rewind().map_err(wrap)?;
                writeln!(file, "{}", std::process::id()).map_err(wrap)?;
                Ok(LockAttempt::Taken(FileLock { _file: file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = Read::take(&mut file, 32).read_to_string(&mut text);
                Ok(LockAttempt::Held(read.ok().and_then(|_| text.trim().parse().ok())))
            }
            Err(TryLockError::Error(error)) => Err(wrap(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FaultPlan;

    #[test]
    fn appended_bytes_are_read_back_and_survive_removal_of_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::default();
        let path = folder.path().join("file");
        let mut out = disk.append_new(&path).unwrap();
        out.append(b"abc").unwrap();
        out.append(b"def").unwrap();
        assert_eq!((out.length_bytes(), out.read_at(2, 3).unwrap()), (6, b"cde".to_vec()));
        out.finish().unwrap();
        assert!(disk.append_new(&path).is_err());
        let file = disk.open_random(&path).unwrap();
        disk.remove(&path).unwrap();
        assert_eq!(file.read_at(3, 3).unwrap(), b"def");
        assert!(file.read_at(4, 3).is_err());
    }

    #[test]
    fn a_planned_stop_stops_appending() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::with_faults(FaultPlan::stop_before(2));
        let path = folder.path().join("file");
        let mut out = disk.append_new(&path).unwrap();
        out.append(b"abc").unwrap();
        assert!(out.append(b"def").is_err());
        assert!(out.append(b"ghi").is_err());
        assert!(out.finish().is_err());
        assert_eq!(disk.read(&path).unwrap(), b"abc");
    }

    #[test]
    fn the_lock_is_exclusive_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::default();
        let path = folder.path().join("lock");
        let LockAttempt::Taken(lock) = disk.try_lock(&path).unwrap() else {
            panic!("nobody else has it");
        };
        assert!(
            matches!(disk.try_lock(&path).unwrap(), LockAttempt::Held(Some(holder)) if holder == std::process::id())
        );
        drop(lock);
        assert!(matches!(disk.try_lock(&path).unwrap(), LockAttempt::Taken(_)));
    }
}
