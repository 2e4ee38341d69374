//! Pinned bytes and roots, and a second construction of trees that shares nothing with the builder.

use super::*;

/// The tree of `content` by the words of `formats/SPEC.md`, one whole level after the other, without the builder.
pub(super) fn reference_root(content: &Content) -> Hash {
    let mut entries: Vec<(Vec<u8>, Vec<u8>)> = content.clone().into_iter().collect();
    let mut records: Vec<u64> = vec![1; entries.len()];
    for level in 0_u8.. {
        let (scale, framing) = if level == 0 { (4096_u128, 6) } else { (2048, 2) };
        let mut above = Vec::new();
        let mut above_records = Vec::new();
        let mut start = 0;
        let mut before = 0_u128;
        for index in 0..entries.len() {
            let (key, value) = &entries[index];
            let size = (key.len() + value.len() + framing) as u128;
            let middle = before + size / 2;
            before += size;
            let drawn = u128::from(xxhash_rust::xxh3::xxh3_64_with_seed(key, u64::from(level)) >> 32);
            // 4 · middle³ · size / scale⁴ of 2³², written without rounding.
            let strikes = drawn < 4 * (1 << 32) * middle.pow(3) * size / scale.pow(4);
            let ends = index > start && (before >= 4 * scale || strikes);
            if ends || index + 1 == entries.len() {
                let bytes = reference_node(level, &entries[start..=index]);
                let hash = Hash::of(if level == 0 { Domain::Leaf } else { Domain::Inner }, &bytes);
                let count: u64 = records[start..=index].iter().sum();
                above.push((key.clone(), [hash.bytes().as_slice(), &count.to_le_bytes()].concat()));
                above_records.push(count);
                start = index + 1;
                before = 0;
            }
        }
        match above.as_slice() {
            [] => return Hash::of(Domain::Leaf, &[0; 5]),
            [(_, child)] => return Hash::from_slice(&child[..32]).unwrap(),
            _ => (entries, records) = (above, above_records),
        }
    }
    unreachable!("levels shrink")
}

fn reference_node(level: u8, entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let first = &entries[0].0;
    let shared = (0..=first.len())
        .rev()
        .find(|length| entries.iter().all(|(key, _)| key.starts_with(&first[..*length])))
        .unwrap();
    let (mut key_ends, mut value_ends, mut suffixes, mut values) = (vec![], vec![], vec![], vec![]);
    for (key, value) in entries {
        suffixes.extend_from_slice(&key[shared..]);
        values.extend_from_slice(value);
        key_ends.extend_from_slice(&u16::try_from(suffixes.len()).unwrap().to_le_bytes());
        if level == 0 {
            value_ends.extend_from_slice(&u32::try_from(values.len()).unwrap().to_le_bytes());
        }
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let prefix = u16::try_from(shared).unwrap().to_le_bytes();
    [
        &[level][..],
        &count,
        &prefix,
        &key_ends,
        &value_ends,
        &first[..shared],
        &suffixes,
        &values,
    ]
    .concat()
}

#[test]
fn node_bytes_are_pinned() {
    let objects = MemoryObjects::default();
    let content: Content = [("anna", "1"), ("anton", "23"), ("antonia", "")]
        .map(|(key, value)| (key.into(), value.into()))
        .into();
    let root = built(&objects, &content);
    let bytes = objects.get(&root).unwrap();
    // The example of `formats/SPEC.md`, "Trees".
    let expected = [
        b"\x00\x03\x00\x02\x00".as_slice(),
        b"\x02\x00\x05\x00\x0a\x00",
        b"\x01\0\0\0\x03\0\0\0\x03\0\0\0",
        b"an",
        b"natontonia",
        b"123",
    ]
    .concat();
    assert_eq!(&bytes[..], &expected[..]);
}

#[test]
fn roots_are_pinned() {
    // A change of any of these is a new format: states of replicas that hold the same records would no longer be equal.
    let objects = MemoryObjects::default();
    let large: Content = (0..40_u32)
        .map(|number| {
            (
                number.to_be_bytes().to_vec(),
                vec![number.to_le_bytes()[0]; 1000 * (number as usize % 7) * 10],
            )
        })
        .collect();
    let contents = [
        ("0", sample(0)),
        ("1", sample(1)),
        ("2", sample(2)),
        ("100", sample(100)),
        ("10000", sample(10_000)),
        ("large values", large),
        ("long keys", deep(300)),
    ];
    let mut lines = Vec::new();
    for (name, content) in &contents {
        let root = built(&objects, content);
        assert_eq!(root, reference_root(content), "{name}");
        lines.push(format!("{name}: {root}"));
    }
    let expected = [
        "0: 4fcb0e9e3c278d8048422e5f0a79527b505294c13a6292a8c2dac7f7366bd0cf",
        "1: 36a3f5c00155db3b0ee605568ab5c00cabc26d770429fd6240e79640b83e74e6",
        "2: 59c157be98f4b7b1a5f657a09d055a40d69acca73fb083e65a33a7dff9bbb9b9",
        "100: dd07ff5ea0dc18b327cd463f881ea8a599cb4efa75659dc4f863141863f58541",
        "10000: 3c62636ffcff9cbdf092474fbae7c66bdc0f3e7f2e23b2b05fa068c090924a06",
        "large values: 946584885265563bdcfb669c70e442624571e1eb7bdea6fbc6e81561c56271a5",
        "long keys: 0ef388e99e9be467d39e3712e7d8578c0ebd68b950f2913552b9e7331f7adfbd",
    ];
    assert_eq!(lines, expected);
}
