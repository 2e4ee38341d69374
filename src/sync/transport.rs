//! From the URL of a remote and the configuration beside it to its storage.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::config::TransportConfig;
use super::exchange::remote_error;
use super::{Environment, RemoteOptions, SyncError, SyncResult, other};
use crate::remote::{
    Address, AddressError, PeerLink, Storage, TransportOptions, connect_peer, open_storage, write_secret,
};

/// The folder of a store in which the passwords of remotes lie, readable for their owner only.
const PASSWORD_FOLDER: &str = "passwords";

/// How a remote is reached.
pub(super) struct Way {
    pub(super) address: Address,
    pub(super) transport: TransportConfig,
    /// Whether the key of a host that was never seen is accepted without asking.
    pub(super) accept_new_host: bool,
}

impl Way {
    /// Returns the way that a command line names; relative paths become absolute.
    pub(super) fn given(url: &str, options: &RemoteOptions) -> SyncResult<Self> {
        let mut transport = options.transport.clone();
        for path in [
            &mut transport.password_file,
            &mut transport.token_file,
            &mut transport.ca_file,
        ]
        .into_iter()
        .flatten()
        {
            *path = absolute(path);
        }
        Ok(Self {
            address: address(url)?,
            transport,
            accept_new_host: options.accept_new_host,
        })
    }

    /// Returns the way that the configuration names.
    pub(super) fn configured(url: &str, transport: &TransportConfig) -> SyncResult<Self> {
        Ok(Self {
            address: address(url)?,
            transport: transport.clone(),
            accept_new_host: false,
        })
    }

    /// Returns whether another store is there instead of a storage.
    pub(super) fn is_peer(&self) -> bool {
        matches!(self.address, Address::Peer(_))
    }

    /// Connects to the peer.
    pub(super) fn connect(&self, env: &Environment, name: &str) -> SyncResult<PeerLink> {
        let Address::Peer(address) = &self.address else {
            return Err(SyncError::Usage(format!("`{name}` is no peer")));
        };
        let options = self.options(env)?;
        connect_peer(address, &options, &env.network).map_err(|error| super::peer::peer_error(name, error))
    }

    fn options(&self, env: &Environment) -> SyncResult<TransportOptions> {
        Ok(TransportOptions {
            password: first_line(env, self.transport.password_file.as_deref())?,
            token: first_line(env, self.transport.token_file.as_deref())?,
            ca_file: self.transport.ca_file.clone(),
            limit_bytes_per_second: self.transport.limit_rate,
            stall_timeout: None,
            accept_new_host: self.accept_new_host,
            ssh_command: self.transport.ssh_command.clone(),
            peer_program: self.transport.peer_program.clone(),
        })
    }

    /// Opens the storage; `create` makes its folder where that is missing.
    pub(super) fn open(&self, env: &Environment, name: &str, create: bool) -> SyncResult<Box<dyn Storage>> {
        let options = self.options(env)?;
        open_storage(&self.address, &options, &env.network, create).map_err(|error| remote_error(name, error.into()))
    }

    /// Keeps a password that the address had in it in a private file, so that no configuration shows it.
    pub(super) fn keep_password(&mut self, env: &Environment, root: &Path, name: &str) -> SyncResult<()> {
        let (Address::Network(address) | Address::Peer(address)) = &mut self.address else {
            return Ok(());
        };
        let Some(password) = address.password.take() else {
            return Ok(());
        };
        let folder = root.join(PASSWORD_FOLDER);
        env.disk.create_private_dir(&folder)?;
        let file = folder.join(name);
        // An earlier try may have left one.
        env.disk.remove(&file)?;
        write_secret(&env.disk, &file, &password).map_err(|error| other("keeping the password", error))?;
        self.transport.password_file = Some(file);
        Ok(())
    }
}

/// Reads the address of a remote; a folder's path becomes absolute.
fn address(url: &str) -> SyncResult<Address> {
    match Address::parse(url) {
        Ok(Address::Folder(path)) => Ok(Address::Folder(absolute(&path))),
        Ok(address) => Ok(address),
        Err(AddressError::PeerServer(_)) => Err(SyncError::NotBuilt("a peer over HTTP")),
        Err(error) => Err(SyncError::Usage(error.to_string())),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Reads the first line of a file as a secret.
fn first_line(env: &Environment, path: Option<&Path>) -> SyncResult<Option<SecretString>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let bytes = zeroize::Zeroizing::new(env.disk.read(path)?);
    let line = bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default();
    Ok(Some(SecretString::from(String::from_utf8_lossy(line).into_owned())))
}
