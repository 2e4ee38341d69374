//! Values, records, keys, paths and ids: the words every other part speaks.
//!
//! *Owns* the universal form: [`Value`] and its canonical bytes ([`cbor`]), [`RecordKey`], [`FieldPath`],
//! the content-address [`struct@Hash`] with its domains, and the kinds of records ([`Kind`]).
//! *Leaves* to others how values are stored (`tree`, `store`), compared over history (`merge`) or shown (`format`).
//! *Invariants*: equal content has equal bytes on every machine; nothing here reads a clock, a file, the
//! environment or a random source. *Fails* with [`cbor::DecodeError`] on bytes that are not canonical.
//! *Start reading* at [`Value`]. Bytes are specified in `formats/SPEC.md`, section "Values".

pub mod cbor;
pub mod contact;
pub mod filter;
mod hash;
mod id;
mod kind;
mod map;
mod path;
mod place;
pub mod row;
mod value;

pub use hash::{Domain, Hash};
pub use id::{ParseIdError, ReplicaId, SnapshotId, TimeMs};
pub use kind::{Keys, Kind};
pub use map::Map;
pub use path::{FieldPath, element_pointer};
pub use place::at_place;
pub use value::{BlobRef, BlobShape, RecordKey, Text, Value, is_provisional, provisional};
