//! What each line of a card means, and the record that its lines show together.

use std::collections::BTreeMap;

use super::element::{self, Reader, has_label, text_map};
use super::single::{Single, read_single, single_of};
use super::text::{Version, raw_text};
use super::token::{self, Line, Transport};
use super::words;
use crate::format::Parsed;
use crate::model::contact::derive_full_name;
use crate::model::{FieldPath, Map, Text, Value, provisional};

/// What a line is in its card.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Role {
    /// BEGIN, VERSION, END.
    Structure,
    /// What no record holds: source-owned, empty, or no property at all.
    Kept,
    /// The property of one or more elements: indexes into [`Card::elements`].
    Elements(Vec<usize>),
    /// Belongs to the element with this index.
    Companion(usize),
    /// One of the properties that a card shows once, with the leaves it shows.
    Single(Single, Vec<(FieldPath, Value)>),
    /// CATEGORIES.
    Keywords(Vec<Text>),
    /// MEMBER.
    Member(Text),
    /// RELATED or a kindred property: key, relations.
    Related(Text, Vec<Text>),
    /// The label of the related name on this line.
    RelationLabel(usize),
    /// PRONOUNS: key, text, preference.
    Pronouns(Text, Map),
}

/// How a line belongs to an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Companion {
    /// X-ABLabel.
    Label,
    /// X-ABADR with a country code.
    CountryCode,
    /// LABEL of 2.1 and 3.0. `shown` is false where it repeats the components.
    Postal {
        /// Whether the record shows it as `full`.
        shown: bool,
    },
    /// A property that is bound by its group: the key in the element's `vcard` map.
    Bound(String),
}

/// An element that a card shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    /// Its collection.
    pub(super) collection: &'static str,
    /// Its provisional key.
    pub(super) key: Text,
    /// What is shown of it.
    pub(super) value: Map,
    /// The line of its property.
    pub(super) line: usize,
    /// Further lines that belong to it.
    pub(super) companions: Vec<(usize, Companion)>,
}

/// A card that was read.
#[derive(Debug, Clone)]
pub(super) struct Card<'b> {
    /// The version.
    pub(super) version: Version,
    /// The lines.
    pub(super) lines: Vec<Line<'b>>,
    /// What each line is.
    pub(super) roles: Vec<Role>,
    /// The elements in order of their lines.
    pub(super) elements: Vec<Element>,
    /// The record.
    pub(super) record: Value,
    /// UID as written.
    pub(super) native_id: Option<String>,
    /// Remarks.
    pub(super) warnings: Vec<String>,
}

impl<'b> Card<'b> {
    /// Reads a card from its UTF-8 or single-byte bytes.
    pub(super) fn read(bytes: &'b [u8]) -> Self {
        let mut card = Self::understand(bytes);
        card.build_record(|value| value.clone());
        card
    }

    /// Reads what a card says.
    pub(super) fn parse(bytes: &'b [u8]) -> Parsed {
        let mut card = Self::understand(bytes);
        card.build_record(std::mem::take);
        card.into_parsed()
    }

    fn understand(bytes: &'b [u8]) -> Self {
        let lines = token::lines(bytes);
        let version = lines.iter().find(|line| line.name == "VERSION");
        let version = version.map_or(Version::V30, |line| Version::read(&line.text()));
        let mut card = Self {
            version,
            roles: vec![Role::Kept; lines.len()],
            lines,
            elements: Vec::new(),
            record: Value::Map(Map::new()),
            native_id: None,
            warnings: Vec::new(),
        };
        card.read_lines(std::str::from_utf8(bytes).is_ok());
        card.bind_groups();
        card.bind_postal_labels();
        card.settle_dates();
        card.number_elements();
        card
    }

    /// Returns what the card says.
    pub(super) fn into_parsed(self) -> Parsed {
        Parsed {
            record: self.record,
            native_id: self.native_id,
            warnings: self.warnings,
        }
    }

    fn read_lines(&mut self, is_utf8: bool) {
        let mut seen = Vec::new();
        for at in 0..self.lines.len() {
            let Some(line) = self.lines.get(at) else { continue };
            if !(is_utf8 && line.transport == Transport::Plain) && line.is_guessed() {
                self.warnings
                    .push(format!("{} is not UTF-8 and was read as windows-1252", line.name));
            }
            let role = match line.name.as_str() {
                "BEGIN" | "END" | "VERSION" => Role::Structure,
                "" => Role::Kept,
                name if words::is_source_owned(name) => Role::Kept,
                // Waits for its group or its address.
                "X-ABLABEL" | "X-ABADR" if line.group.is_some() => Role::Kept,
                "LABEL" => Role::Kept,
                _ => self.read_property(at, line, &mut seen),
            };
            if let Role::Elements(found) = &role
                && found.is_empty()
            {
                continue;
            }
            if let Some(slot) = self.roles.get_mut(at) {
                *slot = role;
            }
        }
    }

    /// Reads one property; elements are appended.
    fn read_property(&self, at: usize, line: &Line, seen: &mut Vec<Single>) -> Role {
        // Translations repeat the id of what they translate; they are kept as they are.
        let has_pronouns = |key: &str| {
            self.roles
                .iter()
                .any(|role| matches!(role, Role::Pronouns(one, _) if one == key))
        };
        if let Some(single) = single_of(line) {
            if seen.contains(&single) {
                return if single == Single::Uid {
                    Role::Kept
                } else {
                    Role::Elements(vec![at])
                };
            }
            let leaves = read_single(self.version, line, single);
            if !leaves.is_empty() || matches!(single, Single::Kind | Single::FullName | Single::Name) {
                seen.push(single);
                return Role::Single(single, leaves);
            }
            return if line.raw.trim_ascii().is_empty() {
                Role::Kept
            } else {
                Role::Elements(vec![at])
            };
        }
        let reader = Reader::new(self.version, line);
        if reader.raw().trim().is_empty() && line.name != "ADR" {
            return Role::Kept;
        }
        match line.name.as_str() {
            "CATEGORIES" => Role::Keywords(reader.list(&[',', ';'])),
            "MEMBER" | "X-ADDRESSBOOKSERVER-MEMBER" => Role::Member(reader.text()),
            "PRONOUNS" => {
                let mut map = text_map([("pronouns", reader.text())]);
                let pref = line.value("PREF").and_then(|pref| pref.parse::<i64>().ok());
                map.extend(pref.map(|pref| ("pref".to_owned(), Value::Integer(pref))));
                let key = line
                    .value("PROP-ID")
                    .map_or_else(|| format!("k{at}").into(), Text::from);
                if has_pronouns(&key) {
                    Role::Elements(vec![at])
                } else {
                    Role::Pronouns(key, map)
                }
            }
            "RELATED" => {
                let words: Vec<Text> = line
                    .values("TYPE")
                    .flat_map(|words| words.split(','))
                    .map(|word| Text::from(word.trim().to_ascii_lowercase()))
                    .filter(|word| !word.is_empty() && word != "pref")
                    .collect();
                if words.is_empty() {
                    Role::Elements(vec![at])
                } else {
                    Role::Related(reader.text(), words)
                }
            }
            "X-ABRELATEDNAMES" => Role::Related(reader.text(), Vec::new()),
            name => match words::relation(name) {
                Some(relation) => Role::Related(reader.text(), vec![relation.into()]),
                None => Role::Elements(vec![at]),
            },
        }
    }

    /// Makes the elements and binds the properties of a group to the first element in it.
    fn bind_groups(&mut self) {
        self.make_elements();
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, line) in self.lines.iter().enumerate() {
            if let Some(group) = &line.group {
                groups.entry(group.to_ascii_lowercase()).or_default().push(at);
            }
        }
        for members in groups.values() {
            self.bind_group(members);
        }
        // A related name without a label says nothing about the relation: it is kept as it is.
        for at in 0..self.lines.len() {
            let unlabelled = matches!(self.roles.get(at), Some(Role::Related(_, words)) if words.is_empty());
            if unlabelled || self.is_loose_extension(at) {
                self.make_unknown(at);
            }
        }
    }

    fn is_loose_extension(&self, at: usize) -> bool {
        let is_extension = self.lines.get(at).is_some_and(|line| {
            line.group.is_some()
                && matches!(line.name.as_str(), "X-ABLABEL" | "X-ABADR")
                && !line.raw.trim_ascii().is_empty()
        });
        is_extension && self.roles.get(at) == Some(&Role::Kept)
    }

    fn make_elements(&mut self) {
        for at in 0..self.lines.len() {
            if !matches!(self.roles.get(at), Some(Role::Elements(_))) {
                continue;
            }
            let Some(line) = self.lines.get(at) else { continue };
            // A second FN or N is none of the collections' either.
            let found = if single_of(line).is_some() {
                Vec::new()
            } else {
                element::read(self.version, line)
            };
            if found.is_empty() {
                if line.raw.trim_ascii().is_empty() || is_bare_separators(line) {
                    self.set_role(at, Role::Kept);
                } else {
                    self.make_unknown(at);
                }
                continue;
            }
            let first = self.elements.len();
            let count = found.len();
            self.elements
                .extend(found.into_iter().map(|(collection, value)| Element {
                    collection,
                    key: Text::default(),
                    value,
                    line: at,
                    companions: Vec::new(),
                }));
            self.set_role(at, Role::Elements((first..first + count).collect()));
        }
    }

    fn set_role(&mut self, at: usize, role: Role) {
        if let Some(slot) = self.roles.get_mut(at) {
            *slot = role;
        }
    }

    fn make_unknown(&mut self, at: usize) {
        let Some(line) = self.lines.get(at) else { return };
        let mut value = unknown(line);
        value.insert("name".to_owned(), line.name.clone().into());
        self.elements.push(Element {
            collection: "vcard",
            key: Text::default(),
            value,
            line: at,
            companions: Vec::new(),
        });
        self.set_role(at, Role::Elements(vec![self.elements.len() - 1]));
    }

    fn bind_group(&mut self, members: &[usize]) {
        let element_at = |at: &usize| match self.roles.get(*at) {
            Some(Role::Elements(found)) => found.first().copied(),
            _ => None,
        };
        let is_unknown = |index: usize| {
            self.elements
                .get(index)
                .is_some_and(|element| element.collection == "vcard")
        };
        let related = members
            .iter()
            .copied()
            .find(|at| matches!(self.roles.get(*at), Some(Role::Related(..))));
        let found: Vec<usize> = members.iter().filter_map(element_at).collect();
        let main = found
            .iter()
            .copied()
            .find(|index| !is_unknown(*index))
            .or(found.first().copied());
        for at in members.iter().copied() {
            let Some(line) = self.lines.get(at) else { continue };
            if line.raw.trim_ascii().is_empty() {
                continue;
            }
            if line.name == "X-ABLABEL"
                && self.roles.get(at) == Some(&Role::Kept)
                && let Some(related) = related
            {
                let relation = words::relation_of_label(&words::label(&Reader::new(self.version, line).text()));
                if let Some(Role::Related(_, relations)) = self.roles.get_mut(related)
                    && relations.is_empty()
                {
                    relations.push(relation.into());
                    self.set_role(at, Role::RelationLabel(related));
                }
                continue;
            }
            let own = element_at_role(self.roles.get(at));
            let is_open =
                self.roles.get(at) == Some(&Role::Kept) && matches!(line.name.as_str(), "X-ABLABEL" | "X-ABADR");
            let is_loose = own.is_some_and(|own| self.elements.get(own).is_some_and(|one| one.collection == "vcard"));
            if let Some(main) = main.filter(|main| Some(*main) != own && (is_open || is_loose)) {
                self.bind(at, main);
            }
        }
    }

    fn bind(&mut self, at: usize, main: usize) {
        let Some(line) = self.lines.get(at) else { return };
        let text = Reader::new(self.version, line).text();
        let unknown = unknown(line);
        let Some(element) = self.elements.get_mut(main) else {
            return;
        };
        let labelled = element
            .companions
            .iter()
            .any(|(_, companion)| *companion == Companion::Label);
        let companion = match line.name.as_str() {
            "X-ABLABEL" if has_label(element.collection) && !labelled => {
                element.value.insert("label".to_owned(), words::label(&text).into());
                Companion::Label
            }
            "X-ABADR"
                if element.collection == "addresses"
                    && is_country_code(&text)
                    && !element.value.contains_key("countryCode") =>
            {
                element
                    .value
                    .insert("countryCode".to_owned(), text.trim().to_ascii_uppercase().into());
                Companion::CountryCode
            }
            name => {
                let bound = element.value.get_or_insert_with("vcard", || Value::Map(Map::new()));
                let Value::Map(bound) = bound else { return };
                let mut key = name.to_owned();
                let mut number = 1;
                while bound.contains_key(&key) {
                    number += 1;
                    key = format!("{name}:{number}");
                }
                bound.insert(key.clone(), Value::Map(unknown));
                Companion::Bound(key)
            }
        };
        element.companions.push((at, companion));
        let old = element_at_role(self.roles.get(at));
        self.set_role(at, Role::Companion(main));
        // The element that the line was by itself is no longer one.
        if let Some(element) = old.and_then(|old| self.elements.get_mut(old)) {
            element.line = usize::MAX;
        }
    }

    /// Gives each LABEL to the address it follows or whose TYPE it shares.
    fn bind_postal_labels(&mut self) {
        let labels: Vec<usize> = (0..self.lines.len()).filter(|at| self.is_postal(*at)).collect();
        let mut open = labels.clone();
        for at in &labels {
            let before = self.roles.get(..*at).unwrap_or_default().iter().rev();
            let previous = before
                .filter(|role| !matches!(role, Role::Companion(_)))
                .find_map(|role| element_at_role(Some(role)));
            let adjacent = previous.filter(|index| {
                self.elements.get(*index).is_some_and(|element| {
                    let between = self.roles.get(element.line + 1..*at).unwrap_or_default();
                    between.iter().all(|role| *role == Role::Companion(*index))
                })
            });
            if let Some(index) = adjacent.filter(|index| self.takes_label(*index, *at)) {
                self.give_label(*at, index);
                open.retain(|one| one != at);
            }
        }
        for at in open {
            match (0..self.elements.len()).find(|index| self.takes_label(*index, at)) {
                Some(index) => self.give_label(at, index),
                None => self.make_lone_label(at),
            }
        }
    }

    fn is_postal(&self, at: usize) -> bool {
        let line = self.lines.get(at).filter(|line| line.name == "LABEL");
        line.is_some_and(|line| !line.raw.trim_ascii().is_empty())
    }

    fn takes_label(&self, index: usize, at: usize) -> bool {
        let Some((element, label)) = self.elements.get(index).zip(self.lines.get(at)) else {
            return false;
        };
        let Some(address) = self.lines.get(element.line).filter(|line| line.name == "ADR") else {
            return false;
        };
        let contexts = |line: &Line| {
            let words: Vec<_> = line
                .values("TYPE")
                .flat_map(|words| words.split(','))
                .map(str::to_owned)
                .collect();
            let mut found: Vec<_> = words.iter().filter_map(|word| words::meaning("ADR", word)).collect();
            found.retain(|meaning| *meaning != words::Meaning::Preferred);
            found.sort();
            found.dedup();
            found
        };
        let same = |left: &Option<Text>, right: &Option<Text>| match (left, right) {
            (None, _) => true,
            (Some(left), Some(right)) => left.eq_ignore_ascii_case(right),
            (Some(_), None) => false,
        };
        let has_one = element
            .companions
            .iter()
            .any(|(_, companion)| matches!(companion, Companion::Postal { .. }));
        !has_one
            && !element.value.contains_key("full")
            && same(&label.group, &address.group)
            && contexts(address) == contexts(label)
    }

    fn give_label(&mut self, at: usize, index: usize) {
        let Some(line) = self.lines.get(at) else { return };
        let text = Reader::new(self.version, line).text();
        let Some(element) = self.elements.get_mut(index) else {
            return;
        };
        let shown = says_more(&text, &element.value);
        if shown {
            element.value.insert("full".to_owned(), text.into());
        }
        element.companions.push((at, Companion::Postal { shown }));
        self.set_role(at, Role::Companion(index));
    }

    fn make_lone_label(&mut self, at: usize) {
        let Some(line) = self.lines.get(at) else { return };
        let text = Reader::new(self.version, line).text();
        let mut value = text_map([("full", text)]);
        let types = element::read_types("addresses", line);
        value.extend(types);
        value.remove("label");
        self.elements.push(Element {
            collection: "addresses",
            key: Text::default(),
            value,
            line: at,
            companions: Vec::new(),
        });
        self.set_role(at, Role::Elements(vec![self.elements.len() - 1]));
    }

    /// An X-ABDATE that is labelled as anniversary is one.
    fn settle_dates(&mut self) {
        for element in &mut self.elements {
            let is_date = element.collection == "anniversaries" && !element.value.contains_key("kind");
            if is_date && element.value.get("label").and_then(Value::as_text) == Some("Anniversary") {
                element.value.remove("label");
                element.value.insert("kind".to_owned(), "wedding".into());
            }
        }
    }

    fn number_elements(&mut self) {
        let mut order: Vec<usize> = (0..self.elements.len()).collect();
        order.retain(|index| {
            self.elements
                .get(*index)
                .is_some_and(|element| element.line != usize::MAX)
        });
        order.sort_by_key(|index| (self.elements.get(*index).map(|element| element.line), *index));
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for index in order {
            if let Some(element) = self.elements.get_mut(index) {
                let count = counts.entry(element.collection).or_default();
                element.key = provisional(*count);
                *count += 1;
            }
        }
    }

    /// Puts the record together; `take` gives the value of an element.
    fn build_record(&mut self, take: impl Fn(&mut Map) -> Map) {
        let mut record = Map::new();
        for element in self.elements.iter_mut().filter(|element| element.line != usize::MAX) {
            let elements = record.get_or_insert_with(element.collection, || Value::Map(Map::new()));
            if let Value::Map(elements) = elements {
                elements.insert(element.key.clone(), Value::Map(take(&mut element.value)));
            }
        }
        let mut record = Value::Map(record);
        for role in &self.roles {
            match role {
                Role::Single(_, leaves) => {
                    for (path, value) in leaves {
                        record.set_at(path, value.clone());
                    }
                }
                Role::Keywords(words) => {
                    for word in words {
                        record.set_at(&FieldPath::new(["keywords", word]), Value::Bool(true));
                    }
                }
                Role::Member(uid) => record.set_at(&FieldPath::new(["members", uid]), Value::Bool(true)),
                Role::Related(key, relations) => {
                    for relation in relations {
                        record.set_at(
                            &FieldPath::new(["relatedTo", key, "relation", relation]),
                            Value::Bool(true),
                        );
                    }
                }
                Role::Pronouns(key, map) => {
                    record.set_at(&FieldPath::new(["speakToAs", "pronouns", key]), Value::Map(map.clone()));
                }
                _ => {}
            }
        }
        let full = FieldPath::new(["name", "full"]);
        if record
            .at(&full)
            .and_then(Value::as_text)
            .is_some_and(|text| is_derived_name(&record, text))
        {
            record.remove_at(&full);
        }
        self.native_id = record
            .as_map()
            .and_then(|map| map.get("uid")?.as_text().map(str::to_owned));
        self.record = record;
    }
}

fn element_at_role(role: Option<&Role>) -> Option<usize> {
    match role {
        Some(Role::Elements(found)) => found.first().copied(),
        _ => None,
    }
}

/// Returns whether a structured value has no content (`;;;;`).
fn is_bare_separators(line: &Line) -> bool {
    line.params.is_empty() && line.raw.iter().all(|byte| b"; \t".contains(byte))
}

fn is_country_code(text: &str) -> bool {
    text.trim().len() == 2 && text.trim().bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Returns whether a formatted address has words that its components lack.
pub(super) fn says_more(label: &str, address: &Map) -> bool {
    if label.is_empty() {
        return false;
    }
    let mut known = String::new();
    for (_, value) in Value::Map(address.clone()).leaves() {
        if let Value::Text(text) = value {
            known.push_str(&text.to_lowercase());
            known.push('\n');
        }
    }
    let known: std::collections::BTreeSet<&str> = words_of(&known).collect();
    words_of(&label.to_lowercase()).any(|word| !known.contains(word))
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Returns whether a full name is what a card without one would get.
///
/// Without name components, any organisation, nickname, address or number stands in, as it does in
/// [`crate::model::contact::title`].
pub(super) fn is_derived_name(record: &Value, full: &str) -> bool {
    let components = record
        .at(&FieldPath::new(["name", "components"]))
        .and_then(Value::as_map);
    let derived = components.map(derive_full_name).unwrap_or_default();
    if !derived.is_empty() {
        return derived == full;
    }
    let stands_in = [
        ("organizations", "name"),
        ("nicknames", "name"),
        ("emails", "address"),
        ("phones", "number"),
    ];
    stands_in.iter().any(|(collection, field)| {
        let elements = record.as_map().and_then(|map| map.get(*collection)?.as_map());
        elements
            .into_iter()
            .flat_map(Map::values)
            .any(|element| element.as_map().and_then(|map| map.get(*field)?.as_text()) == Some(full))
    })
}

/// Reads a property that the model does not know: its value with escapes as written, its parameters without
/// those that only say how the value is carried.
pub(super) fn unknown(line: &Line) -> Map {
    let mut map = Map::new();
    let text = if line.transport == Transport::Base64 {
        Text::from(line.text())
    } else {
        raw_text(&line.text()).into()
    };
    map.insert("value", Value::Text(text));
    let mut params: BTreeMap<Text, Vec<Text>> = BTreeMap::new();
    for param in &line.params {
        let carries = matches!(param.name.as_str(), "ENCODING" | "CHARSET" | "");
        if !carries {
            params
                .entry(param.name.clone())
                .or_default()
                .extend(param.values.iter().cloned());
        }
    }
    if line.transport == Transport::Base64 {
        params.insert("ENCODING".into(), vec!["b".into()]);
    }
    if !params.is_empty() {
        let params = params
            .into_iter()
            .map(|(name, values)| (name, Value::Text(values.join(",").into())));
        map.insert("params".to_owned(), Value::Map(params.collect()));
    }
    map
}
