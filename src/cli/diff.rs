//! `dsync diff`: what differs between two states, or what a sync would do.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::Exit;
use super::report::tally_text;
use super::text::{escape, value};
use super::ui::{Role, Ui};
use crate::sync::{DiffOptions, FieldDifference, RecordDifference, SyncResult, Tally};

/// Show what a sync would do, or what differs between two states
///
/// With no state: what a sync would take in from the sources and write out to them. With one: what changed from it to
/// now. A state is `@` (now), `@-` (before the newest snapshot), a snapshot's id, or ID~N (its N-th first parent).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync diff\n  dsync diff @- --stat")]
pub(super) struct Diff {
    /// The older state
    #[arg(value_name = "A")]
    from: Option<String>,
    /// The newer state [default: @]
    #[arg(value_name = "B", requires = "from")]
    to: Option<String>,
    /// Only this source
    #[arg(long, value_name = "S")]
    source: Option<String>,
    /// Only this collection
    #[arg(short, long, value_name = "C")]
    collection: Option<String>,
    /// Only how many records
    #[arg(long)]
    stat: bool,
}

impl Diff {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = DiffOptions {
            from: self.from.clone(),
            to: self.to.clone(),
            source: self.source.clone(),
            collection: self.collection.clone(),
        };
        let mut repository = cx.repository()?;
        if self.stat {
            return stat(cx, |each| repository.diff(&options, each));
        }
        let mut printer = Printer::new(cx.ui);
        repository.diff(&options, &mut |difference| {
            cx.check_interrupt()?;
            printer.print(&difference)
        })?;
        Ok(Exit::Done)
    }
}

/// Where a difference belongs: source, direction, collection.
type Place = (Option<String>, Option<String>, String);

/// Takes differences one after the other.
type Each<'a> = dyn FnMut(RecordDifference) -> SyncResult<()> + 'a;

fn stat(cx: &Context<'_>, run: impl FnOnce(&mut Each<'_>) -> SyncResult<()>) -> SyncResult<Exit> {
    let mut tallies: BTreeMap<Place, Tally> = BTreeMap::new();
    run(&mut |difference| {
        cx.check_interrupt()?;
        let place = (difference.source, difference.direction, difference.collection);
        let tally = tallies.entry(place).or_default();
        match difference.op.as_str() {
            "add" => tally.added += 1,
            "remove" => tally.removed += 1,
            _ => tally.changed += 1,
        }
        Ok(())
    })?;
    for ((source, direction, collection), tally) in &tallies {
        if cx.ui.is_json() {
            cx.ui.object(&json!({
                "collection": collection, "source": source, "direction": direction,
                "added": tally.added, "changed": tally.changed, "removed": tally.removed,
            }))?;
        } else {
            let place = place_text(source.as_deref(), direction.as_deref(), collection);
            cx.ui
                .line(format!("{}: {}", cx.ui.paint(Role::Heading, place), tally_text(*tally)))?;
        }
    }
    if tallies.is_empty() {
        cx.ui.note("no difference");
    }
    Ok(Exit::Done)
}

fn place_text(source: Option<&str>, direction: Option<&str>, collection: &str) -> String {
    match (source, direction) {
        (Some(source), Some("in")) => format!("to take in from {}", escape(source)),
        (Some(source), _) => format!("to write to {}", escape(source)),
        _ => escape(collection),
    }
}

/// Prints differences: a heading where the place changes, the record's title, one line for each field.
pub(super) struct Printer<'a> {
    ui: &'a Ui,
    place: Option<String>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self { ui, place: None }
    }

    pub(super) fn print(&mut self, difference: &RecordDifference) -> SyncResult<()> {
        let ui = self.ui;
        if ui.is_json() {
            return ui.object(difference);
        }
        let place = place_text(
            difference.source.as_deref(),
            difference.direction.as_deref(),
            &difference.collection,
        );
        if self.place.as_ref() != Some(&place) {
            ui.line(ui.paint(Role::Heading, format!("{place}:")))?;
            self.place = Some(place);
        }
        let (sign, role) = match difference.op.as_str() {
            "add" => ("+", Role::Added),
            "remove" => ("-", Role::Removed),
            _ => ("~", Role::Changed),
        };
        let word = match difference.op.as_str() {
            "rename" => " renamed",
            "move" => " moved",
            _ => "",
        };
        ui.line(format!(
            "  {} {}{word}  {}",
            ui.paint(role, sign),
            ui.paint(Role::Heading, escape(&difference.title)),
            ui.paint(Role::Aside, key_text(difference))
        ))?;
        for field in &difference.fields {
            ui.line(format!("      {}", field_line(ui, field)))?;
        }
        Ok(())
    }
}

/// Returns the key; of a renamed record `old → new`.
fn key_text(difference: &RecordDifference) -> String {
    let key = escape(&difference.key);
    match &difference.old_key {
        Some(old) => format!("{} → {key}", escape(old)),
        None => key,
    }
}

/// Returns `path: old → new`; a field that came or went has one side.
fn field_line(ui: &Ui, field: &FieldDifference) -> String {
    let old = field
        .old
        .as_ref()
        .map(|old| ui.paint(Role::Removed, value(&field.path, old)));
    let new = field
        .new
        .as_ref()
        .map(|new| ui.paint(Role::Added, value(&field.path, new)));
    let path = escape(&field.path);
    match (old, new) {
        (Some(old), Some(new)) => format!("{path}: {old} → {new}"),
        (None, Some(new)) => format!("{path}: + {new}"),
        (Some(old), None) => format!("{path}: - {old}"),
        (None, None) => path,
    }
}
