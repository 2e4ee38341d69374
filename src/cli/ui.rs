//! Where a command's words go: data to the output, everything else to the error stream.
//!
//! *Owns* colour, verbosity, JSON lines and progress. *Invariant*: a reader that closes the pipe ends the command
//! quietly; in JSON mode the error stream carries nothing but error objects.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::sync::{Progress, SyncError, SyncResult};

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also into files and pipes.
    Always,
    /// Not at all.
    Never,
}

/// What a piece of text means, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A heading, such as a record's title.
    Heading,
    /// Something that came.
    Added,
    /// Something that went.
    Removed,
    /// Something that changed or wants attention.
    Changed,
    /// An id or another aside.
    Aside,
    /// `error:`.
    Error,
    /// `hint:`.
    Hint,
}

impl Role {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(clap::builder::styling::Color::Ansi(colour)));
        match self {
            Self::Heading => Style::new().bold(),
            Self::Added => colour(AnsiColor::Green),
            Self::Removed => colour(AnsiColor::Red),
            Self::Changed => colour(AnsiColor::Yellow),
            Self::Aside => Style::new().dimmed(),
            Self::Error => colour(AnsiColor::Red).bold(),
            Self::Hint => colour(AnsiColor::Cyan),
        }
    }
}

/// A stream and what may be sent to it.
pub(crate) struct Stream {
    writer: RefCell<Box<dyn Write>>,
    /// Whether colour codes may be written.
    pub(crate) colour: bool,
    /// Whether a person looks at it.
    pub(crate) terminal: bool,
}

impl Stream {
    pub(crate) fn new(writer: Box<dyn Write>, colour: bool, terminal: bool) -> Self {
        Self {
            writer: RefCell::new(writer),
            colour,
            terminal,
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.writer.borrow_mut().write_all(bytes)
    }

    pub(crate) fn flush(&self) -> io::Result<()> {
        self.writer.borrow_mut().flush()
    }
}

/// How much a command tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verbosity {
    /// `-q`: results that were not asked for stay unsaid.
    pub(crate) quiet: bool,
    /// How often `-v` was given.
    pub(crate) more: u8,
    /// `--json`.
    pub(crate) json: bool,
}

/// The streams of one command.
pub(crate) struct Ui {
    out: Stream,
    err: Stream,
    verbosity: Verbosity,
    asks: bool,
    closed: Cell<bool>,
}

impl Ui {
    /// Takes the streams; `asks` tells whether a person can answer questions.
    pub(crate) fn new(out: Stream, err: Stream, verbosity: Verbosity, asks: bool) -> Self {
        Self {
            out,
            err,
            verbosity,
            asks,
            closed: Cell::new(false),
        }
    }

    /// Returns whether the output is JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.verbosity.json
    }

    /// Returns whether `-v` was given at least `level` times.
    pub(crate) fn tells(&self, level: u8) -> bool {
        self.verbosity.more >= level && !self.verbosity.quiet
    }

    /// Returns whether questions may be asked.
    pub(crate) fn may_ask(&self) -> bool {
        self.asks && self.err.terminal && !self.verbosity.json && !self.verbosity.quiet
    }

    /// Returns whether the reader of the output went away.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Writes bytes of data to the output as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> SyncResult<()> {
        self.out.write(bytes).map_err(|source| self.output_failed(source))
    }

    /// Writes a line of data to the output.
    pub(crate) fn line(&self, line: impl Display) -> SyncResult<()> {
        self.bytes(format!("{line}\n").as_bytes())
    }

    /// Writes a line that tells what was done; not with `-q`.
    pub(crate) fn told(&self, line: impl Display) -> SyncResult<()> {
        if self.verbosity.quiet { Ok(()) } else { self.line(line) }
    }

    /// Writes one JSON object as a line.
    pub(crate) fn object(&self, object: &impl Serialize) -> SyncResult<()> {
        self.line(to_json(object))
    }

    /// Writes one JSON object to the error stream, for commands whose output is data of another form.
    pub(crate) fn object_aside(&self, object: &impl Serialize) {
        self.stderr(&to_json(object));
    }

    /// Writes a remark to the error stream; not with `-q` or `--json`.
    pub(crate) fn note(&self, line: impl Display) {
        if !self.verbosity.quiet && !self.verbosity.json {
            self.stderr(&line.to_string());
        }
    }

    /// Writes a line to the error stream whatever the verbosity. A closed error stream has nobody to tell.
    pub(crate) fn stderr(&self, line: &str) {
        // Both streams are often one terminal: what was said first is seen first.
        let _the_next_write_tells = self.out.flush();
        let _nobody_to_tell = self.err.write(format!("{line}\n").as_bytes());
    }

    /// Colours `text` for the output.
    pub(crate) fn paint(&self, role: Role, text: impl Display) -> String {
        paint(self.out.colour, role, text)
    }

    /// Colours `text` for the error stream.
    pub(crate) fn paint_err(&self, role: Role, text: impl Display) -> String {
        paint(self.err.colour, role, text)
    }

    /// Returns whether the output is coloured.
    pub(crate) fn colours_out(&self) -> bool {
        self.out.colour
    }

    /// Returns whether the error stream is coloured.
    pub(crate) fn colours_err(&self) -> bool {
        self.err.colour
    }

    /// Sends on what is buffered.
    pub(crate) fn flush(&self) -> SyncResult<()> {
        let _nobody_to_tell = self.err.flush();
        self.out.flush().map_err(|source| self.output_failed(source))
    }

    /// Returns what shows progress: a bar on a terminal, else nothing.
    pub(crate) fn progress(&self) -> Arc<dyn Progress> {
        if self.err.terminal && self.out.terminal && !self.verbosity.quiet && !self.verbosity.json {
            Arc::new(Bar::default())
        } else {
            Arc::new(NoProgress)
        }
    }

    fn output_failed(&self, source: io::Error) -> SyncError {
        if source.kind() == io::ErrorKind::BrokenPipe {
            self.closed.set(true);
        }
        SyncError::Other {
            what: "cannot write to the output".to_owned(),
            source: Box::new(source),
        }
    }
}

fn paint(colour: bool, role: Role, text: impl Display) -> String {
    if colour {
        let style = role.style();
        format!("{style}{text}{style:#}")
    } else {
        text.to_string()
    }
}

fn to_json(object: &impl Serialize) -> String {
    serde_json::to_string(object).expect("reports have text keys and no failing serializers")
}

/// Shows nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoProgress;

impl Progress for NoProgress {
    fn start(&self, _what: &str, _total: Option<u64>) {}
    fn at(&self, _done: u64) {}
    fn finish(&self) {}
}

/// A bar on the error stream, for the step that is running.
#[derive(Default)]
struct Bar {
    bar: Mutex<Option<ProgressBar>>,
}

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        act(&mut self.bar.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Bar {
    fn show(&self, what: &str, total: Option<u64>, template: &str) {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
            .with_style(style)
            .with_message(super::text::escape(what));
        bar.enable_steady_tick(Duration::from_millis(200));
        self.with(|slot| {
            if let Some(old) = slot.replace(bar) {
                old.finish_and_clear();
            }
        });
    }
}

impl Progress for Bar {
    fn start(&self, what: &str, total: Option<u64>) {
        let template = if total.is_some() {
            "{msg} {wide_bar} {pos}/{len}"
        } else {
            "{spinner} {msg}"
        };
        self.show(what, total, template);
    }

    fn start_bytes(&self, what: &str, total: Option<u64>) {
        let template = "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        self.show(what, total, template);
    }

    fn at(&self, done: u64) {
        self.with(|slot| {
            if let Some(bar) = slot {
                bar.set_position(done);
            }
        });
    }

    fn finish(&self) {
        self.with(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
            }
        });
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}
