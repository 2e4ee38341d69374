//! Content lines: where they begin and end in the bytes of a card, and what they consist of.
//!
//! Works on bytes, since a fold may split a character (RFC 6350 §3.2); decodes each line by itself, since one
//! file may mix charsets. Every byte of the card belongs to exactly one line, so that lines can be kept as they are.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::model::Text;

/// One content line, with the physical lines it was folded into.
#[derive(Debug, Clone)]
pub(super) struct Line<'b> {
    /// Where it starts in the card.
    pub(super) start: usize,
    /// Where the next one starts.
    pub(super) end: usize,
    /// The group, as written.
    pub(super) group: Option<Text>,
    /// The property name in upper case; empty for bytes that are no property.
    pub(super) name: Text,
    /// The property name as written.
    pub(super) spelling: Text,
    /// The parameters in order.
    pub(super) params: Vec<Param>,
    /// The value, unfolded but in its transport encoding.
    pub(super) raw: Cow<'b, [u8]>,
    /// How the value is encoded.
    pub(super) transport: Transport,
    /// The charset that the line names, if it is known.
    pub(super) charset: Option<&'static Encoding>,
    /// Whether it is spread over several physical lines.
    pub(super) folded: bool,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Param {
    /// Its name in upper case; bare words of 2.1 get the name that they stand for.
    pub(super) name: Text,
    /// Its values, unquoted and without RFC 6868 escapes.
    pub(super) values: Vec<Text>,
    /// Its text as written, without the `;` before it.
    pub(super) written: Text,
    /// Whether it is a bare word.
    pub(super) bare: bool,
}

/// How a value is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// As it is.
    Plain,
    /// `=C3=A4` (2.1).
    QuotedPrintable,
    /// Base 64.
    Base64,
}

/// A line of the file: start, end of the content, end with the line end.
pub(super) type Physical = (usize, usize, usize);

/// Splits bytes at CRLF, LF, or, in bytes without any LF, at CR.
pub(super) fn physical_lines(bytes: &[u8]) -> Vec<Physical> {
    each_physical_line(bytes).collect()
}

/// Walks over the same lines one by one: a list of the lines of a large file is as large as the file.
pub(super) fn each_physical_line(bytes: &[u8]) -> impl Iterator<Item = Physical> + '_ {
    let end_byte = if memchr::memchr(b'\n', bytes).is_some() {
        b'\n'
    } else {
        b'\r'
    };
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let (content, end) = match memchr::memchr(end_byte, rest) {
            Some(at) => (start + at, start + at + 1),
            None => (bytes.len(), bytes.len()),
        };
        let text = bytes.get(start..content).unwrap_or_default();
        let trimmed = text.len() - text.iter().rev().take_while(|byte| **byte == b'\r').count();
        let line = (start, start + trimmed, end);
        start = end;
        Some(line)
    })
}

/// Returns whether a physical line delimits a card with `word` (`BEGIN` or `END`).
pub(super) fn is_delimiter(content: &[u8], word: &str) -> bool {
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let Some((head, tail)) = content.split_at_checked(word.len()) else {
        return false;
    };
    head.eq_ignore_ascii_case(word.as_bytes())
        && tail
            .trim_ascii()
            .strip_prefix(b":")
            .is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"VCARD"))
}

/// Returns whether a physical line is an `AGENT` whose card follows on the next lines (2.1 §2.6).
pub(super) fn opens_agent(content: &[u8]) -> bool {
    if !content.trim_ascii_end().ends_with(b":") {
        return false;
    }
    let text = content.trim_ascii_end().to_ascii_uppercase();
    let name_at = text.iter().position(|byte| *byte == b'.').map_or(0, |at| at + 1);
    text.ends_with(b":") && (text.starts_with(b"AGENT") || text.get(name_at..).is_some_and(|n| n.starts_with(b"AGENT")))
}

/// Reads the lines of a card; they cover its bytes without gaps.
pub(super) fn lines(bytes: &[u8]) -> Vec<Line<'_>> {
    let mut reader = Reader {
        bytes,
        physical: physical_lines(bytes),
        at: 0,
    };
    let mut lines = Vec::with_capacity(reader.physical.len());
    while reader.at < reader.physical.len() {
        lines.push(reader.line());
    }
    lines
}

struct Reader<'a> {
    bytes: &'a [u8],
    physical: Vec<Physical>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn content(&self, at: usize) -> Option<&'a [u8]> {
        let (start, end, _) = self.physical.get(at)?;
        self.bytes.get(*start..*end)
    }

    fn delimits(&self, at: usize) -> bool {
        self.content(at)
            .is_none_or(|content| is_delimiter(content, "BEGIN") || is_delimiter(content, "END"))
    }

    fn line(&mut self) -> Line<'a> {
        let first = self.at;
        let start = self.physical.get(first).map_or(0, |line| line.0);
        let content = self.content(first).unwrap_or_default();
        // Without quotes the header is all there when its colon is.
        let header = header_end(content).filter(|at| !content.get(..*at).unwrap_or_default().contains(&b'"'));
        let known = header.map(|at| parse_header(content.get(..at).unwrap_or_default()));
        let nests = opens_agent(content) && self.content(first + 1).is_some_and(|next| is_delimiter(next, "BEGIN"));
        let mut buffer = Cow::Borrowed(content);
        self.at += 1;
        if nests {
            self.nested_card(buffer.to_mut());
        } else if !content.trim_ascii().is_empty() && !is_delimiter(content, "BEGIN") && !is_delimiter(content, "END") {
            self.unfold(&mut buffer, known.as_ref().map(|line| line.transport));
        }
        let end = self
            .physical
            .get(self.at.wrapping_sub(1))
            .map_or(self.bytes.len(), |line| line.2);
        let mut line = match (known, header) {
            (Some(mut line), Some(at)) => {
                line.raw = behind(buffer, at);
                line
            }
            _ => parse(buffer),
        };
        line.folded = self.at - first > 1;
        (line.start, line.end) = (start, end);
        line
    }

    /// Takes the card behind `AGENT:` as its value.
    fn nested_card(&mut self, buffer: &mut Vec<u8>) {
        let mut depth = 0_usize;
        while let Some(content) = self.content(self.at) {
            if is_delimiter(content, "BEGIN") {
                depth += 1;
            }
            buffer.extend_from_slice(content);
            self.at += 1;
            if is_delimiter(content, "END") {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            buffer.push(b'\n');
        }
    }

    /// Takes the further physical lines of a line. With quotes in the header only the whole line tells where that ends;
    /// else `settled` says how the value is carried.
    fn unfold(&mut self, buffer: &mut Cow<'_, [u8]>, settled: Option<Transport>) {
        while let Some(next) = self.content(self.at) {
            let transport = settled.or_else(|| {
                let header = header_end(buffer).map(|at| buffer.get(..at).unwrap_or_default());
                header.map(|header| parse_header(header).transport)
            });
            if transport == Some(Transport::QuotedPrintable) && buffer.ends_with(b"=") && !self.delimits(self.at) {
                let buffer = buffer.to_mut();
                buffer.pop();
                buffer.extend_from_slice(next);
            } else if next.starts_with(b" ") || next.starts_with(b"\t") {
                buffer.to_mut().extend_from_slice(next.get(1..).unwrap_or_default());
            } else if transport == Some(Transport::Base64) {
                // 2.1 wrote base64 without indenting it and closed it with an empty line.
                let text = next.trim_ascii();
                let is_data = text
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
                if !is_data {
                    break;
                }
                buffer.to_mut().extend_from_slice(text);
                self.at += 1;
                if text.is_empty() {
                    break;
                }
                continue;
            } else {
                break;
            }
            self.at += 1;
        }
    }
}

/// Returns where the first colon outside quotes is.
fn header_end(bytes: &[u8]) -> Option<usize> {
    if memchr::memchr2(b'"', b':', bytes).is_some_and(|at| bytes.get(at) == Some(&b':')) {
        return memchr::memchr(b':', bytes);
    }
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b':' if !quoted => return Some(at),
            _ => {}
        }
    }
    // A stray quote must not swallow the value.
    bytes.iter().position(|byte| *byte == b':')
}

/// Returns what follows position `at` of a line.
fn behind(buffer: Cow<'_, [u8]>, at: usize) -> Cow<'_, [u8]> {
    match buffer {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(at + 1..).unwrap_or_default()),
        Cow::Owned(bytes) => Cow::Owned(bytes.get(at + 1..).unwrap_or_default().to_vec()),
    }
}

fn parse(buffer: Cow<'_, [u8]>) -> Line<'_> {
    let Some(at) = header_end(&buffer) else {
        return Line {
            raw: buffer,
            ..empty_line()
        };
    };
    let mut line = parse_header(buffer.get(..at).unwrap_or_default());
    line.raw = behind(buffer, at);
    line
}

fn empty_line() -> Line<'static> {
    Line {
        start: 0,
        end: 0,
        group: None,
        name: Text::default(),
        spelling: Text::default(),
        params: Vec::new(),
        raw: Cow::Borrowed(&[]),
        transport: Transport::Plain,
        charset: None,
        folded: false,
    }
}

fn parse_header(header: &[u8]) -> Line<'static> {
    let header = decode_bytes(header, None);
    let mut parts = split_unquoted(&header, b';');
    let full = parts.next().unwrap_or_default();
    let (group, name) = match full.split_once('.') {
        Some((group, name)) => (Some(group.trim()), name),
        None => (None, full),
    };
    let mut line = empty_line();
    line.group = group.filter(|group| !group.is_empty()).map(Text::from);
    line.spelling = name.into();
    line.name = upper(name.trim().trim_start_matches('\u{FEFF}'));
    for part in parts {
        let param = parse_param(part);
        match (param.name.as_str(), param.values.first()) {
            ("ENCODING", Some(word)) => match upper(word).as_str() {
                "QUOTED-PRINTABLE" | "Q" => line.transport = Transport::QuotedPrintable,
                "BASE64" | "B" => line.transport = Transport::Base64,
                _ => {}
            },
            ("CHARSET", Some(label)) => line.charset = Encoding::for_label(label.as_bytes()).or(line.charset),
            _ => {}
        }
        line.params.push(param);
    }
    line
}

/// Splits at an ASCII character that does not stand in quotes.
fn split_unquoted(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let mut from = 0;
        let end = loop {
            let found = memchr::memchr2(b'"', separator, text.as_bytes().get(from..)?);
            match found.map(|at| from + at) {
                Some(at) if text.as_bytes().get(at) == Some(&b'"') => quoted = !quoted,
                Some(at) if !quoted => break Some(at),
                Some(_) => {}
                None => break None,
            }
            from += found.unwrap_or_default() + 1;
        };
        // Both characters are ASCII, so the parts are whole characters.
        let (part, after) = match end {
            Some(at) => (text.get(..at)?, text.get(at + 1..)),
            None => (text, None),
        };
        rest = after;
        Some(part)
    })
}

/// Returns a word in ASCII upper case.
fn upper(word: &str) -> Text {
    if word.bytes().any(|byte| byte.is_ascii_lowercase()) {
        word.to_ascii_uppercase().into()
    } else {
        word.into()
    }
}

fn parse_param(text: &str) -> Param {
    let written = Text::from(text);
    let Some((name, values)) = text.split_once('=') else {
        let word = text.trim();
        let name = match upper(word).as_str() {
            "" => "",
            "QUOTED-PRINTABLE" | "BASE64" | "B" | "8BIT" | "7BIT" => "ENCODING",
            "INLINE" | "URL" | "CID" | "CONTENT-ID" => "VALUE",
            _ if Encoding::for_label(word.as_bytes()).is_some() => "CHARSET",
            _ => "TYPE",
        };
        return Param {
            name: name.into(),
            values: vec![word.into()],
            written,
            bare: true,
        };
    };
    let values = split_unquoted(values, b',').map(unquote).collect();
    Param {
        name: upper(name.trim()),
        values,
        written,
        bare: false,
    }
}

/// Removes quotes and the escapes of RFC 6868.
fn unquote(value: &str) -> Text {
    let value = value.trim();
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value);
    if !inner.contains('^') {
        return inner.into();
    }
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        let decoded = match (character, characters.peek()) {
            ('^', Some('n' | 'N')) => '\n',
            ('^', Some('^')) => '^',
            ('^', Some('\'')) => '"',
            _ => {
                out.push(character);
                continue;
            }
        };
        characters.next();
        out.push(decoded);
    }
    out.into()
}

/// Decodes bytes by the charset that is named, else as UTF-8, else as windows-1252, which takes every byte.
pub(super) fn decode_bytes<'b>(bytes: &'b [u8], charset: Option<&'static Encoding>) -> Cow<'b, str> {
    if let Some(encoding) = charset.filter(|encoding| *encoding != UTF_8)
        && let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return text;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

impl Line<'_> {
    /// Returns the value without its transport encoding; base64 stays as its text.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self.transport {
            Transport::Plain => decode_bytes(&self.raw, self.charset),
            Transport::QuotedPrintable => decode_bytes(&decode_quoted_printable(&self.raw), self.charset)
                .into_owned()
                .into(),
            Transport::Base64 => decode_bytes(&self.raw, None).split_ascii_whitespace().collect(),
        }
    }

    /// Returns whether the value was read as windows-1252 for want of anything better.
    pub(super) fn is_guessed(&self) -> bool {
        let is_text = match self.transport {
            Transport::QuotedPrintable => std::str::from_utf8(&decode_quoted_printable(&self.raw)).is_ok(),
            _ => std::str::from_utf8(&self.raw).is_ok(),
        };
        self.charset.is_none_or(|charset| charset == UTF_8) && !is_text
    }

    /// Returns the values of all parameters with this name.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let params = self.params.iter().filter(move |param| param.name == name);
        params.flat_map(|param| param.values.iter().map(Text::as_str))
    }

    /// Returns the first value of a parameter.
    pub(super) fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }
}

/// Decodes `=XX`; anything else stays as it is.
fn decode_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).filter(|_| *byte == b'=');
        let decoded = hex.and_then(|hex| data_encoding::HEXUPPER_PERMISSIVE.decode(hex).ok());
        if let Some(decoded) = decoded {
            out.extend_from_slice(&decoded);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    out
}
