//! `dsync sources`: lists the sources.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::text::{count, escape};
use super::ui::Role;
use crate::sync::SyncResult;

/// List the sources
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync sources\n  dsync sources --json")]
pub(super) struct Sources {}

impl Sources {
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        for source in cx.repository()?.sources()? {
            if cx.ui.is_json() {
                cx.ui.object(&source)?;
                continue;
            }
            let direction = match source.direction.as_str() {
                "both" => String::new(),
                one_way => format!(", {one_way} only"),
            };
            let filter = source
                .filter
                .as_deref()
                .map(|filter| format!(", where {}", escape(filter)));
            let fields = match source.fields.as_slice() {
                [] => String::new(),
                fields => format!(", only {}", escape(&fields.join(", "))),
            };
            cx.ui.line(format!(
                "{}: {} in collection {}, {}{direction}{fields}{}, {}",
                cx.ui.paint(Role::Heading, escape(&source.name)),
                escape(&source.format),
                escape(&source.collection),
                count(source.items, "item"),
                filter.unwrap_or_default(),
                escape(&source.location)
            ))?;
        }
        Ok(Exit::Done)
    }
}
