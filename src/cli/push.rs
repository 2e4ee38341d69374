//! `dsync push`: sends.

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use crate::sync::{Steps, SyncOptions, SyncResult};

/// Record a snapshot and send what remotes lack
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync push\n  dsync push origin --dry-run")]
pub(super) struct Push {
    /// Only these remotes [default: all]
    remote: Vec<String>,
    #[command(flatten)]
    run: RunArgs,
}

impl Push {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = SyncOptions {
            remotes: self.remote.clone(),
            ..self.run.options()
        };
        let steps = Steps {
            scan: true,
            fetch: false,
            apply: false,
            push: true,
        };
        super::report::finish(cx, &cx.repository()?.run(steps, &options)?)
    }
}
