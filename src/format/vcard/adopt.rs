//! Cards of other files taken over as they are.

use super::text::{Style, Version};
use super::token::each_physical_line;
use super::words;

/// Returns a card without the lines that belong to its source; `None` where its lines cannot be told apart at a glance or
/// new cards look otherwise here.
///
/// A value that spans lines without indentation (quoted-printable, base 64 of 2.1, a card inside AGENT) is such a case:
/// then a line is no property by itself, and removing one might cut a value.
pub(super) fn adopted(bytes: &[u8], style: Style) -> Option<Vec<u8>> {
    std::str::from_utf8(bytes).ok()?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut version = None;
    let mut is_left_out = false;
    let mut ends_line = false;
    for (start, content_end, end) in each_physical_line(bytes) {
        let content = bytes.get(start..content_end)?;
        let line_end = bytes.get(content_end..end)?;
        ends_line = line_end == style.line_end.as_bytes();
        if !ends_line {
            return None;
        }
        if !content.starts_with(b" ") && !content.starts_with(b"\t") {
            let name = property_name(content)?;
            if name.eq_ignore_ascii_case("VERSION") {
                let (_, text) = std::str::from_utf8(content).ok()?.split_once(':')?;
                version = Some(Version::read(text));
            }
            if is_carried_otherwise(name, content) {
                return None;
            }
            is_left_out = words::SOURCE_OWNED.iter().any(|known| name.eq_ignore_ascii_case(known));
        }
        if !is_left_out {
            out.extend_from_slice(bytes.get(start..end)?);
        }
    }
    (ends_line && version == Some(style.version)).then_some(out)
}

/// Returns the name of the property that a line begins, without its group.
fn property_name(line: &[u8]) -> Option<&str> {
    let end = memchr::memchr2(b':', b';', line)?;
    memchr::memchr(b':', line.get(end..)?)?;
    let name = std::str::from_utf8(line.get(..end)?).ok()?;
    Some(name.rsplit_once('.').map_or(name, |(_, name)| name))
}

/// Returns whether the value may go on in lines that are not indented.
fn is_carried_otherwise(name: &str, line: &[u8]) -> bool {
    if name.eq_ignore_ascii_case("AGENT") {
        return true;
    }
    // A soft line break (RFC 2045 §6.7) is an equals sign at the end; base 64 may end so too.
    let has = |word: &[u8]| line.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    line.ends_with(b"=") && (has(b"QUOTED-PRINTABLE") || has(b"ENCODING=Q"))
}
