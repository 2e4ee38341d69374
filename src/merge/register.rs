//! The rules of merging: which writes of a record are superseded, and what those that are not show.
//!
//! All writes of one record (or of several united ones) stand in a trie of paths. Each path is a register: leaves
//! hold values, maps hold *present*, either may hold *absent*. A write is superseded by a later one (that is, one whose
//! snapshot has the write's snapshot as ancestor) of the same path, or of a path above that *wipes*: one that set the
//! whole of a map or leaf.
//!
//! What the state at the cut of a walk shows stands for all writes before: every step has the cut as ancestor and
//! supersedes of it what it touches.

use std::collections::{BTreeMap, HashSet};

use super::MergeError;
use super::bits::Bits;
use super::conflict::{Choice, StoredConflict, Writer};
use super::group::Unions;
use super::history::Step;
use super::lineage::Lineages;
use super::policy::{Policy, Rules};
use super::text;
use crate::delta::{FieldOperation, Operation, same};
use crate::model::{FieldPath, Map, SnapshotId, TimeMs, Value, cbor};
use crate::port::Objects;

/// How deep merged texts that are the base of merged texts are followed; deeper ones stay in conflict.
const MAX_TEXT_DEPTH: usize = 32;
/// The last part of the paths whose differences are not worth a conflict.
const QUIET_PART: &str = "order";
/// Where these paths begin: in an element of a collection, for example `/phones/x/order`.
const QUIET_DEPTH: usize = 3;

/// Returns whether a path shows a value but never makes a conflict, nor keeps the element it belongs to.
pub(super) fn is_quiet(path: &FieldPath) -> bool {
    path.parts().len() >= QUIET_DEPTH && path.parts().last().is_some_and(|part| part == QUIET_PART)
}

/// What was written.
#[derive(Clone, Copy)]
pub(super) enum Written<'a> {
    /// A leaf.
    Leaf(&'a Value),
    /// There is a map.
    Present,
    /// There is nothing.
    Absent,
}

/// A write of one register.
#[derive(Clone, Copy)]
pub(super) struct Write<'a> {
    /// The number of the step that wrote.
    pub(super) step: usize,
    /// The number of the key that was written.
    pub(super) key: usize,
    pub(super) what: Written<'a>,
    /// Whether it also supersedes what is below.
    pub(super) wipes: bool,
}

/// One path.
pub(super) struct Node<'a> {
    parent: Option<usize>,
    path: FieldPath,
    children: BTreeMap<String, usize>,
    /// In order of steps.
    pub(super) writes: Vec<Write<'a>>,
    wipes: Vec<Write<'a>>,
}

impl Node<'_> {
    pub(super) const fn path(&self) -> &FieldPath {
        &self.path
    }
}

/// A write, by node and position there.
pub(super) type WriteId = (usize, usize);

/// The writes of one record.
pub(super) struct Registers<'a> {
    objects: &'a dyn Objects,
    pub(super) steps: &'a [Step],
    pub(super) nodes: Vec<Node<'a>>,
    /// The record at the cut, and its conflicts there.
    base: Option<&'a Value>,
    base_conflicts: &'a [StoredConflict],
    /// Which keys are one, where several are.
    pub(super) unions: Option<Unions>,
    /// Which records the writes belong to, where keys changed.
    pub(super) lineages: Option<Lineages<'a>>,
    /// The settings that decide what a conflict shows; the settings themselves have none.
    pub(super) rules: Option<&'a Rules<'a>>,
}

/// Which writes count.
#[derive(Clone, Default)]
pub(super) struct View {
    /// The steps; all if `None`.
    pub(super) steps: Option<Bits>,
    /// The keys; all if `None`.
    pub(super) keys: Option<Vec<bool>>,
    /// How many merged texts led here.
    text_depth: usize,
}

impl View {
    /// Returns the view of some keys at some steps.
    pub(super) fn of(steps: Option<Bits>, keys: Option<Vec<bool>>) -> Self {
        Self {
            steps,
            keys,
            ..Self::default()
        }
    }

    fn has_step(&self, step: usize) -> bool {
        self.steps.as_ref().is_none_or(|steps| steps.contains(step))
    }

    fn has(&self, write: &Write<'_>) -> bool {
        self.has_step(write.step)
            && self
                .keys
                .as_ref()
                .is_none_or(|keys| keys.get(write.key).copied().unwrap_or(false))
    }
}

/// What an evaluation finds beside the record.
#[derive(Default)]
pub(super) struct Found {
    /// What is in conflict, with the numbers of the steps that wrote.
    pub(super) conflicts: Vec<FoundConflict>,
    /// The writes that are shown or in conflict.
    pub(super) visible: HashSet<WriteId>,
}

/// A conflict with writers as numbers of steps and keys.
pub(super) struct FoundConflict {
    path: FieldPath,
    alternatives: Vec<(Choice, Vec<(usize, usize)>)>,
}

/// The writes of one path that are not superseded.
#[derive(Default)]
struct Register<'a> {
    ids: Vec<WriteId>,
    /// Whether anything wrote here since the cut.
    is_written: bool,
    present: Vec<(usize, usize)>,
    absent: Vec<(usize, usize)>,
    /// The values, each with those who wrote it; the latest last, then by canonical bytes (one snapshot may write two
    /// values where it writes to two keys that are united later).
    values: Vec<(&'a Value, Vec<(usize, usize)>)>,
}

impl<'a> Registers<'a> {
    /// Begins with what the cut shows.
    pub(super) fn new(
        objects: &'a dyn Objects,
        steps: &'a [Step],
        base: Option<&'a Value>,
        base_conflicts: &'a [StoredConflict],
    ) -> Self {
        let root = Node {
            parent: None,
            path: FieldPath::root(),
            children: BTreeMap::new(),
            writes: Vec::new(),
            wipes: Vec::new(),
        };
        Self {
            objects,
            steps,
            nodes: vec![root],
            base,
            base_conflicts,
            unions: None,
            lineages: None,
            rules: None,
        }
    }

    /// Adds what a step did to a key; steps come in order.
    pub(super) fn add(&mut self, step: usize, key: usize, operation: &'a Operation) {
        let write = |what, wipes| Write { step, key, what, wipes };
        match operation {
            Operation::Add(record) => self.add_value(0, record, &write(Written::Present, true)),
            Operation::Remove => self.push(0, write(Written::Absent, false)),
            Operation::Alias(_) => self.push(0, write(Written::Present, false)),
            Operation::Change(operations)
            | Operation::Rename {
                changes: operations, ..
            } => {
                if operations.is_empty() || matches!(operation, Operation::Rename { .. }) {
                    self.push(0, write(Written::Present, false));
                }
                for operation in operations {
                    let path = operation.path();
                    let asserts = !is_quiet(path);
                    let mut node = 0;
                    for part in path.parts() {
                        if asserts {
                            self.push(node, write(Written::Present, false));
                        }
                        node = self.child(node, part);
                    }
                    match operation {
                        FieldOperation::Set(_, value) => self.add_value(node, value, &write(Written::Present, true)),
                        FieldOperation::Clear(_) => self.push(node, write(Written::Absent, false)),
                    }
                }
            }
        }
    }

    /// Notes that another record came in the place of those that the writer saw: nothing of theirs is left.
    pub(super) fn wipe(&mut self, step: usize, key: usize) {
        if let Some(root) = self.nodes.first_mut() {
            let what = Written::Absent;
            let wipes = true;
            root.wipes.push(Write { step, key, what, wipes });
        }
    }

    /// Writes a value and all below it.
    fn add_value(&mut self, node: usize, value: &'a Value, write: &Write<'a>) {
        let Value::Map(map) = value else {
            let what = Written::Leaf(value);
            return self.push(node, Write { what, ..*write });
        };
        self.push(node, *write);
        for (part, value) in map {
            let child = self.child(node, part);
            self.add_value(child, value, &Write { wipes: false, ..*write });
        }
    }

    fn push(&mut self, node: usize, write: Write<'a>) {
        let Some(node) = self.nodes.get_mut(node) else { return };
        if write.wipes {
            node.wipes.push(write);
        }
        // A step that writes several fields of a map asserts the map once.
        let is_known = node
            .writes
            .iter()
            .rev()
            .take_while(|before| before.step == write.step)
            .any(|before| {
                before.key == write.key && matches!((before.what, write.what), (Written::Present, Written::Present))
            });
        if !is_known {
            node.writes.push(write);
        }
    }

    fn child(&mut self, node: usize, part: &str) -> usize {
        let next = self.nodes.len();
        let Some(parent) = self.nodes.get_mut(node) else {
            return 0;
        };
        if let Some(child) = parent.children.get(part) {
            return *child;
        }
        parent.children.insert(part.to_owned(), next);
        let path = parent.path.child(part);
        self.nodes.push(Node {
            parent: Some(node),
            path,
            children: BTreeMap::new(),
            writes: Vec::new(),
            wipes: Vec::new(),
        });
        next
    }

    pub(super) fn node(&self, node: usize) -> Option<&Node<'a>> {
        self.nodes.get(node)
    }

    /// Returns whether the step of `later` has that of `earlier` as ancestor, and its author knew the keys as one.
    pub(super) fn follows(&self, later: &Write<'_>, earlier: &Write<'_>) -> bool {
        self.steps
            .get(later.step)
            .is_some_and(|step| step.ancestors.contains(earlier.step))
            && self
                .unions
                .as_ref()
                .is_none_or(|unions| unions.are_one(later.step, later.key, earlier.key))
            && self
                .lineages
                .as_ref()
                .is_none_or(|lineages| lineages.has_seen(later.step, later.key, earlier.key))
    }

    /// Returns whether a later write of the same path supersedes `write`.
    pub(super) fn is_rewritten(&self, node: usize, write: &Write<'_>, view: &View) -> bool {
        self.node(node).is_some_and(|node| {
            let mut later = node.writes.iter().rev().take_while(|later| later.step > write.step);
            later.any(|later| self.counts(later, view) && self.follows(later, write))
        })
    }

    /// Returns whether a write may supersede others in `view`: one of a record that got another key says nothing here.
    fn counts(&self, later: &Write<'_>, view: &View) -> bool {
        if self.lineages.is_some() {
            view.has(later)
        } else {
            view.has_step(later.step)
        }
    }

    /// Returns whether a later write of the same path, or a wipe at or above it, supersedes `write`.
    pub(super) fn is_superseded(&self, node: usize, write: &Write<'_>, view: &View) -> bool {
        if self.is_rewritten(node, write, view) {
            return true;
        }
        let mut above = Some(node);
        while let Some(node) = above.and_then(|node| self.node(node)) {
            let mut later = node.wipes.iter().rev().take_while(|later| later.step > write.step);
            if later.any(|later| self.counts(later, view) && self.follows(later, write)) {
                return true;
            }
            above = node.parent;
        }
        false
    }

    fn register(&self, number: usize, view: &View) -> Register<'a> {
        let mut register = Register::default();
        let Some(node) = self.node(number) else {
            return register;
        };
        for (position, write) in node.writes.iter().enumerate().filter(|(_, write)| view.has(write)) {
            register.is_written = true;
            let id = (number, position);
            let unions = self.unions.as_ref();
            let is_gone = self.is_superseded(number, write, view)
                || unions.is_some_and(|unions| unions.has_dropped(self, id, write, view));
            if !is_gone {
                register.ids.push(id);
            }
        }
        if let Some(unions) = &self.unions {
            let taken = unions.taken_along(self, &register.ids, view);
            register.ids.retain(|id| !taken.contains(id));
        }
        let standing = register.ids.iter().filter_map(|id| node.writes.get(id.1));
        for write in standing {
            let writer = (write.step, write.key);
            match write.what {
                Written::Present => register.present.push(writer),
                Written::Absent => register.absent.push(writer),
                Written::Leaf(value) => match register.values.iter_mut().find(|(known, _)| same(known, value)) {
                    Some((_, writers)) => writers.push(writer),
                    None => register.values.push((value, vec![writer])),
                },
            }
        }
        if register.values.len() > 1 {
            register
                .values
                .sort_by_cached_key(|(value, writers)| (self.newest(writers), cbor::encode(value)));
        }
        register
    }

    /// Returns the record that the writes in `view` show.
    pub(super) fn evaluate(&self, view: &View, found: &mut Found) -> Result<Option<Value>, MergeError> {
        self.evaluate_node(0, self.base, view, found)
    }

    fn evaluate_node(
        &self,
        number: usize,
        base: Option<&'a Value>,
        view: &View,
        found: &mut Found,
    ) -> Result<Option<Value>, MergeError> {
        let Some(node) = self.node(number) else { return Ok(None) };
        let register = self.register(number, view);
        let base_map = if node.wipes.iter().any(|wipe| view.has(wipe)) {
            None
        } else {
            base.and_then(Value::as_map)
        };
        let is_map = if register.is_written {
            !register.present.is_empty()
        } else {
            base_map.is_some()
        };
        let mut map = Map::new();
        if is_map {
            self.evaluate_members(node, base_map, view, found, &mut map)?;
        }
        if is_map && (number == 0 || !map.is_empty()) {
            found.visible.extend(&register.ids);
            self.note(node, &Choice::ShownMap, &register, found);
            return Ok(Some(Value::Map(map)));
        }
        if !register.is_written {
            return Ok(base.filter(|base| !base.is_map()).cloned());
        }
        let Some((latest, _)) = register.values.last() else {
            return Ok(None);
        };
        found.visible.extend(&register.ids);
        let policy = self.policy(node, &register)?;
        if register.values.len() > 1
            && register.absent.is_empty()
            && let Some(merged) = self.merged(node, &register, view, &policy)?
        {
            return Ok(Some(merged));
        }
        let is_by = |writers: &[(usize, usize)], system: &str| {
            let mut steps = writers.iter().filter_map(|(step, _)| self.steps.get(*step));
            steps.any(|step| step.snapshot.system == system)
        };
        let preferred = match &policy {
            Policy::Prefer(system) => {
                let mut latest_first = register.values.iter().rev();
                latest_first.find(|(_, writers)| is_by(writers, system))
            }
            Policy::Newest | Policy::Union | Policy::KeepBoth => None,
        };
        let value = preferred.map_or(*latest, |(value, _)| *value);
        self.note(node, &Choice::Value(value.clone()), &register, found);
        Ok(Some(value.clone()))
    }

    /// Returns what is to be done where the writes of a register clash, as all their writers together knew it.
    fn policy(&self, node: &Node<'a>, register: &Register<'a>) -> Result<Policy, MergeError> {
        match self.rules {
            Some(rules) if register.values.len() > 1 => {
                let of_values = register.values.iter().flat_map(|(_, writers)| writers);
                let writers = of_values.chain(&register.absent).map(|(step, _)| *step);
                Ok(rules.known_to(writers)?.policy(&node.path).clone())
            }
            _ => Ok(Policy::Newest),
        }
    }

    fn evaluate_members(
        &self,
        node: &Node<'a>,
        base: Option<&'a Map>,
        view: &View,
        found: &mut Found,
        out: &mut Map,
    ) -> Result<(), MergeError> {
        for (part, value) in base.into_iter().flatten() {
            if !node.children.contains_key(part.as_str()) {
                out.insert(part.clone(), value.clone());
            }
        }
        for (part, child) in &node.children {
            let base = base.and_then(|base| base.get(part));
            if let Some(value) = self.evaluate_node(*child, base, view, found)? {
                out.insert(part.clone(), value);
            }
        }
        Ok(())
    }

    /// Returns the latest of some writers, which decides what is shown.
    fn newest(&self, writers: &[(usize, usize)]) -> Option<(TimeMs, SnapshotId)> {
        writers
            .iter()
            .filter_map(|(step, _)| self.steps.get(*step))
            .map(|step| (step.snapshot.time, step.id))
            .max()
    }

    /// Notes a conflict if `shown` is not the only alternative.
    fn note(&self, node: &Node<'a>, shown: &Choice, register: &Register<'a>, found: &mut Found) {
        let mut alternatives = Vec::new();
        let mut hidden = Vec::new();
        let is_map = matches!(shown, Choice::ShownMap);
        if is_map {
            alternatives.push((shown.clone(), register.present.clone()));
        }
        for (value, writers) in register.values.iter().rev() {
            let is_shown = matches!(shown, Choice::Value(shown) if same(shown, value));
            let list = if is_shown { &mut alternatives } else { &mut hidden };
            list.push((Choice::Value((*value).clone()), writers.clone()));
        }
        if !register.absent.is_empty() {
            hidden.push((Choice::Absent, register.absent.clone()));
        }
        if hidden.is_empty() || is_quiet(&node.path) {
            return;
        }
        hidden.sort_by_key(|(_, writers)| std::cmp::Reverse(self.newest(writers)));
        alternatives.extend(hidden);
        found.conflicts.push(FoundConflict {
            path: node.path.clone(),
            alternatives,
        });
    }

    /// Returns what is made of several values where they need not clash.
    fn merged(
        &self,
        node: &Node<'a>,
        register: &Register<'a>,
        view: &View,
        policy: &Policy,
    ) -> Result<Option<Value>, MergeError> {
        let values: Vec<&Value> = register.values.iter().map(|(value, _)| *value).collect();
        let is_union = *policy == Policy::Union;
        let is_text = values.iter().all(|value| text::is_text(value));
        let is_list = is_union && values.iter().all(|value| matches!(value, Value::List(_)));
        if view.text_depth >= MAX_TEXT_DEPTH || *policy == Policy::KeepBoth || !(is_text || is_list) {
            return Ok(None);
        }
        let writers = register.values.iter().flat_map(|(_, writers)| writers);
        let base = self.common_base(&node.path, writers, view.text_depth + 1)?;
        if is_list {
            return Ok(union_of_lists(base.as_ref(), &values));
        }
        let merged = match &base {
            Some(base) => text::merge(self.objects, base, &values)?,
            None => None,
        };
        if merged.is_none() && is_union {
            return Ok(text::unite(self.objects, base.as_ref(), &values)?);
        }
        Ok(merged)
    }

    /// Returns what all writers had seen at `path`, if that was one value and not in conflict.
    fn common_base<'w>(
        &self,
        path: &FieldPath,
        writers: impl IntoIterator<Item = &'w (usize, usize)>,
        text_depth: usize,
    ) -> Result<Option<Value>, MergeError> {
        let mut common: Option<Bits> = None;
        let mut keys: Vec<usize> = Vec::new();
        for (step, key) in writers {
            keys.push(*key);
            if let Some(step) = self.steps.get(*step) {
                match &mut common {
                    Some(common) => common.intersect(&step.ancestors),
                    None => common = Some(step.ancestors.clone()),
                }
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let mut base: Option<Value> = None;
        for key in keys {
            let members = match (&self.unions, &self.lineages) {
                (Some(unions), _) => Some(unions.members(common.as_ref(), key)),
                (None, lineages) => lineages.as_ref().map(|lineages| lineages.members(common.as_ref(), key)),
            };
            let view = View {
                text_depth,
                ..View::of(common.clone(), members)
            };
            let mut found = Found::default();
            let record = self.evaluate(&view, &mut found)?;
            let conflicts = found.conflicts.iter().any(|conflict| conflict.path == *path)
                || self
                    .kept_base_conflicts(record.as_ref(), &view)
                    .any(|conflict| conflict.path == *path);
            let value = record.as_ref().and_then(|record| record.at(path));
            match (value, &base) {
                _ if conflicts => return Ok(None),
                (Some(value), Some(base)) if !same(value, base) => return Ok(None),
                (Some(value), _) => base = Some(value.clone()),
                (None, _) => {}
            }
        }
        Ok(base)
    }

    /// Returns the conflicts at the cut that nothing in `view` has touched.
    fn kept_base_conflicts<'s>(
        &'s self,
        record: Option<&'s Value>,
        view: &'s View,
    ) -> impl Iterator<Item = &'a StoredConflict> + use<'a, 's> {
        self.base_conflicts.iter().filter(move |conflict| {
            let mut node = self.node(0);
            for part in conflict.path.parts() {
                let Some(above) = node else { break };
                if above.wipes.iter().any(|wipe| view.has(wipe)) {
                    return false;
                }
                node = above.children.get(part.as_str()).and_then(|child| self.node(*child));
            }
            node.is_none_or(|node| !node.writes.iter().any(|write| view.has(write)))
                && record.is_some_and(|record| record.at(&conflict.path).is_some())
        })
    }

    /// Evaluates all writes and returns the record and its conflicts in stored form.
    pub(super) fn outcome(&self) -> Result<(Option<Value>, Vec<StoredConflict>), MergeError> {
        self.outcome_in(&View::default())
    }

    /// Evaluates the writes in `view`, as [`outcome`](Self::outcome) does all.
    pub(super) fn outcome_in(&self, view: &View) -> Result<(Option<Value>, Vec<StoredConflict>), MergeError> {
        let mut found = Found::default();
        let record = self.evaluate(view, &mut found)?;
        let mut conflicts: Vec<StoredConflict> = self.kept_base_conflicts(record.as_ref(), view).cloned().collect();
        for conflict in found.conflicts {
            let writers = conflict.alternatives.iter().flat_map(|(_, writers)| writers);
            let base = self.common_base(&conflict.path, writers, 0)?;
            let alternatives = conflict
                .alternatives
                .into_iter()
                .map(|(choice, writers)| (choice, self.writers(&writers)))
                .collect();
            conflicts.push(StoredConflict {
                path: conflict.path,
                base,
                alternatives,
            });
        }
        conflicts.sort_by(|left, right| left.path.cmp(&right.path));
        Ok((record, conflicts))
    }

    /// Returns writers in stored form, the latest first, each once.
    fn writers(&self, writers: &[(usize, usize)]) -> Vec<Writer> {
        let steps = writers.iter().filter_map(|(step, _)| self.steps.get(*step));
        Writer::sorted(steps.map(Writer::of))
    }
}

/// Returns the items of all lists in their order, each once, without those of `base` that one of them lacks.
///
/// A list that is the base itself is a return to it, and stays in conflict.
pub(super) fn union_of_lists(base: Option<&Value>, lists: &[&Value]) -> Option<Value> {
    let items = |list: &Value| match list {
        Value::List(items) => items.iter().map(|item| (cbor::encode(item), item.clone())).collect(),
        _ => Vec::new(),
    };
    if base.is_some_and(|base| lists.iter().any(|list| same(base, list))) {
        return None;
    }
    let old: HashSet<Vec<u8>> = base
        .map(items)
        .unwrap_or_default()
        .into_iter()
        .map(|(bytes, _)| bytes)
        .collect();
    let lists: Vec<Vec<(Vec<u8>, Value)>> = lists.iter().map(|list| items(list)).collect();
    let is_everywhere = |wanted: &[u8]| lists.iter().all(|list| list.iter().any(|(bytes, _)| bytes == wanted));
    let mut seen: HashSet<&[u8]> = HashSet::new();
    let mut all = Vec::new();
    for (bytes, item) in lists.iter().flatten() {
        let stays = !old.contains(bytes) || is_everywhere(bytes);
        if stays && seen.insert(bytes) {
            all.push(item.clone());
        }
    }
    Some(Value::List(all))
}
