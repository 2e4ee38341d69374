//! `dsync fetch`: gets.

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use crate::sync::{Steps, SyncOptions, SyncResult};

/// Get what remotes have; sources stay as they are
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync fetch\n  dsync fetch origin")]
pub(super) struct Fetch {
    /// Only these remotes [default: all]
    remote: Vec<String>,
    #[command(flatten)]
    run: RunArgs,
}

impl Fetch {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = SyncOptions {
            remotes: self.remote.clone(),
            ..self.run.options()
        };
        let steps = Steps {
            scan: false,
            fetch: true,
            apply: false,
            push: false,
        };
        super::report::finish(cx, &cx.repository()?.run(steps, &options)?)
    }
}
