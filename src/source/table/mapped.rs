//! Tables that say the same as others in other words: mapped columns over any place.
//!
//! *Owns* the mapping language for rows (`docs/mapping.md`) and a [`Table`] that shows another one through it: columns by the
//! collection's names, values in its spelling, columns that nobody looks at left out, columns that the file does not have
//! with their one value. *Leaves* the bytes to the table below. *Invariant*: what cannot be read back byte by byte is
//! passed on as the text it is; raw rows are those of the table below, so fingerprints do not depend on the mapping.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::edits::{Below, NoRows};
use super::spelling::{Pattern, Spelling};
use super::{
    ColumnEdit, Location, RawRow, ReadEnd, RowEdit, RowEdits, Table, TableColumn, TableFormat, TableInfo, TableWrite,
    Values, WriteOutcome,
};
use crate::disk::{Disk, Stat};
use crate::format::{Confidence, ItemError};
use crate::model::row::{Cell, ColumnType, from_value};
use crate::model::{Value, at_place};
use crate::source::SourceError;

/// A compiled mapping of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowMapping {
    columns: Vec<Mapped>,
    /// Columns that the table does not have, with their value.
    constants: Vec<(String, String)>,
    /// Whether columns that the mapping does not name are left out.
    is_only: bool,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mapped {
    name: String,
    aliases: Vec<String>,
    /// Its name in the collection; `None`: nobody looks at it.
    field: Option<String>,
    kind: Option<ColumnType>,
    spelling: Spelling,
    /// What a new row gets in a column that nobody looks at.
    fill: Option<String>,
}

#[derive(Deserialize)]
struct AnyFile {
    format: AnyFormat,
}

#[derive(Deserialize)]
struct AnyFormat {
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    format: FormatTable,
    #[serde(default)]
    column: Vec<ColumnFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatTable {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "title")]
    _title: Option<String>,
    #[serde(default)]
    only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    name: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    field: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    date: Option<String>,
    decimal: Option<char>,
    thousands: Option<char>,
    yes: Option<String>,
    no: Option<String>,
    #[serde(default)]
    ignore: bool,
    constant: Option<String>,
}

impl ColumnFile {
    fn spelling(&self) -> Result<Spelling, String> {
        let pattern = self.date.as_deref().map(|date| {
            Pattern::parse(date)
                .ok_or_else(|| format!("`{date}` is no date that can be read back (as `DD.MM.YYYY` is)"))
        });
        let number = match (self.decimal, self.thousands) {
            (None, None) => None,
            (decimal, thousands) => {
                let decimal = decimal.unwrap_or('.');
                let is_mark = |mark: char| !mark.is_alphanumeric() && mark != '-';
                if !is_mark(decimal) || thousands.is_some_and(|mark| mark == decimal || !is_mark(mark)) {
                    return Err("the marks of its numbers cannot be told apart".to_owned());
                }
                Some(Spelling::Number { decimal, thousands })
            }
        };
        let words = match (&self.yes, &self.no) {
            (None, None) => None,
            (Some(yes), Some(no)) if yes != no && !yes.is_empty() && !no.is_empty() => Some(Spelling::Words {
                yes: yes.clone(),
                no: no.clone(),
            }),
            _ => return Err("`yes` and `no` are two words".to_owned()),
        };
        let mut spellings = [pattern.transpose()?.map(Spelling::Moment), number, words]
            .into_iter()
            .flatten();
        match (spellings.next(), spellings.next()) {
            (spelling, None) => Ok(spelling.unwrap_or(Spelling::Plain)),
            _ => Err("it has two spellings".to_owned()),
        }
    }
}

impl RowMapping {
    /// Returns whether a mapping text is one of rows.
    pub fn is_meant(text: &str) -> bool {
        toml::from_str::<AnyFile>(text).is_ok_and(|file| file.format.kind.as_deref() == Some("row"))
    }

    /// Compiles a mapping text; the error is for people.
    pub fn compile(text: &str) -> Result<Self, String> {
        let file: MappingFile = toml::from_str(text).map_err(|error| at_place(text, error.span(), error.message()))?;
        let mut mapping = Self {
            columns: Vec::new(),
            constants: Vec::new(),
            is_only: file.format.only,
        };
        let (mut names, mut fields) = (BTreeSet::new(), BTreeSet::new());
        for column in file.column {
            let shown = column.name.clone().or_else(|| column.field.clone()).unwrap_or_default();
            let wrong = |what: &str| format!("column `{shown}`: {what}");
            let spelling = column.spelling().map_err(|what| wrong(&what))?;
            let kind = match &column.kind {
                Some(word) => Some(ColumnType::by_name(word).ok_or_else(|| wrong(&format!("`{word}` is no type")))?),
                None => spelling.kind(),
            };
            let field = match (&column.field, &column.name, column.ignore) {
                (Some(_), _, true) => return Err(wrong("it is ignored and has a field")),
                (None, None, _) => return Err("a column has neither a name nor a field".to_owned()),
                (_, _, true) => None,
                (Some(field), ..) => Some(field.clone()),
                (None, name, _) => name.clone(),
            };
            if field.as_ref().is_some_and(|field| !fields.insert(field.clone())) {
                return Err(wrong("two columns have this field"));
            }
            let Some(name) = column.name else {
                let (Some(field), Some(constant)) = (field, column.constant) else {
                    return Err(wrong("a column without a name needs a constant"));
                };
                if spelling != Spelling::Plain || column.kind.is_some() {
                    return Err(wrong("a constant is the text it is"));
                }
                mapping.constants.push((field, constant));
                continue;
            };
            if column.constant.is_some() && !column.ignore {
                return Err(wrong(
                    "a column of the table has its own values; a constant is for one that is ignored",
                ));
            }
            if !names.insert(folded(&name)) {
                return Err(wrong("two columns have this name"));
            }
            mapping.columns.push(Mapped {
                name,
                aliases: column.aliases,
                field,
                kind,
                spelling,
                fill: column.constant,
            });
        }
        Ok(mapping)
    }

    /// Returns what the mapping says of a column of the table.
    fn of_name(&self, name: &str) -> Option<&Mapped> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| {
            let name = folded(name);
            let mut names = self.columns.iter();
            names
                .find(|column| folded(&column.name) == name || column.aliases.iter().any(|alias| folded(alias) == name))
        })
    }

    /// Returns what the mapping says of a column of the collection.
    fn of_field(&self, field: &str) -> Option<&Mapped> {
        self.columns
            .iter()
            .find(|column| column.field.as_deref() == Some(field))
    }

    /// Returns the name under which a column of the collection stands in the table; `None` where it does not.
    fn name_of(&self, field: &str) -> Option<String> {
        if self.constants.iter().any(|(constant, _)| constant == field) {
            return None;
        }
        match self.of_field(field) {
            Some(column) => Some(column.name.clone()),
            None => (!self.is_only).then(|| field.to_owned()),
        }
    }
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A format of tables seen through a mapping.
pub struct MappedTables {
    inner: Arc<dyn TableFormat>,
    mapping: Arc<RowMapping>,
}

impl MappedTables {
    /// Shows the tables of a format through a mapping.
    pub fn new(inner: Arc<dyn TableFormat>, mapping: RowMapping) -> Self {
        Self {
            inner,
            mapping: Arc::new(mapping),
        }
    }
}

impl TableFormat for MappedTables {
    fn info(&self) -> &TableInfo {
        self.inner.info()
    }

    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence {
        self.inner.detect(file_name, head)
    }

    fn state(&self, disk: &Disk, location: &Location) -> Result<Option<Vec<Stat>>, SourceError> {
        self.inner.state(disk, location)
    }

    fn open(&self, disk: &Disk, location: &Location) -> Result<Box<dyn Table>, SourceError> {
        let mut table = MappedTable {
            inner: self.inner.open(disk, location)?,
            mapping: Arc::clone(&self.mapping),
            columns: Vec::new(),
            places: Places::default(),
        };
        table.bind();
        Ok(Box::new(table))
    }

    fn create(&self, disk: &Disk, location: &Location, columns: &[TableColumn]) -> Result<(), SourceError> {
        let made = columns.iter().filter_map(|column| {
            let spelling = self.mapping.of_field(&column.name).map(|mapped| &mapped.spelling);
            let is_plain = spelling.is_none_or(|spelling| *spelling == Spelling::Plain);
            Some(TableColumn {
                name: self.mapping.name_of(&column.name)?,
                kind: if is_plain { column.kind } else { Some(ColumnType::Text) },
                ..column.clone()
            })
        });
        self.inner.create(disk, location, &made.collect::<Vec<_>>())
    }

    fn takes(&self, column: &str) -> bool {
        self.mapping.name_of(column).is_some()
    }

    fn tables(&self, disk: &Disk, location: &Location) -> Result<Vec<String>, SourceError> {
        self.inner.tables(disk, location)
    }
}

/// What stands behind a column that is shown.
#[derive(Debug, Clone)]
enum Shown {
    Column(usize, Spelling),
    Constant(String),
}

/// A table seen through a mapping.
struct MappedTable {
    inner: Box<dyn Table>,
    mapping: Arc<RowMapping>,
    columns: Vec<TableColumn>,
    places: Places,
}

/// Which column of the table below stands behind which one that is shown.
#[derive(Debug, Clone, Default)]
struct Places {
    /// By column that is shown.
    shown: Vec<Shown>,
    /// By column of the table below: which column it is here.
    back: Vec<Option<usize>>,
    /// What new rows get in columns of the table below that nobody looks at.
    fill: Vec<(usize, Value)>,
}

impl MappedTable {
    /// Finds what the columns of the table below are.
    fn bind(&mut self) {
        (self.columns, self.places) = (Vec::new(), Places::default());
        let mut taken = BTreeSet::new();
        for (at, column) in self.inner.columns().iter().enumerate() {
            let mapped = self.mapping.of_name(&column.name);
            let field = match mapped {
                Some(mapped) => mapped
                    .field
                    .as_ref()
                    .filter(|field| taken.insert((*field).clone()))
                    .cloned(),
                None => (!self.mapping.is_only).then(|| column.name.clone()),
            };
            let Some(name) = field else {
                self.places.back.push(None);
                let fill = mapped.and_then(|mapped| mapped.fill.as_ref());
                let fill = fill.map(|text| (at, Value::Text(text.as_str().into())));
                self.places.fill.extend(fill);
                continue;
            };
            self.places.back.push(Some(self.columns.len()));
            let spelling = mapped.map_or(Spelling::Plain, |mapped| mapped.spelling.clone());
            let own = if spelling == Spelling::Plain { column.kind } else { None };
            self.columns.push(TableColumn {
                name,
                kind: mapped.and_then(|mapped| mapped.kind).or(own),
                ..column.clone()
            });
            self.places.shown.push(Shown::Column(at, spelling));
        }
        for (field, constant) in &self.mapping.constants {
            self.columns.push(TableColumn {
                name: field.clone(),
                kind: None,
                key: None,
                is_read_only: true,
            });
            self.places.shown.push(Shown::Constant(constant.clone()));
        }
        let hidden = self.places.back.iter().enumerate().filter(|(_, shown)| shown.is_none());
        let hidden: Vec<usize> = hidden.map(|(at, _)| at).collect();
        self.inner.ignore(&hidden);
    }
}

impl Places {
    /// Returns the value that the table below gets.
    fn below(&self, column: usize, value: Option<&Value>) -> Option<Value> {
        let value = value?;
        match self.shown.get(column) {
            Some(Shown::Column(_, spelling)) if *spelling != Spelling::Plain => Some(
                spelling
                    .write(value)
                    .map_or_else(|| value.clone(), |text| Value::Text(text.into())),
            ),
            _ => Some(value.clone()),
        }
    }

    /// Returns the values of a row of the table below, which has `count` columns.
    fn values(&self, values: &Values, count: usize) -> Values {
        let mut below: Values = vec![None; count];
        for (column, value) in values.iter().enumerate() {
            let at = match self.shown.get(column) {
                Some(Shown::Column(at, _)) => *at,
                Some(Shown::Constant(_)) | None => continue,
            };
            if let Some(place) = below.get_mut(at) {
                *place = self.below(column, value.as_ref());
            }
        }
        below
    }

    /// Returns the values of a new row of the table below.
    fn filled(&self, values: &Values, count: usize) -> Values {
        let mut below = self.values(values, count);
        for (at, value) in &self.fill {
            if let Some(place) = below.get_mut(*at) {
                *place = Some(value.clone());
            }
        }
        below
    }
}

/// Returns what a cell says in the collection's spelling.
fn read<'r>(spelling: &Spelling, column: &TableColumn, cell: Cell<'r>) -> Result<Cell<'r>, ItemError> {
    let Cell::Text(text) = cell else { return Ok(cell) };
    match spelling {
        Spelling::Plain => Ok(Cell::Text(text)),
        spelling => match spelling.read(&text) {
            Some(plain) => Ok(Cell::Text(plain.into())),
            // In another spelling it would be another number.
            None if matches!(spelling, Spelling::Number { .. }) && is_misread(&text) => Err(ItemError::new(format!(
                "`{text}` in column `{}` is not written as the mapping says",
                column.name
            ))),
            None => Ok(Cell::Text(text)),
        },
    }
}

/// Returns whether the collection would take a text for a number with a fraction.
fn is_misread(text: &str) -> bool {
    text.contains('.') && !matches!(Cell::Text(text.into()).typed(ColumnType::Decimal), Cell::Text(_))
}

impl Table for MappedTable {
    fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    fn expect(&mut self, names: &[String]) {
        let below: Vec<String> = names.iter().filter_map(|name| self.mapping.name_of(name)).collect();
        self.inner.expect(&below);
        self.bind();
    }

    fn ignore(&mut self, columns: &[usize]) {
        let shown = columns
            .iter()
            .filter_map(|column| match self.places.shown.get(*column) {
                Some(Shown::Column(at, _)) => Some(*at),
                _ => None,
            });
        let hidden = self.places.back.iter().enumerate().filter(|(_, shown)| shown.is_none());
        let all: BTreeSet<usize> = shown.chain(hidden.map(|(at, _)| at)).collect();
        self.inner.ignore(&all.into_iter().collect::<Vec<_>>());
    }

    fn is_typed(&self) -> bool {
        self.inner.is_typed()
    }

    fn compares_rows(&self) -> bool {
        self.inner.compares_rows()
    }

    fn read(&self, each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError> {
        self.inner.read(each)
    }

    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        let mut failure = None;
        self.inner.cells(row, &mut |at, cell| {
            let Some(column) = self.places.back.get(at).copied().flatten() else {
                return;
            };
            let (Some(Shown::Column(_, spelling)), Some(listed)) =
                (self.places.shown.get(column), self.columns.get(column))
            else {
                return;
            };
            match read(spelling, listed, cell) {
                Ok(cell) => each(column, cell),
                Err(error) => failure = failure.take().or(Some(error)),
            }
        })?;
        for (column, shown) in self.places.shown.iter().enumerate() {
            if let Shown::Constant(text) = shown {
                each(column, Cell::Text(Cow::Owned(text.clone())));
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn shown(&self, column: usize, value: Option<Value>) -> Option<Value> {
        let (at, spelling) = match self.places.shown.get(column) {
            Some(Shown::Constant(text)) => return Some(Value::Text(text.as_str().into())),
            Some(Shown::Column(at, spelling)) => (*at, spelling),
            None => return value,
        };
        let stored = self.inner.shown(at, self.places.below(column, value.as_ref()));
        if *spelling == Spelling::Plain {
            return stored;
        }
        match from_value(stored.as_ref()) {
            Cell::Text(text) => Some(
                spelling
                    .read(&text)
                    .map_or(Value::Text(text.as_ref().into()), |plain| Value::Text(plain.into())),
            ),
            _ => stored,
        }
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
        let mut columns = Vec::new();
        let mut places = self.places.clone();
        let mut count = places.back.len();
        for edit in &write.columns {
            match edit {
                ColumnEdit::Add { name, kind } => {
                    let mapped = self.mapping.of_field(name);
                    let spelling = mapped.map_or(Spelling::Plain, |mapped| mapped.spelling.clone());
                    let is_plain = spelling == Spelling::Plain;
                    places.shown.push(Shown::Column(count, spelling));
                    count += 1;
                    columns.push(ColumnEdit::Add {
                        name: self.mapping.name_of(name).unwrap_or_else(|| name.clone()),
                        kind: if is_plain { *kind } else { ColumnType::Text },
                    });
                }
                ColumnEdit::Rename { column, name } => {
                    if let Some(Shown::Column(at, _)) = self.places.shown.get(*column) {
                        columns.push(ColumnEdit::Rename {
                            column: *at,
                            name: name.clone(),
                        });
                    }
                }
            }
        }
        let rows = write.rows.listed().iter().map(|edit| match edit {
            RowEdit::Insert { new } => RowEdit::Insert {
                new: places.filled(new, count),
            },
            RowEdit::Update { row, old, new } => RowEdit::Update {
                row: *row,
                old: places.values(old, count),
                new: places.values(new, count),
            },
            RowEdit::Delete { row, old } => RowEdit::Delete {
                row: *row,
                old: places.values(old, count),
            },
        });
        let made = Below::new(write.rows.made().unwrap_or(&NoRows), |new| places.filled(new, count));
        let below = TableWrite {
            columns,
            rows: RowEdits::new(rows.collect::<Vec<_>>(), &made),
        };
        let outcome = self.inner.write(&below)?;
        self.bind();
        Ok(outcome)
    }
}
