//! Remotes: making and joining them, their keys, who shares them; cloning.

use std::path::Path;

use super::config::RemoteConfig;
use super::exchange::{self, key_path, remote_error};
use super::peer::{Opened, Peer};
use super::report::{KeySlot, RemoteAdded, RemoteStatus, SyncReport, SystemReport};
use super::repository::Repository;
use super::transport::Way;
use super::{Environment, RemoteOptions, Steps, SyncError, SyncOptions, SyncResult};
use crate::disk::Disk;
use crate::remote::{
    Address, CreateOptions, DESCRIPTOR_NAME, Keys, Recipient, Remote, RemoteError, WORK_FACTOR, generate_identity,
    write_secret,
};
use crate::store::RemoteView;

/// The name of the key slot that the maker's own key opens.
const OWN_SLOT: &str = "owner";

impl Repository {
    /// Makes a remote at a URL, or joins the one that is there.
    pub fn remote_add(&mut self, name: &str, url: &str, options: &RemoteOptions) -> SyncResult<RemoteAdded> {
        self.begin()?;
        let plain_name = !name.is_empty() && !name.starts_with(['.', '-']) && !name.contains(['/', '\0']);
        if !plain_name {
            return Err(SyncError::Usage(format!("`{name}` is no name for a remote")));
        }
        if self.config.remotes().iter().any(|remote| remote.name == name) {
            return Err(SyncError::Exists {
                what: "remote",
                name: name.to_owned(),
            });
        }
        let mut way = Way::given(url, options)?;
        if way.is_peer() {
            return self.add_peer(name, way, options);
        }
        let location = way.address.to_string();
        let there = is_remote(&self.env, name, &way)?;
        let mut added = RemoteAdded {
            name: name.to_owned(),
            url: location.clone(),
            created: !there,
            sealed: !options.plain,
            key_file: None,
            recipient: None,
            peer: None,
        };
        if options.dry_run {
            return Ok(added);
        }
        let remote = if there {
            self.join(name, &way, options)?
        } else {
            self.create(name, &way, options, &mut added)?
        };
        way.keep_password(&self.env, &self.root, name)?;
        let mut config = RemoteConfig {
            name: name.to_owned(),
            url: location,
            key_file: None,
            passphrase_file: None,
            transport: way.transport,
        };
        added.sealed = remote.is_sealed();
        let key_file = key_path(&self.root, name);
        if self.env.disk.stat(&key_file)?.is_some() {
            added.key_file = Some(key_file.display().to_string());
        } else if let Some(given) = &options.key_file {
            config.key_file = Some(std::path::absolute(given).unwrap_or_else(|_| given.clone()));
        }
        let work = self.reading();
        let view = exchange::remote_view(&work, name, &remote);
        drop(work);
        self.record_remote(&config, view)?;
        Ok(added)
    }

    /// Puts a remote into the configuration and the view.
    fn record_remote(&mut self, config: &RemoteConfig, view: RemoteView) -> SyncResult<()> {
        let changed = self.config.with_remote(config)?;
        self.commit_config(changed)?;
        let mut all = self.store.view().clone();
        all.remotes.insert(config.name.clone(), view);
        let command = self.env.command.clone();
        self.commit(all, &command)
    }

    /// Adds another store as a remote.
    fn add_peer(&mut self, name: &str, mut way: Way, options: &RemoteOptions) -> SyncResult<RemoteAdded> {
        check_peer_options(options)?;
        let work = self.reading();
        let peer = Peer::connect(&work, name, &way)?;
        let view = peer.view(&work);
        drop(work);
        let location = way.address.to_string();
        let added = RemoteAdded {
            name: name.to_owned(),
            url: location.clone(),
            created: false,
            sealed: false,
            key_file: None,
            recipient: None,
            peer: Some(peer.identity.system.clone()),
        };
        drop(peer);
        if options.dry_run {
            return Ok(added);
        }
        way.keep_password(&self.env, &self.root, name)?;
        let config = RemoteConfig {
            name: name.to_owned(),
            url: location,
            key_file: None,
            passphrase_file: None,
            transport: way.transport,
        };
        self.record_remote(&config, view)?;
        Ok(added)
    }

    /// Makes a new remote with key slots for the given recipients and a new key of this system.
    fn create(&self, name: &str, way: &Way, options: &RemoteOptions, added: &mut RemoteAdded) -> SyncResult<Remote> {
        let wrap = |error: RemoteError| remote_error(name, error);
        let disk = &self.env.disk;
        if options.plain {
            return Remote::create(way.open(&self.env, name, true)?, &CreateOptions::Plain).map_err(wrap);
        }
        let mut recipients = Vec::new();
        for (at, text) in options.recipients.iter().enumerate() {
            let recipient = Recipient::parse(text).map_err(|error| wrap(error.into()))?;
            recipients.push((format!("recipient-{}", at + 1), recipient));
        }
        if let Some(passphrase) = &options.passphrase {
            let recipient =
                Recipient::passphrase(passphrase.clone(), WORK_FACTOR).map_err(|error| wrap(error.into()))?;
            recipients.push(("passphrase".to_owned(), recipient));
        }
        let key_file = key_path(&self.root, name);
        let known = disk.stat(&key_file)?.is_some();
        let public = if known {
            // Made by an earlier try, or for a remote of this name that was removed: an identity fits any remote.
            public_key(disk, &key_file)?
        } else {
            let (secret, public) = generate_identity();
            // The key is on disk before anything is sealed with it.
            disk.create_private_dir(&self.root.join("keys"))?;
            write_secret(disk, &key_file, &secret).map_err(|error| wrap(error.into()))?;
            public
        };
        let own = Recipient::parse(&public).map_err(|error| wrap(error.into()))?;
        recipients.push((OWN_SLOT.to_owned(), own));
        added.recipient = Some(public);
        let made = way
            .open(&self.env, name, true)
            .and_then(|storage| Remote::create(storage, &CreateOptions::Sealed { recipients }).map_err(wrap));
        if made.is_err() && !known {
            // Nothing was sealed with it, and a second try wants the name.
            disk.remove(&key_file)?;
        }
        made
    }

    fn join(&self, name: &str, way: &Way, options: &RemoteOptions) -> SyncResult<Remote> {
        let key_file = key_path(&self.root, name);
        let mut options = options.clone();
        let own =
            options.key_file.is_none() && options.passphrase.is_none() && self.env.disk.stat(&key_file)?.is_some();
        if own {
            // An earlier try made the remote, or joined it, and was cut off before it was written down.
            options.key_file = Some(key_file.clone());
        }
        let remote = open_with(&self.env, name, way, &options)?;
        if remote.is_sealed() && !own {
            if self.env.disk.stat(&key_file)?.is_some() {
                return Err(SyncError::Exists {
                    what: "key file",
                    name: key_file.display().to_string(),
                });
            }
            exchange::keep_data_key(&self.env.disk, &key_file, &remote)?;
        }
        Ok(remote)
    }

    /// Lists the remotes without reaching out to them.
    pub fn remotes(&self) -> SyncResult<Vec<RemoteStatus>> {
        let work = self.reading();
        let mut list = Vec::new();
        for config in self.config.remotes() {
            let mut ahead = 0;
            for (name, collection) in &work.view.collections {
                let view = work.view.remotes.get(&config.name);
                let have = view.and_then(|view| view.pushed.get(name).cloned()).unwrap_or_default();
                ahead += exchange::missing(&work, &have, &collection.heads)?.len() as u64;
            }
            list.push(RemoteStatus {
                name: config.name.clone(),
                url: config.url.clone(),
                ahead,
                behind: 0,
            });
        }
        Ok(list)
    }

    /// Forgets a remote; what is on it stays there, and so does the key file here.
    pub fn remote_remove(&mut self, name: &str, dry_run: bool) -> SyncResult<()> {
        self.begin()?;
        self.config.remote(name)?;
        if dry_run {
            return Ok(());
        }
        let config = self.config.without("remote", name)?;
        self.commit_config(config)
    }

    fn open_remote(&self, name: &str) -> SyncResult<Remote> {
        exchange::open(&self.reading(), self.config.remote(name)?)
    }

    /// Lists who can open a remote.
    pub fn key_slots(&self, remote: &str) -> SyncResult<Vec<KeySlot>> {
        let opened = self.open_remote(remote)?;
        let slots = opened.slots().map_err(|error| remote_error(remote, error))?;
        Ok(slots
            .into_iter()
            .map(|name| KeySlot {
                kind: slot_kind(&name).to_owned(),
                name,
            })
            .collect())
    }

    /// Lets one more key open a remote.
    pub fn key_add(&mut self, remote: &str, options: &RemoteOptions) -> SyncResult<KeySlot> {
        let opened = self.open_remote(remote)?;
        let wrap = |error| remote_error(remote, error);
        let slots = opened.slots().map_err(wrap)?;
        let (kind, recipient) = match (&options.passphrase, &options.recipients[..]) {
            (Some(passphrase), []) => ("passphrase", Recipient::passphrase(passphrase.clone(), WORK_FACTOR)),
            (None, [text]) => ("recipient", Recipient::parse(text)),
            _ => return Err(SyncError::Usage("one recipient or one passphrase at a time".to_owned())),
        };
        let recipient = recipient.map_err(|error| wrap(error.into()))?;
        let names = std::iter::once(kind.to_owned()).chain((2..).map(|n| format!("{kind}-{n}")));
        let free = |name: &String| !slots.contains(name);
        let name = names.into_iter().find(free).unwrap_or_else(|| kind.to_owned());
        if !options.dry_run {
            opened.add_slot(&recipient, &name).map_err(wrap)?;
        }
        Ok(KeySlot {
            kind: slot_kind(&name).to_owned(),
            name,
        })
    }

    /// Takes a key slot away.
    pub fn key_remove(&mut self, remote: &str, slot: &str, dry_run: bool) -> SyncResult<()> {
        let opened = self.open_remote(remote)?;
        let slots = opened.slots().map_err(|error| remote_error(remote, error))?;
        if !slots.contains(slot) {
            let candidates = slots.into_iter().collect();
            return Err(SyncError::Unknown {
                what: "key slot",
                name: slot.to_owned(),
                candidates,
            });
        }
        if dry_run {
            return Ok(());
        }
        opened.remove_slot(slot).map_err(|error| remote_error(remote, error))
    }

    /// Lists the systems that share the remotes.
    pub fn systems(&self) -> SyncResult<Vec<SystemReport>> {
        let mut list = Vec::new();
        for config in self.config.remotes() {
            let work = self.reading();
            let remote = match Opened::open(&work, config)? {
                Opened::Storage(remote) => remote,
                Opened::Peer(peer) => {
                    list.push(SystemReport {
                        system: peer.identity.system.clone(),
                        replica: peer.identity.replica.to_string(),
                        remote: config.name.clone(),
                        sequence: 0,
                        last_seen: String::new(),
                        this: false,
                        gone: false,
                    });
                    continue;
                }
            };
            let listing = remote.list().map_err(|error| remote_error(&config.name, error))?;
            for (replica, log) in &listing.logs {
                let Some((sequence, names)) = log.last_key_value() else {
                    continue;
                };
                let object = names.first().and_then(|name| remote.read(name).ok());
                list.push(SystemReport {
                    system: object.as_ref().map(|object| object.system.clone()).unwrap_or_default(),
                    replica: replica.to_string(),
                    remote: config.name.clone(),
                    sequence: *sequence,
                    last_seen: object.map(|object| object.time.to_string()).unwrap_or_default(),
                    this: *replica == self.store.view().replica,
                    gone: self
                        .store
                        .view()
                        .remotes
                        .get(&config.name)
                        .is_some_and(|view| view.forgotten.contains_key(replica) || view.retired.contains(replica)),
                });
            }
        }
        Ok(list)
    }

    /// Returns whether nothing was done here but to begin a clone of the remote at `url`.
    fn is_begun_clone(&self, url: &str) -> bool {
        self.store.view().collections.is_empty()
            && self.config.sources().is_empty()
            && self.config.remotes().iter().all(|remote| remote.url == url)
    }

    /// Makes a new system from a remote.
    pub fn clone_remote(
        env: Environment,
        url: &str,
        dir: &Path,
        system: Option<&str>,
        keys: &RemoteOptions,
    ) -> SyncResult<(Self, SyncReport)> {
        let name = "origin";
        let way = Way::given(url, keys)?;
        // The remote is opened before anything is made, so that a wrong key leaves nothing behind.
        if way.is_peer() {
            check_peer_options(keys)?;
            Peer::call_on(&env, name, &way)?;
        } else {
            drop(open_with(&env, name, &way, keys)?);
        }
        let root = dir.join(super::repository::STORE_FOLDER);
        if Self::open(env.clone(), &root).is_ok_and(|there| !there.is_begun_clone(&way.address.to_string())) {
            return Err(SyncError::Exists {
                what: "store",
                name: root.display().to_string(),
            });
        }
        let (root, _) = Self::init(&env, dir, system)?;
        let mut repository = Self::open(env, &root)?;
        if repository.config.remotes().is_empty() {
            repository.remote_add(name, url, keys)?;
        }
        let steps = Steps {
            scan: false,
            fetch: true,
            apply: false,
            push: false,
        };
        let report = repository.run(steps, &SyncOptions::default())?;
        Ok((repository, report))
    }
}

/// Refuses keys for a peer, which has none.
fn check_peer_options(options: &RemoteOptions) -> SyncResult<()> {
    let has_key = options.key_file.is_some() || options.passphrase.is_some() || !options.recipients.is_empty();
    if has_key || options.plain {
        return Err(SyncError::Usage(
            "a peer is another store: SSH keeps what goes there secret, and it takes no key, passphrase or `--plain`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Reads the public half that a key file of ours names in its first line.
fn public_key(disk: &Disk, path: &Path) -> SyncResult<String> {
    let text = String::from_utf8(disk.read(path)?).unwrap_or_default();
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: "));
    public.map(str::to_owned).ok_or_else(|| SyncError::Exists {
        what: "key file",
        name: path.display().to_string(),
    })
}

/// Returns whether there is a remote already.
fn is_remote(env: &Environment, name: &str, way: &Way) -> SyncResult<bool> {
    if let Address::Folder(folder) = &way.address {
        return Ok(env.disk.stat(&folder.join(DESCRIPTOR_NAME))?.is_some());
    }
    match way.open(env, name, false)?.get(DESCRIPTOR_NAME, Some(0..1)) {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(remote_error(name, error.into())),
    }
}

/// Opens a remote with what was given on the command line.
fn open_with(env: &Environment, name: &str, way: &Way, options: &RemoteOptions) -> SyncResult<Remote> {
    let wrap = |error: RemoteError| remote_error(name, error);
    let mut keys = Keys::default();
    if let Some(file) = &options.key_file {
        keys.add_file(&env.disk, file, &mut |_| None)
            .map_err(|error| wrap(error.into()))?;
    }
    if let Some(passphrase) = &options.passphrase {
        keys.add_passphrase(passphrase.clone());
    }
    Remote::open(way.open(env, name, false)?, &keys).map_err(wrap)
}

fn slot_kind(name: &str) -> &'static str {
    if name.starts_with("passphrase") {
        "passphrase"
    } else {
        "recipient"
    }
}
