//! Taking in what remotes have: read in causal order, proved, and only then made heads.

use std::collections::{BTreeMap, BTreeSet};

use super::exchange::{missing, remote_error, remote_view};
use super::report::{RemoteReport, Traffic, Union};
use super::roll;
use super::work::Work;
use super::{Overrides, SyncError, SyncResult};
use crate::delta::Snapshot;
use crate::merge;
use crate::model::{Domain, Kind, ReplicaId, SnapshotId};
use crate::port::Objects;
use crate::remote::{Listing, LogName, LogObject, Part, Remote, RemoteError};
use crate::store::Told;

/// Which objects a pack may carry.
const CARRIED: [Domain; 6] = [
    Domain::Snapshot,
    Domain::Delta,
    Domain::Blob,
    Domain::ChunkList,
    // Of a set that is a whole tree.
    Domain::Leaf,
    Domain::Inner,
];

/// What is told of a store that is older than what others have from it.
pub(super) const RESTORED: &str = "this store is older than what it once sent; it goes on under a new replica id";

/// A remote's listing, compared with what is known here.
pub(super) struct Compared {
    pub(super) listing: Listing,
    /// Whether this store turned out older than what it once sent, so that it got a new replica id.
    pub(super) restored: bool,
}

impl Compared {
    /// Returns what comparing a peer tells, which has no listing.
    pub(super) fn with_peer(restored: bool) -> Self {
        Self {
            listing: Listing::default(),
            restored,
        }
    }
}

/// Lists a remote and compares it with what was seen and sent: a remote must not have gone back, and this store must
/// not write under a number it once used.
pub(super) fn compare(work: &mut Work<'_>, name: &str, remote: &Remote, allow: Overrides) -> SyncResult<Compared> {
    let wrap = |error| remote_error(name, error);
    let view = remote_view(work, name, remote);
    let expected = expected(work, &view);
    let mut listing = remote.list().map_err(wrap)?;
    if behind(&expected, &listing.newest()).is_some() {
        // A listing may come late once; twice it is the truth.
        listing = remote.list().map_err(wrap)?;
    }
    if let Some(detail) = behind(&expected, &listing.newest()) {
        if !allow.rollback {
            return Err(SyncError::RolledBack {
                name: name.to_owned(),
                detail,
            });
        }
        accept_rollback(work, name, remote, &listing);
    }
    roll::learn(work, name, remote, &listing);
    let own = listing.newest().get(&work.view.replica).copied().unwrap_or(0);
    let restored = own >= remote_view(work, name, remote).next_sequence;
    if restored {
        retire(work);
    }
    Ok(Compared { listing, restored })
}

/// Returns the newest number that a remote must have of each replica, this one included.
fn expected(work: &Work<'_>, view: &crate::store::RemoteView) -> BTreeMap<ReplicaId, u64> {
    let mut expected = view.seen.clone();
    let sent = match &view.outbox {
        Some(outbox) => outbox.sequence,
        None => view.next_sequence,
    };
    expected.insert(work.view.replica, sent.saturating_sub(1));
    expected
}

fn behind(expected: &BTreeMap<ReplicaId, u64>, newest: &BTreeMap<ReplicaId, u64>) -> Option<String> {
    expected.iter().find_map(|(replica, expected)| {
        let there = newest.get(replica).copied().unwrap_or(0);
        (there < *expected)
            .then(|| format!("object {expected} of replica {replica} was there, now the newest is {there}"))
    })
}

/// Goes on from what a rolled-back remote has: what it lost is sent again. Where it lost objects of ours, numbers
/// would be missing in our log for ever, so a new one is begun.
fn accept_rollback(work: &mut Work<'_>, name: &str, remote: &Remote, listing: &Listing) {
    let newest = listing.newest();
    let mut view = remote_view(work, name, remote);
    for (replica, seen) in &mut view.seen {
        *seen = (*seen).min(newest.get(replica).copied().unwrap_or(0));
    }
    view.pushed.clear();
    for log_name in listing.logs.values().flat_map(BTreeMap::values).flatten() {
        // What cannot be read is taken as lost.
        let Ok(object) = remote.read(log_name) else { continue };
        extend_pushed(work, &mut view.pushed, &object);
    }
    let expected = expected(work, &view).get(&work.view.replica).copied().unwrap_or(0);
    let there = newest.get(&work.view.replica).copied().unwrap_or(0);
    work.view.remotes.insert(name.to_owned(), view);
    if there < expected {
        retire(work);
    }
}

/// Adds the heads that an object makes known to those that a remote has.
pub(super) fn extend_pushed(work: &Work<'_>, pushed: &mut BTreeMap<String, Vec<SnapshotId>>, object: &LogObject) {
    for heads in &object.collections {
        let own = work.heads(&heads.name);
        let known = pushed.entry(heads.name.clone()).or_default();
        known.extend(heads.heads.iter().filter(|id| is_here(work, &own, id)));
        if let Ok(ids) = work.history.heads_of(known) {
            *known = ids;
        }
    }
}

/// Gives this store a new replica id. What it holds may be in the store that it was copied from, too.
pub(super) fn retire(work: &mut Work<'_>) {
    for collection in work.view.collections.values_mut() {
        collection.shared.clone_from(&collection.heads);
    }
    let mut bytes = [0; 16];
    (work.env.random)(&mut bytes);
    let old = std::mem::replace(&mut work.view.replica, ReplicaId::from_bytes(bytes));
    work.view.predecessors.push(old);
    for view in work.view.remotes.values_mut() {
        view.next_sequence = 1;
        view.outbox = None;
        view.told = Told::default();
        view.retired.insert(old);
    }
}

/// Takes in what a remote has.
///
/// An object that builds on something that is not here waits, and with it what follows in its log; so does one after
/// a gap in the numbers, which a late listing leaves. The logs are gone through until none gives anything more, as
/// one may wait for another.
pub(super) fn fetch(work: &mut Work<'_>, name: &str, remote: &Remote, compared: &Compared) -> SyncResult<RemoteReport> {
    let mut report = RemoteReport {
        name: name.to_owned(),
        reached: true,
        ..RemoteReport::default()
    };
    if compared.restored {
        report.message = Some(RESTORED.to_owned());
    }
    let listing = &compared.listing;
    let mut damaged = None;
    let mut unreadable: BTreeSet<ReplicaId> = BTreeSet::new();
    caught_up(work, (name, remote), listing, &unreadable, &mut report, &mut damaged)?;
    let mut open: BTreeSet<ReplicaId> = compared.listing.logs.keys().copied().collect();
    open.remove(&work.view.replica);
    loop {
        let mut waiting = BTreeSet::new();
        let mut progress = false;
        let mut failed = None;
        unreadable.clear();
        report.message = None;
        for replica in open {
            let mut reader = LogReader {
                name,
                remote,
                replica,
                traffic: &mut report.received,
                pieces: BTreeMap::new(),
                progress: false,
                is_torn: false,
            };
            match reader.read(work, listing) {
                Ok(None) => {}
                Ok(Some(why)) => {
                    if reader.is_torn {
                        unreadable.insert(replica);
                    }
                    waiting.insert(replica);
                    report.message = Some(why);
                }
                Err(error @ SyncError::Damaged(_)) => {
                    unreadable.insert(replica);
                    waiting.insert(replica);
                    failed = failed.or(Some(error));
                }
                Err(error) => return Err(error),
            }
            progress |= reader.progress;
        }
        // What cannot be read in a log may be in a base.
        let is_stuck = !progress && !unreadable.is_empty();
        let is_filled = is_stuck && caught_up(work, (name, remote), listing, &unreadable, &mut report, &mut damaged)?;
        if waiting.is_empty() || !progress && !is_filled {
            damaged = damaged.or(failed);
            break;
        }
        open = waiting;
    }
    if roll::meet_own_end(work, name, remote) {
        report.message = Some(format!(
            "this system was forgotten on `{name}`; it goes on under a new replica id, with all that it has"
        ));
    }
    if compared.restored {
        report.message = Some(RESTORED.to_owned());
    }
    roll::acknowledge(work, name, remote)?;
    damaged.map_or(Ok(report), Err)
}

/// Takes in bases; one that is damaged is kept in mind and stops nothing else.
fn caught_up(
    work: &mut Work<'_>,
    remote: (&str, &Remote),
    listing: &Listing,
    unreadable: &BTreeSet<ReplicaId>,
    report: &mut RemoteReport,
    damaged: &mut Option<SyncError>,
) -> SyncResult<bool> {
    match roll::catch_up(work, remote, listing, unreadable, &mut report.received) {
        Err(error @ SyncError::Damaged(_)) => {
            damaged.get_or_insert(error);
            Ok(false)
        }
        result => result,
    }
}

/// Reads the log of one replica from where it was left.
struct LogReader<'r> {
    name: &'r str,
    remote: &'r Remote,
    replica: ReplicaId,
    traffic: &'r mut Traffic,
    /// The pieces of a push with the snapshots in them: only the last object of the push says which of them count.
    pieces: BTreeMap<LogName, (Part, Vec<SnapshotId>)>,
    progress: bool,
    /// Whether it ended at an object that is there in part only.
    is_torn: bool,
}

impl LogReader<'_> {
    /// Returns why the log could not be read to its end, if so.
    fn read(&mut self, work: &mut Work<'_>, listing: &Listing) -> SyncResult<Option<String>> {
        let Some(log) = listing.logs.get(&self.replica) else {
            return Ok(None);
        };
        let seen = remote_view(work, self.name, self.remote).seen;
        let first = seen.get(&self.replica).copied().unwrap_or(0) + 1;
        for (next, (sequence, names)) in (first..).zip(log.range(first..)) {
            if *sequence != next {
                return Ok(Some(format!(
                    "object {next} of replica {} is not there yet",
                    self.replica
                )));
            }
            let mut pushed = true;
            for name in names {
                let object = match self.remote.read(name) {
                    Ok(object) => object,
                    Err(error) if error.is_temporary() => {
                        self.is_torn = matches!(error, RemoteError::Torn { .. });
                        return Ok(Some(error.to_string()));
                    }
                    // The storage refuses it, which says nothing about the object.
                    Err(error @ RemoteError::Storage(_)) => return Err(remote_error(self.name, error)),
                    Err(error) => return Err(SyncError::Damaged(error.to_string())),
                };
                self.traffic.bytes += listing.length_bytes.get(name).copied().unwrap_or(0);
                match self.object(work, name, &object)? {
                    Step::Taken => {}
                    Step::Piece => pushed = false,
                    Step::Wait(why) => return Ok(Some(why)),
                }
            }
            // The pieces of a push are passed together with its last object, so that a later run reads them again.
            if pushed {
                let mut view = remote_view(work, self.name, self.remote);
                view.seen.insert(self.replica, *sequence);
                work.view.remotes.insert(self.name.to_owned(), view);
                self.progress = true;
            }
        }
        Ok(None)
    }

    fn object(&mut self, work: &mut Work<'_>, name: &LogName, object: &LogObject) -> SyncResult<Step> {
        let mut snapshots = store_objects(work.objects, object)?;
        match &object.part {
            Part::Piece { .. } => {
                self.traffic.packs += 1;
                self.pieces.insert(*name, (object.part.clone(), snapshots));
                return Ok(Step::Piece);
            }
            Part::Last { pieces } => {
                let count = u32::try_from(pieces.len() + 1).unwrap_or(u32::MAX);
                for (number, piece) in (1..).zip(pieces) {
                    let Some((part, more)) = self.pieces.remove(piece) else {
                        return Ok(Step::Wait(format!("`{piece}`, a part of `{name}`, is not there yet")));
                    };
                    if part != (Part::Piece { number, count }) {
                        return Err(SyncError::Damaged(format!(
                            "`{piece}` is another part than `{name}` says"
                        )));
                    }
                    snapshots.extend(more);
                }
            }
            Part::Whole => {}
        }
        match adopt(work, &snapshots, &name.to_string())? {
            Adopted::All(transactions) => self.traffic.transactions += transactions,
            Adopted::Waiting(missing) => {
                return Ok(Step::Wait(format!(
                    "`{name}` builds on snapshot {} that is not here yet",
                    missing.short()
                )));
            }
        }
        self.traffic.packs += 1;
        let mut view = remote_view(work, self.name, self.remote);
        extend_pushed(work, &mut view.pushed, object);
        roll::hear(&mut view, object);
        work.view.remotes.insert(self.name.to_owned(), view);
        if work.view.predecessors.last() == Some(&self.replica) {
            let sent = object.collections.iter();
            work.last_sent
                .extend(sent.map(|heads| (heads.name.clone(), heads.heads.clone())));
        }
        Ok(Step::Taken)
    }
}

enum Step {
    Taken,
    Piece,
    Wait(String),
}

/// Stores the objects of a log object and returns its snapshots. They count for nothing before [`adopt`].
pub(super) fn store_objects(objects: &dyn Objects, object: &LogObject) -> SyncResult<Vec<SnapshotId>> {
    let mut snapshots = Vec::new();
    for (domain, bytes) in &object.objects {
        if !CARRIED.contains(domain) {
            return Err(SyncError::Damaged(format!(
                "a pack of `{}` carries an object of a kind no pack has",
                object.system
            )));
        }
        if matches!(domain, Domain::Leaf | Domain::Inner)
            && let Err(error) = crate::tree::check_node(bytes)
        {
            return Err(SyncError::Damaged(format!(
                "a pack of `{}` carries what is no node: {error}",
                object.system
            )));
        }
        let id = objects.put(*domain, bytes)?;
        if *domain == Domain::Snapshot {
            snapshots.push(SnapshotId(id));
        }
    }
    Ok(snapshots)
}

pub(super) enum Adopted {
    /// All are here, with so many transactions.
    All(u64),
    /// This parent is not here.
    Waiting(SnapshotId),
}

/// Proves received snapshots one after the other and, when all are proved, makes them heads.
pub(super) fn adopt(work: &mut Work<'_>, snapshots: &[SnapshotId], whence: &str) -> SyncResult<Adopted> {
    let damaged = |what: &dyn std::fmt::Display| SyncError::Damaged(format!("`{whence}`: {what}"));
    let mut list = BTreeMap::new();
    for id in snapshots {
        let snapshot = Snapshot::read(work.objects, id).map_err(|error| damaged(&error))?;
        list.insert((snapshot.generation, *id), snapshot);
    }
    let together: BTreeSet<SnapshotId> = snapshots.iter().copied().collect();
    for snapshot in list.values() {
        let heads = work.heads(&snapshot.collection);
        for parent in snapshot.parents.iter().filter(|parent| !together.contains(*parent)) {
            if !is_here(work, &heads, parent) {
                return Ok(Adopted::Waiting(*parent));
            }
        }
    }
    let mut transactions = 0;
    work.env
        .progress
        .start("checking what was received", Some(list.len() as u64));
    for (done, ((_, id), snapshot)) in list.iter().enumerate() {
        work.env.progress.at(done as u64);
        let known = work.view.collections.get(&snapshot.collection).map(|view| view.kind);
        if known.is_some_and(|kind| kind != snapshot.kind) {
            return Err(damaged(&format!(
                "collection `{}` is of another kind here",
                snapshot.collection
            )));
        }
        merge::receive(&work.history, id).map_err(|error| {
            let newer = super::settings::newer(&snapshot.collection, &error);
            newer.unwrap_or_else(|| damaged(&super::chain(&error)))
        })?;
        transactions += snapshot.counts.total();
    }
    work.env.progress.finish();
    let parents: BTreeSet<SnapshotId> = list.values().flat_map(|snapshot| snapshot.parents.clone()).collect();
    for ((_, id), snapshot) in &list {
        work.add_heads(&snapshot.collection, snapshot.kind, &[*id])?;
        if !parents.contains(id) {
            work.share(&snapshot.collection, &[*id])?;
        }
    }
    Ok(Adopted::All(transactions))
}

/// Returns whether a snapshot is one of `heads` or in their history: only those were proved.
pub(super) fn is_here(work: &Work<'_>, heads: &[SnapshotId], id: &SnapshotId) -> bool {
    heads.contains(id)
        || work.objects.contains(&id.0) && missing(work, heads, &[*id]).is_ok_and(|missing| missing.is_empty())
}

/// Unites records that came since the heads `before` with records that were there.
pub(super) fn unite_all(work: &mut Work<'_>, before: &BTreeMap<String, Vec<SnapshotId>>) -> SyncResult<Vec<Union>> {
    let mut unions = Vec::new();
    let mut names: Vec<String> = work.view.collections.keys().cloned().collect();
    // Rows are one by their keys alone.
    names.retain(|name| {
        work.view
            .collections
            .get(name)
            .is_none_or(|view| view.kind != Kind::Row)
    });
    for name in names {
        if let Some(before) = before.get(&name) {
            unions.extend(super::unite::unite_records(
                work,
                &name,
                before,
                "united records that are one",
            )?);
        }
    }
    Ok(unions)
}
