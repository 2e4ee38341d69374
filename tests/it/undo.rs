//! Taking back: what was never shared is dropped, the rest is put back by a snapshot; sources follow in both cases.

use dsync::disk::{Disk, FaultPlan};
use dsync::sync::{Overrides, RemoteOptions, Resolution, SyncOptions, SyncReport, SyncResult};

use crate::world::{PUSH, SNAPSHOT, System, World, card, google};

const REMOTE: &str = "remote";

/// A system with a vCard file and a Google CSV in step.
fn pair_of_files(world: &World) -> System<'_> {
    let a = world.system("a");
    let cards = [
        card("u1", "Ann One", &["TEL;TYPE=CELL:+49 170 1", "X-KEEP:this"]),
        card("u2", "Bob Two", &["EMAIL:bob@example.org"]),
        card("u3", "Cyd Three", &["TEL:+1 555 0003"]),
    ];
    world.write("a/book.vcf", cards.concat());
    world.write("a/list.csv", google(&[]));
    a.add_source("book.vcf", "vcard");
    a.add_source("list.csv", "google-csv");
    a.sync();
    a
}

/// Everything that a person sees of a system: records, conflicts, files, roots, length of the history.
fn seen(a: &System<'_>) -> (crate::world::Shown, [String; 2], Vec<(String, String)>, usize) {
    let files = ["a/book.vcf", "a/list.csv"].map(|file| a.world.read(file));
    (a.shown(), files, a.roots(), a.snapshots())
}

fn try_undo(a: &System<'_>, disk: &Disk) -> SyncResult<SyncReport> {
    a.open(disk)?.undo(None, &SyncOptions::default())
}

#[track_caller]
fn undo(a: &System<'_>) -> SyncReport {
    try_undo(a, &Disk::default()).unwrap()
}

#[track_caller]
fn does_nothing_twice(a: &System<'_>) {
    let before = seen(a);
    for _ in 0..2 {
        let report = a.sync();
        assert!(
            report.sources.iter().all(|s| s.read.is_zero() && s.written.is_zero()),
            "{report:#?}"
        );
    }
    assert_eq!(seen(a), before);
    a.verify_clean();
}

/// Changes a field, removes a record, adds one, each in another file than the one that shows it first.
fn edit(world: &World) {
    world.replace("a/list.csv", "bob@example.org", "bob@example.net");
    world.edit("a/book.vcf", |text| {
        let (before, last) = text.split_at(text.rfind("BEGIN").unwrap());
        assert!(last.contains("Cyd"));
        before.to_owned() + &card("u4", "Dan Four", &["TEL:+1 555 0004"])
    });
}

#[test]
fn what_was_never_shared_is_dropped_and_the_files_are_as_before() {
    let world = World::new();
    let a = pair_of_files(&world);
    let before = seen(&a);
    edit(&world);
    a.sync();
    let edited = seen(&a);
    assert_ne!(edited.2, before.2);
    let heads = a.repository().collections().unwrap()[0].heads.clone();

    undo(&a);
    let undone = seen(&a);
    assert_eq!((&undone.0, &undone.2, undone.3), (&before.0, &before.2, before.3));
    // What came back stands at the end; nothing else moved.
    assert_eq!(sorted_cards(&undone.1[0]), sorted_cards(&before.1[0]));
    assert_eq!(sorted_lines(&undone.1[1]), sorted_lines(&before.1[1]));
    does_nothing_twice(&a);

    // An undo is an operation like any other.
    undo(&a);
    let again = seen(&a);
    assert_eq!((&again.0, &again.2, again.3), (&edited.0, &edited.2, edited.3));
    does_nothing_twice(&a);
    undo(&a);
    assert_eq!(seen(&a).2, before.2);
    does_nothing_twice(&a);

    assert!(a.repository().show(&heads[0], &mut |_| Ok(())).is_ok());
    a.repository().gc(false).unwrap();
    for head in &heads {
        assert!(
            a.repository().show(head, &mut |_| Ok(())).is_err(),
            "`{head}` survived the collection"
        );
    }
    a.verify_clean();
    a.repository().gc(false).unwrap();
    // What is gone cannot be taken back any more, and says so.
    let error = try_undo(&a, &Disk::default()).unwrap_err();
    assert!(error.to_string().contains("`gc` has freed"), "{error}");
    does_nothing_twice(&a);
}

fn sorted_cards(text: &str) -> Vec<&str> {
    let mut cards: Vec<&str> = text.split_inclusive("END:VCARD\r\n").collect();
    cards.sort_unstable();
    cards
}

fn sorted_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_dropped_resolution_opens_the_conflict_again() {
    let world = World::new();
    let a = pair_of_files(&world);
    world.replace("a/book.vcf", "+49 170 1", "+49 170 2");
    world.replace("a/list.csv", "+49 170 1", "+49 170 3");
    a.sync();
    let clash = a.repository().conflicts().unwrap();
    assert_eq!(clash.len(), 1);
    let before = seen(&a);
    let (key, path) = (&clash[0].key, clash[0].path.as_str());
    let mut repository = a.repository();
    repository
        .resolve("contacts", key, Some(path), &Resolution::Take(1), false)
        .unwrap();
    drop(repository);
    assert!(a.shown().conflicts.is_empty());
    undo(&a);
    assert_eq!(seen(&a), before);
    does_nothing_twice(&a);
}

/// How a snapshot leaves a store: after each of these it is put back by another one.
#[test]
fn what_another_store_may_have_is_put_back_by_a_snapshot() {
    type Share = fn(&World, &System<'_>);
    let ways: [(&str, Share); 4] = [
        ("push", |_, a| {
            a.add_remote(REMOTE);
            a.run(&Disk::default(), PUSH, &SyncOptions::default()).unwrap();
        }),
        ("a remote that is forgotten", |_, a| {
            a.add_remote(REMOTE);
            a.run(&Disk::default(), PUSH, &SyncOptions::default()).unwrap();
            a.repository().remote_remove("origin", false).unwrap();
        }),
        ("pack", |_, a| {
            a.repository().pack(None, false).unwrap();
        }),
        ("a copy", |world, a| {
            std::fs::rename(world.path("a/.dsync"), world.path("a/old")).unwrap();
            crate::world::copy_tree(&world.path("a/old"), &world.path("a/.dsync"));
            a.sync();
        }),
    ];
    for (way, share) in ways {
        let world = World::new();
        let a = pair_of_files(&world);
        let before = seen(&a);
        edit(&world);
        a.sync();
        let edited = seen(&a);
        let operation = a.repository().ops(None, false).unwrap()[0].operation.clone();
        share(&world, &a);
        a.repository()
            .undo(Some(&operation), &SyncOptions::default())
            .unwrap_or_else(|error| panic!("{way}: {error}"));
        let undone = seen(&a);
        assert_eq!(undone.0, before.0, "{way}");
        assert_eq!(undone.3, edited.3 + 1, "{way}");
        does_nothing_twice(&a);
    }
}

#[test]
fn a_pack_that_was_only_rehearsed_shares_nothing() {
    let world = World::new();
    let a = pair_of_files(&world);
    let before = seen(&a);
    edit(&world);
    a.sync();
    a.repository().pack(None, true).unwrap();
    undo(&a);
    assert_eq!(seen(&a).3, before.3);
}

#[test]
fn numbers_and_what_was_sent_never_go_back() {
    let world = World::new();
    let a = pair_of_files(&world);
    a.add_remote(REMOTE);
    a.sync();
    edit(&world);
    a.run(&Disk::default(), SNAPSHOT, &SyncOptions::default()).unwrap();
    let systems = a.repository().systems().unwrap();
    let sequence = systems[0].sequence;
    undo(&a);
    let report = a.sync();
    assert_eq!((report.remotes[0].sent.packs, report.remotes[0].received.packs), (0, 0));
    edit(&world);
    let report = a.sync();
    assert_eq!(report.remotes[0].sent.packs, 1);
    assert_eq!(a.repository().systems().unwrap()[0].sequence, sequence + 1);
    undo(&a);
    a.sync();
    assert_eq!(a.repository().systems().unwrap()[0].sequence, sequence + 2);

    // Another system sees what was shared and its reversal, and nothing of what was dropped.
    let b = world.clone_system("b", REMOTE);
    assert_eq!(b.shown(), a.shown());
    assert_eq!(b.snapshots(), a.snapshots());
}

#[test]
fn what_came_since_forbids_dropping() {
    let world = World::new();
    let a = pair_of_files(&world);
    world.replace("a/book.vcf", "+49 170 1", "+49 170 2");
    a.sync();
    let operation = a.repository().ops(None, false).unwrap()[0].operation.clone();
    world.replace("a/book.vcf", "bob@example.org", "bob@example.net");
    a.sync();
    let snapshots = a.snapshots();
    a.repository().undo(Some(&operation), &SyncOptions::default()).unwrap();
    assert_eq!(a.snapshots(), snapshots + 1);
    let text = world.read("a/book.vcf");
    assert!(text.contains("+49 170 1") && text.contains("bob@example.net"), "{text}");
    does_nothing_twice(&a);
}

/// An item that was not written when the undo wanted to, and is edited then, does not bring back what was dropped.
#[test]
fn an_item_that_was_not_brought_back_does_not_revive_the_rest() {
    let world = World::new();
    let a = world.system("a");
    for (uid, name) in [("u1", "Ann One"), ("u2", "Bob Two")] {
        world.write(format!("a/cards/{uid}.vcf"), card(uid, name, &["TEL:1", "NOTE:old"]));
    }
    a.add_source("cards", "vcard");
    a.sync();
    let snapshots = a.snapshots();
    for uid in ["u1", "u2"] {
        world.replace(format!("a/cards/{uid}.vcf"), "NOTE:old", "NOTE:new");
    }
    a.sync();
    let start = world.save();
    let (mut dropped, mut kept) = (0, 0);
    for n in 0.. {
        world.restore(&start);
        let plan = FaultPlan::stop_before(n);
        let stopped = try_undo(&a, &Disk::with_faults(plan.clone()));
        let is_dropped = a.snapshots() == snapshots;
        world.replace("a/cards/u1.vcf", "TEL:1", "TEL:11");
        a.sync();
        a.sync();
        let note = if is_dropped { "NOTE:old" } else { "NOTE:new" };
        let (one, two) = (world.read("a/cards/u1.vcf"), world.read("a/cards/u2.vcf"));
        assert!(one.contains("TEL:11") && one.contains(note), "{n}: {one}");
        assert!(two.contains("TEL:1") && two.contains(note), "{n}: {two}");
        *(if is_dropped { &mut dropped } else { &mut kept }) += 1;
        if stopped.is_ok() && plan.writes() < i64::from(n) {
            break;
        }
    }
    assert!(dropped > 3 && kept > 1);
}

#[test]
fn taking_back_a_first_reading_asks_before_it_empties_the_file() {
    let world = World::new();
    let a = world.system("a");
    let cards: String = (0..9)
        .map(|n| card(&format!("u{n}"), &format!("Person{n} Example"), &[]))
        .collect();
    world.write("a/book.vcf", &cards);
    a.add_source("book.vcf", "vcard");
    a.sync();
    let error = try_undo(&a, &Disk::default()).unwrap_err();
    assert_eq!(error.to_string(), "this would remove 9 of 9 items from source `book`");
    assert_eq!(world.read("a/book.vcf"), cards);
    a.sync();
    assert_eq!(a.shown().records.len(), 9);
    let options = SyncOptions {
        overrides: Overrides {
            deletes: true,
            ..Overrides::default()
        },
        ..SyncOptions::default()
    };
    a.repository().undo(None, &options).unwrap();
    assert_eq!(a.shown().records.len(), 0);
    undo(&a);
    assert_eq!(a.shown().records.len(), 9);
    assert_eq!(world.read("a/book.vcf").matches("BEGIN:VCARD").count(), 9);
}

/// One command is one operation, however often it commits; what changed nothing is told only when asked for.
#[test]
fn a_command_is_one_operation() {
    let world = World::new();
    let a = pair_of_files(&world);
    a.add_remote(REMOTE);
    a.sync();
    let b = world.system("b");
    b.add_source("book.vcf", "vcard");
    let url = world.path(REMOTE).display().to_string();
    b.repository()
        .remote_add("origin", &url, &RemoteOptions::default())
        .unwrap();
    b.sync();
    let list = b.repository().ops(None, false).unwrap();
    // The sync, the remote, the source, the store.
    assert_eq!(list.len(), 4, "{list:#?}");
    assert!(list[..3].iter().all(|one| one.undoable) && !list[3].undoable);
    assert_eq!(b.repository().ops(Some(2), false).unwrap(), list[..2]);
    let before = a.repository().ops(None, true).unwrap();
    assert!(before.len() > a.repository().ops(None, false).unwrap().len());
    assert_eq!(b.shown(), a.shown());
    undo(&b);
    assert!(b.shown().records.is_empty());
}

#[test]
fn a_drop_that_is_stopped_anywhere_has_happened_or_has_not() {
    let world = World::new();
    let a = pair_of_files(&world);
    edit(&world);
    a.sync();
    let start = world.save();
    let done = seen(&a);
    undo(&a);
    a.sync();
    let undone = seen(&a);
    for n in 0.. {
        world.restore(&start);
        let plan = FaultPlan::stop_before(n);
        let stopped = try_undo(&a, &Disk::with_faults(plan.clone()));
        a.verify_clean();
        let context = format!("stopped before write {n} ({:?})", plan.paths().last());
        a.sync();
        let outcome = seen(&a);
        if outcome.3 == done.3 {
            assert_eq!(outcome, done, "{context}");
        } else {
            assert_eq!(
                (&outcome.0, &outcome.2, outcome.3),
                (&undone.0, &undone.2, undone.3),
                "{context}"
            );
            assert_eq!(sorted_cards(&outcome.1[0]), sorted_cards(&undone.1[0]), "{context}");
            assert_eq!(sorted_lines(&outcome.1[1]), sorted_lines(&undone.1[1]), "{context}");
        }
        does_nothing_twice(&a);
        if stopped.is_ok() && plan.writes() < i64::from(n) {
            assert!(n > 10);
            break;
        }
    }
}
