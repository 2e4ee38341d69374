//! `dsync completions`: scripts for shells.

use clap::Args;
use clap_complete::Shell;

use super::context::Context;
use super::error::Exit;
use crate::sync::SyncResult;

/// Print the completion script for a shell
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  dsync completions bash > ~/.local/share/bash-completion/completions/dsync\n  \
    dsync completions zsh > ~/.zfunc/_dsync"
)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let (_, script) = super::help::completion(self.shell);
        cx.ui.bytes(&script)?;
        Ok(Exit::Done)
    }
}
