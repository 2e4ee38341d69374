//! The tables of a pack: header, block rows, page rows, entries, trailer.
//!
//! ```text
//! header | blocks … | index pages … | footer: counts, block rows, page rows | trailer
//! ```
//! Numbers are big-endian.

use super::PackError;
use crate::model::{Domain, Hash};

/// The newest format of packs that is known here.
pub const PACK_VERSION: u32 = 1;
/// The largest object (chosen: contents are cut to far smaller chunks; a list of chunks of 1 TiB has 512 MiB).
pub const MAX_OBJECT_BYTES: usize = 1 << 30;
/// How many bytes of objects are compressed together, unless one object is larger (measured on 75k nodes of 4 KiB: a
/// random lookup takes two thirds of the time that blocks of 128 KiB need, and packs grow by 0.4 %).
pub(in super::super) const BLOCK_BYTES: usize = 64 * 1024;
/// How many entries stand in one page of the index, the last one excepted (chosen: what a lookup reads, 11 KiB).
pub(super) const PAGE_ENTRIES: usize = 256;

const MAGIC: &[u8; 8] = b"dsyncPAK";
const END_MAGIC: &[u8; 4] = b"dEND";
pub(super) const HEADER_BYTES: usize = MAGIC.len() + 4;
const COUNTS_BYTES: usize = 4 + 4;
const BLOCK_ROW_BYTES: usize = 4 + 4 + Hash::BYTES;
const PAGE_ROW_BYTES: usize = Hash::BYTES + Hash::BYTES;
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
    /// Its length when decompressed.
    pub(in super::super) raw_bytes: u32,
    /// The hash of its bytes in the file.
    pub(in super::super) hash: Hash,
}

/// A page of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRow {
    /// The first id in it.
    pub(super) first: Hash,
    /// The hash of its bytes.
    pub(super) hash: Hash,
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
}

/// Returns footer and trailer for these tables, and the name of the pack.
pub(super) fn footer(blocks: &[BlockRow], pages: &[PageRow], objects: u32) -> Option<(Vec<u8>, Hash)> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&u32::try_from(blocks.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(&objects.to_be_bytes());
    for block in blocks {
        bytes.extend_from_slice(&block.stored_bytes.to_be_bytes());
        bytes.extend_from_slice(&block.raw_bytes.to_be_bytes());
        bytes.extend_from_slice(block.hash.bytes());
    }
    for page in pages {
        bytes.extend_from_slice(page.first.bytes());
        bytes.extend_from_slice(page.hash.bytes());
    }
    let length = u32::try_from(bytes.len()).ok()?;
    let name = name(&header(), &bytes);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(name.bytes());
    bytes.extend_from_slice(END_MAGIC);
    Some((bytes, name))
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
        let length = COUNTS_BYTES
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
                raw_bytes: fields.number()?,
                hash: fields.hash()?,
            };
            if usize::try_from(row.raw_bytes).ok()? > MAX_OBJECT_BYTES {
                return None;
            }
            offset = offset.checked_add(u64::from(row.stored_bytes))?;
            blocks.push(row);
        }
        let mut pages = Vec::with_capacity(page_count);
        for _ in 0..page_count {
            pages.push(PageRow {
                first: fields.hash()?,
                hash: fields.hash()?,
            });
        }
        let total = offset
            .checked_add(u64::from(objects).checked_mul(ENTRY_BYTES as u64)?)?
            .checked_add((footer.len() + TRAILER_BYTES) as u64)?;
        (total == file_bytes).then_some(Self {
            name,
            objects,
            blocks,
            pages,
            index_offset: offset,
        })
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

/// Decompresses a block; `None` when it is not exactly `raw_bytes` long.
pub(in super::super) fn decompress(stored: &[u8], raw_bytes: u32) -> Option<Vec<u8>> {
    use std::io::Read;
    /// Up to this the announced length is believed before the bytes are seen (chosen: 32 ordinary blocks).
    const BELIEVED_BYTES: usize = 4 << 20;

    let length = usize::try_from(raw_bytes).ok()?;
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
