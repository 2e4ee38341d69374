//! Sending what remotes lack.

use super::exchange::{self, PushPlan};
use super::fetch::Compared;
use super::peer::Opened;
use super::repository::{Reached, Repository, Run};
use super::work::Work;
use super::{Steps, SyncError, SyncResult};
use crate::remote::{LogName, LogObject, Remote};
use crate::store::RemoteView;

impl Repository {
    /// Sends what each of the remotes lacks and, after a fetch, takes care of their logs; an unreachable one is told in the
    /// report.
    pub(super) fn push_all(
        &mut self,
        reached: &[Reached<'_>],
        steps: Steps,
        run: &mut Run,
        command: &str,
    ) -> SyncResult<()> {
        for (name, remote, compared) in reached {
            let pushed = match remote {
                Opened::Storage(remote) => {
                    let pushed = self.push(name, remote, compared, run, command);
                    if steps.fetch {
                        pushed.and_then(|()| self.tidy(name, remote, compared, command))
                    } else {
                        pushed
                    }
                }
                Opened::Peer(peer) => self.push_to_peer(name, peer, run, command),
            };
            if let Err(error) = pushed {
                if !matches!(error, SyncError::Unreachable { .. }) {
                    return Err(error);
                }
                run.unreachable(name, &error);
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        name: &str,
        remote: &Remote,
        compared: &Compared,
        run: &mut Run,
        command: &str,
    ) -> SyncResult<()> {
        let mut work = self.reading();
        if exchange::resume(&mut work, name, remote)? {
            let view = work.view;
            self.commit(view, command)?;
        }
        let work = self.reading();
        let view = exchange::remote_view(&work, name, remote);
        let plan: PushPlan = exchange::plan_push(&work, &view)?;
        if plan.snapshots.is_empty() {
            run.remote(name).reached = true;
            drop(work);
            return self.tell(name, remote, &compared.listing, command);
        }
        let parts = exchange::Parts::of(&work, &plan)?;
        drop(work);
        let mut pieces = Vec::new();
        self.env
            .progress
            .start(&format!("sending to {name}"), Some(parts.len() as u64));
        for at in 0..parts.len() {
            self.env.progress.at(at as u64);
            let make = |work: &Work<'_>, view: &RemoteView| parts.log_object(work, view, at, &pieces);
            let (log_name, length_bytes) = self.send_object(name, remote, make, command)?;
            pieces.push(log_name);
            let report = run.remote(name);
            report.sent.packs += 1;
            report.sent.bytes += length_bytes;
        }
        self.env.progress.finish();
        let report = run.remote(name);
        report.reached = true;
        report.sent.transactions += parts.transactions;
        let mut work = self.reading();
        exchange::pushed(&mut work, name, &plan);
        let view = work.view;
        self.commit(view, command)
    }
    /// Sends one log object, which is recorded as to be sent before; returns its name and how many bytes it has.
    pub(super) fn send_object(
        &mut self,
        name: &str,
        remote: &Remote,
        make: impl FnOnce(&Work<'_>, &RemoteView) -> SyncResult<LogObject>,
        command: &str,
    ) -> SyncResult<(LogName, u64)> {
        let mut work = self.reading();
        let view = exchange::remote_view(&work, name, remote);
        let object = make(&work, &view)?;
        let (log_name, sealed) = exchange::prepare(&mut work, name, remote, object)?;
        let view = work.view;
        self.commit(view, command)?;
        remote
            .upload(&log_name, &sealed)
            .map_err(|error| exchange::remote_error(name, error))?;
        Ok((log_name, sealed.len() as u64))
    }
}
