//! Each command on real stores: what it does, its typical mistake, its JSON.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use crate::env::TestEnv;

const GOOGLE: &str = "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,\
    Name Prefix,Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,\
    Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value\n\
    Ada,,Lovelace,,,,,,,,Analytical Society,Analyst,,,,,,Home,ada@example.org,Mobile,+44 20 7946 0001\n\
    Grace,,Hopper,,,,,,,,Navy,,,,,,,Work,grace@example.org,Mobile,+1 202 555 0101\n\
    Alan,,Turing,,,,,,,,,,,,,,,Work,alan@example.org,Mobile,+44 1908 555 014\n";

/// A system with one synced Google CSV.
fn laptop() -> TestEnv {
    let env = TestEnv::new();
    env.write("laptop/g.csv", GOOGLE);
    let _run = env.run("init laptop --name laptop").success();
    let _run = env.run("-C laptop add-source g.csv --collection contacts").success();
    let _run = env.run("-C laptop sync").success();
    env
}

/// The laptop and a phone with a Thunderbird CSV that share a remote and are in step.
fn laptop_and_phone() -> TestEnv {
    let env = laptop();
    std::fs::create_dir(env.path("phone")).unwrap();
    let _run = env.run("-C laptop remote add origin ../remote").success();
    let _run = env.run("-C laptop sync").success();
    let key = "laptop/.dsync/keys/origin";
    let _run = env
        .run(&format!("clone remote phone --name phone --key-file {key}"))
        .success();
    let words = "-C phone add-source t.csv --format thunderbird-csv --collection contacts --create";
    let _run = env.run(words).success();
    let _run = env.run("-C phone sync").success();
    env
}

/// Both systems changed one number; the laptop synced last.
fn clash() -> TestEnv {
    let env = laptop_and_phone();
    env.edit("phone/t.csv", "555 0101", "555 0188");
    env.edit("laptop/g.csv", "555 0101", "555 0177");
    let _run = env.run("-C phone sync").success();
    let _run = env.run("-C laptop sync").code(3);
    env
}

fn state(env: &TestEnv, system: &str) -> Json {
    env.run(&format!("-C {system} status --json")).success().json()["state"].clone()
}

#[track_caller]
fn has_keys(object: &Json, keys: &[&str]) {
    for key in keys {
        assert!(object.get(key).is_some(), "no `{key}` in {object}");
    }
}

#[test]
fn init_twice_changes_nothing_and_says_so() {
    let env = TestEnv::new();
    assert_snapshot!(env.run("init a"), @r"
    exit: 0
    ----- stdout -----
    made a store: [ROOT]/a/.dsync
    ----- stderr -----
    next: `dsync add-source LOCATION`
    ");
    assert_snapshot!(env.run("init a"), @r"
    exit: 0
    ----- stdout -----
    there is a store already: [ROOT]/a/.dsync
    ");
    let run = env.run("init a --json").success();
    assert_eq!(run.json()["created"], false);
    assert!(
        env.run("-C a init --json").success().json()["store"]
            .as_str()
            .unwrap()
            .ends_with("/a/.dsync")
    );
}

#[test]
fn a_source_is_detected_and_left_alone() {
    let env = TestEnv::new();
    env.write("g.csv", GOOGLE);
    let _run = env.run("init").success();
    let dry = env.run("add-source g.csv --dry-run --json").success();
    assert_eq!(
        (&dry.json()["format"], &dry.json()["dry_run"]),
        (&json!("google-csv"), &json!(true))
    );
    assert_eq!(env.run("sources --json").success().stdout, "");
    assert_snapshot!(env.run("add-source g.csv --collection contacts"), @r"
    exit: 0
    ----- stdout -----
    added source g: google-csv, 3 items, collection contacts
    ----- stderr -----
    next: `dsync sync --dry-run` shows what a sync would do
    ");
    assert_eq!(env.read("g.csv"), GOOGLE);
    has_keys(
        &env.run("sources --json").success().json_lines()[0],
        &["name", "collection", "format", "location", "direction", "items"],
    );
    assert_eq!(
        env.run("add-source g.csv --json").code(1).json_error()["error"]["code"],
        "same-location"
    );
    assert_eq!(
        env.run("add-source nope.csv --json").code(1).json_error()["error"]["code"],
        "location-missing"
    );
    let _run = env.run("remove-source g --dry-run").success();
    let _run = env.run("remove-source g").success();
    assert_eq!(
        env.run("remove-source g --json").code(1).json_error()["error"]["code"],
        "unknown-source"
    );
    assert_eq!(env.read("g.csv"), GOOGLE);
}

#[test]
fn an_unknown_table_names_the_ways_on() {
    let env = TestEnv::new();
    env.write("members.csv", "Member No;Name\n1;Ada\n");
    let _run = env.run("init").success();
    assert_snapshot!(env.run("add-source members.csv"), @r"
    exit: 1
    ----- stderr -----
    error: the format of `[ROOT]/members.csv` is not known
      it was read as: a table with delimiter `;` in utf-8: Member No | Name

    hint: to see the formats: `dsync formats`
    hint: to name one: `dsync add-source members.csv --format FORMAT`
    hint: for a table of rows, name its key: `dsync add-source members.csv --key COLUMN`
    hint: to say which column is which field of a contact: `dsync add-source members.csv --map FILE.toml`
    ");
    assert_snapshot!(env.run("convert members.csv out.vcf"), @r"
    exit: 1
    ----- stderr -----
    error: the format of `[ROOT]/members.csv` is not known
      it was read as: a table with delimiter `;` in utf-8: Member No | Name

    hint: to see the formats: `dsync formats`
    hint: to name that of the input: `dsync convert members.csv out.vcf --from FORMAT`
    hint: to name that of the output: `dsync convert members.csv out.vcf --to FORMAT`
    ");
}

#[test]
fn the_first_sync_reads_and_the_second_does_nothing() {
    let env = TestEnv::new();
    env.write("laptop/g.csv", GOOGLE);
    let _run = env.run("init laptop --name laptop").success();
    let _run = env.run("-C laptop add-source g.csv --collection contacts").success();
    assert_snapshot!(env.run("-C laptop sync --dry-run"), @r"
    exit: 0
    ----- stdout -----
    dry run: nothing is written
    g: read 3 added
    ");
    assert_snapshot!(env.run("-C laptop sync"), @r"
    exit: 0
    ----- stdout -----
    g: read 3 added
    ");
    assert_snapshot!(env.run("-C laptop sync"), @r"
    exit: 0
    ----- stdout -----
    nothing to do
    ");
    assert_eq!(env.run("-C laptop sync -q").success().stdout, "");
    let report = env.run("-C laptop sync --json").success().json();
    has_keys(&report, &["state", "sources", "remotes", "conflicts", "dry_run"]);
    has_keys(
        &report["sources"][0],
        &["name", "read", "written", "set_aside", "not_shown"],
    );
    assert_eq!(
        report["sources"][0]["read"],
        json!({"added": 0, "changed": 0, "removed": 0})
    );
    assert_eq!(env.read("laptop/g.csv"), GOOGLE);
}

#[test]
fn status_tells_sources_collections_and_remotes() {
    let env = laptop_and_phone();
    env.edit("laptop/g.csv", "Analyst", "Countess");
    assert_snapshot!(env.run("-C laptop status"), @r"
    exit: 0
    ----- stdout -----
    system laptop, state [ID]

    collections
      contacts: 3 contacts, root [ID]

    sources
      g: changed, 1 changed to take in; google-csv at [ROOT]/laptop/g.csv

    remotes
      origin: in step, [ROOT]/remote
    ");
    let status = env.run("-C laptop status --json").success().json();
    has_keys(
        &status,
        &["system", "replica", "state", "sources", "collections", "remotes"],
    );
    has_keys(
        &status["sources"][0],
        &[
            "name",
            "collection",
            "format",
            "location",
            "state",
            "added",
            "changed",
            "removed",
            "set_aside",
            "outgoing",
        ],
    );
    has_keys(
        &status["collections"][0],
        &["name", "kind", "records", "conflicts", "root", "heads"],
    );
    has_keys(&status["remotes"][0], &["name", "url", "ahead", "behind"]);
    assert_eq!(status["sources"][0]["changed"], 1);
}

#[test]
fn diff_shows_one_line_for_each_field() {
    let env = laptop();
    assert_eq!(env.run("-C laptop diff").success().stdout, "");
    env.edit("laptop/g.csv", "Analyst", "Countess");
    assert_snapshot!(env.run("-C laptop diff"), @r#"
    exit: 0
    ----- stdout -----
    to take in from g:
      ~ Ada Lovelace  [KEY]
          /titles/6orsatdh/name: "Analyst" → "Countess"
    "#);
    assert_snapshot!(env.run("-C laptop diff --stat"), @r"
    exit: 0
    ----- stdout -----
    to take in from g: 1 changed
    ");
    let lines = env.run("-C laptop diff --json").success().json_lines();
    has_keys(&lines[0], &["collection", "op", "key", "title", "fields"]);
    assert_eq!(
        (&lines[0]["fields"][0]["old"], &lines[0]["fields"][0]["new"]),
        (&json!("Analyst"), &json!("Countess"))
    );
    assert_eq!(
        env.run("-C laptop diff nope --json").code(1).json_error()["error"]["code"],
        "unknown-snapshot"
    );
}

#[test]
fn colours_mark_old_and_new() {
    let env = laptop();
    env.edit("laptop/g.csv", "Analyst", "Countess");
    let shown = env.run("-C laptop diff --color always").success().stdout;
    assert!(
        shown.contains("\u{1b}[31m\"Analyst\"\u{1b}[0m → \u{1b}[32m\"Countess\"\u{1b}[0m"),
        "{shown:?}"
    );
}

#[test]
fn two_systems_come_in_step_and_conflicts_stay_data() {
    let env = clash();
    assert_snapshot!(env.run("-C laptop conflicts"), @r#"
    exit: 0
    ----- stdout -----
    Grace Hopper /phones/dq7uno35/number  contacts [KEY]: two values
      base: "+1 202 555 0101"
      1: "+1 202 555 0177"  laptop, [TIME], shown
      2: "+1 202 555 0188"  phone, [TIME]
      `dsync -C laptop resolve contacts [KEY] /phones/dq7uno35/number --take N`
    "#);
    let conflicts = env.run("-C laptop conflicts --json").success().json_lines();
    assert_eq!(conflicts.len(), 1);
    has_keys(
        &conflicts[0],
        &["collection", "key", "title", "path", "base", "alternatives", "kind"],
    );
    has_keys(
        &conflicts[0]["alternatives"][0],
        &["n", "value", "system", "snapshot", "time", "shown"],
    );
    let _run = env.run("-C phone sync").code(3);
    assert_eq!(state(&env, "laptop"), state(&env, "phone"));

    let (key, path) = (
        conflicts[0]["key"].as_str().unwrap(),
        conflicts[0]["path"].as_str().unwrap(),
    );
    let take = |more: &str| env.run(&format!("-C laptop resolve contacts {key} {path} {more}"));
    let _run = take("--take 9").code(2);
    let _run = take("--take 2 --dry-run").success();
    let report = take("--take 2 --json").success().json();
    assert_eq!(report["conflicts"]["open"], 0);
    let _run = env.run("-C laptop sync").success();
    let _run = env.run("-C phone sync").success();
    assert_eq!(state(&env, "laptop"), state(&env, "phone"));
    let (laptop, phone) = (env.read("laptop/g.csv"), env.read("phone/t.csv"));
    let chosen = conflicts[0]["alternatives"][1]["value"].as_str().unwrap();
    assert!(laptop.contains(chosen) && phone.contains(chosen), "{laptop}\n{phone}");
}

#[test]
fn resolve_without_words_needs_a_terminal() {
    let env = clash();
    assert_eq!(
        env.run("-C laptop resolve --json").code(2).json_error()["error"]["code"],
        "usage"
    );
}

#[test]
fn the_log_draws_lines_of_descent() {
    let env = clash();
    let shown = env.run("-C laptop log --graph").success().stdout;
    let marks: Vec<&str> = shown
        .lines()
        .map(|line| line.split(char::is_alphanumeric).next().unwrap())
        .collect();
    assert_eq!(marks, ["* ", "|   ", "| * ", "| |   ", "|/", "* ", "|   "], "{shown}");
    let lines = env.run("-C laptop log --json").success().json_lines();
    has_keys(
        &lines[0],
        &[
            "snapshot",
            "collection",
            "parents",
            "system",
            "time",
            "message",
            "records",
            "root",
        ],
    );
    assert_eq!(env.run("-C laptop log -n 1 --json").success().json_lines().len(), 1);
    let id = lines[0]["snapshot"].as_str().unwrap();
    let shown = env
        .run(&format!("-C laptop show {} --json", &id[..8]))
        .success()
        .json_lines();
    assert_eq!(shown[0]["snapshot"], *id);
    assert_eq!(shown[1]["op"], "change");
    assert_eq!(
        env.run("-C laptop log -c nope --json").code(1).json_error()["error"]["code"],
        "unknown-collection"
    );
}

#[test]
fn undo_brings_the_file_back() {
    let env = laptop_and_phone();
    let before = env.read("laptop/g.csv");
    env.edit("phone/t.csv", "Analyst", "Countess");
    let _run = env.run("-C phone sync").success();
    let _run = env.run("-C laptop sync").success();
    assert!(env.read("laptop/g.csv").contains("Countess"));
    let _run = env.run("-C laptop undo --dry-run").success();
    assert!(env.read("laptop/g.csv").contains("Countess"));
    let _run = env.run("-C laptop undo").success();
    assert_eq!(env.read("laptop/g.csv"), before);
    let operations = env.run("-C laptop ops --json").success().json_lines();
    has_keys(&operations[0], &["operation", "time", "command", "undoable"]);
    let command = operations[0]["command"].as_str().unwrap();
    assert!(command.starts_with("dsync -C laptop undo ("), "{command}");
    assert_eq!(
        env.run("-C laptop undo nope --json").code(1).json_error()["error"]["code"],
        "unknown-operation"
    );
}

#[test]
fn restore_brings_back_an_earlier_state() {
    let env = laptop();
    env.edit("laptop/g.csv", "Analyst", "Countess");
    let _run = env.run("-C laptop snapshot -m countess").success();
    assert_eq!(
        env.run("-C laptop log -n 1 --json").success().json()["message"],
        "countess"
    );
    let _run = env.run("-C laptop restore @-").success();
    assert_eq!(env.read("laptop/g.csv"), GOOGLE);
    let _run = env.run("-C laptop restore -c contacts @-").success();
    assert!(env.read("laptop/g.csv").contains("Countess"));
    let shown = env.run("-C laptop show -c contacts @ --json").success().json_lines();
    assert_eq!(shown[0]["collection"], "contacts");
    let wrong = env.run("-C laptop restore -c nope @- --json").code(1);
    assert_eq!(wrong.json_error()["error"]["code"], "unknown-collection");
    let _run = env.run("-C laptop pack ../changes --since @- -c contacts").success();
}

#[test]
fn safeguards_refuse_and_name_the_override() {
    let env = laptop();
    let many: String = (0..9)
        .map(|n| format!("Person{n},,Surname{n},,,,,,,,,,,,,,,Home,p{n}@example.org,,\n"))
        .collect();
    env.write("laptop/g.csv", &format!("{GOOGLE}{many}"));
    let _run = env.run("-C laptop sync").success();
    let header = format!("{}\n", GOOGLE.lines().next().unwrap());
    env.write("laptop/g.csv", &header);
    assert_snapshot!(env.run("-C laptop sync"), @r"
    exit: 5
    ----- stderr -----
    error: source `g` is empty now; it had 12 items

    hint: if it was emptied on purpose: `dsync -C laptop sync --allow-empty`
    hint: to see what would go: `dsync -C laptop diff --stat`
    ");
    let run = env.run("-C laptop sync --json").code(5);
    assert_eq!(run.json_error()["error"]["code"], "source-empty");
    assert_eq!(
        env.run("-C laptop cat contacts --json").success().json_lines().len(),
        12
    );
    env.write("laptop/g.csv", GOOGLE);
    assert_snapshot!(env.run("-C laptop sync"), @r"
    exit: 5
    ----- stderr -----
    error: source `g` lost 9 of 12 items

    hint: if they were removed on purpose: `dsync -C laptop sync --allow-deletes`
    hint: to see which: `dsync -C laptop diff --stat`
    ");
    let _run = env.run("-C laptop sync --allow-deletes").success();
    env.write("laptop/g.csv", &header);
    let _run = env.run("-C laptop sync --allow-empty").success();
    assert_eq!(env.run("-C laptop cat contacts --json").success().stdout, "");

    let env = laptop();
    std::fs::remove_file(env.path("laptop/g.csv")).unwrap();
    let run = env.run("-C laptop sync --json").code(5);
    assert_eq!(run.json_error()["error"]["code"], "source-missing");
}

#[test]
fn a_remote_that_is_away_ends_with_4_after_the_local_work() {
    let env = laptop_and_phone();
    std::fs::rename(env.path("remote"), env.path("away")).unwrap();
    env.edit("laptop/g.csv", "Analyst", "Countess");
    let run = env.run("-C laptop sync").code(4);
    assert!(run.stdout.contains("g: read 1 changed"), "{run}");
    assert!(run.stderr.contains("error: cannot reach remote `origin`"), "{run}");
    let run = env.run("-C laptop sync --json").code(4);
    assert_eq!(run.json()["remotes"][0]["reached"], false);
    assert_eq!(run.json_error()["error"]["retryable"], true);
    std::fs::rename(env.path("away"), env.path("remote")).unwrap();
    let _run = env.run("-C laptop sync").success();
    let _run = env.run("-C phone sync").success();
    assert!(env.read("phone/t.csv").contains("Countess"));
}

#[test]
fn remotes_and_keys_are_listed_and_forgotten() {
    let env = laptop_and_phone();
    has_keys(
        &env.run("-C laptop remote list --json").success().json_lines()[0],
        &["name", "url", "ahead", "behind"],
    );
    let again = env.run("-C laptop remote add origin ../other --json").code(1);
    assert_eq!(again.json_error()["error"]["code"], "remote-exists");
    let stranger = env.run("-C phone remote add second ../remote --json");
    assert!(stranger.code == 0 || stranger.code == 1, "{stranger}");
    env.write("secret", "correct horse\n");
    let _run = env.run("-C laptop key add origin --passphrase-file secret").code(1);
    let _run = env
        .run("-C laptop key add origin --passphrase-file ../secret")
        .success();
    assert_eq!(
        env.run("-C laptop key show origin --json").success().json_lines().len(),
        2
    );
    let _run = env.run("clone remote third --passphrase-file secret").success();
    assert_eq!(state(&env, "third"), state(&env, "laptop"));
    let _run = env.run("-C laptop remote remove origin").success();
    assert_eq!(env.run("-C laptop remote list").success().stdout, "");
    let systems = env.run("-C phone systems --json").success().json_lines();
    has_keys(&systems[0], &["system", "last_seen"]);
}

#[test]
fn packs_carry_changes_without_a_remote() {
    let env = laptop();
    let _run = env.run("init usb --name usb").success();
    let _run = env.run("-C laptop pack ../all.dsync").success();
    let _run = env.run("-C usb unpack ../all.dsync --dry-run").success();
    let _run = env.run("-C usb unpack ../all.dsync").success();
    assert_eq!(state(&env, "usb"), state(&env, "laptop"));
    env.write("torn", "not a pack");
    let run = env.run("-C usb unpack ../torn --json");
    assert!(run.code == 7 || run.code == 1, "{run}");
    assert_eq!(state(&env, "usb"), state(&env, "laptop"));
}

#[test]
fn convert_needs_no_store() {
    let env = TestEnv::new();
    env.write("g.csv", GOOGLE);
    let run = env.run("convert g.csv o.csv --to outlook-csv --dry-run").success();
    assert!(!env.path("o.csv").exists(), "{run}");
    let run = env.run("convert g.csv o.csv --to outlook-csv --json").success();
    assert_eq!(run.json()["sources"][0]["written"]["added"], 3);
    assert!(env.read("o.csv").contains("ada@example.org"));
    let _run = env.run("convert nope.csv x.csv --to outlook-csv").code(1);
}

#[test]
fn verify_finds_damage_and_ends_with_7() {
    let env = laptop();
    let run = env.run("-C laptop verify").success();
    assert!(
        run.stdout.starts_with("checked ") && run.stdout.ends_with(": no damage\n"),
        "{run}"
    );
    has_keys(
        &env.run("-C laptop verify --json").success().json(),
        &["objects", "bytes", "damaged"],
    );
    let pack = std::fs::read_dir(env.path("laptop/.dsync/packs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::remove_file(&pack).unwrap();
    std::fs::write(&pack, bytes).unwrap();
    let run = env.run("-C laptop verify --json").code(7);
    has_keys(&run.json()["damaged"][0], &["id", "what", "affects"]);
}

#[test]
fn gc_keeps_everything_that_is_needed() {
    let env = clash();
    let before = state(&env, "laptop");
    let _run = env.run("-C laptop gc --dry-run").success();
    has_keys(
        &env.run("-C laptop gc --json").success().json(),
        &["objects_before", "bytes_after", "dry_run"],
    );
    assert_eq!(state(&env, "laptop"), before);
    let _run = env.run("-C laptop verify --deep").success();
}

#[test]
fn formats_are_listed_and_described() {
    let env = TestEnv::new();
    let formats = env.run("formats --json").success().json_lines();
    assert!(formats.iter().any(|format| format["name"] == "google-csv"));
    has_keys(&formats[0], &["name", "kind", "places", "writes"]);
    let _run = env.run("formats google-csv").success();
    let run = env.run("formats gogle-csv").code(1);
    assert!(run.stderr.contains("did you mean `google-csv`?"), "{run}");
}

#[test]
fn a_store_in_use_ends_with_6() {
    let env = laptop();
    let lock = std::fs::File::open(env.path("laptop/.dsync/lock")).unwrap();
    lock.lock().unwrap();
    let run = env.run("-C laptop sync --wait 0 --json").code(6);
    assert_eq!(run.json_error()["error"]["code"], "busy");
    assert_eq!(run.json_error()["error"]["retryable"], true);
}

#[test]
fn an_interrupt_ends_the_waiting_for_a_store() {
    let env = laptop();
    let lock = std::fs::File::open(env.path("laptop/.dsync/lock")).unwrap();
    lock.lock().unwrap();
    let words = "-C laptop sync --wait 60 --json";
    let child = env
        .command(words.split(' '))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Long enough for the program to have taken over the signal; too early it would end without 130.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let id = child.id().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let error: Json = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "interrupted");
}

#[test]
fn a_fault_in_a_mapping_is_told_with_its_place() {
    let env = TestEnv::new();
    env.write("members.csv", "Member No;Name\n1;Ada\n");
    env.write("members.toml", "[format]\nname = \"members\"\nkynd = \"contact\"\n");
    let _run = env.run("init").success();
    let run = env.run("add-source members.csv --map members.toml").code(1);
    assert!(
        run.stderr
            .contains("members.toml`: mapping: line 3, column 1, at `kynd = \"contact\"`: unknown field `kynd`"),
        "{run}"
    );
    assert!(!run.stderr.contains("\\n"), "{run}");
    env.write(".dsync/config.toml", "[[source]\n");
    let run = env.run("sources").code(1);
    assert!(run.stderr.contains("config.toml`: line 1, column "), "{run}");
}

#[test]
fn a_clone_of_what_is_away_changed_nothing_and_says_so() {
    let env = TestEnv::new();
    let run = env.run("clone away here").code(4);
    assert!(
        run.stderr
            .contains("hint: nothing was changed; to try again: `dsync clone away here`"),
        "{run}"
    );
    assert!(!env.path("here").exists());
}

#[test]
fn united_records_count_once_in_the_log() {
    let env = TestEnv::new();
    let card = |uid: &str, line: &str| {
        format!("BEGIN:VCARD\nVERSION:3.0\nUID:{uid}\nFN:Ann Smith\nN:Smith;Ann;;;\n{line}\nEND:VCARD\n")
    };
    env.write(
        "a.vcf",
        &(card("one", "TEL:+1 555 0001111") + &card("two", "EMAIL:ann@one.example")),
    );
    let _run = env.run("init").success();
    let _run = env.run("add-source a.vcf --collection contacts").success();
    let _run = env.run("sync").success();
    let _run = env.run("resolve contacts one --same-as two").success();
    let log = env.run("log --json").success().json_lines();
    let counts: Vec<&Json> = log.iter().map(|entry| &entry["records"]).collect();
    assert_eq!(counts, [&json!(1), &json!(2)]);
    assert_eq!(
        env.run("status --json").success().json()["collections"][0]["records"],
        1
    );
}

/// Two collections; the newest snapshot is one of `contacts`, with a field changed twice.
fn two_collections() -> TestEnv {
    let env = laptop();
    env.write("laptop/work.csv", GOOGLE);
    let _run = env.run("-C laptop add-source work.csv --collection work").success();
    let _run = env.run("-C laptop sync").success();
    for (old, new) in [("Analyst", "Countess"), ("Countess", "Author")] {
        env.edit("laptop/g.csv", old, new);
        let _run = env.run("-C laptop sync").success();
    }
    env
}

#[test]
fn a_state_is_of_the_collection_it_belongs_to() {
    let env = two_collections();
    let log = env.run("-C laptop log -c contacts --json").success().json_lines();
    let id = &log[0]["snapshot"].as_str().unwrap()[..8];
    let changes = |words: &str| -> Vec<(String, String)> {
        let lines = env.run(&format!("-C laptop {words} --json")).success().json_lines();
        let lines = lines.iter().filter(|line| line.get("fields").is_some());
        lines
            .map(|line| (line["collection"].to_string(), line["fields"][0]["old"].to_string()))
            .collect()
    };
    let one = |old: &str| vec![("\"contacts\"".to_owned(), format!("\"{old}\""))];
    for words in [
        "diff @-",
        "diff -c contacts @-",
        "show @",
        "show @- -c contacts",
        "show @-",
    ] {
        let old = if words.starts_with("show @-") {
            "Analyst"
        } else {
            "Countess"
        };
        assert_eq!(changes(words), one(old), "{words}");
    }
    assert_eq!(changes(&format!("diff {id}~1")), one("Countess"));
    assert_eq!(changes(&format!("diff {id}~2 {id}~1")), one("Analyst"));
    assert_eq!(changes(&format!("show {id}~1")), one("Analyst"));
    assert_eq!(changes("diff -c work @-").len(), 3);
    for (words, code) in [
        (format!("show {id}~9"), 1),
        (format!("show {}", &id[..3]), 1),
        (format!("diff -c work {id}"), 1),
        ("diff -c nope".to_owned(), 1),
        (format!("diff {id}~x"), 2),
        (format!("restore {id}~1 nobody"), 1),
        ("undo abc".to_owned(), 1),
    ] {
        let _run = env.run(&format!("-C laptop {words}")).code(code);
    }
    // Before the first snapshot of a collection there is nothing; the other collection is not touched.
    let work = env.read("laptop/work.csv");
    let run = env.run(&format!("-C laptop restore {id}~3 --dry-run")).success();
    assert_eq!(run.stdout, "dry run: nothing is written\ng: wrote 3 removed\n");
    let _run = env.run("-C laptop restore @- ").success();
    assert!(env.read("laptop/g.csv").contains("Countess"));
    assert_eq!(env.read("laptop/work.csv"), work);
    let ops = env.run("-C laptop ops --json").success().json_lines();
    let operation = &ops[0]["operation"].as_str().unwrap()[..4];
    let _run = env.run(&format!("-C laptop undo {operation}")).success();
    assert!(env.read("laptop/g.csv").contains("Author"));
}

#[test]
fn undo_takes_in_what_the_hint_allows() {
    let env = TestEnv::new();
    let cards = |note: &str| -> String {
        (0..30)
            .map(|n| format!("BEGIN:VCARD\nVERSION:3.0\nUID:u{n}\nFN:P{n}\nN:P{n};;;;\nNOTE:{note}{n}\nEND:VCARD\n"))
            .collect()
    };
    env.write("a.vcf", &cards("old"));
    let _run = env.run("init").success();
    let _run = env.run("add-source a.vcf").success();
    let _run = env.run("sync").success();
    env.edit("a.vcf", "FN:P7", "FN:Peter");
    let _run = env.run("sync").success();
    let text = env.read("a.vcf").replace("NOTE:old", "NOTE:new");
    env.write("a.vcf", &text);
    let refused = env.run("undo").code(5);
    assert!(refused.stderr.contains("`dsync undo --allow-changes`"), "{refused}");
    assert_eq!(env.read("a.vcf"), text);
    let _run = env.run("undo --allow-changes").success();
    assert_eq!(env.read("a.vcf"), cards("new"));
    let run = env.run("sync").success();
    assert_eq!(run.stdout, "nothing to do\n");
}

#[test]
fn every_command_that_writes_can_be_rehearsed() {
    let env = TestEnv::new();
    let help = env.run("demo --dry-run --json x").success().json();
    assert_eq!(help["dry_run"], true);
    assert!(!env.path("x").exists());
    let writing = "init clone add-source remove-source remote:add remote:remove key:add key:remove man sync snapshot push \
        fetch pull apply resolve undo restore convert pack unpack gc demo";
    for command in writing.split_whitespace() {
        let words = format!("{} --help", command.replace(':', " "));
        let run = env.run(&words).success();
        assert!(run.stdout.contains("--dry-run"), "{words}");
    }
}

/// A table of Outlook whose first person's letters are the same in all code pages, and the second's are not.
const CODE_PAGE: &[u8] = b"Title,First Name,Last Name,Business Street 2,Assistant's Phone,TTY/TDD Phone,User 1\r\n\
    ,J\xF6rg,M\xFCller,,,,\r\n,Jan,Dvo\xF8\xE1k,,,,\r\n";

#[test]
fn letters_of_an_unnamed_code_page_are_set_aside_until_it_is_named() {
    let env = TestEnv::new();
    std::fs::create_dir(env.path("laptop")).unwrap();
    std::fs::write(env.path("laptop/export.csv"), CODE_PAGE).unwrap();
    env.run("-C laptop init --name laptop").works();
    let added = env.run("-C laptop add-source export.csv").success();
    assert!(added.stdout.contains("(`--encoding` does)"), "{}", added.stdout);
    assert!(added.stdout.contains("`Dvořák` in windows-1250"), "{}", added.stdout);
    let report = env.run("-C laptop --json sync").code(3).json();
    assert_eq!(report["sources"][0]["read"]["added"], 1);
    assert_eq!(report["sources"][0]["set_aside"].as_array().unwrap().len(), 1);
    assert_eq!(std::fs::read(env.path("laptop/export.csv")).unwrap(), CODE_PAGE);

    env.run("-C laptop remove-source export").works();
    env.run("-C laptop add-source export.csv --encoding utf-9").ends(2);
    env.run("-C laptop add-source export.csv --encoding windows-1250")
        .works();
    let report = env.run("-C laptop --json sync").success().json();
    assert_eq!(report["sources"][0]["set_aside"].as_array().unwrap().len(), 0);
    let names: Vec<_> = (env.run("-C laptop --json cat contacts").success().json_lines().iter())
        .map(|line| line["record"].to_string())
        .collect();
    assert_eq!(names.len(), 2);
    assert!(names.iter().any(|name| name.contains("Dvořák")), "{names:?}");
    assert_eq!(std::fs::read(env.path("laptop/export.csv")).unwrap(), CODE_PAGE);

    // Without a store, and the other way round: what is made is read as it was written.
    env.run("convert laptop/export.csv cards.vcf --encoding cp1250").works();
    assert!(env.read("cards.vcf").contains("Dvořák"));
    env.run("convert laptop/export.csv no.vcf --from vcard --encoding cp1250")
        .ends(2);
    env.write(
        "west/cards.vcf",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Hélène Søe\r\nN:Søe;Hélène;;;\r\nEND:VCARD\r\n",
    );
    env.run("-C west init --name west").works();
    env.run("-C west add-source cards.vcf").works();
    env.run("-C west add-source new.csv --format outlook-csv --create")
        .works();
    env.run("-C west sync").works();
    let written = std::fs::read(env.path("west/new.csv")).unwrap();
    assert!(written.windows(6).any(|part| part == b"H\xE9l\xE8ne"));
    let report = env.run("-C west --json sync").success().json();
    assert_eq!(report["sources"][1]["read"]["changed"], 0);
    assert_eq!(report["sources"][1]["set_aside"].as_array().unwrap().len(), 0);
}
