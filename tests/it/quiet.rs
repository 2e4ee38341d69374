//! Nothing changed writes nothing, and noise is no change.

use crate::world::{World, card, google};

fn world_with_two_sources() -> World {
    let world = World::new();
    {
        let a = world.system("a");
        let cards = [
            card("u1", "Ann One", &["TEL;TYPE=CELL:+49 170 1", "EMAIL:ann@example.org"]),
            card(
                "u2",
                "Bob Two",
                &[
                    "EMAIL:bob@example.org",
                    "NOTE:a long note, with a comma, that is folded when it is long enough to need it",
                ],
            ),
            card("u3", "Cyd Three", &["TEL:+1 555 0003"]),
        ];
        world.write("a/phone.vcf", cards.concat());
        world.write(
            "a/google.csv",
            google(&[
                ["Ann", "One", "ann@example.org", "", "met in Rome"],
                ["Dan", "Four", "dan@example.org", "+1 555 0004", ""],
                ["Eve", "Five", "eve@example.org", "", ""],
            ]),
        );
        a.add_source("phone.vcf", "vcard");
        a.add_source("google.csv", "google-csv");
        a.add_remote("remote");
    }
    world
}

#[test]
fn a_second_sync_writes_nothing() {
    let world = world_with_two_sources();
    let a = world.existing("a");
    a.sync();
    // The first run may still settle what it wrote; the third may not write at all.
    let (_, settling) = a.sync_counted();
    assert!(
        settling.iter().all(|path| path.starts_with("a/.dsync/cache/")),
        "{settling:?}"
    );
    let (report, written) = a.sync_counted();
    assert_eq!(written, Vec::<String>::new());
    assert!(
        report
            .sources
            .iter()
            .all(|source| source.read.is_zero() && source.written.is_zero())
    );
    let snapshots = a.snapshots();
    a.sync();
    assert_eq!(a.snapshots(), snapshots);
    a.verify_clean();
}

/// Applies a change to a source that means nothing, and checks that nothing comes of it.
#[track_caller]
fn is_noise(what: &str, file: &str, change: impl Fn(String) -> String) {
    let world = world_with_two_sources();
    let a = world.existing("a");
    a.sync();
    a.sync();
    let (snapshots, roots) = (a.snapshots(), a.roots());
    let text = change(world.read(file));
    world.write(file, &text);
    for round in 0..3 {
        let (report, written) = a.sync_counted();
        assert_eq!((a.snapshots(), a.roots()), (snapshots, roots.clone()), "{what}");
        let idle = |source: &dsync::sync::SourceReport| source.read.is_zero() && source.written.is_zero();
        assert!(report.sources.iter().all(idle), "{what}: {report:#?}");
        assert!(
            written.iter().all(|path| path.starts_with("a/.dsync/")),
            "{what}: {written:?}"
        );
        assert!(round < 2 || written.is_empty(), "{what}: {written:?}");
    }
    assert_eq!(world.read(file), text, "{what}: the source was written");
}

#[test]
fn noise_is_no_change() {
    is_noise("a touch", "a/phone.vcf", |text| text);
    is_noise("rows sorted by a spreadsheet", "a/google.csv", |text| {
        let mut lines: Vec<&str> = text.split_inclusive("\r\n").collect();
        lines[1..].sort_unstable();
        lines[1..].reverse();
        lines.concat()
    });
    is_noise("cards in another order", "a/phone.vcf", |text| {
        let mut cards: Vec<&str> = text.split_inclusive("END:VCARD\r\n").collect();
        cards.reverse();
        cards.concat()
    });
    is_noise("stamps", "a/phone.vcf", |text| {
        text.replace(
            "END:VCARD",
            "REV:20300101T000000Z\r\nPRODID:-//Another//Program//EN\r\nEND:VCARD",
        )
    });
    is_noise("folded lines", "a/phone.vcf", |text| {
        let note = text.lines().find(|line| line.starts_with("NOTE:a long")).unwrap();
        let (start, end) = note.split_at(40);
        text.replace(note, &format!("{start}\r\n {end}"))
    });
    is_noise("names in another case", "a/phone.vcf", |text| {
        text.replace("EMAIL:", "email:")
            .replace("TEL;TYPE=CELL", "tel;type=cell")
    });
    is_noise("line ends", "a/phone.vcf", |text| text.replace("\r\n", "\n"));
    is_noise("quoted cells", "a/google.csv", |text| {
        text.replace("Eve,Five,", "\"Eve\",\"Five\",")
    });
}

#[test]
fn the_other_system_is_quiet_too() {
    let world = world_with_two_sources();
    let a = world.existing("a");
    a.sync();
    let b = world.system("b");
    b.add_source("cards", "vcard");
    b.add_remote("remote");
    for _ in 0..2 {
        b.sync();
        a.sync();
    }
    for system in [&a, &b] {
        let (report, written) = system.sync_counted();
        assert_eq!(written, Vec::<String>::new());
        assert_eq!((report.remotes[0].sent.packs, report.remotes[0].received.packs), (0, 0));
    }
    // One field: one source file, one object on the remote, nothing else outside the store.
    world.replace("a/phone.vcf", "+1 555 0003", "+1 555 3333");
    let (report, written) = a.sync_counted();
    assert_eq!(report.remotes[0].sent.packs, 1);
    let outside: Vec<&String> = written.iter().filter(|path| !path.starts_with("a/.dsync/")).collect();
    assert!(
        outside
            .iter()
            .all(|path| path.contains("google.csv") || path.starts_with("remote/log/")),
        "{outside:?}"
    );
    let (_, written) = b.sync_counted();
    let outside: Vec<&String> = written.iter().filter(|path| !path.starts_with("b/.dsync/")).collect();
    assert!(outside.iter().all(|path| path.contains("u3.vcf")), "{outside:?}");
}
