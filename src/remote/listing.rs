//! Decoders of what servers say lies in a folder, as functions of bytes: for checks that need no server.

use rusty_s3::actions::ListObjectsV2;
use url::Url;

use super::web;

/// Reads the names in a WebDAV answer (207) about `folder`, which ends with `/`.
pub fn webdav(answer: &[u8], folder: &Url) -> Result<Vec<String>, String> {
    web::dav_names(answer, folder)
}

/// Reads the names on a web server's page, or in its JSON, of `folder`, which ends with `/`.
pub fn page(page: &[u8], folder: &Url) -> Vec<String> {
    web::page_names(page, folder)
}

/// Reads an object of the index that writers keep for servers without listings, and writes it again; `None` where it is none.
pub fn index(object: &[u8]) -> Option<Vec<u8>> {
    web::index_again(object)
}

/// Reads the keys in a page of an S3 bucket's listing, and where it goes on.
pub fn s3(answer: &str) -> Result<(Vec<String>, Option<String>), String> {
    let page = ListObjectsV2::parse_response(answer).map_err(|error| error.to_string())?;
    let keys = page.contents.into_iter().map(|object| object.key).collect();
    Ok((keys, page.next_continuation_token))
}
