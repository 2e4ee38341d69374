//! The bytes of one block of transactions.

use std::collections::BTreeMap;

use super::bytes::{Reader, put_bytes, put_number};
use super::change::{MAX_PART_BYTES, check_form};
use super::{DeltaError, FieldOperation, Operation, Transaction};
use crate::model::{FieldPath, RecordKey, Value, cbor};

/// A block closes at this many transactions (chosen: bounds what a reader holds).
pub(super) const MAX_TRANSACTIONS: usize = 64 * 1024;
/// A block closes when its bytes before compression reach this.
pub(super) const CLOSE_BYTES: usize = 1 << 20;
/// The largest block that is read, before compression (chosen: one record of a block may be large).
pub(super) const MAX_BYTES: usize = 64 << 20;
/// Level of compression: twice as fast as the next one for 3 % more bytes.
const ZSTD_LEVEL: i32 = 3;
/// How many bytes of paths the changes of one block name together, at most: a path stands once in its table but is
/// copied wherever it is named, so a small block could fill the memory.
const MAX_NAMED_BYTES: usize = 64 << 20;
/// A block closes when its changes name this many bytes of paths.
const CLOSE_NAMED_BYTES: usize = 16 << 20;

/// First byte of an object: a block as it is.
pub(super) const TAG_PLAIN: u8 = 1;
/// First byte of an object: a block compressed with zstd, after its length.
pub(super) const TAG_ZSTD: u8 = 2;
/// First byte of an object: the list of the blocks of a large set.
pub(super) const TAG_INDEX: u8 = 3;
/// First byte of an object: the tree whose every record the set adds.
pub(super) const TAG_TREE: u8 = 4;

const OPERATION_ADD: u8 = 0;
const OPERATION_CHANGE: u8 = 1;
const OPERATION_REMOVE: u8 = 2;
const OPERATION_ALIAS: u8 = 3;
const OPERATION_RENAME: u8 = 4;
// 5 is reserved for another folder or mailbox ("move").
/// Bit of the operation byte of a forced transaction.
const FORCED: u8 = 0x80;

const OBJECT: &str = "difference set";

/// Collects the transactions of one block.
#[derive(Default)]
pub(super) struct BlockWriter {
    paths: BTreeMap<FieldPath, usize>,
    path_bytes: Vec<u8>,
    body: Vec<u8>,
    named_bytes: usize,
    count: usize,
    first: Option<RecordKey>,
    /// The key before; empty before the first.
    last: Vec<u8>,
}

impl BlockWriter {
    pub(super) fn is_full(&self) -> bool {
        self.count >= MAX_TRANSACTIONS
            || self.body.len() + self.path_bytes.len() >= CLOSE_BYTES
            || self.named_bytes >= CLOSE_NAMED_BYTES
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) const fn first(&self) -> Option<&RecordKey> {
        self.first.as_ref()
    }

    pub(super) fn push(&mut self, transaction: &Transaction) {
        self.key(transaction.key.bytes());
        let forced = if transaction.forced { FORCED } else { 0 };
        match &transaction.operation {
            Operation::Add(record) => {
                self.body.push(OPERATION_ADD | forced);
                cbor::encode_into(record, &mut self.body);
            }
            Operation::Change(operations) => {
                self.body.push(OPERATION_CHANGE | forced);
                self.fields(operations);
            }
            Operation::Remove => self.body.push(OPERATION_REMOVE | forced),
            Operation::Alias(to) => {
                self.body.push(OPERATION_ALIAS | forced);
                put_bytes(to.bytes(), &mut self.body);
            }
            Operation::Rename { from, changes } => {
                self.body.push(OPERATION_RENAME | forced);
                put_bytes(from.bytes(), &mut self.body);
                self.fields(changes);
            }
        }
    }

    fn fields(&mut self, operations: &[FieldOperation]) {
        put_number(operations.len() as u64, &mut self.body);
        for operation in operations {
            let path = self.path(operation.path()) as u64;
            self.named_bytes += named_bytes(operation.path());
            match operation {
                FieldOperation::Set(_, value) => {
                    put_number(path << 1, &mut self.body);
                    cbor::encode_into(value, &mut self.body);
                }
                FieldOperation::Clear(_) => put_number(path << 1 | 1, &mut self.body),
            }
        }
    }

    /// Appends the addition of a record that is given by its canonical bytes.
    pub(super) fn push_addition(&mut self, key: &[u8], record: &[u8]) {
        self.key(key);
        self.body.push(OPERATION_ADD);
        self.body.extend_from_slice(record);
    }

    fn key(&mut self, key: &[u8]) {
        let shared = self
            .last
            .iter()
            .zip(key)
            .take_while(|(left, right)| left == right)
            .count();
        put_number(shared as u64, &mut self.body);
        put_bytes(key.get(shared..).unwrap_or_default(), &mut self.body);
        if self.count == 0 {
            self.first = RecordKey::new(key);
        }
        self.count += 1;
        self.last.clear();
        self.last.extend_from_slice(key);
    }

    /// Returns the number of a path in this block's table.
    fn path(&mut self, path: &FieldPath) -> usize {
        if let Some(number) = self.paths.get(path) {
            return *number;
        }
        let number = self.paths.len();
        put_number(path.parts().len() as u64, &mut self.path_bytes);
        for part in path.parts() {
            put_bytes(part.as_bytes(), &mut self.path_bytes);
        }
        self.paths.insert(path.clone(), number);
        number
    }

    /// Returns the object's bytes: compressed where that is smaller.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut plain = vec![TAG_PLAIN];
        put_number(self.paths.len() as u64, &mut plain);
        plain.extend_from_slice(&self.path_bytes);
        put_number(self.count as u64, &mut plain);
        plain.extend_from_slice(&self.body);
        let body = plain.get(1..).unwrap_or_default();
        if let Ok(packed) = zstd::bulk::compress(body, ZSTD_LEVEL) {
            let mut out = vec![TAG_ZSTD];
            put_number(body.len() as u64, &mut out);
            out.extend_from_slice(&packed);
            if out.len() < plain.len() {
                return out;
            }
        }
        plain
    }
}

/// Returns what naming a path costs a reader, in bytes.
fn named_bytes(path: &FieldPath) -> usize {
    let parts = path.parts();
    parts.iter().map(|part| part.len() + size_of::<String>()).sum()
}

/// Decodes a block's object.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Transaction>, DeltaError> {
    let mut reader = Reader::new(bytes, OBJECT);
    match reader.byte()? {
        TAG_PLAIN if bytes.len() <= MAX_BYTES => decode_body(reader.rest()),
        TAG_ZSTD => {
            let length = reader.limited(MAX_BYTES, "a block is too large")?;
            let body = zstd::bulk::decompress(reader.rest(), length)
                .map_err(|_| reader.error("a block does not decompress"))?;
            if body.len() != length {
                return Err(reader.error("a block has another length"));
            }
            decode_body(&body)
        }
        _ => Err(reader.error("unknown form of a block")),
    }
}

fn decode_body(bytes: &[u8]) -> Result<Vec<Transaction>, DeltaError> {
    let mut reader = Reader::new(bytes, OBJECT);
    // Everything that is counted needs a byte, so the length bounds the allocations.
    let path_count = reader.limited(bytes.len(), "too many paths")?;
    let paths: Vec<FieldPath> = (0..path_count)
        .map(|_| decode_path(&mut reader))
        .collect::<Result<_, _>>()?;
    let count = reader.limited(MAX_TRANSACTIONS, "too many transactions")?;
    if count > bytes.len() {
        return Err(reader.error("the bytes end early"));
    }
    let mut paths = Paths {
        paths,
        left_bytes: MAX_NAMED_BYTES,
    };
    let mut transactions: Vec<Transaction> = Vec::new();
    for _ in 0..count {
        let before = transactions.last().map(|transaction| &transaction.key);
        let transaction = decode_transaction(&mut reader, before, &mut paths)?;
        transactions.push(transaction);
    }
    reader.end()?;
    Ok(transactions)
}

/// The paths of a block while it is read.
struct Paths {
    paths: Vec<FieldPath>,
    /// How many bytes may still be named.
    left_bytes: usize,
}

impl Paths {
    fn name(&mut self, number: u64) -> Option<FieldPath> {
        let path = self.paths.get(usize::try_from(number).ok()?)?;
        self.left_bytes = self.left_bytes.checked_sub(named_bytes(path))?;
        Some(path.clone())
    }
}

fn decode_path(reader: &mut Reader<'_>) -> Result<FieldPath, DeltaError> {
    let parts = reader.limited(FieldPath::MAX_DEPTH, "a path is too deep")?;
    (0..parts)
        .map(|_| reader.text(MAX_PART_BYTES, "a path is too long"))
        .collect::<Result<Vec<_>, _>>()
        .map(FieldPath::new)
}

fn decode_transaction(
    reader: &mut Reader<'_>,
    before: Option<&RecordKey>,
    paths: &mut Paths,
) -> Result<Transaction, DeltaError> {
    let before_bytes = before.map_or(&[][..], RecordKey::bytes);
    let shared = reader.limited(before_bytes.len(), "a key shares more than there is")?;
    let mut key = before_bytes.get(..shared).unwrap_or_default().to_vec();
    key.extend_from_slice(reader.bytes(RecordKey::MAX_BYTES, "a key is too long")?);
    let key = RecordKey::new(key).ok_or_else(|| reader.error("a key has an impossible length"))?;
    if before.is_some_and(|before| *before >= key) {
        return Err(DeltaError::Unsorted(key));
    }
    let tag = reader.byte()?;
    let operation = match tag & !FORCED {
        OPERATION_ADD => Operation::Add(decode_value(reader)?),
        OPERATION_CHANGE => Operation::Change(decode_fields(reader, paths)?),
        OPERATION_REMOVE => Operation::Remove,
        OPERATION_ALIAS => Operation::Alias(decode_key(reader)?),
        OPERATION_RENAME => Operation::Rename {
            from: decode_key(reader)?,
            changes: decode_fields(reader, paths)?,
        },
        _ => return Err(reader.error("unknown operation")),
    };
    if let Err(source) = check_form(&operation) {
        return Err(DeltaError::Change { key, source });
    }
    Ok(Transaction {
        key,
        operation,
        forced: tag & FORCED != 0,
    })
}

fn decode_key(reader: &mut Reader<'_>) -> Result<RecordKey, DeltaError> {
    let key = reader.bytes(RecordKey::MAX_BYTES, "a key is too long")?;
    RecordKey::new(key).ok_or_else(|| reader.error("a key has an impossible length"))
}

fn decode_fields(reader: &mut Reader<'_>, paths: &mut Paths) -> Result<Vec<FieldOperation>, DeltaError> {
    let count = reader.limited(reader.rest().len(), "too many fields")?;
    (0..count).map(|_| decode_field(reader, paths)).collect()
}

fn decode_field(reader: &mut Reader<'_>, paths: &mut Paths) -> Result<FieldOperation, DeltaError> {
    let number = reader.number()?;
    let path = paths
        .name(number >> 1)
        .ok_or_else(|| reader.error("a path is not in the table, or paths are named too often"))?;
    if number & 1 == 1 {
        Ok(FieldOperation::Clear(path))
    } else {
        decode_value(reader).map(|value| FieldOperation::Set(path, value))
    }
}

fn decode_value(reader: &mut Reader<'_>) -> Result<Value, DeltaError> {
    let (value, length) = cbor::decode_prefix(reader.rest()).map_err(|_| reader.error("a value is not canonical"))?;
    reader.take(length)?;
    Ok(value)
}
