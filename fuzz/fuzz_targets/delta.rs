//! Difference sets: any bytes are one or an error, and reading one ends.

#![no_main]

use dsync::delta::Delta;
use dsync::model::Domain;
use dsync::port::{MemoryObjects, Objects};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let objects = MemoryObjects::default();
    let Ok(id) = objects.put(Domain::Delta, bytes) else {
        return;
    };
    if let Ok(delta) = Delta::open(&objects, &id) {
        // An iterator that goes on after an error would never end.
        let read = delta.iter().take_while(Result::is_ok).count();
        assert!(read as u64 <= delta.len());
        drop(delta.blob_references());
    }
});
