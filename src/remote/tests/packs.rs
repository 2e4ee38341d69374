use super::packfile::{PackError, read, write};
use super::*;

const LIMIT: u64 = 1 << 20;

fn pack() -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&[sample(1, 1), objects::compressible()], &mut bytes).unwrap();
    bytes
}

#[test]
fn a_pack_comes_back() {
    let bytes = pack();
    assert!(bytes.starts_with(b"dsync-pack 1\n"));
    assert_eq!(
        read(&mut &bytes[..], LIMIT).unwrap(),
        [sample(1, 1), objects::compressible()]
    );
    let mut empty = Vec::new();
    write(&[], &mut empty).unwrap();
    assert_eq!(read(&mut &empty[..], 0).unwrap(), []);
}

#[test]
fn every_cut_and_every_flip_is_an_error() {
    let good = pack();
    for end in 0..good.len() {
        assert!(read(&mut &good[..end], LIMIT).is_err(), "cut at {end}");
    }
    for place in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[place / 8] ^= 1 << (place % 8);
        assert!(read(&mut &bad[..], LIMIT).is_err(), "bit {place}");
    }
    assert!(matches!(
        read(&mut &[&good[..], b"x"].concat()[..], LIMIT),
        Err(PackError::Damaged)
    ));
}

#[test]
fn other_files_are_named_as_such() {
    for other in [&b""[..], b"PK\x03\x04 and so on", b"dsync-remote 1\n"] {
        assert!(matches!(read(&mut &other[..], LIMIT), Err(PackError::NotAPack)));
    }
    assert!(matches!(
        read(&mut &b"dsync-pack 2\n..."[..], LIMIT),
        Err(PackError::NewerVersion)
    ));
}

#[test]
fn the_limit_counts_unpacked_bytes() {
    let mut large = sample(1, 1);
    large.objects.push((Domain::Blob, vec![0; 100_000]));
    let mut bytes = Vec::new();
    write(&[large.clone(), large], &mut bytes).unwrap();
    assert!(bytes.len() < 2000);
    assert!(matches!(
        read(&mut &bytes[..], 150_000),
        Err(PackError::TooLarge { .. })
    ));
    assert!(matches!(read(&mut &bytes[..], 300), Err(PackError::TooLarge { .. })));
    assert_eq!(read(&mut &bytes[..], 250_000).unwrap().len(), 2);
}

#[test]
fn a_pack_of_version_1_is_read() {
    let bytes = frozen(include_bytes!("../../../tests/data/remote/pack-v1.hex"));
    assert_eq!(
        read(&mut &bytes[..], LIMIT).unwrap(),
        [sample(1, 1), objects::compressible()]
    );
}

/// Makes the frozen samples of a new version. Those of published versions are never made again.
#[test]
#[ignore = "writes into the source tree; for a new version of a format only"]
fn make_samples() {
    let save = |name: &str, bytes: &[u8]| {
        let path = std::path::Path::new("tests/data/remote").join(name);
        assert!(!path.exists(), "{name} is published");
        std::fs::write(path, data_encoding::HEXLOWER.encode(bytes) + "\n").unwrap();
    };
    save("pack-v1.hex", &pack());
    save("log-object-v1.hex", &sample(3, 77).encode().unwrap());
    save("log-object-v1-zstd.hex", &objects::compressible().encode().unwrap());
    save("sealed-v1.hex", &seal::tests::make_sample());
}
