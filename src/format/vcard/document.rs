//! A file of cards: where each one is, and the file after a change.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::adopt;
use super::patch;
use super::read::Card;
use super::text::{Style, Version};
use super::token::{each_physical_line, is_delimiter, opens_agent};
use super::write;
use crate::format::{
    Bindings, Broken, Document, Edit, FormatError, ItemError, NewItems, Old, Parsed, Put, RawItem, Span, appended,
};
use crate::model::{Domain, Hash, Value};

/// How the characters of a file are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Units {
    /// UTF-8 or a single-byte charset; each line decides for itself.
    Bytes,
    /// UTF-16, least significant byte first.
    LittleEndian,
    /// UTF-16, most significant byte first.
    BigEndian,
}

/// A file of cards.
#[derive(Debug)]
pub(super) struct VcardDocument {
    bytes: Vec<u8>,
    units: Units,
    items: Vec<Span>,
    broken: Vec<Broken>,
    is_complete: bool,
    /// How new cards look; an empty file has one, for others it is read off when it is needed.
    style: OnceLock<Style>,
    /// The bytes written last and what they say: whoever writes an item asks next what it shows.
    written: Mutex<Option<(Vec<u8>, Parsed)>>,
}

impl VcardDocument {
    /// Makes an empty file.
    pub(super) fn empty(version: Version) -> Self {
        Self {
            bytes: Vec::new(),
            units: Units::Bytes,
            items: Vec::new(),
            broken: Vec::new(),
            is_complete: true,
            style: OnceLock::from(Style {
                version,
                line_end: "\r\n",
                folds: true,
                legacy: false,
            }),
            written: Mutex::default(),
        }
    }

    /// Finds the cards of a file.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, FormatError> {
        let units = units_of(&bytes);
        let mut document = Self {
            units,
            style: OnceLock::new(),
            ..Self::empty(Version::V30)
        };
        // Offsets in the UTF-8 text are taken back to the file at line starts.
        let text = decode(&bytes, units);
        let offsets = Offsets::new(&text, units, bytes.len());
        document.split(&text, &bytes, &offsets);
        let is_blank = text
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(&text)
            .trim_ascii()
            .is_empty();
        if document.items.is_empty() && document.broken.is_empty() && !is_blank {
            return Err(FormatError::Malformed {
                line: 1,
                reason: "no BEGIN:VCARD in the file".to_owned(),
            });
        }
        drop(text);
        document.bytes = bytes;
        Ok(document)
    }

    fn look(&self) -> Style {
        *self.style.get_or_init(|| file_style(&decode(&self.bytes, self.units)))
    }

    fn split(&mut self, text: &[u8], bytes: &[u8], offsets: &Offsets) {
        let mut open: Option<(usize, u64)> = None;
        let mut depth = 0_usize;
        let mut after_agent = false;
        for (number, (start, content_end, end)) in (1_u64..).zip(each_physical_line(text)) {
            let content = text.get(start..content_end).unwrap_or_default();
            if is_delimiter(content, "BEGIN") {
                if open.is_some() && (after_agent || depth > 0) {
                    depth += 1;
                } else {
                    if let Some((from, line)) = open {
                        self.break_off(bytes, offsets.at(from), offsets.at(start), line, "END:VCARD is missing");
                    }
                    let mark = if content.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
                    open = Some((start + mark, number));
                    depth = 0;
                }
            } else if is_delimiter(content, "END") {
                if depth > 0 {
                    depth -= 1;
                } else if let Some((from, line)) = open.take() {
                    self.items.push(Span {
                        start: offsets.at(from),
                        end: offsets.at(end),
                        line,
                    });
                }
            }
            after_agent = if content.trim_ascii().is_empty() {
                after_agent
            } else {
                opens_agent(content)
            };
        }
        if let Some((from, line)) = open {
            self.break_off(
                bytes,
                offsets.at(from),
                bytes.len(),
                line,
                "the file ends inside the card",
            );
            self.is_complete = false;
        }
        // A file that is just being written may end within the line that opens the next card.
        let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let opening = b"BEGIN:VCARD".get(..last.len());
        if !last.is_empty() && opening.is_some_and(|opening| opening.eq_ignore_ascii_case(last)) {
            self.is_complete = false;
        }
    }

    fn break_off(&mut self, bytes: &[u8], start: usize, end: usize, line: u64, reason: &str) {
        let bytes = bytes.get(start..end).unwrap_or_default().to_vec();
        self.broken.push(Broken {
            line,
            reason: reason.to_owned(),
            bytes,
        });
    }

    /// Gives an item the characters of the file and remembers what it says.
    fn finish(&self, mut put: Put, parsed: Parsed) -> Put {
        if self.units == Units::Bytes {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            *written = Some((put.bytes.clone(), parsed));
        } else {
            put.bytes = self.encode(put.bytes);
        }
        put
    }

    fn encode(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.units == Units::Bytes {
            return bytes;
        }
        encode(&bytes, self.units).unwrap_or(bytes)
    }
}

/// Returns the version that most cards of a file have, and how the first of them is laid out.
fn file_style(text: &[u8]) -> Style {
    let mut counts = [(0_usize, Version::V21), (0, Version::V30), (0, Version::V40)];
    for (start, end, _) in each_physical_line(text) {
        let content = text.get(start..end).unwrap_or_default().trim_ascii();
        if let Some((name, version)) = content.split_at_checked(b"VERSION:".len())
            && name.eq_ignore_ascii_case(b"VERSION:")
        {
            let version = Version::read(&String::from_utf8_lossy(&version.to_ascii_uppercase()));
            counts
                .iter_mut()
                .filter(|(_, known)| *known == version)
                .for_each(|(count, _)| *count += 1);
        }
    }
    let card = Card::read(b"");
    let style = write::style_of(text, &card);
    let line_end = if text.contains(&b'\n') || text.contains(&b'\r') {
        style.line_end
    } else {
        "\r\n"
    };
    // Among equal counts 3.0 is what most programs read.
    let best = counts
        .iter()
        .max_by_key(|(count, version)| (*count, *version == Version::V30));
    Style {
        version: best.map_or(Version::V30, |(_, version)| *version),
        line_end,
        folds: true,
        legacy: false,
    }
}

fn units_of(bytes: &[u8]) -> Units {
    match bytes {
        [0xFF, 0xFE, ..] | [b'B' | b'b', 0, b'E' | b'e', 0, ..] => Units::LittleEndian,
        [0xFE, 0xFF, ..] | [0, b'B' | b'b', 0, b'E' | b'e', ..] => Units::BigEndian,
        _ => Units::Bytes,
    }
}

fn decode(bytes: &[u8], units: Units) -> Cow<'_, [u8]> {
    let pair = |pair: &[u8]| match (pair, units) {
        ([low, high], Units::LittleEndian) => u16::from_le_bytes([*low, *high]),
        ([high, low], _) => u16::from_be_bytes([*high, *low]),
        _ => 0xFFFD,
    };
    if units == Units::Bytes {
        return Cow::Borrowed(bytes);
    }
    let decoded = char::decode_utf16(bytes.chunks(2).map(pair));
    let text: String = decoded.map(|character| character.unwrap_or('\u{FFFD}')).collect();
    Cow::Owned(text.into_bytes())
}

fn encode(bytes: &[u8], units: Units) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(match units {
        Units::Bytes => bytes.to_vec(),
        Units::LittleEndian => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Units::BigEndian => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    })
}

/// Where the line starts of decoded text lie in the file.
struct Offsets {
    starts: Vec<(usize, usize)>,
}

impl Offsets {
    fn new(text: &[u8], units: Units, file_bytes: usize) -> Self {
        if units == Units::Bytes {
            return Self { starts: Vec::new() };
        }
        let mut starts = Vec::new();
        let mut at = 0;
        for (start, _, end) in each_physical_line(text) {
            starts.push((start, at));
            let mark = if text.get(start..).is_some_and(|rest| rest.starts_with(b"\xEF\xBB\xBF")) {
                2
            } else {
                0
            };
            if mark > 0 {
                starts.push((start + 3, at + mark));
            }
            let line = String::from_utf8_lossy(text.get(start..end).unwrap_or_default());
            at += line.encode_utf16().count() * 2;
            starts.push((end, at.min(file_bytes)));
        }
        Self { starts }
    }

    fn at(&self, offset: usize) -> usize {
        if self.starts.is_empty() {
            return offset;
        }
        let found = self.starts.partition_point(|(text, _)| *text <= offset);
        self.starts.get(found.saturating_sub(1)).map_or(0, |(_, file)| *file)
    }
}

impl Document for VcardDocument {
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
        Hash::of(Domain::Value, b"vcard codec 1")
    }

    fn style(&self) -> String {
        self.look().version.name().to_owned()
    }

    fn parse(&self, bytes: &[u8]) -> Result<Parsed, ItemError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, parsed)) = written.take_if(|(known, _)| known == bytes) {
            return Ok(parsed);
        }
        drop(written);
        let text = decode(bytes, self.units);
        let first = each_physical_line(&text).next().unwrap_or_default();
        if !is_delimiter(text.get(first.0..first.1).unwrap_or_default(), "BEGIN") {
            return Err(ItemError::new("not a vCard: BEGIN:VCARD is missing"));
        }
        Ok(Card::parse(&text))
    }

    fn put(&self, record: &Value, old: Option<Old<'_>>) -> Result<Put, ItemError> {
        let Some(old) = old else {
            let (put, parsed) = write::put_new(record, self.look());
            return Ok(self.finish(put, parsed));
        };
        let text = decode(old.bytes, self.units);
        if self.units != Units::Bytes && encode(&text, self.units).as_deref() != Some(old.bytes) {
            return Err(ItemError::new(
                "the card has characters that are not UTF-16 and cannot be changed",
            ));
        }
        let empty = Bindings::new();
        let bindings = if old.bindings.is_empty() { &empty } else { old.bindings };
        let (put, parsed) = patch::put_old(record, &text, bindings);
        Ok(self.finish(put, parsed))
    }

    fn adopt(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        (self.units == Units::Bytes).then(|| adopt::adopted(bytes, self.look()))?
    }

    fn release(&mut self) {
        // An empty file has another look.
        let _look = self.look();
        self.bytes = Vec::new();
        self.items = Vec::new();
    }

    fn into_bytes(self: Box<Self>) -> Vec<u8> {
        self.bytes
    }

    fn assemble_with(&self, edits: &[Edit], more: NewItems<'_>) -> Vec<u8> {
        let mut by_item: HashMap<usize, &Edit> = HashMap::new();
        let mut added = 0;
        for edit in edits {
            match edit {
                Edit::Replace(item, bytes) => {
                    added += bytes.len();
                    by_item.insert(*item, edit);
                }
                Edit::Remove(item) => {
                    by_item.insert(*item, edit);
                }
                Edit::Append(bytes) => added += bytes.len(),
            }
        }
        let mut out = Vec::with_capacity(self.bytes.len() + added + more.length_bytes);
        let mut at = 0;
        for (index, span) in self.items.iter().enumerate() {
            let edit = by_item.get(&index).copied();
            out.extend_from_slice(self.bytes.get(at..span.start).unwrap_or_default());
            at = span.end;
            match edit {
                Some(Edit::Replace(_, bytes)) => out.extend_from_slice(bytes),
                Some(_) => {}
                None => out.extend_from_slice(self.bytes.get(span.start..span.end).unwrap_or_default()),
            }
        }
        out.extend_from_slice(self.bytes.get(at..).unwrap_or_default());
        let line_end = self.encode(self.look().line_end.as_bytes().to_vec());
        for bytes in appended(edits, more) {
            let last = if self.units == Units::Bytes { 1 } else { 2 };
            let tail = out.len().checked_sub(last).and_then(|from| out.get(from..));
            let ends_line = tail.is_none_or(|tail| tail.contains(&b'\n') || tail.contains(&b'\r'));
            if !ends_line && out != b"\xEF\xBB\xBF" {
                out.extend_from_slice(&line_end);
            }
            out.extend_from_slice(&bytes);
        }
        out
    }
}
