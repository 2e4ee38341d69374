//! New items that another source of the system has in the same format are copied, not made anew.

use dsync::disk::Disk;
use dsync::sync::{Steps, SyncOptions};

use crate::world::World;

const ODD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Somebody//EN\r\nN:One;Ann;;;\r\nFN:Ann One\r\nUID:u1\r\n\
item7.x-own;X=y:Value\r\nTel;type=CELL:+49 (170) 1\r\nREV:2024-01-01T00:00:00Z\r\nEND:VCARD\r\n";
const OTHER: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u2\r\nFN:Bob Two\r\nN:Two;Bob;;;\r\nEND:VCARD\r\n";

fn without_stamps(card: &str) -> String {
    let lines = card
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("REV:") && !line.starts_with("PRODID:"));
    lines.collect()
}

#[test]
fn a_folder_gets_the_cards_of_another_folder_as_they_are() {
    let world = World::new();
    let a = world.system("a");
    world.write("a/left/one.vcf", ODD);
    world.write("a/left/two.vcf", OTHER);
    std::fs::create_dir(world.path("a/right")).unwrap();
    a.add_source("left", "vcard");
    a.add_source("right", "vcard");
    a.sync();
    assert_eq!(world.read("a/right/u1.vcf"), without_stamps(ODD));
    assert_eq!(world.read("a/right/u2.vcf"), OTHER);
    assert_eq!(world.read("a/left/one.vcf"), ODD);
    let (_, settling) = a.sync_counted();
    assert!(
        settling.iter().all(|path| path.starts_with("a/.dsync/cache/")),
        "{settling:?}"
    );
    assert_eq!(a.sync_counted().1, Vec::<String>::new());
    // What was copied is known as what it shows: an edit there is one edit here.
    world.write(
        "a/right/u1.vcf",
        without_stamps(ODD).replace("+49 (170) 1", "+49 170 99"),
    );
    let report = a.sync();
    let left = report.sources.iter().find(|source| source.name == "left").unwrap();
    assert_eq!(
        (left.written.added, left.written.changed, left.written.removed),
        (0, 1, 0)
    );
    assert_eq!(world.read("a/left/one.vcf"), ODD.replace("+49 (170) 1", "+49 170 99"));
    a.verify_clean();
}

#[test]
fn a_source_that_was_never_read_is_filled_by_a_pull() {
    let world = World::new();
    let a = world.system("a");
    a.write("book.vcf", OTHER);
    a.add_source("book.vcf", "vcard");
    a.add_remote("remote");
    a.sync();
    let b = world.clone_system("b", "remote");
    b.add_source("book.vcf", "vcard");
    let pull = Steps {
        scan: false,
        fetch: true,
        apply: true,
        push: false,
    };
    let report = b.run(&Disk::default(), pull, &SyncOptions::default()).unwrap();
    assert_eq!(report.sources[0].written.added, 1);
    assert_eq!(report.sources[0].notes, Vec::<String>::new());
    assert_eq!(b.read("book.vcf"), OTHER);
    b.quiet();
}

#[test]
fn an_item_that_could_not_be_written_keeps_its_identity() {
    let world = World::new();
    let a = world.system("a");
    a.write("left.vcf", OTHER);
    a.add_source("left.vcf", "vcard");
    a.write("right/other.vcf", ODD);
    a.add_source("right", "vcard");
    // A folder stands where the card is to be written.
    std::fs::create_dir(world.path("a/right/u2.vcf")).unwrap();
    a.sync();
    std::fs::remove_dir(world.path("a/right/u2.vcf")).unwrap();
    a.sync();
    assert!(
        a.read("right/u2.vcf").contains("UID:u2\r\n"),
        "{}",
        a.read("right/u2.vcf")
    );
    assert_eq!(a.records(), 2);
}

#[test]
fn a_source_in_another_version_gets_cards_of_its_own() {
    let world = World::new();
    let a = world.system("a");
    world.write("a/left.vcf", ODD);
    world.write("a/right.vcf", OTHER.replace("VERSION:3.0", "VERSION:4.0"));
    a.add_source("left.vcf", "vcard");
    a.add_source("right.vcf", "vcard");
    a.sync();
    let right = world.read("a/right.vcf");
    assert!(
        right.contains("TEL;TYPE=cell:+49 (170) 1") || right.contains("TEL;TYPE=CELL:+49 (170) 1"),
        "{right}"
    );
    assert_eq!(right.matches("VERSION:4.0").count(), 2, "{right}");
    a.verify_clean();
}

#[test]
fn what_another_source_lacks_is_not_lost_by_copying() {
    let world = World::new();
    let a = world.system("a");
    world.write("a/left.vcf", ODD);
    a.add_source("left.vcf", "vcard");
    a.sync();
    // A second folder that knows the person already, with one more number, and a third that comes later.
    world.write(
        "a/middle/u1.vcf",
        ODD.replace("Tel;type=CELL:+49 (170) 1", "TEL;TYPE=WORK:+49 30 5"),
    );
    a.add_source("middle", "vcard");
    std::fs::create_dir(world.path("a/late")).unwrap();
    a.add_source("late", "vcard");
    a.sync();
    let late = world.read("a/late/u1.vcf");
    for number in ["+49 (170) 1", "+49 30 5"] {
        assert!(late.contains(number), "{number} in {late}");
        assert!(world.read("a/left.vcf").contains(number), "{number}");
    }
    a.verify_clean();
}
