//! What the pages of a file say of their sizes, looked at before anything is made as large as they say.
//!
//! The decoder believes a page's header: it reserves what the page is to grow to and as many values as its dictionary is to
//! have. So the headers of all pages are read first, which takes no decompression (they are Thrift in its compact form,
//! one behind the other), and what no honest writer makes of so few bytes is refused.

use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::refused;

/// What a page may grow to in any case (chosen: writers cut pages at a megabyte, few beyond this).
const FREE_BYTES: u64 = 16 << 20;
/// How many times its bytes in the file a page may have beyond that (chosen: zeros shrink further, but then the page is
/// small; letters of one kind reach some hundred).
const RATIO: u64 = 512;
/// What a page may grow to at most.
const PAGE_MAX_BYTES: u64 = 256 << 20;
/// What the largest pages of all columns of a row group may have together, beside [`GROUP_RATIO`] (chosen): as many are in
/// memory at once.
const GROUP_BYTES: u64 = 512 << 20;
/// How many times the file's bytes these may have.
const GROUP_RATIO: u64 = 64;
/// How deep structures in a header may lie in each other (chosen: statistics are the second level).
const DEPTH: u32 = 6;

/// Refuses pages that ask for more than their bytes can mean.
pub(super) fn check(file: &[u8], metadata: &ParquetMetaData) -> Result<(), ParquetError> {
    for group in metadata.row_groups() {
        let mut together = 0_u64;
        for column in group.columns() {
            together = together.saturating_add(largest_page(file, column)?);
        }
        if together > GROUP_BYTES.max((file.len() as u64).saturating_mul(GROUP_RATIO)) {
            return Err(refused("its pages announce more than is read"));
        }
    }
    Ok(())
}

/// Looks at the pages of a column's chunk; returns how large the largest one becomes.
fn largest_page(file: &[u8], column: &ColumnChunkMetaData) -> Result<u64, ParquetError> {
    let outside = || refused("a column lies outside the file");
    let (start, length) = column.byte_range();
    let start = usize::try_from(start).map_err(|_| outside())?;
    let length = usize::try_from(length).map_err(|_| outside())?;
    let end = start.checked_add(length).ok_or_else(outside)?;
    let mut rest = file.get(start..end).ok_or_else(outside)?;
    let mut left = column.num_values();
    let mut largest = 0;
    while left > 0 && !rest.is_empty() {
        let damaged = || refused("the header of a page cannot be read");
        let header = Header::read(&mut rest).ok_or_else(damaged)?;
        let stored = u64::try_from(header.stored_bytes).map_err(|_| damaged())?;
        let raw = u64::try_from(header.raw_bytes).map_err(|_| damaged())?;
        let page = usize::try_from(stored)
            .ok()
            .and_then(|stored| rest.split_at_checked(stored));
        (_, rest) = page.ok_or_else(|| refused("a page lies outside its column"))?;
        if raw > PAGE_MAX_BYTES || raw > FREE_BYTES && raw / RATIO > stored {
            return Err(refused(format!(
                "a page of {stored} bytes says that it is {raw} bytes long when it is decompressed"
            )));
        }
        if header.is_dictionary {
            // Each value takes a byte at least.
            if u64::try_from(header.values).is_ok_and(|values| values > raw) {
                return Err(refused("a dictionary says that it has more values than bytes"));
            }
        } else {
            left = left.saturating_sub(header.values.max(0));
        }
        if header.values < 0 {
            return Err(damaged());
        }
        largest = largest.max(raw);
    }
    Ok(largest)
}

/// What is needed of the header of a page.
#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    raw_bytes: i64,
    stored_bytes: i64,
    values: i64,
    is_dictionary: bool,
}

/// Numbers of fields in a header.
mod field {
    pub(super) const RAW_BYTES: i64 = 2;
    pub(super) const STORED_BYTES: i64 = 3;
    pub(super) const DATA: i64 = 5;
    pub(super) const DICTIONARY: i64 = 7;
    pub(super) const DATA_2: i64 = 8;
    /// In each of the last three.
    pub(super) const VALUES: i64 = 1;
}

/// Types of fields in compact Thrift.
mod kind {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const INTEGERS: std::ops::RangeInclusive<u8> = 4..=6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const STRUCT: u8 = 12;
}

impl Header {
    /// Reads a header from the start of `bytes` and steps over it; `None` where there is none.
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut header = Self::default();
        fields(bytes, &mut |id, kind, bytes| {
            match (id, kind) {
                (field::RAW_BYTES, kind) if kind::INTEGERS.contains(&kind) => header.raw_bytes = integer(bytes)?,
                (field::STORED_BYTES, kind) if kind::INTEGERS.contains(&kind) => header.stored_bytes = integer(bytes)?,
                (field::DATA | field::DICTIONARY | field::DATA_2, kind::STRUCT) => {
                    header.is_dictionary = id == field::DICTIONARY;
                    fields(bytes, &mut |id, kind, bytes| {
                        if id == field::VALUES && kind::INTEGERS.contains(&kind) {
                            header.values = integer(bytes)?;
                            return Some(());
                        }
                        skip(bytes, kind, DEPTH)
                    })?;
                }
                _ => skip(bytes, kind, DEPTH)?,
            }
            Some(())
        })?;
        Some(header)
    }
}

/// Is called with a field's number and type, and steps over its value.
type EachField<'e> = dyn FnMut(i64, u8, &mut &[u8]) -> Option<()> + 'e;

/// Walks over the fields of a structure.
fn fields(bytes: &mut &[u8], each: &mut EachField<'_>) -> Option<()> {
    let mut id = 0_i64;
    loop {
        let head = byte(bytes)?;
        if head == 0 {
            return Some(());
        }
        id = match head >> 4 {
            0 => integer(bytes)?,
            step => id.checked_add(i64::from(step))?,
        };
        each(id, head & 0x0F, bytes)?;
    }
}

/// Steps over a value.
fn skip(bytes: &mut &[u8], kind: u8, depth: u32) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match kind {
        kind::TRUE | kind::FALSE => Some(()),
        kind::BYTE => take(bytes, 1),
        kind if kind::INTEGERS.contains(&kind) => integer(bytes).map(|_| ()),
        kind::DOUBLE => take(bytes, 8),
        kind::BINARY => {
            let length = varint(bytes)?;
            take(bytes, usize::try_from(length).ok()?)
        }
        kind::LIST | kind::SET => {
            let head = byte(bytes)?;
            let count = match head >> 4 {
                15 => varint(bytes)?,
                count => u64::from(count),
            };
            let item = head & 0x0F;
            for _ in 0..count {
                match item {
                    // In lists a truth value is a byte.
                    kind::TRUE | kind::FALSE => take(bytes, 1)?,
                    item => skip(bytes, item, depth)?,
                }
            }
            Some(())
        }
        kind::STRUCT => fields(bytes, &mut |_, kind, bytes| skip(bytes, kind, depth)),
        // No header has a map.
        _ => None,
    }
}

fn take(bytes: &mut &[u8], count: usize) -> Option<()> {
    *bytes = bytes.get(count..)?;
    Some(())
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let next = byte(bytes)?;
        value |= u64::from(next & 0x7F) << shift;
        if next & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Reads a number in zigzag.
fn integer(bytes: &mut &[u8]) -> Option<i64> {
    let value = varint(bytes)?;
    let half = i64::try_from(value >> 1).ok()?;
    Some(if value & 1 == 0 { half } else { -half - 1 })
}
