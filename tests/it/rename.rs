//! Records whose keys change, on systems with tables: no source tells of a rename yet, so the history is given one.

use dsync::delta::{FieldOperation, Operation, Transaction};
use dsync::disk::Disk;
use dsync::merge::{self, Authoring, History};
use dsync::model::row::{Cell, key};
use dsync::model::{FieldPath, Kind, RecordKey, TimeMs};
use dsync::store::Store;
use dsync::sync::{AddSource, DiffOptions, KEY_FIELD, RecordDifference, Resolution};

use crate::world::{System, World, settle};

const PRICES: &str = "sku,name,price\nA1,Apple,1.50\nB2,Bread,3.20\n";

fn sku(text: &str) -> RecordKey {
    let mut bytes = Vec::new();
    key::push_part(&Cell::Text(text.into()), &mut bytes);
    RecordKey::new(bytes).unwrap()
}

fn with_table<'w>(world: &'w World, name: &str, content: &str) -> System<'w> {
    let system = world.system(name);
    system.write("prices.csv", content);
    let options = AddSource {
        collection: Some("prices".to_owned()),
        key: vec!["sku".to_owned()],
        ..AddSource::default()
    };
    system.add_with("prices.csv", "csv", options);
    system.add_remote("remote");
    system
}

/// Two systems that agree on the table.
fn two(world: &World) -> [System<'_>; 2] {
    let all = [with_table(world, "office", PRICES), with_table(world, "shop", PRICES)];
    settle(&all.each_ref());
    all
}

/// Gives a row another key, as a place that recognises it will do.
fn rename(system: &System<'_>, from: &str, to: &str) {
    let mut store = Store::open(&Disk::default(), &system.dir().join(".dsync")).unwrap();
    let mut view = store.view().clone();
    let collection = view.collections.get_mut("prices").unwrap();
    let meta = Authoring {
        collection: "prices".to_owned(),
        kind: Kind::Row,
        replica: view.replica,
        system: view.system.clone(),
        time: TimeMs(4_000_000_000_000 + i64::from(to.as_bytes()[0])),
        message: None,
    };
    let changes = vec![FieldOperation::Set(FieldPath::new(["sku"]), to.into())];
    let from = sku(from);
    let transaction = Transaction::new(sku(to), Operation::Rename { from, changes });
    let id = merge::author(&History::new(&store), &collection.heads, meta, [Ok(transaction)]).unwrap();
    collection.heads = vec![id];
    store.commit(view, "rename", TimeMs(0)).unwrap();
}

fn lines(system: &System<'_>) -> Vec<String> {
    let mut lines: Vec<String> = system.read("prices.csv").lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn differences(system: &System<'_>, from: &str) -> Vec<RecordDifference> {
    let options = DiffOptions {
        from: Some(from.to_owned()),
        ..DiffOptions::default()
    };
    let mut all = Vec::new();
    let mut repository = system.repository();
    repository
        .diff(&options, &mut |difference| {
            all.push(difference);
            Ok(())
        })
        .unwrap();
    all
}

#[test]
fn an_edit_beside_a_rename_arrives_under_the_new_key() {
    let world = World::new();
    let all = two(&world);
    rename(&all[0], "A1", "Z9");
    let told = differences(&all[0], "@-");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((told[0].op.as_str(), told[0].key.as_str()), ("rename", "Z9"));
    assert_eq!(told[0].old_key.as_deref(), Some("A1"));
    assert_eq!(told[0].fields.len(), 1);
    all[1].edit("prices.csv", "1.50", "1.75");
    settle(&all.each_ref());
    for system in &all {
        assert_eq!(lines(system), ["B2,Bread,3.20", "Z9,Apple,1.75", "sku,name,price"]);
        assert_eq!(system.conflicts(), []);
    }
}

#[test]
fn two_new_keys_are_a_conflict_that_is_resolved_for_all() {
    let world = World::new();
    let all = two(&world);
    rename(&all[0], "A1", "Y8");
    rename(&all[1], "A1", "Z9");
    settle(&all.each_ref());
    for system in &all {
        assert_eq!(lines(system), ["B2,Bread,3.20", "Z9,Apple,1.50", "sku,name,price"]);
        let conflicts = system.conflicts();
        let kinds: Vec<&str> = conflicts.iter().map(|conflict| conflict.kind.as_str()).collect();
        assert_eq!(kinds, ["key", "field"]);
        let of_key = &conflicts[0];
        assert_eq!((of_key.key.as_str(), of_key.base.clone()), ("Z9", Some("A1".into())));
        let values: Vec<_> = of_key.alternatives.iter().map(|side| side.value.clone()).collect();
        assert_eq!(values, ["Z9", "Y8"]);
    }
    all[0]
        .repository()
        .resolve("prices", "Z9", Some(KEY_FIELD), &Resolution::Take(2), true)
        .unwrap();
    all[0]
        .repository()
        .resolve("prices", "Z9", None, &Resolution::Take(2), false)
        .unwrap();
    settle(&all.each_ref());
    for system in &all {
        assert_eq!(lines(system), ["B2,Bread,3.20", "Y8,Apple,1.50", "sku,name,price"]);
        assert_eq!(system.conflicts(), []);
    }
}

#[test]
fn an_undone_rename_gives_the_key_back_and_keeps_what_others_wrote() {
    let world = World::new();
    let all = two(&world);
    rename(&all[0], "A1", "Z9");
    settle(&all.each_ref());
    all[1].edit("prices.csv", "1.50", "1.75");
    settle(&all.each_ref());
    let operations = all[0].repository().ops(None, true).unwrap();
    let renamed = operations
        .iter()
        .find(|operation| operation.command == "rename")
        .unwrap();
    let _report = all[0].undo_of(&renamed.operation);
    settle(&all.each_ref());
    for system in &all {
        assert_eq!(lines(system), ["A1,Apple,1.75", "B2,Bread,3.20", "sku,name,price"]);
        assert_eq!(system.conflicts(), []);
    }
}

#[test]
fn rows_with_keys_of_their_own_are_not_united() {
    let world = World::new();
    let all = two(&world);
    let united = all[0]
        .repository()
        .resolve("prices", "A1", None, &Resolution::SameAs("B2".to_owned()), true);
    assert!(united.is_err_and(|error| error.to_string().contains("keys of their own")));
}
