//! Files of `dsync pack`: an error or objects, never more memory than the limit.

#![no_main]

/// More than any input that a fuzzer makes.
const LIMIT_BYTES: u64 = 1 << 20;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let _verdict = dsync::remote::packfile::read(&mut rest, LIMIT_BYTES);
});
