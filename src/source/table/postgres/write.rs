//! Writing rows: one serializable transaction, in which each row must still be what was read.
//!
//! Rows go in groups behind a savepoint. Where one of a group is refused, the group is done again row by row, so that
//! the others get through; what becomes of rows that a constraint refused is for `rules` to say. Constraints that the
//! database can check at the end are checked there first; where the end failed they are checked at once, so that it
//! shows which rows they are about.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::thread;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::types::{ToSql, Type};
use postgres::{Client, IsolationLevel, Statement, Transaction};

use super::{Column, Relation, check_name, declared, failure, quoted, reason_of, relation};
use crate::model::Value;
use crate::model::row::{Cell, from_value, to_value};
use crate::source::SourceError;
use crate::source::table::rules::{Refused, RowWriter, write_rows};
use crate::source::table::{
    ColumnEdit, Constraint, ConstraintKind, Location, RowEdit, RowEdits, TableWrite, Values, WriteOutcome,
};

/// How often a transaction is tried that meets others (chosen: with these pauses about two seconds).
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(30);
/// How long locks of others are waited for, and a single statement may take (chosen).
const LIMITS: &str = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '5min'";
/// How many rows go behind one savepoint (chosen).
const GROUP: usize = 500;

const CHANGED: &str = "it is not what was read; it is left for the next run";

/// A table as it was read, and its columns that are neither compared nor written.
type Known<'k> = (&'k Relation, &'k BTreeSet<usize>);

/// Writes into a table; see [`crate::source::table::Table::write`].
pub(super) fn write(
    client: &mut Client,
    location: &Location,
    known: Known<'_>,
    write: &TableWrite<'_>,
) -> Result<WriteOutcome, SourceError> {
    let mut checks_at_once = false;
    let mut pause = FIRST_PAUSE;
    let mut last = String::new();
    for _ in 0..TRIES {
        let error = match attempt(client, location, known, write, checks_at_once) {
            Ok(outcome) => return Ok(outcome),
            Err(Stop::Other(error)) => return Err(error),
            Err(Stop::Server(error)) => error,
        };
        last = reason_of(&error);
        let code = error.code().cloned();
        match code.as_ref() {
            Some(code) if is_meeting(code) => {
                thread::sleep(pause);
                pause *= 2;
            }
            Some(code) if is_constraint(code) && !checks_at_once => checks_at_once = true,
            Some(code) if [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED].contains(code) => break,
            _ => return Err(failure(location, &error)),
        }
    }
    Ok(WriteOutcome::Busy(format!(
        "others are changing it ({last}); it is left for the next run"
    )))
}

/// Why a transaction did not come to its end.
enum Stop {
    Server(postgres::Error),
    Other(SourceError),
}

impl From<postgres::Error> for Stop {
    fn from(error: postgres::Error) -> Self {
        Self::Server(error)
    }
}

/// Returns whether a transaction failed because of another one, so that it may succeed when tried again.
fn is_meeting(code: &SqlState) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
}

/// Returns whether a constraint was violated (class 23).
fn is_constraint(code: &SqlState) -> bool {
    code.code().starts_with("23")
}

/// Returns whether a failed statement says something of its row, and not of the transaction.
fn is_about_row(error: &postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        let whole = ["08", "25", "40", "53", "55", "57", "58", "XX"];
        !whole.iter().any(|class| code.code().starts_with(class))
    })
}

fn attempt(
    client: &mut Client,
    location: &Location,
    (known, ignored): Known<'_>,
    write: &TableWrite<'_>,
    checks_at_once: bool,
) -> Result<WriteOutcome, Stop> {
    let serializable = client.build_transaction().isolation_level(IsolationLevel::Serializable);
    let mut transaction = serializable.start()?;
    transaction.batch_execute(LIMITS)?;
    let when = if checks_at_once { "IMMEDIATE" } else { "DEFERRED" };
    transaction.batch_execute(&format!("SET CONSTRAINTS ALL {when}"))?;
    let name = location.table.as_deref().unwrap_or_default();
    let mut present = relation(&mut transaction, name)?;
    if present.as_ref() != Some(known) {
        let reason = "its columns changed meanwhile; it is left for the next run";
        return Ok(WriteOutcome::Busy(reason.to_owned()));
    }
    for edit in &write.columns {
        let sql = column_sql(known, edit).map_err(|reason| {
            Stop::Other(SourceError::Place {
                location: location.to_string(),
                reason,
            })
        })?;
        transaction.batch_execute(&sql)?;
    }
    if !write.columns.is_empty() {
        present = relation(&mut transaction, name)?;
    }
    let Some(relation) = present else {
        return Err(Stop::Other(SourceError::Missing(location.to_string())));
    };
    let mut rows = Rows {
        transaction: &mut transaction,
        relation: &relation,
        ignored,
        is_keyed: relation.columns.iter().any(|column| column.key.is_some()),
        statements: HashMap::new(),
        numbers: BTreeMap::new(),
    };
    let refused = write_rows(&mut rows, &write.rows, &|_| false)?;
    rows.advance_numbers()?;
    transaction.commit()?;
    Ok(WriteOutcome::Written(refused))
}

fn column_sql(relation: &Relation, edit: &ColumnEdit) -> Result<String, String> {
    Ok(match edit {
        ColumnEdit::Add { name, kind } => {
            check_name(name)?;
            format!(
                "ALTER TABLE {} ADD COLUMN {} {}",
                relation.name,
                quoted(name),
                declared(*kind)
            )
        }
        ColumnEdit::Rename { column, name } => {
            check_name(name)?;
            let old = relation.columns.get(*column).map_or("", |column| column.name.as_str());
            format!(
                "ALTER TABLE {} RENAME COLUMN {} TO {}",
                relation.name,
                quoted(old),
                quoted(name)
            )
        }
    })
}

/// The columns of a table that a constraint or a unique index is about, be it on the referring or the referred side.
const CONSTRAINT_COLUMNS: &str = "SELECT DISTINCT ON (place) a.attname::text
    FROM (SELECT c.place, c.number FROM pg_constraint k,
            unnest(CASE WHEN k.conrelid = $2 THEN k.conkey ELSE k.confkey END) WITH ORDINALITY AS c (number, place)
          WHERE k.conname = $1 AND (k.conrelid = $2 OR k.confrelid = $2)
          UNION ALL
          SELECT c.place, c.number FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid,
            unnest(i.indkey::int2[]) WITH ORDINALITY AS c (number, place)
          WHERE n.relname = $1 AND i.indrelid = $2 AND c.place <= i.indnkeyatts) AS found
      JOIN pg_attribute a ON a.attrelid = $2 AND a.attnum = found.number
    ORDER BY place";

struct Rows<'t, 'c> {
    transaction: &'t mut Transaction<'c>,
    relation: &'t Relation,
    ignored: &'t BTreeSet<usize>,
    is_keyed: bool,
    statements: HashMap<String, Statement>,
    /// The highest number that a new row was given in a column which the database numbers, by column.
    numbers: BTreeMap<usize, i64>,
}

/// A statement with its values, all of them texts.
#[derive(Default)]
struct Prepared {
    sql: String,
    values: Vec<Option<String>>,
}

impl Prepared {
    /// Adds a value and returns its place in the statement, cast to a type.
    fn bind(&mut self, value: Option<String>, cast: &str) -> String {
        self.values.push(value);
        format!("${}::text::{cast}", self.values.len())
    }
}

fn text_of(value: Option<&Value>) -> Option<String> {
    from_value(value).text().map(Cow::into_owned)
}

impl RowWriter for Rows<'_, '_> {
    type Error = Stop;

    fn unmade(error: SourceError) -> Stop {
        Stop::Other(error)
    }

    fn mark(&mut self) -> Result<(), Stop> {
        Ok(self.transaction.batch_execute("SAVEPOINT mark")?)
    }

    fn keep(&mut self) -> Result<(), Stop> {
        Ok(self.transaction.batch_execute("RELEASE mark")?)
    }

    fn take_back(&mut self) -> Result<(), Stop> {
        Ok(self.transaction.batch_execute("ROLLBACK TO mark; RELEASE mark")?)
    }

    fn write(&mut self, edits: &RowEdits<'_>, which: &[usize]) -> Result<Vec<Refused>, Stop> {
        let mut refused = Vec::new();
        for group in which.chunks(GROUP) {
            refused.append(&mut self.group(edits, group)?);
        }
        Ok(refused)
    }

    fn put(&mut self, _row: u64, old: &Values, new: &Values) -> Result<bool, Stop> {
        let Some(statement) = self.update(old, new) else {
            return Ok(false);
        };
        self.transaction.batch_execute("SAVEPOINT rows")?;
        match self.execute(&statement) {
            Ok(1) => {
                self.transaction.batch_execute("RELEASE rows")?;
                return Ok(true);
            }
            Err(error) if !is_about_row(&error) => return Err(error.into()),
            _ => {}
        }
        self.transaction.batch_execute("ROLLBACK TO rows; RELEASE rows")?;
        Ok(false)
    }

    fn holder(&mut self, columns: &[usize], values: &Values) -> Result<Option<Values>, Stop> {
        let mut statement = Prepared::default();
        let mut parts = Vec::new();
        for at in columns {
            let Some(column) = self.relation.columns.get(*at) else {
                return Ok(None);
            };
            let Some(text) = text_of(values.get(*at).and_then(Option::as_ref)) else {
                return Ok(None);
            };
            let value = statement.bind(Some(text), &column.exact);
            parts.push(format!("{} = {value}", quoted(&column.name)));
        }
        let list: Vec<String> = self
            .relation
            .columns
            .iter()
            .map(|column| format!("{}::text", quoted(&column.name)))
            .collect();
        statement.sql = format!(
            "SELECT {} FROM {} WHERE {} LIMIT 1",
            list.join(", "),
            self.relation.name,
            parts.join(" AND ")
        );
        self.transaction.batch_execute("SAVEPOINT rows")?;
        let found = match self.query(&statement) {
            Err(error) if !is_about_row(&error) => return Err(error.into()),
            // A type that cannot be compared.
            Err(_) => None,
            Ok(found) => found,
        };
        self.transaction.batch_execute("ROLLBACK TO rows; RELEASE rows")?;
        Ok(found)
    }
}

impl Rows<'_, '_> {
    /// Writes some rows; returns those that were refused.
    fn group(&mut self, edits: &RowEdits<'_>, group: &[usize]) -> Result<Vec<Refused>, Stop> {
        let mut wanted = Vec::new();
        for at in group {
            wanted.extend(edits.get(*at).map_err(Stop::Other)?.map(|edit| (*at, edit)));
        }
        self.transaction.batch_execute("SAVEPOINT rows")?;
        match self.together(&wanted) {
            Ok(true) => {
                self.transaction.batch_execute("RELEASE rows")?;
                return Ok(Vec::new());
            }
            Ok(false) => {}
            Err(error) if is_about_row(&error) => {}
            Err(error) => return Err(error.into()),
        }
        self.transaction.batch_execute("ROLLBACK TO rows; RELEASE rows")?;
        let mut refused = Vec::new();
        for (at, edit) in &wanted {
            self.transaction.batch_execute("SAVEPOINT rows")?;
            let (reason, error) = match self.one(edit) {
                Ok(None) => {
                    self.transaction.batch_execute("RELEASE rows")?;
                    continue;
                }
                Ok(Some(reason)) => (reason, None),
                Err(error) if is_about_row(&error) => (reason_of(&error), Some(error)),
                Err(error) => return Err(error.into()),
            };
            self.transaction.batch_execute("ROLLBACK TO rows; RELEASE rows")?;
            let constraint = match &error {
                Some(error) => self.constraint_of(error)?,
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

    /// Returns the rule that an error is about, if it is about one.
    fn constraint_of(&mut self, error: &postgres::Error) -> Result<Option<Constraint>, postgres::Error> {
        let Some(said) = error.as_db_error() else {
            return Ok(None);
        };
        let code = said.code();
        if !is_constraint(code) && *code != SqlState::RAISE_EXCEPTION {
            return Ok(None);
        }
        let kind = match *code {
            SqlState::UNIQUE_VIOLATION => ConstraintKind::Unique,
            SqlState::FOREIGN_KEY_VIOLATION => ConstraintKind::ForeignKey,
            _ => ConstraintKind::Other,
        };
        let mut names: Vec<String> = said.column().map(str::to_owned).into_iter().collect();
        let name = match (said.constraint(), said.column()) {
            (Some(name), _) => {
                for row in self
                    .transaction
                    .query(CONSTRAINT_COLUMNS, &[&name, &self.relation.oid])?
                {
                    names.push(row.try_get(0)?);
                }
                name.to_owned()
            }
            (None, Some(column)) => format!("NOT NULL {column}"),
            (None, None) if *code == SqlState::RAISE_EXCEPTION => "a trigger".to_owned(),
            (None, None) => said.message().to_owned(),
        };
        let place = |name: &String| self.relation.columns.iter().position(|column| column.name == *name);
        let mut columns: Vec<usize> = names.iter().filter_map(place).collect();
        columns.dedup();
        Ok(Some(Constraint {
            kind,
            name,
            columns,
            rival: None,
        }))
    }

    /// Writes rows without looking at each; returns whether all were taken.
    fn together(&mut self, edits: &[(usize, Cow<'_, RowEdit>)]) -> Result<bool, postgres::Error> {
        let mut inserts: Vec<(Vec<usize>, Vec<&Values>)> = Vec::new();
        for (_, edit) in edits {
            if let RowEdit::Insert { new } = &**edit {
                let columns = self.inserted(new);
                match inserts.iter_mut().find(|(known, _)| *known == columns) {
                    Some((_, rows)) => rows.push(new),
                    None => inserts.push((columns, vec![new])),
                }
            } else if self.one(edit)?.is_some() {
                return Ok(false);
            }
        }
        for (columns, rows) in inserts {
            if self.insert(&columns, &rows)? != rows.len() as u64 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes one row; a reason where what stands there refuses it.
    fn one(&mut self, edit: &RowEdit) -> Result<Option<String>, postgres::Error> {
        let statement = match edit {
            RowEdit::Insert { new } => {
                let columns = self.inserted(new);
                let count = self.insert(&columns, &[new])?;
                let reason = "the database did not take it, by a trigger or a rule of its own";
                return Ok((count != 1).then(|| reason.to_owned()));
            }
            RowEdit::Update { old, new, .. } => match self.update(old, new) {
                Some(statement) => statement,
                None => return Ok(Some("the database makes its changed values itself".to_owned())),
            },
            RowEdit::Delete { old, .. } => {
                let mut statement = Prepared::default();
                let condition = self.condition(old, &mut statement);
                statement.sql = format!("DELETE FROM {} WHERE {condition}", self.relation.name);
                statement
            }
        };
        Ok(match self.execute(&statement)? {
            1 => None,
            0 => Some(CHANGED.to_owned()),
            count => Some(format!("{count} rows are what it was, and nothing tells them apart")),
        })
    }

    fn execute(&mut self, prepared: &Prepared) -> Result<u64, postgres::Error> {
        let types = vec![Type::TEXT; prepared.values.len()];
        let values: Vec<&(dyn ToSql + Sync)> = prepared.values.iter().map(|value| value as _).collect();
        let statement = self.statement(&prepared.sql, &types)?;
        self.transaction.execute(&statement, &values)
    }

    /// Returns the first row that a statement finds, if it finds one.
    fn query(&mut self, prepared: &Prepared) -> Result<Option<Values>, postgres::Error> {
        let types = vec![Type::TEXT; prepared.values.len()];
        let values: Vec<&(dyn ToSql + Sync)> = prepared.values.iter().map(|value| value as _).collect();
        let statement = self.statement(&prepared.sql, &types)?;
        let Some(row) = self.transaction.query(&statement, &values)?.into_iter().next() else {
            return Ok(None);
        };
        let mut found = Values::new();
        for (at, column) in self.relation.columns.iter().enumerate() {
            let text: Option<String> = row.try_get(at)?;
            found.push(to_value(text.map_or(Cell::Null, |text| column.kind.cell(text.into()))));
        }
        Ok(Some(found))
    }

    fn statement(&mut self, sql: &str, types: &[Type]) -> Result<Statement, postgres::Error> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.transaction.prepare_typed(sql, types)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Returns the columns that get values in a new row; others are filled in by the database.
    fn inserted(&self, new: &Values) -> Vec<usize> {
        let columns = self.relation.columns.iter().enumerate();
        let given = |at: usize| new.get(at).is_some_and(Option::is_some);
        columns
            .filter(|(at, column)| {
                column.takes_values() && (given(*at) || !column.fills_in && !self.ignored.contains(at))
            })
            .map(|(at, _)| at)
            .collect()
    }

    /// Inserts rows that have values in the same columns; returns how many the database took.
    fn insert(&mut self, columns: &[usize], rows: &[&Values]) -> Result<u64, postgres::Error> {
        let name = &self.relation.name;
        let columns: Vec<(usize, &Column)> = columns
            .iter()
            .filter_map(|at| Some((*at, self.relation.columns.get(*at)?)))
            .collect();
        if columns.is_empty() {
            let sql = format!("INSERT INTO {name} DEFAULT VALUES");
            let mut count = 0;
            for _ in rows {
                count += self.transaction.execute(&sql, &[])?;
            }
            return Ok(count);
        }
        let list = |part: &dyn Fn(usize, &Column) -> String| -> String {
            let parts = columns
                .iter()
                .enumerate()
                .map(|(place, (_, column))| part(place, column));
            parts.collect::<Vec<_>>().join(", ")
        };
        let overriding = if columns.iter().any(|(_, column)| column.is_always_numbered) {
            " OVERRIDING SYSTEM VALUE"
        } else {
            ""
        };
        let sql = format!(
            "INSERT INTO {name} ({}){overriding} SELECT {} FROM unnest({}) AS u ({})",
            list(&|_, column| quoted(&column.name)),
            list(&|place, column| format!("u.c{place}::{}", column.cast)),
            list(&|place, _| format!("${}::text[]", place + 1)),
            list(&|place, _| format!("c{place}")),
        );
        for (at, _) in columns.iter().filter(|(_, column)| column.sequence.is_some()) {
            let numbers = rows.iter().filter_map(|row| row.get(*at)?.as_ref()?.as_integer());
            let known = self.numbers.get(at).copied();
            self.numbers
                .extend(numbers.chain(known).max().map(|highest| (*at, highest)));
        }
        let values: Vec<Vec<Option<String>>> = columns
            .iter()
            .map(|(at, _)| {
                rows.iter()
                    .map(|row| text_of(row.get(*at).and_then(Option::as_ref)))
                    .collect()
            })
            .collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let statement = self.statement(&sql, &vec![Type::TEXT_ARRAY; values.len()])?;
        self.transaction.execute(&statement, &values)
    }

    /// Returns the statement that changes a row; `None` where none of its changed columns can be written.
    fn update(&self, old: &Values, new: &Values) -> Option<Prepared> {
        let mut statement = Prepared::default();
        let mut sets = Vec::new();
        for (at, column) in self.relation.columns.iter().enumerate() {
            let (was, now) = (old.get(at).unwrap_or(&None), new.get(at).unwrap_or(&None));
            if was == now || !column.takes_values() || column.is_always_numbered {
                continue;
            }
            let value = statement.bind(text_of(now.as_ref()), &column.cast);
            sets.push(format!("{} = {value}", quoted(&column.name)));
        }
        if sets.is_empty() {
            return None;
        }
        let condition = self.condition(old, &mut statement);
        statement.sql = format!(
            "UPDATE {} SET {} WHERE {condition}",
            self.relation.name,
            sets.join(", ")
        );
        Some(statement)
    }

    /// Returns the condition that a row is what it was.
    fn condition(&self, old: &Values, statement: &mut Prepared) -> String {
        let mut parts = Vec::new();
        let compared = self.relation.columns.iter().enumerate();
        for (at, column) in compared.filter(|(at, _)| !self.ignored.contains(at)) {
            let name = quoted(&column.name);
            let Some(text) = text_of(old.get(at).and_then(Option::as_ref)) else {
                parts.push(format!("{name} IS NULL"));
                continue;
            };
            let by_value = column.kind.is_compared_by_value();
            if by_value || column.is_indexed {
                let value = statement.bind(Some(text.clone()), &column.cast);
                parts.push(format!("{name} = {value}"));
            }
            if !by_value {
                let value = statement.bind(Some(text), "text");
                parts.push(format!("{name}::text = {value}"));
            }
        }
        let whole = parts.join(" AND ");
        if self.is_keyed || !self.relation.has_places {
            return whole;
        }
        // Of several equal rows it does not matter which one is meant.
        let name = &self.relation.name;
        format!("(tableoid, ctid) = (SELECT tableoid, ctid FROM {name} WHERE {whole} LIMIT 1)")
    }

    /// Lets the database number its next row above those that were written with their numbers.
    fn advance_numbers(&mut self) -> Result<(), postgres::Error> {
        for (at, highest) in std::mem::take(&mut self.numbers) {
            let column = self.relation.columns.get(at);
            let Some(sequence) = column.and_then(|column| column.sequence.as_ref()) else {
                continue;
            };
            let sql = format!(
                "SELECT setval('{}', $1) FROM {sequence} WHERE last_value < $1",
                sequence.replace('\'', "''")
            );
            self.transaction.batch_execute("SAVEPOINT numbers")?;
            match self.transaction.query(&sql, &[&highest]) {
                Ok(_) => self.transaction.batch_execute("RELEASE numbers")?,
                // Who may not set the sequence has a database that numbers by itself: its next numbers may be refused.
                Err(error) if is_about_row(&error) => {
                    self.transaction.batch_execute("ROLLBACK TO numbers; RELEASE numbers")?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
