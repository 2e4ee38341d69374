//! A storage in a bucket: AWS and what speaks its protocol.
//!
//! Requests are signed by query (presigned URLs), so that bodies are sent without being read twice. Conditions are
//! sent along and not relied on: before a put the name is looked at, since many servers ignore `If-None-Match`.

mod profile;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusty_s3::S3Action;
use rusty_s3::actions::{CompleteMultipartUploadResponse, CreateMultipartUpload, ListObjectsV2};
use url::Url;

use super::address::{NetworkAddress, decode};
use super::network::{Network, TransportOptions};
use super::storage::{Storage, StorageError, StorageResult, StoredObject, check_name};
use super::web::{Answer, Call, Client, get};
use profile::Place;

/// How long a signature is good for: a large part over a slow link begins within it.
const SIGNATURE_LIFE: Duration = Duration::from_mins(15);
/// Larger objects are sent in parts (S3 allows parts from 5 MiB on and 10,000 of them).
const PART_BYTES: usize = 16 * 1024 * 1024;
/// Pages of a listing, each of up to 1000 names: a server that never ends must not keep us for ever.
const MOST_PAGES: usize = 10_000;

/// A storage in a bucket.
pub(super) struct S3Storage {
    client: Client,
    place: Place,
    /// What stands before each name, with `/` at its end, or nothing.
    prefix: String,
    location: String,
    /// Whether conditions are sent: until the server answers that it has none.
    conditions: AtomicBool,
    part_bytes: usize,
}

impl S3Storage {
    /// Opens the storage; nothing is asked of the server.
    pub(super) fn open(address: &NetworkAddress, options: &TransportOptions, network: &Network) -> StorageResult<Self> {
        let prefix = decode(address.url.path()).unwrap_or_default();
        let prefix = prefix.trim_matches('/');
        Ok(Self {
            client: Client::new(options, network)?.without_redirects(),
            place: profile::place(address, options, network)?,
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            location: address.url.to_string(),
            conditions: AtomicBool::new(true),
            part_bytes: PART_BYTES,
        })
    }

    fn key(&self, name: &str) -> StorageResult<String> {
        check_name(name)?;
        Ok(format!("{}{name}", self.prefix))
    }

    /// Returns the length of an object; `None` where there is none.
    fn length(&self, name: &str) -> StorageResult<Option<u64>> {
        let key = self.key(name)?;
        let action = self.place.bucket.head_object(self.place.credentials.as_ref(), &key);
        let answer = self.send("look at", name, &Call::new("HEAD", sign(&action)))?;
        match answer.status {
            200 => Ok(answer.content_length().or(Some(0))),
            404 => Ok(None),
            _ => Err(self.fault(answer, "look at", name)),
        }
    }

    fn send(&self, action: &'static str, name: &str, call: &Call<'_>) -> StorageResult<Answer> {
        self.client.send(action, name, call)
    }

    /// Turns an answer into an error; S3 says more in its body than by the status.
    fn fault(&self, answer: Answer, action: &'static str, name: &str) -> StorageError {
        let status = answer.status;
        let region = answer.header("x-amz-bucket-region").map(str::to_owned);
        let text = answer.text(name).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let code = between(&text, "<Code>", "</Code>").unwrap_or_default();
        let failed = |temporary: bool, why: String| StorageError::Failed {
            action,
            name: name.to_owned(),
            temporary,
            source: Arc::new(io::Error::other(why)),
        };
        let said = match code {
            "" => format!("the server answers {status}"),
            code => format!("the server answers {status} {code}"),
        };
        match (status, code) {
            (_, "NoSuchBucket") => failed(false, "there is no such bucket; make it first".to_owned()),
            (404, _) => StorageError::NotFound { name: name.to_owned() },
            (301 | 307 | 400, _)
                if region
                    .as_deref()
                    .is_some_and(|region| region != self.place.bucket.region()) =>
            {
                let region = region.unwrap_or_default();
                failed(
                    false,
                    format!("the bucket lies in another region: add `?region={region}` to its address"),
                )
            }
            (_, "RequestTimeTooSkewed") => failed(false, format!("{said}: the clock of this machine is wrong")),
            (401 | 403, _) | (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken") => {
                let next = if self.place.credentials.is_some() {
                    "check the access key, its secret and what it may do"
                } else {
                    "name an access key: by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in \
                     ~/.aws/credentials, or `s3://KEY@bucket` with `--password-file`"
                };
                StorageError::Denied {
                    name: name.to_owned(),
                    source: Some(Arc::new(io::Error::other(format!("{said}; {next}")))),
                }
            }
            // 409: another request on this name was faster by a moment.
            (408 | 409 | 425 | 429 | 500 | 502 | 503 | 504, _) | (_, "RequestTimeout") => failed(true, said),
            _ => failed(false, said),
        }
    }

    /// Writes an object in one request; `false` where the name was taken meanwhile.
    fn put_whole(&self, name: &str, key: &str, bytes: &[u8]) -> StorageResult<bool> {
        let mut action = self.place.bucket.put_object(self.place.credentials.as_ref(), key);
        let conditional = self.conditions.load(Ordering::Relaxed);
        if conditional {
            action.headers_mut().insert("if-none-match", "*");
        }
        let call = Call::new("PUT", sign(&action)).body(bytes);
        let answer = self.send("write", name, &conditioned(call, conditional))?;
        self.written(answer, name, conditional, || self.put_whole(name, key, bytes))
    }

    /// Judges the answer to a put; one that knows no conditions is asked again without.
    fn written(
        &self,
        answer: Answer,
        name: &str,
        conditional: bool,
        again: impl FnOnce() -> StorageResult<bool>,
    ) -> StorageResult<bool> {
        match answer.status {
            412 => Ok(false),
            501 if conditional => {
                self.conditions.store(false, Ordering::Relaxed);
                again()
            }
            _ if answer.is_success() => Ok(true),
            _ => Err(self.fault(answer, "write", name)),
        }
    }

    /// Writes an object in parts, which become one when all are there.
    fn put_in_parts(&self, name: &str, key: &str, bytes: &[u8]) -> StorageResult<bool> {
        let action = self
            .place
            .bucket
            .create_multipart_upload(self.place.credentials.as_ref(), key);
        let answer = self.send("write", name, &Call::new("POST", sign(&action)).body(b""))?;
        if !answer.is_success() {
            return Err(self.fault(answer, "write", name));
        }
        let text = answer.text(name)?;
        let text = String::from_utf8_lossy(&text);
        let upload = CreateMultipartUpload::parse_response(&text).map_err(|error| malformed("write", name, &error))?;
        let id = upload.upload_id();
        let result = self
            .put_parts(name, key, id, bytes)
            .and_then(|tags| self.complete(name, key, id, &tags));
        if !matches!(result, Ok(true)) {
            let action = self
                .place
                .bucket
                .abort_multipart_upload(self.place.credentials.as_ref(), key, id);
            // What failed is worth telling; parts that stay are seen by nobody and expire by the bucket's rules.
            let _leftover = self.send("write", name, &Call::new("DELETE", sign(&action)));
        }
        result
    }

    fn put_parts(&self, name: &str, key: &str, id: &str, bytes: &[u8]) -> StorageResult<Vec<String>> {
        let mut tags = Vec::new();
        for (number, part) in (1..).zip(bytes.chunks(self.part_bytes)) {
            let credentials = self.place.credentials.as_ref();
            let action = self.place.bucket.upload_part(credentials, key, number, id);
            let answer = self.send("write", name, &Call::new("PUT", sign(&action)).body(part))?;
            if !answer.is_success() {
                return Err(self.fault(answer, "write", name));
            }
            match answer.header("etag") {
                Some(tag) => tags.push(tag.to_owned()),
                None => return Err(malformed("write", name, &"a part was answered without its ETag")),
            }
        }
        Ok(tags)
    }

    fn complete(&self, name: &str, key: &str, id: &str, tags: &[String]) -> StorageResult<bool> {
        let credentials = self.place.credentials.as_ref();
        let etags = tags.iter().map(String::as_str);
        let mut action = self.place.bucket.complete_multipart_upload(credentials, key, id, etags);
        let conditional = self.conditions.load(Ordering::Relaxed);
        if conditional {
            action.headers_mut().insert("if-none-match", "*");
        }
        let url = sign(&action);
        let body = action.body();
        let call = Call::new("POST", url)
            .header("Content-Type", "application/xml")
            .body(body.as_bytes());
        let answer = self.send("write", name, &conditioned(call, conditional))?;
        if answer.status == 200 {
            // The status is sent before the work is done; only the body tells whether it was.
            let text = answer.text(name)?;
            let text = String::from_utf8_lossy(&text);
            return match CompleteMultipartUploadResponse::parse(&text) {
                Ok(_) => Ok(true),
                Err(error) => Err(malformed("write", name, &error)),
            };
        }
        self.written(answer, name, conditional, || self.complete(name, key, id, tags))
    }
}

impl std::fmt::Debug for S3Storage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("S3Storage")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

impl Storage for S3Storage {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        let mut objects = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut action = self.place.bucket.list_objects_v2(self.place.credentials.as_ref());
            let whole = format!("{}{prefix}", self.prefix);
            if !whole.is_empty() {
                action.with_prefix(whole);
            }
            if let Some(token) = &token {
                action.with_continuation_token(token.clone());
            }
            let answer = self.send("list", &self.location, &Call::new("GET", sign(&action)))?;
            if answer.status != 200 {
                return Err(self.fault(answer, "list", &self.location));
            }
            let text = answer.text(&self.location)?;
            let text = String::from_utf8_lossy(&text);
            let page = ListObjectsV2::parse_response(&text).map_err(|error| malformed("list", prefix, &error))?;
            for object in page.contents {
                let Some(name) = object.key.strip_prefix(&self.prefix) else {
                    continue;
                };
                if is_shown(name) {
                    objects.push(StoredObject {
                        name: name.to_owned(),
                        length_bytes: object.size.unwrap_or(0),
                    });
                }
            }
            match page.next_continuation_token {
                Some(next) if token.as_ref() != Some(&next) => token = Some(next),
                Some(_) => return Err(malformed("list", prefix, &"it gives the same page again and again")),
                None => {
                    objects.sort();
                    return Ok(objects);
                }
            }
        }
        Err(malformed("list", prefix, &"it does not end"))
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        let key = self.key(name)?;
        let action = self.place.bucket.get_object(self.place.credentials.as_ref(), &key);
        get(&self.client, Call::new("GET", sign(&action)), name, range, |answer| {
            self.fault(answer, "read", name)
        })
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        let key = self.key(name)?;
        let taken = self.length(name)?.is_some()
            || !if bytes.len() > self.part_bytes {
                self.put_in_parts(name, &key, bytes)?
            } else {
                self.put_whole(name, &key, bytes)?
            };
        if !taken || self.get(name, Some(0..bytes.len() as u64 + 1))? == bytes {
            Ok(())
        } else {
            Err(StorageError::Exists { name: name.to_owned() })
        }
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        let key = self.key(name)?;
        let action = self.place.bucket.delete_object(self.place.credentials.as_ref(), &key);
        let answer = self.send("delete", name, &Call::new("DELETE", sign(&action)))?;
        if answer.is_success() || answer.status == 404 {
            Ok(())
        } else {
            Err(self.fault(answer, "delete", name))
        }
    }
}

fn sign<'a>(action: &impl S3Action<'a>) -> Url {
    action.sign(SIGNATURE_LIFE)
}

/// Adds the condition that was signed.
fn conditioned(call: Call<'_>, conditional: bool) -> Call<'_> {
    if conditional {
        call.header("If-None-Match", "*")
    } else {
        call
    }
}

/// Returns whether a listing shows the name: one or two parts, none of them hidden.
fn is_shown(name: &str) -> bool {
    let mut parts = name.split('/');
    let few = parts.clone().count() <= 2;
    few && parts.all(|part| !part.is_empty() && !part.starts_with('.'))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(inner, _)| inner)
}

/// Makes the error for an answer that breaks the protocol; the next one may be better.
fn malformed(action: &'static str, name: &str, why: &dyn std::fmt::Display) -> StorageError {
    StorageError::Failed {
        action,
        name: name.to_owned(),
        temporary: true,
        source: Arc::new(io::Error::other(format!("the answer is malformed: {why}"))),
    }
}
