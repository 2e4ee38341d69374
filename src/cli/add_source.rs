//! `dsync add-source`: binds a source.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::arguments::DryRun;
use super::context::Context;
use super::error::Exit;
use super::text::{count, escape};
use crate::sync::{AddSource, SyncResult};

/// Which way changes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Direction {
    /// Read and write the source
    Both,
    /// Read it only
    In,
    /// Write it only
    Out,
}

/// Bind a file or folder as a source
///
/// Detects the format. Writes nothing into the source; `dsync sync` does.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync add-source contacts.vcf\n  \
    dsync add-source export.csv --name phone --collection contacts --map columns.toml")]
pub(super) struct AddSourceArgs {
    /// The file or folder
    location: String,
    /// The source's name [default: from LOCATION]
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// The collection that it feeds [default: the kind of its records]
    #[arg(short, long, value_name = "C")]
    collection: Option<String>,
    /// The format, one of `dsync formats` [default: detected]
    #[arg(long, value_name = "F")]
    format: Option<String>,
    /// The columns that identify a row
    #[arg(long, value_name = "COL", value_delimiter = ',', hide_short_help = true)]
    key: Vec<String>,
    /// A mapping file that says which column is which field
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The encoding of a CSV file, such as windows-1250 [default: as its bytes say]
    #[arg(long, value_name = "E", hide_short_help = true)]
    encoding: Option<String>,
    /// Only records that match, such as 'country = "DE" and price > 10'
    #[arg(long, value_name = "EXPR", hide_short_help = true)]
    filter: Option<String>,
    /// Only these fields, such as name,phones,emails
    #[arg(long, value_name = "F", value_delimiter = ',')]
    fields: Vec<String>,
    /// While a field is in conflict, show the value of this system, or the newest [default: as the collection]
    #[arg(long, value_name = "SYSTEM|newest", hide_short_help = true)]
    prefer: Option<String>,
    /// Which way changes go [default: both]
    #[arg(long)]
    direction: Option<Direction>,
    /// Accept a location that does not exist; the first sync makes it
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

impl AddSourceArgs {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = AddSource {
            location: self.location.clone(),
            name: self.name.clone(),
            collection: self.collection.clone(),
            format: self.format.clone(),
            map: self.map.as_deref().map(|path| cx.path(path)),
            encoding: self.encoding.clone(),
            direction: self.direction.map(|direction| {
                let word = match direction {
                    Direction::Both => "both",
                    Direction::In => "in",
                    Direction::Out => "out",
                };
                word.to_owned()
            }),
            key: self.key.clone(),
            filter: self.filter.clone(),
            fields: self.fields.clone(),
            prefer: self.prefer.clone(),
            create: self.create,
            dry_run: self.dry_run.dry_run,
        };
        let (source, notes) = cx.repository()?.add_source(&cx.directory, &options)?;
        if cx.ui.is_json() {
            let mut object = serde_json::to_value(&source).unwrap_or_default();
            if let Json::Object(map) = &mut object {
                map.insert("notes".to_owned(), json!(notes));
                map.insert("dry_run".to_owned(), json!(self.dry_run.dry_run));
            }
            cx.ui.object(&object)?;
            return Ok(Exit::Done);
        }
        let verb = if self.dry_run.dry_run { "would add" } else { "added" };
        cx.ui.told(format!(
            "{verb} source {}: {}, {}, collection {}",
            escape(&source.name),
            escape(&source.format),
            count(source.items, "item"),
            escape(&source.collection)
        ))?;
        for note in notes {
            cx.ui.told(format!("  {}", escape(&note)))?;
        }
        cx.ui.note("next: `dsync sync --dry-run` shows what a sync would do");
        Ok(Exit::Done)
    }
}
