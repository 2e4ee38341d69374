//! One HTTP client for everything that speaks it: timeouts on every step, own rules for redirects, faults told apart.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION, WWW_AUTHENTICATE};
use ureq::http::{HeaderMap, Request, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Timeout};
use url::Url;

use super::super::network::{Network, TransportOptions};
use super::super::storage::{StorageError, StorageResult};

/// The longest wait for a name, a connection and its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest wait for the next bytes, for room to send more and for an answer to begin: a server may have to copy
/// a large object first.
const STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Redirects followed for one request (chosen; browsers allow 20, storages need one or two).
const MOST_REDIRECTS: u32 = 5;
/// The longest answer that is read where no length was asked for: listings and errors.
const MOST_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// A request. Its address may be signed, so it has no text form.
#[derive(Clone)]
pub(in super::super) struct Call<'a> {
    pub(in super::super) method: &'static str,
    pub(in super::super) url: Url,
    pub(in super::super) headers: Vec<(&'static str, String)>,
    pub(in super::super) body: Option<&'a [u8]>,
}

impl<'a> Call<'a> {
    pub(in super::super) fn new(method: &'static str, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
        }
    }

    pub(in super::super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(in super::super) fn body(mut self, body: &'a [u8]) -> Self {
        self.body = Some(body);
        self
    }
}

/// An answer whose body was not read yet.
pub(in super::super) struct Answer {
    pub(in super::super) status: u16,
    headers: HeaderMap,
    body: Body,
}

impl Answer {
    /// Returns a header that is text.
    pub(in super::super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(in super::super) fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH.as_str())?.trim().parse().ok()
    }

    pub(in super::super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads at most so many bytes of the body. One that is cut off before its stated end is a temporary fault.
    pub(in super::super) fn read(self, name: &str, most: u64) -> StorageResult<Vec<u8>> {
        let expected = usize::try_from(self.content_length().unwrap_or(0).min(most)).unwrap_or(0);
        // Room for what is announced, but not for what merely could be.
        let mut bytes = Vec::with_capacity(expected.min(16 * 1024 * 1024));
        let reader = self.body.into_with_config().limit(u64::MAX).reader();
        match reader.take(most).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(StorageError::Failed {
                action: "read",
                name: name.to_owned(),
                temporary: true,
                source: Arc::new(error),
            }),
        }
    }

    /// Reads an answer that is no object.
    pub(in super::super) fn text(self, name: &str) -> StorageResult<Vec<u8>> {
        self.read(name, MOST_ANSWER_BYTES)
    }

    /// Turns an answer that is none of the expected ones into an error.
    pub(in super::super) fn fault(self, action: &'static str, name: &str) -> StorageError {
        let status = self.status;
        let denied = |why: String| StorageError::Denied {
            name: name.to_owned(),
            source: Some(Arc::new(io::Error::other(why))),
        };
        match status {
            401 => denied(self.wanted_login()),
            405 if matches!(action, "write" | "delete") => {
                denied("the server takes no changes (405): it can be cloned and pulled from, not pushed to".to_owned())
            }
            403 => denied("the server forbids it (403) to this user".to_owned()),
            404 | 410 => StorageError::NotFound { name: name.to_owned() },
            407 => denied("the proxy asks for a user and password (407); put them into its URL".to_owned()),
            _ => {
                let reason = StatusCode::from_u16(status).ok();
                let reason = reason.and_then(|code| code.canonical_reason()).unwrap_or("no reason");
                let kind = if status == 507 {
                    io::ErrorKind::StorageFull
                } else {
                    io::ErrorKind::Other
                };
                StorageError::Failed {
                    action,
                    name: name.to_owned(),
                    // Timeouts, overload and faults behind the server pass; what it cannot do at all does not.
                    temporary: matches!(status, 408 | 423 | 425 | 429 | 500 | 502 | 503 | 504),
                    source: Arc::new(io::Error::new(kind, format!("the server answers {status} {reason}"))),
                }
            }
        }
    }

    fn wanted_login(&self) -> String {
        let schemes = self.headers.get_all(WWW_AUTHENTICATE);
        let schemes: Vec<_> = schemes.iter().filter_map(|value| value.to_str().ok()).collect();
        let offers = |scheme: &str| {
            let matches = |value: &&str| {
                value
                    .get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            };
            schemes.iter().any(matches)
        };
        if offers("digest") && !offers("basic") {
            return "the server wants Digest authentication (401), which dsync does not speak; \
                    let it offer Basic over TLS"
                .to_owned();
        }
        "the server wants another user or password (401): name a file with the password by `--password-file`, or put \
         the login into ~/.netrc"
            .to_owned()
    }
}

/// An HTTP client for one storage.
pub(in super::super) struct Client {
    agent: Agent,
    /// The `Authorization` header, and for which origin.
    authorization: Option<(url::Origin, SecretString)>,
    redirects: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; proxies are those of the environment.
    pub(in super::super) fn new(options: &TransportOptions, network: &Network) -> StorageResult<Self> {
        let roots = match &options.ca_file {
            Some(path) => RootCerts::Specific(Arc::new(certificates(network, path)?)),
            None => RootCerts::PlatformVerifier,
        };
        let stall = options.stall_timeout.unwrap_or(STALL_TIMEOUT);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("dsync/", env!("CARGO_PKG_VERSION")))
            .accept("*/*")
            .accept_encoding("identity")
            .timeout_resolve(Some(CONNECT_TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(stall))
            .timeout_per_read(Some(stall))
            .timeout_per_write(Some(stall))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build()
            .new_agent();
        Ok(Self {
            agent,
            authorization: None,
            redirects: true,
        })
    }

    /// Hands redirects out as answers: what is signed for one address is not for another.
    pub(in super::super) fn without_redirects(mut self) -> Self {
        self.redirects = false;
        self
    }

    /// Sends a login with every request to the origin of `url`.
    pub(in super::super) fn authorize(&mut self, url: &Url, login: Option<&Login>) {
        self.authorization = login.map(|login| (url.origin(), login.header()));
    }

    /// Sends a request and follows redirects.
    pub(in super::super) fn send(&self, action: &'static str, name: &str, call: &Call<'_>) -> StorageResult<Answer> {
        let mut url = call.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let answer = self
                .send_once(call, &url)
                .map_err(|error| fault(action, name, &url, error))?;
            if !self.redirects {
                return Ok(answer);
            }
            match redirect(call.method, &url, &answer) {
                Redirect::None => return Ok(answer),
                Redirect::To(next) => url = next,
                Redirect::Refused(why) => {
                    return Err(StorageError::Failed {
                        action,
                        name: name.to_owned(),
                        temporary: false,
                        source: Arc::new(io::Error::other(why)),
                    });
                }
            }
        }
        Err(StorageError::Failed {
            action,
            name: name.to_owned(),
            temporary: false,
            source: Arc::new(io::Error::other("the server redirects again and again")),
        })
    }

    fn send_once(&self, call: &Call<'_>, url: &Url) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(call.method).uri(url.as_str());
        for (header, value) in &call.headers {
            request = request.header(*header, value);
        }
        if let Some((origin, header)) = &self.authorization
            && *origin == url.origin()
        {
            request = request.header(AUTHORIZATION, header.expose_secret());
        }
        let response = match call.body {
            Some(body) => self.agent.run(request.body(body)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }
}

/// Who to be towards a server.
#[derive(Debug, Clone)]
pub(in super::super) enum Login {
    /// RFC 7617.
    Basic { user: String, password: SecretString },
    /// RFC 6750.
    Bearer(SecretString),
}

impl Login {
    fn header(&self) -> SecretString {
        let text = match self {
            Self::Basic { user, password } => {
                let pair = format!("{user}:{}", password.expose_secret());
                format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))
            }
            Self::Bearer(token) => format!("Bearer {}", token.expose_secret()),
        };
        SecretString::from(text)
    }
}

enum Redirect {
    None,
    To(Url),
    Refused(String),
}

/// Decides about a redirect. What changes the storage follows only answers that keep the method (307, 308), and
/// nothing leaves TLS.
fn redirect(method: &str, url: &Url, answer: &Answer) -> Redirect {
    let reads = matches!(method, "GET" | "HEAD" | "PROPFIND");
    match answer.status {
        301 | 302 if reads => {}
        307 | 308 => {}
        301..=303 => {
            return Redirect::Refused(format!(
                "the server redirects a {method} ({}); use the address it stands for",
                answer.status
            ));
        }
        _ => return Redirect::None,
    }
    let Some(target) = answer.header(LOCATION.as_str()).and_then(|to| url.join(to).ok()) else {
        return Redirect::Refused("the server redirects to nowhere".to_owned());
    };
    if !matches!(target.scheme(), "http" | "https") || (url.scheme() == "https" && target.scheme() == "http") {
        return Redirect::Refused(format!("the server redirects to {}://, without TLS", target.scheme()));
    }
    Redirect::To(target)
}

fn certificates(network: &Network, path: &Path) -> StorageResult<Vec<Certificate<'static>>> {
    let bad = |why: &str| StorageError::Failed {
        action: "use the certificates in",
        name: path.display().to_string(),
        temporary: false,
        source: Arc::new(io::Error::other(why.to_owned())),
    };
    let text = network.read_text(path)?.ok_or_else(|| bad("there is no such file"))?;
    let mut list = Vec::new();
    for item in parse_pem(text.as_bytes()) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| bad("it is not PEM"))? {
            list.push(certificate);
        }
    }
    if list.is_empty() {
        return Err(bad("it has no PEM certificate"));
    }
    Ok(list)
}

/// Turns a failure of the transport into an error that says whether trying again may help.
fn fault(action: &'static str, name: &str, url: &Url, error: ureq::Error) -> StorageError {
    let location = url.origin().ascii_serialization();
    let lost = match &error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Timeout(timeout) => matches!(timeout, Timeout::Resolve | Timeout::Connect),
        ureq::Error::Io(error) => {
            let kinds = [
                io::ErrorKind::ConnectionRefused,
                io::ErrorKind::HostUnreachable,
                io::ErrorKind::NetworkUnreachable,
                io::ErrorKind::NetworkDown,
            ];
            // A name that is not found has no kind of its own.
            kinds.contains(&error.kind()) || error.to_string().contains("lookup address")
        }
        _ => false,
    };
    if lost {
        return StorageError::Unreachable {
            location,
            source: Some(Arc::new(error)),
        };
    }
    if let Some(why) = distrust(&error) {
        return StorageError::Denied {
            name: location,
            source: Some(Arc::new(io::Error::other(format!(
                "the server's certificate is not trusted ({why}); name its authority by `--ca-file`"
            )))),
        };
    }
    let temporary = matches!(
        error,
        ureq::Error::Timeout(_) | ureq::Error::Io(_) | ureq::Error::Protocol(_)
    );
    StorageError::Failed {
        action,
        name: name.to_owned(),
        temporary,
        source: Arc::new(error),
    }
}

/// Returns why a certificate was refused, if that is the failure.
fn distrust(error: &ureq::Error) -> Option<String> {
    let text = match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => error.to_string(),
        ureq::Error::Rustls(error) => error.to_string(),
        _ => return None,
    };
    text.contains("certificate").then_some(text)
}
