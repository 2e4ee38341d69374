//! JSON Lines files and JSON arrays of objects as tables.
//!
//! A column is a member that any object has, in the order in which they first come. *Rule of null*: null and a missing
//! member are the same, nothing; an empty string is a text. A value that goes becomes `null` in its place; a new
//! object has all members, so that a column never depends on one row. Objects and arrays inside are texts of type JSON.
//! An object that has a member twice, or is broken, is set aside.

mod cells;
mod pieces;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(super) use self::cells::number;
use self::cells::{Kinds, cell_of, spell};
use self::pieces::{Kind, Layout, MARK, Piece, read};
use super::whole::{Original, Sink, changed_meanwhile, malformed};
use super::{
    ColumnEdit, Location, RawRow, ReadEnd, RowEdit, RowEdits, RowRefusal, Table, TableColumn, TableFormat, TableInfo,
    TableWrite, Values, WriteOutcome,
};
use crate::disk::Disk;
use crate::format::json::{Member, Spacing, members, patch, quote, unquote};
use crate::format::{Confidence, ItemError};
use crate::model::Value;
use crate::model::row::{Cell, ColumnType, to_value};
use crate::source::SourceError;

/// The most columns (chosen: beyond, names are values, and the file is no table).
const MAX_COLUMNS: usize = 10_000;

/// JSON Lines or JSON arrays.
pub(super) struct JsonTables {
    info: TableInfo,
    layout: Layout,
}

impl JsonTables {
    /// Makes the format `jsonl`.
    pub(super) const fn lines() -> Self {
        Self {
            info: TableInfo {
                name: "jsonl",
                title: "JSON Lines: one object per line",
                extensions: &["jsonl", "ndjson", "ldjson"],
                is_server: false,
                has_tables: false,
                writes: true,
                is_typed: true,
            },
            layout: Layout::Lines,
        }
    }

    /// Makes the format `json`.
    pub(super) const fn array() -> Self {
        Self {
            info: TableInfo {
                name: "json",
                title: "A JSON array of objects",
                // A new `.json` file is one of contacts.
                extensions: &[],
                is_server: false,
                has_tables: false,
                writes: true,
                is_typed: true,
            },
            layout: Layout::Array,
        }
    }
}

impl TableFormat for JsonTables {
    fn info(&self) -> &TableInfo {
        &self.info
    }

    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence {
        let ending = Path::new(file_name).extension().unwrap_or_default();
        let content = head.strip_prefix(MARK).unwrap_or(head).trim_ascii_start();
        let is_meant = match self.layout {
            Layout::Lines => {
                let is_named = self
                    .info
                    .extensions
                    .iter()
                    .any(|known| ending.eq_ignore_ascii_case(known));
                is_named && matches!(content, [] | [b'{', ..])
            }
            Layout::Array => {
                let inside = content.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
                ending.eq_ignore_ascii_case("json") && matches!(inside, Some([b'{' | b']', ..]))
            }
        };
        if is_meant { Confidence::Possible } else { Confidence::No }
    }

    fn open(&self, disk: &Disk, location: &Location) -> Result<Box<dyn Table>, SourceError> {
        let mut table = JsonTable {
            original: Original::new(disk, &location.path)?,
            layout: self.layout,
            columns: Vec::new(),
            by_name: BTreeMap::new(),
            style: Style::default(),
            has_rows: false,
        };
        table.learn()?;
        Ok(Box::new(table))
    }

    fn create(&self, disk: &Disk, location: &Location, _columns: &[TableColumn]) -> Result<(), SourceError> {
        let empty: &[u8] = match self.layout {
            Layout::Lines => b"",
            Layout::Array => b"[]\n",
        };
        Ok(disk.create_new(&location.path, empty)?)
    }

    fn tables(&self, _disk: &Disk, _location: &Location) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }
}

/// How rows of a file are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Style {
    spacing: Spacing,
    /// What stands before an object: the indent of an element.
    lead: String,
    line_end: &'static str,
}

struct JsonTable {
    original: Original,
    layout: Layout,
    columns: Vec<TableColumn>,
    by_name: BTreeMap<String, usize>,
    style: Style,
    has_rows: bool,
}

/// The members of a row, with the column that each is of.
struct Row<'r> {
    text: &'r str,
    members: Vec<Member>,
    columns: Vec<usize>,
}

/// Returns the text of a row and its members; fails where it is none.
fn parsed(row: &[u8]) -> Result<(&str, Vec<Member>), ItemError> {
    let text = std::str::from_utf8(row).map_err(|_| ItemError::new("it is not UTF-8"))?;
    Ok((text, members(text)?))
}

impl JsonTable {
    /// Reads a row; its members stand mostly in the order of the columns.
    fn row<'r>(&self, bytes: &'r [u8]) -> Result<Row<'r>, ItemError> {
        let (text, members) = parsed(bytes)?;
        let mut seen = vec![false; self.columns.len()];
        let mut columns = Vec::with_capacity(members.len());
        for member in &members {
            let name = unquote(text.get(member.name.clone()).unwrap_or_default())?;
            let next = columns.last().map_or(0, |last| last + 1);
            let found = match self.columns.get(next) {
                Some(column) if column.name == name => Some(next),
                _ => self.by_name.get(name.as_ref()).copied(),
            };
            let at = found.ok_or_else(|| ItemError::new(format!("its member `{name}` came meanwhile")))?;
            if seen.get(at) == Some(&true) {
                return Err(ItemError::new(format!("it has the member `{name}` twice")));
            }
            if let Some(seen) = seen.get_mut(at) {
                *seen = true;
            }
            columns.push(at);
        }
        Ok(Row { text, members, columns })
    }

    fn set_columns(&mut self, columns: Vec<TableColumn>) {
        let names = columns.iter().enumerate();
        self.by_name = names.map(|(at, column)| (column.name.clone(), at)).collect();
        self.columns = columns;
    }

    /// Learns the columns, their types and how objects are written.
    fn learn(&mut self) -> Result<(), SourceError> {
        let mut columns: Vec<(String, Kinds)> = Vec::new();
        let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
        let mut style: Option<Style> = None;
        let mut has_rows = false;
        let path = self.original.path();
        read(&self.original, self.layout, &mut |piece| {
            if piece.kind != Kind::Row {
                return Ok(());
            }
            has_rows = true;
            let (bytes, _) = piece.trimmed();
            let Ok((text, members)) = parsed(bytes) else {
                return Ok(());
            };
            style.get_or_insert_with(|| self.style_of(&piece, text, &members));
            for (at, member) in members.iter().enumerate() {
                let Ok(name) = unquote(text.get(member.name.clone()).unwrap_or_default()) else {
                    continue;
                };
                let same = columns.get(at).is_some_and(|(known, _)| *known == name);
                let found = if same {
                    Some(at)
                } else {
                    by_name.get(name.as_ref()).copied()
                };
                let at = found.unwrap_or_else(|| {
                    by_name.insert(name.clone().into_owned(), columns.len());
                    columns.push((name.into_owned(), Kinds::default()));
                    columns.len() - 1
                });
                if let Some((_, kinds)) = columns.get_mut(at) {
                    kinds.see(text.get(member.value.clone()).unwrap_or_default());
                }
            }
            if columns.len() > MAX_COLUMNS {
                let reason = format!("the objects have more than {MAX_COLUMNS} different members");
                return Err(malformed(path, piece.line, ItemError::new(reason)));
            }
            Ok(())
        })?;
        let columns = columns.into_iter();
        self.set_columns(columns.map(|(name, kinds)| column(name, Some(kinds.kind()))).collect());
        self.style = style.unwrap_or_else(|| Style {
            lead: if self.layout == Layout::Array { "\n" } else { "" }.to_owned(),
            line_end: "\n",
            spacing: Spacing::default(),
        });
        self.has_rows = has_rows;
        Ok(())
    }

    fn style_of(&self, piece: &Piece<'_>, text: &str, members: &[Member]) -> Style {
        let (_, lead) = piece.trimmed();
        let is_array = self.layout == Layout::Array;
        let lead = piece.bytes.get(..lead).filter(|_| is_array).unwrap_or_default();
        Style {
            spacing: Spacing::of(text, members),
            lead: String::from_utf8_lossy(lead).into_owned(),
            line_end: if piece.bytes.ends_with(b"\r\n") { "\r\n" } else { "\n" },
        }
    }

    /// Returns the columns that there are after changes of columns, and the present ones that get another name.
    fn edited(&self, edits: &[ColumnEdit]) -> Result<(Vec<TableColumn>, BTreeMap<usize, String>), SourceError> {
        let mut columns = self.columns.clone();
        let mut renamed = BTreeMap::new();
        for edit in edits {
            match edit {
                ColumnEdit::Add { name, kind } => columns.push(column(name.clone(), Some(*kind))),
                ColumnEdit::Rename { column, name } => {
                    if let Some(column) = columns.get_mut(*column) {
                        column.name.clone_from(name);
                    }
                    renamed.insert(*column, name.clone());
                }
            }
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = columns.iter().find(|column| !names.insert(column.name.as_str())) {
            return Err(SourceError::Place {
                location: self.original.path().display().to_string(),
                reason: format!("an object cannot have the member `{}` twice", twice.name),
            });
        }
        Ok((columns, renamed))
    }
}

fn column(name: String, kind: Option<ColumnType>) -> TableColumn {
    TableColumn {
        name,
        kind,
        key: None,
        is_read_only: false,
    }
}

/// Writing a file anew.
struct Stage<'s> {
    table: &'s JsonTable,
    /// The columns afterwards.
    columns: &'s [TableColumn],
    renamed: &'s BTreeMap<usize, String>,
    /// Columns that the first row has to name, since no other one would.
    carried: &'s BTreeSet<usize>,
    edits: BTreeMap<u64, (usize, &'s RowEdit)>,
    rows: &'s RowEdits<'s>,
    /// Columns that no row has named so far.
    unnamed: BTreeSet<usize>,
    refused: Vec<RowRefusal>,
    /// How many rows were read, and how many written.
    read: u64,
    written: u64,
    /// What stood behind the last element that was written, and behind the last one that was read.
    gap: Vec<u8>,
    closing: Vec<u8>,
    /// Whether the last line has no end.
    is_open: bool,
}

impl<'s> Stage<'s> {
    fn new(
        table: &'s JsonTable,
        write: &'s TableWrite<'_>,
        columns: &'s [TableColumn],
        renamed: &'s BTreeMap<usize, String>,
        carried: &'s BTreeSet<usize>,
    ) -> Self {
        let mut edits = BTreeMap::new();
        for (at, edit) in write.rows.listed().iter().enumerate() {
            if let RowEdit::Update { row, .. } | RowEdit::Delete { row, .. } = edit {
                edits.insert(*row, (at, edit));
            }
        }
        Self {
            table,
            columns,
            renamed,
            carried,
            edits,
            rows: &write.rows,
            unnamed: (0..columns.len()).filter(|at| !carried.contains(at)).collect(),
            refused: Vec::new(),
            read: 0,
            written: 0,
            gap: Vec::new(),
            closing: Vec::new(),
            is_open: false,
        }
    }

    /// Writes everything; returns the digest of what was read.
    fn run(&mut self, sink: &mut Sink<'_>) -> Result<u64, SourceError> {
        let mut tail = Vec::new();
        let end = read(&self.table.original, self.table.layout, &mut |piece| match piece.kind {
            Kind::Head => sink(piece.bytes),
            Kind::Blank if self.table.layout == Layout::Lines => sink(piece.bytes),
            Kind::Blank => {
                self.closing = piece.bytes.to_vec();
                Ok(())
            }
            Kind::Row => self.row(&piece, sink),
            Kind::Tail => {
                tail = piece.bytes.to_vec();
                Ok(())
            }
        })?;
        if !end.is_closed {
            let reason = "it ends within the array; it is left for the next run";
            return Err(malformed(self.table.original.path(), 1, ItemError::new(reason)));
        }
        for insert in self.rows.inserts() {
            self.insert(&insert?.1, sink)?;
        }
        if self.table.layout == Layout::Array {
            if self.closing.is_empty() && self.read == 0 && self.written > 0 {
                self.closing = b"\n".to_vec();
            }
            sink(&self.closing)?;
            sink(&tail)?;
        }
        Ok(end.digest)
    }

    fn row(&mut self, piece: &Piece<'_>, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let (bytes, lead) = piece.trimmed();
        let before = piece.bytes.get(..lead).unwrap_or_default();
        let after = piece.bytes.get(lead + bytes.len()..).unwrap_or_default();
        let number = self.read;
        self.read += 1;
        let edit = self.edits.get(&number).copied();
        self.closing = after.to_vec();
        if let Some((_, RowEdit::Delete { .. })) = edit {
            return Ok(());
        }
        let changed = self.change(bytes, edit);
        let row = changed.as_deref().map_or(bytes, str::as_bytes);
        if self.table.layout == Layout::Array {
            if self.written > 0 {
                sink(&self.gap)?;
                sink(b",")?;
            }
            sink(before)?;
            sink(row)?;
            self.gap = after.to_vec();
        } else {
            sink(before)?;
            sink(row)?;
            sink(after)?;
            self.is_open = !after.ends_with(b"\n");
        }
        self.written += 1;
        Ok(())
    }

    /// Returns the new text of a row that stays; `None` where it stays as it is.
    fn change(&mut self, bytes: &[u8], edit: Option<(usize, &RowEdit)>) -> Option<String> {
        let is_carrier = self.written == 0 && !self.carried.is_empty();
        if edit.is_none() && self.renamed.is_empty() && !is_carrier && self.unnamed.is_empty() {
            return None;
        }
        let row = match self.table.row(bytes) {
            Ok(row) => row,
            Err(error) => {
                if let Some((edit, _)) = edit {
                    let reason = error.reason;
                    self.refused.push(RowRefusal::new(edit, reason));
                }
                return None;
            }
        };
        for at in &row.columns {
            self.unnamed.remove(at);
        }
        let mut replaced = Vec::new();
        let mut added: Vec<(&str, String)> = Vec::new();
        for (member, at) in row.members.iter().zip(&row.columns) {
            if let Some(name) = self.renamed.get(at) {
                replaced.push((member.name.clone(), quote(name)));
            }
            if let Some((_, RowEdit::Update { old, new, .. })) = edit
                && old.get(*at).unwrap_or(&None) != new.get(*at).unwrap_or(&None)
            {
                let value = new.get(*at).and_then(Option::as_ref);
                replaced.push((member.value.clone(), self.spelled(*at, value)));
            }
        }
        for (at, column) in self.columns.iter().enumerate() {
            if row.columns.contains(&at) {
                continue;
            }
            let new = match edit {
                Some((_, RowEdit::Update { new, .. })) => new.get(at).and_then(Option::as_ref),
                _ => None,
            };
            if new.is_some() || is_carrier && self.carried.contains(&at) {
                added.push((&column.name, self.spelled(at, new)));
                self.unnamed.remove(&at);
            }
        }
        if replaced.is_empty() && added.is_empty() {
            return None;
        }
        Some(patch(row.text, &row.members, &replaced, &added))
    }

    fn spelled(&self, at: usize, value: Option<&Value>) -> String {
        spell(self.columns.get(at).and_then(|column| column.kind), value)
    }

    fn insert(&mut self, new: &Values, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let style = &self.table.style;
        let columns = self.columns.iter().enumerate();
        let members = columns.map(|(at, column)| {
            let value = new.get(at).and_then(Option::as_ref);
            (column.name.as_str(), self.spelled(at, value))
        });
        let object = style.spacing.object(members);
        if self.table.layout == Layout::Array {
            if self.written > 0 {
                sink(b",")?;
            }
            sink(style.lead.as_bytes())?;
            sink(object.as_bytes())?;
        } else {
            if self.is_open {
                sink(style.line_end.as_bytes())?;
            }
            sink(object.as_bytes())?;
            if !self.is_open {
                sink(style.line_end.as_bytes())?;
            }
        }
        self.unnamed.clear();
        self.written += 1;
        Ok(())
    }
}

impl Table for JsonTable {
    fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn expect(&mut self, names: &[String]) {
        if !self.has_rows {
            self.set_columns(names.iter().map(|name| column(name.clone(), None)).collect());
            return;
        }
        let mut columns = std::mem::take(&mut self.columns);
        let places: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        columns.sort_by_key(|column| places.get(column.name.as_str()).copied().unwrap_or(usize::MAX));
        self.set_columns(columns);
    }

    fn read(&self, each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError> {
        let mut last = Vec::new();
        let end = read(&self.original, self.layout, &mut |piece| {
            if piece.kind != Kind::Row {
                return Ok(());
            }
            let (bytes, _) = piece.trimmed();
            if self.layout == Layout::Lines && !piece.bytes.ends_with(b"\n") {
                last = bytes.to_vec();
            }
            each(RawRow {
                bytes,
                line: piece.line,
            })
        })?;
        // A file that is just being written ends within a line.
        let is_whole = last.is_empty() || parsed(&last).is_ok();
        Ok(ReadEnd {
            is_complete: self.original.was_read(end.digest)? && end.is_closed && is_whole,
        })
    }

    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        let row = self.row(row)?;
        let mut cells = Vec::with_capacity(row.columns.len());
        for (member, at) in row.members.iter().zip(&row.columns) {
            cells.push((*at, cell_of(row.text.get(member.value.clone()).unwrap_or_default())?));
        }
        for (at, cell) in cells {
            each(at, cell);
        }
        Ok(())
    }

    fn shown(&self, column: usize, value: Option<Value>) -> Option<Value> {
        let kind = self.columns.get(column).and_then(|column| column.kind);
        let spelled = spell(kind, value.as_ref());
        cell_of(&spelled).map_or(value, to_value)
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
        let (columns, renamed) = self.edited(&write.columns)?;
        let mut carried = BTreeSet::new();
        if !write.columns.is_empty()
            || write
                .rows
                .listed()
                .iter()
                .any(|edit| matches!(edit, RowEdit::Delete { .. }))
        {
            let mut trial = Stage::new(self, write, &columns, &renamed, &carried);
            trial.run(&mut |_| Ok(()))?;
            carried = trial.unnamed;
        }
        let mut original = self.original.clone();
        let written = original.replace(|sink| {
            let mut stage = Stage::new(self, write, &columns, &renamed, &carried);
            let digest = stage.run(sink)?;
            Ok((stage.refused, digest))
        })?;
        let Some(refused) = written else {
            return Ok(changed_meanwhile());
        };
        self.original = original;
        self.learn()?;
        Ok(WriteOutcome::Written(refused))
    }
}
