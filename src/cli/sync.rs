//! `dsync sync`: all of it.

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use crate::sync::{Steps, SyncOptions, SyncResult};

/// Bring sources, store and remotes in step
///
/// Reads the sources, fetches from the remotes, merges, writes the sources and pushes. With no remote it keeps this
/// system's sources in step. Running it twice: the second does nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync sync\n  dsync sync --dry-run --source phone")]
pub(super) struct Sync {
    /// Only this source (can be repeated) [default: all]
    #[arg(long, value_name = "S")]
    source: Vec<String>,
    /// Only this remote (can be repeated) [default: all]
    #[arg(long, value_name = "R")]
    remote: Vec<String>,
    #[command(flatten)]
    run: RunArgs,
}

impl Sync {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = SyncOptions {
            sources: self.source.clone(),
            remotes: self.remote.clone(),
            ..self.run.options()
        };
        let steps = Steps {
            scan: true,
            fetch: true,
            apply: true,
            push: true,
        };
        super::report::finish(cx, &cx.repository()?.run(steps, &options)?)
    }
}
