//! Tables of `SQLite` databases.
//!
//! Read in one statement, so as at one moment; written (in `write`) in one transaction, row by row with what each row must
//! still be in the `WHERE`. What a column makes of a value (its affinity) is asked of `SQLite` itself, in a table in memory
//! with the same declared types.

mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Location, RawRow, ReadEnd, Table, TableColumn, TableFormat, TableInfo, TableWrite, WriteOutcome};
use crate::disk::{Disk, Stat};
use crate::format::{Confidence, ItemError};
use crate::model::Value;
use crate::model::row::{Cell, ColumnType, from_value, to_value};
use crate::source::SourceError;

/// How long another program's lock is waited for (chosen: longer than any ordinary transaction).
const BUSY: Duration = Duration::from_secs(5);

/// `SQLite` databases.
pub(super) struct SqliteTables {
    info: TableInfo,
}

impl SqliteTables {
    pub(super) const fn new() -> Self {
        Self {
            info: TableInfo {
                name: "sqlite",
                title: "A table of an SQLite database: FILE#TABLE",
                extensions: &["db", "sqlite", "sqlite3"],
                has_tables: true,
                is_server: false,
                writes: true,
                is_typed: true,
            },
        }
    }
}

fn place_error(path: &Path, error: &rusqlite::Error) -> SourceError {
    SourceError::Place {
        location: path.display().to_string(),
        reason: reason_of(error),
    }
}

/// Returns whether another program holds the database.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn reason_of(error: &rusqlite::Error) -> String {
    if is_busy(error) {
        return "another program is using it".to_owned();
    }
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, SourceError> {
    let wrap = |error: rusqlite::Error| place_error(path, &error);
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(wrap)?;
    connection.busy_timeout(BUSY).map_err(wrap)?;
    Ok(connection)
}

/// Quotes a name.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl TableFormat for SqliteTables {
    fn info(&self) -> &TableInfo {
        &self.info
    }

    fn detect(&self, _file_name: &str, head: &[u8]) -> Confidence {
        if head.starts_with(b"SQLite format 3\0") {
            Confidence::Certain
        } else {
            Confidence::No
        }
    }

    fn state(&self, disk: &Disk, location: &Location) -> Result<Option<Vec<Stat>>, SourceError> {
        let missing = || SourceError::Missing(location.path.display().to_string());
        let mut stats = vec![disk.stat(&location.path)?.ok_or_else(missing)?];
        // What was committed lately may lie in the log alone.
        let mut log = location.path.clone().into_os_string();
        log.push("-wal");
        stats.extend(disk.stat(Path::new(&log))?.filter(|stat| stat.length_bytes > 0));
        Ok(Some(stats))
    }

    fn open(&self, disk: &Disk, location: &Location) -> Result<Box<dyn Table>, SourceError> {
        let missing = |what: String| SourceError::Missing(what);
        if disk.stat(&location.path)?.is_none() {
            return Err(missing(location.path.display().to_string()));
        }
        let connection = connect(&location.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let name = location.table.clone().unwrap_or_default();
        let columns = columns_of(&connection, &name).map_err(|error| place_error(&location.path, &error))?;
        if columns.is_empty() {
            return Err(missing(format!("{}#{name}", location.path.display())));
        }
        let scratch = Scratch::new(&columns).map_err(|error| place_error(&location.path, &error))?;
        let has_rowid = connection
            .prepare(&format!("SELECT rowid FROM {} LIMIT 0", quoted(&name)))
            .is_ok();
        Ok(Box::new(SqliteTable {
            path: location.path.clone(),
            listed: columns.iter().map(Column::listed).collect(),
            connection,
            name,
            columns,
            scratch,
            has_rowid,
            ignored: BTreeSet::new(),
        }))
    }

    fn create(&self, disk: &Disk, location: &Location, columns: &[TableColumn]) -> Result<(), SourceError> {
        let wrap = |error: rusqlite::Error| place_error(&location.path, &error);
        if disk.stat(&location.path)?.is_none() {
            disk.create_new(&location.path, b"")?;
        }
        let connection = connect(&location.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut parts: Vec<String> = columns
            .iter()
            .map(|column| {
                let kind = column.kind.unwrap_or(ColumnType::Text);
                format!("{} {}", quoted(&column.name), declared(kind))
            })
            .collect();
        let mut key: Vec<(usize, &str)> = columns
            .iter()
            .filter_map(|column| Some((column.key?, column.name.as_str())))
            .collect();
        key.sort_unstable();
        if !key.is_empty() {
            let names: Vec<String> = key.into_iter().map(|(_, name)| quoted(name)).collect();
            parts.push(format!("PRIMARY KEY ({})", names.join(", ")));
        }
        let name = quoted(location.table.as_deref().unwrap_or_default());
        let sql = format!("CREATE TABLE {name} ({})", parts.join(", "));
        connection.execute_batch(&sql).map_err(wrap)
    }

    fn tables(&self, _disk: &Disk, location: &Location) -> Result<Vec<String>, SourceError> {
        let wrap = |error: rusqlite::Error| place_error(&location.path, &error);
        let connection = connect(&location.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
        let mut statement = connection.prepare(sql).map_err(wrap)?;
        let names = statement.query_map([], |row| row.get(0)).map_err(wrap)?;
        names.collect::<Result<_, _>>().map_err(wrap)
    }
}

/// Returns the declared type of new columns. Decimals are text, since `SQLite`'s numbers are binary.
const fn declared(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "TEXT",
        ColumnType::Integer => "INTEGER",
        ColumnType::Decimal => "DECIMAL_TEXT",
        ColumnType::Float => "REAL",
        ColumnType::Boolean => "BOOLEAN",
        ColumnType::Date => "DATE",
        ColumnType::Time => "TIME",
        ColumnType::Timestamp => "TIMESTAMP",
        ColumnType::Bytes => "BLOB",
        ColumnType::Json => "JSON_TEXT",
    }
}

/// Reads a declared type as people use it; `None` where there is none.
fn kind_of(declared: &str) -> Option<ColumnType> {
    let upper = declared.to_ascii_uppercase();
    let words: [(&str, ColumnType); 16] = [
        ("BOOL", ColumnType::Boolean),
        ("JSON", ColumnType::Json),
        ("DECIMAL", ColumnType::Decimal),
        ("NUMERIC", ColumnType::Decimal),
        ("DATETIME", ColumnType::Timestamp),
        ("TIMESTAMP", ColumnType::Timestamp),
        ("DATE", ColumnType::Date),
        ("TIME", ColumnType::Time),
        ("INT", ColumnType::Integer),
        ("CHAR", ColumnType::Text),
        ("CLOB", ColumnType::Text),
        ("TEXT", ColumnType::Text),
        ("BLOB", ColumnType::Bytes),
        ("REAL", ColumnType::Float),
        ("FLOA", ColumnType::Float),
        ("DOUB", ColumnType::Float),
    ];
    words
        .into_iter()
        .find(|(word, _)| upper.contains(word))
        .map(|(_, kind)| kind)
}

/// A column as `SQLite` has it.
struct Column {
    name: String,
    declared: String,
    key: Option<usize>,
    /// Whether an insert without a value gets one.
    fills_in: bool,
}

impl Column {
    fn listed(&self) -> TableColumn {
        TableColumn {
            name: self.name.clone(),
            kind: kind_of(&self.declared),
            key: self.key,
            is_read_only: false,
        }
    }

    /// Returns whether values that are text stay text there.
    fn is_text(&self) -> bool {
        let upper = self.declared.to_ascii_uppercase();
        !upper.contains("INT") && ["CHAR", "CLOB", "TEXT"].iter().any(|word| upper.contains(word))
    }
}

fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    let mut statement =
        connection.prepare("SELECT name, type, pk, hidden, \"notnull\", dflt_value FROM pragma_table_xinfo(?1)")?;
    let rows = statement.query_map([table], |row| {
        let (key, hidden): (i64, i64) = (row.get(2)?, row.get(3)?);
        let (not_null, default): (bool, Option<String>) = (row.get(4)?, row.get(5)?);
        let column = Column {
            name: row.get(0)?,
            declared: row.get(1)?,
            key: usize::try_from(key - 1).ok(),
            fills_in: not_null && default.is_some(),
        };
        Ok((column, hidden))
    })?;
    // Hidden columns of virtual tables and generated ones follow from the others.
    let rows: Vec<(Column, i64)> = rows.collect::<Result<_, _>>()?;
    Ok(rows
        .into_iter()
        .filter(|(_, hidden)| *hidden == 0)
        .map(|(column, _)| column)
        .collect())
}

/// A table in memory with the same declared types, which tells what a column makes of a value.
struct Scratch {
    connection: Connection,
    /// By column whether texts, and whether whole numbers, are kept as they are by the rules of `SQLite` (section 3 of its
    /// page on datatypes); null and bytes are everywhere.
    keeps: Vec<(bool, bool)>,
}

impl Scratch {
    fn new(columns: &[Column]) -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        let parts: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let letters = column
                    .declared
                    .chars()
                    .filter(|letter| letter.is_ascii_alphanumeric() || " _(),".contains(*letter));
                format!("c{at} {}", letters.collect::<String>())
            })
            .collect();
        connection.execute_batch(&format!(
            "CREATE TABLE s ({}); INSERT INTO s DEFAULT VALUES",
            parts.join(", ")
        ))?;
        let keeps = |column: &Column| (column.is_text(), column.declared.to_ascii_uppercase().contains("INT"));
        Ok(Self {
            connection,
            keeps: columns.iter().map(keeps).collect(),
        })
    }

    fn stored(&self, column: usize, value: &Stored) -> rusqlite::Result<Stored> {
        let (texts, integers) = self.keeps.get(column).copied().unwrap_or_default();
        // A whole table is written with millions of these questions.
        let is_kept = match value {
            Stored::Null | Stored::Blob(_) => true,
            Stored::Text(_) => texts,
            Stored::Integer(_) => integers,
            Stored::Real(_) => false,
        };
        if is_kept {
            Ok(value.clone())
        } else {
            self.ask(column, value)
        }
    }

    fn ask(&self, column: usize, value: &Stored) -> rusqlite::Result<Stored> {
        let mut write = self
            .connection
            .prepare_cached(&format!("UPDATE s SET c{column} = ?1"))?;
        write.execute([value])?;
        let mut read = self.connection.prepare_cached(&format!("SELECT c{column} FROM s"))?;
        read.query_row([], |row| row.get(0))
    }
}

struct SqliteTable {
    path: PathBuf,
    connection: Connection,
    name: String,
    columns: Vec<Column>,
    listed: Vec<TableColumn>,
    scratch: Scratch,
    has_rowid: bool,
    /// Columns that are neither compared nor written.
    ignored: BTreeSet<usize>,
}

/// First bytes of a cell in a raw row.
const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;

/// Appends a cell to a raw row.
fn push_cell(value: ValueRef<'_>, out: &mut Vec<u8>) {
    let mut sized = |tag, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        ValueRef::Null => out.push(NULL),
        ValueRef::Integer(number) => {
            out.push(INTEGER);
            out.extend_from_slice(&number.to_le_bytes());
        }
        ValueRef::Real(number) => {
            out.push(REAL);
            out.extend_from_slice(&number.to_le_bytes());
        }
        ValueRef::Text(text) => sized(TEXT, text),
        ValueRef::Blob(bytes) => sized(BLOB, bytes),
    }
}

fn read_cell<'r>(row: &mut &'r [u8]) -> Option<Result<Cell<'r>, ItemError>> {
    fn take<'r>(row: &mut &'r [u8], count: usize) -> Option<&'r [u8]> {
        let (head, rest) = row.split_at_checked(count)?;
        *row = rest;
        Some(head)
    }
    let [tag] = *take(row, 1)?.first_chunk()?;
    let cell = match tag {
        NULL => Cell::Null,
        INTEGER => Cell::Integer(i64::from_le_bytes(*take(row, 8)?.first_chunk()?)),
        REAL => Cell::Float(f64::from_le_bytes(*take(row, 8)?.first_chunk()?)),
        _ => {
            let length = u64::from_le_bytes(*take(row, 8)?.first_chunk()?);
            let bytes = take(row, usize::try_from(length).ok()?)?;
            if tag == BLOB {
                Cell::Bytes(bytes.into())
            } else {
                match std::str::from_utf8(bytes) {
                    Ok(text) => Cell::Text(text.into()),
                    Err(_) => return Some(Err(ItemError::new("a text in it is not UTF-8"))),
                }
            }
        }
    };
    Some(Ok(cell))
}

impl SqliteTable {
    /// Returns the order in which rows are read: that in which they lie.
    fn order(&self) -> String {
        if self.has_rowid {
            return "rowid".to_owned();
        }
        let mut key: Vec<(usize, &str)> = self
            .columns
            .iter()
            .filter_map(|column| Some((column.key?, column.name.as_str())))
            .collect();
        key.sort_unstable();
        let names: Vec<String> = key.into_iter().map(|(_, name)| quoted(name)).collect();
        names.join(", ")
    }

    /// Returns what is to be bound for a value of a column.
    fn bound(&self, column: usize, value: Option<&Value>) -> Stored {
        let is_text = self.columns.get(column).is_some_and(Column::is_text);
        let cell = from_value(value);
        match cell {
            Cell::Null => Stored::Null,
            // In a text column the words say more than 0 and 1, and SQLite prints 15 digits of a number.
            Cell::Bool(_) | Cell::Float(_) if is_text => Stored::Text(cell.text().unwrap_or_default().into_owned()),
            Cell::Bool(value) => Stored::Integer(value.into()),
            Cell::Integer(number) => Stored::Integer(number),
            Cell::Float(number) => Stored::Real(number),
            Cell::Decimal(text) | Cell::Text(text) => Stored::Text(text.into_owned()),
            Cell::Bytes(bytes) => Stored::Blob(bytes.into_owned()),
        }
    }
}

impl Table for SqliteTable {
    fn columns(&self) -> &[TableColumn] {
        &self.listed
    }

    fn ignore(&mut self, columns: &[usize]) {
        self.ignored = columns.iter().copied().collect();
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn read(&self, each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError> {
        let wrap = |error: rusqlite::Error| place_error(&self.path, &error);
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {}",
            names.join(", "),
            quoted(&self.name),
            self.order()
        );
        let mut statement = self.connection.prepare(&sql).map_err(wrap)?;
        let mut rows = statement.query([]).map_err(wrap)?;
        let mut bytes = Vec::new();
        let mut line = 0;
        while let Some(row) = rows.next().map_err(wrap)? {
            line += 1;
            bytes.clear();
            // Nulls at the end are left out, so that a new column changes no row.
            let mut last = 0;
            for column in 0..self.columns.len() {
                let value = row.get_ref(column).map_err(wrap)?;
                push_cell(value, &mut bytes);
                if value != ValueRef::Null {
                    last = bytes.len();
                }
            }
            bytes.truncate(last);
            each(RawRow { bytes: &bytes, line })?;
        }
        Ok(ReadEnd { is_complete: true })
    }

    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        let mut rest = row;
        let mut column = 0;
        while !rest.is_empty() {
            match read_cell(&mut rest) {
                Some(cell) => each(column, cell?),
                None => return Err(ItemError::new("it cannot be read")),
            }
            column += 1;
        }
        Ok(())
    }

    fn shown(&self, column: usize, value: Option<Value>) -> Option<Value> {
        let bound = self.bound(column, value.as_ref());
        match self.scratch.stored(column, &bound) {
            Ok(Stored::Null) => None,
            Ok(Stored::Integer(number)) => to_value(Cell::Integer(number)),
            Ok(Stored::Real(number)) => to_value(Cell::Float(number)),
            Ok(Stored::Text(text)) => to_value(Cell::Text(text.into())),
            Ok(Stored::Blob(bytes)) => to_value(Cell::Bytes(bytes.into())),
            Err(_) => value,
        }
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
        write::write(self, write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_is_what_the_answer_would_be() {
        let types = [
            "",
            "TEXT",
            "VARCHAR(10)",
            "CLOB",
            "CHARINT",
            "INTEGER",
            "bigint",
            "POINT",
            "REAL",
            "DOUBLE",
            "NUMERIC",
            "DECIMAL(10,2)",
            "BOOLEAN",
            "DATE",
            "BLOB",
            "ANY",
        ];
        let column = |declared: &&str| Column {
            name: "c".to_owned(),
            declared: (*declared).to_owned(),
            key: None,
            fills_in: false,
        };
        let scratch = Scratch::new(&types.iter().map(column).collect::<Vec<_>>()).unwrap();
        let texts = ["", "a", "1", "007", "1.50", "1e3", " 1", "9223372036854775808"];
        let mut values: Vec<Stored> = texts.iter().map(|text| Stored::Text((*text).to_owned())).collect();
        values.extend([0, 1, -7, i64::MAX].map(Stored::Integer));
        values.extend([0.5, 1.0, 1e300].map(Stored::Real));
        values.extend([Stored::Null, Stored::Blob(b"1".to_vec())]);
        for (at, declared) in types.iter().enumerate() {
            for value in &values {
                let (stored, asked) = (scratch.stored(at, value).unwrap(), scratch.ask(at, value).unwrap());
                assert_eq!(stored, asked, "{value:?} in a column `{declared}`");
            }
        }
    }
}
