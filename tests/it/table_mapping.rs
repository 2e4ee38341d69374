//! Tables that say the same in other columns and other spellings, through mappings.

use std::path::PathBuf;

use dsync::sync::AddSource;
use rusqlite::Connection;

use crate::world::{System, World};

const SHOP: &str = "sku,name,price,since,sold,stock\n\
    A1,Apple,1.50,2026-01-31,true,1200\n\
    B2,\"Bread, dark\",1234.25,2025-12-01,false,5\n";

/// The same as a supplier writes it, with a column of its own and without the stock.
const SUPPLIER: &str = "Artikel;Im Sortiment;Preis;Lager;Bezeichnung;Seit\r\n\
    A1;ja;1,50;Nord;Apple;31.01.2026\r\n\
    B2;nein;1.234,25;Süd;Bread, dark;01.12.2025\r\n";

const MAP: &str = r#"
[format]
kind = "row"

[[column]]
name = "Artikel"
field = "sku"

[[column]]
name = "Bezeichnung"
field = "name"

[[column]]
name = "Preis"
field = "price"
decimal = ","
thousands = "."

[[column]]
name = "Seit"
field = "since"
date = "DD.MM.YYYY"

[[column]]
name = "Im Sortiment"
field = "sold"
yes = "ja"
no = "nein"

[[column]]
name = "Lager"
ignore = true
constant = "neu"
"#;

fn keyed(map: Option<&str>) -> AddSource {
    AddSource {
        collection: Some("prices".to_owned()),
        key: vec!["sku".to_owned()],
        map: map.map(PathBuf::from),
        ..AddSource::default()
    }
}

/// Two systems: the shop's own table, and the supplier's through the mapping.
fn both(world: &World) -> (System<'_>, System<'_>) {
    let shop = world.system("shop");
    shop.write("prices.csv", SHOP);
    shop.add_with("prices.csv", "csv", keyed(None));
    shop.add_remote("remote");
    shop.sync();
    let supplier = world.system("supplier");
    supplier.write("map.toml", MAP);
    supplier.write("preise.csv", SUPPLIER);
    supplier.add_with("preise.csv", "csv", keyed(Some("map.toml")));
    supplier.add_remote("remote");
    supplier.sync();
    (shop, supplier)
}

#[test]
fn a_suppliers_table_is_the_same_in_other_words() {
    let world = World::new();
    let (shop, supplier) = both(&world);
    shop.sync();
    // They agree from the start: nothing was written on either side.
    assert_eq!(shop.read("prices.csv"), SHOP);
    assert_eq!(supplier.read("preise.csv"), SUPPLIER);
    assert_eq!(shop.clashes(), [""; 0]);

    shop.edit("prices.csv", "1234.25,2025-12-01,false,5", "1300.25,2025-11-30,true,6");
    shop.edit("prices.csv", "Apple", "Apples");
    shop.sync();
    supplier.sync();
    let wanted = SUPPLIER
        .replace(
            "B2;nein;1.234,25;Süd;Bread, dark;01.12.2025",
            "B2;ja;1.300,25;Süd;Bread, dark;30.11.2025",
        )
        .replace("Apple;", "Apples;");
    assert_eq!(supplier.read("preise.csv"), wanted);

    supplier.edit(
        "preise.csv",
        "A1;ja;1,50;Nord;Apples;31.01.2026",
        "A1;nein;0,99;Ost;Apples;01.02.2026",
    );
    supplier.write(
        "preise.csv",
        format!("{}C3;ja;12;West;Cheese;02.02.2026\r\n", supplier.read("preise.csv")),
    );
    supplier.sync();
    shop.sync();
    assert_eq!(
        shop.read("prices.csv"),
        "sku,name,price,since,sold,stock\n\
         A1,Apples,0.99,2026-02-01,false,1200\n\
         B2,\"Bread, dark\",1300.25,2025-11-30,true,6\n\
         C3,Cheese,12,2026-02-02,true,\n"
    );
    shop.write(
        "prices.csv",
        format!("{}D4,Dates,2345.5,2026-03-03,false,1\n", shop.read("prices.csv")),
    );
    shop.sync();
    supplier.sync();
    let last = supplier.read("preise.csv").lines().last().unwrap().to_owned();
    assert_eq!(last, "D4;nein;2.345,5;neu;Dates;03.03.2026");
    shop.quiet();
    supplier.quiet();
}

#[test]
fn what_is_not_written_so_stays_as_it_is() {
    let world = World::new();
    let (shop, supplier) = both(&world);
    let odd = SUPPLIER
        .replace("31.01.2026", "end of January")
        .replace("A1;ja", "A1;Ja")
        .replace("1.234,25", "1.50");
    supplier.write("preise.csv", &odd);
    let report = supplier.sync();
    // A number in another spelling would be another number: its row is set aside, which is no deletion.
    let set_aside: Vec<&str> = report
        .sources
        .iter()
        .flat_map(|source| &source.set_aside)
        .map(|one| &*one.reason)
        .collect();
    assert_eq!(
        set_aside,
        ["`1.50` in column `price` is not written as the mapping says"]
    );
    shop.sync();
    assert_eq!(
        shop.read("prices.csv"),
        SHOP.replace("A1,Apple,1.50,2026-01-31,true", "A1,Apple,1.50,end of January,Ja")
    );
    shop.edit("prices.csv", "A1,Apple", "A1,Apples");
    shop.sync();
    supplier.sync();
    assert_eq!(supplier.read("preise.csv"), odd.replace("Apple;", "Apples;"));
}

#[test]
fn another_mapping_is_no_edit() {
    let world = World::new();
    let system = world.system("one");
    system.write(
        "t.csv",
        "id,when,what\n1,01/02/2026,x\n2,03/04/2026,y\n3,31/01/2026,z\n",
    );
    let map = |date: &str, more: &str| {
        format!(
            "[format]\nkind = \"row\"\n[[column]]\nname = \"when\"\ndate = \"{date}\"\n[[column]]\nname = \"what\"\n{more}\n"
        )
    };
    system.write("map.toml", map("DD/MM/YYYY", "ignore = true"));
    let options = AddSource {
        key: vec!["id".to_owned()],
        map: Some(PathBuf::from("map.toml")),
        ..AddSource::default()
    };
    system.add_with("t.csv", "csv", options);
    system.sync();
    let cells = |system: &System<'_>| {
        let mut rows = Vec::new();
        let mut each = |record: dsync::sync::RecordReport| {
            rows.push(record.record.to_string());
            Ok(())
        };
        system.repository().cat("t", &[], &mut each).unwrap();
        rows
    };
    let before = [
        r#"{"id":1,"when":"2026-02-01"}"#,
        r#"{"id":2,"when":"2026-04-03"}"#,
        r#"{"id":3,"when":"2026-01-31"}"#,
    ];
    assert_eq!(cells(&system), before);

    // The month comes first now, and a column is looked at that was not: only that is news. One row was edited before.
    let content = "id,when,what\n1,01/02/2026,x\n2,05/04/2026,y\n3,31/01/2026,z\n";
    system.write("t.csv", content);
    system.write("map.toml", map("MM/DD/YYYY", ""));
    system.sync();
    assert_eq!(
        cells(&system),
        [
            r#"{"id":1,"what":"x","when":"2026-02-01"}"#,
            r#"{"id":2,"what":"y","when":"2026-04-05"}"#,
            r#"{"id":3,"what":"z","when":"2026-01-31"}"#,
        ]
    );
    assert_eq!(system.clashes(), [""; 0]);
}

#[test]
fn a_database_is_mapped_as_a_file_is() {
    let world = World::new();
    let shop = world.system("shop");
    shop.write("prices.csv", SHOP);
    shop.add_with("prices.csv", "csv", keyed(None));
    shop.add_remote("remote");
    shop.sync();
    let other = world.system("other");
    let connection = Connection::open(other.path("shop.db")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE artikel (nr INTEGER PRIMARY KEY, artikel TEXT UNIQUE, preis TEXT, gepflegt TEXT DEFAULT 'nie');
             INSERT INTO artikel (artikel, preis, gepflegt) VALUES ('A1', '1,50', 'gestern');",
        )
        .unwrap();
    other.write(
        "map.toml",
        "[format]\nkind = \"row\"\nonly = true\n\
         [[column]]\nname = \"artikel\"\nfield = \"sku\"\n\
         [[column]]\nname = \"preis\"\nfield = \"price\"\ndecimal = \",\"\nthousands = \".\"\n\
         [[column]]\nfield = \"currency\"\nconstant = \"EUR\"\n",
    );
    other.add_remote("remote");
    other.add_with("shop.db#artikel", "sqlite", keyed(Some("map.toml")));
    other.sync();
    let rows = || {
        let mut statement = connection
            .prepare("SELECT artikel, preis, gepflegt FROM artikel ORDER BY artikel")
            .unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            let cell = |at: usize| row.get::<_, String>(at);
            Ok(format!("{} {} {}", cell(0)?, cell(1)?, cell(2)?))
        };
        let rows = statement.query_map([], row).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(rows(), ["A1 1,50 gestern", "B2 1.234,25 nie"]);
    shop.edit("prices.csv", "1.50", "2.50");
    shop.sync();
    other.sync();
    assert_eq!(rows(), ["A1 2,50 gestern", "B2 1.234,25 nie"]);
    connection
        .execute_batch(
            "UPDATE artikel SET preis = '1.000' WHERE artikel = 'B2'; DELETE FROM artikel WHERE artikel = 'A1'",
        )
        .unwrap();
    other.sync_forced();
    shop.sync_forced();
    assert!(
        shop.read("prices.csv")
            .starts_with("sku,name,price,since,sold,stock,currency\nB2,\"Bread, dark\",1000,2025-12-01,false,5,EUR\n"),
        "{}",
        shop.read("prices.csv")
    );
}

#[test]
fn mappings_that_say_nothing_clear_are_refused() {
    let world = World::new();
    let system = world.system("one");
    system.write("t.csv", "a,b\n1,2\n");
    for (columns, what) in [
        ("[[column]]\nname = \"a\"\ndate = \"DD.MM.YY\"", "`DD.MM.YY` is no date"),
        ("[[column]]\nname = \"a\"\nyes = \"ja\"", "`yes` and `no` are two words"),
        (
            "[[column]]\nname = \"a\"\ndecimal = \",\"\nthousands = \",\"",
            "cannot be told apart",
        ),
        (
            "[[column]]\nname = \"a\"\ndate = \"YYYY-MM-DD\"\ndecimal = \",\"",
            "two spellings",
        ),
        ("[[column]]\nname = \"a\"\ntype = \"number\"", "`number` is no type"),
        (
            "[[column]]\nname = \"a\"\nfield = \"x\"\n[[column]]\nname = \"b\"\nfield = \"x\"",
            "two columns have this field",
        ),
        ("[[column]]\nfield = \"x\"", "needs a constant"),
        ("[[column]]\nname = \"a\"\nfiled = \"x\"", "unknown field"),
    ] {
        system.write("map.toml", format!("[format]\nkind = \"row\"\n{columns}\n"));
        let mut repository = system.repository();
        let options = AddSource {
            location: "t.csv".to_owned(),
            map: Some(PathBuf::from("map.toml")),
            ..AddSource::default()
        };
        let refused = repository.add_source(&system.dir(), &options).unwrap_err();
        let text = crate::world::chain(&refused);
        assert!(text.contains(what), "{text}");
    }
}

/// The mapping of the supplier without what JSON and sheets say themselves.
const TYPED_MAP: &str = r#"
[format]
kind = "row"
only = true

[[column]]
name = "Artikel"
field = "sku"

[[column]]
name = "Preis"
field = "price"
decimal = ","
thousands = "."

[[column]]
name = "Im Sortiment"
field = "sold"
yes = "ja"
no = "nein"

[[column]]
name = "Lager"
ignore = true
constant = "neu"
"#;

#[test]
fn json_lines_and_a_sheet_are_mapped_as_a_file_is() {
    for (file, format) in [
        ("preise.jsonl", "jsonl"),
        ("preise.json", "json"),
        ("preise.xlsx#Preise", "xlsx"),
    ] {
        let world = World::new();
        let shop = world.system("shop");
        shop.write("prices.csv", SHOP);
        shop.add_with("prices.csv", "csv", keyed(None));
        shop.add_remote("remote");
        shop.sync();
        let supplier = world.system("supplier");
        supplier.write("map.toml", TYPED_MAP);
        supplier.add_remote("remote");
        supplier.receive();
        supplier.add_with(
            file,
            format,
            AddSource {
                create: true,
                ..keyed(Some("map.toml"))
            },
        );
        supplier.sync();
        // Beside the mapping: the file in the words of its format.
        let path = file.split('#').next().unwrap();
        let cells = || {
            let beside = World::new();
            let plain = beside.system("plain");
            std::fs::copy(supplier.path(path), plain.path(path)).unwrap();
            let options = AddSource {
                key: vec!["Artikel".to_owned()],
                ..keyed(None)
            };
            plain.add_with(file, format, options);
            plain.sync();
            let mut rows = Vec::new();
            let mut each = |record: dsync::sync::RecordReport| {
                rows.push(record.record.to_string());
                Ok(())
            };
            plain.repository().cat("prices", &[], &mut each).unwrap();
            rows
        };
        assert_eq!(
            cells(),
            [
                r#"{"Artikel":"A1","Im Sortiment":"ja","Preis":"1,50"}"#,
                r#"{"Artikel":"B2","Im Sortiment":"nein","Preis":"1.234,25"}"#,
            ],
            "{format}"
        );
        // An edit on each side of one row.
        shop.edit("prices.csv", "1234.25", "1300.25");
        shop.edit("prices.csv", "true,1200", "false,1200");
        shop.sync();
        supplier.sync();
        assert_eq!(
            cells(),
            [
                r#"{"Artikel":"A1","Im Sortiment":"nein","Preis":"1,50"}"#,
                r#"{"Artikel":"B2","Im Sortiment":"nein","Preis":"1.300,25"}"#,
            ],
            "{format}"
        );
        if format != "xlsx" {
            supplier.edit(path, "\"1,50\"", "\"0,99\"");
            supplier.sync();
            shop.sync();
            assert!(
                shop.read("prices.csv").contains("A1,Apple,0.99,"),
                "{}",
                shop.read("prices.csv")
            );
        }
        shop.quiet();
        supplier.quiet();
    }
}
