//! Which rows a source shows: its filter over the records of the collection.

use std::collections::BTreeMap;

use crate::model::Value;
use crate::model::filter::Filter;
use crate::model::row::Schema;
use crate::port::{Objects, blob};
use crate::sync::{SyncError, SyncResult};

/// A filter with the columns that its names mean; without a filter it shows everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Sieve {
    filter: Option<Filter>,
    /// Column ids by the names that the filter uses.
    ids: BTreeMap<String, String>,
}

impl Sieve {
    /// Makes the sieve of a source; a name that no column has is refused.
    pub(super) fn new(filter: Option<&str>, schema: &Schema) -> SyncResult<Self> {
        let sieve = Self::lenient(filter, schema)?;
        let fields = sieve.filter.as_ref().map(Filter::fields).unwrap_or_default();
        match fields.into_iter().find(|field| !sieve.ids.contains_key(*field)) {
            None => Ok(sieve),
            Some(field) => Err(unknown_column(
                field,
                &schema
                    .columns
                    .iter()
                    .map(|column| column.name.as_str())
                    .collect::<Vec<_>>(),
            )),
        }
    }

    /// Makes the sieve that a source had; names that no column has any more stand for nothing.
    pub(super) fn lenient(filter: Option<&str>, schema: &Schema) -> SyncResult<Self> {
        let filter = filter.map(Filter::parse).transpose()?;
        let fields = filter.as_ref().map(Filter::fields).unwrap_or_default();
        let ids = fields
            .into_iter()
            .filter_map(|field| Some((field.to_owned(), schema.named(field)?.id.clone())));
        let ids = ids.collect();
        Ok(Self { filter, ids })
    }

    /// Returns whether there is a filter.
    pub(super) fn is_active(&self) -> bool {
        self.filter.is_some()
    }

    /// Returns whether a record is shown.
    pub(super) fn shows(&self, objects: &dyn Objects, record: &Value) -> SyncResult<bool> {
        let Some(filter) = &self.filter else { return Ok(true) };
        filter.matches(&mut |field| {
            let value = self.ids.get(field).and_then(|id| record.as_map()?.get(id.as_str()));
            let mut value = value.cloned();
            if let Some(value) = &mut value {
                blob::internalize(objects, value)?;
            }
            Ok(value.into_iter().collect())
        })
    }
}

/// Says that a filter asks for a column that is not there.
pub(in crate::sync) fn unknown_column(field: &str, names: &[&str]) -> SyncError {
    SyncError::Usage(format!(
        "the filter asks for `{field}`, which no column is named; there are {}",
        names.join(", ")
    ))
}
