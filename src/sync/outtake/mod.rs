//! Writing out: the merged state becomes bytes of sources.
//!
//! Planned whole (what each file is to be, and what will then be known of its items), recorded as intent,
//! executed file by file, and read back.

mod files;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::config::{Direction, SourceConfig};
use super::donor::{CopiedView, Copies, Donor};
use super::intake::{reading_of, view_of};
use super::kept::{majority_style, uid_of};
use super::lookup::{Answers, Found, decode_record};
use super::report::{SetAside, SourceReport};
use super::shown::{Shown, Since, is_stale};
use super::work::Work;
use super::{SyncResult, other, prefer, selection, source_error};
use crate::delta::State;
use crate::format::{Document, Format, Old};
use crate::model::{Domain, Hash, RecordKey, SnapshotId, Value};
use crate::port::blob;
use crate::source::{
    FileEdits, FileWrites, Index, IndexEdit, ItemEntry, ItemView, OpenFiles, Place, ViewReader, ViewWriter,
    leave_put_back, note_written,
};
use crate::store::SourceView;
use crate::tree;

/// What a source is to become.
pub(super) struct OutPlan {
    pub(super) report: SourceReport,
    pub(super) files: FileEdits,
    pub(super) edits: BTreeMap<u64, IndexEdit>,
    /// Items that are as they were and agree with the heads, in order.
    pub(super) agreed: Vec<u64>,
    /// The tree of views with those of the items that are new there, whose numbers begin at `first_new`, and of those
    /// that are rewritten.
    pub(super) views: Hash,
    pub(super) first_new: u64,
    pub(super) rewritten: BTreeSet<u64>,
    pub(super) order: BTreeMap<String, (Hash, Vec<u64>)>,
    pub(super) heads: Vec<SnapshotId>,
    pub(super) next_item: u64,
    pub(super) lens: Option<Hash>,
    /// The index before, once it is needed.
    pub(super) index: Option<Index>,
}

struct Planner<'w, 'a> {
    work: &'w Work<'a>,
    config: &'w SourceConfig,
    format: std::sync::Arc<dyn Format>,
    place: Place,
    view: SourceView,
    index: &'w Index,
    heads: Vec<SnapshotId>,
    state: State,
    report: SourceReport,
    writes: BTreeMap<String, FileWrites>,
    edits: BTreeMap<u64, IndexEdit>,
    agreed: Vec<u64>,
    /// Views of items that are new there or rewritten.
    views: ViewWriter,
    rewritten: BTreeSet<u64>,
    /// The style of new files, once it was asked for.
    style: OnceCell<Option<String>>,
    /// The files that are planned already.
    files: FileEdits,
    order: BTreeMap<String, (Hash, Vec<u64>)>,
    lens: Option<Hash>,
    /// Files as they were scanned, those that the scan has opened among them.
    documents: OpenFiles,
    /// Why files could not be opened.
    unreadable: BTreeMap<String, String>,
    /// Where the items of a file stand in it.
    positions: HashMap<String, HashMap<u64, usize>>,
    next_item: u64,
    /// The identities that items of this source have.
    natives: Option<BTreeSet<String>>,
    /// Items that other sources have of records that are new here.
    copies: Copies<'w>,
    /// The items whose views stand in the tree that was taken over from another source.
    mirrored: BTreeSet<u64>,
    /// Which records the source is to show.
    sieve: selection::Sieve,
}

/// For how many items records are looked up at once (chosen: they take a few megabytes; each time the whole tree is
/// passed).
const PORTION_ITEMS: usize = 32_768;

/// Returns whether a source agrees with its collection, every item of it.
pub(super) fn is_in_step(work: &Work<'_>, config: &SourceConfig, index: &Index) -> bool {
    let loose = index.items.values().any(|entry| entry.base.is_some());
    !loose
        && work.source_view(&config.name).base == work.heads(&config.collection)
        && !selection::is_choice_new(work, config)
}

/// Plans the write-back of one source, of which the files in `open` need not be read again; `None` when it is in step
/// already. `donors` may have what is new to it.
pub(super) fn plan<'w>(
    work: &'w Work<'_>,
    config: &'w SourceConfig,
    index: &'w Index,
    open: OpenFiles,
    donors: Vec<Donor<'w>>,
) -> SyncResult<Option<OutPlan>> {
    let view = work.source_view(&config.name);
    let heads = work.heads(&config.collection);
    if config.direction == Direction::In || is_in_step(work, config, index) {
        return Ok(None);
    }
    let state = work.state_at(&heads)?;
    let mut planner = Planner {
        work,
        config,
        format: work.format(config)?,
        place: work.place(config)?,
        next_item: view.next_item,
        views: ViewWriter::new(view.views),
        rewritten: BTreeSet::new(),
        style: OnceCell::new(),
        view,
        index,
        heads,
        state,
        report: SourceReport {
            name: config.name.clone(),
            ..SourceReport::default()
        },
        writes: BTreeMap::new(),
        edits: BTreeMap::new(),
        agreed: Vec::new(),
        files: FileEdits::default(),
        order: index.files.clone(),
        lens: None,
        documents: open,
        unreadable: BTreeMap::new(),
        positions: HashMap::new(),
        natives: None,
        copies: Copies::default(),
        mirrored: BTreeSet::new(),
        sieve: selection::Sieve::new(config.filter.as_deref())?,
    };
    planner.prepare_copies(donors)?;
    planner.items()?;
    planner.finish().map(Some)
}

impl<'w> Planner<'w, '_> {
    /// Goes through the records that changed since each item's base.
    fn items(&mut self) -> SyncResult<()> {
        let (index, work) = (self.index, self.work);
        let base_state = work.state_at(&self.view.base)?;
        let mut changed: Vec<RecordKey> = Vec::new();
        // Where nothing is, everything that differs is new: then no list of it is needed.
        let is_filter_new = selection::is_filter_new(work, self.config);
        let is_empty = index.items.is_empty() && !is_filter_new;
        for change in tree::diff(work.objects, &base_state.content, &self.state.content) {
            let change = change.map_err(|error| other("comparing states", error))?;
            let Some(key) = RecordKey::new(change.key) else {
                continue;
            };
            if !is_empty {
                changed.push(key);
            } else if let Some(bytes) = change.new {
                self.new_item(&key, &mut || decode_record(&bytes))?;
            }
        }
        if is_filter_new {
            // What was hidden until now may be shown, though nobody changed it.
            for entry in tree::iter(work.objects, &self.state.content) {
                let (key, _) = entry.map_err(|error| other("reading records", error))?;
                changed.extend(RecordKey::new(key));
            }
            changed.sort_unstable();
            changed.dedup();
        }
        if !is_empty {
            prefer::add_disputed(work, self.config, (&base_state, &self.state), &mut changed)?;
        }
        let mut shown = Shown::of(index);
        let is_changed = |key: &RecordKey| changed.binary_search(key).is_ok();
        let considered = index.items.iter().map(|(number, entry)| (*number, entry));
        let considered: Vec<(u64, &ItemEntry)> = considered
            .filter(|(_, entry)| entry.base.is_some() || is_changed(&entry.key))
            .collect();
        let steps = considered.len() + changed.len();
        work.env
            .progress
            .start(&format!("preparing {}", self.config.name), Some(steps as u64));
        let since = Since::bases_of(work, index, &self.state)?;
        for (number, portion) in considered.chunks(PORTION_ITEMS).enumerate() {
            self.items_of(portion, number * PORTION_ITEMS, &base_state, &since, &mut shown)?;
        }
        let mut heads = tree::Finder::new(work.objects, &self.state.content);
        for key in changed {
            if !shown.has(&key) {
                self.new_item(&key, &mut || {
                    let bytes = heads.find(key.bytes());
                    let bytes = bytes.map_err(|error| other("reading records", error))?;
                    Ok(bytes.map(decode_record).transpose()?.flatten())
                })?;
            }
        }
        work.env.progress.finish();
        Ok(())
    }

    /// Writes a record that the source does not show yet, if it is to.
    fn new_item(&mut self, key: &RecordKey, record: &mut dyn FnMut() -> SyncResult<Option<Value>>) -> SyncResult<()> {
        if self.config.filter.is_none() {
            // A copy needs no look at the record.
            if self.copy(key)? {
                return Ok(());
            }
            return record()?.map_or(Ok(()), |record| self.append(None, key, &record));
        }
        match record()? {
            Some(record) if self.sieve.shows(self.work.objects, &record)? && !self.copy(key)? => {
                self.append(None, key, &record)
            }
            _ => Ok(()),
        }
    }

    /// Goes through a portion of the items that may have to change; `done` were before them.
    fn items_of(
        &mut self,
        considered: &[(u64, &'w ItemEntry)],
        done: usize,
        base_state: &State,
        since: &Since<'_>,
        shown: &mut Shown<'w>,
    ) -> SyncResult<()> {
        let work = self.work;
        let asked = considered.iter().map(|(number, entry)| (entry.key.bytes(), *number));
        let mut heads = Answers::find(work.objects, &self.state.content, asked.collect())?;
        let shared = considered.iter().filter(|(_, entry)| entry.base.is_none());
        let asked = shared.map(|(number, entry)| (entry.key.bytes(), *number));
        let mut bases = Answers::find(work.objects, &base_state.content, asked.collect())?;
        let mut views = ViewReader::new(work.objects, &self.view.views);
        for (at, (number, entry)) in considered.iter().enumerate() {
            work.env.progress.at((done + at) as u64);
            let head = heads.take(*number)?;
            let before = match &entry.base {
                Some(base) if self.config.prefer.is_none() && since.is_unchanged(base, &entry.key) => {
                    let own = head.as_ref().filter(|found| found.alias.is_none());
                    let record = own.map(|found| &found.record);
                    if let Some(record) = record.filter(|_| entry.fingerprint.is_some())
                        && !self.is_stale(*number, entry, record, &mut views)?
                    {
                        self.agreed.push(*number);
                        continue;
                    }
                    record.cloned()
                }
                Some(base) => work.record(&work.state_at(base)?, &entry.key)?,
                // An alias has no record of its own.
                None => bases
                    .take(*number)?
                    .and_then(|found| found.alias.is_none().then_some(found.record)),
            };
            self.item(*number, entry, head, before.as_ref(), shown, &mut views)?;
        }
        Ok(())
    }

    fn item(
        &mut self,
        number: u64,
        entry: &ItemEntry,
        head: Option<Found>,
        before: Option<&Value>,
        shown: &mut Shown<'_>,
        views: &mut ViewReader<'_>,
    ) -> SyncResult<()> {
        let (alias, head) = head.map_or((None, None), |found| (found.alias, Some(found.record)));
        let key = alias.unwrap_or_else(|| entry.key.clone());
        let Some(fingerprint) = entry.fingerprint else {
            self.edits.insert(number, IndexEdit::Remove);
            return match head {
                Some(record) => self.append(Some(number), &key, &record),
                None => Ok(()),
            };
        };
        let duplicate = key != entry.key && shown.has(&key);
        let Some(record) = head.filter(|_| !duplicate) else {
            self.remove(number, entry);
            return Ok(());
        };
        shown.add(&key);
        let may_differ = prefer::may_differ(self.work, self.config, entry, (&self.state, &key))?;
        let stale = may_differ || self.is_stale(number, entry, &record, views)?;
        if before == Some(&record) && !stale {
            self.agree(number, entry, key);
            return Ok(());
        }
        // Only what somebody wrote elsewhere takes a record out of a source, and only out of this one.
        let is_changed = before.is_some_and(|before| *before != record);
        if is_changed && !self.sieve.shows(self.work.objects, &record)? {
            self.remove(number, entry);
            return Ok(());
        }
        let Some(bytes) = self.old_bytes(number, entry, fingerprint) else {
            self.keep(number, entry, "it is not what was last read");
            return Ok(());
        };
        self.rewrite(number, key, before, record, &bytes, stale)
    }

    /// Writes what a record became into its item, whose bytes are known, if that changes them.
    fn rewrite(
        &mut self,
        number: u64,
        key: RecordKey,
        before: Option<&Value>,
        record: Value,
        bytes: &[u8],
        stale: bool,
    ) -> SyncResult<()> {
        let index = self.index;
        let Some(entry) = index.items.get(&number) else {
            return Ok(());
        };
        let shown_before =
            Index::view(self.work.objects, &self.view.views, number).map_err(|e| source_error(self.config, e))?;
        let old = Old {
            bytes,
            bindings: &shown_before.bindings,
        };
        let mut wanted = prefer::shown(self.work, self.config, &self.state, &key, record)?;
        let left = leave_put_back(&mut wanted, &shown_before);
        let put = match self.put(&entry.file, &wanted, Some(old))? {
            Ok(put) => put,
            Err(reason) => {
                self.keep(number, entry, &reason);
                return Ok(());
            }
        };
        for path in left {
            self.report.notes.push(format!(
                "`{path}` of `{}` was put back twice in {}; it is no longer written there",
                crate::model::contact::title(&wanted),
                self.config.name
            ));
        }
        let same_as_base = match before {
            Some(before) => self
                .put(&entry.file, before, Some(old))?
                .is_ok_and(|before| before.bytes == put.bytes),
            None => false,
        };
        if put.bytes == bytes || same_as_base && !stale {
            self.agree(number, entry, key);
            return Ok(());
        }
        self.replace(number, entry, key, put, &shown_before)
    }

    /// Plans other bytes for an item.
    fn replace(
        &mut self,
        number: u64,
        entry: &ItemEntry,
        key: RecordKey,
        put: crate::format::Put,
        shown_before: &ItemView,
    ) -> SyncResult<()> {
        self.report.written.changed += 1;
        self.report.not_shown += put.not_shown.len() as u64;
        let work = self.work;
        let Some(document) = self.document(&entry.file) else {
            return Ok(());
        };
        let mut view = view_of(work, document, &put.bytes, put.bindings)?;
        note_written(shown_before, &mut view);
        let agreed = ItemEntry {
            key,
            base: None,
            ..entry.clone()
        };
        self.views
            .put(work.objects, number, &view)
            .map_err(|error| source_error(self.config, error))?;
        self.rewritten.insert(number);
        self.edits.insert(number, IndexEdit::Put(agreed, None));
        self.writes
            .entry(entry.file.clone())
            .or_default()
            .replace(number, put.bytes);
        Ok(())
    }

    /// Notes that an item which stays as it is agrees with the heads.
    fn agree(&mut self, number: u64, entry: &ItemEntry, key: RecordKey) {
        if key == entry.key {
            self.agreed.extend(entry.base.is_some().then_some(number));
        } else {
            let agreed = ItemEntry {
                key,
                base: None,
                ..entry.clone()
            };
            self.edits.insert(number, IndexEdit::Put(agreed, None));
        }
    }

    fn is_stale(&self, number: u64, entry: &ItemEntry, record: &Value, views: &mut ViewReader<'_>) -> SyncResult<bool> {
        let stale = entry.base.is_some().then(|| is_stale(views, number, record));
        stale
            .unwrap_or(Ok(false))
            .map_err(|error| source_error(self.config, error))
    }

    fn remove(&mut self, number: u64, entry: &ItemEntry) {
        let in_place = self
            .index
            .files
            .get(&entry.file)
            .is_some_and(|(_, order)| order.contains(&number));
        if !in_place {
            self.keep(number, entry, "it cannot be read, so it is not removed");
            return;
        }
        self.report.written.removed += 1;
        self.edits.insert(number, IndexEdit::Remove);
        self.writes.entry(entry.file.clone()).or_default().remove(number);
    }

    /// Leaves an item as it is, on the base it last agreed with.
    fn keep(&mut self, number: u64, entry: &ItemEntry, reason: &str) {
        let base = entry.base.clone().unwrap_or_else(|| self.view.base.clone());
        self.edits.insert(
            number,
            IndexEdit::Put(
                ItemEntry {
                    base: Some(base),
                    ..entry.clone()
                },
                None,
            ),
        );
        let place = self.place.file_path(&entry.file);
        let item = entry.native_id.clone().unwrap_or_else(|| place.display().to_string());
        self.report.set_aside.push(SetAside {
            item,
            reason: reason.to_owned(),
        });
    }

    fn prepare_copies(&mut self, donors: Vec<Donor<'w>>) -> SyncResult<()> {
        if !donors.is_empty() {
            let lens = self.format.create(None).lens();
            let is_empty = self.index.items.is_empty();
            if is_empty && self.index.files.is_empty() {
                let documents = donors.iter().flat_map(|donor| donor.documents_for(self.config));
                let _first = self.style.set(majority_style(documents));
            }
            let was_never_filled = is_empty && self.next_item <= 1;
            self.copies = Copies::new(self.work, self.config, lens, donors, was_never_filled)?;
            if let Some((views, next_item)) = self.copies.mirrored() {
                self.views = ViewWriter::new(views);
                self.next_item = next_item;
            }
        }
        Ok(())
    }

    /// Takes a new item over from another source; returns whether that could be done.
    fn copy(&mut self, key: &RecordKey) -> SyncResult<bool> {
        if self.copies.is_empty() {
            return Ok(false);
        }
        let work = self.work;
        // Any new file of a folder is like any other.
        self.document("");
        let Some((_, target)) = self.documents.get("") else {
            return Ok(false);
        };
        let Some(copied) = self.copies.take(work, key, target.as_ref())? else {
            return Ok(false);
        };
        if !self.natives().insert(copied.native_id.clone()) {
            return Ok(false);
        }
        let file = match &self.place {
            Place::File(_) => String::new(),
            Place::Folder { extension, .. } => self.new_file_name(key, &copied.native_id, extension),
        };
        // A file that is not there yet is like any other new one.
        if self.index.files.contains_key(&file) && self.document(&file).is_none() {
            return Ok(false);
        }
        let number = match copied.view {
            CopiedView::Mirrored(number) => {
                self.mirrored.insert(number);
                number
            }
            CopiedView::Stored(view) => {
                let number = self.next_item;
                self.next_item += 1;
                self.views
                    .put_stored(work.objects, number, view)
                    .map_err(|error| source_error(self.config, error))?;
                number
            }
        };
        self.report.written.added += 1;
        let entry = ItemEntry {
            file: file.clone(),
            fingerprint: None,
            native_id: Some(copied.native_id),
            key: key.clone(),
            base: None,
        };
        self.edits.insert(number, IndexEdit::Put(entry, None));
        self.append_bytes(number, file, &copied.bytes)?;
        Ok(true)
    }

    /// Returns the identities that items of this source have.
    fn natives(&mut self) -> &mut BTreeSet<String> {
        let index = self.index;
        self.natives.get_or_insert_with(|| {
            let items = index.items.values();
            // What could not be written yet has no identity there.
            let written = items.filter(|entry| entry.fingerprint.is_some());
            written.filter_map(|entry| entry.native_id.clone()).collect()
        })
    }

    fn append(&mut self, number: Option<u64>, key: &RecordKey, record: &Value) -> SyncResult<()> {
        let number = number.unwrap_or_else(|| {
            self.next_item += 1;
            self.next_item - 1
        });
        let file = match &self.place {
            Place::File(_) => String::new(),
            Place::Folder { extension, .. } => self.new_file_name(key, uid_of(record), extension),
        };
        let pending = ItemEntry {
            file: file.clone(),
            fingerprint: None,
            native_id: None,
            key: key.clone(),
            base: Some(Vec::new()),
        };
        let whole = self.with_free_uid(key, record)?;
        let put = match self.put(&file, &whole, None)? {
            Ok(put) => put,
            Err(reason) => {
                let item = crate::model::contact::title(record);
                self.report.set_aside.push(SetAside { item, reason });
                self.edits.insert(number, IndexEdit::Put(pending, None));
                return Ok(());
            }
        };
        self.report.written.added += 1;
        self.report.not_shown += put.not_shown.len() as u64;
        let work = self.work;
        let Some(document) = self.document(&file) else {
            return Ok(());
        };
        let (native_id, view) = reading_of(work, document, &put.bytes, put.bindings)?;
        let is_new = number >= self.view.next_item;
        let view = if is_new {
            self.views
                .put(work.objects, number, &view)
                .map_err(|error| source_error(self.config, error))?;
            None
        } else {
            Some(view)
        };
        let entry = ItemEntry {
            native_id,
            base: None,
            ..pending
        };
        self.edits.insert(number, IndexEdit::Put(entry, view.map(Box::new)));
        self.append_bytes(number, file, &put.bytes)
    }

    /// Plans the bytes of a new item. Where it has a new file for itself, that file is planned at once.
    fn append_bytes(&mut self, number: u64, file: String, bytes: &[u8]) -> SyncResult<()> {
        let is_alone = matches!(self.place, Place::Folder { .. }) && !self.index.files.contains_key(&file);
        let mut writes = self.writes.remove(&file).unwrap_or_default();
        writes
            .append(number, bytes)
            .map_err(|error| source_error(self.config, error))?;
        if is_alone {
            return self.plan_file(file, writes);
        }
        self.writes.insert(file, writes);
        Ok(())
    }

    /// A UID that another record's item of this source has already is no name for a new item: then it is the key.
    fn with_free_uid(&mut self, key: &RecordKey, record: &Value) -> SyncResult<Value> {
        let mut record = prefer::shown(self.work, self.config, &self.state, key, record.clone())?;
        if let Value::Map(map) = &mut record
            && let Some(uid) = map.get("uid").and_then(Value::as_text)
            && !self.natives().insert(uid.to_owned())
        {
            map.insert("uid".to_owned(), key.to_string().into());
        }
        Ok(record)
    }

    /// Names the file of a new item after its UID as far as file systems allow, else after its key.
    fn new_file_name(&self, key: &RecordKey, uid: &str, extension: &str) -> String {
        let plain = uid.strip_prefix("urn:uuid:").unwrap_or(uid);
        let fits = !plain.is_empty()
            && plain.len() <= 100
            && !plain.starts_with('.')
            && plain
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte));
        let stem = if fits { plain.to_owned() } else { key.to_string() };
        let name = format!("{stem}.{extension}");
        let taken = self.order.contains_key(&name) || self.writes.contains_key(&name);
        if taken {
            format!("{stem}-{key}.{extension}")
        } else {
            name
        }
    }

    /// Writes a record as an item of a file, widening the file's layout if that helps.
    fn put(
        &mut self,
        file: &str,
        record: &Value,
        old: Option<Old<'_>>,
    ) -> SyncResult<Result<crate::format::Put, String>> {
        let mut whole = Cow::Borrowed(record);
        if blob::has_blob(record) {
            blob::internalize(self.work.objects, whole.to_mut())?;
        }
        self.document(file);
        let Some((_, document)) = self.documents.get_mut(file) else {
            let reason = self.unreadable.get(file).cloned();
            return Ok(Err(reason.unwrap_or_default()));
        };
        document.grow(&whole);
        Ok(document.put(&whole, old).map_err(|error| error.reason))
    }

    /// Opens a file of the source as it was scanned, or an empty one in the source's style; `None` when what is there
    /// cannot be read.
    fn document(&mut self, file: &str) -> Option<&dyn Document> {
        if !self.documents.contains_key(file) && !self.unreadable.contains_key(file) {
            if self.index.files.contains_key(file) {
                let path = self.place.file_path(file);
                let opened = match self.work.env.disk.read(&path) {
                    Ok(bytes) => {
                        let hash = Hash::of(Domain::Item, &bytes);
                        self.format
                            .open(bytes)
                            .map(|document| (hash, document))
                            .map_err(|error| error.to_string())
                    }
                    Err(error) => Err(super::chain(&error)),
                };
                match opened {
                    Ok(opened) => self.documents.insert(file.to_owned(), opened).map(drop),
                    Err(reason) => self.unreadable.insert(file.to_owned(), reason).map(drop),
                };
            } else {
                let created = self.new_document();
                let hash = Hash::of(Domain::Item, b"");
                self.documents.insert(file.to_owned(), (hash, created));
            }
        }
        self.documents.get(file).map(|(_, document)| document.as_ref())
    }

    /// Hands over a file as [`Self::document`] opens it.
    fn take_document(&mut self, file: &str) -> Option<Box<dyn Document>> {
        if !self.index.files.contains_key(file) && !self.documents.contains_key(file) {
            return Some(self.new_document());
        }
        self.document(file)?;
        self.documents.remove(file).map(|(_, document)| document)
    }

    /// Makes an empty file in the source's style.
    fn new_document(&self) -> Box<dyn Document> {
        self.format.create(self.style.get_or_init(|| self.style()).as_deref())
    }

    /// Returns the variant most files of a folder are in; an empty source has none.
    fn style(&self) -> Option<String> {
        let opened = self.documents.values().map(|(_, document)| document.as_ref());
        majority_style(opened).or_else(|| {
            let mut documents = Vec::new();
            for name in self.index.files.keys().take(20) {
                let bytes = self.work.env.disk.read(&self.place.file_path(name)).ok()?;
                documents.push(self.format.open(bytes).ok()?);
            }
            majority_style(documents.iter().map(AsRef::as_ref))
        })
    }

    /// Returns an item's bytes if they are still those that were last read.
    fn old_bytes(&mut self, number: u64, entry: &ItemEntry, fingerprint: [u8; 16]) -> Option<Vec<u8>> {
        let (hash, order) = self.index.files.get(&entry.file)?;
        let positions = self
            .positions
            .entry(entry.file.clone())
            .or_insert_with(|| order.iter().enumerate().map(|(at, number)| (*number, at)).collect());
        let at = positions.get(&number).copied()?;
        let hash = *hash;
        self.document(&entry.file);
        let (now, document) = self.documents.get(&entry.file)?;
        if *now != hash || at >= document.item_count() {
            return None;
        }
        let bytes = document.item(at).bytes.to_vec();
        let print = &Hash::of(Domain::Item, &bytes).bytes()[..16] == fingerprint.as_slice();
        print.then_some(bytes)
    }
}
