//! Taking in: the edits of a source become snapshots.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Direction, SourceConfig};
use super::donor::ReadItems;
use super::first::{FirstImport, Imported};
use super::gathered::{Gathered, with_additions};
use super::guard::safeguard;
use super::identity::{By, KeyMaker};
use super::kept::awaited;
use super::recognise::{recognise, shown_first};
use super::report::{SetAside, SourceReport, Union};
use super::work::Work;
use super::{Overrides, SyncResult, other, prefer, selection};
use crate::delta::{FieldOperation, Operation, State, apply};
use crate::format::Document;
use crate::merge;
use crate::model::contact::{align, has_elements, identity_keys, title};
use crate::model::{FieldPath, Hash, Map, RecordKey, SnapshotId, Text, Value, cbor};
use crate::port::blob;
use crate::source::{
    Edited, FirstItems, Fresh, Index, IndexEdit, ItemEntry, ItemView, Scan, ScanInput, StatCache, ViewWriter, decorate,
    first_sight_edits, scan,
};
use crate::spool::SortedRuns;
use crate::store::SourceView;

/// What taking in one source gave.
pub(super) struct Taken {
    pub(super) report: SourceReport,
    pub(super) unions: Vec<Union>,
    pub(super) items: ReadItems,
}

/// Up to how many bytes of a first import are kept for other sources to copy items from (chosen: 30,000 small cards).
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// Edits of records by the heads they are made on.
type Groups = BTreeMap<Vec<SnapshotId>, Gathered>;

/// Records that new items bring, by the heads they are made on; nothing else concerns their keys.
type Additions = BTreeMap<Vec<SnapshotId>, SortedRuns>;

/// Reads a source without recording anything.
pub(super) fn look(work: &Work<'_>, config: &SourceConfig, allow: Overrides) -> SyncResult<(Index, Scan)> {
    let index = load(work, config)?;
    let mut cache = load_cache(work, config);
    let scan = read(work, config, &index, &mut cache, allow, None)?;
    save_cache(work, config, &cache);
    Ok((index, scan))
}

fn load_cache(work: &Work<'_>, config: &SourceConfig) -> StatCache {
    StatCache::load(&work.env.disk, &work.cache_path(&config.name))
}

fn save_cache(work: &Work<'_>, config: &SourceConfig, cache: &StatCache) {
    // A cache that cannot be written costs time, nothing else.
    let _lost = cache.save(&work.env.disk, &work.cache_path(&config.name));
}

fn load(work: &Work<'_>, config: &SourceConfig) -> SyncResult<Index> {
    let view = work.source_view(&config.name);
    Index::load(work.objects, &view.index, &view.files).map_err(|error| super::source_error(config, error))
}

fn read<'f>(
    work: &Work<'_>,
    config: &SourceConfig,
    index: &Index,
    cache: &mut StatCache,
    allow: Overrides,
    first: Option<&'f mut (dyn FirstItems + 'f)>,
) -> SyncResult<Scan> {
    let view = work.source_view(&config.name);
    let format = work.format(config)?;
    let place = work.place(config)?;
    let input = ScanInput {
        disk: &work.env.disk,
        objects: work.objects,
        place: &place,
        format: format.as_ref(),
        index,
        views: &view.views,
        lens: view.lens,
        reread: selection::Change::of(work, config)? != selection::Change::None,
        next_item: view.next_item.max(1),
        now: work.env.clock.now(),
        missing_is_empty: allow.empty,
    };
    let scan = scan(&input, cache, first).map_err(|error| super::source_error(config, error))?;
    let agrees = scan.files == index.files
        && scan.files.values().all(|(_, order)| !order.contains(&0))
        && index.items.values().all(|entry| entry.base.is_none());
    cache.set_agreed(agrees.then_some((view.files, view.index)));
    Ok(scan)
}

/// Returns whether a source is as it was when it was last in step, by what the file system says: then nothing of it
/// has to be read.
pub(super) fn is_untouched(work: &Work<'_>, config: &SourceConfig) -> SyncResult<bool> {
    let Some(view) = work.view.sources.get(&config.name) else {
        return Ok(false);
    };
    if selection::Change::of(work, config)? != selection::Change::None || selection::is_choice_new(work, config) {
        return Ok(false);
    }
    let place = work.place(config)?;
    let cache = load_cache(work, config);
    // Where the place cannot be read, the scan says so.
    let agrees = cache.still_agrees(&work.env.disk, &place, &view.files, &view.index);
    Ok(agrees.unwrap_or(false))
}

/// Notes for the next run that a source is in step with what is about to be committed, if it is.
fn note_agreement(work: &Work<'_>, config: &SourceConfig, index: &Index, cache: &mut StatCache) {
    let view = work.source_view(&config.name);
    let agrees = index.files.values().all(|(_, order)| !order.contains(&0))
        && index.items.values().all(|entry| entry.base.is_none());
    cache.set_agreed(agrees.then_some((view.files, view.index)));
    save_cache(work, config, cache);
}

/// Takes in the edits of one source: scan, safeguards, snapshots, new index.
pub(super) fn take_in(
    work: &mut Work<'_>,
    config: &SourceConfig,
    allow: Overrides,
    message: Option<&str>,
) -> SyncResult<Taken> {
    let mut index = load(work, config)?;
    let base = work.source_view(&config.name).base;
    let heads = work.heads(&config.collection);
    let inwards = config.direction != Direction::Out;
    let is_all = index.items.is_empty() && base.is_empty() && heads.is_empty();
    // What a filter does not show is told item by item.
    let mut first = (is_all && inwards && config.filter.is_none()).then(|| FirstImport::new(work, config));
    let mut cache = load_cache(work, config);
    let scan = read(
        work,
        config,
        &index,
        &mut cache,
        allow,
        first.as_mut().map(|first| first as &mut dyn FirstItems),
    );
    let imported = first.map(FirstImport::finish).transpose()?;
    let mut scan = scan?;
    safeguard(work, config, &index, &scan, allow)?;
    let mut taker = Taker {
        config,
        first_import: index.items.is_empty(),
        is_all,
        lens: scan.open.values().next().map(|(_, document)| document.lens()),
        base,
        groups: Groups::new(),
        additions: Additions::new(),
        views: ViewWriter::new(work.source_view(&config.name).views),
        edits: BTreeMap::new(),
        origin: BTreeMap::new(),
        stale: BTreeSet::new(),
        change: selection::Change::of(work, config)?,
        sieve: selection::Sieve::new(config.filter.as_deref())?,
        strangers: 0,
        report: SourceReport {
            name: config.name.clone(),
            ..SourceReport::default()
        },
        unions: Vec::new(),
    };
    for (item, reason) in &scan.set_aside {
        taker.report.set_aside.push(SetAside {
            item: item.clone(),
            reason: reason.clone(),
        });
    }
    taker.report.notes.extend(scan.warnings.iter().cloned());
    for found in &scan.found {
        taker.edits.insert(
            found.number,
            IndexEdit::Put(found.entry.clone(), found.view.clone().map(Box::new)),
        );
    }
    if inwards {
        for edited in &scan.edited {
            taker.edited(work, &scan, edited)?;
        }
        taker.removed(work, &index, &scan.removed)?;
    }
    if taker.is_all && scan.open_bytes > KEPT_BYTES {
        // Nothing can be recognised; only another source could use the bytes, as it can do without.
        scan.open.clear();
    }
    let is_new = imported.is_some();
    if let Some(imported) = imported {
        taker.imported(imported, &scan);
    } else if !scan.fresh.is_empty() {
        taker.new_items(work, &index, &mut scan, inwards)?;
    }
    taker.report.notes.extend(selection::strangers(taker.strangers));
    taker.finish(work, &mut index, &scan, message)?;
    note_agreement(work, config, &index, &mut cache);
    Ok(Taken {
        report: taker.report,
        unions: taker.unions,
        items: ReadItems {
            index,
            open: scan.open,
            is_new,
        },
    })
}

struct Taker<'c> {
    config: &'c SourceConfig,
    base: Vec<SnapshotId>,
    first_import: bool,
    /// Whether the collection will hold what this source shows and nothing else: then the source agrees with it.
    is_all: bool,
    /// The lens of what was read now.
    lens: Option<Hash>,
    groups: Groups,
    additions: Additions,
    /// Views of new items.
    views: ViewWriter,
    edits: BTreeMap<u64, IndexEdit>,
    /// Items that were changed by the group with these parents: its snapshot becomes their base.
    origin: BTreeMap<u64, Vec<SnapshotId>>,
    /// Items that show a derived value of before their edits: they are looked at again when sources are written.
    stale: BTreeSet<u64>,
    /// How the choice of what is shown changed.
    change: selection::Change,
    /// Which contacts the source is to show, and how many new ones it is not.
    sieve: selection::Sieve,
    strangers: u64,
    report: SourceReport,
    unions: Vec<Union>,
}

impl Taker<'_> {
    fn change(
        &mut self,
        parents: Vec<SnapshotId>,
        existing: Option<&Value>,
        key: &RecordKey,
        operations: Vec<FieldOperation>,
    ) -> SyncResult<()> {
        if operations.is_empty() {
            return Ok(());
        }
        let group = self.groups.entry(parents).or_default();
        group.change(key.clone(), existing.is_some(), operations)
    }

    fn edited(&mut self, work: &Work<'_>, scan: &Scan, edited: &Edited) -> SyncResult<()> {
        let base = edited.entry.base.clone().unwrap_or_else(|| self.base.clone());
        let state = work.state_at(&base)?;
        let key = edited.entry.key.clone();
        let record = work.record(&state, &key)?;
        let shown = record.map(|record| prefer::shown(work, self.config, &state, &key, record));
        let record = shown.transpose()?;
        let (certain, doubtful) = undegrade(work, &edited.before, record.as_ref(), &edited.edits)?;
        let certain = place_new_elements(record.as_ref(), certain, &edited.after);
        self.report.read.changed += 1;
        let (mut sights, mut after) = (edited.newly_visible.clone(), edited.after.clone());
        let document = scan.open.get(&edited.entry.file);
        if let (Some(record), Some((_, document)), false) = (&record, document, sights.is_empty()) {
            (sights, after) = selection::first_seen(work, document.as_ref(), record, edited)?;
        }
        sights.extend(doubtful);
        if let Some(Value::Map(shown)) = &record {
            let news: Vec<_> = sights
                .into_iter()
                .filter(|edit| match edit {
                    FieldOperation::Set(path, value) => Value::Map(shown.clone()).at(path) != Some(value),
                    FieldOperation::Clear(_) => false,
                })
                .collect();
            self.change(Vec::new(), None, &key, news)?;
        }
        if edited.stale {
            self.stale.insert(edited.number);
        }
        if !certain.is_empty() {
            self.origin.insert(edited.number, base.clone());
        }
        if let Some(was) = record.as_ref().filter(|_| self.config.filter.is_some())
            && let Ok(Some(now)) = apply(Some(was), &Operation::Change(certain.clone()))
            && self.sieve.shows(work.objects, was)?
            && !self.sieve.shows(work.objects, &now)?
        {
            self.strangers += 1;
        }
        self.change(base, record.as_ref(), &key, certain)?;
        self.edits.insert(
            edited.number,
            IndexEdit::Put(edited.entry.clone(), Some(Box::new(after))),
        );
        Ok(())
    }

    fn removed(&mut self, work: &Work<'_>, index: &Index, removed: &[u64]) -> SyncResult<()> {
        let gone: BTreeSet<u64> = removed.iter().copied().collect();
        let mut left: BTreeMap<&RecordKey, usize> = BTreeMap::new();
        if !gone.is_empty() {
            for (_, entry) in index.items.iter().filter(|(number, _)| !gone.contains(number)) {
                *left.entry(&entry.key).or_default() += 1;
            }
        }
        for number in removed {
            let Some(entry) = index.items.get(number) else { continue };
            self.edits.insert(*number, IndexEdit::Remove);
            self.report.read.removed += 1;
            if left.contains_key(&entry.key) {
                continue;
            }
            if entry.base.is_some() && self.config.direction != Direction::In {
                self.edits.insert(*number, awaited(entry));
            }
            let base = entry.base.clone().unwrap_or_else(|| self.base.clone());
            if work.record(&work.state_at(&base)?, &entry.key)?.is_some() {
                self.groups.entry(base).or_default().remove(entry.key.clone())?;
            }
        }
        Ok(())
    }

    /// Takes in new items. Where all are new, the bytes of large files go first: what was read is kept by the scan, and
    /// files that have to change are read again.
    fn new_items(&mut self, work: &Work<'_>, index: &Index, scan: &mut Scan, inwards: bool) -> SyncResult<()> {
        let releases = self.first_import && scan.open_bytes > KEPT_BYTES;
        if releases {
            scan.open.values_mut().for_each(|(_, document)| document.release());
        }
        self.fresh(work, index, scan, inwards)?;
        if releases {
            scan.open.clear();
        }
        Ok(())
    }

    /// New items: united with records by identity, or new records.
    fn fresh(&mut self, work: &Work<'_>, index: &Index, scan: &mut Scan, inwards: bool) -> SyncResult<()> {
        let heads = work.heads(&self.config.collection);
        let state = work.state_at(&heads)?;
        let gone: BTreeSet<u64> = scan.removed.iter().copied().collect();
        let mut mine: BTreeSet<RecordKey> = index
            .items
            .iter()
            .filter(|(number, _)| !gone.contains(number))
            .map(|(_, entry)| entry.key.clone())
            .collect();
        let recognised = recognise(work, state, scan, &mine, self.first_import)?;
        let parents = if self.base.is_empty() {
            heads.clone()
        } else {
            self.base.clone()
        };
        let gone = gone_keys(work, &work.state_at(&parents)?, &state)?;
        let used = |key: &RecordKey| recognised.has(key) || gone.contains(key);
        let maker = KeyMaker {
            used: &used,
            first_import: self.first_import,
            random: work.env.random,
        };
        let mut records = recognised.records(work, &state)?;
        self.unions.reserve_exact(recognised.len());
        for fresh in scan.fresh.drain() {
            let mut fresh = fresh.map_err(|error| super::source_error(self.config, error))?;
            if let Some((key, by, record)) = records.take(fresh.number)? {
                let known = Known {
                    key: &key,
                    record: &record,
                    by,
                    heads: &heads,
                };
                if self.unite(work, scan, &fresh, &known)? {
                    mine.insert(key);
                    continue;
                }
            }
            if !inwards {
                continue;
            }
            let view = shown_first(&mut fresh);
            let key = maker.make(fresh.parsed.native_id.as_deref(), &view.view, &mut mine)?;
            let mut record = view.view.clone();
            decorate(&mut record, None, &view.bindings);
            if let Some(uid) = &fresh.parsed.native_id {
                record.insert("uid", uid.as_str().into());
                self.report.notes.extend(note_shared_uid(uid, &key, &record));
            }
            self.report.read.added += 1;
            let record = Value::Map(record);
            self.strangers += u64::from(!self.sieve.shows(work.objects, &record)?);
            self.origin.insert(fresh.number, parents.clone());
            self.show(work, fresh.number, new_entry(&fresh, key.clone()), &view)?;
            let additions = self.additions.entry(parents.clone()).or_default();
            additions.push(key, cbor::encode(&record))?;
        }
        Ok(())
    }

    /// Takes over what a first import has put together.
    fn imported(&mut self, imported: Imported, scan: &Scan) {
        self.report.read.added = scan.fresh.len() as u64;
        self.report.notes.extend(imported.notes);
        self.edits.extend(imported.edits);
        self.views = imported.views;
        if !scan.fresh.is_empty() {
            self.additions.insert(Vec::new(), imported.records);
        }
    }

    /// Notes what a new item shows.
    fn show(&mut self, work: &Work<'_>, number: u64, entry: ItemEntry, view: &ItemView) -> SyncResult<()> {
        self.edits.insert(number, IndexEdit::Put(entry, None));
        self.views
            .put(work.objects, number, view)
            .map_err(|error| super::source_error(self.config, error))
    }

    /// An item is a record that exists: it writes, concurrently, only what it says differently.
    ///
    /// Returns whether it is: what was found by hashes is compared.
    fn unite(&mut self, work: &Work<'_>, scan: &Scan, fresh: &Fresh, known: &Known<'_>) -> SyncResult<bool> {
        let Known { key, record, by, .. } = *known;
        let hidden = |collection: &str, id: &str| record.at(&FieldPath::new([collection, id])).is_some();
        let seen_against = |reference: &Value| {
            let bindings = align(&fresh.parsed.record, Some(reference), &BTreeMap::new(), &hidden);
            ItemView {
                view: rename(fresh.parsed.record.clone(), &bindings),
                bindings,
                ..ItemView::default()
            }
        };
        let mut entry = new_entry(fresh, key.clone());
        let view = seen_against(record);
        if shows_all(&view.view, record) {
            // It agrees with the present state, as it is.
            entry.base = Some(known.heads.to_vec());
            self.show(work, fresh.number, entry, &view)?;
            self.recognised(fresh, record, by);
            return Ok(true);
        }
        let mut keys = identity_keys(&fresh.parsed.record);
        keys.uid.clone_from(&fresh.parsed.native_id);
        if !by.confirms(&keys, &identity_keys(record)) {
            return Ok(false);
        }
        let document = scan.open.get(&fresh.file).map(|(_, document)| document.as_ref());
        let shown = match document {
            Some(document) => shown_as(work, document, record)?,
            None => ItemView::default(),
        };
        let shown = Value::Map(shown.view);
        let view = seen_against(&shown);
        let edits = first_sight_edits(shown.as_map().unwrap_or(&Map::new()), &view.view);
        let edits = place_new_elements(Some(record), edits, &view);
        self.report.read.changed += u64::from(!edits.is_empty());
        // Nothing was agreed on yet: the item is written if it does not show what the record says.
        entry.base = Some(Vec::new());
        if !edits.is_empty() && self.config.direction != Direction::Out {
            self.origin.insert(fresh.number, Vec::new());
            self.change(Vec::new(), None, key, edits)?;
        }
        self.show(work, fresh.number, entry, &view)?;
        self.recognised(fresh, record, by);
        Ok(true)
    }

    fn recognised(&mut self, fresh: &Fresh, record: &Value, by: By) {
        self.unions.push(Union {
            collection: self.config.collection.as_str().into(),
            title: title(record).into(),
            source: format!("{} line {}", self.config.name, fresh.line).into(),
            by: by.word().into(),
        });
    }

    /// Records one snapshot per base and puts the new index together.
    fn finish(&mut self, work: &mut Work<'_>, index: &mut Index, scan: &Scan, message: Option<&str>) -> SyncResult<()> {
        let mut made: BTreeMap<Vec<SnapshotId>, SnapshotId> = BTreeMap::new();
        let mut groups = std::mem::take(&mut self.groups);
        let mut additions = std::mem::take(&mut self.additions);
        for parents in additions.keys() {
            groups.entry(parents.clone()).or_default();
        }
        for (parents, edits) in groups {
            let added = additions.remove(&parents).unwrap_or_default();
            let id = if self.is_all && edits.is_empty() {
                work.author_first(&self.config.collection, added, message)?
            } else {
                let list = with_additions(edits.in_order()?, added)?;
                work.author_from(&self.config.collection, &parents, list, message)?
            };
            made.insert(parents, id);
        }
        for (number, parents) in &self.origin {
            if let (Some(IndexEdit::Put(entry, _)), Some(id)) = (self.edits.get_mut(number), made.get(parents)) {
                let shared =
                    *parents == self.base && (self.is_all || !self.base.is_empty()) && !self.stale.contains(number);
                entry.base = if shared { None } else { Some(vec![*id]) };
            }
        }
        if self.change == selection::Change::Wider && self.config.direction != Direction::In {
            selection::loosen(&mut self.edits, index);
        }
        let mut view = work.source_view(&self.config.name);
        selection::note_fields(&mut view, self.config)?;
        if let Some(id) = made.get(&self.base).filter(|_| self.is_all || !self.base.is_empty()) {
            view.base = vec![*id];
        }
        self.store(work, &mut view, index, scan)?;
        work.set_source_view(&self.config.name, view);
        Ok(())
    }

    fn store(&mut self, work: &Work<'_>, view: &mut SourceView, index: &mut Index, scan: &Scan) -> SyncResult<()> {
        let wrap = |error| super::source_error(self.config, error);
        let (items, views) = self
            .views
            .flush(work.objects)
            .and_then(|views| Index::store(work.objects, &view.index, &views, &self.edits, &[]))
            .map_err(wrap)?;
        view.index = items;
        view.views = views;
        view.files = Index::store_files(work.objects, &view.files, &scan.files).map_err(wrap)?;
        view.next_item = scan.next_item;
        if !scan.fresh.is_empty() {
            view.extra
                .insert(super::rewind::READ_UNTIL.to_owned(), scan.next_item.to_string());
        }
        view.lens = self.lens.or(view.lens);
        let edits = std::mem::take(&mut self.edits).into_iter();
        if index.items.is_empty() {
            // Built at once, a map of many is half as large as one that grew.
            let items = edits.filter_map(|(number, edit)| match edit {
                IndexEdit::Put(entry, _) => Some((number, entry)),
                IndexEdit::Remove => None,
            });
            index.items = items.collect();
        } else {
            for (number, edit) in edits {
                match edit {
                    IndexEdit::Put(entry, _) => index.items.insert(number, entry),
                    IndexEdit::Remove => index.items.remove(&number),
                };
            }
        }
        index.files.clone_from(&scan.files);
        Ok(())
    }
}

/// A record that an item was found to be.
struct Known<'k> {
    key: &'k RecordKey,
    record: &'k Value,
    by: By,
    /// The heads at which it is that.
    heads: &'k [SnapshotId],
}

/// Returns whether a view shows all of a record, but for what belongs to its source and the places of elements.
fn shows_all(view: &Map, record: &Value) -> bool {
    let Some(record) = record.as_map() else {
        return false;
    };
    let shown = record.iter().filter(|(field, _)| *field != "uid");
    let same_element = |(id, element): (&Text, &Value), (other, seen): (&Text, &Value)| {
        let (Some(element), Some(seen)) = (element.as_map(), seen.as_map()) else {
            return id == other && element == seen;
        };
        id == other && element.iter().filter(|(field, _)| *field != "order").eq(seen.iter())
    };
    let same_field = |(field, value): (&Text, &Value), (other, seen): (&Text, &Value)| {
        field == other
            && match (value, seen) {
                (Value::Map(elements), Value::Map(seen)) if has_elements(field) => {
                    elements.len() == seen.len() && elements.iter().zip(seen).all(|(one, two)| same_element(one, two))
                }
                _ => value == seen,
            }
    };
    let count = record.len() - usize::from(record.contains_key("uid"));
    count == view.len() && shown.zip(view).all(|(one, two)| same_field(one, two))
}

/// Lists the keys that one state has and a later one has not.
fn gone_keys(work: &Work<'_>, before: &State, now: &State) -> SyncResult<BTreeSet<RecordKey>> {
    let mut gone = BTreeSet::new();
    for change in crate::tree::diff(work.objects, &before.content, &now.content) {
        let change = change.map_err(|error| other("comparing states", error))?;
        if change.new.is_none() {
            gone.extend(RecordKey::new(change.key));
        }
    }
    Ok(gone)
}

/// Tells of an item whose UID another one has already.
pub(super) fn note_shared_uid(uid: &str, key: &RecordKey, record: &Map) -> Option<String> {
    (*key != RecordKey::from_identity(uid)).then(|| {
        let title = title(&Value::Map(record.clone()));
        format!("UID `{uid}` is used by more than one contact; `{title}` is kept apart")
    })
}

pub(super) fn new_entry(fresh: &Fresh, key: RecordKey) -> ItemEntry {
    ItemEntry {
        file: fresh.file.clone(),
        fingerprint: Some(fresh.fingerprint),
        native_id: fresh.parsed.native_id.clone(),
        key,
        base: None,
    }
}

pub(super) fn rename(record: Value, bindings: &BTreeMap<String, String>) -> Map {
    match crate::model::contact::rename_elements(record, bindings) {
        Value::Map(map) => map,
        _ => Map::new(),
    }
}

/// Returns what a document would show of a record.
pub(super) fn shown_as(work: &Work<'_>, document: &dyn Document, record: &Value) -> SyncResult<ItemView> {
    let mut whole = record.clone();
    blob::internalize(work.objects, &mut whole)?;
    let Ok(put) = document.put(&whole, None) else {
        return Ok(ItemView::default());
    };
    view_of(work, document, &put.bytes, put.bindings)
}

/// Reads what bytes show, with the given element ids.
pub(super) fn view_of(
    work: &Work<'_>,
    document: &dyn Document,
    bytes: &[u8],
    bindings: BTreeMap<String, String>,
) -> SyncResult<ItemView> {
    reading_of(work, document, bytes, bindings).map(|(_, view)| view)
}

/// Reads the identity that bytes have and what they show, with the given element ids.
pub(super) fn reading_of(
    work: &Work<'_>,
    document: &dyn Document,
    bytes: &[u8],
    bindings: BTreeMap<String, String>,
) -> SyncResult<(Option<String>, ItemView)> {
    let Ok(mut parsed) = document.parse(bytes) else {
        let view = ItemView {
            bindings,
            ..ItemView::default()
        };
        return Ok((None, view));
    };
    blob::externalize(work.objects, &mut parsed.record)?;
    parsed.record.prune();
    let mut view = rename(parsed.record, &bindings);
    view.remove("uid");
    let view = ItemView {
        view,
        bindings,
        ..ItemView::default()
    };
    Ok((parsed.native_id, view))
}

/// Gives the elements that edits add to a record their place in the order.
pub(super) fn place_new_elements(
    record: Option<&Value>,
    edits: Vec<FieldOperation>,
    after: &ItemView,
) -> Vec<FieldOperation> {
    let mut added = Map::new();
    for edit in &edits {
        if let FieldOperation::Set(path, Value::Map(element)) = edit
            && let [collection, id] = path.parts()
        {
            let elements = added.get_or_insert_with(collection, || Value::Map(Map::new()));
            if let Value::Map(elements) = elements {
                elements.insert(id.clone(), Value::Map(element.clone()));
            }
        }
    }
    if added.is_empty() {
        return edits;
    }
    decorate(&mut added, record.and_then(Value::as_map), &after.bindings);
    let added = Value::Map(added);
    edits
        .into_iter()
        .map(|edit| match edit {
            FieldOperation::Set(path, value) => {
                let placed = added.at(&path).filter(|_| path.parts().len() == 2).cloned();
                FieldOperation::Set(path, placed.unwrap_or(value))
            }
            clear @ FieldOperation::Clear(_) => clear,
        })
        .collect()
}

/// Translates edits of shortened or flattened texts into edits of the whole text.
///
/// Returns the edits to record, and those that would overwrite what the format did not show and so only stand beside it.
fn undegrade(
    work: &Work<'_>,
    before: &ItemView,
    record: Option<&Value>,
    edits: &[FieldOperation],
) -> SyncResult<(Vec<FieldOperation>, Vec<FieldOperation>)> {
    let (mut certain, mut doubtful) = (Vec::new(), Vec::new());
    let shown = Value::Map(before.view.clone());
    for edit in edits {
        let FieldOperation::Set(path, new) = edit else {
            certain.push(edit.clone());
            continue;
        };
        let (old, base) = (shown.at(path), record.and_then(|record| record.at(path)));
        let (Some(old), Some(base)) = (old, base) else {
            certain.push(edit.clone());
            continue;
        };
        if old == base || old.is_map() || base.is_map() {
            certain.push(edit.clone());
            continue;
        }
        let texts = (work.text(old)?, work.text(base)?, work.text(new)?);
        let (Some(old), Some(base), Some(new)) = texts else {
            certain.push(edit.clone());
            continue;
        };
        // Only a form that leaves something out is degraded; another spelling of the same is simply replaced.
        if !base.starts_with(old.trim_end_matches(['…', '.', ' '])) || old.is_empty() {
            certain.push(edit.clone());
        } else if let Some(rest) = base.strip_prefix(&old) {
            let mut value = Value::Text(format!("{new}{rest}").into());
            blob::externalize(work.objects, &mut value)?;
            certain.push(FieldOperation::Set(path.clone(), value));
        } else {
            doubtful.push(edit.clone());
        }
    }
    Ok((certain, doubtful))
}

/// Resolves an item's record key over aliases at a state.
pub(super) fn canonical(work: &Work<'_>, state: &State, key: &RecordKey) -> SyncResult<RecordKey> {
    merge::resolve_alias(work.objects, state, key).map_err(|error| other("following an alias", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(leaves: &[(&str, Value)]) -> Value {
        let mut record = Value::Map(Map::new());
        for (pointer, value) in leaves {
            record.set_at(&FieldPath::parse(pointer).unwrap(), value.clone());
        }
        record
    }

    #[test]
    fn places_and_identity_are_no_part_of_what_is_shown() {
        let shown = [("/name/full", "Ann".into()), ("/phones/a/number", "1".into())];
        let view = record(&shown).as_map().unwrap().clone();
        assert!(shows_all(&view, &record(&shown)));
        let with = |pointer, value| {
            let mut record = record(&shown);
            record.set_at(&FieldPath::parse(pointer).unwrap(), value);
            record
        };
        assert!(shows_all(&view, &with("/uid", "x".into())));
        assert!(shows_all(&view, &with("/phones/a/order", Value::Integer(4))));
        // Anything else that the record has is not shown.
        assert!(!shows_all(&view, &with("/name/order", Value::Integer(4))));
        assert!(!shows_all(&view, &with("/phones/a/pref", Value::Integer(1))));
        assert!(!shows_all(&view, &with("/phones/b/number", "2".into())));
        assert!(!shows_all(&view, &with("/phones/a/number", "2".into())));
        assert!(!shows_all(&view, &with("/distinct/00", true.into())));
        assert!(!shows_all(&view, &record(&shown[..1])));
        assert!(!shows_all(&Map::new(), &record(&shown)));
    }
}
