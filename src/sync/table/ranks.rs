//! How the places of entries move when a tree changes.

use crate::delta::State;
use crate::port::Objects;
use crate::source::table::NO_RANK;
use crate::sync::{SyncResult, other};
use crate::tree;

/// What came into a tree and what left it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shift {
    /// Former places of what left, ascending.
    pub(super) removed: Vec<u32>,
    /// For what came, ascending by key: how many former entries have smaller keys.
    pub(super) added: Vec<u32>,
}

impl Shift {
    /// Makes the shift between two states.
    pub(super) fn between(objects: &dyn Objects, old: &State, new: &State) -> SyncResult<Self> {
        let mut shift = Self::default();
        for change in tree::diff(objects, &old.content, &new.content) {
            let change = change.map_err(|error| other("comparing states", error))?;
            let list = match (&change.old, &change.new) {
                (Some(_), None) => &mut shift.removed,
                (None, Some(_)) => &mut shift.added,
                _ => continue,
            };
            let (rank, _) =
                tree::rank(objects, &old.content, &change.key).map_err(|error| other("comparing states", error))?;
            list.push(narrow(rank));
        }
        Ok(shift)
    }

    /// Moves the places of a table's rows; those of entries that left become [`NO_RANK`].
    pub(super) fn apply(&self, ranks: &mut [u32]) {
        if self.removed.is_empty() && self.added.is_empty() {
            return;
        }
        for rank in ranks.iter_mut().filter(|rank| **rank != NO_RANK) {
            *rank = if self.removed.binary_search(rank).is_ok() {
                NO_RANK
            } else {
                self.moved(*rank)
            };
        }
    }

    fn moved(&self, rank: u32) -> u32 {
        let before = self.removed.partition_point(|removed| *removed < rank);
        let after = self.added.partition_point(|added| *added <= rank);
        narrow((u64::from(rank) + after as u64).saturating_sub(before as u64))
    }

    /// Returns the new place of what came as number `at`.
    pub(super) fn of_added(&self, at: usize) -> u32 {
        let insert = self.added.get(at).copied().unwrap_or(NO_RANK);
        let before = self.removed.partition_point(|removed| *removed < insert);
        narrow((u64::from(insert) + at as u64).saturating_sub(before as u64))
    }
}

/// Ranks beyond 32 bits are not known; such rows are compared as new ones.
pub(super) fn narrow(rank: u64) -> u32 {
    u32::try_from(rank).unwrap_or(NO_RANK)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_move_as_in_a_sorted_list(
            old in proptest::collection::btree_set(0u32..60, 0..30),
            new in proptest::collection::btree_set(0u32..60, 0..30),
        ) {
            let rank = |set: &BTreeSet<u32>, key: u32| u32::try_from(set.range(..key).count()).unwrap();
            let shift = Shift {
                removed: old.difference(&new).map(|key| rank(&old, *key)).collect(),
                added: new.difference(&old).map(|key| rank(&old, *key)).collect(),
            };
            let mut ranks: Vec<u32> = (0..u32::try_from(old.len()).unwrap()).collect();
            shift.apply(&mut ranks);
            for (key, moved) in old.iter().zip(ranks) {
                let wanted = if new.contains(key) { rank(&new, *key) } else { NO_RANK };
                prop_assert_eq!(moved, wanted);
            }
            for (at, key) in new.difference(&old).enumerate() {
                prop_assert_eq!(shift.of_added(at), rank(&new, *key));
            }
        }
    }
}
