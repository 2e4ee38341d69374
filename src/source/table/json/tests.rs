use proptest::prelude::*;

use super::*;
use crate::source::table::formats;

/// A file in a folder of its own.
struct File {
    folder: tempfile::TempDir,
    format: &'static str,
}

impl File {
    fn new(format: &'static str, content: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t"), content).unwrap();
        Self { folder, format }
    }

    fn open(&self) -> Box<dyn Table> {
        let format = formats().into_iter().find(|format| format.info().name == self.format);
        let location = Location {
            path: self.folder.path().join("t"),
            table: None,
            password_file: None,
        };
        format.unwrap().open(&Disk::default(), &location).unwrap()
    }

    fn content(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("t")).unwrap()
    }

    fn write(&self, columns: Vec<ColumnEdit>, rows: Vec<RowEdit>) -> Vec<RowRefusal> {
        let mut table = self.open();
        table.read(&mut |_| Ok(())).unwrap();
        match table
            .write(&TableWrite {
                columns,
                rows: rows.into(),
            })
            .unwrap()
        {
            WriteOutcome::Written(refused) => refused,
            WriteOutcome::Busy(reason) => panic!("{reason}"),
        }
    }
}

/// Cells by column; an error where a row is set aside.
fn rows(table: &dyn Table) -> Vec<Result<Values, String>> {
    let mut rows = Vec::new();
    let end = table.read(&mut |row| {
        let mut values = vec![None; table.columns().len()];
        let read = table.cells(row.bytes, &mut |at, cell| values[at] = to_value(cell));
        rows.push(read.map(|()| values).map_err(|error| error.reason));
        Ok(())
    });
    assert!(end.is_ok());
    rows
}

fn names(table: &dyn Table) -> Vec<&str> {
    table.columns().iter().map(|column| column.name.as_str()).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "cells of a row are optional")]
fn text(text: &str) -> Option<Value> {
    Some(text.into())
}

fn update(row: u64, old: Values, new: Values) -> RowEdit {
    RowEdit::Update { row, old, new }
}

const LINES: &str = "{\"sku\": \"A1\", \"price\": 1.10, \"tags\": [ \"x\" ], \"note\": null}\r\n\r\n{\"sku\": \"B2\", \"stock\": 12345678901234567890}\r\n{\"sku\": \"C3\", \"price\": \"}\r\n{\"sku\": \"D4\", \"note\": \"\"}";

#[test]
fn lines_are_read_exactly_and_a_broken_one_hides_no_other() {
    let file = File::new("jsonl", &format!("\u{feff}{LINES}"));
    let table = file.open();
    assert_eq!(names(&*table), ["sku", "price", "tags", "note", "stock"]);
    let kinds: Vec<_> = table.columns().iter().map(|column| column.kind.unwrap()).collect();
    assert_eq!(
        kinds,
        [
            ColumnType::Text,
            ColumnType::Decimal,
            ColumnType::Json,
            ColumnType::Text,
            ColumnType::Decimal
        ]
    );
    let rows = rows(&*table);
    let decimal = |text: &str| Some(Value::Decimal(text.into()));
    assert_eq!(rows.len(), 4);
    assert_eq!(
        rows[0],
        Ok(vec![text("A1"), decimal("1.10"), text("[\"x\"]"), None, None])
    );
    assert_eq!(
        rows[1],
        Ok(vec![text("B2"), None, None, None, decimal("12345678901234567890")])
    );
    assert!(
        rows[2]
            .as_ref()
            .is_err_and(|reason| reason.contains("string that does not end")),
        "{rows:?}"
    );
    assert_eq!(rows[3], Ok(vec![text("D4"), None, None, text(""), None]));
}

#[test]
fn a_changed_line_changes_in_the_member_alone() {
    let file = File::new("jsonl", LINES);
    let old = vec![
        text("A1"),
        Some(Value::Decimal("1.10".into())),
        text("[\"x\"]"),
        None,
        None,
    ];
    let mut new = old.clone();
    new[1] = Some(Value::Decimal("1.20".into()));
    new[4] = Some(Value::Integer(3));
    let refused = file.write(
        Vec::new(),
        vec![
            update(0, old, new),
            update(2, Vec::new(), Vec::new()),
            RowEdit::Insert {
                new: vec![text("E5"), None, text("{\"a\":[1]}"), text("é\n"), None],
            },
        ],
    );
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].edit, 1);
    let wanted = LINES
        .replace("1.10", "1.20")
        .replace("\"note\": null}", "\"note\": null, \"stock\": 3}");
    assert_eq!(
        file.content(),
        wanted + "\r\n{\"sku\": \"E5\", \"price\": null, \"tags\": {\"a\":[1]}, \"note\": \"é\\n\", \"stock\": null}"
    );
}

#[test]
fn a_column_outlives_the_only_row_that_has_it() {
    let file = File::new("jsonl", "{\"a\":1}\n{\"a\":2,\"b\":3}\n");
    file.write(
        vec![ColumnEdit::Add {
            name: "c".to_owned(),
            kind: ColumnType::Text,
        }],
        vec![RowEdit::Delete {
            row: 1,
            old: Vec::new(),
        }],
    );
    assert_eq!(file.content(), "{\"a\":1,\"b\":null,\"c\":null}\n");
    file.write(
        vec![ColumnEdit::Rename {
            column: 1,
            name: "B".to_owned(),
        }],
        vec![RowEdit::Delete {
            row: 0,
            old: Vec::new(),
        }],
    );
    assert_eq!(file.content(), "");
    let mut table = file.open();
    table.expect(&["a".to_owned(), "B".to_owned()]);
    assert_eq!(names(&*table), ["a", "B"]);
}

#[test]
fn arrays_keep_their_form() {
    let array =
        "[\n  {\n    \"a\": 1,\n    \"b\": [1, 2]\n  },\n  {\"a\": 2} ,\n  {\n    \"a\": 3,\n    \"b\": {}\n  }\n]\n";
    let delete = |row| RowEdit::Delete { row, old: Vec::new() };
    let insert = RowEdit::Insert {
        new: vec![Some(Value::Integer(4)), None],
    };
    let after = |edits: Vec<RowEdit>| {
        let file = File::new("json", array);
        assert_eq!(file.write(Vec::new(), edits), []);
        file.content()
    };
    assert_eq!(after(Vec::new()), array);
    let new = "{\n    \"a\": 4,\n    \"b\": null\n  }";
    assert_eq!(
        after(vec![insert.clone()]),
        array.replace("}\n]", &format!("}},\n  {new}\n]"))
    );
    assert_eq!(after(vec![delete(1)]), array.replace("  {\"a\": 2} ,\n", ""));
    assert_eq!(after(vec![delete(0), delete(2)]), "[\n  {\"a\": 2, \"b\": null}\n]\n");
    assert_eq!(after(vec![delete(0), delete(1), delete(2)]), "[\n]\n");
    assert_eq!(
        after(vec![delete(0), delete(1), delete(2), insert.clone()]),
        format!("[\n  {new}\n]\n")
    );
    let empty = File::new("json", "[]\n");
    let added = ["a", "b"].map(|name| ColumnEdit::Add {
        name: name.to_owned(),
        kind: ColumnType::Integer,
    });
    empty.write(added.to_vec(), vec![insert.clone(), insert]);
    assert_eq!(empty.content(), "[\n{\"a\":4,\"b\":null},\n{\"a\":4,\"b\":null}\n]\n");
}

#[test]
fn broken_elements_and_cut_files_are_told() {
    let file = File::new(
        "json",
        "[{\"id\":1},[2],{\"id\":3,\"id\":42},{\"id\":\"\\ud800\"},,{\"id\":5}]",
    );
    let found = rows(&*file.open());
    assert_eq!(found.iter().filter(|row| row.is_ok()).count(), 2, "{found:?}");
    assert_eq!(found.len(), 6);
    for cut in ["[{\"id\":1},{\"id\":", "[{\"id\":1}", "[{\"id\":1},", "["] {
        let table = File::new("json", cut);
        let end = table.open().read(&mut |_| Ok(())).unwrap();
        assert!(!end.is_complete, "{cut}");
    }
    let cut = File::new("jsonl", "{\"id\":1}\n{\"id\":");
    assert!(!cut.open().read(&mut |_| Ok(())).unwrap().is_complete);
}

#[test]
fn a_file_cut_at_any_byte_deletes_nothing() {
    let array = "[{\"a\":\"]}\",\"b\":[1,{}]},\n {\"a\":null}]";
    for cut in 1..array.len() {
        let end = File::new("json", &array[..cut]).open().read(&mut |_| Ok(()));
        assert!(!end.unwrap().is_complete, "{}", &array[..cut]);
    }
    let line = "{\"a\":\"}\",\"b\":[1,{}]}";
    for cut in 1..line.len() {
        let end = File::new("jsonl", &line[..cut]).open().read(&mut |_| Ok(()));
        assert!(!end.unwrap().is_complete, "{}", &line[..cut]);
    }
}

#[test]
fn what_a_place_shows_is_what_it_reads() {
    let file = File::new("jsonl", "{\"t\":\"x\",\"j\":{ \"a\" : 1.0 },\"f\":1.5}\n");
    let table = file.open();
    assert_eq!(table.shown(0, text("[1, 2]")), text("[1, 2]"));
    assert_eq!(table.shown(1, text("[1, 2]")), text("[1,2]"));
    assert_eq!(table.shown(2, Some(Value::Float(f64::NAN))), text("NaN"));
    assert_eq!(
        table.shown(2, Some(Value::Decimal("2.50".into()))),
        Some(Value::Decimal("2.50".into()))
    );
    assert_eq!(table.shown(0, None), None);
}

proptest! {
    /// Whatever is edited, other rows keep their bytes and every row shows what was asked for.
    #[test]
    fn edits_arrive_and_touch_nothing_else(
        prices in proptest::collection::vec(proptest::option::of(0i64..99), 1..8),
        edits in proptest::collection::vec(0u8..4, 8),
        is_array: bool,
        is_open: bool,
    ) {
        let objects: Vec<String> = prices.iter().enumerate().map(|(at, price)| match price {
            Some(price) => format!("{{ \"id\":{at}, \"p\" : {price}.50, \"x\":{{ }} }}"),
            None => format!("{{\"id\":{at},\"x\":[ ]}}"),
        }).collect();
        let content = if is_array {
            format!("[\n {}\n]", objects.join(" ,\n "))
        } else {
            objects.join("\n") + if is_open { "" } else { "\n" }
        };
        let file = File::new(if is_array { "json" } else { "jsonl" }, &content);
        let before = rows(&*file.open());
        let table = file.open();
        let at = names(&*table).iter().position(|name| *name == "p");
        let mut wanted = Vec::new();
        let mut write = Vec::new();
        let mut kept = Vec::new();
        for (row, old) in before.iter().enumerate() {
            let old = old.clone().unwrap();
            match (edits[row], at) {
                (0, _) => write.push(RowEdit::Delete { row: row as u64, old }),
                (1, Some(at)) => {
                    let mut new = old.clone();
                    new[at] = Some(Value::Decimal("0.10".into()));
                    wanted.push(new.clone());
                    write.push(update(row as u64, old, new));
                }
                _ => {
                    wanted.push(old);
                    kept.push(&objects[row]);
                }
            }
        }
        let new: Values = table.columns().iter().map(|_| Some(Value::Integer(7))).collect();
        wanted.push(new.clone());
        write.push(RowEdit::Insert { new });
        let order: Vec<String> = names(&*table).iter().map(|name| (*name).to_owned()).collect();
        prop_assert_eq!(file.write(Vec::new(), write), vec![]);
        let mut after = file.open();
        after.expect(&order);
        prop_assert_eq!(names(&*after), order);
        let found: Vec<Values> = rows(&*after).into_iter().map(Result::unwrap).collect();
        prop_assert_eq!(found, wanted, "{}", file.content());
        let content = file.content();
        for object in kept {
            prop_assert!(content.contains(object.as_str()), "{}\n{}", object, content);
        }
    }
}
