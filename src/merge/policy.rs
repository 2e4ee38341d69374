//! What a collection decides about its conflicts, and by which versions of the rules it is kept: its settings.
//!
//! The settings are a record like any other, changed, merged and resolved in the same way, under a key that no record can
//! have. They are kept beside the marks of conflicts, not in the content, which is data alone.
//! A conflict is judged by the settings that those who wrote in it knew, all of them together. So what a conflict
//! shows depends on its writers alone, and a setting concerns what is written by those who know it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use super::MergeError;
use super::bits::Bits;
use super::conflict::record;
use super::history::Step;
use super::register::{Found, Registers, View};
use crate::delta::{Entry, FieldOperation, Operation, State};
use crate::model::{FieldPath, RecordKey, Value};
use crate::port::Objects;

/// The key of the settings: one byte, as no record has (contacts have 16, keys of rows begin otherwise).
const SETTINGS_KEY: &[u8] = &[1];
/// Where the policies stand: a map from JSON pointers to words.
const CONFLICTS: &str = "conflicts";
/// Where the versions stand: a map from names to numbers.
const VERSIONS: &str = "versions";
/// The word before the name of a system.
const PREFER: &str = "prefer ";

/// Returns the key under which transactions change the settings of a collection.
pub fn settings_key() -> RecordKey {
    RecordKey::new(SETTINGS_KEY).unwrap_or_else(|| RecordKey::from_identity("settings"))
}

pub(super) fn is_settings(key: &RecordKey) -> bool {
    key.bytes() == SETTINGS_KEY
}

/// What is done where writes of one field clash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Policy {
    /// The latest write is shown, the others stay alternatives of an open conflict. Texts of several lines are merged.
    #[default]
    Newest,
    /// As `Newest`, but what this system wrote is shown before what others did.
    Prefer(String),
    /// Texts of several lines keep the lines of all, lists the items of all; these are no conflict. Else as `Newest`.
    Union,
    /// Nothing is merged within a field: the latest write is shown, and a person decides.
    KeepBoth,
}

/// The word is no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of `newest`, `prefer SYSTEM`, `union`, `keep-both`")]
pub struct ParsePolicyError;

impl FromStr for Policy {
    type Err = ParsePolicyError;

    fn from_str(text: &str) -> Result<Self, ParsePolicyError> {
        match text {
            "newest" => Ok(Self::Newest),
            "union" => Ok(Self::Union),
            "keep-both" => Ok(Self::KeepBoth),
            // On a command line a colon is easier to type.
            _ => match text
                .strip_prefix(PREFER)
                .or(text.strip_prefix("prefer:"))
                .map(str::trim)
            {
                Some(system) if !system.is_empty() => Ok(Self::Prefer(system.to_owned())),
                _ => Err(ParsePolicyError),
            },
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => formatter.write_str("newest"),
            Self::Prefer(system) => write!(formatter, "{PREFER}{system}"),
            Self::Union => formatter.write_str("union"),
            Self::KeepBoth => formatter.write_str("keep-both"),
        }
    }
}

/// The settings of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The policies by the path at and below which they hold, in order of paths; that of the root holds everywhere else.
    pub policies: Vec<(FieldPath, Policy)>,
    /// The versions of the rules that the collection is kept by, where they were noted.
    pub versions: Vec<(String, i64)>,
}

impl Settings {
    /// The rules this program knows, and their newest versions: canonical values, trees, merging.
    pub const KNOWN: [(&'static str, i64); 3] = [("form", 1), ("splitter", 1), ("merge", 1)];

    /// Reads the settings from their record; what cannot be read is as if it were not there.
    pub fn from_record(record: Option<&Value>) -> Self {
        let part = |name: &str| record.and_then(|record| record.as_map()?.get(name)?.as_map());
        let policies = part(CONFLICTS).into_iter().flatten().filter_map(|(pointer, word)| {
            let policy = word.as_text()?.parse().ok()?;
            Some((FieldPath::parse(pointer)?, policy))
        });
        let mut policies: Vec<(FieldPath, Policy)> = policies.collect();
        policies.sort_by(|left, right| left.0.cmp(&right.0));
        let versions = part(VERSIONS).into_iter().flatten();
        Self {
            policies,
            versions: versions
                .filter_map(|(name, version)| Some((name.to_string(), version.as_integer()?)))
                .collect(),
        }
    }

    /// Returns the policy for a field: the one with the longest path.
    pub fn policy(&self, path: &FieldPath) -> &Policy {
        let holding = self.policies.iter().filter(|(above, _)| path.starts_with(above));
        let nearest = holding.max_by_key(|(above, _)| above.parts().len());
        nearest.map_or(&Policy::Newest, |(_, policy)| policy)
    }

    /// Returns a rule whose version this program does not know: its name and version.
    pub fn newer(&self) -> Option<(&str, i64)> {
        let is_known = |name: &str, version: i64| {
            let mut known = Self::KNOWN.iter();
            known.any(|(rule, newest)| *rule == name && version <= *newest)
        };
        let versions = self.versions.iter().map(|(name, version)| (name.as_str(), *version));
        versions.into_iter().find(|(name, version)| !is_known(name, *version))
    }

    /// Returns an error where the settings of a state name rules that are not known here.
    pub(super) fn check(objects: &dyn Objects, state: &State) -> Result<(), MergeError> {
        match Self::read(objects, state)?.newer() {
            Some((rule, found)) => Err(MergeError::Newer {
                rule: rule.to_owned(),
                found,
            }),
            None => Ok(()),
        }
    }

    /// Reads the settings of a state.
    pub fn read(objects: &dyn Objects, state: &State) -> Result<Self, MergeError> {
        let record = record(objects, state, &settings_key())?.and_then(Entry::into_record);
        Ok(Self::from_record(record.as_ref()))
    }

    /// Returns the operation that sets a policy for a field and all below it, the root for all, and notes the versions.
    ///
    /// `record` is the settings' record as it is.
    pub fn setting(record: Option<&Value>, path: &FieldPath, policy: &Policy) -> Operation {
        let versions = FieldPath::new([VERSIONS]);
        let mut changes = vec![FieldOperation::Set(
            FieldPath::new([CONFLICTS.to_owned(), path.to_string()]),
            policy.to_string().into(),
        )];
        if record.is_none_or(|record| record.at(&versions).is_none()) {
            let known = Self::KNOWN.map(|(name, version)| (name.to_owned(), Value::Integer(version)));
            changes.push(FieldOperation::Set(versions, Value::Map(known.into())));
        }
        if record.is_some() {
            return Operation::Change(changes);
        }
        let mut record = Value::Map(crate::model::Map::new());
        for change in changes {
            if let FieldOperation::Set(path, value) = change {
                record.set_at(&path, value);
            }
        }
        Operation::Add(record)
    }
}

/// The settings at every point of a history.
pub(super) struct Rules<'a> {
    registers: Registers<'a>,
    /// Whether they were changed since the cut.
    is_changed: bool,
    known: RefCell<HashMap<Bits, Rc<Settings>>>,
}

impl<'a> Rules<'a> {
    /// Takes the settings' record at the cut and what was done to it since, in order of steps.
    pub(super) fn new(
        objects: &'a dyn Objects,
        steps: &'a [Step],
        base: Option<&'a Value>,
        operations: &'a [(usize, Operation)],
    ) -> Self {
        let mut registers = Registers::new(objects, steps, base, &[]);
        for (step, operation) in operations {
            registers.add(*step, 0, operation);
        }
        Self {
            registers,
            is_changed: !operations.is_empty(),
            known: RefCell::default(),
        }
    }

    /// Returns the settings that some steps know, each with all before it.
    pub(super) fn known_to(&self, steps: impl Iterator<Item = usize>) -> Result<Rc<Settings>, MergeError> {
        let mut seen = Bits::default();
        if self.is_changed {
            for number in steps {
                if let Some(step) = self.registers.steps.get(number) {
                    seen.union(&step.ancestors);
                    seen.insert(number);
                }
            }
        }
        if let Some(known) = self.known.borrow().get(&seen) {
            return Ok(Rc::clone(known));
        }
        let record = self
            .registers
            .evaluate(&View::of(Some(seen.clone()), None), &mut Found::default())?;
        let settings = Rc::new(Settings::from_record(record.as_ref()));
        self.known.borrow_mut().insert(seen, Rc::clone(&settings));
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_policies_are_read_as_they_are_written() {
        for policy in [
            Policy::Newest,
            Policy::Prefer("my laptop".to_owned()),
            Policy::Union,
            Policy::KeepBoth,
        ] {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!("prefer:my laptop".parse(), Ok(Policy::Prefer("my laptop".to_owned())));
        for word in ["", "oldest", "prefer:", "prefer", "prefer ", "Newest"] {
            assert_eq!(word.parse::<Policy>(), Err(ParsePolicyError), "{word}");
        }
    }

    #[test]
    fn the_policy_of_the_nearest_path_holds() {
        let path = |text: &str| FieldPath::parse(text).unwrap();
        let set = |record: Option<&Value>, at: &str, policy: Policy| {
            let operation = Settings::setting(record, &path(at), &policy);
            crate::delta::apply(record, &operation).unwrap()
        };
        let record = set(None, "", Policy::KeepBoth);
        let record = set(record.as_ref(), "/notes", Policy::Union);
        let record = set(record.as_ref(), "/a~1b", Policy::Newest);
        let settings = Settings::from_record(record.as_ref());
        assert_eq!(*settings.policy(&path("/phones/x")), Policy::KeepBoth);
        assert_eq!(*settings.policy(&path("/notes/x/note")), Policy::Union);
        assert_eq!(*settings.policy(&path("/a~1b")), Policy::Newest);
        assert_eq!(settings.newer(), None);
        assert_eq!(Settings::default().policy(&path("/x")), &Policy::Newest);
    }

    #[test]
    fn versions_that_are_not_known_are_told() {
        let versions = |name: &str, version: i64| {
            let versions = Value::Map([(name.to_owned(), Value::Integer(version))].into());
            Value::Map([(VERSIONS.to_owned(), versions)].into())
        };
        let newer = |record: &Value| {
            Settings::from_record(Some(record))
                .newer()
                .map(|(name, n)| (name.to_owned(), n))
        };
        assert_eq!(newer(&versions("merge", 1)), None);
        assert_eq!(newer(&versions("merge", 2)), Some(("merge".to_owned(), 2)));
        assert_eq!(newer(&versions("rhyme", 1)), Some(("rhyme".to_owned(), 1)));
    }
}
