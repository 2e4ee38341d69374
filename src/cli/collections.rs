//! `dsync collections`: lists the collections.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::text::{count, escape, short};
use super::ui::{Role, Ui};
use crate::sync::{CollectionStatus, SyncResult};

/// List the collections
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync collections\n  dsync collections --json")]
pub(super) struct Collections {}

impl Collections {
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        for collection in cx.repository()?.collections()? {
            if cx.ui.is_json() {
                cx.ui.object(&collection)?;
            } else {
                cx.ui.line(line(cx.ui, &collection))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Returns one line about a collection.
pub(super) fn line(ui: &Ui, collection: &CollectionStatus) -> String {
    let mut parts = vec![count(collection.records, &escape(&collection.kind))];
    if collection.conflicts > 0 {
        parts.push(ui.paint(Role::Changed, count(collection.conflicts, "open conflict")));
    }
    if collection.heads.len() > 1 {
        parts.push(format!("merged from {} snapshots", collection.heads.len()));
    }
    parts.push(ui.paint(Role::Aside, format!("root {}", short(&collection.root))));
    format!(
        "{}: {}",
        ui.paint(Role::Heading, escape(&collection.name)),
        parts.join(", ")
    )
}
