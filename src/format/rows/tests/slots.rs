//! Elements in slots and in cells with several values: who stays where.

use super::{GOOGLE, first_bindings, format, only, open, path, put, record, text, utf8, view};
use crate::model::Value;
use crate::model::contact::rename_elements;

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
fn renaming_elements_of_the_row_is_what_bindings_say() {
    let (document, row, shown, bindings) = only("outlook-csv", &[("Home Phone", "1"), ("Home Phone 2", "1")]);
    assert_eq!(
        rename_elements(document.parse(row.as_bytes()).unwrap().record, &bindings),
        shown
    );
    // Two equal numbers are two elements and stay two.
    assert_eq!(utf8(&put(&*document, &shown, &row, &bindings).bytes), row);
}
