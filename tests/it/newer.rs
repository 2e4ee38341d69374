//! A collection that is kept by rules of a later version: this program reads it, says so, and writes nothing.

use dsync::delta::{Delta, Operation, Snapshot, Transaction};
use dsync::merge::{self, Authoring, History, settings_key};
use dsync::model::{Domain, FieldPath, Kind, Map, ReplicaId, SnapshotId, TimeMs, Value};
use dsync::port::{MemoryObjects, Objects};
use dsync::remote::packfile;

use crate::env::TestEnv;
use crate::world::card;

/// Adds to a pack of everything a snapshot that raises the version of the rules for merging.
fn raised(pack: &[u8]) -> Vec<u8> {
    let mut packed = packfile::read(&mut &*pack, 1 << 20).unwrap();
    let objects = MemoryObjects::default();
    let mut snapshots = Vec::new();
    for (domain, bytes) in packed.iter().flat_map(|one| &one.objects) {
        objects.put(*domain, bytes).unwrap();
        if *domain == Domain::Snapshot {
            snapshots.push(Snapshot::decode(bytes).unwrap());
        }
    }
    snapshots.sort_by_key(|snapshot| snapshot.generation);
    let history = History::new(&objects);
    for snapshot in &snapshots {
        merge::receive(&history, &snapshot.id()).unwrap();
    }
    let mut settings = Value::Map(Map::new());
    settings.set_at(&FieldPath::parse("/versions/merge").unwrap(), Value::Integer(2));
    let parents: Vec<SnapshotId> = snapshots.last().map(Snapshot::id).into_iter().collect();
    let meta = Authoring {
        collection: "contacts".to_owned(),
        kind: Kind::Contact,
        replica: ReplicaId::from_bytes([7; 16]),
        system: "later".to_owned(),
        time: TimeMs(4_000_000_000_000),
        message: None,
    };
    let raise = Transaction::new(settings_key(), Operation::Add(settings));
    let id = merge::author(&history, &parents, meta, [Ok(raise)]).unwrap();
    let last = packed.last_mut().unwrap();
    let snapshot = objects.get(&id.0).unwrap();
    let delta = Snapshot::decode(&snapshot).unwrap().delta;
    last.objects.push((Domain::Snapshot, snapshot.to_vec()));
    let mut add = |domain, id: &dsync::model::Hash| {
        last.objects.push((domain, objects.get(id).unwrap().to_vec()));
        Ok(())
    };
    Delta::open(&objects, &delta).unwrap().each_object(&mut add).unwrap();
    for heads in &mut last.collections {
        heads.heads = vec![id];
    }
    let mut bytes = Vec::new();
    packfile::write(&packed, &mut bytes).unwrap();
    bytes
}

#[test]
fn who_does_not_know_the_rules_of_a_collection_only_reads_it() {
    let env = TestEnv::new();
    let _init = env.run("init a").success();
    env.write("a/book.vcf", &card("ann", "Ann Smith", &["TEL:1"]));
    let _source = env.run("-C a add-source book.vcf").success();
    let _sync = env.run("-C a sync").success();
    let _pack = env.run("-C a pack ../all.pack").success();
    let pack = raised(&std::fs::read(env.path("all.pack")).unwrap());
    std::fs::write(env.path("later.pack"), pack).unwrap();
    let _unpack = env.run("-C a unpack ../later.pack").success();
    // Reading goes on, and so does a sync that has nothing to write.
    let state = env.run("-C a status --json").success().json()["state"].clone();
    assert_eq!(env.run("-C a cat contacts --json").success().json()["kind"], "contact");
    let _quiet = env.run("-C a sync").success();
    env.edit("a/book.vcf", "TEL:1", "TEL:2");
    let book = env.read("a/book.vcf");
    for words in [
        "-C a sync",
        "-C a snapshot",
        "-C a collections set contacts conflicts=union",
        "-C a restore @- ann",
    ] {
        let error = env.run(&format!("{words} --json")).code(1).json_error()["error"].clone();
        assert_eq!(error["code"], "newer-collection", "{words}: {error}");
        assert_eq!(error["retryable"], false);
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("`contacts`") && message.contains("version 2"),
            "{message}"
        );
        let hints = error["hints"].to_string();
        assert!(
            hints.contains("--version") && hints.contains("status"),
            "{words}: {hints}"
        );
        assert_eq!(env.read("a/book.vcf"), book, "{words}");
    }
    let told = env.run("-C a sync").code(1).stderr;
    assert!(
        told.contains("this dsync can only read it") && told.contains("hint:"),
        "{told}"
    );
    // Nothing was written, and the edit is still there for a program that knows the rules.
    assert_eq!(env.run("-C a status --json").success().json()["state"], state);
    let differences = env.run("-C a log --json").success().stdout;
    assert_eq!(differences.lines().count(), 2, "{differences}");
}
