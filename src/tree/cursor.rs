//! Reading: one entry, entries in order, all nodes.

use super::node::Node;
use super::{TreeError, empty_root, load, load_child};
use crate::model::{Domain, Hash};
use crate::port::Objects;

/// Returns the value under `key`, reading one node per level.
pub fn get(objects: &dyn Objects, root: &Hash, key: &[u8]) -> Result<Option<Vec<u8>>, TreeError> {
    let mut node = load(objects, root)?;
    loop {
        let index = node.lower_bound(key);
        if index == node.len() {
            return Ok(None);
        }
        if node.level() == 0 {
            let is_found = node.compare(index, key).is_eq();
            return Ok(is_found.then(|| node.value(index).to_vec()));
        }
        node = load_child(objects, &node, index)?;
    }
}

/// Returns the number of entries, reading one node.
pub fn count(objects: &dyn Objects, root: &Hash) -> Result<u64, TreeError> {
    Ok(load(objects, root)?.records())
}

/// Walks over all entries in ascending order of their keys.
pub fn iter<'a>(objects: &'a dyn Objects, root: &Hash) -> Cursor<'a> {
    iter_from(objects, root, &[])
}

/// Walks over the entries whose key is not less than `key`, in ascending order.
pub fn iter_from<'a>(objects: &'a dyn Objects, root: &Hash, key: &[u8]) -> Cursor<'a> {
    Cursor {
        objects,
        start: Some((*root, key.to_vec())),
        path: Path::default(),
    }
}

/// Key and value.
type Entry = (Vec<u8>, Vec<u8>);

/// The entries of a tree in ascending order; ends after its first error.
///
/// Memory holds one node per level. Nothing is read before the first entry is asked for.
pub struct Cursor<'a> {
    objects: &'a dyn Objects,
    start: Option<(Hash, Vec<u8>)>,
    path: Path,
}

impl Cursor<'_> {
    fn step(&mut self) -> Result<Option<Entry>, TreeError> {
        if let Some((root, key)) = self.start.take() {
            let node = load(self.objects, &root)?;
            let index = node.lower_bound(&key);
            self.path.enter(node, index);
            while self.path.descend(self.objects, |child| child.lower_bound(&key))? {}
        }
        while self.path.descend(self.objects, |_| 0)? {}
        let Some((leaf, index)) = self.path.here() else {
            return Ok(None);
        };
        let entry = (leaf.key(index), leaf.value(index).to_vec());
        self.path.advance();
        Ok(Some(entry))
    }
}

impl Iterator for Cursor<'_> {
    type Item = Result<Entry, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.path = Path::default();
        }
        step.transpose()
    }
}

/// A place in a tree: the nodes from the root down and the entry of each.
///
/// The last node's entry is *here*: a record in a leaf, a subtree in an inner node. No node is left at its end.
#[derive(Default)]
pub(super) struct Path {
    frames: Vec<(Node, usize)>,
}

impl Path {
    /// Steps into `node` at entry `index`.
    pub(super) fn enter(&mut self, node: Node, index: usize) {
        self.frames.push((node, index));
        self.leave_ended();
    }

    /// Returns the node and the entry where the path is; `None` at the end of the tree.
    pub(super) fn here(&self) -> Option<(&Node, usize)> {
        self.frames.last().map(|(node, index)| (node, *index))
    }

    /// Steps over the record or subtree that is here.
    pub(super) fn advance(&mut self) {
        if let Some((_, index)) = self.frames.last_mut() {
            *index += 1;
        }
        self.leave_ended();
    }

    fn leave_ended(&mut self) {
        while self.frames.last().is_some_and(|(node, index)| *index >= node.len()) {
            self.frames.pop();
            if let Some((_, index)) = self.frames.last_mut() {
                *index += 1;
            }
        }
    }

    /// Steps into the subtree that is here, at the entry that `choose` says; returns whether there was one.
    pub(super) fn descend(
        &mut self,
        objects: &dyn Objects,
        choose: impl FnOnce(&Node) -> usize,
    ) -> Result<bool, TreeError> {
        let child = match self.here() {
            Some((node, index)) if node.level() > 0 => load_child(objects, node, index)?,
            _ => return Ok(false),
        };
        let index = choose(&child);
        self.enter(child, index);
        Ok(true)
    }
}

/// Walks over the nodes of a tree, depth first, parents before children, each once.
///
/// `enter` is called with the address of each node before it is read and returns whether to go into it (`false` for
/// one that was seen already, with all that is below it). `entry` is called with key and value of each record of the
/// leaves entered. The empty tree has no node.
pub fn visit(
    objects: &dyn Objects,
    root: &Hash,
    enter: &mut dyn FnMut(&Hash) -> bool,
    entry: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<(), TreeError> {
    if *root == empty_root() || !enter(root) {
        return Ok(());
    }
    visit_below(objects, &load(objects, root)?, enter, entry)
}

fn visit_below(
    objects: &dyn Objects,
    node: &Node,
    enter: &mut dyn FnMut(&Hash) -> bool,
    entry: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<(), TreeError> {
    let mut key = Vec::new();
    for index in 0..node.len() {
        if node.level() == 0 {
            node.key_into(index, &mut key);
            entry(&key, node.value(index));
        } else if enter(&node.child(index).0) {
            visit_below(objects, &load_child(objects, node, index)?, enter, entry)?;
        }
    }
    Ok(())
}

/// Calls `each` with the kind and address of all nodes of a tree, parents before children, left to right.
///
/// Leaves are not read.
pub fn each_node<E: From<TreeError>>(
    objects: &dyn Objects,
    root: &Hash,
    each: &mut dyn FnMut(Domain, &Hash) -> Result<(), E>,
) -> Result<(), E> {
    if *root == empty_root() {
        return Ok(());
    }
    let node = load(objects, root)?;
    each(if node.level() == 0 { Domain::Leaf } else { Domain::Inner }, root)?;
    each_below(objects, &node, each)
}

fn each_below<E: From<TreeError>>(
    objects: &dyn Objects,
    node: &Node,
    each: &mut dyn FnMut(Domain, &Hash) -> Result<(), E>,
) -> Result<(), E> {
    for index in (0..node.len()).take_while(|_| node.level() > 0) {
        let (child, _) = node.child(index);
        if node.level() == 1 {
            each(Domain::Leaf, &child)?;
        } else {
            each(Domain::Inner, &child)?;
            each_below(objects, &load_child(objects, node, index)?, each)?;
        }
    }
    Ok(())
}
