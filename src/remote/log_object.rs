//! The content of a log object: one push of a replica.
//!
//! Byte table in `formats/SPEC.md`, "Log objects". Hashes of the contained objects are not stored: the reader
//! computes them, so that no object can claim an address that it does not have.

use std::collections::BTreeMap;

use super::name::LogName;
use super::wire::{Reader, WireError, bytes_into, number_into, signed_into};
use crate::model::{Domain, Hash, ReplicaId, SnapshotId, TimeMs};

/// The version of the encoding.
const VERSION: u8 = 1;
/// The body follows as it is.
const RAW: u8 = 0;
/// The body follows as one zstd frame, its length before it.
const ZSTD: u8 = 1;
/// The largest body, before compression. A push that is larger is cut into parts by who makes it.
pub const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;
/// The size at which a push should be cut into parts (chosen: a retry then repeats little, making one takes a few times
/// that much memory, a listing stays short).
pub const PART_TARGET_BYTES: usize = 4 * 1024 * 1024;
/// Bodies below this are compressed harder (level 9 takes about 30 ms for 1 MiB).
const SMALL_BODY_BYTES: usize = 1024 * 1024;
const SMALL_LEVEL: i32 = 9;
const LARGE_LEVEL: i32 = 3;
/// The longest name of a system, collection or kind in bytes.
const MAX_NAME_BYTES: usize = 255;

/// A log object cannot be encoded or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogObjectError {
    /// The bytes are not what any program writes.
    #[error("damaged at byte {offset}")]
    Damaged {
        /// Where, from the start of the body.
        offset: usize,
    },
    /// A newer program wrote it.
    #[error("written by a newer program (encoding version {version})")]
    NewerVersion {
        /// The version that it has.
        version: u8,
    },
    /// It is larger than the limit.
    #[error("larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A field breaks a rule of the encoding.
    #[error("{field} cannot be encoded")]
    Invalid {
        /// Which.
        field: &'static str,
    },
}

impl From<WireError> for LogObjectError {
    fn from(error: WireError) -> Self {
        Self::Damaged { offset: error.offset }
    }
}

/// Which part of a push an object is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// One that counts only once the last one names it.
    Piece {
        /// Which, from 1.
        number: u32,
        /// How many there are, the last included.
        count: u32,
    },
    /// The last, which makes the push visible. It lists the pieces before it, all of the same replica.
    Last {
        /// The pieces, in order.
        pieces: Vec<LogName>,
    },
}

/// What a replica says about one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionHeads {
    /// The collection's name.
    pub name: String,
    /// The name of the kind of its records (a text: a reader may not know the kind).
    pub kind: String,
    /// The heads as pushed.
    pub heads: Vec<SnapshotId>,
}

/// One push of a replica, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogObject {
    /// Who pushes.
    pub replica: ReplicaId,
    /// Its number, at most [`super::MAX_SEQUENCE`].
    pub sequence: u64,
    /// Ids that this store had before and does not write under any more, sorted.
    pub predecessors: Vec<ReplicaId>,
    /// What people call the system.
    pub system: String,
    /// When it was made.
    pub time: TimeMs,
    /// The highest number seen of other replicas, where it changed since the object before.
    pub seen: BTreeMap<ReplicaId, u64>,
    /// What a rolled base covers that this replica found right, where it is another than before: per replica the
    /// highest number.
    pub acknowledged: BTreeMap<ReplicaId, u64>,
    /// Replicas that are not waited for any more, with the highest number taken in from each; told as
    /// [`Self::acknowledged`] is.
    pub forgotten: BTreeMap<ReplicaId, u64>,
    /// Collections whose heads changed since the object before.
    pub collections: Vec<CollectionHeads>,
    /// Which part of a push this is.
    pub part: Part,
    /// Snapshots, difference sets, blobs.
    pub objects: Vec<(Domain, Vec<u8>)>,
}

impl LogObject {
    /// Returns the bytes to be sealed.
    pub fn encode(&self) -> Result<Vec<u8>, LogObjectError> {
        let body = self.body()?;
        if body.len() > MAX_BODY_BYTES {
            return Err(LogObjectError::TooLarge {
                limit_bytes: MAX_BODY_BYTES,
            });
        }
        let level = if body.len() <= SMALL_BODY_BYTES {
            SMALL_LEVEL
        } else {
            LARGE_LEVEL
        };
        let mut out = vec![VERSION];
        // Compression fails only for lack of memory; the raw body is right in any case.
        match zstd::bulk::compress(&body, level) {
            Ok(compressed) if compressed.len() + 4 < body.len() => {
                out.push(ZSTD);
                number_into(body.len() as u64, &mut out);
                out.extend_from_slice(&compressed);
            }
            _ => {
                out.push(RAW);
                out.extend_from_slice(&body);
            }
        }
        Ok(out)
    }

    /// Reads what [`Self::encode`] wrote; errors on everything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, LogObjectError> {
        Self::decode_within(bytes, MAX_BODY_BYTES).map(|(object, _)| object)
    }

    /// Reads an object whose body has at most `limit_bytes`; returns the length of the body too.
    pub(super) fn decode_within(bytes: &[u8], limit_bytes: usize) -> Result<(Self, usize), LogObjectError> {
        let mut reader = Reader::new(bytes);
        let version = reader.byte()?;
        if version > VERSION {
            return Err(LogObjectError::NewerVersion { version });
        }
        if version == 0 {
            return Err(reader.bad().into());
        }
        match reader.byte()? {
            RAW if reader.rest().len() <= limit_bytes => Ok((Self::from_body(reader.rest())?, reader.rest().len())),
            RAW => Err(LogObjectError::TooLarge { limit_bytes }),
            ZSTD => {
                let length = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
                if length > limit_bytes {
                    return Err(LogObjectError::TooLarge { limit_bytes });
                }
                let body = decompress(reader.rest(), length).ok_or_else(|| reader.bad())?;
                Ok((Self::from_body(&body)?, length))
            }
            _ => Err(reader.bad().into()),
        }
    }

    fn body(&self) -> Result<Vec<u8>, LogObjectError> {
        let invalid = |field| LogObjectError::Invalid { field };
        if self.sequence > super::MAX_SEQUENCE {
            return Err(invalid("sequence number"));
        }
        let size: usize = self.objects.iter().map(|(_, content)| content.len() + 6).sum();
        let mut out = Vec::with_capacity(size + 256);
        out.extend_from_slice(self.replica.bytes());
        number_into(self.sequence, &mut out);
        signed_into(self.time.0, &mut out);
        name_into(&self.system, &mut out).ok_or_else(|| invalid("name of the system"))?;
        number_into(self.predecessors.len() as u64, &mut out);
        if !self.predecessors.is_sorted_by(|left, right| left < right) {
            return Err(invalid("list of predecessors"));
        }
        for predecessor in &self.predecessors {
            out.extend_from_slice(predecessor.bytes());
        }
        for numbers in [&self.seen, &self.acknowledged, &self.forgotten] {
            number_into(numbers.len() as u64, &mut out);
            for (replica, sequence) in numbers {
                out.extend_from_slice(replica.bytes());
                number_into(*sequence, &mut out);
            }
        }
        self.part_into(&mut out).ok_or_else(|| invalid("part"))?;
        number_into(self.objects.len() as u64, &mut out);
        for (domain, content) in &self.objects {
            out.push(travelling(*domain).ok_or_else(|| invalid("an object's domain"))?);
            bytes_into(content, &mut out);
        }
        self.collections_into(&mut out)
            .ok_or_else(|| invalid("name of a collection"))?;
        Ok(out)
    }

    fn part_into(&self, out: &mut Vec<u8>) -> Option<()> {
        match &self.part {
            Part::Whole => out.push(0),
            Part::Piece { number, count } => {
                if *number == 0 || number >= count {
                    return None;
                }
                out.push(1);
                number_into(u64::from(*number), out);
                number_into(u64::from(*count), out);
            }
            Part::Last { pieces } => {
                out.push(2);
                number_into(pieces.len() as u64, out);
                for piece in pieces {
                    if piece.replica != self.replica {
                        return None;
                    }
                    number_into(piece.sequence, out);
                    out.extend_from_slice(&piece.hash);
                }
            }
        }
        Some(())
    }

    fn collections_into(&self, out: &mut Vec<u8>) -> Option<()> {
        let places = snapshot_places(&self.objects);
        number_into(self.collections.len() as u64, out);
        for collection in &self.collections {
            name_into(&collection.name, out)?;
            name_into(&collection.kind, out)?;
            number_into(collection.heads.len() as u64, out);
            for head in &collection.heads {
                // A head that is in this object costs a byte instead of 33.
                if let Some(place) = places.get(&head.0) {
                    number_into(place + 1, out);
                } else {
                    number_into(0, out);
                    out.extend_from_slice(head.0.bytes());
                }
            }
        }
        Some(())
    }

    fn from_body(body: &[u8]) -> Result<Self, LogObjectError> {
        let mut reader = Reader::new(body);
        let replica = ReplicaId::from_bytes(reader.array()?);
        let sequence = reader.number()?;
        if sequence > super::MAX_SEQUENCE {
            return Err(reader.bad().into());
        }
        let time = TimeMs(reader.signed()?);
        let system = name_from(&mut reader)?;
        let predecessors = reader.list(16, |reader| Ok(ReplicaId::from_bytes(reader.array()?)))?;
        if !predecessors.is_sorted_by(|left, right| left < right) {
            return Err(reader.bad().into());
        }
        let seen = numbers_from(&mut reader)?;
        let acknowledged = numbers_from(&mut reader)?;
        let forgotten = numbers_from(&mut reader)?;
        let part = part_from(&mut reader, replica)?;
        let objects = reader.list(2, |reader| {
            let domain = domain_of(reader.byte()?).ok_or_else(|| reader.bad())?;
            Ok((domain, reader.bytes()?.to_vec()))
        })?;
        let collections = collections_from(&mut reader, &objects)?;
        reader.finish()?;
        Ok(Self {
            replica,
            sequence,
            predecessors,
            system,
            time,
            seen,
            acknowledged,
            forgotten,
            collections,
            part,
            objects,
        })
    }
}

fn numbers_from(reader: &mut Reader<'_>) -> Result<BTreeMap<ReplicaId, u64>, WireError> {
    let numbers = reader.list(17, |reader| {
        Ok((ReplicaId::from_bytes(reader.array()?), reader.number()?))
    })?;
    if !numbers.is_sorted_by(|left, right| left.0 < right.0) {
        return Err(reader.bad());
    }
    Ok(numbers.into_iter().collect())
}

fn part_from(reader: &mut Reader<'_>, replica: ReplicaId) -> Result<Part, WireError> {
    match reader.byte()? {
        0 => Ok(Part::Whole),
        1 => {
            let narrow = |number: u64| u32::try_from(number).ok();
            let (number, count) = (narrow(reader.number()?), narrow(reader.number()?));
            match (number, count) {
                (Some(number), Some(count)) if number > 0 && number < count => Ok(Part::Piece { number, count }),
                _ => Err(reader.bad()),
            }
        }
        2 => {
            let pieces = reader.list(17, |reader| {
                Ok(LogName {
                    replica,
                    sequence: reader.number()?,
                    hash: reader.array()?,
                })
            })?;
            Ok(Part::Last { pieces })
        }
        _ => Err(reader.bad()),
    }
}

fn collections_from(reader: &mut Reader<'_>, objects: &[(Domain, Vec<u8>)]) -> Result<Vec<CollectionHeads>, WireError> {
    let places = snapshot_places(objects);
    let at: BTreeMap<u64, Hash> = places.iter().map(|(hash, place)| (*place, *hash)).collect();
    reader.list(3, |reader| {
        let name = name_from(reader)?;
        let kind = name_from(reader)?;
        let heads = reader.list(1, |reader| {
            if let Some(place) = reader.number()?.checked_sub(1) {
                let inside = at.get(&place).ok_or_else(|| reader.bad())?;
                return Ok(SnapshotId(*inside));
            }
            let outside = Hash::from_bytes(reader.array()?);
            if places.contains_key(&outside) {
                return Err(reader.bad());
            }
            Ok(SnapshotId(outside))
        })?;
        Ok(CollectionHeads { name, kind, heads })
    })
}

/// Where the snapshots of an object stand in its list, each at its first place.
fn snapshot_places(objects: &[(Domain, Vec<u8>)]) -> BTreeMap<Hash, u64> {
    let mut places = BTreeMap::new();
    for (place, (domain, content)) in objects.iter().enumerate() {
        if *domain == Domain::Snapshot {
            places.entry(Hash::of(*domain, content)).or_insert(place as u64);
        }
    }
    places
}

/// Returns the byte of a domain whose objects travel; the others stay in one store.
fn travelling(domain: Domain) -> Option<u8> {
    let number = domain as u8;
    (domain_of(number) == Some(domain)).then_some(number)
}

fn domain_of(number: u8) -> Option<Domain> {
    [
        Domain::Leaf,
        Domain::Inner,
        Domain::Blob,
        Domain::Snapshot,
        Domain::Delta,
        Domain::ChunkList,
    ]
    .into_iter()
    .find(|domain| *domain as u8 == number)
}

fn name_into(name: &str, out: &mut Vec<u8>) -> Option<()> {
    if name.len() > MAX_NAME_BYTES {
        return None;
    }
    bytes_into(name.as_bytes(), out);
    Some(())
}

fn name_from(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let bytes = reader.bytes()?;
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= MAX_NAME_BYTES => Ok(text.to_owned()),
        _ => Err(reader.bad()),
    }
}

/// Unpacks exactly one frame of exactly `length` bytes. One-shot decoding uses the output as its window, so
/// `length` bounds all the memory that a frame can ask for.
fn decompress(frame: &[u8], length: usize) -> Option<Vec<u8>> {
    if zstd::zstd_safe::find_frame_compressed_size(frame).ok()? != frame.len() {
        return None;
    }
    let body = zstd::bulk::decompress(frame, length).ok()?;
    (body.len() == length).then_some(body)
}
