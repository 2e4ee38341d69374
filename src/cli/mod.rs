//! The command line: one file per command, with its arguments, the call and the printing.
//!
//! *Owns* words, streams, exit codes, hints and everything read from the process (environment variables, working
//! directory, signals). *Leaves* all work to `sync`. *Invariants*: data goes to standard output, everything else to
//! standard error; nothing asks when standard input is no terminal. *Fails* with the exit codes of [`Exit`].
//! *Start reading* at [`main`] and at a small command such as `snapshot`.

mod add_source;
mod apply;
mod arguments;
mod cat;
mod clone;
mod collections;
mod columns;
mod completions;
mod conflicts;
mod context;
mod convert;
mod demo;
mod diff;
mod error;
mod fetch;
mod formats;
mod gc;
mod graph;
mod help;
mod init;
mod key;
mod log;
mod man;
mod ops;
mod pack;
mod pull;
mod push;
mod remote;
mod remove_source;
mod report;
mod resolve;
mod restore;
mod roll;
mod serve;
mod show;
mod snapshot;
mod sources;
mod status;
mod sync;
mod systems;
mod text;
mod ui;
mod unbuilt;
mod undo;
mod unpack;
mod verify;

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anstream::ColorChoice;
use clap::{ArgAction, Args, FromArgMatches, Parser, Subcommand};

pub use error::Exit;
pub use help::{completion_files, definition, man_pages};

use crate::disk::Disk;
use crate::sync::{SyncError, SyncResult};
use context::{Context, World, command_text};
use ui::{ColorWhen, Stream, Ui, Verbosity};

/// Keeps the same data equal in many formats, on many systems
#[derive(Debug, Parser)]
#[command(name = "dsync", version, args_override_self = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Work as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true, hide_short_help = true)]
    directory: Option<PathBuf>,
    /// Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]
    #[expect(
        clippy::doc_markdown,
        reason = "the comment is the help text, as clap prints variables"
    )]
    #[arg(long, value_name = "DIR", global = true, hide_short_help = true)]
    store: Option<PathBuf>,
    /// Print JSON; errors become one JSON object on standard error
    #[arg(long, global = true, hide_short_help = true)]
    json: bool,
    /// Print only what was asked for and errors
    #[arg(short, long, global = true, hide_short_help = true)]
    quiet: bool,
    /// Print more (can be repeated)
    #[arg(short, long, global = true, action = ArgAction::Count, hide_short_help = true)]
    verbose: u8,
    /// Colour the text
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        default_value = "auto",
        hide_short_help = true
    )]
    color: ColorWhen,
    /// Wait at most so long for a store that is in use; 0 fails at once
    #[arg(
        long,
        value_name = "SECONDS",
        global = true,
        default_value_t = 30,
        hide_short_help = true
    )]
    wait: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Clone(clone::Clone),
    AddSource(add_source::AddSourceArgs),
    RemoveSource(remove_source::RemoveSource),
    Sources(sources::Sources),
    Collections(collections::Collections),
    Columns(columns::Columns),
    Formats(formats::Formats),
    Remote(remote::Remote),
    Key(key::Key),
    Sync(sync::Sync),
    Snapshot(snapshot::Snapshot),
    Push(push::Push),
    Fetch(fetch::Fetch),
    Pull(pull::Pull),
    Apply(apply::Apply),
    Status(status::Status),
    Diff(diff::Diff),
    Log(log::Log),
    Show(show::Show),
    Cat(cat::Cat),
    Conflicts(conflicts::Conflicts),
    Resolve(resolve::Resolve),
    Undo(undo::Undo),
    Ops(ops::Ops),
    Restore(restore::Restore),
    Convert(convert::Convert),
    Pack(pack::Pack),
    Unpack(unpack::Unpack),
    Watch(unbuilt::Watch),
    Schedule(unbuilt::Schedule),
    Verify(verify::Verify),
    Gc(gc::Gc),
    Roll(roll::Roll),
    Systems(systems::Systems),
    Serve(serve::Serve),
    Manager(unbuilt::Manager),
    Completions(completions::Completions),
    Man(man::Man),
    Demo(demo::Demo),
}

impl Command {
    fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        match self {
            Self::Init(command) => command.run(cx),
            Self::Clone(command) => command.run(cx),
            Self::AddSource(command) => command.run(cx),
            Self::RemoveSource(command) => command.run(cx),
            Self::Sources(command) => command.run(cx),
            Self::Collections(command) => command.run(cx),
            Self::Columns(command) => command.run(cx),
            Self::Formats(command) => command.run(cx),
            Self::Remote(command) => command.run(cx),
            Self::Key(command) => command.run(cx),
            Self::Sync(command) => command.run(cx),
            Self::Snapshot(command) => command.run(cx),
            Self::Push(command) => command.run(cx),
            Self::Fetch(command) => command.run(cx),
            Self::Pull(command) => command.run(cx),
            Self::Apply(command) => command.run(cx),
            Self::Status(command) => command.run(cx),
            Self::Diff(command) => command.run(cx),
            Self::Log(command) => command.run(cx),
            Self::Show(command) => command.run(cx),
            Self::Cat(command) => command.run(cx),
            Self::Conflicts(command) => command.run(cx),
            Self::Resolve(command) => command.run(cx),
            Self::Undo(command) => command.run(cx),
            Self::Ops(command) => command.run(cx),
            Self::Restore(command) => command.run(cx),
            Self::Convert(command) => command.run(cx),
            Self::Pack(command) => command.run(cx),
            Self::Unpack(command) => command.run(cx),
            Self::Watch(_) => unbuilt::answer("`watch`"),
            Self::Schedule(_) => unbuilt::answer("`schedule`"),
            Self::Verify(command) => command.run(cx),
            Self::Gc(command) => command.run(cx),
            Self::Roll(command) => command.run(cx),
            Self::Systems(command) => command.run(cx),
            Self::Serve(command) => command.run(cx),
            Self::Manager(_) => unbuilt::answer("`manager`"),
            Self::Completions(command) => command.run(cx),
            Self::Man(command) => command.run(cx),
            Self::Demo(command) => command.run(cx),
        }
    }
}

/// Runs the program with the words, streams and environment of this process.
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let exit = match World::of_process() {
        Ok(world) => execute(&words, &world, &process_ui),
        Err(error) => {
            let ui = process_ui(ColorWhen::Auto, Verbosity::default());
            ui.stderr(&format!("error: cannot start: {error}"));
            Exit::Failed
        }
    };
    ExitCode::from(exit.number())
}

/// Makes the streams for a command from what its words ask.
type MakeUi<'a> = dyn Fn(ColorWhen, Verbosity) -> Ui + 'a;

fn process_ui(color: ColorWhen, verbosity: Verbosity) -> Ui {
    let colours = |automatic: ColorChoice| match color {
        ColorWhen::Auto => automatic != ColorChoice::Never,
        ColorWhen::Always => true,
        ColorWhen::Never => false,
    };
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let out_colour = colours(anstream::AutoStream::choice(&stdout));
    let err_colour = colours(anstream::AutoStream::choice(&stderr));
    let out_terminal = stdout.is_terminal();
    let out = Stream::new(Box::new(BufWriter::new(stdout)), out_colour, out_terminal);
    let err_terminal = stderr.is_terminal();
    let err = Stream::new(Box::new(stderr), err_colour, err_terminal);
    Ui::new(out, err, verbosity, io::stdin().is_terminal())
}

/// Parses `words` (without the program's name) and runs the command.
fn execute(words: &[OsString], world: &World, make_ui: &MakeUi<'_>) -> Exit {
    let with_name = std::iter::once(OsString::from("dsync")).chain(words.iter().cloned());
    let parsed = definition()
        .try_get_matches_from(with_name)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error, words, make_ui),
    };
    let global = &cli.global;
    let verbosity = Verbosity {
        quiet: global.quiet,
        more: global.verbose,
        json: global.json,
    };
    let ui = make_ui(global.color, verbosity);
    let directory = match &global.directory {
        Some(directory) => world.directory.join(directory),
        None => world.directory.clone(),
    };
    if !Disk::default().is_dir(&directory) {
        let error = SyncError::Other {
            what: format!("cannot work in `{}`", directory.display()),
            source: io::Error::from(io::ErrorKind::NotFound).into(),
        };
        error::render(&ui, &error, &command_text(words), "dsync");
        return Exit::of_error(&error);
    }
    let cx = Context {
        ui: &ui,
        world,
        directory,
        store: global.store.clone().or_else(|| world.store.clone()),
        wait: Duration::from_secs(global.wait),
        command: command_text(words),
        program: program_text(global),
    };
    let result = cli.command.run(&cx).and_then(|exit| ui.flush().map(|()| exit));
    match result {
        Ok(exit) => exit,
        // Whoever reads has seen enough; what was to be done is done.
        Err(_) if ui.is_closed() => Exit::Done,
        Err(error) => {
            let _the_first_error_counts = ui.flush();
            error::render(&ui, &error, &cx.command, &cx.program);
            Exit::of_error(&error)
        }
    }
}

/// Returns how a command on the same store starts.
fn program_text(global: &Global) -> String {
    let mut words = vec!["dsync".to_owned()];
    for (option, value) in [("-C", &global.directory), ("--store", &global.store)] {
        if let Some(value) = value {
            words.push(format!("{option} {}", text::shell_quote(&value.to_string_lossy())));
        }
    }
    words.join(" ")
}

/// Answers words that do not parse, and `--help` and `--version`.
fn not_parsed(error: &clap::Error, words: &[OsString], make_ui: &MakeUi<'_>) -> Exit {
    let json = words
        .iter()
        .take_while(|word| *word != "--")
        .any(|word| word == "--json");
    let color = match words
        .iter()
        .filter_map(|word| word.to_str()?.strip_prefix("--color="))
        .next_back()
    {
        Some("always") => ColorWhen::Always,
        Some("never") => ColorWhen::Never,
        _ => ColorWhen::Auto,
    };
    let ui = make_ui(
        color,
        Verbosity {
            json,
            ..Verbosity::default()
        },
    );
    let text = error.render();
    let shown = |colour: bool| {
        if colour {
            text.ansi().to_string()
        } else {
            text.to_string()
        }
    };
    if !error.use_stderr() {
        let _reader_has_enough = ui.bytes(shown(ui.colours_out()).as_bytes()).and_then(|()| ui.flush());
        return Exit::Done;
    }
    if json {
        let plain = text.to_string();
        let message = plain.lines().next().unwrap_or_default().trim_start_matches("error: ");
        error::render_json(&ui, "usage", message, &[], &[], false);
    } else {
        ui.stderr(shown(ui.colours_err()).trim_end());
    }
    Exit::Usage
}
