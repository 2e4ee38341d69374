//! Columns of tables that change for all systems at once.

use dsync::sync::{ColumnChange, SyncError, SyncReport};

use crate::table_selection::{STOCK, execute, keyed, office, rows, shop, sync};
use crate::world::{System, World, settle};

fn change(system: &System<'_>, change: ColumnChange) -> SyncReport {
    system.repository().change_columns("stock", &[change], false).unwrap()
}

#[test]
fn a_wider_type_is_one_change_of_the_schema() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "shop.db#stock", "sqlite", &[]);
    shop.sync();
    // A cell that does not fit travels as the text it is.
    office.edit("stock.csv", "3.20,5", "3.20,plenty");
    sync(&[&office, &shop]);
    let before = rows(&shop, "SELECT * FROM stock ORDER BY sku");
    let text = office.read("stock.csv");
    assert!(before[1].contains("plenty"));
    let log = office.log().len();
    let report = change(
        &office,
        ColumnChange::Type {
            column: "Stock".to_owned(),
            kind: "text".to_owned(),
        },
    );
    assert_eq!(report.done, ["column `stock` is of type text now"]);
    assert_eq!(office.log().len(), log + 1);
    assert_eq!(office.log()[0].changes.changed, 1);
    let sent = office.sync();
    assert!(sent.remotes[0].sent.bytes < 1000, "{sent:?}");
    shop.sync();
    for system in [&office, &shop] {
        let columns = system.repository().columns("stock").unwrap();
        let kinds: Vec<&str> = columns.iter().map(|column| column.kind.as_str()).collect();
        assert_eq!(kinds, ["text", "text", "decimal", "text"]);
        system.quiet();
    }
    assert_eq!(rows(&shop, "SELECT * FROM stock ORDER BY sku"), before);
    assert_eq!(office.read("stock.csv"), text);
    // Edits go on, of what was a number and of what was not.
    office.edit("stock.csv", "1.50,10", "1.50,010");
    execute(&shop, "UPDATE stock SET stock = 4 WHERE sku = 'C3'");
    sync(&[&office, &shop, &office]);
    assert!(office.read("stock.csv").contains("1.50,010\n") && office.read("stock.csv").contains("Cheese,7,4\n"));
    assert_eq!(office.conflicts().len(), 0);
    // Nothing of it depends on what is remembered of the rows.
    for system in [&office, &shop] {
        for entry in std::fs::read_dir(system.path(".dsync/cache")).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        system.quiet();
    }
}

#[test]
fn a_type_that_would_print_otherwise_is_refused() {
    let world = World::new();
    let office = office(&world);
    for (column, kind) in [("price", "integer"), ("price", "float"), ("name", "decimal")] {
        let wanted = ColumnChange::Type {
            column: column.to_owned(),
            kind: kind.to_owned(),
        };
        let refused = office.repository().change_columns("stock", &[wanted], false);
        assert!(matches!(refused, Err(SyncError::Usage(_))), "{column} {kind}");
    }
    let drop = office
        .repository()
        .change_columns("stock", &[ColumnChange::Drop("sku".to_owned())], false);
    assert!(
        drop.unwrap_err().to_string().contains("identifies"),
        "a key is no column to drop"
    );
}

#[test]
fn a_dropped_column_shows_nowhere_and_comes_back() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "shop.db#stock", "sqlite", &[]);
    shop.sync();
    let text = office.read("stock.csv");
    let log = office.log().len();
    change(&office, ColumnChange::Drop("stock".to_owned()));
    assert_eq!(office.log().len(), log + 1);
    sync(&[&office, &shop]);
    for system in [&office, &shop] {
        assert!(system.shown().records.iter().all(|record| !record.contains("stock")));
        system.quiet();
    }
    // Where it stands it stays, unread and unwritten.
    assert_eq!(office.read("stock.csv"), text);
    office.edit("stock.csv", "Apple,1.50,10", "Apple,1.60,99");
    execute(&shop, "UPDATE stock SET name = 'Brot', stock = 77 WHERE sku = 'B2'");
    sync(&[&office, &shop, &office]);
    assert!(office.read("stock.csv").contains("Apple,1.60,99") && office.read("stock.csv").contains("Brot,3.20,5"));
    assert_eq!(
        rows(&shop, "SELECT sku, name, price, stock FROM stock ORDER BY sku"),
        ["A1 Apple 1.60 10", "B2 Brot 3.20 77", "C3 Cheese 7 0"]
    );
    // A new table goes without it.
    let desk = world.system("desk");
    desk.add_remote("remote");
    desk.add_with("list.csv", "csv", keyed(&[]));
    desk.sync();
    assert_eq!(desk.read("list.csv").lines().next(), Some("sku,name,price"));
    desk.quiet();
    // Back again: its values are there, also where it never was; what changed meanwhile stands beside them.
    change(&office, ColumnChange::Restore("stock".to_owned()));
    settle(&[&office, &shop, &desk]);
    assert_eq!(desk.read("list.csv").lines().next(), Some("sku,name,price,stock"));
    assert!(
        desk.read("list.csv").contains("C3,Cheese,7,0"),
        "{}",
        desk.read("list.csv")
    );
    let clashes = desk.clashes();
    assert_eq!(clashes.len(), 2, "{clashes:?}");
    assert!(
        clashes.iter().any(|clash| clash.contains("99") && clash.contains("10")),
        "{clashes:?}"
    );
    for system in [&office, &shop, &desk] {
        system.quiet();
        system.verify_clean();
    }
}

#[test]
fn undo_brings_a_dropped_column_back() {
    for is_shared in [false, true] {
        let world = World::new();
        let office = office(&world);
        let shop = shop(&world, "shop.db#stock", "sqlite", &[]);
        shop.sync();
        let state = office.state();
        change(&office, ColumnChange::Drop("stock".to_owned()));
        let operation = office.last_change();
        if is_shared {
            sync(&[&office, &shop]);
        }
        office.undo_of(&operation);
        sync(&[&office, &shop, &office]);
        for system in [&office, &shop] {
            let columns = system.repository().columns("stock").unwrap();
            assert!(
                columns.iter().all(|column| !column.dropped) && columns.len() == 4,
                "{columns:?}"
            );
            assert_eq!(system.conflicts().len(), 0);
            system.quiet();
        }
        assert_eq!(office.state(), state);
        assert_eq!(office.read("stock.csv"), STOCK);
        assert_eq!(
            rows(&shop, "SELECT * FROM stock ORDER BY sku"),
            ["A1 Apple 1.50 10", "B2 Bread 3.20 5", "C3 Cheese 7 0"]
        );
    }
}

#[test]
fn a_column_is_renamed_everywhere() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "shop.db#stock", "sqlite", &["stock"]);
    shop.sync();
    let renaming = ColumnChange::Rename {
        column: "stock".to_owned(),
        name: "in stock".to_owned(),
    };
    change(&office, renaming);
    sync(&[&office, &shop]);
    assert!(office.read("stock.csv").starts_with("sku,name,price,in stock\n"));
    // The choice still knows it by its first name.
    assert_eq!(
        rows(&shop, "SELECT sku, \"in stock\" FROM stock ORDER BY sku"),
        ["A1 10", "B2 5", "C3 0"]
    );
    office.quiet();
    shop.quiet();
}
