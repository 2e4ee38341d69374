//! Who is who: what is united at first sight, what is kept apart, and what a person decides.

use dsync::sync::{Resolution, SyncReport};

use crate::world::{System, World, card, google, settle};

const OUTLOOK: &str = "First Name,Last Name,E-mail Address,Mobile Phone,Notes\r\n";

/// A system with a vCard file and a CSV, in step.
fn two_sources<'w>(world: &'w World, cards: &str, rows: &str) -> (System<'w>, SyncReport) {
    let system = world.system("one");
    system.write("book.vcf", cards);
    system.write("list.csv", format!("{OUTLOOK}{rows}"));
    system.add_source("book.vcf", "vcard");
    system.add_source("list.csv", "outlook-csv");
    let report = system.sync();
    system.quiet();
    (system, report)
}

fn occurrences(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn namesakes_with_other_addresses_stay_two() {
    let world = World::new();
    let cards = card("a", "Ann Smith", &["EMAIL:ann@one.example"]);
    let (system, report) = two_sources(&world, &cards, "Ann,Smith,ann@two.example,,\r\n");
    assert!(report.unions.is_empty(), "{report:#?}");
    assert_eq!(system.records(), 2);
    assert_eq!(occurrences(&system.read("book.vcf"), "BEGIN:VCARD"), 2);
    let csv = system.read("list.csv");
    assert!(
        csv.contains("ann@one.example") && csv.contains("ann@two.example"),
        "{csv}"
    );
    let cards = card("a", "Ann Smith", &["TEL:+1 555 0001111"]);
    let world = World::new();
    let (system, report) = two_sources(&world, &cards, "Ann,Smith,,+1 555 0002222,\r\n");
    assert!(report.unions.is_empty() && system.records() == 2, "{report:#?}");
}

#[test]
fn a_name_that_nothing_contradicts_is_one_person_and_told() {
    let world = World::new();
    let cards = card("a", "Ann Smith", &["EMAIL:ann@one.example"]);
    let (system, report) = two_sources(&world, &cards, "Ann,Smith,,+1 555 0001111,\r\n");
    assert_eq!(report.unions.len(), 1);
    assert_eq!(
        (report.unions[0].by.as_str(), report.unions[0].title.as_str()),
        ("name", "Ann Smith")
    );
    assert_eq!(system.records(), 1);
    assert!(system.read("book.vcf").contains("+1 555 0001111"));
    assert!(system.read("list.csv").contains("ann@one.example"));
}

#[test]
fn a_household_phone_makes_nobody_one() {
    let world = World::new();
    let cards = card("a", "Ann Smith", &["TEL:+1 555 0001111"]);
    let (system, report) = two_sources(&world, &cards, "Bob,Smith,,+1 555 0001111,\r\n");
    assert!(report.unions.is_empty(), "{report:#?}");
    assert_eq!(system.records(), 2);
}

#[test]
fn one_uid_of_two_people_unites_nobody() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/contacts/vdir/ccs-calendarserver"
    );
    let mulberry = std::fs::read_to_string(format!("{folder}/home1/addressbook/2.vcf")).unwrap();
    let leopard = std::fs::read_to_string(format!("{folder}/home3/addressbook/2.vcf")).unwrap();
    assert!(mulberry.contains("UID:uid2") && leopard.contains("UID:uid2"));
    // In one source both are kept, and it is told.
    let world = World::new();
    let one = world.with("one", "book.vcf", "vcard", &format!("{mulberry}{leopard}"));
    let report = one.sync();
    assert_eq!(one.records(), 2);
    assert!(
        report.sources[0].notes.iter().any(|note| note.contains("uid2")),
        "{report:#?}"
    );
    one.quiet();
    assert_eq!(one.read("book.vcf"), format!("{mulberry}{leopard}"));
    // In two sources they are not united, and an edit of each reaches its own.
    let world = World::new();
    let two = world.system("two");
    two.write("m/2.vcf", &mulberry);
    two.write("l/2.vcf", &leopard);
    two.add_source("m", "vcard");
    two.add_source("l", "vcard");
    let report = two.sync();
    assert!(report.unions.is_empty(), "{report:#?}");
    assert_eq!(two.records(), 2);
    two.quiet();
    assert_eq!((two.read("m/2.vcf"), two.read("l/2.vcf")), (mulberry, leopard));
    two.edit("l/2.vcf", "555-555-5555", "555-555-9999");
    two.sync();
    two.quiet();
    assert!(!two.read("m/2.vcf").contains("555-555-9999"));
    let all: String = std::fs::read_dir(two.path("m"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert_eq!(occurrences(&all, "555-555-9999"), 1);
    // Each can be named.
    let keys: Vec<String> = {
        let mut keys = Vec::new();
        two.repository()
            .cat("contacts", &[], &mut |record| {
                keys.push(record.key);
                Ok(())
            })
            .unwrap();
        keys
    };
    assert_ne!(keys[0], keys[1]);
    for key in &keys {
        let mut found = Vec::new();
        two.repository()
            .cat("contacts", std::slice::from_ref(key), &mut |record| {
                found.push(record.key);
                Ok(())
            })
            .unwrap();
        assert_eq!(found, std::slice::from_ref(key));
    }
}

#[test]
fn a_uid_twice_in_one_file_is_two_items() {
    let world = World::new();
    let cards =
        card("x", "Ann Smith", &["EMAIL:ann@one.example"]) + &card("x", "Bob Jones", &["EMAIL:bob@one.example"]);
    let one = world.with("one", "book.vcf", "vcard", &cards);
    one.sync();
    assert_eq!(one.records(), 2);
    one.quiet();
    one.edit("book.vcf", "bob@one.example", "bob@two.example");
    let report = one.sync();
    assert_eq!(
        (report.sources[0].read.changed, report.sources[0].read.added),
        (1, 0),
        "{report:#?}"
    );
    assert_eq!(one.records(), 2);
    one.quiet();
}

#[test]
fn lists_of_two_systems_become_one_record_wherever_the_union_is_made() {
    for concurrent in [false, true] {
        let world = World::new();
        let one = world.with(
            "one",
            "book.vcf",
            "vcard",
            &card("a", "Ann Smith", &["EMAIL:ann@one.example"]),
        );
        let rows = format!("{OUTLOOK}Ann,Smith,ann@one.example,+1 555 0001111,\r\n");
        let two = world.with("two", "list.csv", "outlook-csv", &rows);
        if concurrent {
            one.record();
            two.record();
            one.send();
            two.send();
            one.receive();
            two.receive();
        }
        settle(&[&one, &two]);
        assert_eq!((one.records(), two.records()), (1, 1), "concurrent: {concurrent}");
        assert_eq!(one.clashes(), Vec::<String>::new());
        assert!(one.read("book.vcf").contains("+1 555 0001111"));
        assert_eq!(occurrences(&one.read("book.vcf"), "EMAIL"), 1);
        assert_eq!(occurrences(&two.read("list.csv"), "Ann"), 1);
        one.quiet();
        two.quiet();
    }
}

#[test]
fn what_two_united_records_say_differently_is_kept_until_somebody_decides() {
    let world = World::new();
    let lines = ["EMAIL:ann@one.example", "BDAY:1980-02-29"];
    let one = world.with("one", "book.vcf", "vcard", &card("a", "Ann Smith", &lines));
    let two = world.with(
        "two",
        "far.vcf",
        "vcard",
        &card("b", "A. Smith", &["EMAIL:ann@one.example"]),
    );
    one.record();
    two.record();
    settle(&[&one, &two]);
    assert_eq!((one.records(), two.records()), (1, 1));
    let clashes = one.clashes();
    assert_eq!(clashes.len(), 1, "{clashes:?}");
    assert!(
        clashes[0].contains("\"Ann\"") && clashes[0].contains("\"A.\""),
        "{clashes:?}"
    );
    assert_eq!(clashes, two.clashes());
    assert_eq!(occurrences(&two.read("far.vcf"), "EMAIL"), 1);
    let report = two.conflicts().remove(0);
    let ann = report.alternatives.iter().find(|side| side.value == "Ann").unwrap().n;
    two.resolve(&report.key, Some(&report.path), &Resolution::Take(ann));
    settle(&[&one, &two]);
    assert!(one.read("book.vcf").contains("FN:Ann Smith") && two.read("far.vcf").contains("FN:Ann Smith"));
    assert!(one.clashes().is_empty());
}

#[test]
fn people_that_come_by_mail_are_recognised() {
    let world = World::new();
    let one = world.with(
        "one",
        "book.vcf",
        "vcard",
        &card("a", "Ann Smith", &["EMAIL:ann@one.example"]),
    );
    let rows = format!("{OUTLOOK}Ann,Smith,ann@one.example,+1 555 0001111,\r\n");
    let two = world.with("two", "list.csv", "outlook-csv", &rows);
    one.record();
    two.record();
    let pack = one.repository().pack(None, false).unwrap();
    let report = two
        .repository()
        .unpack(&pack, &dsync::sync::SyncOptions::default())
        .unwrap();
    assert_eq!(report.unions.len(), 1);
    assert_eq!(two.records(), 1);
    assert_eq!(two.read("list.csv"), rows);
    settle(&[&one, &two]);
    assert_eq!(occurrences(&one.read("book.vcf"), "+1 555 0001111"), 1);
}

#[test]
fn one_file_imported_on_two_systems_is_one_list() {
    let rows = "Ann,Smith,ann@one.example,,\r\nNew,Contact,,,\r\nNew,Contact,,,\r\n,,,,only a note\r\n";
    for concurrent in [false, true] {
        let world = World::new();
        let text = format!("{OUTLOOK}{rows}");
        let one = world.with("one", "list.csv", "outlook-csv", &text);
        let two = world.with("two", "list.csv", "outlook-csv", &text);
        if concurrent {
            one.record();
            two.record();
        }
        settle(&[&one, &two]);
        assert_eq!(one.records(), 4, "concurrent: {concurrent}");
        assert_eq!(
            (one.read("list.csv"), two.read("list.csv")),
            (text.clone(), text.clone())
        );
        one.quiet();
    }
}

#[test]
fn a_person_added_on_two_systems_at_once_is_one() {
    let world = World::new();
    let one = world.with("one", "list.csv", "outlook-csv", OUTLOOK);
    let two = world.with("two", "list.csv", "outlook-csv", OUTLOOK);
    settle(&[&one, &two]);
    one.write("list.csv", format!("{OUTLOOK}Ann,Smith,ann@one.example,,\r\n"));
    two.write(
        "list.csv",
        format!("{OUTLOOK}Ann,Smith,ann@one.example,+1 555 0001111,\r\n"),
    );
    settle(&[&one, &two]);
    assert_eq!(one.records(), 1);
    assert_eq!(one.read("list.csv"), two.read("list.csv"));
    assert_eq!(occurrences(&one.read("list.csv"), "Ann"), 1);
}

#[test]
fn a_chain_of_unions_ends_in_one_record() {
    let world = World::new();
    let systems: Vec<System<'_>> = ["one", "two", "three"]
        .iter()
        .zip(["1", "2", "3"])
        .map(|(name, digit)| {
            let lines = [
                "EMAIL:ann@one.example".to_owned(),
                format!("TEL:+1 555 000{digit}{digit}{digit}{digit}"),
            ];
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            world.with(
                name,
                "book.vcf",
                "vcard",
                &card(&format!("uid-{digit}"), "Ann Smith", &lines),
            )
        })
        .collect();
    let all: Vec<&System<'_>> = systems.iter().collect();
    for system in &all {
        system.record();
        system.send();
    }
    for system in &all {
        system.receive();
    }
    settle(&all);
    for system in all {
        assert_eq!(system.records(), 1);
        let text = system.read("book.vcf");
        assert_eq!(occurrences(&text, "BEGIN:VCARD"), 1, "{text}");
        assert_eq!(occurrences(&text, "TEL"), 3, "{text}");
        assert_eq!(occurrences(&text, "EMAIL"), 1, "{text}");
        system.quiet();
    }
}

#[test]
fn an_undone_union_at_first_sight_stays_undone() {
    let world = World::new();
    let one = world.with(
        "one",
        "book.vcf",
        "vcard",
        &card("a", "Ann Smith", &["EMAIL:ann@one.example"]),
    );
    let two = world.with("two", "far.vcf", "vcard", "");
    settle(&[&one, &two]);
    one.write("list.csv", format!("{OUTLOOK}Ann,Smith,,+1 555 0001111,\r\n"));
    one.add_source("list.csv", "outlook-csv");
    let report = one.sync();
    assert_eq!(report.unions.len(), 1);
    settle(&[&one, &two]);
    let operation = one.last_change();
    one.undo_of(&operation);
    settle(&[&one, &two]);
    for (system, file) in [(&one, "book.vcf"), (&one, "list.csv"), (&two, "far.vcf")] {
        let text = system.read(file);
        assert_eq!(occurrences(&text, "ann@one.example"), 1, "{file}: {text}");
        assert_eq!(occurrences(&text, "+1 555 0001111"), 1, "{file}: {text}");
    }
    assert_eq!((one.records(), two.records()), (2, 2));
    let unions = one.sync().unions.len() + two.sync().unions.len();
    assert_eq!(unions, 0);
    one.quiet();
    two.quiet();
}

#[test]
fn an_undone_union_of_records_stays_undone() {
    let world = World::new();
    let one = world.with(
        "one",
        "book.vcf",
        "vcard",
        &card("a", "Ann Smith", &["EMAIL:ann@one.example"]),
    );
    let two = world.with(
        "two",
        "far.vcf",
        "vcard",
        &card("b", "Ann Smith", &["TEL:+1 555 0001111"]),
    );
    one.record();
    two.record();
    one.send();
    let report = two.sync();
    assert_eq!(report.unions.len(), 1, "{report:#?}");
    settle(&[&one, &two]);
    assert_eq!(one.records(), 1);
    let operation = two.last_change();
    two.undo_of(&operation);
    settle(&[&one, &two]);
    for (system, file) in [(&one, "book.vcf"), (&two, "far.vcf")] {
        let text = system.read(file);
        let mut uids: Vec<&str> = text.lines().filter(|line| line.starts_with("UID")).collect();
        uids.sort_unstable();
        uids.dedup();
        assert_eq!(uids.len(), 2, "{file}: {text}");
        assert_eq!(occurrences(&text, "BEGIN:VCARD"), 2, "{file}: {text}");
        assert_eq!(occurrences(&text, "ann@one.example"), 1, "{file}: {text}");
        assert_eq!(occurrences(&text, "+1 555 0001111"), 1, "{file}: {text}");
    }
    assert_eq!((one.records(), two.records()), (2, 2));
    one.quiet();
    two.quiet();
}

#[test]
fn a_sorted_table_is_no_change() {
    let world = World::new();
    let rows = [
        "Ann,Smith,ann@one.example,,\r\n",
        "Bob,Jones,,+1 555 0001111,\r\n",
        "Cid,Ray,,,x\r\n",
        "Cid,Ray,,,x\r\n",
    ];
    let one = world.with("one", "list.csv", "outlook-csv", &format!("{OUTLOOK}{}", rows.concat()));
    one.sync();
    let snapshots = one.log().len();
    let mut sorted = rows;
    sorted.reverse();
    let text = format!("{OUTLOOK}{}", sorted.concat());
    one.write("list.csv", &text);
    let report = one.sync();
    assert!(report.sources[0].read.is_zero(), "{report:#?}");
    assert_eq!((one.log().len(), one.records()), (snapshots, 4));
    assert_eq!(one.read("list.csv"), text);
    // Sorted and edited at once: the edit is an edit.
    one.edit("list.csv", "ann@one.example", "ann@two.example");
    one.write("list.csv", {
        let text = one.read("list.csv");
        let mut lines: Vec<&str> = text.split_inclusive("\r\n").collect();
        lines[1..].reverse();
        lines.concat()
    });
    let report = one.sync();
    let read = report.sources[0].read;
    assert_eq!((read.added, read.changed, read.removed), (0, 1, 0));
}

#[test]
fn a_new_contact_made_twice_is_two() {
    let world = World::new();
    let one = world.with("one", "list.csv", "outlook-csv", &format!("{OUTLOOK}Ann,Smith,,,\r\n"));
    let two = world.with("two", "book.vcf", "vcard", "");
    settle(&[&one, &two]);
    for count in 2..=3 {
        let text = one.read("list.csv");
        one.write("list.csv", format!("{text}New,Contact,,,\r\n"));
        settle(&[&one, &two]);
        assert_eq!((one.records(), two.records()), (count, count));
        assert_eq!(occurrences(&one.read("list.csv"), "New,Contact"), (count - 1) as usize);
    }
    // One of them becomes somebody: the other stays.
    let text = one.read("list.csv");
    let at = text.rfind("New,Contact").unwrap();
    one.write(
        "list.csv",
        format!("{}Zoe,Last{}", &text[..at], &text[at + "New,Contact".len()..]),
    );
    settle(&[&one, &two]);
    assert_eq!(two.records(), 3);
    let book = two.read("book.vcf");
    assert_eq!(
        (occurrences(&book, "FN:New Contact"), occurrences(&book, "FN:Zoe Last")),
        (1, 1),
        "{book}"
    );
}

#[test]
fn namesakes_of_a_source_that_is_bound_again_are_the_same() {
    let world = World::new();
    let one = world.with("one", "list.csv", "outlook-csv", &format!("{OUTLOOK}Ann,Smith,,,\r\n"));
    let two = world.with("two", "book.vcf", "vcard", "");
    settle(&[&one, &two]);
    for note in ["first", "second", "second"] {
        let text = one.read("list.csv");
        one.write("list.csv", format!("{text}New,Contact,,,{note}\r\n"));
        settle(&[&one, &two]);
    }
    assert_eq!(one.records(), 4);
    let text = one.read("list.csv");
    one.repository().remove_source("list", false).unwrap();
    let mut rows: Vec<&str> = text.split_inclusive("\r\n").collect();
    rows[1..].reverse();
    one.write("list.csv", rows.concat());
    one.add_source("list.csv", "outlook-csv");
    settle(&[&one, &two]);
    assert_eq!((one.records(), two.records()), (4, 4));
    assert_eq!(one.read("list.csv"), rows.concat());
    assert_eq!(one.clashes(), Vec::<String>::new());
    one.quiet();
}

#[test]
fn a_row_that_changed_wholly_between_its_neighbours_is_the_same_row() {
    let world = World::new();
    let rows = "Ann,Smith,ann@one.example,,\r\nBob,Jones,bob@one.example,+1 555 0001111,hello\r\nCid,Ray,cid@one.example,,\r\n";
    let one = world.with("one", "list.csv", "outlook-csv", &format!("{OUTLOOK}{rows}"));
    one.sync();
    one.edit("list.csv", "Bob,Jones,bob@one.example", "Robert,Miller,rob@two.example");
    let report = one.sync();
    let read = report.sources[0].read;
    assert_eq!((read.added, read.changed, read.removed), (0, 1, 0));
    one.edit(
        "list.csv",
        "Robert,Miller,rob@two.example,+1 555 0001111,hello",
        "Max,Other,max@three.example,,bye",
    );
    let report = one.sync();
    let read = report.sources[0].read;
    assert_eq!((read.added, read.changed, read.removed), (0, 1, 0));
    assert_eq!(one.records(), 3);
}

/// Returns the suggestions as `title: key ? other key`.
#[test]
fn a_row_in_the_place_of_one_that_went_is_not_that_one_if_it_is_nearer_to_another() {
    let world = World::new();
    let a = world.system("a");
    let [ann, bob, cyd, dan] = [
        ["Ann", "One", "ann@x.example", "+1 555 0001", ""],
        ["Bob", "Two", "bob@x.example", "+1 555 0002", ""],
        ["Cyd", "Three", "cyd@x.example", "+1 555 0003", ""],
        ["Dan", "Four", "dan@x.example", "+1 555 0004", "from work"],
    ];
    a.write("list.csv", google(&[ann, bob, cyd, dan]));
    a.add_source("list.csv", "google-csv");
    a.add_source("book.vcf", "vcard");
    a.sync();
    // Bob goes; Dan gets another name, address and note, and moves to where Bob was.
    let changed = ["Eve", "Five", "eve@x.example", "+1 555 0004", "a friend"];
    a.write("list.csv", google(&[ann, changed, cyd]));
    let report = a.sync_forced();
    let list = report.sources.iter().find(|source| source.name == "list").unwrap();
    assert_eq!(
        (list.read.added, list.read.changed, list.read.removed),
        (1, 0, 2),
        "{report:#?}"
    );
    let book = a.read("book.vcf");
    assert!(
        book.contains("Eve") && !book.contains("Bob") && !book.contains("Dan"),
        "{book}"
    );
}

fn suggestions(system: &System<'_>) -> Vec<(String, String, String)> {
    let reports = system.conflicts();
    let identity = reports.into_iter().filter(|report| report.kind == "identity");
    identity
        .map(|report| {
            let other = report.alternatives[1].value.as_str().unwrap().to_owned();
            (report.title, report.key, other)
        })
        .collect()
}

#[test]
fn weaker_matches_are_suggested_until_a_person_decides() {
    let world = World::new();
    let cards = card("a", "Ann Smith", &["EMAIL:ann@one.example"])
        + &card("b", "Bob Jones", &["EMAIL:home@one.example"])
        + &card("c", "Cid Ray", &["EMAIL:cid@one.example"]);
    let rows = "Ann,Smith,ann@two.example,,\r\nRobert,Miller,home@one.example,,\r\n";
    let (system, report) = two_sources(&world, &cards, rows);
    assert!(report.unions.is_empty());
    assert_eq!(report.conflicts.open, 0);
    let found = suggestions(&system);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(system.clashes().is_empty());
    let ann = found.iter().find(|one| one.0 == "Ann Smith").unwrap();
    system.resolve(&ann.1, None, &Resolution::Distinct(ann.2.clone()));
    assert_eq!(suggestions(&system).len(), 1);
    let bob = suggestions(&system).remove(0);
    system.resolve(&bob.1, None, &Resolution::SameAs(bob.2.clone()));
    assert!(suggestions(&system).is_empty());
    assert_eq!(system.records(), 4);
    system.quiet();
    let csv = system.read("list.csv");
    assert_eq!(occurrences(&csv, "home@one.example"), 1, "{csv}");
    assert_eq!(occurrences(&system.read("book.vcf"), "home@one.example"), 1);
}

#[test]
fn two_told_apart_are_never_united_later() {
    let world = World::new();
    let one = world.with(
        "one",
        "book.vcf",
        "vcard",
        &card("a", "Ann Smith", &["EMAIL:ann@one.example"]),
    );
    let two = world.with("two", "far.vcf", "vcard", "");
    settle(&[&one, &two]);
    one.write("list.csv", format!("{OUTLOOK}Ann,Smith,ann@two.example,,\r\n"));
    one.add_source("list.csv", "outlook-csv");
    settle(&[&one, &two]);
    let (_, left, right) = suggestions(&one).remove(0);
    one.resolve(&left, None, &Resolution::Distinct(right));
    settle(&[&one, &two]);
    assert!(suggestions(&two).is_empty());
    assert_eq!(two.records(), 2);
    two.quiet();
}

#[test]
fn two_called_one_are_one_everywhere() {
    let world = World::new();
    let one = world.with(
        "one",
        "book.vcf",
        "vcard",
        &(card("a", "Ann Smith", &["EMAIL:ann@one.example"])
            + &card("b", "Annie Smith", &["TEL;TYPE=CELL:+1 555 0001111"])),
    );
    let two = world.with("two", "list.csv", "outlook-csv", OUTLOOK);
    settle(&[&one, &two]);
    assert_eq!(two.records(), 2);
    one.resolve("a", None, &Resolution::SameAs("b".to_owned()));
    // Meanwhile the other system edits the one that goes.
    two.edit("list.csv", "+1 555 0001111", "+1 555 0002222");
    settle(&[&one, &two]);
    assert_eq!((one.records(), two.records()), (1, 1));
    let book = one.read("book.vcf");
    assert_eq!(occurrences(&book, "BEGIN:VCARD"), 1, "{book}");
    assert!(
        book.contains("+1 555 0002222") && book.contains("ann@one.example"),
        "{book}"
    );
    let csv = two.read("list.csv");
    assert!(
        csv.lines().count() == 2 && csv.contains("+1 555 0002222") && csv.contains("ann@one.example"),
        "{csv}"
    );
}
