//! Rows and cells of CSV bytes, with their places, so that all bytes that do not change can be kept.
//!
//! Reads as most readers do (and as `csv-core` does, which tests compare with): a quote counts only at the start of a
//! cell, a doubled quote inside quotes is one, what follows a closing quote belongs to the cell, and CR, LF and CRLF
//! end a row.

use std::borrow::Cow;
use std::ops::Range;

use crate::format::rows::encoding::Encoding;

/// How a file separates its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) struct Separators {
    pub encoding: Encoding,
    pub delimiter: char,
}

/// One row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::format) struct RowSpan {
    /// Its bytes with its line end.
    pub range: Range<usize>,
    /// The line it starts at, from 1.
    pub line: u64,
    /// Whether its last quote is closed.
    pub closed: bool,
    /// Whether it has nothing but its line end.
    pub blank: bool,
}

/// How much of a file's start is looked at for its delimiter (chosen: no header is longer).
const HEAD_BYTES: usize = 64 * 1024;

const QUOTE: u16 = b'"' as u16;
const CR: u16 = b'\r' as u16;
const LF: u16 = b'\n' as u16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    CellStart,
    Plain,
    Quoted,
    /// After a quote inside quotes: the end, or the first of two.
    QuoteInQuoted,
}

impl Separators {
    fn next(self, at: At, unit: u16) -> At {
        let delimiter = u32::from(unit) == u32::from(self.delimiter);
        match at {
            At::CellStart | At::QuoteInQuoted if unit == QUOTE => At::Quoted,
            At::Quoted if unit == QUOTE => At::QuoteInQuoted,
            At::Quoted => At::Quoted,
            _ if delimiter => At::CellStart,
            _ => At::Plain,
        }
    }

    /// Lists the rows of `bytes` from `start`.
    pub(in crate::format) fn rows(self, bytes: &[u8], start: usize) -> Vec<RowSpan> {
        let step = self.encoding.unit_bytes();
        let mut rows = Vec::new();
        let (mut begin, mut position, mut line, mut first_line) = (start, start, 1, 1);
        let mut at = At::CellStart;
        while let Some(unit) = self.encoding.unit(bytes, position) {
            position += step;
            let ends = unit == LF || unit == CR;
            if ends {
                if unit == CR && self.encoding.unit(bytes, position) == Some(LF) {
                    position += step;
                }
                line += 1;
            }
            if ends && at != At::Quoted {
                let blank = self.without_line_end(&bytes[begin..position]) == 0;
                rows.push(RowSpan {
                    range: begin..position,
                    line: first_line,
                    closed: true,
                    blank,
                });
                (begin, first_line, at) = (position, line, At::CellStart);
            } else if !ends {
                at = self.next(at, unit);
            }
        }
        if begin < bytes.len() {
            // Half a unit at the end is as incomplete as an open quote.
            let closed = at != At::Quoted && position == bytes.len() && !self.ends_early(bytes, &rows, begin);
            rows.push(RowSpan {
                range: begin..bytes.len(),
                line: first_line,
                closed,
                blank: false,
            });
        }
        rows
    }

    /// Returns whether a last row without a line end has fewer cells than all rows agree on: a file that is just
    /// being written ends so.
    fn ends_early(self, bytes: &[u8], rows: &[RowSpan], begin: usize) -> bool {
        let width = |row: &RowSpan| self.cells(&bytes[row.range.clone()]).len();
        let mut others = rows.iter().filter(|row| !row.blank);
        let Some(header) = others.next().map(width) else {
            return false;
        };
        let agree = others.next_back().is_none_or(|row| width(row) == header);
        agree && self.cells(&bytes[begin..]).len() < header
    }

    /// Returns how many bytes a row has before its line end.
    pub(in crate::format) fn without_line_end(self, row: &[u8]) -> usize {
        let step = self.encoding.unit_bytes();
        let mut length = row.len();
        for end in [LF, CR] {
            let last = length
                .checked_sub(step)
                .and_then(|at| Some((at, self.encoding.unit(row, at)?)));
            if let Some((at, unit)) = last
                && unit == end
            {
                length = at;
            }
        }
        length
    }

    /// Lists the places of the cells of one row (given with or without its line end).
    pub(in crate::format) fn cells(self, row: &[u8]) -> Vec<Range<usize>> {
        let step = self.encoding.unit_bytes();
        let mut cells = Vec::new();
        let (mut begin, mut position) = (0, 0);
        let mut at = At::CellStart;
        while let Some(unit) = self.encoding.unit(row, position) {
            let before = at;
            // A line end inside an open quote is content.
            if (unit == LF || unit == CR) && at != At::Quoted {
                cells.push(begin..position);
                return cells;
            }
            at = self.next(at, unit);
            if at == At::CellStart && before != At::Quoted {
                cells.push(begin..position);
                begin = position + step;
            }
            position += step;
        }
        cells.push(begin..row.len());
        cells
    }

    /// Reads a cell's text; `None` when its bytes are not of the encoding.
    pub(in crate::format) fn text(self, cell: &[u8]) -> Option<Cow<'_, str>> {
        Some(unquoted(self.encoding.decode(cell)?))
    }

    /// Reads the texts of all cells of a row as what they most often are; cells that are no text read as empty.
    ///
    /// For names of columns and for showing: what becomes part of a record is read by [`Self::text`].
    pub(in crate::format) fn texts(self, row: &[u8]) -> Vec<String> {
        let text = |cell: Range<usize>| {
            let raw = self.encoding.decode_likely(&row[cell]);
            raw.map(unquoted).unwrap_or_default().into_owned()
        };
        self.cells(row).into_iter().map(text).collect()
    }

    /// Writes a cell, in quotes when asked for or needed; `None` when the encoding lacks a character.
    pub(in crate::format) fn write(self, text: &str, quoted: bool) -> Option<Vec<u8>> {
        let needs = text.contains(['"', '\r', '\n', self.delimiter]);
        if needs || quoted {
            self.encoding.encode(&format!("\"{}\"", text.replace('"', "\"\"")))
        } else {
            self.encoding.encode(text)
        }
    }

    /// Finds the delimiter of a file by its first row that is not blank: the most frequent one outside quotes.
    pub(in crate::format) fn detect(encoding: Encoding, bytes: &[u8]) -> Self {
        let start = encoding.mark().len();
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES)];
        let count = |delimiter: char| {
            let separators = Self { encoding, delimiter };
            let rows = separators.rows(bytes, start);
            let first = rows.iter().find(|row| !row.blank);
            first.map_or(0, |row| separators.cells(&bytes[row.range.clone()]).len())
        };
        // The first of equals wins, so a comma where nothing separates.
        let mut best = (',', count(','));
        for delimiter in [';', '\t'] {
            let cells = count(delimiter);
            if cells > best.1 {
                best = (delimiter, cells);
            }
        }
        Self {
            encoding,
            delimiter: best.0,
        }
    }
}

/// Takes the quotes of a cell away.
fn unquoted(raw: Cow<'_, str>) -> Cow<'_, str> {
    if !raw.starts_with('"') {
        return raw;
    }
    let mut text = String::with_capacity(raw.len());
    let mut inside = true;
    let mut characters = raw[1..].chars().peekable();
    while let Some(character) = characters.next() {
        if inside && character == '"' {
            if characters.peek() == Some(&'"') {
                text.push('"');
                characters.next();
            } else {
                inside = false;
            }
        } else {
            text.push(character);
        }
    }
    Cow::Owned(text)
}
