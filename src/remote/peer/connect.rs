//! The way to a peer: by the `ssh` program as git does it, else by libssh2.

use std::process::Command;
use std::sync::Arc;

use super::command::{Starting, start};
use super::error::PeerError;
use super::link::PeerLink;
use crate::remote::address::{NetworkAddress, decode};
use crate::remote::network::{Network, TransportOptions};

/// The variable that names another program than `ssh`, as a command line for the shell.
const SSH_COMMAND: &str = "DSYNC_SSH_COMMAND";
/// What dsync is called on other machines.
const PROGRAM: &str = "dsync";
/// How often `ssh` asks a silent machine whether it is still there, in seconds: else a dead line is waited for without end.
const ALIVE_INTERVAL: &str = "ServerAliveInterval=30";

/// Connects to the store that an `ssh://` address names.
///
/// The `ssh` program is used where there is one, so that everything in a person's configuration counts; a password, which
/// must not stand in a command line, and a machine without that program take libssh2.
pub fn connect_peer(
    address: &NetworkAddress,
    options: &TransportOptions,
    network: &Network,
) -> Result<PeerLink, PeerError> {
    let there = options.peer_program.as_deref().unwrap_or(PROGRAM);
    let serve = serve_command(there, address)?;
    let password = address.password.as_ref().or(options.password.as_ref());
    let named = options.ssh_command.as_deref().or_else(|| network.variable(SSH_COMMAND));
    let link = if password.is_some() && named.is_none() {
        None
    } else {
        let words = ssh_words(address, options, network, named.is_some(), &serve)?;
        let mut command = match named {
            Some(line) => {
                // As git does it: the line may have words of its own.
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{line} \"$@\""), line]);
                shell
            }
            None => Command::new("ssh"),
        };
        command.args(words);
        start(Starting {
            command,
            program: named.unwrap_or("ssh"),
            there,
            shows_errors: network.ask.is_there(),
            interrupted: Arc::clone(&network.interrupted),
        })?
    };
    let link = match link {
        Some(link) => link,
        None => by_library(address, options, network, &serve)?,
    };
    Ok(link.with_limit(options.limit_bytes_per_second))
}

/// Returns what the shell of the other machine is to run.
fn serve_command(program: &str, address: &NetworkAddress) -> Result<String, PeerError> {
    let unusable = || PeerError::Unusable(format!("`{}` names no folder of another machine", address.url));
    let path = decode(address.url.path()).ok_or_else(unusable)?;
    // As in git's addresses, `/~/` is the folder in which a login starts.
    let path = match path.strip_prefix("/~/") {
        Some("") => ".".to_owned(),
        Some(inner) => format!("./{inner}"),
        None if path == "/~" => ".".to_owned(),
        None => path,
    };
    if path.is_empty() || path.contains('\0') {
        return Err(unusable());
    }
    Ok(format!("{program} serve --stdio '{}'", path.replace('\'', r"'\''")))
}

/// Returns the words for `ssh`.
fn ssh_words(
    address: &NetworkAddress,
    options: &TransportOptions,
    network: &Network,
    is_named: bool,
    serve: &str,
) -> Result<Vec<String>, PeerError> {
    let host = decode(address.url.host_str().unwrap_or_default()).unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let destination = match address.user() {
        Some(user) => format!("{user}@{host}"),
        None => host.to_owned(),
    };
    if destination.starts_with('-') || host.starts_with('-') || destination.contains(char::is_control) {
        // `ssh` would take it for an option.
        return Err(PeerError::Unusable(format!("`{}` names no host", address.url)));
    }
    let mut words = Vec::new();
    let mut option = |text: &str| words.extend(["-o".to_owned(), text.to_owned()]);
    // Other programs may not know the options of OpenSSH.
    if !is_named {
        option(ALIVE_INTERVAL);
        if !network.ask.is_there() {
            option("BatchMode=yes");
        }
    }
    if options.accept_new_host {
        option("StrictHostKeyChecking=accept-new");
    }
    if let Some(port) = address.url.port() {
        words.extend(["-p".to_owned(), port.to_string()]);
    }
    words.extend([destination, serve.to_owned()]);
    Ok(words)
}

#[cfg(feature = "sftp")]
fn by_library(
    address: &NetworkAddress,
    options: &TransportOptions,
    network: &Network,
    serve: &str,
) -> Result<PeerLink, PeerError> {
    let there = options.peer_program.as_deref().unwrap_or(PROGRAM);
    let remote = crate::remote::sftp::RemoteCommand::start(address, options, network, serve)?;
    let (input, output) = remote.streams();
    let link = PeerLink::new(input, output);
    let there = there.to_owned();
    Ok(link.with_ending(Box::new(move |error| remote.why(error, &there))))
}

#[cfg(not(feature = "sftp"))]
fn by_library(
    _address: &NetworkAddress,
    _options: &TransportOptions,
    _network: &Network,
    _serve: &str,
) -> Result<PeerLink, PeerError> {
    Err(PeerError::Unusable(
        "there is no `ssh` program that could be used, and this dsync was built without the feature `sftp`".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Address;

    fn peer(text: &str) -> NetworkAddress {
        match Address::parse(text) {
            Ok(Address::Peer(address)) => address,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn paths_reach_the_other_machine_as_they_are() {
        for (url, command) in [
            ("ssh://nas/srv/a", "dsync serve --stdio '/srv/a'"),
            ("ssh://nas/~/a%20b", "dsync serve --stdio './a b'"),
            ("ssh://nas/~/-x", "dsync serve --stdio './-x'"),
            ("ssh://nas/~", "dsync serve --stdio '.'"),
            ("ssh://nas/it's;rm", r"dsync serve --stdio '/it'\''s;rm'"),
        ] {
            assert_eq!(serve_command("dsync", &peer(url)).unwrap(), command);
        }
        assert!(serve_command("dsync", &peer("ssh://nas")).is_err());
    }

    #[test]
    fn nothing_of_an_address_becomes_an_option() {
        let words = |url: &str, options: &TransportOptions| {
            ssh_words(&peer(url), options, &Network::default(), false, "serve").map(|words| words.join(" "))
        };
        assert!(words("ssh://-oProxyCommand=x/a", &TransportOptions::default()).is_err());
        assert!(words("ssh://-x@host/a", &TransportOptions::default()).is_err());
        let accepting = TransportOptions {
            accept_new_host: true,
            ..TransportOptions::default()
        };
        assert_eq!(
            words("ssh://me@[::1]:2222/a", &accepting).unwrap(),
            "-o ServerAliveInterval=30 -o BatchMode=yes -o StrictHostKeyChecking=accept-new -p 2222 me@::1 serve"
        );
    }

    #[test]
    fn a_password_is_in_no_word() {
        let address = peer("ssh://me:secret@host/a");
        let words = ssh_words(
            &address,
            &TransportOptions::default(),
            &Network::default(),
            true,
            "serve",
        );
        assert!(!words.unwrap().join(" ").contains("secret"));
    }
}
