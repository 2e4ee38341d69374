//! What a table shows of a collection: which column is which, and each value in the table's own form.

use std::collections::{BTreeMap, BTreeSet};

use crate::delta::FieldOperation;
use crate::model::row::{Cell, Column, ColumnType, RowEncoder, Schema, column_id, columns_of, from_value, to_value};
use crate::model::{FieldPath, Map, Value, cbor};
use crate::port::{ObjectError, Objects, blob};
use crate::source::table::{Table, TableColumn, Values};
use crate::sync::{SyncError, SyncResult};

/// Columns of a table with the ids they are bound to, in the table's order: (id, name when last seen).
pub(super) type Bound = Vec<(String, String)>;

/// The columns of an open table as columns of the collection.
#[derive(Debug, Clone)]
pub(super) struct Lens {
    /// Id and type by column of the table.
    pub(super) columns: Vec<(String, ColumnType)>,
    /// Columns of the table that make the key, in its order; empty where rows have no key.
    pub(super) key: Vec<usize>,
    /// Columns by id.
    by_id: BTreeMap<String, usize>,
    /// Whether every column of the schema is shown.
    shows_all: bool,
}

impl Lens {
    /// Makes the lens of a table whose columns have these ids.
    pub(super) fn new(ids: &[String], schema: &Schema) -> SyncResult<Self> {
        let columns: Vec<(String, ColumnType)> = ids
            .iter()
            .map(|id| {
                let kind = schema.column(id).map_or(ColumnType::Text, |column| column.kind);
                (id.clone(), kind)
            })
            .collect();
        let by_id: BTreeMap<String, usize> = ids.iter().enumerate().map(|(at, id)| (id.clone(), at)).collect();
        let mut key = Vec::new();
        for id in &schema.key {
            let name = || schema.column(id).map_or(id, |column| &column.name).clone();
            let at = by_id.get(id).ok_or_else(|| SyncError::Usage(no_key_column(&name())))?;
            key.push(*at);
        }
        Ok(Self {
            shows_all: schema.columns.iter().all(|column| by_id.contains_key(&column.id)),
            columns,
            key,
            by_id,
        })
    }

    /// Returns the encoder of this table's rows.
    pub(super) fn encoder(&self) -> RowEncoder {
        let columns: Vec<_> = self.columns.iter().cloned().map(Some).collect();
        RowEncoder::new(&columns, &self.key, blob::INLINE_BYTES)
    }

    /// Returns what the table shows of a record: its columns, each in the table's form, large values as blobs.
    pub(super) fn shown(&self, objects: &dyn Objects, table: &dyn Table, record: &Value) -> SyncResult<Map> {
        let mut shown = Map::new();
        for (id, value) in record.as_map().into_iter().flatten() {
            let Some(at) = self.by_id.get(id.as_str()) else {
                continue;
            };
            if let Some(value) = self.shown_value(objects, table, *at, value)? {
                shown.insert(id.clone(), value);
            }
        }
        Ok(shown)
    }

    /// Returns what a column shows of a value: what the place makes of it, read back.
    fn shown_value(
        &self,
        objects: &dyn Objects,
        table: &dyn Table,
        column: usize,
        value: &Value,
    ) -> SyncResult<Option<Value>> {
        let kind = self.columns.get(column).map_or(ColumnType::Text, |(_, kind)| *kind);
        if let Value::Blob(_) = value {
            let mut whole = value.clone();
            blob::internalize(objects, &mut whole)?;
            let mut back = read_back(table, column, kind, whole);
            if let Some(back) = &mut back {
                blob::externalize(objects, back)?;
            }
            return Ok(back);
        }
        Ok(read_back(table, column, kind, value.clone()))
    }

    /// Returns whether the bytes of a row's record say the same as those of the base, as far as the table shows it.
    ///
    /// Equal bytes answer at once where every column is shown.
    pub(super) fn is_same(
        &self,
        objects: &dyn Objects,
        table: &dyn Table,
        row: &[u8],
        base: &[u8],
    ) -> SyncResult<bool> {
        if row == base {
            return Ok(true);
        }
        let (Some(mut now), Some(was)) = (columns_of(row), columns_of(base)) else {
            return Ok(false);
        };
        for (id, value) in was {
            let Some(column) = self.by_id.get(id) else { continue };
            let at = now.iter().position(|(other, _)| *other == id);
            let present = at.map(|at| now.swap_remove(at).1);
            if present == Some(value) {
                continue;
            }
            let Ok(value) = cbor::decode(value) else {
                return Ok(false);
            };
            let shown = self.shown_value(objects, table, *column, &value)?;
            if shown.as_ref().map(cbor::encode).as_deref() != present {
                return Ok(false);
            }
        }
        Ok(now.is_empty())
    }

    /// Returns values by column of the table, blobs in place.
    pub(super) fn values(&self, objects: &dyn Objects, record: &Map) -> Result<Values, ObjectError> {
        let mut values = vec![None; self.columns.len()];
        for (id, value) in record {
            let place = self.by_id.get(id.as_str()).and_then(|at| values.get_mut(*at));
            if let Some(place) = place {
                let mut value = value.clone();
                blob::internalize(objects, &mut value)?;
                *place = Some(value);
            }
        }
        Ok(values)
    }

    /// Returns whether the table shows everything that a record may have.
    pub(super) fn shows_all(&self) -> bool {
        self.shows_all
    }

    /// Returns the parts of a record that the table has columns for.
    pub(super) fn cut(&self, record: &Value) -> Map {
        let parts = record.as_map().into_iter().flatten();
        let shown = parts.filter(|(id, _)| self.by_id.contains_key(id.as_str()));
        shown.map(|(id, value)| (id.clone(), value.clone())).collect()
    }
}

/// Writes a value into a column and reads it again.
fn read_back(table: &dyn Table, column: usize, kind: ColumnType, value: Value) -> Option<Value> {
    let stored = table.shown(column, Some(value));
    let cell = from_value(stored.as_ref());
    if table.is_typed() {
        return to_value(cell.typed(kind));
    }
    // A place without types shows the text of every value.
    let text = cell.text();
    to_value(text.map_or(Cell::Null, Cell::Text).typed(kind))
}

/// Says that a key column is missing.
pub(super) fn no_key_column(name: &str) -> String {
    format!("the table has no column `{name}`, which identifies its rows")
}

/// Lists what leads from what a row showed to what it shows, as edits of the record.
pub(super) fn row_edits(was: &Map, now: &Map) -> Vec<FieldOperation> {
    let path = |id: &str| FieldPath::new([id.to_owned()]);
    let mut edits: Vec<FieldOperation> = Vec::new();
    for (id, value) in now {
        let before = was.get(id.as_str());
        if before.is_none_or(|before| cbor::encode(before) != cbor::encode(value)) {
            edits.push(FieldOperation::Set(path(id), value.clone()));
        }
    }
    let gone = was.iter().filter(|(id, _)| now.get(id.as_str()).is_none());
    edits.extend(gone.map(|(id, _)| FieldOperation::Clear(path(id))));
    edits.sort_by(|left, right| left.path().cmp(right.path()));
    edits
}

/// How the columns of a table were bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binding {
    /// The id of each column of the table.
    pub(super) ids: Vec<String>,
    /// Columns of the table whose ids are new to the collection.
    pub(super) new: BTreeSet<usize>,
    /// Columns of the table that have other names than the collection knows, because they were renamed there.
    pub(super) renamed: Vec<usize>,
}

/// Binds the columns of a table to those of its collection.
///
/// `before` is how they were bound when the table was read last; `alike` says which of the missing columns (ids) has the
/// values of a column of the table that nobody knows.
pub(super) fn bind(
    columns: &[TableColumn],
    schema: &Schema,
    before: Option<&Bound>,
    alike: &dyn Fn(usize, &[String]) -> Option<String>,
) -> Binding {
    let mut binder = Binder {
        ids: vec![None; columns.len()],
        taken: BTreeSet::new(),
    };
    let name = |at: usize| columns.get(at).map_or("", |column| column.name.as_str());
    let known: &[(String, String)] = before.map_or(&[], Vec::as_slice);
    for at in 0..columns.len() {
        // Of several columns of one name the first one left is meant.
        let same = known
            .iter()
            .filter(|(_, known)| known == name(at))
            .map(|(id, _)| id.as_str());
        binder.take(at, same);
    }
    for at in 0..columns.len() {
        let same = schema.columns.iter().filter(|column| column.name == name(at));
        binder.take(at, same.map(|column| column.id.as_str()));
    }
    let mut renamed = Vec::new();
    if before.is_none() {
        for at in 0..columns.len() {
            let folded = name(at).trim().to_lowercase();
            let same = schema
                .columns
                .iter()
                .filter(|column| column.name.trim().to_lowercase() == folded);
            binder.take(at, same.map(|column| column.id.as_str()));
        }
    } else {
        // Values say more than places.
        for at in 0..columns.len() {
            let missing: Vec<String> = known
                .iter()
                .map(|(id, _)| id)
                .filter(|id| !binder.taken.contains(*id))
                .cloned()
                .collect();
            if binder.ids.get(at) == Some(&None)
                && !missing.is_empty()
                && let Some(id) = alike(at, &missing)
                && binder.take(at, [id.as_str()].into_iter())
            {
                renamed.push(at);
            }
        }
        for at in 0..columns.len() {
            let there = known.get(at).filter(|_| known.len() == columns.len());
            if binder.take(at, there.map(|(id, _)| id.as_str()).into_iter()) {
                renamed.push(at);
            }
        }
    }
    let mut new = BTreeSet::new();
    for at in 0..columns.len() {
        let id = column_id(name(at), &|id| binder.taken.contains(id) || schema.is_used(id));
        if binder.take(at, [id.as_str()].into_iter()) {
            new.insert(at);
        }
    }
    Binding {
        ids: binder.ids.into_iter().map(Option::unwrap_or_default).collect(),
        new,
        renamed,
    }
}

struct Binder {
    ids: Vec<Option<String>>,
    taken: BTreeSet<String>,
}

impl Binder {
    /// Gives a column that has no id yet the first of `candidates` that is free.
    fn take<'i>(&mut self, at: usize, mut candidates: impl Iterator<Item = &'i str>) -> bool {
        let Some(place @ None) = self.ids.get_mut(at) else {
            return false;
        };
        let Some(id) = candidates.find(|id| !self.taken.contains(*id)) else {
            return false;
        };
        *place = Some(id.to_owned());
        self.taken.insert(id.to_owned());
        true
    }
}

/// Returns the schema with the columns and names that a table brings.
pub(super) fn grown(schema: &Schema, columns: &[TableColumn], binding: &Binding, kinds: &[ColumnType]) -> Schema {
    let mut grown = schema.clone();
    for at in &binding.renamed {
        let id = binding.ids.get(*at);
        if let Some(column) = grown.columns.iter_mut().find(|column| Some(&column.id) == id)
            && let Some(seen) = columns.get(*at)
        {
            column.name.clone_from(&seen.name);
        }
    }
    let mut order = schema
        .columns
        .iter()
        .map(|column| column.order)
        .max()
        .map_or(0, |last| last.saturating_add(1));
    for at in &binding.new {
        if let (Some(id), Some(column)) = (binding.ids.get(*at), columns.get(*at)) {
            grown.columns.push(Column {
                id: id.clone(),
                name: column.name.clone(),
                kind: kinds.get(*at).copied().unwrap_or(ColumnType::Text),
                order,
            });
            order = order.saturating_add(1);
        }
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<TableColumn> {
        let column = |name: &&str| TableColumn {
            name: (*name).to_owned(),
            kind: None,
            key: None,
            is_read_only: false,
        };
        names.iter().map(column).collect()
    }

    fn schema(names: &[&str]) -> Schema {
        let binding = bind(&columns(names), &Schema::default(), None, &|_, _| None);
        grown(
            &Schema::default(),
            &columns(names),
            &binding,
            &vec![ColumnType::Text; names.len()],
        )
    }

    fn bound(names: &[&str]) -> Bound {
        names
            .iter()
            .map(|name| ((*name).to_owned(), (*name).to_owned()))
            .collect()
    }

    #[test]
    fn columns_are_known_by_name_wherever_they_stand() {
        let schema = schema(&["sku", "price", "note"]);
        let binding = bind(&columns(&["note", "SKU ", "new", "new"]), &schema, None, &|_, _| None);
        assert_eq!(binding.ids, ["note", "sku", "new", "new 2"]);
        assert_eq!(binding.new, BTreeSet::from([2, 3]));
    }

    #[test]
    fn a_new_name_is_a_rename_at_the_same_place_or_by_its_values() {
        let schema = schema(&["sku", "price", "note"]);
        let before = bound(&["sku", "price", "note"]);
        let bind = |names: &[&str], alike: &dyn Fn(usize, &[String]) -> Option<String>| {
            bind(&columns(names), &schema, Some(&before), alike)
        };
        let place = bind(&["sku", "cost", "note"], &|_, _| None);
        assert_eq!(
            (place.ids, place.renamed),
            (
                bound(&["sku", "price", "note"]).into_iter().map(|(id, _)| id).collect(),
                vec![1]
            )
        );
        let fewer = bind(&["sku", "cost"], &|_, _| None);
        assert_eq!(fewer.ids, ["sku", "cost"]);
        let values = bind(&["sku", "cost"], &|_, missing| {
            missing.iter().find(|id| *id == "price").cloned()
        });
        assert_eq!((values.ids[1].as_str(), values.renamed), ("price", vec![1]));
        let swapped = bind(&["sku", "note", "price"], &|_, _| None);
        assert_eq!(swapped.ids, ["sku", "note", "price"]);
        assert!(swapped.renamed.is_empty() && swapped.new.is_empty());
    }
}
