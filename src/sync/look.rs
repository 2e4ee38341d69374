//! Looking: states, differences, records and conflicts as data for people and scripts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::identity::Suggestion;
use super::report::{AlternativeReport, ConflictReport, FieldDifference, LogEntry, RecordDifference, Tally};
use super::work::Work;
use super::{SyncError, SyncResult, other};
use crate::delta::{Entry, Snapshot, State};
use crate::format::jscontact;
use crate::merge::{self, ConflictKind};
use crate::model::contact::title;
use crate::model::{FieldPath, Kind, Map, RecordKey, SnapshotId, Value};
use crate::port::blob;
use crate::tree;

/// Prints a value for people, in one line.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => json_of(other).to_string(),
    }
}

/// Converts a value to JSON; large and binary values become a short description.
pub(super) fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Decimal(text) | Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!(format!("<{} bytes>", bytes.len())),
        Value::Blob(blob) => json!(format!("<{} bytes, {}>", blob.length_bytes, blob.hash.short())),
        Value::List(list) => list.iter().map(json_of).collect(),
        Value::Map(map) => Json::Object(
            map.iter()
                .map(|(key, value)| (key.to_string(), json_of(value)))
                .collect(),
        ),
    }
}

/// Converts JSON as a person types it to a value.
pub(super) fn value_of(json: &Json) -> SyncResult<Value> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Integer(number),
            None => Value::Float(
                number
                    .as_f64()
                    .ok_or_else(|| SyncError::Usage(format!("`{number}` is no number")))?,
            ),
        },
        Json::String(text) => Value::Text(text.clone().into()),
        Json::Array(list) => Value::List(list.iter().map(value_of).collect::<SyncResult<_>>()?),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| Ok((key.clone(), value_of(value)?)));
            Value::Map(entries.collect::<SyncResult<Map>>()?)
        }
    })
}

/// Returns what people know a record by: its UID where no other record has it, else its key.
pub(super) fn native_key(work: &Work<'_>, state: &State, key: &RecordKey, record: &Value) -> String {
    if let Ok(Some(schema)) = work.schema(state) {
        return super::table::row_name(&schema, key, record);
    }
    let uid = record.as_map().and_then(|map| map.get("uid")?.as_text());
    // A UID names the record whose key comes from it, or the one that record became.
    let is_own = |uid: &&str| {
        let named = RecordKey::from_identity(uid);
        named == *key || super::intake::canonical(work, state, &named).is_ok_and(|named| named == *key)
    };
    uid.filter(is_own).map_or_else(|| key.to_string(), str::to_owned)
}

/// Returns what people call a record: a row by its key, others by their title.
pub(super) fn title_of(work: &Work<'_>, state: &State, key: &RecordKey, record: &Value) -> String {
    match work.schema(state) {
        Ok(Some(schema)) => super::table::row_name(&schema, key, record),
        _ => title(record),
    }
}

/// Paths that are ours and say nothing to people. A column of a row may have any name.
fn is_internal(path: &FieldPath) -> bool {
    path.parts().len() > 1
        && (path.parts().last().is_some_and(|last| last == "order")
            || path.parts().first().is_some_and(|first| first == "distinct"))
}

/// Returns a text value whole, from its blob if need be.
fn shown(work: &Work<'_>, value: &Value) -> Json {
    match work.text(value) {
        Ok(Some(text)) => json!(text),
        _ => json_of(value),
    }
}

/// Lists the fields in which two forms of a record differ.
pub(super) fn field_differences(work: &Work<'_>, old: Option<&Value>, new: Option<&Value>) -> Vec<FieldDifference> {
    let mut fields = Vec::new();
    let empty = Value::Map(Map::new());
    let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
    for (path, value) in old.leaves() {
        let now = new.at(&path).filter(|now| !now.is_map());
        if path.is_root() || is_internal(&path) || now == Some(value) {
            continue;
        }
        let old = Some(shown(work, value));
        fields.push(FieldDifference {
            path: path.to_string(),
            old,
            new: now.map(|now| shown(work, now)),
        });
    }
    for (path, value) in new.leaves() {
        if !path.is_root() && !is_internal(&path) && old.at(&path).is_none_or(Value::is_map) {
            fields.push(FieldDifference {
                path: path.to_string(),
                old: None,
                new: Some(shown(work, value)),
            });
        }
    }
    fields.sort_by(|left, right| left.path.cmp(&right.path));
    fields
}

/// Describes the change of one record; `None` when people would see none.
pub(super) fn record_difference(
    work: &Work<'_>,
    collection: &str,
    state: &State,
    key: &RecordKey,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<RecordDifference> {
    let (op, present) = match (old, new) {
        (None, Some(new)) => ("add", new),
        (Some(old), None) => ("remove", old),
        (Some(_), Some(new)) => ("change", new),
        (None, None) => return None,
    };
    let fields = field_differences(work, old, new);
    (op != "change" || !fields.is_empty()).then(|| RecordDifference {
        collection: collection.to_owned(),
        op: op.to_owned(),
        key: native_key(work, state, key, present),
        old_key: None,
        title: title_of(work, state, key, present),
        fields,
        source: None,
        direction: None,
    })
}

/// A state and the heads that it is of.
pub(super) type Point<'p> = (&'p [SnapshotId], &'p State);

/// Calls `each` for every record that differs between two states; a record that got another key is one.
pub(super) fn differences(
    work: &Work<'_>,
    collection: &str,
    (old_heads, old): Point<'_>,
    (new_heads, new): Point<'_>,
    each: &mut dyn FnMut(RecordDifference) -> SyncResult<()>,
) -> SyncResult<()> {
    let mut origins = BTreeMap::new();
    let renames = merge::renames_between(&work.history, old_heads, new_heads);
    for (key, origin) in renames.map_err(|error| other("reading the history", error))? {
        let record = work.record(old, &origin)?.zip(work.record(new, &key)?);
        origins.extend(record.map(|records| (key, (origin, records))));
    }
    let gone: BTreeSet<&RecordKey> = origins.values().map(|(origin, _)| origin).collect();
    for change in tree::diff(work.objects, &old.content, &new.content) {
        let change = change.map_err(|error| other("comparing states", error))?;
        let decode = |bytes: &Option<Vec<u8>>| match bytes.as_deref().map(Entry::decode) {
            Some(Ok(Entry::Record(record))) => Ok(Some(record)),
            Some(Err(error)) => Err(other("reading a record", error)),
            _ => Ok(None),
        };
        let (mut before, mut after) = (decode(&change.old)?, decode(&change.new)?);
        let Some(key) = RecordKey::new(change.key) else {
            continue;
        };
        // What stood here is told of where it stands now, and what stands here as what it was elsewhere.
        if gone.contains(&key) {
            before = None;
        }
        if let Some((origin, (was, is))) = origins.get(&key) {
            each(renamed(work, collection, (old, origin, was), (new, &key, is)))?;
            after = None;
        }
        let state = if after.is_some() { new } else { old };
        if let Some(line) = record_difference(work, collection, state, &key, before.as_ref(), after.as_ref()) {
            each(line)?;
        }
    }
    Ok(())
}

/// Describes a record that got another key.
fn renamed(
    work: &Work<'_>,
    collection: &str,
    (old_state, old_key, old): (&State, &RecordKey, &Value),
    (new_state, new_key, new): (&State, &RecordKey, &Value),
) -> RecordDifference {
    RecordDifference {
        collection: collection.to_owned(),
        op: "rename".to_owned(),
        key: native_key(work, new_state, new_key, new),
        old_key: Some(native_key(work, old_state, old_key, old)),
        title: title_of(work, new_state, new_key, new),
        fields: field_differences(work, Some(old), Some(new)),
        source: None,
        direction: None,
    }
}

/// Describes a snapshot.
pub(super) fn log_entry(work: &Work<'_>, id: &SnapshotId, snapshot: &Snapshot) -> SyncResult<LogEntry> {
    // The tree may not be here any more, and to count is no reason to make it again.
    let aliases =
        merge::alias_count(work.objects, &snapshot.result).map_err(|error| other("counting records", error))?;
    let schemas = u64::from(snapshot.kind == Kind::Row);
    let records = snapshot.records.saturating_sub(aliases).saturating_sub(schemas);
    Ok(LogEntry {
        snapshot: id.to_string(),
        collection: snapshot.collection.clone(),
        parents: snapshot.parents.iter().map(SnapshotId::to_string).collect(),
        system: snapshot.system.clone(),
        time: snapshot.time.to_string(),
        message: snapshot.message.clone(),
        records,
        root: snapshot.result.content.to_string(),
        changes: Tally {
            added: snapshot.counts.added,
            changed: snapshot.counts.changed.saturating_add(snapshot.counts.renamed),
            removed: snapshot.counts.removed,
        },
    })
}

/// Returns the object that `cat` prints for a record.
pub(super) fn record_json(work: &Work<'_>, state: &State, record: &Value) -> SyncResult<Json> {
    let mut whole = record.clone();
    blob::internalize(work.objects, &mut whole)?;
    if let Some(schema) = work.schema(state)? {
        return Ok(super::table::row_json(&schema, &whole));
    }
    Ok(jscontact::to_jscontact(&whole))
}

/// Lists the open conflicts of a collection.
pub(super) fn conflicts(
    work: &Work<'_>,
    collection: &str,
    each: &mut dyn FnMut(ConflictReport) -> SyncResult<()>,
) -> SyncResult<()> {
    let state = work.state(collection)?;
    for conflict in merge::conflicts(work.objects, &state) {
        let conflict = conflict.map_err(|error| other("reading conflicts", error))?;
        let record = work.record(&state, &conflict.key)?.unwrap_or(Value::Null);
        let mut alternatives = Vec::new();
        for (at, alternative) in conflict.alternatives.iter().enumerate() {
            let writer = alternative.writers.last();
            let snapshot = writer.map(|writer| writer.snapshot);
            let author = snapshot.and_then(|id| work.history.snapshot(&id).ok());
            let value = match (&alternative.value, conflict.kind) {
                (Some(Value::Bytes(named)), ConflictKind::Key) => json!(key_name(work, &state, named, &record)),
                (Some(value), _) => shown(work, value),
                (None, _) => Json::Null,
            };
            alternatives.push(AlternativeReport {
                n: at + 1,
                value,
                absent: alternative.value.is_none(),
                system: author.map(|snapshot| snapshot.system.clone()).unwrap_or_default(),
                snapshot: snapshot.map(|id| id.to_string()).unwrap_or_default(),
                time: writer.map(|writer| writer.time.to_string()).unwrap_or_default(),
                shown: alternative.shown,
            });
        }
        each(ConflictReport {
            collection: collection.to_owned(),
            key: native_key(work, &state, &conflict.key, &record),
            title: title_of(work, &state, &conflict.key, &record),
            path: conflict.path.to_string(),
            base: conflict.base.as_ref().map(|value| match (value, conflict.kind) {
                (Value::Bytes(named), ConflictKind::Key) => json!(key_name(work, &state, named, &record)),
                _ => shown(work, value),
            }),
            alternatives,
            kind: match conflict.kind {
                ConflictKind::Field => "field",
                ConflictKind::ModifyDelete => "modify-delete",
                ConflictKind::Key => "key",
            }
            .to_owned(),
            paths: Vec::new(),
            constraint: None,
            source: None,
            reason: None,
        })?;
    }
    if work.schema(&state)?.is_some() {
        return super::table::conflicts(work, collection, each);
    }
    super::identity::suggestions(work, &state, &mut |suggestion| {
        each(suggested(work, collection, &state, suggestion))
    })
}

/// Returns what people would know a record by under another key.
fn key_name(work: &Work<'_>, state: &State, named: &[u8], record: &Value) -> String {
    if let (Ok(Some(_)), Some(parts)) = (work.schema(state), crate::model::row::key::shown(named)) {
        return parts;
    }
    match RecordKey::new(named) {
        Some(key) => native_key(work, state, &key, record),
        None => String::new(),
    }
}

/// Tells of two records that may be one; each alternative is the key of one of them.
fn suggested(work: &Work<'_>, collection: &str, state: &State, suggestion: Suggestion) -> ConflictReport {
    let Suggestion { first, second } = suggestion;
    let keys = [&first, &second].map(|(key, record)| native_key(work, state, key, record));
    let alternatives = keys.iter().enumerate().map(|(at, key)| AlternativeReport {
        n: at + 1,
        value: json!(key),
        absent: false,
        system: String::new(),
        snapshot: String::new(),
        time: String::new(),
        shown: true,
    });
    ConflictReport {
        collection: collection.to_owned(),
        title: title(&first.1),
        path: String::new(),
        base: None,
        alternatives: alternatives.collect(),
        kind: "identity".to_owned(),
        paths: Vec::new(),
        constraint: None,
        source: None,
        reason: None,
        key: keys[0].clone(),
    }
}

/// Finds a record by what a person typed: UID, key, a prefix of the key, or its title.
pub(super) fn find_record(
    work: &Work<'_>,
    collection: &str,
    state: &State,
    typed: &str,
) -> SyncResult<(RecordKey, Value)> {
    let unknown = || SyncError::Unknown {
        what: "record",
        name: typed.to_owned(),
        candidates: Vec::new(),
    };
    let schema = work.schema(state)?;
    let row = schema
        .as_ref()
        .and_then(|schema| super::table::typed_key(schema, typed));
    let direct = row.into_iter().chain([RecordKey::from_identity(typed)]).chain(
        data_encoding::HEXLOWER_PERMISSIVE
            .decode(typed.as_bytes())
            .ok()
            .and_then(RecordKey::new),
    );
    for key in direct {
        let key = super::intake::canonical(work, state, &key)?;
        if let Some(record) = work.record(state, &key)? {
            return Ok((key, record));
        }
    }
    let mut found = Vec::new();
    for entry in tree::iter(work.objects, &state.content) {
        let (key, bytes) = entry.map_err(|error| other("reading records", error))?;
        let Some(key) = RecordKey::new(key) else { continue };
        let Ok(Entry::Record(record)) = Entry::decode(&bytes) else {
            continue;
        };
        let prefix = typed.len() >= 4 && key.to_string().starts_with(&typed.to_lowercase());
        let titled = schema.is_none() && title(&record) == typed;
        if prefix || titled || native_key(work, state, &key, &record) == typed {
            found.push((key, record));
        }
    }
    match found.len() {
        0 => Err(unknown()),
        1 => found.pop().ok_or_else(unknown),
        count => Err(SyncError::AmbiguousId {
            prefix: format!("{typed} (in {collection})"),
            count,
        }),
    }
}
