//! Tables that show some columns.

use dsync::sync::{AddSource, SyncReport};
use rusqlite::Connection;

use crate::world::{System, World};

pub(crate) const STOCK: &str = "sku,name,price,stock\nA1,Apple,1.50,10\nB2,Bread,3.20,5\nC3,Cheese,7,0\n";

pub(crate) fn keyed(fields: &[&str]) -> AddSource {
    AddSource {
        collection: Some("stock".to_owned()),
        key: vec!["sku".to_owned()],
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        ..AddSource::default()
    }
}

pub(crate) fn office(world: &World) -> System<'_> {
    let system = world.system("office");
    system.write("stock.csv", STOCK);
    system.add_with("stock.csv", "csv", keyed(&[]));
    system.add_remote("remote");
    system.sync();
    system
}

pub(crate) fn shop<'w>(world: &'w World, location: &str, format: &str, fields: &[&str]) -> System<'w> {
    let system = world.system("shop");
    system.add_remote("remote");
    system.add_with(location, format, keyed(fields));
    system
}

pub(crate) fn sync(systems: &[&System<'_>]) -> Vec<SyncReport> {
    systems.iter().map(|system| system.sync()).collect()
}

/// Replaces the line of the configuration that chooses the columns.
fn choose(system: &System<'_>, line: &str) {
    let config = system.read(".dsync/config.toml");
    let lines = config.lines().filter(|line| !line.starts_with("fields = "));
    let mut text: String = lines.map(|line| format!("{line}\n")).collect();
    text = text.replace("\nformat = ", &format!("\n{line}\nformat = "));
    system.write(".dsync/config.toml", text);
}

pub(crate) fn execute(system: &System<'_>, sql: &str) {
    Connection::open(system.path("shop.db"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

/// Returns the rows of a query, cells joined by blanks.
pub(crate) fn rows(system: &System<'_>, sql: &str) -> Vec<String> {
    let connection = Connection::open(system.path("shop.db")).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let count = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..count).map(|at| {
            Ok(match row.get::<_, rusqlite::types::Value>(at)? {
                rusqlite::types::Value::Null => "-".to_owned(),
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Real(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Blob(_) => "blob".to_owned(),
            })
        });
        Ok(cells.collect::<Result<Vec<_>, rusqlite::Error>>()?.join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_new_table_has_the_chosen_columns_and_its_edits_arrive() {
    for (location, format, file) in [
        ("list.csv", "csv", "list.csv"),
        ("list.json", "json", "list.json"),
        ("list.jsonl", "jsonl", "list.jsonl"),
    ] {
        let world = World::new();
        let office = office(&world);
        let shop = shop(&world, location, format, &["price"]);
        shop.sync();
        let list = shop.read(file);
        assert!(
            list.contains("B2") && list.contains("3.20") && !list.contains("Bread"),
            "{list}"
        );
        assert!(!list.contains("stock"), "{list}");
        shop.quiet();
        shop.edit(file, "3.20", "3.30");
        office.edit("stock.csv", "Bread,3.20,5", "Rolls,3.20,6");
        sync(&[&shop, &office, &shop]);
        assert_eq!(
            office.read("stock.csv"),
            STOCK.replace("Bread,3.20,5", "Rolls,3.30,6"),
            "{format}"
        );
        assert!(!shop.read(file).contains("Rolls"));
        shop.quiet();
        office.quiet();
        // A column that comes elsewhere does not come here.
        let wide = office.read("stock.csv").replace("stock\n", "stock,origin\n");
        office.write(
            "stock.csv",
            wide.replace(",10\n", ",10,Tyrol\n")
                .replace(",6\n", ",6,Wien\n")
                .replace(",0\n", ",0,Alp\n"),
        );
        sync(&[&office, &shop]);
        assert!(!shop.read(file).contains("Tyrol"));
        shop.quiet();
        shop.verify_clean();
    }
}

#[test]
fn a_database_keeps_its_other_columns() {
    let world = World::new();
    let office = office(&world);
    let shop = world.system("shop");
    shop.add_remote("remote");
    execute(
        &shop,
        "CREATE TABLE goods (sku TEXT PRIMARY KEY, price TEXT, shelf INTEGER NOT NULL DEFAULT 9, name TEXT);
         INSERT INTO goods VALUES ('A1', '1.50', 1, 'own apple'), ('B2', '3.20', 2, NULL)",
    );
    shop.add_with("shop.db#goods", "sqlite", keyed(&["price"]));
    shop.sync();
    assert_eq!(
        rows(&shop, "SELECT * FROM goods ORDER BY sku"),
        ["A1 1.50 1 own apple", "B2 3.20 2 -", "C3 7 9 -"]
    );
    shop.quiet();
    office.edit("stock.csv", "1.50,10", "1.60,11");
    execute(
        &shop,
        "UPDATE goods SET shelf = 7 WHERE sku = 'B2'; UPDATE goods SET price = '8' WHERE sku = 'C3'",
    );
    sync(&[&shop, &office, &shop]);
    assert_eq!(
        rows(&shop, "SELECT * FROM goods ORDER BY sku"),
        ["A1 1.60 1 own apple", "B2 3.20 7 -", "C3 8 9 -"]
    );
    let expected = STOCK.replace("1.50,10", "1.60,11").replace("Cheese,7,0", "Cheese,8,0");
    assert_eq!(office.read("stock.csv"), expected);
    execute(&shop, "DELETE FROM goods WHERE sku = 'B2'");
    sync(&[&shop, &office]);
    assert!(!office.read("stock.csv").contains("Bread"));
    office.edit("stock.csv", "A1,Apple,1.60,11\n", "");
    sync(&[&office, &shop]);
    assert_eq!(rows(&shop, "SELECT * FROM goods"), ["C3 8 9 -"]);
    shop.quiet();
    office.quiet();
}

#[test]
fn a_workbook_keeps_its_other_columns() {
    use calamine::{Reader as _, Xlsx, open_workbook};
    let world = World::new();
    let office = office(&world);
    let desk = world.system("desk");
    desk.add_remote("remote");
    desk.add_with("whole.xlsx#Stock", "xlsx", keyed(&[]));
    desk.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    std::fs::copy(desk.path("whole.xlsx"), shop.path("stock.xlsx")).unwrap();
    shop.add_with("stock.xlsx", "xlsx", keyed(&["name"]));
    sync(&[&shop]);
    shop.quiet();
    office.edit("stock.csv", "Bread,3.20,5", "Rolls,9,9");
    office.write("stock.csv", office.read("stock.csv") + "D4,Dates,4,4\n");
    sync(&[&office, &shop]);
    let mut book: Xlsx<_> = open_workbook(shop.path("stock.xlsx")).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let line = |row: &[calamine::Data]| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
    let rows: Vec<String> = range.rows().map(line).collect();
    assert_eq!(
        rows,
        [
            "sku|name|price|stock",
            "A1|Apple|1.5|10",
            "B2|Rolls|3.2|5",
            "C3|Cheese|7|0",
            "D4|Dates||"
        ]
    );
    shop.quiet();
    office.quiet();
}

#[test]
fn another_choice_of_columns_is_no_edit() {
    for (location, format) in [("list.csv", "csv"), ("shop.db#stock", "sqlite")] {
        let world = World::new();
        let office = office(&world);
        let shop = shop(&world, location, format, &["price"]);
        shop.sync();
        let (state, log) = (office.state(), office.log().len());
        let shown = || match format {
            "csv" => shop
                .read("list.csv")
                .lines()
                .skip(1)
                .map(|line| line.replace(',', " "))
                .collect(),
            _ => rows(&shop, "SELECT * FROM stock ORDER BY sku"),
        };
        assert_eq!(shown(), ["A1 1.50", "B2 3.20", "C3 7"]);
        // One more: its values come.
        choose(&shop, "fields = [\"price\", \"name\"]");
        sync(&[&shop, &office]);
        assert_eq!(shown(), ["A1 1.50 Apple", "B2 3.20 Bread", "C3 7 Cheese"]);
        assert_eq!((office.state(), office.log().len()), (state.clone(), log), "{format}");
        shop.quiet();
        // One less: what stands there stays, and is nobody's matter any more.
        choose(&shop, "fields = [\"name\"]");
        sync(&[&shop, &office]);
        assert_eq!(shown(), ["A1 1.50 Apple", "B2 3.20 Bread", "C3 7 Cheese"]);
        assert_eq!((office.state(), office.log().len()), (state.clone(), log), "{format}");
        office.edit("stock.csv", "1.50", "1.55");
        match format {
            "csv" => shop.edit("list.csv", "3.20", "9"),
            _ => execute(&shop, "UPDATE stock SET price = '9' WHERE sku = 'B2'"),
        }
        sync(&[&shop, &office, &shop]);
        assert_eq!(shown(), ["A1 1.50 Apple", "B2 9 Bread", "C3 7 Cheese"]);
        shop.quiet();
        // All again: prices stand against each other, and what the shop never had is filled in.
        choose(&shop, "");
        sync(&[&shop, &office, &shop]);
        let clashes = shop.clashes();
        assert_eq!(clashes.len(), 2, "{format}: {clashes:?}");
        assert!(
            clashes
                .iter()
                .any(|clash| clash.contains("1.50") && clash.contains("1.55"))
        );
        assert!(
            clashes
                .iter()
                .any(|clash| clash.contains("3.20") && clash.contains('9'))
        );
        assert_eq!(office.records(), 3);
        let stock: Vec<String> = shown()
            .iter()
            .map(|row| row.rsplit(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(stock, ["10", "5", "0"], "{format}");
        shop.quiet();
        office.quiet();
    }
}

#[test]
fn a_column_that_nobody_has_is_refused() {
    let world = World::new();
    let system = world.system("one");
    system.write("stock.csv", STOCK);
    let options = AddSource {
        location: "stock.csv".to_owned(),
        ..keyed(&["price", "shoes"])
    };
    let error = system.repository().add_source(&system.dir(), &options).unwrap_err();
    system.add_with("stock.csv", "csv", keyed(&[]));
    system.sync();
    let unmade = AddSource {
        location: "list.csv".to_owned(),
        create: true,
        ..keyed(&["price", "shoes"])
    };
    assert!(system.repository().add_source(&system.dir(), &unmade).is_err());
    assert!(
        error.to_string().contains("`shoes`") && error.to_string().contains("price"),
        "{error}"
    );
}
