//! One property as an element of a collection.
//!
//! [`read`] undoes what [`super::element_out::write`] does; whatever the latter cannot say is found by reading its
//! result.

use std::borrow::Cow;

use super::date;
use super::text::{Version, split_escaped, unescape};
use super::token::{Line, Transport};
use super::words::{self, Meaning};
use crate::model::{Map, Text, Value};

/// The fields of ADR (RFC 6350 §6.3.1, RFC 9554 §2.1): the model's word by position. A legacy field and its
/// successor share a word.
pub(super) const ADDRESS_FIELDS: [&str; 18] = [
    "postOfficeBox",
    "apartment",
    "name",
    "locality",
    "region",
    "postcode",
    "country",
    "room",
    "apartment",
    "floor",
    "number",
    "name",
    "building",
    "block",
    "subdistrict",
    "district",
    "landmark",
    "direction",
];

/// The element collections a label can stand in.
const LABELLED: [&str; 9] = [
    "emails",
    "phones",
    "onlineServices",
    "addresses",
    "links",
    "anniversaries",
    "directories",
    "calendars",
    "cryptoKeys",
];

/// Returns whether an element of a collection has a label of its own.
pub(super) fn has_label(collection: &str) -> bool {
    LABELLED.contains(&collection) || collection == "schedulingAddresses"
}

/// What the text of a value is once its transport is undone.
pub(super) struct Reader<'a> {
    version: Version,
    line: &'a Line<'a>,
    text: Cow<'a, str>,
}

impl<'a> Reader<'a> {
    /// Decodes a line.
    pub(super) fn new(version: Version, line: &'a Line<'a>) -> Self {
        Self {
            version,
            line,
            text: line.text(),
        }
    }

    /// Returns whether `\n` is a line break here: in 2.1 sloppy writers use it, but quoted-printable has its own.
    fn line_breaks(&self) -> bool {
        self.version != Version::V21 || self.line.transport != Transport::QuotedPrintable
    }

    /// Returns the value as one text.
    pub(super) fn text(&self) -> Text {
        unescape(&self.text, self.line_breaks()).into()
    }

    /// Returns the value as it is written.
    pub(super) fn raw(&self) -> &str {
        &self.text
    }

    /// Returns the value as texts.
    pub(super) fn list(&self, separators: &[char]) -> Vec<Text> {
        split_escaped(&self.text, separators)
            .into_iter()
            .map(|item| Text::from(unescape(item, self.line_breaks()).trim()))
            .filter(|item| !item.is_empty())
            .collect()
    }

    /// Returns the value as fields separated by `;`.
    pub(super) fn fields(&self) -> Vec<Text> {
        split_escaped(&self.text, &[';'])
            .into_iter()
            .map(|field| unescape(field, self.line_breaks()).into())
            .collect()
    }

    /// Returns the value as fields of texts.
    pub(super) fn field_lists(&self) -> Vec<Vec<Text>> {
        let fields = split_escaped(&self.text, &[';']).into_iter();
        let items = fields.map(|field| match self.version {
            Version::V21 => vec![field],
            _ => split_escaped(field, &[',']),
        });
        items
            .map(|items| {
                items
                    .into_iter()
                    .map(|item| unescape(item, self.line_breaks()).into())
                    .collect()
            })
            .collect()
    }
}

pub(super) fn text_map<const N: usize>(entries: [(&'static str, Text); N]) -> Map {
    let entries = entries.into_iter().filter(|(_, text)| !text.is_empty());
    entries
        .map(|(key, text)| (Text::new_static(key), Value::Text(text)))
        .collect()
}

fn looks_like_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|character: char| character.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Reads the elements that a line stands for; empty when it stands for none.
pub(super) fn read(version: Version, line: &Line) -> Vec<(&'static str, Map)> {
    let reader = Reader::new(version, line);
    let text = || reader.text();
    if reader.raw().trim().is_empty() && !(line.name == "ADR" && line.values("LABEL").next().is_some()) {
        return Vec::new();
    }
    let one = |collection, map: Map| vec![(collection, with_types(collection, line, map))];
    let kind = |map: Map, kind: &str| {
        let mut map = map;
        map.insert("kind".to_owned(), kind.into());
        map
    };
    match line.name.as_str() {
        "NICKNAME" => {
            let names = if version == Version::V21 {
                vec![text()]
            } else {
                reader.list(&[','])
            };
            names
                .into_iter()
                .map(|name| ("nicknames", text_map([("name", name)])))
                .collect()
        }
        "ORG" => organization(&reader, line)
            .into_iter()
            .map(|map| ("organizations", map))
            .collect(),
        "TITLE" => vec![("titles", text_map([("name", text())]))],
        "ROLE" => vec![("titles", kind(text_map([("name", text())]), "role"))],
        "NOTE" => vec![("notes", text_map([("note", text())]))],
        "EMAIL" => one("emails", text_map([("address", text())])),
        "TEL" => one("phones", text_map([("number", text())])),
        "URL" => one("links", text_map([("uri", text())])),
        "CONTACT-URI" => one("links", kind(text_map([("uri", text())]), "contact")),
        "FBURL" => one("calendars", kind(text_map([("uri", text())]), "freeBusy")),
        "CALURI" => one("calendars", kind(text_map([("uri", text())]), "calendar")),
        "CALADRURI" => one("schedulingAddresses", text_map([("uri", text())])),
        "SOURCE" => one("directories", kind(text_map([("uri", text())]), "entry")),
        "ORG-DIRECTORY" => one("directories", kind(text_map([("uri", text())]), "directory")),
        "LANG" => one("preferredLanguages", text_map([("language", text())])),
        "HOBBY" | "INTEREST" | "EXPERTISE" => {
            let level = line
                .value("LEVEL")
                .map(|level| read_level(&line.name, level))
                .unwrap_or_default();
            let map = text_map([("value", text()), ("level", level.into())]);
            one("personalInfo", kind(map, &line.name.to_ascii_lowercase()))
        }
        "IMPP" | "X-SOCIALPROFILE" | "SOCIALPROFILE" | "X-MS-IMADDRESS" => {
            one("onlineServices", service(&reader, line))
        }
        name if words::service(name).is_some() => {
            let service = words::service(name).unwrap_or_default().into();
            one("onlineServices", text_map([("service", service), ("user", text())]))
        }
        "PHOTO" | "LOGO" | "SOUND" | "KEY" => media(&reader, line),
        "ADR" => address(&reader, line)
            .map(|map| one("addresses", map))
            .unwrap_or_default(),
        "GEO" => read_geo(&text())
            .map(|geo| one("addresses", text_map([("coordinates", geo.into())])))
            .unwrap_or_default(),
        "TZ" => one("addresses", text_map([("timeZone", text())])),
        _ => anniversary(&reader, line)
            .map(|map| one("anniversaries", map))
            .unwrap_or_default(),
    }
}

/// Adds contexts, features, preference and a label that TYPE gives.
fn with_types(collection: &str, line: &Line, mut map: Map) -> Map {
    let is_media = matches!(collection, "media" | "cryptoKeys" | "anniversaries");
    for word in line.values("TYPE").flat_map(|words| words.split(',')) {
        match words::meaning(&line.name, word) {
            Some(Meaning::Preferred) => {
                map.insert("pref".to_owned(), Value::Integer(1));
            }
            Some(Meaning::Context(context)) => insert_flag(&mut map, "contexts", context),
            Some(Meaning::Feature(feature)) => insert_flag(&mut map, "features", feature),
            None => {}
        }
    }
    if let Some(pref) = line.value("PREF").and_then(|pref| pref.trim().parse::<i64>().ok())
        && (1..=100).contains(&pref)
    {
        map.insert("pref".to_owned(), Value::Integer(pref));
    }
    if has_label(collection) && !is_media && !matches!(line.name.as_str(), "X-SOCIALPROFILE" | "KEY") {
        let label = label_word(line);
        map.extend(label.map(|word| ("label".to_owned(), Value::Text(word.to_owned().into()))));
    }
    map
}

/// Returns what the TYPE of a line gives an element of a collection.
pub(super) fn read_types(collection: &str, line: &Line) -> Map {
    with_types(collection, line, Map::new())
}

/// Returns the TYPE word that serves as label.
pub(super) fn label_word<'a>(line: &'a Line<'a>) -> Option<&'a str> {
    let params = line.params.iter().filter(|param| param.name == "TYPE" && !param.bare);
    let mut words = params
        .flat_map(|param| param.values.iter())
        .flat_map(|words| words.split(','));
    words.find(|word| words::is_label(&line.name, word))
}

fn insert_flag(map: &mut Map, field: &str, flag: &str) {
    let inner = map.get_or_insert_with(field, || Value::Map(Map::new()));
    if let Value::Map(inner) = inner {
        inner.insert(flag.to_owned(), Value::Bool(true));
    }
}

fn organization(reader: &Reader<'_>, line: &Line) -> Option<Map> {
    let fields = reader.fields();
    let mut map = text_map([("name", fields.first().cloned().unwrap_or_default())]);
    let mut units = Map::new();
    for (at, unit) in fields.iter().enumerate().skip(1).filter(|(_, unit)| !unit.is_empty()) {
        units.insert(at.to_string(), Value::Map(text_map([("name", unit.clone())])));
    }
    if !units.is_empty() {
        map.insert("units".to_owned(), Value::Map(units));
    }
    if map.is_empty() {
        return None;
    }
    map.extend(
        line.value("SORT-AS")
            .map(|text| ("sortAs".to_owned(), Value::from(text))),
    );
    Some(map)
}

fn read_level(property: &str, level: &str) -> String {
    let level = level.trim().to_ascii_lowercase();
    match (property, level.as_str()) {
        ("EXPERTISE", "beginner") => "low".to_owned(),
        ("EXPERTISE", "average") => "medium".to_owned(),
        ("EXPERTISE", "expert") => "high".to_owned(),
        _ => level,
    }
}

fn service(reader: &Reader<'_>, line: &Line) -> Map {
    let text = reader.text();
    let mut map = match line.name.as_str() {
        "IMPP" => {
            let service = line
                .value("X-SERVICE-TYPE")
                .or(line.value("SERVICE-TYPE"))
                .unwrap_or_default();
            text_map([("service", service.into()), ("uri", text), ("vCardName", "impp".into())])
        }
        "X-SOCIALPROFILE" => {
            let service = line
                .values("TYPE")
                .find(|word| words::is_label("URL", word))
                .unwrap_or_default();
            let user = line.value("X-USER").or(line.value("USERNAME")).unwrap_or_default();
            let name = "x-socialprofile".into();
            text_map([
                ("service", service.into()),
                ("user", user.into()),
                ("uri", text),
                ("vCardName", name),
            ])
        }
        "X-MS-IMADDRESS" => text_map([("user", text), ("vCardName", "x-ms-imaddress".into())]),
        _ => {
            let is_text = line
                .value("VALUE")
                .is_some_and(|value| value.eq_ignore_ascii_case("text"));
            let service = line.value("SERVICE-TYPE").unwrap_or_default();
            let field = if is_text { "user" } else { "uri" };
            text_map([("service", service.into()), (field, text)])
        }
    };
    if line.name == "SOCIALPROFILE"
        && let Some(user) = line.value("USERNAME").filter(|_| !map.contains_key("user"))
    {
        map.insert("user".to_owned(), user.into());
    }
    map
}

fn media(reader: &Reader<'_>, line: &Line) -> Vec<(&'static str, Map)> {
    let mut media_type = line.value("MEDIATYPE").map(str::to_owned).or_else(|| {
        let mut words = line.values("TYPE").flat_map(|words| words.split(','));
        words.find_map(|word| words::media_type(&line.name, word))
    });
    let mut map = Map::new();
    let text = reader.text();
    let text = text.trim();
    let decode = |text: &str| {
        let text: String = text.split_ascii_whitespace().collect();
        let padded = data_encoding::BASE64.decode(text.as_bytes());
        padded
            .or_else(|_| data_encoding::BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()))
            .ok()
    };
    let data_uri = text.strip_prefix("data:").and_then(|rest| {
        let (head, data) = rest.split_once(',')?;
        let mime = head.strip_suffix(";base64")?;
        Some((mime.to_owned(), decode(data)?))
    });
    if let Some((mime, bytes)) = data_uri {
        media_type = Some(mime).filter(|mime| !mime.is_empty());
        map.insert("data".to_owned(), Value::Bytes(bytes));
    } else if line.transport == Transport::Base64 {
        let Some(bytes) = decode(text).filter(|bytes| !bytes.is_empty()) else {
            return Vec::new();
        };
        map.insert("data".to_owned(), Value::Bytes(bytes));
    } else if looks_like_uri(text) {
        map.insert("uri".to_owned(), text.into());
    } else {
        return Vec::new();
    }
    map.extend(media_type.map(|media_type| ("mediaType".to_owned(), Value::Text(media_type.into()))));
    if line.name == "KEY" {
        return vec![("cryptoKeys", with_types("cryptoKeys", line, map))];
    }
    map.insert("kind".to_owned(), line.name.to_ascii_lowercase().into());
    vec![("media", map)]
}

fn address(reader: &Reader<'_>, line: &Line) -> Option<Map> {
    let fields = reader.fields();
    let mut components = Map::new();
    for (at, text) in fields.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
        if let Some(word) = ADDRESS_FIELDS.get(at) {
            // A later field replaces the legacy one that repeats it.
            components.insert((*word).to_owned(), Value::Map(text_map([("value", text.clone())])));
        }
    }
    let mut map = Map::new();
    if !components.is_empty() {
        map.insert("components".to_owned(), Value::Map(components));
    }
    // Writers that forget the quotes have commas in it.
    let label = line.values("LABEL").collect::<Vec<_>>().join(",");
    let label = Some(unescape(&label, true))
        .filter(|label| super::read::says_more(label, &map))
        .map(Text::from)
        .unwrap_or_default();
    let geo = line.value("GEO").and_then(read_geo).unwrap_or_default().into();
    let zone = line.value("TZ").unwrap_or_default().into();
    let code = line.value("CC").unwrap_or_default().into();
    map.extend(text_map([
        ("full", label),
        ("coordinates", geo),
        ("timeZone", zone),
        ("countryCode", code),
    ]));
    (!map.is_empty()).then_some(map)
}

/// Reads `37.38;-122.08` or a `geo:` URI as the latter.
pub(super) fn read_geo(text: &str) -> Option<String> {
    let text = text.trim();
    if text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("geo:")) {
        return Some(format!("geo:{}", text.get(4..)?));
    }
    let (latitude, longitude) = text.split_once([';', ','])?;
    let is_number = |text: &str| {
        let text = text.strip_prefix(['-', '+']).unwrap_or(text);
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    (is_number(latitude) && is_number(longitude)).then(|| format!("geo:{latitude},{longitude}"))
}

fn anniversary(reader: &Reader<'_>, line: &Line) -> Option<Map> {
    let kind = match line.name.as_str() {
        "BDAY" => "birth",
        "DEATHDATE" | "X-DEATHDATE" => "death",
        "ANNIVERSARY"
        | "X-ANNIVERSARY"
        | "X-EVOLUTION-ANNIVERSARY"
        | "X-MS-ANNIVERSARY"
        | "X-WAB-WEDDING_ANNIVERSARY"
        | "X-KADDRESSBOOK-X-ANNIVERSARY" => "wedding",
        "X-ABDATE" => "",
        _ => return None,
    };
    let date = date::read(reader.raw(), line.value("X-APPLE-OMIT-YEAR"))?;
    Some(text_map([("kind", kind.into()), ("date", date.into())]))
}
