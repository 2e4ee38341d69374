//! Several systems in one process: each with a store, sources in a folder of its own, and one shared folder remote.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use dsync::disk::Disk;
use dsync::model::TimeMs;
use dsync::port::Clock;
use dsync::sync::{
    AddSource, ConflictReport, Environment, LogEntry, Overrides, Progress, RemoteOptions, Repository, Resolution,
    Steps, SyncOptions, SyncReport,
};

/// A temporary folder with systems in it and one clock for all.
pub(crate) struct House {
    root: tempfile::TempDir,
    clock: Arc<Ticking>,
}

/// One system.
pub(crate) struct System {
    pub(crate) dir: PathBuf,
    remote: PathBuf,
    env: Environment,
}

/// Goes on by a second at each look, so that no two writes are of one time.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> TimeMs {
        TimeMs(self.0.fetch_add(1000, Ordering::Relaxed))
    }
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: Option<u64>) {}
    fn at(&self, _: u64) {}
    fn finish(&self) {}
}

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) };
}

/// Fills a buffer with the same bytes at each run of a test.
fn random(bytes: &mut [u8]) {
    for byte in bytes {
        let mut state = STATE.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        STATE.set(state);
        *byte = (state >> 32) as u8;
    }
}

const SYNC: Steps = Steps {
    scan: true,
    fetch: true,
    apply: true,
    push: true,
};

impl House {
    /// Makes an empty house, in memory where the machine has such a place.
    pub(crate) fn new() -> Self {
        Self::seeded(1)
    }

    /// Makes an empty house whose random bytes follow from a seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        STATE.set(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut builder = tempfile::Builder::new();
        builder.prefix("dsync-house");
        let root = builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).unwrap();
        // Long past, so that no stat of a file is ever taken for settled: tests write twice in one tick.
        let clock = Arc::new(Ticking(AtomicI64::new(1_577_836_800_000)));
        Self { root, clock }
    }

    /// Makes a system with a store.
    pub(crate) fn system(&self, name: &str) -> System {
        let dir = self.root.path().join(name);
        let env = Environment {
            disk: Disk::default(),
            clock: self.clock.clone(),
            random,
            machine: "test".to_owned(),
            wait: Duration::from_secs(5),
            part_bytes: dsync::remote::PART_TARGET_BYTES,
            interrupted: Arc::new(AtomicBool::new(false)),
            progress: Arc::new(Silent),
            command: format!("test {name}"),
        };
        Repository::init(&env, &dir, Some(name)).unwrap();
        let remote = self.root.path().join("remote");
        System { dir, remote, env }
    }

    /// Makes a system with a store, a source file of this name and content, and the remote.
    pub(crate) fn with(&self, name: &str, file: &str, format: &str, content: &str) -> System {
        let system = self.system(name);
        system.write(file, content);
        system.add(file, format);
        system.join();
        system
    }
}

impl System {
    pub(crate) fn repository(&self) -> Repository {
        Repository::open(self.env.clone(), &self.dir.join(".dsync")).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path(name)).unwrap()).into_owned()
    }

    /// Replaces a text that must be there exactly once.
    #[track_caller]
    pub(crate) fn edit(&self, name: &str, old: &str, new: &str) {
        let text = self.read(name);
        assert_eq!(text.matches(old).count(), 1, "`{old}` in\n{text}");
        self.write(name, text.replace(old, new));
    }

    /// Binds a source in the folder of the system; makes it where it is not.
    pub(crate) fn add(&self, location: &str, format: &str) {
        self.add_with(location, format, AddSource::default());
    }

    pub(crate) fn add_with(&self, location: &str, format: &str, more: AddSource) {
        let options = AddSource {
            location: location.to_owned(),
            format: (!format.is_empty()).then(|| format.to_owned()),
            create: true,
            ..more
        };
        self.repository().add_source(&self.dir, &options).unwrap();
    }

    /// Binds the house's remote.
    pub(crate) fn join(&self) {
        let options = RemoteOptions {
            plain: true,
            ..RemoteOptions::default()
        };
        let url = self.remote.display().to_string();
        self.repository().remote_add("origin", &url, &options).unwrap();
    }

    #[track_caller]
    pub(crate) fn sync(&self) -> SyncReport {
        self.try_sync(Overrides::default())
    }

    /// Syncs with every safeguard switched off.
    #[track_caller]
    pub(crate) fn sync_forced(&self) -> SyncReport {
        self.try_sync(Overrides {
            deletes: true,
            changes: true,
            empty: true,
            rollback: false,
        })
    }

    #[track_caller]
    fn try_sync(&self, overrides: Overrides) -> SyncReport {
        let options = SyncOptions {
            overrides,
            ..SyncOptions::default()
        };
        let result = self.repository().run(SYNC, &options);
        result.unwrap_or_else(|error| panic!("{}: {error:?}", self.dir.display()))
    }

    /// Records what the sources show, and nothing more.
    pub(crate) fn record(&self) {
        self.steps(true, false, false, false);
    }

    /// Sends what is recorded, and nothing more.
    pub(crate) fn send(&self) {
        self.steps(false, false, false, true);
    }

    /// Receives, merges and unites, and nothing more.
    pub(crate) fn receive(&self) {
        self.steps(false, true, false, false);
    }

    fn steps(&self, scan: bool, fetch: bool, apply: bool, push: bool) {
        let steps = Steps {
            scan,
            fetch,
            apply,
            push,
        };
        self.repository().run(steps, &SyncOptions::default()).unwrap();
    }

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

    #[track_caller]
    pub(crate) fn resolve(&self, key: &str, path: Option<&str>, resolution: &Resolution) -> SyncReport {
        let result = self.repository().resolve("contacts", key, path, resolution, false);
        result.unwrap_or_else(|error| panic!("{key}: {error:?}"))
    }

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
                self.dir.display()
            );
        }
        assert_eq!(
            self.log().len(),
            before,
            "{}: a quiet sync made a snapshot",
            self.dir.display()
        );
    }
}

/// Syncs all systems in turn until nobody has anything to do; at most six rounds.
#[track_caller]
pub(crate) fn settle(systems: &[&System]) {
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

/// Makes a vCard 3.0 of a UID, a name and further lines.
pub(crate) fn card(uid: &str, name: &str, lines: &[&str]) -> String {
    let (given, surname) = name.split_once(' ').unwrap_or((name, ""));
    let mut text = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{surname};{given};;;\r\n");
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text + "END:VCARD\r\n"
}
