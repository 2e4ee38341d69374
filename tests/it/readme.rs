//! The `console` blocks of README.md, run in order as a person would type them.
//!
//! `$ ` starts a command, `> ` continues it, `? N` expects another exit code than 0. In the expected output `[..]`
//! stands for any text on a line and a line `...` for any lines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::env::TestEnv;

/// A command of a document and what it prints.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    command: String,
    exit: i32,
    expected: Vec<String>,
}

#[test]
fn the_tour_of_the_readme_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("README.md")).unwrap();
    let env = TestEnv::new();
    let mut shell = Shell::new(&env);
    for (name, content) in files(&text) {
        shell.pending.push((name, content));
    }
    let steps = steps(&text);
    assert!(steps.len() > 10, "the tour was not found");
    for step in steps {
        shell.run(&step);
    }
}

/// Runs one command after the other; `cd` lasts.
struct Shell<'a> {
    env: &'a TestEnv,
    directory: PathBuf,
    /// Files that the document shows; they lie in whatever folder a command names them.
    pending: Vec<(String, String)>,
}

impl<'a> Shell<'a> {
    fn new(env: &'a TestEnv) -> Self {
        let directory = env.path("");
        Self {
            env,
            directory,
            pending: Vec::new(),
        }
    }

    fn run(&mut self, step: &Step) {
        for (name, content) in &self.pending {
            if step.command.contains(name.as_str()) {
                fs::write(self.directory.join(name), content).unwrap();
            }
        }
        let end = self.env.path("end-of-step");
        let script = format!(
            "exec 2>&1\n{}\ncode=$?\npwd > '{}'\nexit $code",
            step.command,
            end.display()
        );
        let program = Path::new(env!("CARGO_BIN_EXE_dsync")).parent().unwrap();
        let path = std::env::join_paths(
            std::iter::once(program.to_owned()).chain(std::env::split_paths("/usr/local/bin:/usr/bin:/bin")),
        );
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(&self.directory)
            .env_clear()
            .env("PATH", path.unwrap())
            .env("HOME", self.env.path("home"))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let at = format!("README.md:{}: $ {}\n{printed}", step.line, step.command);
        assert_eq!(output.status.code(), Some(step.exit), "{at}");
        let lines: Vec<&str> = printed.lines().collect();
        let expected: Vec<&str> = step.expected.iter().map(String::as_str).collect();
        assert!(all_match(&expected, &lines), "{at}\nexpected:\n{}", expected.join("\n"));
        self.directory = PathBuf::from(fs::read_to_string(end).unwrap().trim_end());
    }
}

/// Lists the fenced blocks with their language, first line number and lines.
fn blocks(text: &str) -> Vec<(String, usize, Vec<String>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, usize, Vec<String>)> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => open = Some((language.to_owned(), number + 2, Vec::new())),
            (None, Some((_, _, lines))) => lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    blocks
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (_, first, lines) in blocks(text).into_iter().filter(|(language, ..)| language == "console") {
        for (offset, line) in lines.into_iter().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push(Step {
                    line: first + offset,
                    command: command.to_owned(),
                    exit: 0,
                    expected: Vec::new(),
                });
                continue;
            }
            let step = steps.last_mut().expect("a block starts with a command");
            match (line.strip_prefix("> "), line.strip_prefix("? ")) {
                (Some(more), _) if step.expected.is_empty() => {
                    step.command.push('\n');
                    step.command.push_str(more);
                }
                (_, Some(code)) => step.exit = code.parse().unwrap(),
                _ => step.expected.push(line),
            }
        }
    }
    steps
}

/// The mapping file and the table that the document shows.
fn files(text: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (language, _, lines) in blocks(text) {
        let content = format!("{}\n", lines.join("\n"));
        match language.as_str() {
            "csv" => files.push(("members.csv".to_owned(), content)),
            "toml" => files.push(("members.toml".to_owned(), content)),
            _ => {}
        }
    }
    files
}

/// Returns whether `lines` are as `expected`, with `...` for any lines.
fn all_match(expected: &[&str], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((&"...", rest)) => (0..=lines.len()).any(|skip| all_match(rest, &lines[skip..])),
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, others)| line_matches(first, line) && all_match(rest, others)),
    }
}

/// Returns whether `line` is as `pattern`, with `[..]` for any text.
fn line_matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once("[..]") {
        None => pattern == line.trim_end(),
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|tail| {
            let cuts = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            cuts.into_iter().any(|at| line_matches(rest, &tail[at..]))
        }),
    }
}

#[test]
fn elisions_match_what_they_stand_for() {
    assert!(line_matches("a[..]c", "abbc") && line_matches("[..]", "") && line_matches("a [..]", "a bé"));
    assert!(!line_matches("a[..]c", "abbd") && !line_matches("a", "ab"));
    assert!(all_match(&["a", "...", "c"], &["a", "c"]) && all_match(&["..."], &[]));
    assert!(all_match(&["...", "c"], &["a", "b", "c"]) && !all_match(&["...", "c"], &["a", "c", "b"]));
    assert!(!all_match(&[], &["a"]) && !all_match(&["a"], &[]));
}

#[test]
fn commands_and_outputs_are_told_apart() {
    let text = "x\n```console\n$ cat <<E\n> 1\n> E\n1\n$ false\n? 1\n```\n```sh\n$ no\n```\n";
    let step = |line, command: &str, exit, expected: &[&str]| Step {
        line,
        command: command.to_owned(),
        exit,
        expected: expected.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(
        steps(text),
        [step(3, "cat <<E\n1\nE", 0, &["1"]), step(7, "false", 1, &[])]
    );
}
