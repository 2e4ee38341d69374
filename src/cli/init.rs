//! `dsync init`: makes a store.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::DryRun;
use super::context::{Context, STORE_FOLDER};
use super::error::Exit;
use super::text::escape;
use crate::disk::Disk;
use crate::sync::{Repository, SyncResult};

/// Make a store in a folder
///
/// Makes DIR/.dsync, which holds records, history and settings. Sources are added after. Running it again changes
/// nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync init\n  dsync init addresses --name laptop")]
pub(super) struct Init {
    /// The folder [default: the working directory]
    dir: Option<PathBuf>,
    /// The name by which other systems know this one [default: the name of the folder]
    #[arg(long, value_name = "SYSTEM")]
    name: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Init {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let folder = cx.new_store_folder(self.dir.as_deref());
        let (store, created) = if self.dry_run.dry_run {
            let store = folder.join(STORE_FOLDER);
            let missing = !Disk::default().is_dir(&store);
            (store, missing)
        } else {
            Repository::init(&cx.environment(), &folder, self.name.as_deref())?
        };
        let shown = escape(&store.display().to_string());
        if cx.ui.is_json() {
            cx.ui
                .object(&json!({"store": store, "created": created, "dry_run": self.dry_run.dry_run}))?;
        } else if !created {
            cx.ui.told(format!("there is a store already: {shown}"))?;
        } else if self.dry_run.dry_run {
            cx.ui.told(format!("would make a store: {shown}"))?;
        } else {
            cx.ui.told(format!("made a store: {shown}"))?;
            cx.ui.note("next: `dsync add-source LOCATION`");
        }
        Ok(Exit::Done)
    }
}
