//! Edits: the old tree and the edits are fed to the builder together.
//!
//! A subtree that no edit touches is pushed as it is when the builder stands at its beginning; else its parts are, down
//! to single entries, until the boundaries of the new tree fall in step with those of the old one again. As the
//! builder is that of [`super::build()`], the result is the tree a build of the same entries makes.

use super::build::Builder;
use super::node::Node;
use super::{TreeError, load, load_child};
use crate::model::Hash;
use crate::port::Objects;

/// Applies `edits` to the tree at `root` and returns the new root.
///
/// Edits come in strictly ascending order of their keys; a value adds or replaces, `None` deletes, deleting what is
/// not there does nothing. Reads the nodes on the way to the edits and some neighbours; writes about one node per
/// edit and level.
pub fn edit(
    objects: &dyn Objects,
    root: &Hash,
    edits: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
) -> Result<Hash, TreeError> {
    let mut edits = Edits {
        next: None,
        rest: edits.into_iter(),
    };
    edits.advance()?;
    if edits.next.is_none() {
        return Ok(*root);
    }
    let node = load(objects, root)?;
    let mut editor = Editor {
        objects,
        edits,
        builder: Builder::new(objects),
        key: Vec::new(),
    };
    editor.feed(&node, true)?;
    let root = editor.builder.finish()?;
    if root.is_reused {
        without_single_children(objects, root.hash)
    } else {
        Ok(root.hash)
    }
}

/// Descends from `root` while it is an inner node with one child.
///
/// Such a node is right as the last one of its level, but not as a root, which it becomes when all before is deleted.
fn without_single_children(objects: &dyn Objects, mut root: Hash) -> Result<Hash, TreeError> {
    let mut node = load(objects, &root)?;
    while node.level() > 0 && node.len() == 1 {
        root = node.child(0).0;
        node = load_child(objects, &node, 0)?;
    }
    Ok(root)
}

/// One edit: a key and its new value, or its deletion.
type Edit = (Vec<u8>, Option<Vec<u8>>);

/// The edits that were not applied yet.
struct Edits<I> {
    next: Option<Edit>,
    rest: I,
}

impl<I: Iterator<Item = Edit>> Edits<I> {
    /// Takes the next edit and fetches the one after it.
    fn advance(&mut self) -> Result<Option<Edit>, TreeError> {
        let after = self.rest.next();
        if let (Some((key, _)), Some((before, _))) = (&after, &self.next)
            && key <= before
        {
            return Err(TreeError::Unsorted { key: key.clone() });
        }
        Ok(std::mem::replace(&mut self.next, after))
    }
}

struct Editor<'a, I> {
    objects: &'a dyn Objects,
    edits: Edits<I>,
    builder: Builder<'a>,
    /// The key being looked at, kept to save the allocation.
    key: Vec<u8>,
}

impl<I: Iterator<Item = Edit>> Editor<'_, I> {
    /// Feeds the builder with `node` and the edits up to its last key; with all edits when it is the last of its level.
    fn feed(&mut self, node: &Node, is_last: bool) -> Result<(), TreeError> {
        if node.level() == 0 {
            return self.feed_leaf(node, is_last);
        }
        for index in 0..node.len() {
            let is_last = is_last && index + 1 == node.len();
            // Where the last node of a level ends is no decision of the splitter, so it stays only if nothing follows.
            let is_touched = match &self.edits.next {
                Some((key, _)) => is_last || node.compare(index, key).is_ge(),
                None => false,
            };
            if is_touched || !self.builder.is_in_step(node.level()) {
                let child = load_child(self.objects, node, index)?;
                self.feed(&child, is_last)?;
            } else {
                node.key_into(index, &mut self.key);
                self.builder.push(node.level(), &self.key, node.value(index))?;
            }
        }
        Ok(())
    }

    fn feed_leaf(&mut self, leaf: &Node, is_last: bool) -> Result<(), TreeError> {
        for index in 0..leaf.len() {
            let mut is_replaced = false;
            while let Some((key, _)) = &self.edits.next {
                let order = leaf.compare(index, key);
                if order.is_lt() {
                    break;
                }
                is_replaced |= order.is_eq();
                self.push_edit()?;
            }
            if !is_replaced {
                leaf.key_into(index, &mut self.key);
                self.builder.push(0, &self.key, leaf.value(index))?;
            }
        }
        while is_last && self.edits.next.is_some() {
            self.push_edit()?;
        }
        Ok(())
    }

    fn push_edit(&mut self) -> Result<(), TreeError> {
        match self.edits.advance()? {
            Some((key, Some(value))) => self.builder.push_entry(&key, &value),
            _ => Ok(()),
        }
    }
}
