//! Databases that make something else of what is written there.

use dsync::sync::AddSource;
use rusqlite::Connection;

use super::world::{System, World};

const PRICES: &str = "sku,name,price\nA1,Apple,1\nB2,Bread,2\n";

fn both<'w>(world: &'w World, sql: &str) -> (System<'w>, System<'w>) {
    let options = |key: &str| AddSource {
        collection: Some("prices".to_owned()),
        key: (!key.is_empty()).then(|| key.to_owned()).into_iter().collect(),
        ..AddSource::default()
    };
    let office = world.system("office");
    office.write("prices.csv", PRICES);
    office.add_with("prices.csv", "csv", options("sku"));
    office.add_remote("remote");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    execute(&shop, sql);
    shop.add_with("shop.db#prices", "", options(""));
    shop.sync();
    (office, shop)
}

fn execute(system: &System<'_>, sql: &str) {
    Connection::open(system.path("shop.db"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

fn rows(system: &System<'_>) -> Vec<String> {
    let connection = Connection::open(system.path("shop.db")).unwrap();
    let sql = "SELECT sku || ' ' || name || ' ' || price FROM prices ORDER BY sku";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

const TABLE: &str = "CREATE TABLE prices (sku TEXT PRIMARY KEY, name TEXT, price INTEGER);
    CREATE TABLE log (what TEXT);
    CREATE TRIGGER told AFTER UPDATE ON prices BEGIN INSERT INTO log VALUES (new.sku); END;";

fn writes(system: &System<'_>) -> i64 {
    let connection = Connection::open(system.path("shop.db")).unwrap();
    connection
        .query_row("SELECT count(*) FROM log", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn another_form_of_what_was_written_is_no_edit() {
    let world = World::new();
    let (office, shop) = both(
        &world,
        &format!(
            "{TABLE} CREATE TRIGGER upper AFTER UPDATE OF name ON prices WHEN new.name <> upper(new.name)
             BEGIN UPDATE prices SET name = upper(new.name) WHERE sku = new.sku; END"
        ),
    );
    office.edit("prices.csv", "Apple", "Apfel");
    office.sync();
    shop.sync();
    assert_eq!(rows(&shop), ["A1 APFEL 1", "B2 Bread 2"]);
    // The form stays there, and is not written again and again.
    let count = writes(&shop);
    shop.sync();
    shop.quiet();
    assert_eq!(writes(&shop), count);
    office.sync();
    assert_eq!(office.read("prices.csv"), PRICES.replace("Apple", "Apfel"));
    // A person's edit of it is one; so is a new value from elsewhere.
    execute(&shop, "UPDATE prices SET name = 'PERA' WHERE sku = 'A1'");
    shop.sync();
    office.sync();
    assert_eq!(office.read("prices.csv"), PRICES.replace("Apple", "PERA"));
    office.edit("prices.csv", "PERA", "Pear");
    office.sync();
    shop.sync();
    assert_eq!(rows(&shop), ["A1 PEAR 1", "B2 Bread 2"]);
    shop.sync();
    shop.quiet();
}

#[test]
fn what_a_write_did_not_change_is_an_edit() {
    let world = World::new();
    let (office, shop) = both(
        &world,
        &format!(
            "{TABLE} CREATE TRIGGER counts AFTER UPDATE OF name ON prices
             BEGIN UPDATE prices SET price = price + 1 WHERE sku = new.sku; END"
        ),
    );
    office.edit("prices.csv", "Apple", "Apfel");
    office.sync();
    shop.sync();
    shop.sync();
    office.sync();
    assert_eq!(office.read("prices.csv"), PRICES.replace("Apple,1", "Apfel,2"));
    shop.quiet();
}

#[test]
fn a_value_that_a_trigger_puts_back_twice_is_left_and_told() {
    let world = World::new();
    let (office, shop) = both(
        &world,
        &format!(
            "{TABLE} CREATE TRIGGER keeps AFTER UPDATE OF price ON prices
             BEGIN UPDATE prices SET price = old.price WHERE sku = new.sku; END"
        ),
    );
    for price in [5, 6] {
        office.write("prices.csv", format!("sku,name,price\nA1,Apple,{price}\nB2,Bread,2\n"));
        office.sync();
        shop.sync();
        assert_eq!(rows(&shop), ["A1 Apple 1", "B2 Bread 2"]);
        shop.sync();
        shop.quiet();
    }
    let count = writes(&shop);
    office.write("prices.csv", "sku,name,price\nA1,Fruit,7\nB2,Bread,2\n");
    office.sync();
    let report = shop.sync();
    // The rest of the row is written, that value is not.
    assert_eq!(rows(&shop), ["A1 Fruit 1", "B2 Bread 2"]);
    assert_eq!(writes(&shop), count + 1);
    let notes = &report.sources[0].notes;
    assert!(
        notes.iter().any(|note| note.contains("`price` of row `A1`")),
        "{report:?}"
    );
    office.sync();
    assert_eq!(office.read("prices.csv"), "sku,name,price\nA1,Fruit,7\nB2,Bread,2\n");
}

#[test]
fn a_program_that_puts_its_value_back_between_syncs_comes_to_rest() {
    let world = World::new();
    let (office, shop) = both(&world, TABLE);
    for price in [5, 6] {
        office.write("prices.csv", format!("sku,name,price\nA1,Apple,{price}\nB2,Bread,2\n"));
        office.sync();
        shop.sync();
        assert_eq!(rows(&shop)[0], format!("A1 Apple {price}"));
        // It is an edit like any other, at first.
        execute(&shop, "UPDATE prices SET price = 1 WHERE sku = 'A1'");
        shop.sync();
        office.sync();
        assert_eq!(office.read("prices.csv"), PRICES);
    }
    office.edit("prices.csv", "Apple,1", "Apple,7");
    office.sync();
    let report = shop.sync();
    assert_eq!(rows(&shop)[0], "A1 Apple 1");
    assert!(
        report.sources[0]
            .notes
            .iter()
            .any(|note| note.contains("put back twice")),
        "{report:?}"
    );
    office.sync();
    assert_eq!(office.read("prices.csv"), PRICES.replace("Apple,1", "Apple,7"));
    // Somebody puts a new value there: from then on it is a column like any other.
    execute(&shop, "UPDATE prices SET price = 9 WHERE sku = 'A1'");
    shop.sync();
    office.sync();
    assert!(office.read("prices.csv").contains("Apple,9"));
    office.edit("prices.csv", "Apple,9", "Apple,10");
    office.sync();
    shop.sync();
    assert_eq!(rows(&shop)[0], "A1 Apple 10");
    shop.quiet();
}
