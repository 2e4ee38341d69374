//! Row-shaped formats: CSV dialects and LDIF over declarative mapping files.
//!
//! *Owns* the mapping language (`docs/mapping.md`), the engine that reads and patches rows of cells by it, and the two
//! containers of rows: CSV and LDIF. *Leaves* to `source` which item is which record.
//! *Invariants*: a row whose record view does not change keeps its bytes; a changed row changes only in the cells that
//! show the change; a cell that cannot be read is never written; a value that a cell cannot hold exactly (or cut at a
//! stated length) is not written and is reported as not shown. *Fails* with [`FormatError`] for a mapping or a file that
//! is none, with `Broken` items for rows. *Start reading* at [`from_mapping`], then `mapping.rs`, `engine`, `csv`.

pub(super) mod csv;
mod date;
mod describe;
pub(super) mod encoding;
mod engine;
mod field;
mod layout;
mod ldif;
mod mapping;
mod suffix;

pub use describe::{CsvDescription, describe};

use self::mapping::Container;
use crate::format::{Format, FormatError};

/// The mappings that come with the program.
const BUILT_IN: [&str; 6] = [
    include_str!("../../../formats/google-csv.toml"),
    include_str!("../../../formats/google-csv-old.toml"),
    include_str!("../../../formats/outlook-csv.toml"),
    include_str!("../../../formats/outlook-com-csv.toml"),
    include_str!("../../../formats/thunderbird-csv.toml"),
    include_str!("../../../formats/mozilla-ldif.toml"),
];

/// Returns the formats whose mappings come with the program.
pub fn formats() -> Vec<Box<dyn Format>> {
    let mappings = BUILT_IN.iter().filter_map(|text| mapping::Mapping::compile(text).ok());
    mappings
        .flat_map(|mapping| {
            let headerless = mapping.also_headerless.then(|| mapping.without_header());
            std::iter::once(mapping).chain(headerless)
        })
        .map(of_mapping)
        .collect()
}

fn of_mapping(mapping: mapping::Mapping) -> Box<dyn Format> {
    match mapping.container {
        Container::Csv => Box::new(csv::CsvFormat::new(mapping)),
        Container::Ldif => Box::new(ldif::LdifFormat::new(mapping)),
    }
}

/// Makes a format from the text of a mapping file (`docs/mapping.md`).
///
/// Fails with [`FormatError::Mapping`] where the text is no mapping; the message says what and where.
pub fn from_mapping(toml_text: &str) -> Result<Box<dyn Format>, FormatError> {
    Ok(of_mapping(mapping::Mapping::compile(toml_text)?))
}

#[cfg(test)]
mod tests;
