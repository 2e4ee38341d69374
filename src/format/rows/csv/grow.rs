//! Headers that grow with the fullest contact.

use std::ops::Range;
use std::sync::Arc;

use super::CsvDocument;
use crate::format::rows::layout::Layout;
use crate::format::rows::mapping::{Home, numbered};
use crate::model::{Map, Value, contact};

impl CsvDocument {
    /// Adds columns until a new row could show all of `record`'s elements; returns whether there was need.
    pub(super) fn add_missing_columns(&mut self, record: &Value) -> bool {
        let mapping = Arc::clone(&self.mapping);
        let mut grew = false;
        let mut shown = None;
        for (spec, group) in mapping.groups.iter().enumerate().filter(|(_, group)| group.repeat) {
            let (Home::Element(collection) | Home::Keyed(collection)) = &group.home else {
                continue;
            };
            let shown = shown.get_or_insert_with(|| self.shown_by_new_row(record));
            let hidden = hidden_members(record, collection, shown);
            if hidden == 0 || self.is_shown_by_a_row(record, collection) {
                continue;
            }
            let present = self.layout.repetitions(spec);
            let names_until = |count: usize| -> Vec<String> {
                let columns = |n| {
                    group
                        .fields
                        .iter()
                        .flat_map(|field| &field.columns)
                        .map(move |column| numbered(&column.name, n))
                };
                (present + 1..=present + count).flat_map(columns).collect()
            };
            let before = (self.header.clone(), self.grown.clone(), self.layout.clone());
            self.add_columns(names_until(hidden));
            let wider = self.shown_by_new_row(record);
            let placed = hidden - hidden_members(record, collection, &wider).min(hidden);
            if placed < hidden {
                (self.header, self.grown, self.layout) = before;
                if placed > 0 {
                    self.add_columns(names_until(placed));
                }
            }
            if placed > 0 {
                *shown = self.shown_by_new_row(record);
            }
            grew |= placed > 0;
        }
        grew
    }

    /// Returns what a new row for `record` would show.
    fn shown_by_new_row(&self, record: &Value) -> Value {
        let blank = vec![Some(String::new()); self.header.len()];
        let written = self.engine().write(record, &blank, None);
        contact::rename_elements(self.engine().read(&written.cells).0, &written.bindings)
    }

    /// Returns whether some row already shows all these members, several in one cell, and needs no columns for them.
    fn is_shown_by_a_row(&mut self, record: &Value, collection: &str) -> bool {
        let Some(separator) = self.mapping.multi.clone() else {
            return false;
        };
        let candidates = self.multi_rows.take().unwrap_or_else(|| {
            let rows = self
                .items
                .iter()
                .map(|item| self.rows[*item].0.range.clone())
                .enumerate();
            let has_several = |(_, range): &(usize, Range<usize>)| {
                let text = self.separators.encoding.decode(&self.bytes[range.clone()]);
                text.is_some_and(|text| text.contains(&separator))
            };
            rows.filter(has_several).map(|(index, _)| index).collect()
        });
        let wanted = main_values(record, collection);
        let shown = candidates.iter().any(|index| {
            let row = &self.bytes[self.rows[self.items[*index]].0.range.clone()];
            let shown = main_values(&self.engine().read(&self.cells(row)).0, collection);
            wanted.iter().all(|value| shown.contains(value))
        });
        self.multi_rows = Some(candidates);
        shown
    }

    fn add_columns(&mut self, mut names: Vec<String>) {
        if self.grown.is_empty() {
            // Cells beyond the header must not come to stand under the new names.
            let widths = self.items.iter().map(|at| {
                let row = &self.bytes[self.rows[*at].0.range.clone()];
                self.separators.cells(row).len()
            });
            let missing = widths.max().unwrap_or(0).saturating_sub(self.header.len());
            names.splice(0..0, vec![String::new(); missing]);
        }
        self.header.extend(names.iter().cloned());
        self.grown.extend(names);
        self.layout = Layout::bind(&self.mapping, &self.header);
    }
}

/// Counts the members of a collection of `record` that `view` does not show.
fn hidden_members(record: &Value, collection: &str, view: &Value) -> usize {
    let Some(members) = record.as_map().and_then(|card| card.get(collection)?.as_map()) else {
        return 0;
    };
    let shown = view
        .as_map()
        .and_then(|card| card.get(collection)?.as_map())
        .map_or(0, |shown| shown.keys().filter(|key| members.contains_key(*key)).count());
    members.len().saturating_sub(shown)
}

/// Lists what makes the elements of a collection what they are.
fn main_values(record: &Value, collection: &str) -> Vec<Value> {
    let fields = ["address", "number", "uri", "user", "name", "date", "components", "full"];
    let members = record.as_map().and_then(|card| card.get(collection)?.as_map());
    let values = members.into_iter().flat_map(Map::values);
    values
        .filter_map(|member| fields.iter().find_map(|field| member.as_map()?.get(*field)).cloned())
        .collect()
}
