//! Rules of a database that records break: conflicts there, and nowhere else.

use dsync::sync::{AddSource, ConflictReport, Resolution};
use rusqlite::Connection;
use serde_json::{Value as Json, json};

use super::world::{System, World};

const PEOPLE: &str = "id,name,mail,team\n1,Ann,ann@x,\n2,Bob,bob@x,\n3,Cem,cem@x,\n";

fn source(collection: &str, key: &str) -> AddSource {
    AddSource {
        collection: Some(collection.to_owned()),
        key: key
            .split(',')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        ..AddSource::default()
    }
}

/// An office with a CSV file, and a shop whose database has these tables.
fn both<'w>(world: &'w World, sql: &str) -> (System<'w>, System<'w>) {
    let office = world.system("office");
    office.write("people.csv", PEOPLE);
    office.add_with("people.csv", "csv", source("people", "id"));
    office.add_remote("remote");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    execute(&shop, sql);
    shop.add_with("shop.db#people", "", source("people", ""));
    let report = shop.sync();
    assert_eq!(report.conflicts.open, 0, "{report:?}");
    (office, shop)
}

fn execute(system: &System<'_>, sql: &str) {
    let connection = Connection::open(system.path("shop.db")).unwrap();
    connection
        .execute_batch(&format!("PRAGMA foreign_keys = ON; {sql}"))
        .unwrap();
}

fn rows(system: &System<'_>) -> Vec<String> {
    let connection = Connection::open(system.path("shop.db")).unwrap();
    let sql = "SELECT id || ' ' || name || ' ' || coalesce(mail, '-') FROM people ORDER BY id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The conflicts of a system, each by its record, rule and sides.
fn told(system: &System<'_>) -> Vec<String> {
    let side = |side: &dsync::sync::AlternativeReport| match &side.value {
        Json::Object(row) => format!("{}:{} by {}", row["id"], row["mail"], side.system),
        other => format!("{other} by {}", side.system),
    };
    let line = |conflict: ConflictReport| {
        let sides: Vec<String> = conflict.alternatives.iter().map(side).collect();
        format!(
            "{} {} {} {}: {}",
            conflict.kind,
            conflict.key,
            conflict.path,
            conflict.constraint.unwrap_or_default(),
            sides.join(" | ")
        )
    };
    system.conflicts().into_iter().map(line).collect()
}

const UNIQUE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, mail TEXT UNIQUE, team TEXT);";

#[test]
fn two_rows_that_may_not_be_equal_are_a_conflict_and_both_stay() {
    let world = World::new();
    let (office, shop) = both(&world, UNIQUE);
    office.edit("people.csv", "bob@x", "ann@x");
    office.sync();
    let report = shop.sync();
    assert_eq!((report.conflicts.new, report.conflicts.open), (1, 1), "{report:?}");
    assert_eq!(report.sources[0].set_aside.len(), 1);
    // The database keeps its last valid state, the collection has both rows.
    assert_eq!(rows(&shop), ["1 Ann ann@x", "2 Bob bob@x", "3 Cem cem@x"]);
    let conflict = &shop.conflicts()[0];
    assert_eq!(
        told(&shop),
        ["constraint 2 /mail UNIQUE people.mail: 2:\"ann@x\" by office | 1:\"ann@x\" by office"]
    );
    assert_eq!(
        conflict.base,
        Some(json!({"id": 2, "name": "Bob", "mail": "bob@x", "team": null}))
    );
    assert_ne!(conflict.alternatives[0].snapshot, conflict.alternatives[1].snapshot);
    assert_eq!(conflict.source.as_deref(), Some("people"));
    // It is known to this system alone, and neither new nor gone at the next sync.
    assert_eq!(office.sync().conflicts.open, 0);
    assert_eq!(office.state(), shop.state());
    let report = shop.sync();
    assert_eq!((report.conflicts.new, report.conflicts.open), (0, 1));
    assert_eq!(shop.repository().status().unwrap().collections[0].conflicts, 1);
    // Any edit that removes the cause resolves it: here one of the other row, there where the rule is.
    execute(&shop, "UPDATE people SET mail = 'ann@y' WHERE id = 1");
    let report = shop.sync();
    assert_eq!(report.conflicts.open, 0, "{report:?}");
    assert_eq!(rows(&shop), ["1 Ann ann@y", "2 Bob ann@x", "3 Cem cem@x"]);
    office.sync();
    assert_eq!(
        office.read("people.csv"),
        "id,name,mail,team\n1,Ann,ann@y,\n2,Bob,ann@x,\n3,Cem,cem@x,\n"
    );
    shop.quiet();
}

#[test]
fn a_broken_rule_can_be_decided() {
    for (decision, wanted) in [
        (Resolution::Take(1), ["1 Ann -", "2 Bob ann@x", "3 Cem cem@x"]),
        (Resolution::Take(2), ["1 Ann ann@x", "2 Bob -", "3 Cem cem@x"]),
        (Resolution::TakeBase, ["1 Ann ann@x", "2 Bob bob@x", "3 Cem cem@x"]),
        (
            Resolution::Value(json!("new@x")),
            ["1 Ann ann@x", "2 Bob new@x", "3 Cem cem@x"],
        ),
    ] {
        let world = World::new();
        let (office, shop) = both(&world, UNIQUE);
        office.edit("people.csv", "bob@x", "ann@x");
        office.sync();
        assert_eq!(shop.sync().conflicts.open, 1);
        let collection = "people";
        let mut repository = shop.repository();
        let report = repository
            .resolve(collection, "2", Some("/mail"), &decision, false)
            .unwrap();
        drop(repository);
        assert_eq!(report.conflicts.open, 0, "{decision:?} {report:?}");
        assert_eq!(rows(&shop), wanted, "{decision:?}");
        shop.sync();
        office.sync();
        assert_eq!(office.state(), shop.state());
        shop.quiet();
    }
}

#[test]
fn rows_exchange_unique_values() {
    for sql in [
        UNIQUE,
        // Values that cannot be given up for a moment, and triggers that look at each step.
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, mail TEXT NOT NULL UNIQUE, team TEXT);
         CREATE TABLE log (what TEXT);
         CREATE TRIGGER changed AFTER UPDATE ON people BEGIN INSERT INTO log VALUES (new.id); END",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, mail TEXT, team TEXT, UNIQUE (mail, name) ON CONFLICT REPLACE,
           UNIQUE (mail) ON CONFLICT REPLACE)",
    ] {
        let world = World::new();
        let (office, shop) = both(&world, sql);
        // A ring of three, and one that wants what another one keeps.
        office.write("people.csv", "id,name,mail,team\n1,Ann,bob@x,\n2,Bob,cem@x,\n3,Cem,ann@x,\n4,Dan,bob@x,\n");
        office.sync();
        let report = shop.sync();
        assert_eq!(rows(&shop), ["1 Ann bob@x", "2 Bob cem@x", "3 Cem ann@x"], "{sql}: {report:?}");
        assert_eq!(report.conflicts.open, 1, "{sql}");
        assert!(told(&shop)[0].starts_with("constraint 4 /mail "), "{:?}", told(&shop));
        office.edit("people.csv", "4,Dan,bob@x", "4,Dan,dan@x");
        // Each takes its neighbour's.
        office.edit("people.csv", "1,Ann,bob@x", "1,Ann,ann@x");
        office.edit("people.csv", "3,Cem,ann@x", "3,Cem,bob@x");
        office.sync();
        assert_eq!(shop.sync().conflicts.open, 0);
        assert_eq!(rows(&shop), ["1 Ann ann@x", "2 Bob cem@x", "3 Cem bob@x", "4 Dan dan@x"], "{sql}");
        shop.quiet();
    }
}

#[test]
fn rows_exchange_values_that_other_tables_refer_to() {
    let world = World::new();
    let sql = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, mail TEXT NOT NULL UNIQUE, team TEXT);
        CREATE TABLE letters (mail TEXT REFERENCES people (mail));
        INSERT INTO people (id, name, mail) VALUES (1, 'Ann', 'ann@x'), (2, 'Bob', 'bob@x'), (3, 'Cem', 'cem@x');
        INSERT INTO letters VALUES ('ann@x'), ('bob@x');";
    let (office, shop) = both(&world, sql);
    office.write(
        "people.csv",
        "id,name,mail,team\n1,Ann,bob@x,\n2,Bob,ann@x,\n3,Cem,cem@x,\n",
    );
    office.sync();
    let report = shop.sync();
    assert_eq!(report.conflicts.open, 0, "{report:?}");
    assert_eq!(rows(&shop), ["1 Ann bob@x", "2 Bob ann@x", "3 Cem cem@x"]);
    shop.quiet();
    // A ring in which somebody takes a value that nobody else gets while a letter refers to it is none.
    office.write(
        "people.csv",
        "id,name,mail,team\n1,Ann,ann@x,\n2,Bob,cem@x,\n3,Cem,new@x,\n",
    );
    office.sync();
    let report = shop.sync();
    assert!(report.conflicts.open > 0, "{report:?}");
    let letters = "SELECT count(*) FROM letters WHERE mail NOT IN (SELECT mail FROM people)";
    let connection = Connection::open(shop.path("shop.db")).unwrap();
    let lost: i64 = connection.query_row(letters, [], |row| row.get(0)).unwrap();
    assert_eq!(lost, 0);
    // Once nobody refers to it, it goes through.
    execute(&shop, "DELETE FROM letters");
    assert_eq!(shop.sync().conflicts.open, 0);
    assert_eq!(rows(&shop), ["1 Ann ann@x", "2 Bob cem@x", "3 Cem new@x"]);
}

#[test]
fn many_rows_move_up_by_one() {
    let world = World::new();
    let (office, shop) = both(&world, UNIQUE);
    let csv = |shift: usize| -> String {
        let rows = (0..60).map(|n| format!("{n},n{n},m{}@x,\n", n + shift));
        std::iter::once("id,name,mail,team\n".to_owned()).chain(rows).collect()
    };
    office.write("people.csv", csv(0));
    office.sync_forced();
    assert_eq!(shop.sync_forced().conflicts.open, 0);
    office.write("people.csv", csv(1));
    office.sync_forced();
    assert_eq!(shop.sync_forced().conflicts.open, 0);
    assert_eq!(rows(&shop)[59], "59 n59 m60@x");
    shop.quiet();
}

#[test]
fn a_row_waits_for_its_parent() {
    let teams = "CREATE TABLE teams (name TEXT PRIMARY KEY); INSERT INTO teams VALUES ('red');";
    for deferred in ["", "DEFERRABLE INITIALLY DEFERRED"] {
        let world = World::new();
        let (office, shop) = both(
            &world,
            &format!(
                "{teams} CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, mail TEXT, team TEXT REFERENCES teams {deferred})"
            ),
        );
        office.edit("people.csv", "ann@x,", "ann@y,red");
        office.edit("people.csv", "bob@x,", "bob@y,blue");
        office.sync();
        let report = shop.sync();
        assert_eq!(report.conflicts.open, 1, "{report:?}");
        assert_eq!(rows(&shop), ["1 Ann ann@y", "2 Bob bob@x", "3 Cem cem@x"]);
        assert_eq!(
            told(&shop),
            ["constraint 2 /team FOREIGN KEY (team) REFERENCES teams: 2:\"bob@y\" by office"]
        );
        execute(&shop, "INSERT INTO teams VALUES ('blue')");
        assert_eq!(shop.sync().conflicts.open, 0);
        assert_eq!(rows(&shop), ["1 Ann ann@y", "2 Bob bob@y", "3 Cem cem@x"]);
        shop.quiet();
    }
}

#[test]
fn a_row_that_others_need_is_kept() {
    for deferred in ["", "DEFERRABLE INITIALLY DEFERRED"] {
        let world = World::new();
        let (office, shop) = both(
            &world,
            &format!(
                "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, mail TEXT, team TEXT);
                 CREATE TABLE orders (of INTEGER REFERENCES people {deferred})"
            ),
        );
        execute(&shop, "INSERT INTO orders VALUES (3)");
        office.write("people.csv", "id,name,mail,team\n1,Ann,ann@y,\n");
        office.sync_forced();
        let report = shop.sync_forced();
        assert_eq!(report.conflicts.open, 1, "{report:?}");
        assert_eq!(rows(&shop), ["1 Ann ann@y", "3 Cem cem@x"]);
        assert_eq!(
            told(&shop),
            ["constraint 3 /id FOREIGN KEY (of) of orders: null by office"]
        );
        // It can come back, or what needs it can go.
        if deferred.is_empty() {
            let mut repository = shop.repository();
            let report = repository
                .resolve("people", "3", None, &Resolution::TakeBase, false)
                .unwrap();
            drop(repository);
            assert_eq!(report.conflicts.open, 0);
            shop.sync();
            office.sync();
            assert!(office.read("people.csv").contains("3,Cem,cem@x"));
        } else {
            execute(&shop, "DELETE FROM orders");
            assert_eq!(shop.sync().conflicts.open, 0);
            assert_eq!(rows(&shop), ["1 Ann ann@y"]);
        }
        shop.quiet();
    }
}

#[test]
fn other_rules_are_conflicts_too() {
    let world = World::new();
    let (office, shop) = both(
        &world,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, mail TEXT CONSTRAINT has_at CHECK (mail LIKE '%@%'), team TEXT);
         CREATE TRIGGER no_reds BEFORE UPDATE OF team ON people WHEN new.team = 'red' BEGIN SELECT RAISE(ABORT, 'no reds'); END;",
    );
    office.write(
        "people.csv",
        "id,name,mail,team\n1,,ann@x,\n2,Bob,bob,\n3,Cem,cem@x,red\n",
    );
    office.sync();
    assert_eq!(shop.sync().conflicts.open, 3);
    assert_eq!(rows(&shop), ["1 Ann ann@x", "2 Bob bob@x", "3 Cem cem@x"]);
    let conflicts = shop.conflicts();
    let rules: Vec<(&str, &str)> = conflicts
        .iter()
        .map(|conflict| (conflict.constraint.as_deref().unwrap(), conflict.path.as_str()))
        .collect();
    assert_eq!(rules, [("NOT NULL name", "/name"), ("has_at", ""), ("a trigger", "")]);
    assert_eq!(conflicts[2].reason.as_deref(), Some("no reds"));
    office.write(
        "people.csv",
        "id,name,mail,team\n1,Anna,ann@x,\n2,Bob,bob@y,\n3,Cem,cem@x,blue\n",
    );
    office.sync();
    assert_eq!(shop.sync().conflicts.open, 0);
    assert_eq!(rows(&shop), ["1 Anna ann@x", "2 Bob bob@y", "3 Cem cem@x"]);
    shop.quiet();
}

#[test]
fn a_new_row_of_a_table_without_keys_clashes_with_a_row_by_content() {
    let world = World::new();
    let office = world.system("office");
    office.write("people.csv", PEOPLE);
    office.add_with("people.csv", "csv", source("people", ""));
    office.add_remote("remote");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    execute(
        &shop,
        "CREATE TABLE people (id INTEGER, name TEXT, mail TEXT UNIQUE, team TEXT)",
    );
    shop.add_with("shop.db#people", "", source("people", ""));
    shop.sync();
    office.write("people.csv", format!("{PEOPLE}9,Zoe,ann@x,\n"));
    office.sync();
    assert_eq!(shop.sync().conflicts.open, 1);
    let conflict = &shop.conflicts()[0];
    assert_eq!(conflict.alternatives.len(), 2);
    assert_eq!(conflict.alternatives[1].value["name"], "Ann");
    assert_eq!(conflict.alternatives[1].system, "office");
    office.edit("people.csv", "9,Zoe,ann@x", "9,Zoe,zoe@x");
    office.sync();
    assert_eq!(shop.sync().conflicts.open, 0);
    assert_eq!(rows(&shop).len(), 4);
    shop.quiet();
}

#[test]
fn a_rule_about_chosen_columns_is_told_in_them() {
    let world = World::new();
    let office = world.system("office");
    office.write("people.csv", PEOPLE);
    office.add_with("people.csv", "csv", source("people", "id"));
    office.add_remote("remote");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    execute(
        &shop,
        "CREATE TABLE people (own INTEGER, note TEXT, id INTEGER PRIMARY KEY, name TEXT, mail TEXT UNIQUE)",
    );
    let chosen = AddSource {
        fields: ["id", "name", "mail"].map(str::to_owned).to_vec(),
        ..source("people", "id")
    };
    shop.add_with("shop.db#people", "", chosen);
    shop.sync();
    office.edit("people.csv", "bob@x", "ann@x");
    office.sync();
    assert_eq!(shop.sync().conflicts.open, 1);
    assert_eq!(
        told(&shop),
        ["constraint 2 /mail UNIQUE people.mail: 2:\"ann@x\" by office | 1:\"ann@x\" by office"]
    );
}
