//! Differences of views: a person's edits, and what is new at first sight.

use std::collections::BTreeSet;

use crate::delta::FieldOperation;
use crate::model::contact::{has_elements, same_class};
use crate::model::{FieldPath, Map, Value};

/// Returns the edits that turn one view of an item into another.
///
/// A view shows only a part of its record, so nothing wider than what it showed is ever cleared or set: elements
/// as a whole, everything else leaf by leaf.
pub fn view_edits(old: &Map, new: &Map) -> Vec<FieldOperation> {
    let mut edits = Vec::new();
    compare(&FieldPath::root(), old, new, &mut edits);
    edits
}

fn compare(path: &FieldPath, old: &Map, new: &Map, edits: &mut Vec<FieldOperation>) {
    for (key, value) in old {
        let path = path.child(key);
        match (value, new.get(key)) {
            (Value::Map(old), Some(Value::Map(new))) => compare(&path, old, new, edits),
            (_, Some(new)) if value != new => edits.push(FieldOperation::Set(path, new.clone())),
            (_, Some(_)) => {}
            (Value::Map(old), None) if !is_element(&path) => compare(&path, old, &Map::new(), edits),
            (_, None) => edits.push(FieldOperation::Clear(path)),
        }
    }
    for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        let path = path.child(key);
        match value {
            Value::Map(new) if !is_element(&path) => compare(&path, &Map::new(), new, edits),
            value => edits.push(FieldOperation::Set(path, value.clone())),
        }
    }
}

/// Returns whether a path is that of one element of a collection.
fn is_element(path: &FieldPath) -> bool {
    matches!(path.parts(), [collection, _] if has_elements(collection))
}

/// Returns whether an edit is no edit but a derived text (formatted name, address label) that the person left as it
/// was while its parts changed: its words are those of the parts before.
///
/// A view shows such a text only where it says something else than its parts, so before there was none.
pub(super) fn is_stale(edit: &FieldOperation, before: &Map, after: &Map) -> bool {
    let FieldOperation::Set(path, Value::Text(text)) = edit else {
        return false;
    };
    let above = match path.parts() {
        [name, full] if name == "name" && full == "full" => FieldPath::new(["name", "components"]),
        [addresses, id, full] if addresses == "addresses" && full == "full" => {
            FieldPath::new([addresses.as_str(), id, "components"])
        }
        _ => return false,
    };
    let (before, after) = (Value::Map(before.clone()), Value::Map(after.clone()));
    let (Some(parts), None) = (before.at(&above), before.at(path)) else {
        return false;
    };
    let words = |text: &str| -> Vec<String> {
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let known: BTreeSet<String> = parts
        .leaves()
        .into_iter()
        .filter_map(|(_, value)| value.as_text())
        .flat_map(words)
        .collect();
    let shown = words(text);
    after.at(&above) != Some(parts) && !shown.is_empty() && shown.iter().all(|word| known.contains(word))
}

/// Returns what an item adds to a record that it is seen with for the first time: paths whose value differs, by
/// compare class, from what the format shows of the record. Absence says nothing.
pub fn first_sight_edits(shown: &Map, seen: &Map) -> Vec<FieldOperation> {
    let mut edits = view_edits(shown, seen);
    edits.retain(|edit| match edit {
        FieldOperation::Clear(_) => false,
        FieldOperation::Set(path, value) => {
            let mut before = path.parts().split_first().and_then(|(first, _)| shown.get(first));
            for part in path.parts().iter().skip(1) {
                before = before.and_then(|value| value.as_map()?.get(part));
            }
            !before.is_some_and(|before| same_class(path, before, value))
        }
    });
    edits
}

/// Gives new elements their place in the order: after those that are there, in the order of their provisional keys.
///
/// `bindings` tells the provisional keys, `existing` the record as it is.
pub fn decorate(record: &mut Map, existing: Option<&Map>, bindings: &crate::format::Bindings) {
    let mut places = bindings.iter().peekable();
    while let Some((pointer, id)) = places.next() {
        let Some(collection) = collection_of(pointer) else {
            continue;
        };
        let known = existing.and_then(|record| record.get(collection)?.as_map());
        let Some(Value::Map(elements)) = record.get_mut(collection) else {
            continue;
        };
        let mut last = highest_order(known).max(highest_order(Some(elements)));
        let mut place = |id: &str| {
            if known.is_some_and(|known| known.contains_key(id)) {
                return;
            }
            if let Some(Value::Map(element)) = elements.get_mut(id)
                && !element.contains_key("order")
            {
                last = last.saturating_add(1);
                element.insert("order", Value::Integer(last));
            }
        };
        place(id);
        // Pointers are sorted, so those into one collection stand together.
        while let Some((_, id)) = places.next_if(|(next, _)| collection_of(next) == Some(collection)) {
            place(id);
        }
    }
}

/// Returns the collection that the pointer of an element leads into; none has a name that needs escapes.
fn collection_of(pointer: &str) -> Option<&str> {
    let (collection, element) = pointer.strip_prefix('/')?.split_once('/')?;
    (!element.contains('/') && !collection.contains('~')).then_some(collection)
}

fn highest_order(elements: Option<&Map>) -> i64 {
    let orders = elements
        .into_iter()
        .flat_map(Map::values)
        .filter_map(|element| element.as_map()?.get("order")?.as_integer());
    orders.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(leaves: &[(&str, &str)]) -> Map {
        let mut value = Value::Map(Map::new());
        for (pointer, text) in leaves {
            value.set_at(&FieldPath::parse(pointer).unwrap(), (*text).into());
        }
        value.as_map().unwrap().clone()
    }

    #[test]
    fn hidden_neighbours_are_never_touched() {
        let old = record(&[("/phones/a/number", "1"), ("/name/components/given/value", "Ann")]);
        let edits = view_edits(&old, &Map::new());
        assert_eq!(
            edits,
            [
                FieldOperation::Clear(FieldPath::new(["name", "components", "given", "value"])),
                FieldOperation::Clear(FieldPath::new(["phones", "a"])),
            ]
        );
        let edits = view_edits(&Map::new(), &old);
        assert!(
            edits
                .iter()
                .all(|edit| matches!(edit, FieldOperation::Set(path, _) if path.parts().len() >= 2))
        );
    }

    #[test]
    fn first_sight_ignores_absence_and_spelling() {
        let shown = record(&[("/emails/a/address", "Ann@Example.org"), ("/notes/n/note", "hello")]);
        let seen = record(&[("/emails/a/address", "ann@example.org"), ("/titles/t/name", "Boss")]);
        let edits = first_sight_edits(&shown, &seen);
        assert!(matches!(&edits[..], [FieldOperation::Set(path, _)] if path.to_string() == "/titles/t"));
    }
}
