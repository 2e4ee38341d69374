//! Prints what the steps of a sync did.

use std::collections::BTreeMap;

use super::context::Context;
use super::error::Exit;
use super::text::{count, escape, short, size};
use super::ui::{Role, Ui};
use crate::sync::{RemoteReport, SourceReport, SyncReport, SyncResult, Tally, Traffic};

/// Prints a report and returns how the command ended.
pub(crate) fn finish(cx: &Context<'_>, report: &SyncReport) -> SyncResult<Exit> {
    let ui = cx.ui;
    if ui.is_json() {
        ui.object(report)?;
    } else {
        print(ui, report)?;
    }
    let exit = Exit::of_report(report);
    if exit == Exit::Temporary {
        unreached(cx, report);
        unreached_sources(cx, report);
    }
    Ok(exit)
}

fn unreached(cx: &Context<'_>, report: &SyncReport) {
    for remote in report.remotes.iter().filter(|remote| !remote.reached) {
        let reason = remote.message.clone().unwrap_or_else(|| "no answer".to_owned());
        let error = crate::sync::SyncError::Unreachable {
            name: remote.name.clone(),
            is_full: remote.full,
            source: reason.into(),
        };
        super::error::render_unreached(cx.ui, &error, &cx.command, &cx.program);
    }
}

fn unreached_sources(cx: &Context<'_>, report: &SyncReport) {
    for source in &report.sources {
        if let Some(away) = &source.unreachable {
            let error = crate::sync::SyncError::SourceUnreachable {
                name: source.name.clone(),
                location: away.location.clone(),
                reason: away.reason.clone(),
            };
            super::error::render(cx.ui, &error, &cx.command, &cx.program);
        }
    }
}

fn print(ui: &Ui, report: &SyncReport) -> SyncResult<()> {
    print_changes(ui, report)?;
    if is_quiet(report) {
        ui.told("nothing to do")?;
    }
    if ui.tells(1) && !report.state.is_empty() {
        ui.told(format!("state {}", short(&report.state)))?;
    }
    Ok(())
}

/// Prints what happened, source by source and remote by remote, and what is open.
fn print_changes(ui: &Ui, report: &SyncReport) -> SyncResult<()> {
    if report.dry_run {
        ui.told("dry run: nothing is written")?;
    }
    for done in &report.done {
        ui.told(escape(done))?;
    }
    for source in &report.sources {
        print_source(ui, source)?;
    }
    print_unions(ui, report)?;
    for remote in report.remotes.iter().filter(|remote| remote.reached) {
        print_remote(ui, remote)?;
    }
    for kept in &report.kept {
        ui.told(format!("kept, because it was changed since: {}", escape(kept)))?;
    }
    if report.conflicts.open > 0 {
        let open = count(report.conflicts.open, "conflict");
        let text = format!(
            "{open} open, {} new; `dsync conflicts` shows them",
            report.conflicts.new
        );
        ui.told(ui.paint(Role::Changed, text))?;
    }
    Ok(())
}

fn is_quiet(report: &SyncReport) -> bool {
    report.unions.is_empty()
        && report.kept.is_empty()
        && report.done.is_empty()
        && report.conflicts.open == 0
        && report
            .remotes
            .iter()
            .all(|r| r.reached && r.received == Traffic::default() && r.sent == Traffic::default())
        && report.sources.iter().all(|source| source.unreachable.is_none())
        && report
            .sources
            .iter()
            .all(|s| s.read.is_zero() && s.written.is_zero() && s.set_aside.is_empty() && s.notes.is_empty())
}

fn print_source(ui: &Ui, source: &SourceReport) -> SyncResult<()> {
    let mut parts = Vec::new();
    for (verb, tally) in [("read", source.read), ("wrote", source.written)] {
        if !tally.is_zero() {
            parts.push(format!("{verb} {}", tally_text(tally)));
        }
    }
    if !parts.is_empty() || ui.tells(1) {
        let text = if parts.is_empty() {
            "unchanged".to_owned()
        } else {
            parts.join("; ")
        };
        ui.told(format!("{}: {text}", ui.paint(Role::Heading, escape(&source.name))))?;
    }
    for item in &source.set_aside {
        let text = format!("set aside: {}: {}", escape(&item.item), escape(&item.reason));
        ui.told(format!("  {}", ui.paint(Role::Changed, text)))?;
    }
    if source.not_shown > 0 {
        let text = format!(
            "{} without a place in this source; kept in the record",
            count(source.not_shown, "value")
        );
        ui.told(format!("  {text}"))?;
    }
    for note in &source.notes {
        ui.told(format!("  {}", escape(note)))?;
    }
    Ok(())
}

/// Returns `1 added, 2 changed`; `nothing` when all are zero.
pub(crate) fn tally_text(tally: Tally) -> String {
    let parts: Vec<String> = [
        (tally.added, "added"),
        (tally.changed, "changed"),
        (tally.removed, "removed"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect();
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    }
}

fn print_remote(ui: &Ui, remote: &RemoteReport) -> SyncResult<()> {
    let mut parts = Vec::new();
    for (verb, traffic) in [("received", remote.received), ("sent", remote.sent)] {
        if traffic != Traffic::default() {
            let changes = count(traffic.transactions, "change");
            parts.push(format!(
                "{verb} {changes} ({}, {})",
                count(traffic.packs, "pack"),
                size(traffic.bytes)
            ));
        }
    }
    if parts.is_empty() && (ui.tells(1) || remote.message.is_some()) {
        parts.push("in step".to_owned());
    }
    if !parts.is_empty() {
        ui.told(format!(
            "{}: {}",
            ui.paint(Role::Heading, escape(&remote.name)),
            parts.join("; ")
        ))?;
    }
    if let Some(message) = &remote.message {
        ui.told(format!("  {}", escape(message)))?;
    }
    Ok(())
}

fn print_unions(ui: &Ui, report: &SyncReport) -> SyncResult<()> {
    if report.unions.is_empty() {
        return Ok(());
    }
    let mut ways: BTreeMap<&str, u64> = BTreeMap::new();
    for union in &report.unions {
        *ways.entry(union.by.as_str()).or_default() += 1;
    }
    let ways: Vec<String> = ways
        .iter()
        .map(|(by, number)| format!("{number} by {}", escape(by)))
        .collect();
    let total = count(report.unions.len() as u64, "item");
    ui.told(format!(
        "recognised {total} as records that were there already: {}",
        ways.join(", ")
    ))?;
    if ui.tells(1) || report.dry_run {
        for union in &report.unions {
            ui.told(format!(
                "  {} in {} (by {})",
                escape(&union.title),
                escape(&union.source),
                escape(&union.by)
            ))?;
        }
    }
    Ok(())
}
