//! What peers say: a stream of messages ends or breaks, and each message that decodes encodes to one that decodes to the same.

#![no_main]

use std::io::Cursor;

use dsync::remote::{PeerLink, PeerMessage};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((kind, body)) = bytes.split_first()
        && let Ok(message) = PeerMessage::decode(*kind, body)
    {
        assert_eq!(PeerMessage::decode(message.kind(), &message.encode()).as_ref(), Ok(&message));
    }
    let mut stream = b"dsyncP1\n".to_vec();
    stream.extend_from_slice(bytes);
    let mut link = PeerLink::new(Box::new(Cursor::new(stream)), Box::new(std::io::sink()));
    while link.receive().is_ok() {}
    assert!(link.received_bytes() <= bytes.len() as u64 + 8);
});
