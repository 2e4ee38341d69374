//! `dsync verify`: checks what is stored.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::text::{count, escape, size};
use super::ui::Role;
use crate::sync::SyncResult;

/// Check every object, root and reference
///
/// Ends with exit code 7 and a list when something is damaged.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync verify\n  dsync verify --remote origin --deep")]
pub(super) struct Verify {
    /// Check this remote instead of the store
    #[arg(long, value_name = "R")]
    remote: Option<String>,
    /// Also read all content and build every state anew
    #[arg(long)]
    deep: bool,
}

impl Verify {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let report = cx.repository()?.verify(self.remote.as_deref(), self.deep)?;
        let exit = if report.damaged.is_empty() {
            Exit::Done
        } else {
            Exit::Damaged
        };
        if cx.ui.is_json() {
            cx.ui.object(&report)?;
            return Ok(exit);
        }
        for damage in &report.damaged {
            let what = format!("{}: {}", escape(&damage.id), escape(&damage.what));
            cx.ui.line(cx.ui.paint(Role::Removed, what))?;
            cx.ui.line(format!("  affects {}", escape(&damage.affects)))?;
        }
        let checked = format!("checked {}, {}", count(report.objects, "object"), size(report.bytes));
        if report.damaged.is_empty() {
            cx.ui.told(format!("{checked}: no damage"))?;
        } else {
            cx.ui.line(format!("{checked}: {} damaged", report.damaged.len()))?;
        }
        Ok(exit)
    }
}
