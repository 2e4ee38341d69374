//! Rows in the order of their keys, in little memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::spool::{Spool, SpoolError};
use crate::sync::{SyncError, SyncResult, other};

/// How many bytes of rows are sorted in memory; more go out compressed (chosen: a table of a hundred megabytes is sorted
/// without being compressed, beside what else a scan keeps).
const RUN_BYTES: usize = 160 << 20;

/// A row on its way: its key, its record, its place in the table and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'r> {
    pub(super) key: &'r [u8],
    pub(super) record: &'r [u8],
    pub(super) place: u32,
    pub(super) line: u64,
}

/// Where a row lies in the buffer. Its key and record follow each other.
struct Place {
    /// The first bytes of the key, big-endian: most comparisons need no more.
    prefix: u64,
    start: usize,
    key_bytes: u32,
    record_bytes: u32,
    row: u32,
    line: u64,
}

/// Rows that come in any order and go out sorted by key, then by their place.
#[derive(Default)]
pub(super) struct Sorter {
    bytes: Vec<u8>,
    places: Vec<Place>,
    is_sorted: bool,
    runs: Vec<Spool>,
}

fn prefix_of(key: &[u8]) -> u64 {
    let mut prefix = [0; 8];
    let length = key.len().min(8);
    prefix[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(prefix)
}

impl Sorter {
    /// Takes the next row.
    pub(super) fn push(&mut self, row: Row<'_>) -> SyncResult<()> {
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|error| other("sorting rows", error));
        let place = Place {
            prefix: prefix_of(row.key),
            start: self.bytes.len(),
            key_bytes: size(row.key)?,
            record_bytes: size(row.record)?,
            row: row.place,
            line: row.line,
        };
        self.is_sorted = match self.places.last() {
            Some(last) => self.is_sorted && self.key(last) <= row.key,
            None => true,
        };
        self.bytes.extend_from_slice(row.key);
        self.bytes.extend_from_slice(row.record);
        self.places.push(place);
        if self.bytes.len() + self.places.len() * size_of::<Place>() >= RUN_BYTES {
            self.end_run()?;
        }
        Ok(())
    }

    fn key(&self, place: &Place) -> &[u8] {
        let end = place.start + place.key_bytes as usize;
        self.bytes.get(place.start..end).unwrap_or_default()
    }

    fn at(&self, place: &Place) -> Row<'_> {
        let start = place.start + place.key_bytes as usize;
        let record = self.bytes.get(start..start + place.record_bytes as usize);
        Row {
            key: self.key(place),
            record: record.unwrap_or_default(),
            place: place.row,
            line: place.line,
        }
    }

    fn sort(&mut self) {
        if self.is_sorted {
            return;
        }
        let mut places = std::mem::take(&mut self.places);
        places.sort_unstable_by(|left, right| {
            let keys = || self.key(left).cmp(self.key(right)).then(left.row.cmp(&right.row));
            left.prefix.cmp(&right.prefix).then_with(keys)
        });
        self.places = places;
    }

    fn end_run(&mut self) -> SyncResult<()> {
        self.sort();
        let mut run = Spool::dense();
        for place in &self.places {
            let row = self.at(place);
            run.push(&[
                &place.key_bytes.to_le_bytes(),
                &row.place.to_le_bytes(),
                &row.line.to_le_bytes(),
                row.key,
                row.record,
            ])?;
        }
        self.runs.push(run);
        self.bytes.clear();
        self.places.clear();
        Ok(())
    }

    /// Calls `each` for the rows in order; equal keys follow each other.
    pub(super) fn in_order(mut self, each: &mut dyn FnMut(Row<'_>) -> SyncResult<()>) -> SyncResult<()> {
        if self.runs.is_empty() {
            self.sort();
            return self.places.iter().try_for_each(|place| each(self.at(place)));
        }
        self.end_run()?;
        self.bytes = Vec::new();
        self.places = Vec::new();
        let mut runs: Vec<_> = self.runs.iter().map(Spool::iter).collect();
        let mut heads: BinaryHeap<Reverse<Head>> = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            heads.extend(
                run.next()
                    .map(|bytes| Head::read(bytes, number))
                    .transpose()?
                    .map(Reverse),
            );
        }
        while let Some(Reverse(head)) = heads.pop() {
            each(head.row()?)?;
            let next = runs.get_mut(head.run).and_then(Iterator::next);
            heads.extend(next.map(|bytes| Head::read(bytes, head.run)).transpose()?.map(Reverse));
        }
        Ok(())
    }
}

/// The next row of a run.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Vec<u8>,
    row: u32,
    run: usize,
    bytes: Vec<u8>,
}

const FIXED_BYTES: usize = 16;

impl Head {
    fn read(bytes: Result<Vec<u8>, SpoolError>, run: usize) -> SyncResult<Self> {
        let bytes = bytes?;
        let damaged = || SyncError::Damaged("rows in memory".to_owned());
        let number = |at: usize| -> Option<u32> { Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)) };
        let key_bytes = number(0).ok_or_else(damaged)? as usize;
        let key = bytes
            .get(FIXED_BYTES..FIXED_BYTES + key_bytes)
            .ok_or_else(damaged)?
            .to_vec();
        let row = number(4).ok_or_else(damaged)?;
        Ok(Self { key, row, run, bytes })
    }

    fn row(&self) -> SyncResult<Row<'_>> {
        let line = self.bytes.get(8..).and_then(|rest| rest.first_chunk());
        let record = self.bytes.get(FIXED_BYTES + self.key.len()..);
        let damaged = || SyncError::Damaged("rows in memory".to_owned());
        Ok(Row {
            key: &self.key,
            record: record.ok_or_else(damaged)?,
            place: self.row,
            line: u64::from_le_bytes(*line.ok_or_else(damaged)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_out_sorted_from_memory_and_from_runs() {
        for runs in [false, true] {
            let mut sorter = Sorter::default();
            let mut wanted = Vec::new();
            for number in 0..5000u32 {
                let key = (number.wrapping_mul(2_654_435_761) % 1000).to_string().into_bytes();
                let record = vec![b'r'; number as usize % 40];
                let row = Row {
                    key: &key,
                    record: &record,
                    place: number,
                    line: u64::from(number) + 2,
                };
                sorter.push(row).unwrap();
                wanted.push((key.clone(), number, record.clone()));
                if runs && number % 1500 == 0 {
                    sorter.end_run().unwrap();
                }
            }
            wanted.sort();
            let mut found = Vec::new();
            let mut each = |row: Row<'_>| {
                assert_eq!(row.line, u64::from(row.place) + 2);
                found.push((row.key.to_vec(), row.place, row.record.to_vec()));
                Ok(())
            };
            sorter.in_order(&mut each).unwrap();
            assert!(found == wanted);
        }
    }
}
