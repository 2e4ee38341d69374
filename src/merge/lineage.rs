//! Records whose keys changed: which writes belong to which record, and under which key it stands.
//!
//! A key names whatever stood there where its author looked. So the writes of some keys are dealt out to *lineages*: a
//! lineage is what began with the additions of one key whose authors knew the same of its endings (removals there, renames
//! away from there), and goes where renames take it. A write belongs to the lineages that were *there* for its author under
//! the key it names; concurrent writes therefore follow a rename, and who knew of it writes to what stands under the old key since.
//! The keys that were written for a lineage are a register like any other: the latest decides where it stands.
//!
//! Lineages that meet under one key are one record as long as they do. Of their writes, one supersedes those
//! that its author had seen under the key it names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::bits::Bits;
use super::conflict::{KeyConflict, Writer};
use super::history::Step;
use super::register::{Registers, is_quiet};
use crate::delta::{FieldOperation, Operation};
use crate::model::RecordKey;

/// An operation on a key: the step that made it and the number of the key.
pub(super) type KeyedOperation = (usize, usize, Operation);

/// A record, wherever it stands.
struct Lineage {
    /// The key that it began under.
    key: usize,
    /// Whether the cut has it.
    is_base: bool,
    /// The steps that gave it a key, with the key.
    moves: Vec<(usize, usize)>,
    /// The steps that wrote whether it is there.
    existence: Vec<(usize, bool)>,
    /// The steps that added it.
    births: Vec<usize>,
}

/// A write of a lineage.
struct Deed {
    step: usize,
    lineage: usize,
    /// The operation; `None` where a rename put another record in the lineage's place.
    operation: Option<usize>,
    /// The lineages that stood under the key, wherever that author looked.
    sees: Rc<Bits>,
}

/// A lineage by itself.
pub(super) struct Single {
    /// The key that it stands under at the end.
    pub(super) place: usize,
    /// Itself among all lineages.
    pub(super) members: Vec<bool>,
    /// The key that it stands under at the cut, if it is there.
    pub(super) key_at_cut: Option<usize>,
    /// The numbers of the operations on it.
    pub(super) operations: Vec<usize>,
}

/// All lineages that ever stood under some keys.
pub(super) struct Lineages<'a> {
    steps: &'a [Step],
    all: Vec<Lineage>,
    /// Which lineages may stand under each key.
    candidates: Vec<BTreeSet<usize>>,
    deeds: Vec<Deed>,
    /// What the author of a write saw, by step and number of the writer in the registers.
    sees: HashMap<(usize, usize), Rc<Bits>>,
    /// The lineages that stand for the registers' writers that are no lineages themselves.
    owners: Vec<usize>,
}

/// Where a placement of a lineage comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Placement {
    Base,
    Birth(usize),
    Move(usize),
}

impl<'a> Lineages<'a> {
    /// Deals out `writes`, which are all operations on `keys` in order of steps, then keys.
    ///
    /// `bases` tells under which keys the cut has a record.
    pub(super) fn trace(steps: &'a [Step], keys: &[RecordKey], bases: &[bool], writes: &[KeyedOperation]) -> Self {
        let mut lineages = Self {
            steps,
            all: Vec::new(),
            candidates: vec![BTreeSet::new(); keys.len()],
            deeds: Vec::new(),
            sees: HashMap::new(),
            owners: Vec::new(),
        };
        for (key, is_base) in bases.iter().enumerate() {
            if *is_base {
                lineages.begin(key, true);
            }
        }
        let mut tracer = Tracer {
            keys,
            births: BTreeMap::new(),
            endings: vec![Vec::new(); keys.len()],
        };
        let mut first = 0;
        for of_step in writes.chunk_by(|left, right| left.0 == right.0) {
            tracer.step(&mut lineages, first, of_step);
            first += of_step.len();
        }
        lineages
    }

    fn begin(&mut self, key: usize, is_base: bool) -> usize {
        let number = self.all.len();
        self.all.push(Lineage {
            key,
            is_base,
            moves: Vec::new(),
            existence: Vec::new(),
            births: Vec::new(),
        });
        self.may_stand(number, key);
        number
    }

    fn may_stand(&mut self, lineage: usize, key: usize) {
        if let Some(candidates) = self.candidates.get_mut(key) {
            candidates.insert(lineage);
        }
    }

    fn knows(&self, later: usize, earlier: usize) -> bool {
        let step = self.steps.get(later);
        step.is_some_and(|step| step.ancestors.contains(earlier))
    }

    /// Returns the moves of a lineage that no later one supersedes where `seen` is known.
    fn standing_moves(&self, lineage: &Lineage, seen: Option<&Bits>) -> Vec<(usize, usize)> {
        let is_seen = |step: usize| seen.is_none_or(|seen| seen.contains(step));
        let moves = lineage.moves.iter().filter(|(step, _)| is_seen(*step));
        moves
            .filter(|(step, _)| {
                let mut later = lineage.moves.iter();
                !later.any(|(later, _)| is_seen(*later) && self.knows(*later, *step))
            })
            .copied()
            .collect()
    }

    /// Returns the key that a lineage stands under where `seen` is known.
    fn place(&self, number: usize, seen: Option<&Bits>) -> Option<usize> {
        let lineage = self.all.get(number)?;
        let age = |(number, _): &(usize, usize)| {
            let step = self.steps.get(*number)?;
            Some((step.snapshot.time, step.id))
        };
        let latest = self.standing_moves(lineage, seen).into_iter().max_by_key(age);
        Some(latest.map_or(lineage.key, |(_, key)| key))
    }

    /// Returns whether a lineage, taken alone, is there where `seen` is known.
    fn is_there(&self, number: usize, seen: Option<&Bits>) -> bool {
        let Some(lineage) = self.all.get(number) else {
            return false;
        };
        let is_seen = |step: usize| seen.is_none_or(|seen| seen.contains(step));
        let mut known = lineage.existence.iter().filter(|(step, _)| is_seen(*step)).peekable();
        if known.peek().is_none() {
            return lineage.is_base;
        }
        let mut present = known.filter(|(_, is_present)| *is_present);
        present.any(|(step, _)| {
            let mut later = lineage.existence.iter();
            !later.any(|(later, _)| is_seen(*later) && self.knows(*later, *step))
        })
    }

    /// Returns whether a lineage had begun where `seen` is known.
    fn is_known(&self, number: usize, seen: &Bits) -> bool {
        let lineage = self.all.get(number);
        lineage.is_some_and(|lineage| lineage.is_base || lineage.births.iter().any(|step| seen.contains(*step)))
    }

    /// Returns the lineages that stand under a key where `seen` is known, there or not.
    fn under(&self, key: usize, seen: Option<&Bits>) -> Vec<usize> {
        let candidates = self.candidates.get(key).into_iter().flatten().copied();
        candidates
            .filter(|number| self.place(*number, seen) == Some(key))
            .collect()
    }

    /// Returns whether the author of the write of `later` at `step` had seen `earlier` under the key he named.
    pub(super) fn has_seen(&self, step: usize, later: usize, earlier: usize) -> bool {
        let sees = self.sees.get(&(step, later));
        sees.is_some_and(|sees| sees.contains(earlier))
    }

    /// Returns the registers' writers that stand together with the one numbered `writer`, where `seen` is known.
    pub(super) fn members(&self, seen: Option<&Bits>, writer: usize) -> Vec<bool> {
        let owner = writer
            .checked_sub(self.all.len())
            .and_then(|number| self.owners.get(number).copied());
        let place = self.place(owner.unwrap_or(writer), seen);
        self.standing_at(place, seen)
    }

    fn standing_at(&self, place: Option<usize>, seen: Option<&Bits>) -> Vec<bool> {
        let stands = |number: usize| place.is_some() && self.place(number, seen) == place;
        let own = (0..self.all.len()).map(stands);
        let owned = self.owners.iter().map(|owner| stands(*owner));
        own.chain(owned).collect()
    }

    /// Adds all writes to the registers of all lineages together.
    pub(super) fn write_all<'w>(&mut self, registers: &mut Registers<'w>, writes: &'w [KeyedOperation]) {
        for deed in &self.deeds {
            let operation = deed.operation.and_then(|number| writes.get(number));
            let writer = if let Some((step, _, operation)) = operation {
                registers.add(*step, deed.lineage, operation);
                deed.lineage
            } else {
                let writer = self.all.len() + self.owners.len();
                self.owners.push(deed.lineage);
                registers.wipe(deed.step, writer);
                writer
            };
            self.sees.insert((deed.step, writer), Rc::clone(&deed.sees));
        }
    }

    /// Returns the keys under which something stands at the end, and the registers' writers there.
    pub(super) fn places(&self) -> Vec<(usize, Vec<bool>)> {
        let places: BTreeSet<usize> = (0..self.all.len())
            .filter_map(|number| self.place(number, None))
            .collect();
        let masked = places
            .into_iter()
            .map(|place| (place, self.standing_at(Some(place), None)));
        masked.collect()
    }

    /// Returns each lineage by itself.
    pub(super) fn apart(&self) -> Vec<Single> {
        let mut operations: Vec<Vec<usize>> = vec![Vec::new(); self.all.len()];
        for deed in &self.deeds {
            if let (Some(list), Some(operation)) = (operations.get_mut(deed.lineage), deed.operation) {
                list.push(operation);
            }
        }
        let numbered = self.all.iter().zip(operations).enumerate();
        numbered
            .filter_map(|(number, (lineage, operations))| {
                Some(Single {
                    place: self.place(number, None)?,
                    members: (0..self.all.len()).map(|other| other == number).collect(),
                    key_at_cut: lineage.is_base.then_some(lineage.key),
                    operations,
                })
            })
            .collect()
    }

    /// Returns whether no two lineages can have met under a key, wherever somebody looked.
    ///
    /// Then each one's writes can be judged alone.
    pub(super) fn never_meet(&self) -> bool {
        self.candidates.iter().enumerate().all(|(key, candidates)| {
            let mut pairs = candidates.iter().flat_map(|left| {
                let right = candidates.range(left + 1..);
                right.map(move |right| (*left, *right))
            });
            pairs.all(|(left, right)| {
                let (Some(left), Some(right)) = (self.all.get(left), self.all.get(right)) else {
                    return true;
                };
                placements(left, key).into_iter().all(|one| {
                    let mut others = placements(right, key).into_iter();
                    others.all(|other| self.displaced(left, one, other) || self.displaced(right, other, one))
                })
            })
        })
    }

    /// Returns whether who made `other` knew that the lineage had gone from where `placement` put it.
    fn displaced(&self, lineage: &Lineage, placement: Placement, other: Placement) -> bool {
        let (Placement::Birth(other) | Placement::Move(other)) = other else {
            return false;
        };
        lineage.moves.iter().any(|(gone, _)| {
            let is_after = match placement {
                Placement::Base | Placement::Birth(_) => true,
                Placement::Move(placed) => self.knows(*gone, placed),
            };
            is_after && (*gone == other || self.knows(other, *gone))
        })
    }

    /// Returns the conflict of the keys that the lineages among `members` were given, if they disagree.
    ///
    /// `of_cut` is the one that the cut has for the only one of them.
    pub(super) fn key_conflict(
        &self,
        keys: &[RecordKey],
        place: usize,
        members: &[bool],
        of_cut: Option<&KeyConflict>,
    ) -> Option<KeyConflict> {
        let mut alternatives: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut is_moved = false;
        let there: Vec<usize> = (0..self.all.len())
            .filter(|number| members.get(*number).copied().unwrap_or(false) && self.is_there(*number, None))
            .collect();
        for number in &there {
            let Some(lineage) = self.all.get(*number) else { continue };
            for (step, key) in self.standing_moves(lineage, None) {
                is_moved = true;
                alternatives.entry(key).or_default().push(step);
            }
        }
        if !is_moved {
            return of_cut.filter(|_| !there.is_empty()).cloned();
        }
        if alternatives.len() < 2 {
            return None;
        }
        let base = self.common_place(&there, alternatives.values().flatten().copied(), of_cut.is_some());
        let named = alternatives.into_iter().filter_map(|(key, steps)| {
            let writers = steps.iter().filter_map(|step| self.steps.get(*step)).map(Writer::of);
            Some((key, keys.get(key)?.clone(), Writer::sorted(writers)))
        });
        let mut named: Vec<(usize, RecordKey, Vec<Writer>)> = named.collect();
        named.sort_by_key(|(key, _, writers)| {
            let newest = writers.first().map(|writer| (writer.time, writer.snapshot));
            (*key != place, std::cmp::Reverse(newest))
        });
        Some(KeyConflict {
            base: base.and_then(|key| keys.get(key)).cloned(),
            alternatives: named.into_iter().map(|(_, key, writers)| (key, writers)).collect(),
        })
    }

    /// Returns the key that all of `writers` had seen the lineages under, if it was one and not in conflict.
    fn common_place(
        &self,
        lineages: &[usize],
        writers: impl Iterator<Item = usize>,
        is_in_conflict: bool,
    ) -> Option<usize> {
        let mut common: Option<Bits> = None;
        for step in writers.filter_map(|step| self.steps.get(step)) {
            match &mut common {
                Some(common) => common.intersect(&step.ancestors),
                None => common = Some(step.ancestors.clone()),
            }
        }
        let mut places = BTreeSet::new();
        for number in lineages {
            let lineage = self.all.get(*number)?;
            if !self.is_there(*number, common.as_ref()) {
                continue;
            }
            let moves = self.standing_moves(lineage, common.as_ref());
            if moves.is_empty() && is_in_conflict {
                return None;
            }
            let different: BTreeSet<usize> = moves.iter().map(|(_, key)| *key).collect();
            if different.len() > 1 {
                return None;
            }
            places.insert(different.first().copied().unwrap_or(lineage.key));
        }
        places.pop_first().filter(|_| places.is_empty())
    }
}

fn placements(lineage: &Lineage, key: usize) -> Vec<Placement> {
    let mut placements = Vec::new();
    if lineage.key == key {
        placements.extend(lineage.is_base.then_some(Placement::Base));
        placements.extend(lineage.births.iter().map(|step| Placement::Birth(*step)));
    }
    let moves = lineage.moves.iter().filter(|(_, to)| *to == key);
    placements.extend(moves.map(|(step, _)| Placement::Move(*step)));
    placements
}

/// Deals out operations, step by step.
struct Tracer<'t> {
    keys: &'t [RecordKey],
    /// The lineage of the additions of a key by authors who knew of these endings.
    births: BTreeMap<(usize, Vec<usize>), usize>,
    /// For each key the steps that removed what stood there or gave it another key.
    endings: Vec<Vec<usize>>,
}

impl Tracer<'_> {
    fn number(&self, key: &RecordKey) -> Option<usize> {
        self.keys.binary_search(key).ok()
    }

    /// Deals out the operations of one step, the first of which has the number `first`.
    fn step(&mut self, lineages: &mut Lineages<'_>, first: usize, of_step: &[KeyedOperation]) {
        let Some(step) = of_step.first().and_then(|(step, _, _)| lineages.steps.get(*step)) else {
            return;
        };
        let seen = &step.ancestors;
        let left: BTreeSet<usize> = of_step
            .iter()
            .filter_map(|(_, key, operation)| match operation {
                Operation::Rename { from, .. } => self.number(from).filter(|from| from != key),
                _ => None,
            })
            .collect();
        // Everything is looked up as the author saw it, before any of it is done.
        let planned: Vec<Plan> = of_step
            .iter()
            .map(|(_, key, operation)| self.plan(lineages, seen, &left, *key, operation))
            .collect();
        for (at, ((step, key, operation), plan)) in of_step.iter().zip(planned).enumerate() {
            self.carry_out(lineages, (*step, *key, operation), first + at, &left, plan);
        }
        if let Some((step, _, _)) = of_step.first() {
            for key in left {
                self.end(*step, key);
            }
        }
    }

    fn plan(
        &self,
        lineages: &Lineages<'_>,
        seen: &Bits,
        left: &BTreeSet<usize>,
        key: usize,
        operation: &Operation,
    ) -> Plan {
        let from = match operation {
            Operation::Rename { from, .. } => self.number(from).unwrap_or(key),
            _ => key,
        };
        let goes = |number: &usize| left.contains(&key) && lineages.is_known(*number, seen);
        let under = lineages.under(from, Some(seen));
        let (targets, sees) = if matches!(operation, Operation::Add(_)) {
            (Vec::new(), under.into_iter().filter(|number| !goes(number)).collect())
        } else {
            let there = under.iter().copied();
            (
                there.filter(|number| lineages.is_there(*number, Some(seen))).collect(),
                under,
            )
        };
        let replaced = if from == key {
            Vec::new()
        } else {
            let there = lineages.under(key, Some(seen)).into_iter();
            there.filter(|number| !goes(number)).collect()
        };
        // What was removed goes along: it is one with what is there, should it come back.
        let moved = match operation {
            Operation::Rename { .. } => {
                let known = sees.iter().copied();
                known.filter(|number| lineages.is_known(*number, seen)).collect()
            }
            _ => Vec::new(),
        };
        Plan {
            from,
            targets,
            moved,
            sees,
            replaced,
        }
    }

    fn carry_out(
        &mut self,
        lineages: &mut Lineages<'_>,
        (step, key, operation): (usize, usize, &Operation),
        number: usize,
        left: &BTreeSet<usize>,
        plan: Plan,
    ) {
        let (mut targets, mut moved) = (plan.targets, plan.moved);
        // Whoever edits has seen a record; should none be known, one begins, so that nothing is lost.
        if targets.is_empty() {
            let born = self.birth(lineages, step, plan.from, left);
            targets.push(born);
            if matches!(operation, Operation::Rename { .. }) {
                moved.push(born);
            }
        }
        for number in moved {
            if let Some(lineage) = lineages.all.get_mut(number) {
                lineage.moves.push((step, key));
            }
            lineages.may_stand(number, key);
        }
        let sees: Rc<Bits> = Rc::new(plan.sees.iter().chain(&targets).copied().collect());
        let is_present = asserts(operation);
        for target in &targets {
            let Some(lineage) = lineages.all.get_mut(*target) else {
                continue;
            };
            if let Some(is_present) = is_present {
                lineage.existence.push((step, is_present));
            }
            lineages.deeds.push(Deed {
                step,
                lineage: *target,
                operation: Some(number),
                sees: Rc::clone(&sees),
            });
        }
        if *operation == Operation::Remove {
            self.end(step, key);
        }
        if !plan.replaced.is_empty() {
            let sees: Rc<Bits> = Rc::new(plan.replaced.into_iter().collect());
            lineages.deeds.extend(targets.into_iter().map(|lineage| Deed {
                step,
                lineage,
                operation: None,
                sees: Rc::clone(&sees),
            }));
        }
    }

    fn end(&mut self, step: usize, key: usize) {
        if let Some(endings) = self.endings.get_mut(key) {
            endings.push(step);
        }
    }

    /// Returns the lineage that an addition of `key` begins or belongs to.
    fn birth(&mut self, lineages: &mut Lineages<'_>, step: usize, key: usize, left: &BTreeSet<usize>) -> usize {
        let endings = self.endings.get(key).into_iter().flatten().copied();
        let mut known: Vec<usize> = endings.filter(|ending| lineages.knows(step, *ending)).collect();
        if left.contains(&key) {
            known.push(step);
        }
        let born = self.births.entry((key, known));
        let number = *born.or_insert_with(|| lineages.begin(key, false));
        if let Some(lineage) = lineages.all.get_mut(number) {
            lineage.births.push(step);
        }
        number
    }
}

/// What an operation concerns, as its author saw it.
struct Plan {
    /// The key that the record stood under.
    from: usize,
    /// The lineages that are written.
    targets: Vec<usize>,
    /// The lineages that get another key.
    moved: Vec<usize>,
    /// The lineages that the author saw under that key.
    sees: Vec<usize>,
    /// The lineages under the new key in whose place the record comes.
    replaced: Vec<usize>,
}

/// Returns what an operation says of the record's being there.
fn asserts(operation: &Operation) -> Option<bool> {
    match operation {
        Operation::Remove => Some(false),
        Operation::Add(_) | Operation::Alias(_) | Operation::Rename { .. } => Some(true),
        Operation::Change(changes) => {
            let asserts = |change: &FieldOperation| !is_quiet(change.path());
            (changes.is_empty() || changes.iter().any(asserts)).then_some(true)
        }
    }
}
