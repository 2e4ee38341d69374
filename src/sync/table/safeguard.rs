//! Safeguards: what looks like an accident is not taken in without being asked for.

use super::intake::Looked;
use super::known::schema_of;
use crate::delta::Operation;
use crate::sync::config::SourceConfig;
use crate::sync::guard::{MASS_CHANGES, MASS_DELETIONS, MASS_PERCENT};
use crate::sync::work::Work;
use crate::sync::{Overrides, SyncError, SyncResult};

/// Refuses what looks like an accident rather than like edits.
pub(super) fn safeguard(work: &Work<'_>, config: &SourceConfig, looked: &Looked, allow: Overrides) -> SyncResult<()> {
    let name = config.name.clone();
    let (before, lost) = (looked.before, looked.read.removed);
    // Agreement of all sides is no alarm: what the merged state has removed too does not count.
    let news = || -> SyncResult<u64> {
        let state = work.state(&config.collection)?;
        let mut count = 0;
        for (key, operation) in looked.groups.values().flatten() {
            if *operation == Operation::Remove && work.record(&state, key)?.is_some() {
                count += 1;
            }
        }
        Ok(count)
    };
    if lost > MASS_DELETIONS && !allow.deletes && !allow.empty {
        if looked.present == 0 && news()? > MASS_DELETIONS {
            return Err(SyncError::SourceEmpty { name, before });
        }
        if lost * 100 > before * MASS_PERCENT && news()? > MASS_DELETIONS {
            return Err(SyncError::MassDeletion { name, lost, before });
        }
    }
    if allow.changes || looked.is_first_sight {
        return Ok(());
    }
    for (id, (changed, example)) in &looked.changed {
        if *changed > MASS_CHANGES && changed * 100 > before * MASS_PERCENT {
            let schema = schema_of(work, &work.state(&config.collection)?)?;
            return Err(SyncError::MassChange {
                name,
                field: schema
                    .column(id)
                    .map_or_else(|| id.clone(), |column| column.name.clone()),
                changed: *changed,
                before,
                example: example.clone(),
            });
        }
    }
    Ok(())
}
