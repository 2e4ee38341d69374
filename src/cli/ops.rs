//! `dsync ops`: the operation log.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::text::{escape, short};
use super::ui::Role;
use crate::sync::SyncResult;

/// List what was done with this store, newest first
///
/// A command is one operation, however many steps it had. What changed neither records nor the configuration, such as a
/// push, is left out.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync ops\n  dsync ops -n 5 --json")]
pub(super) struct Ops {
    /// At most so many
    #[arg(short = 'n', value_name = "N")]
    limit: Option<usize>,
    /// Also what changed neither records nor the configuration; so does `-v`
    #[arg(long)]
    all: bool,
}

impl Ops {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        for operation in cx.repository()?.ops(self.limit, self.all || cx.ui.tells(1))? {
            if cx.ui.is_json() {
                cx.ui.object(&operation)?;
                continue;
            }
            let mark = if operation.undoable { "" } else { "  (cannot be undone)" };
            cx.ui.line(format!(
                "{} {} {}{}",
                cx.ui.paint(Role::Changed, short(&operation.operation)),
                escape(&operation.time),
                escape(&operation.command),
                cx.ui.paint(Role::Aside, mark)
            ))?;
        }
        Ok(Exit::Done)
    }
}
