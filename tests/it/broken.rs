//! Items that cannot be read: nothing is deleted for them, nobody beside them is hidden, and they stay in place.

use dsync::disk::Disk;

use crate::world::{System, World, card, google};

fn records(system: &System<'_>) -> u64 {
    system
        .repository()
        .collections()
        .unwrap()
        .iter()
        .map(|collection| collection.records)
        .sum()
}

const CARDS: [(&str, &str); 4] = [
    ("u1", "Ann One"),
    ("u2", "Bob Two"),
    ("u3", "Cyd Three"),
    ("u4", "Dan Four"),
];

fn cards() -> String {
    CARDS
        .iter()
        .map(|(uid, name)| card(uid, name, &[&format!("EMAIL:{uid}@example.org")]))
        .collect()
}

fn rows() -> String {
    google(&[
        ["Ann", "One", "u1@example.org", "", "a, b"],
        ["Bob", "Two", "u2@example.org", "", "two\nlines"],
        ["Cyd", "Three", "u3@example.org", "", ""],
        ["Dan", "Four", "u4@example.org", "", "last"],
    ])
}

/// Counts the commas outside quotes in the last row.
fn commas(text: &str) -> usize {
    let (mut quoted, mut count) = (false, 0);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => count += 1,
            '\n' if !quoted => count = 0,
            _ => {}
        }
    }
    count
}

/// One system with a file of many records and a folder beside it, in step.
fn world_with(file: &str, format: &str, text: &str) -> World {
    let world = World::new();
    {
        let a = world.system("a");
        world.write(format!("a/{file}"), text);
        a.add_source(file, format);
        a.add_source("cards", "vcard");
        a.sync();
        a.sync();
    }
    world
}

fn folder_texts(world: &World) -> Vec<String> {
    let mut texts: Vec<String> = std::fs::read_dir(world.path("a/cards"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    texts.sort();
    texts
}

#[test]
fn a_file_cut_anywhere_deletes_nothing() {
    for (file, format, text) in [("phone.vcf", "vcard", cards()), ("list.csv", "google-csv", rows())] {
        let world = world_with(file, format, &text);
        let a = world.existing("a");
        let whole = world.read(format!("a/{file}"));
        let before = folder_texts(&world);
        let start = world.save();
        let mut refused = 0;
        for cut in (1..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
            world.restore(&start);
            world.write(format!("a/{file}"), &whole[..cut]);
            // A cut at the end of a record looks like a deletion of the rest; four records are too few for an alarm.
            let rest = &whole[..cut];
            let clean = match format {
                "vcard" => {
                    rest.ends_with("END:VCARD\r\n") || rest.ends_with("END:VCARD\r") || rest.ends_with("END:VCARD")
                }
                // Nobody can tell a cut in the last cell, or right after it, from an edit.
                _ => {
                    rest.matches('"').count().is_multiple_of(2)
                        && (rest.ends_with('\r') || rest.ends_with('\n') || commas(rest) >= 6)
                }
            };
            if clean {
                continue;
            }
            refused += 1;
            let report = a.try_sync(&Disk::default()).unwrap();
            assert_eq!(records(&a), 4, "cut at {cut}: {rest:?}");
            assert_eq!(
                report.sources[0].set_aside.len(),
                1,
                "cut at {cut}: {:?}",
                report.sources[0]
            );
            assert_eq!(folder_texts(&world), before, "cut at {cut}: {rest:?}");
            assert_eq!(world.read(format!("a/{file}")), rest, "cut at {cut}");
            if cut % 7 != 0 {
                continue;
            }
            // Whole again: nothing has happened.
            world.write(format!("a/{file}"), &whole);
            let report = a.sync();
            assert!(report.sources.iter().all(|source| source.set_aside.is_empty()));
            assert_eq!((records(&a), folder_texts(&world)), (4, before.clone()), "cut at {cut}");
            assert!(a.shown().conflicts.is_empty());
        }
        assert!(refused > 20, "{refused}");
    }
}

/// The one without an end is set aside; its neighbours are edited, added and removed elsewhere and go on.
#[test]
fn a_card_without_end_stays_in_place() {
    let text = cards();
    let world = world_with("phone.vcf", "vcard", &text);
    let a = world.existing("a");
    world.replace(
        "a/phone.vcf",
        "EMAIL:u2@example.org\r\nEND:VCARD\r\n",
        "EMAIL:u2@example.org\r\n",
    );
    let broken = "UID:u2\r\nFN:Bob Two\r\nN:Two;Bob;;;\r\nEMAIL:u2@example.org\r\n";
    let report = a.sync();
    assert_eq!(report.sources[0].set_aside.len(), 1, "{report:#?}");
    assert_eq!(records(&a), 4);
    world.replace("a/phone.vcf", "u4@example.org", "u4@example.net");
    world.replace("a/cards/u1.vcf", "u1@example.org", "u1@example.net");
    world.write("a/cards/u5.vcf", card("u5", "Eve Five", &[]));
    std::fs::remove_file(world.path("a/cards/u3.vcf")).unwrap();
    world.replace("a/cards/u2.vcf", "u2@example.org", "u2@example.com");
    for _ in 0..3 {
        let report = a.sync();
        assert!(!report.sources[0].set_aside.is_empty(), "{report:#?}");
    }
    let text = world.read("a/phone.vcf");
    assert!(text.contains(broken), "{text}");
    assert!(
        text.contains("u1@example.net") && text.contains("Eve Five") && text.contains("u4@example.net"),
        "{text}"
    );
    assert!(!text.contains("Cyd"), "{text}");
    assert!(world.read("a/cards/u4.vcf").contains("u4@example.net"));
    assert_eq!(records(&a), 4);
    let (_, written) = a.sync_counted();
    assert_eq!(
        written.iter().filter(|path| !path.contains("/cache/")).count(),
        0,
        "{written:?}"
    );
    // Mended: it gets what was changed elsewhere meanwhile.
    world.replace("a/phone.vcf", broken, &format!("{broken}END:VCARD\r\n"));
    a.sync();
    a.sync();
    assert!(world.read("a/phone.vcf").contains("u2@example.com"));
    assert_eq!((records(&a), a.shown().conflicts.len()), (4, 0));
}

#[test]
fn a_broken_file_in_a_folder_hides_no_neighbour() {
    let world = world_with("phone.vcf", "vcard", &cards());
    let a = world.existing("a");
    world.replace("a/cards/u2.vcf", "END:VCARD\r\n", "");
    world.replace("a/cards/u3.vcf", "u3@example.org", "u3@example.net");
    world.replace("a/phone.vcf", "u2@example.org", "u2@example.com");
    for _ in 0..2 {
        let report = a.sync();
        assert!(
            report.sources.iter().any(|source| !source.set_aside.is_empty()),
            "{report:#?}"
        );
    }
    assert!(world.read("a/phone.vcf").contains("u3@example.net"));
    let broken = world.read("a/cards/u2.vcf");
    assert!(broken.contains("u2@example.org") && !broken.contains("END"), "{broken}");
    assert_eq!(records(&a), 4);
    // Removed elsewhere, the broken one is not removed here.
    world.edit("a/phone.vcf", |text| {
        text.replace(&card("u2", "Bob Two", &["EMAIL:u2@example.com"]), "")
    });
    a.sync();
    assert_eq!(records(&a), 3);
    assert!(world.path("a/cards/u2.vcf").exists());
    world.write("a/cards/u2.vcf", "");
    a.sync();
    assert_eq!(records(&a), 3);
}

#[test]
fn a_new_row_in_the_place_of_one_that_cannot_be_read_is_somebody_else() {
    let world = world_with("list.csv", "google-csv", &rows());
    let a = world.existing("a");
    let text = world.read("a/list.csv");
    let lines: Vec<&str> = text.split_inclusive("\r\n").collect();
    let (row, others): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|line| line.contains("Cyd"));
    // The row moves to the end and gets a byte that is in no encoding; a person nobody knows stands where it was.
    let mut bytes = others.concat().into_bytes();
    let before = others.concat().find("Dan").unwrap();
    let stranger = row[0]
        .replace("Cyd,Three", "Eve,Five")
        .replace("u3@example.org", "u5@example.org");
    bytes.splice(before..before, stranger.bytes());
    bytes.extend(
        row[0]
            .replace("Cyd", "Cyd?")
            .bytes()
            .map(|byte| if byte == b'?' { 0xff } else { byte }),
    );
    a.write("list.csv", &bytes);
    let report = a.sync();
    let list = report.sources.iter().find(|source| source.name == "list").unwrap();
    assert_eq!(
        (list.read.added, list.read.changed, list.read.removed),
        (1, 0, 0),
        "{report:#?}"
    );
    assert_eq!((list.set_aside.len(), records(&a)), (1, 5));
    let cards = folder_texts(&world).concat();
    assert!(
        cards.contains("Cyd") && cards.contains("u3@example.org") && cards.contains("Eve"),
        "{cards}"
    );
    // It is read again as who it was.
    let repaired: Vec<u8> = bytes.into_iter().filter(|byte| *byte != 0xff).collect();
    a.write("list.csv", repaired);
    let report = a.sync();
    assert!(report.sources.iter().all(|source| source.read.is_zero()), "{report:#?}");
    assert_eq!(records(&a), 5);
}
