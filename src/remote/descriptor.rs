//! The object `dsync-remote`: what makes a storage a remote, and which one.

use std::fmt;
use std::str::FromStr;

use super::name::hex;
use crate::model::{Domain, Hash, ParseIdError};

/// The first words of a descriptor.
const MAGIC: &str = "dsync-remote";
/// The layout that this program reads and writes.
pub(super) const LAYOUT_VERSION: u32 = 1;
/// A line for the person who finds this file.
const EXPLANATION: &str =
    "History of synchronised data, kept by the program dsync. Please change nothing in this folder.";
/// The longest descriptor that is read.
pub(super) const MAX_DESCRIPTOR_BYTES: u64 = 4096;
/// Bytes of the check at the end: finds accidents, not enemies.
const CHECK_BYTES: usize = 8;

/// The random id of a remote.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteId([u8; 16]);

impl RemoteId {
    /// Takes 16 random bytes as an id.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for RemoteId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RemoteId({self})")
    }
}

/// What a store remembers of a remote, so that another one in its place is noticed before anything is sent there.
///
/// Without it, whoever owns the storage could replace the whole remote by one of his own: public keys are public,
/// so he can make key slots for them, or he could leave the sealing away. It holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemotePin {
    /// The remote's id.
    pub id: RemoteId,
    /// What the data key hashes to; `None` for a plain remote.
    pub(super) commitment: Option<[u8; 32]>,
}

impl RemotePin {
    /// Returns whether objects of this remote are sealed.
    pub fn is_sealed(&self) -> bool {
        self.commitment.is_some()
    }
}

impl fmt::Display for RemotePin {
    /// Writes `<id>:plain` or `<id>:<key check>`, for keeping in a file.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.commitment {
            None => write!(formatter, "{}:plain", self.id),
            Some(check) => write!(formatter, "{}:{}", self.id, data_encoding::HEXLOWER.encode(&check)),
        }
    }
}

impl FromStr for RemotePin {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let (id, content) = text.split_once(':').ok_or(ParseIdError)?;
        let commitment = match content {
            "plain" => None,
            check => Some(hex(check).ok_or(ParseIdError)?),
        };
        Ok(Self {
            id: RemoteId(hex(id).ok_or(ParseIdError)?),
            commitment,
        })
    }
}

/// Why bytes are no descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DescriptorError {
    /// Something else has this name.
    Foreign,
    /// A newer program wrote it.
    Newer(u32),
    /// It is incomplete or changed.
    Torn,
}

/// Writes the descriptor; everything in it is readable text.
pub(super) fn encode(pin: &RemotePin) -> Vec<u8> {
    let content = match pin.commitment {
        None => "content plain\n".to_owned(),
        Some(check) => format!("content sealed\nkey {}\n", data_encoding::HEXLOWER.encode(&check)),
    };
    let text = format!("{MAGIC} {LAYOUT_VERSION}\n{EXPLANATION}\nid {}\n{content}", pin.id);
    let check = Hash::of(Domain::Remote, text.as_bytes());
    let check = check.bytes().first_chunk::<CHECK_BYTES>().copied().unwrap_or_default();
    format!("{text}check {}\n", data_encoding::HEXLOWER.encode(&check)).into_bytes()
}

/// Reads a descriptor; only what [`encode`] writes is one.
pub(super) fn decode(bytes: &[u8]) -> Result<RemotePin, DescriptorError> {
    let magic = MAGIC.as_bytes();
    if !bytes.starts_with(magic) {
        return Err(if magic.starts_with(bytes) {
            DescriptorError::Torn
        } else {
            DescriptorError::Foreign
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| DescriptorError::Torn)?;
    let (first, _) = text.split_once('\n').ok_or(DescriptorError::Torn)?;
    let version = first
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.strip_prefix(' '))
        .and_then(|number| number.parse::<u32>().ok())
        .ok_or(DescriptorError::Torn)?;
    if version > LAYOUT_VERSION {
        return Err(DescriptorError::Newer(version));
    }
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let id = field("id ").and_then(hex).ok_or(DescriptorError::Torn)?;
    let pin = RemotePin {
        id: RemoteId(id),
        commitment: field("key ").and_then(hex),
    };
    // Writing it again checks order, completeness, spelling and the check line at once.
    if encode(&pin) == bytes {
        Ok(pin)
    } else {
        Err(DescriptorError::Torn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins() -> [RemotePin; 2] {
        let id = RemoteId([3; 16]);
        [
            RemotePin { id, commitment: None },
            RemotePin {
                id,
                commitment: Some([9; 32]),
            },
        ]
    }

    #[test]
    fn descriptor_and_pin_come_back() {
        for pin in pins() {
            assert_eq!(decode(&encode(&pin)), Ok(pin));
            assert_eq!(pin.to_string().parse(), Ok(pin));
        }
        assert!("x:plain".parse::<RemotePin>().is_err());
    }

    #[test]
    fn any_damage_is_seen() {
        for pin in pins() {
            let good = encode(&pin);
            for end in 0..good.len() {
                assert!(decode(&good[..end]).is_err(), "cut at {end}");
            }
            for place in 0..good.len() {
                for bit in 0..8 {
                    let mut bad = good.clone();
                    bad[place] ^= 1 << bit;
                    assert!(decode(&bad).is_err(), "bit {bit} of byte {place}");
                }
            }
            assert_eq!(decode(&[&good[..], b"\n"].concat()), Err(DescriptorError::Torn));
        }
        assert_eq!(decode(b"something else"), Err(DescriptorError::Foreign));
        assert_eq!(decode(b"dsync-remote 2\nnew\n"), Err(DescriptorError::Newer(2)));
    }
}
