//! Hosts and logins of SSH, with an OpenSSH server that `tests/servers.sh` started (see [`super::real`]).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use dsync::remote::{Ask, Network, StorageError, StorageResult, TransportOptions};
use secrecy::SecretString;

use super::super::env::{Run, TestEnv};
use super::real::{copy, text};
use super::{cause, open_with};

/// Answers with these words and keeps the questions.
struct Person {
    confirms: bool,
    secret: Option<&'static str>,
    questions: Mutex<Vec<String>>,
}

impl Ask for Person {
    fn confirm(&self, question: &str) -> Option<bool> {
        self.questions.lock().unwrap().push(question.to_owned());
        Some(self.confirms)
    }

    fn secret(&self, prompt: &str) -> Option<SecretString> {
        self.questions.lock().unwrap().push(prompt.to_owned());
        self.secret.map(SecretString::from)
    }
}

fn person(confirms: bool, secret: Option<&'static str>) -> Arc<Person> {
    Arc::new(Person {
        confirms,
        secret,
        questions: Mutex::default(),
    })
}

/// A home folder with the key that logs in, and nothing else.
struct Home {
    folder: tempfile::TempDir,
    network: Network,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(Path::new(&text("DSYNC_TEST_HOME")), folder.path());
        // What other tests came to know does not count.
        let _absent = std::fs::remove_file(folder.path().join(".ssh/known_hosts"));
        let network = Network {
            home: Some(folder.path().to_owned()),
            ..Network::default()
        };
        Self { folder, network }
    }

    fn ssh(&self, name: &str) -> PathBuf {
        self.folder.path().join(".ssh").join(name)
    }

    /// Opens the storage and lists it.
    fn visit(&self, url: &str, accept_new_host: bool) -> StorageResult<()> {
        let options = TransportOptions {
            accept_new_host,
            ..TransportOptions::default()
        };
        open_with(url, &options, &self.network)?.list("").map(drop)
    }

    fn denied(&self, url: &str) -> String {
        let error = self.visit(url, false).unwrap_err();
        assert!(matches!(error, StorageError::Denied { .. }), "{error:?}");
        cause(&error)
    }
}

fn url() -> String {
    text("DSYNC_TEST_URL").replace("NAME", "hosts")
}

fn run(program: &str, words: &[&str]) {
    let status = Command::new(program)
        .args(words)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{program} {words:?}");
}

#[test]
#[ignore = "needs a server: tests/servers.sh"]
fn a_host_is_asked_about_once_and_an_impostor_is_refused() {
    let mut home = Home::new();
    let refused = home.denied(&url());
    assert!(
        refused.contains("SHA256:") && refused.contains("--accept-new"),
        "{refused}"
    );
    let no = person(false, None);
    home.network.ask = no.clone();
    assert!(home.denied(&url()).contains("not accepted"));
    assert!(!home.ssh("known_hosts").exists());
    let yes = person(true, None);
    home.network.ask = yes.clone();
    home.visit(&url(), false).unwrap();
    home.visit(&url(), false).unwrap();
    let questions = yes.questions.lock().unwrap();
    assert!(
        questions.len() == 1 && questions[0].contains("ED25519 SHA256:"),
        "{questions:?}"
    );
    // Its names hashed, as many systems keep them.
    let known = home.ssh("known_hosts");
    run("ssh-keygen", &["-q", "-H", "-f", known.to_str().unwrap()]);
    home.visit(&url(), false).unwrap();
    let other = home.ssh("other");
    run(
        "ssh-keygen",
        &["-q", "-t", "ed25519", "-N", "", "-f", other.to_str().unwrap()],
    );
    let line = std::fs::read_to_string(home.ssh("other.pub")).unwrap();
    let address = url::Url::parse(&url()).unwrap();
    let line = format!("[{}]:{} {line}", address.host_str().unwrap(), address.port().unwrap());
    std::fs::write(&known, line).unwrap();
    let impostor = home.denied(&url());
    assert!(
        impostor.contains("ssh-keygen -R") && impostor.contains("between"),
        "{impostor}"
    );
    // Not even by option: that is for hosts that were never seen.
    assert!(home.visit(&url(), true).is_err());
}

#[test]
#[ignore = "needs a server: tests/servers.sh"]
fn keys_are_found_by_configuration_passphrase_and_agent() {
    let mut home = Home::new();
    home.visit(&url(), true).unwrap();
    let address = url::Url::parse(&url()).unwrap();
    let (key, elsewhere) = (home.ssh("id_ed25519"), home.ssh("elsewhere"));
    std::fs::rename(&key, &elsewhere).unwrap();
    assert!(home.denied(&url()).contains("IdentityFile"));
    // A host that has this name in the configuration only.
    let config = format!(
        "Host *.example\n  User nobody\nHost nas\n  HostName {}\n  Port {}\n  User {}\n  IdentityFile ~/.ssh/elsewhere\n",
        address.host_str().unwrap(),
        address.port().unwrap(),
        address.username()
    );
    std::fs::write(home.ssh("config"), config).unwrap();
    home.visit(&format!("sftp://nas{}", address.path()), false).unwrap();
    std::fs::write(home.ssh("config"), "Host *\n  ProxyJump gate\n").unwrap();
    let jump = home.visit(&url(), false).unwrap_err();
    assert!(cause(&jump).contains("through another host"), "{jump:?}");
    std::fs::remove_file(home.ssh("config")).unwrap();

    let agent = Agent::start(&home.ssh("agent"));
    agent.add(&elsewhere);
    let socket = home.ssh("agent").to_str().unwrap().to_owned();
    home.network.variables.insert("SSH_AUTH_SOCK".to_owned(), socket);
    home.visit(&url(), false).unwrap();
    drop(agent);
    assert!(home.denied(&url()).contains("ssh-add"));

    std::fs::rename(&elsewhere, &key).unwrap();
    run(
        "ssh-keygen",
        &["-q", "-p", "-N", "opensesame", "-f", key.to_str().unwrap()],
    );
    assert!(home.denied(&url()).contains("--password-file"));
    let asked = person(false, Some("opensesame"));
    home.network.ask = asked.clone();
    home.visit(&url(), false).unwrap();
    let questions = asked.questions.lock().unwrap();
    assert!(
        questions.len() == 1 && questions[0].contains("id_ed25519"),
        "{questions:?}"
    );
    drop(questions);
    home.network.ask = person(false, Some("wrong"));
    assert!(!home.denied(&url()).contains("wrong"));
}

/// An SSH agent that ends when it is dropped.
struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(socket: &Path) -> Self {
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(socket).stdout(Stdio::null());
        let process = command.spawn().unwrap();
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Self {
            process,
            socket: socket.to_owned(),
        }
    }

    fn add(&self, key: &Path) {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket);
        assert!(command.status().unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}

/// Runs a command of a system that reaches its peer by the `ssh` program, or by the library where there is none.
fn run_peer(env: &TestEnv, by_program: bool, words: &str) -> Run {
    let mut command = env.command(words.split_whitespace());
    if by_program {
        // The program takes the home folder of the account, not that of the environment.
        let ssh = env.path("home/.ssh");
        let options = "-F none -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile";
        let line = format!("ssh {options}={0}/known_hosts -i {0}/id_ed25519", ssh.display());
        command.env("PATH", "/usr/bin:/bin").env("DSYNC_SSH_COMMAND", line);
    } else {
        command.env("PATH", env.path("nothing"));
    }
    env.run_of(command.output().unwrap(), words.to_owned())
}

#[test]
#[ignore = "needs a server: tests/servers.sh"]
fn peers_keep_two_systems_in_step() {
    let address = url::Url::parse(&url()).unwrap();
    if address.username() == "plain" {
        // That account runs nothing but SFTP.
        return;
    }
    for by_program in [true, false] {
        let env = TestEnv::new();
        copy(Path::new(&text("DSYNC_TEST_HOME")), &env.path("home"));
        let _absent = std::fs::remove_file(env.path("home/.ssh/known_hosts"));
        let done = |words: &str| run_peer(&env, by_program, words).success();
        let state = |system: &str| done(&format!("-C {system} status --json")).json()["state"].clone();
        env.write("one/book.vcf", super::systems::CARD);
        done("-C one init --name one").works();
        done("-C one add-source book.vcf --collection contacts").works();
        done("-C one sync").works();
        let server = format!("ssh://{}@127.0.0.1:{}", address.username(), address.port().unwrap());
        let url = format!("{server}{}", env.path("one").display());
        let options = format!("--accept-new --peer-program {}", env!("CARGO_BIN_EXE_dsync"));
        done(&format!("clone {url} two --name two {options}")).works();
        done("-C two add-source book.vcf --create --format vcard --collection contacts").works();
        done("-C two sync").works();
        env.edit("two/book.vcf", "+44 1", "+44 2");
        done("-C two sync").works();
        done("-C one sync").works();
        assert!(env.read("one/book.vcf").contains("TEL:+44 2"));
        env.edit("one/book.vcf", "+44 2", "+44 3");
        done("-C one sync").works();
        done("-C two sync").works();
        assert!(env.read("two/book.vcf").contains("TEL:+44 3"));
        assert_eq!(state("one"), state("two"));
        // Nothing that could be a secret, and nothing of the other machine's, is told where it goes wrong.
        let gone = format!("-C two --json remote add gone {server}/nowhere {options}");
        let error = run_peer(&env, by_program, &gone).code(1).json_error();
        assert_eq!(error["error"]["code"], "no-store-there", "{error}");
        let missing = format!("-C two --json remote add gone {url} --accept-new --peer-program no-such-dsync");
        let error = run_peer(&env, by_program, &missing).code(1).json_error();
        assert_eq!(error["error"]["code"], "peer-program", "{error}");
    }
}
