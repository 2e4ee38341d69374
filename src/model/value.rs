//! Universal values.

use std::fmt;

use super::{FieldPath, Hash, Map};

/// Unicode text; up to 23 bytes stand inline, longer ones are shared by their copies.
///
/// Keys, names, phone numbers and most other texts of a record are that short, so a record costs few allocations.
pub type Text = smol_str::SmolStr;

/// A value in universal form.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A stated absence, different from a path that is not there.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A binary floating-point number. `NaN` has one canonical form.
    Float(f64),
    /// An exact decimal number in its shortest plain spelling, for example `12.50`.
    Decimal(Text),
    /// Unicode text.
    Text(Text),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// An ordered list; one leaf for diff and merge.
    List(Vec<Value>),
    /// A map; diff and merge go into it. An empty map is the same as an absent one.
    Map(Map),
    /// Text or bytes kept outside the record, by content address.
    Blob(BlobRef),
}

/// What kind of value a blob stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlobShape {
    /// Unicode text.
    Text,
    /// Raw bytes.
    Bytes,
}

/// A reference to content kept outside the record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobRef {
    /// The address of the content (domain [`super::Domain::Blob`]).
    pub hash: Hash,
    /// The length of the content in bytes.
    pub length_bytes: u64,
    /// Whether the content is text or bytes.
    pub shape: BlobShape,
}

impl Value {
    /// Returns the text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the map for changing, if this is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the number, if this is a whole number.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns whether this is a map, that is, no leaf.
    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// Returns the value at `path` below this one.
    pub fn at(&self, path: &FieldPath) -> Option<&Self> {
        let mut value = self;
        for part in path.parts() {
            value = value.as_map()?.get(part)?;
        }
        Some(value)
    }

    /// Puts `value` at `path`, making maps on the way (a leaf in the way is replaced by a map).
    pub fn set_at(&mut self, path: &FieldPath, value: Self) {
        let mut target = self;
        for part in path.parts() {
            if !target.is_map() {
                *target = Self::Map(Map::new());
            }
            let Self::Map(map) = target else { return };
            target = map.get_or_insert_with(part, || Self::Null);
        }
        *target = value;
    }

    /// Removes what is at `path` and the maps that became empty by it.
    pub fn remove_at(&mut self, path: &FieldPath) -> Option<Self> {
        fn remove(map: &mut Map, parts: &[Text]) -> Option<Value> {
            let (first, rest) = parts.split_first()?;
            if rest.is_empty() {
                return map.remove(first);
            }
            let child = map.get_mut(first)?.as_map_mut()?;
            let removed = remove(child, rest);
            if child.is_empty() {
                map.remove(first);
            }
            removed
        }
        remove(self.as_map_mut()?, path.parts())
    }

    /// Removes empty maps at every depth; two records that differ only by them become equal.
    pub fn prune(&mut self) {
        if let Self::Map(map) = self {
            for value in map.values_mut() {
                value.prune();
            }
            map.retain(|_, value| !matches!(value, Self::Map(inner) if inner.is_empty()));
        }
    }

    /// Lists every leaf with its path, in path order.
    pub fn leaves(&self) -> Vec<(FieldPath, &Self)> {
        fn walk<'a>(value: &'a Value, path: &FieldPath, out: &mut Vec<(FieldPath, &'a Value)>) {
            match value {
                Value::Map(map) => {
                    for (key, inner) in map {
                        walk(inner, &path.child(key), out);
                    }
                }
                leaf => out.push((path.clone(), leaf)),
            }
        }
        let mut out = Vec::new();
        walk(self, &FieldPath::root(), &mut out);
        out
    }

    /// Lists the leaves that `other` does not have with the same value, in path order.
    pub fn leaves_lacking_in(&self, other: &Self) -> Vec<FieldPath> {
        fn walk<'a>(value: &'a Value, other: Option<&Value>, path: &mut Vec<&'a str>, out: &mut Vec<FieldPath>) {
            match value {
                Value::Map(map) => {
                    let others = other.and_then(Value::as_map);
                    for (key, inner) in map {
                        path.push(key);
                        walk(inner, others.and_then(|others| others.get(key)), path, out);
                        path.pop();
                    }
                }
                leaf if other == Some(leaf) => {}
                _ => out.push(FieldPath::new(path.iter().copied())),
            }
        }
        let mut out = Vec::new();
        walk(self, Some(other), &mut Vec::new(), &mut out);
        out
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// The key of a record in its collection's tree: for contacts 16 bytes, at most 1024.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(Box<[u8]>);

impl RecordKey {
    /// The longest key in bytes (chosen: a key must fit into a tree node several times).
    pub const MAX_BYTES: usize = 1024;

    /// Makes a key; `None` when it is empty or longer than [`Self::MAX_BYTES`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty() && bytes.len() <= Self::MAX_BYTES).then(|| Self(bytes.into_boxed_slice()))
    }

    /// Makes the 16-byte key that stands for a native identity such as a UID.
    pub fn from_identity(identity: &str) -> Self {
        Self(Hash::of(super::Domain::Identity, identity.as_bytes()).bytes()[..16].into())
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RecordKey({self})")
    }
}

/// Makes the provisional key of the `n`-th (from 0) element of a collection that a codec has read.
///
/// A codec whose format has no element ids numbers its elements so; alignment gives them lasting ids.
pub fn provisional(n: usize) -> Text {
    if let Ok(n @ ..10_000) = u16::try_from(n) {
        // Nearly every collection is that small, and formatting takes ten times as long.
        let digit = |unit: u16| char::from(b'0' + (n / unit % 10).to_le_bytes()[0]);
        return Text::from_iter(['~', digit(1000), digit(100), digit(10), digit(1)]);
    }
    smol_str::format_smolstr!("~{n:04}")
}

/// Returns whether `key` was made by [`provisional`].
pub fn is_provisional(key: &str) -> bool {
    key.starts_with('~')
}
