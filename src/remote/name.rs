//! Names of a remote's objects (`formats/SPEC.md`, "Layout of a remote").

use std::fmt;

use crate::model::{Domain, Hash, ReplicaId};

/// The object that makes a storage a remote.
pub const DESCRIPTOR_NAME: &str = "dsync-remote";
/// The folder of log objects.
const LOG_PREFIX: &str = "log/";
/// The folder of rolled bases.
const BASE_PREFIX: &str = "base/";
/// The folder of key slots.
const KEY_PREFIX: &str = "key/";
/// The ending of key slots, so that a person sees which program opens them.
const KEY_ENDING: &str = ".age";
/// Digits of a sequence number in a name: names then sort as numbers do.
const SEQUENCE_DIGITS: usize = 12;
/// The largest number of an object.
pub const MAX_SEQUENCE: u64 = 999_999_999_999;
/// Bytes of an object's hash that its name carries.
const NAME_HASH_BYTES: usize = 16;
/// Bytes of a key slot's hash that its name carries: it finds torn slots, the slot authenticates itself.
const SLOT_HASH_BYTES: usize = 8;
/// The longest name of a key slot.
const MAX_SLOT_NAME_BYTES: usize = 64;

/// Which object of whom: `log/<replica>.<sequence>.<hash>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogName {
    /// Who wrote it.
    pub replica: ReplicaId,
    /// Its number, at most [`MAX_SEQUENCE`]; a replica never uses a number twice.
    pub sequence: u64,
    /// The start of the hash of the stored bytes. Two names with one number are a fork: the store was copied.
    pub hash: [u8; NAME_HASH_BYTES],
}

impl LogName {
    /// Names the stored (sealed) bytes of an object.
    pub(super) fn of(replica: ReplicaId, sequence: u64, stored: &[u8]) -> Self {
        let mut hash = [0; NAME_HASH_BYTES];
        for (to, from) in hash.iter_mut().zip(Hash::of(Domain::Remote, stored).bytes()) {
            *to = *from;
        }
        Self {
            replica,
            sequence,
            hash,
        }
    }

    /// Returns whether `stored` are the bytes that this name was made for.
    pub fn fits(&self, stored: &[u8]) -> bool {
        *self == Self::of(self.replica, self.sequence, stored)
    }

    /// Returns the name without folder and hash, which sealing binds the content to.
    pub(super) fn bound_name(&self) -> String {
        format!("{}.{:0SEQUENCE_DIGITS$}", self.replica, self.sequence)
    }

    /// Reads a name as [`fmt::Display`] writes it; anything else is `None`.
    pub fn parse(name: &str) -> Option<Self> {
        let parsed = Self::parse_in(LOG_PREFIX, name)?;
        (parsed.to_string() == name).then_some(parsed)
    }

    fn parse_in(folder: &str, name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(folder)?.split('.');
        let (replica, sequence, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || sequence.len() != SEQUENCE_DIGITS {
            return None;
        }
        Some(Self {
            replica: ReplicaId::from_bytes(hex(replica)?),
            sequence: sequence.parse().ok()?,
            hash: hex(hash)?,
        })
    }

    fn write_in(&self, folder: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = data_encoding::HEXLOWER.encode(&self.hash);
        write!(formatter, "{folder}{}.{hash}", self.bound_name())
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_in(LOG_PREFIX, formatter)
    }
}

/// Which part of a rolled base of whom: `base/<replica>.<number>.<hash>`. Bases have numbers of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseName(pub LogName);

impl BaseName {
    /// Reads a name as [`fmt::Display`] writes it; anything else is `None`.
    pub fn parse(name: &str) -> Option<Self> {
        let parsed = Self(LogName::parse_in(BASE_PREFIX, name)?);
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for BaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_in(BASE_PREFIX, formatter)
    }
}

/// Which key slot: `key/<slot>.<hash>.age`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SlotName {
    /// The name that a person gave it.
    pub(super) slot: String,
    hash: [u8; SLOT_HASH_BYTES],
}

impl SlotName {
    /// Names the bytes of a slot.
    pub(super) fn of(slot: &str, stored: &[u8]) -> Self {
        let mut hash = [0; SLOT_HASH_BYTES];
        for (to, from) in hash.iter_mut().zip(Hash::of(Domain::Remote, stored).bytes()) {
            *to = *from;
        }
        Self {
            slot: slot.to_owned(),
            hash,
        }
    }

    pub(super) fn fits(&self, stored: &[u8]) -> bool {
        *self == Self::of(&self.slot, stored)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (slot, hash) = name
            .strip_prefix(KEY_PREFIX)?
            .strip_suffix(KEY_ENDING)?
            .rsplit_once('.')?;
        let parsed = Self {
            slot: slot.to_owned(),
            hash: hex(hash)?,
        };
        (is_slot_name(slot) && parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = data_encoding::HEXLOWER.encode(&self.hash);
        write!(formatter, "{KEY_PREFIX}{}.{hash}{KEY_ENDING}", self.slot)
    }
}

/// Returns whether a key slot can have this name: 1 to 64 of `a-z 0-9 _ -`, a letter or digit first.
pub fn is_slot_name(slot: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    slot.len() <= MAX_SLOT_NAME_BYTES
        && slot.bytes().next().is_some_and(plain)
        && slot.bytes().all(|byte| plain(byte) || matches!(byte, b'_' | b'-'))
}

/// Reads exactly `N` bytes of lower-case hexadecimal digits.
pub(super) fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_a_name() {
        let name = LogName::of(ReplicaId::from_bytes([0xA5; 16]), 7, b"bytes");
        let text = name.to_string();
        assert_eq!(text.len(), 4 + 32 + 1 + 12 + 1 + 32);
        assert!(super::super::is_object_name(&text));
        assert_eq!(LogName::parse(&text), Some(name));
        let base = BaseName(name);
        assert_eq!(BaseName::parse(&text.replace("log/", "base/")), Some(base));
        assert_eq!(BaseName::parse(&text), None);
        assert!(name.fits(b"bytes") && !name.fits(b"byte"));
        for bad in [
            text.to_uppercase(),
            text.replace("log/", "base/"),
            text.replace("000000000007", "7"),
            text.replace("000000000007", "+00000000007"),
            format!("{text}.x"),
            text[..text.len() - 2].to_owned(),
            text.replace("log/", "log/log/"),
        ] {
            assert_eq!(LogName::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn slot_names_come_back() {
        let name = SlotName::of("laptop-2", b"age");
        assert_eq!(SlotName::parse(&name.to_string()), Some(name));
        for bad in ["", "A", "a.b", "-a", "a b", "ä", &"a".repeat(65)] {
            assert!(!is_slot_name(bad), "{bad}");
        }
    }
}
