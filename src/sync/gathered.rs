//! What a scan does to records, in little memory.
//!
//! Many items of a source may have been edited, and each operation as a value takes many times its bytes. They wait
//! encoded and compressed, sorted by key, until the snapshot takes them one by one.

use std::iter::Peekable;

use super::{SyncError, SyncResult, other};
use crate::delta::{FieldOperation, Operation, Transaction, apply};
use crate::model::{FieldPath, Map, RecordKey, Value, cbor};
use crate::spool::{SortedRuns, SpoolError};

const CHANGES: u8 = 0;
/// Changes of a record that the base does not have: they make it.
const SIGHTS: u8 = 1;
const REMOVAL: u8 = 2;
const ALIAS: u8 = 3;

/// Operations on records, gathered in any order; several on one record become one.
#[derive(Default)]
pub(super) struct Gathered(SortedRuns);

impl Gathered {
    /// Returns whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds edits of a record, which the base has or not.
    pub(super) fn change(&mut self, key: RecordKey, is_there: bool, operations: Vec<FieldOperation>) -> SyncResult<()> {
        let mut bytes = vec![if is_there { CHANGES } else { SIGHTS }];
        let operations = operations.into_iter().map(|operation| {
            let (path, value) = match operation {
                FieldOperation::Set(path, value) => (path, Some(value)),
                FieldOperation::Clear(path) => (path, None),
            };
            let path = path.parts().iter().cloned().map(Value::Text).collect();
            Value::List([Value::List(path)].into_iter().chain(value).collect())
        });
        cbor::encode_into(&Value::List(operations.collect()), &mut bytes);
        Ok(self.0.push(key, bytes)?)
    }

    /// Adds that a record is the one of another key.
    pub(super) fn alias(&mut self, key: RecordKey, to: &RecordKey) -> SyncResult<()> {
        let bytes = [&[ALIAS], to.bytes()].concat();
        Ok(self.0.push(key, bytes)?)
    }

    /// Adds the removal of a record.
    pub(super) fn remove(&mut self, key: RecordKey) -> SyncResult<()> {
        Ok(self.0.push(key, vec![REMOVAL])?)
    }

    /// Returns what is done to each record, in order of keys.
    pub(super) fn in_order(self) -> SyncResult<impl Iterator<Item = SyncResult<(RecordKey, Operation)>>> {
        let mut gathered = self.0.in_order()?.peekable();
        Ok(std::iter::from_fn(move || next(&mut gathered).transpose()))
    }
}

type Read = Result<(RecordKey, Vec<u8>), SpoolError>;

/// Returns what all that was gathered for the next record comes to.
fn next(gathered: &mut Peekable<impl Iterator<Item = Read>>) -> SyncResult<Option<(RecordKey, Operation)>> {
    while let Some(first) = gathered.next() {
        let (key, bytes) = first?;
        let mut operation = add(None, &bytes)?;
        while let Some(more) = gathered.next_if(|next| matches!(next, Ok((other, _)) if *other == key)) {
            operation = add(operation, &more?.1)?;
        }
        // What came to nothing at all is no edit.
        if let Some(operation) = operation {
            return Ok(Some((key, operation)));
        }
    }
    Ok(None)
}

/// Puts what was gathered next on top of an operation.
fn add(before: Option<Operation>, bytes: &[u8]) -> SyncResult<Option<Operation>> {
    let (tag, rest) = bytes.split_first().ok_or_else(bad)?;
    if *tag == REMOVAL {
        return Ok(Some(Operation::Remove));
    }
    if *tag == ALIAS {
        let to = RecordKey::new(rest).ok_or_else(bad)?;
        return Ok(Some(Operation::Alias(to)));
    }
    let operations = decode(rest)?;
    Ok(match before {
        Some(Operation::Change(mut list)) => {
            list.extend(operations);
            Some(Operation::Change(list))
        }
        Some(Operation::Add(record)) => {
            let changed = apply(Some(&record), &Operation::Change(operations));
            Some(Operation::Add(changed.ok().flatten().unwrap_or(record)))
        }
        _ if *tag == CHANGES => Some(Operation::Change(operations)),
        before => {
            let empty = Value::Map(Map::new());
            match apply(Some(&empty), &Operation::Change(operations)) {
                Ok(Some(record)) => Some(Operation::Add(record)),
                _ => before,
            }
        }
    })
}

fn decode(bytes: &[u8]) -> SyncResult<Vec<FieldOperation>> {
    let list = cbor::decode(bytes).map_err(|error| other("reading edits", error))?;
    let Value::List(list) = list else { return Err(bad()) };
    list.into_iter()
        .map(|operation| field(operation).ok_or_else(bad))
        .collect()
}

fn field(operation: Value) -> Option<FieldOperation> {
    let Value::List(parts) = operation else { return None };
    let mut parts = parts.into_iter();
    let Some(Value::List(path)) = parts.next() else {
        return None;
    };
    let path = path.into_iter().map(|part| match part {
        Value::Text(part) => Some(part),
        _ => None,
    });
    let path = FieldPath::new(path.collect::<Option<Vec<_>>>()?);
    Some(match parts.next() {
        Some(value) => FieldOperation::Set(path, value),
        None => FieldOperation::Clear(path),
    })
}

fn bad() -> SyncError {
    SpoolError.into()
}

/// Merges operations with the additions of records, given by their canonical bytes, that nothing else concerns.
pub(super) fn with_additions(
    changes: impl Iterator<Item = SyncResult<(RecordKey, Operation)>>,
    additions: SortedRuns,
) -> SyncResult<impl Iterator<Item = SyncResult<Transaction>>> {
    let mut changes = changes.peekable();
    let mut additions = additions.in_order()?.peekable();
    Ok(std::iter::from_fn(move || {
        let is_change_next = match (changes.peek(), additions.peek()) {
            (Some(Ok((change, _))), Some(Ok((addition, _)))) => change < addition,
            (Some(Err(_)), _) | (_, None) => true,
            (_, Some(_)) => false,
        };
        let next = if is_change_next {
            changes.next()?
        } else {
            addition(additions.next()?)
        };
        Some(next.map(|(key, operation)| Transaction::new(key, operation)))
    }))
}

fn addition(read: Read) -> SyncResult<(RecordKey, Operation)> {
    let (key, bytes) = read?;
    let record = cbor::decode(&bytes).map_err(|error| other("reading a record", error))?;
    Ok((key, Operation::Add(record)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> RecordKey {
        RecordKey::new([number; 16]).unwrap()
    }

    fn set(path: &str, value: &str) -> FieldOperation {
        FieldOperation::Set(FieldPath::parse(path).unwrap(), value.into())
    }

    fn record(path: &str, value: &str) -> Value {
        let mut record = Value::Map(Map::new());
        record.set_at(&FieldPath::parse(path).unwrap(), value.into());
        record
    }

    #[test]
    fn what_concerns_one_record_becomes_one_operation() {
        let mut gathered = Gathered::default();
        assert!(gathered.is_empty());
        let clear = FieldOperation::Clear(FieldPath::parse("/phones/a~1b").unwrap());
        gathered.change(key(4), true, vec![set("/name/full", "Ann")]).unwrap();
        gathered.change(key(2), false, vec![set("/name/full", "Bob")]).unwrap();
        gathered.change(key(4), true, vec![clear.clone()]).unwrap();
        gathered.remove(key(3)).unwrap();
        gathered.change(key(2), false, vec![set("/name/full", "Bea")]).unwrap();
        gathered.remove(key(5)).unwrap();
        gathered.alias(key(6), &key(1)).unwrap();
        gathered.change(key(5), true, vec![set("/name/full", "Eve")]).unwrap();
        let found: Vec<_> = gathered.in_order().unwrap().map(Result::unwrap).collect();
        let wanted = [
            (key(2), Operation::Add(record("/name/full", "Bea"))),
            (key(3), Operation::Remove),
            (key(4), Operation::Change(vec![set("/name/full", "Ann"), clear])),
            (key(5), Operation::Change(vec![set("/name/full", "Eve")])),
            (key(6), Operation::Alias(key(1))),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn additions_come_between_changes() {
        let mut gathered = Gathered::default();
        let mut additions = SortedRuns::default();
        for number in [1, 4, 6] {
            gathered.remove(key(number)).unwrap();
        }
        for number in [5, 2, 3, 7] {
            let bytes = cbor::encode(&record("/uid", &number.to_string()));
            additions.push(key(number), bytes).unwrap();
        }
        let all = with_additions(gathered.in_order().unwrap(), additions).unwrap();
        let all: Vec<Transaction> = all.map(Result::unwrap).collect();
        assert!(all.iter().map(|one| one.key.clone()).eq((1..8).map(key)));
        assert_eq!(all[6].operation, Operation::Add(record("/uid", "7")));
    }
}
