//! CSV dialects: what each trap of real files does.

use super::{first_bindings, format, open, path, record, text, view};
use crate::format::{Confidence, Edit, Old};
use crate::model::Value;
use crate::model::contact::rename_elements;

const GOOGLE: &str = "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,\
Name Prefix,Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,\
Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\n";

#[test]
fn google_is_recognised_read_and_patched_in_one_cell() {
    let row = "Ann,,Lee,,,,,,,,Acme,\"Boss\",,1985-04-12,\"one\ntwo\",,* myContacts ::: * starred ::: Chess,* Home,\
               ann@x.example,Mobile,+1 555 0100,Work Fax,+1 555 0101\n";
    let bytes = format!("{GOOGLE}{row}");
    assert_eq!(
        format("google-csv").detect("contacts.csv", bytes.as_bytes()),
        Confidence::Certain
    );
    let document = open("google-csv", &bytes);
    assert_eq!(document.item_count(), 1);
    let parsed = document.parse(document.item(0).bytes).unwrap();
    let expected = {
        let mut expected = record(&[
            ("/name/components/given/value", "Ann"),
            ("/name/components/surname/value", "Lee"),
            ("/organizations/~0Organization/name", "Acme"),
            ("/titles/~0Organization/name", "Boss"),
            ("/anniversaries/~0Birthday/kind", "birth"),
            ("/anniversaries/~0Birthday/date", "1985-04-12"),
            ("/notes/~0Notes/note", "one\ntwo"),
            ("/keywords/myContacts", "true"),
            ("/keywords/starred", "true"),
            ("/keywords/Chess", "true"),
            ("/emails/~0E-mail 1/address", "ann@x.example"),
            ("/emails/~0E-mail 1/contexts/private", "true"),
            ("/phones/~0Phone 1/number", "+1 555 0100"),
            ("/phones/~0Phone 1/features/mobile", "true"),
            ("/phones/~0Phone 2/number", "+1 555 0101"),
            ("/phones/~0Phone 2/contexts/work", "true"),
            ("/phones/~0Phone 2/features/fax", "true"),
        ]);
        expected.set_at(&path("/emails/~0E-mail 1/pref"), Value::Integer(1));
        expected
    };
    assert_eq!(parsed.record, expected);

    let bindings = first_bindings(&parsed.record);
    let mut changed = rename_elements(parsed.record.clone(), &bindings);
    changed.set_at(&path("/phones/idPhone 2phones/number"), "0199".into());
    changed.remove_at(&path("/keywords/starred"));
    let put = document
        .put(
            &changed,
            Some(Old {
                bytes: row.as_bytes(),
                bindings: &bindings,
            }),
        )
        .unwrap();
    let wanted = row.replace("+1 555 0101", "0199").replace(" ::: * starred", "");
    assert_eq!(String::from_utf8(put.bytes).unwrap(), wanted);
    assert_eq!(put.not_shown, []);
    assert_eq!(put.bindings, bindings);
}

#[test]
fn google_grows_at_the_end_and_pads_other_rows() {
    let rows = "Ann,,,,,,,,,,,,,,,,,,,,1,,\nBob,,,,,,,,,,,,,,,,,,,,2,,\n";
    let mut document = open("google-csv", format!("{GOOGLE}{rows}"));
    let bytes = document.item(1).bytes.to_vec();
    let bindings = first_bindings(&document.parse(&bytes).unwrap().record);
    let mut bob = view(&*document, &bytes, &bindings);
    for (id, number) in [("x", "3"), ("y", "4")] {
        bob.set_at(&path(&format!("/phones/{id}/number")), number.into());
        bob.set_at(&path(&format!("/phones/{id}/contexts/work")), true.into());
    }
    assert!(document.grow(&bob));
    assert!(!document.grow(&bob));
    let put = document
        .put(
            &bob,
            Some(Old {
                bytes: &bytes,
                bindings: &bindings,
            }),
        )
        .unwrap();
    assert_eq!(put.not_shown, []);
    let file = document.assemble(&[Edit::Replace(1, put.bytes)]);
    let header = GOOGLE.trim_end().to_owned() + ",Phone 3 - Label,Phone 3 - Value\n";
    let expected = "Ann,,,,,,,,,,,,,,,,,,,,1,,,,\nBob,,,,,,,,,,,,,,,,,,,,2,Work,3,Work,4\n";
    assert_eq!(String::from_utf8(file.clone()).unwrap(), header + expected);
    let again = open("google-csv", file);
    assert_eq!(view(&*again, again.item(1).bytes, &put.bindings), bob);
    assert_eq!(
        text(
            &again.parse(again.item(0).bytes).unwrap().record,
            "/phones/~0Phone 1/number"
        ),
        Some("1")
    );
}

/// A file of one row with the given cells, in a format's own header, and that row.
fn one_row(format_name: &str, cells: &[(&str, &str)]) -> (String, String) {
    let empty = format(format_name).create(None);
    // The header of a new file comes with its first row.
    let probe = record(&[("/name/components/given/value", "x")]);
    let file = empty.assemble(&[Edit::Append(empty.put(&probe, None).unwrap().bytes)]);
    let encoding = super::encoding::Encoding::detect(&file);
    let text = encoding.decode(&file[encoding.mark().len()..]).unwrap().into_owned();
    let header = text.lines().next().unwrap().to_owned();
    let names: Vec<&str> = header.split(',').collect();
    for (name, _) in cells {
        assert!(names.contains(name), "{name}");
    }
    let value = |name: &&str| {
        cells
            .iter()
            .find(|(cell, _)| cell == name)
            .map_or("", |(_, value)| value)
    };
    let row = names.iter().map(value).collect::<Vec<_>>().join(",") + "\r\n";
    (format!("{header}\r\n{row}"), row)
}

/// The record of the only row, with ids made of the slots.
fn only(
    format_name: &str,
    cells: &[(&str, &str)],
) -> (Box<dyn crate::format::Document>, String, Value, crate::format::Bindings) {
    let (file, row) = one_row(format_name, cells);
    let document = open(format_name, &file);
    let bindings = first_bindings(&document.parse(row.as_bytes()).unwrap().record);
    let shown = view(&*document, row.as_bytes(), &bindings);
    (document, row, shown, bindings)
}

fn put(
    document: &dyn crate::format::Document,
    record: &Value,
    row: &str,
    bindings: &crate::format::Bindings,
) -> crate::format::Put {
    document
        .put(
            record,
            Some(Old {
                bytes: row.as_bytes(),
                bindings,
            }),
        )
        .unwrap()
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn five_emails_in_three_slots_keep_their_places() {
    let (document, row, mut shown, bindings) = only(
        "outlook-csv",
        &[
            ("First Name", "Ann"),
            ("E-mail Address", "a@x"),
            ("E-mail 2 Address", "b@x"),
            ("E-mail 3 Address", "c@x"),
        ],
    );
    for (id, address) in [("d", "d@x"), ("e", "e@x")] {
        shown.set_at(&path(&format!("/emails/{id}/address")), address.into());
    }
    let same = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&same.bytes), row);
    let hidden: Vec<String> = same.not_shown.iter().map(ToString::to_string).collect();
    assert_eq!(hidden, ["/emails/d/address", "/emails/e/address"]);

    // The user swaps the first two: alignment binds the slots the other way round, and nothing else happens.
    let swapped_row = row.replace("a@x", "_").replace("b@x", "a@x").replace('_', "b@x");
    let mut swapped = bindings.clone();
    swapped.insert(
        "/emails/~0E-mail Address".into(),
        bindings["/emails/~0E-mail 2 Address"].clone(),
    );
    swapped.insert(
        "/emails/~0E-mail 2 Address".into(),
        bindings["/emails/~0E-mail Address"].clone(),
    );
    let same = put(&*document, &shown, &swapped_row, &swapped);
    assert_eq!(utf8(&same.bytes), swapped_row);
    assert_eq!(same.bindings, swapped);

    // One of the three goes elsewhere: its slot is filled by the first that had none, the others stay.
    shown.remove_at(&path("/emails/idE-mail 2 Addressemails"));
    let fewer = put(&*document, &shown, &swapped_row, &swapped);
    assert_eq!(utf8(&fewer.bytes), swapped_row.replace("b@x,,", "d@x,SMTP,"));
    assert_eq!(fewer.bindings["/emails/~0E-mail Address"], "d");
    assert_eq!(fewer.not_shown, [path("/emails/e/address")]);
}

#[test]
fn an_edit_of_the_second_phone_changes_its_cell_only() {
    let (document, row, mut shown, bindings) = only(
        "outlook-csv",
        &[
            ("Business Phone", "1"),
            ("Business Phone 2", "\"2\""),
            ("Telex", "9"),
            ("Priority", "Normal"),
            ("Notes", "\"x\r\ny\""),
        ],
    );
    shown.set_at(&path("/phones/idBusiness Phone 2phones/number"), "22".into());
    let changed = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&changed.bytes), row.replace("\"2\"", "\"22\""));
    assert_eq!((changed.not_shown, changed.bindings), (vec![], bindings));
}

#[test]
fn an_exchange_path_is_no_address_and_keeps_its_slot() {
    let path_text = "/o=Org/ou=Site/cn=Recipients/cn=ann";
    for address_type in ["EX", ""] {
        let (document, row, mut shown, bindings) = only(
            "outlook-csv",
            &[
                ("First Name", "Ann"),
                ("E-mail Address", path_text),
                ("E-mail Type", address_type),
            ],
        );
        assert_eq!(shown.at(&path("/emails")), None);
        shown.set_at(&path("/emails/n/address"), "n@x".into());
        let changed = put(&*document, &shown, &row, &bindings);
        let text = utf8(&changed.bytes);
        assert!(
            text.contains(&format!("{path_text},{address_type},,n@x,SMTP,")),
            "{text}"
        );
    }
}

#[test]
fn defaults_mean_nothing_and_stay() {
    let (document, row, mut shown, bindings) = only(
        "outlook-csv",
        &[
            ("First Name", "Ann"),
            ("Birthday", "0/0/00"),
            ("Gender", "Unspecified"),
            ("Priority", "Low"),
            ("Sensitivity", "Normal"),
            ("Private", "False"),
        ],
    );
    assert_eq!(shown, record(&[("/name/components/given/value", "Ann")]));
    shown.set_at(&path("/anniversaries/b/kind"), "birth".into());
    shown.set_at(&path("/anniversaries/b/date"), "1985-04-02".into());
    let changed = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&changed.bytes), row.replace("0/0/00", "4/2/1985"));
}

#[test]
fn the_file_tells_whether_days_come_first() {
    let (file, row) = one_row("outlook-csv", &[("First Name", "Ann"), ("Birthday", "4/5/1985")]);
    let birthday = |file: &str| {
        let document = open("outlook-csv", file);
        let shown = document.parse(document.item(0).bytes).unwrap().record;
        (
            text(&shown, "/anniversaries/~0Birthday/date").map(str::to_owned),
            document.lens(),
        )
    };
    let (month_first, lens) = birthday(&file);
    assert_eq!(month_first.as_deref(), Some("1985-04-05"));
    let (day_first, other_lens) = birthday(&format!("{file}{}", row.replace("4/5/1985", "31/5/1985")));
    assert_eq!(day_first.as_deref(), Some("1985-05-04"));
    assert_ne!(lens, other_lens);
    let (dots, _) = birthday(&file.replace("4/5/1985", "4.5.1985"));
    assert_eq!(dots.as_deref(), Some("1985-05-04"));
}

#[test]
fn a_date_without_year_has_no_place_in_outlook() {
    let (document, row, mut shown, bindings) = only("outlook-csv", &[("First Name", "Ann")]);
    shown.set_at(&path("/anniversaries/b/kind"), "birth".into());
    shown.set_at(&path("/anniversaries/b/date"), "--04-02".into());
    let same = put(&*document, &shown, &row, &bindings);
    assert_eq!((utf8(&same.bytes), same.not_shown.len()), (row, 2));
}

#[test]
fn categories_keep_their_order_and_spelling() {
    let (document, row, mut shown, bindings) = only(
        "outlook-csv",
        &[("First Name", "Ann"), ("Categories", "Zoo; Chess;Work")],
    );
    assert!(
        ["Zoo", "Chess", "Work"]
            .iter()
            .all(|word| shown.at(&path(&format!("/keywords/{word}"))).is_some())
    );
    shown.remove_at(&path("/keywords/Work"));
    shown.set_at(&path("/keywords/Art"), true.into());
    shown.set_at(&path("/keywords/a;b"), true.into());
    let changed = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&changed.bytes), row.replace("Zoo; Chess;Work", "Zoo; Chess;Art"));
    assert_eq!(changed.not_shown, [path("/keywords/a;b")]);
}

#[test]
fn a_code_page_is_kept_and_never_substituted_into() {
    let (file, _) = one_row("outlook-csv", &[("First Name", "Jorg"), ("Last Name", "Muller")]);
    let bytes = file
        .replace("Muller", "M\u{FC}ller")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect::<Vec<u8>>();
    let document = open("outlook-csv", &bytes);
    assert!(document.style().starts_with("windows-1252 comma crlf"));
    let item = document.item(0).bytes.to_vec();
    let mut shown = document.parse(&item).unwrap().record;
    assert_eq!(text(&shown, "/name/components/surname/value"), Some("Müller"));
    shown.set_at(&path("/name/components/given/value"), "Jörg €".into());
    shown.set_at(&path("/name/components/given2/value"), "Jiří".into());
    let bindings = first_bindings(&shown);
    let changed = document
        .put(
            &shown,
            Some(Old {
                bytes: &item,
                bindings: &bindings,
            }),
        )
        .unwrap();
    assert_eq!(changed.not_shown, [path("/name/components/given2/value")]);
    let again = document.parse(&changed.bytes).unwrap().record;
    assert_eq!(text(&again, "/name/components/given/value"), Some("Jörg €"));
    assert!(changed.bytes.windows(7).any(|part| part == b"J\xF6rg \x80,"));
    // A value that cannot be written leaves what stands there.
    shown.set_at(&path("/name/components/surname/value"), "Dvořák".into());
    let stays = document
        .put(
            &shown,
            Some(Old {
                bytes: &changed.bytes,
                bindings: &bindings,
            }),
        )
        .unwrap();
    assert_eq!(stays.bytes, changed.bytes);
    assert_eq!(stays.not_shown.len(), 2);
}

#[test]
fn utf_16_is_read_patched_and_written() {
    for encoding in [super::encoding::Encoding::Utf16Le, super::encoding::Encoding::Utf16Be] {
        let text_file = "First Name\tLast Name\tDisplay Name\tPrimary Email\r\nAnn\tLee\t\t\"a@x\"\r\n\tOnly\t\t\r\n";
        let mut bytes = encoding.mark().to_vec();
        bytes.extend(encoding.encode(text_file).unwrap());
        assert!(format("thunderbird-csv").detect("x.csv", &bytes) > Confidence::No);
        let document = open("thunderbird-csv", &bytes);
        assert_eq!((document.item_count(), document.is_complete()), (2, true));
        let item = document.item(0).bytes.to_vec();
        let bindings = first_bindings(&document.parse(&item).unwrap().record);
        let mut shown = view(&*document, &item, &bindings);
        shown.set_at(&path("/emails/idPrimary Emailemails/address"), "ž@x".into());
        let changed = document
            .put(
                &shown,
                Some(Old {
                    bytes: &item,
                    bindings: &bindings,
                }),
            )
            .unwrap();
        let file = document.assemble(&[Edit::Replace(0, changed.bytes), Edit::Remove(1)]);
        let expected = "First Name\tLast Name\tDisplay Name\tPrimary Email\r\nAnn\tLee\t\t\"ž@x\"\r\n";
        assert_eq!(encoding.decode(&file[2..]).unwrap(), expected);
        let half = open("thunderbird-csv", &bytes[..bytes.len() - 1]);
        assert!(!half.is_complete());
    }
}

#[test]
fn translated_headers_are_found_by_position() {
    let (file, _) = one_row(
        "thunderbird-csv",
        &[("First Name", "Anne"), ("Primary Email", "a@x"), ("Birth Year", "1985")],
    );
    let header = file.lines().next().unwrap();
    let french = file.replace(
        header,
        &header
            .split(',')
            .map(|name| format!("Fr {name}"))
            .collect::<Vec<_>>()
            .join(","),
    );
    let expected = record(&[
        ("/name/components/given/value", "Anne"),
        ("/emails/~0Primary Email/address", "a@x"),
        ("/anniversaries/~0Birthday/date", "1985"),
        ("/anniversaries/~0Birthday/kind", "birth"),
    ]);
    for (file, sure) in [
        (file.clone(), Confidence::Certain),
        (french.clone(), Confidence::Possible),
    ] {
        assert_eq!(format("thunderbird-csv").detect("a.csv", file.as_bytes()), sure);
        let document = open("thunderbird-csv", &file);
        assert_eq!(document.parse(document.item(0).bytes).unwrap().record, expected);
    }
    // Other tables of 37 columns hold no addresses where Thunderbird has them.
    let other = french.replace("a@x", "12");
    assert_eq!(
        format("thunderbird-csv").detect("a.csv", other.as_bytes()),
        Confidence::No
    );
    let british = file
        .replace("Home State", "Home County")
        .replace("Organization", "Organisation");
    assert_eq!(
        format("thunderbird-csv").detect("a.csv", british.as_bytes()),
        Confidence::Certain
    );
}

#[test]
fn an_open_quote_deletes_nothing() {
    let good = "First Name,Last Name,Primary Email\r\nAnn,Lee,a@x\r\n";
    let file = format!("{good}Bob,\"Lee,b@x\r\nCid,Lee,c@x\r\n");
    let document = open("thunderbird-csv", &file);
    assert_eq!(
        (document.item_count(), document.broken().len(), document.is_complete()),
        (1, 1, false)
    );
    assert_eq!(
        (document.broken()[0].line, utf8(&document.broken()[0].bytes)),
        (3, file[good.len()..].to_owned())
    );
    assert_eq!(
        utf8(&document.assemble(&[Edit::Remove(0)])),
        file.replace("Ann,Lee,a@x\r\n", "")
    );
}

#[test]
fn ragged_rows_blank_lines_and_a_missing_line_end_stay() {
    let file = "\n\nFirst Name,Last Name,Primary Email,\nAnn\n\n,,,\nBob,Lee,b@x,,,surplus\n \nCid,,,";
    let document = open("thunderbird-csv", file);
    assert_eq!(document.item_count(), 3);
    assert_eq!(document.item(2).line, 9);
    let ann = "Ann\n";
    let mut shown = document.parse(ann.as_bytes()).unwrap().record;
    shown.set_at(&path("/emails/n/address"), "a@x".into());
    let changed = put(&*document, &shown, ann, &crate::format::Bindings::new());
    assert_eq!(utf8(&changed.bytes), "Ann,,a@x\n");
    let new = document
        .put(&record(&[("/name/components/given/value", "Dan")]), None)
        .unwrap();
    assert_eq!(utf8(&new.bytes), "Dan,,,\n");
    let edits = [Edit::Append(new.bytes), Edit::Replace(0, changed.bytes)];
    let expected = file.replace("Ann\n", "Ann,,a@x\n") + "\nDan,,,\n";
    assert_eq!(utf8(&document.assemble(&edits)), expected);
}

#[test]
fn quoting_follows_the_file() {
    for (file, expected) in [
        (
            "\"First Name\",\"Last Name\",\"Primary Email\"\n\"Ann\",\"\",\"\"\n",
            "\"Bob\",\"\",\"b@x\"\n",
        ),
        (
            "\"First Name\",\"Last Name\",\"Primary Email\"\n\"Ann\",,\n",
            "\"Bob\",,\"b@x\"\n",
        ),
        ("First Name,Last Name,Primary Email\n\"Ann\",,\n", "Bob,,b@x\n"),
    ] {
        let document = open("thunderbird-csv", file);
        let bob = record(&[("/name/components/given/value", "Bob"), ("/emails/b/address", "b@x")]);
        let new = document.put(&bob, None).unwrap();
        assert_eq!(utf8(&new.bytes), expected);
        assert_eq!(new.bindings["/emails/~0Primary Email"], "b");
    }
}

#[test]
fn a_row_without_content_is_no_item_and_none_becomes_so() {
    let (document, row, _, bindings) = only("outlook-csv", &[("Mobile Phone", "+1 555")]);
    assert_eq!(document.item_count(), 1);
    let nothing = record(&[("/uid", "x"), ("/vcard/a/name", "X-OTHER")]);
    assert!(
        document
            .put(
                &nothing,
                Some(Old {
                    bytes: row.as_bytes(),
                    bindings: &bindings
                })
            )
            .is_err()
    );
    assert!(document.put(&nothing, None).is_err());
}

#[test]
fn several_values_in_a_google_cell_are_elements() {
    let header = GOOGLE.trim_end();
    let row = "Ann,,,,,,,,,,,,,,,,,Work,a@x ::: b@x ::: c@x,,,,\n";
    let document = open("google-csv", format!("{header}\n{row}"));
    let bindings = first_bindings(&document.parse(row.as_bytes()).unwrap().record);
    let mut shown = view(&*document, row.as_bytes(), &bindings);
    assert_eq!(text(&shown, "/emails/idE-mail 1.2emails/address"), Some("b@x"));
    shown.set_at(&path("/emails/idE-mail 1.3emails/address"), "cc@x".into());
    let edit = put(&*document, &shown, row, &bindings);
    assert_eq!(utf8(&edit.bytes), row.replace("c@x", "cc@x"));
    shown.remove_at(&path("/emails/idE-mail 1emails"));
    let removed = put(&*document, &shown, row, &bindings);
    assert_eq!(utf8(&removed.bytes), row.replace("a@x ::: b@x ::: c@x", "b@x ::: cc@x"));
    assert_eq!(removed.bindings["/emails/~0E-mail 1"], "idE-mail 1.2emails");
    assert_eq!(removed.bindings["/emails/~0E-mail 1.2"], "idE-mail 1.3emails");
    // They share a label: who has another one leaves, and here is no other slot.
    shown.remove_at(&path("/emails/idE-mail 1.2emails/contexts"));
    shown.set_at(&path("/emails/idE-mail 1.2emails/contexts/private"), true.into());
    let left = put(&*document, &shown, row, &bindings);
    assert_eq!(utf8(&left.bytes), row.replace("a@x ::: b@x ::: c@x", "cc@x"));
    assert_eq!(left.not_shown.len(), 2);
    let mut wider = open("google-csv", format!("{header}\n{row}"));
    assert!(wider.grow(&shown));
    let moved = put(&*wider, &shown, row, &bindings);
    assert_eq!(
        utf8(&moved.bytes),
        row.replace("a@x ::: b@x ::: c@x", "cc@x").replace('\n', ",Home,b@x\n")
    );
    assert_eq!(moved.not_shown, []);
}

#[test]
fn cells_with_several_values_need_no_new_columns() {
    let row = "Ann,,,,,,,,,,,,,,,,,Work,a@x ::: b@x,,,,\n";
    let mut document = open("google-csv", format!("{GOOGLE}{row}"));
    let shown = document.parse(row.as_bytes()).unwrap().record;
    assert!(!document.grow(&shown));
}

#[test]
fn growth_leaves_cells_beyond_the_header_alone() {
    let mut document = open("google-csv", format!("{GOOGLE}Ann,,,,,,,,,,,,,,,,,,,,,,,surplus,\n"));
    let bob = record(&[
        ("/phones/a/number", "1"),
        ("/phones/b/number", "2"),
        ("/phones/c/number", "3"),
    ]);
    assert!(document.grow(&bob));
    let new = document.put(&bob, None).unwrap();
    let file = document.assemble(&[Edit::Append(new.bytes)]);
    let again = open("google-csv", &file);
    assert_eq!(
        again.parse(again.item(0).bytes).unwrap().record,
        record(&[("/name/components/given/value", "Ann")])
    );
    assert_eq!(view(&*again, again.item(1).bytes, &new.bindings), bob);
}

#[test]
fn a_label_with_a_star_is_preferred() {
    let header = GOOGLE.trim_end();
    let row = "Ann,,,,,,,,,,,,,,,,,* ,a@x,* Mobile,1,Ferien,2\n";
    let document = open("google-csv", format!("{header}\n{row}"));
    let bindings = first_bindings(&document.parse(row.as_bytes()).unwrap().record);
    let mut shown = view(&*document, row.as_bytes(), &bindings);
    assert_eq!(
        shown.at(&path("/emails/idE-mail 1emails/pref")),
        Some(&Value::Integer(1))
    );
    assert_eq!(text(&shown, "/phones/idPhone 2phones/label"), Some("Ferien"));
    shown.remove_at(&path("/phones/idPhone 1phones/pref"));
    shown.set_at(&path("/phones/idPhone 2phones/pref"), Value::Integer(1));
    let changed = put(&*document, &shown, row, &bindings);
    assert_eq!(utf8(&changed.bytes), "Ann,,,,,,,,,,,,,,,,,* ,a@x,Mobile,1,* Ferien,2\n");
}

#[test]
fn derived_names_are_derived_again() {
    let cells = [
        ("Name", "Dr. Ann Lee"),
        ("Given Name", "Ann"),
        ("Family Name", "Lee"),
        ("Name Prefix", "Dr."),
    ];
    let (document, row, mut shown, bindings) = only("google-csv-old", &cells);
    assert_eq!(shown.at(&path("/name/full")), None);
    shown.set_at(&path("/name/components/given/value"), "Anna".into());
    assert_eq!(
        utf8(&put(&*document, &shown, &row, &bindings).bytes),
        row.replace("Ann", "Anna")
    );
    shown.set_at(&path("/name/full"), "The Doctor".into());
    let own = put(&*document, &shown, &row, &bindings);
    assert_eq!(
        utf8(&own.bytes),
        row.replace("Ann,", "Anna,").replace("Dr. Ann Lee", "The Doctor")
    );

    let (document, row, mut shown, bindings) = only(
        "thunderbird-csv",
        &[("First Name", "Ann"), ("Last Name", "Lee"), ("Display Name", "Annie")],
    );
    assert_eq!(text(&shown, "/name/full"), Some("Annie"));
    shown.set_at(&path("/name/components/surname/value"), "Ray".into());
    assert_eq!(
        utf8(&put(&*document, &shown, &row, &bindings).bytes),
        row.replace("Lee", "Ray")
    );
    shown.remove_at(&path("/name/full"));
    assert_eq!(
        utf8(&put(&*document, &shown, &row, &bindings).bytes),
        row.replace("Lee", "Ray").replace("Annie", "Ann Ray")
    );
}

#[test]
fn birthdays_in_three_columns_may_lack_parts() {
    let cells = [("First Name", "Ann"), ("Birth Month", "02"), ("Birth Day", "29")];
    let (document, row, mut shown, bindings) = only("thunderbird-csv", &cells);
    assert_eq!(
        text(&shown, "/anniversaries/idBirthdayanniversaries/date"),
        Some("--02-29")
    );
    shown.set_at(
        &path("/anniversaries/idBirthdayanniversaries/date"),
        "1984-03-01".into(),
    );
    let changed = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&changed.bytes), row.replace(",,02,29", ",1984,03,01"));

    let cells = [
        ("First Name", "Ann"),
        ("Birth Year", "1977"),
        ("Birth Month", "2"),
        ("Birth Day", "31"),
    ];
    let (document, row, mut shown, bindings) = only("thunderbird-csv", &cells);
    assert_eq!(shown.at(&path("/anniversaries")), None);
    shown.set_at(&path("/anniversaries/b/kind"), "birth".into());
    shown.set_at(&path("/anniversaries/b/date"), "1977-02-03".into());
    assert_eq!(utf8(&put(&*document, &shown, &row, &bindings).bytes), row);
}

#[test]
fn other_tables_are_nobody_s() {
    let calendar = "Subject,Start Date,Start Time,End Date,End Time,All day event,Reminder on/off,Reminder Date,\
                    Reminder Time,Meeting Organizer,Required Attendees,Optional Attendees,Meeting Resources,\
                    Billing Information,Categories,Description,Location,Mileage,Priority,Private,Sensitivity,Show time as\n";
    for bytes in [
        calendar.as_bytes(),
        b"id,name,price\n1,Nut,2.50\n",
        b"",
        b"BEGIN:VCARD\nN:a;b,c,d\n",
        b"\xFF\xFE",
        b"\x89PNG,\x00,,",
    ] {
        for format in super::all() {
            assert_eq!(
                format.detect("x.csv", bytes),
                Confidence::No,
                "{} {bytes:?}",
                format.info().name
            );
        }
    }
}

#[test]
fn a_description_tells_how_a_file_was_read() {
    let description = super::describe(b"id;name\n1;\"a;b\"\n2;M\xFCller\n").unwrap();
    assert_eq!((description.delimiter, description.encoding), (';', "windows-1252"));
    assert_eq!(description.header, ["id", "name"]);
    assert_eq!(description.sample_rows, [["1", "a;b"], ["2", "Müller"]]);
    assert_eq!(super::describe(b"one column\n1\n"), None);
}

#[test]
fn the_example_of_the_manual_reads_the_file_it_is_about() {
    let manual = include_str!("../../../../docs/mapping.md");
    let mapping = manual
        .split("```toml\n# Windows Live Mail, German")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let format = super::from_mapping(mapping).unwrap();
    let bytes = include_bytes!("../../../../tests/data/contacts/other-csv/Contacts.IO/WindowsLiveMail.csv");
    assert_eq!(format.detect("contacts.csv", bytes), Confidence::Certain);
    let document = format.open(bytes.to_vec()).unwrap();
    let shown = document.parse(document.item(0).bytes).unwrap().record;
    assert_eq!(text(&shown, "/phones/~0Fax (privat)/number"), Some("Fax privat"));
    assert_eq!(
        text(&shown, "/addresses/~0geschäftlich/components/name/value"),
        Some("Eisenbahnstraße")
    );
    assert_eq!(shown.leaves().len(), 41);
}

#[test]
fn a_cell_with_a_limit_shows_the_start() {
    let mapping = "[format]\nname = 'x'\ntitle = 'X'\nkind = 'contact'\ncontainer = 'csv'\n\
                   [[column]]\nname = 'Name'\npath = '/name/full'\n\
                   [[column]]\nname = 'Note'\npath = '/notes/~Note/note'\nmax = 10\n";
    let format = super::from_mapping(mapping).unwrap();
    let document = format.open(b"Name,Note\nAnn,short\n".to_vec()).unwrap();
    let long = record(&[("/name/full", "Ann"), ("/notes/n/note", "a long note\nof two lines")]);
    let bindings = [("/notes/~0Note".to_owned(), "n".to_owned())].into();
    let cut = document
        .put(
            &long,
            Some(Old {
                bytes: b"Ann,short\n",
                bindings: &bindings,
            }),
        )
        .unwrap();
    assert_eq!(utf8(&cut.bytes), "Ann,a long not\n");
    assert_eq!(cut.not_shown, [path("/notes/n/note")]);
    let again = document
        .put(
            &long,
            Some(Old {
                bytes: &cut.bytes,
                bindings: &bindings,
            }),
        )
        .unwrap();
    assert_eq!(again.bytes, cut.bytes);
    let new = document.put(&long, None).unwrap();
    assert_eq!(utf8(&new.bytes), "Ann,a long not\n");
    assert_eq!(new.bindings, bindings);
}

#[test]
fn a_file_without_header_is_read_by_position() {
    let mapping = "[format]\nname = 'x'\ntitle = 'X'\nkind = 'contact'\ncontainer = 'csv'\nheaderless = true\n\
                   [[column]]\nname = 'full'\npath = '/name/full'\nderive = ['full']\nderive_new = true\n\
                   [[column]]\nname = 'given'\npath = '/name/components/given/value'\n\
                   [[column]]\nname = 'family'\npath = '/name/components/surname/value'\n\
                   [[column]]\nname = 'mail'\npath = '/emails/~mail/address'\n";
    let format = super::from_mapping(mapping).unwrap();
    let file =
        include_bytes!("../../../../tests/data/contacts/thunderbird-csv/releases-comm-central/csv_no_header.csv");
    let document = format.open(file.to_vec()).unwrap();
    assert_eq!(document.item_count(), 2);
    let shown = document.parse(document.item(1).bytes).unwrap().record;
    assert_eq!(
        shown,
        record(&[
            ("/name/components/given/value", "Jane"),
            ("/name/components/surname/value", "Doe"),
            ("/emails/~0mail/address", "jane@doe.invalid"),
        ])
    );
    let empty = format.create(None);
    let new = empty.put(&shown, None).unwrap().bytes;
    assert_eq!(
        utf8(&empty.assemble(&[Edit::Append(new)])),
        "Jane Doe,Jane,Doe,jane@doe.invalid\n"
    );
}

#[test]
fn faults_of_a_mapping_are_told() {
    let head = "[format]\nname = 'x'\ntitle = 'X'\nkind = 'contact'\ncontainer = 'csv'\n";
    for (text, expected) in [
        ("", "missing field"),
        (&*format!("{head}colour = 1\n"), "colour"),
        (&*format!("{head}[[column]]\nname = 'a'\n"), "`a` has no path"),
        (
            &*format!("{head}[[column]]\nname = 'a'\npath = 'x'\n"),
            "`x` is no path",
        ),
        (
            &*format!("{head}[[column]]\nname = 'a'\npath = '/x'\nlabel = 'none'\n"),
            "no labels `none`",
        ),
        (
            &*format!("{head}[[element]]\nslot = 'a'\nin = 'relatedTo'\ncolumns = [{{ name = 'a' }}]\n"),
            "key = true",
        ),
        (
            &*format!(
                "{head}[[element]]\nslot = 'a{{n}}'\nin = 'phones'\ncolumns = [{{ name = 'a', field = 'number' }}]\n"
            ),
            "go together",
        ),
        (
            &*format!("{head}[[column]]\nname = 'a'\npath = '/emails/address'\n"),
            "lacks a slot",
        ),
        (
            &*format!("{head}[[column]]\nname = 'a'\npath = '/emails/~a'\n"),
            "lacks a slot",
        ),
        (
            &*format!("{head}[[column]]\nname = 'a'\npath = '/mails/~a/address'\n"),
            "where no elements are",
        ),
        (
            &*format!("{head}[[column]]\nname = 'a'\npath = '/x'\n[[column]]\nname = 'A'\npath = '/y'\n"),
            "two columns are named `a`",
        ),
        (head, "no column"),
    ] {
        let error = super::from_mapping(text).err().unwrap().to_string();
        assert!(error.starts_with("mapping: ") && error.contains(expected), "{error}");
    }
}

#[test]
fn an_empty_file_gets_its_header_with_the_first_row() {
    for format in super::all() {
        let document = format.create(None);
        assert_eq!(document.assemble(&[]), b"");
        let opened = format.open(Vec::new()).unwrap();
        assert_eq!((opened.item_count(), opened.assemble(&[])), (0, Vec::new()));
        let new = opened
            .put(&record(&[("/name/components/given/value", "Ann")]), None)
            .unwrap();
        let file = opened.assemble(&[Edit::Append(new.bytes)]);
        assert_eq!(format.detect("x", &file), Confidence::Certain, "{}", format.info().name);
        assert_eq!(format.open(file).unwrap().item_count(), 1);
    }
}

#[test]
fn renaming_elements_of_the_row_is_what_bindings_say() {
    let (document, row, shown, bindings) = only("outlook-csv", &[("Home Phone", "1"), ("Home Phone 2", "1")]);
    assert_eq!(
        rename_elements(document.parse(row.as_bytes()).unwrap().record, &bindings),
        shown
    );
    // Two equal numbers are two elements and stay two.
    assert_eq!(utf8(&put(&*document, &shown, &row, &bindings).bytes), row);
}

#[test]
fn system_labels_of_google_keep_their_mark() {
    let mut document = format("google-csv").create(None);
    let ann = record(&[
        ("/name/components/given/value", "Ann"),
        ("/keywords/myContacts", "true"),
        ("/keywords/Chess", "true"),
    ]);
    document.grow(&ann);
    let new = document.put(&ann, None).unwrap();
    assert!(utf8(&new.bytes).contains(",Chess ::: * myContacts,"));
    assert_eq!(new.not_shown, []);
}

#[test]
fn a_swap_in_the_file_moves_no_element() {
    let cells = [
        ("First Name", "Ann"),
        ("E-mail Address", "a@x"),
        ("E-mail 2 Address", "b@x"),
        ("E-mail 3 Address", "c@x"),
    ];
    let (document, row, shown, bindings) = only("outlook-csv", &cells);
    let swapped = row
        .replace("a@x", "_")
        .replace("b@x", "a@x")
        .replace('_', "b@x")
        .replace("c@x", "");
    let parsed = document.parse(swapped.as_bytes()).unwrap().record;
    let aligned = crate::model::contact::align(&parsed, Some(&shown), &bindings, &|_, _| false);
    let mut expected = shown.clone();
    expected.remove_at(&path("/emails/idE-mail 3 Addressemails"));
    assert_eq!(rename_elements(parsed.clone(), &aligned), expected);
    // The others' two further addresses come into the slot that became free, when the row is written at all.
    for (id, address) in [("d", "d@x"), ("e", "e@x")] {
        expected.set_at(&path(&format!("/emails/{id}/address")), address.into());
    }
    let filled = put(&*document, &expected, &swapped, &aligned);
    assert_eq!(
        view(&*document, &filled.bytes, &filled.bindings).at(&path("/emails/d/address")),
        Some(&"d@x".into())
    );
    assert_eq!(filled.not_shown, [path("/emails/e/address")]);
    assert_eq!(
        filled.bindings["/emails/~0E-mail Address"],
        aligned["/emails/~0E-mail Address"]
    );
}

#[test]
fn dates_with_the_year_first_are_written_so_again() {
    let (file, row) = one_row("outlook-csv", &[("First Name", "Ann"), ("Birthday", "1985-04-12")]);
    let document = open("outlook-csv", &file);
    let mut shown = document.parse(row.as_bytes()).unwrap().record;
    let bindings = first_bindings(&shown);
    shown = rename_elements(shown.clone(), &bindings);
    shown.set_at(&path("/anniversaries/w/kind"), "wedding".into());
    shown.set_at(&path("/anniversaries/w/date"), "2010-06-01".into());
    assert!(utf8(&put(&*document, &shown, &row, &bindings).bytes).contains(",2010-06-01,"));
}

#[test]
fn a_text_with_the_separator_inside_is_not_written_where_it_would_be_two() {
    let header = GOOGLE.trim_end();
    let row = "Ann,,,,,,,,,,,,,,x ::: y,,,Work,a@x,,,,\n";
    let document = open("google-csv", format!("{header}\n{row}"));
    let bindings = first_bindings(&document.parse(row.as_bytes()).unwrap().record);
    let mut shown = view(&*document, row.as_bytes(), &bindings);
    assert_eq!(text(&shown, "/notes/idNotesnotes/note"), Some("x ::: y"));
    shown.set_at(&path("/emails/idE-mail 1emails/address"), "a@x ::: b@x".into());
    let stays = put(&*document, &shown, row, &bindings);
    assert_eq!((utf8(&stays.bytes).as_str(), stays.bindings), (row, bindings));
    assert_eq!(stays.not_shown, [path("/emails/idE-mail 1emails/address")]);
}

#[test]
fn plain_ascii_of_outlook_takes_its_code_page() {
    let file =
        "Title,First Name,Last Name,Business Street 2,Assistant's Phone,TTY/TDD Phone,User 1\r\n,Ann,Lee,,,,\r\n";
    let document = open("outlook-csv", file);
    let item = document.item(0).bytes.to_vec();
    let mut shown = document.parse(&item).unwrap().record;
    shown.set_at(&path("/name/components/surname/value"), "Müller".into());
    let bindings = first_bindings(&shown);
    let changed = document
        .put(
            &shown,
            Some(Old {
                bytes: &item,
                bindings: &bindings,
            }),
        )
        .unwrap();
    assert_eq!(changed.bytes, b",Ann,M\xFCller,,,,\r\n");
    let again = open("outlook-csv", document.assemble(&[Edit::Replace(0, changed.bytes)]));
    assert_eq!(again.parse(again.item(0).bytes).unwrap().record, shown);
}
