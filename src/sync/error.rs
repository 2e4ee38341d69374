//! Why an operation failed, as facts; `cli` adds advice.

use std::path::PathBuf;

use crate::disk::DiskError;
use crate::format::FormatError;
use crate::model::filter::FilterError;
use crate::port::ObjectError;
use crate::spool::SpoolError;

/// Why an operation failed or was refused.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// No store here or above.
    #[error("no dsync store in `{}` or a folder above it", .0.display())]
    NotAStore(PathBuf),
    /// Another command holds the store.
    #[error("the store is in use by another dsync{}", holder.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Busy {
        /// Its process id, when known.
        holder: Option<u32>,
    },
    /// A source, collection, remote, snapshot, operation, record or format of that name does not exist.
    #[error("no {what} named `{name}`")]
    Unknown {
        /// `source`, `collection`, `remote`, `snapshot`, `operation`, `record`, `format`, `key slot`.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// Names that exist.
        candidates: Vec<String>,
    },
    /// A shortened id fits several objects.
    #[error("`{prefix}` fits {count} ids")]
    AmbiguousId {
        /// What was typed.
        prefix: String,
        /// How many fit.
        count: usize,
    },
    /// A command's words do not fit together.
    #[error("{0}")]
    Usage(String),
    /// A filter cannot be read.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A name is taken.
    #[error("a {what} named `{name}` exists")]
    Exists {
        /// `source`, `remote`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two sources would have one location.
    #[error("source `{name}` already has location `{location}`")]
    SameLocation {
        /// The other source.
        name: String,
        /// The location.
        location: String,
    },
    /// A source's location does not exist.
    #[error("`{}` does not exist", .0.display())]
    LocationMissing(PathBuf),
    /// A source's location cannot be used.
    #[error("cannot use `{}` as a source: {reason}", location.display())]
    Location {
        /// The location.
        location: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No format recognises the content.
    #[error("the format of `{}` is not known", location.display())]
    UnknownFormat {
        /// The location.
        location: PathBuf,
        /// If it is a table: how it was read (delimiter, encoding, header line).
        read_as: Option<String>,
    },
    /// Several formats recognise the content.
    #[error("`{}` may be any of: {}", location.display(), candidates.join(", "))]
    AmbiguousFormat {
        /// The location.
        location: PathBuf,
        /// The formats.
        candidates: Vec<String>,
    },
    /// A file cannot be read in its format.
    #[error("cannot read `{location}` as {format}")]
    Format {
        /// The file.
        location: String,
        /// The format.
        format: String,
        /// Why.
        #[source]
        source: FormatError,
    },
    /// A source is empty that was not.
    #[error("source `{name}` is empty now; it had {before} items")]
    SourceEmpty {
        /// The source.
        name: String,
        /// Items before.
        before: u64,
    },
    /// A source is gone.
    #[error("source `{name}` is gone: `{location}` does not exist")]
    SourceMissing {
        /// The source.
        name: String,
        /// Where it was.
        location: String,
    },
    /// The server of a source does not answer, or not now.
    #[error("cannot reach source `{name}` at `{location}`: {reason}")]
    SourceUnreachable {
        /// The source.
        name: String,
        /// Where it is.
        location: String,
        /// Why.
        reason: String,
    },
    /// Most of a source's items went at once.
    #[error("source `{name}` lost {lost} of {before} items")]
    MassDeletion {
        /// The source.
        name: String,
        /// Items gone.
        lost: u64,
        /// Items before.
        before: u64,
    },
    /// Going back would remove most of a source's items.
    #[error("this would remove {removed} of {items} items from source `{name}`")]
    MassRemoval {
        /// The source.
        name: String,
        /// Items that would go.
        removed: u64,
        /// Items that are there.
        items: u64,
    },
    /// One field changed in most items at once.
    #[error("source `{name}` changed `{field}` in {changed} of {before} items at once")]
    MassChange {
        /// The source.
        name: String,
        /// The field.
        field: String,
        /// Items in which it changed.
        changed: u64,
        /// Items that had it.
        before: u64,
        /// An example: before and after.
        example: (String, String),
    },
    /// A remote went back behind what was seen of it.
    #[error("remote `{name}` was rolled back: {detail}")]
    RolledBack {
        /// The remote.
        name: String,
        /// What is missing.
        detail: String,
    },
    /// A remote cannot be reached, a temporary fault, or no room left there.
    #[error("{}", away(name, *is_full))]
    Unreachable {
        /// The remote.
        name: String,
        /// Whether it answered that it has no room left.
        is_full: bool,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A remote answered, but not as it should.
    #[error("remote `{name}`")]
    Remote {
        /// The remote.
        name: String,
        /// A stable word: `not-a-remote`, `newer-version`, `no-key-fits`, `wrong-passphrase`, `remote`.
        code: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Damaged data was found; nothing was overwritten with it.
    #[error("damaged data: {0}")]
    Damaged(String),
    /// The store was made by a newer dsync.
    #[error("the store has format version {found}; this dsync reads up to {supported}")]
    NewerStore {
        /// Its version.
        found: u32,
        /// The highest that is understood.
        supported: u32,
    },
    /// A collection is kept by newer rules.
    #[error(
        "collection `{collection}` is kept by version {found} of the rules for `{rule}`; this dsync can only read it"
    )]
    NewerCollection {
        /// The collection.
        collection: String,
        /// Of what the rules are: `form`, `splitter`, `merge` or one that is not known.
        rule: String,
        /// Their version.
        found: i64,
    },
    /// The configuration cannot be read.
    #[error("cannot read `{}`: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A part of the program is not built yet.
    #[error("{0} is not built yet")]
    NotBuilt(&'static str),
    /// The operation cannot be undone.
    #[error("operation `{operation}` cannot be undone: {reason}")]
    NotUndoable {
        /// The operation.
        operation: String,
        /// Why.
        reason: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// An object could not be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// What waited in memory is lost.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Anything else.
    #[error("{what}")]
    Other {
        /// What was being done.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The result of an operation.
pub type SyncResult<T> = Result<T, SyncError>;

fn away(name: &str, is_full: bool) -> String {
    if is_full {
        format!("remote `{name}` has no room left")
    } else {
        format!("cannot reach remote `{name}`")
    }
}
