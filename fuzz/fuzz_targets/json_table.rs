//! JSON Lines and JSON arrays as tables.

#![no_main]

#[path = "table.rs"]
mod table;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    table::check("jsonl", "t.jsonl", bytes);
    table::check("json", "t.json", bytes);
});
