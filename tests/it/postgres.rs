//! Tables of a `PostgreSQL` server. `DSYNC_TEST_POSTGRES` names one (`tests/servers/postgres.sh` starts one, `.ci/run`
//! does so by itself); without it, what needs a server is skipped.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dsync::disk::Disk;
use dsync::model::Value;
use dsync::source::table::{Location, RowEdit, Table, TableWrite, WriteOutcome, formats, postgres::split};
use dsync::sync::AddSource;
use postgres::{Client, NoTls};

use super::env::TestEnv;
use crate::world::{System, World};

/// A database of one test.
struct Database {
    url: String,
    client: Client,
}

impl Database {
    /// Makes a database with these tables; `None`, with a word, where there is no server.
    #[expect(clippy::print_stderr, reason = "who looks why nothing ran finds it")]
    fn new(sql: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Some(server) = std::env::var_os("DSYNC_TEST_POSTGRES") else {
            eprintln!("skipped: DSYNC_TEST_POSTGRES names no server (tests/servers/postgres.sh starts one)");
            return None;
        };
        let server = server.into_string().unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("dsync_{}_{number}", std::process::id());
        let mut admin = Client::connect(&server, NoTls).unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        let (stem, _) = server.rsplit_once('/').unwrap();
        let url = format!("{stem}/{name}");
        let mut client = Client::connect(&url, NoTls).unwrap();
        client.batch_execute("SET TimeZone = 'UTC'").unwrap();
        client.batch_execute(sql).unwrap();
        Some(Self { url, client })
    }

    fn run(&mut self, sql: &str) {
        self.client.batch_execute(sql).unwrap();
    }

    /// Returns the rows of a query, each as the text of a record.
    fn rows(&mut self, sql: &str) -> Vec<String> {
        let sql = format!("SELECT q::text FROM ({sql}) q");
        self.client
            .query(&sql, &[])
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect()
    }

    fn location(&self, table: &str) -> String {
        format!("{}#{table}", self.url)
    }

    /// Opens a table beside all sources.
    fn open(&self, table: &str) -> Box<dyn Table> {
        // The password is taken out of the URL; here it comes as one of a source does.
        let parts = split(&self.url).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), parts.password.unwrap()).unwrap();
        let location = Location {
            path: parts.url.into(),
            table: Some(table.to_owned()),
            password_file: Some(file.path().to_owned()),
        };
        let format = formats()
            .into_iter()
            .find(|format| format.info().name == "postgres")
            .unwrap();
        let table = format.open(&Disk::default(), &location).unwrap();
        drop(file);
        table
    }
}

fn bind(system: &System<'_>, database: &Database, table: &str, collection: &str) {
    let options = AddSource {
        collection: Some(collection.to_owned()),
        ..AddSource::default()
    };
    system.add_with(&database.location(table), "", options);
}

fn with_csv<'w>(world: &'w World, name: &str, content: &str, key: &str) -> System<'w> {
    let system = world.system(name);
    system.write("prices.csv", content);
    let options = AddSource {
        collection: Some("prices".to_owned()),
        key: vec![key.to_owned()],
        ..AddSource::default()
    };
    system.add_with("prices.csv", "csv", options);
    system.add_remote("remote");
    system
}

const PRICES: &str = "CREATE TABLE prices (sku text PRIMARY KEY, name text, price numeric(10,2), stock int)";
const CSV: &str = "sku,name,price,stock\nA1,Apple,1.50,10\nB2,\"Bread, dark\",3.20,5\nC3,Cheese,7,\n";

/// Runs words that must succeed.
#[track_caller]
fn ok(env: &TestEnv, words: &str) {
    assert_eq!(env.run(words).success().code, 0);
}

fn is_quiet(system: &System<'_>) -> bool {
    let report = system.sync();
    let quiet = report
        .sources
        .iter()
        .all(|source| source.read.is_zero() && source.written.is_zero() && source.set_aside.is_empty());
    assert!(quiet, "{report:?}");
    quiet
}

#[test]
fn a_table_of_chosen_columns_keeps_the_others() {
    let Some(mut database) = Database::new(
        "CREATE TABLE goods (sku text PRIMARY KEY, price numeric(10,2), shelf int NOT NULL DEFAULT 9, weight double precision, made timestamptz);
         INSERT INTO goods VALUES ('A1', 1.50, 1, 0.1, '2026-01-02 03:04:05+00'), ('B2', 3.20, 2, NULL, NULL)",
    ) else {
        return;
    };
    let world = World::new();
    let office = with_csv(&world, "office", CSV, "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    let options = AddSource {
        collection: Some("prices".to_owned()),
        fields: vec!["price".to_owned()],
        ..AddSource::default()
    };
    shop.add_with(&database.location("goods"), "", options);
    shop.sync();
    let rows = "SELECT sku, price, shelf, weight, made FROM goods ORDER BY sku";
    let apple = |price: &str| format!("(A1,{price},1,0.1,\"2026-01-02 03:04:05+00\")");
    let expected = [apple("1.50"), "(B2,3.20,2,,)".to_owned(), "(C3,7.00,9,,)".to_owned()];
    assert_eq!(database.rows(rows), expected);
    assert!(is_quiet(&shop));
    office.edit("prices.csv", "1.50,10", "1.60,11");
    database.run("UPDATE goods SET shelf = 7 WHERE sku = 'B2'; UPDATE goods SET price = 8 WHERE sku = 'C3'");
    for system in [&shop, &office, &shop] {
        system.sync();
    }
    let expected = [apple("1.60"), "(B2,3.20,7,,)".to_owned(), "(C3,8.00,9,,)".to_owned()];
    assert_eq!(database.rows(rows), expected);
    office.edit("prices.csv", "A1,Apple,1.60,11\n", "");
    office.sync();
    shop.sync();
    assert_eq!(database.rows(rows), ["(B2,3.20,7,,)", "(C3,8.00,9,,)"]);
    assert!(is_quiet(&shop) && is_quiet(&office));
}

#[test]
fn a_csv_and_a_server_change_one_row_each_and_agree() {
    let Some(mut database) = Database::new(PRICES) else {
        return;
    };
    let world = World::new();
    let office = with_csv(&world, "office", CSV, "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    bind(&shop, &database, "prices", "prices");
    shop.sync();
    assert_eq!(
        database.rows("SELECT * FROM prices ORDER BY sku"),
        ["(A1,Apple,1.50,10)", "(B2,\"Bread, dark\",3.20,5)", "(C3,Cheese,7.00,)"]
    );
    // What the column makes of 7 is no edit.
    is_quiet(&shop);
    database.run(
        "CREATE TABLE seen (what text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO seen VALUES (tg_op || ' ' || NEW.sku); RETURN NEW; END $$;
        CREATE TRIGGER note AFTER INSERT OR UPDATE ON prices FOR EACH ROW EXECUTE FUNCTION note()",
    );
    office.edit("prices.csv", "1.50", "1.75");
    database.run("UPDATE prices SET stock = 9 WHERE sku = 'A1'; DELETE FROM seen");
    office.sync();
    shop.sync();
    office.sync();
    assert_eq!(office.read("prices.csv"), CSV.replace("1.50,10", "1.75,9"));
    assert_eq!(
        database.rows("SELECT * FROM prices WHERE sku = 'A1'"),
        ["(A1,Apple,1.75,9)"]
    );
    // The changed row alone was written.
    assert_eq!(database.rows("SELECT what FROM seen"), ["(\"UPDATE A1\")"]);
    is_quiet(&shop);
    is_quiet(&office);
}

#[test]
fn a_quiet_server_is_not_read_again() {
    let Some(mut database) = Database::new(PRICES) else {
        return;
    };
    database.run("INSERT INTO prices SELECT 'S' || n, 'x', n, n FROM generate_series(1, 50) n");
    let world = World::new();
    let shop = world.system("shop");
    bind(&shop, &database, "prices", "prices");
    shop.sync();
    let scans = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'prices'";
    // Other tests may write in other databases of the server meanwhile: then it is read, which is no error.
    let is_left_alone = (0..60).any(|_| {
        let before = database.rows(scans);
        is_quiet(&shop);
        std::thread::sleep(Duration::from_millis(200));
        database.rows(scans) == before
    });
    assert!(is_left_alone, "each of 60 syncs read the table");
    database.run("UPDATE prices SET stock = 0 WHERE sku = 'S7'");
    assert_eq!(shop.sync().sources[0].read.changed, 1);
}

#[test]
fn every_type_comes_back_as_it_was() {
    let types = "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN code AS varchar(9);
        CREATE TABLE kinds (id bigint PRIMARY KEY, yes boolean, small smallint, amount numeric, money numeric(12,3),
          r real, d double precision, t text, v varchar(20), c char(5), day date, clock time, zoned time with time zone,
          local timestamp, instant timestamptz, raw bytea, j json, jb jsonb, u uuid, list int[], m mood, dom code,
          span interval, net inet, spare text)";
    let Some(mut first) = Database::new(types) else { return };
    let mut second = Database::new(types).unwrap();
    first.run(r#"INSERT INTO kinds VALUES
        (1, true, -32768, 1.50, 1.5, 0.1, 1e300, E'tab\there\nback\\slash', 'v', 'ab', '2026-02-28', '14:30:05.25', '14:30+02',
         '2026-11-22 14:30:05.123456', '2026-11-22 14:30:05+01', '\x00ff', '{"b": 1,  "a":2}', '{"b":1,"a":2}',
         'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{1,NULL,3}', 'happy', 'x', '1 day 2 hours', '10.0.0.1/8', NULL),
        (2, NULL, 32767, 'NaN', -0.001, '-Infinity', 'NaN', '', '', '', 'infinity', '24:00', '00:00+00',
         '0044-03-15 00:00:00 BC', '-infinity', '', 'null', 'null', NULL, '{}', 'sad', '', '-1 mon', '::1', NULL),
        (9223372036854775807, false, 0, 123456789012345678901234567890.123456789, 999999999.999, 1e-38, -0.0, '\N', 'é€', 'x y',
         '0001-01-01', '00:00', '00:00:00.000001+05:30', '294276-12-31 23:59:59.999999', '2000-01-01', '\x5c6e', '[]', '{"x": 1.50}',
         NULL, NULL, NULL, NULL, NULL, NULL, NULL)"#);
    let world = World::new();
    let one = world.system("one");
    one.add_remote("remote");
    bind(&one, &first, "kinds", "kinds");
    assert_eq!(one.sync().sources[0].read.added, 3);
    let two = world.system("two");
    two.add_remote("remote");
    bind(&two, &second, "public.kinds", "kinds");
    let report = two.sync();
    assert!(report.sources[0].set_aside.is_empty(), "{report:?}");
    let all = "SELECT * FROM kinds ORDER BY id";
    assert_eq!(second.rows(all), first.rows(all));
    is_quiet(&two);
    is_quiet(&one);
    // An update finds its row by any of these values, and a deletion, too.
    second.run("UPDATE kinds SET spare = 'seen'");
    two.sync();
    let report = one.sync();
    assert!(report.sources[0].set_aside.is_empty(), "{report:?}");
    assert_eq!(first.rows(all), second.rows(all));
    second.run("DELETE FROM kinds WHERE id < 3");
    two.sync();
    one.sync();
    assert_eq!(first.rows(all), second.rows(all));
    is_quiet(&two);
}

#[test]
fn what_a_constraint_refuses_is_told_and_the_rest_is_written() {
    let Some(mut database) = Database::new(
        "CREATE TABLE makers (name text PRIMARY KEY); INSERT INTO makers VALUES ('Apple'), ('Cheese'), ('New');
         CREATE TABLE prices (sku text PRIMARY KEY, name text UNIQUE REFERENCES makers DEFERRABLE INITIALLY DEFERRED,
           price numeric CONSTRAINT price_is_positive CHECK (price > 0), stock int)",
    ) else {
        return;
    };
    let world = World::new();
    let csv = "sku,name,price,stock\nA1,Apple,1.50,10\nB2,Bread,3.20,5\nC3,Cheese,7,\n";
    let office = with_csv(&world, "office", csv, "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    bind(&shop, &database, "prices", "prices");
    let report = shop.sync();
    let all = "SELECT * FROM prices ORDER BY sku";
    assert_eq!(database.rows(all), ["(A1,Apple,1.50,10)", "(C3,Cheese,7,)"]);
    let aside = &report.sources[0].set_aside;
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(
        aside[0].reason.contains("prices_name_fkey") && aside[0].item.contains("`B2`"),
        "{aside:?}"
    );
    // Values that change places, a number that is refused, and a row whose way is free once another one went.
    office.write(
        "prices.csv",
        "sku,name,price,stock\nA1,Apple,-1,10\nB2,Bread,3.20,5\nD4,Cheese,8,1\n",
    );
    office.sync();
    database.run("INSERT INTO makers VALUES ('Bread')");
    let report = shop.sync();
    assert_eq!(
        database.rows(all),
        ["(A1,Apple,1.50,10)", "(B2,Bread,3.20,5)", "(D4,Cheese,8,1)"]
    );
    let aside = &report.sources[0].set_aside;
    assert!(
        aside.len() == 1 && aside[0].reason.contains("price_is_positive"),
        "{aside:?}"
    );
    office.edit("prices.csv", "-1", "2");
    office.sync();
    shop.sync();
    assert_eq!(database.rows("SELECT price FROM prices WHERE sku = 'A1'"), ["(2)"]);
    is_quiet(&shop);
}

#[test]
fn generated_columns_are_left_alone_and_numbers_go_on() {
    let Some(mut database) = Database::new(
        "CREATE TABLE prices (sku int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, price numeric,
           double numeric GENERATED ALWAYS AS (price * 2) STORED, made timestamptz NOT NULL DEFAULT now())",
    ) else {
        return;
    };
    let world = World::new();
    let office = with_csv(&world, "office", "sku,name,price\n5,Five,1.5\n7,Seven,2\n", "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    bind(&shop, &database, "prices", "prices");
    shop.sync();
    assert_eq!(
        database.rows("SELECT sku, name, price, double FROM prices ORDER BY sku"),
        ["(5,Five,1.5,3.0)", "(7,Seven,2,4)"]
    );
    database.run("INSERT INTO prices (name, price) VALUES ('Next', 3)");
    assert_eq!(database.rows("SELECT sku FROM prices WHERE name = 'Next'"), ["(8)"]);
    shop.sync();
    office.sync();
    assert!(office.read("prices.csv").contains("\n8,Next,3"));
    is_quiet(&shop);
}

#[test]
fn a_row_that_somebody_changed_meanwhile_is_not_overwritten() {
    let Some(mut database) = Database::new(
        "CREATE TABLE plain (name text, n int); INSERT INTO plain VALUES ('a', 1), ('twin', 2), ('twin', 2), (NULL, 3)",
    ) else {
        return;
    };
    let mut table = database.open("plain");
    let values = |name: Option<&str>, n: i64| vec![name.map(Value::from), Some(Value::Integer(n))];
    database.run("UPDATE plain SET n = 5 WHERE name = 'a'");
    let write = TableWrite {
        rows: vec![
            RowEdit::Update {
                row: 0,
                old: values(Some("a"), 1),
                new: values(Some("a"), 7),
            },
            RowEdit::Delete {
                row: 1,
                old: values(Some("twin"), 2),
            },
            RowEdit::Update {
                row: 3,
                old: values(None, 3),
                new: values(Some("named"), 3),
            },
        ]
        .into(),
        ..TableWrite::default()
    };
    let outcome = table.write(&write).unwrap();
    let WriteOutcome::Written(refused) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(refused.iter().map(|refusal| refusal.edit).collect::<Vec<_>>(), [0]);
    assert_eq!(
        database.rows("SELECT * FROM plain ORDER BY n, name"),
        ["(twin,2)", "(named,3)", "(a,5)"]
    );
    // Columns that are not those that were read: nothing is written.
    database.run("ALTER TABLE plain ADD COLUMN more text");
    let outcome = table.write(&write).unwrap();
    assert!(matches!(outcome, WriteOutcome::Busy(_)), "{outcome:?}");
}

#[test]
fn transactions_that_meet_are_tried_again() {
    let Some(mut database) =
        Database::new("CREATE TABLE t (k int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)")
    else {
        return;
    };
    let mut table = database.open("t");
    let url = database.url.clone();
    // Another one holds the row until after the write began, and changes another value of it.
    let mut other = Client::connect(&url, NoTls).unwrap();
    other
        .batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE t SET n = n WHERE k = 1; SELECT sum(n) FROM t")
        .unwrap();
    let holder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        other.batch_execute("COMMIT").unwrap();
    });
    let values = |n: i64| vec![Some(Value::Integer(1)), Some(Value::Integer(n))];
    let write = TableWrite {
        rows: vec![RowEdit::Update {
            row: 0,
            old: values(0),
            new: values(4),
        }]
        .into(),
        ..TableWrite::default()
    };
    assert_eq!(table.write(&write).unwrap(), WriteOutcome::Written(Vec::new()));
    holder.join().unwrap();
    assert_eq!(database.rows("SELECT * FROM t ORDER BY k"), ["(1,4)", "(2,0)"]);
}

#[test]
fn a_table_is_made_for_a_collection() {
    let Some(mut database) = Database::new("CREATE SCHEMA office") else {
        return;
    };
    let world = World::new();
    let office = with_csv(&world, "office", CSV, "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    bind(&shop, &database, "office.prices", "prices");
    shop.sync();
    assert_eq!(
        database.rows("SELECT * FROM office.prices ORDER BY sku"),
        ["(A1,Apple,1.50,10)", "(B2,\"Bread, dark\",3.20,5)", "(C3,Cheese,7,)"]
    );
    is_quiet(&shop);
    // A column that came elsewhere comes here.
    office.write(
        "prices.csv",
        "sku,name,price,stock,note\nA1,Apple,1.50,10,fresh\nB2,\"Bread, dark\",3.20,5,\nC3,Cheese,7,,\n",
    );
    office.sync();
    shop.sync();
    assert_eq!(
        database.rows("SELECT note FROM office.prices WHERE sku = 'A1'"),
        ["(fresh)"]
    );
}

/// A small generator of numbers, the same at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// An edit that both databases understand; prices stand in `quote`.
    fn edit(&mut self, round: u64, side: &str, quote: &str) -> String {
        let sku = self.roll(30);
        match self.roll(5) {
            0 => format!("DELETE FROM prices WHERE sku = 'S{sku}'"),
            1 => format!(
                "INSERT INTO prices (sku, name, price, stock) VALUES ('S{sku}', '{side}{round}', {quote}{}.50{quote}, NULL) ON CONFLICT (sku) DO NOTHING",
                self.roll(90)
            ),
            2 => format!(
                "UPDATE prices SET price = {quote}{}.25{quote} WHERE sku = 'S{sku}'",
                self.roll(90)
            ),
            3 => format!("UPDATE prices SET stock = {} WHERE sku = 'S{sku}'", self.roll(90)),
            _ => format!("UPDATE prices SET name = '{side} {round}\n;' WHERE sku = 'S{sku}'"),
        }
    }
}

fn sqlite_rows(path: &std::path::Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT sku || '|' || coalesce(name, '-') || '|' || coalesce(price, '-') || '|' || coalesce(stock, '-')
        FROM prices ORDER BY sku";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn server_rows(database: &mut Database) -> Vec<String> {
    let sql = "SELECT sku || '|' || coalesce(name, '-') || '|' || coalesce(price::text, '-') || '|' || coalesce(stock::text, '-')
        FROM prices ORDER BY sku COLLATE \"C\"";
    database
        .client
        .query(sql, &[])
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

const PLAIN: &str = "CREATE TABLE prices (sku text PRIMARY KEY, name text, price numeric, stock int)";
const FILE: &str = "CREATE TABLE prices (sku TEXT PRIMARY KEY, name TEXT, price DECIMAL_TEXT, stock INTEGER)";

#[test]
fn a_file_and_a_server_edited_at_random_end_equal() {
    let Some(mut database) = Database::new(PLAIN) else {
        return;
    };
    for seed in 1..=4 {
        let world = World::seeded(seed);
        let mut dice = Dice(seed);
        database
            .run("TRUNCATE prices; INSERT INTO prices SELECT 'S' || n, 'start', n, n FROM generate_series(0, 19) n");
        let (one, two) = (world.system("one"), world.system("two"));
        let file = one.path("shop.db");
        rusqlite::Connection::open(&file).unwrap().execute_batch(FILE).unwrap();
        for system in [&one, &two] {
            system.add_remote("remote");
        }
        bind(&two, &database, "prices", "prices");
        two.sync();
        let options = AddSource {
            collection: Some("prices".to_owned()),
            ..AddSource::default()
        };
        one.add_with("shop.db#prices", "sqlite", options);
        for round in 0..25 {
            for _ in 0..dice.roll(4) {
                // SQLite keeps what it is given in such a column, so prices are given as texts.
                let edit = dice.edit(round, "file", "'");
                rusqlite::Connection::open(&file).unwrap().execute_batch(&edit).unwrap();
            }
            for _ in 0..dice.roll(4) {
                let edit = dice.edit(round, "server", "");
                database.run(&edit);
            }
            if dice.roll(2) == 0 {
                one.sync_forced()
            } else {
                two.sync_forced()
            };
        }
        for system in [&one, &two, &one, &two] {
            system.sync_forced();
        }
        assert_eq!(sqlite_rows(&file), server_rows(&mut database), "seed {seed}");
        is_quiet(&one);
        is_quiet(&two);
    }
}

#[test]
fn a_kill_while_writing_leaves_the_table_before_or_after() {
    let Some(mut database) = Database::new(PLAIN) else {
        return;
    };
    let env = TestEnv::new();
    ok(&env, "init office");
    ok(&env, "init shop");
    let csv = |round: u64| -> String {
        let rows = (0..200).map(|n| format!("S{n:03},round {round},{n}.5,{round}\n"));
        std::iter::once("sku,name,price,stock\n".to_owned())
            .chain(rows)
            .collect()
    };
    env.write("office/prices.csv", &csv(0));
    ok(&env, "-C office add-source prices.csv --collection prices --key sku");
    ok(
        &env,
        &format!("-C office remote add origin {} --plain", env.path("remote").display()),
    );
    ok(&env, "-C office sync");
    ok(
        &env,
        &format!("-C shop remote add origin {} --plain", env.path("remote").display()),
    );
    ok(
        &env,
        &format!("-C shop add-source {} --collection prices", database.location("prices")),
    );
    ok(&env, "-C shop sync");
    let mut dice = Dice(7);
    let mut killed = 0;
    for round in 1..=25 {
        env.write("office/prices.csv", &csv(round));
        ok(&env, "-C office sync --allow-changes");
        let mut child = env
            .command(["-C", "shop", "sync", "-q", "--allow-changes"])
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(dice.roll(600)));
        killed += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        // The server may need a moment to see that nobody is there any more.
        let rounds = database.rows("SELECT DISTINCT stock FROM prices");
        assert_eq!(rounds.len(), 1, "round {round}: {rounds:?}");
    }
    ok(&env, "-C shop sync --allow-changes");
    assert_eq!(database.rows("SELECT DISTINCT stock FROM prices"), ["(25)"]);
    assert_eq!(env.run("-C shop conflicts --json").success().stdout, "");
    ok(&env, "-C office sync");
    assert_eq!(env.read("office/prices.csv"), csv(25));
    assert!(killed > 5, "only {killed} kills came in time");
}

#[test]
fn the_password_is_in_no_text() {
    let env = TestEnv::new();
    ok(&env, "init");
    // Nobody listens there.
    let run = env.run("add-source postgres://me:hush@127.0.0.1:1/db#prices");
    assert_eq!(run.code, 4, "{run}");
    assert!(!run.to_string().contains("hush"), "{run}");
    assert!(run.stderr.contains("127.0.0.1:1/db#prices"), "{run}");
    assert!(!env.path(".dsync/keys/source-prices.password").exists());
    let Some(database) = Database::new(PRICES) else { return };
    let location = database.location("prices");
    let password = split(&database.url).unwrap().password.unwrap();
    for words in [
        vec!["add-source", &location],
        vec!["sync"],
        vec!["sources"],
        vec!["sources", "--json"],
        vec!["status"],
        vec!["ops"],
    ] {
        let run = env.run_words(&words);
        assert!(run.code == 0 && !run.to_string().contains(&password), "{run}");
    }
    let file = env.path(".dsync/keys/source-prices.password");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), password);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!env.read(".dsync/config.toml").contains(&password));
    // Who writes it there by hand is told better.
    let config = env.read(".dsync/config.toml").replace("postgres@", "postgres:hush@");
    env.write(".dsync/config.toml", &config);
    let run = env.run("sync");
    assert!(
        run.code == 1 && run.stderr.contains("password_file") && !run.to_string().contains("hush"),
        "{run}"
    );
}

#[test]
fn a_server_that_is_away_stops_nothing_else() {
    let env = TestEnv::new();
    ok(&env, "init");
    env.write("prices.csv", CSV);
    ok(&env, "add-source prices.csv --collection prices --key sku");
    let config = env.read(".dsync/config.toml");
    let server = "\n[[source]]\nname = \"away\"\ncollection = \"prices\"\nlocation = \"postgres://me@127.0.0.1:1/db\"\ntable = \"prices\"\nformat = \"postgres\"\n";
    env.write(".dsync/config.toml", &(config + server));
    let run = env.run("sync");
    assert_eq!(run.code, 4, "{run}");
    assert!(
        run.stderr.contains("cannot reach source `away`") && run.stderr.contains("try again"),
        "{run}"
    );
    assert_eq!(env.run("cat prices --json").success().stdout.lines().count(), 3);
    let report = env.run("sync --json");
    assert_eq!(report.code, 4);
    assert_eq!(
        report.json()["sources"][1]["unreachable"]["location"],
        "postgres://me@127.0.0.1:1/db#prices"
    );
}

#[test]
fn rows_that_break_rules_are_conflicts_and_stay() {
    let Some(mut database) = Database::new(
        "CREATE TABLE shelves (n int PRIMARY KEY); INSERT INTO shelves VALUES (1), (3), (4), (5), (6);
         CREATE TABLE prices (sku text PRIMARY KEY, name text NOT NULL, price numeric, stock int,
           CONSTRAINT one_name UNIQUE (name), CONSTRAINT stands FOREIGN KEY (stock) REFERENCES shelves);
         CREATE UNIQUE INDEX one_price ON prices (price);
         INSERT INTO prices VALUES ('A1', 'Apple', 1, 1), ('C3', 'Cheese', 3, 3);
         CREATE TABLE orders (sku text REFERENCES prices DEFERRABLE INITIALLY DEFERRED)",
    ) else {
        return;
    };
    let world = World::new();
    let office = with_csv(
        &world,
        "office",
        "sku,name,price,stock\nA1,Apple,1,1\nC3,Cheese,3,3\n",
        "sku",
    );
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    bind(&shop, &database, "prices", "prices");
    assert_eq!(shop.sync().conflicts.open, 0);
    let all = "SELECT * FROM prices ORDER BY sku";
    let rules = |system: &System<'_>| -> Vec<String> {
        let one = |conflict: dsync::sync::ConflictReport| {
            let sides: Vec<String> = conflict
                .alternatives
                .iter()
                .map(|side| side.value["sku"].to_string())
                .collect();
            let rule = conflict.constraint.unwrap();
            format!("{} {} {rule}: {}", conflict.key, conflict.path, sides.join(" | "))
        };
        system.conflicts().into_iter().map(one).collect()
    };
    // Names change places; one row has no shelf, one the price of another, one no name.
    office.write(
        "prices.csv",
        "sku,name,price,stock\nA1,Cheese,1,1\nB2,Bread,2,2\nC3,Apple,3,3\nD4,Apple,4,4\nE5,,5,5\nF6,Cheese,3,6\n",
    );
    office.sync();
    let report = shop.sync();
    assert_eq!(database.rows(all), ["(A1,Cheese,1,1)", "(C3,Apple,3,3)"]);
    assert_eq!((report.conflicts.new, report.conflicts.open), (4, 4), "{report:?}");
    assert_eq!(
        rules(&shop),
        [
            "B2 /stock stands: \"B2\"",
            "D4 /name one_name: \"D4\" | \"C3\"",
            "E5 /name NOT NULL name: \"E5\"",
            "F6 /name one_name: \"F6\" | \"A1\"",
        ]
    );
    // The parent arrives, the others get values of their own; a row that is needed elsewhere is not let go.
    database.run("INSERT INTO shelves VALUES (2); INSERT INTO orders VALUES ('A1')");
    office.write(
        "prices.csv",
        "sku,name,price,stock\nB2,Bread,2,2\nC3,Apple,3,3\nD4,Date,3,4\n",
    );
    office.sync_forced();
    let report = shop.sync_forced();
    assert_eq!(
        database.rows(all),
        ["(A1,Cheese,1,1)", "(B2,Bread,2,2)", "(C3,Apple,3,3)"],
        "{report:?}"
    );
    assert_eq!(
        rules(&shop),
        ["A1 /sku orders_sku_fkey: null", "D4 /price one_price: \"D4\" | \"C3\""]
    );
    database.run("DELETE FROM orders");
    office.edit("prices.csv", "D4,Date,3", "D4,Date,4");
    office.sync();
    assert_eq!(shop.sync().conflicts.open, 0);
    assert_eq!(
        database.rows(all),
        ["(B2,Bread,2,2)", "(C3,Apple,3,3)", "(D4,Date,4,4)"]
    );
    is_quiet(&shop);
}

#[test]
#[expect(clippy::print_stderr, reason = "who looks why nothing ran finds it")]
fn tls_is_what_the_url_asks_for() {
    let Some(mut database) = Database::new(PRICES) else {
        return;
    };
    if database.rows("SELECT current_setting('ssl')") != ["(on)"] {
        eprintln!("skipped: the server has no TLS");
        return;
    }
    let certificate = database.client.query_one("SHOW ssl_cert_file", &[]).unwrap();
    let certificate = std::path::PathBuf::from(certificate.get::<_, String>(0));
    let authority = certificate.with_file_name("ca.pem");
    // The server's certificate is for `localhost`.
    let env = TestEnv::new();
    ok(&env, "init");
    env.write("other.pem", "");
    let server = database.url.replace("127.0.0.1", "localhost");
    let mut number = 0;
    let mut add = |url: &str, options: String| {
        number += 1;
        let location = format!("{url}?{options}#prices");
        env.run_words(&[
            "add-source",
            &location,
            "--name",
            &format!("s{number}"),
            "--collection",
            &format!("c{number}"),
        ])
    };
    let roots = |path: &std::path::Path| format!("sslrootcert={}", path.display());
    let full = roots(&authority);
    for (url, options) in [
        (&database.url, "sslmode=disable".to_owned()),
        (&database.url, "sslmode=prefer".to_owned()),
        (&database.url, "sslmode=require".to_owned()),
        (&database.url, format!("sslmode=verify-ca&{full}")),
        (&server, format!("sslmode=verify-full&{full}")),
        // A certificate that is named itself needs no authority.
        (&server, format!("sslmode=verify-full&{}", roots(&certificate))),
    ] {
        let run = add(url, options.clone());
        assert_eq!(run.code, 0, "{options}: {run}");
    }
    for (url, options, word) in [
        (&database.url, format!("sslmode=verify-full&{full}"), "127.0.0.1"),
        (&server, "sslmode=verify-full&sslrootcert=system".to_owned(), "TLS"),
        (
            &server,
            format!("sslmode=require&{}", roots(&env.path("other.pem"))),
            "other.pem",
        ),
        (
            &server,
            "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(),
            "/nowhere.pem",
        ),
        (&server, "sslmode=always".to_owned(), "verify-full"),
    ] {
        let run = add(url, options.clone());
        assert!(run.code != 0 && run.stderr.contains(word), "{options}: {run}");
    }
    // Rows come under it.
    database.run("INSERT INTO prices VALUES ('A1', 'Apple', 1, 1)");
    let run = env.run_words(&["sync", "--source", "s5", "--json"]).success();
    assert_eq!(run.json()["sources"][0]["read"]["added"], 1, "{run}");
}

#[test]
fn thirty_changed_rows_are_thirty_writes() {
    let Some(mut database) = Database::new(PLAIN) else {
        return;
    };
    let world = World::new();
    let csv = |rows: std::ops::Range<u32>, changed: std::ops::Range<u32>| -> String {
        let price = |n: u32| if changed.contains(&n) { n + 1000 } else { n };
        let rows = rows.map(|n| format!("S{n:05},name {n},{}.50,{n}\n", price(n)));
        std::iter::once("sku,name,price,stock\n".to_owned())
            .chain(rows)
            .collect()
    };
    let office = with_csv(&world, "office", &csv(0..3000, 0..0), "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    bind(&shop, &database, "prices", "prices");
    shop.sync();
    let counters = "SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE relname = 'prices'";
    let mut written = |least: i64| -> [i64; 3] {
        // Backends tell what they did within a moment of their end.
        for _ in 0..100 {
            let row = database.client.query_one(counters, &[]).unwrap();
            let now: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
            if now.iter().sum::<i64>() >= least {
                return now;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server counts nothing");
    };
    assert_eq!(written(3000), [3000, 0, 0]);
    // Ten changed, ten added, ten removed.
    office.write("prices.csv", csv(10..3010, 100..110));
    office.sync();
    shop.sync();
    assert_eq!(written(3030), [3010, 10, 10]);
    assert!(is_quiet(&shop));
}

#[test]
fn values_that_other_tables_refer_to_change_places_where_the_server_can_wait() {
    let Some(mut database) = Database::new(
        "CREATE TABLE prices (sku text PRIMARY KEY, name text NOT NULL UNIQUE, price numeric, stock int);
         CREATE TABLE orders (name text REFERENCES prices (name) DEFERRABLE)",
    ) else {
        return;
    };
    let world = World::new();
    let office = with_csv(&world, "office", CSV, "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    bind(&shop, &database, "prices", "prices");
    shop.sync();
    database.run("INSERT INTO orders VALUES ('Apple'), ('Cheese')");
    office.write(
        "prices.csv",
        CSV.replace("Apple", "X")
            .replace("Cheese", "Apple")
            .replace('X', "Cheese"),
    );
    office.sync();
    let report = shop.sync();
    assert_eq!(report.conflicts.open, 0, "{report:?}");
    assert_eq!(
        database.rows("SELECT sku, name FROM prices ORDER BY sku"),
        ["(A1,Cheese)", "(B2,\"Bread, dark\")", "(C3,Apple)"]
    );
    is_quiet(&shop);
}

#[test]
fn a_table_of_a_server_is_mapped() {
    let Some(mut database) = Database::new(
        "CREATE TABLE artikel (nr serial PRIMARY KEY, artikel text UNIQUE, preis text, gepflegt text DEFAULT 'nie');
         INSERT INTO artikel (artikel, preis, gepflegt) VALUES ('A1', '1,50', 'gestern')",
    ) else {
        return;
    };
    let world = World::new();
    let office = with_csv(&world, "office", "sku,price\nA1,1.50\nB2,1234.25\n", "sku");
    office.sync();
    let shop = world.system("shop");
    shop.add_remote("remote");
    shop.write(
        "map.toml",
        "[format]\nkind = \"row\"\nonly = true\n[[column]]\nname = \"artikel\"\nfield = \"sku\"\n\
         [[column]]\nname = \"preis\"\nfield = \"price\"\ndecimal = \",\"\nthousands = \".\"\n",
    );
    shop.receive();
    let options = AddSource {
        collection: Some("prices".to_owned()),
        key: vec!["sku".to_owned()],
        map: Some("map.toml".into()),
        ..AddSource::default()
    };
    shop.add_with(&database.location("artikel"), "", options);
    shop.sync();
    let all = "SELECT artikel, preis, gepflegt FROM artikel ORDER BY nr";
    assert_eq!(database.rows(all), ["(A1,\"1,50\",gestern)", "(B2,\"1.234,25\",nie)"]);
    database.run("UPDATE artikel SET preis = '2,75', gepflegt = 'heute' WHERE artikel = 'A1'");
    office.edit("prices.csv", "1234.25", "1300");
    office.sync();
    shop.sync();
    office.sync();
    assert_eq!(office.read("prices.csv"), "sku,price\nA1,2.75\nB2,1300\n");
    assert_eq!(database.rows(all), ["(A1,\"2,75\",heute)", "(B2,1.300,nie)"]);
    assert!(is_quiet(&shop) && is_quiet(&office));
}

#[test]
fn people_in_a_table_of_a_server_are_contacts() {
    let Some(mut database) = Database::new(
        "CREATE TABLE people (id serial PRIMARY KEY, given text, surname text NOT NULL, mail text UNIQUE, mobile text,
           born text, score int DEFAULT 7);
         INSERT INTO people (given, surname, mail, mobile, born, score) VALUES
           ('Ada', 'Lovelace', 'ada@example.org', '+44 20 7946 0999', '1815-12-10', 1),
           ('Grace', 'Hopper', 'grace@example.org', NULL, '1906-12-09', 2)",
    ) else {
        return;
    };
    let world = World::new();
    let crm = world.system("crm");
    crm.write("people.toml", super::table_contacts::mapping());
    let options = AddSource {
        location: database.location("people"),
        collection: Some("contacts".to_owned()),
        map: Some("people.toml".into()),
        ..AddSource::default()
    };
    crm.add(options);
    crm.add_remote("remote");
    crm.sync();
    let phone = world.system("phone");
    phone.add_source("book.vcf", "vcard");
    phone.add_remote("remote");
    phone.sync();
    assert!(
        phone.read("book.vcf").contains("+44 20 7946 0999"),
        "{}",
        phone.read("book.vcf")
    );
    phone.edit("book.vcf", "+44 20 7946 0999", "+44 20 7946 0111");
    let more = crate::world::card("new-1", "Alan Turing", &["EMAIL:alan@example.org"]);
    phone.write("book.vcf", format!("{}{more}", phone.read("book.vcf")));
    phone.sync();
    database.run(
        "UPDATE people SET mail = 'countess@example.org', score = 9 WHERE id = 1; DELETE FROM people WHERE id = 2",
    );
    crm.sync();
    phone.sync();
    assert_eq!(
        database.rows("SELECT id, given, surname, mail, mobile, born, score FROM people ORDER BY id"),
        [
            "(1,Ada,Lovelace,countess@example.org,\"+44 20 7946 0111\",1815-12-10,9)",
            "(3,Alan,Turing,alan@example.org,,,7)",
        ]
    );
    let book = phone.read("book.vcf");
    assert!(
        book.contains("countess@example.org") && !book.contains("Hopper"),
        "{book}"
    );
    is_quiet(&crm);
    is_quiet(&phone);
}
