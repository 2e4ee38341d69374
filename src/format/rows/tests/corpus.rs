//! Real files: nothing panics, nothing is lost, counts agree with an independent reader.

use std::fs;
use std::path::{Path, PathBuf};

use super::{BUILT_IN, all, describe, first_bindings, formats, restricted, view};
use crate::format::{Confidence, Edit, Format, Old};
use crate::model::{FieldPath, Value};

/// Appends a line (without `write!`, whose error cannot happen here).
fn writeln_to(out: &mut String, line: &str) {
    out.push_str(line);
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/contacts");
    let groups = ["google-csv", "outlook-csv", "thunderbird-csv", "ldif", "other-csv"];
    let mut files = Vec::new();
    for group in groups {
        for folder in fs::read_dir(root.join(group)).unwrap() {
            files.extend(
                fs::read_dir(folder.unwrap().path())
                    .unwrap()
                    .map(|file| file.unwrap().path()),
            );
        }
    }
    files.sort();
    assert_eq!(files.len(), 28);
    files
}

fn best(bytes: &[u8]) -> Vec<(Confidence, &'static dyn Format)> {
    let mut found: Vec<_> = all()
        .iter()
        .map(|format| (format.detect("contacts", bytes), &**format))
        .filter(|(confidence, _)| *confidence > Confidence::No)
        .collect();
    found.sort_by_key(|(confidence, _)| *confidence);
    let highest = found.last().map(|(confidence, _)| *confidence);
    found.retain(|(confidence, _)| Some(*confidence) == highest);
    found
}

#[test]
fn every_mapping_compiles() {
    // Thunderbird's is two: with a header and without.
    assert_eq!(formats().len(), BUILT_IN.len() + 1);
}

#[test]
fn every_file_is_recognised_as_its_own_format() {
    let mut found = String::new();
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        let best = best(&bytes);
        assert!(best.len() < 2, "{} is ambiguous", file.display());
        let name = file.file_name().unwrap().to_str().unwrap();
        let (format, items) = best.first().map_or(("-".to_owned(), 0), |(confidence, format)| {
            let document = format.open(bytes.clone()).unwrap();
            (format!("{} {confidence:?}", format.info().name), document.item_count())
        });
        writeln_to(&mut found, &format!("{name}: {format}, {items}\n"));
    }
    insta::assert_snapshot!(found, @r"
    Google.csv: google-csv-old Likely, 1
    GoogleCreatedOutlook.csv: outlook-csv Certain, 1
    schema-quirky.ldif: mozilla-ldif Certain, 0
    10_people_amy.ldif: mozilla-ldif Certain, 1
    10_people_fry.ldif: mozilla-ldif Certain, 1
    10_people_hermes.ldif: mozilla-ldif Certain, 1
    30_groups_crew.ldif: mozilla-ldif Certain, 1
    export.ldif: mozilla-ldif Certain, 3
    bug_6518.ldif: mozilla-ldif Certain, 1
    export.ldif: mozilla-ldif Certain, 2
    import.ldif: mozilla-ldif Certain, 2
    importCRLF.ldif: mozilla-ldif Certain, 2
    NoHeader.csv: -, 0
    WindowsLiveMail.csv: -, 0
    Outlook365 Web.csv: outlook-com-csv Certain, 1
    Outlook365.csv: outlook-csv Certain, 6
    Outlook365_DifferentColumnNames.csv: outlook-csv Possible, 6
    Outlook365_DifferentColumnNamesLessColumns.csv: -, 0
    Sample CSV file for importing contacts.csv: outlook-csv Certain, 5
    outlook.csv: outlook-csv Possible, 3
    ThunderbirdAnsi.csv: thunderbird-csv Certain, 1
    ThunderbirdUtf8.csv: thunderbird-csv Certain, 1
    ThunderbirdUtf8EnglishColumnsInvalidBDay.csv: thunderbird-csv Certain, 1
    ThunderbirdUtf8UnknownAndLessColumnNames.csv: -, 0
    csv_no_header.csv: -, 0
    csv_semicolon.csv: thunderbird-csv Possible, 2
    export.csv: thunderbird-csv Certain, 2
    export.txt: thunderbird-csv Certain, 2
    ");
}

/// Rows with content after the header, by `csv-core`.
fn count_rows(bytes: &[u8], delimiter: u8) -> usize {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let (mut rows, mut filled, mut input) = (0, false, bytes);
    let mut output = [0; 4096];
    let mut header_seen = false;
    loop {
        let (result, read, written) = reader.read_field(input, &mut output);
        filled |= output[..written].iter().any(|byte| !byte.is_ascii_whitespace());
        input = &input[read..];
        match result {
            csv_core::ReadFieldResult::Field { record_end: true } => {
                rows += usize::from(filled && header_seen);
                (header_seen, filled) = (true, false);
            }
            csv_core::ReadFieldResult::End => return rows,
            csv_core::ReadFieldResult::InputEmpty if input.is_empty() => {}
            _ => {}
        }
    }
}

#[test]
fn rows_are_counted_as_csv_core_counts_them() {
    let mut counted = 0;
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        let best = best(&bytes);
        let Some((_, format)) = best.first().filter(|(_, format)| format.info().name != "mozilla-ldif") else {
            continue;
        };
        let description = describe(&bytes).unwrap();
        let document = format.open(bytes.clone()).unwrap();
        let delimiter = u8::try_from(description.delimiter).unwrap();
        assert_eq!(
            document.item_count(),
            count_rows(&bytes, delimiter),
            "{}",
            file.display()
        );
        assert!(
            document.is_complete() && document.broken().is_empty(),
            "{}",
            file.display()
        );
        counted += 1;
    }
    assert!(counted >= 13, "{counted}");
}

#[test]
fn every_item_survives_export_and_import() {
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        for (_, format) in best(&bytes) {
            let document = format.open(bytes.clone()).unwrap();
            assert_eq!(document.assemble(&[]), bytes, "{}", file.display());
            for index in 0..document.item_count() {
                let item = document.item(index).bytes;
                let parsed = document.parse(item).unwrap();
                let bindings = first_bindings(&parsed.record);
                let shown = view(&*document, item, &bindings);
                // Put back what it shows: no byte changes.
                let old = Old {
                    bytes: item,
                    bindings: &bindings,
                };
                let put = document.put(&shown, Some(old)).unwrap();
                assert_eq!(
                    String::from_utf8_lossy(&put.bytes),
                    String::from_utf8_lossy(item),
                    "{}",
                    file.display()
                );
                assert_eq!(put.bindings, bindings);
                assert_eq!(put.not_shown, [], "{}", file.display());
                // As a new item of a new file in the same style: the same record, but for what is reported.
                let mut fresh = format.create(Some(&document.style()));
                fresh.grow(&shown);
                let put = fresh.put(&shown, None).unwrap();
                let file_again = fresh.assemble(&[Edit::Append(put.bytes)]);
                let again = format.open(file_again).unwrap();
                assert_eq!(again.item_count(), 1, "{}", file.display());
                let second = view(&*again, again.item(0).bytes, &put.bindings);
                let lacks = |path: &FieldPath| second.at(path) != shown.at(path);
                let missing: Vec<_> = shown.leaves().into_iter().map(|(path, _)| path).filter(lacks).collect();
                assert_eq!(missing, put.not_shown, "{}", file.display());
                // Only columns that other programs add to Outlook's (`Name`, `Business Address`) are not in a new file.
                let outlook = format.info().name == "outlook-csv";
                let known_loss =
                    |path: &FieldPath| outlook && (path.parts()[0] == "addresses" || path.to_string() == "/name/full");
                assert!(missing.iter().all(known_loss), "{} {missing:?}", file.display());
                assert_eq!(restricted(&second, &shown), second, "{}", file.display());
                // The second export is the fixed point.
                let third = again.put(&second, None).unwrap();
                assert_eq!(third.bytes, again.item(0).bytes);
            }
        }
    }
}

#[test]
fn what_files_show_is_as_it_was() {
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        let mut text = String::new();
        for (_, format) in best(&bytes) {
            let document = format.open(bytes.clone()).unwrap();
            for index in 0..document.item_count() {
                let parsed = document.parse(document.item(index).bytes).unwrap();
                writeln_to(&mut text, &format!("line {}\n", document.item(index).line));
                for (path, value) in parsed.record.leaves() {
                    let value = format!("{value:?}");
                    writeln_to(
                        &mut text,
                        &format!("  {path} = {}\n", value.chars().take(100).collect::<String>()),
                    );
                }
                for warning in parsed.warnings {
                    writeln_to(&mut text, &format!("  warning: {warning}\n"));
                }
            }
        }
        let folder = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let name = format!("{folder}-{}", file.file_name().unwrap().to_str().unwrap()).replace([' ', '.'], "-");
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn damaged_files_never_panic() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below.max(1) as u64).unwrap()
    };
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        for format in all() {
            let (step, flips) = if bytes.len() > 1500 {
                (bytes.len() / 15, 4)
            } else {
                (97, 6)
            };
            for end in (0..bytes.len()).step_by(step) {
                exercise(&**format, &bytes[..end]);
            }
            for _ in 0..flips {
                let mut flipped = bytes.clone();
                for _ in 0..3 {
                    let at = next(flipped.len());
                    flipped[at] ^= 1 << next(8);
                }
                exercise(&**format, &flipped);
            }
        }
    }
}

fn exercise(format: &dyn Format, bytes: &[u8]) {
    let _ = format.detect("x", bytes);
    let Ok(document) = format.open(bytes.to_vec()) else {
        return;
    };
    assert_eq!(document.assemble(&[]), bytes);
    for index in 0..document.item_count().min(4) {
        let item = document.item(index).bytes;
        let Ok(parsed) = document.parse(item) else { continue };
        let bindings = first_bindings(&parsed.record);
        let shown = view(&*document, item, &bindings);
        if let Ok(put) = document.put(
            &shown,
            Some(Old {
                bytes: item,
                bindings: &bindings,
            }),
        ) {
            assert_eq!(put.bytes, item);
        }
    }
}

#[test]
fn files_cut_at_every_byte_never_panic() {
    let names = [
        "ThunderbirdUtf8UnknownAndLessColumnNames.csv",
        "bug_6518.ldif",
        "csv_semicolon.csv",
    ];
    for file in files()
        .iter()
        .filter(|file| names.iter().any(|name| file.ends_with(name)))
    {
        let bytes = fs::read(file).unwrap();
        for end in 0..bytes.len() {
            for format in all() {
                exercise(&**format, &bytes[..end]);
            }
        }
    }
}

/// Changes and removes every text that any real item shows, one at a time.
#[test]
fn every_leaf_of_every_item_changes_alone() {
    let mut edits = 0;
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        for (_, format) in best(&bytes) {
            let document = format.open(bytes.clone()).unwrap();
            for index in 0..document.item_count() {
                let item = document.item(index).bytes;
                let bindings = first_bindings(&document.parse(item).unwrap().record);
                let shown = view(&*document, item, &bindings);
                for (path, value) in shown.leaves() {
                    let Value::Text(text) = value else { continue };
                    if matches!(
                        path.parts().last().map(smol_str::SmolStr::as_str),
                        Some("kind" | "date" | "label")
                    ) {
                        continue;
                    }
                    let mut changed = shown.clone();
                    // A generation is one of some words; another text would be a credential.
                    let is_generation = path.parts().iter().any(|part| part == "generation");
                    let other = if is_generation {
                        "XIX".to_owned()
                    } else {
                        format!("{text}x")
                    };
                    changed.set_at(&path, other.into());
                    let mut removed = shown.clone();
                    removed.remove_at(&path);
                    for wanted in [changed, removed] {
                        let old = Old {
                            bytes: item,
                            bindings: &bindings,
                        };
                        let Ok(put) = document.put(&wanted, Some(old)) else {
                            continue;
                        };
                        let again = view(&*document, &put.bytes, &put.bindings);
                        let place = format!("{} {path}", file.display());
                        // A removed value may take with it what its slot said of it, and nothing else is touched.
                        let element = FieldPath::new(path.parts().iter().take(2).cloned());
                        for (other, value) in wanted.leaves() {
                            if again.at(&other) != Some(value) {
                                assert!(put.not_shown.contains(&other), "{place}: {other}");
                                assert!(
                                    other.starts_with(&element) && wanted.at(&path).is_none(),
                                    "{place}: {other}"
                                );
                            }
                        }
                        for (other, value) in again.leaves() {
                            assert_eq!(wanted.at(&other), Some(value), "{place}: {other} was invented");
                        }
                        assert_ne!(put.bytes, item, "{place}");
                        edits += 1;
                    }
                }
            }
        }
    }
    assert!(edits > 900, "{edits}");
}
