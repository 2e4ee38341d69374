//! What policies decide, and what newer rules forbid.

use super::tests::{World, card, change, clear, key, path, set};
use super::*;
use crate::delta::{Operation, Transaction};
use crate::model::{FieldPath, Kind, ReplicaId, TimeMs, Value};

/// Authors as one of several systems.
fn by(
    world: &World,
    system: &str,
    time: i64,
    parents: &[SnapshotId],
    operations: &[(RecordKey, Operation)],
) -> SnapshotId {
    let meta = Authoring {
        collection: "contacts".to_owned(),
        kind: Kind::Contact,
        replica: ReplicaId::from_bytes([2; 16]),
        system: system.to_owned(),
        time: TimeMs(time),
        message: None,
    };
    let history = History::new(&world.objects);
    let all = operations
        .iter()
        .cloned()
        .map(|(key, operation)| Ok(Transaction::new(key, operation)));
    let id = author(&history, parents, meta, all).unwrap();
    receive(&History::new(&world.objects), &id).unwrap();
    id
}

/// Sets a policy on some heads.
fn set_policy(world: &World, parents: &[SnapshotId], at: &str, policy: &str) -> SnapshotId {
    let state = world.merged(parents);
    let old = record(&world.objects, &state, &settings_key()).unwrap();
    let old = old.and_then(crate::delta::Entry::into_record);
    let setting = Settings::setting(old.as_ref(), &path(at), &policy.parse().unwrap());
    by(world, "here", 2000, parents, &[(settings_key(), setting)])
}

fn world_with(record: Value) -> (World, SnapshotId) {
    let world = World::new();
    let first = world.author(&[], &[(1, Operation::Add(record))]);
    (world, first)
}

fn shown(world: &World, heads: &[SnapshotId], at: &str) -> Option<Value> {
    world.record(heads, 1).unwrap().at(&path(at)).cloned()
}

/// What two systems write at `at`, `desk` later than `laptop`.
fn clash(world: &World, base: &[SnapshotId], at: &str, laptop: Value, desk: Value) -> [SnapshotId; 2] {
    let write =
        |system: &str, time, value: Value| by(world, system, time, base, &[(key(1), change(vec![set(at, value)]))]);
    [write("laptop", 3000, laptop), write("desk", 4000, desk)]
}

#[test]
fn a_preferred_system_is_shown_and_the_other_value_kept() {
    let (world, first) = world_with(card(&[("/name", "Ann"), ("/town", "Ulm")]));
    let before = clash(&world, &[first], "/name", "Anna".into(), "Anne".into());
    assert_eq!(world.conflicts(&before), ["/name: Anne | Anna"]);
    let base = set_policy(&world, &[first], "", "prefer laptop");
    let heads = clash(&world, &[base], "/name", "Anna".into(), "Anne".into());
    assert_eq!(world.conflicts(&heads), ["/name: Anna | Anne"]);
    assert_eq!(shown(&world, &heads, "/name"), Some("Anna".into()));
    // What is known to one of the writers counts.
    assert_eq!(world.conflicts(&[before[0], heads[1]]), ["/name: Anna | Anne"]);
    // The policy of a field stands before that of all, and nothing is decided by one that no writer knew.
    let field = set_policy(&world, &[base], "/town", "newest");
    let towns = clash(&world, &[field], "/town", "Bonn".into(), "Köln".into());
    assert_eq!(world.conflicts(&towns), ["/town: Köln | Bonn"]);
    let late = set_policy(&world, &before, "", "prefer laptop");
    assert_eq!(world.conflicts(&[late]), ["/name: Anne | Anna"]);
    // A removal never wins.
    let removed = by(
        &world,
        "laptop",
        5000,
        &[base],
        &[(key(1), change(vec![clear("/town")]))],
    );
    let kept = by(
        &world,
        "desk",
        3500,
        &[base],
        &[(key(1), change(vec![set("/town", "Bonn")]))],
    );
    assert_eq!(world.conflicts(&[removed, kept]), ["/town: Bonn | nothing"]);
}

#[test]
fn a_union_of_texts_and_lists_keeps_the_parts_of_both() {
    let list = |items: &[i64]| Value::List(items.iter().map(|item| Value::Integer(*item)).collect());
    let mut record = card(&[("/note", "a\nb\nc\n"), ("/name", "Ann")]);
    record.set_at(&path("/list"), list(&[1, 2, 3]));
    let (world, first) = world_with(record);
    let notes = |base| clash(&world, &[base], "/note", "a\nB1\nc\n".into(), "a\nB2\nc\nd\n".into());
    assert_eq!(world.conflicts(&notes(first)).len(), 1);
    let base = set_policy(&world, &[first], "", "union");
    let none: [String; 0] = [];
    assert_eq!(world.conflicts(&notes(base)), none);
    assert_eq!(shown(&world, &notes(base), "/note"), Some("a\nB1\nB2\nc\nd\n".into()));
    let lists = clash(&world, &[base], "/list", list(&[1, 3, 4]), list(&[5, 1, 2, 3]));
    assert_eq!(shown(&world, &lists, "/list"), Some(list(&[1, 3, 4, 5])));
    assert_eq!(world.conflicts(&lists), none);
    // Without a common base: two systems add the field.
    let added = clash(&world, &[base], "/more", "x\ny\n".into(), "x\nz".into());
    assert_eq!(shown(&world, &added, "/more"), Some("x\ny\nz".into()));
    // A line alone is a value like any other.
    let names = clash(&world, &[base], "/name", "Anna".into(), "Anne".into());
    assert_eq!(world.conflicts(&names), ["/name: Anne | Anna"]);
}

#[test]
fn where_both_are_kept_nothing_is_merged() {
    let (world, first) = world_with(card(&[("/note", "a\nb\nc\n"), ("/other", "a\nb\nc\n")]));
    let none: [String; 0] = [];
    let notes = |base, at| clash(&world, &[base], at, "A\nb\nc\n".into(), "a\nb\nC\n".into());
    assert_eq!(world.conflicts(&notes(first, "/note")), none);
    let base = set_policy(&world, &[first], "/note", "keep-both");
    assert_eq!(world.conflicts(&notes(base, "/note")), ["/note: a\nb\nC\n | A\nb\nc\n"]);
    assert_eq!(world.conflicts(&notes(base, "/other")), none);
}

#[test]
fn settings_are_no_record_and_merge_like_one() {
    let (world, first) = world_with(card(&[("/name", "Ann")]));
    let left = set_policy(&world, &[first], "", "union");
    let right = set_policy(&world, &[first], "/name", "keep-both");
    let state = world.merged(&[left, right]);
    assert_eq!(state.content, world.merged(&[first]).content);
    assert_eq!(record_count(&world.objects, &state).unwrap(), 1);
    let settings = Settings::read(&world.objects, &state).unwrap();
    assert_eq!(*settings.policy(&path("/x")), Policy::Union);
    assert_eq!(*settings.policy(&path("/name")), Policy::KeepBoth);
    assert_eq!(world.conflicts(&[left, right]), Vec::<String>::new());
    let other = set_policy(&world, &[first], "", "newest");
    let found: Vec<Conflict> = conflicts(&world.objects, &world.merged(&[left, other]))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!((found.len(), &found[0].key), (1, &settings_key()));
    assert_eq!(found[0].path, FieldPath::new(["conflicts", ""]));
    // Nothing can be renamed to them or united with them.
    let rows = World::of(Kind::Row);
    let base = rows.author(&[], &[(1, Operation::Add(card(&[("/name", "Ann")])))]);
    let rename = Operation::Rename {
        from: key(1),
        changes: Vec::new(),
    };
    let history = History::new(&rows.objects);
    let meta = Authoring {
        collection: "contacts".to_owned(),
        kind: Kind::Row,
        replica: ReplicaId::from_bytes([1; 16]),
        system: "here".to_owned(),
        time: TimeMs(1),
        message: None,
    };
    let transaction = Transaction::new(settings_key(), rename);
    assert!(author(&history, &[base], meta, [Ok(transaction)]).is_err());
}

#[test]
fn who_meets_newer_rules_only_reads() {
    let (world, first) = world_with(card(&[("/name", "Ann")]));
    let mut settings = Value::Map(crate::model::Map::new());
    settings.set_at(&path("/versions/merge"), Value::Integer(2));
    let raised = by(
        &world,
        "desk",
        3000,
        &[first],
        &[(settings_key(), Operation::Add(settings))],
    );
    assert_eq!(shown(&world, &[raised], "/name"), Some("Ann".into()));
    let edit = [(1, change(vec![set("/name", "Anna")]))];
    for heads in [vec![raised], vec![raised, world.author(&[first], &edit)]] {
        match world.try_author(&heads, &edit) {
            Err(MergeError::Newer { rule, found }) => assert_eq!((rule.as_str(), found), ("merge", 2)),
            other => panic!("{other:?}"),
        }
    }
    // What was written before, or beside it, is still taken.
    world.author(&[first], &edit);
}

#[test]
fn a_policy_decides_of_open_conflicts_what_it_would_have_shown() {
    let mut first = card(&[("/name", "Ann"), ("/note", "a\nb\nc\n"), ("/town", "Ulm")]);
    first.set_at(&path("/list"), Value::List(vec![Value::Integer(1), Value::Integer(2)]));
    let (world, base) = world_with(first);
    let decided = |heads: &[SnapshotId], policy: &str| {
        let policy = policy.parse().unwrap();
        let open = conflicts_of(&world.objects, &world.merged(heads), &key(1)).unwrap();
        assert_eq!(open.len(), 1);
        decide(&world.objects, &open[0], &policy).unwrap()
    };
    let names = clash(&world, &[base], "/name", "Anna".into(), "Anne".into());
    assert_eq!(decided(&names, "newest"), Some("Anne".into()));
    assert_eq!(decided(&names, "prefer laptop"), Some("Anna".into()));
    assert_eq!(decided(&names, "prefer phone"), None);
    assert_eq!(decided(&names, "union"), None);
    assert_eq!(decided(&names, "keep-both"), None);
    let notes = clash(&world, &[base], "/note", "a\nB1\nc\n".into(), "a\nB2\nc\n".into());
    assert_eq!(decided(&notes, "union"), Some("a\nB1\nB2\nc\n".into()));
    let list = |items: [i64; 2]| Value::List(items.map(Value::Integer).into());
    let lists = clash(&world, &[base], "/list", list([1, 3]), list([4, 2]));
    assert_eq!(decided(&lists, "union"), Some(list([3, 4])));
    // Removals are left to a person.
    let removed = by(
        &world,
        "laptop",
        5000,
        &[base],
        &[(key(1), change(vec![clear("/town")]))],
    );
    let kept = by(
        &world,
        "desk",
        3500,
        &[base],
        &[(key(1), change(vec![set("/town", "Bonn")]))],
    );
    assert_eq!(decided(&[removed, kept], "newest"), None);
}
