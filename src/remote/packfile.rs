//! Pack files: log objects in one file that a person carries.
//!
//! Layout in `formats/SPEC.md`, "Pack files". Nothing in it is sealed; its trailer proves that it is whole, not who
//! made it.

use std::io::{self, Read, Write};

use super::log_object::{LogObject, LogObjectError, MAX_BODY_BYTES};
use crate::model::Domain;

/// The first line, readable for people; the number is the version.
const MAGIC: &[u8] = b"dsync-pack 1\n";
/// What the first line of any version starts with.
const MAGIC_NAME: &[u8] = b"dsync-pack ";
/// Bytes of an object's length.
const LENGTH_BYTES: usize = 4;
/// The most that an encoded object exceeds its body by.
const ENCODING_BYTES: usize = 16;

/// A pack file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The file is something else.
    #[error("not a pack file")]
    NotAPack,
    /// A newer program wrote it.
    #[error("written by a newer program")]
    NewerVersion,
    /// The file ends early or was changed.
    #[error("the pack file is incomplete or damaged")]
    Damaged,
    /// The content is more than was allowed.
    #[error("the pack file holds more than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// An object in it cannot be encoded or decoded.
    #[error("object {number} of the pack file")]
    Object {
        /// Which, from 1.
        number: usize,
        /// Why.
        #[source]
        source: LogObjectError,
    },
    /// Reading or writing failed.
    #[error("cannot read or write the pack file")]
    Io(#[from] io::Error),
}

/// Writes objects as a pack file.
pub fn write(objects: &[LogObject], out: &mut dyn Write) -> Result<(), PackError> {
    let mut hasher = hasher();
    let mut emit = |bytes: &[u8], out: &mut dyn Write| {
        hasher.update(bytes);
        out.write_all(bytes)
    };
    emit(MAGIC, out)?;
    for (index, object) in objects.iter().enumerate() {
        let wrap = |source| PackError::Object {
            number: index + 1,
            source,
        };
        let content = object.encode().map_err(wrap)?;
        let too_large = LogObjectError::TooLarge {
            limit_bytes: MAX_BODY_BYTES,
        };
        let length = u32::try_from(content.len()).map_err(|_| wrap(too_large))?;
        emit(&length.to_le_bytes(), out)?;
        emit(&content, out)?;
    }
    emit(&[0; LENGTH_BYTES], out)?;
    let hash = *hasher.finalize().as_bytes();
    out.write_all(&hash)?;
    Ok(out.flush()?)
}

/// Reads a pack file whose objects have together at most `limit_bytes`, unpacked. Nothing is returned before the
/// trailer is checked; bytes behind it are an error.
pub fn read(input: &mut dyn Read, limit_bytes: u64) -> Result<Vec<LogObject>, PackError> {
    let mut hasher = hasher();
    read_magic(input, &mut hasher)?;
    let mut contents = Vec::new();
    let mut left_bytes = limit_bytes;
    loop {
        let length: [u8; LENGTH_BYTES] = read_array(input)?;
        hasher.update(&length);
        let length = u64::from(u32::from_le_bytes(length));
        if length == 0 {
            break;
        }
        if length > (MAX_BODY_BYTES + ENCODING_BYTES) as u64 {
            return Err(PackError::Damaged);
        }
        left_bytes = left_bytes
            .checked_sub(length.saturating_sub(ENCODING_BYTES as u64))
            .ok_or(PackError::TooLarge { limit_bytes })?;
        let mut content = Vec::new();
        // Grows with what is really there, not with what the length claims.
        input.take(length).read_to_end(&mut content)?;
        if content.len() as u64 != length {
            return Err(PackError::Damaged);
        }
        hasher.update(&content);
        contents.push(content);
    }
    if read_array::<32>(input)? != *hasher.finalize().as_bytes() || input.read(&mut [0])? != 0 {
        return Err(PackError::Damaged);
    }
    decode_all(contents, limit_bytes)
}

fn decode_all(contents: Vec<Vec<u8>>, limit_bytes: u64) -> Result<Vec<LogObject>, PackError> {
    let mut left_bytes = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
    let mut objects = Vec::new();
    for (index, content) in contents.into_iter().enumerate() {
        let (object, body_bytes) =
            LogObject::decode_within(&content, left_bytes.min(MAX_BODY_BYTES)).map_err(|source| match source {
                LogObjectError::TooLarge { .. } if left_bytes < MAX_BODY_BYTES => PackError::TooLarge { limit_bytes },
                source => PackError::Object {
                    number: index + 1,
                    source,
                },
            })?;
        left_bytes -= body_bytes;
        objects.push(object);
    }
    Ok(objects)
}

/// Hashes as [`crate::model::Hash::of`] does, piece by piece.
fn hasher() -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[Domain::Remote as u8]);
    hasher
}

fn read_magic(input: &mut dyn Read, hasher: &mut blake3::Hasher) -> Result<(), PackError> {
    let mut start = Vec::new();
    input.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    hasher.update(&start);
    if start == MAGIC {
        Ok(())
    } else if start.len() == MAGIC.len() && start.starts_with(MAGIC_NAME) {
        Err(PackError::NewerVersion)
    } else if !start.is_empty() && MAGIC.starts_with(&start) {
        Err(PackError::Damaged)
    } else {
        Err(PackError::NotAPack)
    }
}

fn read_array<const N: usize>(input: &mut dyn Read) -> Result<[u8; N], PackError> {
    let mut array = [0; N];
    match input.read_exact(&mut array) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(PackError::Damaged),
        result => Ok(result.map(|()| array)?),
    }
}
