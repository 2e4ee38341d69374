//! Large values outside their records.
//!
//! A text or byte string over [`INLINE_BYTES`] stands in its record as a [`BlobRef`]. The rule looks at the
//! value alone, so that a field never changes its form because another field grew. Content over
//! [`CHUNK_MAX_BYTES`] is cut by `FastCDC` and the blob is the list of its chunks.

use super::{ObjectError, Objects};
use crate::model::{BlobRef, BlobShape, Domain, Hash, Value};

/// The longest text or byte string that stays inside its record (chosen: the p99 of notes in real address
/// books is below it, photos are above).
pub const INLINE_BYTES: usize = 512;
/// The largest content that is one object; larger content is cut.
pub const CHUNK_MAX_BYTES: usize = 64 * 1024;
/// `FastCDC` sizes for larger content (chosen: photos and notes rarely need a second chunk, large files change in few).
const CHUNK_SIZES: (usize, usize, usize) = (16 * 1024, 64 * 1024, 256 * 1024);
/// The largest blob that is read into memory (a photo or a note; files are read by chunks).
const BLOB_MAX_BYTES: u64 = 1 << 30;

/// Stores content and returns the reference to it.
pub fn put(objects: &dyn Objects, content: &[u8], shape: BlobShape) -> Result<BlobRef, ObjectError> {
    let hash = if content.len() <= CHUNK_MAX_BYTES {
        objects.put(Domain::Blob, content)?
    } else {
        let (min, normal, max) = CHUNK_SIZES;
        let mut list = Vec::new();
        for chunk in fastcdc::v2020::FastCDC::new(content, min, normal, max) {
            let piece = content
                .get(chunk.offset..chunk.offset + chunk.length)
                .unwrap_or_default();
            list.extend_from_slice(objects.put(Domain::Blob, piece)?.bytes());
        }
        objects.put(Domain::ChunkList, &list)?
    };
    Ok(BlobRef {
        hash,
        length_bytes: content.len() as u64,
        shape,
    })
}

/// Returns the addresses of all objects that a blob consists of, the blob's own first.
pub fn parts(objects: &dyn Objects, blob: &BlobRef) -> Result<Vec<Hash>, ObjectError> {
    let mut parts = vec![blob.hash];
    if blob.length_bytes > CHUNK_MAX_BYTES as u64 {
        let list = objects.get(&blob.hash)?;
        for bytes in list.chunks(Hash::BYTES) {
            parts.push(Hash::from_slice(bytes).ok_or_else(|| ObjectError::damaged(blob.hash, "chunk list"))?);
        }
    }
    Ok(parts)
}

/// Returns the content of a blob.
pub fn get(objects: &dyn Objects, blob: &BlobRef) -> Result<Vec<u8>, ObjectError> {
    let damaged = |what: &str| ObjectError::damaged(blob.hash, what);
    if blob.length_bytes > BLOB_MAX_BYTES {
        return Err(damaged("blob is larger than any field"));
    }
    let content = if blob.length_bytes <= CHUNK_MAX_BYTES as u64 {
        objects.get(&blob.hash)?.to_vec()
    } else {
        let mut content = Vec::new();
        for part in parts(objects, blob)?.iter().skip(1) {
            content.extend_from_slice(&objects.get(part)?);
            if content.len() as u64 > blob.length_bytes {
                break;
            }
        }
        content
    };
    if content.len() as u64 == blob.length_bytes {
        Ok(content)
    } else {
        Err(damaged("blob length"))
    }
}

/// Moves every large text and byte string below `value` out of it.
pub fn externalize(objects: &dyn Objects, value: &mut Value) -> Result<(), ObjectError> {
    match value {
        Value::Text(text) if text.len() > INLINE_BYTES => {
            *value = Value::Blob(put(objects, text.as_bytes(), BlobShape::Text)?);
        }
        Value::Bytes(bytes) if bytes.len() > INLINE_BYTES => {
            *value = Value::Blob(put(objects, bytes, BlobShape::Bytes)?);
        }
        Value::Map(map) => {
            for inner in map.values_mut() {
                externalize(objects, inner)?;
            }
        }
        Value::List(list) => {
            for inner in list {
                externalize(objects, inner)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Returns whether a blob is at or below `value`.
pub fn has_blob(value: &Value) -> bool {
    match value {
        Value::Blob(_) => true,
        Value::Map(map) => map.values().any(has_blob),
        Value::List(list) => list.iter().any(has_blob),
        _ => false,
    }
}

/// Puts the content of every blob below `value` back in its place.
pub fn internalize(objects: &dyn Objects, value: &mut Value) -> Result<(), ObjectError> {
    match value {
        Value::Blob(blob) => {
            let content = get(objects, blob)?;
            *value = match blob.shape {
                BlobShape::Bytes => Value::Bytes(content),
                BlobShape::Text => Value::Text(
                    String::from_utf8(content)
                        .map_err(|_| ObjectError::damaged(blob.hash, "blob text"))?
                        .into(),
                ),
            };
        }
        Value::Map(map) => {
            for inner in map.values_mut() {
                internalize(objects, inner)?;
            }
        }
        Value::List(list) => {
            for inner in list {
                internalize(objects, inner)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Lists the blobs below `value`.
pub fn references(value: &Value, out: &mut Vec<BlobRef>) {
    match value {
        Value::Blob(blob) => out.push(blob.clone()),
        Value::Map(map) => map.values().for_each(|inner| references(inner, out)),
        Value::List(list) => list.iter().for_each(|inner| references(inner, out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::MemoryObjects;

    #[test]
    fn content_of_every_size_comes_back() {
        let objects = MemoryObjects::default();
        for length in [
            0,
            1,
            INLINE_BYTES,
            INLINE_BYTES + 1,
            CHUNK_MAX_BYTES,
            CHUNK_MAX_BYTES + 1,
            900_000,
        ] {
            let bytes: Vec<u8> = (0..length).map(|i| u8::try_from(i * i % 251).unwrap()).collect();
            let mut value = Value::Map([("a".to_owned(), Value::Bytes(bytes))].into());
            let before = value.clone();
            externalize(&objects, &mut value).unwrap();
            assert_eq!(
                matches!(value.as_map().unwrap()["a"], Value::Blob(_)),
                length > INLINE_BYTES
            );
            internalize(&objects, &mut value).unwrap();
            assert_eq!(value, before);
        }
    }
}
