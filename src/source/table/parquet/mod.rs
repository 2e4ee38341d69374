//! Parquet files.
//!
//! *Owns* which columns a file has and how rows come out of it (`read`) and into a new one beside it (`write`); `value`
//! and `time` say what values are. *Leaves* exchanging files to [`Original`]. *Invariants*: a value is shown exactly or
//! its row is set aside; columns with columns in them are shown as JSON and copied as they are; codec, row groups,
//! order and metadata stay those of the file. *Fails* with a reason that names the file, also where the decoder panics:
//! a damaged file may do that. *Start reading* at [`ParquetTables`].

mod pages;
mod read;
#[cfg(test)]
mod tests;
mod time;
mod value;
mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bytes::Bytes;
use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::schema::types::SchemaDescriptor;
use xxhash_rust::xxh3::xxh3_64;

use super::whole::{Original, changed_meanwhile, malformed};
use super::{Location, RawRow, ReadEnd, Table, TableColumn, TableFormat, TableInfo, TableWrite, WriteOutcome};
use crate::disk::Disk;
use crate::format::{Confidence, ItemError};
use crate::model::Value;
use crate::model::row::{Cell, from_value, to_value};
use crate::source::SourceError;
use value::Kind;

/// What a file begins and ends with.
const MAGIC: &[u8] = b"PAR1";
/// The largest file that is read (chosen: it is held in memory).
const FILE_MAX_BYTES: u64 = 2 << 30;
/// Parquet files.
pub(super) struct ParquetTables {
    info: TableInfo,
}

impl ParquetTables {
    pub(super) const fn new() -> Self {
        Self {
            info: TableInfo {
                name: "parquet",
                title: "A Parquet file",
                extensions: &["parquet", "pq"],
                has_tables: false,
                is_server: false,
                writes: true,
                is_typed: true,
            },
        }
    }
}

impl TableFormat for ParquetTables {
    fn info(&self) -> &TableInfo {
        &self.info
    }

    fn detect(&self, _file_name: &str, head: &[u8]) -> Confidence {
        if head.starts_with(MAGIC) {
            Confidence::Certain
        } else {
            Confidence::No
        }
    }

    fn open(&self, disk: &Disk, location: &Location) -> Result<Box<dyn Table>, SourceError> {
        Ok(Box::new(ParquetTable::open(disk, &location.path)?))
    }

    fn create(&self, disk: &Disk, location: &Location, columns: &[TableColumn]) -> Result<(), SourceError> {
        let bytes = guarded(&location.path, || write::empty(columns))?;
        Ok(disk.create_new(&location.path, &bytes)?)
    }

    fn tables(&self, _disk: &Disk, _location: &Location) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }
}

/// Runs the decoder or the encoder; what it cannot do, or does not survive, is an error of the file.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, SourceError> {
    let failed = |reason: String| malformed(path, 1, ItemError::new(reason));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed(
            "it is damaged in a way that its reader does not survive".to_owned(),
        )),
    }
}

/// Makes an error for the decoder's way of telling one.
fn refused(reason: impl Into<String>) -> ParquetError {
    ParquetError::General(reason.into())
}

/// A column of the table: a field of the file's outermost group.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    kind: Kind,
    physical: Physical,
    /// The length of fixed bytes.
    length: i32,
    /// Its first leaf, and how many it has.
    leaf: usize,
    leaves: usize,
    /// The definition level of a value that is there; 0 where there always is one.
    level: i16,
    /// Whether a new row can be without it.
    is_optional: bool,
}

/// Lists the columns of a file.
fn columns_of(schema: &SchemaDescriptor) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let mut last = None;
    for leaf in 0..schema.num_columns() {
        let root = schema.get_column_root_idx(leaf);
        let descriptor = schema.column(leaf);
        if let Some(column) = columns.last_mut().filter(|_| last == Some(root)) {
            column.leaves += 1;
            column.kind = Kind::Nested;
            column.is_optional &= descriptor.max_def_level() > 0;
            continue;
        }
        last = Some(root);
        let is_flat = descriptor.path().parts().len() == 1 && descriptor.max_rep_level() == 0;
        columns.push(Column {
            name: schema.get_column_root(leaf).name().to_owned(),
            kind: if is_flat { Kind::of(&descriptor) } else { Kind::Nested },
            physical: descriptor.physical_type(),
            length: match descriptor.physical_type() {
                Physical::FIXED_LEN_BYTE_ARRAY => descriptor.type_length(),
                _ => 0,
            },
            leaf,
            leaves: 1,
            level: descriptor.max_def_level(),
            is_optional: descriptor.max_def_level() > 0,
        });
    }
    columns
}

struct ParquetTable {
    original: Original,
    reader: SerializedFileReader<Bytes>,
    /// The digest of the whole file.
    digest: u64,
    columns: Vec<Column>,
    listed: Vec<TableColumn>,
    /// Whether decimals still get their digits behind the point from the first rows.
    is_open: bool,
}

impl ParquetTable {
    fn open(disk: &Disk, path: &Path) -> Result<Self, SourceError> {
        let original = Original::new(disk, path)?;
        let stat = disk
            .stat(path)?
            .ok_or_else(|| SourceError::Missing(path.display().to_string()))?;
        if stat.length_bytes > FILE_MAX_BYTES {
            let reason = format!("it is larger than {FILE_MAX_BYTES} bytes, which is not built");
            return Err(malformed(path, 1, ItemError::new(reason)));
        }
        let bytes = Bytes::from(disk.read(path)?);
        let digest = xxh3_64(&bytes);
        let length = bytes.len() as u64;
        let reader = guarded(path, || {
            if !bytes.starts_with(MAGIC) || !bytes.ends_with(MAGIC) {
                return Err(refused("it is no Parquet file, or cut"));
            }
            let reader = SerializedFileReader::new(bytes.clone())?;
            check(&reader, length)?;
            pages::check(&bytes, reader.metadata())?;
            Ok(reader)
        })?;
        let (columns, is_open) = guarded(path, || {
            let file = reader.metadata().file_metadata();
            Ok((columns_of(file.schema_descr()), write::is_open(reader.metadata())))
        })?;
        let listed = columns.iter().map(|column| TableColumn {
            name: column.name.clone(),
            kind: Some(column.kind.column_type()),
            key: None,
            is_read_only: !column.kind.is_written(),
        });
        Ok(Self {
            listed: listed.collect(),
            original,
            reader,
            digest,
            columns,
            is_open,
        })
    }
}

/// Refuses sizes that no file of this length can mean, before anything is made as large as they say.
fn check(reader: &SerializedFileReader<Bytes>, file_bytes: u64) -> Result<(), ParquetError> {
    let is_within = |value: i64, most: u64| u64::try_from(value).is_ok_and(|value| value <= most);
    for group in reader.metadata().row_groups() {
        if group.num_rows() < 0 {
            return Err(refused("a row group has less than no rows"));
        }
        for column in group.columns() {
            let ends = (column.data_page_offset(), column.compressed_size());
            let starts = column.dictionary_page_offset().unwrap_or(ends.0);
            if [starts, ends.0, ends.1]
                .iter()
                .any(|number| !is_within(*number, file_bytes))
                || !is_within(starts.saturating_add(ends.1), file_bytes)
                || !is_within(column.num_values(), 1 << 40)
                || column.uncompressed_size() < 0
            {
                return Err(refused("a column lies outside the file"));
            }
        }
    }
    Ok(())
}

/// First bytes of a cell in a raw row.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INTEGER: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const DECIMAL: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const BYTES: u8 = 7;
    /// A value that cannot be shown, and why.
    pub(super) const BROKEN: u8 = 8;
}

/// Appends a cell to a raw row.
fn push_cell(cell: Result<Cell<'_>, &'static str>, out: &mut Vec<u8>) {
    let mut sized = |tag, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match cell {
        Ok(Cell::Null) => out.push(tag::NULL),
        Ok(Cell::Bool(value)) => out.push(if value { tag::TRUE } else { tag::FALSE }),
        Ok(Cell::Integer(number)) => {
            out.push(tag::INTEGER);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Ok(Cell::Float(number)) => {
            out.push(tag::FLOAT);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Ok(Cell::Decimal(text)) => sized(tag::DECIMAL, text.as_bytes()),
        Ok(Cell::Text(text)) => sized(tag::TEXT, text.as_bytes()),
        Ok(Cell::Bytes(bytes)) => sized(tag::BYTES, &bytes),
        Err(reason) => sized(tag::BROKEN, reason.as_bytes()),
    }
}

/// Takes a cell from a raw row; `None` where it ends within one.
fn take_cell<'r>(row: &mut &'r [u8]) -> Option<Result<Cell<'r>, ItemError>> {
    fn take<'r>(row: &mut &'r [u8], count: usize) -> Option<&'r [u8]> {
        let (head, rest) = row.split_at_checked(count)?;
        *row = rest;
        Some(head)
    }
    let [first] = *take(row, 1)?.first_chunk()?;
    let cell = match first {
        tag::NULL => Cell::Null,
        tag::FALSE | tag::TRUE => Cell::Bool(first == tag::TRUE),
        tag::INTEGER => Cell::Integer(i64::from_le_bytes(*take(row, 8)?.first_chunk()?)),
        tag::FLOAT => Cell::Float(f64::from_le_bytes(*take(row, 8)?.first_chunk()?)),
        _ => {
            let length = u64::from_le_bytes(*take(row, 8)?.first_chunk()?);
            let bytes = take(row, usize::try_from(length).ok()?)?;
            match (first, std::str::from_utf8(bytes)) {
                (tag::BYTES, _) => Cell::Bytes(bytes.into()),
                (tag::DECIMAL, Ok(text)) => Cell::Decimal(text.into()),
                (tag::BROKEN, Ok(text)) => return Some(Err(ItemError::new(text))),
                (_, Ok(text)) => Cell::Text(text.into()),
                (_, Err(_)) => return None,
            }
        }
    };
    Some(Ok(cell))
}

impl Table for ParquetTable {
    fn columns(&self) -> &[TableColumn] {
        &self.listed
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn compares_rows(&self) -> bool {
        false
    }

    fn read(&self, each: &mut dyn FnMut(RawRow<'_>) -> Result<(), SourceError>) -> Result<ReadEnd, SourceError> {
        let mut line = 0;
        read::rows(self.original.path(), &self.reader, &self.columns, &mut |bytes| {
            line += 1;
            each(RawRow { bytes, line })
        })?;
        Ok(ReadEnd {
            is_complete: self.original.was_read(self.digest)?,
        })
    }

    fn cells<'r>(&self, row: &'r [u8], each: &mut dyn FnMut(usize, Cell<'r>)) -> Result<(), ItemError> {
        let mut rest = row;
        let mut column = 0;
        while !rest.is_empty() {
            match take_cell(&mut rest) {
                Some(cell) => each(column, cell?),
                None => return Err(ItemError::new("it cannot be read")),
            }
            column += 1;
        }
        Ok(())
    }

    fn shown(&self, column: usize, value: Option<Value>) -> Option<Value> {
        let Some(column) = self.columns.get(column) else {
            return value;
        };
        if self.is_open && matches!(column.kind, Kind::Decimal(..)) {
            return value;
        }
        let shown = {
            let cell = from_value(value.as_ref());
            let stored = column.kind.stored(column.physical, column.length, &cell);
            stored.and_then(|stored| column.kind.cell(&stored).ok().and_then(to_value))
        };
        // What the column cannot hold is refused when it is written.
        shown.or(value)
    }

    fn write(&mut self, write: &TableWrite<'_>) -> Result<WriteOutcome, SourceError> {
        let mut original = self.original.clone();
        // Refuses to write over a file that is not the one that was opened.
        original.was_read(self.digest)?;
        let disk = original.disk().clone();
        let path = original.path().to_owned();
        let written = original.replace(|sink| {
            let plan = write::Plan::new(self, write)?;
            plan.stage(self, &path, sink)?;
            Ok((plan.refused, self.digest))
        })?;
        let Some(refused) = written else {
            return Ok(changed_meanwhile());
        };
        *self = Self::open(&disk, &path)?;
        Ok(WriteOutcome::Written(refused))
    }
}
