//! The rules of merging once more, for comparison: from all writes of the whole history, without cut, trie or tree.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::history::History;
use super::{Alternative, Conflict, ConflictKind, Policy, Writer, settings_key, text};
use crate::delta::{Delta, FieldOperation, Operation};
use crate::model::{FieldPath, Keys, Map, RecordKey, SnapshotId, Text, TimeMs, Value, cbor};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Leaf(Value),
    Present,
    Absent,
    /// Another record came in its place.
    Replaced,
}

/// What began under a key, for those who knew of these endings there; just the key where keys never change.
pub(super) type Line = (RecordKey, Scope);

#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) snapshot: SnapshotId,
    pub(super) line: Line,
    pub(super) path: Vec<Text>,
    pub(super) what: What,
    wipes: bool,
    /// The lines that stood where the author looked.
    sees: BTreeSet<Line>,
}

impl Write {
    pub(super) const fn wipes(&self) -> bool {
        self.wipes
    }
}

pub(super) type Scope = BTreeSet<SnapshotId>;
type Shown = (Option<Value>, Vec<Conflict>, BTreeSet<usize>);

/// What an alias keeps and links, by number of write.
type Kept = (BTreeSet<usize>, BTreeSet<(Vec<usize>, Vec<usize>)>);

pub(super) struct Reference<'a> {
    history: &'a History<'a>,
    pub(super) ancestors: HashMap<SnapshotId, Scope>,
    pub(super) writes: Vec<Write>,
    aliases: Vec<(SnapshotId, RecordKey, RecordKey)>,
    kept: RefCell<HashMap<(SnapshotId, RecordKey), Kept>>,
    /// Whether keys change, and are not united.
    keys_change: bool,
    lines: BTreeSet<Line>,
    /// Who gave which line which key.
    moves: Vec<(SnapshotId, Line, RecordKey)>,
    /// Who removed what stood under a key, or gave it another key.
    endings: Vec<(SnapshotId, RecordKey)>,
    /// How often a policy made a difference.
    pub(super) policies_met: RefCell<BTreeMap<&'static str, usize>>,
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
            keys_change: false,
            lines: BTreeSet::new(),
            moves: Vec::new(),
            endings: Vec::new(),
            policies_met: RefCell::default(),
        };
        for id in order {
            let snapshot = history.snapshot(&id).unwrap();
            let mut all = Scope::new();
            for parent in &snapshot.parents {
                all.insert(*parent);
                all.extend(&reference.ancestors[parent]);
            }
            reference.ancestors.insert(id, all);
            reference.keys_change = snapshot.kind.keys() == Keys::Content;
            let delta = Delta::open(history.objects, &snapshot.delta).unwrap();
            let all: Vec<(RecordKey, Operation)> = delta
                .iter()
                .map(|transaction| transaction.map(|one| (one.key, one.operation)).unwrap())
                .collect();
            if reference.keys_change {
                reference.deal_out(id, &all);
            } else {
                for (key, operation) in &all {
                    let line = (key.clone(), Scope::new());
                    reference.lines.insert(line.clone());
                    reference.expand(id, &line, &BTreeSet::new(), operation);
                    if let Operation::Alias(to) = operation {
                        reference.aliases.push((id, key.clone(), to.clone()));
                    }
                }
            }
        }
        reference
    }

    /// Deals out what a snapshot did to the lines that its author saw.
    fn deal_out(&mut self, id: SnapshotId, all: &[(RecordKey, Operation)]) {
        let seen = self.ancestors[&id].clone();
        let left: BTreeSet<&RecordKey> = all
            .iter()
            .filter_map(|(key, operation)| match operation {
                Operation::Rename { from, .. } if from != key => Some(from),
                _ => None,
            })
            .collect();
        let mut ended: Vec<RecordKey> = left.iter().map(|key| (*key).clone()).collect();
        let mut births = Vec::new();
        let mut moves = Vec::new();
        let mut writes: Vec<(Line, BTreeSet<Line>, Option<&Operation>)> = Vec::new();
        for (key, operation) in all {
            let has_begun = |line: &Line| {
                let mut writes = self.writes.iter();
                writes.any(|write| write.line == *line && seen.contains(&write.snapshot))
            };
            let goes = |line: &Line| left.contains(key) && has_begun(line);
            let (from, adds) = match operation {
                Operation::Rename { from, .. } => (from, false),
                Operation::Add(_) => (key, true),
                _ => (key, false),
            };
            let mut sees: BTreeSet<Line> = self.under(&seen, from);
            let mut written: BTreeSet<Line> = BTreeSet::new();
            if adds {
                let endings = self.endings.iter().filter(|(by, at)| at == key && seen.contains(by));
                let mut known: Scope = endings.map(|(by, _)| *by).collect();
                known.extend(left.contains(key).then_some(id));
                let line = (key.clone(), known);
                births.push(line.clone());
                sees.retain(|line| !goes(line));
                sees.insert(line.clone());
                written.insert(line);
            } else {
                written.extend(sees.iter().filter(|line| self.is_there(&seen, line)).cloned());
                assert!(!written.is_empty(), "an edit of what is not there");
            }
            if *operation == Operation::Remove {
                ended.push(key.clone());
            }
            let is_rename = matches!(operation, Operation::Rename { .. });
            let replaced: BTreeSet<Line> = if is_rename && from != key {
                self.under(&seen, key).into_iter().filter(|line| !goes(line)).collect()
            } else {
                BTreeSet::new()
            };
            if is_rename {
                // Also those that are not there: with what is there they were one.
                let begun = sees.iter().filter(|line| has_begun(line));
                moves.extend(begun.map(|line| (id, line.clone(), key.clone())));
            }
            for line in written {
                if is_rename {
                    writes.push((line.clone(), replaced.clone(), None));
                }
                writes.push((line, sees.clone(), Some(operation)));
            }
        }
        self.lines.extend(births);
        self.moves.extend(moves);
        self.endings.extend(ended.into_iter().map(|key| (id, key)));
        for (line, sees, operation) in writes {
            match operation {
                Some(operation) => self.expand(id, &line, &sees, operation),
                None => self.writes.push(Write {
                    snapshot: id,
                    line,
                    path: Vec::new(),
                    what: What::Replaced,
                    wipes: true,
                    sees,
                }),
            }
        }
    }

    /// The moves of a line that nobody who knew of them overrode.
    fn standing_moves(&self, scope: &Scope, line: &Line) -> Vec<(SnapshotId, RecordKey)> {
        let known = |(by, of, _): &&(SnapshotId, Line, RecordKey)| of == line && scope.contains(by);
        let moves: Vec<_> = self.moves.iter().filter(known).collect();
        moves
            .iter()
            .filter(|(by, _, _)| !moves.iter().any(|(later, _, _)| self.ancestors[later].contains(by)))
            .map(|(by, _, to)| (*by, to.clone()))
            .collect()
    }

    /// The key that a line stands under.
    fn place(&self, scope: &Scope, line: &Line) -> RecordKey {
        let time = |id: &SnapshotId| self.history.snapshot(id).unwrap().time;
        let latest = self
            .standing_moves(scope, line)
            .into_iter()
            .max_by_key(|(by, _)| (time(by), *by));
        latest.map_or_else(|| line.0.clone(), |(_, to)| to)
    }

    fn under(&self, scope: &Scope, key: &RecordKey) -> BTreeSet<Line> {
        let stands = |line: &&Line| self.place(scope, line) == *key;
        self.lines.iter().filter(stands).cloned().collect()
    }

    /// Whether somebody wrote of the line that it is there, and nobody who knew of that wrote of it again.
    fn is_there(&self, scope: &Scope, line: &Line) -> bool {
        let of_line = |write: &&Write| write.line == *line && write.path.is_empty() && scope.contains(&write.snapshot);
        let said: Vec<&Write> = self.writes.iter().filter(of_line).collect();
        said.iter().any(|write| {
            let is_later = |later: &&&Write| {
                later.what != What::Replaced && self.ancestors[&later.snapshot].contains(&write.snapshot)
            };
            write.what == What::Present && said.iter().find(is_later).is_none()
        })
    }

    fn expand(&mut self, snapshot: SnapshotId, line: &Line, sees: &BTreeSet<Line>, operation: &Operation) {
        let mut push = |path: &[Text], what: What, wipes: bool| {
            self.writes.push(Write {
                snapshot,
                line: line.clone(),
                path: path.to_vec(),
                what,
                wipes,
                sees: sees.clone(),
            });
        };
        match operation {
            Operation::Add(record) => Self::value(&[], record, true, &mut push),
            Operation::Remove => push(&[], What::Absent, false),
            Operation::Alias(_) => push(&[], What::Present, false),
            Operation::Change(operations)
            | Operation::Rename {
                changes: operations, ..
            } => {
                if operations.is_empty() || matches!(operation, Operation::Rename { .. }) {
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

    /// All lines that are one with `line` where `scope` is known.
    pub(super) fn class(&self, scope: &Scope, line: &Line) -> BTreeSet<Line> {
        if self.keys_change {
            let mut class = self.under(scope, &self.place(scope, line));
            class.insert(line.clone());
            return class;
        }
        let keys = self.united(scope, &line.0).into_iter();
        keys.map(|key| (key, Scope::new())).collect()
    }

    /// The key that a class stands under where `scope` is known.
    pub(super) fn name(&self, scope: &Scope, class: &BTreeSet<Line>) -> RecordKey {
        let first = class.first().unwrap();
        if self.keys_change {
            self.place(scope, first)
        } else {
            first.0.clone()
        }
    }

    /// All keys that are one with `key` where `scope` is known.
    fn united(&self, scope: &Scope, key: &RecordKey) -> BTreeSet<RecordKey> {
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
            if self.keys_change {
                return later.sees.contains(&earlier.line);
            }
            let mut known = self.ancestors[&later.snapshot].clone();
            known.insert(later.snapshot);
            self.united(&known, &later.line.0).contains(&earlier.line.0)
        }
    }

    /// Whether a write counts where a class of lines is looked at.
    fn counts(&self, scope: &Scope, class: &BTreeSet<Line>, write: &Write) -> bool {
        scope.contains(&write.snapshot) && (!self.keys_change || class.contains(&write.line))
    }

    fn rewritten(&self, scope: &Scope, class: &BTreeSet<Line>, write: &Write) -> bool {
        let mut all = self.writes.iter().filter(|later| later.what != What::Replaced);
        all.any(|later| later.path == write.path && self.counts(scope, class, later) && self.follows(later, write))
    }

    fn wiped(&self, scope: &Scope, class: &BTreeSet<Line>, write: &Write) -> bool {
        self.writes.iter().any(|later| {
            later.wipes
                && self.counts(scope, class, later)
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
        let mut parts: BTreeMap<Line, (Option<Value>, BTreeSet<usize>)> = BTreeMap::new();
        for key in self.united(&after, &alias.1) {
            let class = self.class(&before, &(key, Scope::new()));
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

    fn alive(&self, scope: &Scope, class: &BTreeSet<Line>, number: usize) -> bool {
        let write = &self.writes[number];
        if write.what == What::Replaced || self.rewritten(scope, class, write) || self.wiped(scope, class, write) {
            return false;
        }
        let dropped = self.aliases.iter().any(|alias| {
            let mut after = self.ancestors[&alias.0].clone();
            after.insert(alias.0);
            scope.contains(&alias.0)
                && self.ancestors[&alias.0].contains(&write.snapshot)
                && self.united(&after, &alias.1).contains(&write.line.0)
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
    pub(super) fn record(&self, scope: &Scope, class: &BTreeSet<Line>, depth: usize) -> Shown {
        let is_here = |write: &Write| scope.contains(&write.snapshot) && class.contains(&write.line);
        let alive: Vec<usize> = (0..self.writes.len())
            .filter(|number| {
                let write = &self.writes[*number];
                is_here(write) && self.alive(scope, class, *number)
            })
            .collect();
        let alive = self.without_linked(scope, &alive);
        let mut conflicts = Vec::new();
        let mut shown = BTreeSet::new();
        let name = self.name(scope, class);
        let record = self.at(&name, &alive, &[], depth, &mut conflicts, &mut shown);
        conflicts.sort_by(|left, right| left.path.cmp(&right.path));
        (record, conflicts, shown)
    }

    #[expect(clippy::too_many_lines, reason = "the rule in one piece")]
    fn at(
        &self,
        name: &RecordKey,
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
                What::Replaced => {}
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
                let value = self.at(name, alive, &child, depth, &mut inner_conflicts, &mut inner_shown);
                if let Some(value) = value {
                    map.insert(part.clone(), value);
                }
            }
        }
        let mut alternatives: Vec<(Option<Value>, Vec<usize>)> = Vec::new();
        let newest = |writers: &[usize]| writers.iter().map(|number| self.age(*number)).max();
        let mut values: Vec<(Value, Vec<usize>)> = values.into_values().collect();
        values.sort_by_key(|(_, writers)| newest(writers));
        let clashing: Vec<usize> = values
            .iter()
            .flat_map(|(_, writers)| writers)
            .chain(&absent)
            .copied()
            .collect();
        let policy = match values.len() {
            0 | 1 => Policy::Newest,
            _ => self.policy(name, path, &clashing),
        };
        let is_map = !present.is_empty() && (path.is_empty() || !map.is_empty());
        let result = if is_map {
            alternatives.push((Some(Value::Map(map.clone())), present.clone()));
            Value::Map(map)
        } else {
            let by_preferred = |writers: &[usize]| match &policy {
                Policy::Prefer(system) => writers.iter().any(|number| {
                    let writer = self.history.snapshot(&self.writes[*number].snapshot).unwrap();
                    writer.system == *system
                }),
                _ => false,
            };
            let preferred = values.iter().rfind(|(_, writers)| by_preferred(writers));
            if preferred.is_some_and(|preferred| Some(preferred) != values.last()) {
                self.met("preferred values");
            }
            preferred.or(values.last())?.0.clone()
        };
        shown.extend(here);
        conflicts.append(&mut inner_conflicts);
        shown.append(&mut inner_shown);
        if !is_map
            && values.len() > 1
            && absent.is_empty()
            && values.iter().all(|(value, _)| text::is_text(value))
            && policy != Policy::KeepBoth
            && depth < 32
        {
            let writers: Vec<usize> = values.iter().flat_map(|(_, writers)| writers.clone()).collect();
            let base = self.base(path, &writers, depth + 1);
            let values: Vec<&Value> = values.iter().map(|(value, _)| value).collect();
            let objects = self.history.objects;
            if let Some(base) = &base
                && let Some(text) = text::merge(objects, base, &values).unwrap()
            {
                return Some(text);
            }
            if policy == Policy::Union
                && let Some(text) = text::unite(objects, base.as_ref(), &values).unwrap()
            {
                self.met("united texts");
                return Some(text);
            }
        }
        if policy == Policy::KeepBoth && values.iter().all(|(value, _)| text::is_text(value)) {
            self.met("texts kept apart");
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
                key: name.clone(),
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

    fn met(&self, what: &'static str) {
        *self.policies_met.borrow_mut().entry(what).or_default() += 1;
    }

    /// What those who wrote some clashing values, together, knew of the settings for a field.
    fn policy(&self, name: &RecordKey, path: &[Text], writers: &[usize]) -> Policy {
        if *name == settings_key() {
            return Policy::Newest;
        }
        let heads: Vec<SnapshotId> = writers.iter().map(|number| self.writes[*number].snapshot).collect();
        let scope = self.scope(&heads);
        let line = (settings_key(), Scope::new());
        let (record, _, _) = self.record(&scope, &self.class(&scope, &line), 0);
        let policies = record
            .as_ref()
            .and_then(|record| record.at(&FieldPath::new(["conflicts"])));
        let at = |length: usize| {
            let pointer = FieldPath::new(path.iter().take(length).cloned()).to_string();
            policies?.as_map()?.get(&pointer)?.as_text()?.parse().ok()
        };
        (0..=path.len()).rev().find_map(at).unwrap_or_default()
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
        let lines: BTreeSet<&Line> = writers.iter().map(|number| &self.writes[*number].line).collect();
        let mut bases: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
        for line in lines {
            let (record, conflicts, _) = self.record(&common, &self.class(&common, line), depth);
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

    /// How many keys show several lines at once.
    pub(super) fn meetings(&self, heads: &[SnapshotId]) -> usize {
        let scope = self.scope(heads);
        let mut places: BTreeMap<RecordKey, usize> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| self.is_there(&scope, line)) {
            *places.entry(self.place(&scope, line)).or_default() += 1;
        }
        places.into_values().filter(|count| *count > 1).count()
    }

    /// The different keys that the lines of a class were given.
    fn key_conflict(&self, scope: &Scope, class: &BTreeSet<Line>, name: &RecordKey) -> Option<Conflict> {
        let lines: Vec<&Line> = class.iter().filter(|line| self.is_there(scope, line)).collect();
        let mut given: BTreeMap<RecordKey, BTreeSet<(TimeMs, SnapshotId)>> = BTreeMap::new();
        for (by, to) in lines.iter().flat_map(|line| self.standing_moves(scope, line)) {
            given
                .entry(to)
                .or_default()
                .insert((self.history.snapshot(&by).unwrap().time, by));
        }
        if given.len() < 2 {
            return None;
        }
        let writers = given.values().flatten().map(|(_, by)| self.ancestors[by].clone());
        let common = writers
            .reduce(|left, right| left.intersection(&right).copied().collect())
            .unwrap();
        let before: Vec<&Line> = lines.into_iter().filter(|line| self.is_there(&common, line)).collect();
        let agreed = before.iter().all(|line| {
            let moves = self.standing_moves(&common, line);
            moves.iter().all(|(_, to)| *to == moves[0].1)
        });
        let places: BTreeSet<RecordKey> = before.iter().map(|line| self.place(&common, line)).collect();
        let base = (agreed && places.len() == 1).then(|| Value::Bytes(places.first().unwrap().bytes().to_vec()));
        let mut given: Vec<_> = given.into_iter().collect();
        given.sort_by_key(|(key, by)| (key != name, std::cmp::Reverse(by.last().copied())));
        let alternatives = given.into_iter().map(|(key, by)| Alternative {
            shown: key == *name,
            value: Some(Value::Bytes(key.bytes().to_vec())),
            writers: by
                .into_iter()
                .rev()
                .map(|(time, snapshot)| Writer {
                    snapshot,
                    system: self.history.snapshot(&snapshot).unwrap().system.clone(),
                    time,
                })
                .collect(),
        });
        Some(Conflict {
            key: name.clone(),
            path: FieldPath::root(),
            kind: ConflictKind::Key,
            base,
            alternatives: alternatives.collect(),
        })
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
        let written = self.writes.iter().filter(|write| scope.contains(&write.snapshot));
        let lines: BTreeSet<&Line> = written.map(|write| &write.line).collect();
        let mut records = BTreeMap::new();
        let mut aliases = BTreeMap::new();
        let mut conflicts: Vec<Conflict> = Vec::new();
        let mut done: BTreeSet<RecordKey> = BTreeSet::new();
        for line in lines {
            let class = self.class(&scope, line);
            let name = self.name(&scope, &class);
            if !self.keys_change && line.0 != name {
                aliases.insert(line.0.clone(), name);
                continue;
            }
            if !done.insert(name.clone()) {
                continue;
            }
            let (record, found, _) = self.record(&scope, &class, 0);
            if record.is_some() {
                conflicts.extend(self.key_conflict(&scope, &class, &name));
            }
            records.extend(record.map(|record| (name, record)));
            conflicts.extend(found);
        }
        conflicts.sort_by(|left, right| left.key.cmp(&right.key));
        (records, aliases, conflicts)
    }
}
