//! Commands that parse and say that they are not built yet.

use clap::Args;

use super::error::Exit;
use crate::sync::{SyncError, SyncResult};

/// Answers for a command that is not built yet.
pub(super) fn answer(what: &'static str) -> SyncResult<Exit> {
    Err(SyncError::NotBuilt(what))
}

/// Sync when sources or remotes change (not built yet)
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync watch\n  dsync watch --interval 5m")]
pub(super) struct Watch {
    /// How often to look at remotes
    #[arg(long, value_name = "T")]
    interval: Option<String>,
}

/// Print or install a timer for unattended syncs (not built yet)
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync schedule --every 1h --systemd\n  dsync schedule --cron")]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of the command line")]
pub(super) struct Schedule {
    /// How often
    #[arg(long, value_name = "T")]
    every: Option<String>,
    /// For systemd
    #[arg(long, group = "timer")]
    systemd: bool,
    /// For cron
    #[arg(long, group = "timer")]
    cron: bool,
    /// For launchd
    #[arg(long, group = "timer")]
    launchd: bool,
    /// Install it
    #[arg(long)]
    install: bool,
}

/// Manage accounts and groups of systems (not built yet)
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync manager\n  dsync manager status")]
pub(super) struct Manager {
    /// What to do
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}
