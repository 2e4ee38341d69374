//! Safeguards: what looks like an accident is not taken in without being asked for.

use std::collections::BTreeMap;

use super::config::SourceConfig;
use super::work::Work;
use super::{Overrides, SyncError, SyncResult};
use crate::delta::FieldOperation;
use crate::model::{FieldPath, Value};
use crate::source::{Index, Scan};

/// A source loses "most" above this share in percent and this number (chosen: over 50 % and more than 5, so that small lists never trip it).
pub(super) const MASS_PERCENT: u64 = 50;
pub(super) const MASS_DELETIONS: u64 = 5;
/// A field changes "everywhere" above that share and this number (chosen: more than 20).
pub(super) const MASS_CHANGES: u64 = 20;

/// Refuses what looks like an accident rather than like edits.
pub(super) fn safeguard(
    work: &Work<'_>,
    config: &SourceConfig,
    index: &Index,
    scan: &Scan,
    allow: Overrides,
) -> SyncResult<()> {
    let before = index.items.values().filter(|entry| entry.fingerprint.is_some()).count() as u64;
    let lost = scan.removed.len() as u64;
    let name = config.name.clone();
    // Agreement of all sides is no alarm: what the merged state has removed too does not count.
    let news = || -> SyncResult<u64> {
        let state = work.state(&config.collection)?;
        let mut count = 0;
        for number in &scan.removed {
            if let Some(entry) = index.items.get(number)
                && work.record(&state, &entry.key)?.is_some()
            {
                count += 1;
            }
        }
        Ok(count)
    };
    if scan.present == 0 && before > MASS_DELETIONS && !allow.empty && !allow.deletes && news()? > MASS_DELETIONS {
        return Err(SyncError::SourceEmpty { name, before });
    }
    if is_mass_removal(lost, before) && !allow.deletes && !allow.empty && news()? > MASS_DELETIONS {
        return Err(SyncError::MassDeletion { name, lost, before });
    }
    if allow.changes {
        return Ok(());
    }
    let mut changes: BTreeMap<String, (u64, (String, String))> = BTreeMap::new();
    for edited in &scan.edited {
        let mut fields: BTreeMap<String, (String, String)> = BTreeMap::new();
        for edit in &edited.edits {
            let (FieldOperation::Set(path, _) | FieldOperation::Clear(path)) = edit;
            let old = Value::Map(edited.before.view.clone());
            if let Some(value) = old.at(path) {
                let new = match edit {
                    FieldOperation::Set(_, value) => super::look::plain(value),
                    FieldOperation::Clear(_) => String::new(),
                };
                fields.insert(field_name(path), (super::look::plain(value), new));
            }
        }
        for (field, example) in fields {
            changes.entry(field).or_insert((0, example)).0 += 1;
        }
    }
    for (field, (changed, example)) in changes {
        if changed > MASS_CHANGES && changed * 100 > before * MASS_PERCENT {
            return Err(SyncError::MassChange {
                name,
                field,
                changed,
                before,
                example,
            });
        }
    }
    Ok(())
}

/// Returns whether a write-back would take most of a source's items.
pub(super) fn is_mass_removal(removed: u64, items: u64) -> bool {
    removed > MASS_DELETIONS && removed * 100 > items * MASS_PERCENT
}

/// Names a field over all records: without element ids.
fn field_name(path: &FieldPath) -> String {
    let parts = path.parts().iter().enumerate();
    let element = path
        .parts()
        .first()
        .is_some_and(|first| crate::model::contact::has_elements(first));
    parts
        .filter(|(at, _)| !(element && *at == 1))
        .map(|(_, part)| part.as_str())
        .collect::<Vec<_>>()
        .join("/")
}
