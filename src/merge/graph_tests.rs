//! The graph of snapshots, and states that are made again from it.

use super::tests::{card, change, key, set, world};
use super::*;
use crate::delta::{Delta, Entry, Operation, Snapshot, Transaction};
use crate::model::{Domain, Hash};
use crate::port::{MemoryObjects, Objects};
use crate::tree;

/// Copies a history without the content trees of its states.
fn without_trees(objects: &MemoryObjects, ids: &[SnapshotId]) -> MemoryObjects {
    let copy = MemoryObjects::default();
    for id in ids {
        copy.put(Domain::Snapshot, &objects.get(&id.0).unwrap()).unwrap();
        let snapshot = Snapshot::read(objects, id).unwrap();
        let mut carry = |domain, id: &Hash| {
            copy.put(domain, &objects.get(id).unwrap()).unwrap();
            Ok::<_, DeltaError>(())
        };
        let delta = Delta::open(objects, &snapshot.delta).unwrap();
        delta.each_object(&mut carry).unwrap();
        tree::each_node(objects, &snapshot.result.conflicts, &mut carry).unwrap();
    }
    copy
}

#[test]
fn states_whose_trees_went_are_made_again() {
    let (world, first) = world();
    let mut line = vec![first];
    for n in 0..6u8 {
        let last = *line.last().unwrap();
        line.push(match n {
            2 => world.author(&[last], &[(7, Operation::Add(card(&[("/a", "new")])))]),
            4 => world.author(&[last], &[(7, Operation::Remove)]),
            _ => world.edit(&[last], vec![set("/a", n.to_string())]),
        });
    }
    let left = world.edit(&line[3..4], vec![set("/a", "left"), set("/b", "left")]);
    let last = line[6];
    let both = world.edit(&[left, last], vec![set("/c", "both")]);
    let after = world.edit(&[both], vec![set("/b", "after")]);
    let ids = [&line[..], &[left, both, after]].concat();
    let entries = |objects: &MemoryObjects, state: &State| -> Vec<_> {
        let content = tree::iter(objects, &state.content).map(Result::unwrap);
        content
            .chain(tree::iter(objects, &state.conflicts).map(Result::unwrap))
            .collect()
    };
    let sets: Vec<Vec<SnapshotId>> = ids.iter().map(|id| vec![*id]).chain([vec![left, last]]).collect();
    for heads in &sets {
        let wanted = world.merged(heads);
        // With nothing but the history, and with one later state at hand.
        for kept in [None, Some(line[5])] {
            let copy = without_trees(&world.objects, &ids);
            if let Some(kept) = kept {
                let state = Snapshot::read(&world.objects, &kept).unwrap().result;
                let mut carry = |domain, id: &Hash| {
                    copy.put(domain, &world.objects.get(id).unwrap()).unwrap();
                    Ok::<_, DeltaError>(())
                };
                tree::each_node(&world.objects, &state.content, &mut carry).unwrap();
            }
            let state = merged_state(&History::new(&copy), heads).unwrap();
            assert_eq!(state, wanted);
            assert_eq!(entries(&copy, &state), entries(&world.objects, &wanted));
        }
    }
    assert_ne!(world.merged(&[both]).conflicts, tree::empty_root());
}

#[test]
fn a_state_made_again_is_proved() {
    let (world, first) = world();
    let second = world.edit(&[first], vec![set("/a", "1")]);
    let third = world.edit(&[second], vec![set("/a", "2")]);
    // The same words about other writes.
    let mut wrong = Snapshot::read(&world.objects, &third).unwrap();
    let other = [Ok::<_, DeltaError>(Transaction::new(
        key(1),
        change(vec![set("/a", "3")]),
    ))];
    wrong.delta = Delta::write(&world.objects, other).unwrap().0;
    let wrong = wrong.write(&world.objects).unwrap();
    let copy = without_trees(&world.objects, &[first, second, wrong]);
    let refused = merged_state(&History::new(&copy), &[wrong]).unwrap_err();
    assert!(matches!(refused, MergeError::RootMismatch { .. }), "{refused}");
}

#[test]
fn trees_that_nobody_builds_are_refused() {
    let (world, first) = world();
    let objects = &world.objects;
    let small = |n: u8| Entry::Record(card(&[("/a", &n.to_string())])).encode();
    let entries = |numbers: std::ops::Range<u8>| numbers.map(|n| Ok::<_, TreeError>((vec![n], small(n))));
    let right = tree::build(objects, entries(11..19)).unwrap();
    // Two leaves under one root, where all fits into one.
    let halves = [(14u8, entries(11..15)), (18, entries(15..19))];
    let leaves = halves.map(|(last, half)| (last, tree::build(objects, half).unwrap()));
    let mut inner = vec![1, 2, 0, 0, 0, 1, 0, 2, 0];
    inner.extend(leaves.map(|(last, _)| last));
    for (_, leaf) in leaves {
        inner.extend_from_slice(leaf.bytes());
        inner.extend_from_slice(&4u64.to_le_bytes());
    }
    let wrong = objects.put(Domain::Inner, &inner).unwrap();
    for (root, is_right) in [(right, true), (wrong, false)] {
        let delta = objects.put(Domain::Delta, &[&[4][..], root.bytes()].concat()).unwrap();
        let mut snapshot = Snapshot::read(objects, &first).unwrap();
        (snapshot.delta, snapshot.records) = (delta, 8);
        (snapshot.result.content, snapshot.counts.added) = (root, 8);
        let id = snapshot.write(objects).unwrap();
        let received = receive(&History::new(objects), &id);
        assert_eq!(received.is_ok(), is_right, "{received:?}");
        assert!(is_right || matches!(received, Err(MergeError::RootMismatch { .. })));
    }
}

#[test]
fn the_graph_answers() {
    let (world, first) = world();
    let left = world.edit(&[first], vec![set("/a", "1")]);
    let right = world.edit(&[first], vec![set("/b", "1")]);
    let both = world.edit(&[left, right], vec![set("/c", "1")]);
    let history = History::new(&world.objects);
    assert!(history.is_ancestor(&first, &both).unwrap());
    assert!(history.is_ancestor(&both, &both).unwrap());
    assert!(!history.is_ancestor(&left, &right).unwrap());
    assert!(!history.is_ancestor(&both, &first).unwrap());
    let mut heads = vec![left, right];
    heads.sort();
    assert_eq!(history.heads_of(&[right, first, left]).unwrap(), heads);
    assert_eq!(history.heads_of(&[first, both, left]).unwrap(), [both]);
    let log: Vec<SnapshotId> = history.ancestors(&[both]).map(|step| step.unwrap().0).collect();
    assert_eq!(log, [both, right, left, first]);
    assert_eq!(history.missing(&[both]).unwrap(), None);
    let absent = SnapshotId(Hash::from_bytes([7; 32]));
    assert_eq!(history.missing(&[both, absent]).unwrap(), Some(absent));
    assert_eq!(merged_state(&history, &[]).unwrap(), State::empty());
}
