//! Messages over two streams of bytes.

use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use super::error::PeerError;
use super::message::{MessageError, PeerMessage};

/// What each side says first; anything else comes from a program that is no peer.
const GREETING: [u8; 8] = *b"dsyncP1\n";
/// How much of what a stranger says is shown, in bytes.
const SHOWN_BYTES: u64 = 160;

/// How a connection ended, where that is known; says why reading or writing failed.
pub(super) type Ending = Box<dyn FnMut(io::Error) -> PeerError + Send>;

/// A connection to a peer.
pub struct PeerLink {
    input: Box<dyn Read + Send>,
    /// Goes before `ending`, which waits for the other side to see that.
    output: Option<Box<dyn Write + Send>>,
    ending: Option<Ending>,
    greeted: (bool, bool),
    sent_bytes: u64,
    received_bytes: u64,
    pace: Option<Pace>,
}

impl std::fmt::Debug for PeerLink {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PeerLink")
            .field("sent_bytes", &self.sent_bytes)
            .field("received_bytes", &self.received_bytes)
            .finish_non_exhaustive()
    }
}

impl PeerLink {
    /// Makes a link over two streams.
    pub fn new(input: Box<dyn Read + Send>, output: Box<dyn Write + Send>) -> Self {
        Self {
            input,
            output: Some(output),
            ending: None,
            greeted: (false, false),
            sent_bytes: 0,
            received_bytes: 0,
            pace: None,
        }
    }

    /// Sets who explains failures, and waits for the end of the connection when the link is dropped.
    pub(super) fn with_ending(self, ending: Ending) -> Self {
        Self {
            ending: Some(ending),
            ..self
        }
    }

    /// Keeps what goes through below so many bytes in a second.
    pub(super) fn with_limit(self, bytes_per_second: Option<u64>) -> Self {
        Self {
            pace: bytes_per_second.map(|limit| Pace {
                bytes_per_second: limit.max(1),
                through: Instant::now(),
            }),
            ..self
        }
    }

    /// Returns how many bytes were sent.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Returns how many bytes were received.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// Sends a message.
    pub fn send(&mut self, message: &PeerMessage) -> Result<(), PeerError> {
        let body = message.encode();
        let kind = message.kind();
        let length = u32::try_from(body.len())
            .ok()
            .filter(|_| PeerMessage::longest(kind).is_ok_and(|most| body.len() <= most));
        let Some(length) = length else {
            return Err(MessageError::Length {
                length_bytes: body.len() as u64,
            }
            .into());
        };
        let mut head = Vec::with_capacity(GREETING.len() + 5);
        if !std::mem::replace(&mut self.greeted.0, true) {
            head.extend_from_slice(&GREETING);
        }
        head.push(kind);
        head.extend_from_slice(&length.to_le_bytes());
        let length_bytes = (head.len() + body.len()) as u64;
        let result = match &mut self.output {
            Some(output) => output
                .write_all(&head)
                .and_then(|()| output.write_all(&body))
                .and_then(|()| output.flush()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        result.map_err(|error| self.failed(error))?;
        self.sent_bytes += length_bytes;
        self.pay(length_bytes);
        Ok(())
    }

    /// Waits for the next message; [`PeerError::Ended`] where the other side has ended between two messages.
    ///
    /// A refusal is an error.
    pub fn receive(&mut self) -> Result<PeerMessage, PeerError> {
        if !std::mem::replace(&mut self.greeted.1, true) {
            self.check_greeting()?;
        }
        let mut head = [0; 5];
        match self.fill(&mut head)? {
            0 => return Err(PeerError::Ended),
            5 => {}
            _ => return Err(self.failed(io::ErrorKind::UnexpectedEof.into())),
        }
        let [kind, length @ ..] = head;
        let length = u32::from_le_bytes(length);
        if u64::from(length) > PeerMessage::longest(kind)? as u64 {
            return Err(MessageError::Length {
                length_bytes: u64::from(length),
            }
            .into());
        }
        // Memory follows what arrives, not what was announced.
        let mut body = Vec::new();
        let got = Read::by_ref(&mut self.input)
            .take(u64::from(length))
            .read_to_end(&mut body);
        got.map_err(|error| self.failed(error))?;
        if body.len() as u64 != u64::from(length) {
            return Err(self.failed(io::ErrorKind::UnexpectedEof.into()));
        }
        let length_bytes = 5 + u64::from(length);
        self.received_bytes += length_bytes;
        self.pay(length_bytes);
        match PeerMessage::decode(kind, &body)? {
            PeerMessage::Refused { because, text } => Err(PeerError::Refused { because, text }),
            message => Ok(message),
        }
    }

    fn check_greeting(&mut self) -> Result<(), PeerError> {
        let mut greeting = [0; GREETING.len()];
        let got = self.fill(&mut greeting)?;
        if greeting == GREETING {
            self.received_bytes += got as u64;
            return Ok(());
        }
        let mut said = greeting.get(..got).unwrap_or_default().to_vec();
        if got < GREETING.len() && GREETING.starts_with(&said) {
            return Err(self.failed(io::ErrorKind::UnexpectedEof.into()));
        }
        let _what_comes = Read::by_ref(&mut self.input).take(SHOWN_BYTES).read_to_end(&mut said);
        Err(PeerError::NotAPeer {
            said: String::from_utf8_lossy(&said).trim().to_owned(),
        })
    }

    /// Reads until `buffer` is full or the stream ends; returns how much was read.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, PeerError> {
        let mut got = 0;
        while let Some(rest) = buffer.get_mut(got..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(got)
    }

    fn failed(&mut self, error: io::Error) -> PeerError {
        match &mut self.ending {
            Some(ending) => {
                // The other side sees the end, so that it ends too and can be asked why.
                drop(self.output.take());
                ending(error)
            }
            None => PeerError::Broken {
                said: String::new(),
                source: Some(error),
            },
        }
    }

    fn pay(&mut self, length_bytes: u64) {
        if let Some(pace) = &mut self.pace {
            pace.pay(length_bytes);
        }
    }
}

/// A limit to the rate.
struct Pace {
    bytes_per_second: u64,
    /// When what went through so far would be through at the wanted rate.
    through: Instant,
}

impl Pace {
    fn pay(&mut self, length_bytes: u64) {
        let cost = Duration::from_nanos(length_bytes.saturating_mul(1_000_000_000) / self.bytes_per_second);
        self.through = self.through.max(Instant::now()) + cost;
        thread::sleep(self.through.saturating_duration_since(Instant::now()));
    }
}
