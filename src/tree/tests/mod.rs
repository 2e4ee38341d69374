//! Laws of trees, against sorted maps.

mod cost;
mod damage;
mod golden;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::port::MemoryObjects;

type Content = BTreeMap<Vec<u8>, Vec<u8>>;

fn built(objects: &dyn Objects, content: &Content) -> Hash {
    build::<TreeError>(
        objects,
        content.iter().map(|(key, value)| Ok((key.clone(), value.clone()))),
    )
    .unwrap()
}

fn listed(objects: &dyn Objects, root: &Hash) -> Content {
    iter(objects, root).collect::<Result<_, _>>().unwrap()
}

fn naive_diff(left: &Content, right: &Content) -> Vec<Change> {
    let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    keys.into_iter()
        .filter(|key| left.get(*key) != right.get(*key))
        .map(|key| Change {
            key: key.clone(),
            old: left.get(key).cloned(),
            new: right.get(key).cloned(),
        })
        .collect()
}

fn apply(content: &mut Content, edits: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
    for (key, value) in edits {
        match value {
            Some(value) => content.insert(key.clone(), value.clone()),
            None => content.remove(key),
        };
    }
}

/// Numbers without a pattern (the finalizer of `SplitMix64`), the same on every machine.
fn scrambled(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// `records` entries with keys of 16 bytes and values of 0 to 199 bytes.
fn sample(records: u64) -> Content {
    (0..records)
        .map(|number| {
            let key = [scrambled(number).to_be_bytes(), scrambled(!number).to_be_bytes()].concat();
            let length = usize::try_from(scrambled(number ^ 0xABCD) % 200).unwrap();
            (key, vec![number.to_le_bytes()[0]; length])
        })
        .collect()
}

#[test]
fn small_trees_work() {
    let objects = MemoryObjects::default();
    let root = empty_root();
    assert_eq!(built(&objects, &Content::new()), root);
    assert_eq!(get(&objects, &root, b"a").unwrap(), None);
    assert_eq!(verify(&objects, &root).unwrap(), 0);
    assert_eq!(iter(&objects, &root).count(), 0);
    let one = edit(&objects, &root, [(b"a".to_vec(), Some(b"1".to_vec()))]).unwrap();
    assert_eq!(get(&objects, &one, b"a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(edit(&objects, &one, [(b"a".to_vec(), None)]).unwrap(), root);
}

#[test]
fn large_tree_reads_back() {
    let objects = MemoryObjects::default();
    let content = sample(20_000);
    let root = built(&objects, &content);
    assert_eq!(listed(&objects, &root), content);
    assert_eq!(verify(&objects, &root).unwrap(), 20_000);
    assert_eq!(count(&objects, &root).unwrap(), 20_000);
    for (key, value) in content.iter().step_by(97) {
        assert_eq!(get(&objects, &root, key).unwrap().as_ref(), Some(value));
    }
}

/// Keys that are hard on prefixes and boundaries.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..4),
        4 => (0_u32..3000).prop_map(|number| format!("{number:08}").into_bytes()),
        2 => (0_u32..400).prop_map(|number| [vec![b'p'; 300], number.to_be_bytes().to_vec()].concat()),
        1 => (any::<u8>(), 1000_usize..=1100).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        10 => Just(Vec::new()),
        40 => prop::collection::vec(any::<u8>(), 1..300),
        1 => any::<u8>().prop_map(|byte| vec![byte; 100_000]),
    ]
}

fn content(records: usize) -> impl Strategy<Value = Content> {
    prop::collection::btree_map(key(), value(), 0..records)
}

fn edits(records: usize) -> impl Strategy<Value = BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
    prop::collection::btree_map(key(), prop::option::of(value()), 0..records)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn edits_give_the_tree_of_a_build(before in content(600), edits in edits(300)) {
        let objects = MemoryObjects::default();
        let root = built(&objects, &before);
        let mut after = before;
        apply(&mut after, &edits);
        let edited = edit(&objects, &root, edits).unwrap();
        prop_assert_eq!(edited, built(&objects, &after));
        prop_assert_eq!(verify(&objects, &edited).unwrap(), after.len() as u64);
    }

    #[test]
    fn diff_is_the_naive_one(left in content(400), right in edits(200)) {
        let objects = MemoryObjects::default();
        let mut other = left.clone();
        apply(&mut other, &right);
        let (a, b) = (built(&objects, &left), built(&objects, &other));
        let changes: Vec<_> = diff(&objects, &a, &b).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&changes, &naive_diff(&left, &other));
        let edited = edit(&objects, &a, changes.into_iter().map(|change| (change.key, change.new))).unwrap();
        prop_assert_eq!(edited, b);
    }
}

/// Contents whose trees are deep: inner nodes hold few of these keys.
fn deep(records: u32) -> Content {
    (0..records)
        .map(|number| {
            let key = [vec![b'k'; 400], number.to_be_bytes().to_vec(), vec![b'z'; 500]].concat();
            (key, vec![7; 40])
        })
        .collect()
}

#[test]
fn ranges_deleted_from_a_deep_tree_leave_the_tree_of_a_build() {
    let objects = MemoryObjects::default();
    let all = deep(900);
    let root = built(&objects, &all);
    assert!(load(&objects, &root).unwrap().level() >= 4);
    let keys: Vec<_> = all.keys().cloned().collect();
    let check = |kept: &dyn Fn(usize) -> bool| {
        let deletions = keys.iter().enumerate().filter(|(index, _)| !kept(*index));
        let edited = edit(&objects, &root, deletions.map(|(_, key)| (key.clone(), None))).unwrap();
        let rest: Content = all
            .iter()
            .enumerate()
            .filter(|(index, _)| kept(*index))
            .map(|(_, (key, value))| (key.clone(), value.clone()))
            .collect();
        assert_eq!(edited, built(&objects, &rest));
        // And back again: insertion before, between and after what is there.
        let insertions = all.iter().enumerate().filter(|(index, _)| !kept(*index));
        let insertions = insertions.map(|(_, (key, value))| (key.clone(), Some(value.clone())));
        assert_eq!(edit(&objects, &edited, insertions).unwrap(), root);
    };
    for cut in (0..=900).step_by(17).chain(890..=900) {
        check(&|index| index >= cut);
        check(&|index| index < cut);
        check(&|index| index % 900 < cut / 2 || index > cut);
    }
    check(&|_| false);
}

#[test]
fn a_single_child_is_no_root() {
    // Whatever is deleted before it, the last node of a level may stay with one child; it must not become the root.
    let objects = MemoryObjects::default();
    let mut met = 0;
    for records in 20..400 {
        let all = deep(records);
        let root = built(&objects, &all);
        let node = load(&objects, &root).unwrap();
        let Some(last) = node.len().checked_sub(1).filter(|_| node.level() > 1) else {
            continue;
        };
        let child = load_child(&objects, &node, last).unwrap();
        if child.len() > 1 {
            continue;
        }
        met += 1;
        let first_kept = node.key(last - 1);
        let rest: Content = all
            .iter()
            .filter(|(key, _)| **key > first_kept)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let deletions = all
            .keys()
            .filter(|key| **key <= first_kept)
            .map(|key| (key.clone(), None));
        assert_eq!(edit(&objects, &root, deletions).unwrap(), built(&objects, &rest));
    }
    assert!(met > 5, "only {met} trees show the case");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn batches_and_their_order_do_not_matter(
        before in content(300),
        edits in edits(200),
        batches in prop::collection::vec(0_usize..5, 200),
    ) {
        let objects = MemoryObjects::default();
        let root = built(&objects, &before);
        let at_once = edit(&objects, &root, edits.clone()).unwrap();
        let mut in_batches = root;
        for batch in [3, 0, 4, 1, 2] {
            let part = edits.iter().zip(&batches).filter(|(_, number)| **number == batch);
            in_batches = edit(&objects, &in_batches, part.map(|((key, value), _)| (key.clone(), value.clone()))).unwrap();
        }
        prop_assert_eq!(in_batches, at_once);
        let mut one_by_one = root;
        for (key, value) in edits.iter().rev().take(40) {
            one_by_one = edit(&objects, &one_by_one, [(key.clone(), value.clone())]).unwrap();
        }
        for (key, value) in edits {
            one_by_one = edit(&objects, &one_by_one, [(key, value)]).unwrap();
        }
        prop_assert_eq!(one_by_one, at_once);
    }

    #[test]
    fn cursors_start_where_they_are_told(content in content(400), key in key()) {
        let objects = MemoryObjects::default();
        let root = built(&objects, &content);
        prop_assert_eq!(root, golden::reference_root(&content));
        let found: Content = iter_from(&objects, &root, &key).collect::<Result<_, _>>().unwrap();
        let expected: Content = content.range(key.clone()..).map(|(key, value)| (key.clone(), value.clone())).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(get(&objects, &root, &key).unwrap(), content.get(&key).cloned());
    }

    #[test]
    fn unrelated_trees_differ_as_maps_do(left in content(300), right in content(300)) {
        let objects = MemoryObjects::default();
        let (a, b) = (built(&objects, &left), built(&objects, &right));
        let changes: Vec<_> = diff(&objects, &a, &b).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(changes, naive_diff(&left, &right));
    }

    #[test]
    fn any_bytes_are_a_canonical_node_or_none(bytes in prop::collection::vec(any::<u8>(), 0..80), level in 0_u8..3, count in 0_u8..4) {
        let mut bytes = bytes;
        for (place, byte) in [level, count, 0].into_iter().enumerate() {
            if let Some(slot) = bytes.get_mut(place) {
                *slot = byte;
            }
        }
        assert_canonical_or_rejected(&bytes);
    }
}

/// Checks that bytes which the decoder accepts are those that the encoder writes.
fn assert_canonical_or_rejected(bytes: &[u8]) -> bool {
    let parsed = Node::parse(bytes.into());
    assert_eq!(parsed.is_ok(), check_node(bytes).is_ok());
    let Ok(node) = parsed else { return false };
    let mut entries = node::Entries::default();
    for index in 0..node.len() {
        entries.push(&node.key(index), node.value(index));
    }
    let mut encoded = Vec::new();
    entries.encode(node.level(), &mut encoded);
    assert_eq!(encoded, bytes);
    true
}

#[test]
fn the_largest_entries_fit() {
    let objects = MemoryObjects::default();
    let mut content = Content::new();
    for byte in 0..3 {
        content.insert(vec![byte; KEY_MAX_BYTES], vec![byte; VALUE_MAX_BYTES]);
    }
    let root = built(&objects, &content);
    assert_eq!(verify(&objects, &root).unwrap(), 3);
    assert_eq!(listed(&objects, &root), content);
}

#[test]
fn visit_meets_each_node_and_entry_once_and_skips() {
    let objects = MemoryObjects::default();
    let content = sample(3000);
    let root = built(&objects, &content);
    let mut nodes = Vec::new();
    let mut entries = Vec::new();
    visit(
        &objects,
        &root,
        &mut |hash| {
            nodes.push(*hash);
            true
        },
        &mut |key, value| entries.push((key.to_vec(), value.to_vec())),
    )
    .unwrap();
    assert_eq!(entries, content.clone().into_iter().collect::<Vec<_>>());
    let seen: std::collections::BTreeSet<_> = nodes.iter().copied().collect();
    assert_eq!(seen.len(), nodes.len());
    assert!(nodes.iter().all(|hash| objects.contains(hash)));
    let edited = edit(&objects, &root, [(content.keys().next().unwrap().clone(), None)]).unwrap();
    let mut fresh = 0;
    visit(
        &objects,
        &edited,
        &mut |hash| {
            let is_new = !seen.contains(hash);
            fresh += usize::from(is_new);
            is_new
        },
        &mut |_, _| {},
    )
    .unwrap();
    assert!((2..=12).contains(&fresh), "{fresh}");
    visit(
        &objects,
        &empty_root(),
        &mut |_| panic!("the empty tree has no node"),
        &mut |_, _| {},
    )
    .unwrap();
}
