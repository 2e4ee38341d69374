//! A web server with WebDAV in this process, and the quirks that real ones have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::http::{Answer, HttpServer, Request};

/// What the server does differently from the protocol's ideal.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each quirk is there or not")]
pub(crate) struct Quirks {
    /// No WebDAV at all: GET, HEAD, PUT and DELETE, folders made by PUT.
    pub(crate) plain: bool,
    /// Serves a page with links for a folder.
    pub(crate) pages: bool,
    /// A PUT below a missing folder is answered with 500.
    pub(crate) put_fails_without_folder: bool,
    /// Neither PUT nor DELETE.
    pub(crate) read_only: bool,
    /// MOVE is refused.
    pub(crate) no_move: bool,
    /// Ranges are answered with the whole and 200.
    pub(crate) no_ranges: bool,
    /// An upload that is cut off stays, over what was there.
    pub(crate) torn_uploads: bool,
    /// Members are named by whole address.
    pub(crate) absolute_links: bool,
    /// Asks for `me` and `secret`, or the token `t0ken`.
    pub(crate) login: bool,
}

#[derive(Default)]
struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    folders: BTreeSet<String>,
}

/// A web server on loopback; its tree starts with the folder `/a b/`.
pub(crate) struct WebServer {
    pub(crate) http: HttpServer,
    tree: Arc<Mutex<Tree>>,
}

impl WebServer {
    pub(crate) fn start(quirks: Quirks) -> Self {
        let tree = Arc::new(Mutex::new(Tree::default()));
        for folder in ["/", "/a b/"] {
            tree.lock().unwrap().folders.insert(folder.to_owned());
        }
        let shared = Arc::clone(&tree);
        let http = HttpServer::start(move |request| answer(quirks, &mut shared.lock().unwrap(), request));
        Self { http, tree }
    }

    /// Returns the address of a folder that is not there yet.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/a%20b/c/remote", self.http.authority())
    }

    /// Lists the files, hidden ones too.
    pub(crate) fn files(&self) -> Vec<String> {
        self.tree.lock().unwrap().files.keys().cloned().collect()
    }

    /// Puts a file there with the folders above it.
    pub(crate) fn place_in_folders(&self, path: &str, bytes: &[u8]) {
        let (folder, _) = path.rsplit_once('/').unwrap();
        add_folders(&mut self.tree.lock().unwrap(), &format!("{folder}/"));
        self.place(path, bytes);
    }

    /// Reads a file as another program does.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        self.tree.lock().unwrap().files[path].clone()
    }

    /// Puts a file there as another program does.
    pub(crate) fn place(&self, path: &str, bytes: &[u8]) {
        self.tree.lock().unwrap().files.insert(path.to_owned(), bytes.to_vec());
    }
}

fn answer(quirks: Quirks, tree: &mut Tree, request: &Request) -> Answer {
    let basic = format!("Basic {}", data_encoding::BASE64.encode(b"me:secret"));
    let known = [basic.as_str(), "Bearer t0ken"];
    if quirks.login
        && !request
            .header("Authorization")
            .is_some_and(|header| known.contains(&header))
    {
        return Answer::of(401).header("WWW-Authenticate", "Basic realm=\"x\"");
    }
    let path = request.path();
    let folder = format!("{}/", path.trim_end_matches('/'));
    let parent = format!("{}/", folder.trim_end_matches('/').rsplit_once('/').unwrap().0);
    let refused = match request.method.as_str() {
        "PUT" | "DELETE" => quirks.read_only,
        "MOVE" => quirks.read_only || quirks.no_move || quirks.plain,
        "MKCOL" | "PROPFIND" => quirks.plain,
        _ => false,
    };
    if refused {
        return Answer::of(405);
    }
    match request.method.as_str() {
        "GET" | "HEAD" => match tree.files.get(&path) {
            Some(bytes) if quirks.no_ranges => Answer::of(200).body(bytes.as_slice()),
            Some(bytes) => ranged(request, bytes),
            None if quirks.pages && tree.folders.contains(&folder) => page(tree, &folder),
            None if tree.folders.contains(&folder) => Answer::of(403),
            None => Answer::of(404),
        },
        "PUT" => {
            if quirks.plain {
                add_folders(tree, &parent);
            }
            if !tree.folders.contains(&parent) {
                return Answer::of(if quirks.put_fails_without_folder { 500 } else { 409 });
            }
            if !request.is_cut || quirks.torn_uploads {
                tree.files.insert(path, request.body.clone());
            }
            Answer::of(201)
        }
        "DELETE" => Answer::of(if tree.files.remove(&path).is_some() { 204 } else { 404 }),
        "MKCOL" if tree.folders.contains(&folder) => Answer::of(405),
        "MKCOL" if !tree.folders.contains(&parent) => Answer::of(409),
        "MKCOL" => {
            tree.folders.insert(folder);
            Answer::of(201)
        }
        "MOVE" => {
            let to = url::Url::parse(request.header("Destination").unwrap()).unwrap();
            let to = percent_encoding::percent_decode_str(to.path())
                .decode_utf8()
                .unwrap()
                .into_owned();
            assert_eq!(request.header("Overwrite"), Some("F"));
            if tree.files.contains_key(&to) {
                return Answer::of(412);
            }
            match tree.files.remove(&path) {
                Some(bytes) => {
                    tree.files.insert(to, bytes);
                    Answer::of(201)
                }
                None => Answer::of(404),
            }
        }
        "PROPFIND" if !tree.folders.contains(&folder) => Answer::of(404),
        "PROPFIND" => {
            assert_eq!(request.header("Depth"), Some("1"));
            listing(quirks, tree, &folder, request)
        }
        _ => Answer::of(501),
    }
}

fn add_folders(tree: &mut Tree, folder: &str) {
    for (at, _) in folder.match_indices('/') {
        tree.folders.insert(folder[..=at].to_owned());
    }
}

/// Answers with an object or a part of it.
pub(crate) fn ranged(request: &Request, bytes: &[u8]) -> Answer {
    let Some((start, end)) = request
        .header("Range")
        .and_then(|range| range.strip_prefix("bytes=")?.split_once('-'))
    else {
        return Answer::of(200).body(bytes);
    };
    let start: usize = start.parse().unwrap();
    let end = end.parse().unwrap_or(usize::MAX).saturating_add(1).min(bytes.len());
    if start >= bytes.len() {
        return Answer::of(416).header("Content-Range", format!("bytes */{}", bytes.len()));
    }
    let shown = format!("bytes {start}-{}/{}", end - 1, bytes.len());
    Answer::of(206).header("Content-Range", shown).body(&bytes[start..end])
}

/// Lists what lies directly in a folder: names (folders with `/`) and lengths.
fn members(tree: &Tree, folder: &str) -> Vec<(String, usize)> {
    let files = tree.files.iter().map(|(path, bytes)| (path.as_str(), bytes.len()));
    let folders = tree.folders.iter().map(|path| (path.as_str(), 0));
    let below = files.chain(folders).filter_map(|(path, length)| {
        let name = path.strip_prefix(folder)?;
        let direct = !name.is_empty() && !name.trim_end_matches('/').contains('/');
        direct.then(|| (name.to_owned(), length))
    });
    below.collect()
}

fn escaped(path: &str) -> String {
    path.replace(' ', "%20")
}

fn page(tree: &Tree, folder: &str) -> Answer {
    let mut html = "<html><h1>Index</h1><a href=\"../\">../</a>".to_owned();
    for (name, _) in members(tree, folder) {
        html.push_str(&format!("<a href=\"{0}\">{0}</a>\n", escaped(&name)));
    }
    Answer::of(200).header("Content-Type", "text/html").body(html)
}

fn listing(quirks: Quirks, tree: &Tree, folder: &str, request: &Request) -> Answer {
    let host = request.header("Host").unwrap();
    let mut xml = "<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\">".to_owned();
    for (name, length) in members(tree, folder).into_iter().chain([(String::new(), 0)]) {
        let path = escaped(&format!("{folder}{name}"));
        let href = if quirks.absolute_links {
            format!("http://{host}{path}")
        } else {
            path
        };
        let kind = if name.is_empty() || name.ends_with('/') {
            "<D:resourcetype><D:collection/></D:resourcetype>".to_owned()
        } else {
            format!("<D:resourcetype/><D:getcontentlength>{length}</D:getcontentlength>")
        };
        xml.push_str(&format!(
            "<D:response><D:href>{href}</D:href><D:propstat><D:prop>{kind}</D:prop>\
             <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        ));
    }
    Answer::of(207).body(xml + "</D:multistatus>")
}
