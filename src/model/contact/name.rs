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

/// Returns whether a suffix of a name tells a generation rather than a credential: many formats have one field for both.
///
/// A generation is a word for one (`Jr.`, `fils`, `Neto`), a Roman number up to 39, or an ordinal (`2nd`).
pub fn is_generation(suffix: &str) -> bool {
    const WORDS: [&str; 14] = [
        "jr", "sr", "jun", "sen", "jnr", "snr", "junior", "senior", "júnior", "fils", "père", "filho", "neto", "hijo",
    ];
    let plain = suffix.trim().trim_end_matches('.').to_lowercase();
    WORDS.contains(&plain.as_str()) || is_roman(&plain) || is_ordinal(&plain)
}

fn is_roman(text: &str) -> bool {
    const ONES: [&str; 10] = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"];
    let tens = text.bytes().take_while(|byte| *byte == b'x').count();
    !text.is_empty() && tens <= 3 && text.get(tens..).is_some_and(|rest| ONES.contains(&rest))
}

fn is_ordinal(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&digits)
        && text
            .get(digits..)
            .is_some_and(|rest| ["st", "nd", "rd", "th"].contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_told_from_credentials() {
        for word in ["Jr.", "sen", "III", "IV", "XXIX", "2nd", "21st", "Neto", " I "] {
            assert!(is_generation(word), "{word}");
        }
        for word in ["M.D.", "IIII", "VX", "XL", "2", "Ph.D.", "", "MBA", "123rd"] {
            assert!(!is_generation(word), "{word}");
        }
    }

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
