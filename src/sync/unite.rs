//! Records of different systems that are one.

use std::collections::{BTreeMap, BTreeSet};

use super::directory::{Directory, Rank};
use super::gathered::Gathered;
use super::identity::By;
use super::lookup::Answers;
use super::report::Union;
use super::work::Work;
use super::{SyncResult, other};
use crate::delta::{Delta, Entry, FieldOperation, Operation, State, Transaction};
use crate::model::contact::{align, has_elements, same_class, title};
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
    let mut directory = Directory::read(work.objects, &state.content, &|_| true)?;
    let arrived: Vec<Rank> = arrived
        .iter()
        .filter_map(|key| directory.keys.rank(key.bytes()))
        .collect();
    for rank in &arrived {
        directory.set_findable(*rank, false);
    }
    let mut found: BTreeMap<Rank, By> = BTreeMap::new();
    for (author, new) in by_author(work, before, &heads, &directory, &arrived)? {
        let seen = seen_by(work, author)?;
        let forbidden = |at: usize, old: Rank| {
            let is_distinct = new.get(at).is_none_or(|new| directory.are_distinct(*new, old));
            Ok(is_distinct || knew(work, seen.as_ref(), &directory, old)?)
        };
        let identity = |at: usize| {
            new.get(at)
                .map_or_else(Default::default, |rank| directory.identity(*rank))
        };
        let mut matched = vec![None; new.len()];
        directory.match_all(&identity, &mut matched, &forbidden)?;
        for (rank, matched) in new.iter().zip(matched) {
            if let Some((same, by)) = matched {
                directory.unite(*rank, same);
                found.insert(*rank, by);
            }
            directory.set_findable(*rank, true);
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let (gathered, unions) = Unification {
        work,
        collection,
        directory: &directory,
        found: &found,
    }
    .of_all(&state)?;
    let list = gathered.in_order()?.map(|read| {
        let (key, operation) = read?;
        Ok(Transaction::new(key, operation))
    });
    work.author_from(collection, &heads, list, Some(message))?;
    Ok(unions)
}

/// What is written to unite records, and what is told of it.
struct Unification<'u, 'w> {
    work: &'u Work<'w>,
    collection: &'u str,
    directory: &'u Directory,
    /// By what records were recognised.
    found: &'u BTreeMap<Rank, By>,
}

impl Unification<'_, '_> {
    fn of_all(&self, state: &State) -> SyncResult<(Gathered, Vec<Union>)> {
        let keys = &self.directory.keys;
        let classes: Vec<Vec<Rank>> = self.directory.unions().collect();
        let asked = classes
            .iter()
            .flatten()
            .zip(0..)
            .map(|(rank, at)| (keys.bytes(*rank), at));
        let mut records = Answers::find(self.work.objects, &state.content, asked.collect())?;
        let mut gathered = Gathered::default();
        let mut unions = Vec::new();
        let mut at = 0;
        for class in &classes {
            let mut members = Vec::new();
            for rank in class {
                let record = records.take(at)?.map(|found| found.record);
                members.extend(keys.key(*rank).zip(record).map(|(key, record)| (*rank, key, record)));
                at += 1;
            }
            self.unite(members, &mut gathered, &mut unions)?;
        }
        Ok((gathered, unions))
    }

    /// Unites the records of one class with the first of them.
    fn unite(
        &self,
        members: Vec<(Rank, RecordKey, Value)>,
        gathered: &mut Gathered,
        unions: &mut Vec<Union>,
    ) -> SyncResult<()> {
        let mut members = members.into_iter();
        let Some((keep, key, mut kept)) = members.next() else {
            return Ok(());
        };
        let mut changes: BTreeMap<FieldPath, FieldOperation> = BTreeMap::new();
        for (rank, member, lost) in members {
            let by = self.found.get(&rank).or_else(|| self.found.get(&keep));
            unions.push(Union {
                collection: self.collection.into(),
                title: title(&kept).into(),
                source: "another system".into(),
                by: by.copied().unwrap_or(By::Name).word().into(),
            });
            for change in union_changes(&kept, &lost) {
                changes.insert(change.path().clone(), change);
            }
            take_over(&mut kept, &lost, changes.values());
            gathered.alias(member, &key)?;
        }
        if !changes.is_empty() {
            gathered.change(key, true, changes.into_values().collect())?;
        }
        Ok(())
    }
}

/// Lists the records that are in `new` and not in `old`.
fn arrivals(work: &Work<'_>, old: &State, new: &State) -> SyncResult<Vec<RecordKey>> {
    let mut arrived = Vec::new();
    for change in crate::tree::diff(work.objects, &old.content, &new.content) {
        let change = change.map_err(|error| other("comparing states", error))?;
        if change.old.is_none() && change.new.is_some_and(|new| !Entry::is_alias(&new)) {
            arrived.extend(RecordKey::new(change.key));
        }
    }
    Ok(arrived)
}

/// Sorts the records that came by the snapshot that added them, ancestors first.
fn by_author(
    work: &Work<'_>,
    before: &[SnapshotId],
    heads: &[SnapshotId],
    directory: &Directory,
    arrived: &[Rank],
) -> SyncResult<Vec<(Option<SnapshotId>, Vec<Rank>)>> {
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
    let mut left: BTreeSet<Rank> = arrived.iter().copied().collect();
    let mut groups = Vec::new();
    for (id, snapshot) in news.into_iter().rev() {
        let delta = Delta::open(work.objects, &snapshot.delta).map_err(|error| other("reading a snapshot", error))?;
        let mut keys = Vec::new();
        for transaction in delta.iter() {
            let transaction = transaction.map_err(|error| other("reading a snapshot", error))?;
            if let Operation::Add(_) = transaction.operation
                && let Some(rank) = directory.keys.rank(transaction.key.bytes())
                && left.remove(&rank)
            {
                keys.push(rank);
            }
        }
        if !keys.is_empty() {
            groups.push((Some(id), keys));
        }
    }
    if !left.is_empty() {
        groups.push((None, left.into_iter().collect()));
    }
    Ok(groups)
}

/// Returns what the author of a snapshot had before it.
fn seen_by(work: &Work<'_>, author: Option<SnapshotId>) -> SyncResult<Option<State>> {
    let Some(author) = author else { return Ok(None) };
    let snapshot = work.history.snapshot(&author);
    let snapshot = snapshot.map_err(|error| other("reading the history", error))?;
    work.state_at(&snapshot.parents).map(Some)
}

/// Returns whether an author had a record before his snapshot: then he keeps apart from it what he added.
fn knew(work: &Work<'_>, seen: Option<&State>, directory: &Directory, old: Rank) -> SyncResult<bool> {
    match (seen, directory.keys.key(old)) {
        (Some(seen), Some(old)) => Ok(work.entry(seen, &old)?.is_some()),
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
