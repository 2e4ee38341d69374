//! States as people name them: `@`, `@-`, an id or its beginning, `ID~N`, each also as `COLLECTION:…`.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::work::Work;
use super::{SyncError, SyncResult, other};
use crate::delta::Snapshot;
use crate::model::{Hash, SnapshotId};

/// The fewest digits that an id may be shortened to.
pub(super) const SHORTEST_PREFIX: usize = 4;

/// Finds objects by the first digits of their ids.
pub(super) type Find<'f> = &'f dyn Fn(&str) -> Vec<Hash>;

fn unknown(name: &str) -> SyncError {
    SyncError::Unknown {
        what: "snapshot",
        name: name.to_owned(),
        candidates: Vec::new(),
    }
}

/// Returns what a state is in each collection that it says something about.
///
/// `@` is the present state of all, and `@-` that before the newest snapshot of all: only in the collection of that one it
/// is another. A snapshot belongs to one collection. Where a collection is named, nothing is said about others.
pub(super) fn resolve_states(
    work: &Work<'_>,
    find: Find<'_>,
    collection: Option<&str>,
    text: &str,
) -> SyncResult<BTreeMap<String, Vec<SnapshotId>>> {
    let (prefix, state) = match text.rsplit_once(':') {
        Some((collection, state)) => (Some(collection), state),
        None => (None, text),
    };
    let only = collection.or(prefix);
    if let Some(name) = only {
        super::inspect::collection_state(work, name)?;
    }
    let mut present: BTreeMap<String, Vec<SnapshotId>> = work
        .view
        .collections
        .iter()
        .filter(|(name, _)| only.is_none_or(|only| only == *name))
        .map(|(name, view)| (name.clone(), view.heads.clone()))
        .collect();
    match state {
        "@" => Ok(present),
        "@-" => {
            if let Some((id, newest)) = newest(work, present.values().flatten())? {
                let heads = present.entry(newest.collection.clone()).or_default();
                heads.retain(|head| *head != id);
                heads.extend_from_slice(&newest.parents);
                *heads = work
                    .history
                    .heads_of(heads)
                    .map_err(|error| other("reading the history", error))?;
            }
            Ok(present)
        }
        _ => {
            let (owner, heads) = resolve_id(work, find, only, state)?;
            Ok([(owner, heads)].into())
        }
    }
}

/// Returns the snapshot that a state names: the newest of its heads.
pub(super) fn resolve_snapshot(work: &Work<'_>, find: Find<'_>, text: &str) -> SyncResult<SnapshotId> {
    let all = work.view.collections.values().flat_map(|view| &view.heads);
    if text == "@-"
        && let Some((_, newest)) = newest(work, all)?
    {
        // In the other collections it is the present state.
        return resolve_snapshot(work, find, &format!("{}:@-", newest.collection));
    }
    let states = resolve_states(work, find, None, text)?;
    let found = newest(work, states.values().flatten())?;
    found.map(|(id, _)| id).ok_or_else(|| unknown(text))
}

/// Returns the newest of some snapshots.
fn newest<'i>(
    work: &Work<'_>,
    ids: impl Iterator<Item = &'i SnapshotId>,
) -> SyncResult<Option<(SnapshotId, Rc<Snapshot>)>> {
    let mut newest: Option<(SnapshotId, Rc<Snapshot>)> = None;
    for id in ids {
        let snapshot = work
            .history
            .snapshot(id)
            .map_err(|error| other("reading the history", error))?;
        let is_newer = newest
            .as_ref()
            .is_none_or(|(known, at)| (at.time, *known) < (snapshot.time, *id));
        if is_newer {
            newest = Some((*id, snapshot));
        }
    }
    Ok(newest)
}

/// Resolves `ID` or `ID~N`; before the first snapshot there is the empty state.
fn resolve_id(
    work: &Work<'_>,
    find: Find<'_>,
    collection: Option<&str>,
    text: &str,
) -> SyncResult<(String, Vec<SnapshotId>)> {
    let (prefix, steps) = match text.split_once('~') {
        Some((prefix, "")) => (prefix, 1),
        Some((prefix, steps)) => (
            prefix,
            steps
                .parse()
                .map_err(|_| SyncError::Usage(format!("`{text}` is no state: `~` wants a number")))?,
        ),
        None => (text, 0usize),
    };
    let (id, owner) = find_snapshot(work, find, collection, prefix)?;
    let mut at = Some(id);
    for _ in 0..steps {
        let id = at.ok_or_else(|| unknown(text))?;
        let snapshot = work
            .history
            .snapshot(&id)
            .map_err(|error| other("reading the history", error))?;
        at = snapshot.parents.first().copied();
    }
    Ok((owner, at.into_iter().collect()))
}

/// Finds a snapshot, of a collection if one is named, by a prefix of its id; returns it and its collection.
fn find_snapshot(
    work: &Work<'_>,
    find: Find<'_>,
    collection: Option<&str>,
    prefix: &str,
) -> SyncResult<(SnapshotId, String)> {
    if prefix.len() < SHORTEST_PREFIX || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(unknown(prefix));
    }
    let mut found = Vec::new();
    for id in find(prefix).into_iter().map(SnapshotId) {
        if let Ok(snapshot) = Snapshot::read(work.objects, &id)
            && collection.is_none_or(|collection| collection == snapshot.collection)
        {
            found.push((id, snapshot.collection));
        }
    }
    found.dedup();
    match found.len() {
        0 => Err(unknown(prefix)),
        1 => found.pop().ok_or_else(|| unknown(prefix)),
        count => Err(SyncError::AmbiguousId {
            prefix: prefix.to_owned(),
            count,
        }),
    }
}
