//! The records of a state by what they can be recognised by, in little memory.
//!
//! What tells who somebody is (`model::contact::IdentityKeys`) takes a kilobyte per person as texts. Here each text is a
//! 64-bit hash of it, all of them in one stretch, and the way from a hash to its records is a sorted list per rule.
//! Two texts of one hash are not met by chance; who can look at both sides confirms a match by the texts all the same
//! ([`By::confirms`]).

use super::identity::{By, looks_like_uuid};
use super::{SyncResult, other};
use crate::delta::Entry;
use crate::model::contact::IdentityKeys;
use crate::model::{Domain, Hash, RecordKey, Value};
use crate::port::Objects;
use crate::tree;

/// The place of a record among all entries of its state, in order of their keys.
pub(super) type Rank = u32;

/// How many values of one sort count (chosen: far more than anybody has).
const MAX_VALUES: usize = 0xFFFF;

/// Keys in ascending order.
#[derive(Default)]
pub(super) struct KeyList {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl KeyList {
    fn push(&mut self, key: &[u8]) -> SyncResult<Rank> {
        let rank = Rank::try_from(self.ends.len()).map_err(|error| other("reading records", error))?;
        self.bytes.extend_from_slice(key);
        let end = u32::try_from(self.bytes.len()).map_err(|error| other("reading records", error))?;
        self.ends.push(end);
        Ok(rank)
    }

    /// Returns the key at a rank; an empty one where there is none.
    pub(super) fn bytes(&self, rank: Rank) -> &[u8] {
        let at = rank as usize;
        let start = at.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Returns the key at a rank.
    pub(super) fn key(&self, rank: Rank) -> Option<RecordKey> {
        RecordKey::new(self.bytes(rank))
    }

    /// Returns the rank of a key.
    pub(super) fn rank(&self, key: &[u8]) -> Option<Rank> {
        let (mut low, mut high) = (0, u32::try_from(self.ends.len()).unwrap_or(Rank::MAX));
        while low < high {
            let middle = low.midpoint(high);
            match self.bytes(middle).cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// What one record or item can be recognised by, as hashes.
///
/// A word of a name is a hash whose lower 22 bits are the first character and whether there is no other, as initials count.
#[derive(Clone, Copy, Default)]
pub(super) struct Identity<'a> {
    uid: Option<u64>,
    has_uuid: bool,
    birthday: Option<u64>,
    emails: &'a [u64],
    phones: &'a [u64],
    name: &'a [u64],
}

fn hash(text: &str) -> u64 {
    let hash = Hash::of(Domain::Value, text.as_bytes());
    hash.bytes().first_chunk().copied().map_or(0, u64::from_le_bytes)
}

const SINGLE: u64 = 1;
const INITIAL: u64 = 0x3F_FFFF;

fn word_hash(word: &str) -> u64 {
    let mut characters = word.chars();
    let first = characters.next().map_or(0, u64::from);
    let single = u64::from(characters.next().is_none());
    hash(word) & !INITIAL | first << 1 | single
}

/// Returns whether one of two words is a single character with which the other begins.
fn is_initial(left: u64, right: u64) -> bool {
    (left | right) & SINGLE != 0 && (left ^ right) & INITIAL & !SINGLE == 0
}

fn are_disjoint(left: &[u64], right: &[u64]) -> bool {
    !left.iter().any(|one| right.contains(one))
}

impl Identity<'_> {
    /// Calls `each` with the hash of all that a record can be looked up by under a rule.
    fn lookups(&self, by: By, each: &mut dyn FnMut(u64)) {
        match by {
            By::Content => {}
            By::Uid => self.uid.into_iter().for_each(each),
            By::Email => self.emails.iter().copied().for_each(each),
            By::Phone => self.phones.iter().copied().for_each(each),
            By::Name => self.name_hash().into_iter().for_each(each),
        }
    }

    /// Returns the hash of the whole name; `None` without one.
    pub(super) fn name_hash(&self) -> Option<u64> {
        let mix = |sum: u64, word: &u64| (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        (!self.name.is_empty()).then(|| self.name.iter().fold(0, mix))
    }

    /// Returns whether it has an identity of its own.
    pub(super) const fn has_uid(&self) -> bool {
        self.uid.is_some()
    }

    /// Returns whether a record can be looked up by the same under a rule.
    fn shares(&self, by: By, other: &Self) -> bool {
        match by {
            By::Content => false,
            By::Uid => self.uid.is_some() && self.uid == other.uid,
            By::Email => !are_disjoint(self.emails, other.emails),
            By::Phone => !are_disjoint(self.phones, other.phones),
            By::Name => !self.name.is_empty() && self.name == other.name,
        }
    }

    /// Does what [`By::accepts`] does.
    pub(super) fn accepts(&self, by: By, other: &Self) -> bool {
        match by {
            By::Uid => self.has_uuid || self.has_compatible_name(other) || self.is_same_address(other),
            By::Email | By::Phone => self.has_compatible_name(other),
            By::Content | By::Name => self.name == other.name && !self.contradicts(other),
        }
    }

    fn has_compatible_name(&self, other: &Self) -> bool {
        if self.name.is_empty() || other.name.is_empty() {
            return false;
        }
        let (short, long) = if self.name.len() <= other.name.len() {
            (self.name, other.name)
        } else {
            (other.name, self.name)
        };
        let fits = |word: &u64| long.iter().any(|other| word == other || is_initial(*word, *other));
        short.iter().all(fits) && short.iter().any(|word| word & SINGLE == 0 && long.contains(word))
    }

    fn is_same_address(&self, other: &Self) -> bool {
        if !self.emails.is_empty() && !other.emails.is_empty() {
            return !are_disjoint(self.emails, other.emails);
        }
        !are_disjoint(self.phones, other.phones)
    }

    fn contradicts(&self, other: &Self) -> bool {
        let differ = |left: &[u64], right: &[u64]| !left.is_empty() && !right.is_empty() && are_disjoint(left, right);
        let births = matches!((self.birthday, other.birthday), (Some(left), Some(right)) if left != right);
        births || differ(self.emails, other.emails) || differ(self.phones, other.phones)
    }

    /// Returns whether a person may want to look whether the two are one: one name or one e-mail address.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.shares(By::Name, other) || self.shares(By::Email, other)
    }
}

/// What many records or items can be recognised by.
#[derive(Default)]
pub(super) struct Identities {
    /// For each: how many values of each sort follow, then the values.
    values: Vec<u64>,
    starts: Vec<u32>,
}

const HAS_UID: u64 = 1 << 60;
const HAS_UUID: u64 = 1 << 61;
const HAS_BIRTHDAY: u64 = 1 << 62;

impl Identities {
    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Adds one; `None` stands for somebody nobody is recognised as.
    pub(super) fn push(&mut self, keys: Option<&IdentityKeys>) -> SyncResult<()> {
        let start = u32::try_from(self.values.len()).map_err(|error| other("reading records", error))?;
        self.starts.push(start);
        let Some(keys) = keys else {
            self.values.push(0);
            return Ok(());
        };
        let name = keys.effective_name();
        let counts = [keys.emails.len(), keys.phones.len(), name.len()].map(|count| count.min(MAX_VALUES));
        let [emails, phones, words] = counts;
        let mut head = (emails | phones << 16 | words << 32) as u64;
        for (flag, is_set) in [
            (HAS_UID, keys.uid.is_some()),
            (HAS_UUID, keys.uid.as_deref().is_some_and(looks_like_uuid)),
            (HAS_BIRTHDAY, keys.birthday.is_some()),
        ] {
            head |= flag * u64::from(is_set);
        }
        self.values.push(head);
        let texts = keys.uid.iter().chain(&keys.birthday);
        let texts = texts
            .chain(keys.emails.iter().take(emails))
            .chain(keys.phones.iter().take(phones));
        self.values.extend(texts.map(|text| hash(text)));
        self.values.extend(name.iter().take(words).map(|word| word_hash(word)));
        Ok(())
    }

    /// Returns one; nobody where there is none.
    pub(super) fn get(&self, at: usize) -> Identity<'_> {
        let start = self.starts.get(at).map(|start| *start as usize);
        let Some((head, mut rest)) = start.and_then(|start| self.values.get(start..)?.split_first()) else {
            return Identity::default();
        };
        let mut take = |count: u64| {
            let count = usize::try_from(count).unwrap_or(0);
            let (taken, left) = rest.split_at_checked(count).unwrap_or_default();
            rest = left;
            taken
        };
        let uid = take(u64::from(head & HAS_UID != 0)).first().copied();
        let birthday = take(u64::from(head & HAS_BIRTHDAY != 0)).first().copied();
        Identity {
            uid,
            has_uuid: head & HAS_UUID != 0,
            birthday,
            emails: take(head & 0xFFFF),
            phones: take(head >> 16 & 0xFFFF),
            name: take(head >> 32 & 0xFFFF),
        }
    }
}

/// From what is looked up to the ranks of records: the upper half of a hash, then a rank, sorted.
#[derive(Default)]
struct Lookups(Vec<u64>);

impl Lookups {
    fn of(by: By, identities: &Identities) -> Self {
        let mut list = Vec::new();
        for at in 0..identities.len() {
            let mut add = |hash: u64| list.push(hash & !u64::from(u32::MAX) | at as u64);
            identities.get(at).lookups(by, &mut add);
        }
        list.sort_unstable();
        list.dedup();
        list.shrink_to_fit();
        Self(list)
    }

    /// Lists the ranks under a hash, and perhaps some under others.
    fn ranks(&self, hash: u64) -> impl Iterator<Item = Rank> + '_ {
        let upper = hash >> 32;
        let from = self.0.partition_point(|one| one >> 32 < upper);
        let here = self.0.get(from..).unwrap_or_default();
        let here = here.iter().take_while(move |one| **one >> 32 == upper);
        here.map(|one| Self::rank(*one))
    }

    fn rank(one: u64) -> Rank {
        Rank::try_from(one & u64::from(u32::MAX)).unwrap_or_default()
    }
}

/// Records that were found to be one: the one with the smallest key stands for all.
#[derive(Default)]
struct Classes {
    /// Each leads to the one that stands for it, over others perhaps.
    leads: Vec<Rank>,
    /// The members of a class form a ring.
    next: Vec<Rank>,
}

impl Classes {
    fn stands_for(&self, rank: Rank) -> Rank {
        let mut rank = rank;
        while let Some(lead) = self.leads.get(rank as usize).filter(|lead| **lead != rank) {
            rank = *lead;
        }
        rank
    }

    fn unite(&mut self, left: Rank, right: Rank, count: usize) {
        if self.leads.is_empty() {
            self.leads = (0..Rank::try_from(count).unwrap_or(Rank::MAX)).collect();
            self.next = self.leads.clone();
        }
        let (left, right) = (self.stands_for(left), self.stands_for(right));
        if left == right {
            return;
        }
        if let Some(lead) = self.leads.get_mut(left.max(right) as usize) {
            *lead = left.min(right);
        }
        self.next.swap(left as usize, right as usize);
    }

    /// Lists all that are one with `rank`, itself first.
    fn members(&self, rank: Rank) -> impl Iterator<Item = Rank> + '_ {
        let following = move |at: &Rank| self.next.get(*at as usize).copied().filter(|next| *next != rank);
        std::iter::successors(Some(rank), following)
    }
}

/// The records of a state by what they can be recognised by.
pub(super) struct Directory {
    pub(super) keys: KeyList,
    identities: Identities,
    lookups: [Lookups; 4],
    /// Entries that are no record but the same as another one.
    aliases: Vec<(Rank, Rank)>,
    /// Records that a person said are others than some: their ranks and the keys of those.
    distinct: Vec<(Rank, RecordKey)>,
    /// Records that cannot be found.
    hidden: Vec<bool>,
    classes: Classes,
}

impl Directory {
    /// Reads the records at `content`; those for which `wanted` is false cannot be found.
    pub(super) fn read(objects: &dyn Objects, content: &Hash, wanted: &dyn Fn(&RecordKey) -> bool) -> SyncResult<Self> {
        let mut directory = Self {
            keys: KeyList::default(),
            identities: Identities::default(),
            lookups: By::LOOKUPS.map(|_| Lookups::default()),
            aliases: Vec::new(),
            distinct: Vec::new(),
            hidden: Vec::new(),
            classes: Classes::default(),
        };
        for entry in tree::iter(objects, content) {
            let (key, bytes) = entry.map_err(|error| other("reading records", error))?;
            directory.push(&key, &bytes, wanted)?;
        }
        let identities = &directory.identities;
        directory.lookups = By::LOOKUPS.map(|by| Lookups::of(by, identities));
        Ok(directory)
    }

    fn push(&mut self, key: &[u8], bytes: &[u8], wanted: &dyn Fn(&RecordKey) -> bool) -> SyncResult<()> {
        let rank = self.keys.push(key)?;
        let mut keys = None;
        match Entry::decode(bytes) {
            Ok(Entry::Record(record)) => {
                let others = distinct_keys(&record).map(|other| (rank, other));
                self.distinct.extend(others);
                keys = Some(crate::model::contact::identity_keys(&record));
            }
            Ok(Entry::Alias(to)) => self.aliases.extend(self.keys.rank(to.bytes()).map(|to| (rank, to))),
            Err(_) => {}
        }
        let is_wanted = RecordKey::new(key).is_some_and(|key| wanted(&key));
        self.hidden.push(keys.is_none() || !is_wanted);
        self.identities.push(keys.as_ref())
    }

    /// Returns who the record at a rank is.
    pub(super) fn identity(&self, rank: Rank) -> Identity<'_> {
        self.identities.get(rank as usize)
    }

    /// Returns the rank under which the record with a key can be found, over aliases; `None` where it cannot.
    pub(super) fn findable(&self, key: &[u8]) -> Option<Rank> {
        let rank = self.over_aliases(self.keys.rank(key)?);
        (!self.is_hidden(rank)).then_some(rank)
    }

    fn is_hidden(&self, rank: Rank) -> bool {
        self.hidden.get(rank as usize).copied().unwrap_or(true)
    }

    /// Lists the ranks of the records that can be found.
    pub(super) fn findable_ranks(&self) -> impl Iterator<Item = Rank> + '_ {
        (0..)
            .zip(&self.hidden)
            .filter(|(_, hidden)| !**hidden)
            .map(|(rank, _)| rank)
    }

    /// From now on the record can be found, or cannot.
    pub(super) fn set_findable(&mut self, rank: Rank, is_findable: bool) {
        if let Some(hidden) = self.hidden.get_mut(rank as usize) {
            *hidden = !is_findable;
        }
    }

    /// Says that two records are one: from now on they are one candidate.
    pub(super) fn unite(&mut self, left: Rank, right: Rank) {
        self.classes.unite(left, right, self.identities.len());
    }

    /// Lists the records that are one with others, smallest key first: the ranks of each class.
    pub(super) fn unions(&self) -> impl Iterator<Item = Vec<Rank>> + '_ {
        let leading = (0..).zip(&self.classes.leads).filter(|(rank, lead)| rank == *lead);
        leading.filter_map(|(rank, _)| {
            let mut class: Vec<Rank> = self.classes.members(rank).collect();
            class.sort_unstable();
            (class.len() > 1).then_some(class)
        })
    }

    /// Returns whether a person said of two records that they are two.
    pub(super) fn are_distinct(&self, left: Rank, right: Rank) -> bool {
        self.is_called_distinct(left, right) || self.is_called_distinct(right, left)
    }

    fn is_called_distinct(&self, record: Rank, from: Rank) -> bool {
        let start = self.distinct.partition_point(|(one, _)| *one < record);
        let here = self.distinct.get(start..).unwrap_or_default();
        let mut marks = here.iter().take_while(|(one, _)| *one == record);
        marks.any(|(_, key)| {
            let named = self.keys.rank(key.bytes());
            named == Some(from) || named.map(|rank| self.over_aliases(rank)) == Some(from)
        })
    }

    /// Returns the rank of the record that an entry stands for.
    fn over_aliases(&self, rank: Rank) -> Rank {
        let mut rank = rank;
        // An alias is of a smaller key.
        while let Ok(at) = self.aliases.binary_search_by_key(&rank, |(from, _)| *from) {
            let to = self.aliases.get(at).map_or(rank, |(_, to)| *to);
            if to >= rank {
                break;
            }
            rank = to;
        }
        rank
    }

    /// Calls `each` with the records that `identity` is recognised as under one rule, each once, until it returns
    /// false.
    ///
    /// Records for which `is_taken` is true are passed over.
    fn candidates(
        &self,
        by: By,
        identity: &Identity<'_>,
        is_taken: &dyn Fn(Rank) -> bool,
        each: &mut dyn FnMut(Rank) -> SyncResult<bool>,
    ) -> SyncResult<()> {
        let Some(lookups) = By::LOOKUPS
            .iter()
            .position(|one| *one == by)
            .and_then(|at| self.lookups.get(at))
        else {
            return Ok(());
        };
        let mut hashes = Vec::new();
        identity.lookups(by, &mut |hash| hashes.push(hash));
        let mut met: Vec<Rank> = Vec::new();
        for rank in hashes.into_iter().flat_map(|hash| lookups.ranks(hash)) {
            let stands = self.classes.stands_for(rank);
            if self.is_hidden(rank) || is_taken(stands) {
                continue;
            }
            let theirs = self.identity(rank);
            let fits = identity.shares(by, &theirs) && identity.accepts(by, &theirs);
            if !fits || met.contains(&stands) || by == By::Name && !self.all_accept(stands, identity) {
                continue;
            }
            met.push(stands);
            if !each(stands)? {
                break;
            }
        }
        Ok(())
    }

    /// A name alone must be contradicted by none of those that were found to be one.
    pub(super) fn all_accept(&self, stands: Rank, identity: &Identity<'_>) -> bool {
        self.classes
            .members(stands)
            .all(|member| !self.identity(member).contradicts(identity))
    }

    /// Returns whether there is a record of this name that is not taken and that nothing contradicts.
    pub(super) fn has_namesake(&self, identity: &Identity<'_>, taken: &Taken) -> bool {
        let mut found = false;
        let mut each = |_| {
            found = true;
            Ok(false)
        };
        self.candidates(By::Name, identity, &|rank| taken.has(rank), &mut each)
            .is_ok()
            && found
    }

    /// Matches new ones to records: rule by rule, and only where both sides have exactly one candidate.
    ///
    /// `new` tells who they are, by number below `matched.len()`; those that are matched already are passed over.
    /// `forbidden` says of which record's rank a new one is known to be another person.
    pub(super) fn match_all<'n>(
        &self,
        new: &dyn Fn(usize) -> Identity<'n>,
        matched: &mut [Option<(Rank, By)>],
        forbidden: &dyn Fn(usize, Rank) -> SyncResult<bool>,
    ) -> SyncResult<()> {
        let mut taken = Taken::new(self);
        matched.iter().flatten().for_each(|(rank, _)| taken.take(*rank));
        for by in By::LOOKUPS {
            let mut claims: Vec<(Rank, usize)> = Vec::new();
            for (number, _) in matched.iter().enumerate().filter(|(_, found)| found.is_none()) {
                let mut found = Vec::new();
                self.candidates(by, &new(number), &|rank| taken.has(rank), &mut |rank| {
                    if !forbidden(number, rank)? {
                        found.push(rank);
                    }
                    // Of several none is certain.
                    Ok(found.len() < 2)
                })?;
                if let [rank] = found[..] {
                    claims.push((rank, number));
                }
            }
            claims.sort_unstable();
            for claim in claims.chunk_by(|left, right| left.0 == right.0) {
                if let [(rank, number)] = claim
                    && let Some(matched) = matched.get_mut(*number)
                {
                    *matched = Some((*rank, by));
                    taken.take(*rank);
                }
            }
        }
        Ok(())
    }

    /// Lists every two records that share something they can be looked up by, each pair once and in order.
    ///
    /// Where more than `all_pairs` share it, each is paired with the first only.
    pub(super) fn pairs(&self, all_pairs: usize) -> Vec<(Rank, Rank)> {
        let mut pairs = Vec::new();
        for (by, lookups) in By::LOOKUPS.into_iter().zip(&self.lookups) {
            for group in lookups.0.chunk_by(|left, right| left >> 32 == right >> 32) {
                let group: Vec<Rank> = group.iter().map(|one| Lookups::rank(*one)).collect();
                for (at, second) in group.iter().enumerate() {
                    let identity = self.identity(*second);
                    let before = group.get(..at).unwrap_or_default().iter();
                    let sharing = before.filter(|first| identity.shares(by, &self.identity(**first)));
                    let limit = if group.len() > all_pairs { 1 } else { all_pairs };
                    pairs.extend(sharing.take(limit).map(|first| (*first, *second)));
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

/// Records that were matched.
pub(super) struct Taken(Vec<bool>);

impl Taken {
    pub(super) fn new(directory: &Directory) -> Self {
        Self(vec![false; directory.identities.len()])
    }

    pub(super) fn take(&mut self, rank: Rank) {
        if let Some(taken) = self.0.get_mut(rank as usize) {
            *taken = true;
        }
    }

    pub(super) fn has(&self, rank: Rank) -> bool {
        self.0.get(rank as usize).copied().unwrap_or(true)
    }
}

/// Lists the keys of the records that a person said this one is not.
pub(super) fn distinct_keys(record: &Value) -> impl Iterator<Item = RecordKey> + '_ {
    let marks = record.as_map().and_then(|map| map.get("distinct")?.as_map());
    marks.into_iter().flat_map(crate::model::Map::keys).filter_map(|mark| {
        let key = data_encoding::HEXLOWER.decode(mark.as_bytes()).ok();
        key.and_then(RecordKey::new)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::model::Map;
    use crate::model::contact::identity_keys;
    use crate::port::MemoryObjects;

    /// A person of few values, so that many are shared.
    fn person() -> impl Strategy<Value = Value> {
        let words = proptest::sample::subsequence(vec!["ann", "a", "bob", "b", "smith", "s", "ört"], 0..3);
        let emails = proptest::sample::subsequence(vec!["a@x.example", "b@x.example", "c@x.example"], 0..3);
        let phones = proptest::sample::subsequence(vec!["+1 555 0001111", "0001112"], 0..2);
        let uid = proptest::option::weighted(
            0.4,
            proptest::sample::select(vec!["1", "2", "urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1"]),
        );
        let birthday = proptest::option::weighted(0.3, proptest::sample::select(vec!["1980-01-01", "1990-02-02"]));
        let organization = proptest::bool::weighted(0.3);
        (words, emails, phones, uid, birthday, organization).prop_map(
            |(words, emails, phones, uid, birthday, organization)| {
                let mut record = Value::Map(Map::new());
                let mut set = |parts: &[&str], text: &str| {
                    record.set_at(&crate::model::FieldPath::new(parts.iter().copied()), text.into());
                };
                if !words.is_empty() {
                    set(&["name", "full"], &words.join(" "));
                }
                if organization {
                    set(&["organizations", "o", "name"], "Smith Bob");
                }
                for email in emails {
                    set(&["emails", email, "address"], email);
                }
                for phone in phones {
                    set(&["phones", phone, "number"], phone);
                }
                if let Some(uid) = uid {
                    set(&["uid"], uid);
                }
                if let Some(date) = birthday {
                    set(&["anniversaries", "b", "kind"], "birth");
                    set(&["anniversaries", "b", "date"], date);
                }
                record
            },
        )
    }

    fn directory(objects: &MemoryObjects, records: &[Value]) -> Directory {
        let entry = |(at, record): (usize, &Value)| {
            let key = u32::try_from(at).unwrap().to_be_bytes().to_vec();
            Ok::<_, tree::TreeError>((key, Entry::Record(record.clone()).encode()))
        };
        let content = tree::build(objects, records.iter().enumerate().map(entry)).unwrap();
        Directory::read(objects, &content, &|_| true).unwrap()
    }

    /// The rules as they are written down: by the texts, everybody with everybody.
    fn by_texts(new: &[IdentityKeys], known: &[IdentityKeys]) -> Vec<Option<(Rank, By)>> {
        let mut matched: Vec<Option<(Rank, By)>> = vec![None; new.len()];
        let mut taken = BTreeSet::new();
        for by in By::LOOKUPS {
            let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (number, keys) in new.iter().enumerate().filter(|(at, _)| matched[*at].is_none()) {
                let open = (0..known.len()).filter(|rank| !taken.contains(rank));
                let fits: Vec<usize> = open.filter(|rank| by.confirms(keys, &known[*rank])).collect();
                if let [rank] = fits[..] {
                    claims.entry(rank).or_default().push(number);
                }
            }
            for (rank, numbers) in claims {
                if let [number] = numbers[..] {
                    matched[number] = Some((Rank::try_from(rank).unwrap(), by));
                    taken.insert(rank);
                }
            }
        }
        matched
    }

    proptest! {
        #[test]
        fn hashes_recognise_whom_texts_do(
            known in proptest::collection::vec(person(), 0..12),
            new in proptest::collection::vec(person(), 0..12),
        ) {
            let objects = MemoryObjects::default();
            let directory = directory(&objects, &known);
            let known: Vec<IdentityKeys> = known.iter().map(identity_keys).collect();
            let new: Vec<IdentityKeys> = new.iter().map(identity_keys).collect();
            let mut identities = Identities::default();
            for keys in &new {
                identities.push(Some(keys)).unwrap();
            }
            let mut matched = vec![None; new.len()];
            directory.match_all(&|at| identities.get(at), &mut matched, &|_, _| Ok(false)).unwrap();
            prop_assert_eq!(matched, by_texts(&new, &known));
        }

        #[test]
        fn all_who_share_a_value_are_paired(records in proptest::collection::vec(person(), 0..12)) {
            let objects = MemoryObjects::default();
            let pairs = directory(&objects, &records).pairs(records.len());
            let keys: Vec<IdentityKeys> = records.iter().map(identity_keys).collect();
            let shares = |left: &IdentityKeys, right: &IdentityKeys| {
                left.uid.is_some() && left.uid == right.uid
                    || !left.emails.is_disjoint(&right.emails)
                    || !left.phones.is_disjoint(&right.phones)
                    || !left.name_key().is_empty() && left.name_key() == right.name_key()
            };
            let rank = |at: usize| Rank::try_from(at).unwrap();
            let mut wanted = Vec::new();
            for left in 0..keys.len() {
                let others = (left + 1..keys.len()).filter(|right| shares(&keys[left], &keys[*right]));
                wanted.extend(others.map(|right| (rank(left), rank(right))));
            }
            prop_assert_eq!(pairs, wanted);
        }
    }

    #[test]
    fn those_that_are_one_stand_together() {
        let objects = MemoryObjects::default();
        let nobody = Value::Map(Map::new());
        let mut directory = directory(&objects, &vec![nobody; 7]);
        assert_eq!(directory.unions().count(), 0);
        for (left, right) in [(5, 3), (6, 4), (3, 1), (1, 5)] {
            directory.unite(left, right);
        }
        assert_eq!(directory.unions().collect::<Vec<_>>(), [vec![1, 3, 5], vec![4, 6]]);
        assert_eq!(directory.classes.stands_for(5), 1);
    }
}
