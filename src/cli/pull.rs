//! `dsync pull`: gets and writes into the sources.

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use crate::sync::{Steps, SyncOptions, SyncResult};

/// Fetch, merge and write the sources
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync pull\n  dsync pull origin --dry-run")]
pub(super) struct Pull {
    /// Only these remotes [default: all]
    remote: Vec<String>,
    #[command(flatten)]
    run: RunArgs,
}

impl Pull {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = SyncOptions {
            remotes: self.remote.clone(),
            ..self.run.options()
        };
        let steps = Steps {
            scan: false,
            fetch: true,
            apply: true,
            push: false,
        };
        super::report::finish(cx, &cx.repository()?.run(steps, &options)?)
    }
}
