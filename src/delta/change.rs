//! The difference of two records, and its application.

use super::{FieldOperation, Operation};
use crate::model::{FieldPath, Map, RecordKey, Value, cbor};

/// The longest part of a written path in bytes (chosen: keywords and names are far shorter).
pub(super) const MAX_PART_BYTES: usize = 16 * 1024;

/// Why an operation does not fit its record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// A record to be added is there already.
    #[error("the record exists already")]
    Exists,
    /// The record is not there, or has been united with another one.
    #[error("the record does not exist")]
    Missing,
    /// A record must be a map, without empty maps in it.
    #[error("the value is no record")]
    NotARecord,
    /// A written path is the whole record, lies below something absent or below a leaf, or clears nothing.
    #[error("the field `{0}` cannot be written so")]
    Path(FieldPath),
    /// The paths of one change are not strictly sorted, or one contains another.
    #[error("the fields are not strictly sorted at `{0}`")]
    Order(FieldPath),
    /// An alias must lead to a smaller key, which is a record.
    #[error("the alias does not lead to a record with a smaller key")]
    Alias,
    /// The new key of a renamed record is taken, or the old one is written or named once more in the same set.
    #[error("the record cannot get this key")]
    Rename,
    /// Keys of records of this kind are ids, which never change.
    #[error("records of this kind keep their keys")]
    FixedKeys,
    /// Keys of records of this kind are content: two of them cannot be one record.
    #[error("records of this kind cannot be united")]
    NaturalKeys,
    /// An operation follows one after which it cannot come.
    #[error("the operations cannot follow each other")]
    Sequence,
}

/// Returns whether two values have the same canonical bytes.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        // -0.0 == 0.0 and NaN != NaN, unlike their bytes.
        (Value::Float(_), Value::Float(_)) | (Value::List(_), Value::List(_)) => {
            cbor::encode(left) == cbor::encode(right)
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|((left_key, left), (right_key, right))| left_key == right_key && same(left, right))
        }
        _ => left == right,
    }
}

/// Returns what leads from `old` to `new`, leaf by leaf; `None` when they are equal but for empty maps.
///
/// A map that was absent is one `Set`, one that went is one `Clear`. A *collection* (a map of maps, or a set, that is,
/// a map of `true`) goes member by member: nobody who adds a member meanwhile shall bring the others back.
pub fn difference(old: Option<&Value>, new: Option<&Value>) -> Option<Operation> {
    match (old, new) {
        (None, None) => None,
        (Some(_), None) => Some(Operation::Remove),
        (None, Some(new)) => Some(Operation::Add(pruned(new))),
        (Some(old), Some(new)) => {
            let (old, new) = (pruned(old), pruned(new));
            let mut operations = Vec::new();
            differ(&FieldPath::root(), &old, &new, &mut operations);
            (!operations.is_empty()).then_some(Operation::Change(operations))
        }
    }
}

fn pruned(value: &Value) -> Value {
    let mut value = value.clone();
    value.prune();
    value
}

fn differ(path: &FieldPath, old: &Value, new: &Value, out: &mut Vec<FieldOperation>) {
    let (Value::Map(old_map), Value::Map(new_map)) = (old, new) else {
        if !same(old, new) {
            out.push(FieldOperation::Set(path.clone(), new.clone()));
        }
        return;
    };
    let mut new_rest = new_map.iter().peekable();
    for (key, old) in old_map {
        while let Some((added, value)) = new_rest.next_if(|(added, _)| *added < key) {
            out.push(FieldOperation::Set(path.child(added), value.clone()));
        }
        match new_rest.next_if(|(same, _)| *same == key) {
            Some((_, new)) => differ(&path.child(key), old, new, out),
            None => clear(path.child(key), old, out),
        }
    }
    out.extend(new_rest.map(|(added, value)| FieldOperation::Set(path.child(added), value.clone())));
}

fn clear(path: FieldPath, old: &Value, out: &mut Vec<FieldOperation>) {
    match old.as_map() {
        Some(map) if is_collection(map) => {
            out.extend(map.keys().map(|member| FieldOperation::Clear(path.child(member))));
        }
        _ => out.push(FieldOperation::Clear(path)),
    }
}

/// Returns whether the members of a map come and go on their own.
fn is_collection(map: &Map) -> bool {
    !map.is_empty() && (map.values().all(Value::is_map) || map.values().all(|value| *value == Value::Bool(true)))
}

/// Returns the operation that gives the record `old` of the key `from` another key, and makes it `new`.
pub fn renaming(from: RecordKey, old: &Value, new: &Value) -> Operation {
    let changes = match difference(Some(old), Some(new)) {
        Some(Operation::Change(changes)) => changes,
        _ => Vec::new(),
    };
    Operation::Rename { from, changes }
}

/// Returns the record after `operation`; of a rename, `old` is the record of the old key.
///
/// Takes what it is given: `Add` replaces, `Clear` of nothing does nothing, missing maps are made. Whether an operation
/// fits is asked before, by who authors or receives; compositions of several need not.
pub fn apply(old: Option<&Value>, operation: &Operation) -> Result<Option<Value>, ChangeError> {
    match operation {
        Operation::Add(record) if record.is_map() => Ok(Some(pruned(record))),
        Operation::Add(_) => Err(ChangeError::NotARecord),
        Operation::Remove | Operation::Alias(_) => Ok(None),
        Operation::Change(operations)
        | Operation::Rename {
            changes: operations, ..
        } => {
            let mut record = old.ok_or(ChangeError::Missing)?.clone();
            for operation in operations {
                if operation.path().is_root() {
                    return Err(ChangeError::Path(FieldPath::root()));
                }
                apply_field(&mut record, operation);
            }
            Ok(Some(record))
        }
    }
}

fn apply_field(record: &mut Value, operation: &FieldOperation) {
    let path = operation.path();
    match operation {
        FieldOperation::Set(_, value) => {
            let value = pruned(value);
            // Taking the old value away first also takes away maps that would stay empty.
            record.remove_at(path);
            if !is_empty_map(&value) {
                record.set_at(path, value);
            }
        }
        FieldOperation::Clear(_) => {
            record.remove_at(path);
        }
    }
}

fn is_empty_map(value: &Value) -> bool {
    value.as_map().is_some_and(Map::is_empty)
}

/// Returns whether a value has no empty map below it (the value itself may be one only if `root`).
fn is_pruned(value: &Value, root: bool) -> bool {
    match value.as_map() {
        Some(map) => (root || !map.is_empty()) && map.values().all(|inner| is_pruned(inner, false)),
        None => true,
    }
}

/// Checks the form of an operation, as a decoder can: what is written, not whether it fits.
pub(crate) fn check_form(operation: &Operation) -> Result<(), ChangeError> {
    match operation {
        Operation::Add(record) if record.is_map() && is_pruned(record, true) => Ok(()),
        Operation::Add(_) => Err(ChangeError::NotARecord),
        Operation::Remove | Operation::Alias(_) => Ok(()),
        Operation::Change(operations)
        | Operation::Rename {
            changes: operations, ..
        } => {
            let mut previous: Option<&FieldPath> = None;
            for operation in operations {
                let path = operation.path();
                let is_long = path.parts().iter().any(|part| part.len() > MAX_PART_BYTES);
                if path.is_root() || path.parts().len() > FieldPath::MAX_DEPTH || is_long {
                    return Err(ChangeError::Path(path.clone()));
                }
                if matches!(operation, FieldOperation::Set(_, value) if !is_pruned(value, false)) {
                    return Err(ChangeError::Path(path.clone()));
                }
                if previous.is_some_and(|previous| previous >= path || path.starts_with(previous)) {
                    return Err(ChangeError::Order(path.clone()));
                }
                previous = Some(path);
            }
            Ok(())
        }
    }
}

/// Checks that an operation fits the record it is for (of a rename: the one of the old key): what merging relies on.
///
/// Every map above a written path must be there, because what had been below an absent one is still known to
/// the history and must not come back with it; who makes a map writes it as a whole.
pub(crate) fn check(old: Option<&Value>, operation: &Operation) -> Result<(), ChangeError> {
    check_form(operation)?;
    match (old, operation) {
        (Some(_), Operation::Add(_)) => Err(ChangeError::Exists),
        (None, Operation::Add(_)) | (Some(_), Operation::Remove | Operation::Alias(_)) => Ok(()),
        (None, _) => Err(ChangeError::Missing),
        (
            Some(old),
            Operation::Change(operations)
            | Operation::Rename {
                changes: operations, ..
            },
        ) => {
            for operation in operations {
                let path = operation.path();
                let fits = match operation {
                    FieldOperation::Set(..) => absent_prefix(old, path).is_none(),
                    FieldOperation::Clear(_) => old.at(path).is_some(),
                };
                if !fits {
                    return Err(ChangeError::Path(path.clone()));
                }
            }
            Ok(())
        }
    }
}

/// Returns the shortest proper prefix of `path` at which `record` has no map.
fn absent_prefix(record: &Value, path: &FieldPath) -> Option<FieldPath> {
    let mut value = Some(record);
    for (depth, part) in path.parts().iter().enumerate() {
        match value {
            Some(Value::Map(map)) => value = map.get(part),
            _ => return Some(FieldPath::new(path.parts().iter().take(depth).cloned())),
        }
    }
    None
}

/// Brings an author's operation into the form that [`check`] accepts, with the same result; `None` when it does nothing.
///
/// Writes below an absent map become one `Set` of that map, a `Clear` of nothing is dropped, a `Set` of an empty map
/// is a `Clear`; a `Set` of what is there already stays, because it is a choice.
pub(crate) fn normalize(old: Option<&Value>, operation: Operation) -> Result<Option<Operation>, ChangeError> {
    match operation {
        Operation::Add(mut record) => {
            record.prune();
            let operation = Operation::Add(record);
            check(old, &operation)?;
            Ok(Some(operation))
        }
        Operation::Change(operations) if !operations.is_empty() => {
            let old = old.ok_or(ChangeError::Missing)?;
            let operation = Operation::Change(operations);
            if check(Some(old), &operation).is_ok() {
                return Ok(Some(operation));
            }
            let Some(new) = apply(Some(old), &operation)? else {
                return Err(ChangeError::Missing);
            };
            let Operation::Change(operations) = operation else {
                return Err(ChangeError::Sequence);
            };
            let mut paths: Vec<FieldPath> = operations
                .iter()
                .map(|operation| absent_prefix(old, operation.path()).unwrap_or_else(|| operation.path().clone()))
                .collect();
            paths.sort();
            // In order of paths a prefix stands before what it contains.
            paths.dedup_by(|path, before| path.starts_with(before));
            let operations: Vec<FieldOperation> = paths
                .into_iter()
                .filter_map(|path| match new.at(&path) {
                    Some(value) => Some(FieldOperation::Set(path.clone(), value.clone())),
                    None => old.at(&path).map(|_| FieldOperation::Clear(path.clone())),
                })
                .collect();
            if operations.is_empty() {
                return Ok(None);
            }
            let operation = Operation::Change(operations);
            check(Some(old), &operation)?;
            Ok(Some(operation))
        }
        Operation::Rename { from, changes } if !changes.is_empty() => {
            let changes = match normalize(old, Operation::Change(changes))? {
                Some(Operation::Change(changes)) => changes,
                _ => Vec::new(),
            };
            Ok(Some(Operation::Rename { from, changes }))
        }
        other => {
            check(old, &other)?;
            Ok(Some(other))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Records small enough that two of them meet at many paths.
    pub(crate) fn records() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            (0i64..3).prop_map(Value::Integer),
            Just(Value::Bool(true)),
            Just(Value::Float(-0.0)),
            Just(Value::Float(0.0)),
            proptest::collection::vec((0i64..3).prop_map(Value::Integer), 0..3).prop_map(Value::List),
        ];
        let tree = leaf.prop_recursive(3, 12, 3, |inner| {
            proptest::collection::btree_map("[abc]", inner, 0..3).prop_map(|map| Value::Map(map.into()))
        });
        proptest::collection::btree_map("[abc]", tree, 0..4).prop_map(|map| Value::Map(map.into()))
    }

    proptest! {
        #[test]
        fn applying_the_difference_gives_the_new_record(
            old in proptest::option::of(records()),
            new in proptest::option::of(records()),
        ) {
            let wanted = new.as_ref().map(pruned);
            match difference(old.as_ref(), new.as_ref()) {
                None => prop_assert_eq!(old.as_ref().map(pruned), wanted),
                Some(operation) => {
                    let old = old.as_ref().map(pruned);
                    check(old.as_ref(), &operation).unwrap();
                    let result = apply(old.as_ref(), &operation).unwrap();
                    prop_assert_eq!(result.as_ref().map(cbor::encode), wanted.as_ref().map(cbor::encode));
                }
            }
        }

        #[test]
        fn a_normal_form_fits_and_does_the_same(
            old in records(),
            paths in proptest::collection::vec(("[abc](/[abc]){0,2}", proptest::option::of(records())), 1..5),
        ) {
            let old = pruned(&old);
            let operations = paths.into_iter().map(|(path, value)| {
                let path = FieldPath::parse(&format!("/{path}")).unwrap();
                value.map_or_else(|| FieldOperation::Clear(path.clone()), |value| FieldOperation::Set(path.clone(), value))
            });
            let operation = Operation::Change(operations.collect());
            let wanted = apply(Some(&old), &operation).unwrap().unwrap();
            match normalize(Some(&old), operation).unwrap() {
                None => prop_assert!(same(&old, &wanted)),
                Some(normal) => {
                    check(Some(&old), &normal).unwrap();
                    prop_assert!(same(&apply(Some(&old), &normal).unwrap().unwrap(), &wanted));
                }
            }
        }
    }

    fn path(text: &str) -> FieldPath {
        FieldPath::parse(text).unwrap()
    }

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(
            entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
        )
    }

    #[test]
    fn elements_go_as_wholes_and_collections_member_by_member() {
        let phone = map(&[("number", "1".into()), ("contexts", map(&[("work", true.into())]))]);
        let old = map(&[
            ("phones", map(&[("x", phone.clone()), ("y", phone.clone())])),
            ("keywords", map(&[("k", true.into())])),
        ]);
        assert_eq!(
            difference(Some(&old), Some(&map(&[]))),
            Some(Operation::Change(vec![
                FieldOperation::Clear(path("/keywords/k")),
                FieldOperation::Clear(path("/phones/x")),
                FieldOperation::Clear(path("/phones/y")),
            ]))
        );
        assert_eq!(
            difference(Some(&map(&[])), Some(&map(&[("phones", map(&[("x", phone.clone())]))]))),
            Some(Operation::Change(vec![FieldOperation::Set(
                path("/phones"),
                map(&[("x", phone)])
            )]))
        );
    }

    #[test]
    fn operations_that_do_not_fit_are_refused() {
        let old = map(&[("a", map(&[("b", 1.into())])), ("s", 1.into())]);
        let set = |text: &str| Operation::Change(vec![FieldOperation::Set(path(text), 2.into())]);
        let clear = |text: &str| Operation::Change(vec![FieldOperation::Clear(path(text))]);
        assert_eq!(check(Some(&old), &set("/a/b")), Ok(()));
        assert_eq!(check(Some(&old), &set("/a/new")), Ok(()));
        assert_eq!(check(Some(&old), &set("/x/y")), Err(ChangeError::Path(path("/x/y"))));
        assert_eq!(check(Some(&old), &set("/s/y")), Err(ChangeError::Path(path("/s/y"))));
        assert_eq!(check(Some(&old), &clear("/x")), Err(ChangeError::Path(path("/x"))));
        assert_eq!(check(Some(&old), &set("")), Err(ChangeError::Path(path(""))));
        assert_eq!(check(Some(&old), &Operation::Add(map(&[]))), Err(ChangeError::Exists));
        assert_eq!(check(None, &Operation::Remove), Err(ChangeError::Missing));
        assert_eq!(check(None, &set("/a")), Err(ChangeError::Missing));
        assert_eq!(check(None, &Operation::Add(1.into())), Err(ChangeError::NotARecord));
        let nested = Operation::Change(vec![
            FieldOperation::Clear(path("/a")),
            FieldOperation::Set(path("/a/b"), 1.into()),
        ]);
        assert_eq!(check(Some(&old), &nested), Err(ChangeError::Order(path("/a/b"))));
    }
}
