//! The commands that look: status, diff, log, show, cat, conflicts.

use std::collections::BTreeMap;

use super::intake;
use super::look;
use super::report::{
    ConflictReport, LogEntry, RecordDifference, RecordReport, RemoteStatus, SourceStatus, StatusReport,
};
use super::repository::{Repository, Run, state_id};
use super::states::{resolve_snapshot, resolve_states};
use super::work::Work;
use super::{DiffOptions, Overrides, SyncError, SyncOptions, SyncResult, other};
use crate::delta::{Entry, State};
use crate::model::{Hash, RecordKey, Value};
use crate::tree;

/// How many ids a prefix is looked up to.
const FIND_LIMIT: usize = 16;

impl Repository {
    fn finder(&self) -> impl Fn(&str) -> Vec<Hash> + '_ {
        |prefix| self.store.find(prefix, FIND_LIMIT)
    }

    /// Tells how sources, collections and remotes stand, without changing anything.
    pub fn status(&mut self) -> SyncResult<StatusReport> {
        let scratch = self.store.scratch();
        let mut work = self.work(&scratch, self.store.view().clone());
        let mut states = BTreeMap::new();
        for name in work.view.collections.keys() {
            states.insert(name.clone(), work.state(name)?);
        }
        let mut sources = Vec::new();
        for config in self.config.sources() {
            sources.push(source_status(&mut work, config)?);
        }
        let mut remotes = Vec::new();
        for config in self.config.remotes() {
            let view = self.store.view().remotes.get(&config.name);
            let mut ahead = 0;
            for (name, collection) in &self.store.view().collections {
                let have = view.and_then(|view| view.pushed.get(name).cloned()).unwrap_or_default();
                ahead += super::exchange::missing(&work, &have, &collection.heads)?.len() as u64;
            }
            remotes.push(RemoteStatus {
                name: config.name.clone(),
                url: config.url.clone(),
                ahead,
                behind: 0,
            });
        }
        Ok(StatusReport {
            system: self.store.view().system.clone(),
            replica: self.store.view().replica.to_string(),
            state: state_id(&states),
            sources,
            collections: self.collections()?,
            remotes,
        })
    }

    /// Calls `each` for every record that differs: between two states, or what a sync would take in and write out.
    pub fn diff(
        &mut self,
        options: &DiffOptions,
        each: &mut dyn FnMut(RecordDifference) -> SyncResult<()>,
    ) -> SyncResult<()> {
        if let Some(name) = &options.source {
            self.config.source(name)?;
        }
        let bound = |name: &str| self.config.sources().iter().any(|source| source.collection == name);
        if let Some(name) = options.collection.as_deref().filter(|name| !bound(name)) {
            collection_state(&self.reading(), name)?;
        }
        match &options.from {
            None => self.diff_sources(options, each),
            Some(from) => {
                let work = self.reading();
                let collection = options.collection.as_deref();
                let to = options.to.as_deref().unwrap_or("@");
                let old = resolve_states(&work, &self.finder(), collection, from)?;
                let mut new = resolve_states(&work, &self.finder(), collection, to)?;
                let mut together = false;
                for (name, old) in old {
                    let Some(new) = new.remove(&name) else { continue };
                    together = true;
                    let (before, after) = (work.state_at(&old)?, work.state_at(&new)?);
                    look::differences(&work, &name, (&old, &before), (&new, &after), each)?;
                }
                if together || work.view.collections.is_empty() {
                    return Ok(());
                }
                Err(SyncError::Usage(format!("`{from}` and `{to}` are of two collections")))
            }
        }
    }

    fn diff_sources(
        &self,
        options: &DiffOptions,
        each: &mut dyn FnMut(RecordDifference) -> SyncResult<()>,
    ) -> SyncResult<()> {
        let scratch = self.store.scratch();
        let mut work = self.work(&scratch, self.store.view().clone());
        let mut run = Run::new(&work)?;
        let everything = Overrides {
            deletes: true,
            changes: true,
            empty: true,
            rollback: true,
        };
        let scan = SyncOptions {
            overrides: everything,
            ..SyncOptions::default()
        };
        let wanted = |name: &str, collection: &str| {
            options.source.as_deref().is_none_or(|source| source == name)
                && options.collection.as_deref().is_none_or(|wanted| wanted == collection)
        };
        for config in self.config.sources() {
            let heads = work.heads(&config.collection);
            let before = work.state_at(&heads)?;
            run.scan(&mut work, std::slice::from_ref(config), &scan)?;
            let now = work.heads(&config.collection);
            let after = work.state_at(&now)?;
            if wanted(&config.name, &config.collection) {
                let mut mark = |mut line: RecordDifference| {
                    line.source = Some(config.name.clone());
                    line.direction = Some("in".to_owned());
                    each(line)
                };
                look::differences(&work, &config.collection, (&heads, &before), (&now, &after), &mut mark)?;
            }
        }
        for (config, plan) in run.plan_out(&work, self.config.sources())? {
            if wanted(&config.name, &config.collection) {
                plan.differences(&work, &config, each)?;
            }
        }
        Ok(())
    }

    /// Lists snapshots, newest first.
    pub fn log(&self, collection: Option<&str>, limit: Option<usize>) -> SyncResult<Vec<LogEntry>> {
        let work = self.reading();
        let mut list = Vec::new();
        for name in chosen_collections(&work, collection)? {
            let heads = work.heads(&name);
            let ids = super::exchange::missing(&work, &[], &heads)?;
            for id in ids.iter().rev().take(limit.unwrap_or(usize::MAX)) {
                let snapshot = work
                    .history
                    .snapshot(id)
                    .map_err(|error| other("reading the history", error))?;
                list.push((
                    (snapshot.time, snapshot.generation, *id),
                    look::log_entry(&work, id, &snapshot)?,
                ));
            }
        }
        if collection.is_none() {
            list.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        }
        Ok(list
            .into_iter()
            .map(|(_, entry)| entry)
            .take(limit.unwrap_or(usize::MAX))
            .collect())
    }

    /// Describes a snapshot and calls `each` for every record it changed.
    pub fn show(&self, id: &str, each: &mut dyn FnMut(RecordDifference) -> SyncResult<()>) -> SyncResult<LogEntry> {
        let work = self.reading();
        let id = resolve_snapshot(&work, &self.finder(), id)?;
        let snapshot = work
            .history
            .snapshot(&id)
            .map_err(|error| other("reading the history", error))?;
        let before = work.state_at(&snapshot.parents)?;
        let after = work.state_at(&[id])?;
        let (old, new) = ((&snapshot.parents[..], &before), (&[id][..], &after));
        look::differences(&work, &snapshot.collection, old, new, each)?;
        look::log_entry(&work, &id, &snapshot)
    }

    /// Calls `each` for the records of a collection, or for some of them.
    pub fn cat(
        &self,
        collection: &str,
        keys: &[String],
        each: &mut dyn FnMut(RecordReport) -> SyncResult<()>,
    ) -> SyncResult<()> {
        let work = self.reading();
        let state = collection_state(&work, collection)?;
        let mut report = |key: &RecordKey, record: &Value| {
            each(RecordReport {
                key: look::native_key(&work, &state, key, record),
                kind: work
                    .view
                    .collections
                    .get(collection)
                    .map_or("", |view| view.kind.name())
                    .to_owned(),
                record: look::record_json(&work, &state, record)?,
            })
        };
        for typed in keys {
            let (key, record) = look::find_record(&work, collection, &state, typed)?;
            report(&key, &record)?;
        }
        if keys.is_empty() {
            for entry in tree::iter(work.objects, &state.content) {
                let (key, bytes) = entry.map_err(|error| other("reading records", error))?;
                if key == crate::model::row::SCHEMA_KEY {
                    continue;
                }
                if let (Some(key), Ok(Entry::Record(record))) = (RecordKey::new(key), Entry::decode(&bytes)) {
                    report(&key, &record)?;
                }
            }
        }
        Ok(())
    }

    /// Lists the open conflicts.
    pub fn conflicts(&self) -> SyncResult<Vec<ConflictReport>> {
        let mut list = Vec::new();
        self.each_conflict(&mut |conflict| {
            list.push(conflict);
            Ok(())
        })?;
        Ok(list)
    }

    /// Calls `each` with the open conflicts, then with the records that may be one.
    pub fn each_conflict(&self, each: &mut dyn FnMut(ConflictReport) -> SyncResult<()>) -> SyncResult<()> {
        let work = self.reading();
        for name in work.view.collections.keys() {
            look::conflicts(&work, name, each)?;
        }
        Ok(())
    }
}

/// Returns the names of the collections a command is about; several need a choice only where states are named.
pub(super) fn chosen_collections(work: &Work<'_>, wanted: Option<&str>) -> SyncResult<Vec<String>> {
    match wanted {
        Some(name) => {
            collection_state(work, name)?;
            Ok(vec![name.to_owned()])
        }
        None => Ok(work.view.collections.keys().cloned().collect()),
    }
}

/// Returns the state of a collection that must exist.
pub(super) fn collection_state(work: &Work<'_>, name: &str) -> SyncResult<State> {
    if !work.view.collections.contains_key(name) {
        return Err(SyncError::Unknown {
            what: "collection",
            name: name.to_owned(),
            candidates: work.view.collections.keys().cloned().collect(),
        });
    }
    work.state(name)
}

/// Fills in how a table stands.
fn table_status(
    work: &mut Work<'_>,
    config: &super::SourceConfig,
    everything: Overrides,
    status: &mut SourceStatus,
) -> SyncResult<()> {
    let before = work.view.clone();
    let untouched = super::table::is_untouched(work, config);
    let taken = if untouched {
        Ok(None)
    } else {
        super::table::take_in(work, config, everything, None).map(Some)
    };
    match taken {
        Ok(taken) => {
            if let Some(taken) = &taken {
                status.added = taken.report.read.added;
                status.changed = taken.report.read.changed;
                status.removed = taken.report.read.removed;
                status.set_aside = taken.report.set_aside.len() as u64;
            }
            if status.added + status.changed + status.removed > 0 {
                "changed".clone_into(&mut status.state);
            }
            if let Some(plan) = super::table::plan(work, config, taken.map(|taken| taken.rows))? {
                let written = plan.report.written;
                status.outgoing = written.added + written.changed + written.removed;
            }
        }
        Err(SyncError::SourceMissing { .. }) => "missing".clone_into(&mut status.state),
        Err(error) => {
            "unreadable".clone_into(&mut status.state);
            status.reason = Some(super::chain(&error));
        }
    }
    work.view = before;
    Ok(())
}

/// Counts the items of a source that a sync would write, once what it shows is taken in.
fn outgoing(work: &mut Work<'_>, config: &super::SourceConfig, allow: Overrides) -> SyncResult<u64> {
    let taken = intake::take_in(work, config, allow, None)?;
    let plan = super::outtake::plan(work, config, &taken.items.index, taken.items.open, Vec::new())?;
    let written = plan.map(|plan| plan.report.written).unwrap_or_default();
    Ok(written.added + written.changed + written.removed)
}

fn source_status(work: &mut Work<'_>, config: &super::SourceConfig) -> SyncResult<SourceStatus> {
    let mut status = SourceStatus {
        name: config.name.clone(),
        collection: config.collection.clone(),
        format: config.format.clone(),
        location: super::bind::shown_location(config),
        state: "clean".to_owned(),
        added: 0,
        changed: 0,
        removed: 0,
        set_aside: 0,
        outgoing: 0,
        reason: None,
    };
    let everything = Overrides {
        deletes: true,
        changes: true,
        empty: true,
        rollback: true,
    };
    if super::table::format_of(config).is_some() {
        table_status(work, config, everything, &mut status)?;
        return Ok(status);
    }
    match intake::look(work, config, Overrides::default()) {
        Ok((index, scan)) => {
            status.added = scan.fresh.len() as u64;
            status.changed = scan.edited.len() as u64;
            status.removed = scan.removed.len() as u64;
            status.set_aside = scan.set_aside.len() as u64;
            if status.added + status.changed + status.removed > 0 {
                "changed".clone_into(&mut status.state);
            }
            // What it has opened is opened again below.
            drop((index, scan));
            let before = work.view.clone();
            status.outgoing = match outgoing(work, config, everything) {
                // Who may only read takes nothing in, and so writes nothing out.
                Err(SyncError::NewerCollection { .. }) => 0,
                outgoing => outgoing?,
            };
            work.view = before;
        }
        Err(SyncError::SourceMissing { .. }) => "missing".clone_into(&mut status.state),
        Err(error) => {
            "unreadable".clone_into(&mut status.state);
            status.reason = Some(super::chain(&error));
        }
    }
    Ok(status)
}
