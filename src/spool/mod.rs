//! Byte strings that wait in memory, compressed: in the order of their arrival ([`Spool`]) or of keys ([`SortedRuns`]).
//!
//! *Owns* how much of them stays uncompressed. *Leaves* what they mean to whoever keeps them. A first import meets all
//! its items before the first can be recorded, and a merge may concern all records of a collection: as maps these take ten
//! times the bytes of a file, encoded and compressed a fifth of them. *Fails* with [`SpoolError`], which only a fault of
//! memory can cause.

mod sorted;

use std::borrow::Cow;

pub use sorted::SortedRuns;

/// What was kept in memory does not come back as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was kept in memory is damaged")]
pub struct SpoolError;

/// How many bytes are compressed at once (chosen: large enough to find what items share).
const CHUNK_BYTES: usize = 256 * 1024;
/// The level of compression (as in packs).
const LEVEL: i32 = 1;
/// How many bytes stay as they are, so that small amounts cost nothing.
const PLAIN_BYTES: usize = 4 * 1024 * 1024;

/// A run of bytes, compressed or not.
struct Chunk {
    bytes: Vec<u8>,
    /// The length before compression; `None` when it is not compressed.
    raw_bytes: Option<usize>,
}

/// Byte strings that are read in the order in which they were added.
#[derive(Default)]
pub struct Spool {
    chunks: Vec<Chunk>,
    open: Vec<u8>,
    plain_bytes: usize,
    count: usize,
    length_bytes: usize,
}

impl Spool {
    /// Makes one that compresses all but its last chunk.
    pub fn dense() -> Self {
        Self {
            plain_bytes: PLAIN_BYTES,
            ..Self::default()
        }
    }

    /// Returns how many strings there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns how many bytes the strings have together.
    pub fn length_bytes(&self) -> usize {
        self.length_bytes
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a string that is the concatenation of `parts`.
    pub fn push(&mut self, parts: &[&[u8]]) -> Result<(), SpoolError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.open.extend_from_slice(&(length as u64).to_le_bytes());
        for part in parts {
            self.open.extend_from_slice(part);
        }
        self.count += 1;
        self.length_bytes += length;
        if self.open.len() >= CHUNK_BYTES {
            self.end_chunk()?;
        }
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), SpoolError> {
        let raw = std::mem::take(&mut self.open);
        let chunk = if self.plain_bytes < PLAIN_BYTES {
            self.plain_bytes += raw.len();
            Chunk {
                bytes: raw,
                raw_bytes: None,
            }
        } else {
            // The compressor reserves room for bytes that do not shrink, several times what is needed.
            let mut bytes = zstd::bulk::compress(&raw, LEVEL).map_err(|_| SpoolError)?;
            bytes.shrink_to_fit();
            let raw_bytes = Some(raw.len());
            // The next chunk is as long.
            self.open = raw;
            self.open.clear();
            Chunk { bytes, raw_bytes }
        };
        self.chunks.push(chunk);
        Ok(())
    }

    /// Walks over the strings; memory holds one chunk more.
    pub fn iter(&self) -> impl Iterator<Item = Result<Vec<u8>, SpoolError>> + '_ {
        let chunks = self.chunks.iter().map(|chunk| match chunk.raw_bytes {
            None => Ok(Cow::Borrowed(chunk.bytes.as_slice())),
            Some(_) => chunk.decompress(),
        });
        strings(chunks.chain([Ok(Cow::Borrowed(self.open.as_slice()))]))
    }

    /// Walks over the strings and gives up what was passed.
    pub fn drain(self) -> impl Iterator<Item = Result<Vec<u8>, SpoolError>> {
        let chunks = self.chunks.into_iter().map(|chunk| match chunk.raw_bytes {
            None => Ok(Cow::Owned(chunk.bytes)),
            Some(_) => chunk.decompress(),
        });
        strings(chunks.chain([Ok(Cow::Owned(self.open))]))
    }
}

impl Chunk {
    fn decompress(&self) -> Result<Cow<'static, [u8]>, SpoolError> {
        let length = self.raw_bytes.unwrap_or_default();
        zstd::bulk::decompress(&self.bytes, length)
            .map(Cow::Owned)
            .map_err(|_| SpoolError)
    }
}

/// Walks over the strings in some chunks.
fn strings<'s>(
    mut chunks: impl Iterator<Item = Result<Cow<'s, [u8]>, SpoolError>>,
) -> impl Iterator<Item = Result<Vec<u8>, SpoolError>> {
    let mut present: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    let mut at = 0;
    std::iter::from_fn(move || {
        while at >= present.len() {
            at = 0;
            // The old chunk goes before the next one is made.
            present = Cow::Borrowed(&[]);
            match chunks.next()? {
                Ok(next) => present = next,
                Err(error) => return Some(Err(error)),
            }
        }
        let string = take(&present, &mut at);
        if string.is_none() {
            at = present.len();
        }
        Some(string.ok_or(SpoolError))
    })
}

fn take(bytes: &[u8], at: &mut usize) -> Option<Vec<u8>> {
    let (length, rest) = bytes.get(*at..)?.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let string = rest.get(..length)?.to_vec();
    *at += 8 + length;
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_in_order_plain_and_compressed() {
        let mut spool = Spool::default();
        assert!(spool.iter().next().is_none() && spool.is_empty());
        let string = |number: u32| format!("{number} {}", "x".repeat(number as usize % 2000)).into_bytes();
        for number in 0..12_000 {
            spool.push(&[&string(number)[..1], &string(number)[1..]]).unwrap();
        }
        assert!(spool.chunks.iter().any(|chunk| chunk.raw_bytes.is_some()));
        assert!(spool.chunks.iter().any(|chunk| chunk.raw_bytes.is_none()));
        let back: Vec<Vec<u8>> = spool.iter().map(Result::unwrap).collect();
        assert_eq!(back.len(), spool.len());
        assert_eq!(back.iter().map(Vec::len).sum::<usize>(), spool.length_bytes());
        assert!(
            spool
                .chunks
                .iter()
                .all(|chunk| chunk.bytes.capacity() <= chunk.bytes.len() + 64 || chunk.raw_bytes.is_none())
        );
        assert!((0..12_000).zip(&back).all(|(number, bytes)| *bytes == string(number)));
        assert!(spool.drain().map(Result::unwrap).eq(back));
    }

    #[test]
    fn empty_strings_count() {
        let mut spool = Spool::default();
        spool.push(&[]).unwrap();
        spool.push(&[b"a"]).unwrap();
        assert_eq!(
            spool.iter().map(Result::unwrap).collect::<Vec<_>>(),
            [b"".to_vec(), b"a".to_vec()]
        );
    }
}
