//! WebDAV and plain HTTP.

use dsync::remote::conformance;

use super::open;
use super::web::{Quirks, WebServer};

#[test]
fn webdav_conforms_whatever_the_server_does() {
    let ideal = Quirks::default();
    for quirks in [
        ideal,
        Quirks { no_move: true, ..ideal },
        Quirks {
            no_ranges: true,
            ..ideal
        },
        Quirks {
            torn_uploads: true,
            absolute_links: true,
            ..ideal
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
