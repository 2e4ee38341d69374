//! The container around every object: sealed under the remote's data key, or plain.
//!
//! Layout in `formats/SPEC.md`, "Containers". The data key of a remote never changes, and the descriptor commits
//! to it; so no bytes can open under two keys, which the cipher alone would allow.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretBox};

use super::descriptor::RemoteId;

/// The first byte of a sealed container.
const SEALED: u8 = 1;
/// The first byte of a plain container.
const PLAIN: u8 = 2;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// How much longer a sealed object is than its content.
pub const SEAL_OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// What an object is for; an object of one role never opens as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One push of a replica.
    Log,
    /// A rolled base (reserved).
    Base,
}

impl Role {
    const fn number(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Base => 2,
        }
    }

    /// The context that separates this role's key; the strings are part of the format.
    const fn context(self) -> &'static str {
        match self {
            Self::Log => "dsync remote 1 2026-11-22 key of log objects",
            Self::Base => "dsync remote 1 2026-11-22 key of base objects",
        }
    }
}

/// The context of the hash that the descriptor carries of the data key.
const COMMITMENT_CONTEXT: &str = "dsync remote 1 2026-11-22 commitment to the data key";

/// The key that every object of one remote is sealed under.
pub(super) struct DataKey(SecretBox<[u8; 32]>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DataKey(..)")
    }
}

impl DataKey {
    pub(super) fn new(bytes: Box<[u8; 32]>) -> Self {
        Self(SecretBox::new(bytes))
    }

    pub(super) fn copy_of(bytes: &[u8; 32]) -> Self {
        Self(SecretBox::init_with_mut(|key: &mut [u8; 32]| *key = *bytes))
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// Returns what the descriptor says about this key; it tells nothing about the key itself.
    pub(super) fn commitment(&self, remote: &RemoteId) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(COMMITMENT_CONTEXT);
        hasher.update(self.expose());
        hasher.update(remote.bytes());
        *hasher.finalize().as_bytes()
    }

    fn cipher(&self, role: Role) -> XChaCha20Poly1305 {
        let key = zeroize::Zeroizing::new(blake3::derive_key(role.context(), self.expose()));
        XChaCha20Poly1305::new((&*key).into())
    }
}

/// What an object is bound to: it opens in this place only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) remote: RemoteId,
    pub(super) role: Role,
    /// `<replica>.<sequence>`.
    pub(super) name: &'a str,
}

impl Place<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let mut data = vec![SEALED, self.role.number()];
        data.extend_from_slice(self.remote.bytes());
        data.extend_from_slice(self.name.as_bytes());
        data
    }
}

/// Why a container does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OpenError {
    #[error("it was not sealed for this place with this remote's key")]
    Forged,
    #[error("it is not sealed, and this remote is")]
    NotSealed,
    #[error("it is sealed, and this remote is not")]
    Sealed,
    #[error("it ends early")]
    Short,
    #[error("it has no container")]
    Unknown,
    #[error("its container is of a newer version")]
    Newer(u8),
}

/// Makes the stored bytes of `content`: sealed under `key`, plain without one.
pub(super) fn close(content: &[u8], key: Option<&DataKey>, place: Place<'_>) -> std::io::Result<Vec<u8>> {
    let Some(key) = key else {
        let mut stored = Vec::with_capacity(content.len() + 1);
        stored.push(PLAIN);
        stored.extend_from_slice(content);
        return Ok(stored);
    };
    let nonce: [u8; NONCE_BYTES] = super::random()?;
    let payload = Payload {
        msg: content,
        aad: &place.associated_data(),
    };
    let sealed = key
        .cipher(place.role)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| std::io::Error::other("content is too long for the cipher"))?;
    let mut stored = Vec::with_capacity(content.len() + SEAL_OVERHEAD_BYTES);
    stored.push(SEALED);
    stored.extend_from_slice(&nonce);
    stored.extend_from_slice(&sealed);
    Ok(stored)
}

/// Returns the content of stored bytes.
pub(super) fn open(stored: &[u8], key: Option<&DataKey>, place: Place<'_>) -> Result<Vec<u8>, OpenError> {
    let (version, rest) = stored.split_first().ok_or(OpenError::Short)?;
    match (*version, key) {
        (PLAIN, None) => Ok(rest.to_vec()),
        (PLAIN, Some(_)) => Err(OpenError::NotSealed),
        (SEALED, None) => Err(OpenError::Sealed),
        (SEALED, Some(key)) => {
            let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Short)?;
            let payload = Payload {
                msg: sealed,
                aad: &place.associated_data(),
            };
            key.cipher(place.role)
                .decrypt(&XNonce::from(*nonce), payload)
                .map_err(|_| OpenError::Forged)
        }
        (0, _) => Err(OpenError::Unknown),
        (newer, _) => Err(OpenError::Newer(newer)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const PLACE: Place<'static> = Place {
        remote: RemoteId::from_bytes([1; 16]),
        role: Role::Log,
        name: "a.1",
    };

    fn key(byte: u8) -> DataKey {
        DataKey::new(Box::new([byte; 32]))
    }

    #[test]
    fn opens_in_its_place_only() {
        let stored = close(b"content", Some(&key(1)), PLACE).unwrap();
        assert_eq!(stored.len(), 7 + SEAL_OVERHEAD_BYTES);
        const { assert!(SEAL_OVERHEAD_BYTES <= 60) };
        assert_eq!(open(&stored, Some(&key(1)), PLACE).unwrap(), b"content");
        assert_eq!(open(&stored, Some(&key(2)), PLACE), Err(OpenError::Forged));
        assert_eq!(open(&stored, None, PLACE), Err(OpenError::Sealed));
        let base = Place {
            role: Role::Base,
            ..PLACE
        };
        let name = Place { name: "a.2", ..PLACE };
        let remote = Place {
            remote: RemoteId::from_bytes([2; 16]),
            ..PLACE
        };
        for other in [base, name, remote] {
            assert_eq!(open(&stored, Some(&key(1)), other), Err(OpenError::Forged));
        }
    }

    #[test]
    fn every_cut_and_every_flip_fails() {
        let stored = close(b"content", Some(&key(1)), PLACE).unwrap();
        for end in 0..stored.len() {
            assert!(open(&stored[..end], Some(&key(1)), PLACE).is_err());
        }
        for place in 0..stored.len() * 8 {
            let mut bad = stored.clone();
            bad[place / 8] ^= 1 << (place % 8);
            assert!(open(&bad, Some(&key(1)), PLACE).is_err(), "bit {place}");
        }
    }

    #[test]
    fn nonces_differ_and_sealing_cannot_be_left_away() {
        let first = close(b"content", Some(&key(1)), PLACE).unwrap();
        let second = close(b"content", Some(&key(1)), PLACE).unwrap();
        assert_ne!(first[1..25], second[1..25]);
        let plain = close(b"content", None, PLACE).unwrap();
        assert_eq!(open(&plain, None, PLACE).unwrap(), b"content");
        assert_eq!(open(&plain, Some(&key(1)), PLACE), Err(OpenError::NotSealed));
    }

    /// Pins the derivation: a change would make every stored object unreadable.
    #[test]
    fn a_container_from_the_past_opens() {
        let stored = data_encoding::HEXLOWER
            .decode(include_bytes!("../../tests/data/remote/sealed-v1.hex").trim_ascii())
            .unwrap();
        assert_eq!(
            open(&stored, Some(&key(7)), PLACE).unwrap(),
            b"frozen sample of version 1"
        );
    }

    pub(in crate::remote) fn make_sample() -> Vec<u8> {
        close(b"frozen sample of version 1", Some(&key(7)), PLACE).unwrap()
    }

    #[test]
    fn the_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", key(1)), "DataKey(..)");
    }
}
