//! `dsync remote`: makes, joins, lists and forgets remotes.

use clap::{Args, Subcommand};

use super::arguments::{DryRun, OpeningArgs, TransportArgs, ask_passphrase};
use super::context::Context;
use super::error::Exit;
use super::remove_source::removed;
use super::text::{count, escape, mask_secrets, shell_quote};
use super::ui::Role;
use crate::sync::{RemoteAdded, RemoteOptions, SyncError, SyncResult};

/// Make, join, list and forget remotes
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync remote add origin /mnt/stick/addresses\n  dsync remote list")]
pub(super) struct Remote {
    #[command(subcommand)]
    command: RemoteCommand,
}

#[derive(Debug, Subcommand)]
enum RemoteCommand {
    Add(Box<RemoteAdd>),
    List(RemoteList),
    Remove(RemoteRemove),
}

/// Make a remote, or join one that is there
///
/// A new remote is sealed: what lies there can be read only with its key. The answer says where the key lies on this
/// system and how another system joins. The store of another system (`ssh://`) is a remote as it is.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  dsync remote add stick /mnt/stick/addresses --passphrase-file secret.txt\n  \
    dsync remote add nas ssh://nas/srv/addresses"
)]
struct RemoteAdd {
    /// The name for it here
    name: String,
    /// A path, `file:`, `sftp://`, `ssh://`, `https://`, `davs://`, `s3://bucket/prefix?endpoint=…`
    url: String,
    /// Do not seal: whoever can read the storage can read the records
    #[arg(long, conflicts_with_all = ["key_file", "passphrase_file", "recipient"])]
    plain: bool,
    #[command(flatten)]
    opening: OpeningArgs,
    #[command(flatten)]
    transport: TransportArgs,
    /// Also let this age or SSH public key open it (can be repeated)
    #[arg(long, value_name = "AGE_OR_SSH_KEY")]
    recipient: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// List the remotes
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync remote list\n  dsync remote list --json")]
struct RemoteList {}

/// Forget a remote; what lies there stays
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync remote remove origin\n  dsync remote remove origin --dry-run")]
struct RemoteRemove {
    /// The remote
    name: String,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Remote {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        match &self.command {
            RemoteCommand::Add(command) => command.run(cx),
            RemoteCommand::List(_) => list(cx),
            RemoteCommand::Remove(command) => {
                cx.repository()?.remote_remove(&command.name, command.dry_run.dry_run)?;
                removed(cx, "remote", &command.name, command.dry_run)
            }
        }
    }
}

impl RemoteAdd {
    fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let url = cx.url(&self.url);
        let mut options = RemoteOptions {
            plain: self.plain,
            recipients: self.recipient.clone(),
            ..self.transport.add_to(cx, self.opening.options(cx, self.dry_run)?)
        };
        let mut repository = cx.repository()?;
        let added = match repository.remote_add(&self.name, &url, &options) {
            Err(
                error @ SyncError::Remote {
                    code: "no-key-fits", ..
                },
            ) => {
                options.passphrase = ask_passphrase(cx, &options)?;
                if options.passphrase.is_none() {
                    return Err(error);
                }
                repository.remote_add(&self.name, &url, &options)?
            }
            result => result?,
        };
        if cx.ui.is_json() {
            cx.ui.object(&added)?;
        } else {
            self.tell(cx, &url, &added)?;
        }
        Ok(Exit::Done)
    }

    fn tell(&self, cx: &Context<'_>, url: &str, added: &RemoteAdded) -> SyncResult<()> {
        let verb = match (self.dry_run.dry_run, added.created) {
            (true, true) => "would make",
            (true, false) => "would join",
            (false, true) => "made",
            (false, false) => "joined",
        };
        if let Some(system) = &added.peer {
            let verb = if self.dry_run.dry_run { "would join" } else { "joined" };
            return cx.ui.told(format!(
                "{verb} peer {} at {}: the store of {}",
                escape(&added.name),
                escape(&added.url),
                escape(system)
            ));
        }
        let sealed = if added.sealed { "sealed" } else { "not sealed" };
        cx.ui.told(format!(
            "{verb} remote {} at {}, {sealed}",
            escape(&added.name),
            escape(&added.url)
        ))?;
        if let Some(key_file) = &added.key_file {
            cx.ui.told(format!(
                "its key lies in {}; keep a copy where the store is not",
                escape(key_file)
            ))?;
        }
        if let Some(recipient) = &added.recipient {
            cx.ui.told(format!("the key's public half is {}", escape(recipient)))?;
        }
        if added.created {
            let url = shell_quote(&mask_secrets(url));
            let opening = match (&added.key_file, &self.opening.passphrase_file) {
                _ if !added.sealed => "",
                (_, Some(_)) => " --passphrase-file FILE",
                _ => " --key-file KEY",
            };
            cx.ui
                .note(format!("another system joins with: `dsync clone {url}{opening}`"));
        }
        Ok(())
    }
}

fn list(cx: &Context<'_>) -> SyncResult<Exit> {
    for remote in cx.repository()?.remotes()? {
        if cx.ui.is_json() {
            cx.ui.object(&remote)?;
        } else {
            cx.ui.line(format!(
                "{}: {}, {}",
                cx.ui.paint(Role::Heading, escape(&remote.name)),
                escape(&remote.url),
                standing(remote.ahead, remote.behind)
            ))?;
        }
    }
    Ok(Exit::Done)
}

/// Returns how this system stands to a remote.
pub(super) fn standing(ahead: u64, behind: u64) -> String {
    match (ahead, behind) {
        (0, 0) => "in step".to_owned(),
        (ahead, 0) => format!("{} to push", count(ahead, "snapshot")),
        (0, behind) => format!("{} to pull", count(behind, "snapshot")),
        (ahead, behind) => format!("{} to push, {behind} to pull", count(ahead, "snapshot")),
    }
}
