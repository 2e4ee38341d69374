//! Formats that show a part of a record: what they cannot hold is neither changed nor deleted by them.

use dsync::sync::AddSource;

use crate::world::{System, World, card, settle};

/// A contact with more than any row can hold.
const LINES: [&str; 16] = [
    "NICKNAME:Annie",
    "ORG:Acme;Research",
    "TITLE:Engineer",
    "EMAIL;TYPE=WORK:ann@work.example",
    "EMAIL;TYPE=HOME,PREF:ann@home.example",
    "TEL;TYPE=CELL,VOICE:+1 555 000 1111",
    "TEL;TYPE=WORK:+1 555 000 2222",
    "item1.ADR;TYPE=HOME:;;Oak Lane 7;Springfield;IL;62701;USA",
    "item1.X-ABADR:us",
    "item2.ADR;TYPE=HOME:;;Elm Street 9;Shelbyville;IL;62565;USA",
    "item2.X-ABLabel:Summer house",
    "BDAY:1980-02-29",
    "NOTE:First line\\nSecond line\\, with a comma",
    "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgM=",
    "X-SOCIALPROFILE;TYPE=twitter:https://twitter.example/ann",
    "X-ODD;X-P=\"a;b\":odd\\, thing",
];

fn ann() -> String {
    card("ann", "Ann Smith", &LINES)
}

const FORMATS: [(&str, &str, &str); 9] = [
    ("outlook-csv", "other.csv", ""),
    ("outlook-com-csv", "other.csv", ""),
    ("google-csv", "other.csv", ""),
    ("google-csv-old", "other.csv", ""),
    ("thunderbird-csv", "other.csv", ""),
    ("mozilla-ldif", "other.ldif", ""),
    ("jscontact", "other.json", ""),
    (
        "vcard",
        "other.vcf",
        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:z\r\nFN:Zed Last\r\nN:Last;Zed;;;\r\nEND:VCARD\r\n",
    ),
    (
        "vcard",
        "other.vcf",
        "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Zed Last\r\nN:Last;Zed;;;\r\nEND:VCARD\r\n",
    ),
];

/// Returns the lines that are only in the first text, and those only in the second.
fn changed_lines(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let mut gone: Vec<String> = before.lines().map(str::to_owned).collect();
    let mut come = Vec::new();
    for line in after.lines() {
        match gone.iter().position(|known| known == line) {
            Some(at) => {
                gone.remove(at);
            }
            None => come.push(line.to_owned()),
        }
    }
    (gone, come)
}

/// A system with the rich card and an empty source of another format, in step.
fn pair<'w>(world: &'w World, format: &str, file: &str, content: &str) -> System<'w> {
    let system = world.system("one");
    system.write("book.vcf", ann());
    system.add_source("book.vcf", "vcard");
    if content.is_empty() {
        system.add_source(file, format);
    } else {
        system.write(file, content);
        system.add_source(file, format);
    }
    system.sync();
    assert!(
        system.read("book.vcf").starts_with(&ann()),
        "{format}: the first sync changed a card it only read"
    );
    system.quiet();
    system
}

#[test]
fn an_edit_in_a_poorer_format_changes_one_line() {
    for (format, file, content) in FORMATS {
        let world = World::new();
        let system = pair(&world, format, file, content);
        let before = system.read("book.vcf");
        system.edit(file, "+1 555 000 1111", "+1 555 999 1111");
        let report = system.sync();
        let read = report.sources[1].read;
        assert_eq!((read.added, read.changed, read.removed), (0, 1, 0), "{format}");
        let after = system.read("book.vcf");
        let expected = (
            vec!["TEL;TYPE=CELL,VOICE:+1 555 000 1111".to_owned()],
            vec!["TEL;TYPE=CELL,VOICE:+1 555 999 1111".to_owned()],
        );
        assert_eq!(changed_lines(&before, &after), expected, "{format} {content}");
        assert_eq!(before.len(), after.len());
        system.quiet();
        // Back again: every byte is as it was.
        system.edit(file, "+1 555 999 1111", "+1 555 000 1111");
        system.sync();
        assert_eq!(system.read("book.vcf"), before, "{format}");
        system.quiet();
    }
}

#[test]
fn each_shown_field_is_edited_alone() {
    let edits = [
        ("Annie", "Anouk", "NICKNAME:"),
        ("Acme", "Apex", "ORG:"),
        ("Engineer", "Director", "TITLE:"),
        ("ann@home.example", "ann@new.example", "EMAIL;TYPE=HOME,PREF:"),
        ("+1 555 000 2222", "+1 555 000 3333", "TEL;TYPE=WORK:"),
        ("Oak Lane 7", "Oak Lane 8", "item1.ADR;TYPE=HOME:"),
        ("62701", "62702", "item1.ADR;TYPE=HOME:"),
    ];
    for (format, file, content) in FORMATS {
        let world = World::new();
        let system = pair(&world, format, file, content);
        let before = system.read("book.vcf");
        for (old, new, line) in edits {
            let text = system.read(file);
            if !text.contains(old) {
                continue;
            }
            // Where a value is shown twice (a formatted address), an application changes both.
            system.write(file, text.replace(old, new));
            system.sync();
            let (gone, come) = changed_lines(&before, &system.read("book.vcf"));
            assert!(
                gone.len() == 1 && come.len() == 1 && come[0].starts_with(line) && gone[0].replace(old, new) == come[0],
                "{format}: {old} to {new}\n{gone:#?}\n{come:#?}\n{}",
                system.read(file)
            );
            let text = system.read(file);
            system.write(file, text.replace(new, old));
            system.sync();
            assert_eq!(system.read("book.vcf"), before, "{format}: {new} back to {old}");
        }
        system.quiet();
    }
}

#[test]
fn an_edit_that_a_format_cannot_hold_leaves_its_file_alone() {
    for (format, file, content) in FORMATS.into_iter().take(6) {
        let world = World::new();
        let system = pair(&world, format, file, content);
        let before = system.read(file);
        system.edit("book.vcf", "odd\\, thing", "even\\, thing");
        system.edit("book.vcf", "X-ABLabel:Summer house", "X-ABLabel:Winter house");
        let report = system.sync();
        assert!(
            report.sources[1].written.is_zero() || before != system.read(file),
            "{format}"
        );
        if !before.contains("Summer house") {
            assert_eq!(system.read(file), before, "{format}");
        }
        assert!(system.read("book.vcf").contains("even\\, thing"));
        system.quiet();
    }
}

/// A system with five e-mail addresses in a card and three slots in a table.
fn five_in_three(world: &World) -> System<'_> {
    let addresses = ["a", "b", "c", "d", "e"].map(|letter| format!("EMAIL:{letter}@x.example"));
    let lines: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let system = world.system("one");
    system.write("book.vcf", card("ann", "Ann Smith", &lines));
    system.write(
        "list.csv",
        "First Name,Last Name,E-mail Address,E-mail 2 Address,E-mail 3 Address,Notes\r\n",
    );
    system.add_source("book.vcf", "vcard");
    system.add_source("list.csv", "outlook-csv");
    system.sync();
    system.quiet();
    assert!(
        system
            .read("list.csv")
            .ends_with("Ann,Smith,a@x.example,b@x.example,c@x.example,\r\n")
    );
    system
}

#[test]
fn five_addresses_in_three_slots() {
    let world = World::new();
    let system = five_in_three(&world);
    let card_before = system.read("book.vcf");
    // Two swapped: nothing is lost or doubled.
    system.edit("list.csv", "a@x.example,b@x.example", "b@x.example,a@x.example");
    system.sync();
    assert_eq!(system.read("book.vcf"), card_before);
    assert!(system.read("list.csv").contains("b@x.example,a@x.example,c@x.example"));
    system.quiet();
    // One removed: that one goes, the two that were never shown stay.
    system.edit("list.csv", "a@x.example,c@x.example", ",c@x.example");
    system.sync();
    let (gone, come) = changed_lines(&card_before, &system.read("book.vcf"));
    assert_eq!((gone, come), (vec!["EMAIL:a@x.example".to_owned()], Vec::new()));
    system.quiet();
    assert!(
        system.read("list.csv").contains("b@x.example,,c@x.example"),
        "{}",
        system.read("list.csv")
    );
    // One edited at the card: the row follows, and nothing moves.
    system.edit("book.vcf", "c@x.example", "cc@x.example");
    system.sync();
    assert!(system.read("list.csv").contains("cc@x.example"));
    system.quiet();
    let emails = system.read("book.vcf").matches("EMAIL").count();
    assert_eq!(emails, 4);
}

#[test]
fn a_number_in_another_spelling_stays_one_number() {
    let world = World::new();
    let one = world.with(
        "one",
        "book.vcf",
        "vcard",
        &card("ann", "Ann Smith", &["TEL;TYPE=CELL:+1 (555) 000-1111"]),
    );
    let two = world.with(
        "two",
        "list.csv",
        "thunderbird-csv",
        "First Name,Last Name,Mobile Number,Home Phone,Notes\r\n",
    );
    settle(&[&one, &two]);
    two.edit("list.csv", "+1 (555) 000-1111", "+15550001111");
    settle(&[&one, &two]);
    let book = one.read("book.vcf");
    assert_eq!(book.matches("TEL").count(), 1, "{book}");
    assert!(book.contains("TEL;TYPE=CELL:+15550001111"));
    // Both respell it at once, and one of them changes it.
    one.edit("book.vcf", "+15550001111", "+1-555-000-1111");
    two.edit("list.csv", "+15550001111", "+1.555.000.2222");
    settle(&[&one, &two]);
    assert_eq!(one.read("book.vcf").matches("TEL").count(), 1);
    assert_eq!(one.clashes().len(), 1);
}

#[test]
fn both_parts_of_a_name_arrive() {
    let world = World::new();
    let one = world.with(
        "one",
        "book.vcf",
        "vcard",
        &card("ann", "Ann Smith", &["EMAIL:a@x.example"]),
    );
    let two = world.with(
        "two",
        "list.csv",
        "thunderbird-csv",
        "First Name,Last Name,Display Name,Primary Email,Notes\r\n",
    );
    settle(&[&one, &two]);
    one.edit("book.vcf", "N:Smith;Ann", "N:Smith;Anna");
    two.edit("list.csv", "Ann,Smith,Ann Smith", "Ann,Jones,Ann Jones");
    settle(&[&one, &two]);
    let book = one.read("book.vcf");
    assert!(
        book.contains("N:Jones;Anna;;;") && book.contains("FN:Anna Jones"),
        "{book}"
    );
    assert!(
        two.read("list.csv").contains("Anna,Jones,Anna Jones"),
        "{}",
        two.read("list.csv")
    );
    assert_eq!(one.clashes(), Vec::<String>::new());
    // Only one column is changed: the derived one follows.
    two.edit("list.csv", "Anna,Jones,Anna Jones", "Anna,Miller,Anna Jones");
    settle(&[&one, &two]);
    assert!(
        one.read("book.vcf").contains("FN:Anna Miller"),
        "{}",
        one.read("book.vcf")
    );
    assert!(two.read("list.csv").contains("Anna,Miller,Anna Miller"));
}

#[test]
fn properties_with_groups_travel_through_another_version() {
    let world = World::new();
    let one = world.with("one", "book.vcf", "vcard", &ann());
    let two = world.system("two");
    let start = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:z\r\nFN:Zed Last\r\nN:Last;Zed;;;\r\nEND:VCARD\r\n";
    two.write("cards/z.vcf", start);
    two.add_source("cards", "vcard");
    two.add_remote("remote");
    settle(&[&one, &two]);
    let far = two.read("cards/ann.vcf");
    assert!(far.contains("VERSION:4.0"), "{far}");
    for part in [
        "CC=US",
        "Summer house",
        "odd",
        "twitter.example/ann",
        "Elm Street 9",
        "/9j/4AAQ",
    ] {
        assert!(far.replace("\r\n ", "").contains(part), "{part} in {far}");
    }
    let before = one.read("book.vcf");
    two.edit("cards/ann.vcf", "Elm Street 9", "Elm Street 10");
    settle(&[&one, &two]);
    let (gone, come) = changed_lines(&before, &one.read("book.vcf"));
    assert_eq!(gone, ["item2.ADR;TYPE=HOME:;;Elm Street 9;Shelbyville;IL;62565;USA"]);
    assert_eq!(come, ["item2.ADR;TYPE=HOME:;;Elm Street 10;Shelbyville;IL;62565;USA"]);
    // The odd property itself is edited there.
    let text = two.read("cards/ann.vcf");
    assert_eq!(text.matches("thing").count(), 1);
    two.write("cards/ann.vcf", text.replace("thing", "matter"));
    settle(&[&one, &two]);
    let (gone, come) = changed_lines(&before, &one.read("book.vcf"));
    assert_eq!((gone.len(), come.len()), (2, 2), "{come:#?}");
    assert!(
        come.iter()
            .any(|line| line.starts_with("X-ODD;X-P=\"a;b\":odd\\, matter")),
        "{come:#?}"
    );
}

#[test]
fn a_header_grows_and_nothing_else_moves() {
    let world = World::new();
    let header = "First Name,Last Name,Notes,Labels,Phone 1 - Label,Phone 1 - Value";
    let rows = "Bob,Jones,,,Mobile,+1 555 000 1111\r\n\"Cid, Jr.\",Ray,\"said \"\"hi\"\"\",,,\r\n";
    let one = world.with("one", "list.csv", "google-csv", &format!("{header}\r\n{rows}"));
    let lines = ["TEL;TYPE=CELL:+1 555 000 2222", "TEL;TYPE=WORK:+1 555 000 3333"];
    let two = world.with("two", "book.vcf", "vcard", &card("ann", "Ann Smith", &lines));
    settle(&[&one, &two]);
    let text = one.read("list.csv");
    let mut grown = text.lines();
    let first = grown.next().unwrap();
    assert!(first.starts_with(header) && first.contains("Phone 2 - Value"), "{text}");
    let more = first.matches(',').count() - header.matches(',').count();
    for row in rows.lines() {
        assert_eq!(grown.next().unwrap(), format!("{row}{}", ",".repeat(more)), "{text}");
    }
    assert!(text.contains("+1 555 000 3333"));
    assert_eq!(one.records(), 3);
}

#[test]
fn what_was_deleted_stays_deleted() {
    let world = World::new();
    let lines = [
        "EMAIL:a@x.example",
        "TEL;TYPE=CELL:+1 555 000 1111",
        "TEL;TYPE=WORK:+1 555 000 2222",
    ];
    let one = world.with("one", "book.vcf", "vcard", &card("ann", "Ann Smith", &lines));
    let header = "First Name,Last Name,Primary Email,Secondary Email,Work Phone,Mobile Number,Notes\r\n";
    let two = world.with("two", "list.csv", "thunderbird-csv", header);
    settle(&[&one, &two]);
    two.edit("list.csv", "+1 555 000 1111", "");
    one.edit(
        "book.vcf",
        "EMAIL:a@x.example\r\n",
        "EMAIL:a@x.example\r\nEMAIL:b@x.example\r\n",
    );
    settle(&[&one, &two]);
    for text in [one.read("book.vcf"), two.read("list.csv")] {
        assert!(
            !text.contains("+1 555 000 1111") && text.contains("b@x.example"),
            "{text}"
        );
    }
    assert_eq!(one.clashes(), Vec::<String>::new());
}

#[test]
fn another_header_is_no_edit() {
    let world = World::new();
    let lines = ["EMAIL:a@x.example", "TEL;TYPE=CELL:+1 555 000 1111", "NOTE:hello"];
    let one = world.with("one", "book.vcf", "vcard", &card("ann", "Ann Smith", &lines));
    let two = world.with(
        "two",
        "list.csv",
        "outlook-csv",
        "First Name,Last Name,E-mail Address,Mobile Phone,Notes\r\n",
    );
    settle(&[&one, &two]);
    assert!(
        two.read("list.csv")
            .contains("Ann,Smith,a@x.example,+1 555 000 1111,hello")
    );
    let before = one.read("book.vcf");
    // A re-export without two columns deletes nothing.
    two.write(
        "list.csv",
        "First Name,Last Name,E-mail Address\r\nAnn,Smith,a@x.example\r\n",
    );
    settle(&[&one, &two]);
    assert_eq!(one.read("book.vcf"), before);
    // One with a column more: what it says is there, beside what others said since.
    two.write(
        "list.csv",
        "First Name,Last Name,E-mail Address,Mobile Phone,Job Title\r\nAnn,Smith,a@x.example,+1 555 000 1111,Boss\r\n",
    );
    settle(&[&one, &two]);
    let (gone, come) = changed_lines(&before, &one.read("book.vcf"));
    assert_eq!((gone, come), (Vec::new(), vec!["TITLE:Boss".to_owned()]));
    assert_eq!(one.clashes(), Vec::<String>::new());
    // An edit in a column that both lenses show is one, whatever else the header does.
    two.write(
        "list.csv",
        "Last Name,First Name,E-mail Address,Mobile Phone,Notes\r\nSmith,Ann,b@x.example,+1 555 000 1111,hello\r\n",
    );
    settle(&[&one, &two]);
    assert!(one.read("book.vcf").contains("EMAIL:b@x.example") && one.read("book.vcf").contains("TITLE:Boss"));
    assert_eq!(one.read("book.vcf").matches("EMAIL").count(), 1);
}

const SHORT: &str = r#"
[format]
name = "short"
title = "Notes of thirty characters"
kind = "contact"
container = "csv"
header = ["First Name", "Last Name", "Note"]

[[column]]
name = "First Name"
path = "/name/components/given/value"

[[column]]
name = "Last Name"
path = "/name/components/surname/value"

[[column]]
name = "Note"
path = "/notes/~Note/note"
max = 30
"#;

#[test]
fn a_shortened_note_comes_back_whole() {
    let world = World::new();
    let long = "This is a note that is a good deal longer than thirty characters";
    let system = world.system("one");
    system.write("book.vcf", card("ann", "Ann Smith", &[&format!("NOTE:{long}")]));
    system.add_source("book.vcf", "vcard");
    system.write("short.toml", SHORT);
    system.write("list.csv", "First Name,Last Name,Note\r\n");
    system.add(AddSource {
        location: "list.csv".to_owned(),
        map: Some("short.toml".into()),
        ..AddSource::default()
    });
    system.sync();
    let shown = system.read("list.csv");
    assert!(
        shown.contains("This is a note") && !shown.contains("thirty characters"),
        "{shown}"
    );
    system.quiet();
    let before = system.read("book.vcf");
    // Another field is edited: the note stays whole.
    system.edit("list.csv", "Ann,", "Anna,");
    system.sync();
    assert!(system.read("book.vcf").contains(long));
    system.quiet();
    // The beginning of the note is edited: the rest stays.
    system.edit("list.csv", "This is a note", "This was a note");
    system.sync();
    let whole = long.replace("This is", "This was");
    assert!(system.read("book.vcf").contains(&whole), "{}", system.read("book.vcf"));
    assert_eq!(system.clashes(), Vec::<String>::new());
    system.quiet();
    assert!(before.contains(long));
}
