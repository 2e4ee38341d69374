//! `dsync man`: the manual.

use std::path::PathBuf;

use clap::Args;

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::text::escape;
use crate::disk::Disk;
use crate::sync::SyncResult;

/// Print the manual page, or write the pages of all commands
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync man\n  dsync man ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Write the pages of all commands into this folder
    dir: Option<PathBuf>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Man {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let pages = super::help::man_pages();
        let Some(dir) = &self.dir else {
            for (_, page) in pages.iter().filter(|(name, _)| name == "dsync.1") {
                cx.ui.bytes(page)?;
            }
            return Ok(Exit::Done);
        };
        let folder = cx.path(dir);
        let disk = Disk::default();
        if !self.dry_run.dry_run {
            disk.create_dir_all(&folder)?;
        }
        for (name, page) in &pages {
            let path = folder.join(name);
            if self.dry_run.dry_run {
                cx.ui
                    .told(format!("would write {}", escape(&path.display().to_string())))?;
            } else {
                disk.replace(&path, page)?;
            }
        }
        if !self.dry_run.dry_run {
            cx.ui.note(format!(
                "wrote {} pages to {}",
                pages.len(),
                escape(&folder.display().to_string())
            ));
        }
        Ok(Exit::Done)
    }
}
