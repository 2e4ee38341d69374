//! Tables on several systems: CSV here, `SQLite` there, through a folder remote.

use dsync::sync::{AddSource, SyncError, SyncOptions};
use rusqlite::Connection;

use crate::world::{System, World};

const PRICES: &str = "sku,name,price,stock\nA1,Apple,1.50,10\nB2,\"Bread, dark\",3.20,5\nC3,Cheese,7,\n";

fn keyed(collection: &str, key: &str) -> AddSource {
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

/// A system with a CSV table of this content, joined to the world's remote.
fn with_csv<'w>(world: &'w World, name: &str, content: &str, key: &str) -> System<'w> {
    let system = world.system(name);
    system.write("prices.csv", content);
    system.add_with("prices.csv", "csv", keyed("prices", key));
    system.add_remote("remote");
    system
}

/// A system with an empty database that is to hold the table.
fn with_database<'w>(world: &'w World, name: &str) -> System<'w> {
    let system = world.system(name);
    system.add_remote("remote");
    system.add_with("shop.db#prices", "sqlite", keyed("prices", ""));
    system
}

fn rows(system: &System<'_>, sql: &str) -> Vec<String> {
    let connection = Connection::open(system.path("shop.db")).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cells = (0..columns).map(|at| match row.get_ref(at).unwrap() {
            rusqlite::types::ValueRef::Null => "NULL".to_owned(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            rusqlite::types::ValueRef::Real(number) => format!("{number:?}"),
            rusqlite::types::ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
            rusqlite::types::ValueRef::Blob(bytes) => format!("{bytes:?}"),
        });
        Ok(cells.collect::<Vec<_>>().join(" "))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn execute(system: &System<'_>, sql: &str) {
    Connection::open(system.path("shop.db"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

#[test]
fn a_csv_and_a_database_change_one_row_each_and_agree() {
    let world = World::new();
    let office = with_csv(&world, "office", PRICES, "sku");
    office.sync();
    let shop = with_database(&world, "shop");
    shop.sync();
    assert_eq!(
        rows(&shop, "SELECT * FROM prices ORDER BY sku"),
        [
            "'A1' 'Apple' '1.50' 10",
            "'B2' 'Bread, dark' '3.20' 5",
            "'C3' 'Cheese' '7' NULL"
        ]
    );
    office.edit("prices.csv", "1.50", "1.75");
    execute(&shop, "UPDATE prices SET stock = 9 WHERE sku = 'A1'");
    office.sync();
    shop.sync();
    office.sync();
    assert_eq!(
        rows(&shop, "SELECT * FROM prices WHERE sku = 'A1'"),
        ["'A1' 'Apple' '1.75' 9"]
    );
    assert_eq!(office.read("prices.csv"), PRICES.replace("1.50,10", "1.75,9"));
    // Nothing is left to do.
    for system in [&office, &shop] {
        let report = system.sync();
        assert!(
            report
                .sources
                .iter()
                .all(|source| source.read.is_zero() && source.written.is_zero()),
            "{report:?}"
        );
    }
}

#[test]
fn a_large_first_table_arrives_whole() {
    use std::fmt::Write as _;
    let world = World::new();
    let mut content = "sku,name,price,stock\n".to_owned();
    for n in 0..30_000 {
        writeln!(content, "K{n:05},product number {n} of many,{n}.25,{}", n % 7).unwrap();
    }
    let office = with_csv(&world, "office", &content, "sku");
    office.sync();
    let shop = with_database(&world, "shop");
    shop.sync();
    assert_eq!(
        rows(&shop, "SELECT count(*), sum(stock) FROM prices"),
        [format!("30000 {}", (0..30_000).map(|n| n % 7).sum::<i32>())]
    );
    assert_eq!(office.state(), shop.state());
    execute(&shop, "UPDATE prices SET stock = 99 WHERE sku = 'K12345'");
    shop.sync();
    office.sync();
    let wanted = content.replace(",12345.25,4\n", ",12345.25,99\n");
    assert!(office.read("prices.csv") == wanted);
}

#[test]
fn a_clash_is_one_field_and_keeps_both_values() {
    let world = World::new();
    let one = with_csv(&world, "one", PRICES, "sku");
    one.sync();
    let two = with_csv(&world, "two", PRICES, "sku");
    two.sync();
    one.edit("prices.csv", "1.50,10", "1.60,10");
    two.edit("prices.csv", "1.50,10", "1.70,11");
    one.sync();
    two.sync();
    one.sync();
    assert_eq!(one.clashes(), ["A1 /price: \"1.60\" | \"1.70\""]);
    assert_eq!(one.read("prices.csv"), two.read("prices.csv"));
    assert_eq!(one.state(), two.state());
    assert!(one.read("prices.csv").contains(",11\n"));
}

#[test]
fn rows_come_and_go_on_both_sides() {
    let world = World::new();
    let one = with_csv(&world, "one", PRICES, "sku");
    one.sync();
    let two = with_csv(&world, "two", PRICES, "sku");
    two.sync();
    one.write("prices.csv", PRICES.replace("A1,Apple,1.50,10\n", "") + "D4,Date,2,1\n");
    two.write(
        "prices.csv",
        PRICES.replace("C3,Cheese,7,\n", "Z9,Zucchini,0.99,3\nC3,Cheese,7,\n"),
    );
    for system in [&one, &two, &one] {
        system.sync();
    }
    let sorted = |system: &System<'_>| {
        let text = system.read("prices.csv");
        let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        sorted(&one),
        [
            "B2,\"Bread, dark\",3.20,5",
            "C3,Cheese,7,",
            "D4,Date,2,1",
            "Z9,Zucchini,0.99,3"
        ]
    );
    assert_eq!(sorted(&one), sorted(&two));
    one.quiet();
    two.quiet();
}

#[test]
fn another_order_of_rows_or_columns_is_no_edit() {
    let world = World::new();
    let one = with_csv(&world, "one", PRICES, "sku");
    one.sync();
    one.write(
        "prices.csv",
        "sku,name,price,stock\nC3,Cheese,7,\nA1,Apple,1.50,10\nB2,\"Bread, dark\",3.20,5\n",
    );
    one.quiet();
    let swapped = "stock,sku,price,name\n,C3,7,Cheese\n10,A1,1.50,Apple\n5,B2,3.20,\"Bread, dark\"\n";
    one.write("prices.csv", swapped);
    one.quiet();
    assert_eq!(one.read("prices.csv"), swapped);
}

#[test]
fn a_duplicate_key_sets_its_rows_aside_and_deletes_nothing() {
    let world = World::new();
    let one = with_csv(&world, "one", PRICES, "sku");
    one.sync();
    let two = with_csv(&world, "two", PRICES, "sku");
    two.sync();
    one.write("prices.csv", format!("{PRICES}A1,Apricot,9,9\nD4,Date,2,1\n"));
    let report = one.sync();
    let told: Vec<(&str, &str)> = report.sources[0]
        .set_aside
        .iter()
        .map(|one| (one.item.rsplit('/').next().unwrap(), one.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "prices.csv:2",
                "key `A1` is also in line 5; none of these rows is taken in"
            ),
            (
                "prices.csv:5",
                "key `A1` is also in line 2; none of these rows is taken in"
            ),
        ]
    );
    two.sync();
    assert!(
        two.read("prices.csv").contains("A1,Apple,1.50,10\n"),
        "{}",
        two.read("prices.csv")
    );
    assert!(two.read("prices.csv").contains("D4,Date,2,1\n"));
    // It is told again until it is repaired; what the remaining row then says is an edit.
    assert_eq!(one.sync().sources[0].set_aside.len(), 2);
    one.write(
        "prices.csv",
        PRICES.replace("A1,Apple,1.50,10", "A1,Apricot,1.50,10") + "D4,Date,2,1\n",
    );
    assert_eq!(one.sync().sources[0].set_aside, []);
    two.sync();
    assert!(two.read("prices.csv").contains("A1,Apricot,1.50,10\n"));
    // Rows that were set aside and then went are deletions.
    one.write("prices.csv", PRICES.to_owned() + "A1,x,1,1\nD4,Date,2,1\n");
    one.sync();
    one.write("prices.csv", PRICES.replace("A1,Apple,1.50,10\n", "") + "D4,Date,2,1\n");
    one.sync();
    two.sync();
    assert!(!two.read("prices.csv").contains("A1"));
    one.quiet();
}

#[test]
fn added_and_renamed_columns_travel_and_missing_ones_are_not_shown() {
    let world = World::new();
    let office = with_csv(&world, "office", PRICES, "sku");
    office.sync();
    let shop = with_database(&world, "shop");
    shop.sync();
    // The supplier renames a column, and another one comes.
    let renamed = PRICES
        .replace("price,stock", "cost,stock,origin")
        .replace("1.50,10", "1.50,10,DE")
        .replace("3.20,5", "3.20,5,");
    office.write("prices.csv", &renamed);
    let report = office.sync();
    assert_eq!(report.sources[0].read.changed, 1, "{report:?}");
    shop.sync();
    assert_eq!(
        rows(&shop, "SELECT sku, cost, origin FROM prices ORDER BY sku"),
        ["'A1' '1.50' 'DE'", "'B2' '3.20' NULL", "'C3' '7' NULL"]
    );
    // Then leaves one out: it stays elsewhere.
    let fewer = "sku,name,cost,origin\nA1,Apple,1.55,DE\nB2,\"Bread, dark\",3.20,\nC3,Cheese,7,\n";
    office.write("prices.csv", fewer);
    office.sync();
    shop.sync();
    assert_eq!(
        rows(&shop, "SELECT cost, stock FROM prices WHERE sku = 'A1'"),
        ["'1.55' 10"]
    );
    office.quiet();
    assert_eq!(office.read("prices.csv"), fewer);
}

#[test]
fn a_renamed_and_moved_column_is_known_by_its_values() {
    let world = World::new();
    let mut text = "id,first,second\n".to_owned();
    let mut moved = "id,moved,another\n".to_owned();
    for number in 0..40 {
        text += &format!("{number},a{number},b{number}\n");
        moved += &format!("{number},b{number},new{number}\n");
    }
    let one = with_csv(&world, "one", &text, "id");
    one.sync();
    // At its place the first new name would be the first column; its values say that it is the second.
    one.write("prices.csv", moved);
    one.sync();
    let cat = |system: &System<'_>, key: &str| {
        let mut found = Vec::new();
        let each = &mut |record: dsync::sync::RecordReport| {
            found.push(record.record.to_string());
            Ok(())
        };
        system.repository().cat("prices", &[key.to_owned()], each).unwrap();
        found.pop().unwrap()
    };
    assert_eq!(cat(&one, "7"), r#"{"another":"new7","first":"a7","id":7,"moved":"b7"}"#);
}

#[test]
fn rows_without_a_key_are_edited_rather_than_replaced() {
    let world = World::new();
    let text = "day,what,hours\nMon,write,3\nMon,write,3\nTue,test,5\nWed,ship,2\n";
    let one = with_csv(&world, "one", text, "");
    let two = with_csv(&world, "two", text, "");
    one.sync();
    two.sync();
    one.sync();
    assert_eq!(one.state(), two.state());
    // One field of a row; a row that is quite another between two that stay; a new row.
    one.write("prices.csv", text.replace("test,5", "test,6"));
    let report = one.sync();
    assert_eq!(
        (report.sources[0].read.changed, report.sources[0].read.added),
        (1, 0),
        "{report:?}"
    );
    two.sync();
    assert_eq!(two.read("prices.csv"), text.replace("test,5", "test,6"));
    two.write("prices.csv", text.replace("Tue,test,5", "Sun,rest,0") + "Thu,plan,1\n");
    let report = two.sync();
    assert_eq!(
        (report.sources[0].read.changed, report.sources[0].read.added),
        (1, 1),
        "{report:?}"
    );
    one.sync();
    assert_eq!(one.read("prices.csv"), two.read("prices.csv"));
    // One of two equal rows goes.
    one.write("prices.csv", one.read("prices.csv").replacen("Mon,write,3\n", "", 1));
    assert_eq!(one.sync().sources[0].read.removed, 1);
    two.sync();
    assert_eq!(two.read("prices.csv").matches("Mon,write,3\n").count(), 1);
    // Without the fingerprints the rows are known by what they hold.
    std::fs::remove_file(two.path(".dsync/cache/prices.rows")).unwrap();
    two.quiet();
    one.quiet();
}

#[test]
fn the_dialect_of_a_file_stays() {
    let world = World::new();
    let text = "\u{feff}\"sku\";\"name\";\"note\"\r\n\"1\";\"Müller; Söhne\";\"\"\r\n\"2\";\"x\";\"two\r\nlines\"\r\n";
    let one = with_csv(&world, "one", text, "sku");
    one.sync();
    let shop = with_database(&world, "shop");
    shop.sync();
    assert_eq!(
        rows(&shop, "SELECT * FROM prices ORDER BY sku"),
        ["1 'Müller; Söhne' ''", "2 'x' 'two\r\nlines'"]
    );
    execute(
        &shop,
        "UPDATE prices SET name = 'y \"q\"' WHERE sku = 2; INSERT INTO prices VALUES (3, NULL, 'n')",
    );
    shop.sync();
    one.sync();
    let wanted = text.replace("\"x\"", "\"y \"\"q\"\"\"") + "\"3\";;\"n\"\r\n";
    assert_eq!(one.read("prices.csv"), wanted);
    one.quiet();

    let latin = world.system("latin");
    latin.write("t.csv", b"id,name\n1,M\xFCller\n");
    latin.add_with("t.csv", "csv", keyed("names", "id"));
    latin.add_with("names.tsv", "tsv", keyed("names", ""));
    latin.sync();
    assert_eq!(latin.read("names.tsv"), "id\tname\n1\tMüller\n");
    latin.edit("names.tsv", "Müller", "Möller");
    latin.sync();
    assert_eq!(std::fs::read(latin.path("t.csv")).unwrap(), b"id,name\n1,M\xF6ller\n");
    // A character that the file cannot hold is told, and stays where it is.
    latin.edit("names.tsv", "Möller", "Мёллер");
    let report = latin.sync();
    assert_eq!(
        report
            .sources
            .iter()
            .map(|source| source.set_aside.len())
            .sum::<usize>(),
        1,
        "{report:?}"
    );
    assert_eq!(std::fs::read(latin.path("t.csv")).unwrap(), b"id,name\n1,M\xF6ller\n");
    latin.sync();
    assert!(latin.read("names.tsv").contains("Мёллер"));
}

#[test]
fn wide_encodings_are_kept() {
    let world = World::new();
    let encode = |text: &str| -> Vec<u8> {
        let units = format!("\u{feff}{text}");
        units.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let one = world.system("one");
    one.write("t.csv", encode("id\tname\r\n1\tZoë\r\n"));
    one.add_with("t.csv", "csv", keyed("names", "id"));
    one.add_with("copy.csv", "csv", keyed("names", ""));
    one.sync();
    assert_eq!(one.read("copy.csv"), "id,name\n1,Zoë\n");
    one.edit("copy.csv", "Zoë", "Chloë");
    one.sync();
    assert_eq!(
        std::fs::read(one.path("t.csv")).unwrap(),
        encode("id\tname\r\n1\tChloë\r\n")
    );
}

#[test]
fn cells_that_do_not_fit_travel_as_they_are() {
    let world = World::new();
    let text = "id,count,price,flag,zip\n1,5,1.50,true,01234\n2,6,2,false,99999\n";
    let one = with_csv(&world, "one", text, "id");
    one.sync();
    let shop = with_database(&world, "shop");
    shop.sync();
    assert_eq!(
        rows(&shop, "SELECT * FROM prices ORDER BY id"),
        ["1 5 '1.50' 1 '01234'", "2 6 '2' 0 '99999'"]
    );
    one.write(
        "prices.csv",
        text.replace("1,5,1.50", "1,n/a,1.5").replace("2,6,2,", "2,007,2.00,"),
    );
    one.sync();
    shop.sync();
    // SQLite makes a number of what looks like one where the column says so, and that is no edit.
    assert_eq!(
        rows(&shop, "SELECT count, price FROM prices ORDER BY id"),
        ["'n/a' '1.5'", "7 '2.00'"]
    );
    shop.quiet();
    one.quiet();
    assert!(one.read("prices.csv").contains("2,007,2.00,false"));
    execute(&shop, "UPDATE prices SET flag = 0, count = NULL WHERE id = 1");
    shop.sync();
    one.sync();
    assert!(
        one.read("prices.csv").contains("1,,1.5,false,01234\n"),
        "{}",
        one.read("prices.csv")
    );
}

#[test]
fn a_spreadsheet_that_damaged_a_column_is_refused() {
    let world = World::new();
    let row = |number: u32, phone: &str| format!("{number},n{number},{phone}\n");
    let text: String = (0..40)
        .map(|number| row(number, &format!("4930123{number:05}")))
        .collect();
    let one = with_csv(&world, "one", &format!("id,name,phone\n{text}"), "id");
    one.sync();
    let damaged: String = (0..40).map(|number| row(number, "4.93E+11")).collect();
    one.write("prices.csv", format!("id,name,phone\n{damaged}"));
    let error = one
        .repository()
        .run(super::world::SYNC, &SyncOptions::default())
        .unwrap_err();
    assert!(
        matches!(&error, SyncError::MassChange { field, changed: 40, .. } if field == "phone"),
        "{error:?}"
    );
    // Emptied, or cut to a few rows.
    one.write("prices.csv", "id,name,phone\n");
    let error = one
        .repository()
        .run(super::world::SYNC, &SyncOptions::default())
        .unwrap_err();
    assert!(matches!(&error, SyncError::SourceEmpty { before: 40, .. }), "{error:?}");
    one.write("prices.csv", "");
    let error = one
        .repository()
        .run(super::world::SYNC, &SyncOptions::default())
        .unwrap_err();
    assert!(matches!(&error, SyncError::SourceEmpty { before: 40, .. }), "{error:?}");
    one.write("prices.csv", format!("id,name,phone\n{}", row(1, "493012300001")));
    let error = one
        .repository()
        .run(super::world::SYNC, &SyncOptions::default())
        .unwrap_err();
    assert!(
        matches!(
            &error,
            SyncError::MassDeletion {
                lost: 39,
                before: 40,
                ..
            }
        ),
        "{error:?}"
    );
    // A file that ends within a row has lost nothing.
    one.write(
        "prices.csv",
        format!("id,name,phone\n{text}").trim_end().rsplit_once(',').unwrap().0,
    );
    assert_eq!(one.sync().sources[0].read.removed, 0);
    one.write("prices.csv", format!("id,name,phone\n{text}"));
    one.sync();
    one.quiet();
    assert_eq!(one.sync_forced().sources[0].read.removed, 0);
}

#[test]
fn a_database_keeps_its_constraints_and_its_other_users() {
    let world = World::new();
    let office = with_csv(&world, "office", PRICES, "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    execute(
        &shop,
        "CREATE TABLE prices (sku TEXT PRIMARY KEY, name TEXT NOT NULL, price NUMERIC CHECK (price < 100), stock INTEGER,
             twice GENERATED ALWAYS AS (stock * 2));
         CREATE TABLE log (what TEXT);
         CREATE TRIGGER changed AFTER UPDATE ON prices BEGIN INSERT INTO log VALUES (new.sku); END;
         INSERT INTO prices VALUES ('A1', 'Apple', 1.5, 10)",
    );
    shop.add_with("shop.db#prices", "", keyed("prices", ""));
    let report = shop.sync();
    assert_eq!(report.conflicts.open, 0, "{report:?}");
    assert_eq!(
        rows(&shop, "SELECT sku, name, price, stock FROM prices ORDER BY sku"),
        [
            "'A1' 'Apple' 1.5 10",
            "'B2' 'Bread, dark' 3.2 5",
            "'C3' 'Cheese' 7 NULL"
        ]
    );
    shop.quiet();
    // One row breaks a rule of the database: it stays what it was, the others are written.
    office.write(
        "prices.csv",
        PRICES.replace("1.50,10", "150.00,11").replace("3.20", "3.30"),
    );
    office.sync();
    let report = shop.sync();
    let told = &report.sources[0].set_aside;
    assert!(told.len() == 1 && told[0].reason.contains("CHECK"), "{report:?}");
    assert_eq!(
        rows(&shop, "SELECT price, stock FROM prices ORDER BY sku"),
        ["1.5 10", "3.3 5", "7 NULL"]
    );
    assert_eq!(rows(&shop, "SELECT what FROM log"), ["'B2'"]);
    // It is tried again, and an edit of the row that was left is an edit beside the other.
    execute(&shop, "UPDATE prices SET name = 'Apfel' WHERE sku = 'A1'");
    assert_eq!(shop.sync().sources[0].read.changed, 1);
    office.sync();
    assert!(
        office.read("prices.csv").contains("A1,Apfel,150.00,11\n"),
        "{}",
        office.read("prices.csv")
    );
    office.edit("prices.csv", "150.00", "15.00");
    office.sync();
    assert_eq!(shop.sync().sources[0].set_aside, []);
    assert_eq!(
        rows(&shop, "SELECT price, stock, twice FROM prices WHERE sku = 'A1'"),
        ["15 11 22"]
    );
    // A database that another program holds is left for the next run.
    let other = Connection::open(shop.path("shop.db")).unwrap();
    other
        .execute_batch("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; UPDATE prices SET stock = 4 WHERE sku = 'C3'")
        .unwrap();
    office.edit("prices.csv", "Cheese", "Old cheese");
    office.sync();
    let report = shop.sync();
    assert!(
        report.sources[0].set_aside[0].reason.contains("another program"),
        "{report:?}"
    );
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    shop.sync();
    assert_eq!(
        rows(&shop, "SELECT name, stock FROM prices WHERE sku = 'C3'"),
        ["'Old cheese' 4"]
    );
    office.sync();
    assert!(office.read("prices.csv").contains("C3,Old cheese,7,4\n"));
    shop.quiet();
}

#[test]
fn undo_and_restore_bring_rows_back() {
    let world = World::new();
    let one = with_csv(&world, "one", PRICES, "sku");
    one.sync();
    one.write(
        "prices.csv",
        PRICES.replace("Apple", "Apricot").replace("C3,Cheese,7,\n", "") + "D4,Date,2,1\n",
    );
    one.sync();
    one.undo();
    let mut lines: Vec<String> = one.read("prices.csv").lines().map(str::to_owned).collect();
    lines[1..].sort();
    assert_eq!(lines, PRICES.lines().collect::<Vec<_>>());
    one.quiet();
}

#[test]
fn undo_takes_a_few_rows_of_many_without_being_asked_twice() {
    let world = World::new();
    let row = |number: u32| format!("N{number},Name {number},1,1\n");
    let many: String = (0..40).map(row).collect();
    let one = with_csv(&world, "one", &format!("{PRICES}{many}"), "sku");
    one.sync();
    let more: String = (40..50).map(row).collect();
    one.write("prices.csv", format!("{PRICES}{many}{more}"));
    one.sync();
    one.undo();
    assert_eq!(one.read("prices.csv"), format!("{PRICES}{many}"));
    one.write("prices.csv", format!("{PRICES}{many}{more}"));
    one.sync();
    // Most of them is another matter.
    one.write("prices.csv", PRICES);
    one.sync_forced();
    let all: String = (0..50).map(row).collect();
    one.write("prices.csv", format!("{PRICES}{all}"));
    one.sync();
    let error = one.repository().undo(None, &SyncOptions::default()).unwrap_err();
    assert!(error.to_string().contains("would remove 50 of 53 items"), "{error}");
}

#[test]
fn undo_brings_rows_back_that_nobody_else_has() {
    let world = World::new();
    let one = world.system("one");
    one.write("prices.csv", PRICES);
    let options = AddSource {
        key: vec!["sku".to_owned()],
        ..AddSource::default()
    };
    one.add_with("prices.csv", "csv", options);
    one.sync();
    one.write("prices.csv", PRICES.replace("Apple", "Apricot") + "D4,Date,2,1\n");
    one.sync();
    one.undo();
    assert_eq!(one.read("prices.csv"), PRICES);
    one.quiet();
    one.verify_clean();
}

#[test]
fn what_is_shown_of_rows_is_theirs() {
    let world = World::new();
    let one = with_csv(&world, "one", PRICES, "sku");
    one.sync();
    one.edit("prices.csv", "1.50", "1.80");
    let mut lines = Vec::new();
    let each = &mut |line: dsync::sync::RecordDifference| {
        lines.push(serde_json::to_string(&line).unwrap());
        Ok(())
    };
    one.repository()
        .diff(&dsync::sync::DiffOptions::default(), each)
        .unwrap();
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].contains(r#""key":"A1","title":"A1","fields":[{"path":"/price","old":"1.50","new":"1.80"}]"#),
        "{lines:?}"
    );
    let status = one.repository().status().unwrap();
    assert_eq!((status.sources[0].changed, status.collections[0].records), (1, 3));
    assert_eq!(one.repository().sources().unwrap()[0].items, 3);
    let mut found = Vec::new();
    let each = &mut |record: dsync::sync::RecordReport| {
        found.push(format!("{} {}", record.key, record.record));
        Ok(())
    };
    one.repository().cat("prices", &[], each).unwrap();
    assert_eq!(found[2], r#"C3 {"name":"Cheese","price":7,"sku":"C3","stock":null}"#);
}
