//! Tables in files that describe themselves, beside a CSV on another system.

use dsync::sync::AddSource;

use crate::world::{System, World};

const PRICES: &str = "sku,name,price,stock\nA1,Apple,1.50,10\nB2,\"Bread, dark\",3.20,5\nC3,Cheese,7,\n";

fn keyed(key: &str) -> AddSource {
    AddSource {
        collection: Some("prices".to_owned()),
        key: (!key.is_empty()).then(|| key.to_owned()).into_iter().collect(),
        ..AddSource::default()
    }
}

/// A system with the CSV, in step with the remote.
fn office(world: &World) -> System<'_> {
    let office = world.system("office");
    office.write("prices.csv", PRICES);
    office.add_with("prices.csv", "csv", keyed("sku"));
    office.add_remote("remote");
    office.sync();
    office
}

/// A system that gets the table in a new file.
fn shop<'w>(world: &'w World, file: &str, format: &str) -> System<'w> {
    let shop = world.system("shop");
    shop.add_remote("remote");
    shop.add_with(file, format, keyed(""));
    shop.sync();
    shop
}

fn sync_all(systems: &[&System<'_>]) {
    for _ in 0..2 {
        for system in systems {
            system.sync();
        }
    }
    for system in systems {
        system.quiet();
    }
}

#[test]
fn a_csv_and_json_lines_agree() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "prices.jsonl", "jsonl");
    let lines = "{\"sku\":\"A1\",\"name\":\"Apple\",\"price\":1.50,\"stock\":10}\n\
                 {\"sku\":\"B2\",\"name\":\"Bread, dark\",\"price\":3.20,\"stock\":5}\n\
                 {\"sku\":\"C3\",\"name\":\"Cheese\",\"price\":7,\"stock\":null}\n";
    assert_eq!(shop.read("prices.jsonl"), lines);
    shop.quiet();
    // An edit on each side; the shop's program writes its own spelling and more members.
    office.edit("prices.csv", "1.50,10", "1.75,10");
    shop.edit("prices.jsonl", "\"stock\":5}", "\"stock\": 4, \"tags\": [\"new\"]}");
    sync_all(&[&office, &shop]);
    assert_eq!(
        shop.read("prices.jsonl"),
        lines
            .replace("1.50", "1.75")
            .replace("\"stock\":5}", "\"stock\": 4, \"tags\": [\"new\"]}")
    );
    assert_eq!(
        office.read("prices.csv"),
        "sku,name,price,stock,tags\nA1,Apple,1.75,10\nB2,\"Bread, dark\",3.20,4,\"[\"\"new\"\"]\"\nC3,Cheese,7,\n"
    );
    // Rows come and go, and the last one too.
    office.write("prices.csv", "sku,name,price,stock,tags\nD4,Date,0.10,1,\n");
    office.sync_forced();
    sync_all(&[&shop, &office]);
    assert_eq!(
        shop.read("prices.jsonl"),
        "{\"sku\":\"D4\",\"name\":\"Date\",\"price\":0.10,\"stock\":1,\"tags\":null}\n"
    );
}

#[test]
fn a_broken_line_is_set_aside_and_deletes_nothing() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "prices.jsonl", "jsonl");
    shop.edit("prices.jsonl", "\"Bread, dark\"", "\"Bread, dark");
    shop.edit("prices.jsonl", "\"price\":7", "\"price\":8");
    let report = shop.sync();
    assert_eq!(report.sources[0].set_aside.len(), 1, "{report:?}");
    assert!(
        report.sources[0].set_aside[0].item.ends_with("prices.jsonl:2"),
        "{report:?}"
    );
    office.sync();
    assert_eq!(office.read("prices.csv"), PRICES.replace("Cheese,7", "Cheese,8"));
}

#[test]
fn a_csv_and_a_json_array_agree() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "prices.json", "json");
    let array = "[\n{\"sku\":\"A1\",\"name\":\"Apple\",\"price\":1.50,\"stock\":10},\n\
                 {\"sku\":\"B2\",\"name\":\"Bread, dark\",\"price\":3.20,\"stock\":5},\n\
                 {\"sku\":\"C3\",\"name\":\"Cheese\",\"price\":7,\"stock\":null}\n]\n";
    assert_eq!(shop.read("prices.json"), array);
    office.edit("prices.csv", "1.50,10", "1.75,10");
    shop.edit("prices.json", "\"stock\":null", "\"stock\":0");
    sync_all(&[&office, &shop]);
    let both = array.replace("1.50", "1.75").replace("\"stock\":null", "\"stock\":0");
    assert_eq!(shop.read("prices.json"), both);
    assert_eq!(
        office.read("prices.csv"),
        PRICES.replace("1.50", "1.75").replace("Cheese,7,", "Cheese,7,0")
    );
}

/// The cells of a sheet as another reader sees them.
fn sheet(system: &System<'_>, file: &str) -> Vec<String> {
    use calamine::{Reader as _, Xlsx, open_workbook};
    let mut book: Xlsx<_> = open_workbook(system.path(file)).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let line = |row: &[calamine::Data]| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
    range.rows().map(line).collect()
}

#[test]
fn a_csv_and_a_workbook_agree() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "prices.xlsx#Prices", "xlsx");
    let table = [
        "sku|name|price|stock",
        "A1|Apple|1.5|10",
        "B2|Bread, dark|3.2|5",
        "C3|Cheese|7|",
    ];
    assert_eq!(sheet(&shop, "prices.xlsx"), table);
    shop.quiet();
    // A workbook of somebody, with the same rows and more, comes into the collection.
    let desk = world.system("desk");
    desk.add_remote("remote");
    std::fs::copy(shop.path("prices.xlsx"), desk.path("prices.xlsx")).unwrap();
    desk.add_with("prices.xlsx", "xlsx", keyed("sku"));
    sync_all(&[&desk, &office]);
    assert_eq!(
        office.read("prices.csv"),
        PRICES,
        "1.5 is the form a sheet has of 1.50, no edit"
    );
    // An edit on each side, a row that goes and one that comes.
    office.write(
        "prices.csv",
        PRICES
            .replace("1.50,10", "1.75,10")
            .replace("B2,\"Bread, dark\",3.20,5\n", "")
            + "D4,Date,0.10,1\n",
    );
    sync_all(&[&office, &shop, &desk]);
    let emptied = [
        "sku|name|price|stock",
        "A1|Apple|1.75|10",
        "|||",
        "C3|Cheese|7|",
        "D4|Date|0.1|1",
    ];
    assert_eq!(sheet(&shop, "prices.xlsx"), emptied);
    assert_eq!(sheet(&desk, "prices.xlsx"), emptied);
}

#[cfg(feature = "parquet")]
#[test]
fn a_csv_and_a_parquet_file_agree() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "prices.parquet", "parquet");
    shop.quiet();
    // What the file holds arrives as it is on a system that starts from it.
    let copy = world.system("copy");
    std::fs::copy(shop.path("prices.parquet"), copy.path("prices.parquet")).unwrap();
    copy.add_with("prices.parquet", "", keyed("sku"));
    copy.add_with("prices.csv", "csv", keyed(""));
    copy.sync();
    assert_eq!(
        copy.read("prices.csv"),
        "sku,name,price,stock\nA1,Apple,1.50,10\nB2,\"Bread, dark\",3.20,5\nC3,Cheese,7.00,\n"
    );
    // Edits on both sides; what the column makes of 7 goes nowhere.
    office.edit("prices.csv", "1.50,10", "1.75,11");
    office.write("prices.csv", office.read("prices.csv") + "D4,Date,0.1,2\n");
    sync_all(&[&office, &shop]);
    assert_eq!(
        office.read("prices.csv"),
        "sku,name,price,stock\nA1,Apple,1.75,11\nB2,\"Bread, dark\",3.20,5\nC3,Cheese,7,\nD4,Date,0.1,2\n"
    );
    // A value that the column cannot hold is told and stays what it is elsewhere.
    office.edit("prices.csv", "0.1,2", "0.125,2");
    office.sync();
    let report = shop.sync();
    let told = &report.sources[0].set_aside;
    assert!(told.len() == 1 && told[0].reason.contains("0.125"), "{report:?}");
    assert!(office.read("prices.csv").contains("D4,Date,0.125,2"));
}

fn aside(report: &dsync::sync::SyncReport) -> Vec<(String, String)> {
    let all = report.sources.iter().flat_map(|source| &source.set_aside);
    let mut all: Vec<_> = all.map(|one| (one.item.clone(), one.reason.clone())).collect();
    all.sort();
    all
}

#[test]
fn letters_that_depend_on_the_code_page_wait_until_it_is_stated() {
    let (encoded, _, _) = encoding_rs::WINDOWS_1251.encode("sku,name,price\nA1,Apple,1\nB2,Хлеб,2\nC3,Сыр,3\n");
    let world = World::new();
    let office = world.system("office");
    office.write("prices.csv", &encoded);
    office.add_with("prices.csv", "csv", keyed("sku"));
    office.add_remote("remote");
    let report = office.sync();
    let waiting = aside(&report);
    assert_eq!(waiting.len(), 2, "{waiting:?}");
    assert!(waiting[0].0.ends_with("prices.csv:3"), "{waiting:?}");
    assert!(
        waiting[0].1.contains("`--encoding`") && waiting[0].1.contains("`Õëåá` in windows-1252"),
        "{waiting:?}"
    );
    let shop = shop(&world, "copy.csv", "csv");
    assert_eq!(shop.read("copy.csv"), "sku,name,price\nA1,Apple,1\n");
    // What is written into such a file is what every reader reads alike.
    shop.write("copy.csv", "sku,name,price\nA1,Äpfel,1\nD4,Сахар,4\n");
    shop.sync();
    let waiting = aside(&office.sync());
    assert!(
        waiting
            .iter()
            .any(|(item, reason)| item.ends_with("`D4`") && reason.contains("`--encoding`")),
        "{waiting:?}"
    );
    let bytes = std::fs::read(office.path("prices.csv")).unwrap();
    assert!(bytes.windows(5).any(|found| found == b"A1,\xC4p"), "{bytes:?}");
    // Once it is stated, the rows come in; nothing that was read before counts as edited.
    let config = office.path(".dsync/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace("format = \"csv\"", "format = \"csv\"\nencoding = \"windows-1251\""),
    )
    .unwrap();
    let report = office.sync();
    assert_eq!(aside(&report), [], "{report:?}");
    assert_eq!(report.conflicts.open, 0);
    shop.sync();
    assert_eq!(
        shop.read("copy.csv"),
        "sku,name,price\nA1,Äpfel,1\nD4,Сахар,4\nB2,Хлеб,2\nC3,Сыр,3\n"
    );
    shop.edit("copy.csv", "Сыр", "Творог");
    shop.sync();
    office.sync();
    let text = std::fs::read(office.path("prices.csv")).unwrap();
    let (text, _, is_broken) = encoding_rs::WINDOWS_1251.decode(&text);
    assert!(
        !is_broken && text.contains("C3,Творог,3\n") && text.contains("D4,Сахар,4\n"),
        "{text}"
    );
    office.quiet();
    shop.quiet();
}

#[test]
fn a_stated_encoding_is_read_written_and_made() {
    let world = World::new();
    let shop = world.system("shop");
    for (label, text) in [
        ("shift_jis", "sku,name\nA1,表|ソ\nB2,林檎\n"),
        ("gb18030", "sku,name\nA1,苹果\nB2,\"面包,黑\"\n"),
        ("iso-8859-2", "sku,name\nA1,Jiří\nB2,Żółć\n"),
        ("utf-16le", "sku,name\nA1,Jiří\nB2,Żółć\n"),
    ] {
        let options = |create| AddSource {
            collection: Some(label.to_owned()),
            key: vec!["sku".to_owned()],
            encoding: Some(label.to_owned()),
            create,
            ..AddSource::default()
        };
        let page = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
        let encoded = |text: &str| -> Vec<u8> {
            if label.starts_with("utf-16") {
                return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            }
            page.encode(text).0.into_owned()
        };
        let (file, made) = (format!("{label}.csv"), format!("{label}-made.csv"));
        shop.write(&file, encoded(text));
        shop.add_with(&file, "csv", options(false));
        shop.sync();
        shop.add_with(&made, "csv", options(true));
        assert_eq!(aside(&shop.sync()), []);
        let made_text = |bytes: Vec<u8>| page.decode(&bytes).0.into_owned();
        assert_eq!(made_text(std::fs::read(shop.path(&made)).unwrap()), text, "{label}");
        let later = text.replace("B2,", "B3,");
        shop.write(
            &made,
            [
                if label.starts_with("utf-16") {
                    &b"\xFF\xFE"[..]
                } else {
                    b""
                },
                &encoded(&later),
            ]
            .concat(),
        );
        shop.sync();
        assert_eq!(std::fs::read(shop.path(&file)).unwrap(), encoded(&later), "{label}");
        shop.quiet();
    }
    for (file, encoding, words) in [
        ("x.csv", "latin-17", "is no encoding"),
        ("x.jsonl", "koi8-r", "say their encoding themselves"),
    ] {
        let options = AddSource {
            location: file.to_owned(),
            encoding: Some(encoding.to_owned()),
            create: true,
            ..AddSource::default()
        };
        let error = shop.repository().add_source(&shop.dir(), &options).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}
