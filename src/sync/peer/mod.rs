//! Peers: exchange with another store over a connection, from both of its ends.
//!
//! `client` is the end that starts, used by a command in `run`; `serving` is the end that is started. Both send and receive
//! with `transfer`. What is in whose history is found out by `relation`.

mod client;
mod relation;
mod run;
mod serving;
mod transfer;

pub(super) use client::{Opened, Peer};
pub use serving::refusal;
pub(super) use transfer::Plain;
pub use transfer::Trouble;

use super::work::Work;
use super::{SyncError, SyncResult};
use crate::model::{Domain, Hash, SnapshotId};
use crate::remote::{CollectionHeads, PEER_VERSIONS, PeerError, PeerHello, PeerIdentity, RefusedBecause, heads_digest};
use crate::store::{OPERATION_VERSION, RemoteView};

/// Returns the heads of all collections that have some, in order of name.
fn all_heads(work: &Work<'_>) -> Vec<CollectionHeads> {
    let collections = work.view.collections.iter().filter(|(_, view)| !view.heads.is_empty());
    collections
        .map(|(name, view)| CollectionHeads {
            name: name.clone(),
            kind: view.kind.name().to_owned(),
            heads: view.heads.clone(),
        })
        .collect()
}

/// Returns the heads of all collections in one list.
fn own_heads(work: &Work<'_>) -> Vec<SnapshotId> {
    let collections = work.view.collections.values();
    collections.flat_map(|view| view.heads.iter().copied()).collect()
}

/// Returns the hello of this store; its heads are in it where `other` is a digest that is not its own.
fn hello(work: &Work<'_>, other: Option<&Hash>) -> PeerHello {
    let heads = all_heads(work);
    let digest = heads_digest(&heads);
    let view = &work.view;
    PeerHello {
        versions: PEER_VERSIONS,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        store_format: OPERATION_VERSION,
        identity: Some(PeerIdentity {
            replica: view.replica,
            origin: view.predecessors.first().copied().unwrap_or(view.replica),
            system: view.system.clone(),
            digest,
            heads: other.filter(|other| **other != digest).map(|_| heads),
        }),
    }
}

/// Turns an error of a peer into one of the operation.
pub(super) fn peer_error(name: &str, error: PeerError) -> SyncError {
    use RefusedBecause as Because;
    let code = match &error {
        PeerError::Interrupted => return SyncError::Interrupted,
        error if error.is_temporary() => "",
        PeerError::Malformed(_) | PeerError::OutOfPlace(_) => {
            return SyncError::Damaged(format!("peer `{name}`: {}", super::chain(&error)));
        }
        PeerError::Refused { because, .. } => match because {
            Because::Damaged => return SyncError::Damaged(format!("peer `{name}` refuses what it got: {error}")),
            Because::NoStore => "no-store-there",
            Because::Newer => "newer-version",
            _ => "remote",
        },
        PeerError::Version { .. } => "peer-version",
        PeerError::NoProgram { .. } => "peer-program",
        PeerError::NotAPeer { .. } => "not-a-peer",
        _ => "remote",
    };
    let is_full = matches!(
        &error,
        PeerError::Refused {
            because: Because::Full,
            ..
        }
    );
    let (name, source) = (name.to_owned(), Box::new(error));
    if code.is_empty() {
        SyncError::Unreachable { name, is_full, source }
    } else {
        SyncError::Remote { name, code, source }
    }
}

/// Returns what is kept of a peer that has this origin.
fn peer_view(work: &Work<'_>, name: &str, origin: &str) -> RemoteView {
    let known = work.view.remotes.get(name).cloned();
    known.unwrap_or_else(|| RemoteView {
        remote: origin.to_owned(),
        next_sequence: 1,
        ..RemoteView::default()
    })
}

/// An object as an offer names it.
type Offered = (Domain, Hash);

/// Returns an error for use inside a transfer.
fn out_of_place<T>(message: &crate::remote::PeerMessage) -> Result<T, Trouble> {
    Err(Trouble::Link(PeerError::OutOfPlace(message.kind())))
}

/// Adds snapshots in order to a plan by their collections.
fn plan_of(work: &Work<'_>, ids: Vec<SnapshotId>) -> SyncResult<super::exchange::PushPlan> {
    let mut plan = super::exchange::PushPlan {
        snapshots: std::collections::BTreeMap::new(),
    };
    for id in ids {
        let snapshot = work.history.snapshot(&id);
        let snapshot = snapshot.map_err(|error| super::other("reading the history", error))?;
        plan.snapshots.entry(snapshot.collection.clone()).or_default().push(id);
    }
    Ok(plan)
}
