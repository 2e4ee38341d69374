//! Sheets of XLSX workbooks (ECMA-376) as tables.
//!
//! The header is the first of the first rows that is at least half as full as the fullest of them; its named cells are
//! the columns, every row below that has something in one of them is a row. *Rule of null*: a cell without value is
//! nothing, a cell with an empty text is a text.
//!
//! Written are single cells, in the XML of their own sheet: styles, formulas, other sheets, drawings and names stay as
//! they are, in the bytes they were packed in. Cells with formulas show the value that was computed last and are
//! never written. New texts stand in their cells, the table of shared strings stays. A removed row is emptied where it
//! stands, since what refers to the rows below would mean others if they moved; a new row stands below the last one that has
//! something. Programs that open the workbook afterwards compute its formulas anew.

mod book;
mod date;
mod sheet;
#[cfg(test)]
mod tests;
mod xml;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use self::book::{Book, new_book};
use self::date::Shows;
use self::sheet::{
    Content, MAX_COLUMNS, MAX_ROWS, Shared, Sheet, SheetRow, name_of, plain_number, spell, stored_number,
};
use super::whole::{Original, changed_meanwhile, malformed};
use super::{
    ColumnEdit, Location, RawRow, ReadEnd, RowEdit, RowRefusal, Table, TableColumn, TableFormat, TableInfo, TableWrite,
    Values, WriteOutcome,
};
use crate::disk::Disk;
use crate::format::{Confidence, ItemError};
use crate::model::Value;
use crate::model::row::{Cell, ColumnType, from_value, to_value};
use crate::source::SourceError;

/// How many rows are looked at to find the header (chosen: titles and notes above tables are shorter).
const HEADER_ROWS: usize = 20;
/// The longest text a cell takes (that of the programs that write such files).
const TEXT_MAX_UNITS: usize = 32_767;
/// How many digits of a number those programs keep.
const NUMBER_DIGITS: usize = 15;

/// XLSX workbooks.
pub(super) struct XlsxTables {
    info: TableInfo,
}

impl XlsxTables {
    pub(super) const fn new() -> Self {
        Self {
            info: TableInfo {
                name: "xlsx",
                title: "A sheet of an XLSX workbook: FILE#SHEET",
                extensions: &["xlsx"],
                is_server: false,
                has_tables: true,
                writes: true,
                is_typed: true,
            },
        }
    }
}

impl TableFormat for XlsxTables {
    fn info(&self) -> &TableInfo {
        &self.info
    }

    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence {
        let ending = Path::new(file_name).extension().unwrap_or_default();
        let is_meant = ["xlsx", "xlsm"].iter().any(|known| ending.eq_ignore_ascii_case(known));
        if is_meant && head.starts_with(b"PK") {
            Confidence::Certain
        } else {
            Confidence::No
        }
    }

    fn open(&self, disk: &Disk, location: &Location) -> Result<Box<dyn Table>, SourceError> {
        let mut table = XlsxTable {
            original: Original::new(disk, &location.path)?,
            name: location.table.clone().unwrap_or_default(),
            digest: 0,
            loaded: None,
            columns: Vec::new(),
            places: Vec::new(),
        };
        table.load()?;
        Ok(Box::new(table))
    }

    fn create(&self, disk: &Disk, location: &Location, columns: &[TableColumn]) -> Result<(), SourceError> {
        let wrap = |error| malformed(&location.path, 1, error);
        if disk.stat(&location.path)?.is_some() {
            return Err(place(
                &location.path,
                "a sheet cannot be added to it; add it there, or name a new file",
            ));
        }
        let mut row = String::new();
        for (at, column) in (1u32..).zip(columns) {
            let content = spell(&Content::Text(column.name.clone()), date::Epoch::Y1900).unwrap_or_default();
            let content = content.replace("</:", "</").replace("<:", "<");
            let _never_fails = write!(row, "<c r=\"{}1\"{content}</c>", name_of(at));
        }
        let name = location.table.as_deref().unwrap_or("Sheet1");
        let book = new_book(&format!("<row r=\"1\">{row}</row>"), name).map_err(wrap)?;
        Ok(disk.create_new(&location.path, &book)?)
    }

    fn tables(&self, disk: &Disk, location: &Location) -> Result<Vec<String>, SourceError> {
        let book = Book::open(disk.read(&location.path)?);
        let book = book.map_err(|error| malformed(&location.path, 1, error))?;
        Ok(book.sheets.into_iter().map(|(name, _)| name).collect())
    }
}

fn place(path: &Path, reason: impl Into<String>) -> SourceError {
    SourceError::Place {
        location: path.display().to_string(),
        reason: reason.into(),
    }
}

struct XlsxTable {
    original: Original,
    /// The sheet.
    name: String,
    /// Of the file as it was loaded.
    digest: u64,
    loaded: Option<Loaded>,
    columns: Vec<TableColumn>,
    /// Where the columns stand in the sheet.
    places: Vec<Place>,
}

/// A sheet in memory.
struct Loaded {
    book: Book,
    part: String,
    sheet: Sheet,
    /// The number of the header's row.
    header: u32,
    /// The rows of the table, by their place in the sheet.
    rows: Vec<usize>,
}

/// A column in the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    column: u32,
    /// What its dates show and the style that does.
    moments: Option<(Shows, Option<String>)>,
    /// The style of its last cell.
    style: Option<String>,
}

impl Loaded {
    fn row(&self, at: u64) -> Option<&SheetRow> {
        let at = usize::try_from(at).ok()?;
        self.sheet.rows.get(*self.rows.get(at)?)
    }
}

/// Returns which row is the header.
fn header_of(sheet: &Sheet) -> Option<usize> {
    let filled = |row: &SheetRow| {
        let cells = row.cells.iter();
        cells.filter(|cell| !matches!(&cell.content, Content::Empty)).count()
    };
    let mut first = sheet.rows.iter().enumerate().filter(|(_, row)| filled(row) > 0);
    let first: Vec<_> = first.by_ref().take(HEADER_ROWS).collect();
    let fullest = first.iter().map(|(_, row)| filled(row)).max()?;
    let found = first.iter().find(|(_, row)| filled(row) * 2 >= fullest)?;
    Some(found.0)
}

impl XlsxTable {
    fn load(&mut self) -> Result<(), SourceError> {
        let path = self.original.path().to_owned();
        let wrap = |error| malformed(&path, 1, error);
        let bytes = self.original.disk().read(&path)?;
        self.digest = digest_of(&bytes);
        let mut book = Book::open(bytes).map_err(wrap)?;
        let only = || {
            book.sheets
                .first()
                .filter(|_| book.sheets.len() == 1 && self.name.is_empty())
        };
        let named = book.sheets.iter().find(|(name, _)| *name == self.name).or_else(only);
        let Some((_, part)) = named.cloned() else {
            return Err(SourceError::Missing(format!("{}#{}", path.display(), self.name)));
        };
        let xml = book.part(&part).map_err(wrap)?;
        let shared = Shared {
            strings: &book.strings,
            styles: &book.styles,
            epoch: book.epoch,
        };
        let sheet = Sheet::read(xml, &shared).map_err(wrap)?;
        self.columns.clear();
        self.places.clear();
        let mut loaded = Loaded {
            book,
            part,
            sheet,
            header: 1,
            rows: Vec::new(),
        };
        if let Some(header) = header_of(&loaded.sheet) {
            self.learn(&mut loaded, header);
        }
        self.loaded = Some(loaded);
        Ok(())
    }

    /// Finds the columns and rows of the table.
    fn learn(&mut self, loaded: &mut Loaded, header: usize) {
        let Some(row) = loaded.sheet.rows.get(header) else {
            return;
        };
        loaded.header = row.number;
        for cell in &row.cells {
            let name = cell
                .content
                .cell()
                .text()
                .map(|text| text.trim().to_owned())
                .unwrap_or_default();
            if !name.is_empty() {
                self.columns.push(TableColumn {
                    name,
                    kind: None,
                    key: None,
                    is_read_only: false,
                });
                self.places.push(Place {
                    column: cell.column,
                    moments: None,
                    style: None,
                });
            }
        }
        let mut kinds = vec![Kinds::default(); self.places.len()];
        for (at, row) in loaded.sheet.rows.iter().enumerate().skip(header + 1) {
            let mut has_value = false;
            for (place, kinds) in self.places.iter_mut().zip(&mut kinds) {
                let Some(cell) = row.cell(place.column) else { continue };
                has_value |= !cell.is_formula && cell.content != Content::Empty;
                kinds.see(&cell.content, cell.is_formula);
                if let Content::Moment(_, shows) = &cell.content {
                    place.moments = Some((*shows, cell.style.clone()));
                }
                if cell.content != Content::Empty {
                    place.style.clone_from(&cell.style);
                }
            }
            if has_value {
                loaded.rows.push(at);
            }
        }
        for (column, kinds) in self.columns.iter_mut().zip(kinds) {
            column.kind = Some(kinds.kind());
            column.is_read_only = kinds.has_formulas && !kinds.has_values;
        }
    }

    /// Returns what a value becomes in a column: the content of the cell.
    fn content(&self, column: usize, value: Option<&Value>) -> Content {
        let cell = from_value(value);
        let plain = match &cell {
            Cell::Null => return Content::Empty,
            Cell::Bool(value) => return Content::Bool(*value),
            Cell::Integer(_) | Cell::Decimal(_) => {
                let digits = |number: &String| number.bytes().filter(u8::is_ascii_digit).count();
                cell.text()
                    .and_then(|text| plain_number(&text))
                    .filter(|number| digits(number) <= NUMBER_DIGITS)
            }
            Cell::Float(_) => cell.text().and_then(|text| plain_number(&text)),
            Cell::Text(_) | Cell::Bytes(_) => None,
        };
        let text = cell.text().unwrap_or_default().into_owned();
        let moments = self.places.get(column).and_then(|place| place.moments.as_ref());
        match (plain, moments) {
            (Some(number), _) => Content::Number(number),
            (None, Some((shows, _))) => {
                let epoch = self.loaded.as_ref().map(|loaded| loaded.book.epoch).unwrap_or_default();
                match date::serial_of(&text, *shows, epoch) {
                    // A blank between date and time is read back as the letter.
                    Some(_) => Content::Moment(text.replacen(' ', "T", 1), *shows),
                    None => Content::Text(text),
                }
            }
            (None, None) => Content::Text(text),
        }
    }

    /// Returns the changed cells, and the rows that are refused.
    fn changes(&self, loaded: &Loaded, write: &TableWrite<'_>) -> Result<Changes, SourceError> {
        let mut changes = Changes::default();
        let mut columns: Vec<u32> = self.places.iter().map(|place| place.column).collect();
        for edit in &write.columns {
            if loaded.sheet.has_tables {
                let reason = "its header is that of a table of the spreadsheet program; change columns there";
                return Err(place(self.original.path(), reason));
            }
            let (column, name) = match edit {
                ColumnEdit::Add { name, .. } => {
                    let used = loaded.sheet.rows.iter().filter_map(|row| row.cells.last());
                    let last = used.map(|cell| cell.column).chain(columns.iter().copied()).max();
                    let column = last.unwrap_or(0) + 1;
                    if column > MAX_COLUMNS {
                        return Err(place(self.original.path(), "no column is free"));
                    }
                    columns.push(column);
                    (column, name)
                }
                ColumnEdit::Rename { column, name } => match columns.get(*column) {
                    Some(at) => (*at, name),
                    None => continue,
                },
            };
            let content = spell(&Content::Text(name.clone()), loaded.book.epoch);
            changes.cells.insert((loaded.header, column), content);
        }
        let last = loaded.sheet.rows.iter().rev();
        let mut last = last.filter(|row| row.cells.iter().any(|cell| cell.content != Content::Empty));
        let mut next = last.next().map_or(loaded.header, |row| row.number.max(loaded.header)) + 1;
        for edit in write.rows.iter() {
            let (at, edit) = edit?;
            let result = match &*edit {
                RowEdit::Insert { new } if next > MAX_ROWS => Err(format!("the sheet has no row {next}: {new:?}")),
                RowEdit::Insert { new } => {
                    let result = self.row(loaded, &columns, next, None, &Vec::new(), new, &mut changes);
                    next += u32::from(result.is_ok());
                    result
                }
                RowEdit::Update { row, old, new } => match loaded.row(*row) {
                    Some(row) => self.row(loaded, &columns, row.number, Some(row), old, new, &mut changes),
                    None => Err("it is not what was read".to_owned()),
                },
                RowEdit::Delete { row, .. } => match loaded.row(*row) {
                    Some(row) => {
                        let shown = row.cells.iter().filter(|cell| columns.contains(&cell.column));
                        for cell in shown.filter(|cell| !cell.is_formula && cell.content != Content::Empty) {
                            changes.cells.insert((row.number, cell.column), None);
                        }
                        Ok(())
                    }
                    None => Err("it is not what was read".to_owned()),
                },
            };
            if let Err(reason) = result {
                changes.refused.push(RowRefusal::new(at, reason));
            }
        }
        for place in &self.places {
            let style = place.moments.as_ref().map_or(&place.style, |(_, style)| style);
            changes.styles.extend(style.clone().map(|style| (place.column, style)));
        }
        Ok(changes)
    }

    /// Takes the changes of one row; a reason where it cannot be written.
    #[expect(clippy::too_many_arguments, reason = "a row before and after, and where it stands")]
    fn row(
        &self,
        loaded: &Loaded,
        columns: &[u32],
        number: u32,
        row: Option<&SheetRow>,
        old: &Values,
        new: &Values,
        changes: &mut Changes,
    ) -> Result<(), String> {
        let mut cells = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let (was, now) = (old.get(at).unwrap_or(&None), new.get(at).unwrap_or(&None));
            if was == now {
                continue;
            }
            let cell = row.and_then(|row| row.cell(*column));
            if cell.is_some_and(|cell| cell.is_formula) {
                return Err(format!(
                    "cell {}{number} has a formula, which is not overwritten",
                    name_of(*column)
                ));
            }
            let mut content = self.content(at, now.as_ref());
            if let (Content::Moment(text, _), Some(cell)) = (&content, cell) {
                // The cell keeps its style; one that shows no date takes the text.
                let shared = Shared {
                    strings: &loaded.book.strings,
                    styles: &loaded.book.styles,
                    epoch: loaded.book.epoch,
                };
                content = match shared.shows(cell.style.as_deref()) {
                    Some(shows) => Content::Moment(text.clone(), shows),
                    None => Content::Text(text.clone()),
                };
            }
            if matches!(&content, Content::Text(text) if text.encode_utf16().count() > TEXT_MAX_UNITS) {
                return Err(format!("a cell takes {TEXT_MAX_UNITS} characters at most"));
            }
            cells.push(((number, *column), spell(&content, loaded.book.epoch)));
        }
        changes.cells.extend(cells);
        Ok(())
    }
}

/// What is written.
#[derive(Debug, Default)]
struct Changes {
    /// By row and column; `None` empties a cell.
    cells: BTreeMap<(u32, u32), Option<String>>,
    /// Styles of new cells, by column.
    styles: BTreeMap<u32, String>,
    refused: Vec<RowRefusal>,
}

fn digest_of(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "any set of them is possible")]
struct Kinds {
    has_bool: bool,
    has_integer: bool,
    has_decimal: bool,
    has_text: bool,
    moments: Option<ColumnType>,
    has_mixed_moments: bool,
    has_formulas: bool,
    has_values: bool,
}

impl Kinds {
    fn see(&mut self, content: &Content, is_formula: bool) {
        self.has_formulas |= is_formula;
        self.has_values |= !is_formula && *content != Content::Empty;
        match content {
            Content::Empty => {}
            Content::Bool(_) => self.has_bool = true,
            Content::Number(number) if number.contains('.') => self.has_decimal = true,
            Content::Number(_) => self.has_integer = true,
            Content::Text(_) => self.has_text = true,
            Content::Moment(text, shows) => {
                let kind = match shows {
                    Shows::Time => ColumnType::Time,
                    _ if text.len() == 10 => ColumnType::Date,
                    _ => ColumnType::Timestamp,
                };
                self.has_mixed_moments |= self.moments.is_some_and(|known| known != kind);
                self.moments = Some(kind);
            }
        }
    }

    fn kind(self) -> ColumnType {
        let is_number = self.has_integer || self.has_decimal;
        let classes = [self.has_bool, is_number, self.has_text, self.moments.is_some()];
        match (classes, self.moments) {
            ([true, false, false, false], _) => ColumnType::Boolean,
            ([false, true, false, false], _) if self.has_decimal => ColumnType::Decimal,
            ([false, true, false, false], _) => ColumnType::Integer,
            ([false, false, false, true], Some(kind)) if !self.has_mixed_moments => kind,
            _ => ColumnType::Text,
        }
    }
}

/// First bytes of a cell in a raw row, after its column.
const BOOL: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 3;

fn push_cell(column: usize, content: &Content, out: &mut Vec<u8>) {
    let (tag, text) = match content {
        Content::Empty => return,
        Content::Bool(value) => (BOOL, if *value { "1" } else { "0" }),
        Content::Number(number) => (NUMBER, number.as_str()),
        Content::Moment(text, _) | Content::Text(text) => (TEXT, text.as_str()),
    };
    out.extend_from_slice(&(column as u64).to_le_bytes());
    out.push(tag);
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn take_cell<'r>(row: &mut &'r [u8]) -> Option<(usize, Cell<'r>)> {
    fn take<'r>(row: &mut &'r [u8], count: usize) -> Option<&'r [u8]> {
        let (head, rest) = row.split_at_checked(count)?;
        *row = rest;
        Some(head)
    }
    let column = u64::from_le_bytes(*take(row, 8)?.first_chunk()?);
    let [tag] = *take(row, 1)?.first_chunk()?;
    let length = u64::from_le_bytes(*take(row, 8)?.first_chunk()?);
    let text = std::str::from_utf8(take(row, usize::try_from(length).ok()?)?).ok()?;
    let cell = match tag {
        BOOL => Cell::Bool(text == "1"),
        NUMBER => stored_number(text),
        _ => Cell::Text(text.into()),
    };
    Some((usize::try_from(column).ok()?, cell))
}

impl Table for XlsxTable {
    fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn read(&self, each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError> {
        let mut bytes = Vec::new();
        if let Some(loaded) = &self.loaded {
            for row in loaded.rows.iter().filter_map(|at| loaded.sheet.rows.get(*at)) {
                bytes.clear();
                for (at, place) in self.places.iter().enumerate() {
                    if let Some(cell) = row.cell(place.column) {
                        push_cell(at, &cell.content, &mut bytes);
                    }
                }
                let line = u64::from(row.number);
                each(RawRow { bytes: &bytes, line })?;
            }
        }
        Ok(ReadEnd {
            is_complete: self.original.was_read(self.digest)?,
        })
    }

    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        let mut rest = row;
        while !rest.is_empty() {
            let (column, cell) = take_cell(&mut rest).ok_or_else(|| ItemError::new("it cannot be read"))?;
            each(column, cell);
        }
        Ok(())
    }

    fn shown(&self, column: usize, value: Option<Value>) -> Option<Value> {
        let content = self.content(column, value.as_ref());
        to_value(content.cell())
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
        let path = self.original.path().to_owned();
        let Some(loaded) = &self.loaded else {
            return Ok(changed_meanwhile());
        };
        let changes = self.changes(loaded, write)?;
        let xml = loaded.sheet.with(&changes.cells, &changes.styles);
        let part = loaded.part.clone();
        let disk = self.original.disk().clone();
        let written = self.original.replace(|sink| {
            let bytes = disk.read(&path)?;
            let digest = digest_of(&bytes);
            let book = Book::open(bytes).and_then(|mut book| book.with_part(&part, &xml));
            sink(&book.map_err(|error| malformed(&path, 1, error))?)?;
            Ok(((), digest))
        })?;
        if written.is_none() {
            return Ok(changed_meanwhile());
        }
        self.load()?;
        Ok(WriteOutcome::Written(changes.refused))
    }
}
