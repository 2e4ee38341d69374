//! Writing rows: one transaction, in which each row must still be what was read.
//!
//! What a rule of the database refuses is told with the rule. Foreign keys that the database checks at the end only
//! are looked up where the end failed, and what breaks them is left out.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::{ToSqlOutput, Value as Stored};
use rusqlite::{Connection, OpenFlags, OptionalExtension, ToSql, TransactionBehavior, ffi, params_from_iter};

use super::{
    Column, Scratch, SqliteTable, columns_of, connect, declared, is_busy, place_error, push_cell, quoted, read_cell,
    reason_of,
};
use crate::model::row::to_value;
use crate::source::SourceError;
use crate::source::table::rules::{Refused, RowWriter, write_rows};
use crate::source::table::{
    ColumnEdit, Constraint, ConstraintKind, RowEdit, RowEdits, RowRefusal, TableWrite, Values, WriteOutcome,
};

/// How often what the end of a transaction refuses is left out (chosen: each time something new is found).
const ENDS: usize = 4;

/// Writes into a table; see [`crate::source::table::Table::write`].
pub(super) fn write(table: &SqliteTable, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
    let wrap = |error: rusqlite::Error| place_error(&table.path, &error);
    let mut connection = connect(&table.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(wrap)?;
    let mut left_out = BTreeMap::new();
    for _ in 0..ENDS {
        match attempt(table, &mut connection, write, &mut left_out) {
            Ok(Some(refused)) => return Ok(WriteOutcome::Written(refused)),
            Ok(None) => {}
            Err(error) if is_busy(&error) => {
                return Ok(WriteOutcome::Busy(
                    "another program is using it; it is left for the next run".to_owned(),
                ));
            }
            Err(error) => return Err(wrap(error)),
        }
    }
    Ok(WriteOutcome::Busy(
        "its foreign keys refuse the whole of what is to be written; it is left for the next run".to_owned(),
    ))
}

/// Writes everything but what is known to be refused at the end; `None` where the end refused more, which is noted.
fn attempt(
    table: &SqliteTable,
    connection: &mut Connection,
    write: &TableWrite<'_>,
    left_out: &mut BTreeMap<usize, Constraint>,
) -> rusqlite::Result<Option<Vec<RowRefusal>>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for edit in &write.columns {
        transaction.execute_batch(&column_sql(table, edit))?;
    }
    let changed = if write.columns.is_empty() {
        None
    } else {
        Some(table.with_columns(&transaction)?)
    };
    let table = changed.as_ref().unwrap_or(table);
    let mut rows = Rows {
        table,
        connection: &transaction,
        ids: table.row_ids(&transaction, write.rows.listed())?,
        is_deferred: false,
    };
    let mut refused = write_rows(&mut rows, &write.rows, &|at| left_out.contains_key(&at))?;
    refused.extend(left_out.iter().map(|(edit, constraint)| RowRefusal {
        edit: *edit,
        reason: format!(
            "FOREIGN KEY constraint failed at the end of the transaction: {}",
            constraint.name
        ),
        constraint: Some(constraint.clone()),
    }));
    refused.sort_by_key(|refusal| refusal.edit);
    let Err(error) = transaction.execute_batch("COMMIT") else {
        return Ok(Some(refused));
    };
    if !is_constraint(&error) {
        return Err(error);
    }
    let told: BTreeSet<usize> = refused.iter().map(|refusal| refusal.edit).collect();
    let before = left_out.len();
    for edit in write.rows.iter() {
        let (at, edit) = edit.map_err(Rows::unmade)?;
        if !told.contains(&at)
            && let Some(constraint) = rows.foreign_key(&edit)?
        {
            left_out.insert(at, constraint);
        }
    }
    if left_out.len() == before { Err(error) } else { Ok(None) }
}

fn column_sql(table: &SqliteTable, edit: &ColumnEdit) -> String {
    let name = quoted(&table.name);
    match edit {
        ColumnEdit::Add { name: column, kind } => {
            format!("ALTER TABLE {name} ADD COLUMN {} {}", quoted(column), declared(*kind))
        }
        ColumnEdit::Rename { column, name: new } => {
            let old = table.columns.get(*column).map_or("", |column| column.name.as_str());
            format!("ALTER TABLE {name} RENAME COLUMN {} TO {}", quoted(old), quoted(new))
        }
    }
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

impl SqliteTable {
    /// Returns this table with the columns it has on another connection.
    fn with_columns(&self, connection: &Connection) -> rusqlite::Result<Self> {
        let columns = columns_of(connection, &self.name)?;
        Ok(Self {
            path: self.path.clone(),
            connection: Connection::open_in_memory()?,
            name: self.name.clone(),
            listed: columns.iter().map(Column::listed).collect(),
            scratch: Scratch::new(&columns)?,
            columns,
            has_rowid: self.has_rowid,
            ignored: self.ignored.clone(),
        })
    }

    /// Returns the condition that a row is what it was, and what is to be bound for it from number `next` on.
    fn is_as_before(&self, old: &Values, rowid: Option<i64>, next: usize) -> (String, Vec<Stored>) {
        let mut parts = Vec::new();
        let mut bound = Vec::new();
        if let Some(rowid) = rowid {
            parts.push(format!("rowid = ?{next}"));
            bound.push(Stored::Integer(rowid));
        }
        let compared = self.columns.iter().enumerate();
        for (at, column) in compared.filter(|(at, _)| !self.ignored.contains(at)) {
            let value = self.bound(at, old.get(at).and_then(Option::as_ref));
            parts.push(format!("{} IS ?{}", quoted(&column.name), next + bound.len()));
            bound.push(value);
        }
        (parts.join(" AND "), bound)
    }

    /// Returns the row ids of rows by their places, where rows have no key that finds them.
    fn row_ids(&self, connection: &Connection, rows: &[RowEdit]) -> rusqlite::Result<BTreeMap<u64, i64>> {
        let wanted: BTreeSet<u64> = rows
            .iter()
            .filter_map(|edit| match edit {
                RowEdit::Update { row, .. } | RowEdit::Delete { row, .. } => Some(*row),
                RowEdit::Insert { .. } => None,
            })
            .collect();
        let mut found = BTreeMap::new();
        let is_keyed = self.columns.iter().any(|column| column.key.is_some());
        if is_keyed || !self.has_rowid || wanted.is_empty() {
            return Ok(found);
        }
        let mut statement = connection.prepare(&format!("SELECT rowid FROM {} ORDER BY rowid", quoted(&self.name)))?;
        let mut ids = statement.query([])?;
        let mut place = 0;
        while let Some(row) = ids.next()? {
            if wanted.contains(&place) {
                found.insert(place, row.get(0)?);
            }
            place += 1;
        }
        Ok(found)
    }

    /// Returns the places of columns by name, as far as it has them.
    fn places(&self, names: &[String]) -> Vec<usize> {
        let place = |name: &String| {
            let same = |column: &Column| column.name.eq_ignore_ascii_case(name);
            self.columns.iter().position(same)
        };
        names.iter().filter_map(place).collect()
    }
}

/// Binds a value by reference.
struct Bound<'v>(&'v Stored);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0.into()))
    }
}

/// The rows of a table within a transaction.
struct Rows<'r> {
    table: &'r SqliteTable,
    connection: &'r Connection,
    ids: BTreeMap<u64, i64>,
    /// Whether foreign keys are checked at the end, because rows exchanged values.
    is_deferred: bool,
}

impl RowWriter for Rows<'_> {
    type Error = rusqlite::Error;

    fn unmade(error: SourceError) -> rusqlite::Error {
        rusqlite::Error::ToSqlConversionFailure(Box::new(error))
    }

    fn mark(&mut self) -> rusqlite::Result<()> {
        // What rows give up for a moment other tables may refer to: that is checked at the end of the transaction.
        let defer = "SAVEPOINT mark; PRAGMA defer_foreign_keys = ON";
        self.connection.execute_batch(defer)
    }

    fn keep(&mut self) -> rusqlite::Result<()> {
        self.is_deferred = true;
        self.connection.execute_batch("RELEASE mark")
    }

    fn take_back(&mut self) -> rusqlite::Result<()> {
        self.connection.execute_batch("ROLLBACK TO mark; RELEASE mark")?;
        if !self.is_deferred {
            // Switching it off forgets what is still to be checked, which is nothing here.
            self.connection.execute_batch("PRAGMA defer_foreign_keys = OFF")?;
        }
        Ok(())
    }

    fn write(&mut self, edits: &RowEdits<'_>, which: &[usize]) -> rusqlite::Result<Vec<Refused>> {
        let mut refused = Vec::new();
        for at in which {
            let Some(edit) = edits.get(*at).map_err(Self::unmade)? else {
                continue;
            };
            let edit = &*edit;
            let (reason, error) = match self.within(|rows| rows.one(edit))? {
                Ok(None) => continue,
                Ok(Some(reason)) => (reason, None),
                Err(error) => (reason_of(&error), Some(error)),
            };
            let constraint = match &error {
                Some(error) => self.constraint(error, edit)?,
                None => None,
            };
            refused.push(Refused {
                edit: *at,
                reason,
                constraint,
            });
        }
        Ok(refused)
    }

    fn put(&mut self, row: u64, old: &Values, new: &Values) -> rusqlite::Result<bool> {
        let edit = RowEdit::Update {
            row,
            old: old.clone(),
            new: new.clone(),
        };
        Ok(matches!(self.within(|rows| rows.one(&edit))?, Ok(None)))
    }

    fn holder(&mut self, columns: &[usize], values: &Values) -> rusqlite::Result<Option<Values>> {
        let mut parts = Vec::new();
        let mut bound = Vec::new();
        for at in columns {
            let value = self.table.bound(*at, values.get(*at).and_then(Option::as_ref));
            let (Some(column), false) = (self.table.columns.get(*at), value == Stored::Null) else {
                return Ok(None);
            };
            bound.push(value);
            parts.push(format!("{} = ?{}", quoted(&column.name), bound.len()));
        }
        let names: Vec<String> = self.table.columns.iter().map(|column| quoted(&column.name)).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE {} LIMIT 1",
            names.join(", "),
            quoted(&self.table.name),
            parts.join(" AND ")
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(bound.iter().map(Bound)))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let mut found = Values::new();
        for at in 0..names.len() {
            let mut bytes = Vec::new();
            push_cell(row.get_ref(at)?, &mut bytes);
            let cell = read_cell(&mut bytes.as_slice()).and_then(Result::ok).and_then(to_value);
            found.push(cell);
        }
        Ok(Some(found))
    }
}

impl Rows<'_> {
    /// Does something that leaves no trace unless it succeeds; the outer error ends the transaction.
    fn within(
        &self,
        each: impl Fn(&Self) -> rusqlite::Result<Option<String>>,
    ) -> rusqlite::Result<rusqlite::Result<Option<String>>> {
        self.connection.execute_batch("SAVEPOINT one")?;
        let result = each(self);
        match result {
            Ok(None) => self.connection.execute_batch("RELEASE one")?,
            // A trigger may have ended the transaction itself.
            Err(error) if is_busy(&error) || self.connection.is_autocommit() => return Err(error),
            _ => self.connection.execute_batch("ROLLBACK TO one; RELEASE one")?,
        }
        Ok(result)
    }

    /// Writes one row; a reason where what stands there refuses it.
    ///
    /// `OR ABORT` overrules tables that would remove another row to make place for this one.
    fn one(&self, edit: &RowEdit) -> rusqlite::Result<Option<String>> {
        let table = self.table;
        let name = quoted(&table.name);
        let (sql, bound) = match edit {
            RowEdit::Insert { new } => {
                let mut columns = Vec::new();
                let mut bound = Vec::new();
                for (at, column) in table.columns.iter().enumerate() {
                    let value = table.bound(at, new.get(at).and_then(Option::as_ref));
                    if value == Stored::Null && (column.fills_in || table.ignored.contains(&at)) {
                        continue;
                    }
                    columns.push(quoted(&column.name));
                    bound.push(value);
                }
                let places: Vec<String> = (1..=bound.len()).map(|at| format!("?{at}")).collect();
                let (columns, places) = (columns.join(", "), places.join(", "));
                (
                    format!("INSERT OR ABORT INTO {name} ({columns}) VALUES ({places})"),
                    bound,
                )
            }
            RowEdit::Update { row, old, new } => {
                let mut sets = Vec::new();
                let mut bound = Vec::new();
                for (at, column) in table.columns.iter().enumerate() {
                    let (was, now) = (old.get(at).unwrap_or(&None), new.get(at).unwrap_or(&None));
                    if was == now {
                        continue;
                    }
                    bound.push(table.bound(at, now.as_ref()));
                    sets.push(format!("{} = ?{}", quoted(&column.name), bound.len()));
                }
                if sets.is_empty() {
                    return Ok(None);
                }
                let (condition, more) = table.is_as_before(old, self.ids.get(row).copied(), bound.len() + 1);
                bound.extend(more);
                (
                    format!("UPDATE OR ABORT {name} SET {} WHERE {condition}", sets.join(", ")),
                    bound,
                )
            }
            RowEdit::Delete { row, old } => {
                let (condition, bound) = table.is_as_before(old, self.ids.get(row).copied(), 1);
                (format!("DELETE FROM {name} WHERE {condition}"), bound)
            }
        };
        let mut statement = self.connection.prepare_cached(&sql)?;
        let changed = statement.execute(params_from_iter(bound.iter().map(Bound)))?;
        Ok((changed == 0).then(|| "it is not what was read; it is left for the next run".to_owned()))
    }

    /// Returns the rule that an error is about, if it is about one.
    fn constraint(&self, error: &rusqlite::Error, edit: &RowEdit) -> rusqlite::Result<Option<Constraint>> {
        let rusqlite::Error::SqliteFailure(code, message) = error else {
            return Ok(None);
        };
        if !is_constraint(error) {
            return Ok(None);
        }
        let message = message.as_deref().unwrap_or_default();
        let (what, rest) = message.split_once(" constraint failed: ").unwrap_or((message, ""));
        let other = |name: String, columns| Constraint {
            kind: ConstraintKind::Other,
            name,
            columns,
            rival: None,
        };
        Ok(Some(match code.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                self.unique(rest)?
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
                let found = self.foreign_key(edit)?;
                found.unwrap_or_else(|| Constraint {
                    kind: ConstraintKind::ForeignKey,
                    ..other("FOREIGN KEY".to_owned(), Vec::new())
                })
            }
            ffi::SQLITE_CONSTRAINT_NOTNULL => {
                let column = rest.strip_prefix(&format!("{}.", self.table.name)).unwrap_or(rest);
                let columns = self.table.places(&[column.to_owned()]);
                other(format!("NOT NULL {column}"), columns)
            }
            ffi::SQLITE_CONSTRAINT_TRIGGER => other("a trigger".to_owned(), Vec::new()),
            _ => other(if rest.is_empty() { what } else { rest }.to_owned(), Vec::new()),
        }))
    }

    /// Finds the unique index that a message names by its columns or itself.
    fn unique(&self, told: &str) -> rusqlite::Result<Constraint> {
        let name = &self.table.name;
        let mut found = Constraint {
            kind: ConstraintKind::Unique,
            name: format!("UNIQUE {told}"),
            columns: Vec::new(),
            rival: None,
        };
        let mut key: Vec<(usize, usize)> = Vec::new();
        for (at, column) in self.table.columns.iter().enumerate() {
            key.extend(column.key.map(|place| (place, at)));
        }
        key.sort_unstable();
        let key: Vec<usize> = key.into_iter().map(|(_, at)| at).collect();
        let is_told = |columns: &[usize]| {
            let names = columns.iter().filter_map(|at| self.table.columns.get(*at));
            let names: Vec<String> = names.map(|column| format!("{name}.{}", column.name)).collect();
            !names.is_empty() && names.join(", ") == told
        };
        let sql = "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1";
        let mut list = self.connection.prepare(sql)?;
        let indexes: Vec<String> = list.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for index in indexes {
            let mut list = self
                .connection
                .prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
            let names: Vec<Option<String>> = list.query_map([&index], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let count = names.len();
            let columns = self.table.places(&names.into_iter().flatten().collect::<Vec<_>>());
            if told == format!("index '{index}'") {
                found.name = index;
                // What an expression makes of a column is not what the column has.
                found.columns = if columns.len() == count { columns } else { Vec::new() };
                return Ok(found);
            }
            if columns.len() == count && is_told(&columns) {
                if columns == key {
                    "PRIMARY KEY".clone_into(&mut found.name);
                } else if !index.starts_with("sqlite_autoindex_") {
                    found.name = index;
                }
                found.columns = columns;
                return Ok(found);
            }
        }
        if is_told(&key) {
            "PRIMARY KEY".clone_into(&mut found.name);
            found.columns = key;
        }
        Ok(found)
    }

    /// Returns the foreign key that a row breaks, as it stands or once it is gone.
    fn foreign_key(&self, edit: &RowEdit) -> rusqlite::Result<Option<Constraint>> {
        let (old, new) = match edit {
            RowEdit::Insert { new } => (None, Some(new)),
            RowEdit::Update { old, new, .. } => (Some(old), Some(new)),
            RowEdit::Delete { old, .. } => (Some(old), None),
        };
        if let Some(new) = new {
            for key in self.keys(&self.table.name, None)? {
                let columns = self.table.places(&key.from);
                if columns.len() == key.from.len() && self.is_there(&key.parent, &key.to, &columns, new)? == Some(false)
                {
                    return Ok(Some(Constraint {
                        kind: ConstraintKind::ForeignKey,
                        name: format!("FOREIGN KEY ({}) REFERENCES {}", key.from.join(", "), key.parent),
                        columns,
                        rival: None,
                    }));
                }
            }
        }
        let Some(old) = old else { return Ok(None) };
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
        let mut list = self.connection.prepare(sql)?;
        let tables: Vec<String> = list.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for child in tables {
            for key in self.keys(&child, Some(&self.table.name))? {
                let columns = self.table.places(&key.to);
                let is_kept = new.is_some_and(|new| columns.iter().all(|at| old.get(*at) == new.get(*at)));
                if !is_kept
                    && columns.len() == key.to.len()
                    && self.is_there(&child, &key.from, &columns, old)? == Some(true)
                {
                    return Ok(Some(Constraint {
                        kind: ConstraintKind::ForeignKey,
                        name: format!("FOREIGN KEY ({}) of {child}", key.from.join(", ")),
                        columns,
                        rival: None,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Lists the foreign keys of a table, all or those that lead to `parent`.
    fn keys(&self, table: &str, parent: Option<&str>) -> rusqlite::Result<Vec<ForeignKey>> {
        let sql = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id, seq";
        let mut list = self.connection.prepare(sql)?;
        let mut rows = list.query([table])?;
        let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, to): (i64, Option<String>) = (row.get(0)?, row.get(3)?);
            if keys.last().is_none_or(|(last, _)| *last != id) {
                let parent: String = row.get(1)?;
                let key = ForeignKey {
                    parent,
                    from: Vec::new(),
                    to: Vec::new(),
                };
                keys.push((id, key));
            }
            if let Some((_, key)) = keys.last_mut() {
                key.from.push(row.get(2)?);
                key.to.extend(to);
            }
        }
        let mut found = Vec::new();
        for (_, mut key) in keys {
            if parent.is_some_and(|parent| !parent.eq_ignore_ascii_case(&key.parent)) {
                continue;
            }
            if key.to.is_empty() {
                // The parent's primary key is meant.
                let sql = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
                let mut list = self.connection.prepare(sql)?;
                key.to = list
                    .query_map([&key.parent], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
            }
            found.push(key);
        }
        Ok(found)
    }

    /// Returns whether a table has a row with these values of ours; `None` where one of them is null.
    fn is_there(
        &self,
        table: &str,
        names: &[String],
        columns: &[usize],
        values: &Values,
    ) -> rusqlite::Result<Option<bool>> {
        let bound: Vec<Stored> = columns
            .iter()
            .map(|at| self.table.bound(*at, values.get(*at).and_then(Option::as_ref)))
            .collect();
        if bound.contains(&Stored::Null) || names.len() != columns.len() {
            return Ok(None);
        }
        let parts: Vec<String> = names
            .iter()
            .enumerate()
            .map(|(at, name)| format!("{} = ?{}", quoted(name), at + 1))
            .collect();
        let sql = format!("SELECT 1 FROM {} WHERE {} LIMIT 1", quoted(table), parts.join(" AND "));
        let found = self
            .connection
            .query_row(&sql, params_from_iter(bound.iter().map(Bound)), |_| Ok(()))
            .optional()?;
        Ok(Some(found.is_some()))
    }
}

/// A foreign key: columns of one table that refer to those of another.
struct ForeignKey {
    parent: String,
    from: Vec<String>,
    to: Vec<String>,
}
