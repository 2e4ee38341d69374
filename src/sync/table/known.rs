//! What is known of a table source: where it does not show what its base says, and what its fingerprints belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::lens::Bound;
use crate::disk::Stat;
use crate::model::row::{Schema, schema_key};
use crate::model::{Domain, Hash, Map, RecordKey, SnapshotId, Value, cbor};
use crate::port::{Objects, blob};
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
/// The name under which a source keeps the heads it agreed with before our last write.
const BEFORE: &str = "before";
/// The name under which a source keeps what its file looked like before a write-back of which the end is not known.
const FOUND: &str = "found";
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

/// A rule of the place that a record breaks, so that its row stays what it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Violation {
    /// The rule's name.
    pub(super) name: String,
    /// What the place says.
    pub(super) reason: String,
    /// The ids of the columns it is about.
    pub(super) columns: Vec<String>,
    /// What the row shows that has what only one may have, large values left out.
    pub(super) rival: Option<Map>,
}

/// Broken rules by record. Each of these records has an exception, too.
pub(super) type Violations = BTreeMap<RecordKey, Violation>;

/// How a column of a row came out of our writes, where it did not come out as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// What stands there.
    pub(super) kept: Option<Value>,
    /// What was written.
    pub(super) over: Option<Value>,
    /// How often the same came back.
    pub(super) times: i64,
}

/// Marks by record and column.
pub(super) type Marks = BTreeMap<RecordKey, BTreeMap<String, Mark>>;

/// What is noted of rows beside how they stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Notes {
    pub(super) violations: Violations,
    pub(super) marks: Marks,
}

impl Notes {
    /// Reads the notes of a source.
    pub(super) fn load(objects: &dyn Objects, view: &SourceView) -> SyncResult<Self> {
        let damaged = || SyncError::Damaged(BAD.to_owned());
        let mut notes = Self::default();
        // Sources of items have other entries.
        if bound(view).is_none() {
            return Ok(notes);
        }
        for entry in tree::iter(objects, &view.index) {
            let (key, value) = entry.map_err(|error| other("reading a source", error))?;
            let Ok(Value::Map(map)) = cbor::decode(&value) else {
                return Err(damaged());
            };
            let key = RecordKey::new(key).ok_or_else(damaged)?;
            if let Some(violation) = map.get("c") {
                let violation = Violation::from_value(violation).ok_or_else(damaged)?;
                notes.violations.insert(key.clone(), violation);
            }
            for (id, mark) in map.get("w").and_then(Value::as_map).into_iter().flatten() {
                let mark = Mark::from_value(mark).ok_or_else(damaged)?;
                notes.marks.entry(key.clone()).or_default().insert(id.to_string(), mark);
            }
        }
        Ok(notes)
    }
}

impl Notes {
    /// Reads what came back after our writes; what a rule refused is found anew by the next one.
    pub(super) fn marks_alone(objects: &dyn Objects, view: &SourceView) -> SyncResult<Self> {
        let marks = Self::load(objects, view)?.marks;
        Ok(Self {
            marks,
            ..Self::default()
        })
    }
}

impl Mark {
    /// Makes a mark; `None` for values that are too large to be noted.
    pub(super) fn new(kept: Option<&Value>, over: Option<&Value>, times: i64) -> Option<Self> {
        let is_small = |value: &&Value| cbor::encode(value).len() <= blob::INLINE_BYTES;
        if kept
            .into_iter()
            .chain(over)
            .any(|value| !is_small(&value) || matches!(value, Value::Blob(_)))
        {
            return None;
        }
        Some(Self {
            kept: kept.cloned(),
            over: over.cloned(),
            times,
        })
    }

    fn to_value(&self) -> Value {
        let of = |value: &Option<Value>| value.clone().unwrap_or(Value::Null);
        Value::List(vec![of(&self.kept), of(&self.over), Value::Integer(self.times)])
    }

    fn from_value(value: &Value) -> Option<Self> {
        let Value::List(list) = value else { return None };
        let [kept, over, times] = list.as_slice() else {
            return None;
        };
        let of = |value: &Value| Some(value.clone()).filter(|value| *value != Value::Null);
        Some(Self {
            kept: of(kept),
            over: of(over),
            times: times.as_integer()?,
        })
    }
}

impl Violation {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("n", Value::Text(self.name.as_str().into()));
        map.insert("m", Value::Text(self.reason.as_str().into()));
        let columns = self.columns.iter().map(|id| Value::Text(id.as_str().into()));
        map.insert("p", Value::List(columns.collect()));
        if let Some(rival) = &self.rival {
            map.insert("r", Value::Map(rival.clone()));
        }
        Value::Map(map)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let map = value.as_map()?;
        let text = |name: &str| Some(map.get(name)?.as_text()?.to_owned());
        let Some(Value::List(columns)) = map.get("p") else {
            return None;
        };
        Some(Self {
            name: text("n")?,
            reason: text("m")?,
            columns: columns.iter().filter_map(|id| Some(id.as_text()?.to_owned())).collect(),
            rival: map.get("r").and_then(Value::as_map).cloned(),
        })
    }
}

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
            // The row stands as its record does; only how it came to is noted.
            (None, None) if map.get("w").is_some() => continue,
            _ => return Err(damaged()),
        };
        exceptions.insert(RecordKey::new(key).ok_or_else(damaged)?, exception);
    }
    Ok(exceptions)
}

/// Reads the rules of its place that records break in a source.
pub(super) fn violations(objects: &dyn Objects, view: &SourceView) -> SyncResult<Violations> {
    Ok(Notes::load(objects, view)?.violations)
}

/// Stores exceptions and returns the roots of their trees: how each stands, and what it shows.
pub(super) fn store(objects: &dyn Objects, exceptions: &Exceptions, notes: &Notes) -> SyncResult<(Hash, Hash)> {
    let entry = |key: &RecordKey, exception: Option<&Exception>| {
        let mut map = Map::new();
        let (word, last) = match exception {
            None => (None, None),
            Some(Exception::Missing) => (Some(1), None),
            Some(Exception::SetAside(last)) => (Some(2), last.as_ref().map(|(base, _)| base)),
            Some(Exception::Shows(base, _)) => (None, Some(base)),
        };
        if let Some(word) = word {
            map.insert("a", Value::Integer(word));
        }
        if let Some(base) = last {
            map.insert("b", ids(base));
        }
        if let Some(violation) = notes.violations.get(key).filter(|_| exception.is_some()) {
            map.insert("c", violation.to_value());
        }
        if let Some(marks) = notes.marks.get(key).filter(|marks| !marks.is_empty()) {
            let marks = marks.iter().map(|(id, mark)| (id.as_str(), mark.to_value()));
            map.insert("w", Value::Map(marks.collect()));
        }
        cbor::encode(&Value::Map(map))
    };
    let marked = notes
        .marks
        .iter()
        .filter(|(_, marks)| !marks.is_empty())
        .map(|(key, _)| key);
    let keys: BTreeSet<&RecordKey> = exceptions.keys().chain(marked).collect();
    let entries = keys
        .into_iter()
        .map(|key| Ok((key.bytes().to_vec(), entry(key, exceptions.get(key)))));
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

/// Returns the heads that a source agreed with before our last write; none where there was no write.
pub(super) fn before(view: &SourceView) -> Vec<SnapshotId> {
    let text = view.extra.get(BEFORE).map_or("", String::as_str);
    text.split(' ').filter_map(|id| id.parse().ok()).collect()
}

/// Notes the heads that a source agreed with before our last write.
pub(super) fn set_before(view: &mut SourceView, heads: &[SnapshotId]) {
    let ids: Vec<String> = heads.iter().map(SnapshotId::to_string).collect();
    view.extra.insert(BEFORE.to_owned(), ids.join(" "));
}

/// Takes out what a file looked like before a write-back of which the end is not known; nothing is said of its last change
/// but that of its bytes.
pub(super) fn take_found(view: &mut SourceView) -> Option<Stat> {
    let text = view.extra.remove(FOUND)?;
    let mut numbers = text.split(' ').map(str::parse::<i128>).map_while(Result::ok);
    let mut next = || numbers.next();
    Some(Stat {
        length_bytes: u64::try_from(next()?).ok()?,
        modified_ns: next()?,
        changed_ns: 0,
        inode: u64::try_from(next()?).ok()?,
        device: u64::try_from(next()?).ok()?,
    })
}

/// Notes what a file looks like before it is written.
pub(super) fn set_found(view: &mut SourceView, stat: &Stat) {
    let Stat {
        length_bytes,
        modified_ns,
        inode,
        device,
        ..
    } = stat;
    let text = format!("{length_bytes} {modified_ns} {inode} {device}");
    view.extra.insert(FOUND.to_owned(), text);
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
