//! What a command does with the peers among its remotes.

use super::super::exchange::Parts;
use super::super::fetch::store_objects;
use super::super::repository::{Repository, Run};
use super::super::transport::Way;
use super::super::work::Work;
use super::super::{RemoteConfig, SyncError, SyncResult, exchange};
use super::client::{Opened, Peer};
use super::transfer::Receiver;
use crate::model::{Hash, SnapshotId};
use crate::port::Objects;
use crate::remote::LogObject;
use crate::store::View;

/// Keeps what comes in the store of a command, which holds its lock.
struct Holding<'r>(&'r mut Repository);

impl Receiver for Holding<'_> {
    fn has(&self, id: &Hash) -> bool {
        self.0.store.contains(id)
    }

    fn keep(&mut self, object: &LogObject, for_long: bool) -> SyncResult<Vec<SnapshotId>> {
        let snapshots = store_objects(&self.0.store, object)?;
        if for_long {
            let view = self.0.store.view().clone();
            self.0.commit_served(view)?;
        }
        Ok(snapshots)
    }
}

/// For a command that has peers among its remotes.
impl Repository {
    /// Gets what peers have and is not here; those with which it fails go out of `remotes`. Returns the first error that
    /// is more than a fault of the way.
    pub(in crate::sync) fn download(
        &mut self,
        remotes: &mut Vec<(String, Opened)>,
        run: &mut Run,
    ) -> Option<SyncError> {
        let mut failure = None;
        remotes.retain(|(name, remote)| {
            let Opened::Peer(peer) = remote else { return true };
            match self.download_from(peer) {
                Ok(()) => return true,
                Err(error @ SyncError::Unreachable { .. }) => run.unreachable(name, &error),
                Err(error) => failure = failure.take().or(Some(error)),
            }
            false
        });
        failure
    }

    fn download_from(&mut self, peer: &Peer) -> SyncResult<()> {
        let requests = peer.requests(&self.reading())?;
        let env = self.env.clone();
        peer.download(&env, &requests, &mut Holding(self))
    }

    /// Sends a peer what it lacks.
    pub(in crate::sync) fn push_to_peer(
        &mut self,
        name: &str,
        peer: &Peer,
        run: &mut Run,
        command: &str,
    ) -> SyncResult<()> {
        let work = self.reading();
        let plan = peer.plan_push(&work)?;
        if plan.snapshots.is_empty() {
            run.remote(name).reached = true;
            return Ok(());
        }
        let parts = Parts::of(&work, &plan)?;
        let view = with_shared(work, name, peer, &plan.snapshots)?;
        self.commit(view, command)?;
        let sent = peer.upload(&self.reading(), &parts)?;
        let report = run.remote(name);
        report.reached = true;
        report.sent = sent;
        let mut work = self.reading();
        let heads: Vec<(String, Vec<SnapshotId>)> = plan
            .snapshots
            .keys()
            .map(|name| (name.clone(), work.heads(name)))
            .collect();
        let mut view = peer.view(&work);
        view.pushed.extend(heads);
        work.view.remotes.insert(name.to_owned(), view);
        let view = work.view;
        self.commit(view, command)
    }
}

/// Returns the view in which what is about to be sent counts as what another store may have.
fn with_shared(
    mut work: Work<'_>,
    name: &str,
    peer: &Peer,
    snapshots: &std::collections::BTreeMap<String, Vec<SnapshotId>>,
) -> SyncResult<View> {
    for collection in snapshots.keys() {
        let heads = work.heads(collection);
        work.share(collection, &heads)?;
    }
    let view = peer.view(&work);
    work.view.remotes.insert(name.to_owned(), view);
    Ok(work.view)
}

impl Opened {
    /// Opens a configured remote.
    pub(in crate::sync) fn open(work: &Work<'_>, config: &RemoteConfig) -> SyncResult<Self> {
        let way = Way::configured(&config.url, &config.transport)?;
        if way.is_peer() {
            Ok(Self::Peer(Box::new(Peer::connect(work, &config.name, &way)?)))
        } else {
            exchange::open(work, config).map(Self::Storage)
        }
    }
}
