//! Operations of the log of a store: an error or an operation.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _verdict = dsync::store::Operation::decode(bytes);
});
