//! Which item of the present bytes is which item of before, where bytes and identity do not say.
//!
//! By content, never by position: equal view, unique identity key, unique similar candidate, then the only
//! vanished/appeared pair between unchanged neighbours, if the new item has no more in common with another one that vanished.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::contact::{IdentityKeys, compatible_names, has_elements, identity_keys};
use crate::model::{Domain, Hash, Map, Value, cbor};

/// Above this many pairs similarity is not computed (chosen: about a second of work); such a file was replaced, not edited.
const MAX_PAIRS: usize = 4_000_000;
/// Two items are similar when they share this share of their leaves, in percent (chosen: half).
const SIMILAR_PERCENT: usize = 50;

/// An item to be matched.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The file it is in.
    pub(super) file: String,
    /// Its own identity.
    pub(super) native_id: Option<String>,
    keys: IdentityKeys,
    shape: Hash,
    leaves: BTreeSet<String>,
}

impl Candidate {
    pub(super) fn new(file: &str, native_id: Option<&str>, view: &Map) -> Self {
        let mut plain = view.clone();
        plain.remove("uid");
        let shape = shape(&plain);
        let value = Value::Map(plain);
        Self {
            file: file.to_owned(),
            native_id: native_id.map(str::to_owned),
            keys: identity_keys(&value),
            shape,
            leaves: leaf_texts(&value),
        }
    }

    /// Returns whether both have an identity of their own and it is not the same.
    fn is_other(&self, other: &Self) -> bool {
        matches!((&self.native_id, &other.native_id), (Some(left), Some(right)) if left != right)
    }
}

/// Hashes a view without its element ids: what a person sees of an item.
pub fn shape(view: &Map) -> Hash {
    let mut plain = Map::new();
    for (key, value) in view {
        let value = match value {
            Value::Map(elements) if has_elements(key) => {
                let mut list: Vec<Vec<u8>> = elements.values().map(cbor::encode).collect();
                list.sort();
                Value::List(list.into_iter().map(Value::Bytes).collect())
            }
            other => other.clone(),
        };
        plain.insert(key.clone(), value);
    }
    Hash::of(Domain::Value, &cbor::encode(&Value::Map(plain)))
}

fn leaf_texts(view: &Value) -> BTreeSet<String> {
    let leaves = view.leaves().into_iter();
    leaves
        .map(|(path, value)| {
            let element = path.parts().first().is_some_and(|first| has_elements(first));
            let parts = path.parts().iter().enumerate().filter(|(at, _)| !(element && *at == 1));
            let name = parts.map(|(_, part)| part.as_str()).collect::<Vec<_>>().join("/");
            format!("{name}={}", data_encoding::HEXLOWER.encode(&cbor::encode(value)))
        })
        .collect()
}

/// Tells which new item could by its place only be which old one, given what was found so far.
pub(super) type Neighbours<'a> = dyn Fn(&BTreeMap<usize, u64>) -> Vec<(usize, u64)> + 'a;

/// Matching in progress: which of the new items are still open, and which of the old ones.
pub(super) struct Matching<'a> {
    new: &'a [Candidate],
    old: &'a BTreeMap<u64, Candidate>,
    found: BTreeMap<usize, u64>,
    free: BTreeSet<u64>,
}

impl<'a> Matching<'a> {
    /// Starts with nothing matched.
    pub(super) fn new(new: &'a [Candidate], old: &'a BTreeMap<u64, Candidate>) -> Self {
        Self {
            new,
            old,
            found: BTreeMap::new(),
            free: old.keys().copied().collect(),
        }
    }

    /// Takes what is known already.
    pub(super) fn with(mut self, known: impl Iterator<Item = (usize, u64)>) -> Self {
        known.for_each(|(at, number)| self.take(at, number));
        self
    }

    /// Applies all rules; `neighbours` gives, for each open new item, the old items that could only be it by place.
    pub(super) fn run(mut self, neighbours: &Neighbours<'_>) -> BTreeMap<usize, u64> {
        self.by_key(|item| {
            item.native_id
                .as_ref()
                .map(|id| vec![format!("{}\u{0}{id}", item.file)])
                .unwrap_or_default()
        });
        self.by_key(|item| item.native_id.clone().into_iter().collect());
        self.by_shape();
        self.by_key(|item| {
            if item.native_id.is_some() {
                Vec::new()
            } else {
                item.keys.emails.iter().cloned().collect()
            }
        });
        self.by_phone();
        self.by_similarity();
        for (at, number) in neighbours(&self.found) {
            let open = !self.found.contains_key(&at) && self.free.contains(&number);
            let other = self
                .old
                .get(&number)
                .zip(self.new.get(at))
                .is_none_or(|(old, new)| old.is_other(new));
            if open && !other && !self.is_nearer_to_another(at, number) {
                self.take(at, number);
            }
        }
        self.found
    }

    fn take(&mut self, at: usize, number: u64) {
        self.found.insert(at, number);
        self.free.remove(&number);
    }

    /// Returns whether a new item has more in common with another vanished one than with the one in whose place it stands.
    fn is_nearer_to_another(&self, at: usize, number: u64) -> bool {
        let (Some(new), Some(old)) = (self.new.get(at), self.old.get(&number)) else {
            return false;
        };
        let shared = |old: &Candidate| new.leaves.intersection(&old.leaves).count();
        let here = shared(old);
        self.free().any(|(other, old)| other != number && shared(old) > here)
    }

    fn open(&self) -> impl Iterator<Item = (usize, &'a Candidate)> + '_ {
        let new = self.new.iter().enumerate();
        new.filter(|(at, _)| !self.found.contains_key(at))
    }

    fn free(&self) -> impl Iterator<Item = (u64, &'a Candidate)> + '_ {
        self.free
            .iter()
            .filter_map(|number| Some((*number, self.old.get(number)?)))
    }

    /// Matches items that share a key nobody else on either side has.
    fn by_key(&mut self, keys: impl Fn(&Candidate) -> Vec<String>) {
        let mut new: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for (at, item) in self.open() {
            for key in keys(item) {
                new.entry(key).and_modify(|other| *other = None).or_insert(Some(at));
            }
        }
        let mut old: BTreeMap<String, Option<u64>> = BTreeMap::new();
        for (number, item) in self.free() {
            for key in keys(item) {
                old.entry(key).and_modify(|other| *other = None).or_insert(Some(number));
            }
        }
        for (key, at) in new {
            if let (Some(at), Some(Some(number))) = (at, old.get(&key))
                && !self.found.contains_key(&at)
                && self.free.contains(number)
            {
                self.take(at, *number);
            }
        }
    }

    /// Matches items that show the same, in order (equal items are interchangeable).
    fn by_shape(&mut self) {
        let mut old: BTreeMap<Hash, Vec<u64>> = BTreeMap::new();
        for (number, item) in self.free() {
            old.entry(item.shape).or_default().push(number);
        }
        for list in old.values_mut() {
            list.reverse();
        }
        let open: Vec<_> = self.open().map(|(at, item)| (at, item.shape)).collect();
        for (at, shape) in open {
            if let Some(number) = old.get_mut(&shape).and_then(Vec::pop) {
                self.take(at, number);
            }
        }
    }

    /// A phone may be a household's, so names must be compatible too.
    fn by_phone(&mut self) {
        let mut pairs: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        let mut phones: BTreeMap<&String, Vec<u64>> = BTreeMap::new();
        for (number, item) in self.free() {
            for phone in &item.keys.phones {
                phones.entry(phone).or_default().push(number);
            }
        }
        for (at, item) in self.open().filter(|(_, item)| item.native_id.is_none()) {
            let numbers = item.keys.phones.iter().filter_map(|phone| phones.get(phone)).flatten();
            let fitting = numbers.filter(|number| {
                self.old
                    .get(number)
                    .is_some_and(|old| compatible_names(&old.keys, &item.keys))
            });
            pairs.insert(at, fitting.copied().collect());
        }
        self.take_unique(&pairs);
    }

    fn by_similarity(&mut self) {
        let open: Vec<_> = self.open().collect();
        let free: Vec<_> = self.free().collect();
        if open.len().saturating_mul(free.len()) > MAX_PAIRS {
            return;
        }
        let mut pairs: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        for (at, item) in open {
            let similar = free
                .iter()
                .filter(|(_, old)| !item.is_other(old) && is_similar(&item.leaves, &old.leaves));
            pairs.insert(at, similar.map(|(number, _)| *number).collect());
        }
        self.take_unique(&pairs);
    }

    /// Takes the pairs in which each side has exactly one candidate.
    fn take_unique(&mut self, pairs: &BTreeMap<usize, BTreeSet<u64>>) {
        let mut claims: BTreeMap<u64, usize> = BTreeMap::new();
        for number in pairs.values().flatten() {
            *claims.entry(*number).or_default() += 1;
        }
        for (at, numbers) in pairs {
            if let (1, Some(number)) = (numbers.len(), numbers.first())
                && claims.get(number) == Some(&1)
                && self.free.contains(number)
            {
                self.take(*at, *number);
            }
        }
    }
}

fn is_similar(left: &BTreeSet<String>, right: &BTreeSet<String>) -> bool {
    let shared = left.intersection(right).count();
    shared > 0 && shared * 100 >= left.len().max(right.len()) * SIMILAR_PERCENT
}
