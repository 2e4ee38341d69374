use proptest::prelude::*;

use super::*;

fn replicas() -> impl Strategy<Value = ReplicaId> {
    any::<[u8; 16]>().prop_map(ReplicaId::from_bytes)
}

fn domains() -> impl Strategy<Value = Domain> {
    prop_oneof![
        Just(Domain::Leaf),
        Just(Domain::Inner),
        Just(Domain::Blob),
        Just(Domain::Snapshot),
        Just(Domain::Delta),
        Just(Domain::ChunkList),
    ]
}

fn parts(replica: ReplicaId) -> impl Strategy<Value = Part> {
    let piece = (0..MAX_SEQUENCE, any::<[u8; 16]>()).prop_map(move |(sequence, hash)| LogName {
        replica,
        sequence,
        hash,
    });
    prop_oneof![
        Just(Part::Whole),
        (1..9u32, 1..9u32).prop_map(|(number, more)| Part::Piece {
            number,
            count: number + more
        }),
        proptest::collection::vec(piece, 0..4).prop_map(|pieces| Part::Last { pieces }),
    ]
}

fn log_objects() -> impl Strategy<Value = LogObject> {
    let objects = proptest::collection::vec((domains(), proptest::collection::vec(any::<u8>(), 0..300)), 0..6);
    let collection = (
        ".{0,12}",
        "[a-z]{1,8}",
        proptest::collection::vec(any::<(usize, bool)>(), 0..3),
    );
    (
        (replicas(), 0..=MAX_SEQUENCE, any::<i64>(), ".{0,20}"),
        proptest::collection::btree_set(replicas(), 0..3),
        proptest::collection::btree_map(replicas(), any::<u64>(), 0..4),
        objects,
        proptest::collection::vec(collection, 0..3),
    )
        .prop_flat_map(
            |((replica, sequence, time, system), predecessors, seen, objects, collections)| {
                let head = |(choice, inside): (usize, bool), objects: &[(Domain, Vec<u8>)]| {
                    let snapshots: Vec<_> = objects.iter().filter(|object| object.0 == Domain::Snapshot).collect();
                    match snapshots.get(choice % snapshots.len().max(1)) {
                        Some((domain, content)) if inside => SnapshotId(Hash::of(*domain, content)),
                        _ => SnapshotId(Hash::of(Domain::Value, &choice.to_le_bytes())),
                    }
                };
                let collections: Vec<_> = collections
                    .into_iter()
                    .map(|(name, kind, heads)| CollectionHeads {
                        name,
                        kind,
                        heads: heads.into_iter().map(|choice| head(choice, &objects)).collect(),
                    })
                    .collect();
                parts(replica).prop_map(move |part| LogObject {
                    replica,
                    sequence,
                    predecessors: predecessors.iter().copied().collect(),
                    system: system.clone(),
                    time: TimeMs(time),
                    seen: seen.clone(),
                    acknowledged: seen.iter().map(|(replica, number)| (*replica, number / 2)).collect(),
                    forgotten: seen
                        .iter()
                        .take(1)
                        .map(|(replica, number)| (*replica, *number))
                        .collect(),
                    collections: collections.clone(),
                    part,
                    objects: objects.clone(),
                })
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn decode_inverts_encode(object in log_objects()) {
        let bytes = object.encode().unwrap();
        prop_assert_eq!(LogObject::decode(&bytes), Ok(object));
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), flag in 0..3u8) {
        let mut headed = vec![1, flag];
        headed.extend_from_slice(&bytes);
        // What is accepted uncompressed has one spelling.
        if let Ok(object) = LogObject::decode(&headed) && flag == 0 {
            let again = object.encode().unwrap();
            prop_assert_eq!(LogObject::decode(&again), Ok(object));
        }
        prop_assert!(LogObject::decode(&bytes).is_err() || bytes.first() == Some(&1));
    }

    #[test]
    fn flipped_bits_never_panic(object in log_objects(), place in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = object.encode().unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(other) = LogObject::decode(&bytes) {
            prop_assert_ne!(other, object);
        }
    }
}

#[test]
fn a_cut_at_every_byte_is_an_error() {
    let mut object = sample(1, 5);
    for compressible in [false, true] {
        if compressible {
            object.objects.push((Domain::Blob, vec![7; 5000]));
        }
        let bytes = object.encode().unwrap();
        assert_eq!(bytes[1], u8::from(compressible));
        for end in 0..bytes.len() {
            assert!(LogObject::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        for more in [0, 1, 0x28] {
            assert!(LogObject::decode(&[&bytes[..], &[more]].concat()).is_err());
        }
    }
}

#[test]
fn fields_that_break_a_rule_are_refused() {
    let refused = |change: &dyn Fn(&mut LogObject)| {
        let mut object = sample(1, 1);
        change(&mut object);
        assert!(
            matches!(object.encode(), Err(LogObjectError::Invalid { .. })),
            "{object:?}"
        );
    };
    refused(&|object| object.sequence = MAX_SEQUENCE + 1);
    refused(&|object| object.system = "x".repeat(256));
    refused(&|object| object.predecessors = vec![ReplicaId::from_bytes([2; 16]), ReplicaId::from_bytes([1; 16])]);
    refused(&|object| object.predecessors = vec![ReplicaId::from_bytes([2; 16]); 2]);
    refused(&|object| object.part = Part::Piece { number: 2, count: 2 });
    refused(&|object| object.part = Part::Piece { number: 0, count: 2 });
    refused(&|object| object.objects.push((Domain::Operation, vec![])));
    refused(&|object| object.collections[0].name = "x".repeat(256));
    let foreign = LogName {
        replica: ReplicaId::from_bytes([9; 16]),
        sequence: 1,
        hash: [0; 16],
    };
    refused(&|object| object.part = Part::Last { pieces: vec![foreign] });
}

/// A few bytes must not unpack to gigabytes.
#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let bomb = zstd::bulk::compress(&vec![0; 3_000_000], 19).unwrap();
    let headed = |length: u64, frame: &[u8]| {
        let mut bytes = vec![1, 1];
        wire::number_into(length, &mut bytes);
        bytes.extend_from_slice(frame);
        bytes
    };
    let too_large = LogObject::decode(&headed(MAX_BODY_BYTES as u64 + 1, &bomb));
    assert!(matches!(too_large, Err(LogObjectError::TooLarge { .. })));
    for lie in [0, 1, 100, 2_999_999, 3_000_001] {
        assert!(matches!(
            LogObject::decode(&headed(lie, &bomb)),
            Err(LogObjectError::Damaged { .. })
        ));
    }
    // One body has one frame: parts of it in two are refused, even if they unpack to the same.
    let body = sample(1, 1).encode().unwrap()[2..].to_vec();
    let pack = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).unwrap();
    let (start, end) = body.split_at(50);
    assert!(LogObject::decode(&headed(body.len() as u64, &pack(&body))).is_ok());
    let two_frames = [pack(start), pack(end)].concat();
    assert!(LogObject::decode(&headed(body.len() as u64, &two_frames)).is_err());
}

#[test]
fn a_newer_encoding_says_so() {
    assert_eq!(
        LogObject::decode(&[2, 9, 9]),
        Err(LogObjectError::NewerVersion { version: 2 })
    );
    assert!(matches!(
        LogObject::decode(&[0, 0]),
        Err(LogObjectError::Damaged { .. })
    ));
    assert!(LogObject::decode(&[]).is_err());
}

#[test]
fn a_head_inside_the_object_costs_one_byte() {
    let inside = sample(1, 1);
    let mut outside = inside.clone();
    outside.collections[0].heads = vec![SnapshotId(Hash::of(Domain::Value, b"elsewhere"))];
    let lengths = (inside.encode().unwrap().len(), outside.encode().unwrap().len());
    assert_eq!(lengths.1 - lengths.0, 32);
}

/// Frozen bytes: other versions of the program wrote them and are owed a reader.
#[test]
fn samples_of_version_1_are_read() {
    let raw = frozen(include_bytes!("../../../tests/data/remote/log-object-v1.hex"));
    assert_eq!(raw[..2], [1, 0]);
    assert_eq!(LogObject::decode(&raw), Ok(sample(3, 77)));
    assert_eq!(
        sample(3, 77).encode().unwrap(),
        raw,
        "the raw encoding has one spelling"
    );
    let packed = frozen(include_bytes!("../../../tests/data/remote/log-object-v1-zstd.hex"));
    assert_eq!(packed[..2], [1, 1]);
    assert_eq!(LogObject::decode(&packed), Ok(compressible()));
}

pub(super) fn compressible() -> LogObject {
    let mut object = sample(3, 78);
    object.objects.push((Domain::Blob, vec![7; 500]));
    object.part = Part::Piece { number: 1, count: 3 };
    object
}
