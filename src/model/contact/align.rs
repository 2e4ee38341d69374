//! Lasting ids for elements: which phone of a file is which phone of the record.

use std::collections::BTreeMap;

use crate::model::{Domain, FieldPath, Hash, Map, Text, Value, cbor, element_pointer, is_provisional};

/// Finds the element id behind every provisional key of `view`, given what the item showed before.
///
/// `reference` is the last view of the item or, at first sight, the record's own view in that format. Rules, in
/// order, within one collection: equal value; the key it was bound to before (`bound`, a slot); equal match key
/// (lower-cased e-mail, digits of a phone); the remaining ones of the same type in order; else a new id from
/// the hash of the value, salted when `taken` says that it is in use.
pub fn align(
    view: &Value,
    reference: Option<&Value>,
    bound: &BTreeMap<String, String>,
    taken: &dyn Fn(&str, &str) -> bool,
) -> BTreeMap<String, String> {
    let mut bindings = BTreeMap::new();
    for (collection, elements) in view.as_map().into_iter().flatten() {
        let Some(elements) = elements.as_map() else { continue };
        if !elements.keys().any(|key| is_provisional(key)) {
            continue;
        }
        let known = reference.and_then(|record| record.as_map()?.get(collection)?.as_map());
        let empty = Map::new();
        for (key, id) in align_collection(collection, elements, known.unwrap_or(&empty), bound, taken) {
            let mut pointer = String::new();
            element_pointer(collection, &key, &mut pointer);
            bindings.insert(pointer, id.into());
        }
    }
    bindings
}

/// Gives the elements of a record that nothing is known of ids of their own, as [`align`] and [`rename_elements`] do
/// one after the other; returns the record and which provisional key became which id.
pub fn align_new(record: Value) -> (Map, BTreeMap<String, String>) {
    let mut bindings = BTreeMap::new();
    let Value::Map(mut record) = record else {
        return (Map::new(), bindings);
    };
    for (collection, elements) in record.iter_mut() {
        let Some(elements) = elements.as_map_mut() else {
            continue;
        };
        if !elements.keys().any(|key| is_provisional(key)) {
            continue;
        }
        let mut found: Vec<Text> = Vec::with_capacity(elements.len());
        let renamed = std::mem::take(elements).into_iter().map(|(key, value)| {
            if !is_provisional(&key) {
                return (key, value);
            }
            let id = fresh_id(collection, &value, &|id| found.iter().any(|used| used == id));
            found.push(id.clone());
            let mut pointer = String::with_capacity(collection.len() + key.len() + 4);
            element_pointer(collection, &key, &mut pointer);
            bindings.insert(pointer, id.as_str().to_owned());
            (id, value)
        });
        *elements = renamed.collect();
    }
    (record, bindings)
}

/// Tells whether an element that was read and one that is known are the same.
type SameElement<'a> = &'a dyn Fn((&Text, &Value), (&Text, &Value)) -> bool;

fn align_collection(
    collection: &str,
    elements: &Map,
    known: &Map,
    bound: &BTreeMap<String, String>,
    taken: &dyn Fn(&str, &str) -> bool,
) -> Vec<(Text, Text)> {
    let mut open: Vec<(&Text, &Value)> = elements.iter().filter(|(key, _)| is_provisional(key)).collect();
    let mut free: Vec<(&Text, &Value)> = {
        let mut list: Vec<_> = known.iter().collect();
        list.sort_by_key(|(id, value)| (order_of(value), *id));
        list
    };
    free.retain(|(id, _)| !elements.contains_key(*id));
    if free.is_empty() {
        return new_elements(collection, open, Vec::new(), known, taken);
    }
    let mut found = Vec::new();
    let previous = |key: &str| bound.get(&FieldPath::new([collection, key]).to_string());
    let mut pass = |same: SameElement<'_>| {
        open.retain(|(key, value)| {
            let Some(at) = free.iter().position(|(id, known)| same((*key, *value), (*id, *known))) else {
                return true;
            };
            found.push(((*key).clone(), free.remove(at).0.clone()));
            false
        });
    };
    // An element that is equal and also stands where it stood wins over an equal one elsewhere.
    pass(&|(key, value), (id, known)| {
        previous(key).is_some_and(|bound| *bound == **id) && same_element(collection, value, known)
    });
    pass(&|(_, value), (_, known)| same_element(collection, value, known));
    pass(&|(_, value), (_, known)| {
        match_key(collection, value).is_some_and(|key| match_key(collection, known) == Some(key))
    });
    pass(&|(key, _), (id, _)| previous(key).is_some_and(|bound| *bound == **id));
    pass(&|(_, value), (_, known)| element_type(collection, value) == element_type(collection, known));
    new_elements(collection, open, found, known, taken)
}

/// Gives the elements that are none of the known ones ids of their own, behind those that were `found`.
fn new_elements(
    collection: &str,
    open: Vec<(&Text, &Value)>,
    mut found: Vec<(Text, Text)>,
    known: &Map,
    taken: &dyn Fn(&str, &str) -> bool,
) -> Vec<(Text, Text)> {
    for (key, value) in open {
        let id = fresh_id(collection, value, &|id| {
            found.iter().any(|(_, used)| used == id) || known.contains_key(id) || taken(collection, id)
        });
        found.push((key.clone(), id));
    }
    found
}

fn order_of(value: &Value) -> i64 {
    value
        .as_map()
        .and_then(|map| map.get("order")?.as_integer())
        .unwrap_or(i64::MAX)
}

/// Compares two elements by what formats show of them.
fn same_element(collection: &str, left: &Value, right: &Value) -> bool {
    let strip = |value: &Value| {
        let mut value = value.clone();
        if let Value::Map(map) = &mut value {
            map.remove("order");
        }
        value
    };
    if strip(left) == strip(right) {
        return true;
    }
    let (Some(left), Some(right)) = (left.as_map(), right.as_map()) else {
        return false;
    };
    let main = main_field(collection);
    main.iter().any(|field| {
        left.get(*field)
            .is_some_and(|value| right.get(*field) == Some(value) && !matches!(value, Value::Map(_)))
    }) || collection == "addresses"
        && left.contains_key("components")
        && left.get("components") == right.get("components")
}

/// The fields that make an element of a collection what it is.
fn main_field(collection: &str) -> &'static [&'static str] {
    match collection {
        "emails" => &["address"],
        "phones" => &["number"],
        "onlineServices" => &["uri", "user"],
        "notes" => &["note"],
        "links" | "directories" | "calendars" | "schedulingAddresses" => &["uri"],
        "media" | "cryptoKeys" => &["uri", "data"],
        "nicknames" | "organizations" | "titles" => &["name"],
        "personalInfo" => &["value"],
        "preferredLanguages" => &["language"],
        "addresses" => &["full"],
        _ => &[],
    }
}

/// What an element is recognised by when it was rewritten: lower-cased e-mail, digits of a phone, kind of a date.
fn match_key(collection: &str, value: &Value) -> Option<String> {
    let map = value.as_map()?;
    let text = |field: &str| map.get(field).and_then(Value::as_text);
    match collection {
        "emails" => text("address").map(|address| address.trim().to_lowercase()),
        "phones" => text("number").and_then(phone_digits),
        "anniversaries" | "media" => text("kind").map(str::to_owned),
        "links" => text("uri").map(|uri| uri.trim_end_matches('/').to_lowercase()),
        "vcard" => text("name").map(str::to_owned),
        _ => None,
    }
}

/// Returns the last nine digits, which spellings of one number share; `None` below five digits.
pub(super) fn phone_digits(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 5).then(|| digits[digits.len().saturating_sub(9)..].to_owned())
}

/// What elements must share so that one may be an edit of the other.
fn element_type(collection: &str, value: &Value) -> String {
    let Some(map) = value.as_map() else {
        return String::new();
    };
    let words = |field: &str| -> String {
        let inner = map.get(field).and_then(Value::as_map);
        inner
            .map(|words| words.keys().cloned().collect::<Vec<_>>().join(","))
            .unwrap_or_default()
    };
    match collection {
        "anniversaries" | "media" | "personalInfo" | "vcard" => {
            let field = if collection == "vcard" { "name" } else { "kind" };
            map.get(field).and_then(Value::as_text).unwrap_or_default().to_owned()
        }
        "phones" => format!("{}|{}", words("contexts"), words("features")),
        "addresses" | "emails" | "onlineServices" | "links" => words("contexts"),
        "titles" => map.get("kind").and_then(Value::as_text).unwrap_or("title").to_owned(),
        _ => String::new(),
    }
}

/// How many bytes of a hash an element id shows (chosen: forty bits keep the elements of one record apart).
const ID_BYTES: usize = 5;
/// How many characters that are.
const ID_CHARACTERS: usize = 8;

/// The letters of element ids: base 32 (RFC 4648 §6) in small letters.
static ID_ALPHABET: std::sync::LazyLock<data_encoding::Encoding> = std::sync::LazyLock::new(|| {
    let mut specification = data_encoding::Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
});

/// Makes an element id from the value, so that two systems that read the same file agree.
fn fresh_id(collection: &str, value: &Value, taken: &dyn Fn(&str) -> bool) -> Text {
    let empty = Map::new();
    let map = value.as_map().unwrap_or(&empty);
    let main = main_field(collection);
    let mut seed = Vec::with_capacity(128);
    if main.iter().any(|field| map.contains_key(field)) {
        let is_main = |(key, _): &(&Text, &Value)| main.contains(&key.as_str());
        cbor::encode_entries(map.iter().filter(is_main), &mut seed);
    } else {
        cbor::encode_map(map, &mut seed);
    }
    seed.extend_from_slice(collection.as_bytes());
    loop {
        let hash = Hash::of(Domain::Value, &seed);
        let mut id = [0; ID_CHARACTERS];
        ID_ALPHABET.encode_mut(&hash.bytes()[..ID_BYTES], &mut id);
        if let Ok(id) = std::str::from_utf8(&id)
            && !taken(id)
        {
            return id.into();
        }
        seed.push(b'+');
    }
}

/// Renames the elements of a record by `bindings` (pointer of the element → new id).
pub fn rename_elements(mut record: Value, bindings: &BTreeMap<String, String>) -> Value {
    if bindings.is_empty() {
        return record;
    }
    let mut pointer = String::new();
    for (collection, elements) in record.as_map_mut().into_iter().flat_map(Map::iter_mut) {
        let Some(elements) = elements.as_map_mut() else {
            continue;
        };
        let renamed = std::mem::take(elements).into_iter().map(|(key, value)| {
            element_pointer(collection, &key, &mut pointer);
            (bindings.get(&pointer).map_or(key, Text::from), value)
        });
        *elements = renamed.collect();
    }
    record
}

/// Returns whether two values of a field are the same to a person, so that a difference is no edit at first
/// sight and after our own write: case of an e-mail, punctuation of a phone, white space around text.
pub fn same_class(path: &FieldPath, left: &Value, right: &Value) -> bool {
    if left == right {
        return true;
    }
    let (Value::Text(left), Value::Text(right)) = (left, right) else {
        return false;
    };
    let (left, right) = (left.trim(), right.trim());
    if left == right {
        return true;
    }
    match path.parts().last().map(Text::as_str) {
        Some("address") => left.eq_ignore_ascii_case(right),
        Some("number") => {
            let digits = |text: &str| {
                text.chars()
                    .filter(|c| c.is_ascii_digit() || *c == '+')
                    .collect::<String>()
            };
            !digits(left).is_empty() && digits(left) == digits(right)
        }
        Some("uri") => left
            .trim_end_matches('/')
            .eq_ignore_ascii_case(right.trim_end_matches('/')),
        Some("note" | "full") => {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            words(left) == words(right)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::provisional;

    #[test]
    fn new_elements_are_aligned_in_one_step_as_in_two() {
        let mut record = Value::Map(Map::new());
        for (collection, field, count) in [("emails", "address", 3), ("phones", "number", 12), ("vcard", "name", 2)] {
            for n in 0..count {
                let path = FieldPath::new([collection, provisional(n).as_str(), field]);
                // Two of a kind say the same, so that their ids need salt.
                record.set_at(&path, format!("{}", n / 2).as_str().into());
            }
        }
        record.set_at(&FieldPath::new(["phones", "own", "number"]), "7".into());
        record.set_at(&FieldPath::new(["name", "full"]), "Ann".into());
        let bindings = align(&record, None, &BTreeMap::new(), &|_, _| false);
        let renamed = rename_elements(record.clone(), &bindings);
        let (map, at_once) = align_new(record);
        assert_eq!(at_once.len(), 17);
        assert_eq!((Value::Map(map), at_once), (renamed, bindings));
    }
}
