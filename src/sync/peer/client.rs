//! The end of a connection that starts: finds out what each side lacks, gets it, sends it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::exchange::{self, Parts, PushPlan, missing};
use super::super::fetch::{Adopted, Compared, adopt, retire};
use super::super::report::{RemoteReport, Traffic};
use super::super::transport::Way;
use super::super::work::Work;
use super::super::{Environment, Overrides, SyncError, SyncResult};
use super::relation::{known_here, known_there};
use super::transfer::{self, Receiver, Trouble};
use super::{all_heads, hello, out_of_place, own_heads, peer_error, peer_view, plan_of};
use crate::delta::Snapshot;
use crate::model::{ReplicaId, SnapshotId};
use crate::remote::{
    MAX_IDS, PEER_VERSIONS, PeerError, PeerHello, PeerIdentity, PeerLink, PeerMessage, Remote, RemoteError,
    heads_digest,
};
use crate::store::{OPERATION_VERSION, RemoteView};

/// A remote that was opened: a storage or a peer.
pub(in crate::sync) enum Opened {
    Storage(Remote),
    Peer(Box<Peer>),
}

/// A peer that has introduced itself.
pub(in crate::sync) struct Peer {
    name: String,
    link: RefCell<PeerLink>,
    /// Who it is.
    pub(in crate::sync) identity: PeerIdentity,
    /// Its heads by collection.
    heads: BTreeMap<String, Vec<SnapshotId>>,
    came: RefCell<Came>,
}

/// What came from a peer and is not history yet.
#[derive(Default)]
struct Came {
    snapshots: BTreeSet<SnapshotId>,
    traffic: Traffic,
    /// Whether all that it has is here.
    is_all: bool,
}

impl Peer {
    /// Connects and exchanges hellos.
    pub(in crate::sync) fn connect(work: &Work<'_>, name: &str, way: &Way) -> SyncResult<Self> {
        let wrap = |error| peer_error(name, error);
        let mut link = way.connect(work.env, name)?;
        let mine = hello(work, None);
        let identity = greet(&mut link, &mine).map_err(wrap)?;
        if mine.identity.is_some_and(|mine| mine.replica == identity.replica) {
            return Err(wrap(PeerError::Unusable(
                "this is the store itself, or a copy of it".to_owned(),
            )));
        }
        let origin = identity.origin.to_string();
        let known = work.view.remotes.get(name).map(|view| view.remote.clone());
        if known.is_some_and(|known| !known.is_empty() && known != origin) {
            let url = way.address.to_string();
            return Err(exchange::remote_error(name, RemoteError::Replaced { url }));
        }
        // Where both have the same heads they are not sent.
        let heads = identity.heads.clone().unwrap_or_else(|| all_heads(work));
        Ok(Self {
            name: name.to_owned(),
            link: RefCell::new(link),
            heads: heads.into_iter().map(|one| (one.name, one.heads)).collect(),
            identity,
            came: RefCell::default(),
        })
    }

    /// Finds out whether a peer is there that can be understood, for one that has no store yet.
    pub(in crate::sync) fn call_on(env: &Environment, name: &str, way: &Way) -> SyncResult<()> {
        let nobody = PeerHello {
            versions: PEER_VERSIONS,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            store_format: OPERATION_VERSION,
            identity: Some(PeerIdentity {
                replica: ReplicaId::from_bytes([0; 16]),
                origin: ReplicaId::from_bytes([0; 16]),
                system: String::new(),
                digest: heads_digest(&[]),
                heads: None,
            }),
        };
        let mut link = way.connect(env, name)?;
        greet(&mut link, &nobody).map_err(|error| peer_error(name, error))?;
        Ok(())
    }

    /// Returns what is to be kept of the peer.
    pub(in crate::sync) fn view(&self, work: &Work<'_>) -> RemoteView {
        peer_view(work, &self.name, &self.identity.origin.to_string())
    }

    fn their_heads(&self) -> Vec<SnapshotId> {
        self.heads.values().flatten().copied().collect()
    }

    /// Returns what has to be asked for so that all that the peer has is here.
    pub(in crate::sync) fn requests(&self, work: &Work<'_>) -> SyncResult<Vec<PeerMessage>> {
        let theirs = self.their_heads();
        let here = known_here(work, &theirs)?;
        let want: Vec<SnapshotId> = theirs.into_iter().filter(|id| !here.contains(id)).collect();
        if want.is_empty() {
            return Ok(Vec::new());
        }
        let mut link = self.link.borrow_mut();
        let have = self
            .common(work, &mut link, here)
            .map_err(|trouble| self.failed(trouble))?;
        let mut have: Vec<SnapshotId> = have.into_iter().collect();
        let mut requests = Vec::new();
        // Any number of heads in messages of bounded size; a later one has what came by the earlier ones.
        for want in want.chunks(MAX_IDS / 2) {
            let from = have.len().saturating_sub(MAX_IDS);
            requests.push(PeerMessage::Get {
                want: want.to_vec(),
                have: have.get(from..).unwrap_or_default().to_vec(),
            });
            have.extend_from_slice(want);
        }
        Ok(requests)
    }

    /// Gets what is asked for. It is kept by `receiver`, and no history before [`Self::fetch`].
    pub(in crate::sync) fn download(
        &self,
        env: &Environment,
        requests: &[PeerMessage],
        receiver: &mut dyn Receiver,
    ) -> SyncResult<()> {
        let result = self.get(env, requests, receiver);
        result.map_err(|trouble| self.failed(trouble))?;
        self.came.borrow_mut().is_all = true;
        Ok(())
    }

    fn get(&self, env: &Environment, requests: &[PeerMessage], receiver: &mut dyn Receiver) -> Result<(), Trouble> {
        let mut link = self.link.borrow_mut();
        let before = link.received_bytes();
        for request in requests {
            link.send(request)?;
            let size = match link.receive()? {
                PeerMessage::Begin { parts, bytes } => (parts, bytes),
                message => return out_of_place(&message),
            };
            let what = format!("receiving from {}", self.name);
            let received = transfer::receive(&mut link, receiver, size, env, &what)?;
            let mut came = self.came.borrow_mut();
            came.snapshots.extend(received.snapshots);
            came.traffic.packs += received.packs;
        }
        self.came.borrow_mut().traffic.bytes += link.received_bytes() - before;
        Ok(())
    }

    /// Returns snapshots of ours that bound what the peer has of our history. Those that it does not have it passes over.
    fn common(
        &self,
        work: &Work<'_>,
        link: &mut PeerLink,
        here: BTreeSet<SnapshotId>,
    ) -> Result<BTreeSet<SnapshotId>, Trouble> {
        let ours = own_heads(work);
        let mut base = here;
        let pushed: Vec<SnapshotId> = self.view(work).pushed.into_values().flatten().collect();
        // What was dropped here by going back is no common ground.
        base.extend(known_here(work, &pushed)?);
        let known: Vec<SnapshotId> = base.iter().copied().collect();
        let unsure = missing(work, &known, &ours)?;
        if unsure.len() + base.len() <= MAX_IDS / 2 {
            base.extend(unsure);
        } else {
            let there = known_there(work, link, &unsure)?;
            let there: Vec<SnapshotId> = there.into_iter().collect();
            let heads = work.history.heads_of(&there);
            base.extend(heads.map_err(|error| super::super::other("reading the history", error))?);
        }
        Ok(base)
    }

    /// Compares the peer with what is known of it: it must not have gone back, nor this store.
    pub(in crate::sync) fn compare(&self, work: &mut Work<'_>, allow: Overrides) -> SyncResult<Compared> {
        let came = self.came.borrow();
        let mut own: BTreeMap<String, (u32, SnapshotId)> = BTreeMap::new();
        for id in &came.snapshots {
            // What cannot be read is told when it is taken in.
            let Ok(snapshot) = Snapshot::read(work.objects, id) else {
                continue;
            };
            if snapshot.replica == work.view.replica && !known_here(work, &[*id])?.contains(id) {
                let newest = own.entry(snapshot.collection).or_insert((0, *id));
                *newest = (*newest).max((snapshot.generation, *id));
            }
        }
        if came.is_all
            && let Some(detail) = self.gone(work)
        {
            if !allow.rollback {
                let name = self.name.clone();
                return Err(SyncError::RolledBack { name, detail });
            }
            let mut view = self.view(work);
            view.pushed.clear();
            work.view.remotes.insert(self.name.clone(), view);
        }
        if own.is_empty() {
            return Ok(Compared::with_peer(false));
        }
        // Somebody got from us what we do not know: this store is older than it was.
        retire(work);
        let sent = own.into_iter().map(|(name, (_, id))| (name, vec![id]));
        work.last_sent.extend(sent);
        Ok(Compared::with_peer(true))
    }

    /// Returns what the peer once had and has no more. All that it has is here.
    fn gone(&self, work: &Work<'_>) -> Option<String> {
        let theirs = self.their_heads();
        let pushed: Vec<SnapshotId> = self.view(work).pushed.into_values().flatten().collect();
        // Where the history cannot be followed the taking in will tell.
        let gone = missing(work, &theirs, &pushed).ok()?;
        let last = gone.last()?;
        Some(format!("snapshot {} was there and is there no more", last.short()))
    }

    /// Makes what came a part of the history.
    pub(in crate::sync) fn fetch(&self, work: &mut Work<'_>, compared: &Compared) -> SyncResult<RemoteReport> {
        let mut came = self.came.borrow_mut();
        let mut report = RemoteReport {
            name: self.name.clone(),
            reached: true,
            received: std::mem::take(&mut came.traffic),
            ..RemoteReport::default()
        };
        if compared.restored {
            report.message = Some(super::super::fetch::RESTORED.to_owned());
        }
        let ids: Vec<SnapshotId> = came.snapshots.iter().copied().collect();
        let here = known_here(work, &ids)?;
        let new: Vec<SnapshotId> = ids.into_iter().filter(|id| !here.contains(id)).collect();
        if !new.is_empty() {
            match adopt(work, &new, &self.name)? {
                Adopted::All(transactions) => report.received.transactions += transactions,
                Adopted::Waiting(id) => {
                    return Err(SyncError::Damaged(format!(
                        "peer `{}` sent what builds on snapshot {}, and not that snapshot",
                        self.name,
                        id.short()
                    )));
                }
            }
        }
        if came.is_all {
            self.note_heads(work)?;
        }
        Ok(report)
    }

    /// Notes that the peer has its heads.
    fn note_heads(&self, work: &mut Work<'_>) -> SyncResult<()> {
        let here = known_here(work, &self.their_heads())?;
        let mut view = self.view(work);
        for (name, heads) in &self.heads {
            if heads.iter().all(|id| here.contains(id)) {
                // It may have more by now: what we sent.
                let mut known = view.pushed.remove(name).unwrap_or_default();
                known.extend_from_slice(heads);
                let known = work.history.heads_of(&known);
                let known = known.map_err(|error| super::super::other("reading the history", error))?;
                view.pushed.insert(name.clone(), known);
                work.share(name, heads)?;
            }
        }
        work.view.remotes.insert(self.name.clone(), view);
        Ok(())
    }

    /// Plans what to send: exactly what the peer lacks.
    pub(in crate::sync) fn plan_push(&self, work: &Work<'_>) -> SyncResult<PushPlan> {
        let theirs = self.their_heads();
        let here = known_here(work, &theirs)?;
        let ours = own_heads(work);
        let have: Vec<SnapshotId> = here.iter().copied().collect();
        let mut list = missing(work, &have, &ours)?;
        if !list.is_empty() && here.len() < theirs.len() {
            // It has something that is not here, and on it may be something of ours that came there by another way.
            let mut link = self.link.borrow_mut();
            let there = known_there(work, &mut link, &list).map_err(|trouble| self.failed(trouble))?;
            list.retain(|id| !there.contains(id));
        }
        plan_of(work, list)
    }

    /// Sends what was planned; returns what went.
    pub(in crate::sync) fn upload(&self, work: &Work<'_>, parts: &Parts) -> SyncResult<Traffic> {
        let mut link = self.link.borrow_mut();
        let before = link.sent_bytes();
        let mut go = || -> Result<u64, Trouble> {
            let what = format!("sending to {}", self.name);
            let packs = transfer::send(work, &mut link, parts, &what)?;
            match link.receive()? {
                PeerMessage::Taken => Ok(packs),
                message => out_of_place(&message),
            }
        };
        let packs = go().map_err(|trouble| self.failed(trouble))?;
        Ok(Traffic {
            packs,
            bytes: link.sent_bytes() - before,
            transactions: parts.transactions,
        })
    }

    fn failed(&self, trouble: Trouble) -> SyncError {
        match trouble {
            Trouble::Own(error) => error,
            Trouble::Link(error) => peer_error(&self.name, error),
        }
    }
}

/// Exchanges hellos.
fn greet(link: &mut PeerLink, mine: &PeerHello) -> Result<PeerIdentity, PeerError> {
    link.send(&PeerMessage::Hello(mine.clone()))?;
    match link.receive()? {
        PeerMessage::Hello(theirs) => agreed(theirs),
        message => Err(PeerError::OutOfPlace(message.kind())),
    }
}

/// Checks that both sides understand each other.
fn agreed(theirs: PeerHello) -> Result<PeerIdentity, PeerError> {
    match (PEER_VERSIONS.common(theirs.versions), theirs.identity) {
        (Some(_), Some(identity)) => Ok(identity),
        (None, _) => Err(PeerError::Version {
            program: theirs.program,
            theirs: theirs.versions,
            ours: PEER_VERSIONS,
        }),
        (Some(_), None) => Err(PeerError::OutOfPlace(1)),
    }
}
