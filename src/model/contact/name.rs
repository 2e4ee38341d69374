//! Names and what is derived from them.

use crate::model::{Map, Value};

/// The kinds of name components in the order in which western full names print them.
const FULL_NAME_ORDER: [&str; 7] = [
    "title",
    "given",
    "given2",
    "surname",
    "surname2",
    "generation",
    "credential",
];

/// Derives the full name (vCard FN) from name components: their values in the usual order, joined by spaces.
///
/// A codec stores `/name/full` only where the file says something else, and writes the derived name where it
/// is absent, so that an edit of a component renews the full name by itself.
pub fn derive_full_name(components: &Map) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for kind in FULL_NAME_ORDER {
        let of_kind = components.iter().filter(|(key, _)| key.split(':').next() == Some(kind));
        let mut values: Vec<_> = of_kind.collect();
        values.sort_by_key(|(key, _)| (key.len(), *key));
        parts.extend(
            values
                .iter()
                .filter_map(|(_, value)| value.as_map()?.get("value").and_then(Value::as_text)),
        );
    }
    parts.retain(|part| !part.trim().is_empty());
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_in_the_usual_order() {
        let mut record = Value::Map(Map::new());
        for (kind, value) in [
            ("surname", "Stevenson"),
            ("given2", "Philip"),
            ("given", "John"),
            ("given2:2", "Paul"),
            ("title", "Dr."),
            ("credential", "M.D."),
        ] {
            record.set_at(&crate::model::FieldPath::new([kind, "value"]), value.into());
        }
        assert_eq!(
            derive_full_name(record.as_map().unwrap()),
            "Dr. John Philip Paul Stevenson M.D."
        );
    }
}
