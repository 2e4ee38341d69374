//! After a crash: what of a write-back that had begun is really there. After a restored backup: what the sources
//! show that this store once knew.
//!
//! File by file: as intended, as before, or neither; in the last case item by item. What is as intended is known as
//! if it had been recorded; the rest keeps the state it was last seen in, so that what stands there now is compared
//! with that.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::config::SourceConfig;
use super::intake::{canonical, look, view_of};
use super::work::Work;
use super::{SyncResult, source_error};
use crate::delta::FieldOperation;
use crate::format::Old;
use crate::model::{Domain, Hash, SnapshotId, Value};
use crate::source::{Edited, Index, IndexEdit, ItemEntry, ItemView, Scan, ViewWriter, Writer, view_edits};
use crate::store::Intent;

/// Settles the write-back that a crash cut off in one source; returns whether there was one.
pub(super) fn settle_intent(work: &mut Work<'_>, config: &SourceConfig) -> SyncResult<bool> {
    let mut view = work.source_view(&config.name);
    let Some(intent) = view.intent.take() else {
        return Ok(false);
    };
    let wrap = |error| source_error(config, error);
    let old = Index::load(work.objects, &view.index, &view.files).map_err(wrap)?;
    let new = Index::load(work.objects, &intent.index, &intent.files).map_err(wrap)?;
    let mut settler = Settler {
        work,
        config,
        intent: &intent,
        items: items_by_file(&old, &new),
        old: &old,
        new: &new,
        views: ViewWriter::new(view.views),
        edits: BTreeMap::new(),
    };
    let mut files = old.files.clone();
    let names: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
    for name in names {
        let (before, intended) = (old.files.get(name), new.files.get(name));
        if intended == before {
            continue;
        }
        if settler.file(name, before.map(|file| file.0), intended.map(|file| file.0))? {
            match intended {
                Some(file) => files.insert(name.clone(), file.clone()),
                None => files.remove(name),
            };
        }
    }
    let Settler { edits, mut views, .. } = settler;
    let views = views.flush(work.objects).map_err(wrap)?;
    let (index, views) = Index::store(work.objects, &view.index, &views, &edits, &[]).map_err(wrap)?;
    view.files = Index::store_files(work.objects, &view.files, &files).map_err(wrap)?;
    view.index = index;
    view.views = views;
    view.next_item = view.next_item.max(intent.next_item);
    view.lens = intent.lens.or(view.lens);
    work.set_source_view(&config.name, view);
    Ok(true)
}

/// Lists the items that a file had or was to have.
fn items_by_file<'i>(old: &'i Index, new: &'i Index) -> BTreeMap<&'i str, BTreeSet<u64>> {
    let mut items: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for (number, entry) in old.items.iter().chain(&new.items) {
        items.entry(&entry.file).or_default().insert(*number);
    }
    items
}

struct Settler<'s, 'a> {
    work: &'s Work<'a>,
    config: &'s SourceConfig,
    intent: &'s Intent,
    items: BTreeMap<&'s str, BTreeSet<u64>>,
    old: &'s Index,
    new: &'s Index,
    /// Views of what was adopted.
    views: ViewWriter,
    edits: BTreeMap<u64, IndexEdit>,
}

impl Settler<'_, '_> {
    /// Settles one file and returns whether it is as intended.
    fn file(&mut self, name: &str, before: Option<Hash>, intended: Option<Hash>) -> SyncResult<bool> {
        let place = self.work.place(self.config)?;
        let disk = &self.work.env.disk;
        Writer::new(disk, &place).recover(name, before, intended)?;
        let bytes = match disk.read(&place.file_path(name)) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        let present = bytes.as_deref().map(|bytes| Hash::of(Domain::Item, bytes));
        if present == before {
            return Ok(false);
        }
        let numbers = self.items.get(name).cloned().unwrap_or_default();
        if present == intended {
            for number in numbers {
                self.adopt(number)?;
            }
            return Ok(true);
        }
        let Some(document) = bytes.and_then(|bytes| self.work.format(self.config).ok()?.open(bytes).ok()) else {
            return Ok(false);
        };
        // Somebody went on from what we wrote: items that have the bytes we gave them are those.
        let prints: HashSet<[u8; 16]> = (0..document.item_count())
            .filter_map(|at| {
                Hash::of(Domain::Item, document.item(at).bytes).bytes()[..16]
                    .try_into()
                    .ok()
            })
            .collect();
        for number in numbers {
            let shown = |index: &Index| {
                let entry = index.items.get(&number)?;
                Some(entry.fingerprint.is_some_and(|print| prints.contains(&print)))
            };
            let gone = document.is_complete() && document.broken().is_empty();
            match (shown(self.old), shown(self.new)) {
                (_, Some(true)) => self.adopt(number)?,
                (Some(false), None) if gone => self.adopt(number)?,
                _ => {}
            }
        }
        Ok(false)
    }

    /// Takes as known what was intended for an item.
    fn adopt(&mut self, number: u64) -> SyncResult<()> {
        let Some(entry) = self.new.items.get(&number) else {
            self.edits.insert(number, IndexEdit::Remove);
            return Ok(());
        };
        let base = entry.base.clone().unwrap_or_else(|| self.intent.base.clone());
        let objects = self.work.objects;
        Index::view(objects, &self.intent.views, number)
            .and_then(|view| self.views.put(objects, number, &view))
            .map_err(|error| source_error(self.config, error))?;
        let entry = ItemEntry {
            base: Some(base),
            ..entry.clone()
        };
        self.edits.insert(number, IndexEdit::Put(entry, None));
        Ok(())
    }
}

/// Adopts, in a store that was restored from a backup, what its source shows of the state that it last sent: that was
/// agreed once, so it is no edit against the older state that the backup knows.
pub(super) fn readopt(work: &mut Work<'_>, config: &SourceConfig, allow: super::Overrides) -> SyncResult<()> {
    let sent = work.last_sent.get(&config.collection).cloned().unwrap_or_default();
    if super::table::format_of(config).is_some() || sent.is_empty() || !work.view.sources.contains_key(&config.name) {
        return Ok(());
    }
    let wrap = |error| source_error(config, error);
    let mut view = work.source_view(&config.name);
    let (index, scan) = look(work, config, allow)?;
    let state = work.state_at(&sent)?;
    let mut edits = BTreeMap::new();
    for number in &scan.removed {
        if let Some(entry) = index.items.get(number)
            && work.record(&state, &canonical(work, &state, &entry.key)?)?.is_none()
        {
            edits.insert(*number, IndexEdit::Remove);
        }
    }
    for edited in &scan.edited {
        let key = canonical(work, &state, &edited.entry.key)?;
        if let Some(record) = work.record(&state, &key)?
            && let Some(edit) = readopted(work, &index, &scan, edited, &record, &sent)?
        {
            edits.insert(edited.number, edit);
        }
    }
    let (items, views) = Index::store(work.objects, &view.index, &view.views, &edits, &[]).map_err(wrap)?;
    view.index = items;
    view.views = views;
    work.set_source_view(&config.name, view);
    Ok(())
}

/// Compares an item with what it would show of the record as it was last sent; `None` when they have nothing more in
/// common than the restored store knows.
fn readopted(
    work: &Work<'_>,
    index: &Index,
    scan: &Scan,
    edited: &Edited,
    record: &Value,
    sent: &[SnapshotId],
) -> SyncResult<Option<IndexEdit>> {
    let Some((_, document)) = scan.open.get(&edited.entry.file) else {
        return Ok(None);
    };
    let order = scan.files.get(&edited.entry.file).map(|(_, order)| order);
    let at = order.and_then(|order| order.iter().position(|number| *number == edited.number));
    let Some(at) = at.filter(|at| *at < document.item_count()) else {
        return Ok(None);
    };
    let old = Old {
        bytes: document.item(at).bytes,
        bindings: &edited.after.bindings,
    };
    let mut whole = record.clone();
    crate::port::blob::internalize(work.objects, &mut whole)?;
    let Ok(put) = document.put(&whole, Some(old)) else {
        return Ok(None);
    };
    let shown = view_of(work, document.as_ref(), &put.bytes, put.bindings)?;
    if view_edits(&shown.view, &edited.after.view).is_empty() {
        let entry = ItemEntry {
            base: Some(sent.to_vec()),
            ..edited.entry.clone()
        };
        return Ok(Some(IndexEdit::Put(entry, Some(Box::new(edited.after.clone())))));
    }
    // Where only some fields are as they were sent, those are no edits; the others are, against what the backup knows.
    let mut known = Value::Map(edited.before.view.clone());
    let sent = Value::Map(shown.view);
    for edit in &edited.edits {
        match edit {
            FieldOperation::Set(path, value) if sent.at(path) == Some(value) => known.set_at(path, value.clone()),
            _ => {}
        }
    }
    let (Some(entry), Value::Map(view)) = (index.items.get(&edited.number), known) else {
        return Ok(None);
    };
    Ok((view != edited.before.view).then(|| {
        IndexEdit::Put(
            entry.clone(),
            Some(Box::new(ItemView {
                view,
                ..edited.before.clone()
            })),
        )
    }))
}
