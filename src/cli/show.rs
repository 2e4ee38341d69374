//! `dsync show`: one snapshot.

use clap::Args;

use super::context::Context;
use super::diff::Printer;
use super::error::Exit;
use crate::sync::SyncResult;

/// Show what a snapshot changed
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync show @\n  dsync show 3f9a1c --json")]
pub(super) struct Show {
    /// The snapshot: an id or its first 4 digits or more, ID~N, `@`, `@-`
    id: String,
    /// The collection, where several exist
    #[arg(short, long, value_name = "C")]
    collection: Option<String>,
}

impl Show {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let id = in_collection(self.collection.as_deref(), &self.id);
        // The snapshot is known when all differences are; it is printed first.
        let mut differences = Vec::new();
        let entry = cx.repository()?.show(&id, &mut |difference| {
            cx.check_interrupt()?;
            differences.push(difference);
            Ok(())
        })?;
        if cx.ui.is_json() {
            cx.ui.object(&entry)?;
        } else {
            for line in super::log::lines(cx.ui, &entry, true) {
                cx.ui.line(line)?;
            }
        }
        let mut printer = Printer::new(cx.ui);
        for difference in &differences {
            printer.print(difference)?;
        }
        Ok(Exit::Done)
    }
}

/// Names a state in a collection: `contacts:@-`.
pub(super) fn in_collection(collection: Option<&str>, state: &str) -> String {
    collection.map_or_else(|| state.to_owned(), |collection| format!("{collection}:{state}"))
}
