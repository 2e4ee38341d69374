//! Stored difference sets.

use std::cell::RefCell;
use std::rc::Rc;

use super::block::{self, BlockWriter};
use super::bytes::{Reader, put_bytes, put_number};
use super::{Counts, DeltaError, Entry, Operation, Transaction};
use crate::model::{BlobRef, Domain, Hash, RecordKey, Value};
use crate::port::{Objects, blob};
use crate::tree;

const OBJECT: &str = "difference set";

/// One block of a large set.
#[derive(Debug, Clone)]
struct Block {
    first: RecordKey,
    count: u64,
    id: Hash,
}

/// Where a set that is being written stands with respect to the state it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// It is written out.
    Something,
    /// It makes a state out of nothing, and is small so far.
    Nothing,
    /// It makes a state out of nothing and is that state: transactions are only counted.
    Whole,
}

/// Writes a difference set while its transactions are produced; holds one block at a time.
pub struct DeltaWriter<'a> {
    objects: &'a dyn Objects,
    block: BlockWriter,
    blocks: Vec<Block>,
    counts: Counts,
    /// The key before; empty before the first.
    last: Vec<u8>,
    ground: Ground,
}

impl<'a> DeltaWriter<'a> {
    /// Begins an empty set.
    pub fn new(objects: &'a dyn Objects) -> Self {
        Self {
            objects,
            block: BlockWriter::default(),
            blocks: Vec::new(),
            counts: Counts::default(),
            last: Vec::new(),
            ground: Ground::Something,
        }
    }

    /// Begins a set that makes a state out of nothing, so that all it can hold are additions. Where it is large, it is
    /// stored as the tree of that state, which is there anyway.
    pub fn on_nothing(objects: &'a dyn Objects) -> Self {
        Self {
            ground: Ground::Nothing,
            ..Self::new(objects)
        }
    }

    /// Has all transactions written out, because some are no part of the tree that the set leads to.
    pub(crate) fn write_out(&mut self) -> Result<(), DeltaError> {
        if self.ground == Ground::Whole {
            return Err(DeltaError::malformed(OBJECT, "it holds more than its tree"));
        }
        self.ground = Ground::Something;
        Ok(())
    }

    /// Appends a transaction; its key must be greater than all before.
    pub fn push(&mut self, transaction: &Transaction) -> Result<(), DeltaError> {
        if *self.last >= *transaction.key.bytes() {
            return Err(DeltaError::Unsorted(transaction.key.clone()));
        }
        super::change::check_form(&transaction.operation).map_err(|source| DeltaError::Change {
            key: transaction.key.clone(),
            source,
        })?;
        let is_plain = matches!(transaction.operation, Operation::Add(_)) && !transaction.forced;
        if self.ground != Ground::Something && !is_plain {
            return Err(DeltaError::malformed(OBJECT, "nothing can only be added to"));
        }
        if self.has_room()? {
            self.block.push(transaction);
        }
        self.counts.count(&transaction.operation);
        self.last.clear();
        self.last.extend_from_slice(transaction.key.bytes());
        Ok(())
    }

    /// Appends the addition of a record given by its canonical bytes, which the caller vouches for: a map without empty
    /// maps in it. Its key, which is 1 to 1024 bytes long, must be greater than all before.
    pub fn push_addition(&mut self, key: &[u8], record: &[u8]) -> Result<(), DeltaError> {
        if *self.last >= *key {
            let key = RecordKey::new(key).ok_or(DeltaError::malformed(OBJECT, "a key has an impossible length"))?;
            return Err(DeltaError::Unsorted(key));
        }
        if self.has_room()? {
            self.block.push_addition(key, record);
        }
        self.counts.added += 1;
        self.last.clear();
        self.last.extend_from_slice(key);
        Ok(())
    }

    /// Makes room in the block; returns `false` when transactions are not written out any more.
    fn has_room(&mut self) -> Result<bool, DeltaError> {
        if self.block.is_full() {
            if self.ground == Ground::Something {
                self.close()?;
            } else {
                self.block = BlockWriter::default();
                self.ground = Ground::Whole;
            }
        }
        Ok(self.ground != Ground::Whole)
    }

    fn close(&mut self) -> Result<Hash, DeltaError> {
        let block = std::mem::take(&mut self.block);
        let count = block.count() as u64;
        let first = block.first().cloned();
        let id = self.objects.put(Domain::Delta, &block.finish())?;
        if let Some(first) = first {
            self.blocks.push(Block { first, count, id });
        }
        Ok(id)
    }

    /// Stores what is left and returns the set's address. `content` is the tree that the set leads to.
    pub fn finish(mut self, content: &Hash) -> Result<(Hash, Counts), DeltaError> {
        if self.ground == Ground::Whole {
            let bytes = [&[block::TAG_TREE][..], content.bytes()].concat();
            return Ok((self.objects.put(Domain::Delta, &bytes)?, self.counts));
        }
        if self.blocks.is_empty() || self.block.count() > 0 {
            let id = self.close()?;
            if self.blocks.len() <= 1 {
                return Ok((id, self.counts));
            }
        }
        let mut bytes = vec![block::TAG_INDEX];
        put_number(self.blocks.len() as u64, &mut bytes);
        for block in &self.blocks {
            put_bytes(block.first.bytes(), &mut bytes);
            put_number(block.count, &mut bytes);
            bytes.extend_from_slice(block.id.bytes());
        }
        Ok((self.objects.put(Domain::Delta, &bytes)?, self.counts))
    }
}

/// A stored difference set, opened for reading.
pub struct Delta<'a> {
    objects: &'a dyn Objects,
    id: Hash,
    form: Form,
}

/// How a set is stored.
enum Form {
    /// In blocks, in key order; a small set is its only block.
    Blocks {
        blocks: Vec<Block>,
        is_index: bool,
        /// The block read last, with its position.
        loaded: RefCell<Option<(usize, Rc<[Transaction]>)>>,
    },
    /// As the tree whose every record it adds.
    Tree { root: Hash, records: u64 },
}

/// Looks up the transactions of many keys; in ascending order each block or node is read once.
pub struct DeltaFinder<'d, 'a> {
    delta: &'d Delta<'a>,
    /// The records, where they are stored as a tree.
    records: Option<tree::Finder<'a>>,
}

impl DeltaFinder<'_, '_> {
    /// Returns the transaction of `key`.
    pub fn find(&mut self, key: &RecordKey) -> Result<Option<Transaction>, DeltaError> {
        match &mut self.records {
            None => self.delta.get(key),
            Some(records) => {
                let value = records.find(key.bytes())?;
                value.map(|value| addition(key.bytes(), value)).transpose()
            }
        }
    }
}

/// Returns the addition of a record as it stands in the tree of a set.
fn addition(key: &[u8], value: &[u8]) -> Result<Transaction, DeltaError> {
    let key = RecordKey::new(key).ok_or(DeltaError::malformed(OBJECT, "a key has an impossible length"))?;
    let Entry::Record(record) = Entry::decode(value)? else {
        return Err(DeltaError::malformed(OBJECT, "an alias is no addition"));
    };
    let operation = Operation::Add(record);
    match super::change::check_form(&operation) {
        Ok(()) => Ok(Transaction::new(key, operation)),
        Err(source) => Err(DeltaError::Change { key, source }),
    }
}

impl<'a> Delta<'a> {
    /// Stores transactions in order of keys and returns the set's address.
    pub fn write<E: From<DeltaError>>(
        objects: &dyn Objects,
        transactions: impl IntoIterator<Item = Result<Transaction, E>>,
    ) -> Result<(Hash, Counts), E> {
        let mut writer = DeltaWriter::new(objects);
        for transaction in transactions {
            writer.push(&transaction?)?;
        }
        Ok(writer.finish(&tree::empty_root())?)
    }

    /// Opens the set at `id`.
    pub fn open(objects: &'a dyn Objects, id: &Hash) -> Result<Self, DeltaError> {
        let bytes = objects.get(id)?;
        let form = match bytes.first() {
            Some(&block::TAG_TREE) => {
                let mut reader = Reader::new(bytes.get(1..).unwrap_or_default(), OBJECT);
                let root = Hash::from_bytes(reader.array()?);
                reader.end()?;
                let records = tree::count(objects, &root)?;
                Form::Tree { root, records }
            }
            Some(&block::TAG_INDEX) => Form::Blocks {
                blocks: decode_index(&bytes)?,
                is_index: true,
                loaded: RefCell::new(None),
            },
            _ => {
                let transactions = block::decode(&bytes)?;
                let only = transactions.first().map(|transaction| Block {
                    first: transaction.key.clone(),
                    count: transactions.len() as u64,
                    id: *id,
                });
                Form::Blocks {
                    blocks: only.into_iter().collect(),
                    is_index: false,
                    loaded: RefCell::new(Some((0, Rc::from(transactions)))),
                }
            }
        };
        Ok(Self { objects, id: *id, form })
    }

    /// Returns the number of transactions.
    pub fn len(&self) -> u64 {
        match &self.form {
            Form::Blocks { blocks, .. } => blocks.iter().fold(0, |sum, block| sum.saturating_add(block.count)),
            Form::Tree { records, .. } => *records,
        }
    }

    /// Returns whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn block(&self, number: usize) -> Result<Rc<[Transaction]>, DeltaError> {
        let malformed = |what| DeltaError::malformed(OBJECT, what);
        let Form::Blocks { blocks, loaded, .. } = &self.form else {
            return Err(malformed("no such block"));
        };
        if let Some((at, transactions)) = &*loaded.borrow()
            && *at == number
        {
            return Ok(Rc::clone(transactions));
        }
        let block = blocks.get(number).ok_or(malformed("no such block"))?;
        let transactions: Rc<[Transaction]> = block::decode(&self.objects.get(&block.id)?)?.into();
        let next = blocks.get(number + 1).map(|next| &next.first);
        let fits = transactions.first().map(|first| &first.key) == Some(&block.first)
            && transactions.len() as u64 == block.count
            && transactions
                .last()
                .zip(next)
                .is_none_or(|(last, next)| last.key < *next);
        if !fits {
            return Err(malformed("a block is not what the index says"));
        }
        *loaded.borrow_mut() = Some((number, Rc::clone(&transactions)));
        Ok(transactions)
    }

    /// Returns the transaction of `key`; reads one block at most.
    pub fn get(&self, key: &RecordKey) -> Result<Option<Transaction>, DeltaError> {
        let blocks = match &self.form {
            Form::Blocks { blocks, .. } => blocks,
            Form::Tree { root, .. } => {
                let value = tree::get(self.objects, root, key.bytes())?;
                return value.map(|value| addition(key.bytes(), &value)).transpose();
            }
        };
        let Some(number) = blocks.partition_point(|block| block.first <= *key).checked_sub(1) else {
            return Ok(None);
        };
        let block = self.block(number)?;
        let position = block.binary_search_by(|transaction| transaction.key.cmp(key));
        Ok(position.ok().and_then(|position| block.get(position)).cloned())
    }

    /// Begins to look up the transactions of several keys.
    pub fn finder(&self) -> DeltaFinder<'_, 'a> {
        let records = match &self.form {
            Form::Blocks { .. } => None,
            Form::Tree { root, .. } => Some(tree::Finder::new(self.objects, root)),
        };
        DeltaFinder { delta: self, records }
    }

    /// Returns the transactions in order of keys.
    pub fn iter(&self) -> impl Iterator<Item = Result<Transaction, DeltaError>> + '_ {
        let (count, root) = match &self.form {
            Form::Blocks { blocks, .. } => (blocks.len(), None),
            Form::Tree { root, .. } => (0, Some(root)),
        };
        let written = (0..count).flat_map(move |number| {
            let (transactions, error) = match self.block(number) {
                Ok(transactions) => (Some(transactions), None),
                Err(error) => (None, Some(Err(error))),
            };
            let count = transactions.as_ref().map_or(0, |transactions| transactions.len());
            let cloned = (0..count).filter_map(move |at| Some(Ok(transactions.as_ref()?.get(at)?.clone())));
            cloned.chain(error)
        });
        let records = root.into_iter().flat_map(|root| tree::iter(self.objects, root));
        written.chain(records.map(|entry| {
            let (key, value) = entry?;
            addition(&key, &value)
        }))
    }

    /// Calls `each` with the kinds and addresses of all objects that the set consists of, its own first.
    pub fn each_object(&self, each: &mut dyn FnMut(Domain, &Hash) -> Result<(), DeltaError>) -> Result<(), DeltaError> {
        each(Domain::Delta, &self.id)?;
        match &self.form {
            Form::Blocks { blocks, is_index, .. } if *is_index => {
                blocks.iter().try_for_each(|block| each(Domain::Delta, &block.id))
            }
            Form::Blocks { .. } => Ok(()),
            Form::Tree { root, .. } => tree::each_node(self.objects, root, each),
        }
    }

    /// Returns the blobs that written values refer to, each once, in order of address.
    pub fn blob_references(&self) -> Result<Vec<BlobRef>, DeltaError> {
        let mut references = Vec::new();
        for transaction in self.iter() {
            match transaction?.operation {
                Operation::Add(record) => blob::references(&record, &mut references),
                Operation::Change(operations)
                | Operation::Rename {
                    changes: operations, ..
                } => {
                    for operation in &operations {
                        let value = match operation {
                            super::FieldOperation::Set(_, value) => value,
                            super::FieldOperation::Clear(_) => &Value::Null,
                        };
                        blob::references(value, &mut references);
                    }
                }
                Operation::Remove | Operation::Alias(_) => {}
            }
        }
        references.sort();
        references.dedup();
        Ok(references)
    }
}

fn decode_index(bytes: &[u8]) -> Result<Vec<Block>, DeltaError> {
    let mut reader = Reader::new(bytes, OBJECT);
    reader.byte()?;
    let count = reader.limited(bytes.len(), "too many blocks")?;
    if count < 2 {
        return Err(reader.error("an index of fewer than two blocks"));
    }
    let mut blocks: Vec<Block> = Vec::new();
    for _ in 0..count {
        let first = RecordKey::new(reader.bytes(RecordKey::MAX_BYTES, "a key is too long")?)
            .ok_or_else(|| reader.error("a key has an impossible length"))?;
        if blocks.last().is_some_and(|last| last.first >= first) {
            return Err(DeltaError::Unsorted(first));
        }
        let count = reader.limited(block::MAX_TRANSACTIONS, "too many transactions")? as u64;
        if count == 0 {
            return Err(reader.error("an empty block"));
        }
        let id = Hash::from_bytes(reader.array()?);
        blocks.push(Block { first, count, id });
    }
    reader.end()?;
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::change::tests::records;
    use super::super::{FieldOperation, difference, renaming};
    use super::*;
    use crate::model::{BlobShape, FieldPath};
    use crate::port::MemoryObjects;

    fn operations() -> impl Strategy<Value = Operation> {
        prop_oneof![
            records().prop_map(|mut record| {
                record.prune();
                Operation::Add(record)
            }),
            (records(), records())
                .prop_map(|(old, new)| difference(Some(&old), Some(&new)).unwrap_or(Operation::Change(vec![]))),
            Just(Operation::Remove),
            proptest::collection::vec(any::<u8>(), 1..20)
                .prop_map(|key| Operation::Alias(RecordKey::new(key).unwrap())),
            (proptest::collection::vec(any::<u8>(), 1..20), records(), records()).prop_map(|(key, old, new)| renaming(
                RecordKey::new(key).unwrap(),
                &old,
                &new
            )),
        ]
    }

    fn transactions() -> impl Strategy<Value = Vec<Transaction>> {
        let key = proptest::collection::vec(0u8..4, 1..5);
        proptest::collection::btree_map(key, (operations(), any::<bool>()), 0..20).prop_map(|map| {
            map.into_iter()
                .map(|(key, (operation, forced))| Transaction {
                    key: RecordKey::new(key).unwrap(),
                    operation,
                    forced,
                })
                .collect()
        })
    }

    fn write(objects: &MemoryObjects, transactions: &[Transaction]) -> Hash {
        let all = transactions.iter().cloned().map(Ok::<_, DeltaError>);
        Delta::write(objects, all).unwrap().0
    }

    /// The addresses of the objects of a set, its own first.
    fn blocks(delta: &Delta<'_>) -> Vec<Hash> {
        let mut ids = Vec::new();
        let mut each = |_, id: &Hash| {
            ids.push(*id);
            Ok(())
        };
        delta.each_object(&mut each).unwrap();
        ids
    }

    fn encoded(transactions: &[Transaction]) -> String {
        format!("{transactions:?}")
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(transactions in transactions()) {
            let objects = MemoryObjects::default();
            let id = write(&objects, &transactions);
            let delta = Delta::open(&objects, &id).unwrap();
            let read: Vec<Transaction> = delta.iter().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(encoded(&read), encoded(&transactions));
            prop_assert_eq!(delta.len(), transactions.len() as u64);
            for transaction in &transactions {
                let found = delta.get(&transaction.key).unwrap();
                prop_assert_eq!(encoded(&[found.unwrap()]), encoded(std::slice::from_ref(transaction)));
            }
            prop_assert!(delta.get(&RecordKey::new([9]).unwrap()).unwrap().is_none());
        }

        #[test]
        fn damaged_bytes_are_errors_or_other_transactions(
            transactions in transactions(),
            flips in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
        ) {
            let objects = MemoryObjects::default();
            let bytes = objects.get(&write(&objects, &transactions)).unwrap().to_vec();
            for end in 0..bytes.len() {
                prop_assert!(block::decode(&bytes[..end]).is_err());
            }
            let mut damaged = bytes;
            for (at, bit) in flips {
                let at = at.index(damaged.len());
                damaged[at] ^= 1 << bit;
            }
            if let Ok(read) = block::decode(&damaged) {
                // What is accepted obeys the invariants: it can be written again.
                write(&objects, &read);
            }
        }
    }

    #[test]
    fn a_large_set_is_an_index_of_blocks() {
        let objects = MemoryObjects::default();
        let transaction = |n: u32| {
            let blob = blob::put(&objects, &n.to_be_bytes()[..2], BlobShape::Bytes).unwrap();
            let record = Value::Map(
                [
                    ("b".to_owned(), Value::Blob(blob)),
                    ("n".to_owned(), i64::from(n).into()),
                ]
                .into(),
            );
            Transaction::new(RecordKey::new(n.to_be_bytes()).unwrap(), Operation::Add(record))
        };
        let all: Vec<Transaction> = (0..150_000).map(transaction).collect();
        let id = write(&objects, &all);
        let delta = Delta::open(&objects, &id).unwrap();
        assert!(blocks(&delta).len() > 3, "{}", blocks(&delta).len());
        assert_eq!(delta.len(), 150_000);
        for n in [0, 1, 65_535, 65_536, 149_999] {
            assert_eq!(delta.get(&all[n].key).unwrap().as_ref(), Some(&all[n]));
        }
        assert!(delta.iter().map(Result::unwrap).eq(all.iter().cloned()));
        assert_eq!(delta.blob_references().unwrap().len(), 3);

        let index = objects.get(&id).unwrap();
        for end in 0..index.len() {
            assert!(decode_index(&index[..end]).is_err());
        }
        let swapped = {
            let blocks = blocks(&delta);
            let text = index.to_vec();
            let at = text.windows(32).position(|window| window == blocks[1].bytes()).unwrap();
            let mut text = text;
            text[at..at + 32].copy_from_slice(blocks[2].bytes());
            objects.put(Domain::Delta, &text).unwrap()
        };
        assert!(
            Delta::open(&objects, &swapped)
                .unwrap()
                .iter()
                .any(|read| read.is_err())
        );
    }

    #[test]
    fn a_large_first_set_is_its_tree() {
        let objects = MemoryObjects::default();
        let record = |n: u32| Value::Map([("n".to_owned(), format!("{n:040}").as_str().into())].into());
        let transaction =
            |n: u32| Transaction::new(RecordKey::new(n.to_be_bytes()).unwrap(), Operation::Add(record(n)));
        let written = |count: u32| {
            let entry = |n: u32| {
                let bytes = Entry::Record(record(n)).encode();
                Ok::<_, tree::TreeError>((n.to_be_bytes().to_vec(), bytes))
            };
            let root = tree::build(&objects, (0..count).map(entry)).unwrap();
            let mut writer = DeltaWriter::on_nothing(&objects);
            (0..count).for_each(|n| writer.push(&transaction(n)).unwrap());
            let (id, counts) = writer.finish(&root).unwrap();
            assert_eq!(counts.added, u64::from(count));
            (id, root)
        };
        let (small, _) = written(100);
        assert_eq!(blocks(&Delta::open(&objects, &small).unwrap()), [small]);
        let (id, root) = written(40_000);
        let bytes = objects.get(&id).unwrap();
        assert_eq!(*bytes, [&[block::TAG_TREE][..], root.bytes()].concat());
        let delta = Delta::open(&objects, &id).unwrap();
        assert_eq!(delta.len(), 40_000);
        assert!(delta.iter().map(Result::unwrap).eq((0..40_000).map(transaction)));
        for n in [0, 20_000, 39_999] {
            let transaction = transaction(n);
            assert_eq!(delta.get(&transaction.key).unwrap(), Some(transaction));
        }
        assert!(delta.get(&RecordKey::new([9]).unwrap()).unwrap().is_none());
        // Elsewhere it is the same once its objects are.
        let elsewhere = MemoryObjects::default();
        let mut carry = |domain, id: &Hash| {
            elsewhere.put(domain, &objects.get(id).unwrap()).unwrap();
            Ok(())
        };
        delta.each_object(&mut carry).unwrap();
        let there = Delta::open(&elsewhere, &id).unwrap();
        assert!(there.iter().map(Result::unwrap).eq((0..40_000).map(transaction)));
    }

    #[test]
    fn what_a_tree_cannot_say_is_refused() {
        let objects = MemoryObjects::default();
        let put = |bytes: &[u8]| objects.put(Domain::Delta, bytes).unwrap();
        let alias = Entry::Alias(RecordKey::new([1]).unwrap()).encode();
        let entries = [Ok::<_, tree::TreeError>((vec![2], alias))];
        let root = tree::build(&objects, entries).unwrap();
        let whole = [&[block::TAG_TREE][..], root.bytes()].concat();
        let delta = put(&whole);
        assert!(Delta::open(&objects, &delta).unwrap().iter().any(|read| read.is_err()));
        for end in 1..whole.len() {
            assert!(Delta::open(&objects, &put(&whole[..end])).is_err());
        }
        assert!(Delta::open(&objects, &put(&[&whole[..], &[0]].concat())).is_err());
        let mut writer = DeltaWriter::on_nothing(&objects);
        let remove = Transaction::new(RecordKey::new([1]).unwrap(), Operation::Remove);
        assert!(writer.push(&remove).is_err());
        let forced = Transaction {
            forced: true,
            ..Transaction::new(
                RecordKey::new([1]).unwrap(),
                Operation::Add(Value::Map(crate::model::Map::new())),
            )
        };
        assert!(writer.push(&forced).is_err());
    }

    #[test]
    fn a_set_has_these_bytes() {
        let objects = MemoryObjects::default();
        let record = Value::Map([("a".to_owned(), Value::Integer(1))].into());
        let fields = vec![
            FieldOperation::Set(FieldPath::new(["p", "x"]), Value::Bool(true)),
            FieldOperation::Clear(FieldPath::new(["q"])),
        ];
        let key = |n: &[u8]| RecordKey::new(n).unwrap();
        let all = [
            Transaction::new(key(&[1, 1]), Operation::Add(record)),
            Transaction::new(key(&[1, 2]), Operation::Change(fields)),
            Transaction {
                forced: true,
                ..Transaction::new(key(&[1, 2, 3]), Operation::Remove)
            },
            Transaction::new(key(&[4]), Operation::Alias(key(&[1, 2]))),
            Transaction::new(
                key(&[5]),
                Operation::Rename {
                    from: key(&[1, 1]),
                    changes: vec![FieldOperation::Clear(FieldPath::new(["q"]))],
                },
            ),
        ];
        let bytes = objects.get(&write(&objects, &all)).unwrap();
        let wanted = [
            "01",
            "02",
            "0201700178",
            "010171",
            "05",
            "0002010100a1616101",
            "010102010200f503",
            "02010382",
            "00010403020102",
            "000105040201010103",
        ];
        assert_eq!(data_encoding::HEXLOWER.encode(&bytes), wanted.concat());
    }

    #[test]
    fn a_small_block_cannot_fill_the_memory() {
        let mut body = vec![block::TAG_PLAIN];
        put_number(1, &mut body);
        put_number(24, &mut body);
        for _ in 0..24 {
            put_bytes(&[b'x'; 16 * 1024], &mut body);
        }
        put_number(60_000, &mut body);
        for n in 0..60_000u32 {
            put_number(0, &mut body);
            put_bytes(&n.to_be_bytes(), &mut body);
            body.extend_from_slice(&[1, 1, 1]);
        }
        let error = block::decode(&body).unwrap_err().to_string();
        assert!(error.contains("too often"), "{error}");

        // A writer with such paths closes its blocks in time.
        let objects = MemoryObjects::default();
        let path = FieldPath::new(["x".repeat(16 * 1024)]);
        let transaction = |n: u32| {
            let clear = vec![FieldOperation::Clear(path.clone())];
            Transaction::new(RecordKey::new(n.to_be_bytes()).unwrap(), Operation::Change(clear))
        };
        let all: Vec<Transaction> = (0..6000).map(transaction).collect();
        let id = write(&objects, &all);
        let delta = Delta::open(&objects, &id).unwrap();
        assert_eq!(delta.iter().map(Result::unwrap).count(), 6000);
        assert!(blocks(&delta).len() > 2);
    }

    #[test]
    fn one_field_is_small_and_unknown_operations_say_so() {
        let objects = MemoryObjects::default();
        let change = Operation::Change(vec![FieldOperation::Set(
            FieldPath::new(["phones", "p1a2b3c4", "number"]),
            "+49 30 1234567".into(),
        )]);
        let id = write(&objects, &[Transaction::new(RecordKey::new([7; 16]).unwrap(), change)]);
        let bytes = objects.get(&id).unwrap();
        assert!(bytes.len() < 70, "{}", bytes.len());
        let unknown = [block::TAG_PLAIN, 0, 1, 0, 1, 7, 5];
        let error = block::decode(&unknown).unwrap_err().to_string();
        assert!(error.contains("unknown operation"), "{error}");
        let writer = &mut DeltaWriter::new(&objects);
        let remove = |n: u8| Transaction::new(RecordKey::new([n]).unwrap(), Operation::Remove);
        writer.push(&remove(2)).unwrap();
        assert!(matches!(writer.push(&remove(2)), Err(DeltaError::Unsorted(_))));
    }
}
