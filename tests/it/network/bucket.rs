//! A server that speaks S3 in this process, and the quirks that real ones have.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::http::{Answer, HttpServer, Request};

/// What the server does differently.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each quirk is there or not")]
pub(crate) struct Quirks {
    /// `If-None-Match` is ignored.
    pub(crate) ignores_conditions: bool,
    /// `If-None-Match` is answered with 501.
    pub(crate) refuses_conditions: bool,
    /// A range is answered with the whole and 200.
    pub(crate) no_ranges: bool,
    /// A range is answered as it should be, but with 200.
    pub(crate) ranges_as_whole: bool,
    /// The most names on a page of a listing.
    pub(crate) page: usize,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            ignores_conditions: false,
            refuses_conditions: false,
            no_ranges: false,
            ranges_as_whole: false,
            page: 1000,
        }
    }
}

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, BTreeMap<usize, Vec<u8>>>,
    next_upload: u32,
}

/// A server with the bucket `bucket` for the access key `KEY`.
pub(crate) struct BucketServer {
    pub(crate) http: HttpServer,
    bucket: Arc<Mutex<Bucket>>,
}

impl BucketServer {
    pub(crate) fn start(quirks: Quirks) -> Self {
        let bucket = Arc::new(Mutex::new(Bucket::default()));
        let shared = Arc::clone(&bucket);
        let http = HttpServer::start(move |request| answer(quirks, &mut shared.lock().unwrap(), request));
        Self { http, bucket }
    }

    /// Returns the address of a prefix in the bucket.
    pub(crate) fn url(&self) -> String {
        format!("s3://KEY:hush@bucket/a%20b/c?endpoint=http://{}", self.http.authority())
    }

    /// Lists the keys; uploads in parts that were neither completed nor given up count too.
    pub(crate) fn keys(&self) -> Vec<String> {
        let bucket = self.bucket.lock().unwrap();
        bucket.objects.keys().chain(bucket.uploads.keys()).cloned().collect()
    }

    /// Puts an object there as another program does.
    pub(crate) fn place(&self, key: &str, bytes: &[u8]) {
        self.bucket
            .lock()
            .unwrap()
            .objects
            .insert(key.to_owned(), bytes.to_vec());
    }
}

fn failure(status: u16, code: &str) -> Answer {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>");
    Answer::of(status).body(body)
}

fn answer(quirks: Quirks, bucket: &mut Bucket, request: &Request) -> Answer {
    let parameters: BTreeMap<String, String> = request.parameters().into_iter().collect();
    let parameter = |name: &str| parameters.get(name).map(String::as_str);
    match parameter("X-Amz-Credential") {
        Some(credential) if credential.starts_with("KEY/") => {}
        Some(_) => return failure(403, "InvalidAccessKeyId"),
        None => return failure(403, "AccessDenied"),
    }
    let path = request.path();
    let Some(key) = path.strip_prefix("/bucket/") else {
        return failure(404, "NoSuchBucket");
    };
    let condition = request.header("If-None-Match");
    if condition.is_some() {
        let signed = parameter("X-Amz-SignedHeaders").unwrap();
        assert!(signed.split(';').any(|name| name == "if-none-match"), "{signed}");
        if quirks.refuses_conditions {
            return failure(501, "NotImplemented");
        }
    }
    let taken = condition.is_some() && !quirks.ignores_conditions && bucket.objects.contains_key(key);
    match (request.method.as_str(), parameter("uploadId")) {
        ("GET", None) if key.is_empty() => list(quirks, bucket, &parameters),
        ("GET" | "HEAD", None) => match bucket.objects.get(key) {
            Some(bytes) => ranged(quirks, request, bytes),
            None => failure(404, "NoSuchKey"),
        },
        ("PUT", None) | ("POST", Some(_)) if taken => failure(412, "PreconditionFailed"),
        ("PUT", None) if request.is_cut => Answer::of(400),
        ("PUT", None) => {
            bucket.objects.insert(key.to_owned(), request.body.clone());
            Answer::of(200).header("ETag", "\"x\"")
        }
        ("DELETE", None) => {
            bucket.objects.remove(key);
            Answer::of(204)
        }
        ("POST", None) => {
            assert!(parameters.contains_key("uploads"));
            bucket.next_upload += 1;
            let id = format!("upload-{}", bucket.next_upload);
            bucket.uploads.insert(id.clone(), BTreeMap::new());
            Answer::of(200).body(format!(
                "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Bucket>bucket</Bucket><Key>k</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        ("PUT", Some(id)) => {
            let number: usize = parameter("partNumber").unwrap().parse().unwrap();
            let tag = format!("\"tag-{number}\"");
            bucket.uploads.get_mut(id).unwrap().insert(number, request.body.clone());
            Answer::of(200).header("ETag", tag)
        }
        ("POST", Some(id)) => {
            let parts = bucket.uploads.remove(id).unwrap();
            let body = String::from_utf8(request.body.clone()).unwrap();
            for number in parts.keys() {
                assert!(body.contains(&format!("tag-{number}")), "{body}");
            }
            bucket
                .objects
                .insert(key.to_owned(), parts.into_values().flatten().collect());
            Answer::of(200).body(
                "<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <ETag>\"x\"</ETag></CompleteMultipartUploadResult>",
            )
        }
        ("DELETE", Some(id)) => {
            bucket.uploads.remove(id);
            Answer::of(204)
        }
        _ => Answer::of(405),
    }
}

fn ranged(quirks: Quirks, request: &Request, bytes: &[u8]) -> Answer {
    if quirks.no_ranges {
        return Answer::of(200).body(bytes);
    }
    let mut answer = super::web::ranged(request, bytes);
    if quirks.ranges_as_whole && answer.status == 206 {
        answer.status = 200;
    }
    answer
}

fn list(quirks: Quirks, bucket: &Bucket, parameters: &BTreeMap<String, String>) -> Answer {
    assert_eq!(parameters.get("list-type").map(String::as_str), Some("2"));
    let prefix = parameters.get("prefix").cloned().unwrap_or_default();
    let after = parameters.get("continuation-token").cloned().unwrap_or_default();
    let fitting = bucket
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let fitting: Vec<_> = fitting.collect();
    let page = &fitting[..fitting.len().min(quirks.page)];
    let mut xml = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                   <EncodingType>url</EncodingType>"
        .to_owned();
    for (key, bytes) in page {
        let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
        xml.push_str(&format!(
            "<Contents><Key>{key}</Key><Size>{}</Size></Contents>",
            bytes.len()
        ));
    }
    let more = page.len() < fitting.len();
    xml.push_str(&format!("<IsTruncated>{more}</IsTruncated>"));
    if let (true, Some((last, _))) = (more, page.last()) {
        xml.push_str(&format!("<NextContinuationToken>{last}</NextContinuationToken>"));
    }
    Answer::of(200).body(xml + "</ListBucketResult>")
}
