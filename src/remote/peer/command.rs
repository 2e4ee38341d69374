//! The program that makes a connection, usually `ssh`, as a pair of streams.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::PeerError;
use super::link::PeerLink;

/// How often waiting looks whether it is interrupted.
const STEP: Duration = Duration::from_millis(200);
/// How long a program may take to end once its input has ended.
const LONGEST_END: Duration = Duration::from_secs(5);
/// How much is read at once, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// How much of what the program says on its error stream is kept, in bytes.
const KEPT_BYTES: usize = 2048;
/// How a shell ends that does not find a program (POSIX, "Exit Status for Commands").
const NOT_FOUND: i32 = 127;

/// What a connection by a program needs to know.
pub(super) struct Starting<'a> {
    /// The program and its words.
    pub(super) command: Command,
    /// The program, for people.
    pub(super) program: &'a str,
    /// The name of dsync on the other machine.
    pub(super) there: &'a str,
    /// Whether the error stream of the program is that of this process, as a person has to see what it asks.
    pub(super) shows_errors: bool,
    /// Set by Ctrl-C.
    pub(super) interrupted: Arc<AtomicBool>,
}

/// Starts the program and returns its streams as a link; `None` where there is no such program.
pub(super) fn start(starting: Starting<'_>) -> Result<Option<PeerLink>, PeerError> {
    let Starting {
        mut command,
        program,
        there,
        shows_errors,
        interrupted,
    } = starting;
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(if shows_errors { Stdio::inherit() } else { Stdio::piped() });
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let program = program.to_owned();
            return Err(PeerError::Start { program, source });
        }
    };
    let said = Arc::new(Mutex::new(Vec::new()));
    if let Some(errors) = child.stderr.take() {
        let said = Arc::clone(&said);
        // Ends with the program; nobody waits for it, as what the program leaves running may hold the stream.
        thread::spawn(move || keep_last(errors, &said));
    }
    let (Some(input), Some(output)) = (child.stdout.take(), child.stdin.take()) else {
        return Err(PeerError::Broken {
            said: String::new(),
            source: None,
        });
    };
    let mut process = Process {
        child,
        said,
        program: program.to_owned(),
        there: there.to_owned(),
        interrupted: Arc::clone(&interrupted),
    };
    let link = PeerLink::new(Box::new(Waiting::on(input, interrupted)), Box::new(output));
    Ok(Some(link.with_ending(Box::new(move |error| process.why(error)))))
}

/// Keeps the last bytes that a stream gives.
fn keep_last(mut stream: impl Read, said: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 512];
    while let Ok(got) = stream.read(&mut buffer) {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(buffer.get(..got).unwrap_or_default());
        let surplus = said.len().saturating_sub(KEPT_BYTES);
        said.drain(..surplus);
        if got == 0 {
            return;
        }
    }
}

/// The program while the connection lasts; waits for its end when dropped.
struct Process {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
    program: String,
    there: String,
    interrupted: Arc<AtomicBool>,
}

impl Process {
    /// Waits for the end of the program, and makes it end after some time.
    fn end(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        while start.elapsed() < LONGEST_END {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => thread::sleep(pause),
                Err(_) => return None,
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
        // It may have ended just now.
        let _gone = self.child.kill();
        self.child.wait().ok()
    }

    /// Says why the connection is gone.
    fn why(&mut self, source: io::Error) -> PeerError {
        if self.interrupted.load(Ordering::Relaxed) {
            return PeerError::Interrupted;
        }
        let status = self.end();
        let bytes = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut said = lines.join("; ");
        if status.and_then(|status| status.code()) == Some(NOT_FOUND) {
            let program = self.there.clone();
            return PeerError::NoProgram { program, said };
        }
        if said.is_empty()
            && let Some(status) = status.filter(|status| !status.success())
        {
            said = format!("`{}` ended with {status}", self.program);
        }
        PeerError::Broken {
            said,
            source: Some(source),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _status = self.end();
    }
}

/// A stream of which a thread reads, so that waiting for it can be interrupted.
struct Waiting {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    interrupted: Arc<AtomicBool>,
}

impl Waiting {
    fn on(mut stream: ChildStdout, interrupted: Arc<AtomicBool>) -> Self {
        let (sender, pieces) = sync_channel(2);
        thread::spawn(move || {
            loop {
                let mut piece = vec![0; READ_BYTES];
                let got = match stream.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    got => got,
                };
                let is_end = !matches!(got, Ok(more) if more > 0);
                let piece = got.map(|length| {
                    piece.truncate(length);
                    piece
                });
                if sender.send(piece).is_err() || is_end {
                    return;
                }
            }
        });
        Self {
            pieces,
            piece: Vec::new(),
            at: 0,
            interrupted,
        }
    }
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.pieces.recv_timeout(STEP) {
                Ok(piece) => {
                    self.piece = piece?;
                    self.at = 0;
                    if self.piece.is_empty() {
                        return Ok(0);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) if self.interrupted.load(Ordering::Relaxed) => {
                    // Not of the kind `Interrupted`, which readers take as a reason to try again.
                    return Err(io::Error::other("interrupted"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let got = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..got), rest.get(..got)) {
            to.copy_from_slice(from);
        }
        self.at += got;
        Ok(got)
    }
}
