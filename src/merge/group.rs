//! Keys that are united: what an alias does to the writes that were made before it, and beside it.
//!
//! A write counts for all keys that its author knew as one with the key it names. An alias keeps, of all writes to its
//! keys that its author had seen, those that were shown or in conflict, and drops the rest: what had been removed or
//! hidden in one record must not come up in the other. Where both records showed the same, their writes are *linked*:
//! who rewrites those of one record, not knowing of the union, rewrites those of the other, too.
//! It must be his write that stands in the end, so that nothing is ever taken along in favour of something that went.

use std::collections::{HashMap, HashSet};

use super::MergeError;
use super::bits::Bits;
use super::conflict::StoredConflict;
use super::history::Step;
use super::policy::Rules;
use super::register::{Found, Registers, View, Write, WriteId, Written};
use crate::delta::{Operation, same};
use crate::model::{RecordKey, Value};

/// An alias in the history of some keys.
struct Alias {
    step: usize,
    from: usize,
    to: usize,
    /// The earlier writes that it keeps.
    kept: HashSet<WriteId>,
    /// The kept writes of one path that showed the same in two records.
    links: Vec<Link>,
}

/// The writes of one path in one record, and those in another one.
type Link = (Vec<WriteId>, Vec<WriteId>);

/// Which keys are one, at each step.
pub(super) struct Unions {
    key_count: usize,
    aliases: Vec<Alias>,
    /// For each step that wrote to the keys: the smallest key each one is united with.
    classes: HashMap<usize, Vec<usize>>,
}

/// Returns the smallest key each key is united with by some edges.
pub(super) fn components(count: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Vec<usize> {
    // Each key leads to a smaller one of its class or to itself; following also shortens the way.
    fn first(leads: &mut [usize], mut key: usize) -> usize {
        while let Some(next) = leads.get(key).copied().filter(|next| *next != key) {
            let after = leads.get(next).copied().unwrap_or(next);
            if let Some(lead) = leads.get_mut(key) {
                *lead = after;
            }
            key = next;
        }
        key
    }
    let mut leads: Vec<usize> = (0..count).collect();
    for (left, right) in edges {
        let (left, right) = (first(&mut leads, left), first(&mut leads, right));
        if let Some(lead) = leads.get_mut(left.max(right)) {
            *lead = left.min(right);
        }
    }
    (0..count).map(|key| first(&mut leads, key)).collect()
}

impl Unions {
    /// Reads the aliases among `writes`, which are all operations on the keys in order of steps.
    fn new(steps: &[Step], keys: &[RecordKey], writes: &[(usize, usize, Operation)]) -> Self {
        let mut unions = Self {
            key_count: keys.len(),
            aliases: Vec::new(),
            classes: HashMap::new(),
        };
        for (step, from, operation) in writes {
            if let Operation::Alias(to) = operation
                && let Ok(to) = keys.binary_search(to)
            {
                unions.aliases.push(Alias {
                    step: *step,
                    from: *from,
                    to,
                    kept: HashSet::new(),
                    links: Vec::new(),
                });
            }
        }
        for (number, _, _) in writes {
            if let Some(step) = steps.get(*number) {
                let mut seen = step.ancestors.clone();
                seen.insert(*number);
                let class = unions.classes_at(Some(&seen));
                unions.classes.insert(*number, class);
            }
        }
        unions
    }

    /// Returns the smallest key each key is united with, where `steps` are known.
    fn classes_at(&self, steps: Option<&Bits>) -> Vec<usize> {
        let known = self
            .aliases
            .iter()
            .filter(|alias| steps.is_none_or(|steps| steps.contains(alias.step)));
        components(self.key_count, known.map(|alias| (alias.from, alias.to)))
    }

    /// Returns which keys are one with `key`, where `steps` are known.
    pub(super) fn members(&self, steps: Option<&Bits>, key: usize) -> Vec<bool> {
        let classes = self.classes_at(steps);
        let own = classes.get(key).copied();
        classes.into_iter().map(|class| Some(class) == own).collect()
    }

    /// Returns whether the author of `step` knew two keys as one.
    pub(super) fn are_one(&self, step: usize, left: usize, right: usize) -> bool {
        left == right
            || self
                .classes
                .get(&step)
                .is_some_and(|class| class.get(left).is_some() && class.get(left) == class.get(right))
    }

    /// Returns whether an alias in `view` drops `write` because its author saw nothing of it.
    pub(super) fn has_dropped(&self, registers: &Registers<'_>, id: WriteId, write: &Write<'_>, view: &View) -> bool {
        self.known(view).any(|alias| {
            registers
                .steps
                .get(alias.step)
                .is_some_and(|step| step.ancestors.contains(write.step))
                && self.are_one(alias.step, alias.from, write.key)
                && !alias.kept.contains(&id)
        })
    }

    fn known<'s>(&'s self, view: &'s View) -> impl Iterator<Item = &'s Alias> {
        self.aliases
            .iter()
            .filter(|alias| view.steps.as_ref().is_none_or(|steps| steps.contains(alias.step)))
    }

    /// Returns those of the `standing` writes of one path that links take along.
    ///
    /// A write goes when each write of some other record that it is linked with was rewritten by one that stands. Those
    /// that may go so themselves do not count: two that were rewritten crosswise shall not take along each other.
    pub(super) fn taken_along(&self, registers: &Registers<'_>, standing: &[WriteId], view: &View) -> HashSet<WriteId> {
        let links: Vec<(&[WriteId], &[WriteId])> = self
            .known(view)
            .flat_map(|alias| &alias.links)
            .flat_map(|(left, right)| [(&left[..], &right[..]), (&right[..], &left[..])])
            .filter(|(own, _)| own.iter().any(|id| standing.contains(id)))
            .collect();
        let taken = |exempt: &HashSet<WriteId>| -> HashSet<WriteId> {
            let is_rewritten = |id: &WriteId, by: &WriteId| {
                let write = |id: &WriteId| registers.node(id.0).and_then(|node| node.writes.get(id.1));
                matches!((write(by), write(id)), (Some(by), Some(write)) if registers.follows(by, write))
            };
            let is_gone = |id: &WriteId| {
                let mut by = standing.iter().filter(|by| !exempt.contains(by));
                by.any(|by| is_rewritten(id, by))
            };
            let causes = links.iter().filter(|(_, other)| other.iter().all(is_gone));
            causes.flat_map(|(own, _)| own.iter().copied()).collect()
        };
        let candidates = taken(&HashSet::new());
        if candidates.is_empty() {
            return candidates;
        }
        taken(&candidates)
    }
}

/// Evaluates keys that are all united in the end, from all operations on them in the whole history, in order of steps.
pub(super) fn evaluate(
    (objects, rules): (&dyn crate::port::Objects, &Rules<'_>),
    steps: &[Step],
    keys: &[RecordKey],
    writes: &[(usize, usize, Operation)],
) -> Result<(Option<Value>, Vec<StoredConflict>), MergeError> {
    let mut registers = Registers::new(objects, steps, None, &[]);
    registers.rules = Some(rules);
    for (step, key, operation) in writes {
        registers.add(*step, *key, operation);
    }
    let unions = Unions::new(steps, keys, writes);
    let count = unions.aliases.len();
    registers.unions = Some(unions);
    // Aliases stand in order of steps, so what an alias knew is settled before it.
    for number in 0..count {
        let (kept, links) = keep(&registers, number)?;
        if let Some(alias) = registers
            .unions
            .as_mut()
            .and_then(|unions| unions.aliases.get_mut(number))
        {
            alias.kept = kept;
            alias.links = links;
        }
    }
    registers.outcome()
}

/// What an alias keeps, and which of it is linked.
type Kept = (HashSet<WriteId>, Vec<Link>);

fn keep(registers: &Registers<'_>, number: usize) -> Result<Kept, MergeError> {
    let mut kept = HashSet::new();
    let mut links = Vec::new();
    let Some(unions) = &registers.unions else {
        return Ok((kept, links));
    };
    let Some(alias) = unions.aliases.get(number) else {
        return Ok((kept, links));
    };
    let Some(step) = registers.steps.get(alias.step) else {
        return Ok((kept, links));
    };
    let known = &step.ancestors;
    // Every record that the alias's snapshot unites, as its author saw it.
    let after = {
        let mut seen = known.clone();
        seen.insert(alias.step);
        unions.members(Some(&seen), alias.from)
    };
    let mut records: Vec<Seen> = Vec::new();
    let mut done = vec![false; after.len()];
    for (key, is_member) in after.iter().enumerate() {
        if !is_member || done.get(key).copied().unwrap_or(true) {
            continue;
        }
        let members = unions.members(Some(known), key);
        for (done, is_member) in done.iter_mut().zip(&members) {
            *done |= is_member;
        }
        let mut found = Found::default();
        let view = View::of(Some(known.clone()), Some(members));
        let record = registers.evaluate(&view, &mut found)?;
        let mut visible: Vec<WriteId> = found.visible.into_iter().collect();
        visible.sort_unstable();
        kept.extend(visible.iter().copied());
        records.push((visible, record));
    }
    for (position, left) in records.iter().enumerate() {
        for right in records.iter().skip(position + 1) {
            link(registers, left, right, &mut links);
        }
    }
    Ok((kept, links))
}

/// A record that a union takes in: its shown writes in order, and itself.
type Seen = (Vec<WriteId>, Option<Value>);

/// Links the writes of each path at which two records showed the same.
fn link(registers: &Registers<'_>, left: &Seen, right: &Seen, links: &mut Vec<Link>) {
    // Each path's writes stand together, because ids begin with the node.
    for left_here in left.0.chunk_by(|one, other| one.0 == other.0) {
        let Some(node) = left_here.first().map(|id| id.0) else {
            continue;
        };
        let right_here: Vec<WriteId> = right.0.iter().copied().filter(|id| id.0 == node).collect();
        let mut rest: Vec<WriteId> = left_here.to_vec();
        while let Some(first) = rest.first().copied() {
            let (alike, others) = rest
                .into_iter()
                .partition(|id| *id == first || wrote_same(registers, *id, first));
            rest = others;
            let right_alike: Vec<WriteId> = right_here
                .iter()
                .copied()
                .filter(|id| wrote_same(registers, *id, first))
                .collect();
            if !right_alike.is_empty() && shows_same(registers, first, left.1.as_ref(), right.1.as_ref()) {
                links.push((alike, right_alike));
            }
        }
    }
}

fn written<'a>(registers: &Registers<'a>, id: WriteId) -> Option<Written<'a>> {
    let node = registers.node(id.0)?;
    node.writes.get(id.1).map(|write| write.what)
}

/// Returns whether two writes of one path are of the same value, or both of a map.
fn wrote_same(registers: &Registers<'_>, left: WriteId, right: WriteId) -> bool {
    match (written(registers, left), written(registers, right)) {
        (Some(Written::Leaf(left)), Some(Written::Leaf(right))) => same(left, right),
        (Some(Written::Present), Some(Written::Present)) => true,
        _ => false,
    }
}

/// Returns whether what was written is the same in both records: for a map, all below it.
fn shows_same(registers: &Registers<'_>, id: WriteId, left: Option<&Value>, right: Option<&Value>) -> bool {
    match written(registers, id) {
        Some(Written::Leaf(_)) => true,
        Some(Written::Present) => registers.node(id.0).is_some_and(|node| {
            let at = |record: Option<&Value>| record.and_then(|record| record.at(node.path())).cloned();
            match (at(left), at(right)) {
                (Some(left), Some(right)) => same(&left, &right),
                _ => false,
            }
        }),
        _ => false,
    }
}
