//! Snapshots: whatever decodes has exactly these bytes, since its id is their hash.

#![no_main]

use dsync::delta::Snapshot;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(snapshot) = Snapshot::decode(bytes) {
        assert_eq!(snapshot.encode(), bytes, "two spellings of one snapshot");
    }
});
