//! Remotes: replicas exchange numbered, immutable, sealed objects through a storage that understands nothing of them.
//!
//! *Owns* the storage port ([`Storage`]: list, get, put, delete) with its adapters and wrappers, the layout of a
//! remote, sealing and key slots ([`Remote`], [`Keys`]), the encoding of pushes ([`LogObject`]), pack files, and the messages
//! and connections of peers ([`PeerLink`]).
//! *Leaves* to `sync` what is pushed, in which order it is applied and when it may be deleted.
//! *Invariants*: nothing is ever overwritten; an object is used only after its hash, its seal and its place were
//! checked; what is torn is "not there yet"; no secret appears in `Debug`, `Display` or an error.
//! *Fails* with [`StorageError`] for the medium, [`RemoteError`] for everything above it; both say whether trying
//! again may help. *Start reading* at [`Remote`]. Bytes are specified in `formats/SPEC.md`; what the owner of a
//! storage can learn and do is in `docs/security.md`.

mod access;
mod address;
mod conformance;
mod descriptor;
mod error;
mod folder;
mod keys;
pub mod listing;
mod log_object;
mod memory;
mod name;
mod network;
mod pace;
pub mod packfile;
mod peer;
mod s3;
mod seal;
#[cfg(feature = "sftp")]
mod sftp;
mod slots;
mod storage;
#[cfg(test)]
mod tests;
mod web;
mod wire;
mod wrap;

pub use access::{CreateOptions, Listing, Remote};
pub use address::{Address, AddressError, NetworkAddress, Protocol};
pub use conformance::{conformance, conformance_of_many};
pub use descriptor::{RemoteId, RemotePin};
pub use error::RemoteError;
pub use folder::FolderStorage;
pub use keys::{AskPassphrase, KeyError, Keys, Recipient, WORK_FACTOR, generate_identity, write_secret};
pub use log_object::{CollectionHeads, LogObject, LogObjectError, MAX_BODY_BYTES, PART_TARGET_BYTES, Part};
pub use memory::{MemoryStorage, Tear};
pub use name::{BaseName, DESCRIPTOR_NAME, LogName, MAX_SEQUENCE, is_slot_name};
pub use network::{Ask, AskNobody, Network, TransportOptions, open_storage};
pub use pace::{Limited, Retrying};
pub use peer::{
    MAX_ASKED, MAX_IDS, Marks, MessageError, PEER_VERSIONS, PeerError, PeerHello, PeerIdentity, PeerLink, PeerMessage,
    PeerVersions, RefusedBecause, connect_peer, heads_digest,
};
pub use seal::{Role, SEAL_OVERHEAD_BYTES};
pub use storage::{Storage, StorageError, StorageResult, StoredObject, cut_range, is_object_name};
pub use wrap::{Counting, DryRun, ReadOnly, Traffic};

/// Returns random bytes of the operating system.
fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(bytes)
}
