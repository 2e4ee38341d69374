//! The settings of collections: what is done where writes clash.

use std::collections::BTreeSet;

use super::report::{CollectionStatus, SettingReport};
use super::repository::Repository;
use super::work::Work;
use super::{SyncError, SyncResult, other};
use crate::delta::{State, Transaction};
use crate::merge::{MergeError, Policy, Settings, settings_key};
use crate::model::FieldPath;

impl Repository {
    /// Sets what is done where writes of a field clash, or of any field without a policy of its own (`field` is `None`).
    ///
    /// It travels with the collection and concerns what is written by systems that know it.
    pub fn set_policy(
        &mut self,
        collection: &str,
        field: Option<&str>,
        policy: &Policy,
        dry_run: bool,
    ) -> SyncResult<SettingReport> {
        if !dry_run {
            self.begin()?;
        }
        let mut work = self.reading();
        let state = super::inspect::collection_state(&work, collection)?;
        let path = field.map_or_else(|| Ok(FieldPath::root()), field_path)?;
        let before = settings(&work, &state)?;
        let is_changed = !before.policies.contains(&(path.clone(), policy.clone()));
        let note = match policy {
            Policy::Prefer(system) if !is_known(&work, collection, system)? => {
                Some(format!("nothing here was written by a system named `{system}` so far"))
            }
            _ => None,
        };
        let report = SettingReport {
            collection: collection.to_owned(),
            field: path.to_string(),
            policy: policy.to_string(),
            changed: is_changed,
            decidable: decidable(&work, &state, &before, (&path, policy))?,
            dry_run,
            note,
        };
        if dry_run || !is_changed {
            return Ok(report);
        }
        let record = work.record(&state, &settings_key())?;
        let setting = Settings::setting(record.as_ref(), &path, policy);
        let heads = work.heads(collection);
        let message = format!("conflicts={policy}");
        let transaction = Transaction::new(settings_key(), setting);
        work.author(collection, &heads, std::iter::once(transaction), Some(&message))?;
        let view = work.view;
        let command = self.env.command.clone();
        self.commit(view, &command)?;
        Ok(report)
    }
}

/// Counts the open conflicts that a setting would decide if somebody asked it to.
fn decidable(work: &Work<'_>, state: &State, before: &Settings, new: (&FieldPath, &Policy)) -> SyncResult<u64> {
    let mut settings = before.clone();
    settings.policies.retain(|(path, _)| path != new.0);
    settings.policies.push((new.0.clone(), new.1.clone()));
    super::resolve::Decided::by(work, state, &settings).map(|decided| decided.count)
}

fn field_path(text: &str) -> SyncResult<FieldPath> {
    let pointer = if text.starts_with('/') {
        text.to_owned()
    } else {
        format!("/{text}")
    };
    FieldPath::parse(&pointer).ok_or_else(|| SyncError::Usage(format!("`{text}` is no field path")))
}

/// Returns whether a system of that name wrote to a collection.
fn is_known(work: &Work<'_>, collection: &str, system: &str) -> SyncResult<bool> {
    let mut systems: BTreeSet<String> = BTreeSet::from([work.view.system.clone()]);
    for step in work.history.ancestors(&work.heads(collection)) {
        let (_, snapshot) = step.map_err(|error| other("reading the history", error))?;
        systems.insert(snapshot.system.clone());
    }
    Ok(systems.contains(system))
}

pub(super) fn settings(work: &Work<'_>, state: &State) -> SyncResult<Settings> {
    Settings::read(work.objects, state).map_err(|error| other("reading the settings of a collection", error))
}

/// Fills in what a collection has decided.
pub(super) fn describe(work: &Work<'_>, state: &State, status: &mut CollectionStatus) -> SyncResult<()> {
    let settings = settings(work, state)?;
    let policies = settings.policies.into_iter();
    status.policies = policies
        .map(|(path, policy)| (path.to_string(), policy.to_string()))
        .collect();
    status.versions = settings.versions.into_iter().collect();
    Ok(())
}

/// Returns the error for a snapshot that cannot be made or taken, where newer rules are the reason.
pub(super) fn newer(collection: &str, error: &MergeError) -> Option<SyncError> {
    match error {
        MergeError::Newer { rule, found } => Some(SyncError::NewerCollection {
            collection: collection.to_owned(),
            rule: rule.clone(),
            found: *found,
        }),
        _ => None,
    }
}
