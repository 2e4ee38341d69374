//! `dsync serve`: lets other systems exchange with this store.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::error::Exit;
use super::unbuilt;
use crate::remote::{PeerError, PeerLink};
use crate::sync::{Repository, SyncError, SyncResult};

/// Let a peer exchange with the store
///
/// `ssh://` remotes start `dsync serve --stdio` on the other machine by themselves.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync serve --stdio /srv/addresses\n  dsync serve --listen 127.0.0.1:7878")]
pub(super) struct Serve {
    /// The folder of the store [default: as for other commands]
    dir: Option<PathBuf>,
    /// Listen at this address (not built yet)
    #[arg(long, value_name = "ADDR", conflicts_with = "stdio")]
    listen: Option<String>,
    /// Speak over standard input and output
    #[arg(long)]
    stdio: bool,
}

impl Serve {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        if self.listen.is_some() {
            return unbuilt::answer("`serve --listen`");
        }
        if !self.stdio {
            return Err(SyncError::Usage(
                "say how to serve: `dsync serve --stdio DIR`".to_owned(),
            ));
        }
        let open = || {
            let root = match &self.dir {
                Some(dir) => Context::store_in(&cx.path(dir))?,
                None => cx.store_root()?,
            };
            Repository::open(cx.environment(), &root)
        };
        // Unbuffered: every message is waited for. Nothing else of this process writes there.
        let mut link = PeerLink::new(Box::new(std::io::stdin()), Box::new(std::io::stdout()));
        match crate::server::serve(open, &mut link) {
            Ok(()) => Ok(Exit::Done),
            Err(PeerError::Interrupted) => Err(SyncError::Interrupted),
            Err(error) => Err(SyncError::Other {
                what: "serving a peer".to_owned(),
                source: Box::new(error),
            }),
        }
    }
}
