//! An element of a collection as a property: the other way of `element`.

use super::date;
use super::element::{ADDRESS_FIELDS, read_geo};
use super::text::{Content, Version};
use super::token::Line;
use super::words::{self, Meaning};
use crate::model::{Map, Value};

/// A property that stands for an element, before it is merged with what its line has besides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    /// Its name.
    pub(super) name: String,
    /// What its TYPE says.
    pub(super) meanings: Vec<Meaning>,
    /// TYPE words for a new line that say nothing to the model, or a media type.
    pub(super) extra_types: Vec<String>,
    /// Its other parameters.
    pub(super) params: Vec<(&'static str, Vec<String>)>,
    /// Its value.
    pub(super) content: Content,
}

fn text_of(map: &Map, field: &str) -> String {
    map.get(field).and_then(Value::as_text).unwrap_or_default().to_owned()
}
/// Returns what TYPE must say for an element.
pub(super) fn meanings(collection: &str, map: &Map, version: Version) -> Vec<Meaning> {
    let flags = |field: &str| -> Vec<String> {
        let inner = map.get(field).and_then(Value::as_map).into_iter().flatten();
        inner
            .filter(|(_, value)| **value == Value::Bool(true))
            .map(|(word, _)| word.to_string())
            .collect()
    };
    let mut meanings = Vec::new();
    if matches!(
        collection,
        "media" | "anniversaries" | "nicknames" | "organizations" | "titles" | "notes" | "vcard"
    ) {
        return meanings;
    }
    meanings.extend(
        flags("contexts")
            .iter()
            .filter_map(|word| words::known_context(collection, word))
            .map(Meaning::Context),
    );
    if collection == "phones" {
        meanings.extend(
            flags("features")
                .iter()
                .filter_map(|word| words::known_feature(word))
                .map(Meaning::Feature),
        );
    }
    if version != Version::V40 && map.get("pref") == Some(&Value::Integer(1)) {
        meanings.push(Meaning::Preferred);
    }
    meanings
}

/// Writes an element as a property of `version`; `None` where no property of it can show the element.
pub(super) fn write(version: Version, collection: &str, map: &Map) -> Option<Written> {
    let text = |field: &str| text_of(map, field);
    let (name, content): (&str, Content) = match collection {
        "nicknames" if version == Version::V21 => ("NICKNAME", Content::Text(text("name"))),
        "nicknames" => ("NICKNAME", Content::List(vec![text("name")])),
        "organizations" => ("ORG", organization_content(map)),
        "titles" if text("kind") == "role" => ("ROLE", Content::Text(text("name"))),
        "titles" => ("TITLE", Content::Text(text("name"))),
        "notes" => ("NOTE", Content::Text(text("note"))),
        "emails" => ("EMAIL", Content::Text(text("address"))),
        "phones" if version == Version::V40 && text("number").starts_with("tel:") => {
            ("TEL", Content::Uri(text("number")))
        }
        "phones" => ("TEL", Content::Text(text("number"))),
        "links" if text("kind") == "contact" => ("CONTACT-URI", Content::Uri(text("uri"))),
        "links" => ("URL", Content::Uri(text("uri"))),
        "calendars" if text("kind") == "freeBusy" => ("FBURL", Content::Uri(text("uri"))),
        "calendars" => ("CALURI", Content::Uri(text("uri"))),
        "schedulingAddresses" => ("CALADRURI", Content::Uri(text("uri"))),
        "directories" if text("kind") == "directory" => ("ORG-DIRECTORY", Content::Uri(text("uri"))),
        "directories" => ("SOURCE", Content::Uri(text("uri"))),
        "preferredLanguages" => ("LANG", Content::Text(text("language"))),
        "personalInfo" => match text("kind").as_str() {
            "hobby" => ("HOBBY", Content::Text(text("value"))),
            "interest" => ("INTEREST", Content::Text(text("value"))),
            "expertise" => ("EXPERTISE", Content::Text(text("value"))),
            _ => return None,
        },
        "onlineServices" => return write_service(version, map),
        "media" | "cryptoKeys" => return write_media(version, collection, map),
        "addresses" => return Some(write_address(version, map)),
        "anniversaries" => return write_anniversary(version, map, None),
        _ => return None,
    };
    let mut written = Written {
        name: name.to_owned(),
        meanings: meanings(collection, map, version),
        extra_types: Vec::new(),
        params: pref_param(version, collection, map),
        content,
    };
    if collection == "emails" && version != Version::V40 {
        written.extra_types.push("internet".to_owned());
    }
    if matches!(written.content, Content::Uri(_)) && name == "TEL" {
        written.params.push(("VALUE", vec!["uri".to_owned()]));
    }
    if collection == "organizations" && !text("sortAs").is_empty() {
        written.params.push(("SORT-AS", vec![text("sortAs")]));
    }
    if collection == "personalInfo" && !text("level").is_empty() {
        written.params.push(("LEVEL", vec![write_level(name, &text("level"))]));
    }
    Some(written)
}

fn pref_param(version: Version, collection: &str, map: &Map) -> Vec<(&'static str, Vec<String>)> {
    let takes_pref = !matches!(
        collection,
        "media" | "anniversaries" | "nicknames" | "organizations" | "titles" | "notes" | "vcard"
    );
    match map.get("pref") {
        Some(Value::Integer(pref)) if version == Version::V40 && takes_pref => vec![("PREF", vec![pref.to_string()])],
        _ => Vec::new(),
    }
}

fn organization_content(map: &Map) -> Content {
    let units = map.get("units").and_then(Value::as_map);
    let unit = |at: usize| {
        let unit = units.and_then(|units| units.get(at.to_string())?.as_map()?.get("name")?.as_text());
        vec![unit.unwrap_or_default().to_owned()]
    };
    let numbers = units
        .into_iter()
        .flat_map(Map::keys)
        .filter_map(|key| key.parse::<usize>().ok());
    // More units than any directory has would only be an attack on memory.
    let last = numbers.filter(|number| *number <= 64).max().unwrap_or(0);
    let mut fields = vec![vec![text_of(map, "name")]];
    fields.extend((1..=last).map(unit));
    Content::Fields(fields)
}

fn write_level(property: &str, level: &str) -> String {
    match (property, level) {
        ("EXPERTISE", "low") => "beginner",
        ("EXPERTISE", "medium") => "average",
        ("EXPERTISE", "high") => "expert",
        _ => level,
    }
    .to_owned()
}

fn write_service(version: Version, map: &Map) -> Option<Written> {
    let text = |field: &str| text_of(map, field);
    let (service, user, uri) = (text("service"), text("user"), text("uri"));
    let mut params = pref_param(version, "onlineServices", map);
    let mut extra_types = Vec::new();
    let mut add = |name: &'static str, value: &str| {
        if !value.is_empty() {
            params.push((name, vec![value.to_owned()]));
        }
    };
    let (name, content) = match text("vCardName").as_str() {
        "impp" if !uri.is_empty() => {
            add("X-SERVICE-TYPE", &service);
            ("IMPP", Content::Uri(uri))
        }
        "x-ms-imaddress" if service.is_empty() => ("X-MS-IMADDRESS", Content::Text(user)),
        "" if version == Version::V40 => {
            add("SERVICE-TYPE", &service);
            if uri.is_empty() {
                add("VALUE", "text");
                ("SOCIALPROFILE", Content::Text(user))
            } else {
                add("USERNAME", &user);
                ("SOCIALPROFILE", Content::Uri(uri))
            }
        }
        "" if uri.is_empty() && words::service_property(&service).is_some() => {
            (words::service_property(&service)?, Content::Text(user))
        }
        "" if uri.is_empty() => {
            add("SERVICE-TYPE", &service);
            add("VALUE", "text");
            ("SOCIALPROFILE", Content::Text(user))
        }
        _ => {
            add("X-USER", &user);
            if !service.is_empty() {
                extra_types.push(service);
            }
            ("X-SOCIALPROFILE", Content::Uri(uri))
        }
    };
    let meanings = meanings("onlineServices", map, version);
    Some(Written {
        name: name.to_owned(),
        meanings,
        extra_types,
        params,
        content,
    })
}

fn write_media(version: Version, collection: &str, map: &Map) -> Option<Written> {
    let name = match (collection, text_of(map, "kind").as_str()) {
        ("cryptoKeys", _) => "KEY",
        (_, "photo") => "PHOTO",
        (_, "logo") => "LOGO",
        (_, "sound") => "SOUND",
        _ => return None,
    };
    let media_type = text_of(map, "mediaType");
    let mut written = Written {
        name: name.to_owned(),
        meanings: meanings(collection, map, version),
        extra_types: Vec::new(),
        params: pref_param(version, collection, map),
        content: Content::Uri(text_of(map, "uri")),
    };
    let has_data = match map.get("data") {
        Some(Value::Bytes(bytes)) => {
            let text = data_encoding::BASE64.encode(bytes);
            written.content = if version == Version::V40 {
                Content::Uri(format!("data:{media_type};base64,{text}"))
            } else {
                Content::Base64(text)
            };
            true
        }
        _ => false,
    };
    if !has_data && version != Version::V40 {
        // Bytes are what these properties hold before 4.0 unless they say otherwise (RFC 2426 §3.1.4).
        written.params.push(("VALUE", vec!["uri".to_owned()]));
    }
    if media_type.is_empty() || (has_data && version == Version::V40) {
        return Some(written);
    }
    match words::media_word(name, &media_type).filter(|_| version != Version::V40) {
        Some(word) => written.extra_types.push(word),
        None => written.params.push(("MEDIATYPE", vec![media_type])),
    }
    Some(written)
}

fn write_address(version: Version, map: &Map) -> Written {
    let components = map.get("components").and_then(Value::as_map);
    let component = |word: &str| {
        let value = components.and_then(|components| components.get(word)?.as_map()?.get("value")?.as_text());
        vec![value.unwrap_or_default().to_owned()]
    };
    let (geo, zone) = (text_of(map, "coordinates"), text_of(map, "timeZone"));
    let meanings = meanings("addresses", map, version);
    let params = pref_param(version, "addresses", map);
    let has_address = components.is_some_and(|components| !components.is_empty()) || !text_of(map, "full").is_empty();
    let mut written = Written {
        name: "ADR".to_owned(),
        meanings,
        extra_types: Vec::new(),
        params,
        content: Content::Fields(Vec::new()),
    };
    if !has_address && !geo.is_empty() {
        "GEO".clone_into(&mut written.name);
        let pair = geo.trim_start_matches("geo:").replacen(',', ";", 1);
        written.content = match version {
            Version::V40 => Content::Uri(geo),
            _ if read_geo(&pair).as_deref() == Some(geo.as_str()) => Content::Raw(pair),
            _ => Content::Uri(geo),
        };
        return written;
    }
    if !has_address && !zone.is_empty() {
        "TZ".clone_into(&mut written.name);
        written.content = Content::Text(zone);
        return written;
    }
    let extended = ADDRESS_FIELDS.iter().enumerate().skip(7);
    let mut extended = extended.filter(|(at, _)| !matches!(at, 8 | 11));
    let is_extended = version == Version::V40 && extended.any(|(_, word)| !component(word).concat().is_empty());
    let count = if is_extended { 18 } else { 7 };
    written.content = Content::Fields(ADDRESS_FIELDS.iter().take(count).map(|word| component(word)).collect());
    if version == Version::V40 {
        let label = text_of(map, "full").replace('\\', "\\\\");
        let params = [
            ("LABEL", label),
            ("GEO", geo),
            ("TZ", zone),
            ("CC", text_of(map, "countryCode")),
        ];
        let params = params.into_iter().filter(|(_, value)| !value.is_empty());
        written.params.extend(params.map(|(name, value)| (name, vec![value])));
    }
    written
}

/// Writes a date, in the spelling of the line that it replaces.
pub(super) fn write_anniversary(version: Version, map: &Map, old: Option<&Line>) -> Option<Written> {
    let label = text_of(map, "label");
    let name = match text_of(map, "kind").as_str() {
        "birth" => "BDAY",
        "death" => "DEATHDATE",
        "wedding" if version == Version::V40 => "ANNIVERSARY",
        "wedding" if label.is_empty() => "X-ANNIVERSARY",
        _ => "X-ABDATE",
    };
    let dashes = match old {
        Some(old) => {
            let text = old.text();
            let text = text.trim_start_matches("--");
            text.contains('-') || text.len() < 4
        }
        None => version == Version::V30,
    };
    let date = date::write(&text_of(map, "date"), version, dashes)?;
    let params = if date.omits_year {
        vec![("X-APPLE-OMIT-YEAR", vec![date::OMITTED_YEAR.to_owned()])]
    } else {
        Vec::new()
    };
    let content = Content::Raw(date.text);
    Some(Written {
        name: name.to_owned(),
        meanings: Vec::new(),
        extra_types: Vec::new(),
        params,
        content,
    })
}
