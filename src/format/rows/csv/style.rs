//! The style of a file: how its cells are quoted, how its dates are written, and the words for it.

use super::CsvDocument;
use super::scan::{RowSpan, Separators};
use crate::format::rows::date::{self, DateWriting};
use crate::format::rows::encoding::Encoding;
use crate::format::rows::mapping::{DateStyle, FieldKind};

/// When cells are put in quotes that need none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Minimal,
    /// All cells with content.
    Filled,
    All,
}

impl Quoting {
    pub(super) const ALL: [(Self, &'static str); 3] =
        [(Self::Minimal, "minimal"), (Self::Filled, "filled"), (Self::All, "all")];

    pub(super) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(quoting, _)| *quoting == self)
            .map_or("minimal", |(_, name)| name)
    }

    pub(super) fn quotes(self, text: &str) -> bool {
        self == Self::All || (self == Self::Filled && !text.is_empty())
    }
}

pub(super) const DELIMITERS: [(char, &str); 3] = [(',', "comma"), (';', "semicolon"), ('\t', "tab")];
pub(super) const NEWLINES: [(&str, &str); 3] = [("\r\n", "crlf"), ("\n", "lf"), ("\r", "cr")];
pub(super) const DATE_STYLES: [(DateStyle, &str); 4] = [
    (DateStyle::YearFirst, "Y-M-D"),
    (DateStyle::MonthFirst, "M/D/Y"),
    (DateStyle::DayFirst, "D/M/Y"),
    (DateStyle::DayFirstDots, "D.M.Y"),
];

/// Returns the code page that a style names, if it names one.
pub(super) fn code_page(style: &str) -> Option<Encoding> {
    let mut encodings = style.split_whitespace().filter_map(Encoding::by_name);
    encodings.find(|encoding| matches!(encoding, Encoding::Windows1252 | Encoding::CodePage(_)))
}

pub(super) fn newline_of(separators: Separators, row: &[u8]) -> &'static str {
    let end = row.get(separators.without_line_end(row)..).unwrap_or_default();
    let text = separators.encoding.decode(end).unwrap_or_default();
    NEWLINES
        .iter()
        .find(|(newline, _)| *newline == text)
        .map_or("\n", |(newline, _)| newline)
}

/// Finds out from the first rows whether cells that need no quotes have them.
pub(super) fn quoting_of(separators: Separators, bytes: &[u8], rows: &[RowSpan]) -> Quoting {
    let (mut filled, mut filled_quoted, mut empty, mut empty_quoted) = (0, 0, 0, 0);
    for row in rows.iter().filter(|row| row.closed && !row.blank).take(50) {
        let row = &bytes[row.range.clone()];
        for cell in separators.cells(row) {
            let cell = &row[cell];
            let quoted = separators.encoding.unit(cell, 0) == Some(u16::from(b'"'));
            let is_empty = separators.text(cell).is_none_or(|text| text.is_empty());
            let (count, count_quoted) = if is_empty {
                (&mut empty, &mut empty_quoted)
            } else {
                (&mut filled, &mut filled_quoted)
            };
            *count += 1;
            *count_quoted += usize::from(quoted);
        }
    }
    if filled == 0 || filled_quoted < filled {
        Quoting::Minimal
    } else if empty > 0 && empty_quoted == empty {
        Quoting::All
    } else {
        Quoting::Filled
    }
}

/// Finds out from all dates of the file whether the day or the month comes first.
pub(super) fn find_date_style(document: &CsvDocument) -> DateWriting {
    let mut found = DateWriting::of(document.mapping.date);
    let groups = document.layout.groups.iter();
    let columns: Vec<usize> = groups
        .flat_map(|group| group.fields.iter().map(move |(at, columns)| (group.spec, *at, columns)))
        .filter(|(spec, at, _)| matches!(document.mapping.groups[*spec].fields[*at].kind, FieldKind::Date))
        .flat_map(|(_, _, columns)| columns.iter().flatten().copied())
        .collect();
    if columns.is_empty() {
        return found;
    }
    let (mut day_first, mut month_first) = (false, false);
    let mut example = None;
    for item in &document.items {
        let row = &document.bytes[document.rows[*item].0.range.clone()];
        let cells = document.separators.cells(row);
        for cell in columns.iter().filter_map(|column| cells.get(*column)) {
            let Some(text) = document
                .separators
                .text(&row[cell.clone()])
                .filter(|text| !text.is_empty())
            else {
                continue;
            };
            if let Some((separator, first, second, _)) = date::year_last(&text) {
                day_first |= separator != '.' && first > 12;
                month_first |= separator != '.' && second > 12;
            }
            example = example.or_else(|| Some(text.into_owned()));
        }
    }
    if day_first && !month_first {
        found = DateWriting::of(DateStyle::DayFirst);
    } else if month_first && !day_first {
        found = DateWriting::of(DateStyle::MonthFirst);
    }
    match example.and_then(|text| date::read(&text, found.style)) {
        // Dates with the year first do not say how the others are meant.
        Some((_, writing)) if found.style != DateStyle::DayFirst || writing.style != DateStyle::YearFirst => writing,
        _ => found,
    }
}
