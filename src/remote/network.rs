//! What storages on the network need besides their address, and the way from an address to a storage.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use secrecy::SecretString;

use super::address::{Address, NetworkAddress, Protocol};
use super::folder::FolderStorage;
use super::pace::{Limited, Retrying};
use super::s3::S3Storage;
use super::storage::{Storage, StorageError, StorageResult};
use super::web::WebStorage;
use crate::disk::Disk;

/// Puts questions to a person.
pub trait Ask: Send + Sync {
    /// Asks a question that is answered by yes or no; `None` where nobody can answer.
    fn confirm(&self, question: &str) -> Option<bool>;

    /// Asks for a secret; `None` where nobody can answer.
    fn secret(&self, prompt: &str) -> Option<SecretString>;

    /// Returns whether somebody is there who can answer, also questions that another program asks.
    fn is_there(&self) -> bool {
        true
    }
}

/// Nobody is there to answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct AskNobody;

impl Ask for AskNobody {
    fn confirm(&self, _question: &str) -> Option<bool> {
        None
    }

    fn secret(&self, _prompt: &str) -> Option<SecretString> {
        None
    }

    fn is_there(&self) -> bool {
        false
    }
}

/// What the storages on the network use of the process, the machine and the person.
#[derive(Clone)]
pub struct Network {
    /// Files: key files, `known_hosts`, certificates.
    pub disk: Disk,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The environment, as far as [`Network::VARIABLES`] names it.
    pub variables: BTreeMap<String, String>,
    /// The person.
    pub ask: Arc<dyn Ask>,
    /// Set by Ctrl-C: no further attempt is made.
    pub interrupted: Arc<AtomicBool>,
}

impl Network {
    /// The variables of the environment that storages look at.
    pub const VARIABLES: [&'static str; 14] = [
        "AWS_ACCESS_KEY_ID",
        "AWS_CONFIG_FILE",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "DSYNC_SSH_COMMAND",
        "NETRC",
        "SSH_AUTH_SOCK",
        "USER",
    ];

    /// Returns a variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns the path of a file of the person's: that which the variable names, else one in the home folder.
    pub(super) fn personal_file(&self, variable: &str, in_home: &str) -> Option<PathBuf> {
        match self.variable(variable) {
            Some(path) => Some(PathBuf::from(path)),
            None => self.home.as_ref().map(|home| home.join(in_home)),
        }
    }

    /// Reads a text file; a missing one is `None`.
    pub(super) fn read_text(&self, path: &Path) -> StorageResult<Option<String>> {
        match self.disk.read(path) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(StorageError::Failed {
                action: "read",
                name: path.display().to_string(),
                temporary: false,
                source: Arc::new(error),
            }),
        }
    }
}

impl Default for Network {
    /// Neither home nor environment nor a person: nothing but what an address says.
    fn default() -> Self {
        Self {
            disk: Disk::default(),
            home: None,
            variables: BTreeMap::new(),
            ask: Arc::new(AskNobody),
            interrupted: Arc::default(),
        }
    }
}

impl fmt::Debug for Network {
    /// Leaves out the variables, which may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Network")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

/// How a storage on the network is to be reached.
#[derive(Debug, Clone, Default)]
pub struct TransportOptions {
    /// The password, where the address has none.
    pub password: Option<SecretString>,
    /// The token of bearer authentication (RFC 6750).
    pub token: Option<SecretString>,
    /// Certificates (PEM) that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The most bytes of content sent and received in a second.
    pub limit_bytes_per_second: Option<u64>,
    /// The longest wait for a server that says nothing; a minute where none is given.
    pub stall_timeout: Option<Duration>,
    /// Whether the key of a host that was never seen is accepted without asking.
    pub accept_new_host: bool,
    /// The command line that stands for `ssh` on the way to a peer.
    pub ssh_command: Option<String>,
    /// What dsync is called on the machine of a peer; `dsync` where nothing is given.
    pub peer_program: Option<String>,
}

/// Opens the storage at an address; `create` makes its folder where that is missing.
///
/// A storage on the network tries again by itself after temporary faults.
pub fn open_storage(
    address: &Address,
    options: &TransportOptions,
    network: &Network,
    create: bool,
) -> StorageResult<Box<dyn Storage>> {
    let address = match address {
        Address::Folder(path) if create => {
            return Ok(Box::new(FolderStorage::create(network.disk.clone(), path)?));
        }
        Address::Folder(path) => return Ok(Box::new(FolderStorage::open(network.disk.clone(), path)?)),
        Address::Network(address) => address,
        Address::Peer(address) => return Err(no_storage(address)),
    };
    let storage = Retrying::new(
        adapter(address, options, network, create)?,
        Arc::clone(&network.interrupted),
    );
    Ok(match options.limit_bytes_per_second {
        Some(limit) => Box::new(Limited::new(storage, limit)),
        None => Box::new(storage),
    })
}

fn adapter(
    address: &NetworkAddress,
    options: &TransportOptions,
    network: &Network,
    create: bool,
) -> StorageResult<Box<dyn Storage>> {
    match address.protocol {
        Protocol::Http | Protocol::Dav => Ok(Box::new(WebStorage::open(address, options, network, create)?)),
        Protocol::S3 => Ok(Box::new(S3Storage::open(address, options, network)?)),
        #[cfg(feature = "sftp")]
        Protocol::Sftp => Ok(Box::new(super::sftp::SftpStorage::open(
            address, options, network, create,
        )?)),
        #[cfg(not(feature = "sftp"))]
        Protocol::Sftp => Err(StorageError::Failed {
            action: "open",
            name: address.url.to_string(),
            temporary: false,
            source: Arc::new(std::io::Error::other("this dsync was built without the feature `sftp`")),
        }),
        Protocol::Ssh => Err(no_storage(address)),
    }
}

/// Makes the error for a use of a peer that only storages have.
fn no_storage(address: &NetworkAddress) -> StorageError {
    StorageError::Failed {
        action: "open",
        name: address.url.to_string(),
        temporary: false,
        source: Arc::new(std::io::Error::other("it is a peer, no storage")),
    }
}
