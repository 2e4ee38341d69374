//! Looking objects up in a pack.

use std::ops::Range;
use std::sync::OnceLock;

use super::layout::{
    self, ENTRY_BYTES, Entry, HEADER_BYTES, Layout, PAGE_ENTRIES, TRAILER_BYTES, decompress, prefix_of,
};
use super::{Bytes, PackError, address};
use crate::model::{Domain, Hash};

/// How much is read from the end at once when a pack is opened (chosen: small packs need one read).
const TAIL_BYTES: u64 = 8 * 1024;

/// An open pack. Only the footer is in memory; pages of the index stay once they were read.
pub(in super::super) struct Pack {
    bytes: Box<dyn Bytes>,
    layout: Layout,
    pages: Vec<OnceLock<Vec<u8>>>,
    block_hashes: OnceLock<Vec<Hash>>,
    number: u64,
}

/// Something wrong inside a pack that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Fault {
    /// The object, where the index can tell.
    pub(in super::super) id: Option<Hash>,
    /// What is wrong.
    pub(in super::super) what: &'static str,
}

impl Pack {
    /// Reads header, trailer and footer. `number` tells packs of one process apart.
    pub(in super::super) fn open(bytes: Box<dyn Bytes>, number: u64) -> Result<Self, PackError> {
        let total = bytes.length_bytes();
        if total < (HEADER_BYTES + TRAILER_BYTES) as u64 {
            return Err(PackError::Damaged("ends early"));
        }
        let header = bytes.read_at(0, HEADER_BYTES)?;
        layout::check_header(&header)?;
        let tail_bytes = total.min(TAIL_BYTES);
        let ends_early = PackError::Damaged("ends early");
        let tail_length = usize::try_from(tail_bytes).map_err(|_| ends_early.clone())?;
        let tail = bytes.read_at(total - tail_bytes, tail_length)?;
        let split = tail.len().checked_sub(TRAILER_BYTES).ok_or(ends_early.clone())?;
        let (before, trailer) = tail.split_at(split);
        let (footer_bytes, name) = layout::read_trailer(trailer)?;
        let footer_length = usize::try_from(footer_bytes).map_err(|_| ends_early.clone())?;
        let layout = if let Some(start) = before.len().checked_sub(footer_length) {
            Layout::read(&header, before.get(start..).unwrap_or_default(), name, total)?
        } else {
            let offset = total
                .checked_sub(TRAILER_BYTES as u64 + u64::from(footer_bytes))
                .ok_or(ends_early)?;
            Layout::read(&header, &bytes.read_at(offset, footer_length)?, name, total)?
        };
        Ok(Self {
            pages: layout.pages.iter().map(|_| OnceLock::new()).collect(),
            block_hashes: OnceLock::new(),
            bytes,
            layout,
            number,
        })
    }

    pub(in super::super) fn name(&self) -> Hash {
        self.layout.name
    }

    pub(in super::super) fn number(&self) -> u64 {
        self.number
    }

    pub(in super::super) fn object_count(&self) -> u64 {
        u64::from(self.layout.objects)
    }

    pub(in super::super) fn stored_bytes(&self) -> u64 {
        self.bytes.length_bytes()
    }

    fn page(&self, page: usize) -> Result<&[u8], PackError> {
        let damaged = PackError::Damaged("a page of the index is not what was written");
        let (Some(cell), Some(row)) = (self.pages.get(page), self.layout.pages.get(page)) else {
            return Err(damaged);
        };
        if let Some(bytes) = cell.get() {
            return Ok(bytes);
        }
        let (offset, length) = self.layout.page_range(page);
        let bytes = self.bytes.read_at(offset, length)?;
        if prefix_of(&Hash::of(Domain::Pack, &bytes)) != row.hash {
            return Err(damaged);
        }
        Ok(cell.get_or_init(|| bytes))
    }

    /// Returns the pages that `id` may stand in; nearly always one.
    fn pages_of(&self, id: &Hash) -> Range<usize> {
        let prefix = prefix_of(id);
        let pages = &self.layout.pages;
        // What begins as a page does stands there, or at the end of the one before.
        let start = pages.partition_point(|row| row.first < prefix);
        let end = pages.partition_point(|row| row.first <= prefix);
        start.saturating_sub(1)..end
    }

    /// Finds an object.
    pub(in super::super) fn find(&self, id: &Hash) -> Result<Option<Entry>, PackError> {
        for page in self.pages_of(id).rev() {
            let page = self.page(page)?;
            let place = lower_bound(page, id);
            let entry = page.get(place * ENTRY_BYTES..).and_then(Entry::read);
            if let Some(entry) = entry.filter(|entry| entry.id == *id) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Calls `each` with the entries from `start` on in order of id until it returns false.
    pub(in super::super) fn scan(&self, start: &Hash, each: &mut dyn FnMut(Entry) -> bool) -> Result<(), PackError> {
        for number in self.pages_of(start).start..self.layout.pages.len() {
            for row in self.page(number)?.chunks_exact(ENTRY_BYTES) {
                match Entry::read(row) {
                    Some(entry) if entry.id < *start => {}
                    Some(entry) if each(entry) => {}
                    _ => return Ok(()),
                }
            }
        }
        Ok(())
    }

    /// Returns all entries in the order in which they lie in the blocks.
    pub(in super::super) fn entries(&self) -> Result<Vec<Entry>, PackError> {
        let mut entries = Vec::new();
        self.scan(&Hash::from_bytes([0; 32]), &mut |entry| {
            entries.push(entry);
            true
        })?;
        entries.sort_unstable_by_key(|entry| (entry.block, entry.offset));
        Ok(entries)
    }

    /// Returns the hash that the bytes of a block in the file must have.
    pub(in super::super) fn block_hash(&self, block: u32) -> Result<Hash, PackError> {
        let damaged = PackError::Damaged("the hashes of its blocks are not what was written");
        let hashes = if let Some(hashes) = self.block_hashes.get() {
            hashes
        } else {
            let (offset, length) = self.layout.block_hashes_range();
            let bytes = self.bytes.read_at(offset, length)?;
            if Hash::of(Domain::Pack, &bytes) != self.layout.block_hashes {
                return Err(damaged);
            }
            let hashes = bytes.as_chunks().0.iter().copied().map(Hash::from_bytes).collect();
            self.block_hashes.get_or_init(|| hashes)
        };
        let index = usize::try_from(block).unwrap_or(usize::MAX);
        hashes.get(index).copied().ok_or(damaged)
    }

    /// Returns a block as it is in the file.
    pub(in super::super) fn stored_block(&self, block: u32) -> Result<Vec<u8>, PackError> {
        let index = usize::try_from(block).unwrap_or(usize::MAX);
        let row = self.layout.blocks.get(index);
        let row = *row.ok_or(PackError::Damaged("the index names a block that is not there"))?;
        let length = usize::try_from(row.stored_bytes).map_err(|_| PackError::Damaged("ends early"))?;
        self.bytes.read_at(row.offset, length)
    }

    /// Returns a decompressed block. The objects in it still have to be checked against their addresses.
    pub(in super::super) fn block(&self, block: u32) -> Result<Vec<u8>, PackError> {
        let stored = self.stored_block(block)?;
        decompress(&stored).ok_or(PackError::Damaged("a block cannot be decompressed"))
    }

    /// Reads everything: calls `good` with each sound object and `bad` with each fault.
    pub(in super::super) fn examine(
        &self,
        good: &mut dyn FnMut(&Hash, Domain, &[u8]),
        bad: &mut dyn FnMut(Fault),
    ) -> Result<(), PackError> {
        let entries = self.examine_index(bad)?;
        let mut entries = entries.as_slice();
        let hashes_are_sound = match self.layout.blocks.first().map(|_| self.block_hash(0)) {
            Some(Err(PackError::Damaged(what))) => {
                bad(Fault { id: None, what });
                false
            }
            Some(Err(error)) => return Err(error),
            _ => true,
        };
        for number in 0..self.layout.blocks.len() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let mine = entries.partition_point(|entry| entry.block <= number);
            let (here, rest) = entries.split_at(mine);
            entries = rest;
            let stored = self.stored_block(number)?;
            let sound = hashes_are_sound && self.block_hash(number)? == Hash::of(Domain::Pack, &stored);
            let raw = decompress(&stored).unwrap_or_default();
            let mut blamed = 0;
            for entry in here {
                let content = entry.slice(&raw);
                match (Domain::from_number(entry.domain), content) {
                    (Some(domain), Some(content)) if address(entry.domain, content) == Some(entry.id) => {
                        good(&entry.id, domain, content);
                    }
                    _ => {
                        blamed += 1;
                        bad(Fault {
                            id: Some(entry.id),
                            what: "its bytes are not what its address says",
                        });
                    }
                }
            }
            if (!sound || here.is_empty()) && blamed == 0 && hashes_are_sound {
                bad(Fault {
                    id: here.first().map(|entry| entry.id),
                    what: "a block is not what was written",
                });
            }
        }
        if let Some(entry) = entries.first() {
            bad(Fault {
                id: Some(entry.id),
                what: "the index names a block that is not there",
            });
        }
        Ok(())
    }

    /// Checks the pages and returns the entries of the sound ones in the order of the blocks.
    fn examine_index(&self, bad: &mut dyn FnMut(Fault)) -> Result<Vec<Entry>, PackError> {
        let mut entries = Vec::new();
        let mut last: Option<Hash> = None;
        for (number, row) in self.layout.pages.iter().enumerate() {
            let page = match self.page(number) {
                Ok(page) => page,
                Err(PackError::Damaged(what)) => {
                    bad(Fault { id: None, what });
                    continue;
                }
                Err(error) => return Err(error),
            };
            let start = entries.len();
            entries.extend(page.chunks_exact(ENTRY_BYTES).filter_map(Entry::read));
            let fresh = entries.get(start..).unwrap_or_default();
            if fresh.first().map(|entry| prefix_of(&entry.id)) != Some(row.first) {
                bad(Fault {
                    id: None,
                    what: "a page does not start where the footer says",
                });
            }
            for entry in fresh {
                if last.replace(entry.id).is_some_and(|last| last >= entry.id) {
                    bad(Fault {
                        id: Some(entry.id),
                        what: "the index is not in order",
                    });
                }
            }
        }
        entries.sort_unstable_by_key(|entry| (entry.block, entry.offset));
        Ok(entries)
    }
}

/// Returns the number of the first entry of a page that is not below `id`.
fn lower_bound(page: &[u8], id: &Hash) -> usize {
    let (mut low, mut high) = (0, (page.len() / ENTRY_BYTES).min(PAGE_ENTRIES));
    while low < high {
        let middle = usize::midpoint(low, high);
        let at = middle * ENTRY_BYTES;
        let below = page
            .get(at..at + Hash::BYTES)
            .is_some_and(|bytes| bytes < id.bytes().as_slice());
        if below {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
