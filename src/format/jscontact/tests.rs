//! Laws on cards of the RFCs and on made-up ones.

use super::*;
use crate::model::contact::align;

const CARD: &str = r#"{
  "@type": "Card", "version": "1.0",
  "uid": "urn:uuid:1", "prodId": "x",
  "localizations": { "de": { "name/full": "Hans" } },
  "name": { "isOrdered": true, "components": [
      { "kind": "surname", "value": "Doe", "x": 1 }, { "kind": "separator", "value": ", " },
      { "kind": "given", "value": "Jane" } ], "full": "Jane Doe" },
  "emails": { "e1": {"address":"a@b.c","contexts":{"work":true}, "vendor:x": [1,2]},
              "e2": { "address": "d@e.f" } },
  "anniversaries": { "k8": { "kind": "birth", "date": { "year": 1953, "month": 4, "day": 15 } } },
  "vCardProps": [ ["x-foo", {"pref": "1"}, "unknown", "Bar"], ["x-b", {}, "integer", 5], ["x-c", {}, "unknown", "q"] ]
}"#;

fn open(text: &str) -> Box<dyn Document> {
    JsContact::default().open(text.as_bytes().to_vec()).unwrap()
}

fn view(document: &dyn Document, bytes: &[u8]) -> (Value, Bindings) {
    let parsed = document.parse(bytes).unwrap();
    let bindings = align(&parsed.record, None, &Bindings::new(), &|_, _| false);
    (rename_elements(parsed.record.clone(), &bindings), bindings)
}

fn put(document: &dyn Document, record: &Value, bytes: &[u8], bindings: &Bindings) -> (String, Put) {
    let put = document.put(record, Some(Old { bytes, bindings })).unwrap();
    (String::from_utf8(put.bytes.clone()).unwrap(), put)
}

fn email(record: &Value, address: &str) -> FieldPath {
    let emails = record.at(&FieldPath::new(["emails"])).unwrap().as_map().unwrap();
    let found = emails
        .iter()
        .find(|(_, one)| one.as_map().unwrap()["address"] == address.into());
    FieldPath::new(["emails", found.unwrap().0])
}

#[test]
fn an_unchanged_card_keeps_its_text() {
    let document = open(CARD);
    let (record, bindings) = view(&*document, CARD.as_bytes());
    let (text, put) = put(&*document, &record, CARD.as_bytes(), &bindings);
    assert_eq!(text, CARD);
    assert_eq!((put.bindings, put.not_shown), (bindings, Vec::new()));
}

#[test]
fn only_what_changed_is_written_again() {
    let document = open(CARD);
    let (mut record, bindings) = view(&*document, CARD.as_bytes());
    let at = email(&record, "a@b.c");
    record.set_at(&at.child("address"), "new@b.c".into());
    record.set_at(&at.child("order"), Value::Integer(3));
    let (text, first) = put(&*document, &record, CARD.as_bytes(), &bindings);
    assert_eq!(text, CARD.replace("a@b.c", "new@b.c"));
    assert_eq!((first.bindings, first.not_shown), (bindings.clone(), Vec::new()));

    record.set_at(&FieldPath::new(["name", "components", "given", "value"]), "Joan".into());
    let (text, _) = put(&*document, &record, CARD.as_bytes(), &bindings);
    let wanted = CARD
        .replace("a@b.c", "new@b.c")
        .replace("\"Jane\"", "\"Joan\"")
        .replace("Jane Doe", "Joan Doe");
    assert_eq!(text, wanted);
}

#[test]
fn elements_come_and_go_and_keep_their_ids() {
    let document = open(CARD);
    let (mut record, bindings) = view(&*document, CARD.as_bytes());
    record.remove_at(&email(&record, "d@e.f"));
    record.set_at(&FieldPath::new(["emails", "p77", "address"]), "x@y.z".into());
    let props = record.at(&FieldPath::new(["vcard"])).unwrap().as_map().unwrap();
    let foo = props
        .iter()
        .find(|(_, one)| one.as_map().unwrap()["name"] == "X-FOO".into())
        .unwrap()
        .0
        .clone();
    record.remove_at(&FieldPath::new(["vcard", &foo]));
    record.set_at(&FieldPath::new(["vcard", "p88", "name"]), "X-NEW".into());
    record.set_at(&FieldPath::new(["vcard", "p88", "value"]), "v".into());
    record.set_at(&FieldPath::new(["phones", "p9", "number"]), "123".into());
    let (text, put) = put(&*document, &record, CARD.as_bytes(), &bindings);
    assert!(text.contains(r#"["x-b", {}, "integer", 5]"#), "{text}");
    assert!(text.contains(r#""e1": {"address":"a@b.c""#), "{text}");
    assert!(!text.contains("x-foo") && !text.contains("e2"), "{text}");
    let shown = rename_elements(document.parse(text.as_bytes()).unwrap().record, &put.bindings);
    assert_eq!(shown, record, "{text}");
    assert_eq!(put.not_shown, Vec::new());
}

#[test]
fn cards_may_stand_alone_in_an_array_or_on_lines() {
    let one = r#"{"@type":"Card","uid":"1"}"#;
    let two = r#"{"@type":"Card","uid":"2"}"#;
    let three = b"{\"uid\":\"3\"}".to_vec();
    let file = format!("[\n  {one},\n  {two}\n]\n");
    let document = open(&file);
    assert_eq!((document.item_count(), document.style()), (2, "array".to_owned()));
    assert_eq!(document.assemble(&[]), file.as_bytes());
    let text = |edits: &[Edit]| String::from_utf8(document.assemble(edits)).unwrap();
    assert_eq!(text(&[Edit::Remove(0)]), format!("[\n  {two}\n]\n"));
    assert_eq!(text(&[Edit::Remove(1)]), format!("[\n  {one}\n]\n"));
    assert_eq!(
        text(&[Edit::Replace(0, three.clone())]),
        file.replace(one, "{\"uid\":\"3\"}")
    );
    assert_eq!(
        open(&text(&[Edit::Append(three.clone()), Edit::Remove(1), Edit::Remove(0)])).item_count(),
        1
    );
    let file = format!("{one}\n{{oops\n{two}\n");
    let document = open(&file);
    assert_eq!(
        (document.item_count(), document.broken().len(), document.style()),
        (2, 1, "lines".to_owned())
    );
    assert_eq!(
        document.assemble(&[Edit::Remove(0)]),
        format!("{{oops\n{two}\n").into_bytes()
    );
    assert_eq!(
        open(&String::from_utf8(document.assemble(&[Edit::Append(three)])).unwrap()).item_count(),
        3
    );
    let cut = open(&format!("[{one},{{\"uid\":"));
    assert_eq!((cut.item_count(), cut.broken().len(), cut.is_complete()), (1, 1, false));
    assert_eq!(
        JsContact::default()
            .create(Some("array"))
            .assemble(&[Edit::Append(one.into())]),
        format!("[\n{one}\n]\n").into_bytes()
    );
}

#[test]
fn cut_and_flipped_text_never_panics() {
    let mut seed = 7_usize;
    for at in 0..CARD.len() * 3 {
        let mut bytes = CARD.as_bytes().to_vec();
        if at < CARD.len() {
            bytes.truncate(at);
        } else {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes[at % CARD.len()] ^= 1 << (seed >> 61);
        }
        let Ok(document) = JsContact::default().open(bytes.clone()) else {
            continue;
        };
        assert_eq!(document.assemble(&[]), bytes);
        for index in 0..document.item_count() {
            let item = document.item(index).bytes;
            let (record, bindings) = view(&*document, item);
            let put = document
                .put(
                    &record,
                    Some(Old {
                        bytes: item,
                        bindings: &bindings,
                    }),
                )
                .unwrap();
            assert_eq!(put.bytes, item);
        }
    }
}

/// Returns the blocks of the pair files: JSON members or vCard lines.
fn blocks() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/contacts/jscontact/calcard");
    let mut paths: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut blocks = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("json") => blocks.push(text),
            Some("txt") => {
                let mut block = String::new();
                for line in text.lines().chain(["> end"]) {
                    if line.starts_with('>') {
                        blocks.push(std::mem::take(&mut block));
                    } else {
                        block.push_str(line);
                        block.push('\n');
                    }
                }
            }
            _ => {}
        }
    }
    blocks
}

#[test]
fn cards_of_the_rfcs_keep_their_text_and_meaning() {
    let mut count = 0;
    for block in blocks().iter().map(|block| block.trim()) {
        let card = if block.starts_with('{') {
            block.to_owned()
        } else {
            format!("{{{block}}}")
        };
        let parsed: Result<Json, _> = serde_json::from_str(&card);
        let Some(json) = parsed
            .ok()
            .filter(|json| json.as_object().is_some_and(|card| !card.is_empty()))
        else {
            continue;
        };
        let document = open(&card);
        let (record, bindings) = view(&*document, card.as_bytes());
        let (text, put) = put(&*document, &record, card.as_bytes(), &bindings);
        assert_eq!(text, card);
        assert_eq!(put.not_shown, Vec::new(), "{card}");
        let record = from_jscontact(&json);
        assert_eq!(from_jscontact(&to_jscontact(&record)), record, "{card}");
        // Written as vCard 4.0 and read back, nothing comes out that was not in it.
        let vcards = super::super::vcard::Vcard::default().create(Some("4.0"));
        let put = vcards.put(&record, None).unwrap();
        let shown = rename_elements(vcards.parse(&put.bytes).unwrap().record, &put.bindings);
        for (path, value) in shown.leaves() {
            let made = ["/uid", "/name/full"].contains(&path.to_string().as_str());
            let known = made || record.at(&path) == Some(value) || put.not_shown.contains(&path);
            assert!(
                known,
                "{path} {value:?}\n{card}\n{}",
                String::from_utf8_lossy(&put.bytes)
            );
        }
        count += 1;
    }
    assert!(count > 80, "{count}");
}

#[test]
fn vcards_of_the_rfcs_pass_through_jscontact() {
    let mut count = 0;
    for block in blocks()
        .iter()
        .filter(|block| block.contains(':') && !block.trim_start().starts_with(['"', '{']))
    {
        let vcards = super::super::vcard::Vcard::default().create(Some("4.0"));
        let bytes = format!("BEGIN:VCARD\nVERSION:4.0\n{}\nEND:VCARD\n", block.trim_end()).into_bytes();
        let parsed = vcards.parse(&bytes).unwrap();
        let bindings = align(&parsed.record, None, &Bindings::new(), &|_, _| false);
        let record = rename_elements(parsed.record.clone(), &bindings);
        let put = vcards
            .put(
                &record,
                Some(Old {
                    bytes: &bytes,
                    bindings: &bindings,
                }),
            )
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&put.bytes), String::from_utf8_lossy(&bytes));
        let cards = JsContact::default().create(None);
        let put = cards.put(&record, None).unwrap();
        assert_eq!(put.not_shown, Vec::new(), "{block}");
        count += 1;
    }
    assert!(count > 80, "{count}");
}

#[test]
fn edits_in_any_order_meet_their_own_cards() {
    let card = |n: usize, name: &str| format!(r#"{{"@type":"Card","uid":"{n}","name":{{"full":"{name}"}}}}"#);
    let count = 40;
    let cards: Vec<String> = (0..count).map(|n| card(n, "old")).collect();
    let edit = |n: usize| match n % 3 {
        0 => Some(Edit::Replace(n, card(n, "new").into_bytes())),
        1 => Some(Edit::Remove(n)),
        _ => None,
    };
    // 7 and 40 have no common factor, so every number comes once.
    let mut edits: Vec<Edit> = (0..count).filter_map(|n| edit(n * 7 % count)).collect();
    edits.insert(5, Edit::Append(card(count, "added").into_bytes()));
    let kept = |n: usize| match n % 3 {
        0 => Some(card(n, "new")),
        1 => None,
        _ => Some(card(n, "old")),
    };
    let kept: Vec<String> = (0..count).filter_map(kept).collect();
    let array = open(&format!("[\n{}\n]\n", cards.join(" ,\n"))).assemble(&edits);
    let array: Json = serde_json::from_slice(&array).unwrap();
    let wanted: Json = serde_json::from_str(&format!("[{},{}]", kept.join(","), card(count, "added"))).unwrap();
    assert_eq!(array, wanted);
    let lines = open(&(cards.join("\n") + "\n")).assemble(&edits);
    let wanted = kept.join("\n") + "\n" + &card(count, "added") + "\n";
    assert_eq!(String::from_utf8(lines).unwrap(), wanted);
}
