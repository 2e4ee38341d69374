//! The XML of a workbook: elements with their places in the text.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::format::ItemError;

/// How deep elements may be nested (chosen: those that are looked at stand at most six deep, extensions some more).
const MAX_DEPTH: usize = 64;

/// What comes next in a text.
pub(super) enum Token<'x> {
    /// The start of an element; whether it is also its end.
    Open(Element<'x>, bool),
    /// The end of an element, by local name.
    Close(String),
    /// Text with references resolved.
    Text(Cow<'x, str>),
}

/// The start tag of an element.
pub(super) struct Element<'x> {
    start: BytesStart<'x>,
    /// Its local name.
    pub(super) name: String,
}

impl Element<'_> {
    /// Returns an attribute by its local name.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.start.attributes();
        let found = attributes
            .with_checks(false)
            .flatten()
            .find(|one| one.key.local_name().as_ref() == name)?;
        unescape(&found.value).ok().map(Cow::into_owned)
    }

    /// Returns what stands before the local name: a prefix and its colon, or nothing.
    pub(super) fn prefix(&self) -> String {
        let name = self.start.name().as_ref().to_owned();
        name.strip_suffix(self.name.as_str()).unwrap_or_default().to_owned()
    }
}

/// Walks over a text, element by element.
pub(super) struct Walker<'x> {
    reader: Reader<&'x [u8]>,
    depth: usize,
}

impl<'x> Walker<'x> {
    pub(super) fn new(text: &'x str) -> Self {
        Self {
            reader: Reader::from_str(text),
            depth: 0,
        }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// Returns the next token and where it stands; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Token<'x>, Range<usize>)>, ItemError> {
        loop {
            let from = self.position();
            let event = self.reader.read_event();
            let event = event.map_err(|error| ItemError::new(format!("its XML is broken: {error}")))?;
            let span = from..self.position();
            let token = match event {
                Event::Eof => return Ok(None),
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(ItemError::new(format!(
                            "its XML is nested deeper than {MAX_DEPTH} levels"
                        )));
                    }
                    Token::Open(element(start), false)
                }
                Event::Empty(start) => Token::Open(element(start), true),
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    Token::Close(end.local_name().as_ref().to_owned())
                }
                Event::Text(text) => Token::Text(text.xml10_content().into_owned().into()),
                Event::CData(text) => Token::Text(text.xml10_content().into_owned().into()),
                Event::GeneralRef(reference) => {
                    let spelled = format!("&{};", reference.xml10_content());
                    let text = unescape(&spelled).map_err(|error| ItemError::new(error.to_string()))?;
                    Token::Text(text.into_owned().into())
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            };
            return Ok(Some((token, span)));
        }
    }
}

fn element(start: BytesStart<'_>) -> Element<'_> {
    Element {
        name: start.local_name().as_ref().to_owned(),
        start,
    }
}

/// Decodes the escapes that spreadsheets use for characters XML cannot have: `_x000D_`.
pub(super) fn decode_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        out.push_str(before);
        let code = after.get(..4).filter(|_| after.as_bytes().get(4) == Some(&b'_'));
        let letter = code
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        if let Some(letter) = letter {
            out.push(letter);
            rest = after.get(5..).unwrap_or_default();
        } else {
            out.push_str("_x");
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Spells a text as content of an element, with those escapes.
pub(super) fn encode_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '_' if decode_escapes(text.get(at..at + 7).unwrap_or_default()).chars().count() == 1 => {
                out.push_str("_x005F_");
            }
            '\t' | '\n' => out.push(letter),
            control if control < ' ' || matches!(control, '\u{FFFE}' | '\u{FFFF}') => {
                let _never_fails = write!(out, "_x{:04X}_", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_come_back(text in "([a-f_x0-9]|\\PC|[\\x00-\\x1f&<>]){0,20}") {
            let xml = format!("<t>{}</t>", encode_text(&text));
            let mut walker = Walker::new(&xml);
            let mut found = String::new();
            while let Some((token, _)) = walker.next().unwrap() {
                if let Token::Text(part) = token {
                    found.push_str(&part);
                }
            }
            prop_assert_eq!(decode_escapes(&found), text);
        }
    }

    #[test]
    fn depth_has_a_limit() {
        let deep = "<a>".repeat(100);
        let mut walker = Walker::new(&deep);
        assert!(std::iter::from_fn(|| walker.next().transpose()).any(|token| token.is_err()));
    }
}
