//! What goes wrong with other programs: odd identities, clocks that are wrong, remotes that change, files of old exports.

use crate::world::{START_MS, World, card, google, settle};

/// Ten years.
const FAR_MS: i64 = 315_360_000_000;

#[test]
fn odd_identities_make_plain_file_names() {
    let world = World::new();
    let long = "u".repeat(300);
    let uids = [
        "a/b/../../c",
        ".hidden",
        "CON",
        "ümlaut 1?*",
        long.as_str(),
        "urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1",
    ];
    let file: String = uids
        .iter()
        .map(|uid| card(uid, &format!("Name {}", uid.len()), &[]))
        .collect();
    let a = world.with("a", "book.vcf", "vcard", &file);
    std::fs::create_dir(world.path("a/cards")).unwrap();
    a.add_source("cards", "vcard");
    a.sync();
    let files: Vec<_> = std::fs::read_dir(world.path("a/cards"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), uids.len(), "{files:?}");
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !name.starts_with('.') && name.len() < 256 && path.extension().is_some_and(|ending| ending == "vcf"),
            "{name}"
        );
    }
    assert_eq!(world.read("a/book.vcf"), file);
    // They are the same people in both places, whatever their files are called.
    let one = files
        .iter()
        .find(|path| std::fs::read_to_string(path).unwrap().contains("a/b/../../c"))
        .unwrap();
    let renamed = one.with_file_name("somebody.vcf");
    std::fs::rename(one, &renamed).unwrap();
    let text = std::fs::read_to_string(&renamed)
        .unwrap()
        .replace("Name 11", "Name Eleven");
    std::fs::write(&renamed, text).unwrap();
    world.touch(&renamed);
    a.sync();
    assert_eq!(a.records(), uids.len() as u64);
    assert!(a.read("book.vcf").contains("Name Eleven"));
    a.quiet();
}

#[test]
fn a_clock_years_ahead_decides_nothing_for_good() {
    let world = World::new();
    let a = world.with(
        "a",
        "book.vcf",
        "vcard",
        &card("u1", "Ann One", &["TEL;TYPE=CELL:+1 555 0100"]),
    );
    a.sync();
    let b = world.with(
        "b",
        "book.csv",
        "google-csv",
        &google(&[["Ann", "One", "", "+1 555 0100", ""]]),
    );
    settle(&[&a, &b]);

    world.set_clock(START_MS + FAR_MS);
    b.edit("book.csv", "+1 555 0100", "+1 555 0177");
    b.sync();
    world.set_clock(START_MS + 1_000_000);
    // Not knowing of it: a clash that keeps both numbers.
    a.edit("book.vcf", "+1 555 0100", "+1 555 0188");
    a.edit("book.vcf", "N:One;Ann;", "N:One;Anna;");
    settle(&[&a, &b]);
    assert_eq!((a.clashes().len(), a.state()), (1, b.state()));
    assert!(b.read("book.csv").contains("Anna"));
    // Knowing of it: what comes after it stands, whatever the clock says.
    let now = if a.read("book.vcf").contains("0177") {
        "+1 555 0177"
    } else {
        "+1 555 0188"
    };
    a.edit("book.vcf", now, "+1 555 0199");
    settle(&[&a, &b]);
    assert_eq!((a.clashes().len(), a.state()), (0, b.state()));
    assert!(a.read("book.vcf").contains("0199") && b.read("book.csv").contains("0199"));
}

#[test]
fn another_remote_doubles_and_loses_nothing() {
    let world = World::new();
    let file: String = (1..=4)
        .map(|n| card(&format!("u{n}"), &format!("Person{n} Lee"), &[]))
        .collect();
    let a = world.with("a", "book.vcf", "vcard", &file);
    let b = world.with("b", "book.vcf", "vcard", "");
    settle(&[&a, &b]);
    let before = a.state();
    b.edit("book.vcf", "N:Lee;Person2;", "N:Lee;Petra;");
    for system in [&a, &b] {
        system.repository().remote_remove("origin", false).unwrap();
        system.add_remote("elsewhere");
    }
    a.edit("book.vcf", "N:Lee;Person3;", "N:Lee;Paula;");
    settle(&[&a, &b]);
    assert_eq!(a.state(), b.state());
    assert_ne!(a.state(), before);
    assert_eq!((a.records(), b.records(), a.clashes().len()), (4, 4, 0));
    for system in [&a, &b] {
        let text = system.read("book.vcf");
        assert!(text.contains("Petra") && text.contains("Paula"), "{text}");
        system.quiet();
    }
}

#[test]
fn a_street_of_two_lines_keeps_its_line_ends() {
    let world = World::new();
    let file = "Title,First Name,Last Name,Business Street,Business Street 2,Business City,Assistant's Phone,TTY/TDD Phone,User 1\r\n\
                Dr.,Ann,One,\"Main St. 1\r\nBack yard\",,Ort,,,\r\n,Bob,Two,\"Side St. 2\r\nFloor 3\",,Ort,,,\r\n";
    let a = world.with("a", "book.csv", "outlook-csv", file);
    let b = world.with("b", "book.vcf", "vcard", "");
    settle(&[&a, &b]);
    assert_eq!(world.read("a/book.csv"), file);
    let text = b.read("book.vcf");
    assert!(text.contains("N:One;Ann;;Dr.;"), "{text}");
    b.edit("book.vcf", "Back yard", "Front yard");
    settle(&[&b, &a]);
    assert_eq!(world.read("a/book.csv"), file.replace("Back yard", "Front yard"));
}

#[test]
fn an_entry_whose_name_changes_stays_one() {
    let world = World::new();
    let file = "dn: cn=Ann One,mail=a@x.example\nobjectclass: top\nobjectclass: person\ncn: Ann One\ngivenName: Ann\nsn: One\n\
                mail: a@x.example\nmodifytimestamp: 0Z\n\n";
    let a = world.with("a", "book.ldif", "mozilla-ldif", file);
    let b = world.with("b", "book.vcf", "vcard", "");
    settle(&[&a, &b]);
    // The program makes the distinguished name of the new name.
    let renamed = file
        .replace("cn=Ann One", "cn=Ann Two")
        .replace("cn: Ann One", "cn: Ann Two")
        .replace("sn: One", "sn: Two");
    world.write("a/book.ldif", &renamed);
    settle(&[&a, &b]);
    assert_eq!((a.records(), b.records()), (1, 1));
    assert!(b.read("book.vcf").contains("N:Two;Ann;;;"));
    assert_eq!(world.read("a/book.ldif"), renamed);
}
