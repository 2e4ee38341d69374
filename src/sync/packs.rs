//! Difference packs as files, for mail and USB sticks.

use super::exchange::{Parts, PushPlan, missing};
use super::fetch::{Adopted, adopt, store_objects};
use super::report::{SyncReport, Traffic};
use super::repository::{Repository, Run};
use super::states::resolve_states;
use super::work::Work;
use super::{SyncError, SyncOptions, SyncResult, other};
use crate::remote::{LogObject, packfile};
use crate::store::RemoteView;

/// The most bytes that a pack file may have.
const PACK_MAX_BYTES: u64 = 1 << 30;

impl Repository {
    /// Packs the snapshots since a state (all of them without one), and notes that others may have them unless
    /// `dry_run`.
    pub fn pack(&mut self, since: Option<&str>, dry_run: bool) -> SyncResult<Vec<u8>> {
        if !dry_run && self.store.view().collections.values().any(|c| c.shared != c.heads) {
            self.begin()?;
        }
        let mut work = self.reading();
        let mut plan = PushPlan {
            snapshots: std::collections::BTreeMap::new(),
        };
        let since = match since {
            Some(since) => Some(resolve_states(
                &work,
                &|prefix| self.store.find(prefix, 16),
                None,
                since,
            )?),
            None => None,
        };
        for name in work.view.collections.keys() {
            let have = match &since {
                None => Vec::new(),
                Some(states) => match states.get(name) {
                    Some(heads) => heads.clone(),
                    None => continue,
                },
            };
            let list = missing(&work, &have, &work.heads(name))?;
            if !list.is_empty() {
                plan.snapshots.insert(name.clone(), list);
            }
        }
        let mut view = RemoteView {
            next_sequence: 1,
            ..RemoteView::default()
        };
        let parts = Parts::of(&work, &plan)?;
        let mut objects = Vec::with_capacity(parts.len());
        for at in 0..parts.len() {
            objects.push(parts.log_object(&work, &view, at, &[])?);
            view.next_sequence += 1;
        }
        let mut bytes = Vec::new();
        packfile::write(&objects, &mut bytes).map_err(|error| other("writing the pack", error))?;
        if !dry_run {
            for name in plan.snapshots.keys() {
                let heads = work.heads(name);
                work.share(name, &heads)?;
            }
            let view = work.view;
            if view != *self.store.view() {
                let command = self.env.command.clone();
                self.commit(view, &command)?;
            }
        }
        Ok(bytes)
    }

    /// Takes in a pack, then writes the sources.
    pub fn unpack(&mut self, bytes: &[u8], options: &SyncOptions) -> SyncResult<SyncReport> {
        let objects = packfile::read(&mut &*bytes, PACK_MAX_BYTES)
            .map_err(|error| SyncError::Damaged(format!("the pack: {}", super::chain(&error))))?;
        if options.dry_run {
            let scratch = self.store.scratch();
            let mut work = self.work(&scratch, self.store.view().clone());
            let mut run = Run::new(&work)?;
            take_in(&mut work, &objects)?;
            run.unite(&mut work)?;
            return self.rehearse_apply(work, run, options.overrides);
        }
        self.begin()?;
        let mut work = self.reading();
        let mut run = Run::new(&work)?;
        let traffic = match take_in(&mut work, &objects) {
            Ok(traffic) => traffic,
            Err(error) => {
                drop(work);
                self.store.discard();
                return Err(error);
            }
        };
        run.unite(&mut work)?;
        let view = work.view;
        let command = self.env.command.clone();
        self.commit(view, &command)?;
        let mut report = self.apply_after(options.overrides)?;
        report.unions.splice(0..0, run.report.unions);
        report.remotes.push(super::RemoteReport {
            name: "pack".to_owned(),
            received: Traffic {
                bytes: bytes.len() as u64,
                ..traffic
            },
            reached: true,
            ..super::RemoteReport::default()
        });
        Ok(report)
    }
}

fn take_in(work: &mut Work<'_>, objects: &[LogObject]) -> SyncResult<Traffic> {
    let mut snapshots = Vec::new();
    for object in objects {
        snapshots.extend(store_objects(work.objects, object)?);
    }
    match adopt(work, &snapshots, "the pack")? {
        Adopted::All(transactions) => Ok(Traffic {
            packs: objects.len() as u64,
            bytes: 0,
            transactions,
        }),
        Adopted::Waiting(id) => Err(SyncError::Usage(format!(
            "the pack builds on snapshot {} that is not here; make it with `pack --since` a state both systems have",
            id.short()
        ))),
    }
}
