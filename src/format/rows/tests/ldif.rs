//! LDIF: lines that do not change keep their bytes.

use super::{first_bindings, format, open, path, record, text, view};
use crate::format::{Bindings, Confidence, Document, Edit, Old, Put};
use crate::model::Value;

const ANN: &str = "dn: cn=Ann Lee,mail=a@x\r\nobjectclass: top\r\nobjectclass: person\r\n# a remark\r\n\
                   GivenName: Ann\r\nsn: Lee\r\ncn: Ann Lee\r\nmail: a@x\r\nmail: b@x\r\nmail: c@x\r\n\
                   description:: aGkgbW9tCg==\r\ncellphone: 1\r\nuid;lang-de: ann\r\n\
                   jpegPhoto:< file:///ann.jpg\r\nmozillaCustom1: lo\r\n ng\r\nmodifytimestamp: 0Z\r\n\r\n";

fn ann() -> (Box<dyn Document>, Value, Bindings) {
    let document = open("mozilla-ldif", ANN);
    let bindings = first_bindings(&document.parse(ANN.as_bytes()).unwrap().record);
    let shown = view(&*document, ANN.as_bytes(), &bindings);
    (document, shown, bindings)
}

fn put(document: &dyn Document, record: &Value, bytes: &str, bindings: &Bindings) -> (String, Put) {
    let old = Old {
        bytes: bytes.as_bytes(),
        bindings,
    };
    let put = document.put(record, Some(old)).unwrap();
    (String::from_utf8(put.bytes.clone()).unwrap(), put)
}

#[test]
fn an_entry_is_read_through_aliases_base64_and_folding() {
    let (document, _, _) = ann();
    let parsed = document.parse(ANN.as_bytes()).unwrap();
    let expected = record(&[
        ("/name/components/given/value", "Ann"),
        ("/name/components/surname/value", "Lee"),
        ("/emails/~0mail/address", "a@x"),
        ("/emails/~0mail#2/address", "b@x"),
        ("/emails/~0mail#3/address", "c@x"),
        ("/notes/~0description/note", "hi mom\n"),
        ("/phones/~0mobile/number", "1"),
        ("/phones/~0mobile/features/mobile", "true"),
        ("/custom/Custom 1", "long"),
    ]);
    assert_eq!(parsed.record, expected);
    assert_eq!(
        (parsed.native_id, parsed.warnings),
        (None, vec!["`jpegPhoto` cannot be read and stays".to_owned()])
    );
}

#[test]
fn changed_lines_change_and_the_others_stay() {
    let (document, mut shown, bindings) = ann();
    assert_eq!(put(&*document, &shown, ANN, &bindings).0, ANN);
    shown.set_at(
        &path("/custom/Custom 1"),
        "a long text that ends with a space and is folded as the file folds its lines ".into(),
    );
    shown.set_at(&path("/phones/idmobilephones/number"), "22".into());
    shown.set_at(&path("/name/components/given/value"), "Änn".into());
    shown.set_at(&path("/titles/t/name"), ": boss".into());
    let (text, written) = put(&*document, &shown, ANN, &bindings);
    let expected = ANN
        .replace("GivenName: Ann", "GivenName:: w4Rubg==")
        .replace("cn: Ann Lee\r\nmail", "cn:: w4RubiBMZWU=\r\nmail")
        .replace("cellphone: 1", "cellphone: 22")
        .replace(
            "mozillaCustom1: lo\r\n ng",
            "mozillaCustom1:: YSBsb25nIHRleHQgdGhhdCBlbmRzIHdpdGggYSBzcGFjZSBhbmQgaXMgZm9\r\n sZGVkIGFzIHRoZSBmaWxlIGZvbGRzIGl0cyBsaW5lcyA=",
        )
        .replace("modifytimestamp: 0Z\r\n", "modifytimestamp: 0Z\r\ntitle:: OiBib3Nz\r\n");
    assert_eq!(text, expected);
    assert_eq!(written.not_shown, []);
    assert_eq!(written.bindings["/titles/~0title"], "t");
}

#[test]
fn repeated_attributes_are_slots_that_close_up() {
    let (document, mut shown, bindings) = ann();
    shown.remove_at(&path("/emails/idmailemails"));
    let (text_now, written) = put(&*document, &shown, ANN, &bindings);
    assert_eq!(text_now, ANN.replace("mail: a@x\r\n", ""));
    assert_eq!(written.bindings["/emails/~0mail"], "idmail#2emails");
    assert_eq!(written.bindings["/emails/~0mail#2"], "idmail#3emails");
    assert_eq!(view(&*document, &written.bytes, &written.bindings), shown);
    assert_eq!(written.not_shown, []);
    for (id, address) in [("y", "y@x"), ("z", "z@x")] {
        shown.set_at(&path(&format!("/emails/{id}/address")), address.into());
    }
    let (_, more) = put(&*document, &shown, &text_now, &written.bindings);
    assert_eq!(view(&*document, &more.bytes, &more.bindings), shown);
    assert_eq!(more.not_shown, []);
}

#[test]
fn a_url_keeps_its_slot() {
    let (document, mut shown, bindings) = ann();
    shown.set_at(&path("/media/m/kind"), "photo".into());
    shown.set_at(&path("/media/m/data"), Value::Bytes(vec![255, 216]));
    let (text, written) = put(&*document, &shown, ANN, &bindings);
    assert_eq!((text.as_str(), written.not_shown.len()), (ANN, 2));
    let new = document.put(&shown, None).unwrap();
    assert_eq!(new.not_shown, []);
    assert!(
        String::from_utf8(new.bytes)
            .unwrap()
            .contains("\r\njpegPhoto:: /9g=\r\n")
    );
}

#[test]
fn new_entries_look_as_mozilla_writes_them() {
    let document = open("mozilla-ldif", "version: 1\n\ndn: cn=x\ncn: x\n");
    let bob = record(&[
        ("/name/components/given/value", "Bob"),
        ("/name/components/surname/value", "Lee, Jr."),
        ("/emails/e/address", "b@x"),
        ("/emails/f/address", "f@x"),
        ("/emails/g/address", "g@x"),
    ]);
    let new = document.put(&bob, None).unwrap();
    let expected = "dn: cn=Bob Lee\\, Jr.,mail=b@x\nobjectclass: top\nobjectclass: person\n\
                    objectclass: organizationalPerson\nobjectclass: inetOrgPerson\n\
                    objectclass: mozillaAbPersonAlpha\ngivenName: Bob\nsn: Lee, Jr.\ncn: Bob Lee, Jr.\nmail: b@x\n\
                    mozillaSecondEmail: f@x\nmail: g@x\n\n";
    assert_eq!(String::from_utf8(new.bytes.clone()).unwrap(), expected);
    assert_eq!(new.not_shown, []);
    let file = document.assemble(&[Edit::Append(new.bytes), Edit::Remove(0)]);
    assert_eq!(String::from_utf8(file).unwrap(), format!("version: 1\n\n{expected}"));
}

#[test]
fn lists_have_members() {
    let list = "dn: cn=crew\nobjectclass: groupOfNames\ncn: crew\nmember: cn=a,mail=a@x\nmember: cn=b,mail=b@x\n";
    let document = open("mozilla-ldif", list);
    let mut shown = document.parse(list.as_bytes()).unwrap().record;
    let expected = [
        ("/kind", "group"),
        ("/name/full", "crew"),
        ("/members/cn=a,mail=a@x", "true"),
        ("/members/cn=b,mail=b@x", "true"),
    ];
    assert_eq!(shown, record(&expected));
    shown.remove_at(&path("/members/cn=a,mail=a@x"));
    shown.set_at(&path("/members/cn=c,mail=c@x"), true.into());
    shown.set_at(&path("/members/0a3e-uid"), true.into());
    let (text, written) = put(&*document, &shown, list, &Bindings::new());
    assert_eq!(text, list.replace("cn=a,mail=a@x", "cn=c,mail=c@x"));
    assert_eq!(written.not_shown, [path("/members/0a3e-uid")]);
    let new = document.put(&shown, None).unwrap();
    assert!(
        String::from_utf8(new.bytes)
            .unwrap()
            .starts_with("dn: cn=crew\nobjectclass: top\nobjectclass: groupOfNames\ncn: crew\nmember: ")
    );
}

#[test]
fn what_is_no_contact_is_left_alone() {
    let file = "version: 1\n# remark\n\n\ndn: cn=schema\nobjectClass: subschema\ncn: schema\n\n\
                dn: cn=gone\nchangetype: delete\n\ndn: cn=x\nnonsense\n\ndn: cn=Ann\ncn: Ann";
    assert_eq!(
        format("mozilla-ldif").detect("x.ldif", file.as_bytes()),
        Confidence::Certain
    );
    let document = open("mozilla-ldif", file);
    assert_eq!((document.item_count(), document.is_complete()), (1, false));
    let broken: Vec<_> = document
        .broken()
        .iter()
        .map(|one| (one.line, one.reason.as_str()))
        .collect();
    assert_eq!(
        broken,
        [
            (9, "it is a change of a directory, no entry"),
            (12, "a line is no attribute")
        ]
    );
    let shown = document.parse(document.item(0).bytes).unwrap().record;
    assert_eq!(text(&shown, "/name/full"), Some("Ann"));
    let new = document.put(&shown, None).unwrap();
    let grown = document.assemble(&[Edit::Append(new.bytes.clone())]);
    assert_eq!(grown, [file.as_bytes(), b"\n\n", &new.bytes].concat());
}

#[test]
fn legacy_bytes_stay() {
    let bytes = b"dn: cn=x\ncn: M\xFCller\nsn: M\xFCller\ngivenName: Ann\n";
    let document = open("mozilla-ldif", bytes);
    let mut shown = document.parse(bytes).unwrap().record;
    assert_eq!(shown, record(&[("/name/components/given/value", "Ann")]));
    shown.set_at(&path("/name/components/surname/value"), "Lee".into());
    shown.set_at(&path("/name/components/given/value"), "Anna".into());
    let put = document
        .put(
            &shown,
            Some(Old {
                bytes,
                bindings: &Bindings::new(),
            }),
        )
        .unwrap();
    assert_eq!(put.bytes, b"dn: cn=x\ncn: M\xFCller\nsn: M\xFCller\ngivenName: Anna\n");
    assert_eq!(put.not_shown, [path("/name/components/surname/value")]);
}

#[test]
fn abook_and_old_mozilla_names_are_known() {
    let entry = "dn: cn=Ann Lee,mail=a@x\nobjectclass: top\nobjectclass: person\ncn: Ann Lee\nmail: a@x\n\
                 streetaddress: 1 Main St\nstreetaddress2: Flat 2\nlocality: Town\npostalcode: 123\ncountryname: NZ\n\
                 homephone: 1\nworkphone: 2\ncellphone: 3\nxmozillanickname: Annie\nhomeurl: http://ann.example\n\
                 custom1: x\n";
    let document = open("mozilla-ldif", entry);
    let parsed = document.parse(entry.as_bytes()).unwrap().record;
    let expected = record(&[
        ("/name/full", "Ann Lee"),
        ("/emails/~0mail/address", "a@x"),
        ("/addresses/~0work/components/name/value", "1 Main St\nFlat 2"),
        ("/addresses/~0work/components/locality/value", "Town"),
        ("/addresses/~0work/components/postcode/value", "123"),
        ("/addresses/~0work/components/country/value", "NZ"),
        ("/addresses/~0work/contexts/work", "true"),
        ("/phones/~0homePhone/number", "1"),
        ("/phones/~0homePhone/contexts/private", "true"),
        ("/phones/~0telephoneNumber/number", "2"),
        ("/phones/~0telephoneNumber/contexts/work", "true"),
        ("/phones/~0mobile/number", "3"),
        ("/phones/~0mobile/features/mobile", "true"),
        ("/nicknames/~0mozillaNickname/name", "Annie"),
        ("/links/~0mozillaHomeUrl/uri", "http://ann.example"),
        ("/links/~0mozillaHomeUrl/contexts/private", "true"),
        ("/custom/Custom 1", "x"),
    ]);
    assert_eq!(parsed, expected);
    let bindings = first_bindings(&parsed);
    let mut shown = view(&*document, entry.as_bytes(), &bindings);
    // A second mobile phone beside `cellphone` would hide it: it is reported instead.
    shown.set_at(&path("/phones/n/number"), "4".into());
    shown.set_at(&path("/phones/n/features/mobile"), true.into());
    let (text, written) = put(&*document, &shown, entry, &bindings);
    assert_eq!((text.as_str(), written.not_shown.len()), (entry, 2));
}
