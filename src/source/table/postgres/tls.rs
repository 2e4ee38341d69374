//! TLS: what a URL asks of it, as `PostgreSQL`'s own clients read `sslmode` and `sslrootcert`, and the stream.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use postgres::Socket;
use postgres::config::SslMode;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The options of a URL that are about TLS; the crate that connects knows some of them alone.
const OPTIONS: [&str; 2] = ["sslmode", "sslrootcert"];
/// The word for the certificates that this machine trusts.
const SYSTEM: &str = "system";

/// What is asked of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    /// Reads a mode as people write it.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            other => {
                let known = "disable, prefer, require, verify-ca and verify-full are known";
                return Err(format!("sslmode is `{other}`; {known}"));
            }
        })
    }

    /// Returns what the crate that connects has to know.
    pub(super) fn ssl_mode(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        }
    }
}

/// The wishes of a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) mode: Option<Mode>,
    /// A file of certificates, or [`SYSTEM`].
    pub(super) roots: Option<String>,
}

/// Takes the options that are about TLS out of a URL.
pub(super) fn take(url: &str) -> Result<(String, Wishes), String> {
    let Some((head, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), Wishes::default()));
    };
    let mut wishes = Wishes::default();
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !OPTIONS.contains(&name) {
            kept.push(pair);
            continue;
        }
        let value = percent_encoding::percent_decode_str(value)
            .decode_utf8_lossy()
            .into_owned();
        if name == "sslmode" {
            wishes.mode = Some(Mode::parse(&value)?);
        } else {
            wishes.roots = Some(value);
        }
    }
    let url = if kept.is_empty() {
        head.to_owned()
    } else {
        format!("{head}?{}", kept.join("&"))
    };
    Ok((url, wishes))
}

/// Makes the connector for a mode; `read` reads a file of certificates.
pub(super) fn connector(
    mode: Mode,
    roots: Option<&str>,
    read: impl Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Connector, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let told = |error: rustls::Error| format!("TLS cannot be set up: {error}");
    let verifier: Arc<dyn ServerCertVerifier> = match (mode, roots) {
        (Mode::Disable | Mode::Prefer, _) | (Mode::Require, None) => Arc::new(Any(provider.clone())),
        (_, None | Some(SYSTEM)) => {
            let system = rustls_platform_verifier::Verifier::new(provider.clone()).map_err(told)?;
            Arc::new(Known {
                chain: Arc::new(system),
                roots: Vec::new(),
                checks_name: mode == Mode::VerifyFull,
            })
        }
        (_, Some(file)) => {
            let bad = |reason: String| format!("sslrootcert `{file}` {reason}");
            let text = read(file)?;
            let list: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&text).collect();
            let list = list.map_err(|error| bad(format!("is no file of certificates: {error}")))?;
            let mut store = RootCertStore::empty();
            let (added, _) = store.add_parsable_certificates(list.clone());
            if added == 0 {
                return Err(bad("has no certificate in it".to_owned()));
            }
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone());
            Arc::new(Known {
                chain: chain.build().map_err(|error| bad(format!("cannot be used: {error}")))?,
                roots: list,
                checks_name: mode == Mode::VerifyFull,
            })
        }
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(told)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Connector {
        config: Arc::new(config),
    })
}

/// Takes any certificate: what `prefer` and `require` ask is that nobody listens, not who answers.
#[derive(Debug)]
struct Any(Arc<CryptoProvider>);

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Takes certificates that somebody known vouches for, or that are known themselves.
#[derive(Debug)]
struct Known {
    chain: Arc<dyn ServerCertVerifier>,
    /// Certificates that a person named.
    roots: Vec<CertificateDer<'static>>,
    checks_name: bool,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = self
            .chain
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let wrong_name = |error: &CertificateError| {
            matches!(
                error,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        };
        match found {
            Err(rustls::Error::InvalidCertificate(error)) if wrong_name(&error) && !self.checks_name => {
                Ok(ServerCertVerified::assertion())
            }
            // A server's own certificate that a person named needs nobody who vouches for it.
            Err(rustls::Error::InvalidCertificate(error))
                if !wrong_name(&error) && self.roots.iter().any(|root| root == end_entity) =>
            {
                if self.checks_name {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                }
                if matches!(
                    error,
                    CertificateError::Expired
                        | CertificateError::ExpiredContext { .. }
                        | CertificateError::NotValidYet
                        | CertificateError::NotValidYetContext { .. }
                ) {
                    return Err(error.into());
                }
                Ok(ServerCertVerified::assertion())
            }
            found => found,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// Makes streams under TLS.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<ClientConfig>,
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream;
    type TlsConnect = Connect;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connect, Self::Error> {
        Ok(Connect {
            config: self.config.clone(),
            name: ServerName::try_from(host.to_owned())?,
        })
    }
}

/// A connection that is about to be put under TLS.
pub(super) struct Connect {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl TlsConnect<Socket> for Connect {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let handshake = tokio_rustls::TlsConnector::from(self.config).connect(self.name, socket);
        Box::pin(async move { Ok(Stream(handshake.await?)) })
    }
}

/// A stream under TLS.
pub(super) struct Stream(tokio_rustls::client::TlsStream<Socket>);

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, out)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_tls_is_taken_out_of_a_url() {
        let (url, wishes) =
            take("postgres://h/d?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fa%20b.pem").unwrap();
        assert_eq!(url, "postgres://h/d?connect_timeout=3");
        assert_eq!(
            (wishes.mode, wishes.roots.as_deref()),
            (Some(Mode::VerifyFull), Some("/a b.pem"))
        );
        assert_eq!(take("postgres://h/d?sslmode=require").unwrap().0, "postgres://h/d");
        assert!(
            take("postgres://h/d?sslmode=sometimes")
                .unwrap_err()
                .contains("verify-full")
        );
    }

    #[test]
    fn a_file_without_certificates_is_told() {
        let made =
            |text: &'static str| connector(Mode::VerifyCa, Some("ca.pem"), move |_| Ok(text.as_bytes().to_vec()));
        assert!(made("").err().unwrap().contains("ca.pem"));
        assert!(
            made("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                .err()
                .unwrap()
                .contains("ca.pem")
        );
        assert!(connector(Mode::Require, None, |_| Err("unread".to_owned())).is_ok());
    }
}
