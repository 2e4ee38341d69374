//! `dsync clone`: starts a system from a remote.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::{DryRun, OpeningArgs, TransportArgs, ask_passphrase};
use super::context::Context;
use super::error::Exit;
use super::text::{escape, mask_secrets};
use crate::disk::Disk;
use crate::sync::{RemoteOptions, Repository, SyncError, SyncReport, SyncResult};

/// Start a new system from a remote
///
/// The collections arrive with their history. Sources are added after.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  dsync clone /mnt/stick/addresses --key-file addresses.key\n  \
    dsync clone sftp://nas/srv/addresses work --name desktop"
)]
pub(super) struct Clone {
    /// The remote: a path, `file:`, `sftp://`, `ssh://`, `https://`, `davs://`, `s3://`
    url: String,
    /// The folder to make the store in [default: named like the end of URL]
    dir: Option<PathBuf>,
    /// The name by which other systems know this one [default: the name of the folder]
    #[arg(long, value_name = "SYSTEM")]
    name: Option<String>,
    #[command(flatten)]
    opening: OpeningArgs,
    #[command(flatten)]
    transport: TransportArgs,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Clone {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let url = cx.url(&self.url);
        let folder = self.folder(cx, &url)?;
        let shown = escape(&folder.display().to_string());
        if self.dry_run.dry_run {
            if cx.ui.is_json() {
                cx.ui
                    .object(&json!({"store": folder, "url": mask_secrets(&url), "dry_run": true}))?;
            } else {
                cx.ui.told(format!(
                    "would make a store in {shown} from {}",
                    escape(&mask_secrets(&url))
                ))?;
            }
            return Ok(Exit::Done);
        }
        let options = self.transport.add_to(cx, self.opening.options(cx, self.dry_run)?);
        let report = self.clone_asking(cx, &url, &folder, options)?;
        if !cx.ui.is_json() {
            cx.ui.told(format!("made a store in {shown}"))?;
        }
        let exit = super::report::finish(cx, &report)?;
        cx.ui
            .note("next: `dsync add-source LOCATION --collection NAME --create`");
        Ok(exit)
    }

    /// Clones; where no key fits and a person is there, asks for the passphrase once.
    fn clone_asking(
        &self,
        cx: &Context<'_>,
        url: &str,
        folder: &Path,
        mut keys: RemoteOptions,
    ) -> SyncResult<SyncReport> {
        let clone = |keys: &RemoteOptions| {
            Repository::clone_remote(cx.environment(), url, folder, self.name.as_deref(), keys)
                .map(|(_, report)| report)
        };
        match clone(&keys) {
            Err(
                error @ SyncError::Remote {
                    code: "no-key-fits", ..
                },
            ) => {
                keys.passphrase = ask_passphrase(cx, &keys)?;
                if keys.passphrase.is_none() {
                    Err(error)
                } else {
                    clone(&keys)
                }
            }
            result => result,
        }
    }

    fn folder(&self, cx: &Context<'_>, url: &str) -> SyncResult<PathBuf> {
        if self.dir.is_some() || cx.store.is_some() {
            return Ok(cx.new_store_folder(self.dir.as_deref()));
        }
        let name = last_part(url).ok_or_else(|| SyncError::Usage("name a folder: `dsync clone URL DIR`".to_owned()))?;
        let folder = cx.path(Path::new(name));
        if Disk::default().stat(&folder)?.is_some() {
            return Err(SyncError::Usage(format!(
                "`{}` exists; name a folder: `dsync clone URL DIR`",
                folder.display()
            )));
        }
        Ok(folder)
    }
}

/// Returns the last word of a URL's path, as git names a clone.
fn last_part(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next()?;
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let name = path.trim_end_matches('/').rsplit(['/', ':']).next()?;
    (!name.is_empty() && name != "." && name != "..").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::last_part;

    #[test]
    fn a_clone_is_named_like_the_end_of_its_url() {
        assert_eq!(last_part("/srv/addresses/"), Some("addresses"));
        assert_eq!(last_part("s3://bucket/a/b?endpoint=http://h/x"), Some("b"));
        assert_eq!(last_part("file:/"), None);
        assert_eq!(last_part(".."), None);
    }
}
