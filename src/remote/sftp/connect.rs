//! Connections: the transport, the check of the host, the login.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use ssh2::{KeyboardInteractivePrompt, MethodType, Prompt, Session, Sftp};

use super::super::network::{Network, TransportOptions};
use super::super::storage::{StorageError, StorageResult};
use super::host::{self, Host, Verdict};
use super::{denied, failed};

/// The longest wait for one of a host's addresses to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest wait for a server that says nothing.
const STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// How often an idle connection says that it is still there; routers forget connections after some minutes.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Kinds of host keys that are asked for in turn where the one that was shown is not the one that is known.
const KEY_KINDS: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512,rsa-sha2-256",
];

/// A connection that is logged in.
pub(super) struct Connection {
    pub(super) sftp: Sftp,
    session: Session,
    last_used: Instant,
}

impl Connection {
    /// Returns whether the connection is still there, as far as that can be told without waiting.
    pub(super) fn is_alive(&self) -> bool {
        self.last_used.elapsed() < KEEPALIVE || self.session.keepalive_send().is_ok()
    }

    /// Marks the connection as used just now.
    pub(super) fn touch(&mut self) {
        self.last_used = Instant::now();
    }
}

/// Makes connections to one host.
pub(super) struct Connector {
    pub(super) host: Host,
    network: Network,
    password: Option<SecretString>,
    accept_new: bool,
    stall: Duration,
    /// What a person answered, so that the next connection need not ask.
    answered: Mutex<Option<SecretString>>,
}

impl Connector {
    pub(super) fn new(
        host: Host,
        password: Option<SecretString>,
        options: &TransportOptions,
        network: &Network,
    ) -> Self {
        Self {
            host,
            network: network.clone(),
            password,
            accept_new: options.accept_new_host,
            stall: options.stall_timeout.unwrap_or(STALL_TIMEOUT),
            answered: Mutex::default(),
        }
    }

    /// Connects and logs in.
    pub(super) fn connect(&self) -> StorageResult<Connection> {
        let session = self.log_on()?;
        let sftp = session
            .sftp()
            .map_err(|error| failed("start SFTP on", &self.host.name, false, error))?;
        Ok(Connection {
            sftp,
            session,
            last_used: Instant::now(),
        })
    }

    /// Connects and logs in, for whatever is to be done there.
    pub(super) fn log_on(&self) -> StorageResult<Session> {
        let session = self.trusted_session()?;
        self.log_in(&session)?;
        session.set_keepalive(true, u32::try_from(KEEPALIVE.as_secs()).unwrap_or(u32::MAX));
        Ok(session)
    }

    /// Connects to the machine that is known; one that shows another kind of key first is asked for the others.
    fn trusted_session(&self) -> StorageResult<Session> {
        let session = self.session(None)?;
        if host::check(&session, &self.host, &self.network, self.accept_new)? == Verdict::Known {
            return Ok(session);
        }
        for kind in KEY_KINDS {
            // A machine that has no key of this kind ends the handshake.
            let Ok(session) = self.session(Some(kind)) else {
                continue;
            };
            if host::check(&session, &self.host, &self.network, false)? == Verdict::Known {
                return Ok(session);
            }
        }
        Err(host::impostor(&self.host))
    }

    fn session(&self, key_kind: Option<&str>) -> StorageResult<Session> {
        let stream = self.stream()?;
        let broken = |error| failed("connect to", &self.host.name, true, error);
        let mut session = Session::new().map_err(broken)?;
        session.set_timeout(u32::try_from(self.stall.as_millis()).unwrap_or(u32::MAX));
        if let Some(kind) = key_kind {
            session.method_pref(MethodType::HostKey, kind).map_err(broken)?;
        }
        session.set_tcp_stream(stream);
        session.handshake().map_err(broken)?;
        Ok(session)
    }

    fn stream(&self) -> StorageResult<TcpStream> {
        let unreachable = |error: std::io::Error| StorageError::Unreachable {
            location: self.host.name.clone(),
            source: Some(Arc::new(error)),
        };
        let target = (self.host.name.as_str(), self.host.port);
        let mut last = std::io::Error::other("its name has no address");
        for address in target.to_socket_addrs().map_err(unreachable)? {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT.min(self.stall)) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(unreachable)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(unreachable(last))
    }

    /// Logs in: by the password that was given, by agent, by key files, by what a person answers.
    fn log_in(&self, session: &Session) -> StorageResult<()> {
        let user = &self.host.user;
        // Asking which methods there are also logs in where none is needed.
        let offered = match session.auth_methods(user) {
            Ok(methods) => methods.to_owned(),
            Err(_) if session.authenticated() => return Ok(()),
            Err(error) => return Err(failed("log in to", &self.host.name, true, error)),
        };
        let offers = |method: &str| offered.split(',').any(|one| one == method);
        let by_password = |password: &SecretString| {
            let password = password.expose_secret();
            offers("password") && session.userauth_password(user, password).is_ok()
                || offers("keyboard-interactive")
                    && session
                        .userauth_keyboard_interactive(user, &mut Answering(password))
                        .is_ok()
        };
        if let Some(password) = &self.password {
            return if by_password(password) {
                Ok(())
            } else {
                Err(denied(
                    &self.host.name,
                    format!("it refuses the password of `{user}` (it takes {offered})"),
                ))
            };
        }
        if offers("publickey") && (self.by_agent(session) || self.by_key_files(session)?) {
            return Ok(());
        }
        if offers("password") || offers("keyboard-interactive") {
            let prompt = format!("password of {user} at {}", self.host.name);
            if let Some(password) = self.ask(&prompt) {
                if by_password(&password) {
                    return Ok(());
                }
                self.forget_answer();
            }
        }
        Err(denied(
            &self.host.name,
            format!(
                "it lets `{user}` in by none of the keys of the agent and of {}; it takes {offered}: add a key with \
                 `ssh-add` or `IdentityFile` in ~/.ssh/config, or name a file with the password by `--password-file`",
                self.keys()
            ),
        ))
    }

    fn keys(&self) -> String {
        let keys: Vec<_> = self
            .host
            .identities
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        keys.join(", ")
    }

    fn by_agent(&self, session: &Session) -> bool {
        let Some(socket) = self.network.variable("SSH_AUTH_SOCK") else {
            return false;
        };
        let Ok(mut agent) = session.agent() else { return false };
        let ready = agent
            .set_identity_path(Path::new(socket))
            .and_then(|()| agent.connect())
            .and_then(|()| agent.list_identities());
        let Ok(identities) = ready.and_then(|()| agent.identities()) else {
            return false;
        };
        let allowed = |blob: &[u8]| !self.host.identities_only || self.is_public_half(blob);
        identities
            .iter()
            .filter(|identity| allowed(identity.blob()))
            .any(|identity| agent.userauth(&self.host.user, identity).is_ok())
    }

    /// Returns whether a public key is that of one of the named key files.
    fn is_public_half(&self, blob: &[u8]) -> bool {
        let encoded = data_encoding::BASE64.encode(blob);
        self.host.identities.iter().any(|path| {
            let mut public = path.clone().into_os_string();
            public.push(".pub");
            let text = self.network.read_text(Path::new(&public)).ok().flatten();
            text.is_some_and(|text| text.contains(&encoded))
        })
    }

    fn by_key_files(&self, session: &Session) -> StorageResult<bool> {
        for path in &self.host.identities {
            let Some(text) = self.network.read_text(path)? else {
                continue;
            };
            let text = SecretString::from(text);
            let log_in = |passphrase: Option<&str>| {
                session.userauth_pubkey_memory(&self.host.user, None, text.expose_secret(), passphrase)
            };
            if log_in(None).is_ok() {
                return Ok(true);
            }
            if is_encrypted(text.expose_secret())
                && let Some(passphrase) = self.ask(&format!("passphrase of {}", path.display()))
            {
                if log_in(Some(passphrase.expose_secret())).is_ok() {
                    return Ok(true);
                }
                self.forget_answer();
            }
        }
        Ok(false)
    }

    /// Asks a person, once for all connections.
    fn ask(&self, prompt: &str) -> Option<SecretString> {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.is_none() {
            *answered = self.network.ask.secret(prompt);
        }
        answered.clone()
    }

    fn forget_answer(&self) {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Answers each prompt that does not show what is typed with the password.
struct Answering<'a>(&'a str);

impl KeyboardInteractivePrompt for Answering<'_> {
    fn prompt<'a>(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'a>]) -> Vec<String> {
        let answer = |prompt: &Prompt<'a>| if prompt.echo { String::new() } else { self.0.to_owned() };
        prompts.iter().map(answer).collect()
    }
}

/// Returns whether a private key is encrypted: PEM says so in its head, OpenSSH's own form names a key derivation
/// other than `none` in its first bytes (`PROTOCOL.key` of OpenSSH).
fn is_encrypted(text: &str) -> bool {
    if text.contains("ENCRYPTED") {
        return true;
    }
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    // A whole number of base64 groups that covers magic, cipher and key derivation.
    let head = body.get(..64).unwrap_or_default();
    let head = data_encoding::BASE64.decode(head.as_bytes()).unwrap_or_default();
    let magic = b"openssh-key-v1\0";
    let none = b"\0\0\0\x04none\0\0\0\x04none";
    head.strip_prefix(magic).is_some_and(|rest| !rest.starts_with(none))
}

#[cfg(test)]
mod tests {
    use super::is_encrypted;

    #[test]
    fn encrypted_keys_are_recognised() {
        let open = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
                    b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n";
        let locked = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
                      b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDFlPqIpR\n";
        assert!(!is_encrypted(open));
        assert!(is_encrypted(locked));
        assert!(is_encrypted(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
        ));
        assert!(!is_encrypted("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"));
    }
}
