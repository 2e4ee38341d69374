//! JSON with the place of every value, so that a change can leave the rest of the text alone.

/// The deepest nesting that is read (a card has about 8).
const MAX_DEPTH: usize = 64;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where it starts.
    pub(super) start: usize,
    /// Where it has ended.
    pub(super) end: usize,
    /// What it is.
    pub(super) shape: Shape,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// An object: its members in order.
    Object(Vec<(String, Node)>),
    /// An array.
    Array(Vec<Node>),
    /// Anything else.
    Scalar,
}

/// Reads the value at `at`, after white space. On failure, says where.
pub(super) fn value(bytes: &[u8], at: usize) -> Result<Node, usize> {
    Scanner { bytes, at }.value(0)
}

/// Returns where the next byte that is no white space is.
pub(super) fn skip_space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        self.at = skip_space(self.bytes, self.at);
    }

    fn value(&mut self, depth: usize) -> Result<Node, usize> {
        self.space();
        let start = self.at;
        if depth > MAX_DEPTH {
            return Err(start);
        }
        let shape = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => {
                self.string()?;
                Shape::Scalar
            }
            _ => self.word()?,
        };
        Ok(Node {
            start,
            end: self.at,
            shape,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Shape, usize> {
        let mut members = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Shape::Object(members));
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.at);
            }
            self.at += 1;
            members.push((key, self.value(depth + 1)?));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Shape::Object(members));
                }
                _ => return Err(self.at),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Shape, usize> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Shape::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Shape::Array(items));
                }
                _ => return Err(self.at),
            }
        }
    }

    fn string(&mut self) -> Result<String, usize> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(start);
        }
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'\\') => self.at += 2,
                Some(b'"') => break,
                Some(_) => self.at += 1,
                None => return Err(start),
            }
        }
        self.at += 1;
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        serde_json::from_slice(text).map_err(|_| start)
    }

    fn word(&mut self) -> Result<Shape, usize> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
            .count();
        self.at += length;
        let text = rest.get(..length).unwrap_or_default();
        serde_json::from_slice::<serde_json::Value>(text).map_err(|_| start)?;
        Ok(Shape::Scalar)
    }
}
