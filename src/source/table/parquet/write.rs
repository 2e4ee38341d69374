//! Writing a new file: each leaf is copied record by record, with the changes of its column.
//!
//! Codec, dictionaries, the bounds of row groups, the order of columns and the metadata are those of the file that is
//! replaced. New rows come at the end, into the last group until it is as large as the largest one was.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::column::writer::{ColumnWriter, ColumnWriterImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData, RowGroupMetaData};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::reader::FileReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};

use super::read::{BATCH, Batch, batch};
use super::value::{Kind, Stored};
use super::{Column, ParquetTable, columns_of, guarded, refused};
use crate::format::ItemError;
use crate::model::Value;
use crate::model::row::{Cell, ColumnType, from_value};
use crate::source::SourceError;
use crate::source::table::whole::{Sink, malformed};
use crate::source::table::{ColumnEdit, RowEdit, RowRefusal, TableColumn, TableWrite};

/// How many rows a group gets where no group says how many (chosen: as other writers do).
const GROUP_ROWS: u64 = 1 << 20;
/// The word in the metadata of a file without rows whose decimals get their digits behind the point from its first rows.
const OPEN: &str = "dsync.open";
/// Metadata that tells the columns once more, and would be wrong after a change of them.
const ABOUT_COLUMNS: [&str; 2] = ["ARROW:schema", "pandas"];
/// Digits of new decimal columns: what sixteen bytes hold.
const PRECISION: u32 = 38;

/// Returns whether decimals of a file are still to be made for its first rows.
pub(super) fn is_open(metadata: &ParquetMetaData) -> bool {
    let file = metadata.file_metadata();
    file.num_rows() == 0
        && file
            .key_value_metadata()
            .is_some_and(|list| list.iter().any(|pair| pair.key == OPEN))
}

/// Returns a file with these columns and no rows.
pub(super) fn empty(columns: &[TableColumn]) -> Result<Vec<u8>, ParquetError> {
    let fields: Result<Vec<TypePtr>, ParquetError> = columns
        .iter()
        .map(|column| {
            Ok(Arc::new(leaf(
                &column.name,
                column.kind.unwrap_or(ColumnType::Text),
                0,
            )?))
        })
        .collect();
    let schema = Type::group_type_builder("schema").with_fields(fields?).build()?;
    let mut properties = properties();
    properties = properties.set_key_value_metadata(Some(vec![KeyValue::new(OPEN.to_owned(), "1".to_owned())]));
    let mut bytes = Vec::new();
    SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties.build()))?.close()?;
    Ok(bytes)
}

fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY)
}

/// Returns the field of a new column.
fn leaf(name: &str, kind: ColumnType, scale: u32) -> Result<Type, ParquetError> {
    let (physical, logical) = match kind {
        ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnType::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        ColumnType::Bytes => (Physical::BYTE_ARRAY, None),
        ColumnType::Integer => (Physical::INT64, None),
        ColumnType::Float => (Physical::DOUBLE, None),
        ColumnType::Boolean => (Physical::BOOLEAN, None),
        ColumnType::Date => (Physical::INT32, Some(LogicalType::Date)),
        ColumnType::Time => (Physical::INT64, Some(LogicalType::time(false, TimeUnit::MICROS))),
        ColumnType::Timestamp => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        ColumnType::Decimal => {
            let (scale, precision) = (i32::try_from(scale), i32::try_from(PRECISION));
            let (scale, precision) = (scale.unwrap_or_default(), precision.unwrap_or_default());
            return Type::primitive_type_builder(name, Physical::FIXED_LEN_BYTE_ARRAY)
                .with_repetition(Repetition::OPTIONAL)
                .with_length(16)
                .with_logical_type(Some(LogicalType::decimal(scale, precision)))
                .with_precision(precision)
                .with_scale(scale)
                .build();
        }
    };
    Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

/// Returns a field under another name.
fn renamed(field: &Type, name: &str) -> Result<Type, ParquetError> {
    let info = field.get_basic_info();
    let id = info.has_id().then(|| info.id());
    match field {
        Type::PrimitiveType {
            physical_type,
            type_length,
            scale,
            precision,
            ..
        } => Type::primitive_type_builder(name, *physical_type)
            .with_repetition(info.repetition())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_converted_type(match info.logical_type_ref() {
                None => info.converted_type(),
                Some(_) => ConvertedType::NONE,
            })
            .with_length(*type_length)
            .with_precision(*precision)
            .with_scale(*scale)
            .with_id(id)
            .build(),
        Type::GroupType { fields, .. } => Type::group_type_builder(name)
            .with_repetition(info.repetition())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_converted_type(info.converted_type())
            .with_fields(fields.clone())
            .with_id(id)
            .build(),
    }
}

/// A change of a row that is there: it goes, or some of its columns change.
enum Change {
    Delete,
    Update(BTreeMap<usize, Option<Stored>>),
}

/// What is to be written, each value as the file stores it.
pub(super) struct Plan {
    schema: Result<Type, ParquetError>,
    columns: Vec<Column>,
    /// Whether the columns are other ones than before.
    is_other: bool,
    changes: BTreeMap<u64, Change>,
    inserts: Vec<Vec<Option<Stored>>>,
    pub(super) refused: Vec<RowRefusal>,
}

impl Plan {
    /// Looks at every value that is to be written; rows with one that does not fit are refused.
    pub(super) fn new(table: &ParquetTable, write: &TableWrite<'_>) -> Result<Self, SourceError> {
        let schema = schema_of(table, write, &scales_of(table, write)?);
        let columns = match &schema {
            Ok(schema) => columns_of(&SchemaDescriptor::new(Arc::new(schema.clone()))),
            Err(_) => table.columns.clone(),
        };
        let mut plan = Self {
            schema,
            columns,
            is_other: !write.columns.is_empty() || table.is_open,
            changes: BTreeMap::new(),
            inserts: Vec::new(),
            refused: Vec::new(),
        };
        for edit in write.rows.iter() {
            let (at, edit) = edit?;
            let result = match &*edit {
                RowEdit::Delete { row, .. } => {
                    plan.changes.insert(*row, Change::Delete);
                    continue;
                }
                RowEdit::Insert { new } => plan.row(new).map(|row| plan.inserts.push(row)),
                RowEdit::Update { row, old, new } => plan.changed(old, new).map(|changed| {
                    plan.changes.insert(*row, Change::Update(changed));
                }),
            };
            if let Err(reason) = result {
                plan.refused.push(RowRefusal::new(at, reason));
            }
        }
        Ok(plan)
    }

    fn value(column: &Column, value: Option<&Value>) -> Result<Option<Stored>, String> {
        let cell = from_value(value);
        if matches!(cell, Cell::Null) {
            return if column.is_optional {
                Ok(None)
            } else {
                Err(format!("the column `{}` needs a value", column.name))
            };
        }
        if !column.kind.is_written() {
            return Err(format!("values of the column `{}` cannot be written", column.name));
        }
        let stored = column.kind.stored(column.physical, column.length, &cell);
        stored.map(Some).ok_or_else(|| {
            let text = cell.text().unwrap_or_default().into_owned();
            let short: String = text.chars().take(40).collect();
            format!(
                "`{short}` does not fit the column `{}` ({:?})",
                column.name, column.kind
            )
        })
    }

    fn row(&self, new: &[Option<Value>]) -> Result<Vec<Option<Stored>>, String> {
        let columns = self.columns.iter().enumerate();
        columns
            .map(|(at, column)| Self::value(column, new.get(at).and_then(Option::as_ref)))
            .collect()
    }

    fn changed(&self, old: &[Option<Value>], new: &[Option<Value>]) -> Result<BTreeMap<usize, Option<Stored>>, String> {
        let mut changed = BTreeMap::new();
        for (at, column) in self.columns.iter().enumerate() {
            let (was, now) = (old.get(at).unwrap_or(&None), new.get(at).unwrap_or(&None));
            if was != now {
                changed.insert(at, Self::value(column, now.as_ref())?);
            }
        }
        Ok(changed)
    }

    /// Gives the bytes of the new file.
    pub(super) fn stage(&self, table: &ParquetTable, path: &Path, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let schema = match &self.schema {
            Ok(schema) => schema.clone(),
            Err(error) => return Err(malformed(path, 1, ItemError::new(error.to_string()))),
        };
        let properties = guarded(path, || Ok(self.properties(table)))?;
        let start = || SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties));
        let mut writer = guarded(path, start)?;
        let metadata = table.reader.metadata();
        let largest = metadata.row_groups().iter().map(|group| count(group.num_rows())).max();
        let largest = largest.unwrap_or(GROUP_ROWS).max(1);
        let mut first = 0;
        let mut inserts = self.inserts.as_slice();
        let groups = metadata.num_row_groups();
        for number in 0..groups {
            let rows = count(metadata.row_group(number).num_rows());
            let removed = self.changes.range(first..first + rows);
            let removed = removed.filter(|(_, change)| matches!(change, Change::Delete)).count() as u64;
            let room = if number + 1 == groups {
                usize::try_from(largest.saturating_sub(rows - removed)).unwrap_or(usize::MAX)
            } else {
                0
            };
            let (new, rest) = inserts.split_at(room.min(inserts.len()));
            inserts = rest;
            if rows - removed + new.len() as u64 > 0 {
                guarded(path, || {
                    self.group(table, &mut writer, Some((number, first, rows)), new)
                })?;
            }
            first += rows;
            sink(&std::mem::take(writer.inner_mut()))?;
        }
        let room = usize::try_from(largest).unwrap_or(usize::MAX);
        for new in inserts.chunks(room) {
            guarded(path, || self.group(table, &mut writer, None, new))?;
            sink(&std::mem::take(writer.inner_mut()))?;
        }
        guarded(path, || writer.finish().map(|_| ()))?;
        sink(writer.inner())
    }

    /// Returns how the new file is to be written: as the old one was.
    fn properties(&self, table: &ParquetTable) -> WriterProperties {
        let metadata = table.reader.metadata();
        let mut properties = properties();
        let old = metadata.row_groups().first();
        let schema = match &self.schema {
            Ok(schema) => SchemaDescriptor::new(Arc::new(schema.clone())),
            Err(_) => return properties.build(),
        };
        if let Some(first) = old.and_then(|group| group.columns().first()) {
            properties = properties.set_compression(first.compression());
        }
        let leaves = old.map(RowGroupMetaData::columns).unwrap_or_default();
        for (descriptor, chunk) in schema.columns().iter().zip(leaves) {
            let path = descriptor.path().clone();
            properties = properties
                .set_column_compression(path.clone(), chunk.compression())
                .set_column_dictionary_enabled(path.clone(), chunk.dictionary_page_offset().is_some())
                .set_column_bloom_filter_enabled(path, chunk.bloom_filter_offset().is_some());
        }
        let pairs = metadata
            .file_metadata()
            .key_value_metadata()
            .cloned()
            .unwrap_or_default();
        let is_kept =
            |pair: &KeyValue| pair.key != OPEN && !(self.is_other && ABOUT_COLUMNS.contains(&pair.key.as_str()));
        let pairs: Vec<KeyValue> = pairs.into_iter().filter(is_kept).collect();
        properties
            .set_key_value_metadata((!pairs.is_empty()).then_some(pairs))
            .build()
    }

    /// Writes one row group: rows of the old one, if there is one (its number, first row and count), and new rows.
    fn group(
        &self,
        table: &ParquetTable,
        writer: &mut SerializedFileWriter<Vec<u8>>,
        old: Option<(usize, u64, u64)>,
        inserts: &[Vec<Option<Stored>>],
    ) -> Result<(), ParquetError> {
        let before = old.map(|(number, ..)| table.reader.get_row_group(number)).transpose()?;
        let tops: Vec<i16> = writer
            .schema_descr()
            .columns()
            .iter()
            .map(|leaf| leaf.max_def_level())
            .collect();
        let mut group = writer.next_row_group()?;
        for (at, column) in self.columns.iter().enumerate() {
            for leaf in column.leaf..column.leaf + column.leaves {
                let Some(mut out) = group.next_column()? else {
                    return Err(refused("a column is missing"));
                };
                let copy = Copy {
                    plan: self,
                    column: at,
                    level: tops.get(leaf).copied().unwrap_or_default(),
                };
                if let (Some((_, first, rows)), Some(before)) = (old, &before) {
                    if table.columns.get(at).is_some() {
                        copy.rows(&mut before.get_column_reader(leaf)?, out.untyped(), first, rows)?;
                    } else {
                        copy.new_column(out.untyped(), first, rows)?;
                    }
                }
                for new in inserts.chunks(BATCH) {
                    copy.inserts(out.untyped(), new)?;
                }
                out.close()?;
            }
        }
        group.close()?;
        Ok(())
    }
}

/// A number that is not negative, as files count.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Returns the columns of the new file.
fn schema_of(table: &ParquetTable, write: &TableWrite<'_>, scales: &[u32]) -> Result<Type, ParquetError> {
    let scale_of = |column: usize| scales.get(column).copied().unwrap_or_default();
    let descriptor = table.reader.metadata().file_metadata().schema_descr();
    let mut fields = descriptor.root_schema().get_fields().to_vec();
    if table.is_open {
        for (at, column) in table.columns.iter().enumerate() {
            if let (Kind::Decimal(..), Some(field)) = (column.kind, fields.get_mut(at)) {
                *field = Arc::new(leaf(&column.name, ColumnType::Decimal, scale_of(at))?);
            }
        }
    }
    for edit in &write.columns {
        match edit {
            ColumnEdit::Add { name, kind } => {
                let scale = scale_of(fields.len());
                fields.push(Arc::new(leaf(name, *kind, scale)?));
            }
            ColumnEdit::Rename { column, name } => {
                if let Some(field) = fields.get_mut(*column) {
                    *field = Arc::new(renamed(field, name)?);
                }
            }
        }
    }
    Type::group_type_builder(descriptor.name()).with_fields(fields).build()
}

/// Returns by column how many digits behind the point the values have that are to be written into it.
fn scales_of(table: &ParquetTable, write: &TableWrite<'_>) -> Result<Vec<u32>, SourceError> {
    let added = write
        .columns
        .iter()
        .filter(|edit| matches!(edit, ColumnEdit::Add { .. }));
    let mut scales = vec![0; table.columns.len() + added.count()];
    for edit in write.rows.iter() {
        let (_, edit) = edit?;
        let (RowEdit::Insert { new } | RowEdit::Update { new, .. }) = &*edit else {
            continue;
        };
        for (scale, value) in scales.iter_mut().zip(new) {
            if let Cell::Decimal(text) = from_value(value.as_ref()) {
                let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                *scale = u32::try_from(digits).unwrap_or(PRECISION).min(PRECISION).max(*scale);
            }
        }
    }
    Ok(scales)
}

/// Copies one leaf.
struct Copy<'p> {
    plan: &'p Plan,
    column: usize,
    /// The definition level of a value of the leaf; 0 where there is one in each record.
    level: i16,
}

impl Copy<'_> {
    fn rows(
        &self,
        reader: &mut ColumnReader,
        writer: &mut ColumnWriter<'_>,
        first: u64,
        rows: u64,
    ) -> Result<(), ParquetError> {
        let mut row = first;
        while row < first + rows {
            let wanted = usize::try_from(first + rows - row).map_or(BATCH, |left| left.min(BATCH));
            let read = batch(reader, wanted)?;
            if read.records != wanted {
                return Err(refused("a column ends before the others"));
            }
            write_batch(writer, self.changed(read, row))?;
            row += wanted as u64;
        }
        Ok(())
    }

    /// Applies the changes of rows to what was read of them.
    fn changed(&self, read: Batch, first: u64) -> Batch {
        let end = first + read.records as u64;
        if self.plan.changes.range(first..end).next().is_none() {
            return read;
        }
        let is_nullable = self.level > 0;
        let mut values = read.values.into_iter();
        let mut out = Batch::default();
        let mut at = 0;
        for row in first..end {
            // A record goes to the next repetition level of zero.
            let mut levels = 1;
            while read.repetitions.get(at + levels).is_some_and(|level| *level > 0) {
                levels += 1;
            }
            let definitions = read.definitions.get(at..at + levels).unwrap_or_default();
            let repetitions = read.repetitions.get(at..at + levels).unwrap_or_default();
            at += levels;
            let here = if is_nullable {
                definitions.iter().filter(|level| **level == self.level).count()
            } else {
                1
            };
            let mut own: Vec<Stored> = values.by_ref().take(here).collect();
            let change = match self.plan.changes.get(&row) {
                Some(Change::Delete) => continue,
                Some(Change::Update(changed)) => changed.get(&self.column),
                None => None,
            };
            match change {
                None => {
                    out.definitions.extend_from_slice(definitions);
                    out.repetitions.extend_from_slice(repetitions);
                    out.values.append(&mut own);
                }
                Some(value) => {
                    if is_nullable {
                        out.definitions.push(if value.is_some() { self.level } else { 0 });
                    }
                    out.values.extend(value.clone());
                }
            }
            out.records += 1;
        }
        out
    }

    /// Writes a column that the old rows do not have.
    fn new_column(&self, writer: &mut ColumnWriter<'_>, first: u64, rows: u64) -> Result<(), ParquetError> {
        let mut out = Batch::default();
        for row in first..first + rows {
            let value = match self.plan.changes.get(&row) {
                Some(Change::Delete) => continue,
                Some(Change::Update(changed)) => changed.get(&self.column).cloned().flatten(),
                None => None,
            };
            out.definitions.push(if value.is_some() { self.level } else { 0 });
            out.values.extend(value);
            out.records += 1;
            if out.records == BATCH {
                write_batch(writer, std::mem::take(&mut out))?;
            }
        }
        write_batch(writer, out)
    }

    fn inserts(&self, writer: &mut ColumnWriter<'_>, rows: &[Vec<Option<Stored>>]) -> Result<(), ParquetError> {
        let mut out = Batch::default();
        for row in rows {
            let value = row.get(self.column).cloned().flatten();
            out.definitions.push(if value.is_some() { self.level } else { 0 });
            out.repetitions.push(0);
            out.values.extend(value);
            out.records += 1;
        }
        write_batch(writer, out)
    }
}

/// Writes records into a leaf.
fn write_batch(writer: &mut ColumnWriter<'_>, batch: Batch) -> Result<(), ParquetError> {
    if batch.records == 0 {
        return Ok(());
    }
    match writer {
        ColumnWriter::BoolColumnWriter(writer) => typed(writer, batch, |stored| match stored {
            Stored::Boolean(value) => Some(value),
            _ => None,
        }),
        ColumnWriter::Int32ColumnWriter(writer) => typed(writer, batch, |stored| match stored {
            Stored::Int32(value) => Some(value),
            _ => None,
        }),
        ColumnWriter::Int64ColumnWriter(writer) => typed(writer, batch, |stored| match stored {
            Stored::Int64(value) => Some(value),
            _ => None,
        }),
        ColumnWriter::Int96ColumnWriter(writer) => typed(writer, batch, |stored| match stored {
            Stored::Int96(value) => Some(value),
            _ => None,
        }),
        ColumnWriter::FloatColumnWriter(writer) => typed(writer, batch, |stored| match stored {
            Stored::Single(value) => Some(value),
            _ => None,
        }),
        ColumnWriter::DoubleColumnWriter(writer) => typed(writer, batch, |stored| match stored {
            Stored::Double(value) => Some(value),
            _ => None,
        }),
        ColumnWriter::ByteArrayColumnWriter(writer) => typed(writer, batch, |stored| match stored {
            Stored::Bytes(value) => Some(value),
            _ => None,
        }),
        ColumnWriter::FixedLenByteArrayColumnWriter(writer) => typed(writer, batch, |stored| match stored {
            Stored::Fixed(value) => Some(value),
            _ => None,
        }),
    }
}

fn typed<T: DataType>(
    writer: &mut ColumnWriterImpl<'_, T>,
    batch: Batch,
    value: impl Fn(Stored) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let values: Option<Vec<T::T>> = batch.values.into_iter().map(value).collect();
    let values = values.ok_or_else(|| refused("a value is of another type than its column"))?;
    let descriptor = writer.get_descriptor();
    let definitions = (descriptor.max_def_level() > 0).then_some(batch.definitions.as_slice());
    let repetitions = (descriptor.max_rep_level() > 0).then_some(batch.repetitions.as_slice());
    writer.write_batch(&values, definitions, repetitions)?;
    Ok(())
}
