//! Many records in the order of their keys, in little memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{SyncError, SyncResult, other};
use crate::model::{RecordKey, Value, cbor};
use crate::source::Spool;

/// How many bytes of records are sorted at once (chosen).
const RUN_BYTES: usize = 8 * 1024 * 1024;

/// Records that come in any order, each key once, and go out sorted: sorted runs, compressed, are merged.
#[derive(Default)]
pub(super) struct SortedRecords {
    open: Vec<(RecordKey, Vec<u8>)>,
    open_bytes: usize,
    runs: Vec<Spool>,
}

impl SortedRecords {
    pub(super) fn push(&mut self, key: RecordKey, record: &Value) -> SyncResult<()> {
        self.push_bytes(key, cbor::encode(record))
    }

    /// Adds a record given by its canonical bytes.
    pub(super) fn push_encoded(&mut self, key: RecordKey, record: &[u8]) -> SyncResult<()> {
        self.push_bytes(key, record.to_vec())
    }

    /// Returns whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.runs.is_empty()
    }

    /// Adds a record given by its canonical bytes, which are taken over.
    pub(super) fn push_bytes(&mut self, key: RecordKey, bytes: Vec<u8>) -> SyncResult<()> {
        self.open_bytes += bytes.len() + 64;
        self.open.push((key, bytes));
        if self.open_bytes >= RUN_BYTES {
            self.end_run(false)?;
        }
        Ok(())
    }

    fn end_run(&mut self, is_only: bool) -> SyncResult<()> {
        let mut open = std::mem::take(&mut self.open);
        self.open_bytes = 0;
        open.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        // A single run is as large as it was anyway.
        let mut run = if is_only { Spool::default() } else { Spool::dense() };
        for (key, bytes) in open {
            let length = u8::try_from(key.bytes().len()).map_err(|error| other("sorting records", error))?;
            run.push(&[&[length], key.bytes(), &bytes])
                .map_err(|error| other("sorting records", error))?;
        }
        self.runs.push(run);
        Ok(())
    }

    /// Returns the records in order of their keys; memory gives up what was passed.
    pub(super) fn in_order(self) -> SyncResult<impl Iterator<Item = SyncResult<(RecordKey, Value)>>> {
        Ok(self.in_order_encoded()?.map(|record| {
            let (key, bytes) = record?;
            let record = cbor::decode(&bytes).map_err(|error| other("sorting records", error))?;
            Ok((key, record))
        }))
    }

    /// Returns the bytes of the records in order of their keys; memory gives up what was passed.
    pub(super) fn in_order_encoded(mut self) -> SyncResult<impl Iterator<Item = SyncResult<(RecordKey, Vec<u8>)>>> {
        if !self.open.is_empty() {
            self.end_run(self.runs.is_empty())?;
        }
        let mut runs: Vec<_> = self.runs.into_iter().map(Spool::drain).collect();
        let mut heads: BinaryHeap<Reverse<(RecordKey, usize, Vec<u8>)>> = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            if let Some(next) = run.next() {
                heads.push(Reverse(head(next, number)?));
            }
        }
        Ok(std::iter::from_fn(move || {
            let Reverse((key, number, bytes)) = heads.pop()?;
            if let Some(next) = runs.get_mut(number).and_then(Iterator::next) {
                match head(next, number) {
                    Ok(next) => heads.push(Reverse(next)),
                    Err(error) => return Some(Err(error)),
                }
            }
            Some(Ok((key, bytes)))
        }))
    }
}

fn head(next: Result<Vec<u8>, crate::source::SourceError>, number: usize) -> SyncResult<(RecordKey, usize, Vec<u8>)> {
    let bytes = next.map_err(|error| other("sorting records", error))?;
    let split = bytes
        .split_first()
        .and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)));
    let key = split.and_then(|(key, record)| Some((RecordKey::new(key.to_vec())?, record.to_vec())));
    match key {
        Some((key, record)) => Ok((key, number, record)),
        None => Err(SyncError::Damaged("records in memory".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_in_order_of_their_keys() {
        let mut sorted = SortedRecords::default();
        let text = |number: u32| Value::Text(format!("{number} {}", "y".repeat(5000)).into());
        for number in 0..4000_u32 {
            sorted
                .push(RecordKey::from_identity(&number.to_string()), &text(number))
                .unwrap();
        }
        assert!(sorted.runs.len() > 1);
        let found: Vec<(RecordKey, Value)> = sorted.in_order().unwrap().map(Result::unwrap).collect();
        assert!(found.is_sorted_by(|left, right| left.0 < right.0));
        let mut wanted: Vec<(RecordKey, Value)> = (0..4000_u32)
            .map(|number| (RecordKey::from_identity(&number.to_string()), text(number)))
            .collect();
        wanted.sort_by(|left, right| left.0.cmp(&right.0));
        assert!(found == wanted);
    }
}
