//! Properties of which a card shows one: names, identity, kind, language.

use super::date;
use super::element::Reader;
use super::text::Version;
use super::token::Line;
use super::words;
use crate::model::{FieldPath, Text, Value};

/// The fields of N (RFC 6350 §6.2.2, RFC 9554 §2.2) as component kinds.
pub(super) const NAME_FIELDS: [&str; 7] = [
    "surname",
    "given",
    "given2",
    "title",
    "credential",
    "surname2",
    "generation",
];

/// Properties of which a card shows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Single {
    /// UID.
    Uid,
    /// FN.
    FullName,
    /// N.
    Name,
    /// X-PHONETIC-FIRST-NAME and its two siblings; the component.
    Phonetic(&'static str),
    /// SORT-STRING.
    SortString,
    /// KIND, X-ADDRESSBOOKSERVER-KIND.
    Kind,
    /// LANGUAGE.
    Language,
    /// CREATED.
    Created,
    /// GRAMGENDER.
    Gender,
}

/// Returns which of the properties that a card shows once this line is.
pub(super) fn single_of(line: &Line) -> Option<Single> {
    Some(match line.name.as_str() {
        "UID" => Single::Uid,
        "FN" => Single::FullName,
        "N" => Single::Name,
        "X-PHONETIC-FIRST-NAME" => Single::Phonetic("given"),
        "X-PHONETIC-MIDDLE-NAME" => Single::Phonetic("given2"),
        "X-PHONETIC-LAST-NAME" => Single::Phonetic("surname"),
        "SORT-STRING" => Single::SortString,
        "KIND" | "X-ADDRESSBOOKSERVER-KIND" => Single::Kind,
        "LANGUAGE" => Single::Language,
        "CREATED" => Single::Created,
        "GRAMGENDER" => Single::Gender,
        _ => return None,
    })
}

/// Reads the leaves that such a property shows.
pub(super) fn read_single(version: Version, line: &Line, single: Single) -> Vec<(FieldPath, Value)> {
    let reader = Reader::new(version, line);
    let text = reader.text();
    let leaf = |path: &[&str], text: Text| {
        let leaf = (FieldPath::new(path.iter().copied()), Value::Text(text));
        if matches!(&leaf.1, Value::Text(text) if text.trim().is_empty()) {
            Vec::new()
        } else {
            vec![leaf]
        }
    };
    match single {
        Single::Uid => leaf(&["uid"], text),
        Single::FullName => leaf(&["name", "full"], text),
        Single::Name => read_name(&reader, line),
        Single::Phonetic(component) => leaf(&["name", "components", component, "phonetic"], text),
        Single::SortString => leaf(&["name", "sortAs", "surname"], text),
        Single::Kind => {
            let kind = text.trim().to_ascii_lowercase();
            if kind == "individual" {
                Vec::new()
            } else {
                leaf(&["kind"], kind.into())
            }
        }
        Single::Language => leaf(&["language"], text),
        Single::Created => date::read(&text, None)
            .map(|date| leaf(&["created"], date.into()))
            .unwrap_or_default(),
        Single::Gender => leaf(&["speakToAs", "grammaticalGender"], text.to_ascii_lowercase().into()),
    }
}

fn read_name(reader: &Reader<'_>, line: &Line) -> Vec<(FieldPath, Value)> {
    let mut fields = reader.field_lists();
    let is_newer = fields.len() > 5;
    fields.truncate(NAME_FIELDS.len());
    for items in &mut fields {
        items.retain(|item| !item.trim().is_empty());
    }
    fields.resize(NAME_FIELDS.len(), Vec::new());
    // RFC 9554 §2.2 repeats the newer fields in the older ones for readers that do not know them.
    for at in [0, 4] {
        let newer = fields.get(if at == 0 { 5 } else { 6 }).cloned().unwrap_or_default();
        if let Some(items) = fields.get_mut(at) {
            items.retain(|item| !newer.contains(item));
        }
    }
    if !is_newer {
        let suffixes = fields.get_mut(4).map(std::mem::take).unwrap_or_default();
        let (generations, credentials) = suffixes.into_iter().partition(|suffix| words::is_generation(suffix));
        for (at, items) in [(4, credentials), (6, generations)] {
            if let Some(slot) = fields.get_mut(at) {
                *slot = items;
            }
        }
    }
    let mut leaves = Vec::new();
    for (kind, items) in NAME_FIELDS.iter().zip(&fields) {
        for (at, item) in items.iter().enumerate() {
            let key = if at == 0 {
                (*kind).to_owned()
            } else {
                format!("{kind}:{}", at + 1)
            };
            leaves.push((
                FieldPath::new(["name", "components", &key, "value"]),
                Value::Text(item.clone()),
            ));
        }
    }
    let sort = line.values("SORT-AS").flat_map(|text| text.split(','));
    for (kind, text) in ["surname", "given"]
        .iter()
        .zip(sort)
        .filter(|(_, text)| !text.trim().is_empty())
    {
        leaves.push((
            FieldPath::new(["name", "sortAs", kind]),
            Value::Text(text.to_owned().into()),
        ));
    }
    leaves
}
