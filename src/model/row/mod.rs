//! Rows of tables: the schema of a collection, cells, keys and records.
//!
//! *Owns* what makes two tables comparable: [`Schema`] (columns by stable id), [`Cell`] (a value as a table gives it),
//! the order-preserving [`key`] of a row, and [`RowEncoder`], which writes a row's canonical record straight from its
//! cells. *Leaves* to `source::table` where tables lie and to `sync::table` what a change of one means.
//! *Invariants*: null is the absence of a column in a record; a record has one canonical byte string, whatever order
//! the table has its columns in; a cell that does not fit its column's type travels as the text it is.
//! Bytes are specified in `formats/SPEC.md`, section "Rows". *Start reading* at [`Schema`].

mod cell;
pub mod key;
mod record;
mod schema;

pub use cell::{Cell, Guess, from_value, to_value};
pub use record::{Large, RowEncoder, columns_of, project};
pub use schema::{Column, ColumnType, SCHEMA_KEY, Schema, column_id, fold, schema_key};
