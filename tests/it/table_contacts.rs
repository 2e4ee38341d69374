//! Contacts in a table of a database.

use std::path::PathBuf;

use dsync::disk::{Disk, FaultPlan};
use dsync::sync::{AddSource, SyncOptions};
use rusqlite::Connection;

use crate::world::{SYNC, System, World, card};

/// The mapping of the documentation.
pub(crate) fn mapping() -> String {
    let text = include_str!("../../docs/mapping.md");
    let start = text.find("# people.toml").unwrap();
    let end = start + text[start..].find("```").unwrap();
    text[start..end].to_owned()
}

const PEOPLE: &str = "CREATE TABLE people (
        id INTEGER PRIMARY KEY, given TEXT, surname TEXT NOT NULL, mail TEXT UNIQUE, mobile TEXT, born TEXT,
        score INTEGER DEFAULT 7);
    INSERT INTO people (given, surname, mail, mobile, born, score) VALUES
        ('Ada', 'Lovelace', 'ada@example.org', '+44 20 7946 0999', '1815-12-10', 1),
        ('Grace', 'Hopper', 'grace@example.org', NULL, '1906-12-09', 2);
    CREATE TABLE written (what TEXT);
    CREATE TRIGGER i AFTER INSERT ON people BEGIN INSERT INTO written VALUES ('insert'); END;
    CREATE TRIGGER u AFTER UPDATE ON people BEGIN INSERT INTO written VALUES ('update'); END;
    CREATE TRIGGER d AFTER DELETE ON people BEGIN INSERT INTO written VALUES ('delete'); END;";

fn rows(system: &System<'_>, sql: &str) -> Vec<String> {
    let connection = Connection::open(system.path("crm.db")).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cells = (0..columns).map(|at| match row.get_ref(at).unwrap() {
            rusqlite::types::ValueRef::Null => "-".to_owned(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        });
        Ok(cells.collect::<Vec<_>>().join("|"))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn execute(system: &System<'_>, sql: &str) {
    Connection::open(system.path("crm.db"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

/// What was written into the table since the last call.
fn written(system: &System<'_>) -> Vec<String> {
    let found = rows(system, "SELECT what FROM written ORDER BY what");
    execute(system, "DELETE FROM written");
    found
}

/// A phone with a book of cards, and the CRM.
fn both(world: &World) -> (System<'_>, System<'_>) {
    let crm = world.system("crm");
    crm.write("people.toml", mapping());
    execute(&crm, PEOPLE);
    execute(&crm, "DELETE FROM written");
    let options = AddSource {
        location: "crm.db#people".to_owned(),
        collection: Some("contacts".to_owned()),
        map: Some(PathBuf::from("people.toml")),
        ..AddSource::default()
    };
    crm.add(options);
    crm.add_remote("remote");
    crm.sync();
    let phone = world.system("phone");
    phone.add_source("book.vcf", "vcard");
    phone.add_remote("remote");
    phone.sync();
    (phone, crm)
}

#[test]
fn a_row_is_a_contact() {
    let world = World::new();
    let (phone, crm) = both(&world);
    let book = phone.read("book.vcf");
    for text in ["Ada", "TEL;TYPE=CELL", "+44 20 7946 0999", "BDAY", "Grace"] {
        assert!(book.contains(text), "{text}: {book}");
    }
    // The phone adds what the table has no place for, changes a number, and adds somebody.
    phone.edit("book.vcf", "+44 20 7946 0999", "+44 20 7946 0111");
    let at = phone.read("book.vcf").find("END:VCARD").unwrap();
    let book = phone.read("book.vcf");
    let more = card("new-1", "Alan Turing", &["EMAIL:alan@example.org"]);
    phone.write(
        "book.vcf",
        format!("{}NOTE:first programmer\r\n{}{more}", &book[..at], &book[at..]),
    );
    phone.sync();
    crm.sync();
    assert_eq!(written(&crm), ["insert", "update"]);
    let all = "SELECT id, given, surname, mail, mobile, born, score FROM people ORDER BY id";
    assert_eq!(
        rows(&crm, all),
        [
            "1|Ada|Lovelace|ada@example.org|+44 20 7946 0111|1815-12-10|1",
            "2|Grace|Hopper|grace@example.org|-|1906-12-09|2",
            "3|Alan|Turing|alan@example.org|-|-|7",
        ]
    );
    // An edit in the table takes nothing from the card that the table does not show.
    execute(
        &crm,
        "UPDATE people SET mail = 'countess@example.org', score = 9 WHERE id = 1; INSERT INTO people (given, surname) VALUES ('Mary', 'Shelley')",
    );
    execute(&crm, "DELETE FROM written");
    crm.sync();
    phone.sync();
    let book = phone.read("book.vcf");
    for text in [
        "countess@example.org",
        "NOTE:first programmer",
        "+44 20 7946 0111",
        "Shelley",
    ] {
        assert!(book.contains(text), "{text}: {book}");
    }
    assert!(!book.contains("ada@example.org"));
    // Removals, both ways.
    execute(
        &crm,
        "DELETE FROM people WHERE surname = 'Shelley'; DELETE FROM written",
    );
    crm.sync();
    phone.sync();
    assert!(!phone.read("book.vcf").contains("Shelley"));
    let book = phone.read("book.vcf");
    let cards: Vec<&str> = book
        .split_inclusive("END:VCARD\r\n")
        .filter(|card| !card.contains("Hopper"))
        .collect();
    phone.write("book.vcf", cards.concat());
    phone.sync();
    crm.sync();
    assert_eq!(written(&crm), ["delete"]);
    assert_eq!(rows(&crm, "SELECT given FROM people ORDER BY id"), ["Ada", "Alan"]);
    crm.quiet();
    phone.quiet();
    assert_eq!(written(&crm), [""; 0]);
}

#[test]
fn a_row_that_the_database_refuses_takes_nothing_back() {
    let world = World::new();
    let (phone, crm) = both(&world);
    phone.edit("book.vcf", "grace@example.org", "ada@example.net");
    phone.sync();
    execute(
        &crm,
        "CREATE TABLE taken (mail TEXT); CREATE TRIGGER t BEFORE UPDATE ON people WHEN NEW.mail LIKE '%.net' BEGIN SELECT RAISE(ABORT, 'no such domain'); END;",
    );
    for _ in 0..3 {
        let report = crm.sync();
        let set_aside: Vec<&str> = report
            .sources
            .iter()
            .flat_map(|source| &source.set_aside)
            .map(|one| one.reason.as_str())
            .collect();
        assert!(
            set_aside.iter().any(|reason| reason.contains("no such domain")),
            "{report:?}"
        );
        phone.sync();
        assert!(phone.read("book.vcf").contains("ada@example.net"));
    }
    assert_eq!(
        rows(&crm, "SELECT mail FROM people WHERE id = 2"),
        ["grace@example.org"]
    );
    execute(&crm, "DROP TRIGGER t");
    crm.sync();
    assert_eq!(rows(&crm, "SELECT mail FROM people WHERE id = 2"), ["ada@example.net"]);
    crm.quiet();
}

#[test]
fn a_table_that_is_made_has_the_columns_of_the_mapping() {
    let world = World::new();
    let (_phone, crm) = both(&world);
    crm.add(AddSource {
        location: "other.db#people".to_owned(),
        name: Some("other".to_owned()),
        collection: Some("contacts".to_owned()),
        map: Some(PathBuf::from("people.toml")),
        create: true,
        ..AddSource::default()
    });
    crm.sync();
    let connection = Connection::open(crm.path("other.db")).unwrap();
    let mut statement = connection
        .prepare("SELECT given, mobile FROM people ORDER BY given")
        .unwrap();
    let names = statement
        .query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?))
        })
        .unwrap();
    let names: Vec<_> = names.map(Result::unwrap).collect();
    let wanted = [
        ("Ada".to_owned(), Some("+44 20 7946 0999".to_owned())),
        ("Grace".to_owned(), None),
    ];
    assert_eq!(names, wanted);
    connection
        .execute_batch("UPDATE people SET mobile = '+1 555 0100' WHERE given = 'Grace'")
        .unwrap();
    crm.sync();
    assert_eq!(rows(&crm, "SELECT mobile FROM people WHERE id = 2"), ["+1 555 0100"]);
}

#[test]
fn a_stop_at_any_write_leaves_people_whole() {
    let world = World::new();
    let (phone, crm) = both(&world);
    crm.sync();
    phone.sync();
    // Both sides changed, so that a sync reads the table and writes it.
    phone.edit("book.vcf", "+44 20 7946 0999", "+44 20 7946 0111");
    let more = card("new-1", "Alan Turing", &["EMAIL:alan@example.org"]);
    phone.write("book.vcf", format!("{}{more}", phone.read("book.vcf")));
    phone.sync();
    execute(
        &crm,
        "UPDATE people SET mail = 'countess@example.org' WHERE id = 1; DELETE FROM people WHERE id = 2;
         INSERT INTO people (given, surname) VALUES ('Mary', 'Shelley')",
    );
    let all = "SELECT given, surname, mail, mobile, score FROM people ORDER BY surname";
    let before_rows = rows(&crm, all);
    let before = world.save();
    let count = FaultPlan::count();
    crm.run(&Disk::with_faults(count.clone()), SYNC, &SyncOptions::default())
        .unwrap();
    crm.sync();
    phone.sync();
    let wanted = rows(&crm, all);
    assert_eq!(
        wanted,
        [
            "Ada|Lovelace|countess@example.org|+44 20 7946 0111|1",
            "Mary|Shelley|-|-|7",
            "Alan|Turing|alan@example.org|-|7",
        ]
    );
    let people = |book: &str| book.matches("BEGIN:VCARD").count();
    assert_eq!(people(&phone.read("book.vcf")), 3);
    assert!(count.writes() > 10);
    for stop in 0..u32::try_from(count.writes()).unwrap() {
        world.restore(&before);
        let stopped = crm.run(
            &Disk::with_faults(FaultPlan::stop_before(stop)),
            SYNC,
            &SyncOptions::default(),
        );
        let now = rows(&crm, all);
        assert!(now == before_rows || now == wanted, "stop {stop}: {now:?}");
        let report = crm.sync();
        assert_eq!(report.conflicts.open, 0, "stop {stop}, {stopped:?}");
        crm.sync();
        phone.sync();
        assert_eq!(rows(&crm, all), wanted, "stop {stop}, {stopped:?}");
        assert_eq!(people(&phone.read("book.vcf")), 3, "stop {stop}, {stopped:?}");
        crm.quiet();
        phone.quiet();
    }
}
