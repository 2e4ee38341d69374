//! Tables whose rows are items of another kind: contacts in a database.
//!
//! A codec of items reads and writes bytes of a file, so such a table has a copy as CSV beside the store. *Owns* the two ways
//! between table and copy: [`ItemTable::refresh`] brings what happened to the table, [`ItemTable::push`] writes what
//! happened to the copy. *Invariant*: beside the copy lies what the table showed when they were last compared (*seen*). A row that
//! is as it was seen has in the copy what it is to become, until the table takes it; a row that somebody changed
//! meanwhile has in the copy what it shows. So a stop at any instruction, and a row that the database refuses, lose nothing.
//! The first column of the copy says which row it is; new ones have nothing there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::{Location, RowEdit, Table, TableColumn, TableFormat, TableWrite, Values, WriteOutcome};
use crate::disk::Disk;
use crate::format::csv::Dialect;
use crate::format::{FormatError, ItemError};
use crate::model::Value;
use crate::model::row::{ColumnType, to_value};
use crate::source::SourceError;

/// The column that says which row of the table it is.
const ROW: &str = "#row";
/// What stands between the parts of a key.
const BETWEEN: char = '\u{1f}';

/// A table with its copy.
pub struct ItemTable {
    /// How the table is read.
    pub format: Arc<dyn TableFormat>,
    /// Where it is.
    pub location: Location,
    /// The file that holds the copy.
    pub copy: PathBuf,
}

/// A row that was not written, for people: which, and why.
pub type Refused = (String, String);

/// Rows as texts, by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rows {
    header: Vec<String>,
    /// Which row of the table it is (empty for new ones), and its cells.
    rows: Vec<(String, Vec<String>)>,
}

/// The table as it is.
struct Present {
    rows: Rows,
    values: Vec<Values>,
}

impl Rows {
    fn by_name(&self) -> BTreeMap<&str, &[String]> {
        let named = self.rows.iter().filter(|(name, _)| !name.is_empty());
        named.map(|(name, cells)| (name.as_str(), cells.as_slice())).collect()
    }

    /// Returns the rows with the columns of another header; a column that is not here is empty.
    fn under(&self, header: &[String]) -> Self {
        let places: Vec<Option<usize>> = header
            .iter()
            .map(|name| self.header.iter().position(|own| own == name))
            .collect();
        let cell =
            |cells: &[String], place: &Option<usize>| place.and_then(|at| cells.get(at)).cloned().unwrap_or_default();
        let rows = self
            .rows
            .iter()
            .map(|(name, cells)| (name.clone(), places.iter().map(|place| cell(cells, place)).collect()));
        Self {
            header: header.to_vec(),
            rows: rows.collect(),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, ItemError> {
        let dialect = Dialect::detect(bytes, Some(b','), None);
        let mut rest = bytes.get(dialect.mark().len()..).unwrap_or_default();
        let mut lines: Vec<Vec<String>> = Vec::new();
        while let Some(found) = dialect.row(rest, true) {
            let (line, after) = rest.split_at_checked(found.length_bytes).unwrap_or((rest, &[]));
            rest = after;
            if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                continue;
            }
            let mut cells: Vec<String> = Vec::new();
            dialect.cells(line, |at, cell| {
                if cells.len() <= at {
                    cells.resize(at + 1, String::new());
                }
                if let Some(place) = cells.get_mut(at) {
                    *place = cell.text().unwrap_or_default().into_owned();
                }
            })?;
            lines.push(cells);
        }
        let mut lines = lines.into_iter().map(|mut cells| {
            let name = if cells.is_empty() {
                String::new()
            } else {
                cells.remove(0)
            };
            (name, cells)
        });
        let header = lines.next().map(|(_, header)| header).unwrap_or_default();
        let rows = lines.map(|(name, mut cells)| {
            cells.resize(header.len(), String::new());
            (name, cells)
        });
        Ok(Self {
            rows: rows.collect(),
            header: header.clone(),
        })
    }

    fn render(&self) -> Result<Vec<u8>, ItemError> {
        let dialect = Dialect::new(b',', None);
        let line = |name: &str, cells: &[String]| {
            let cells = std::iter::once(name).chain(cells.iter().map(String::as_str));
            dialect.write_row(&cells.map(|cell| Some(cell.to_owned())).collect::<Vec<_>>())
        };
        let mut bytes = line(ROW, &self.header)?;
        for (name, cells) in &self.rows {
            bytes.extend_from_slice(&line(name, cells)?);
        }
        Ok(bytes)
    }
}

fn unreadable(place: String) -> impl Fn(ItemError) -> SourceError {
    move |error| SourceError::Format {
        file: place.clone(),
        source: FormatError::Malformed {
            line: 1,
            reason: error.reason,
        },
    }
}

/// Brings what happened to the table into the copy; see the invariant of this module.
fn merged(present: &Rows, seen: &Rows, copy: &Rows) -> Rows {
    let (seen, copy) = (seen.under(&present.header), copy.under(&present.header));
    let (seen, by_name) = (seen.by_name(), copy.by_name());
    let is_new = |(name, _): &&(String, Vec<String>)| name.is_empty();
    let mut waiting: Vec<&(String, Vec<String>)> = copy.rows.iter().filter(is_new).collect();
    let mut rows = Vec::with_capacity(present.rows.len());
    for (name, cells) in &present.rows {
        match (seen.get(name.as_str()), by_name.get(name.as_str())) {
            (Some(seen), wanted) if *seen == cells => {
                rows.extend(wanted.map(|wanted| (name.clone(), wanted.to_vec())));
            }
            (None, _) => {
                // A new row of the copy may be there already, when its writing was cut off.
                let is_it = |new: &&(String, Vec<String>)| {
                    let mut given = new
                        .1
                        .iter()
                        .zip(cells)
                        .filter(|(wanted, _)| !wanted.is_empty())
                        .peekable();
                    given.peek().is_some() && given.all(|(wanted, there)| wanted == there)
                };
                if let Some(at) = waiting.iter().position(is_it) {
                    waiting.remove(at);
                }
                rows.push((name.clone(), cells.clone()));
            }
            _ => rows.push((name.clone(), cells.clone())),
        }
    }
    rows.extend(waiting.into_iter().cloned());
    Rows {
        header: present.header.clone(),
        rows,
    }
}

impl ItemTable {
    fn seen_path(&self) -> PathBuf {
        self.copy.with_extension("seen.csv")
    }

    /// Returns the files that stand for the table.
    pub fn files(&self) -> [PathBuf; 2] {
        [self.copy.clone(), self.seen_path()]
    }

    fn load(disk: &Disk, path: &Path) -> Result<Option<Rows>, SourceError> {
        if disk.stat(path)?.is_none() {
            return Ok(None);
        }
        let bytes = disk.read(path)?;
        let rows = Rows::parse(&bytes).map_err(unreadable(path.display().to_string()))?;
        Ok(Some(rows))
    }

    fn store(disk: &Disk, path: &Path, rows: &Rows) -> Result<(), SourceError> {
        let bytes = rows.render().map_err(unreadable(path.display().to_string()))?;
        // Not under the name that a write-back of the copy uses: what is left there after a stop may be somebody's edit, and
        // goes back into its place.
        let new = path.with_extension("new");
        disk.remove(&new)?;
        disk.create_new(&new, &bytes)?;
        Ok(disk.rename(&new, path)?)
    }

    /// Reads the table.
    fn present(&self, table: &dyn Table) -> Result<Present, SourceError> {
        let header: Vec<String> = table.columns().iter().map(|column| column.name.clone()).collect();
        let mut key: Vec<(usize, usize)> = table
            .columns()
            .iter()
            .enumerate()
            .filter_map(|(at, column)| Some((column.key?, at)))
            .collect();
        key.sort_unstable();
        let mut taken: BTreeMap<u64, u32> = BTreeMap::new();
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        let mut failure = None;
        let end = table.read(&mut |raw| {
            let mut texts = vec![String::new(); header.len()];
            let mut row: Values = vec![None; header.len()];
            let read = table.cells(raw.bytes, &mut |at, cell| {
                if let (Some(text), Some(value)) = (texts.get_mut(at), row.get_mut(at)) {
                    *text = cell.text().unwrap_or_default().into_owned();
                    *value = to_value(cell);
                }
            });
            failure = failure.take().or(read.err());
            let name = if key.is_empty() {
                let hash = xxh3_64(texts.join("\u{1f}").as_bytes());
                let number = taken.entry(hash).or_default();
                *number += 1;
                format!("{hash:016x}-{number}")
            } else {
                let parts = key.iter().filter_map(|(_, at)| texts.get(*at).cloned());
                parts.collect::<Vec<_>>().join(&BETWEEN.to_string())
            };
            rows.push((name, texts));
            values.push(row);
            Ok(())
        })?;
        if let Some(error) = failure {
            return Err(unreadable(self.location.to_string())(error));
        }
        if !end.is_complete {
            return Err(SourceError::State("the table changed while it was read"));
        }
        Ok(Present {
            rows: Rows { header, rows },
            values,
        })
    }

    /// Makes the table with columns of these names.
    pub fn create(&self, disk: &Disk, names: &[String]) -> Result<(), SourceError> {
        let column = |name: &String| TableColumn {
            name: name.clone(),
            kind: Some(ColumnType::Text),
            key: None,
            is_read_only: false,
        };
        let columns: Vec<TableColumn> = names.iter().map(column).collect();
        self.format.create(disk, &self.location, &columns)
    }

    /// Brings what happened to the table into the copy, which is made where there is none.
    pub fn refresh(&self, disk: &Disk) -> Result<(), SourceError> {
        let table = self.format.open(disk, &self.location)?;
        let present = self.present(&*table)?.rows;
        let seen = Self::load(disk, &self.seen_path())?;
        let copy = Self::load(disk, &self.copy)?;
        let wanted = match (&seen, &copy) {
            (Some(seen), Some(copy)) => merged(&present, seen, copy),
            _ => present.clone(),
        };
        if copy.as_ref() != Some(&wanted) {
            if let Some(folder) = self.copy.parent() {
                disk.create_private_dir(folder)?;
            }
            Self::store(disk, &self.copy, &wanted)?;
        }
        if seen.as_ref() != Some(&present) {
            Self::store(disk, &self.seen_path(), &present)?;
        }
        Ok(())
    }

    /// Returns whether the copy has something that the table has not.
    pub fn is_ahead(&self, disk: &Disk) -> Result<bool, SourceError> {
        Ok(Self::load(disk, &self.seen_path())? != Self::load(disk, &self.copy)?)
    }

    /// Writes what happened to the copy into the table, in one write; rows that it does not take wait in the copy.
    ///
    /// `mapped` are the columns that items have; what a new row has in others is for the place to say.
    pub fn push(&self, disk: &Disk, mapped: &[String]) -> Result<Vec<Refused>, SourceError> {
        let mut table = self.format.open(disk, &self.location)?;
        let present = self.present(&*table)?;
        let header = &present.rows.header;
        let seen = Self::load(disk, &self.seen_path())?.unwrap_or_default().under(header);
        let whole = Self::load(disk, &self.copy)?.unwrap_or_default();
        let unknown: BTreeSet<&String> = whole.header.iter().filter(|name| !header.contains(name)).collect();
        let mut refused: Vec<Refused> = unknown
            .into_iter()
            .map(|name| {
                (
                    name.clone(),
                    "the table has no such column; its values are not written".to_owned(),
                )
            })
            .collect();
        let copy = whole.under(header);
        let (seen, wanted) = (seen.by_name(), copy.by_name());
        let value = |text: &String| (!text.is_empty()).then(|| Value::Text(text.as_str().into()));
        let mut rows: Vec<RowEdit> = Vec::new();
        let mut names = Vec::new();
        for (row, ((name, cells), old)) in (0..).zip(present.rows.rows.iter().zip(&present.values)) {
            if seen.get(name.as_str()).is_none_or(|seen| *seen != cells) {
                // Somebody changed it meanwhile: that is looked at first.
                continue;
            }
            match wanted.get(name.as_str()) {
                None => rows.push(RowEdit::Delete { row, old: old.clone() }),
                Some(wanted) if *wanted != cells => {
                    let cells = wanted.iter().zip(cells).zip(old);
                    let new =
                        cells.map(|((wanted, there), old)| if wanted == there { old.clone() } else { value(wanted) });
                    rows.push(RowEdit::Update {
                        row,
                        old: old.clone(),
                        new: new.collect(),
                    });
                }
                Some(_) => continue,
            }
            names.push(name.clone());
        }
        for (_, cells) in copy.rows.iter().filter(|(name, _)| name.is_empty()) {
            rows.push(RowEdit::Insert {
                new: cells.iter().map(value).collect(),
            });
            names.push(cells.join(" ").trim().to_owned());
        }
        if !rows.is_empty() {
            table.ignore(&idle(header, mapped, &rows));
            let write = TableWrite {
                rows: rows.into(),
                ..TableWrite::default()
            };
            match table.write(&write)? {
                WriteOutcome::Written(refusals) => {
                    let named = |edit: usize| names.get(edit).cloned().unwrap_or_default();
                    refused.extend(
                        refusals
                            .into_iter()
                            .map(|refusal| (named(refusal.edit), refusal.reason)),
                    );
                }
                WriteOutcome::Busy(reason) => refused.push((self.location.to_string(), reason)),
            }
        }
        drop(table);
        self.refresh(disk)?;
        Ok(refused)
    }
}

/// Returns the columns that items do not have and that a write does not change.
fn idle(header: &[String], mapped: &[String], edits: &[RowEdit]) -> Vec<usize> {
    let is_mapped = |name: &String| {
        mapped
            .iter()
            .any(|other| other.trim().to_lowercase() == name.trim().to_lowercase())
    };
    let is_changed = |at: usize| {
        edits.iter().any(|edit| match edit {
            RowEdit::Insert { new } => new.get(at).is_some_and(Option::is_some),
            RowEdit::Update { old, new, .. } => old.get(at) != new.get(at),
            RowEdit::Delete { .. } => false,
        })
    };
    let columns = header.iter().enumerate();
    columns
        .filter(|(at, name)| !is_mapped(name) && !is_changed(*at))
        .map(|(at, _)| at)
        .collect()
}

/// Returns the names in the first line of CSV.
pub fn names_of(bytes: &[u8]) -> Result<Vec<String>, ItemError> {
    let dialect = Dialect::detect(bytes, None, None);
    let rest = bytes.get(dialect.mark().len()..).unwrap_or_default();
    let length = dialect.row(rest, true).map_or(0, |found| found.length_bytes);
    dialect.header(rest.get(..length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(header: &[&str], rows: &[&[&str]]) -> Rows {
        let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        Rows {
            header: texts(header),
            rows: rows.iter().map(|row| (row[0].to_owned(), texts(&row[1..]))).collect(),
        }
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        let all = rows(
            &["name", "note"],
            &[&["1", "Ann, \"A\"", "two\nlines"], &["", "", "x"], &["3", "é", ""]],
        );
        assert_eq!(Rows::parse(&all.render().unwrap()).unwrap(), all);
        assert_eq!(Rows::parse(b"").unwrap(), Rows::default());
    }

    #[test]
    fn what_waits_stays_until_the_table_takes_it_or_somebody_changes_the_row() {
        let seen = rows(
            &["name", "phone"],
            &[
                &["1", "Ann", "1"],
                &["2", "Bob", "2"],
                &["3", "Cid", "3"],
                &["4", "Dan", "4"],
            ],
        );
        // Ann has a new number, Bob is to go, Cid and somebody new are to come.
        let copy = rows(
            &["name", "phone"],
            &[
                &["1", "Ann", "11"],
                &["3", "Cid", "33"],
                &["4", "Dan", "4"],
                &["", "Eve", "5"],
                &["", "Fay", ""],
            ],
        );
        // Meanwhile Cid was changed, Dan went, Gus came, and Eve is there already, with a key of her own.
        let present = rows(
            &["id", "name", "phone"],
            &[
                &["1", "1", "Ann", "1"],
                &["2", "2", "Bob", "2"],
                &["3", "3", "Cid", "300"],
                &["5", "5", "Eve", "5"],
                &["6", "6", "Gus", "6"],
            ],
        );
        let found = merged(&present, &seen, &copy);
        // Nothing was seen under the new header, so the table says what is.
        assert_eq!(found.rows.len(), present.rows.len() + 1);
        let present = rows(
            &["name", "phone"],
            &[
                &["1", "Ann", "1"],
                &["2", "Bob", "2"],
                &["3", "Cid", "300"],
                &["5", "Eve", "5"],
                &["6", "Gus", "6"],
            ],
        );
        assert_eq!(
            merged(&present, &seen, &copy),
            rows(
                &["name", "phone"],
                &[
                    &["1", "Ann", "11"],
                    &["3", "Cid", "300"],
                    &["5", "Eve", "5"],
                    &["6", "Gus", "6"],
                    &["", "Fay", ""]
                ],
            )
        );
    }
}
