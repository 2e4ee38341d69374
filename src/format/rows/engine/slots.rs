//! Elements and their slots: who stays, who goes, who comes where.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, Part, Shows, blank, slot_key, store, texts_of};
use crate::format::Bindings;
use crate::format::rows::field::Cell;
use crate::format::rows::layout::Group;
use crate::format::rows::mapping::Home;
use crate::model::{FieldPath, Map, Text, Value, contact};

/// Writes the elements of one collection into their slots.
pub(super) struct Collection<'a> {
    pub(super) engine: Engine<'a>,
    /// The collection in the record.
    pub(super) name: &'a str,
    pub(super) elements: Map,
    /// Ids of elements that have their slot.
    pub(super) placed: BTreeSet<String>,
}

impl<'a> Collection<'a> {
    /// Keeps what stays in its slot, clears what went, and places the rest.
    pub(super) fn write(&mut self, old: &[Cell], cells: &mut [Cell], bindings: &Bindings, written: &mut Bindings) {
        let engine = self.engine;
        let mut free = Vec::new();
        for group in &engine.layout.groups {
            if !matches!(&engine.spec(group).home, Home::Element(collection) if collection == self.name) {
                continue;
            }
            let parts = engine.parts(group, old);
            if parts.iter().all(|part| matches!(part.shows, Shows::Free)) {
                free.push(group);
            } else if let Some(kept) = self.keep(group, &parts, bindings, old) {
                for (n, id) in kept.ids.iter().enumerate() {
                    self.bind(group, n, id.as_ref(), written);
                }
                store(cells, kept.cells);
            } else {
                store(cells, blank(&texts_of(group, old)));
                free.push(group);
            }
        }
        self.place(&free, old, cells, written);
    }

    fn bind(&self, group: &Group, n: usize, id: Option<&String>, written: &mut Bindings) {
        if let Some(id) = id {
            let pointer = FieldPath::new([self.name, &slot_key(&group.slot, n)]).to_string();
            written.insert(pointer, id.clone());
        }
    }

    /// Finds the element that a part of a slot shows.
    fn bound(&self, group: &Group, n: usize, shown: &Value, bindings: &Bindings) -> Option<String> {
        let key = slot_key(&group.slot, n);
        let pointer = FieldPath::new([self.name, &key]).to_string();
        let known = bindings
            .get(&pointer)
            .cloned()
            .or_else(|| self.elements.contains_key(&key).then_some(key));
        // A caller that lost the bindings still means the element that looks the same.
        known.or_else(|| {
            let same = |(id, element): &(&Text, &Value)| {
                let element = *element;
                !self.placed.contains(id.as_str())
                    && shown
                        .leaves()
                        .iter()
                        .all(|(path, leaf)| element.at(path) == Some(*leaf))
            };
            self.elements.iter().find(same).map(|(id, _)| id.to_string())
        })
    }

    /// Patches a slot that shows something; `None` when nothing of it stays.
    fn keep(&mut self, group: &'a Group, parts: &[Part], bindings: &Bindings, old: &[Cell]) -> Option<Kept> {
        let engine = self.engine;
        let mut stays: Vec<Stay<'_>> = Vec::new();
        for (n, part) in parts.iter().enumerate() {
            let Shows::Element(shown) = &part.shows else {
                stays.push(Stay {
                    id: None,
                    cells: part.cells.clone(),
                    part,
                });
                continue;
            };
            let Some(id) = self.bound(group, n, shown, bindings) else {
                continue;
            };
            let Some(element) = self.elements.get(&id).filter(|_| !self.placed.contains(&id)) else {
                continue;
            };
            if engine.allows(group, element) {
                let mut texts = engine.patch_group(group, element, &part.cells, false);
                if engine.explode(group, &texts).len() != 1 {
                    // A text with the separator inside would read as two: the slot keeps what it shows.
                    texts.clone_from(&part.cells);
                }
                if matches!(engine.part_shows(group, &texts), Shows::Element(_)) {
                    stays.push(Stay {
                        id: Some(id),
                        cells: texts,
                        part,
                    });
                }
            }
        }
        if parts.len() > 1 {
            agree(group, parts, &mut stays);
        }
        let is_free = |stay: &Stay<'_>| stay.id.is_none() && matches!(stay.part.shows, Shows::Free);
        if stays.iter().all(is_free) {
            return None;
        }
        self.placed.extend(stays.iter().filter_map(|stay| stay.id.clone()));
        let unchanged = stays.len() == parts.len() && stays.iter().all(|stay| stay.cells == stay.part.cells);
        let cells = if unchanged {
            BTreeMap::new()
        } else {
            self.join(group, &stays, old)
        };
        Some(Kept {
            ids: stays.into_iter().map(|stay| stay.id).collect(),
            cells,
        })
    }

    /// Puts the values of a slot back into its cells.
    fn join(&self, group: &Group, stays: &[Stay<'_>], old: &[Cell]) -> BTreeMap<usize, Cell> {
        let separator = self.engine.mapping().multi.as_deref().unwrap_or_default();
        let before = texts_of(group, old);
        let mut cells = BTreeMap::new();
        for column in group.columns() {
            let texts: Vec<&Cell> = stays.iter().filter_map(|stay| stay.cells.get(&column)).collect();
            let old_text = before.get(&column).and_then(Option::as_deref).unwrap_or_default();
            let shared = separator.is_empty() || !old_text.contains(separator);
            let cell = match texts.first() {
                Some(first) if shared => (*first).clone(),
                _ => {
                    let pieces: Vec<&str> = texts.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect();
                    Some(pieces.join(separator))
                }
            };
            cells.insert(column, cell);
        }
        cells
    }

    /// Gives elements without a slot the free one that shows most of them; preferred and older ones choose first.
    fn place(&mut self, free: &[&'a Group], old: &[Cell], cells: &mut [Cell], written: &mut Bindings) {
        let mut free: Vec<&Group> = free.to_vec();
        let elements = std::mem::take(&mut self.elements);
        let mut waiting = contact::ordered(&elements);
        waiting.retain(|(id, _)| !self.placed.contains(id.as_str()));
        waiting.sort_by_key(|(_, element)| element.get("pref").and_then(Value::as_integer).unwrap_or(i64::MAX));
        for (id, element) in waiting {
            let element = Value::Map(element.clone());
            // No slot shows the place in the order.
            let mut leaves = element.leaves();
            leaves.retain(|(path, _)| path.parts().first().is_some_and(|first| first != "order"));
            let all = leaves.len();
            let mut best: Option<(usize, usize, BTreeMap<usize, Cell>)> = None;
            for (at, group) in free.iter().enumerate() {
                let Some((score, texts)) = self.fits(group, &element, old) else {
                    continue;
                };
                if best.as_ref().is_none_or(|(_, most, _)| score > *most) {
                    best = Some((at, score, texts));
                }
                if score == all {
                    break;
                }
            }
            if let Some((at, _, texts)) = best {
                let group = free.remove(at);
                self.bind(group, 0, Some(&id.to_string()), written);
                store(cells, texts);
            }
        }
    }

    /// Writes an element into a blank slot; returns how many leaves it shows and the cells.
    fn fits(&self, group: &Group, element: &Value, old: &[Cell]) -> Option<(usize, BTreeMap<usize, Cell>)> {
        let engine = self.engine;
        if !engine.allows(group, element) {
            return None;
        }
        let spec = engine.spec(group);
        let mut texts = engine.patch_group(group, element, &blank(&texts_of(group, old)), true);
        for (at, column) in &group.companions {
            texts.insert(*column, Some(spec.companions[*at].constant.clone()));
        }
        if engine.explode(group, &texts).len() != 1 {
            return None;
        }
        match engine.part_shows(group, &texts) {
            Shows::Element(shown) => {
                let max = spec.fields.iter().any(|field| field.max.is_some());
                let leaves = shown.leaves();
                let true_ones = leaves
                    .iter()
                    .filter(|(path, leaf)| element.at(path) == Some(*leaf))
                    .count();
                (true_ones == leaves.len() || max).then_some((true_ones.max(1), texts))
            }
            _ => None,
        }
    }
}

/// A slot whose elements stay.
struct Kept {
    ids: Vec<Option<String>>,
    cells: BTreeMap<usize, Cell>,
}

/// A value that stays in its slot.
struct Stay<'p> {
    /// Its element; `None` for what cannot be read.
    id: Option<String>,
    cells: BTreeMap<usize, Cell>,
    part: &'p Part,
}

/// Values that share a cell must agree on it: who wants it otherwise leaves the slot.
fn agree(group: &Group, parts: &[Part], stays: &mut Vec<Stay<'_>>) {
    let Some(first) = parts.first() else { return };
    for column in group.columns() {
        let before = first.cells.get(&column);
        let shared = parts.iter().all(|part| part.cells.get(&column) == before);
        let wanted: BTreeSet<&Cell> = stays.iter().filter_map(|stay| stay.cells.get(&column)).collect();
        if shared && wanted.len() > 1 {
            stays.retain(|stay| stay.cells.get(&column) == before);
        }
    }
}
