//! `dsync status`: how everything stands.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::report::tally_text;
use super::text::{count, escape, short};
use super::ui::{Role, Ui};
use crate::sync::{SourceStatus, StatusReport, SyncResult, Tally};

/// Tell how sources, collections and remotes stand
///
/// Reads the sources; writes nothing and asks no remote.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync status\n  dsync status --json")]
pub(super) struct Status {}

impl Status {
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let status = cx.repository()?.status()?;
        if cx.ui.is_json() {
            cx.ui.object(&status)?;
        } else {
            print(cx.ui, &status)?;
        }
        Ok(Exit::Done)
    }
}

fn print(ui: &Ui, status: &StatusReport) -> SyncResult<()> {
    ui.line(format!(
        "system {}, {}",
        ui.paint(Role::Heading, escape(&status.system)),
        ui.paint(Role::Aside, format!("state {}", short(&status.state)))
    ))?;
    if ui.tells(1) {
        ui.line(format!("replica {}", escape(&status.replica)))?;
    }
    section(
        ui,
        "collections",
        status
            .collections
            .iter()
            .map(|collection| super::collections::line(ui, collection)),
    )?;
    section(
        ui,
        "sources",
        status.sources.iter().map(|source| source_line(ui, source)),
    )?;
    section(
        ui,
        "remotes",
        status.remotes.iter().map(|remote| {
            format!(
                "{}: {}, {}",
                ui.paint(Role::Heading, escape(&remote.name)),
                super::remote::standing(remote.ahead, remote.behind),
                escape(&remote.url)
            )
        }),
    )?;
    if status.sources.is_empty() && status.collections.is_empty() {
        ui.note("next: `dsync add-source LOCATION`");
    }
    Ok(())
}

fn section(ui: &Ui, title: &str, lines: impl Iterator<Item = String>) -> SyncResult<()> {
    let mut first = true;
    for line in lines {
        if first {
            ui.line(format!("\n{title}"))?;
            first = false;
        }
        ui.line(format!("  {line}"))?;
    }
    Ok(())
}

fn source_line(ui: &Ui, source: &SourceStatus) -> String {
    let mut parts = Vec::new();
    let edits = Tally {
        added: source.added,
        changed: source.changed,
        removed: source.removed,
    };
    if !edits.is_zero() {
        parts.push(format!("{} to take in", tally_text(edits)));
    }
    if source.outgoing > 0 {
        parts.push(format!("{} to write", count(source.outgoing, "record")));
    }
    if source.set_aside > 0 {
        parts.push(format!("{} set aside", source.set_aside));
    }
    let role = match source.state.as_str() {
        "clean" => Role::Added,
        "missing" | "unreadable" => Role::Removed,
        _ => Role::Changed,
    };
    parts.insert(0, ui.paint(role, escape(&source.state)));
    let reason = source.reason.as_ref().map(|reason| format!(" ({})", escape(reason)));
    format!(
        "{}: {}{}; {} at {}",
        ui.paint(Role::Heading, escape(&source.name)),
        parts.join(", "),
        reason.unwrap_or_default(),
        escape(&source.format),
        escape(&source.location)
    )
}
