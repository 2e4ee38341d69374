//! What stands for a table that is still to be made.

use crate::format::ItemError;
use crate::model::Value;
use crate::model::row::Cell;
use crate::source::SourceError;
use crate::source::table::{RawRow, ReadEnd, Table, TableColumn, TableWrite, WriteOutcome};

/// A table that is still to be made: it shows what it is given.
pub(super) struct Absent {
    pub(super) columns: Vec<TableColumn>,
    pub(super) is_typed: bool,
}

impl Table for Absent {
    fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    fn is_typed(&self) -> bool {
        self.is_typed
    }

    fn read(&self, _each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError> {
        Ok(ReadEnd { is_complete: true })
    }

    fn cells<'r>(&self, _row: &'r [u8], _each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        Ok(())
    }

    fn shown(&self, _column: usize, value: Option<Value>) -> Option<Value> {
        value
    }

    fn write(&mut self, _write: &TableWrite) -> Result<WriteOutcome, SourceError> {
        Ok(WriteOutcome::Busy("it is not there".to_owned()))
    }
}
