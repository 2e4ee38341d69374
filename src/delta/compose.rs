//! The net effect of two difference sets in a row.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChangeError, Delta, DeltaError, FieldOperation, Operation, Transaction, apply};
use crate::model::{FieldPath, Map, RecordKey, Value};

/// Returns the transactions whose effect is that of `first` and then `second`, in order of keys.
///
/// Only the net effect stays. Who still needs the single writes of either (because somebody may be concurrent with them) must keep
/// both. Memory follows the renames of both.
pub fn compose<'a>(
    first: &'a Delta<'_>,
    second: &'a Delta<'_>,
) -> Result<impl Iterator<Item = Result<Transaction, DeltaError>> + 'a, DeltaError> {
    let moved = Moved::new(first, second)?;
    let mut net = moved.compose()?.into_iter().peekable();
    let keys = std::rc::Rc::new(moved.keys);
    let others = |delta: &'a Delta<'_>| {
        let keys = std::rc::Rc::clone(&keys);
        let is_other =
            move |read: &Result<Transaction, DeltaError>| !matches!(read, Ok(read) if keys.contains(&read.key));
        delta.iter().filter(is_other).peekable()
    };
    let (mut first, mut second) = (others(first), others(second));
    let mut rest = std::iter::from_fn(move || {
        let order = match (first.peek(), second.peek()) {
            (Some(Ok(left)), Some(Ok(right))) => left.key.cmp(&right.key),
            (Some(_), None) | (Some(Err(_)), _) => std::cmp::Ordering::Less,
            (None, _) | (_, Some(Err(_))) => std::cmp::Ordering::Greater,
        };
        match order {
            std::cmp::Ordering::Less => first.next(),
            std::cmp::Ordering::Greater => second.next(),
            std::cmp::Ordering::Equal => Some(both(first.next()?, second.next()?)),
        }
    })
    .peekable();
    Ok(std::iter::from_fn(move || {
        let is_moved_next = match (net.peek(), rest.peek()) {
            (Some(moved), Some(Ok(other))) => moved.key < other.key,
            (moved, other) => moved.is_some() && other.is_none(),
        };
        if is_moved_next { net.next().map(Ok) } else { rest.next() }
    }))
}

/// What two sets in a row do to the keys that renames of either name.
struct Moved {
    keys: BTreeSet<RecordKey>,
    first: BTreeMap<RecordKey, Transaction>,
    second: BTreeMap<RecordKey, Transaction>,
    /// The keys that the first and the second set move records away from.
    left_first: BTreeSet<RecordKey>,
    left_second: BTreeSet<RecordKey>,
}

/// What stands under a key, said by what stood before.
#[derive(Clone)]
enum Content {
    Nothing,
    New(Value),
    /// The record that stood under a key, with changes.
    Of(RecordKey, Vec<FieldOperation>),
}

impl Moved {
    fn new(first: &Delta<'_>, second: &Delta<'_>) -> Result<Self, DeltaError> {
        let mut keys = BTreeSet::new();
        let (left_first, left_second) = (left(first, &mut keys)?, left(second, &mut keys)?);
        let named = |delta: &Delta<'_>| {
            let mut named = BTreeMap::new();
            for key in &keys {
                named.extend(delta.get(key)?.map(|transaction| (key.clone(), transaction)));
            }
            Ok::<_, DeltaError>(named)
        };
        let (first, second) = (named(first)?, named(second)?);
        Ok(Self {
            keys,
            first,
            second,
            left_first,
            left_second,
        })
    }

    fn compose(&self) -> Result<Vec<Transaction>, DeltaError> {
        let wrong = |key: &RecordKey, source| DeltaError::Change {
            key: key.clone(),
            source,
        };
        let mut contents = BTreeMap::new();
        for key in &self.keys {
            contents.insert(key, self.after_both(key).map_err(|source| wrong(key, source))?);
        }
        let kept: BTreeSet<&RecordKey> = contents
            .values()
            .filter_map(|content| match content {
                Content::Of(from, _) => Some(from),
                _ => None,
            })
            .collect();
        let mut net = Vec::new();
        for (key, content) in &contents {
            let (first, second) = (self.first.get(*key), self.second.get(*key));
            let is_rename = |transaction: Option<&Transaction>| {
                transaction.is_some_and(|transaction| matches!(transaction.operation, Operation::Rename { .. }))
            };
            let operation = match content.clone() {
                Content::New(record) => Operation::Add(record),
                Content::Of(from, changes) if from != **key || is_rename(first) || is_rename(second) => {
                    Operation::Rename { from, changes }
                }
                Content::Of(_, changes) if first.is_some() || second.is_some() => Operation::Change(changes),
                // Whether something stood there before a composed set put another record in its place is not told.
                Content::Nothing if !kept.contains(key) => Operation::Remove,
                Content::Of(..) | Content::Nothing => continue,
            };
            let is_forced = |transaction: &Transaction| transaction.forced;
            net.push(Transaction {
                key: (*key).clone(),
                operation,
                forced: first.is_some_and(is_forced) || second.is_some_and(is_forced),
            });
        }
        Ok(net)
    }

    fn after_first(&self, key: &RecordKey) -> Content {
        match self.first.get(key).map(|transaction| transaction.operation.clone()) {
            Some(Operation::Add(record)) => Content::New(record),
            Some(Operation::Change(changes)) => Content::Of(key.clone(), changes),
            Some(Operation::Rename { from, changes }) => Content::Of(from, changes),
            None if !self.left_first.contains(key) => Content::Of(key.clone(), Vec::new()),
            Some(Operation::Remove | Operation::Alias(_)) | None => Content::Nothing,
        }
    }

    fn after_both(&self, key: &RecordKey) -> Result<Content, ChangeError> {
        let changed = |from: &RecordKey, changes: Vec<FieldOperation>| match self.after_first(from) {
            Content::Nothing => Err(ChangeError::Sequence),
            Content::New(record) => {
                let record = apply(Some(&record), &Operation::Change(changes))?;
                record.map(Content::New).ok_or(ChangeError::Sequence)
            }
            Content::Of(from, before) => Ok(Content::Of(from, compose_fields(before, changes))),
        };
        match self.second.get(key).map(|transaction| transaction.operation.clone()) {
            Some(Operation::Add(record)) => Ok(Content::New(record)),
            Some(Operation::Change(changes)) => changed(key, changes),
            Some(Operation::Rename { from, changes }) => changed(&from, changes),
            Some(Operation::Alias(_)) => Err(ChangeError::Sequence),
            None if !self.left_second.contains(key) => Ok(self.after_first(key)),
            Some(Operation::Remove) | None => Ok(Content::Nothing),
        }
    }
}

/// Returns the keys that renames move records away from, and adds all that renames name to `keys`.
fn left(delta: &Delta<'_>, keys: &mut BTreeSet<RecordKey>) -> Result<BTreeSet<RecordKey>, DeltaError> {
    let mut left = BTreeSet::new();
    for transaction in delta.iter() {
        let Transaction { key, operation, .. } = transaction?;
        if let Operation::Rename { from, .. } = operation {
            keys.insert(from.clone());
            if from != key {
                left.insert(from);
            }
            keys.insert(key);
        }
    }
    Ok(left)
}

fn both(
    first: Result<Transaction, DeltaError>,
    second: Result<Transaction, DeltaError>,
) -> Result<Transaction, DeltaError> {
    let (first, second) = (first?, second?);
    let operation = compose_operations(first.operation, second.operation).map_err(|source| DeltaError::Change {
        key: first.key.clone(),
        source,
    })?;
    Ok(Transaction {
        key: first.key,
        operation,
        forced: first.forced || second.forced,
    })
}

/// Returns the operation with the effect of `first` and then `second` on one record.
pub fn compose_operations(first: Operation, second: Operation) -> Result<Operation, ChangeError> {
    match (first, second) {
        (Operation::Add(record), change @ Operation::Change(_)) => {
            let record = apply(Some(&record), &change)?.ok_or(ChangeError::Sequence)?;
            Ok(Operation::Add(record))
        }
        (Operation::Change(first), Operation::Change(second)) => Ok(Operation::Change(compose_fields(first, second))),
        (Operation::Add(_) | Operation::Change(_), last @ (Operation::Remove | Operation::Alias(_)))
        | (Operation::Remove, last @ Operation::Add(_)) => Ok(last),
        _ => Err(ChangeError::Sequence),
    }
}

fn compose_fields(first: Vec<FieldOperation>, second: Vec<FieldOperation>) -> Vec<FieldOperation> {
    let mut net = first;
    for operation in second {
        let path = operation.path().clone();
        // What was written at or below the path before is gone.
        net.retain(|before| !before.path().starts_with(&path));
        let above = net.iter_mut().find(|before| path.starts_with(before.path()));
        match above {
            Some(before) => *before = within(before, &path, operation),
            None => net.push(operation),
        }
    }
    net.sort_by(|left, right| left.path().cmp(right.path()));
    net
}

/// Carries out `operation` at `path` inside what `before` left at a path above.
fn within(before: &FieldOperation, path: &FieldPath, operation: FieldOperation) -> FieldOperation {
    let above = before.path().clone();
    let inner = FieldPath::new(path.parts().iter().skip(above.parts().len()).cloned());
    let mut value = match before {
        FieldOperation::Set(_, value) => value.clone(),
        FieldOperation::Clear(_) => Value::Map(Map::new()),
    };
    match operation {
        FieldOperation::Set(_, new) => value.set_at(&inner, new),
        FieldOperation::Clear(_) => {
            value.remove_at(&inner);
        }
    }
    value.prune();
    if value.as_map().is_some_and(Map::is_empty) {
        FieldOperation::Clear(above)
    } else {
        FieldOperation::Set(above, value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::change::tests::records;
    use super::super::{DeltaWriter, difference};
    use super::*;
    use crate::model::RecordKey;
    use crate::port::MemoryObjects;

    proptest! {
        #[test]
        fn composition_has_the_effect_of_both(
            states in proptest::collection::vec(proptest::option::of(records()), 4..5),
        ) {
            let prune = |value: &Option<Value>| value.clone().map(|mut value| { value.prune(); value });
            let states: Vec<Option<Value>> = states.iter().map(prune).collect();
            let mut net: Option<Operation> = None;
            for pair in states.windows(2) {
                if let Some(step) = difference(pair[0].as_ref(), pair[1].as_ref()) {
                    net = Some(match net {
                        None => step,
                        Some(before) => compose_operations(before, step).unwrap(),
                    });
                }
                let result = match &net {
                    None => states[0].clone(),
                    Some(net) => apply(states[0].as_ref(), net).unwrap(),
                };
                prop_assert_eq!(&result, &pair[1]);
            }
        }
    }

    type Table = BTreeMap<RecordKey, Value>;

    /// One set on a table: for each record, whether it goes, which key it gets, and what it is then; and additions.
    fn set_on(
        table: &Table,
        moves: &[(u8, Option<u8>, Value)],
        additions: &[(u8, Value)],
    ) -> (Vec<Transaction>, Table) {
        let key = |n: u8| RecordKey::new([n]).unwrap();
        let mut operations: BTreeMap<RecordKey, Operation> = BTreeMap::new();
        let mut next = table.clone();
        let mut taken: Vec<(RecordKey, RecordKey, Value)> = Vec::new();
        for (from, to, new) in moves {
            let (from, Some(to)) = (key(*from), to.map(key)) else {
                if next.remove(&key(*from)).is_some() {
                    operations.insert(key(*from), Operation::Remove);
                }
                continue;
            };
            if table.contains_key(&from) && !operations.contains_key(&from) && next.contains_key(&from) {
                taken.push((from, to, new.clone()));
            }
        }
        // Of what may go together: each old and each new key once, a new one free or left.
        let mut chosen: Vec<(RecordKey, RecordKey, Value)> = Vec::new();
        for one in taken {
            if chosen.iter().all(|other| other.0 != one.0 && other.1 != one.1) {
                chosen.push(one);
            }
        }
        loop {
            let before = chosen.len();
            let left: Vec<RecordKey> = chosen.iter().map(|one| one.0.clone()).collect();
            chosen.retain(|(from, to, _)| from == to || left.contains(to) || !table.contains_key(to));
            if chosen.len() == before {
                break;
            }
        }
        for (from, _, _) in &chosen {
            next.remove(from);
        }
        for (from, to, mut new) in chosen {
            new.prune();
            let old = &table[&from];
            let operation = if from == to {
                difference(Some(old), Some(&new)).unwrap_or(Operation::Change(vec![]))
            } else {
                super::super::renaming(from, old, &new)
            };
            operations.insert(to.clone(), operation);
            next.insert(to, new);
        }
        for (n, record) in additions {
            if !next.contains_key(&key(*n)) && !operations.contains_key(&key(*n)) {
                let mut record = record.clone();
                record.prune();
                operations.insert(key(*n), Operation::Add(record.clone()));
                next.insert(key(*n), record);
            }
        }
        let all = operations
            .into_iter()
            .map(|(key, operation)| Transaction::new(key, operation));
        (all.collect(), next)
    }

    /// What a table is after a set.
    fn after(table: &Table, set: &[Transaction]) -> Table {
        let mut next = table.clone();
        for transaction in set {
            if let Operation::Rename { from, .. } = &transaction.operation {
                next.remove(from);
            }
        }
        for Transaction { key, operation, .. } in set {
            let source = match operation {
                Operation::Rename { from, .. } => from,
                _ => key,
            };
            match apply(table.get(source), operation).unwrap() {
                Some(record) => next.insert(key.clone(), record),
                None => next.remove(key),
            };
        }
        next
    }

    proptest! {
        #[test]
        fn sets_with_renames_compose_to_the_effect_of_both(
            first in proptest::collection::btree_map(0u8..5, records(), 0..5),
            moves in proptest::collection::vec(
                proptest::collection::vec((0u8..5, proptest::option::weighted(0.8, 0u8..5), records()), 0..5), 3..4),
            additions in proptest::collection::vec(proptest::collection::vec((0u8..5, records()), 0..2), 3..4),
        ) {
            let objects = MemoryObjects::default();
            let write = |set: &[Transaction]| {
                let all = set.iter().cloned().map(Ok::<_, DeltaError>);
                Delta::open(&objects, &Delta::write(&objects, all).unwrap().0).unwrap()
            };
            let start: Table = first
                .into_iter()
                .map(|(n, mut record)| { record.prune(); (RecordKey::new([n]).unwrap(), record) })
                .collect();
            let mut table = start.clone();
            let mut net: Option<Vec<Transaction>> = None;
            for (moves, additions) in moves.iter().zip(&additions) {
                let (set, next) = set_on(&table, moves, additions);
                prop_assert_eq!(format!("{:?}", after(&table, &set)), format!("{next:?}"));
                net = Some(match net {
                    None => set,
                    Some(before) => {
                        let (before, set) = (write(&before), write(&set));
                        compose(&before, &set).unwrap().collect::<Result<_, _>>().unwrap()
                    }
                });
                table = next;
                prop_assert_eq!(format!("{:?}", after(&start, net.as_ref().unwrap())), format!("{table:?}"));
            }
        }
    }

    #[test]
    fn sets_compose_key_by_key() {
        let objects = MemoryObjects::default();
        let key = |n: u8| RecordKey::new([n]).unwrap();
        let set = |value: i64| Operation::Change(vec![FieldOperation::Set(FieldPath::new(["a"]), value.into())]);
        let write = |transactions: Vec<(u8, Operation)>| {
            let mut writer = DeltaWriter::new(&objects);
            for (n, operation) in transactions {
                writer.push(&Transaction::new(key(n), operation)).unwrap();
            }
            Delta::open(&objects, &writer.finish(&crate::tree::empty_root()).unwrap().0).unwrap()
        };
        let first = write(vec![(1, set(1)), (2, set(1)), (3, Operation::Remove)]);
        let second = write(vec![(2, set(2)), (4, set(2))]);
        let net: Vec<Transaction> = compose(&first, &second).unwrap().collect::<Result<_, _>>().unwrap();
        let wanted = [(1, set(1)), (2, set(2)), (3, Operation::Remove), (4, set(2))];
        assert_eq!(net, wanted.map(|(n, operation)| Transaction::new(key(n), operation)));
        assert!(compose_operations(Operation::Remove, Operation::Remove).is_err());
    }
}
