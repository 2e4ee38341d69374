//! CSV tables: dialects, rows and cells, for tables of any size.
//!
//! Rows are found in pieces of a file as they come and cells in one row, many bytes at a time (`memchr`); the reader
//! of address books ([`crate::format::rows`]), which lists all rows of a whole file unit by unit in every encoding, has the same
//! rules and writes the cells here. UTF-16 is UTF-8 by the time it comes here.
//! *Invariant*: a changed row changes only in the cells that show the change.

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use super::ItemError;
use super::rows::csv::Separators;
use super::rows::encoding::Encoding;
use crate::model::row::Cell;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    encoding: Encoding,
    delimiter: u8,
    /// Whether new cells are all quoted.
    quotes_all: bool,
    /// What ends a row.
    line_end: &'static str,
}

/// An encoding that somebody stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated(Encoding);

impl Stated {
    /// Finds an encoding by a label of the Encoding Standard.
    pub fn by_label(label: &str) -> Option<Self> {
        let found = Encoding::by_name(label).filter(|encoding| *encoding != Encoding::Unnamed);
        found.map(Self)
    }
}

/// A row found in a piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its length in bytes with its line end.
    pub length_bytes: usize,
    /// How many line ends it has.
    pub lines: u64,
    /// Whether its last quote is closed.
    pub is_closed: bool,
}

impl Dialect {
    /// Finds the dialect of the start of a file; with a `delimiter` where the format says it, and with the encoding that
    /// somebody `stated`.
    pub fn detect(head: &[u8], delimiter: Option<u8>, stated: Option<Stated>) -> Self {
        let encoding = match stated {
            Some(Stated(encoding)) => encoding.as_marked(head),
            None => Encoding::detect_head(head),
        };
        let found = Separators::detect(encoding, head);
        let delimiter = delimiter
            .or_else(|| u8::try_from(u32::from(found.delimiter)).ok())
            .unwrap_or(b',');
        let text = encoding.decode_likely(head.get(encoding.mark().len()..).unwrap_or_default());
        let text = text.unwrap_or_else(|| String::from_utf8_lossy(head));
        let mut dialect = Self {
            encoding,
            delimiter,
            quotes_all: false,
            line_end: "\n",
        };
        dialect.learn(text.as_bytes());
        dialect
    }

    /// Makes the dialect of new files: in UTF-8, where nobody `stated` another encoding.
    pub fn new(delimiter: u8, stated: Option<Stated>) -> Self {
        Self {
            encoding: stated.map_or(Encoding::Utf8, |Stated(encoding)| encoding),
            delimiter,
            quotes_all: false,
            line_end: "\n",
        }
    }

    /// Learns line end and quoting from the first rows.
    fn learn(&mut self, text: &[u8]) {
        /// How many rows tell whether all cells are quoted (chosen).
        const ROWS: usize = 4;
        let mut rest = text;
        let (mut quoted, mut plain) = (0, 0);
        for number in 0..ROWS {
            let Some(row) = self.row(rest, true) else { break };
            let (bytes, after) = rest.split_at(row.length_bytes);
            if number == 0 {
                self.line_end = match bytes {
                    [.., b'\r', b'\n'] => "\r\n",
                    [.., b'\r'] => "\r",
                    _ => "\n",
                };
            }
            for cell in self.separators().cells(without_line_end(bytes)) {
                match bytes.get(cell) {
                    Some([b'"', ..]) => quoted += 1,
                    Some([]) | None => {}
                    Some(_) => plain += 1,
                }
            }
            rest = after;
        }
        self.quotes_all = quoted > 0 && plain == 0;
    }

    fn separators(&self) -> Separators {
        Separators {
            encoding: if self.is_utf8() { Encoding::Utf8 } else { self.encoding },
            delimiter: char::from(self.delimiter),
        }
    }

    /// Returns whether rows are UTF-8 by the time they come here.
    fn is_utf8(&self) -> bool {
        self.is_wide() || matches!(self.encoding, Encoding::Utf8 | Encoding::Utf8Bom)
    }

    /// Returns whether files of this dialect must be decoded as a whole before rows are looked for.
    pub fn is_wide(&self) -> bool {
        self.encoding.unit_bytes() > 1
    }

    /// Returns the byte order mark.
    pub fn mark(&self) -> &'static [u8] {
        self.encoding.mark()
    }

    /// Decodes a whole file of a wide dialect, without its mark.
    pub fn decode_whole(&self, bytes: &[u8]) -> Option<String> {
        let content = bytes.get(self.mark().len()..)?;
        self.encoding.decode(content).map(Cow::into_owned)
    }

    /// Encodes a whole file of a wide dialect, with its mark.
    pub fn encode_whole(&self, text: &str) -> Option<Vec<u8>> {
        Some([self.mark(), &self.encoding.encode(text)?].concat())
    }

    /// Returns the line end.
    pub fn line_end(&self) -> &'static str {
        self.line_end
    }

    /// Finds the first row of `bytes`; `None` where it does not end there and more may come (`is_end` says that nothing
    /// does) or where there is nothing.
    pub fn row(&self, bytes: &[u8], is_end: bool) -> Option<Found> {
        let mut at = 0;
        let mut lines = 0;
        let last = |lines, is_closed| {
            (is_end && !bytes.is_empty()).then_some(Found {
                length_bytes: bytes.len(),
                lines,
                is_closed,
            })
        };
        loop {
            let Some(found) = bytes.get(at..).and_then(|rest| memchr3(b'\n', b'\r', b'"', rest)) else {
                return last(lines, true);
            };
            let here = at + found;
            at = here + 1;
            match bytes.get(here) {
                Some(b'"') => {
                    let is_start = here == 0 || bytes.get(here - 1) == Some(&self.delimiter);
                    if !is_start {
                        continue;
                    }
                    let Some(end) = closing_quote(bytes, at) else {
                        return last(lines, false);
                    };
                    if end + 1 == bytes.len() && !is_end {
                        // The quote may be the first of two.
                        return None;
                    }
                    let inside = bytes.get(at..end).unwrap_or_default();
                    lines += line_ends(inside);
                    at = end + 1;
                }
                Some(b'\r') => {
                    match bytes.get(at) {
                        Some(b'\n') => at += 1,
                        None if !is_end => return None,
                        _ => {}
                    }
                    break;
                }
                _ => break,
            }
        }
        Some(Found {
            length_bytes: at,
            lines: lines + 1,
            is_closed: true,
        })
    }

    /// Calls `each` for the cells of a row: an empty cell is null, `""` is the empty text.
    pub fn cells<'r>(&self, row: &'r [u8], mut each: impl FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        let row = without_line_end(row);
        if self.is_utf8() {
            let text = simdutf8::basic::from_utf8(row);
            let text = text.map_err(|_| ItemError::new("it is not UTF-8 (`--encoding` states another encoding)"))?;
            self.split(text, |column, text, is_quoted| {
                each(column, cell_of(text, is_quoted));
            });
            return Ok(());
        }
        let text = self.encoding.decode(row);
        self.split_decoded(text.ok_or_else(|| ItemError::new(self.encoding.refusal(row)))?, each);
        Ok(())
    }

    fn split_decoded<'r>(&self, text: Cow<'r, str>, mut each: impl FnMut(usize, Cell<'r>)) {
        match text {
            Cow::Borrowed(text) => self.split(text, |column, text, is_quoted| {
                each(column, cell_of(text, is_quoted));
            }),
            Cow::Owned(text) => self.split(&text, |column, text, is_quoted| {
                each(column, cell_of(Cow::Owned(text.into_owned()), is_quoted));
            }),
        }
    }

    /// Calls `each` for the texts of a row's cells, and whether they were quoted.
    fn split<'r>(&self, row: &'r str, mut each: impl FnMut(usize, Cow<'r, str>, bool)) {
        let bytes = row.as_bytes();
        let mut start = 0;
        let mut column = 0;
        loop {
            let (text, end, is_quoted) = if bytes.get(start) == Some(&b'"') {
                let (text, end) = self.quoted(row, start + 1);
                (text, end, true)
            } else {
                let rest = bytes.get(start..).unwrap_or_default();
                let end = memchr(self.delimiter, rest).map_or(bytes.len(), |at| start + at);
                (Cow::Borrowed(row.get(start..end).unwrap_or_default()), end, false)
            };
            each(column, text, is_quoted);
            if end >= bytes.len() {
                return;
            }
            column += 1;
            start = end + 1;
        }
    }

    /// Reads the cell whose opening quote is before `start`; returns its text and where its delimiter (or the end) is.
    fn quoted<'r>(&self, row: &'r str, start: usize) -> (Cow<'r, str>, usize) {
        let bytes = row.as_bytes();
        let close = closing_quote(bytes, start).unwrap_or(bytes.len());
        let inside = row.get(start..close).unwrap_or_default();
        let inside = if memchr(b'"', inside.as_bytes()).is_some() {
            Cow::Owned(inside.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(inside)
        };
        let after = (close + 1).min(bytes.len());
        let rest = bytes.get(after..).unwrap_or_default();
        let end = memchr(self.delimiter, rest).map_or(bytes.len(), |at| after + at);
        match row.get(after..end) {
            // What follows a closing quote belongs to the cell.
            Some(tail) if !tail.is_empty() => (Cow::Owned(format!("{inside}{tail}")), end),
            _ => (inside, end),
        }
    }

    /// Calls `each` for the bytes of a row's cells without looking whether they are text; doubled quotes stay doubled.
    /// Returns false where bytes do not sort as their texts do, and nothing was called.
    pub fn raw_cells<'r>(&self, row: &'r [u8], mut each: impl FnMut(usize, &'r [u8])) -> bool {
        if !self.is_utf8() {
            return false;
        }
        let row = without_line_end(row);
        let (mut start, mut column) = (0, 0);
        loop {
            let rest = row.get(start..).unwrap_or_default();
            let end = if rest.first() == Some(&b'"') {
                let close = closing_quote(row, start + 1).unwrap_or(row.len());
                each(column, row.get(start + 1..close).unwrap_or_default());
                let after = (close + 1).min(row.len());
                let tail = row.get(after..).unwrap_or_default();
                memchr(self.delimiter, tail).map_or(row.len(), |at| after + at)
            } else {
                let length = memchr(self.delimiter, rest).unwrap_or(rest.len());
                each(column, rest.get(..length).unwrap_or_default());
                start + length
            };
            if end >= row.len() {
                return true;
            }
            column += 1;
            start = end + 1;
        }
    }

    /// Returns the texts of a header. In a code page that nobody has named they are what they most often are.
    pub fn header(&self, row: &[u8]) -> Result<Vec<String>, ItemError> {
        let mut names = Vec::new();
        let take = |_: usize, cell: Cell<'_>| names.push(cell.text().unwrap_or_default().into_owned());
        if self.encoding == Encoding::Unnamed
            && let Some(text) = self.encoding.decode_likely(without_line_end(row))
        {
            self.split_decoded(text, take);
        } else {
            self.cells(row, take)?;
        }
        Ok(names)
    }

    /// Writes a new row of cells; `None` in a cell is null.
    ///
    /// Fails where a cell has a character that the file's encoding lacks, or where the row could not be told from a
    /// blank line.
    pub fn write_row(&self, cells: &[Option<String>]) -> Result<Vec<u8>, ItemError> {
        let mut row = Vec::new();
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                row.push(self.delimiter);
            }
            row.extend(self.write_cell(cell.as_deref(), self.quotes_all)?);
        }
        if row.is_empty() {
            return Err(ItemError::new("a row of one column cannot be null in CSV"));
        }
        row.extend_from_slice(self.line_end.as_bytes());
        Ok(row)
    }

    fn write_cell(&self, cell: Option<&str>, is_quoted: bool) -> Result<Vec<u8>, ItemError> {
        let Some(text) = cell else { return Ok(Vec::new()) };
        let written = self.separators().write(text, is_quoted || text.is_empty());
        written.ok_or_else(|| {
            ItemError::new(if self.encoding == Encoding::Unnamed {
                "the file does not say its encoding (`--encoding` does), and another one may read it otherwise"
            } else {
                "the file's encoding lacks a character of it"
            })
        })
    }

    /// Returns a row with other cells in some columns; the rest keeps its bytes. Cells are in order of columns.
    pub fn patch_row(&self, row: &[u8], cells: &[(usize, Option<String>)]) -> Result<Vec<u8>, ItemError> {
        let content = without_line_end(row);
        let places = self.separators().cells(content);
        let mut out = Vec::with_capacity(row.len() + 16);
        let mut copied = 0;
        let mut columns = places.len();
        for (column, cell) in cells {
            let Some(place) = places.get(*column) else {
                // A short row gets the cells it lacks.
                out.extend_from_slice(content.get(copied..).unwrap_or_default());
                copied = content.len();
                while columns <= *column {
                    out.push(self.delimiter);
                    columns += 1;
                }
                out.extend(self.write_cell(cell.as_deref(), self.quotes_all)?);
                continue;
            };
            out.extend_from_slice(content.get(copied..place.start).unwrap_or_default());
            let old = content.get(place.clone()).unwrap_or_default();
            let cell = cell.as_deref().map(|text| like(old, text));
            out.extend(self.write_cell(cell.as_deref(), old.first() == Some(&b'"') || self.quotes_all)?);
            copied = place.end;
        }
        out.extend_from_slice(content.get(copied..).unwrap_or_default());
        if out.is_empty() {
            return Err(ItemError::new("a row of one column cannot be null in CSV"));
        }
        out.extend_from_slice(row.get(content.len()..).unwrap_or_default());
        Ok(out)
    }
}

/// Spells `true` and `false` as the cell before did (`TRUE`, `True`).
fn like<'t>(old: &[u8], text: &'t str) -> Cow<'t, str> {
    let old = old
        .strip_prefix(b"\"")
        .and_then(|old| old.strip_suffix(b"\""))
        .unwrap_or(old);
    let is_word = |word: &[u8]| word.eq_ignore_ascii_case(b"true") || word.eq_ignore_ascii_case(b"false");
    if !matches!(text, "true" | "false") || !is_word(old) {
        return Cow::Borrowed(text);
    }
    match old {
        [first, second, ..] if first.is_ascii_uppercase() && second.is_ascii_uppercase() => {
            Cow::Owned(text.to_ascii_uppercase())
        }
        [first, ..] if first.is_ascii_uppercase() => {
            let (head, tail) = text.split_at(1);
            Cow::Owned(format!("{}{tail}", head.to_ascii_uppercase()))
        }
        _ => Cow::Borrowed(text),
    }
}

fn cell_of(text: Cow<'_, str>, is_quoted: bool) -> Cell<'_> {
    if text.is_empty() && !is_quoted {
        Cell::Null
    } else {
        Cell::Text(text)
    }
}

/// Finds the quote that closes a cell whose content begins at `start`.
fn closing_quote(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let quote = at + memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        at = quote + 2;
    }
}

/// Counts line ends: LF, CR and CRLF.
fn line_ends(bytes: &[u8]) -> u64 {
    let mut count = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        let is_second = bytes.get(at) == Some(&b'\n') && at > 0 && bytes.get(at - 1) == Some(&b'\r');
        count += u64::from(!is_second);
    }
    count
}

/// Returns a row without its line end.
pub fn without_line_end(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dialect(delimiter: u8) -> Dialect {
        Dialect::new(delimiter, None)
    }

    fn rows(dialect: &Dialect, bytes: &[u8]) -> Vec<(usize, u64, bool)> {
        let mut rows = Vec::new();
        let (mut rest, mut line) = (bytes, 1);
        while let Some(row) = dialect.row(rest, true) {
            rows.push((row.length_bytes, line, row.is_closed));
            line += row.lines;
            rest = &rest[row.length_bytes..];
        }
        rows
    }

    fn texts(dialect: &Dialect, row: &[u8]) -> Vec<Option<String>> {
        let mut texts = Vec::new();
        dialect
            .cells(row, |column, cell| {
                assert_eq!(column, texts.len());
                texts.push(cell.text().map(Cow::into_owned));
            })
            .unwrap();
        texts
    }

    fn cell() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("[ab,;\"\n\r é]{0,6}")
    }

    proptest! {
        /// The reader of address books is another implementation of the same rules.
        #[test]
        fn both_readers_find_the_same_rows(text in "[ab,\"\n\r]{0,40}") {
            let dialect = dialect(b',');
            let separators = Separators { encoding: Encoding::Utf8, delimiter: ',' };
            let slow: Vec<_> = separators.rows(text.as_bytes(), 0).iter().map(|row| (row.range.len(), row.line)).collect();
            let fast: Vec<_> = rows(&dialect, text.as_bytes()).iter().map(|row| (row.0, row.1)).collect();
            prop_assert_eq!(&fast, &slow);
            let mut at = 0;
            for (length, _) in fast {
                let row = &text.as_bytes()[at..at + length];
                at += length;
                let slow = separators.texts(without_line_end(row));
                let fast: Vec<String> = texts(&dialect, row).into_iter().map(Option::unwrap_or_default).collect();
                prop_assert_eq!(fast, slow);
            }
        }

        #[test]
        fn a_piece_never_ends_a_row_early(text in "[ab,\"\n\r]{0,40}", cut in 0usize..40) {
            let dialect = dialect(b',');
            let cut = cut.min(text.len());
            if let Some(early) = dialect.row(&text.as_bytes()[..cut], false) {
                prop_assert_eq!(dialect.row(text.as_bytes(), true), Some(early));
            }
        }

        #[test]
        fn what_is_written_is_read(cells in proptest::collection::vec(cell(), 2..5), all: bool) {
            let dialect = Dialect { quotes_all: all, ..dialect(b',') };
            let row = dialect.write_row(&cells).unwrap();
            prop_assert_eq!(rows(&dialect, &row).len(), 1);
            prop_assert_eq!(texts(&dialect, &row), cells);
        }

        #[test]
        fn a_patch_changes_its_cells_alone(
            old in proptest::collection::vec(cell(), 2..5),
            new in proptest::collection::btree_map(0usize..6, cell(), 0..4),
        ) {
            let dialect = dialect(b';');
            let row = dialect.write_row(&old).unwrap();
            let patch: Vec<_> = new.clone().into_iter().collect();
            let patched = dialect.patch_row(&row, &patch).unwrap();
            let mut wanted = old;
            for (column, cell) in new {
                while wanted.len() <= column {
                    wanted.push(None);
                }
                wanted[column] = cell;
            }
            prop_assert_eq!(texts(&dialect, &patched), wanted);
            prop_assert_eq!(dialect.patch_row(&row, &[]).unwrap(), row);
        }
    }

    #[test]
    fn dialects_are_learned() {
        let found = Dialect::detect(b"\xEF\xBB\xBF\"a\";\"b\"\r\n\"1\";\"\"\r\n", None, None);
        assert_eq!(
            (found.delimiter, found.quotes_all, found.line_end),
            (b';', true, "\r\n")
        );
        assert_eq!(found.mark(), b"\xEF\xBB\xBF");
        let row = found.write_row(&[Some("x".to_owned()), None]).unwrap();
        assert_eq!(row, b"\"x\";\r\n");
        let latin = Dialect::detect(b"name\tb\nM\xFCller\t1\n", None, None);
        assert_eq!(latin.delimiter, b'\t');
        assert_eq!(texts(&latin, b"M\xFCller\t1\n")[0].as_deref(), Some("Müller"));
        assert!(latin.write_row(&[Some("Jiří".to_owned()), None]).is_err());
    }

    #[test]
    fn booleans_keep_their_spelling() {
        let dialect = dialect(b',');
        let patch = |row: &[u8]| dialect.patch_row(row, &[(0, Some("false".to_owned()))]).unwrap();
        assert_eq!(patch(b"TRUE,1\n"), b"FALSE,1\n");
        assert_eq!(patch(b"True,1\n"), b"False,1\n");
        assert_eq!(patch(b"\"true\",1\n"), b"\"false\",1\n");
    }
}
