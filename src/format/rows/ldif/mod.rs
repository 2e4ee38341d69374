//! Address books in LDIF (RFC 2849): entries of attributes, patched line by line.
//!
//! An entry is an item; its attributes are the cells of a row whose columns are the attributes it has, repeated ones
//! counted (`mail`, `mail#2`), and those that the mapping could add. The distinguished name is kept as it is: programs
//! make it from the name, so it changes with it and identifies nobody.

mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use self::line::{Class, Line, LineKind, class_of, escape_dn, fault, has_content, is_safe, occurrence};
use super::date::DateWriting;
use super::encoding::Encoding;
use super::engine::{self, Engine};
use super::field::{Cell, Dialect};
use super::layout::{Layout, folded};
use super::mapping::{ColumnName, FieldKind, Home, Mapping, numbered};
use crate::format::{
    Bindings, Broken, Confidence, Document, Edit, Format, FormatError, FormatInfo, ItemError, NewItems, Old, Parsed,
    Put, RawItem, appended,
};
use crate::model::contact::{derive_full_name, rename_elements, title};
use crate::model::{Domain, FieldPath, Hash, Map, Value};

/// Changes when the same bytes are read or written in another way than before.
const CODEC_VERSION: u8 = 1;
/// Where lines are folded in files that fold (RFC 2849 names no width; `OpenLDAP` and Mozilla fold at 76 to 78).
const FOLD_WIDTH: usize = 76;

/// Object classes of a new person, as Mozilla writes them.
const NEW_PERSON: [&str; 5] = [
    "top",
    "person",
    "organizationalPerson",
    "inetOrgPerson",
    "mozillaAbPersonAlpha",
];
/// Object classes of a new mailing list, as Mozilla writes them.
const NEW_GROUP: [&str; 2] = ["top", "groupOfNames"];

/// A format of LDIF files by one mapping.
pub(super) struct LdifFormat {
    mapping: Arc<Mapping>,
}

impl LdifFormat {
    pub(super) fn new(mapping: Mapping) -> Self {
        Self {
            mapping: Arc::new(mapping),
        }
    }
}

impl Format for LdifFormat {
    fn info(&self) -> &FormatInfo {
        &self.mapping.info
    }

    fn detect(&self, _file_name: &str, head: &[u8]) -> Confidence {
        let lines = Line::scan(head);
        let mut content = lines
            .iter()
            .filter(|line| !matches!(line.kind, LineKind::Blank | LineKind::Comment));
        let starts = match content.next() {
            Some(first) if first.is("version") => content.next().is_some_and(|line| line.is("dn")),
            Some(first) => first.is("dn"),
            None => false,
        };
        let contacts = lines
            .iter()
            .any(|line| line.is("objectclass") || line.is("mail") || line.is("cn"));
        match (starts, contacts) {
            (true, true) => Confidence::Certain,
            (true, false) => Confidence::Likely,
            _ => Confidence::No,
        }
    }

    fn open(&self, bytes: Vec<u8>) -> Result<Box<dyn Document>, FormatError> {
        Ok(Box::new(LdifDocument::open(Arc::clone(&self.mapping), bytes)))
    }

    fn create(&self, style: Option<&str>) -> Box<dyn Document> {
        let mut document = LdifDocument::open(Arc::clone(&self.mapping), Vec::new());
        let words: Vec<&str> = style.unwrap_or_default().split_whitespace().collect();
        if words.contains(&"crlf") {
            document.newline = "\r\n";
        }
        document.folds = words.contains(&"folded");
        Box::new(document)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Entry,
    Gap,
    Broken,
}

/// An LDIF file that was read.
struct LdifDocument {
    mapping: Arc<Mapping>,
    bytes: Vec<u8>,
    pieces: Vec<(Range<usize>, u64, Role)>,
    entries: Vec<usize>,
    broken: Vec<Broken>,
    newline: &'static str,
    folds: bool,
    /// Folded names of attributes whose values are bytes.
    binary: BTreeSet<String>,
}

/// An entry as a row of cells.
struct Row {
    lines: Vec<Line>,
    /// Column names: attributes of the entry, then those the mapping could add.
    header: Vec<String>,
    cells: Vec<Cell>,
    /// Which line each of the first columns is.
    line_of: Vec<usize>,
    class: Class,
}

impl LdifDocument {
    fn open(mapping: Arc<Mapping>, bytes: Vec<u8>) -> Self {
        let lines = Line::scan(&bytes);
        let first = lines
            .first()
            .and_then(|line| bytes.get(line.range.clone()))
            .unwrap_or_default();
        let binary = mapping
            .groups
            .iter()
            .flat_map(|group| &group.fields)
            .filter(|field| matches!(field.kind, FieldKind::Bytes))
            .flat_map(|field| field.columns.iter().map(|column| folded(&column.name)))
            .collect();
        let mut document = Self {
            newline: if first.ends_with(b"\r\n") { "\r\n" } else { "\n" },
            folds: lines.iter().any(|line| line.folded),
            pieces: Vec::new(),
            entries: Vec::new(),
            broken: Vec::new(),
            mapping,
            bytes: Vec::new(),
            binary,
        };
        let mut start = 0;
        while let Some(line) = lines.get(start) {
            let gap = matches!(line.kind, LineKind::Blank | LineKind::Comment) || line.is("version");
            let mut end = start + 1;
            if !gap {
                while lines.get(end).is_some_and(|line| line.kind != LineKind::Blank) {
                    end += 1;
                }
                // The blank line that ends an entry goes with it.
                end += usize::from(end < lines.len());
            }
            document.add_piece(&bytes, lines.get(start..end).unwrap_or_default(), gap);
            start = end;
        }
        document.bytes = bytes;
        document
    }

    fn add_piece(&mut self, bytes: &[u8], lines: &[Line], gap: bool) {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return;
        };
        let range = first.range.start..last.range.end;
        let fault = if gap { None } else { fault(lines) };
        let role = match fault {
            Some(reason) => {
                self.broken.push(Broken {
                    line: first.number,
                    reason: reason.to_owned(),
                    bytes: bytes.get(range.clone()).unwrap_or_default().to_vec(),
                });
                Role::Broken
            }
            None if gap || class_of(lines) == Class::Other || !has_content(lines) => Role::Gap,
            None => {
                self.entries.push(self.pieces.len());
                Role::Entry
            }
        };
        self.pieces.push((range, first.number, role));
    }

    /// Makes the row of an entry, with room for `record`.
    fn row(&self, bytes: &[u8], record: Option<&Value>) -> Row {
        let lines = Line::scan(bytes);
        let class = class_of(&lines);
        let mut row = Row {
            header: Vec::new(),
            cells: Vec::new(),
            line_of: Vec::new(),
            lines,
            class,
        };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (at, line) in row.lines.iter().enumerate() {
            let attribute = matches!(line.kind, LineKind::Plain | LineKind::Base64 | LineKind::Url);
            if !attribute || line.is("dn") || line.is("objectclass") {
                continue;
            }
            let count = counts.entry(folded(&line.name)).or_default();
            *count += 1;
            row.header.push(occurrence(&line.name, *count));
            row.cells.push(line.cell(self.binary.contains(&folded(&line.name))));
            row.line_of.push(at);
        }
        self.add_room(&mut row, &counts, record);
        row
    }

    /// Adds a column for every attribute that the mapping could write into this entry.
    fn add_room(&self, row: &mut Row, counts: &BTreeMap<String, usize>, record: Option<&Value>) {
        let count = |name: &str| counts.get(&folded(name)).copied().unwrap_or(0);
        let has = |column: &ColumnName| {
            let mut names = std::iter::once(&column.name).chain(&column.aliases);
            names.any(|name| count(name) > 0)
        };
        let mut added: BTreeSet<String> = BTreeSet::new();
        for group in self
            .mapping
            .groups
            .iter()
            .filter(|group| is_for(row.class, &group.home))
        {
            for column in group.fields.iter().flat_map(|field| &field.columns) {
                let mut names = Vec::new();
                if group.repeat {
                    let attribute = numbered(&column.name, 1);
                    let single = self.mapping.columns().find(|single| single.name == attribute);
                    let present = count(&attribute).max(usize::from(single.is_some()));
                    // Beside an attribute under another name, a second one would hide it.
                    if count(&attribute) == 0 && single.is_some_and(has) {
                        continue;
                    }
                    let last = present + members_of(record, &group.home);
                    names.extend((present + 1..=last).map(|n| numbered(&column.name, n)));
                } else if !has(column) {
                    names.push(column.name.clone());
                }
                for name in names {
                    if added.insert(folded(&name)) {
                        row.header.push(name);
                        row.cells.push(Some(String::new()));
                    }
                }
            }
        }
    }

    fn with_engine<T>(&self, row: &Row, work: impl FnOnce(Engine<'_>) -> T) -> T {
        let layout = Layout::bind(&self.mapping, &row.header);
        work(Engine {
            layout: &layout,
            dialect: Dialect {
                mapping: &self.mapping,
                date: DateWriting::of(self.mapping.date),
                newline: "\n",
                encoding: Encoding::Utf8,
            },
        })
    }

    fn read_row(&self, row: &Row) -> (Value, Vec<String>) {
        let (mut record, warnings) = self.with_engine(row, |engine| engine.read(&row.cells));
        if row.class == Class::Group {
            record.set_at(&FieldPath::new(["kind"]), "group".into());
        }
        (record, warnings)
    }

    /// Writes the attribute line of a cell.
    fn line(&self, name: &str, text: &str) -> Vec<u8> {
        let attribute = name.split('#').next().unwrap_or(name);
        let line = if self.binary.contains(&folded(attribute)) {
            format!("{attribute}:: {text}")
        } else if is_safe(text) {
            format!("{attribute}: {text}")
        } else {
            format!("{attribute}:: {}", data_encoding::BASE64.encode(text.as_bytes()))
        };
        let mut out = Vec::with_capacity(line.len() + 8);
        let mut width = 0;
        // Lines made here are ASCII, so a fold never cuts a character.
        for byte in line.bytes() {
            if self.folds && width == FOLD_WIDTH {
                out.extend_from_slice(self.newline.as_bytes());
                out.push(b' ');
                width = 1;
            }
            out.push(byte);
            width += 1;
        }
        out.extend_from_slice(self.newline.as_bytes());
        out
    }

    /// Writes the changed cells of a row into the lines of its entry.
    fn patch_entry(&self, bytes: &[u8], row: &Row, after: &[Cell]) -> Vec<u8> {
        let mut new_lines = Vec::new();
        for at in row.line_of.len()..row.header.len() {
            if let (Some(name), Some(Some(text))) = (row.header.get(at), after.get(at))
                && !text.is_empty()
            {
                new_lines.extend(self.line(name, text));
            }
        }
        let is_content = |line: &Line| !matches!(line.kind, LineKind::Blank | LineKind::Comment);
        let last = row.lines.iter().rposition(is_content);
        let mut out = Vec::with_capacity(bytes.len() + 64);
        for (at, line) in row.lines.iter().enumerate() {
            let old = bytes.get(line.range.clone()).unwrap_or_default();
            let column = row.line_of.iter().position(|line| *line == at);
            let changed = column.filter(|column| row.cells.get(*column) != after.get(*column));
            match changed.and_then(|column| after.get(column)) {
                Some(Some(text)) if text.is_empty() => {}
                Some(Some(text)) => out.extend(self.line(&line.name, text)),
                _ => out.extend_from_slice(old),
            }
            if Some(at) == last && !new_lines.is_empty() {
                if !out.ends_with(b"\n") {
                    out.extend_from_slice(self.newline.as_bytes());
                }
                out.append(&mut new_lines);
            }
        }
        out
    }

    /// Makes the start of a new entry.
    fn new_entry(&self, record: &Value) -> Vec<u8> {
        let group = record.at(&FieldPath::new(["kind"])).and_then(Value::as_text) == Some("group");
        let components = record
            .at(&FieldPath::new(["name", "components"]))
            .and_then(Value::as_map);
        let full = record
            .at(&FieldPath::new(["name", "full"]))
            .and_then(Value::as_text)
            .map(str::to_owned);
        let name = full
            .or_else(|| components.map(derive_full_name))
            .filter(|name| !name.trim().is_empty());
        let mut dn = format!("cn={}", escape_dn(&name.unwrap_or_else(|| title(record))));
        let emails = record.at(&FieldPath::new(["emails"])).and_then(Value::as_map);
        let ordered = emails.map(crate::model::contact::ordered).unwrap_or_default();
        if let Some(address) = ordered.first().and_then(|(_, email)| email.get("address")?.as_text()) {
            dn = format!("{dn},mail={}", escape_dn(address));
        }
        let mut out = self.line("dn", &dn);
        let classes: &[&str] = if group { &NEW_GROUP } else { &NEW_PERSON };
        for class in classes {
            out.extend(self.line("objectclass", class));
        }
        out
    }

    fn push(&self, out: &mut Vec<u8>, piece: &[u8]) {
        let starts = out.is_empty() || out == Encoding::Utf8Bom.mark();
        if !starts && !piece.is_empty() && !out.ends_with(b"\n") {
            out.extend_from_slice(self.newline.as_bytes());
        }
        out.extend_from_slice(piece);
    }
}

/// Returns whether entries of a class may have the attributes of a group: mailing lists have a name and members only.
fn is_for(class: Class, home: &Home) -> bool {
    let members = *home == Home::Keyed("members".to_owned());
    match class {
        Class::Group => members || matches!(home, Home::Root) || *home == Home::Element("notes".to_owned()),
        _ => !members,
    }
}

fn members_of(record: Option<&Value>, home: &Home) -> usize {
    let (Home::Element(collection) | Home::Keyed(collection)) = home else {
        return 0;
    };
    let members = record.and_then(|record| record.as_map()?.get(collection)?.as_map());
    members.map_or(0, Map::len)
}

/// Finds the new names of repeated attributes after some of them went, and renames slots by them.
fn renumber(row: &Row, after: &[Cell], bindings: Bindings) -> Bindings {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    for (at, name) in row.header.iter().enumerate() {
        let is_line = at < row.line_of.len();
        let is_empty = after.get(at).is_some_and(|cell| cell.as_deref() == Some(""));
        let was_empty = row.cells.get(at).is_some_and(|cell| cell.as_deref() == Some(""));
        // An attribute that is there and empty keeps its line.
        if is_empty && !(is_line && was_empty) {
            continue;
        }
        let attribute = name.split('#').next().unwrap_or(name);
        let count = counts.entry(folded(attribute)).or_default();
        *count += 1;
        renamed.insert(folded(name), folded(&occurrence(attribute, *count)));
    }
    let rename = |pointer: String| -> String {
        let Some((collection, slot)) = pointer.rsplit_once("/~0") else {
            return pointer;
        };
        match renamed.get(&folded(slot)) {
            Some(new) if *new != folded(slot) => {
                let attribute = slot.split('#').next().unwrap_or(slot);
                let number = new
                    .split_once('#')
                    .map_or(String::new(), |(_, number)| format!("#{number}"));
                format!("{collection}/~0{attribute}{number}")
            }
            _ => pointer,
        }
    };
    bindings
        .into_iter()
        .map(|(pointer, id)| (rename(pointer), id))
        .collect()
}

impl Document for LdifDocument {
    fn item_count(&self) -> usize {
        self.entries.len()
    }

    fn item(&self, index: usize) -> RawItem<'_> {
        let (range, line, _) = &self.pieces[self.entries[index]];
        RawItem {
            bytes: &self.bytes[range.clone()],
            line: *line,
        }
    }

    fn broken(&self) -> &[Broken] {
        &self.broken
    }

    fn is_complete(&self) -> bool {
        self.bytes.is_empty() || self.bytes.ends_with(b"\n")
    }

    fn lens(&self) -> Hash {
        let mut seed = vec![CODEC_VERSION];
        seed.extend_from_slice(self.mapping.text.as_bytes());
        Hash::of(Domain::Value, &seed)
    }

    fn style(&self) -> String {
        let newline = if self.newline == "\r\n" { "crlf" } else { "lf" };
        if self.folds {
            format!("{newline} folded")
        } else {
            newline.to_owned()
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Parsed, ItemError> {
        let row = self.row(bytes, None);
        if let Some(reason) = fault(&row.lines) {
            return Err(ItemError::new(reason));
        }
        let (record, warnings) = self.read_row(&row);
        Ok(Parsed {
            record,
            native_id: None,
            warnings,
        })
    }

    fn put(&self, record: &Value, old: Option<Old<'_>>) -> Result<Put, ItemError> {
        let bytes = match &old {
            Some(old) => old.bytes.to_vec(),
            None => self.new_entry(record),
        };
        let row = self.row(&bytes, Some(record));
        let written = self.with_engine(&row, |engine| {
            engine.write(record, &row.cells, old.as_ref().map(|old| old.bindings))
        });
        let mut new_bytes = self.patch_entry(&bytes, &row, &written.cells);
        if old.is_none() {
            new_bytes.extend_from_slice(self.newline.as_bytes());
        }
        let again = self.row(&new_bytes, None);
        if !has_content(&again.lines) {
            return Err(ItemError::new(
                "this format has no attribute for anything that is left of it",
            ));
        }
        let bindings = renumber(&row, &written.cells, written.bindings);
        let view = rename_elements(self.read_row(&again).0, &bindings);
        Ok(Put {
            bytes: new_bytes,
            bindings,
            not_shown: engine::not_shown(record, &view),
        })
    }

    fn assemble_with(&self, edits: &[Edit], more: NewItems<'_>) -> Vec<u8> {
        let mut replaced = BTreeMap::new();
        for edit in edits {
            match edit {
                Edit::Replace(index, bytes) => drop(replaced.insert(*index, Some(bytes))),
                Edit::Remove(index) => drop(replaced.insert(*index, None)),
                Edit::Append(_) => {}
            }
        }
        let start = self.pieces.first().map_or(self.bytes.len(), |(range, ..)| range.start);
        let mut out = self.bytes.get(..start).unwrap_or_default().to_vec();
        let mut entry = 0;
        for (range, _, role) in &self.pieces {
            let bytes = self.bytes.get(range.clone()).unwrap_or_default();
            if *role != Role::Entry {
                self.push(&mut out, bytes);
                continue;
            }
            match replaced.get(&entry) {
                None => self.push(&mut out, bytes),
                Some(None) => {}
                Some(Some(bytes)) => self.push(&mut out, bytes),
            }
            entry += 1;
        }
        let blank = [self.newline, self.newline].concat();
        out.reserve(more.length_bytes);
        for bytes in appended(edits, more) {
            let separated = out.is_empty() || out.ends_with(blank.as_bytes()) || out == Encoding::Utf8Bom.mark();
            if !separated {
                self.push(&mut out, self.newline.as_bytes());
            }
            out.extend_from_slice(&bytes);
        }
        out
    }
}
