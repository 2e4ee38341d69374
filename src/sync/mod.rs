//! The operations: each plans as data, then executes.
//!
//! *Owns* the flow between sources, store and remotes, the configuration and the safeguards. *Leaves* parsing
//! words and printing to `cli`. *Invariant*: a command has one commit point in the store; what it writes outside is preceded by a
//! recorded intent. *Fails* with [`SyncError`]. *Start reading* at [`Repository`].

mod bind;
mod bind_server;
mod care;
mod config;
mod convert;
mod directory;
mod donor;
mod error;
mod exchange;
mod execute;
mod fetch;
mod first;
mod gathered;
mod guard;
mod identity;
mod inspect;
mod intake;
mod kept;
mod look;
mod lookup;
mod operations;
mod outtake;
mod packs;
mod peer;
mod plan;
mod prefer;
mod recognise;
mod remotes;
mod report;
mod repository;
mod resolve;
mod rewind;
mod roll;
mod rollback;
mod rolling;
mod scanning;
mod schema;
mod selection;
mod sending;
mod settings;
mod settle;
mod shown;
mod states;
mod table;
mod tabled;
mod transport;
mod unite;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use config::{Config, Direction, RemoteConfig, SourceConfig, TransportConfig};
pub use error::{SyncError, SyncResult};
pub use peer::{Trouble, refusal};
pub use report::*;
pub use repository::Repository;
pub use resolve::KEY_FIELD;

use crate::disk::Disk;
use crate::port::Clock;
use crate::remote::Network;

/// What the operations need of the world.
#[derive(Clone)]
pub struct Environment {
    /// Files.
    pub disk: Disk,
    /// Time.
    pub clock: Arc<dyn Clock + Send + Sync>,
    /// Fills a buffer with random bytes.
    pub random: fn(&mut [u8]),
    /// What identifies this machine (for example `/etc/machine-id`); binds a store to its place.
    pub machine: String,
    /// How long to wait for a busy store.
    pub wait: Duration,
    /// At about how many bytes a push is cut into parts, usually [`crate::remote::PART_TARGET_BYTES`].
    pub part_bytes: usize,
    /// Set by Ctrl-C.
    pub interrupted: Arc<AtomicBool>,
    /// What remotes on the network need of the process and the person.
    pub network: Network,
    /// Shown while work goes on.
    pub progress: Arc<dyn Progress>,
    /// The command line, for the operation log (secrets masked).
    pub command: String,
}

/// Shows how far work has come.
pub trait Progress: Send + Sync {
    /// A step begins: `what` is a phrase such as `reading contacts.vcf`, `total` its size if known.
    fn start(&self, what: &str, total: Option<u64>);
    /// A step begins that is counted in bytes.
    fn start_bytes(&self, what: &str, total: Option<u64>) {
        self.start(what, total);
    }
    /// `done` units of the step are done.
    fn at(&self, done: u64);
    /// The step ended.
    fn finish(&self);
}

/// Which safeguards are switched off for one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Overrides {
    /// `--allow-deletes`.
    pub deletes: bool,
    /// `--allow-changes`.
    pub changes: bool,
    /// `--allow-empty`.
    pub empty: bool,
    /// `--accept-rollback`.
    pub rollback: bool,
}

/// Which steps of a sync run, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "any subset is a command")]
pub struct Steps {
    /// Read the sources and record a snapshot.
    pub scan: bool,
    /// Get what remotes have.
    pub fetch: bool,
    /// Write the merged state into the sources.
    pub apply: bool,
    /// Send what remotes lack.
    pub push: bool,
}

/// Options of a sync.
#[derive(Debug, Clone, Default)]
pub struct SyncOptions {
    /// Only these sources; all when empty.
    pub sources: Vec<String>,
    /// Only these remotes; all when empty.
    pub remotes: Vec<String>,
    /// Plan only.
    pub dry_run: bool,
    /// Safeguards switched off.
    pub overrides: Overrides,
    /// The snapshot's message.
    pub message: Option<String>,
}

/// How a source is to be bound.
#[derive(Clone, Default)]
pub struct AddSource {
    /// The path as typed (relative to the working directory).
    pub location: String,
    /// `--name`.
    pub name: Option<String>,
    /// `--collection`.
    pub collection: Option<String>,
    /// `--format`.
    pub format: Option<String>,
    /// `--map`.
    pub map: Option<PathBuf>,
    /// `--encoding`.
    pub encoding: Option<String>,
    /// `--key`.
    pub key: Vec<String>,
    /// `--direction`: `both`, `in`, `out`.
    pub direction: Option<String>,
    /// `--filter`.
    pub filter: Option<String>,
    /// `--fields`.
    pub fields: Vec<String>,
    /// `--prefer`.
    pub prefer: Option<String>,
    /// `--create`.
    pub create: bool,
    /// `--dry-run`.
    pub dry_run: bool,
}

impl std::fmt::Debug for AddSource {
    /// Without the location, which may have a password in it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("AddSource");
        shown.field("name", &self.name).field("collection", &self.collection);
        shown.finish_non_exhaustive()
    }
}

/// Keys and choices for a remote.
#[derive(Debug, Clone, Default)]
pub struct RemoteOptions {
    /// `--plain`.
    pub plain: bool,
    /// `--key-file`.
    pub key_file: Option<PathBuf>,
    /// `--passphrase-file`, or asked for.
    pub passphrase: Option<secrecy::SecretString>,
    /// `--recipient`.
    pub recipients: Vec<String>,
    /// How it is reached: `--password-file` and its like.
    pub transport: TransportConfig,
    /// `--accept-new`.
    pub accept_new_host: bool,
    /// `--dry-run`.
    pub dry_run: bool,
}

/// What `resolve` is to do.
#[derive(Debug, Clone)]
pub enum Resolution {
    /// `--take N`, from 1.
    Take(usize),
    /// `--take base`.
    TakeBase,
    /// `--value JSON`.
    Value(serde_json::Value),
    /// `--same-as KEY`.
    SameAs(String),
    /// `--distinct KEY`.
    Distinct(String),
}

/// A change of a collection's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnChange {
    /// A column gets a wider type.
    Type {
        /// Its name or id.
        column: String,
        /// The name of the type.
        kind: String,
    },
    /// A column gets another name.
    Rename {
        /// Its name or id.
        column: String,
        /// The new name.
        name: String,
    },
    /// A column is shown nowhere any more.
    Drop(String),
    /// A dropped column is shown again.
    Restore(String),
}

/// Which states `diff` compares.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    /// The older state (`@`, `@-`, `SNAP`, `SNAP~N`); none: what a sync would take in and write out.
    pub from: Option<String>,
    /// The newer state; none: the present one.
    pub to: Option<String>,
    /// Only this source.
    pub source: Option<String>,
    /// Only this collection.
    pub collection: Option<String>,
}

/// Fails when Ctrl-C was pressed.
fn interrupted(env: &Environment) -> SyncResult<()> {
    if env.interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(SyncError::Interrupted);
    }
    Ok(())
}

/// Wraps an error of a lower part; damaged and missing objects keep their own kind.
fn other(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> SyncError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(object) = inner.downcast_ref::<crate::port::ObjectError>() {
            return match object {
                crate::port::ObjectError::Io { .. } => SyncError::Object(object.clone()),
                damaged => SyncError::Damaged(format!("{what}: {damaged}")),
            };
        }
        cause = inner.source();
    }
    SyncError::Other {
        what: what.to_owned(),
        source: Box::new(error),
    }
}

/// Turns an error of a source into one of the operation.
fn source_error(config: &SourceConfig, error: crate::source::SourceError) -> SyncError {
    use crate::source::SourceError;
    match error {
        SourceError::Missing(location) => SyncError::SourceMissing {
            name: config.name.clone(),
            location,
        },
        SourceError::Unreachable { location, reason } => SyncError::SourceUnreachable {
            name: config.name.clone(),
            location,
            reason,
        },
        SourceError::Format { file, source } => {
            let location = config.location.join(file).display().to_string();
            SyncError::Format {
                location,
                format: config.format.clone(),
                source,
            }
        }
        SourceError::Place { location, reason } => SyncError::Location {
            location: PathBuf::from(location),
            reason,
        },
        SourceError::Disk(error) => SyncError::Disk(error),
        SourceError::Object(error) => other("reading the previous state of a source", error),
        SourceError::Tree(error) => other("reading the previous state of a source", error),
        SourceError::Spool(error) => SyncError::Spool(error),
        error @ SourceError::State(_) => SyncError::Damaged(error.to_string()),
    }
}

/// Prints an error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
