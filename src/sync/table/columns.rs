//! Binding the columns of an open table: ids, types, key.

use std::collections::{BTreeMap, BTreeSet};

use super::edits::decode;
use super::known::{self};
use super::lens::{self, Binding, Bound, Lens, no_key_column};
use crate::delta::State;
use crate::model::Value;
use crate::model::row::{Cell, ColumnType, Guess, RowEncoder, Schema, from_value, key};
use crate::port::blob;
use crate::source::SourceError;
use crate::source::table::{Table, TableColumn};
use crate::store::SourceView;
use crate::sync::config::SourceConfig;
use crate::sync::work::Work;
use crate::sync::{SyncError, SyncResult, other, source_error};
use crate::tree;

/// The columns of a table with what they mean.
pub(super) struct Columns {
    pub(super) lens: Lens,
    pub(super) bound: Bound,
    /// The schema before, and with what this table brings.
    pub(super) old: Schema,
    pub(super) schema: Schema,
    /// Whether the table has the columns it had when it was read last.
    pub(super) is_as_before: bool,
    /// Whether the rows are known to stand in the order of their keys, each once.
    pub(super) is_sorted: bool,
    pub(super) notes: Vec<String>,
}

/// How many rows are compared to find a renamed column (chosen), and how many of a hundred must agree.
const SAMPLE_ROWS: usize = 2000;
const ALIKE_PERCENT: usize = 90;

/// Binds the columns of a table to those of its collection in `state`.
pub(super) fn bind(
    work: &Work<'_>,
    config: &SourceConfig,
    view: &SourceView,
    state: &State,
    table: &dyn Table,
) -> SyncResult<Columns> {
    let old = known::schema_of(work, state)?;
    let before = known::bound(view);
    let columns = table.columns();
    let sample = match &before {
        Some(before) if old.is_keyed() && has_news(columns, before) => Some(sample(work, view, table, before, &old)?),
        _ => None,
    };
    let alike = |at: usize, missing: &[String]| sample.as_ref().and_then(|sample| sample.only_like(at, missing));
    let binding = lens::bind(columns, &old, before.as_ref(), &alike);
    let mut key = old.key.clone();
    if old.columns.is_empty() {
        key = first_key(config, columns, &binding)?;
    } else if !config.key.is_empty() && before.is_none() {
        check_key(config, &old)?;
    }
    let places: Vec<usize> = key
        .iter()
        .filter_map(|id| binding.ids.iter().position(|other| other == id))
        .collect();
    let seen = guess(config, table, &binding.new, &places)?;
    let mut schema = lens::grown(&old, columns, &binding, &seen.kinds);
    schema.key = key;
    let lens = Lens::new(&binding.ids, &schema)?;
    let bound: Bound = binding
        .ids
        .iter()
        .cloned()
        .zip(columns.iter().map(|column| column.name.clone()))
        .collect();
    let name = |at: &usize| columns.get(*at).map_or("", |column| column.name.as_str());
    let mut notes = Vec::new();
    for at in &binding.renamed {
        let id = binding.ids.get(*at);
        let was = old.columns.iter().find(|column| Some(&column.id) == id);
        notes.push(format!(
            "column `{}` is `{}` now",
            was.map_or("", |column| &column.name),
            name(at)
        ));
    }
    if let Some(before) = &before {
        notes.extend(binding.new.iter().map(|at| format!("column `{}` is new", name(at))));
        let is_gone = |id: &String| !binding.ids.contains(id) && !old.is_dropped(id);
        let gone = before.iter().filter(|(id, _)| is_gone(id));
        notes.extend(gone.map(|(_, name)| format!("column `{name}` is not shown any more; its values stay elsewhere")));
    }
    Ok(Columns {
        is_as_before: before.as_ref() == Some(&bound),
        is_sorted: seen.is_sorted && !places.is_empty(),
        lens,
        bound,
        old,
        schema,
        notes,
    })
}

/// Returns whether a table has a column it did not have, and lacks one it had.
fn has_news(columns: &[TableColumn], before: &Bound) -> bool {
    let is_known = |column: &TableColumn| before.iter().any(|(_, name)| *name == column.name);
    let is_there = |name: &String| columns.iter().any(|column| column.name == *name);
    columns.iter().any(|column| !is_known(column)) && before.iter().any(|(_, name)| !is_there(name))
}

/// Returns the ids of the key columns of a collection that has no schema yet.
fn first_key(config: &SourceConfig, columns: &[TableColumn], binding: &Binding) -> SyncResult<Vec<String>> {
    let mut places = Vec::new();
    for name in &config.key {
        let exact = columns.iter().position(|column| column.name == *name);
        let folded = || {
            columns
                .iter()
                .position(|column| column.name.trim().eq_ignore_ascii_case(name.trim()))
        };
        let place = exact
            .or_else(folded)
            .ok_or_else(|| SyncError::Usage(no_key_column(name)))?;
        places.push(place);
    }
    if config.key.is_empty() {
        let mut own: Vec<(usize, usize)> = columns
            .iter()
            .enumerate()
            .filter_map(|(at, column)| Some((column.key?, at)))
            .collect();
        own.sort_unstable();
        places = own.into_iter().map(|(_, at)| at).collect();
    }
    Ok(places
        .into_iter()
        .filter_map(|at| binding.ids.get(at).cloned())
        .collect())
}

fn check_key(config: &SourceConfig, schema: &Schema) -> SyncResult<()> {
    let names: Vec<&str> = schema
        .key
        .iter()
        .map(|id| schema.column(id).map_or(id.as_str(), |column| column.name.as_str()))
        .collect();
    let is_same = names.len() == config.key.len()
        && names
            .iter()
            .zip(&config.key)
            .all(|(name, typed)| name.trim().eq_ignore_ascii_case(typed.trim()));
    if is_same {
        return Ok(());
    }
    let by = if names.is_empty() {
        "what they first held".to_owned()
    } else {
        format!("`{}`", names.join(","))
    };
    Err(SyncError::Usage(format!(
        "the rows of collection `{}` are identified by {by}; bind the source with that key, or to another collection",
        config.collection
    )))
}

/// What the rows of a table say about its columns.
struct Seen {
    kinds: Vec<ColumnType>,
    /// Whether the rows stand strictly in the order of their keys.
    is_sorted: bool,
}

/// Finds the types of new columns, reading the table where its place has no types.
fn guess(config: &SourceConfig, table: &dyn Table, new: &BTreeSet<usize>, places: &[usize]) -> SyncResult<Seen> {
    let columns = table.columns();
    let mut kinds: Vec<ColumnType> = columns
        .iter()
        .map(|column| column.kind.unwrap_or(ColumnType::Text))
        .collect();
    let open: Vec<bool> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| column.kind.is_none() && new.contains(&at) && !table.is_typed())
        .collect();
    if !open.contains(&true) {
        return Ok(Seen {
            kinds,
            is_sorted: false,
        });
    }
    let mut guesses = vec![Guess::default(); columns.len()];
    let (mut last, mut present) = (Vec::new(), Vec::new());
    let mut is_sorted = true;
    let read = table.read(&mut |row| {
        present.clear();
        let mut parts = 0;
        // A row that cannot be understood is set aside later.
        let _later = table.survey(row.bytes, &mut |at, text| {
            if let (Some(true), Some(guess)) = (open.get(at), guesses.get_mut(at))
                && !text.is_empty()
            {
                guess.see(text);
            }
            if is_sorted && places.get(parts) == Some(&at) {
                parts += 1;
                let text = std::str::from_utf8(text).unwrap_or_default();
                key::push_part(
                    &if text.is_empty() {
                        Cell::Null
                    } else {
                        Cell::Text(text.into())
                    },
                    &mut present,
                );
            }
        });
        // Key columns in another order than the table's are not followed.
        is_sorted &= parts == places.len() && last < present;
        std::mem::swap(&mut last, &mut present);
        Ok(())
    });
    read.map_err(|error| source_error(config, error))?;
    for (at, kind) in kinds
        .iter_mut()
        .enumerate()
        .filter(|(at, _)| open.get(*at) == Some(&true))
    {
        *kind = guesses.get(at).map_or(ColumnType::Text, |guess| guess.kind());
    }
    Ok(Seen { kinds, is_sorted })
}

/// Rows of a table with the records they had, to tell which column is which.
struct Sample {
    /// Texts by column of the table, and the record of the base.
    rows: Vec<(BTreeMap<usize, String>, Value)>,
}

impl Sample {
    /// Returns the only one of `missing` whose values the column has.
    fn only_like(&self, at: usize, missing: &[String]) -> Option<String> {
        let agreeing = |id: &&String| {
            let (mut same, mut all) = (0, 0);
            for (texts, record) in &self.rows {
                let was = from_value(record.as_map().and_then(|map| map.get(id.as_str())));
                let (was, now) = (was.text(), texts.get(&at));
                if was.is_none() && now.is_none() {
                    continue;
                }
                all += 1;
                same += usize::from(was.as_deref() == now.map(String::as_str));
            }
            all > 0 && same * 100 >= all * ALIKE_PERCENT
        };
        let mut found = missing.iter().filter(agreeing);
        let first = found.next()?;
        found.next().is_none().then(|| first.clone())
    }
}

/// Reads the first rows of a table with their records at the source's base.
fn sample(
    work: &Work<'_>,
    view: &SourceView,
    table: &dyn Table,
    before: &Bound,
    schema: &Schema,
) -> SyncResult<Sample> {
    let columns = table.columns();
    let mut sample = Sample { rows: Vec::new() };
    let mut key = Vec::new();
    for id in &schema.key {
        let name = before.iter().find(|(known, _)| known == id).map(|(_, name)| name);
        let Some(at) = columns.iter().position(|column| Some(&column.name) == name) else {
            return Ok(sample);
        };
        key.push(at);
    }
    let kinds: Vec<_> = (0..columns.len())
        .map(|at| {
            let id = key
                .iter()
                .position(|key| *key == at)
                .and_then(|place| schema.key.get(place));
            id.and_then(|id| schema.column(id))
                .map(|column| (column.id.clone(), column.kind))
        })
        .collect();
    let mut encoder = RowEncoder::new(&kinds, &key, blob::INLINE_BYTES);
    let base = work.state_at(&view.base)?;
    let mut failure = None;
    let read = table.read(&mut |row| {
        encoder.begin();
        let mut texts = BTreeMap::new();
        let cells = table.cells(row.bytes, &mut |at, cell| {
            texts.extend(cell.text().map(|text| (at, text.into_owned())));
            let large = &mut |content: &[u8], shape| blob::put(work.objects, content, shape);
            failure = failure.take().or(encoder.push(at, cell, large).err());
        });
        let mut bytes = Vec::new();
        encoder.key_into(&mut bytes);
        match tree::get(work.objects, &base.content, &bytes) {
            Ok(Some(record)) if cells.is_ok() => {
                if let Ok(record) = decode(&record) {
                    sample.rows.push((texts, Value::Map(record)));
                }
            }
            _ => {}
        }
        if sample.rows.len() >= SAMPLE_ROWS {
            return Err(SourceError::State("enough rows"));
        }
        Ok(())
    });
    if let Some(error) = failure {
        return Err(error.into());
    }
    match read {
        Err(error) if sample.rows.len() < SAMPLE_ROWS => Err(other("reading rows", error)),
        _ => Ok(sample),
    }
}
