//! Keys of records in a row, and the new rows of a table that are made from the records under them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::edits::decode;
use super::lens::Lens;
use crate::delta::State;
use crate::model::Value;
use crate::port::Objects;
use crate::source::SourceError;
use crate::source::table::{NewRows, Values};
use crate::tree::{self, Cursor};

/// How far a walk goes on to the next wanted record before it starts anew (chosen: about what a leaf holds).
const STEPS: usize = 32;

/// Keys, as one run of bytes: a million of them are kept.
#[derive(Debug, Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    /// Adds a key behind the others.
    pub(super) fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns one by its place.
    pub(super) fn get(&self, at: usize) -> Option<&[u8]> {
        let start = at
            .checked_sub(1)
            .map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..*self.ends.get(at)?)
    }

    /// Walks over them in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Returns the same keys in ascending order, each once.
    pub(super) fn sorted(self) -> Self {
        if self.iter().is_sorted_by(|left, right| left < right) {
            return self;
        }
        let mut order: Vec<&[u8]> = self.iter().collect();
        order.sort_unstable();
        order.dedup();
        let mut sorted = Self::default();
        for key in order {
            sorted.push(key);
        }
        sorted
    }

    /// Returns the place of a key among keys that ascend.
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle)?.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// A walk over records: the number of the key that it stands behind.
struct Walk<'a> {
    next: usize,
    cursor: Cursor<'a>,
}

/// The records under some keys as new rows of a table.
pub(super) struct RecordRows<'a> {
    objects: &'a dyn Objects,
    state: State,
    /// In ascending order.
    keys: &'a Keys,
    lens: &'a Lens,
    /// Columns of the table in which nothing can be written.
    read_only: BTreeSet<usize>,
    walk: RefCell<Option<Walk<'a>>>,
}

impl<'a> RecordRows<'a> {
    /// Makes the rows of the records that a state has under `keys`, which ascend.
    pub(super) fn new(
        objects: &'a dyn Objects,
        state: State,
        keys: &'a Keys,
        lens: &'a Lens,
        read_only: BTreeSet<usize>,
    ) -> Self {
        Self {
            objects,
            state,
            keys,
            lens,
            read_only,
            walk: RefCell::new(None),
        }
    }

    /// Returns the bytes of the record under the key of this number; goes on from the last one where it can.
    fn bytes(&self, number: usize, key: &[u8]) -> Result<Option<Vec<u8>>, SourceError> {
        let mut walk = self.walk.borrow_mut();
        if let Some(walk) = walk.as_mut().filter(|walk| walk.next == number) {
            for entry in walk.cursor.by_ref().take(STEPS) {
                let (found, bytes) = entry?;
                if found == key {
                    walk.next += 1;
                    return Ok(Some(bytes));
                }
            }
        }
        let mut cursor = tree::iter_from(self.objects, &self.state.content, key);
        let found = cursor.next().transpose()?;
        *walk = Some(Walk {
            next: number + 1,
            cursor,
        });
        Ok(found.filter(|(found, _)| found == key).map(|(_, bytes)| bytes))
    }
}

impl NewRows for RecordRows<'_> {
    fn count(&self) -> usize {
        self.keys.len()
    }

    fn row(&self, number: usize) -> Result<Values, SourceError> {
        let key = self.keys.get(number).unwrap_or_default();
        let bytes = self.bytes(number, key)?;
        let record = bytes.and_then(|bytes| decode(&bytes).ok());
        let record = record.ok_or(SourceError::State("a record that is to be written"))?;
        let mut values = self.lens.values(self.objects, &self.lens.cut(&Value::Map(record)))?;
        for (at, value) in values.iter_mut().enumerate() {
            if self.read_only.contains(&at) {
                *value = None;
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_a_sorted_set(list in proptest::collection::vec(proptest::collection::vec(0u8..4, 0..3), 0..40)) {
            let mut keys = Keys::default();
            for key in &list {
                keys.push(key);
            }
            prop_assert!(keys.iter().eq(list.iter().map(Vec::as_slice)));
            let sorted = keys.sorted();
            let wanted: BTreeSet<&[u8]> = list.iter().map(Vec::as_slice).collect();
            prop_assert!(sorted.iter().eq(wanted.iter().copied()));
            for (at, key) in wanted.iter().enumerate() {
                prop_assert_eq!(sorted.find(key), Some(at));
            }
            prop_assert_eq!(sorted.find(&[9]), None);
        }
    }
}
