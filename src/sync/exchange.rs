//! Exchange with remotes: opening them, and sending what they lack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::config::RemoteConfig;

use super::work::Work;
use super::{SyncError, SyncResult, other};
use crate::delta::Delta;
use crate::disk::Disk;
use crate::model::{Domain, Hash, SnapshotId};
use crate::port::blob;
use crate::remote::{
    CollectionHeads, FolderStorage, Keys, LogName, LogObject, PART_TARGET_BYTES, Part, Remote, RemoteError, Storage,
};
use crate::store::{Outbox, RemoteView};

/// Makes the storage that a URL names.
pub(super) fn storage(disk: &Disk, name: &str, url: &str, create: bool) -> SyncResult<Box<dyn Storage>> {
    let path = folder_of(url)?;
    let made = if create {
        FolderStorage::create(disk.clone(), &path)
    } else {
        FolderStorage::open(disk.clone(), &path)
    };
    match made {
        Ok(storage) => Ok(Box::new(storage)),
        Err(error) => Err(SyncError::Unreachable {
            name: name.to_owned(),
            source: Box::new(error),
        }),
    }
}

/// Returns the folder of a folder remote; other schemes have adapters of their own.
pub(super) fn folder_of(url: &str) -> SyncResult<PathBuf> {
    if let Some(path) = url.strip_prefix("file://") {
        return Ok(PathBuf::from(path));
    }
    if let Some(path) = url.strip_prefix("file:") {
        return Ok(PathBuf::from(path));
    }
    match url.split_once("://") {
        Some(("ssh" | "sftp" | "http" | "https" | "dav" | "davs" | "s3" | "dsync+http" | "dsync+https", _)) => {
            Err(SyncError::NotBuilt("a remote over the network"))
        }
        Some((scheme, _)) => Err(SyncError::Usage(format!("`{scheme}` is no kind of remote"))),
        None => Ok(PathBuf::from(url)),
    }
}

/// Returns the file that holds this system's key of a remote.
pub(super) fn key_path(root: &Path, name: &str) -> PathBuf {
    root.join("keys").join(name)
}

/// Turns an error of a remote into one of the operation.
pub(super) fn remote_error(name: &str, error: RemoteError) -> SyncError {
    if error.is_temporary() {
        return SyncError::Unreachable {
            name: name.to_owned(),
            source: Box::new(error),
        };
    }
    let code = match &error {
        RemoteError::Damaged { .. } => return SyncError::Damaged(format!("remote `{name}`: {error}")),
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
    let storage = storage(disk, &config.name, &config.url, false)?;
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
        seen: BTreeMap::new(),
        outbox: None,
        pushed: BTreeMap::new(),
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

/// An object of a pack.
type Carried = (Domain, Vec<u8>);

/// Collects the objects that carry a snapshot: itself, its difference set, the blobs it names.
fn carried(work: &Work<'_>, id: &SnapshotId) -> SyncResult<(Vec<Carried>, u64)> {
    let wrap = |error| other("reading a difference set", error);
    let snapshot = work
        .history
        .snapshot(id)
        .map_err(|error| other("reading the history", error))?;
    let mut list = Vec::new();
    let delta = Delta::open(work.objects, &snapshot.delta).map_err(wrap)?;
    for reference in delta.blob_references().map_err(wrap)? {
        for (at, part) in blob::parts(work.objects, &reference)?.into_iter().enumerate() {
            let large = reference.length_bytes > blob::CHUNK_MAX_BYTES as u64;
            let domain = if at == 0 && large {
                Domain::ChunkList
            } else {
                Domain::Blob
            };
            list.push((domain, work.objects.get(&part)?.to_vec()));
        }
    }
    for block in delta.blocks() {
        list.push((Domain::Delta, work.objects.get(&block)?.to_vec()));
    }
    list.push((Domain::Snapshot, work.objects.get(&id.0)?.to_vec()));
    Ok((list, snapshot.counts.total()))
}

/// What is to be sent to a remote.
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

/// Makes the log objects of a push, each of bounded size; the last makes all visible.
pub(super) fn log_objects(work: &Work<'_>, plan: &PushPlan, view: &RemoteView) -> SyncResult<(Vec<LogObject>, u64)> {
    let mut bodies: Vec<Vec<(Domain, Vec<u8>)>> = vec![Vec::new()];
    let mut size = 0;
    let mut transactions = 0;
    let mut sent: BTreeSet<Hash> = BTreeSet::new();
    for id in plan.snapshots.values().flatten() {
        let (objects, count) = carried(work, id)?;
        transactions += count;
        for (domain, bytes) in objects {
            if !sent.insert(Hash::of(domain, &bytes)) {
                continue;
            }
            if size > 0 && size + bytes.len() > PART_TARGET_BYTES {
                bodies.push(Vec::new());
                size = 0;
            }
            size += bytes.len();
            if let Some(body) = bodies.last_mut() {
                body.push((domain, bytes));
            }
        }
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
        .collect::<Vec<_>>();
    let count = bodies.len();
    let mut list = Vec::with_capacity(count);
    for (at, objects) in bodies.into_iter().enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let last = at + 1 == count;
        list.push(LogObject {
            replica: work.view.replica,
            sequence: view.next_sequence + at as u64,
            predecessors: work.view.predecessors.clone(),
            system: work.view.system.clone(),
            time: work.env.clock.now(),
            seen: if last { view.seen.clone() } else { BTreeMap::new() },
            collections: if last { collections.clone() } else { Vec::new() },
            part: match (count, last) {
                (1, _) => Part::Whole,
                (_, true) => Part::Last { pieces: Vec::new() },
                _ => Part::Piece {
                    number,
                    count: u32::try_from(count).unwrap_or(u32::MAX),
                },
            },
            objects,
        });
    }
    Ok((list, transactions))
}

/// Seals a log object and records it as to be sent, before the first byte leaves.
pub(super) fn prepare(
    work: &mut Work<'_>,
    name: &str,
    remote: &Remote,
    mut object: LogObject,
    pieces: &mut Vec<LogName>,
) -> SyncResult<(LogName, Vec<u8>)> {
    if let Part::Last { pieces: list } = &mut object.part {
        list.clone_from(pieces);
    }
    let (log_name, sealed) = remote.prepare(&object).map_err(|error| remote_error(name, error))?;
    pieces.push(log_name);
    let blob = work.objects.put(Domain::Blob, &sealed)?;
    let mut view = remote_view(work, name, remote);
    view.next_sequence = object.sequence + 1;
    view.outbox = Some(Outbox {
        sequence: object.sequence,
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
