//! A listing kept by the writers, for servers that list nothing (`formats/SPEC.md`, "Listing without a listing").
//!
//! Each group of objects (all objects of one replica's log, say) has one writer and a chain of small numbered
//! objects that tell what was put and deleted. Number n repeats the changes back to n minus its lowest set bit, so
//! that the whole chain is read in about log₂ n requests; its end is found by asking for numbers that grow twofold.
//! A chain of the groups' names leads to the others. Nothing is overwritten; what is torn counts as not there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::storage::{StorageError, StorageResult, StoredObject, is_object_name};
use crate::model::{Domain, Hash};

/// The folder of the chains.
pub(super) const FOLDER: &str = "index/";
/// The chain of the names of all groups.
const GROUPS: &str = "groups";
/// The first line of an object of a chain.
const HEADER: &str = "dsync-index 1";
/// The highest number of a chain (chosen): a server that has something under every number is not believed for ever.
const MOST_ITEMS: u64 = 1 << 40;
/// How often a number that another writer took is passed over before it is given up.
const MOST_TAKEN: u32 = 100;

/// What reads and writes the objects of the chains.
pub(super) trait Objects {
    /// Returns an object as it is now, past all caches.
    fn get(&self, name: &str) -> StorageResult<Vec<u8>>;
    /// Writes a new object and checks that it reads back; one that is there is [`StorageError::Exists`].
    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()>;
    /// Deletes an object.
    fn delete(&self, name: &str) -> StorageResult<()>;
}

/// A change of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Put { name: String, length_bytes: u64 },
    Deleted { name: String },
}

/// What is known of one chain. Its objects never change, so nothing is read twice.
#[derive(Debug, Default)]
struct Chain {
    /// Whole objects by number.
    items: BTreeMap<u64, Vec<Change>>,
    /// The highest number that was there.
    end: u64,
    /// The listing up to `end`.
    listing: BTreeMap<String, u64>,
}

/// The chains of one storage.
#[derive(Debug, Default)]
pub(super) struct Index {
    chains: Mutex<BTreeMap<String, Chain>>,
}

impl Index {
    /// Lists all objects.
    pub(super) fn list(&self, objects: &dyn Objects) -> StorageResult<Vec<StoredObject>> {
        let mut chains = self.chains();
        let groups = refreshed(&mut chains, GROUPS, objects)?.listing.clone();
        let mut all = Vec::new();
        for group in groups.into_keys() {
            let chain = refreshed(&mut chains, &group, objects)?;
            all.extend(chain.listing.iter().map(|(name, length_bytes)| StoredObject {
                name: name.clone(),
                length_bytes: *length_bytes,
            }));
        }
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// Adds an object that is there. One that is listed already costs the look at the ends of two chains.
    pub(super) fn add(&self, objects: &dyn Objects, name: &str, length_bytes: u64) -> StorageResult<()> {
        let mut chains = self.chains();
        let group = group_of(name);
        let change = Change::Put {
            name: name.to_owned(),
            length_bytes,
        };
        append(&mut chains, &group, &change, objects)?;
        // Last, so that a group that is found has something in it; and each time with what is there now, as another
        // writer's may have replaced ours on a server that lets two writers take one number.
        chains.remove(GROUPS);
        let member = Change::Put {
            name: group,
            length_bytes: 0,
        };
        append(&mut chains, GROUPS, &member, objects)
    }

    /// Takes an object out.
    pub(super) fn remove(&self, objects: &dyn Objects, name: &str) -> StorageResult<()> {
        let change = Change::Deleted { name: name.to_owned() };
        append(&mut self.chains(), &group_of(name), &change, objects)
    }

    fn chains(&self) -> MutexGuard<'_, BTreeMap<String, Chain>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the group of an object: its name up to the first dot, in one part.
fn group_of(name: &str) -> String {
    let stem = name.split('.').next().unwrap_or(name);
    stem.replace('/', "-")
}

fn item_name(chain: &str, number: u64) -> String {
    format!("{FOLDER}{chain}.{number}")
}

/// Returns the number whose object continues before that of `number`.
fn before(number: u64) -> u64 {
    number & number.wrapping_sub(1)
}

/// Brings what is known of a chain up to its end.
fn refreshed<'c>(
    chains: &'c mut BTreeMap<String, Chain>,
    name: &str,
    objects: &dyn Objects,
) -> StorageResult<&'c mut Chain> {
    let chain = chains.entry(name.to_owned()).or_default();
    let end = chain.find_end(name, objects)?;
    if end > chain.end {
        let changes = chain.changes(name, 0, end, objects)?;
        chain.listing = BTreeMap::new();
        for change in changes {
            chain.apply(change);
        }
        chain.end = end;
    }
    Ok(chain)
}

/// Adds a change at the end of a chain, unless the chain says so already.
fn append(
    chains: &mut BTreeMap<String, Chain>,
    name: &str,
    change: &Change,
    objects: &dyn Objects,
) -> StorageResult<()> {
    for _ in 0..MOST_TAKEN {
        let chain = refreshed(chains, name, objects)?;
        if chain.says(change) {
            return Ok(());
        }
        let number = chain.end + 1;
        let mut changes = chain.changes(name, before(number), chain.end, objects)?;
        changes.push(change.clone());
        let item = item_name(name, number);
        match objects.put(&item, &encode(&changes)) {
            Ok(()) => {}
            // Another writer was faster, or left a torn object there.
            Err(StorageError::Exists { .. }) => {
                if chain.item(name, number, objects)?.is_none() {
                    objects.delete(&item)?;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(StorageError::Failed {
        action: "add to the index of",
        name: name.to_owned(),
        temporary: true,
        source: Arc::new(io::Error::other("others are always faster")),
    })
}

impl Chain {
    /// Returns the highest number from the known end on, by steps that double and then halve.
    fn find_end(&mut self, name: &str, objects: &dyn Objects) -> StorageResult<u64> {
        let mut end = self.end;
        let mut step = 1;
        while self.item(name, end + step, objects)?.is_some() {
            end += step;
            step *= 2;
        }
        while step > 1 {
            step /= 2;
            if self.item(name, end + step, objects)?.is_some() {
                end += step;
            }
        }
        Ok(end)
    }

    /// Returns an object of the chain; `None` where it is not there whole.
    fn item(&mut self, name: &str, number: u64, objects: &dyn Objects) -> StorageResult<Option<&Vec<Change>>> {
        if number > MOST_ITEMS {
            return Ok(None);
        }
        let unknown = match self.items.entry(number) {
            Entry::Occupied(known) => return Ok(Some(known.into_mut())),
            Entry::Vacant(unknown) => unknown,
        };
        match objects.get(&item_name(name, number)) {
            Ok(bytes) => Ok(decode(&bytes).map(|changes| &*unknown.insert(changes))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Collects the changes of the numbers above `from` up to `to`, which are both ends of steps of the chain.
    fn changes(&mut self, name: &str, from: u64, to: u64, objects: &dyn Objects) -> StorageResult<Vec<Change>> {
        let mut parts = Vec::new();
        let mut number = to;
        while number > from {
            let part = self.item(name, number, objects)?.cloned();
            parts.push(part.ok_or_else(|| StorageError::Failed {
                action: "read",
                name: item_name(name, number),
                temporary: true,
                source: Arc::new(io::Error::other("a part of the index is not there")),
            })?);
            number = before(number);
        }
        parts.reverse();
        Ok(parts.concat())
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Put { name, length_bytes } => {
                self.listing.insert(name, length_bytes);
            }
            Change::Deleted { name } => {
                self.listing.remove(&name);
            }
        }
    }

    fn says(&self, change: &Change) -> bool {
        match change {
            Change::Put { name, length_bytes } => self.listing.get(name) == Some(length_bytes),
            Change::Deleted { name } => !self.listing.contains_key(name),
        }
    }
}

/// Reads an object of a chain and writes it again; `None` where it is none.
pub(super) fn again(bytes: &[u8]) -> Option<Vec<u8>> {
    decode(bytes).map(|changes| encode(&changes))
}

fn encode(changes: &[Change]) -> Vec<u8> {
    let lines = changes.iter().map(|change| match change {
        Change::Put { name, length_bytes } => format!("+ {length_bytes} {name}\n"),
        Change::Deleted { name } => format!("- {name}\n"),
    });
    let text: String = std::iter::once(format!("{HEADER}\n")).chain(lines).collect();
    let hash = Hash::of(Domain::Remote, text.as_bytes());
    format!("{text}= {hash}\n").into_bytes()
}

fn object_name(text: &str) -> Option<String> {
    is_object_name(text).then(|| text.to_owned())
}

/// Reads an object of a chain; anything else, and anything torn, is `None`.
fn decode(bytes: &[u8]) -> Option<Vec<Change>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (content, end) = text.split_at(text.rfind("= ")?);
    if end != format!("= {}\n", Hash::of(Domain::Remote, content.as_bytes())) {
        return None;
    }
    let lines = content.strip_prefix(HEADER)?.strip_prefix('\n')?;
    // Not by `str::lines`, to which a CR is part of a line's end or not.
    let changes = lines.split_terminator('\n').map(|line| {
        let (sign, rest) = line.split_once(' ')?;
        match sign {
            "+" => {
                let (length, name) = rest.split_once(' ')?;
                Some(Change::Put {
                    name: object_name(name)?,
                    length_bytes: length.parse().ok()?,
                })
            }
            "-" => Some(Change::Deleted {
                name: object_name(rest)?,
            }),
            _ => None,
        }
    });
    changes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that has the same object under every name.
    struct Endless;

    impl Objects for Endless {
        fn get(&self, _name: &str) -> StorageResult<Vec<u8>> {
            Ok(encode(&[Change::Deleted { name: "x".to_owned() }]))
        }
        fn put(&self, name: &str, _bytes: &[u8]) -> StorageResult<()> {
            Err(StorageError::Exists { name: name.to_owned() })
        }
        fn delete(&self, _name: &str) -> StorageResult<()> {
            Ok(())
        }
    }

    #[test]
    fn a_server_that_has_everything_ends_nothing_but_the_listing() {
        assert_eq!(Index::default().list(&Endless).unwrap(), []);
        assert!(Index::default().add(&Endless, "log/a", 1).is_err());
    }

    #[test]
    fn an_object_of_a_chain_is_whole_or_none() {
        let bytes = encode(&[
            Change::Put {
                name: "log/a.b".to_owned(),
                length_bytes: 7,
            },
            Change::Deleted { name: "x".to_owned() },
        ]);
        assert_eq!(again(&bytes).unwrap(), bytes);
        for end in 0..bytes.len() {
            assert_eq!(again(&bytes[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn what_is_no_name_of_an_object_is_no_change() {
        for line in [
            "+ 7 a\n- \r",
            "- \r\n",
            "- \n",
            "+ 7 \n",
            "- ../x\n",
            "+ 7 a b\n",
            "+ x a\n",
            "a\n",
        ] {
            let content = format!("{HEADER}\n{line}");
            let end = format!("= {}\n", Hash::of(Domain::Remote, content.as_bytes()));
            assert_eq!(again(format!("{content}{end}").as_bytes()), None, "{line:?}");
        }
    }
}
