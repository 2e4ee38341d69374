//! Records of rows as bytes: written straight from cells, compared without being decoded.

use super::{Cell, ColumnType, key};
use crate::model::{BlobRef, BlobShape, Value, cbor};

/// Where large values go: stores content and returns the reference that stands in the record.
pub type Large<'l, E> = dyn FnMut(&[u8], BlobShape) -> Result<BlobRef, E> + 'l;

/// Writes canonical records from cells that come in the order of a table's columns.
#[derive(Debug, Clone)]
pub struct RowEncoder {
    /// Per column of the table its type; `None` where the column is not taken in.
    kinds: Vec<Option<ColumnType>>,
    /// Columns of the table in the order of their ids in a record, with the bytes of the id.
    order: Vec<(usize, Vec<u8>)>,
    /// Columns of the table that make the key, in its order.
    key: Vec<usize>,
    /// From which length on text and bytes stand outside.
    inline_bytes: usize,
    /// Values of the present row.
    values: Vec<u8>,
    /// Where they lie, by column of the table.
    places: Vec<(usize, usize)>,
    /// The key of the present row, by place in the key.
    parts: Vec<Vec<u8>>,
}

impl RowEncoder {
    /// Makes an encoder for a table whose columns have these ids and types; `key` are places in `columns`.
    pub fn new(columns: &[Option<(String, ColumnType)>], key: &[usize], inline_bytes: usize) -> Self {
        let mut ids: Vec<(usize, &str)> = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            ids.extend(column.as_ref().map(|(id, _)| (at, id.as_str())));
        }
        // As canonical CBOR sorts text keys: the length stands in the head.
        ids.sort_by(|(_, left), (_, right)| (left.len(), left).cmp(&(right.len(), right)));
        let order = ids.into_iter().map(|(at, id)| {
            let mut bytes = Vec::new();
            cbor::text_into(id, &mut bytes);
            (at, bytes)
        });
        Self {
            kinds: columns
                .iter()
                .map(|column| column.as_ref().map(|(_, kind)| *kind))
                .collect(),
            order: order.collect(),
            key: key.to_vec(),
            inline_bytes,
            values: Vec::new(),
            places: vec![(0, 0); columns.len()],
            parts: vec![Vec::new(); key.len()],
        }
    }

    /// Begins a row.
    pub fn begin(&mut self) {
        self.values.clear();
        self.places.fill((0, 0));
        for part in &mut self.parts {
            part.clear();
        }
    }

    /// Takes the cell of a column.
    pub fn push<E>(&mut self, column: usize, cell: Cell<'_>, large: &mut Large<'_, E>) -> Result<(), E> {
        let Some(kind) = self.kinds.get(column).copied().flatten() else {
            return Ok(());
        };
        let cell = cell.typed(kind);
        if let Some(at) = self.key.iter().position(|key| *key == column)
            && let Some(part) = self.parts.get_mut(at)
        {
            key::push_part(&cell, part);
        }
        let start = self.values.len();
        match &cell {
            Cell::Null => return Ok(()),
            Cell::Text(text) if text.len() > self.inline_bytes => {
                let blob = large(text.as_bytes(), BlobShape::Text)?;
                cbor::encode_into(&Value::Blob(blob), &mut self.values);
            }
            Cell::Bytes(bytes) if bytes.len() > self.inline_bytes => {
                let blob = large(bytes, BlobShape::Bytes)?;
                cbor::encode_into(&Value::Blob(blob), &mut self.values);
            }
            Cell::Text(text) => cbor::text_into(text, &mut self.values),
            Cell::Bool(value) => self.values.push(if *value { 0xF5 } else { 0xF4 }),
            Cell::Integer(number) => cbor::integer_into(*number, &mut self.values),
            Cell::Float(number) => cbor::encode_float(*number, &mut self.values),
            Cell::Decimal(text) => {
                cbor::head(6, cbor::TAG_DECIMAL, &mut self.values);
                cbor::text_into(text, &mut self.values);
            }
            Cell::Bytes(bytes) => {
                cbor::head(2, bytes.len() as u64, &mut self.values);
                self.values.extend_from_slice(bytes);
            }
        }
        if let Some(place) = self.places.get_mut(column) {
            *place = (start, self.values.len());
        }
        Ok(())
    }

    /// Returns whether all key columns are null (or came with no cell).
    pub fn is_key_null(&self) -> bool {
        let mut null = Vec::new();
        key::push_part(&Cell::Null, &mut null);
        self.parts.iter().all(|part| part.is_empty() || *part == null)
    }

    /// Appends the row's key, for tables that have key columns.
    pub fn key_into(&self, out: &mut Vec<u8>) {
        for part in &self.parts {
            if part.is_empty() {
                key::push_part(&Cell::Null, out);
            }
            out.extend_from_slice(part);
        }
        key::bound(out);
    }

    /// Appends the row's record.
    pub fn record_into(&self, out: &mut Vec<u8>) {
        let is_there = |column: usize| self.places.get(column).is_some_and(|(start, end)| start < end);
        let count = self.order.iter().filter(|(column, _)| is_there(*column)).count();
        cbor::head(5, count as u64, out);
        for (column, id) in &self.order {
            let (start, end) = self.places.get(*column).copied().unwrap_or_default();
            if start < end {
                out.extend_from_slice(id);
                out.extend_from_slice(self.values.get(start..end).unwrap_or_default());
            }
        }
    }
}

/// Splits a record's bytes into ids and encoded values; `None` when they are no record of a row.
pub fn columns_of(record: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let (major, count, mut rest) = split_head(record)?;
    if major != 5 || count > record.len() as u64 {
        return None;
    }
    let mut columns = Vec::with_capacity(usize::try_from(count).ok()?);
    for _ in 0..count {
        let (3, length, after) = split_head(rest)? else {
            return None;
        };
        let (id, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
        let end = after.len() - skip(after, 0)?.len();
        let (value, after) = after.split_at_checked(end)?;
        columns.push((std::str::from_utf8(id).ok()?, value));
        rest = after;
    }
    rest.is_empty().then_some(columns)
}

/// Returns a record's bytes without the columns that `is_shown` refuses.
pub fn project(record: &[u8], is_shown: &dyn Fn(&str) -> bool) -> Option<Vec<u8>> {
    let mut columns = columns_of(record)?;
    columns.retain(|(id, _)| is_shown(id));
    let mut out = Vec::with_capacity(record.len());
    cbor::head(5, columns.len() as u64, &mut out);
    for (id, value) in columns {
        cbor::text_into(id, &mut out);
        out.extend_from_slice(value);
    }
    Some(out)
}

/// Reads a head: major type, argument and what follows.
fn split_head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let wide = |count: usize| -> Option<(u64, &[u8])> {
        let (digits, rest) = rest.split_at_checked(count)?;
        Some((digits.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), rest))
    };
    let (argument, rest) = match first & 31 {
        small @ 0..=23 => (u64::from(small), rest),
        24 => wide(1)?,
        25 => wide(2)?,
        26 => wide(4)?,
        27 => wide(8)?,
        _ => return None,
    };
    Some((first >> 5, argument, rest))
}

/// The deepest nesting that is stepped over (a row's values are leaves or blob references).
const MAX_DEPTH: usize = 64;

/// Steps over one value.
fn skip(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let (major, argument, rest) = split_head(bytes)?;
    if depth > MAX_DEPTH {
        return None;
    }
    let items = match major {
        2 | 3 => return rest.get(usize::try_from(argument).ok()?..),
        4 => argument,
        5 => argument.checked_mul(2)?,
        6 => 1,
        _ => 0,
    };
    let mut rest = rest;
    for _ in 0..items {
        rest = skip(rest, depth + 1)?;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::super::to_value;
    use super::*;
    use crate::model::{Hash, Map};

    fn cells() -> impl Strategy<Value = Cell<'static>> {
        prop_oneof![
            Just(Cell::Null),
            any::<bool>().prop_map(Cell::Bool),
            any::<i64>().prop_map(Cell::Integer),
            any::<i32>().prop_map(|number| Cell::Float(f64::from(number) / 8.0)),
            ".{0,12}".prop_map(|text| Cell::Text(text.into())),
            "-?[1-9][0-9]{0,4}(\\.[0-9]{1,3})?".prop_map(|text| Cell::Text(text.into())),
            proptest::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| Cell::Bytes(bytes.into())),
        ]
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is what the encoder takes")]
    fn large(content: &[u8], shape: BlobShape) -> Result<BlobRef, Infallible> {
        Ok(BlobRef {
            hash: Hash::from_bytes([7; 32]),
            length_bytes: content.len() as u64,
            shape,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_the_canonical_record(
            row in proptest::collection::btree_map("[a-c]{1,3}|é", (cells(), 0usize..10), 0..6),
        ) {
            let columns: Vec<_> = row
                .iter()
                .rev()
                .map(|(id, (_, kind))| Some((id.clone(), ColumnType::ALL[*kind])))
                .collect();
            let mut encoder = RowEncoder::new(&columns, &[], 10);
            let mut wanted = Map::new();
            for _ in 0..2 {
                encoder.begin();
                for (at, (id, (cell, kind))) in row.iter().rev().enumerate() {
                    encoder.push(at, cell.clone(), &mut large).unwrap();
                    let mut value = to_value(cell.clone().typed(ColumnType::ALL[*kind]));
                    if let Some(Value::Text(text)) = &value && text.len() > 10 {
                        value = Some(Value::Blob(large(text.as_bytes(), BlobShape::Text).unwrap()));
                    } else if let Some(Value::Bytes(bytes)) = &value && bytes.len() > 10 {
                        value = Some(Value::Blob(large(bytes, BlobShape::Bytes).unwrap()));
                    }
                    if let Some(value) = value {
                        wanted.insert(id.as_str(), value);
                    }
                }
            }
            let mut record = Vec::new();
            encoder.record_into(&mut record);
            prop_assert_eq!(cbor::decode(&record), Ok(Value::Map(wanted.clone())));
            let split = columns_of(&record).unwrap();
            prop_assert_eq!(split.len(), wanted.len());
            for (id, bytes) in split {
                prop_assert_eq!(&cbor::decode(bytes).unwrap(), wanted.get(id).unwrap());
            }
            prop_assert_eq!(project(&record, &|_| true), Some(record.clone()));
            let without = project(&record, &|id| id.len() > 1).unwrap();
            prop_assert!(cbor::decode(&without).is_ok());
        }

        #[test]
        fn any_bytes_are_split_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _split = columns_of(&bytes);
        }
    }

    #[test]
    fn keys_are_in_the_order_of_the_key() {
        let column = |id: &str| Some((id.to_owned(), ColumnType::Integer));
        let mut encoder = RowEncoder::new(&[column("b"), None, column("a")], &[2, 0], 512);
        encoder.begin();
        assert!(encoder.is_key_null());
        encoder.push(0, Cell::Text("1".into()), &mut large).unwrap();
        encoder.push(1, Cell::Text("no".into()), &mut large).unwrap();
        encoder.push(2, Cell::Text("2".into()), &mut large).unwrap();
        let mut key = Vec::new();
        encoder.key_into(&mut key);
        assert_eq!(key, [0x31, 2, 0x31, 1]);
        assert!(!encoder.is_key_null());
    }
}
