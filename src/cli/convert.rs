//! `dsync convert`: one format to another.

use std::path::PathBuf;

use clap::Args;

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use crate::sync::{Repository, SyncResult};

/// Convert a file or folder to another format; no store is needed
///
/// Items that cannot be read are set aside and named (exit 3); what the new format has no place for is counted.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  dsync convert contacts.vcf contacts.csv --to google-csv\n  \
    dsync convert export.csv cards.vcf --from outlook-csv --dry-run"
)]
pub(super) struct Convert {
    /// The file or folder to read
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file or folder to write
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// The format of IN [default: detected]
    #[arg(long, value_name = "F")]
    from: Option<String>,
    /// The encoding of IN, such as windows-1250 [default: as its bytes say]
    #[arg(long, value_name = "E")]
    encoding: Option<String>,
    /// The format of OUT [default: by its name, or that of what is there]
    #[arg(long, value_name = "F")]
    to: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Convert {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let report = Repository::convert(
            &cx.environment(),
            &cx.path(&self.input),
            &cx.path(&self.output),
            self.from.as_deref(),
            self.encoding.as_deref(),
            self.to.as_deref(),
            self.dry_run.dry_run,
        )?;
        super::report::finish(cx, &report)
    }
}
