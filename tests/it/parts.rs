//! Pushes that are cut into parts: all of one arrives, or nothing.

use dsync::disk::Disk;
use dsync::remote::{FolderStorage, Keys, LogName, Part, Remote};
use dsync::sync::{SyncOptions, SyncReport};

use crate::world::{PUSH, SNAPSHOT, World, card};

/// Systems `a`, which has pushed a few changes one part per object, and `b`, which has fetched nothing of it.
fn pushed() -> World {
    let world = World::new();
    let cards = |number: usize| card(&format!("u{number}"), &format!("Person {number}"), &["TEL:1"]);
    for name in ["a", "b"] {
        let system = world.system(name);
        system.add_source("book.vcf", "vcard");
        system.add_remote("remote");
    }
    let a = world.existing("a");
    for number in 0..3 {
        world.edit("a/book.vcf", |text| text + &cards(number));
        a.run(&Disk::default(), SNAPSHOT, &SyncOptions::default()).unwrap();
    }
    world.part_bytes.set(1);
    a.run(&Disk::default(), PUSH, &SyncOptions::default()).unwrap();
    assert!(parts(&world).len() >= 6, "a snapshot and a difference set each");
    world
}

/// Returns the names of the log objects in order.
fn parts(world: &World) -> Vec<LogName> {
    let listing = remote(world).list().unwrap();
    listing
        .logs
        .into_values()
        .flat_map(|log| log.into_values().flatten())
        .collect()
}

fn remote(world: &World) -> Remote {
    let storage = FolderStorage::open(Disk::default(), &world.path("remote")).unwrap();
    Remote::open(Box::new(storage), &Keys::default()).unwrap()
}

fn received(report: &SyncReport) -> u64 {
    report.remotes[0].received.transactions
}

#[test]
fn a_push_waits_for_all_its_parts() {
    let world = pushed();
    let b = world.existing("b");
    for missing in parts(&world) {
        let path = world.path("remote").join(missing.to_string());
        let away = world.path("away");
        std::fs::rename(&path, &away).unwrap();
        let report = b.sync();
        assert_eq!((received(&report), b.shown().records.len()), (0, 0), "{missing}");
        std::fs::rename(&away, &path).unwrap();
    }
    assert_eq!(received(&b.sync()), 3);
    assert_eq!(b.shown(), world.existing("a").shown());
}

#[test]
fn parts_that_are_not_those_of_the_push_are_damage() {
    let world = pushed();
    let remote = remote(&world);
    let names = parts(&world);
    let last = names.last().unwrap();
    let mut object = remote.read(last).unwrap();
    let Part::Last { pieces } = &mut object.part else {
        panic!("the last object of a push in parts names them");
    };
    pieces.swap(0, 1);
    let (forged, stored) = remote.prepare(&object).unwrap();
    remote.delete(last).unwrap();
    remote.upload(&forged, &stored).unwrap();
    let b = world.existing("b");
    let error = b.try_sync(&Disk::default()).unwrap_err();
    assert!(error.to_string().contains("is another part than"), "{error}");
    assert_eq!(b.shown().records.len(), 0);
}

/// The clock of these tests is years ahead of all files, so every upload that has not ended was stopped long ago.
#[test]
fn gc_removes_what_a_stopped_upload_left() {
    let world = pushed();
    let name = parts(&world)[0].to_string();
    let left = format!("remote/{}.0123456789abcdef.dsync-tmp", name.replace("log/", "log/."));
    world.write(&left, "half of it");
    let a = world.existing("a");
    a.repository().gc(true).unwrap();
    assert!(world.path(&left).exists(), "a dry run removes nothing");
    a.repository().gc(false).unwrap();
    assert!(!world.path(&left).exists());
    assert!(world.path("remote").join(name).exists());
}
