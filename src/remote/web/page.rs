//! Listings of web servers without WebDAV: the page with links, or the JSON, that they make of a folder.

use serde::Deserialize;
use url::Url;

use super::dav::{Member, name_below};

/// An entry of nginx's `autoindex_format json`; others use the same words.
#[derive(Deserialize)]
struct JsonEntry {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    size: u64,
}

/// Reads which names a page lists directly in `folder` (which ends with `/`). A page of links tells no lengths: they
/// are 0.
pub(super) fn members(page: &[u8], folder: &Url) -> Vec<Member> {
    let text = String::from_utf8_lossy(page);
    if let Ok(entries) = serde_json::from_str::<Vec<JsonEntry>>(&text) {
        return entries.into_iter().map(Member::from).collect();
    }
    let mut members = Vec::new();
    for link in links(&text) {
        // Links that sort the page carry a `?`, links to places on a page a `#`.
        if link.contains(['?', '#']) {
            continue;
        }
        if let Some(name) = name_below(&link, folder) {
            members.push(Member {
                name,
                is_collection: link.ends_with('/'),
                length_bytes: 0,
            });
        }
    }
    members.sort();
    members.dedup();
    members
}

impl From<JsonEntry> for Member {
    fn from(entry: JsonEntry) -> Self {
        Self {
            is_collection: entry.kind == "directory" || entry.name.ends_with('/'),
            name: entry.name.trim_end_matches('/').to_owned(),
            length_bytes: entry.size,
        }
    }
}

/// Returns the targets of all links of a page.
fn links(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut links = Vec::new();
    for (at, _) in lower.match_indices("href") {
        let Some(rest) = text
            .get(at + 4..)
            .map(str::trim_start)
            .and_then(|rest| rest.strip_prefix('='))
        else {
            continue;
        };
        let rest = rest.trim_start();
        let target = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest.get(1..).and_then(|rest| rest.split(quote).next()),
            _ => rest
                .split(|character: char| character.is_whitespace() || character == '>')
                .next(),
        };
        links.extend(target.map(|target| target.replace("&amp;", "&")));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(page: &str) -> Vec<(String, bool, u64)> {
        let folder = Url::parse("http://host/a%20b/").unwrap();
        let members = members(page.as_bytes(), &folder).into_iter();
        members
            .map(|one| (one.name, one.is_collection, one.length_bytes))
            .collect()
    }

    #[test]
    fn pages_of_several_servers_are_read() {
        let wanted = [("dsync-remote".to_owned(), false, 0), ("log".to_owned(), true, 0)];
        for page in [
            // nginx
            "<html><h1>Index of /a b/</h1><pre><a href=\"../\">../</a>\r\n<a href=\"log/\">log/</a> 22-Nov -\r\n\
             <a href=\"dsync-remote\">dsync-remote</a> 86</pre>",
            // Apache
            "<th><a href=\"?C=N;O=D\">Name</a></th><a href=\"/\">Parent Directory</a>\
             <td><a href=\"dsync-remote\">dsync-remote</a></td><td><a href=\"log/\">log/</a></td>",
            // others: whole paths, small letters or not, quotes or not
            "<A HREF='/a%20b/log/'>log</A><a href=/a%20b/dsync-remote>x</a><a href=\"http://host/a%20b/log/\">log</a>",
        ] {
            assert_eq!(shown(page), wanted, "{page}");
        }
        let json = r#"[{"name":"log","type":"directory","mtime":"x"},{"name":"dsync-remote","type":"file","size":86}]"#;
        assert_eq!(
            shown(json),
            [("log".to_owned(), true, 0), ("dsync-remote".to_owned(), false, 86)]
        );
        assert_eq!(shown("<a href"), []);
        assert_eq!(shown("<a href=\"ä"), [("ä".to_owned(), false, 0)]);
    }
}
