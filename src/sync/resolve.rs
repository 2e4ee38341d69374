//! Resolving conflicts and telling people apart or together.

use std::collections::BTreeMap;

use super::inspect::collection_state;
use super::look::{find_record, value_of};
use super::report::SyncReport;
use super::repository::{Repository, Run};
use super::unite::union_changes;
use super::work::Work;
use super::{Overrides, Resolution, Steps, SyncError, SyncOptions, SyncResult, other};
use crate::delta::{FieldOperation, Operation, State, Transaction};
use crate::merge::{self, Conflict, ConflictKind, Settings};
use crate::model::{FieldPath, Keys, RecordKey, Value};
use crate::port::blob;

/// What names the conflict of a record's key, where a field is named else.
pub const KEY_FIELD: &str = "@key";

impl Repository {
    /// Resolves conflicts of a record, or decides whether two records are one; then writes sources.
    pub fn resolve(
        &mut self,
        collection: &str,
        key: &str,
        path: Option<&str>,
        resolution: &Resolution,
        dry_run: bool,
    ) -> SyncResult<SyncReport> {
        if dry_run {
            let scratch = self.store.scratch();
            let mut work = self.work(&scratch, self.store.view().clone());
            let mut run = Run::new(&work)?;
            let done = record_resolution(&mut work, collection, key, path, resolution)?;
            run.report.done.push(done);
            return self.rehearse_apply(work, run, Overrides::default());
        }
        self.begin()?;
        let mut work = self.reading();
        let done = record_resolution(&mut work, collection, key, path, resolution)?;
        let view = work.view;
        let command = self.env.command.clone();
        self.commit(view, &command)?;
        let mut report = self.apply_after(Overrides::default())?;
        report.done.push(done);
        Ok(report)
    }

    /// Decides the open conflicts of a collection as its policies would show them; then writes sources.
    ///
    /// What a policy leaves to a person stays open.
    pub fn resolve_by_policy(&mut self, collection: &str, dry_run: bool) -> SyncResult<SyncReport> {
        if dry_run {
            let scratch = self.store.scratch();
            let mut work = self.work(&scratch, self.store.view().clone());
            let mut run = Run::new(&work)?;
            run.report.done.push(record_policies(&mut work, collection)?);
            return self.rehearse_apply(work, run, Overrides::default());
        }
        self.begin()?;
        let mut work = self.reading();
        let done = record_policies(&mut work, collection)?;
        let view = work.view;
        let command = self.env.command.clone();
        self.commit(view, &command)?;
        let mut report = self.apply_after(Overrides::default())?;
        report.done.push(done);
        Ok(report)
    }

    /// Takes in what sources show and writes the state into them, as every command that changes the state does.
    pub(super) fn apply_after(&mut self, overrides: Overrides) -> SyncResult<SyncReport> {
        let steps = Steps {
            scan: true,
            fetch: false,
            apply: true,
            push: false,
        };
        let options = SyncOptions {
            overrides,
            ..SyncOptions::default()
        };
        self.perform(steps, &options)
    }
}

fn record_resolution(
    work: &mut Work<'_>,
    collection: &str,
    typed: &str,
    path: Option<&str>,
    resolution: &Resolution,
) -> SyncResult<String> {
    let state = collection_state(work, collection)?;
    let field = path.map(field_path).transpose()?;
    let heads = work.heads(collection);
    // A rule may be broken by a record that was removed.
    if let Some((key, operations)) = super::table::resolution(work, collection, typed, field.as_ref(), resolution)?
        && merge::conflicts_of(work.objects, &state, &key)
            .map_err(|error| other("reading conflicts", error))?
            .is_empty()
    {
        let list = operations.into_iter().map(|(key, operation)| Transaction {
            key,
            operation,
            forced: false,
        });
        work.author(collection, &heads, list, None)?;
        return Ok(format!("decided for `{typed}`"));
    }
    let (key, record) = find_record(work, collection, &state, typed)?;
    let transactions = match resolution {
        Resolution::SameAs(second) => same_as(work, collection, &state, (&key, &record), second)?,
        Resolution::Distinct(second) => {
            let (second, _) = find_record(work, collection, &state, second)?;
            if second == key {
                return Err(SyncError::Usage(
                    "both keys name one record; `undo` of the operation that united them takes them apart".to_owned(),
                ));
            }
            distinct(&key, &second)
        }
        _ => field_choice(work, &state, (&key, typed), field, resolution)?,
    };
    let list = transactions.into_iter().map(|(key, operation)| Transaction {
        key,
        operation,
        forced: false,
    });
    work.author(collection, &heads, list, None)?;
    Ok(format!("decided for `{}`", crate::model::contact::title(&record)))
}

/// What the policies of a collection make of its open conflicts.
#[derive(Default)]
pub(super) struct Decided {
    changes: BTreeMap<RecordKey, Vec<FieldOperation>>,
    /// How many conflicts these decide.
    pub(super) count: u64,
    open: u64,
}

impl Decided {
    pub(super) fn by(work: &Work<'_>, state: &State, settings: &Settings) -> SyncResult<Self> {
        let mut decided = Self::default();
        for conflict in merge::conflicts(work.objects, state) {
            let conflict = conflict.map_err(|error| other("reading conflicts", error))?;
            decided.open += 1;
            if conflict.key == merge::settings_key() {
                continue;
            }
            let policy = settings.policy(&conflict.path);
            let value = merge::decide(work.objects, &conflict, policy);
            if let Some(value) = value.map_err(|error| other("reading conflicts", error))? {
                decided.count += 1;
                let of_key = decided.changes.entry(conflict.key).or_default();
                of_key.push(FieldOperation::Set(conflict.path, value));
            }
        }
        Ok(decided)
    }
}

/// Records what the policies of a collection decide, and tells how much that is.
fn record_policies(work: &mut Work<'_>, collection: &str) -> SyncResult<String> {
    let state = collection_state(work, collection)?;
    let settings = super::settings::settings(work, &state)?;
    let Decided { changes, count, open } = Decided::by(work, &state, &settings)?;
    if count > 0 {
        let list = changes
            .into_iter()
            .map(|(key, changes)| Transaction::new(key, Operation::Change(changes)));
        let heads = work.heads(collection);
        work.author(collection, &heads, list, Some("resolved by policy"))?;
    }
    Ok(format!(
        "decided {count} of {open} open conflicts in `{collection}` by policy"
    ))
}

/// The two records are one from now on: the smaller key stays.
fn same_as(
    work: &Work<'_>,
    collection: &str,
    state: &State,
    first: (&RecordKey, &Value),
    second: &str,
) -> SyncResult<BTreeMap<RecordKey, Operation>> {
    let kind = work.view.collections.get(collection).map(|view| view.kind);
    if kind.is_some_and(|kind| kind.keys() == Keys::Content) {
        return Err(SyncError::Usage(format!(
            "records of `{collection}` have keys of their own and cannot be one: remove one of them, or change its key"
        )));
    }
    let (second_key, second_record) = find_record(work, collection, state, second)?;
    let second = (&second_key, &second_record);
    if first.0 == second.0 {
        return Err(SyncError::Usage("both keys name one record already".to_owned()));
    }
    let (keep, lose) = if first.0 < second.0 {
        (first, second)
    } else {
        (second, first)
    };
    let mut transactions = BTreeMap::new();
    transactions.insert(lose.0.clone(), Operation::Alias(keep.0.clone()));
    let changes = union_changes(keep.1, lose.1);
    if !changes.is_empty() {
        transactions.insert(keep.0.clone(), Operation::Change(changes));
    }
    Ok(transactions)
}

/// A lasting mark on both records that they are two.
pub(super) fn distinct(left: &RecordKey, right: &RecordKey) -> BTreeMap<RecordKey, Operation> {
    let mark = |other: &RecordKey| {
        let path = FieldPath::new(["distinct".to_owned(), other.to_string()]);
        Operation::Change(vec![FieldOperation::Set(path, Value::Bool(true))])
    };
    [(left.clone(), mark(right)), (right.clone(), mark(left))].into()
}

/// Reads a path as a person types it.
fn field_path(text: &str) -> SyncResult<FieldPath> {
    let pointer = if text.is_empty() || text.starts_with('/') {
        text.to_owned()
    } else {
        format!("/{text}")
    };
    FieldPath::parse(&pointer).ok_or_else(|| SyncError::Usage(format!("`{text}` is no field path")))
}

fn is_key_field(path: &FieldPath) -> bool {
    matches!(path.parts(), [part] if part == KEY_FIELD)
}

fn field_choice(
    work: &Work<'_>,
    state: &State,
    (key, typed): (&RecordKey, &str),
    path: Option<FieldPath>,
    resolution: &Resolution,
) -> SyncResult<BTreeMap<RecordKey, Operation>> {
    let is_of_key = path.as_ref().is_some_and(is_key_field);
    let path = path.filter(|path| !is_key_field(path));
    let open = merge::conflicts_of(work.objects, state, key).map_err(|error| other("reading conflicts", error))?;
    let open: Vec<&Conflict> = open
        .iter()
        .filter(|conflict| path.as_ref().is_none_or(|path| conflict.path == *path))
        .filter(|conflict| match conflict.kind {
            ConflictKind::Key => path.is_none(),
            ConflictKind::Field | ConflictKind::ModifyDelete => !is_of_key,
        })
        .collect();
    if let (true, Some(path), Resolution::Value(json)) = (open.is_empty(), &path, resolution) {
        return Ok([(
            key.clone(),
            Operation::Change(vec![set(work, path.clone(), value_of(json)?)?]),
        )]
        .into());
    }
    if open.is_empty() {
        let name = path.map_or_else(|| typed.to_owned(), |path| format!("{typed} {path}"));
        return Err(SyncError::Unknown {
            what: "conflict",
            name,
            candidates: Vec::new(),
        });
    }
    if open.len() > 1 && !matches!(resolution, Resolution::Take(_)) {
        return Err(SyncError::Usage(
            "the record has several conflicts: name the field".to_owned(),
        ));
    }
    let mut operations = Vec::new();
    let mut new_key = None;
    for conflict in open {
        let value = match resolution {
            Resolution::Take(number) => {
                let chosen = number.checked_sub(1).and_then(|at| conflict.alternatives.get(at));
                let count = conflict.alternatives.len();
                let wrong = || SyncError::Usage(format!("`{}` has alternatives 1 to {count}", conflict.path));
                chosen.ok_or_else(wrong)?.value.clone()
            }
            Resolution::TakeBase => conflict.base.clone(),
            Resolution::Value(json) => Some(value_of(json)?),
            Resolution::SameAs(_) | Resolution::Distinct(_) => continue,
        };
        if conflict.kind == ConflictKind::Key {
            new_key = Some(chosen_key(work, state, key, value)?);
            continue;
        }
        match value {
            None if conflict.path.is_root() => return Ok([(key.clone(), Operation::Remove)].into()),
            None => operations.push(FieldOperation::Clear(conflict.path.clone())),
            Some(_) if conflict.path.is_root() => {}
            Some(Value::Map(_)) => operations.extend(touch(work, state, key, &conflict.path)?),
            Some(value) => operations.push(set(work, conflict.path.clone(), value)?),
        }
    }
    Ok(match new_key {
        Some(new_key) => {
            let (from, changes) = (key.clone(), operations);
            [(new_key, Operation::Rename { from, changes })].into()
        }
        None => [(key.clone(), Operation::Change(operations))].into(),
    })
}

/// Returns the key that was chosen for a record, which no other one must have.
fn chosen_key(work: &Work<'_>, state: &State, key: &RecordKey, chosen: Option<Value>) -> SyncResult<RecordKey> {
    let chosen = match chosen {
        Some(Value::Bytes(bytes)) => RecordKey::new(bytes),
        _ => None,
    };
    let chosen = chosen.ok_or_else(|| {
        SyncError::Usage(
            "a key is chosen by its number (`--take N`), or by `--take base` where there was one".to_owned(),
        )
    })?;
    if chosen != *key && work.record(state, &chosen)?.is_some() {
        return Err(SyncError::Usage(
            "another record has that key now: change or remove that one first".to_owned(),
        ));
    }
    Ok(chosen)
}

/// Chooses everything at a path again.
fn touch(work: &Work<'_>, state: &State, key: &RecordKey, path: &FieldPath) -> SyncResult<Vec<FieldOperation>> {
    let record = work.record(state, key)?.unwrap_or(Value::Null);
    let Some(value) = record.at(path) else {
        return Ok(Vec::new());
    };
    let leaves = value.leaves().into_iter();
    Ok(leaves
        .map(|(below, value)| {
            let whole = FieldPath::new(path.parts().iter().chain(below.parts()).cloned());
            FieldOperation::Set(whole, value.clone())
        })
        .collect())
}

fn set(work: &Work<'_>, path: FieldPath, mut value: Value) -> SyncResult<FieldOperation> {
    blob::externalize(work.objects, &mut value)?;
    Ok(FieldOperation::Set(path, value))
}
