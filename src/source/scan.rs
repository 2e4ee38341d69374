//! The scan: present bytes against the copy of the previous state.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::index::Fingerprint;
use super::matching::{Candidate, Matching};
use super::place::file_hash;
use super::view::{is_stale, view_edits};
use super::{Index, ItemEntry, ItemView, Place, SourceError, StatCache};
use crate::delta::FieldOperation;
use crate::disk::{Disk, DiskError};
use crate::format::{Bindings, Document, Format, Parsed};
use crate::model::contact::{align, rename_elements};
use crate::model::{Domain, FieldPath, Hash, Map, TimeMs, Value, cbor};
use crate::port::{Objects, blob};
use crate::spool::{Spool, SpoolError};

/// What a scan works on.
pub struct ScanInput<'a> {
    /// Files.
    pub disk: &'a Disk,
    /// Where views are, and where large values go.
    pub objects: &'a dyn Objects,
    /// Where the items lie.
    pub place: &'a Place,
    /// How they are read.
    pub format: &'a dyn Format,
    /// The previous state.
    pub index: &'a Index,
    /// The root of the views tree.
    pub views: &'a Hash,
    /// The lens of the previous state.
    pub lens: Option<Hash>,
    /// Whether the choice of what is shown changed: then everything is read anew.
    pub reread: bool,
    /// The number the next new item gets.
    pub next_item: u64,
    /// The present time.
    pub now: TimeMs,
    /// Whether a place that is gone is one without items.
    pub missing_is_empty: bool,
}

/// Files that were opened, by name.
pub type OpenFiles = BTreeMap<String, (Hash, Box<dyn Document>)>;

/// An item whose view changed.
#[derive(Debug, Clone)]
pub struct Edited {
    /// Its number.
    pub number: u64,
    /// Its entry now.
    pub entry: ItemEntry,
    /// What it showed.
    pub before: ItemView,
    /// What it shows.
    pub after: ItemView,
    /// The difference.
    pub edits: Vec<FieldOperation>,
    /// Values at paths that only a changed lens made visible: they say what is there, not that somebody changed it.
    pub newly_visible: Vec<FieldOperation>,
    /// Whether a derived value still says what it was derived from before the edits; it is to be written anew.
    pub stale: bool,
}

/// An item that was not there before.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The number it gets.
    pub number: u64,
    /// Its file.
    pub file: String,
    /// The line it starts at.
    pub line: u64,
    /// Its bytes.
    pub fingerprint: Fingerprint,
    /// What it shows, with provisional keys; large values are blobs.
    pub parsed: Parsed,
}

/// An item that is as it was, though its bytes or place are not.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its number.
    pub number: u64,
    /// Its entry now.
    pub entry: ItemEntry,
    /// Its view, where bindings or a changed lens made it differ without an edit.
    pub view: Option<ItemView>,
}

/// Takes the items of a source that is read for the first time, one by one as they are met, in place of
/// [`Scan::fresh`]: nothing of them has to wait for anything.
pub trait FirstItems {
    /// Takes the next one.
    fn take(&mut self, fresh: Fresh) -> Result<(), SourceError>;
}

/// The new items of a scan, in order; read one by one, since a first import has all of them.
#[derive(Default)]
pub struct FreshItems {
    items: Vec<OpenItem>,
    /// What they show, in the same order.
    parsed: Spool,
    fresh: usize,
}

impl FreshItems {
    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.fresh
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fresh == 0
    }

    /// Leaves nothing but how many there are; returns them one by one, and memory gives up what was passed.
    pub fn drain(&mut self) -> impl Iterator<Item = Result<Fresh, SourceError>> + use<> {
        let items = std::mem::take(&mut self.items).into_iter();
        let parsed = std::mem::take(&mut self.parsed).drain();
        items.zip(parsed).filter_map(|(item, parsed)| item.fresh(parsed))
    }

    /// Walks over them.
    pub fn iter(&self) -> impl Iterator<Item = Result<Fresh, SourceError>> + '_ {
        let parsed = self.items.iter().zip(self.parsed.iter());
        parsed.filter_map(|(item, parsed)| item.fresh(parsed))
    }
}

impl OpenItem {
    /// Returns the new item that it is, given what it shows; `None` where it is none.
    fn fresh(&self, parsed: Result<Vec<u8>, SpoolError>) -> Option<Result<Fresh, SourceError>> {
        let number = self.fresh?;
        let parsed = parsed
            .map_err(SourceError::from)
            .and_then(|bytes| decode_parsed(&bytes));
        Some(parsed.map(|parsed| Fresh {
            number,
            file: self.file.clone(),
            line: self.line,
            fingerprint: self.fingerprint,
            parsed,
        }))
    }
}

/// Puts what an item shows into bytes; its warnings stay behind.
fn push_parsed(spool: &mut Spool, parsed: &Parsed) -> Result<(), SourceError> {
    let id = parsed.native_id.as_deref();
    let length = id.map_or(0, |id| id.len() as u64 + 1).to_le_bytes();
    spool.push(&[
        &length,
        id.unwrap_or_default().as_bytes(),
        &cbor::encode(&parsed.record),
    ])?;
    Ok(())
}

fn decode_parsed(bytes: &[u8]) -> Result<Parsed, SourceError> {
    let bad = || SourceError::State("items in memory");
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(bad)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| bad())?;
    let (id, record) = rest.split_at_checked(length.saturating_sub(1)).ok_or_else(bad)?;
    let id = std::str::from_utf8(id).map_err(|_| bad())?;
    Ok(Parsed {
        record: cbor::decode(record).map_err(|_| bad())?,
        native_id: (length > 0).then(|| id.to_owned()),
        warnings: Vec::new(),
    })
}

/// What a scan found.
#[derive(Default)]
pub struct Scan {
    /// The files and their items now.
    pub files: BTreeMap<String, (Hash, Vec<u64>)>,
    /// Edits.
    pub edited: Vec<Edited>,
    /// New items.
    pub fresh: FreshItems,
    /// Items that went.
    pub removed: Vec<u64>,
    /// Items with other bytes that show the same.
    pub found: Vec<Found>,
    /// What could not be read: where and why.
    pub set_aside: Vec<(String, String)>,
    /// Items whose decoding left something out: where and what.
    pub warnings: Vec<String>,
    /// The lens now.
    pub lens: Option<Hash>,
    /// How many items are there.
    pub present: u64,
    /// Files opened on the way.
    pub open: OpenFiles,
    /// How many bytes they have.
    pub open_bytes: usize,
    /// The number the next new item gets.
    pub next_item: u64,
}

/// Returns the fingerprint of an item's bytes.
pub(super) fn fingerprint(bytes: &[u8]) -> Fingerprint {
    short(&Hash::of(Domain::Item, bytes))
}

/// Returns the fingerprint of an item that is its whole file.
pub(super) fn short(hash: &Hash) -> Fingerprint {
    let mut short = [0; 16];
    short.copy_from_slice(&hash.bytes()[..16]);
    short
}

/// One item of a changed file that is not the same bytes as before.
struct OpenItem {
    file: String,
    at: usize,
    line: u64,
    fingerprint: Fingerprint,
    /// The item that had the same bytes, where only the choice of what is shown changed.
    same: Option<u64>,
    /// The number it gets if it turns out to be new.
    fresh: Option<u64>,
}

/// Returns whether a file ends within a line: one that is just being written may not have got to its first item yet.
fn is_cut(bytes: &[u8]) -> bool {
    let line_ends: [&[u8]; 3] = [b"\n", b"\r", b"\n\0"];
    !bytes.is_empty() && !line_ends.iter().any(|end| bytes.ends_with(end))
}

/// From how many items on a file gets room for all of them at once (chosen).
const MANY_ITEMS: usize = 4096;

struct Scanner<'a, 'f> {
    input: &'a ScanInput<'a>,
    /// Who takes all items, if nothing is known of the source.
    first: Option<&'f mut dyn FirstItems>,
    scan: Scan,
    /// Old items by file.
    old: HashMap<&'a str, Vec<u64>>,
    /// Old items of changed or vanished files that have not been found.
    missing: BTreeSet<u64>,
    open: Vec<OpenItem>,
    /// What the open items show, in the same order.
    parsed: Spool,
    /// Files in which missing items are no deletions.
    incomplete: BTreeSet<String>,
}

/// Reads a source and tells what changed since the previous state.
///
/// Where there is none, `first` takes the items, if it is given.
pub fn scan<'f>(
    input: &ScanInput<'_>,
    cache: &mut StatCache,
    first: Option<&'f mut (dyn FirstItems + 'f)>,
) -> Result<Scan, SourceError> {
    let states = match input.place.files(input.disk, cache) {
        Err(SourceError::Missing(_)) if input.missing_is_empty => Vec::new(),
        states => states?,
    };
    let mut old: HashMap<&str, Vec<u64>> = HashMap::new();
    for (number, entry) in input
        .index
        .items
        .iter()
        .filter(|(_, entry)| entry.fingerprint.is_some())
    {
        old.entry(entry.file.as_str()).or_default().push(*number);
    }
    let scan = Scan {
        lens: input.lens,
        next_item: input.next_item,
        ..Scan::default()
    };
    let mut scanner = Scanner {
        input,
        first: first.filter(|_| input.index.items.is_empty()),
        scan,
        old,
        missing: BTreeSet::new(),
        open: Vec::new(),
        parsed: Spool::default(),
        incomplete: BTreeSet::new(),
    };
    for state in &states {
        let known = input.index.files.get(&state.name);
        if let (Some((hash, order)), Some(cached), false) = (known, state.hash, input.reread)
            && *hash == cached
            && !order.contains(&0)
        {
            scanner.keep_file(&state.name, *hash, order);
            continue;
        }
        let path = input.place.file_path(&state.name);
        let (bytes, stat) = match (input.disk.read_with_stat(&path), input.place) {
            (Ok(read), _) => read,
            (Err(error), Place::File(_)) => return Err(error.into()),
            (Err(error), Place::Folder { .. }) => {
                // One file that cannot be read, or went this very moment, stops none of the others.
                scanner.unreadable(&state.name, &error);
                continue;
            }
        };
        let hash = file_hash(&bytes);
        cache.remember(&state.name, stat, hash, input.now);
        match known {
            Some((before, order)) if *before == hash && !order.contains(&0) && !input.reread => {
                scanner.keep_file(&state.name, hash, order);
            }
            _ => scanner.changed_file(&state.name, hash, bytes)?,
        }
    }
    let names: BTreeSet<&str> = states.iter().map(|state| state.name.as_str()).collect();
    cache.retain(|name| names.contains(name));
    let gone: Vec<u64> = scanner
        .old
        .iter()
        .filter(|(name, _)| !names.contains(*name))
        .flat_map(|(_, n)| n.clone())
        .collect();
    scanner.missing.extend(gone);
    scanner.settle()?;
    Ok(scanner.scan)
}

impl Scanner<'_, '_> {
    fn keep_file(&mut self, name: &str, hash: Hash, order: &[u64]) {
        self.scan.present += order.len() as u64;
        self.scan.files.insert(name.to_owned(), (hash, order.to_vec()));
    }

    /// Sets a file aside that cannot be read: its items keep their mapping and are no deletions.
    fn unreadable(&mut self, name: &str, error: &DiskError) {
        let reason = format!("{error}: {}", error.source);
        self.scan.set_aside.push((self.describe(name, 1), reason));
        let (hash, count) = match self.input.index.files.get(name) {
            Some((hash, order)) => (*hash, order.len()),
            None => (file_hash(b""), 0),
        };
        self.scan.files.insert(name.to_owned(), (hash, vec![0]));
        self.scan.present += count as u64;
    }

    fn describe(&self, name: &str, line: u64) -> String {
        let path = self.input.place.file_path(name);
        format!("{}:{line}", path.display())
    }

    fn changed_file(&mut self, name: &str, hash: Hash, bytes: Vec<u8>) -> Result<(), SourceError> {
        let old = self.old.get(name).cloned().unwrap_or_default();
        let file_bytes = bytes.len();
        let cut = is_cut(&bytes);
        self.scan.open_bytes += bytes.len();
        let document = match self.input.format.open(bytes) {
            Ok(document) => document,
            Err(error) => {
                // The whole file is set aside: its items keep their mapping and are no deletions.
                self.scan.set_aside.push((self.describe(name, 1), error.to_string()));
                self.scan.files.insert(name.to_owned(), (hash, vec![0]));
                self.scan.present += old.len() as u64;
                return Ok(());
            }
        };
        for broken in document.broken() {
            self.scan
                .set_aside
                .push((self.describe(name, broken.line), broken.reason.clone()));
        }
        let cut = cut && document.item_count() == 0 && !old.is_empty();
        let complete = document.is_complete() && !cut;
        let mut damaged = !document.broken().is_empty() || !complete;
        if !complete && document.broken().is_empty() {
            self.scan
                .set_aside
                .push((self.describe(name, 1), "the file ends early".to_owned()));
        }
        let lens = document.lens();
        let same_lens = self.scan.lens.is_none_or(|known| known == lens);
        let mut by_bytes = self.by_fingerprint(&old);
        let mut missing: BTreeSet<u64> = old.into_iter().collect();
        let mut order = Vec::with_capacity(document.item_count());
        self.make_room(document.item_count());
        for at in 0..document.item_count() {
            let item = document.item(at);
            let print = if item.bytes.len() == file_bytes {
                short(&hash)
            } else {
                fingerprint(item.bytes)
            };
            let same = by_bytes.get_mut(&print).and_then(Vec::pop);
            if let Some(number) = same.filter(|_| same_lens) {
                missing.remove(&number);
                order.push(number);
                continue;
            }
            match self.parse(document.as_ref(), item.bytes) {
                Ok(mut parsed) if self.first.is_some() => {
                    self.scan.warnings.append(&mut parsed.warnings);
                    order.push(self.first_item(name, item.line, print, parsed)?);
                    continue;
                }
                Ok(mut parsed) => {
                    push_parsed(&mut self.parsed, &parsed)?;
                    self.scan.warnings.append(&mut parsed.warnings);
                    self.open.push(OpenItem {
                        file: name.to_owned(),
                        at,
                        line: item.line,
                        fingerprint: print,
                        same: same.filter(|_| self.input.reread),
                        fresh: None,
                    });
                }
                Err(reason) => {
                    damaged = true;
                    self.scan.set_aside.push((self.describe(name, item.line), reason));
                }
            }
            order.push(0);
        }
        if damaged {
            self.incomplete.insert(name.to_owned());
            order.push(0);
        }
        self.missing.extend(missing);
        self.scan.present += document.item_count() as u64;
        self.scan.files.insert(name.to_owned(), (hash, order));
        self.scan.open.insert(name.to_owned(), (hash, document));
        Ok(())
    }

    /// Makes room for the items of a file: grown step by step, a list of many takes up to twice as much.
    fn make_room(&mut self, items: usize) {
        if self.first.is_none() && items >= MANY_ITEMS {
            self.open.reserve_exact(items);
        }
    }

    /// Lists items by their bytes, the last of equal ones first.
    fn by_fingerprint(&self, numbers: &[u64]) -> HashMap<Fingerprint, Vec<u64>> {
        let mut by_bytes: HashMap<Fingerprint, Vec<u64>> = HashMap::new();
        for number in numbers.iter().rev() {
            let entry = self.input.index.items.get(number);
            if let Some(fingerprint) = entry.and_then(|entry| entry.fingerprint) {
                by_bytes.entry(fingerprint).or_default().push(*number);
            }
        }
        by_bytes
    }

    /// Hands over an item of a source that is read for the first time; returns its number.
    fn first_item(
        &mut self,
        file: &str,
        line: u64,
        fingerprint: Fingerprint,
        parsed: Parsed,
    ) -> Result<u64, SourceError> {
        let number = self.scan.next_item;
        self.scan.next_item += 1;
        self.scan.fresh.fresh += 1;
        let fresh = Fresh {
            number,
            file: file.to_owned(),
            line,
            fingerprint,
            parsed,
        };
        if let Some(first) = &mut self.first {
            first.take(fresh)?;
        }
        Ok(number)
    }

    fn parse(&mut self, document: &dyn Document, bytes: &[u8]) -> Result<Parsed, String> {
        let mut parsed = document.parse(bytes).map_err(|error| error.reason)?;
        blob::externalize(self.input.objects, &mut parsed.record).map_err(|error| error.to_string())?;
        parsed.record.prune();
        if let Value::Map(map) = &mut parsed.record {
            map.remove("uid");
        }
        Ok(parsed)
    }

    /// Matches what is left on both sides and sorts it into edited, fresh, removed and found.
    fn settle(&mut self) -> Result<(), SourceError> {
        let input = self.input;
        let mut old = BTreeMap::new();
        let mut views = BTreeMap::new();
        if !self.open.is_empty() {
            for number in &self.missing {
                let Some(entry) = input.index.items.get(number) else {
                    continue;
                };
                let view = Index::view(input.objects, input.views, *number)?;
                old.insert(
                    *number,
                    Candidate::new(&entry.file, entry.native_id.as_deref(), &view.view),
                );
                views.insert(*number, view);
            }
        }
        let items = std::mem::take(&mut self.open);
        let spool = std::mem::take(&mut self.parsed);
        // Without anything that is missing all are new, and nothing of them has to be compared.
        let mut found = BTreeMap::new();
        if old.is_empty() {
            self.open = items;
        } else {
            let empty = Map::new();
            let mut new = Vec::with_capacity(items.len());
            for (item, parsed) in items.iter().zip(spool.iter()) {
                let parsed = decode_parsed(&parsed?)?;
                let view = parsed.record.as_map().unwrap_or(&empty);
                new.push(Candidate::new(&item.file, parsed.native_id.as_deref(), view));
            }
            let same = items.iter().enumerate().filter_map(|(at, item)| Some((at, item.same?)));
            let matching = Matching::new(&new, &old).with(same);
            self.open = items;
            found = matching.run(&|found| self.by_neighbours(found));
        }
        let mut items = std::mem::take(&mut self.open);
        let mut fresh = self.scan.fresh.fresh;
        let mut parsed = spool.iter();
        for (at, item) in items.iter_mut().enumerate() {
            let shown = parsed.next();
            let number = if let (Some(number), Some(shown)) = (found.get(&at), shown) {
                self.missing.remove(number);
                let parsed = decode_parsed(&shown?)?;
                self.known_item(*number, item, &parsed, views.remove(number).unwrap_or_default());
                *number
            } else {
                let number = self.scan.next_item;
                self.scan.next_item += 1;
                item.fresh = Some(number);
                fresh += 1;
                number
            };
            let order = self.scan.files.get_mut(&item.file).map(|(_, order)| order);
            if let Some(slot) = order.and_then(|order| order.get_mut(item.at)) {
                *slot = number;
            }
        }
        drop(parsed);
        self.scan.fresh = FreshItems {
            items,
            parsed: spool,
            fresh,
        };
        for number in std::mem::take(&mut self.missing) {
            let file = input
                .index
                .items
                .get(&number)
                .map(|entry| entry.file.as_str())
                .unwrap_or_default();
            if !self.incomplete.contains(file) {
                self.scan.removed.push(number);
            }
        }
        Ok(())
    }

    fn known_item(&mut self, number: u64, item: &OpenItem, parsed: &Parsed, before: ItemView) {
        let old = self.input.index.items.get(&number);
        let entry = ItemEntry {
            file: item.file.clone(),
            fingerprint: Some(item.fingerprint),
            native_id: parsed.native_id.clone(),
            key: old.map_or_else(
                || crate::model::RecordKey::from_identity("?"),
                |entry| entry.key.clone(),
            ),
            base: old.and_then(|entry| entry.base.clone()),
        };
        let reference = Value::Map(before.view.clone());
        let bindings = align(&parsed.record, Some(&reference), &before.bindings, &|_, _| false);
        let mut after = ItemView {
            view: named(&parsed.record, &bindings),
            bindings,
            ..ItemView::default()
        };
        let mut edits = view_edits(&before.view, &after.view);
        super::written::count_put_back(&before, &mut after, &edits);
        let mut newly_visible = Vec::new();
        let lens = self.scan.open.get(&item.file).map(|(_, document)| document.lens());
        if self.input.lens.is_some() && lens != self.input.lens {
            let document = self.scan.open.get(&item.file).map(|(_, document)| document.as_ref());
            (edits, newly_visible) = split_by_lens(edits, &before, document, self.input.objects);
        }
        let all = edits.len();
        edits.retain(|edit| !is_stale(edit, &before.view, &after.view));
        let stale = edits.len() < all;
        if edits.is_empty() && newly_visible.is_empty() {
            let view = (after != before).then_some(after);
            self.scan.found.push(Found { number, entry, view });
        } else {
            self.scan.edited.push(Edited {
                number,
                entry,
                before,
                after,
                edits,
                newly_visible,
                stale,
            });
        }
    }

    /// Finds runs of exactly one vanished and one appeared item between the same neighbours.
    fn by_neighbours(&self, found: &BTreeMap<usize, u64>) -> Vec<(usize, u64)> {
        let mut pairs = Vec::new();
        for (name, (_, order)) in &self.scan.files {
            let Some((_, before)) = self.input.index.files.get(name) else {
                continue;
            };
            // What vanished may be what cannot be read.
            if self.incomplete.contains(name) {
                continue;
            }
            let mut now: Vec<Place1> = order
                .iter()
                .map(|n| if *n == 0 { Place1::Hole } else { Place1::Known(*n) })
                .collect();
            for (at, item) in self.open.iter().enumerate().filter(|(_, item)| item.file == *name) {
                if let Some(slot) = now.get_mut(item.at) {
                    *slot = found.get(&at).map_or(Place1::Open(at), |number| Place1::Known(*number));
                }
            }
            let settled: BTreeSet<u64> = now.iter().filter_map(Place1::known).collect();
            let old: Vec<Place1> = before
                .iter()
                .map(|n| {
                    if settled.contains(n) {
                        Place1::Known(*n)
                    } else {
                        Place1::Open(usize::try_from(*n).unwrap_or(0))
                    }
                })
                .collect();
            let old_runs = single_runs(&old);
            for (between, at) in single_runs(&now) {
                if let Some(number) = old_runs.get(&between) {
                    pairs.push((at, *number as u64));
                }
            }
        }
        pairs
    }
}

/// A place in a file's order: a settled item, an open one, or something that is no item.
#[derive(Clone, Copy)]
enum Place1 {
    Known(u64),
    Open(usize),
    Hole,
}

impl Place1 {
    fn known(&self) -> Option<u64> {
        match self {
            Self::Known(number) => Some(*number),
            _ => None,
        }
    }
}

/// Returns the open items that stand alone between two settled neighbours (or an end), by those neighbours.
fn single_runs(order: &[Place1]) -> BTreeMap<(Option<u64>, Option<u64>), usize> {
    let mut runs = BTreeMap::new();
    for (at, place) in order.iter().enumerate() {
        let Place1::Open(id) = place else { continue };
        let before = at.checked_sub(1).and_then(|at| order.get(at));
        let after = order.get(at + 1);
        let is_edge = |place: Option<&Place1>| place.is_none_or(|place| matches!(place, Place1::Known(_)));
        if is_edge(before) && is_edge(after) {
            runs.insert((before.and_then(Place1::known), after.and_then(Place1::known)), *id);
        }
    }
    runs
}

/// Gives elements their ids and returns the map.
pub(super) fn named(record: &Value, bindings: &Bindings) -> Map {
    match rename_elements(record.clone(), bindings) {
        Value::Map(map) => map,
        _ => Map::new(),
    }
}

/// Where the lens changed, only paths that both lenses show can be edits: a path the new one cannot show is not
/// cleared, and a value at a path the old one may not have shown is only a first sight.
fn split_by_lens(
    edits: Vec<FieldOperation>,
    before: &ItemView,
    document: Option<&dyn Document>,
    objects: &dyn Objects,
) -> (Vec<FieldOperation>, Vec<FieldOperation>) {
    let mut record = Value::Map(before.view.clone());
    let hidden = match (blob::internalize(objects, &mut record), document) {
        (Ok(()), Some(document)) => document.put(&record, None).map(|put| put.not_shown).unwrap_or_default(),
        _ => vec![FieldPath::root()],
    };
    let mut real = Vec::new();
    let mut sight = Vec::new();
    for edit in edits {
        match &edit {
            FieldOperation::Clear(path) | FieldOperation::Set(path, _)
                if hidden
                    .iter()
                    .any(|hidden| path.starts_with(hidden) || hidden.starts_with(path)) => {}
            FieldOperation::Set(path, _) if Value::Map(before.view.clone()).at(path).is_none() => sight.push(edit),
            _ => real.push(edit),
        }
    }
    (real, sight)
}
