//! Where a remote is: the forms of URLs, with passwords kept apart so that no text of an address shows them.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

/// Which protocol reaches a storage on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `http://`, `https://`: plain HTTP, and WebDAV where the server speaks it.
    Http,
    /// `dav://`, `davs://`: WebDAV over HTTP or HTTPS.
    Dav,
    /// `s3://bucket/prefix?endpoint=…`.
    S3,
    /// `sftp://`.
    Sftp,
    /// `ssh://`: a peer.
    Ssh,
}

/// Where a remote is.
///
/// `Display` and `Debug` show the address without a password; it is what configurations and reports keep.
#[derive(Debug, Clone)]
pub enum Address {
    /// A folder.
    Folder(PathBuf),
    /// A storage on the network.
    Network(NetworkAddress),
    /// A store on another machine.
    Peer(NetworkAddress),
}

/// An address on the network.
#[derive(Debug, Clone)]
pub struct NetworkAddress {
    /// How it is reached.
    pub protocol: Protocol,
    /// The address without a password.
    pub url: Url,
    /// The password that the address had in it.
    pub password: Option<SecretString>,
}

/// A text is no address that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The scheme is not one of a remote's.
    #[error("`{0}` is no kind of remote")]
    UnknownScheme(String),
    /// The scheme is that of a peer behind a server of its own.
    #[error("a peer (`{0}://`)")]
    PeerServer(String),
    /// The rest of the text breaks a rule.
    #[error("`{address}` cannot be the address of a remote: {reason}")]
    Malformed {
        /// The text, without a password.
        address: String,
        /// What is wrong.
        reason: String,
    },
}

impl Address {
    /// Reads an address; anything without a scheme is a folder.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        for prefix in ["file://", "file:"] {
            if let Some(path) = text.strip_prefix(prefix) {
                return Ok(Self::Folder(PathBuf::from(path)));
            }
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let protocol = match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => Protocol::Http,
            "dav" | "davs" => Protocol::Dav,
            "s3" => Protocol::S3,
            "sftp" => Protocol::Sftp,
            "ssh" => Protocol::Ssh,
            "dsync+http" | "dsync+https" => return Err(AddressError::PeerServer(scheme.to_owned())),
            _ => return Err(AddressError::UnknownScheme(scheme.to_owned())),
        };
        // The parser's message is about the text, which may hold a password: it is never shown.
        let malformed = |reason: &str| AddressError::Malformed {
            address: format!("{scheme}://…"),
            reason: reason.to_owned(),
        };
        let mut url = Url::parse(text).map_err(|error| malformed(&error.to_string()))?;
        let password = match url.password() {
            Some(password) => Some(decode(password).ok_or_else(|| malformed("its password is not UTF-8"))?),
            None => None,
        };
        url.set_password(None)
            .map_err(|()| malformed("it cannot have a password"))?;
        let reason = if url.host_str().unwrap_or_default().is_empty() {
            "it names no host"
        } else if url.fragment().is_some() {
            "it has a `#`"
        } else if url.query().is_some() && protocol != Protocol::S3 {
            "it has a `?`"
        } else {
            let address = NetworkAddress {
                protocol,
                url,
                password: password.map(SecretString::from),
            };
            return Ok(match protocol {
                Protocol::Ssh => Self::Peer(address),
                _ => Self::Network(address),
            });
        };
        Err(AddressError::Malformed {
            address: url.to_string(),
            reason: reason.to_owned(),
        })
    }
}

impl NetworkAddress {
    /// Returns the user that the address names.
    pub(super) fn user(&self) -> Option<String> {
        decode(self.url.username()).filter(|user| !user.is_empty())
    }

    /// Returns a parameter behind the `?`.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self.url.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(formatter, "{}", path.display()),
            Self::Network(address) | Self::Peer(address) => write!(formatter, "{}", address.url),
        }
    }
}

/// Takes the escapes out of a part of a URL; `None` where that is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let bytes = percent_encoding::percent_decode_str(text);
    bytes.decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use secrecy::ExposeSecret;

    use super::*;

    fn network(text: &str) -> NetworkAddress {
        match Address::parse(text).unwrap() {
            Address::Network(address) => address,
            other => panic!("{text} became {other:?}"),
        }
    }

    #[test]
    fn a_password_is_taken_out_and_never_shown() {
        let text = "davs://me%40home:p%40ss%2Fword@host:8443/dav/a%20b/";
        let address = network(text);
        assert_eq!(address.protocol, Protocol::Dav);
        assert_eq!(address.user().as_deref(), Some("me@home"));
        assert_eq!(
            address
                .password
                .as_ref()
                .map(|secret| secret.expose_secret().to_owned()),
            Some("p@ss/word".to_owned())
        );
        let shown = format!("{address:?} {}", Address::parse(text).unwrap());
        assert!(!shown.contains("p@ss") && !shown.contains("p%40ss"), "{shown}");
        assert!(shown.ends_with("davs://me%40home@host:8443/dav/a%20b/"), "{shown}");
    }

    #[test]
    fn a_malformed_address_is_told_without_its_password() {
        for text in [
            "https://me:secret@host/x?token=1",
            "https://me:secret@host:99999999/x",
            "sftp://me:secret@/x",
            "https://me:secret@host/x#part",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn paths_are_folders_and_schemes_are_told_apart() {
        for (text, path) in [("/a/b", "/a/b"), ("file:/a", "/a"), ("file:///a", "/a"), ("a:b", "a:b")] {
            assert!(matches!(Address::parse(text), Ok(Address::Folder(folder)) if folder.as_path() == Path::new(path)));
        }
        assert_eq!(
            network("s3://bucket/a?endpoint=http://h:9")
                .parameter("endpoint")
                .as_deref(),
            Some("http://h:9")
        );
        assert!(matches!(Address::parse("ssh://host/x"), Ok(Address::Peer(_))));
        assert!(matches!(
            Address::parse("dsync+http://host/x"),
            Err(AddressError::PeerServer(_))
        ));
        assert!(matches!(
            Address::parse("gopher://host/x"),
            Err(AddressError::UnknownScheme(_))
        ));
    }
}
