//! `dsync systems`: who shares a remote.

use clap::{Args, Subcommand};

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::text::escape;
use super::ui::Role;
use crate::sync::SyncResult;

/// List who shares a remote with this system, and when last seen
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync systems\n  dsync systems --json")]
pub(super) struct Systems {
    #[command(subcommand)]
    command: Option<SystemsCommand>,
}

#[derive(Debug, Subcommand)]
enum SystemsCommand {
    Forget(Forget),
}

/// Stop waiting for a system that will not come back
///
/// Objects on a remote that every system has in a base are deleted; one that never comes again would keep them for ever. Nothing of
/// what it sent is lost. Should it come back, it goes on under a new id with all that it has.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync systems forget old-laptop\n  dsync systems forget old-laptop --json")]
struct Forget {
    /// The system: its name, or the beginning of its id (four digits at least)
    name: String,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Systems {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        if let Some(SystemsCommand::Forget(forget)) = &self.command {
            return forget.run(cx);
        }
        for system in cx.repository()?.systems()? {
            if cx.ui.is_json() {
                cx.ui.object(&system)?;
                continue;
            }
            if system.last_seen.is_empty() {
                // A peer answers for itself; nothing that it wrote lies anywhere.
                let name = cx.ui.paint(Role::Heading, escape(&system.system));
                cx.ui.line(format!("{name}: the peer {}", escape(&system.remote)))?;
                continue;
            }
            let this = match (system.this, system.gone) {
                (true, _) => " (this one)",
                (_, true) => " (not waited for)",
                _ => "",
            };
            cx.ui.line(format!(
                "{}{this}: on {}, last seen {}, number {}",
                cx.ui.paint(Role::Heading, escape(&system.system)),
                escape(&system.remote),
                escape(&system.last_seen),
                system.sequence
            ))?;
        }
        Ok(Exit::Done)
    }
}

impl Forget {
    fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let is_dry = self.dry_run.dry_run;
        for forgotten in cx.repository()?.forget_system(&self.name, is_dry)? {
            if cx.ui.is_json() {
                cx.ui.object(&forgotten)?;
                continue;
            }
            let would = if is_dry { "would stop" } else { "stopped" };
            cx.ui.line(format!(
                "{would} waiting for {} on {}, last number {}; nothing of what it sent is lost",
                cx.ui.paint(Role::Heading, escape(&forgotten.system)),
                escape(&forgotten.remote),
                forgotten.sequence
            ))?;
        }
        Ok(Exit::Done)
    }
}
