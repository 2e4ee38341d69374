//! The operation log: one small file per operation, and the pointer to the newest.
//!
//! `ops/<id>` holds one operation and is named by its hash; `ops/head` names the newest; `ops/floor` names the
//! oldest one that garbage collection has kept. Bytes are in `formats/SPEC.md`, section "Store".

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{StoreError, View};
use crate::disk::Disk;
use crate::model::{Domain, Hash, ParseIdError, TimeMs};

/// The newest format of operations that is known here.
pub const OPERATION_VERSION: u32 = 2;
/// The format since which views tell what was shared; in older ones everything counts as shared.
const SHARED_SINCE: u32 = 2;
/// The first bytes of an operation file.
const MAGIC: &[u8; 8] = b"dsyncOPE";
/// The first word of the pointer file.
const HEAD_WORD: &str = "dsync-store";
/// How often a reader follows a pointer that another process moves at that moment (chosen: each miss needs a commit
/// and a collection between two reads of ours).
const READ_ATTEMPTS: usize = 8;

/// The address of an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationId(pub Hash);

impl OperationId {
    /// Returns the first 12 hex digits, for people.
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OperationId({})", self.0.short())
    }
}

impl FromStr for OperationId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        text.parse().map(Self)
    }
}

/// One command's effect on the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The operation before; none for the one that made the store.
    pub parent: Option<OperationId>,
    /// When it was committed.
    pub time: TimeMs,
    /// The command line, for people.
    pub command: String,
    /// Whether the command goes on from the operation before: both are parts of what a person did.
    #[serde(default)]
    pub continues: bool,
    /// The state of the store after it.
    pub view: View,
}

/// Why bytes are no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// A newer program has written it.
    #[error("operation format {found} is newer than {OPERATION_VERSION}")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// The bytes are something else.
    #[error("{0}")]
    Malformed(String),
}

impl Operation {
    /// Returns the bytes of the operation's file.
    ///
    /// # Panics
    ///
    /// Never: writing plain types to memory cannot fail.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&OPERATION_VERSION.to_be_bytes());
        ciborium::into_writer(self, &mut bytes).expect("writing to memory and plain types cannot fail");
        bytes
    }

    /// Reads the bytes of an operation's file.
    pub fn decode(bytes: &[u8]) -> Result<Self, OperationError> {
        let malformed = |what: &str| OperationError::Malformed(what.to_owned());
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| malformed("no operation"))?;
        let (version, mut body) = rest.split_first_chunk().ok_or_else(|| malformed("ends early"))?;
        let found = u32::from_be_bytes(*version);
        if found > OPERATION_VERSION {
            return Err(OperationError::Newer { found });
        }
        let mut operation: Self =
            ciborium::from_reader(&mut body).map_err(|error| OperationError::Malformed(error.to_string()))?;
        if found < SHARED_SINCE {
            for collection in operation.view.collections.values_mut() {
                collection.shared.clone_from(&collection.heads);
            }
        }
        if body.is_empty() {
            Ok(operation)
        } else {
            Err(malformed("bytes follow the operation"))
        }
    }
}

/// The folder `ops/` of a store.
#[derive(Debug, Clone)]
pub(super) struct Log {
    disk: Disk,
    folder: PathBuf,
}

impl Log {
    pub(super) fn new(disk: &Disk, folder: PathBuf) -> Self {
        Self {
            disk: disk.clone(),
            folder,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, id: OperationId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Reads one operation and checks that it is the one its name says.
    pub(super) fn read(&self, id: OperationId) -> Result<Operation, StoreError> {
        let path = self.path(id);
        let bytes = self.disk.read(&path)?;
        if Hash::of(Domain::Operation, &bytes) != id.0 {
            return Err(StoreError::damaged(&path, "its bytes are not what its name says"));
        }
        Operation::decode(&bytes).map_err(|error| match error {
            OperationError::Newer { found } => StoreError::NewerVersion {
                path,
                found,
                supported: OPERATION_VERSION,
            },
            OperationError::Malformed(what) => StoreError::damaged(&path, what),
        })
    }

    /// Writes an operation durably; nothing points to it yet.
    pub(super) fn write(&self, operation: &Operation) -> Result<OperationId, StoreError> {
        let bytes = operation.encode();
        let id = OperationId(Hash::of(Domain::Operation, &bytes));
        self.disk.replace(&self.path(id), &bytes)?;
        Ok(id)
    }

    /// Points to `id`: the instant of a commit.
    pub(super) fn set_head(&self, id: OperationId) -> Result<(), StoreError> {
        let text = format!("{HEAD_WORD} {OPERATION_VERSION}\n{id}\n");
        Ok(self.disk.replace(&self.folder.join("head"), text.as_bytes())?)
    }

    /// Returns what the pointer says; `None` when it is missing or torn.
    pub(super) fn head(&self) -> Result<Option<OperationId>, StoreError> {
        self.pointer("head")
    }

    /// Returns the oldest operation that is kept; `None` when nothing was ever dropped.
    pub(super) fn floor(&self) -> Result<Option<OperationId>, StoreError> {
        self.pointer("floor")
    }

    /// Says that nothing older than `id` is kept.
    pub(super) fn set_floor(&self, id: OperationId) -> Result<(), StoreError> {
        let text = format!("{HEAD_WORD} {OPERATION_VERSION}\n{id}\n");
        Ok(self.disk.replace(&self.folder.join("floor"), text.as_bytes())?)
    }

    fn pointer(&self, name: &str) -> Result<Option<OperationId>, StoreError> {
        let path = self.folder.join(name);
        let bytes = match self.disk.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        let version = lines.next().and_then(|line| line.strip_prefix(HEAD_WORD));
        match version.and_then(|version| version.trim().parse::<u32>().ok()) {
            Some(found) if found > OPERATION_VERSION => Err(StoreError::NewerVersion {
                path,
                found,
                supported: OPERATION_VERSION,
            }),
            Some(_) => Ok(lines.next().and_then(|line| line.parse().ok())),
            None => Ok(None),
        }
    }

    /// Returns the ids of all operation files, whether they were committed or not, in order.
    pub(super) fn all(&self) -> Result<Vec<OperationId>, StoreError> {
        let files = self.disk.list(&self.folder)?;
        Ok(files
            .iter()
            .filter_map(|(path, _)| path.file_name()?.to_str()?.parse().ok())
            .collect())
    }

    /// Returns the newest committed operation; `None` when there is no operation at all.
    pub(super) fn newest(&self) -> Result<Option<(OperationId, Operation)>, StoreError> {
        let mut attempt = 0;
        loop {
            let Some(id) = self.head()? else {
                return self.recover();
            };
            attempt += 1;
            match self.read(id) {
                Ok(operation) => return Ok(Some((id, operation))),
                Err(error) if error.is_not_found() && attempt < READ_ATTEMPTS => {}
                Err(error) if error.is_not_found() => {
                    return Err(StoreError::damaged(&self.path(id), "the newest operation is missing"));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Finds the newest operation without the pointer: the latest one that is nobody's parent.
    ///
    /// It is the committed one or one whose pack is durable and whose pointer was about to be written.
    fn recover(&self) -> Result<Option<(OperationId, Operation)>, StoreError> {
        if !self.disk.is_dir(&self.folder) {
            return Ok(None);
        }
        let mut readable = Vec::new();
        for id in self.all()? {
            match self.read(id) {
                Ok(operation) => readable.push((id, operation)),
                Err(error @ StoreError::NewerVersion { .. }) => return Err(error),
                Err(_) => {}
            }
        }
        let parents: BTreeSet<_> = readable.iter().filter_map(|(_, operation)| operation.parent).collect();
        Ok(readable
            .into_iter()
            .filter(|(id, _)| !parents.contains(id))
            .max_by_key(|(id, operation)| (operation.time, *id)))
    }

    /// Returns whether a missing operation was dropped by a collection: the log from its newest operation down to the
    /// floor is whole without it.
    fn is_dropped(&self, id: OperationId) -> Result<bool, StoreError> {
        let mut floor = self.floor()?;
        let mut next = self.head()?;
        while let (Some(current), Some(end)) = (next, floor) {
            if current == id {
                return Ok(false);
            }
            if current == end {
                return Ok(true);
            }
            next = match self.read(current) {
                Ok(operation) => operation.parent,
                Err(error) if error.is_not_found() => {
                    let now = self.floor()?;
                    if now == floor {
                        return Ok(false);
                    }
                    // Another collection at this moment: start over.
                    floor = now;
                    self.head()?
                }
                Err(error) => return Err(error),
            };
        }
        Ok(false)
    }

    /// Returns the path of an operation's file.
    pub(super) fn file(&self, id: OperationId) -> PathBuf {
        self.path(id)
    }
}

/// The committed operations, newest first. Ends after the first one that cannot be read.
#[derive(Debug)]
pub struct Operations {
    log: Log,
    floor: Result<Option<OperationId>, StoreError>,
    next: Option<OperationId>,
}

impl Operations {
    pub(super) fn new(log: Log, start: OperationId) -> Self {
        Self {
            floor: log.floor(),
            log,
            next: Some(start),
        }
    }
}

impl Iterator for Operations {
    type Item = Result<(OperationId, Operation), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let id = self.next.take()?;
        let floor = match &self.floor {
            Ok(floor) => *floor,
            Err(error) => return Some(Err(error.clone())),
        };
        match self.log.read(id) {
            Ok(operation) => {
                self.next = operation.parent.filter(|_| floor != Some(id));
                Some(Ok((id, operation)))
            }
            Err(error) if error.is_not_found() => match self.log.is_dropped(id) {
                Ok(true) => None,
                Ok(false) => Some(Err(StoreError::damaged(
                    &self.log.file(id),
                    "this operation is missing",
                ))),
                Err(error) => Some(Err(error)),
            },
            Err(error) => Some(Err(error)),
        }
    }
}
