//! A server that somebody else wrote and `tests/servers.sh` started.
//!
//! `DSYNC_TEST_URL` is an empty storage there, with `NAME` where a folder is to be named, `DSYNC_TEST_HOME` a home folder with what logs in, `DSYNC_TEST_OPTIONS`
//! more words for `remote add` and `clone`.

use std::path::{Path, PathBuf};

use dsync::remote::{Network, StorageResult, TransportOptions, conformance};

use super::super::env::TestEnv;
use super::{open_with, systems};

pub(crate) fn text(variable: &str) -> String {
    let value = std::env::var_os(variable).unwrap_or_default();
    value.into_string().unwrap()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

#[test]
#[ignore = "needs a server: tests/servers.sh"]
fn conforms() {
    let network = Network {
        home: Some(PathBuf::from(text("DSYNC_TEST_HOME"))),
        ..Network::default()
    };
    let url = text("DSYNC_TEST_URL").replace("NAME", "conformance");
    let ca_file = Some(text("DSYNC_TEST_CA"))
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let options = TransportOptions {
        accept_new_host: true,
        ca_file,
        ..TransportOptions::default()
    };
    let storage = open_with(&url, &options, &network).unwrap();
    assert_eq!(conformance(&storage), Ok(()));
    // Writers at once, each of its own names, and each on connections of its own.
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4u8)
            .map(|writer| {
                let (url, options, network) = (&url, &options, &network);
                scope.spawn(move || -> StorageResult<()> {
                    let storage = open_with(url, options, network)?;
                    for number in 0..10 {
                        storage.put(&format!("log/{writer}.{number}"), &[writer; 10_000])?;
                    }
                    Ok(())
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap().unwrap();
        }
    });
    assert_eq!(storage.list("log/").unwrap().len(), 40);
    for object in storage.list("").unwrap() {
        storage.delete(&object.name).unwrap();
    }
}

#[test]
#[ignore = "needs a server: tests/servers.sh"]
fn keeps_two_systems_in_step() {
    let env = TestEnv::new();
    let home = text("DSYNC_TEST_HOME");
    if !home.is_empty() {
        copy(Path::new(&home), &env.path("home"));
    }
    let url = text("DSYNC_TEST_URL").replace("NAME", "systems");
    systems::keeps_two_systems_in_step(&env, &url, &text("DSYNC_TEST_OPTIONS"));
}
