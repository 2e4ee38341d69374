//! What can fail about a remote.

use super::keys::KeyError;
use super::log_object::LogObjectError;
use super::storage::StorageError;

/// Something about a remote failed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no remote in this storage.
    #[error("no remote at `{url}`")]
    NotARemote {
        /// The storage.
        url: String,
    },
    /// There is a remote in this storage already.
    #[error("there is a remote at `{url}` already")]
    AlreadyARemote {
        /// The storage.
        url: String,
    },
    /// Another remote is where the remembered one was.
    #[error("the remote at `{url}` is not the one that was there before")]
    Replaced {
        /// The storage.
        url: String,
    },
    /// A newer program wrote it.
    #[error("`{name}` was written by a newer program (version {version})")]
    NewerVersion {
        /// The object.
        name: String,
        /// The version that it has.
        version: u32,
    },
    /// The object is not (yet) there whole; nothing but waiting or sending it again helps.
    #[error("object `{name}` is incomplete")]
    Torn {
        /// The object.
        name: String,
    },
    /// The object is whole and still wrong: forged, moved from another place, or made by a faulty program.
    #[error("object `{name}` is damaged: {what}")]
    Damaged {
        /// The object.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// None of the keys opens a slot.
    #[error("none of the given keys opens a key slot of `{url}`")]
    NoKeyFits {
        /// The storage.
        url: String,
        /// The names of its slots.
        slots: Vec<String>,
    },
    /// A passphrase was given, there are slots for passphrases, and it opens none of them.
    #[error("wrong passphrase for `{url}`")]
    WrongPassphrase {
        /// The storage.
        url: String,
        /// The names of its slots for passphrases.
        slots: Vec<String>,
    },
    /// A slot opened, and what it holds is not the key of this remote.
    #[error("key slot `{slot}` holds the key of another remote")]
    ForeignKey {
        /// The slot.
        slot: String,
    },
    /// The remote is plain: it has no keys, and who gave one would not get what he expects.
    #[error("the remote at `{url}` is not sealed")]
    NotSealed {
        /// The storage.
        url: String,
    },
    /// A sealed remote without a recipient could never be opened again.
    #[error("a sealed remote needs at least one recipient")]
    NoRecipients,
    /// A slot with this name exists.
    #[error("there is a key slot `{slot}` already")]
    SlotExists {
        /// The slot.
        slot: String,
    },
    /// No slot has this name.
    #[error("no key slot `{slot}`")]
    NoSuchSlot {
        /// The slot.
        slot: String,
    },
    /// Without its last slot nobody could open the remote.
    #[error("`{slot}` is the last key slot")]
    LastSlot {
        /// The slot.
        slot: String,
    },
    /// The name is not one for a slot.
    #[error("`{slot}` is no name for a key slot (1 to 64 of a-z 0-9 _ -)")]
    BadSlotName {
        /// The name.
        slot: String,
    },
    /// The object cannot be encoded.
    #[error("cannot encode the object")]
    Encode(#[source] LogObjectError),
    /// The storage said that it took the object, and does not give it back.
    #[error("`{name}` was uploaded but does not read back")]
    NotStored {
        /// The object.
        name: String,
    },
    /// The system gave no random bytes, or the cipher refused the content.
    #[error("cannot seal")]
    Seal(#[source] std::io::Error),
}

impl RemoteError {
    /// Returns whether the same call may succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_temporary(),
            Self::Torn { .. } | Self::NotStored { .. } => true,
            _ => false,
        }
    }

    /// Returns whether the storage has no room left: somebody has to make some, and nothing of what was done is in danger.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_full())
    }

    pub(super) fn newer(name: &str, version: u32) -> Self {
        Self::NewerVersion {
            name: name.to_owned(),
            version,
        }
    }

    pub(super) fn damaged(name: &str, what: &dyn std::fmt::Display) -> Self {
        Self::Damaged {
            name: name.to_owned(),
            what: what.to_string(),
        }
    }
}
