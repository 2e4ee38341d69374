//! `dsync snapshot`: reads the sources and records.

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use crate::sync::{Steps, SyncOptions, SyncResult};

/// Read the sources and record what changed, no more
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync snapshot -m 'before the import'\n  dsync snapshot phone")]
pub(super) struct Snapshot {
    /// Only these sources [default: all]
    source: Vec<String>,
    /// A message for the log
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    run: RunArgs,
}

impl Snapshot {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = SyncOptions {
            sources: self.source.clone(),
            message: self.message.clone(),
            ..self.run.options()
        };
        let steps = Steps {
            scan: true,
            fetch: false,
            apply: false,
            push: false,
        };
        super::report::finish(cx, &cx.repository()?.run(steps, &options)?)
    }
}
