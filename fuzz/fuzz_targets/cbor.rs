//! Canonical values: whatever decodes has exactly these bytes.

#![no_main]

use dsync::model::cbor;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = cbor::decode(bytes) {
        assert_eq!(cbor::encode(&value), bytes, "two spellings of one value");
    }
});
