//! Tests of the row-shaped formats.

mod cells;
mod corpus;
mod file;
mod laws;
mod ldif;
mod mapping;
mod slots;

use std::sync::LazyLock;

use super::*;
use crate::format::{Bindings, Document, Edit, Old, Put};
use crate::model::contact::rename_elements;
use crate::model::{FieldPath, Map, Value};

pub(super) fn path(pointer: &str) -> FieldPath {
    FieldPath::parse(pointer).unwrap()
}

pub(super) fn record(leaves: &[(&str, &str)]) -> Value {
    let mut record = Value::Map(Map::new());
    for (pointer, text) in leaves {
        let value = match *text {
            "true" => true.into(),
            _ => (*text).into(),
        };
        record.set_at(&path(pointer), value);
    }
    record
}

/// All built-in formats, compiled once.
pub(super) fn all() -> &'static [Box<dyn Format>] {
    static FORMATS: LazyLock<Vec<Box<dyn Format>>> = LazyLock::new(formats);
    &FORMATS
}

pub(super) fn format(name: &str) -> &'static dyn Format {
    &**all().iter().find(|format| format.info().name == name).unwrap()
}

pub(super) fn open(name: &str, bytes: impl AsRef<[u8]>) -> Box<dyn Document> {
    format(name).open(bytes.as_ref().to_vec()).unwrap()
}

/// Ids as the engine would give them at first sight: the provisional keys without their mark.
pub(super) fn first_bindings(view: &Value) -> Bindings {
    let mut bindings = Bindings::new();
    for (collection, elements) in view.as_map().unwrap() {
        for key in elements
            .as_map()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
            .filter(|key| key.starts_with('~'))
        {
            let pointer = FieldPath::new([collection.as_str(), key]).to_string();
            bindings.insert(pointer, format!("id{}{collection}", &key[1..]));
        }
    }
    bindings
}

/// Reads item 0 as the engine knows it: with lasting ids.
pub(super) fn view(document: &dyn Document, bytes: &[u8], bindings: &Bindings) -> Value {
    rename_elements(document.parse(bytes).unwrap().record, bindings)
}

pub(super) fn text<'a>(record: &'a Value, pointer: &str) -> Option<&'a str> {
    record.at(&path(pointer)).and_then(Value::as_text)
}

/// All leaves of `left` that `right` has too.
pub(super) fn restricted(left: &Value, right: &Value) -> Value {
    let mut both = Value::Map(Map::new());
    for (path, value) in left.leaves() {
        if right.at(&path) == Some(value) {
            both.set_at(&path, value.clone());
        }
    }
    both
}

const GOOGLE: &str = "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,\
Name Prefix,Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,\
Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\n";

/// A file of one row with the given cells, in a format's own header, and that row.
fn one_row(format_name: &str, cells: &[(&str, &str)]) -> (String, String) {
    let empty = format(format_name).create(None);
    // The header of a new file comes with its first row.
    let probe = record(&[("/name/components/given/value", "x")]);
    let file = empty.assemble(&[Edit::Append(empty.put(&probe, None).unwrap().bytes)]);
    let encoding = encoding::Encoding::detect(&file);
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
fn only(format_name: &str, cells: &[(&str, &str)]) -> (Box<dyn Document>, String, Value, Bindings) {
    let (file, row) = one_row(format_name, cells);
    let document = open(format_name, &file);
    let bindings = first_bindings(&document.parse(row.as_bytes()).unwrap().record);
    let shown = view(&*document, row.as_bytes(), &bindings);
    (document, row, shown, bindings)
}

fn put(document: &dyn Document, record: &Value, row: &str, bindings: &Bindings) -> Put {
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
