//! What was written into an item over other values, and which of it comes back.
//!
//! A program that keeps its own form of a value puts that back after each of our writes. Taken as an edit, it goes
//! to the other sources, and if one of those has such a program too the two forms chase each other for ever. So a
//! value that came back [`LIMIT`] times is no longer written there until a person puts another one in its place.

use super::ItemView;
use crate::delta::FieldOperation;
use crate::model::contact::same_class;
use crate::model::{FieldPath, Value};

/// After so many times a value that comes back is left (chosen: once may be a person who changed their mind).
const LIMIT: u32 = 2;

/// A value that we wrote over another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// What the item showed before; null when it showed nothing.
    pub before: Value,
    /// How often that was put back since.
    pub put_back: u32,
}

/// Notes in the view `after` of an item that we are about to write what the write replaces.
pub fn note_written(before: &ItemView, after: &mut ItemView) {
    after.written = before.written.clone();
    after.written.retain(|_, written| written.put_back > 0);
    let shown = Value::Map(before.view.clone());
    for edit in super::view_edits(&before.view, &after.view) {
        let pointer = edit.path().to_string();
        let put_back = after.written.get(&pointer).map_or(0, |written| written.put_back);
        let before = shown.at(edit.path()).cloned().unwrap_or(Value::Null);
        after.written.insert(pointer, Written { before, put_back });
    }
}

/// Counts what edits put back; an edit to something new makes the field an ordinary one again.
pub(super) fn count_put_back(before: &ItemView, after: &mut ItemView, edits: &[FieldOperation]) {
    after.written = before.written.clone();
    if after.written.is_empty() {
        return;
    }
    for edit in edits {
        let path = edit.path();
        after.written.retain(|pointer, written| {
            let Some(field) = FieldPath::parse(pointer).filter(|field| field.starts_with(path)) else {
                return true;
            };
            let is_back = field == *path
                && match edit {
                    FieldOperation::Set(_, value) => same_class(path, &written.before, value),
                    FieldOperation::Clear(_) => written.before == Value::Null,
                };
            written.put_back += u32::from(is_back);
            is_back
        });
    }
}

/// Puts in a record, where its values come back, what the item shows instead; returns those paths.
pub fn leave_put_back(record: &mut Value, view: &ItemView) -> Vec<FieldPath> {
    let shown = Value::Map(view.view.clone());
    let mut left = Vec::new();
    let fields = view.written.iter().filter(|(_, written)| written.put_back >= LIMIT);
    for (pointer, _) in fields {
        let Some(path) = FieldPath::parse(pointer) else {
            continue;
        };
        if record.at(&path) == shown.at(&path) {
            continue;
        }
        let operation = match shown.at(&path) {
            Some(value) => FieldOperation::Set(path.clone(), value.clone()),
            None => FieldOperation::Clear(path.clone()),
        };
        let change = crate::delta::Operation::Change(vec![operation]);
        if let Ok(Some(changed)) = crate::delta::apply(Some(&*record), &change) {
            *record = changed;
            left.push(path);
        }
    }
    left
}
