//! Places: a file with many items, or a folder with a file per item.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::SourceError;
use crate::disk::{Disk, DiskResult, Stat};
use crate::model::{Domain, Hash, TimeMs};

/// A file system may stamp a later write with the same time for this long (FAT counts two seconds), so a state
/// younger than this when it was read is read again (git calls it racily clean).
const RACY_NS: i128 = 2_000_000_000;

/// Where the items of a source lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One file.
    File(PathBuf),
    /// The files with one ending directly in a folder.
    Folder {
        /// The folder.
        path: PathBuf,
        /// The ending, without the dot.
        extension: String,
    },
}

/// A file of a source, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Its name relative to the place; empty for a [`Place::File`].
    pub name: String,
    /// The hash of its bytes, when the cache knows it for this state.
    pub hash: Option<Hash>,
}

impl Place {
    /// Returns the path of the place.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Folder { path, .. } => path,
        }
    }

    /// Returns the path of one of its files.
    pub fn file_path(&self, name: &str) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Folder { path, .. } => path.join(name),
        }
    }

    /// Lists the files with what the cache knows of them, in order of name; an error when the place is gone.
    pub fn files(&self, disk: &Disk, cache: &StatCache) -> Result<Vec<FileState>, SourceError> {
        let missing = || SourceError::Missing(self.path().display().to_string());
        if let Self::Folder { path, extension } = self
            && cache.files.is_empty()
        {
            // Nothing is known that a look at each file could confirm.
            if !disk.is_dir(path) {
                return Err(missing());
            }
            let names = disk.names(path)?;
            let items = names
                .iter()
                .filter_map(|name| item_file_name(Path::new(name), extension));
            return Ok(items.map(|name| FileState { name, hash: None }).collect());
        }
        let found: Vec<(String, Stat)> = match self {
            Self::File(path) => vec![(String::new(), disk.stat(path)?.ok_or_else(missing)?)],
            Self::Folder { path, extension } => {
                if !disk.is_dir(path) {
                    return Err(missing());
                }
                let listed = disk.list(path)?.into_iter();
                listed
                    .filter_map(|(file, stat)| Some((item_file_name(&file, extension)?, stat)))
                    .collect()
            }
        };
        Ok(found
            .into_iter()
            .map(|(name, stat)| {
                let hash = cache.hash(&name, &stat);
                FileState { name, hash }
            })
            .collect())
    }
}

/// Returns the name of a file of a folder source; `None` for hidden files, other endings and names that are no text.
fn item_file_name(path: &Path, extension: &str) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let ending = path.extension()?.to_str()?;
    (!name.starts_with('.') && ending.eq_ignore_ascii_case(extension)).then(|| name.to_owned())
}

/// The first bytes of the cache; another version has others and is not read.
const CACHE_MAGIC: &[u8] = b"dsync stat 2\n";

/// The rest of the cache's bytes.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*array)
    }
}

/// What files were when their bytes were last hashed. A cache: losing it costs time, nothing else.
#[derive(Debug, Clone, Default)]
pub struct StatCache {
    files: BTreeMap<String, CachedFile>,
    /// The trees of files and of items that the source agreed with when it was last looked at, if it did.
    agreed: Option<(Hash, Hash)>,
    changed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct CachedFile {
    stat: Stat,
    hash: Hash,
    read_ns: i128,
}

impl StatCache {
    /// Reads the cache; an unreadable one is an empty one.
    pub fn load(disk: &Disk, path: &Path) -> Self {
        let bytes = disk.read(path).unwrap_or_default();
        Self::decode(&bytes).unwrap_or_default()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader {
            bytes: bytes.strip_prefix(CACHE_MAGIC)?,
        };
        let agreed = match reader.array()? {
            [0] => None,
            _ => Some((Hash::from_bytes(reader.array()?), Hash::from_bytes(reader.array()?))),
        };
        let mut files = BTreeMap::new();
        while !reader.bytes.is_empty() {
            let length = usize::from(u16::from_le_bytes(reader.array()?));
            let (name, rest) = reader.bytes.split_at_checked(length)?;
            reader.bytes = rest;
            let file = CachedFile {
                stat: Stat {
                    length_bytes: u64::from_le_bytes(reader.array()?),
                    modified_ns: i128::from_le_bytes(reader.array()?),
                    changed_ns: i128::from_le_bytes(reader.array()?),
                    inode: u64::from_le_bytes(reader.array()?),
                    device: u64::from_le_bytes(reader.array()?),
                },
                hash: Hash::from_bytes(reader.array()?),
                read_ns: i128::from_le_bytes(reader.array()?),
            };
            files.insert(std::str::from_utf8(name).ok()?.to_owned(), file);
        }
        Some(Self {
            files,
            agreed,
            changed: false,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = CACHE_MAGIC.to_vec();
        out.push(u8::from(self.agreed.is_some()));
        if let Some((files, items)) = &self.agreed {
            out.extend_from_slice(files.bytes());
            out.extend_from_slice(items.bytes());
        }
        for (name, file) in &self.files {
            // No file system has longer names; such a file is simply read each time.
            let Ok(length) = u16::try_from(name.len()) else {
                continue;
            };
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(&file.stat.length_bytes.to_le_bytes());
            out.extend_from_slice(&file.stat.modified_ns.to_le_bytes());
            out.extend_from_slice(&file.stat.changed_ns.to_le_bytes());
            out.extend_from_slice(&file.stat.inode.to_le_bytes());
            out.extend_from_slice(&file.stat.device.to_le_bytes());
            out.extend_from_slice(file.hash.bytes());
            out.extend_from_slice(&file.read_ns.to_le_bytes());
        }
        out
    }

    /// Remembers that the files are those of the tree `files`, all readable, and that no item of the tree `items` waits
    /// for anything; or that it is not so.
    pub fn set_agreed(&mut self, agreed: Option<(Hash, Hash)>) {
        self.changed |= self.agreed != agreed;
        self.agreed = agreed;
    }

    /// Returns whether the place is as it was when it agreed with these trees, by what the file system says.
    pub fn still_agrees(&self, disk: &Disk, place: &Place, files: &Hash, items: &Hash) -> Result<bool, SourceError> {
        if self.agreed != Some((*files, *items)) {
            return Ok(false);
        }
        let states = place.files(disk, self)?;
        Ok(states.len() == self.files.len() && states.iter().all(|state| state.hash.is_some()))
    }

    /// Writes the cache if it changed.
    pub fn save(&self, disk: &Disk, path: &Path) -> DiskResult<()> {
        if !self.changed {
            return Ok(());
        }
        disk.replace(path, &self.encode())
    }

    fn hash(&self, name: &str, stat: &Stat) -> Option<Hash> {
        let known = self.files.get(name)?;
        let settled = known.read_ns - stat.modified_ns.max(stat.changed_ns) > RACY_NS;
        (settled && known.stat == *stat).then_some(known.hash)
    }

    /// Remembers that a file in this state, read at `now`, has these bytes.
    pub fn remember(&mut self, name: &str, stat: Stat, hash: Hash, now: TimeMs) {
        let file = CachedFile {
            stat,
            hash,
            read_ns: i128::from(now.0) * 1_000_000,
        };
        if let Some(known) = self.files.get(name) {
            let settled = known.read_ns - stat.modified_ns.max(stat.changed_ns) > RACY_NS;
            if known.stat == file.stat && known.hash == file.hash && settled {
                return;
            }
        }
        self.files.insert(name.to_owned(), file);
        self.changed = true;
    }

    /// Forgets files that are gone.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let before = self.files.len();
        self.files.retain(|name, _| keep(name));
        self.changed |= self.files.len() != before;
    }
}

/// Hashes the bytes of a file.
pub(super) fn file_hash(bytes: &[u8]) -> Hash {
    Hash::of(Domain::Item, bytes)
}
