//! Rules of a place that records break: conflicts that only a source knows of whose place has the rule.
//!
//! The record stays as it is in the collection and in all other sources; the row stays what it was. What the place said
//! is kept with the row's exception ([`known::Violation`]) until a write-back is taken, or nothing is to be written.

use serde_json::Value as Json;

use super::edits::decode;
use super::known::{self, Exception, Violation};
use super::{row_json, row_name, schema_of, typed_key};
use crate::delta::{FieldOperation, Operation, State};
use crate::model::row::{Schema, from_value};
use crate::model::{FieldPath, Map, RecordKey, SnapshotId, Value, cbor};
use crate::store::SourceView;
use crate::sync::report::{AlternativeReport, ConflictReport};
use crate::sync::work::Work;
use crate::sync::{Resolution, SyncError, SyncResult, other};
use crate::tree;

/// Lists which records of a collection break a rule in which source: (record, source, rule).
pub(in crate::sync) fn broken(work: &Work<'_>, collection: &str) -> SyncResult<Vec<(RecordKey, String, String)>> {
    let mut list = Vec::new();
    for (name, view) in sources(work, collection) {
        for (key, violation) in known::violations(work.objects, view)? {
            list.push((key, name.clone(), violation.name));
        }
    }
    Ok(list)
}

fn sources<'w>(work: &'w Work<'_>, collection: &str) -> impl Iterator<Item = (&'w String, &'w SourceView)> {
    let sources = work.view.sources.iter();
    sources.filter(move |(_, view)| view.collection == collection)
}

/// Calls `each` for every record of a collection that breaks a rule in a source.
pub(in crate::sync) fn conflicts(
    work: &Work<'_>,
    collection: &str,
    each: &mut dyn FnMut(ConflictReport) -> SyncResult<()>,
) -> SyncResult<()> {
    let heads = work.heads(collection);
    let state = work.state_at(&heads)?;
    let schema = schema_of(work, &state)?;
    for (name, view) in sources(work, collection) {
        let violations = known::violations(work.objects, view)?;
        if violations.is_empty() {
            continue;
        }
        let exceptions = known::load(work.objects, view)?;
        for (key, violation) in violations {
            let case = Case {
                work,
                heads: &heads,
                state: &state,
                schema: &schema,
                key: &key,
                violation: &violation,
            };
            let kept = match exceptions.get(&key) {
                Some(Exception::Shows(_, kept)) => Some(kept),
                _ => None,
            };
            each(case.report(collection, name, kept)?)?;
        }
    }
    Ok(())
}

/// One record that breaks one rule.
struct Case<'c> {
    work: &'c Work<'c>,
    heads: &'c [SnapshotId],
    state: &'c State,
    schema: &'c Schema,
    key: &'c RecordKey,
    violation: &'c Violation,
}

impl Case<'_> {
    fn report(&self, collection: &str, source: &str, kept: Option<&Map>) -> SyncResult<ConflictReport> {
        let record = self.work.record(self.state, self.key)?;
        let kept = kept.cloned().map(Value::Map);
        let known = record.as_ref().or(kept.as_ref()).unwrap_or(&Value::Null);
        let mut alternatives = vec![self.alternative(1, self.key, record.as_ref())?];
        if let Some(rival) = &self.violation.rival {
            alternatives.push(match self.rival_key(rival)? {
                Some(key) => {
                    let record = self.work.record(self.state, &key)?;
                    self.alternative(2, &key, record.as_ref())?
                }
                None => self.unknown(rival),
            });
        }
        let name = row_name(self.schema, self.key, known);
        let paths: Vec<String> = self.violation.columns.iter().map(|id| path(id).to_string()).collect();
        Ok(ConflictReport {
            collection: collection.to_owned(),
            key: name.clone(),
            title: name,
            path: match paths.as_slice() {
                [one] => one.clone(),
                _ => String::new(),
            },
            base: kept.as_ref().map(|kept| row_json(self.schema, kept)),
            alternatives,
            kind: "constraint".to_owned(),
            paths,
            constraint: Some(self.violation.name.clone()),
            source: Some(source.to_owned()),
            reason: Some(self.violation.reason.clone()),
        })
    }

    /// Describes a row that takes part, and who wrote what the rule is about.
    fn alternative(&self, n: usize, key: &RecordKey, record: Option<&Value>) -> SyncResult<AlternativeReport> {
        let writer = self.writer(key, record)?;
        let snapshot = writer.and_then(|id| self.work.history.snapshot(&id).ok());
        Ok(AlternativeReport {
            n,
            value: record.map_or(Json::Null, |record| row_json(self.schema, record)),
            absent: record.is_none(),
            system: snapshot
                .as_ref()
                .map(|snapshot| snapshot.system.clone())
                .unwrap_or_default(),
            snapshot: writer.map(|id| id.to_string()).unwrap_or_default(),
            time: snapshot.map(|snapshot| snapshot.time.to_string()).unwrap_or_default(),
            // The place shows the other one.
            shown: n != 1,
        })
    }

    /// Describes a row of the table that is no record of the collection.
    fn unknown(&self, rival: &Map) -> AlternativeReport {
        AlternativeReport {
            n: 2,
            value: row_json(self.schema, &Value::Map(rival.clone())),
            absent: false,
            system: String::new(),
            snapshot: String::new(),
            time: String::new(),
            shown: true,
        }
    }

    /// Returns the record that a row of the table is.
    fn rival_key(&self, rival: &Map) -> SyncResult<Option<RecordKey>> {
        if self.schema.is_keyed() {
            let cells = self.schema.key.iter().map(|id| from_value(rival.get(id.as_str())));
            let key = super::key_of(cells);
            return Ok(key.filter(|key| self.work.record(self.state, key).is_ok_and(|record| record.is_some())));
        }
        for entry in tree::iter(self.work.objects, &self.state.content) {
            let (key, bytes) = entry.map_err(|error| other("reading records", error))?;
            let Ok(record) = decode(&bytes) else { continue };
            let is_same = |(id, value): (&_, &Value)| {
                let id: &crate::model::Text = id;
                record
                    .get(id.as_str())
                    .is_some_and(|other| cbor::encode(other) == cbor::encode(value))
            };
            if key != self.key.bytes() && rival.iter().all(is_same) {
                return Ok(RecordKey::new(key));
            }
        }
        Ok(None)
    }

    /// Returns the snapshot since which a record says what it says in the columns of the rule.
    fn writer(&self, key: &RecordKey, record: Option<&Value>) -> SyncResult<Option<SnapshotId>> {
        let columns = &self.violation.columns;
        let says = |record: Option<&Value>| -> Vec<Option<Vec<u8>>> {
            let Some(record) = record.and_then(Value::as_map) else {
                return Vec::new();
            };
            let of = |id: &str| record.get(id).map(cbor::encode);
            if columns.is_empty() {
                return vec![Some(cbor::encode(&Value::Map(record.clone())))];
            }
            columns.iter().map(|id| of(id)).collect()
        };
        let wanted = says(record);
        let mut writer = None;
        let mut open: Vec<SnapshotId> = self.heads.to_vec();
        while !open.is_empty() {
            let mut next = None;
            for id in open {
                let snapshot = self
                    .work
                    .history
                    .snapshot(&id)
                    .map_err(|error| other("reading the history", error))?;
                // The tree of an old snapshot may not be here any more; it is not made again to tell who wrote what.
                let record = self.work.record(&snapshot.result, key);
                if record.is_ok_and(|record| says(record.as_ref()) == wanted) {
                    next = Some((id, snapshot.parents.clone()));
                    break;
                }
            }
            let Some((id, parents)) = next else { break };
            writer = Some(id);
            open = parents;
        }
        Ok(writer)
    }
}

fn path(id: &str) -> FieldPath {
    FieldPath::new([id.to_owned()])
}

/// The record that breaks a rule, and what decides it.
pub(in crate::sync) type Decision = (RecordKey, Vec<(RecordKey, Operation)>);

/// Returns what decides the broken rules of a record; `None` where it breaks none, or the decision is an ordinary one.
///
/// Taking a row that others clash with takes from the others what they clash about; taking the base puts back what the
/// source shows.
pub(in crate::sync) fn resolution(
    work: &Work<'_>,
    collection: &str,
    typed: &str,
    field: Option<&FieldPath>,
    resolution: &Resolution,
) -> SyncResult<Option<Decision>> {
    let heads = work.heads(collection);
    let state = work.state_at(&heads)?;
    let schema = schema_of(work, &state)?;
    let mut found = None;
    for (_, view) in sources(work, collection) {
        for (key, violation) in known::violations(work.objects, view)? {
            let record = work.record(&state, &key)?;
            let is_meant = typed_key(&schema, typed).as_ref() == Some(&key)
                || record
                    .as_ref()
                    .is_some_and(|record| row_name(&schema, &key, record) == typed)
                || typed.len() >= 4 && key.to_string().starts_with(&typed.to_lowercase());
            let of_field = field.is_none_or(|field| violation.columns.iter().any(|id| path(id) == *field));
            if is_meant && of_field && found.is_none() {
                let kept = match known::load(work.objects, view)?.remove(&key) {
                    Some(Exception::Shows(_, kept)) => Some(kept),
                    _ => None,
                };
                found = Some((key, violation, record, kept));
            }
        }
    }
    let Some((key, violation, record, kept)) = found else {
        return Ok(None);
    };
    let case = Case {
        work,
        heads: &heads,
        state: &state,
        schema: &schema,
        key: &key,
        violation: &violation,
    };
    let operations = match resolution {
        Resolution::TakeBase => put_back(&key, record.as_ref(), kept.as_ref()),
        Resolution::Take(number @ 1..=2) => {
            let rival = match &violation.rival {
                Some(rival) => case.rival_key(rival)?,
                None => None,
            };
            let loser = match (number, rival) {
                (1, Some(rival)) => rival,
                (2, Some(_)) => key.clone(),
                _ => {
                    let what = "there is no second row that could give way; change the row, or `--take base`";
                    return Err(SyncError::Usage(what.to_owned()));
                }
            };
            if violation.columns.iter().any(|id| schema.key.contains(id)) {
                let what = "the rows clash in a column that identifies them; remove or rename one of them in a source";
                return Err(SyncError::Usage(what.to_owned()));
            }
            let clear = violation.columns.iter().map(|id| FieldOperation::Clear(path(id)));
            vec![(loser, Operation::Change(clear.collect()))]
        }
        Resolution::Take(number) => {
            return Err(SyncError::Usage(format!("there is no alternative {number}")));
        }
        _ => return Ok(None),
    };
    Ok(Some((key, operations)))
}

/// Returns what makes a record say what its source shows.
fn put_back(key: &RecordKey, record: Option<&Value>, kept: Option<&Map>) -> Vec<(RecordKey, Operation)> {
    let operation = match (record.and_then(Value::as_map), kept) {
        (_, None) => Operation::Remove,
        (None, Some(kept)) => Operation::Add(Value::Map(kept.clone())),
        (Some(record), Some(kept)) => {
            // Columns that the source does not show stay.
            let mut edits = super::lens::row_edits(record, kept);
            edits.retain(|edit| matches!(edit, FieldOperation::Set(..)));
            Operation::Change(edits)
        }
    };
    vec![(key.clone(), operation)]
}
