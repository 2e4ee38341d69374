//! Between the universal form and `JSContact` objects.
//!
//! RFC 9553 §2 for the members; RFC 9555 §2.15 for `vCardProps`. Components and units are arrays there and maps
//! here, dates are objects there and text here, bytes are `data:` URIs there.

use serde_json::{Map as JsonMap, Value as Json};

use crate::model::contact::{ELEMENT_MAPS, derive_full_name, ordered};
use crate::model::{FieldPath, Map, Text, Value, provisional};

/// A `JSContact` value whose array members have names, by which two versions of an array are compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// A plain value.
    Leaf(Json),
    /// An object, in the order in which it is written.
    Object(Vec<(String, Tree)>),
    /// An array whose members are told apart by name.
    Array(Vec<(String, Tree)>),
}

impl Tree {
    /// Returns the plain JSON.
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Leaf(json) => json.clone(),
            Self::Object(members) => {
                Json::Object(members.iter().map(|(key, tree)| (key.clone(), tree.json())).collect())
            }
            Self::Array(items) => Json::Array(items.iter().map(|(_, tree)| tree.json()).collect()),
        }
    }

    /// Returns the member or item with a name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let (Self::Object(entries) | Self::Array(entries)) = self else {
            return None;
        };
        entries.iter().find(|(key, _)| key == name).map(|(_, tree)| tree)
    }

    fn text(text: impl Into<String>) -> Self {
        Self::Leaf(Json::String(text.into()))
    }
}

/// Name components in the order in which a new card lists them.
const NAME_ORDER: [&str; 7] = [
    "title",
    "given",
    "given2",
    "surname",
    "surname2",
    "generation",
    "credential",
];

/// Address components in the order in which a new card lists them.
const ADDRESS_ORDER: [&str; 18] = [
    "room",
    "apartment",
    "floor",
    "building",
    "number",
    "name",
    "block",
    "subdistrict",
    "district",
    "landmark",
    "direction",
    "postOfficeBox",
    "locality",
    "region",
    "postcode",
    "country",
    "separator",
    "",
];

/// The fields of an element that the universal form has, beside those that are converted.
fn fields_of(collection: &str) -> &'static [&'static str] {
    match collection {
        "nicknames" => &["name"],
        "organizations" => &["name", "units", "sortAs"],
        "titles" => &["name", "kind"],
        "emails" => &["address", "contexts", "pref", "label"],
        "phones" => &["number", "features", "contexts", "pref", "label"],
        "onlineServices" => &["service", "uri", "user", "contexts", "pref", "label", "vCardName"],
        "addresses" => &[
            "components",
            "full",
            "countryCode",
            "coordinates",
            "timeZone",
            "contexts",
            "pref",
            "label",
        ],
        "anniversaries" => &["kind", "date", "label"],
        "notes" => &["note"],
        "links" => &["uri", "kind", "contexts", "pref", "label"],
        "media" => &["kind", "uri", "data", "mediaType"],
        "personalInfo" => &["kind", "value", "level"],
        "preferredLanguages" => &["language", "contexts", "pref"],
        _ => &["uri", "data", "kind", "contexts", "pref", "label", "mediaType"],
    }
}

/// Converts a contact in universal form to a `JSContact` Card. `order` and `distinct` are left out.
pub fn to_jscontact(record: &Value) -> Json {
    to_tree(record, &group_name).json()
}

/// Converts a `JSContact` Card to the universal form; ids become element ids. Unknown members are left out.
pub fn from_jscontact(card: &Json) -> Value {
    read_card(card, &|_, id| id.to_owned())
}

/// Names the group of the vCard properties of an element, by its collection and id.
pub(super) type Groups<'a> = &'a dyn Fn(&str, &str) -> String;

/// Converts a record to a tree.
pub(super) fn to_tree(record: &Value, groups: Groups<'_>) -> Tree {
    let mut members = vec![
        ("@type".to_owned(), Tree::text("Card")),
        ("version".to_owned(), Tree::text("1.0")),
    ];
    let empty = Map::new();
    let card = record.as_map().unwrap_or(&empty);
    for key in ["uid", "created", "kind", "language"] {
        members.extend(
            card.get(key)
                .and_then(Value::as_text)
                .map(|text| (key.to_owned(), Tree::text(text))),
        );
    }
    if let Some(name) = card.get("name").and_then(Value::as_map) {
        members.push(("name".to_owned(), name_tree(name)));
    }
    let mut props = Vec::new();
    for collection in ELEMENT_MAPS {
        let Some(elements) = card.get(collection).and_then(Value::as_map) else {
            continue;
        };
        let entries: Vec<_> = ordered(elements)
            .into_iter()
            .map(|(id, element)| {
                (
                    id.to_string(),
                    element_tree(collection, id, element, groups, &mut props),
                )
            })
            .collect();
        if !entries.is_empty() {
            members.push((collection.to_owned(), Tree::Object(entries)));
        }
    }
    for (key, name) in [
        ("keywords", "keywords"),
        ("members", "members"),
        ("relatedTo", "relatedTo"),
        ("speakToAs", "speakToAs"),
        ("custom", "dsync:custom"),
    ] {
        members.extend(
            card.get(key)
                .filter(|value| value.is_map())
                .map(|value| (name.to_owned(), plain_tree(value))),
        );
    }
    if let Some(elements) = card.get("vcard").and_then(Value::as_map) {
        let mut entries: Vec<_> = ordered(elements)
            .into_iter()
            .filter_map(|(id, element)| {
                let name = element.get("name")?.as_text()?;
                prop_entry(name, element, None, id.to_string())
            })
            .collect();
        entries.append(&mut props);
        props = entries;
    }
    if !props.is_empty() {
        members.push(("vCardProps".to_owned(), Tree::Array(props)));
    }
    Tree::Object(members)
}

fn plain_tree(value: &Value) -> Tree {
    Tree::Leaf(match value {
        Value::Map(map) => {
            return Tree::Object(
                map.iter()
                    .map(|(key, value)| (key.to_string(), plain_tree(value)))
                    .collect(),
            );
        }
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Integer(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Text(text) | Value::Decimal(text) => Json::String(text.to_string()),
        Value::Bytes(bytes) => Json::String(data_encoding::BASE64.encode(bytes)),
        Value::List(list) => Json::Array(list.iter().map(|value| plain_tree(value).json()).collect()),
        Value::Blob(blob) => Json::String(blob.hash.to_string()),
    })
}

fn rank(kind: &str, table: &[&str]) -> usize {
    table.iter().position(|known| *known == kind).unwrap_or(table.len())
}

fn components_tree(components: &Map, table: &[&str]) -> Tree {
    let mut keys: Vec<&Text> = components.keys().collect();
    keys.sort_by_key(|key| {
        let kind = key.split(':').next().unwrap_or_default();
        (rank(kind, table), kind.to_owned(), key.len(), (*key).clone())
    });
    let items = keys.into_iter().filter_map(|key| {
        let component = components.get(key)?.as_map()?;
        let kind = key.split(':').next().unwrap_or_default();
        let mut members = vec![("kind".to_owned(), Tree::text(kind))];
        members.extend(
            component
                .iter()
                .map(|(name, value)| (name.to_string(), plain_tree(value))),
        );
        Some((key.to_string(), Tree::Object(members)))
    });
    Tree::Array(items.collect())
}

fn name_tree(name: &Map) -> Tree {
    let members = name.iter().map(|(key, value)| {
        let tree = match value {
            Value::Map(components) if key == "components" => components_tree(components, &NAME_ORDER),
            _ => plain_tree(value),
        };
        (key.to_string(), tree)
    });
    Tree::Object(members.collect())
}

fn element_tree(
    collection: &str,
    id: &str,
    element: &Map,
    groups: Groups<'_>,
    props: &mut Vec<(String, Tree)>,
) -> Tree {
    let mut members = Vec::new();
    for (key, value) in element {
        let tree = match (key.as_str(), value) {
            ("order", _) => continue,
            ("vcard", Value::Map(bound)) => {
                let group = groups(collection, id);
                for (name, map) in bound {
                    let map = map.as_map().cloned().unwrap_or_default();
                    props.extend(prop_entry(
                        name,
                        &map,
                        Some(&group),
                        FieldPath::new([collection, id, "vcard", name]).to_string(),
                    ));
                }
                members.push((
                    "vCardParams".to_owned(),
                    Tree::Object(vec![("group".to_owned(), Tree::text(group))]),
                ));
                continue;
            }
            ("components", Value::Map(components)) => components_tree(components, &ADDRESS_ORDER),
            ("units", Value::Map(units)) => units_tree(units),
            ("date", Value::Text(date)) => date_tree(date).unwrap_or_else(|| Tree::text(date.as_str())),
            ("data", Value::Bytes(bytes)) => {
                let media_type = element.get("mediaType").and_then(Value::as_text).unwrap_or_default();
                let uri = format!("data:{media_type};base64,{}", data_encoding::BASE64.encode(bytes));
                members.push(("uri".to_owned(), Tree::text(uri)));
                continue;
            }
            ("uri", _) if element.contains_key("data") => continue,
            _ => plain_tree(value),
        };
        members.push((key.to_string(), tree));
    }
    Tree::Object(members)
}

/// Names the group that binds vCard properties to an element.
pub(super) fn group_name(collection: &str, id: &str) -> String {
    let text = format!("{collection}-{id}");
    text.chars()
        .map(|one| if one.is_ascii_alphanumeric() { one } else { '-' })
        .collect()
}

fn prop_entry(name: &str, map: &Map, group: Option<&str>, identity: String) -> Option<(String, Tree)> {
    let value = map.get("value")?.as_text()?;
    let given = map.get("params").and_then(Value::as_map).into_iter().flatten();
    let mut params: JsonMap<String, Json> = JsonMap::new();
    for (name, value) in given {
        params.insert(name.to_ascii_lowercase(), plain_tree(value).json());
    }
    params.extend(group.map(|group| ("group".to_owned(), Json::from(group))));
    // A second property of the same name in a group has a number in its key.
    let name = name.split(':').next().unwrap_or(name).to_ascii_lowercase();
    let entry = Json::Array(vec![
        Json::from(name),
        Json::Object(params),
        Json::from("unknown"),
        Json::from(value),
    ]);
    Some((identity, Tree::Leaf(entry)))
}

fn units_tree(units: &Map) -> Tree {
    let numbers = units.keys().filter_map(|key| key.parse::<usize>().ok());
    let last = numbers.filter(|number| *number <= 64).max().unwrap_or(0);
    let unit = |at: usize| {
        let map = units
            .get(at.to_string())
            .cloned()
            .unwrap_or_else(|| Value::Map(Map::new()));
        let tree = plain_tree(&map);
        // An empty place keeps the numbers of the units behind it.
        if tree.get("name").is_none() {
            Tree::Object(vec![("name".to_owned(), Tree::text(""))])
        } else {
            tree
        }
    };
    Tree::Array((1..=last).map(|at| (at.to_string(), unit(at))).collect())
}

/// Writes a date as `PartialDate` or `Timestamp` (RFC 9553 §2.8.1); other texts stay text.
fn date_tree(date: &str) -> Option<Tree> {
    let number = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if date.contains('T') {
        let members = vec![
            ("@type".to_owned(), Tree::text("Timestamp")),
            ("utc".to_owned(), Tree::text(date)),
        ];
        return Some(Tree::Object(members));
    }
    let mut members = vec![("@type".to_owned(), Tree::text("PartialDate"))];
    let (year, rest) = match date.strip_prefix("--") {
        Some(rest) => (None, Some(rest)),
        None => match date.split_once('-') {
            Some((year, rest)) => (Some(number(year)?), Some(rest)),
            None => (Some(number(date)?), None),
        },
    };
    let (month, day) = match rest.map(|rest| {
        rest.split_once('-')
            .map_or((rest, None), |(month, day)| (month, Some(day)))
    }) {
        Some((month, day)) => (Some(number(month)?), day.map(number)),
        None => (None, None),
    };
    let day = match day {
        Some(day) => Some(day?),
        None => None,
    };
    for (name, value) in [("year", year), ("month", month), ("day", day)] {
        members.extend(value.map(|value| (name.to_owned(), Tree::Leaf(Json::from(value)))));
    }
    Some(Tree::Object(members))
}

fn read_date(date: &Json) -> Option<String> {
    if let Some(text) = date.as_str().or_else(|| date.get("utc")?.as_str()) {
        return Some(text.to_owned());
    }
    let part = |name: &str, most: u64| {
        date.get(name)
            .and_then(Json::as_u64)
            .filter(|number| (1..=most).contains(number))
    };
    match (part("year", 9999), part("month", 12), part("day", 31)) {
        (Some(year), Some(month), Some(day)) => Some(format!("{year:04}-{month:02}-{day:02}")),
        (Some(year), Some(month), None) => Some(format!("{year:04}-{month:02}")),
        (Some(year), None, None) => Some(format!("{year:04}")),
        (None, Some(month), Some(day)) => Some(format!("--{month:02}-{day:02}")),
        _ => None,
    }
}

/// Reads a card; `rename` makes the key of an element from its collection and id.
pub(super) fn read_card(card: &Json, rename: &dyn Fn(&str, &str) -> String) -> Value {
    let mut record = Map::new();
    for key in ["uid", "created", "kind", "language"] {
        let text = card
            .get(key)
            .and_then(Json::as_str)
            .filter(|text| !(key == "kind" && *text == "individual"));
        record.extend(text.map(|text| (key.to_owned(), Value::from(text))));
    }
    if let Some(name) = card.get("name") {
        record.insert("name".to_owned(), Value::Map(read_name(name)));
    }
    for collection in ELEMENT_MAPS {
        let mut elements = Map::new();
        for (id, json) in card.get(collection).and_then(Json::as_object).into_iter().flatten() {
            let element = read_element(collection, json);
            if element.is_empty() {
                continue;
            }
            let key = rename(collection, id);
            elements.insert(key, Value::Map(element));
        }
        record.insert(collection.to_owned(), Value::Map(elements));
    }
    for (name, key) in [("keywords", "keywords"), ("members", "members")] {
        let set = card.get(name).and_then(Json::as_object).into_iter().flatten();
        let set = set
            .filter(|(_, flag)| **flag == Json::Bool(true))
            .map(|(word, _)| (word.clone(), Value::Bool(true)));
        record.insert(key.to_owned(), Value::Map(set.collect()));
    }
    for (name, key) in [
        ("relatedTo", "relatedTo"),
        ("speakToAs", "speakToAs"),
        ("dsync:custom", "custom"),
    ] {
        let value = card
            .get(name)
            .filter(|value| value.is_object())
            .and_then(|value| plain_value(name, value));
        record.extend(value.map(|value| (key.to_owned(), value)));
    }
    let mut record = Value::Map(record);
    read_props(card, rename, &mut record);
    record.prune();
    record
}

/// Reads members that the universal form has in the same shape.
fn plain_value(name: &str, json: &Json) -> Option<Value> {
    let texts = matches!(name, "grammaticalGender" | "pronouns" | "dsync:custom");
    Some(match json {
        Json::Object(members) => {
            let inner = members.iter().filter(|(key, _)| match name {
                "speakToAs" => matches!(key.as_str(), "grammaticalGender" | "pronouns"),
                _ => key.as_str() != "@type",
            });
            let inner = inner.filter_map(|(key, value)| {
                let name = if matches!(name, "dsync:custom" | "relatedTo") {
                    name
                } else {
                    key
                };
                Some((key.clone(), plain_value(name, value)?))
            });
            Value::Map(inner.collect())
        }
        Json::String(text) if texts => Value::Text(text.clone().into()),
        Json::Bool(true) => Value::Bool(true),
        Json::Number(number) if name == "pref" => Value::Integer(number.as_i64()?),
        _ => return None,
    })
}

/// Reads components; the second of a kind gets a number.
fn read_components(components: &Json) -> Map {
    let mut found = Map::new();
    for (key, component) in named_items(components.as_array().map(Vec::as_slice).unwrap_or_default()) {
        let kind = key.split(':').next().unwrap_or_default();
        let Some(value) = component
            .get("value")
            .and_then(Json::as_str)
            .filter(|_| kind != "separator")
        else {
            continue;
        };
        let mut map = Map::from([("value".to_owned(), Value::from(value))]);
        let phonetic = component.get("phonetic").and_then(Json::as_str);
        map.extend(phonetic.map(|text| ("phonetic".to_owned(), Value::from(text))));
        found.insert(key, Value::Map(map));
    }
    found
}

/// Names the items of a component array.
pub(super) fn named_items(items: &[Json]) -> Vec<(String, &Json)> {
    let mut named: Vec<(String, &Json)> = Vec::new();
    for item in items {
        let kind = item.get("kind").and_then(Json::as_str).unwrap_or_default();
        let count = named
            .iter()
            .filter(|(key, _)| key.split(':').next() == Some(kind))
            .count();
        let key = if count == 0 {
            kind.to_owned()
        } else {
            format!("{kind}:{}", count + 1)
        };
        named.push((key, item));
    }
    named
}

fn read_name(name: &Json) -> Map {
    let components = name.get("components").map(read_components).unwrap_or_default();
    let mut map = Map::new();
    let full = name
        .get("full")
        .and_then(Json::as_str)
        .filter(|full| derive_full_name(&components) != *full);
    map.extend(full.map(|full| ("full".to_owned(), Value::from(full))));
    let sort = name.get("sortAs").and_then(Json::as_object).into_iter().flatten();
    let sort = sort.filter_map(|(key, text)| Some((key.clone(), Value::from(text.as_str()?))));
    map.insert("sortAs".to_owned(), Value::Map(sort.collect()));
    map.insert("components".to_owned(), Value::Map(components));
    map
}

fn read_element(collection: &str, json: &Json) -> Map {
    let mut map = Map::new();
    for field in fields_of(collection) {
        let Some(value) = json.get(*field) else { continue };
        let read = match (*field, value) {
            ("components", _) => Some(Value::Map(read_components(value))),
            ("units", Json::Array(units)) => Some(Value::Map(read_units(units))),
            ("date", _) => read_date(value).map(Value::from),
            ("contexts" | "features", Json::Object(flags)) => {
                let set = flags.iter().filter(|(_, flag)| **flag == Json::Bool(true));
                Some(Value::Map(
                    set.map(|(word, _)| (word.clone(), Value::Bool(true))).collect(),
                ))
            }
            ("pref", Json::Number(number)) => number.as_i64().map(Value::Integer),
            ("kind", Json::String(kind)) if collection == "titles" && kind == "title" => None,
            (_, Json::String(text)) => Some(Value::Text(text.clone().into())),
            _ => None,
        };
        map.extend(read.map(|value| ((*field).to_owned(), value)));
    }
    let data = map.get("uri").and_then(Value::as_text).and_then(|uri| {
        let (head, text) = uri.strip_prefix("data:")?.split_once(',')?;
        let media_type = head.strip_suffix(";base64")?.to_owned();
        Some((media_type, data_encoding::BASE64.decode(text.as_bytes()).ok()?))
    });
    if let Some((media_type, bytes)) = data.filter(|_| fields_of(collection).contains(&"data")) {
        map.remove("uri");
        map.insert("data".to_owned(), Value::Bytes(bytes));
        if !media_type.is_empty() && !map.contains_key("mediaType") {
            map.insert("mediaType".to_owned(), Value::Text(media_type.into()));
        }
    }
    map.retain(|_, value| !matches!(value, Value::Map(inner) if inner.is_empty()));
    map
}

fn read_units(units: &[Json]) -> Map {
    let mut map = Map::new();
    for (at, unit) in units.iter().enumerate() {
        if let Some(name) = unit.get("name").and_then(Json::as_str).filter(|name| !name.is_empty()) {
            let unit = Map::from([("name".to_owned(), Value::from(name))]);
            map.insert((at + 1).to_string(), Value::Map(unit));
        }
    }
    map
}

/// Tells where each entry of `vCardProps` stands in the record; `None` for those that stand nowhere.
pub(super) fn prop_places(card: &Json, rename: &dyn Fn(&str, &str) -> String) -> Vec<Option<FieldPath>> {
    let mut groups: Vec<(&str, FieldPath)> = Vec::new();
    for collection in ELEMENT_MAPS {
        for (id, json) in card.get(collection).and_then(Json::as_object).into_iter().flatten() {
            let group = json.get("vCardParams").and_then(|params| params.get("group")?.as_str());
            if let Some(group) = group.filter(|_| !read_element(collection, json).is_empty()) {
                groups.push((group, FieldPath::new([collection, &rename(collection, id), "vcard"])));
            }
        }
    }
    let mut places: Vec<Option<FieldPath>> = Vec::new();
    for (at, entry) in card
        .get("vCardProps")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let name = entry
            .get(0)
            .and_then(Json::as_str)
            .filter(|_| entry.get(3).is_some_and(Json::is_string));
        let place = name.map(|name| {
            let name = name.to_ascii_uppercase();
            let params = entry.get(1).and_then(Json::as_object).into_iter().flatten();
            let mut group = params
                .filter(|(key, _)| key.eq_ignore_ascii_case("group"))
                .filter_map(|(_, one)| one.as_str());
            let owner = group
                .next()
                .and_then(|group| groups.iter().find(|(known, _)| *known == group));
            let Some((_, owner)) = owner else {
                return FieldPath::new(["vcard", &rename("vcard", &provisional(at))]);
            };
            let mut place = owner.child(&name);
            let mut number = 1;
            while places.contains(&Some(place.clone())) {
                number += 1;
                place = owner.child(&format!("{name}:{number}"));
            }
            place
        });
        places.push(place);
    }
    places
}

/// Reads `vCardProps`: `[name, parameters, type, value]`.
fn read_props(card: &Json, rename: &dyn Fn(&str, &str) -> String, record: &mut Value) {
    let entries = card.get("vCardProps").and_then(Json::as_array).into_iter().flatten();
    for (entry, place) in entries.zip(prop_places(card, rename)) {
        let texts = entry
            .get(0)
            .and_then(Json::as_str)
            .zip(entry.get(3).and_then(Json::as_str));
        let Some((place, (name, value))) = place.zip(texts) else {
            continue;
        };
        let mut map = Map::from([("value".to_owned(), Value::from(value))]);
        let mut params = Map::new();
        for (key, value) in entry.get(1).and_then(Json::as_object).into_iter().flatten() {
            let text = match value {
                _ if key.eq_ignore_ascii_case("group") => continue,
                Json::String(text) => text.clone(),
                Json::Array(items) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","),
                _ => continue,
            };
            params.insert(key.to_ascii_uppercase(), Value::Text(text.into()));
        }
        map.insert("params".to_owned(), Value::Map(params));
        if place.parts().len() == 2 {
            map.insert("name".to_owned(), Value::Text(name.to_ascii_uppercase().into()));
        }
        record.set_at(&place, Value::Map(map));
    }
}
