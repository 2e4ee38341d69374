//! Errors that people meet: each names its object and the next step, and changes nothing.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::env::{Run, TestEnv};
use crate::world::card;

fn laptop() -> TestEnv {
    let env = TestEnv::new();
    env.write("laptop/cards.vcf", &card("u1", "Ann One", &["EMAIL:ann@example.org"]));
    env.run("-C laptop init --name laptop").works();
    env.run("-C laptop add-source cards.vcf --collection contacts").works();
    env
}

/// Asserts code, stable word, and that message and hints name what a person needs.
#[track_caller]
fn tells(run: Run, code: i32, word: &str, named: &[&str]) {
    let error = run.code(code).json_error()["error"].clone();
    assert_eq!(error["code"], word, "{error}");
    let text = error.to_string();
    for name in named {
        assert!(text.contains(name), "{name} is not named: {text}");
    }
    assert!(!error["hints"].as_array().unwrap().is_empty(), "no next step: {text}");
}

/// A file system of one size that goes with the test; `None` where one cannot be mounted.
struct Small(PathBuf);

impl Small {
    fn mount(path: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=777"), "tmpfs"])
            .arg(&path);
        let mounted = mount
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        mounted.then_some(Self(path))
    }

    /// Leaves no room.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = std::fs::File::create(&ballast).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
        ballast
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout == b"0\n")
}

#[test]
fn a_full_remote_keeps_what_was_done_and_is_tried_again() {
    let env = laptop();
    let Some(disk) = Small::mount(env.path("stick"), "256k") else {
        // Only root can mount one.
        return;
    };
    env.run("-C laptop remote add origin ../stick/remote --plain").works();
    env.run("-C laptop sync").works();
    let ballast = disk.fill();
    // Not all of it has been read by the time the disk is full: the note is longer than what a name leaves.
    let note = format!("NOTE:{}", "many words ".repeat(400));
    env.write(
        "laptop/cards.vcf",
        &card("u1", "Ann Two", &["EMAIL:ann@example.org", &note]),
    );
    let run = env.run("-C laptop --json sync");
    let report = run.json();
    assert_eq!(report["remotes"][0]["full"], true, "{report}");
    assert_eq!(report["sources"][0]["read"]["changed"], 1);
    tells(
        run,
        4,
        "remote-full",
        &["origin", "No space left", "everything local was done and kept"],
    );
    assert!(env.run("-C laptop cat contacts").success().stdout.contains("Ann Two"));
    env.run("-C laptop verify").works();
    tells(env.run("-C laptop --json push"), 4, "remote-full", &["origin"]);

    std::fs::remove_file(ballast).unwrap();
    env.run("-C laptop sync").works();
    env.run("clone stick/remote phone --name phone").works();
    assert!(env.run("-C phone cat contacts").success().stdout.contains("Ann Two"));
    env.run("-C phone verify --remote origin").works();
}

#[test]
fn a_location_that_is_not_writable_is_refused_when_it_is_bound() {
    let env = laptop();
    env.write("theirs/list.vcf", &card("u2", "Bob Two", &[]));
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&env.path("theirs"), 0o555);
    let run = |words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        if !is_root() {
            return env.run_words(&words);
        }
        // Root may write anywhere, so somebody else tries.
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command
            .arg(std::env!("CARGO_BIN_EXE_dsync"))
            .args(&words)
            .current_dir(env.path(""));
        env.finish(command)
    };
    if is_root() {
        mode(&env.path(""), 0o777);
        let own = Command::new("chown")
            .args(["-R", "65534:65534"])
            .arg(env.path("laptop"))
            .arg(env.path("home"))
            .status();
        let can_run = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(std::env!("CARGO_BIN_EXE_dsync"))
            .arg("--version")
            .output();
        if !own.is_ok_and(|status| status.success()) || !can_run.is_ok_and(|run| run.status.success()) {
            // Somebody else cannot even run the program here.
            return;
        }
    }
    tells(
        run("--json -C laptop add-source ../theirs/list.vcf --collection contacts"),
        1,
        "location",
        &["theirs", "not writable", "--direction in"],
    );
    tells(
        run("--json -C laptop add-source ../theirs/new.vcf --create"),
        1,
        "location",
        &["theirs", "not writable"],
    );
    run("-C laptop add-source ../theirs/list.vcf --collection contacts --direction in").works();
    run("-C laptop sync").works();
    assert!(env.read("laptop/cards.vcf").contains("Bob Two"));
    mode(&env.path("theirs"), 0o755);

    // A folder that stops being writable later: the rest is done, and the source waits.
    mode(&env.path("laptop"), 0o755);
    run("-C laptop init ../other --name other").works();
}

#[test]
fn what_is_no_remote_and_what_cannot_be_opened_says_how_to_go_on() {
    let env = laptop();
    env.write("photos/a.jpg", "x");
    let words = "--json -C laptop remote add pictures ../photos/a.jpg";
    let run = env.run(words);
    assert_ne!(run.code, 0, "{run}");

    env.write("secret", "correct horse\n");
    env.write("wrong", "battery staple\n");
    env.run("-C laptop remote add origin ../stick --passphrase-file ../secret")
        .works();
    env.run("-C laptop sync").works();
    tells(
        env.run("--json clone stick phone --name phone --passphrase-file wrong"),
        1,
        "wrong-passphrase",
        &["stick", "--passphrase-file FILE"],
    );
    tells(
        env.run("--json clone stick phone --name phone"),
        1,
        "no-key-fits",
        &["stick", "--key-file FILE"],
    );
    assert!(!env.path("phone/.dsync").exists());
    tells(
        env.run("--json clone photos phone --name phone"),
        1,
        "not-a-remote",
        &["photos"],
    );

    env.write("newer/dsync-remote", "dsync-remote 99\n");
    tells(
        env.run("--json clone newer phone --name phone"),
        1,
        "newer-version",
        &["newer", "99"],
    );
    assert!(!env.path("phone/.dsync").exists());
}

#[test]
fn a_conflict_that_is_not_open_is_named_as_it_was_typed() {
    let env = laptop();
    env.run("-C laptop sync").works();
    tells(
        env.run("--json -C laptop resolve contacts u1 /phones/x --take 1"),
        1,
        "unknown-conflict",
        &["u1 /phones/x", "dsync -C laptop conflicts"],
    );
    // Keys of a difference are always there.
    env.edit("laptop/cards.vcf", "EMAIL:ann@example.org", "NOTE:x");
    for line in env.run("--json -C laptop diff").success().json_lines() {
        for field in line["fields"].as_array().unwrap() {
            let keys: Vec<_> = field.as_object().unwrap().keys().map(String::as_str).collect();
            assert!(["path", "old", "new"].iter().all(|key| keys.contains(key)), "{field}");
        }
    }
}

#[test]
fn two_sources_never_have_one_location() {
    let env = laptop();
    for location in ["cards.vcf", "./cards.vcf", "../laptop/cards.vcf"] {
        tells(
            env.run(&format!("--json -C laptop add-source {location}")),
            1,
            "same-location",
            &["cards", "dsync -C laptop remove-source cards"],
        );
    }
    std::os::unix::fs::symlink("cards.vcf", env.path("laptop/link.vcf")).unwrap();
    env.run("--json -C laptop add-source link.vcf").ends(1);
    let inside = env.run("--json -C laptop add-source .dsync/config.toml").code(1);
    assert!(inside.stderr.contains("inside the store"), "{inside}");
    env.run("--json -C laptop add-source ../nowhere/a.vcf --create").ends(1);
}
