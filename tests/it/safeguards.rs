//! What looks like an accident is refused, and what looks like a store's or a remote's past is noticed.

use std::fs;

use dsync::disk::Disk;
use dsync::sync::{Overrides, SyncError};

use crate::world::{System, World, card, chain, copy_tree};

const DELETES: Overrides = Overrides {
    deletes: true,
    changes: false,
    empty: false,
    rollback: false,
};
const CHANGES: Overrides = Overrides {
    deletes: false,
    changes: true,
    empty: false,
    rollback: false,
};
const EMPTY: Overrides = Overrides {
    deletes: false,
    changes: false,
    empty: true,
    rollback: false,
};
const ROLLBACK: Overrides = Overrides {
    deletes: false,
    changes: false,
    empty: false,
    rollback: true,
};

fn people(count: usize) -> String {
    (0..count).map(|n| person(n, &format!("+1 555 {n:04}"))).collect()
}

fn person(n: usize, phone: &str) -> String {
    let phone = format!("TEL:{phone}");
    let email = format!("EMAIL:p{n}@example.org");
    card(&format!("u{n}"), &format!("Person{n} Test"), &[&phone, &email])
}

/// Systems `a` and `b`, each with a vCard file, in step through a remote.
fn pair(count: usize) -> World {
    let world = World::new();
    for name in ["a", "b"] {
        let system = world.system(name);
        if name == "a" {
            world.write("a/phone.vcf", people(count));
        }
        system.add_source("phone.vcf", "vcard");
        system.add_remote("remote");
        system.sync();
    }
    world.existing("a").sync();
    world
}

fn records(system: &System<'_>) -> u64 {
    system
        .repository()
        .collections()
        .unwrap()
        .iter()
        .map(|collection| collection.records)
        .sum()
}

#[track_caller]
fn converged(world: &World, names: &[&str]) {
    for _ in 0..2 {
        for name in names {
            world.existing(name).sync();
        }
    }
    let first = world.existing(names[0]);
    for name in names {
        let system = world.existing(name);
        assert_eq!(system.roots(), first.roots(), "{name}");
        assert_eq!(system.shown().conflicts, Vec::<String>::new(), "{name}");
        system.verify_clean();
        let (_, written) = system.sync_counted();
        let written: Vec<_> = written.iter().filter(|path| !path.contains("/cache/")).collect();
        assert!(written.is_empty(), "{name}: {written:?}");
    }
}

#[test]
fn an_emptied_source_is_refused() {
    let world = pair(10);
    let a = world.existing("a");
    let before = a.snapshots();
    world.write("a/phone.vcf", "");
    let error = a.try_sync(&Disk::default()).unwrap_err();
    assert!(
        matches!(error, SyncError::SourceEmpty { before: 10, .. }),
        "{}",
        chain(&error)
    );
    assert_eq!((a.snapshots(), records(&a)), (before, 10));
    a.sync_allowing(EMPTY).unwrap();
    assert_eq!(records(&a), 0);
    let b = world.existing("b");
    b.sync();
    assert_eq!(records(&b), 0);
}

#[test]
fn a_vanished_source_is_refused() {
    let world = pair(10);
    let a = world.existing("a");
    fs::remove_file(world.path("a/phone.vcf")).unwrap();
    let error = a.try_sync(&Disk::default()).unwrap_err();
    assert!(matches!(error, SyncError::SourceMissing { .. }), "{}", chain(&error));
    assert_eq!(records(&a), 10);
    a.sync_allowing(EMPTY).unwrap();
    assert_eq!(records(&a), 0);
}

#[test]
fn a_source_that_lost_most_is_refused() {
    let world = pair(20);
    let a = world.existing("a");
    world.write("a/phone.vcf", people(9));
    let error = a.try_sync(&Disk::default()).unwrap_err();
    assert!(
        matches!(
            error,
            SyncError::MassDeletion {
                lost: 11,
                before: 20,
                ..
            }
        ),
        "{}",
        chain(&error)
    );
    assert_eq!(records(&a), 20);
    a.sync_allowing(DELETES).unwrap();
    assert_eq!(records(&a), 9);
    // Half is not most.
    let world = pair(20);
    world.write("a/phone.vcf", people(10));
    world.existing("a").sync();
    assert_eq!(records(&world.existing("a")), 10);
}

#[test]
fn agreement_of_both_sides_is_no_alarm() {
    let world = pair(20);
    let (a, b) = (world.existing("a"), world.existing("b"));
    world.write("a/phone.vcf", people(2));
    a.sync_allowing(DELETES).unwrap();
    world.write("b/phone.vcf", people(2));
    b.sync();
    assert_eq!(records(&b), 2);
    converged(&world, &["a", "b"]);
}

#[test]
fn tiny_sources_may_be_emptied() {
    let world = pair(5);
    let a = world.existing("a");
    world.write("a/phone.vcf", "");
    a.sync();
    assert_eq!(records(&a), 0);
}

#[test]
fn a_rewritten_field_is_refused() {
    let world = pair(40);
    let a = world.existing("a");
    let spoilt = |count: usize| -> String {
        (0..40)
            .map(|n| {
                person(
                    n,
                    &if n < count {
                        "1.55501E+11".to_owned()
                    } else {
                        format!("+1 555 {n:04}")
                    },
                )
            })
            .collect()
    };
    world.write("a/phone.vcf", spoilt(21));
    let error = a.try_sync(&Disk::default()).unwrap_err();
    assert!(
        matches!(error, SyncError::MassChange { changed: 21, .. }),
        "{}",
        chain(&error)
    );
    let before = a.snapshots();
    a.sync_allowing(CHANGES).unwrap();
    assert_eq!(a.snapshots(), before + 1);
    // Twenty are many, but not more than twenty.
    let world = pair(30);
    world.write(
        "a/phone.vcf",
        spoilt(20).split_inclusive("END:VCARD\r\n").take(30).collect::<String>(),
    );
    world.existing("a").sync();
}

#[test]
fn a_missing_remote_keeps_the_work_here() {
    let world = pair(10);
    let a = world.existing("a");
    fs::rename(world.path("remote"), world.path("away")).unwrap();
    world.replace("a/phone.vcf", "Person3", "Third");
    let before = a.snapshots();
    let report = a.sync();
    assert!(!report.remotes[0].reached);
    assert_eq!(a.snapshots(), before + 1);
    // An unmounted disk leaves an empty folder.
    fs::create_dir(world.path("remote")).unwrap();
    let _refused = a.try_sync(&Disk::default());
    assert_eq!(fs::read_dir(world.path("remote")).unwrap().count(), 0);
    fs::remove_dir(world.path("remote")).unwrap();
    fs::rename(world.path("away"), world.path("remote")).unwrap();
    converged(&world, &["a", "b"]);
    assert!(world.read("b/phone.vcf").contains("Third"));
}

#[test]
fn a_rolled_back_remote_is_noticed_and_healed() {
    for lost_by in ["a", "b"] {
        let world = pair(10);
        let old = world.path("old");
        copy_tree(&world.path("remote"), &old);
        let editor = world.existing(lost_by);
        world.replace(format!("{lost_by}/phone.vcf"), "Person3", "Third");
        editor.sync();
        for name in ["a", "b"] {
            world.existing(name).sync();
        }
        copy_tree(&old, &world.path("remote"));
        for name in ["a", "b"] {
            let system = world.existing(name);
            let error = system.try_sync(&Disk::default()).unwrap_err();
            assert!(
                matches!(error, SyncError::RolledBack { .. }),
                "{lost_by}, {name}: {}",
                chain(&error)
            );
        }
        // The one that has it only from the other heals the remote as well.
        let other = if lost_by == "a" { "b" } else { "a" };
        world.existing(other).sync_allowing(ROLLBACK).unwrap();
        let c = world.clone_system("c", "remote");
        assert_eq!(c.roots(), editor.roots());
        editor.sync_allowing(ROLLBACK).unwrap();
        world.replace("a/phone.vcf", "Person5", "Fifth");
        world.replace("b/phone.vcf", "Person6", "Sixth");
        converged(&world, &["a", "b", "c"]);
        assert!(world.read("b/phone.vcf").contains("Fifth"));
    }
}

/// Returns the names in the log of the remote.
fn log_names(world: &World) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(world.path("remote/log"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn no_number_twice(world: &World) {
    let names = log_names(world);
    let numbers: Vec<&str> = names.iter().map(|name| name.rsplit_once('.').unwrap().0).collect();
    let mut once = numbers.clone();
    once.dedup();
    assert_eq!(numbers, once);
}

#[test]
fn a_copied_store_goes_on_under_a_name_of_its_own() {
    let world = pair(10);
    copy_tree(&world.path("a"), &world.path("copy"));
    // The copy has sources of its own.
    let config = world.path("copy/.dsync/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let here = world.path("a/phone.vcf").canonicalize().unwrap().display().to_string();
    assert!(text.contains(&here), "{text}");
    fs::write(
        &config,
        text.replace(&here, &world.path("copy/phone.vcf").display().to_string()),
    )
    .unwrap();
    world.replace("a/phone.vcf", "Person3", "Third");
    world.existing("a").sync();
    world.replace("copy/phone.vcf", "Person4", "Fourth");
    world.existing("copy").sync();
    converged(&world, &["a", "copy", "b"]);
    no_number_twice(&world);
    let replica = |name: &str| world.existing(name).repository().status().unwrap().replica;
    assert_ne!(replica("a"), replica("copy"));
    assert!(world.read("b/phone.vcf").contains("Third") && world.read("b/phone.vcf").contains("Fourth"));
}

#[test]
fn a_restored_store_adopts_what_it_once_sent() {
    for same_folder in [true, false] {
        let world = pair(10);
        let (a, b) = (world.existing("a"), world.existing("b"));
        let backup = world.path("backup");
        copy_tree(&world.path("a/.dsync"), &backup);
        // Sent after the backup was made: a change, a new card, a removal; then the other side goes on with one.
        world.replace("a/phone.vcf", "+1 555 0003", "+1 555 3333");
        world.edit("a/phone.vcf", |text| {
            text.replace(&person(7, "+1 555 0007"), "") + &person(20, "+1 555 0020")
        });
        a.sync();
        b.sync();
        world.replace("b/phone.vcf", "+1 555 3333", "+1 555 4444");
        b.sync();
        if !same_folder {
            fs::rename(world.path("a/.dsync"), world.path("broken")).unwrap();
        }
        copy_tree(&backup, &world.path("a/.dsync"));
        // An edit that was not synced when the backup was put back.
        world.replace("a/phone.vcf", "Person5", "Fifth");
        let report = a.sync();
        assert!(report.remotes[0].message.is_some() || !report.sources[0].notes.is_empty());
        converged(&world, &["a", "b"]);
        no_number_twice(&world);
        let text = world.read("a/phone.vcf");
        assert!(text.contains("+1 555 4444") && !text.contains("3333"), "{text}");
        assert_eq!(records(&a), 10, "{text}");
        assert!(world.read("b/phone.vcf").contains("Fifth"));
    }
}
