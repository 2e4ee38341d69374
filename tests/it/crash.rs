//! A command that stops at any of its writes: the next one finds the state before or after, and ends where an
//! undisturbed one ends.

use dsync::disk::{Disk, FaultPlan};
use dsync::sync::{RemoteOptions, Repository, Steps, SyncOptions, SyncResult};

use std::collections::{BTreeMap, BTreeSet};

use crate::world::{APPLY, PULL, PUSH, SNAPSHOT, Shown, World, card, chain, google};

/// All that two systems and their remote show.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    a: Shown,
    b: Shown,
    a_sources: BTreeMap<String, Vec<String>>,
    b_sources: BTreeMap<String, Vec<String>>,
}

/// A world with system `a` (a vCard file and a Google CSV), `b` (a folder of vCards), and their remote.
fn pair() -> World {
    let world = World::new();
    {
        let a = world.system("a");
        world.write(
            "a/phone.vcf",
            [
                card("u1", "Ann One", &["TEL;TYPE=CELL:+49 170 1", "EMAIL:ann@example.org"]),
                card("u2", "Bob Two", &["EMAIL:bob@example.org", "X-OWN:kept"]),
                card("u3", "Cyd Three", &["TEL:+1 555 0003"]),
            ]
            .concat(),
        );
        world.write(
            "a/google.csv",
            google(&[
                ["Ann", "One", "ann@example.org", "", "met in Rome"],
                ["Dan", "Four", "dan@example.org", "+1 555 0004", "two\nlines"],
                ["Eve", "Five", "eve@example.org", "", "gone soon"],
            ]),
        );
        a.add_source("phone.vcf", "vcard");
        a.add_source("google.csv", "google-csv");
        a.add_remote("remote");
        let b = world.system("b");
        std::fs::create_dir(world.path("b/cards")).unwrap();
        b.add_source("cards", "vcard");
        b.add_remote("remote");
    }
    world
}

/// A pair in step, with edits on all sides that are not synced yet.
fn edited_pair() -> World {
    let world = pair();
    let (a, b) = (world.existing("a"), world.existing("b"));
    a.sync();
    b.sync();
    a.sync();
    world.replace("a/phone.vcf", "+1 555 0003", "+1 555 3333");
    world.edit("a/phone.vcf", |text| {
        text + &card("u9", "Zoe Nine", &["TEL:+1 555 0009"])
    });
    world.replace("a/google.csv", "dan@example.org", "dan@example.com");
    world.edit("a/google.csv", |text| {
        text.lines()
            .filter(|line| !line.contains("eve@"))
            .map(|line| format!("{line}\r\n"))
            .collect()
    });
    world.edit("b/cards/u1.vcf", |text| {
        text.replace("END:VCARD", "NICKNAME:Annie\r\nEND:VCARD")
    });
    world.edit("b/cards/u2.vcf", |text| {
        text.replace("bob@example.org", "bob@example.net")
    });
    world.write("b/cards/u7.vcf", card("u7", "Gus Seven", &["EMAIL:gus@example.org"]));
    world
}

/// Brings both systems in step and returns what they show.
fn settle(world: &World) -> Outcome {
    let (a, b) = (world.existing("a"), world.existing("b"));
    a.sync();
    b.sync();
    a.sync();
    assert_eq!(a.roots(), b.roots());
    Outcome {
        a: a.shown(),
        b: b.shown(),
        a_sources: a.sources(),
        b_sources: b.sources(),
    }
}

/// Compares and tells only what differs.
#[track_caller]
fn assert_same(outcome: &Outcome, expected: &Outcome, context: &str) {
    if outcome == expected {
        return;
    }
    let lines =
        |outcome: &Outcome| -> BTreeSet<String> { format!("{outcome:#?}").lines().map(str::to_owned).collect() };
    let (left, right) = (lines(outcome), lines(expected));
    let more: Vec<_> = left.difference(&right).collect();
    let less: Vec<_> = right.difference(&left).collect();
    panic!("{context}\nmore than undisturbed: {more:#?}\nless: {less:#?}");
}

type Command<'c> = &'c dyn Fn(&World, &Disk) -> SyncResult<()>;

/// Stops `command` at every write and compares with a run that was not stopped; with `twice`, the repetition is
/// stopped as well, at one place per first place.
fn stop_everywhere(world: &World, twice: bool, command: Command<'_>) {
    let start = world.save();
    command(world, &Disk::default()).unwrap();
    let expected = settle(world);
    assert_eq!(expected.a.records, expected.b.records);
    let mut n = 0;
    loop {
        world.restore(&start);
        let plan = FaultPlan::stop_before(n);
        let done = command(world, &Disk::with_faults(plan.clone()));
        check_stores(world, n);
        if twice {
            // Somewhere in the repetition, another place for each n.
            let _stopped = command(world, &Disk::with_faults(FaultPlan::stop_before(n * 7 % 23)));
            check_stores(world, n);
        }
        let context = format!("stopped before write {n} ({:?})", plan.paths().last());
        repeat(world, command, &context);
        let outcome = settle(world);
        assert_same(&outcome, &expected, &context);
        quiet(world, &context);
        if done.is_ok() && plan.writes() < i64::from(n) {
            break;
        }
        n += 1;
    }
    assert!(n > 3, "the command wrote only {n} times");
}

#[track_caller]
fn repeat(world: &World, command: Command<'_>, context: &str) {
    if let Err(error) = command(world, &Disk::default()) {
        panic!("{context}: {}", chain(&error));
    }
}

#[track_caller]
fn check_stores(world: &World, n: u32) {
    for name in ["a", "b"] {
        if world.path(name).join(".dsync/ops/head").exists() || world.path(name).join(".dsync").exists() {
            let Ok(repository) = world.existing(name).open(&Disk::default()) else {
                continue;
            };
            let report = repository.verify(None, true).unwrap();
            let damaged: Vec<String> = report.damaged.iter().map(|damage| damage.what.clone()).collect();
            assert!(damaged.is_empty(), "{name} after a stop before write {n}: {damaged:?}");
        }
    }
}

/// Checks that a further sync of each system writes nothing but what it remembers of unchanged files.
#[track_caller]
fn quiet(world: &World, context: &str) {
    for name in ["b", "a"] {
        let (_, mut written) = world.existing(name).sync_counted();
        written.retain(|path| !path.contains("/.dsync/cache/"));
        assert_eq!(written, Vec::<String>::new(), "{name}: {context}");
    }
}

fn sync_a(world: &World, disk: &Disk) -> SyncResult<()> {
    world.existing("a").try_sync(disk).map(drop)
}

fn sync_b(world: &World, disk: &Disk) -> SyncResult<()> {
    world.existing("b").try_sync(disk).map(drop)
}

#[test]
fn first_sync() {
    stop_everywhere(&pair(), false, &sync_a);
}

#[test]
fn sync_of_changes_on_both_sides() {
    let world = edited_pair();
    world.existing("b").sync();
    stop_everywhere(&world, false, &sync_a);
}

#[test]
fn sync_into_a_folder() {
    let world = edited_pair();
    world.existing("a").sync();
    stop_everywhere(&world, false, &sync_b);
}

#[test]
fn stopped_twice() {
    let world = edited_pair();
    world.existing("b").sync();
    stop_everywhere(&world, true, &sync_a);
    let world = edited_pair();
    world.existing("a").sync();
    stop_everywhere(&world, true, &sync_b);
}

fn steps_a(world: &World, disk: &Disk, steps: Steps) -> SyncResult<()> {
    world.existing("a").run(disk, steps, &SyncOptions::default()).map(drop)
}

#[test]
fn push() {
    let world = edited_pair();
    world
        .existing("a")
        .run(&Disk::default(), SNAPSHOT, &SyncOptions::default())
        .unwrap();
    stop_everywhere(&world, false, &|world, disk| steps_a(world, disk, PUSH));
}

#[test]
fn pull() {
    let world = edited_pair();
    world.existing("b").sync();
    stop_everywhere(&world, true, &|world, disk| steps_a(world, disk, PULL));
}

#[test]
fn apply_into_a_folder() {
    let world = edited_pair();
    world.existing("a").sync();
    let fetch = Steps {
        scan: false,
        fetch: true,
        apply: false,
        push: false,
    };
    world
        .existing("b")
        .run(&Disk::default(), fetch, &SyncOptions::default())
        .unwrap();
    stop_everywhere(&world, false, &|world, disk| {
        world.existing("b").run(disk, APPLY, &SyncOptions::default()).map(drop)
    });
}

#[test]
fn gc() {
    let world = edited_pair();
    let (a, b) = (world.existing("a"), world.existing("b"));
    a.sync();
    b.sync();
    stop_everywhere(&world, false, &|world, disk| {
        world.existing("a").open(disk)?.gc(false).map(drop)
    });
}

#[test]
fn unpack() {
    let world = edited_pair();
    world
        .existing("a")
        .run(&Disk::default(), SNAPSHOT, &SyncOptions::default())
        .unwrap();
    let pack = world.existing("a").repository().pack(None, false).unwrap();
    stop_everywhere(&world, false, &|world, disk| {
        world
            .existing("b")
            .open(disk)?
            .unpack(&pack, &SyncOptions::default())
            .map(drop)
    });
}

/// Makes so many new files in a folder that they are made durable together.
#[test]
fn sync_of_many_new_files() {
    let world = World::new();
    let a = world.system("a");
    let cards = (0..12).map(|n| {
        card(
            &format!("u{n}"),
            &format!("Person {n}"),
            &[&format!("TEL:+1 555 00{n:02}")],
        )
    });
    world.write("a/phone.vcf", cards.collect::<Vec<_>>().concat());
    a.add_source("phone.vcf", "vcard");
    a.add_remote("remote");
    a.sync();
    let b = world.system("b");
    std::fs::create_dir(world.path("b/cards")).unwrap();
    b.add_source("cards", "vcard");
    b.add_remote("remote");
    let (_, written) = {
        let start = world.save();
        let counted = b.sync_counted();
        world.restore(&start);
        counted
    };
    let together = written.iter().filter(|path| *path == "b/cards").count();
    assert_eq!(together, 1, "the files are synced together: {written:?}");
    stop_everywhere(&world, true, &sync_b);
}

/// A push in several parts: what of it is there counts for nothing before the last part is.
#[test]
fn push_in_parts() {
    let world = edited_pair();
    world
        .existing("a")
        .run(&Disk::default(), SNAPSHOT, &SyncOptions::default())
        .unwrap();
    world.part_bytes.set(100);
    let start = world.save();
    let report = world
        .existing("a")
        .run(&Disk::default(), PUSH, &SyncOptions::default())
        .unwrap();
    assert!(report.remotes[0].sent.packs > 2, "{:?}", report.remotes[0].sent);
    world.restore(&start);
    stop_everywhere(&world, true, &|world, disk| steps_a(world, disk, PUSH));
}

/// An undo that is stopped after its commit has happened; repeating the command would undo something else, so the
/// repetition is a sync.
#[test]
fn undo() {
    let world = edited_pair();
    let a = world.existing("a");
    a.sync();
    let before = a.shown();
    let start = world.save();
    a.repository().undo(None, &SyncOptions::default()).unwrap();
    let undone = settle(&world);
    assert_ne!(undone.a, before);
    world.restore(&start);
    let kept = settle(&world);
    for n in 0.. {
        world.restore(&start);
        let plan = FaultPlan::stop_before(n);
        let done = a
            .open(&Disk::with_faults(plan.clone()))
            .and_then(|mut repository| repository.undo(None, &SyncOptions::default()));
        check_stores(&world, n);
        let context = format!("stopped before write {n} ({:?})", plan.paths().last());
        let outcome = settle(&world);
        if outcome != kept {
            assert_same(&outcome, &undone, &context);
        }
        quiet(&world, &context);
        if done.is_ok() && plan.writes() < i64::from(n) {
            assert!(n > 3);
            break;
        }
    }
}

/// Making a store, binding to a new remote and cloning can each be repeated after a stop at any place.
#[test]
fn setting_up() {
    let world = pair();
    world.existing("a").sync();
    world.existing("b").sync();
    let expected = world.existing("b").shown();
    let start = world.save();
    for n in 0.. {
        world.restore(&start);
        let plan = FaultPlan::stop_before(n);
        let stopped = set_up(&world, &Disk::with_faults(plan.clone()));
        if let Err(error) = set_up(&world, &Disk::default()) {
            panic!(
                "stopped before write {n} ({:?}): {}",
                plan.paths().last(),
                chain(&error)
            );
        }
        let c = world.existing("c");
        assert_eq!(c.shown(), expected, "stopped before write {n}");
        c.verify_clean();
        if stopped.is_ok() && plan.writes() < i64::from(n) {
            assert!(n > 10);
            break;
        }
    }
}

/// Makes the system `c` from the remote of the others and gives it a sealed remote of its own.
fn set_up(world: &World, disk: &Disk) -> SyncResult<()> {
    let c = world.existing("c");
    let names = |repository: &Repository| -> SyncResult<Vec<String>> {
        Ok(repository.remotes()?.into_iter().map(|remote| remote.name).collect())
    };
    let done = c
        .open(disk)
        .and_then(|repository| Ok(!repository.collections()?.is_empty()));
    if !done.unwrap_or(false) {
        world.try_clone("c", "remote", disk)?;
    }
    let mut repository = c.open(disk)?;
    if !names(&repository)?.contains(&"own".to_owned()) {
        let url = world.path("sealed").display().to_string();
        repository.remote_add("own", &url, &RemoteOptions::default())?;
    }
    repository.run(PUSH, &SyncOptions::default()).map(drop)
}
