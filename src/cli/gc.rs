//! `dsync gc`: shrinks the store.

use clap::Args;
use serde_json::{Value as Json, json};

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::text::{count, size};
use crate::sync::SyncResult;

/// Remove what nothing needs any more and fold packs together
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync gc\n  dsync gc --dry-run")]
pub(super) struct Gc {
    #[command(flatten)]
    dry_run: DryRun,
}

impl Gc {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let summary = cx.repository()?.gc(self.dry_run.dry_run)?;
        if cx.ui.is_json() {
            let mut object = serde_json::to_value(summary).unwrap_or_default();
            if let Json::Object(map) = &mut object {
                map.insert("dry_run".to_owned(), json!(self.dry_run.dry_run));
            }
            cx.ui.object(&object)?;
            return Ok(Exit::Done);
        }
        let verb = if self.dry_run.dry_run {
            "would remove"
        } else {
            "removed"
        };
        let objects = summary.objects_before.saturating_sub(summary.objects_after);
        let bytes = summary.bytes_before.saturating_sub(summary.bytes_after);
        cx.ui.told(format!(
            "{verb} {}, {}; {} remain",
            count(objects, "object"),
            size(bytes),
            size(summary.bytes_after)
        ))?;
        Ok(Exit::Done)
    }
}
