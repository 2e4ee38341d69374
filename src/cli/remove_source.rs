//! `dsync remove-source`: unbinds a source.

use clap::Args;
use serde_json::json;

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::text::escape;
use crate::sync::SyncResult;

/// Unbind a source; its file and the records stay
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync remove-source phone\n  dsync remove-source phone --dry-run")]
pub(super) struct RemoveSource {
    /// The source
    name: String,
    #[command(flatten)]
    dry_run: DryRun,
}

impl RemoveSource {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        cx.repository()?.remove_source(&self.name, self.dry_run.dry_run)?;
        removed(cx, "source", &self.name, self.dry_run)
    }
}

/// Tells that something named `name` is no longer bound.
pub(super) fn removed(cx: &Context<'_>, what: &str, name: &str, dry_run: DryRun) -> SyncResult<Exit> {
    if cx.ui.is_json() {
        cx.ui.object(&json!({"removed": name, "dry_run": dry_run.dry_run}))?;
    } else {
        let verb = if dry_run.dry_run { "would remove" } else { "removed" };
        cx.ui.told(format!("{verb} {what} {}", escape(name)))?;
    }
    Ok(Exit::Done)
}
