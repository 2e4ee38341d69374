//! Entries of maps without elements (relations, custom fields, members): the key is a cell, so no binding is needed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, blank, is_blank, store, texts_of};
use crate::format::rows::field::{self, Cell};
use crate::format::rows::layout::Group;
use crate::format::rows::mapping::{FieldKind, Home};
use crate::model::{FieldPath, Map, Value};

impl<'a> Engine<'a> {
    /// Reads the entries of maps; `None` for slots that hold something that has no place beside the others.
    pub(super) fn keyed(&self, cells: &[Cell], record: &Value) -> Vec<(&'a Group, Option<(FieldPath, Value)>)> {
        let mut seen = record.clone();
        let mut list = Vec::new();
        for group in &self.layout.groups {
            let Home::Keyed(collection) = &self.spec(group).home else {
                continue;
            };
            match self.read_keyed(group, collection, cells) {
                Ok(None) => {}
                Ok(Some((path, value))) => {
                    let clashes = match seen.at(&path) {
                        Some(old) => !old.is_map() || !value.is_map(),
                        None => false,
                    };
                    if clashes {
                        list.push((group, None));
                    } else {
                        merge_at(&mut seen, &path, &value);
                        list.push((group, Some((path, value))));
                    }
                }
                Err(field::Unreadable) => list.push((group, None)),
            }
        }
        list
    }

    fn read_keyed(
        &self,
        group: &Group,
        collection: &str,
        cells: &[Cell],
    ) -> Result<Option<(FieldPath, Value)>, field::Unreadable> {
        if is_blank(group, cells) {
            return Ok(None);
        }
        let spec = self.spec(group);
        let texts = texts_of(group, cells);
        let key = self.key_text(group, &texts);
        let (mut part, unreadable) = self.read_fields(group, &texts);
        let own_leaf = spec
            .fields
            .iter()
            .any(|field| field.path.is_root() && matches!(field.kind, FieldKind::Text));
        for (path, value) in &spec.fixed {
            part.set_at(path, value.clone());
        }
        if spec.fixed.is_empty() && spec.fields.iter().all(|field| matches!(field.kind, FieldKind::Key)) {
            return Ok(key.map(|key| (FieldPath::new([collection, key.as_str()]), true.into())));
        }
        let empty = part.as_map().is_some_and(Map::is_empty);
        match key {
            Some(key) if unreadable.is_empty() && !empty && part.is_map() != own_leaf => {
                Ok(Some((FieldPath::new([collection, key.as_str()]), part)))
            }
            _ => Err(field::Unreadable),
        }
    }

    fn key_text(&self, group: &Group, texts: &BTreeMap<usize, Cell>) -> Option<String> {
        let spec = self.spec(group);
        let (_, columns) = group
            .fields
            .iter()
            .find(|(at, _)| matches!(spec.fields[*at].kind, FieldKind::Key))?;
        let text = texts.get(&columns.first().copied().flatten()?)?.clone()?;
        (!text.trim().is_empty()).then_some(text)
    }

    pub(super) fn write_keyed(&self, record: &Value, old: &[Cell], cells: &mut [Cell]) {
        let shown = self.read(old).0;
        let mut placed: BTreeSet<FieldPath> = BTreeSet::new();
        let mut free: Vec<&Group> = Vec::new();
        let mut readable: BTreeMap<String, Option<FieldPath>> = BTreeMap::new();
        for (group, entry) in self.keyed(old, &root_only(&shown, &self.root_customs())) {
            readable.insert(group.slot.clone(), entry.map(|(path, _)| path));
        }
        for group in self
            .layout
            .groups
            .iter()
            .filter(|group| matches!(self.spec(group).home, Home::Keyed(_)))
        {
            let path = match readable.get(&group.slot) {
                None => {
                    free.push(group);
                    continue;
                }
                Some(None) => continue,
                Some(Some(path)) => path,
            };
            let texts = texts_of(group, old);
            let Some(want) = record.at(path).filter(|want| self.allows(group, want)) else {
                store(cells, blank(&texts));
                free.push(group);
                continue;
            };
            let (shows, _) = self.read_fields(group, &texts);
            let kept = shows.is_map() && shows.leaves().iter().all(|(path, value)| want.at(path) == Some(*value));
            if !kept {
                store(cells, self.patch_group(group, want, &texts, false));
            }
            placed.insert(path.clone());
        }
        let claimed = self.root_customs();
        for group in free {
            let Home::Keyed(collection) = &self.spec(group).home else {
                continue;
            };
            let entries = record.as_map().and_then(|card| card.get(collection)?.as_map());
            for (key, value) in entries.into_iter().flatten() {
                let path = FieldPath::new([collection.as_str(), key]);
                if placed.contains(&path) || claimed.contains(&path) || !self.allows(group, value) {
                    continue;
                }
                let texts = blank(&texts_of(group, old));
                if let Some(texts) = self.place_keyed(group, &path, value, &texts) {
                    store(cells, texts);
                    placed.insert(path);
                    break;
                }
            }
        }
    }

    fn place_keyed(
        &self,
        group: &Group,
        path: &FieldPath,
        value: &Value,
        blank: &BTreeMap<usize, Cell>,
    ) -> Option<BTreeMap<usize, Cell>> {
        let spec = self.spec(group);
        let Home::Keyed(collection) = &spec.home else {
            return None;
        };
        let (_, columns) = group
            .fields
            .iter()
            .find(|(at, _)| matches!(spec.fields[*at].kind, FieldKind::Key))?;
        let column = columns.first().copied().flatten()?;
        let key = path.parts().last()?;
        let wanted = group
            .fields
            .iter()
            .filter_map(|(at, _)| spec.fields[*at].contains.as_deref());
        if !wanted.into_iter().all(|part| key.contains(part)) || key.trim().is_empty() {
            return None;
        }
        self.dialect.encoding.encode(key)?;
        let mut texts = self.patch_group(group, value, blank, true);
        texts.insert(column, Some(key.to_string()));
        let mut row: Vec<Cell> = vec![Some(String::new()); texts.keys().max()? + 1];
        store(&mut row, texts.clone());
        let (shown_path, shown) = self.read_keyed(group, collection, &row).ok().flatten()?;
        let says_true = shown.leaves().iter().all(|(path, leaf)| value.at(path) == Some(*leaf));
        (shown_path == *path && says_true).then_some(texts)
    }

    /// Paths of maps that columns of their own show.
    fn root_customs(&self) -> BTreeSet<FieldPath> {
        let roots = self
            .layout
            .groups
            .iter()
            .filter(|group| self.spec(group).home == Home::Root);
        roots
            .flat_map(|group| {
                group
                    .fields
                    .iter()
                    .map(|(at, _)| self.spec(group).fields[*at].path.clone())
            })
            .collect()
    }
}

/// Keeps of a view only what root columns show of maps with keys.
fn root_only(view: &Value, claimed: &BTreeSet<FieldPath>) -> Value {
    let mut kept = field::nothing();
    for path in claimed {
        if let Some(value) = view.at(path) {
            kept.set_at(path, value.clone());
        }
    }
    kept
}

/// Puts the leaves of `value` below `path`.
pub(super) fn merge_at(record: &mut Value, path: &FieldPath, value: &Value) {
    if !value.is_map() {
        record.set_at(path, value.clone());
        return;
    }
    for (below, leaf) in value.leaves() {
        let parts = path.parts().iter().chain(below.parts()).cloned();
        record.set_at(&FieldPath::new(parts), leaf.clone());
    }
}
