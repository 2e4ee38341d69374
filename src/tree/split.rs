//! Where nodes end.
//!
//! The rule is a Weibull hazard of shape 4 on the bytes of a node, as in Dolt's size-aware splitter, in integers:
//! the chance to end grows with the third power of the bytes so far, so that sizes gather around the target and an edit
//! moves few boundaries. The only randomness is a hash of the key, so that a changed value of equal size moves none.
//! It need not be a strong one: who chooses the keys can find some that split badly under any hash, and whatever they are,
//! a node has two entries at least and ends at [`FORCED_FACTOR`]. BLAKE3 was a seventh of a first import of short records.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// log₂ of the scale of leaves: about 4 KiB (chosen: an update of a tree of 1M records rewrites 4 nodes and 9 kB).
const LEAF_SCALE_LOG2: u32 = 12;
/// log₂ of the scale of inner nodes: about 2 KiB (chosen with [`LEAF_SCALE_LOG2`]).
const INNER_SCALE_LOG2: u32 = 11;
/// A node ends at the latest with the entry by which it reaches this many times its scale.
const FORCED_FACTOR: u64 = 4;
/// log₂ of what the hazard is scaled by: 2² (the shape, 4) times 2³² (the range of the hash).
const HAZARD_LOG2: u32 = 34;
/// Bytes of a leaf entry beside key and value: one key end and one value end.
const LEAF_FRAMING_BYTES: usize = 2 + 4;
/// Bytes of an inner entry beside its key and its value (address and count): one key end.
const INNER_FRAMING_BYTES: usize = 2;

/// Follows the entries of one level and says after which of them a node ends.
#[derive(Debug)]
pub(super) struct Splitter {
    level: u8,
    /// Entries of the node so far.
    entries: usize,
    /// Their bytes, keys counted whole.
    bytes: u64,
}

impl Splitter {
    /// Starts at the beginning of a node of `level` (0 for leaves).
    pub(super) fn new(level: u8) -> Self {
        Self {
            level,
            entries: 0,
            bytes: 0,
        }
    }

    /// Takes the next entry and returns whether the node ends with it; then the next entry begins a new node.
    pub(super) fn ends_with(&mut self, key: &[u8], value_bytes: usize) -> bool {
        let (scale, framing) = if self.level == 0 {
            (LEAF_SCALE_LOG2, LEAF_FRAMING_BYTES)
        } else {
            (INNER_SCALE_LOG2, INNER_FRAMING_BYTES)
        };
        let size = (key.len() + value_bytes + framing) as u64;
        let middle = self.bytes + size / 2;
        self.bytes += size;
        self.entries += 1;
        // One entry never makes a node (but for the last of a level), so that each level is at most half the one below.
        let ends = self.entries > 1
            && (self.bytes >= FORCED_FACTOR << scale
                || self.hazard_strikes(key, middle, size, 4 * scale - HAZARD_LOG2));
        if ends {
            self.entries = 0;
            self.bytes = 0;
        }
        ends
    }

    /// Returns whether `hash(level, key) < middle³ · size >> shift`.
    fn hazard_strikes(&self, key: &[u8], middle: u64, size: u64, shift: u32) -> bool {
        // Both saturate at 32 bits, where the fourth power just fits.
        let middle = u128::from(middle.min(u64::from(u32::MAX)));
        let size = u128::from(size.min(u64::from(u32::MAX)));
        let threshold = (middle * middle * middle * size) >> shift;
        if threshold == 0 {
            return false;
        }
        u128::from(xxh3_64_with_seed(key, u64::from(self.level)) >> 32) < threshold
    }
}
