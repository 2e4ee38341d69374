//! How bytes were taken for CSV, so that an error about an unknown header can show it.

use super::csv::Separators;
use super::encoding::Encoding;

/// How many rows a description shows.
const SAMPLE_ROWS: usize = 3;

/// What a file looks like when it is read as CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvDescription {
    /// What separates the cells.
    pub delimiter: char,
    /// The encoding: `utf-8`, `utf-8-bom`, `utf-16le`, `utf-16be` or `windows-1252`.
    pub encoding: &'static str,
    /// The cells of the first row that is not blank.
    pub header: Vec<String>,
    /// The cells of the rows after it, up to three.
    pub sample_rows: Vec<Vec<String>>,
}

/// Reads the start of a file as CSV; `None` when its first row has a single cell or its bytes are no text.
pub fn describe(bytes: &[u8]) -> Option<CsvDescription> {
    let encoding = Encoding::detect_head(bytes);
    let separators = Separators::detect(encoding, bytes);
    let mut rows = Vec::new();
    for row in separators.rows(bytes, encoding.mark().len()) {
        if rows.len() > SAMPLE_ROWS {
            break;
        }
        let row_bytes = bytes.get(row.range.clone())?;
        if !row.blank && row.closed {
            rows.push(separators.texts(row_bytes));
        }
    }
    let mut rows = rows.into_iter();
    let header = rows.next().filter(|cells| cells.len() > 1)?;
    let control = |text: &String| text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n'));
    if header.iter().any(control) {
        return None;
    }
    Some(CsvDescription {
        delimiter: separators.delimiter,
        encoding: encoding.name(),
        header,
        sample_rows: rows.collect(),
    })
}
