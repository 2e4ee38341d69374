//! Content addresses.

use std::fmt;
use std::str::FromStr;

use super::ParseIdError;

/// A BLAKE3 content address, separated by [`Domain`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// What an address is the address of; equal bytes in two domains have different addresses.
///
/// The number is the first byte hashed (`formats/SPEC.md`, "Addresses"); numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Domain {
    /// A leaf node of a tree.
    Leaf = 1,
    /// An inner node of a tree.
    Inner = 2,
    /// Content of a value outside its record: at most one chunk.
    Blob = 3,
    /// A snapshot.
    Snapshot = 4,
    /// A difference set, or one block of a large one.
    Delta = 5,
    /// An operation of a store's log.
    Operation = 6,
    /// A native identity, shortened to a record key.
    Identity = 7,
    /// Item bytes of a source, as fingerprint.
    Item = 8,
    /// Bytes of a remote's object, as it is named there.
    Remote = 9,
    /// A canonical value (element ids, view comparison).
    Value = 10,
    /// An object pack of a store.
    Pack = 12,
    /// A list of the chunks of a large blob.
    ChunkList = 13,
}

impl Domain {
    const ALL: [Self; 12] = [
        Self::Leaf,
        Self::Inner,
        Self::Blob,
        Self::Snapshot,
        Self::Delta,
        Self::Operation,
        Self::Identity,
        Self::Item,
        Self::Remote,
        Self::Value,
        Self::Pack,
        Self::ChunkList,
    ];

    /// Returns the domain with this number; `None` when there is none.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|domain| *domain as u8 == number)
    }
}

/// Hashes content that fits, behind its domain, into `N` bytes.
fn of_short<const N: usize>(domain: Domain, content: &[u8]) -> Option<Hash> {
    let mut whole = [0; N];
    let (first, rest) = whole.split_first_mut()?;
    *first = domain as u8;
    rest.get_mut(..content.len())?.copy_from_slice(content);
    Some(Hash(*blake3::hash(whole.get(..=content.len())?).as_bytes()))
}

impl Hash {
    /// The length of an address in bytes.
    pub const BYTES: usize = 32;

    /// Hashes `content` in `domain`.
    pub fn of(domain: Domain, content: &[u8]) -> Self {
        // In one piece, keys take one call and nodes use all lanes of the processor.
        // The room is as large as the content needs, since all of it is cleared first.
        let short = match content.len() {
            0..128 => of_short::<128>(domain, content),
            128..512 => of_short::<512>(domain, content),
            512..2048 => of_short::<2048>(domain, content),
            2048..8192 => of_short::<8192>(domain, content),
            _ => None,
        };
        if let Some(hash) = short {
            return hash;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[domain as u8]);
        hasher.update(content);
        Self(*hasher.finalize().as_bytes())
    }

    /// Hashes content that arrives in pieces.
    ///
    /// `feed` calls what it is given with one piece after the other.
    pub fn of_pieces<E>(domain: Domain, feed: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), E>) -> Result<Self, E> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[domain as u8]);
        feed(&mut |piece| {
            hasher.update(piece);
        })?;
        Ok(Self(*hasher.finalize().as_bytes()))
    }

    /// Takes bytes that are an address already.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Takes a slice that is an address already; `None` when its length is wrong.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// Returns the bytes.
    pub const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Returns the first 12 hex digits, for people.
    pub fn short(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0[..6])
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hash({})", self.short())
    }
}

impl FromStr for Hash {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .map_err(|_| ParseIdError)?;
        Self::from_slice(&bytes).ok_or(ParseIdError)
    }
}
