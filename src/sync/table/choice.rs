//! Which columns of a table a source shows: those that were chosen, but for those that were dropped.

use std::collections::BTreeSet;

use super::lens::Bound;
use crate::model::row::{Column, Schema, fold};
use crate::source::table::TableColumn;
use crate::sync::{SyncError, SyncResult};

/// The columns that a source shows.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// Names, in small letters, of the columns that are shown; all where there is no choice.
    only: Option<BTreeSet<String>>,
    /// Names of columns that were dropped.
    dropped: BTreeSet<String>,
}

impl Choice {
    /// Makes the choice of a source; `names` are what people chose, none for all. Key columns are always shown.
    ///
    /// A column is known by any name: the one it has, had first, or has in this source.
    pub(super) fn new(names: &[String], key: &[String], schema: &Schema, bound: Option<&Bound>) -> Self {
        let all_names = |id: &str, name: &str| -> Vec<String> {
            let here = bound.into_iter().flatten().filter(|(known, _)| known == id);
            here.map(|(_, name)| fold(name)).chain([fold(name)]).collect()
        };
        let only = (!names.is_empty()).then(|| {
            let mut only: BTreeSet<String> = names.iter().chain(key).map(|name| fold(name)).collect();
            let columns = names.iter().filter_map(|name| schema.named(name));
            for column in columns.chain(schema.key.iter().filter_map(|id| schema.column(id))) {
                only.extend(all_names(&column.id, &column.name));
            }
            only
        });
        let mut dropped: BTreeSet<String> = BTreeSet::new();
        for column in &schema.dropped {
            dropped.extend(all_names(&column.id, &column.name));
        }
        for column in &schema.columns {
            dropped.remove(&fold(&column.name));
        }
        Self { only, dropped }
    }

    /// Returns whether every column is shown.
    pub(super) fn is_all(&self) -> bool {
        self.only.is_none() && self.dropped.is_empty()
    }

    /// Returns whether a column of a table is shown.
    pub(super) fn shows(&self, column: &TableColumn) -> bool {
        let name = fold(&column.name);
        let is_chosen = self
            .only
            .as_ref()
            .is_none_or(|only| only.contains(&name) || column.key.is_some());
        is_chosen && !self.dropped.contains(&name)
    }

    /// Returns whether a column of the collection is to be in the table.
    pub(super) fn wants(&self, column: &Column) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&fold(&column.name)))
    }
}

/// Refuses names that no column of a table or of its collection has.
pub(in crate::sync) fn check_fields(fields: &[String], columns: &[TableColumn], schema: &Schema) -> SyncResult<()> {
    let is_known = |field: &&String| {
        schema.named(field).is_some() || columns.iter().any(|column| fold(&column.name) == fold(field))
    };
    match fields.iter().find(|field| !is_known(field)) {
        None => Ok(()),
        Some(field) => {
            let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            names.extend(schema.columns.iter().map(|column| column.name.as_str()));
            names.dedup();
            Err(SyncError::Usage(format!(
                "no column is named `{field}`; there are {}",
                names.join(", ")
            )))
        }
    }
}
