//! Bytes and trees that are not what a build makes, and input that is no tree's.

use std::sync::Arc;

use super::*;

/// Returns the bytes of every node of a tree.
fn nodes_of(objects: &dyn Objects, root: &Hash) -> Vec<(Hash, Vec<u8>)> {
    let mut hashes = Vec::new();
    visit(
        objects,
        root,
        &mut |hash| {
            hashes.push(*hash);
            true
        },
        &mut |_, _| {},
    )
    .unwrap();
    hashes
        .into_iter()
        .map(|hash| (hash, objects.get(&hash).unwrap().to_vec()))
        .collect()
}

#[test]
fn truncated_nodes_are_rejected() {
    let objects = MemoryObjects::default();
    let content: Content = sample(400).into_iter().chain(deep(30)).collect();
    let root = built(&objects, &content);
    let nodes = nodes_of(&objects, &root);
    assert!(nodes.len() > 10);
    for (_, bytes) in &nodes {
        assert!(assert_canonical_or_rejected(bytes));
        for end in 0..bytes.len() {
            assert!(check_node(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
        }
        assert_eq!(check_node(&[bytes.as_slice(), b"x"].concat()), Err(NodeError::Trailing));
    }
}

/// Objects of which one is replaced by other bytes.
struct Replaced<'a> {
    inner: &'a MemoryObjects,
    hash: Hash,
    bytes: Vec<u8>,
}

impl Objects for Replaced<'_> {
    fn get(&self, id: &Hash) -> Result<Arc<[u8]>, ObjectError> {
        if *id == self.hash {
            return Ok(self.bytes.as_slice().into());
        }
        self.inner.get(id)
    }

    fn put(&self, domain: Domain, content: &[u8]) -> Result<Hash, ObjectError> {
        Ok(Hash::of(domain, content))
    }

    fn contains(&self, id: &Hash) -> bool {
        self.inner.contains(id)
    }
}

#[test]
fn flipped_bits_are_found_and_never_panic() {
    let objects = MemoryObjects::default();
    let content = sample(3000);
    let root = built(&objects, &content);
    let other = edit(
        &objects,
        &root,
        content.keys().step_by(50).map(|key| (key.clone(), None)),
    )
    .unwrap();
    let nodes = nodes_of(&objects, &root);
    for turn in 0..1500 {
        let (hash, bytes) = &nodes[usize::try_from(scrambled(turn) % nodes.len() as u64).unwrap()];
        // Half of the flips in the first bytes, where lengths are.
        let reach = if turn % 2 == 0 { 40 } else { bytes.len() as u64 };
        let place = usize::try_from(scrambled(!turn) % reach.min(bytes.len() as u64)).unwrap();
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << (turn % 8);
        assert_canonical_or_rejected(&bytes);
        let damaged = Replaced {
            inner: &objects,
            hash: *hash,
            bytes,
        };
        assert!(verify(&damaged, &root).is_err());
        if turn % 10 == 0 {
            let _ = iter(&damaged, &root).flatten().count();
            let _ = diff(&damaged, &root, &other).flatten().count();
            let _ = edit(
                &damaged,
                &root,
                content.keys().step_by(20).map(|key| (key.clone(), None)),
            )
            .is_ok();
            let _ = visit(&damaged, &root, &mut |_| true, &mut |_, _| {}).is_ok();
        }
    }
}

#[test]
fn wrong_boundaries_are_found() {
    // Two nodes whose bytes and hashes are fine, but which no build makes.
    let objects = MemoryObjects::default();
    let content = sample(300);
    let mut level = node::Entries::default();
    let mut parent = node::Entries::default();
    let mut bytes = Vec::new();
    for (index, (key, value)) in content.iter().enumerate() {
        level.push(key, value);
        if index % 10 == 9 {
            level.encode(0, &mut bytes);
            let hash = objects.put(Domain::Leaf, &bytes).unwrap();
            parent.push(key, &node::child_value(&hash, 10));
            level.clear();
        }
    }
    parent.encode(1, &mut bytes);
    let root = objects.put(Domain::Inner, &bytes).unwrap();
    assert_eq!(listed(&objects, &root), content);
    assert!(matches!(verify(&objects, &root), Err(TreeError::Damaged { .. })));
}

#[test]
fn nodes_that_could_be_written_otherwise_are_rejected() {
    // Header, key ends, value ends, prefix with suffixes.
    let leaf = |prefix: u8, key_ends: &[u16], value_ends: &[u32], keys: &[u8]| {
        let count = u8::try_from(key_ends.len()).unwrap();
        let mut bytes = vec![0, count, 0, prefix, 0];
        bytes.extend(key_ends.iter().flat_map(|end| end.to_le_bytes()));
        bytes.extend(value_ends.iter().flat_map(|end| end.to_le_bytes()));
        bytes.extend_from_slice(keys);
        bytes
    };
    let cases: [(&str, Vec<u8>, Result<(), NodeError>); 12] = [
        ("good", leaf(1, &[1, 2], &[0, 0], b"abc"), Ok(())),
        (
            "prefix too short",
            leaf(0, &[2, 4], &[0, 0], b"abac"),
            Err(NodeError::Prefix),
        ),
        (
            "single key not all prefix",
            leaf(0, &[1], &[0], b"a"),
            Err(NodeError::Prefix),
        ),
        (
            "keys equal",
            leaf(1, &[1, 2], &[0, 0], b"abb"),
            Err(NodeError::Unsorted(1)),
        ),
        (
            "keys descend",
            leaf(0, &[1, 2], &[0, 0], b"ba"),
            Err(NodeError::Unsorted(1)),
        ),
        (
            "key ends go back",
            leaf(0, &[2, 1, 3], &[0, 0, 0], b"abc"),
            Err(NodeError::Ends(1)),
        ),
        (
            "key ends beyond the last",
            leaf(0, &[4, 3], &[0, 0], b"abcd"),
            Err(NodeError::Ends(0)),
        ),
        (
            "value ends go back",
            leaf(0, &[1, 2], &[1, 0], b"ab"),
            Err(NodeError::Ends(1)),
        ),
        (
            "value missing",
            leaf(0, &[1, 2], &[0, 1], b"ab"),
            Err(NodeError::Truncated),
        ),
        ("empty with prefix", vec![0, 0, 0, 1, 0], Err(NodeError::Prefix)),
        ("empty inner", vec![1, 0, 0, 0, 0], Err(NodeError::Empty)),
        ("high", vec![49, 0, 0, 0, 0], Err(NodeError::LevelTooHigh)),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(check_node(&bytes), expected, "{name}");
    }
    let long_key = [&[0, 1, 0, 0x4d, 4, 0, 0, 0, 0, 0, 0], [7; 1101].as_slice()].concat();
    assert_eq!(check_node(&long_key), Err(NodeError::TooLong(0)));
    let inner = |records: [u64; 2]| {
        let mut entries = node::Entries::default();
        entries.push(b"a", &node::child_value(&empty_root(), records[0]));
        entries.push(b"b", &node::child_value(&empty_root(), records[1]));
        let mut bytes = Vec::new();
        entries.encode(1, &mut bytes);
        bytes
    };
    assert_eq!(check_node(&inner([1, 2])), Ok(()));
    assert_eq!(check_node(&inner([1, 0])), Err(NodeError::Records(1)));
    assert_eq!(check_node(&inner([u64::MAX, 1])), Err(NodeError::Records(1)));
}

#[test]
fn children_must_be_what_their_parents_say() {
    let objects = MemoryObjects::default();
    let put = |level: u8, entries: &[(&[u8], Vec<u8>)]| {
        let mut all = node::Entries::default();
        for (key, value) in entries {
            all.push(key, value);
        }
        let mut bytes = Vec::new();
        all.encode(level, &mut bytes);
        let domain = if level == 0 { Domain::Leaf } else { Domain::Inner };
        objects.put(domain, &bytes).unwrap()
    };
    let leaf = |keys: &[&'static [u8]]| put(0, &keys.iter().map(|key| (*key, Vec::new())).collect::<Vec<_>>());
    let parent = |level, (first, first_key, records): (Hash, &'static [u8], u64), second: Hash| {
        let entries = [
            (first_key, node::child_value(&first, records).to_vec()),
            (b"d".as_slice(), node::child_value(&second, 2).to_vec()),
        ];
        put(level, &entries)
    };
    let left = leaf(&[b"a", b"b"]);
    let right = leaf(&[b"c", b"d"]);
    let good = parent(1, (left, b"b", 2), right);
    assert_eq!(iter(&objects, &good).flatten().count(), 4);
    for (what, bad) in [
        ("level", parent(2, (left, b"b", 2), right)),
        ("last key", parent(1, (left, b"bb", 2), right)),
        ("records", parent(1, (left, b"b", 3), right)),
        ("overlap", parent(1, (left, b"b", 2), leaf(&[b"b", b"d"]))),
        ("empty", parent(1, (empty_root(), b"b", 1), right)),
    ] {
        let errors = iter(&objects, &bad).filter(Result::is_err).count();
        assert_eq!(errors, 1, "{what}");
        let error = edit(&objects, &bad, [(b"a".to_vec(), None), (b"d".to_vec(), None)]).unwrap_err();
        assert!(matches!(error, TreeError::Damaged { .. }), "{what}");
        assert!(verify(&objects, &bad).is_err(), "{what}");
    }
}

#[test]
fn missing_nodes_are_errors_and_end_the_walk() {
    let objects = MemoryObjects::default();
    let content = sample(2000);
    let root = built(&objects, &content);
    let partial = MemoryObjects::default();
    partial.put(Domain::Inner, &objects.get(&root).unwrap()).unwrap();
    let mut walk = iter(&partial, &root);
    assert!(matches!(
        walk.next(),
        Some(Err(TreeError::Object(ObjectError::Missing(_))))
    ));
    assert!(walk.next().is_none());
    let mut changes = diff(&partial, &root, &empty_root());
    assert!(matches!(
        changes.next(),
        Some(Err(TreeError::Object(ObjectError::Missing(_))))
    ));
    assert!(changes.next().is_none());
}

#[test]
fn bad_input_is_refused() {
    let objects = MemoryObjects::default();
    let entries = |keys: &[&[u8]]| -> Vec<Result<_, TreeError>> {
        keys.iter().map(|key| Ok((key.to_vec(), Vec::new()))).collect()
    };
    for keys in [[b"b", b"a"], [b"a", b"a"]] {
        let keys: [&[u8]; 2] = [keys[0], keys[1]];
        assert!(matches!(build(&objects, entries(&keys)), Err(TreeError::Unsorted { key }) if key == b"a"));
        let edits = keys.map(|key| (key.to_vec(), None));
        assert!(matches!(edit(&objects, &empty_root(), edits), Err(TreeError::Unsorted { key }) if key == b"a"));
    }
    let long = vec![0; KEY_MAX_BYTES + 1];
    assert!(matches!(
        build(&objects, entries(&[&long])),
        Err(TreeError::KeyTooLong { length: 1101 })
    ));
    let large = vec![0; VALUE_MAX_BYTES + 1];
    let edits = [(vec![1], Some(large))];
    assert!(matches!(
        edit(&objects, &empty_root(), edits),
        Err(TreeError::ValueTooLong { .. })
    ));
    let failing = [Err(TreeError::KeyTooLong { length: 7 })];
    assert!(matches!(
        build(&objects, failing),
        Err::<Hash, _>(TreeError::KeyTooLong { length: 7 })
    ));
}

#[test]
fn keys_before_their_grandparents_place_are_found() {
    // Each parent is right about its children, but the first leaf below the second inner node begins too early, with a
    // key that is shorter than what the others share.
    let objects = MemoryObjects::default();
    let leaf = |keys: [&[u8]; 2]| {
        let mut entries = node::Entries::default();
        for key in keys {
            entries.push(key, b"");
        }
        (0, entries, keys[1].to_vec(), 2)
    };
    let put = |(level, entries, last, records): (u8, node::Entries, Vec<u8>, u64)| {
        let mut bytes = Vec::new();
        entries.encode(level, &mut bytes);
        let domain = if level == 0 { Domain::Leaf } else { Domain::Inner };
        (objects.put(domain, &bytes).unwrap(), last, records)
    };
    let inner = |level: u8, children: [(Hash, Vec<u8>, u64); 2]| {
        let mut entries = node::Entries::default();
        for (hash, key, records) in &children {
            entries.push(key, &node::child_value(hash, *records));
        }
        let records = children.iter().map(|child| child.2).sum();
        (level, entries, children[1].1.clone(), records)
    };
    let left = put(inner(
        1,
        [put(leaf([b"kkkk1", b"kkkk2"])), put(leaf([b"kkkk3", b"kkkk4"]))],
    ));
    let right = put(inner(1, [put(leaf([b"a", b"kkkk6"])), put(leaf([b"kkkk7", b"kkkk8"]))]));
    let (root, ..) = put(inner(2, [left, right]));
    let edits = [b"kkkk1", b"kkkk3", b"kkkk8"].map(|key| (key.to_vec(), Some(b"x".to_vec())));
    assert!(matches!(edit(&objects, &root, edits), Err(TreeError::Unsorted { .. })));
    assert!(verify(&objects, &root).is_err());
}

#[test]
fn verify_follows_the_order_of_keys_over_all_levels() {
    // In a last inner node of one child nothing but the order of the records shows a key that is too small.
    let objects = MemoryObjects::default();
    let put = |level: u8, node: &Node, last: (&[u8], &[u8]), first: Option<&[u8]>| {
        let mut entries = node::Entries::default();
        if let Some(key) = first {
            entries.push(key, b"");
        }
        for index in 0..node.len() - 1 {
            entries.push(&node.key(index), node.value(index));
        }
        entries.push(last.0, last.1);
        let mut bytes = Vec::new();
        entries.encode(level, &mut bytes);
        let domain = if level == 0 { Domain::Leaf } else { Domain::Inner };
        (objects.put(domain, &bytes).unwrap(), Node::parse(bytes.into()).unwrap())
    };
    let mut found = 0;
    for records in 4..200 {
        let root = load(&objects, &built(&objects, &deep(records))).unwrap();
        if root.level() != 2 {
            continue;
        }
        let inner = load_child(&objects, &root, root.len() - 1).unwrap();
        if inner.len() > 1 {
            continue;
        }
        let leaf = load_child(&objects, &inner, 0).unwrap();
        let last = leaf.key(leaf.len() - 1);
        let (hash, changed) = put(0, &leaf, (&last, leaf.value(leaf.len() - 1)), Some(b"a"));
        let (hash, changed) = put(1, &inner, (&last, &node::child_value(&hash, changed.records())), None);
        let (hash, _) = put(2, &root, (&last, &node::child_value(&hash, changed.records())), None);
        match verify(&objects, &hash) {
            Err(TreeError::Damaged { what, .. }) if what.contains("begin before") => found += 1,
            // The key more may have moved the end of the leaf.
            Err(TreeError::Damaged { what, .. }) if what.contains("goes on") => {}
            other => panic!("{records}: {other:?}"),
        }
    }
    assert!(found > 0);
}
