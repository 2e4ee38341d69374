//! What is authored, and which snapshots of others are refused.

use super::tests::{World, ann, card, change, clear, key, set, world};
use super::*;
use crate::delta::{Delta, Operation, Snapshot, Transaction};
use crate::model::{Domain, Hash, Kind, ReplicaId, TimeMs};
use crate::port::Objects;

#[test]
fn transactions_that_do_not_fit_are_refused() {
    let (world, first) = world();
    let united = {
        let two = world.author(&[first], &[(2, Operation::Add(ann()))]);
        world.author(&[two], &[(2, Operation::Alias(key(1)))])
    };
    for (parents, n, operation) in [
        (first, 1, Operation::Add(ann())),
        (first, 3, Operation::Remove),
        (first, 3, change(vec![set("/a", "b")])),
        (first, 1, Operation::Alias(key(2))),
        (first, 1, Operation::Alias(key(0))),
        (united, 2, change(vec![set("/a", "b")])),
        (united, 2, Operation::Add(ann())),
        (united, 2, Operation::Remove),
        (united, 2, Operation::Alias(key(1))),
    ] {
        let error = world.try_author(&[parents], &[(n, operation.clone())]).unwrap_err();
        assert!(matches!(error, MergeError::Unfit { .. }), "{operation:?}: {error}");
    }
    let unsorted = [(2, Operation::Add(ann())), (1, Operation::Add(ann()))];
    assert!(matches!(
        world.try_author(&[], &unsorted).unwrap_err(),
        MergeError::Delta(_)
    ));
}

#[test]
fn snapshots_that_contradict_themselves_are_refused() {
    let (world, first) = world();
    let id = world.edit(&[first], vec![set("/name/given", "Anna")]);
    let good = Snapshot::read(&world.objects, &id).unwrap();
    let refused = |change: &dyn Fn(&mut Snapshot)| {
        let mut bad = good.clone();
        change(&mut bad);
        let id = bad.write(&world.objects).unwrap();
        receive(&History::new(&world.objects), &id).unwrap_err()
    };
    let mismatch = refused(&|bad| bad.result.content = Snapshot::read(&world.objects, &first).unwrap().result.content);
    assert!(matches!(mismatch, MergeError::RootMismatch { .. }), "{mismatch}");
    let mismatch = refused(&|bad| bad.result.conflicts = Hash::from_bytes([1; 32]));
    assert!(matches!(mismatch, MergeError::RootMismatch { .. }), "{mismatch}");
    for change in [
        &(|bad: &mut Snapshot| bad.generation = 3) as &dyn Fn(&mut Snapshot),
        &|bad| bad.collection = "others".to_owned(),
        &|bad| bad.counts.added = 1,
        &|bad| bad.records = 2,
        &|bad| {
            bad.parents = vec![first, id];
            bad.parents.sort();
            bad.generation = 3;
        },
    ] {
        let error = refused(change);
        assert!(matches!(error, MergeError::Inconsistent { .. }), "{error}");
    }
    // A set that an honest author would have brought into another form.
    for operation in [
        Operation::Add(ann()),
        change(vec![set("/absent/inner", "x")]),
        change(vec![clear("/absent")]),
        Operation::Alias(key(9)),
    ] {
        let all = [Ok::<_, DeltaError>(Transaction::new(key(1), operation))];
        let (delta, counts) = Delta::write(&world.objects, all).unwrap();
        let error = refused(&move |bad| (bad.delta, bad.counts) = (delta, counts));
        assert!(matches!(error, MergeError::Unfit { .. }), "{error}");
    }
    let missing = world.objects.put(Domain::Delta, &[9]).unwrap();
    assert!(matches!(refused(&move |bad| bad.delta = missing), MergeError::Delta(_)));
}

#[test]
fn authors_write_in_normal_form() {
    let (world, first) = world();
    let id = world.edit(
        &[first],
        vec![
            set("/emails/e/address", "a@b"),
            clear("/absent"),
            set("/emails/f/address", "c@d"),
        ],
    );
    let snapshot = Snapshot::read(&world.objects, &id).unwrap();
    let delta = Delta::open(&world.objects, &snapshot.delta).unwrap();
    let wanted = change(vec![set(
        "/emails",
        card(&[("/e/address", "a@b"), ("/f/address", "c@d")]),
    )]);
    assert_eq!(delta.get(&key(1)).unwrap().unwrap().operation, wanted);
    let nothing = world.edit(&[first], vec![clear("/absent")]);
    assert_eq!(Snapshot::read(&world.objects, &nothing).unwrap().counts.total(), 0);
}

#[test]
fn additions_stream() {
    let world = World::new();
    let history = History::new(&world.objects);
    let meta = Authoring {
        collection: "contacts".to_owned(),
        kind: Kind::Contact,
        replica: ReplicaId::from_bytes([1; 16]),
        system: "here".to_owned(),
        time: TimeMs(1),
        message: Some("first".to_owned()),
    };
    let many = (0..20_000u32).map(|n| {
        let key = RecordKey::new(n.to_be_bytes()).unwrap();
        Ok(Transaction::new(
            key,
            Operation::Add(card(&[("/name", &n.to_string())])),
        ))
    });
    let id = author(&history, &[], meta.clone(), many).unwrap();
    assert_eq!(history.snapshot(&id).unwrap().records, 20_000);
    receive(&history, &id).unwrap();
    let failing = [Err(MergeError::input("stopped"))];
    assert!(matches!(
        author(&history, &[id], meta, failing),
        Err(MergeError::Input(_))
    ));
}
