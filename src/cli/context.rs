//! What a command gets besides its own arguments: the streams, the working directory and the way to the store.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::SecretString;

use super::ui::Ui;
use crate::disk::{Disk, SystemClock};
use crate::remote::{Ask, AskNobody, Network};
use crate::sync::{Environment, Repository, SyncError, SyncResult};

/// The process around a command, or what stands for it in a demonstration.
pub(crate) struct World {
    /// The working directory.
    pub(crate) directory: PathBuf,
    /// `DSYNC_STORE`.
    pub(crate) store: Option<PathBuf>,
    /// What identifies this machine.
    pub(crate) machine: String,
    /// Set by Ctrl-C.
    pub(crate) interrupted: Arc<AtomicBool>,
    /// The home folder.
    pub(crate) home: Option<PathBuf>,
    /// The variables of the environment that remotes look at.
    pub(crate) variables: BTreeMap<String, String>,
}

impl World {
    /// Reads the world of this process and takes over Ctrl-C: the first one asks, the second one ends at once.
    pub(crate) fn of_process() -> io::Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&interrupted))?;
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        Ok(Self {
            directory: std::env::current_dir()?,
            store: std::env::var_os("DSYNC_STORE")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
            machine: machine_id(),
            interrupted,
            home: std::env::home_dir(),
            variables: Network::VARIABLES
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), std::env::var_os(name)?.into_string().ok()?)))
                .collect(),
        })
    }

    /// Returns what remotes on the network need.
    fn network(&self, may_ask: bool) -> Network {
        Network {
            disk: Disk::default(),
            home: self.home.clone(),
            variables: self.variables.clone(),
            ask: if may_ask {
                Arc::new(AskPerson)
            } else {
                Arc::new(AskNobody)
            },
            interrupted: Arc::clone(&self.interrupted),
        }
    }
}

/// The person at the terminal.
struct AskPerson;

impl Ask for AskPerson {
    fn confirm(&self, question: &str) -> Option<bool> {
        dialoguer::Confirm::new()
            .with_prompt(question)
            .default(false)
            .interact()
            .ok()
    }

    fn secret(&self, prompt: &str) -> Option<SecretString> {
        dialoguer::Password::new()
            .with_prompt(prompt)
            .interact()
            .ok()
            .map(SecretString::from)
    }
}

/// Returns what tells this machine from another: its id, else its name.
fn machine_id() -> String {
    [
        "/etc/machine-id",
        "/var/lib/dbus/machine-id",
        "/proc/sys/kernel/hostname",
        "/etc/hostname",
    ]
    .iter()
    .filter_map(|path| Disk::default().read(Path::new(path)).ok())
    .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
    .find(|text| !text.is_empty())
    .unwrap_or_default()
}

/// What a command may use.
pub(crate) struct Context<'a> {
    /// The streams.
    pub(crate) ui: &'a Ui,
    /// The process.
    pub(crate) world: &'a World,
    /// The working directory after `-C`.
    pub(crate) directory: PathBuf,
    /// `--store` or `DSYNC_STORE`.
    pub(crate) store: Option<PathBuf>,
    /// `--wait`.
    pub(crate) wait: Duration,
    /// The command line as typed, quoted for a shell, secrets masked.
    pub(crate) command: String,
    /// How another command on the same store starts: `dsync -C laptop`.
    pub(crate) program: String,
}

impl Context<'_> {
    /// Returns a path as typed, seen from the working directory.
    pub(crate) fn path(&self, typed: &Path) -> PathBuf {
        normalize(&self.directory.join(typed))
    }

    /// Returns a remote's URL with a relative path made absolute.
    pub(crate) fn url(&self, typed: &str) -> String {
        let absolute = |path: &str| self.path(Path::new(path)).to_string_lossy().into_owned();
        match typed.strip_prefix("file:") {
            Some(path) if !path.starts_with('/') => format!("file:{}", absolute(path)),
            Some(_) => typed.to_owned(),
            None if has_scheme(typed) => typed.to_owned(),
            None => absolute(typed),
        }
    }

    /// Returns what the operations need of the world.
    pub(crate) fn environment(&self) -> Environment {
        Environment {
            disk: Disk::default(),
            clock: Arc::new(SystemClock),
            random: fill_random,
            machine: self.world.machine.clone(),
            wait: self.wait,
            part_bytes: crate::remote::PART_TARGET_BYTES,
            interrupted: Arc::clone(&self.world.interrupted),
            network: self.world.network(self.ui.may_ask()),
            progress: self.ui.progress(),
            command: self.command.clone(),
        }
    }

    /// Finds the store: `--store`, `DSYNC_STORE`, then upwards from the working directory.
    pub(crate) fn store_root(&self) -> SyncResult<PathBuf> {
        let Some(store) = &self.store else {
            return Repository::discover(&self.directory).ok_or_else(|| SyncError::NotAStore(self.directory.clone()));
        };
        Self::store_in(&self.path(store))
    }

    /// Returns the store in a folder, or that folder where it is one itself.
    pub(crate) fn store_in(folder: &Path) -> SyncResult<PathBuf> {
        let inner = folder.join(STORE_FOLDER);
        let disk = Disk::default();
        if disk.is_dir(&inner) {
            Ok(inner)
        } else if disk.is_dir(folder) {
            Ok(folder.to_owned())
        } else {
            Err(SyncError::NotAStore(folder.to_owned()))
        }
    }

    /// Opens the store.
    pub(crate) fn repository(&self) -> SyncResult<Repository> {
        Repository::open(self.environment(), &self.store_root()?)
    }

    /// Returns the folder in which `init` and `clone` make `.dsync`.
    pub(crate) fn new_store_folder(&self, typed: Option<&Path>) -> PathBuf {
        match (typed, &self.store) {
            (Some(typed), _) => self.path(typed),
            (None, Some(store)) => {
                let store = self.path(store);
                match store.parent() {
                    Some(parent) if store.ends_with(STORE_FOLDER) => parent.to_owned(),
                    _ => store,
                }
            }
            (None, None) => self.directory.clone(),
        }
    }

    /// Fails when Ctrl-C was pressed.
    pub(crate) fn check_interrupt(&self) -> SyncResult<()> {
        if self.world.interrupted.load(Ordering::SeqCst) {
            Err(SyncError::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// The name of a store's folder.
pub(crate) const STORE_FOLDER: &str = ".dsync";

/// Returns whether `text` starts with a URL scheme (RFC 3986 §3.1); one letter is taken for a path.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Returns `path` without `.` and `..`, by its words alone.
fn normalize(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Fills `buffer` from the system's random source.
pub(crate) fn fill_random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system has a random source; without one no key may be made");
}

/// Returns the words of a command line as one text for the operation log and for hints.
pub(crate) fn command_text(words: &[OsString]) -> String {
    let mut text = String::from("dsync");
    for word in words {
        text.push(' ');
        text.push_str(&super::text::shell_quote(&super::text::mask_secrets(
            &word.to_string_lossy(),
        )));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_paths_are_told_apart() {
        assert!(has_scheme("sftp://host/x") && has_scheme("dsync+http://x"));
        assert!(!has_scheme("../remote") && !has_scheme("/a:b") && !has_scheme("c:x") && !has_scheme("./a:b"));
    }

    #[test]
    fn the_command_line_is_kept_without_secrets() {
        let words = ["clone", "davs://me:pw@host/x", "my dir"].map(OsString::from);
        assert_eq!(command_text(&words), "dsync clone 'davs://me:***@host/x' 'my dir'");
    }
}
