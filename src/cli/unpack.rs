//! `dsync unpack`: takes in a file of changes.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::RunArgs;
use super::context::Context;
use super::error::Exit;
use crate::disk::{Disk, DiskError};
use crate::sync::SyncResult;

/// Take in a file made by `dsync pack`
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync unpack changes.dsync\n  dsync unpack - --dry-run")]
pub(super) struct Unpack {
    /// The file; `-` for standard input
    file: PathBuf,
    #[command(flatten)]
    run: RunArgs,
}

impl Unpack {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let bytes = if self.file == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(|error| DiskError::new("read", Path::new("-"), error))?;
            bytes
        } else {
            Disk::default().read(&cx.path(&self.file))?
        };
        let report = cx.repository()?.unpack(&bytes, &self.run.options())?;
        super::report::finish(cx, &report)
    }
}
