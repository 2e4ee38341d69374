//! A small HTTP server in this process: requests in, answers out, and the faults that real connections have.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request that arrived, its body whole.
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the connection broke before the body was whole.
    pub(crate) is_cut: bool,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the path without its escapes.
    pub(crate) fn path(&self) -> String {
        let path = self.target.split('?').next().unwrap();
        percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .unwrap()
            .into_owned()
    }

    /// Returns the parameters behind the `?`.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let url = url::Url::parse(&format!("http://x{}", self.target)).unwrap();
        url.query_pairs().into_owned().collect()
    }
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn of(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This status is answered and nothing done.
    Status(u16),
    /// This status is answered with this address, and nothing done.
    Redirect(u16, String),
    /// The connection ends instead of an answer; nothing is done.
    Reset,
    /// The connection ends after it was done and before the answer.
    LoseAnswer,
    /// The connection ends so many bytes into the body of the answer.
    CutAnswer(usize),
    /// The connection ends so many bytes into the body of the request.
    CutUpload(usize),
    /// Nothing is heard for so long.
    Stall(Duration),
}

struct Shared {
    handler: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
    faults: Mutex<Vec<(String, Fault)>>,
    log: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

/// A server that ends when it is dropped.
pub(crate) struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl HttpServer {
    pub(crate) fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            faults: Mutex::default(),
            log: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if server.stopped.load(Ordering::Relaxed) {
                    break;
                }
                let server = Arc::clone(&server);
                thread::spawn(move || serve(&server, &stream));
            }
        });
        Self { address, shared }
    }

    /// Returns `127.0.0.1:PORT`.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Lets the next requests of this method (any if empty) go wrong, one fault each, in the order of the calls.
    pub(crate) fn fail_next(&self, method: &str, fault: Fault) {
        self.shared.faults.lock().unwrap().push((method.to_owned(), fault));
    }

    /// Takes back what did not go wrong yet.
    pub(crate) fn forget_faults(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// Returns the requests since the last call, as `METHOD path`.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.log.lock().unwrap())
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(shared: &Shared, stream: &TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    while let Ok(true) = serve_one(shared, &mut reader, stream) {}
    // One that sent more than was read would get a reset before the answer.
    let _gone = stream.shutdown(Shutdown::Both);
}

/// Serves one request; returns whether the connection goes on.
fn serve_one(shared: &Shared, reader: &mut BufReader<&TcpStream>, mut out: &TcpStream) -> io::Result<bool> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 || shared.stopped.load(Ordering::Relaxed) {
        return Ok(false);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        is_cut: false,
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => request.headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let fault = {
        let mut faults = shared.faults.lock().unwrap();
        let fits = |(method, _): &(String, Fault)| method.is_empty() || *method == request.method;
        faults.iter().position(fits).map(|at| faults.remove(at).1)
    };
    shared
        .log
        .lock()
        .unwrap()
        .push(format!("{} {}", request.method, request.target));
    let length: u64 = request
        .header("Content-Length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let kept = match fault {
        Some(Fault::CutUpload(kept)) => length.min(kept as u64),
        _ => length,
    };
    reader.take(kept).read_to_end(&mut request.body)?;
    request.is_cut = (request.body.len() as u64) < length;
    match &fault {
        Some(Fault::Reset) => return Ok(false),
        Some(Fault::Stall(time)) => {
            thread::sleep(*time);
            return Ok(false);
        }
        _ => {}
    }
    let answer = match &fault {
        Some(Fault::Status(status)) => Answer::of(*status),
        Some(Fault::Redirect(status, to)) => Answer::of(*status).header("Location", to),
        _ => (shared.handler)(&request),
    };
    if request.is_cut || matches!(fault, Some(Fault::LoseAnswer)) {
        return Ok(false);
    }
    let mut head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    out.write_all(head.as_bytes())?;
    if request.method != "HEAD" {
        if let Some(Fault::CutAnswer(kept)) = fault {
            out.write_all(&answer.body[..kept.min(answer.body.len())])?;
            return Ok(false);
        }
        out.write_all(&answer.body)?;
    }
    Ok(true)
}
