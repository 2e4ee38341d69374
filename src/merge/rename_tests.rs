//! What renames must do, case by case. Keys: 1 is Ann's, the others are free unless a test fills them.

use proptest::prelude::*;

use super::tests::{World, card, change, clear, key, path, set};
use super::*;
use crate::delta::{ChangeError, Delta, Entry, FieldOperation, Operation};
use crate::model::{FieldPath, Kind, Value};
use crate::tree;

fn rename(from: u8, changes: Vec<FieldOperation>) -> Operation {
    let from = key(from);
    Operation::Rename { from, changes }
}

/// A table with Ann under key 1.
fn world() -> (World, SnapshotId) {
    let world = World::of(Kind::Row);
    let ann = card(&[("/name", "Ann"), ("/town", "Ulm")]);
    let base = world.author(&[], &[(1, Operation::Add(ann))]);
    (world, base)
}

/// The keys under which something stands, with a field of each.
fn names(world: &World, heads: &[SnapshotId], at: &str) -> Vec<(u8, String)> {
    let state = world.merged(heads);
    tree::iter(&world.objects, &state.content)
        .map(|entry| {
            let (key, bytes) = entry.unwrap();
            let record = Entry::decode(&bytes).unwrap().into_record().unwrap();
            let value = record.at(&path(at)).and_then(Value::as_text).unwrap_or("-");
            (key[0], value.to_owned())
        })
        .collect()
}

fn named(all: &[(u8, &str)]) -> Vec<(u8, String)> {
    all.iter().map(|(key, name)| (*key, (*name).to_owned())).collect()
}

/// The conflicts of keys as (key, base, alternatives).
fn key_conflicts(world: &World, heads: &[SnapshotId]) -> Vec<(u8, Option<u8>, Vec<u8>)> {
    let byte = |value: &Value| match value {
        Value::Bytes(bytes) => bytes[0],
        other => panic!("{other:?} is no key"),
    };
    conflicts(&world.objects, &world.merged(heads))
        .map(Result::unwrap)
        .filter(|conflict| conflict.kind == ConflictKind::Key)
        .map(|conflict| {
            assert!(conflict.alternatives[0].shown && conflict.path.is_root());
            let values = conflict
                .alternatives
                .iter()
                .map(|one| byte(one.value.as_ref().unwrap()));
            (
                conflict.key.bytes()[0],
                conflict.base.as_ref().map(byte),
                values.collect(),
            )
        })
        .collect()
}

#[test]
fn an_edit_of_who_knows_no_rename_arrives_under_the_new_key() {
    let (world, base) = world();
    let left = world.author(&[base], &[(2, rename(1, vec![set("/name", "Anna")]))]);
    let right = world.edit(&[base], vec![set("/town", "Bonn"), clear("/name")]);
    let heads = [left, right];
    assert_eq!(names(&world, &heads, "/town"), named(&[(2, "Bonn")]));
    assert_eq!(world.conflicts(&heads), ["/name: Anna | nothing"]);
    // Also where he writes once more on his own state.
    let again = world.edit(&[right], vec![set("/town", "Köln")]);
    assert_eq!(names(&world, &[left, again], "/town"), named(&[(2, "Köln")]));
    // What is known of the rename goes to what the old key has since.
    let later = world.author(&heads, &[(1, Operation::Add(card(&[("/name", "Bob")])))]);
    assert_eq!(names(&world, &[later, again], "/town"), named(&[(1, "-"), (2, "Köln")]));
    let snapshot = History::new(&world.objects).snapshot(&left).unwrap();
    assert_eq!(
        (snapshot.counts.renamed, snapshot.counts.total(), snapshot.records),
        (1, 1, 1)
    );
}

#[test]
fn a_rename_beside_a_removal_keeps_the_record() {
    let (world, base) = world();
    let left = world.author(&[base], &[(2, rename(1, vec![]))]);
    let right = world.author(&[base], &[(1, Operation::Remove)]);
    let heads = [left, right];
    assert_eq!(names(&world, &heads, "/name"), named(&[(2, "Ann")]));
    let found: Vec<Conflict> = conflicts(&world.objects, &world.merged(&heads))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].kind, &found[0].path),
        (ConflictKind::ModifyDelete, &FieldPath::root())
    );
    assert_eq!(found[0].key, key(2));
    // Removing it again is the end of it.
    let gone = world.author(&heads, &[(2, Operation::Remove)]);
    assert_eq!(names(&world, &[gone], "/name"), named(&[]));
}

#[test]
fn two_renames_are_one_conflict_of_the_key_until_chosen() {
    let (world, base) = world();
    let left = world.author(&[base], &[(2, rename(1, vec![]))]);
    let right = world.author(&[base], &[(3, rename(1, vec![]))]);
    let heads = [left, right];
    assert_eq!(names(&world, &heads, "/name"), named(&[(3, "Ann")]));
    assert_eq!(key_conflicts(&world, &heads), [(3, Some(1), vec![3, 2])]);
    // Each one's edit arrives, and settles nothing.
    let left = world.author(&[left], &[(2, change(vec![set("/town", "Bonn")]))]);
    let heads = [left, right];
    assert_eq!(names(&world, &heads, "/town"), named(&[(3, "Bonn")]));
    let edit = world.author(&heads, &[(3, change(vec![set("/town", "Köln")]))]);
    assert_eq!(key_conflicts(&world, &[edit]), [(3, Some(1), vec![3, 2])]);
    // The other one, or the shown one again.
    let other = world.author(&[edit], &[(2, rename(3, vec![]))]);
    assert_eq!(names(&world, &[other], "/town"), named(&[(2, "Köln")]));
    assert_eq!(key_conflicts(&world, &[other]), []);
    let same = world.author(&[edit], &[(3, rename(3, vec![]))]);
    assert_eq!(key_conflicts(&world, &[same]), []);
    assert_eq!(names(&world, &[same], "/town"), named(&[(3, "Köln")]));
    // Choosing differently is a conflict again, of those two.
    assert_eq!(key_conflicts(&world, &[other, same]), [(3, None, vec![3, 2])]);
    let gone = world.author(&[edit], &[(3, Operation::Remove)]);
    assert_eq!(world.conflicts(&[gone]), Vec::<String>::new());
}

#[test]
fn two_renames_to_one_key_are_one() {
    let (world, base) = world();
    let left = world.author(&[base], &[(2, rename(1, vec![set("/name", "Anna")]))]);
    let right = world.author(&[base], &[(2, rename(1, vec![set("/town", "Bonn")]))]);
    assert_eq!(names(&world, &[left, right], "/name"), named(&[(2, "Anna")]));
    assert_eq!(names(&world, &[left, right], "/town"), named(&[(2, "Bonn")]));
    assert_eq!(world.conflicts(&[left, right]), Vec::<String>::new());
}

#[test]
fn records_that_meet_under_a_key_show_both_values() {
    let (world, base) = world();
    let left = world.author(&[base], &[(2, rename(1, vec![]))]);
    let right = world.author(
        &[base],
        &[(2, Operation::Add(card(&[("/name", "Bob"), ("/age", "7")])))],
    );
    let heads = [left, right];
    assert_eq!(names(&world, &heads, "/age"), named(&[(2, "7")]));
    assert_eq!(world.conflicts(&heads), ["/name: Bob | Ann"]);
    // Who edits it decides about both; who knows one of them alone takes this one along.
    let chosen = world.author(&heads, &[(2, change(vec![set("/name", "Ann and Bob")]))]);
    assert_eq!(world.conflicts(&[chosen]), Vec::<String>::new());
    let away = world.author(&[left], &[(3, rename(2, vec![]))]);
    assert_eq!(names(&world, &[right, away], "/name"), named(&[(2, "Bob"), (3, "Ann")]));
    assert_eq!(
        names(&world, &[chosen, away], "/name"),
        named(&[(2, "Ann and Bob"), (3, "Ann and Bob")])
    );
}

#[test]
fn two_records_that_get_one_key_show_both_values() {
    let (world, base) = world();
    let two = world.author(
        &[base],
        &[(4, Operation::Add(card(&[("/name", "Bob"), ("/age", "7")])))],
    );
    let left = world.author(&[two], &[(2, rename(1, vec![]))]);
    let right = world.author(&[two], &[(2, rename(4, vec![]))]);
    let heads = [left, right];
    assert_eq!(names(&world, &heads, "/town"), named(&[(2, "Ulm")]));
    assert_eq!(names(&world, &heads, "/age"), named(&[(2, "7")]));
    assert_eq!(world.conflicts(&heads), ["/name: Bob | Ann"]);
    // An edit of one of them by somebody who knows neither rename.
    let edit = world.author(&[two], &[(1, change(vec![set("/town", "Bonn")]))]);
    assert_eq!(names(&world, &[left, right, edit], "/town"), named(&[(2, "Bonn")]));
}

#[test]
fn chains_and_rings_go_their_way() {
    let (world, base) = world();
    let bob = world.author(&[base], &[(2, Operation::Add(card(&[("/name", "Bob")])))]);
    let swapped = world.author(&[bob], &[(1, rename(2, vec![])), (2, rename(1, vec![]))]);
    assert_eq!(names(&world, &[swapped], "/name"), named(&[(1, "Bob"), (2, "Ann")]));
    let edit = world.author(&[bob], &[(1, change(vec![set("/town", "Bonn")]))]);
    assert_eq!(
        names(&world, &[swapped, edit], "/town"),
        named(&[(1, "-"), (2, "Bonn")])
    );
    // A -> B -> C in two steps, and in one.
    let away = world.author(&[swapped], &[(3, rename(2, vec![]))]);
    assert_eq!(names(&world, &[away, edit], "/town"), named(&[(1, "-"), (3, "Bonn")]));
    let chain = world.author(&[bob], &[(2, rename(1, vec![])), (3, rename(2, vec![]))]);
    assert_eq!(names(&world, &[chain, edit], "/town"), named(&[(2, "Bonn"), (3, "-")]));
    // There and back, with an edit of who knows nothing of it.
    let back = world.author(&[away], &[(2, rename(3, vec![]))]);
    let home = world.author(&[back], &[(1, rename(2, vec![])), (2, rename(1, vec![]))]);
    assert_eq!(names(&world, &[home, edit], "/town"), named(&[(1, "Bonn"), (2, "-")]));
}

#[test]
fn an_old_key_may_be_given_to_a_new_record() {
    let (world, base) = world();
    let moved = world.author(&[base], &[(2, rename(1, vec![]))]);
    let taken = world.author(&[moved], &[(1, Operation::Add(card(&[("/name", "Bob")])))]);
    let at_once = world.author(
        &[base],
        &[(1, Operation::Add(card(&[("/name", "Bob")]))), (2, rename(1, vec![]))],
    );
    let edit = world.edit(&[base], vec![set("/name", "Anna")]);
    for head in [taken, at_once] {
        assert_eq!(names(&world, &[head, edit], "/name"), named(&[(1, "Bob"), (2, "Anna")]));
        let gone = world.author(&[head], &[(1, Operation::Remove)]);
        assert_eq!(names(&world, &[gone, edit], "/name"), named(&[(2, "Anna")]));
    }
    assert_eq!(world.conflicts(&[taken, at_once, edit]), Vec::<String>::new());
    // One who removed the record and added another, beside a rename: two records.
    let removed = world.author(&[base], &[(1, Operation::Remove)]);
    let other = world.author(&[removed], &[(1, Operation::Add(card(&[("/name", "Eve")])))]);
    assert_eq!(
        names(&world, &[other, moved], "/name"),
        named(&[(1, "Eve"), (2, "Ann")])
    );
}

#[test]
fn an_addition_at_first_sight_follows_a_rename() {
    let (world, base) = world();
    let moved = world.author(&[base], &[(2, rename(1, vec![]))]);
    let sight = world.author(&[], &[(1, Operation::Add(card(&[("/name", "Ann"), ("/age", "7")])))]);
    assert_eq!(names(&world, &[moved, sight], "/age"), named(&[(2, "7")]));
    assert_eq!(world.conflicts(&[moved, sight]), Vec::<String>::new());
}

#[test]
fn who_renames_to_a_key_leaves_nothing_of_what_was_removed_there() {
    let (world, base) = world();
    let bob = world.author(
        &[base],
        &[(2, Operation::Add(card(&[("/name", "Bob"), ("/age", "7")])))],
    );
    let gone = world.author(&[bob], &[(2, Operation::Remove)]);
    let moved = world.author(&[gone], &[(2, rename(1, vec![]))]);
    let edit = world.author(&[bob], &[(1, change(vec![set("/town", "Bonn")]))]);
    assert_eq!(names(&world, &[moved, edit], "/town"), named(&[(2, "Bonn")]));
    assert_eq!(names(&world, &[moved, edit], "/age"), named(&[(2, "-")]));
    assert_eq!(world.conflicts(&[moved, edit]), Vec::<String>::new());
}

#[test]
fn renames_that_do_not_fit_are_refused() {
    let (world, base) = world();
    let bob = world.author(&[base], &[(2, Operation::Add(card(&[("/name", "Bob")])))]);
    let refusal = |operations: &[(u8, Operation)]| match world.try_author(&[bob], operations) {
        Err(MergeError::Unfit { key, source }) => (key.bytes()[0], source),
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(&[(2, rename(1, vec![]))]), (2, ChangeError::Exists));
    assert_eq!(refusal(&[(3, rename(9, vec![]))]), (3, ChangeError::Missing));
    assert_eq!(
        refusal(&[(3, rename(1, vec![])), (4, rename(1, vec![]))]),
        (4, ChangeError::Rename)
    );
    let edit = change(vec![set("/name", "x")]);
    assert_eq!(refusal(&[(1, edit), (3, rename(1, vec![]))]), (3, ChangeError::Rename));
    assert_eq!(
        refusal(&[(1, Operation::Remove), (3, rename(1, vec![]))]),
        (3, ChangeError::Rename)
    );
    assert_eq!(refusal(&[(2, Operation::Alias(key(1)))]), (2, ChangeError::NaturalKeys));
    let add = Operation::Add(card(&[("/name", "x")]));
    assert_eq!(refusal(&[(1, add)]), (1, ChangeError::Exists));
    let people = World::of(Kind::Contact);
    let base = people.author(&[], &[(1, Operation::Add(card(&[("/name", "Ann")])))]);
    assert!(matches!(
        people.try_author(&[base], &[(2, rename(1, vec![]))]),
        Err(MergeError::Unfit {
            source: ChangeError::FixedKeys,
            ..
        })
    ));
}

#[test]
fn a_rename_is_stored_as_one_transaction() {
    let (world, base) = world();
    let moved = world.author(&[base], &[(2, rename(1, vec![set("/deep/new", "x")]))]);
    let history = History::new(&world.objects);
    let delta = history.snapshot(&moved).unwrap().delta;
    let all: Vec<_> = Delta::open(&world.objects, &delta)
        .unwrap()
        .iter()
        .map(Result::unwrap)
        .collect();
    // In normal form: the map that was absent is set as a whole.
    let whole = FieldOperation::Set(path("/deep"), card(&[("/new", "x")]));
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0].key, &all[0].operation), (&key(2), &rename(1, vec![whole])));
}

#[test]
fn renames_between_two_states_are_told_by_their_ends() {
    let (world, base) = world();
    let history = History::new(&world.objects);
    let between = |from: SnapshotId, to: &[SnapshotId]| -> Vec<(u8, u8)> {
        let found = renames_between(&history, &[from], to).unwrap().into_iter();
        found.map(|(key, origin)| (key.bytes()[0], origin.bytes()[0])).collect()
    };
    let bob = world.author(&[base], &[(2, Operation::Add(card(&[("/name", "Bob")])))]);
    let swapped = world.author(&[bob], &[(1, rename(2, vec![])), (2, rename(1, vec![]))]);
    assert_eq!(between(bob, &[swapped]), [(1, 2), (2, 1)]);
    let away = world.author(&[swapped], &[(3, rename(2, vec![]))]);
    assert_eq!(between(bob, &[away]), [(1, 2), (3, 1)]);
    assert_eq!(between(swapped, &[away]), [(3, 2)]);
    let back = world.author(&[away], &[(1, rename(3, vec![])), (2, rename(1, vec![]))]);
    assert_eq!(between(bob, &[back]), []);
    assert_eq!(between(back, &[back]), []);
    // What another head did is none of it.
    let beside = world.author(&[bob], &[(4, rename(1, vec![]))]);
    assert_eq!(between(away, &[away, beside]), [(4, 1)]);
}

/// One thing that a branch does: to which key, from which key, and with what.
type Deed = (u8, u8, u8, u8);

/// Does what fits, one snapshot each.
fn branch(world: &World, base: SnapshotId, deeds: &[Deed]) -> SnapshotId {
    let mut head = base;
    for (kind, to, from, value) in deeds {
        let field = ["/name", "/town"][usize::from(value % 2)];
        let set = set(field, format!("{value}"));
        let operation = match kind {
            0 => Operation::Add(card(&[(field, &value.to_string())])),
            1 => Operation::Remove,
            2 => change(vec![set]),
            3 => rename(*from, vec![set]),
            _ => rename(*from, vec![]),
        };
        if let Ok(next) = world.try_author(&[head], &[(*to, operation)]) {
            receive(&History::new(&world.objects), &next).unwrap();
            head = next;
        }
    }
    head
}

/// Everything that is there, but for key 9, and everything in conflict.
fn all(world: &World, heads: &[SnapshotId]) -> String {
    let state = world.merged(heads);
    let entries: Vec<_> = tree::iter(&world.objects, &state.content)
        .map(Result::unwrap)
        .filter(|(entry, _)| entry != key(9).bytes())
        .collect();
    let conflicts: Vec<Conflict> = conflicts(&world.objects, &state).map(Result::unwrap).collect();
    format!("{entries:?} {conflicts:#?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn merging_with_renames_is_commutative_associative_and_idempotent(
        deeds in proptest::collection::vec(
            proptest::collection::vec((0u8..6, 1u8..5, 1u8..5, 0u8..6), 1..5), 4..5),
    ) {
        let world = World::of(Kind::Row);
        let first = world.author(&[], &[(1, Operation::Add(card(&[("/name", "Ann"), ("/town", "Ulm")])))]);
        let base = branch(&world, first, &deeds[0]);
        let [a, b, c] = [1, 2, 3].map(|n| branch(&world, base, &deeds[n]));
        let wanted = all(&world, &[a, b, c]);
        for heads in [[a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
            prop_assert_eq!(&all(&world, &heads), &wanted);
        }
        prop_assert_eq!(&all(&world, &[a, a, b, base, c, b, first]), &wanted);
        // Whoever has merged two of them and goes on has the same as who merges all at once.
        for (pair, rest) in [([a, b], c), ([b, c], a), ([a, c], b)] {
            let note = world.author(&pair, &[(9, Operation::Add(card(&[("/note", "n")])))]);
            prop_assert_eq!(&all(&world, &[note, rest]), &wanted);
        }
    }
}
