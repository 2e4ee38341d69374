//! A remote that was opened: objects in and out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::SecretString;

use super::descriptor::{self, DescriptorError, MAX_DESCRIPTOR_BYTES, RemoteId, RemotePin};
use super::error::RemoteError;
use super::keys::{Keys, Recipient, data_key_text};
use super::log_object::{LogObject, LogObjectError, MAX_BODY_BYTES};
use super::name::{BaseName, DESCRIPTOR_NAME, LogName, SlotName};
use super::seal::{self, DataKey, OpenError, Place, Role, SEAL_OVERHEAD_BYTES};
use super::slots::{find_key, write_slots};
use super::storage::{Storage, StorageError};
use crate::model::ReplicaId;

/// The largest stored object that is read: a full body that did not compress, and its containers.
const MAX_STORED_BYTES: u64 = (MAX_BODY_BYTES + SEAL_OVERHEAD_BYTES + 64) as u64;
/// Uploads up to this are read back whole, larger ones at their end only.
const READ_BACK_BYTES: usize = 64 * 1024;

/// How a new remote is to be.
#[derive(Debug)]
pub enum CreateOptions {
    /// Objects are readable to whoever reads the storage.
    Plain,
    /// Objects are sealed; each recipient gets a key slot of the name beside it.
    Sealed {
        /// The slots: at least one, names as [`super::is_slot_name`] allows, no name twice.
        recipients: Vec<(String, Recipient)>,
    },
}

/// What one listing of a remote shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Log objects by replica and number; more than one under a number is a fork.
    pub logs: BTreeMap<ReplicaId, BTreeMap<u64, Vec<LogName>>>,
    /// Stated lengths in bytes of the log objects.
    pub length_bytes: BTreeMap<LogName, u64>,
    /// Parts of rolled bases by replica and number.
    pub bases: BTreeMap<ReplicaId, BTreeMap<u64, Vec<BaseName>>>,
    /// Stated lengths in bytes of the parts of bases.
    pub base_bytes: BTreeMap<BaseName, u64>,
    /// Names of the key slots.
    pub slots: BTreeSet<String>,
    /// Names that are none of a remote's, for example conflict copies of a mirroring program.
    pub foreign: Vec<String>,
}

impl Listing {
    /// Returns the highest number of each replica.
    pub fn newest(&self) -> BTreeMap<ReplicaId, u64> {
        let newest = |(replica, log): (&ReplicaId, &BTreeMap<u64, _>)| Some((*replica, *log.last_key_value()?.0));
        self.logs.iter().filter_map(newest).collect()
    }
}

/// A remote that was opened.
///
/// Objects are immutable and named by their content, so any number of processes may use one remote at once.
pub struct Remote {
    pub(super) storage: Box<dyn Storage>,
    pin: RemotePin,
    pub(super) key: Option<DataKey>,
    /// Whether the descriptor in the storage was compared with the pin.
    verified: AtomicBool,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Remote")
            .field("location", &self.location())
            .field("id", &self.pin.id)
            .field("sealed", &self.pin.is_sealed())
            .finish_non_exhaustive()
    }
}

impl Remote {
    /// Makes a storage a remote.
    ///
    /// Slots come first and the descriptor last: whoever sees the descriptor finds the slots. Of two who do this at
    /// once one fails with [`RemoteError::AlreadyARemote`] and takes its slots away again.
    pub fn create(storage: Box<dyn Storage>, options: &CreateOptions) -> Result<Self, RemoteError> {
        let url = storage.location();
        match storage.get(DESCRIPTOR_NAME, Some(0..MAX_DESCRIPTOR_BYTES)) {
            Ok(there) if descriptor::decode(&there) == Err(DescriptorError::Torn) => {
                return Err(RemoteError::Torn {
                    name: DESCRIPTOR_NAME.to_owned(),
                });
            }
            Ok(_) => return Err(RemoteError::AlreadyARemote { url }),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        let id = RemoteId::from_bytes(super::random().map_err(RemoteError::Seal)?);
        let mut written = Vec::new();
        let key = match options {
            CreateOptions::Plain => None,
            CreateOptions::Sealed { recipients } => {
                let key = DataKey::new(Box::new(super::random().map_err(RemoteError::Seal)?));
                written = write_slots(&*storage, &key, recipients)?;
                Some(key)
            }
        };
        let pin = RemotePin {
            id,
            commitment: key.as_ref().map(|key| key.commitment(&id)),
        };
        if let Err(error) = write_descriptor(&*storage, &pin) {
            for name in written {
                // A slot that stays is harmless: it fits no descriptor and is passed over.
                let _leftover = storage.delete(&name);
            }
            return Err(error);
        }
        Ok(Self::new(storage, pin, key, true))
    }

    /// Opens a remote that was not seen before. Keep [`Self::pin`] and use [`Self::open_known`] from then on.
    ///
    /// A plain remote opens without keys only; with keys it is [`RemoteError::NotSealed`].
    pub fn open(storage: Box<dyn Storage>, keys: &Keys) -> Result<Self, RemoteError> {
        let pin = read_descriptor(&*storage)?;
        Self::unlock(storage, pin, keys)
    }

    /// Opens a remote that was seen before; another one in its place is [`RemoteError::Replaced`].
    ///
    /// With the kept data key among `keys` ([`Self::data_key_text`]) or for a plain remote this asks nothing of the
    /// storage: [`Self::list`] shows whether a remote is there, and the first use of an object whether it is this one.
    pub fn open_known(storage: Box<dyn Storage>, keys: &Keys, pin: RemotePin) -> Result<Self, RemoteError> {
        let Some(commitment) = pin.commitment else {
            return Ok(Self::new(storage, pin, None, false));
        };
        if let Some(key) = keys.data_key(|key| key.commitment(&pin.id) == commitment) {
            return Ok(Self::new(storage, pin, Some(key), false));
        }
        if read_descriptor(&*storage)? != pin {
            return Err(RemoteError::Replaced {
                url: storage.location(),
            });
        }
        Self::unlock(storage, pin, keys)
    }

    fn unlock(storage: Box<dyn Storage>, pin: RemotePin, keys: &Keys) -> Result<Self, RemoteError> {
        let Some(commitment) = pin.commitment else {
            if keys.is_empty() {
                return Ok(Self::new(storage, pin, None, true));
            }
            // Who brings a key expects secrecy; whoever owns the storage could have left the sealing away.
            return Err(RemoteError::NotSealed {
                url: storage.location(),
            });
        };
        let fits = |key: &DataKey| key.commitment(&pin.id) == commitment;
        let key = match keys.data_key(fits) {
            Some(key) => key,
            None => find_key(&*storage, keys, fits)?,
        };
        Ok(Self::new(storage, pin, Some(key), true))
    }

    fn new(storage: Box<dyn Storage>, pin: RemotePin, key: Option<DataKey>, verified: bool) -> Self {
        Self {
            storage,
            pin,
            key,
            verified: AtomicBool::new(verified),
        }
    }

    /// Checks once that the storage holds this remote: another disk may be mounted where this one was.
    pub(super) fn verify(&self) -> Result<(), RemoteError> {
        if self.verified.load(Ordering::Relaxed) {
            return Ok(());
        }
        if read_descriptor(&*self.storage)? != self.pin {
            return Err(RemoteError::Replaced { url: self.location() });
        }
        self.verified.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Names the storage for people.
    pub fn location(&self) -> String {
        self.storage.location()
    }

    /// Returns the remote's id.
    pub fn id(&self) -> RemoteId {
        self.pin.id
    }

    /// Returns whether objects are sealed.
    pub fn is_sealed(&self) -> bool {
        self.pin.is_sealed()
    }

    /// Returns what to remember, so that a replaced remote is noticed.
    pub fn pin(&self) -> RemotePin {
        self.pin
    }

    /// Returns the data key as a key file holds it, for `.dsync/keys/`; `None` for a plain remote.
    pub fn data_key_text(&self) -> Option<SecretString> {
        self.key.as_ref().map(data_key_text)
    }

    /// Lists everything, in one listing. If the descriptor is not in it and cannot be read either, this is
    /// [`RemoteError::NotARemote`]: an unmounted disk must not look like a remote that nobody has pushed to.
    pub fn list(&self) -> Result<Listing, RemoteError> {
        let mut listing = Listing::default();
        let mut described = false;
        for object in self.storage.list("")? {
            if object.name == DESCRIPTOR_NAME {
                described = true;
            } else if let Some(name) = LogName::parse(&object.name) {
                let log = listing.logs.entry(name.replica).or_default();
                log.entry(name.sequence).or_default().push(name);
                listing.length_bytes.insert(name, object.length_bytes);
            } else if let Some(name) = SlotName::parse(&object.name) {
                listing.slots.insert(name.slot);
            } else if let Some(name) = BaseName::parse(&object.name) {
                let bases = listing.bases.entry(name.0.replica).or_default();
                bases.entry(name.0.sequence).or_default().push(name);
                listing.base_bytes.insert(name, object.length_bytes);
            } else {
                listing.foreign.push(object.name);
            }
        }
        if !described && read_descriptor(&*self.storage)? != self.pin {
            return Err(RemoteError::Replaced { url: self.location() });
        }
        Ok(listing)
    }

    /// Reads a log object. [`RemoteError::Torn`] means "not there yet"; it fails nothing but itself.
    pub fn read(&self, name: &LogName) -> Result<LogObject, RemoteError> {
        self.verify()?;
        let stored = self.storage.get(&name.to_string(), Some(0..MAX_STORED_BYTES + 1))?;
        self.decode(name, &stored)
    }

    /// Decodes the stored bytes of a log object, as [`Self::read`] does with what it gets.
    pub fn decode(&self, name: &LogName, stored: &[u8]) -> Result<LogObject, RemoteError> {
        self.decode_as(Role::Log, name, &name.to_string(), stored)
    }

    /// Reads a part of a rolled base, which has the form of a log object; fails as [`Self::read`] does.
    pub fn read_base(&self, name: &BaseName) -> Result<LogObject, RemoteError> {
        self.verify()?;
        let text = name.to_string();
        let stored = self.storage.get(&text, Some(0..MAX_STORED_BYTES + 1))?;
        self.decode_as(Role::Base, &name.0, &text, &stored)
    }

    fn decode_as(&self, role: Role, name: &LogName, text: &str, stored: &[u8]) -> Result<LogObject, RemoteError> {
        if !name.fits(stored) {
            return Err(RemoteError::Torn { name: text.to_owned() });
        }
        let bound_name = name.bound_name();
        let content =
            seal::open(stored, self.key.as_ref(), self.place(role, &bound_name)).map_err(|error| match error {
                OpenError::Newer(version) => RemoteError::newer(text, u32::from(version)),
                error => RemoteError::damaged(text, &error),
            })?;
        let object = LogObject::decode(&content).map_err(|error| match error {
            LogObjectError::NewerVersion { version } => RemoteError::newer(text, u32::from(version)),
            error => RemoteError::damaged(text, &error),
        })?;
        // A plain object is bound to its name by this alone.
        if (object.replica, object.sequence) != (name.replica, name.sequence) {
            return Err(RemoteError::damaged(text, &"it names another replica or number"));
        }
        Ok(object)
    }

    /// Returns the name and the stored bytes of an object. Record both durably, then [`Self::upload`] them; after a
    /// failure upload the same bytes again, because a second preparation gives others.
    pub fn prepare(&self, object: &LogObject) -> Result<(LogName, Vec<u8>), RemoteError> {
        self.prepare_as(Role::Log, object)
    }

    /// Returns the name and the stored bytes of a part of a base, for [`Self::upload_base`].
    pub fn prepare_base(&self, part: &LogObject) -> Result<(BaseName, Vec<u8>), RemoteError> {
        let (name, stored) = self.prepare_as(Role::Base, part)?;
        Ok((BaseName(name), stored))
    }

    fn prepare_as(&self, role: Role, object: &LogObject) -> Result<(LogName, Vec<u8>), RemoteError> {
        let content = object.encode().map_err(RemoteError::Encode)?;
        let unnamed = LogName {
            replica: object.replica,
            sequence: object.sequence,
            hash: Default::default(),
        };
        let place = unnamed.bound_name();
        let stored = seal::close(&content, self.key.as_ref(), self.place(role, &place)).map_err(RemoteError::Seal)?;
        Ok((LogName::of(object.replica, object.sequence, &stored), stored))
    }

    /// Uploads prepared bytes and checks that they read back. Repeating it is harmless, and heals a torn upload.
    pub fn upload(&self, name: &LogName, stored: &[u8]) -> Result<(), RemoteError> {
        self.upload_as(name, &name.to_string(), stored)
    }

    /// Uploads a prepared part of a base as [`Self::upload`] does.
    pub fn upload_base(&self, name: &BaseName, stored: &[u8]) -> Result<(), RemoteError> {
        self.upload_as(&name.0, &name.to_string(), stored)
    }

    fn upload_as(&self, name: &LogName, text: &str, stored: &[u8]) -> Result<(), RemoteError> {
        if !name.fits(stored) {
            return Err(RemoteError::damaged(text, &"these are not the bytes of that name"));
        }
        self.verify()?;
        match self.storage.put(text, stored) {
            // The name carries the hash of these bytes, so whatever else is there under it is a torn upload.
            Err(StorageError::Exists { .. }) => {
                self.storage.delete(text)?;
                self.storage.put(text, stored)?;
            }
            result => result?,
        }
        self.read_back(text, stored)
    }

    /// Compares all of a small object, the end and the length of a large one.
    fn read_back(&self, name: &str, stored: &[u8]) -> Result<(), RemoteError> {
        let start = if stored.len() <= READ_BACK_BYTES {
            0
        } else {
            stored.len() - READ_BACK_BYTES
        };
        let range = start as u64..stored.len() as u64 + 1;
        match self.storage.get(name, Some(range)) {
            Ok(there) if Some(&there[..]) == stored.get(start..) => Ok(()),
            Ok(_) | Err(StorageError::NotFound { .. }) => Err(RemoteError::NotStored { name: name.to_owned() }),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes one's own log object, once a rolled base covers it.
    pub fn delete(&self, name: &LogName) -> Result<(), RemoteError> {
        self.verify()?;
        Ok(self.storage.delete(&name.to_string())?)
    }

    /// Deletes a part of one's own base, once a later base covers it.
    pub fn delete_base(&self, name: &BaseName) -> Result<(), RemoteError> {
        self.verify()?;
        Ok(self.storage.delete(&name.to_string())?)
    }

    fn place<'a>(&self, role: Role, name: &'a str) -> Place<'a> {
        Place {
            remote: self.pin.id,
            role,
            name,
        }
    }
}

/// Writes the descriptor; one that arrived in part is taken away again, so that creation can be repeated.
fn write_descriptor(storage: &dyn Storage, pin: &RemotePin) -> Result<(), RemoteError> {
    let bytes = descriptor::encode(pin);
    let failed = match storage.put(DESCRIPTOR_NAME, &bytes) {
        Ok(()) => RemoteError::NotStored {
            name: DESCRIPTOR_NAME.to_owned(),
        },
        Err(error) if error.is_exists() => {
            return Err(RemoteError::AlreadyARemote {
                url: storage.location(),
            });
        }
        Err(error) => error.into(),
    };
    match storage.get(DESCRIPTOR_NAME, Some(0..MAX_DESCRIPTOR_BYTES)) {
        // It may have arrived although the storage reported a failure.
        Ok(there) if there == bytes => Ok(()),
        Ok(there) if bytes.starts_with(&there) => {
            let _leftover = storage.delete(DESCRIPTOR_NAME);
            Err(failed)
        }
        _ => Err(failed),
    }
}

/// Reads what identifies the remote in `storage`.
fn read_descriptor(storage: &dyn Storage) -> Result<RemotePin, RemoteError> {
    let not_a_remote = || RemoteError::NotARemote {
        url: storage.location(),
    };
    let bytes = match storage.get(DESCRIPTOR_NAME, Some(0..MAX_DESCRIPTOR_BYTES)) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Err(not_a_remote()),
        Err(error) => return Err(error.into()),
    };
    descriptor::decode(&bytes).map_err(|error| match error {
        DescriptorError::Foreign => not_a_remote(),
        DescriptorError::Newer(version) => RemoteError::newer(DESCRIPTOR_NAME, version),
        DescriptorError::Torn => RemoteError::Torn {
            name: DESCRIPTOR_NAME.to_owned(),
        },
    })
}

const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Arc<Remote>>();
};
