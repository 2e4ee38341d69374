//! The net effect of two difference sets in a row.

use super::{ChangeError, Delta, DeltaError, FieldOperation, Operation, Transaction, apply};
use crate::model::{FieldPath, Map, Value};

/// Returns the transactions whose effect is that of `first` and then `second`, in order of keys.
///
/// Only the net effect stays. Who still needs the single writes of either (because somebody may be concurrent with them) must keep
/// both.
pub fn compose<'a>(
    first: &'a Delta<'_>,
    second: &'a Delta<'_>,
) -> impl Iterator<Item = Result<Transaction, DeltaError>> + 'a {
    let mut first = first.iter().peekable();
    let mut second = second.iter().peekable();
    std::iter::from_fn(move || {
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
        let net: Vec<Transaction> = compose(&first, &second).collect::<Result<_, _>>().unwrap();
        let wanted = [(1, set(1)), (2, set(2)), (3, Operation::Remove), (4, set(2))];
        assert_eq!(net, wanted.map(|(n, operation)| Transaction::new(key(n), operation)));
        assert!(compose_operations(Operation::Remove, Operation::Remove).is_err());
    }
}
