//! Tree nodes: no bytes make the check fail in another way than with an error.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _verdict = dsync::tree::check_node(bytes);
});
