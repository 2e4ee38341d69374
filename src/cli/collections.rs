//! `dsync collections`: lists the collections and sets what they decide about conflicts.

use clap::{Args, Subcommand};

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::text::{count, escape, short};
use super::ui::{Role, Ui};
use crate::merge::Policy;
use crate::sync::{CollectionStatus, SyncError, SyncResult};

/// List the collections, or set what one does about conflicts
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync collections --json\n  \
    dsync collections set contacts conflicts=prefer:laptop")]
pub(super) struct Collections {
    #[command(subcommand)]
    command: Option<CollectionsCommand>,
}

#[derive(Debug, Subcommand)]
enum CollectionsCommand {
    Set(CollectionsSet),
}

/// Set what a collection does where two systems wrote one field
///
/// The setting travels with the collection to all systems and concerns what is written by those that know it. Whatever
/// is shown, other values stay alternatives of an open conflict until somebody decides; only what is merged is none.
///
///   newest          show the latest (the default); texts of several lines are merged line by line
///   prefer:SYSTEM   show what this system wrote, else the latest
///   union           texts keep the lines of both, lists the items of both; else as newest
///   keep-both       merge nothing within a field
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Examples:\n  dsync collections set contacts conflicts=newest\n  \
    dsync collections set contacts conflicts=union --field /notes"
)]
struct CollectionsSet {
    /// The collection
    name: String,
    /// What to do: newest, prefer:SYSTEM, union or keep-both
    #[arg(value_name = "conflicts=POLICY")]
    setting: String,
    /// Only for this field and what is below it, as `dsync conflicts` prints it
    #[arg(long, value_name = "PATH")]
    field: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Collections {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        if let Some(CollectionsCommand::Set(set)) = &self.command {
            return set.run(cx);
        }
        for collection in cx.repository()?.collections()? {
            if cx.ui.is_json() {
                cx.ui.object(&collection)?;
            } else {
                cx.ui.line(line(cx.ui, &collection))?;
            }
        }
        Ok(Exit::Done)
    }
}

impl CollectionsSet {
    fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let word = self.setting.strip_prefix("conflicts=").ok_or_else(|| {
            SyncError::Usage(format!(
                "`{}` is no setting; the one there is: `conflicts=POLICY`",
                self.setting
            ))
        })?;
        let policy: Policy = word
            .parse()
            .map_err(|_| SyncError::Usage(format!("`{word}` is none of newest, prefer:SYSTEM, union, keep-both")))?;
        let (field, dry_run) = (self.field.as_deref(), self.dry_run.dry_run);
        let report = cx.repository()?.set_policy(&self.name, field, &policy, dry_run)?;
        if cx.ui.is_json() {
            cx.ui.object(&report)?;
            return Ok(Exit::Done);
        }
        if let Some(note) = &report.note {
            cx.ui.note(escape(note));
        }
        let of_field = match report.field.as_str() {
            "" => String::new(),
            field => format!(" of {}", escape(field)),
        };
        let verb = match (report.changed, dry_run) {
            (false, _) => "already:",
            (true, true) => "would set:",
            (true, false) => "set:",
        };
        let (name, policy) = (escape(&report.collection), escape(&report.policy));
        cx.ui.told(format!("{verb} conflicts{of_field} in {name}: {policy}"))?;
        if report.decidable > 0 {
            let open = count(report.decidable, "open conflict");
            cx.ui.note(format!(
                "{open} would be decided by the policies now: `dsync resolve {name} --by-policy`"
            ));
        }
        if report.changed && !dry_run {
            cx.ui.note("next: `dsync sync` tells the other systems");
        }
        Ok(Exit::Done)
    }
}

/// Returns one line about a collection.
pub(super) fn line(ui: &Ui, collection: &CollectionStatus) -> String {
    let mut parts = vec![count(collection.records, &escape(&collection.kind))];
    if collection.conflicts > 0 {
        parts.push(ui.paint(Role::Changed, count(collection.conflicts, "open conflict")));
    }
    if collection.heads.len() > 1 {
        parts.push(format!("merged from {} snapshots", collection.heads.len()));
    }
    for (field, policy) in &collection.policies {
        let place = if field.is_empty() { "conflicts" } else { field };
        parts.push(format!("{}: {}", escape(place), escape(policy)));
    }
    parts.push(ui.paint(Role::Aside, format!("root {}", short(&collection.root))));
    format!(
        "{}: {}",
        ui.paint(Role::Heading, escape(&collection.name)),
        parts.join(", ")
    )
}
