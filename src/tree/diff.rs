//! What differs between two trees.

use std::cmp::Ordering;

use super::cursor::Path;
use super::{TreeError, load};
use crate::model::Hash;
use crate::port::Objects;

/// One key whose value differs; at least one side has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Vec<u8>,
    /// Its value on the left; `None` when it is not there.
    pub old: Option<Vec<u8>>,
    /// Its value on the right; `None` when it is not there.
    pub new: Option<Vec<u8>>,
}

/// Compares two trees and yields what must change in the left one to get the right one, by ascending key.
///
/// Subtrees that both sides have are not read, so the cost follows the differences. Memory holds one node per level
/// and side.
pub fn diff<'a>(objects: &'a dyn Objects, left: &Hash, right: &Hash) -> Diff<'a> {
    Diff {
        objects,
        roots: (left != right).then_some((*left, *right)),
        left: Path::default(),
        right: Path::default(),
    }
}

/// The differences between two trees, in ascending order of the keys; ends after its first error.
pub struct Diff<'a> {
    objects: &'a dyn Objects,
    /// The roots, until the first difference is asked for.
    roots: Option<(Hash, Hash)>,
    left: Path,
    right: Path,
}

/// What to do at the present pair of places.
enum Step {
    /// Both sides have the same record or subtree here.
    Skip,
    /// Step into the subtrees that are here.
    Descend { left: bool, right: bool },
    /// The record of the left side is not on the right.
    Removed,
    /// The record of the right side is not on the left.
    Added,
    /// One key has two values.
    Changed,
}

impl Diff<'_> {
    fn advance(&mut self) -> Result<Option<Change>, TreeError> {
        if let Some((left, right)) = self.roots.take() {
            self.left.enter(load(self.objects, &left)?, 0);
            self.right.enter(load(self.objects, &right)?, 0);
        }
        while let Some(step) = self.decide() {
            match step {
                Step::Skip => {
                    self.left.advance();
                    self.right.advance();
                }
                Step::Descend { left, right } => {
                    if left {
                        self.left.descend(self.objects, |_| 0)?;
                    }
                    if right {
                        self.right.descend(self.objects, |_| 0)?;
                    }
                }
                Step::Removed => return Ok(take(&mut self.left).map(|(key, value)| change(key, Some(value), None))),
                Step::Added => return Ok(take(&mut self.right).map(|(key, value)| change(key, None, Some(value)))),
                Step::Changed => {
                    let (old, new) = (take(&mut self.left), take(&mut self.right));
                    return Ok(old
                        .zip(new)
                        .map(|((key, old), (_, new))| change(key, Some(old), Some(new))));
                }
            }
        }
        Ok(None)
    }

    /// Decides the next step; `None` when both sides are at their end.
    ///
    /// All keys before either place are less than those from the other place on, so equal subtrees can be skipped and a
    /// lesser key is missing on the other side. Of two unequal subtrees the higher one is opened first, so that equal
    /// ones meet also in trees of different heights.
    fn decide(&self) -> Option<Step> {
        let removed = |level: u8| match level {
            0 => Step::Removed,
            _ => Step::Descend {
                left: true,
                right: false,
            },
        };
        let added = |level: u8| match level {
            0 => Step::Added,
            _ => Step::Descend {
                left: false,
                right: true,
            },
        };
        let ((left, left_index), (right, right_index)) = match (self.left.here(), self.right.here()) {
            (None, None) => return None,
            (Some((left, _)), None) => return Some(removed(left.level())),
            (None, Some((right, _))) => return Some(added(right.level())),
            (Some(left), Some(right)) => (left, right),
        };
        if left.level() == 0 && right.level() == 0 {
            return Some(match left.compare_keys(left_index, right, right_index) {
                Ordering::Less => Step::Removed,
                Ordering::Greater => Step::Added,
                Ordering::Equal if left.value(left_index) == right.value(right_index) => Step::Skip,
                Ordering::Equal => Step::Changed,
            });
        }
        if left.level() == right.level() && left.child(left_index).0 == right.child(right_index).0 {
            return Some(Step::Skip);
        }
        Some(Step::Descend {
            left: left.level() >= right.level(),
            right: right.level() >= left.level(),
        })
    }
}

fn change(key: Vec<u8>, old: Option<Vec<u8>>, new: Option<Vec<u8>>) -> Change {
    Change { key, old, new }
}

/// Returns the record where `path` is and steps over it.
fn take(path: &mut Path) -> Option<(Vec<u8>, Vec<u8>)> {
    let (leaf, index) = path.here()?;
    let record = (leaf.key(index), leaf.value(index).to_vec());
    path.advance();
    Some(record)
}

impl Iterator for Diff<'_> {
    type Item = Result<Change, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let change = self.advance();
        if change.is_err() {
            self.left = Path::default();
            self.right = Path::default();
        }
        change.transpose()
    }
}
