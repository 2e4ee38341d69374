//! What a store keeps of the past of a table.

use std::fmt::Write as _;

use dsync::sync::{AddSource, SyncOptions};

use crate::world::World;

const ROWS: usize = 3000;

/// A table of which every row says how often it was written; every 97th row since `first` was in each of `rounds`.
fn table(rounds: usize) -> String {
    let mut content = "id,name,written\n".to_owned();
    for row in 0..ROWS {
        let written = (0..rounds).filter(|round| row % 97 == *round).count();
        writeln!(content, "{row},somebody with number {row},{written}").unwrap();
    }
    content
}

fn stored(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder.join(".dsync/packs")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn old_states_cost_their_changes_and_come_back_exactly() {
    let world = World::new();
    let system = world.system("shop");
    system.write("t.csv", table(0));
    let options = AddSource {
        key: vec!["id".to_owned()],
        ..AddSource::default()
    };
    system.add_with("t.csv", "csv", options);
    system.record();
    system.repository().gc(false).unwrap();
    let first = stored(&system.dir());
    for rounds in 1..=12 {
        system.write("t.csv", table(rounds));
        system.record();
    }
    let before = stored(&system.dir());
    system.repository().gc(false).unwrap();
    let after = stored(&system.dir());
    // Trees grew by whole nodes for each of the 31 rows of a round; what is left is the newest tree and the changes.
    assert!(before - first > 12 * 8000, "{first}, {before}");
    assert!(after - first < (before - first) / 3, "{first}, {before}, {after}");
    system.verify_clean();

    let log = system.log();
    assert_eq!(log.len(), 13);
    assert!(log.iter().all(|entry| entry.records == ROWS as u64));
    for (rounds, entry) in log.iter().rev().enumerate() {
        if rounds % 5 == 2 {
            let restored = system
                .repository()
                .restore(&entry.snapshot, &[], &SyncOptions::default());
            restored.unwrap();
            assert!(system.read("t.csv") == table(rounds), "{rounds}");
        }
    }
    // The one before the first of those was not restored, and says what it did.
    let mut changed = 0;
    let mut each = |_| {
        changed += 1;
        Ok(())
    };
    system.repository().show(&log[11].snapshot, &mut each).unwrap();
    assert_eq!(changed, 31);
    system.quiet();
}

#[test]
fn a_source_that_rests_on_an_old_state_keeps_it() {
    let world = World::new();
    let system = world.system("shop");
    let options = |name: &str, direction: &str| AddSource {
        key: vec!["id".to_owned()],
        collection: Some("t".to_owned()),
        name: Some(name.to_owned()),
        direction: Some(direction.to_owned()),
        ..AddSource::default()
    };
    system.write("t.csv", table(0));
    system.add_with("t.csv", "csv", options("one", "both"));
    system.write("u.csv", table(0));
    system.add_with("u.csv", "csv", options("two", "in"));
    system.record();
    for rounds in 1..=3 {
        system.write("t.csv", table(rounds));
        system.record();
    }
    system.repository().gc(false).unwrap();
    system.edit("u.csv", "somebody with number 5,0", "nobody with number 5,0");
    system.record();
    system.sync();
    let wanted = table(3).replace("somebody with number 5,0", "nobody with number 5,0");
    assert!(system.read("t.csv") == wanted);
    system.verify_clean();
}
