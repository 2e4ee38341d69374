//! One sheet: its cells with their places in the XML, and the XML with some of them changed.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::json::number;
use super::book::text_of;
use super::date::{Epoch, Shows, text_of as date_text};
use super::xml::{Element, Token, Walker, decode_escapes, encode_text};
use crate::format::ItemError;
use crate::model::row::Cell;

/// The highest column and row (those of the programs that write such files).
pub(super) const MAX_COLUMNS: u32 = 16_384;
pub(super) const MAX_ROWS: u32 = 1_048_576;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Empty,
    Bool(bool),
    /// A number in its plain form, see [`plain_number`].
    Number(String),
    /// A date or time, as text.
    Moment(String, Shows),
    Text(String),
}

/// A cell where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SheetCell {
    /// Its column, from 1.
    pub(super) column: u32,
    pub(super) span: Range<usize>,
    /// The number of its style, as it is written.
    pub(super) style: Option<String>,
    pub(super) is_formula: bool,
    pub(super) content: Content,
}

/// A row where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SheetRow {
    /// Its number, from 1.
    pub(super) number: u32,
    /// Its start tag.
    pub(super) tag: Range<usize>,
    /// Where its end tag begins; `None` where the start tag is also the end.
    pub(super) end: Option<usize>,
    pub(super) cells: Vec<SheetCell>,
}

impl SheetRow {
    pub(super) fn cell(&self, column: u32) -> Option<&SheetCell> {
        self.cells.iter().find(|cell| cell.column == column)
    }
}

/// A sheet.
pub(super) struct Sheet {
    pub(super) xml: String,
    pub(super) rows: Vec<SheetRow>,
    /// The prefix of its elements.
    prefix: String,
    /// The start tag of the rows, and where their end tag begins; `None` where there are none.
    data: (Range<usize>, Option<usize>),
    /// The range that the sheet says it has, with its element.
    dimension: Option<(String, Range<usize>)>,
    /// Whether ranges of it are tables with columns of their own names.
    pub(super) has_tables: bool,
}

/// What all sheets of a workbook share.
pub(super) struct Shared<'b> {
    pub(super) strings: &'b [String],
    pub(super) styles: &'b [Option<Shows>],
    pub(super) epoch: Epoch,
}

impl Shared<'_> {
    /// Returns what the style of a cell shows of numbers.
    pub(super) fn shows(&self, style: Option<&str>) -> Option<Shows> {
        let at = style.map_or(Some(0), |style| style.parse().ok())?;
        self.styles.get::<usize>(at).copied().flatten()
    }
}

/// Returns the cell of a number in its plain form. Those that binary numbers cannot tell apart are decimals, so that a
/// binary column has them as it wrote them.
pub(super) fn stored_number(text: &str) -> Cell<'_> {
    match number(text) {
        Cell::Integer(number) if number.unsigned_abs() > 1 << 53 => Cell::Decimal(text.into()),
        cell => cell,
    }
}

/// Returns a number without exponent and zeros that programs drop when they save it; `None` where it is none.
pub(super) fn plain_number(text: &str) -> Option<String> {
    if !crate::format::json::is_number(text) {
        return None;
    }
    let cell = number(text);
    let plain = cell.text()?.into_owned();
    Some(match plain.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
            let fraction = fraction.trim_end_matches('0');
            match (whole, fraction) {
                ("-0", "") => "0".to_owned(),
                (whole, "") => whole.to_owned(),
                (whole, fraction) => format!("{whole}.{fraction}"),
            }
        }
        _ if plain == "-0" => "0".to_owned(),
        _ => plain,
    })
}

impl Sheet {
    /// Reads a sheet.
    pub(super) fn read(xml: String, shared: &Shared<'_>) -> Result<Self, ItemError> {
        let mut reading = Reading {
            rows: Vec::new(),
            prefix: String::new(),
            data: None,
            dimension: None,
            has_tables: false,
        };
        reading.run(&mut Walker::new(&xml), shared)?;
        let data = reading
            .data
            .ok_or_else(|| ItemError::new("the sheet has no cells part"))?;
        let dimension = reading.dimension;
        Ok(Self {
            rows: reading.rows,
            prefix: reading.prefix,
            data,
            dimension,
            has_tables: reading.has_tables,
            xml,
        })
    }

    /// Returns the XML with other contents in some cells, by row and column; `None` empties a cell. Styles stay; a cell
    /// that is not there takes the style in its place in `styles`.
    pub(super) fn with(&self, cells: &BTreeMap<(u32, u32), Option<String>>, styles: &BTreeMap<u32, String>) -> String {
        let mut patches: Vec<(Range<usize>, String)> = Vec::new();
        let mut rows = self.rows.iter().peekable();
        let mut at = cells.iter().peekable();
        let (tag, end) = &self.data;
        let data_end = end.unwrap_or(tag.end);
        while let Some(((number, _), _)) = at.peek().copied() {
            let number = *number;
            let mut changed = BTreeMap::new();
            while let Some(((_, column), content)) = at.next_if(|((row, _), _)| *row == number) {
                changed.insert(*column, content);
            }
            while rows.next_if(|row| row.number < number).is_some() {}
            if let Some(row) = rows.peek().filter(|row| row.number == number) {
                self.patch_row(row, &changed, styles, &mut patches);
                continue;
            }
            let place = rows.peek().map_or(data_end, |row| row.tag.start);
            let new: String = changed
                .iter()
                .filter_map(|(column, content)| Some((*column, content.as_deref()?)))
                .map(|(column, content)| self.cell(number, column, styles.get(&column), Some(content)))
                .collect();
            let prefix = &self.prefix;
            let row = format!("<{prefix}row r=\"{number}\">{new}</{prefix}row>");
            patches.push((place..place, row));
        }
        if end.is_none() && !patches.is_empty() {
            let open = self.open_tag(tag);
            patches.insert(0, (tag.clone(), open));
            patches.push((tag.end..tag.end, format!("</{}sheetData>", self.prefix)));
        }
        patches.extend(self.new_dimension(cells));
        // Of several at one place the first stays first.
        patches.sort_by_key(|(span, _)| (span.start, span.end));
        let mut out = String::with_capacity(self.xml.len() + 256);
        let mut from = 0;
        for (span, new) in patches {
            out.push_str(self.xml.get(from..span.start).unwrap_or_default());
            out.push_str(&new);
            from = span.end.max(from);
        }
        out.push_str(self.xml.get(from..).unwrap_or_default());
        out
    }

    fn patch_row(
        &self,
        row: &SheetRow,
        changed: &BTreeMap<u32, &Option<String>>,
        styles: &BTreeMap<u32, String>,
        patches: &mut Vec<(Range<usize>, String)>,
    ) {
        let end = row.end.unwrap_or(row.tag.end);
        let mut is_opened = row.end.is_some();
        for (column, content) in changed {
            if let Some(cell) = row.cell(*column) {
                let new = self.cell(row.number, *column, cell.style.as_ref(), content.as_deref());
                patches.push((cell.span.clone(), new));
                continue;
            }
            let Some(content) = content else { continue };
            let next = row.cells.iter().find(|cell| cell.column > *column);
            let place = next.map_or(end, |cell| cell.span.start);
            if !is_opened {
                patches.push((row.tag.clone(), self.open_tag(&row.tag)));
                is_opened = true;
            }
            let new = self.cell(row.number, *column, styles.get(column), Some(content));
            patches.push((place..place, new));
        }
        if is_opened && row.end.is_none() {
            patches.push((end..end, format!("</{}row>", self.prefix)));
        }
    }

    /// Returns a start tag that is its own end as one that is not.
    fn open_tag(&self, tag: &Range<usize>) -> String {
        let text = self.xml.get(tag.clone()).unwrap_or_default();
        format!("{}>", text.trim_end_matches('>').trim_end_matches('/').trim_end())
    }

    /// Writes a cell: `content` is what follows its place and style, see [`spell`].
    fn cell(&self, row: u32, column: u32, style: Option<&String>, content: Option<&str>) -> String {
        let prefix = &self.prefix;
        let style = style.map_or_else(String::new, |style| format!(" s=\"{style}\""));
        let place = name_of(column);
        match content {
            None => format!("<{prefix}c r=\"{place}{row}\"{style}/>"),
            Some(content) => {
                let content = content
                    .replace("<:", &format!("<{prefix}"))
                    .replace("</:", &format!("</{prefix}"));
                format!("<{prefix}c r=\"{place}{row}\"{style}{content}</{prefix}c>")
            }
        }
    }

    /// Returns the range of the sheet if it grows.
    fn new_dimension(&self, cells: &BTreeMap<(u32, u32), Option<String>>) -> Option<(Range<usize>, String)> {
        let (known, span) = self.dimension.as_ref()?;
        let (first, last) = known.split_once(':').unwrap_or((known, known));
        let ((mut left, mut top), (mut right, mut bottom)) = (place_of(first)?, place_of(last)?);
        for ((row, column), _) in cells.iter().filter(|(_, content)| content.is_some()) {
            (left, top) = (left.min(*column), top.min(*row));
            (right, bottom) = (right.max(*column), bottom.max(*row));
        }
        let new = format!("{}{top}:{}{bottom}", name_of(left), name_of(right));
        let same = new == *known || format!("{first}:{first}") == new;
        let tag = self.xml.get(span.clone())?;
        (!same).then(|| (span.clone(), tag.replacen(known.as_str(), &new, 1)))
    }
}

/// Returns the content of a cell as [`Sheet::with`] takes it; `None` for an empty one. A date needs a style that shows it.
pub(super) fn spell(content: &Content, epoch: Epoch) -> Option<String> {
    Some(match content {
        Content::Empty => return None,
        Content::Bool(value) => format!(" t=\"b\"><:v>{}</:v>", u8::from(*value)),
        Content::Number(number) => format!("><:v>{number}</:v>"),
        Content::Moment(text, shows) => match super::date::serial_of(text, *shows, epoch) {
            Some(serial) => format!("><:v>{serial}</:v>"),
            None => return spell(&Content::Text(text.clone()), epoch),
        },
        Content::Text(text) => {
            // What could be taken for a prefix is no element: `<` is escaped in texts.
            let text = encode_text(text);
            format!(" t=\"inlineStr\"><:is><:t xml:space=\"preserve\">{text}</:t></:is>")
        }
    })
}

/// Returns the letters of a column.
pub(super) fn name_of(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// Reads a place such as `B5`: its column and row.
fn place_of(text: &str) -> Option<(u32, u32)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, digits) = text.split_at_checked(letters)?;
    let mut column = 0u32;
    for letter in letters.bytes() {
        let digit = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.checked_mul(26)?.checked_add(digit)?;
    }
    let row = digits.parse().ok()?;
    ((1..=MAX_COLUMNS).contains(&column) && (1..=MAX_ROWS).contains(&row)).then_some((column, row))
}

struct Reading {
    rows: Vec<SheetRow>,
    prefix: String,
    data: Option<(Range<usize>, Option<usize>)>,
    dimension: Option<(String, Range<usize>)>,
    has_tables: bool,
}

impl Reading {
    fn run(&mut self, walker: &mut Walker<'_>, shared: &Shared<'_>) -> Result<(), ItemError> {
        while let Some((token, span)) = walker.next()? {
            match token {
                Token::Open(element, is_empty) => match element.name.as_str() {
                    "dimension" => {
                        self.dimension = element.attribute("ref").map(|known| (known, span));
                    }
                    "sheetData" if self.data.is_none() => {
                        self.prefix = element.prefix();
                        self.data = Some((span, None));
                        if !is_empty {
                            self.rows(walker, shared)?;
                        }
                    }
                    "tablePart" => self.has_tables = true,
                    _ => {}
                },
                Token::Close(_) | Token::Text(_) => {}
            }
        }
        Ok(())
    }

    fn rows(&mut self, walker: &mut Walker<'_>, shared: &Shared<'_>) -> Result<(), ItemError> {
        let mut last = 0;
        while let Some((token, span)) = walker.next()? {
            match token {
                Token::Open(element, is_empty) if element.name == "row" => {
                    let number = element
                        .attribute("r")
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(last + 1);
                    if number <= last || number > MAX_ROWS {
                        return Err(ItemError::new(format!("row {number} stands behind row {last}")));
                    }
                    last = number;
                    let mut row = SheetRow {
                        number,
                        tag: span,
                        end: None,
                        cells: Vec::new(),
                    };
                    if !is_empty {
                        row.end = Some(cells(&mut row, walker, shared)?);
                    }
                    self.rows.push(row);
                }
                Token::Close(name) if name == "sheetData" => {
                    if let Some((_, end)) = &mut self.data {
                        *end = Some(span.start);
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(ItemError::new("its XML ends within the cells"))
    }
}

/// Reads the cells of a row; returns where its end tag begins.
fn cells(row: &mut SheetRow, walker: &mut Walker<'_>, shared: &Shared<'_>) -> Result<usize, ItemError> {
    let mut last = 0;
    while let Some((token, span)) = walker.next()? {
        match token {
            Token::Open(element, is_empty) if element.name == "c" => {
                let place = element.attribute("r").and_then(|place| place_of(&place));
                let column = place.map_or(last + 1, |(column, _)| column);
                if column <= last || column > MAX_COLUMNS {
                    return Err(ItemError::new(format!("a cell in row {} is out of order", row.number)));
                }
                last = column;
                let style = element.attribute("s");
                let mut cell = SheetCell {
                    column,
                    span,
                    style,
                    is_formula: false,
                    content: Content::Empty,
                };
                if !is_empty {
                    fill(&mut cell, &element, walker, shared)?;
                }
                row.cells.push(cell);
            }
            Token::Close(name) if name == "row" => return Ok(span.start),
            _ => {}
        }
    }
    Err(ItemError::new("its XML ends within a row"))
}

/// Reads what is in a cell, up to its end.
fn fill(
    cell: &mut SheetCell,
    element: &Element<'_>,
    walker: &mut Walker<'_>,
    shared: &Shared<'_>,
) -> Result<(), ItemError> {
    let kind = element.attribute("t");
    let (mut value, mut inline) = (None, None);
    let mut is_value = false;
    while let Some((token, span)) = walker.next()? {
        match token {
            Token::Open(element, is_empty) => match element.name.as_str() {
                "f" => cell.is_formula = true,
                "v" => {
                    is_value = !is_empty;
                    value.get_or_insert_with(String::new);
                }
                "is" => {
                    inline = Some(if is_empty {
                        String::new()
                    } else {
                        text_of(walker, "is")?
                    });
                }
                _ => {}
            },
            Token::Text(text) if is_value => value.get_or_insert_with(String::new).push_str(&text),
            Token::Close(name) if name == "v" => is_value = false,
            Token::Close(name) if name == "c" => {
                cell.span.end = span.end;
                cell.content = content(kind.as_deref(), value, inline, cell.style.as_deref(), shared)?;
                return Ok(());
            }
            _ => {}
        }
    }
    Err(ItemError::new("its XML ends within a cell"))
}

fn content(
    kind: Option<&str>,
    value: Option<String>,
    inline: Option<String>,
    style: Option<&str>,
    shared: &Shared<'_>,
) -> Result<Content, ItemError> {
    if let Some(text) = inline {
        return Ok(Content::Text(text));
    }
    let Some(value) = value else { return Ok(Content::Empty) };
    Ok(match kind {
        Some("s") => {
            let found = value.trim().parse().ok().and_then(|at: usize| shared.strings.get(at));
            let text = found.ok_or_else(|| ItemError::new(format!("there is no shared string {value}")))?;
            Content::Text(text.clone())
        }
        Some("b") => Content::Bool(matches!(value.trim(), "1" | "true")),
        Some("str" | "e" | "d" | "inlineStr") => Content::Text(decode_escapes(&value)),
        _ => {
            let trimmed = value.trim();
            let moment = shared.shows(style).and_then(|shows| {
                let text = date_text(trimmed.parse().ok()?, shows, shared.epoch)?;
                Some(Content::Moment(text, shows))
            });
            match (moment, plain_number(trimmed)) {
                (Some(moment), _) => moment,
                (None, Some(number)) => Content::Number(number),
                (None, None) if trimmed.is_empty() => Content::Empty,
                (None, None) => Content::Text(value),
            }
        }
    })
}

impl Content {
    /// Returns the cell that others see.
    pub(super) fn cell(&self) -> Cell<'_> {
        match self {
            Self::Empty => Cell::Null,
            Self::Bool(value) => Cell::Bool(*value),
            Self::Number(text) => stored_number(text),
            Self::Moment(text, _) | Self::Text(text) => Cell::Text(text.as_str().into()),
        }
    }
}
