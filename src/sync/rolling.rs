//! The operations that fold the logs of remotes, and forget systems.

use super::exchange::{self, PushPlan};
use super::fetch::Compared;
use super::report::{Forgotten, Rolled};
use super::repository::Repository;
use super::transport::Way;
use super::work::Work;
use super::{Overrides, Steps, SyncError, SyncOptions, SyncResult, fetch, roll};
use crate::model::ReplicaId;
use crate::remote::{Listing, Remote};
use crate::store::RemoteView;

impl Rolled {
    fn planned(remote: &str, plan: &roll::BasePlan) -> Self {
        Self {
            folded: plan.folded,
            systems: plan.replicas,
            transactions: plan.transactions,
            ..Self::of(remote)
        }
    }
}

impl Repository {
    /// Folds the logs of the remotes of these names (all when empty) into bases.
    pub fn roll(&mut self, remotes: &[String], dry_run: bool) -> SyncResult<Vec<Rolled>> {
        let mut names = Vec::new();
        for config in self.config.remotes() {
            let is_asked = remotes.contains(&config.name);
            if Way::configured(&config.url, &config.transport)?.is_peer() {
                if is_asked {
                    let message = format!("`{}` is a peer, which keeps no packs to fold", config.name);
                    return Err(SyncError::Usage(message));
                }
            } else if is_asked || remotes.is_empty() {
                names.push(config.name.clone());
            }
        }
        for name in remotes {
            self.config.remote(name)?;
        }
        if names.is_empty() {
            return Ok(Vec::new());
        }
        // What is not on a remote is in no base, and a base has what is known here.
        let steps = Steps {
            scan: false,
            fetch: true,
            apply: false,
            push: true,
        };
        let options = SyncOptions {
            remotes: names.clone(),
            dry_run,
            ..SyncOptions::default()
        };
        let report = self.run(steps, &options)?;
        let mut list = Vec::new();
        for name in names {
            if let Some(unreached) = report
                .remotes
                .iter()
                .find(|remote| remote.name == name && !remote.reached)
            {
                list.push(Rolled {
                    message: unreached.message.clone(),
                    ..Rolled::of(&name)
                });
                continue;
            }
            if dry_run {
                list.push(self.rehearse_roll(&name)?);
                continue;
            }
            let (remote, compared) = self.compared(&name)?;
            let mut rolled = self.roll_one(&name, &remote, &compared)?;
            if rolled.folded == 0 {
                // A base that cannot be read any more folds nothing.
                let command = self.env.command.clone();
                let mut work = self.reading();
                roll::check_newest(&mut work, &name, &remote)?;
                let view = work.view;
                self.commit(view, &command)?;
                rolled = self.roll_one(&name, &remote, &compared)?;
            }
            list.push(rolled);
        }
        Ok(list)
    }

    /// Opens a remote and lists it.
    fn compared(&mut self, name: &str) -> SyncResult<(Remote, Compared)> {
        let command = self.env.command.clone();
        let mut work = self.reading();
        let remote = exchange::open(&work, self.config.remote(name)?)?;
        let compared = fetch::compare(&mut work, name, &remote, Overrides::default())?;
        let view = work.view;
        self.commit(view, &command)?;
        Ok((remote, compared))
    }

    /// Tells what rolling would do, from what is recorded and one listing.
    fn rehearse_roll(&self, name: &str) -> SyncResult<Rolled> {
        let mut work = self.reading();
        let remote = exchange::open(&work, self.config.remote(name)?)?;
        let compared = fetch::compare(&mut work, name, &remote, Overrides::default())?;
        let plan = roll::BasePlan::of(&work, name, &remote, &compared.listing)?;
        Ok(plan.map_or_else(|| Rolled::of(name), |plan| Rolled::planned(name, &plan)))
    }

    fn roll_one(&mut self, name: &str, remote: &Remote, compared: &Compared) -> SyncResult<Rolled> {
        let command = self.env.command.clone();
        let mut work = self.reading();
        let Some(plan) = roll::BasePlan::of(&work, name, remote, &compared.listing)? else {
            return Ok(Rolled::of(name));
        };
        let mut rolled = Rolled::planned(name, &plan);
        (rolled.objects, rolled.bytes) = plan.write(&mut work, name, remote)?;
        let view = work.view;
        self.commit(view, &command)?;
        self.tell(name, remote, &compared.listing, &command)?;
        let (remote, compared) = self.compared(name)?;
        rolled.deleted = self.trim(name, &remote, &compared.listing, &command)?;
        Ok(rolled)
    }

    /// After a push: deletes what no one needs, and folds the log when it is long.
    pub(super) fn tidy(&mut self, name: &str, remote: &Remote, compared: &Compared, command: &str) -> SyncResult<()> {
        if roll::is_due(&self.reading(), name, remote, &compared.listing) {
            let (remote, compared) = self.compared(name)?;
            self.roll_one(name, &remote, &compared)?;
            return Ok(());
        }
        self.trim(name, remote, &compared.listing, command).map(drop)
    }

    fn trim(&mut self, name: &str, remote: &Remote, listing: &Listing, command: &str) -> SyncResult<u64> {
        let mut work = self.reading();
        let mut damaged = None;
        let deleted = roll::trim(&mut work, (name, remote), listing, &mut damaged)?;
        let view = work.view;
        self.commit(view, command)?;
        damaged.map_or(Ok(deleted), Err)
    }

    /// Tells the others what they wait for, where there is nothing else to send.
    pub(super) fn tell(&mut self, name: &str, remote: &Remote, listing: &Listing, command: &str) -> SyncResult<()> {
        let Some(news) = roll::news(&self.reading(), name, remote, listing) else {
            return Ok(());
        };
        let make = |work: &Work<'_>, view: &RemoteView| Ok(news.into_log_object(work, view));
        self.send_object(name, remote, make, command)?;
        let mut work = self.reading();
        exchange::pushed(&mut work, name, &PushPlan::default());
        let view = work.view;
        self.commit(view, command)
    }

    /// Waits no more for a system that will not come back, on every remote that it was seen on.
    ///
    /// Nothing of what it sent is lost; should it come back, it goes on under a new id.
    pub fn forget_system(&mut self, system: &str, dry_run: bool) -> SyncResult<Vec<Forgotten>> {
        let listed = self.systems()?;
        let others = || listed.iter().filter(|one| !one.this && !one.gone && one.sequence > 0);
        let is_meant = |id: &str, name: &str| name == system || system.len() >= 4 && id.starts_with(system);
        let found: Vec<_> = others().filter(|one| is_meant(&one.replica, &one.system)).collect();
        let mut ids: Vec<&String> = found.iter().map(|one| &one.replica).collect();
        ids.sort_unstable();
        ids.dedup();
        match ids.len() {
            0 => {
                return Err(SyncError::Unknown {
                    what: "other system",
                    name: system.to_owned(),
                    candidates: others().map(|one| one.system.clone()).collect(),
                });
            }
            1 => {}
            count => {
                return Err(SyncError::Usage(format!(
                    "{count} systems are called `{system}`; name the one by its id: {}",
                    ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
                )));
            }
        }
        let command = self.env.command.clone();
        let mut list = Vec::new();
        for one in found {
            let Ok(replica) = one.replica.parse::<ReplicaId>() else {
                continue;
            };
            list.push(Forgotten {
                system: one.system.clone(),
                replica: one.replica.clone(),
                remote: one.remote.clone(),
                sequence: one.sequence,
            });
            if dry_run {
                continue;
            }
            let (remote, compared) = self.compared(&one.remote)?;
            let mut work = self.reading();
            let mut view = exchange::remote_view(&work, &one.remote, &remote);
            view.forgotten.insert(replica, one.sequence);
            work.view.remotes.insert(one.remote.clone(), view);
            let view = work.view;
            self.commit(view, &command)?;
            self.tell(&one.remote, &remote, &compared.listing, &command)?;
        }
        Ok(list)
    }
}
