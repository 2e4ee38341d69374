//! Tests of the parts together.

mod objects;
mod packs;
mod remotes;
mod storages;

use std::collections::BTreeMap;

use super::*;
use crate::model::{Domain, Hash, ReplicaId, SnapshotId, TimeMs};

/// A small push: a snapshot that is its collection's head, and its difference set.
fn sample(replica: u8, sequence: u64) -> LogObject {
    let snapshot = noise(200, u32::from(replica));
    LogObject {
        replica: replica_id(replica),
        sequence,
        predecessors: vec![],
        system: "laptop".to_owned(),
        time: TimeMs(1_795_000_000_123),
        seen: BTreeMap::from([(replica_id(0xEE), 41)]),
        acknowledged: BTreeMap::from([(replica_id(0xEE), 40)]),
        forgotten: BTreeMap::from([(replica_id(0xED), 3)]),
        collections: vec![CollectionHeads {
            name: "contacts".to_owned(),
            kind: "contact".to_owned(),
            heads: vec![SnapshotId(Hash::of(Domain::Snapshot, &snapshot))],
        }],
        part: Part::Whole,
        objects: vec![(Domain::Snapshot, snapshot), (Domain::Delta, noise(100, 7))],
    }
}

/// An id as random as real ones, so that sizes are real too.
fn replica_id(number: u8) -> ReplicaId {
    ReplicaId::from_bytes(noise(16, u32::from(number) + 1000).try_into().unwrap())
}

/// Bytes that no compressor shortens, the same on every run.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

fn frozen(file: &[u8]) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(file.trim_ascii()).unwrap()
}
