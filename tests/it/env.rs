//! Runs the program without anything of this machine: own home, no environment, streams and exit code as one text.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A temporary home with folders for systems.
pub(crate) struct TestEnv {
    root: tempfile::TempDir,
}

/// What a run printed and how it ended.
#[must_use = "a run that nobody looks at proves nothing; call `success` at least"]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
    words: String,
}

impl TestEnv {
    /// Makes an empty home.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("dsync-it").tempdir().unwrap();
        std::fs::create_dir(root.path().join("home")).unwrap();
        Self { root }
    }

    /// Returns a path below the temporary folder.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Returns the command with a clean environment, in the temporary folder.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(std::env!("CARGO_BIN_EXE_dsync"));
        command
            .args(words)
            .current_dir(self.root.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    /// Writes a file below the temporary folder, with its folders.
    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file below the temporary folder.
    #[track_caller]
    pub(crate) fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap()
    }

    /// Replaces a text in a file, as a person with an editor does.
    #[track_caller]
    pub(crate) fn edit(&self, relative: &str, old: &str, new: &str) {
        let text = self.read(relative);
        assert!(text.contains(old), "`{old}` is not in {relative}:\n{text}");
        self.write(relative, &text.replace(old, new));
    }

    /// Runs words separated by blanks.
    pub(crate) fn run(&self, words: &str) -> Run {
        self.run_words(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs words that may have blanks in them.
    pub(crate) fn run_words(&self, words: &[&str]) -> Run {
        let output = self.command(words).output().unwrap();
        self.run_of(output, words.join(" "))
    }

    /// Runs a command of another kind in the same surroundings.
    pub(crate) fn finish(&self, mut command: Command) -> Run {
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.path("home"))
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        let words = format!("{command:?}");
        let output = command.output().unwrap();
        self.run_of(output, words)
    }

    pub(crate) fn run_of(&self, output: Output, words: String) -> Run {
        let root = self.root.path().to_string_lossy().into_owned();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace(&root, "[ROOT]");
        Run {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code().unwrap_or(-1),
            words,
        }
    }
}

impl Run {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "dsync {}\n{self}", self.words);
        self
    }

    /// Checks that the exit code is 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.code(0)
    }

    /// Checks that the exit code is 0, where nothing else of the run matters.
    #[track_caller]
    pub(crate) fn works(self) {
        let _looked_at = self.code(0);
    }

    /// Checks the exit code, where nothing else of the run matters.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) {
        let _looked_at = self.code(code);
    }

    /// Parses the output as one JSON object.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Parses each line of the output as a JSON object.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self}"));
        self.stdout.lines().map(parse).collect()
    }

    /// Parses the error stream as one JSON object.
    #[track_caller]
    pub(crate) fn json_error(&self) -> serde_json::Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

/// Replaces what differs from run to run: ids of 12, 32 and 64 hex digits, times, sizes.
fn steady(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_alphanumeric() || (character == '-' || character == ':') && !word.is_empty() {
            word.push(character);
            continue;
        }
        let bare = word.trim_end_matches([':', '-']);
        out.push_str(placeholder(bare).unwrap_or(bare));
        out.push_str(&word[bare.len()..]);
        word.clear();
        if character != '\0' {
            out.push(character);
        }
    }
    out
}

fn placeholder(word: &str) -> Option<&'static str> {
    let hex = word
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let time = word.len() == 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    match word.len() {
        _ if time => Some("[TIME]"),
        12 if hex => Some("[ID]"),
        32 if hex => Some("[KEY]"),
        64 if hex => Some("[HASH]"),
        _ => None,
    }
}

#[test]
fn what_differs_from_run_to_run_is_replaced() {
    assert_eq!(
        steady("0123456789ab: at 2026-11-22T14:00:49Z, deadbeef"),
        "[ID]: at [TIME], deadbeef"
    );
}

impl fmt::Display for Run {
    /// Both streams and the exit code as one text, for snapshots.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "exit: {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(formatter, "----- {name} -----\n{}", steady(text).trim_end())?;
            }
        }
        Ok(())
    }
}
