//! The fields of contacts by the names that people use: which of them a source shows, and what filters ask for.

use std::collections::BTreeSet;

use super::derive_full_name;
use crate::model::{FieldPath, Map, Value};

/// Properties of a card that every source shows: by them an item is recognised, and read as what it is.
const ALWAYS: [&str; 3] = ["kind", "name", "uid"];

/// Properties of a card, each with other names that people may type.
const FIELDS: [(&str, &[&str]); 26] = [
    ("addresses", &["address", "adr"]),
    ("anniversaries", &["anniversary", "birthday", "birthdays", "bday"]),
    ("calendars", &["calendar"]),
    ("created", &[]),
    ("cryptoKeys", &["cryptokey", "keys"]),
    ("custom", &[]),
    ("directories", &["directory"]),
    ("emails", &["email", "mail"]),
    ("keywords", &["keyword", "category", "categories", "labels", "tags"]),
    ("kind", &[]),
    ("language", &[]),
    ("links", &["link", "url", "urls", "website", "websites"]),
    ("media", &["photo", "photos", "logo"]),
    ("members", &["member"]),
    ("name", &["names"]),
    ("nicknames", &["nickname"]),
    ("notes", &["note"]),
    ("onlineServices", &["onlineservice", "im", "impp", "profiles"]),
    (
        "organizations",
        &["organization", "organisation", "organisations", "company", "org"],
    ),
    ("personalInfo", &["hobbies", "interests", "expertise"]),
    ("phones", &["phone", "tel", "telephone"]),
    ("preferredLanguages", &["preferredlanguage", "languages"]),
    ("relatedTo", &["related", "relations"]),
    ("schedulingAddresses", &["schedulingaddress"]),
    ("speakToAs", &["pronouns", "gender"]),
    ("titles", &["title", "role", "roles"]),
];

/// Names for what no other property of a card stands for.
const OTHER: [&str; 3] = ["vcard", "other", "others"];

/// A name that no field of a contact has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("contacts have no field `{name}`; there are {}, other", FIELDS.map(|(property, _)| property).join(", "))]
pub struct UnknownField {
    name: String,
}

/// A choice of the properties of a card; which of the others it is made of does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(BTreeSet<&'static str>);

impl Fields {
    /// Reads names as people type them; capitals do not matter. What is needed to recognise a contact comes along.
    pub fn parse<T: AsRef<str>>(names: &[T]) -> Result<Self, UnknownField> {
        let mut chosen = BTreeSet::from(ALWAYS);
        for name in names {
            let typed = name.as_ref().trim();
            let property = property(typed).ok_or_else(|| UnknownField { name: typed.to_owned() })?;
            chosen.insert(property);
        }
        Ok(Self(chosen))
    }

    /// Returns whether a property of a card is chosen.
    pub fn shows(&self, property: &str) -> bool {
        self.0.contains(property)
    }

    /// Returns whether all that `other` shows is chosen here too.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }

    /// Parts the properties of a card into those that are chosen and the others.
    pub fn split(&self, card: Map) -> (Map, Map) {
        card.into_iter().partition(|(property, _)| self.shows(property))
    }

    /// Returns the choice as one text, equal for equal choices.
    pub fn text(&self) -> String {
        self.0.iter().copied().collect::<Vec<_>>().join(",")
    }
}

/// Returns the property of a card that a name stands for.
fn property(typed: &str) -> Option<&'static str> {
    let is = |name: &&str| name.eq_ignore_ascii_case(typed);
    if OTHER.iter().any(is) {
        return Some("vcard");
    }
    if let Some(property) = ALWAYS.iter().find(|name| is(name)) {
        return Some(property);
    }
    let found = FIELDS
        .iter()
        .find(|(property, others)| is(property) || others.iter().any(is));
    found.map(|(property, _)| *property)
}

/// What filters ask for: names, and the paths that they stand for; `*` is any member, `#` the keys of a map.
const ASKED: [(&[&str], &[&str]); 20] = [
    (&["uid"], &["uid"]),
    (&["given", "first name"], &["name/components/given/value"]),
    (
        &["surname", "last name", "family name"],
        &["name/components/surname/value"],
    ),
    (&["nickname", "nicknames"], &["nicknames/*/name"]),
    (&["email", "emails", "mail"], &["emails/*/address"]),
    (&["phone", "phones", "tel"], &["phones/*/number"]),
    (
        &["organization", "organizations", "organisation", "company", "org"],
        &["organizations/*/name"],
    ),
    (&["department", "unit"], &["organizations/*/units/*/name"]),
    (&["title", "titles", "role"], &["titles/*/name"]),
    (
        &["keyword", "keywords", "category", "categories", "label", "tag", "tags"],
        &["keywords/#"],
    ),
    (
        &["country"],
        &["addresses/*/components/country/value", "addresses/*/countryCode"],
    ),
    (&["city", "locality"], &["addresses/*/components/locality/value"]),
    (&["region", "state"], &["addresses/*/components/region/value"]),
    (&["postcode", "zip"], &["addresses/*/components/postcode/value"]),
    (&["street"], &["addresses/*/components/name/value"]),
    (&["note", "notes"], &["notes/*/note"]),
    (&["date", "birthday", "anniversary"], &["anniversaries/*/date"]),
    (&["url", "link", "website"], &["links/*/uri"]),
    (&["member"], &["members/#"]),
    (&["language"], &["language"]),
];

/// The words that a filter can ask for of contacts, the first name of each.
pub fn asked_names() -> Vec<&'static str> {
    let asked = ASKED.iter().filter_map(|(names, _)| names.first().copied());
    ["name", "kind"].into_iter().chain(asked).collect()
}

/// Returns the values that a contact has under a name that a filter asks for; `None` where no field has that name.
pub fn asked(card: &Value, name: &str) -> Option<Vec<Value>> {
    let text = |path: &[&str]| card.at(&FieldPath::new(path.iter().copied())).cloned();
    if name.eq_ignore_ascii_case("kind") {
        return Some(vec![text(&["kind"]).unwrap_or_else(|| "individual".into())]);
    }
    if name.eq_ignore_ascii_case("name") {
        let derived = || {
            let components = card.at(&FieldPath::new(["name", "components"]))?.as_map()?;
            Some(Value::Text(derive_full_name(components).into()))
        };
        let full = text(&["name", "full"]).or_else(derived);
        return Some(full.into_iter().filter(|full| *full != Value::from("")).collect());
    }
    let is_named = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let (_, paths) = ASKED.iter().find(|(names, _)| is_named(names))?;
    let mut found = Vec::new();
    for path in *paths {
        let parts: Vec<&str> = path.split('/').collect();
        collect(card, &parts, &mut found);
    }
    Some(found)
}

fn collect(value: &Value, path: &[&str], found: &mut Vec<Value>) {
    let Some((first, rest)) = path.split_first() else {
        found.push(value.clone());
        return;
    };
    let Some(map) = value.as_map() else { return };
    match *first {
        "#" => found.extend(map.keys().map(|key| Value::Text(key.clone()))),
        "*" => map.values().for_each(|member| collect(member, rest, found)),
        key => map.get(key).into_iter().for_each(|member| collect(member, rest, found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_find_what_they_ask_for() {
        let mut card = Value::Map(Map::new());
        for (pointer, text) in [
            ("/name/components/given/value", "Ann"),
            ("/name/components/surname/value", "One"),
            ("/emails/a/address", "ann@example.org"),
            ("/emails/b/address", "one@example.org"),
            ("/addresses/a/components/country/value", "France"),
            ("/addresses/b/countryCode", "DE"),
        ] {
            card.set_at(&FieldPath::parse(pointer).unwrap(), text.into());
        }
        card.set_at(&FieldPath::new(["keywords", "family"]), true.into());
        let asked = |name: &str| -> Vec<String> {
            let found = asked(&card, name).unwrap().into_iter();
            found.map(|value| value.as_text().unwrap().to_owned()).collect()
        };
        assert_eq!(asked("Name"), ["Ann One"]);
        assert_eq!(asked("email"), ["ann@example.org", "one@example.org"]);
        assert_eq!(asked("country"), ["France", "DE"]);
        assert_eq!(asked("category"), ["family"]);
        assert_eq!(asked("kind"), ["individual"]);
        assert_eq!(asked("phone"), [""; 0]);
        assert_eq!(super::asked(&card, "shoes"), None);
        assert!(asked_names().iter().all(|name| super::asked(&card, name).is_some()));
    }
    use crate::model::contact::ELEMENT_MAPS;

    #[test]
    fn names_are_read_as_people_type_them() {
        let fields = Fields::parse(&["Phone", " emails", "company"]).unwrap();
        assert_eq!(fields.text(), "emails,kind,name,organizations,phones,uid");
        assert_eq!(fields, Fields::parse(&["org", "tel", "email", "name"]).unwrap());
        assert!(fields.covers(&Fields::parse(&["phones"]).unwrap()));
        assert!(!fields.covers(&Fields::parse(&["notes"]).unwrap()));
    }

    #[test]
    fn a_name_that_nothing_has_is_told_with_those_there_are() {
        let error = Fields::parse(&["phones", "shoe size"]).unwrap_err().to_string();
        assert!(
            error.starts_with("contacts have no field `shoe size`; there are addresses, "),
            "{error}"
        );
    }

    #[test]
    fn every_collection_can_be_chosen() {
        for collection in ELEMENT_MAPS {
            assert!(Fields::parse(&[collection]).unwrap().shows(collection), "{collection}");
        }
        let mut names: Vec<&str> = FIELDS.iter().flat_map(|(_, others)| others.iter().copied()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "a name that means two fields");
    }
}
