//! `dsync columns`: lists and changes the columns of a collection of rows.

use clap::Args;

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::text::escape;
use super::ui::Role;
use crate::sync::{ColumnChange, SyncError, SyncResult};

/// List or change the columns of a collection of rows
///
/// Without an option it lists them. A change is made for all sources and systems; rows stay what they are.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  dsync columns prices\n  dsync columns prices --type size=text --drop discount"
)]
pub(super) struct Columns {
    /// The collection
    collection: String,
    /// Widen the type of a column: integer to decimal, anything to text (can be repeated)
    #[arg(long = "type", value_name = "COL=TYPE")]
    types: Vec<String>,
    /// Give a column another name (can be repeated)
    #[arg(long, value_name = "COL=NAME")]
    rename: Vec<String>,
    /// Show a column nowhere any more; its values are kept (can be repeated)
    #[arg(long, value_name = "COL")]
    drop: Vec<String>,
    /// Show a dropped column again (can be repeated)
    #[arg(long, value_name = "COL")]
    restore: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Columns {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let changes = self.changes()?;
        let mut repository = cx.repository()?;
        if !changes.is_empty() {
            let report = repository.change_columns(&self.collection, &changes, self.dry_run.dry_run)?;
            return super::report::finish(cx, &report);
        }
        for column in repository.columns(&self.collection)? {
            if cx.ui.is_json() {
                cx.ui.object(&column)?;
                continue;
            }
            let is_key = if column.key { ", key" } else { "" };
            let is_dropped = if column.dropped { ", dropped" } else { "" };
            cx.ui.line(format!(
                "{}: {}{is_key}{is_dropped}",
                cx.ui.paint(Role::Heading, escape(&column.name)),
                column.kind
            ))?;
        }
        Ok(Exit::Done)
    }

    fn changes(&self) -> SyncResult<Vec<ColumnChange>> {
        let mut changes = Vec::new();
        let restored = self.restore.iter().cloned().map(ColumnChange::Restore);
        changes.extend(restored);
        for typed in &self.types {
            let (column, kind) = typed
                .rsplit_once('=')
                .ok_or_else(|| wrong("--type", typed, "COL=TYPE"))?;
            changes.push(ColumnChange::Type {
                column: column.to_owned(),
                kind: kind.trim().to_lowercase(),
            });
        }
        changes.extend(self.drop.iter().cloned().map(ColumnChange::Drop));
        for typed in &self.rename {
            let (column, name) = typed
                .split_once('=')
                .ok_or_else(|| wrong("--rename", typed, "COL=NAME"))?;
            changes.push(ColumnChange::Rename {
                column: column.to_owned(),
                name: name.to_owned(),
            });
        }
        Ok(changes)
    }
}

fn wrong(option: &str, typed: &str, form: &str) -> SyncError {
    SyncError::Usage(format!("`{option} {typed}` is not of the form {form}"))
}
