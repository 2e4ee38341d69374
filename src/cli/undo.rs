//! `dsync undo`: takes back an operation.

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use crate::sync::SyncResult;

/// Take back an operation; sources are brought back too
///
/// What others changed since stays. The undoing is itself an operation and can be undone.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync undo --dry-run\n  dsync undo 8c01ff")]
pub(super) struct Undo {
    /// The operation, as `dsync ops` tells it [default: the last one]
    operation: Option<String>,
    #[command(flatten)]
    run: RunArgs,
}

impl Undo {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let report = cx.repository()?.undo(self.operation.as_deref(), &self.run.options())?;
        super::report::finish(cx, &report)
    }
}
