//! Care of the store: verify and gc.

use std::collections::BTreeSet;

use super::exchange::{self, remote_error};
use super::report::{Damage, GcSummary, VerifyReport};
use super::repository::{Repository, store_error};
use super::{SyncResult, other};
use crate::delta::{Delta, Entry, Snapshot};
use crate::merge;
use crate::model::{Hash, SnapshotId, Value, cbor};
use crate::port::{ObjectError, Objects, blob};
use crate::remote::{Address, FolderStorage, LogObject, RemoteError};
use crate::store::{SourceView, View};
use crate::tree;

/// How many operations `gc` keeps for `undo` (chosen: two months of a sync every half hour that finds something).
const KEEP_OPERATIONS: usize = 1000;

impl Repository {
    /// Reads every object and reference and lists what is damaged; with `remote`, also every object there.
    pub fn verify(&self, remote: Option<&str>, deep: bool) -> SyncResult<VerifyReport> {
        let mut report = VerifyReport {
            objects: self.store.object_count(),
            bytes: self.store.stored_bytes(),
            damaged: Vec::new(),
        };
        let found = self.store.verify(&mut |_, _, _| Ok(())).map_err(store_error)?;
        for damage in found {
            report.damaged.push(Damage {
                id: damage
                    .id
                    .map_or_else(|| damage.path.display().to_string(), |id| id.to_string()),
                what: damage.what,
                affects: format!(
                    "objects in `{}`; a remote or another system may still have them",
                    damage.path.display()
                ),
            });
        }
        self.verify_references(deep, &mut report);
        if let Some(name) = remote {
            self.verify_remote(name, &mut report)?;
        }
        Ok(report)
    }

    /// Follows every reference from the present view.
    fn verify_references(&self, deep: bool, report: &mut VerifyReport) {
        let mut seen = BTreeSet::new();
        let view = self.store.view();
        let mut mark = |id| seen.insert(id);
        if let Err(error) = reach_view(&self.store, view, &mut mark, &|_| true, States::Kept) {
            report.damaged.push(Damage {
                id: object_of(&error),
                what: error.to_string(),
                affects: "the history or the previous state of a source".to_owned(),
            });
        }
        if !deep {
            return;
        }
        let work = self.reading();
        for (name, collection) in &view.collections {
            let Ok(ids) = exchange::missing(&work, &[], &collection.heads) else {
                continue;
            };
            for id in ids {
                if let Err(error) = merge::receive(&work.history, &id) {
                    report.damaged.push(Damage {
                        id: id.to_string(),
                        what: super::chain(&error),
                        affects: format!("snapshot of collection `{name}`"),
                    });
                }
            }
        }
    }

    fn verify_remote(&self, name: &str, report: &mut VerifyReport) -> SyncResult<()> {
        let remote = exchange::open(&self.reading(), self.config.remote(name)?)?;
        let listing = remote.list().map_err(|error| remote_error(name, error))?;
        let remedy = format!("`dsync roll {name}` on a system that is in step writes what it has anew");
        let mut check = |id: String, bytes: Option<&u64>, read: Result<LogObject, RemoteError>, what: &str| {
            report.objects += 1;
            report.bytes += bytes.copied().unwrap_or(0);
            match read {
                Ok(_) => Ok(()),
                Err(error @ (RemoteError::Torn { .. } | RemoteError::Damaged { .. })) => {
                    report.damaged.push(Damage {
                        id,
                        what: error.to_string(),
                        affects: format!("{what} remote `{name}`; {remedy}"),
                    });
                    Ok(())
                }
                Err(error) => Err(remote_error(name, error)),
            }
        };
        for log_name in listing.logs.values().flat_map(|log| log.values()).flatten() {
            let bytes = listing.length_bytes.get(log_name);
            check(log_name.to_string(), bytes, remote.read(log_name), "a push to")?;
        }
        for (base, bytes) in &listing.base_bytes {
            check(base.to_string(), Some(bytes), remote.read_base(base), "a base of")?;
        }
        Ok(())
    }

    /// Drops what nothing reaches, and the snapshots that an undo took out of the history.
    ///
    /// Of the snapshots that stay, those that neither the collections nor the sources stand on keep their difference sets and
    /// lose their trees.
    pub fn gc(&mut self, dry_run: bool) -> SyncResult<GcSummary> {
        self.begin()?;
        let objects_before = self.store.object_count();
        let bytes_before = self.store.stored_bytes();
        let mut views = Vec::new();
        for operation in self.store.operations().take(KEEP_OPERATIONS) {
            views.push(operation.map_err(store_error)?.1.view);
        }
        let present = self.store.view().clone();
        let heads = present.collections.values().flat_map(|view| view.heads.clone());
        let heads: Vec<SnapshotId> = heads.collect();
        let live: BTreeSet<SnapshotId> = exchange::missing(&self.reading(), &[], &heads)?.into_iter().collect();
        let keep = |objects: &dyn Objects, mark: &mut dyn FnMut(Hash) -> bool| -> Result<(), ObjectError> {
            reach_view(objects, &present, mark, &|_| true, States::Kept)?;
            let is_live = |id: &SnapshotId| live.contains(id);
            views
                .iter()
                .try_for_each(|view| reach_view(objects, view, mark, &is_live, States::Dropped))
        };
        if dry_run {
            let mut kept = BTreeSet::new();
            keep(&self.store, &mut |id| kept.insert(id)).map_err(|error| other("following references", error))?;
            let objects_after = kept.iter().filter(|id| self.store.contains(id)).count() as u64;
            return Ok(GcSummary {
                objects_before,
                objects_after,
                bytes_before,
                bytes_after: bytes_before,
            });
        }
        let report = self.store.gc(&keep, KEEP_OPERATIONS).map_err(store_error)?;
        self.remove_leftovers();
        Ok(GcSummary {
            objects_before,
            objects_after: report.objects_kept,
            bytes_before: report.bytes_before,
            bytes_after: report.bytes_after,
        })
    }
}

impl Repository {
    /// Removes what stopped uploads left on the remotes that are there; what stays is seen by nobody.
    fn remove_leftovers(&self) {
        for remote in self.config.remotes() {
            let Ok(Address::Folder(folder)) = Address::parse(&remote.url) else {
                continue;
            };
            let storage = FolderStorage::open(self.env.disk.clone(), &folder).ok();
            let _left = storage.map(|storage| storage.remove_leftovers(self.env.clock.now()));
        }
    }
}

fn object_of(error: &ObjectError) -> String {
    match error {
        ObjectError::Missing(id) | ObjectError::Damaged { id, .. } => id.to_string(),
        ObjectError::Io { .. } => String::new(),
    }
}

/// Turns an error of a pure part into what the object port speaks.
fn object_error(id: Hash, error: &(dyn std::error::Error + 'static)) -> ObjectError {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if let Some(object) = inner.downcast_ref::<ObjectError>() {
            return object.clone();
        }
        cause = inner.source();
    }
    ObjectError::damaged(id, error)
}

/// What is marked of the states that a view stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum States {
    /// Their trees.
    Kept,
    /// Nothing: their trees can be made again.
    Dropped,
}

/// Marks everything that a view reaches, of the snapshots those for which `is_kept` holds.
fn reach_view(
    objects: &dyn Objects,
    view: &View,
    mark: &mut dyn FnMut(Hash) -> bool,
    is_kept: &dyn Fn(&SnapshotId) -> bool,
    states: States,
) -> Result<(), ObjectError> {
    let collections = view.collections.values();
    let mut heads: Vec<SnapshotId> = collections.flat_map(|view| view.heads.iter().copied()).collect();
    for source in view.sources.values() {
        heads.extend(source.base.iter().copied());
        reach_source(objects, source, &mut heads, mark)?;
    }
    heads.retain(is_kept);
    if states == States::Kept {
        let standing: BTreeSet<SnapshotId> = heads.iter().copied().collect();
        standing.iter().try_for_each(|id| reach_state(objects, id, mark))?;
    }
    for remote in view.remotes.values() {
        let pushed = remote.pushed.values().flatten().copied();
        heads.extend(pushed.filter(is_kept));
        if let Some(outbox) = &remote.outbox {
            mark(outbox.blob);
        }
    }
    if let Some(config) = view.config {
        mark(config);
    }
    reach_history(objects, heads, mark)
}

/// Marks the tree of a snapshot's result, if it is here.
fn reach_state(objects: &dyn Objects, id: &SnapshotId, mark: &mut dyn FnMut(Hash) -> bool) -> Result<(), ObjectError> {
    let snapshot = Snapshot::read(objects, id).map_err(|error| object_error(id.0, &error))?;
    let content = snapshot.result.content;
    if !objects.contains(&content) {
        return Ok(());
    }
    let mut blobs = Vec::new();
    reach_tree(objects, &content, mark, &mut |_, value| {
        if let Ok(Entry::Record(record)) = Entry::decode(value) {
            blob::references(&record, &mut blobs);
        }
    })?;
    mark_blobs(objects, &blobs, mark)
}

fn reach_source(
    objects: &dyn Objects,
    source: &SourceView,
    heads: &mut Vec<SnapshotId>,
    mark: &mut dyn FnMut(Hash) -> bool,
) -> Result<(), ObjectError> {
    let mut roots = vec![(source.index, source.views, source.files)];
    if let Some(intent) = &source.intent {
        roots.push((intent.index, intent.views, intent.files));
        heads.extend(intent.base.iter().copied());
    }
    for (index, views, files) in roots {
        reach_tree(objects, &index, mark, &mut |_, value| {
            if let Ok(Value::Map(entry)) = cbor::decode(value)
                && let Some(Value::List(base)) = entry.get("b")
            {
                let ids = base.iter().filter_map(|id| match id {
                    Value::Bytes(bytes) => Hash::from_slice(bytes).map(SnapshotId),
                    _ => None,
                });
                heads.extend(ids);
            }
        })?;
        reach_values(objects, &views, mark)?;
        reach_tree(objects, &files, mark, &mut |_, _| {})?;
    }
    Ok(())
}

/// Marks the nodes of a tree; `entry` gets the entries of nodes that were not marked before.
fn reach_tree(
    objects: &dyn Objects,
    root: &Hash,
    mark: &mut dyn FnMut(Hash) -> bool,
    entry: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<(), ObjectError> {
    tree::visit(objects, root, &mut |id| mark(*id), entry).map_err(|error| object_error(*root, &error))
}

/// Marks a tree of values and the blobs they name.
fn reach_values(objects: &dyn Objects, root: &Hash, mark: &mut dyn FnMut(Hash) -> bool) -> Result<(), ObjectError> {
    let mut blobs = Vec::new();
    reach_tree(objects, root, mark, &mut |_, value| {
        if let Ok(value) = cbor::decode(value) {
            blob::references(&value, &mut blobs);
        }
    })?;
    mark_blobs(objects, &blobs, mark)
}

fn mark_blobs(
    objects: &dyn Objects,
    blobs: &[crate::model::BlobRef],
    mark: &mut dyn FnMut(Hash) -> bool,
) -> Result<(), ObjectError> {
    for blob in blobs {
        for part in blob::parts(objects, blob)? {
            if !objects.contains(&part) {
                return Err(ObjectError::Missing(part));
            }
            mark(part);
        }
    }
    Ok(())
}

fn reach_history(
    objects: &dyn Objects,
    mut open: Vec<SnapshotId>,
    mark: &mut dyn FnMut(Hash) -> bool,
) -> Result<(), ObjectError> {
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) || !mark(id.0) {
            continue;
        }
        let snapshot = Snapshot::read(objects, &id).map_err(|error| object_error(id.0, &error))?;
        let delta = Delta::open(objects, &snapshot.delta).map_err(|error| object_error(snapshot.delta, &error))?;
        let wrap = |error| object_error(snapshot.delta, &error);
        let mut part = |_, id: &Hash| {
            if !objects.contains(id) {
                return Err(ObjectError::Missing(*id).into());
            }
            mark(*id);
            Ok(())
        };
        delta.each_object(&mut part).map_err(wrap)?;
        let blobs = delta.blob_references().map_err(wrap)?;
        mark_blobs(objects, &blobs, mark)?;
        reach_values(objects, &snapshot.result.conflicts, mark)?;
        open.extend(snapshot.parents.iter().copied());
    }
    Ok(())
}
