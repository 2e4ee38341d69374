//! Two systems, one with a CSV, one with a database, that edit the same table at random while they sync, until equal.

use std::collections::BTreeMap;

use dsync::sync::AddSource;
use rusqlite::{Connection, params};

use crate::world::{System, World, settle};

type Table = BTreeMap<i64, (String, Option<i64>)>;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

fn read_csv(system: &System<'_>) -> Table {
    let text = system.read("t.csv");
    let row = |line: &str| {
        let mut cells = line.split(',');
        let id = cells.next().unwrap().parse().unwrap();
        (
            id,
            (
                cells.next().unwrap().to_owned(),
                cells.next().and_then(|cell| cell.parse().ok()),
            ),
        )
    };
    text.lines().skip(1).map(row).collect()
}

fn write_csv(system: &System<'_>, table: &Table) {
    let mut text = "id,name,amount\n".to_owned();
    for (id, (name, amount)) in table {
        text += &format!(
            "{id},{name},{}\n",
            amount.map(|amount| amount.to_string()).unwrap_or_default()
        );
    }
    system.write("t.csv", text);
}

fn read_database(system: &System<'_>) -> Table {
    let database = Connection::open(system.path("t.db")).unwrap();
    let mut statement = database.prepare("SELECT id, name, amount FROM t").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// Edits a few rows as somebody would who sees this table.
fn edit(table: &mut Table, random: &mut Random, next: &mut i64) {
    for _ in 0..=random.below(3) {
        let keys: Vec<i64> = table.keys().copied().collect();
        let key = keys.get(random.below(keys.len().max(1) as u64) as usize).copied();
        match (random.below(6), key) {
            (0, Some(key)) if keys.len() > 12 => {
                table.remove(&key);
            }
            (1, _) | (_, None) => {
                *next += 1 + random.below(2) as i64;
                table.insert(*next, (format!("new{}", random.below(99)), None));
            }
            (2, Some(key)) => table.get_mut(&key).unwrap().1 = Some(random.below(9) as i64 - 4),
            (3, Some(key)) => table.get_mut(&key).unwrap().1 = None,
            (_, Some(key)) => table.get_mut(&key).unwrap().0 = format!("edit{}", random.below(99)),
        }
    }
}

#[test]
fn tables_that_are_edited_at_random_come_to_be_equal() {
    for seed in 1..=8 {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15) | 1);
        let world = World::seeded(seed);
        let options = |key: &str| AddSource {
            collection: Some("t".to_owned()),
            key: key
                .split(',')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            ..AddSource::default()
        };
        let one = world.system("one");
        let start: Table = (0i64..20).map(|id| (id, (format!("row{id}"), Some(id)))).collect();
        write_csv(&one, &start);
        one.add_with("t.csv", "csv", options("id"));
        one.add_remote("remote");
        one.sync();
        let two = world.system("two");
        two.add_remote("remote");
        two.add_with("t.db#t", "sqlite", options(""));
        two.sync();
        let mut next = 100;
        for _ in 0..12 {
            if random.below(2) == 0 {
                let mut table = read_csv(&one);
                edit(&mut table, &mut random, &mut next);
                write_csv(&one, &table);
            }
            if random.below(2) == 0 {
                let mut table = read_database(&two);
                let before = table.clone();
                // Both may add a row of one key.
                let mut own = next - random.below(2) as i64;
                edit(&mut table, &mut random, &mut own);
                next = next.max(own);
                let database = Connection::open(two.path("t.db")).unwrap();
                for id in before.keys().filter(|id| !table.contains_key(id)) {
                    database.execute("DELETE FROM t WHERE id = ?1", [id]).unwrap();
                }
                for (id, (name, amount)) in table.iter().filter(|(id, row)| before.get(id) != Some(row)) {
                    let sql = "INSERT OR REPLACE INTO t (id, name, amount) VALUES (?1, ?2, ?3)";
                    database.execute(sql, params![id, name, amount]).unwrap();
                }
            }
            match random.below(3) {
                0 => drop(one.sync_forced()),
                1 => drop(two.sync_forced()),
                _ => {}
            }
            if random.below(4) == 0 {
                // A cache may go at any time.
                let _gone = std::fs::remove_file(one.path(".dsync/cache/t.rows"));
            }
        }
        one.sync_forced();
        two.sync_forced();
        settle(&[&one, &two]);
        assert_eq!(read_csv(&one), read_database(&two), "seed {seed}");
    }
}
