//! Records as cards: new ones, and old ones with as few changed lines as the record asks for.

use std::collections::{BTreeMap, BTreeSet};

use super::element::has_label;
use super::element_out;
use super::parts;
use super::read::{Card, Element, Role, is_derived_name};
use super::render;
use super::text::{Content, Property, Style, Version};
use super::token::each_physical_line;
use super::words;
use crate::format::{Bindings, Parsed, Put};
use crate::model::{Domain, FieldPath, Hash, Map, Text, Value, cbor, contact};

/// A piece of the new card.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    /// Its bytes: one line or, for a new element, its line and those that belong to it.
    pub(super) bytes: Vec<u8>,
    /// The elements that its first line stands for: collection and id.
    pub(super) elements: Vec<(String, String)>,
    /// Whether it was written anew and may be left out if it is read as something else.
    pub(super) fresh: bool,
}

impl Chunk {
    /// Makes a piece that is no element.
    pub(super) fn plain(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            elements: Vec::new(),
            fresh: false,
        }
    }
}

/// Numbers groups so that none collides with one of the card.
pub(super) struct Groups {
    next: usize,
}

impl Groups {
    /// Starts after the groups that a card has.
    pub(super) fn after(card: &Card) -> Self {
        let numbers = card.lines.iter().filter_map(|line| {
            let group = line.group.as_ref()?.to_ascii_lowercase();
            group.strip_prefix("item")?.parse::<usize>().ok()
        });
        Self {
            next: numbers.filter(|number| *number < usize::MAX / 2).max().unwrap_or(0) + 1,
        }
    }

    /// Returns a new group.
    pub(super) fn next(&mut self) -> String {
        self.next += 1;
        format!("item{}", self.next - 1)
    }
}

/// Reads off how a card is laid out.
pub(super) fn style_of(bytes: &[u8], card: &Card) -> Style {
    let crlf = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    let lf = bytes.split(|byte| *byte == b'\n').count() - 1;
    let line_end = if crlf * 2 > lf {
        "\r\n"
    } else if lf > 0 || !bytes.contains(&b'\r') {
        "\n"
    } else {
        "\r"
    };
    let has_long = each_physical_line(bytes).any(|(start, end, _)| end - start > 90);
    let text_folds = card
        .lines
        .iter()
        .any(|line| line.folded && line.transport == super::token::Transport::Plain);
    let legacy = card.lines.iter().any(super::token::Line::is_guessed)
        && !card
            .lines
            .iter()
            .any(|line| !line.raw.is_ascii() && !line.is_guessed() && line.charset.is_none());
    Style {
        version: card.version,
        line_end,
        folds: card.version != Version::V21 && (text_folds || !has_long),
        legacy,
    }
}

/// Returns the elements of a collection that a card could show, in the order in which people should see them.
pub(super) fn elements_of<'a>(record: &'a Value, collection: &str) -> Vec<(&'a Text, &'a Map)> {
    let elements = record.as_map().and_then(|map| map.get(collection)?.as_map());
    elements.map(contact::ordered).unwrap_or_default()
}

/// The collections in the order in which a new card lists them.
pub(super) const COLLECTIONS: [&str; 16] = [
    "nicknames",
    "organizations",
    "titles",
    "emails",
    "phones",
    "addresses",
    "onlineServices",
    "links",
    "anniversaries",
    "notes",
    "preferredLanguages",
    "personalInfo",
    "directories",
    "calendars",
    "schedulingAddresses",
    "cryptoKeys",
];

/// Writes an element as new lines: its own, then those that belong to it.
pub(super) fn element_lines(collection: &str, map: &Map, style: Style, groups: &mut Groups) -> Option<Vec<u8>> {
    let version = style.version;
    let bound = map.get("vcard").and_then(Value::as_map);
    let lone_label = collection == "addresses" && version != Version::V40 && is_lone_label(map);
    let written = if collection == "vcard" || lone_label {
        None
    } else {
        Some(element_out::write(version, collection, map)?)
    };
    let label = label_text(collection, map, written.as_ref().map(|written| written.name.as_str()));
    let code = country_code(collection, map, version);
    let is_grouped = label.is_some() || code.is_some() || lone_label || bound.is_some_and(|bound| !bound.is_empty());
    let group = is_grouped.then(|| groups.next());
    let group = group.as_deref();
    let main = match &written {
        Some(written) => {
            // An empty value shows nothing.
            let is_empty = written
                .content
                .escaped(version)
                .chars()
                .all(|character| character == ';')
                && !written.params.iter().any(|(name, _)| *name == "LABEL");
            if is_empty {
                return None;
            }
            render::fresh(written, group, version)
        }
        None if lone_label => postal_label(map, group, version)?,
        None => render::unknown(map.get("name")?.as_text()?, map, group, version)?,
    };
    let mut bytes = main.lines(style);
    if !lone_label
        && collection == "addresses"
        && version != Version::V40
        && let Some(label) = postal_label(map, None, version)
    {
        bytes.extend(label.lines(style));
    }
    for line in companion_lines(label.as_deref(), code.as_deref(), bound, group, version) {
        bytes.extend(line.lines(style));
    }
    Some(bytes)
}

fn companion_lines(
    label: Option<&str>,
    code: Option<&str>,
    bound: Option<&Map>,
    group: Option<&str>,
    version: Version,
) -> Vec<Property> {
    let mut lines = Vec::new();
    if let Some(label) = label {
        lines.push(label_line(label, group, version));
    }
    if let Some(code) = code {
        lines.push(render::simple(
            "X-ABADR",
            group,
            &Content::Text(code.to_ascii_lowercase()),
            version,
        ));
    }
    for (key, map) in bound.into_iter().flatten() {
        lines.extend(bound_line(key, map, group, version));
    }
    lines
}

/// Returns the line of a label.
pub(super) fn label_line(label: &str, group: Option<&str>, version: Version) -> Property {
    render::simple("X-ABLabel", group, &Content::Text(words::written_label(label)), version)
}

/// Returns the line of a property that is bound to an element.
pub(super) fn bound_line(key: &str, map: &Value, group: Option<&str>, version: Version) -> Option<Property> {
    let name = key.split(':').next().unwrap_or(key);
    render::unknown(name, map.as_map()?, group, version)
}

/// Returns whether an address is nothing but its formatted text.
fn is_lone_label(map: &Map) -> bool {
    let components = map.get("components").and_then(Value::as_map);
    map.contains_key("full") && components.is_none_or(Map::is_empty)
}

/// Returns what the X-ABLabel of an element says.
pub(super) fn label_text(collection: &str, map: &Map, property: Option<&str>) -> Option<String> {
    let kind = map.get("kind").and_then(Value::as_text);
    if property == Some("X-ABDATE") && kind == Some("wedding") {
        return Some("Anniversary".to_owned());
    }
    let label = map
        .get("label")
        .and_then(Value::as_text)
        .filter(|_| has_label(collection))?;
    (!label.trim().is_empty()).then(|| label.to_owned())
}

/// Returns the country code that X-ABADR must say; 4.0 has a parameter for it.
pub(super) fn country_code(collection: &str, map: &Map, version: Version) -> Option<String> {
    let code = map.get("countryCode").and_then(Value::as_text)?;
    (collection == "addresses" && version != Version::V40 && code.len() == 2).then(|| code.to_owned())
}

/// Returns the LABEL of an address.
pub(super) fn postal_label(map: &Map, group: Option<&str>, version: Version) -> Option<Property> {
    let full = map
        .get("full")
        .and_then(Value::as_text)
        .filter(|full| !full.trim().is_empty())?;
    let written = element_out::Written {
        name: "LABEL".to_owned(),
        meanings: element_out::meanings("addresses", map, version),
        extra_types: Vec::new(),
        params: Vec::new(),
        content: Content::Text(full.to_owned()),
    };
    Some(render::fresh(&written, group, version))
}

/// Writes a record as a new card.
pub(super) fn put_new(record: &Value, style: Style) -> (Put, Parsed) {
    let mut record = record.clone();
    record.prune();
    let version = style.version;
    let mut chunks = Vec::new();
    let mut simple = |name: &str, content: &Content| {
        chunks.push(Chunk::plain(render::simple(name, None, content, version).lines(style)));
    };
    let raw = |text: &str| Content::Raw(text.to_owned());
    simple("BEGIN", &raw("VCARD"));
    simple("VERSION", &raw(version.name()));
    simple("UID", &Content::Text(uid_of(&record)));
    let mut groups = Groups { next: 1 };
    chunks.extend(parts::new_singles(&record, style));
    for collection in COLLECTIONS {
        add_elements(&record, collection, style, &mut groups, &mut chunks);
    }
    chunks.extend(parts::new_sets(&record, style, &mut groups));
    for collection in ["media", "vcard"] {
        add_elements(&record, collection, style, &mut groups, &mut chunks);
    }
    chunks.push(Chunk::plain(
        render::simple("END", None, &raw("VCARD"), version).lines(style),
    ));
    finish(&record, chunks)
}

fn add_elements(record: &Value, collection: &str, style: Style, groups: &mut Groups, chunks: &mut Vec<Chunk>) {
    for (id, map) in elements_of(record, collection) {
        chunks.extend(element_chunk(collection, id, map, style, groups));
    }
}

/// Makes the piece for a new element.
pub(super) fn element_chunk(collection: &str, id: &str, map: &Map, style: Style, groups: &mut Groups) -> Option<Chunk> {
    // A card has one N (RFC 6350 §6.2.2); a second one stays where it was read.
    if collection == "vcard" && map.get("name").and_then(Value::as_text) == Some("N") {
        return None;
    }
    let bytes = element_lines(collection, map, style, groups)?;
    Some(Chunk {
        bytes,
        elements: vec![(collection.to_owned(), id.to_owned())],
        fresh: true,
    })
}

/// Returns the UID of a new card; without one, made from the record, so that every run gives the same.
pub(in crate::format) fn uid_of(record: &Value) -> String {
    if let Some(uid) = record
        .as_map()
        .and_then(|map| map.get("uid")?.as_text())
        .filter(|uid| !uid.trim().is_empty())
    {
        return uid.to_owned();
    }
    let hash = Hash::of(Domain::Value, &cbor::encode(record));
    let mut bytes: [u8; 16] = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(hash.bytes()) {
        *slot = *byte;
    }
    // RFC 9562 §5.8: version 8, whose bits are its maker's own.
    bytes[6] = bytes[6] & 0x0F | 0x80;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

/// Returns the full name that a card must have.
pub(super) fn full_name(record: &Value) -> String {
    contact::title(record)
}

/// Returns whether `text` still serves as the full name of a record that has none of its own.
pub(super) fn serves_as_name(record: &Value, text: &str) -> bool {
    is_derived_name(record, text)
}

/// Joins the pieces, reads them back and tells what the card shows; returns what was read too.
pub(super) fn finish(record: &Value, mut chunks: Vec<Chunk>) -> (Put, Parsed) {
    loop {
        let pieces: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.bytes.as_slice()).collect();
        let bytes = pieces.concat();
        let card = Card::read(&bytes);
        let mut by_start: BTreeMap<usize, Vec<&Element>> = BTreeMap::new();
        for role in &card.roles {
            let Role::Elements(found) = role else { continue };
            for element in found.iter().filter_map(|index| card.elements.get(*index)) {
                let start = card.lines.get(element.line).map_or(0, |line| line.start);
                by_start.entry(start).or_default().push(element);
            }
        }
        let mut bindings = Bindings::new();
        let mut misread = BTreeSet::new();
        let mut start = 0;
        for (at, chunk) in chunks.iter().enumerate() {
            let read = by_start.get(&start).map(Vec::as_slice).unwrap_or_default();
            let same = read.len() == chunk.elements.len()
                && read
                    .iter()
                    .zip(&chunk.elements)
                    .all(|(element, (collection, _))| element.collection == collection);
            if chunk.fresh && !same {
                misread.insert(at);
            }
            for (element, (_, id)) in read.iter().zip(&chunk.elements) {
                bindings.insert(
                    FieldPath::new([element.collection, &element.key]).to_string(),
                    id.clone(),
                );
            }
            start += chunk.bytes.len();
        }
        if misread.is_empty() {
            let not_shown = not_shown(record, &contact::rename_elements(card.record.clone(), &bindings));
            let parsed = card.into_parsed();
            let put = Put {
                bytes,
                bindings,
                not_shown,
            };
            return (put, parsed);
        }
        // What is read as something else must not be written: it would come back as another element.
        let mut at = 0;
        chunks.retain(|_| {
            at += 1;
            !misread.contains(&(at - 1))
        });
    }
}

/// Lists the leaves of a record that a view of it lacks. `order` and `distinct` are no data of a card.
pub(in crate::format) fn not_shown(record: &Value, view: &Value) -> Vec<FieldPath> {
    let is_ours = |path: &FieldPath| {
        let parts = path.parts();
        parts.first().is_some_and(|first| first == "distinct")
            || parts.len() > 2 && parts.last().is_some_and(|last| last == "order")
    };
    let mut lacking = record.leaves_lacking_in(view);
    lacking.retain(|path| !is_ours(path));
    lacking
}
