//! Messages of peers: encoding and limits.

use super::error::RefusedBecause;
use crate::model::{Domain, Hash, ReplicaId, SnapshotId};
use crate::remote::log_object::{CollectionHeads, MAX_BODY_BYTES};
use crate::remote::wire::{Reader, WireError, bytes_into, number_into};

/// The versions of the protocol that this program speaks.
pub const PEER_VERSIONS: PeerVersions = PeerVersions { lowest: 1, highest: 1 };
/// The most snapshots in one [`PeerMessage::Ask`].
pub const MAX_ASKED: usize = 1024;
/// The most snapshots in one list of a [`PeerMessage::Get`].
pub const MAX_IDS: usize = 16 * 1024;
/// The most collections that a hello names.
const MAX_COLLECTIONS: usize = 16 * 1024;
/// The longest name of a system, collection or kind, and the longest version of a program, in bytes.
const MAX_NAME_BYTES: usize = 255;
/// The longest text that says why something is refused, in bytes; a longer one is cut.
const MAX_TEXT_BYTES: usize = 4096;
/// The longest body of a message that carries no objects, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// The longest body of a message that carries objects: a log object whose body did not compress.
const MAX_PACK_BODY: usize = MAX_BODY_BYTES + 64;

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// A message of a kind that there is not.
    #[error("a message of the unknown kind {0}")]
    Kind(u8),
    /// A message that is longer than one of its kind may be.
    #[error("a message of {length_bytes} bytes, which is too long for its kind")]
    Length {
        /// The length that it states.
        length_bytes: u64,
    },
    /// The body of a message breaks a rule.
    #[error("a message that is wrong at byte {offset}")]
    Body {
        /// Where, from the start of the body.
        offset: usize,
    },
}

impl From<WireError> for MessageError {
    fn from(error: WireError) -> Self {
        Self::Body { offset: error.offset }
    }
}

/// A range of versions of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerVersions {
    /// The oldest one spoken.
    pub lowest: u32,
    /// The newest one spoken.
    pub highest: u32,
}

impl PeerVersions {
    /// Returns the newest version that both speak.
    pub fn common(self, other: Self) -> Option<u32> {
        let newest = self.highest.min(other.highest);
        (newest >= self.lowest.max(other.lowest)).then_some(newest)
    }
}

impl std::fmt::Display for PeerVersions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.lowest == self.highest {
            write!(formatter, "{}", self.highest)
        } else {
            write!(formatter, "{} to {}", self.lowest, self.highest)
        }
    }
}

/// The first message of each side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerHello {
    /// The versions of the protocol that the sender speaks.
    pub versions: PeerVersions,
    /// The version of its program.
    pub program: String,
    /// The version of the format of its store.
    pub store_format: u32,
    /// Who it is; `None` where no version is spoken by both.
    pub identity: Option<PeerIdentity>,
}

/// A store as it introduces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The replica that it writes as.
    pub replica: ReplicaId,
    /// The replica that it wrote as first: copies of one store have one origin.
    pub origin: ReplicaId,
    /// What people call the system.
    pub system: String,
    /// One hash over the heads of all collections.
    pub digest: Hash,
    /// The heads; left away by who starts, and by who answers where both digests are equal.
    pub heads: Option<Vec<CollectionHeads>>,
}

/// Answers about a list, one bit each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks(pub Vec<bool>);

/// What peers say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerMessage {
    /// Who I am and where I stand.
    Hello(PeerHello),
    /// Which of these snapshots are in your history?
    Ask(Vec<SnapshotId>),
    /// These are (the answer to [`Self::Ask`]).
    Known(Marks),
    /// Send what is in the history of `want` and not in that of `have`.
    Get {
        /// Snapshots of the other side.
        want: Vec<SnapshotId>,
        /// Snapshots that are here.
        have: Vec<SnapshotId>,
    },
    /// I am going to send so much.
    Begin {
        /// Parts that will be offered or sent.
        parts: u32,
        /// Bytes of the objects in them.
        bytes: u64,
    },
    /// The objects of the next part.
    Offer(Vec<(Domain, Hash)>),
    /// These are not here (the answer to [`Self::Offer`]).
    Lacks(Marks),
    /// A part: an encoded [`crate::remote::LogObject`].
    Pack(Vec<u8>),
    /// That was all.
    End,
    /// What was sent is in my history now.
    Taken,
    /// No.
    Refused {
        /// Why, for programs.
        because: RefusedBecause,
        /// Why, for people.
        text: String,
    },
}

impl PeerMessage {
    /// Returns the number that stands for the kind of message.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 1,
            Self::Ask(_) => 2,
            Self::Known(_) => 3,
            Self::Get { .. } => 4,
            Self::Begin { .. } => 5,
            Self::Offer(_) => 6,
            Self::Lacks(_) => 7,
            Self::Pack(_) => 8,
            Self::End => 9,
            Self::Taken => 10,
            Self::Refused { .. } => 11,
        }
    }

    /// Returns the longest body that a message of a kind may have, in bytes.
    pub fn longest(kind: u8) -> Result<usize, MessageError> {
        match kind {
            1..=7 | 11 => Ok(MAX_BODY),
            8 => Ok(MAX_PACK_BODY),
            9 | 10 => Ok(0),
            kind => Err(MessageError::Kind(kind)),
        }
    }

    /// Returns the body.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Hello(hello) => hello_into(hello, &mut out),
            Self::Ask(ids) => ids_into(ids, &mut out),
            Self::Known(marks) | Self::Lacks(marks) => marks_into(marks, &mut out),
            Self::Get { want, have } => {
                ids_into(want, &mut out);
                ids_into(have, &mut out);
            }
            Self::Begin { parts, bytes } => {
                number_into(u64::from(*parts), &mut out);
                number_into(*bytes, &mut out);
            }
            Self::Offer(objects) => {
                number_into(objects.len() as u64, &mut out);
                for (domain, id) in objects {
                    out.push(*domain as u8);
                    out.extend_from_slice(id.bytes());
                }
            }
            Self::Pack(bytes) => out.extend_from_slice(bytes),
            Self::End | Self::Taken => {}
            Self::Refused { because, text } => {
                out.push(because.number());
                bytes_into(cut(text, MAX_TEXT_BYTES).as_bytes(), &mut out);
            }
        }
        out
    }

    /// Reads the body of a message of a kind.
    pub fn decode(kind: u8, body: &[u8]) -> Result<Self, MessageError> {
        if body.len() > Self::longest(kind)? {
            return Err(MessageError::Length {
                length_bytes: body.len() as u64,
            });
        }
        let mut reader = Reader::new(body);
        let message = match kind {
            // Its end is its own matter: newer programs may say more.
            1 => return Ok(Self::Hello(read_hello(&mut reader)?)),
            2 => Self::Ask(read_ids(&mut reader, MAX_ASKED)?),
            3 => Self::Known(read_marks(&mut reader)?),
            4 => Self::Get {
                want: read_ids(&mut reader, MAX_IDS)?,
                have: read_ids(&mut reader, MAX_IDS)?,
            },
            5 => Self::Begin {
                parts: u32::try_from(reader.number()?).map_err(|_| reader.bad())?,
                bytes: reader.number()?,
            },
            6 => Self::Offer(reader.list(1 + Hash::BYTES, |reader| {
                let domain = Domain::from_number(reader.byte()?).ok_or_else(|| reader.bad())?;
                Ok((domain, Hash::from_bytes(reader.array()?)))
            })?),
            7 => Self::Lacks(read_marks(&mut reader)?),
            8 => return Ok(Self::Pack(body.to_vec())),
            9 => Self::End,
            10 => Self::Taken,
            11 => Self::Refused {
                because: RefusedBecause::of_number(reader.byte()?),
                text: read_text(&mut reader, MAX_TEXT_BYTES)?,
            },
            kind => return Err(MessageError::Kind(kind)),
        };
        reader.finish()?;
        Ok(message)
    }
}

/// Returns the start of a text, of at most so many bytes.
fn cut(text: &str, limit_bytes: usize) -> &str {
    let mut end = text.len().min(limit_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn hello_into(hello: &PeerHello, out: &mut Vec<u8>) {
    number_into(u64::from(hello.versions.lowest), out);
    number_into(u64::from(hello.versions.highest), out);
    bytes_into(cut(&hello.program, MAX_NAME_BYTES).as_bytes(), out);
    number_into(u64::from(hello.store_format), out);
    let Some(identity) = &hello.identity else { return };
    out.extend_from_slice(identity.replica.bytes());
    out.extend_from_slice(identity.origin.bytes());
    bytes_into(cut(&identity.system, MAX_NAME_BYTES).as_bytes(), out);
    out.extend_from_slice(identity.digest.bytes());
    match &identity.heads {
        None => out.push(0),
        Some(heads) => {
            out.push(1);
            heads_into(heads, out);
        }
    }
}

/// Returns the hash by which two stores see that they have the same heads, given in order of name.
pub fn heads_digest(heads: &[CollectionHeads]) -> Hash {
    let mut bytes = Vec::new();
    heads_into(heads, &mut bytes);
    Hash::of(Domain::Remote, &bytes)
}

fn heads_into(heads: &[CollectionHeads], out: &mut Vec<u8>) {
    number_into(heads.len() as u64, out);
    for collection in heads {
        bytes_into(collection.name.as_bytes(), out);
        bytes_into(collection.kind.as_bytes(), out);
        ids_into(&collection.heads, out);
    }
}

fn read_hello(reader: &mut Reader<'_>) -> Result<PeerHello, MessageError> {
    let narrow = |reader: &mut Reader<'_>| u32::try_from(reader.number()?).map_err(|_| reader.bad());
    let versions = PeerVersions {
        lowest: narrow(reader)?,
        highest: narrow(reader)?,
    };
    if versions.lowest > versions.highest {
        return Err(reader.bad().into());
    }
    let program = read_text(reader, MAX_NAME_BYTES)?;
    let store_format = narrow(reader)?;
    let identity = if PEER_VERSIONS.common(versions).is_some() && !reader.rest().is_empty() {
        let identity = read_identity(reader)?;
        if versions.highest <= PEER_VERSIONS.highest {
            reader.finish()?;
        }
        Some(identity)
    } else {
        None
    };
    Ok(PeerHello {
        versions,
        program,
        store_format,
        identity,
    })
}

fn read_identity(reader: &mut Reader<'_>) -> Result<PeerIdentity, WireError> {
    Ok(PeerIdentity {
        replica: ReplicaId::from_bytes(reader.array()?),
        origin: ReplicaId::from_bytes(reader.array()?),
        system: read_text(reader, MAX_NAME_BYTES)?,
        digest: Hash::from_bytes(reader.array()?),
        heads: match reader.byte()? {
            0 => None,
            1 => {
                let heads = reader.list(3, |reader| {
                    Ok(CollectionHeads {
                        name: read_text(reader, MAX_NAME_BYTES)?,
                        kind: read_text(reader, MAX_NAME_BYTES)?,
                        heads: read_ids(reader, MAX_IDS)?,
                    })
                })?;
                let is_sorted = heads.is_sorted_by(|left, right| left.name < right.name);
                if heads.len() > MAX_COLLECTIONS || !is_sorted {
                    return Err(reader.bad());
                }
                Some(heads)
            }
            _ => return Err(reader.bad()),
        },
    })
}

fn ids_into(ids: &[SnapshotId], out: &mut Vec<u8>) {
    number_into(ids.len() as u64, out);
    for id in ids {
        out.extend_from_slice(id.0.bytes());
    }
}

fn read_ids(reader: &mut Reader<'_>, most: usize) -> Result<Vec<SnapshotId>, WireError> {
    let ids = reader.list(Hash::BYTES, |reader| Ok(SnapshotId(Hash::from_bytes(reader.array()?))))?;
    if ids.len() > most { Err(reader.bad()) } else { Ok(ids) }
}

fn marks_into(marks: &Marks, out: &mut Vec<u8>) {
    number_into(marks.0.len() as u64, out);
    for eight in marks.0.chunks(8) {
        let bits = eight.iter().enumerate();
        out.push(bits.fold(0, |byte, (at, mark)| byte | (u8::from(*mark) << at)));
    }
}

fn read_marks(reader: &mut Reader<'_>) -> Result<Marks, WireError> {
    let count = usize::try_from(reader.number()?).map_err(|_| reader.bad())?;
    let bytes = reader.take(count.div_ceil(8))?;
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| (byte >> (at % 8)) & 1 == 1);
    // One form only: what is left of the last byte is zero.
    if (count..bytes.len() * 8).any(bit) {
        return Err(reader.bad());
    }
    Ok(Marks((0..count).map(bit).collect()))
}

fn read_text(reader: &mut Reader<'_>, limit_bytes: usize) -> Result<String, WireError> {
    let bytes = reader.bytes()?;
    if bytes.len() > limit_bytes {
        return Err(reader.bad());
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| reader.bad())
}
