//! What the command line answers before any store is touched.

use std::io::Read;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::env::TestEnv;

#[test]
fn a_missing_store_names_the_way_on() {
    let env = TestEnv::new();
    assert_snapshot!(env.run("status"), @r"
    exit: 1
    ----- stderr -----
    error: no dsync store in `[ROOT]` or a folder above it

    hint: to make a store here: `dsync init`
    hint: to start from a remote: `dsync clone URL`
    ");
}

#[test]
fn an_error_is_one_json_object_on_the_error_stream() {
    let env = TestEnv::new();
    for words in ["status --json", "--json status", "sync --json", "log --json"] {
        let run = env.run(words).code(1);
        assert_eq!(run.stdout, "");
        let error = &run.json_error()["error"];
        assert_eq!(error["code"], "not-a-store");
        assert_eq!(error["retryable"], false);
        assert!(error["message"].is_string() && error["hints"].is_array(), "{run}");
    }
}

#[test]
fn wrong_words_end_with_2() {
    let env = TestEnv::new();
    for words in [
        "nope",
        "",
        "status extra",
        "sync --wait soon",
        "resolve contacts",
        "resolve contacts key",
        "resolve contacts key --take zero",
        "resolve contacts key --take 0",
        "resolve contacts key --value {",
        "resolve contacts key --take 1 --value 2",
        "resolve --take 1",
        "resolve",
        "remote add origin /x --plain --recipient age1",
        "key add origin",
        "diff --color sometimes",
    ] {
        let run = env.run(words).code(2);
        assert_eq!(run.stdout, "", "{words}");
        assert!(!run.stderr.is_empty(), "{words}");
    }
}

#[test]
fn wrong_words_are_json_when_json_is_asked_for() {
    let env = TestEnv::new();
    let run = env.run("sync --json --nope").code(2);
    assert_eq!(run.json_error()["error"]["code"], "usage");
    let run = env.run("resolve --json contacts key").code(2);
    assert_eq!(run.json_error()["error"]["code"], "usage");
}

#[test]
fn commands_to_come_say_so() {
    let env = TestEnv::new();
    for words in [
        "watch --interval 5m",
        "schedule --every 1h --systemd --install",
        "serve --listen 127.0.0.1:1",
        "manager accounts --all",
    ] {
        let run = env.run(words).code(2);
        assert!(run.stderr.contains("is not built yet"), "{run}");
        let run = env.run(&format!("--json {words}")).code(2);
        assert_eq!(run.json_error()["error"]["code"], "not-built");
    }
}

#[test]
fn help_and_version_are_data() {
    let env = TestEnv::new();
    for words in [
        "--help",
        "-h",
        "help",
        "sync --help",
        "sync -h",
        "help remote add",
        "--version",
    ] {
        let run = env.run(words).success();
        assert!(run.stderr.is_empty() && !run.stdout.is_empty(), "{run}");
        assert!(!run.stdout.contains('\u{1b}'), "{words} is coloured in a pipe");
    }
    assert!(
        env.run("sync --help")
            .success()
            .stdout
            .trim_end()
            .ends_with("dsync sync --dry-run --source phone")
    );
    let lines = env.run("-h").success().stdout.lines().count();
    assert!(lines <= 45, "-h has {lines} lines and does not fit one screen");
}

#[test]
fn colour_only_where_asked_for() {
    let env = TestEnv::new();
    assert!(!env.run("status").stderr.contains('\u{1b}'));
    assert!(env.run("status --color always").stderr.contains('\u{1b}'));
    let output = env.command(["status"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!output.stderr.contains(&0x1b));
}

#[test]
fn another_folder_is_worked_in() {
    let env = TestEnv::new();
    std::fs::create_dir(env.path("a")).unwrap();
    let run = env.run("-C a status").code(1);
    assert!(run.stderr.contains("[ROOT]/a"), "{run}");
    assert_snapshot!(env.run("-C missing status"), @r"
    exit: 1
    ----- stderr -----
    error: cannot work in `[ROOT]/missing`
      caused by: entity not found
    ");
}

#[test]
fn the_store_may_be_named() {
    let env = TestEnv::new();
    let run = env.run("--store other status").code(1);
    assert!(run.stderr.contains("[ROOT]/other"), "{run}");
    let output = env.command(["status"]).env("DSYNC_STORE", "third").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("/third`"));
}

#[test]
fn control_characters_in_words_do_not_reach_the_terminal() {
    let env = TestEnv::new();
    let run = env.run_words(&["-C", "a\u{1b}[2J\nb", "status"]).code(1);
    assert!(run.stderr.contains("a\\u{1b}[2J\\nb"), "{run}");
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let env = TestEnv::new();
    let mut child = env
        .command(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_dry_init_and_clone_write_nothing() {
    let env = TestEnv::new();
    let run = env.run("init a --dry-run --json").success();
    assert_eq!(run.json()["created"], true);
    let run = env.run("clone s3://bucket/b --dry-run").success();
    assert_eq!(run.stdout, "would make a store in [ROOT]/b from s3://bucket/b\n");
    assert!(!env.path("a").exists() && !env.path("b").exists());
}

#[test]
fn a_clone_never_lands_in_a_folder_that_was_not_named() {
    let env = TestEnv::new();
    std::fs::create_dir(env.path("remote")).unwrap();
    let run = env.run("clone remote").code(2);
    assert!(run.stderr.contains("`dsync clone URL DIR`"), "{run}");
}

#[test]
fn man_pages_are_written_where_asked() {
    let env = TestEnv::new();
    let _run = env.run("man pages --dry-run").success();
    assert!(!env.path("pages").exists());
    let _run = env.run("man pages").success();
    let page = std::fs::read_to_string(env.path("pages/dsync-remote-add.1")).unwrap();
    assert!(
        page.contains("dsync remote add") || page.contains("dsync\\-remote\\-add"),
        "{page}"
    );
    assert!(env.run("man").success().stdout.contains(".TH dsync 1"));
}
