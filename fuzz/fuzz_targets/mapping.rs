//! Mapping files: an error that names the fault, or a format.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _verdict = dsync::format::rows::from_mapping(text);
});
