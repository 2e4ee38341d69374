//! The bytes of a node, and a view of them that copies nothing.
//!
//! `formats/SPEC.md`, section "Trees", has the table. [`Node::parse`] accepts exactly the bytes that
//! [`Entries::encode`] writes; after it every accessor is a slice of the bytes.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::Hash;

/// The longest key (chosen: a path of a file is at most about 1 KiB in practice).
pub const KEY_MAX_BYTES: usize = 1100;
/// The longest value (chosen: far above any record, as large fields live outside).
pub const VALUE_MAX_BYTES: usize = 16 << 20;

/// Level, count, length of the shared prefix.
const HEADER_BYTES: usize = 1 + 2 + 2;
const KEY_END_BYTES: usize = 2;
const VALUE_END_BYTES: usize = 4;
/// What an inner node holds for a child: its address and the number of records below it.
const CHILD_BYTES: usize = Hash::BYTES + 8;
/// The highest level (chosen: each level halves the one below at least, so 2⁴⁸ leaves need no more).
const LEVEL_MAX: u8 = 48;
/// The leaf without entries.
pub(super) const EMPTY_NODE: [u8; HEADER_BYTES] = [0; HEADER_BYTES];

/// Why bytes are no node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The bytes end before the node does.
    #[error("the bytes end early")]
    Truncated,
    /// Bytes follow the node.
    #[error("bytes follow the node")]
    Trailing,
    /// The level is higher than any tree is.
    #[error("the level is too high")]
    LevelTooHigh,
    /// An inner node has no entries.
    #[error("an inner node is empty")]
    Empty,
    /// The ends of keys or values go backwards.
    #[error("the ends of entry {0} are out of order")]
    Ends(usize),
    /// A key is not greater than the one before.
    #[error("the key of entry {0} is out of order")]
    Unsorted(usize),
    /// A key or value is longer than allowed.
    #[error("entry {0} is too long")]
    TooLong(usize),
    /// The prefix cut off is not the longest that all keys share.
    #[error("the shared prefix is not the longest")]
    Prefix,
    /// A child has no records, or all children have more than can be counted.
    #[error("the record count of child {0} is impossible")]
    Records(usize),
}

/// Checks that `bytes` are the canonical form of a node: encoding what they say gives them again.
///
/// Whether its boundaries are the right ones is a matter of the tree, see [`super::verify()`].
pub fn check_node(bytes: &[u8]) -> Result<(), NodeError> {
    Layout::parse(bytes).map(|_| ())
}

/// A node, checked.
#[derive(Debug, Clone)]
pub(super) struct Node {
    bytes: Arc<[u8]>,
    layout: Layout,
}

/// Where the parts of a node lie, in bytes from its start.
#[derive(Debug, Clone, Copy)]
struct Layout {
    level: u8,
    len: usize,
    prefix: usize,
    suffixes: usize,
    values: usize,
    records: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*field)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*field)).ok()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*field))
}

impl Layout {
    fn parse(bytes: &[u8]) -> Result<Self, NodeError> {
        let level = *bytes.first().ok_or(NodeError::Truncated)?;
        let len = u16_at(bytes, 1).ok_or(NodeError::Truncated)?;
        let prefix_bytes = u16_at(bytes, 3).ok_or(NodeError::Truncated)?;
        if level > LEVEL_MAX {
            return Err(NodeError::LevelTooHigh);
        }
        if len == 0 {
            return match bytes.len() {
                _ if level > 0 => Err(NodeError::Empty),
                _ if prefix_bytes > 0 => Err(NodeError::Prefix),
                HEADER_BYTES => Ok(Self::empty()),
                _ => Err(NodeError::Trailing),
            };
        }
        let ends_bytes = if level == 0 {
            KEY_END_BYTES + VALUE_END_BYTES
        } else {
            KEY_END_BYTES
        };
        let prefix = HEADER_BYTES + len * ends_bytes;
        let suffixes = prefix + prefix_bytes;
        let last_key_end = u16_at(bytes, HEADER_BYTES + (len - 1) * KEY_END_BYTES).ok_or(NodeError::Truncated)?;
        let mut layout = Self {
            level,
            len,
            prefix,
            suffixes,
            values: suffixes + last_key_end,
            records: len as u64,
        };
        if layout.values > bytes.len() {
            return Err(NodeError::Truncated);
        }
        layout.check_keys(bytes, prefix_bytes)?;
        let end = if level == 0 {
            layout.check_leaf_values(bytes)?
        } else {
            layout.check_children(bytes)?
        };
        match end.cmp(&bytes.len()) {
            Ordering::Less => Err(NodeError::Trailing),
            Ordering::Equal => Ok(layout),
            Ordering::Greater => Err(NodeError::Truncated),
        }
    }

    const fn empty() -> Self {
        Self {
            level: 0,
            len: 0,
            prefix: HEADER_BYTES,
            suffixes: HEADER_BYTES,
            values: HEADER_BYTES,
            records: 0,
        }
    }

    fn check_keys(&self, bytes: &[u8], prefix_bytes: usize) -> Result<(), NodeError> {
        let mut start = 0;
        let mut before: Option<&[u8]> = None;
        for index in 0..self.len {
            let end = u16_at(bytes, HEADER_BYTES + index * KEY_END_BYTES).ok_or(NodeError::Truncated)?;
            if end < start || self.suffixes + end > self.values {
                return Err(NodeError::Ends(index));
            }
            if prefix_bytes + end - start > KEY_MAX_BYTES {
                return Err(NodeError::TooLong(index));
            }
            let suffix = bytes
                .get(self.suffixes + start..self.suffixes + end)
                .ok_or(NodeError::Truncated)?;
            if before.is_some_and(|before| before >= suffix) {
                return Err(NodeError::Unsorted(index));
            }
            before = Some(suffix);
            start = end;
        }
        // In sorted keys all share what the first and the last do.
        let first = self.suffix(bytes, 0);
        let last = self.suffix(bytes, self.len - 1);
        let longest = if self.len == 1 {
            first.is_empty()
        } else {
            shared_prefix(first, last) == 0
        };
        if longest { Ok(()) } else { Err(NodeError::Prefix) }
    }

    /// Returns where the values end.
    fn check_leaf_values(&self, bytes: &[u8]) -> Result<usize, NodeError> {
        let mut start = 0;
        for index in 0..self.len {
            let end = u32_at(bytes, self.value_end(index)).ok_or(NodeError::Truncated)?;
            let length = end.checked_sub(start).ok_or(NodeError::Ends(index))?;
            if length > VALUE_MAX_BYTES {
                return Err(NodeError::TooLong(index));
            }
            start = end;
        }
        Ok(self.values.saturating_add(start))
    }

    /// Counts the records below and returns where the children end.
    fn check_children(&mut self, bytes: &[u8]) -> Result<usize, NodeError> {
        let mut sum: u64 = 0;
        for index in 0..self.len {
            let count = u64_at(bytes, self.values + index * CHILD_BYTES + Hash::BYTES).ok_or(NodeError::Truncated)?;
            sum = sum
                .checked_add(count)
                .filter(|_| count > 0)
                .ok_or(NodeError::Records(index))?;
        }
        self.records = sum;
        Ok(self.values + self.len * CHILD_BYTES)
    }

    const fn value_end(&self, index: usize) -> usize {
        HEADER_BYTES + self.len * KEY_END_BYTES + index * VALUE_END_BYTES
    }

    fn suffix<'a>(&self, bytes: &'a [u8], index: usize) -> &'a [u8] {
        let end_of = |index: usize| u16_at(bytes, HEADER_BYTES + index * KEY_END_BYTES).unwrap_or_default();
        let start = index.checked_sub(1).map_or(0, end_of);
        let range = self.suffixes + start..self.suffixes + end_of(index);
        bytes.get(range).unwrap_or_default()
    }
}

impl Node {
    /// Takes the bytes of a node after checking them.
    pub(super) fn parse(bytes: Arc<[u8]>) -> Result<Self, NodeError> {
        let layout = Layout::parse(&bytes)?;
        Ok(Self { bytes, layout })
    }

    /// Returns the leaf without entries.
    pub(super) fn empty() -> Self {
        Self {
            bytes: Arc::new(EMPTY_NODE),
            layout: Layout::empty(),
        }
    }

    /// Returns the level: 0 for leaves.
    pub(super) const fn level(&self) -> u8 {
        self.layout.level
    }

    /// Returns the number of entries.
    pub(super) const fn len(&self) -> usize {
        self.layout.len
    }

    /// Returns the number of records in and below the node.
    pub(super) const fn records(&self) -> u64 {
        self.layout.records
    }

    /// Returns the bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn prefix(&self) -> &[u8] {
        self.bytes
            .get(self.layout.prefix..self.layout.suffixes)
            .unwrap_or_default()
    }

    fn suffix(&self, index: usize) -> &[u8] {
        self.layout.suffix(&self.bytes, index)
    }

    /// Returns the whole key of entry `index`.
    pub(super) fn key(&self, index: usize) -> Vec<u8> {
        [self.prefix(), self.suffix(index)].concat()
    }

    /// Puts the whole key of entry `index` into `key`.
    pub(super) fn key_into(&self, index: usize, key: &mut Vec<u8>) {
        key.clear();
        key.extend_from_slice(self.prefix());
        key.extend_from_slice(self.suffix(index));
    }

    /// Returns the value of entry `index`; of an inner node the bytes that stand for the child.
    pub(super) fn value(&self, index: usize) -> &[u8] {
        let values = self.layout.values;
        let range = if self.layout.level == 0 {
            let end_of = |index| u32_at(&self.bytes, self.layout.value_end(index)).unwrap_or_default();
            values + index.checked_sub(1).map_or(0, end_of)..values + end_of(index)
        } else {
            values + index * CHILD_BYTES..values + (index + 1) * CHILD_BYTES
        };
        self.bytes.get(range).unwrap_or_default()
    }

    /// Returns the address of child `index` of an inner node and the number of records below it.
    pub(super) fn child(&self, index: usize) -> (Hash, u64) {
        let value = self.value(index);
        let hash = value.first_chunk().copied().unwrap_or_default();
        (Hash::from_bytes(hash), u64_at(value, Hash::BYTES).unwrap_or_default())
    }

    /// Compares the key of entry `index` with `key`.
    pub(super) fn compare(&self, index: usize, key: &[u8]) -> Ordering {
        compare_parts((self.prefix(), self.suffix(index)), (&[], key))
    }

    /// Compares the key of entry `index` with the key of entry `other_index` of `other`.
    pub(super) fn compare_keys(&self, index: usize, other: &Self, other_index: usize) -> Ordering {
        compare_parts(
            (self.prefix(), self.suffix(index)),
            (other.prefix(), other.suffix(other_index)),
        )
    }

    /// Returns the index of the first entry whose key is not less than `key`; [`Self::len`] when there is none.
    pub(super) fn lower_bound(&self, key: &[u8]) -> usize {
        let prefix = self.prefix();
        let Some(rest) = key.strip_prefix(prefix) else {
            return if key < prefix { 0 } else { self.len() };
        };
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.suffix(middle) < rest {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Compares two byte strings given in two parts each.
fn compare_parts(left: (&[u8], &[u8]), right: (&[u8], &[u8])) -> Ordering {
    let shared = left.0.len().min(right.0.len());
    let (left_head, left_rest) = left.0.split_at(shared);
    let (right_head, right_rest) = right.0.split_at(shared);
    left_head.cmp(right_head).then_with(|| match (left_rest, right_rest) {
        ([], []) => left.1.cmp(right.1),
        ([], rest) => compare_whole_with_parts(left.1, rest, right.1),
        (rest, _) => compare_whole_with_parts(right.1, rest, left.1).reverse(),
    })
}

/// Compares `whole` with `head` followed by `tail`.
fn compare_whole_with_parts(whole: &[u8], head: &[u8], tail: &[u8]) -> Ordering {
    match whole.split_at_checked(head.len()) {
        Some((start, rest)) => start.cmp(head).then_with(|| rest.cmp(tail)),
        // Shorter than the head: equal so far means less.
        None => whole.cmp(head),
    }
}

/// Returns how many bytes both begin with.
fn shared_prefix(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(a, b)| a == b).count()
}

/// Returns the bytes that stand for a child in an inner node.
pub(super) fn child_value(hash: &Hash, records: u64) -> [u8; CHILD_BYTES] {
    let mut value = [0; CHILD_BYTES];
    let (address, count) = value.split_at_mut(Hash::BYTES);
    address.copy_from_slice(hash.bytes());
    count.copy_from_slice(&records.to_le_bytes());
    value
}

/// Entries on their way into a node, in two flat buffers.
#[derive(Debug, Default)]
pub(super) struct Entries {
    keys: Vec<u8>,
    key_ends: Vec<usize>,
    values: Vec<u8>,
    value_ends: Vec<usize>,
}

impl Entries {
    /// Adds an entry; its key is greater than all before.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.keys.extend_from_slice(key);
        self.key_ends.push(self.keys.len());
        self.values.extend_from_slice(value);
        self.value_ends.push(self.values.len());
    }

    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        self.key_ends.len()
    }

    /// Forgets the entries and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.key_ends.clear();
        self.values.clear();
        self.value_ends.clear();
    }

    fn key(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).and_then(|before| self.key_ends.get(before));
        let range = start.copied().unwrap_or(0)..self.key_ends.get(index).copied().unwrap_or(0);
        self.keys.get(range).unwrap_or_default()
    }

    /// Returns the greatest key; empty when there are no entries.
    pub(super) fn last_key(&self) -> &[u8] {
        self.len().checked_sub(1).map_or(&[], |last| self.key(last))
    }

    /// Returns the value of the first entry; empty when there are no entries.
    pub(super) fn first_value(&self) -> &[u8] {
        let end = self.value_ends.first().copied().unwrap_or(0);
        self.values.get(..end).unwrap_or_default()
    }

    /// Returns the number of records in (level 0) or below these entries.
    pub(super) fn records(&self, level: u8) -> u64 {
        if level == 0 {
            return self.len() as u64;
        }
        let children = self.values.chunks_exact(CHILD_BYTES);
        // Saturates, because children of foreign trees are counted by what their parents say.
        children
            .filter_map(|value| u64_at(value, Hash::BYTES))
            .fold(0, u64::saturating_add)
    }

    /// Puts the bytes of the node of `level` with these entries into `out`.
    pub(super) fn encode(&self, level: u8, out: &mut Vec<u8>) {
        let prefix = match self.len() {
            0 => 0,
            1 => self.keys.len(),
            len => shared_prefix(self.key(0), self.key(len - 1)),
        };
        out.clear();
        out.push(level);
        push_u16(out, self.len());
        push_u16(out, prefix);
        for (index, end) in self.key_ends.iter().enumerate() {
            push_u16(out, end - (index + 1) * prefix);
        }
        if level == 0 {
            for end in &self.value_ends {
                let end =
                    u32::try_from(*end).expect("a node of more than one entry is below two of the largest values");
                out.extend_from_slice(&end.to_le_bytes());
            }
        }
        out.extend_from_slice(self.key(0).get(..prefix).unwrap_or_default());
        for index in 0..self.len() {
            out.extend_from_slice(self.key(index).get(prefix..).unwrap_or_default());
        }
        out.extend_from_slice(&self.values);
    }
}

fn push_u16(out: &mut Vec<u8>, number: usize) {
    let number = u16::try_from(number).expect("a node ends before its keys or entries reach 64 Ki");
    out.extend_from_slice(&number.to_le_bytes());
}
