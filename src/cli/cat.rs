//! `dsync cat`: records.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::text::{escape, leaves, title, value};
use super::ui::Role;
use crate::sync::{RecordReport, SyncResult};

/// Show records
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync cat contacts\n  dsync cat contacts urn:uuid:0f1e2d3c --json")]
pub(super) struct Cat {
    /// The collection
    collection: String,
    /// Only records with these keys: a UID, a path, or the first digits of a record's own key
    key: Vec<String>,
}

impl Cat {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        cx.repository()?.cat(&self.collection, &self.key, &mut |record| {
            cx.check_interrupt()?;
            print(cx, &record)
        })?;
        Ok(Exit::Done)
    }
}

fn print(cx: &Context<'_>, report: &RecordReport) -> SyncResult<()> {
    let ui = cx.ui;
    if ui.is_json() {
        return ui.object(report);
    }
    let title = title(&report.record).unwrap_or_else(|| report.key.clone());
    ui.line(format!(
        "{}  {}",
        ui.paint(Role::Heading, escape(&title)),
        ui.paint(Role::Aside, escape(&report.key))
    ))?;
    for (path, leaf) in leaves(&report.record) {
        ui.line(format!("  {}: {}", escape(&path), value(&path, leaf)))?;
    }
    Ok(())
}
