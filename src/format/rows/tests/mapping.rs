//! Mapping files of people.

use super::text;
use crate::format::Confidence;

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
