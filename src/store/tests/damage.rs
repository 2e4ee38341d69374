//! Files that are not what was written.

use std::fs;

use proptest::prelude::*;

use super::*;

/// A store with one pack of a few objects.
fn small() -> (Place, Vec<Hash>, PathBuf) {
    let place = Place::new();
    let mut store = place.create();
    let ids = (0..4)
        .map(|number| store.put(Domain::Leaf, &content(number, 30)).unwrap())
        .collect();
    store.commit(view("a"), "a", TimeMs(1)).unwrap();
    let pack = place.files("packs").remove(0);
    (place, ids, pack)
}

#[test]
fn verify_finds_every_flipped_byte_and_every_cut_of_a_pack() {
    let (place, ids, path) = small();
    let sound = fs::read(&path).unwrap();
    let open_before = place.open();
    let is_found = |changed: &[u8], what: &str| {
        fs::write(&path, changed).unwrap();
        match Store::open(&Disk::default(), &place.root) {
            Ok(store) => {
                let damaged = store.verify(&mut no_check).unwrap();
                assert!(
                    !damaged.is_empty() && damaged.iter().all(|one| one.path == path),
                    "{what}: {damaged:?}"
                );
                for (number, id) in ids.iter().enumerate() {
                    if let Ok(bytes) = store.get(id) {
                        assert_eq!(&*bytes, content(number, 30), "{what}");
                    }
                }
            }
            Err(error) => assert!(matches!(error, StoreError::NewerVersion { .. }), "{what}: {error}"),
        }
    };
    for place in 0..sound.len() {
        let mut changed = sound.clone();
        changed[place] ^= 1 << (place % 8);
        is_found(&changed, &format!("byte {place}"));
    }
    for length in 0..sound.len() {
        is_found(&sound[..length], &format!("length {length}"));
    }
    fs::write(&path, &sound).unwrap();
    assert_sound(&open_before);
}

#[test]
fn verify_reads_the_file_and_not_what_is_in_memory() {
    let (place, ids, path) = small();
    let store = place.open();
    assert!(store.get(&ids[0]).is_ok());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(!store.verify(&mut no_check).unwrap().is_empty());
    fs::remove_file(&path).unwrap();
    assert!(!store.verify(&mut no_check).unwrap().is_empty());
}

#[test]
fn verify_reports_what_the_caller_refuses() {
    let (place, ids, path) = small();
    let refuse = ids[2];
    let mut seen = Vec::new();
    let damaged = place.open().verify(&mut |id, domain, _| {
        seen.push((*id, domain));
        if *id == refuse {
            Err("no leaf".to_owned())
        } else {
            Ok(())
        }
    });
    let expected = DamagedObject {
        id: Some(refuse),
        path,
        what: "no leaf".to_owned(),
    };
    assert_eq!(damaged.unwrap(), [expected]);
    seen.sort_unstable();
    let mut all: Vec<_> = ids.into_iter().map(|id| (id, Domain::Leaf)).collect();
    all.sort_unstable();
    assert_eq!(seen, all);
}

#[test]
fn an_object_of_a_damaged_pack_can_be_put_again() {
    let (place, ids, path) = small();
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut store = place.open();
    let error = store.get(&ids[0]).unwrap_err();
    assert!(matches!(error, ObjectError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    store.put(Domain::Leaf, &content(0, 30)).unwrap();
    store.commit(view("healed"), "healed", TimeMs(2)).unwrap();
    assert!(place.open().get(&ids[0]).is_ok());
    // A collection that does not need the damaged pack leaves it for whoever may rescue something.
    store.gc(&marks(&ids[..1]), 9).unwrap();
    assert!(path.exists());
}

/// Spoils the blocks of a pack; its index stays sound.
fn spoil_block(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    for byte in &mut bytes[20..60] {
        *byte ^= 0x55;
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn an_object_that_was_found_damaged_can_be_put_again_and_collection_keeps_the_sound_copy() {
    for by_verify in [false, true] {
        let (place, ids, path) = small();
        spoil_block(&path);
        let mut store = place.open();
        assert!(store.contains(&ids[0]), "nobody has looked yet");
        if by_verify {
            assert!(!store.verify(&mut no_check).unwrap().is_empty());
        } else {
            assert!(matches!(store.get(&ids[0]), Err(ObjectError::Damaged { .. })));
        }
        assert!(!store.contains(&ids[0]));
        store.put(Domain::Leaf, &content(0, 30)).unwrap();
        store.commit(view("healed"), "healed", TimeMs(2)).unwrap();
        let mut store = place.open();
        assert_eq!(&*store.get(&ids[0]).unwrap(), content(0, 30));
        assert_eq!(store.object_count(), 5);
        store.gc(&marks(&ids[..1]), 9).unwrap();
        assert_eq!(store.object_count(), 1);
        assert_eq!(&*place.open().get(&ids[0]).unwrap(), content(0, 30));
        assert_sound(&store);
    }
}

#[test]
fn a_collection_that_meets_damage_removes_nothing() {
    let (place, ids, path) = small();
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let before = place.bytes();
    let mut store = place.open();
    assert!(matches!(
        store.gc(&marks(&ids[1..]), 1),
        Err(StoreError::Object(ObjectError::Damaged { .. }))
    ));
    assert_eq!(place.bytes(), before);
}

#[test]
fn a_lost_or_torn_pointer_is_found_again() {
    let (place, ids, _) = small();
    let head = place.open().operation_id();
    let pointer = place.root.join("ops/head");
    let text = fs::read(&pointer).unwrap();
    for length in 0..text.len() - 1 {
        fs::write(&pointer, &text[..length]).unwrap();
        let store = place.open();
        assert_eq!((store.operation_id(), store.view()), (head, &view("a")), "{length}");
    }
    fs::remove_file(&pointer).unwrap();
    assert!(matches!(
        Store::create(&Disk::default(), &place.root, &view("other"), TimeMs(5)),
        Err(StoreError::Exists { .. })
    ));
    let mut store = place.open();
    store.commit(view("b"), "b", TimeMs(2)).unwrap();
    assert_eq!(place.open().view(), &view("b"));
    fs::remove_file(&pointer).unwrap();
    let mut store = place.open();
    store.gc(&marks(&ids), 1).unwrap();
    assert_eq!(
        fs::read_to_string(&pointer).unwrap(),
        format!("dsync-store 2\n{}\n", store.operation_id())
    );
    assert_eq!(place.open().view(), &view("b"));
}

#[test]
fn a_damaged_operation_is_no_older_state() {
    let (place, ..) = small();
    let store = place.open();
    let path = place.root.join("ops").join(store.operation_id().to_string());
    let sound = fs::read(&path).unwrap();
    let damaged =
        |store: Result<Store, StoreError>| matches!(store, Err(StoreError::Damaged { path: at, .. }) if at == path);
    for place_in_file in 0..sound.len() {
        let mut changed = sound.clone();
        changed[place_in_file] ^= 0x20;
        fs::write(&path, &changed).unwrap();
        assert!(
            damaged(Store::open(&Disk::default(), &place.root)),
            "byte {place_in_file}"
        );
    }
    fs::remove_file(&path).unwrap();
    assert!(damaged(Store::open(&Disk::default(), &place.root)));
    assert_eq!(store.verify(&mut no_check).unwrap().len(), 1);
}

#[test]
fn a_missing_operation_in_the_middle_is_damage_and_a_dropped_one_is_not() {
    let (place, ids, _) = small();
    let mut store = place.open();
    for number in 0..5_i64 {
        store.commit(view(&number.to_string()), "step", TimeMs(number)).unwrap();
    }
    store.gc(&marks(&ids), 4).unwrap();
    assert_sound(&store);
    let third = store.operations().nth(2).unwrap().unwrap().0;
    fs::remove_file(place.root.join("ops").join(third.to_string())).unwrap();
    assert_eq!(store.verify(&mut no_check).unwrap().len(), 1);
    let log: Vec<_> = store.operations().collect();
    assert!(log.len() == 3 && log[2].is_err());
}

#[test]
fn stores_of_a_newer_program_are_refused_by_name() {
    let (place, _, pack) = small();
    let pointer = place.root.join("ops/head");
    let is_newer = |path: &Path| {
        let result = Store::open(&Disk::default(), &place.root).map(drop);
        matches!(&result, Err(StoreError::NewerVersion { path: at, found, supported }) if at == path && *found == supported + 1)
    };
    let text = fs::read_to_string(&pointer).unwrap();
    fs::write(&pointer, text.replace("store 2", "store 3")).unwrap();
    assert!(is_newer(&pointer));
    fs::write(&pointer, &text).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    bytes[11] = 2;
    fs::write(&pack, bytes).unwrap();
    assert!(is_newer(&pack));
}

fn operation() -> Operation {
    let hash = Hash::of(Domain::Leaf, b"x");
    let snapshots = vec![crate::model::SnapshotId(hash)];
    let mut view = view("full");
    view.predecessors.push(ReplicaId::from_bytes([1; 16]));
    view.config = Some(hash);
    let kind = crate::model::Kind::Contact;
    view.collections.insert(
        "people".to_owned(),
        CollectionView {
            kind,
            heads: snapshots.clone(),
            shared: snapshots.clone(),
        },
    );
    let intent = Intent {
        index: hash,
        views: hash,
        files: hash,
        base: snapshots.clone(),
        next_item: 9,
        lens: None,
    };
    let source = SourceView {
        collection: "people".to_owned(),
        index: hash,
        views: hash,
        base: snapshots.clone(),
        next_item: u64::MAX,
        files: hash,
        lens: Some(hash),
        intent: Some(intent),
        extra: [("a".to_owned(), "b".to_owned())].into(),
    };
    view.sources.insert("phone".to_owned(), source);
    let remote = RemoteView {
        remote: "r".to_owned(),
        next_sequence: 3,
        seen: [(ReplicaId::from_bytes([1; 16]), 4)].into(),
        outbox: Some(Outbox {
            sequence: 3,
            name: "n".to_owned(),
            blob: hash,
        }),
        pushed: [("people".to_owned(), snapshots)].into(),
        ..RemoteView::default()
    };
    view.remotes.insert("cloud".to_owned(), remote);
    Operation {
        parent: Some(OperationId(hash)),
        time: TimeMs(-5),
        command: "sync \u{1F600}".to_owned(),
        continues: true,
        view,
    }
}

#[test]
fn an_operation_with_everything_comes_back_and_no_part_of_it_does() {
    let bytes = operation().encode();
    assert_eq!(Operation::decode(&bytes), Ok(operation()));
    for length in 0..bytes.len() {
        assert!(Operation::decode(&bytes[..length]).is_err(), "{length}");
    }
    assert!(Operation::decode(&[&bytes[..], &[0]].concat()).is_err());
    let mut newer = bytes.clone();
    newer[11] = 3;
    assert_eq!(Operation::decode(&newer), Err(OperationError::Newer { found: 3 }));
}

#[test]
fn in_an_operation_that_does_not_tell_what_was_shared_everything_is() {
    let mut old = operation();
    for collection in old.view.collections.values_mut() {
        collection.shared.clear();
    }
    let mut bytes = old.encode();
    assert_eq!(Operation::decode(&bytes).unwrap(), old);
    bytes[11] = 1;
    let read = Operation::decode(&bytes).unwrap();
    assert!(
        read.view
            .collections
            .values()
            .all(|view| view.shared == view.heads && !view.heads.is_empty())
    );
}

#[test]
fn an_unknown_field_is_refused_and_not_dropped() {
    #[derive(serde::Serialize)]
    struct Later {
        parent: Option<OperationId>,
        time: TimeMs,
        command: String,
        continues: bool,
        view: View,
        invented: u8,
    }
    let Operation {
        parent,
        time,
        command,
        continues,
        view,
    } = operation();
    let later = Later {
        parent,
        time,
        command,
        continues,
        view,
        invented: 1,
    };
    let mut bytes = operation().encode()[..12].to_vec();
    ciborium::into_writer(&later, &mut bytes).unwrap();
    assert!(matches!(Operation::decode(&bytes), Err(OperationError::Malformed(_))));
}

proptest! {
    #[test]
    fn changed_operations_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>(), tail in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut bytes = operation().encode();
        let length = bytes.len();
        bytes[place.index(length)] = byte;
        let _outcome = Operation::decode(&bytes);
        let mut framed = bytes[..12].to_vec();
        framed.extend_from_slice(&tail);
        let _outcome = Operation::decode(&framed);
    }
}

/// An operation of format 1 as it was written when the format was made; every later program must read it.
const SAMPLE: &str = "\
    6473796e634f504500000001a466706172656e74f66474696d651b0000018bcfe5680067636f6d6d616e6464696e69746476\
    696577a86673797374656d666c6170746f70677265706c696361782030373037303730373037303730373037303730373037\
    303730373037303730376762696e64696e676e6d616368696e653a2f706c6163656c7072656465636573736f7273806b636f\
    6c6c656374696f6e73a067736f7572636573a06772656d6f746573a066636f6e666967f6";

#[test]
fn the_frozen_sample_is_read() {
    let bytes = data_encoding::HEXLOWER.decode(SAMPLE.as_bytes()).unwrap();
    let expected = Operation {
        parent: None,
        time: TimeMs(1_700_000_000_000),
        command: "init".to_owned(),
        continues: false,
        view: view("laptop"),
    };
    assert_eq!(Operation::decode(&bytes), Ok(expected));
}
