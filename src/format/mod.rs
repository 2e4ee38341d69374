//! Formats: how bytes of an application become records, and how a changed record is patched back into them.
//!
//! *Owns* the codecs: one folder or file per family, and the mapping layer of row-shaped formats.
//! *Leaves* to `source` where bytes lie, which item is which record and what may be written.
//! *Invariants*: pure (bytes in, records out); untouched items and the untouched parts of a touched item keep
//! their bytes; no codec substitutes characters or invents parts. *Fails* with [`FormatError`] for a whole
//! file and [`ItemError`] for one item. *Start reading* at [`Format`] and [`Document`].

pub mod csv;
pub mod jscontact;
pub mod json;
pub mod rows;
mod selected;
pub mod vcard;

pub use selected::Selected;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{FieldPath, Hash, Kind, Value};

/// What a format is, for listing and choosing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatInfo {
    /// The name that `--format` takes.
    pub name: String,
    /// The kind of its records.
    pub kind: Kind,
    /// One line for people.
    pub title: String,
    /// The file name ending of an item where people keep one item per file (then a folder can be a source).
    pub folder_extension: Option<&'static str>,
    /// Whether items carry a lasting identity of their own (a UID).
    pub has_ids: bool,
}

/// How sure a format is that bytes are its own; the highest wins, a tie is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// These bytes are something else.
    No,
    /// The shape fits, the content says nothing.
    Possible,
    /// Most of what identifies the format is there.
    Likely,
    /// A signature or an exact header is there.
    Certain,
}

/// A whole file cannot be read in this format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The bytes are not of this format.
    #[error("line {line}: {reason}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A mapping file has a fault.
    #[error("mapping: {0}")]
    Mapping(String),
}

/// One item cannot be read or written; the others can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ItemError {
    /// What is wrong with the item.
    pub reason: String,
}

impl ItemError {
    /// Makes an error from a reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Which element id stands behind each provisional key, by the pointer of the element: `/phones/~0001` → `p3f…`.
pub type Bindings = BTreeMap<String, String>;

/// What a codec has read from one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The record as far as the format shows it. Elements have provisional keys (`~…`), see [`crate::model::contact`].
    pub record: Value,
    /// The item's own identity (UID), exactly as written there.
    pub native_id: Option<String>,
    /// Things worth telling that cost nothing: an undecodable character, a value that was left out.
    pub warnings: Vec<String>,
}

/// An item that cannot be understood; its bytes stay where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The line it starts at, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// One item as it stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawItem<'a> {
    /// Its bytes, delimiters included (`BEGIN:VCARD` to the line end after `END:VCARD`; a CSV row with its line end).
    pub bytes: &'a [u8],
    /// The line it starts at, from 1.
    pub line: u64,
}

/// The stretch of a file that an item takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    /// The line it starts at, from 1.
    line: u64,
}

impl Span {
    /// Returns the item at `index` of `spans` in the bytes of a file; without bytes where there is none.
    fn item<'a>(spans: &[Self], index: usize, bytes: &'a [u8]) -> RawItem<'a> {
        spans
            .get(index)
            .map_or(RawItem { bytes: &[], line: 0 }, |span| RawItem {
                bytes: bytes.get(span.start..span.end).unwrap_or_default(),
                line: span.line,
            })
    }
}

/// What an item was before a change.
#[derive(Debug, Clone, Copy)]
pub struct Old<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The element ids behind the provisional keys that [`Document::parse`] gives for these bytes.
    pub bindings: &'a Bindings,
}

/// An item that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// Its new bytes.
    pub bytes: Vec<u8>,
    /// The element ids behind the provisional keys that [`Document::parse`] gives for the new bytes.
    pub bindings: Bindings,
    /// Paths of the record that this format or item has no place for.
    pub not_shown: Vec<FieldPath>,
}

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The item at this index gets other bytes.
    Replace(usize, Vec<u8>),
    /// The item at this index goes.
    Remove(usize),
    /// A new item comes at the end.
    Append(Vec<u8>),
}

/// New items of a file, of which one at a time is held.
pub struct NewItems<'a> {
    /// The items, in order.
    pub items: Box<dyn Iterator<Item = Vec<u8>> + 'a>,
    /// About how many bytes they have together; room for so many is made at once.
    pub length_bytes: usize,
}

impl Default for NewItems<'_> {
    fn default() -> Self {
        Self {
            items: Box::new(std::iter::empty()),
            length_bytes: 0,
        }
    }
}

/// Lists the new items of `edits`, then `more`.
fn appended<'e>(edits: &'e [Edit], more: NewItems<'e>) -> impl Iterator<Item = Cow<'e, [u8]>> {
    let few = edits.iter().filter_map(|edit| match edit {
        Edit::Append(bytes) => Some(Cow::Borrowed(bytes.as_slice())),
        _ => None,
    });
    few.chain(more.items.map(Cow::Owned))
}

/// A format: recognises, opens and creates files.
pub trait Format: Send + Sync {
    /// Describes the format.
    fn info(&self) -> &FormatInfo;

    /// Tells how sure it is that the start of a file (at least 64 KiB of it, if it has so much) is of this format.
    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence;

    /// Reads the structure of a file; items are parsed on demand.
    fn open(&self, bytes: Vec<u8>) -> Result<Box<dyn Document>, FormatError>;

    /// Makes an empty file, in the style (see [`Document::style`]) of another one if given.
    fn create(&self, style: Option<&str>) -> Box<dyn Document>;

    /// Returns this format for files in an encoding that somebody stated, by a label of the Encoding Standard.
    ///
    /// `None` for a label that is unknown, and where files of this format say their encoding themselves.
    fn in_encoding(&self, _label: &str) -> Option<Box<dyn Format>> {
        None
    }

    /// Returns the encoding of new files where it cannot be told from their bytes and has to be stated from then on.
    fn new_encoding(&self) -> Option<&'static str> {
        None
    }
}

/// A file that was read: items, what lies between them, and what could not be understood.
pub trait Document: Send + Sync {
    /// Returns how many readable items there are.
    fn item_count(&self) -> usize;

    /// Returns an item; `index` is below [`Self::item_count`].
    fn item(&self, index: usize) -> RawItem<'_>;

    /// Returns the items that cannot be read.
    fn broken(&self) -> &[Broken];

    /// Returns whether the end is where it should be. Where not, or where items are broken, missing items are no deletions.
    fn is_complete(&self) -> bool;

    /// Identifies the lens: version of the codec, header, mapping. When it changes, a changed view is no edit.
    fn lens(&self) -> Hash;

    /// Names the variant that new items here are written in (for example `4.0`).
    fn style(&self) -> String;

    /// Reads the meaning of an item of this file.
    fn parse(&self, bytes: &[u8]) -> Result<Parsed, ItemError>;

    /// Writes a record (with lasting element ids, blobs in place) as an item of this file.
    ///
    /// With `old`, patches its bytes: what the record does not change keeps its bytes and order; without, makes a new item.
    /// Laws: `put(view(old), old)` returns the old bytes; parsing the result shows all of the record that is not `not_shown`.
    fn put(&self, record: &Value, old: Option<Old<'_>>) -> Result<Put, ItemError>;

    /// Returns an item of another file with the same lens as a new item of this one: the same bytes without what belongs
    /// to its source. `None` where it would have to be written otherwise here, or where that is not certain.
    ///
    /// Law: parsing the result gives what parsing `bytes` gives.
    fn adopt(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let _ = bytes;
        None
    }

    /// Widens the file's layout (columns) so that it can hold `record`; returns whether it changed. Existing columns stay in place.
    ///
    /// A format without columns has nothing to widen.
    fn grow(&mut self, _record: &Value) -> bool {
        false
    }

    /// Returns the bytes of the file after `edits` (each index at most once, any order; appended items in the order given).
    ///
    /// Broken items and everything between items stay in place.
    fn assemble(&self, edits: &[Edit]) -> Vec<u8> {
        self.assemble_with(edits, NewItems::default())
    }

    /// Returns the bytes of the file after `edits` like [`Self::assemble`], with the new items `more` behind them.
    fn assemble_with(&self, edits: &[Edit], more: NewItems<'_>) -> Vec<u8>;

    /// Writes this file with new items, piece by piece; together the pieces are what [`Self::assemble_with`] returns.
    fn write_new(&self, items: NewItems<'_>, write: &mut dyn FnMut(&[u8])) {
        write(&self.assemble_with(&[], items));
    }

    /// Gives up bytes and items, so that memory can do without them. What remains is a file without items of the same
    /// lens, style and layout, where that costs less.
    fn release(&mut self) {}

    /// Returns the bytes of the file as it was opened.
    fn into_bytes(self: Box<Self>) -> Vec<u8> {
        self.assemble(&[])
    }
}

/// Returns all compiled-in formats.
pub fn all() -> Vec<Box<dyn Format>> {
    let mut formats = vcard::formats();
    formats.extend(jscontact::formats());
    formats.extend(rows::formats());
    formats
}

/// Returns how a law of all codecs is tried: on as many cases as `PROPTEST_CASES` asks for, else on `usual` ones.
#[cfg(test)]
pub(crate) fn law_config(usual: u32) -> proptest::prelude::ProptestConfig {
    let mut config = proptest::prelude::ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = usual;
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contact::{align, rename_elements};

    #[test]
    fn a_released_file_writes_new_items_as_before() {
        let samples = [
            (
                "vcard",
                "BEGIN:VCARD\nVERSION:2.1\nN:Doe;Jane\nTEL;CELL:+1 555 0001111\nEND:VCARD\n",
            ),
            (
                "jscontact",
                r#"[{"@type":"Card","version":"1.0","uid":"a","name":{"full":"Jane Doe"}}]"#,
            ),
            (
                "outlook-csv",
                "First Name,Last Name,E-mail Address,Mobile Phone,Notes\r\nJane,Doe,jane@example.com,,\"a;b\"\r\n",
            ),
            (
                "mozilla-ldif",
                "dn: cn=Jane Doe,mail=jane@example.com\nobjectclass: top\nobjectclass: person\ngivenName: Jane\nsn: Doe\ncn: Jane Doe\nmail: jane@example.com\n\n",
            ),
        ];
        for (name, text) in samples {
            let format = all().into_iter().find(|format| format.info().name == name).unwrap();
            let mut document = format.open(text.as_bytes().to_vec()).unwrap();
            let item = document.item(0).bytes.to_vec();
            let parsed = document.parse(&item).unwrap();
            let bindings = align(&parsed.record, None, &Bindings::new(), &|_, _| false);
            let record = rename_elements(parsed.record.clone(), &bindings);
            let before = (document.lens(), document.style(), document.put(&record, None).unwrap());
            document.release();
            let after = (document.lens(), document.style(), document.put(&record, None).unwrap());
            assert_eq!(after, before, "{name}");
            assert_eq!(document.parse(&item), Ok(parsed), "{name}");
            assert!(document.item_count() == 0 || name == "mozilla-ldif");
        }
    }

    #[test]
    fn a_new_file_in_pieces_is_the_whole_one() {
        let record = |name: &str| {
            let mut record = Value::Map(crate::model::Map::new());
            record.set_at(&FieldPath::new(["name", "components", "given", "value"]), name.into());
            record.set_at(&FieldPath::new(["emails", "e", "address"]), "jane@example.com".into());
            record
        };
        for (format, style) in all().iter().flat_map(|format| {
            let styles = [None, Some("array"), Some("lines"), Some("4.0")];
            styles.map(|style| (format, style))
        }) {
            let document = format.create(style);
            for count in 0..3 {
                let put = |n: usize| document.put(&record(&format!("Jane Doe {n}")), None).unwrap().bytes;
                let items = || NewItems {
                    items: Box::new((0..count).map(put)),
                    length_bytes: count,
                };
                let mut pieces = Vec::new();
                document.write_new(items(), &mut |piece| pieces.extend_from_slice(piece));
                let whole = document.assemble_with(&[], items());
                assert_eq!(pieces, whole, "{} {style:?}", format.info().name);
            }
        }
    }
}
