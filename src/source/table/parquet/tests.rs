use std::path::PathBuf;

use parquet::file::metadata::KeyValue;
use proptest::prelude::*;

use super::*;
use crate::model::row::ColumnType;
use crate::source::table::{ColumnEdit, RowEdit, RowRefusal, Values};

/// A file in a folder of its own.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(bytes: &[u8]) -> Self {
        let file = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn made(columns: &[(&str, ColumnType)]) -> Self {
        let columns: Vec<TableColumn> = columns
            .iter()
            .map(|(name, kind)| TableColumn {
                name: (*name).to_owned(),
                kind: Some(*kind),
                key: None,
                is_read_only: false,
            })
            .collect();
        Self::new(&write::empty(&columns).unwrap())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("t.parquet")
    }

    fn open(&self) -> ParquetTable {
        ParquetTable::open(&Disk::default(), &self.path()).unwrap()
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

/// The texts of cells by column; an error where a row is set aside.
fn rows(table: &ParquetTable) -> Vec<Result<Vec<Option<String>>, String>> {
    let mut rows = Vec::new();
    table
        .read(&mut |row| {
            let mut cells = vec![None; table.columns.len()];
            let read = table.cells(row.bytes, &mut |at, cell| {
                cells[at] = cell.text().map(std::borrow::Cow::into_owned);
            });
            rows.push(read.map(|()| cells).map_err(|error| error.reason));
            Ok(())
        })
        .unwrap();
    rows
}

fn values(table: &ParquetTable) -> Vec<Values> {
    let mut rows = Vec::new();
    table
        .read(&mut |row| {
            let mut values = vec![None; table.columns.len()];
            table
                .cells(row.bytes, &mut |at, cell| values[at] = to_value(cell))
                .unwrap();
            rows.push(values);
            Ok(())
        })
        .unwrap();
    rows
}

fn corpus(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tables/parquet");
    std::fs::read(root.join(name)).unwrap()
}

const CORPUS: [&str; 14] = [
    "frictionless-py/table.parquet",
    "parquet-testing/alltypes_plain.parquet",
    "parquet-testing/alltypes_plain.snappy.parquet",
    "parquet-testing/byte_array_decimal.parquet",
    "parquet-testing/datapage_v2.snappy.parquet",
    "parquet-testing/delta_encoding_required_column.parquet",
    "parquet-testing/fixed_length_byte_array.parquet",
    "parquet-testing/float16_zeros_and_nans.parquet",
    "parquet-testing/int96_from_spark.parquet",
    "parquet-testing/list_columns.parquet",
    "parquet-testing/nested_maps.snappy.parquet",
    "parquet-testing/nulls.snappy.parquet",
    "parquet-testing/rle_boolean_encoding.parquet",
    "parquet-testing/single_nan.parquet",
];

fn first(name: &str, number: usize) -> String {
    let file = File::new(&corpus(name));
    let rows = rows(&file.open());
    let row = rows[number].as_ref().unwrap();
    let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect();
    cells.join(" | ")
}

/// What `pyarrow` 25 shows of the same rows.
#[test]
fn files_of_other_programs_show_what_another_reader_shows() {
    assert_eq!(first("frictionless-py/table.parquet", 1), "2 | 中国人");
    assert_eq!(
        first("parquet-testing/alltypes_plain.parquet", 1),
        "5 | false | 1 | 1 | 1 | 10 | 1.1 | 10.1 | \\x30332f30312f3039 | \\x31 | 2009-03-01 00:01:00"
    );
    assert_eq!(first("parquet-testing/byte_array_decimal.parquet", 1), "2.00");
    assert_eq!(
        first("parquet-testing/datapage_v2.snappy.parquet", 0),
        "abc | 1 | 2.0 | true | [1,2,3]"
    );
    assert_eq!(
        first("parquet-testing/datapage_v2.snappy.parquet", 1),
        "abc | 2 | 3.0 | true | NULL"
    );
    assert_eq!(
        first("parquet-testing/fixed_length_byte_array.parquet", 0),
        "\\x000003e8"
    );
    assert_eq!(first("parquet-testing/fixed_length_byte_array.parquet", 1), "NULL");
    assert_eq!(first("parquet-testing/float16_zeros_and_nans.parquet", 0), "NULL");
    assert_eq!(first("parquet-testing/float16_zeros_and_nans.parquet", 2), "NaN");
    assert_eq!(first("parquet-testing/single_nan.parquet", 0), "NULL");
}

#[test]
fn a_file_shows_what_its_csv_says() {
    let csv = corpus("parquet-testing/delta_encoding_required_column_expect.csv");
    let csv = String::from_utf8(csv).unwrap();
    let file = File::new(&corpus("parquet-testing/delta_encoding_required_column.parquet"));
    let rows = rows(&file.open());
    assert_eq!(rows.len(), 100);
    for (row, line) in rows.iter().zip(csv.lines().skip(1)) {
        let cells: Vec<String> = row.as_ref().unwrap().iter().map(|cell| cell.clone().unwrap()).collect();
        assert_eq!(format!("\"{}\"", cells.join("\",\"")), line);
    }
}

#[test]
fn a_changed_file_keeps_every_other_row_and_its_form() {
    for name in CORPUS {
        let file = File::new(&corpus(name));
        let table = file.open();
        let before = rows(&table);
        let old = values(&table);
        let codec = table.reader.metadata().row_group(0).column(0).compression();
        let schema = table.reader.metadata().file_metadata().schema().clone();
        let pairs = table.reader.metadata().file_metadata().key_value_metadata().cloned();
        drop(table);
        // The first row goes, the last one comes again.
        let last = old.len() as u64 - 1;
        let mut edits = vec![RowEdit::Delete {
            row: 0,
            old: old[0].clone(),
        }];
        let columns = file.open().columns.clone();
        let mut again = old[old.len() - 1].clone();
        for (value, column) in again.iter_mut().zip(&columns) {
            if !column.kind.is_written() {
                *value = None;
            }
        }
        edits.push(RowEdit::Insert { new: again });
        let refused = file.write(Vec::new(), edits);
        let needs = columns
            .iter()
            .any(|column| !column.kind.is_written() && !column.is_optional);
        assert_eq!(refused.len(), usize::from(needs), "{name}: {refused:?}");
        let table = file.open();
        let after = rows(&table);
        let kept = &after[..before.len() - 1];
        assert_eq!(kept, &before[1..], "{name}");
        assert_eq!(after.len(), before.len() - usize::from(needs), "{name}");
        assert_eq!(
            table.reader.metadata().row_group(0).column(0).compression(),
            codec,
            "{name}"
        );
        assert_eq!(*table.reader.metadata().file_metadata().schema(), schema, "{name}");
        assert_eq!(
            table.reader.metadata().file_metadata().key_value_metadata().cloned(),
            pairs,
            "{name}"
        );
        assert!(last < 2000);
    }
}

const KINDS: [(&str, ColumnType); 10] = [
    ("text", ColumnType::Text),
    ("whole", ColumnType::Integer),
    ("exact", ColumnType::Decimal),
    ("real", ColumnType::Float),
    ("yes", ColumnType::Boolean),
    ("day", ColumnType::Date),
    ("clock", ColumnType::Time),
    ("stamp", ColumnType::Timestamp),
    ("raw", ColumnType::Bytes),
    ("tree", ColumnType::Json),
];

fn row(number: i64) -> Values {
    let text = |text: &str| Some(Value::Text(text.into()));
    vec![
        text(&format!("row {number}")),
        Some(Value::Integer(number)),
        Some(Value::Decimal(format!("{number}.25").into())),
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        Some(Value::Float(number as f64 + 0.5)),
        Some(Value::Bool(number % 2 == 0)),
        text("2026-11-22"),
        text("14:30:05.25"),
        text("2026-11-22 14:30:05.123456+00:00"),
        Some(Value::Bytes(vec![0, 255])),
        text("{\"a\": [1,  2]}"),
    ]
}

#[test]
fn a_new_file_holds_every_type() {
    let file = File::made(&KINDS);
    assert!(rows(&file.open()).is_empty());
    let inserts = vec![
        RowEdit::Insert { new: row(1) },
        RowEdit::Insert {
            new: vec![None; KINDS.len()],
        },
    ];
    assert_eq!(file.write(Vec::new(), inserts), []);
    let table = file.open();
    assert_eq!(values(&table), [row(1), vec![None; KINDS.len()]]);
    let kinds: Vec<ColumnType> = table.columns().iter().map(|column| column.kind.unwrap()).collect();
    assert_eq!(kinds, KINDS.map(|(_, kind)| kind));
    // Digits behind the point are those of the first rows; more do not fit, fewer are filled up.
    let mut more = row(2);
    more[2] = Some(Value::Decimal("1.255".into()));
    let mut fewer = row(3);
    fewer[2] = Some(Value::Integer(7));
    let refused = file.write(
        Vec::new(),
        vec![RowEdit::Insert { new: more }, RowEdit::Insert { new: fewer }],
    );
    assert!(refused.len() == 1 && refused[0].reason.contains("exact"), "{refused:?}");
    let table = file.open();
    assert_eq!(rows(&table)[2].as_ref().unwrap()[2].as_deref(), Some("7.00"));
    assert_eq!(
        table.shown(2, Some(Value::Integer(7))),
        Some(Value::Decimal("7.00".into()))
    );
    // Columns come and get other names; old rows have nothing there.
    let added = ColumnEdit::Add {
        name: "more".to_owned(),
        kind: ColumnType::Integer,
    };
    let renamed = ColumnEdit::Rename {
        column: 0,
        name: "words".to_owned(),
    };
    let mut old = row(1);
    old.push(None);
    let mut new = old.clone();
    new[10] = Some(Value::Integer(5));
    new[0] = None;
    let update = RowEdit::Update {
        row: 0,
        old,
        new: new.clone(),
    };
    assert_eq!(file.write(vec![added, renamed], vec![update]), []);
    let table = file.open();
    assert_eq!(
        (table.listed[0].name.as_str(), table.listed[10].name.as_str()),
        ("words", "more")
    );
    assert_eq!(values(&table)[0], new);
    assert_eq!(values(&table)[1], vec![None; 11]);
}

#[test]
fn row_groups_and_metadata_stay() {
    let file = File::made(&KINDS[..2]);
    let insert = |number: i64| RowEdit::Insert {
        new: row(number)[..2].to_vec(),
    };
    file.write(Vec::new(), (0..10).map(insert).collect());
    // Cut into groups of four by another writer.
    let table = file.open();
    let schema = table.reader.metadata().file_metadata().schema_descr().root_schema_ptr();
    let pair = KeyValue::new("about".to_owned(), "me".to_owned());
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::ZSTD(parquet::basic::ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![pair.clone()]))
        .build();
    let mut out = Vec::new();
    let mut writer = parquet::file::writer::SerializedFileWriter::new(&mut out, schema, properties.into()).unwrap();
    for start in [0, 4, 8] {
        let mut group = writer.next_row_group().unwrap();
        let numbers: Vec<i64> = (start..(start + 4).min(10)).collect();
        let levels = vec![1; numbers.len()];
        let texts: Vec<parquet::data_type::ByteArray> = numbers
            .iter()
            .map(|number| format!("row {number}").into_bytes().into())
            .collect();
        let mut column = group.next_column().unwrap().unwrap();
        let typed = column.typed::<parquet::data_type::ByteArrayType>();
        typed.write_batch(&texts, Some(&levels), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let typed = column.typed::<parquet::data_type::Int64Type>();
        typed.write_batch(&numbers, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
    std::fs::write(file.path(), out).unwrap();
    let old = |number: i64| row(number)[..2].to_vec();
    let mut edits: Vec<RowEdit> = (0..4)
        .map(|number| RowEdit::Delete {
            row: number,
            old: old(number.cast_signed()),
        })
        .collect();
    edits.push(RowEdit::Delete { row: 5, old: old(5) });
    edits.extend((20..27).map(insert));
    assert_eq!(file.write(Vec::new(), edits), []);
    let table = file.open();
    let groups: Vec<i64> = table
        .reader
        .metadata()
        .row_groups()
        .iter()
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect();
    // The first group went, the last one was filled up, the rest makes new ones.
    assert_eq!(groups, [3, 4, 4, 1]);
    let numbers: Vec<i64> = values(&table)
        .iter()
        .map(|row| row[1].as_ref().unwrap().as_integer().unwrap())
        .collect();
    assert_eq!(numbers, [4, 6, 7, 8, 9, 20, 21, 22, 23, 24, 25, 26]);
    assert_eq!(
        table.reader.metadata().file_metadata().key_value_metadata(),
        Some(&vec![pair])
    );
    let codec = table.reader.metadata().row_group(3).column(1).compression();
    assert!(matches!(codec, parquet::basic::Compression::ZSTD(_)));
}

/// Opens and reads what may be damaged; it must end in an error or in rows.
fn survives(bytes: &[u8]) -> bool {
    let file = File::new(bytes);
    let Ok(table) = ParquetTable::open(&Disk::default(), &file.path()) else {
        return false;
    };
    let read = table.read(&mut |row| {
        let _cells = table.cells(row.bytes, &mut |_, _| {});
        Ok(())
    });
    read.is_ok()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7F).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Makes a file of one column, with a dictionary, in which the header of its first page is `header` and nothing else.
fn with_first_page(header: &[u8]) -> Vec<u8> {
    let file = File::made(&[("t", ColumnType::Text)]);
    let texts = (0..500).map(|number| RowEdit::Insert {
        new: vec![Some(Value::Text(format!("text {}", number % 7).into()))],
    });
    assert_eq!(file.write(Vec::new(), texts.collect()), []);
    let table = file.open();
    let column = table.reader.metadata().row_group(0).column(0).clone();
    let start = usize::try_from(column.dictionary_page_offset().unwrap()).unwrap();
    let mut bytes = std::fs::read(file.path()).unwrap();
    assert!(survives(&bytes));
    // What stood there before: the dictionary is smaller than what the longer header takes.
    assert!(start + header.len() < usize::try_from(column.data_page_offset()).unwrap());
    bytes[start..start + header.len()].copy_from_slice(header);
    bytes
}

/// The header of a dictionary page, as Thrift writes it.
fn dictionary_page(raw_bytes: u64, stored_bytes: u64, values: u64) -> Vec<u8> {
    // Type 2 is a dictionary; numbers are in zigzag, then a structure with the number of values and an encoding.
    let mut header = vec![0x15, 4, 0x15];
    header.extend(varint(raw_bytes << 1));
    header.push(0x15);
    header.extend(varint(stored_bytes << 1));
    header.extend([0x4C, 0x15]);
    header.extend(varint(values << 1));
    header.extend([0x15, 0, 0, 0]);
    header
}

#[test]
fn a_page_that_asks_for_more_than_its_bytes_can_mean_is_refused_before_it_is_made() {
    let two_gib = (1 << 31) - 1;
    for (raw, stored, values) in [
        (two_gib, 20, 7),
        (17 << 20, 20, 7),
        (60, 20, two_gib),
        (257 << 20, 1 << 20, 7),
    ] {
        let file = File::new(&with_first_page(&dictionary_page(raw, stored, values)));
        let Err(error) = ParquetTable::open(&Disk::default(), &file.path()) else {
            panic!("a page of {raw} bytes with {values} values was taken");
        };
        let reason = std::error::Error::source(&error).unwrap().to_string();
        let is_about = ["says that it is", "more values than bytes", "outside its column"];
        assert!(is_about.iter().any(|words| reason.contains(words)), "{reason}");
    }
}

#[test]
fn a_file_that_is_cut_is_told() {
    for name in [
        "frictionless-py/table.parquet",
        "parquet-testing/datapage_v2.snappy.parquet",
    ] {
        let whole = corpus(name);
        assert!(survives(&whole));
        for end in 0..whole.len() {
            assert!(!survives(&whole[..end]), "{name} cut at {end}");
        }
    }
}

#[test]
fn a_file_with_a_flipped_bit_ends_in_an_error_or_in_rows() {
    for name in [
        "frictionless-py/table.parquet",
        "parquet-testing/alltypes_plain.snappy.parquet",
        "parquet-testing/datapage_v2.snappy.parquet",
        "parquet-testing/nested_maps.snappy.parquet",
    ] {
        let whole = corpus(name);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            survives(&bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_bytes_within_a_file_end_well(at in 4usize..890, bytes in proptest::collection::vec(any::<u8>(), 1..24)) {
        let mut whole = corpus("frictionless-py/table.parquet");
        let end = (at + bytes.len()).min(whole.len());
        whole[at..end].copy_from_slice(&bytes[..end - at]);
        survives(&whole);
    }

    #[test]
    fn rows_that_are_changed_at_random_are_what_was_meant(
        count in 1i64..40,
        edits in proptest::collection::btree_map(0u64..40, proptest::option::of(-50i64..50), 0..20),
        new in proptest::collection::vec(100i64..200, 0..10),
    ) {
        let file = File::made(&KINDS);
        file.write(Vec::new(), (0..count).map(|number| RowEdit::Insert { new: row(number) }).collect());
        let old = values(&file.open());
        let mut wanted = Vec::new();
        let mut list = Vec::new();
        for (at, row_before) in old.iter().enumerate() {
            match edits.get(&(at as u64)) {
                None => wanted.push(row_before.clone()),
                Some(None) => list.push(RowEdit::Delete { row: at as u64, old: row_before.clone() }),
                Some(Some(number)) => {
                    let mut changed = row(*number);
                    changed[at % KINDS.len()] = None;
                    wanted.push(changed.clone());
                    list.push(RowEdit::Update { row: at as u64, old: row_before.clone(), new: changed });
                }
            }
        }
        for number in new {
            wanted.push(row(number));
            list.push(RowEdit::Insert { new: row(number) });
        }
        prop_assert_eq!(file.write(Vec::new(), list), []);
        prop_assert_eq!(values(&file.open()), wanted);
    }
}
