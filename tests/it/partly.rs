//! Sources that others write to at the same time, that cannot be written, or that rewrite what they get.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use dsync::disk::Disk;
use dsync::sync::{AddSource, SyncReport};

use crate::world::{System, World, card, google};

/// System `a` with two sources of one collection, in step.
fn two_sources() -> World {
    let world = World::new();
    {
        let a = world.system("a");
        world.write(
            "a/one.vcf",
            [
                card("u1", "Ann One", &["TEL:+49 170 1", "EMAIL:ann@example.org"]),
                card("u2", "Bob Two", &["TEL:+49 170 2"]),
            ]
            .concat(),
        );
        a.add_source("one.vcf", "vcard");
        a.add_source("cards", "vcard");
        a.sync();
        a.sync();
    }
    world
}

/// Syncs until nothing is read or written, which must not take long, and returns the reports.
#[track_caller]
fn until_quiet(system: &System<'_>, disk: &Disk, most: usize) -> Vec<SyncReport> {
    let mut reports = Vec::new();
    loop {
        let report = system.try_sync(disk).unwrap();
        let quiet = report
            .sources
            .iter()
            .all(|source| source.read.is_zero() && source.written.is_zero());
        reports.push(report);
        if quiet {
            return reports;
        }
        assert!(reports.len() < most, "still busy: {reports:#?}");
    }
}

/// Calls `change` once, right after a file of this name was put in its place.
fn once_after(name: &'static str, change: impl Fn(&Path) + Send + Sync + 'static) -> Disk {
    let done = AtomicBool::new(false);
    Disk::with_filter(move |path| {
        if path.ends_with(name) && !done.swap(true, Ordering::SeqCst) {
            change(path);
        }
    })
}

fn edit_file(path: &Path, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, change(text)).unwrap();
}

#[test]
fn a_file_edited_between_reading_and_writing_keeps_the_edit() {
    let world = two_sources();
    let a = world.existing("a");
    world.replace("a/one.vcf", "+49 170 1", "+49 170 111");
    // The write of the store that comes before the sources are written gives the moment.
    let card_path = world.path("a/cards/u1.vcf");
    let done = AtomicBool::new(false);
    let disk = Disk::with_filter(move |path| {
        if path.ends_with("ops/head") && !done.swap(true, Ordering::SeqCst) {
            edit_file(&card_path, |text| {
                text.replace("END:VCARD", "NOTE:written meanwhile\r\nEND:VCARD")
            });
        }
    });
    let report = a.try_sync(&disk).unwrap();
    assert!(
        report.sources.iter().any(|source| !source.notes.is_empty()),
        "{report:#?}"
    );
    until_quiet(&a, &Disk::default(), 4);
    for file in ["a/one.vcf", "a/cards/u1.vcf"] {
        let text = world.read(file);
        assert!(
            text.contains("written meanwhile") && text.contains("+49 170 111"),
            "{file}: {text}"
        );
    }
    assert!(a.shown().conflicts.is_empty());
}

#[test]
fn an_edit_right_after_our_write_is_an_edit() {
    let world = two_sources();
    let a = world.existing("a");
    world.replace("a/one.vcf", "+49 170 1", "+49 170 111");
    let disk = once_after("u1.vcf", |path| {
        edit_file(path, |text| {
            text.replace("END:VCARD", "NOTE:written at once\r\nEND:VCARD")
        });
    });
    until_quiet(&a, &disk, 4);
    for file in ["a/one.vcf", "a/cards/u1.vcf"] {
        let text = world.read(file);
        assert!(
            text.contains("written at once") && text.contains("+49 170 111"),
            "{file}: {text}"
        );
    }
    assert!(a.shown().conflicts.is_empty());
}

#[test]
fn what_cannot_be_written_waits_and_its_later_edits_are_concurrent() {
    let world = two_sources();
    let a = world.existing("a");
    // A folder where the temporary file would be.
    fs::create_dir_all(world.path("a/cards/.u1.vcf.dsync-tmp/x")).unwrap();
    world.replace("a/one.vcf", "+49 170 1", "+49 170 111");
    let report = a.sync();
    assert_eq!(
        report
            .sources
            .iter()
            .map(|source| source.set_aside.len())
            .sum::<usize>(),
        1,
        "{report:#?}"
    );
    assert!(world.read("a/cards/u1.vcf").contains("TEL:+49 170 1\r\n"));
    // An edit of another field there goes through, one of the same field is a conflict.
    world.replace("a/cards/u1.vcf", "ann@example.org", "ann@example.net");
    a.sync();
    assert!(world.read("a/one.vcf").contains("ann@example.net"));
    world.replace("a/cards/u1.vcf", "+49 170 1\r\n", "+49 170 999\r\n");
    a.sync();
    assert_eq!(a.shown().conflicts.len(), 1, "{:?}", a.shown());
    fs::remove_dir_all(world.path("a/cards/.u1.vcf.dsync-tmp")).unwrap();
    until_quiet(&a, &Disk::default(), 4);
    assert_eq!(a.shown().conflicts.len(), 1);
    let phone = |text: &str| text.lines().find(|line| line.starts_with("TEL")).unwrap().to_owned();
    assert_eq!(phone(&world.read("a/one.vcf")), phone(&world.read("a/cards/u1.vcf")));
    a.verify_clean();
}

/// Rewrites phones as some phones do: `+49 170` to `0170`.
fn national(text: String) -> String {
    text.replace("+49 170", "0170")
}

#[test]
fn a_place_that_normalises_what_it_gets_is_no_editor() {
    let world = two_sources();
    let a = world.existing("a");
    world.replace("a/one.vcf", "TEL:+49 170 1", "TEL:+49 170 111");
    world.edit("a/one.vcf", |text| text + &card("u3", "Cyd Three", &["TEL:+49 170 3"]));
    let disk = Disk::with_filter(|path| {
        if path.parent().is_some_and(|folder| folder.ends_with("cards"))
            && path.extension().is_some_and(|e| e == "vcf")
            && path.exists()
        {
            edit_file(path, national);
        }
    });
    let before = a.snapshots();
    let reports = until_quiet(&a, &disk, 3);
    assert!(world.read("a/cards/u1.vcf").contains("0170 111") && world.read("a/cards/u3.vcf").contains("0170 3"));
    assert!(
        world.read("a/one.vcf").contains("+49 170 111") && world.read("a/one.vcf").contains("+49 170 3"),
        "{reports:#?}"
    );
    assert_eq!(a.snapshots(), before + 1);
    assert!(a.shown().conflicts.is_empty());
    // Another field of such a card can be edited there, and the phone stays as it is elsewhere.
    world.edit("a/cards/u1.vcf", |text| {
        text.replace("END:VCARD", "NOTE:hello\r\nEND:VCARD")
    });
    until_quiet(&a, &disk, 3);
    let text = world.read("a/one.vcf");
    assert!(text.contains("NOTE:hello") && text.contains("+49 170 111"), "{text}");
}

#[test]
fn two_programs_that_each_insist_on_their_form_come_to_rest() {
    let world = two_sources();
    let a = world.existing("a");
    // Each program rewrites its source some time after our run.
    let programs = |world: &World| {
        let international = |text: String| text.replace("TEL:0170", "TEL:+49 170");
        for name in ["a/cards/u1.vcf", "a/cards/u2.vcf"] {
            let text = world.read(name);
            if national(text.clone()) != text {
                world.write(name, national(text));
            }
        }
        let text = world.read("a/one.vcf");
        if international(text.clone()) != text {
            world.write("a/one.vcf", international(text));
        }
    };
    let mut busy = 0;
    let mut notes = Vec::new();
    for _ in 0..16 {
        programs(&world);
        let report = a.sync();
        notes.extend(report.sources.iter().flat_map(|source| source.notes.clone()));
        if report
            .sources
            .iter()
            .any(|source| !source.read.is_zero() || !source.written.is_zero())
        {
            busy += 1;
        }
    }
    assert!(busy <= 8, "{busy} busy runs: {notes:#?}");
    assert!(
        notes.iter().any(|note| note.contains("no longer written")),
        "{notes:#?}"
    );
    let snapshots = a.snapshots();
    programs(&world);
    a.sync();
    assert_eq!(a.snapshots(), snapshots);
    // A person's own change of such a field still goes everywhere.
    world.replace("a/one.vcf", "+49 170 2", "+49 171 22");
    for _ in 0..4 {
        a.sync();
        programs(&world);
    }
    assert!(world.read("a/one.vcf").contains("+49 171 22"));
}

/// A file that is damaged in a way that our own writing would make worse is left, and the rest goes on.
#[test]
fn one_file_that_cannot_be_written_stops_nothing_else() {
    let world = two_sources();
    let a = world.existing("a");
    world.write(
        "a/list.csv",
        google(&[["Eve", "Five", "eve@example.org", "", ""], ["Dan", "Four", "", "", "x"]]),
    );
    a.add(AddSource {
        location: "list.csv".to_owned(),
        format: Some("google-csv".to_owned()),
        ..AddSource::default()
    });
    a.sync();
    a.sync();
    let before = world.read("a/list.csv");
    world.write("a/list.csv", before.replacen("Eve", "\"Eve", 1));
    world.edit("a/one.vcf", |text| {
        text.replace("Bob", "Rob") + &card("u8", "Hal Eight", &[])
    });
    let report = a.sync();
    assert!(
        report.sources.iter().any(|source| !source.set_aside.is_empty()),
        "{report:#?}"
    );
    assert!(world.read("a/cards/u2.vcf").contains("Rob") && world.path("a/cards/u8.vcf").exists());
    assert!(world.read("a/list.csv").contains("\"Eve"));
    // Once it is whole again, it gets what it missed, and nothing was lost.
    world.write("a/list.csv", before);
    until_quiet(&a, &Disk::default(), 4);
    let text = world.read("a/list.csv");
    assert!(
        text.contains("Rob") && text.contains("Hal") && text.contains("Eve") && text.contains("Dan"),
        "{text}"
    );
    assert!(!text.contains("Bob"));
    assert!(a.shown().conflicts.is_empty());
}
