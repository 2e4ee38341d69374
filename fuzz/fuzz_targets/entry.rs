//! Tree entries: whatever decodes has exactly these bytes, since roots compare them.

#![no_main]

use dsync::delta::Entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode(), bytes, "two spellings of one entry");
    }
});
