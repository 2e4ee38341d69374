//! Byte strings in the order of their keys.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Spool, SpoolError};
use crate::model::RecordKey;

/// How many bytes are sorted at once (chosen).
const RUN_BYTES: usize = 8 * 1024 * 1024;

/// Byte strings that come in any order of their keys and go out sorted: sorted runs, compressed, are merged.
///
/// Those of one key stay in the order of their arrival.
#[derive(Default)]
pub struct SortedRuns {
    open: Vec<(RecordKey, Vec<u8>)>,
    open_bytes: usize,
    runs: Vec<Spool>,
}

impl SortedRuns {
    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.runs.is_empty()
    }

    /// Adds one, which is taken over.
    pub fn push(&mut self, key: RecordKey, bytes: Vec<u8>) -> Result<(), SpoolError> {
        self.open_bytes += bytes.len() + 64;
        self.open.push((key, bytes));
        if self.open_bytes >= RUN_BYTES {
            self.end_run(false)?;
        }
        Ok(())
    }

    fn end_run(&mut self, is_only: bool) -> Result<(), SpoolError> {
        let mut open = std::mem::take(&mut self.open);
        self.open_bytes = 0;
        open.sort_by(|(left, _), (right, _)| left.cmp(right));
        // A single run is as large as it was anyway.
        let mut run = if is_only { Spool::default() } else { Spool::dense() };
        for (key, bytes) in open {
            let length = u16::try_from(key.bytes().len()).map_err(|_| SpoolError)?;
            run.push(&[&length.to_le_bytes(), key.bytes(), &bytes])?;
        }
        self.runs.push(run);
        Ok(())
    }

    /// Returns all in the order of their keys; memory gives up what was passed.
    pub fn in_order(mut self) -> Result<impl Iterator<Item = Result<(RecordKey, Vec<u8>), SpoolError>>, SpoolError> {
        if !self.open.is_empty() {
            self.end_run(self.runs.is_empty())?;
        }
        let mut runs: Vec<_> = self.runs.into_iter().map(Spool::drain).collect();
        let mut heads: BinaryHeap<Reverse<(RecordKey, usize, Vec<u8>)>> = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            if let Some(next) = run.next() {
                heads.push(Reverse(head(next?, number)?));
            }
        }
        Ok(std::iter::from_fn(move || {
            let Reverse((key, number, bytes)) = heads.pop()?;
            if let Some(next) = runs.get_mut(number).and_then(Iterator::next) {
                match next.and_then(|next| head(next, number)) {
                    Ok(next) => heads.push(Reverse(next)),
                    Err(error) => return Some(Err(error)),
                }
            }
            Some(Ok((key, bytes)))
        }))
    }
}

fn head(bytes: Vec<u8>, number: usize) -> Result<(RecordKey, usize, Vec<u8>), SpoolError> {
    let split = bytes.split_first_chunk().and_then(|(length, rest)| {
        let length = usize::from(u16::from_le_bytes(*length));
        rest.split_at_checked(length)
    });
    let (key, rest) = split.ok_or(SpoolError)?;
    let key = RecordKey::new(key).ok_or(SpoolError)?;
    Ok((key, number, rest.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_out_in_order_of_their_keys_then_of_arrival() {
        let mut sorted = SortedRuns::default();
        assert!(sorted.is_empty());
        let key = |number: u32| RecordKey::from_identity(&(number % 3000).to_string());
        let text = |number: u32| format!("{number} {}", "y".repeat(5000)).into_bytes();
        for number in 0..4000_u32 {
            sorted.push(key(number), text(number)).unwrap();
        }
        assert!(sorted.runs.len() > 1 && !sorted.is_empty());
        let found: Vec<(RecordKey, Vec<u8>)> = sorted.in_order().unwrap().map(Result::unwrap).collect();
        let mut wanted: Vec<(RecordKey, Vec<u8>)> = (0..4000_u32).map(|number| (key(number), text(number))).collect();
        wanted.sort_by(|left, right| left.0.cmp(&right.0));
        assert!(found == wanted);
    }

    #[test]
    fn the_longest_keys_come_back() {
        let mut sorted = SortedRuns::default();
        let long = RecordKey::new(vec![7; RecordKey::MAX_BYTES]).unwrap();
        let short = RecordKey::new([7]).unwrap();
        sorted.push(long.clone(), Vec::new()).unwrap();
        sorted.push(short.clone(), vec![1]).unwrap();
        let found: Vec<_> = sorted.in_order().unwrap().map(Result::unwrap).collect();
        assert_eq!(found, [(short, vec![1]), (long, Vec::new())]);
    }
}
