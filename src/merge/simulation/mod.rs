//! Replicas that edit, exchange, resolve, undo and come back from backups at random, checked against [`Reference`].
//!
//! Every replica has its own objects and receives snapshots as deltas alone, so that every state is computed anew by
//! everybody who gets it.

use std::collections::{BTreeMap, BTreeSet};

use super::reference::{Reference, What};
use super::*;
use crate::delta::{Delta, Entry, FieldOperation, Operation, Snapshot, Transaction, apply, difference};
use crate::model::{Domain, FieldPath, Kind, Map, ReplicaId, TimeMs, Value, cbor};
use crate::port::{MemoryObjects, Objects};
use crate::tree;

mod exchange;
mod past;
mod source;

use source::Source;

/// A small generator of numbers; the runs must be the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

struct Replica {
    id: u8,
    objects: MemoryObjects,
    heads: Vec<SnapshotId>,
    /// Head sets it had before.
    past: Vec<Vec<SnapshotId>>,
}

/// What replicas have of a collection that is not at hand.
struct Collection {
    kind: Kind,
    /// Whether records are united, or get other keys, as the kind has it.
    moves: bool,
    /// Whether snapshots without parents come up later.
    sights: bool,
    /// How many records there are: few meet often.
    keys: usize,
    /// The heads and past heads of each replica.
    heads: Vec<(Vec<SnapshotId>, Vec<Vec<SnapshotId>>)>,
    /// What each replica shows elsewhere.
    sources: Vec<Source>,
    /// Who removed what.
    removals: Vec<(RecordKey, SnapshotId)>,
}

impl Collection {
    fn new(dice: &mut Dice, kind: Kind, replicas: usize) -> Self {
        Self {
            kind,
            moves: !dice.one_in(4),
            sights: dice.one_in(2),
            keys: 2 + dice.below(4),
            heads: vec![Default::default(); replicas],
            sources: (0..replicas).map(Source::hiding).collect(),
            removals: Vec::new(),
        }
    }

    const fn has_unions(&self) -> bool {
        matches!(self.kind, Kind::Contact) && self.moves
    }

    const fn has_renames(&self) -> bool {
        matches!(self.kind, Kind::Row) && self.moves
    }
}

/// Replicas with a collection of each kind of keys, so that unions and renames come in one run, from one store.
struct World {
    dice: Dice,
    replicas: Vec<Replica>,
    /// The collection at hand; the replicas have its heads.
    at_hand: Collection,
    other: Collection,
    next_id: u8,
    /// The newest key that no write chose.
    next_key: usize,
    clock: i64,
    seed: u64,
    checked: usize,
    /// How often what a run is for came up.
    met: BTreeMap<&'static str, usize>,
}

const PATHS: [&str; 12] = [
    "/name/given",
    "/name/surname",
    "/name",
    "/phones/x/number",
    "/phones/x/label",
    "/phones/x/order",
    "/phones/x",
    "/phones/y/number",
    "/phones",
    "/keywords/k",
    "/keywords/l",
    "/note",
];

fn key(n: usize) -> RecordKey {
    RecordKey::new([u8::try_from(n).unwrap(); 4]).unwrap()
}

fn leaf(dice: &mut Dice, at: &str) -> Value {
    if at.starts_with("/keywords") {
        return true.into();
    }
    if at.ends_with("order") {
        return i64::try_from(dice.below(3)).unwrap().into();
    }
    if at == "/note" && !dice.one_in(4) {
        let lines: Vec<String> = (0..5)
            .map(|line| format!("{line}{}\n", if dice.one_in(3) { "*" } else { "" }))
            .collect();
        return Value::Text(lines.join("same\nsame\n").into());
    }
    Value::Text((*dice.pick(&["a", "b", "c"])).to_owned().into())
}

/// Changes a record at some paths, as a person does.
fn mutate(dice: &mut Dice, record: &mut Value) {
    for _ in 0..=dice.below(3) {
        let at = *dice.pick(&PATHS);
        let path = FieldPath::parse(at).unwrap();
        if dice.one_in(3) {
            record.remove_at(&path);
        } else if !(path.parts().len() < 2 && at != "/note" && at != "/name" || at == "/phones/x") {
            let value = leaf(dice, at);
            record.set_at(&path, value);
        }
    }
    record.prune();
}

/// Adds to the operations on a state that some of its records get other keys: one, a chain, a ring, or one its own again;
/// what was to be done to a record that goes is done on the way, and its old key may be taken by a new one at once.
fn rename(
    dice: &mut Dice,
    objects: &dyn Objects,
    state: &State,
    keys: usize,
    operations: &mut BTreeMap<RecordKey, Operation>,
) {
    let get = |key: &RecordKey| record(objects, state, key).unwrap().and_then(Entry::into_record);
    let mut all: Vec<RecordKey> = (0..keys).map(key).collect();
    dice.shuffle(&mut all);
    let is_changed = |key: &RecordKey| matches!(operations.get(key), None | Some(Operation::Change(_)));
    let (there, free): (Vec<RecordKey>, Vec<RecordKey>) = all.into_iter().partition(|key| get(key).is_some());
    let there: Vec<RecordKey> = there.into_iter().filter(is_changed).collect();
    let free: Vec<RecordKey> = free.into_iter().filter(|key| !operations.contains_key(key)).collect();
    if there.is_empty() {
        return;
    }
    let count = 1 + dice.below(there.len().min(3));
    let moved: Vec<RecordKey> = there.into_iter().take(count).collect();
    // Each goes where the next one was; the last one to a free key, or into the first one's place.
    let last = free.first().filter(|_| !dice.one_in(4)).or(moved.first()).unwrap();
    let targets: Vec<RecordKey> = moved.iter().skip(1).chain([last]).cloned().collect();
    let changes: Vec<Vec<FieldOperation>> = moved
        .iter()
        .map(|from| match operations.remove(from) {
            Some(Operation::Change(changes)) => changes,
            _ => Vec::new(),
        })
        .collect();
    for ((from, to), changes) in moved.iter().zip(&targets).zip(changes) {
        let from = from.clone();
        operations.insert(to.clone(), Operation::Rename { from, changes });
    }
    if !targets.contains(&moved[0]) && dice.one_in(3) {
        let mut new = Value::Map(Map::new());
        mutate(dice, &mut new);
        operations.insert(moved[0].clone(), Operation::Add(new));
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let count = 3 + dice.below(6);
        let replicas = (0..count)
            .map(|id| Replica {
                id: u8::try_from(id).unwrap(),
                objects: MemoryObjects::default(),
                heads: Vec::new(),
                past: Vec::new(),
            })
            .collect();
        let [at_hand, other] = [Kind::Contact, Kind::Row].map(|kind| Collection::new(&mut dice, kind, count));
        let sizes = [
            "runs of 3 replicas",
            "runs of 4 replicas",
            "runs of 5 replicas",
            "runs of 6 replicas",
            "runs of 7 replicas",
            "runs of 8 replicas",
        ];
        Self {
            dice,
            replicas,
            at_hand,
            other,
            next_id: 100,
            next_key: 50,
            clock: 0,
            seed,
            checked: 0,
            met: [(sizes[count - 3], 1)].into(),
        }
    }

    /// Goes on with the other collection.
    fn turn(&mut self) {
        for (replica, (heads, past)) in self.replicas.iter_mut().zip(&mut self.other.heads) {
            std::mem::swap(&mut replica.heads, heads);
            std::mem::swap(&mut replica.past, past);
        }
        std::mem::swap(&mut self.at_hand.heads, &mut self.other.heads);
        std::mem::swap(&mut self.at_hand, &mut self.other);
    }

    fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    fn run(&mut self) {
        let steps = 12 + self.dice.below(30);
        for _ in 0..2 {
            if !self.at_hand.sights || self.dice.one_in(2) {
                self.write();
                self.gather();
            }
            self.turn();
        }
        for _ in 0..steps {
            if self.dice.one_in(2) {
                self.turn();
            }
            match self.dice.below(19) {
                0..=4 => self.write(),
                5 | 6 => self.resolve(),
                7 | 8 => self.undo(),
                9 => self.restore(),
                10 => self.gather(),
                11..=13 => self.use_source(),
                14 if self.dice.one_in(3) => self.pass_round(),
                14 | 15 => self.return_to_old(),
                _ => self.exchange(),
            }
        }
        self.finish();
        self.turn();
        self.finish();
        for (both, one, other) in [
            ("runs with unions and renames", "unions", "renames"),
            ("runs with undone unions and renames", "undone unions", "undone renames"),
        ] {
            if [one, other].iter().all(|what| self.met.contains_key(what)) {
                self.meet(both);
            }
        }
    }

    /// Ends a collection's run: everybody comes to one state.
    fn finish(&mut self) {
        // Everybody gets everything, in rings of changing direction.
        let count = self.replicas.len();
        for round in 0..2 {
            let mut order: Vec<usize> = (0..count).collect();
            self.dice.shuffle(&mut order);
            for at in 0..count {
                let (from, to) = (order[at], order[(at + 1) % count]);
                self.send(from, to);
                if round == 1 {
                    self.send(to, from);
                }
            }
        }
        for from in 0..count {
            for to in 0..count {
                self.send(from, to);
            }
        }
        let states: BTreeSet<String> = self
            .replicas
            .iter()
            .map(|replica| {
                let history = History::new(&replica.objects);
                format!("{:?}", merged_state(&history, &replica.heads).unwrap())
            })
            .collect();
        assert_eq!(states.len(), 1, "seed {}: replicas differ", self.seed);
        self.check(0);
        self.check_nothing_is_lost();
    }

    fn meta(&mut self, replica: usize) -> Authoring {
        // Clocks are wrong by more than the steps between writes.
        self.clock += 10;
        let skew = i64::try_from(self.dice.below(100)).unwrap();
        Authoring {
            collection: self.at_hand.kind.name().to_owned(),
            kind: self.at_hand.kind,
            replica: ReplicaId::from_bytes([self.replicas[replica].id; 16]),
            system: format!("r{}", self.replicas[replica].id),
            time: TimeMs(self.clock + skew),
            message: None,
        }
    }

    fn author(&mut self, replica: usize, parents: &[SnapshotId], operations: BTreeMap<RecordKey, Operation>) {
        if operations.is_empty() {
            return;
        }
        for (key, operation) in &operations {
            self.meet(match operation {
                _ if *key == settings_key() => "settings",
                Operation::Add(_) => "additions",
                Operation::Change(_) => "changes",
                Operation::Remove => "removals",
                Operation::Alias(_) => "unions",
                Operation::Rename { .. } => "renames",
            });
        }
        let meta = self.meta(replica);
        let replica = &mut self.replicas[replica];
        let history = History::new(&replica.objects);
        let is_of = |wanted: fn(&Operation) -> bool| {
            let all = operations.iter().filter(move |(_, operation)| wanted(operation));
            all.map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        let added = is_of(|operation| matches!(operation, Operation::Add(_)));
        let removed = is_of(|operation| *operation == Operation::Remove);
        let removals = self.at_hand.removals.iter();
        let of_added: Vec<SnapshotId> = removals
            .filter(|(key, _)| added.contains(key))
            .map(|(_, by)| *by)
            .collect();
        if !of_added.is_empty() {
            let mut known = history.ancestors(parents).map(|step| step.unwrap().0);
            let is_again = known.any(|id| of_added.contains(&id));
            *self.met.entry("records added again").or_default() += usize::from(is_again);
        }
        let transactions = operations
            .into_iter()
            .map(|(key, operation)| Ok(Transaction::new(key, operation)));
        let id = author(&history, parents, meta, transactions).unwrap();
        self.at_hand.removals.extend(removed.into_iter().map(|key| (key, id)));
        let mut all = replica.heads.clone();
        all.push(id);
        replica.past.push(replica.heads.clone());
        replica.heads = history.heads_of(&all).unwrap();
    }

    /// Some records change, on the replica's heads, on an older base, or at first sight.
    fn write(&mut self) {
        let replica = self.dice.below(self.replicas.len());
        self.write_on(replica);
    }

    fn write_on(&mut self, replica: usize) {
        let base = {
            let past = &self.replicas[replica].past;
            match self.dice.below(8) {
                0 | 1 if !past.is_empty() => self.dice.pick(past).clone(),
                2 if self.at_hand.sights => Vec::new(),
                _ => self.replicas[replica].heads.clone(),
            }
        };
        let objects = &self.replicas[replica].objects;
        let state = merged_state(&History::new(objects), &base).unwrap();
        let mut operations = BTreeMap::new();
        for _ in 0..=self.dice.below(3) {
            let key = key(self.dice.below(self.at_hand.keys));
            let old = match record(objects, &state, &key).unwrap() {
                Some(Entry::Alias(_)) => continue,
                other => other.and_then(Entry::into_record),
            };
            let mut new = old.clone().unwrap_or_else(|| Value::Map(Map::new()));
            mutate(&mut self.dice, &mut new);
            let new = (old.is_none() || !self.dice.one_in(6)).then_some(new);
            let mut operation = difference(old.as_ref(), new.as_ref());
            if let (Some(old), true) = (&old, self.dice.one_in(8)) {
                // A touch of something, or of the record.
                let leaves = old.leaves();
                let touched = (!leaves.is_empty()).then(|| self.dice.pick(&leaves).clone());
                let set = touched.map(|(path, value)| FieldOperation::Set(path, value.clone()));
                operation = Some(Operation::Change(set.into_iter().collect()));
            }
            operations.extend(operation.map(|operation| (key, operation)));
        }
        if self.at_hand.has_unions() && self.dice.one_in(3) {
            let is_record = |n: &usize| matches!(record(objects, &state, &key(*n)).unwrap(), Some(Entry::Record(_)));
            let stays = |n: &usize| !matches!(operations.get(&key(*n)), Some(Operation::Remove | Operation::Alias(_)));
            let records: Vec<usize> = (0..self.at_hand.keys).filter(is_record).filter(stays).collect();
            if records.len() > 1 {
                let to = self.dice.below(records.len() - 1);
                let from = to + 1 + self.dice.below(records.len() - to - 1);
                operations.insert(key(records[from]), Operation::Alias(key(records[to])));
            }
        }
        if self.dice.one_in(5) {
            let settings = record(objects, &state, &settings_key())
                .unwrap()
                .and_then(Entry::into_record);
            let system = format!("r{}", self.dice.below(self.replicas.len()));
            let policies = [Policy::Newest, Policy::Prefer(system), Policy::Union, Policy::KeepBoth];
            let at = *self.dice.pick(&["", "", "/note", "/name", "/phones/x"]);
            let at = FieldPath::parse(at).unwrap();
            let setting = Settings::setting(settings.as_ref(), &at, self.dice.pick(&policies));
            operations.insert(settings_key(), setting);
        }
        if self.at_hand.has_renames() && self.dice.one_in(2) {
            rename(&mut self.dice, objects, &state, self.at_hand.keys, &mut operations);
        }
        self.author(replica, &base, operations);
    }

    /// Chooses an alternative of some conflict.
    fn resolve(&mut self) {
        let replica = self.dice.below(self.replicas.len());
        let heads = self.replicas[replica].heads.clone();
        let objects = &self.replicas[replica].objects;
        let state = merged_state(&History::new(objects), &heads).unwrap();
        let all: Vec<Conflict> = conflicts(objects, &state).collect::<Result<_, _>>().unwrap();
        if all.is_empty() {
            return;
        }
        let conflict = self.dice.pick(&all).clone();
        let chosen = self.dice.pick(&conflict.alternatives).value.clone();
        self.meet("resolutions");
        if let (ConflictKind::Key, Some(Value::Bytes(chosen))) = (conflict.kind, &chosen) {
            self.meet("resolutions of keys");
            self.resolve_key(replica, &conflict.key, &RecordKey::new(&chosen[..]).unwrap());
            return;
        }
        let operation = match (chosen, conflict.path.is_root()) {
            (None, true) => Operation::Remove,
            (Some(_), true) => Operation::Change(vec![]),
            (None, false) => Operation::Change(vec![FieldOperation::Clear(conflict.path.clone())]),
            (Some(value), false) => Operation::Change(vec![FieldOperation::Set(conflict.path.clone(), value)]),
        };
        let (key, path) = (conflict.key.clone(), conflict.path.clone());
        self.author(replica, &heads, BTreeMap::from([(key.clone(), operation)]));
        let replica = &self.replicas[replica];
        let state = merged_state(&History::new(&replica.objects), &replica.heads).unwrap();
        let left = conflicts_of(&replica.objects, &state, &key).unwrap();
        assert!(
            left.iter()
                .all(|left| left.path != path || left.kind == ConflictKind::Key),
            "seed {}: {path} is still in conflict",
            self.seed
        );
    }

    /// Gives a record one of the keys that are at odds, if that is free.
    fn resolve_key(&mut self, replica: usize, key: &RecordKey, chosen: &RecordKey) {
        let heads = self.replicas[replica].heads.clone();
        let objects = &self.replicas[replica].objects;
        let state = merged_state(&History::new(objects), &heads).unwrap();
        if chosen != key && record(objects, &state, chosen).unwrap().is_some() {
            return;
        }
        let (from, changes) = (key.clone(), Vec::new());
        let operation = Operation::Rename { from, changes };
        self.author(replica, &heads, BTreeMap::from([(chosen.clone(), operation)]));
        let replica = &self.replicas[replica];
        let state = merged_state(&History::new(&replica.objects), &replica.heads).unwrap();
        let left = conflicts_of(&replica.objects, &state, chosen).unwrap();
        assert!(left.iter().all(|conflict| conflict.kind != ConflictKind::Key));
    }

    /// Compares the merged state of a replica with the reference, in any order of heads.
    fn check(&mut self, at: usize) {
        let replica = &self.replicas[at];
        let objects = &replica.objects;
        let history = History::new(objects);
        let state = merged_state(&history, &replica.heads).unwrap();
        let mut shuffled = replica.heads.clone();
        self.dice.shuffle(&mut shuffled);
        shuffled.extend(shuffled.first().copied());
        assert_eq!(merged_state(&History::new(objects), &shuffled).unwrap(), state);

        let reference = Reference::new(&history, &replica.heads);
        let (records, aliases, wanted_conflicts) = reference.state(&replica.heads);
        let mut wanted: BTreeMap<Vec<u8>, Entry> = BTreeMap::new();
        for (key, value) in records {
            wanted.insert(key.bytes().to_vec(), Entry::Record(value));
        }
        let settings = record(objects, &state, &settings_key())
            .unwrap()
            .map(|entry| entry.encode());
        let wanted_settings = wanted.remove(settings_key().bytes()).map(|entry| entry.encode());
        assert_eq!(settings, wanted_settings, "seed {}: settings", self.seed);
        for (key, to) in aliases {
            wanted.insert(key.bytes().to_vec(), Entry::Alias(to));
        }
        let content: BTreeMap<Vec<u8>, Entry> = tree::iter(objects, &state.content)
            .map(|entry| {
                let (key, bytes) = entry.unwrap();
                (key, Entry::decode(&bytes).unwrap())
            })
            .collect();
        assert_eq!(content, wanted, "seed {}: content", self.seed);
        let found: Vec<Conflict> = conflicts(objects, &state).collect::<Result<_, _>>().unwrap();
        assert_eq!(found, wanted_conflicts, "seed {}: conflicts", self.seed);
        let meetings = reference.meetings(&replica.heads);
        let of_keys = found
            .iter()
            .filter(|conflict| conflict.kind == ConflictKind::Key)
            .count();
        let of_removals = || found.iter().filter(|found| found.kind == ConflictKind::ModifyDelete);
        let kept = of_removals().count();
        let removed = of_removals().filter(|conflict| conflict.path.is_root()).count();
        let crossed = usize::from(is_crossed(&history, &reference, &replica.heads));
        for (what, count) in reference.policies_met.borrow().iter() {
            *self.met.entry(what).or_default() += count;
        }
        for (what, count) in [
            ("records under one key", meetings),
            ("conflicts of keys", of_keys),
            ("kept beside removals", kept),
            ("removals against edits", removed),
            ("criss-cross merges", crossed),
        ] {
            *self.met.entry(what).or_default() += count;
        }
        self.checked += 1;
    }

    /// Every value ever written is shown, in a conflict, or was overwritten by somebody who had seen it.
    fn check_nothing_is_lost(&self) {
        let replica = &self.replicas[0];
        let history = History::new(&replica.objects);
        let reference = Reference::new(&history, &replica.heads);
        let scope = reference.scope(&replica.heads);
        let state = merged_state(&history, &replica.heads).unwrap();
        for write in &reference.writes {
            let What::Leaf(value) = &write.what else { continue };
            if write.path.last().is_some_and(|part| part == "order") {
                continue;
            }
            let class = reference.class(&scope, &write.line);
            let first = &reference.name(&scope, &class);
            let path = FieldPath::new(write.path.clone());
            let record = record(&replica.objects, &state, first)
                .unwrap()
                .and_then(Entry::into_record);
            let shown = record.as_ref().and_then(|record| record.at(&path));
            let in_conflict = || {
                let all = conflicts_of(&replica.objects, &state, first).unwrap();
                all.iter().any(|conflict| {
                    let inner = FieldPath::new(write.path.iter().skip(conflict.path.parts().len()).cloned());
                    path.starts_with(&conflict.path)
                        && conflict.alternatives.iter().any(|alternative| {
                            let value_there = alternative.value.as_ref().and_then(|there| there.at(&inner));
                            value_there == Some(value)
                        })
                })
            };
            // Somebody later wrote the path, something above or something below, or removed the record.
            let overwritten = || {
                reference.writes.iter().any(|later| {
                    reference.ancestors[&later.snapshot].contains(&write.snapshot)
                        && class.contains(&later.line)
                        && (later.path.starts_with(&write.path)
                            || write.path.starts_with(&later.path) && later.what != What::Present)
                }) || reference.writes.iter().any(|later| {
                    // Written anew as a whole.
                    reference.ancestors[&later.snapshot].contains(&write.snapshot)
                        && class.contains(&later.line)
                        && write.path.starts_with(&later.path)
                        && later.wipes()
                })
            };
            // Line by line, a merge may keep none of a text's lines: those that it left as they were, others changed.
            // A union keeps a single line as one of its own.
            let is_merged_text = || match (value, shown) {
                (Value::Text(text), Some(Value::Text(shown))) => {
                    shown.contains('\n') && (text.contains('\n') || shown.lines().any(|line| line == text))
                }
                _ => false,
            };
            // Equal parts of united records are one: who rewrote or removed the other one's, alone or with what is
            // around it, had seen this value.
            let linked = || {
                reference.writes.iter().any(|other| {
                    let is_equal = other.path == write.path && other.what == write.what && other.line != write.line;
                    is_equal
                        && class.contains(&other.line)
                        && reference.writes.iter().any(|later| {
                            let is_above = write.path.starts_with(&later.path);
                            (later.path == write.path || is_above && (later.what != What::Present || later.wipes()))
                                && class.contains(&later.line)
                                && reference.ancestors[&later.snapshot].contains(&other.snapshot)
                        })
                })
            };
            let same = shown.is_some_and(|shown| cbor::encode(shown) == cbor::encode(value));
            assert!(
                same || in_conflict() || overwritten() || is_merged_text() || linked(),
                "seed {}: {value:?} at {path} of {} is lost; shown is {shown:?}",
                self.seed,
                write.line.0
            );
        }
    }
}

/// Whether two heads have several latest common ancestors.
fn is_crossed(history: &History<'_>, reference: &Reference<'_>, heads: &[SnapshotId]) -> bool {
    let mut pairs = heads
        .iter()
        .flat_map(|left| heads.iter().map(move |right| (left, right)));
    pairs.any(|(left, right)| {
        let [left, right] = [left, right].map(|head| &reference.ancestors[head]);
        let common: Vec<SnapshotId> = left.intersection(right).copied().collect();
        history.heads_of(&common).unwrap().len() > 1
    })
}

#[expect(clippy::print_stdout, reason = "the figures of a long run are what it is for")]
fn simulate(seeds: std::ops::Range<u64>) {
    let count = seeds.end - seeds.start;
    let mut checked = 0;
    let mut met: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in seeds {
        let mut world = World::new(seed);
        world.run();
        checked += world.checked;
        for (what, count) in world.met {
            *met.entry(what).or_default() += count;
        }
    }
    println!("{count} runs, {checked} states compared: {met:?}");
    assert!(checked > 0);
    for what in [
        "runs of 3 replicas",
        "runs of 4 replicas",
        "runs of 5 replicas",
        "runs of 6 replicas",
        "runs of 7 replicas",
        "runs of 8 replicas",
        "runs with unions and renames",
        "criss-cross merges",
        "rings",
        "returns to an old value",
        "removals against edits",
        "records added again",
        "undone shared snapshots",
        "undone unions",
        "renames",
        "undone renames",
        "conflicts of keys",
        "resolutions of keys",
        "records under one key",
        "kept beside removals",
        "unions",
        "restored stores",
        "edits through sources",
        "skipped items",
        "settings",
        "preferred values",
        "united texts",
        "texts kept apart",
    ] {
        assert!(met.get(what).copied().unwrap_or(0) > 0, "no {what}: {met:?}");
    }
}

#[test]
fn replicas_converge_to_what_the_rules_say() {
    simulate(0..300);
}

#[test]
#[ignore = "takes minutes; run it after a change of the rules: cargo test --lib simulation -- --ignored"]
fn replicas_converge_ten_thousand_times() {
    simulate(1000..11_000);
}
