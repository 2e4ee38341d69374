//! Rolled bases: what is folded, what may be deleted for it, and who comes back after.

use std::collections::BTreeSet;
use std::path::Path;

use dsync::disk::Disk;
use dsync::remote::{BaseName, FolderStorage, Keys, Listing, Part, Remote};
use dsync::sync::{Rolled, SyncOptions};

use crate::world::{FETCH, System, World, card, chain, copy_tree, next_random};

fn remote(world: &World) -> Remote {
    let storage = FolderStorage::open(Disk::default(), &world.path("remote")).unwrap();
    Remote::open(Box::new(storage), &Keys::default()).unwrap()
}

fn listing(world: &World) -> Listing {
    remote(world).list().unwrap()
}

/// Returns how many log objects and parts of bases there are.
fn counts(world: &World) -> (usize, usize) {
    let listing = listing(world);
    (listing.length_bytes.len(), listing.base_bytes.len())
}

fn files(folder: &Path) -> BTreeSet<(String, Vec<u8>)> {
    let mut found = BTreeSet::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            found.insert((entry.path().display().to_string(), bytes));
        }
    }
    found
}

fn roll(system: &System<'_>) -> Rolled {
    system.repository().roll(&[], false).unwrap().remove(0)
}

/// Systems `a` and `b` that have edited in turn, so that the remote has `rounds` objects of each, and both are in step.
fn history(world: &World, rounds: usize) -> (System<'_>, System<'_>) {
    let a = world.with("a", "book.vcf", "vcard", &card("u0", "Ada Lovelace", &["TEL:0"]));
    let b = world.system("b");
    b.add_source("book.vcf", "vcard");
    b.add_remote("remote");
    a.sync();
    for round in 1..rounds {
        for (system, other) in [(&a, "b"), (&b, "a")] {
            system.sync();
            let added = card(
                &format!("{other}{round}"),
                &format!("Person {other}{round}"),
                &["TEL:1"],
            );
            world.edit(system.path("book.vcf"), |text| text + &added);
            system.sync();
        }
    }
    a.sync();
    b.sync();
    assert_eq!(a.shown(), b.shown());
    (a, b)
}

#[test]
fn a_clone_reads_the_base_and_what_came_after() {
    let world = World::new();
    let (a, b) = history(&world, 8);
    let log = a.log().len();
    let before = counts(&world);
    let rolled = roll(&a);
    assert_eq!(
        (rolled.folded as usize, rolled.systems, rolled.objects),
        (before.0, 2, 1)
    );
    b.edit("book.vcf", "FN:Ada Lovelace", "FN:Ada King");
    b.sync();

    let c = world.clone_system("c", "remote");
    assert_eq!(c.log().len(), log + 1);
    c.add_source("book.vcf", "vcard");
    c.sync();
    assert_eq!(c.shown(), b.shown());
    // It is a system like the others, and their history is its own.
    assert_eq!(c.repository().verify(None, true).unwrap().damaged.len(), 0);
    c.edit("book.vcf", "FN:Ada King", "FN:Countess of Lovelace");
    c.sync();
    for system in [&a, &b, &c] {
        system.sync();
    }
    assert_eq!((a.shown(), c.state()), (c.shown(), a.state()));
    assert!(a.read("book.vcf").contains("FN:Countess of Lovelace"));
}

#[test]
fn a_clone_can_undo_and_look_into_the_folded_past() {
    let world = World::new();
    let (a, b) = history(&world, 4);
    roll(&a);
    let c = world.clone_system("c", "remote");
    c.add_source("book.vcf", "vcard");
    c.sync();
    // A change from before the base is merged with one made now on what was before it.
    let oldest = c.log().last().unwrap().snapshot.clone();
    let shown = c.repository().restore(&oldest, &[], &SyncOptions::default()).unwrap();
    assert!(!shown.dry_run);
    c.sync();
    for system in [&a, &b] {
        system.sync_forced();
    }
    assert_eq!(a.shown(), c.shown());
    assert_eq!(a.records(), 1);
}

#[test]
fn each_deletes_its_own_once_all_have_found_the_base_right() {
    let world = World::new();
    let (a, b) = history(&world, 8);
    let before = counts(&world).0;
    roll(&a);
    // A says that it has found the base right, in one more object.
    assert_eq!(counts(&world), (before + 1, 1));
    a.sync();
    assert_eq!(counts(&world).0, before + 1, "b has said nothing yet");
    b.sync();
    a.sync();
    b.sync();
    let left = listing(&world).logs;
    assert!(
        left.values().all(|log| log.len() == 1),
        "the newest of each stays: {left:?}"
    );
    // Then there is nothing left to do.
    let still = files(&world.path("remote"));
    for system in [&a, &b] {
        system.quiet();
        system.quiet();
    }
    assert_eq!(files(&world.path("remote")), still);
    let c = world.clone_system("c", "remote");
    c.add_source("book.vcf", "vcard");
    c.sync();
    assert_eq!(c.shown(), a.shown());
    assert_eq!(c.log().len(), a.log().len());
}

#[test]
fn a_later_base_replaces_the_one_before() {
    let world = World::new();
    let (a, b) = history(&world, 4);
    world.part_bytes.set(512);
    assert!(roll(&a).objects > 3);
    for system in [&b, &a, &b] {
        system.sync();
    }
    a.edit("book.vcf", "FN:Ada Lovelace", "FN:Ada King");
    a.sync();
    b.sync();
    let rolled = roll(&b);
    assert!(rolled.folded > 0);
    for system in [&a, &b, &a] {
        system.sync();
    }
    let bases = listing(&world).bases;
    assert_eq!(bases.len(), 1, "a's base is gone: {bases:?}");
    let c = world.clone_system("c", "remote");
    c.add_source("book.vcf", "vcard");
    c.sync();
    assert_eq!(c.shown(), a.shown());
}

#[test]
fn who_is_forgotten_holds_nothing_up_and_loses_nothing() {
    let world = World::new();
    let (a, b) = history(&world, 6);
    // B goes away with an edit that it has sent to nobody, and one that it has not even recorded.
    b.edit("book.vcf", "FN:Ada Lovelace", "FN:Ada King");
    b.record();
    b.edit("book.vcf", "TEL:0", "TEL:00");
    a.edit("book.vcf", "FN:Person b1", "FN:Person One");
    a.sync();
    roll(&a);
    a.sync();
    let own = |world: &World| listing(world).logs.values().map(std::collections::BTreeMap::len).max();
    assert!(own(&world).unwrap() > 5);
    let forgotten = a.repository().forget_system("b", false).unwrap();
    assert_eq!(forgotten.len(), 1);
    a.sync();
    a.sync();
    assert_eq!(
        own(&world),
        Some(2),
        "what a base covers is gone, b's too: {:?}",
        listing(&world).logs
    );
    assert!(
        a.repository()
            .systems()
            .unwrap()
            .iter()
            .any(|one| one.gone && one.system == "b")
    );

    let report = b.sync();
    let message = report.remotes[0].message.clone().unwrap_or_default();
    assert!(message.contains("was forgotten"), "{message}");
    a.sync();
    b.sync();
    assert_eq!(a.shown(), b.shown());
    let text = a.read("book.vcf");
    for kept in ["FN:Ada King", "TEL:00", "FN:Person One"] {
        assert!(text.contains(kept), "{kept} in\n{text}");
    }
    assert!(a.clashes().is_empty());
    // Only the id under which it goes on is waited for.
    let waited: Vec<_> = a.repository().systems().unwrap();
    assert_eq!(waited.iter().filter(|one| !one.gone).count(), 2, "{waited:?}");
    assert!(a.repository().forget_system("nobody", false).is_err());
}

#[test]
fn who_was_away_catches_up_by_the_base() {
    let world = World::new();
    let (a, b) = history(&world, 3);
    let c = world.clone_system("c", "remote");
    c.add_source("book.vcf", "vcard");
    // C never writes, so nobody waits for it.
    c.receive();
    for number in 0..5 {
        let added = card(&format!("n{number}"), &format!("New {number}"), &["TEL:2"]);
        world.edit(a.path("book.vcf"), |text| text + &added);
        a.sync();
    }
    b.sync();
    roll(&a);
    for system in [&b, &a, &b] {
        system.sync();
    }
    c.write("book.vcf", card("mine", "Only Here", &["TEL:3"]));
    c.sync();
    a.sync();
    assert_eq!(c.shown(), a.shown());
    assert!(a.read("book.vcf").contains("FN:Only Here"));
}

#[test]
fn a_base_that_lacks_something_frees_nothing() {
    let world = World::new();
    let (a, b) = history(&world, 6);
    roll(&a);
    let remote = remote(&world);
    let name = *listing(&world).base_bytes.keys().next().unwrap();
    let mut base = remote.read_base(&name).unwrap();
    assert_eq!(base.part, Part::Whole);
    base.objects.remove(base.objects.len() / 2);
    base.sequence += 1;
    let (forged, stored) = remote.prepare_base(&base).unwrap();
    remote.delete_base(&name).unwrap();
    remote.upload_base(&forged, &stored).unwrap();
    a.sync();
    let before = counts(&world).0;
    // Each notices it when it is about to delete, once.
    for system in [&b, &a] {
        let error = system.try_sync(&Disk::default()).unwrap_err();
        assert!(chain(&error).contains("lacks an object"), "{}", chain(&error));
        system.sync();
    }
    assert!(counts(&world).0 >= before);
    // A clone is told, and takes nothing half.
    let error = world.try_clone("c", "remote", &Disk::default()).unwrap_err();
    assert!(chain(&error).contains(&forged.to_string()), "{}", chain(&error));
}

#[test]
fn torn_bases_are_not_there_yet() {
    let world = World::new();
    let (a, _) = history(&world, 3);
    world.part_bytes.set(400);
    roll(&a);
    for name in listing(&world).base_bytes.into_keys() {
        let path = world.path("remote").join(name.to_string());
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let clone = format!("c{}", name.0.sequence);
        // The logs are still there.
        let c = world.clone_system(&clone, "remote");
        c.add_source("book.vcf", "vcard");
        c.sync();
        assert_eq!(c.shown(), a.shown(), "{name}");
        std::fs::write(&path, whole).unwrap();
    }
}

#[test]
fn a_base_repairs_what_a_log_has_lost() {
    for tear in [true, false] {
        let world = World::new();
        let (a, b) = history(&world, 3);
        let c = world.clone_system("c", "remote");
        c.add_source("book.vcf", "vcard");
        c.sync();
        a.edit("book.vcf", "FN:Ada Lovelace", "FN:Ada King");
        a.sync();
        b.sync();
        let names: Vec<_> = listing(&world).length_bytes.into_keys().collect();
        let mut seen = b.log();
        seen.retain(|one| one.system == "a");
        // The newest object of A is lost on the storage.
        let own: Vec<_> = names
            .iter()
            .filter(|name| seen.iter().any(|_| name.sequence > 0))
            .collect();
        let newest = own.iter().max_by_key(|name| {
            std::fs::metadata(world.path("remote").join(name.to_string()))
                .unwrap()
                .modified()
                .unwrap()
        });
        let path = world.path("remote").join(newest.unwrap().to_string());
        if tear {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        } else {
            let mut bytes = std::fs::read(&path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(b.repository().verify(Some("origin"), false).unwrap().damaged.len(), 1);
        drop(c.try_sync(&Disk::default()));
        assert!(!c.read("book.vcf").contains("Ada King"));
        roll(&b);
        c.sync();
        assert!(c.read("book.vcf").contains("Ada King"), "{tear}");
        assert_eq!(c.state(), b.state());
    }
}

#[test]
fn long_logs_are_folded_without_being_asked() {
    let world = World::new();
    let a = world.with("a", "book.vcf", "vcard", &card("u0", "Ada Lovelace", &["TEL:0"]));
    a.sync();
    let mut number = 0;
    while counts(&world).1 == 0 && number < 300 {
        a.edit(
            "book.vcf",
            &format!("TEL:{number}\r\n"),
            &format!("TEL:{}\r\n", number + 1),
        );
        number += 1;
        a.sync();
    }
    assert_eq!((number, counts(&world).1), (256, 1));
    a.sync();
    a.sync();
    assert_eq!(counts(&world), (1, 1));
}

/// Any number of systems edit, sync, roll, forget and clone in any order; in the end all have everything.
fn at_random(seed: u64) {
    let world = World::seeded(seed);
    let mut names: Vec<String> = Vec::new();
    let mut written: Vec<String> = Vec::new();
    let random = |end: usize| usize::try_from(next_random() % end as u64).unwrap();
    for number in 0..2 {
        let name = format!("s{number}");
        world.with(&name, "book.vcf", "vcard", "");
        names.push(name);
    }
    for step in 0..40 {
        let system = world.existing(&names[random(names.len())]);
        match random(12) {
            0..4 => {
                let uid = format!("p{step}");
                written.push(uid.clone());
                world.edit(system.path("book.vcf"), |text| {
                    text + &card(&uid, &format!("Person {uid}"), &["TEL:1"])
                });
                if random(3) == 0 {
                    system.record();
                }
            }
            4..9 => drop(
                system
                    .try_sync(&Disk::default())
                    .unwrap_or_else(|error| panic!("seed {seed}: {}", chain(&error))),
            ),
            9 => {
                world.part_bytes.set(if random(2) == 0 { 600 } else { 4 << 20 });
                system
                    .repository()
                    .roll(&[], false)
                    .unwrap_or_else(|error| panic!("seed {seed}: {}", chain(&error)));
            }
            10 => {
                let other = &names[random(names.len())];
                // Who never sent anything is unknown to the others.
                drop(system.repository().forget_system(other, false));
            }
            _ if names.len() < 5 => {
                let name = format!("s{}", names.len());
                let cloned = world.clone_system(&name, "remote");
                cloned.add_source("book.vcf", "vcard");
                names.push(name);
            }
            _ => {
                system.run(&Disk::default(), FETCH, &SyncOptions::default()).unwrap();
            }
        }
    }
    for _ in 0..4 {
        for name in &names {
            world.existing(name).sync();
        }
    }
    let first = world.existing(&names[0]);
    for name in &names {
        let system = world.existing(name);
        assert_eq!(system.state(), first.state(), "seed {seed}: {name}");
        let text = system.read("book.vcf");
        for uid in &written {
            assert!(
                text.contains(&format!("UID:{uid}\r\n")),
                "seed {seed}: {uid} is not on {name}"
            );
        }
    }
    // And whoever comes new sees the same.
    let last = world.clone_system("last", "remote");
    assert_eq!(last.state(), first.state(), "seed {seed}");
    assert_eq!(last.log().len(), first.log().len(), "seed {seed}");
}

#[test]
fn systems_that_roll_and_forget_at_random_keep_everything() {
    for seed in 0..12 {
        at_random(seed);
    }
}

#[test]
#[ignore = "takes minutes: cargo test --test it rolling -- --ignored"]
fn systems_that_roll_and_forget_at_random_keep_everything_long() {
    for seed in 100..500 {
        at_random(seed);
    }
}

#[test]
fn names_of_bases_are_read_as_written() {
    let world = World::new();
    let (a, _) = history(&world, 2);
    roll(&a);
    for name in listing(&world).base_bytes.into_keys() {
        assert_eq!(BaseName::parse(&name.to_string()), Some(name));
    }
}

#[test]
fn a_store_that_was_copied_many_times_goes_on() {
    let world = World::new();
    let mut name = "a".to_owned();
    world
        .with(&name, "book.vcf", "vcard", &card("u0", "Ada Lovelace", &["TEL:1"]))
        .sync();
    // New ids come in any order, and objects list those before in theirs.
    for number in 1..6 {
        let next = format!("copy{number}");
        copy_tree(&world.path(&name), &world.path(&next));
        let copy = world.existing(&next);
        // The source is still the file of the first.
        world
            .existing("a")
            .edit("book.vcf", &format!("TEL:{number}\r"), &format!("TEL:{}\r", number + 1));
        let report = copy.sync();
        assert_eq!(report.remotes[0].sent.transactions, 1, "{report:?}");
        name = next;
    }
}

#[test]
fn a_rehearsal_writes_nothing() {
    let world = World::new();
    let (a, b) = history(&world, 3);
    // There is a base that A has not heard of.
    roll(&b);
    let before = (files(&a.dir()), files(&world.path("remote")));
    let rolled = a.repository().roll(&[], true).unwrap().remove(0);
    assert_eq!((rolled.objects, rolled.deleted), (0, 0));
    assert!((files(&a.dir()), files(&world.path("remote"))) == before);
}

#[test]
fn a_clone_has_all_of_a_base_or_is_told_what_lacks() {
    let world = World::new();
    let (a, _) = history(&world, 3);
    // More than a record holds itself.
    let note = "A long note. ".repeat(60);
    a.edit("book.vcf", "TEL:0\r\n", &format!("TEL:0\r\nNOTE:{note}\r\n"));
    a.sync();
    roll(&a);
    let remote = remote(&world);
    let mut name = *listing(&world).base_bytes.keys().next().unwrap();
    let whole = remote.read_base(&name).unwrap();
    let mut refused = 0;
    for at in 0..whole.objects.len() {
        let mut base = whole.clone();
        base.objects.remove(at);
        let (forged, stored) = remote.prepare_base(&base).unwrap();
        remote.delete_base(&name).unwrap();
        remote.upload_base(&forged, &stored).unwrap();
        name = forged;
        let clone = format!("c{at}");
        if let Err(error) = world.try_clone(&clone, "remote", &Disk::default()) {
            assert!(chain(&error).contains(&forged.to_string()), "{}", chain(&error));
            refused += 1;
            continue;
        }
        // What can be computed need not be there.
        let c = world.existing(&clone);
        assert_eq!((c.state(), c.log().len()), (a.state(), a.log().len()), "{at}");
        assert_eq!(c.repository().verify(None, true).unwrap().damaged, [], "{at}");
    }
    assert!(
        refused >= whole.objects.len() - 4,
        "{refused} of {}",
        whole.objects.len()
    );
}

#[test]
fn a_damaged_base_is_written_anew() {
    let world = World::new();
    let (a, _) = history(&world, 3);
    world.part_bytes.set(400);
    let first = roll(&a);
    assert_eq!(roll(&a).folded, 0);
    // Not the last part, which every system reads.
    let piece = *listing(&world).base_bytes.keys().next().unwrap();
    let path = world.path("remote").join(piece.to_string());
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[1..]).unwrap();
    let again = roll(&a);
    assert_eq!(again.transactions, first.transactions);
    assert!(again.folded > 0);
    assert_eq!(roll(&a).folded, 0);
    let c = world.clone_system("c", "remote");
    assert_eq!((c.state(), c.log().len()), (a.state(), a.log().len()));
}
