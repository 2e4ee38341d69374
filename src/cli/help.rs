//! The parser's definition, and what is generated from it: grouped help, man pages, completions.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// The commands by purpose, in the order of the help text.
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "Set-up",
        &[
            "init",
            "clone",
            "add-source",
            "sources",
            "remove-source",
            "collections",
            "columns",
            "formats",
            "remote",
            "key",
            "completions",
            "man",
        ],
    ),
    (
        "Every day",
        &["sync", "status", "diff", "conflicts", "resolve", "undo", "convert"],
    ),
    (
        "Single steps and history",
        &[
            "snapshot", "push", "fetch", "pull", "apply", "log", "show", "cat", "ops", "restore", "pack", "unpack",
        ],
    ),
    (
        "Care",
        &[
            "verify", "gc", "systems", "demo", "watch", "schedule", "roll", "serve", "manager",
        ],
    ),
];

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed
  2    usage, or a command that is not built yet
  3    done, but conflicts are open, or some records were set aside
  4    a remote could not be reached: try again; everything local was done and kept
  5    refused by a safeguard; the message names the option that overrides it
  6    the store is in use
  7    damaged data found; nothing was overwritten with it
  130  interrupted

Examples:
  dsync init
  dsync add-source contacts.vcf";

/// Returns the definition of the command line.
pub fn definition() -> clap::Command {
    let command = Cli::command();
    let short = command_list(&command, false);
    let long = command_list(&command, true);
    command
        .help_template("{about}\n\n{usage-heading} {usage}\n\n{before-help}Options:\n{options}{after-help}")
        .override_usage("dsync [OPTIONS] COMMAND")
        .before_help(short.trim_end().to_owned())
        .before_long_help(long.trim_end().to_owned())
        .after_long_help(EXIT_CODES)
}

/// Lists the commands by group: with a line each, or where there is no room as names only.
fn command_list(command: &clap::Command, in_full: bool) -> String {
    let mut lines = Vec::new();
    for (group, names) in GROUPS {
        lines.push(format!("{group}:"));
        if in_full || group == "Every day" || group == "Set-up" {
            for name in names {
                let about = command.find_subcommand(name).and_then(clap::Command::get_about);
                let about = about.map(ToString::to_string).unwrap_or_default();
                lines.push(format!("  {name:<14} {about}"));
            }
        } else {
            lines.push(format!("  {}", names.join(", ")));
        }
        lines.push(String::new());
    }
    lines.join("\n")
}

/// Returns the man pages with their file names, one for each command.
pub fn man_pages() -> Vec<(String, Vec<u8>)> {
    let mut pages = Vec::new();
    let mut command = Cli::command().after_long_help(EXIT_CODES).disable_help_subcommand(true);
    command.build();
    collect_pages(command, "dsync", &mut pages);
    pages
}

fn collect_pages(command: clap::Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) {
    for inner in command.get_subcommands() {
        collect_pages(inner.clone(), &format!("{name}-{}", inner.get_name()), pages);
    }
    let mut page = Vec::new();
    let command = command.name(name.to_owned()).display_name(name.to_owned());
    clap_mangen::Man::new(command)
        .render(&mut page)
        .expect("writing into memory does not fail");
    pages.push((format!("{name}.1"), page));
}

/// Returns the completion script of a shell and the file name it goes by.
pub(crate) fn completion(shell: Shell) -> (String, Vec<u8>) {
    use clap_complete::Generator;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dsync", &mut script);
    (shell.file_name("dsync"), script)
}

/// Returns the completion scripts of all shells with their file names.
pub fn completion_files() -> Vec<(String, Vec<u8>)> {
    [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh]
        .map(completion)
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_command(command: &clap::Command, path: &str, act: &mut dyn FnMut(&str, &clap::Command)) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let path = format!("{path} {}", inner.get_name());
            act(&path, inner);
            every_command(inner, &path, act);
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        definition().debug_assert();
    }

    #[test]
    fn every_command_is_in_one_group() {
        let command = definition();
        let mut named: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut defined: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        defined.retain(|name| *name != "help");
        named.sort_unstable();
        defined.sort_unstable();
        assert_eq!(named, defined);
    }

    #[test]
    fn every_help_ends_with_two_examples_that_parse() {
        every_command(&definition(), "dsync", &mut |path, command| {
            let text = command
                .get_after_long_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let examples: Vec<&str> = text.lines().skip_while(|line| *line != "Examples:").skip(1).collect();
            assert_eq!(examples.len(), 2, "{path}: {text}");
            for example in examples {
                let line = example.trim();
                assert!(line.starts_with(path), "{path}: {line}");
                let words = line
                    .split(" > ")
                    .next()
                    .unwrap()
                    .split(' ')
                    .map(|word| word.trim_matches('\''));
                if let Err(error) = definition().try_get_matches_from(words) {
                    panic!("{line}: {error}");
                }
            }
        });
    }

    #[test]
    fn abouts_are_one_short_line_without_full_stop() {
        every_command(&definition(), "dsync", &mut |path, command| {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(
                !about.is_empty() && about.len() <= 70 && !about.ends_with('.'),
                "{path}: {about}"
            );
        });
    }

    #[test]
    fn what_writes_can_be_tried_first() {
        let writing = [
            "init",
            "clone",
            "add-source",
            "remove-source",
            "sync",
            "snapshot",
            "push",
            "fetch",
            "pull",
            "apply",
            "resolve",
            "columns",
            "undo",
            "restore",
            "convert",
            "pack",
            "unpack",
            "gc",
            "man",
            "remote add",
            "remote remove",
            "key add",
            "key remove",
        ];
        let mut found = Vec::new();
        every_command(&definition(), "", &mut |path, command| {
            if command.get_arguments().any(|argument| argument.get_id() == "dry_run") {
                found.push(path.trim().to_owned());
            }
        });
        for name in writing {
            assert!(found.iter().any(|path| path == name), "{name} has no --dry-run");
        }
    }
}
