//! `dsync restore`: brings back an earlier state.

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use super::show::in_collection;
use crate::sync::{SyncOptions, SyncResult};

/// Bring back the state of a snapshot, in the store and the sources
///
/// It is recorded as a new snapshot; nothing of the history is lost.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync restore @- --dry-run\n  dsync restore 3f9a1c 0f1e2d3c")]
pub(super) struct Restore {
    /// The snapshot: an id or its first 4 digits or more, ID~N, `@-`
    snapshot: String,
    /// Only records with these keys [default: all]
    key: Vec<String>,
    /// The collection, where several exist
    #[arg(short, long, value_name = "C")]
    collection: Option<String>,
    #[command(flatten)]
    run: RunArgs,
}

impl Restore {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let snapshot = in_collection(self.collection.as_deref(), &self.snapshot);
        let options: SyncOptions = self.run.options();
        let report = cx.repository()?.restore(&snapshot, &self.key, &options)?;
        super::report::finish(cx, &report)
    }
}
