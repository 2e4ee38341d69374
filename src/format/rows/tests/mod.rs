//! Tests of the row-shaped formats.

mod corpus;
mod csv;
mod laws;
mod ldif;

use std::sync::LazyLock;

use super::*;
use crate::format::{Bindings, Document};
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
