//! Records for those who ask for them one after the other, read in the order of their keys.
//!
//! Items of a source stand in another order than the keys of their records. One by one, each look-up would read another
//! part of the tree; here all keys are looked up in their order, and what is found waits, sorted back and compressed.

use super::{SyncResult, other};
use crate::delta::Entry;
use crate::model::{Hash, RecordKey, Value, cbor};
use crate::port::Objects;
use crate::spool::{SortedRuns, SpoolError};
use crate::tree;

/// Reads the record of an entry; an alias has none.
pub(super) fn decode_record(bytes: &[u8]) -> SyncResult<Option<Value>> {
    let entry = Entry::decode(bytes).map_err(|error| other("reading a record", error))?;
    Ok(entry.into_record())
}

/// A record that was asked for.
pub(super) struct Found {
    /// The key under which it stands, where that is not the one that was asked for.
    pub(super) alias: Option<RecordKey>,
    pub(super) record: Value,
}

/// What was found, as it comes back sorted.
type Sorted = Result<(RecordKey, Vec<u8>), SpoolError>;

/// The records that were found, by the number of the one who asked.
pub(super) struct Answers<'o> {
    records: Box<dyn Iterator<Item = Sorted> + 'o>,
    next: Option<(u64, Vec<u8>)>,
}

impl Answers<'_> {
    /// Looks up the records at `content` for those who ask: a key, and the number under which it is asked.
    pub(super) fn find(objects: &dyn Objects, content: &Hash, mut asked: Vec<(&[u8], u64)>) -> SyncResult<Self> {
        asked.sort_unstable();
        let mut entries = tree::Finder::new(objects, content);
        let mut targets = tree::Finder::new(objects, content);
        let mut found = SortedRuns::default();
        let wrap = |error| other("reading records", error);
        let mut answer = Vec::new();
        for (key, number) in asked {
            let Some(bytes) = entries.find(key).map_err(wrap)? else {
                continue;
            };
            answer.clear();
            if Entry::is_alias(bytes) {
                let Some((alias, record)) = follow(&mut targets, bytes)? else {
                    continue;
                };
                push_key(&mut answer, alias.bytes());
                answer.extend_from_slice(&record);
            } else {
                push_key(&mut answer, &[]);
                answer.extend_from_slice(bytes);
            }
            let place = RecordKey::new(number.to_be_bytes());
            found.push(place.ok_or_else(bad)?, answer.clone())?;
        }
        Ok(Self {
            records: Box::new(found.in_order()?),
            next: None,
        })
    }

    /// Returns the record that was asked for under `number`; `None` where there is none. Numbers must ascend.
    pub(super) fn take(&mut self, number: u64) -> SyncResult<Option<Found>> {
        loop {
            let (at, bytes) = match self.next.take() {
                Some(next) => next,
                None => match self.records.next() {
                    Some(next) => {
                        let (place, bytes) = next?;
                        let place = place.bytes().first_chunk().copied().map(u64::from_be_bytes);
                        (place.ok_or_else(bad)?, bytes)
                    }
                    None => return Ok(None),
                },
            };
            match at.cmp(&number) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return decode(&bytes).map(Some),
                std::cmp::Ordering::Greater => {
                    self.next = Some((at, bytes));
                    return Ok(None);
                }
            }
        }
    }
}

fn bad() -> super::SyncError {
    super::SyncError::Damaged("records in memory".to_owned())
}

fn push_key(answer: &mut Vec<u8>, key: &[u8]) {
    // Keys have at most `RecordKey::MAX_BYTES`.
    answer.extend_from_slice(&u16::try_from(key.len()).unwrap_or(0).to_le_bytes());
    answer.extend_from_slice(key);
}

/// Follows an alias to the record that it stands for.
fn follow(entries: &mut tree::Finder<'_>, alias: &[u8]) -> SyncResult<Option<(RecordKey, Vec<u8>)>> {
    let mut bytes = alias.to_vec();
    let mut last: Option<RecordKey> = None;
    while let Entry::Alias(to) = Entry::decode(&bytes).map_err(|error| other("reading a record", error))? {
        if last.as_ref().is_some_and(|last| to >= *last) {
            return Err(super::SyncError::Damaged(format!(
                "record {to}: an alias of a larger key"
            )));
        }
        let next = entries
            .find(to.bytes())
            .map_err(|error| other("reading records", error))?;
        let Some(next) = next.map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        bytes = next;
        last = Some(to);
    }
    Ok(last.map(|key| (key, bytes)))
}

fn decode(bytes: &[u8]) -> SyncResult<Found> {
    let (length, rest) = bytes.split_first_chunk().ok_or_else(bad)?;
    let (key, record) = rest
        .split_at_checked(usize::from(u16::from_le_bytes(*length)))
        .ok_or_else(bad)?;
    Ok(Found {
        alias: RecordKey::new(key),
        record: cbor::decode(record).map_err(|error| other("reading a record", error))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::MemoryObjects;

    #[test]
    fn records_come_in_the_order_of_those_who_ask() {
        let objects = MemoryObjects::default();
        let key = |n: u64| RecordKey::new(n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()).unwrap();
        let mut keys: Vec<(RecordKey, u64)> = (0..3000).map(|n| (key(n), n)).collect();
        keys.sort();
        let smallest = keys[0].clone();
        let alias = keys[10].clone();
        let entries = keys.iter().map(|(key, n)| {
            let map = [("n".to_owned(), Value::Integer(i64::try_from(*n).unwrap()))].into();
            let entry = if *key == alias.0 {
                Entry::Alias(smallest.0.clone())
            } else {
                Entry::Record(Value::Map(map))
            };
            Ok::<_, tree::TreeError>((key.bytes().to_vec(), entry.encode()))
        });
        let content = tree::build(&objects, entries).unwrap();
        let all: Vec<RecordKey> = (0..3100).map(key).collect();
        let asked = all.iter().zip(0..).map(|(key, n)| (key.bytes(), n)).collect();
        let mut answers = Answers::find(&objects, &content, asked).unwrap();
        for n in (0..3100).filter(|n| n % 3 != 1) {
            let found = answers.take(n).unwrap();
            if n >= 3000 {
                assert!(found.is_none());
                continue;
            }
            let found = found.unwrap();
            let number = found.record.as_map().unwrap().get("n").and_then(Value::as_integer);
            let shown = if n == alias.1 { smallest.1 } else { n };
            assert_eq!(number, i64::try_from(shown).ok());
            assert_eq!(found.alias, (n == alias.1).then(|| smallest.0.clone()));
        }
    }
}
