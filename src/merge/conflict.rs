//! The conflict tree: what is in conflict, and which keys are united.

use std::collections::VecDeque;

use super::MergeError;
use super::history::Step;
use super::policy::{is_settings, settings_key};
use crate::delta::{Entry, State};
use crate::model::{FieldPath, Hash, RecordKey, SnapshotId, TimeMs, Value, cbor};
use crate::port::Objects;
use crate::tree;

/// What is at odds in a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictKind {
    /// Different values.
    Field,
    /// Something was removed here and written there.
    ModifyDelete,
    /// The record was given different keys; the alternatives are the keys as bytes, the path is the root.
    Key,
}

/// Who wrote an alternative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The snapshot with the write.
    pub snapshot: SnapshotId,
    /// The author's name of its system.
    pub system: String,
    /// When it was authored.
    pub time: TimeMs,
}

/// One of the values in conflict.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// The value; `None` for a removal.
    pub value: Option<Value>,
    /// Who wrote it, the latest first.
    pub writers: Vec<Writer>,
    /// Whether this is what the content tree shows.
    pub shown: bool,
}

/// Concurrent writes of one field that do not agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The record.
    pub key: RecordKey,
    /// The field; the root for the record's existence.
    pub path: FieldPath,
    /// What is at odds.
    pub kind: ConflictKind,
    /// The value that all writers had seen, if it was one.
    pub base: Option<Value>,
    /// The values, the shown one first, then by latest writer.
    pub alternatives: Vec<Alternative>,
}

/// What an alternative is, as stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Choice {
    /// The removal.
    Absent,
    /// The map that the content tree has at the path.
    ShownMap,
    /// A value; when it stands first, it is also in the content tree.
    Value(Value),
}

/// A conflict as stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StoredConflict {
    pub(super) path: FieldPath,
    pub(super) base: Option<Value>,
    pub(super) alternatives: Vec<(Choice, Vec<Writer>)>,
}

/// What the conflict tree holds for a record.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Marks {
    /// The conflicts in order of paths.
    pub(super) conflicts: Vec<StoredConflict>,
    /// The keys that are aliases of this one, in order.
    pub(super) aliases: Vec<RecordKey>,
    /// The keys that the record was given, where they differ.
    pub(super) key: Option<KeyConflict>,
}

/// Different keys that one record was given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeyConflict {
    /// The key that all writers had seen, if it was one.
    pub(super) base: Option<RecordKey>,
    /// The keys with who chose them; the first is the one that the record stands under.
    pub(super) alternatives: Vec<(RecordKey, Vec<Writer>)>,
}

impl Marks {
    /// Returns the tree's value; `None` when there is nothing to mark.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        if self.conflicts.is_empty() && self.aliases.is_empty() && self.key.is_none() {
            return None;
        }
        let aliases = self.aliases.iter().map(key_value);
        let mut parts = vec![
            Value::List(self.conflicts.iter().map(StoredConflict::to_value).collect()),
            Value::List(aliases.collect()),
        ];
        parts.extend(self.key.as_ref().map(KeyConflict::to_value));
        Some(cbor::encode(&Value::List(parts)))
    }

    /// Decodes a tree's value.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let value = cbor::decode(bytes).map_err(|_| "no canonical value")?;
        let mut parts = list(value)?.into_iter();
        let (Some(conflicts), Some(aliases), key, None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("a list of another length");
        };
        let conflicts = conflicts_of_value(conflicts)?;
        let aliases = list(aliases)?.into_iter().map(key_of).collect::<Result<Vec<_>, _>>()?;
        if !aliases.is_sorted_by(|left, right| left < right) {
            return Err("aliases are not strictly sorted");
        }
        let key = key.map(KeyConflict::from_value).transpose()?;
        Ok(Self {
            conflicts,
            aliases,
            key,
        })
    }
}

impl KeyConflict {
    fn published(self, key: &RecordKey) -> Conflict {
        let alternative = |(number, (key, writers)): (usize, (RecordKey, Vec<Writer>))| Alternative {
            value: Some(key_value(&key)),
            writers,
            shown: number == 0,
        };
        Conflict {
            key: key.clone(),
            path: FieldPath::root(),
            kind: ConflictKind::Key,
            base: self.base.as_ref().map(key_value),
            alternatives: self.alternatives.into_iter().enumerate().map(alternative).collect(),
        }
    }

    fn to_value(&self) -> Value {
        let alternatives = self.alternatives.iter().map(|(key, writers)| {
            let writers = writers.iter().map(Writer::to_value).collect();
            Value::List(vec![key_value(key), Value::List(writers)])
        });
        Value::List(vec![
            Value::List(self.base.iter().map(key_value).collect()),
            Value::List(alternatives.collect()),
        ])
    }

    fn from_value(value: Value) -> Result<Self, &'static str> {
        let [base, alternatives] = fields(value)?;
        let mut base = list(base)?.into_iter().map(key_of).collect::<Result<Vec<_>, _>>()?;
        let alternatives = list(alternatives)?
            .into_iter()
            .map(|alternative| {
                let [key, writers] = fields(alternative)?;
                Ok((key_of(key)?, writers_of(writers)?))
            })
            .collect::<Result<Vec<_>, &'static str>>()?;
        if base.len() > 1 || alternatives.len() < 2 {
            return Err("a conflict without alternatives");
        }
        Ok(Self {
            base: base.pop(),
            alternatives,
        })
    }
}

fn key_value(key: &RecordKey) -> Value {
    Value::Bytes(key.bytes().to_vec())
}

fn key_of(value: Value) -> Result<RecordKey, &'static str> {
    match value {
        Value::Bytes(key) => RecordKey::new(key).ok_or("an impossible key"),
        _ => Err("an impossible key"),
    }
}

fn writers_of(value: Value) -> Result<Vec<Writer>, &'static str> {
    list(value)?.into_iter().map(Writer::from_value).collect()
}

fn list(value: Value) -> Result<Vec<Value>, &'static str> {
    match value {
        Value::List(list) => Ok(list),
        _ => Err("no list where one belongs"),
    }
}

fn fields<const N: usize>(value: Value) -> Result<[Value; N], &'static str> {
    list(value)?.try_into().map_err(|_| "a list of another length")
}

fn text(value: Value) -> Result<String, &'static str> {
    match value {
        Value::Text(text) => Ok(text.into()),
        _ => Err("no text where one belongs"),
    }
}

impl Writer {
    /// Returns the writer that a step is.
    pub(super) fn of(step: &Step) -> Self {
        Self {
            snapshot: step.id,
            system: step.snapshot.system.clone(),
            time: step.snapshot.time,
        }
    }

    /// Returns writers in stored form, the latest first, each once.
    pub(super) fn sorted(writers: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut writers: Vec<Self> = writers.collect();
        writers.sort_by_key(|writer| std::cmp::Reverse((writer.time, writer.snapshot)));
        writers.dedup();
        writers
    }

    fn to_value(&self) -> Value {
        Value::List(vec![
            Value::Bytes(self.snapshot.0.bytes().to_vec()),
            Value::Text(self.system.clone().into()),
            Value::Integer(self.time.0),
        ])
    }

    fn from_value(value: Value) -> Result<Self, &'static str> {
        let [snapshot, system, time] = fields(value)?;
        let snapshot = match snapshot {
            Value::Bytes(bytes) => Hash::from_slice(&bytes).map(SnapshotId),
            _ => None,
        };
        Ok(Self {
            snapshot: snapshot.ok_or("no snapshot id")?,
            system: text(system)?,
            time: TimeMs(time.as_integer().ok_or("no time")?),
        })
    }
}

impl StoredConflict {
    fn to_value(&self) -> Value {
        let path = self.path.parts().iter().cloned().map(Value::Text).collect();
        let alternatives = self.alternatives.iter().map(|(choice, writers)| {
            let choice = match choice {
                Choice::Absent => vec![Value::Integer(0)],
                Choice::ShownMap => vec![Value::Integer(1)],
                Choice::Value(value) => vec![Value::Integer(2), value.clone()],
            };
            let writers = writers.iter().map(Writer::to_value).collect();
            Value::List(vec![Value::List(choice), Value::List(writers)])
        });
        Value::List(vec![
            Value::List(path),
            Value::List(self.base.iter().cloned().collect()),
            Value::List(alternatives.collect()),
        ])
    }

    fn from_value(value: Value) -> Result<Self, &'static str> {
        let [path, base, alternatives] = fields(value)?;
        let path = list(path)?.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
        let mut base = list(base)?;
        let alternatives = list(alternatives)?
            .into_iter()
            .map(|alternative| {
                let [choice, writers] = fields(alternative)?;
                let mut choice = list(choice)?.into_iter();
                let choice = match (choice.next(), choice.next(), choice.next()) {
                    (Some(Value::Integer(0)), None, None) => Choice::Absent,
                    (Some(Value::Integer(1)), None, None) => Choice::ShownMap,
                    (Some(Value::Integer(2)), Some(value), None) => Choice::Value(value),
                    _ => return Err("unknown alternative"),
                };
                Ok((choice, writers_of(writers)?))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if base.len() > 1 || alternatives.len() < 2 {
            return Err("a conflict without alternatives");
        }
        Ok(Self {
            path: FieldPath::new(path),
            base: base.pop(),
            alternatives,
        })
    }
}

/// Returns the settings' record and its conflicts.
pub(super) fn settings(
    objects: &dyn Objects,
    state: &State,
) -> Result<Option<(Value, Vec<StoredConflict>)>, MergeError> {
    let key = settings_key();
    let Some(bytes) = tree::get(objects, &state.conflicts, key.bytes())? else {
        return Ok(None);
    };
    let decoded = decode_settings(&bytes).map_err(|what| MergeError::MalformedEntry {
        key: key.to_string(),
        what,
    })?;
    Ok(Some(decoded))
}

/// Returns the bytes of the settings' record and its conflicts.
pub(super) fn encode_settings(record: Value, conflicts: &[StoredConflict]) -> Vec<u8> {
    let conflicts = conflicts.iter().map(StoredConflict::to_value).collect();
    cbor::encode(&Value::List(vec![record, Value::List(conflicts)]))
}

fn decode_settings(bytes: &[u8]) -> Result<(Value, Vec<StoredConflict>), &'static str> {
    let [record, conflicts] = fields(cbor::decode(bytes).map_err(|_| "no canonical value")?)?;
    if !record.is_map() {
        return Err("the settings are no map");
    }
    Ok((record, conflicts_of_value(conflicts)?))
}

fn conflicts_of_value(value: Value) -> Result<Vec<StoredConflict>, &'static str> {
    let all = list(value)?.into_iter().map(StoredConflict::from_value);
    let all = all.collect::<Result<Vec<_>, _>>()?;
    if all.is_sorted_by(|left, right| left.path < right.path) {
        Ok(all)
    } else {
        Err("paths are not strictly sorted")
    }
}

/// Returns what the conflict tree marks at `key`.
pub(super) fn marks(objects: &dyn Objects, state: &State, key: &RecordKey) -> Result<Marks, MergeError> {
    if is_settings(key) {
        let conflicts = settings(objects, state)?.map(|(_, conflicts)| conflicts);
        return Ok(Marks {
            conflicts: conflicts.unwrap_or_default(),
            ..Marks::default()
        });
    }
    match tree::get(objects, &state.conflicts, key.bytes())? {
        None => Ok(Marks::default()),
        Some(bytes) => decode_marks(key, &bytes),
    }
}

/// Decodes what the conflict tree marks at `key`.
pub(super) fn decode_marks(key: &RecordKey, bytes: &[u8]) -> Result<Marks, MergeError> {
    Marks::decode(bytes).map_err(|what| MergeError::MalformedEntry {
        key: key.to_string(),
        what,
    })
}

/// Returns the entry of `key` in a state.
pub fn record(objects: &dyn Objects, state: &State, key: &RecordKey) -> Result<Option<Entry>, MergeError> {
    if is_settings(key) {
        return Ok(settings(objects, state)?.map(|(record, _)| Entry::Record(record)));
    }
    match tree::get(objects, &state.content, key.bytes())? {
        None => Ok(None),
        Some(bytes) => Ok(Some(Entry::decode(&bytes)?)),
    }
}

/// Returns the key under which the record of `key` stands: the key itself unless it was united with a smaller one.
pub fn resolve_alias(objects: &dyn Objects, state: &State, key: &RecordKey) -> Result<RecordKey, MergeError> {
    let mut key = key.clone();
    // Entries lead to the smallest key at once; should one not, keys still only get smaller.
    while let Some(Entry::Alias(to)) = record(objects, state, &key)? {
        if to >= key {
            return Err(MergeError::MalformedEntry {
                key: key.to_string(),
                what: "an alias of a larger key",
            });
        }
        key = to;
    }
    Ok(key)
}

/// Counts the records of a state; keys that are united with another are none.
pub fn record_count(objects: &dyn Objects, state: &State) -> Result<u64, MergeError> {
    let entries = tree::count(objects, &state.content)?;
    Ok(entries.saturating_sub(alias_count(objects, state)?))
}

/// Counts the keys that are united with another, without reading the content.
pub fn alias_count(objects: &dyn Objects, state: &State) -> Result<u64, MergeError> {
    let mut aliases = 0u64;
    for entry in tree::iter(objects, &state.conflicts) {
        let (key, bytes) = entry?;
        if key == settings_key().bytes() {
            continue;
        }
        let marks = Marks::decode(&bytes).map_err(|what| MergeError::MalformedEntry {
            key: data_encoding::HEXLOWER.encode(&key),
            what,
        })?;
        aliases = aliases.saturating_add(marks.aliases.len() as u64);
    }
    Ok(aliases)
}

/// Walks over all conflicts of a state, by record and field.
pub fn conflicts<'a>(
    objects: &'a dyn Objects,
    state: &State,
) -> impl Iterator<Item = Result<Conflict, MergeError>> + use<'a> {
    let state = *state;
    let mut entries = tree::iter(objects, &state.conflicts);
    let mut ready = VecDeque::new();
    std::iter::from_fn(move || {
        loop {
            if let Some(conflict) = ready.pop_front() {
                return Some(Ok(conflict));
            }
            let read = match entries.next()? {
                Ok((key, bytes)) => read_entry(objects, &state, &key, &bytes),
                Err(error) => Err(error.into()),
            };
            match read {
                Ok(conflicts) => ready = conflicts.into(),
                Err(error) => return Some(Err(error)),
            }
        }
    })
}

fn read_entry(objects: &dyn Objects, state: &State, key: &[u8], bytes: &[u8]) -> Result<Vec<Conflict>, MergeError> {
    let malformed = |what| MergeError::MalformedEntry {
        key: data_encoding::HEXLOWER.encode(key),
        what,
    };
    let key = RecordKey::new(key).ok_or_else(|| malformed("an impossible key"))?;
    let marks = if is_settings(&key) {
        marks(objects, state, &key)?
    } else {
        Marks::decode(bytes).map_err(malformed)?
    };
    published(objects, state, &key, marks)
}

/// Returns the conflicts of one record, by field.
pub fn conflicts_of(objects: &dyn Objects, state: &State, key: &RecordKey) -> Result<Vec<Conflict>, MergeError> {
    published(objects, state, key, marks(objects, state, key)?)
}

fn published(objects: &dyn Objects, state: &State, key: &RecordKey, marks: Marks) -> Result<Vec<Conflict>, MergeError> {
    let mut all: Vec<Conflict> = marks.key.map(|conflict| conflict.published(key)).into_iter().collect();
    if marks.conflicts.is_empty() {
        return Ok(all);
    }
    let record = record(objects, state, key)?.and_then(Entry::into_record);
    let publish = |stored: StoredConflict| {
        let is_removal = |(choice, _): &(Choice, Vec<Writer>)| matches!(choice, Choice::Absent);
        let kind = if stored.alternatives.iter().any(is_removal) {
            ConflictKind::ModifyDelete
        } else {
            ConflictKind::Field
        };
        let alternatives = stored
            .alternatives
            .into_iter()
            .enumerate()
            .map(|(number, (choice, writers))| Alternative {
                value: match choice {
                    Choice::Absent => None,
                    Choice::ShownMap => record.as_ref().and_then(|record| record.at(&stored.path)).cloned(),
                    Choice::Value(value) => Some(value),
                },
                writers,
                shown: number == 0,
            })
            .collect();
        Conflict {
            key: key.clone(),
            path: stored.path,
            kind,
            base: stored.base,
            alternatives,
        }
    };
    all.extend(marks.conflicts.into_iter().map(publish));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_keep_their_content_and_refuse_damage() {
        let writer = |n: u8| Writer {
            snapshot: SnapshotId(Hash::from_bytes([n; 32])),
            system: format!("system {n}"),
            time: TimeMs(i64::from(n)),
        };
        let marks = Marks {
            conflicts: vec![
                StoredConflict {
                    path: FieldPath::root(),
                    base: None,
                    alternatives: vec![(Choice::ShownMap, vec![writer(1)]), (Choice::Absent, vec![writer(2)])],
                },
                StoredConflict {
                    path: FieldPath::new(["a", "b"]),
                    base: Some(1.into()),
                    alternatives: vec![
                        (Choice::Value(2.into()), vec![writer(1), writer(3)]),
                        (Choice::Value("x".into()), vec![writer(2)]),
                    ],
                },
            ],
            aliases: vec![RecordKey::new([1]).unwrap(), RecordKey::new([2]).unwrap()],
            key: Some(KeyConflict {
                base: Some(RecordKey::new([3]).unwrap()),
                alternatives: vec![
                    (RecordKey::new([4]).unwrap(), vec![writer(1)]),
                    (RecordKey::new([5]).unwrap(), vec![writer(2)]),
                ],
            }),
        };
        let bytes = marks.encode().unwrap();
        assert_eq!(Marks::decode(&bytes), Ok(marks));
        assert_eq!(Marks::default().encode(), None);
        for end in 0..bytes.len() {
            assert!(Marks::decode(&bytes[..end]).is_err());
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                if let Ok(marks) = Marks::decode(&damaged) {
                    assert_eq!(marks.encode().unwrap(), damaged);
                }
            }
        }
    }
}
