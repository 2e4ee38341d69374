//! `dsync pack`: changes as a file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::show::in_collection;
use super::text::{escape, size};
use crate::disk::Disk;
use crate::sync::SyncResult;

/// Write changes into a file, for mail and USB sticks
///
/// The file is not sealed: whoever has it can read the records in it.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync pack changes.dsync --since @-\n  dsync pack - > everything.dsync")]
pub(super) struct Pack {
    /// The file; `-` for standard output
    file: PathBuf,
    /// Only what came after this snapshot [default: everything]
    #[arg(long, value_name = "SNAP")]
    since: Option<String>,
    /// The collection of SNAP, where several exist
    #[arg(short, long, value_name = "C", requires = "since")]
    collection: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Pack {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let since = self
            .since
            .as_deref()
            .map(|since| in_collection(self.collection.as_deref(), since));
        let bytes = cx.repository()?.pack(since.as_deref(), self.dry_run.dry_run)?;
        let to_output = self.file == Path::new("-");
        if !self.dry_run.dry_run {
            if to_output {
                cx.ui.bytes(&bytes)?;
            } else {
                Disk::default().replace(&cx.path(&self.file), &bytes)?;
            }
        }
        let report = json!({"file": self.file, "bytes": bytes.len(), "dry_run": self.dry_run.dry_run});
        let verb = if self.dry_run.dry_run { "would write" } else { "wrote" };
        let text = format!(
            "{verb} {} to {}",
            size(bytes.len() as u64),
            escape(&self.file.display().to_string())
        );
        match (cx.ui.is_json(), to_output) {
            (true, true) => cx.ui.object_aside(&report),
            (true, false) => cx.ui.object(&report)?,
            (false, true) => cx.ui.note(text),
            (false, false) => cx.ui.told(text)?,
        }
        Ok(Exit::Done)
    }
}
