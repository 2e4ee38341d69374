//! The store of a system and the sync of its sources and remotes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{Config, Direction, SourceConfig};
use super::donor::{Donor, ReadItems};
use super::exchange;
use super::fetch::{self, Compared};
use super::outtake;
use super::peer::{Opened, Plain};
use super::plan::Plan;
use super::report::{ConflictTally, RemoteReport, SourceReport, SyncReport};
use super::table;
use super::tabled;
use super::work::Work;
use super::{Environment, Overrides, Steps, SyncError, SyncOptions, SyncResult, other, source_error};
use crate::delta::State;
use crate::merge;
use crate::model::{Domain, Hash, ReplicaId, SnapshotId, Value};
use crate::port::Objects;
use crate::source::Index;
use crate::store::{Lock, Step, Store, StoreError, View};

/// The name of the folder that holds a store.
pub(super) const STORE_FOLDER: &str = ".dsync";

/// An open store with its configuration.
pub struct Repository {
    pub(super) env: Environment,
    pub(super) root: PathBuf,
    pub(super) store: Store,
    pub(super) config: Config,
    pub(super) lock: Option<Lock>,
    /// Whether what is committed next is the first operation of a command.
    step: Step,
    /// Whether this store was found to be a copy or a restored backup.
    copied: bool,
    notes: Vec<String>,
}

pub(super) fn store_error(error: StoreError) -> SyncError {
    match error {
        StoreError::NotAStore { path } | StoreError::Exists { path } => SyncError::NotAStore(path),
        StoreError::Busy { holder, .. } => SyncError::Busy { holder },
        StoreError::NewerVersion { found, supported, .. } => SyncError::NewerStore { found, supported },
        StoreError::Disk(error) => SyncError::Disk(error),
        StoreError::Object(error) => SyncError::Object(error),
        error @ StoreError::Damaged { .. } => SyncError::Damaged(error.to_string()),
        StoreError::UnknownOperation { prefix } => SyncError::Unknown {
            what: "operation",
            name: prefix,
            candidates: Vec::new(),
        },
        StoreError::AmbiguousOperation { prefix, candidates } => SyncError::AmbiguousId {
            prefix,
            count: candidates.len(),
        },
        error => other("using the store", error),
    }
}

impl Repository {
    /// Makes a store in `dir`; returns its folder and whether it was made now.
    pub fn init(env: &Environment, dir: &Path, system: Option<&str>) -> SyncResult<(PathBuf, bool)> {
        let root = dir.join(STORE_FOLDER);
        match Store::open(&env.disk, &root) {
            Ok(_) => return Ok((root, false)),
            Err(StoreError::NotAStore { .. }) => {}
            Err(error) => return Err(store_error(error)),
        }
        env.disk.create_dir_all(dir)?;
        let mut replica = [0; 16];
        (env.random)(&mut replica);
        let folder = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let default = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let name = system.map_or(default, str::to_owned);
        let mut view = View::new(name, ReplicaId::from_bytes(replica), String::new());
        env.disk.create_dir_all(&root)?;
        view.binding = binding(env, &root)?;
        Store::create(&env.disk, &root, &view, env.clock.now()).map_err(store_error)?;
        let config = Config::load(&env.disk, &root)?;
        config.save(&env.disk)?;
        Ok((root, true))
    }

    /// Finds the store of `start` or a folder above it.
    pub fn discover(start: &Path) -> Option<PathBuf> {
        let start = std::path::absolute(start).ok()?;
        start
            .ancestors()
            .map(|folder| folder.join(STORE_FOLDER))
            .find(|root| root.join("ops").is_dir())
    }

    /// Opens the store in the folder `root` (`…/.dsync`).
    pub fn open(env: Environment, root: &Path) -> SyncResult<Self> {
        let store = Store::open(&env.disk, root).map_err(store_error)?;
        let config = Config::load(&env.disk, root)?;
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        Ok(Self {
            env,
            root,
            store,
            config,
            lock: None,
            step: Step::First,
            copied: false,
            notes: Vec::new(),
        })
    }

    pub(super) fn work<'a>(&'a self, objects: &'a dyn Objects, view: View) -> Work<'a> {
        Work::new(&self.env, &self.root, &self.config, objects, view)
    }

    /// Returns a work over the store for looking only.
    pub(super) fn reading(&self) -> Work<'_> {
        self.work(&self.store, self.store.view().clone())
    }

    /// Waits for the lock in short steps, so that Ctrl-C ends the waiting.
    pub(super) fn wait_for_lock(&self) -> SyncResult<Lock> {
        /// How long Ctrl-C may go unnoticed (chosen: a person does not notice it).
        const STEP: Duration = Duration::from_millis(200);
        let mut left = self.env.wait;
        loop {
            self.interrupted()?;
            let step = left.min(STEP);
            match self.store.lock(step) {
                Err(StoreError::Busy { .. }) if left > step => left -= step,
                result => return result.map_err(store_error),
            }
        }
    }

    /// Takes the lock, notices a copied store, and settles what a crash left open.
    pub(super) fn begin(&mut self) -> SyncResult<()> {
        if self.lock.is_none() {
            self.lock = Some(self.wait_for_lock()?);
            self.store.reload().map_err(store_error)?;
            self.config = Config::load(&self.env.disk, &self.root)?;
        }
        let place = binding(&self.env, &self.root)?;
        let mut work = self.reading();
        let mut dirty = false;
        let copied = work.view.binding != place;
        if copied {
            fetch::retire(&mut work);
            work.view.binding = place;
            dirty = true;
        }
        for config in self.config.sources() {
            dirty |= match table::format_of(config) {
                Some(_) => table::settle(&mut work, config),
                None => super::settle::settle_intent(&mut work, config)?,
            };
        }
        let view = work.view;
        if copied {
            self.copied = true;
            self.notes
                .push("this store was copied or restored; it goes on under a new replica id".to_owned());
        }
        self.step = Step::First;
        if dirty {
            self.commit(view, "recover")?;
        }
        self.step = Step::First;
        Ok(())
    }

    pub(super) fn commit(&mut self, view: View, command: &str) -> SyncResult<()> {
        let before = self.store.operation_id();
        let now = self
            .store
            .commit_step(view, command, self.step, self.env.clock.now())
            .map_err(store_error)?;
        if now != before {
            self.step = Step::Further;
        }
        Ok(())
    }

    /// Makes what is committed from here on an operation of its own.
    pub(super) fn begin_operation(&mut self) {
        self.step = Step::First;
    }

    pub(super) fn interrupted(&self) -> SyncResult<()> {
        super::interrupted(&self.env)
    }

    /// Runs the steps of `sync`, `snapshot`, `fetch`, `pull`, `push` or `apply`.
    pub fn run(&mut self, steps: Steps, options: &SyncOptions) -> SyncResult<SyncReport> {
        for name in &options.sources {
            self.config.source(name)?;
        }
        for name in &options.remotes {
            self.config.remote(name)?;
        }
        if options.dry_run {
            self.rehearse(steps, options)
        } else {
            self.begin()?;
            self.perform(steps, options)
        }
    }

    fn chosen_sources(&self, options: &SyncOptions) -> Vec<SourceConfig> {
        let chosen = |source: &&SourceConfig| options.sources.is_empty() || options.sources.contains(&source.name);
        self.config.sources().iter().filter(chosen).cloned().collect()
    }

    fn chosen_remotes(&self, options: &SyncOptions) -> Vec<String> {
        let names = self.config.remotes().iter().map(|remote| remote.name.clone());
        names
            .filter(|name| options.remotes.is_empty() || options.remotes.contains(name))
            .collect()
    }

    /// Returns the chosen sources of which nothing is known yet: nothing is written over what was never looked at.
    fn unread_sources(&self, options: &SyncOptions) -> Vec<SourceConfig> {
        let known = &self.store.view().sources;
        let mut sources = self.chosen_sources(options);
        sources.retain(|source| !known.contains_key(&source.name));
        sources
    }

    /// Plans everything on memory over the store and writes nothing.
    fn rehearse(&self, steps: Steps, options: &SyncOptions) -> SyncResult<SyncReport> {
        let scratch = self.store.scratch();
        let mut work = self.work(&scratch, self.store.view().clone());
        let mut run = Run::new(&work)?;
        run.report.dry_run = true;
        let remotes = self.open_remotes(&work, steps, options, &mut run)?;
        if steps.fetch {
            for (_, remote) in &remotes {
                if let Opened::Peer(peer) = remote {
                    let requests = peer.requests(&work)?;
                    peer.download(&self.env, &requests, &mut Plain(&scratch))?;
                }
            }
        }
        if steps.scan {
            run.scan(&mut work, &self.chosen_sources(options), options)?;
        }
        if steps.fetch {
            for (name, remote) in &remotes {
                let Some(compared) = run.compare(&mut work, name, remote, options)? else {
                    continue;
                };
                run.fetch(&mut work, name, remote, &compared)?;
            }
            run.unite(&mut work)?;
        }
        if steps.apply {
            if !steps.scan {
                run.scan(&mut work, &self.unread_sources(options), options)?;
            }
            for (_, plan) in run.plan_out(&work, &self.chosen_sources(options))? {
                run.add_source(plan.into_report());
            }
        }
        if steps.push {
            for (name, remote) in &remotes {
                let plan = match remote {
                    Opened::Storage(remote) => exchange::plan_push(&work, &exchange::remote_view(&work, name, remote))?,
                    Opened::Peer(peer) => peer.plan_push(&work)?,
                };
                if plan.snapshots.is_empty() {
                    run.remote(name);
                    continue;
                }
                let parts = exchange::Parts::of(&work, &plan)?;
                let sent = &mut run.remote(name).sent;
                sent.packs += parts.len() as u64;
                sent.transactions += parts.transactions;
            }
        }
        run.finish(&work)
    }

    /// Ends a dry run: tells what sources would be read and written in the state that `work` came to.
    pub(super) fn rehearse_apply(
        &self,
        mut work: Work<'_>,
        mut run: Run,
        overrides: Overrides,
    ) -> SyncResult<SyncReport> {
        let options = SyncOptions {
            overrides,
            ..SyncOptions::default()
        };
        let sources = self.chosen_sources(&options);
        run.report.dry_run = true;
        run.scan(&mut work, &sources, &options)?;
        for (_, plan) in run.plan_out(&work, &sources)? {
            run.add_source(plan.into_report());
        }
        run.finish(&work)
    }

    fn open_remotes(
        &self,
        work: &Work<'_>,
        steps: Steps,
        options: &SyncOptions,
        run: &mut Run,
    ) -> SyncResult<Vec<(String, Opened)>> {
        let mut opened = Vec::new();
        if !steps.fetch && !steps.push {
            return Ok(opened);
        }
        for name in self.chosen_remotes(options) {
            match Opened::open(work, self.config.remote(&name)?) {
                Ok(remote) => opened.push((name, remote)),
                Err(error @ SyncError::Unreachable { .. }) => run.unreachable(&name, &error),
                Err(error) => return Err(error),
            }
        }
        Ok(opened)
    }

    /// Runs steps as a part of the command that has begun.
    pub(super) fn perform(&mut self, steps: Steps, options: &SyncOptions) -> SyncResult<SyncReport> {
        let command = self.env.command.clone();
        let work = self.reading();
        let mut run = Run::new(&work)?;
        run.notes.clone_from(&self.notes);
        let mut remotes = self.open_remotes(&work, steps, options, &mut run)?;
        let sources = self.chosen_sources(options);
        drop(work);
        let away = if steps.fetch {
            self.download(&mut remotes, &mut run)
        } else {
            None
        };
        let mut work = self.reading();
        let (reached, failure) = run.compare_all(&mut work, &remotes, options);
        let mut failure = away.or(failure);
        let restored = self.copied || reached.iter().any(|(_, _, compared)| compared.restored);
        // A source that was never read is matched against what remotes know already; a restored store first learns
        // what it once knew.
        let newcomer = sources
            .iter()
            .any(|source| !work.view.sources.contains_key(&source.name));
        if steps.fetch && steps.scan && (newcomer || restored) {
            failure = failure.or(run.fetch_all(&mut work, &reached)?);
            if restored {
                for source in &sources {
                    super::settle::readopt(&mut work, source, options.overrides)?;
                }
            }
        }
        let view = work.view;
        self.commit(view, &command)?;
        self.interrupted()?;
        let mut work = self.reading();
        if steps.scan
            && let Err(error) = run.scan(&mut work, &sources, options)
        {
            let alarm = matches!(error, SyncError::SourceEmpty { .. } | SyncError::MassDeletion { .. });
            if !alarm || reached.is_empty() {
                return Err(error);
            }
            // Nothing of the source is recorded. Where all sides agree on what went there is no alarm, so the others
            // are asked first.
            drop(work);
            self.store.discard();
            work = self.reading();
            run = Run::new(&work)?;
            run.notes.clone_from(&self.notes);
            let failed = run.fetch_all(&mut work, &reached)?;
            failure = failure.or(failed);
            let view = work.view;
            self.commit(view, &command)?;
            work = self.reading();
            run.scan(&mut work, &sources, options)?;
        }
        if steps.fetch {
            // What came from the others is kept even when one remote is damaged or rolled back.
            let failed = run.fetch_all(&mut work, &reached)?;
            failure = failure.or(failed);
        }
        self.interrupted()?;
        let plans = if steps.apply {
            if !steps.scan {
                run.scan(&mut work, &self.unread_sources(options), options)?;
            }
            run.plan_out(&work, &sources)?
        } else {
            Vec::new()
        };
        for (config, plan) in &plans {
            if plan.is_writing() {
                plan.announce(&mut work, config)?;
            }
        }
        let view = work.view;
        self.commit(view, &command)?;
        self.carry_out(plans, &mut run, &command)?;
        if steps.push {
            self.push_all(&reached, steps, &mut run, &command)?;
        }
        let work = self.reading();
        run.keep_tables(&work);
        let report = run.finish(&work)?;
        failure.map_or(Ok(report), Err)
    }

    /// Writes the sources as planned and announced.
    fn carry_out(&mut self, plans: Vec<(SourceConfig, Plan)>, run: &mut Run, command: &str) -> SyncResult<()> {
        if plans.is_empty() {
            return Ok(());
        }
        let mut work = self.reading();
        for (config, plan) in plans {
            let report = match plan {
                Plan::Items(plan) => {
                    let mut report = plan.execute(&mut work, &config)?;
                    report.set_aside.extend(tabled::push(&work, &config)?);
                    report
                }
                Plan::Table(plan) => {
                    let (report, rows) = plan.execute(&mut work, &config)?;
                    run.tables.insert(config.name.clone(), rows);
                    report
                }
            };
            run.add_source(report);
        }
        let view = work.view;
        self.commit(view, command)
    }
}

/// A remote that was listed.
pub(super) type Reached<'r> = (&'r str, &'r Opened, Compared);

/// What one run gathers for its report.
pub(super) struct Run {
    pub(super) report: SyncReport,
    /// Heads against which what comes is compared.
    pub(super) before: BTreeMap<String, Vec<SnapshotId>>,
    open_before: OpenConflicts,
    pub(super) indexes: BTreeMap<String, ReadItems>,
    /// Fingerprints of the tables that were read.
    pub(super) tables: BTreeMap<String, table::Rows>,
    /// Sources without news of their own, of which nothing was read.
    pub(super) untouched: BTreeSet<String>,
    /// Sources whose servers are away.
    pub(super) away: BTreeSet<String>,
    notes: Vec<String>,
}

impl Run {
    pub(super) fn new(work: &Work<'_>) -> SyncResult<Self> {
        let mut before = BTreeMap::new();
        for name in work.view.collections.keys() {
            before.insert(name.clone(), work.state(name)?);
        }
        let open_before = open_conflicts(work, &before)?;
        Ok(Self {
            report: SyncReport::default(),
            before: heads_of(work),
            open_before,
            indexes: BTreeMap::new(),
            tables: BTreeMap::new(),
            untouched: BTreeSet::new(),
            away: BTreeSet::new(),
            notes: Vec::new(),
        })
    }

    /// Adds what happened to a source to what is known of it.
    pub(super) fn add_source(&mut self, report: SourceReport) {
        self.report.add_source(report);
    }

    pub(super) fn remote(&mut self, name: &str) -> &mut RemoteReport {
        let at = self
            .report
            .remotes
            .iter()
            .position(|remote| remote.name == name)
            .unwrap_or_else(|| {
                self.report.remotes.push(RemoteReport {
                    name: name.to_owned(),
                    ..RemoteReport::default()
                });
                self.report.remotes.len() - 1
            });
        &mut self.report.remotes[at]
    }

    pub(super) fn unreachable(&mut self, name: &str, error: &SyncError) {
        let remote = self.remote(name);
        remote.reached = false;
        remote.full = matches!(error, SyncError::Unreachable { is_full: true, .. });
        remote.message = Some(super::chain(error));
    }

    /// Forgets what scanning found, after the sources were put on other bases: all are planned anew.
    pub(super) fn forget_scan(&mut self) {
        self.indexes.clear();
        self.untouched.clear();
    }

    /// Lists a remote and compares it with what is known; `None` when it cannot be reached.
    fn compare(
        &mut self,
        work: &mut Work<'_>,
        name: &str,
        remote: &Opened,
        options: &SyncOptions,
    ) -> SyncResult<Option<Compared>> {
        let compared = match remote {
            Opened::Storage(remote) => fetch::compare(work, name, remote, options.overrides),
            Opened::Peer(peer) => peer.compare(work, options.overrides),
        };
        match compared {
            Ok(compared) => Ok(Some(compared)),
            Err(error @ SyncError::Unreachable { .. }) => {
                self.unreachable(name, &error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Compares all remotes; returns those that are in order, and the first error of the others.
    fn compare_all<'r>(
        &mut self,
        work: &mut Work<'_>,
        remotes: &'r [(String, Opened)],
        options: &SyncOptions,
    ) -> (Vec<Reached<'r>>, Option<SyncError>) {
        let mut reached = Vec::new();
        let mut failure = None;
        for (name, remote) in remotes {
            match self.compare(work, name, remote, options) {
                Ok(Some(compared)) => reached.push((name.as_str(), remote, compared)),
                Ok(None) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        (reached, failure)
    }

    /// Takes in what the remotes have; returns the first error that concerns one remote only.
    fn fetch_all(&mut self, work: &mut Work<'_>, reached: &[Reached<'_>]) -> SyncResult<Option<SyncError>> {
        let mut failure = None;
        for (name, remote, compared) in reached {
            if let Err(error) = self.fetch(work, name, remote, compared) {
                failure = failure.or(Some(error));
            }
        }
        self.unite(work)?;
        Ok(failure)
    }

    fn fetch(&mut self, work: &mut Work<'_>, name: &str, remote: &Opened, compared: &Compared) -> SyncResult<()> {
        let fetched = match remote {
            Opened::Storage(remote) => fetch::fetch(work, name, remote, compared),
            Opened::Peer(peer) => peer.fetch(work, compared),
        };
        match fetched {
            Ok(report) => {
                let known = self.remote(name);
                known.reached = report.reached;
                known.message = report.message.or(known.message.take());
                known.received.packs += report.received.packs;
                known.received.bytes += report.received.bytes;
                known.received.transactions += report.received.transactions;
                Ok(())
            }
            Err(error @ SyncError::Unreachable { .. }) => {
                self.unreachable(name, &error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Unites records that came with records that were here.
    pub(super) fn unite(&mut self, work: &mut Work<'_>) -> SyncResult<()> {
        self.report.unions.extend(fetch::unite_all(work, &self.before)?);
        Ok(())
    }

    pub(super) fn plan_out(
        &mut self,
        work: &Work<'_>,
        sources: &[SourceConfig],
    ) -> SyncResult<Vec<(SourceConfig, Plan)>> {
        let mut plans = Vec::new();
        for config in sources.iter().filter(|config| config.direction != Direction::In) {
            let in_step = work.source_view(&config.name).base == work.heads(&config.collection);
            if in_step && self.untouched.contains(&config.name) || self.away.contains(&config.name) {
                continue;
            }
            if table::format_of(config).is_some() {
                let rows = self.tables.get(&config.name).cloned();
                let plan = match table::plan(work, config, rows) {
                    Err(SyncError::SourceUnreachable { location, reason, .. }) => {
                        self.away(config, location, reason);
                        continue;
                    }
                    plan => plan?,
                };
                plans.extend(plan.map(|plan| (config.clone(), Plan::Table(Box::new(plan)))));
                continue;
            }
            let known = self.indexes.remove(&config.name);
            let items = known.map_or_else(|| load_index(work, config), Ok)?;
            if outtake::is_in_step(work, config, &items.index) {
                self.indexes.insert(config.name.clone(), items);
                continue;
            }
            let donors = sources
                .iter()
                .filter_map(|donor| Donor::new(work, donor, self.indexes.get(&donor.name)?));
            if let Some(plan) = outtake::plan(work, config, &items.index, items.open, donors.collect())? {
                plans.push((config.clone(), Plan::Items(Box::new(plan))));
            }
        }
        self.indexes.clear();
        Ok(plans)
    }

    /// Keeps the fingerprints of the tables that were read, once what they belong to is recorded.
    fn keep_tables(&mut self, work: &Work<'_>) {
        for (name, rows) in std::mem::take(&mut self.tables) {
            rows.save(work, &name);
        }
    }

    pub(super) fn finish(mut self, work: &Work<'_>) -> SyncResult<SyncReport> {
        let mut states = BTreeMap::new();
        for name in work.view.collections.keys() {
            states.insert(name.clone(), work.state(name)?);
        }
        self.report.state = state_id(&states);
        let open = open_conflicts(work, &states)?;
        let new = open
            .iter()
            .filter(|one| self.open_before.binary_search(one).is_err())
            .count() as u64;
        self.report.conflicts = ConflictTally {
            new,
            open: open.len() as u64,
        };
        if let Some(first) = self.report.sources.first_mut() {
            first.notes.splice(0..0, std::mem::take(&mut self.notes));
        }
        Ok(self.report)
    }
}

pub(super) fn heads_of(work: &Work<'_>) -> BTreeMap<String, Vec<SnapshotId>> {
    let collections = work.view.collections.iter();
    collections
        .map(|(name, view)| (name.clone(), view.heads.clone()))
        .collect()
}

fn load_index(work: &Work<'_>, config: &SourceConfig) -> SyncResult<ReadItems> {
    let view = work.source_view(&config.name);
    let index = Index::load(work.objects, &view.index, &view.files).map_err(|error| source_error(config, error))?;
    Ok(ReadItems {
        index,
        ..ReadItems::default()
    })
}

/// The beginning of a hash of each open conflict, sorted: there may be several in every record.
type OpenConflicts = Vec<[u8; 16]>;

fn open_conflicts(work: &Work<'_>, states: &BTreeMap<String, State>) -> SyncResult<OpenConflicts> {
    let one = |parts: [&str; 3]| {
        let parts = parts.map(|part| Value::Text(part.into()));
        let hash = Hash::of(Domain::Value, &crate::model::cbor::encode(&Value::List(parts.into())));
        hash.bytes().first_chunk().copied().unwrap_or_default()
    };
    let mut open = OpenConflicts::new();
    for (name, state) in states {
        for conflict in merge::conflicts(work.objects, state) {
            let conflict = conflict.map_err(|error| other("reading conflicts", error))?;
            open.push(one([name, &conflict.key.to_string(), &conflict.path.to_string()]));
        }
        for (key, source, rule) in table::broken(work, name)? {
            open.push(one([name, &key.to_string(), &format!("{rule} of {source}")]));
        }
    }
    open.sort_unstable();
    open.dedup();
    Ok(open)
}

/// Returns one id over all collections.
pub(super) fn state_id(states: &BTreeMap<String, State>) -> String {
    let mut bytes = Vec::new();
    for (name, state) in states {
        crate::model::cbor::encode_into(&Value::Text(name.clone().into()), &mut bytes);
        bytes.extend_from_slice(state.content.bytes());
        bytes.extend_from_slice(state.conflicts.bytes());
    }
    Hash::of(Domain::Value, &bytes).to_string()
}

/// Returns what binds a store to its place: a copy or a restored backup is another folder of the file system.
pub(super) fn binding(env: &Environment, root: &Path) -> SyncResult<String> {
    let stat = env
        .disk
        .stat(root)?
        .ok_or_else(|| SyncError::NotAStore(root.to_owned()))?;
    Ok(format!("{}:{}:{}", env.machine, stat.device, stat.inode))
}
