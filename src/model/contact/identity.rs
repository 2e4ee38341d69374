//! Who is who: the keys by which two items are one person.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::align::phone_digits;
use super::derive_full_name;
use crate::model::{Map, Value};

/// What of a contact tells who it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityKeys {
    /// UID, if any.
    pub uid: Option<String>,
    /// Lower-cased e-mail addresses.
    pub emails: BTreeSet<String>,
    /// Last nine digits of the phone numbers.
    pub phones: BTreeSet<String>,
    /// The words of the name, normalised (NFKD without marks, lower case).
    pub name: BTreeSet<String>,
    /// The words of organisation names, which stand in for a name where there is none.
    pub organization: BTreeSet<String>,
    /// Birthday.
    pub birthday: Option<String>,
}

/// Reads the identity keys of a contact.
pub fn identity_keys(record: &Value) -> IdentityKeys {
    let Some(card) = record.as_map() else {
        return IdentityKeys::default();
    };
    let texts = |collection: &str, field: &str| -> Vec<String> {
        let elements = card.get(collection).and_then(Value::as_map);
        let values = elements.into_iter().flat_map(Map::values);
        values
            .filter_map(|element| element.as_map()?.get(field)?.as_text().map(str::to_owned))
            .collect()
    };
    let birthday = card.get("anniversaries").and_then(Value::as_map).and_then(|elements| {
        let mut births = elements
            .values()
            .filter_map(Value::as_map)
            .filter(|one| one.get("kind").and_then(Value::as_text) == Some("birth"));
        births.next()?.get("date")?.as_text().map(str::to_owned)
    });
    IdentityKeys {
        uid: card.get("uid").and_then(Value::as_text).map(str::to_owned),
        emails: texts("emails", "address")
            .iter()
            .map(|address| address.trim().to_lowercase())
            .filter(|a| !a.is_empty())
            .collect(),
        phones: texts("phones", "number")
            .iter()
            .filter_map(|number| phone_digits(number))
            .collect(),
        name: words(&display_name(card).unwrap_or_default()),
        organization: texts("organizations", "name")
            .iter()
            .flat_map(|name| words(name))
            .collect(),
        birthday,
    }
}

/// Returns whether two sets of name words can be one person's: one holds the other's (initials count).
pub fn compatible_names(left: &IdentityKeys, right: &IdentityKeys) -> bool {
    let (a, b) = (left.effective_name(), right.effective_name());
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short.iter().all(|word| {
        long.iter()
            .any(|other| word == other || is_initial(word, other) || is_initial(other, word))
    }) && short.iter().any(|word| word.chars().count() > 1 && long.contains(word))
}

impl IdentityKeys {
    /// Returns the words by which this one is known: those of the name, else of the organisation.
    pub fn effective_name(&self) -> &BTreeSet<String> {
        if self.name.is_empty() {
            &self.organization
        } else {
            &self.name
        }
    }

    /// Returns the name as one text for lookup; empty when there is none.
    pub fn name_key(&self) -> String {
        self.effective_name().iter().cloned().collect::<Vec<_>>().join(" ")
    }

    /// Returns whether an e-mail address, a phone or the birthday of the two disagree with none agreeing.
    pub fn contradicts(&self, other: &Self) -> bool {
        let differ = |a: &BTreeSet<String>, b: &BTreeSet<String>| !a.is_empty() && !b.is_empty() && a.is_disjoint(b);
        let births = matches!((&self.birthday, &other.birthday), (Some(a), Some(b)) if a != b);
        differ(&self.emails, &other.emails) || differ(&self.phones, &other.phones) || births
    }

    /// Returns whether an e-mail address is the same, or a phone with no e-mail address speaking against it.
    pub fn is_same_address(&self, other: &Self) -> bool {
        if !self.emails.is_empty() && !other.emails.is_empty() {
            return !self.emails.is_disjoint(&other.emails);
        }
        !self.phones.is_disjoint(&other.phones)
    }
}

fn is_initial(word: &str, other: &str) -> bool {
    word.chars().count() == 1 && other.starts_with(word)
}

/// Splits a name into words without case, accents and punctuation.
fn words(text: &str) -> BTreeSet<String> {
    let plain: String = text
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .collect();
    plain
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn display_name(card: &Map) -> Option<String> {
    let name = card.get("name")?.as_map()?;
    let derived = name.get("components").and_then(Value::as_map).map(derive_full_name);
    derived
        .filter(|text| !text.is_empty())
        .or_else(|| name.get("full")?.as_text().map(str::to_owned))
}

/// Returns what a person would call this contact: full name, else organisation, nickname, e-mail or phone.
pub fn title(record: &Value) -> String {
    let Some(card) = record.as_map() else {
        return String::new();
    };
    let full = card
        .get("name")
        .and_then(|name| name.as_map()?.get("full")?.as_text())
        .map(str::to_owned);
    let first = |collection: &str, field: &str| {
        let elements = card.get(collection)?.as_map()?;
        let ordered = super::ordered(elements);
        ordered.first()?.1.get(field)?.as_text().map(str::to_owned)
    };
    full.or_else(|| display_name(card))
        .filter(|text| !text.trim().is_empty())
        .or_else(|| first("organizations", "name"))
        .or_else(|| first("nicknames", "name"))
        .or_else(|| first("emails", "address"))
        .or_else(|| first("phones", "number"))
        .unwrap_or_default()
}
