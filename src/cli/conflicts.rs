//! `dsync conflicts`: what is open.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::text::{escape, shell_quote, value};
use super::ui::{Role, Ui};
use crate::sync::{AlternativeReport, ConflictReport, KEY_FIELD, SyncResult};

/// List the open conflicts
///
/// Where two systems wrote one field, both values are kept; sources show one of them until somebody decides.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync conflicts\n  dsync conflicts --json")]
pub(super) struct Conflicts {}

impl Conflicts {
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let mut any = false;
        cx.repository()?.each_conflict(&mut |conflict| {
            any = true;
            if cx.ui.is_json() {
                return cx.ui.object(&conflict);
            }
            print(cx.ui, &conflict)?;
            cx.ui.line(format!("  `{}`", resolve_command(&cx.program, &conflict)))
        })?;
        if !any {
            cx.ui.note("no conflicts");
        }
        Ok(Exit::Done)
    }
}

/// Prints a conflict: the record, the field, the sides.
pub(super) fn print(ui: &Ui, conflict: &ConflictReport) -> SyncResult<()> {
    let what = match conflict.kind.as_str() {
        "modify-delete" => "changed here, removed there",
        "identity" => "perhaps one record with another",
        "constraint" => "breaks a rule of a source",
        "file" => "both changed the file",
        "key" => "given two keys",
        _ => "two values",
    };
    ui.line(format!(
        "{} {}  {}",
        ui.paint(Role::Heading, escape(&conflict.title)),
        escape(&conflict.path),
        ui.paint(
            Role::Aside,
            format!("{} {}: {what}", escape(&conflict.collection), escape(&conflict.key))
        )
    ))?;
    if let (Some(source), Some(rule), Some(reason)) = (&conflict.source, &conflict.constraint, &conflict.reason) {
        let (source, rule, reason) = (escape(source), escape(rule), escape(reason));
        ui.line(format!("  source `{source}` keeps its row, by {rule}: {reason}"))?;
    }
    if let Some(base) = &conflict.base {
        ui.line(format!("  base: {}", value(&conflict.path, base)))?;
    }
    if let ("identity", Some(second)) = (conflict.kind.as_str(), conflict.alternatives.get(1)) {
        return ui.line(format!("  the other: {}", value(&conflict.path, &second.value)));
    }
    for side in &conflict.alternatives {
        ui.line(format!("  {}: {}", side.n, side_text(ui, &conflict.path, side)))?;
    }
    Ok(())
}

/// Returns a side's value, who wrote it and when.
pub(super) fn side_text(ui: &Ui, path: &str, side: &AlternativeReport) -> String {
    let shown = if side.shown { ", shown" } else { "" };
    let text = if side.absent {
        "(removed)".to_owned()
    } else {
        value(path, &side.value)
    };
    let by = format!("{}, {}{shown}", escape(&side.system), escape(&side.time));
    format!("{}  {}", ui.paint(Role::Changed, text), ui.paint(Role::Aside, by))
}

fn resolve_command(program: &str, conflict: &ConflictReport) -> String {
    let mut words = vec!["resolve", &conflict.collection, &conflict.key];
    let second_side = conflict.alternatives.get(1);
    let second = second_side.and_then(|side| side.value.as_str());
    let decision = if let ("identity", Some(second)) = (conflict.kind.as_str(), second) {
        format!("--same-as {0}` or `… --distinct {0}", shell_quote(second))
    } else {
        if conflict.kind == "key" {
            words.push(KEY_FIELD);
        } else if !conflict.path.is_empty() {
            words.push(&conflict.path);
        }
        match (conflict.kind.as_str(), second_side) {
            ("constraint", None) => "--take base".to_owned(),
            _ => "--take N".to_owned(),
        }
    };
    let words: Vec<String> = words.into_iter().map(shell_quote).collect();
    escape(&format!("{program} {} {decision}", words.join(" ")))
}
