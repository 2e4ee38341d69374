//! Parquet files.

#![no_main]

#[path = "table.rs"]
mod table;

libfuzzer_sys::fuzz_target!(
    // The decoder panics on some damaged files, which the program makes an error of: only what gets out is a finding.
    init: std::panic::set_hook(Box::new(|_| ())),
    |bytes: &[u8]| table::check("parquet", "t.parquet", bytes)
);
