//! Snapshots.

use super::bytes::{Reader, put_bytes, put_number};
use super::{Counts, DeltaError, State};
use crate::model::{Domain, Hash, Kind, ReplicaId, SnapshotId, TimeMs};
use crate::port::Objects;
use crate::tree;

const OBJECT: &str = "snapshot";
/// The form of the bytes.
const VERSION: u8 = 1;
/// Bit of the flags: a message follows.
const HAS_MESSAGE: u8 = 1;
/// Bit of the flags: nothing is in conflict, and no root of conflicts follows.
const NO_CONFLICTS: u8 = 2;

/// An authored, immutable state of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The collection's name.
    pub collection: String,
    /// What its records are.
    pub kind: Kind,
    /// The heads it was authored on, sorted, each once; none for a first snapshot or a first sight.
    pub parents: Vec<SnapshotId>,
    /// One more than the greatest of the parents', 1 without parents.
    pub generation: u32,
    /// Where it was authored.
    pub replica: ReplicaId,
    /// The author's name for that system.
    pub system: String,
    /// When; decides only what of a conflict is shown.
    pub time: TimeMs,
    /// What the author says about it.
    pub message: Option<String>,
    /// What it writes: the address of a [`super::Delta`].
    pub delta: Hash,
    /// The merged state of the parents after that.
    pub result: State,
    /// How many records it writes.
    pub counts: Counts,
    /// How many entries the result's content has, aliases among them.
    pub records: u64,
}

impl Snapshot {
    /// The greatest number of parents (chosen; heads are few).
    pub const MAX_PARENTS: usize = 4096;
    /// The longest name of a collection or system, in bytes.
    pub const MAX_NAME_BYTES: usize = 255;
    /// The longest message, in bytes.
    pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

    /// Returns the canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let no_conflicts = self.result.conflicts == tree::empty_root();
        let mut flags = 0;
        if self.message.is_some() {
            flags |= HAS_MESSAGE;
        }
        if no_conflicts {
            flags |= NO_CONFLICTS;
        }
        let mut out = vec![VERSION, flags];
        put_bytes(self.collection.as_bytes(), &mut out);
        put_bytes(self.kind.name().as_bytes(), &mut out);
        put_number(self.parents.len() as u64, &mut out);
        for parent in &self.parents {
            out.extend_from_slice(parent.0.bytes());
        }
        put_number(u64::from(self.generation), &mut out);
        out.extend_from_slice(self.replica.bytes());
        put_bytes(self.system.as_bytes(), &mut out);
        // Times before 1970 are rare, so the sign stands in the lowest bit.
        let zigzag = (self.time.0 << 1) ^ (self.time.0 >> 63);
        put_number(zigzag.cast_unsigned(), &mut out);
        if let Some(message) = &self.message {
            put_bytes(message.as_bytes(), &mut out);
        }
        out.extend_from_slice(self.delta.bytes());
        out.extend_from_slice(self.result.content.bytes());
        if !no_conflicts {
            out.extend_from_slice(self.result.conflicts.bytes());
        }
        for number in [
            self.counts.added,
            self.counts.changed,
            self.counts.removed,
            self.counts.renamed,
            self.records,
        ] {
            put_number(number, &mut out);
        }
        out
    }

    /// Decodes canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DeltaError> {
        let mut reader = Reader::new(bytes, OBJECT);
        if reader.byte()? != VERSION {
            return Err(reader.error("unknown version"));
        }
        let flags = reader.byte()?;
        if flags & !(HAS_MESSAGE | NO_CONFLICTS) != 0 {
            return Err(reader.error("unknown flags"));
        }
        let collection = reader.text(Self::MAX_NAME_BYTES, "a name is too long")?;
        let kind = reader
            .text(Self::MAX_NAME_BYTES, "a name is too long")?
            .parse()
            .map_err(|_| reader.error("unknown kind of records"))?;
        let count = reader.limited(Self::MAX_PARENTS, "too many parents")?;
        let parents = (0..count)
            .map(|_| Ok(SnapshotId(Hash::from_bytes(reader.array()?))))
            .collect::<Result<Vec<_>, DeltaError>>()?;
        if !parents.is_sorted_by(|left, right| left < right) {
            return Err(reader.error("parents are not strictly sorted"));
        }
        let generation = u32::try_from(reader.number()?).map_err(|_| reader.error("the generation is too large"))?;
        let replica = ReplicaId::from_bytes(reader.array()?);
        let system = reader.text(Self::MAX_NAME_BYTES, "a name is too long")?;
        let zigzag = reader.number()?;
        let time = TimeMs((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed());
        let message = if flags & HAS_MESSAGE == 0 {
            None
        } else {
            Some(reader.text(Self::MAX_MESSAGE_BYTES, "the message is too long")?)
        };
        let delta = Hash::from_bytes(reader.array()?);
        let content = Hash::from_bytes(reader.array()?);
        let conflicts = if flags & NO_CONFLICTS == 0 {
            let root = Hash::from_bytes(reader.array()?);
            if root == tree::empty_root() {
                return Err(reader.error("an empty root is written out"));
            }
            root
        } else {
            tree::empty_root()
        };
        let counts = Counts {
            added: reader.number()?,
            changed: reader.number()?,
            removed: reader.number()?,
            renamed: reader.number()?,
        };
        let records = reader.number()?;
        reader.end()?;
        Ok(Self {
            collection,
            kind,
            parents,
            generation,
            replica,
            system,
            time,
            message,
            delta,
            result: State { content, conflicts },
            counts,
            records,
        })
    }

    /// Returns the snapshot's id.
    pub fn id(&self) -> SnapshotId {
        SnapshotId(Hash::of(Domain::Snapshot, &self.encode()))
    }

    /// Stores the snapshot and returns its id; an error when a limit is passed.
    pub fn write(&self, objects: &dyn Objects) -> Result<SnapshotId, DeltaError> {
        let bytes = self.encode();
        // The decoder is the judge of every limit.
        Self::decode(&bytes)?;
        Ok(SnapshotId(objects.put(Domain::Snapshot, &bytes)?))
    }

    /// Reads the snapshot with the given id.
    pub fn read(objects: &dyn Objects, id: &SnapshotId) -> Result<Self, DeltaError> {
        Self::decode(&objects.get(&id.0)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            collection: "contacts".to_owned(),
            kind: Kind::Contact,
            parents: vec![SnapshotId(Hash::from_bytes([1; 32]))],
            generation: 1000,
            replica: ReplicaId::from_bytes([2; 16]),
            system: "laptop".to_owned(),
            time: TimeMs(1_790_000_000_000),
            message: None,
            delta: Hash::from_bytes([3; 32]),
            result: State {
                content: Hash::from_bytes([4; 32]),
                conflicts: tree::empty_root(),
            },
            counts: Counts {
                changed: 1,
                ..Counts::default()
            },
            records: 10_000,
        }
    }

    #[test]
    fn a_small_snapshot_is_small() {
        let mut snapshot = snapshot();
        assert!(snapshot.encode().len() <= 170, "{}", snapshot.encode().len());
        snapshot.result.conflicts = Hash::from_bytes([5; 32]);
        assert!(snapshot.encode().len() <= 200, "{}", snapshot.encode().len());
    }

    proptest! {
        #[test]
        fn decode_inverts_encode(
            parents in proptest::collection::btree_set(any::<[u8; 32]>(), 0..4),
            time in any::<i64>(),
            message in proptest::option::of(".{0,20}"),
            conflicts in proptest::option::of(any::<[u8; 32]>()),
            numbers in any::<[u64; 5]>(),
            flip in (any::<prop::sample::Index>(), 0u8..8),
        ) {
            let snapshot = Snapshot {
                parents: parents.into_iter().map(|id| SnapshotId(Hash::from_bytes(id))).collect(),
                time: TimeMs(time),
                message,
                result: State {
                    content: Hash::from_bytes([4; 32]),
                    conflicts: conflicts.map_or_else(tree::empty_root, Hash::from_bytes),
                },
                counts: Counts { added: numbers[0], changed: numbers[1], removed: numbers[2], renamed: numbers[3] },
                records: numbers[4],
                ..snapshot()
            };
            let bytes = snapshot.encode();
            prop_assert_eq!(Snapshot::decode(&bytes).unwrap(), snapshot);
            for end in 0..bytes.len() {
                prop_assert!(Snapshot::decode(&bytes[..end]).is_err());
            }
            let mut damaged = bytes;
            let at = flip.0.index(damaged.len());
            damaged[at] ^= 1 << flip.1;
            if let Ok(read) = Snapshot::decode(&damaged) {
                prop_assert_eq!(read.encode(), damaged);
            }
        }
    }

    #[test]
    fn a_snapshot_has_these_bytes() {
        let snapshot = Snapshot {
            message: Some("hi".to_owned()),
            time: TimeMs(-2),
            ..snapshot()
        };
        let ids = |n: &str, count: usize| n.repeat(count);
        let wanted = [
            "0103",
            "08636f6e7461637473",
            "07636f6e74616374",
            "01",
            &ids("01", 32),
            "e807",
            &ids("02", 16),
            "066c6170746f70",
            "03",
            "026869",
            &ids("03", 32),
            &ids("04", 32),
            "00010000",
            "904e",
        ];
        assert_eq!(data_encoding::HEXLOWER.encode(&snapshot.encode()), wanted.concat());
    }

    #[test]
    fn limits_hold_when_writing() {
        let objects = crate::port::MemoryObjects::default();
        let long = Snapshot {
            system: "x".repeat(256),
            ..snapshot()
        };
        assert!(long.write(&objects).is_err());
        let id = snapshot().write(&objects).unwrap();
        assert_eq!(id, snapshot().id());
        assert_eq!(Snapshot::read(&objects, &id).unwrap(), snapshot());
    }
}
