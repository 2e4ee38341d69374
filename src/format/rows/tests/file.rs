//! The file of a table: how it is recognised, cut into rows, spelled and widened.

use super::{GOOGLE, first_bindings, format, one_row, only, open, path, put, record, text, utf8, view};
use crate::format::{Confidence, Edit, Old};
use crate::model::Value;
use crate::model::contact::rename_elements;

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
fn an_empty_file_gets_its_header_with_the_first_row() {
    for format in super::all()
        .iter()
        .filter(|format| !format.info().name.ends_with("headerless"))
    {
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
    assert_eq!((description.delimiter, description.encoding), (';', "unknown-8bit"));
    assert_eq!(description.header, ["id", "name"]);
    assert_eq!(description.sample_rows, [["1", "a;b"], ["2", "Müller"]]);
    assert_eq!(super::describe(b"one column\n1\n"), None);
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
fn a_code_page_is_kept_and_never_substituted_into() {
    let (file, _) = one_row("outlook-csv", &[("First Name", "Jorg"), ("Last Name", "Muller")]);
    let bytes = file
        .replace("Muller", "M\u{FC}ller")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect::<Vec<u8>>();
    let stated = format("outlook-csv").in_encoding("windows-1252").unwrap();
    let document = stated.open(bytes).unwrap();
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

/// What the rows of a file say of the surname, or why they are set aside.
fn surnames(document: &dyn crate::format::Document) -> (Vec<String>, Vec<String>) {
    let shown = (0..document.item_count()).map(|at| document.parse(document.item(at).bytes).unwrap().record);
    let names = shown.map(|record| text(&record, "/name/components/surname/value").unwrap().to_owned());
    (
        names.collect(),
        document.broken().iter().map(|broken| broken.reason.clone()).collect(),
    )
}

#[test]
fn a_code_page_that_nobody_named_is_never_guessed() {
    let header = b"Title,First Name,Last Name,Business Street 2,Assistant's Phone,TTY/TDD Phone,User 1\r\n";
    let file = [
        &header[..],
        b",Ann,Lee,,,,\r\n,J\xF6rg,M\xFCller,,,,\r\n,Jan,Dvo\xF8\xE1k,,,,\r\n",
    ]
    .concat();
    let document = open("outlook-csv", &file);
    let (names, aside) = surnames(&*document);
    assert_eq!(names, ["Lee", "Müller"]);
    assert_eq!(
        aside,
        [
            "the file does not say its encoding (`--encoding` does): `Dvoøák` in windows-1252, `Dvořák` in windows-1250, \
          `Dvoųįk` in windows-1257, `Dvoшбk` in windows-1251"
        ]
    );
    assert!(document.is_complete());
    assert_eq!(document.assemble(&[]), file);
    for (label, name) in [("windows-1250", "Dvořák"), ("latin1", "Dvoøák"), ("cp1251", "Dvoшбk")] {
        let stated = format("outlook-csv").in_encoding(label).unwrap();
        let document = stated.open(file.clone()).unwrap();
        assert_eq!(surnames(&*document).0.last().unwrap(), name);
        assert_ne!(document.lens(), open("outlook-csv", &file).lens());
    }
    // A stated encoding that the bytes are not of sets rows aside as well.
    let stated = format("outlook-csv").in_encoding("utf-8").unwrap();
    let (names, aside) = surnames(&*stated.open(file).unwrap());
    assert_eq!((names.len(), aside.len()), (1, 2));
    assert!(format("outlook-csv").in_encoding("utf-9").is_none());
    assert!(format("mozilla-ldif").in_encoding("utf-8").is_none());
}

#[test]
fn files_in_other_scripts_are_read_patched_and_written() {
    let header = "First Name,Last Name,Display Name,Primary Email\r\n";
    for (label, given, surname) in [
        ("windows-1250", "Jiří", "Świątek"),
        ("windows-1251", "Жанна", "Ёлкина"),
        ("windows-1253", "Άννα", "Παπαδοπούλου"),
        ("windows-1255", "שרה", "כהן"),
        ("windows-1256", "سارة", "حداد"),
        ("shift_jis", "太郎", "表ソ能"),
        ("gbk", "伟", "张"),
        ("big5", "功", "許"),
        ("euc-kr", "철수", "김"),
        ("koi8-r", "Ян", "Дед"),
    ] {
        let encoding = super::encoding::Encoding::by_name(label).unwrap();
        let bytes = encoding
            .encode(&format!("{header}{given},{surname},\"{given} \"\"x\"\"\",a@x\r\n"))
            .unwrap();
        let unnamed = open("thunderbird-csv", &bytes);
        assert_eq!((unnamed.item_count(), unnamed.broken().len()), (0, 1), "{label}");
        let stated = format("thunderbird-csv").in_encoding(label).unwrap();
        let document = stated.open(bytes).unwrap();
        assert_eq!((document.item_count(), document.broken().len()), (1, 0), "{label}");
        let item = document.item(0).bytes.to_vec();
        let bindings = first_bindings(&document.parse(&item).unwrap().record);
        let mut shown = view(&*document, &item, &bindings);
        assert_eq!(text(&shown, "/name/components/given/value"), Some(given), "{label}");
        assert_eq!(text(&shown, "/name/full").unwrap(), format!("{given} \"x\""), "{label}");
        shown.set_at(&path("/name/components/given/value"), surname.into());
        let old = Old {
            bytes: &item,
            bindings: &bindings,
        };
        let changed = document.put(&shown, Some(old)).unwrap();
        assert_eq!(view(&*document, &changed.bytes, &changed.bindings), shown, "{label}");
        // A letter that the code page lacks is not written.
        shown.set_at(&path("/name/components/given/value"), "ﷺ𝄞".into());
        assert_eq!(document.put(&shown, Some(old)).unwrap().not_shown.len(), 1, "{label}");
    }
}

#[test]
fn utf_16_without_a_mark_is_read() {
    let bare = super::encoding::Encoding::Utf16LeBare;
    let bytes = bare
        .encode("First Name,Last Name,Primary Email\r\nJiří,Lee,a@x\r\n")
        .unwrap();
    assert!(format("thunderbird-csv").detect("x.csv", &bytes) > Confidence::No);
    let document = open("thunderbird-csv", &bytes);
    assert_eq!(surnames(&*document).0, ["Lee"]);
    let new = document.put(&record(&[("/emails/a/address", "b@x")]), None).unwrap();
    let file = document.assemble(&[Edit::Append(new.bytes)]);
    assert_eq!(file, [bytes, bare.encode(",,b@x\r\n").unwrap()].concat());
}

#[test]
fn a_file_cut_inside_a_letter_stays_utf_8() {
    let file = "First Name,Last Name,Primary Email\r\nZoë,Świątek,a@x\r\nJiří,Lé";
    let document = open("thunderbird-csv", &file.as_bytes()[..file.len() - 1]);
    assert_eq!(surnames(&*document).0, ["Świątek"]);
    assert!(!document.is_complete());
}

#[test]
fn rows_of_thunderbird_are_known_without_a_header() {
    let cells = [
        ("First Name", "Anne"),
        ("Last Name", "Lee"),
        ("Display Name", "Anne Lee"),
        ("Primary Email", "a@x"),
        ("Birth Year", "1985"),
    ];
    let (with_header, row) = one_row("thunderbird-csv", &cells);
    let second = row.replace("Anne", "Bob").replace("a@x", "").replace("1985", "");
    let file = format!("{row}{second}");
    let headerless = format("thunderbird-csv-headerless");
    assert_eq!(headerless.detect("a.csv", file.as_bytes()), Confidence::Likely);
    for other in super::all()
        .iter()
        .filter(|format| format.info().name != headerless.info().name)
    {
        assert_eq!(
            other.detect("a.csv", file.as_bytes()),
            Confidence::No,
            "{}",
            other.info().name
        );
    }
    let document = headerless.open(file.clone().into_bytes()).unwrap();
    assert_eq!(document.item_count(), 2);
    let expected = open("thunderbird-csv", &with_header)
        .parse(row.as_bytes())
        .unwrap()
        .record;
    assert_eq!(document.parse(document.item(0).bytes).unwrap().record, expected);
    assert_eq!(document.assemble(&[Edit::Remove(1)]), row.as_bytes());
    // A header, another width, a telephone number where addresses are, names that nothing repeats.
    for other in [
        with_header,
        row.replacen("Anne,", "Anne,,", 1),
        row.replace("a@x", "555 1"),
        row.replace("Anne Lee", ""),
        row.replace("1985", "May"),
        second,
    ] {
        assert_eq!(headerless.detect("a.csv", other.as_bytes()), Confidence::No, "{other}");
    }
}

#[test]
fn a_suffix_is_split_and_put_together() {
    let (document, row, mut shown, bindings) =
        only("google-csv", &[("First Name", "Ann"), ("Name Suffix", "Jr. M.D.")]);
    assert_eq!(text(&shown, "/name/components/generation/value"), Some("Jr."));
    assert_eq!(text(&shown, "/name/components/credential/value"), Some("M.D."));
    assert_eq!(put(&*document, &shown, &row, &bindings).bytes, row.as_bytes());
    shown.set_at(&path("/name/components/credential:2/value"), "Ph. D.".into());
    let more = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&more.bytes), row.replace("Jr. M.D.", "\"Jr., M.D., Ph. D.\""));
    assert!(more.not_shown.is_empty());
    // What would be read as the other kind stays out, and is reported.
    shown.set_at(&path("/name/components/generation/value"), "the Elder".into());
    let less = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&less.bytes), row.replace("Jr. M.D.", "\"M.D., Ph. D.\""));
    assert_eq!(less.not_shown, [path("/name/components/generation/value")]);
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
    // What another code page would read as something else is not written before somebody names one.
    let mut other = shown.clone();
    other.set_at(&path("/name/components/given/value"), "Hélène".into());
    let old = Old {
        bytes: &item,
        bindings: &bindings,
    };
    assert_eq!(
        document.put(&other, Some(old)).unwrap().not_shown,
        [path("/name/components/given/value")]
    );
    assert_eq!(format("outlook-csv").new_encoding(), Some("windows-1252"));
    let again = open("outlook-csv", document.assemble(&[Edit::Replace(0, changed.bytes)]));
    assert_eq!(again.parse(again.item(0).bytes).unwrap().record, shown);
}
