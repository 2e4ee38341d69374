//! The serving side of peers.
//!
//! *Owns* the conversation with a peer that has started this program: which message may come when, and that a failure of
//! this side is an answer. *Leaves* history and store to `sync`, messages to `remote`. *Invariants*: nothing but the
//! protocol goes to the output; a connection that ends at any byte leaves the store before or after. *Fails* with
//! [`PeerError`], where the connection itself is gone. *Start reading* at [`serve`].

use crate::remote::{PEER_VERSIONS, PeerError, PeerHello, PeerLink, PeerMessage};
use crate::sync::{Repository, SyncResult, Trouble, refusal};

/// Serves one peer until it ends; the store is opened once the peer has introduced itself.
pub fn serve(open: impl FnOnce() -> SyncResult<Repository>, link: &mut PeerLink) -> Result<(), PeerError> {
    let theirs = match link.receive() {
        Ok(PeerMessage::Hello(theirs)) => theirs,
        Ok(message) => return Err(PeerError::OutOfPlace(message.kind())),
        Err(error) => return Err(error),
    };
    if PEER_VERSIONS.common(theirs.versions).is_none() {
        // The other side says what is to be done: a person sits there.
        return link.send(&PeerMessage::Hello(PeerHello {
            versions: PEER_VERSIONS,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            store_format: 0,
            identity: None,
        }));
    }
    let digest = theirs.identity.map(|identity| identity.digest);
    let opened = open().and_then(|mut repository| {
        let hello = repository.introduction(digest.as_ref())?;
        Ok((repository, hello))
    });
    let mut repository = match opened {
        Ok((repository, hello)) => {
            link.send(&PeerMessage::Hello(hello))?;
            repository
        }
        Err(error) => return refuse(link, Trouble::Own(error)),
    };
    loop {
        let message = match link.receive() {
            Ok(message) => message,
            Err(PeerError::Ended) => return Ok(()),
            Err(error) => return Err(error),
        };
        let answered = match message {
            PeerMessage::Ask(ids) => match repository.known_to_peer(&ids) {
                Ok(marks) => link.send(&PeerMessage::Known(marks)).map_err(Trouble::from),
                Err(error) => Err(Trouble::from(error)),
            },
            PeerMessage::Get { want, have } => repository.send_to_peer(link, &want, &have),
            PeerMessage::Begin { parts, bytes } => repository
                .take_from_peer(link, parts, bytes)
                .and_then(|()| Ok(link.send(&PeerMessage::Taken)?)),
            message => Err(PeerError::OutOfPlace(message.kind()).into()),
        };
        if let Err(trouble) = answered {
            return refuse(link, trouble);
        }
    }
}

/// Tells the other side why this one ends; a connection that is gone cannot be told anything.
fn refuse(link: &mut PeerLink, trouble: Trouble) -> Result<(), PeerError> {
    match trouble {
        Trouble::Own(error) => {
            let (because, text) = refusal(&error);
            link.send(&PeerMessage::Refused { because, text })
        }
        Trouble::Link(error) => Err(error),
    }
}
