//! What the operations tell, as data: printed by `cli` as text or JSON, checked by tests as it is.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::model::Text;

/// Counts of records or items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// New ones.
    pub added: u64,
    /// Ones with another content.
    pub changed: u64,
    /// Ones that went.
    pub removed: u64,
}

impl Tally {
    /// Returns whether nothing was counted.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// An item that was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// Where it is: file and line, or UID.
    pub item: String,
    /// Why.
    pub reason: String,
}

/// What happened to one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    /// The source.
    pub name: String,
    /// Edits found in it.
    pub read: Tally,
    /// Changes written into it.
    pub written: Tally,
    /// Items left alone.
    pub set_aside: Vec<SetAside>,
    /// Values of records that this source has no place for, counted over the items written.
    pub not_shown: u64,
    /// Things worth a line: a format detail, a write that was left for the next run.
    pub notes: Vec<String>,
    /// Its server, if that could not be reached; everything else was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<SourceAway>,
}

/// A server that could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceAway {
    /// Where it is.
    pub location: String,
    /// Why it could not.
    pub reason: String,
}

/// Amount of transfer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Objects (packs) of the remote.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The change transactions in them.
    pub transactions: u64,
}

/// What happened with one remote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RemoteReport {
    /// The remote.
    pub name: String,
    /// What came.
    pub received: Traffic,
    /// What went.
    pub sent: Traffic,
    /// Whether it answered.
    pub reached: bool,
    /// Why not, or what is waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether it answered that it has no room left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
}

/// Conflicts after an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ConflictTally {
    /// Those that were not there before.
    pub new: u64,
    /// All that are open.
    pub open: u64,
}

/// Two items that were found to be one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Union {
    /// The collection.
    pub collection: Text,
    /// The record, as a person calls it.
    pub title: Text,
    /// Where the item is that was matched to it.
    pub source: Text,
    /// By what it was recognised: `uid`, `email`, `phone`, `name`, `content`.
    pub by: Text,
}

/// What `sync`, `pull`, `push`, `fetch`, `snapshot`, `apply`, `undo` and `restore` did or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// One id over all collections, equal on systems that are in step.
    pub state: String,
    /// By source.
    pub sources: Vec<SourceReport>,
    /// By remote.
    pub remotes: Vec<RemoteReport>,
    /// Conflicts.
    pub conflicts: ConflictTally,
    /// Whether nothing was really done.
    pub dry_run: bool,
    /// Items of different sources united at first sight.
    pub unions: Vec<Union>,
    /// What was decided or taken back, for people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
    /// What `undo` could not put back because it was changed since.
    pub kept: Vec<String>,
}

impl SyncReport {
    /// Adds what happened to a source to what is known of it.
    pub(super) fn add_source(&mut self, report: SourceReport) {
        let Some(known) = self.sources.iter_mut().find(|known| known.name == report.name) else {
            self.sources.push(report);
            return;
        };
        let add = |left: &mut Tally, right: Tally| {
            left.added += right.added;
            left.changed += right.changed;
            left.removed += right.removed;
        };
        add(&mut known.read, report.read);
        add(&mut known.written, report.written);
        known.set_aside.extend(report.set_aside);
        known.not_shown += report.not_shown;
        known.notes.extend(report.notes);
        known.unreachable = report.unreachable.or(known.unreachable.take());
    }
}

/// State of a source without touching it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceStatus {
    /// The source.
    pub name: String,
    /// Its collection.
    pub collection: String,
    /// Its format.
    pub format: String,
    /// Where it is.
    pub location: String,
    /// `clean`, `changed`, `missing` or `unreadable`.
    pub state: String,
    /// Items to take in.
    pub added: u64,
    /// Items to take in.
    pub changed: u64,
    /// Items to take in.
    pub removed: u64,
    /// Items that cannot be read.
    pub set_aside: u64,
    /// Records to write out.
    pub outgoing: u64,
    /// Why it is unreadable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CollectionStatus {
    /// Its name.
    pub name: String,
    /// The kind of its records.
    pub kind: String,
    /// How many records.
    pub records: u64,
    /// How many open conflicts.
    pub conflicts: u64,
    /// Its content root.
    pub root: String,
    /// Its heads.
    pub heads: Vec<String>,
    /// What is done where writes clash, by the path of a field; the empty one is for all others.
    pub policies: BTreeMap<String, String>,
    /// The versions of the rules that it is kept by, where they were noted.
    pub versions: BTreeMap<String, i64>,
}

/// A policy that was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingReport {
    /// The collection.
    pub collection: String,
    /// The field, empty for all without a policy of their own.
    pub field: String,
    /// What is done where writes clash.
    pub policy: String,
    /// Whether it was another one before.
    pub changed: bool,
    /// How many open conflicts `resolve --by-policy` would decide by it and the other policies.
    pub decidable: u64,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// What is to be noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A remote, without reaching out to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteStatus {
    /// Its name.
    pub name: String,
    /// Where it is, secrets masked.
    pub url: String,
    /// Snapshots here that it lacks.
    pub ahead: u64,
    /// Snapshots there that are not here, as of the last look.
    pub behind: u64,
}

/// The answer of `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    /// This system's name.
    pub system: String,
    /// Its replica id.
    pub replica: String,
    /// One id over all collections, equal on systems that are in step.
    pub state: String,
    /// Sources.
    pub sources: Vec<SourceStatus>,
    /// Collections.
    pub collections: Vec<CollectionStatus>,
    /// Remotes.
    pub remotes: Vec<RemoteStatus>,
}

/// A changed field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldDifference {
    /// Its path, a JSON Pointer.
    pub path: String,
    /// Its value before; null where there was none.
    pub old: Option<Json>,
    /// Its value after; null where there is none.
    pub new: Option<Json>,
}

/// A changed record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordDifference {
    /// The collection.
    pub collection: String,
    /// `add`, `change`, `remove`, `rename` or `move`.
    pub op: String,
    /// The record.
    pub key: String,
    /// For a rename: the key before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_key: Option<String>,
    /// As a person calls it.
    pub title: String,
    /// Its fields.
    pub fields: Vec<FieldDifference>,
    /// For `diff` without arguments: the source it concerns and the direction, `in` or `out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// See `source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
}

/// A line of `log`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// The snapshot.
    pub snapshot: String,
    /// Its collection.
    pub collection: String,
    /// Its parents.
    pub parents: Vec<String>,
    /// The system that made it.
    pub system: String,
    /// When, RFC 3339.
    pub time: String,
    /// Its message.
    pub message: Option<String>,
    /// How many records it holds.
    pub records: u64,
    /// Its content root.
    pub root: String,
    /// What it changed.
    pub changes: Tally,
}

/// A record as `cat` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordReport {
    /// The native identity, else the key.
    pub key: String,
    /// Its kind.
    pub kind: String,
    /// Contacts: the `JSContact` object.
    pub record: Json,
}

/// One side of a conflict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlternativeReport {
    /// Its number, from 1, for `--take`.
    pub n: usize,
    /// The value; `null` when it is the absence.
    pub value: Json,
    /// Whether this side is the absence of the field or record.
    pub absent: bool,
    /// The system that wrote it.
    pub system: String,
    /// The snapshot that wrote it.
    pub snapshot: String,
    /// When.
    pub time: String,
    /// Whether sources show it now.
    pub shown: bool,
}

/// An open conflict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConflictReport {
    /// The collection.
    pub collection: String,
    /// The record.
    pub key: String,
    /// As a person calls it.
    pub title: String,
    /// The field, a JSON Pointer.
    pub path: String,
    /// The value before both sides.
    pub base: Option<Json>,
    /// The sides.
    pub alternatives: Vec<AlternativeReport>,
    /// `field`, `modify-delete`, `file`, `constraint` or `identity`.
    pub kind: String,
    /// The fields that a broken rule is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The rule that is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// The source whose place has the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What the place says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An operation of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationReport {
    /// Its id.
    pub operation: String,
    /// When, RFC 3339.
    pub time: String,
    /// The command line.
    pub command: String,
    /// Whether `undo` can put back what it did.
    pub undoable: bool,
}

/// Something damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The object, file or remote object.
    pub id: String,
    /// What is wrong.
    pub what: String,
    /// What it means.
    pub affects: String,
}

/// The answer of `verify`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Objects checked.
    pub objects: u64,
    /// Their stored bytes.
    pub bytes: u64,
    /// What is damaged.
    pub damaged: Vec<Damage>,
}

/// The answer of `gc`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GcSummary {
    /// Objects before.
    pub objects_before: u64,
    /// Objects after.
    pub objects_after: u64,
    /// Stored bytes before.
    pub bytes_before: u64,
    /// Stored bytes after.
    pub bytes_after: u64,
}

/// A format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormatReport {
    /// Its name.
    pub name: String,
    /// The kind of its records.
    pub kind: String,
    /// One line.
    pub title: String,
    /// `file`, `folder`.
    pub places: Vec<String>,
    /// Whether it can be written.
    pub writes: bool,
    /// Whether items have lasting ids of their own.
    pub ids: bool,
}

/// A column of a collection of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnReport {
    /// Its lasting id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What its cells are.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is one of those that identify a row.
    pub key: bool,
    /// Whether it was dropped.
    pub dropped: bool,
}

/// A source as bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceReportLine {
    /// Its name.
    pub name: String,
    /// Its collection.
    pub collection: String,
    /// Its format.
    pub format: String,
    /// Where it is.
    pub location: String,
    /// `both`, `in` or `out`.
    pub direction: String,
    /// Which records it shows; all where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Which fields it shows; all when empty.
    pub fields: Vec<String>,
    /// Readable items found when it was bound or last scanned.
    pub items: u64,
}

/// A remote that was made or joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteAdded {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Whether it was made now (else joined).
    pub created: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Where its key lies on this system.
    pub key_file: Option<String>,
    /// The public half of the key.
    pub recipient: Option<String>,
    /// For a peer: the name of its system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
}

/// Who can open a remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeySlot {
    /// The slot's name.
    pub name: String,
    /// `x25519`, `ssh`, `passphrase`.
    pub kind: String,
}

/// A system that shares a remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemReport {
    /// Its name.
    pub system: String,
    /// Its replica id.
    pub replica: String,
    /// The remote it was seen on.
    pub remote: String,
    /// Its highest sequence number there.
    pub sequence: u64,
    /// The time its last object tells, RFC 3339.
    pub last_seen: String,
    /// Whether it is this one.
    pub this: bool,
    /// Whether nobody waits for it: it was forgotten, or its store goes on under another id.
    pub gone: bool,
}

/// What rolling did on one remote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rolled {
    /// The remote.
    pub remote: String,
    /// How many log objects were folded that no base had before.
    pub folded: u64,
    /// Of how many systems they are.
    pub systems: u64,
    /// How many changes the base has.
    pub transactions: u64,
    /// How many objects it takes.
    pub objects: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// How many objects were deleted because it covers them.
    pub deleted: u64,
    /// Why nothing was done, where the remote could not be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Rolled {
    /// Nothing done on a remote.
    pub(super) fn of(remote: &str) -> Self {
        Self {
            remote: remote.to_owned(),
            ..Self::default()
        }
    }
}

/// A system that is not waited for any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Its name.
    pub system: String,
    /// Its replica id.
    pub replica: String,
    /// The remote.
    pub remote: String,
    /// The highest number of its log there.
    pub sequence: u64,
}
