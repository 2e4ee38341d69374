//! Which machine an address means and whether it is that machine: `~/.ssh/config` and `known_hosts`.

use std::path::{Path, PathBuf};

use ssh2::{CheckResult, HashType, HostKeyType, KnownHostFileKind, Session};
use ssh2_config::{ParseRule, SshConfig};

use super::super::address::{NetworkAddress, decode};
use super::super::network::Network;
use super::super::storage::{StorageError, StorageResult};
use super::{denied, failed};

/// The port of SSH (RFC 4253 §4.1).
const SSH_PORT: u16 = 22;
/// The keys of a person that are tried where the configuration names none, best first.
const USUAL_KEYS: [&str; 3] = [".ssh/id_ed25519", ".ssh/id_ecdsa", ".ssh/id_rsa"];

/// A machine, and who to be there.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// The name or number to connect to.
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// Private keys to try.
    pub(super) identities: Vec<PathBuf>,
    /// Whether only those may be tried, and no others that an agent has.
    pub(super) identities_only: bool,
    /// Where the keys of hosts are; new ones go into the first.
    pub(super) known_hosts: Vec<PathBuf>,
}

impl Host {
    /// Finds out what an address means: what it says itself counts more than the configuration.
    pub(super) fn of(address: &NetworkAddress, network: &Network) -> StorageResult<Self> {
        let name = decode(address.url.host_str().unwrap_or_default()).unwrap_or_default();
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let home = network.home.clone().unwrap_or_default();
        let config = match network.read_text(&home.join(".ssh/config"))? {
            Some(text) => SshConfig::default()
                .home_dir(&home)
                .parse(
                    &mut text.as_bytes(),
                    ParseRule::ALLOW_UNKNOWN_FIELDS | ParseRule::ALLOW_UNSUPPORTED_FIELDS,
                )
                .map_err(|error| failed("read", "~/.ssh/config", false, error))?
                .query(&name),
            None => SshConfig::default().query(&name),
        };
        let other = |key: &str| {
            let all = config.unsupported_fields.iter().chain(&config.ignored_fields);
            let mut found = all.filter(|(name, _)| name.eq_ignore_ascii_case(key));
            found.next().map(|(_, values)| values.clone()).unwrap_or_default()
        };
        let jumps = config
            .proxy_jump
            .is_some_and(|jump| !jump.iter().any(|host| host == "none"));
        if jumps || other("ProxyCommand").first().is_some_and(|command| command != "none") {
            return Err(failed(
                "connect to",
                &name,
                false,
                std::io::Error::other(
                    "~/.ssh/config reaches it through another host, which only the `ssh` program can",
                ),
            ));
        }
        let in_home = |path: &str| match path.strip_prefix("~/") {
            Some(rest) => home.join(rest),
            None => PathBuf::from(path),
        };
        let identities = match config.identity_file {
            Some(named) => named.iter().map(|path| in_home(&path.to_string_lossy())).collect(),
            None => USUAL_KEYS.iter().map(|key| home.join(key)).collect(),
        };
        let named: Vec<_> = other("UserKnownHostsFile").iter().map(|path| in_home(path)).collect();
        let known_hosts = if named.is_empty() {
            vec![home.join(".ssh/known_hosts")]
        } else {
            named
        };
        let user = address
            .user()
            .or(config.user)
            .or_else(|| network.variable("USER").map(str::to_owned));
        let Some(user) = user else {
            return Err(denied(&name, "name the user: `sftp://USER@HOST/PATH`".to_owned()));
        };
        Ok(Self {
            port: address.url.port().or(config.port).unwrap_or(SSH_PORT),
            name: config.host_name.unwrap_or(name),
            user,
            identities,
            identities_only: other("IdentitiesOnly").first().is_some_and(|word| word == "yes"),
            known_hosts,
        })
    }

    /// Returns the name under which `known_hosts` has it.
    fn known_name(&self) -> String {
        match self.port {
            SSH_PORT => self.name.clone(),
            port => format!("[{}]:{port}", self.name),
        }
    }
}

/// What `known_hosts` says about the machine at the other end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the one that was seen before.
    Known,
    /// Another one, or one that shows another kind of key.
    Differs,
}

/// Compares the key of the machine with `known_hosts`; one that was never seen is accepted by a person or by option
/// and then kept.
pub(super) fn check(session: &Session, host: &Host, network: &Network, accept_new: bool) -> StorageResult<Verdict> {
    let (key, kind) = session
        .host_key()
        .ok_or_else(|| denied(&host.name, "it shows no key".to_owned()))?;
    let broken = |error: ssh2::Error| failed("check the key of", &host.name, false, error);
    let encoded = data_encoding::BASE64.encode(key);
    let mut known = session.known_hosts().map_err(broken)?;
    let global = Path::new("/etc/ssh/ssh_known_hosts");
    for file in host.known_hosts.iter().map(PathBuf::as_path).chain([global]) {
        for line in network.read_text(file)?.unwrap_or_default().lines() {
            let line = line.trim();
            if line.starts_with("@revoked") && line.contains(&encoded) {
                return Err(denied(&host.name, format!("its key is revoked in {}", file.display())));
            }
            if !line.is_empty() && !line.starts_with(['#', '@']) {
                // A line that cannot be read makes no other one worth less.
                let _unreadable = known.read_str(line, KnownHostFileKind::OpenSSH);
            }
        }
    }
    match known.check(&host.known_name(), key) {
        CheckResult::Match => Ok(Verdict::Known),
        CheckResult::Mismatch => Ok(Verdict::Differs),
        CheckResult::NotFound => {
            let hash = session.host_key_hash(HashType::Sha256).unwrap_or_default();
            let shown = format!(
                "{} SHA256:{}",
                key_name(kind).0,
                data_encoding::BASE64_NOPAD.encode(hash)
            );
            let question = format!(
                "the host `{}` was never seen; its key is {shown}. Is it the right one?",
                host.known_name()
            );
            match accept_new.then_some(true).or_else(|| network.ask.confirm(&question)) {
                Some(true) => {
                    let line = format!("{} {} {encoded}\n", host.known_name(), key_name(kind).1);
                    keep(network, host, &line)?;
                    Ok(Verdict::Known)
                }
                Some(false) => Err(denied(&host.name, "its key was not accepted".to_owned())),
                None => Err(denied(
                    &host.name,
                    format!("its key ({shown}) was never seen: run once with `--accept-new`, or `ssh` there once"),
                )),
            }
        }
        CheckResult::Failure => Err(denied(&host.name, "its key cannot be checked".to_owned())),
    }
}

/// Makes the error for a machine whose keys are all others than those that were seen.
pub(super) fn impostor(host: &Host) -> StorageError {
    let files: Vec<_> = host.known_hosts.iter().map(|path| path.display().to_string()).collect();
    denied(
        &host.name,
        format!(
            "its key is not the one in {}: somebody may be between, or it was set up anew; if so, \
             `ssh-keygen -R '{}'` forgets the old key",
            files.join(", "),
            host.known_name()
        ),
    )
}

/// Adds a line to the first file of known hosts.
fn keep(network: &Network, host: &Host, line: &str) -> StorageResult<()> {
    let Some(path) = host.known_hosts.first() else {
        return Ok(());
    };
    let wrap = |error| failed("write", &path.display().to_string(), false, error);
    let mut text = network.read_text(path)?.unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    if let Some(folder) = path.parent() {
        network.disk.create_private_dir(folder).map_err(wrap)?;
    }
    network.disk.replace(path, text.as_bytes()).map_err(wrap)
}

/// Returns the name of a kind of key for people and for `known_hosts`.
fn key_name(kind: HostKeyType) -> (&'static str, &'static str) {
    match kind {
        HostKeyType::Rsa => ("RSA", "ssh-rsa"),
        HostKeyType::Dss => ("DSA", "ssh-dss"),
        HostKeyType::Ecdsa256 => ("ECDSA", "ecdsa-sha2-nistp256"),
        HostKeyType::Ecdsa384 => ("ECDSA", "ecdsa-sha2-nistp384"),
        HostKeyType::Ecdsa521 => ("ECDSA", "ecdsa-sha2-nistp521"),
        HostKeyType::Ed25519 => ("ED25519", "ssh-ed25519"),
        HostKeyType::Unknown => ("unknown", "unknown"),
    }
}
