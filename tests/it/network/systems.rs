//! Two systems in step through a remote on the network.

use std::path::{Path, PathBuf};

use super::super::env::TestEnv;
use super::bucket::{self, BucketServer};
use super::web::{Quirks, WebServer};

pub(super) const CARD: &str =
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a1\r\nFN:Ada King\r\nN:King;Ada;;;\r\nTEL:+44 1\r\nEND:VCARD\r\n";

/// Runs a command that must succeed.
#[track_caller]
fn done(env: &TestEnv, words: &str) {
    let _run = env.run(words).success();
}

/// Makes a system that pushes, one that clones, an edit at the other end, and compares.
pub(crate) fn keeps_two_systems_in_step(env: &TestEnv, url: &str, options: &str) {
    env.write("one/book.vcf", CARD);
    done(env, "-C one init --name one");
    done(env, "-C one add-source book.vcf --collection contacts");
    done(env, &format!("-C one remote add origin {url} {options}"));
    done(env, "-C one sync");
    let key = "--key-file one/.dsync/keys/origin";
    done(env, &format!("clone {url} two {key} --name two {options}"));
    done(
        env,
        "-C two add-source book.vcf --create --format vcard --collection contacts",
    );
    done(env, "-C two sync");
    assert!(
        env.read("two/book.vcf").contains("FN:Ada King"),
        "{}",
        env.read("two/book.vcf")
    );
    env.edit("two/book.vcf", "+44 1", "+44 2");
    done(env, "-C two sync");
    done(env, "-C one sync");
    assert!(
        env.read("one/book.vcf").contains("TEL:+44 2"),
        "{}",
        env.read("one/book.vcf")
    );
    let state = |system: &str| env.run(&format!("-C {system} status --json")).success().json()["state"].clone();
    assert_eq!(state("one"), state("two"));
    done(env, "-C one verify");
}

#[test]
fn two_systems_sync_through_each_kind_of_remote() {
    let web = WebServer::start(Quirks::default());
    keeps_two_systems_in_step(&TestEnv::new(), &web.url("dav"), "");
    let plain = WebServer::start(Quirks {
        plain: true,
        login: true,
        ..Quirks::default()
    });
    let url = plain.url("http").replacen("://", "://me:secret@", 1);
    keeps_two_systems_in_step(&TestEnv::new(), &url, "--limit-rate 10000000");
    let bucket = BucketServer::start(bucket::Quirks::default());
    keeps_two_systems_in_step(&TestEnv::new(), &bucket.url(), "");
}

/// Makes a system with a remote at `url`.
fn system_at(env: &TestEnv, url: &str) {
    env.write("one/book.vcf", CARD);
    done(env, "-C one init --name one");
    done(env, "-C one add-source book.vcf --collection contacts");
    done(env, &format!("-C one remote add origin {url}"));
    done(env, "-C one sync");
}

#[test]
fn a_password_is_kept_privately_and_never_shown() {
    use std::os::unix::fs::PermissionsExt;
    let server = WebServer::start(Quirks {
        login: true,
        ..Quirks::default()
    });
    let url = server.url("dav").replacen("://", "://me:secret@", 1);
    let env = TestEnv::new();
    system_at(&env, &url);
    let file = env.path("one/.dsync/passwords/origin");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim_end(), "secret");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(env.read("one/.dsync/config.toml").contains("dav://me@127.0.0.1"));
    assert!(!env.read("one/.dsync/config.toml").contains("secret"));
    for words in [
        "remote list",
        "remote list --json",
        "status",
        "ops",
        "systems",
        "key show origin",
    ] {
        let run = env.run(&format!("-C one {words}")).success();
        assert!(!run.to_string().contains("secret"), "{run}");
    }
    for walked in walk(&env.path("one/.dsync")) {
        let bytes = std::fs::read(&walked).unwrap();
        let holds = bytes.windows(6).any(|window| window == b"secret");
        assert_eq!(holds, walked == file, "{}", walked.display());
    }
    drop(server);
    let run = env.run("-C one -vv push").code(4);
    assert!(!run.to_string().contains("secret"), "{run}");
    let wrong = env.run(&format!("clone {} two --key-file x", url.replace("secret", "guess")));
    assert!(!wrong.to_string().contains("guess"), "{wrong}");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { walk(&path) } else { vec![path] };
    entries.flat_map(below).collect()
}

#[test]
fn each_failure_has_its_exit_code_and_next_step() {
    let server = WebServer::start(Quirks {
        login: true,
        ..Quirks::default()
    });
    let bare = server.url("dav");
    let url = bare.replacen("://", "://me:secret@", 1);
    let env = TestEnv::new();
    let no_login = env.run(&format!("clone {bare} two --json")).code(1).json_error();
    assert_eq!(no_login["error"]["code"], "denied");
    assert!(
        no_login["error"]["causes"].to_string().contains("--password-file"),
        "{no_login}"
    );
    let nothing = env.run(&format!("clone {url} two --json")).code(1).json_error();
    assert_eq!(nothing["error"]["code"], "not-a-remote");
    assert!(!env.path("two").exists());
    system_at(&env, &url);
    let peer = env.run("clone dsync+http://host/x two").code(2);
    assert!(peer.stderr.contains("not built"), "{peer}");
    for url in ["gopher://host/x", "https://host/x?y=1", "s3:///x"] {
        let _refused = env.run(&format!("clone {url} two")).code(2);
    }
    let folder = "/a b/c/remote/";
    let log = server.files().into_iter().find(|name| name.contains("/log/")).unwrap();
    let descriptor = format!("{folder}dsync-remote");
    let whole = server.read(&descriptor);
    // An object that was swapped for other bytes is not there yet; a remote of the future is told as such.
    server.place(&log, b"something else");
    let clone = format!("clone {url} three --key-file one/.dsync/keys/origin --json");
    let torn = env.run(&clone);
    assert!(torn.to_string().contains("incomplete"), "{torn}");
    server.place(&descriptor, b"dsync-remote 99\n");
    let newer = env.run(&clone.replace("three", "four")).code(1).json_error();
    assert!(
        newer["error"]["code"] == "newer-version" || newer["error"]["code"] == "not-a-remote",
        "{newer}"
    );
    server.place(&descriptor, &whole);
    drop(server);
    let gone = env.run(&clone.replace("three", "five")).code(4).json_error();
    assert_eq!(
        (gone["error"]["code"].as_str(), gone["error"]["retryable"].as_bool()),
        (Some("unreachable"), Some(true))
    );
}
