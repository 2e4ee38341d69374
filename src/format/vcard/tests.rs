//! Laws on real files and on made-up records.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::format::{Bindings, Edit, Old, Parsed};
use crate::model::contact::{align, rename_elements};
use crate::model::{FieldPath, Value};

fn files() -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/contacts");
    let mut found: Vec<_> = walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "vcf"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    assert!(found.len() > 50, "the corpus is missing");
    found.sort();
    found
}

fn open(bytes: &[u8]) -> Box<dyn Document> {
    Vcard::default().open(bytes.to_vec()).unwrap()
}

/// Parses an item and gives its elements lasting ids.
fn view(document: &dyn Document, bytes: &[u8]) -> (Value, Bindings, Parsed) {
    let parsed = document.parse(bytes).unwrap();
    let bindings = align(&parsed.record, None, &Bindings::new(), &|_, _| false);
    (rename_elements(parsed.record.clone(), &bindings), bindings, parsed)
}

#[expect(clippy::unnecessary_wraps, reason = "it is what `put` takes")]
fn old<'a>(bytes: &'a [u8], bindings: &'a Bindings) -> Option<Old<'a>> {
    Some(Old { bytes, bindings })
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn putting_back_what_was_read_changes_no_byte() {
    let mut cards = 0;
    for (path, bytes) in files() {
        let document = open(&bytes);
        for index in 0..document.item_count() {
            let item = document.item(index).bytes;
            let (record, bindings, _) = view(&*document, item);
            let put = document.put(&record, old(item, &bindings)).unwrap();
            assert_eq!(show(&put.bytes), show(item), "{}", path.display());
            assert_eq!(put.bytes, item, "{}", path.display());
            assert_eq!(put.bindings, bindings, "{}", path.display());
            assert_eq!(put.not_shown, Vec::new(), "{}", path.display());
            cards += 1;
        }
        assert_eq!(document.assemble(&[]), bytes, "{}", path.display());
    }
    assert!(cards > 100, "{cards}");
}

/// Lines of a card that a patch may not touch when `name` is what changes.
fn lines(bytes: &[u8]) -> Vec<String> {
    show(bytes).split_inclusive('\n').map(str::to_owned).collect()
}

#[test]
fn one_new_note_is_one_new_line() {
    for (path, bytes) in files() {
        let document = open(&bytes);
        for index in 0..document.item_count() {
            let item = document.item(index).bytes;
            let (mut record, bindings, parsed) = view(&*document, item);
            record.set_at(&FieldPath::new(["notes", "new", "note"]), "Fresh".into());
            record.set_at(&FieldPath::new(["notes", "new", "order"]), Value::Integer(9));
            let put = document.put(&record, old(item, &bindings)).unwrap();
            let after = document.parse(&put.bytes).unwrap();
            assert_eq!(
                rename_elements(after.record.clone(), &put.bindings).at(&FieldPath::new(["notes", "new", "note"])),
                Some(&"Fresh".into())
            );
            assert_eq!(put.not_shown, Vec::new(), "{}", path.display());
            let (before, now) = (lines(item), lines(&put.bytes));
            if !item.contains(&0) {
                let kept = now.iter().filter(|line| before.contains(line)).count();
                assert_eq!(now.len(), before.len() + 1, "{}\n{}", path.display(), show(&put.bytes));
                assert!(kept + 2 >= now.len(), "{}\n{}", path.display(), show(&put.bytes));
            }
            record.remove_at(&FieldPath::new(["notes", "new"]));
            let back = document.put(&record, old(&put.bytes, &put.bindings)).unwrap();
            let same = back.bytes == item || item.last() != Some(&b'\n');
            assert!(same, "{}\n{}", path.display(), show(&back.bytes));
            assert_eq!(document.parse(&back.bytes).unwrap().record, parsed.record);
        }
    }
}

#[test]
fn every_version_shows_what_it_says_it_shows() {
    for (path, bytes) in files() {
        let document = open(&bytes);
        for index in 0..document.item_count() {
            let (record, _, _) = view(&*document, document.item(index).bytes);
            for version in ["2.1", "3.0", "4.0"] {
                let target = Vcard::default().create(Some(version));
                let put = target.put(&record, None).unwrap();
                assert_eq!(put, target.put(&record, None).unwrap());
                let shown = rename_elements(target.parse(&put.bytes).unwrap().record, &put.bindings);
                for (at, value) in record.leaves() {
                    let hidden = put.not_shown.contains(&at);
                    assert!(
                        hidden || shown.at(&at) == Some(value),
                        "{} {version} {at}",
                        path.display()
                    );
                }
                for (at, value) in shown.leaves() {
                    // A card must have a UID; FN says what 2.1 has no place for in N.
                    let made = ["/uid", "/name/full"].contains(&at.to_string().as_str());
                    assert!(
                        made || record.at(&at) == Some(value),
                        "{} {version} {at}",
                        path.display()
                    );
                }
                let again = target.put(&shown, old(&put.bytes, &put.bindings)).unwrap();
                assert_eq!(show(&again.bytes), show(&put.bytes), "{} {version}", path.display());
                // Seen through this version, a patch with the whole record changes nothing either.
                let again = target.put(&record, old(&put.bytes, &put.bindings)).unwrap();
                assert_eq!(show(&again.bytes), show(&put.bytes), "{} {version}", path.display());
            }
        }
    }
}

#[test]
fn cards_are_counted_as_an_independent_reader_counts_them() {
    for (path, bytes) in files() {
        let document = open(&bytes);
        let text = if bytes.contains(&0) {
            encoding_rs::UTF_16LE.decode(&bytes).0.into_owned()
        } else {
            show(&bytes)
        };
        let mut parser = calcard::Parser::new(&text);
        let mut count = 0;
        loop {
            match parser.entry() {
                calcard::Entry::VCard(_) => count += 1,
                calcard::Entry::Eof => break,
                _ => {}
            }
        }
        let ours = document.item_count() + document.broken().len();
        assert_eq!(ours, count, "{}", path.display());
    }
}

#[test]
fn cut_and_flipped_files_never_panic() {
    let mut state = 1_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    let small = files()
        .into_iter()
        .filter(|(_, bytes)| !bytes.is_empty() && bytes.len() < 2000);
    for (_, bytes) in small {
        let exercise = |bytes: Vec<u8>| {
            let Ok(document) = Vcard::default().open(bytes.clone()) else {
                return;
            };
            assert_eq!(document.assemble(&[]), bytes);
            for index in 0..document.item_count() {
                let item = document.item(index).bytes;
                let (record, bindings, _) = view(&*document, item);
                if let Ok(put) = document.put(&record, old(item, &bindings)) {
                    assert_eq!(put.bytes, item, "{}", show(item));
                }
            }
        };
        for length in (0..bytes.len()).step_by(7) {
            exercise(bytes[..length].to_vec());
        }
        for _ in 0..30 {
            let mut damaged = bytes.clone();
            let at = random() % damaged.len();
            damaged[at] ^= 1 << (random() % 8);
            exercise(damaged);
        }
    }
}

/// Parses one 3.0 card with these lines.
pub(super) fn card(version: &str, lines: &str) -> (Value, Bindings, Vec<u8>) {
    let bytes = format!("BEGIN:VCARD\r\nVERSION:{version}\r\n{lines}END:VCARD\r\n").into_bytes();
    let document = Vcard::default().create(Some(version));
    let (record, bindings, _) = view(&*document, &bytes);
    (record, bindings, bytes)
}

/// Returns the leaves of a record as `path=value`, with element ids left out.
pub(super) fn leaves(record: &Value) -> Vec<String> {
    let mut lines: Vec<String> = record
        .leaves()
        .into_iter()
        .map(|(path, value)| {
            let parts = path.parts().iter().enumerate();
            let elements = crate::model::contact::has_elements(&path.parts()[0]);
            let path: Vec<&str> = parts
                .filter(|(at, _)| !(elements && *at == 1))
                .map(|(_, part)| part.as_str())
                .collect();
            match value {
                Value::Text(text) => format!("{}={text}", path.join("/")),
                Value::Bool(true) => path.join("/"),
                other => format!("{}={other:?}", path.join("/")),
            }
        })
        .collect();
    lines.sort();
    lines
}

pub(super) fn shows(version: &str, lines: &str, wanted: &[&str]) {
    let mut wanted: Vec<&str> = wanted.to_vec();
    wanted.sort_unstable();
    assert_eq!(leaves(&card(version, lines).0), wanted, "{lines}");
}

#[test]
fn apple_and_google_labels_belong_to_their_line() {
    shows(
        "3.0",
        "item5.URL;type=pref:http\\://www.ibm.com\r\nITEM5.X-ABLabel:_$!<HomePage>!$_\r\n",
        &[
            "links/uri=http://www.ibm.com",
            "links/pref=Integer(1)",
            "links/label=HomePage",
        ],
    );
    shows(
        "3.0",
        "item4.X-ABDATE:1970-06-02\r\nitem4.X-ABLabel:_$!<Anniversary>!$_\r\n",
        &["anniversaries/kind=wedding", "anniversaries/date=1970-06-02"],
    );
    shows(
        "3.0",
        "item5.X-ABRELATEDNAMES:Mia\r\nitem5.X-ABLabel:_$!<Spouse>!$_\r\n",
        &["relatedTo/Mia/relation/spouse"],
    );
    shows(
        "3.0",
        "item3.ADR;type=HOME:;;Str. 1;;;;\r\nitem3.X-ABADR:us\r\n",
        &[
            "addresses/components/name/value=Str. 1",
            "addresses/contexts/private",
            "addresses/countryCode=US",
        ],
    );
    shows(
        "3.0",
        "TEL;TYPE=WhatsApp:7\r\n",
        &["phones/number=7", "phones/label=WhatsApp"],
    );
}

#[test]
fn dates_are_read_or_kept() {
    for (version, line, date) in [
        ("3.0", "BDAY;value=date:2012-06-06", "2012-06-06"),
        ("3.0", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15", "--04-15"),
        ("4.0", "BDAY:--0415", "--04-15"),
        ("2.1", "BDAY:19800322", "1980-03-22"),
        ("3.0", "BDAY:1980-03-22T00:00:00Z", "1980-03-22"),
        ("4.0", "BDAY:19531015T231000Z", "1953-10-15T23:10:00Z"),
        ("3.0", "BDAY:1987-09-27T08:30:00-06:00", "1987-09-27T08:30:00-06:00"),
        ("4.0", "BDAY:1996-04", "1996-04"),
    ] {
        shows(
            version,
            &format!("{line}\r\n"),
            &["anniversaries/kind=birth", &format!("anniversaries/date={date}")],
        );
    }
    shows("4.0", "BDAY:19723101\r\n", &["vcard/name=BDAY", "vcard/value=19723101"]);
    shows(
        "4.0",
        "BDAY;VALUE=text:circa 1800\r\n",
        &["vcard/name=BDAY", "vcard/params/VALUE=text", "vcard/value=circa 1800"],
    );
}

#[test]
fn version_2_1_is_read_as_phones_write_it() {
    shows(
        "2.1",
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=91=\r\n=C3=91;x;;;\r\n",
        &["name/components/surname/value=ÑÑ", "name/components/given/value=x"],
    );
    shows(
        "2.1",
        "TEL;CELL;PREF:1\r\n",
        &["phones/number=1", "phones/features/mobile", "phones/pref=Integer(1)"],
    );
    shows(
        "2.1",
        "SOUND;X-IRMC-N:;;;;\r\n",
        &["vcard/name=SOUND", "vcard/params/TYPE=X-IRMC-N", "vcard/value=;;;;"],
    );
    shows(
        "2.1",
        "PHOTO;ENCODING=BASE64;JPEG:/9j/\r\n4AAQ\r\n\r\nTEL:2\r\n",
        &[
            "media/kind=photo",
            "media/mediaType=image/jpeg",
            "media/data=Bytes([255, 216, 255, 224, 0, 16])",
            "phones/number=2",
        ],
    );
    shows(
        "2.1",
        "AGENT:\r\nBEGIN:VCARD\r\nFN:B\r\nEND:VCARD\r\nTEL:2\r\n",
        &[
            "phones/number=2",
            "vcard/name=AGENT",
            "vcard/value=BEGIN:VCARD\\nFN:B\\nEND:VCARD",
        ],
    );
    shows(
        "2.1",
        "ADR;WORK:;;S 1;Ort;;;\r\nADR;HOME:;;T 2;;;;\r\nLABEL;HOME:T 2 hinten\r\nLABEL;WORK:S 1\r\n",
        &[
            "addresses/components/locality/value=Ort",
            "addresses/components/name/value=S 1",
            "addresses/components/name/value=T 2",
            "addresses/contexts/private",
            "addresses/contexts/work",
            "addresses/full=T 2 hinten",
        ],
    );
}

#[test]
fn a_label_that_repeats_its_address_follows_it() {
    let lines = "ADR;HOME:;;Freizeitweg 4;Ort;;12345;\r\nLABEL;HOME;ENCODING=QUOTED-PRINTABLE:Freizeitweg 4=0D=0A=\r\n12345 Ort\r\n";
    let (mut record, bindings, bytes) = card("2.1", lines);
    let id = record
        .at(&FieldPath::new(["addresses"]))
        .unwrap()
        .as_map()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    record.set_at(
        &FieldPath::new(["addresses", &id, "components", "name", "value"]),
        "Arbeitsweg 5".into(),
    );
    let put = Vcard::default()
        .create(Some("2.1"))
        .put(&record, old(&bytes, &bindings))
        .unwrap();
    assert!(show(&put.bytes).contains("ADR;HOME:;;Arbeitsweg 5;Ort;;12345;\r\nLABEL;HOME;ENCODING=QUOTED-PRINTABLE:Arbeitsweg 5=0D=0A12345 Ort\r\n"), "{}", show(&put.bytes));
}

#[test]
fn a_label_that_cannot_follow_its_address_goes() {
    let (mut record, bindings, bytes) = card("3.0", "ADR:Fach 4;;;;;;\r\nLABEL:Fach 4\r\n");
    let addresses = record.at(&FieldPath::new(["addresses"])).unwrap().as_map().unwrap();
    let id = addresses.keys().next().unwrap().clone();
    let components = FieldPath::new(["addresses", &id, "components"]);
    record.remove_at(&components);
    record.set_at(&components.child("apartment").child("value"), "A".into());
    let document = Vcard::default().create(Some("3.0"));
    let put = document.put(&record, old(&bytes, &bindings)).unwrap();
    assert!(show(&put.bytes).contains("ADR:;A;;;;;\r\nEND"), "{}", show(&put.bytes));
    assert_eq!(put.not_shown, []);
}

#[test]
fn an_edit_keeps_group_parameters_and_spelling() {
    let lines = "item1.email;X-A=\"q;r\";type=INTERNET;type=home:a@b.c\r\nitem1.X-FOO;X=1:keep\r\nN;LANGUAGE=de:Doe;Jo\r\nFN:Jo Doe\r\n";
    let (mut record, bindings, bytes) = card("3.0", lines);
    let id = record
        .at(&FieldPath::new(["emails"]))
        .unwrap()
        .as_map()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    record.set_at(&FieldPath::new(["emails", &id, "pref"]), Value::Integer(1));
    record.set_at(&FieldPath::new(["emails", &id, "address"]), "x@y.z".into());
    record.remove_at(&FieldPath::new(["emails", &id, "contexts"]));
    record.set_at(&FieldPath::new(["name", "components", "given", "value"]), "Joe".into());
    let put = Vcard::default()
        .create(None)
        .put(&record, old(&bytes, &bindings))
        .unwrap();
    let wanted = "item1.email;X-A=\"q;r\";type=INTERNET;type=pref:x@y.z\r\nitem1.X-FOO;X=1:keep\r\nN;LANGUAGE=de:Doe;Joe\r\nFN:Joe Doe\r\n";
    assert_eq!(show(&put.bytes), show(&bytes).replace(lines, wanted));
    assert_eq!(put.not_shown, Vec::new());
}

#[test]
fn grouped_unknown_lines_travel_between_versions() {
    let lines = "item7.EMAIL:a@b.c\r\nitem7.X-FOO;X-P=\"1,2\":v\\, w\\nz\r\nitem9.X-LONE:u\r\nitem9.X-ABLabel:mine\r\n";
    let (record, _, _) = card("3.0", lines);
    for version in ["2.1", "4.0"] {
        let document = Vcard::default().create(Some(version));
        let put = document.put(&record, None).unwrap();
        assert_eq!(put.not_shown, Vec::new());
        let shown = rename_elements(document.parse(&put.bytes).unwrap().record, &put.bindings);
        let back = Vcard::default().create(None).put(&shown, None).unwrap();
        let text = show(&back.bytes);
        for line in [
            "item1.EMAIL;TYPE=INTERNET:a@b.c\r\n",
            "item1.X-FOO;X-P=\"1,2\":v\\, w\\nz\r\n",
            "item2.X-LONE:u\r\n",
            "item2.X-ABLABEL:mine\r\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}

#[test]
fn a_card_without_end_spoils_only_itself() {
    let file = b"BEGIN:VCARD\nFN:a\nBEGIN:VCARD\nFN:b\nEND:VCARD\n\nBEGIN:VCARD\nFN:c\n";
    let document = open(file);
    assert_eq!(
        (document.item_count(), document.broken().len(), document.is_complete()),
        (1, 2, false)
    );
    assert_eq!(document.item(0).line, 3);
    let edited = document.assemble(&[Edit::Remove(0), Edit::Append(b"BEGIN:VCARD\nEND:VCARD\n".to_vec())]);
    assert_eq!(
        show(&edited),
        "BEGIN:VCARD\nFN:a\n\nBEGIN:VCARD\nFN:c\nBEGIN:VCARD\nEND:VCARD\n"
    );
    assert_eq!(open(b"").item_count(), 0);
    assert!(Vcard::default().open(b"hello".to_vec()).is_err());
}

#[test]
fn utf16_files_stay_utf16() {
    let text = "\u{FEFF}BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ä\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nFN:B\r\nEND:VCARD\r\n";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Vcard::default().detect("x", &bytes), Confidence::Certain);
    let document = open(&bytes);
    assert_eq!(document.item_count(), 2);
    let item = document.item(0).bytes;
    let (mut record, bindings, _) = view(&*document, item);
    record.set_at(&FieldPath::new(["name", "full"]), "Ö😀".into());
    let put = document.put(&record, old(item, &bindings)).unwrap();
    let edited = document.assemble(&[Edit::Replace(0, put.bytes)]);
    let wanted: Vec<u8> = text
        .replace('Ä', "Ö😀")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(edited, wanted);
}

#[test]
fn legacy_charsets_are_read_and_kept() {
    let bytes = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:J\xFCrgen\r\nNOTE:\xE4\r\nEND:VCARD\r\n";
    let document = open(bytes);
    let (mut record, bindings, parsed) = view(&*document, bytes);
    assert_eq!(parsed.warnings.len(), 2);
    assert_eq!(record.at(&FieldPath::new(["name", "full"])), Some(&"Jürgen".into()));
    record.set_at(&FieldPath::new(["name", "full"]), "Jörg".into());
    let put = document.put(&record, old(bytes, &bindings)).unwrap();
    assert_eq!(
        put.bytes,
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:J\xF6rg\r\nNOTE:\xE4\r\nEND:VCARD\r\n"
    );
}

#[test]
fn duplicate_uids_are_two_items() {
    let one = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:urn:uuid:1\r\n  2\r\nFN:a\r\nEND:VCARD\r\n";
    let document = open(format!("{one}{one}").as_bytes());
    assert_eq!(document.item_count(), 2);
    assert_eq!(
        document.parse(document.item(1).bytes).unwrap().native_id.as_deref(),
        Some("urn:uuid:1 2")
    );
}

#[test]
fn a_card_without_uid_gets_one_from_its_content() {
    let (record, _, bytes) = card("3.0", "FN:a\r\n");
    let document = Vcard::default().create(None);
    let uid = |record: &Value| {
        document
            .parse(&document.put(record, None).unwrap().bytes)
            .unwrap()
            .native_id
            .unwrap()
    };
    assert_eq!(uid(&record), uid(&record));
    assert!(uid(&record).starts_with("urn:uuid:") && uid(&record).len() == 45);
    // An old card is not given an identity that its source did not.
    let mut with_uid = record.clone();
    with_uid.set_at(&FieldPath::new(["uid"]), "x".into());
    let put = document.put(&with_uid, old(&bytes, &Bindings::new())).unwrap();
    assert_eq!((put.bytes, put.not_shown), (bytes, vec![FieldPath::new(["uid"])]));
}

#[test]
fn an_adopted_card_says_the_same_without_what_is_its_sources() {
    let mut adopted = 0;
    for (path, bytes) in files() {
        let name = path.display();
        let Ok(source) = Vcard::default().open(bytes) else {
            continue;
        };
        for index in 0..source.item_count() {
            let item = source.item(index).bytes;
            for (style, end) in ["2.1", "3.0", "4.0"]
                .into_iter()
                .flat_map(|style| [(style, "\n"), (style, "\r\n")])
            {
                let target = open(
                    format!("BEGIN:VCARD\nVERSION:{style}\nN:A\nEND:VCARD\n")
                        .replace('\n', end)
                        .as_bytes(),
                );
                let Some(copy) = target.adopt(item) else { continue };
                adopted += 1;
                let (mut before, after) = (source.parse(item).unwrap(), target.parse(&copy).unwrap());
                before.warnings.clear();
                assert_eq!(before, after, "{name} item {index}");
                let text = String::from_utf8(copy).unwrap();
                assert!(
                    text.contains(&format!("VERSION:{style}")),
                    "{name} item {index}: {text}"
                );
                assert!(
                    !text
                        .lines()
                        .any(|line| line.starts_with("REV:") || line.starts_with("PRODID:"))
                );
            }
        }
    }
    assert!(adopted > 50, "only {adopted}");
}

#[test]
fn a_card_whose_lines_are_not_told_apart_at_a_glance_is_not_adopted() {
    let card =
        |version: &str, line: &str| format!("BEGIN:VCARD\r\nVERSION:{version}\r\nN:A;B;;;\r\n{line}\r\nEND:VCARD\r\n");
    let adopts = |version: &str, text: &str| Vcard::default().create(Some(version)).adopt(text.as_bytes());
    assert_eq!(
        adopts("3.0", &card("3.0", "REV:1")),
        Some(card("3.0", "").replace("\r\n\r\n", "\r\n").into_bytes())
    );
    assert!(
        adopts("3.0", &card("3.0", "item1.REV:1\r\n 2"))
            .is_some_and(|copy| !copy.windows(3).any(|part| part == b"REV"))
    );
    assert_eq!(adopts("4.0", &card("3.0", "TEL:1")), None);
    assert_eq!(adopts("2.1", &card("2.1", "NOTE;QUOTED-PRINTABLE:a=\r\nREV:b")), None);
    assert_eq!(
        adopts("2.1", &card("2.1", "AGENT:\r\nBEGIN:VCARD\r\nREV:1\r\nEND:VCARD")),
        None
    );
    assert_eq!(
        adopts("2.1", &card("2.1", "PHOTO;ENCODING=BASE64:AAAA\r\nBBBB\r\n")),
        None
    );
    assert_eq!(adopts("3.0", &card("3.0", "TEL:1").replace("\r\n", "\n")), None);
}
