//! Reading a table: which rows are as they were, which are to be looked at.

use std::collections::HashMap;

use super::Rows;
use super::content::encoded;
use super::ranks::narrow;
use super::sorter::{Row, Sorter};
use crate::model::row::RowEncoder;
use crate::model::{Map, RecordKey};
use crate::port::blob;
use crate::source::SourceError;
use crate::source::table::{Matching, NO_RANK, Prints, Table};
use crate::sync::config::SourceConfig;
use crate::sync::work::Work;
use crate::sync::{SyncResult, source_error};

/// A row that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Examined {
    /// Its place among the rows.
    pub(super) row: usize,
    pub(super) line: u64,
    /// Its key; empty where rows have none.
    pub(super) key: Vec<u8>,
    pub(super) record: Vec<u8>,
}

/// The rows of a table.
pub(super) struct Gathered {
    pub(super) seed: u64,
    /// Fingerprints by row; 0 for rows that cannot be read.
    pub(super) hashes: Vec<u64>,
    /// Ranks at the source's base by row, of the rows that are as they were.
    pub(super) ranks: Vec<u32>,
    pub(super) rows: Which,
    /// Rows that cannot be read, by line, and why.
    pub(super) broken: Vec<(u64, String)>,
    pub(super) is_complete: bool,
}

/// Which rows are to be looked at.
pub(super) enum Which {
    /// These, and the records of the base at these ranks, which no row shows as they were.
    Changes {
        unknown: Vec<Examined>,
        vanished: Vec<u32>,
        /// For each row the row it was, [`NO_RANK`] where that is not known; empty where the former order is not known.
        before: Vec<u32>,
        /// Ranks of the former rows.
        former: Vec<u32>,
    },
    /// All, by key.
    All(Sorter),
}

/// Is called with a row that can be understood and is in the encoder: its place, its line and its bytes.
pub(super) type EachRow<'r, G> = dyn FnMut(&G, usize, u64, &[u8]) -> SyncResult<()> + 'r;

/// What gathering works on.
pub(super) struct Gatherer<'g> {
    pub(super) work: &'g Work<'g>,
    pub(super) config: &'g SourceConfig,
    pub(super) encoder: RowEncoder,
    pub(super) is_keyed: bool,
}

impl Gatherer<'_> {
    /// Encodes a row; a reason where it cannot be understood.
    pub(super) fn encode(&mut self, table: &dyn Table, row: &[u8]) -> SyncResult<Option<String>> {
        self.encoder.begin();
        let objects = self.work.objects;
        let encoder = &mut self.encoder;
        let mut failure = None;
        let read = table.cells(row, &mut |column, cell| {
            if failure.is_none() {
                let large = &mut |content: &[u8], shape| blob::put(objects, content, shape);
                failure = encoder.push(column, cell, large).err();
            }
        });
        if let Some(error) = failure {
            return Err(error.into());
        }
        Ok(match read {
            Err(error) => Some(error.reason),
            Ok(()) if self.is_keyed && self.encoder.is_key_null() => {
                Some("it has nothing in its key columns".to_owned())
            }
            Ok(()) => None,
        })
    }

    fn examined(&self, row: usize, line: u64) -> Examined {
        let (mut key, mut record) = (Vec::new(), Vec::new());
        if self.is_keyed {
            self.encoder.key_into(&mut key);
        }
        self.encoder.record_into(&mut record);
        Examined { row, line, key, record }
    }

    /// Joins the rows with the fingerprints of those that were there.
    pub(super) fn known(&mut self, table: &dyn Table, former: &Rows) -> SyncResult<Gathered> {
        let mut examined = Vec::new();
        let mut gathered = self.known_each(table, former, &mut |row| {
            examined.push(row);
            Ok(())
        })?;
        if let Which::Changes { unknown, .. } = &mut gathered.rows {
            *unknown = examined;
        }
        Ok(gathered)
    }

    /// Joins the rows with the fingerprints of those that were there; calls `each` for the rows that are to be looked at.
    pub(super) fn known_each(
        &mut self,
        table: &dyn Table,
        former: &Rows,
        each: &mut dyn FnMut(Examined) -> SyncResult<()>,
    ) -> SyncResult<Gathered> {
        let mut matching = Matching::new(&former.prints);
        let end = table
            .read(&mut |row| matching.row(row.bytes, row.line))
            .map_err(|error| source_error(self.config, error))?;
        let mut joined = matching.finish();
        let rank_of = |row: u32| former.prints.ranks.get(row as usize).copied().unwrap_or(NO_RANK);
        let mut gathered = Gathered {
            seed: former.prints.seed,
            hashes: std::mem::take(&mut joined.hashes),
            ranks: joined
                .before
                .iter()
                .map(|row| if *row == NO_RANK { NO_RANK } else { rank_of(*row) })
                .collect(),
            rows: Which::All(Sorter::default()),
            broken: Vec::new(),
            is_complete: end.is_complete,
        };
        for row in joined.unknown_rows() {
            let (row, bytes) = row.map_err(|error| source_error(self.config, error))?;
            match self.encode(table, &bytes)? {
                None => each(self.examined(row.row, row.line))?,
                Some(reason) => {
                    gathered.broken.push((row.line, reason));
                    if let Some(hash) = gathered.hashes.get_mut(row.row) {
                        *hash = 0;
                    }
                }
            }
        }
        gathered.rows = Which::Changes {
            unknown: Vec::new(),
            vanished: joined
                .vanished
                .into_iter()
                .map(rank_of)
                .filter(|rank| *rank != NO_RANK)
                .collect(),
            before: joined.before,
            former: former.prints.ranks.clone(),
        };
        Ok(gathered)
    }

    /// Finds the places of rows whose records the base does not have, by what they show.
    pub(super) fn foreign(
        &mut self,
        table: &dyn Table,
        rows: &Rows,
        wanted: &[(&RecordKey, &Map)],
    ) -> SyncResult<HashMap<RecordKey, u64>> {
        let mut found = HashMap::new();
        let (mut at, mut failure) = (0, None);
        let read = table.read(&mut |row| {
            let place = at;
            at += 1;
            if wanted.is_empty() || rows.prints.ranks.get(place) != Some(&NO_RANK) {
                return Ok(());
            }
            match self.encode(table, row.bytes) {
                Ok(None) => {
                    let seen = self.examined(place, row.line);
                    let is_it = |(key, shown): &&(&RecordKey, &Map)| {
                        if self.is_keyed {
                            seen.key == key.bytes()
                        } else {
                            seen.record == encoded(shown)
                        }
                    };
                    if let Some((key, _)) = wanted.iter().find(is_it) {
                        found.insert((*key).clone(), place as u64);
                    }
                    Ok(())
                }
                Ok(Some(_)) => Ok(()),
                Err(error) => {
                    failure = Some(error);
                    Err(SourceError::State("reading stopped"))
                }
            }
        });
        match (failure, read) {
            (Some(error), _) => Err(error),
            (None, read) => read.map(|_| found).map_err(|error| source_error(self.config, error)),
        }
    }

    /// Reads all rows and sorts them by key.
    pub(super) fn all(&mut self, table: &dyn Table, seed: u64) -> SyncResult<Gathered> {
        let mut sorter = Sorter::default();
        let (mut key, mut record) = (Vec::new(), Vec::new());
        let mut each = |this: &Self, row: usize, line: u64, _: &[u8]| {
            key.clear();
            record.clear();
            this.encoder.key_into(&mut key);
            this.encoder.record_into(&mut record);
            sorter.push(Row {
                key: &key,
                record: &record,
                place: narrow(row as u64),
                line,
            })
        };
        let mut gathered = self.each(table, seed, &mut each)?;
        gathered.rows = Which::All(sorter);
        Ok(gathered)
    }

    /// Reads all rows, encodes them and calls `each` with what can be understood; its place and line are told.
    pub(super) fn each(&mut self, table: &dyn Table, seed: u64, each: &mut EachRow<'_, Self>) -> SyncResult<Gathered> {
        let prints = Prints {
            seed,
            ..Prints::default()
        };
        let mut gathered = Gathered {
            seed,
            hashes: Vec::new(),
            ranks: Vec::new(),
            rows: Which::All(Sorter::default()),
            broken: Vec::new(),
            is_complete: true,
        };
        let mut failure = None;
        let end = table.read(&mut |row| {
            let at = gathered.hashes.len();
            let hash = prints.fingerprint(row.bytes);
            let result = self.encode(table, row.bytes).and_then(|reason| match reason {
                None => {
                    gathered.hashes.push(hash);
                    each(self, at, row.line, row.bytes)
                }
                Some(reason) => {
                    gathered.hashes.push(0);
                    gathered.broken.push((row.line, reason));
                    Ok(())
                }
            });
            if let Err(error) = result {
                failure = Some(error);
                return Err(SourceError::State("reading stopped"));
            }
            Ok(())
        });
        if let Some(error) = failure {
            return Err(error);
        }
        gathered.is_complete = end.map_err(|error| source_error(self.config, error))?.is_complete;
        gathered.ranks = vec![NO_RANK; gathered.hashes.len()];
        Ok(gathered)
    }
}
