//! `dsync formats`: lists and describes the formats.

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::text::escape;
use super::ui::Role;
use crate::sync::{FormatReport, Repository, SyncError, SyncResult};

/// List the formats, or describe one
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync formats\n  dsync formats vcard")]
pub(super) struct Formats {
    /// Describe only this one
    name: Option<String>,
}

impl Formats {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let formats = Repository::formats();
        let Some(name) = &self.name else {
            for format in &formats {
                if cx.ui.is_json() {
                    cx.ui.object(format)?;
                } else {
                    let name = format!("{:<20}", escape(&format.name));
                    cx.ui.line(format!(
                        "{} {}",
                        cx.ui.paint(Role::Heading, name),
                        escape(&format.title)
                    ))?;
                }
            }
            return Ok(Exit::Done);
        };
        let format = formats
            .iter()
            .find(|format| format.name == *name)
            .ok_or_else(|| SyncError::Unknown {
                what: "format",
                name: name.clone(),
                candidates: formats.iter().map(|format| format.name.clone()).collect(),
            })?;
        if cx.ui.is_json() {
            cx.ui.object(format)?;
        } else {
            describe(cx, format)?;
        }
        Ok(Exit::Done)
    }
}

fn describe(cx: &Context<'_>, format: &FormatReport) -> SyncResult<()> {
    cx.ui.line(cx.ui.paint(Role::Heading, escape(&format.name)))?;
    cx.ui.line(format!("  {}", escape(&format.title)))?;
    cx.ui.line(format!("  records: {}", escape(&format.kind)))?;
    cx.ui.line(format!("  places: {}", escape(&format.places.join(", "))))?;
    cx.ui.line(if format.writes {
        "  read and written"
    } else {
        "  read only"
    })?;
    cx.ui.line(if format.ids {
        "  items have lasting ids of their own"
    } else {
        "  items have no ids; they are recognised by what they say"
    })
}
