//! Tables as sources: where rows lie, which of them changed since last time, and how changes get back.
//!
//! *Owns* the seam that every kind of table implements ([`Table`], [`TableFormat`]), the places themselves (CSV and TSV
//! files, `SQLite`, `PostgreSQL`) and the fingerprints of the rows a source last had ([`Prints`]). *Leaves* types, keys, records and
//! history to `sync::table`. *Invariants*: a row that did not change is not decoded; nothing is written over a row that
//! is not what was read. *Fails* with [`SourceError`]; what concerns one row alone is a [`RowRefusal`] or an item error.
//!
//! # The seam
//!
//! A table gives **raw rows**: byte strings that are equal exactly when the row is (a line of CSV; for a database its
//! values in any fixed encoding). They are only hashed until one is unknown; then [`Table::cells`] decodes it. Cells
//! are [`Cell`]s; a place whose cells are plain text says so ([`Table::is_typed`]) and the schema gives them types.
//! Writing takes values of records, column by column, with what the row is expected to be; [`Table::shown`] says what a
//! value becomes in a place that cannot hold it as it is, so that the place's form of a value is never taken for an edit.
//! After writing, the table is read again like at any scan.
//!
//! To add a place: implement both traits, list the format in [`formats`]. *Start reading* at [`Table`].

mod chosen;
mod csv;
mod edits;
mod items;
mod json;
mod mapped;
#[cfg(feature = "parquet")]
mod parquet;
pub mod postgres;
mod prints;
mod rules;
mod spelling;
mod sqlite;
mod whole;
mod xlsx;

pub use chosen::{Choice, Chosen};
pub use edits::{NewRows, RowEdits};
pub use items::{ItemTable, Refused, names_of};
pub use mapped::{MappedTables, RowMapping};
pub use prints::{Header, Joined, Matching, NO_RANK, Prints, Unknown};
pub use whole::clear_leftover;

use std::fmt;
use std::path::PathBuf;

use super::SourceError;
use crate::disk::{Disk, Stat};
use crate::format::{Confidence, ItemError};
use crate::model::Value;
use crate::model::row::{Cell, ColumnType};

/// Where a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, or the whole URL of a server.
    pub path: PathBuf,
    /// The table in it, where a place holds several (`file.db#table`, a sheet).
    pub table: Option<String>,
    /// The file that holds the password of a server.
    pub password_file: Option<PathBuf>,
}

impl fmt::Display for Location {
    /// As a person types it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())?;
        match &self.table {
            Some(table) => write!(formatter, "#{table}"),
            None => Ok(()),
        }
    }
}

/// Returns whether a location is the URL of a server that holds tables.
pub fn is_server(location: &str) -> bool {
    postgres::is_url(location)
}

/// What a format of tables is, for listing and choosing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct TableInfo {
    /// The name that `--format` takes.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// Endings of file names, without the dot, that mean this format when a table is made.
    pub extensions: &'static [&'static str],
    /// Whether a place holds several tables, so that a location names one.
    pub has_tables: bool,
    /// Whether its places are servers, found by URLs. Such a table is never whole for long: its rows are checked one by one.
    pub is_server: bool,
    /// Whether tables can be written.
    pub writes: bool,
    /// Whether cells have types of their own (see [`Table::is_typed`]).
    pub is_typed: bool,
}

/// A column as a table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name; may be empty, and need not be the only one of that name.
    pub name: String,
    /// Its type, where the place has types.
    pub kind: Option<ColumnType>,
    /// Its place in the table's own key, from 0.
    pub key: Option<usize>,
    /// Whether values cannot be written there (generated columns).
    pub is_read_only: bool,
}

/// A row as it was read.
#[derive(Debug, Clone, Copy)]
pub struct RawRow<'a> {
    /// Bytes that are equal exactly when the row is.
    pub bytes: &'a [u8],
    /// The line it starts at, or the number of the row where a place has no lines; from 1.
    pub line: u64,
}

/// How reading a table ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadEnd {
    /// Whether the end was where it should be. Where not (a file that is being written), missing rows are no deletions.
    pub is_complete: bool,
}

/// Values by column of the table; `None` is null.
pub type Values = Vec<Option<Value>>;

/// One row to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum RowEdit {
    /// A new row.
    Insert {
        /// Its values.
        new: Values,
    },
    /// A changed row.
    Update {
        /// Which row it is, counted from 0 in the order of the last reading.
        row: u64,
        /// What it must still show.
        old: Values,
        /// What it is to show; columns that are equal in both are left as they are.
        new: Values,
    },
    /// A row that goes.
    Delete {
        /// Which row it is, counted from 0 in the order of the last reading.
        row: u64,
        /// What it must still show.
        old: Values,
    },
}

/// A change of a table's columns, made before its rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnEdit {
    /// A column comes at the end.
    Add {
        /// Its name.
        name: String,
        /// Its type.
        kind: ColumnType,
    },
    /// A column gets another name.
    Rename {
        /// Which one.
        column: usize,
        /// The new name.
        name: String,
    },
}

/// What is to be written.
#[derive(Debug, Clone, Default)]
pub struct TableWrite<'w> {
    /// Changes of columns; values of rows are by the columns there are afterwards.
    pub columns: Vec<ColumnEdit>,
    /// Changes of rows; each row at most once.
    pub rows: RowEdits<'w>,
}

/// A row that was not written.
#[derive(Debug, Clone, PartialEq)]
pub struct RowRefusal {
    /// Its number in [`TableWrite::rows`].
    pub edit: usize,
    /// Why, for people.
    pub reason: String,
    /// The rule of the place that it breaks, if that is why.
    pub constraint: Option<Constraint>,
}

impl RowRefusal {
    /// Makes a refusal that no rule of the place demands.
    pub(crate) fn new(edit: usize, reason: impl Into<String>) -> Self {
        Self {
            edit,
            reason: reason.into(),
            constraint: None,
        }
    }
}

/// What a rule of a place asks of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// No two rows have the same there.
    Unique,
    /// A row of another table (or this one) has the same.
    ForeignKey,
    /// A value, a condition, a trigger's consent.
    Other,
}

/// A rule of a place that a row breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// What it asks.
    pub kind: ConstraintKind,
    /// Its name, or what it says where it has none.
    pub name: String,
    /// The columns of the table that it is about, as far as is known.
    pub columns: Vec<usize>,
    /// The row of the table that has what only one row may have.
    pub rival: Option<Values>,
}

/// How writing went.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteOutcome {
    /// Everything is there, durably, but for these rows.
    Written(Vec<RowRefusal>),
    /// The table is not what was read, or is in use; nothing was written.
    Busy(String),
}

/// An open table.
pub trait Table {
    /// Returns its columns in their order.
    fn columns(&self) -> &[TableColumn];

    /// Tells which columns the table had when it was read last, by name and in their order.
    ///
    /// A place that says its columns with each row alone keeps that order, and shows them while it has no rows.
    fn expect(&mut self, _names: &[String]) {}

    /// Tells which columns nobody looks at: they are neither compared nor written, and a new row has there what the place
    /// puts there itself.
    ///
    /// Places that compare a row as a whole when they write it have to know.
    fn ignore(&mut self, _columns: &[usize]) {}

    /// Returns whether its cells have types. Where not, they are [`Cell::Text`] or [`Cell::Null`], and a column gets the
    /// type that all its values print back from.
    fn is_typed(&self) -> bool;

    /// Returns whether a row is looked at as a whole before it is written, so that columns which are not to change must be
    /// known too.
    fn compares_rows(&self) -> bool {
        true
    }

    /// Calls `each` for every row in the table's order, as at one moment. Can be called again; `each` may call [`Self::cells`].
    fn read(&self, each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError>;

    /// Decodes a raw row of this table: calls `each` with cells by column, in any order; a column left out is null.
    ///
    /// Fails where the row cannot be understood (too many cells, bytes that are no text); it is then set aside.
    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError>;

    /// Calls `each` for the texts of a row's cells, null as the empty one: what types are found by, in places without
    /// types. May be less exact than [`Self::cells`] about texts that are no number or date.
    fn survey(&self, row: &[u8], each: &mut dyn FnMut(usize, &[u8])) -> Result<(), ItemError> {
        self.cells(row, &mut |column, cell| {
            each(column, cell.text().unwrap_or_default().as_bytes());
        })
    }

    /// Returns what a column shows of a value that was written there: the place's own form of it (a number for text
    /// that looks like one, 1.5 for 1.50).
    fn shown(&self, column: usize, value: Option<Value>) -> Option<Value>;

    /// Writes: before or after, never in between, also when it is stopped.
    ///
    /// A row that is not what the edit expects is refused; so is one that the place does not take.
    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError>;
}

/// A kind of tables: recognises, opens and makes them.
pub trait TableFormat: Send + Sync {
    /// Describes the format.
    fn info(&self) -> &TableInfo;

    /// Tells how sure it is that the start of a file is of this format.
    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence;

    /// Returns what tells that the table is as it was, without reading it; `None` where nothing does.
    ///
    /// By default the file at the location.
    fn state(&self, disk: &Disk, location: &Location) -> Result<Option<Vec<Stat>>, SourceError> {
        match disk.stat(&location.path)? {
            Some(stat) => Ok(Some(vec![stat])),
            None => Err(SourceError::Missing(location.path.display().to_string())),
        }
    }

    /// Opens a table.
    fn open(&self, disk: &Disk, location: &Location) -> Result<Box<dyn Table>, SourceError>;

    /// Makes an empty table with these columns; the location has none yet. Columns named as key are its key.
    fn create(&self, disk: &Disk, location: &Location, columns: &[TableColumn]) -> Result<(), SourceError>;

    /// Returns whether a table gets a column of this name when one comes from elsewhere.
    fn takes(&self, _column: &str) -> bool {
        true
    }

    /// Returns this format for files in an encoding that somebody stated, by a label of the Encoding Standard.
    ///
    /// `None` for a label that is unknown, and where files of this format say their encoding themselves.
    fn in_encoding(&self, _label: &str) -> Option<Box<dyn TableFormat>> {
        None
    }

    /// Lists the tables at a location, where it can hold several.
    fn tables(&self, disk: &Disk, location: &Location) -> Result<Vec<String>, SourceError>;
}

/// Returns all formats of tables.
pub fn formats() -> Vec<Box<dyn TableFormat>> {
    vec![
        Box::new(csv::CsvTables::csv()),
        Box::new(csv::CsvTables::tsv()),
        Box::new(json::JsonTables::lines()),
        Box::new(json::JsonTables::array()),
        Box::new(sqlite::SqliteTables::new()),
        Box::new(xlsx::XlsxTables::new()),
        #[cfg(feature = "parquet")]
        Box::new(parquet::ParquetTables::new()),
        Box::new(postgres::PostgresTables::new()),
    ]
}
