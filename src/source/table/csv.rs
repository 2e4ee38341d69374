//! CSV and TSV files as tables.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use xxhash_rust::xxh3::Xxh3Default;

use super::whole::{Original, Sink, changed_meanwhile, malformed};
use super::{
    ColumnEdit, Location, RawRow, ReadEnd, RowEdit, RowRefusal, Table, TableColumn, TableFormat, TableInfo, TableWrite,
    Values, WriteOutcome,
};
use crate::disk::{Disk, DiskError};
use crate::format::csv::{Dialect, Stated, without_line_end};
use crate::format::{Confidence, ItemError};
use crate::model::Value;
use crate::model::row::{self, from_value};
use crate::source::SourceError;

/// How much of a file tells its dialect (chosen: whole files of most people, and enough of the others to meet a letter
/// that is not ASCII).
const HEAD_BYTES: u64 = 4 << 20;
/// How much is read at once.
const PIECE_BYTES: usize = 256 * 1024;
/// The longest row (chosen: what a quote that nobody closes may cost).
const ROW_MAX_BYTES: usize = 64 << 20;

/// CSV or TSV.
pub(super) struct CsvTables {
    info: TableInfo,
    delimiter: Option<u8>,
    /// The encoding of its files, where somebody stated it.
    stated: Option<Stated>,
}

impl CsvTables {
    /// Makes the format `csv`: the delimiter is found in the file.
    pub(super) const fn csv() -> Self {
        Self {
            info: TableInfo {
                name: "csv",
                title: "CSV with a header: comma, semicolon or tab, any line end, UTF-8, UTF-16 or a stated code page",
                extensions: &["csv"],
                has_tables: false,
                is_server: false,
                writes: true,
                is_typed: false,
            },
            delimiter: None,
            stated: None,
        }
    }

    /// Makes the format `tsv`.
    pub(super) const fn tsv() -> Self {
        Self {
            info: TableInfo {
                name: "tsv",
                title: "Tab-separated values with a header",
                extensions: &["tsv", "tab"],
                has_tables: false,
                is_server: false,
                writes: true,
                is_typed: false,
            },
            delimiter: Some(b'\t'),
            stated: None,
        }
    }
}

impl TableFormat for CsvTables {
    fn info(&self) -> &TableInfo {
        &self.info
    }

    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence {
        let named = |extension: &&str| {
            let ending = Path::new(file_name).extension();
            ending.is_some_and(|ending| ending.eq_ignore_ascii_case(extension))
        };
        if self.info.extensions.iter().any(named) && !head.contains(&0) {
            return Confidence::Possible;
        }
        Confidence::No
    }

    fn open(&self, disk: &Disk, location: &Location) -> Result<Box<dyn Table>, SourceError> {
        let original = Original::new(disk, &location.path)?;
        let head = disk.read_range(&location.path, 0, HEAD_BYTES)?;
        let dialect = Dialect::detect(&head, self.delimiter, self.stated);
        let mut table = CsvTable {
            original,
            dialect,
            columns: Vec::new(),
        };
        table.read_header()?;
        Ok(Box::new(table))
    }

    fn create(&self, disk: &Disk, location: &Location, columns: &[TableColumn]) -> Result<(), SourceError> {
        let dialect = Dialect::new(self.delimiter.unwrap_or(b','), self.stated);
        let names: Vec<Option<String>> = columns.iter().map(|column| Some(column.name.clone())).collect();
        let header = if names.is_empty() {
            Vec::new()
        } else {
            dialect
                .write_row(&names)
                .map_err(|error| malformed(&location.path, 1, error))?
        };
        let header = if dialect.is_wide() {
            let whole = std::str::from_utf8(&header).ok();
            whole
                .and_then(|header| dialect.encode_whole(header))
                .unwrap_or_default()
        } else {
            [dialect.mark(), &header].concat()
        };
        Ok(disk.create_new(&location.path, &header)?)
    }

    fn in_encoding(&self, label: &str) -> Option<Box<dyn TableFormat>> {
        Some(Box::new(Self {
            info: self.info.clone(),
            delimiter: self.delimiter,
            stated: Some(Stated::by_label(label)?),
        }))
    }

    fn tables(&self, _disk: &Disk, _location: &Location) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }
}

struct CsvTable {
    original: Original,
    dialect: Dialect,
    columns: Vec<TableColumn>,
}

/// What a line of the file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Header,
    Row,
    /// Nothing but a line end, or what stands before the header.
    Blank,
}

/// A line of the file with its bytes.
struct FileRow<'b> {
    bytes: &'b [u8],
    line: u64,
    kind: Line,
    is_closed: bool,
}

impl CsvTable {
    fn read_header(&mut self) -> Result<(), SourceError> {
        let mut header = None;
        self.rows(&mut |row| {
            if row.kind == Line::Header {
                header = Some((row.bytes.to_vec(), row.line));
                return Ok(false);
            }
            Ok(true)
        })?;
        if let Some((bytes, line)) = header {
            let names = self
                .dialect
                .header(&bytes)
                .map_err(|error| malformed(self.original.path(), line, error))?;
            self.columns = names.into_iter().map(column).collect();
        }
        Ok(())
    }

    /// Calls `each` for the lines of the file until it returns false; returns the digest of what was read.
    fn rows(&self, each: &mut dyn FnMut(FileRow<'_>) -> Result<bool, SourceError>) -> Result<u64, SourceError> {
        let mut digest = Xxh3Default::new();
        if !self.dialect.is_wide() {
            let reader = self.original.disk().open(self.original.path())?;
            self.rows_of(reader, self.dialect.mark().len(), &mut digest, each)?;
            return Ok(digest.digest());
        }
        let bytes = self.original.disk().read(self.original.path())?;
        digest.update(&bytes);
        let text = self.dialect.decode_whole(&bytes);
        let text = text.ok_or_else(|| malformed(self.original.path(), 1, ItemError::new("it is not UTF-16")))?;
        drop(bytes);
        let mut unused = Xxh3Default::new();
        self.rows_of(Cursor::new(text), 0, &mut unused, each)?;
        Ok(digest.digest())
    }

    fn rows_of(
        &self,
        mut reader: impl Read,
        mark_bytes: usize,
        digest: &mut Xxh3Default,
        each: &mut dyn FnMut(FileRow<'_>) -> Result<bool, SourceError>,
    ) -> Result<(), SourceError> {
        let mut buffer = vec![0; PIECE_BYTES];
        let (mut start, mut end, mut is_end) = (0, 0, false);
        let mut line = 1;
        let mut skip = mark_bytes;
        let mut has_header = false;
        loop {
            while let Some(rest) = buffer.get(start + skip..end).filter(|_| start + skip <= end) {
                let Some(found) = self.dialect.row(rest, is_end) else {
                    break;
                };
                start += skip;
                skip = 0;
                let bytes = rest.get(..found.length_bytes).unwrap_or_default();
                let kind = match (without_line_end(bytes).is_empty(), has_header) {
                    (true, _) => Line::Blank,
                    (false, false) => Line::Header,
                    (false, true) => Line::Row,
                };
                has_header |= kind == Line::Header;
                let row = FileRow {
                    bytes,
                    line,
                    kind,
                    is_closed: found.is_closed,
                };
                if !each(row)? {
                    return Ok(());
                }
                line += found.lines;
                start += found.length_bytes;
            }
            if is_end {
                return Ok(());
            }
            buffer.copy_within(start..end, 0);
            end -= start;
            start = 0;
            if end == buffer.len() {
                if end >= ROW_MAX_BYTES {
                    return Err(malformed(
                        self.original.path(),
                        line,
                        ItemError::new("a row does not end"),
                    ));
                }
                buffer.resize(end * 2, 0);
            }
            let free = buffer.get_mut(end..).unwrap_or_default();
            let read = reader
                .read(free)
                .map_err(|error| DiskError::new("read", self.original.path(), error))?;
            digest.update(buffer.get(end..end + read).unwrap_or_default());
            is_end = read == 0;
            end += read;
        }
    }

    /// Gives the file as it is to be; returns the digest of what was read for it.
    fn stage(&self, write: &TableWrite<'_>, out: &mut Staged<'_, '_>) -> Result<u64, SourceError> {
        let mut edits: BTreeMap<u64, (usize, &RowEdit)> = BTreeMap::new();
        for (at, edit) in write.rows.listed().iter().enumerate() {
            if let RowEdit::Update { row, .. } | RowEdit::Delete { row, .. } = edit {
                edits.insert(*row, (at, edit));
            }
        }
        let mut number = 0;
        let mut ends_open = false;
        out.put(if self.dialect.is_wide() {
            b""
        } else {
            self.dialect.mark()
        })?;
        let digest = self.rows(&mut |row| {
            ends_open = without_line_end(row.bytes).len() == row.bytes.len();
            match row.kind {
                Line::Blank => out.put(row.bytes)?,
                Line::Header => {
                    let header = self.new_header(row.bytes, &write.columns);
                    out.put(&header.map_err(|error| malformed(self.original.path(), row.line, error))?)?;
                }
                Line::Row => {
                    let edit = edits.get(&number);
                    number += 1;
                    match edit {
                        None => out.put(row.bytes)?,
                        Some((_, RowEdit::Delete { .. })) => ends_open = false,
                        Some((at, RowEdit::Update { old, new, .. })) => match self.patch(row.bytes, old, new) {
                            Ok(bytes) => out.put(&bytes)?,
                            Err(error) => out.refuse(*at, row.bytes, error)?,
                        },
                        Some((_, RowEdit::Insert { .. })) => {}
                    }
                }
            }
            Ok(true)
        })?;
        let line_end = self.dialect.line_end().as_bytes();
        if self.columns.is_empty() && !write.columns.is_empty() {
            out.put(
                &self
                    .new_header(line_end, &write.columns)
                    .map_err(|error| malformed(self.original.path(), 1, error))?,
            )?;
        }
        for insert in write.rows.inserts() {
            let (at, new) = insert?;
            let cells: Vec<Option<String>> = new.iter().map(|value| text_of(value.as_ref())).collect();
            match self.dialect.write_row(&cells) {
                Ok(row) if ends_open => {
                    // The last line had no line end, and the last line has none again.
                    out.put(line_end)?;
                    out.put(row.strip_suffix(line_end).unwrap_or(&row))?;
                }
                Ok(row) => out.put(&row)?,
                Err(error) => out.refuse(at, b"", error)?,
            }
        }
        Ok(digest)
    }

    fn new_header(&self, header: &[u8], edits: &[ColumnEdit]) -> Result<Vec<u8>, ItemError> {
        let mut count = self.columns.len();
        let mut cells: BTreeMap<usize, Option<String>> = BTreeMap::new();
        for edit in edits {
            match edit {
                ColumnEdit::Add { name, .. } => {
                    cells.insert(count, Some(name.clone()));
                    count += 1;
                }
                ColumnEdit::Rename { column, name } => {
                    cells.insert(*column, Some(name.clone()));
                }
            }
        }
        let cells: Vec<_> = cells.into_iter().collect();
        if cells.is_empty() {
            return Ok(header.to_vec());
        }
        if self.columns.is_empty() {
            let names: Vec<_> = cells.into_iter().map(|(_, name)| name).collect();
            return self.dialect.write_row(&names);
        }
        self.dialect.patch_row(header, &cells)
    }

    fn patch(&self, row: &[u8], old: &Values, new: &Values) -> Result<Vec<u8>, ItemError> {
        let mut cells = Vec::new();
        for (column, value) in new.iter().enumerate() {
            if old.get(column).unwrap_or(&None) != value {
                cells.push((column, text_of(value.as_ref())));
            }
        }
        self.dialect.patch_row(row, &cells)
    }
}

fn column(name: String) -> TableColumn {
    TableColumn {
        name,
        kind: None,
        key: None,
        is_read_only: false,
    }
}

fn text_of(value: Option<&Value>) -> Option<String> {
    from_value(value).text().map(std::borrow::Cow::into_owned)
}

/// A new file on its way: straight to the disk, or in memory where it is encoded as a whole.
struct Staged<'s, 'd> {
    sink: &'s mut Sink<'d>,
    /// Everything until the end, where it is encoded as a whole.
    whole: Option<Vec<u8>>,
    refused: Vec<RowRefusal>,
}

impl Staged<'_, '_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), SourceError> {
        match &mut self.whole {
            None => (self.sink)(bytes),
            Some(whole) => {
                whole.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Keeps a row as it was and tells why.
    fn refuse(&mut self, edit: usize, bytes: &[u8], error: ItemError) -> Result<(), SourceError> {
        let reason = error.reason;
        self.refused.push(RowRefusal::new(edit, reason));
        self.put(bytes)
    }

    fn finish(self, dialect: &Dialect, path: &Path) -> Result<Vec<RowRefusal>, SourceError> {
        if let Some(whole) = &self.whole {
            let encoded = std::str::from_utf8(whole).ok();
            let encoded = encoded.and_then(|text| dialect.encode_whole(text));
            let encoded = encoded.ok_or_else(|| malformed(path, 1, ItemError::new("it cannot be encoded")))?;
            (self.sink)(&encoded)?;
        }
        Ok(self.refused)
    }
}

impl Table for CsvTable {
    fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    fn is_typed(&self) -> bool {
        false
    }

    fn compares_rows(&self) -> bool {
        // The whole file is known to be what was read.
        false
    }

    fn read(&self, each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError> {
        let mut is_complete = true;
        let mut last = Vec::new();
        let digest = self.rows(&mut |row| {
            is_complete &= row.is_closed;
            if row.kind == Line::Row {
                if without_line_end(row.bytes).len() == row.bytes.len() {
                    last = row.bytes.to_vec();
                }
                each(RawRow {
                    bytes: row.bytes,
                    line: row.line,
                })?;
            }
            Ok(true)
        })?;
        if !last.is_empty() {
            // A file that is just being written ends within a row.
            let mut cells = 0;
            let _ignored = self.dialect.cells(&last, |_, _| cells += 1);
            is_complete &= cells >= self.columns.len();
        }
        is_complete &= self.original.was_read(digest)?;
        Ok(ReadEnd { is_complete })
    }

    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, row::Cell<'r>)) -> Result<(), ItemError> {
        let columns = self.columns.len();
        let mut surplus = false;
        self.dialect.cells(row, |column, cell| {
            if column < columns {
                each(column, cell);
            } else {
                surplus |= !matches!(&cell, row::Cell::Null) && cell.text().is_some_and(|text| !text.is_empty());
            }
        })?;
        if surplus {
            return Err(ItemError::new(format!(
                "it has more cells than the header, which has {columns}"
            )));
        }
        Ok(())
    }

    fn survey(&self, row: &[u8], each: &mut dyn FnMut(usize, &[u8])) -> Result<(), ItemError> {
        if self.dialect.raw_cells(row, &mut *each) {
            return Ok(());
        }
        self.cells(row, &mut |column, cell| {
            each(column, cell.text().unwrap_or_default().as_bytes());
        })
    }

    fn shown(&self, _column: usize, value: Option<Value>) -> Option<Value> {
        value
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
        let mut original = self.original.clone();
        let written = original.replace(|sink| {
            let mut staged = Staged {
                sink,
                whole: self.dialect.is_wide().then(Vec::new),
                refused: Vec::new(),
            };
            let digest = self.stage(write, &mut staged)?;
            Ok((staged.finish(&self.dialect, self.original.path())?, digest))
        })?;
        let Some(refused) = written else {
            return Ok(changed_meanwhile());
        };
        self.original = original;
        self.read_header()?;
        Ok(WriteOutcome::Written(refused))
    }
}
