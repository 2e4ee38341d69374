//! What a store knows at one operation: everything that `undo` can put back.
//!
//! A field that is added later has a `serde` default and raises the operation format
//! ([`super::OPERATION_VERSION`]): an older program must refuse a view it would write back without that field.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{Hash, Kind, ReplicaId, SnapshotId};

/// The whole state of a store at one operation. Content is referred to by address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The name of this system, for people.
    #[serde(default)]
    pub system: String,
    /// The replica that this store writes as.
    pub replica: ReplicaId,
    /// What the replica id is bound to (machine and path); a store found elsewhere needs a new id.
    #[serde(default)]
    pub binding: String,
    /// Retired replica ids of this store, oldest first.
    #[serde(default)]
    pub predecessors: Vec<ReplicaId>,
    /// Collections by name.
    #[serde(default)]
    pub collections: BTreeMap<String, CollectionView>,
    /// Sources by name.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceView>,
    /// Remotes by name.
    #[serde(default)]
    pub remotes: BTreeMap<String, RemoteView>,
    /// The blob of the configuration file as this operation left it.
    #[serde(default)]
    pub config: Option<Hash>,
}

impl View {
    /// Makes the view of a store that has nothing yet.
    pub fn new(system: impl Into<String>, replica: ReplicaId, binding: impl Into<String>) -> Self {
        Self {
            system: system.into(),
            replica,
            binding: binding.into(),
            predecessors: Vec::new(),
            collections: BTreeMap::new(),
            sources: BTreeMap::new(),
            remotes: BTreeMap::new(),
            config: None,
        }
    }
}

/// A collection: its kind and where its history stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionView {
    /// What its records are.
    pub kind: Kind,
    /// The snapshots that no other snapshot has as parent, sorted.
    #[serde(default)]
    pub heads: Vec<SnapshotId>,
    /// The newest snapshots that another store may have, sorted: they and their ancestors never leave the history.
    #[serde(default)]
    pub shared: Vec<SnapshotId>,
}

/// A source: its items as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceView {
    /// The name of the collection it belongs to.
    #[serde(default)]
    pub collection: String,
    /// The root of the tree of items: item number to fingerprint, native id, record key and base.
    pub index: Hash,
    /// The root of the tree of views: item number to view and bindings.
    pub views: Hash,
    /// The heads that the source agreed with last; items that were not written have a base of their own.
    #[serde(default)]
    pub base: Vec<SnapshotId>,
    /// The number that the next new item gets.
    #[serde(default)]
    pub next_item: u64,
    /// The root of the tree of files and their states.
    pub files: Hash,
    /// The lens of the format the views were made with.
    #[serde(default)]
    pub lens: Option<Hash>,
    /// A write-back that has begun and of which the end is not recorded yet.
    #[serde(default)]
    pub intent: Option<Intent>,
    /// Further facts by name.
    #[serde(default)]
    pub extra: BTreeMap<String, String>,
}

/// What a source will be when the write-back that has begun is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// [`SourceView::index`] afterwards.
    pub index: Hash,
    /// [`SourceView::views`] afterwards.
    pub views: Hash,
    /// [`SourceView::files`] afterwards.
    pub files: Hash,
    /// [`SourceView::base`] afterwards.
    #[serde(default)]
    pub base: Vec<SnapshotId>,
    /// [`SourceView::next_item`] afterwards.
    #[serde(default)]
    pub next_item: u64,
    /// [`SourceView::lens`] afterwards.
    #[serde(default)]
    pub lens: Option<Hash>,
}

/// A remote: what was sent to it and seen on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteView {
    /// The id that the remote gives itself.
    #[serde(default)]
    pub remote: String,
    /// The sequence number of our next object there. Never goes back, not even by `undo`.
    #[serde(default)]
    pub next_sequence: u64,
    /// The newest sequence number taken in from each replica.
    #[serde(default)]
    pub seen: BTreeMap<ReplicaId, u64>,
    /// An upload that has begun and of which the end is not recorded yet.
    #[serde(default)]
    pub outbox: Option<Outbox>,
    /// The heads of each collection that the remote is known to have.
    #[serde(default)]
    pub pushed: BTreeMap<String, Vec<SnapshotId>>,
    /// The heads of each collection as our own objects have told them.
    #[serde(default)]
    pub sent: BTreeMap<String, Vec<SnapshotId>>,
    /// What our own objects have told besides.
    #[serde(default)]
    pub told: Told,
    /// Per replica, this one included, what the base covers that it found right last.
    #[serde(default)]
    pub acknowledged: BTreeMap<ReplicaId, BTreeMap<ReplicaId, u64>>,
    /// Replicas that nobody waits for any more, with the highest number taken in from each.
    #[serde(default)]
    pub forgotten: BTreeMap<ReplicaId, u64>,
    /// Replica ids under which their stores do not write any more.
    #[serde(default)]
    pub retired: BTreeSet<ReplicaId>,
    /// Rolled bases by the name of their last part; nothing for a part that is not the last of any.
    #[serde(default)]
    pub bases: BTreeMap<String, Option<BaseView>>,
}

/// What the objects of a replica have told of others, each said once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// [`RemoteView::seen`].
    #[serde(default)]
    pub seen: BTreeMap<ReplicaId, u64>,
    /// This replica's part of [`RemoteView::acknowledged`].
    #[serde(default)]
    pub acknowledged: BTreeMap<ReplicaId, u64>,
    /// [`RemoteView::forgotten`].
    #[serde(default)]
    pub forgotten: BTreeMap<ReplicaId, u64>,
}

/// A rolled base on a remote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseView {
    /// Up to which number it covers each replica's log.
    #[serde(default)]
    pub covers: BTreeMap<ReplicaId, u64>,
    /// The heads of each collection whose history it has.
    #[serde(default)]
    pub heads: BTreeMap<String, Vec<SnapshotId>>,
    /// The names of the parts before the last one.
    #[serde(default)]
    pub pieces: Vec<String>,
    /// Whether it was read back and has all of that.
    #[serde(default)]
    pub whole: bool,
}

/// An upload as it must be repeated: the same bytes under the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// The sequence number.
    pub sequence: u64,
    /// The name on the remote.
    pub name: String,
    /// The sealed bytes, as a blob.
    pub blob: Hash,
}
