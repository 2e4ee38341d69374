//! Micro benches of what the engine does for each record: `cargo bench --bench micro`.
//!
//! For comparing two states of the code on one machine; what users wait for is measured by the scripts beside this file.

use std::hint::black_box;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use dsync::delta::{Delta, DeltaError, Operation, Transaction, apply, difference};
use dsync::format::{Bindings, Document, Old};
use dsync::merge::{self, Authoring, History, MergeError};
use dsync::model::{FieldPath, Hash, Kind, RecordKey, ReplicaId, SnapshotId, TimeMs, Value, cbor};
use dsync::port::MemoryObjects;
use dsync::tree;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const RECORDS: u32 = 100_000;
/// How many of them change.
const CHANGES: u32 = 100;

const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:5a0c7d0e-7c1b-4f0e-9d55-0a6a3f1d2b11\r\nFN:Ada Lovelace\r\n\
    N:Lovelace;Ada;Augusta;;\r\nORG:Analytical Engines;Programs\r\nTITLE:Countess\r\nTEL;TYPE=CELL:+44 20 7946 0001\r\n\
    TEL;TYPE=WORK,VOICE:+44 20 7946 0002\r\nEMAIL;TYPE=HOME:ada@example.org\r\n\
    item1.EMAIL;type=INTERNET:countess@example.org\r\nitem1.X-ABLabel:letters\r\n\
    ADR;TYPE=HOME:;;12 St James's Square;London;;SW1Y 4JH;United Kingdom\r\nBDAY:1815-12-10\r\n\
    NOTE:Wrote the first program\\, before there was a machine.\\nSecond line.\r\nCATEGORIES:friends,work\r\n\
    X-ANNIVERSARY:1835-07-08\r\nREV:2024-05-01T10:00:00Z\r\nEND:VCARD\r\n";

fn document() -> Box<dyn Document> {
    let formats = dsync::format::vcard::formats();
    let format = formats.first().expect("vCard is compiled in");
    format.open(CARD.as_bytes().to_vec()).expect("it is a card")
}

fn contact() -> Value {
    document().parse(CARD.as_bytes()).expect("it is a card").record
}

fn path(pointer: &str) -> FieldPath {
    FieldPath::parse(pointer).expect("it is a path")
}

fn key(number: u32) -> RecordKey {
    RecordKey::from_identity(&number.to_string())
}

/// Entries of a tree in order of keys, as of contacts.
fn entries() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries: Vec<(Vec<u8>, Vec<u8>)> = (0..RECORDS)
        .map(|number| (key(number).bytes().to_vec(), format!("{number:0200}").into_bytes()))
        .collect();
    entries.sort();
    entries
}

fn build(objects: &MemoryObjects, entries: &[(Vec<u8>, Vec<u8>)]) -> Hash {
    tree::build(objects, entries.iter().cloned().map(Ok::<_, tree::TreeError>)).expect("memory takes everything")
}

/// Scattered edits of such a tree.
fn edits(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let step = (RECORDS / CHANGES) as usize;
    let some = entries.iter().step_by(step);
    some.map(|(key, _)| (key.clone(), Some(b"changed".to_vec()))).collect()
}

#[divan::bench]
fn canonical_encode_of_a_contact(bencher: Bencher<'_, '_>) {
    let record = contact();
    bencher.bench_local(|| cbor::encode(black_box(&record)));
}

#[divan::bench]
fn canonical_decode_of_a_contact(bencher: Bencher<'_, '_>) {
    let bytes = cbor::encode(&contact());
    bencher.bench_local(|| cbor::decode(black_box(&bytes)));
}

#[divan::bench]
fn vcard_parse(bencher: Bencher<'_, '_>) {
    let document = document();
    bencher.bench_local(|| document.parse(black_box(CARD.as_bytes())));
}

#[divan::bench]
fn vcard_patch_of_one_phone(bencher: Bencher<'_, '_>) {
    let document = document();
    let mut record = contact();
    let phones = record
        .at(&path("/phones"))
        .and_then(Value::as_map)
        .expect("it has phones");
    let first = phones.keys().next().expect("it has phones").to_string();
    record.set_at(&FieldPath::new(["phones", &first, "number"]), "+44 20 7946 0999".into());
    let bindings = Bindings::new();
    let old = Old {
        bytes: CARD.as_bytes(),
        bindings: &bindings,
    };
    bencher.bench_local(|| document.put(black_box(&record), Some(old)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn tree_build(bencher: Bencher<'_, '_>) {
    let entries = entries();
    bencher
        .counter(ItemsCount::new(entries.len()))
        .bench_local(|| build(&MemoryObjects::default(), &entries));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn tree_edit(bencher: Bencher<'_, '_>) {
    let objects = MemoryObjects::default();
    let entries = entries();
    let root = build(&objects, &entries);
    let edits = edits(&entries);
    bencher
        .counter(ItemsCount::new(edits.len()))
        .bench_local(|| tree::edit(&objects, &root, edits.iter().cloned()));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn tree_diff(bencher: Bencher<'_, '_>) {
    let objects = MemoryObjects::default();
    let entries = entries();
    let left = build(&objects, &entries);
    let edits = edits(&entries);
    let right = tree::edit(&objects, &left, edits.iter().cloned()).expect("memory takes everything");
    bencher
        .counter(ItemsCount::new(edits.len()))
        .bench_local(|| tree::diff(&objects, &left, &right).count());
}

/// Transactions in order of keys that change one field each.
fn changes() -> (Value, Vec<Transaction>) {
    let record = contact();
    let mut keys: Vec<RecordKey> = (0..1000).map(key).collect();
    keys.sort();
    let change = |(number, key): (usize, RecordKey)| {
        let mut new = record.clone();
        new.set_at(&path("/name/components/given/value"), format!("Ada {number}").into());
        let operation = difference(Some(&record), Some(&new)).expect("they differ");
        Transaction::new(key, operation)
    };
    let transactions = keys.into_iter().enumerate().map(change).collect();
    (record, transactions)
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn difference_set_encode(bencher: Bencher<'_, '_>) {
    let (_, transactions) = changes();
    bencher.counter(ItemsCount::new(transactions.len())).bench_local(|| {
        let all = transactions.iter().cloned().map(Ok::<_, DeltaError>);
        Delta::write(&MemoryObjects::default(), all)
    });
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn difference_set_decode_and_apply(bencher: Bencher<'_, '_>) {
    let (record, transactions) = changes();
    let objects = MemoryObjects::default();
    let count = transactions.len();
    let (id, _) = Delta::write(&objects, transactions.into_iter().map(Ok::<_, DeltaError>)).expect("they are in order");
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        let delta = Delta::open(&objects, &id).expect("it was just written");
        for transaction in delta.iter() {
            let transaction = transaction.expect("it was just written");
            black_box(apply(Some(&record), &transaction.operation)).expect("it fits");
        }
    });
}

fn author(history: &History<'_>, parents: &[SnapshotId], replica: u8, transactions: Vec<Transaction>) -> SnapshotId {
    let meta = Authoring {
        collection: "contacts".to_owned(),
        kind: Kind::Contact,
        replica: ReplicaId::from_bytes([replica; 16]),
        system: "bench".to_owned(),
        time: TimeMs(1_700_000_000_000 + i64::from(replica)),
        message: None,
    };
    merge::author(
        history,
        parents,
        meta,
        transactions.into_iter().map(Ok::<_, MergeError>),
    )
    .expect("they fit")
}

/// Two heads that changed a hundred of ten thousand records each, half of them the same ones.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn merge_of_two_heads(bencher: Bencher<'_, '_>) {
    let objects = MemoryObjects::default();
    let history = History::new(&objects);
    let record = contact();
    let mut keys: Vec<RecordKey> = (0..10_000).map(key).collect();
    keys.sort();
    let additions = keys
        .iter()
        .map(|key| Transaction::new(key.clone(), Operation::Add(record.clone())));
    let base = author(&history, &[], 1, additions.collect());
    let edit = |replica: u8, skip: usize| {
        let mut new = record.clone();
        new.set_at(&path("/name/components/given/value"), format!("Ada {replica}").into());
        let operation = difference(Some(&record), Some(&new)).expect("they differ");
        let some = keys.iter().skip(skip).step_by(100);
        some.map(|key| Transaction::new(key.clone(), operation.clone()))
            .collect()
    };
    let left = author(&history, &[base], 2, edit(2, 0));
    let mut others: Vec<Transaction> = edit(3, 0);
    others.truncate(50);
    let right = author(&history, &[base], 3, others);
    bencher.bench_local(|| {
        let history = History::new(&objects);
        merge::merged_state(&history, &[left, right]).expect("they are there")
    });
}
