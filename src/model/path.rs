//! Paths of fields inside a record.

use std::fmt;

use super::Text;

/// The path of a field inside a record; prints as a JSON Pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldPath(Vec<Text>);

impl FieldPath {
    /// The deepest path that is accepted (chosen; contacts need 5).
    pub const MAX_DEPTH: usize = 24;

    /// Returns the path of the whole record.
    pub fn root() -> Self {
        Self::default()
    }

    /// Makes a path from its parts.
    pub fn new<S: Into<Text>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }

    /// Parses a JSON Pointer; `None` when it is malformed or too deep.
    pub fn parse(pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(Self::root());
        }
        let parts: Vec<Text> = pointer
            .strip_prefix('/')?
            .split('/')
            .map(|part| {
                if part.contains('~') {
                    part.replace("~1", "/").replace("~0", "~").into()
                } else {
                    part.into()
                }
            })
            .collect();
        (parts.len() <= Self::MAX_DEPTH).then_some(Self(parts))
    }

    /// Returns the parts from the outermost inwards.
    pub fn parts(&self) -> &[Text] {
        &self.0
    }

    /// Returns the path of `key` below this one.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        let mut parts = Vec::with_capacity(self.0.len() + 1);
        parts.extend_from_slice(&self.0);
        parts.push(key.into());
        Self(parts)
    }

    /// Returns the path without its last part; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// Returns whether this is the path of the whole record.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether this path is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| write_part(part, formatter))
    }
}

/// Writes the JSON Pointer of an element: that of the path of `collection` and `key`.
pub fn element_pointer(collection: &str, key: &str, out: &mut String) {
    out.clear();
    // No collection's name and hardly any key needs more than the one escape of provisional keys.
    if let (false, Some(rest)) = (collection.contains(['~', '/']), key.strip_prefix('~'))
        && !rest.contains(['~', '/'])
    {
        for part in ["/", collection, "/~0", rest] {
            out.push_str(part);
        }
        return;
    }
    for part in [collection, key] {
        // A `String` takes everything.
        let _always_fits = write_part(part, out);
    }
}

fn write_part(part: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    out.write_char('/')?;
    let mut rest = part;
    while let Some(at) = rest.find(['~', '/']) {
        let (plain, special) = rest.split_at(at);
        out.write_str(plain)?;
        out.write_str(if special.starts_with('~') { "~0" } else { "~1" })?;
        rest = special.get(1..).unwrap_or_default();
    }
    out.write_str(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_escapes_survive() {
        let path = FieldPath::new(["a/b", "~c", ""]);
        assert_eq!(path.to_string(), "/a~1b/~0c/");
        assert_eq!(FieldPath::parse(&path.to_string()), Some(path));
        assert_eq!(FieldPath::parse("no-slash"), None);
    }
}
