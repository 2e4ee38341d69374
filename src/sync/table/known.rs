//! What is known of a table source: where it does not show what its base says, and what its fingerprints belong to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::lens::Bound;
use crate::model::row::{Schema, schema_key};
use crate::model::{Domain, Hash, Map, RecordKey, SnapshotId, Value, cbor};
use crate::port::Objects;
use crate::store::SourceView;
use crate::sync::work::Work;
use crate::sync::{SyncError, SyncResult, other};
use crate::tree;

/// The name under which a source keeps how its columns are bound.
const COLUMNS: &str = "columns";
/// The name under which a source keeps the heads that a write-back was for of which the end is not known.
const TRIED: &str = "tried";
/// The name under which a source keeps the mapping that it was read by last.
const MAP: &str = "map";
/// The name under which a source keeps the filter by which its base is shown.
const FILTER: &str = "filter";

/// The name under which a source keeps the columns that were chosen for it when it was written last.
const FIELDS: &str = "fields";

/// A row that is not what the source's base says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Exception {
    /// The table does not have it yet.
    Missing,
    /// It cannot be told or understood which row it is; it is neither written nor deleted. It last showed this, on that
    /// base, if it ever did.
    SetAside(Option<(Vec<SnapshotId>, Map)>),
    /// It shows this, and last agreed with that base.
    Shows(Vec<SnapshotId>, Map),
}

/// Exceptions by record.
pub(super) type Exceptions = BTreeMap<RecordKey, Exception>;

const BAD: &str = "the exceptions of a table";

fn ids(base: &[SnapshotId]) -> Value {
    Value::List(base.iter().map(|id| Value::Bytes(id.0.bytes().to_vec())).collect())
}

fn heads(value: &Value) -> Option<Vec<SnapshotId>> {
    let Value::List(list) = value else { return None };
    list.iter()
        .map(|id| match id {
            Value::Bytes(bytes) => Hash::from_slice(bytes).map(SnapshotId),
            _ => None,
        })
        .collect()
}

/// Reads the exceptions of a source.
pub(super) fn load(objects: &dyn Objects, view: &SourceView) -> SyncResult<Exceptions> {
    let damaged = || SyncError::Damaged(BAD.to_owned());
    let mut exceptions = Exceptions::new();
    for entry in tree::iter(objects, &view.index) {
        let (key, value) = entry.map_err(|error| other("reading a source", error))?;
        let shown = tree::get(objects, &view.views, &key).map_err(|error| other("reading a source", error))?;
        let shown = match shown.as_deref().map(cbor::decode) {
            Some(Ok(Value::Map(map))) => Some(map),
            None => None,
            Some(_) => return Err(damaged()),
        };
        let Ok(Value::Map(map)) = cbor::decode(&value) else {
            return Err(damaged());
        };
        let base = map.get("b").and_then(heads);
        let exception = match (map.get("a").and_then(Value::as_integer), base.zip(shown)) {
            (Some(1), _) => Exception::Missing,
            (Some(2), last) => Exception::SetAside(last),
            (None, Some((base, shown))) => Exception::Shows(base, shown),
            _ => return Err(damaged()),
        };
        exceptions.insert(RecordKey::new(key).ok_or_else(damaged)?, exception);
    }
    Ok(exceptions)
}

/// Stores exceptions and returns the roots of their trees: how each stands, and what it shows.
pub(super) fn store(objects: &dyn Objects, exceptions: &Exceptions) -> SyncResult<(Hash, Hash)> {
    let entry = |exception: &Exception| {
        let mut map = Map::new();
        let (word, last) = match exception {
            Exception::Missing => (Some(1), None),
            Exception::SetAside(last) => (Some(2), last.as_ref().map(|(base, _)| base)),
            Exception::Shows(base, _) => (None, Some(base)),
        };
        if let Some(word) = word {
            map.insert("a", Value::Integer(word));
        }
        if let Some(base) = last {
            map.insert("b", ids(base));
        }
        cbor::encode(&Value::Map(map))
    };
    let entries = exceptions
        .iter()
        .map(|(key, exception)| Ok((key.bytes().to_vec(), entry(exception))));
    let shown = exceptions.iter().filter_map(|(key, exception)| match exception {
        Exception::Shows(_, map) | Exception::SetAside(Some((_, map))) => {
            let mut bytes = Vec::new();
            cbor::encode_map(map, &mut bytes);
            Some(Ok((key.bytes().to_vec(), bytes)))
        }
        _ => None,
    });
    let wrap = |error: tree::TreeError| other("recording a source", error);
    Ok((
        tree::build(objects, entries).map_err(wrap)?,
        tree::build(objects, shown).map_err(wrap)?,
    ))
}

/// Returns how the columns of a source were bound, if it was read before.
pub(super) fn bound(view: &SourceView) -> Option<Bound> {
    serde_json::from_str(view.extra.get(COLUMNS)?).ok()
}

/// Forgets how the columns of a source were bound.
pub(super) fn forget_bound(view: &mut SourceView) {
    view.extra.remove(COLUMNS);
}

/// Notes how the columns of a source are bound.
pub(super) fn set_bound(view: &mut SourceView, bound: &Bound) {
    if let Ok(text) = serde_json::to_string(bound) {
        view.extra.insert(COLUMNS.to_owned(), text);
    }
}

/// Returns the heads of a write-back of which the end is not known; none where there is no such.
pub(super) fn tried(view: &SourceView) -> Vec<SnapshotId> {
    let text = view.extra.get(TRIED).map_or("", String::as_str);
    text.split(' ').filter_map(|id| id.parse().ok()).collect()
}

/// Notes the heads of a write-back of which the end is not known.
pub(super) fn set_tried(view: &mut SourceView, heads: &[SnapshotId]) {
    view.extra.remove(TRIED);
    if !heads.is_empty() {
        let ids: Vec<String> = heads.iter().map(SnapshotId::to_string).collect();
        view.extra.insert(TRIED.to_owned(), ids.join(" "));
    }
}

/// Returns the text of the mapping by which a source was read last.
pub(super) fn map(view: &SourceView) -> Option<&str> {
    view.extra.get(MAP).map(String::as_str)
}

/// Notes the mapping by which a source was read.
pub(super) fn set_map(view: &mut SourceView, text: Option<&str>) {
    view.extra.remove(MAP);
    if let Some(text) = text {
        view.extra.insert(MAP.to_owned(), text.to_owned());
    }
}

/// Returns the filter by which a source shows its base.
pub(super) fn filter(view: &SourceView) -> Option<&str> {
    view.extra.get(FILTER).map(String::as_str)
}

/// Notes the filter by which a source shows its base.
pub(super) fn set_filter(view: &mut SourceView, filter: Option<&str>) {
    view.extra.remove(FILTER);
    if let Some(filter) = filter {
        view.extra.insert(FILTER.to_owned(), filter.to_owned());
    }
}

/// Returns the columns that were chosen for a source when it was written last, by name; all where there are none.
pub(super) fn fields(view: &SourceView) -> Vec<String> {
    let text = view.extra.get(FIELDS);
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// Notes the columns that were chosen for a source.
pub(super) fn set_fields(view: &mut SourceView, fields: &[String]) {
    view.extra.remove(FIELDS);
    if let Ok(text) = serde_json::to_string(fields)
        && !fields.is_empty()
    {
        view.extra.insert(FIELDS.to_owned(), text);
    }
}

/// Returns what identifies the state of a source that fingerprints belong to.
pub(super) fn tag(view: &SourceView) -> Hash {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(view.index.bytes());
    bytes.extend_from_slice(view.views.bytes());
    for id in &view.base {
        bytes.extend_from_slice(id.0.bytes());
    }
    for name in [COLUMNS, TRIED, MAP] {
        bytes.push(0);
        bytes.extend_from_slice(view.extra.get(name).map_or("", String::as_str).as_bytes());
    }
    Hash::of(Domain::Item, &bytes)
}

/// Returns the file of a source's fingerprints.
pub(super) fn cache_path(work: &Work<'_>, source: &str) -> PathBuf {
    work.root.join("cache").join(format!("{source}.rows"))
}

/// Returns the schema of a state; empty where there is none.
pub(in crate::sync) fn schema_of(work: &Work<'_>, state: &crate::delta::State) -> SyncResult<Schema> {
    let record = work.record(state, &schema_key())?;
    Ok(record.as_ref().map(Schema::from_record).unwrap_or_default())
}
