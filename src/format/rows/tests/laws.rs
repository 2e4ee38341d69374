//! The laws of codecs, for every mapping that comes with the program.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::encoding::Encoding;
use super::{all, first_bindings, path, restricted, view};
use crate::format::rows::csv::Separators;
use crate::format::{Document, Old, Put};
use crate::model::{FieldPath, Map, Value};

/// Leaves of a record by pointer.
type Leaves = Vec<(String, Value)>;

/// A value of the model with many leaves, each present or not.
fn any_record() -> impl Strategy<Value = Value> {
    (names(), emails(), phones(), addresses(), dates(), texts(), links()).prop_map(
        |(names, emails, phones, addresses, dates, texts, links)| {
            let mut record = Value::Map(Map::new());
            record.set_at(&path("/uid"), "3f0e".into());
            for (pointer, value) in [names, emails, phones, addresses, dates, texts, links].concat() {
                record.set_at(&path(&pointer), value);
            }
            record
        },
    )
}

fn word() -> &'static str {
    "[A-Za-zäöü][a-zéř ,;:\"'0-9]{0,8}[a-z]"
}

fn flags(element: &str, map: &str, words: &BTreeSet<&'static str>) -> Leaves {
    words
        .iter()
        .map(|word| (format!("{element}/{map}/{word}"), true.into()))
        .collect()
}

fn names() -> impl Strategy<Value = Leaves> {
    let kinds = prop::sample::select(vec!["title", "given", "given2", "surname", "generation", "credential"]);
    (
        prop::collection::btree_map(kinds, word(), 0..5),
        prop::option::of(word()),
    )
        .prop_map(|(components, full)| {
            let components = components
                .into_iter()
                .map(|(kind, value)| (format!("/name/components/{kind}/value"), value.into()));
            components
                .chain(full.map(|full| ("/name/full".to_owned(), full.into())))
                .collect()
        })
}

fn emails() -> impl Strategy<Value = Leaves> {
    let email = (
        "[a-z]{1,5}@[a-z]{1,5}\\.example",
        contexts(),
        prop::option::of(1_i64..3),
    );
    prop::collection::vec(email, 0..6).prop_map(|emails| {
        let mut leaves = Leaves::new();
        for (n, (address, contexts, pref)) in emails.into_iter().enumerate() {
            let element = format!("/emails/e{n}");
            leaves.push((format!("{element}/address"), format!("{n}{address}").into()));
            leaves.extend(flags(&element, "contexts", &contexts));
            leaves.extend(pref.map(|pref| (format!("{element}/pref"), Value::Integer(pref))));
        }
        leaves
    })
}

fn phones() -> impl Strategy<Value = Leaves> {
    let phone = ("\\+?[0-9 ]{5,9}[0-9]", contexts(), features(), prop::option::of(word()));
    prop::collection::vec(phone, 0..6).prop_map(|phones| {
        let mut leaves = Leaves::new();
        for (n, (number, contexts, features, label)) in phones.into_iter().enumerate() {
            let element = format!("/phones/p{n}");
            leaves.push((format!("{element}/number"), format!("{n}{number}").into()));
            leaves.extend(flags(&element, "contexts", &contexts));
            leaves.extend(flags(&element, "features", &features));
            leaves.extend(label.map(|label| (format!("{element}/label"), label.into())));
        }
        leaves
    })
}

fn addresses() -> impl Strategy<Value = Leaves> {
    let kinds = prop::sample::select(vec![
        "name",
        "locality",
        "region",
        "postcode",
        "country",
        "postOfficeBox",
    ]);
    let components = prop::collection::btree_map(kinds, "[A-Z][a-z]{1,6}(\n[A-Z][a-z]{1,4}){0,2}", 1..5);
    let full = prop::option::of("[A-Z][a-z]{1,6}(\n[A-Z][a-z]{1,4}){0,2}");
    prop::collection::vec((components, contexts(), full), 0..4).prop_map(|addresses| {
        let mut leaves = Leaves::new();
        for (n, (components, contexts, full)) in addresses.into_iter().enumerate() {
            let element = format!("/addresses/a{n}");
            let components = components.into_iter();
            leaves.extend(components.map(|(kind, value)| (format!("{element}/components/{kind}/value"), value.into())));
            leaves.extend(flags(&element, "contexts", &contexts));
            leaves.extend(full.map(|full| (format!("{element}/full"), full.into())));
        }
        leaves
    })
}

fn dates() -> impl Strategy<Value = Leaves> {
    (prop::option::of(date()), prop::option::of(date())).prop_map(|(birth, wedding)| {
        let dates = [("birth", birth), ("wedding", wedding)].into_iter();
        let leaves = dates
            .filter_map(|(kind, date)| Some((kind, date?)))
            .flat_map(|(kind, date)| {
                let element = format!("/anniversaries/{kind}");
                [
                    (format!("{element}/kind"), kind.into()),
                    (format!("{element}/date"), date.into()),
                ]
            });
        leaves.collect()
    })
}

fn texts() -> impl Strategy<Value = Leaves> {
    let places = [
        "/organizations/o/name",
        "/organizations/o/units/1/name",
        "/titles/t/name",
        "/nicknames/n/name",
        "/custom/Own",
    ];
    let texts = prop::collection::vec(prop::option::of(word()), places.len());
    let note = prop::option::of("[a-z ]{1,9}[a-z](\n[a-zß ]{0,9}x){0,3}");
    let keywords = prop::collection::btree_set("[A-Za-z][a-z ;]{0,6}[a-z]", 0..4);
    (texts, note, keywords).prop_map(move |(texts, note, keywords)| {
        let texts = places
            .iter()
            .zip(texts)
            .filter_map(|(place, text)| Some(((*place).to_owned(), text?.into())));
        let note = note.map(|note| ("/notes/n/note".to_owned(), note.into()));
        let keywords = keywords
            .into_iter()
            .map(|word| (format!("/keywords/{word}"), true.into()));
        texts.chain(note).chain(keywords).collect()
    })
}

fn links() -> impl Strategy<Value = Leaves> {
    let links = prop::collection::vec(("https?://[a-z]{1,9}\\.example", contexts()), 0..3);
    let relations = prop::collection::btree_map(
        "[A-Z][a-z]{2,8}",
        prop::sample::select(vec!["spouse", "child", "boss"]),
        0..3,
    );
    (links, relations).prop_map(|(links, relations)| {
        let mut leaves = Leaves::new();
        for (n, (uri, contexts)) in links.into_iter().enumerate() {
            leaves.push((format!("/links/l{n}/uri"), format!("{uri}{n}").into()));
            leaves.extend(flags(&format!("/links/l{n}"), "contexts", &contexts));
        }
        leaves.extend(
            relations
                .into_iter()
                .map(|(name, word)| (format!("/relatedTo/{name}/relation/{word}"), true.into())),
        );
        leaves
    })
}

fn contexts() -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop::collection::btree_set(prop::sample::select(vec!["work", "private"]), 0..2)
}

fn features() -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop::collection::btree_set(prop::sample::select(vec!["mobile", "voice", "fax", "pager"]), 0..2)
}

fn date() -> impl Strategy<Value = String> {
    prop_oneof![
        (1900..2030, 1..13, 1..29).prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}")),
        (1..13, 1..29).prop_map(|(month, day)| format!("--{month:02}-{day:02}")),
        (1900..2030).prop_map(|year| format!("{year}")),
    ]
}

/// Asserts that the bindings of what was written name exactly the elements that are read from it, each once.
fn assert_bound(document: &dyn Document, put: &Put) {
    let record = document.parse(&put.bytes).unwrap().record;
    let keys: Vec<String> = first_bindings(&record).into_keys().collect();
    assert_eq!(put.bindings.keys().cloned().collect::<Vec<_>>(), keys);
    let mut ids: Vec<(&str, &String)> = put
        .bindings
        .iter()
        .map(|(key, id)| (key.split('/').nth(1).unwrap(), id))
        .collect();
    ids.sort();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
}

/// Asserts that `shown` and `not_shown` together are `record`, and that nothing else is shown.
fn assert_accounted(record: &Value, shown: &Value, not_shown: &[FieldPath]) {
    for (path, value) in record.leaves() {
        let hidden = not_shown.contains(&path);
        assert_eq!(
            shown.at(&path) != Some(value),
            hidden,
            "{path} is shown and hidden, or neither"
        );
    }
    for (path, value) in shown.leaves() {
        assert_eq!(record.at(&path), Some(value), "{path} was invented");
    }
}

/// Counts cells (of a row in quotes or not) or lines (of an entry) that two items do not share.
fn differing_cells(before: &[u8], after: &[u8]) -> usize {
    let pieces = |bytes: &[u8]| -> Vec<Vec<u8>> {
        if bytes.starts_with(b"dn:") {
            return bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        }
        let separators = Separators {
            encoding: Encoding::Windows1252,
            delimiter: ',',
        };
        separators
            .cells(bytes)
            .into_iter()
            .map(|cell| bytes[cell].to_vec())
            .collect()
    };
    let ldif = before.starts_with(b"dn:");
    let (before, after) = (pieces(before), pieces(after));
    if ldif {
        // A missing part of a date becomes a line.
        return after.iter().filter(|line| !before.contains(line)).count();
    }
    assert_eq!(before.len(), after.len());
    before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before != after)
        .count()
}

proptest! {
    #[test]
    fn rows_are_split_as_csv_core_splits_them(text in "[ab,\";\r\n]{0,40}", delimiter in prop::sample::select(vec![',', ';'])) {
        let separators = Separators { encoding: Encoding::Utf8, delimiter };
        let rows = separators.rows(text.as_bytes(), 0);
        let mut end = 0;
        for row in &rows {
            prop_assert_eq!(row.range.start, end);
            end = row.range.end;
        }
        prop_assert_eq!(end, text.len());
        let ours: Vec<Vec<String>> =
            rows.iter().filter(|row| !row.blank).map(|row| separators.texts(&text.as_bytes()[row.range.clone()])).collect();
        prop_assert_eq!(ours, by_csv_core(text.as_bytes(), u8::try_from(delimiter).unwrap()));
    }

    #[test]
    fn a_written_cell_reads_as_its_text(text in "[aé,\";\t\r\n ]{0,12}", quoted: bool) {
        for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Windows1252] {
            let separators = Separators { encoding, delimiter: ';' };
            let mut row = separators.write(&text, quoted).unwrap();
            row.extend(encoding.encode(";x\r\n").unwrap());
            prop_assert_eq!(separators.texts(&row), [text.as_str(), "x"]);
            prop_assert_eq!(separators.rows(&row, 0).len(), 1);
        }
    }
}

fn by_csv_core(mut input: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let (mut rows, mut row, mut field, mut output) = (Vec::new(), Vec::new(), Vec::new(), [0; 64]);
    loop {
        let (result, read, written) = reader.read_field(input, &mut output);
        input = &input[read..];
        field.extend_from_slice(&output[..written]);
        match result {
            csv_core::ReadFieldResult::Field { record_end } => {
                row.push(String::from_utf8(std::mem::take(&mut field)).unwrap());
                if record_end {
                    rows.push(std::mem::take(&mut row));
                }
            }
            csv_core::ReadFieldResult::End => return rows,
            _ => {}
        }
    }
}

fn write_new(document: &mut dyn Document, record: &Value) -> Option<Put> {
    document.grow(record);
    document.put(record, None).ok()
}

/// Changes one leaf of what is shown, removes one, or leaves it.
fn edited(record: &Value, shown: &Value, seed: usize) -> Value {
    let leaves = shown.leaves();
    let mut record = record.clone();
    let Some((path, value)) = leaves.get(seed % leaves.len().max(1)) else {
        return record;
    };
    match (seed / 7 % 3, value) {
        (0, _) => drop(record.remove_at(path)),
        (1, Value::Text(_)) if path.parts().last().is_some_and(|part| part == "date") => {
            record.set_at(path, "1999-12-31".into());
        }
        (1, Value::Text(text)) => record.set_at(path, format!("{text}x").into()),
        _ => {}
    }
    record
}

proptest! {
    #![proptest_config(crate::format::law_config(24))]

    #[test]
    fn a_new_item_shows_all_but_what_is_reported(record in any_record()) {
        for format in all() {
            let mut document = format.create(None);
            if let Some(put) = write_new(&mut *document, &record) {
                let shown = view(&*document, &put.bytes, &put.bindings);
                assert_accounted(&record, &shown, &put.not_shown);
                assert_bound(&*document, &put);
            }
        }
    }

    #[test]
    fn an_item_that_shows_the_same_keeps_its_bytes(record in any_record()) {
        for format in all() {
            let mut document = format.create(None);
            let Some(put) = write_new(&mut *document, &record) else { continue };
            let old = Old { bytes: &put.bytes, bindings: &put.bindings };
            let shown = view(&*document, &put.bytes, &put.bindings);
            prop_assert_eq!(&document.put(&shown, Some(old)).unwrap().bytes, &put.bytes, "{}", format.info().name);
            prop_assert_eq!(&document.put(&record, Some(old)).unwrap().bytes, &put.bytes, "{}", format.info().name);
        }
    }

    #[test]
    fn a_changed_text_changes_few_cells(record in any_record(), seed in 0_usize..1000) {
        for format in all() {
            let mut document = format.create(None);
            let Some(put) = write_new(&mut *document, &record) else { continue };
            let shown = view(&*document, &put.bytes, &put.bindings);
            let leaves = shown.leaves();
            let (path, Value::Text(text)) = leaves[seed % leaves.len()].clone() else { continue };
            if path.parts().last().is_some_and(|part| part == "kind") {
                continue;
            }
            let date = path.parts().last().is_some_and(|part| part == "date");
            let mut changed = record.clone();
            changed.set_at(&path, if date { "1999-12-31".into() } else { format!("{text}x").into() });
            let again = document.put(&changed, Some(Old { bytes: &put.bytes, bindings: &put.bindings })).unwrap();
            // The cell itself, and texts that follow from it (a full name, the lines of an address, the parts of a date).
            let most = if date { 3 } else { 2 + usize::from(path.parts().last().is_some_and(|part| part == "label")) * 2 };
            let changes = differing_cells(&put.bytes, &again.bytes);
            prop_assert!(changes <= most, "{} {}: {} cells", format.info().name, path, changes);
        }
    }

    #[test]
    fn an_edit_shows_and_the_rest_stays(record in any_record(), other in any_record(), seed in 0_usize..1000) {
        for format in all() {
            let mut document = format.create(None);
            document.grow(&other);
            let Some(put) = write_new(&mut *document, &record) else { continue };
            let old = Old { bytes: &put.bytes, bindings: &put.bindings };
            let shown = view(&*document, &put.bytes, &put.bindings);
            for changed in [edited(&record, &shown, seed), other.clone()] {
                let Ok(again) = document.put(&changed, Some(old)) else { continue };
                let now = view(&*document, &again.bytes, &again.bindings);
                assert_bound(&*document, &again);
                for (path, value) in changed.leaves() {
                    let hidden = again.not_shown.contains(&path);
                    prop_assert_eq!(now.at(&path) != Some(value), hidden, "{} {}", format.info().name, path);
                }
                // What both the old and the new record hold and the row showed, it still shows.
                let kept = restricted(&restricted(&shown, &changed), &record);
                let lost: Vec<_> = kept.leaves().into_iter().filter(|(path, value)| {
                    let same_element = path.parts().len() < 3 || changed.at(&FieldPath::new(path.parts()[..2].to_vec()))
                        == record.at(&FieldPath::new(path.parts()[..2].to_vec()));
                    same_element && path.parts()[0] != "name" && now.at(path) != Some(*value)
                }).collect();
                prop_assert!(lost.is_empty(), "{} lost {:?}", format.info().name, lost);
            }
        }
    }
}
