//! Which contacts and which of their fields a source shows, and what follows when the choice changes.
//!
//! A changed choice of fields is a changed lens, no edit: everything is read anew, what is no longer shown is forgotten of the
//! source alone, and what is shown for the first time is met like any item at first sight.

use std::collections::BTreeMap;

use super::config::{Direction, SourceConfig};
use super::intake::{place_new_elements, rename, shown_as};
use super::work::Work;
use super::{SyncError, SyncResult, prefer};
use crate::delta::FieldOperation;
use crate::format::{Bindings, Document};
use crate::model::contact::{Fields, align, asked, asked_names, has_elements};
use crate::model::filter::Filter;
use crate::model::{FieldPath, Map, Text, Value};
use crate::port::{Objects, blob};
use crate::source::{Edited, Index, IndexEdit, ItemView, first_sight_edits};
use crate::store::SourceView;

/// Where a source's view keeps the fields by which it was last read.
const FIELDS: &str = "fields";
/// Where a source's view keeps the filter by which it was last written.
const FILTER: &str = "filter";

/// How the fields that a source shows differ from those by which it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Not at all.
    None,
    /// Nothing is shown that was not shown before.
    Narrower,
    /// Something is shown for the first time.
    Wider,
}

impl Change {
    /// Compares the configuration of a source with what is kept of it.
    pub(super) fn of(work: &Work<'_>, config: &SourceConfig) -> SyncResult<Self> {
        let now = config.contact_fields()?;
        let Some(view) = work.view.sources.get(&config.name) else {
            return Ok(Self::None);
        };
        let names: Option<Vec<&str>> = view.extra.get(FIELDS).map(|text| text.split(',').collect());
        // Names that are no longer known stand for nothing.
        let before = names.and_then(|names| Fields::parse(&names).ok());
        Ok(match (before, now) {
            (before, now) if before == now => Self::None,
            (None, Some(_)) => Self::Narrower,
            (Some(before), Some(now)) if before.covers(&now) => Self::Narrower,
            _ => Self::Wider,
        })
    }
}

/// Notes the fields by which a source was read.
pub(super) fn note_fields(view: &mut SourceView, config: &SourceConfig) -> SyncResult<()> {
    match config.contact_fields()? {
        Some(fields) => view.extra.insert(FIELDS.to_owned(), fields.text()),
        None => view.extra.remove(FIELDS),
    };
    Ok(())
}

/// Which contacts a source shows; without a filter it shows all.
pub(super) struct Sieve(Option<Filter>);

impl Sieve {
    /// Makes the sieve of a source; a name that no field of a contact has is refused.
    pub(super) fn new(filter: Option<&str>) -> SyncResult<Self> {
        let filter = filter.map(Filter::parse).transpose()?;
        let fields = filter.as_ref().map(Filter::fields).unwrap_or_default();
        let is_unknown = |field: &&str| asked(&Value::Null, field).is_none();
        match fields.into_iter().find(is_unknown) {
            None => Ok(Self(filter)),
            Some(field) => Err(SyncError::Usage(format!(
                "the filter asks for `{field}`, which contacts do not have; there are {}",
                asked_names().join(", ")
            ))),
        }
    }

    /// Returns whether a contact is shown.
    pub(super) fn shows(&self, objects: &dyn Objects, record: &Value) -> SyncResult<bool> {
        let Some(filter) = &self.0 else { return Ok(true) };
        filter.matches(&mut |field| {
            let mut values = asked(record, field).unwrap_or_default();
            for value in &mut values {
                blob::internalize(objects, value)?;
            }
            Ok(values)
        })
    }
}

/// Returns whether a source was last written by another filter than it has now.
pub(super) fn is_filter_new(work: &Work<'_>, config: &SourceConfig) -> bool {
    let before = work.view.sources.get(&config.name);
    config.direction != Direction::In
        && before.is_some_and(|view| view.extra.get(FILTER).map(String::as_str) != config.filter.as_deref())
}

/// Returns whether a source was last written by another filter or preference than it has now.
pub(super) fn is_choice_new(work: &Work<'_>, config: &SourceConfig) -> bool {
    is_filter_new(work, config) || prefer::is_new(work, config)
}

/// Notes the filter by which a source was written.
pub(super) fn note_filter(view: &mut SourceView, config: &SourceConfig) {
    match &config.filter {
        Some(filter) => view.extra.insert(FILTER.to_owned(), filter.clone()),
        None => view.extra.remove(FILTER),
    };
}

/// Tells of contacts that the filter of their source would not let in.
pub(super) fn strangers(count: u64) -> Option<String> {
    let text = match count {
        0 => return None,
        1 => "1 contact does not match the filter; it is taken in, and stays here until it is changed elsewhere"
            .to_owned(),
        count => format!(
            "{count} contacts do not match the filter; they are taken in, and stay here until they are changed elsewhere"
        ),
    };
    Some(text)
}

/// Makes all items agree with nothing, so that each is written if it does not show what its record says.
pub(super) fn loosen(edits: &mut BTreeMap<u64, IndexEdit>, index: &Index) {
    for (number, entry) in &index.items {
        let edit = edits
            .entry(*number)
            .or_insert_with(|| IndexEdit::Put(entry.clone(), None));
        if let IndexEdit::Put(entry, _) = edit {
            entry.base = Some(Vec::new());
        }
    }
}

/// Compares what an item shows for the first time with its record: returns what the record does not say so, and
/// the item's view, in which elements that the record has too are named as there.
pub(super) fn first_seen(
    work: &Work<'_>,
    document: &dyn Document,
    record: &Value,
    edited: &Edited,
) -> SyncResult<(Vec<FieldOperation>, ItemView)> {
    let mut after = edited.after.clone();
    let is_new = |collection: &str| has_elements(collection) && !edited.before.view.contains_key(collection);
    let mut seen = Map::new();
    for (collection, elements) in after.view.iter().filter(|(collection, _)| is_new(collection)) {
        seen.insert(collection.clone(), elements.clone());
    }
    if seen.is_empty() {
        return Ok((edited.newly_visible.clone(), after));
    }
    let shown = shown_as(work, document, record)?;
    let provisional = with_own_keys(seen, &after.bindings);
    let taken = |collection: &str, id: &str| record.at(&FieldPath::new([collection, id])).is_some();
    let bindings = align(
        &provisional,
        Some(&Value::Map(shown.view.clone())),
        &BTreeMap::new(),
        &taken,
    );
    let seen = rename(provisional, &bindings);
    let reference: Map = shown
        .view
        .into_iter()
        .filter(|(collection, _)| is_new(collection))
        .collect();
    let mut edits = first_sight_edits(&reference, &seen);
    after.view.extend(seen);
    after.bindings.extend(bindings);
    edits.extend(edited.newly_visible.iter().filter_map(|edit| {
        let (FieldOperation::Set(path, _) | FieldOperation::Clear(path)) = edit;
        let is_done = path.parts().first().is_some_and(|collection| is_new(collection));
        (!is_done).then(|| edit.clone())
    }));
    Ok((place_new_elements(Some(record), edits, &after), after))
}

/// Gives elements back the keys that they have in their item.
fn with_own_keys(collections: Map, bindings: &Bindings) -> Value {
    let mut keys: BTreeMap<(Text, &str), Text> = BTreeMap::new();
    for (pointer, id) in bindings {
        if let Some([collection, key]) = FieldPath::parse(pointer).as_ref().map(FieldPath::parts) {
            keys.insert((collection.clone(), id), key.clone());
        }
    }
    let collections = collections.into_iter().map(|(collection, elements)| {
        let elements = match elements {
            Value::Map(elements) => {
                let elements = elements.into_iter().map(|(id, element)| {
                    let key = keys.get(&(collection.clone(), id.as_str())).cloned();
                    (key.unwrap_or(id), element)
                });
                Value::Map(elements.collect())
            }
            other => other,
        };
        (collection, elements)
    });
    Value::Map(collections.collect())
}
