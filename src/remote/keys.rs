//! Keys of people: who may open a remote, and with what.
//!
//! A key slot is an ordinary `age` file whose content is one line, `dsync-data-key-1 <base64>`. The `age` program
//! opens it, so nobody depends on this program to get at his key.

use std::io;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::seal::DataKey;
use crate::disk::{Disk, DiskError, temporary_name};

/// What stands before the key in a slot and in a kept key file.
const DATA_KEY_LABEL: &str = "dsync-data-key-1 ";
/// The first line of an OpenSSH or PEM private key.
const PRIVATE_KEY_MARK: &str = "-----BEGIN ";
/// The longest key file that is read (an RSA key of 16384 bits has 13 kB).
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;
/// Work of a passphrase slot, as the logarithm of scrypt's N: 256 MiB and about a second, the default of `age`.
pub const WORK_FACTOR: u8 = 18;
/// The most work that a slot may ask of us, 1 GiB: a storage could ask for more than the machine has.
const MAX_WORK_FACTOR: u8 = 20;

/// A key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no key of a known sort.
    #[error("`{name}` holds no age identity, OpenSSH private key or data key")]
    NotAKey {
        /// The file, or what the key was called.
        name: String,
    },
    /// The text is no recipient.
    #[error("not a recipient (`age1…`, `ssh-ed25519 …` or `ssh-rsa …`): {reason}")]
    NotARecipient {
        /// What is wrong with it.
        reason: String,
    },
    /// The key is of a sort that cannot decrypt, for example one on a hardware token.
    #[error("key `{name}` is of a sort that cannot be used: {reason}")]
    Unsupported {
        /// The file, or what the key was called.
        name: String,
        /// Which sort.
        reason: String,
    },
    /// The key is protected and no passphrase was given.
    #[error("key `{name}` needs its passphrase")]
    NeedsPassphrase {
        /// The file, or what the key was called.
        name: String,
    },
    /// The key's passphrase is another one.
    #[error("wrong passphrase for key `{name}`")]
    WrongPassphrase {
        /// The file, or what the key was called.
        name: String,
    },
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The file cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Encryption to the recipient failed.
    #[error("cannot encrypt to the recipient")]
    Encrypt {
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Whom a key slot is for.
pub struct Recipient(Target);

enum Target {
    Age(age::x25519::Recipient),
    Ssh(age::ssh::Recipient),
    Passphrase(SecretString, u8),
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Target::Age(key) => write!(formatter, "Recipient({key})"),
            Target::Ssh(key) => write!(formatter, "Recipient({key})"),
            Target::Passphrase(_, work) => write!(formatter, "Recipient(passphrase, work {work})"),
        }
    }
}

impl Recipient {
    /// Reads a public key: `age1…`, `ssh-ed25519 …` or `ssh-rsa …` (a comment behind it is ignored).
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let refuse = |reason: &str| KeyError::NotARecipient {
            reason: reason.to_owned(),
        };
        if text.starts_with("AGE-SECRET-KEY") || text.starts_with(PRIVATE_KEY_MARK) {
            return Err(refuse("this is a secret key; give the public one"));
        }
        if text.starts_with("age1") {
            return match text.parse() {
                Ok(key) => Ok(Self(Target::Age(key))),
                Err(reason) => Err(refuse(reason)),
            };
        }
        match text.parse::<age::ssh::Recipient>() {
            Ok(key) => Ok(Self(Target::Ssh(key))),
            Err(error) => {
                use age::ssh::ParseRecipientKeyError as Cause;
                Err(match error {
                    Cause::Invalid(reason) => refuse(reason),
                    Cause::RsaModulusTooLarge => refuse("the RSA key is too large"),
                    Cause::RsaModulusTooSmall => refuse("the RSA key has less than 2048 bits"),
                    Cause::Unsupported(sort) => refuse(&format!("keys of type {sort} cannot encrypt")),
                    _ => refuse("unknown type"),
                })
            }
        }
    }

    /// Makes a slot that a passphrase opens, with work 2^`work_factor` (usually [`WORK_FACTOR`]; 1 to 20).
    pub fn passphrase(passphrase: SecretString, work_factor: u8) -> Result<Self, KeyError> {
        if passphrase.expose_secret().is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        Ok(Self(Target::Passphrase(
            passphrase,
            work_factor.clamp(1, MAX_WORK_FACTOR),
        )))
    }

    /// Wraps the data key.
    pub(super) fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, KeyError> {
        let text = data_key_text(key);
        let plain = text.expose_secret().as_bytes();
        let wrapped = match &self.0 {
            Target::Age(recipient) => age::encrypt(recipient, plain),
            Target::Ssh(recipient) => age::encrypt(recipient, plain),
            Target::Passphrase(passphrase, work_factor) => {
                let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(*work_factor);
                age::encrypt(&recipient, plain)
            }
        };
        wrapped.map_err(|error| KeyError::Encrypt {
            source: io::Error::other(error.to_string()),
        })
    }
}

/// Makes a key pair: the text of an identity file that the `age` program reads too, and its public key.
pub fn generate_identity() -> (SecretString, String) {
    let identity = age::x25519::Identity::generate();
    let public = identity.to_public().to_string();
    let secret = identity.to_string();
    let text = format!("# public key: {public}\n{}\n", secret.expose_secret());
    (SecretString::from(text), public)
}

/// Writes a secret to a new file that only its owner may read; an existing key is never replaced.
pub fn write_secret(disk: &Disk, path: &Path, secret: &SecretString) -> Result<(), KeyError> {
    let temporary = temporary_name(path);
    disk.remove(&temporary)?;
    disk.create_private(&temporary, secret.expose_secret().as_bytes())?;
    if disk.rename_new(&temporary, path)? {
        return Ok(());
    }
    disk.remove(&temporary)?;
    let taken = io::Error::from(io::ErrorKind::AlreadyExists);
    Err(DiskError::new("write the key", path, taken).into())
}

/// Asks for the passphrase of the key that is named; `None` gives up.
pub type AskPassphrase<'a> = &'a mut dyn FnMut(&str) -> Option<SecretString>;

/// The keys of one person, tried on each slot in turn.
#[derive(Default)]
pub struct Keys {
    identities: Vec<Box<dyn age::Identity + Send + Sync>>,
    passphrases: Vec<SecretString>,
    kept: Vec<DataKey>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Keys")
            .field("identities", &self.identities.len())
            .field("passphrases", &self.passphrases.len())
            .field("kept", &self.kept.len())
            .finish()
    }
}

impl Keys {
    /// Returns whether there is no key at all, as for plain remotes.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty() && self.passphrases.is_empty() && self.kept.is_empty()
    }

    /// Adds a passphrase.
    pub fn add_passphrase(&mut self, passphrase: SecretString) {
        self.passphrases.push(passphrase);
    }

    /// Adds the keys in a file: age identities, an OpenSSH private key, or a data key that was kept (see
    /// [`super::Remote::data_key_text`]).
    pub fn add_file(&mut self, disk: &Disk, path: &Path, ask: AskPassphrase<'_>) -> Result<(), KeyError> {
        let name = path.display().to_string();
        let bytes = Zeroizing::new(disk.read_range(path, 0, MAX_KEY_FILE_BYTES)?);
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(KeyError::NotAKey { name });
        };
        self.add_text(text, &name, ask)
    }

    /// Adds the keys in a text; `name` is what errors and the question for a passphrase call it.
    pub fn add_text(&mut self, text: &str, name: &str, ask: AskPassphrase<'_>) -> Result<(), KeyError> {
        let not_a_key = || KeyError::NotAKey { name: name.to_owned() };
        if text.starts_with(DATA_KEY_LABEL) {
            let key = parse_data_key(text.as_bytes()).ok_or_else(not_a_key)?;
            self.kept.push(key);
            return Ok(());
        }
        if text.starts_with(PRIVATE_KEY_MARK) {
            return self.add_ssh(text, name, ask);
        }
        let identities = age::IdentityFile::from_buffer(text.as_bytes())
            .map_err(|_| not_a_key())?
            .into_identities()
            .map_err(|_| not_a_key())?;
        if identities.is_empty() {
            return Err(not_a_key());
        }
        self.identities.extend(identities);
        Ok(())
    }

    fn add_ssh(&mut self, text: &str, name: &str, ask: AskPassphrase<'_>) -> Result<(), KeyError> {
        let name = || name.to_owned();
        let identity =
            age::ssh::Identity::from_buffer(text.as_bytes(), None).map_err(|_| KeyError::NotAKey { name: name() })?;
        let identity = match identity {
            age::ssh::Identity::Unencrypted(_) => identity,
            age::ssh::Identity::Encrypted(key) => {
                let passphrase = ask(&name()).ok_or_else(|| KeyError::NeedsPassphrase { name: name() })?;
                key.decrypt(passphrase)
                    .map_err(|_| KeyError::WrongPassphrase { name: name() })?
                    .into()
            }
            age::ssh::Identity::Unsupported(sort) => {
                return Err(KeyError::Unsupported {
                    name: name(),
                    reason: format!("{sort:?}"),
                });
            }
        };
        self.identities.push(Box::new(identity));
        Ok(())
    }

    /// Returns the kept data key that `fits`, if there is one.
    pub(super) fn data_key(&self, fits: impl Fn(&DataKey) -> bool) -> Option<DataKey> {
        let key = self.kept.iter().find(|key| fits(key))?;
        Some(DataKey::copy_of(key.expose()))
    }

    /// Opens a key slot with whichever key fits.
    pub(super) fn unwrap(&self, slot: &[u8]) -> Unwrapped {
        let Ok(decryptor) = age::Decryptor::new_buffered(slot) else {
            return Unwrapped::Broken;
        };
        if !decryptor.is_scrypt() {
            let identities = self.identities.iter().map(|key| &**key as &dyn age::Identity);
            return match decryptor.decrypt(identities) {
                Ok(reader) => read_data_key(reader),
                Err(age::DecryptError::NoMatchingKeys) => Unwrapped::OtherKey,
                Err(_) => Unwrapped::Broken,
            };
        }
        if self.passphrases.is_empty() {
            return Unwrapped::OtherKey;
        }
        for passphrase in &self.passphrases {
            let mut identity = age::scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(MAX_WORK_FACTOR);
            let Ok(decryptor) = age::Decryptor::new_buffered(slot) else {
                return Unwrapped::Broken;
            };
            match decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)) {
                Ok(reader) => return read_data_key(reader),
                Err(age::DecryptError::ExcessiveWork { .. }) => return Unwrapped::Broken,
                Err(_) => {}
            }
        }
        Unwrapped::WrongPassphrase
    }
}

/// What came of trying all keys on a slot.
pub(super) enum Unwrapped {
    Key(DataKey),
    /// The slot is for somebody else.
    OtherKey,
    /// The slot is for a passphrase, and ours does not open it.
    WrongPassphrase,
    /// The slot is no age file, damaged, asks for too much work, or holds no data key.
    Broken,
}

fn read_data_key(reader: impl io::Read) -> Unwrapped {
    let mut text = Zeroizing::new(Vec::new());
    // One byte more than fits, so that something longer is seen and not cut.
    let limit = DATA_KEY_LABEL.len() as u64 + 64;
    match io::Read::read_to_end(&mut io::Read::take(reader, limit), &mut text) {
        Ok(_) => parse_data_key(&text).map_or(Unwrapped::Broken, Unwrapped::Key),
        Err(_) => Unwrapped::Broken,
    }
}

/// Writes a data key as a slot and a key file hold it.
pub(super) fn data_key_text(key: &DataKey) -> SecretString {
    let encoded = Zeroizing::new(data_encoding::BASE64.encode(key.expose()));
    SecretString::from(format!("{DATA_KEY_LABEL}{}\n", *encoded))
}

fn parse_data_key(text: &[u8]) -> Option<DataKey> {
    let encoded = text.strip_prefix(DATA_KEY_LABEL.as_bytes())?.strip_suffix(b"\n")?;
    let decoded = Zeroizing::new(data_encoding::BASE64.decode(encoded).ok()?);
    Some(DataKey::copy_of(decoded.as_slice().try_into().ok()?))
}
