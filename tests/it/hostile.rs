//! Packs and remotes that lie or are damaged: an error, nothing changed, nothing of it believed later.

use std::fs;

use dsync::delta::Snapshot;
use dsync::disk::Disk;
use dsync::model::{Domain, Hash, SnapshotId};
use dsync::remote::{LogObject, packfile};
use dsync::sync::{SyncError, SyncOptions, SyncReport, SyncResult};

use crate::world::{System, World, card, chain};

/// Systems `a`, with three snapshots, and `b`, with the first of them; both know of no remote.
fn pair() -> World {
    let world = World::new();
    {
        let a = world.system("a");
        world.write(
            "a/phone.vcf",
            [card("u1", "Ann One", &["TEL:1"]), card("u2", "Bob Two", &[])].concat(),
        );
        a.add_source("phone.vcf", "vcard");
        a.sync();
        let b = world.system("b");
        b.add_source("phone.vcf", "vcard");
        unpack(&b, &a.repository().pack(None, false).unwrap()).unwrap();
        assert_eq!(a.roots(), b.roots());
        world.replace("a/phone.vcf", "TEL:1", "TEL:11");
        a.sync();
        world.edit("a/phone.vcf", |text| text + &card("u3", "Cyd Three", &["TEL:3"]));
        a.sync();
    }
    world
}

fn unpack(system: &System<'_>, bytes: &[u8]) -> SyncResult<SyncReport> {
    system.repository().unpack(bytes, &SyncOptions::default())
}

/// The pack of what `b` lacks.
fn news(world: &World) -> Vec<u8> {
    let base = world.existing("b").repository().log(None, Some(1)).unwrap()[0]
        .snapshot
        .clone();
    world.existing("a").repository().pack(Some(&base), false).unwrap()
}

/// Rewrites the snapshots of a pack, oldest first; later ones follow the new ids of their parents.
fn forged(pack: &[u8], change: &dyn Fn(usize, &mut Snapshot)) -> Vec<u8> {
    let mut objects = packfile::read(&mut &*pack, 1 << 20).unwrap();
    for object in &mut objects {
        let mut snapshots: Vec<(usize, Snapshot)> = Vec::new();
        for (at, (domain, bytes)) in object.objects.iter().enumerate() {
            if *domain == Domain::Snapshot {
                snapshots.push((at, Snapshot::decode(bytes).unwrap()));
            }
        }
        snapshots.sort_by_key(|(_, snapshot)| snapshot.generation);
        let mut renamed: Vec<(SnapshotId, SnapshotId)> = Vec::new();
        for (n, (at, mut snapshot)) in snapshots.into_iter().enumerate() {
            let old = snapshot.id();
            for parent in &mut snapshot.parents {
                if let Some((_, new)) = renamed.iter().find(|(old, _)| old == parent) {
                    *parent = *new;
                }
            }
            change(n, &mut snapshot);
            renamed.push((old, snapshot.id()));
            object.objects[at].1 = snapshot.encode();
        }
        for heads in &mut object.collections {
            for head in &mut heads.heads {
                if let Some((_, new)) = renamed.iter().find(|(old, _)| old == head) {
                    *head = *new;
                }
            }
        }
    }
    written(&objects)
}

fn written(objects: &[LogObject]) -> Vec<u8> {
    let mut bytes = Vec::new();
    packfile::write(objects, &mut bytes).unwrap();
    bytes
}

/// Checks that a pack is refused and that nothing is left of it.
#[track_caller]
fn refused(world: &World, bytes: &[u8], what: &str) -> SyncError {
    let b = world.existing("b");
    let before = (b.roots(), b.snapshots(), b.sources());
    let objects = b.repository().verify(None, true).unwrap().objects;
    let error = unpack(&b, bytes).map(|report| format!("{report:?}")).expect_err(what);
    assert_eq!((b.roots(), b.snapshots(), b.sources()), before, "{what}");
    b.verify_clean();
    assert_eq!(
        b.repository().verify(None, true).unwrap().objects,
        objects,
        "{what} left objects"
    );
    error
}

#[track_caller]
fn refused_as_damaged(world: &World, bytes: &[u8], what: &str) {
    let error = refused(world, bytes, what);
    assert!(matches!(error, SyncError::Damaged(_)), "{what}: {}", chain(&error));
}

/// A change of the n-th snapshot of a pack.
type Lie = Box<dyn Fn(usize, &mut Snapshot)>;

#[test]
fn snapshots_that_lie_are_refused() {
    let world = pair();
    let pack = news(&world);
    let old = world.existing("b").repository().log(None, None).unwrap();
    let known: Hash = world.existing("b").roots()[0].1.parse().unwrap();
    let lies: Vec<(&str, Lie)> = vec![
        (
            "a root that nobody has",
            Box::new(|n, s| {
                if n == 1 {
                    s.result.content = Hash::of(Domain::Value, b"x");
                }
            }),
        ),
        // This one is there already, so that only computing it anew shows the lie.
        (
            "a root that is another state's",
            Box::new(move |n, s| {
                if n == 0 {
                    s.result.content = known;
                }
            }),
        ),
        (
            "another conflict root",
            Box::new(move |n, s| {
                if n == 0 {
                    s.result.conflicts = known;
                }
            }),
        ),
        (
            "a generation",
            Box::new(|n, s| {
                if n == 1 {
                    s.generation += 1;
                }
            }),
        ),
        (
            "a generation before its parent's",
            Box::new(|n, s| {
                if n == 1 {
                    s.generation = 1;
                }
            }),
        ),
        (
            "other counts",
            Box::new(|n, s| {
                if n == 0 {
                    s.records += 1;
                }
            }),
        ),
        (
            "another collection",
            Box::new(|n, s| {
                if n == 1 {
                    s.collection = "others".to_owned();
                }
            }),
        ),
        (
            "no parents",
            Box::new(|n, s| {
                if n == 0 {
                    s.parents.clear();
                    s.generation = 1;
                }
            }),
        ),
        (
            "another's difference set",
            Box::new(move |n, s| {
                if n == 1 {
                    s.delta = Hash::of(Domain::Delta, b"?");
                }
            }),
        ),
    ];
    for (what, lie) in lies {
        refused_as_damaged(&world, &forged(&pack, &lie), what);
    }
    // The difference set of another base: the two sets of the pack exchanged.
    let objects = packfile::read(&mut &*pack, 1 << 20).unwrap();
    let deltas: Vec<Hash> = objects[0]
        .objects
        .iter()
        .filter(|(domain, _)| *domain == Domain::Snapshot)
        .map(|(_, bytes)| Snapshot::decode(bytes).unwrap().delta)
        .collect();
    assert_eq!((deltas.len(), old.len()), (2, 1));
    let swapped = forged(&pack, &move |_, s| {
        s.delta = if s.delta == deltas[0] { deltas[1] } else { deltas[0] }
    });
    refused_as_damaged(&world, &swapped, "the difference sets of each other");
    // What is true still goes in afterwards.
    unpack(&world.existing("b"), &pack).unwrap();
    assert_eq!(world.existing("a").roots(), world.existing("b").roots());
    assert!(world.read("b/phone.vcf").contains("Cyd"));
}

#[test]
fn a_pack_without_its_base_is_refused_whole() {
    let world = pair();
    let base = world.existing("a").repository().log(None, Some(2)).unwrap()[1]
        .snapshot
        .clone();
    let pack = world.existing("a").repository().pack(Some(&base), false).unwrap();
    let error = refused(&world, &pack, "a missing parent");
    assert!(chain(&error).contains("is not here"), "{}", chain(&error));
}

#[test]
fn objects_that_no_pack_has_are_refused() {
    let world = pair();
    for domain in [Domain::Leaf, Domain::Inner, Domain::Operation, Domain::Item] {
        let mut objects = packfile::read(&mut &*news(&world), 1 << 20).unwrap();
        objects[0].objects.push((domain, b"a node".to_vec()));
        let mut bytes = Vec::new();
        // What cannot even be written cannot come either.
        if packfile::write(&objects, &mut bytes).is_ok() {
            refused_as_damaged(&world, &bytes, &format!("{domain:?}"));
        }
    }
}

#[test]
fn damaged_packs_are_refused() {
    let world = pair();
    let pack = news(&world);
    for length in 0..pack.len() {
        refused_as_damaged(&world, &pack[..length], &format!("the first {length} bytes"));
    }
    for _ in 0..150 {
        let mut bytes = pack.clone();
        let bit = usize::try_from(crate::world::next_random() % (8 * bytes.len() as u64)).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        refused_as_damaged(&world, &bytes, &format!("bit {bit} flipped"));
    }
    let mut longer = pack.clone();
    longer.push(0);
    refused_as_damaged(&world, &longer, "one byte more");
    unpack(&world.existing("b"), &pack).unwrap();
    // Twice is once.
    let before = world.existing("b").roots();
    unpack(&world.existing("b"), &pack).unwrap();
    assert_eq!(world.existing("b").roots(), before);
}

/// A torn object is not there yet; a damaged one is told, and the others go on.
#[test]
fn a_damaged_log_object_stops_no_other() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        let system = world.system(name);
        system.add_source("phone.vcf", "vcard");
        system.add_remote("remote");
    }
    world.write("a/phone.vcf", card("u1", "Ann One", &[]));
    world.existing("a").sync();
    world.write("b/phone.vcf", card("u2", "Bob Two", &[]));
    world.existing("b").sync();
    world.existing("a").sync();
    world.edit("a/phone.vcf", |text| text.replace("Ann", "Anna"));
    world.existing("a").sync();
    let newest = || {
        let mut logs: Vec<_> = fs::read_dir(world.path("remote/log"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        logs.sort();
        logs
    };
    let replica = world.existing("a").repository().status().unwrap().replica;
    let logs = newest();
    let last = logs
        .iter()
        .rfind(|path| path.file_name().unwrap().to_string_lossy().starts_with(&replica))
        .unwrap();
    let whole = fs::read(last).unwrap();
    let c = world.existing("c");
    for spoilt in [whole[..whole.len() / 2].to_vec(), Vec::new(), {
        let mut bytes = whole.clone();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        bytes
    }] {
        fs::write(last, &spoilt).unwrap();
        let result = c.try_sync(&Disk::default());
        if let Ok(report) = &result {
            assert!(report.remotes[0].message.is_some(), "{report:?}");
        }
        let text = world.read("c/phone.vcf");
        assert!(
            text.contains("Ann One") && text.contains("Bob") && !text.contains("Anna"),
            "{text}"
        );
        c.verify_clean();
    }
    fs::write(last, &whole).unwrap();
    c.sync();
    assert!(world.read("c/phone.vcf").contains("Anna"));
    assert_eq!(c.roots(), world.existing("a").roots());
}
