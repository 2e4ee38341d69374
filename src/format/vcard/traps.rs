//! What programs really write and trip over, one trap after the other; each is read as meant or kept as it is.

use super::tests::{card, leaves, shows};
use super::*;

#[test]
fn identities_are_taken_as_they_are_written() {
    for (lines, uid) in [
        (
            "UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\r\n",
            "urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1",
        ),
        ("UID:a/b/../c\r\n", "a/b/../c"),
        ("UID:first\r\n  half\r\n", "first half"),
        ("uid;X-A=1:case\r\n", "case"),
    ] {
        let (_, _, bytes) = card("3.0", lines);
        let document = Vcard::default().create(None);
        assert_eq!(document.parse(&bytes).unwrap().native_id.as_deref(), Some(uid));
    }
}

#[test]
fn lines_are_unfolded_inside_letters_and_escapes() {
    let folded = "NOTE:J\u{FC}rgen \u{1F600}\\, fin\r\n".as_bytes();
    for at in 6..folded.len() - 2 {
        for fold in [&b"\r\n "[..], b"\r\n\t", b"\n "] {
            let line = [&folded[..at], fold, &folded[at..]].concat();
            let bytes = [b"BEGIN:VCARD\r\nVERSION:3.0\r\n", &line[..], b"END:VCARD\r\n"].concat();
            let document = Vcard::default().open(bytes.clone()).unwrap();
            let record = document.parse(document.item(0).bytes).unwrap().record;
            assert_eq!(leaves(&record), ["notes/note=Jürgen 😀, fin"], "fold at {at}");
        }
    }
}

#[test]
fn escapes_are_undone_however_they_are_written() {
    shows("3.0", "NOTE:a\\nb\\Nc\\,d\\;e\\\\f\r\n", &["notes/note=a\nb\nc,d;e\\f"]);
    shows("3.0", "NOTE:a,b;c\r\n", &["notes/note=a,b;c"]);
    shows("3.0", "URL:http\\://a.example/x\r\n", &["links/uri=http://a.example/x"]);
    shows(
        "3.0",
        "ORG:A\\;B;C\r\n",
        &["organizations/name=A;B", "organizations/units/1/name=C"],
    );
    shows(
        "3.0",
        "CATEGORIES:a;b,c\r\n",
        &["keywords/a", "keywords/b", "keywords/c"],
    );
}

#[test]
fn fields_may_be_fewer_or_more_than_they_should_be() {
    shows("3.0", "N:Doe\r\n", &["name/components/surname/value=Doe"]);
    shows(
        "3.0",
        "N:Doe;Jo;;;;\r\n",
        &["name/components/surname/value=Doe", "name/components/given/value=Jo"],
    );
    shows(
        "3.0",
        "ADR:;;S 1;Ort\r\n",
        &[
            "addresses/components/name/value=S 1",
            "addresses/components/locality/value=Ort",
        ],
    );
    shows(
        "3.0",
        "ADR:;;S 1;Ort;;;;;;\r\n",
        &[
            "addresses/components/name/value=S 1",
            "addresses/components/locality/value=Ort",
        ],
    );
}

#[test]
fn stray_bytes_lose_nothing_beside_them() {
    for lines in [
        "NOTE:a\u{1}b\r\nTEL:1\r\n",
        "\r\nnonsense\r\nNOTE:a\u{1}b\r\n\r\nTEL:1\r\n",
        "NOTE:a\u{1}b\nTEL:1\n",
    ] {
        let (record, bindings, bytes) = card("3.0", lines);
        assert_eq!(leaves(&record), ["notes/note=a\u{1}b", "phones/number=1"], "{lines:?}");
        let document = Vcard::default().create(None);
        let old = crate::format::Old {
            bytes: &bytes,
            bindings: &bindings,
        };
        assert_eq!(document.put(&record, Some(old)).unwrap().bytes, bytes);
    }
    let marked = "\u{FEFF}BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nEND:VCARD\r\n";
    assert_eq!(Vcard::default().detect("x", marked.as_bytes()), Confidence::Certain);
    let document = Vcard::default().open(marked.as_bytes().to_vec()).unwrap();
    assert_eq!(
        (document.item_count(), document.assemble(&[])),
        (1, marked.as_bytes().to_vec())
    );
}

#[test]
fn versions_say_the_same_in_their_own_words() {
    let photo = [
        "media/kind=photo",
        "media/mediaType=image/png",
        "media/data=Bytes([137, 80, 78, 71])",
    ];
    shows("2.1", "PHOTO;PNG;ENCODING=BASE64:iVBORw==\r\n\r\n", &photo);
    shows("3.0", "PHOTO;ENCODING=b;TYPE=PNG:iVBORw==\r\n", &photo);
    shows("4.0", "PHOTO:data:image/png;base64,iVBORw==\r\n", &photo);
    shows(
        "4.0",
        "PHOTO;MEDIATYPE=image/png:https://a.example/p\r\n",
        &[
            "media/kind=photo",
            "media/mediaType=image/png",
            "media/uri=https://a.example/p",
        ],
    );
    shows(
        "3.0",
        "PHOTO;VALUE=uri:https://a.example/p.png\r\n",
        &["media/kind=photo", "media/uri=https://a.example/p.png"],
    );
    let preferred = ["phones/number=1", "phones/features/mobile", "phones/pref=Integer(1)"];
    shows("2.1", "TEL;CELL;PREF:1\r\n", &preferred);
    shows("3.0", "TEL;TYPE=cell,pref:1\r\n", &preferred);
    shows("4.0", "TEL;TYPE=cell;PREF=1:1\r\n", &preferred);
    let group = ["kind=group", "members/urn:uuid:1", "name/full=Friends"];
    shows("4.0", "KIND:group\r\nFN:Friends\r\nMEMBER:urn:uuid:1\r\n", &group);
    shows(
        "3.0",
        "X-ADDRESSBOOKSERVER-KIND:group\r\nFN:Friends\r\nX-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1\r\n",
        &group,
    );
}

#[test]
fn what_apple_and_phones_add_is_read_or_kept() {
    shows(
        "3.0",
        "IMPP;X-SERVICE-TYPE=Jabber;type=HOME:xmpp:a@b.example\r\n",
        &[
            "onlineServices/contexts/private",
            "onlineServices/service=Jabber",
            "onlineServices/uri=xmpp:a@b.example",
            "onlineServices/vCardName=impp",
        ],
    );
    for (version, line) in [
        ("3.0", "X-ABShowAs:COMPANY"),
        (
            "3.0",
            "PHOTO;X-ABCROP-RECTANGLE=ABClipRect_1&1&2&3&4&x==;ENCODING=b;TYPE=JPEG:/9j/",
        ),
        (
            "3.0",
            "X-SOCIALPROFILE;type=twitter;x-user=ann:http\\://twitter.com/ann",
        ),
        (
            "2.1",
            "X-ANDROID-CUSTOM:vnd.android.cursor.item/nickname;Nick;1;;;;;;;;;;;;;",
        ),
        ("3.0", "NOTE;CHARSET=UTF-8:Grüße"),
        ("3.0", "ORG:A\r\nORG:B\r\nTITLE:C\r\nTITLE:D"),
    ] {
        let (record, bindings, bytes) = card(version, &format!("{line}\r\n"));
        assert!(!leaves(&record).is_empty(), "{line}");
        // Written anew, and seen by a reader of its own, the card says the same.
        let document = Vcard::default().create(Some(version));
        let put = document.put(&record, None).unwrap();
        assert_eq!(put.not_shown, [], "{line}");
        let mut again = leaves(&document.parse(&put.bytes).unwrap().record);
        again.retain(|leaf| !leaf.starts_with("uid=") && !leaf.starts_with("name/full="));
        assert_eq!(again, leaves(&record), "{line}");
        let old = crate::format::Old {
            bytes: &bytes,
            bindings: &bindings,
        };
        assert_eq!(document.put(&record, Some(old)).unwrap().bytes, bytes);
    }
}

#[test]
fn numbers_of_groups_mean_nothing() {
    let lines = "item1.EMAIL:a@b.c\r\nitem1.X-ABLabel:one\r\nitem2.TEL:1\r\nitem2.X-ABLabel:two\r\n";
    let (record, bindings, _) = card("3.0", lines);
    let (other, _, renumbered) = card("3.0", &lines.replace("item1", "item7").replace("item2", "ITEM1"));
    assert_eq!(leaves(&record), leaves(&other));
    let document = Vcard::default().create(None);
    let old = crate::format::Old {
        bytes: &renumbered,
        bindings: &bindings,
    };
    assert_eq!(document.put(&record, Some(old)).unwrap().bytes, renumbered);
}
