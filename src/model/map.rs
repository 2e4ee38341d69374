//! Maps of records: few entries, read far more often than changed.

use super::{Text, Value};

/// A map with text keys; iteration is in byte order of the keys.
///
/// Entries stand in one sorted vector: a record has tens of small maps, each of which costs one allocation this way,
/// and maps that are made in order of their keys are made without a search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map(Vec<(Text, Value)>);

impl Map {
    /// Makes an empty map.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        match self.0.last() {
            None => Err(0),
            Some((last, _)) if last.as_str() < key => Err(self.0.len()),
            Some(_) => self.0.binary_search_by(|(other, _)| other.as_str().cmp(key)),
        }
    }

    /// Returns the value under `key`.
    pub fn get(&self, key: impl AsRef<str>) -> Option<&Value> {
        let at = self.position(key.as_ref()).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Returns the value under `key` for changing.
    pub fn get_mut(&mut self, key: impl AsRef<str>) -> Option<&mut Value> {
        let at = self.position(key.as_ref()).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Returns whether there is an entry under `key`.
    pub fn contains_key(&self, key: impl AsRef<str>) -> bool {
        self.position(key.as_ref()).is_ok()
    }

    /// Puts `value` under `key` and returns what was there.
    pub fn insert(&mut self, key: impl Into<Text>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.position(&key) {
            Ok(at) => self.0.get_mut(at).map(|(_, old)| std::mem::replace(old, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// Returns the value under `key`, after putting there what `default` makes if there is none.
    pub fn get_or_insert_with(&mut self, key: &str, default: impl FnOnce() -> Value) -> &mut Value {
        let at = match self.position(key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key.into(), default()));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Removes the entry under `key` and returns its value.
    pub fn remove(&mut self, key: impl AsRef<str>) -> Option<Value> {
        let at = self.position(key.as_ref()).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Keeps only the entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&Text, &mut Value) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// Goes through the entries in order of their keys.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Goes through the entries, the values for changing.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Text, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Goes through the keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Text> + ExactSizeIterator {
        self.0.iter().map(|(key, _)| key)
    }

    /// Goes through the values in order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.0.iter().map(|(_, value)| value)
    }

    /// Goes through the values for changing.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

/// Goes through the entries of a [`Map`].
pub(crate) type Iter<'a> =
    std::iter::Map<std::slice::Iter<'a, (Text, Value)>, fn(&'a (Text, Value)) -> (&'a Text, &'a Value)>;

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Text, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Map {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Into<Text>> FromIterator<(K, Value)> for Map {
    /// Takes entries in any order; of several with one key the last counts.
    fn from_iter<T: IntoIterator<Item = (K, Value)>>(entries: T) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Into<Text>> Extend<(K, Value)> for Map {
    fn extend<T: IntoIterator<Item = (K, Value)>>(&mut self, entries: T) {
        let entries = entries.into_iter();
        let first_new = self.0.len();
        self.0.extend(entries.map(|(key, value)| (key.into(), value)));
        let from = first_new.saturating_sub(1);
        if self.0[from..]
            .windows(2)
            .all(|pair| matches!(pair, [left, right] if left.0 < right.0))
        {
            return;
        }
        // Stable, so of equal keys the last stands last, and is the one that stays.
        self.0.sort_by(|left, right| left.0.cmp(&right.0));
        self.0.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
    }
}

impl<K: Into<Text>> From<std::collections::BTreeMap<K, Value>> for Map {
    fn from(entries: std::collections::BTreeMap<K, Value>) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Into<Text>, const N: usize> From<[(K, Value); N]> for Map {
    fn from(entries: [(K, Value); N]) -> Self {
        entries.into_iter().collect()
    }
}

#[cfg(test)]
impl<K: AsRef<str>> std::ops::Index<K> for Map {
    type Output = Value;

    fn index(&self, key: K) -> &Value {
        let key = key.as_ref();
        self.get(key).unwrap_or_else(|| panic!("no entry `{key}`"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_tree_map_does(
            steps in prop::collection::vec((0u8..4, "[a-e]{0,3}", any::<i64>()), 0..60),
            more in prop::collection::vec(("[a-e]{0,3}", any::<i64>()), 0..20),
        ) {
            let (mut map, mut reference) = (Map::new(), BTreeMap::new());
            for (step, key, number) in steps {
                let value = Value::Integer(number);
                match step {
                    0 | 1 => prop_assert_eq!(map.insert(&*key, value.clone()), reference.insert(key, value)),
                    2 => prop_assert_eq!(map.remove(&key), reference.remove(&key)),
                    _ => prop_assert_eq!(map.get(&key), reference.get(&key)),
                }
            }
            let entries = |map: &Map| map.iter().map(|(key, value)| (key.to_string(), value.clone())).collect::<Vec<_>>();
            prop_assert_eq!(entries(&map), reference.clone().into_iter().collect::<Vec<_>>());
            map.extend(more.iter().map(|(key, number)| (key.as_str(), Value::Integer(*number))));
            reference.extend(more.into_iter().map(|(key, number)| (key, Value::Integer(number))));
            prop_assert_eq!(entries(&map), reference.into_iter().collect::<Vec<_>>());
        }
    }
}
