//! What a card shows once or as a set: names, kind, keywords, members, relations, pronouns.

use std::collections::BTreeMap;

use super::render;
use super::single::Single;
use super::text::{Content, Property, Style, Version};
use super::words;
use super::write::{Chunk, Groups, full_name};
use crate::model::contact::derive_full_name;
use crate::model::{FieldPath, Map, Value};

/// The properties that a card shows once, in the order in which a new card lists them.
pub(super) const SINGLES: [Single; 10] = [
    Single::FullName,
    Single::Name,
    Single::Phonetic("given"),
    Single::Phonetic("given2"),
    Single::Phonetic("surname"),
    Single::SortString,
    Single::Kind,
    Single::Language,
    Single::Created,
    Single::Gender,
];

pub(super) fn single_text(record: &Value, single: Single) -> Option<String> {
    let text = |path: &[&str]| {
        let text = record.at(&FieldPath::new(path.iter().copied()))?.as_text()?;
        (!text.trim().is_empty()).then(|| text.to_owned())
    };
    match single {
        Single::Phonetic(component) => text(&["name", "components", component, "phonetic"]),
        Single::SortString => text(&["name", "sortAs", "surname"]),
        Single::Kind => text(&["kind"]),
        Single::Language => text(&["language"]),
        Single::Created => text(&["created"]),
        Single::Gender => text(&["speakToAs", "grammaticalGender"]),
        Single::Uid | Single::FullName | Single::Name => None,
    }
}

pub(super) fn name_parts(record: &Value, version: Version, least: usize) -> (Content, Option<String>) {
    let components = record
        .at(&FieldPath::new(["name", "components"]))
        .and_then(Value::as_map);
    let content = render::name_content(components, version, least);
    let sort = |kind: &str| {
        let text = record
            .at(&FieldPath::new(["name", "sortAs", kind]))
            .and_then(Value::as_text);
        text.filter(|text| !text.contains(',')).unwrap_or_default().to_owned()
    };
    let keys = [sort("surname"), sort("given")];
    let keys: Vec<String> = if keys[1].is_empty() {
        keys.into_iter().take(1).collect()
    } else {
        keys.into()
    };
    let has_sort = version == Version::V40 && keys.iter().any(|key| !key.is_empty());
    (
        content,
        has_sort.then(|| super::text::param("SORT-AS", &[keys.join(",")], version)),
    )
}

pub(super) fn new_single(record: &Value, single: Single, version: Version) -> Option<Property> {
    let name = match single {
        Single::Uid => return None,
        Single::FullName => {
            let full = record.at(&FieldPath::new(["name", "full"])).and_then(Value::as_text)?;
            return Some(render::simple("FN", None, &Content::Text(full.to_owned()), version));
        }
        Single::Name => {
            let (content, sort) = name_parts(record, version, 5);
            let is_empty = matches!(&content, Content::Fields(fields) if fields.concat().concat().is_empty());
            if is_empty && sort.is_none() {
                return None;
            }
            let mut property = render::simple("N", None, &content, version);
            property.params.extend(sort);
            return Some(property);
        }
        // 4.0 says it as SORT-AS of N.
        Single::SortString if version == Version::V40 => return None,
        Single::SortString => "SORT-STRING",
        Single::Phonetic("given") => "X-PHONETIC-FIRST-NAME",
        Single::Phonetic("given2") => "X-PHONETIC-MIDDLE-NAME",
        Single::Phonetic(_) => "X-PHONETIC-LAST-NAME",
        Single::Kind if version == Version::V40 => "KIND",
        Single::Kind => "X-ADDRESSBOOKSERVER-KIND",
        Single::Language => "LANGUAGE",
        Single::Created => "CREATED",
        Single::Gender => "GRAMGENDER",
    };
    let mut text = single_text(record, single)?;
    if single == Single::Created {
        text = super::date::write(&text, version, false)?.text;
        return Some(render::simple(name, None, &Content::Raw(text), version));
    }
    Some(render::simple(name, None, &Content::Text(text), version))
}

/// Returns the lines of a new card for what it shows once. FN and N must be there (RFC 2426 §5, RFC 6350 §6.2.1).
pub(super) fn new_singles(record: &Value, style: Style) -> Vec<Chunk> {
    let version = style.version;
    let mut chunks = Vec::new();
    for single in SINGLES {
        let property = new_single(record, single, version).or_else(|| match single {
            Single::FullName => {
                let components = record
                    .at(&FieldPath::new(["name", "components"]))
                    .and_then(Value::as_map);
                let derived = components.map(derive_full_name).filter(|name| !name.is_empty());
                let full = derived.unwrap_or_else(|| full_name(record));
                Some(render::simple("FN", None, &Content::Text(full), version))
            }
            Single::Name if version != Version::V40 => Some(render::simple(
                "N",
                None,
                &Content::Fields(vec![vec![String::new()]; 5]),
                version,
            )),
            _ => None,
        });
        chunks.extend(property.map(|property| Chunk::plain(property.lines(style))));
    }
    chunks
}

pub(super) fn flags(record: &Value, collection: &str) -> Vec<String> {
    let map = record.as_map().and_then(|map| map.get(collection)?.as_map());
    let set = map
        .into_iter()
        .flatten()
        .filter(|(_, value)| **value == Value::Bool(true));
    set.map(|(key, _)| key.to_string())
        .filter(|key| !key.trim().is_empty())
        .collect()
}

pub(super) fn has_flag(record: &Value, collection: &str, key: &str) -> bool {
    record.at(&FieldPath::new([collection, key])) == Some(&Value::Bool(true))
}

pub(super) fn member_name(version: Version) -> &'static str {
    if version == Version::V40 {
        "MEMBER"
    } else {
        "X-ADDRESSBOOKSERVER-MEMBER"
    }
}

pub(super) fn relations(record: &Value) -> Vec<(String, String)> {
    let related = record.as_map().and_then(|map| map.get("relatedTo")?.as_map());
    let mut pairs = Vec::new();
    for (key, value) in related.into_iter().flatten() {
        let words = value.as_map().and_then(|map| map.get("relation")?.as_map());
        for (word, flag) in words.into_iter().flatten() {
            if *flag == Value::Bool(true) && !key.trim().is_empty() && !word.trim().is_empty() {
                pairs.push((key.to_string(), word.to_string()));
            }
        }
    }
    pairs
}

pub(super) fn relation_lines(pairs: &[(String, String)], style: Style, groups: &mut Groups) -> Vec<Vec<u8>> {
    let version = style.version;
    let is_token = |word: &str| {
        word != "pref"
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let mut lines = Vec::new();
    let mut tokens: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for (key, word) in pairs {
        if version == Version::V40 && is_token(word) {
            tokens.entry(key).or_default().push(word.clone());
            continue;
        }
        let group = groups.next();
        let name = render::simple("X-ABRELATEDNAMES", Some(&group), &Content::Text(key.clone()), version);
        let label = Content::Text(words::label_of_relation(word));
        let label = render::simple("X-ABLabel", Some(&group), &label, version);
        let mut bytes = name.lines(style);
        bytes.extend(label.lines(style));
        lines.push(bytes);
    }
    for (key, words) in tokens {
        let is_uri = key.contains(':') && !key.contains([',', ';', '\\', '\n', ' ']);
        let content = if is_uri {
            Content::Uri(key.clone())
        } else {
            Content::Text(key.clone())
        };
        let mut property = render::simple("RELATED", None, &content, version);
        property.params.push(super::text::param("TYPE", &words, version));
        if !is_uri {
            property.params.push("VALUE=text".to_owned());
        }
        lines.push(property.lines(style));
    }
    lines
}

pub(super) fn pronouns(record: &Value) -> Vec<(String, Map)> {
    let map = record
        .at(&FieldPath::new(["speakToAs", "pronouns"]))
        .and_then(Value::as_map);
    let entries = map
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.to_string(), value.as_map()?.clone())));
    entries
        .filter(|(_, map)| {
            map.get("pronouns")
                .and_then(Value::as_text)
                .is_some_and(|text| !text.trim().is_empty())
        })
        .collect()
}

pub(super) fn pronoun_line(key: &str, map: &Map, style: Style) -> Vec<u8> {
    let text = map.get("pronouns").and_then(Value::as_text).unwrap_or_default();
    let mut property = render::simple("PRONOUNS", None, &Content::Text(text.to_owned()), style.version);
    property
        .params
        .push(super::text::param("PROP-ID", &[key.to_owned()], style.version));
    if let Some(Value::Integer(pref)) = map.get("pref") {
        property.params.push(format!("PREF={pref}"));
    }
    property.lines(style)
}

/// Returns the lines of a new card for keywords, members, relations and pronouns.
pub(super) fn new_sets(record: &Value, style: Style, groups: &mut Groups) -> Vec<Chunk> {
    let version = style.version;
    let mut lines = Vec::new();
    let keywords = flags(record, "keywords");
    if !keywords.is_empty() {
        lines.push(render::simple("CATEGORIES", None, &Content::List(keywords), version).lines(style));
    }
    for uid in flags(record, "members") {
        lines.push(render::simple(member_name(version), None, &Content::Uri(uid), version).lines(style));
    }
    lines.extend(relation_lines(&relations(record), style, groups));
    lines.extend(pronouns(record).iter().map(|(key, map)| pronoun_line(key, map, style)));
    lines.into_iter().map(Chunk::plain).collect()
}
