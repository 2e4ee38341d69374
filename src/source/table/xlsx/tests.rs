use std::io::{Cursor, Read};
use std::path::PathBuf;

use calamine::{Data, Reader as _, Xlsx};
use proptest::prelude::*;

use super::*;
use crate::source::table::formats;

/// A workbook in a folder of its own.
struct File {
    folder: tempfile::TempDir,
    sheet: String,
}

fn corpus(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/tables/xlsx")
        .join(name);
    std::fs::read(path).unwrap()
}

impl File {
    fn new(bytes: &[u8], sheet: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.xlsx"), bytes).unwrap();
        Self {
            folder,
            sheet: sheet.to_owned(),
        }
    }

    fn location(&self) -> Location {
        Location {
            path: self.folder.path().join("t.xlsx"),
            table: Some(self.sheet.clone()).filter(|sheet| !sheet.is_empty()),
            password_file: None,
        }
    }

    fn try_open(&self) -> Result<Box<dyn Table>, SourceError> {
        XlsxTables::new().open(&Disk::default(), &self.location())
    }

    fn open(&self) -> Box<dyn Table> {
        self.try_open().unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.location().path).unwrap()
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

/// Texts by column.
fn rows(table: &dyn Table) -> Vec<Vec<Option<String>>> {
    values(table)
        .iter()
        .map(|row| {
            let texts = row
                .iter()
                .map(|value| from_value(value.as_ref()).text().map(std::borrow::Cow::into_owned));
            texts.collect()
        })
        .collect()
}

fn values(table: &dyn Table) -> Vec<Values> {
    let mut rows = Vec::new();
    let end = table.read(&mut |row| {
        let mut values = vec![None; table.columns().len()];
        table
            .cells(row.bytes, &mut |at, cell| values[at] = to_value(cell))
            .unwrap();
        rows.push(values);
        Ok(())
    });
    assert!(end.unwrap().is_complete);
    rows
}

fn names(table: &dyn Table) -> Vec<&str> {
    table.columns().iter().map(|column| column.name.as_str()).collect()
}

/// The parts of a workbook as they are packed.
fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let read = |name: String| {
        let mut packed = Vec::new();
        let at = archive.index_for_name(&name).unwrap();
        archive.by_index_raw(at).unwrap().read_to_end(&mut packed).unwrap();
        (name, packed)
    };
    names.into_iter().map(read).collect()
}

/// What another program's library sees.
fn seen(bytes: &[u8], sheet: &str) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let range = book.worksheet_range(sheet).unwrap();
    range
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect()
}

/// Makes a workbook whose sheet has these rows.
fn workbook(rows: &str) -> Vec<u8> {
    new_book(rows, "S").unwrap()
}

fn texts(row: u32, cells: &[&str]) -> String {
    let mut out = String::new();
    for (at, text) in (1u32..).zip(cells) {
        let place = name_of(at);
        write!(out, "<c r=\"{place}{row}\" t=\"inlineStr\"><is><t>{text}</t></is></c>").unwrap();
    }
    format!("<row r=\"{row}\">{out}</row>")
}

#[expect(clippy::unnecessary_wraps, reason = "cells of a row are optional")]
fn text(text: &str) -> Option<Value> {
    Some(text.into())
}

#[test]
fn numbers_texts_and_formulas_are_read_as_they_are_stored() {
    let rows_xml = texts(1, &["Price list"])
        + &texts(3, &["sku", "price", "total", "note"])
        + "<row r=\"4\"><c r=\"A4\" t=\"inlineStr\"><is><r><t>A</t></r><r><t xml:space=\"preserve\"> 1</t></r></is></c>\
           <c r=\"B4\"><v>1.10</v></c><c r=\"C4\"><f>B4*2</f><v>2.2</v></c><c r=\"D4\" t=\"e\"><v>#N/A</v></c></row>\
           <row r=\"5\"/><row><c><v>7</v></c><c t=\"b\"><v>1</v></c><c/><c t=\"str\"><v>a&amp;b_x000D_</v></c></row>";
    let file = File::new(&workbook(&rows_xml), "");
    let table = file.open();
    assert_eq!(names(&*table), ["sku", "price", "total", "note"]);
    assert!(table.columns()[2].is_read_only);
    let own = |cells: [Option<&str>; 4]| cells.map(|cell| cell.map(str::to_owned)).to_vec();
    assert_eq!(
        rows(&*table),
        [
            own([Some("A 1"), Some("1.1"), Some("2.2"), Some("#N/A")]),
            own([Some("7"), Some("true"), None, Some("a&b\r")])
        ]
    );
}

#[test]
fn a_written_cell_is_all_that_changes() {
    let bytes = corpus("qsv/excel-xlsx.xlsx");
    let file = File::new(&bytes, "Sheet1");
    let before = rows(&*file.open());
    let old = values(&*file.open())[0].clone();
    let mut new = old.clone();
    new[1] = text("  <changed> & \u{1}é\n");
    let insert = RowEdit::Insert {
        new: vec![text("new"); old.len()],
    };
    let refused = file.write(Vec::new(), vec![RowEdit::Update { row: 0, old, new }, insert]);
    assert_eq!(refused, []);
    let mut wanted = before.clone();
    wanted[0][1] = Some("  <changed> & \u{1}é\n".to_owned());
    wanted.push(vec![Some("new".to_owned()); wanted[0].len()]);
    assert_eq!(rows(&*file.open()), wanted);
    let (was, now) = (parts(&bytes), parts(&file.bytes()));
    let changed: Vec<&str> = was
        .iter()
        .zip(&now)
        .filter(|(was, now)| was != now)
        .map(|(was, _)| was.0.as_str())
        .collect();
    assert_eq!(changed, ["xl/workbook.xml", "xl/worksheets/sheet1.xml"]);
    let other = seen(&file.bytes(), "Sheet1");
    assert!(
        other
            .iter()
            .any(|row| row.iter().any(|cell| cell.contains("<changed>"))),
        "{other:?}"
    );
}

#[test]
fn cells_with_formulas_are_not_overwritten_and_removed_rows_are_emptied() {
    let rows_xml = texts(1, &["a", "b"])
        + "<row r=\"2\" ht=\"20\"><c r=\"A2\" s=\"0\"><v>1</v></c><c r=\"B2\"><f>A2</f><v>1</v></c></row>\
           <row r=\"3\"><c r=\"A3\"><v>2</v></c><c r=\"B3\"><v>3</v></c></row><row r=\"4\" ht=\"9\"/>";
    let file = File::new(&workbook(&rows_xml), "");
    let integer = |number: i64| Some(Value::Integer(number));
    let refused = file.write(
        Vec::new(),
        vec![
            RowEdit::Update {
                row: 0,
                old: vec![integer(1), integer(1)],
                new: vec![integer(5), integer(6)],
            },
            RowEdit::Delete {
                row: 1,
                old: Vec::new(),
            },
            RowEdit::Insert {
                new: vec![integer(8), None],
            },
        ],
    );
    assert_eq!(refused.len(), 1);
    assert!(refused[0].reason.contains("B2"), "{refused:?}");
    let mut book = Book::open(file.bytes()).unwrap();
    let sheet = book.part("xl/worksheets/sheet1.xml").unwrap();
    assert!(sheet.contains("<c r=\"B2\"><f>A2</f><v>1</v></c>"), "{sheet}");
    assert!(
        sheet.contains("<row r=\"3\"><c r=\"A3\"/><c r=\"B3\"/></row>"),
        "{sheet}"
    );
    assert!(
        sheet.contains("<row r=\"4\" ht=\"9\"><c r=\"A4\"><v>8</v></c></row>"),
        "{sheet}"
    );
    // The emptied row is no row, and the next new one comes below.
    assert_eq!(rows(&*file.open()).len(), 2);
}

#[test]
fn dates_follow_the_epoch_and_the_format_of_their_cells() {
    for (name, epoch) in [("calamine/date.xlsx", "1900"), ("calamine/date_1904.xlsx", "1904")] {
        let bytes = corpus(name);
        let mut book = Book::open(bytes).unwrap();
        let xml = book.part("xl/worksheets/sheet1.xml").unwrap();
        let shared = Shared {
            strings: &book.strings,
            styles: &book.styles,
            epoch: book.epoch,
        };
        let sheet = Sheet::read(xml, &shared).unwrap();
        let first = &sheet.rows[0].cells[0];
        assert_eq!(first.content.cell(), Cell::Text("2021-01-01".into()), "{epoch}");
    }
    // A header, a date, and a new one in the same form.
    let mut book = Book::open(corpus("calamine/date.xlsx")).unwrap();
    let rows_xml = texts(1, &["day"]) + "<row r=\"2\"><c r=\"A2\" s=\"1\"><v>44197</v></c></row>";
    let sheet = format!("<worksheet><dimension ref=\"A1:A2\"/><sheetData>{rows_xml}</sheetData></worksheet>");
    let file = File::new(&book.with_part("xl/worksheets/sheet1.xml", &sheet).unwrap(), "");
    assert_eq!(file.open().columns()[0].kind, Some(ColumnType::Date));
    file.write(
        Vec::new(),
        vec![
            RowEdit::Update {
                row: 0,
                old: vec![text("2021-01-01")],
                new: vec![text("2021-01-02")],
            },
            RowEdit::Insert {
                new: vec![text("2026-11-22")],
            },
        ],
    );
    let written = Book::open(file.bytes())
        .unwrap()
        .part("xl/worksheets/sheet1.xml")
        .unwrap();
    assert!(written.contains("<c r=\"A2\" s=\"1\"><v>44198</v></c>"), "{written}");
    assert!(written.contains("<c r=\"A3\" s=\"1\"><v>46348</v></c>"), "{written}");
    assert!(written.contains("<dimension ref=\"A1:A3\"/>"), "{written}");
    let mut other: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(file.bytes())).unwrap();
    let range = other.worksheet_range_at(0).unwrap().unwrap();
    assert!(matches!(range.get_value((2, 0)), Some(Data::DateTime(_))), "{range:?}");
}

#[test]
fn broken_workbooks_are_errors() {
    let whole = workbook(&texts(1, &["a"]));
    for bytes in [&b"PK"[..], &b""[..], &whole[..whole.len() / 2]] {
        assert!(File::new(bytes, "").try_open().is_err());
    }
    for rows in [
        "<row r=\"2\"/><row r=\"1\"/>",
        "<row r=\"1\"><c r=\"B1\"/><c r=\"A1\"/></row>",
        "<row r=\"9999999\"/>",
        "<row r=\"1\"><c t=\"s\"><v>5</v></c></row>",
    ] {
        assert!(File::new(&workbook(rows), "").try_open().is_err(), "{rows}");
    }
    assert!(matches!(
        File::new(&whole, "No such").try_open(),
        Err(SourceError::Missing(_))
    ));
}

#[test]
fn every_workbook_of_others_is_read_and_written_as_another_reader_sees_it() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tables/xlsx");
    let mut sheets = 0;
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&bytes)).unwrap();
        for (name, _) in Book::open(bytes.clone()).unwrap().sheets {
            sheets += 1;
            let file = File::new(&bytes, &name);
            let table = file.open();
            let range = book.worksheet_range(&name).unwrap();
            let strings: Vec<String> = range
                .rows()
                .flatten()
                .filter_map(|cell| match cell {
                    Data::String(text) => Some(text.trim().to_owned()),
                    _ => None,
                })
                .collect();
            for text in rows(&*table).into_iter().flatten().flatten() {
                let is_text = text.chars().any(char::is_alphabetic) && !text.starts_with('#') && text.len() < 200;
                let is_moment = text.as_bytes().get(10) == Some(&b'T');
                if is_text && !is_moment && !["true", "false"].contains(&text.as_str()) {
                    assert!(strings.contains(&text.trim().to_owned()), "{path:?} {name}: {text:?}");
                }
            }
            let Some(first) = values(&*table).first().cloned() else {
                continue;
            };
            let mut new = first.clone();
            new[0] = text("changed here");
            let before = parts(&bytes);
            let refused = file.write(
                Vec::new(),
                vec![RowEdit::Update {
                    row: 0,
                    old: first,
                    new,
                }],
            );
            if !refused.is_empty() {
                continue;
            }
            let other = seen(&file.bytes(), &name);
            assert!(
                other.iter().flatten().any(|cell| cell == "changed here"),
                "{path:?} {name}: {other:?}"
            );
            let after = parts(&file.bytes());
            let changed: Vec<&String> = before
                .iter()
                .filter(|part| !after.contains(part))
                .map(|part| &part.0)
                .collect();
            assert!(
                changed.len() <= 2 && after.len() == before.len(),
                "{path:?} {name}: {changed:?}"
            );
        }
    }
    assert!(sheets > 20, "{sheets}");
}

proptest! {
    /// Texts and numbers are read as they were written, by us and by another reader; what is not written stays.
    #[test]
    fn cells_come_back(
        new in proptest::collection::vec(("[ -~é\\n_x0-9]{0,8}", any::<i32>(), any::<bool>()), 1..6),
    ) {
        let file = File::new(&workbook(&(texts(1, &["t", "n", "b"]) + &texts(2, &["keep", "it", "so"]))), "");
        let wanted: Vec<Values> = new.iter().map(|(text, number, value)| {
            vec![Some(text.as_str().into()), Some(Value::Integer((*number).into())), Some(Value::Bool(*value))]
        }).collect();
        let inserts = wanted.iter().map(|new| RowEdit::Insert { new: new.clone() }).collect();
        prop_assert_eq!(file.write(Vec::new(), inserts), vec![]);
        prop_assert_eq!(&values(&*file.open())[1..], wanted.as_slice());
        let other = seen(&file.bytes(), "S");
        for (row, (text, number, _)) in other[2..].iter().zip(&new) {
            // Where a text is `_x….` only its own program decodes it.
            if !text.contains("_x") {
                prop_assert_eq!(&row[0], text);
            }
            prop_assert_eq!(&row[1], &number.to_string());
        }
        prop_assert_eq!(&other[1], &["keep", "it", "so"].map(str::to_owned).to_vec());
    }
}

#[test]
fn a_sheet_cut_at_any_byte_is_an_error() {
    let xml = format!(
        "<worksheet><sheetData>{}</sheetData></worksheet>",
        texts(1, &["a&amp;", "b"])
    );
    let shared = Shared {
        strings: &[],
        styles: &[],
        epoch: date::Epoch::Y1900,
    };
    let end = xml.find("</sheetData>").unwrap() + "</sheetData>".len();
    for cut in 0..end {
        assert!(Sheet::read(xml[..cut].to_owned(), &shared).is_err(), "{}", &xml[..cut]);
    }
    assert!(Sheet::read(xml, &shared).is_ok());
}

#[test]
fn the_format_is_known() {
    assert!(formats().iter().any(|format| format.info().name == "xlsx"));
    assert_eq!(XlsxTables::new().detect("a.XLSX", b"PK\x03\x04"), Confidence::Certain);
    assert_eq!(XlsxTables::new().detect("a.zip", b"PK\x03\x04"), Confidence::No);
}
