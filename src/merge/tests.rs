//! What merging must do, case by case.

use super::*;
use crate::delta::{Entry, FieldOperation, Operation, Transaction, difference};
use crate::model::{FieldPath, Kind, Map, ReplicaId, TimeMs, Value};
use crate::port::MemoryObjects;

pub(super) fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap()
}

pub(super) fn key(n: u8) -> RecordKey {
    RecordKey::new([n; 16]).unwrap()
}

/// Makes a record from lines of path and text.
pub(super) fn card(fields: &[(&str, &str)]) -> Value {
    let mut record = Value::Map(Map::new());
    for (at, value) in fields {
        record.set_at(&path(at), Value::from(*value));
    }
    record
}

pub(super) fn set(at: &str, value: impl Into<Value>) -> FieldOperation {
    FieldOperation::Set(path(at), value.into())
}

pub(super) fn clear(at: &str) -> FieldOperation {
    FieldOperation::Clear(path(at))
}

pub(super) fn change(operations: Vec<FieldOperation>) -> Operation {
    Operation::Change(operations)
}

pub(super) struct World {
    pub(super) objects: MemoryObjects,
    kind: Kind,
    clock: std::cell::Cell<i64>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::of(Kind::Contact)
    }

    pub(super) fn of(kind: Kind) -> Self {
        Self {
            objects: MemoryObjects::default(),
            kind,
            clock: std::cell::Cell::new(1000),
        }
    }

    pub(super) fn try_author(
        &self,
        parents: &[SnapshotId],
        operations: &[(u8, Operation)],
    ) -> Result<SnapshotId, MergeError> {
        self.clock.set(self.clock.get() + 1);
        let meta = Authoring {
            collection: "contacts".to_owned(),
            kind: self.kind,
            replica: ReplicaId::from_bytes([1; 16]),
            system: "here".to_owned(),
            time: TimeMs(self.clock.get()),
            message: None,
        };
        let transactions = operations
            .iter()
            .map(|(n, operation)| Ok(Transaction::new(key(*n), operation.clone())));
        author(&History::new(&self.objects), parents, meta, transactions)
    }

    pub(super) fn author(&self, parents: &[SnapshotId], operations: &[(u8, Operation)]) -> SnapshotId {
        let id = self.try_author(parents, operations).unwrap();
        receive(&History::new(&self.objects), &id).unwrap();
        id
    }

    pub(super) fn edit(&self, parents: &[SnapshotId], operations: Vec<FieldOperation>) -> SnapshotId {
        self.author(parents, &[(1, change(operations))])
    }

    pub(super) fn merged(&self, heads: &[SnapshotId]) -> State {
        let state = merged_state(&History::new(&self.objects), heads).unwrap();
        let reversed: Vec<SnapshotId> = heads.iter().rev().copied().collect();
        assert_eq!(merged_state(&History::new(&self.objects), &reversed).unwrap(), state);
        state
    }

    pub(super) fn record(&self, heads: &[SnapshotId], n: u8) -> Option<Value> {
        let entry = record(&self.objects, &self.merged(heads), &key(n)).unwrap();
        entry.map(|entry| entry.into_record().expect("no alias"))
    }

    /// The conflicts as `path: shown | other | …`.
    pub(super) fn conflicts(&self, heads: &[SnapshotId]) -> Vec<String> {
        let show = |value: &Option<Value>| match value {
            None => "nothing".to_owned(),
            Some(Value::Text(text)) => text.to_string(),
            Some(Value::Map(_)) => "map".to_owned(),
            Some(other) => format!("{other:?}"),
        };
        conflicts(&self.objects, &self.merged(heads))
            .map(|conflict| {
                let conflict = conflict.unwrap();
                let values: Vec<String> = conflict.alternatives.iter().map(|other| show(&other.value)).collect();
                assert!(conflict.alternatives[0].shown);
                format!("{}: {}", conflict.path, values.join(" | "))
            })
            .collect()
    }
}

pub(super) fn ann() -> Value {
    card(&[
        ("/name/given", "Ann"),
        ("/phones/x/number", "1"),
        ("/phones/x/label", "work"),
    ])
}

/// A world with Ann, and her snapshot.
pub(super) fn world() -> (World, SnapshotId) {
    let world = World::new();
    let first = world.author(&[], &[(1, Operation::Add(ann()))]);
    (world, first)
}

const NONE: [String; 0] = [];

#[test]
fn edits_of_different_fields_both_survive() {
    let (world, first) = world();
    let left = world.edit(&[first], vec![set("/name/given", "Anna")]);
    let right = world.edit(
        &[first],
        vec![
            set("/phones/x/number", "2"),
            set("/emails", card(&[("/e/address", "a@b")])),
        ],
    );
    let wanted = card(&[
        ("/name/given", "Anna"),
        ("/phones/x/number", "2"),
        ("/phones/x/label", "work"),
        ("/emails/e/address", "a@b"),
    ]);
    assert_eq!(world.record(&[left, right], 1), Some(wanted));
    assert_eq!(world.conflicts(&[left, right]), NONE);
}

#[test]
fn equal_values_are_one_and_different_ones_a_conflict() {
    let (world, first) = world();
    let edit = |value: &str| world.edit(&[first], vec![set("/name/given", value)]);
    let (left, same, other) = (edit("Anna"), edit("Anna"), edit("Anne"));
    assert_eq!(world.conflicts(&[left, same]), NONE);
    assert_eq!(world.conflicts(&[left, same, other]), ["/name/given: Anne | Anna"]);
    let state = world.merged(&[left, same, other]);
    let conflict = &conflicts_of(&world.objects, &state, &key(1)).unwrap()[0];
    assert_eq!(conflict.base, Some("Ann".into()));
    assert_eq!(conflict.kind, ConflictKind::Field);
    let writers: Vec<SnapshotId> = conflict.alternatives[1]
        .writers
        .iter()
        .map(|writer| writer.snapshot)
        .collect();
    assert_eq!(writers, [same, left]);
}

#[test]
fn a_deleted_phone_stays_deleted_beside_other_edits() {
    let (world, first) = world();
    let left = world.edit(&[first], vec![clear("/phones/x")]);
    let email = world.edit(&[first], vec![set("/emails", card(&[("/e/address", "a@b")]))]);
    assert_eq!(
        world.record(&[left, email], 1),
        Some(card(&[("/name/given", "Ann"), ("/emails/e/address", "a@b")]))
    );
    let phone = world.edit(&[first], vec![set("/phones/y", card(&[("/number", "3")]))]);
    assert_eq!(
        world.record(&[left, phone], 1),
        Some(card(&[("/name/given", "Ann"), ("/phones/y/number", "3")]))
    );
    assert_eq!(world.conflicts(&[left, email, phone]), NONE);
    // The engine's own difference says the same when the only phone goes.
    let without = card(&[("/name/given", "Ann")]);
    let by_difference = world.author(&[first], &[(1, difference(Some(&ann()), Some(&without)).unwrap())]);
    assert_eq!(world.conflicts(&[by_difference, phone]), NONE);
}

#[test]
fn an_edit_of_a_deleted_phone_keeps_it_in_conflict() {
    let (world, first) = world();
    let deleted = world.edit(&[first], vec![clear("/phones/x")]);
    let edited = world.edit(&[first], vec![set("/phones/x/number", "2")]);
    let mut wanted = ann();
    wanted.set_at(&path("/phones/x/number"), "2".into());
    assert_eq!(world.record(&[deleted, edited], 1), Some(wanted));
    assert_eq!(world.conflicts(&[deleted, edited]), ["/phones/x: map | nothing"]);
    let conflict = &conflicts_of(&world.objects, &world.merged(&[deleted, edited]), &key(1)).unwrap()[0];
    assert_eq!(conflict.kind, ConflictKind::ModifyDelete);
    assert_eq!(conflict.base.as_ref(), ann().at(&path("/phones/x")));
    // Resolved by a touch, or by another edit.
    let kept = world.edit(&[deleted, edited], vec![set("/phones/x/number", "2")]);
    assert_eq!(world.conflicts(&[kept]), NONE);
    assert_eq!(world.conflicts(&[kept, edited, deleted]), NONE);
    let gone = world.edit(&[deleted, edited], vec![clear("/phones/x")]);
    assert_eq!(world.record(&[gone], 1), Some(card(&[("/name/given", "Ann")])));
}

#[test]
fn order_makes_no_conflict_and_keeps_nothing() {
    let (world, first) = world();
    let order = |n: i64| world.edit(&[first], vec![set("/phones/x/order", n)]);
    let (left, right) = (order(1), order(2));
    assert_eq!(world.conflicts(&[left, right]), NONE);
    let shown = world.record(&[left, right], 1).unwrap();
    assert_eq!(shown.at(&path("/phones/x/order")), Some(&2.into()));
    let deleted = world.edit(&[first], vec![clear("/phones/x")]);
    assert_eq!(world.record(&[left, deleted], 1), Some(card(&[("/name/given", "Ann")])));
    let removed = world.author(&[first], &[(1, Operation::Remove)]);
    assert_eq!(world.record(&[left, removed], 1), None);
    // A column of that name is a field like any other.
    let column = |n: i64| world.edit(&[first], vec![set("/order", n)]);
    assert_eq!(world.conflicts(&[column(1), column(2)]).len(), 1);
}

#[test]
fn removal_against_edit_keeps_the_record() {
    let (world, first) = world();
    let removed = world.author(&[first], &[(1, Operation::Remove)]);
    let edited = world.edit(&[first], vec![set("/name/given", "Anna")]);
    let mut wanted = ann();
    wanted.set_at(&path("/name/given"), "Anna".into());
    assert_eq!(world.record(&[removed, edited], 1), Some(wanted));
    assert_eq!(world.conflicts(&[removed, edited]), [": map | nothing"]);
    let touched = world.author(&[removed, edited], &[(1, change(vec![]))]);
    assert_eq!(world.conflicts(&[touched]), NONE);
    let gone = world.author(&[removed, edited], &[(1, Operation::Remove)]);
    assert_eq!(world.record(&[gone], 1), None);
    assert_eq!(world.conflicts(&[gone]), NONE);
    // Removed twice is removed.
    let again = world.author(&[first], &[(1, Operation::Remove)]);
    assert_eq!(world.merged(&[removed, again]), State::empty());
}

#[test]
fn a_record_added_again_forgets_its_old_fields() {
    let (world, first) = world();
    let removed = world.author(&[first], &[(1, Operation::Remove)]);
    let again = world.author(&[removed], &[(1, Operation::Add(card(&[("/name/given", "New")])))]);
    let edited = world.edit(&[first], vec![set("/phones/x/number", "2")]);
    assert_eq!(world.record(&[again], 1), Some(card(&[("/name/given", "New")])));
    // What was written beside it stays.
    assert_eq!(
        world.record(&[again, edited], 1),
        Some(card(&[("/name/given", "New"), ("/phones/x/number", "2")]))
    );
    assert_eq!(world.conflicts(&[again, edited]), NONE);
}

#[test]
fn added_twice_is_the_union() {
    let world = World::new();
    let add = |fields: &[(&str, &str)]| world.author(&[], &[(1, Operation::Add(card(fields)))]);
    let left = add(&[("/a", "1"), ("/b", "1"), ("/m/x", "1")]);
    let right = add(&[("/b", "2"), ("/c", "2"), ("/m/x", "1"), ("/m/y", "2")]);
    assert_eq!(
        world.record(&[left, right], 1),
        Some(card(&[
            ("/a", "1"),
            ("/b", "2"),
            ("/c", "2"),
            ("/m/x", "1"),
            ("/m/y", "2")
        ]))
    );
    assert_eq!(world.conflicts(&[left, right]), ["/b: 2 | 1"]);
}

#[test]
fn a_leaf_against_a_map_is_one_conflict() {
    let (world, first) = world();
    let leaf = world.edit(&[first], vec![set("/name", "Ann Smith")]);
    let inner = world.edit(&[first], vec![set("/name/surname", "Smith")]);
    assert_eq!(world.conflicts(&[leaf, inner]), ["/name: map | Ann Smith"]);
    let shown = world.record(&[leaf, inner], 1).unwrap();
    assert_eq!(shown.at(&path("/name")), Some(&card(&[("/surname", "Smith")])));
    let chosen = world.edit(&[leaf, inner], vec![set("/name", "Ann Smith")]);
    assert_eq!(world.conflicts(&[chosen, inner]), NONE);
    assert_eq!(
        world.record(&[chosen, inner], 1).unwrap().at(&path("/name")),
        Some(&"Ann Smith".into())
    );
}

#[test]
fn a_resolution_holds_everywhere_even_criss_cross() {
    let (world, first) = world();
    let edit = |parents: &[SnapshotId], value: &str| world.edit(parents, vec![set("/name/given", value)]);
    let (left, right) = (edit(&[first], "L"), edit(&[first], "R"));
    let resolved = edit(&[left, right], "L");
    let note = world.edit(&[left, right], vec![set("/note", "x")]);
    assert_eq!(world.conflicts(&[note]), ["/name/given: R | L"]);
    assert_eq!(world.conflicts(&[resolved, note]), NONE);
    // Two who resolve differently are in conflict again, and only about that.
    let other = edit(&[left, right], "R");
    assert_eq!(world.conflicts(&[resolved, other, note]), ["/name/given: R | L"]);
    let (up, down) = (
        edit(&[resolved, other], "U"),
        world.edit(&[other, note], vec![set("/more", "m")]),
    );
    assert_eq!(world.conflicts(&[up, down]), NONE);
}

#[test]
fn a_return_to_the_old_value_is_a_write() {
    let (world, first) = world();
    let edit = |parents: &[SnapshotId], value: &str| world.edit(parents, vec![set("/name/given", value)]);
    let there = edit(&[first], "Anna");
    let back = edit(&[there], "Ann");
    let other = edit(&[first], "Anne");
    assert_eq!(world.conflicts(&[back, other]), ["/name/given: Anne | Ann"]);
    // The other one had seen Anna: it goes back for both.
    let late = world.edit(&[there], vec![set("/note", "n")]);
    assert_eq!(
        world.record(&[back, late], 1).unwrap().at(&path("/name/given")),
        Some(&"Ann".into())
    );
}

#[test]
fn a_first_sight_supersedes_nothing() {
    let (world, first) = world();
    let second = world.edit(&[first], vec![set("/name/given", "Anna")]);
    let sight = world.author(
        &[],
        &[(1, Operation::Add(card(&[("/name/given", "A."), ("/note", "n")])))],
    );
    assert_eq!(world.conflicts(&[second, sight]), ["/name/given: A. | Anna"]);
    let after = world.edit(&[second, sight], vec![set("/name/given", "Anna")]);
    let beside = world.edit(&[second], vec![set("/phones/x/number", "2")]);
    assert_eq!(world.conflicts(&[after, beside]), NONE);
    let shown = world.record(&[after, beside], 1).unwrap();
    assert_eq!(shown.at(&path("/note")), Some(&"n".into()));
    assert_eq!(shown.at(&path("/phones/x/number")), Some(&"2".into()));
}

#[test]
fn long_texts_merge_by_lines() {
    let world = World::new();
    let lines = |first: &str, last: &str| format!("{first}\n{}{last}\n", "middle of the text\n".repeat(60));
    let add = card(&[("/note", &lines("a", "z"))]);
    let mut add = add;
    crate::port::blob::externalize(&world.objects, &mut add).unwrap();
    let first = world.author(&[], &[(1, Operation::Add(add))]);
    let edit = |text: String| {
        let mut value = Value::Text(text.into());
        crate::port::blob::externalize(&world.objects, &mut value).unwrap();
        world.edit(&[first], vec![FieldOperation::Set(path("/note"), value)])
    };
    let (left, right, clash) = (edit(lines("A", "z")), edit(lines("a", "Z")), edit(lines("AA", "z")));
    assert_eq!(world.conflicts(&[left, right]), NONE);
    let mut shown = world.record(&[left, right], 1).unwrap();
    crate::port::blob::internalize(&world.objects, &mut shown).unwrap();
    assert_eq!(shown, card(&[("/note", &lines("A", "Z"))]));
    assert_eq!(world.conflicts(&[left, clash]).len(), 1);
    assert_eq!(world.conflicts(&[left, right, clash]).len(), 1);
    // To choose the old text again is to stand by it.
    let same = edit(lines("a", "z"));
    assert_eq!(world.conflicts(&[left, same]).len(), 1);
}

/// A world with two records of one person, and their snapshot.
fn twins() -> (World, SnapshotId) {
    let world = World::new();
    let one = card(&[("/name/given", "Ann"), ("/emails/e/address", "a@b")]);
    let two = card(&[("/name/given", "Ann"), ("/phones/x/number", "1")]);
    let first = world.author(&[], &[(1, Operation::Add(one)), (2, Operation::Add(two))]);
    (world, first)
}

#[test]
fn united_records_take_the_edits_of_both() {
    let (world, first) = twins();
    let united = world.author(&[first], &[(2, Operation::Alias(key(1)))]);
    let wanted = card(&[
        ("/name/given", "Ann"),
        ("/emails/e/address", "a@b"),
        ("/phones/x/number", "1"),
    ]);
    assert_eq!(world.record(&[united], 1), Some(wanted.clone()));
    let state = world.merged(&[united]);
    assert_eq!(
        record(&world.objects, &state, &key(2)).unwrap(),
        Some(Entry::Alias(key(1)))
    );
    assert_eq!(resolve_alias(&world.objects, &state, &key(2)).unwrap(), key(1));
    assert_eq!(resolve_alias(&world.objects, &state, &key(3)).unwrap(), key(3));

    // Edits by somebody who does not know of the union, on either record, moved or equal fields.
    let phone = world.author(&[first], &[(2, change(vec![set("/phones/x/number", "2")]))]);
    let name = world.author(&[first], &[(2, change(vec![set("/name/given", "Anna")]))]);
    let email = world.author(&[first], &[(1, change(vec![clear("/emails/e")]))]);
    let all = [united, phone, name, email];
    assert_eq!(
        world.record(&all, 1),
        Some(card(&[("/name/given", "Anna"), ("/phones/x/number", "2")]))
    );
    assert_eq!(world.conflicts(&all), NONE);
    // And it goes on from there.
    let next = world.author(&all, &[(1, change(vec![set("/name/given", "Annie")]))]);
    assert_eq!(
        world.record(&[next, name], 1).unwrap().at(&path("/name/given")),
        Some(&"Annie".into())
    );
}

#[test]
fn fields_that_differ_in_united_records_are_in_conflict_until_chosen() {
    let world = World::new();
    let add = |n: u8, name: &str| (n, Operation::Add(card(&[("/name/given", name)])));
    let first = world.author(&[], &[add(1, "Ann"), add(2, "Anna")]);
    let united = world.author(&[first], &[(2, Operation::Alias(key(1)))]);
    assert_eq!(world.conflicts(&[united]).len(), 1);
    let chosen = world.author(
        &[first],
        &[
            (1, change(vec![set("/name/given", "Ann")])),
            (2, Operation::Alias(key(1))),
        ],
    );
    assert_eq!(world.conflicts(&[chosen]), NONE);
    let state = world.merged(&[chosen]);
    assert_eq!(
        record(&world.objects, &state, &key(1)).unwrap(),
        Some(Entry::Record(card(&[("/name/given", "Ann")])))
    );
}

#[test]
fn unions_on_two_systems_meet() {
    let (world, first) = twins();
    let third = world.author(&[first], &[(3, Operation::Add(card(&[("/note", "n")])))]);
    let left = world.author(&[third], &[(2, Operation::Alias(key(1)))]);
    let same = world.author(&[third], &[(2, Operation::Alias(key(1)))]);
    let chain = world.author(&[third], &[(3, Operation::Alias(key(2)))]);
    let heads = [left, same, chain];
    let state = world.merged(&heads);
    for n in [2, 3] {
        assert_eq!(
            record(&world.objects, &state, &key(n)).unwrap(),
            Some(Entry::Alias(key(1)))
        );
    }
    assert_eq!(world.conflicts(&heads), NONE);
    assert_eq!(
        world.record(&heads, 1),
        Some(card(&[
            ("/name/given", "Ann"),
            ("/emails/e/address", "a@b"),
            ("/phones/x/number", "1"),
            ("/note", "n")
        ]))
    );
    // One more record joins those that are one already, at the author's.
    let more = world.author(&heads, &[(4, Operation::Add(card(&[("/more", "m")])))]);
    let joined = world.author(&[more], &[(4, Operation::Alias(key(1)))]);
    let shown = world.record(&[joined], 1).unwrap();
    for (at, value) in [("/phones/x/number", "1"), ("/note", "n"), ("/more", "m")] {
        assert_eq!(shown.at(&path(at)), Some(&value.into()));
    }
    let late = world.author(&[third], &[(3, change(vec![set("/note", "late")]))]);
    assert_eq!(
        world.record(&[joined, late], 1).unwrap().at(&path("/note")),
        Some(&"late".into())
    );
    // A later union with a smaller record takes all along.
    let zero = world.author(&heads, &[(0, Operation::Add(card(&[("/zero", "0")])))]);
    let all = world.author(&[zero], &[(1, Operation::Alias(key(0)))]);
    let late = world.author(&[third], &[(3, change(vec![set("/note", "late")]))]);
    let state = world.merged(&[all, late]);
    for n in 1..=3 {
        assert_eq!(
            record(&world.objects, &state, &key(n)).unwrap(),
            Some(Entry::Alias(key(0)))
        );
    }
    assert_eq!(
        world.record(&[all, late], 0).unwrap().at(&path("/note")),
        Some(&"late".into())
    );
}

#[test]
fn removal_of_either_united_record_keeps_an_edited_one() {
    let (world, first) = twins();
    let united = world.author(&[first], &[(2, Operation::Alias(key(1)))]);
    let edited = world.author(&[first], &[(2, change(vec![set("/name/given", "Anna")]))]);
    let removed = world.author(&[united], &[(1, Operation::Remove)]);
    assert_eq!(world.record(&[removed], 1), None);
    assert_eq!(world.conflicts(&[removed, edited]), [": map | nothing"]);
    let shown = world.record(&[removed, edited], 1).unwrap();
    assert_eq!(shown.at(&path("/name/given")), Some(&"Anna".into()));
    assert_eq!(shown.at(&path("/emails/e/address")), Some(&"a@b".into()));
    for n in [1, 2] {
        let before = world.author(&[first], &[(n, Operation::Remove)]);
        assert_eq!(world.conflicts(&[united, before]), [": map | nothing"]);
    }
}

#[test]
fn what_was_cleared_in_one_record_does_not_hide_or_revive_what_the_other_has() {
    let world = World::new();
    let both = card(&[("/phones/x/number", "1"), ("/note", "n")]);
    let first = world.author(&[], &[(1, Operation::Add(both.clone())), (2, Operation::Add(both))]);
    let cleared = world.author(
        &[first],
        &[
            (1, change(vec![set("/phones/x/number", "9")])),
            (2, change(vec![clear("/note"), clear("/phones/x")])),
        ],
    );
    let united = world.author(&[cleared], &[(2, Operation::Alias(key(1)))]);
    assert_eq!(
        world.record(&[united], 1),
        Some(card(&[("/phones/x/number", "9"), ("/note", "n")]))
    );
    assert_eq!(world.conflicts(&[united]), NONE);
}

#[test]
fn links_of_united_records_lose_nothing() {
    let world = World::new();
    let add = |n: u8, value: &str| (n, Operation::Add(card(&[("/f", value)])));
    let edit = |parent, n: u8, value: &str| world.author(&[parent], &[(n, change(vec![set("/f", value)]))]);
    let unite = |parent| world.author(&[parent], &[(2, Operation::Alias(key(1)))]);

    // Crosswise: each union saw one value in both records, and not the same one.
    let first = world.author(&[], &[add(1, "p"), add(2, "q")]);
    let heads = [unite(edit(first, 1, "q")), unite(edit(first, 2, "p"))];
    assert_eq!(world.conflicts(&heads).len(), 1);
    assert!(world.record(&heads, 1).is_some());

    // A value chosen again, which one union saw and the other did not.
    let first = world.author(&[], &[add(1, "v"), add(2, "v")]);
    let heads = [unite(first), unite(edit(first, 2, "v"))];
    assert_eq!(world.conflicts(&heads), NONE);
    assert_eq!(world.record(&heads, 1), Some(card(&[("/f", "v")])));

    // Removed on one side, chosen again on the other.
    let touched = edit(first, 2, "v");
    let cleared = world.author(&[first], &[(2, change(vec![clear("/f")]))]);
    let heads = [unite(first), touched, cleared];
    assert_eq!(world.conflicts(&heads), ["/f: v | nothing"]);
}
