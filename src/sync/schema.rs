//! The columns of a collection of rows: listing them, and changing them for all systems at once.
//!
//! A change is one transaction on the record of the schema, whatever the number of rows: values describe themselves,
//! and a dropped column keeps its values, so that it can come back.

use super::inspect::collection_state;
use super::report::{ColumnReport, SyncReport};
use super::repository::{Repository, Run};
use super::work::Work;
use super::{ColumnChange, Overrides, SyncError, SyncResult};
use crate::delta::{FieldOperation, Operation, Transaction};
use crate::model::row::{Column, ColumnType, Schema, fold, schema_key};
use crate::model::{FieldPath, Kind, Value};

impl Repository {
    /// Lists the columns of a collection, dropped ones at the end.
    pub fn columns(&self, collection: &str) -> SyncResult<Vec<ColumnReport>> {
        let schema = schema_of(&self.reading(), collection)?;
        let line = |column: &Column, is_dropped: bool| ColumnReport {
            id: column.id.clone(),
            name: column.name.clone(),
            kind: column.kind.name().to_owned(),
            key: schema.key.contains(&column.id),
            dropped: is_dropped,
        };
        let present = schema.columns.iter().map(|column| line(column, false));
        let dropped = schema.dropped.iter().map(|column| line(column, true));
        Ok(present.chain(dropped).collect())
    }

    /// Changes columns of a collection; then writes sources.
    pub fn change_columns(
        &mut self,
        collection: &str,
        changes: &[ColumnChange],
        dry_run: bool,
    ) -> SyncResult<SyncReport> {
        if dry_run {
            let scratch = self.store.scratch();
            let mut work = self.work(&scratch, self.store.view().clone());
            let mut run = Run::new(&work)?;
            run.report.done = record(&mut work, collection, changes)?;
            return self.rehearse_apply(work, run, Overrides::default());
        }
        self.begin()?;
        let mut work = self.reading();
        let done = record(&mut work, collection, changes)?;
        let view = work.view;
        let command = self.env.command.clone();
        self.commit(view, &command)?;
        let mut report = self.apply_after(Overrides::default())?;
        report.done = done;
        Ok(report)
    }
}

fn schema_of(work: &Work<'_>, collection: &str) -> SyncResult<Schema> {
    let state = collection_state(work, collection)?;
    let kind = work.view.collections.get(collection).map(|view| view.kind);
    if kind != Some(Kind::Row) {
        return Err(SyncError::Usage(format!(
            "collection `{collection}` holds no rows, so it has no columns"
        )));
    }
    super::table::schema_of(work, &state)
}

/// Records the changes as one snapshot; returns what was done, for people.
fn record(work: &mut Work<'_>, collection: &str, changes: &[ColumnChange]) -> SyncResult<Vec<String>> {
    let mut schema = schema_of(work, collection)?;
    let mut operations: Vec<FieldOperation> = Vec::new();
    let mut done = Vec::new();
    for change in changes {
        let (operation, text) = apply(&mut schema, change)?;
        // Of two changes of one field the last one counts.
        operations.retain(|other| operation.as_ref().is_none_or(|new| new.path() != other.path()));
        operations.extend(operation);
        done.push(text);
    }
    operations.sort_by(|left, right| left.path().cmp(right.path()));
    if !operations.is_empty() {
        let heads = work.heads(collection);
        let transaction = Transaction {
            key: schema_key(),
            operation: Operation::Change(operations),
            forced: false,
        };
        work.author(collection, &heads, std::iter::once(transaction), Some("columns"))?;
    }
    Ok(done)
}

/// What a change of the schema is, if it changes anything, and in words.
type Change = SyncResult<(Option<FieldOperation>, String)>;

/// Makes one change in the schema.
fn apply(schema: &mut Schema, change: &ColumnChange) -> Change {
    match change {
        ColumnChange::Type { column, kind } => widen(schema, column, kind),
        ColumnChange::Rename { column, name } => rename(schema, column, name),
        ColumnChange::Drop(column) => drop_column(schema, column),
        ColumnChange::Restore(column) => restore(schema, column),
    }
}

fn path(id: &str, field: &str) -> FieldPath {
    FieldPath::new(["columns", id, field])
}

fn widen(schema: &mut Schema, column: &str, kind: &str) -> Change {
    let wanted = ColumnType::by_name(kind).ok_or_else(|| unknown_type(kind))?;
    let Column { id, name, kind, .. } = named(schema, column)?.clone();
    if kind == wanted {
        return Ok((None, format!("column `{name}` is of type {} already", kind.name())));
    }
    if !widens(kind, wanted) {
        return Err(SyncError::Usage(format!(
            "column `{name}` is of type {}, which {} does not hold as it is written; {}",
            kind.name(),
            wanted.name(),
            wider(kind)
        )));
    }
    for column in schema.columns.iter_mut().filter(|column| column.id == id) {
        column.kind = wanted;
    }
    let operation = FieldOperation::Set(path(&id, "type"), wanted.name().into());
    Ok((
        Some(operation),
        format!("column `{name}` is of type {} now", wanted.name()),
    ))
}

fn rename(schema: &mut Schema, column: &str, name: &str) -> Change {
    let Column { id, name: old, .. } = named(schema, column)?.clone();
    if name.trim().is_empty() {
        return Err(SyncError::Usage("a column needs a name".to_owned()));
    }
    let is_other = |other: &Column| other.id != id && fold(&other.name) == fold(name);
    if schema.columns.iter().any(is_other) {
        return Err(SyncError::Exists {
            what: "column",
            name: name.to_owned(),
        });
    }
    if old == name {
        return Ok((None, format!("column `{name}` has that name already")));
    }
    for column in schema.columns.iter_mut().filter(|column| column.id == id) {
        name.clone_into(&mut column.name);
    }
    let operation = FieldOperation::Set(path(&id, "name"), name.into());
    Ok((Some(operation), format!("column `{old}` is `{name}` now")))
}

fn drop_column(schema: &mut Schema, column: &str) -> Change {
    let column = named(schema, column)?.clone();
    if schema.key.contains(&column.id) {
        return Err(SyncError::Usage(format!(
            "column `{}` identifies the rows, so it cannot be dropped",
            column.name
        )));
    }
    schema.columns.retain(|other| other.id != column.id);
    let operation = FieldOperation::Set(path(&column.id, "dropped"), Value::Bool(true));
    let text = format!("column `{}` is dropped", column.name);
    schema.dropped.push(column);
    Ok((Some(operation), text))
}

fn restore(schema: &mut Schema, column: &str) -> Change {
    let is_meant = |other: &&Column| other.id == column || fold(&other.name) == fold(column);
    let Some(column) = schema.dropped.iter().find(is_meant).cloned() else {
        return Err(SyncError::Unknown {
            what: "dropped column",
            name: column.to_owned(),
            candidates: schema.dropped.iter().map(|column| column.name.clone()).collect(),
        });
    };
    schema.dropped.retain(|other| other.id != column.id);
    let operation = FieldOperation::Clear(path(&column.id, "dropped"));
    let text = format!("column `{}` is back", column.name);
    schema.columns.push(column);
    Ok((Some(operation), text))
}

fn named<'s>(schema: &'s Schema, name: &str) -> SyncResult<&'s Column> {
    schema.named(name).ok_or_else(|| SyncError::Unknown {
        what: "column",
        name: name.to_owned(),
        candidates: schema.columns.iter().map(|column| column.name.clone()).collect(),
    })
}

/// Returns whether every value of a type is written in another one as it is.
fn widens(from: ColumnType, to: ColumnType) -> bool {
    match to {
        // The texts of a JSON column are JSON themselves, in quotes.
        ColumnType::Text => from != ColumnType::Json,
        ColumnType::Decimal => from == ColumnType::Integer,
        _ => false,
    }
}

/// Says what a type can become.
fn wider(from: ColumnType) -> String {
    let names: Vec<&str> = ColumnType::ALL
        .into_iter()
        .filter(|to| *to != from && widens(from, *to))
        .map(ColumnType::name)
        .collect();
    if names.is_empty() {
        format!("{} is as wide as can be", from.name())
    } else {
        format!("it can become {}", names.join(" or "))
    }
}

fn unknown_type(name: &str) -> SyncError {
    SyncError::Unknown {
        what: "type",
        name: name.to_owned(),
        candidates: ColumnType::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
    }
}
