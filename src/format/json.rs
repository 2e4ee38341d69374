//! JSON texts by their spans: an object's members are found, decoded one by one, and changed in place.
//!
//! `serde_json` gives values; what a table needs is where each value stands, so that a changed object keeps its other
//! bytes, numbers as they are spelled, and members in their order. The grammar is RFC 8259, strictly: what another
//! reader refuses is refused here.
//! *Invariant*: a changed object changes only in the members that show the change.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use super::ItemError;

/// How deep values may be nested (that of `serde_json`, so that texts pass through other programs).
const MAX_DEPTH: usize = 127;

/// A member of an object: where its name and its value stand in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name with its quotes.
    pub name: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

/// Returns the length of the whitespace that `text` begins with.
pub fn blank(text: &[u8]) -> usize {
    text.iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
        .count()
}

/// Lists the members of the object that `text` is, whitespace around it aside.
pub fn members(text: &str) -> Result<Vec<Member>, ItemError> {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
    };
    let mut list = Vec::new();
    scanner.blank();
    if scanner.peek() != Some(b'{') {
        return Err(ItemError::new("it is no JSON object"));
    }
    scanner.object(0, &mut |name, value| list.push(Member { name, value }))?;
    scanner.end()?;
    Ok(list)
}

/// Returns whether `text` is one JSON object or array.
pub fn is_nested(text: &str) -> bool {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
    };
    scanner.blank();
    matches!(scanner.peek(), Some(b'{' | b'[')) && scanner.value(0).and_then(|()| scanner.end()).is_ok()
}

/// Returns whether `text` is a number as JSON spells them.
pub fn is_number(text: &str) -> bool {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
    };
    scanner.number().is_ok() && scanner.at == text.len()
}

/// Decodes a string with its quotes.
pub fn unquote(text: &str) -> Result<Cow<'_, str>, ItemError> {
    let broken = || ItemError::new("a string in it has an escape that is no character");
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut letters = after.chars();
        let letter = letters.next().ok_or_else(broken)?;
        rest = letters.as_str();
        out.push(match letter {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = hex4(&mut rest).ok_or_else(broken)?;
                let code = if (0xD800..0xDC00).contains(&high) {
                    rest = rest.strip_prefix("\\u").ok_or_else(broken)?;
                    let low = hex4(&mut rest).filter(|low| (0xDC00..0xE000).contains(low));
                    0x1_0000 + ((high - 0xD800) << 10) + (low.ok_or_else(broken)? - 0xDC00)
                } else {
                    high
                };
                char::from_u32(code).ok_or_else(broken)?
            }
            other => other,
        });
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

fn hex4(text: &mut &str) -> Option<u32> {
    let (digits, rest) = text.split_at_checked(4)?;
    *text = rest;
    u32::from_str_radix(digits, 16).ok()
}

/// Spells a string, with the escapes it needs and no others.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _never_fails = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Returns an object or array without whitespace between its tokens and with strings in their shortest spelling, so
/// that one value has one text; numbers and the order of members stay.
pub fn compact(text: &str) -> Result<String, ItemError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.find(['"', ' ', '\t', '\n', '\r']) {
        let (plain, after) = rest.split_at(next);
        out.push_str(plain);
        if after.starts_with('"') {
            let mut scanner = Scanner {
                bytes: after.as_bytes(),
                at: 0,
            };
            scanner.string()?;
            let (string, after) = after.split_at(scanner.at);
            out.push_str(&quote(&unquote(string)?));
            rest = after;
        } else {
            rest = after.get(blank(after.as_bytes())..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Whitespace as an object has it, to write others alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spacing {
    /// After the opening brace.
    open: String,
    /// After the colon.
    colon: String,
    /// After a comma.
    comma: String,
    /// Before the closing brace.
    close: String,
}

impl Spacing {
    /// Learns from an object with its members.
    pub fn of(text: &str, members: &[Member]) -> Self {
        let Some(first) = members.first() else {
            return Self::default();
        };
        let kept = |range: Range<usize>| {
            let part = text.get(range).unwrap_or_default();
            part.chars().filter(char::is_ascii_whitespace).collect()
        };
        let start = text.find('{').unwrap_or_default();
        let last = members.last().unwrap_or(first);
        let open: String = kept(start..first.name.start);
        let colon: String = kept(first.name.end..first.value.start);
        let comma = match members.get(1) {
            Some(second) => {
                let between = text.get(first.value.end..second.name.start).unwrap_or_default();
                let after = between.split_once(',').map_or("", |(_, after)| after);
                after.to_owned()
            }
            None if open.is_empty() => colon.clone(),
            None => open.clone(),
        };
        Self {
            colon,
            comma,
            close: kept(last.value.end..text.rfind('}').unwrap_or_default()),
            open,
        }
    }

    /// Writes an object of these names and spelled values.
    pub fn object<'m>(&self, members: impl Iterator<Item = (&'m str, String)>) -> String {
        let mut out = String::from("{");
        for (at, (name, value)) in members.enumerate() {
            out.push_str(if at == 0 { &self.open } else { "," });
            out.push_str(if at == 0 { "" } else { &self.comma });
            self.push_member(name, &value, &mut out);
        }
        if out.len() > 1 {
            out.push_str(&self.close);
        }
        out.push('}');
        out
    }

    fn push_member(&self, name: &str, value: &str, out: &mut String) {
        out.push_str(&quote(name));
        out.push(':');
        out.push_str(&self.colon);
        out.push_str(value);
    }
}

/// Changes an object: puts `replaced` texts in the place of spans (in their order, not overlapping) and adds members
/// behind its last one.
pub fn patch(text: &str, members: &[Member], replaced: &[(Range<usize>, String)], added: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut at = 0;
    let end = members.last().map_or_else(
        || text.find('{').map_or(text.len(), |start| start + 1),
        |member| member.value.end,
    );
    for (span, new) in replaced {
        out.push_str(text.get(at..span.start).unwrap_or_default());
        out.push_str(new);
        at = span.end;
    }
    out.push_str(text.get(at..end).unwrap_or_default());
    let spacing = Spacing::of(text, members);
    for (place, (name, value)) in added.iter().enumerate() {
        if place > 0 || !members.is_empty() {
            out.push(',');
            out.push_str(&spacing.comma);
        }
        spacing.push_member(name, value, &mut out);
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

/// Walks over a text.
struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        self.at += blank(self.bytes.get(self.at..).unwrap_or_default());
    }

    fn broken(&self, what: &str) -> ItemError {
        ItemError::new(format!("it is no JSON: {what} at byte {}", self.at + 1))
    }

    fn take(&mut self, byte: u8) -> Result<(), ItemError> {
        if self.peek() != Some(byte) {
            return Err(self.broken(&format!("no `{}`", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), ItemError> {
        self.blank();
        if self.at < self.bytes.len() {
            return Err(self.broken("something after its end"));
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), ItemError> {
        if depth > MAX_DEPTH {
            return Err(ItemError::new(format!("it is nested deeper than {MAX_DEPTH} levels")));
        }
        match self.peek() {
            Some(b'{') => self.object(depth, &mut |_, _| {}),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize, each: &mut dyn FnMut(Range<usize>, Range<usize>)) -> Result<(), ItemError> {
        self.take(b'{')?;
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            let name = self.at;
            self.string()?;
            let name = name..self.at;
            self.blank();
            self.take(b':')?;
            self.blank();
            let value = self.at;
            self.value(depth + 1)?;
            each(name, value..self.at);
            self.blank();
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(());
            }
            self.take(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), ItemError> {
        self.take(b'[')?;
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            self.value(depth + 1)?;
            self.blank();
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(());
            }
            self.take(b',')?;
        }
    }

    fn word(&mut self, word: &str) -> Result<(), ItemError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.broken("an unknown word"));
        }
        self.at += word.len();
        Ok(())
    }

    fn string(&mut self) -> Result<(), ItemError> {
        self.take(b'"')?;
        loop {
            match self.peek() {
                None => return Err(self.broken("a string that does not end")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                        Some(b'u') => {
                            let digits = self.bytes.get(self.at + 1..self.at + 5).unwrap_or_default();
                            if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                                return Err(self.broken("an unknown escape"));
                            }
                            self.at += 5;
                        }
                        _ => return Err(self.broken("an unknown escape")),
                    }
                }
                Some(control) if control < b' ' => return Err(self.broken("a control character in a string")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn digits(&mut self) -> Result<(), ItemError> {
        let count = self.bytes.get(self.at..).unwrap_or_default();
        let count = count.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.broken("no value"));
        }
        self.at += count;
        Ok(())
    }

    fn number(&mut self) -> Result<(), ItemError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::btree_map("[a-c\\\\\"é]{0,2}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn is_valid(text: &str) -> bool {
        let mut scanner = Scanner {
            bytes: text.as_bytes(),
            at: 0,
        };
        scanner.blank();
        scanner.value(0).and_then(|()| scanner.end()).is_ok()
    }

    proptest! {
        /// What is JSON here is JSON elsewhere.
        #[test]
        fn the_grammar_is_that_of_another_reader(text in "[\\[\\]{},:\"\\\\0-9eE.+ntrue a-]{0,12}") {
            let known = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_valid(&text), known, "{}", text);
        }

        #[test]
        fn compact_texts_mean_the_same(value in json()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let short = compact(&pretty).unwrap();
            prop_assert_eq!(&short, &compact(&short).unwrap());
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&short).unwrap(), value);
        }

        #[test]
        fn strings_come_back(text in ".{0,12}") {
            let own = quote(&text);
            prop_assert_eq!(unquote(&own).unwrap(), text.as_str());
            let other = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unquote(&other).unwrap(), text.as_str());
        }

        /// Of a changed object, every byte outside the changed value stays.
        #[test]
        fn a_patch_changes_one_member(object in proptest::collection::btree_map("[a-z]{1,3}", json(), 1..5), at: usize) {
            let object: serde_json::Map<_, _> = object.into_iter().collect();
            let text = serde_json::to_string_pretty(&object).unwrap();
            let list = members(&text).unwrap();
            let member = &list[at % list.len()];
            let new = patch(&text, &list, &[(member.value.clone(), "42".to_owned())], &[("new", "1.10".to_owned())]);
            let mut wanted = object;
            wanted.insert(unquote(&text[member.name.clone()]).unwrap().into_owned(), 42.into());
            wanted.insert("new".to_owned(), 1.1.into());
            prop_assert_eq!(serde_json::from_str::<serde_json::Map<_, _>>(&new).unwrap(), wanted);
            prop_assert!(new.starts_with(&text[..member.value.start]));
            prop_assert!(new.contains("\n  \"new\": 1.10\n}"), "{}", new);
        }
    }

    #[test]
    fn depth_and_escapes_have_limits() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        assert!(!is_nested(&deep));
        assert!(members(&format!("{{\"a\":{deep}}}")).is_err());
        assert!(unquote("\"\\ud800\"").is_err());
        assert_eq!(unquote("\"\\ud83d\\ude00\\/\"").unwrap(), "😀/");
    }

    #[test]
    fn new_objects_look_like_the_others() {
        let like = |text: &str| {
            let spacing = Spacing::of(text, &members(text).unwrap());
            spacing.object([("x", "1".to_owned()), ("y", "2".to_owned())].into_iter())
        };
        assert_eq!(like("{\"a\": 1, \"b\": 2}"), "{\"x\": 1, \"y\": 2}");
        assert_eq!(like("{\"a\":1}"), "{\"x\":1,\"y\":2}");
        assert_eq!(like("{\n  \"a\": 1\n}"), "{\n  \"x\": 1,\n  \"y\": 2\n}");
        assert_eq!(like("{}"), "{\"x\":1,\"y\":2}");
    }
}
