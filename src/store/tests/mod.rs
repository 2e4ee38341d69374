mod crash;
mod damage;

use std::collections::BTreeMap;

use super::*;
use crate::disk::FaultPlan;
use crate::model::ReplicaId;

fn view(system: &str) -> View {
    View::new(system, ReplicaId::from_bytes([7; 16]), "machine:/place")
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join(".dsync");
    let disk = Disk::default();
    assert!(matches!(Store::open(&disk, &root), Err(StoreError::NotAStore { .. })));
    let mut store = Store::create(&disk, &root, &view("a"), TimeMs(1)).unwrap();
    assert!(matches!(
        Store::create(&disk, &root, &view("a"), TimeMs(1)),
        Err(StoreError::Exists { .. })
    ));
    let first = store.operation_id();
    let id = store.put(Domain::Leaf, b"content").unwrap();
    let empty = store.put(Domain::Blob, b"").unwrap();
    assert_eq!(&*store.get(&id).unwrap(), b"content");
    let second = store.commit(view("b"), "test", TimeMs(2)).unwrap();
    assert_ne!(first, second);
    assert_eq!(store.commit(view("b"), "again", TimeMs(3)).unwrap(), second);

    let store = Store::open(&disk, &root).unwrap();
    assert_eq!((store.view(), store.operation_id()), (&view("b"), second));
    assert_eq!(&*store.get(&id).unwrap(), b"content");
    assert_eq!(&*store.get(&empty).unwrap(), b"");
    let log: Vec<_> = store.operations().map(|next| next.unwrap().0).collect();
    assert_eq!(log, [second, first]);
}

struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            root: folder.path().join(".dsync"),
            _folder: folder,
        }
    }

    fn create(&self) -> Store {
        Store::create(&Disk::default(), &self.root, &view("start"), TimeMs(0)).unwrap()
    }

    fn open(&self) -> Store {
        Store::open(&Disk::default(), &self.root).unwrap()
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let files = Disk::default().list(&self.root.join(folder)).unwrap();
        files.into_iter().map(|(path, _)| path).collect()
    }

    /// The bytes of every file but the lock, to see that nothing was written.
    fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = ["packs", "ops", "cache", "keys"]
            .into_iter()
            .flat_map(|folder| self.files(folder));
        files
            .map(|path| (path.clone(), Disk::default().read(&path).unwrap()))
            .collect()
    }
}

/// Contents that do not compress to nothing.
fn content(number: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&number.to_be_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

#[expect(clippy::unnecessary_wraps, reason = "has the signature of a check")]
fn no_check(_: &Hash, _: Domain, _: &[u8]) -> Result<(), String> {
    Ok(())
}

/// A walk for collection that reaches exactly `ids`.
fn marks(ids: &[Hash]) -> impl Fn(&dyn Objects, &mut dyn FnMut(Hash) -> bool) -> Result<(), ObjectError> {
    move |_, mark| {
        for id in ids {
            mark(*id);
        }
        Ok(())
    }
}

fn assert_sound(store: &Store) {
    assert_eq!(store.verify(&mut no_check).unwrap(), []);
}

#[test]
fn equal_views_without_new_objects_write_nothing() {
    let place = Place::new();
    let mut store = place.create();
    let id = store.put(Domain::Leaf, b"one").unwrap();
    let head = store.commit(view("start"), "objects only", TimeMs(1)).unwrap();
    let before = place.bytes();
    assert_eq!(store.put(Domain::Leaf, b"one").unwrap(), id);
    assert_eq!(store.commit(view("start"), "nothing", TimeMs(2)).unwrap(), head);
    store.put(Domain::Leaf, b"two").unwrap();
    store.discard();
    assert_eq!(store.commit(view("start"), "nothing", TimeMs(3)).unwrap(), head);
    assert_eq!(place.bytes(), before);
    assert!(!store.contains(&Hash::of(Domain::Leaf, b"two")));
}

#[test]
fn many_objects_go_to_disk_before_the_commit_and_are_read_all_the_way() {
    let place = Place::new();
    let mut store = place.create();
    let contents: Vec<_> = (0..150).map(|number| content(number, 120_000)).collect();
    let mut ids = Vec::new();
    for (number, content) in contents.iter().enumerate() {
        ids.push(store.put(Domain::Blob, content).unwrap());
        if number % 37 == 0 {
            for (id, content) in ids.iter().zip(&contents) {
                assert_eq!(&*store.get(id).unwrap(), content.as_slice());
                assert!(store.contains(id));
            }
        }
    }
    assert_eq!(place.files("packs").len(), 1, "an unfinished pack");
    assert_eq!(store.put(Domain::Blob, &contents[0]).unwrap(), ids[0]);
    assert_eq!(store.find(&ids[0].to_string(), 2), [ids[0]]);
    store.commit(view("many"), "import", TimeMs(1)).unwrap();
    assert_eq!(place.files("packs").len(), 1);
    for store in [store, place.open()] {
        assert_eq!(store.object_count(), 150);
        assert_sound(&store);
        for (id, content) in ids.iter().zip(&contents) {
            assert_eq!(&*store.get(id).unwrap(), content.as_slice());
        }
    }
}

#[test]
fn discarding_and_dropping_remove_the_unfinished_pack() {
    let place = Place::new();
    let store = place.create();
    let fill = || {
        for number in 0..100 {
            store.put(Domain::Blob, &content(number, 100_000)).unwrap();
        }
        assert_eq!(place.files("packs").len(), 1);
    };
    fill();
    store.discard();
    assert_eq!(place.files("packs").len(), 0);
    fill();
    drop(store);
    assert_eq!(place.files("packs").len(), 0);
}

#[test]
fn the_lock_is_for_one_and_the_loser_sees_what_the_winner_did() {
    let place = Place::new();
    let mut one = place.create();
    let mut two = place.open();
    let lock = one.lock(Duration::ZERO).unwrap();
    assert!(matches!(
        two.lock(Duration::from_millis(50)),
        Err(StoreError::Busy { holder: Some(holder), .. }) if holder == std::process::id()
    ));
    let id = one.put(Domain::Leaf, b"new").unwrap();
    let head = one.commit(view("one"), "one", TimeMs(1)).unwrap();
    // A reader stays where it was.
    assert_eq!(two.view(), &view("start"));
    drop(lock);
    let _lock = two.lock(Duration::from_millis(50)).unwrap();
    assert!(matches!(
        two.commit(view("two"), "two", TimeMs(2)),
        Err(StoreError::Moved { .. })
    ));
    two.reload().unwrap();
    assert_eq!((two.operation_id(), two.view()), (head, &view("one")));
    assert_eq!(&*two.get(&id).unwrap(), b"new");
    two.commit(view("two"), "two", TimeMs(2)).unwrap();
    let commands: Vec<_> = place.open().operations().map(|next| next.unwrap().1.command).collect();
    assert_eq!(commands, ["two", "one", "init"]);
}

#[test]
fn a_waiting_process_gets_the_lock_when_it_is_released() {
    let place = Place::new();
    let store = place.create();
    let lock = store.lock(Duration::ZERO).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| place.open().lock(Duration::from_secs(10)).map(drop));
        std::thread::sleep(Duration::from_millis(60));
        drop(lock);
        waiter.join().unwrap().unwrap();
    });
}

#[test]
fn operations_are_found_by_prefix_and_strays_are_not() {
    let place = Place::new();
    let mut store = place.create();
    for number in 1..40 {
        store.commit(view(&number.to_string()), "step", TimeMs(number)).unwrap();
    }
    let all: Vec<_> = store.operations().map(|next| next.unwrap()).collect();
    assert_eq!(all.len(), 40);
    for (id, operation) in &all {
        assert_eq!(
            store.operation(&id.to_string().to_uppercase()).unwrap(),
            (*id, operation.clone())
        );
    }
    assert!(
        matches!(store.operation(""), Err(StoreError::AmbiguousOperation { candidates, .. }) if candidates.len() == 40)
    );
    assert!(matches!(
        store.operation("xyz"),
        Err(StoreError::UnknownOperation { .. })
    ));
    let stray = Operation {
        command: "never committed".to_owned(),
        ..all[0].1.clone()
    };
    let stray = store.log.write(&stray).unwrap();
    assert!(matches!(
        store.operation(&stray.to_string()),
        Err(StoreError::UnknownOperation { .. })
    ));
    assert_eq!(place.open().operation_id(), all[0].0);
}

#[test]
fn objects_are_found_by_prefix_in_order() {
    let place = Place::new();
    let mut store = place.create();
    let mut ids: Vec<_> = (0..2000)
        .map(|number| store.put(Domain::Leaf, &content(number, 20)).unwrap())
        .collect();
    store.commit(view("a"), "a", TimeMs(1)).unwrap();
    ids.extend((2000..2300).map(|number| store.put(Domain::Leaf, &content(number, 20)).unwrap()));
    ids.sort_unstable();
    for prefix in ["", "0", "a", "7f", "7F", "abc", "f", "ff"] {
        let expected: Vec<_> = ids
            .iter()
            .copied()
            .filter(|id| id.to_string().starts_with(&prefix.to_lowercase()))
            .collect();
        assert_eq!(store.find(prefix, usize::MAX), expected, "{prefix}");
        assert_eq!(store.find(prefix, 3), expected[..expected.len().min(3)], "{prefix}");
    }
    assert_eq!(store.find("not hex", 9), []);
    assert_eq!(store.find(&"0".repeat(65), 9), []);
}

#[test]
fn the_cost_of_a_commit_does_not_grow_with_the_commits_before() {
    let place = Place::new();
    place.create();
    let plan = FaultPlan::count();
    let mut store = Store::open(&Disk::with_faults(Arc::clone(&plan)), &place.root).unwrap();
    let mut writes = Vec::new();
    let mut ids = Vec::new();
    for number in 0..200_usize {
        let before = plan.writes();
        ids.push(store.put(Domain::Leaf, &content(number, 3000)).unwrap());
        store.commit(view(&number.to_string()), "step", TimeMs(1)).unwrap();
        writes.push(plan.writes() - before);
        assert!(store.pack_count() <= 16, "{} packs after {number}", store.pack_count());
    }
    let (early, late) = (&writes[..100], &writes[100..]);
    let sum = |writes: &[i64]| writes.iter().sum::<i64>();
    assert!(sum(late) <= sum(early) + 30, "{} then {}", sum(early), sum(late));
    assert_sound(&store);
    let store = place.open();
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(&*store.get(id).unwrap(), content(number, 3000));
    }
}

#[test]
fn a_reader_goes_on_reading_while_packs_are_merged_and_dropped() {
    let place = Place::new();
    let mut writer = place.create();
    let id = writer.put(Domain::Leaf, b"old").unwrap();
    writer.commit(view("old"), "old", TimeMs(1)).unwrap();
    let reader = place.open();
    let mut later = Vec::new();
    for number in 0..20 {
        later.push(writer.put(Domain::Leaf, &content(number, 50)).unwrap());
        writer.commit(view("new"), "new", TimeMs(2)).unwrap();
    }
    writer.gc(&marks(&later), 1).unwrap();
    assert!(matches!(writer.get(&id), Err(ObjectError::Missing(missing)) if missing == id));
    assert_eq!(&*reader.get(&id).unwrap(), b"old");
    // What came later is found although the folder was listed before it was there.
    for id in &later {
        assert!(reader.get(id).is_ok());
    }
    assert_eq!(&*reader.get(&id).unwrap(), b"old");
}

#[test]
fn collection_keeps_what_is_reached_and_drops_the_rest() {
    let place = Place::new();
    let mut store = place.create();
    let mut ids = Vec::new();
    for number in 0..30_usize {
        for part in 0..3 {
            ids.push(store.put(Domain::Leaf, &content(100 * number + part, 70_000)).unwrap());
        }
        store.commit(view(&number.to_string()), "step", TimeMs(1)).unwrap();
    }
    let kept: Vec<_> = ids.iter().copied().step_by(4).collect();
    let before: Vec<_> = store.operations().map(|next| next.unwrap()).collect();
    std::fs::write(place.root.join("packs/.new-1-1.dsync-tmp"), b"left").unwrap();
    std::fs::write(place.root.join("ops/.head.dsync-tmp"), b"left").unwrap();
    std::fs::write(place.root.join("packs/mine.txt"), b"a person's").unwrap();
    store.put(Domain::Leaf, b"not committed").unwrap();
    let report = store.gc(&marks(&kept), 5).unwrap();
    assert_eq!(
        (report.objects_kept, report.objects_dropped),
        (kept.len() as u64, (ids.len() - kept.len()) as u64)
    );
    assert_eq!((report.operations_dropped, report.temporaries_removed), (26, 2));
    assert!(report.bytes_after < report.bytes_before / 3, "{report:?}");
    for mut store in [store, place.open()] {
        assert_eq!(store.object_count(), kept.len() as u64);
        assert_sound(&store);
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(store.get(id).is_ok(), number % 4 == 0);
        }
        let after: Vec<_> = store.operations().map(|next| next.unwrap()).collect();
        assert_eq!(after, before[..5]);
        assert!(store.operation(&before[7].0.to_string()).is_err());
        // Again: nothing is left to do, and nothing is written.
        let bytes = place.bytes();
        let report = store.gc(&marks(&kept), 5).unwrap();
        assert_eq!(
            (
                report.objects_dropped,
                report.operations_dropped,
                report.temporaries_removed
            ),
            (0, 0, 0)
        );
        assert_eq!(place.bytes(), bytes);
    }
    assert!(place.root.join("packs/mine.txt").exists());
    let mut store = place.open();
    store.commit(view("later"), "later", TimeMs(2)).unwrap();
    assert_eq!(store.operations().count(), 6);
    store.gc(&marks(&[]), 0).unwrap();
    assert_eq!(
        (store.object_count(), store.pack_count(), store.operations().count()),
        (0, 0, 1)
    );
    assert_eq!(place.open().view(), &view("later"));
}

#[test]
fn collection_stops_before_removing_when_the_walk_fails() {
    let place = Place::new();
    let mut store = place.create();
    let id = store.put(Domain::Leaf, b"one").unwrap();
    store.commit(view("a"), "a", TimeMs(1)).unwrap();
    let before = place.bytes();
    let walk =
        |objects: &dyn Objects, _: &mut dyn FnMut(Hash) -> bool| objects.get(&Hash::from_bytes([1; 32])).map(drop);
    assert!(matches!(
        store.gc(&walk, 1),
        Err(StoreError::Object(ObjectError::Missing(_)))
    ));
    assert_eq!(place.bytes(), before);
    assert!(store.get(&id).is_ok());
}

#[test]
fn objects_that_a_collection_dropped_under_a_writer_without_the_lock_fail_its_commit() {
    let place = Place::new();
    let mut store = place.create();
    store.put(Domain::Leaf, b"garbage").unwrap();
    store.commit(view("a"), "a", TimeMs(1)).unwrap();
    let mut careless = place.open();
    let id = careless.put(Domain::Leaf, b"garbage").unwrap();
    store.gc(&marks(&[]), 9).unwrap();
    assert!(matches!(
        careless.commit(view("b"), "b", TimeMs(2)),
        Err(StoreError::Lost { .. })
    ));
    assert!(matches!(
        careless.commit(view("b"), "b", TimeMs(2)),
        Err(StoreError::Lost { .. })
    ));
    careless.discard();
    assert_eq!(careless.put(Domain::Leaf, b"garbage").unwrap(), id);
    careless.commit(view("b"), "b", TimeMs(2)).unwrap();
    assert!(place.open().get(&id).is_ok());
}

#[test]
fn objects_in_two_packs_are_one_after_collection() {
    let place = Place::new();
    let mut one = place.create();
    let mut two = place.open();
    let shared = one.put(Domain::Leaf, b"shared").unwrap();
    let own = two.put(Domain::Leaf, b"own").unwrap();
    assert_eq!(two.put(Domain::Leaf, b"shared").unwrap(), shared);
    one.commit(view("one"), "one", TimeMs(1)).unwrap();
    two.reload().unwrap();
    two.commit(view("two"), "two", TimeMs(1)).unwrap();
    assert_eq!((two.object_count(), two.find("", 9).len()), (3, 2));
    two.gc(&marks(&[shared, own]), 9).unwrap();
    assert_eq!(two.object_count(), 2);
    assert!(two.get(&shared).is_ok() && two.get(&own).is_ok());
    let before = place.bytes();
    two.gc(&marks(&[shared, own]), 9).unwrap();
    assert_eq!(place.bytes(), before);
}

#[test]
fn the_store_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.create();
    for path in [place.root.clone(), place.root.join("keys")] {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn readers_without_the_lock_see_whole_states_while_a_writer_works() {
    let place = Place::new();
    let mut writer = place.create();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || {
            let mut rounds = 0;
            while rounds == 0 || !is_done.load(Ordering::Relaxed) {
                let store = place.open();
                // The name of the system says which objects there are.
                let newest: usize = store.view().system.parse().unwrap_or(0);
                for number in newest.saturating_sub(20)..newest {
                    let id = Hash::of(Domain::Leaf, &content(number, 200));
                    assert_eq!(&*store.get(&id).unwrap(), content(number, 200), "{number} of {newest}");
                }
                for operation in store.operations() {
                    operation.unwrap();
                }
                rounds += 1;
            }
            rounds
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        let mut ids = Vec::new();
        for number in 0..150_usize {
            ids.push(writer.put(Domain::Leaf, &content(number, 200)).unwrap());
            writer
                .commit(view(&(number + 1).to_string()), "step", TimeMs(1))
                .unwrap();
            if number % 10 == 9 {
                // What a slow reader of an older operation still needs stays.
                let kept = ids[ids.len().saturating_sub(60)..].to_vec();
                writer.gc(&marks(&kept), 5).unwrap();
            }
        }
        is_done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

#[test]
fn a_store_is_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Store>();
}
