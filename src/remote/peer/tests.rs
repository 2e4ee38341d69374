//! Messages survive their encoding, and nothing else is read as one.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::model::{Domain, Hash, ReplicaId, SnapshotId};
use crate::remote::CollectionHeads;

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash::from_bytes)
}

fn ids() -> impl Strategy<Value = Vec<SnapshotId>> {
    vec(hash().prop_map(SnapshotId), 0..5)
}

fn heads() -> impl Strategy<Value = Vec<CollectionHeads>> {
    let collections = proptest::collection::btree_map("[a-zé]{1,8}", ("[a-z]{1,8}", ids()), 0..4);
    collections.prop_map(|collections| {
        let collections = collections.into_iter();
        collections
            .map(|(name, (kind, heads))| CollectionHeads { name, kind, heads })
            .collect()
    })
}

fn hello() -> impl Strategy<Value = PeerHello> {
    let identity = (
        any::<[u8; 16]>(),
        any::<[u8; 16]>(),
        "[a-zé]{0,12}",
        hash(),
        proptest::option::of(heads()),
    );
    let identity = identity.prop_map(|(replica, origin, system, digest, heads)| PeerIdentity {
        replica: ReplicaId::from_bytes(replica),
        origin: ReplicaId::from_bytes(origin),
        system,
        digest,
        heads,
    });
    let known =
        ("[0-9.]{1,9}", any::<u32>(), proptest::option::of(identity)).prop_map(|(program, store_format, identity)| {
            PeerHello {
                versions: PEER_VERSIONS,
                program,
                store_format,
                identity,
            }
        });
    let newer = ("[0-9.]{1,9}", 2..9u32, 0..9u32).prop_map(|(program, lowest, more)| PeerHello {
        versions: PeerVersions {
            lowest,
            highest: lowest + more,
        },
        program,
        store_format: 9,
        identity: None,
    });
    prop_oneof![known, newer]
}

fn marks() -> impl Strategy<Value = Marks> {
    vec(any::<bool>(), 0..40).prop_map(Marks)
}

fn message() -> impl Strategy<Value = PeerMessage> {
    let domain = (1..14u8).prop_filter_map("no domain", Domain::from_number);
    prop_oneof![
        hello().prop_map(PeerMessage::Hello),
        ids().prop_map(PeerMessage::Ask),
        marks().prop_map(PeerMessage::Known),
        (ids(), ids()).prop_map(|(want, have)| PeerMessage::Get { want, have }),
        (any::<u32>(), any::<u64>()).prop_map(|(parts, bytes)| PeerMessage::Begin { parts, bytes }),
        vec((domain, hash()), 0..5).prop_map(PeerMessage::Offer),
        marks().prop_map(PeerMessage::Lacks),
        vec(any::<u8>(), 0..40).prop_map(PeerMessage::Pack),
        Just(PeerMessage::End),
        Just(PeerMessage::Taken),
        (0..8u8, "[a-zé ]{0,40}").prop_map(|(number, text)| PeerMessage::Refused {
            because: RefusedBecause::of_number(number),
            text,
        }),
    ]
}

/// Bytes that can be looked at while a link writes them.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(messages: &[PeerMessage]) -> Vec<u8> {
    let out = Written::default();
    let mut link = PeerLink::new(Box::new(std::io::empty()), Box::new(out.clone()));
    for message in messages {
        link.send(message).unwrap();
    }
    let bytes = out.0.lock().unwrap().clone();
    assert_eq!(link.sent_bytes(), bytes.len() as u64);
    bytes
}

fn reading(bytes: Vec<u8>) -> PeerLink {
    PeerLink::new(Box::new(Cursor::new(bytes)), Box::new(std::io::sink()))
}

proptest! {
    #[test]
    fn messages_come_back(message in message()) {
        let body = message.encode();
        prop_assert_eq!(PeerMessage::decode(message.kind(), &body), Ok(message));
    }

    #[test]
    fn any_bytes_are_a_message_with_one_form_or_an_error(kind in 0..13u8, body in vec(any::<u8>(), 0..120)) {
        if let Ok(message) = PeerMessage::decode(kind, &body) {
            let again = message.encode();
            // What newer programs add to a hello, and the reasons of newer programs, are passed over.
            let is_open = matches!(message, PeerMessage::Hello(_) | PeerMessage::Refused { .. });
            prop_assert!(is_open || again == body);
            prop_assert_eq!(PeerMessage::decode(kind, &again), Ok(message));
        }
    }

    #[test]
    fn a_link_gives_what_was_sent_and_tells_where_it_was_cut(
        messages in vec(message(), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = written(&messages);
        let mut link = reading(bytes.clone());
        for message in &messages {
            match link.receive() {
                Ok(received) => prop_assert_eq!(&received, message),
                Err(PeerError::Refused { .. }) => {
                    let is_refusal = matches!(message, PeerMessage::Refused { .. });
                    prop_assert!(is_refusal);
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
        prop_assert!(matches!(link.receive(), Err(PeerError::Ended)));
        prop_assert_eq!(link.received_bytes(), bytes.len() as u64);
        let mut link = reading(bytes[..cut.index(bytes.len())].to_vec());
        let end = loop {
            match link.receive() {
                Ok(_) | Err(PeerError::Refused { .. }) => {}
                Err(error) => break error,
            }
        };
        prop_assert!(matches!(end, PeerError::Ended | PeerError::Broken { .. }), "{:?}", end);
    }
}

#[test]
fn limits_hold_before_anything_is_read() {
    let mut bytes = written(&[PeerMessage::End]);
    let head = bytes.len() - 5;
    for (kind, length) in [(8u8, u32::MAX), (2, 17 << 20), (9, 1), (10, 1)] {
        bytes[head] = kind;
        bytes[head + 1..].copy_from_slice(&length.to_le_bytes());
        let error = reading(bytes.clone()).receive().unwrap_err();
        assert!(
            matches!(error, PeerError::Malformed(MessageError::Length { .. })),
            "{error:?}"
        );
    }
    for kind in [0, 12, 255] {
        bytes[head] = kind;
        let error = reading(bytes.clone()).receive().unwrap_err();
        assert!(
            matches!(error, PeerError::Malformed(MessageError::Kind(_))),
            "{error:?}"
        );
    }
    let id = SnapshotId(Hash::from_bytes([7; 32]));
    for (most, message) in [
        (MAX_ASKED, &PeerMessage::Ask as &dyn Fn(Vec<SnapshotId>) -> PeerMessage),
        (MAX_IDS, &|want| PeerMessage::Get { want, have: Vec::new() }),
    ] {
        let kind = message(Vec::new()).kind();
        assert!(PeerMessage::decode(kind, &message(vec![id; most]).encode()).is_ok());
        assert!(PeerMessage::decode(kind, &message(vec![id; most + 1]).encode()).is_err());
    }
    let mut huge = Vec::new();
    // A count that no memory holds.
    crate::remote::wire::number_into(u64::MAX / 2, &mut huge);
    for kind in [2, 3, 6, 7] {
        assert!(PeerMessage::decode(kind, &huge).is_err());
    }
}

#[test]
fn a_stranger_is_shown_with_what_it_says() {
    let error = reading(b"Welcome to nas, user!\nlast login".to_vec())
        .receive()
        .unwrap_err();
    assert!(error.to_string().contains("it says `Welcome to nas"), "{error}");
    let error = reading(b"no".to_vec()).receive().unwrap_err();
    assert!(matches!(error, PeerError::NotAPeer { .. }), "{error}");
    let error = reading(Vec::new()).receive().unwrap_err();
    assert!(matches!(error, PeerError::Broken { .. }), "{error}");
}

#[test]
fn what_a_newer_program_adds_to_its_hello_is_passed_over() {
    let identity = PeerIdentity {
        replica: ReplicaId::from_bytes([1; 16]),
        origin: ReplicaId::from_bytes([2; 16]),
        system: "nas".to_owned(),
        digest: Hash::from_bytes([3; 32]),
        heads: None,
    };
    let hello = |highest| PeerHello {
        versions: PeerVersions { lowest: 1, highest },
        program: "9.9".to_owned(),
        store_format: 7,
        identity: Some(identity.clone()),
    };
    let with_more = |highest| {
        let mut body = PeerMessage::Hello(hello(highest)).encode();
        body.extend_from_slice(b"more");
        PeerMessage::decode(1, &body)
    };
    assert_eq!(with_more(2), Ok(PeerMessage::Hello(hello(2))));
    assert!(with_more(1).is_err());
}

#[test]
fn versions_meet_at_the_newest_that_both_speak() {
    let range = |lowest, highest| PeerVersions { lowest, highest };
    assert_eq!(range(1, 3).common(range(2, 9)), Some(3));
    assert_eq!(range(1, 1).common(range(2, 9)), None);
    assert_eq!(range(4, 5).common(range(1, 3)), None);
    let error = PeerError::Version {
        program: "0.9.0".to_owned(),
        theirs: range(2, 3),
        ours: range(1, 1),
    };
    let text = error.to_string();
    assert!(
        text.contains("version 2 to 3") && text.contains("version 1: update this one"),
        "{text}"
    );
}
