//! WebDAV and plain HTTP.

use std::time::Duration;

use dsync::remote::{Network, StorageError, TransportOptions, conformance, conformance_of_many};

use super::http::Fault;
use super::web::{Quirks, WebServer};
use super::{cause, open, open_with};

const IDEAL: Quirks = Quirks {
    plain: false,
    pages: false,
    read_only: false,
    put_fails_without_folder: false,
    no_move: false,
    no_ranges: false,
    torn_uploads: false,
    absolute_links: false,
    login: false,
};

#[test]
fn webdav_conforms_whatever_the_server_does() {
    for quirks in [
        IDEAL,
        Quirks { no_move: true, ..IDEAL },
        Quirks {
            put_fails_without_folder: true,
            no_ranges: true,
            ..IDEAL
        },
        Quirks {
            torn_uploads: true,
            absolute_links: true,
            ..IDEAL
        },
    ] {
        let server = WebServer::start(quirks);
        for scheme in ["dav", "http"] {
            let result = conformance(&open(&server.url(scheme)).unwrap());
            assert_eq!(result, Ok(()), "{scheme} {quirks:?}");
            assert_eq!(server.files(), Vec::<String>::new(), "{quirks:?}");
        }
    }
}

#[test]
fn many_objects_are_listed() {
    let server = WebServer::start(IDEAL);
    assert_eq!(conformance_of_many(&open(&server.url("dav")).unwrap(), 1100), Ok(()));
}

#[test]
fn a_server_without_listing_conforms_by_an_index() {
    for quirks in [
        Quirks { plain: true, ..IDEAL },
        Quirks {
            plain: true,
            no_ranges: true,
            torn_uploads: true,
            ..IDEAL
        },
    ] {
        let server = WebServer::start(quirks);
        assert_eq!(conformance(&open(&server.url("http")).unwrap()), Ok(()), "{quirks:?}");
        let left = server.files();
        assert!(left.iter().all(|name| name.contains("/index/")), "{left:?}");
    }
}

/// Writers that know nothing of each other find everything, each by a look of its own.
#[test]
fn many_writers_share_an_index() {
    let server = WebServer::start(Quirks { plain: true, ..IDEAL });
    let url = server.url("http");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let url = &url;
            scope.spawn(move || {
                let mut storage = open(url).unwrap();
                for number in 0..20 {
                    if number == 10 {
                        storage = open(url).unwrap();
                    }
                    storage.put(&format!("log/{writer}.{number}"), b"12345").unwrap();
                }
            });
        }
    });
    let storage = open(&url).unwrap();
    let listed = storage.list("log/").unwrap();
    assert_eq!(listed.len(), 80);
    assert!(listed.iter().all(|object| object.length_bytes == 5));
    // Who comes new reads 4 chains of 20 changes and that of their names by few requests each.
    server.http.requests();
    assert_eq!(open(&url).unwrap().list("").unwrap().len(), 80);
    let cold = server.http.requests().len();
    assert!(cold <= 5 * 14, "{cold} requests");
    storage.list("").unwrap();
    let warm = server.http.requests().len();
    assert!(warm <= 6, "one look at each end, and one for a page: {warm}");
    // A chain whose last object is torn goes on.
    let last = server.files().into_iter().rfind(|name| name.contains("index/log-0.20"));
    server.place(&last.unwrap(), b"dsync-index 1\n+ 5 lo");
    let storage = open(&url).unwrap();
    assert_eq!(storage.list("log/0").unwrap().len(), 19);
    storage.put("log/0.19", b"12345").unwrap();
    assert_eq!(open(&url).unwrap().list("log/").unwrap().len(), 80);
}

#[test]
fn pages_of_links_list_a_copied_remote() {
    let server = WebServer::start(Quirks {
        plain: true,
        pages: true,
        read_only: true,
        ..IDEAL
    });
    for name in ["dsync-remote", "log/a", "log/.hidden", "key/b.age"] {
        server.place_in_folders(&format!("/a b/c/remote/{name}"), b"x");
    }
    let storage = open(&server.url("http")).unwrap();
    let names: Vec<_> = storage
        .list("")
        .unwrap()
        .into_iter()
        .map(|object| object.name)
        .collect();
    assert_eq!(names, ["dsync-remote", "key/b.age", "log/a"]);
    assert_eq!(storage.get("log/a", Some(0..9)).unwrap(), b"x");
    let refused = storage.put("log/b", b"y").unwrap_err();
    assert!(matches!(refused, StorageError::Denied { .. }) && cause(&refused).contains("cloned and pulled from"));
}

#[test]
fn a_copied_remote_that_nobody_lists_is_told_and_not_taken_for_empty() {
    let server = WebServer::start(Quirks { plain: true, ..IDEAL });
    server.place_in_folders("/a b/c/remote/dsync-remote", b"x");
    let error = open(&server.url("http")).unwrap().list("").unwrap_err();
    assert!(
        !error.is_temporary() && cause(&error).contains("lists no folders"),
        "{error:?}"
    );
}

#[test]
fn faults_of_the_connection_are_overcome_and_never_believed() {
    for quirks in [
        IDEAL,
        Quirks {
            torn_uploads: true,
            no_move: true,
            ..IDEAL
        },
        Quirks { plain: true, ..IDEAL },
    ] {
        let server = WebServer::start(quirks);
        let storage = open(&server.url("http")).unwrap();
        let bytes = vec![7; 100_000];
        let faults = [
            Fault::Status(503),
            Fault::Status(500),
            Fault::Reset,
            Fault::LoseAnswer,
            Fault::Stall(Duration::from_millis(700)),
        ];
        for (number, fault) in faults.iter().enumerate() {
            for method in ["PUT", "GET", "PROPFIND", "MOVE", "DELETE"] {
                let name = format!("log/{method}.{number}");
                server.http.fail_next(method, fault.clone());
                storage
                    .put(&name, &bytes)
                    .unwrap_or_else(|error| panic!("{fault:?} {method}: {error:?}"));
                assert!(storage.get(&name, None).unwrap() == bytes, "{fault:?} {method}");
                assert!(storage.list(&name).unwrap().len() == 1, "{fault:?} {method}");
                storage.delete(&name).unwrap();
                assert!(storage.list(&name).unwrap().is_empty(), "{fault:?} {method}");
                server.http.forget_faults();
            }
        }
    }
}

/// A torn object keeps its name only where the server cannot move; then the next put says so, and never that all is
/// well.
#[test]
fn an_upload_that_is_cut_off_anywhere_is_never_taken_for_whole() {
    for quirks in [
        IDEAL,
        Quirks {
            torn_uploads: true,
            ..IDEAL
        },
        Quirks {
            torn_uploads: true,
            plain: true,
            ..IDEAL
        },
    ] {
        let server = WebServer::start(quirks);
        let storage = open(&server.url("http")).unwrap();
        let bytes: Vec<u8> = (0..2000u32).flat_map(u32::to_le_bytes).collect();
        for kept in [0, 1, 4000, 7999] {
            let name = format!("log/{kept}");
            server.http.fail_next("PUT", Fault::CutUpload(kept));
            match storage.put(&name, &bytes) {
                Ok(()) => assert!(storage.get(&name, None).unwrap() == bytes, "{kept}"),
                Err(StorageError::Exists { .. }) if quirks.plain => {
                    storage.delete(&name).unwrap();
                    storage.put(&name, &bytes).unwrap();
                }
                Err(error) => panic!("{quirks:?} {kept}: {error:?}"),
            }
            assert!(storage.get(&name, None).unwrap() == bytes, "{kept}");
            for cut in [0, 1, 7999] {
                server.http.fail_next("GET", Fault::CutAnswer(cut));
                assert!(storage.get(&name, None).unwrap() == bytes, "cut at {cut}");
            }
        }
    }
}

#[test]
fn logins_come_from_the_address_a_file_or_netrc() {
    let server = WebServer::start(Quirks { login: true, ..IDEAL });
    let url = server.url("dav");
    let named = |user: &str| url.replacen("://", &format!("://{user}@"), 1);
    let home = tempfile::tempdir().unwrap();
    let netrc = "machine other login me password wrong\nmachine 127.0.0.1 login me password secret\n";
    std::fs::write(home.path().join(".netrc"), netrc).unwrap();
    let at_home = Network {
        home: Some(home.path().to_owned()),
        ..Network::default()
    };
    let nowhere = Network::default();
    let none = TransportOptions::default();
    let password = TransportOptions {
        password: Some("secret".into()),
        ..none.clone()
    };
    let token = TransportOptions {
        token: Some("t0ken".into()),
        ..none.clone()
    };
    for (url, options, network) in [
        (named("me:secret"), &none, &nowhere),
        (named("me"), &password, &nowhere),
        (named("me"), &none, &at_home),
        (url.clone(), &none, &at_home),
        (url.clone(), &token, &nowhere),
    ] {
        let storage = open_with(&url, options, network).unwrap();
        storage.list("").unwrap();
        assert!(!format!("{storage:?} {options:?} {network:?}", storage = storage.location()).contains("secret"));
    }
    for (url, options, network) in [
        (named("me:wrong"), &none, &at_home),
        (named("you"), &none, &at_home),
        (url, &none, &nowhere),
    ] {
        let error = open_with(&url, options, network).map(drop).unwrap_err();
        assert!(matches!(error, StorageError::Denied { .. }), "{error:?}");
        assert!(cause(&error).contains("--password-file") && cause(&error).contains(".netrc"));
        assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
    }
}

#[test]
fn reads_follow_redirects_and_writes_only_those_that_keep_the_method() {
    let server = WebServer::start(IDEAL);
    let other = WebServer::start(Quirks { login: true, ..IDEAL });
    let storage = open(&server.url("http").replacen("://", "://me:secret@", 1)).unwrap();
    storage.put("log/a", b"here").unwrap();
    server.place("/a b/moved", b"there");
    for status in [301, 302, 307, 308] {
        server
            .http
            .fail_next("GET", Fault::Redirect(status, "/a%20b/moved".to_owned()));
        assert_eq!(storage.get("log/a", None).unwrap(), b"there", "{status}");
    }
    server
        .http
        .fail_next("PUT", Fault::Redirect(308, "/a%20b/sent".to_owned()));
    // The object went to another place, so the move finds nothing.
    assert!(storage.put("log/b", b"x").is_err());
    assert!(server.files().contains(&"/a b/sent".to_owned()));
    for status in [301, 302, 303] {
        server
            .http
            .fail_next("PUT", Fault::Redirect(status, "/a%20b/lost".to_owned()));
        let error = storage.put("log/c", b"x").unwrap_err();
        assert!(
            !error.is_temporary() && cause(&error).contains("redirects a PUT"),
            "{}",
            cause(&error)
        );
    }
    // Another host is not told who we are.
    other.place("/x", b"secret of another host");
    let elsewhere = format!("http://{}/x", other.http.authority());
    server.http.fail_next("GET", Fault::Redirect(302, elsewhere));
    assert!(matches!(storage.get("log/a", None), Err(StorageError::Denied { .. })));
    for _ in 0..10 {
        server
            .http
            .fail_next("GET", Fault::Redirect(302, "/a%20b/moved".to_owned()));
    }
    assert!(cause(&storage.get("log/a", None).unwrap_err()).contains("again and again"));
}

#[test]
fn what_cannot_be_reached_is_temporary_and_what_is_refused_is_not() {
    let server = WebServer::start(IDEAL);
    let url = server.url("http");
    let storage = open(&url).unwrap();
    for status in [400, 413, 501, 507] {
        server.http.fail_next("GET", Fault::Status(status));
        let error = storage.get("log/a", None).unwrap_err();
        assert!(
            !error.is_temporary() && cause(&error).contains(&status.to_string()),
            "{error:?}"
        );
    }
    server.http.requests();
    server.http.fail_next("GET", Fault::Status(403));
    assert!(matches!(storage.get("log/a", None), Err(StorageError::Denied { .. })));
    assert_eq!(server.http.requests().len(), 1, "what is refused is not asked again");
    drop(server);
    let error = storage.list("").unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
    let unknown = open("http://host.invalid/x").map(drop).unwrap_err();
    assert!(matches!(unknown, StorageError::Unreachable { .. }), "{unknown:?}");
}
