//! What servers say lies in a folder: an error or names, and those of WebDAV lie directly in the folder.

#![no_main]

use dsync::remote::listing;
use url::Url;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let folder = Url::parse("https://host.example/a%20b/c/").expect("it is one");
    if let Ok(names) = listing::webdav(bytes, &folder) {
        assert!(names.iter().all(|name| !name.is_empty() && !name.contains('/')));
    }
    assert_eq!(listing::page(bytes, &folder), listing::page(bytes, &folder));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = listing::s3(text);
    }
});
