//! Values, paths and amounts as people read them. Pure.
//!
//! *Invariant*: nothing that comes from a record, a file name or a remote reaches a terminal with control characters
//! in it, nor with the characters that turn the direction of writing.

use serde_json::Value as Json;

/// The longest value shown on a line, in characters (chosen: a line of a wide terminal with room for the path).
const SHOWN_CHARACTERS: usize = 100;

/// Returns `text` with control and direction characters written as escapes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_unsafe(character) => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    out
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Returns a number of bytes with a decimal unit: `412 B`, `12 kB`, `1.2 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut divisor = 1000_u64;
    let mut unit = 0;
    while bytes / divisor >= 1000 && unit + 1 < UNITS.len() {
        divisor *= 1000;
        unit += 1;
    }
    let whole = bytes / divisor;
    let tenth = bytes % divisor / (divisor / 10);
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if whole < 10 {
        format!("{whole}.{tenth} {name}")
    } else {
        format!("{whole} {name}")
    }
}

/// Returns `1 record`, `2 records`.
pub(crate) fn count(number: u64, word: &str) -> String {
    match (number, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        _ => format!("{number} {word}s"),
    }
}

/// Returns the first digits of an id, for people; any unique prefix of 4 or more is accepted back.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Returns a value on one line; large and binary ones as `<photo, 12 kB>`.
pub(crate) fn value(path: &str, value: &Json) -> String {
    match value {
        Json::String(text) => {
            if let Some(bytes) = data_uri_bytes(text) {
                return format!("<{}, {}>", binary_name(path, text), size(bytes));
            }
            let total = text.chars().count();
            if total > SHOWN_CHARACTERS {
                let start: String = text.chars().take(SHOWN_CHARACTERS).collect();
                format!("\"{}…\" ({})", escape(&start), count(total as u64, "character"))
            } else {
                format!("\"{}\"", escape(text))
            }
        }
        other => {
            let text = escape(&other.to_string());
            if text.chars().count() > SHOWN_CHARACTERS {
                let start: String = text.chars().take(SHOWN_CHARACTERS).collect();
                format!("{start}…")
            } else {
                text
            }
        }
    }
}

/// Returns how many bytes a `data:` URI carries.
fn data_uri_bytes(text: &str) -> Option<u64> {
    let (head, body) = text.strip_prefix("data:")?.split_once(',')?;
    let length = body.trim_end_matches('=').len() as u64;
    Some(if head.ends_with(";base64") {
        length * 3 / 4
    } else {
        length
    })
}

fn binary_name(path: &str, uri: &str) -> &'static str {
    if uri.starts_with("data:image/") || path.starts_with("/media/") && !uri.starts_with("data:audio/") {
        "photo"
    } else {
        "data"
    }
}

/// Returns how a record of any kind is called, as far as its `JSContact` object tells.
pub(crate) fn title(record: &Json) -> Option<String> {
    let name = record.get("name")?;
    if let Some(full) = name.get("full").and_then(Json::as_str) {
        return Some(full.to_owned());
    }
    let parts = match name.get("components")? {
        Json::Array(parts) => parts
            .iter()
            .filter_map(|part| part.get("value")?.as_str())
            .collect::<Vec<_>>(),
        Json::Object(parts) => parts.values().filter_map(|part| part.get("value")?.as_str()).collect(),
        _ => return None,
    };
    Some(parts.join(" "))
}

/// Lists the leaves of a JSON value with their pointers, in order.
pub(crate) fn leaves(value: &Json) -> Vec<(String, &Json)> {
    fn walk<'a>(value: &'a Json, path: &str, out: &mut Vec<(String, &'a Json)>) {
        match value {
            Json::Object(map) if !map.is_empty() => {
                for (key, inner) in map {
                    walk(
                        inner,
                        &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")),
                        out,
                    );
                }
            }
            leaf => out.push((path.to_owned(), leaf)),
        }
    }
    let mut out = Vec::new();
    walk(value, "", &mut out);
    out
}

/// Returns a word as a shell takes it.
pub(crate) fn shell_quote(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@,+%~^".contains(character);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('~') {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Returns `word` with the password or secret inside a URL replaced by `***`.
pub(crate) fn mask_secrets(word: &str) -> String {
    const SECRET_NAMES: [&str; 5] = ["secret", "password", "token", "passphrase", "key"];
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_end);
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _password)) => format!("{name}:***@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let Some((path, query)) = tail.split_once('?') else {
        return format!("{scheme}://{authority}{tail}");
    };
    let query: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _))
                if SECRET_NAMES
                    .iter()
                    .any(|secret| name.to_ascii_lowercase().contains(secret)) =>
            {
                format!("{name}=***")
            }
            _ => pair.to_owned(),
        })
        .collect();
    format!("{scheme}://{authority}{path}?{}", query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_never_reach_a_terminal() {
        assert_eq!(
            escape("a\u{1b}[31mb\n\u{202e}c\u{9b}"),
            "a\\u{1b}[31mb\\n\\u{202e}c\\u{9b}"
        );
        assert_eq!(escape("Zoë 李"), "Zoë 李");
    }

    #[test]
    fn sizes_have_decimal_units() {
        let shown: Vec<String> = [0, 999, 1000, 12_345, 1_250_000, u64::MAX]
            .into_iter()
            .map(size)
            .collect();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "12 kB", "1.2 MB", "18446 PB"]);
    }

    #[test]
    fn photos_are_told_not_shown() {
        let photo = format!("data:image/jpeg;base64,{}", "A".repeat(16_000));
        assert_eq!(value("/media/p1/uri", &Json::from(photo)), "<photo, 12 kB>");
        assert_eq!(value("/x", &Json::from("a\"b")), "\"a\"b\"");
        assert_eq!(
            value("/x", &Json::from("é".repeat(101))),
            format!("\"{}…\" (101 characters)", "é".repeat(100))
        );
    }

    #[test]
    fn passwords_in_urls_are_masked() {
        assert_eq!(mask_secrets("davs://me:pw@host/p?x=1"), "davs://me:***@host/p?x=1");
        assert_eq!(
            mask_secrets("s3://b/p?endpoint=h&secret_key=abc"),
            "s3://b/p?endpoint=h&secret_key=***"
        );
        assert_eq!(mask_secrets("sftp://me@host/p@q"), "sftp://me@host/p@q");
        assert_eq!(mask_secrets("a:b"), "a:b");
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(shell_quote("a b"), "'a b'");
        assert_eq!(shell_quote("it's"), "'it'\\''s'");
        assert_eq!(shell_quote("@~1"), "@~1");
        assert_eq!(shell_quote(""), "''");
    }

    #[test]
    fn leaves_have_escaped_pointers() {
        let json = serde_json::json!({"a/b": {"~": 1}, "c": [1, 2]});
        let paths: Vec<String> = leaves(&json).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["/a~1b/~0", "/c"]);
    }
}
