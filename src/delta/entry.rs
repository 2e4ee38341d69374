//! Values of the content tree.

use super::DeltaError;
use crate::model::{RecordKey, Value, cbor};

/// What a collection's tree holds under a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A record: always a map.
    Record(Value),
    /// The key's record is the one of this smaller key, which is no alias itself.
    Alias(RecordKey),
}

impl Entry {
    /// Returns the canonical bytes: a CBOR map for a record, a CBOR byte string for an alias.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Record(record) => cbor::encode(record),
            Self::Alias(key) => cbor::encode(&Value::Bytes(key.bytes().to_vec())),
        }
    }

    /// Decodes canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DeltaError> {
        match cbor::decode(bytes) {
            Ok(record @ Value::Map(_)) => Ok(Self::Record(record)),
            Ok(Value::Bytes(key)) => RecordKey::new(key)
                .map(Self::Alias)
                .ok_or(DeltaError::malformed("tree entry", "alias of an impossible key")),
            Ok(_) => Err(DeltaError::malformed("tree entry", "neither record nor alias")),
            Err(_) => Err(DeltaError::malformed("tree entry", "no canonical value")),
        }
    }

    /// Returns whether an entry's bytes are an alias, without decoding them: CBOR byte strings have major type 2.
    pub fn is_alias(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|first| first >> 5 == 2)
    }

    /// Returns the record, if this is one.
    pub fn into_record(self) -> Option<Value> {
        match self {
            Self::Record(record) => Some(record),
            Self::Alias(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Map;

    #[test]
    fn records_and_aliases_are_told_apart() {
        let record = Entry::Record(Value::Map(Map::from([("a".to_owned(), Value::Integer(1))])));
        let alias = Entry::Alias(RecordKey::new([1; 16]).unwrap());
        for entry in [record, alias] {
            let bytes = entry.encode();
            assert_eq!(Entry::is_alias(&bytes), matches!(entry, Entry::Alias(_)));
            assert_eq!(Entry::decode(&bytes).unwrap(), entry);
            for end in 0..bytes.len() {
                assert!(Entry::decode(&bytes[..end]).is_err());
            }
        }
        for bytes in [&[0x40][..], &[0x01], &[0x80], &[0xA0, 0x00]] {
            assert!(Entry::decode(bytes).is_err());
        }
    }
}
