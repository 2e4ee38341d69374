//! Files that are written as a whole: the new file beside the old one, then exchanged with it.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use super::WriteOutcome;
use crate::disk::{Disk, Stat, temporary_name};
use crate::format::{FormatError, ItemError};
use crate::source::SourceError;

/// How much is written at once.
const PIECE_BYTES: usize = 256 * 1024;

/// A file as it was read.
#[derive(Clone)]
pub(super) struct Original {
    disk: Disk,
    path: PathBuf,
    stat: Stat,
    /// The digest of its bytes at the last reading.
    digest: Cell<Option<u64>>,
}

/// Takes the bytes of a new file, piece by piece.
pub(super) type Sink<'s> = dyn FnMut(&[u8]) -> Result<(), SourceError> + 's;

impl Original {
    /// Looks at a file that is to be read.
    pub(super) fn new(disk: &Disk, path: &Path) -> Result<Self, SourceError> {
        let stat = disk.stat(path)?;
        Ok(Self {
            disk: disk.clone(),
            path: path.to_owned(),
            stat: stat.ok_or_else(|| SourceError::Missing(path.display().to_string()))?,
            digest: Cell::new(None),
        })
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the digest of what was read; returns whether the file is the one that was opened.
    pub(super) fn was_read(&self, digest: u64) -> Result<bool, SourceError> {
        self.digest.set(Some(digest));
        Ok(self.disk.stat(&self.path)? == Some(self.stat))
    }

    /// Writes the file anew: `stage` reads the present one and gives the new bytes, and returns with its result the
    /// digest of what it read. `None` where that is not what was read before; then nothing changes.
    pub(super) fn replace<T>(
        &mut self,
        stage: impl FnOnce(&mut Sink<'_>) -> Result<(T, u64), SourceError>,
    ) -> Result<Option<T>, SourceError> {
        let temporary = temporary_name(&self.path);
        self.disk.remove(&temporary)?;
        let result = self.write_beside(&temporary, stage);
        let Ok((result, digest)) = result else {
            self.disk.remove(&temporary)?;
            return result.map(|_| None);
        };
        let is_same = self.disk.stat(&self.path)? == Some(self.stat);
        if !is_same || self.digest.get().is_some_and(|known| known != digest) {
            self.disk.remove(&temporary)?;
            return Ok(None);
        }
        self.disk.copy_mode(&self.path, &temporary)?;
        if self.disk.exchange(&temporary, &self.path)? {
            if digest_of(&self.disk, &temporary)? != digest {
                self.disk.exchange(&temporary, &self.path)?;
                self.disk.remove(&temporary)?;
                return Ok(None);
            }
            self.disk.remove(&temporary)?;
        }
        if let Some(stat) = self.disk.stat(&self.path)? {
            self.stat = stat;
        }
        self.digest.set(None);
        Ok(Some(result))
    }

    fn write_beside<T>(
        &self,
        temporary: &Path,
        stage: impl FnOnce(&mut Sink<'_>) -> Result<(T, u64), SourceError>,
    ) -> Result<(T, u64), SourceError> {
        let mut file = self.disk.append_new(temporary)?;
        let mut pending = Vec::new();
        let result = stage(&mut |bytes| {
            pending.extend_from_slice(bytes);
            if pending.len() >= PIECE_BYTES {
                file.append(&pending)?;
                pending.clear();
            }
            Ok(())
        })?;
        file.append(&pending)?;
        file.finish()?;
        Ok(result)
    }
}

/// Removes what a write that was cut off left beside a file. What it displaced without having looked at it goes back into its
/// place; where it cannot be told what is left, it stays.
///
/// `before` is the file as it was read for that write.
pub fn clear_leftover(disk: &Disk, path: &Path, before: &Stat) -> Result<(), SourceError> {
    let temporary = temporary_name(path);
    let Some(left) = disk.stat(&temporary)? else {
        return Ok(());
    };
    let present = disk.stat(path)?;
    let is_that_file = |stat: &Stat| (stat.inode, stat.device) == (before.inode, before.device);
    let is_displaced = is_that_file(&left);
    let was_seen = (left.length_bytes, left.modified_ns) == (before.length_bytes, before.modified_ns);
    if !is_displaced && present.as_ref().is_some_and(is_that_file) || is_displaced && was_seen {
        return Ok(disk.remove(&temporary)?);
    }
    // Somebody wrote into it in the moment of the exchange, and nobody wrote what is there now.
    if is_displaced && present.is_some_and(|present| present.modified_ns <= left.modified_ns) {
        disk.exchange(&temporary, path)?;
        disk.remove(&temporary)?;
    }
    Ok(())
}

/// Says that a file is not what was read.
pub(super) fn changed_meanwhile() -> WriteOutcome {
    WriteOutcome::Busy("it changed meanwhile; it is left for the next run".to_owned())
}

/// Makes the error of a file that cannot be understood from a line on.
pub(super) fn malformed(path: &Path, line: u64, error: ItemError) -> SourceError {
    SourceError::Format {
        file: path.display().to_string(),
        source: FormatError::Malformed {
            line,
            reason: error.reason,
        },
    }
}

fn digest_of(disk: &Disk, path: &Path) -> Result<u64, SourceError> {
    let mut digest = Xxh3Default::new();
    disk.read_pieces(path, &mut |piece| {
        digest.update(piece);
        true
    })?;
    Ok(digest.digest())
}
