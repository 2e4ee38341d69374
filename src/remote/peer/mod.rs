//! Peers: two stores that talk to each other instead of through a storage.
//!
//! A [`PeerLink`] carries [`PeerMessage`]s over two streams of bytes; [`connect_peer`] makes one to `dsync serve --stdio` on
//! another machine. Who says what when is up to `sync` and `server`; byte table and course in `formats/SPEC.md`, "Peers".

mod command;
mod connect;
mod error;
mod link;
mod message;
#[cfg(test)]
mod tests;

pub use connect::connect_peer;
pub use error::{PeerError, RefusedBecause};
pub use link::PeerLink;
pub use message::{
    MAX_ASKED, MAX_IDS, Marks, MessageError, PEER_VERSIONS, PeerHello, PeerIdentity, PeerMessage, PeerVersions,
    heads_digest,
};
