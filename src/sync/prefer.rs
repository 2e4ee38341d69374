//! Which of the values in conflict a source shows.
//!
//! While a field is in conflict every source shows what the collection shows, but for those with a preference of their
//! own (`prefer` in the configuration). This concerns what is written into the source and nothing else: the conflict stays what it is, a
//! source that shows the value it was given says nothing, and an edit of that value decides the conflict as any edit of the field does.

use super::config::{Direction, SourceConfig};
use super::work::Work;
use super::{SyncError, SyncResult, other};
use crate::delta::State;
use crate::merge::{self, Policy};
use crate::model::{RecordKey, Value};
use crate::source::ItemEntry;
use crate::store::SourceView;
use crate::tree;

/// Where a source's view keeps the preference by which it was last written.
const PREFER: &str = "prefer";

/// Reads a preference: `newest`, or the name of a system.
fn policy(config: &SourceConfig) -> Option<Policy> {
    let word = config.prefer.as_deref()?;
    Some(match word {
        "newest" => Policy::Newest,
        system => Policy::Prefer(system.to_owned()),
    })
}

/// Refuses a preference of a source that cannot have one.
pub(super) fn refuse(prefer: Option<&str>) -> SyncResult<()> {
    match prefer {
        Some(_) => Err(SyncError::NotBuilt("`prefer` for tables of rows")),
        None => Ok(()),
    }
}

/// Returns whether a source was last written by another preference than it has now.
pub(super) fn is_new(work: &Work<'_>, config: &SourceConfig) -> bool {
    let before = work.view.sources.get(&config.name);
    config.direction != Direction::In
        && before.is_some_and(|view| view.extra.get(PREFER).map(String::as_str) != config.prefer.as_deref())
}

/// Notes the preference by which a source was written.
pub(super) fn note(view: &mut SourceView, config: &SourceConfig) {
    match &config.prefer {
        Some(prefer) => view.extra.insert(PREFER.to_owned(), prefer.clone()),
        None => view.extra.remove(PREFER),
    };
}

/// Returns whether an item may show another value than its collection: then only its bytes tell.
///
/// `state` and `key` are where its record is now.
pub(super) fn may_differ(
    work: &Work<'_>,
    config: &SourceConfig,
    entry: &ItemEntry,
    (state, key): (&State, &RecordKey),
) -> SyncResult<bool> {
    if config.prefer.is_none() && !is_new(work, config) {
        return Ok(false);
    }
    let base = match &entry.base {
        Some(base) => work.state_at(base)?,
        None => work.state_at(&work.source_view(&config.name).base)?,
    };
    Ok(!conflicts(work, state, key)?.is_empty() || !conflicts(work, &base, &entry.key)?.is_empty())
}

/// Adds to sorted keys those of records whose conflicts are others than at the base, where that matters to the source.
pub(super) fn add_disputed(
    work: &Work<'_>,
    config: &SourceConfig,
    (base, now): (&State, &State),
    keys: &mut Vec<RecordKey>,
) -> SyncResult<()> {
    let is_new = is_new(work, config);
    if config.prefer.is_none() && !is_new {
        return Ok(());
    }
    let before = keys.len();
    // By another preference all of them may look otherwise.
    let everything = is_new.then(tree::empty_root);
    for from in std::iter::once(base.conflicts).chain(everything) {
        for change in tree::diff(work.objects, &from, &now.conflicts) {
            let change = change.map_err(|error| other("comparing conflicts", error))?;
            keys.extend(RecordKey::new(change.key).filter(|key| *key != merge::settings_key()));
        }
    }
    if keys.len() > before {
        keys.sort_unstable();
        keys.dedup();
    }
    Ok(())
}

/// Returns a record as the source shows it: with the values in conflict that it prefers.
pub(super) fn shown(
    work: &Work<'_>,
    config: &SourceConfig,
    state: &State,
    key: &RecordKey,
    mut record: Value,
) -> SyncResult<Value> {
    let Some(policy) = policy(config) else {
        return Ok(record);
    };
    for conflict in conflicts(work, state, key)? {
        let value = merge::decide(work.objects, &conflict, &policy);
        if let Some(value) = value.map_err(|error| other("reading conflicts", error))? {
            record.set_at(&conflict.path, value);
        }
    }
    Ok(record)
}

fn conflicts(work: &Work<'_>, state: &State, key: &RecordKey) -> SyncResult<Vec<merge::Conflict>> {
    if state.conflicts == tree::empty_root() {
        return Ok(Vec::new());
    }
    merge::conflicts_of(work.objects, state, key).map_err(|error| other("reading conflicts", error))
}
