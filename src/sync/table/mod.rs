//! Tables of rows: the way of sources that have too many records for an index entry and a stored view of each.
//!
//! *Owns* what [`crate::source::table`] leaves open: which column is which ([`lens`]), which rows were edited
//! ([`intake`]), what a table is to become ([`outtake`]) and what is known of it ([`known`]). *Leaves* to the rest of
//! `sync` the order of steps, history and remotes. *Invariant*: the table shows `lens(base)` but for its exceptions.
//! `docs/architecture.md`, section "Tables", says why. *Start reading* at [`take_in`] and [`TablePlan`].

mod absent;
mod choice;
mod columns;
mod content;
mod edits;
mod execute;
mod first;
mod gather;
mod intake;
mod judge;
mod keys;
mod known;
mod lens;
mod outtake;
mod ranks;
mod rules;
mod safeguard;
mod sieve;
mod sorter;

pub(super) use choice::check_fields;
pub(super) use intake::{is_untouched, take_in};
pub(super) use known::schema_of;
pub(super) use outtake::{TablePlan, plan, settle};
pub(super) use rules::{broken, conflicts, resolution};
pub(super) use sieve::unknown_column;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::config::SourceConfig;
use super::report::SourceReport;
use super::work::Work;
use super::{Environment, SyncError, SyncResult, source_error};
use crate::disk::Stat;
use crate::model::row::{Cell, SCHEMA_KEY, Schema, from_value, key};
use crate::model::{RecordKey, Value};
use crate::source::SourceError;
use crate::source::table::{self, Header, Location, MappedTables, Prints, RowMapping, TableFormat};

/// What taking in a table gave.
pub(super) struct Taken {
    pub(super) report: SourceReport,
    pub(super) rows: Rows,
}

/// The fingerprints of a table with what they say.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) prints: Prints,
    /// What the place looked like when it was read.
    pub(super) stats: Vec<Stat>,
    /// When it was read, in nanoseconds since 1970.
    pub(super) read_ns: i128,
    /// Whether no row waits for anything.
    pub(super) is_settled: bool,
}

impl Rows {
    /// Writes the fingerprints of a source that is recorded as it is in `work`.
    pub(super) fn save(&self, work: &Work<'_>, source: &str) {
        let Some(view) = work.view.sources.get(source) else {
            return;
        };
        if self.read_ns == 0 {
            // Nothing was read: there is nothing that a later scan may rely on.
            let _lost = work.env.disk.remove(&known::cache_path(work, source));
            return;
        }
        let header = Header {
            tag: Some(known::tag(view)),
            stats: self.stats.clone(),
            read_ns: self.read_ns,
            is_settled: self.is_settled,
        };
        // A cache that cannot be written costs time, nothing else.
        let _lost = self
            .prints
            .save(&work.env.disk, &known::cache_path(work, source), &header);
    }

    /// Reads the fingerprints of a source if they belong to its recorded state.
    fn load(work: &Work<'_>, source: &str) -> Option<Self> {
        let view = work.view.sources.get(source)?;
        let (header, prints) = Prints::load(&work.env.disk, &known::cache_path(work, source))?;
        (header.tag == Some(known::tag(view))).then_some(Self {
            prints,
            stats: header.stats,
            read_ns: header.read_ns,
            is_settled: header.is_settled,
        })
    }
}

/// Returns the format of a source of rows as its place has it; `None` for sources of items.
pub(super) fn format_of(config: &SourceConfig) -> Option<Arc<dyn TableFormat>> {
    // The mapping of a source of items is its format, and has a name of its own.
    format_named(&config.format)
}

/// Begins the first line of what a source is read through, where somebody stated an encoding; no mapping begins so.
const STATED: &str = "\u{1}encoding ";

/// Returns what a source of rows is read through: its mapping, under the encoding that somebody stated; `None` where it has
/// neither.
pub(super) fn map_text(env: &Environment, root: &Path, config: &SourceConfig) -> SyncResult<Option<String>> {
    let map = match &config.map {
        Some(map) => {
            let path = root.join(map);
            let text = String::from_utf8(env.disk.read(&path)?);
            Some(text.map_err(|_| bad_map(&path, "it is not UTF-8".to_owned()))?)
        }
        None => None,
    };
    Ok(match &config.encoding {
        Some(encoding) => Some(format!("{STATED}{encoding}\n{}", map.unwrap_or_default())),
        None => map,
    })
}

/// Splits what a source is read through into the encoding and the mapping.
fn encoding_and_map(text: Option<&str>) -> (Option<&str>, Option<&str>) {
    let stated = text.and_then(|text| text.strip_prefix(STATED));
    let Some((encoding, map)) = stated.and_then(|stated| stated.split_once('\n')) else {
        return (None, text);
    };
    (Some(encoding), (!map.is_empty()).then_some(map))
}

/// Returns whether a source is read through a mapping.
fn has_map(text: Option<&str>) -> bool {
    encoding_and_map(text).1.is_some()
}

/// Returns a format for files in an encoding that somebody stated.
fn in_encoding(format: &dyn TableFormat, label: &str) -> SyncResult<Arc<dyn TableFormat>> {
    format.in_encoding(label).map(Arc::from).ok_or_else(|| {
        let name = format.info().name;
        SyncError::Usage(if format.in_encoding("utf-8").is_some() {
            super::work::unknown_encoding(label)
        } else {
            format!("tables of the format {name} say their encoding themselves; it cannot be stated")
        })
    })
}

fn bad_map(path: &Path, reason: String) -> SyncError {
    SyncError::Config {
        path: path.to_owned(),
        reason,
    }
}

/// Returns a format as the stated encoding and the mapping show it; `text` is that of [`map_text`].
pub(super) fn mapped(
    format: Arc<dyn TableFormat>,
    config: &SourceConfig,
    text: Option<&str>,
) -> SyncResult<Arc<dyn TableFormat>> {
    let (encoding, map) = encoding_and_map(text);
    let format = match encoding {
        Some(encoding) => in_encoding(&*format, encoding)?,
        None => format,
    };
    let Some(text) = map else { return Ok(format) };
    let mapping = RowMapping::compile(text);
    let path = config.map.clone().unwrap_or_default();
    Ok(Arc::new(MappedTables::new(
        format,
        mapping.map_err(|reason| bad_map(&path, reason))?,
    )))
}

/// Returns the format of a source of rows as its mapping shows it.
fn shown_format(work: &Work<'_>, config: &SourceConfig) -> SyncResult<Option<Arc<dyn TableFormat>>> {
    let text = map_text(work.env, work.root, config)?;
    format_of(config)
        .map(|format| mapped(format, config, text.as_deref()))
        .transpose()
}

/// Returns a format of tables by name.
pub(super) fn format_named(name: &str) -> Option<Arc<dyn TableFormat>> {
    let found = table::formats().into_iter().find(|format| format.info().name == name);
    found.map(Arc::from)
}

/// Returns where a source's table is.
pub(super) fn location_of(config: &SourceConfig) -> Location {
    Location {
        path: config.location.clone(),
        table: config.table.clone(),
        password_file: config.password_file.clone(),
    }
}

/// Returns what people know a row by: its key columns, or the start of its record's key.
pub(super) fn row_name(schema: &Schema, key: &RecordKey, record: &Value) -> String {
    let parts: Vec<String> = schema
        .key
        .iter()
        .map(|id| {
            let value = record.as_map().and_then(|map| map.get(id.as_str()));
            from_value(value).text().unwrap_or_default().into_owned()
        })
        .collect();
    if key.bytes() == SCHEMA_KEY {
        return "schema".to_owned();
    }
    if parts.is_empty() {
        key.to_string()
    } else {
        parts.join(",")
    }
}

/// Returns the key that a person typed: the key columns' values, separated by commas.
pub(super) fn typed_key(schema: &Schema, typed: &str) -> Option<RecordKey> {
    let parts: Vec<&str> = if schema.key.len() == 1 {
        vec![typed]
    } else {
        typed.split(',').collect()
    };
    if parts.len() != schema.key.len() {
        return None;
    }
    key_of(parts.into_iter().map(|part| Cell::Text(part.into())))
}

/// Makes the key of a row with these key columns.
fn key_of<'c>(cells: impl Iterator<Item = Cell<'c>>) -> Option<RecordKey> {
    let mut bytes = Vec::new();
    for cell in cells {
        key::push_part(&cell, &mut bytes);
    }
    key::bound(&mut bytes);
    RecordKey::new(bytes)
}

/// Returns a row as a JSON object: its columns by name, in their order.
pub(super) fn row_json(schema: &Schema, record: &Value) -> Json {
    let value = |id: &str| {
        record
            .as_map()
            .and_then(|map| map.get(id))
            .map_or(Json::Null, super::look::json_of)
    };
    let mut object = serde_json::Map::new();
    for column in &schema.columns {
        // Of two columns of one name each keeps its value.
        let name = if object.contains_key(&column.name) {
            &column.id
        } else {
            &column.name
        };
        object.insert(name.clone(), value(&column.id));
    }
    Json::Object(object)
}

/// Counts the rows that a source shows.
pub(super) fn count(work: &Work<'_>, config: &SourceConfig) -> SyncResult<u64> {
    let view = work.source_view(&config.name);
    let state = work.state_at(&view.base)?;
    let wrap = |error| super::other("counting", error);
    let mut records = crate::tree::count(work.objects, &state.content).map_err(wrap)?;
    let sieve = sieve::Sieve::lenient(known::filter(&view), &schema_of(work, &state)?)?;
    if sieve.is_active() {
        // The schema counts as one.
        records = 1;
        for entry in crate::tree::iter(work.objects, &state.content) {
            let (key, record) = entry.map_err(wrap)?;
            if key != SCHEMA_KEY && sieve.shows(work.objects, &Value::Map(edits::decode(&record)?))? {
                records += 1;
            }
        }
    }
    let missing = known::load(work.objects, &view)?;
    let missing = missing
        .values()
        .filter(|exception| matches!(exception, known::Exception::Missing))
        .count();
    Ok(records.saturating_sub(1 + missing as u64))
}

/// Opens the table of a source.
fn open(work: &Work<'_>, config: &SourceConfig, format: &dyn TableFormat) -> SyncResult<Box<dyn table::Table>> {
    opened(work, config, format)?.map_err(|error| source_error(config, error))
}

/// Returns which columns a source shows, or showed when `names` were chosen for it.
fn choice_of(work: &Work<'_>, config: &SourceConfig, names: &[String]) -> SyncResult<choice::Choice> {
    let schema = schema_of(work, &work.state(&config.collection)?)?;
    let bound = known::bound(&work.source_view(&config.name));
    Ok(choice::Choice::new(names, &config.key, &schema, bound.as_ref()))
}

/// Opens the table of a source as if its columns had not been seen before; fails as its place does.
fn unbound(
    work: &Work<'_>,
    config: &SourceConfig,
    format: &dyn TableFormat,
) -> SyncResult<Result<Box<dyn table::Table>, SourceError>> {
    let choice = choice_of(work, config, &config.fields)?;
    let table = format.open(&work.env.disk, &location_of(config));
    Ok(table.map(|table| -> Box<dyn table::Table> {
        if choice.is_all() {
            return table;
        }
        Box::new(table::Chosen::new(table, Box::new(move |column| choice.shows(column))))
    }))
}

/// Opens the table of a source; fails as its place does.
fn opened(
    work: &Work<'_>,
    config: &SourceConfig,
    format: &dyn TableFormat,
) -> SyncResult<Result<Box<dyn table::Table>, SourceError>> {
    let mut table = match unbound(work, config, format)? {
        Ok(table) => table,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(bound) = known::bound(&work.source_view(&config.name)) {
        let names: Vec<String> = bound.into_iter().map(|(_, name)| name).collect();
        table.expect(&names);
    }
    Ok(Ok(table))
}
