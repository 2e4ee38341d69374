//! Decompressed blocks that were used last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How many bytes of blocks are kept (chosen: a walk through a tree of a million records stays inside).
const CACHE_BYTES: usize = 8 << 20;
/// What an entry is counted as beside its bytes, so that many tiny blocks are bounded too.
const ENTRY_BYTES: usize = 256;

/// Pack number and block number.
type Place = (u64, u32);

/// The blocks, least recently used first to go.
#[derive(Debug, Default)]
pub(super) struct BlockCache {
    blocks: HashMap<Place, (u64, Arc<Vec<u8>>)>,
    by_use: BTreeMap<u64, Place>,
    clock: u64,
    bytes: usize,
}

impl BlockCache {
    pub(super) fn get(&mut self, place: Place) -> Option<Arc<Vec<u8>>> {
        let (used, block) = self.blocks.get_mut(&place)?;
        self.by_use.remove(used);
        self.clock += 1;
        *used = self.clock;
        self.by_use.insert(self.clock, place);
        Some(Arc::clone(block))
    }

    pub(super) fn insert(&mut self, place: Place, block: &Arc<Vec<u8>>) {
        let size = block.len() + ENTRY_BYTES;
        // One huge object would push out everything else.
        if size > CACHE_BYTES / 4 || self.blocks.contains_key(&place) {
            return;
        }
        self.clock += 1;
        self.blocks.insert(place, (self.clock, Arc::clone(block)));
        self.by_use.insert(self.clock, place);
        self.bytes += size;
        while self.bytes > CACHE_BYTES {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                break;
            };
            if let Some((_, block)) = self.blocks.remove(&oldest) {
                self.bytes -= block.len() + ENTRY_BYTES;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays_and_the_total_is_bounded() {
        let mut cache = BlockCache::default();
        let block = Arc::new(vec![0; 1 << 20]);
        for number in 0..40 {
            cache.insert((1, number), &block);
            assert!(cache.bytes <= CACHE_BYTES);
            assert!(cache.get((1, 0)).is_some(), "always in use");
        }
        assert!(cache.get((1, 39)).is_some());
        assert!(cache.get((1, 5)).is_none());
        assert_eq!(cache.blocks.len(), cache.by_use.len());
        cache.insert((2, 0), &Arc::new(vec![0; CACHE_BYTES]));
        assert!(cache.get((2, 0)).is_none());
    }
}
