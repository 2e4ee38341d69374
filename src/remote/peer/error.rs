//! What can fail between peers.

use std::io;

use super::message::{MessageError, PeerVersions};

/// Why a peer refused something, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBecause {
    /// Anything that has no word of its own.
    Other,
    /// Its store is in use; later it may be free.
    Busy,
    /// What it got is damaged or no history.
    Damaged,
    /// It lacks what was sent builds on.
    Lacks,
    /// There is no store at the path.
    NoStore,
    /// What it got was made by rules or in forms that are newer than it.
    Newer,
    /// It has no room left.
    Full,
    /// A temporary fault.
    Again,
}

impl RefusedBecause {
    /// All, in order of their numbers.
    const ALL: [Self; 8] = [
        Self::Other,
        Self::Busy,
        Self::Damaged,
        Self::Lacks,
        Self::NoStore,
        Self::Newer,
        Self::Full,
        Self::Again,
    ];

    /// Returns the number that stands for it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Returns what a number stands for; one that is not known is [`Self::Other`], as newer programs may have more reasons.
    pub fn of_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Other)
    }
}

/// Something about a peer failed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The program that makes the connection cannot be started.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The connection cannot be made or broke.
    #[error("{}", broken(said))]
    Broken {
        /// What the program that makes the connection said last.
        said: String,
        /// Why.
        #[source]
        source: Option<io::Error>,
    },
    /// The other side has ended where nothing was begun.
    #[error("the connection has ended")]
    Ended,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// There is no program to serve on the other machine.
    #[error("the other machine has no program `{program}`{}", words(said))]
    NoProgram {
        /// Its name there.
        program: String,
        /// What was said about it.
        said: String,
    },
    /// What answers is no dsync.
    #[error("what answers is not `dsync serve --stdio`; it says `{said}`")]
    NotAPeer {
        /// The start of what it says.
        said: String,
    },
    /// The other side speaks other versions of the protocol.
    #[error(
        "the peer's dsync {program} speaks version {theirs} of the protocol, this dsync {} version {ours}: update {}",
        env!("CARGO_PKG_VERSION"),
        if theirs.highest < ours.lowest { "the one there" } else { "this one" }
    )]
    Version {
        /// The version of the program there.
        program: String,
        /// What it speaks.
        theirs: PeerVersions,
        /// What is spoken here.
        ours: PeerVersions,
    },
    /// Bytes that are no message.
    #[error("what it sent cannot be read")]
    Malformed(#[from] MessageError),
    /// A message that is out of place.
    #[error("it sent a message of kind {0} where none such belongs")]
    OutOfPlace(u8),
    /// The other side refused.
    #[error("{text}")]
    Refused {
        /// Why, for programs.
        because: RefusedBecause,
        /// Why, for people.
        text: String,
    },
    /// The address or a choice cannot be used.
    #[error("{0}")]
    Unusable(String),
}

impl PeerError {
    /// Returns whether the same may succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Broken { .. } | Self::Ended => true,
            Self::Refused { because, .. } => {
                matches!(
                    because,
                    RefusedBecause::Busy | RefusedBecause::Full | RefusedBecause::Again
                )
            }
            _ => false,
        }
    }
}

fn broken(said: &str) -> String {
    if said.is_empty() {
        "the connection broke".to_owned()
    } else {
        said.to_owned()
    }
}

fn words(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(" ({said})")
    }
}
