use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::disk::{Disk, FaultPlan};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("remote");
    (home, root)
}

fn all_files(root: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

#[test]
fn every_storage_conforms() {
    let (_home, root) = folder();
    conformance(&FolderStorage::create(Disk::default(), &root).unwrap()).unwrap();
    conformance_of_many(&FolderStorage::create(Disk::default(), &root).unwrap(), 1100).unwrap();
    assert_eq!(all_files(&root), Vec::<PathBuf>::new(), "no temporary file stays");
    conformance(&MemoryStorage::default()).unwrap();
    conformance(&Counting::new(MemoryStorage::default())).unwrap();
    conformance(&DryRun::new(MemoryStorage::default())).unwrap();
    conformance(&Arc::new(MemoryStorage::default())).unwrap();
}

/// A conformance suite that accepts everything proves nothing.
#[test]
fn the_suite_sees_broken_storages() {
    assert!(conformance(&ReadOnly::new(MemoryStorage::default())).is_err());
    let late = MemoryStorage::default();
    late.list_late();
    assert!(conformance(&late).is_err());
    let silent = MemoryStorage::default();
    silent.tear_next_put(Tear::Silent);
    assert!(conformance(&silent).is_err());
    let filled = MemoryStorage::default();
    filled.put("a", b"").unwrap();
    assert!(conformance(&filled).is_err());
}

#[test]
fn a_missing_folder_is_unreachable_and_stays_missing() {
    let (_home, root) = folder();
    let error = FolderStorage::open(Disk::default(), &root).unwrap_err();
    assert!(matches!(&error, StorageError::Unreachable { location, .. } if location.contains("remote")));
    assert!(error.is_temporary() && error.to_string().contains(&root.display().to_string()));
    assert!(!root.exists());
    std::fs::write(&root, "a file").unwrap();
    assert!(matches!(
        FolderStorage::open(Disk::default(), &root),
        Err(StorageError::Unreachable { .. })
    ));
}

/// An unmounted disk leaves the empty folder of its mount point behind.
#[test]
fn a_folder_that_was_replaced_is_unreachable_and_untouched() {
    let (home, root) = folder();
    let storage = FolderStorage::create(Disk::default(), &root).unwrap();
    storage.put("log/a", b"1").unwrap();
    std::fs::rename(&root, home.path().join("unmounted")).unwrap();
    for result in [
        storage.put("log/b", b"2"),
        storage.get("log/a", None).map(drop),
        storage.list("").map(drop),
        storage.delete("log/a"),
    ] {
        assert!(matches!(result, Err(StorageError::Unreachable { .. })), "{result:?}");
    }
    std::fs::create_dir(&root).unwrap();
    assert!(matches!(
        storage.put("log/b", b"2"),
        Err(StorageError::Unreachable { .. })
    ));
    assert!(matches!(storage.list("log/"), Err(StorageError::Unreachable { .. })));
    assert!(matches!(
        storage.get("log/a", None),
        Err(StorageError::Unreachable { .. })
    ));
    assert_eq!(all_files(&root), Vec::<PathBuf>::new());
    assert!(!root.join("log").exists());
}

#[test]
fn files_of_others_are_ignored_or_shown_but_never_touched() {
    let (_home, root) = folder();
    let storage = FolderStorage::create(Disk::default(), &root).unwrap();
    storage.put("log/a", b"1").unwrap();
    for foreign in [".DS_Store", "log/.DS_Store", "log/.a.0011.dsync-tmp"] {
        std::fs::write(root.join(foreign), "x").unwrap();
    }
    std::fs::create_dir_all(root.join(".git/log")).unwrap();
    std::fs::write(root.join(".git/log/b"), "x").unwrap();
    std::fs::create_dir_all(root.join("log/deep")).unwrap();
    std::fs::write(root.join("log/deep/c"), "x").unwrap();
    std::fs::write(root.join("log/a (conflicted copy)"), "x").unwrap();
    let names: Vec<_> = storage
        .list("")
        .unwrap()
        .into_iter()
        .map(|object| object.name)
        .collect();
    assert_eq!(names, ["log/a", "log/a (conflicted copy)"]);
    assert!(root.join("log/.a.0011.dsync-tmp").exists());
}

#[test]
fn a_folder_that_refuses_is_denied() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, root) = folder();
    let storage = FolderStorage::create(Disk::default(), &root).unwrap();
    storage.put("log/a", b"1").unwrap();
    std::fs::set_permissions(root.join("log"), std::fs::Permissions::from_mode(0o555)).unwrap();
    let result = storage.put("log/b", b"2");
    // The administrator may write everywhere.
    if !rustix::process::geteuid().is_root() {
        let error = result.unwrap_err();
        assert!(matches!(error, StorageError::Denied { .. }) && !error.is_temporary());
    }
    std::fs::set_permissions(root.join("log"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Stops the process before every write of an upload in turn. The fault plan tears every second write, so the upload
/// is tried with the folder of the object missing and there, which shifts the writes by one.
#[test]
fn a_stop_at_any_write_leaves_no_part_under_the_final_name() {
    assert!(
        stops_of_an_upload(false) >= 3,
        "folder, temporary file and rename are writes"
    );
    assert!(stops_of_an_upload(true) >= 2, "temporary file and rename are writes");
}

fn stops_of_an_upload(folder_exists: bool) -> u32 {
    let bytes = noise(10_000, 1);
    let (_home, root) = folder();
    let whole = FolderStorage::create(Disk::default(), &root).unwrap();
    for n in 0.. {
        if folder_exists {
            std::fs::create_dir(root.join("log")).unwrap();
        }
        let disk = Disk::with_faults(FaultPlan::stop_before(n));
        let result = FolderStorage::open(disk, &root).unwrap().put("log/a", &bytes);
        match whole.get("log/a", None) {
            Ok(there) => assert_eq!(there, bytes, "whole after a stop before write {n}"),
            Err(error) => assert!(error.is_not_found() && result.is_err()),
        }
        let listed = whole.list("").unwrap();
        assert!(
            listed
                .iter()
                .all(|object| object.name == "log/a" && object.length_bytes == 10_000)
        );
        // What failed is done again with the same bytes.
        whole.put("log/a", &bytes).unwrap();
        assert_eq!(whole.get("log/a", None).unwrap(), bytes);
        std::fs::remove_dir_all(root.join("log")).unwrap();
        if result.is_ok() {
            return n;
        }
    }
    unreachable!("an upload has few writes")
}

#[test]
fn of_racing_writers_one_wins_and_nobody_sees_a_mixture() {
    let (_home, root) = folder();
    let storage = FolderStorage::create(Disk::default(), &root).unwrap();
    for round in 0..20 {
        let name = format!("log/{round}");
        let results: Vec<_> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4u8)
                .map(|writer| {
                    let (storage, name) = (&storage, &name);
                    scope.spawn(move || storage.put(name, &vec![writer; 5000]))
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let winners: Vec<_> = (0..4u8)
            .filter(|writer| results[usize::from(*writer)].is_ok())
            .collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        assert_eq!(storage.get(&name, None).unwrap(), vec![winners[0]; 5000]);
        assert!(
            results
                .iter()
                .all(|result| result.as_ref().err().is_none_or(StorageError::is_exists))
        );
    }
    assert_eq!(all_files(&root).len(), 20, "no temporary file stays");
}

#[test]
fn racing_writers_of_equal_bytes_all_succeed() {
    let (_home, root) = folder();
    let storage = FolderStorage::create(Disk::default(), &root).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..20 {
                    storage.put(&format!("log/{round}"), &noise(5000, round)).unwrap();
                }
            });
        }
    });
    assert_eq!(all_files(&root).len(), 20);
}

#[test]
fn wrappers_count_refuse_and_pretend() {
    let storage = MemoryStorage::default();
    storage.put("a", b"12345").unwrap();
    let counting = Counting::new(&storage);
    counting.get("a", Some(0..3)).unwrap();
    counting.list("").unwrap();
    counting.put("b", b"12").unwrap();
    counting.delete("b").unwrap();
    let traffic = counting.traffic();
    assert_eq!(
        (traffic.lists, traffic.gets, traffic.puts, traffic.deletes),
        (1, 1, 1, 1)
    );
    assert_eq!(
        (traffic.received_bytes, traffic.sent_bytes, traffic.requests()),
        (3, 2, 4)
    );

    let dry = DryRun::new(&storage);
    dry.put("c", b"1").unwrap();
    dry.delete("a").unwrap();
    assert_eq!(dry.list("").unwrap().len(), 1);
    assert!(dry.get("a", None).unwrap_err().is_not_found());
    dry.put("a", b"other").unwrap();
    assert_eq!(dry.get("a", None).unwrap(), b"other");
    assert_eq!(storage.list("").unwrap().len(), 1);
    assert_eq!(storage.get("a", None).unwrap(), b"12345");

    let read_only = ReadOnly::new(&storage);
    assert_eq!(read_only.get("a", None).unwrap(), b"12345");
    assert!(matches!(read_only.delete("a"), Err(StorageError::Denied { .. })));
    storage.set_unreachable(true);
    assert!(read_only.list("").unwrap_err().is_temporary());
}

#[test]
fn old_leftovers_go_and_everything_else_stays() {
    let (_home, root) = folder();
    let storage = FolderStorage::create(Disk::default(), &root).unwrap();
    storage.put("log/a", b"1").unwrap();
    std::fs::write(root.join("log/.a.00112233445566ff.dsync-tmp"), "x").unwrap();
    std::fs::write(root.join("log/.DS_Store"), "x").unwrap();
    // What a source that lies there too may have displaced.
    std::fs::write(root.join(".book.vcf.dsync-tmp"), "x").unwrap();
    let now = crate::port::Clock::now(&crate::disk::SystemClock);
    assert_eq!(storage.remove_leftovers(now).unwrap(), 0);
    let tomorrow = TimeMs(now.0 + 25 * 60 * 60 * 1000);
    assert_eq!(storage.remove_leftovers(tomorrow).unwrap(), 1);
    assert_eq!(all_files(&root).len(), 3);
}
