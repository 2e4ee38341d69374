//! Whether a tree is what a build of its entries makes.

use super::node::Node;
use super::split::Splitter;
use super::{TreeError, empty_root, load, load_child};
use crate::model::{Domain, Hash};
use crate::port::Objects;

/// Reads the whole tree, checks that it is the one tree of its entries, and returns their number.
///
/// Checked are the address and the bytes of each node, level, key range and record count against its parent, and that
/// each node ends where the splitter says or is the last of its level.
pub fn verify(objects: &dyn Objects, root: &Hash) -> Result<u64, TreeError> {
    let node = load(objects, root)?;
    if node.level() > 0 && node.len() < 2 {
        return Err(TreeError::damaged(*root, &"the root has a single child"));
    }
    if node.len() == 0 && *root != empty_root() {
        return Err(TreeError::damaged(*root, &"it is empty"));
    }
    let mut walk = Walk { objects, before: None };
    walk.verify(*root, &node, true)?;
    Ok(node.records())
}

struct Walk<'a> {
    objects: &'a dyn Objects,
    /// The key of the last record seen: a node knows only the bounds that its own parent names.
    before: Option<Vec<u8>>,
}

impl Walk<'_> {
    fn verify(&mut self, hash: Hash, node: &Node, is_last: bool) -> Result<(), TreeError> {
        let wrong = |what: &str| Err(TreeError::damaged(hash, &what));
        let domain = if node.level() == 0 { Domain::Leaf } else { Domain::Inner };
        if Hash::of(domain, node.bytes()) != hash {
            return wrong("its bytes have another address");
        }
        let mut splitter = Splitter::new(node.level());
        let mut key = Vec::new();
        for index in 0..node.len() {
            node.key_into(index, &mut key);
            let is_end = index + 1 == node.len();
            match splitter.ends_with(&key, node.value(index).len()) {
                true if !is_end => return wrong("it goes on where it should end"),
                false if is_end && !is_last => return wrong("it ends where it should go on"),
                _ => {}
            }
            if node.level() > 0 {
                let child = load_child(self.objects, node, index)?;
                self.verify(node.child(index).0, &child, is_last && is_end)?;
            } else {
                if self.before.as_ref().is_some_and(|before| *before >= key) {
                    return wrong("its keys begin before its place");
                }
                self.before = Some(key.clone());
            }
        }
        Ok(())
    }
}
