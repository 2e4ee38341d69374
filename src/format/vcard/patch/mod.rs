//! A changed record on an old card: only lines whose meaning changed are written again.

mod sets;

use std::collections::{BTreeMap, BTreeSet};

use super::element;
use super::element_out::{self, Written};
use super::parts::name_parts;
use super::read::{Card, Companion, Element, Role, says_more};
use super::render::{self, Change};
use super::single::Single;
use super::text::{Content, Property, Style, Version};
use super::token::Line;
use super::words;
use super::write::{self, Chunk, Groups, element_chunk, finish};
use crate::format::{Bindings, Parsed, Put};
use crate::model::{FieldPath, Map, Text, Value};

/// What becomes of a line.
#[derive(Debug, Clone)]
enum Fate {
    Keep,
    Drop,
    Become(Vec<u8>),
}

/// A card while it is patched.
struct Patch<'a> {
    card: &'a Card<'a>,
    bytes: &'a [u8],
    record: &'a Value,
    ids: BTreeMap<usize, String>,
    style: Style,
    groups: Groups,
    fates: Vec<Fate>,
    after: BTreeMap<usize, Vec<Chunk>>,
    tags: BTreeMap<usize, Vec<(String, String)>>,
}

/// Writes a record over an old card.
pub(super) fn put_old(record: &Value, bytes: &[u8], bindings: &Bindings) -> (Put, Parsed) {
    let card = Card::read(bytes);
    let mut record = record.clone();
    record.prune();
    let mut ids = BTreeMap::new();
    for (index, element) in card
        .elements
        .iter()
        .enumerate()
        .filter(|(_, element)| element.line != usize::MAX)
    {
        let pointer = FieldPath::new([element.collection, &element.key]).to_string();
        ids.insert(
            index,
            bindings
                .get(&pointer)
                .cloned()
                .unwrap_or_else(|| element.key.to_string()),
        );
    }
    let mut patch = Patch {
        bytes,
        record: &record,
        ids,
        style: write::style_of(bytes, &card),
        groups: Groups::after(&card),
        fates: vec![Fate::Keep; card.lines.len()],
        after: BTreeMap::new(),
        tags: BTreeMap::new(),
        card: &card,
    };
    patch.elements();
    patch.singles();
    patch.keywords();
    patch.members();
    patch.relations();
    patch.pronouns();
    patch.new_elements();
    let chunks = patch.chunks();
    finish(&record, chunks)
}

impl Patch<'_> {
    fn desired(&self, index: usize) -> Option<&Map> {
        let element = self.card.elements.get(index)?;
        let id = self.ids.get(&index)?;
        self.record
            .as_map()?
            .get(element.collection)?
            .as_map()?
            .get(id)?
            .as_map()
    }

    fn set(&mut self, at: usize, fate: Fate) {
        if let Some(slot) = self.fates.get_mut(at) {
            *slot = fate;
        }
    }

    fn tag(&self, index: usize) -> Option<(String, String)> {
        let element = self.card.elements.get(index)?;
        Some((element.collection.to_owned(), self.ids.get(&index)?.clone()))
    }

    fn elements(&mut self) {
        let card = self.card;
        for (at, role) in card.roles.iter().enumerate() {
            let Role::Elements(found) = role else { continue };
            let tags = found
                .iter()
                .filter(|index| self.desired(**index).is_some())
                .filter_map(|index| self.tag(*index));
            let tags: Vec<_> = tags.collect();
            if let [index] = found.as_slice() {
                self.element(at, *index);
            } else {
                self.shared_line(at, found);
            }
            self.tags.insert(at, tags);
        }
    }

    /// Patches a line that lists several elements (NICKNAME).
    fn shared_line(&mut self, at: usize, found: &[usize]) {
        let same = found.iter().all(|index| {
            let element = self.card.elements.get(*index);
            element
                .zip(self.desired(*index))
                .is_some_and(|(element, new)| without_order(new) == element.value)
        });
        let Some(line) = self.card.lines.get(at).filter(|_| !same) else {
            return;
        };
        let texts = |map: &Map| map.get("name").and_then(Value::as_text).unwrap_or_default().to_owned();
        let names: Vec<String> = found
            .iter()
            .filter_map(|index| self.desired(*index))
            .map(texts)
            .collect();
        if names.is_empty() {
            return self.set(at, Fate::Drop);
        }
        let lines = with_content(line, &Content::List(names), self.style).lines(self.style);
        self.set(at, Fate::Become(lines));
    }

    fn element(&mut self, at: usize, index: usize) {
        let Some((element, line)) = self.card.elements.get(index).zip(self.card.lines.get(at)) else {
            return;
        };
        let Some(new) = self.desired(index) else {
            self.drop_element(at, element);
            return;
        };
        let new = showable(element, new, self.style);
        if new == element.value {
            return;
        }
        if element.collection == "vcard" {
            return self.unknown(at, element, &new, line);
        }
        if line.name == "LABEL" {
            return self.lone_label(at, index, element, &new);
        }
        let version = self.style.version;
        let write = |map: &Map| match element.collection {
            "anniversaries" => element_out::write_anniversary(version, map, Some(line)),
            collection => element_out::write(version, collection, map),
        };
        let Some((old_written, new_written)) = write(&element.value).zip(write(&new)) else {
            self.drop_element(at, element);
            return;
        };
        let type_label = element::label_word(line).filter(|_| !has(element, &Companion::Label));
        let drops_label = type_label.is_some() && element.value.get("label") != new.get("label");
        if old_written != new_written || drops_label {
            let change = Change {
                line,
                old: (&element.value, &old_written),
                new: (&new, &new_written),
                drops_label,
            };
            let mut property = change.property(self.style);
            if old_written.name == new_written.name {
                property.name = line.spelling.to_string();
            }
            self.set(at, Fate::Become(property.lines(self.style)));
        }
        let keeps_type_label = type_label.is_some() && !drops_label;
        self.companions(at, element, &new, &new_written, keeps_type_label);
    }

    fn drop_element(&mut self, at: usize, element: &Element) {
        self.set(at, Fate::Drop);
        for (line, _) in &element.companions {
            self.set(*line, Fate::Drop);
        }
    }

    fn unknown(&mut self, at: usize, element: &Element, new: &Map, line: &Line) {
        let group = line.group.as_deref();
        let name = new.get("name").and_then(Value::as_text).unwrap_or_default();
        let own = |map: &Map| {
            let mut map = map.clone();
            map.remove("vcard");
            map
        };
        if own(new) != own(&element.value) {
            let Some(mut property) = render::unknown(name, new, group, self.style.version) else {
                return;
            };
            if name == line.name {
                property.name = line.spelling.to_string();
            }
            self.set(at, Fate::Become(property.lines(self.style)));
        }
        let none = Written {
            name: name.to_owned(),
            meanings: Vec::new(),
            extra_types: Vec::new(),
            params: Vec::new(),
            content: Content::Raw(String::new()),
        };
        self.companions(at, element, new, &none, false);
    }

    /// Writes an address that was a LABEL alone: as such again, else as a new element in its place.
    fn lone_label(&mut self, at: usize, index: usize, element: &Element, new: &Map) {
        self.drop_element(at, element);
        let tag = self.tag(index);
        let Some((collection, id)) = tag else { return };
        if let Some(chunk) = element_chunk(&collection, &id, new, self.style, &mut self.groups) {
            self.after.entry(at).or_default().insert(0, chunk);
        }
    }

    /// Brings the lines that belong to an element in line with it.
    fn companions(&mut self, at: usize, element: &Element, new: &Map, written: &Written, keeps_type_label: bool) {
        let version = self.style.version;
        let Some(line) = self.card.lines.get(at) else { return };
        let same_name =
            element_out::write(version, element.collection, &element.value).is_some_and(|old| old.name == written.name);
        let name = if same_name {
            line.name.as_str()
        } else {
            written.name.as_str()
        };
        let label = write::label_text(element.collection, new, Some(name)).filter(|_| !keeps_type_label);
        let has_code_param = line.value("CC").is_some();
        let code = write::country_code(element.collection, new, version).filter(|_| !has_code_param);
        let empty = Map::new();
        let bound = new.get("vcard").and_then(Value::as_map).unwrap_or(&empty);
        let mut wanted: Vec<(Companion, Content)> = Vec::new();
        wanted.extend(label.map(|label| (Companion::Label, Content::Text(words::written_label(&label)))));
        wanted.extend(code.map(|code| (Companion::CountryCode, Content::Text(code.to_ascii_lowercase()))));
        let mut missing: Vec<Companion> = wanted.iter().map(|(companion, _)| companion.clone()).collect();
        missing.extend(bound.keys().map(|key| Companion::Bound(key.to_string())));
        for (companion_at, companion) in &element.companions {
            missing.retain(|one| one != companion);
            let Some(old) = self.card.lines.get(*companion_at) else {
                continue;
            };
            let fate = match companion {
                Companion::Postal { shown } => self.postal_fate(element, new, old, *shown),
                Companion::Bound(key) => {
                    let before = element.value.get("vcard").and_then(|map| map.as_map()?.get(key));
                    match bound.get(key) {
                        Some(after) if Some(after) == before => Fate::Keep,
                        Some(after) => {
                            let property = write::bound_line(key, after, old.group.as_deref(), version);
                            property.map_or(Fate::Keep, |property| Fate::Become(property.lines(self.style)))
                        }
                        None => Fate::Drop,
                    }
                }
                _ => match wanted.iter().find(|(one, _)| one == companion) {
                    None => Fate::Drop,
                    Some((_, content)) => self.text_fate(old, content),
                },
            };
            self.set(*companion_at, fate);
        }
        let has_postal = element
            .companions
            .iter()
            .any(|(_, companion)| matches!(companion, Companion::Postal { .. }));
        let mut lines = Vec::new();
        if element.collection == "addresses" && version != Version::V40 && !has_postal && line.value("LABEL").is_none()
        {
            lines.extend(write::postal_label(new, None, version));
        }
        if !missing.is_empty() {
            let group = self.group_of(at, line);
            for companion in missing {
                let property = match &companion {
                    Companion::Bound(key) => bound
                        .get(key)
                        .and_then(|map| write::bound_line(key, map, Some(&group), version)),
                    other => {
                        let name = if *other == Companion::Label {
                            "X-ABLabel"
                        } else {
                            "X-ABADR"
                        };
                        let content = wanted.iter().find(|(one, _)| one == other).map(|(_, content)| content);
                        content.map(|content| render::simple(name, Some(&group), content, version))
                    }
                };
                lines.extend(property);
            }
        }
        let chunks = lines
            .into_iter()
            .map(|property| Chunk::plain(property.lines(self.style)));
        self.after.entry(at).or_default().extend(chunks);
    }

    fn text_fate(&self, old: &Line, content: &Content) -> Fate {
        let text = element::Reader::new(self.style.version, old).text();
        match content {
            Content::Text(new) if words::label(new) == words::label(&text) => Fate::Keep,
            Content::Text(new) if old.name == "X-ABADR" && text.trim().eq_ignore_ascii_case(new) => Fate::Keep,
            _ => Fate::Become(with_content(old, content, self.style).lines(self.style)),
        }
    }

    /// Decides over the LABEL of an address. One that only repeated the components is derived again.
    fn postal_fate(&self, element: &Element, new: &Map, old: &Line, shown: bool) -> Fate {
        let version = self.style.version;
        let full = new.get("full").and_then(Value::as_text);
        let old_text = element::Reader::new(version, old).text();
        let text = match (shown, full) {
            (_, Some(full)) => full.to_owned(),
            (true, None) => return Fate::Drop,
            (false, None) => derive_label(&old_text, element, new),
        };
        // A derived text that does not follow the address would be read as one of its own.
        if text.is_empty() || (full.is_none() && says_more(&text, new)) {
            return Fate::Drop;
        }
        let contexts = element_out::meanings("addresses", new, version);
        let same_contexts = contexts == element_out::meanings("addresses", &element.value, version);
        if text == old_text && same_contexts {
            return Fate::Keep;
        }
        let written = |content: String, meanings| Written {
            name: "LABEL".to_owned(),
            meanings,
            extra_types: Vec::new(),
            params: Vec::new(),
            content: Content::Text(content),
        };
        let before = written(
            old_text.into(),
            element_out::meanings("addresses", &element.value, version),
        );
        let after = written(text, contexts);
        let change = Change {
            line: old,
            old: (&element.value, &before),
            new: (new, &after),
            drops_label: false,
        };
        Fate::Become(change.property(self.style).lines(self.style))
    }

    /// Returns the group of a line, giving it one if it has none.
    fn group_of(&mut self, at: usize, line: &Line) -> String {
        if let Some(group) = &line.group {
            return group.to_string();
        }
        let group = self.groups.next();
        let mut bytes = format!("{group}.").into_bytes();
        match self.fates.get(at) {
            Some(Fate::Become(lines)) => bytes.extend_from_slice(lines),
            _ => bytes.extend_from_slice(self.bytes.get(line.start..line.end).unwrap_or_default()),
        }
        self.set(at, Fate::Become(bytes));
        group
    }

    fn new_elements(&mut self) {
        let card = self.card;
        let known: BTreeSet<(String, String)> = (0..card.elements.len()).filter_map(|index| self.tag(index)).collect();
        for collection in write::COLLECTIONS.iter().chain(&["media", "vcard"]) {
            for (id, map) in write::elements_of(self.record, collection) {
                if known.contains(&((*collection).to_owned(), id.to_string())) {
                    continue;
                }
                let Some(chunk) = element_chunk(collection, id, map, self.style, &mut self.groups) else {
                    continue;
                };
                let of_kind = card
                    .elements
                    .iter()
                    .filter(|one| one.collection == *collection && one.line != usize::MAX);
                let lines = of_kind.flat_map(|one| one.companions.iter().map(|(at, _)| *at).chain([one.line]));
                let at = lines.max().unwrap_or_else(|| self.end().saturating_sub(1));
                self.after.entry(at).or_default().push(chunk);
            }
        }
    }

    fn chunks(self) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for (at, line) in self.card.lines.iter().enumerate() {
            let elements = self.tags.get(&at).cloned().unwrap_or_default();
            let bytes = match self.fates.get(at) {
                Some(Fate::Drop) => None,
                Some(Fate::Become(bytes)) => Some(bytes.clone()),
                _ => self.bytes.get(line.start..line.end).map(<[u8]>::to_vec),
            };
            chunks.extend(bytes.map(|bytes| Chunk {
                bytes,
                elements,
                fresh: false,
            }));
            chunks.extend(self.after.get(&at).into_iter().flatten().cloned());
        }
        chunks
    }
}

fn has(element: &Element, companion: &Companion) -> bool {
    element.companions.iter().any(|(_, one)| one == companion)
}

fn without_order(map: &Map) -> Map {
    let mut map = map.clone();
    map.remove("order");
    map
}

/// Reduces an element of the record to what its line can show: what a new line would show of it, and what the
/// old line shows already.
fn showable(element: &Element, new: &Map, style: Style) -> Map {
    let mut new = without_order(new);
    if new == element.value {
        return new;
    }
    let shown = show(element.collection, &new, style);
    let (shown, old) = (Value::Map(shown), Value::Map(element.value.clone()));
    let mut reduced = Value::Map(Map::new());
    for (path, value) in Value::Map(std::mem::take(&mut new)).leaves() {
        if shown.at(&path).is_some() || old.at(&path).is_some() {
            reduced.set_at(&path, value.clone());
        }
    }
    for (path, value) in old.leaves() {
        // What every line of this kind says by itself is no difference.
        if reduced.at(&path).is_none() && shown.at(&path) == Some(value) {
            reduced.set_at(&path, value.clone());
        }
    }
    match reduced {
        Value::Map(map) => map,
        _ => Map::new(),
    }
}

/// Returns what a new line would show of an element.
fn show(collection: &str, map: &Map, style: Style) -> Map {
    let mut groups = Groups::after(&Card::read(b""));
    let lines = write::element_lines(collection, map, style, &mut groups).unwrap_or_default();
    let (elements, _) = read_lines(&lines, style);
    let found = elements
        .into_iter()
        .find(|one| one.collection == collection && one.line != usize::MAX);
    found.map(|element| element.value).unwrap_or_default()
}

/// Reads lines as those of a card.
fn read_lines(lines: &[u8], style: Style) -> (Vec<Element>, Vec<Role>) {
    let mut bytes = format!("VERSION:{}{}", style.version.name(), style.line_end).into_bytes();
    bytes.extend_from_slice(lines);
    let card = Card::read(&bytes);
    (card.elements, card.roles)
}

/// Returns what an N of at least `least` fields would show of a record.
fn show_name(record: &Value, style: Style, least: usize) -> Vec<(FieldPath, Value)> {
    let (content, sort) = name_parts(record, style.version, least);
    let mut property = render::simple("N", None, &content, style.version);
    property.params.extend(sort);
    let (_, roles) = read_lines(&property.lines(style), style);
    let found = roles.into_iter().find_map(|role| match role {
        Role::Single(Single::Name, leaves) => Some(leaves),
        _ => None,
    });
    found.unwrap_or_default()
}

/// Puts the new components into a formatted address that repeated the old ones.
fn derive_label(text: &str, element: &Element, new: &Map) -> String {
    let component = |map: &Map, word: &str| {
        let components = map.get("components").and_then(Value::as_map)?;
        components
            .get(word)?
            .as_map()?
            .get("value")?
            .as_text()
            .map(str::to_owned)
    };
    let mut text = text.to_owned();
    for word in element::ADDRESS_FIELDS {
        if let Some((old, new)) = component(&element.value, word).zip(component(new, word)) {
            text = text.replacen(&old, &new, 1);
        }
    }
    text
}

/// Returns a line as a property, for changing.
fn as_property(line: &Line, version: Version) -> Property {
    Property {
        group: line.group.as_ref().map(Text::to_string),
        name: line.spelling.to_string(),
        params: line.params.iter().map(|param| param.written.to_string()).collect(),
        value: line.text().into_owned(),
        base64: false,
        charset: line.charset.filter(|_| version == Version::V21),
    }
}

/// Returns a line with another value.
fn with_content(line: &Line, content: &Content, style: Style) -> Property {
    let version = style.version;
    let utf8 = line.charset == Some(encoding_rs::UTF_8) && version != Version::V21;
    let carries = |name: &str| name == "ENCODING" || (name == "CHARSET" && !utf8);
    let params = line.params.iter().filter(|param| !carries(&param.name));
    Property {
        params: params.map(|param| param.written.to_string()).collect(),
        value: content.escaped(version),
        ..as_property(line, version)
    }
}
