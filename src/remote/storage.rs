//! The port: four verbs, and nothing else, that any storage has.

use std::error::Error;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredObject {
    /// Its name, parts divided by `/`, without a leading `/`.
    pub name: String,
    /// Its length in bytes, as the storage states it.
    pub length_bytes: u64,
}

/// A storage did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// No object has this name (here and now: a listing may be late).
    #[error("no object `{name}`")]
    NotFound {
        /// The name asked for.
        name: String,
    },
    /// An object with this name and other bytes is there already.
    #[error("object `{name}` exists with other content")]
    Exists {
        /// The name that is taken.
        name: String,
    },
    /// The storage as a whole cannot be reached: not mounted, no network, no such host or folder.
    #[error("cannot reach `{location}`")]
    Unreachable {
        /// Where it was looked for.
        location: String,
        /// Why, where known.
        #[source]
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
    /// The storage refuses this to us.
    #[error("access to `{name}` is denied")]
    Denied {
        /// The object or location.
        name: String,
        /// Why, where known.
        #[source]
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
    /// The name breaks the rules of [`is_object_name`].
    #[error("`{name}` is not a name for an object")]
    BadName {
        /// The name.
        name: String,
    },
    /// Anything else.
    #[error("cannot {action} `{name}`")]
    Failed {
        /// What was being done.
        action: &'static str,
        /// The object or location.
        name: String,
        /// Whether trying again later may help.
        temporary: bool,
        /// Why.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl StorageError {
    /// Returns whether the same call may succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Failed { temporary, .. } => *temporary,
            Self::NotFound { .. } | Self::Exists { .. } | Self::Denied { .. } | Self::BadName { .. } => false,
        }
    }

    /// Returns whether there is no room left.
    pub fn is_full(&self) -> bool {
        let Self::Failed { source, .. } = self else {
            return false;
        };
        let mut cause: Option<&(dyn Error + 'static)> = Some(&**source);
        while let Some(inner) = cause {
            let own = inner.downcast_ref::<io::Error>();
            let shared = inner.downcast_ref::<Arc<io::Error>>().map(AsRef::as_ref);
            let kind = own.or(shared).map(io::Error::kind);
            if let Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) = kind {
                return true;
            }
            cause = inner.source();
        }
        false
    }

    /// Returns whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Returns whether another object has the name.
    pub fn is_exists(&self) -> bool {
        matches!(self, Self::Exists { .. })
    }
}

/// The result of a storage operation.
pub type StorageResult<T> = Result<T, StorageError>;

/// A dumb storage: holds named bytes and knows nothing about them.
///
/// Nothing beyond these promises may be assumed. Real storages list new objects late, keep half-written ones
/// after a failed upload, and have no locks; who reads checks what it got. [`super::conformance`] checks an adapter.
pub trait Storage: Send + Sync {
    /// Names the storage for people: a path or an address without secrets.
    fn location(&self) -> String;

    /// Lists the objects whose names start with `prefix`, in order of name. Newly put ones may appear later.
    ///
    /// Names that this program did not choose are listed too; names that start with `.` in any part are not.
    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>>;

    /// Returns an object, or the part of it in `range`: less where the object ends, nothing behind its end.
    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>>;

    /// Stores a new object. One that exists with equal bytes is success, with other bytes [`StorageError::Exists`].
    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()>;

    /// Deletes an object; one that is not there is success.
    fn delete(&self, name: &str) -> StorageResult<()>;
}

macro_rules! forward_storage {
    ($($pointer:ty),+) => {$(
        impl<S: Storage + ?Sized> Storage for $pointer {
            fn location(&self) -> String {
                (**self).location()
            }

            fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
                (**self).list(prefix)
            }

            fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
                (**self).get(name, range)
            }

            fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
                (**self).put(name, bytes)
            }

            fn delete(&self, name: &str) -> StorageResult<()> {
                (**self).delete(name)
            }
        }
    )+};
}

forward_storage!(&S, Box<S>, Arc<S>);

/// The longest part of a name in bytes (Linux, macOS and Windows allow 255; adapters add a temporary ending).
const MAX_PART_BYTES: usize = 180;

/// Returns whether `name` can be put into every storage.
///
/// Such a name has one or two parts of `a-z A-Z 0-9 . _ -`, none of which starts with `.`.
pub fn is_object_name(name: &str) -> bool {
    let mut parts = 0;
    name.split('/').all(|part| {
        parts += 1;
        parts <= 2
            && !part.is_empty()
            && part.len() <= MAX_PART_BYTES
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    })
}

/// Returns an error unless `name` is an object name.
pub(super) fn check_name(name: &str) -> StorageResult<()> {
    if is_object_name(name) {
        Ok(())
    } else {
        Err(StorageError::BadName { name: name.to_owned() })
    }
}

/// Returns the part of `bytes` that a range means: cut at the end, empty when reversed.
pub fn cut_range(bytes: &[u8], range: Option<&Range<u64>>) -> Vec<u8> {
    let Some(range) = range else { return bytes.to_vec() };
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    bytes
        .get(place(range.start)..place(range.end))
        .unwrap_or_default()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_storage_are_refused() {
        for good in ["dsync-remote", "log/0a.000000000001.ff", "key/home_2.age"] {
            assert!(is_object_name(good), "{good}");
        }
        let long = "a".repeat(MAX_PART_BYTES + 1);
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "..",
            "../a",
            "a/../b",
            "log/.tmp",
            ".DS_Store",
            "a//b",
            "a/b/c",
            "a b",
            "a\\b",
            "ä",
            "a\0",
            &long,
        ] {
            assert!(!is_object_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn ranges_are_cut_at_the_end() {
        let bytes = b"0123456789";
        assert_eq!(cut_range(bytes, None), bytes);
        assert_eq!(cut_range(bytes, Some(&(2..4))), b"23");
        assert_eq!(cut_range(bytes, Some(&(8..99))), b"89");
        assert_eq!(cut_range(bytes, Some(&(20..u64::MAX))), b"");
        let reversed = Range { start: 5, end: 2 };
        assert_eq!(cut_range(bytes, Some(&reversed)), b"");
    }
}
