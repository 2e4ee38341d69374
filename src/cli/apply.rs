//! `dsync apply`: writes the sources.

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use crate::sync::{Steps, SyncOptions, SyncResult};

/// Write the current state into the sources
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync apply\n  dsync apply phone --dry-run")]
pub(super) struct Apply {
    /// Only these sources [default: all]
    source: Vec<String>,
    #[command(flatten)]
    run: RunArgs,
}

impl Apply {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = SyncOptions {
            sources: self.source.clone(),
            ..self.run.options()
        };
        let steps = Steps {
            scan: false,
            fetch: false,
            apply: true,
            push: false,
        };
        super::report::finish(cx, &cx.repository()?.run(steps, &options)?)
    }
}
