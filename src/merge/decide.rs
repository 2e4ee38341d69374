//! What a policy takes of a conflict that was open before it was set.
//!
//! A policy concerns what is written by those who know it, so it never changes what an open conflict shows. Somebody
//! can decide by it all the same, as by anything else: what it would have shown is then a write like any other.

use super::conflict::{Conflict, ConflictKind};
use super::policy::Policy;
use super::register::union_of_lists;
use super::{MergeError, text};
use crate::model::Value;
use crate::port::Objects;

/// Returns the value that a policy takes of a conflict; `None` where it leaves that to a person.
///
/// It says nothing of removals, keys and whole maps. `Prefer` takes what its system wrote and decides nothing else, `Union` what it
/// can put together, `KeepBoth` nothing.
pub fn decide(objects: &dyn Objects, conflict: &Conflict, policy: &Policy) -> Result<Option<Value>, MergeError> {
    let values = conflict.alternatives.iter().map(|one| one.value.as_ref());
    let values: Option<Vec<&Value>> = values.map(|value| value.filter(|value| !value.is_map())).collect();
    let (ConflictKind::Field, Some(values)) = (conflict.kind, values) else {
        return Ok(None);
    };
    // Writers stand with the latest one first.
    let age = |at: &usize| {
        let writer = conflict.alternatives.get(*at)?.writers.first()?;
        Some((writer.time, writer.snapshot))
    };
    let mut by_age: Vec<usize> = (0..values.len()).collect();
    by_age.sort_by_key(age);
    let is_by = |system: &str, at: usize| {
        let alternative = conflict.alternatives.get(at);
        alternative.is_some_and(|one| one.writers.iter().any(|writer| writer.system == system))
    };
    let value = |at: usize| values.get(at).copied().cloned();
    match policy {
        Policy::Newest => Ok(by_age.last().and_then(|at| value(*at))),
        Policy::Prefer(system) => {
            let own = by_age.into_iter().rfind(|at| is_by(system, *at));
            Ok(own.and_then(value))
        }
        Policy::Union => {
            let values: Vec<&Value> = by_age.iter().filter_map(|at| values.get(*at).copied()).collect();
            if values.iter().all(|value| matches!(value, Value::List(_))) {
                return Ok(union_of_lists(conflict.base.as_ref(), &values));
            }
            if values.iter().all(|value| text::is_text(value)) {
                return Ok(text::unite(objects, conflict.base.as_ref(), &values)?);
            }
            Ok(None)
        }
        Policy::KeepBoth => Ok(None),
    }
}
