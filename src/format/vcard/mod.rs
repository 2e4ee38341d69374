//! vCard 2.1, 3.0 and 4.0 as one codec.
//!
//! *Owns* the way between a card's lines and a contact: `token` finds lines, `text` undoes and makes escapes
//! and encodings, `words` and `date` know vocabularies, `element` turns one property into an element and `element_out` back, `read`
//! reads a card, `render` makes and patches properties, `patch` changes an old card, `parts` writes what a card has once, `write` makes new ones, and
//! `document` is the file. *Leaves* element ids to alignment and files to places.
//! *Invariants*: every byte of a card belongs to one line; a line whose meaning a record does not change keeps
//! its bytes; a property is either wholly in the model or wholly under `/vcard`; REV, PRODID and the like
//! stay in the source. What a new line would not show when read back is not written and is reported.
//! *Fails* with [`crate::format::FormatError`] for files without any card; every card can be read.
//! *Start reading* at [`Vcard`]. Sources: vCard 2.1 (versit), RFC 2426, RFC 6350, RFC 6868, RFC 9554, RFC 9555.

mod adopt;
mod date;
mod document;
mod element;
mod element_out;
mod parts;
mod patch;
mod read;
mod render;
mod single;
mod text;
mod token;
mod words;
mod write;

use document::VcardDocument;
use text::Version;
pub(super) use write::{not_shown, uid_of};

use super::{Confidence, Document, Format, FormatError, FormatInfo};
use crate::model::Kind;

/// The format `vcard`: reads all versions; writes each card in its own, new ones in that of most of the file.
#[derive(Debug)]
pub struct Vcard {
    info: FormatInfo,
}

impl Default for Vcard {
    fn default() -> Self {
        Self {
            info: FormatInfo {
                name: "vcard".to_owned(),
                kind: Kind::Contact,
                title: "vCard 2.1, 3.0 and 4.0".to_owned(),
                folder_extension: Some("vcf"),
                has_ids: true,
            },
        }
    }
}

/// Returns the formats of this module.
pub fn formats() -> Vec<Box<dyn Format>> {
    vec![Box::new(Vcard::default())]
}

impl Format for Vcard {
    fn info(&self) -> &FormatInfo {
        &self.info
    }

    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence {
        // UTF-16 becomes readable enough without its zero bytes.
        let plain: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).collect();
        let lines = token::physical_lines(&plain);
        let marks: [&[u8]; 3] = [b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF"];
        let content = |(start, end, _): &token::Physical| {
            let line = plain.get(*start..*end).unwrap_or_default();
            marks.iter().find_map(|mark| line.strip_prefix(*mark)).unwrap_or(line)
        };
        let mut filled = lines.iter().map(content).filter(|line| !line.trim_ascii().is_empty());
        let is_begin = |line: &[u8]| token::is_delimiter(line.trim_ascii(), "BEGIN");
        let has_name = std::path::Path::new(file_name)
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("vcf") || ending.eq_ignore_ascii_case("vcard"));
        match filled.next() {
            Some(first) if is_begin(first) => Confidence::Certain,
            None if has_name => Confidence::Possible,
            Some(_) if filled.any(is_begin) => Confidence::Likely,
            _ => Confidence::No,
        }
    }

    fn open(&self, bytes: Vec<u8>) -> Result<Box<dyn Document>, FormatError> {
        Ok(Box::new(VcardDocument::open(bytes)?))
    }

    fn create(&self, style: Option<&str>) -> Box<dyn Document> {
        Box::new(VcardDocument::empty(style.map_or(Version::V30, Version::read)))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod traps;

#[cfg(test)]
pub(super) mod laws;
