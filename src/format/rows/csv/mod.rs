//! Files of rows separated by commas, semicolons or tabs.
//!
//! A row is an item. Rows without content, the header and blank lines are kept where they stand. A changed row gets new
//! bytes in its changed cells only.

mod grow;
mod recognise;
mod scan;
mod style;

use std::sync::Arc;

use self::recognise::{confidence, confidence_headerless};
use self::scan::RowSpan;
pub(in crate::format) use self::scan::Separators;
use self::style::{DATE_STYLES, DELIMITERS, NEWLINES, Quoting, find_date_style, newline_of, quoting_of};
use super::date::DateWriting;
use super::encoding::Encoding;
use super::engine::{self, Engine};
use super::field::{Cell, Dialect};
use super::layout::Layout;
use super::mapping::{DateStyle, Mapping};
use crate::format::{
    Broken, Confidence, Document, Edit, Format, FormatError, FormatInfo, ItemError, NewItems, Old, Parsed, Put,
    RawItem, appended,
};
use crate::model::{Domain, Hash, Value, contact};

/// Changes when the same bytes are read or written in another way than before.
const CODEC_VERSION: u8 = 1;

/// How much of a file's start is looked at for recognition.
const HEAD_BYTES: usize = 64 * 1024;

/// How many rows are looked at for recognition (chosen).
const SAMPLE_ROWS: usize = 51;

/// A format of CSV files by one mapping.
pub(super) struct CsvFormat {
    mapping: Arc<Mapping>,
    /// The encoding of its files, where somebody stated it.
    stated: Option<Encoding>,
}

impl CsvFormat {
    pub(super) fn new(mapping: Mapping) -> Self {
        Self {
            stated: mapping.encoding,
            mapping: Arc::new(mapping),
        }
    }

    fn encoding_of(&self, head: &[u8]) -> Encoding {
        match self.stated {
            Some(stated) => stated.as_marked(head),
            None => Encoding::detect_head(head),
        }
    }
}

impl Format for CsvFormat {
    fn info(&self) -> &FormatInfo {
        &self.mapping.info
    }

    fn detect(&self, _file_name: &str, head: &[u8]) -> Confidence {
        let head = &head[..head.len().min(HEAD_BYTES)];
        let encoding = self.encoding_of(head);
        let separators = Separators::detect(encoding, head);
        let rows = separators.rows(head, encoding.mark().len());
        let sample: Vec<Vec<String>> = rows
            .iter()
            .filter(|row| !row.blank)
            .take(SAMPLE_ROWS)
            .take_while(|row| row.closed)
            .map(|row| separators.texts(&head[row.range.clone()]))
            .collect();
        match sample.split_first() {
            Some(_) if self.mapping.headerless => confidence_headerless(&self.mapping, &sample),
            Some((header, sample)) if header.len() > 1 => confidence(&self.mapping, header, sample),
            _ => Confidence::No,
        }
    }

    fn open(&self, bytes: Vec<u8>) -> Result<Box<dyn Document>, FormatError> {
        Ok(Box::new(CsvDocument::open(
            Arc::clone(&self.mapping),
            self.stated,
            bytes,
        )?))
    }

    fn create(&self, style: Option<&str>) -> Box<dyn Document> {
        let mut document = CsvDocument::create(Arc::clone(&self.mapping), style);
        if let Some(stated) = self.stated {
            document.separators.encoding = stated;
            document.stated = Some(stated);
        }
        Box::new(document)
    }

    fn in_encoding(&self, label: &str) -> Option<Box<dyn Format>> {
        let stated = Encoding::by_name(label).filter(|encoding| *encoding != Encoding::Unnamed)?;
        Some(Box::new(Self {
            mapping: Arc::clone(&self.mapping),
            stated: Some(stated),
        }))
    }

    fn new_encoding(&self) -> Option<&'static str> {
        let new = self.stated.or_else(|| style::code_page(&self.mapping.style));
        new.map(Encoding::name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Header,
    Item,
    /// Blank, or without content.
    Gap,
    Broken,
}

/// A CSV file that was read.
pub(super) struct CsvDocument {
    mapping: Arc<Mapping>,
    bytes: Vec<u8>,
    separators: Separators,
    newline: &'static str,
    quoting: Quoting,
    header: Vec<String>,
    /// Bytes of the header where the file has none yet.
    missing_header: bool,
    rows: Vec<(RowSpan, Role)>,
    items: Vec<usize>,
    broken: Vec<Broken>,
    layout: Layout,
    /// The encoding that somebody stated.
    stated: Option<Encoding>,
    date: DateWriting,
    /// Names of columns that were added after reading.
    grown: Vec<String>,
    /// The width of rows before that.
    old_width: usize,
    /// Which rows have several values in one cell, once somebody asked.
    multi_rows: Option<Vec<usize>>,
}

impl CsvDocument {
    fn open(mapping: Arc<Mapping>, stated: Option<Encoding>, bytes: Vec<u8>) -> Result<Self, FormatError> {
        let mut encoding = stated.map_or_else(|| Encoding::detect(&bytes), |stated| stated.as_marked(&bytes));
        if stated.is_none() && bytes.is_ascii() && style::code_page(&mapping.style).is_some() {
            // ASCII says nothing, and the program that wrote the file writes in the code page of its system.
            encoding = Encoding::Unnamed;
        }
        let separators = Separators::detect(encoding, &bytes);
        let rows = separators.rows(&bytes, encoding.mark().len());
        let Some(first) = rows.iter().position(|row| !row.blank) else {
            let mut document = Self::create(mapping, None);
            document.stated = stated;
            document.rows = rows.into_iter().map(|row| (row, Role::Gap)).collect();
            document.separators.encoding = encoding;
            document.bytes = bytes;
            return Ok(document);
        };
        let has_header = !mapping.headerless;
        let header = if has_header {
            separators.texts(&bytes[rows[first].range.clone()])
        } else {
            mapping.header.clone()
        };
        let layout = Layout::bind(&mapping, &header);
        if layout.groups.is_empty() || !rows[first].closed {
            return Err(FormatError::Malformed {
                line: rows[first].line,
                reason: format!("no column of `{}` in the header", mapping.info.name),
            });
        }
        let newline = newline_of(separators, &bytes[rows[first].range.clone()]);
        let mut document = Self {
            quoting: quoting_of(separators, &bytes, &rows),
            date: DateWriting::of(mapping.date),
            old_width: header.len(),
            rows: Vec::with_capacity(rows.len()),
            items: Vec::new(),
            broken: Vec::new(),
            grown: Vec::new(),
            missing_header: false,
            multi_rows: None,
            stated,
            mapping,
            bytes,
            separators,
            newline,
            header,
            layout,
        };
        for (at, row) in rows.into_iter().enumerate() {
            let role = if has_header && at == first {
                Role::Header
            } else {
                document.role(&row)
            };
            match role {
                Role::Item => document.items.push(document.rows.len()),
                Role::Broken => document.broken.push(Broken {
                    line: row.line,
                    reason: if row.closed {
                        encoding.refusal(&document.bytes[row.range.clone()])
                    } else {
                        "a quote is not closed, or the file ends inside it".to_owned()
                    },
                    bytes: document.bytes[row.range.clone()].to_vec(),
                }),
                Role::Gap | Role::Header => {}
            }
            document.rows.push((row, role));
        }
        document.date = find_date_style(&document);
        Ok(document)
    }

    fn create(mapping: Arc<Mapping>, style: Option<&str>) -> Self {
        let words = format!("{} {}", mapping.style, style.unwrap_or_default());
        let mut document = Self {
            separators: Separators {
                encoding: Encoding::Utf8,
                delimiter: ',',
            },
            newline: "\n",
            quoting: Quoting::Minimal,
            date: DateWriting::of(mapping.date),
            header: mapping.header.clone(),
            layout: Layout::bind(&mapping, &mapping.header),
            old_width: mapping.header.len(),
            missing_header: !mapping.headerless,
            stated: None,
            multi_rows: None,
            bytes: Vec::new(),
            rows: Vec::new(),
            items: Vec::new(),
            broken: Vec::new(),
            grown: Vec::new(),
            mapping,
        };
        for word in words.split_whitespace() {
            document.apply_style(word);
        }
        document
    }

    fn apply_style(&mut self, word: &str) {
        if let Some(encoding) = Encoding::by_name(word) {
            self.separators.encoding = encoding;
        } else if let Some((delimiter, _)) = DELIMITERS.iter().find(|(_, name)| *name == word) {
            self.separators.delimiter = *delimiter;
        } else if let Some((newline, _)) = NEWLINES.iter().find(|(_, name)| *name == word) {
            self.newline = newline;
        } else if let Some((quoting, _)) = Quoting::ALL.iter().find(|(_, name)| *name == word) {
            self.quoting = *quoting;
        } else if let Some((style, _)) = DATE_STYLES.iter().find(|(_, name)| *name == word) {
            self.date = DateWriting::of(*style);
        } else if word == "padded" {
            self.date.padded = true;
        }
    }

    fn role(&self, row: &RowSpan) -> Role {
        let bytes = &self.bytes[row.range.clone()];
        if !row.closed || self.separators.encoding.decode(bytes).is_none() {
            return Role::Broken;
        }
        let filled = !row.blank
            && self.separators.cells(bytes).into_iter().any(|cell| {
                let text = self.separators.text(&bytes[cell]);
                text.is_none_or(|text| !text.trim().is_empty())
            });
        if filled { Role::Item } else { Role::Gap }
    }

    fn engine(&self) -> Engine<'_> {
        Engine {
            layout: &self.layout,
            dialect: Dialect {
                mapping: &self.mapping,
                date: self.date,
                newline: if self.newline == "\r" { "\n" } else { self.newline },
                encoding: self.separators.encoding,
            },
        }
    }

    fn cells(&self, row: &[u8]) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self
            .separators
            .cells(row)
            .into_iter()
            .map(|cell| self.separators.text(&row[cell]).map(std::borrow::Cow::into_owned))
            .collect();
        if cells.len() < self.header.len() {
            cells.resize(self.header.len(), Some(String::new()));
        }
        cells
    }

    /// Writes the changed cells into the bytes of a row.
    fn patch_row(&self, row: &[u8], before: &[Cell], after: &[Cell]) -> Result<Vec<u8>, ItemError> {
        let spans = self.separators.cells(row);
        let last_changed = (0..after.len()).rev().find(|at| before.get(*at) != after.get(*at));
        let count = spans.len().max(last_changed.map_or(0, |at| at + 1));
        let delimiter = self.encode(&self.separators.delimiter.to_string())?;
        let mut out = Vec::with_capacity(row.len() + 64);
        for at in 0..count {
            if at > 0 {
                out.extend_from_slice(&delimiter);
            }
            let span = spans.get(at).map(|span| &row[span.clone()]).unwrap_or_default();
            match after.get(at) {
                Some(Some(text)) if before.get(at) != after.get(at) => {
                    let was_quoted = self.separators.encoding.unit(span, 0) == Some(u16::from(b'"'));
                    out.extend(self.write_cell(text, was_quoted)?);
                }
                _ => out.extend_from_slice(span),
            }
        }
        let content_end = spans.last().map_or(0, |span| span.end);
        out.extend_from_slice(row.get(content_end..).unwrap_or_default());
        Ok(out)
    }

    fn write_cell(&self, text: &str, was_quoted: bool) -> Result<Vec<u8>, ItemError> {
        let quoted = was_quoted || self.quoting.quotes(text);
        let bytes = self.separators.write(text, quoted);
        bytes.ok_or_else(|| ItemError::new("a character has no place in the file's encoding"))
    }

    fn encode(&self, text: &str) -> Result<Vec<u8>, ItemError> {
        let bytes = self.separators.encoding.encode(text);
        bytes.ok_or_else(|| ItemError::new("a character has no place in the file's encoding"))
    }

    fn join(&self, cells: &[String]) -> Vec<u8> {
        let mut out = Vec::new();
        for (at, text) in cells.iter().enumerate() {
            if at > 0 {
                out.extend(
                    self.separators
                        .encoding
                        .encode(&self.separators.delimiter.to_string())
                        .unwrap_or_default(),
                );
            }
            out.extend(
                self.separators
                    .write(text, self.quoting.quotes(text))
                    .unwrap_or_default(),
            );
        }
        out
    }

    /// Adds empty cells to a row that was as wide as the file before it grew.
    fn widen(&self, row: &[u8], names: &[String]) -> Vec<u8> {
        let end = self.separators.cells(row).last().map_or(0, |cell| cell.end);
        let mut out = row[..end].to_vec();
        for name in names {
            out.extend(
                self.separators
                    .encoding
                    .encode(&self.separators.delimiter.to_string())
                    .unwrap_or_default(),
            );
            out.extend(
                self.separators
                    .write(name, self.quoting.quotes(name))
                    .unwrap_or_default(),
            );
        }
        out.extend_from_slice(&row[end..]);
        out
    }

    fn widened_item(&self, row: &[u8]) -> Vec<u8> {
        let width = self.separators.cells(row).len();
        let full = self.old_width + self.grown.len();
        if self.grown.is_empty() || width < self.old_width || width >= full {
            return row.to_vec();
        }
        self.widen(row, &vec![String::new(); full - width])
    }

    /// Appends a row, after a line end where the one before has none.
    fn push_row(&self, out: &mut Vec<u8>, row: &[u8]) {
        let start = self.separators.encoding.mark().len();
        let open = out.len() > start && self.separators.without_line_end(out) == out.len();
        if open && !row.is_empty() {
            out.extend(self.separators.encoding.encode(self.newline).unwrap_or_default());
        }
        out.extend_from_slice(row);
    }
}

impl Document for CsvDocument {
    fn item_count(&self) -> usize {
        self.items.len()
    }

    fn item(&self, index: usize) -> RawItem<'_> {
        let row = &self.rows[self.items[index]].0;
        RawItem {
            bytes: &self.bytes[row.range.clone()],
            line: row.line,
        }
    }

    fn broken(&self) -> &[Broken] {
        &self.broken
    }

    fn is_complete(&self) -> bool {
        self.rows.last().is_none_or(|(row, _)| row.closed)
    }

    fn lens(&self) -> Hash {
        let mut seed = vec![CODEC_VERSION, self.date.style as u8];
        for text in std::iter::once(&self.mapping.text).chain(&self.header) {
            seed.extend_from_slice(&(text.len() as u64).to_be_bytes());
            seed.extend_from_slice(text.as_bytes());
        }
        if let Some(stated) = self.stated {
            seed.extend_from_slice(stated.name().as_bytes());
        }
        Hash::of(Domain::Value, &seed)
    }

    fn style(&self) -> String {
        let delimiter = DELIMITERS
            .iter()
            .find(|(delimiter, _)| *delimiter == self.separators.delimiter);
        let newline = NEWLINES.iter().find(|(newline, _)| *newline == self.newline);
        let date = DATE_STYLES.iter().find(|(style, _)| *style == self.date.style);
        let mut words = vec![self.separators.encoding.name()];
        words.extend(delimiter.map(|(_, name)| *name));
        words.extend(newline.map(|(_, name)| *name));
        words.push(self.quoting.name());
        words.extend(date.map(|(_, name)| *name));
        if self.date.padded && self.date.style != DateStyle::YearFirst {
            words.push("padded");
        }
        words.join(" ")
    }

    fn parse(&self, bytes: &[u8]) -> Result<Parsed, ItemError> {
        if self.separators.encoding.decode(bytes).is_none() {
            return Err(ItemError::new(self.separators.encoding.refusal(bytes)));
        }
        let (record, warnings) = self.engine().read(&self.cells(bytes));
        Ok(Parsed {
            record,
            native_id: None,
            warnings,
        })
    }

    fn put(&self, record: &Value, old: Option<Old<'_>>) -> Result<Put, ItemError> {
        let engine = self.engine();
        let before = match &old {
            Some(old) => self.cells(old.bytes),
            None => vec![Some(String::new()); self.header.len()],
        };
        let written = engine.write(record, &before, old.map(|old| old.bindings));
        let content = written
            .cells
            .iter()
            .any(|cell| cell.as_deref().is_none_or(|text| !text.trim().is_empty()));
        if !content {
            return Err(ItemError::new(
                "this file has no column for anything that is left of it",
            ));
        }
        let bytes = if let Some(old) = &old {
            self.patch_row(old.bytes, &before, &written.cells)?
        } else {
            let texts: Vec<String> = written
                .cells
                .iter()
                .map(|cell| cell.clone().unwrap_or_default())
                .collect();
            let mut row = self.join(&texts);
            row.extend(self.encode(self.newline)?);
            row
        };
        let view = contact::rename_elements(engine.read(&written.cells).0, &written.bindings);
        Ok(Put {
            bytes,
            bindings: written.bindings,
            not_shown: engine::not_shown(record, &view),
        })
    }

    fn release(&mut self) {
        self.bytes = Vec::new();
        self.rows = Vec::new();
        self.items = Vec::new();
        self.multi_rows = None;
    }

    fn grow(&mut self, record: &Value) -> bool {
        self.add_missing_columns(record)
    }

    fn assemble_with(&self, edits: &[Edit], more: NewItems<'_>) -> Vec<u8> {
        let mut replaced = std::collections::BTreeMap::new();
        for edit in edits {
            match edit {
                Edit::Replace(index, bytes) => drop(replaced.insert(*index, Some(bytes))),
                Edit::Remove(index) => drop(replaced.insert(*index, None)),
                Edit::Append(_) => {}
            }
        }
        let start = if self.bytes.is_empty() {
            0
        } else {
            self.rows.first().map_or(self.bytes.len(), |(row, _)| row.range.start)
        };
        let mut out = self.bytes[..start].to_vec();
        let mut item = 0;
        for (row, role) in &self.rows {
            let bytes = &self.bytes[row.range.clone()];
            match role {
                Role::Header => self.push_row(&mut out, &self.widen(bytes, &self.grown)),
                Role::Item => {
                    match replaced.get(&item) {
                        None => self.push_row(&mut out, &self.widened_item(bytes)),
                        Some(None) => {}
                        Some(Some(bytes)) => self.push_row(&mut out, &self.widened_item(bytes)),
                    }
                    item += 1;
                }
                Role::Gap | Role::Broken => self.push_row(&mut out, bytes),
            }
        }
        out.reserve(more.length_bytes);
        for (at, bytes) in appended(edits, more).enumerate() {
            if at == 0 && self.missing_header {
                if out.is_empty() {
                    out.extend_from_slice(self.separators.encoding.mark());
                }
                let mut header = self.join(&self.header);
                header.extend(self.separators.encoding.encode(self.newline).unwrap_or_default());
                self.push_row(&mut out, &header);
            }
            self.push_row(&mut out, &self.widened_item(&bytes));
        }
        out
    }
}
