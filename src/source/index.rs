//! The copy of a source's previous state: which items it had, what they showed, what they agreed with.
//!
//! Three trees: items (number → entry), views (number → what the item showed), files (name → hash and order of its
//! items). Entries are small, so that a scan can read all of them; views are read one by one when an item changed.

use std::collections::BTreeMap;

use super::{SourceError, Written};
use crate::format::Bindings;
use crate::model::{Hash, Map, RecordKey, SnapshotId, Value, cbor};
use crate::port::Objects;
use crate::tree;

/// A short hash of an item's bytes.
pub(super) type Fingerprint = [u8; 16];

/// What is known of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemEntry {
    /// The file it is in.
    pub file: String,
    /// Its bytes when last seen; `None` for a record that could not be written here yet.
    pub fingerprint: Option<Fingerprint>,
    /// Its own identity there.
    pub native_id: Option<String>,
    /// The record it shows.
    pub key: RecordKey,
    /// What it last agreed with, where that is not the base of the whole source.
    pub base: Option<Vec<SnapshotId>>,
}

/// What an item showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ItemView {
    /// The record as the format shows it, with lasting element ids; large values are blobs.
    pub view: Map,
    /// Which provisional key of the bytes is which element.
    pub bindings: Bindings,
    /// What we wrote over other values in it, by the pointer of the field.
    pub written: BTreeMap<String, Written>,
}

/// An item view as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredView(Vec<u8>);

impl StoredView {
    /// Reads one; `None` when the item has none.
    pub fn get(objects: &dyn Objects, views: &Hash, number: u64) -> Result<Option<Self>, SourceError> {
        Ok(tree::get(objects, views, &number_key(number))?.map(Self))
    }

    /// Reads all, by item number.
    pub fn all<'o>(
        objects: &'o dyn Objects,
        views: &Hash,
    ) -> impl Iterator<Item = Result<(u64, Self), SourceError>> + 'o {
        tree::iter(objects, views).map(|entry| {
            let (key, value) = entry?;
            Ok((number_of(&key)?, Self(value)))
        })
    }

    /// Returns whether a field of this name may be in it, at any place; without decoding it.
    pub fn may_have(&self, field: &str) -> bool {
        memchr::memmem::find(&self.0, &cbor::encode(&field.into())).is_some()
    }

    /// Decodes it.
    pub fn decode(&self) -> Result<ItemView, SourceError> {
        ItemView::decode(&self.0)
    }

    /// Returns whether it is a view and nothing else: no note of values that were written over.
    pub fn is_plain(&self) -> bool {
        self.0.first() == Some(&PLAIN_VIEW)
    }
}

/// Reads views of many items.
pub struct ViewReader<'o>(tree::Finder<'o>);

impl<'o> ViewReader<'o> {
    /// Makes one for the tree of views at `views`.
    pub fn new(objects: &'o dyn Objects, views: &Hash) -> Self {
        Self(tree::Finder::new(objects, views))
    }

    /// Reads the view of an item; `None` when it has none. In ascending order each node is read once.
    pub fn get(&mut self, number: u64) -> Result<Option<StoredView>, SourceError> {
        let bytes = self.0.find(&number.to_be_bytes())?;
        Ok(bytes.map(|bytes| StoredView(bytes.to_vec())))
    }
}

/// The first byte of a view without notes: a map of two entries.
const PLAIN_VIEW: u8 = 0xA2;

/// The items of a source by number, and its files.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// Entries by item number.
    pub items: BTreeMap<u64, ItemEntry>,
    /// Files: hash of their bytes, and the numbers of their items in order.
    pub files: BTreeMap<String, (Hash, Vec<u64>)>,
}

/// A change of one item of an [`Index`].
#[derive(Debug, Clone)]
pub enum IndexEdit {
    /// The item is there, showing this; `None` keeps the view stored before.
    Put(ItemEntry, Option<Box<ItemView>>),
    /// The item is gone.
    Remove,
}

/// A key of a tree and its new value; `None` deletes.
type TreeEdit = (Vec<u8>, Option<Vec<u8>>);

const BAD: SourceError = SourceError::State("item entry");

fn number_key(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn number_of(key: &[u8]) -> Result<u64, SourceError> {
    Ok(u64::from_be_bytes(key.try_into().map_err(|_| BAD)?))
}

impl ItemEntry {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        let entries = [
            self.base.is_some(),
            self.fingerprint.is_some(),
            self.native_id.is_some(),
        ];
        let entries = entries.into_iter().filter(|is_there| *is_there).count();
        cbor::map_head(1 + entries + usize::from(!self.file.is_empty()), &mut out);
        if let Some(base) = &self.base {
            cbor::text_into("b", &mut out);
            cbor::list_head(base.len(), &mut out);
            for id in base {
                cbor::bytes_into(id.0.bytes(), &mut out);
            }
        }
        if let Some(fingerprint) = &self.fingerprint {
            cbor::text_into("f", &mut out);
            cbor::bytes_into(fingerprint, &mut out);
        }
        cbor::text_into("k", &mut out);
        cbor::bytes_into(self.key.bytes(), &mut out);
        if let Some(id) = &self.native_id {
            cbor::text_into("n", &mut out);
            cbor::text_into(id, &mut out);
        }
        if !self.file.is_empty() {
            cbor::text_into("p", &mut out);
            cbor::text_into(&self.file, &mut out);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, SourceError> {
        let Ok(Value::Map(mut map)) = cbor::decode(bytes) else {
            return Err(BAD);
        };
        let fingerprint = match map.remove("f") {
            Some(Value::Bytes(bytes)) => Some(bytes.try_into().map_err(|_| BAD)?),
            _ => None,
        };
        let Some(Value::Bytes(key)) = map.remove("k") else {
            return Err(BAD);
        };
        let text = |value: Option<Value>| match value {
            Some(Value::Text(text)) => Some(text.into()),
            _ => None,
        };
        let base = match map.remove("b") {
            Some(Value::List(list)) => Some(list.iter().map(snapshot_id).collect::<Result<_, _>>()?),
            _ => None,
        };
        Ok(Self {
            file: text(map.remove("p")).unwrap_or_default(),
            fingerprint,
            native_id: text(map.remove("n")),
            key: RecordKey::new(key).ok_or(BAD)?,
            base,
        })
    }
}

fn snapshot_id(value: &Value) -> Result<SnapshotId, SourceError> {
    match value {
        Value::Bytes(bytes) => Hash::from_slice(bytes).map(SnapshotId).ok_or(BAD),
        _ => Err(BAD),
    }
}

impl ItemView {
    fn encode(&self) -> Vec<u8> {
        let bindings: Map = self
            .bindings
            .iter()
            .map(|(pointer, id)| (pointer.clone(), id.as_str().into()))
            .collect();
        // The map {"b": bindings, "v": view, "w": written}, the last only where it is not empty, without a copy of the view.
        let mut out = vec![PLAIN_VIEW + u8::from(!self.written.is_empty()), 0x61, b'b'];
        cbor::encode_map(&bindings, &mut out);
        out.extend_from_slice(&[0x61, b'v']);
        cbor::encode_map(&self.view, &mut out);
        if !self.written.is_empty() {
            let written = self.written.iter().map(|(pointer, written)| {
                let value = vec![written.before.clone(), Value::Integer(written.put_back.into())];
                (pointer.clone(), Value::List(value))
            });
            out.extend_from_slice(&[0x61, b'w']);
            cbor::encode_map(&written.collect(), &mut out);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, SourceError> {
        let bad = SourceError::State("item view");
        let Ok(Value::Map(mut map)) = cbor::decode(bytes) else {
            return Err(bad);
        };
        let (Some(Value::Map(view)), Some(Value::Map(bound))) = (map.remove("v"), map.remove("b")) else {
            return Err(bad);
        };
        let bindings = bound
            .into_iter()
            .filter_map(|(pointer, id)| Some((pointer.into(), id.as_text()?.to_owned())))
            .collect();
        let mut written = BTreeMap::new();
        if let Some(Value::Map(map)) = map.remove("w") {
            for (pointer, value) in map {
                let Value::List(pair) = value else { return Err(bad) };
                let Ok([before, Value::Integer(count)]) = <[Value; 2]>::try_from(pair) else {
                    return Err(bad);
                };
                let put_back = u32::try_from(count).unwrap_or(0);
                written.insert(pointer.into(), Written { before, put_back });
            }
        }
        Ok(Self {
            view,
            bindings,
            written,
        })
    }
}

/// Views that go into their tree in portions: all those of a first import are more than memory should hold.
pub struct ViewWriter {
    root: Hash,
    /// Views to store; `None` to forget one.
    waiting: BTreeMap<u64, Option<Vec<u8>>>,
}

/// How many views wait (chosen: each portion leaves a handful of nodes that the next one replaces).
const WAITING_VIEWS: usize = 4096;

impl ViewWriter {
    /// Begins with the tree at `root`.
    pub fn new(root: Hash) -> Self {
        Self {
            root,
            waiting: BTreeMap::new(),
        }
    }

    /// Stores what an item shows.
    pub fn put(&mut self, objects: &dyn Objects, number: u64, view: &ItemView) -> Result<(), SourceError> {
        self.put_stored(objects, number, StoredView(view.encode()))
    }

    /// Stores what an item shows, as it was stored elsewhere.
    pub fn put_stored(&mut self, objects: &dyn Objects, number: u64, view: StoredView) -> Result<(), SourceError> {
        self.wait(objects, number, Some(view.0))
    }

    /// Forgets what an item shows.
    pub fn remove(&mut self, objects: &dyn Objects, number: u64) -> Result<(), SourceError> {
        self.wait(objects, number, None)
    }

    fn wait(&mut self, objects: &dyn Objects, number: u64, view: Option<Vec<u8>>) -> Result<(), SourceError> {
        self.waiting.insert(number, view);
        if self.waiting.len() >= WAITING_VIEWS {
            self.flush(objects)?;
        }
        Ok(())
    }

    /// Stores what waits and returns the root.
    pub fn flush(&mut self, objects: &dyn Objects) -> Result<Hash, SourceError> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let edits = waiting.map(|(number, bytes)| (number_key(number), bytes));
        self.root = tree::edit(objects, &self.root, edits)?;
        Ok(self.root)
    }
}

impl Index {
    /// Reads the entries and files of a source.
    pub fn load(objects: &dyn Objects, items: &Hash, files: &Hash) -> Result<Self, SourceError> {
        Ok(Self {
            items: Self::entries(objects, items).collect::<Result<_, _>>()?,
            files: load_files(objects, files)?,
        })
    }

    /// Walks over the entries of a tree of items.
    pub fn entries<'o>(
        objects: &'o dyn Objects,
        items: &Hash,
    ) -> impl Iterator<Item = Result<(u64, ItemEntry), SourceError>> + use<'o> {
        tree::iter(objects, items).map(|entry| {
            let (key, value) = entry?;
            Ok((number_of(&key)?, ItemEntry::decode(&value)?))
        })
    }

    /// Walks over the entries that one tree of items has and an older one has not.
    pub fn added<'o>(
        objects: &'o dyn Objects,
        before: &Hash,
        items: &Hash,
    ) -> impl Iterator<Item = Result<(u64, ItemEntry), SourceError>> + use<'o> {
        tree::diff(objects, before, items).filter_map(|change| match change {
            Ok(tree::Change {
                key,
                old: None,
                new: Some(value),
            }) => Some(number_of(&key).and_then(|number| Ok((number, ItemEntry::decode(&value)?)))),
            Ok(_) => None,
            Err(error) => Some(Err(error.into())),
        })
    }

    /// Reads one entry of a tree of items.
    pub fn entry(objects: &dyn Objects, items: &Hash, number: u64) -> Result<Option<ItemEntry>, SourceError> {
        let bytes = tree::get(objects, items, &number_key(number))?;
        bytes.map(|bytes| ItemEntry::decode(&bytes)).transpose()
    }

    /// Reads what an item showed.
    pub fn view(objects: &dyn Objects, views: &Hash, number: u64) -> Result<ItemView, SourceError> {
        match tree::get(objects, views, &number_key(number))? {
            Some(bytes) => ItemView::decode(&bytes),
            None => Ok(ItemView::default()),
        }
    }

    /// Stores changed items and returns the new roots of the items and views trees.
    ///
    /// The items `agreeing`, in ascending order, agree with the base of the whole source from now on.
    pub fn store(
        objects: &dyn Objects,
        items: &Hash,
        views: &Hash,
        edits: &BTreeMap<u64, IndexEdit>,
        agreeing: &[u64],
    ) -> Result<(Hash, Hash), SourceError> {
        let mut before = tree::Finder::new(objects, items);
        let mut agreed = agreeing.iter().copied().peekable();
        let mut edited = edits.iter().peekable();
        let mut next = || -> Result<Option<TreeEdit>, SourceError> {
            loop {
                let number = match (agreed.peek(), edited.peek()) {
                    (Some(agreed), Some((edited, _))) => *agreed.min(*edited),
                    (Some(number), None) => *number,
                    (None, Some((number, _))) => **number,
                    (None, None) => return Ok(None),
                };
                let agrees = agreed.next_if_eq(&number).is_some();
                let mut entry = match edited.next_if(|(edited, _)| **edited == number) {
                    Some((_, IndexEdit::Put(entry, _))) if !agrees => {
                        return Ok(Some((number_key(number), Some(entry.encode()))));
                    }
                    Some((_, IndexEdit::Put(entry, _))) => entry.clone(),
                    Some((_, IndexEdit::Remove)) => return Ok(Some((number_key(number), None))),
                    None => match before.find(&number_key(number))? {
                        Some(bytes) => ItemEntry::decode(bytes)?,
                        None => continue,
                    },
                };
                entry.base = None;
                return Ok(Some((number_key(number), Some(entry.encode()))));
            }
        };
        let mut failure = None;
        let entries = std::iter::from_fn(|| {
            let entry = next().map_err(|error| failure = Some(error));
            entry.ok().flatten()
        });
        let items = tree::edit(objects, items, entries)?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        let shown = edits.iter().filter_map(|(number, edit)| match edit {
            IndexEdit::Put(_, Some(view)) => Some((number_key(*number), Some(view.encode()))),
            IndexEdit::Put(_, None) => None,
            IndexEdit::Remove => Some((number_key(*number), None)),
        });
        let views = tree::edit(objects, views, shown)?;
        Ok((items, views))
    }

    /// Stores the files and returns the root of their tree.
    pub fn store_files(
        objects: &dyn Objects,
        root: &Hash,
        files: &BTreeMap<String, (Hash, Vec<u64>)>,
    ) -> Result<Hash, SourceError> {
        let before = load_files(objects, root)?;
        let mut edits: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        for (name, (hash, order)) in files {
            if before.get(name) != Some(&(*hash, order.clone())) {
                edits.insert(file_key(name), Some(encode_file(hash, order)));
            }
        }
        for name in before.keys().filter(|name| !files.contains_key(*name)) {
            edits.insert(file_key(name), None);
        }
        Ok(tree::edit(objects, root, edits)?)
    }
}

/// A tree key is never empty, so names get a first byte.
fn file_key(name: &str) -> Vec<u8> {
    let mut key = vec![b'/'];
    key.extend_from_slice(name.as_bytes());
    key
}

/// Runs of consecutive numbers keep the order of a large file small.
fn encode_file(hash: &Hash, order: &[u64]) -> Vec<u8> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in order {
        match runs.last_mut() {
            Some((start, length)) if *start + *length == *number => *length += 1,
            _ => runs.push((*number, 1)),
        }
    }
    let mut out = Vec::with_capacity(48);
    cbor::map_head(2, &mut out);
    cbor::text_into("h", &mut out);
    cbor::bytes_into(hash.bytes(), &mut out);
    cbor::text_into("o", &mut out);
    cbor::list_head(runs.len() * 2, &mut out);
    for number in runs.into_iter().flat_map(|(start, length)| [start, length]) {
        cbor::integer_into(i64::try_from(number).unwrap_or(i64::MAX), &mut out);
    }
    out
}

fn load_files(objects: &dyn Objects, root: &Hash) -> Result<BTreeMap<String, (Hash, Vec<u64>)>, SourceError> {
    let bad = || SourceError::State("file entry");
    let mut files = BTreeMap::new();
    for entry in tree::iter(objects, root) {
        let (key, value) = entry?;
        let name = key
            .get(1..)
            .and_then(|name| std::str::from_utf8(name).ok())
            .ok_or_else(bad)?;
        let Ok(Value::Map(map)) = cbor::decode(&value) else {
            return Err(bad());
        };
        let (Some(Value::Bytes(hash)), Some(Value::List(runs))) = (map.get("h"), map.get("o")) else {
            return Err(bad());
        };
        let mut order = Vec::new();
        for run in runs.chunks(2) {
            let [Value::Integer(start), Value::Integer(length)] = run else {
                return Err(bad());
            };
            let (start, length) = (
                u64::try_from(*start).map_err(|_| bad())?,
                u64::try_from(*length).map_err(|_| bad())?,
            );
            if length > u64::from(u32::MAX) {
                return Err(bad());
            }
            order.extend(start..start.saturating_add(length));
        }
        files.insert(name.to_owned(), (Hash::from_slice(hash).ok_or_else(bad)?, order));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Domain;
    use crate::port::MemoryObjects;

    fn entries() -> impl Strategy<Value = ItemEntry> {
        let id = any::<[u8; 32]>().prop_map(|bytes| SnapshotId(Hash::from_bytes(bytes)));
        let base = prop::option::of(prop::collection::vec(id, 0..3));
        let key = prop::collection::vec(any::<u8>(), 1..20);
        let native_id = prop::option::of("[a-z]{1,300}");
        (".{0,30}", prop::option::of(any::<[u8; 16]>()), native_id, key, base).prop_map(
            |(file, fingerprint, native_id, key, base)| ItemEntry {
                file,
                fingerprint,
                native_id,
                key: RecordKey::new(key).unwrap(),
                base,
            },
        )
    }

    proptest! {
        // The decoder takes canonical bytes alone.
        #[test]
        fn decode_inverts_encode(entry in entries()) {
            prop_assert_eq!(ItemEntry::decode(&entry.encode()).unwrap(), entry);
        }

        #[test]
        fn files_come_back(files in prop::collection::btree_map("[a-z]{0,9}", (any::<[u8; 32]>(), prop::collection::vec(0u64..300, 0..40)), 0..9)) {
            let objects = MemoryObjects::default();
            let files: BTreeMap<String, (Hash, Vec<u64>)> =
                files.into_iter().map(|(name, (hash, order))| (name, (Hash::from_bytes(hash), order))).collect();
            let root = Index::store_files(&objects, &tree::empty_root(), &files).unwrap();
            prop_assert_eq!(load_files(&objects, &root).unwrap(), files);
        }
    }

    #[test]
    fn agreeing_items_lose_their_own_base_and_nothing_else() {
        let objects = MemoryObjects::default();
        let empty = tree::empty_root();
        let base = Some(vec![SnapshotId(Hash::of(Domain::Snapshot, b"x"))]);
        let entry = |number: u64, base: &Option<Vec<SnapshotId>>| ItemEntry {
            file: String::new(),
            fingerprint: Some([7; 16]),
            native_id: Some(number.to_string()),
            key: RecordKey::from_identity(&number.to_string()),
            base: base.clone(),
        };
        let put = |number, base| (number, IndexEdit::Put(entry(number, base), None));
        let first: BTreeMap<u64, IndexEdit> = (1..=900).map(|number| put(number, &base)).collect();
        let (items, views) = Index::store(&objects, &empty, &empty, &first, &[]).unwrap();
        // One is edited at the same time, one goes, one was never there.
        let edits = [put(3, &base), (5, IndexEdit::Remove), put(901, &None)].into();
        let (items, _) = Index::store(&objects, &items, &views, &edits, &[2, 3, 4, 800, 5000]).unwrap();
        let found: BTreeMap<u64, ItemEntry> = Index::entries(&objects, &items).map(Result::unwrap).collect();
        let wanted = (1..=901).filter(|number| *number != 5).map(|number| {
            let agrees = [2, 3, 4, 800, 901].contains(&number);
            (number, entry(number, if agrees { &None } else { &base }))
        });
        assert_eq!(found, wanted.collect());
    }

    #[test]
    fn views_tell_which_fields_they_may_have() {
        let objects = MemoryObjects::default();
        let mut writer = ViewWriter::new(tree::empty_root());
        let view = |field: &str| ItemView {
            view: [("name".to_owned(), Value::Map([(field.to_owned(), "x".into())].into()))].into(),
            ..ItemView::default()
        };
        writer.put(&objects, 1, &view("full")).unwrap();
        writer.put(&objects, 2, &view("fuller")).unwrap();
        let views = writer.flush(&objects).unwrap();
        let mut reader = ViewReader::new(&objects, &views);
        let mut read = |number| reader.get(number).unwrap();
        assert!(read(1).unwrap().may_have("full"));
        assert!(!read(2).unwrap().may_have("full"));
        assert_eq!(read(2).unwrap().decode().unwrap(), view("fuller"));
        assert!(read(3).is_none());
    }
}
