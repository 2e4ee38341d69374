//! The rows a source last had, as fingerprints in its order, and their comparison with the rows it has.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::disk::{Disk, DiskResult, Stat};
use crate::model::{Domain, Hash};
use crate::source::SourceError;
use crate::spool::Spool;

/// Stands for the place of a row that is no record of the collection (it was set aside).
pub const NO_RANK: u32 = u32::MAX;

/// Fingerprints of the rows of a source, in its order.
///
/// A row's fingerprint is a seeded 64-bit hash of its raw bytes; its rank is the place of its record among the entries of
/// the collection's tree at the source's base. This is a cache: what it says follows from the source's base and the
/// table, so losing it costs a comparison of the whole table, nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prints {
    /// Keeps others from choosing rows with equal fingerprints.
    pub seed: u64,
    /// Fingerprints, by row.
    pub hashes: Vec<u64>,
    /// Ranks, by row; [`NO_RANK`] for rows that were set aside.
    pub ranks: Vec<u32>,
}

/// A row that was not there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown {
    /// Its place among the rows, from 0.
    pub row: usize,
    /// Its line.
    pub line: u64,
    /// Its bytes are those with this number among [`Joined::bytes`].
    number: usize,
}

/// How the rows of a table join those it had.
#[derive(Default)]
pub struct Joined {
    /// Fingerprints of the present rows.
    pub hashes: Vec<u64>,
    /// For each present row the row it was; [`NO_RANK`] where it is unknown.
    pub before: Vec<u32>,
    /// Rows that are new or changed, in their order.
    pub unknown: Vec<Unknown>,
    /// What they and perhaps others hold: many rows may be unknown.
    bytes: Spool,
    /// Rows that were there before and are not found, by their former place.
    pub vanished: Vec<u32>,
}

impl Joined {
    /// Walks over the rows that are new or changed, with their bytes.
    pub fn unknown_rows(&self) -> impl Iterator<Item = Result<(Unknown, Vec<u8>), SourceError>> + '_ {
        let mut wanted = self.unknown.iter().peekable();
        self.bytes.iter().enumerate().filter_map(move |(number, bytes)| {
            let unknown = wanted.next_if(|unknown| unknown.number == number)?;
            Some(bytes.map(|bytes| (*unknown, bytes)).map_err(SourceError::from))
        })
    }
}

/// How far ahead a row is looked for before the order counts as another (chosen: more than a person inserts or removes in
/// one place).
const WINDOW: usize = 64;
/// How many rows may be unknown before all rows are looked up in a table instead (chosen).
const MANY_UNKNOWN: usize = 256;

/// Joins rows, as they come, with those that were there before.
pub struct Matching<'p> {
    prints: &'p Prints,
    /// Which former rows were found.
    found: Vec<bool>,
    /// The former row that is expected next.
    next: usize,
    /// Former rows by fingerprint, once the order turned out to be another.
    table: Option<Lookup>,
    joined: Joined,
}

impl<'p> Matching<'p> {
    /// Begins with the former rows.
    pub fn new(prints: &'p Prints) -> Self {
        let joined = Joined {
            hashes: Vec::with_capacity(prints.hashes.len()),
            before: Vec::with_capacity(prints.hashes.len()),
            ..Joined::default()
        };
        Self {
            prints,
            found: vec![false; prints.hashes.len()],
            next: 0,
            table: None,
            joined,
        }
    }

    /// Takes the next present row.
    pub fn row(&mut self, bytes: &[u8], line: u64) -> Result<(), SourceError> {
        let hash = self.prints.fingerprint(bytes);
        let row = self.joined.hashes.len();
        self.joined.hashes.push(hash);
        let before = match self.table.as_mut() {
            None if self.prints.hashes.get(self.next) == Some(&hash) => Some(self.next),
            None => self.ahead(hash),
            Some(table) => table.take(hash, &self.prints.hashes, &self.found),
        };
        if let Some(before) = before {
            if let Some(found) = self.found.get_mut(before) {
                *found = true;
            }
            self.next = before + 1;
            self.joined.before.push(u32::try_from(before).unwrap_or(NO_RANK));
            return Ok(());
        }
        self.joined.before.push(NO_RANK);
        let number = self.joined.bytes.len();
        self.joined.bytes.push(&[bytes])?;
        self.joined.unknown.push(Unknown { row, line, number });
        if self.table.is_none() && self.joined.unknown.len() > MANY_UNKNOWN {
            self.look_up();
        }
        Ok(())
    }

    /// Looks for a row a little further on; rows that are passed may still be found by the table later.
    fn ahead(&self, hash: u64) -> Option<usize> {
        let window = self.prints.hashes.get(self.next..)?;
        let at = window.iter().take(WINDOW).position(|print| *print == hash)?;
        Some(self.next + at)
    }

    /// Goes over to the table and finds in it what was unknown so far.
    fn look_up(&mut self) {
        let mut table = Lookup::new(&self.prints.hashes, &self.found);
        let (hashes, found, before) = (&self.joined.hashes, &mut self.found, &mut self.joined.before);
        let prints = &self.prints.hashes;
        self.joined.unknown.retain(|unknown| {
            let hash = hashes.get(unknown.row).copied().unwrap_or_default();
            let Some(at) = table.take(hash, prints, found) else {
                return true;
            };
            if let (Some(found), Some(before)) = (found.get_mut(at), before.get_mut(unknown.row)) {
                *found = true;
                *before = u32::try_from(at).unwrap_or(NO_RANK);
            }
            false
        });
        self.table = Some(table);
    }

    /// Ends.
    pub fn finish(mut self) -> Joined {
        if self.table.is_none() && !self.joined.unknown.is_empty() {
            self.look_up();
        }
        let vanished = self.found.iter().enumerate().filter(|(_, found)| !**found);
        self.joined.vanished = vanished.filter_map(|(at, _)| u32::try_from(at).ok()).collect();
        self.joined
    }
}

/// Former rows by fingerprint, in open addressing: eight bytes per row, rows of one fingerprint as a list.
struct Lookup {
    /// The first row of a fingerprint, plus one; 0 is free.
    slots: Vec<u32>,
    /// For each row the next one of its fingerprint, plus one; 0 is the end.
    more: Vec<u32>,
    mask: usize,
}

impl Lookup {
    fn new(hashes: &[u64], found: &[bool]) -> Self {
        let left = found.iter().filter(|found| !**found).count();
        let size = (left * 2).next_power_of_two().max(16);
        let mut lookup = Self {
            slots: vec![0; size],
            more: vec![0; hashes.len()],
            mask: size - 1,
        };
        // From the end, so that rows of one fingerprint are found in their order.
        for (row, hash) in hashes.iter().enumerate().rev() {
            if found.get(row) == Some(&false) {
                let slot = lookup.slot(*hash, hashes);
                if let (Some(first), Some(more)) = (lookup.slots.get_mut(slot), lookup.more.get_mut(row)) {
                    *more = *first;
                    *first = u32::try_from(row + 1).unwrap_or(0);
                }
            }
        }
        lookup
    }

    /// Returns the slot of a fingerprint, or the free one where it would be.
    fn slot(&self, hash: u64, hashes: &[u64]) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the mask takes the lower bits")]
        let mut at = hash as usize & self.mask;
        while let Some(row) = self.slots.get(at).and_then(|slot| (*slot as usize).checked_sub(1)) {
            if hashes.get(row) == Some(&hash) {
                break;
            }
            at = (at + 1) & self.mask;
        }
        at
    }

    /// Returns the first former row with this fingerprint that was not found yet.
    fn take(&mut self, hash: u64, hashes: &[u64], found: &[bool]) -> Option<usize> {
        let slot = self.slot(hash, hashes);
        let mut row = (*self.slots.get(slot)? as usize).checked_sub(1)?;
        while found.get(row) != Some(&false) {
            let next = *self.more.get(row)?;
            // The last row stays in its slot, so that the fingerprints behind it are still found.
            let after = (next as usize).checked_sub(1)?;
            *self.slots.get_mut(slot)? = next;
            row = after;
        }
        Some(row)
    }
}

/// The first bytes of the cache; another version has others and is not read.
const MAGIC: &[u8; 16] = b"dsync prints 1\n\0";
/// A file system may stamp a later write with the same time for this long (FAT counts two seconds).
const RACY_NS: i128 = 2_000_000_000;

/// What a cache of fingerprints belongs to, and what the place looked like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The state of the source that the ranks are of.
    pub tag: Option<Hash>,
    /// States of the place when it was read.
    pub stats: Vec<Stat>,
    /// When it was read, in nanoseconds since 1970.
    pub read_ns: i128,
    /// Whether nothing waits: no row is set aside, all rows agree with the source's base.
    pub is_settled: bool,
}

impl Prints {
    /// Returns the fingerprint of a row; 0 is kept for rows whose fingerprint is not known.
    pub fn fingerprint(&self, bytes: &[u8]) -> u64 {
        xxh3_64_with_seed(bytes, self.seed).max(1)
    }

    /// Writes the cache.
    pub fn save(&self, disk: &Disk, path: &Path, header: &Header) -> DiskResult<()> {
        let mut out = Vec::with_capacity(256 + self.hashes.len() * 12);
        out.extend_from_slice(MAGIC);
        let mut head = Vec::new();
        head.push(u8::from(header.tag.is_some()) | u8::from(header.is_settled) << 1);
        head.extend_from_slice(header.tag.map(|tag| *tag.bytes()).unwrap_or_default().as_slice());
        head.extend_from_slice(&header.read_ns.to_le_bytes());
        head.extend_from_slice(&(header.stats.len() as u64).to_le_bytes());
        for stat in &header.stats {
            head.extend_from_slice(&stat.length_bytes.to_le_bytes());
            head.extend_from_slice(&stat.modified_ns.to_le_bytes());
            head.extend_from_slice(&stat.changed_ns.to_le_bytes());
            head.extend_from_slice(&stat.inode.to_le_bytes());
            head.extend_from_slice(&stat.device.to_le_bytes());
        }
        head.extend_from_slice(&self.seed.to_le_bytes());
        head.extend_from_slice(&(self.hashes.len() as u64).to_le_bytes());
        out.extend_from_slice(&(head.len() as u64).to_le_bytes());
        out.extend_from_slice(&head);
        for hash in &self.hashes {
            out.extend_from_slice(&hash.to_le_bytes());
        }
        for rank in &self.ranks {
            out.extend_from_slice(&rank.to_le_bytes());
        }
        let sum = Hash::of(Domain::Item, &out);
        out.extend_from_slice(sum.bytes());
        disk.replace(path, &out)
    }

    /// Reads the cache; `None` when there is none that can be read.
    pub fn load(disk: &Disk, path: &Path) -> Option<(Header, Self)> {
        let bytes = disk.read(path).ok()?;
        let (content, sum) = bytes.split_last_chunk::<{ Hash::BYTES }>()?;
        if Hash::of(Domain::Item, content) != Hash::from_bytes(*sum) {
            return None;
        }
        let (header, seed, count, rest) = decode_header(content)?;
        let (hashes, ranks) = rest.split_at_checked(count.checked_mul(8)?)?;
        let prints = Self {
            seed,
            hashes: hashes.as_chunks().0.iter().copied().map(u64::from_le_bytes).collect(),
            ranks: ranks.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect(),
        };
        (prints.ranks.len() == count && ranks.len() == count * 4).then_some((header, prints))
    }

    /// Reads only what the cache belongs to.
    pub fn load_header(disk: &Disk, path: &Path) -> Option<Header> {
        /// More than any header has (a place has a handful of files).
        const HEAD_BYTES: u64 = 4096;
        let bytes = disk.read_range(path, 0, HEAD_BYTES).ok()?;
        decode_header(&bytes).map(|(header, ..)| header)
    }
}

impl Header {
    /// Returns whether a place in these states is as it was when it was read, for sure.
    pub fn is_same(&self, stats: &[Stat]) -> bool {
        let settled = |stat: &Stat| self.read_ns - stat.modified_ns.max(stat.changed_ns) > RACY_NS;
        self.stats == stats && !stats.is_empty() && stats.iter().all(settled)
    }
}

/// Splits the cache into its header, seed, number of rows and what follows.
fn decode_header(bytes: &[u8]) -> Option<(Header, u64, usize, &[u8])> {
    fn take<'b, const N: usize>(bytes: &mut &'b [u8]) -> Option<&'b [u8; N]> {
        let (array, rest) = bytes.split_first_chunk::<N>()?;
        *bytes = rest;
        Some(array)
    }
    let mut rest = bytes.strip_prefix(MAGIC.as_slice())?;
    let length = usize::try_from(u64::from_le_bytes(*take(&mut rest)?)).ok()?;
    let (mut head, rest) = rest.split_at_checked(length)?;
    let [flags] = *take(&mut head)?;
    let tag = Hash::from_bytes(*take(&mut head)?);
    let read_ns = i128::from_le_bytes(*take(&mut head)?);
    let count = u64::from_le_bytes(*take(&mut head)?);
    let mut stats = Vec::new();
    for _ in 0..count {
        stats.push(Stat {
            length_bytes: u64::from_le_bytes(*take(&mut head)?),
            modified_ns: i128::from_le_bytes(*take(&mut head)?),
            changed_ns: i128::from_le_bytes(*take(&mut head)?),
            inode: u64::from_le_bytes(*take(&mut head)?),
            device: u64::from_le_bytes(*take(&mut head)?),
        });
    }
    let seed = u64::from_le_bytes(*take(&mut head)?);
    let rows = usize::try_from(u64::from_le_bytes(*take(&mut head)?)).ok()?;
    let header = Header {
        tag: (flags & 1 == 1).then_some(tag),
        stats,
        read_ns,
        is_settled: flags & 2 == 2,
    };
    Some((header, seed, rows, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prints(rows: &[u8]) -> Prints {
        let mut prints = Prints {
            seed: 9,
            ..Prints::default()
        };
        for (at, row) in rows.iter().enumerate() {
            prints.hashes.push(prints.fingerprint(&[*row]));
            prints.ranks.push(u32::try_from(at).unwrap());
        }
        prints
    }

    fn join(before: &Prints, rows: &[u8]) -> Joined {
        let mut matching = Matching::new(before);
        for (at, row) in rows.iter().enumerate() {
            matching.row(&[*row], at as u64 + 1).unwrap();
        }
        matching.finish()
    }

    proptest! {
        /// However rows moved: as many of each are found as there are on both sides.
        #[test]
        fn rows_are_joined_as_multisets(
            before in proptest::collection::vec(0u8..40, 0..400),
            after in proptest::collection::vec(0u8..40, 0..600),
        ) {
            let joined = join(&prints(&before), &after);
            let count = |rows: &[u8], row: u8| rows.split(|other| *other == row).count() - 1;
            for row in 0..40 {
                let both = count(&before, row).min(count(&after, row));
                let unknown = joined.unknown_rows().filter(|unknown| unknown.as_ref().unwrap().1 == [row]).count();
                prop_assert_eq!(unknown, count(&after, row) - both);
                let vanished = joined.vanished.iter().filter(|at| before[**at as usize] == row).count();
                prop_assert_eq!(vanished, count(&before, row) - both);
            }
            for (at, was) in joined.before.iter().enumerate().filter(|(_, was)| **was != NO_RANK) {
                prop_assert_eq!(before[*was as usize], after[at]);
            }
        }
    }

    #[test]
    fn a_cache_is_what_was_saved_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::default(), folder.path().join("rows"));
        let header = Header {
            tag: Some(Hash::of(Domain::Item, b"x")),
            stats: vec![Stat {
                length_bytes: 7,
                modified_ns: -1,
                changed_ns: 2,
                inode: 3,
                device: 4,
            }],
            read_ns: 5,
            is_settled: true,
        };
        let kept = prints(&[1, 2, 3]);
        kept.save(&disk, &path, &header).unwrap();
        assert_eq!(Prints::load(&disk, &path), Some((header.clone(), kept)));
        assert_eq!(Prints::load_header(&disk, &path), Some(header));
        let mut bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(Prints::load(&disk, &path), None);
            bytes[at] ^= 1;
        }
    }
}
