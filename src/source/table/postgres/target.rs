//! Where a server is and who asks: the URL, and what the variables and password files of `PostgreSQL`'s own clients
//! add where it is silent.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use postgres::Config;
use postgres::config::Host;

use crate::disk::Disk;
use crate::source::SourceError;
use crate::source::table::Location;

use super::tls::{self, Mode};

/// How long a connection may take to come about, unless the URL or `PGCONNECT_TIMEOUT` says otherwise (chosen).
const CONNECT: Duration = Duration::from_secs(10);
/// The port that servers have by default.
const PORT: u16 = 5432;
/// Where servers of this machine have their socket by default (Debian, Red Hat; `PostgreSQL`'s own builds).
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Returns whether a location is the URL of a `PostgreSQL` server.
pub(in crate::source::table) fn is_url(location: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| location.starts_with(scheme))
}

/// A typed location in its parts.
#[derive(Clone, PartialEq, Eq)]
pub struct Parts {
    /// The URL without password and table.
    pub url: String,
    /// The table, with or without its schema.
    pub table: Option<String>,
    /// The password, if the URL had one.
    pub password: Option<String>,
}

impl fmt::Debug for Parts {
    /// Without the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}", self.url, self.table.as_deref().unwrap_or_default())
    }
}

/// Splits `postgres://user:password@host:port/database?options#schema.table`.
pub fn split(location: &str) -> Result<Parts, String> {
    let (scheme, rest) = location.split_once("://").ok_or("it is no URL")?;
    // A password may have a `#` in it, so the table is looked for behind the host.
    let authority_end = rest.find(['/', '?']).unwrap_or_else(|| match rest.rfind('@') {
        Some(at) => rest
            .get(at..)
            .and_then(|host| host.find('#'))
            .map_or(rest.len(), |hash| at + hash),
        None => rest.find('#').unwrap_or(rest.len()),
    });
    let (authority, tail) = rest.split_at(authority_end);
    let (tail, table) = match tail.split_once('#') {
        Some((tail, table)) => (tail, Some(table).filter(|table| !table.is_empty())),
        None => (tail, None),
    };
    let (whole, _) = tls::take(&format!("{scheme}://{authority}{tail}"))?;
    let config: Config = whole.parse().map_err(|error| reason(&error))?;
    let password = config
        .get_password()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split_once(':').map_or(user, |(user, _)| user)),
        None => authority.to_owned(),
    };
    let tail = match tail.split_once('?') {
        Some((path, query)) => {
            let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("password=")).collect();
            if kept.is_empty() {
                path.to_owned()
            } else {
                format!("{path}?{}", kept.join("&"))
            }
        }
        None => tail.to_owned(),
    };
    Ok(Parts {
        url: format!("{scheme}://{authority}{tail}"),
        table: table.map(str::to_owned),
        password,
    })
}

fn reason(error: &postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let what = cause.unwrap_or_else(|| error.to_string());
    format!("{what}; the form is postgres://USER@HOST:PORT/DATABASE#SCHEMA.TABLE, with ?sslmode= and other options")
}

/// Reads a variable of `PostgreSQL`'s clients. They are this place's own protocol, not options of this program.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn word(name: &str) -> Option<String> {
    variable(name)?.into_string().ok()
}

/// Returns everything that is needed to connect.
pub(super) fn config(disk: &Disk, location: &Location) -> Result<(Config, tls::Connector), SourceError> {
    let url = location.path.to_string_lossy();
    let wrap = |reason: String| SourceError::Place {
        location: url.clone().into_owned(),
        reason,
    };
    let (stripped, wishes) = tls::take(&url).map_err(wrap)?;
    let mut config: Config = stripped.parse().map_err(|error| wrap(reason(&error)))?;
    if config.get_hosts().is_empty() {
        let socket = || {
            SOCKETS
                .iter()
                .find(|path| has_socket(disk, path))
                .map(|path| (*path).to_owned())
        };
        let host = word("PGHOST").or_else(socket);
        config.host(host.as_deref().unwrap_or("localhost"));
    }
    if config.get_ports().is_empty() {
        config.port(word("PGPORT").and_then(|port| port.parse().ok()).unwrap_or(PORT));
    }
    let own = || word("USER").or_else(|| word("LOGNAME"));
    if config.get_user().is_none()
        && let Some(user) = word("PGUSER").or_else(own)
    {
        config.user(&user);
    }
    if config.get_dbname().is_none()
        && let Some(name) = word("PGDATABASE")
    {
        config.dbname(&name);
    }
    let mode = match (wishes.mode, word("PGSSLMODE")) {
        (Some(mode), _) => mode,
        (None, Some(word)) => Mode::parse(&word).map_err(|reason| wrap(format!("PGSSLMODE: {reason}")))?,
        (None, None) => Mode::Prefer,
    };
    let roots = wishes.roots.or_else(|| word("PGSSLROOTCERT"));
    config.ssl_mode(mode.ssl_mode());
    let read = |path: &str| disk.read(&PathBuf::from(path)).map_err(|error| super::chain(&error));
    let connector = tls::connector(mode, roots.as_deref(), read).map_err(wrap)?;
    if config.get_connect_timeout().is_none() {
        let seconds = word("PGCONNECT_TIMEOUT").and_then(|seconds| seconds.parse().ok());
        config.connect_timeout(seconds.map_or(CONNECT, Duration::from_secs));
    }
    if config.get_application_name().is_none() {
        config.application_name("dsync");
    }
    if config.get_password().is_none()
        && let Some(password) = password(disk, location, &config)?
    {
        config.password(password);
    }
    Ok((config, connector))
}

fn has_socket(disk: &Disk, folder: &str) -> bool {
    let path = PathBuf::from(folder).join(format!(".s.PGSQL.{PORT}"));
    disk.stat(&path).is_ok_and(|stat| stat.is_some())
}

/// Finds the password: that of the source, that of the environment, that of the person's password file.
fn password(disk: &Disk, location: &Location, config: &Config) -> Result<Option<String>, SourceError> {
    if let Some(path) = &location.password_file {
        let text = disk.read(path)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        return Ok(Some(
            text.strip_suffix('\n').map_or(text.as_str(), |text| text).to_owned(),
        ));
    }
    if let Some(password) = word("PGPASSWORD") {
        return Ok(Some(password));
    }
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
    let Some(path) = variable("PGPASSFILE").map(PathBuf::from).or_else(home) else {
        return Ok(None);
    };
    // Clients of PostgreSQL pass over a file that they cannot read.
    let Ok(text) = disk.read(&path) else { return Ok(None) };
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(PORT).to_string();
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    Ok(listed(&String::from_utf8_lossy(&text), &[&host, &port, database, user]))
}

/// Finds the first line `host:port:database:user:password` of a password file that fits; `*` fits all, `\` escapes.
fn listed(text: &str, wanted: &[&str; 4]) -> Option<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(fields).find_map(|fields| {
        let (password, names) = fields.split_last()?;
        let fits = names.len() == wanted.len()
            && names
                .iter()
                .zip(wanted)
                .all(|(name, wanted)| name == "*" || name == wanted);
        fits.then(|| password.clone())
    })
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let taken = match character {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => characters.next(),
            other => Some(other),
        };
        if let Some(field) = fields.last_mut() {
            field.extend(taken);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_split_and_its_password_taken_out() {
        for (typed, url, table, password) in [
            (
                "postgres://me@host/db#prices",
                "postgres://me@host/db",
                Some("prices"),
                None,
            ),
            (
                "postgresql://me:pw@host:1/db#a.b",
                "postgresql://me@host:1/db",
                Some("a.b"),
                Some("pw"),
            ),
            (
                "postgres://me:p%23w@host/db",
                "postgres://me@host/db",
                None,
                Some("p#w"),
            ),
            (
                "postgres://me:p#w@host/db#t",
                "postgres://me@host/db",
                Some("t"),
                Some("p#w"),
            ),
            ("postgres://me:p#w@host#t", "postgres://me@host", Some("t"), Some("p#w")),
            (
                "postgres://host/db?password=x&sslmode=disable#t",
                "postgres://host/db?sslmode=disable",
                Some("t"),
                Some("x"),
            ),
            (
                "postgres://host/db?password=x#t",
                "postgres://host/db",
                Some("t"),
                Some("x"),
            ),
            ("postgres:///db#t", "postgres:///db", Some("t"), None),
        ] {
            let parts = split(typed).unwrap();
            assert_eq!(
                (parts.url.as_str(), parts.table.as_deref(), parts.password.as_deref()),
                (url, table, password),
                "{typed}"
            );
        }
        assert!(split("postgres://host:port/db").is_err());
        let verified = split("postgres://host/db?sslmode=verify-full#t").unwrap();
        assert_eq!(verified.url, "postgres://host/db?sslmode=verify-full");
        assert!(split("postgres://host/db?sslmode=full").is_err());
    }

    #[test]
    fn password_files_are_read_as_their_owners_mean_them() {
        let file = "# a:1:b:c:no\nhost:5432:db:me:first\n*:*:*:me:a\\:b\\\\c:d\n";
        let find = |host, user| listed(file, &[host, "5432", "db", user]);
        assert_eq!(find("host", "me").as_deref(), Some("first"));
        assert_eq!(find("other", "me").as_deref(), Some("a:b\\c:d"));
        assert_eq!(find("host", "you"), None);
    }
}
