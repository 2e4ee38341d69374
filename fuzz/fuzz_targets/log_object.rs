//! Objects of a remote, opened: what decodes, encodes and decodes to the same again.

#![no_main]

use dsync::remote::LogObject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(object) = LogObject::decode(bytes)
        && let Ok(again) = object.encode()
    {
        assert_eq!(LogObject::decode(&again).as_ref(), Ok(&object));
    }
});
