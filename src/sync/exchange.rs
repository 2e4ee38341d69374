//! Exchange with remotes: opening them, and sending what they lack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::config::RemoteConfig;
use super::transport::Way;
use super::work::Work;
use super::{SyncError, SyncResult, other};
use crate::delta::Delta;
use crate::disk::Disk;
use crate::model::{Domain, Hash, ReplicaId, SnapshotId};
use crate::port::blob;
use crate::remote::{CollectionHeads, Keys, LogName, LogObject, Part, Remote, RemoteError, StorageError};
use crate::store::{Outbox, RemoteView};

/// Returns the file that holds this system's key of a remote.
pub(super) fn key_path(root: &Path, name: &str) -> PathBuf {
    root.join("keys").join(name)
}

/// Turns an error of a remote into one of the operation.
pub(super) fn remote_error(name: &str, error: RemoteError) -> SyncError {
    let is_full = error.is_full();
    if is_full || error.is_temporary() {
        return SyncError::Unreachable {
            name: name.to_owned(),
            is_full,
            source: Box::new(error),
        };
    }
    let code = match &error {
        RemoteError::Damaged { .. } => return SyncError::Damaged(format!("remote `{name}`: {error}")),
        RemoteError::Storage(StorageError::Denied { .. }) => "denied",
        RemoteError::NotARemote { .. } => "not-a-remote",
        RemoteError::NewerVersion { .. } => "newer-version",
        RemoteError::NoKeyFits { .. } => "no-key-fits",
        RemoteError::WrongPassphrase { .. } => "wrong-passphrase",
        RemoteError::Replaced { .. } => "replaced",
        _ => "remote",
    };
    SyncError::Remote {
        name: name.to_owned(),
        code,
        source: Box::new(error),
    }
}

/// Opens a configured remote with the keys of this system.
pub(super) fn open(work: &Work<'_>, config: &RemoteConfig) -> SyncResult<Remote> {
    let disk = &work.env.disk;
    let wrap = |error| remote_error(&config.name, error);
    let mut keys = Keys::default();
    let default = key_path(work.root, &config.name);
    let key_file = config.key_file.clone().unwrap_or(default);
    if disk.stat(&key_file)?.is_some() {
        keys.add_file(disk, &key_file, &mut |_| None)
            .map_err(|error| wrap(error.into()))?;
    }
    if let Some(file) = &config.passphrase_file {
        let text = String::from_utf8(disk.read(file)?).unwrap_or_default();
        keys.add_passphrase(text.trim_end_matches(['\r', '\n']).to_owned().into());
    }
    let way = Way::configured(&config.url, &config.transport)?;
    if way.is_peer() {
        return Err(SyncError::Usage(format!(
            "`{}` is a peer: another store, which has neither keys nor packs of its own",
            config.name
        )));
    }
    let storage = way.open(work.env, &config.name, false)?;
    let pin = work
        .view
        .remotes
        .get(&config.name)
        .and_then(|view| view.remote.parse().ok());
    match pin {
        Some(pin) => Remote::open_known(storage, &keys, pin).map_err(wrap),
        None => Remote::open(storage, &keys).map_err(wrap),
    }
}

/// Returns what is kept of a remote.
pub(super) fn remote_view(work: &Work<'_>, name: &str, remote: &Remote) -> RemoteView {
    let known = work.view.remotes.get(name).cloned();
    known.unwrap_or_else(|| RemoteView {
        remote: remote.pin().to_string(),
        next_sequence: 1,
        ..RemoteView::default()
    })
}

/// Lists what is in the history of `want` and not in that of `have`, parents first.
pub(super) fn missing(work: &Work<'_>, have: &[SnapshotId], want: &[SnapshotId]) -> SyncResult<Vec<SnapshotId>> {
    let wrap = |error| other("reading the history", error);
    // By descending generation a snapshot is met after all that descend from it, so its mark is final.
    let mut queue: BTreeMap<(u32, SnapshotId), bool> = BTreeMap::new();
    for (ids, wanted) in [(want, true), (have, false)] {
        for id in ids {
            let generation = work.history.snapshot(id).map_err(wrap)?.generation;
            let mark = queue.entry((generation, *id)).or_insert(wanted);
            *mark &= wanted;
        }
    }
    let mut found = Vec::new();
    while queue.values().any(|wanted| *wanted) {
        let Some(((_, id), wanted)) = queue.pop_last() else {
            break;
        };
        if wanted {
            found.push(id);
        }
        for parent in &work.history.snapshot(&id).map_err(wrap)?.parents {
            let generation = work.history.snapshot(parent).map_err(wrap)?.generation;
            let mark = queue.entry((generation, *parent)).or_insert(wanted);
            *mark &= wanted;
        }
    }
    found.reverse();
    Ok(found)
}

/// Calls `each` with the objects that carry a snapshot: the blobs that its difference set names, the set, itself.
///
/// Returns how many transactions the set has.
pub(super) fn each_carried(
    work: &Work<'_>,
    id: &SnapshotId,
    each: &mut dyn FnMut(Domain, Hash) -> SyncResult<()>,
) -> SyncResult<u64> {
    let wrap = |error| other("reading a difference set", error);
    let snapshot = work
        .history
        .snapshot(id)
        .map_err(|error| other("reading the history", error))?;
    let delta = Delta::open(work.objects, &snapshot.delta).map_err(wrap)?;
    for reference in delta.blob_references().map_err(wrap)? {
        for (at, part) in blob::parts(work.objects, &reference)?.into_iter().enumerate() {
            let large = reference.length_bytes > blob::CHUNK_MAX_BYTES as u64;
            let domain = if at == 0 && large {
                Domain::ChunkList
            } else {
                Domain::Blob
            };
            each(domain, part)?;
        }
    }
    let mut failure = None;
    let mut carried = |domain, id: &Hash| {
        if failure.is_none() {
            failure = each(domain, *id).err();
        }
        Ok(())
    };
    delta.each_object(&mut carried).map_err(wrap)?;
    failure.map_or(Ok(()), Err)?;
    each(Domain::Snapshot, id.0)?;
    Ok(snapshot.counts.total())
}

/// What is to be sent to a remote.
#[derive(Default)]
pub(super) struct PushPlan {
    /// Snapshots it lacks, parents first, by collection.
    pub(super) snapshots: BTreeMap<String, Vec<SnapshotId>>,
}

/// Plans a push: which snapshots does the remote lack?
pub(super) fn plan_push(work: &Work<'_>, view: &RemoteView) -> SyncResult<PushPlan> {
    let mut snapshots = BTreeMap::new();
    for (name, collection) in &work.view.collections {
        let have: Vec<SnapshotId> = view.pushed.get(name).cloned().unwrap_or_default();
        if have == collection.heads {
            continue;
        }
        let list = missing(work, &have, &collection.heads)?;
        if !list.is_empty() {
            snapshots.insert(name.clone(), list);
        }
    }
    Ok(PushPlan { snapshots })
}

/// A push, cut into parts of bounded size. It knows which objects are in which part; their bytes are read when the log
/// object of a part is made, so that one part at a time is in memory.
pub(super) struct Parts {
    objects: Vec<Vec<(Domain, Hash)>>,
    /// The bytes of the objects of each part.
    lengths: Vec<usize>,
    collections: Vec<CollectionHeads>,
    /// How many transactions the push has.
    pub(super) transactions: u64,
}

impl Parts {
    /// Cuts a push.
    pub(super) fn of(work: &Work<'_>, plan: &PushPlan) -> SyncResult<Self> {
        let mut cutter = Cutter::new(work.env.part_bytes);
        let mut transactions = 0;
        let mut sent: BTreeSet<Hash> = BTreeSet::new();
        for id in plan.snapshots.values().flatten() {
            transactions += each_carried(work, id, &mut |domain, id| {
                if sent.insert(id) {
                    cutter.push((domain, id), work.objects.get(&id)?.len());
                }
                Ok(())
            })?;
        }
        let collections = plan
            .snapshots
            .keys()
            .filter_map(|name| {
                let view = work.view.collections.get(name)?;
                Some(CollectionHeads {
                    name: name.clone(),
                    kind: view.kind.name().to_owned(),
                    heads: view.heads.clone(),
                })
            })
            .collect();
        Ok(Self {
            objects: cutter.parts,
            lengths: cutter.lengths,
            collections,
            transactions,
        })
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// Returns the objects of part `at`.
    pub(super) fn objects(&self, at: usize) -> &[(Domain, Hash)] {
        self.objects.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns how many bytes the objects of part `at` have.
    pub(super) fn part_bytes(&self, at: usize) -> u64 {
        self.lengths.get(at).copied().unwrap_or(0) as u64
    }

    /// Returns how many bytes the objects have together.
    pub(super) fn length_bytes(&self) -> u64 {
        self.lengths.iter().map(|length| *length as u64).sum()
    }

    /// Makes the log object of part `at` under the next number of `view`. The last one says what the push says and names the
    /// `pieces` before it, so that nothing of it counts before all of it is there.
    pub(super) fn log_object(
        &self,
        work: &Work<'_>,
        view: &RemoteView,
        at: usize,
        pieces: &[LogName],
    ) -> SyncResult<LogObject> {
        let mut objects = Vec::new();
        for (domain, id) in self.objects.get(at).into_iter().flatten() {
            objects.push((*domain, work.objects.get(id)?.to_vec()));
        }
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let is_last = at + 1 == self.len();
        let news = if is_last {
            News::of(view, &work.view.replica)
        } else {
            News::default()
        };
        Ok(LogObject {
            replica: work.view.replica,
            sequence: view.next_sequence,
            predecessors: if is_last { predecessors(work) } else { Vec::new() },
            system: work.view.system.clone(),
            time: work.env.clock.now(),
            seen: news.seen,
            acknowledged: news.acknowledged,
            forgotten: news.forgotten,
            collections: if is_last { self.collections.clone() } else { Vec::new() },
            part: match (self.len(), is_last) {
                (1, _) => Part::Whole,
                (_, true) => Part::Last {
                    pieces: pieces.to_vec(),
                },
                (count, false) => Part::Piece {
                    number: narrow(at + 1),
                    count: narrow(count),
                },
            },
            objects,
        })
    }
}

/// Returns the ids that this store had before, in the order in which objects list them.
fn predecessors(work: &Work<'_>) -> Vec<ReplicaId> {
    let ids: BTreeSet<ReplicaId> = work.view.predecessors.iter().copied().collect();
    ids.into_iter().collect()
}

/// What this system's objects have not told yet.
#[derive(Default, PartialEq)]
pub(super) struct News {
    seen: BTreeMap<ReplicaId, u64>,
    pub(super) acknowledged: BTreeMap<ReplicaId, u64>,
    pub(super) forgotten: BTreeMap<ReplicaId, u64>,
}

impl News {
    /// Compares what is known with what was told.
    pub(super) fn of(view: &RemoteView, own: &ReplicaId) -> Self {
        let told = &view.told;
        let seen = view
            .seen
            .iter()
            .filter(|(replica, seen)| told.seen.get(replica) != Some(seen));
        let acknowledged = view.acknowledged.get(own).filter(|own| **own != told.acknowledged);
        Self {
            seen: seen.map(|(replica, seen)| (*replica, *seen)).collect(),
            acknowledged: acknowledged.cloned().unwrap_or_default(),
            forgotten: if view.forgotten == told.forgotten {
                BTreeMap::new()
            } else {
                view.forgotten.clone()
            },
        }
    }

    /// Makes a log object that tells this and nothing else.
    pub(super) fn into_log_object(self, work: &Work<'_>, view: &RemoteView) -> LogObject {
        LogObject {
            replica: work.view.replica,
            sequence: view.next_sequence,
            predecessors: predecessors(work),
            system: work.view.system.clone(),
            time: work.env.clock.now(),
            seen: self.seen,
            acknowledged: self.acknowledged,
            forgotten: self.forgotten,
            collections: Vec::new(),
            part: Part::Whole,
            objects: Vec::new(),
        }
    }
}

/// Puts things in order into parts of at most `target_bytes`; one that is larger is a part alone.
pub(super) struct Cutter<T> {
    pub(super) parts: Vec<Vec<T>>,
    /// The bytes in each part.
    lengths: Vec<usize>,
    target_bytes: usize,
}

impl<T> Cutter<T> {
    pub(super) fn new(target_bytes: usize) -> Self {
        Self {
            parts: vec![Vec::new()],
            lengths: vec![0],
            target_bytes,
        }
    }

    pub(super) fn push(&mut self, thing: T, length_bytes: usize) {
        let filled_bytes = self.lengths.last().copied().unwrap_or(0);
        if filled_bytes > 0 && filled_bytes + length_bytes > self.target_bytes {
            self.parts.push(Vec::new());
            self.lengths.push(0);
        }
        if let (Some(part), Some(filled_bytes)) = (self.parts.last_mut(), self.lengths.last_mut()) {
            part.push(thing);
            *filled_bytes += length_bytes;
        }
    }
}

/// Seals a log object and records it as to be sent, before the first byte leaves.
pub(super) fn prepare(
    work: &mut Work<'_>,
    name: &str,
    remote: &Remote,
    object: LogObject,
) -> SyncResult<(LogName, Vec<u8>)> {
    let sequence = object.sequence;
    let (log_name, sealed) = remote.prepare(&object).map_err(|error| remote_error(name, error))?;
    for sent in &object.collections {
        work.share(&sent.name, &sent.heads)?;
    }
    let mut view = remote_view(work, name, remote);
    view.next_sequence = sequence + 1;
    view.told.seen.extend(object.seen);
    for (told, news) in [
        (&mut view.told.acknowledged, object.acknowledged),
        (&mut view.told.forgotten, object.forgotten),
    ] {
        if !news.is_empty() {
            *told = news;
        }
    }
    view.sent
        .extend(object.collections.into_iter().map(|sent| (sent.name, sent.heads)));
    drop(object.objects);
    let blob = work.objects.put(Domain::Blob, &sealed)?;
    view.outbox = Some(Outbox {
        sequence,
        name: log_name.to_string(),
        blob,
    });
    work.view.remotes.insert(name.to_owned(), view);
    Ok((log_name, sealed))
}

/// Sends again what a push that was cut off had recorded, with the same bytes.
pub(super) fn resume(work: &mut Work<'_>, name: &str, remote: &Remote) -> SyncResult<bool> {
    let mut view = remote_view(work, name, remote);
    let Some(outbox) = view.outbox.take() else {
        return Ok(false);
    };
    let Some(log_name) = LogName::parse(&outbox.name) else {
        return Err(SyncError::Damaged(format!("the outbox of remote `{name}`")));
    };
    let sealed = work.objects.get(&outbox.blob)?;
    remote
        .upload(&log_name, &sealed)
        .map_err(|error| remote_error(name, error))?;
    let object = remote
        .decode(&log_name, &sealed)
        .map_err(|error| remote_error(name, error))?;
    for heads in object.collections {
        view.pushed.insert(heads.name, heads.heads);
    }
    work.view.remotes.insert(name.to_owned(), view);
    Ok(true)
}

/// Records that a push is done.
pub(super) fn pushed(work: &mut Work<'_>, name: &str, plan: &PushPlan) {
    let heads: Vec<(String, Vec<SnapshotId>)> = plan
        .snapshots
        .keys()
        .map(|collection| (collection.clone(), work.heads(collection)))
        .collect();
    if let Some(view) = work.view.remotes.get_mut(name) {
        view.outbox = None;
        view.pushed.extend(heads);
    }
}

/// Keeps the data key of a remote that was opened with something that is not at hand later.
pub(super) fn keep_data_key(disk: &Disk, path: &Path, remote: &Remote) -> SyncResult<()> {
    if let Some(text) = remote.data_key_text() {
        if let Some(folder) = path.parent() {
            disk.create_private_dir(folder)?;
        }
        crate::remote::write_secret(disk, path, &text).map_err(|error| other("keeping the key", error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Cutter;

    proptest! {
        #[test]
        fn parts_are_bounded_and_keep_the_order(lengths in proptest::collection::vec(0..50usize, 0..20), target in 1..80usize) {
            let mut cutter = Cutter::new(target);
            for length in &lengths {
                cutter.push(*length, *length);
            }
            for pair in cutter.parts.windows(2) {
                let size: usize = pair[0].iter().sum();
                prop_assert!(size <= target || pair[0].iter().filter(|length| **length > 0).count() == 1);
                // No part is closed early.
                prop_assert!(size + pair[1][0] > target);
            }
            prop_assert_eq!(cutter.parts.concat(), lengths);
        }
    }
}
