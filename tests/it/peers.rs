//! Two systems of which one starts the other: real processes, with a script in the place of `ssh`.

use std::path::PathBuf;
use std::process::Command;

use dsync::remote::{PEER_VERSIONS, PeerHello, PeerLink, PeerMessage, PeerVersions};

use crate::env::{Run, TestEnv};
use crate::world::{card, next_random, seed};

/// Runs what it is to run on the other machine here. What goes in and out can be counted and cut off; other words can be
/// answered in its place.
const SSH: &str = r#"#!/bin/sh
for word; do last=$word; done
[ -z "$ANSWER" ] || { cat "$ANSWER"; exec cat >/dev/null; }
[ -z "$FAIL" ] || { echo "ssh: connect to host nas port 22: No route to host" >&2; exit 255; }
echo "$@" >>"$LOG.words"
: >"$LOG.in"; : >"$LOG.out"
[ -z "$PLAIN" ] || exec sh -c "$last"
# This shell must not hold the streams: their ends are what is looked for.
exec 4<&0
if [ -n "$CUT_IN" ]; then
  stdbuf -o0 head -c "$CUT_IN" <&4 | sh -c "$last" 2>"$LOG.err" &
elif [ -n "$CUT_OUT" ]; then
  sh -c "$last" <&4 2>"$LOG.err" | stdbuf -o0 head -c "$CUT_OUT" &
else
  tee "$LOG.in" <&4 | sh -c "$last" 2>"$LOG.err" | tee "$LOG.out" &
fi
exec <&- 4<&- >&-
wait
"#;

/// Systems in one temporary folder.
struct Peers {
    env: TestEnv,
}

impl Peers {
    /// Makes the system `one` with a source of so many contacts.
    fn new(contacts: usize) -> Self {
        let env = TestEnv::new();
        env.write("ssh.sh", SSH);
        let cards: String = (0..contacts).map(person).collect();
        env.write("one/book.vcf", &cards);
        let peers = Self { env };
        peers.done("init one --name one");
        peers.done("-C one add-source book.vcf --collection contacts");
        peers.done("-C one sync");
        peers
    }

    /// Makes the system `two` from `one`, with a source of its own.
    fn with_clone(contacts: usize) -> Self {
        let peers = Self::new(contacts);
        peers.done(&format!("clone {} two --name two", peers.url("one")));
        peers.done("-C two add-source book.vcf --create --format vcard --collection contacts");
        peers.done("-C two sync");
        peers
    }

    fn url(&self, system: &str) -> String {
        format!("ssh://me@nas{}", self.env.path(system).display())
    }

    fn command(&self, words: &str) -> Command {
        let mut command = self.env.command(words.split_whitespace());
        let program = PathBuf::from(env!("CARGO_BIN_EXE_dsync"));
        let folder = program.parent().unwrap().display().to_string();
        command
            .env("PATH", format!("{folder}:/usr/bin:/bin"))
            .env(
                "DSYNC_SSH_COMMAND",
                format!("exec sh {}", self.env.path("ssh.sh").display()),
            )
            .env("LOG", self.env.path("log"));
        command
    }

    fn run(&self, words: &str) -> Run {
        self.run_with(words, &[])
    }

    fn run_with(&self, words: &str, variables: &[(&str, &str)]) -> Run {
        let mut command = self.command(words);
        command.envs(variables.iter().copied());
        self.env.run_of(command.output().unwrap(), words.to_owned())
    }

    #[track_caller]
    fn done(&self, words: &str) {
        self.run(words).works();
    }

    fn state(&self, system: &str) -> String {
        let status = self.run(&format!("-C {system} status --json")).success().json();
        status["state"].as_str().unwrap().to_owned()
    }

    /// Returns how many bytes went in and out of the other side last.
    fn bytes(&self) -> (u64, u64) {
        let size = |name: &str| std::fs::metadata(self.env.path(name)).unwrap().len();
        (size("log.in"), size("log.out"))
    }
}

fn person(number: usize) -> String {
    card(
        &format!("u{number}"),
        &format!("Person Number{number}"),
        &[&format!("TEL:+44 {number}")],
    )
}

#[test]
fn two_systems_keep_in_step_without_a_storage() {
    let peers = Peers::with_clone(3);
    let env = &peers.env;
    assert!(env.read("two/book.vcf").contains("FN:Person Number2"));
    env.edit("two/book.vcf", "+44 1", "+44 999");
    let report = peers.run("-C two sync --json").success().json();
    assert_eq!(report["remotes"][0]["sent"]["transactions"], 1, "{report}");
    assert!(
        report["remotes"][0]["sent"]["bytes"].as_u64().unwrap() < 1000,
        "{report}"
    );
    // It is in the store of the other one, whose own sync writes its sources.
    assert_eq!(peers.state("one"), peers.state("two"));
    assert!(!env.read("one/book.vcf").contains("+44 999"));
    peers.done("-C one sync");
    assert!(env.read("one/book.vcf").contains("+44 999"));
    // Both at once, of one record.
    env.edit("one/book.vcf", "Person Number0", "Person Zero");
    env.edit("two/book.vcf", "+44 0", "+44 1000");
    peers.done("-C one sync");
    let report = peers.run("-C two sync --json").success().json();
    let remote = &report["remotes"][0];
    assert_eq!(
        (&remote["received"]["transactions"], &remote["sent"]["transactions"]),
        (&1.into(), &1.into()),
        "{report}"
    );
    peers.done("-C one sync");
    for system in ["one", "two"] {
        let text = env.read(format!("{system}/book.vcf").as_str());
        assert!(text.contains("Person Zero") && text.contains("+44 1000"), "{text}");
        peers.done(&format!("-C {system} verify --deep"));
    }
    assert_eq!(peers.state("one"), peers.state("two"));
    let words = env.read("log.words");
    assert!(words.contains("me@nas dsync serve --stdio '"), "{words}");
    let remotes = peers.run("-C two remote list --json").success().json();
    assert_eq!(remotes["ahead"], 0);
    let system = peers.run("-C two systems --json").success().json();
    assert_eq!(system["system"], "one");
}

#[test]
fn nothing_to_do_is_one_question_and_one_answer_whatever_the_history() {
    let peers = Peers::with_clone(2);
    let mut sizes = Vec::new();
    let mut last = 0;
    for _ in 0..2 {
        for _ in 0..8 {
            let next = last + 100;
            let line = |number: u32| format!("+44 {number}\r\n");
            peers.env.edit("two/book.vcf", &line(last), &line(next));
            last = next;
            peers.done("-C two snapshot");
        }
        peers.done("-C two sync");
        let before = peers.run("-C two ops --all --json").success().stdout;
        peers.done("-C two sync");
        assert_eq!(
            peers.run("-C two ops --all --json").success().stdout,
            before,
            "nothing is recorded"
        );
        let (sent, received) = peers.bytes();
        assert!(sent <= 500 && received <= 500, "{sent} {received}");
        sizes.push((sent, received));
        for name in ["log.in", "log.out"] {
            let bytes = std::fs::read(peers.env.path(name)).unwrap();
            let mut link = PeerLink::new(Box::new(std::io::Cursor::new(bytes)), Box::new(std::io::sink()));
            assert!(matches!(link.receive(), Ok(PeerMessage::Hello(_))));
            assert!(link.receive().is_err(), "{name} has one message");
        }
    }
    assert_eq!(sizes[0], sizes[1]);
}

#[test]
fn only_what_lacks_goes_when_it_came_another_way() {
    let peers = Peers::with_clone(4);
    let folder = peers.env.path("stick").display().to_string();
    peers.done(&format!("-C one remote add stick {folder} --plain"));
    peers.done(&format!("-C two remote add stick {folder} --plain"));
    for number in 0..3 {
        peers.env.edit(
            "one/book.vcf",
            &format!("Person Number{number}"),
            &format!("Somebody {number}"),
        );
        peers.done("-C one sync");
    }
    peers.done("-C two sync --remote stick");
    peers.env.edit("two/book.vcf", "+44 3", "+44 33");
    peers.done("-C two sync --remote stick");
    peers.done("-C one sync");
    let report = peers.run("-C two sync --remote origin --json").success().json();
    let remote = &report["remotes"][0];
    assert_eq!(
        (&remote["received"]["packs"], &remote["sent"]["packs"]),
        (&0.into(), &0.into()),
        "{report}"
    );
    // A push alone, of a store that lacks what the other has new.
    peers.env.edit("one/book.vcf", "Somebody 0", "Anybody 0");
    peers.done("-C one sync --remote stick");
    peers.env.edit("two/book.vcf", "Somebody 1", "Anybody 1");
    let report = peers.run("-C two push origin --json").success().json();
    let remote = &report["remotes"][0];
    assert_eq!(
        (&remote["received"]["packs"], &remote["sent"]["transactions"]),
        (&0.into(), &1.into()),
        "{report}"
    );
    peers.done("-C one sync");
    peers.done("-C two sync");
    assert_eq!(peers.state("one"), peers.state("two"));
}

#[test]
fn a_connection_that_is_cut_anywhere_loses_nothing() {
    let peers = Peers::with_clone(3);
    peers.env.edit("one/book.vcf", "Person Number0", "Person Zero");
    peers.done("-C one snapshot");
    peers.env.edit("two/book.vcf", "+44 1", "+44 11");
    peers.done("-C two snapshot");
    let before = (peers.state("one"), peers.state("two"));
    for (variable, cuts) in [
        ("CUT_OUT", [0, 3, 8, 12, 60, 150, 200, 260, 400, 500]),
        ("CUT_IN", [0, 4, 8, 13, 90, 120, 200, 300, 500, 700]),
    ] {
        for bytes in cuts {
            let run = peers.run_with("-C two sync", &[(variable, &u32::to_string(&bytes))]);
            assert!(run.code == 4 || run.code == 0, "{variable} {bytes}: {run}");
            for system in ["one", "two"] {
                peers.done(&format!("-C {system} verify"));
            }
            if run.code == 4 {
                assert!(run.stderr.contains("try again"), "{run}");
            }
        }
    }
    assert_ne!(
        (peers.state("one"), peers.state("two")),
        before,
        "some of them were long enough"
    );
    peers.done("-C two sync");
    peers.done("-C one sync");
    assert_eq!(peers.state("one"), peers.state("two"));
    let text = peers.env.read("one/book.vcf");
    assert!(text.contains("Person Zero") && text.contains("+44 11"), "{text}");
}

/// A card with a picture of random bytes.
fn pictured(bytes: usize) -> String {
    seed(7);
    let picture: Vec<u8> = (0..bytes / 8).flat_map(|_| next_random().to_le_bytes()).collect();
    let text = data_encoding::BASE64.encode(&picture);
    card("u9", "Ann Picture", &[&format!("PHOTO;ENCODING=b;TYPE=JPEG:{text}")])
}

#[test]
fn an_interrupted_transfer_goes_on_where_it_stopped() {
    let peers = Peers::new(1);
    let text = peers.env.read("one/book.vcf") + &pictured(9 << 20);
    peers.env.write("one/book.vcf", &text);
    peers.done("-C one sync");
    // Of three parts one arrives, and half of another.
    let clone = format!("clone {} two --name two", peers.url("one"));
    peers.run_with(&clone, &[("CUT_OUT", "6000000")]).ends(4);
    let report = peers.run(&format!("{clone} --json")).success().json();
    let received = report["remotes"][0]["received"]["bytes"].as_u64().unwrap();
    assert!((3_500_000..6_500_000).contains(&received), "{report}");
    assert_eq!(peers.state("one"), peers.state("two"));
    // The other direction, onto a third system.
    peers.done("init three --name three");
    peers.done(&format!("-C two remote add three {}", peers.url("three")));
    peers.run_with("-C two push three", &[("CUT_IN", "6000000")]).ends(4);
    let report = peers.run("-C two push three --json").success().json();
    let sent = report["remotes"][0]["sent"]["bytes"].as_u64().unwrap();
    assert!((3_500_000..6_500_000).contains(&sent), "{report}");
    assert_eq!(peers.state("three"), peers.state("two"));
    peers.done("-C three verify --deep");
}

#[test]
fn a_peer_that_is_newer_or_older_says_so() {
    let peers = Peers::new(1);
    for (lowest, highest, advice) in [(2, 4, "update this one"), (0, 0, "update the one there")] {
        let hello = PeerMessage::Hello(PeerHello {
            versions: PeerVersions { lowest, highest },
            program: "7.7.7".to_owned(),
            store_format: 9,
            identity: None,
        });
        let answer = peers.env.path("answer");
        let file = std::fs::File::create(&answer).unwrap();
        PeerLink::new(Box::new(std::io::empty()), Box::new(file))
            .send(&hello)
            .unwrap();
        let run = peers.run_with(
            &format!("--json clone {} two", peers.url("one")),
            &[("ANSWER", answer.to_str().unwrap())],
        );
        let error = run.code(1).json_error();
        let text = error.to_string();
        assert_eq!(error["error"]["code"], "peer-version");
        assert!(text.contains("7.7.7") && text.contains(advice), "{text}");
        assert!(text.contains(&format!("version {PEER_VERSIONS}")), "{text}");
        assert!(!peers.env.path("two").exists());
    }
}

#[test]
fn a_peer_in_use_answers_so() {
    let peers = Peers::with_clone(2);
    peers.done("-C two remote remove origin");
    let mut add = peers.command("-C two remote add origin");
    add.args([&peers.url("one"), "--peer-program", "dsync --wait 0"]);
    assert!(add.status().unwrap().success());
    peers.done("-C two sync");
    peers.env.edit("two/book.vcf", "+44 1", "+44 11");
    let store = dsync::store::Store::open(&dsync::disk::Disk::default(), &peers.env.path("one/.dsync")).unwrap();
    let lock = store.lock(std::time::Duration::ZERO).unwrap();
    let before = peers.state("one");
    let error = peers.run("-C two sync --json").code(4);
    assert!(error.to_string().contains("in use by another dsync"), "{error}");
    assert_eq!(peers.state("one"), before);
    peers.done("-C two fetch");
    drop(lock);
    peers.done("-C two sync");
    assert_eq!(peers.state("one"), peers.state("two"));
}

#[test]
fn what_is_no_peer_is_told_with_the_next_step() {
    let peers = Peers::new(1);
    peers.done("init two");
    let add = format!("-C two --json remote add one {}", peers.url("one"));
    let code = |run: Run, exit: i32| {
        run.code(exit).json_error()["error"]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let missing = format!("-C two --json remote add one {}", peers.url("nowhere"));
    assert_eq!(code(peers.run(&missing), 1), "no-store-there");
    let renamed = format!("{add} --peer-program no-such-dsync");
    assert_eq!(code(peers.run_with(&renamed, &[("PLAIN", "1")]), 1), "peer-program");
    peers.env.write("answer", "Last login: today\n");
    let answer = peers.env.path("answer").display().to_string();
    assert_eq!(code(peers.run_with(&add, &[("ANSWER", &answer)]), 1), "not-a-peer");
    let away = peers.run_with(&add, &[("FAIL", "1")]);
    assert!(away.stderr.contains("No route to host"), "{away}");
    assert_eq!(code(away, 4), "unreachable");
    for words in ["--plain", "--key-file ssh.sh"] {
        assert_eq!(code(peers.run(&format!("{add} {words}")), 2), "usage");
    }
    let itself = format!("-C one --json remote add me {}", peers.url("one"));
    assert!(peers.run(&itself).code(1).stderr.contains("the store itself"));
    peers.done(&add);
    assert_eq!(code(peers.run("-C two --json key show one"), 2), "usage");
    peers.run("-C two serve").ends(2);
}

#[test]
fn damage_on_the_way_changes_nothing() {
    let peers = Peers::with_clone(2);
    peers.env.edit("one/book.vcf", "+44 1", "+44 11");
    peers.done("-C one sync");
    let before = peers.state("two");
    // What the peer says to a fetch of which nothing is kept.
    peers.done("-C two fetch --dry-run");
    let said = std::fs::read(peers.env.path("log.out")).unwrap();
    assert!(said.len() > 300, "{}", said.len());
    let answer = peers.env.path("answer");
    seed(3);
    let mut codes = std::collections::BTreeMap::new();
    for round in 0..60u64 {
        let mut bytes = said.clone();
        let at = usize::try_from(next_random() % bytes.len() as u64).unwrap();
        bytes[at] ^= 1 << (round % 8);
        std::fs::write(&answer, &bytes).unwrap();
        let answered = [("ANSWER", answer.to_str().unwrap())];
        let run = peers.run_with("-C two fetch --dry-run", &answered);
        assert!([0, 1, 4, 5, 7].contains(&run.code), "byte {at}: {run}");
        *codes.entry(run.code).or_insert(0) += 1;
        // What the byte says may be no matter of history, such as the name of the system.
        if run.code != 0 {
            let code = run.code;
            let run = peers.run_with("-C two fetch", &answered);
            assert_eq!(run.code, code, "byte {at}: {run}");
            peers.done("-C two verify");
            assert_eq!(peers.state("two"), before, "byte {at}: {run}");
        }
    }
    assert!(codes.contains_key(&7), "{codes:?}");
    peers.done("-C two sync");
    assert_eq!(peers.state("one"), peers.state("two"));
}

/// What a client says reaches the server byte by byte, cut and with flipped bits; each on a store as it was before.
#[test]
fn a_server_survives_any_bytes() {
    let peers = Peers::with_clone(2);
    peers.env.edit("two/book.vcf", "+44 1", "+44 11");
    peers.done("-C two snapshot");
    let before = peers.state("one");
    peers.done("-C two push");
    let said = std::fs::read(peers.env.path("log.in")).unwrap();
    let after = peers.state("one");
    assert_ne!(before, after);
    let open = || {
        let env = dsync::sync::Environment {
            disk: dsync::disk::Disk::default(),
            clock: std::sync::Arc::new(dsync::disk::SystemClock),
            random: |bytes| bytes.fill(7),
            machine: String::new(),
            wait: std::time::Duration::ZERO,
            part_bytes: 1 << 20,
            interrupted: std::sync::Arc::default(),
            network: dsync::remote::Network::default(),
            progress: std::sync::Arc::new(Silent),
            command: "serve".to_owned(),
        };
        dsync::sync::Repository::open(env, &peers.env.path("four/.dsync"))
    };
    peers.done("init four --name four");
    let serve = |bytes: Vec<u8>| {
        let mut link = PeerLink::new(Box::new(std::io::Cursor::new(bytes)), Box::new(std::io::sink()));
        let _ended = dsync::server::serve(open, &mut link);
    };
    for length in 0..said.len() {
        serve(said[..length].to_vec());
    }
    seed(5);
    for round in 0..200u64 {
        let mut bytes = said.clone();
        let at = usize::try_from(next_random() % bytes.len() as u64).unwrap();
        bytes[at] ^= 1 << (round % 8);
        serve(bytes);
    }
    // None of it is a history without what it builds on.
    peers.done("-C four verify --deep");
    assert_eq!(peers.run("-C four log --json").success().stdout, "");
}

struct Silent;

impl dsync::sync::Progress for Silent {
    fn start(&self, _what: &str, _total: Option<u64>) {}
    fn at(&self, _done: u64) {}
    fn finish(&self) {}
}

#[test]
fn a_peer_that_went_back_is_noticed() {
    let peers = Peers::with_clone(2);
    let store = peers.env.path("one/.dsync");
    let saved = peers.env.path("saved");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        // The folder stays the same folder, so that the store does not take itself for a copy.
        let script = "mkdir -p \"$2\" && find \"$2\" -mindepth 1 -delete && cp -a \"$1/.\" \"$2\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).args([from, to]);
        assert!(command.status().unwrap().success());
    };
    copy(&store, &saved);
    peers.env.edit("two/book.vcf", "+44 1", "+44 11");
    peers.done("-C two sync");
    copy(&saved, &store);
    let error = peers.run("-C two sync --json").code(5).json_error();
    assert_eq!(error["error"]["code"], "remote-rolled-back");
    peers.done("-C two sync --accept-rollback");
    peers.done("-C two sync");
    assert_eq!(peers.state("one"), peers.state("two"));
}

#[test]
fn several_systems_push_at_once() {
    let peers = Peers::new(8);
    let names = ["s0", "s1", "s2", "s3"];
    for name in names {
        peers.done(&format!("clone {} {name} --name {name}", peers.url("one")));
        peers.done(&format!(
            "-C {name} add-source book.vcf --create --format vcard --collection contacts"
        ));
        peers.done(&format!("-C {name} sync"));
    }
    for (number, name) in names.iter().enumerate() {
        let book = format!("{name}/book.vcf");
        peers
            .env
            .edit(&book, &format!("Person Number{number}"), &format!("Changed By {name}"));
    }
    let running: Vec<_> = names
        .iter()
        .map(|name| peers.command(&format!("-C {name} sync -q")).spawn().unwrap())
        .collect();
    for mut process in running {
        assert!(process.wait().unwrap().success());
    }
    peers.done("-C one sync");
    let text = peers.env.read("one/book.vcf");
    for name in names {
        assert!(text.contains(&format!("Changed By {name}")), "{text}");
        peers.done(&format!("-C {name} sync"));
        assert_eq!(peers.state(name), peers.state("one"));
    }
    peers.done("-C one verify --deep");
}
