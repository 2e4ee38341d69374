//! The rules of merging once more, for comparison: from all writes of the whole history, without cut, trie or tree.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::history::History;
use super::{Alternative, Conflict, ConflictKind, Writer, text};
use crate::delta::{Delta, FieldOperation, Operation};
use crate::model::{FieldPath, Map, RecordKey, SnapshotId, Text, TimeMs, Value, cbor};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Leaf(Value),
    Present,
    Absent,
}

#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) snapshot: SnapshotId,
    pub(super) key: RecordKey,
    pub(super) path: Vec<Text>,
    pub(super) what: What,
    wipes: bool,
}

impl Write {
    pub(super) const fn wipes(&self) -> bool {
        self.wipes
    }
}

type Scope = BTreeSet<SnapshotId>;
type Shown = (Option<Value>, Vec<Conflict>, BTreeSet<usize>);

/// What an alias keeps and links, by number of write.
type Kept = (BTreeSet<usize>, BTreeSet<(Vec<usize>, Vec<usize>)>);

pub(super) struct Reference<'a> {
    history: &'a History<'a>,
    pub(super) ancestors: HashMap<SnapshotId, Scope>,
    pub(super) writes: Vec<Write>,
    aliases: Vec<(SnapshotId, RecordKey, RecordKey)>,
    kept: RefCell<HashMap<(SnapshotId, RecordKey), Kept>>,
}

fn quiet(path: &[Text]) -> bool {
    path.len() >= 3 && path.last().unwrap() == "order"
}

impl<'a> Reference<'a> {
    pub(super) fn new(history: &'a History<'a>, heads: &[SnapshotId]) -> Self {
        let mut order: Vec<SnapshotId> = history.ancestors(heads).map(|step| step.unwrap().0).collect();
        order.reverse();
        let mut reference = Self {
            history,
            ancestors: HashMap::new(),
            writes: Vec::new(),
            aliases: Vec::new(),
            kept: RefCell::default(),
        };
        for id in order {
            let snapshot = history.snapshot(&id).unwrap();
            let mut all = Scope::new();
            for parent in &snapshot.parents {
                all.insert(*parent);
                all.extend(&reference.ancestors[parent]);
            }
            reference.ancestors.insert(id, all);
            for transaction in Delta::open(history.objects, &snapshot.delta).unwrap().iter() {
                let transaction = transaction.unwrap();
                reference.expand(id, &transaction.key, &transaction.operation);
            }
        }
        reference
    }

    fn expand(&mut self, snapshot: SnapshotId, key: &RecordKey, operation: &Operation) {
        let mut push = |path: &[Text], what: What, wipes: bool| {
            self.writes.push(Write {
                snapshot,
                key: key.clone(),
                path: path.to_vec(),
                what,
                wipes,
            });
        };
        match operation {
            Operation::Add(record) => Self::value(&[], record, true, &mut push),
            Operation::Remove => push(&[], What::Absent, false),
            Operation::Alias(to) => {
                push(&[], What::Present, false);
                self.aliases.push((snapshot, key.clone(), to.clone()));
            }
            Operation::Change(operations) => {
                if operations.is_empty() {
                    push(&[], What::Present, false);
                }
                for operation in operations {
                    let path = operation.path().parts();
                    if !quiet(path) {
                        for depth in 0..path.len() {
                            push(&path[..depth], What::Present, false);
                        }
                    }
                    match operation {
                        FieldOperation::Set(_, new) => Self::value(path, new, true, &mut push),
                        FieldOperation::Clear(_) => push(path, What::Absent, false),
                    }
                }
            }
        }
    }

    fn value(path: &[Text], value: &Value, wipes: bool, push: &mut dyn FnMut(&[Text], What, bool)) {
        match value {
            Value::Map(map) => {
                push(path, What::Present, wipes);
                for (part, inner) in map {
                    let path = [path, std::slice::from_ref(part)].concat();
                    Self::value(&path, inner, false, push);
                }
            }
            leaf => push(path, What::Leaf(leaf.clone()), wipes),
        }
    }

    pub(super) fn scope(&self, heads: &[SnapshotId]) -> Scope {
        let mut scope = Scope::new();
        for head in heads {
            scope.insert(*head);
            scope.extend(&self.ancestors[head]);
        }
        scope
    }

    /// All keys that are one with `key` where `scope` is known.
    pub(super) fn class(&self, scope: &Scope, key: &RecordKey) -> BTreeSet<RecordKey> {
        let mut class = BTreeSet::from([key.clone()]);
        loop {
            let before = class.len();
            for (snapshot, from, to) in &self.aliases {
                if scope.contains(snapshot) && (class.contains(from) || class.contains(to)) {
                    class.insert(from.clone());
                    class.insert(to.clone());
                }
            }
            if class.len() == before {
                return class;
            }
        }
    }

    fn follows(&self, later: &Write, earlier: &Write) -> bool {
        self.ancestors[&later.snapshot].contains(&earlier.snapshot) && {
            let mut known = self.ancestors[&later.snapshot].clone();
            known.insert(later.snapshot);
            self.class(&known, &later.key).contains(&earlier.key)
        }
    }

    fn rewritten(&self, scope: &Scope, write: &Write) -> bool {
        let mut all = self.writes.iter();
        all.any(|later| later.path == write.path && scope.contains(&later.snapshot) && self.follows(later, write))
    }

    fn wiped(&self, scope: &Scope, write: &Write) -> bool {
        self.writes.iter().any(|later| {
            later.wipes
                && scope.contains(&later.snapshot)
                && write.path.starts_with(&later.path)
                && self.follows(later, write)
        })
    }

    /// What an alias keeps of all that its author had seen.
    fn kept(&self, alias: &(SnapshotId, RecordKey, RecordKey)) -> Kept {
        let name = (alias.0, alias.1.clone());
        if let Some(kept) = self.kept.borrow().get(&name) {
            return kept.clone();
        }
        let before = self.ancestors[&alias.0].clone();
        let mut after = before.clone();
        after.insert(alias.0);
        let mut parts: BTreeMap<RecordKey, (Option<Value>, BTreeSet<usize>)> = BTreeMap::new();
        for key in self.class(&after, &alias.1) {
            let class = self.class(&before, &key);
            let first = class.first().unwrap().clone();
            parts.entry(first).or_insert_with(|| {
                let (record, _, shown) = self.record(&before, &class, 0);
                (record, shown)
            });
        }
        let mut kept = BTreeSet::new();
        let mut links = BTreeSet::new();
        for (name, (record, shown)) in &parts {
            kept.extend(shown);
            for (other_name, (other_record, other_shown)) in &parts {
                if name == other_name {
                    continue;
                }
                for left in shown {
                    let alike = |all: &BTreeSet<usize>| -> Vec<usize> {
                        let write = &self.writes[*left];
                        let is_alike = |other: &&usize| {
                            let other = &self.writes[**other];
                            other.path == write.path
                                && match (&write.what, &other.what) {
                                    (What::Leaf(left), What::Leaf(right)) => cbor::encode(left) == cbor::encode(right),
                                    (What::Present, What::Present) => true,
                                    _ => false,
                                }
                        };
                        all.iter().filter(is_alike).copied().collect()
                    };
                    let (own, others) = (alike(shown), alike(other_shown));
                    let path = FieldPath::new(self.writes[*left].path.clone());
                    let at = |record: &Option<Value>| record.as_ref().unwrap().at(&path).map(cbor::encode);
                    let is_leaf = matches!(self.writes[*left].what, What::Leaf(_));
                    let equal = is_leaf || at(record) == at(other_record) && at(record).is_some();
                    if equal && !own.is_empty() && !others.is_empty() {
                        links.insert((own, others));
                    }
                }
            }
        }
        self.kept.borrow_mut().insert(name, (kept.clone(), links.clone()));
        (kept, links)
    }

    fn alive(&self, scope: &Scope, number: usize) -> bool {
        let write = &self.writes[number];
        if self.rewritten(scope, write) || self.wiped(scope, write) {
            return false;
        }
        let dropped = self.aliases.iter().any(|alias| {
            let mut after = self.ancestors[&alias.0].clone();
            after.insert(alias.0);
            scope.contains(&alias.0)
                && self.ancestors[&alias.0].contains(&write.snapshot)
                && self.class(&after, &alias.1).contains(&write.key)
                && !self.kept(alias).0.contains(&number)
        });
        !dropped
    }

    /// What stays of the standing writes when links have taken some along.
    fn without_linked(&self, scope: &Scope, standing: &[usize]) -> Vec<usize> {
        let mut links = BTreeSet::new();
        for alias in self.aliases.iter().filter(|alias| scope.contains(&alias.0)) {
            links.extend(self.kept(alias).1);
        }
        let goes = |number: usize, may_cause: &dyn Fn(usize) -> bool| {
            links.iter().any(|(own, others)| {
                own.contains(&number)
                    && others.iter().all(|other| {
                        let other = &self.writes[*other];
                        standing.iter().any(|by| {
                            let write = &self.writes[*by];
                            may_cause(*by) && write.path == other.path && self.follows(write, other)
                        })
                    })
            })
        };
        let candidates: BTreeSet<usize> = standing.iter().copied().filter(|n| goes(*n, &|_| true)).collect();
        let certain = |by: usize| !candidates.contains(&by);
        standing.iter().copied().filter(|n| !goes(*n, &certain)).collect()
    }

    /// The record of a class of keys where `scope` is known, its conflicts, and the writes that make it.
    pub(super) fn record(&self, scope: &Scope, class: &BTreeSet<RecordKey>, depth: usize) -> Shown {
        let alive: Vec<usize> = (0..self.writes.len())
            .filter(|number| {
                let write = &self.writes[*number];
                scope.contains(&write.snapshot) && class.contains(&write.key) && self.alive(scope, *number)
            })
            .collect();
        let alive = self.without_linked(scope, &alive);
        let mut conflicts = Vec::new();
        let mut shown = BTreeSet::new();
        let record = self.at(class, &alive, &[], depth, &mut conflicts, &mut shown);
        conflicts.sort_by(|left, right| left.path.cmp(&right.path));
        (record, conflicts, shown)
    }

    #[expect(clippy::too_many_lines, reason = "the rule in one piece")]
    fn at(
        &self,
        class: &BTreeSet<RecordKey>,
        alive: &[usize],
        path: &[Text],
        depth: usize,
        conflicts: &mut Vec<Conflict>,
        shown: &mut BTreeSet<usize>,
    ) -> Option<Value> {
        let here: Vec<usize> = alive
            .iter()
            .copied()
            .filter(|number| self.writes[*number].path == path)
            .collect();
        let mut values: BTreeMap<Vec<u8>, (Value, Vec<usize>)> = BTreeMap::new();
        let mut present = Vec::new();
        let mut absent = Vec::new();
        for number in &here {
            match &self.writes[*number].what {
                What::Leaf(value) => {
                    let entry = values.entry(cbor::encode(value));
                    entry.or_insert_with(|| (value.clone(), Vec::new())).1.push(*number);
                }
                What::Present => present.push(*number),
                What::Absent => absent.push(*number),
            }
        }
        let mut inner_conflicts = Vec::new();
        let mut inner_shown = BTreeSet::new();
        let mut map = Map::new();
        if !present.is_empty() {
            let parts: BTreeSet<&Text> = self
                .writes
                .iter()
                .filter(|write| write.path.len() > path.len() && write.path.starts_with(path))
                .map(|write| &write.path[path.len()])
                .collect();
            for part in parts {
                let child = [path, std::slice::from_ref(part)].concat();
                let value = self.at(class, alive, &child, depth, &mut inner_conflicts, &mut inner_shown);
                if let Some(value) = value {
                    map.insert(part.clone(), value);
                }
            }
        }
        let mut alternatives: Vec<(Option<Value>, Vec<usize>)> = Vec::new();
        let newest = |writers: &[usize]| writers.iter().map(|number| self.age(*number)).max();
        let mut values: Vec<(Value, Vec<usize>)> = values.into_values().collect();
        values.sort_by_key(|(_, writers)| newest(writers));
        let is_map = !present.is_empty() && (path.is_empty() || !map.is_empty());
        let result = if is_map {
            alternatives.push((Some(Value::Map(map.clone())), present.clone()));
            Value::Map(map)
        } else {
            values.last()?.0.clone()
        };
        shown.extend(here);
        conflicts.append(&mut inner_conflicts);
        shown.append(&mut inner_shown);
        if !is_map
            && values.len() > 1
            && absent.is_empty()
            && values.iter().all(|(value, _)| text::is_text(value))
            && depth < 32
        {
            let writers: Vec<usize> = values.iter().flat_map(|(_, writers)| writers.clone()).collect();
            if let Some(base) = self.base(path, &writers, depth + 1) {
                let values: Vec<&Value> = values.iter().map(|(value, _)| value).collect();
                if let Some(text) = text::merge(self.history.objects, &base, &values).unwrap() {
                    return Some(text);
                }
            }
        }
        let mut rest: Vec<(Option<Value>, Vec<usize>)> = values
            .into_iter()
            .rev()
            .map(|(value, writers)| (Some(value), writers))
            .collect();
        if !absent.is_empty() {
            rest.push((None, absent));
        }
        rest.sort_by_key(|(_, writers)| std::cmp::Reverse(newest(writers)));
        rest.sort_by_key(|(value, _)| value.as_ref() != Some(&result));
        alternatives.extend(rest);
        if alternatives.len() > 1 && !quiet(path) {
            let writers: Vec<usize> = alternatives.iter().flat_map(|(_, writers)| writers.clone()).collect();
            let is_removal = alternatives.iter().any(|(value, _)| value.is_none());
            conflicts.push(Conflict {
                key: class.first().unwrap().clone(),
                path: FieldPath::new(path.to_vec()),
                kind: if is_removal {
                    ConflictKind::ModifyDelete
                } else {
                    ConflictKind::Field
                },
                // Whoever asks for a base does not ask for the bases of its conflicts.
                base: if depth == 0 { self.base(path, &writers, 1) } else { None },
                alternatives: alternatives
                    .into_iter()
                    .enumerate()
                    .map(|(number, (value, writers))| Alternative {
                        value,
                        writers: self.writers(&writers),
                        shown: number == 0,
                    })
                    .collect(),
            });
        }
        Some(result)
    }

    fn age(&self, number: usize) -> (TimeMs, SnapshotId) {
        let id = self.writes[number].snapshot;
        (self.history.snapshot(&id).unwrap().time, id)
    }

    fn writers(&self, numbers: &[usize]) -> Vec<Writer> {
        let mut ages: Vec<_> = numbers.iter().map(|number| self.age(*number)).collect();
        ages.sort_unstable();
        ages.dedup();
        ages.reverse();
        let writer = |(time, snapshot): (TimeMs, SnapshotId)| Writer {
            snapshot,
            system: self.history.snapshot(&snapshot).unwrap().system.clone(),
            time,
        };
        ages.into_iter().map(writer).collect()
    }

    fn base(&self, path: &[Text], writers: &[usize], depth: usize) -> Option<Value> {
        let mut common: Option<Scope> = None;
        for number in writers {
            let seen = &self.ancestors[&self.writes[*number].snapshot];
            common = Some(common.map_or_else(|| seen.clone(), |common| common.intersection(seen).copied().collect()));
        }
        let common = common?;
        let path = FieldPath::new(path.to_vec());
        let keys: HashSet<&RecordKey> = writers.iter().map(|number| &self.writes[*number].key).collect();
        let mut bases: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
        #[expect(clippy::iter_over_hash_type, reason = "a set in, a set out")]
        for key in keys {
            let (record, conflicts, _) = self.record(&common, &self.class(&common, key), depth);
            if conflicts.iter().any(|conflict| conflict.path == path) {
                return None;
            }
            if let Some(value) = record.as_ref().and_then(|record| record.at(&path)) {
                bases.insert(cbor::encode(value), value.clone());
            }
        }
        if bases.len() == 1 {
            bases.into_values().next()
        } else {
            None
        }
    }

    /// All records and conflicts, and the keys that are aliases.
    pub(super) fn state(
        &self,
        heads: &[SnapshotId],
    ) -> (
        BTreeMap<RecordKey, Value>,
        BTreeMap<RecordKey, RecordKey>,
        Vec<Conflict>,
    ) {
        let scope = self.scope(heads);
        let keys: BTreeSet<RecordKey> = self
            .writes
            .iter()
            .filter(|write| scope.contains(&write.snapshot))
            .map(|write| write.key.clone())
            .collect();
        let mut records = BTreeMap::new();
        let mut aliases = BTreeMap::new();
        let mut conflicts = Vec::new();
        for key in keys {
            let class = self.class(&scope, &key);
            let first = class.first().unwrap();
            if key != *first {
                aliases.insert(key, first.clone());
                continue;
            }
            let (record, found, _) = self.record(&scope, &class, 0);
            records.extend(record.map(|record| (key, record)));
            conflicts.extend(found);
        }
        (records, aliases, conflicts)
    }
}
