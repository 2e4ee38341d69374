//! `dsync key`: who can open a remote.

use clap::{Args, Subcommand};

use super::arguments::{DryRun, OpeningArgs};
use super::context::Context;
use super::error::Exit;
use super::remove_source::removed;
use super::text::escape;
use crate::sync::{RemoteOptions, SyncError, SyncResult};

/// Show and change who can open a remote
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync key show origin\n  dsync key add origin --passphrase-file secret.txt")]
pub(super) struct Key {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    Show(KeyShow),
    Add(KeyAdd),
    Remove(KeyRemove),
}

/// List the keys and passphrases that open a remote
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync key show origin\n  dsync key show origin --json")]
struct KeyShow {
    /// The remote
    remote: String,
}

/// Let one more key or passphrase open a remote
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  dsync key add origin --passphrase-file secret.txt\n  \
    dsync key add origin --recipient age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
)]
struct KeyAdd {
    /// The remote
    remote: String,
    #[command(flatten)]
    opening: OpeningArgs,
    /// An age or SSH public key (can be repeated)
    #[arg(long, value_name = "AGE_OR_SSH_KEY")]
    recipient: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Take a key or passphrase away from a remote
///
/// Who had it may have kept what lay there until now.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync key remove origin laptop\n  dsync key remove origin laptop --dry-run")]
struct KeyRemove {
    /// The remote
    remote: String,
    /// The slot's name, as `dsync key show` tells it
    slot: String,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Key {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        match &self.command {
            KeyCommand::Show(command) => {
                for slot in cx.repository()?.key_slots(&command.remote)? {
                    if cx.ui.is_json() {
                        cx.ui.object(&slot)?;
                    } else {
                        cx.ui.line(format!("{} ({})", escape(&slot.name), escape(&slot.kind)))?;
                    }
                }
                Ok(Exit::Done)
            }
            KeyCommand::Add(command) => command.run(cx),
            KeyCommand::Remove(command) => {
                let mut repository = cx.repository()?;
                repository.key_remove(&command.remote, &command.slot, command.dry_run.dry_run)?;
                removed(cx, "key slot", &command.slot, command.dry_run)
            }
        }
    }
}

impl KeyAdd {
    fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let options = RemoteOptions {
            recipients: self.recipient.clone(),
            ..self.opening.options(cx, self.dry_run)?
        };
        if options.recipients.is_empty() && options.key_file.is_none() && options.passphrase.is_none() {
            return Err(SyncError::Usage(
                "name what shall open it: `--recipient`, `--key-file` or `--passphrase-file`".to_owned(),
            ));
        }
        let slot = cx.repository()?.key_add(&self.remote, &options)?;
        if cx.ui.is_json() {
            cx.ui.object(&slot)?;
        } else {
            let verb = if self.dry_run.dry_run { "would add" } else { "added" };
            cx.ui.told(format!(
                "{verb} key slot {} ({})",
                escape(&slot.name),
                escape(&slot.kind)
            ))?;
        }
        Ok(Exit::Done)
    }
}
