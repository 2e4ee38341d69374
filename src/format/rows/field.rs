//! One field: how its cells read as leaves and how leaves are written into its cells.
//!
//! The invariant that everything above relies on: [`patch`] changes cells only if what they then show is part of
//! what was asked for; a field that cannot show a value keeps its cells.

use super::date::{self, Date, DateWriting};
use super::encoding::Encoding;
use super::mapping::{Derivation, FieldKind, FieldSpec, LabelTable, Mapping};
use super::suffix;
use crate::model::contact::derive_full_name;
use crate::model::{FieldPath, Map, Text, Value};

/// A cell's text; `None` where bytes of the file are no text.
pub(super) type Cell = Option<String>;

/// What reading and writing needs to know of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect<'a> {
    pub mapping: &'a Mapping,
    pub date: DateWriting,
    /// Line end inside cells.
    pub newline: &'static str,
    pub encoding: Encoding,
}

/// The cells hold something that this field cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What became of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Patch {
    /// The cells show what they should.
    Keep,
    /// The cells cannot show what they should, and stay.
    Stay,
    /// The cells get these texts.
    Set(Vec<String>),
}

/// Makes an empty fragment.
pub(super) fn nothing() -> Value {
    Value::Map(Map::new())
}

/// Puts all leaves of `from` into `into`.
pub(super) fn merge(into: &mut Value, from: &Value) {
    for (path, value) in from.leaves() {
        into.set_at(&path, value.clone());
    }
}

/// Returns whether all leaves of `shown` are in `want`; with `max`, a text may be cut there.
fn within(shown: &Value, want: &Value, max: Option<usize>) -> bool {
    shown
        .leaves()
        .into_iter()
        .all(|(path, value)| match (value, want.at(&path)) {
            (left, Some(right)) if left == right => true,
            (Value::Text(left), Some(Value::Text(right))) => {
                max.is_some_and(|max| left.chars().count() == max) && right.starts_with(left.as_str())
            }
            _ => false,
        })
}

/// Returns the part of a group's value that this field can be about.
pub(super) fn own(field: &FieldSpec, element: &Value) -> Value {
    let mut part = nothing();
    let mut take = |path: &FieldPath| {
        if let Some(value) = element.at(path) {
            part.set_at(path, value.clone());
        }
    };
    match &field.kind {
        FieldKind::Label(table) => {
            for root in label_roots(table) {
                take(&root);
            }
        }
        FieldKind::Key => {}
        FieldKind::Suffix => {
            for (path, value) in suffix::own(&field.path, element) {
                part.set_at(&path, value);
            }
        }
        _ => take(&field.path),
    }
    part
}

fn label_roots(table: &LabelTable) -> Vec<FieldPath> {
    let mut roots: Vec<FieldPath> = vec![FieldPath::new(["pref"])];
    let entries = table
        .entries
        .iter()
        .flat_map(|(_, leaves)| leaves.iter().map(|(path, _)| path.clone()));
    let other = FieldPath::new(table.other.split('/').filter(|part| *part != "*"));
    for path in entries.chain([other]) {
        let root = FieldPath::new(path.parts().first().cloned());
        if !root.is_root() && !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// Reads a field from its cells. `shown` is what the group's other fields show, for derived ones.
pub(super) fn read(
    field: &FieldSpec,
    cells: &[Option<&str>],
    dialect: &Dialect<'_>,
    shown: &Value,
) -> Result<Value, Unreadable> {
    let mut texts = Vec::with_capacity(cells.len());
    for cell in cells {
        let text = cell.ok_or(Unreadable)?;
        let means_nothing = text.trim().is_empty() || field.nothing.iter().any(|word| word == text.trim());
        texts.push(if means_nothing { "" } else { text });
    }
    let mut part = nothing();
    if matches!(field.kind, FieldKind::Lines) {
        // Some programs fill the second line only: the first one is no empty line of the address.
        let joined = texts.join("\n");
        let text = joined.trim_matches('\n');
        if !text.is_empty() {
            part.set_at(&field.path, Value::Text(unix_lines(text).into()));
        }
        return Ok(part);
    }
    if let FieldKind::DateParts = field.kind {
        return read_date_parts(field, &texts);
    }
    let Some(text) = texts.first().copied().filter(|text| !text.is_empty()) else {
        return Ok(part);
    };
    if field
        .unless_prefix
        .as_ref()
        .is_some_and(|prefix| text.starts_with(prefix.as_str()))
    {
        return Err(Unreadable);
    }
    match &field.kind {
        FieldKind::Text => part.set_at(&field.path, Value::Text(unix_lines(text).into())),
        FieldKind::Bytes => {
            let bytes = data_encoding::BASE64.decode(text.as_bytes()).map_err(|_| Unreadable)?;
            part.set_at(&field.path, Value::Bytes(bytes));
        }
        FieldKind::Date => {
            let (date, _) = date::read(text, dialect.date.style).ok_or(Unreadable)?;
            part.set_at(&field.path, date.to_universal().into());
        }
        FieldKind::Label(table) => read_label(table, text, dialect, &mut part),
        FieldKind::Suffix => suffix::read(&field.path, &unix_lines(text), &mut part),
        FieldKind::Words { separator, system, .. } => {
            for word in text.split(separator.as_str()) {
                let word = system
                    .as_ref()
                    .and_then(|mark| word.strip_prefix(mark.as_str()))
                    .unwrap_or(word);
                if !word.trim().is_empty() {
                    part.set_at(&field.path.child(word.trim()), true.into());
                }
            }
        }
        FieldKind::Derived { rules, .. } => {
            let text = unix_lines(text);
            if !rules.iter().any(|rule| is_derived(*rule, &text, shown)) {
                part.set_at(&field.path, Value::Text(text.into()));
            }
        }
        FieldKind::Lines | FieldKind::DateParts | FieldKind::Key => {}
    }
    Ok(part)
}

fn unix_lines(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

fn read_date_parts(field: &FieldSpec, texts: &[&str]) -> Result<Value, Unreadable> {
    let mut part = nothing();
    if texts.iter().all(|text| text.is_empty()) {
        return Ok(part);
    }
    let number = |at: usize| -> Result<Option<u16>, Unreadable> {
        let text = texts.get(at).copied().unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| Unreadable)
    };
    let short = |at: usize| -> Result<Option<u8>, Unreadable> {
        number(at)?
            .map(|value| u8::try_from(value).map_err(|_| Unreadable))
            .transpose()
    };
    let date = Date::checked(number(0)?, short(1)?, short(2)?).ok_or(Unreadable)?;
    part.set_at(&field.path, date.to_universal().into());
    Ok(part)
}

fn read_label(table: &LabelTable, text: &str, dialect: &Dialect<'_>, part: &mut Value) {
    let mark = dialect.mapping.preferred.as_deref().unwrap_or_default();
    let mut text = text;
    if !mark.is_empty() && (text.starts_with(mark) || text.trim() == mark.trim()) {
        part.set_at(&FieldPath::new(["pref"]), Value::Integer(1));
        text = text.strip_prefix(mark).unwrap_or_default();
    }
    if text.trim().is_empty() {
        return;
    }
    if let Some((_, leaves)) = find_label(table, text) {
        for (path, value) in leaves {
            part.set_at(path, value.clone());
        }
    } else {
        match table.other.strip_suffix("/*") {
            Some(map) => part.set_at(&FieldPath::new([map, text]), true.into()),
            None => part.set_at(&FieldPath::new([table.other.as_str()]), text.into()),
        }
    }
}

fn find_label<'a>(table: &'a LabelTable, text: &str) -> Option<&'a (String, Vec<(FieldPath, Value)>)> {
    let text = text.trim();
    table.entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(text))
}

fn write_label(table: &LabelTable, want: &Value, dialect: &Dialect<'_>) -> String {
    let own_text = match table.other.strip_suffix("/*") {
        Some(map) => want
            .at(&FieldPath::new([map]))
            .and_then(Value::as_map)
            .and_then(|words| {
                let known = |word: &str| {
                    table
                        .entries
                        .iter()
                        .any(|(_, leaves)| leaves.iter().any(|(path, _)| path.parts() == [map, word]))
                };
                words.keys().find(|word| !known(word)).map(Text::to_string)
            }),
        None => want
            .at(&FieldPath::new([table.other.as_str()]))
            .and_then(|value| value.as_text().map(str::to_owned)),
    };
    let own_text = own_text.filter(|text| find_label(table, text).is_none());
    let mut best: Option<(&str, usize)> = None;
    for (text, leaves) in &table.entries {
        let fits = leaves.iter().all(|(path, value)| want.at(path) == Some(value));
        if fits && best.is_none_or(|(_, count)| leaves.len() > count) {
            best = Some((text, leaves.len()));
        }
    }
    let best = best.filter(|(_, count)| *count > 0).map(|(text, _)| text.to_owned());
    // A key of a map (a relation) is no better than a known one; a person's own label says more than the type.
    let text = if table.other.ends_with("/*") {
        best.or(own_text)
    } else {
        own_text.or(best)
    };
    let preferred = want.at(&FieldPath::new(["pref"])) == Some(&Value::Integer(1));
    let mark = dialect
        .mapping
        .preferred
        .as_deref()
        .filter(|_| preferred)
        .unwrap_or_default();
    format!("{mark}{}", text.unwrap_or_default())
}

/// Writes what `want` holds of a field; `old` are the cells before. `None` when the field has no place for it.
pub(super) fn write(
    field: &FieldSpec,
    want: &Value,
    old: &[Option<&str>],
    dialect: &Dialect<'_>,
) -> Option<Vec<String>> {
    let value = want.at(&field.path).filter(|_| !field.path.is_root() || !want.is_map());
    let texts = match &field.kind {
        FieldKind::Label(table) => vec![write_label(table, want, dialect)],
        FieldKind::Suffix => vec![suffix::write(value.and_then(Value::as_map))],
        FieldKind::Words {
            separator,
            system,
            system_words,
        } => {
            let words = Words {
                separator,
                system: system.as_deref(),
                marked: system_words,
            };
            vec![words.write(value, old)?]
        }
        _ => {
            let Some(value) = value else {
                return Some(vec![String::new(); old.len()]);
            };
            write_value(field, value, old, dialect)?
        }
    };
    let all = texts.iter().all(|text| dialect.encoding.encode(text).is_some());
    all.then_some(texts)
}

fn write_value(field: &FieldSpec, value: &Value, old: &[Option<&str>], dialect: &Dialect<'_>) -> Option<Vec<String>> {
    let text = match value {
        Value::Text(text) => text.as_str(),
        Value::Bytes(bytes) if matches!(field.kind, FieldKind::Bytes) => {
            return Some(vec![data_encoding::BASE64.encode(bytes)]);
        }
        _ => return None,
    };
    let first = old.first().copied().flatten().unwrap_or_default();
    let newline = if first.contains("\r\n") {
        "\r\n"
    } else if first.contains('\n') {
        "\n"
    } else {
        dialect.newline
    };
    Some(match &field.kind {
        FieldKind::Text | FieldKind::Derived { .. } => {
            let cut = match field.max {
                Some(max) => text.chars().take(max).collect(),
                None => text.to_owned(),
            };
            vec![native_lines(&cut, newline)]
        }
        FieldKind::Lines => {
            let mut lines: Vec<&str> = text.splitn(old.len().max(1), '\n').collect();
            lines.resize(old.len(), "");
            let kept = lines_in_place(text, old).unwrap_or(lines);
            kept.into_iter().map(|line| native_lines(line, newline)).collect()
        }
        FieldKind::Date => {
            let writing = date::read(first, dialect.date.style).map_or(dialect.date, |(_, writing)| writing);
            vec![date::write(Date::from_universal(text)?, writing)?]
        }
        FieldKind::DateParts => {
            let date = Date::from_universal(text)?;
            let padded = old
                .get(1)
                .copied()
                .flatten()
                .is_some_and(|month| month.starts_with('0'));
            let short = |part: Option<u8>| match part {
                Some(part) if padded => format!("{part:02}"),
                Some(part) => part.to_string(),
                None => String::new(),
            };
            let year = date.year.map(|year| year.to_string()).unwrap_or_default();
            let mut texts = vec![year, short(date.month), short(date.day)];
            texts.resize(old.len(), String::new());
            texts
        }
        _ => return None,
    })
}

/// Splits a text over cells of which some hold several lines: each keeps as many as it has, the last filled one takes the rest.
fn lines_in_place<'t>(text: &'t str, old: &[Option<&str>]) -> Option<Vec<&'t str>> {
    let counts: Vec<usize> = old
        .iter()
        .map(|cell| {
            cell.filter(|cell| !cell.is_empty())
                .map_or(0, |cell| unix_lines(cell).split('\n').count())
        })
        .collect();
    let last = counts.iter().rposition(|count| *count > 0)?;
    if counts.iter().all(|count| *count < 2) {
        return None;
    }
    let mut cells = Vec::with_capacity(old.len());
    let mut rest = Some(text);
    for (at, count) in counts.into_iter().enumerate() {
        let whole = rest.unwrap_or_default();
        let end = whole
            .match_indices('\n')
            .nth(count.saturating_sub(1))
            .map(|(end, _)| end);
        match end {
            _ if count == 0 => cells.push(""),
            Some(end) if at != last => {
                cells.push(&whole[..end]);
                rest = Some(&whole[end + 1..]);
            }
            _ => {
                cells.push(whole);
                rest = None;
            }
        }
    }
    (cells.join("\n").trim_matches('\n') == text).then_some(cells)
}

fn native_lines(text: &str, newline: &str) -> String {
    if newline == "\n" {
        text.to_owned()
    } else {
        text.replace('\n', newline)
    }
}

/// How a cell lists words.
struct Words<'a> {
    separator: &'a str,
    system: Option<&'a str>,
    marked: &'a [String],
}

impl Words<'_> {
    /// Keeps the words that stay in their order and spelling, and adds the new ones at the end.
    fn write(&self, value: Option<&Value>, old: &[Option<&str>]) -> Option<String> {
        let empty = Map::new();
        let words = value.and_then(Value::as_map).unwrap_or(&empty);
        let mut parts: Vec<String> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        let cell = old.first().copied().flatten()?;
        for part in cell.split(self.separator) {
            let word = self
                .system
                .and_then(|mark| part.strip_prefix(mark))
                .unwrap_or(part)
                .trim();
            if words.contains_key(word) && !seen.contains(&word) {
                parts.push(part.to_owned());
                seen.push(word);
            }
        }
        for word in words
            .keys()
            .map(Text::as_str)
            .filter(|word| !seen.contains(word) && self.can_hold(word))
        {
            let mark = self.system.filter(|_| self.marked.iter().any(|system| system == word));
            parts.push(format!("{}{word}", mark.unwrap_or_default()));
        }
        Some(parts.join(self.separator))
    }

    fn can_hold(&self, word: &str) -> bool {
        let marked = self.system.is_some_and(|mark| word.starts_with(mark));
        !word.contains(self.separator.trim()) && word.trim() == word && !word.is_empty() && !marked
    }
}

/// What a field's group shows by its other fields.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub before: &'a Value,
    pub now: &'a Value,
    /// Whether the group held nothing before.
    pub fresh: bool,
}

/// Changes the cells of a field so that they show `want`, if they can.
pub(super) fn patch(
    field: &FieldSpec,
    want: &Value,
    old: &[Option<&str>],
    dialect: &Dialect<'_>,
    around: Around<'_>,
) -> Patch {
    let Around { before, now, fresh } = around;
    let Ok(shown) = read(field, old, dialect, before) else {
        return Patch::Stay;
    };
    if let FieldKind::Derived { rules, when_new } = &field.kind {
        let derived = Rederive {
            rules,
            fill: *when_new && fresh,
            before,
            now,
        };
        return derived.patch(field, want, &shown, old, dialect);
    }
    if shown == *want {
        return Patch::Keep;
    }
    let Some(texts) = write(field, want, old, dialect) else {
        return Patch::Stay;
    };
    let borrowed: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
    match read(field, &borrowed, dialect, now) {
        Ok(again) if again == shown => Patch::Keep,
        Ok(again) if within(&again, want, field.max) => Patch::Set(texts),
        _ => Patch::Stay,
    }
}

/// A redundant text while the fields that it repeats change.
struct Rederive<'a> {
    rules: &'a [Derivation],
    /// Whether an empty cell is filled.
    fill: bool,
    before: &'a Value,
    now: &'a Value,
}

impl Rederive<'_> {
    fn patch(
        &self,
        field: &FieldSpec,
        want: &Value,
        shown: &Value,
        old: &[Option<&str>],
        dialect: &Dialect<'_>,
    ) -> Patch {
        let cell = old.first().copied().flatten().unwrap_or_default();
        if want.at(&field.path).is_some() {
            if shown == want && self.reads(field, cell, dialect).as_ref() == Some(want) {
                return Patch::Keep;
            }
            if let Some(texts) = write(field, want, old, dialect) {
                let text = texts.first().map(String::as_str).unwrap_or_default();
                if self.reads(field, text, dialect).as_ref() == Some(want) {
                    return Patch::Set(texts);
                }
            }
            // The deviation cannot be shown beside these fields, or is none beside them.
            if shown.at(&field.path).is_some() && self.derive(cell).as_deref() != Some(cell) {
                return Patch::Stay;
            }
        }
        let was_empty = cell.trim().is_empty() || field.nothing.iter().any(|word| word == cell.trim());
        let keeps = if was_empty {
            !self.fill
        } else {
            shown.at(&field.path).is_none() && self.reads(field, cell, dialect) == Some(nothing())
        };
        if keeps {
            return Patch::Keep;
        }
        let text = self.derive(cell).unwrap_or_default().replace('\n', dialect.newline);
        if dialect.encoding.encode(&text).is_none() || self.reads(field, &text, dialect) != Some(nothing()) {
            return Patch::Stay;
        }
        Patch::Set(vec![text])
    }

    fn reads(&self, field: &FieldSpec, text: &str, dialect: &Dialect<'_>) -> Option<Value> {
        read(field, &[Some(text)], dialect, self.now).ok()
    }

    /// Derives anew by the rule that gave the old cell, else by the first.
    fn derive(&self, cell: &str) -> Option<String> {
        let before = self.rules.iter().find(|rule| is_derived(**rule, cell, self.before));
        derive(*before.or(self.rules.first())?, self.now)
    }
}

fn is_derived(rule: Derivation, text: &str, shown: &Value) -> bool {
    match rule {
        // Programs print addresses in the order of their country: the same words say the same.
        Derivation::Address => {
            let words = |text: &str| {
                let mut words: Vec<String> = text
                    .split(|c: char| c.is_whitespace() || c == ',')
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect();
                words.sort_unstable();
                words
            };
            derive(rule, shown).is_some_and(|derived| words(&derived) == words(&unix_lines(text)))
        }
        _ => derive(rule, shown).is_some_and(|derived| derived == text.trim()),
    }
}

fn derive(rule: Derivation, shown: &Value) -> Option<String> {
    let component = |parts: &[&str]| {
        let path = FieldPath::new(parts.iter().copied());
        shown.at(&path).and_then(Value::as_text).unwrap_or_default()
    };
    let name = |kind: &str| component(&["name", "components", kind, "value"]);
    let text = match rule {
        Derivation::Full => derive_full_name(shown.at(&FieldPath::new(["name", "components"]))?.as_map()?),
        Derivation::LastFirst if !name("surname").is_empty() && !name("given").is_empty() => {
            format!("{}, {}", name("surname"), name("given"))
        }
        Derivation::FirstLast if !name("surname").is_empty() && !name("given").is_empty() => {
            format!("{} {}", name("given"), name("surname"))
        }
        Derivation::LastFirst | Derivation::FirstLast => return None,
        Derivation::Address => {
            let parts = [
                "name",
                "apartment",
                "postOfficeBox",
                "postcode",
                "locality",
                "region",
                "country",
            ];
            let mut lines: Vec<&str> = Vec::new();
            lines.extend(parts.iter().map(|kind| component(&["components", kind, "value"])));
            lines.retain(|line| !line.is_empty());
            lines.join("\n")
        }
    };
    (!text.is_empty()).then_some(text)
}
