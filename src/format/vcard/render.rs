//! Properties for new lines, and patches of old ones.

use std::collections::BTreeSet;

use super::element;
use super::element_out::Written;
use super::single::NAME_FIELDS;
use super::text::{Content, Property, Style, Version, param};
use super::token::{Line, Param, Transport};
use super::words::{self, Meaning};
use crate::model::{Map, Text, Value};

/// Returns the property of a new line.
pub(super) fn fresh(written: &Written, group: Option<&str>, version: Version) -> Property {
    let mut types: Vec<String> = written.extra_types.clone();
    types.extend(
        written
            .meanings
            .iter()
            .map(|meaning| words::word(meaning, version).to_owned()),
    );
    if version != Version::V40 && written.name != "X-SOCIALPROFILE" {
        for word in &mut types {
            word.make_ascii_uppercase();
        }
    }
    let mut params = Vec::new();
    if matches!(written.content, Content::Base64(_)) {
        params.push(
            if version == Version::V21 {
                "ENCODING=BASE64"
            } else {
                "ENCODING=b"
            }
            .to_owned(),
        );
    }
    if !types.is_empty() {
        params.push(param("TYPE", &types, version));
    }
    params.extend(written.params.iter().map(|(name, values)| param(name, values, version)));
    Property {
        group: group.map(str::to_owned),
        name: written.name.clone(),
        params,
        value: written.content.escaped(version),
        base64: matches!(written.content, Content::Base64(_)),
        charset: None,
    }
}

/// Returns a property without parameters.
pub(super) fn simple(name: &str, group: Option<&str>, content: &Content, version: Version) -> Property {
    let written = Written {
        name: name.to_owned(),
        meanings: Vec::new(),
        extra_types: Vec::new(),
        params: Vec::new(),
        content: content.clone(),
    };
    fresh(&written, group, version)
}

/// Returns the property of a value that the model does not know; `None` if its name or a parameter is none.
pub(super) fn unknown(name: &str, map: &Map, group: Option<&str>, version: Version) -> Option<Property> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte))
    };
    let reserved = matches!(name, "BEGIN" | "END" | "VERSION") || words::is_source_owned(name);
    let value = map.get("value").and_then(Value::as_text)?;
    let given = map.get("params").and_then(Value::as_map);
    if !is_name(name) || reserved || value.is_empty() {
        return None;
    }
    let mut params = Vec::new();
    let mut base64 = false;
    for (name, value) in given.into_iter().flatten() {
        let value = value.as_text()?;
        if !is_name(name) {
            return None;
        }
        if name == "ENCODING" {
            base64 = true;
            params.push(
                if version == Version::V21 {
                    "ENCODING=BASE64"
                } else {
                    "ENCODING=b"
                }
                .to_owned(),
            );
            continue;
        }
        let values: Vec<String> = match name.as_str() {
            "TYPE" | "PID" => value.split(',').map(str::to_owned).collect(),
            _ => vec![value.to_owned()],
        };
        // A bare word would be read as what it means elsewhere.
        let spelled = if name == "TYPE" && version == Version::V21 {
            Version::V30
        } else {
            version
        };
        params.push(param(name, &values, spelled));
    }
    // Other programs refuse a whole card for base64 that is none; the value stays in the source it came from.
    if base64 && data_encoding::BASE64.decode(value.as_bytes()).is_err() {
        return None;
    }
    let content = if base64 {
        Content::Base64(value.to_owned())
    } else {
        Content::Raw(value.to_owned())
    };
    Some(Property {
        group: group.map(str::to_owned),
        name: name.to_owned(),
        params,
        value: content.escaped(version),
        base64,
        charset: None,
    })
}

/// The field of an element that a parameter carries.
fn field_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "LABEL" => "full",
        "GEO" => "coordinates",
        "TZ" => "timeZone",
        "CC" => "countryCode",
        "PREF" => "pref",
        "SORT-AS" => "sortAs",
        "LEVEL" => "level",
        "MEDIATYPE" => "mediaType",
        "SERVICE-TYPE" | "X-SERVICE-TYPE" => "service",
        "X-USER" | "USERNAME" => "user",
        _ => return None,
    })
}

/// What changes on a line.
pub(super) struct Change<'a> {
    /// The line.
    pub(super) line: &'a Line<'a>,
    /// The element as it was.
    pub(super) old: (&'a Map, &'a Written),
    /// The element as it shall be.
    pub(super) new: (&'a Map, &'a Written),
    /// Whether the TYPE word that serves as label goes.
    pub(super) drops_label: bool,
}

impl Change<'_> {
    /// Patches the line: parameters and value stay as written where they are still right.
    pub(super) fn property(&self, style: Style) -> Property {
        let version = style.version;
        let same_name = self.old.1.name == self.new.1.name;
        let same_value = same_name
            && self.old.1.content == self.new.1.content
            && (self.line.transport != Transport::QuotedPrintable || version == Version::V21);
        let base64 = if same_value {
            self.line.transport == Transport::Base64
        } else {
            matches!(self.new.1.content, Content::Base64(_))
        };
        let mut params = self.kept_params(same_value, base64, version);
        self.add_types(&mut params, version);
        for (name, values) in &self.new.1.params {
            let has = params.iter().any(|param| param.name == *name);
            let is_settled = same_value && *name == "VALUE";
            if !has && !is_settled {
                params.push(made(name, param(name, values, version)));
            }
        }
        let encoded = params.iter().any(|param| param.name == "ENCODING");
        if base64 && !encoded {
            let text = if version == Version::V21 {
                "ENCODING=BASE64"
            } else {
                "ENCODING=b"
            };
            params.insert(0, made("ENCODING", text.to_owned()));
        }
        Property {
            group: self.line.group.as_ref().map(Text::to_string),
            name: if same_name {
                self.line.spelling.to_string()
            } else {
                self.new.1.name.clone()
            },
            params: params.into_iter().map(|param| param.written.to_string()).collect(),
            value: if same_value {
                self.line.text().into_owned()
            } else {
                self.new.1.content.escaped(version)
            },
            base64,
            charset: self.line.charset.filter(|_| version == Version::V21),
        }
    }

    fn kept_params(&self, same_value: bool, base64: bool, version: Version) -> Vec<Param> {
        let mut kept = Vec::new();
        let same_name = self.old.1.name == self.new.1.name;
        for param in &self.line.params {
            let keep = match param.name.as_str() {
                "ENCODING" => base64 && self.line.transport == Transport::Base64,
                "CHARSET" => version != Version::V21 && self.line.charset == Some(encoding_rs::UTF_8),
                "TYPE" => {
                    kept.extend(self.kept_types(param));
                    false
                }
                "VALUE" => same_value || self.value_kind_stays(param),
                "X-APPLE-OMIT-YEAR" => same_value,
                name => match field_of(name) {
                    None => true,
                    Some("full") => same_value && self.old.0.get("full") == self.new.0.get("full"),
                    Some(field) => same_name && self.old.0.get(field) == self.new.0.get(field),
                },
            };
            if keep {
                kept.push(param.clone());
            }
        }
        kept
    }

    fn value_kind_stays(&self, param: &Param) -> bool {
        let kind = param
            .values
            .first()
            .map(|kind| kind.to_ascii_lowercase())
            .unwrap_or_default();
        match &self.new.1.content {
            Content::Uri(_) => kind == "uri" || kind == "url",
            Content::Raw(_) => kind == "date",
            Content::Base64(_) => kind == "binary",
            _ => kind == "text" && self.old.1.content != self.new.1.content && self.new.1.name != "SOCIALPROFILE",
        }
    }

    fn kept_types(&self, param: &Param) -> Option<Param> {
        let property = self.line.name.as_str();
        let keeps = |word: &str| {
            if let Some(meaning) = words::meaning(property, word).filter(|_| !is_media(property)) {
                return self.new.1.meanings.contains(&meaning);
            }
            if is_media(property) && words::media_type(property, word).is_some() || property == "X-SOCIALPROFILE" {
                return self.new.1.extra_types.iter().any(|extra| {
                    extra.eq_ignore_ascii_case(word)
                        || words::media_type(property, word)
                            .is_some_and(|one| words::media_type(property, extra) == Some(one))
                });
            }
            !(self.drops_label && element::label_word(self.line) == Some(word))
        };
        let all: Vec<&str> = param.values.iter().flat_map(|words| words.split(',')).collect();
        let left: Vec<String> = all
            .iter()
            .filter(|word| keeps(word))
            .map(|word| (*word).to_owned())
            .collect();
        if left.len() == all.len() {
            return Some(param.clone());
        }
        if left.is_empty() {
            return None;
        }
        let name = param.written.split('=').next().unwrap_or("TYPE");
        let written = self::param(name, &left, Version::V30);
        Some(Param {
            name: "TYPE".into(),
            values: left.into_iter().map(Text::from).collect(),
            written: written.into(),
            bare: false,
        })
    }

    /// Adds the TYPE words that are missing, in the spelling of those that are there.
    fn add_types(&self, params: &mut Vec<Param>, version: Version) {
        let property = self.line.name.as_str();
        let present: Vec<String> = params
            .iter()
            .filter(|param| param.name == "TYPE")
            .flat_map(|param| {
                param
                    .values
                    .iter()
                    .flat_map(|words| words.split(','))
                    .map(str::to_owned)
            })
            .collect();
        let known: BTreeSet<Meaning> = present
            .iter()
            .filter_map(|word| words::meaning(property, word))
            .collect();
        let missing = self.new.1.meanings.iter().filter(|meaning| !known.contains(meaning));
        let mut missing: Vec<String> = missing
            .map(|meaning| words::word(meaning, version).to_owned())
            .collect();
        if is_media(property) || self.new.1.name == "X-SOCIALPROFILE" {
            let has = |extra: &str| {
                present
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case(extra) || same_media(property, word, extra))
            };
            missing.extend(self.new.1.extra_types.iter().filter(|extra| !has(extra)).cloned());
        }
        let lower = match present.first() {
            Some(word) => word.starts_with(|first: char| first.is_ascii_lowercase()),
            None => version == Version::V40,
        };
        for mut word in missing {
            if self.new.1.name != "X-SOCIALPROFILE" {
                // Apple writes `type=HOME;type=pref`.
                let is_apple = word == "pref" && params.iter().any(|param| param.written.starts_with("type="));
                if lower || is_apple {
                    word.make_ascii_lowercase();
                } else {
                    word.make_ascii_uppercase();
                }
            }
            let mut types = params.iter_mut().filter(|param| param.name == "TYPE");
            let list = types.next().filter(|param| !param.bare && types.next().is_none());
            match list {
                Some(list) if list.values.len() > 1 => {
                    list.values.push(word.into());
                    let name = list.written.split('=').next().unwrap_or("TYPE").to_owned();
                    list.written = param(&name, &list.values, Version::V30).into();
                }
                Some(list) => {
                    let name = list.written.split('=').next().unwrap_or("TYPE").to_owned();
                    params.push(typed(&word, param(&name, std::slice::from_ref(&word), Version::V30)));
                }
                None => params.push(typed(&word, param("TYPE", std::slice::from_ref(&word), version))),
            }
        }
    }
}

fn same_media(property: &str, word: &str, extra: &str) -> bool {
    let left = words::media_type(property, word);
    left.is_some() && left == words::media_type(property, extra)
}

fn is_media(property: &str) -> bool {
    matches!(property, "PHOTO" | "LOGO" | "SOUND" | "KEY")
}

fn made(name: &str, written: String) -> Param {
    Param {
        name: name.into(),
        values: Vec::new(),
        written: written.into(),
        bare: false,
    }
}

fn typed(word: &str, written: String) -> Param {
    let bare = !written.contains('=');
    Param {
        name: "TYPE".into(),
        values: vec![word.into()],
        written: written.into(),
        bare,
    }
}

/// Returns the value of N for name components.
pub(super) fn name_content(components: Option<&Map>, version: Version, least: usize) -> Content {
    let items = |kind: &str| -> Vec<String> {
        let mut found: Vec<(&Text, &Value)> = components
            .into_iter()
            .flatten()
            .filter(|(key, _)| key.split(':').next() == Some(kind))
            .collect();
        found.sort_by_key(|(key, _)| (key.len(), *key));
        let texts = found
            .iter()
            .filter_map(|(_, value)| value.as_map()?.get("value")?.as_text().map(str::to_owned));
        texts.filter(|text| !text.trim().is_empty()).collect()
    };
    let mut fields: Vec<Vec<String>> = NAME_FIELDS.iter().map(|kind| items(kind)).collect();
    let generations = items("generation");
    let plain = generations.iter().all(|text| words::is_generation(text))
        && items("credential").iter().all(|text| !words::is_generation(text));
    let newer = least > 5 || version == Version::V40 && (!items("surname2").is_empty() || !plain);
    if let Some(suffixes) = fields.get_mut(4) {
        // What would be read back as the other kind is not written.
        suffixes.retain(|text| newer || !words::is_generation(text));
        suffixes.extend(
            generations
                .into_iter()
                .filter(|text| newer || words::is_generation(text)),
        );
    }
    if newer && let Some(surnames) = fields.first_mut() {
        surnames.extend(items("surname2"));
    }
    fields.truncate(if newer { 7 } else { 5 });
    if version == Version::V21 {
        for items in &mut fields {
            items.truncate(1);
        }
    }
    let least = if newer { 7 } else { least.max(1) };
    while fields.len() > least && fields.last().is_some_and(Vec::is_empty) {
        fields.pop();
    }
    for items in &mut fields {
        if items.is_empty() {
            items.push(String::new());
        }
    }
    Content::Fields(fields)
}
