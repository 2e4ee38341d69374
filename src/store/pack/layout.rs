//! The tables of a pack: header, block rows, page rows, entries, trailer.
//!
//! ```text
//! header | blocks … | index pages … | hashes of blocks | footer: counts, hash, block rows, page rows | trailer
//! ```
//! Numbers are big-endian. Who looks one object up reads the footer, a page and a block, so each of them is small; what only a
//! check of the whole pack needs (the hashes of blocks) lies outside the footer.

use super::PackError;
use crate::model::{Domain, Hash};

/// The newest format of packs that is known here.
pub const PACK_VERSION: u32 = 1;
/// The largest object (chosen: contents are cut to far smaller chunks; a list of chunks of 1 TiB has 512 MiB).
pub const MAX_OBJECT_BYTES: usize = 1 << 30;
/// How many bytes of objects are compressed together, unless one object is larger (measured on a table of a million rows:
/// its first import takes 0.90 of what `sqlite3` takes, 0.99 with blocks of 16 KiB; larger ones make a random lookup read more).
pub(in super::super) const BLOCK_BYTES: usize = 32 * 1024;
/// How many entries stand in one page of the index, the last one excepted (chosen: a lookup reads 720 bytes, and the rows
/// of the pages take two bytes of the footer for each object).
pub(super) const PAGE_ENTRIES: usize = 16;

const MAGIC: &[u8; 8] = b"dsyncPAK";
const END_MAGIC: &[u8; 4] = b"dEND";
pub(super) const HEADER_BYTES: usize = MAGIC.len() + 4;
const COUNTS_BYTES: usize = 4 + 4;
const BLOCK_ROW_BYTES: usize = 4;
/// How many bytes of a page's first id and of its hash its row has: enough to find pages and damage, not to prove
/// anything of an object, which its own address does.
const PREFIX_BYTES: usize = 8;
const PAGE_ROW_BYTES: usize = 2 * PREFIX_BYTES;
pub(super) const ENTRY_BYTES: usize = Hash::BYTES + 1 + 4 + 4 + 4;
pub(super) const TRAILER_BYTES: usize = 4 + Hash::BYTES + END_MAGIC.len();

/// Returns the first bytes of every pack.
pub(super) fn header() -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    let (magic, version) = bytes.split_at_mut(MAGIC.len());
    magic.copy_from_slice(MAGIC);
    version.copy_from_slice(&PACK_VERSION.to_be_bytes());
    bytes
}

/// A block of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct BlockRow {
    /// Where it starts in the file.
    pub(in super::super) offset: u64,
    /// Its length in the file.
    pub(in super::super) stored_bytes: u32,
}

/// The first bytes of a hash.
pub(super) type Prefix = [u8; PREFIX_BYTES];

/// Returns the first bytes of a hash.
pub(super) fn prefix_of(hash: &Hash) -> Prefix {
    hash.bytes().first_chunk().copied().unwrap_or_default()
}

/// A page of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRow {
    /// How the first id in it begins.
    pub(super) first: Prefix,
    /// How the hash of its bytes begins.
    pub(super) hash: Prefix,
}

impl PageRow {
    /// Makes the row of a page.
    pub(super) fn new(first: &Hash, page: &[u8]) -> Self {
        Self {
            first: prefix_of(first),
            hash: prefix_of(&Hash::of(Domain::Pack, page)),
        }
    }
}

/// Where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Entry {
    /// The address of the object.
    pub(in super::super) id: Hash,
    /// The number of the domain it was hashed in.
    pub(in super::super) domain: u8,
    /// The number of its block.
    pub(in super::super) block: u32,
    /// Where it starts in the decompressed block.
    pub(in super::super) offset: u32,
    /// Its length.
    pub(in super::super) length_bytes: u32,
}

impl Entry {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.id.bytes());
        out.push(self.domain);
        out.extend_from_slice(&self.block.to_be_bytes());
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(&self.length_bytes.to_be_bytes());
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields { rest: bytes };
        Some(Self {
            id: fields.hash()?,
            domain: fields.byte()?,
            block: fields.number()?,
            offset: fields.number()?,
            length_bytes: fields.number()?,
        })
    }

    /// Cuts the object out of its decompressed block.
    pub(in super::super) fn slice<'a>(&self, block: &'a [u8]) -> Option<&'a [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let end = start.checked_add(usize::try_from(self.length_bytes).ok()?)?;
        block.get(start..end)
    }
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn hash(&mut self) -> Option<Hash> {
        self.array().map(Hash::from_bytes)
    }
}

/// The tables of one pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) name: Hash,
    pub(super) objects: u32,
    pub(super) blocks: Vec<BlockRow>,
    pub(super) pages: Vec<PageRow>,
    /// Where the index pages start in the file.
    pub(super) index_offset: u64,
    /// The hash of the hashes of the blocks.
    pub(super) block_hashes: Hash,
}

/// Returns the hashes of blocks, footer and trailer for these tables, and the name of the pack.
pub(super) fn footer(blocks: &[BlockRow], hashes: &[Hash], pages: &[PageRow], objects: u32) -> Option<(Vec<u8>, Hash)> {
    let hashes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.bytes()).collect();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&u32::try_from(blocks.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(&objects.to_be_bytes());
    bytes.extend_from_slice(Hash::of(Domain::Pack, &hashes).bytes());
    for block in blocks {
        bytes.extend_from_slice(&block.stored_bytes.to_be_bytes());
    }
    for page in pages {
        bytes.extend_from_slice(&page.first);
        bytes.extend_from_slice(&page.hash);
    }
    let length = u32::try_from(bytes.len()).ok()?;
    let name = name(&header(), &bytes);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(name.bytes());
    bytes.extend_from_slice(END_MAGIC);
    Some(([hashes, bytes].concat(), name))
}

fn name(header: &[u8], footer: &[u8]) -> Hash {
    Hash::of(Domain::Pack, &[header, footer].concat())
}

/// Reads the version out of a header.
pub(super) fn check_header(header: &[u8]) -> Result<(), PackError> {
    let version = header.strip_prefix(MAGIC).and_then(<[u8]>::first_chunk);
    match version.map(|bytes| u32::from_be_bytes(*bytes)) {
        Some(PACK_VERSION) => Ok(()),
        Some(found) if found > PACK_VERSION => Err(PackError::Newer { found }),
        _ => Err(PackError::Damaged("does not start as a pack")),
    }
}

/// Reads the trailer: length of the footer, and the name that footer and header must have.
pub(super) fn read_trailer(trailer: &[u8]) -> Result<(u32, Hash), PackError> {
    let mut fields = Fields { rest: trailer };
    match (fields.number(), fields.hash(), fields.rest == END_MAGIC) {
        (Some(length), Some(name), true) => Ok((length, name)),
        _ => Err(PackError::Damaged("does not end as a pack")),
    }
}

impl Layout {
    /// Reads the footer of a file of `file_bytes` bytes.
    pub(super) fn read(header: &[u8], footer: &[u8], expected: Hash, file_bytes: u64) -> Result<Self, PackError> {
        if name(header, footer) != expected {
            return Err(PackError::Damaged("the footer is not what was written"));
        }
        Self::parse(footer, expected, file_bytes).ok_or(PackError::Damaged("the footer contradicts itself"))
    }

    fn parse(footer: &[u8], name: Hash, file_bytes: u64) -> Option<Self> {
        let mut fields = Fields { rest: footer };
        let block_count = usize::try_from(fields.number()?).ok()?;
        let objects = fields.number()?;
        let page_count = usize::try_from(objects).ok()?.div_ceil(PAGE_ENTRIES);
        let block_hashes = fields.hash()?;
        let length = (COUNTS_BYTES + Hash::BYTES)
            .checked_add(block_count.checked_mul(BLOCK_ROW_BYTES)?)?
            .checked_add(page_count.checked_mul(PAGE_ROW_BYTES)?)?;
        if footer.len() != length {
            return None;
        }
        let mut offset = HEADER_BYTES as u64;
        let mut blocks = Vec::with_capacity(block_count);
        for _ in 0..block_count {
            let row = BlockRow {
                offset,
                stored_bytes: fields.number()?,
            };
            offset = offset.checked_add(u64::from(row.stored_bytes))?;
            blocks.push(row);
        }
        let mut pages = Vec::with_capacity(page_count);
        for _ in 0..page_count {
            pages.push(PageRow {
                first: fields.array()?,
                hash: fields.array()?,
            });
        }
        let total = offset
            .checked_add(u64::from(objects).checked_mul(ENTRY_BYTES as u64)?)?
            .checked_add((block_count.checked_mul(Hash::BYTES)? + footer.len() + TRAILER_BYTES) as u64)?;
        (total == file_bytes).then_some(Self {
            name,
            objects,
            blocks,
            pages,
            index_offset: offset,
            block_hashes,
        })
    }

    /// Returns where the hashes of the blocks lie in the file: offset and length.
    pub(super) fn block_hashes_range(&self) -> (u64, usize) {
        let pages = u64::from(self.objects).saturating_mul(ENTRY_BYTES as u64);
        let offset = self.index_offset.saturating_add(pages);
        (offset, self.blocks.len().saturating_mul(Hash::BYTES))
    }

    /// Returns where a page lies in the file: offset and length.
    pub(super) fn page_range(&self, page: usize) -> (u64, usize) {
        let start = page.saturating_mul(PAGE_ENTRIES);
        let objects = usize::try_from(self.objects).unwrap_or(usize::MAX);
        let entries = objects.saturating_sub(start).min(PAGE_ENTRIES);
        let offset = self
            .index_offset
            .saturating_add((start as u64).saturating_mul(ENTRY_BYTES as u64));
        (offset, entries * ENTRY_BYTES)
    }
}

/// Returns how many bytes a block announces that it has when decompressed.
pub(in super::super) fn announced_bytes(stored: &[u8]) -> Option<usize> {
    let announced = zstd::zstd_safe::get_frame_content_size(stored).ok()??;
    usize::try_from(announced)
        .ok()
        .filter(|bytes| *bytes <= MAX_OBJECT_BYTES)
}

/// Decompresses a block; `None` when it is not exactly as long as it announces.
pub(in super::super) fn decompress(stored: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;
    /// Up to this the announced length is believed before the bytes are seen (chosen: more than ordinary blocks have).
    const BELIEVED_BYTES: usize = 4 << 20;

    let length = announced_bytes(stored)?;
    let raw = if length <= BELIEVED_BYTES {
        zstd::bulk::decompress(stored, length).ok()?
    } else {
        let mut raw = Vec::new();
        let decoder = zstd::stream::read::Decoder::new(stored).ok()?;
        decoder.take(length as u64 + 1).read_to_end(&mut raw).ok()?;
        raw
    };
    (raw.len() == length).then_some(raw)
}
