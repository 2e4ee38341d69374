//! Records of different systems that are one.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::{By, Directory, are_distinct};
use super::report::Union;
use super::work::Work;
use super::{SyncResult, other};
use crate::delta::{Delta, Entry, FieldOperation, Operation, State, Transaction};
use crate::model::contact::{align, has_elements, identity_keys, same_class, title};
use crate::model::{FieldPath, Map, RecordKey, SnapshotId, Value};
use crate::source::view_edits;

/// Unites records of different systems that turn out to be one: those that came since the heads `before` against
/// those that were there, and against each other where they came from different authors.
pub(super) fn unite_records(
    work: &mut Work<'_>,
    collection: &str,
    before: &[SnapshotId],
    message: &str,
) -> SyncResult<Vec<Union>> {
    let heads = work.heads(collection);
    let (old, state) = (work.state_at(before)?, work.state_at(&heads)?);
    if old.content == state.content || old.content == crate::tree::empty_root() {
        return Ok(Vec::new());
    }
    let arrived = arrivals(work, &old, &state)?;
    if arrived.is_empty() {
        return Ok(Vec::new());
    }
    let mut directory = Directory::read(work.objects, state, &|key| !arrived.contains_key(key))?;
    let mut found: BTreeMap<RecordKey, By> = BTreeMap::new();
    for (author, keys) in by_author(work, before, &heads, &arrived)? {
        let new: BTreeMap<RecordKey, _> = keys
            .iter()
            .filter_map(|key| Some((key.clone(), identity_keys(arrived.get(key)?))))
            .collect();
        let forbidden = |new: &RecordKey, old: &RecordKey| knows_apart(work, &state, author, new, old);
        for (key, (same, by)) in directory.match_all(&new, &forbidden)? {
            directory.unite(&key, &same);
            found.insert(key, by);
        }
        for (key, keys) in &new {
            directory.insert(key.clone(), keys);
        }
    }
    let mut groups: BTreeMap<&RecordKey, Vec<&RecordKey>> = BTreeMap::new();
    for (member, keep) in directory.unions() {
        groups.entry(keep).or_default().push(member);
    }
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let mut transactions: BTreeMap<RecordKey, Operation> = BTreeMap::new();
    let mut unions = Vec::new();
    for (keep, members) in groups {
        let Some(mut kept) = work.record(&state, keep)? else {
            continue;
        };
        let mut changes: BTreeMap<FieldPath, FieldOperation> = BTreeMap::new();
        for member in members {
            let Some(lost) = work.record(&state, member)? else {
                continue;
            };
            let by = found
                .get(member)
                .or_else(|| found.get(keep))
                .copied()
                .unwrap_or(By::Name);
            unions.push(Union {
                collection: collection.to_owned(),
                title: title(&kept),
                source: "another system".to_owned(),
                by: by.word().to_owned(),
            });
            for change in union_changes(&kept, &lost) {
                changes.insert(change.path().clone(), change);
            }
            take_over(&mut kept, &lost, changes.values());
            transactions.insert(member.clone(), Operation::Alias(keep.clone()));
        }
        if !changes.is_empty() {
            transactions.insert(keep.clone(), Operation::Change(changes.into_values().collect()));
        }
    }
    let list = transactions.into_iter().map(|(key, operation)| Transaction {
        key,
        operation,
        forced: false,
    });
    work.author(collection, &heads, list, Some(message))?;
    Ok(unions)
}

/// Returns the records that are in `new` and not in `old`.
fn arrivals(work: &Work<'_>, old: &State, new: &State) -> SyncResult<BTreeMap<RecordKey, Value>> {
    let mut arrived = BTreeMap::new();
    for change in crate::tree::diff(work.objects, &old.content, &new.content) {
        let change = change.map_err(|error| other("comparing states", error))?;
        if let (None, Some(new), Some(key)) = (&change.old, &change.new, RecordKey::new(change.key.clone()))
            && let Ok(Entry::Record(record)) = Entry::decode(new)
        {
            arrived.insert(key, record);
        }
    }
    Ok(arrived)
}

/// Sorts the records that came by the snapshot that added them, ancestors first.
fn by_author(
    work: &Work<'_>,
    before: &[SnapshotId],
    heads: &[SnapshotId],
    arrived: &BTreeMap<RecordKey, Value>,
) -> SyncResult<Vec<(Option<SnapshotId>, Vec<RecordKey>)>> {
    let wrap = |error| other("reading the history", error);
    let mut open: BTreeSet<(u32, SnapshotId)> = BTreeSet::new();
    for id in heads {
        open.insert((work.history.snapshot(id).map_err(wrap)?.generation, *id));
    }
    let mut news = Vec::new();
    while let Some((_, id)) = open.pop_last() {
        let mut is_old = false;
        for head in before {
            is_old |= work.history.is_ancestor(&id, head).map_err(wrap)?;
        }
        if is_old {
            continue;
        }
        let snapshot = work.history.snapshot(&id).map_err(wrap)?;
        for parent in &snapshot.parents {
            open.insert((work.history.snapshot(parent).map_err(wrap)?.generation, *parent));
        }
        news.push((id, snapshot));
    }
    let mut left: BTreeSet<&RecordKey> = arrived.keys().collect();
    let mut groups = Vec::new();
    for (id, snapshot) in news.into_iter().rev() {
        let delta = Delta::open(work.objects, &snapshot.delta).map_err(|error| other("reading a snapshot", error))?;
        let mut keys = Vec::new();
        for transaction in delta.iter() {
            let transaction = transaction.map_err(|error| other("reading a snapshot", error))?;
            if matches!(transaction.operation, Operation::Add(_)) && left.remove(&transaction.key) {
                keys.push(transaction.key);
            }
        }
        if !keys.is_empty() {
            groups.push((Some(id), keys));
        }
    }
    if !left.is_empty() {
        groups.push((None, left.into_iter().cloned().collect()));
    }
    Ok(groups)
}

/// Returns whether a person, or the author who saw both, keeps two records apart.
fn knows_apart(
    work: &Work<'_>,
    state: &State,
    author: Option<SnapshotId>,
    new: &RecordKey,
    old: &RecordKey,
) -> SyncResult<bool> {
    if let Some(author) = author {
        let snapshot = work.history.snapshot(&author);
        let snapshot = snapshot.map_err(|error| other("reading the history", error))?;
        let seen = work.state_at(&snapshot.parents)?;
        if work.entry(&seen, old)?.is_some() {
            return Ok(true);
        }
    }
    match (work.record(state, new)?, work.record(state, old)?) {
        (Some(left), Some(right)) => are_distinct(work, state, (new, &left), (old, &right)),
        _ => Ok(false),
    }
}

/// Makes `kept` what it is after the union with `lost`, so that a third one is compared with both.
fn take_over<'a>(kept: &mut Value, lost: &Value, changes: impl Iterator<Item = &'a FieldOperation>) {
    for (path, value) in lost.leaves() {
        if kept.at(&path).is_none() {
            kept.set_at(&path, value.clone());
        }
    }
    if let Ok(Some(after)) = crate::delta::apply(Some(kept), &Operation::Change(changes.cloned().collect())) {
        *kept = after;
    }
}

/// The writes that go with an alias: one UID, and no element twice.
///
/// Where the two say different things of one field, both stay as alternatives: nobody has decided yet.
pub(super) fn union_changes(kept: &Value, lost: &Value) -> Vec<FieldOperation> {
    let mut changes = Vec::new();
    let empty = Map::new();
    let uid = FieldPath::new(["uid"]);
    if let (Some(chosen), Some(_)) = (kept.at(&uid), lost.at(&uid)) {
        changes.push(FieldOperation::Set(uid, chosen.clone()));
    }
    for (collection, elements) in lost.as_map().unwrap_or(&empty) {
        let (Some(theirs), Some(ours)) = (
            elements.as_map(),
            kept.as_map().and_then(|map| map.get(collection)?.as_map()),
        ) else {
            continue;
        };
        if !has_elements(collection) {
            continue;
        }
        // Elements of equal meaning under two ids: seen as provisional, theirs align to ours.
        let mut seen = Map::new();
        for (id, element) in theirs.iter().filter(|(id, _)| !ours.contains_key(*id)) {
            let mut element = element.clone();
            if let Value::Map(map) = &mut element {
                map.remove("order");
            }
            seen.insert(format!("~{id}"), element);
        }
        let mut known = Map::new();
        known.insert(collection.clone(), Value::Map(ours.clone()));
        let view = Value::Map([(collection.clone(), Value::Map(seen.clone()))].into());
        let bindings = align(&view, Some(&Value::Map(known)), &BTreeMap::new(), &|_, _| false);
        for (pointer, id) in bindings {
            let Some(path) = FieldPath::parse(&pointer) else {
                continue;
            };
            let (Some(theirs), Some(ours)) = (view.at(&path), ours.get(&id)) else {
                continue;
            };
            let (Some(own), Some(theirs), Some(ours)) = (
                path.parts().last().and_then(|key| key.strip_prefix('~')),
                theirs.as_map(),
                ours.as_map(),
            ) else {
                continue;
            };
            let differences = view_edits(ours, theirs);
            let is_same = differences
                .iter()
                .all(|edit| match (edit, Value::Map(ours.clone()).at(edit.path())) {
                    (FieldOperation::Set(path, value), Some(known)) => same_class(path, known, value),
                    _ => true,
                });
            if !is_same {
                continue;
            }
            changes.push(FieldOperation::Clear(FieldPath::new([collection.as_str(), own])));
            for edit in differences {
                // What only theirs said of the element is said of ours.
                if let FieldOperation::Set(below, value) = edit
                    && Value::Map(ours.clone()).at(&below).is_none()
                {
                    let at = [collection.clone(), id.clone().into()]
                        .into_iter()
                        .chain(below.parts().to_vec());
                    changes.push(FieldOperation::Set(FieldPath::new(at), value));
                }
            }
        }
    }
    changes
}
