//! A command on another machine with its streams, for machines without an `ssh` program.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ssh2::{Channel, Session};

use super::super::address::NetworkAddress;
use super::super::network::{Network, TransportOptions};
use super::super::peer::PeerError;
use super::super::storage::StorageError;
use super::connect::Connector;
use super::host::Host;

/// How often waiting looks whether it is interrupted, in milliseconds.
const STEP_MS: u32 = 200;
/// How much of the error stream is shown, in bytes.
const SHOWN_BYTES: u64 = 2048;
/// How a shell ends that does not find a program (POSIX, "Exit Status for Commands").
const NOT_FOUND: i32 = 127;

/// A command that runs on another machine.
pub(in crate::remote) struct RemoteCommand {
    session: Session,
    channel: Channel,
    interrupted: Arc<AtomicBool>,
}

impl RemoteCommand {
    /// Logs in and starts the command.
    pub(in crate::remote) fn start(
        address: &NetworkAddress,
        options: &TransportOptions,
        network: &Network,
        command: &str,
    ) -> Result<Self, PeerError> {
        let host = Host::of(address, network).map_err(|error| unreached(&error))?;
        let password = address.password.clone().or_else(|| options.password.clone());
        let connector = Connector::new(host, password, options, network);
        let session = connector.log_on().map_err(|error| unreached(&error))?;
        let begin = || {
            let mut channel = session.channel_session()?;
            channel.exec(command)?;
            Ok(channel)
        };
        let channel = begin().map_err(|error: ssh2::Error| PeerError::Broken {
            said: "the other machine starts no command".to_owned(),
            source: Some(error.into()),
        })?;
        // From here on waiting is long: the other side may have much to do.
        session.set_timeout(STEP_MS);
        Ok(Self {
            session,
            channel,
            interrupted: Arc::clone(&network.interrupted),
        })
    }

    /// Returns its output and its input; the input ends when it is dropped.
    pub(in crate::remote) fn streams(&self) -> (Box<dyn Read + Send>, Box<dyn Write + Send>) {
        let patient = |channel: &Channel| Patient {
            session: self.session.clone(),
            channel: channel.clone(),
            interrupted: Arc::clone(&self.interrupted),
        };
        (
            Box::new(patient(&self.channel)),
            Box::new(Input(patient(&self.channel))),
        )
    }

    /// Says why the connection is gone; `program` is what was to be run.
    pub(in crate::remote) fn why(&self, error: io::Error, program: &str) -> PeerError {
        if self.interrupted.load(Ordering::Relaxed) {
            return PeerError::Interrupted;
        }
        let mut said = Vec::new();
        let _what_there_is = self.channel.stderr().take(SHOWN_BYTES).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let mut channel = self.channel.clone();
        let _ended = channel
            .wait_eof()
            .and_then(|()| channel.close())
            .and_then(|()| channel.wait_close());
        if channel.exit_status().is_ok_and(|status| status == NOT_FOUND) {
            let program = program.to_owned();
            return PeerError::NoProgram { program, said };
        }
        PeerError::Broken {
            said,
            source: Some(error),
        }
    }
}

/// Turns an error of the way there into one of a peer.
fn unreached(error: &StorageError) -> PeerError {
    let temporary = error.is_temporary();
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    if temporary {
        PeerError::Broken { said, source: None }
    } else {
        PeerError::Unusable(said)
    }
}

/// A stream that waits as long as the connection is alive.
struct Patient {
    session: Session,
    channel: Channel,
    interrupted: Arc<AtomicBool>,
}

impl Patient {
    fn again<T>(&mut self, mut call: impl FnMut(&mut Channel) -> io::Result<T>) -> io::Result<T> {
        loop {
            match call(&mut self.channel) {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    if self.interrupted.load(Ordering::Relaxed) {
                        return Err(io::Error::other("interrupted"));
                    }
                    self.session.keepalive_send()?;
                }
                result => return result,
            }
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.again(|channel| channel.read(buffer))
    }
}

/// The input of the command, which ends when it is dropped.
struct Input(Patient);

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.again(|channel| channel.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.again(Channel::flush)
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // A connection that is gone has ended, too.
        let _gone = self.0.channel.send_eof();
    }
}
