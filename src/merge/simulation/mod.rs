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

struct World {
    dice: Dice,
    replicas: Vec<Replica>,
    /// What each replica shows elsewhere.
    sources: Vec<Source>,
    next_id: u8,
    clock: i64,
    unions: bool,
    /// Whether keys change instead.
    renames: bool,
    /// Whether snapshots without parents come up later.
    sights: bool,
    /// How many records there are: few meet often.
    keys: usize,
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
        let renames = dice.one_in(2);
        let unions = !renames && dice.one_in(2);
        let keys = 2 + dice.below(4);
        let sights = dice.one_in(2);
        let replicas = (0..count)
            .map(|id| Replica {
                id: u8::try_from(id).unwrap(),
                objects: MemoryObjects::default(),
                heads: Vec::new(),
                past: Vec::new(),
            })
            .collect();
        let sources = (0..count).map(Source::hiding).collect();
        Self {
            dice,
            replicas,
            sources,
            next_id: 100,
            clock: 0,
            unions,
            renames,
            sights,
            keys,
            seed,
            checked: 0,
            met: BTreeMap::new(),
        }
    }

    fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    fn run(&mut self) {
        let steps = 10 + self.dice.below(25);
        if !self.sights || self.dice.one_in(2) {
            self.write();
            self.gather();
        }
        for _ in 0..steps {
            match self.dice.below(15) {
                0..=5 => self.write(),
                6 => self.resolve(),
                7 => self.undo(),
                8 => self.restore(),
                9 => self.gather(),
                10 | 11 => self.use_source(),
                _ => self.exchange(),
            }
        }
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
            collection: "contacts".to_owned(),
            kind: if self.renames { Kind::Row } else { Kind::Contact },
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
        let transactions = operations
            .into_iter()
            .map(|(key, operation)| Ok(Transaction::new(key, operation)));
        let id = author(&history, parents, meta, transactions).unwrap();
        let mut all = replica.heads.clone();
        all.push(id);
        replica.past.push(replica.heads.clone());
        replica.heads = history.heads_of(&all).unwrap();
    }

    /// Some records change, on the replica's heads, on an older base, or at first sight.
    fn write(&mut self) {
        let replica = self.dice.below(self.replicas.len());
        let base = {
            let past = &self.replicas[replica].past;
            match self.dice.below(8) {
                0 | 1 if !past.is_empty() => self.dice.pick(past).clone(),
                2 if self.sights => Vec::new(),
                _ => self.replicas[replica].heads.clone(),
            }
        };
        let objects = &self.replicas[replica].objects;
        let state = merged_state(&History::new(objects), &base).unwrap();
        let mut operations = BTreeMap::new();
        for _ in 0..=self.dice.below(3) {
            let key = key(self.dice.below(self.keys));
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
        if self.unions && self.dice.one_in(3) {
            let is_record = |n: &usize| matches!(record(objects, &state, &key(*n)).unwrap(), Some(Entry::Record(_)));
            let stays = |n: &usize| !matches!(operations.get(&key(*n)), Some(Operation::Remove | Operation::Alias(_)));
            let records: Vec<usize> = (0..self.keys).filter(is_record).filter(stays).collect();
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
        if self.renames && self.dice.one_in(2) {
            rename(&mut self.dice, objects, &state, self.keys, &mut operations);
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

    /// Puts back what some snapshot changed, where its values still stand.
    fn undo(&mut self) {
        let replica = self.dice.below(self.replicas.len());
        let heads = self.replicas[replica].heads.clone();
        let objects = &self.replicas[replica].objects;
        let history = History::new(objects);
        let all: Vec<SnapshotId> = history.ancestors(&heads).map(|step| step.unwrap().0).collect();
        if all.is_empty() {
            return;
        }
        let undone = history.snapshot(self.dice.pick(&all)).unwrap();
        let before = merged_state(&history, &undone.parents).unwrap();
        let now = merged_state(&history, &heads).unwrap();
        let get = |state: &State, key: &RecordKey| record(objects, state, key).unwrap();
        let mut operations = BTreeMap::new();
        let mut renames: Vec<(RecordKey, RecordKey)> = Vec::new();
        for transaction in Delta::open(objects, &undone.delta).unwrap().iter() {
            let Transaction { key, operation, .. } = transaction.unwrap();
            if let Operation::Rename { from, .. } = operation {
                if from != key && matches!(get(&now, &key), Some(Entry::Record(_))) {
                    renames.push((key, from));
                }
                continue;
            }
            let (old, new, current) = (get(&before, &key), get(&undone.result, &key), get(&now, &key));
            if matches!(current, Some(Entry::Alias(_))) {
                continue;
            }
            let [old, new, current] = [old, new, current].map(|entry| entry.and_then(Entry::into_record));
            let Some(mut target) = current.clone() else {
                if let (Some(old), None) = (old, new) {
                    operations.insert(key, Operation::Add(old));
                }
                continue;
            };
            let inverse = difference(new.as_ref(), old.as_ref());
            let Some(Operation::Change(inverse)) = inverse else {
                if old.is_none() && new == current {
                    operations.insert(key, Operation::Remove);
                }
                continue;
            };
            for operation in inverse {
                let path = operation.path();
                let stands = target.at(path) == new.as_ref().and_then(|new| new.at(path));
                if stands {
                    let change = Operation::Change(vec![operation]);
                    target = apply(Some(&target), &change).unwrap().unwrap();
                }
            }
            operations.extend(difference(current.as_ref(), Some(&target)).map(|operation| (key, operation)));
        }
        // Keys go back where nothing else stands in the way.
        loop {
            let left: BTreeSet<RecordKey> = renames.iter().map(|(from, _)| from.clone()).collect();
            let before = renames.len();
            renames.retain(|(from, to)| {
                let is_free = get(&now, to).is_none() || left.contains(to);
                let is_written = |key| operations.contains_key(key);
                is_free && !is_written(to) && (!is_written(from) || matches!(operations[from], Operation::Add(_)))
            });
            if renames.len() == before {
                break;
            }
        }
        let undone = renames.len();
        for (from, to) in renames {
            let changes = Vec::new();
            operations.insert(to, Operation::Rename { from, changes });
        }
        drop(history);
        for _ in 0..undone {
            self.meet("undone renames");
        }
        self.author(replica, &heads, operations);
    }

    /// A replica comes back from a backup, under a new id.
    fn restore(&mut self) {
        let at = self.dice.below(self.replicas.len());
        let replica = &mut self.replicas[at];
        if self.dice.one_in(3) && !replica.past.is_empty() {
            *self.met.entry("restored stores").or_default() += 1;
            replica.heads = self.dice.pick(&replica.past).clone();
            replica.id = self.next_id;
            self.next_id = self.next_id.wrapping_add(1);
        }
    }

    /// Everybody gets everything, and one writes on top of it: from there on, its snapshot stands for all before.
    fn gather(&mut self) {
        let count = self.replicas.len();
        let center = self.dice.below(count);
        for other in 0..count {
            self.send(other, center);
        }
        let heads = self.replicas[center].heads.clone();
        let note = Value::Map([("/gathered".to_owned(), Value::Integer(self.clock))].into());
        let key = RecordKey::new(self.clock.to_be_bytes()).unwrap();
        self.author(center, &heads, BTreeMap::from([(key, Operation::Add(note))]));
        for other in 0..count {
            self.send(center, other);
        }
        self.check(center);
    }

    fn exchange(&mut self) {
        let count = self.replicas.len();
        let (left, right) = (self.dice.below(count), self.dice.below(count));
        match self.dice.below(3) {
            0 => self.send(left, right),
            1 => {
                self.send(left, right);
                self.send(right, left);
            }
            // Both get what the other had, and neither the other's answer.
            _ => {
                let (of_left, of_right) = (self.replicas[left].heads.clone(), self.replicas[right].heads.clone());
                self.copy(left, right, &of_left);
                self.copy(right, left, &of_right);
            }
        }
        self.check(left);
        self.check(right);
    }

    fn send(&mut self, from: usize, to: usize) {
        let heads = self.replicas[from].heads.clone();
        self.copy(from, to, &heads);
    }

    /// Sends snapshots and difference sets in causal order; the receiver computes the states.
    fn copy(&mut self, from: usize, to: usize, heads: &[SnapshotId]) {
        if from == to {
            return;
        }
        let (source, target) = (&self.replicas[from].objects, &self.replicas[to].objects);
        let history = History::new(source);
        let mut new: Vec<(SnapshotId, std::rc::Rc<Snapshot>)> = history
            .ancestors(heads)
            .map(Result::unwrap)
            .filter(|(id, _)| !target.contains(&id.0))
            .collect();
        new.reverse();
        let receiver = History::new(target);
        for (id, snapshot) in new {
            target.put(Domain::Snapshot, &source.get(&id.0).unwrap()).unwrap();
            let delta = Delta::open(source, &snapshot.delta).unwrap();
            let mut carry = |domain, id: &crate::model::Hash| {
                target.put(domain, &source.get(id).unwrap()).unwrap();
                Ok(())
            };
            delta.each_object(&mut carry).unwrap();
            for blob in delta.blob_references().unwrap() {
                target.put(Domain::Blob, &source.get(&blob.hash).unwrap()).unwrap();
            }
            if let Err(error) = receive(&receiver, &id) {
                panic!("seed {}: {error:?}", self.seed);
            }
        }
        let mut all = self.replicas[to].heads.clone();
        all.extend(heads);
        let heads = receiver.heads_of(&all).unwrap();
        drop(receiver);
        let replica = &mut self.replicas[to];
        if replica.heads != heads {
            replica.past.push(std::mem::replace(&mut replica.heads, heads));
        }
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
        let kept = found
            .iter()
            .filter(|conflict| conflict.kind == ConflictKind::ModifyDelete)
            .count();
        for (what, count) in reference.policies_met.borrow().iter() {
            *self.met.entry(what).or_default() += count;
        }
        for (what, count) in [
            ("records under one key", meetings),
            ("conflicts of keys", of_keys),
            ("kept beside removals", kept),
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
