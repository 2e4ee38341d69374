//! Going back to earlier heads: what no other store can have leaves the history as if it had never been.

use std::collections::{BTreeMap, BTreeSet};

use super::config::Direction;
use super::exchange::missing;
use super::work::Work;
use super::{SyncResult, other, source_error};
use crate::delta::State;
use crate::model::{Kind, RecordKey, SnapshotId};
use crate::source::{Index, IndexEdit, ItemEntry};
use crate::store::SourceView;
use crate::tree;

/// Returns the snapshots that go when the heads `later` become `earlier` again; `None` when another store may have one
/// of them, or when something was recorded since.
pub(super) fn droppable(
    work: &Work<'_>,
    collection: &str,
    earlier: &[SnapshotId],
    later: &[SnapshotId],
) -> SyncResult<Option<BTreeSet<SnapshotId>>> {
    if work.heads(collection) != later {
        return Ok(None);
    }
    let view = work.view.collections.get(collection);
    if !earlier.is_empty() && view.is_some_and(|view| view.kind == Kind::Row) {
        // What a table shows is known by its base alone, so that stays in the history.
        return Ok(None);
    }
    let shared = view.map(|view| view.shared.clone());
    let gone = missing(work, earlier, later)?;
    let mut kept = earlier.to_vec();
    kept.extend(shared.unwrap_or_default());
    let private = missing(work, &kept, later)?;
    Ok((private.len() == gone.len()).then(|| gone.into_iter().collect()))
}

/// Makes `earlier` the heads of a collection. Sources that agreed with what goes agree with `earlier` afterwards, but for
/// the items that show something else: those agree with nothing, so that the next write-back brings them back.
pub(super) fn drop_back(
    work: &mut Work<'_>,
    collection: &str,
    earlier: &[SnapshotId],
    gone: &BTreeSet<SnapshotId>,
) -> SyncResult<()> {
    let Some(kind) = work.view.collections.get(collection).map(|view| view.kind) else {
        return Ok(());
    };
    let sources: Vec<(String, SourceView)> = work
        .view
        .sources
        .iter()
        .filter(|(_, source)| source.collection == collection)
        .map(|(name, source)| (name.clone(), source.clone()))
        .collect();
    for (name, view) in sources {
        let view = rebase(work, &name, view, earlier, gone)?;
        work.set_source_view(&name, view);
    }
    work.set_heads(collection, kind, earlier.to_vec());
    Ok(())
}

/// Puts a source on the heads `earlier` where it stood on something that goes.
fn rebase(
    work: &Work<'_>,
    name: &str,
    mut view: SourceView,
    earlier: &[SnapshotId],
    gone: &BTreeSet<SnapshotId>,
) -> SyncResult<SourceView> {
    let Ok(config) = work.config.source(name) else {
        return Ok(view);
    };
    let wrap = |error| source_error(config, error);
    let index = Index::load(work.objects, &view.index, &view.files).map_err(wrap)?;
    let goes = |base: &[SnapshotId]| base.iter().any(|id| gone.contains(id));
    let target = work.state_at(earlier)?;
    // Which records differ between what was agreed on and the target, by what was agreed on.
    let mut differing: BTreeMap<Vec<SnapshotId>, BTreeSet<RecordKey>> = BTreeMap::new();
    let mut edits = BTreeMap::new();
    for (number, entry) in &index.items {
        let base = entry.base.as_ref().unwrap_or(&view.base);
        if !goes(base) {
            continue;
        }
        if !differing.contains_key(base) {
            let keys = changed_keys(work, &work.state_at(base)?, &target)?;
            differing.insert(base.clone(), keys);
        }
        let differs = differing.get(base).is_some_and(|keys| keys.contains(&entry.key));
        let entry = ItemEntry {
            base: differs.then(Vec::new),
            ..entry.clone()
        };
        if index.items.get(number) != Some(&entry) {
            edits.insert(*number, entry);
        }
    }
    if goes(&view.base) {
        if config.direction != Direction::In {
            append_missing(work, &index, &mut view, &target, &mut edits)?;
        }
        view.base = earlier.to_vec();
    }
    let edits = edits
        .into_iter()
        .map(|(number, entry)| (number, IndexEdit::Put(entry, None)))
        .collect();
    let (items, views) = Index::store(work.objects, &view.index, &view.views, &edits, &[]).map_err(wrap)?;
    view.index = items;
    view.views = views;
    Ok(view)
}

/// Notes the records of the target that the source lost with what goes: they are to be written there again.
fn append_missing(
    work: &Work<'_>,
    index: &Index,
    view: &mut SourceView,
    target: &State,
    edits: &mut BTreeMap<u64, ItemEntry>,
) -> SyncResult<()> {
    let shown: BTreeSet<&RecordKey> = index.items.values().map(|entry| &entry.key).collect();
    let changed = changed_keys(work, &work.state_at(&view.base)?, target)?;
    for key in changed.iter().filter(|key| !shown.contains(key)) {
        if work.record(target, key)?.is_none() {
            continue;
        }
        let entry = ItemEntry {
            file: String::new(),
            fingerprint: None,
            native_id: None,
            key: key.clone(),
            base: Some(Vec::new()),
        };
        edits.insert(view.next_item, entry);
        view.next_item += 1;
    }
    Ok(())
}

fn changed_keys(work: &Work<'_>, from: &State, to: &State) -> SyncResult<BTreeSet<RecordKey>> {
    let mut keys = BTreeSet::new();
    for change in tree::diff(work.objects, &from.content, &to.content) {
        let change = change.map_err(|error| other("comparing states", error))?;
        keys.extend(RecordKey::new(change.key));
    }
    Ok(keys)
}
