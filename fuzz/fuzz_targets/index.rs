//! Objects of the index for servers without listings: the input is an object without its last line, which is added.

#![no_main]

use dsync::model::{Domain, Hash};
use dsync::remote::listing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert_eq!(listing::index(bytes).as_deref(), listing::index(bytes).as_deref());
    let content = [b"dsync-index 1\n", bytes].concat();
    let end = format!("= {}\n", Hash::of(Domain::Remote, &content));
    let object = [content, end.into_bytes()].concat();
    if let Some(again) = listing::index(&object) {
        assert_eq!(listing::index(&again), Some(again.clone()));
    }
});
