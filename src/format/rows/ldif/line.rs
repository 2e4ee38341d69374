//! Lines of LDIF: attributes, their values, and what an entry of them is.

use std::ops::Range;

use crate::format::rows::encoding::Encoding;
use crate::format::rows::field::Cell;
use crate::format::rows::layout::folded;

/// Object classes of entries that are contacts, besides those that end in `person`.
const CONTACT_CLASSES: [&str; 4] = [
    "mozillaabpersonalpha",
    "mozillaabpersonobsolete",
    "contact",
    "residentialperson",
];
/// Object classes of mailing lists.
const GROUP_CLASSES: [&str; 4] = ["groupofnames", "groupofuniquenames", "group", "mailgroup"];
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    Blank,
    Comment,
    Plain,
    Base64,
    Url,
    /// Without a colon, or a continuation of nothing.
    Malformed,
}

/// A logical line: an attribute with its folded continuations.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) range: Range<usize>,
    pub(super) kind: LineKind,
    /// The attribute with its options, as spelled.
    pub(super) name: String,
    /// The value without folding, as it stands (base64 not decoded).
    value: Vec<u8>,
    /// Its number in the file, from 1.
    pub(super) number: u64,
    pub(super) folded: bool,
}

impl Line {
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self.kind, LineKind::Plain | LineKind::Base64 | LineKind::Url) && self.name.eq_ignore_ascii_case(name)
    }

    /// Splits bytes into logical lines.
    pub(super) fn scan(bytes: &[u8]) -> Vec<Self> {
        let mut lines: Vec<(Range<usize>, Vec<u8>, u64)> = Vec::new();
        let mut at = if bytes.starts_with(Encoding::Utf8Bom.mark()) {
            3
        } else {
            0
        };
        let mut number = 0;
        while at < bytes.len() {
            number += 1;
            let rest = bytes.get(at..).unwrap_or_default();
            let length = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(rest.len(), |end| end + 1);
            let physical = rest.get(..length).unwrap_or_default();
            let content = trim_line_end(physical);
            match (content.split_first(), lines.last_mut()) {
                (Some((b' ', more)), Some((range, value, _))) if !value.is_empty() => {
                    value.extend_from_slice(more);
                    range.end = at + length;
                }
                _ => lines.push((at..at + length, content.to_vec(), number)),
            }
            at += length;
        }
        lines
            .into_iter()
            .map(|(range, content, number)| Self::read(bytes, range, &content, number))
            .collect()
    }

    fn read(bytes: &[u8], range: Range<usize>, content: &[u8], number: u64) -> Self {
        let physical = bytes.get(range.clone()).unwrap_or_default();
        let folded = trim_line_end(physical).contains(&b'\n');
        let mut line = Self {
            range,
            kind: LineKind::Malformed,
            name: String::new(),
            value: Vec::new(),
            number,
            folded,
        };
        if content.is_empty() {
            line.kind = LineKind::Blank;
            return line;
        }
        if content.starts_with(b"#") {
            line.kind = LineKind::Comment;
            return line;
        }
        let Some(colon) = content.iter().position(|byte| *byte == b':') else {
            return line;
        };
        let (name, rest) = content.split_at(colon);
        let rest = rest.get(1..).unwrap_or_default();
        let Some(name) = std::str::from_utf8(name)
            .ok()
            .filter(|name| !name.is_empty() && !name.starts_with(' '))
        else {
            return line;
        };
        name.clone_into(&mut line.name);
        let (kind, value) = match rest.first() {
            Some(b':') => (LineKind::Base64, rest.get(1..).unwrap_or_default()),
            Some(b'<') => (LineKind::Url, rest.get(1..).unwrap_or_default()),
            _ => (LineKind::Plain, rest),
        };
        line.kind = kind;
        line.value = value.iter().copied().skip_while(|byte| *byte == b' ').collect();
        line
    }

    /// Reads the value; `None` when it is elsewhere (a URL) or no text.
    pub(super) fn cell(&self, binary: bool) -> Cell {
        let bytes = match self.kind {
            LineKind::Plain => self.value.clone(),
            LineKind::Base64 => data_encoding::BASE64.decode(self.value.trim_ascii()).ok()?,
            _ => return None,
        };
        if binary {
            return Some(data_encoding::BASE64.encode(&bytes));
        }
        String::from_utf8(bytes).ok()
    }
}

pub(super) fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Person,
    Group,
    Other,
}

pub(super) fn class_of(lines: &[Line]) -> Class {
    let classes: Vec<String> = lines
        .iter()
        .filter(|line| line.is("objectclass"))
        .filter_map(|line| line.cell(false))
        .map(|text| folded(&text))
        .collect();
    let person = |class: &String| class.ends_with("person") || CONTACT_CLASSES.contains(&class.as_str());
    if classes.iter().any(|class| GROUP_CLASSES.contains(&class.as_str())) {
        Class::Group
    } else if classes.iter().any(person) || classes.iter().all(|class| class == "top") {
        Class::Person
    } else {
        Class::Other
    }
}

/// Returns what forbids to read an entry.
pub(super) fn fault(lines: &[Line]) -> Option<&'static str> {
    if lines.iter().any(|line| line.kind == LineKind::Malformed) {
        return Some("a line is no attribute");
    }
    if !lines
        .iter()
        .find(|line| line.kind != LineKind::Comment)
        .is_some_and(|line| line.is("dn"))
    {
        return Some("it does not start with `dn:`");
    }
    if lines.iter().filter(|line| line.is("dn")).count() > 1 {
        return Some("a second entry follows without a blank line");
    }
    if lines.iter().any(|line| line.is("changetype")) {
        return Some("it is a change of a directory, no entry");
    }
    None
}

pub(super) fn has_content(lines: &[Line]) -> bool {
    let empty = |line: &Line| line.value.is_empty() || line.is("dn") || line.is("objectclass");
    lines.iter().any(|line| !empty(line))
}

pub(super) fn occurrence(name: &str, count: usize) -> String {
    if count == 1 {
        name.to_owned()
    } else {
        format!("{name}#{count}")
    }
}

/// Returns whether a value may stand as it is (RFC 2849, SAFE-STRING; no space at the end).
pub(super) fn is_safe(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii() && !matches!(byte, 0 | b'\r' | b'\n'));
    plain && !text.starts_with([' ', ':', '<']) && !text.ends_with(' ')
}

/// Escapes a value for a distinguished name (RFC 4514 §2.4).
pub(super) fn escape_dn(text: &str) -> String {
    let mut out = String::new();
    for (at, character) in text.char_indices() {
        let edge = (at == 0 && matches!(character, ' ' | '#')) || (at + 1 == text.len() && character == ' ');
        if edge || matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=') {
            out.push('\\');
        }
        out.push(if matches!(character, '\r' | '\n' | '\0') {
            ' '
        } else {
            character
        });
    }
    out
}
