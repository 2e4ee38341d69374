//! The graph of snapshots.

use std::cell::RefCell;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use super::MergeError;
use super::bits::Bits;
use super::portion::PORTION_KEYS;
use super::rebuild::rebuild;
use crate::delta::{Snapshot, State};
use crate::model::{Hash, SnapshotId, TimeMs};
use crate::port::Objects;
use crate::tree;

/// A collection's snapshots over its objects, with those read so far and the states merged so far in memory.
pub struct History<'a> {
    pub(super) objects: &'a dyn Objects,
    snapshots: RefCell<HashMap<SnapshotId, Rc<Snapshot>>>,
    states: RefCell<HashMap<Vec<SnapshotId>, State>>,
    /// Roots of trees that are here.
    whole: RefCell<HashSet<Hash>>,
    /// How many keys a merge evaluates at once.
    pub(super) portion_keys: usize,
}

/// One snapshot that a walk passed.
pub(super) struct Step {
    pub(super) id: SnapshotId,
    pub(super) snapshot: Rc<Snapshot>,
    /// The steps that are its ancestors, itself not among them.
    pub(super) ancestors: Bits,
}

/// The snapshots from some heads back to a cut.
pub(super) struct Walk {
    /// A snapshot that all steps have as ancestor; what is not a step is it or an ancestor of it. `None`: nothing is left.
    pub(super) cut: Option<Rc<Snapshot>>,
    /// The steps; ancestors stand before their descendants.
    pub(super) steps: Vec<Step>,
}

impl Walk {
    /// Returns the number of the step of `id`.
    pub(super) fn position(&self, id: &SnapshotId) -> Option<usize> {
        self.steps.iter().position(|step| step.id == *id)
    }

    /// Returns the state at the cut.
    pub(super) fn base(&self) -> State {
        self.cut.as_ref().map_or_else(State::empty, |snapshot| snapshot.result)
    }
}

impl<'a> History<'a> {
    /// Reads the history that is in `objects`.
    pub fn new(objects: &'a dyn Objects) -> Self {
        Self {
            objects,
            snapshots: RefCell::default(),
            states: RefCell::default(),
            whole: RefCell::default(),
            portion_keys: PORTION_KEYS,
        }
    }

    /// Returns the objects that the history is in.
    pub fn objects(&self) -> &'a dyn Objects {
        self.objects
    }

    /// Returns a snapshot.
    pub fn snapshot(&self, id: &SnapshotId) -> Result<Rc<Snapshot>, MergeError> {
        if let Some(snapshot) = self.snapshots.borrow().get(id) {
            return Ok(Rc::clone(snapshot));
        }
        let snapshot = Rc::new(Snapshot::read(self.objects, id)?);
        self.snapshots.borrow_mut().insert(*id, Rc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Returns a snapshot's result; its tree is made again where it is not here any more.
    pub fn result(&self, id: &SnapshotId) -> Result<State, MergeError> {
        let state = self.snapshot(id)?.result;
        if !self.is_whole(&state) {
            rebuild(self, id)?;
        }
        Ok(state)
    }

    /// Returns whether the content of a state is here.
    pub(super) fn is_whole(&self, state: &State) -> bool {
        if state.content == tree::empty_root() || self.whole.borrow().contains(&state.content) {
            return true;
        }
        let is_here = self.objects.contains(&state.content);
        if is_here {
            self.whole.borrow_mut().insert(state.content);
        }
        is_here
    }

    pub(super) fn remembered(&self, heads: &[SnapshotId]) -> Option<State> {
        self.states.borrow().get(heads).copied()
    }

    pub(super) fn remember(&self, heads: &[SnapshotId], state: State) {
        self.states.borrow_mut().insert(heads.to_vec(), state);
    }

    /// Returns whether `ancestor` is `descendant` or an ancestor of it.
    pub fn is_ancestor(&self, ancestor: &SnapshotId, descendant: &SnapshotId) -> Result<bool, MergeError> {
        if ancestor == descendant {
            return Ok(true);
        }
        let floor = self.snapshot(ancestor)?.generation;
        let mut seen = BTreeSet::new();
        let mut open = vec![*descendant];
        while let Some(id) = open.pop() {
            let snapshot = self.snapshot(&id)?;
            if snapshot.parents.binary_search(ancestor).is_ok() {
                return Ok(true);
            }
            if snapshot.generation > floor {
                open.extend(snapshot.parents.iter().filter(|parent| seen.insert(**parent)));
            }
        }
        Ok(false)
    }

    /// Returns those of `set` that no other one of it has as ancestor, sorted, each once.
    pub fn heads_of(&self, set: &[SnapshotId]) -> Result<Vec<SnapshotId>, MergeError> {
        let mut heads: BTreeSet<SnapshotId> = set.iter().copied().collect();
        if heads.len() < 2 {
            return Ok(heads.into_iter().collect());
        }
        let mut floor = u32::MAX;
        for id in &heads {
            floor = floor.min(self.snapshot(id)?.generation);
        }
        let mut open: Vec<SnapshotId> = heads.iter().copied().collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            let snapshot = self.snapshot(&id)?;
            if snapshot.generation <= floor {
                continue;
            }
            for parent in &snapshot.parents {
                heads.remove(parent);
                if seen.insert(*parent) {
                    open.push(*parent);
                }
            }
        }
        Ok(heads.into_iter().collect())
    }

    /// Walks over the heads and all their ancestors, by descending generation, then time, then id.
    pub fn ancestors(
        &self,
        heads: &[SnapshotId],
    ) -> impl Iterator<Item = Result<(SnapshotId, Rc<Snapshot>), MergeError>> + use<'_, 'a> {
        let mut seen: BTreeSet<SnapshotId> = BTreeSet::new();
        let mut waiting: Vec<SnapshotId> = heads.to_vec();
        let mut open: BinaryHeap<(u32, TimeMs, SnapshotId)> = BinaryHeap::new();
        std::iter::from_fn(move || {
            while let Some(id) = waiting.pop() {
                if seen.insert(id) {
                    match self.snapshot(&id) {
                        Ok(snapshot) => open.push((snapshot.generation, snapshot.time, id)),
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
            let (_, _, id) = open.pop()?;
            let snapshot = match self.snapshot(&id) {
                Ok(snapshot) => snapshot,
                Err(error) => return Some(Err(error)),
            };
            waiting.extend_from_slice(&snapshot.parents);
            Some(Ok((id, snapshot)))
        })
    }

    /// Returns a snapshot among the heads and their ancestors that is not here, or whose difference set is not.
    pub fn missing(&self, heads: &[SnapshotId]) -> Result<Option<SnapshotId>, MergeError> {
        let mut seen = BTreeSet::new();
        let mut open = heads.to_vec();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if !self.objects.contains(&id.0) {
                return Ok(Some(id));
            }
            let snapshot = self.snapshot(&id)?;
            if !self.objects.contains(&snapshot.delta) {
                return Ok(Some(id));
            }
            open.extend_from_slice(&snapshot.parents);
        }
        Ok(None)
    }

    /// Walks back from `heads` to the nearest cut, or to the beginning if `whole`.
    pub(super) fn walk(&self, heads: &[SnapshotId], whole: bool) -> Result<Walk, MergeError> {
        let mut open: BTreeSet<(u32, SnapshotId)> = BTreeSet::new();
        for id in heads {
            open.insert((self.snapshot(id)?.generation, *id));
        }
        let mut passed: Vec<(SnapshotId, Rc<Snapshot>)> = Vec::new();
        let mut may_cut = !whole;
        let mut cut = None;
        while let Some((generation, id)) = open.pop_last() {
            let snapshot = self.snapshot(&id)?;
            if open.is_empty() && may_cut {
                self.result(&id)?;
                cut = Some(snapshot);
                break;
            }
            // What was passed and has no parents does not have the later ones as ancestors.
            may_cut &= !snapshot.parents.is_empty();
            for parent in &snapshot.parents {
                let parent_generation = self.snapshot(parent)?.generation;
                if parent_generation >= generation {
                    return Err(MergeError::Inconsistent {
                        snapshot: id,
                        what: "its generation is not greater than its parent's",
                    });
                }
                open.insert((parent_generation, *parent));
            }
            passed.push((id, snapshot));
        }
        passed.reverse();
        let numbers: HashMap<SnapshotId, usize> = passed
            .iter()
            .enumerate()
            .map(|(number, (id, _))| (*id, number))
            .collect();
        let mut steps: Vec<Step> = Vec::with_capacity(passed.len());
        for (id, snapshot) in passed {
            let mut ancestors = Bits::default();
            for parent in &snapshot.parents {
                if let Some(number) = numbers.get(parent)
                    && let Some(step) = steps.get(*number)
                {
                    ancestors.union(&step.ancestors);
                    ancestors.insert(*number);
                }
            }
            steps.push(Step {
                id,
                snapshot,
                ancestors,
            });
        }
        Ok(Walk { cut, steps })
    }
}
