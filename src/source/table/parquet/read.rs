//! Reading rows: columns are decoded side by side, some rows at a time.

use std::path::Path;

use bytes::Bytes;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;
use serde_json::Value as Json;

use super::value::{Kind, Stored};
use super::{Column, guarded, push_cell, refused, time};
use crate::model::row::Cell;
use crate::source::SourceError;

/// How many rows are decoded at once (chosen).
pub(super) const BATCH: usize = 1024;

/// What is read of a leaf at once.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: usize,
    pub(super) values: Vec<Stored>,
    /// Empty where there is a value in each record.
    pub(super) definitions: Vec<i16>,
    /// Empty where there is one level for each record.
    pub(super) repetitions: Vec<i16>,
}

/// Reads up to `count` records of a leaf.
pub(super) fn batch(reader: &mut ColumnReader, count: usize) -> Result<Batch, ParquetError> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => typed(reader, count, Stored::Boolean),
        ColumnReader::Int32ColumnReader(reader) => typed(reader, count, Stored::Int32),
        ColumnReader::Int64ColumnReader(reader) => typed(reader, count, Stored::Int64),
        ColumnReader::Int96ColumnReader(reader) => typed(reader, count, Stored::Int96),
        ColumnReader::FloatColumnReader(reader) => typed(reader, count, Stored::Single),
        ColumnReader::DoubleColumnReader(reader) => typed(reader, count, Stored::Double),
        ColumnReader::ByteArrayColumnReader(reader) => typed(reader, count, Stored::Bytes),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => typed(reader, count, Stored::Fixed),
    }
}

fn typed<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    stored: impl Fn(T::T) -> Stored,
) -> Result<Batch, ParquetError> {
    let mut batch = Batch::default();
    let mut values = Vec::new();
    let (records, ..) = reader.read_records(
        count,
        Some(&mut batch.definitions),
        Some(&mut batch.repetitions),
        &mut values,
    )?;
    batch.records = records;
    batch.values = values.into_iter().map(stored).collect();
    Ok(batch)
}

/// A column that is being read.
enum Reading<'r> {
    Flat(Box<ColumnReader>, Kind, i16),
    Nested(RowIter<'r>),
}

/// Calls `each` with the raw rows of a file.
pub(super) fn rows(
    path: &Path,
    file: &SerializedFileReader<Bytes>,
    columns: &[Column],
    each: &mut dyn FnMut(&[u8]) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    for number in 0..file.num_row_groups() {
        let group = guarded(path, || file.get_row_group(number))?;
        let mut readings: Vec<Reading<'_>> = guarded(path, || {
            columns.iter().map(|column| reading(file, &*group, column)).collect()
        })?;
        let mut left = u64::try_from(group.metadata().num_rows()).unwrap_or_default();
        while left > 0 {
            let count = usize::try_from(left).map_or(BATCH, |left| left.min(BATCH));
            let rows = guarded(path, || some(&mut readings, count))?;
            for row in &rows {
                each(row)?;
            }
            left -= count as u64;
        }
    }
    Ok(())
}

fn reading<'r>(
    file: &SerializedFileReader<Bytes>,
    group: &'r dyn RowGroupReader,
    column: &Column,
) -> Result<Reading<'r>, ParquetError> {
    if column.kind != Kind::Nested {
        let reader = group.get_column_reader(column.leaf)?;
        return Ok(Reading::Flat(Box::new(reader), column.kind, column.level));
    }
    let schema = file.metadata().file_metadata().schema_descr();
    let projection = Type::group_type_builder(schema.name())
        .with_fields(vec![schema.get_column_root_ptr(column.leaf)])
        .build()?;
    Ok(Reading::Nested(RowIter::from_row_group(Some(projection), group)?))
}

/// Reads `count` rows.
fn some(readings: &mut [Reading<'_>], count: usize) -> Result<Vec<Vec<u8>>, ParquetError> {
    let mut rows: Vec<Vec<u8>> = vec![Vec::new(); count];
    // Nulls at the end are left out, so that a new column changes no row.
    let mut ends: Vec<usize> = vec![0; count];
    for reading in readings {
        match reading {
            Reading::Flat(reader, kind, level) => {
                let batch = batch(reader, count)?;
                if batch.records != count {
                    return Err(refused("a column ends before the others"));
                }
                let mut values = batch.values.iter();
                for (at, (row, end)) in rows.iter_mut().zip(&mut ends).enumerate() {
                    if *level > 0 && batch.definitions.get(at) != Some(&*level) {
                        push_cell(Ok(Cell::Null), row);
                        continue;
                    }
                    let value = values.next().ok_or_else(|| refused("a column has too few values"))?;
                    push_cell(kind.cell(value), row);
                    *end = row.len();
                }
            }
            Reading::Nested(iter) => {
                for (row, end) in rows.iter_mut().zip(&mut ends) {
                    let record = iter
                        .next()
                        .ok_or_else(|| refused("a column ends before the others"))??;
                    let field = record.get_column_iter().next().map_or(&Field::Null, |(_, field)| field);
                    if matches!(field, Field::Null) {
                        push_cell(Ok(Cell::Null), row);
                        continue;
                    }
                    push_cell(Ok(Cell::Text(json(field).to_string().into())), row);
                    *end = row.len();
                }
            }
        }
    }
    for (row, end) in rows.iter_mut().zip(ends) {
        row.truncate(end);
    }
    Ok(rows)
}

/// Returns what a field is in JSON; numbers that JSON's readers would round are texts.
fn json(field: &Field) -> Json {
    let number = |number: f64| serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number);
    let text = |cell: Result<Cell<'_>, &'static str>| {
        let cell = cell.ok();
        cell.and_then(|cell| cell.text().map(|text| Json::String(text.into_owned())))
            .unwrap_or(Json::Null)
    };
    match field {
        Field::Null => Json::Null,
        Field::Bool(value) => (*value).into(),
        Field::Byte(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::Int(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ULong(value) => (*value).into(),
        Field::Float16(value) => number(value.to_f64()),
        Field::Float(value) => number(value.to_string().parse().unwrap_or(f64::NAN)),
        Field::Double(value) => number(*value),
        Field::Decimal(value) => {
            let bytes = Stored::Bytes(value.data().to_vec().into());
            let scale = u32::try_from(value.scale()).unwrap_or_default();
            let cell = Kind::Decimal(u32::MAX, scale).cell(&bytes);
            text(cell)
        }
        Field::Str(value) => value.as_str().into(),
        Field::Bytes(value) => data_encoding::HEXLOWER.encode(value.data()).into(),
        Field::Date(days) => time::date(i64::from(*days)).into(),
        Field::TimeMillis(count) => time::clock(i64::from(*count), 3).map_or(Json::Null, Json::String),
        Field::TimeMicros(count) => time::clock(*count, 6).map_or(Json::Null, Json::String),
        Field::TimestampMillis(count) => time::timestamp(i128::from(*count), 3, true).into(),
        Field::TimestampMicros(count) => time::timestamp(i128::from(*count), 6, true).into(),
        Field::Group(row) => {
            let members = row.get_column_iter().map(|(name, field)| (name.clone(), json(field)));
            Json::Object(members.collect())
        }
        Field::ListInternal(list) => list.elements().iter().map(json).collect(),
        Field::MapInternal(map) => map
            .entries()
            .iter()
            .map(|(key, value)| Json::Array(vec![json(key), json(value)]))
            .collect(),
    }
}
