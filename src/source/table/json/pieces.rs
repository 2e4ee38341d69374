//! JSON files in pieces: lines, or the elements of an array, as they come.

use std::io::Read;

use memchr::memchr;
use xxhash_rust::xxh3::Xxh3Default;

use super::super::whole::{Original, malformed};
use crate::disk::DiskError;
use crate::format::ItemError;
use crate::format::json::blank;
use crate::source::SourceError;

/// How much is read at once.
const PIECE_BYTES: usize = 256 * 1024;
/// The longest row (chosen: what a quote or brace that nobody closes may cost).
const ROW_MAX_BYTES: usize = 64 << 20;
/// The mark that some programs write before UTF-8.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// How the objects of a file stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One object per line.
    Lines,
    /// One array of objects.
    Array,
}

/// What a piece of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What stands before the rows: a mark, and the bracket of an array.
    Head,
    /// A row with the whitespace around it; a line has its end, an element does not have its comma.
    Row,
    /// Whitespace where a row could stand.
    Blank,
    /// The bracket that ends an array and what follows.
    Tail,
}

/// A piece of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'b> {
    pub(super) kind: Kind,
    pub(super) bytes: &'b [u8],
    /// The line it starts at, from 1.
    pub(super) line: u64,
}

impl<'b> Piece<'b> {
    /// Returns the bytes without whitespace around them, and how many stand before.
    pub(super) fn trimmed(&self) -> (&'b [u8], usize) {
        let lead = blank(self.bytes);
        let rest = self.bytes.get(lead..).unwrap_or_default();
        (rest.trim_ascii_end(), lead)
    }
}

/// Cuts a file into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cutter {
    layout: Layout,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Head,
    Row { is_first: bool },
    Tail,
}

/// A piece at the start of a buffer.
struct Cut {
    kind: Kind,
    length_bytes: usize,
    /// How many bytes behind it separate it from the next one.
    separator_bytes: usize,
    is_closed: bool,
}

impl Cutter {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            phase: Phase::Head,
        }
    }

    /// Returns the first piece of `rest`; `None` where more must be read first or nothing is left.
    fn next(&mut self, rest: &[u8], is_end: bool) -> Result<Option<Cut>, ItemError> {
        let cut = |kind, length_bytes| Cut {
            kind,
            length_bytes,
            separator_bytes: 0,
            is_closed: true,
        };
        match (self.phase, self.layout) {
            (Phase::Head, Layout::Lines) => {
                if rest.len() < MARK.len() && !is_end {
                    return Ok(None);
                }
                self.phase = Phase::Row { is_first: true };
                Ok(Some(cut(
                    Kind::Head,
                    if rest.starts_with(MARK) { MARK.len() } else { 0 },
                )))
            }
            (Phase::Head, Layout::Array) => {
                let mark = if rest.starts_with(MARK) { MARK.len() } else { 0 };
                let open = mark + blank(rest.get(mark..).unwrap_or_default());
                match rest.get(open) {
                    Some(b'[') => {
                        self.phase = Phase::Row { is_first: true };
                        Ok(Some(cut(Kind::Head, open + 1)))
                    }
                    None if !is_end => Ok(None),
                    _ => Err(ItemError::new("it is no JSON array")),
                }
            }
            (Phase::Row { .. }, Layout::Lines) => Ok(match memchr(b'\n', rest) {
                Some(end) => Some(cut(kind_of(rest.get(..end).unwrap_or_default()), end + 1)),
                None if is_end && !rest.is_empty() => Some(cut(kind_of(rest), rest.len())),
                None => None,
            }),
            (Phase::Row { is_first }, Layout::Array) => Ok(self.element(rest, is_first, is_end)),
            (Phase::Tail, _) => {
                if !is_end {
                    return Ok(None);
                }
                if rest.get(1..).is_some_and(|after| blank(after) < after.len()) {
                    return Err(ItemError::new("something stands behind the array"));
                }
                Ok((!rest.is_empty()).then(|| cut(Kind::Tail, rest.len())))
            }
        }
    }

    fn element(&mut self, rest: &[u8], is_first: bool, is_end: bool) -> Option<Cut> {
        let Some(end) = element_end(rest) else {
            let is_open = is_end && !rest.is_empty();
            return is_open.then(|| Cut {
                kind: kind_of(rest),
                length_bytes: rest.len(),
                separator_bytes: 0,
                is_closed: false,
            });
        };
        let is_last = rest.get(end) == Some(&b']');
        self.phase = if is_last {
            Phase::Tail
        } else {
            Phase::Row { is_first: false }
        };
        let kind = kind_of(rest.get(..end).unwrap_or_default());
        Some(Cut {
            // Between two commas an element is missing, which is no blank.
            kind: if is_first && is_last { kind } else { Kind::Row },
            length_bytes: end,
            separator_bytes: usize::from(!is_last),
            is_closed: true,
        })
    }

    /// Returns whether the file may end here.
    fn may_end(self) -> bool {
        self.layout == Layout::Lines || self.phase == Phase::Tail
    }
}

fn kind_of(bytes: &[u8]) -> Kind {
    if blank(bytes) == bytes.len() {
        Kind::Blank
    } else {
        Kind::Row
    }
}

/// Finds the comma or bracket that ends the first element of an array.
fn element_end(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => loop {
                at += 1;
                match bytes.get(at)? {
                    b'\\' => at += 1,
                    b'"' => break,
                    _ => {}
                }
            },
            b'{' | b'[' => depth += 1,
            b',' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
}

/// How a file of pieces ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The digest of all bytes that were read.
    pub(super) digest: u64,
    /// Whether the file ends where it may.
    pub(super) is_closed: bool,
}

/// Calls `each` for the pieces of a file.
pub(super) fn read(
    original: &Original,
    layout: Layout,
    each: &mut dyn FnMut(Piece<'_>) -> Result<(), SourceError>,
) -> Result<End, SourceError> {
    let mut reader = original.disk().open(original.path())?;
    read_from(&mut reader, original, layout, each)
}

fn read_from(
    reader: &mut impl Read,
    original: &Original,
    layout: Layout,
    each: &mut dyn FnMut(Piece<'_>) -> Result<(), SourceError>,
) -> Result<End, SourceError> {
    let path = original.path();
    let mut cutter = Cutter::new(layout);
    let mut digest = Xxh3Default::new();
    let mut buffer = vec![0; PIECE_BYTES];
    let (mut start, mut end, mut is_end) = (0, 0, false);
    let (mut line, mut is_closed) = (1, true);
    loop {
        loop {
            let rest = buffer.get(start..end).unwrap_or_default();
            let cut = cutter
                .next(rest, is_end)
                .map_err(|error| malformed(path, line, error))?;
            let Some(cut) = cut else { break };
            let bytes = rest.get(..cut.length_bytes).unwrap_or_default();
            is_closed &= cut.is_closed;
            let lead = bytes.get(..blank(bytes)).unwrap_or_default();
            let lines_before = if layout == Layout::Array { newlines(lead) } else { 0 };
            each(Piece {
                kind: cut.kind,
                bytes,
                line: line + lines_before,
            })?;
            line += newlines(bytes);
            start += cut.length_bytes + cut.separator_bytes;
            if is_end && start >= end {
                break;
            }
        }
        if is_end {
            is_closed &= cutter.may_end();
            return Ok(End {
                digest: digest.digest(),
                is_closed,
            });
        }
        buffer.copy_within(start..end, 0);
        end -= start;
        start = 0;
        if end == buffer.len() {
            if end >= ROW_MAX_BYTES {
                return Err(malformed(path, line, ItemError::new("a row does not end")));
            }
            buffer.resize(end * 2, 0);
        }
        let free = buffer.get_mut(end..).unwrap_or_default();
        let read = reader.read(free).map_err(|error| DiskError::new("read", path, error))?;
        digest.update(buffer.get(end..end + read).unwrap_or_default());
        is_end = read == 0;
        end += read;
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
