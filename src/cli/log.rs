//! `dsync log`: the history.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::graph::Graph;
use super::report::tally_text;
use super::text::{count, escape, short};
use super::ui::{Role, Ui};
use crate::sync::{LogEntry, SyncResult};

/// Show the snapshots, newest first
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync log -n 10\n  dsync log --graph -c contacts")]
pub(super) struct Log {
    /// Only this collection
    #[arg(short, long, value_name = "C")]
    collection: Option<String>,
    /// Draw the lines of descent
    #[arg(long)]
    graph: bool,
    /// At most so many
    #[arg(short = 'n', value_name = "N")]
    limit: Option<usize>,
}

impl Log {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let entries = cx.repository()?.log(self.collection.as_deref(), self.limit)?;
        let mut graph = Graph::default();
        for entry in &entries {
            cx.check_interrupt()?;
            if cx.ui.is_json() {
                cx.ui.object(entry)?;
                continue;
            }
            let lines = lines(cx.ui, entry, self.collection.is_none());
            if self.graph {
                for line in graph.draw(&entry.snapshot, &entry.parents, &lines) {
                    cx.ui.line(line)?;
                }
            } else {
                for line in lines {
                    cx.ui.line(line)?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

/// Returns the lines about a snapshot: id, time, system; then what it changed and its message.
pub(super) fn lines(ui: &Ui, entry: &LogEntry, with_collection: bool) -> Vec<String> {
    let collection = if with_collection {
        format!(" {}", escape(&entry.collection))
    } else {
        String::new()
    };
    let mut lines = vec![
        format!(
            "{}{collection} {} {}",
            ui.paint(Role::Changed, short(&entry.snapshot)),
            escape(&entry.time),
            ui.paint(Role::Heading, escape(&entry.system)),
        ),
        format!("  {}; {}", tally_text(entry.changes), count(entry.records, "record")),
    ];
    if let Some(message) = &entry.message {
        lines.extend(message.lines().map(|line| format!("  {}", escape(line))));
    }
    lines
}
