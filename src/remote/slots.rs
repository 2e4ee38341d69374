//! Key slots of a remote: each wraps its data key for one person.

use std::collections::BTreeSet;

use super::access::Remote;
use super::error::RemoteError;
use super::keys::{Keys, Recipient, Unwrapped};
use super::name::{SlotName, is_slot_name};
use super::seal::DataKey;
use super::storage::Storage;

/// The largest key slot that is read (one for an RSA key of 16384 bits has 3 kB).
const MAX_SLOT_BYTES: u64 = 64 * 1024;

impl Remote {
    /// Lists the names of the key slots.
    pub fn slots(&self) -> Result<BTreeSet<String>, RemoteError> {
        Ok(list_slots(&*self.storage)?.into_iter().map(|name| name.slot).collect())
    }

    /// Gives a recipient a key slot.
    pub fn add_slot(&self, recipient: &Recipient, slot: &str) -> Result<(), RemoteError> {
        let Some(key) = &self.key else {
            return Err(RemoteError::NotSealed { url: self.location() });
        };
        check_slot_name(slot)?;
        self.verify()?;
        if self.slots()?.contains(slot) {
            return Err(RemoteError::SlotExists { slot: slot.to_owned() });
        }
        write_slot(&*self.storage, key, slot, recipient)?;
        Ok(())
    }

    /// Deletes a key slot. Who read the data key before can still read everything: what must be kept from him
    /// needs a new remote.
    pub fn remove_slot(&self, slot: &str) -> Result<(), RemoteError> {
        self.verify()?;
        let slot_of = |slot: &str| slot.to_owned();
        let (gone, left): (Vec<_>, Vec<_>) = list_slots(&*self.storage)?
            .into_iter()
            .partition(|name| name.slot == slot);
        if gone.is_empty() {
            return Err(RemoteError::NoSuchSlot { slot: slot_of(slot) });
        }
        // A torn slot opens nothing, so it does not count as one that is left.
        let mut usable = false;
        for name in &left {
            usable = usable || read_slot(&*self.storage, name)?.is_some();
        }
        if !usable {
            return Err(RemoteError::LastSlot { slot: slot_of(slot) });
        }
        for name in gone {
            self.storage.delete(&name.to_string())?;
        }
        Ok(())
    }
}

fn check_slot_name(slot: &str) -> Result<(), RemoteError> {
    if is_slot_name(slot) {
        Ok(())
    } else {
        Err(RemoteError::BadSlotName { slot: slot.to_owned() })
    }
}

fn list_slots(storage: &dyn Storage) -> Result<Vec<SlotName>, RemoteError> {
    let objects = storage.list("key/")?;
    Ok(objects
        .iter()
        .filter_map(|object| SlotName::parse(&object.name))
        .collect())
}

/// Reads a slot; `None` when it is torn or was removed meanwhile.
fn read_slot(storage: &dyn Storage, name: &SlotName) -> Result<Option<Vec<u8>>, RemoteError> {
    match storage.get(&name.to_string(), Some(0..MAX_SLOT_BYTES)) {
        Ok(bytes) => Ok(name.fits(&bytes).then_some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn write_slots(
    storage: &dyn Storage,
    key: &DataKey,
    recipients: &[(String, Recipient)],
) -> Result<Vec<String>, RemoteError> {
    if recipients.is_empty() {
        return Err(RemoteError::NoRecipients);
    }
    let mut names = BTreeSet::new();
    for (slot, _) in recipients {
        check_slot_name(slot)?;
        if !names.insert(slot) {
            return Err(RemoteError::SlotExists { slot: slot.clone() });
        }
    }
    recipients
        .iter()
        .map(|(slot, recipient)| write_slot(storage, key, slot, recipient))
        .collect()
}

/// Writes one slot, reads it back and returns its name.
fn write_slot(storage: &dyn Storage, key: &DataKey, slot: &str, recipient: &Recipient) -> Result<String, RemoteError> {
    let bytes = recipient.wrap(key)?;
    let name = SlotName::of(slot, &bytes);
    storage.put(&name.to_string(), &bytes)?;
    match read_slot(storage, &name)? {
        Some(_) => Ok(name.to_string()),
        None => Err(RemoteError::NotStored { name: name.to_string() }),
    }
}

/// Tries the keys on every slot.
pub(super) fn find_key(
    storage: &dyn Storage,
    keys: &Keys,
    fits: impl Fn(&DataKey) -> bool,
) -> Result<DataKey, RemoteError> {
    let mut slots = Vec::new();
    let mut refused = Vec::new();
    let mut foreign = None;
    for name in list_slots(storage)? {
        let opened = match read_slot(storage, &name)? {
            Some(bytes) => keys.unwrap(&bytes),
            None => Unwrapped::Broken,
        };
        match opened {
            Unwrapped::Key(key) if fits(&key) => return Ok(key),
            Unwrapped::Key(_) => foreign = Some(name.slot.clone()),
            Unwrapped::WrongPassphrase => refused.push(name.slot.clone()),
            Unwrapped::OtherKey | Unwrapped::Broken => {}
        }
        slots.push(name.slot);
    }
    let url = storage.location();
    Err(match foreign {
        Some(slot) => RemoteError::ForeignKey { slot },
        None if refused.is_empty() => RemoteError::NoKeyFits { url, slots },
        None => RemoteError::WrongPassphrase { url, slots: refused },
    })
}
