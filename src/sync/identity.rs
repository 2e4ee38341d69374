//! Which record a new item is, and which two records are one (`docs/architecture.md`, "Identity").

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::delta::{Entry, State};
use crate::merge;
use crate::model::contact::{IdentityKeys, compatible_names, identity_keys};
use crate::model::{Domain, Hash, Map, RecordKey, Value, cbor};
use crate::port::Objects;
use crate::tree;

use super::work::Work;
use super::{SyncError, SyncResult, other};

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
    const LOOKUPS: [Self; 4] = [Self::Uid, Self::Email, Self::Phone, Self::Name];

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

    /// Returns whether two that share a lookup under this rule are one.
    pub(super) fn accepts(self, left: &IdentityKeys, right: &IdentityKeys) -> bool {
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

fn looks_like_uuid(uid: &str) -> bool {
    let plain = uid.strip_prefix("urn:uuid:").unwrap_or(uid);
    plain.len() == 36
        && plain.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The records of a state by what they can be recognised by.
pub(super) struct Directory<'a> {
    objects: &'a dyn Objects,
    state: State,
    keys: Vec<RecordKey>,
    lookups: HashMap<u64, Vec<u32>>,
    /// Records that were found to be one with another: member → the one that stands for all of them.
    united: BTreeMap<RecordKey, RecordKey>,
}

fn lookup_hash(by: By, text: &str) -> u64 {
    let mut seed = vec![by as u8];
    seed.extend_from_slice(text.as_bytes());
    let hash = Hash::of(Domain::Value, &seed);
    hash.bytes()
        .iter()
        .take(8)
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

impl<'a> Directory<'a> {
    /// Reads the records of `state` for which `wanted` is true.
    pub(super) fn read(
        objects: &'a dyn Objects,
        state: State,
        wanted: &dyn Fn(&RecordKey) -> bool,
    ) -> SyncResult<Self> {
        let mut directory = Self {
            objects,
            state,
            keys: Vec::new(),
            lookups: HashMap::new(),
            united: BTreeMap::new(),
        };
        for entry in tree::iter(objects, &state.content) {
            let (key, bytes) = entry.map_err(|error| other("reading records", error))?;
            let Some(key) = RecordKey::new(key).filter(wanted) else {
                continue;
            };
            if let Ok(Entry::Record(record)) = Entry::decode(&bytes) {
                directory.insert(key, &identity_keys(&record));
            }
        }
        Ok(directory)
    }

    /// Adds a record of the state.
    pub(super) fn insert(&mut self, key: RecordKey, keys: &IdentityKeys) {
        let at = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key);
        for by in By::LOOKUPS {
            for text in by.lookups(keys) {
                self.lookups.entry(lookup_hash(by, &text)).or_default().push(at);
            }
        }
    }

    fn record(&self, key: &RecordKey) -> SyncResult<Option<Value>> {
        match merge::record(self.objects, &self.state, key).map_err(|error| other("reading a record", error))? {
            Some(Entry::Record(record)) => Ok(Some(record)),
            _ => Ok(None),
        }
    }

    /// Says that two records are one: from now on they are one candidate.
    pub(super) fn unite(&mut self, left: &RecordKey, right: &RecordKey) {
        let (left, right) = (self.stands_for(left), self.stands_for(right));
        let (keep, gone) = if left < right { (left, right) } else { (right, left) };
        for member in self.united.values_mut().filter(|member| **member == gone) {
            member.clone_from(&keep);
        }
        self.united.insert(gone, keep);
    }

    fn stands_for(&self, key: &RecordKey) -> RecordKey {
        self.united.get(key).unwrap_or(key).clone()
    }

    /// Returns the unions: member → the one that stands for it.
    pub(super) fn unions(&self) -> &BTreeMap<RecordKey, RecordKey> {
        &self.united
    }

    /// Finds the records that `keys` is recognised as under one rule.
    pub(super) fn candidates(
        &self,
        by: By,
        keys: &IdentityKeys,
        taken: &BTreeSet<RecordKey>,
    ) -> SyncResult<BTreeSet<RecordKey>> {
        let mut found = BTreeSet::new();
        for text in by.lookups(keys) {
            for at in self.lookups.get(&lookup_hash(by, &text)).into_iter().flatten() {
                let Some(key) = self.keys.get(*at as usize) else {
                    continue;
                };
                let stands = self.stands_for(key);
                if taken.contains(&stands) || found.contains(&stands) {
                    continue;
                }
                let Some(record) = self.record(key)? else { continue };
                let theirs = identity_keys(&record);
                if by.accepts(keys, &theirs) && (by != By::Name || self.all_accept(&stands, keys)?) {
                    found.insert(stands);
                }
            }
        }
        Ok(found)
    }

    /// A name alone must be contradicted by none of those that were found to be one.
    fn all_accept(&self, stands: &RecordKey, keys: &IdentityKeys) -> SyncResult<bool> {
        let members = self
            .united
            .iter()
            .filter(|(_, to)| *to == stands)
            .map(|(member, _)| member);
        for member in members.chain([stands]) {
            if let Some(record) = self.record(member)?
                && identity_keys(&record).contradicts(keys)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Matches new ones to records: rule by rule, and only where both sides have exactly one candidate.
    ///
    /// `forbidden` says which pairs a person has called distinct.
    pub(super) fn match_all<K: Ord + Clone>(
        &self,
        new: &BTreeMap<K, IdentityKeys>,
        forbidden: &dyn Fn(&K, &RecordKey) -> SyncResult<bool>,
    ) -> SyncResult<BTreeMap<K, (RecordKey, By)>> {
        let mut matched: BTreeMap<K, (RecordKey, By)> = BTreeMap::new();
        let mut taken: BTreeSet<RecordKey> = BTreeSet::new();
        for by in By::LOOKUPS {
            let mut claims: BTreeMap<RecordKey, Vec<K>> = BTreeMap::new();
            for (id, keys) in new.iter().filter(|(id, _)| !matched.contains_key(*id)) {
                let mut found = self.candidates(by, keys, &taken)?;
                for key in found.clone() {
                    if forbidden(id, &key)? {
                        found.remove(&key);
                    }
                }
                if let (1, Some(key)) = (found.len(), found.pop_first()) {
                    claims.entry(key).or_default().push(id.clone());
                }
            }
            for (key, ids) in claims {
                if let [id] = &ids[..] {
                    matched.insert(id.clone(), (key.clone(), by));
                    taken.insert(key);
                }
            }
        }
        Ok(matched)
    }
}

/// Returns whether a person said of two records that they are two (`state` tells what keys have become one with others).
pub(super) fn are_distinct(
    work: &Work<'_>,
    state: &State,
    left: (&RecordKey, &Value),
    right: (&RecordKey, &Value),
) -> SyncResult<bool> {
    for (record, other) in [(left.1, right.0), (right.1, left.0)] {
        let Some(marks) = record.as_map().and_then(|map| map.get("distinct")?.as_map()) else {
            continue;
        };
        for mark in marks.keys() {
            let key = data_encoding::HEXLOWER
                .decode(mark.as_bytes())
                .ok()
                .and_then(RecordKey::new);
            if let Some(key) = key
                && (key == *other || super::intake::canonical(work, state, &key)? == *other)
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
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
    let directory = Directory::read(work.objects, *state, &|_| true)?;
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut groups: Vec<&Vec<u32>> = directory.lookups.values().filter(|group| group.len() > 1).collect();
    groups.sort();
    for group in groups {
        for (at, first) in group.iter().enumerate() {
            if at > 0 && group.len() > MAX_ALL_PAIRS {
                break;
            }
            pairs.extend(group.iter().skip(at + 1).map(|second| (*first, *second)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    for (first, second) in pairs {
        let (Some(first), Some(second)) = (directory.keys.get(first as usize), directory.keys.get(second as usize))
        else {
            continue;
        };
        let (Some(left), Some(right)) = (directory.record(first)?, directory.record(second)?) else {
            continue;
        };
        let (mine, theirs) = (identity_keys(&left), identity_keys(&right));
        let name = !mine.name_key().is_empty() && mine.name_key() == theirs.name_key();
        let alike = name || !mine.emails.is_disjoint(&theirs.emails);
        if first != second && alike && !are_distinct(work, state, (first, &left), (second, &right))? {
            each(Suggestion {
                first: (first.clone(), left),
                second: (second.clone(), right),
            })?;
        }
    }
    Ok(())
}

/// Chooses the key of a record that a source shows for the first time and nobody else has.
pub(super) struct KeyMaker<'a> {
    /// Whether a key was ever in use.
    pub(super) used: &'a dyn Fn(&RecordKey) -> SyncResult<bool>,
    /// Whether this is the source's first import, so that two systems which import one file agree.
    pub(super) first_import: bool,
    /// Random bytes.
    pub(super) random: fn(&mut [u8]),
}

impl KeyMaker<'_> {
    /// Returns the key that the first import gives to the `ordinal`-th item of this content.
    pub(super) fn content_key(content: &[u8], ordinal: u32) -> RecordKey {
        let digest = data_encoding::HEXLOWER.encode(&Hash::of(Domain::Value, content).bytes()[..16]);
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
        let content = || -> &[u8] {
            content.get_or_init(|| {
                let mut content = Vec::new();
                cbor::encode_map(view, &mut content);
                content
            })
        };
        let digest = || data_encoding::HEXLOWER.encode(&Hash::of(Domain::Value, content()).bytes()[..16]);
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
            if !mine.contains(&key) && !(self.used)(&key)? {
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
