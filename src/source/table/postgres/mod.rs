//! Tables of `PostgreSQL` servers.
//!
//! *Owns* connections, reading by `COPY` in one statement, so as at one moment, and (in `write`) writing in one
//! serializable transaction in which each row must still be what was read. *Leaves* values to `text` and the way to the
//! server to `target`. *Invariants*: the password is in no text that anybody sees; `each` of [`Table::read`] asks the
//! server nothing.
//!
//! A server has no file to look at. What stands for it is the snapshot of transactions of the whole server: every
//! transaction that changes data takes a number, so where no number was given out since and none was open, nothing
//! changed. On a busy server that never holds, and the table is read. *Start reading* at `PostgresTables`.

mod target;
mod text;
mod tls;
mod write;

pub use target::{Parts, split};

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::BufRead;

use postgres::types::Type;
use postgres::{Client, GenericClient};

use super::{Location, RawRow, ReadEnd, Table, TableColumn, TableFormat, TableInfo, TableWrite, WriteOutcome};
use crate::disk::{Disk, Stat};
use crate::format::{Confidence, ItemError};
use crate::model::Value;
use crate::model::row::{Cell, ColumnType, from_value, to_value};
use crate::source::SourceError;
use text::Kind;

pub(super) use target::is_url;

/// The longest name in bytes (`NAMEDATALEN` of an ordinary build); longer ones would be cut.
const NAME_MAX_BYTES: usize = 63;

/// The name of the format.
pub const NAME: &str = "postgres";

/// `PostgreSQL` servers.
pub(super) struct PostgresTables {
    info: TableInfo,
}

impl PostgresTables {
    pub(super) const fn new() -> Self {
        Self {
            info: TableInfo {
                name: NAME,
                title: "A table of a PostgreSQL server: postgres://USER@HOST/DATABASE#SCHEMA.TABLE",
                extensions: &[],
                has_tables: true,
                is_server: true,
                writes: true,
                is_typed: true,
            },
        }
    }
}

/// Quotes a name.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Says what the server said of a statement.
fn reason_of(error: &postgres::Error) -> String {
    let Some(said) = error.as_db_error() else {
        let cause = std::error::Error::source(error);
        return cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    };
    let detail = said.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{}{detail}", said.message())
}

/// Returns whether the server is away, or not ready for anybody.
fn is_away(error: &postgres::Error) -> bool {
    match error.code() {
        // Classes 08 connection, 53 resources, 57P operator.
        Some(code) => ["08", "53", "57P"].iter().any(|class| code.code().starts_with(class)),
        None => {
            error.is_closed()
                || std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        }
    }
}

fn failure(location: &Location, error: &postgres::Error) -> SourceError {
    let location = location.to_string();
    let reason = reason_of(error);
    if is_away(error) {
        SourceError::Unreachable { location, reason }
    } else {
        SourceError::Place { location, reason }
    }
}

/// Opens a connection whose texts have one form, whatever the server's settings are.
fn connect(disk: &Disk, location: &Location) -> Result<Client, SourceError> {
    let (config, connector) = target::config(disk, location)?;
    let wrap = |error: postgres::Error| failure(location, &error);
    let mut client = config.connect(connector).map_err(|error| {
        // What a handshake says is no word of the server about anything else, and trying again does not help.
        match tls_failure(&error) {
            Some(reason) => SourceError::Place {
                location: location.to_string(),
                reason,
            },
            None => failure(location, &error),
        }
    })?;
    let settings = "SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; SET bytea_output = 'hex'; \
        SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 1; SET xmloption = 'content'; \
        SET standard_conforming_strings = on";
    client.batch_execute(settings).map_err(wrap)?;
    Ok(client)
}

/// Says why there is no TLS with a server, if that is what failed.
fn tls_failure(error: &postgres::Error) -> Option<String> {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inside = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let rustls = inner
            .downcast_ref::<rustls::Error>()
            .or_else(|| inside.and_then(|inside| inside.downcast_ref::<rustls::Error>()));
        if let Some(rustls) = rustls {
            return Some(format!("TLS with the server failed: {rustls}"));
        }
        cause = inner.source();
    }
    let text = chain(error);
    text.contains("server does not support TLS")
        .then(|| "it has no TLS, which sslmode asks for".to_owned())
}

/// Returns an error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

/// A column as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are told by the server one by one")]
struct Column {
    name: String,
    kind: Kind,
    /// The type without its modifier, for casts.
    cast: String,
    /// The type with its modifier.
    exact: String,
    key: Option<usize>,
    /// Whether an index of the table can find its values.
    is_indexed: bool,
    /// Whether the server makes its values itself.
    is_generated: bool,
    /// Whether the server numbers rows there and takes other numbers only where it is told to.
    is_always_numbered: bool,
    /// Whether an insert without a value gets one.
    fills_in: bool,
    /// The sequence that numbers rows there.
    sequence: Option<String>,
}

impl Column {
    fn listed(&self) -> TableColumn {
        TableColumn {
            name: self.name.clone(),
            kind: Some(self.kind.column_type()),
            key: self.key,
            is_read_only: !self.takes_values(),
        }
    }

    /// Returns whether values can be written there. Numbers that identify rows must be, so that a row has one key everywhere.
    fn takes_values(&self) -> bool {
        !self.is_generated && (!self.is_always_numbered || self.key.is_some())
    }
}

/// A table with its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Relation {
    /// Its number in `pg_class`.
    oid: u32,
    /// Its name in statements.
    name: String,
    /// Whether rows have a place of their own, so that one of two equal rows can be meant.
    has_places: bool,
    columns: Vec<Column>,
}

const RELATION: &str = "SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind IN ('r', 'p')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND (n.nspname || '.' || c.relname = $1 OR c.relname = $1 AND pg_table_is_visible(c.oid))
    ORDER BY n.nspname || '.' || c.relname = $1 DESC LIMIT 1";

// Of types made from others (domains) the one they are made of says what values are.
const COLUMNS: &str = "SELECT a.attname::text, coalesce(nullif(t.typbasetype, 0), a.atttypid),
      a.atttypmod, format_type(a.atttypid, -1), format_type(a.atttypid, a.atttypmod),
      (SELECT k.place::int4 - 1 FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
       WHERE i.indrelid = a.attrelid AND i.indisprimary AND k.number = a.attnum),
      EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey::int2[])),
      a.attgenerated <> '', a.attidentity = 'a', a.attidentity <> '' OR a.attnotnull AND a.atthasdef,
      CASE WHEN c.relkind IN ('r', 'p') THEN pg_get_serial_sequence(c.oid::regclass::text, a.attname) END
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// Looks a table up; `None` where there is none of that name.
fn relation(client: &mut impl GenericClient, table: &str) -> Result<Option<Relation>, postgres::Error> {
    let Some(found) = client.query_opt(RELATION, &[&table])? else {
        return Ok(None);
    };
    let oid: u32 = found.try_get(0)?;
    let mut columns = Vec::new();
    for row in client.query(COLUMNS, &[&oid])? {
        let key: Option<i32> = row.try_get(5)?;
        columns.push(Column {
            name: row.try_get(0)?,
            kind: Kind::of(row.try_get(1)?, row.try_get(2)?),
            cast: row.try_get(3)?,
            exact: row.try_get(4)?,
            key: key.and_then(|key| usize::try_from(key).ok()),
            is_indexed: row.try_get(6)?,
            is_generated: row.try_get(7)?,
            is_always_numbered: row.try_get(8)?,
            fills_in: row.try_get(9)?,
            sequence: row.try_get(10)?,
        });
    }
    Ok(Some(Relation {
        oid,
        name: found.try_get(1)?,
        has_places: found.try_get(2)?,
        columns,
    }))
}

/// Returns the name of a new table in a statement.
fn new_name(table: &str) -> String {
    match table.split_once('.') {
        Some((schema, table)) => format!("{}.{}", quoted(schema), quoted(table)),
        None => quoted(table),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > NAME_MAX_BYTES {
        return Err(format!(
            "`{name}` has {} bytes; names of columns have 1 to {NAME_MAX_BYTES}",
            name.len()
        ));
    }
    Ok(())
}

/// Returns the type of new columns. JSON keeps its own bytes in `json` alone; a time without an offset counts as UTC.
const fn declared(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::Integer => "bigint",
        ColumnType::Decimal => "numeric",
        ColumnType::Float => "double precision",
        ColumnType::Boolean => "boolean",
        ColumnType::Date => "date",
        ColumnType::Time => "time",
        ColumnType::Timestamp => "timestamp with time zone",
        ColumnType::Bytes => "bytea",
        ColumnType::Json => "json",
    }
}

impl TableFormat for PostgresTables {
    fn info(&self) -> &TableInfo {
        &self.info
    }

    fn detect(&self, _file_name: &str, _head: &[u8]) -> Confidence {
        Confidence::No
    }

    fn state(&self, disk: &Disk, location: &Location) -> Result<Option<Vec<Stat>>, SourceError> {
        let mut client = connect(disk, location)?;
        let wrap = |error: postgres::Error| failure(location, &error);
        let name = location.table.as_deref().unwrap_or_default();
        let sql =
            "SELECT txid_current_snapshot()::text, (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8,
            (SELECT oid FROM pg_database WHERE datname = current_database())";
        let row = client.query_one(sql, &[]).map_err(wrap)?;
        let snapshot: String = row.try_get(0).map_err(wrap)?;
        let started_us: i64 = row.try_get(1).map_err(wrap)?;
        let database: u32 = row.try_get(2).map_err(wrap)?;
        let relation = relation(&mut client, name).map_err(wrap)?;
        let relation = relation.ok_or_else(|| SourceError::Missing(location.to_string()))?;
        // `first open:next:open ones`; with an open one nobody knows what it is about to commit.
        let mut numbers = snapshot.splitn(3, ':');
        let (first, next) = (numbers.next(), numbers.next());
        let next = next
            .filter(|next| first == Some(next))
            .and_then(|next| next.parse().ok());
        Ok(next.map(|next| {
            vec![Stat {
                length_bytes: next,
                // Numbers do not need the care that times of files do.
                modified_ns: 0,
                changed_ns: 0,
                // A server whose numbers went back (a restored backup) was started anew.
                inode: started_us.unsigned_abs(),
                device: u64::from(database) << 32 | u64::from(relation.oid),
            }]
        }))
    }

    fn open(&self, disk: &Disk, location: &Location) -> Result<Box<dyn Table>, SourceError> {
        let mut client = connect(disk, location)?;
        let table = location.table.as_deref().unwrap_or_default();
        let relation = relation(&mut client, table).map_err(|error| failure(location, &error))?;
        let relation = relation.ok_or_else(|| SourceError::Missing(location.to_string()))?;
        Ok(Box::new(PostgresTable {
            location: location.clone(),
            client: RefCell::new(client),
            listed: relation.columns.iter().map(Column::listed).collect(),
            relation,
            ignored: BTreeSet::new(),
        }))
    }

    fn create(&self, disk: &Disk, location: &Location, columns: &[TableColumn]) -> Result<(), SourceError> {
        let place = |reason| SourceError::Place {
            location: location.to_string(),
            reason,
        };
        let mut parts = Vec::new();
        for column in columns {
            check_name(&column.name).map_err(place)?;
            let kind = column.kind.unwrap_or(ColumnType::Text);
            parts.push(format!("{} {}", quoted(&column.name), declared(kind)));
        }
        let mut key: Vec<(usize, &str)> = columns
            .iter()
            .filter_map(|column| Some((column.key?, column.name.as_str())))
            .collect();
        key.sort_unstable();
        if !key.is_empty() {
            let names: Vec<String> = key.into_iter().map(|(_, name)| quoted(name)).collect();
            parts.push(format!("PRIMARY KEY ({})", names.join(", ")));
        }
        let name = new_name(location.table.as_deref().unwrap_or_default());
        let sql = format!("CREATE TABLE {name} ({})", parts.join(", "));
        let mut client = connect(disk, location)?;
        client.batch_execute(&sql).map_err(|error| failure(location, &error))
    }

    fn tables(&self, disk: &Disk, location: &Location) -> Result<Vec<String>, SourceError> {
        let wrap = |error: postgres::Error| failure(location, &error);
        let sql = "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema'
              AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1";
        let rows = connect(disk, location)?.query(sql, &[]).map_err(wrap)?;
        rows.iter().map(|row| row.try_get(0).map_err(wrap)).collect()
    }
}

/// An open table.
struct PostgresTable {
    location: Location,
    client: RefCell<Client>,
    relation: Relation,
    listed: Vec<TableColumn>,
    /// Columns that are neither compared nor written.
    ignored: BTreeSet<usize>,
}

impl PostgresTable {
    /// Asks the server what a column makes of a text; `None` where it takes none such.
    fn ask(&self, column: &Column, text: &str) -> Option<String> {
        let sql = format!("SELECT ($1::text::{})::text", column.exact);
        let mut client = self.client.try_borrow_mut().ok()?;
        let row = client.query_typed_one(&sql, &[(&text, Type::TEXT)]).ok()?;
        row.try_get(0).ok()
    }
}

impl Table for PostgresTable {
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
        let wrap = |error: postgres::Error| failure(&self.location, &error);
        let names: Vec<String> = self
            .relation
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        let sql = format!(
            "COPY (SELECT {} FROM {}) TO STDOUT",
            names.join(", "),
            self.relation.name
        );
        let mut client = self.client.borrow_mut();
        let mut rows = client.copy_out(&sql).map_err(wrap)?;
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            rows.read_until(b'\n', &mut bytes)
                .map_err(|error| SourceError::Unreachable {
                    location: self.location.to_string(),
                    reason: error.to_string(),
                })?;
            let Some(row) = bytes.strip_suffix(b"\n") else { break };
            let row = text::without_last_nulls(row);
            each(RawRow { bytes: row, line })?;
        }
        Ok(ReadEnd { is_complete: true })
    }

    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        for (at, field) in text::fields(row).enumerate() {
            let column = self.relation.columns.get(at);
            let column = column.ok_or_else(|| ItemError::new("it has more values than the table has columns"))?;
            each(at, field?.map_or(Cell::Null, |text| column.kind.cell(text)));
        }
        Ok(())
    }

    fn shown(&self, column: usize, value: Option<Value>) -> Option<Value> {
        let Some(column) = self.relation.columns.get(column) else {
            return value;
        };
        let shown = {
            let cell = from_value(value.as_ref());
            let text = cell.text()?;
            match column.kind.shown(&text) {
                Some(cell) => to_value(cell),
                None => self
                    .ask(column, &text)
                    .and_then(|text| to_value(column.kind.cell(Cow::Owned(text)))),
            }
        };
        // What the server does not take is refused when it is written.
        shown.or(value)
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
        let known = (&self.relation, &self.ignored);
        write::write(self.client.get_mut(), &self.location, known, write)
    }
}
