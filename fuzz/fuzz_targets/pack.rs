//! Packs of a store: an error or a summary, without more memory than the bytes justify.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _verdict = dsync::store::pack::check(bytes);
});
