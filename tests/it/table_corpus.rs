//! Tables that nobody of this project wrote: what is read of them arrives in other formats as another reader sees it.

use std::path::{Path, PathBuf};

use dsync::sync::AddSource;

use crate::world::{System, World};

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/tables")
        .join(folder);
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(root)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE.decode(rest).0.into_owned(),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).unwrap(),
        bytes => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
        },
    }
}

/// Reads a table with another reader; blank lines are no rows.
fn rows(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let mut rows = Vec::new();
    let (mut row, mut cell) = (Vec::new(), Vec::new());
    let mut input = text.as_bytes();
    loop {
        let mut out = [0; 256];
        let (result, read, written) = reader.read_field(input, &mut out);
        input = &input[read..];
        cell.extend_from_slice(&out[..written]);
        match result {
            csv_core::ReadFieldResult::Field { record_end } => {
                row.push(String::from_utf8(std::mem::take(&mut cell)).unwrap());
                if record_end {
                    rows.push(std::mem::take(&mut row));
                }
            }
            csv_core::ReadFieldResult::End => return rows,
            csv_core::ReadFieldResult::InputEmpty | csv_core::ReadFieldResult::OutputFull => {}
        }
    }
}

/// Brings rows to the header's width and sorts them; rows with more in them than the header has room for are left out.
fn settled(mut rows: Vec<Vec<String>>) -> (Vec<String>, Vec<Vec<String>>) {
    let header = rows.remove(0);
    rows.retain(|row| row.iter().skip(header.len()).all(String::is_empty));
    for row in &mut rows {
        row.resize(header.len(), String::new());
    }
    rows.sort();
    (header, rows)
}

fn add(system: &System<'_>, location: &str, format: &str) {
    add_in(system, location, format, None);
}

fn add_in(system: &System<'_>, location: &str, format: &str, encoding: Option<&str>) {
    let options = AddSource {
        collection: Some("t".to_owned()),
        encoding: encoding.map(str::to_owned),
        ..AddSource::default()
    };
    system.add_with(location, format, options);
}

/// A value as it can be compared where one reader has texts and the other has types.
fn plain(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) => format!("{number:e}"),
        Err(_) => text.to_ascii_lowercase(),
    }
}

/// Reads the values of JSON Lines with another reader.
fn objects(text: &str, columns: usize) -> Vec<Vec<String>> {
    let row = |line: &str| {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        assert_eq!(object.len(), columns, "{line}");
        let cell = |value: &serde_json::Value| match value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => plain(text),
            other => plain(&other.to_string()),
        };
        // Their order is not that of the columns for this reader.
        let mut cells: Vec<String> = object.values().map(cell).collect();
        cells.sort();
        cells
    };
    text.lines().map(row).collect()
}

#[test]
fn tables_of_others_arrive_whole() {
    let mut seen = 0;
    for (folder, format) in [("csv", "csv"), ("tsv", "tsv")] {
        for file in files(folder) {
            let world = World::new();
            let one = world.system("one");
            let bytes = std::fs::read(&file).unwrap();
            one.write("t.csv", &bytes);
            // What single bytes mean that are no UTF-8 a person has to state.
            let is_stated = std::str::from_utf8(&bytes).is_err() && !bytes.starts_with(b"\xFF\xFE");
            add_in(&one, "t.csv", format, is_stated.then_some("windows-1252"));
            one.sync();
            add(&one, "copy.tsv", "tsv");
            add(&one, "copy.db#t", "sqlite");
            add(&one, "copy.jsonl", "jsonl");
            one.sync();
            let text = decode(&bytes);
            let first = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
            let count = |mark: char| first.matches(mark).count();
            let delimiter = if format == "tsv" || count('\t') > count(',').max(count(';')) {
                b'\t'
            } else if count(';') > count(',') {
                b';'
            } else {
                b','
            };
            let wanted = settled(rows(&text, delimiter));
            let copied = settled(rows(&one.read("copy.tsv"), b'\t'));
            assert_eq!(copied, wanted, "{}", file.display());
            let database = rusqlite::Connection::open(one.path("copy.db")).unwrap();
            let stored: i64 = database
                .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
                .unwrap();
            assert_eq!(stored as usize, wanted.1.len(), "{}", file.display());
            let mut objects = objects(&one.read("copy.jsonl"), wanted.0.len());
            let plain_row = |row: &Vec<String>| {
                let mut row: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
                row.sort();
                row
            };
            let mut rows: Vec<Vec<String>> = wanted.1.iter().map(plain_row).collect();
            rows.sort();
            objects.sort();
            // An object has no two members of one name.
            let names: std::collections::BTreeSet<&String> = wanted.0.iter().collect();
            if names.len() == wanted.0.len() {
                assert_eq!(objects, rows, "{}", file.display());
            }
            // Nothing of it is an edit, and the file is what it was.
            assert!(
                one.sync()
                    .sources
                    .iter()
                    .all(|source| source.read.is_zero() && source.written.is_zero())
            );
            assert!(std::fs::read(one.path("t.csv")).unwrap() == bytes);
            seen += 1;
        }
    }
    assert!(seen > 35, "{seen}");
}
