//! A small world for tests through the library: systems with stores, sources and remotes in one temporary folder.
//!
//! Nothing here depends on the machine: [`World`]'s clock steps by one second at each look and lies years ahead of
//! every file's own time (so files count as settled), random bytes come from a counter per thread, and files
//! written with [`World::write`] get times of their own that rise. A disk may carry a fault plan, so that a command
//! stops at its n-th write:
//!
//! ```ignore
//! let world = World::new();
//! let a = world.system("a");
//! world.write("a/phone.vcf", &card("1", "Ann One", &["TEL:1"]));
//! a.add_source("phone.vcf", "vcard");
//! a.sync();
//! let plan = FaultPlan::stop_before(3);
//! let stopped = a.try_sync(&Disk::with_faults(plan));
//! ```
//!
//! To try one moment after the other from the same state, keep it with [`World::save`] and return with
//! [`World::restore`]: folders stay the same folders, so no store takes itself for a copy.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use dsync::disk::{Disk, FaultPlan};
use dsync::model::TimeMs;
use dsync::port::Clock;
use dsync::sync::{
    AddSource, ConflictReport, Environment, LogEntry, Overrides, Progress, RemoteOptions, Repository, Resolution,
    Steps, SyncOptions, SyncReport, SyncResult,
};

/// The first second of 2040: later than every file that a test writes.
pub(crate) const START_MS: i64 = 2_208_988_800_000;

/// All steps of `sync`.
pub(crate) const SYNC: Steps = Steps {
    scan: true,
    fetch: true,
    apply: true,
    push: true,
};

/// The steps of `snapshot`.
pub(crate) const SNAPSHOT: Steps = Steps {
    scan: true,
    fetch: false,
    apply: false,
    push: false,
};

/// The steps of `push`.
pub(crate) const PUSH: Steps = Steps {
    scan: false,
    fetch: false,
    apply: false,
    push: true,
};

/// The steps of `pull`.
pub(crate) const PULL: Steps = Steps {
    scan: true,
    fetch: true,
    apply: true,
    push: false,
};

/// The steps of `fetch`.
pub(crate) const FETCH: Steps = Steps {
    scan: false,
    fetch: true,
    apply: false,
    push: false,
};

/// The steps of `apply`.
pub(crate) const APPLY: Steps = Steps {
    scan: true,
    fetch: false,
    apply: true,
    push: false,
};

thread_local! {
    static RANDOM: Cell<u64> = const { Cell::new(1) };
}

/// Restarts the random bytes of this thread.
pub(crate) fn seed(value: u64) {
    RANDOM.set(value);
}

/// Returns the next number of this thread's sequence (splitmix64).
pub(crate) fn next_random() -> u64 {
    let state = RANDOM.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
    RANDOM.set(state);
    let mut mixed = state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn fill(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(8) {
        let next = next_random().to_le_bytes();
        chunk.copy_from_slice(&next[..chunk.len()]);
    }
}

/// A clock that steps by one second at each look.
struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn now(&self) -> TimeMs {
        TimeMs(self.0.fetch_add(1000, Ordering::SeqCst))
    }
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _what: &str, _total: Option<u64>) {}
    fn at(&self, _done: u64) {}
    fn finish(&self) {}
}

/// Makes a temporary folder, in memory where that is possible: durability is not what these tests look at.
fn folder(prefix: &str) -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(prefix);
    builder.tempdir_in(memory).or_else(|_| builder.tempdir()).unwrap()
}

/// A temporary folder with systems in it.
pub(crate) struct World {
    root: tempfile::TempDir,
    clock: Arc<StepClock>,
    file_time: Cell<u64>,
    /// At how many bytes pushes are cut.
    pub(crate) part_bytes: Cell<usize>,
}

impl World {
    /// Makes an empty world.
    pub(crate) fn new() -> Self {
        Self::seeded(1)
    }

    /// Makes an empty world whose random bytes follow from a seed.
    pub(crate) fn seeded(value: u64) -> Self {
        seed(value);
        Self {
            root: folder("dsync-world"),
            clock: Arc::new(StepClock(AtomicI64::new(START_MS))),
            file_time: Cell::new(0),
            part_bytes: Cell::new(dsync::remote::PART_TARGET_BYTES),
        }
    }

    /// Sets the clock of all systems.
    pub(crate) fn set_clock(&self, now_ms: i64) {
        self.clock.0.store(now_ms, Ordering::SeqCst);
    }

    /// Returns a path in this world.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Returns the environment of a command on a disk.
    pub(crate) fn environment(&self, disk: &Disk) -> Environment {
        Environment {
            disk: disk.clone(),
            clock: self.clock.clone(),
            random: fill,
            machine: "test".to_owned(),
            // Another test may have started a process that holds our lock until it runs its program.
            wait: Duration::from_secs(5),
            part_bytes: self.part_bytes.get(),
            interrupted: Arc::new(AtomicBool::new(false)),
            network: dsync::remote::Network::default(),
            progress: Arc::new(Silent),
            command: "test".to_owned(),
        }
    }

    /// Makes a system with an empty store in the folder `name`.
    pub(crate) fn system(&self, name: &str) -> System<'_> {
        fs::create_dir_all(self.path(name)).unwrap();
        Repository::init(&self.environment(&Disk::default()), &self.path(name), None).unwrap();
        self.existing(name)
    }

    /// Makes a system with a source file of this name and content, and the remote `remote`.
    pub(crate) fn with(&self, name: &str, file: &str, format: &str, content: &str) -> System<'_> {
        let system = self.system(name);
        system.write(file, content);
        system.add_source(file, format);
        system.add_remote("remote");
        system
    }

    /// Returns the system in the folder `name`, which is there already (a clone, a copy).
    pub(crate) fn existing(&self, name: &str) -> System<'_> {
        System {
            world: self,
            name: name.to_owned(),
        }
    }

    /// Makes a system from the plain remote in the folder `remote`.
    pub(crate) fn clone_system(&self, name: &str, remote: &str) -> System<'_> {
        self.try_clone(name, remote, &Disk::default()).unwrap();
        self.existing(name)
    }

    /// Clones on a disk that may have faults.
    pub(crate) fn try_clone(&self, name: &str, remote: &str, disk: &Disk) -> SyncResult<SyncReport> {
        let url = self.path(remote).display().to_string();
        let options = RemoteOptions::default();
        Repository::clone_remote(self.environment(disk), &url, &self.path(name), None, &options)
            .map(|(_, report)| report)
    }

    /// Writes a file as an application does: in place, with a time later than any before.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.touch(&path);
    }

    /// Gives a file a time later than any before.
    pub(crate) fn touch(&self, path: impl AsRef<Path>) {
        let seconds = self.file_time.get() + 1;
        self.file_time.set(seconds);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + seconds);
        let file = fs::OpenOptions::new().append(true).open(self.path(path)).unwrap();
        file.set_modified(time).unwrap();
    }

    /// Returns the text of a file.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> String {
        let path = self.path(relative);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Rewrites a file; the text must change.
    #[track_caller]
    pub(crate) fn edit(&self, relative: impl AsRef<Path>, change: impl FnOnce(String) -> String) {
        let before = self.read(&relative);
        let after = change(before.clone());
        assert_ne!(
            before,
            after,
            "the edit of {} changes nothing",
            relative.as_ref().display()
        );
        self.write(relative, after);
    }

    /// Replaces a text in a file; it must be there.
    #[track_caller]
    pub(crate) fn replace(&self, relative: impl AsRef<Path>, from: &str, to: &str) {
        self.edit(relative, |text| text.replace(from, to));
    }

    /// Keeps everything below the world as it is now.
    pub(crate) fn save(&self) -> Saved {
        let keep = folder("dsync-saved");
        copy_tree(self.root.path(), keep.path());
        Saved {
            keep,
            clock: self.clock.0.load(Ordering::SeqCst),
            random: RANDOM.get(),
            file_time: self.file_time.get(),
        }
    }

    /// Makes everything what it was; folders that are still there stay the same folders.
    pub(crate) fn restore(&self, saved: &Saved) {
        copy_tree(saved.keep.path(), self.root.path());
        self.clock.0.store(saved.clock, Ordering::SeqCst);
        self.file_time.set(saved.file_time);
        seed(saved.random);
    }
}

/// A world as it once was.
pub(crate) struct Saved {
    keep: tempfile::TempDir,
    clock: i64,
    random: u64,
    file_time: u64,
}

/// Makes `to` equal to `from`, keeping folders and file times.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(to).unwrap() {
        let entry = entry.unwrap();
        let source = from.join(entry.file_name());
        let is_dir = entry.file_type().unwrap().is_dir();
        if is_dir && !source.is_dir() {
            fs::remove_dir_all(entry.path()).unwrap();
        } else if !is_dir {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
            let time = entry.metadata().unwrap().modified().unwrap();
            let file = fs::OpenOptions::new().append(true).open(&target).unwrap();
            file.set_modified(time).unwrap();
        }
    }
}

/// A system: a folder with a store.
pub(crate) struct System<'w> {
    pub(crate) world: &'w World,
    name: String,
}

/// What a system shows, without anything that differs between equal runs (record keys, times).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Records as JSON without UID, in order.
    pub(crate) records: Vec<String>,
    /// Paths and values of open conflicts.
    pub(crate) conflicts: Vec<String>,
}

impl System<'_> {
    /// Returns the folder that holds the store and, by habit of the tests, the sources.
    pub(crate) fn dir(&self) -> PathBuf {
        self.world.path(&self.name)
    }

    /// Opens the store on a disk that may have faults.
    pub(crate) fn open(&self, disk: &Disk) -> SyncResult<Repository> {
        Repository::open(self.world.environment(disk), &self.dir().join(".dsync"))
    }

    /// Opens the store.
    #[track_caller]
    pub(crate) fn repository(&self) -> Repository {
        self.open(&Disk::default()).unwrap()
    }

    /// Binds a file or folder in the system's folder; a missing one is made.
    #[track_caller]
    pub(crate) fn add_source(&self, location: &str, format: &str) {
        self.add(AddSource {
            location: location.to_owned(),
            format: Some(format.to_owned()),
            create: true,
            ..AddSource::default()
        });
    }

    /// Binds a file, folder or table in the system's folder with more options; an empty format is detected.
    #[track_caller]
    pub(crate) fn add_with(&self, location: &str, format: &str, more: AddSource) {
        self.add(AddSource {
            location: location.to_owned(),
            format: (!format.is_empty()).then(|| format.to_owned()),
            create: true,
            ..more
        });
    }

    /// Binds a source.
    #[track_caller]
    pub(crate) fn add(&self, options: AddSource) {
        self.repository().add_source(&self.dir(), &options).unwrap();
    }

    /// Makes or joins the remote `origin` in the folder `remote` of the world, without sealing.
    #[track_caller]
    pub(crate) fn add_remote(&self, remote: &str) {
        let options = RemoteOptions {
            plain: true,
            ..RemoteOptions::default()
        };
        let url = self.world.path(remote).display().to_string();
        self.repository().remote_add("origin", &url, &options).unwrap();
    }

    /// Returns a path in the system's folder.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir().join(file)
    }

    /// Writes a file in the system's folder as an application does.
    pub(crate) fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        self.world.write(self.path(file), content);
    }

    /// Returns the text of a file in the system's folder.
    #[track_caller]
    pub(crate) fn read(&self, file: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(file)).unwrap()).into_owned()
    }

    /// Replaces a text that must be there exactly once.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, old: &str, new: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(old).count(), 1, "`{old}` in\n{text}");
        self.write(file, text.replace(old, new));
    }

    /// Syncs with every safeguard but that of rolled-back remotes switched off.
    #[track_caller]
    pub(crate) fn sync_forced(&self) -> SyncReport {
        let overrides = Overrides {
            deletes: true,
            changes: true,
            empty: true,
            rollback: false,
        };
        self.sync_allowing(overrides)
            .unwrap_or_else(|error| panic!("{}", chain(&error)))
    }

    /// Records what the sources show, and nothing more.
    pub(crate) fn record(&self) {
        self.steps(SNAPSHOT);
    }

    /// Sends what is recorded, and nothing more.
    pub(crate) fn send(&self) {
        self.steps(PUSH);
    }

    /// Receives, merges and unites, and nothing more.
    pub(crate) fn receive(&self) {
        self.steps(FETCH);
    }

    fn steps(&self, steps: Steps) {
        self.run(&Disk::default(), steps, &SyncOptions::default()).unwrap();
    }

    /// Takes back an operation.
    pub(crate) fn undo_of(&self, operation: &str) -> SyncReport {
        self.repository()
            .undo(Some(operation), &SyncOptions::default())
            .unwrap()
    }

    /// Returns the newest operation that can be undone.
    pub(crate) fn last_change(&self) -> String {
        let operations = self.repository().ops(None, false).unwrap();
        operations.iter().find(|one| one.undoable).unwrap().operation.clone()
    }

    /// Lists the open conflicts.
    pub(crate) fn conflicts(&self) -> Vec<ConflictReport> {
        self.repository().conflicts().unwrap()
    }

    /// Lists the open conflicts of values (no suggestions about identity) as `title path: a | b`.
    pub(crate) fn clashes(&self) -> Vec<String> {
        let reports = self.conflicts();
        let clashes = reports.iter().filter(|report| report.kind != "identity");
        let mut list: Vec<String> = clashes
            .map(|report| {
                let mut values: Vec<String> = report.alternatives.iter().map(|one| one.value.to_string()).collect();
                values.sort();
                format!("{} {}: {}", report.title, report.path, values.join(" | "))
            })
            .collect();
        list.sort();
        list
    }

    /// Lists the snapshots, newest first.
    pub(crate) fn log(&self) -> Vec<LogEntry> {
        self.repository().log(None, None).unwrap()
    }

    /// Returns how many records the collection `contacts` has.
    pub(crate) fn records(&self) -> u64 {
        let collections = self.repository().collections().unwrap();
        collections.first().map_or(0, |collection| collection.records)
    }

    /// Returns the id of the state, equal on systems that are in step.
    pub(crate) fn state(&self) -> String {
        self.repository().status().unwrap().state
    }

    /// Decides a conflict of the collection `contacts`; it must succeed.
    #[track_caller]
    pub(crate) fn resolve(&self, key: &str, path: Option<&str>, resolution: &Resolution) -> SyncReport {
        let result = self.repository().resolve("contacts", key, path, resolution, false);
        result.unwrap_or_else(|error| panic!("{key}: {error:?}"))
    }

    /// Takes back the newest operation that changed something.
    #[track_caller]
    pub(crate) fn undo(&self) -> SyncReport {
        self.repository().undo(None, &SyncOptions::default()).unwrap()
    }

    /// Asserts that a sync has nothing to do: nothing read, written, received or sent.
    #[track_caller]
    pub(crate) fn quiet(&self) {
        let before = self.log().len();
        let report = self.sync();
        for source in &report.sources {
            assert!(
                source.read.is_zero() && source.written.is_zero(),
                "{}: {report:#?}",
                self.dir().display()
            );
        }
        assert_eq!(
            self.log().len(),
            before,
            "{}: a quiet sync made a snapshot",
            self.dir().display()
        );
    }

    /// Runs steps on a disk that may have faults.
    pub(crate) fn run(&self, disk: &Disk, steps: Steps, options: &SyncOptions) -> SyncResult<SyncReport> {
        self.open(disk)?.run(steps, options)
    }

    /// Syncs on a disk that may have faults.
    pub(crate) fn try_sync(&self, disk: &Disk) -> SyncResult<SyncReport> {
        self.run(disk, SYNC, &SyncOptions::default())
    }

    /// Syncs with safeguards switched off.
    pub(crate) fn sync_allowing(&self, overrides: Overrides) -> SyncResult<SyncReport> {
        let options = SyncOptions {
            overrides,
            ..SyncOptions::default()
        };
        self.run(&Disk::default(), SYNC, &options)
    }

    /// Syncs; it must succeed.
    #[track_caller]
    pub(crate) fn sync(&self) -> SyncReport {
        self.try_sync(&Disk::default())
            .unwrap_or_else(|error| panic!("{}", chain(&error)))
    }

    /// Syncs and returns the paths that were written, relative to the world; the lock file, which every command
    /// takes, is left out.
    #[track_caller]
    pub(crate) fn sync_counted(&self) -> (SyncReport, Vec<String>) {
        let plan = FaultPlan::count();
        let report = self.try_sync(&Disk::with_faults(plan.clone())).unwrap();
        let root = self.world.root.path();
        let written = plan.paths().into_iter();
        let written = written
            .filter(|path| !path.ends_with(".dsync/lock"))
            .map(|path| path.strip_prefix(root).unwrap_or(&path).display().to_string());
        (report, written.collect())
    }

    /// Returns what the records and conflicts are.
    pub(crate) fn shown(&self) -> Shown {
        let repository = self.repository();
        let mut records = Vec::new();
        for collection in repository.collections().unwrap() {
            let mut each = |report: dsync::sync::RecordReport| {
                let mut record = report.record;
                if let Some(map) = record.as_object_mut() {
                    map.remove("uid");
                }
                records.push(mask(&record.to_string()));
                Ok(())
            };
            repository.cat(&collection.name, &[], &mut each).unwrap();
        }
        records.sort();
        let conflicts = repository.conflicts().unwrap().into_iter();
        let mut conflicts: Vec<String> = conflicts
            .map(|conflict| {
                let mut values: Vec<String> = conflict.alternatives.iter().map(|a| a.value.to_string()).collect();
                values.sort();
                mask(&format!("{} {} {}", conflict.title, conflict.path, values.join(" | ")))
            })
            .collect();
        conflicts.sort();
        Shown { records, conflicts }
    }

    /// Returns the roots of the collections.
    pub(crate) fn roots(&self) -> Vec<(String, String)> {
        let collections = self.repository().collections().unwrap().into_iter();
        collections
            .map(|collection| (collection.name, collection.root))
            .collect()
    }

    /// Returns how many snapshots there are.
    pub(crate) fn snapshots(&self) -> usize {
        self.repository().log(None, None).unwrap().len()
    }

    /// Checks that every object and reference of the store is whole.
    #[track_caller]
    pub(crate) fn verify_clean(&self) {
        let report = self.repository().verify(None, true).unwrap();
        let damaged: Vec<String> = report.damaged.iter().map(|damage| damage.what.clone()).collect();
        assert!(damaged.is_empty(), "{}: {damaged:?}", self.name);
    }

    /// Returns the files of the system's folder outside the store, each as sorted items, so that equal contents are
    /// equal texts: an order that follows from random keys does not matter.
    pub(crate) fn sources(&self) -> BTreeMap<String, Vec<String>> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.dir()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().is_some_and(|name| name == ".dsync") {
                    continue;
                }
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                let name = mask(&path.strip_prefix(self.dir()).unwrap().display().to_string());
                let mut items = items(&text);
                found.entry(name).or_insert_with(Vec::new).append(&mut items);
            }
        }
        for items in found.values_mut() {
            items.sort();
        }
        found
    }
}

/// Syncs all systems in turn until nobody has anything to do; at most six rounds.
#[track_caller]
pub(crate) fn settle(systems: &[&System<'_>]) {
    for _ in 0..6 {
        let mut busy = false;
        for system in systems {
            let report = system.sync();
            busy |= report
                .sources
                .iter()
                .any(|one| !one.read.is_zero() || !one.written.is_zero());
            busy |= report.remotes.iter().any(|one| one.sent.packs + one.received.packs > 0);
        }
        if !busy {
            let states: Vec<String> = systems.iter().map(|system| system.state()).collect();
            assert!(states.iter().all(|state| *state == states[0]), "quiet, but not in step");
            return;
        }
    }
    panic!("still busy after six rounds");
}

/// Splits a text into cards, or else lines.
fn items(text: &str) -> Vec<String> {
    if text.contains("BEGIN:VCARD") {
        text.split_inclusive("END:VCARD")
            .map(|card| mask(card.trim()))
            .collect()
    } else {
        text.lines().map(mask).collect()
    }
}

/// Replaces what looks like a made-up identity (32 hex digits, with or without dashes) by a dash.
fn mask(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(std::iter::once('\n')) {
        if letter.is_ascii_hexdigit() || letter == '-' {
            word.push(letter);
            continue;
        }
        let digits = word.chars().filter(char::is_ascii_hexdigit).count();
        out.push_str(if digits >= 32 { "-" } else { &word });
        word.clear();
        out.push(letter);
    }
    out.pop();
    out
}

/// Prints an error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// Makes a vCard with further lines.
pub(crate) fn card(uid: &str, name: &str, lines: &[&str]) -> String {
    let (given, surname) = name.split_once(' ').unwrap_or((name, ""));
    let mut text = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{surname};{given};;;\r\n");
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("END:VCARD\r\n");
    text
}

/// Makes a Google CSV with the columns first name, last name, e-mail, phone, notes.
pub(crate) fn google(rows: &[[&str; 5]]) -> String {
    let mut text =
        "First Name,Last Name,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Notes\r\n".to_owned();
    for [given, surname, email, phone, notes] in rows {
        let notes = if notes.contains([',', '"', '\n']) {
            format!("\"{}\"", notes.replace('"', "\"\""))
        } else {
            (*notes).to_owned()
        };
        let email_label = if email.is_empty() { "" } else { "Home" };
        let phone_label = if phone.is_empty() { "" } else { "Mobile" };
        text.push_str(&format!(
            "{given},{surname},{email_label},{email},{phone_label},{phone},{notes}\r\n"
        ));
    }
    text
}
