//! Packs: immutable files of many objects.
//!
//! *Owns* the bytes of `packs/<hash>.pack` (`formats/SPEC.md`, section "Store"): `PackWriter` makes them, `Pack` looks
//! objects up, [`check`] examines a whole pack. *Leaves* to the store which packs there are.
//! *Invariants*: every byte of a file is covered by a hash; a lookup reads one small page of the index and one block.
//! *Fails* with [`PackError`]; no byte sequence makes it panic or reserve memory that the bytes do not justify.

mod layout;
mod reader;
mod writer;

use crate::disk::{DiskError, RandomFile};
use crate::model::{Domain, Hash};

pub(super) use layout::{BLOCK_BYTES, Entry, announced_bytes, decompress};
pub use layout::{MAX_OBJECT_BYTES, PACK_VERSION};
pub(super) use reader::Pack;
pub(super) use writer::PackWriter;

/// Why a pack could not be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PackError {
    /// A newer program has written it.
    #[error("pack format {found} is newer than {PACK_VERSION}")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// The bytes are not what was written.
    #[error("{0}")]
    Damaged(&'static str),
    /// The medium failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Bytes that are read at any place.
pub(super) trait Bytes: Send + Sync {
    fn length_bytes(&self) -> u64;
    fn read_at(&self, offset: u64, length_bytes: usize) -> Result<Vec<u8>, PackError>;
}

impl Bytes for RandomFile {
    fn length_bytes(&self) -> u64 {
        self.length_bytes()
    }

    fn read_at(&self, offset: u64, length_bytes: usize) -> Result<Vec<u8>, PackError> {
        within(self.length_bytes(), offset, length_bytes)?;
        Ok(self.read_at(offset, length_bytes)?)
    }
}

impl Bytes for Vec<u8> {
    fn length_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, length_bytes: usize) -> Result<Vec<u8>, PackError> {
        within(self.len() as u64, offset, length_bytes)?;
        let start = usize::try_from(offset).map_err(|_| PackError::Damaged("ends early"))?;
        let slice = self.get(start..start + length_bytes);
        Ok(slice.ok_or(PackError::Damaged("ends early"))?.to_vec())
    }
}

/// Refuses to read (and to reserve memory) beyond the end.
fn within(total: u64, offset: u64, length_bytes: usize) -> Result<(), PackError> {
    match offset.checked_add(length_bytes as u64) {
        Some(end) if end <= total => Ok(()),
        _ => Err(PackError::Damaged("ends early")),
    }
}

/// What a whole pack consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackSummary {
    /// The hash that names the pack.
    pub name: Hash,
    /// How many objects it holds.
    pub objects: u64,
    /// The objects' bytes before compression.
    pub raw_bytes: u64,
}

/// Examines every byte of a pack: structure, order of the index, and the hash of every object.
pub fn check(bytes: &[u8]) -> Result<PackSummary, PackError> {
    let pack = Pack::open(Box::new(bytes.to_vec()), 0)?;
    let mut raw_bytes = 0;
    let mut first = None;
    pack.examine(&mut |_, _, content| raw_bytes += content.len() as u64, &mut |fault| {
        first = first.take().or(Some(fault.what));
    })?;
    match first {
        Some(what) => Err(PackError::Damaged(what)),
        None => Ok(PackSummary {
            name: pack.name(),
            objects: pack.object_count(),
            raw_bytes,
        }),
    }
}

/// Hashes an object as its entry says.
fn address(domain: u8, content: &[u8]) -> Option<Hash> {
    Domain::from_number(domain).map(|domain| Hash::of(domain, content))
}

#[cfg(test)]
mod tests;
