//! `dsync systems`: who shares a remote.

use clap::{Args, Subcommand};

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

/// Stop waiting for a system that will not come back (not built yet)
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync systems forget old-laptop\n  dsync systems forget old-laptop --json")]
struct Forget {
    /// The system
    name: String,
}

impl Systems {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        if let Some(SystemsCommand::Forget(_)) = &self.command {
            return super::unbuilt::answer("`systems forget`");
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
            let this = if system.this { " (this one)" } else { "" };
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
