//! Sources of contacts that show some fields.

use dsync::sync::AddSource;

use crate::world::{System, World, card, google};

/// The office has whole cards.
fn office(world: &World) -> System<'_> {
    let ann = card(
        "u1",
        "Ann One",
        &["TEL;TYPE=CELL:+49 1111", "EMAIL:ann@example.org", "NOTE:likes tea"],
    );
    let bob = card(
        "u2",
        "Bob Two",
        &["TEL;TYPE=HOME:+49 2222", "NOTE:knows Ann", "X-OWN:kept"],
    );
    world.with("office", "book.vcf", "vcard", &(ann + &bob))
}

fn add(system: &System<'_>, location: &str, format: &str, fields: &[&str]) {
    let options = AddSource {
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        ..AddSource::default()
    };
    system.add_with(location, format, options);
}

/// A system whose source shows some fields.
fn phone<'w>(world: &'w World, location: &str, format: &str, fields: &[&str]) -> System<'w> {
    let system = world.system("phone");
    system.add_remote("remote");
    add(&system, location, format, fields);
    system
}

/// Replaces the line of the configuration that chooses the fields.
fn choose(system: &System<'_>, line: &str) {
    let config = system.read(".dsync/config.toml");
    let lines = config.lines().filter(|line| !line.starts_with("fields = "));
    let mut text: String = lines.map(|line| format!("{line}\n")).collect();
    text = text.replace("\nformat = ", &format!("\n{line}\nformat = "));
    system.write(".dsync/config.toml", text);
}

fn sync(systems: &[&System<'_>]) {
    for system in systems {
        system.sync();
    }
}

#[test]
fn a_source_shows_the_chosen_fields_and_the_others_stay_where_they_are() {
    for (location, format) in [
        ("list.vcf", "vcard"),
        ("list.csv", "google-csv"),
        ("list.json", "jscontact"),
        ("list.ldif", "mozilla-ldif"),
    ] {
        let world = World::new();
        let office = office(&world);
        office.sync();
        let phone = phone(&world, location, format, &["name", "phones"]);
        phone.sync();
        let list = phone.read(location);
        assert!(
            list.contains("Ann") && list.contains("+49 1111") && list.contains("+49 2222"),
            "{list}"
        );
        for hidden in ["tea", "example.org", "knows", "kept"] {
            assert!(!list.contains(hidden), "{list}");
        }
        phone.quiet();
        // A shown field is edited here, a hidden one there.
        phone.edit(location, "+49 1111", "+49 1234");
        office.edit("book.vcf", "likes tea", "likes coffee");
        sync(&[&phone, &office, &phone]);
        let book = office.read("book.vcf");
        for kept in ["+49 1234", "likes coffee", "ann@example.org", "X-OWN:kept"] {
            assert!(book.contains(kept), "{kept}\n{book}");
        }
        assert!(!phone.read(location).contains("coffee"));
        office.quiet();
        phone.quiet();
        // A removal is one everywhere.
        let before = office.records();
        office.edit("book.vcf", "+49 2222", "+49 2323");
        sync(&[&office, &phone]);
        assert!(phone.read(location).contains("+49 2323"));
        assert_eq!(office.records(), before);
        assert_eq!(office.conflicts().len(), 0);
        phone.verify_clean();
    }
}

#[test]
fn what_an_item_has_of_hidden_fields_stays_there_and_is_not_taken_in() {
    let world = World::new();
    let office = office(&world);
    office.sync();
    let phone = phone(&world, "list.vcf", "vcard", &["phone"]);
    phone.sync();
    // The person of the phone writes notes that the choice does not show.
    let own = "NOTE:my own words\r\nitem1.URL:https://example.org\r\nitem1.X-ABLabel:Blog\r\nX-RING:loud\r\n";
    let list = phone.read("list.vcf");
    phone.write("list.vcf", list.replacen("END:VCARD", &format!("{own}END:VCARD"), 1));
    let before = office.log().len();
    sync(&[&phone, &office]);
    assert_eq!(office.log().len(), before);
    assert!(!office.read("book.vcf").contains("my own words"));
    // A write of a shown field passes by them.
    office.edit("book.vcf", "+49 1111", "+49 1112");
    office.edit("book.vcf", "+49 2222", "+49 2223");
    office.edit("book.vcf", "likes tea", "likes water");
    sync(&[&office, &phone]);
    let list = phone.read("list.vcf");
    assert!(
        list.contains("+49 1112") && list.contains("+49 2223") && !list.contains("water"),
        "{list}"
    );
    assert!(list.contains(own), "{list}");
    phone.quiet();
    office.quiet();
    assert_eq!(office.conflicts().len(), 0);
}

#[test]
fn another_choice_of_fields_is_no_edit() {
    let world = World::new();
    let office = office(&world);
    office.sync();
    let phone = phone(&world, "list.csv", "google-csv", &["phones"]);
    phone.sync();
    let (state, log) = (office.state(), office.log().len());
    // More is shown: what the records have comes, and nothing is asked or removed.
    choose(&phone, "fields = [\"phones\", \"emails\", \"notes\"]");
    sync(&[&phone, &office]);
    let list = phone.read("list.csv");
    assert!(list.contains("ann@example.org") && list.contains("likes tea"), "{list}");
    assert_eq!((office.state(), office.log().len()), (state.clone(), log));
    phone.quiet();
    // Less is shown: what stands there stays, and is nobody's matter any more.
    choose(&phone, "fields = [\"phones\"]");
    sync(&[&phone, &office]);
    assert_eq!(phone.read("list.csv"), list);
    assert_eq!((office.state(), office.log().len()), (state.clone(), log));
    phone.edit("list.csv", "likes tea", "likes nothing");
    office.edit("book.vcf", "likes tea", "likes milk");
    sync(&[&phone, &office, &phone]);
    assert!(phone.read("list.csv").contains("likes nothing") && office.read("book.vcf").contains("likes milk"));
    assert_eq!(office.conflicts().len(), 0);
    // All is shown again: both notes are there, one of them shown everywhere.
    choose(&phone, "");
    sync(&[&phone, &office, &phone]);
    assert_eq!(office.conflicts().len(), 1, "{:?}", office.clashes());
    assert!(office.clashes()[0].contains("likes nothing") && office.clashes()[0].contains("likes milk"));
    assert!(office.read("book.vcf").contains("ann@example.org"));
    assert_eq!(office.records(), 2);
    phone.quiet();
}

#[test]
fn a_field_shown_again_is_the_one_it_was() {
    let world = World::new();
    let office = office(&world);
    office.sync();
    let phone = phone(&world, "list.vcf", "vcard", &["emails"]);
    // The phone had the numbers in another spelling.
    let list = card("u1", "Ann One", &["TEL:+491111", "EMAIL:ann@example.org"])
        + &card("u2", "Bob Two", &["TEL;TYPE=HOME:0049 7"]);
    phone.write("list.vcf", list);
    sync(&[&phone, &office]);
    choose(&phone, "fields = [\"emails\", \"phones\"]");
    sync(&[&phone, &office, &phone]);
    let book = office.read("book.vcf");
    // One number is the same; the other one stands against that of the office, and neither is lost.
    assert_eq!(book.matches("TEL").count(), 2, "{book}");
    assert!(book.contains("+49 1111"), "{book}");
    let clashes = office.clashes();
    assert_eq!(clashes.len(), 1, "{clashes:?}");
    assert!(
        clashes[0].contains("+49 2222") && clashes[0].contains("0049 7"),
        "{clashes:?}"
    );
    phone.quiet();
    office.quiet();
}

#[test]
fn namesakes_stay_two_when_only_names_are_shown() {
    let world = World::new();
    let rows = [
        ["Ann", "One", "ann@example.org", "+49 1111", ""],
        ["Ann", "One", "other@example.org", "+49 2222", ""],
        ["Ann", "One", "", "", ""],
    ];
    let a = world.with("a", "list.csv", "google-csv", &google(&rows));
    a.sync();
    let (state, log) = (a.state(), a.log().len());
    choose(&a, "fields = [\"name\"]");
    a.sync();
    assert_eq!((a.state(), a.log().len()), (state.clone(), log));
    choose(&a, "fields = [\"name\", \"emails\"]");
    a.sync();
    choose(&a, "");
    a.sync();
    assert_eq!((a.state(), a.log().len()), (state, log));
    assert_eq!(a.read("list.csv"), google(&rows));
    a.quiet();
}

#[test]
fn two_sources_of_one_choice_copy_nothing_that_is_hidden() {
    let world = World::new();
    let a = world.system("a");
    a.write("left.vcf", card("u1", "Ann One", &["TEL:+49 1111", "NOTE:mine"]));
    add(&a, "left.vcf", "vcard", &["phones"]);
    add(&a, "right.vcf", "vcard", &["phones"]);
    a.sync();
    let right = a.read("right.vcf");
    assert!(right.contains("+49 1111") && !right.contains("mine"), "{right}");
    a.quiet();
}

#[test]
fn a_field_that_nobody_has_is_refused() {
    let world = World::new();
    let a = world.system("a");
    a.write("left.vcf", card("u1", "Ann One", &[]));
    let options = AddSource {
        location: "left.vcf".to_owned(),
        fields: vec!["phones".to_owned(), "shoes".to_owned()],
        ..AddSource::default()
    };
    let error = a.repository().add_source(&a.dir(), &options).unwrap_err().to_string();
    assert!(
        error.contains("no field `shoes`") && error.contains("emails"),
        "{error}"
    );
}

/// The office has three people with categories, one without.
fn club(world: &World) -> System<'_> {
    let cards = [
        card("u1", "Ann One", &["EMAIL:ann@example.org", "CATEGORIES:club,family"]),
        card("u2", "Bob Two", &["EMAIL:bob@example.com", "CATEGORIES:club"]),
        card("u3", "Cid Three", &["EMAIL:cid@example.org"]),
    ];
    world.with("office", "book.vcf", "vcard", &cards.concat())
}

fn filtered<'w>(world: &'w World, location: &str, format: &str, filter: &str) -> System<'w> {
    let system = world.system("phone");
    system.add_remote("remote");
    let options = AddSource {
        filter: Some(filter.to_owned()),
        ..AddSource::default()
    };
    system.add_with(location, format, options);
    system.sync();
    system
}

/// Returns who is in a source of the phone.
fn people(system: &System<'_>, location: &str) -> String {
    let text = system.read(location);
    let names = ["Ann", "Bob", "Cid", "Dan", "Eve"].into_iter();
    names.filter(|name| text.contains(name)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_filtered_source_shows_the_contacts_that_match() {
    for (location, format) in [
        ("list.vcf", "vcard"),
        ("list.csv", "google-csv"),
        ("list.json", "jscontact"),
    ] {
        let world = World::new();
        let office = club(&world);
        office.sync();
        let filter = "category = 'club' or email like '%@example.net'";
        let phone = filtered(&world, location, format, filter);
        assert_eq!(people(&phone, location), "Ann Bob");
        phone.quiet();
        // Elsewhere one comes into the filter and one leaves it: nobody is removed anywhere.
        office.edit("book.vcf", "cid@example.org", "cid@example.net");
        office.edit("book.vcf", "CATEGORIES:club,family", "CATEGORIES:family");
        sync(&[&office, &phone, &office]);
        assert_eq!(people(&phone, location), "Bob Cid");
        assert_eq!(office.records(), 3);
        assert_eq!(people(&office, "book.vcf"), "Ann Bob Cid");
        phone.quiet();
        office.quiet();
        // Who removes a shown contact removes it; hidden ones stay.
        let text = phone.read(location);
        let without_bob: String = match format {
            "vcard" => text
                .split_inclusive("END:VCARD\r\n")
                .filter(|card| !card.contains("Bob"))
                .collect(),
            "google-csv" => text
                .split_inclusive('\n')
                .filter(|line| !line.contains("Bob"))
                .collect(),
            _ => break,
        };
        phone.write(location, without_bob);
        sync(&[&phone, &office, &phone]);
        assert_eq!(people(&office, "book.vcf"), "Ann Cid");
        assert_eq!(people(&phone, location), "Cid");
        phone.verify_clean();
    }
}

#[test]
fn contacts_that_do_not_match_stay_where_they_were_made_until_others_write_them() {
    let world = World::new();
    let office = club(&world);
    office.sync();
    let phone = filtered(&world, "list.vcf", "vcard", "category = 'club'");
    let list = phone
        .read("list.vcf")
        .replace("CATEGORIES:club\r\n", "CATEGORIES:chess\r\n");
    phone.write("list.vcf", list + &card("u9", "Dan Nine", &["TEL:+49 9999"]));
    let report = phone.sync();
    let note = &report.sources[0].notes[0];
    assert!(note.starts_with("2 contacts do not match the filter"), "{note}");
    sync(&[&office, &phone]);
    assert_eq!(people(&phone, "list.vcf"), "Ann Bob Dan");
    assert_eq!(people(&office, "book.vcf"), "Ann Bob Cid Dan");
    phone.quiet();
    office.edit("book.vcf", "bob@example.com", "bob@example.org");
    sync(&[&office, &phone]);
    assert_eq!(people(&phone, "list.vcf"), "Ann Dan");
    assert_eq!(office.records(), 4);
    // What left by the filter comes back with it.
    office.edit("book.vcf", "CATEGORIES:chess", "CATEGORIES:club");
    sync(&[&office, &phone]);
    assert_eq!(people(&phone, "list.vcf"), "Ann Bob Dan");
    phone.quiet();
    office.quiet();
}

#[test]
fn a_new_contact_that_is_a_hidden_one_is_met_like_at_first_sight() {
    let world = World::new();
    let office = club(&world);
    office.sync();
    let phone = filtered(&world, "list.vcf", "vcard", "category = 'club'");
    let list = phone.read("list.vcf");
    let cid = card(
        "u3",
        "Cid Three",
        &["EMAIL:cid@example.org", "TITLE:Boss", "CATEGORIES:club"],
    );
    phone.write("list.vcf", list + &cid);
    sync(&[&phone, &office, &phone]);
    assert_eq!(office.records(), 3);
    let book = office.read("book.vcf");
    assert!(
        book.contains("TITLE:Boss") && book.matches("cid@example.org").count() == 1,
        "{book}"
    );
    assert_eq!(office.conflicts().len(), 0, "{:?}", office.clashes());
    assert_eq!(people(&phone, "list.vcf"), "Ann Bob Cid");
    phone.quiet();
    office.quiet();
}

#[test]
fn another_filter_is_no_removal() {
    let world = World::new();
    let office = club(&world);
    office.sync();
    let phone = filtered(&world, "list.csv", "google-csv", "category = 'club'");
    let log = office.log().len();
    let filter = |text: &str| {
        let config = phone.read(".dsync/config.toml");
        let lines = config.lines().map(|line| {
            if line.starts_with("filter = ") {
                format!("filter = \"{text}\"\n")
            } else {
                format!("{line}\n")
            }
        });
        phone.write(".dsync/config.toml", lines.collect::<String>());
    };
    filter("email like '%@example.org'");
    sync(&[&phone, &office]);
    // What matches now has come; what does not any more stays until somebody writes it.
    assert_eq!(people(&phone, "list.csv"), "Ann Bob Cid");
    assert_eq!((office.log().len(), office.records()), (log, 3));
    phone.quiet();
    office.edit("book.vcf", "bob@example.com", "bob@example.net");
    sync(&[&office, &phone, &office]);
    assert_eq!(people(&phone, "list.csv"), "Ann Cid");
    assert_eq!(office.records(), 3);
    filter("name is not null");
    sync(&[&phone, &office]);
    assert_eq!(people(&phone, "list.csv"), "Ann Bob Cid");
    phone.quiet();
    // Also where nobody was shown before.
    let desk = world.system("desk");
    desk.add_remote("remote");
    let options = AddSource {
        filter: Some("name = 'Nobody'".to_owned()),
        ..AddSource::default()
    };
    desk.add_with("list.csv", "google-csv", options);
    desk.sync();
    assert_eq!(people(&desk, "list.csv"), "");
    let config = desk.read(".dsync/config.toml");
    desk.write(
        ".dsync/config.toml",
        config.replace("name = 'Nobody'", "name = 'Ann One'"),
    );
    desk.sync();
    assert_eq!(people(&desk, "list.csv"), "Ann");
    desk.quiet();
}

#[test]
fn fields_and_a_filter_go_together() {
    let world = World::new();
    let office = club(&world);
    office.sync();
    let phone = world.system("phone");
    phone.add_remote("remote");
    let options = AddSource {
        filter: Some("category = 'family'".to_owned()),
        fields: vec!["emails".to_owned()],
        ..AddSource::default()
    };
    phone.add_with("list.vcf", "vcard", options);
    phone.sync();
    let list = phone.read("list.vcf");
    // The filter asks the record, whatever the source shows of it.
    assert!(
        list.contains("ann@example.org") && !list.contains("CATEGORIES"),
        "{list}"
    );
    phone.edit("list.vcf", "ann@example.org", "ann@example.net");
    sync(&[&phone, &office, &phone]);
    assert!(office.read("book.vcf").contains("ann@example.net"));
    assert_eq!(people(&phone, "list.vcf"), "Ann");
    phone.quiet();
}

#[test]
fn a_filter_that_asks_for_nothing_contacts_have_is_refused() {
    let world = World::new();
    let a = world.system("a");
    a.write("left.vcf", card("u1", "Ann One", &[]));
    let options = AddSource {
        location: "left.vcf".to_owned(),
        filter: Some("shoes = 42".to_owned()),
        ..AddSource::default()
    };
    let error = a.repository().add_source(&a.dir(), &options).unwrap_err().to_string();
    assert!(error.contains("`shoes`") && error.contains("email"), "{error}");
}

/// What the office is to have of a person: phone, note, category.
type Person = [String; 3];

fn person_card(name: &str, person: &Person) -> String {
    let [phone, note, category] = person;
    let lines = [
        format!("TEL;TYPE=CELL:{phone}"),
        format!("NOTE:{note}"),
        format!("CATEGORIES:{category}"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    card(&format!("uid-{name}"), &format!("{name} Surname"), &lines)
}

/// Returns the value of a line of each card, by the person's name.
fn lines_of(text: &str, start: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for card in text.split("END:VCARD") {
        let line = |start: &str| {
            let line = card.lines().find(|line| line.starts_with(start))?;
            Some(line.rsplit(':').next().unwrap_or_default().to_owned())
        };
        if let Some(name) = line("FN:") {
            let name = name.split(' ').next().unwrap_or_default().to_owned();
            found.push((name, line(start).unwrap_or_default()));
        }
    }
    found.sort();
    found
}

#[test]
fn edits_at_random_on_both_sides_of_a_choice_lose_nothing() {
    for seed in 1..=4_u64 {
        let world = World::seeded(seed);
        let mut state = seed;
        let mut roll = |sides: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            (state >> 33) as usize % sides
        };
        let mut people = std::collections::BTreeMap::<String, Person>::new();
        for number in 0..8 {
            let category = ["club", "work"][number % 2].to_owned();
            people.insert(
                format!("P{number}"),
                [format!("+49 100{number}"), format!("note {number}"), category],
            );
        }
        let book = people
            .iter()
            .map(|(name, person)| person_card(name, person))
            .collect::<String>();
        let office = world.with("office", "book.vcf", "vcard", &book);
        office.sync();
        let phone = world.system("phone");
        phone.add_remote("remote");
        let options = AddSource {
            filter: Some("category = 'club'".to_owned()),
            fields: vec!["phones".to_owned()],
            ..AddSource::default()
        };
        phone.add_with("list.vcf", "vcard", options);
        phone.sync();
        let mut club = "club";
        for round in 0..25 {
            let name = people.keys().nth(roll(people.len())).unwrap().clone();
            let shown = phone.read("list.vcf");
            let is_shown = shown.contains(&format!("FN:{name} "));
            match roll(7) {
                0 if is_shown => {
                    let new = format!("+49 2{round:03}");
                    phone.edit("list.vcf", &people[&name][0], &new);
                    people.get_mut(&name).unwrap()[0] = new;
                }
                1 if is_shown && people.len() > 4 => {
                    let cards = shown.split_inclusive("END:VCARD\r\n");
                    let rest: String = cards.filter(|card| !card.contains(&format!("FN:{name} "))).collect();
                    phone.write("list.vcf", rest);
                    people.remove(&name);
                }
                2 => {
                    let person = [format!("+49 3{round:03}"), String::new(), String::new()];
                    let new = format!("N{round}");
                    let line = format!("TEL;TYPE=CELL:{}", person[0]);
                    phone.write(
                        "list.vcf",
                        shown + &card(&format!("uid-{new}"), &format!("{new} Surname"), &[&line]),
                    );
                    people.insert(new, person);
                }
                3 => {
                    let other = if club == "club" { "work" } else { "club" };
                    let config = phone.read(".dsync/config.toml");
                    phone.write(
                        ".dsync/config.toml",
                        config.replace(&format!("'{club}'"), &format!("'{other}'")),
                    );
                    club = other;
                }
                what => {
                    let person = people.get_mut(&name).unwrap();
                    let at = what % 3;
                    person[at] = match at {
                        0 => format!("+49 4{round:03}"),
                        1 => format!("note of round {round}"),
                        _ => ["club", "work"][roll(2)].to_owned(),
                    };
                    let cards = office.read("book.vcf");
                    let cards = cards.split_inclusive("END:VCARD\r\n").map(|card| {
                        if card.contains(&format!("FN:{name} ")) {
                            person_card(&name, person)
                        } else {
                            card.to_owned()
                        }
                    });
                    office.write("book.vcf", cards.collect::<String>());
                }
            }
            for system in [&office, &phone, &office, &phone] {
                system.sync_forced();
            }
            let (book, list) = (office.read("book.vcf"), phone.read("list.vcf"));
            for (at, start) in ["TEL", "NOTE", "CATEGORIES"].into_iter().enumerate() {
                let expected: Vec<(String, String)> = people
                    .iter()
                    .map(|(name, person)| (name.clone(), person[at].clone()))
                    .collect();
                assert_eq!(lines_of(&book, start), expected, "seed {seed} round {round} {start}");
            }
            let shown = lines_of(&list, "TEL");
            for (name, number) in &shown {
                assert_eq!(*number, people[name][0], "seed {seed} round {round} {name}");
            }
            for (name, person) in &people {
                let is_there = shown.iter().any(|(other, _)| other == name);
                assert!(
                    is_there || person[2] != club,
                    "seed {seed} round {round}: {name} is not shown"
                );
            }
            assert!(!list.contains("NOTE") && !list.contains("CATEGORIES"), "{list}");
            assert_eq!(
                office.conflicts().len(),
                0,
                "seed {seed} round {round}: {:?}",
                office.clashes()
            );
        }
        phone.quiet();
        office.quiet();
        phone.verify_clean();
    }
}
