//! The end of a connection that is started: answers, sends what is asked for, takes in what comes.
//!
//! The lock of the store is taken only for the moments in which something is committed.

use std::error::Error;
use std::time::Duration;

use super::super::exchange::{Parts, missing};
use super::super::fetch::{Adopted, adopt, store_objects, unite_all};
use super::super::repository::{self, Repository};
use super::super::{SyncError, SyncResult, other};
use super::relation::known_here;
use super::transfer::{self, Receiver, Trouble};
use super::{hello, plan_of};
use crate::merge::MergeError;
use crate::model::{Hash, SnapshotId};
use crate::port::{ObjectError, Objects};
use crate::remote::{LogObject, LogObjectError, Marks, PeerHello, PeerLink, RefusedBecause};
use crate::store::{StoreError, View};

/// What is said where something is sent without what it builds on.
const LACKING: &str = "taking in what the peer sent";

/// Returns why an error of this side makes it refuse what the other asked for, and says it.
pub fn refusal(error: &SyncError) -> (RefusedBecause, String) {
    use RefusedBecause as Because;
    let because = match error {
        SyncError::Busy { .. } => Because::Busy,
        SyncError::NotAStore(_) => Because::NoStore,
        SyncError::NewerStore { .. } | SyncError::NewerCollection { .. } => Because::Newer,
        SyncError::Damaged(_) | SyncError::Object(ObjectError::Damaged { .. }) => Because::Damaged,
        SyncError::Object(ObjectError::Missing(_)) | SyncError::Interrupted => Because::Again,
        SyncError::Other { what, .. } if what == LACKING => Because::Lacks,
        error if is_full(error) => Because::Full,
        error if is_newer(error) => Because::Newer,
        error if is_lost(error) => Because::Again,
        _ => Because::Other,
    };
    (because, super::super::chain(error))
}

/// Calls `is` with each cause of an error until one is it.
fn any_cause(error: &SyncError, is: &dyn Fn(&(dyn Error + 'static)) -> bool) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if is(inner) {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn is_full(error: &SyncError) -> bool {
    any_cause(error, &|cause| {
        let own = cause.downcast_ref::<std::io::Error>();
        let shared = cause
            .downcast_ref::<std::sync::Arc<std::io::Error>>()
            .map(AsRef::as_ref);
        let kind = own.or(shared).map(std::io::Error::kind);
        matches!(
            kind,
            Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
        )
    })
}

fn is_newer(error: &SyncError) -> bool {
    any_cause(error, &|cause| {
        matches!(
            cause.downcast_ref::<LogObjectError>(),
            Some(LogObjectError::NewerVersion { .. })
        )
    })
}

/// Returns whether what was put was collected before it was committed, or somebody else has committed.
fn is_lost(error: &SyncError) -> bool {
    any_cause(error, &|cause| {
        matches!(
            cause.downcast_ref::<StoreError>(),
            Some(StoreError::Lost { .. } | StoreError::Moved { .. })
        ) || matches!(
            cause.downcast_ref::<MergeError>(),
            Some(MergeError::Object(ObjectError::Missing(_)))
        )
    })
}

/// For a peer that has started this program.
impl Repository {
    /// Returns how this store introduces itself to one with this digest of its heads.
    pub fn introduction(&mut self, other: Option<&Hash>) -> SyncResult<PeerHello> {
        self.store.reload().map_err(repository::store_error)?;
        if self.store.view().binding != repository::binding(&self.env, &self.root)? {
            // A copy must not speak as the store that it was copied from.
            self.begin()?;
            self.lock = None;
        }
        // Who tells no digest gets the heads.
        let none = Hash::from_bytes([0; Hash::BYTES]);
        Ok(hello(&self.reading(), Some(other.unwrap_or(&none))))
    }

    /// Tells which of these snapshots are in the history.
    pub fn known_to_peer(&self, ids: &[SnapshotId]) -> SyncResult<Marks> {
        let known = known_here(&self.reading(), ids)?;
        Ok(Marks(ids.iter().map(|id| known.contains(id)).collect()))
    }

    /// Sends what is in the history of `want` and not in that of `have`.
    pub fn send_to_peer(
        &mut self,
        link: &mut PeerLink,
        want: &[SnapshotId],
        have: &[SnapshotId],
    ) -> Result<(), Trouble> {
        let work = self.reading();
        let wanted = known_here(&work, want)?;
        if let Some(unknown) = want.iter().find(|id| !wanted.contains(id)) {
            let what = format!(
                "snapshot {}, which the other side asks for, is not in the history",
                unknown.short()
            );
            return Err(SyncError::Usage(what).into());
        }
        let have: Vec<SnapshotId> = known_here(&work, have)?.into_iter().collect();
        let list = missing(&work, &have, want)?;
        let plan = plan_of(&work, list)?;
        drop(work);
        self.note_shared(&plan.snapshots)?;
        let work = self.reading();
        let parts = Parts::of(&work, &plan)?;
        transfer::send(&work, link, &parts, "sending")?;
        Ok(())
    }

    /// Notes that another store has these snapshots from now on, before the first byte leaves.
    fn note_shared(&mut self, snapshots: &std::collections::BTreeMap<String, Vec<SnapshotId>>) -> SyncResult<()> {
        let noted = |repository: &Self| -> SyncResult<Option<View>> {
            let mut work = repository.reading();
            for (name, ids) in snapshots {
                let heads = work.history.heads_of(ids);
                let heads = heads.map_err(|error| other("reading the history", error))?;
                // Those that are bounded by what is noted already add nothing.
                let shared = work.view.collections.get(name).map(|view| view.shared.clone());
                let new = missing(&work, &shared.unwrap_or_default(), &heads)?;
                if !new.is_empty() {
                    work.share(name, &heads)?;
                }
            }
            Ok((work.view != *repository.store.view()).then_some(work.view))
        };
        if noted(self)?.is_none() {
            return Ok(());
        }
        let _lock = self.wait_for_lock()?;
        self.store.reload().map_err(repository::store_error)?;
        match noted(self)? {
            Some(view) => self.commit_served(view),
            None => Ok(()),
        }
    }

    pub(super) fn commit_served(&mut self, view: View) -> SyncResult<()> {
        let command = self.env.command.clone();
        self.commit(view, &command)
    }

    /// Takes in what the other side sends after it began with `parts` and `bytes`.
    ///
    /// It is proved without the lock. Where somebody else commits meanwhile, it is taken in once more on top of that.
    pub fn take_from_peer(&mut self, link: &mut PeerLink, parts: u32, bytes: u64) -> Result<(), Trouble> {
        let env = self.env.clone();
        self.begin_operation();
        let received = transfer::receive(link, &mut Keeping(self), (parts, bytes), &env, "receiving")?;
        let ids = received.snapshots;
        let seen = self.store.operation_id();
        let view = self.taken_in(&ids)?;
        let _lock = self.wait_for_lock()?;
        self.store.reload().map_err(repository::store_error)?;
        let view = if self.store.operation_id() == seen {
            view
        } else {
            self.taken_in(&ids)?
        };
        Ok(self.commit_served(view)?)
    }

    /// Returns the view with these snapshots in the history.
    fn taken_in(&self, ids: &[SnapshotId]) -> SyncResult<View> {
        let mut work = self.reading();
        let before = repository::heads_of(&work);
        let here = known_here(&work, ids)?;
        let new: Vec<SnapshotId> = ids.iter().filter(|id| !here.contains(id)).copied().collect();
        if let Adopted::Waiting(id) = adopt(&mut work, &new, "what the peer sent")? {
            return Err(SyncError::Other {
                what: LACKING.to_owned(),
                source: format!("it builds on snapshot {}, which is not here", id.short()).into(),
            });
        }
        unite_all(&mut work, &before)?;
        Ok(work.view)
    }
}

/// Keeps what comes in the store of a process that does not hold its lock.
struct Keeping<'r>(&'r mut Repository);

impl Receiver for Keeping<'_> {
    fn has(&self, id: &Hash) -> bool {
        self.0.store.contains(id)
    }

    fn keep(&mut self, object: &LogObject, for_long: bool) -> SyncResult<Vec<SnapshotId>> {
        let snapshots = store_objects(&self.0.store, object)?;
        // Where the store is in use it is kept with the next part, or at the end.
        if for_long && let Ok(_lock) = self.0.store.lock(Duration::ZERO) {
            self.0.store.reload().map_err(repository::store_error)?;
            let view = self.0.store.view().clone();
            self.0.commit_served(view)?;
        }
        Ok(snapshots)
    }
}
