//! Listings of WebDAV (RFC 4918 §9.1): which names lie in a collection.

use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;
use url::Url;

use super::super::address::decode;

/// What is asked for.
pub(super) const PROPFIND_BODY: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <D:propfind xmlns:D=\"DAV:\"><D:prop><D:resourcetype/><D:getcontentlength/></D:prop></D:propfind>";

/// Something in a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    /// Its own name, the last part of its address.
    pub(super) name: String,
    /// Whether it is a collection itself.
    pub(super) is_collection: bool,
    /// Its stated length in bytes.
    pub(super) length_bytes: u64,
}

/// Reads the answer to a PROPFIND of depth 1 on `collection` (which ends with `/`); the collection itself is left out.
///
/// Servers name members by path or by whole address, escaped more or less; of that only the part below the collection
/// counts. What lies elsewhere is passed over.
pub(super) fn members(answer: &[u8], collection: &Url) -> Result<Vec<Member>, String> {
    let answer = std::str::from_utf8(answer).map_err(|_| "its listing is not UTF-8".to_owned())?;
    let mut reader = NsReader::from_str(answer);
    reader.config_mut().trim_text(true);
    let mut members = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut href = String::new();
    let mut length = String::new();
    let mut is_collection = false;
    loop {
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|error| format!("its listing is no XML: {error}"))?;
        let own = matches!(&namespace, ResolveResult::Bound(space) if space.as_ref() == "DAV:");
        match event {
            Event::Start(element) => {
                let name = if own {
                    element.local_name().as_ref().to_owned()
                } else {
                    String::new()
                };
                if name == "response" {
                    (href, length, is_collection) = (String::new(), String::new(), false);
                }
                is_collection |= name == "collection";
                path.push(name);
            }
            Event::Empty(element) => is_collection |= own && element.local_name().as_ref() == "collection",
            Event::Text(text) => append(path.last(), &text, &mut href, &mut length),
            Event::CData(text) => append(path.last(), &text, &mut href, &mut length),
            Event::GeneralRef(reference) => {
                let text = match &*reference {
                    "amp" => "&".to_owned(),
                    "lt" => "<".to_owned(),
                    "gt" => ">".to_owned(),
                    "quot" => "\"".to_owned(),
                    "apos" => "'".to_owned(),
                    _ => match reference.resolve_char_ref() {
                        Ok(Some(character)) => character.to_string(),
                        _ => return Err(format!("its listing has the unknown entity `&{};`", &*reference)),
                    },
                };
                append(path.last(), &text, &mut href, &mut length);
            }
            Event::End(_) => {
                if path.pop().is_some_and(|name| name == "response")
                    && let Some(name) = name_below(&href, collection)
                {
                    members.push(Member {
                        name,
                        is_collection,
                        length_bytes: length.trim().parse().unwrap_or(0),
                    });
                }
            }
            Event::Eof if path.is_empty() => return Ok(members),
            Event::Eof => return Err("its listing is cut off".to_owned()),
            _ => {}
        }
    }
}

fn append(element: Option<&String>, text: &str, href: &mut String, length: &mut String) {
    match element.map(String::as_str) {
        Some("href") => href.push_str(text),
        Some("getcontentlength") => length.push_str(text),
        _ => {}
    }
}

/// Returns the name of what lies directly in `collection` at `href`.
pub(super) fn name_below(href: &str, collection: &Url) -> Option<String> {
    let target = collection.join(href.trim()).ok()?;
    let (target, base) = (decode(target.path())?, decode(collection.path())?);
    let name = target.strip_prefix(base.as_str())?;
    let name = name.strip_suffix('/').unwrap_or(name);
    (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn members_are_found_whatever_prefixes_and_addresses_a_server_uses() {
        let answer = br#"<?xml version="1.0"?>
            <multistatus xmlns="DAV:" xmlns:x="urn:other">
            <response><href>/a%20b/</href><propstat><prop><resourcetype><collection/></resourcetype></prop></propstat></response>
            <d:response xmlns:d="DAV:"><d:href>http://other.example:80/a%20b/log/</d:href>
              <d:propstat><d:prop><d:resourcetype><d:collection></d:collection></d:resourcetype></d:prop></d:propstat></d:response>
            <response><href>/a b/x&amp;y%2Ez</href><propstat><prop><resourcetype/>
              <getcontentlength> 12 </getcontentlength><x:getcontentlength>99</x:getcontentlength></prop></propstat></response>
            <response><href>/a%20b/deep/er</href></response>
            <response><href>/elsewhere/c</href></response>
            </multistatus>"#;
        let found = members(answer, &url("http://host/a%20b/")).unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|one| (one.name.as_str(), one.is_collection, one.length_bytes))
            .collect();
        assert_eq!(shown, [("log", true, 0), ("x&y.z", false, 12)]);
    }

    #[test]
    fn a_listing_that_is_cut_off_is_an_error_wherever_it_ends() {
        let answer = br#"<D:multistatus xmlns:D="DAV:"><D:response><D:href>/b/c</D:href></D:response></D:multistatus>"#;
        assert_eq!(members(answer, &url("http://h/b/")).unwrap().len(), 1);
        for end in 1..answer.len() {
            assert!(members(&answer[..end], &url("http://h/b/")).is_err(), "cut at {end}");
        }
    }
}
