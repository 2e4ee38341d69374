//! `JSContact` (RFC 9553): one card, an array of cards, or a card per line.
//!
//! *Owns* `scan` (JSON with places), `convert` (the universal form as `JSContact` and back), `merge` (a change in
//! the old text) and the file. *Leaves* element ids to alignment: an id of the file becomes the provisional key `~id`.
//! *Invariants*: a member whose meaning a record does not change keeps its text, as do members that the
//! universal form does not know (`localizations`, `prodId`, vendor members); `order` and `distinct` are never
//! written. *Fails* with [`FormatError`] for text that starts as no JSON; an array that is cut
//! keeps the cards before the cut. *Start reading* at [`JsContact`] and [`to_jscontact`].

mod convert;
mod merge;
mod scan;

pub use convert::{from_jscontact, to_jscontact};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{
    Bindings, Broken, Confidence, Document, Edit, Format, FormatError, FormatInfo, ItemError, NewItems, Old, Parsed,
    Put, RawItem, Span, appended,
};
use crate::model::contact::{has_elements, rename_elements};
use crate::model::{Domain, FieldPath, Hash, Kind, Map, Text, Value, is_provisional, provisional};
use convert::{Tree, group_name, prop_places, read_card, to_tree};
use merge::Merge;
use scan::{Node, Shape, skip_space};

/// The format `jscontact`.
#[derive(Debug)]
pub struct JsContact {
    info: FormatInfo,
}

impl Default for JsContact {
    fn default() -> Self {
        Self {
            info: FormatInfo {
                name: "jscontact".to_owned(),
                kind: Kind::Contact,
                title: "JSContact cards (RFC 9553)".to_owned(),
                folder_extension: Some("json"),
                has_ids: true,
            },
        }
    }
}

/// Returns the formats of this module.
pub fn formats() -> Vec<Box<dyn Format>> {
    vec![Box::new(JsContact::default())]
}

/// How cards stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One object, or nothing yet.
    Single,
    /// An array; where its items begin and end.
    Array { open: usize, close: usize },
    /// One object after the other.
    Lines,
}

#[derive(Debug)]
struct JsContactDocument {
    bytes: Vec<u8>,
    layout: Layout,
    items: Vec<Span>,
    broken: Vec<Broken>,
    is_complete: bool,
    style: &'static str,
}

impl Format for JsContact {
    fn info(&self) -> &FormatInfo {
        &self.info
    }

    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence {
        let text: Vec<u8> = head
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let text = String::from_utf8_lossy(&text);
        let text = text.trim_start_matches('\u{FEFF}');
        let named = std::path::Path::new(file_name)
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        if !text.starts_with(['{', '[']) {
            return if text.is_empty() && named {
                Confidence::Possible
            } else {
                Confidence::No
            };
        }
        let members = [
            "\"emails\":{",
            "\"phones\":{",
            "\"components\":[",
            "\"nicknames\":{",
            "\"onlineServices\":{",
        ];
        if text.contains("\"@type\":\"Card\"") {
            Confidence::Certain
        } else if members.iter().any(|member| text.contains(member)) {
            Confidence::Likely
        } else if named && (text == "[]" || text == "{}") {
            Confidence::Possible
        } else {
            Confidence::No
        }
    }

    fn open(&self, bytes: Vec<u8>) -> Result<Box<dyn Document>, FormatError> {
        Ok(Box::new(JsContactDocument::open(bytes)?))
    }

    fn create(&self, style: Option<&str>) -> Box<dyn Document> {
        Box::new(match style {
            Some("array") => JsContactDocument {
                bytes: b"[]\n".to_vec(),
                layout: Layout::Array { open: 1, close: 1 },
                style: "array",
                ..JsContactDocument::empty()
            },
            Some("lines") => JsContactDocument {
                layout: Layout::Lines,
                style: "lines",
                ..JsContactDocument::empty()
            },
            _ => JsContactDocument::empty(),
        })
    }
}

/// Returns whether an object is a card: what says that it is something else is none.
fn is_card(bytes: &[u8], node: &Node) -> bool {
    let json: Json = serde_json::from_slice(bytes.get(node.start..node.end).unwrap_or_default()).unwrap_or(Json::Null);
    json.is_object()
        && json
            .get("@type")
            .and_then(Json::as_str)
            .is_none_or(|kind| kind == "Card")
}

impl JsContactDocument {
    fn empty() -> Self {
        Self {
            bytes: Vec::new(),
            layout: Layout::Single,
            items: Vec::new(),
            broken: Vec::new(),
            is_complete: true,
            style: "card",
        }
    }

    fn open(bytes: Vec<u8>) -> Result<Self, FormatError> {
        let mark = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let mut document = Self { bytes, ..Self::empty() };
        let start = skip_space(&document.bytes, mark);
        match document.bytes.get(start) {
            None => {}
            Some(b'[') => document.array(start)?,
            Some(b'{') => document.objects(start)?,
            Some(_) => return Err(document.malformed(start, "neither an object nor an array")),
        }
        Ok(document)
    }

    fn line_at(&self, at: usize) -> u64 {
        let before = self.bytes.get(..at).unwrap_or_default();
        1 + before.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>()
    }

    fn malformed(&self, at: usize, reason: &str) -> FormatError {
        FormatError::Malformed {
            line: self.line_at(at),
            reason: reason.to_owned(),
        }
    }

    fn take(&mut self, node: &Node) {
        let (start, end, line) = (node.start, node.end, self.line_at(node.start));
        if matches!(node.shape, Shape::Object(_)) && is_card(&self.bytes, node) {
            self.items.push(Span { start, end, line });
        } else {
            self.break_off(start, end, "not a JSContact card");
        }
    }

    fn break_off(&mut self, start: usize, end: usize, reason: &str) {
        let bytes = self.bytes.get(start..end).unwrap_or_default().to_vec();
        self.broken.push(Broken {
            line: self.line_at(start),
            reason: reason.to_owned(),
            bytes,
        });
    }

    fn array(&mut self, start: usize) -> Result<(), FormatError> {
        self.style = "array";
        let mut at = skip_space(&self.bytes, start + 1);
        let open = start + 1;
        while self.bytes.get(at) != Some(&b']') {
            match scan::value(&self.bytes, at) {
                Ok(node) => {
                    self.take(&node);
                    at = skip_space(&self.bytes, node.end);
                }
                Err(_) => break,
            }
            match self.bytes.get(at) {
                Some(b',') => at = skip_space(&self.bytes, at + 1),
                Some(b']') => {}
                _ => break,
            }
        }
        let is_closed = self.bytes.get(at) == Some(&b']');
        let trailing = skip_space(&self.bytes, at + 1);
        if is_closed && trailing < self.bytes.len() {
            return Err(self.malformed(trailing, "text after the array"));
        }
        self.layout = Layout::Array {
            open,
            close: at.min(self.bytes.len()),
        };
        if !is_closed {
            self.is_complete = false;
            if at < self.bytes.len() {
                let end = self.bytes.len();
                self.break_off(at, end, "the array ends inside a card");
            }
        }
        Ok(())
    }

    /// Reads one object or several; a line that is none is broken.
    fn objects(&mut self, start: usize) -> Result<(), FormatError> {
        let mut at = start;
        let mut count = 0;
        while at < self.bytes.len() {
            if let Ok(node) = scan::value(&self.bytes, at) {
                self.take(&node);
                at = skip_space(&self.bytes, node.end);
            } else {
                let rest = self.bytes.get(at..).unwrap_or_default();
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                self.break_off(at, at + length, "not JSON");
                self.is_complete = self.is_complete && at + length < self.bytes.len();
                at = skip_space(&self.bytes, at + length);
            }
            count += 1;
        }
        if self.items.is_empty() {
            return Err(self.malformed(start, "no JSContact card in the file"));
        }
        if count > 1 {
            self.layout = Layout::Lines;
            self.style = "lines";
        }
        Ok(())
    }

    /// Writes the cards `old` (with the text between them) and `added` as an array.
    fn assemble_array(&self, edits: &[Edit], more: NewItems<'_>, open: usize, close: usize) -> Vec<u8> {
        let edits_by_item = ItemEdits::of(edits);
        let mut out = self.bytes.get(..open).unwrap_or_default().to_vec();
        out.reserve(close.saturating_sub(open) + more.length_bytes);
        let mut is_first = true;
        let mut at = open;
        let mut tail_from = open;
        let body = self.bytes.get(..close).unwrap_or_default();
        while at < close {
            let Ok(node) = scan::value(body, at) else { break };
            let after = skip_space(body, node.end);
            let is_last = body.get(after) != Some(&b',');
            let index = self.items.binary_search_by_key(&node.start, |span| span.start).ok();
            let text = match index.and_then(|index| edits_by_item.of_item(index)) {
                Some(Edit::Replace(_, bytes)) => Some(bytes.as_slice()),
                Some(_) => None,
                None => body.get(node.start..node.end),
            };
            if let Some(text) = text {
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                out.extend_from_slice(body.get(at..node.start).unwrap_or_default());
                out.extend_from_slice(text);
                if !is_last {
                    out.extend_from_slice(body.get(node.end..after).unwrap_or_default());
                }
            }
            tail_from = node.end;
            at = if is_last { close } else { after + 1 };
        }
        let mut tail = self.bytes.get(tail_from..).unwrap_or_default().to_vec();
        for bytes in appended(edits, more) {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            out.push(b'\n');
            out.extend_from_slice(&bytes);
            if !tail.starts_with(b"\n") && !tail.starts_with(b"\r") {
                tail.insert(0, b'\n');
            }
        }
        out.extend(tail);
        out
    }
}

/// The edits of items that are there, in order of the items.
struct ItemEdits<'e>(Vec<(usize, &'e Edit)>);

impl<'e> ItemEdits<'e> {
    fn of(edits: &'e [Edit]) -> Self {
        let of_item = edits.iter().filter_map(|edit| match edit {
            Edit::Replace(index, _) | Edit::Remove(index) => Some((*index, edit)),
            Edit::Append(_) => None,
        });
        let mut list: Vec<_> = of_item.collect();
        list.sort_by_key(|(index, _)| *index);
        Self(list)
    }

    fn of_item(&self, index: usize) -> Option<&'e Edit> {
        let at = self.0.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.0.get(at).map(|(_, edit)| *edit)
    }
}

/// The id in the file of each element of the record: by collection and element id.
type FileIds = BTreeMap<(Text, Text), Text>;

/// Renames the elements of a record to the ids of the file.
fn with_file_ids(record: &Value, ids: &FileIds) -> Value {
    let mut renamed = Map::new();
    for (collection, value) in record.as_map().into_iter().flatten() {
        let value = match value {
            Value::Map(elements) if has_elements(collection) => {
                let rename = |id: &Text| ids.get(&(collection.clone(), id.clone())).unwrap_or(id).clone();
                Value::Map(
                    elements
                        .iter()
                        .map(|(id, element)| (rename(id), element.clone()))
                        .collect(),
                )
            }
            other => other.clone(),
        };
        renamed.insert(collection.clone(), value);
    }
    Value::Map(renamed)
}

/// Chooses ids for all elements: that of the file where there is one, else the element's own, if it is free and valid.
fn file_ids(record: &Value, card: &Json, bindings: &Bindings) -> FileIds {
    let mut ids = FileIds::new();
    for (pointer, id) in bindings {
        let Some(path) = FieldPath::parse(pointer) else {
            continue;
        };
        if let [collection, key] = path.parts() {
            let own = if collection == "vcard" {
                key.clone()
            } else {
                key.trim_start_matches('~').into()
            };
            ids.insert((collection.clone(), id.as_str().into()), own);
        }
    }
    for (collection, elements) in record
        .as_map()
        .into_iter()
        .flatten()
        .filter(|(collection, _)| has_elements(collection))
    {
        let mut taken: BTreeSet<String> = card
            .get(collection.as_str())
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(id, _)| id.clone())
            .collect();
        for id in elements.as_map().into_iter().flat_map(Map::keys) {
            let key = (collection.clone(), id.clone());
            if ids.contains_key(&key) {
                continue;
            }
            // RFC 9553 §1.4.1: ids are of these characters, at most 255.
            let valid = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '_';
            let plain: String = id
                .trim_start_matches('~')
                .chars()
                .map(|one| if valid(one) { one } else { '-' })
                .take(200)
                .collect();
            let mut own = if collection == "vcard" || !is_provisional(id) && *id == plain {
                id.to_string()
            } else {
                plain
            };
            while own.is_empty() || (collection != "vcard" && taken.contains(&own)) {
                own.push('-');
            }
            taken.insert(own.clone());
            ids.insert(key, own.into());
        }
    }
    ids
}

impl Document for JsContactDocument {
    fn item_count(&self) -> usize {
        self.items.len()
    }

    fn item(&self, index: usize) -> RawItem<'_> {
        Span::item(&self.items, index, &self.bytes)
    }

    fn broken(&self) -> &[Broken] {
        &self.broken
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }

    fn lens(&self) -> Hash {
        Hash::of(Domain::Value, b"jscontact codec 1")
    }

    fn style(&self) -> String {
        self.style.to_owned()
    }

    fn parse(&self, bytes: &[u8]) -> Result<Parsed, ItemError> {
        let card: Json = serde_json::from_slice(bytes).map_err(|error| ItemError::new(format!("not JSON: {error}")))?;
        if !card.is_object() {
            return Err(ItemError::new("not a JSContact card"));
        }
        let record = read_card(&card, &|collection, id| {
            if collection == "vcard" {
                id.to_owned()
            } else {
                format!("~{id}")
            }
        });
        let native_id = card.get("uid").and_then(Json::as_str).map(str::to_owned);
        Ok(Parsed {
            record,
            native_id,
            warnings: Vec::new(),
        })
    }

    fn put(&self, record: &Value, old: Option<Old<'_>>) -> Result<Put, ItemError> {
        let mut record = record.clone();
        record.prune();
        let (bytes, ids, kept_props) = match old {
            None => {
                let ids = file_ids(&record, &Json::Null, &Bindings::new());
                let mut named = with_file_ids(&record, &ids);
                if named.at(&FieldPath::new(["uid"])).is_none() {
                    named.set_at(&FieldPath::new(["uid"]), super::vcard::uid_of(&record).into());
                }
                let tree = to_tree(&named, &group_name);
                let text = if self.layout == Layout::Lines {
                    merge::one_line(&tree)
                } else {
                    merge::pretty(&tree, "\n")
                };
                let text = if self.layout == Layout::Single {
                    text + "\n"
                } else {
                    text
                };
                (text.into_bytes(), ids, Vec::new())
            }
            Some(old) => patch(&record, old)?,
        };
        let parsed = self.parse(&bytes)?;
        let bindings = bind(&record, &parsed.record, &ids, &kept_props);
        let not_shown = super::vcard::not_shown(&record, &rename_elements(parsed.record.clone(), &bindings));
        Ok(Put {
            bytes,
            bindings,
            not_shown,
        })
    }

    fn write_new(&self, items: NewItems<'_>, write: &mut dyn FnMut(&[u8])) {
        if !self.items.is_empty() || !self.broken.is_empty() {
            return write(&self.assemble_with(&[], items));
        }
        let Layout::Array { open, .. } = self.layout else {
            write(&self.bytes);
            let mut is_line_open = !self.bytes.is_empty() && self.bytes.last() != Some(&b'\n');
            for item in items.items {
                if std::mem::take(&mut is_line_open) {
                    write(b"\n");
                }
                write(item.trim_ascii_end());
                write(b"\n");
            }
            return;
        };
        let (head, tail) = self.bytes.split_at_checked(open).unwrap_or_default();
        write(head);
        let mut lead: &[u8] = b"\n";
        for item in items.items {
            write(lead);
            write(&item);
            lead = b",\n";
        }
        if lead.len() > 1 && !tail.starts_with(b"\n") && !tail.starts_with(b"\r") {
            write(b"\n");
        }
        write(tail);
    }

    fn release(&mut self) {
        if let Layout::Array { open, close } = &mut self.layout {
            (*open, *close) = (0, 0);
        }
        self.bytes = Vec::new();
        self.items = Vec::new();
    }

    fn assemble_with(&self, edits: &[Edit], more: NewItems<'_>) -> Vec<u8> {
        if let Layout::Array { open, close } = self.layout {
            return if edits.is_empty() && more.length_bytes == 0 {
                self.bytes.clone()
            } else {
                self.assemble_array(edits, more, open, close)
            };
        }
        let edits_by_item = ItemEdits::of(edits);
        let mut out = Vec::with_capacity(self.bytes.len() + more.length_bytes);
        let mut at = 0;
        for (index, span) in self.items.iter().enumerate() {
            out.extend_from_slice(self.bytes.get(at..span.start).unwrap_or_default());
            at = span.end;
            match edits_by_item.of_item(index) {
                Some(Edit::Replace(_, bytes)) => out.extend_from_slice(bytes),
                // The line goes with its card.
                Some(_) => at = skip_line_end(&self.bytes, at),
                None => out.extend_from_slice(self.bytes.get(span.start..span.end).unwrap_or_default()),
            }
        }
        out.extend_from_slice(self.bytes.get(at..).unwrap_or_default());
        for bytes in appended(edits, more) {
            // One object after the other is what readers of JSON Lines take.
            if !out.is_empty() && out.last() != Some(&b'\n') {
                out.push(b'\n');
            }
            out.extend_from_slice(bytes.trim_ascii_end());
            out.push(b'\n');
        }
        out
    }
}

fn skip_line_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..at + 1) {
        Some(b"\r") if bytes.get(at + 1) == Some(&b'\n') => at + 2,
        Some(b"\n") => at + 1,
        _ => at,
    }
}

/// The bytes of a patched card, the ids in it, and for each old entry of `vCardProps` that stays its identity.
type Patched = (Vec<u8>, FileIds, Vec<Option<String>>);

fn patch(record: &Value, old: Old<'_>) -> Result<Patched, ItemError> {
    let card: Json = serde_json::from_slice(old.bytes).map_err(|error| ItemError::new(format!("not JSON: {error}")))?;
    let node = scan::value(old.bytes, 0).map_err(|at| ItemError::new(format!("not JSON at byte {at}")))?;
    let ids = file_ids(record, &card, old.bindings);
    let before = read_card(&card, &|_, id| id.to_owned());
    let mut after = with_file_ids(record, &ids);
    // A uid belongs to the file that has it.
    let uid = FieldPath::new(["uid"]);
    match before.at(&uid) {
        Some(own) => after.set_at(&uid, own.clone()),
        None => drop(after.remove_at(&uid)),
    }
    // A full name that repeats the components was not read, so a change of them must renew it.
    let groups = |collection: &str, id: &str| {
        let element = card.get(collection).and_then(|elements| elements.get(id));
        let own = element.and_then(|element| element.get("vCardParams")?.get("group")?.as_str());
        own.map_or_else(|| group_name(collection, id), str::to_owned)
    };
    let (mut base, mut target) = (to_tree(&before, &groups), to_tree(&after, &groups));
    renew_full_name(&card, &after, &mut base, &mut target);
    let places = prop_places(&card, &|_, id| id.to_owned());
    let name = |(at, place): (usize, &Option<FieldPath>)| match place.as_ref().map(|place| (place.parts(), place)) {
        Some(([_, key], _)) => key.to_string(),
        Some((_, place)) => place.to_string(),
        None => format!("#{at}"),
    };
    let names: Vec<String> = places.iter().enumerate().map(name).collect();
    let text = Merge {
        bytes: old.bytes,
        props: &names,
    }
    .value("", &node, &base, &target);
    let lead = old.bytes.get(..node.start).unwrap_or_default();
    let tail = old.bytes.get(node.end..).unwrap_or_default();
    let props = |tree: &Tree, identity: &str| {
        tree.get("vCardProps")
            .is_some_and(|props| props.get(identity).is_some())
    };
    let kept = names
        .into_iter()
        .filter_map(|identity| match (props(&base, &identity), props(&target, &identity)) {
            (true, true) => Some(Some(identity)),
            (true, false) => None,
            (false, _) => Some(None),
        });
    Ok(([lead, text.as_bytes(), tail].concat(), ids, kept.collect()))
}

fn renew_full_name(card: &Json, after: &Value, base: &mut Tree, target: &mut Tree) {
    let full = card.get("name").and_then(|name| name.get("full")?.as_str());
    let has_full = after.at(&FieldPath::new(["name", "full"])).is_some();
    let was_derived = base.get("name").is_some_and(|name| name.get("full").is_none());
    let Some(full) = full.filter(|_| !has_full && was_derived) else {
        return;
    };
    let components = after
        .at(&FieldPath::new(["name", "components"]))
        .and_then(Value::as_map);
    let derived = components
        .map(crate::model::contact::derive_full_name)
        .unwrap_or_default();
    let set = |tree: &mut Tree, text: &str| {
        let Tree::Object(members) = tree else { return };
        if let Some((_, Tree::Object(name))) = members.iter_mut().find(|(key, _)| key == "name") {
            name.push(("full".to_owned(), Tree::Leaf(Json::from(text))));
        }
    };
    set(base, full);
    if !derived.is_empty() {
        set(target, &derived);
    }
}

/// Finds which element of the record stands behind each provisional key of the written card.
fn bind(record: &Value, view: &Value, ids: &FileIds, kept_props: &[Option<String>]) -> Bindings {
    let by_file_id: BTreeMap<(&str, &str), &str> = ids
        .iter()
        .map(|((collection, id), own)| ((collection.as_str(), own.as_str()), id.as_str()))
        .collect();
    let mut bindings = Bindings::new();
    for (collection, elements) in view
        .as_map()
        .into_iter()
        .flatten()
        .filter(|(name, _)| has_elements(name) && *name != "vcard")
    {
        for key in elements.as_map().into_iter().flat_map(Map::keys) {
            let own = key.strip_prefix('~').unwrap_or(key);
            if let Some(id) = by_file_id.get(&(collection.as_str(), own)) {
                bindings.insert(FieldPath::new([collection.as_str(), key]).to_string(), (*id).to_owned());
            }
        }
    }
    let mut order: Vec<Option<String>> = kept_props
        .iter()
        .map(|identity| {
            let id = by_file_id.get(&("vcard", identity.as_deref()?))?;
            Some((*id).to_owned())
        })
        .collect();
    let named = with_file_ids(record, ids);
    let old: BTreeSet<&str> = kept_props.iter().flatten().map(String::as_str).collect();
    if let Some(Tree::Array(props)) = to_tree(&named, &group_name).get("vCardProps") {
        let fresh = props.iter().filter(|(identity, _)| !old.contains(identity.as_str()));
        order.extend(
            fresh.map(|(identity, _)| by_file_id.get(&("vcard", identity.as_str())).map(|id| (*id).to_owned())),
        );
    }
    for (at, id) in order.into_iter().enumerate() {
        let path = FieldPath::new(["vcard", &provisional(at)]);
        if let Some(id) = id.filter(|_| view.at(&path).is_some()) {
            bindings.insert(path.to_string(), id);
        }
    }
    bindings
}

#[cfg(test)]
mod tests;
