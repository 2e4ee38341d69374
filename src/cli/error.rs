//! Failures as people and scripts see them: exit code, stable code, causes and hints.
//!
//! *Owns* the exit codes and the advice. The library tells facts ([`SyncError`]); here they become at most four
//! commands that work when pasted.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use serde::Serialize;

use super::text::{escape, shell_quote};
use super::ui::{Role, Ui};
use crate::port::ObjectError;
use crate::sync::{SourceReport, SyncError, SyncReport};

/// The most hints shown with an error (chosen: more are not read).
const MOST_HINTS: usize = 4;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The words do not fit together, or the command is not built yet.
    Usage = 2,
    /// Done, but conflicts are open, or some records were set aside.
    Open = 3,
    /// A remote could not be reached or a temporary fault: try again.
    Temporary = 4,
    /// Refused by a safeguard.
    Refused = 5,
    /// The store is busy.
    Busy = 6,
    /// Damaged data found.
    Damaged = 7,
    /// Interrupted by a signal.
    Interrupted = 130,
}

impl Exit {
    /// Returns the number that the process ends with.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns how a command ended that made `report`. A remote that was not reached counts more than open
    /// conflicts: trying again helps there.
    pub(crate) fn of_report(report: &SyncReport) -> Self {
        let is_away = |source: &SourceReport| source.unreachable.is_some();
        if report.remotes.iter().any(|remote| !remote.reached) || report.sources.iter().any(is_away) {
            Self::Temporary
        } else if report.conflicts.open > 0 || report.sources.iter().any(|source| !source.set_aside.is_empty()) {
            Self::Open
        } else {
            Self::Done
        }
    }

    /// Returns how a command ended that failed with `error`.
    pub(crate) fn of_error(error: &SyncError) -> Self {
        match error {
            SyncError::Usage(_) | SyncError::Filter(_) | SyncError::NotBuilt(_) => Self::Usage,
            SyncError::Unreachable { .. } | SyncError::SourceUnreachable { .. } => Self::Temporary,
            SyncError::SourceEmpty { .. }
            | SyncError::SourceMissing { .. }
            | SyncError::MassDeletion { .. }
            | SyncError::MassRemoval { .. }
            | SyncError::MassChange { .. }
            | SyncError::RolledBack { .. } => Self::Refused,
            SyncError::Busy { .. } => Self::Busy,
            SyncError::Damaged(_) | SyncError::Object(ObjectError::Missing(_) | ObjectError::Damaged { .. }) => {
                Self::Damaged
            }
            SyncError::Interrupted => Self::Interrupted,
            _ => Self::Failed,
        }
    }
}

/// Returns the stable word for an error.
pub(crate) fn code(error: &SyncError) -> String {
    let code = match error {
        SyncError::NotAStore(_) => "not-a-store",
        SyncError::Busy { .. } => "busy",
        SyncError::Unknown { what, .. } => return format!("unknown-{}", what.replace(' ', "-")),
        SyncError::AmbiguousId { .. } => "ambiguous-id",
        SyncError::Usage(_) => "usage",
        SyncError::Filter(_) => "filter",
        SyncError::Exists { what, .. } => return format!("{}-exists", what.replace(' ', "-")),
        SyncError::SameLocation { .. } => "same-location",
        SyncError::LocationMissing(_) => "location-missing",
        SyncError::Location { .. } => "location",
        SyncError::UnknownFormat { .. } => "format-unknown",
        SyncError::AmbiguousFormat { .. } => "format-ambiguous",
        SyncError::Format { .. } => "format",
        SyncError::SourceEmpty { .. } => "source-empty",
        SyncError::SourceMissing { .. } => "source-missing",
        SyncError::MassDeletion { .. } => "mass-deletion",
        SyncError::MassRemoval { .. } => "mass-removal",
        SyncError::MassChange { .. } => "mass-change",
        SyncError::RolledBack { .. } => "remote-rolled-back",
        SyncError::Unreachable { is_full: true, .. } => "remote-full",
        SyncError::Unreachable { .. } | SyncError::SourceUnreachable { .. } => "unreachable",
        SyncError::Remote { code, .. } => code,
        SyncError::Damaged(_) | SyncError::Object(ObjectError::Missing(_) | ObjectError::Damaged { .. }) => "damaged",
        SyncError::NewerStore { .. } => "newer-store",
        SyncError::NewerCollection { .. } => "newer-collection",
        SyncError::Config { .. } => "config",
        SyncError::NotBuilt(_) => "not-built",
        SyncError::NotUndoable { .. } => "not-undoable",
        SyncError::Interrupted => "interrupted",
        SyncError::Disk(_) | SyncError::Object(ObjectError::Io { .. }) => "io",
        SyncError::Spool(_) | SyncError::Other { .. } => "failed",
    };
    code.to_owned()
}

/// An instruction that may help.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hint {
    purpose: String,
    command: String,
}

impl Hint {
    fn new(purpose: impl Into<String>, command: impl Into<String>) -> Self {
        Self {
            purpose: purpose.into(),
            command: command.into(),
        }
    }

    fn text(&self) -> String {
        format!("{}: `{}`", self.purpose, self.command)
    }
}

/// Returns the command line as typed (with secrets masked) and `option` added.
fn again(command: &str, option: &str) -> String {
    format!("{command} {option}")
}

/// Returns whether a file system had no room left.
fn is_disk_full(error: &SyncError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        let own = inner.downcast_ref::<io::Error>();
        let shared = inner.downcast_ref::<Arc<io::Error>>().map(AsRef::as_ref);
        if let Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) = own.or(shared).map(io::Error::kind) {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn hints(error: &SyncError, command: &str) -> Vec<Hint> {
    let mut hints = safeguard_hints(error, command);
    if is_disk_full(error) {
        hints.push(Hint::new("nothing was lost; free some space, then run again", command));
    }
    match error {
        SyncError::NotAStore(_) => {
            hints.push(Hint::new("to make a store here", "dsync init"));
            hints.push(Hint::new("to start from a remote", "dsync clone URL"));
        }
        SyncError::Busy { .. } => hints.push(Hint::new("to wait longer", again(command, "--wait 300"))),
        SyncError::Unknown { what, name, candidates } => unknown_hints(what, name, candidates, &mut hints),
        SyncError::AmbiguousId { .. } => hints.push(Hint::new("to see the ids in full", "dsync log --json")),
        SyncError::LocationMissing(_) => {
            hints.push(Hint::new("to make it, empty", again(command, "--create")));
        }
        SyncError::UnknownFormat { .. } | SyncError::AmbiguousFormat { .. } => format_hints(error, command, &mut hints),
        SyncError::Exists { what: "source", .. } => {
            hints.push(Hint::new("to choose another name", again(command, "--name NAME")));
        }
        SyncError::SameLocation { name, .. } => {
            hints.push(Hint::new(
                "to bind it anew",
                format!("dsync remove-source {}", shell_quote(name)),
            ));
        }
        SyncError::SourceUnreachable { .. } => {
            hints.push(Hint::new("everything local was done and kept; try again", command));
        }
        SyncError::Unreachable { .. } if !is_disk_full(error) => {
            hints.push(Hint::new("nothing was changed; to try again", command));
        }
        SyncError::Location { reason, .. } => {
            if reason.contains("not writable") && !command.contains("--create") {
                hints.push(Hint::new("if it shall only be read", again(command, "--direction in")));
            }
            hints.push(Hint::new("to see what is bound, and where", "dsync sources"));
        }
        SyncError::Remote { name, code, .. } => remote_hints(name, code, command, &mut hints),
        SyncError::NewerStore { .. } => hints.push(Hint::new(
            "a newer dsync wrote this store; to see which one this is",
            "dsync --version",
        )),
        SyncError::Config { path, .. } => hints.push(Hint::new(
            "to mend it by hand",
            format!("${{EDITOR:-vi}} {}", shell_quote(&path.display().to_string())),
        )),
        SyncError::Damaged(_) | SyncError::Object(ObjectError::Missing(_) | ObjectError::Damaged { .. }) => {
            hints.push(Hint::new("to see all that is damaged", "dsync verify"));
        }
        SyncError::NewerCollection { .. } => {
            hints.push(Hint::new(
                "a newer dsync wrote it; update this one, which is",
                "dsync --version",
            ));
            hints.push(Hint::new("to look at it meanwhile", "dsync status"));
        }
        SyncError::NotUndoable { .. } => hints.push(Hint::new("to see what can be undone", "dsync ops")),
        _ => {}
    }
    hints.truncate(MOST_HINTS);
    hints
}

/// Tells what to do about a remote that answers otherwise than it should.
fn remote_hints(name: &str, code: &str, command: &str, hints: &mut Vec<Hint>) {
    match code {
        "no-key-fits" | "wrong-passphrase" => {
            hints.push(Hint::new(
                "to open it with a key file",
                again(command, "--key-file FILE"),
            ));
            hints.push(Hint::new(
                "to open it with a passphrase",
                again(command, "--passphrase-file FILE"),
            ));
        }
        "not-a-remote" => {
            hints.push(Hint::new(
                "if the disk or share is not there, mount it, then run again",
                command,
            ));
            hints.push(Hint::new("to make a remote, in a store", "dsync remote add NAME URL"));
        }
        "newer-version" => hints.push(Hint::new(
            "a newer dsync wrote it; update this one, which is",
            "dsync --version",
        )),
        "peer-version" => hints.push(Hint::new("to see which one this is", "dsync --version")),
        "peer-program" => hints.push(Hint::new(
            "if it is there under another name or path, `remote remove` and add it with that, as in",
            format!(
                "dsync remote add {} URL --peer-program /usr/local/bin/dsync",
                shell_quote(name)
            ),
        )),
        "no-store-there" => hints.push(Hint::new("to make a store, on the other machine", "dsync init DIR")),
        "replaced" => hints.push(Hint::new(
            "if it was made anew on purpose",
            format!("dsync remote remove {}", shell_quote(name)),
        )),
        _ => {}
    }
}

/// Tells how to name a format; `convert` has two of them.
fn format_hints(error: &SyncError, command: &str, hints: &mut Vec<Hint>) {
    let converts = command.contains(" convert ");
    if let SyncError::AmbiguousFormat { candidates, .. } = error {
        let option = if converts { "--from" } else { "--format" };
        let named = candidates.iter().map(|format| {
            let choice = again(command, &format!("{option} {format}"));
            Hint::new(format!("if it is {format}"), choice)
        });
        hints.extend(named);
        return;
    }
    hints.push(Hint::new("to see the formats", "dsync formats"));
    if converts {
        hints.push(Hint::new("to name that of the input", again(command, "--from FORMAT")));
        hints.push(Hint::new("to name that of the output", again(command, "--to FORMAT")));
    } else {
        hints.push(Hint::new("to name one", again(command, "--format FORMAT")));
        hints.push(Hint::new(
            "for a table of rows, name its key",
            again(command, "--key COLUMN"),
        ));
        hints.push(Hint::new(
            "to say which column is which field of a contact",
            again(command, "--map FILE.toml"),
        ));
    }
}

/// Names the override of a safeguard.
fn safeguard_hints(error: &SyncError, command: &str) -> Vec<Hint> {
    match error {
        SyncError::SourceEmpty { .. } => vec![
            Hint::new("if it was emptied on purpose", again(command, "--allow-empty")),
            Hint::new("to see what would go", "dsync diff --stat"),
        ],
        SyncError::SourceMissing { name, .. } => vec![
            Hint::new(
                "if it was removed on purpose, and its records shall go",
                again(command, "--allow-empty"),
            ),
            Hint::new(
                "to keep the records and forget the source",
                format!("dsync remove-source {}", shell_quote(name)),
            ),
        ],
        SyncError::MassDeletion { .. } => vec![
            Hint::new("if they were removed on purpose", again(command, "--allow-deletes")),
            Hint::new("to see which", "dsync diff --stat"),
        ],
        SyncError::MassRemoval { name, .. } => vec![
            Hint::new("if they shall go", again(command, "--allow-deletes")),
            Hint::new("to see which", again(command, "--dry-run")),
            Hint::new(
                "to forget the source and keep its items",
                format!("dsync remove-source {}", shell_quote(name)),
            ),
        ],
        SyncError::MassChange { .. } => vec![
            Hint::new("if they were changed on purpose", again(command, "--allow-changes")),
            Hint::new("to see them", "dsync diff"),
        ],
        SyncError::RolledBack { .. } => vec![
            Hint::new(
                "if it was restored from a backup on purpose",
                again(command, "--accept-rollback"),
            ),
            Hint::new("to check it", "dsync verify"),
        ],
        _ => Vec::new(),
    }
}

fn unknown_hints(what: &str, name: &str, candidates: &[String], hints: &mut Vec<Hint>) {
    let list = match what {
        "source" => "dsync sources",
        "collection" => "dsync collections",
        "remote" => "dsync remote list",
        "snapshot" => "dsync log",
        "operation" => "dsync ops",
        "format" => "dsync formats",
        "record" => "dsync cat COLLECTION",
        "conflict" => "dsync conflicts",
        "key slot" => "dsync key show REMOTE",
        _ => return,
    };
    let near = candidates
        .iter()
        .map(|candidate| (similar::TextDiff::from_chars(name, candidate).ratio(), candidate))
        // Chosen: "orign" and "origin" are 0.9 alike, unrelated words of one length below 0.5.
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, candidate)) => hints.push(Hint::new(
            format!("did you mean `{}`? to see all", escape(candidate)),
            list,
        )),
        None => hints.push(Hint::new("to see what there is", list)),
    }
}

/// The causes of an error, outermost first, without those that say the same again.
fn causes(error: &SyncError) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if text != said {
            causes.push(text.clone());
        }
        said = text;
        next = cause.source();
    }
    causes
}

#[derive(Serialize)]
struct JsonError<'a> {
    error: JsonErrorBody<'a>,
}

#[derive(Serialize)]
struct JsonErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    causes: &'a [String],
    hints: &'a [String],
    retryable: bool,
}

/// Shows an error; `command` is the command line as typed, `program` how another command on the same store starts.
pub(crate) fn render(ui: &Ui, error: &SyncError, command: &str, program: &str) {
    render_with(ui, error, hints(error, command), command, program);
}

/// Shows that a remote could not be reached by a command that had other things to do, too.
pub(crate) fn render_unreached(ui: &Ui, error: &SyncError, command: &str, program: &str) {
    let purpose = match error {
        SyncError::Unreachable { is_full: true, .. } => {
            "everything local was done and kept; free some space there, then run again"
        }
        _ => "everything local was done and kept; try again",
    };
    let hint = Hint::new(purpose, command);
    render_with(ui, error, vec![hint], command, program);
}

fn render_with(ui: &Ui, error: &SyncError, mut hints: Vec<Hint>, command: &str, program: &str) {
    let causes = causes(error);
    for hint in hints.iter_mut().filter(|hint| !hint.command.starts_with(command)) {
        if let Some(rest) = hint.command.strip_prefix("dsync ") {
            hint.command = format!("{program} {rest}");
        }
    }
    if ui.is_json() {
        let hints: Vec<String> = hints.iter().map(Hint::text).collect();
        render_json(
            ui,
            &code(error),
            &error.to_string(),
            &causes,
            &hints,
            is_retryable(error),
        );
        return;
    }
    ui.stderr(&format!(
        "{} {}",
        ui.paint_err(Role::Error, "error:"),
        escape(&error.to_string())
    ));
    if let SyncError::Filter(error) = error {
        for line in error.picture() {
            ui.stderr(&format!("  {}", escape(&line)));
        }
    }
    if let SyncError::MassChange {
        example: (old, new), ..
    } = error
    {
        ui.stderr(&format!("  for example: \"{}\" → \"{}\"", escape(old), escape(new)));
    }
    if let SyncError::UnknownFormat {
        read_as: Some(read_as), ..
    } = error
    {
        ui.stderr(&format!("  it was read as: {}", escape(read_as)));
    }
    for cause in causes {
        ui.stderr(&format!("  caused by: {}", escape(&cause)));
    }
    if !hints.is_empty() {
        ui.stderr("");
    }
    for hint in hints {
        ui.stderr(&format!(
            "{} {}",
            ui.paint_err(Role::Hint, "hint:"),
            escape(&hint.text())
        ));
    }
}

/// Shows an error as one JSON object on the error stream.
pub(crate) fn render_json(ui: &Ui, code: &str, message: &str, causes: &[String], hints: &[String], retryable: bool) {
    let error = JsonErrorBody {
        code,
        message,
        causes,
        hints,
        retryable,
    };
    ui.object_aside(&JsonError { error });
}

/// Returns whether the same command may succeed later without anybody's doing.
fn is_retryable(error: &SyncError) -> bool {
    matches!(
        error,
        SyncError::Busy { .. }
            | SyncError::Unreachable { .. }
            | SyncError::SourceUnreachable { .. }
            | SyncError::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::DiskError;

    #[test]
    fn a_full_disk_wants_room_and_loses_nothing() {
        let full = || DiskError::new("write", std::path::Path::new("a"), ErrorKind::StorageFull.into());
        let errors = [
            SyncError::Disk(full()),
            SyncError::Object(ObjectError::Io {
                action: "write",
                source: io::Error::new(ErrorKind::StorageFull, full()).into(),
            }),
            SyncError::Other {
                what: "using the store".to_owned(),
                source: Box::new(full()),
            },
        ];
        for error in errors {
            let hints = hints(&error, "dsync sync");
            assert_eq!(
                hints[0].text(),
                "nothing was lost; free some space, then run again: `dsync sync`"
            );
            assert_eq!(Exit::of_error(&error), Exit::Failed);
        }
        let other = SyncError::Disk(DiskError::new(
            "write",
            std::path::Path::new("a"),
            ErrorKind::Other.into(),
        ));
        assert!(hints(&other, "dsync sync").is_empty());
    }

    #[test]
    fn each_safeguard_names_its_override() {
        let name = || "phone".to_owned();
        let cases = [
            (
                SyncError::SourceEmpty {
                    name: name(),
                    before: 3,
                },
                "--allow-empty",
            ),
            (
                SyncError::SourceMissing {
                    name: name(),
                    location: "x".to_owned(),
                },
                "--allow-empty",
            ),
            (
                SyncError::MassDeletion {
                    name: name(),
                    lost: 9,
                    before: 10,
                },
                "--allow-deletes",
            ),
            (
                SyncError::MassChange {
                    name: name(),
                    field: "/phones".to_owned(),
                    changed: 30,
                    before: 40,
                    example: (String::new(), String::new()),
                },
                "--allow-changes",
            ),
            (
                SyncError::RolledBack {
                    name: name(),
                    detail: "a.7".to_owned(),
                },
                "--accept-rollback",
            ),
        ];
        for (error, option) in cases {
            assert_eq!(Exit::of_error(&error), Exit::Refused);
            let hints = hints(&error, "dsync -C 'a b' sync");
            assert_eq!(hints[0].command, format!("dsync -C 'a b' sync {option}"));
        }
    }

    #[test]
    fn a_near_name_is_offered() {
        let error = SyncError::Unknown {
            what: "key slot",
            name: "orign".to_owned(),
            candidates: vec!["backup".to_owned(), "origin".to_owned()],
        };
        assert_eq!(code(&error), "unknown-key-slot");
        let hints = hints(&error, "dsync push orign");
        assert_eq!(hints[0].purpose, "did you mean `origin`? to see all");
    }

    #[test]
    fn a_transparent_cause_is_said_once() {
        let io = io::Error::other("disk full");
        let error = SyncError::Disk(DiskError::new("write", std::path::Path::new("a"), io));
        assert_eq!(error.to_string(), "cannot write `a`");
        assert_eq!(causes(&error), ["disk full"]);
    }
}
