//! A command that stops at any of its writes while it has tables to write: the next one ends where an undisturbed one ends.

use dsync::disk::{Disk, FaultPlan};
use dsync::source::table::{Location, clear_leftover, formats};
use dsync::sync::{AddSource, SyncOptions};

use super::env::TestEnv;
use super::world::{SYNC, World};

const ROWS: &str = "id,name,amount\n1,one,1.5\n2,two,2.5\n3,three,3.5\n";

fn table(location: &str, key: &[&str]) -> AddSource {
    AddSource {
        location: location.to_owned(),
        collection: Some("t".to_owned()),
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        create: true,
        ..AddSource::default()
    }
}

fn stored(world: &World) -> Vec<String> {
    let database = rusqlite::Connection::open(world.path("a/t.db")).unwrap();
    let mut statement = database
        .prepare("SELECT id || ',' || name || ',' || amount FROM t ORDER BY id")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn lines(world: &World, file: &str) -> Vec<String> {
    let mut lines: Vec<String> = world.read(file).lines().skip(1).map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What lies beside the sources of a system under the names of unfinished files.
fn leftovers(world: &World) -> Vec<String> {
    let names = std::fs::read_dir(world.path("a")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".dsync-tmp")).collect()
}

#[test]
fn tables_are_before_or_after() {
    let world = World::new();
    let a = world.system("a");
    world.write("a/t.csv", ROWS);
    a.add(table("t.csv", &["id"]));
    a.add(table("copy.csv", &[]));
    a.add(table("t.db#t", &[]));
    a.sync();
    a.sync();
    assert_eq!(stored(&world), ["1,one,1.5", "2,two,2.5", "3,three,3.5"]);
    world.write("a/t.csv", "id,name,amount\n1,one,1.75\n3,three,3.5\n4,four,4\n");
    let before = world.save();
    let count = FaultPlan::count();
    a.run(&Disk::with_faults(count.clone()), SYNC, &SyncOptions::default())
        .unwrap();
    let wanted = ["1,one,1.75", "3,three,3.5", "4,four,4"];
    assert_eq!(stored(&world), wanted);
    assert!(count.writes() > 10);
    let mut was_left = false;
    for stop in 0..u32::try_from(count.writes()).unwrap() {
        world.restore(&before);
        let plan = FaultPlan::stop_before(stop);
        let stopped = a.run(&Disk::with_faults(plan), SYNC, &SyncOptions::default());
        // Whatever is there now is whole.
        let now = lines(&world, "a/copy.csv");
        assert!(
            now == wanted || now == ["1,one,1.5", "2,two,2.5", "3,three,3.5"],
            "stop {stop}: {now:?}"
        );
        was_left |= !leftovers(&world).is_empty();
        let report = a.sync();
        assert_eq!(leftovers(&world), [""; 0], "stop {stop}");
        assert_eq!(report.conflicts.open, 0, "stop {stop}, {stopped:?}");
        a.sync();
        assert_eq!(lines(&world, "a/copy.csv"), wanted, "stop {stop}");
        assert_eq!(lines(&world, "a/t.csv"), wanted, "stop {stop}");
        assert_eq!(stored(&world), wanted, "stop {stop}");
        let report = a.sync();
        let quiet = report
            .sources
            .iter()
            .all(|source| source.read.is_zero() && source.written.is_zero());
        assert!(quiet, "stop {stop}: {report:?}");
        a.verify_clean();
    }
    assert!(was_left);
}

/// Reads a table of any format beside all sources: its rows as texts, sorted.
fn rows(world: &World, file: &str, format: &str, table: Option<&str>) -> Result<Vec<String>, String> {
    let format = formats().into_iter().find(|known| known.info().name == format).unwrap();
    let location = Location {
        path: world.path(file),
        table: table.map(str::to_owned),
        password_file: None,
    };
    let table = format
        .open(&Disk::default(), &location)
        .map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    let end = table.read(&mut |row| {
        let mut cells = vec![String::new(); table.columns().len()];
        let read = table.cells(row.bytes, &mut |at, cell| {
            cells[at] = cell.text().unwrap_or_default().into_owned();
        });
        read.unwrap();
        rows.push(cells.join(","));
        Ok(())
    });
    assert!(end.map_err(|error| error.to_string())?.is_complete);
    rows.sort();
    Ok(rows)
}

#[test]
fn files_of_every_format_are_before_or_after() {
    let mut places = vec![
        ("jsonl", "copy.jsonl", None),
        ("json", "copy.json", None),
        ("xlsx", "copy.xlsx#t", Some("t")),
    ];
    if cfg!(feature = "parquet") {
        places.push(("parquet", "copy.parquet", None));
    }
    for (format, location, sheet) in places {
        let world = World::new();
        let a = world.system("a");
        world.write("a/t.csv", ROWS);
        a.add(table("t.csv", &["id"]));
        a.add(AddSource {
            format: Some(format.to_owned()),
            ..table(location, &[])
        });
        a.sync();
        let file = format!("a/{}", location.split('#').next().unwrap());
        let before_rows = rows(&world, &file, format, sheet).unwrap();
        assert_eq!(before_rows.len(), 3, "{format}");
        world.write("a/t.csv", "id,name,amount\n1,one,1.7\n3,three,3.5\n4,four,4.5\n");
        let before = world.save();
        let count = FaultPlan::count();
        a.run(&Disk::with_faults(count.clone()), SYNC, &SyncOptions::default())
            .unwrap();
        let wanted = rows(&world, &file, format, sheet).unwrap();
        assert_eq!(wanted, ["1,one,1.7", "3,three,3.5", "4,four,4.5"], "{format}");
        assert!(count.writes() > 10);
        let mut was_left = false;
        for stop in 0..u32::try_from(count.writes()).unwrap() {
            world.restore(&before);
            let plan = FaultPlan::stop_before(stop);
            let stopped = a.run(&Disk::with_faults(plan), SYNC, &SyncOptions::default());
            // Whatever is there now is whole.
            let now = rows(&world, &file, format, sheet).unwrap();
            assert!(now == wanted || now == before_rows, "{format}, stop {stop}: {now:?}");
            was_left |= !leftovers(&world).is_empty();
            let report = a.sync();
            assert_eq!(leftovers(&world), [""; 0], "{format}, stop {stop}");
            assert_eq!(report.conflicts.open, 0, "{format}, stop {stop}, {stopped:?}");
            a.sync();
            assert_eq!(
                rows(&world, &file, format, sheet).unwrap(),
                wanted,
                "{format}, stop {stop}"
            );
            assert_eq!(lines(&world, "a/t.csv"), wanted, "{format}, stop {stop}");
            let report = a.sync();
            let quiet = report
                .sources
                .iter()
                .all(|source| source.read.is_zero() && source.written.is_zero());
            assert!(quiet, "{format}, stop {stop}: {report:?}");
            a.verify_clean();
        }
        assert!(was_left, "{format}");
    }
}

/// A program that writes into the file in the very moment of the exchange, and a crash right after it: what it wrote is the
/// file again.
#[test]
fn what_a_stopped_write_displaced_unseen_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, left) = (folder.path().join("t.csv"), folder.path().join(".t.csv.dsync-tmp"));
    let disk = Disk::default();
    let write = |path: &std::path::Path, text: &str| std::fs::write(path, text).unwrap();
    let exchanged = || {
        write(&path, "before");
        let before = disk.stat(&path).unwrap().unwrap();
        write(&left, "ours");
        assert!(disk.exchange(&left, &path).unwrap());
        before
    };
    let is = |text: &str, has_left: bool| {
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        assert_eq!(left.exists(), has_left);
    };
    // Stopped before the exchange.
    write(&path, "before");
    let before = disk.stat(&path).unwrap().unwrap();
    write(&left, "our");
    clear_leftover(&disk, &path, &before).unwrap();
    is("before", false);
    // Stopped behind it: what was displaced is what was read.
    clear_leftover(&disk, &path, &exchanged()).unwrap();
    is("ours", false);
    // It is not.
    let before = exchanged();
    std::thread::sleep(std::time::Duration::from_millis(20));
    write(&left, "theirs, unseen");
    clear_leftover(&disk, &path, &before).unwrap();
    is("theirs, unseen", false);
    // It is not, and somebody wrote over what we wrote: nothing of it is lost.
    let before = exchanged();
    write(&left, "theirs, unseen");
    std::thread::sleep(std::time::Duration::from_millis(20));
    write(&path, "theirs, later");
    clear_leftover(&disk, &path, &before).unwrap();
    is("theirs, later", true);
}

/// A number below `limit`, of a sequence that is the same at each run.
fn roll(state: &mut u64, limit: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % limit
}

/// Runs words that must succeed.
#[track_caller]
fn ok(env: &TestEnv, words: &str) {
    assert_eq!(env.run(words).success().code, 0);
}

#[test]
fn a_kill_at_any_moment_leaves_files_before_or_after() {
    const ROUNDS: u64 = 24;
    let mut places = vec![
        ("jsonl", "copy.jsonl"),
        ("json", "copy.json"),
        ("xlsx", "copy.xlsx#t"),
        ("csv", "copy.csv"),
    ];
    if cfg!(feature = "parquet") {
        places.push(("parquet", "copy.parquet"));
    }
    let env = TestEnv::new();
    ok(&env, "init a");
    let csv = |round: u64| -> String {
        let rows = (0..300).map(|n| format!("S{n:03},round {round},{round}\n"));
        std::iter::once("sku,name,stock\n".to_owned()).chain(rows).collect()
    };
    env.write("a/t.csv", &csv(0));
    ok(&env, "-C a add-source t.csv --collection t --key sku");
    for (format, place) in &places {
        ok(
            &env,
            &format!("-C a add-source {place} --collection t --create --format {format} --name {format}-copy"),
        );
    }
    ok(&env, "-C a sync");
    let rounds_of = |format: &str, place: &str| {
        let (file, table) = place
            .split_once('#')
            .map_or((place, None), |(file, table)| (file, Some(table)));
        let location = Location {
            path: env.path("a").join(file),
            table: table.map(str::to_owned),
            password_file: None,
        };
        let format = formats().into_iter().find(|known| known.info().name == format).unwrap();
        let table = format.open(&Disk::default(), &location).unwrap();
        let mut found = std::collections::BTreeMap::new();
        let end = table.read(&mut |row| {
            let mut stock = String::new();
            let read = table.cells(row.bytes, &mut |at, cell| {
                if at == 2 {
                    stock = cell.text().unwrap_or_default().into_owned();
                }
            });
            read.unwrap();
            *found.entry(stock).or_insert(0) += 1;
            Ok(())
        });
        assert!(end.unwrap().is_complete);
        found
    };
    let (mut dice, mut killed) = (5, 0);
    for round in 1..=ROUNDS {
        env.write("a/t.csv", &csv(round));
        let mut child = env
            .command(["-C", "a", "sync", "-q", "--allow-changes"])
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(roll(&mut dice, 500)));
        killed += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        for (format, place) in &places {
            let rounds = rounds_of(format, place);
            assert!(
                rounds.len() == 1 && rounds.values().all(|count| *count == 300),
                "{format}, round {round}: {rounds:?}"
            );
        }
    }
    ok(&env, "-C a sync --allow-changes");
    ok(&env, "-C a sync");
    for (format, place) in &places {
        assert_eq!(rounds_of(format, place), [(ROUNDS.to_string(), 300)].into(), "{format}");
    }
    assert_eq!(env.run("-C a conflicts --json").success().stdout, "");
    let left = std::fs::read_dir(env.path("a")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        left.filter(|name| name.ends_with(".dsync-tmp")).collect::<Vec<_>>(),
        [""; 0]
    );
    assert!(killed > 5, "only {killed} kills came in time");
}
