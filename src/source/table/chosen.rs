//! Some columns of a table: what a source of chosen columns shows, and what is left of it when columns were dropped.
//!
//! The other columns are neither read nor changed. Where a place looks at whole rows before it writes one, it is told
//! what they hold there.

use std::collections::{BTreeMap, BTreeSet};

use super::edits::{Below, NoRows};
use super::{
    ColumnEdit, RawRow, ReadEnd, RowEdit, RowEdits, RowRefusal, Table, TableColumn, TableWrite, Values, WriteOutcome,
};
use crate::format::ItemError;
use crate::model::Value;
use crate::model::row::{Cell, to_value};
use crate::source::SourceError;

/// Tells whether a column is shown.
pub type Choice = Box<dyn Fn(&TableColumn) -> bool>;

/// A table of which some columns are shown.
pub struct Chosen {
    table: Box<dyn Table>,
    choice: Choice,
    columns: Vec<TableColumn>,
    places: Places,
}

/// Where the columns that are shown are in the whole table.
#[derive(Clone, Default)]
struct Places {
    /// The place in the whole table of each column that is shown.
    places: Vec<usize>,
    /// The place among those that are shown of each column of the whole table.
    shown: Vec<Option<usize>>,
}

impl Places {
    /// Returns where a column is in the whole table; what comes stands behind everything.
    fn place(&self, column: usize) -> usize {
        let beyond = column.saturating_sub(self.places.len());
        self.places
            .get(column)
            .copied()
            .unwrap_or_else(|| self.shown.len() + beyond)
    }

    /// Returns values of the whole table: those of the shown columns, and `hidden` ones.
    fn whole(&self, values: &Values, hidden: Option<&Vec<(usize, Value)>>) -> Values {
        let mut whole = vec![None; self.shown.len().max(self.place(values.len()))];
        for (column, value) in values.iter().enumerate() {
            if let Some(place) = whole.get_mut(self.place(column)) {
                place.clone_from(value);
            }
        }
        for (at, value) in hidden.into_iter().flatten() {
            if let Some(place) = whole.get_mut(*at) {
                *place = Some(value.clone());
            }
        }
        whole
    }
}

impl Chosen {
    /// Makes the table that shows only columns of a choice.
    pub fn new(table: Box<dyn Table>, choice: Choice) -> Self {
        let mut chosen = Self {
            table,
            choice,
            columns: Vec::new(),
            places: Places::default(),
        };
        chosen.choose();
        chosen
    }

    fn choose(&mut self) {
        self.columns.clear();
        self.places = Places::default();
        for (at, column) in self.table.columns().iter().enumerate() {
            let is_shown = (self.choice)(column);
            let shown = is_shown.then_some(self.columns.len());
            self.places.shown.push(shown);
            if is_shown {
                self.places.places.push(at);
                self.columns.push(column.clone());
            }
        }
    }

    /// Tells of a broken rule in the columns that are shown.
    fn told(&self, mut refusal: RowRefusal) -> RowRefusal {
        if let Some(constraint) = &mut refusal.constraint {
            let shown = constraint.columns.iter().filter_map(|at| *self.places.shown.get(*at)?);
            constraint.columns = shown.collect();
            let cut = |rival: Values| {
                self.places
                    .places
                    .iter()
                    .map(|at| rival.get(*at).cloned().flatten())
                    .collect()
            };
            constraint.rival = constraint.rival.take().map(cut);
        }
        refusal
    }

    /// Returns what rows hold in columns that are not shown.
    fn hidden(&self, rows: &BTreeSet<u64>) -> Result<BTreeMap<u64, Vec<(usize, Value)>>, SourceError> {
        let mut found = BTreeMap::new();
        let mut number = 0;
        if rows.is_empty() || self.places.places.len() == self.places.shown.len() {
            return Ok(found);
        }
        self.table.read(&mut |row| {
            if rows.contains(&number) {
                let mut hidden = Vec::new();
                // What cannot be understood is not written either.
                let _refused = self.table.cells(row.bytes, &mut |at, cell| {
                    if self.places.shown.get(at) == Some(&None) {
                        hidden.extend(to_value(cell).map(|value| (at, value)));
                    }
                });
                found.insert(number, hidden);
            }
            number += 1;
            Ok(())
        })?;
        Ok(found)
    }
}

impl Table for Chosen {
    fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    fn expect(&mut self, names: &[String]) {
        self.table.expect(names);
        self.choose();
    }

    fn is_typed(&self) -> bool {
        self.table.is_typed()
    }

    fn compares_rows(&self) -> bool {
        self.table.compares_rows()
    }

    fn read(&self, each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError> {
        self.table.read(each)
    }

    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        self.table.cells(row, &mut |at, cell| {
            if let Some(Some(column)) = self.places.shown.get(at) {
                each(*column, cell);
            }
        })
    }

    fn survey(&self, row: &[u8], each: &mut dyn FnMut(usize, &[u8])) -> Result<(), ItemError> {
        self.table.survey(row, &mut |at, text| {
            if let Some(Some(column)) = self.places.shown.get(at) {
                each(*column, text);
            }
        })
    }

    fn shown(&self, column: usize, value: Option<Value>) -> Option<Value> {
        // A column that is still to come shows what it is given.
        match self.places.places.get(column) {
            Some(place) => self.table.shown(*place, value),
            None => value,
        }
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
        let rows = write.rows.listed().iter().filter_map(|edit| match edit {
            RowEdit::Update { row, .. } | RowEdit::Delete { row, .. } => Some(*row),
            RowEdit::Insert { .. } => None,
        });
        let hidden = if self.table.compares_rows() {
            self.hidden(&rows.collect())?
        } else {
            BTreeMap::new()
        };
        let places = self.places.clone();
        let columns = write.columns.iter().map(|edit| match edit {
            ColumnEdit::Add { .. } => edit.clone(),
            ColumnEdit::Rename { column, name } => ColumnEdit::Rename {
                column: places.place(*column),
                name: name.clone(),
            },
        });
        let rows = write.rows.listed().iter().map(|edit| match edit {
            RowEdit::Insert { new } => RowEdit::Insert {
                new: places.whole(new, None),
            },
            RowEdit::Update { row, old, new } => RowEdit::Update {
                row: *row,
                old: places.whole(old, hidden.get(row)),
                new: places.whole(new, hidden.get(row)),
            },
            RowEdit::Delete { row, old } => RowEdit::Delete {
                row: *row,
                old: places.whole(old, hidden.get(row)),
            },
        });
        let made = Below::new(write.rows.made().unwrap_or(&NoRows), |new| places.whole(new, None));
        let whole = TableWrite {
            columns: columns.collect(),
            rows: RowEdits::new(rows.collect::<Vec<_>>(), &made),
        };
        let outcome = self.table.write(&whole);
        self.choose();
        Ok(match outcome? {
            WriteOutcome::Written(refused) => {
                WriteOutcome::Written(refused.into_iter().map(|refusal| self.told(refusal)).collect())
            }
            busy @ WriteOutcome::Busy(_) => busy,
        })
    }
}
