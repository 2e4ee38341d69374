//! Looking up many keys.

use super::node::Node;
use super::{TreeError, load, load_child};
use crate::model::Hash;
use crate::port::Objects;

/// Looks up one key after the other; in ascending order each node is read once.
///
/// Any order is right, but a key that is less than the one before costs one node per level. Memory holds one node per
/// level.
pub struct Finder<'a> {
    objects: &'a dyn Objects,
    root: Hash,
    /// The nodes from the root down to where the last key is or would be.
    nodes: Vec<Node>,
    last: Vec<u8>,
}

impl<'a> Finder<'a> {
    /// Makes one for the tree at `root`; nothing is read before the first key is asked for.
    pub fn new(objects: &'a dyn Objects, root: &Hash) -> Self {
        Self {
            objects,
            root: *root,
            nodes: Vec::new(),
            last: Vec::new(),
        }
    }

    /// Returns the value under `key`.
    pub fn find(&mut self, key: &[u8]) -> Result<Option<&[u8]>, TreeError> {
        if key < self.last.as_slice() {
            self.nodes.clear();
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        let place = self.descend(key);
        if place.is_err() {
            self.nodes.clear();
        }
        let value = place?.and_then(|index| Some(self.nodes.last()?.value(index)));
        Ok(value)
    }

    /// Goes to the leaf that has `key`, or would have it, and returns its place there.
    fn descend(&mut self, key: &[u8]) -> Result<Option<usize>, TreeError> {
        if self.nodes.is_empty() {
            self.nodes.push(load(self.objects, &self.root)?);
        }
        loop {
            let is_root = self.nodes.len() == 1;
            let Some(node) = self.nodes.last() else {
                return Ok(None);
            };
            let index = node.lower_bound(key);
            if index == node.len() {
                // The key is behind this node. Behind the root there is nothing.
                if is_root {
                    return Ok(None);
                }
                self.nodes.pop();
            } else if node.level() == 0 {
                return Ok(node.compare(index, key).is_eq().then_some(index));
            } else {
                let child = load_child(self.objects, node, index)?;
                self.nodes.push(child);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Domain;
    use crate::port::{MemoryObjects, ObjectError};
    use crate::tree::{build, empty_root, get, visit};

    /// Objects that count how often they are read.
    #[derive(Default)]
    struct Counting {
        objects: MemoryObjects,
        reads: std::cell::Cell<usize>,
    }

    impl Objects for Counting {
        fn get(&self, id: &Hash) -> Result<std::sync::Arc<[u8]>, ObjectError> {
            self.reads.set(self.reads.get() + 1);
            self.objects.get(id)
        }

        fn put(&self, domain: Domain, content: &[u8]) -> Result<Hash, ObjectError> {
            self.objects.put(domain, content)
        }

        fn contains(&self, id: &Hash) -> bool {
            self.objects.contains(id)
        }
    }

    fn tree(objects: &dyn Objects, count: u32) -> Hash {
        let entry = |n: u32| Ok::<_, TreeError>(((2 * n).to_be_bytes().to_vec(), n.to_le_bytes().repeat(20)));
        build(objects, (0..count).map(entry)).unwrap()
    }

    #[test]
    fn ascending_keys_read_each_node_at_most_once() {
        let objects = Counting::default();
        let root = tree(&objects, 5000);
        let mut nodes = 0;
        let mut enter = |_: &Hash| {
            nodes += 1;
            true
        };
        visit(&objects, &root, &mut enter, &mut |_, _| ()).unwrap();
        objects.reads.set(0);
        let mut finder = Finder::new(&objects, &root);
        for n in 0..10_100u32 {
            let found = finder.find(&n.to_be_bytes()).unwrap();
            let wanted = (n % 2 == 0 && n < 10_000).then(|| (n / 2).to_le_bytes().repeat(20));
            assert_eq!(found, wanted.as_deref());
        }
        assert!(objects.reads.get() <= nodes, "{} of {nodes}", objects.reads.get());
        assert_eq!(Finder::new(&objects, &empty_root()).find(b"x").unwrap(), None);
    }

    proptest! {
        #[test]
        fn any_order_finds_what_one_look_finds(keys in proptest::collection::vec(0..2100u32, 0..60)) {
            let objects = MemoryObjects::default();
            let root = tree(&objects, 1000);
            let mut finder = Finder::new(&objects, &root);
            for key in keys {
                let key = key.to_be_bytes();
                prop_assert_eq!(finder.find(&key).unwrap().map(<[u8]>::to_vec), get(&objects, &root, &key).unwrap());
            }
        }
    }
}
