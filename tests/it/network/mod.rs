//! Remotes on the network: every adapter against the conformance suite, against faults, and between two systems.

mod bucket;
mod http;
#[cfg(feature = "sftp")]
mod openssh;
mod real;
mod s3;
mod systems;
mod web;
mod webdav;

use std::error::Error;
use std::time::Duration;

use dsync::remote::{Address, Network, Storage, StorageResult, TransportOptions, open_storage};

/// Opens a storage as the program does, with short waits.
fn open(url: &str) -> StorageResult<Box<dyn Storage>> {
    open_with(url, &TransportOptions::default(), &Network::default())
}

fn open_with(url: &str, options: &TransportOptions, network: &Network) -> StorageResult<Box<dyn Storage>> {
    let options = TransportOptions {
        stall_timeout: Some(Duration::from_millis(500)),
        ..options.clone()
    };
    open_storage(&Address::parse(url).unwrap(), &options, network, true)
}

/// Returns why an error came about.
fn cause(error: &dyn Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
