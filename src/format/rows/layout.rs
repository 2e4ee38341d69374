//! A mapping bound to the columns of one file.

use std::collections::BTreeMap;

use super::mapping::{ColumnName, FieldKind, GroupSpec, Mapping, numbered};

/// Which cell belongs to which field.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub groups: Vec<Group>,
}

/// A group of fields (a repetition of one) with the places of its cells.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Index of the specification in the mapping.
    pub spec: usize,
    /// Which repetition it is, from 1.
    pub n: usize,
    /// Name of the slot.
    pub slot: String,
    /// Index of the field in the specification, and its cells (`None`: the file lacks that column).
    pub fields: Vec<(usize, Vec<Option<usize>>)>,
    /// Index of the companion in the specification, and its cell.
    pub companions: Vec<(usize, usize)>,
}

impl Group {
    /// Lists the cells of this group.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        let fields = self
            .fields
            .iter()
            .flat_map(|(_, columns)| columns.iter().flatten().copied());
        fields.chain(self.companions.iter().map(|(_, column)| *column))
    }
}

/// Compares column names as people see them.
pub(super) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Layout {
    /// Binds `mapping` to the columns named in `header`.
    pub(super) fn bind(mapping: &Mapping, header: &[String]) -> Self {
        let mut binder = Binder {
            index: BTreeMap::new(),
            taken: vec![false; header.len()],
        };
        for (at, name) in header.iter().enumerate() {
            binder.index.entry(folded(name)).or_default().push(at);
        }
        binder.add_positions(mapping, header);
        let mut groups = Vec::new();
        for (spec, group) in mapping.groups.iter().enumerate() {
            let repetitions = if group.repeat { header.len() } else { 1 };
            for n in 1..=repetitions {
                match binder.group(spec, group, n) {
                    Some(bound) => groups.push(bound),
                    None if n > 1 => break,
                    None => {}
                }
            }
        }
        Self { groups }
    }

    /// Returns the highest number that repetitions of a specification have here.
    pub(super) fn repetitions(&self, spec: usize) -> usize {
        let numbers = self
            .groups
            .iter()
            .filter(|group| group.spec == spec)
            .map(|group| group.n);
        numbers.max().unwrap_or(0)
    }
}

struct Binder {
    index: BTreeMap<String, Vec<usize>>,
    taken: Vec<bool>,
}

impl Binder {
    /// Gives columns with unknown names the names of their positions, where the whole header has the right width.
    fn add_positions(&mut self, mapping: &Mapping, header: &[String]) {
        if !mapping.positional || !has_width(mapping, header) {
            return;
        }
        let known = known_names(mapping);
        for (at, expected) in mapping.header.iter().enumerate() {
            let unknown = header.get(at).is_some_and(|name| !known.contains(&folded(name)));
            let names = spellings(mapping, expected);
            if unknown && !names.iter().any(|name| self.index.contains_key(&folded(name))) {
                self.index.insert(folded(expected), vec![at]);
            }
        }
    }

    fn find(&mut self, column: &ColumnName, n: usize) -> Option<usize> {
        let names = std::iter::once(&column.name).chain(&column.aliases);
        for name in names {
            let places = self.index.get(&folded(&numbered(name, n)));
            let free = places.and_then(|places| places.first().copied());
            if let Some(at) = free.filter(|at| !self.taken.get(*at).copied().unwrap_or(true)) {
                self.taken[at] = true;
                return Some(at);
            }
        }
        None
    }

    fn group(&mut self, spec: usize, group: &GroupSpec, n: usize) -> Option<Group> {
        let mut fields = Vec::new();
        for (at, field) in group.fields.iter().enumerate() {
            let mut columns: Vec<Option<usize>> = field.columns.iter().map(|column| self.find(column, n)).collect();
            if matches!(field.kind, FieldKind::Lines) {
                // Fewer columns hold the same lines: the last one takes the rest.
                columns.retain(Option::is_some);
            }
            if columns.iter().any(Option::is_some) {
                fields.push((at, columns));
            }
        }
        let companions: Vec<(usize, usize)> = (group.companions.iter().enumerate())
            .filter_map(|(at, companion)| Some((at, self.find(&companion.column, n)?)))
            .collect();
        (!fields.is_empty()).then(|| Group {
            spec,
            n,
            slot: numbered(&group.slot, n),
            fields,
            companions,
        })
    }
}

/// Returns whether a header has as many columns as the mapping names, a trailing empty one aside.
pub(super) fn has_width(mapping: &Mapping, header: &[String]) -> bool {
    let trailing = header.last().is_some_and(|name| name.trim().is_empty());
    header.len() - usize::from(trailing) == mapping.header.len()
}

/// Lists the folded names of all columns that do not repeat.
pub(super) fn known_names(mapping: &Mapping) -> std::collections::BTreeSet<String> {
    let names = mapping
        .columns()
        .flat_map(|column| std::iter::once(&column.name).chain(&column.aliases));
    let mut known: std::collections::BTreeSet<String> = names.map(|name| folded(name)).collect();
    known.extend(mapping.header.iter().map(|name| folded(name)));
    known
}

/// Returns a column's name and its aliases.
pub(super) fn spellings(mapping: &Mapping, expected: &str) -> Vec<String> {
    let column = mapping.columns().find(|column| column.name == expected);
    let aliases = column.map(|column| column.aliases.clone()).unwrap_or_default();
    std::iter::once(expected.to_owned()).chain(aliases).collect()
}

/// Returns whether `mapping` knows a column of this name, repetitions included.
pub(super) fn knows(known: &std::collections::BTreeSet<String>, name: &str) -> bool {
    let name = folded(name);
    if known.contains(&name) {
        return true;
    }
    let digits = |c: char| c.is_ascii_digit();
    let Some(start) = name.find(digits) else { return false };
    let rest = name[start..].trim_start_matches(digits);
    known.contains(&format!("{}{{n}}{rest}", &name[..start]))
}
