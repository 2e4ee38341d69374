//! A storage behind SFTP.
//!
//! Objects are written under a temporary name, flushed where the server can, and renamed. A rename onto an existing
//! name fails on most servers but not on all, so the name is looked at before.

mod command;
mod connect;
mod host;

use std::error::Error;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ssh2::{ErrorCode, OpenFlags, OpenType};

use super::address::{NetworkAddress, decode};
use super::network::{Network, TransportOptions};
use super::storage::{Storage, StorageError, StorageResult, StoredObject, check_name};
use super::web::temporary_name;
pub(super) use command::RemoteCommand;
use connect::{Connection, Connector};
use host::Host;

/// `SSH_FX_NO_SUCH_FILE` (draft-ietf-secsh-filexfer-02 §7).
const NO_SUCH_FILE: i32 = 2;
/// `SSH_FX_PERMISSION_DENIED`.
const PERMISSION_DENIED: i32 = 3;
/// `SSH_FX_NO_CONNECTION` and `SSH_FX_CONNECTION_LOST`.
const CONNECTION_CODES: [i32; 2] = [6, 7];
/// Connections that are kept for later calls.
const MOST_IDLE: usize = 4;
/// How much is read at once: the library asks for the pieces of it without waiting for each.
const READ_BYTES: usize = 1024 * 1024;
/// How many missing folders above the storage are made, at most.
const MOST_MISSING_FOLDERS: usize = 32;

/// A storage behind SFTP.
pub(super) struct SftpStorage {
    connector: Connector,
    location: String,
    root: PathBuf,
    /// Connections that no call uses; each call takes one, so that calls of several threads run at once.
    idle: Mutex<Vec<Connection>>,
    /// Whether files are flushed: until the server says that it cannot.
    flushes: AtomicBool,
}

impl SftpStorage {
    /// Opens the storage; `create` makes its folder where that is missing.
    pub(super) fn open(
        address: &NetworkAddress,
        options: &TransportOptions,
        network: &Network,
        create: bool,
    ) -> StorageResult<Self> {
        let host = Host::of(address, network)?;
        let password = address.password.clone().or_else(|| options.password.clone());
        let path = decode(address.url.path()).unwrap_or_default();
        // As in git's addresses, `/~/` is the folder in which a login starts.
        let root = path.strip_prefix("/~/").unwrap_or(&path);
        let storage = Self {
            connector: Connector::new(host, password, options, network),
            location: address.url.to_string(),
            root: PathBuf::from(if root.is_empty() { "." } else { root }),
            idle: Mutex::default(),
            flushes: AtomicBool::new(true),
        };
        if create {
            storage.with(|connection| storage.make_root(connection))?;
        }
        Ok(storage)
    }

    /// Runs a call on a connection of its own; one that failed is not used again.
    fn with<T>(&self, call: impl FnOnce(&Connection) -> StorageResult<T>) -> StorageResult<T> {
        let kept = self.idle().pop();
        let mut connection = match kept.filter(Connection::is_alive) {
            Some(connection) => connection,
            None => self.connector.connect()?,
        };
        let result = call(&connection);
        if !result.as_ref().is_err_and(StorageError::is_temporary) {
            connection.touch();
            let mut idle = self.idle();
            if idle.len() < MOST_IDLE {
                idle.push(connection);
            }
        }
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &str) -> StorageResult<PathBuf> {
        check_name(name)?;
        Ok(self.root.join(name))
    }

    fn make_root(&self, connection: &Connection) -> StorageResult<()> {
        let mut missing = Vec::new();
        let mut next = Some(self.root.as_path());
        while let Some(folder) = next.filter(|folder| !folder.as_os_str().is_empty()) {
            match connection.sftp.stat(folder) {
                Ok(_) => break,
                Err(error) if is_missing(&error) && missing.len() < MOST_MISSING_FOLDERS => missing.push(folder),
                Err(error) => return Err(fault("look at", &folder.display().to_string(), error)),
            }
            next = folder.parent();
        }
        for folder in missing.into_iter().rev() {
            make_folder(connection, folder)?;
        }
        Ok(())
    }

    fn list_folder(
        &self,
        connection: &Connection,
        folder: &str,
        prefix: &str,
        objects: &mut Vec<StoredObject>,
    ) -> StorageResult<Vec<String>> {
        let path = self.root.join(folder);
        let entries = match connection.sftp.readdir(&path) {
            Ok(entries) => entries,
            Err(error) if is_missing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(fault("list", &path.display().to_string(), error)),
        };
        let mut folders = Vec::new();
        for (path, stat) in entries {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let name = format!("{folder}{name}");
            if stat.is_dir() {
                folders.push(format!("{name}/"));
            } else if stat.is_file() && name.starts_with(prefix) {
                objects.push(StoredObject {
                    name,
                    length_bytes: stat.size.unwrap_or(0),
                });
            }
        }
        Ok(folders)
    }

    /// Writes a new file and flushes it.
    fn write(&self, connection: &Connection, name: &str, path: &Path, bytes: &[u8]) -> StorageResult<()> {
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let open = || connection.sftp.open_mode(path, flags, 0o644, OpenType::File);
        let mut file = match open() {
            Err(error) if is_missing(&error) => {
                if let Some(folder) = path.parent() {
                    make_folder(connection, folder)?;
                }
                open().map_err(|error| fault("write", name, error))?
            }
            result => result.map_err(|error| fault("write", name, error))?,
        };
        file.write_all(bytes)
            .map_err(|error| failed("write", name, true, error))?;
        if self.flushes.load(Ordering::Relaxed) && file.fsync().is_err() {
            self.flushes.store(false, Ordering::Relaxed);
        }
        file.close().map_err(|error| fault("write", name, error))
    }

    fn put_on(&self, connection: &Connection, name: &str, bytes: &[u8]) -> StorageResult<()> {
        let path = self.path(name)?;
        match connection.sftp.stat(&path) {
            Ok(_) => return accept_equal(connection, name, &path, bytes),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(fault("look at", name, error)),
        }
        let temporary = self.root.join(temporary_name(name)?);
        let result = self.write(connection, name, &temporary, bytes).and_then(|()| {
            connection.sftp.rename(&temporary, &path, None).map_err(|error| {
                // Servers tell a taken name in many ways; looking there is the only sure one.
                match connection.sftp.stat(&path) {
                    Ok(_) => StorageError::Exists { name: name.to_owned() },
                    Err(_) => fault("rename", name, error),
                }
            })
        });
        if result.is_err() {
            // What failed is worth telling; a temporary file that stays is seen by nobody.
            let _leftover = connection.sftp.unlink(&temporary);
        }
        match result {
            Err(StorageError::Exists { .. }) => accept_equal(connection, name, &path, bytes),
            result => result,
        }
    }
}

impl std::fmt::Debug for SftpStorage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SftpStorage")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

impl Storage for SftpStorage {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        self.with(|connection| {
            let mut objects = Vec::new();
            for folder in self.list_folder(connection, "", prefix, &mut objects)? {
                if folder.starts_with(prefix) || prefix.starts_with(&folder) {
                    self.list_folder(connection, &folder, prefix, &mut objects)?;
                }
            }
            objects.sort();
            Ok(objects)
        })
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        let path = self.path(name)?;
        self.with(|connection| read(connection, name, &path, range.unwrap_or(0..u64::MAX)))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        check_name(name)?;
        self.with(|connection| self.put_on(connection, name, bytes))
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        let path = self.path(name)?;
        self.with(|connection| match connection.sftp.unlink(&path) {
            Err(error) if !is_missing(&error) => Err(fault("delete", name, error)),
            _ => Ok(()),
        })
    }
}

fn read(connection: &Connection, name: &str, path: &Path, range: Range<u64>) -> StorageResult<Vec<u8>> {
    let mut file = connection.sftp.open(path).map_err(|error| fault("read", name, error))?;
    let stat = file.stat().map_err(|error| fault("read", name, error))?;
    let length = stat.size.unwrap_or(u64::MAX);
    let (start, end) = (range.start.min(length), range.end.min(length));
    if start >= end {
        return Ok(Vec::new());
    }
    let broken = |error| failed("read", name, true, error);
    if start > 0 {
        file.seek(SeekFrom::Start(start)).map_err(broken)?;
    }
    let mut bytes = Vec::new();
    let mut buffer = vec![0; READ_BYTES.min(usize::try_from(end - start).unwrap_or(READ_BYTES))];
    let mut left = end - start;
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = file.read(buffer.get_mut(..most).unwrap_or_default()).map_err(broken)?;
        if got == 0 {
            break;
        }
        bytes.extend_from_slice(buffer.get(..got).unwrap_or_default());
        left -= got as u64;
    }
    Ok(bytes)
}

/// Compares what stands under a taken name with what should.
fn accept_equal(connection: &Connection, name: &str, path: &Path, bytes: &[u8]) -> StorageResult<()> {
    if read(connection, name, path, 0..bytes.len() as u64 + 1)? == bytes {
        Ok(())
    } else {
        Err(StorageError::Exists { name: name.to_owned() })
    }
}

/// Makes a folder; one that another writer made meanwhile is as good.
fn make_folder(connection: &Connection, folder: &Path) -> StorageResult<()> {
    match connection.sftp.mkdir(folder, 0o755) {
        Ok(()) => Ok(()),
        Err(_) if connection.sftp.stat(folder).is_ok_and(|stat| stat.is_dir()) => Ok(()),
        Err(error) => Err(fault("make", &folder.display().to_string(), error)),
    }
}

fn is_missing(error: &ssh2::Error) -> bool {
    error.code() == ErrorCode::SFTP(NO_SUCH_FILE)
}

/// Turns an answer of the server, or the loss of it, into an error.
fn fault(action: &'static str, name: &str, error: ssh2::Error) -> StorageError {
    match error.code() {
        ErrorCode::SFTP(NO_SUCH_FILE) => StorageError::NotFound { name: name.to_owned() },
        ErrorCode::SFTP(PERMISSION_DENIED) => StorageError::Denied {
            name: name.to_owned(),
            source: Some(Arc::new(error)),
        },
        ErrorCode::SFTP(code) => failed(action, name, CONNECTION_CODES.contains(&code), error),
        // The connection broke, or the server fell silent.
        ErrorCode::Session(_) => failed(action, name, true, error),
    }
}

fn failed(
    action: &'static str,
    name: &str,
    temporary: bool,
    error: impl Error + Send + Sync + 'static,
) -> StorageError {
    StorageError::Failed {
        action,
        name: name.to_owned(),
        temporary,
        source: Arc::new(error),
    }
}

fn denied(name: &str, why: String) -> StorageError {
    StorageError::Denied {
        name: name.to_owned(),
        source: Some(Arc::new(std::io::Error::other(why))),
    }
}
