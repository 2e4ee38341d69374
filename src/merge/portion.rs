//! What a merge concerns, a portion of keys at a time: the keys are held, the records and what was done to them are not.

use std::collections::{BTreeMap, BTreeSet};

use super::MergeError;
use super::conflict::{Marks, decode_marks, marks, record};
use super::group::components;
use super::history::Step;
use super::policy::{is_settings, settings_key};
use crate::delta::{Delta, Entry, Operation, Snapshot, State};
use crate::model::{Hash, RecordKey};
use crate::port::Objects;
use crate::tree;

/// How many keys are evaluated at once (chosen: with their records and operations they take some megabytes). Tests make
/// portions of next to nothing.
pub(super) const PORTION_KEYS: usize = if cfg!(test) { 3 } else { 1024 };

/// How many large difference sets stay open (chosen: each holds one decoded block, some megabytes).
const KEPT_SETS: usize = 4;
/// How many sets are read anew for each portion (chosen: small ones cost a look-up each).
const MANY_SETS: usize = 64;
/// How often each set is read, at most and about, where there are more than that, or more large ones than stay open
/// (chosen).
const MOST_PASSES: usize = 32;
/// What is no more than so many portions of changes is evaluated at once (chosen). Tests cut everything.
const FEW_PORTIONS: u64 = if cfg!(test) { 0 } else { 32 };

/// Operations on one key, with the numbers of their steps, in order of steps.
pub(super) type Operations = Vec<(usize, Operation)>;

/// The operations on some keys.
pub(super) type Portion = BTreeMap<RecordKey, Operations>;

/// The keys that some steps touched.
#[derive(Default)]
pub(super) struct Touched {
    /// In order, each once; that of the settings is none of them.
    pub(super) keys: Vec<RecordKey>,
    /// The keys that the steps united: an alias, and what it is an alias of.
    pub(super) aliases: Vec<(RecordKey, RecordKey)>,
}

impl Touched {
    /// Reads which keys some difference sets name.
    pub(super) fn read<'s>(objects: &dyn Objects, deltas: impl Iterator<Item = &'s Hash>) -> Result<Self, MergeError> {
        let mut touched = Self::default();
        let mut sorted = 0;
        for delta in deltas {
            for transaction in Delta::open(objects, delta)?.iter() {
                let transaction = transaction?;
                if let Operation::Alias(to) = transaction.operation {
                    touched.aliases.push((transaction.key.clone(), to));
                }
                if !is_settings(&transaction.key) {
                    touched.keys.push(transaction.key);
                }
            }
            // Many steps may touch the same keys again and again.
            if touched.keys.len() > 2 * sorted {
                touched.sort();
                sorted = touched.keys.len();
            }
        }
        touched.sort();
        Ok(touched)
    }

    fn sort(&mut self) {
        self.keys.sort_unstable();
        self.keys.dedup();
    }
}

/// Lists the snapshots of some steps.
pub(super) fn snapshots(steps: &[Step]) -> impl Iterator<Item = &Snapshot> {
    steps.iter().map(|step| &*step.snapshot)
}

/// Lists the difference sets of some steps.
pub(super) fn deltas(steps: &[Step]) -> impl Iterator<Item = &Hash> {
    steps.iter().map(|step| &step.snapshot.delta)
}

/// Reads what difference sets do to some keys, then to others.
pub(super) struct Collector<'s, 'o> {
    objects: &'o dyn Objects,
    deltas: Vec<&'s Hash>,
    /// Large sets that stay open, with their places: portions that follow each other lie in the same blocks.
    kept: Vec<(usize, Delta<'o>)>,
}

impl<'s, 'o> Collector<'s, 'o> {
    /// Takes the sets of the steps from the first on.
    pub(super) fn new(objects: &'o dyn Objects, deltas: impl Iterator<Item = &'s Hash>) -> Self {
        Self {
            objects,
            deltas: deltas.collect(),
            kept: Vec::new(),
        }
    }

    /// Returns what is done to some keys.
    pub(super) fn collect(&mut self, keys: impl IntoIterator<Item = RecordKey>) -> Result<Portion, MergeError> {
        let mut portion: Portion = keys.into_iter().map(|key| (key, Operations::new())).collect();
        if portion.is_empty() {
            return Ok(portion);
        }
        for (number, delta) in self.deltas.iter().enumerate() {
            if let Some((_, delta)) = self.kept.iter().find(|(at, _)| *at == number) {
                look_up(delta, number, &mut portion)?;
                continue;
            }
            let delta = Delta::open(self.objects, delta)?;
            if !is_large(delta.len(), portion.len()) {
                // A small set is read in one go; of a large one only the blocks are that have some of the keys.
                for transaction in delta.iter() {
                    let transaction = transaction?;
                    if let Some(operations) = portion.get_mut(&transaction.key) {
                        operations.push((number, transaction.operation));
                    }
                }
                continue;
            }
            look_up(&delta, number, &mut portion)?;
            if self.kept.len() < KEPT_SETS {
                self.kept.push((number, delta));
            }
        }
        Ok(portion)
    }
}

fn is_large(transactions: u64, portion_keys: usize) -> bool {
    transactions > (portion_keys as u64).saturating_mul(4)
}

fn look_up(delta: &Delta<'_>, number: usize, portion: &mut Portion) -> Result<(), MergeError> {
    let mut finder = delta.finder();
    for (key, operations) in portion {
        let transaction = finder.find(key)?;
        operations.extend(transaction.map(|transaction| (number, transaction.operation)));
    }
    Ok(())
}

/// Returns how many of some keys are to be evaluated at once, `wanted` or more, so that what some snapshots did to them is
/// not read over and over.
pub(super) fn portion_keys<'s>(wanted: usize, keys: usize, snapshots: impl Iterator<Item = &'s Snapshot>) -> usize {
    let (mut weight, mut count, mut large) = (0, 0, 0);
    for snapshot in snapshots {
        let counts = snapshot.counts;
        // A new record is several times what changes of one are.
        weight += counts.total().saturating_add(counts.added.saturating_mul(3));
        count += 1;
        // A first set is a tree, of which any part can be read.
        large += usize::from(!snapshot.parents.is_empty() && is_large(counts.total(), wanted));
    }
    if weight <= (wanted as u64).saturating_mul(FEW_PORTIONS) {
        keys.max(1)
    } else if large > KEPT_SETS || count > MANY_SETS {
        wanted.max(keys / MOST_PASSES)
    } else {
        wanted
    }
}

/// Cuts classes of keys into portions; a class stays whole.
pub(super) fn portions(
    classes: &[Vec<RecordKey>],
    portion_keys: usize,
) -> impl Iterator<Item = &[Vec<RecordKey>]> + '_ {
    let mut rest = classes;
    std::iter::from_fn(move || {
        let mut keys = 0;
        let fits = |class: &&Vec<RecordKey>| {
            keys += class.len();
            keys <= portion_keys
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (portion, after) = rest.split_at_checked(count)?;
        rest = after;
        Some(portion)
    })
}

/// Reads entries of a state; in the order of their keys each node is read once.
pub(super) struct StateReader<'a> {
    objects: &'a dyn Objects,
    state: State,
    content: tree::Finder<'a>,
    conflicts: tree::Finder<'a>,
}

impl<'a> StateReader<'a> {
    pub(super) fn new(objects: &'a dyn Objects, state: &State) -> Self {
        Self {
            objects,
            state: *state,
            content: tree::Finder::new(objects, &state.content),
            conflicts: tree::Finder::new(objects, &state.conflicts),
        }
    }

    /// Returns the entry of a key.
    pub(super) fn record(&mut self, key: &RecordKey) -> Result<Option<Entry>, MergeError> {
        if is_settings(key) {
            return record(self.objects, &self.state, key);
        }
        let bytes = self.content.find(key.bytes())?;
        Ok(bytes.map(Entry::decode).transpose()?)
    }

    /// Returns what a key is an alias of, if it is one.
    pub(super) fn alias(&mut self, key: &RecordKey) -> Result<Option<RecordKey>, MergeError> {
        let bytes = self.content.find(key.bytes())?.filter(|bytes| Entry::is_alias(bytes));
        match bytes.map(Entry::decode).transpose()? {
            Some(Entry::Alias(to)) => Ok(Some(to)),
            _ => Ok(None),
        }
    }

    /// Returns what is marked at a key.
    pub(super) fn marks(&mut self, key: &RecordKey) -> Result<Marks, MergeError> {
        if is_settings(key) {
            return marks(self.objects, &self.state, key);
        }
        let bytes = self.conflicts.find(key.bytes())?;
        bytes.map_or_else(|| Ok(Marks::default()), |bytes| decode_marks(key, bytes))
    }
}

/// Returns the classes of keys that some of `keys`, which are sorted, are united with by `aliases` or in `start`. Keys
/// that are united with none are in none. The smallest key of each class stands first, and classes are in its order.
pub(super) fn united<'k>(
    objects: &dyn Objects,
    start: &State,
    keys: impl Iterator<Item = &'k RecordKey>,
    aliases: Vec<(RecordKey, RecordKey)>,
) -> Result<Vec<Vec<RecordKey>>, MergeError> {
    let mut edges = aliases;
    // An alias exists only where there is a mark at its target.
    if start.conflicts != tree::empty_root() {
        let mut state = StateReader::new(objects, start);
        let mut met: BTreeSet<RecordKey> = BTreeSet::new();
        let mut open: Vec<RecordKey> = edges.iter().flat_map(|(from, to)| [from, to]).cloned().collect();
        for key in keys {
            for other in others(&mut state, key)? {
                edges.push((key.clone(), other.clone()));
                open.push(other);
            }
        }
        while let Some(key) = open.pop() {
            if !met.insert(key.clone()) {
                continue;
            }
            for other in others(&mut state, &key)? {
                edges.push((key.clone(), other.clone()));
                open.push(other);
            }
        }
    }
    Ok(split_into_classes(&edges))
}

/// Lists the keys that one is united with at once in a state.
fn others(state: &mut StateReader<'_>, key: &RecordKey) -> Result<Vec<RecordKey>, MergeError> {
    match state.alias(key)? {
        Some(to) => Ok(vec![to]),
        None => Ok(state.marks(key)?.aliases),
    }
}

/// Splits the keys of some edges into classes; keys and classes are in order.
fn split_into_classes(edges: &[(RecordKey, RecordKey)]) -> Vec<Vec<RecordKey>> {
    let mut keys: Vec<&RecordKey> = edges.iter().flat_map(|(left, right)| [left, right]).collect();
    keys.sort_unstable();
    keys.dedup();
    let number = |key: &RecordKey| keys.binary_search(&key).ok();
    let numbered = edges
        .iter()
        .filter_map(|(left, right)| Some((number(left)?, number(right)?)));
    let class_of = components(keys.len(), numbered);
    let mut classes: BTreeMap<usize, Vec<RecordKey>> = BTreeMap::new();
    for (key, class) in keys.iter().zip(class_of) {
        classes.entry(class).or_default().push((*key).clone());
    }
    classes.into_values().collect()
}

/// Returns what was done to the settings, in order of steps.
pub(super) fn changes_of_settings(objects: &dyn Objects, steps: &[Step]) -> Result<Operations, MergeError> {
    let key = settings_key();
    let mut changes = Operations::new();
    for (number, delta) in deltas(steps).enumerate() {
        let transaction = Delta::open(objects, delta)?.get(&key)?;
        changes.extend(transaction.map(|transaction| (number, transaction.operation)));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> RecordKey {
        RecordKey::new([n; 16]).unwrap()
    }

    #[test]
    fn portions_hold_whole_classes() {
        let classes: Vec<Vec<RecordKey>> = [vec![1, 2], vec![3, 4, 5, 6], vec![7, 8], vec![9, 10]]
            .into_iter()
            .map(|class| class.into_iter().map(key).collect())
            .collect();
        let lengths = |size| portions(&classes, size).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(1), [1, 1, 1, 1]);
        assert_eq!(lengths(4), [1, 1, 2]);
        assert_eq!(lengths(6), [2, 2]);
        assert_eq!(lengths(100), [4]);
        assert_eq!(portions(&[], 3).count(), 0);
    }

    #[test]
    fn keys_are_split_by_their_edges() {
        let edges = [(5, 3), (9, 7), (3, 1), (8, 7)].map(|(left, right)| (key(left), key(right)));
        let wanted = [vec![1, 3, 5], vec![7, 8, 9]].map(|class| class.into_iter().map(key).collect::<Vec<_>>());
        assert_eq!(split_into_classes(&edges), wanted);
        assert!(split_into_classes(&[]).is_empty());
    }
}
