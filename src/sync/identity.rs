//! Which record a new item is, and which two records are one (`docs/architecture.md`, "Identity").

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::delta::State;
use crate::model::contact::{IdentityKeys, compatible_names};
use crate::model::{Domain, Hash, Map, RecordKey, Value, cbor};

use super::directory::Directory;
use super::work::Work;
use super::{SyncError, SyncResult};

/// By what two are recognised as one, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// The very key that the first import of the same content gets.
    Content,
    Uid,
    Email,
    Phone,
    Name,
}

impl By {
    /// The rules by which keys are looked up.
    pub(super) const LOOKUPS: [Self; 4] = [Self::Uid, Self::Email, Self::Phone, Self::Name];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Uid => "uid",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Name => "name",
        }
    }

    /// Lists what an item can be looked up by under this rule.
    fn lookups(self, keys: &IdentityKeys) -> Vec<String> {
        match self {
            Self::Content => Vec::new(),
            Self::Uid => keys.uid.iter().cloned().collect(),
            Self::Email => keys.emails.iter().cloned().collect(),
            Self::Phone => keys.phones.iter().cloned().collect(),
            Self::Name => Some(keys.name_key())
                .filter(|name| !name.is_empty())
                .into_iter()
                .collect(),
        }
    }

    /// Returns whether two are one under this rule by what their texts say, not only by hashes of them.
    pub(super) fn confirms(self, left: &IdentityKeys, right: &IdentityKeys) -> bool {
        let lookups = self.lookups(left);
        let shares = self == Self::Content || self.lookups(right).iter().any(|text| lookups.contains(text));
        shares && self.accepts(left, right)
    }

    /// Returns whether two that share a lookup under this rule are one.
    fn accepts(self, left: &IdentityKeys, right: &IdentityKeys) -> bool {
        match self {
            Self::Uid => {
                compatible_names(left, right)
                    || left.is_same_address(right)
                    || left.uid.as_deref().is_some_and(looks_like_uuid)
            }
            Self::Email | Self::Phone => compatible_names(left, right),
            Self::Content | Self::Name => left.name_key() == right.name_key() && !left.contradicts(right),
        }
    }
}

pub(super) fn looks_like_uuid(uid: &str) -> bool {
    let plain = uid.strip_prefix("urn:uuid:").unwrap_or(uid);
    plain.len() == 36
        && plain.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Two records that may be one, for a person to decide.
pub(super) struct Suggestion {
    pub(super) first: (RecordKey, Value),
    pub(super) second: (RecordKey, Value),
}

/// Above this many records of one name or e-mail address, each is compared with the first only (chosen: 28 pairs).
const MAX_ALL_PAIRS: usize = 8;

/// Calls `each` with the records of one name or one e-mail address that nobody called distinct.
pub(super) fn suggestions(
    work: &Work<'_>,
    state: &State,
    each: &mut dyn FnMut(Suggestion) -> SyncResult<()>,
) -> SyncResult<()> {
    let directory = Directory::read(work.objects, &state.content, &|_| true)?;
    for (first, second) in directory.pairs(MAX_ALL_PAIRS) {
        let is_alike = directory.identity(first).is_alike(&directory.identity(second));
        let keys = (directory.keys.key(first), directory.keys.key(second));
        let (true, false, (Some(first), Some(second))) = (is_alike, directory.are_distinct(first, second), keys) else {
            continue;
        };
        if let (Some(left), Some(right)) = (work.record(state, &first)?, work.record(state, &second)?) {
            each(Suggestion {
                first: (first, left),
                second: (second, right),
            })?;
        }
    }
    Ok(())
}

/// Chooses the key of a record that a source shows for the first time and nobody else has.
pub(super) struct KeyMaker<'a> {
    /// Whether a key was ever in use.
    pub(super) used: &'a dyn Fn(&RecordKey) -> bool,
    /// Whether this is the source's first import, so that two systems which import one file agree.
    pub(super) first_import: bool,
    /// Random bytes.
    pub(super) random: fn(&mut [u8]),
}

impl KeyMaker<'_> {
    /// Returns what stands for the content of an item.
    pub(super) fn content_hash(content: &[u8]) -> Hash {
        Hash::of(Domain::Value, content)
    }

    /// Returns the key that the first import gives to the `ordinal`-th item of the content that a hash stands for.
    pub(super) fn content_key(content: &Hash, ordinal: u32) -> RecordKey {
        let digest = data_encoding::HEXLOWER.encode(&content.bytes()[..16]);
        RecordKey::from_identity(&format!("\u{0}content\u{0}{digest}\u{0}{ordinal}"))
    }

    /// Makes the key of an item that shows `view`.
    pub(super) fn make(
        &self,
        native_id: Option<&str>,
        view: &Map,
        mine: &mut BTreeSet<RecordKey>,
    ) -> SyncResult<RecordKey> {
        let content = OnceCell::new();
        let content = || {
            content.get_or_init(|| {
                let mut content = Vec::new();
                cbor::encode_map(view, &mut content);
                Self::content_hash(&content)
            })
        };
        let digest = || data_encoding::HEXLOWER.encode(&content().bytes()[..16]);
        for ordinal in 0u32..1_000_000 {
            let key = match native_id {
                // Two people with one UID: the second is known by UID and content.
                Some(uid) if ordinal == 0 => RecordKey::from_identity(uid),
                Some(uid) => RecordKey::from_identity(&format!("{uid}\u{0}{}\u{0}{ordinal}", digest())),
                None if self.first_import => Self::content_key(content(), ordinal),
                None => {
                    let mut bytes = [0; 16];
                    (self.random)(&mut bytes);
                    RecordKey::from_identity(&data_encoding::HEXLOWER.encode(&bytes))
                }
            };
            if !mine.contains(&key) && !(self.used)(&key) {
                mine.insert(key.clone());
                return Ok(key);
            }
        }
        Err(SyncError::Usage("a million records with one content".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_told_from_other_uids() {
        assert!(looks_like_uuid("urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1"));
        assert!(looks_like_uuid("4FBE8971-0BC3-424C-9C26-36C3E1EFF6B1"));
        assert!(!looks_like_uuid("uid2"));
    }
}
