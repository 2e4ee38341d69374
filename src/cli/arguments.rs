//! Arguments that several commands share.

use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;

use super::context::Context;
use crate::disk::Disk;
use crate::sync::{Overrides, RemoteOptions, SyncOptions, SyncResult, TransportConfig};

/// `--dry-run`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct DryRun {
    /// Tell what would happen and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Safeguards switched off for one run.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Overrides of safeguards, for this run")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent flags of the command line"
)]
pub(crate) struct OverrideArgs {
    /// Take in that most items of a source were removed
    #[arg(long, hide_short_help = true)]
    allow_deletes: bool,
    /// Take in that one field changed in most items at once
    #[arg(long, hide_short_help = true)]
    allow_changes: bool,
    /// Take in that a source is empty or gone
    #[arg(long, hide_short_help = true)]
    allow_empty: bool,
    /// Go on with a remote that went back behind what was seen of it
    #[arg(long, hide_short_help = true)]
    accept_rollback: bool,
}

/// What every command that runs steps of a sync takes.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    overrides: OverrideArgs,
}

impl RunArgs {
    /// Returns the options for all sources and remotes.
    pub(crate) fn options(self) -> SyncOptions {
        SyncOptions {
            dry_run: self.dry_run.dry_run,
            overrides: Overrides {
                deletes: self.overrides.allow_deletes,
                changes: self.overrides.allow_changes,
                empty: self.overrides.allow_empty,
                rollback: self.overrides.accept_rollback,
            },
            ..SyncOptions::default()
        }
    }
}

/// What opens a remote.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OpeningArgs {
    /// Read the key from this file (an age identity or an SSH key)
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Read the passphrase from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// How a remote on the network is reached.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reaching a remote on the network")]
pub(crate) struct TransportArgs {
    /// Read the password of the user in the URL from this file
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    password_file: Option<PathBuf>,
    /// Read a bearer token from this file (HTTP)
    #[arg(long, value_name = "FILE", conflicts_with = "password_file", hide_short_help = true)]
    token_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file instead of the system's (HTTP, S3)
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    ca_file: Option<PathBuf>,
    /// Send and receive at most so many bytes in a second
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    limit_rate: Option<u64>,
    /// Accept the key of a host that was never seen (SFTP, peers)
    #[arg(long, hide_short_help = true)]
    accept_new: bool,
    /// Connect to a peer by this command line instead of `ssh` [env: DSYNC_SSH_COMMAND]
    #[expect(
        clippy::doc_markdown,
        reason = "the comment is the help text, as clap prints variables"
    )]
    #[arg(long, value_name = "COMMAND", hide_short_help = true)]
    ssh_command: Option<String>,
    /// What dsync is called on the machine of a peer, if not `dsync`
    #[arg(long, value_name = "PROGRAM", hide_short_help = true)]
    peer_program: Option<String>,
}

impl OpeningArgs {
    /// Reads the passphrase and returns the options.
    pub(crate) fn options(&self, cx: &Context<'_>, dry_run: DryRun) -> SyncResult<RemoteOptions> {
        Ok(RemoteOptions {
            key_file: self.key_file.as_deref().map(|path| cx.path(path)),
            passphrase: self
                .passphrase_file
                .as_deref()
                .map(|path| read_passphrase(cx, path))
                .transpose()?,
            dry_run: dry_run.dry_run,
            ..RemoteOptions::default()
        })
    }
}

impl TransportArgs {
    /// Adds them to the options of a remote.
    pub(crate) fn add_to(&self, cx: &Context<'_>, options: RemoteOptions) -> RemoteOptions {
        let path = |typed: &Option<PathBuf>| typed.as_deref().map(|path| cx.path(path));
        RemoteOptions {
            transport: TransportConfig {
                password_file: path(&self.password_file),
                token_file: path(&self.token_file),
                ca_file: path(&self.ca_file),
                limit_rate: self.limit_rate,
                ssh_command: self.ssh_command.clone(),
                peer_program: self.peer_program.clone(),
            },
            accept_new_host: self.accept_new,
            ..options
        }
    }
}

/// Reads the first line of a file as a passphrase.
fn read_passphrase(cx: &Context<'_>, path: &Path) -> SyncResult<SecretString> {
    let bytes = Disk::default().read(&cx.path(path))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(SecretString::from(text.lines().next().unwrap_or_default().to_owned()))
}

/// Asks for a passphrase where a person can answer and no key was named.
pub(crate) fn ask_passphrase(cx: &Context<'_>, options: &RemoteOptions) -> SyncResult<Option<SecretString>> {
    if !cx.ui.may_ask() || options.key_file.is_some() || options.passphrase.is_some() {
        return Ok(None);
    }
    let answer = dialoguer::Password::new()
        .with_prompt("passphrase of the remote")
        .interact()
        .map_err(super::resolve::prompt_failed)?;
    Ok(Some(SecretString::from(answer)))
}
