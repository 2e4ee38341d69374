//! A command that stops at any of its writes while it has tables to write: the next one ends where an undisturbed one ends.

use dsync::disk::{Disk, FaultPlan};
use dsync::source::table::{Location, formats};
use dsync::sync::{AddSource, SyncOptions};

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
        let report = a.sync();
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
        for stop in 0..u32::try_from(count.writes()).unwrap() {
            world.restore(&before);
            let plan = FaultPlan::stop_before(stop);
            let stopped = a.run(&Disk::with_faults(plan), SYNC, &SyncOptions::default());
            // Whatever is there now is whole.
            let now = rows(&world, &file, format, sheet).unwrap();
            assert!(now == wanted || now == before_rows, "{format}, stop {stop}: {now:?}");
            let report = a.sync();
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
    }
}
