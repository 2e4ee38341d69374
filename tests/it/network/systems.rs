//! Two systems in step through a remote on the network.

use super::super::env::TestEnv;
use super::web::{Quirks, WebServer};

const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a1\r\nFN:Ada King\r\nN:King;Ada;;;\r\nTEL:+44 1\r\nEND:VCARD\r\n";

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
fn two_systems_sync_through_webdav() {
    let server = WebServer::start(Quirks::default());
    keeps_two_systems_in_step(&TestEnv::new(), &server.url("dav"), "");
}
