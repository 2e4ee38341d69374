//! JSContact files: the laws of a format.

#![no_main]

use std::sync::LazyLock;

use dsync::format::{Format, all};

#[path = "laws.rs"]
mod laws;

static FORMAT: LazyLock<Box<dyn Format>> = LazyLock::new(|| {
    all()
        .into_iter()
        .find(|format| format.info().name == "jscontact")
        .expect("the format is built in")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    laws::check(FORMAT.as_ref(), bytes);
});
