//! What was, again: values that return, changes that are undone, stores that come back from a backup.

use super::*;

impl World {
    /// Gives some fields the values that they had once, on the replica's heads.
    pub(super) fn return_to_old(&mut self) {
        let replica = self.dice.below(self.replicas.len());
        let Replica {
            objects, heads, past, ..
        } = &self.replicas[replica];
        if past.is_empty() {
            return;
        }
        let history = History::new(objects);
        let [old, now] = [self.dice.pick(past), heads].map(|heads| merged_state(&history, heads).unwrap());
        let mut operations = BTreeMap::new();
        let mut returns = 0;
        for key in (0..self.at_hand.keys).map(key) {
            let get = |state| record(objects, state, &key).unwrap().and_then(Entry::into_record);
            let (Some(old), Some(mut new)) = (get(&old), get(&now)) else {
                continue;
            };
            let current = new.clone();
            let differs = |(path, value): &(FieldPath, &Value)| {
                !path.is_root() && current.at(path).is_some_and(|now| now != *value && !now.is_map())
            };
            for (path, value) in old.leaves().into_iter().filter(differs) {
                if self.dice.one_in(2) {
                    returns += 1;
                    new.set_at(&path, value.clone());
                }
            }
            operations.extend(difference(Some(&current), Some(&new)).map(|operation| (key, operation)));
        }
        *self.met.entry("returns to an old value").or_default() += returns;
        let heads = heads.clone();
        drop(history);
        self.author(replica, &heads, operations);
    }

    /// Puts back what some snapshot changed, where its values still stand.
    pub(super) fn undo(&mut self) {
        let replica = self.dice.below(self.replicas.len());
        let heads = self.replicas[replica].heads.clone();
        let objects = &self.replicas[replica].objects;
        let history = History::new(objects);
        let all: Vec<SnapshotId> = history.ancestors(&heads).map(|step| step.unwrap().0).collect();
        if all.is_empty() {
            return;
        }
        let undone_id = to_undo(&mut self.dice, &history, &all);
        let undone = history.snapshot(&undone_id).unwrap();
        let before = merged_state(&history, &undone.parents).unwrap();
        let now = merged_state(&history, &heads).unwrap();
        let get = |state: &State, key: &RecordKey| record(objects, state, key).unwrap();
        let mut operations = BTreeMap::new();
        let mut renames: Vec<(RecordKey, RecordKey)> = Vec::new();
        let mut splits: Vec<(Value, RecordKey)> = Vec::new();
        for transaction in Delta::open(objects, &undone.delta).unwrap().iter() {
            let Transaction { key, operation, .. } = transaction.unwrap();
            if let Operation::Rename { from, .. } = operation {
                if from != key && matches!(get(&now, &key), Some(Entry::Record(_))) {
                    renames.push((key, from));
                }
                continue;
            }
            let (old, new, current) = (get(&before, &key), get(&undone.result, &key), get(&now, &key));
            if let Some(Entry::Alias(one)) = current {
                if let (Some(Entry::Record(old)), Operation::Alias(_)) = (old, operation) {
                    splits.push((old, one));
                }
                continue;
            }
            let [old, new, current] = [old, new, current].map(|entry| entry.and_then(Entry::into_record));
            operations.extend(put_back(old, new.as_ref(), current.as_ref()).map(|operation| (key, operation)));
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
        let (undone_renames, mut undone_unions) = (renames.len(), 0);
        for (from, to) in renames {
            let changes = Vec::new();
            operations.insert(to, Operation::Rename { from, changes });
        }
        splits.retain(|(_, one)| matches!(get(&now, one), Some(Entry::Record(_))));
        for (old, one) in splits {
            if !operations.contains_key(&one) {
                undone_unions += 1;
                self.next_key += 1;
                operations.extend(parted(old, one, key(self.next_key)));
            }
        }
        let has_it = |replica: &Replica| replica.objects.contains(&undone_id.0);
        let is_shared = !operations.is_empty() && self.replicas.iter().filter(|replica| has_it(replica)).count() > 1;
        drop(history);
        for (what, count) in [
            ("undone renames", undone_renames),
            ("undone unions", undone_unions),
            ("undone shared snapshots", usize::from(is_shared)),
        ] {
            if count > 0 {
                *self.met.entry(what).or_default() += count;
            }
        }
        self.author(replica, &heads, operations);
    }

    /// A replica comes back from a backup, under a new id.
    pub(super) fn restore(&mut self) {
        let at = self.dice.below(self.replicas.len());
        if !self.dice.one_in(3) {
            return;
        }
        let mut is_old = false;
        for _ in 0..2 {
            let replica = &mut self.replicas[at];
            if !replica.past.is_empty() {
                replica.heads = self.dice.pick(&replica.past).clone();
                is_old = true;
            }
            self.turn();
        }
        if is_old {
            self.meet("restored stores");
            self.replicas[at].id = self.next_id;
            self.next_id = self.next_id.wrapping_add(1);
        }
    }
}

/// Picks what is to be undone. Unions, removals and renames are rare among all that was done.
fn to_undo(dice: &mut Dice, history: &History<'_>, all: &[SnapshotId]) -> SnapshotId {
    let any = *dice.pick(all);
    if !dice.one_in(2) {
        return any;
    }
    let is_rare = |id: &&SnapshotId| {
        let counts = history.snapshot(id).unwrap().counts;
        counts.renamed + counts.removed > 0
    };
    let rare: Vec<SnapshotId> = all.iter().filter(is_rare).copied().collect();
    if rare.is_empty() { any } else { *dice.pick(&rare) }
}

/// What brings back the old value of a record where it still is what it became.
fn put_back(old: Option<Value>, new: Option<&Value>, current: Option<&Value>) -> Option<Operation> {
    let Some(mut target) = current.cloned() else {
        return old.filter(|_| new.is_none()).map(Operation::Add);
    };
    let inverse = difference(new, old.as_ref());
    let Some(Operation::Change(inverse)) = inverse else {
        return (old.is_none() && new == current).then_some(Operation::Remove);
    };
    for operation in inverse {
        let path = operation.path();
        let stands = target.at(path) == new.and_then(|new| new.at(path));
        if stands {
            let change = Operation::Change(vec![operation]);
            target = apply(Some(&target), &change).unwrap().unwrap();
        }
    }
    difference(current, Some(&target))
}

/// What was united parts: one of both gets a new key, and both say that they are two.
fn parted(mut old: Value, one: RecordKey, new: RecordKey) -> [(RecordKey, Operation); 2] {
    let mark = |other: &RecordKey| FieldPath::new(["distinct".to_owned(), other.to_string()]);
    old.set_at(&mark(&one), true.into());
    let other = Operation::Change(vec![FieldOperation::Set(mark(&new), true.into())]);
    [(new, Operation::Add(old)), (one, other)]
}
