//! Parts of a history on their way over a connection, in either direction.

use std::collections::VecDeque;

use super::super::exchange::Parts;
use super::super::fetch::store_objects;
use super::super::work::Work;
use super::super::{Environment, SyncError, SyncResult, interrupted};
use super::{Offered, out_of_place};
use crate::model::{Domain, Hash, SnapshotId};
use crate::port::Objects;
use crate::remote::{LogObject, Marks, Part, PeerError, PeerLink, PeerMessage};

/// How many parts may be offered before the first of them is answered: the answer to one is on its way while another is
/// sent.
const MOST_OFFERS: usize = 2;

/// Why an exchange stopped.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The connection or the other side.
    #[error(transparent)]
    Link(#[from] PeerError),
    /// This side.
    #[error(transparent)]
    Own(#[from] SyncError),
}

/// Sends parts of a history; returns how many went.
///
/// A transfer of several parts is offered part by part, and only what the other side lacks goes: what an interrupted
/// transfer left there is not sent again.
pub(super) fn send(work: &Work<'_>, link: &mut PeerLink, parts: &Parts, what: &str) -> Result<u64, Trouble> {
    let count = parts.len();
    let total = parts.length_bytes();
    link.send(&PeerMessage::Begin {
        parts: u32::try_from(count).unwrap_or(u32::MAX),
        bytes: total,
    })?;
    let progress = &work.env.progress;
    progress.start_bytes(what, Some(total));
    let mut done = 0;
    let mut packs = 0;
    let mut offered = 0;
    for at in 0..count {
        interrupted(work.env)?;
        progress.at(done);
        let mut wanted = parts.objects(at).to_vec();
        if count > 1 {
            while offered < count && offered < at + MOST_OFFERS {
                link.send(&PeerMessage::Offer(parts.objects(offered).to_vec()))?;
                offered += 1;
            }
            let marks = match link.receive()? {
                PeerMessage::Lacks(marks) if marks.0.len() == wanted.len() => marks.0,
                message => return out_of_place(&message),
            };
            let mut marks = marks.into_iter();
            wanted.retain(|_| marks.next().unwrap_or(true));
        }
        if !wanted.is_empty() {
            let object = pack(work, &wanted)?;
            let bytes = object
                .encode()
                .map_err(|error| super::super::other("making a pack", error))?;
            link.send(&PeerMessage::Pack(bytes))?;
            packs += 1;
        }
        done += parts.part_bytes(at);
    }
    link.send(&PeerMessage::End)?;
    progress.finish();
    Ok(packs)
}

/// Makes a pack of objects.
fn pack(work: &Work<'_>, ids: &[Offered]) -> SyncResult<LogObject> {
    let mut objects = Vec::with_capacity(ids.len());
    for (domain, id) in ids {
        objects.push((*domain, work.objects.get(id)?.to_vec()));
    }
    Ok(LogObject {
        replica: work.view.replica,
        sequence: 0,
        predecessors: Vec::new(),
        system: work.view.system.clone(),
        time: work.env.clock.now(),
        seen: std::collections::BTreeMap::new(),
        acknowledged: std::collections::BTreeMap::new(),
        forgotten: std::collections::BTreeMap::new(),
        collections: Vec::new(),
        part: Part::Whole,
        objects,
    })
}

/// Who keeps what comes.
pub(in crate::sync) trait Receiver {
    /// Returns whether an object is here.
    fn has(&self, id: &Hash) -> bool;

    /// Keeps the objects of a pack and returns its snapshots; `for_long` where more packs come, so that an end of the
    /// connection must not lose it.
    fn keep(&mut self, object: &LogObject, for_long: bool) -> SyncResult<Vec<SnapshotId>>;
}

/// Keeps what comes in objects that somebody else makes durable.
pub(in crate::sync) struct Plain<'o>(pub(in crate::sync) &'o dyn Objects);

impl Receiver for Plain<'_> {
    fn has(&self, id: &Hash) -> bool {
        self.0.contains(id)
    }

    fn keep(&mut self, object: &LogObject, _for_long: bool) -> SyncResult<Vec<SnapshotId>> {
        store_objects(self.0, object)
    }
}

/// What a transfer brought.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The snapshots that were sent, or found here from an earlier transfer.
    pub(super) snapshots: Vec<SnapshotId>,
    /// How many packs came.
    pub(super) packs: u64,
}

/// Receives parts after a [`PeerMessage::Begin`], until all are there.
pub(super) fn receive(
    link: &mut PeerLink,
    receiver: &mut dyn Receiver,
    (parts, total): (u32, u64),
    env: &Environment,
    what: &str,
) -> Result<Received, Trouble> {
    let progress = &env.progress;
    progress.start_bytes(what, Some(total));
    let mut received = Received::default();
    // Of each offer that a pack has to follow: how many objects are lacking, and how many bytes have come before.
    let mut open: VecDeque<usize> = VecDeque::new();
    let mut offers = 0;
    let mut done = 0u64;
    loop {
        interrupted(env)?;
        match link.receive()? {
            PeerMessage::Offer(objects) if parts > 1 && offers < parts && open.len() < MOST_OFFERS => {
                offers += 1;
                let lacks: Vec<bool> = objects.iter().map(|(_, id)| !receiver.has(id)).collect();
                let snapshots = objects.iter().filter(|(domain, _)| *domain == Domain::Snapshot);
                received.snapshots.extend(snapshots.map(|(_, id)| SnapshotId(*id)));
                let lacking = lacks.iter().filter(|lacks| **lacks).count();
                link.send(&PeerMessage::Lacks(Marks(lacks)))?;
                if lacking > 0 {
                    open.push_back(lacking);
                }
            }
            PeerMessage::Pack(bytes) => {
                let expected = if parts > 1 { open.pop_front() } else { None };
                let is_due = expected.is_some() || parts == 1 && received.packs == 0;
                let object = LogObject::decode(&bytes).map_err(|error| damaged(&error))?;
                if !is_due || expected.is_some_and(|count| count != object.objects.len()) {
                    return Err(PeerError::OutOfPlace(PeerMessage::Pack(Vec::new()).kind()).into());
                }
                received.packs += 1;
                done += object.objects.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
                progress.at(done);
                received.snapshots.extend(receiver.keep(&object, parts > 1)?);
            }
            PeerMessage::End => {
                let is_all = open.is_empty()
                    && if parts > 1 {
                        offers == parts
                    } else {
                        u64::from(parts) == received.packs
                    };
                if !is_all {
                    return out_of_place(&PeerMessage::End);
                }
                progress.finish();
                return Ok(received);
            }
            message => return out_of_place(&message),
        }
    }
}

fn damaged(error: &crate::remote::LogObjectError) -> SyncError {
    match error {
        crate::remote::LogObjectError::NewerVersion { .. } => SyncError::Other {
            what: "reading a pack of a peer".to_owned(),
            source: Box::new(*error),
        },
        error => SyncError::Damaged(format!("a pack of a peer: {error}")),
    }
}
