//! A storage in a folder: a disk, a mounted share, or a folder that another program mirrors.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::storage::{Storage, StorageError, StorageResult, StoredObject, check_name};
use crate::disk::{Disk, DiskError};
use crate::model::TimeMs;

/// The ending of names under which objects are written first.
const TEMPORARY_ENDING: &str = ".dsync-tmp";
/// How old a temporary file is before no writer can be at it any more: a day forgives wrong clocks and slow links.
const LEFTOVER_AGE_MS: i128 = 24 * 60 * 60 * 1000;

/// A storage in a folder.
///
/// An object appears under its name whole and durable, or not at all: temporary name in the same folder, fsync,
/// rename that replaces nothing, fsync of the folder. The folder itself is made by [`Self::create`] alone, so that
/// a disk that is not mounted is noticed and not written around.
#[derive(Debug)]
pub struct FolderStorage {
    disk: Disk,
    root: PathBuf,
    /// Device and inode of the folder that was opened.
    identity: (u64, u64),
}

impl FolderStorage {
    /// Opens an existing folder; a missing one is [`StorageError::Unreachable`].
    pub fn open(disk: Disk, root: &Path) -> StorageResult<Self> {
        let identity = identity_of(&disk, root)?;
        Ok(Self {
            disk,
            root: root.to_owned(),
            identity,
        })
    }

    /// Opens a folder and makes it, with its parents, if it is missing.
    pub fn create(disk: Disk, root: &Path) -> StorageResult<Self> {
        disk.create_dir_all(root)
            .map_err(|error| general("create", &root.display().to_string(), error))?;
        Self::open(disk, root)
    }

    /// Removes temporary files that a stopped [`Storage::put`] left a day or more before `now`; returns how many.
    pub fn remove_leftovers(&self, now: TimeMs) -> StorageResult<usize> {
        self.check_root()?;
        let wrap = |error| general("remove leftovers in", &self.location(), error);
        let mut folders = self.disk.folders(&self.root).map_err(wrap)?;
        folders.push(self.root.clone());
        let mut removed = 0;
        for folder in folders {
            for (path, stat) in self.disk.list(&folder).map_err(wrap)? {
                let age_ms = i128::from(now.0) - stat.modified_ns / 1_000_000;
                if age_ms >= LEFTOVER_AGE_MS && is_temporary(&path) {
                    self.disk.remove(&path).map_err(wrap)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Checks that the folder is still the one that was opened: an unmounted disk leaves an empty folder behind.
    fn check_root(&self) -> StorageResult<()> {
        if identity_of(&self.disk, &self.root)? == self.identity {
            Ok(())
        } else {
            let changed = io::Error::other("another folder has taken its place since it was opened");
            Err(unreachable(&self.root, Some(changed)))
        }
    }

    fn path_of(&self, name: &str) -> StorageResult<PathBuf> {
        check_name(name)?;
        Ok(self.root.join(name))
    }

    fn convert(&self, action: &'static str, name: &str, error: DiskError) -> StorageError {
        if error.is_not_found() {
            if let Err(gone) = self.check_root() {
                return gone;
            }
            return StorageError::NotFound { name: name.to_owned() };
        }
        general(action, name, error)
    }

    fn list_folder(&self, folder: &Path, name: &str, prefix: &str, out: &mut Vec<StoredObject>) -> StorageResult<()> {
        let files = match self.disk.list(folder) {
            Ok(files) => files,
            // A folder that nobody has written to yet, or that was removed during the listing.
            Err(error) if error.is_not_found() => return self.check_root(),
            Err(error) => return Err(general("list", &folder.display().to_string(), error)),
        };
        for (path, stat) in files {
            if let Some(object) = visible_name(&path).map(|file| format!("{name}{file}"))
                && object.starts_with(prefix)
            {
                out.push(StoredObject {
                    name: object,
                    length_bytes: stat.length_bytes,
                });
            }
        }
        Ok(())
    }

    /// Compares what stands under a taken name with what should.
    fn accept_equal(&self, name: &str, path: &Path, bytes: &[u8]) -> StorageResult<()> {
        match self.disk.read(path) {
            Ok(there) if there == bytes => Ok(()),
            Ok(_) => Err(StorageError::Exists { name: name.to_owned() }),
            Err(error) => Err(self.convert("read", name, error)),
        }
    }
}

impl Storage for FolderStorage {
    fn location(&self) -> String {
        self.root.display().to_string()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        self.check_root()?;
        let mut objects = Vec::new();
        if !prefix.contains('/') {
            self.list_folder(&self.root, "", prefix, &mut objects)?;
        }
        let folders = self
            .disk
            .folders(&self.root)
            .map_err(|error| self.convert("list", &self.location(), error))?;
        for folder in folders {
            let Some(name) = visible_name(&folder).map(|name| format!("{name}/")) else {
                continue;
            };
            if name.starts_with(prefix) || prefix.starts_with(&name) {
                self.list_folder(&folder, &name, prefix, &mut objects)?;
            }
        }
        objects.sort();
        Ok(objects)
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        let path = self.path_of(name)?;
        let result = match range {
            None => self.disk.read(&path),
            Some(range) => self
                .disk
                .read_range(&path, range.start, range.end.saturating_sub(range.start)),
        };
        result.map_err(|error| self.convert("read", name, error))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        let path = self.path_of(name)?;
        self.check_root()?;
        let there = self
            .disk
            .stat(&path)
            .map_err(|error| self.convert("look at", name, error))?;
        if there.is_some() {
            return self.accept_equal(name, &path, bytes);
        }
        if let Some(folder) = path.parent().filter(|folder| *folder != self.root) {
            self.disk
                .create_dir(folder)
                .map_err(|error| self.convert("create the folder of", name, error))?;
        }
        let temporary = temporary_path(&path)?;
        let placed = self
            .disk
            .create_new(&temporary, bytes)
            .and_then(|()| self.disk.rename_new(&temporary, &path));
        match placed {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.disk
                    .remove(&temporary)
                    .map_err(|error| general("remove", name, error))?;
                self.accept_equal(name, &path, bytes)
            }
            Err(error) => {
                // What failed is worth telling; a temporary file that stays is seen by nobody.
                let _leftover = self.disk.remove(&temporary);
                Err(self.convert("write", name, error))
            }
        }
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        let path = self.path_of(name)?;
        self.check_root()?;
        self.disk
            .remove(&path)
            .map_err(|error| self.convert("delete", name, error))
    }
}

fn identity_of(disk: &Disk, root: &Path) -> StorageResult<(u64, u64)> {
    match disk.stat(root) {
        Ok(Some(stat)) if disk.is_dir(root) => Ok((stat.device, stat.inode)),
        Ok(Some(_)) => Err(unreachable(root, Some(io::Error::from(io::ErrorKind::NotADirectory)))),
        Ok(None) => Err(unreachable(root, Some(io::Error::from(io::ErrorKind::NotFound)))),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(general("open", &root.display().to_string(), error))
        }
        Err(error) => Err(StorageError::Unreachable {
            location: root.display().to_string(),
            source: Some(Arc::new(error)),
        }),
    }
}

fn unreachable(root: &Path, source: Option<io::Error>) -> StorageError {
    StorageError::Unreachable {
        location: root.display().to_string(),
        source: source.map(|error| Arc::new(error) as _),
    }
}

/// Makes the error for anything but a missing file.
fn general(action: &'static str, name: &str, error: DiskError) -> StorageError {
    use io::ErrorKind as Kind;
    if matches!(error.kind(), Kind::PermissionDenied | Kind::ReadOnlyFilesystem) {
        return StorageError::Denied {
            name: name.to_owned(),
            source: Some(Arc::new(error)),
        };
    }
    let temporary = matches!(
        error.kind(),
        Kind::Interrupted | Kind::TimedOut | Kind::WouldBlock | Kind::ResourceBusy | Kind::StaleNetworkFileHandle
    );
    StorageError::Failed {
        action,
        name: name.to_owned(),
        temporary,
        source: Arc::new(error),
    }
}

/// Returns the file name unless it is hidden (`.DS_Store`, temporaries of ours and of others) or not Unicode.
fn visible_name(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    (!name.starts_with('.')).then_some(name)
}

/// Returns a temporary name that no other writer uses, even for the same object.
fn temporary_path(path: &Path) -> StorageResult<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let random: [u8; 8] = super::random().map_err(|error| StorageError::Failed {
        action: "choose a temporary name for",
        name: name.clone().into_owned(),
        temporary: true,
        source: Arc::new(error),
    })?;
    let random = data_encoding::HEXLOWER.encode(&random);
    Ok(path.with_file_name(format!(".{name}.{random}{TEMPORARY_ENDING}")))
}

/// Returns whether a path has the form of [`temporary_path`]; temporary files of others have none of its random digits.
fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(std::ffi::OsStr::to_str);
    let parts = name
        .and_then(|name| name.strip_prefix('.')?.strip_suffix(TEMPORARY_ENDING))
        .and_then(|name| name.rsplit_once('.'));
    let is_random = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.is_some_and(|(object, random)| is_random(random) && super::storage::is_object_name(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests may run as an administrator, to whom no folder is denied.
    #[test]
    fn causes_are_told_apart() {
        let convert = |kind: io::ErrorKind| {
            let error = DiskError::new("read", Path::new("x"), io::Error::from(kind));
            general("read", "log/a", error)
        };
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
            assert!(matches!(convert(kind), StorageError::Denied { name, .. } if name == "log/a"));
        }
        assert!(convert(io::ErrorKind::TimedOut).is_temporary());
        assert!(!convert(io::ErrorKind::StorageFull).is_temporary());
    }
}
