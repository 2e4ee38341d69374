//! Buckets.

use std::time::Duration;

use dsync::remote::{StorageError, TransportOptions, conformance, conformance_of_many};

use super::bucket::{BucketServer, Quirks};
use super::http::Fault;
use super::{cause, open};

#[test]
fn a_bucket_conforms_whatever_the_server_does() {
    let ideal = Quirks::default();
    for quirks in [
        ideal,
        Quirks {
            page: 2,
            ranges_as_whole: true,
            ..ideal
        },
        Quirks {
            ignores_conditions: true,
            no_ranges: true,
            ..ideal
        },
        Quirks {
            refuses_conditions: true,
            ..ideal
        },
    ] {
        let server = BucketServer::start(quirks);
        server.place("a b/other", b"x");
        server.place("a b/c.txt", b"x");
        assert_eq!(conformance(&open(&server.url()).unwrap()), Ok(()), "{quirks:?}");
        assert_eq!(server.keys(), ["a b/c.txt", "a b/other"], "{quirks:?}");
    }
}

#[test]
fn more_objects_than_a_page_has_are_listed() {
    let server = BucketServer::start(Quirks::default());
    assert_eq!(conformance_of_many(&open(&server.url()).unwrap(), 2100), Ok(()));
}

#[test]
fn large_objects_go_in_parts_and_leave_none_behind() {
    let server = BucketServer::start(Quirks::default());
    let storage = open(&server.url()).unwrap();
    let bytes: Vec<u8> = (0..9_000_000u32).flat_map(u32::to_le_bytes).collect();
    storage.put("log/a", &bytes).unwrap();
    let posts = server
        .http
        .requests()
        .iter()
        .filter(|line| line.starts_with("POST"))
        .count();
    assert_eq!(posts, 2, "begun and completed");
    assert!(storage.get("log/a", None).unwrap() == bytes);
    // A part that fails for a while is sent again with the rest.
    server.http.fail_next("POST", Fault::Status(503));
    storage.put("log/b", &bytes).unwrap();
    assert_eq!(server.keys(), ["a b/c/log/a", "a b/c/log/b"]);
    server.http.fail_next("POST", Fault::Status(400));
    assert!(storage.put("log/c", &bytes).is_err());
    assert_eq!(server.keys(), ["a b/c/log/a", "a b/c/log/b"], "nothing half-done stays");
}

#[test]
fn what_a_bucket_refuses_is_told_with_the_next_step() {
    let server = BucketServer::start(Quirks::default());
    let wrong = open(&server.url().replace("KEY", "OTHER"))
        .unwrap()
        .list("")
        .unwrap_err();
    assert!(matches!(&wrong, StorageError::Denied { .. }), "{wrong:?}");
    assert!(cause(&wrong).contains("check the access key"), "{}", cause(&wrong));
    let nobody = open(&server.url().replace("KEY:hush@", ""))
        .unwrap()
        .list("")
        .unwrap_err();
    assert!(cause(&nobody).contains("AWS_ACCESS_KEY_ID"), "{}", cause(&nobody));
    let elsewhere = open(&server.url().replace("@bucket", "@other"))
        .unwrap()
        .list("")
        .unwrap_err();
    assert!(!elsewhere.is_temporary() && cause(&elsewhere).contains("no such bucket"));
    for error in [&wrong, &nobody, &elsewhere] {
        assert!(!format!("{error:?}").contains("hush") && !format!("{error:?}").contains("Signature="));
    }
    let options = TransportOptions::default();
    assert!(!format!("{options:?}").contains("hush"));
}

#[test]
fn faults_of_the_connection_are_overcome() {
    let server = BucketServer::start(Quirks::default());
    let storage = open(&server.url()).unwrap();
    let bytes: Vec<u8> = (0..20_000u32).flat_map(u32::to_le_bytes).collect();
    let faults = [
        Fault::Status(503),
        Fault::Status(409),
        Fault::Reset,
        Fault::LoseAnswer,
        Fault::CutUpload(4000),
        Fault::CutAnswer(4000),
        Fault::Stall(Duration::from_millis(700)),
    ];
    for (number, fault) in faults.iter().enumerate() {
        for method in ["HEAD", "PUT", "GET", "DELETE"] {
            let name = format!("log/{method}.{number}");
            server.http.fail_next(method, fault.clone());
            storage
                .put(&name, &bytes)
                .unwrap_or_else(|error| panic!("{fault:?} {method}: {error:?}"));
            assert!(storage.get(&name, None).unwrap() == bytes, "{fault:?} {method}");
            storage.delete(&name).unwrap();
            server.http.forget_faults();
        }
    }
    assert_eq!(server.keys(), Vec::<String>::new());
}

#[test]
fn a_listing_that_does_not_end_is_no_listing() {
    let server = BucketServer::start(Quirks {
        page: 0,
        ..Quirks::default()
    });
    server.place("a b/c/log/a", b"x");
    let error = open(&server.url()).unwrap().list("").unwrap_err();
    assert!(cause(&error).contains("malformed"), "{error:?}");
}
