//! One command's work: the view of the store as it is to become, and shared look-ups.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::config::{Config, SourceConfig};
use super::{Environment, SyncError, SyncResult, other};
use crate::delta::{Entry, State, Transaction};
use crate::format::{self, Format, Selected};
use crate::merge::{self, Authoring, History, MergeError};
use crate::model::contact::Fields;
use crate::model::row::{Schema, schema_key};
use crate::model::{BlobShape, Hash, Kind, RecordKey, SnapshotId, Value};
use crate::port::{Objects, blob};
use crate::source::Place;
use crate::spool::SortedRuns;
use crate::store::{CollectionView, SourceView, View};

/// The state of a command between its start and its commit.
pub(super) struct Work<'a> {
    pub(super) env: &'a Environment,
    pub(super) root: &'a Path,
    pub(super) config: &'a Config,
    pub(super) objects: &'a dyn Objects,
    pub(super) history: History<'a>,
    pub(super) view: View,
    /// The heads that the newest object of this store's own earlier log tells, by collection, once it was read.
    pub(super) last_sent: BTreeMap<String, Vec<SnapshotId>>,
    formats: RefCell<BTreeMap<String, Arc<dyn Format>>>,
    /// The schema that was looked up last, by the content it is of.
    schema: RefCell<Option<(Hash, Option<Rc<Schema>>)>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        env: &'a Environment,
        root: &'a Path,
        config: &'a Config,
        objects: &'a dyn Objects,
        view: View,
    ) -> Self {
        let history = History::new(objects);
        Self {
            env,
            root,
            config,
            objects,
            history,
            view,
            last_sent: BTreeMap::new(),
            formats: RefCell::default(),
            schema: RefCell::default(),
        }
    }

    /// Returns what is kept of a source; for a new one, nothing.
    pub(super) fn source_view(&self, name: &str) -> SourceView {
        self.view
            .sources
            .get(name)
            .cloned()
            .unwrap_or_else(|| empty_source_view(self.config, name))
    }

    pub(super) fn set_source_view(&mut self, name: &str, view: SourceView) {
        self.view.sources.insert(name.to_owned(), view);
    }

    pub(super) fn heads(&self, collection: &str) -> Vec<SnapshotId> {
        self.view
            .collections
            .get(collection)
            .map(|view| view.heads.clone())
            .unwrap_or_default()
    }

    pub(super) fn set_heads(&mut self, collection: &str, kind: Kind, heads: Vec<SnapshotId>) {
        let entry = self.view.collections.entry(collection.to_owned());
        entry
            .or_insert_with(|| CollectionView {
                kind,
                heads: Vec::new(),
                shared: Vec::new(),
            })
            .heads = heads;
    }

    /// Notes that another store may have these snapshots from now on.
    pub(super) fn share(&mut self, collection: &str, snapshots: &[SnapshotId]) -> SyncResult<()> {
        let Some(view) = self.view.collections.get_mut(collection) else {
            return Ok(());
        };
        let mut shared = view.shared.clone();
        shared.extend_from_slice(snapshots);
        view.shared = self
            .history
            .heads_of(&shared)
            .map_err(|error| other("reading the history", error))?;
        Ok(())
    }

    /// Returns the merged state of a collection.
    pub(super) fn state(&self, collection: &str) -> SyncResult<State> {
        self.state_at(&self.heads(collection))
    }

    /// Returns the merged state at some heads.
    pub(super) fn state_at(&self, heads: &[SnapshotId]) -> SyncResult<State> {
        merge::merged_state(&self.history, heads).map_err(|error| other("merging", error))
    }

    pub(super) fn entry(&self, state: &State, key: &RecordKey) -> SyncResult<Option<Entry>> {
        merge::record(self.objects, state, key).map_err(|error| other("reading a record", error))
    }

    pub(super) fn record(&self, state: &State, key: &RecordKey) -> SyncResult<Option<Value>> {
        Ok(self.entry(state, key)?.and_then(Entry::into_record))
    }

    /// Returns the schema of a state of rows; `None` for other kinds.
    pub(super) fn schema(&self, state: &State) -> SyncResult<Option<Rc<Schema>>> {
        if let Some((content, schema)) = &*self.schema.borrow()
            && *content == state.content
        {
            return Ok(schema.clone());
        }
        let record = self.record(state, &schema_key())?;
        let schema = record.map(|record| Rc::new(Schema::from_record(&record)));
        *self.schema.borrow_mut() = Some((state.content, schema.clone()));
        Ok(schema)
    }

    /// Counts the records of a state; the schema is none.
    pub(super) fn record_count(&self, state: &State) -> SyncResult<u64> {
        let count = merge::record_count(self.objects, state).map_err(|error| other("counting records", error))?;
        Ok(count.saturating_sub(u64::from(self.schema(state)?.is_some())))
    }

    /// Returns a value as text, from its blob if need be; `None` when it is no text.
    pub(super) fn text(&self, value: &Value) -> SyncResult<Option<String>> {
        match value {
            Value::Text(text) => Ok(Some(text.to_string())),
            Value::Blob(reference) if reference.shape == BlobShape::Text => {
                Ok(String::from_utf8(blob::get(self.objects, reference)?).ok())
            }
            _ => Ok(None),
        }
    }

    /// Records a snapshot on `parents` and makes it a head.
    pub(super) fn author(
        &mut self,
        collection: &str,
        parents: &[SnapshotId],
        transactions: impl Iterator<Item = Transaction>,
        message: Option<&str>,
    ) -> SyncResult<SnapshotId> {
        self.author_from(collection, parents, transactions.map(Ok), message)
    }

    /// Says who authors a snapshot now.
    fn authoring(&self, collection: &str, message: Option<&str>) -> Authoring {
        let known = self.view.collections.get(collection);
        Authoring {
            collection: collection.to_owned(),
            kind: known.map_or(Kind::Contact, |view| view.kind),
            replica: self.view.replica,
            system: self.view.system.clone(),
            time: self.env.clock.now(),
            message: message.map(str::to_owned),
        }
    }

    /// Records the first snapshot of a collection: `records`, in order of their keys, by their canonical bytes.
    pub(super) fn author_first(
        &mut self,
        collection: &str,
        records: SortedRuns,
        message: Option<&str>,
    ) -> SyncResult<SnapshotId> {
        let wrap = |error| other("recording a snapshot", error);
        let meta = self.authoring(collection, message);
        let kind = meta.kind;
        let mut snapshot = merge::Additions::new(self.objects);
        for record in records.in_order()? {
            let (key, record) = record?;
            snapshot.push(key.bytes(), &record).map_err(wrap)?;
        }
        let id = snapshot.finish(meta).map_err(wrap)?;
        self.add_heads(collection, kind, &[id])?;
        Ok(id)
    }

    /// Records a snapshot of transactions that may fail to arrive.
    pub(super) fn author_from(
        &mut self,
        collection: &str,
        parents: &[SnapshotId],
        mut transactions: impl Iterator<Item = SyncResult<Transaction>>,
        message: Option<&str>,
    ) -> SyncResult<SnapshotId> {
        let meta = self.authoring(collection, message);
        let kind = meta.kind;
        let mut failure = None;
        let list = std::iter::from_fn(|| match transactions.next()? {
            Ok(transaction) => Some(Ok(transaction)),
            Err(error) => {
                failure = Some(error);
                Some(Err(MergeError::MalformedEntry {
                    key: String::new(),
                    what: "it cannot be read",
                }))
            }
        });
        let id = merge::author(&self.history, parents, meta, list);
        if let Some(error) = failure {
            return Err(error);
        }
        let id = id.map_err(|error| {
            super::settings::newer(collection, &error).unwrap_or_else(|| other("recording a snapshot", error))
        })?;
        self.add_heads(collection, kind, &[id])?;
        Ok(id)
    }

    /// Adds snapshots to the heads of a collection; those that are ancestors of others are no heads.
    pub(super) fn add_heads(&mut self, collection: &str, kind: Kind, new: &[SnapshotId]) -> SyncResult<()> {
        let mut heads = self.heads(collection);
        heads.extend_from_slice(new);
        let heads = self
            .history
            .heads_of(&heads)
            .map_err(|error| other("finding the heads", error))?;
        self.set_heads(collection, kind, heads);
        Ok(())
    }

    /// Returns the format of a source, by name or by the person's own mapping.
    pub(super) fn format(&self, config: &SourceConfig) -> SyncResult<Arc<dyn Format>> {
        let fields = config.contact_fields()?;
        let chosen = fields.as_ref().map(Fields::text).unwrap_or_default();
        let mut cached = match &config.map {
            Some(map) => format!("{chosen} of map {}", map.display()),
            None => format!("{chosen} of {}", config.format),
        };
        if let Some(encoding) = &config.encoding {
            cached = format!("{cached} in {encoding}");
        }
        if let Some(known) = self.formats.borrow().get(&cached) {
            return Ok(known.clone());
        }
        let found = match &config.map {
            Some(map) => read_mapping(self.env, &self.root.join(map))?,
            None => format_named(&config.format)?,
        };
        let found = in_encoding(found, config.encoding.as_deref())?;
        let found = match fields {
            Some(fields) => Arc::new(Selected::new(found, fields)),
            None => found,
        };
        self.formats.borrow_mut().insert(cached, found.clone());
        Ok(found)
    }

    /// Returns the place of a source.
    pub(super) fn place(&self, config: &SourceConfig) -> SyncResult<Place> {
        if super::tabled::is_meant(config) {
            return Ok(Place::File(super::tabled::copy_path(self.root, &config.name)));
        }
        place_of(
            &*self.format(config)?,
            &config.location,
            self.env.disk.is_dir(&config.location),
        )
    }

    pub(super) fn cache_path(&self, source: &str) -> PathBuf {
        self.root.join("cache").join(format!("{source}.stat"))
    }
}

/// Returns the place at a path: a folder where it is one and the format has one item per file.
pub(super) fn place_of(format: &dyn Format, path: &Path, is_folder: bool) -> SyncResult<Place> {
    match (is_folder, format.info().folder_extension) {
        (false, _) => Ok(Place::File(path.to_owned())),
        (true, Some(extension)) => Ok(Place::Folder {
            path: path.to_owned(),
            extension: extension.to_owned(),
        }),
        (true, None) => Err(SyncError::Location {
            location: path.to_owned(),
            reason: format!(
                "it is a folder, and {} has many records in one file",
                format.info().name
            ),
        }),
    }
}

/// Returns a compiled-in format by name.
pub(super) fn format_named(name: &str) -> SyncResult<Arc<dyn Format>> {
    let mut formats = format::all();
    let candidates: Vec<String> = formats.iter().map(|format| format.info().name.clone()).collect();
    match formats.iter().position(|format| format.info().name == name) {
        Some(at) => Ok(Arc::from(formats.swap_remove(at))),
        None => Err(SyncError::Unknown {
            what: "format",
            name: name.to_owned(),
            candidates,
        }),
    }
}

/// Returns a format for files in an encoding that a person stated.
pub(super) fn in_encoding(format: Arc<dyn Format>, label: Option<&str>) -> SyncResult<Arc<dyn Format>> {
    let Some(label) = label else { return Ok(format) };
    format.in_encoding(label).map(Arc::from).ok_or_else(|| {
        let name = &format.info().name;
        SyncError::Usage(if format.in_encoding("utf-8").is_some() {
            format!("`{label}` is no encoding that is known; known are the labels of the web's Encoding Standard, such as windows-1250, iso-8859-2, koi8-r, shift_jis, gbk")
        } else {
            format!("files of {name} say their encoding themselves; it cannot be stated")
        })
    })
}

/// Reads a person's own mapping file.
pub(super) fn read_mapping(env: &Environment, path: &Path) -> SyncResult<Arc<dyn Format>> {
    let bad = |reason: String| SyncError::Config {
        path: path.to_owned(),
        reason,
    };
    let text = String::from_utf8(env.disk.read(path)?).map_err(|_| bad("it is not UTF-8".to_owned()))?;
    format::rows::from_mapping(&text)
        .map(Arc::from)
        .map_err(|error| bad(error.to_string()))
}

/// Returns what is kept of a source that was never read.
pub(super) fn empty_source_view(config: &Config, name: &str) -> SourceView {
    let empty = crate::tree::empty_root();
    SourceView {
        collection: config
            .source(name)
            .map(|source| source.collection.clone())
            .unwrap_or_default(),
        index: empty,
        views: empty,
        files: empty,
        base: Vec::new(),
        next_item: 1,
        lens: None,
        intent: None,
        extra: BTreeMap::new(),
    }
}
