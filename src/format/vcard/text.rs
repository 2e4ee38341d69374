//! Values as text: escapes, transport encodings, and laying a property out as lines.
//!
//! Every encoder here has the decoder that undoes it. Sources of the rules: vCard 2.1 §2.1, RFC 2426 §4,
//! RFC 6350 §3.3 and §3.4, RFC 6868.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::token::decode_bytes;

/// The longest line in bytes without its end (RFC 6350 §3.2, "SHOULD be folded to 75 octets").
const FOLD_BYTES: usize = 75;

/// The version of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// vCard 2.1 (versit).
    V21,
    /// RFC 2426.
    V30,
    /// RFC 6350.
    V40,
}

impl Version {
    /// Reads the value of VERSION; anything unknown is read as 3.0, which most writers mean.
    pub(super) fn read(text: &str) -> Self {
        match text.trim() {
            "2.1" => Self::V21,
            "4.0" => Self::V40,
            _ => Self::V30,
        }
    }

    /// Returns the value of VERSION.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V21 => "2.1",
            Self::V30 => "3.0",
            Self::V40 => "4.0",
        }
    }
}

/// How the lines of a card look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// The version.
    pub(super) version: Version,
    /// The line end.
    pub(super) line_end: &'static str,
    /// Whether long lines are folded.
    pub(super) folds: bool,
    /// The charset of lines that name none, where it is not UTF-8.
    pub(super) legacy: bool,
}

/// A value before escaping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// One text.
    Text(String),
    /// Texts separated by `,`.
    List(Vec<String>),
    /// Fields separated by `;`, each of texts separated by `,`.
    Fields(Vec<Vec<String>>),
    /// A URI or another value without text escapes.
    Uri(String),
    /// A value whose escapes are kept as they are.
    Raw(String),
    /// Base 64.
    Base64(String),
}

/// A property before it is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// Group, as written.
    pub(super) group: Option<String>,
    /// Name, as written.
    pub(super) name: String,
    /// Parameters, as written, each without its `;`.
    pub(super) params: Vec<String>,
    /// The value with its escapes.
    pub(super) value: String,
    /// Whether the value is base 64.
    pub(super) base64: bool,
    /// The charset that the line names or its card implies.
    pub(super) charset: Option<&'static Encoding>,
}

/// Normalizes line ends inside a text to LF.
pub(super) fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

fn escape(text: &str, version: Version, out: &mut String, in_field: bool) {
    let text = with_line_feeds(text);
    let mut rest: &str = &text;
    while let Some(at) = rest.find(['\\', '\n', ';', ',']) {
        let (before, special) = rest.split_at(at);
        out.push_str(before);
        let (special, after) = special.split_at(1);
        out.push_str(match special {
            "\\" => "\\\\",
            "\n" if version != Version::V21 => "\\n",
            ";" if version != Version::V21 || in_field => "\\;",
            "," if version != Version::V21 => "\\,",
            other => other,
        });
        rest = after;
    }
    out.push_str(rest);
}

impl Content {
    /// Returns the value with escapes; line breaks stay in 2.1, where only the transport encodes them.
    pub(super) fn escaped(&self, version: Version) -> String {
        let mut out = String::new();
        match self {
            Self::Text(text) => escape(text, version, &mut out, false),
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    let mut escaped = String::new();
                    escape(item, version, &mut escaped, true);
                    out.push_str(&if version == Version::V21 {
                        escaped.replace(',', "\\,")
                    } else {
                        escaped
                    });
                }
            }
            Self::Fields(fields) => {
                for (at, items) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(';');
                    }
                    for (at, item) in items.iter().enumerate() {
                        if at > 0 {
                            out.push(',');
                        }
                        escape(item, version, &mut out, true);
                    }
                }
            }
            Self::Uri(text) => {
                let text = with_line_feeds(text).replace('\\', "\\\\");
                out = if version == Version::V21 {
                    text
                } else {
                    text.replace('\n', "\\n")
                };
            }
            Self::Raw(text) => out = raw_for(&with_line_feeds(text), version),
            Self::Base64(text) => out.clone_from(text),
        }
        out
    }
}

/// Writes a value with escapes for a version: 2.1 has no `\n`.
fn raw_for(text: &str, version: Version) -> String {
    if version != Version::V21 {
        return text.replace('\n', "\\n");
    }
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, if character == '\\' { characters.next() } else { None }) {
            ('\\', Some('n' | 'N')) => out.push('\n'),
            ('\\', Some(next)) => out.extend(['\\', next]),
            _ => out.push(character),
        }
    }
    out
}

/// Reads a value whose meaning is not known: escapes stay, line breaks become `\n`.
pub(super) fn raw_text(text: &str) -> String {
    let mut out = String::new();
    let text = with_line_feeds(text);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, if character == '\\' { characters.next() } else { None }) {
            ('\\', Some('N')) | ('\n', _) => out.push_str("\\n"),
            ('\\', Some(next)) => out.extend(['\\', next]),
            _ => out.push(character),
        }
    }
    out
}

/// Removes the escapes of a text. `line_breaks` says whether `\n` is one.
pub(super) fn unescape(text: &str, line_breaks: bool) -> Cow<'_, str> {
    if !text.contains('\\') {
        return with_line_feeds(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n' | 'N') if line_breaks => out.push('\n'),
            Some(next @ ('\\' | ';' | ',' | ':' | '"')) => out.push(next),
            Some(next) => out.extend(['\\', next]),
            None => out.push('\\'),
        }
    }
    match with_line_feeds(&out) {
        Cow::Borrowed(_) => Cow::Owned(out),
        Cow::Owned(out) => Cow::Owned(out),
    }
}

/// Splits at a separator that no backslash precedes.
pub(super) fn split_escaped<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    // Bytes of characters beyond ASCII are none of those looked for.
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte.is_ascii() && separators.contains(&char::from(byte)) {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Writes a parameter; names its values bare where 2.1 does so.
pub(super) fn param<T: AsRef<str>>(name: &str, values: &[T], version: Version) -> String {
    if version == Version::V21 && name == "TYPE" {
        let bare: Vec<String> = values.iter().map(|value| quote(value.as_ref())).collect();
        return bare.join(";");
    }
    let values: Vec<String> = values.iter().map(|value| quote(value.as_ref())).collect();
    format!("{name}={}", values.join(","))
}

fn quote(value: &str) -> String {
    let needs_nothing = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if value.bytes().all(needs_nothing) {
        return value.to_owned();
    }
    let mut out = String::new();
    for character in with_line_feeds(value).chars() {
        match character {
            '^' => out.push_str("^^"),
            '\n' => out.push_str("^n"),
            '"' => out.push_str("^'"),
            _ => out.push(character),
        }
    }
    let plain = !out.contains([',', ';', ':']) && out.trim() == out;
    if plain { out } else { format!("\"{out}\"") }
}

impl Property {
    /// Lays the property out as one or more lines.
    pub(super) fn lines(&self, style: Style) -> Vec<u8> {
        let params: usize = self.params.iter().map(|param| param.len() + 1).sum();
        let mut header = String::with_capacity(self.name.len() + params + 16);
        if let Some(group) = &self.group {
            header.push_str(group);
            header.push('.');
        }
        header.push_str(&self.name);
        for param in &self.params {
            header.push(';');
            header.push_str(param);
        }
        if self.base64 {
            return self.base64_lines(header, style);
        }
        let legacy = self.charset.filter(|charset| *charset != UTF_8);
        let legacy = legacy.or_else(|| style.legacy.then_some(WINDOWS_1252));
        let bytes = encode(&self.value, legacy);
        if style.version == Version::V21 && needs_quoting(&self.value) {
            return quoted_printable_lines(header, &bytes, self.charset, style);
        }
        header.push(':');
        let mut line = encode(&header, legacy).into_owned();
        line.extend_from_slice(&bytes);
        fold(&line, style)
    }

    fn base64_lines(&self, mut header: String, style: Style) -> Vec<u8> {
        header.push(':');
        header.push_str(&self.value);
        let mut out = fold(header.as_bytes(), Style { folds: true, ..style });
        if style.version == Version::V21 {
            out.extend_from_slice(style.line_end.as_bytes());
        }
        out
    }
}

/// Encodes in a legacy charset if that is read back as the same text, else as UTF-8.
fn encode<'a>(text: &'a str, legacy: Option<&'static Encoding>) -> Cow<'a, [u8]> {
    if let Some(encoding) = legacy.filter(|_| !text.is_ascii()) {
        let (bytes, _, lost) = encoding.encode(text);
        let guessed = encoding == WINDOWS_1252 && decode_bytes(&bytes, None) != text;
        if !lost && !guessed && decode_bytes(&bytes, Some(encoding)) == text {
            return bytes;
        }
    }
    Cow::Borrowed(text.as_bytes())
}

fn needs_quoting(value: &str) -> bool {
    !value.is_ascii() || value.contains(|character: char| character.is_control() && character != '\t')
}

fn quoted_printable_lines(
    mut header: String,
    bytes: &[u8],
    charset: Option<&'static Encoding>,
    style: Style,
) -> Vec<u8> {
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    if !bytes.is_ascii() && (charset.is_none() || is_utf8) {
        let name = if is_utf8 {
            "UTF-8"
        } else {
            charset.unwrap_or(WINDOWS_1252).name()
        };
        header.push_str(";CHARSET=");
        header.push_str(name);
    } else if let Some(charset) = charset.filter(|_| !bytes.is_ascii()) {
        header.push_str(";CHARSET=");
        header.push_str(charset.name());
    }
    header.push_str(";ENCODING=QUOTED-PRINTABLE:");
    let mut out = header.into_bytes();
    let mut column = out.len();
    for (at, byte) in bytes.iter().enumerate() {
        let token = match byte {
            b'\n' => "=0D=0A".to_owned(),
            b' ' if at + 1 < bytes.len() => " ".to_owned(),
            b'!'..=b'<' | b'>'..=b'~' => char::from(*byte).to_string(),
            _ => format!("={byte:02X}"),
        };
        if column + token.len() > FOLD_BYTES {
            out.push(b'=');
            out.extend_from_slice(style.line_end.as_bytes());
            column = 0;
        }
        column += token.len();
        out.extend_from_slice(token.as_bytes());
    }
    out.extend_from_slice(style.line_end.as_bytes());
    out
}

/// Folds a line without splitting a character of UTF-8, and ends it.
pub(super) fn fold(line: &[u8], style: Style) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len() + line.len() / FOLD_BYTES * 3 + 2);
    if !style.folds || line.len() <= FOLD_BYTES {
        out.extend_from_slice(line);
        out.extend_from_slice(style.line_end.as_bytes());
        return out;
    }
    let mut column = 0;
    for (at, byte) in line.iter().enumerate() {
        let starts_character = byte & 0xC0 != 0x80;
        let width = line.get(at + 1..).unwrap_or_default();
        let width = 1 + width.iter().take(3).take_while(|next| *next & 0xC0 == 0x80).count();
        if starts_character && column + width > FOLD_BYTES {
            out.extend_from_slice(style.line_end.as_bytes());
            out.push(b' ');
            column = 1;
        }
        column += 1;
        out.push(*byte);
    }
    out.extend_from_slice(style.line_end.as_bytes());
    out
}
