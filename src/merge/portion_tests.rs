//! A merge comes to the same, however many keys it looks at together.

use super::tests::{card, change, set};
use super::*;
use crate::delta::{Entry, Operation, Transaction};
use crate::model::{Kind, RecordKey, ReplicaId, TimeMs};
use crate::port::MemoryObjects;

const KEYS: u8 = 20;
const WHOLE: usize = usize::MAX;

fn key(n: u8) -> RecordKey {
    RecordKey::new([n; 16]).unwrap()
}

/// A random history over one store.
struct Story {
    objects: MemoryObjects,
    kind: Kind,
    snapshots: Vec<SnapshotId>,
    random: u64,
    time: i64,
}

impl Story {
    fn new(kind: Kind, seed: u64) -> Self {
        let mut story = Self {
            objects: MemoryObjects::default(),
            kind,
            snapshots: Vec::new(),
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            time: 0,
        };
        for _ in 0..10 {
            story.write();
        }
        story
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).unwrap() % limit
    }

    fn history(&self, portion_keys: usize) -> History<'_> {
        let mut history = History::new(&self.objects);
        history.portion_keys = portion_keys;
        history
    }

    fn some_heads(&mut self, most: usize) -> Vec<SnapshotId> {
        let mut heads = Vec::new();
        for _ in 0..self.below(most + 1) {
            if !self.snapshots.is_empty() {
                let at = self.below(self.snapshots.len());
                heads.push(self.snapshots[at]);
            }
        }
        heads
    }

    /// Makes up what is done to a record; `others` are concerned already.
    fn operation(&mut self, state: &State, n: u8, others: &mut Vec<u8>) -> Option<Operation> {
        let number = self.below(1000);
        let value = format!("{number}");
        let there = record(&self.objects, state, &key(n)).unwrap();
        let other = u8::try_from(self.below(usize::from(KEYS)) + 2).unwrap();
        let is_record = matches!(
            record(&self.objects, state, &key(other)).unwrap(),
            Some(Entry::Record(_))
        );
        let has_other = is_record && other != n && !others.contains(&other);
        Some(match (there, self.below(6)) {
            (Some(Entry::Alias(_)), _) => return None,
            (None, 0..4) if self.kind == Kind::Row && has_other => {
                others.push(other);
                Operation::Rename {
                    from: key(other),
                    changes: vec![set("/b", value.as_str())],
                }
            }
            (None, _) => Operation::Add(card(&[("/a", &value), ("/m/x", "1")])),
            (Some(_), 0) => Operation::Remove,
            (Some(_), 1) if self.kind == Kind::Contact && has_other && other < n => Operation::Alias(key(other)),
            (Some(_), 2) => change(vec![set("/m/x", value.as_str())]),
            (Some(_), _) => change(vec![set("/a", value.as_str())]),
        })
    }

    /// Authors a snapshot somewhere, if what it is to do fits.
    fn write(&mut self) {
        let parents = self.some_heads(2);
        let state = merged_state(&self.history(WHOLE), &parents).unwrap();
        let mut list = Vec::new();
        if self.below(8) == 0 {
            let settings = record(&self.objects, &state, &settings_key()).unwrap();
            let settings = settings.and_then(Entry::into_record);
            let operation = Settings::setting(settings.as_ref(), &crate::model::FieldPath::root(), &Policy::KeepBoth);
            list.push(Transaction::new(settings_key(), operation));
        }
        let mut others = Vec::new();
        for n in 2..KEYS + 2 {
            if self.below(3) != 0
                && !others.contains(&n)
                && let Some(operation) = self.operation(&state, n, &mut others)
            {
                others.push(n);
                list.push(Transaction::new(key(n), operation));
            }
        }
        self.time += 1;
        let meta = Authoring {
            collection: "all".to_owned(),
            kind: self.kind,
            replica: ReplicaId::from_bytes([1; 16]),
            system: "here".to_owned(),
            time: TimeMs(self.time),
            message: None,
        };
        let portion = 1 + self.below(7);
        let written = author(&self.history(portion), &parents, meta, list.into_iter().map(Ok));
        match written {
            Ok(id) => {
                receive(&self.history(WHOLE), &id).unwrap();
                self.snapshots.push(id);
            }
            Err(MergeError::Unfit { .. }) => {}
            Err(error) => panic!("{error}: {error:?}"),
        }
    }
}

fn merges_are_the_same_in_portions(kind: Kind) {
    let (mut merges, mut united, mut renamed) = (0, 0, 0);
    for seed in 1..40 {
        let mut story = Story::new(kind, seed);
        for _ in 0..6 {
            let heads = story.some_heads(4);
            let whole = merged_state(&story.history(WHOLE), &heads).unwrap();
            for portion in 1..8 {
                let state = merged_state(&story.history(portion), &heads).unwrap();
                assert_eq!(state, whole, "seed {seed}, portions of {portion}, at {heads:?}");
            }
            merges += usize::from(story.history(WHOLE).heads_of(&heads).unwrap().len() > 1);
            united += alias_count(&story.objects, &whole).unwrap();
        }
        for id in &story.snapshots {
            renamed += story.history(WHOLE).snapshot(id).unwrap().counts.renamed;
        }
    }
    // The stories are about something.
    assert!(merges > 100, "{merges}");
    assert!(
        if kind == Kind::Row { renamed } else { united } > 20,
        "{united} {renamed}"
    );
}

#[test]
fn unions_and_edits_merge_the_same_in_portions_of_any_size() {
    merges_are_the_same_in_portions(Kind::Contact);
}

#[test]
fn renames_and_edits_merge_the_same_in_portions_of_any_size() {
    merges_are_the_same_in_portions(Kind::Row);
}

#[test]
fn a_line_whose_trees_went_is_made_again_in_portions() {
    for portion in [1, 2, 3, 5, 7, WHOLE] {
        let mut story = Story::new(Kind::Contact, 0);
        story.snapshots.clear();
        let mut parents = Vec::new();
        for round in 0..4_u8 {
            let list = (2..KEYS + 2).filter(|n| round == 0 || n % (round + 1) == 0).map(|n| {
                let operation = match round {
                    0 => Operation::Add(card(&[("/a", "1")])),
                    3 => Operation::Remove,
                    _ => change(vec![set("/a", format!("{round} {n}").as_str())]),
                };
                Ok(Transaction::new(key(n), operation))
            });
            let meta = Authoring {
                collection: "all".to_owned(),
                kind: Kind::Contact,
                replica: ReplicaId::from_bytes([1; 16]),
                system: "here".to_owned(),
                time: TimeMs(i64::from(round)),
                message: None,
            };
            let id = author(&story.history(WHOLE), &parents, meta, list).unwrap();
            parents = vec![id];
            story.snapshots.push(id);
        }
        let last = *story.snapshots.last().unwrap();
        let wanted = story.history(WHOLE).result(&last).unwrap();
        let without = Without::trees(&story, &story.snapshots[1..]);
        let mut history = History::new(&without);
        history.portion_keys = portion;
        assert_eq!(history.result(&last).unwrap(), wanted);
        assert!(without.made.borrow().contains(&wanted.content));
    }
}

/// Objects of a story without the trees of some snapshots.
struct Without<'s> {
    story: &'s Story,
    gone: Vec<crate::model::Hash>,
    made: std::cell::RefCell<Vec<crate::model::Hash>>,
}

impl<'s> Without<'s> {
    fn trees(story: &'s Story, snapshots: &[SnapshotId]) -> Self {
        let roots = snapshots
            .iter()
            .map(|id| story.history(WHOLE).snapshot(id).unwrap().result.content);
        Self {
            story,
            gone: roots.collect(),
            made: std::cell::RefCell::default(),
        }
    }
}

impl crate::port::Objects for Without<'_> {
    fn get(&self, id: &crate::model::Hash) -> Result<std::sync::Arc<[u8]>, ObjectError> {
        assert!(self.contains(id), "read what is gone");
        self.story.objects.get(id)
    }

    fn put(&self, domain: crate::model::Domain, content: &[u8]) -> Result<crate::model::Hash, ObjectError> {
        let id = self.story.objects.put(domain, content)?;
        self.made.borrow_mut().push(id);
        Ok(id)
    }

    fn contains(&self, id: &crate::model::Hash) -> bool {
        (!self.gone.contains(id) || self.made.borrow().contains(id)) && self.story.objects.contains(id)
    }
}
