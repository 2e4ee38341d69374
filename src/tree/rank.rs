//! Places of entries: how many stand before a key, and which entry stands at a place.

use super::{TreeError, load, load_child};
use crate::model::Hash;
use crate::port::Objects;

/// Returns how many entries have a smaller key, and whether `key` itself is there; reads one node per level.
pub fn rank(objects: &dyn Objects, root: &Hash, key: &[u8]) -> Result<(u64, bool), TreeError> {
    let mut node = load(objects, root)?;
    let mut before = 0;
    loop {
        let index = node.lower_bound(key);
        if node.level() == 0 {
            let is_there = index < node.len() && node.compare(index, key).is_eq();
            return Ok((before + index as u64, is_there));
        }
        for passed in 0..index {
            before += node.child(passed).1;
        }
        if index == node.len() {
            return Ok((before, false));
        }
        node = load_child(objects, &node, index)?;
    }
}

/// Key and value.
type Entry = (Vec<u8>, Vec<u8>);

/// Returns the entry that has `rank` entries before it, reading one node per level.
pub fn nth(objects: &dyn Objects, root: &Hash, rank: u64) -> Result<Option<Entry>, TreeError> {
    let mut node = load(objects, root)?;
    let mut left = rank;
    while node.level() > 0 {
        let mut index = 0;
        while index < node.len() && node.child(index).1 <= left {
            left -= node.child(index).1;
            index += 1;
        }
        if index == node.len() {
            return Ok(None);
        }
        node = load_child(objects, &node, index)?;
    }
    let index = usize::try_from(left).unwrap_or(usize::MAX);
    Ok((index < node.len()).then(|| (node.key(index), node.value(index).to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::MemoryObjects;
    use crate::tree::{build, empty_root};

    #[test]
    fn places_and_keys_are_inverse() {
        let objects = MemoryObjects::default();
        assert_eq!(rank(&objects, &empty_root(), b"x").unwrap(), (0, false));
        assert_eq!(nth(&objects, &empty_root(), 0).unwrap(), None);
        let entry = |n: u32| Ok::<_, TreeError>(((2 * n).to_be_bytes().to_vec(), vec![7; 40]));
        let root = build(&objects, (0..5000).map(entry)).unwrap();
        for n in (0..5000u32).step_by(7) {
            let place = u64::from(n);
            assert_eq!(rank(&objects, &root, &(2 * n).to_be_bytes()).unwrap(), (place, true));
            assert_eq!(
                rank(&objects, &root, &(2 * n + 1).to_be_bytes()).unwrap(),
                (place + 1, false)
            );
            assert_eq!(nth(&objects, &root, place).unwrap().unwrap().0, (2 * n).to_be_bytes());
        }
        assert_eq!(nth(&objects, &root, 5000).unwrap(), None);
        assert_eq!(rank(&objects, &root, &[0xFF; 5]).unwrap(), (5000, false));
    }
}
