//! The first import of a collection of items: each item becomes a record at once, in one pass over the source.
//!
//! Where a collection has nothing, no item can be a record that is there already, so none has to wait until all are
//! read; and every record is new, so the snapshot takes its canonical bytes as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::config::SourceConfig;
use super::identity::KeyMaker;
use super::intake::{new_entry, note_shared_uid};
use super::recognise::shown_first;
use super::work::Work;
use super::{SyncError, SyncResult, source_error};
use crate::model::{RecordKey, cbor};
use crate::port::Objects;
use crate::source::{FirstItems, Fresh, IndexEdit, SourceError, ViewWriter, decorate};
use crate::spool::SortedRuns;

/// What a first import has put together.
pub(super) struct Imported {
    pub(super) records: SortedRuns,
    /// What the items show.
    pub(super) views: ViewWriter,
    pub(super) edits: BTreeMap<u64, IndexEdit>,
    pub(super) notes: Vec<String>,
}

/// Makes records of items as they are read.
pub(super) struct FirstImport<'w> {
    objects: &'w dyn Objects,
    config: &'w SourceConfig,
    random: fn(&mut [u8]),
    /// The keys that were given.
    keys: BTreeSet<RecordKey>,
    imported: Imported,
    /// Why it stopped, where that is no matter of the source.
    failure: Option<SyncError>,
}

impl<'w> FirstImport<'w> {
    pub(super) fn new(work: &Work<'w>, config: &'w SourceConfig) -> Self {
        Self {
            objects: work.objects,
            config,
            random: work.env.random,
            keys: BTreeSet::new(),
            imported: Imported {
                records: SortedRuns::default(),
                views: ViewWriter::new(work.source_view(&config.name).views),
                edits: BTreeMap::new(),
                notes: Vec::new(),
            },
            failure: None,
        }
    }

    /// Returns what became of the items.
    pub(super) fn finish(self) -> SyncResult<Imported> {
        self.failure.map_or(Ok(self.imported), Err)
    }

    fn add(&mut self, mut fresh: Fresh) -> SyncResult<()> {
        let maker = KeyMaker {
            used: &|_| false,
            first_import: true,
            random: self.random,
        };
        let view = shown_first(&mut fresh);
        let uid = fresh.parsed.native_id.as_deref();
        let key = maker.make(uid, &view.view, &mut self.keys)?;
        let edit = IndexEdit::Put(new_entry(&fresh, key.clone()), None);
        self.imported.edits.insert(fresh.number, edit);
        self.imported
            .views
            .put(self.objects, fresh.number, &view)
            .map_err(|error| source_error(self.config, error))?;
        let mut record = view.view;
        decorate(&mut record, None, &view.bindings);
        if let Some(uid) = uid {
            record.insert("uid", uid.into());
            self.imported.notes.extend(note_shared_uid(uid, &key, &record));
        }
        let mut bytes = Vec::with_capacity(512);
        cbor::encode_map(&record, &mut bytes);
        Ok(self.imported.records.push(key, bytes)?)
    }
}

impl FirstItems for FirstImport<'_> {
    fn take(&mut self, fresh: Fresh) -> Result<(), SourceError> {
        self.add(fresh).map_err(|error| {
            self.failure = Some(error);
            SourceError::State("first import")
        })
    }
}
