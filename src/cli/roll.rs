//! `dsync roll`: folds the logs of remotes.

use clap::Args;

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::text::{count, escape, size};
use super::ui::Role;
use crate::sync::SyncResult;

/// Fold the packs on a remote
///
/// Writes one base with everything that the remote's log has, so that a clone reads it and not every pack. Each system deletes its own
/// packs once all systems have found the base right. A sync does this by itself when packs pile up.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync roll\n  dsync roll origin")]
pub(super) struct Roll {
    /// The remote; all when left out
    remote: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Roll {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let is_dry = self.dry_run.dry_run;
        let remotes: Vec<String> = self.remote.iter().cloned().collect();
        let mut exit = Exit::Done;
        for rolled in cx.repository()?.roll(&remotes, is_dry)? {
            if rolled.message.is_some() {
                exit = Exit::Temporary;
            }
            if cx.ui.is_json() {
                cx.ui.object(&rolled)?;
                continue;
            }
            let name = cx.ui.paint(Role::Heading, escape(&rolled.remote));
            if let Some(message) = &rolled.message {
                cx.ui.line(format!("{name}: {}", escape(message)))?;
            } else if rolled.folded == 0 {
                cx.ui.told(format!("{name}: nothing to fold"))?;
            } else if is_dry {
                cx.ui.told(format!(
                    "{name}: would fold {} of {} into a base with {}",
                    count(rolled.folded, "pack"),
                    count(rolled.systems, "system"),
                    count(rolled.transactions, "change")
                ))?;
            } else {
                cx.ui.told(format!(
                    "{name}: folded {} of {} into a base of {} ({}); deleted {}",
                    count(rolled.folded, "pack"),
                    count(rolled.systems, "system"),
                    size(rolled.bytes),
                    count(rolled.transactions, "change"),
                    count(rolled.deleted, "object")
                ))?;
            }
        }
        Ok(exit)
    }
}
