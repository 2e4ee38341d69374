//! Which records the new items of a source are.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::{By, Directory, KeyMaker};
use super::intake::{canonical, shown_as};
use super::work::Work;
use super::{SyncResult, other};
use crate::delta::State;
use crate::model::contact::{align_new, identity_keys};
use crate::model::{RecordKey, Value, cbor};
use crate::source::{Fresh, ItemView, Scan, shape};

/// Finds the records that new items are.
pub(super) fn recognise(
    work: &Work<'_>,
    state: State,
    scan: &Scan,
    mine: &BTreeSet<RecordKey>,
    first_import: bool,
) -> SyncResult<BTreeMap<u64, (RecordKey, By)>> {
    if state.content == crate::tree::empty_root() {
        return Ok(BTreeMap::new());
    }
    let mut matched = BTreeMap::new();
    if first_import {
        matched = by_content(work, &state, scan, mine)?;
    }
    let known: BTreeSet<RecordKey> = matched.values().map(|(key, _)| key).chain(mine).cloned().collect();
    let directory = Directory::read(work.objects, state, &|key| !known.contains(key))?;
    let mut new = BTreeMap::new();
    for fresh in scan.fresh.iter() {
        let fresh = fresh.map_err(|error| other("reading new items", error))?;
        if !matched.contains_key(&fresh.number) {
            let mut keys = identity_keys(&fresh.parsed.record);
            keys.uid.clone_from(&fresh.parsed.native_id);
            new.insert(fresh.number, keys);
        }
    }
    let count = new.len();
    let found = directory.match_all(&new, &|_, _| Ok(false))?;
    let all = found.len() == count;
    matched.extend(found);
    if !all {
        by_look(work, &state, scan, &directory, &mut matched)?;
    }
    Ok(matched)
}

/// Several items and several records of one name: those that look the same in this format are the same, in order.
///
/// A list that is read again after its previous state was lost would else give every namesake twice.
fn by_look(
    work: &Work<'_>,
    state: &State,
    scan: &Scan,
    directory: &Directory<'_>,
    matched: &mut BTreeMap<u64, (RecordKey, By)>,
) -> SyncResult<()> {
    let mut taken: BTreeSet<RecordKey> = matched.values().map(|(key, _)| key.clone()).collect();
    let mut looks: BTreeMap<RecordKey, crate::model::Hash> = BTreeMap::new();
    for fresh in scan.fresh.iter() {
        let fresh = fresh.map_err(|error| other("reading new items", error))?;
        if fresh.parsed.native_id.is_some() || matched.contains_key(&fresh.number) {
            continue;
        }
        let candidates = directory.candidates(By::Name, &identity_keys(&fresh.parsed.record), &taken)?;
        let Some((_, document)) = scan.open.get(&fresh.file).filter(|_| !candidates.is_empty()) else {
            continue;
        };
        let view = shown_first(&mut fresh.clone());
        let look = shape(&view.view);
        for key in candidates {
            if !looks.contains_key(&key)
                && let Some(record) = work.record(state, &key)?
            {
                let shown = shown_as(work, document.as_ref(), &record)?;
                looks.insert(key.clone(), shape(&shown.view));
            }
            if looks.get(&key) == Some(&look) {
                taken.insert(key.clone());
                matched.insert(fresh.number, (key, By::Content));
                break;
            }
        }
    }
    Ok(())
}

/// A list that another system imported already: its items without identity have the keys of their content.
fn by_content(
    work: &Work<'_>,
    state: &State,
    scan: &Scan,
    mine: &BTreeSet<RecordKey>,
) -> SyncResult<BTreeMap<u64, (RecordKey, By)>> {
    let mut matched = BTreeMap::new();
    let mut ordinals: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    for fresh in scan.fresh.iter() {
        let fresh = fresh.map_err(|error| other("reading new items", error))?;
        if fresh.parsed.native_id.is_some() {
            continue;
        }
        let mut content = Vec::new();
        cbor::encode_map(&shown_first(&mut fresh.clone()).view, &mut content);
        let ordinal = ordinals.entry(content.clone()).or_default();
        let key = canonical(work, state, &KeyMaker::content_key(&content, *ordinal))?;
        if mine.contains(&key) {
            continue;
        }
        let Some(record) = work.record(state, &key)? else {
            continue;
        };
        if By::Content.accepts(&identity_keys(&fresh.parsed.record), &identity_keys(&record)) {
            *ordinal += 1;
            matched.insert(fresh.number, (key, By::Content));
        }
    }
    Ok(matched)
}

/// Returns what a new item shows; its record is taken for that.
pub(super) fn shown_first(fresh: &mut Fresh) -> ItemView {
    let record = std::mem::replace(&mut fresh.parsed.record, Value::Null);
    let (view, bindings) = align_new(record);
    ItemView {
        view,
        bindings,
        ..ItemView::default()
    }
}
