//! Sources: where people's data lies, what of it was last seen, what changed, and how changes get back.
//!
//! *Owns* places (a file, a folder of files), the copy of each source's previous state ([`Index`]), the scan that
//! finds a person's edits, and write-back. *Leaves* meaning of bytes to `format`, history to `merge`, and which
//! record a new item is to `sync`. *Invariants*: untouched bytes stay; nothing is written over an item that is
//! not what was scanned; what cannot be read is neither deleted nor overwritten. *Fails* with [`SourceError`].
//! *Start reading* at [`scan()`] and [`Writer`].

mod index;
mod matching;
mod place;
mod scan;
pub mod table;
mod view;
mod write;
mod written;

pub use index::{Index, IndexEdit, ItemEntry, ItemView, StoredView, ViewReader, ViewWriter};
pub use matching::shape;
pub use place::{FileState, Place, StatCache};
pub use scan::{Edited, FirstItems, Found, Fresh, FreshItems, OpenFiles, Scan, ScanInput, scan};
pub use view::{decorate, first_sight_edits, view_edits};
pub use write::{FileBytes, FileEdit, FileEdits, FileOutcome, FileWrites, Writer};
pub use written::{Written, leave_put_back, note_written};

use crate::disk::DiskError;
use crate::format::FormatError;
use crate::port::ObjectError;
use crate::spool::SpoolError;
use crate::tree::TreeError;

/// Why a source cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The location does not exist.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// A file cannot be read in its format.
    #[error("cannot read `{file}`")]
    Format {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: FormatError,
    },
    /// A place other than a file cannot be used.
    #[error("cannot use `{location}`: {reason}")]
    Place {
        /// The place.
        location: String,
        /// Why.
        reason: String,
    },
    /// A server does not answer, or not now.
    #[error("cannot reach `{location}`: {reason}")]
    Unreachable {
        /// The place.
        location: String,
        /// Why.
        reason: String,
    },
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The copy of the previous state cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The copy of the previous state cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// What waited in memory is lost.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The copy of the previous state is not what this program writes.
    #[error("the previous state of the source is damaged: {0}")]
    State(&'static str),
}
