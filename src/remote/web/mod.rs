//! A storage behind HTTP: WebDAV where the server speaks it, plain PUT and GET else.
//!
//! Servers differ from the protocol and from each other (preconditions are ignored or race, half-written uploads are
//! seen), so nothing is assumed: what a server does is found out by doing it, once per process.

mod client;
mod dav;
mod index;
mod netrc;
mod page;

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use url::Url;

pub(super) use client::{Answer, Call, Client, Login};

use super::address::{NetworkAddress, Protocol};
use super::name::DESCRIPTOR_NAME;
use super::network::{Network, TransportOptions};
use super::storage::{Storage, StorageError, StorageResult, StoredObject, check_name, cut_range};
use dav::Member;
use index::Index;

/// The ending of names under which objects are written first; a `.` before hides them from listings.
const TEMPORARY_ENDING: &str = ".dsync-tmp";
/// How many missing collections above an object are made, at most.
const MOST_MISSING_FOLDERS: usize = 32;

/// A storage behind HTTP.
#[derive(Debug)]
pub(super) struct WebStorage {
    client: Client,
    /// The address of the folder, with `/` at its end.
    base: Url,
    /// Whether objects are written under a temporary name and moved: until the server refuses that.
    moves: AtomicBool,
    /// Whether the server speaks WebDAV, once that is known.
    speaks_dav: OnceLock<bool>,
    /// The listing of a server that lists nothing.
    index: Index,
}

impl WebStorage {
    /// Opens the storage; `create` makes its folder where the server has none.
    pub(super) fn open(
        address: &NetworkAddress,
        options: &TransportOptions,
        network: &Network,
        create: bool,
    ) -> StorageResult<Self> {
        let base = base_of(address);
        let mut client = Client::new(options, network)?;
        client.authorize(&base, login(address, options, network)?.as_ref());
        let storage = Self {
            client,
            base,
            moves: AtomicBool::new(true),
            speaks_dav: OnceLock::new(),
            index: Index::default(),
        };
        if address.protocol == Protocol::Dav {
            storage.speaks_dav.get_or_init(|| true);
        }
        if create {
            storage.make_root()?;
        }
        Ok(storage)
    }

    fn url_of(&self, name: &str) -> StorageResult<Url> {
        let bad = || StorageError::BadName { name: name.to_owned() };
        self.base.join(name).map_err(|_| bad())
    }

    /// Lists what lies directly in a collection by WebDAV; `None` where the server does not speak it.
    fn dav_members(&self, collection: &Url) -> StorageResult<Option<Vec<Member>>> {
        if self.speaks_dav.get() == Some(&false) {
            return Ok(None);
        }
        let name = collection.path();
        let call = Call::new("PROPFIND", collection.clone())
            .header("Depth", "1")
            .header("Content-Type", "application/xml; charset=utf-8")
            .body(dav::PROPFIND_BODY);
        let answer = self.client.send("list", name, &call)?;
        match answer.status {
            207 => {
                self.speaks_dav.get_or_init(|| true);
                let text = answer.text(name)?;
                let members = dav::members(&text, collection).map_err(|why| malformed(name, why))?;
                Ok(Some(members))
            }
            // A server that does not know the method may also say that it finds nothing.
            404 if self.speaks_dav.get().is_none() => Ok(None),
            400 | 403 | 405 | 501 if self.speaks_dav.get().is_none() => {
                self.speaks_dav.get_or_init(|| false);
                Ok(None)
            }
            _ => Err(answer.fault("list", name)),
        }
    }

    /// Lists what lies directly in a folder by the page that the server makes of it; empty where it makes none.
    fn page_members(&self, folder: &Url) -> StorageResult<Vec<Member>> {
        let name = folder.path();
        let call = Call::new("GET", folder.clone()).header("Cache-Control", "no-cache");
        let answer = self.client.send("list", name, &call)?;
        match answer.status {
            200 => Ok(page::members(&answer.text(name)?, folder)),
            400 | 403 | 404 | 405 | 410 => Ok(Vec::new()),
            _ => Err(answer.fault("list", name)),
        }
    }

    /// Lists all objects, given what lies at the top and how to look into a folder.
    fn walk(
        &self,
        top: Vec<Member>,
        prefix: &str,
        members: impl Fn(&Url) -> StorageResult<Vec<Member>>,
    ) -> StorageResult<Vec<StoredObject>> {
        let shown = |member: &Member| !member.name.starts_with('.');
        let mut objects = Vec::new();
        for member in top.into_iter().filter(shown) {
            if !member.is_collection {
                objects.push((member.name, member.length_bytes));
                continue;
            }
            let folder = format!("{}/", member.name);
            if !folder.starts_with(prefix) && !prefix.starts_with(&folder) {
                continue;
            }
            let files = match members(&self.url_of(&folder)?) {
                // Removed during the listing.
                Err(error) if error.is_not_found() => continue,
                result => result?
                    .into_iter()
                    .filter(|member| shown(member) && !member.is_collection),
            };
            objects.extend(files.map(|member| (format!("{folder}{}", member.name), member.length_bytes)));
        }
        let objects = objects
            .into_iter()
            .map(|(name, length_bytes)| StoredObject { name, length_bytes });
        Ok(objects.collect())
    }

    /// Lists all objects of a server without WebDAV: by its pages if they show a remote, else by the index.
    fn list_plainly(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        let top = self.page_members(&self.base)?;
        if top.iter().any(|member| member.name == DESCRIPTOR_NAME) {
            return self.walk(top, prefix, |folder| self.page_members(folder));
        }
        let listed = self.index.list(self)?;
        if listed.is_empty() && index::Objects::get(self, DESCRIPTOR_NAME).is_ok() {
            let why = "it lists no folders, and the remote there was written another way, without an index: let the \
                       server list folders";
            return Err(StorageError::Failed {
                action: "list",
                name: self.location(),
                temporary: false,
                source: Arc::new(io::Error::other(why)),
            });
        }
        Ok(listed)
    }

    /// Makes the folder of the storage where the server speaks WebDAV and has none; others make it at the first put.
    fn make_root(&self) -> StorageResult<()> {
        match self.dav_members(&self.base) {
            Ok(None) if self.speaks_dav.get().is_none() => {
                if self.make_folder(&self.base).is_ok() {
                    self.speaks_dav.get_or_init(|| true);
                }
                Ok(())
            }
            Err(error) if error.is_not_found() => self.make_folder(&self.base),
            result => result.map(drop),
        }
    }

    /// Returns whether the server speaks WebDAV; asks it if that is not known yet.
    fn has_dav(&self) -> StorageResult<bool> {
        if self.speaks_dav.get().is_none() {
            self.dav_members(&self.base)?;
        }
        Ok(self.speaks_dav.get() == Some(&true))
    }

    /// Makes a collection and those above it that are missing.
    fn make_folder(&self, folder: &Url) -> StorageResult<()> {
        let mut missing = vec![folder.clone()];
        while let Some(url) = missing.last().cloned() {
            let name = url.path().to_owned();
            let answer = self.client.send("make", &name, &Call::new("MKCOL", url.clone()))?;
            match answer.status {
                // 405 and a redirect to itself say that it is there.
                405 | 301 => {
                    missing.pop();
                }
                404 | 409 => {
                    let above = url.join("..").ok().filter(|above| above.path() != url.path());
                    match above {
                        Some(above) if missing.len() < MOST_MISSING_FOLDERS => missing.push(above),
                        _ => return Err(answer.fault("make", &name)),
                    }
                }
                _ if answer.is_success() => {
                    missing.pop();
                }
                _ => return Err(answer.fault("make", &name)),
            }
        }
        Ok(())
    }

    /// Sends bytes to a name, and once more after making its folder where that is missing.
    fn upload(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        let url = self.url_of(name)?;
        let call = Call::new("PUT", url.clone())
            .header("Content-Type", "application/octet-stream")
            .body(bytes);
        let answer = self.client.send("write", name, &call)?;
        // RFC 4918 §9.7.1 wants 409 for a missing folder; nginx answers 500.
        if matches!(answer.status, 404 | 409 | 500) && name.contains('/') {
            let folder = url
                .join(".")
                .map_err(|_| StorageError::BadName { name: name.to_owned() })?;
            if self.make_folder(&folder).is_ok() {
                let answer = self.client.send("write", name, &call)?;
                return if answer.is_success() {
                    Ok(())
                } else {
                    Err(answer.fault("write", name))
                };
            }
        }
        if answer.is_success() {
            Ok(())
        } else if answer.status == 404 {
            Err(StorageError::Unreachable {
                location: self.location(),
                source: Some(Arc::new(io::Error::other("the server has no such folder"))),
            })
        } else {
            Err(answer.fault("write", name))
        }
    }

    /// Writes under a temporary name and moves; `None` where the server does not move.
    fn put_by_move(&self, name: &str, bytes: &[u8]) -> StorageResult<Option<()>> {
        let temporary = temporary_name(name)?;
        self.upload(&temporary, bytes)?;
        let call = Call::new("MOVE", self.url_of(&temporary)?)
            .header("Destination", self.url_of(name)?.as_str())
            .header("Overwrite", "F");
        let result = match self.client.send("move", name, &call) {
            Ok(answer) if answer.is_success() => return Ok(Some(())),
            Ok(answer) if answer.status == 412 => self.accept_equal(name, bytes).map(Some),
            Ok(answer) if matches!(answer.status, 400 | 403 | 405 | 501 | 502) => Ok(None),
            Ok(answer) => Err(answer.fault("move", name)),
            Err(error) => Err(error),
        };
        // What failed is worth telling; a temporary object that stays is seen by nobody.
        let _leftover = self.delete_url(&temporary);
        result
    }

    /// Writes under the final name at once and looks at what is there then: a server may keep a part.
    fn put_plainly(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        match self.accept_equal(name, bytes) {
            Err(error) if error.is_not_found() => {}
            result => return result,
        }
        self.upload(name, bytes)?;
        self.accept_equal(name, bytes).map_err(|error| match error {
            StorageError::Exists { .. } | StorageError::NotFound { .. } => StorageError::Failed {
                action: "write",
                name: name.to_owned(),
                temporary: true,
                source: Arc::new(io::Error::other("what was written does not read back")),
            },
            error => error,
        })
    }

    /// Compares what stands under a name with what should.
    fn accept_equal(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        if self.get(name, Some(0..bytes.len() as u64 + 1))? == bytes {
            Ok(())
        } else {
            Err(StorageError::Exists { name: name.to_owned() })
        }
    }

    fn delete_url(&self, name: &str) -> StorageResult<()> {
        let call = Call::new("DELETE", self.url_of(name)?);
        let answer = self.client.send("delete", name, &call)?;
        if answer.is_success() || matches!(answer.status, 404 | 410) {
            Ok(())
        } else {
            Err(answer.fault("delete", name))
        }
    }
}

impl Storage for WebStorage {
    fn location(&self) -> String {
        self.base.to_string()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        let mut objects = match self.dav_members(&self.base) {
            Ok(Some(top)) => self.walk(top, prefix, |folder| Ok(self.dav_members(folder)?.unwrap_or_default()))?,
            Ok(None) => self.list_plainly(prefix)?,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(error),
        };
        objects.retain(|object| object.name.starts_with(prefix) && !object.name.starts_with(index::FOLDER));
        objects.sort();
        Ok(objects)
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        check_name(name)?;
        let call = Call::new("GET", self.url_of(name)?);
        get(&self.client, call, name, range, |answer| answer.fault("read", name))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        check_name(name)?;
        if self.has_dav()? {
            if self.moves.load(Ordering::Relaxed) {
                if let Some(()) = self.put_by_move(name, bytes)? {
                    return Ok(());
                }
                self.moves.store(false, Ordering::Relaxed);
            }
            return self.put_plainly(name, bytes);
        }
        self.put_plainly(name, bytes)?;
        self.index.add(self, name, bytes.len() as u64)
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        check_name(name)?;
        if !self.has_dav()? {
            // First: an object that is listed and not there would be waited for.
            self.index.remove(self, name)?;
        }
        self.delete_url(name)
    }
}

impl index::Objects for WebStorage {
    fn get(&self, name: &str) -> StorageResult<Vec<u8>> {
        let call = Call::new("GET", self.url_of(name)?).header("Cache-Control", "no-cache");
        get(&self.client, call, name, None, |answer| answer.fault("read", name))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        self.put_plainly(name, bytes)
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        self.delete_url(name)
    }
}

/// Reads an object or a part of it; a server that answers a range with the whole is read up to the end of the range.
pub(super) fn get(
    client: &Client,
    call: Call<'_>,
    name: &str,
    range: Option<Range<u64>>,
    fault: impl FnOnce(Answer) -> StorageError,
) -> StorageResult<Vec<u8>> {
    let Some(range) = range else {
        let answer = client.send("read", name, &call)?;
        return match answer.status {
            200 => answer.read(name, u64::MAX),
            _ => Err(fault(answer)),
        };
    };
    // An empty range cannot be asked for; one byte tells whether the object is there.
    let end = range.end.max(range.start.saturating_add(1));
    let asked = match end {
        u64::MAX => format!("bytes={}-", range.start),
        _ => format!("bytes={}-{}", range.start, end - 1),
    };
    let answer = client.send("read", name, &call.header("Range", asked))?;
    let stated = answer.header("Content-Range").map(str::to_owned);
    match answer.status {
        // `rclone serve s3` answers 200 to a range and sends only that: the header tells, not the status.
        200 | 206 if answer.status == 206 || stated.is_some() => {
            let start = stated.as_deref().and_then(start_of_range);
            if start.is_some_and(|start| start != range.start) {
                return Err(StorageError::Failed {
                    action: "read",
                    name: name.to_owned(),
                    temporary: false,
                    source: Arc::new(io::Error::other("the server sends another range than was asked for")),
                });
            }
            let bytes = answer.read(name, end - range.start)?;
            Ok(cut_range(&bytes, Some(&(0..range.end.saturating_sub(range.start)))))
        }
        200 => Ok(cut_range(&answer.read(name, range.end)?, Some(&range))),
        // The object ends before the range starts.
        416 => Ok(Vec::new()),
        _ => Err(fault(answer)),
    }
}

fn malformed(name: &str, why: String) -> StorageError {
    StorageError::Failed {
        action: "list",
        name: name.to_owned(),
        temporary: true,
        source: Arc::new(io::Error::other(why)),
    }
}

/// Reads the first offset of `bytes 3-6/7`.
fn start_of_range(header: &str) -> Option<u64> {
    header
        .trim()
        .strip_prefix("bytes")?
        .trim_start()
        .split('-')
        .next()?
        .parse()
        .ok()
}

/// Returns a hidden name beside `name` that no other writer uses.
pub(super) fn temporary_name(name: &str) -> StorageResult<String> {
    let random: [u8; 8] = super::random().map_err(|error| StorageError::Failed {
        action: "choose a temporary name for",
        name: name.to_owned(),
        temporary: true,
        source: Arc::new(error),
    })?;
    let random = data_encoding::HEXLOWER.encode(&random);
    let (folder, file) = name
        .rsplit_once('/')
        .map_or(("", name), |(folder, file)| (folder, file));
    let slash = if folder.is_empty() { "" } else { "/" };
    Ok(format!("{folder}{slash}.{file}.{random}{TEMPORARY_ENDING}"))
}

/// Returns the HTTP address of the folder, without a user.
fn base_of(address: &NetworkAddress) -> Url {
    let text = address.url.as_str();
    let text = match text.split_once("://") {
        Some(("dav", rest)) => format!("http://{rest}"),
        Some(("davs", rest)) => format!("https://{rest}"),
        _ => text.to_owned(),
    };
    let mut url = Url::parse(&text).unwrap_or_else(|_| address.url.clone());
    // Of an HTTP address neither can fail.
    let _absent = url.set_username("");
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

/// Finds out who to be: a token, the user and password of the address, or the netrc file.
fn login(address: &NetworkAddress, options: &TransportOptions, network: &Network) -> StorageResult<Option<Login>> {
    if let Some(token) = &options.token {
        return Ok(Some(Login::Bearer(token.clone())));
    }
    let user = address.user();
    if let Some(password) = address.password.as_ref().or(options.password.as_ref()) {
        return Ok(Some(Login::Basic {
            user: user.unwrap_or_default(),
            password: password.clone(),
        }));
    }
    let Some(path) = network.personal_file("NETRC", ".netrc") else {
        return Ok(None);
    };
    let text = network.read_text(&path)?.unwrap_or_default();
    let host = address.url.host_str().unwrap_or_default();
    let found = netrc::login(&text, host, user.as_deref());
    Ok(found.map(|(user, password)| Login::Basic { user, password }))
}

/// Reads an object of the index and writes it again; see [`super::listing`].
pub(super) fn index_again(object: &[u8]) -> Option<Vec<u8>> {
    index::again(object)
}

/// Reads the names in a WebDAV answer; see [`super::listing`].
pub(super) fn dav_names(answer: &[u8], folder: &Url) -> Result<Vec<String>, String> {
    Ok(dav::members(answer, folder)?
        .into_iter()
        .map(|member| member.name)
        .collect())
}

/// Reads the names on a page; see [`super::listing`].
pub(super) fn page_names(page: &[u8], folder: &Url) -> Vec<String> {
    page::members(page, folder)
        .into_iter()
        .map(|member| member.name)
        .collect()
}
