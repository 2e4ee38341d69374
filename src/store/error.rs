//! Why a store could not be read or written.

use std::path::{Path, PathBuf};

use crate::disk::DiskError;
use crate::port::ObjectError;

/// A store could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No store is at this path.
    #[error("there is no store at `{}`", path.display())]
    NotAStore {
        /// The folder that was looked at.
        path: PathBuf,
    },
    /// A store is at this path already.
    #[error("there is a store already at `{}`", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A newer dsync has written this file.
    #[error("`{}` has store format {found}, this program knows formats up to {supported}", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that is known here.
        supported: u32,
    },
    /// Another process holds the lock; retrying later may succeed.
    #[error("another process{} is working on the store `{}`", holder_text(*holder), path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// The id of the process that holds it, where known.
        holder: Option<u32>,
    },
    /// Another process has committed since this handle was loaded; reload and start over.
    #[error("another process has changed the store `{}`", path.display())]
    Moved {
        /// The store.
        path: PathBuf,
    },
    /// New objects were lost when an earlier write through this handle failed; discard and start over.
    #[error("new objects of the store `{}` were lost when an earlier write failed", path.display())]
    Lost {
        /// The store.
        path: PathBuf,
    },
    /// A file of the store is not what was written.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// No operation of the log has an id that starts so.
    #[error("no operation starts with `{prefix}`")]
    UnknownOperation {
        /// What was asked for.
        prefix: String,
    },
    /// Several operations have ids that start so.
    #[error("{} operations start with `{prefix}`", candidates.len())]
    AmbiguousOperation {
        /// What was asked for.
        prefix: String,
        /// The ids that start so, in order.
        candidates: Vec<super::OperationId>,
    },
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// An object could not be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl StoreError {
    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Disk(error) if error.is_not_found())
    }
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |id| format!(" (id {id})"))
}

/// Turns a failure of the medium into the port's error; the path stays in the chain of causes.
pub(super) fn object_error(action: &'static str, error: DiskError) -> ObjectError {
    ObjectError::Io {
        action,
        source: std::sync::Arc::new(std::io::Error::new(error.kind(), error)),
    }
}
