//! From a row of cells to a record, and a changed record back into the row.
//!
//! Elements live in *slots*: groups of columns. An element stays in the slot it is bound to as long as the slot can
//! say nothing false about it; elements without a slot take the free one that shows most of them.

mod keyed;
mod slots;

use std::collections::{BTreeMap, BTreeSet};

use self::keyed::merge_at;
use self::slots::Collection;
use super::field::{self, Around, Cell, Dialect, Patch};
use super::layout::{Group, Layout};
use super::mapping::{FieldKind, GroupSpec, Home, Mapping};
use crate::format::Bindings;
use crate::model::{FieldPath, Value};

/// A mapping bound to a file, ready to read and write rows.
#[derive(Clone, Copy)]
pub(super) struct Engine<'a> {
    pub layout: &'a Layout,
    pub dialect: Dialect<'a>,
}

/// A row that was written.
pub(super) struct Written {
    pub cells: Vec<Cell>,
    pub bindings: Bindings,
}

/// What a part of a slot shows: the whole slot, or one of several values in its cells.
struct Part {
    /// Texts of the group's columns, by column index.
    cells: BTreeMap<usize, Cell>,
    shows: Shows,
}

enum Shows {
    Free,
    /// Something that cannot be read: it stays and nothing else comes here.
    Occupied,
    Element(Value),
}

impl<'a> Engine<'a> {
    fn mapping(&self) -> &'a Mapping {
        self.dialect.mapping
    }

    fn spec(&self, group: &Group) -> &'a GroupSpec {
        &self.mapping().groups[group.spec]
    }

    /// Reads the record that a row shows, with notes about cells that cannot be read.
    pub(super) fn read(&self, cells: &[Cell]) -> (Value, Vec<String>) {
        let mut record = field::nothing();
        let mut warnings = Vec::new();
        for group in self.layout.groups.iter().filter(|group| !is_blank(group, cells)) {
            match &self.spec(group).home {
                Home::Root => {
                    let texts = texts_of(group, cells);
                    let (part, unreadable) = self.read_fields(group, &texts);
                    field::merge(&mut record, &part);
                    warnings.extend(unreadable);
                }
                Home::Element(collection) => {
                    for (n, part) in self.parts(group, cells).into_iter().enumerate() {
                        match part.shows {
                            Shows::Element(element) => {
                                let path = FieldPath::new([collection.as_str(), &slot_key(&group.slot, n)]);
                                record.set_at(&path, element);
                            }
                            Shows::Occupied => warnings.push(format!("`{}` cannot be read and stays", group.slot)),
                            Shows::Free => {}
                        }
                    }
                }
                Home::Keyed(_) => {}
            }
        }
        for (group, shown) in self.keyed(cells, &record) {
            match shown {
                Some((path, value)) => merge_at(&mut record, &path, &value),
                None => warnings.push(format!("`{}` cannot be read and stays", group.slot)),
            }
        }
        record.prune();
        (record, warnings)
    }

    /// Reads all fields of a group, plain ones before derived ones.
    fn read_fields(&self, group: &Group, texts: &BTreeMap<usize, Cell>) -> (Value, Vec<String>) {
        let spec = self.spec(group);
        let mut shown = field::nothing();
        let mut unreadable = Vec::new();
        for derived in [false, true] {
            for (at, columns) in &group.fields {
                let field = &spec.fields[*at];
                if matches!(field.kind, FieldKind::Derived { .. }) != derived {
                    continue;
                }
                match field::read(field, &of_field(columns, texts), &self.dialect, &shown) {
                    Ok(part) if part.is_map() => field::merge(&mut shown, &part),
                    Ok(leaf) => shown = leaf,
                    Err(field::Unreadable) => {
                        unreadable.push(format!("`{}` cannot be read and stays", field.columns[0].name));
                    }
                }
            }
        }
        (shown, unreadable)
    }

    /// Splits a slot into its values and reads each.
    fn parts(&self, group: &Group, cells: &[Cell]) -> Vec<Part> {
        if is_blank(group, cells) {
            return vec![Part {
                cells: BTreeMap::new(),
                shows: Shows::Free,
            }];
        }
        let texts = texts_of(group, cells);
        let spec = self.spec(group);
        let occupied = group.companions.iter().any(|(at, column)| {
            let text = texts.get(column).and_then(Option::as_deref).unwrap_or_default();
            spec.companions[*at].occupied_by.iter().any(|word| word == text.trim())
        });
        let has_content = |texts: &BTreeMap<usize, Cell>| {
            let own = group.fields.iter().flat_map(|(_, columns)| columns.iter().flatten());
            own.filter_map(|column| texts.get(column))
                .any(|cell| cell.as_deref().is_none_or(|text| !text.trim().is_empty()))
        };
        if occupied && has_content(&texts) {
            return vec![Part {
                cells: texts,
                shows: Shows::Occupied,
            }];
        }
        let exploded = self.explode(group, &texts);
        exploded
            .into_iter()
            .map(|cells| {
                let shows = self.part_shows(group, &cells);
                Part { cells, shows }
            })
            .collect()
    }

    fn part_shows(&self, group: &Group, texts: &BTreeMap<usize, Cell>) -> Shows {
        let spec = self.spec(group);
        let (mut element, unreadable) = self.read_fields(group, texts);
        if !unreadable.is_empty() {
            return Shows::Occupied;
        }
        if !self.shows_main(group, texts) {
            return Shows::Free;
        }
        for (path, value) in &spec.fixed {
            element.set_at(path, value.clone());
        }
        Shows::Element(element)
    }

    /// Returns whether a slot shows more than a label.
    fn shows_main(&self, group: &Group, texts: &BTreeMap<usize, Cell>) -> bool {
        let spec = self.spec(group);
        let own: Vec<_> = group
            .fields
            .iter()
            .filter(|(at, _)| !matches!(spec.fields[*at].kind, FieldKind::Label(_)))
            .collect();
        own.iter().any(|(at, columns)| {
            let field = &spec.fields[*at];
            let part = field::read(field, &of_field(columns, texts), &self.dialect, &field::nothing());
            part.is_ok_and(|part| !part.leaves().is_empty() && part != field::nothing())
        })
    }

    /// Splits cells that hold several values; a cell with one value is shared by all.
    fn explode(&self, group: &Group, texts: &BTreeMap<usize, Cell>) -> Vec<BTreeMap<usize, Cell>> {
        // A note or a nickname with such a text inside is one.
        let separator = self.mapping().multi.as_deref().filter(|_| self.spec(group).repeat);
        let count = separator.map_or(1, |separator| {
            let counts = texts.values().flatten().map(|text| text.split(separator).count());
            counts.max().unwrap_or(1)
        });
        let (Some(separator), 2..) = (separator, count) else {
            return vec![texts.clone()];
        };
        (0..count)
            .map(|n| {
                let cell = |text: &String| {
                    let mut pieces = text.split(separator);
                    if text.contains(separator) {
                        pieces.nth(n).unwrap_or_default().to_owned()
                    } else {
                        text.clone()
                    }
                };
                texts
                    .iter()
                    .map(|(column, text)| (*column, text.as_ref().map(cell)))
                    .collect()
            })
            .collect()
    }

    /// Writes `record` into a row; `old` are its cells before with the ids of their elements.
    pub(super) fn write(&self, record: &Value, old: &[Cell], bindings: Option<&Bindings>) -> Written {
        let mut cells = old.to_vec();
        let mut written = Bindings::new();
        let fresh = bindings.is_none();
        for group in self
            .layout
            .groups
            .iter()
            .filter(|group| self.spec(group).home == Home::Root)
        {
            let texts = self.patch_group(group, record, &texts_of(group, old), fresh);
            store(&mut cells, texts);
        }
        let collections: BTreeSet<&str> = (self.layout.groups.iter())
            .filter_map(|group| match &self.spec(group).home {
                Home::Element(collection) => Some(collection.as_str()),
                _ => None,
            })
            .collect();
        let no_bindings = Bindings::new();
        for collection in collections {
            let elements = record.as_map().and_then(|card| card.get(collection)?.as_map());
            let mut writer = Collection {
                engine: *self,
                name: collection,
                elements: elements.cloned().unwrap_or_default(),
                placed: BTreeSet::new(),
            };
            writer.write(old, &mut cells, bindings.unwrap_or(&no_bindings), &mut written);
        }
        self.write_keyed(record, old, &mut cells);
        Written {
            cells,
            bindings: written,
        }
    }

    /// Patches the fields of a group so that they show `value`.
    fn patch_group(
        &self,
        group: &Group,
        value: &Value,
        old: &BTreeMap<usize, Cell>,
        fresh: bool,
    ) -> BTreeMap<usize, Cell> {
        let spec = self.spec(group);
        let mut texts = old.clone();
        // Blank cells show nothing, and most are blank.
        let blank = old
            .values()
            .all(|cell| cell.as_deref().is_some_and(|text| text.trim().is_empty()));
        let before = if blank {
            field::nothing()
        } else {
            self.read_fields(group, old).0
        };
        let is_derived = |at: usize| matches!(spec.fields[at].kind, FieldKind::Derived { .. });
        for derived in [false, true] {
            if !group.fields.iter().any(|(at, _)| is_derived(*at) == derived) {
                continue;
            }
            let now = if blank && texts == *old {
                field::nothing()
            } else {
                self.read_fields(group, &texts).0
            };
            for (at, columns) in &group.fields {
                let field = &spec.fields[*at];
                if matches!(field.kind, FieldKind::Derived { .. }) != derived || matches!(field.kind, FieldKind::Key) {
                    continue;
                }
                let around = Around {
                    before: &before,
                    now: &now,
                    fresh,
                };
                let want = field::own(field, value);
                let cells = of_field(columns, old);
                let Patch::Set(new) = field::patch(field, &want, &cells, &self.dialect, around) else {
                    continue;
                };
                if columns
                    .iter()
                    .zip(&new)
                    .any(|(column, text)| column.is_none() && !text.is_empty())
                {
                    continue;
                }
                for (column, text) in columns.iter().zip(new) {
                    if let Some(column) = column {
                        texts.insert(*column, Some(text));
                    }
                }
            }
        }
        texts
    }

    /// Returns whether being in a slot says nothing false about an element.
    fn allows(&self, group: &Group, element: &Value) -> bool {
        let spec = self.spec(group);
        spec.fixed.iter().all(|(path, value)| element.at(path) == Some(value))
            && spec.unless.iter().all(|path| element.at(path).is_none())
    }
}

/// Lists what of `record` a view of it (with lasting ids) does not show; the order of elements is no part of it.
pub(super) fn not_shown(record: &Value, view: &Value) -> Vec<FieldPath> {
    let is_order =
        |path: &FieldPath| path.parts().len() == 3 && path.parts().last().is_some_and(|part| part == "order");
    let mut lacking = record.leaves_lacking_in(view);
    lacking.retain(|path| !is_order(path));
    lacking
}

fn texts_of(group: &Group, cells: &[Cell]) -> BTreeMap<usize, Cell> {
    let cell = |column: usize| cells.get(column).cloned().unwrap_or_else(|| Some(String::new()));
    group.columns().map(|column| (column, cell(column))).collect()
}

/// Returns whether the cells of a group hold nothing: then it shows nothing.
fn is_blank(group: &Group, cells: &[Cell]) -> bool {
    let is_empty = |cell: &Cell| cell.as_deref().is_some_and(|text| text.trim().is_empty());
    group.columns().all(|column| cells.get(column).is_none_or(is_empty))
}

fn of_field<'t>(columns: &[Option<usize>], texts: &'t BTreeMap<usize, Cell>) -> Vec<Option<&'t str>> {
    let text = |column: &Option<usize>| {
        column
            .and_then(|column| texts.get(&column))
            .map_or(Some(""), Option::as_deref)
    };
    columns.iter().map(text).collect()
}

fn store(cells: &mut [Cell], texts: BTreeMap<usize, Cell>) {
    for (column, text) in texts {
        if let Some(cell) = cells.get_mut(column) {
            *cell = text;
        }
    }
}

fn blank(texts: &BTreeMap<usize, Cell>) -> BTreeMap<usize, Cell> {
    texts.keys().map(|column| (*column, Some(String::new()))).collect()
}

/// The provisional key of the `n`-th (from 0) value in a slot.
fn slot_key(slot: &str, n: usize) -> String {
    if n == 0 {
        format!("~{slot}")
    } else {
        format!("~{slot}.{}", n + 1)
    }
}
