//! Sources that show a part of their collection.

use dsync::sync::{AddSource, SyncReport};
use rusqlite::Connection;

use super::env::TestEnv;
use crate::world::{System, World};

const CITIES: &str = "code,name,country,size\nB,Berlin,DE,3.7\nH,Hamburg,DE,1.9\nL,Lyon,FR,0.5\nP,Paris,FR,2.1\n";

fn office(world: &World) -> System<'_> {
    let system = world.system("office");
    system.write("cities.csv", CITIES);
    let options = AddSource {
        collection: Some("cities".to_owned()),
        key: vec!["code".to_owned()],
        ..AddSource::default()
    };
    system.add_with("cities.csv", "csv", options);
    system.add_remote("remote");
    system.sync();
    system
}

/// A system whose database shows the cities that match.
fn shop<'w>(world: &'w World, filter: &str) -> System<'w> {
    let system = world.system("shop");
    system.add_remote("remote");
    let options = AddSource {
        collection: Some("cities".to_owned()),
        filter: Some(filter.to_owned()),
        ..AddSource::default()
    };
    system.add_with("shop.db#cities", "sqlite", options);
    system.sync();
    system
}

fn execute(system: &System<'_>, sql: &str) {
    Connection::open(system.path("shop.db"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

fn names(system: &System<'_>) -> String {
    let connection = Connection::open(system.path("shop.db")).unwrap();
    let mut statement = connection.prepare("SELECT name FROM cities ORDER BY code").unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    names.map(Result::unwrap).collect::<Vec<_>>().join(" ")
}

fn sync_all(systems: [&System<'_>; 3]) -> Vec<SyncReport> {
    systems.into_iter().map(System::sync).collect()
}

#[test]
fn a_filtered_source_shows_what_matches_and_removes_nothing_else() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "country = \"DE\" and size > 1");
    assert_eq!(names(&shop), "Berlin Hamburg");
    shop.quiet();
    // Elsewhere one comes into the filter and one leaves it.
    office.write(
        "cities.csv",
        CITIES
            .replace("Lyon,FR,0.5", "Lyon,DE,1.5")
            .replace("Hamburg,DE,1.9", "Hamburg,DE,0.9"),
    );
    sync_all([&office, &shop, &office]);
    assert_eq!(names(&shop), "Berlin Lyon");
    assert!(office.read("cities.csv").contains("Hamburg,DE,0.9") && office.read("cities.csv").contains("Paris"));
    shop.quiet();
    office.quiet();
    // Who removes a shown row removes it; the hidden ones stay.
    execute(&shop, "DELETE FROM cities WHERE code = 'B'");
    sync_all([&shop, &office, &shop]);
    assert_eq!(
        office.read("cities.csv"),
        "code,name,country,size\nH,Hamburg,DE,0.9\nL,Lyon,DE,1.5\nP,Paris,FR,2.1\n"
    );
    shop.quiet();
}

#[test]
fn rows_that_do_not_match_stay_where_they_were_made_until_others_write_them() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "country = \"DE\"");
    execute(
        &shop,
        "INSERT INTO cities VALUES ('N', 'Nice', 'FR', '0.3'); UPDATE cities SET country = 'XX' WHERE code = 'H'",
    );
    let reports = sync_all([&shop, &office, &shop]);
    let note = &reports[0].sources[0].notes[0];
    assert!(note.starts_with("2 rows do not match"), "{note}");
    assert_eq!(names(&shop), "Berlin Hamburg Nice");
    assert!(
        office.read("cities.csv").contains("Hamburg,XX,1.9") && office.read("cities.csv").contains("N,Nice,FR,0.3")
    );
    shop.quiet();
    office.edit("cities.csv", "Hamburg", "Hamborg");
    sync_all([&office, &shop, &shop]);
    assert_eq!(names(&shop), "Berlin Nice");
    // What left by the filter is removed nowhere, and comes back with it.
    office.edit("cities.csv", "Hamborg,XX", "Hamborg,DE");
    sync_all([&office, &shop, &shop]);
    assert_eq!(names(&shop), "Berlin Hamborg Nice");
    execute(&shop, "DELETE FROM cities WHERE code = 'N'");
    sync_all([&shop, &office, &shop]);
    assert!(!office.read("cities.csv").contains("Nice"));
}

#[test]
fn a_new_row_with_the_key_of_a_hidden_one_is_a_clash_and_loses_nothing() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "country = \"DE\"");
    execute(&shop, "INSERT INTO cities VALUES ('P', 'Potsdam', 'DE', '2.1')");
    sync_all([&shop, &office, &shop]);
    let clashes = shop.clashes();
    assert_eq!(clashes.len(), 2, "{clashes:?}");
    assert!(
        clashes
            .iter()
            .any(|clash| clash.contains("Paris") && clash.contains("Potsdam")),
        "{clashes:?}"
    );
}

#[test]
fn another_filter_is_no_edit() {
    let world = World::new();
    let office = office(&world);
    let shop = shop(&world, "country = \"DE\"");
    let config = shop.read(".dsync/config.toml");
    shop.write(
        ".dsync/config.toml",
        config
            .replace("country = \\\"DE\\\"", "size > 2")
            .replace("'country = \"DE\"'", "'size > 2'"),
    );
    assert_ne!(shop.read(".dsync/config.toml"), config);
    let reports = sync_all([&shop, &office, &shop]);
    assert!(
        reports.iter().all(|report| report.sources[0].read.is_zero()),
        "{reports:?}"
    );
    // Paris comes; Hamburg stays until it is written elsewhere.
    assert_eq!(names(&shop), "Berlin Hamburg Paris");
    assert_eq!(office.read("cities.csv"), CITIES);
    office.edit("cities.csv", "1.9", "1.8");
    sync_all([&office, &shop, &shop]);
    assert_eq!(names(&shop), "Berlin Paris");
    shop.quiet();
}

#[test]
fn a_table_that_was_full_before_it_got_a_filter_stays_full() {
    let world = World::new();
    let system = world.system("one");
    system.write("cities.csv", CITIES);
    let options = AddSource {
        key: vec!["code".to_owned()],
        filter: Some("country = \"DE\"".to_owned()),
        ..AddSource::default()
    };
    system.add_with("cities.csv", "csv", options);
    let report = system.sync();
    assert_eq!(report.sources[0].read.added, 4);
    assert!(
        report.sources[0].notes[0].starts_with("2 rows do not match"),
        "{report:?}"
    );
    system.quiet();
    assert_eq!(system.read("cities.csv"), CITIES);
}

#[test]
fn edits_at_random_leave_the_part_that_matches() {
    for seed in 1..=6u64 {
        let world = World::seeded(seed);
        let office = office(&world);
        let shop = shop(&world, "country = \"DE\"");
        let mut state = seed;
        let mut roll = |sides: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % sides
        };
        for round in 0..20 {
            let mut rows: Vec<String> = office.read("cities.csv").lines().skip(1).map(str::to_owned).collect();
            match roll(4) {
                0 if rows.len() > 3 => {
                    rows.remove(roll(rows.len() as u64) as usize);
                }
                1 => rows.push(format!("R{round},New {round},{},1", ["DE", "FR"][roll(2) as usize])),
                _ => {
                    let at = roll(rows.len() as u64) as usize;
                    let mut cells: Vec<&str> = rows[at].split(',').collect();
                    cells[2] = ["DE", "FR"][roll(2) as usize];
                    rows[at] = cells.join(",");
                }
            }
            office.write("cities.csv", format!("code,name,country,size\n{}\n", rows.join("\n")));
            if roll(2) == 0 {
                execute(
                    &shop,
                    &format!(
                        "UPDATE cities SET size = '{round}.5' WHERE code IN (SELECT code FROM cities ORDER BY random() LIMIT 1)"
                    ),
                );
            }
            if roll(3) > 0 {
                office.sync_forced();
            }
            if roll(3) > 0 {
                shop.sync_forced();
            }
        }
        for system in [&office, &shop, &office, &shop] {
            system.sync_forced();
        }
        let mut wanted: Vec<(String, String)> = office
            .read("cities.csv")
            .lines()
            .filter(|line| line.contains(",DE,"))
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                (cells[0].to_owned(), cells[1].to_owned())
            })
            .collect();
        wanted.sort();
        let wanted: Vec<String> = wanted.into_iter().map(|(_, name)| name).collect();
        assert_eq!(names(&shop), wanted.join(" "), "seed {seed}");
        shop.quiet();
        office.quiet();
    }
}

#[test]
fn a_mistake_in_a_filter_is_shown_where_it_is() {
    let env = TestEnv::new();
    assert_eq!(env.run("init").success().code, 0);
    env.write("cities.csv", CITIES);
    let add = |filter: &str| env.run_words(&["add-source", "cities.csv", "--key", "code", "--filter", filter]);
    let run = add("country = DE");
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("country = DE\n") && run.stderr.contains("          ^"),
        "{run}"
    );
    let run = add("land = \"DE\"");
    assert!(
        run.code == 2 && run.stderr.contains("`land`") && run.stderr.contains("country"),
        "{run}"
    );
    assert_eq!(add("Country = \"DE\"").success().code, 0);
    let listed = env.run("sources").success().stdout;
    assert!(listed.contains("where Country = \"DE\""), "{listed}");
    assert_eq!(env.run("sources --json").success().json()["filter"], "Country = \"DE\"");
}
