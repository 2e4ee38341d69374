use std::collections::BTreeMap;

use proptest::prelude::*;

use super::layout::{HEADER_BYTES, MAX_OBJECT_BYTES, TRAILER_BYTES};
use super::*;
use crate::disk::Disk;

/// Writes a pack and returns its bytes.
fn pack_of(objects: &[Vec<u8>]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    let disk = Disk::default();
    let mut writer = PackWriter::create(&disk, &path, 1).unwrap();
    for content in objects {
        writer
            .add(Hash::of(Domain::Leaf, content), Domain::Leaf, content)
            .unwrap();
    }
    let name = writer.finish().unwrap();
    let bytes = disk.read(&path).unwrap();
    assert_eq!(Pack::open(Box::new(bytes.clone()), 1).unwrap().name(), name);
    bytes
}

fn numbered(count: usize, length: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| format!("{number:0length$}").into_bytes())
        .collect()
}

fn get(pack: &Pack, id: &Hash) -> Option<Vec<u8>> {
    let entry = pack.find(id).unwrap()?;
    Some(entry.slice(&pack.block(entry.block).unwrap()).unwrap().to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_object_is_found_and_no_other(
        objects in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..700),
    ) {
        let bytes = pack_of(&objects);
        let pack = Pack::open(Box::new(bytes.clone()), 1).unwrap();
        let by_id: BTreeMap<Hash, &Vec<u8>> =
            objects.iter().map(|content| (Hash::of(Domain::Leaf, content), content)).collect();
        for (id, content) in &by_id {
            prop_assert_eq!(get(&pack, id), Some((*content).clone()));
            prop_assert_eq!(get(&pack, &Hash::of(Domain::Inner, content)), None);
        }
        prop_assert_eq!(get(&pack, &Hash::from_bytes([0; 32])), None);
        prop_assert_eq!(get(&pack, &Hash::from_bytes([255; 32])), None);
        let mut ids = Vec::new();
        pack.scan(&Hash::from_bytes([0; 32]), &mut |entry| { ids.push(entry.id); true }).unwrap();
        prop_assert!(ids.iter().eq(by_id.keys()));
        let summary = check(&bytes).unwrap();
        prop_assert_eq!(summary.objects, by_id.len() as u64);
        prop_assert_eq!(summary.raw_bytes, by_id.values().map(|content| content.len() as u64).sum::<u64>());
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(check(&bytes).is_err());
        let mut framed = layout::header().to_vec();
        framed.extend_from_slice(&bytes);
        framed.extend_from_slice(b"dEND");
        prop_assert!(check(&framed).is_err());
    }

    /// Footers that are true to their hash and say anything: what a hostile writer could make.
    #[test]
    fn tables_that_lie_are_refused(body in proptest::collection::vec(any::<u8>(), 0..300), blocks in 0u32..4, objects in 0u32..600) {
        let mut footer = blocks.to_be_bytes().to_vec();
        footer.extend_from_slice(&objects.to_be_bytes());
        footer.extend_from_slice(Hash::of(Domain::Pack, b"").bytes());
        footer.extend_from_slice(&body);
        prop_assert!(check(&with_footer(&[], &footer)).is_err());
    }
}

/// Frames a footer with a right header, hash and trailer.
fn with_footer(blocks_and_pages: &[u8], footer: &[u8]) -> Vec<u8> {
    let header = layout::header();
    let mut bytes = [&header[..], blocks_and_pages, footer].concat();
    bytes.extend_from_slice(&u32::try_from(footer.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(Hash::of(Domain::Pack, &[&header[..], footer].concat()).bytes());
    bytes.extend_from_slice(b"dEND");
    bytes
}

#[test]
fn every_flipped_byte_is_found() {
    let bytes = pack_of(&numbered(5, 40));
    assert!(check(&bytes).is_ok());
    for place in 0..bytes.len() {
        for flip in [1, 0x80, 0xFF] {
            let mut changed = bytes.clone();
            changed[place] ^= flip;
            assert!(check(&changed).is_err(), "byte {place} of {}", bytes.len());
        }
    }
}

#[test]
fn every_flipped_byte_of_a_pack_with_many_pages_and_blocks_is_found() {
    let bytes = pack_of(&numbered(600, 500));
    assert!(check(&bytes).is_ok());
    for place in (0..bytes.len())
        .step_by(97)
        .chain(bytes.len() - TRAILER_BYTES..bytes.len())
    {
        let mut changed = bytes.clone();
        changed[place] ^= 0x10;
        assert!(check(&changed).is_err(), "byte {place} of {}", bytes.len());
    }
}

#[test]
fn a_pack_cut_anywhere_or_followed_by_more_is_refused() {
    let bytes = pack_of(&numbered(5, 40));
    for length in 0..bytes.len() {
        assert!(check(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(check(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let mut bytes = pack_of(&numbered(5, 40));
    bytes[HEADER_BYTES - 1] = 2;
    assert!(matches!(check(&bytes), Err(PackError::Newer { found: 2 })));
}

/// A pack of one block and one entry.
fn pack_with(stored: &[u8], entry: Entry) -> Vec<u8> {
    let mut page = Vec::new();
    entry.write(&mut page);
    let row = layout::BlockRow {
        offset: 0,
        stored_bytes: u32::try_from(stored.len()).unwrap(),
    };
    let pages = [layout::PageRow::new(&entry.id, &page)];
    let (footer, _) = layout::footer(&[row], &[Hash::of(Domain::Pack, stored)], &pages, 1).unwrap();
    [&layout::header()[..], stored, &page, &footer].concat()
}

/// A zstd frame of a few bytes that announces another length.
fn announcing(content: &[u8], length: u32) -> Vec<u8> {
    let honest = zstd::bulk::compress(content, 1).unwrap();
    // One segment, its length in one byte; then in four.
    assert_eq!(honest[4..6], [0x20, u8::try_from(content.len()).unwrap()]);
    [&honest[..4], &[0xA0], &length.to_le_bytes(), &honest[6..]].concat()
}

#[test]
fn a_block_that_announces_too_much_is_refused_without_reserving_it() {
    let entry = Entry {
        id: Hash::of(Domain::Leaf, b"small"),
        domain: 1,
        block: 0,
        offset: 0,
        length_bytes: 5,
    };
    let limit = u32::try_from(MAX_OBJECT_BYTES).unwrap();
    for announced in [4, 6, 4 << 20, (4 << 20) + 1, limit, limit + 1, u32::MAX] {
        assert!(
            check(&pack_with(&announcing(b"small", announced), entry)).is_err(),
            "{announced}"
        );
    }
    assert!(check(&pack_with(&announcing(b"small", 5), entry)).is_ok());
}

#[test]
fn a_small_object_needs_one_small_block() {
    let objects = numbered(2000, 1000);
    let pack = Pack::open(Box::new(pack_of(&objects)), 1).unwrap();
    for content in objects.iter().step_by(50) {
        let entry = pack.find(&Hash::of(Domain::Leaf, content)).unwrap().unwrap();
        assert!(pack.block(entry.block).unwrap().len() <= BLOCK_BYTES);
    }
    let huge = vec![vec![1; 3 * BLOCK_BYTES], b"small".to_vec()];
    let pack = Pack::open(Box::new(pack_of(&huge)), 1).unwrap();
    let entry = pack.find(&Hash::of(Domain::Leaf, b"small")).unwrap().unwrap();
    assert_eq!(pack.block(entry.block).unwrap(), b"small");
    assert_eq!(get(&pack, &Hash::of(Domain::Leaf, &huge[0])).unwrap(), huge[0]);
}

#[test]
fn packs_of_nothing_and_of_an_empty_object() {
    assert_eq!(check(&pack_of(&[])).unwrap().objects, 0);
    assert_eq!(check(&pack_of(&[Vec::new()])).unwrap().objects, 1);
}

#[test]
fn entries_that_point_anywhere_are_refused() {
    let stored = zstd::bulk::compress(b"small", 1).unwrap();
    let id = Hash::of(Domain::Leaf, b"small");
    let with = |change: &dyn Fn(&mut Entry)| {
        let mut entry = Entry {
            id,
            domain: 1,
            block: 0,
            offset: 0,
            length_bytes: 5,
        };
        change(&mut entry);
        check(&pack_with(&stored, entry))
    };
    assert!(with(&|_| {}).is_ok());
    for number in [1, 6, u32::MAX] {
        assert!(with(&|entry| entry.block = number).is_err());
        assert!(with(&|entry| entry.offset = number).is_err());
        assert!(with(&|entry| entry.length_bytes = number).is_err());
    }
    for domain in [0, 2, 14, 255] {
        assert!(with(&|entry| entry.domain = domain).is_err());
    }
    assert!(with(&|entry| entry.id = Hash::from_bytes([0; 32])).is_err());
}

/// A pack of format 1 as it was written when the format was made; every later program must read it.
const SAMPLE: &str = "\
    6473796e6350414b0000000128b52ffd2019c900006669727374206f626a6563747365636f6e64206f626a6563741ab81262\
    001a6e2321bc06ee2ca4c399e72549c4fc37d0f724e410f6596165c001000000000000000c0000000d68122fe96e003cf9d4\
    9d6b921e7a2be106a3a1bb6e59d4c197b728e8d85f7a360100000000000000000000000cb03c98713ffdb9ad89dc0f7acc2e\
    7cd54670a22a80016a97436bdd3f6ccb0d080000000100000002aa34e528f675bf73c4d7c0f14e26937602a47de30f2e7d24\
    5ddd92a1ccc2ed2a000000221ab81262001a6e23f0fc0f258bb771e00000003cd7d513d8e5f7798e6cc999c9848c6056d507\
    07796780a7ce87482d79ddda897264454e44";

#[test]
fn the_frozen_sample_is_read() {
    let bytes = data_encoding::HEXLOWER.decode(SAMPLE.as_bytes()).unwrap();
    assert_eq!(check(&bytes).unwrap().objects, 2);
    let pack = Pack::open(Box::new(bytes), 1).unwrap();
    for content in [&b"first object"[..], b"second object"] {
        assert_eq!(get(&pack, &Hash::of(Domain::Leaf, content)).unwrap(), content);
    }
}
