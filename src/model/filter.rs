//! Filters: which records a source shows, as a person types it (`country = "DE" and price > 10`).
//!
//! *Owns* the language: reading it, its limits, and whether values satisfy it. *Leaves* to the caller what a field's
//! name means. Pure: no I/O, no clock; reading and matching end in bounded time for any input. *Fails* with
//! [`FilterError`], which points at the place. `docs/filters.md` describes the language for people.
//! *Start reading* at [`Filter::parse`].

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::Value;
use super::row::from_value;

/// The longest filter in bytes (chosen: people type lines, programs write lists).
const MAX_BYTES: usize = 16 * 1024;
/// The deepest nesting (chosen).
const MAX_DEPTH: usize = 64;

/// A filter that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    text: String,
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Test(String, Test),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// The orderings of value to literal that satisfy it.
    Compare(&'static [Ordering], Literal),
    In(Vec<Literal>),
    Like(String),
    StartsWith(String),
    IsNull,
}

#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Text(String),
    /// In plain notation.
    Number(String),
    Bool(bool),
}

/// Why a filter cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    text: String,
    /// Where, in bytes from the start.
    at: usize,
    message: String,
}

impl FilterError {
    fn width(&self) -> usize {
        let before = self.text.get(..self.at).unwrap_or(&self.text);
        before.chars().count()
    }

    /// Returns the filter, and a line with a caret under the place.
    pub fn picture(&self) -> [String; 2] {
        let line = self.text.replace(char::is_control, " ");
        [line, format!("{:width$}^", "", width = self.width())]
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "cannot read the filter at character {}: {}",
            self.width() + 1,
            self.message
        )
    }
}

impl std::error::Error for FilterError {}

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser { text, at: 0 };
        if text.len() > MAX_BYTES {
            return Err(FilterError {
                text: text.chars().take(60).collect(),
                at: 0,
                message: format!("it has {} bytes; the most are {MAX_BYTES}", text.len()),
            });
        }
        let root = parser.either(0)?;
        parser.blanks();
        if parser.at < text.len() {
            return Err(parser.error("`and`, `or` or the end belongs here"));
        }
        Ok(Self {
            text: text.to_owned(),
            root,
        })
    }

    /// Returns the filter as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Lists the fields it asks for, in order of their names.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        let mut nodes = vec![&self.root];
        while let Some(node) = nodes.pop() {
            match node {
                Node::And(list) | Node::Or(list) => nodes.extend(list),
                Node::Not(inner) => nodes.push(inner),
                Node::Test(field, _) => fields.push(field.as_str()),
            }
        }
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// Returns whether a record satisfies it; `values` gives the values that a field has, none where it has none.
    pub fn matches<E>(&self, values: &mut dyn FnMut(&str) -> Result<Vec<Value>, E>) -> Result<bool, E> {
        self.root.holds(values)
    }
}

impl Node {
    fn holds<E>(&self, values: &mut dyn FnMut(&str) -> Result<Vec<Value>, E>) -> Result<bool, E> {
        Ok(match self {
            Self::And(list) => {
                for node in list {
                    if !node.holds(values)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(list) => {
                for node in list {
                    if node.holds(values)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(inner) => !inner.holds(values)?,
            Self::Test(field, test) => {
                let found = values(field)?;
                let mut found = found.iter().filter(|value| **value != Value::Null);
                match test {
                    Test::IsNull => found.next().is_none(),
                    test => found.any(|value| test.holds(value)),
                }
            }
        })
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Compare(orderings, literal) => {
                compare(value, literal).is_some_and(|ordering| orderings.contains(&ordering))
            }
            Self::In(list) => list
                .iter()
                .any(|literal| compare(value, literal) == Some(Ordering::Equal)),
            Self::Like(pattern) => text_of(value).is_some_and(|text| is_like(&text, pattern)),
            Self::StartsWith(start) => text_of(value).is_some_and(|text| text.starts_with(start.as_str())),
            Self::IsNull => false,
        }
    }
}

fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    // A cell is of the value's own lifetime, its text of the cell's.
    from_value(Some(value)).text().map(|text| Cow::Owned(text.into_owned()))
}

/// Compares a value with a literal: numbers exactly, all else as texts; `None` where they cannot be compared.
fn compare(value: &Value, literal: &Literal) -> Option<Ordering> {
    let text = match value {
        // Shortest digits without an exponent, which say the same number.
        Value::Float(number) => Cow::Owned(number.to_string()),
        value => text_of(value)?,
    };
    let is_number = matches!(value, Value::Integer(_) | Value::Decimal(_) | Value::Float(_));
    match literal {
        Literal::Bool(wanted) => match value {
            Value::Bool(value) => Some(value.cmp(wanted)),
            _ => (text == wanted.to_string()).then_some(Ordering::Equal),
        },
        Literal::Number(number) => Number::parse(&text)
            .zip(Number::parse(number))
            .map(|(left, right)| left.compared(&right)),
        Literal::Text(wanted) if is_number => {
            let numbers = Number::parse(&text).zip(Number::parse(wanted));
            Some(numbers.map_or_else(|| text.as_ref().cmp(wanted), |(left, right)| left.compared(&right)))
        }
        Literal::Text(wanted) => Some(text.as_ref().cmp(wanted)),
    }
}

/// A number in plain notation.
#[derive(Debug, PartialEq, Eq)]
struct Number<'t> {
    is_negative: bool,
    /// Digits without leading zeros.
    whole: &'t str,
    /// Digits without trailing zeros.
    fraction: &'t str,
}

impl<'t> Number<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        Some(Self {
            // Zero has no sign.
            is_negative: is_negative && !(whole.is_empty() && fraction.is_empty()),
            whole,
            fraction,
        })
    }

    fn compared(&self, other: &Self) -> Ordering {
        let size = |left: &Self, right: &Self| {
            (left.whole.len(), left.whole, left.fraction).cmp(&(right.whole.len(), right.whole, right.fraction))
        };
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// Returns whether a text is as a pattern says: `%` is any text, `_` any character. Takes time of their product at most.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut place) = (0, 0);
    // The last `%`, and how much of the text it took.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(at) {
        match pattern.get(place) {
            Some('%') => {
                star = Some((place, at));
                place += 1;
            }
            Some(wanted) if *wanted == '_' || wanted == character => {
                at += 1;
                place += 1;
            }
            _ => match &mut star {
                Some((after, taken)) => {
                    *taken += 1;
                    (place, at) = (*after + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(place).all(|character| *character == '%')
}

/// Comparing signs, longer ones first, with the orderings of value to literal that satisfy them.
const SIGNS: [(&str, &[Ordering]); 8] = [
    ("!=", &[Ordering::Less, Ordering::Greater]),
    ("<>", &[Ordering::Less, Ordering::Greater]),
    ("<=", &[Ordering::Less, Ordering::Equal]),
    (">=", &[Ordering::Greater, Ordering::Equal]),
    ("==", &[Ordering::Equal]),
    ("=", &[Ordering::Equal]),
    ("<", &[Ordering::Less]),
    (">", &[Ordering::Greater]),
];

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, message: impl Into<String>) -> FilterError {
        FilterError {
            text: self.text.to_owned(),
            at: self.at,
            message: message.into(),
        }
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes a sign if it comes next.
    fn sign(&mut self, sign: &str) -> bool {
        self.blanks();
        let is_there = self.rest().starts_with(sign);
        if is_there {
            self.at += sign.len();
        }
        is_there
    }

    /// Takes a word of the language if it comes next.
    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        let found = self.peek_name();
        let is_there = found.eq_ignore_ascii_case(word);
        if is_there {
            self.at += found.len();
        }
        is_there
    }

    fn peek_name(&self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|character: char| !(character.is_alphanumeric() || "_-./*@:~$".contains(character)));
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    }

    fn either(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut list = vec![self.both(depth)?];
        while self.word("or") {
            list.push(self.both(depth)?);
        }
        Ok(if list.len() == 1 {
            list.remove(0)
        } else {
            Node::Or(list)
        })
    }

    fn both(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut list = vec![self.negated(depth)?];
        while self.word("and") {
            list.push(self.negated(depth)?);
        }
        Ok(if list.len() == 1 {
            list.remove(0)
        } else {
            Node::And(list)
        })
    }

    fn negated(&mut self, depth: usize) -> Result<Node, FilterError> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("it is nested deeper than {MAX_DEPTH}")));
        }
        if self.word("not") {
            return Ok(Node::Not(Box::new(self.negated(depth + 1)?)));
        }
        if self.sign("(") {
            let inner = self.either(depth + 1)?;
            if !self.sign(")") {
                return Err(self.error("`)` belongs here"));
            }
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Result<Node, FilterError> {
        let field = self.field()?;
        self.blanks();
        for (sign, orderings) in SIGNS {
            if self.sign(sign) {
                return Ok(Node::Test(field, Test::Compare(orderings, self.literal()?)));
            }
        }
        if self.word("is") {
            let is_negated = self.word("not");
            if !self.word("null") {
                return Err(self.error("`null` belongs here"));
            }
            return Ok(negated_if(is_negated, Node::Test(field, Test::IsNull)));
        }
        let is_negated = self.word("not");
        let test = if self.word("in") {
            self.list()?
        } else if self.word("like") {
            Test::Like(self.text_literal()?)
        } else if self.word("starts") {
            if !self.word("with") {
                return Err(self.error("`with` belongs here"));
            }
            Test::StartsWith(self.text_literal()?)
        } else {
            return Err(self.error("one of = != < <= > >= in, like, starts with, is null belongs here"));
        };
        Ok(negated_if(is_negated, Node::Test(field, test)))
    }

    fn list(&mut self) -> Result<Test, FilterError> {
        if !self.sign("(") {
            return Err(self.error("`(` belongs here"));
        }
        let mut list = vec![self.literal()?];
        while self.sign(",") {
            list.push(self.literal()?);
        }
        if !self.sign(")") {
            return Err(self.error("`,` or `)` belongs here"));
        }
        Ok(Test::In(list))
    }

    fn field(&mut self) -> Result<String, FilterError> {
        self.blanks();
        if self.rest().starts_with('`') {
            return self.quoted('`');
        }
        let name = self.peek_name();
        let is_word = ["and", "or", "not", "in", "is", "like"]
            .iter()
            .any(|word| name.eq_ignore_ascii_case(word));
        if name.is_empty() || is_word {
            return Err(self.error("the name of a field belongs here; other names stand in `…`"));
        }
        self.at += name.len();
        Ok(name.to_owned())
    }

    fn text_literal(&mut self) -> Result<String, FilterError> {
        self.blanks();
        let start = self.at;
        if let Literal::Text(text) = self.literal()? {
            return Ok(text);
        }
        self.at = start;
        Err(self.error("a text in quotes belongs here"))
    }

    fn literal(&mut self) -> Result<Literal, FilterError> {
        self.blanks();
        if let Some(quote @ ('"' | '\'')) = self.rest().chars().next() {
            return self.quoted(quote).map(Literal::Text);
        }
        let word = self.peek_name();
        let literal = match word.to_ascii_lowercase().as_str() {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "null" => return Err(self.error("nothing is equal to null; write `is null` or `is not null`")),
            _ if Number::parse(word).is_some() => Literal::Number(word.to_owned()),
            "" => return Err(self.error("a value belongs here: a text in quotes, a number, true or false")),
            _ => return Err(self.error(format!("`{word}` is no value; texts and dates stand in quotes"))),
        };
        self.at += word.len();
        Ok(literal)
    }

    /// Takes a text in quotes; the quote itself is written twice in it.
    fn quoted(&mut self, quote: char) -> Result<String, FilterError> {
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            if character != quote {
                text.push(character);
                continue;
            }
            if characters.next_if(|(_, next)| *next == quote).is_none() {
                self.at += at + quote.len_utf8();
                return Ok(text);
            }
            text.push(quote);
        }
        Err(self.error("the quote is not closed"))
    }
}

fn negated_if(is_negated: bool, node: Node) -> Node {
    if is_negated { Node::Not(Box::new(node)) } else { node }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn holds(filter: &str, fields: &[(&str, Value)]) -> bool {
        let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{error}"));
        let mut values = |name: &str| -> Result<Vec<Value>, Infallible> {
            let found = fields.iter().filter(|(field, _)| *field == name);
            Ok(found.map(|(_, value)| value.clone()).collect())
        };
        filter.matches(&mut values).unwrap()
    }

    #[test]
    fn filters_mean_what_they_say() {
        let decimal = |text: &str| Value::Decimal(text.into());
        let row = [
            ("country", Value::from("DE")),
            ("price", decimal("10.50")),
            ("stock", Value::Integer(7)),
            ("weight", Value::Float(0.1)),
            ("open", Value::Bool(true)),
            ("made", Value::from("2026-11-22")),
            ("unit price", Value::Integer(-3)),
            ("tag", Value::from("a")),
            ("tag", Value::from("b")),
            ("code", Value::from("007")),
        ];
        for (filter, wanted) in [
            ("country = \"DE\" and price > 10", true),
            ("country = 'DE' and price > 10.5", false),
            ("price = 10.5000", true),
            ("price >= 10.49999999999999999999999999", true),
            ("stock != 7 or not (open = true)", false),
            ("weight = 0.1", true),
            ("weight < 0.10000000000000001", true),
            ("made >= \"2026-01-01\" AND made < \"2027-01-01\"", true),
            ("`unit price` < -2.5 and `unit price` > -10", true),
            ("tag = \"b\" and tag = \"a\"", true),
            ("tag in (\"x\", \"b\")", true),
            ("stock not in (1, 2)", true),
            ("country like \"_E\"", true),
            ("made like \"2026%2_\"", true),
            ("made not like \"%-12-%\"", true),
            ("country starts with \"D\"", true),
            ("gone is null and country is not null", true),
            ("gone = 1 or gone != 1", false),
            ("not gone = 1", true),
            ("code = 7 and code != \"7\"", true),
            ("open = true and country = \"DE\" or price > 99", true),
        ] {
            assert_eq!(holds(filter, &row), wanted, "{filter}");
        }
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        for (filter, at, says) in [
            ("country = ", 10, "a value belongs here"),
            ("country = DE", 10, "stand in quotes"),
            ("ü = 1 und", 6, "`and`, `or`"),
            ("price > 10 and", 14, "the name of a field"),
            ("price", 5, "one of"),
            ("(a = 1", 6, "`)`"),
            ("a = \"x", 4, "not closed"),
            ("a = null", 4, "is null"),
            ("a like 5", 7, "a text in quotes"),
            ("", 0, "the name of a field"),
        ] {
            let error = Filter::parse(filter).unwrap_err();
            let [line, caret] = error.picture();
            assert_eq!((line.as_str(), caret.len()), (filter, at + 1), "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(
            Filter::parse(&"(".repeat(5000))
                .unwrap_err()
                .to_string()
                .contains("nested")
        );
        assert!(Filter::parse(&"not ".repeat(2000)).is_err());
        assert!(Filter::parse(&"a".repeat(20_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z=<>()'\"`%_ .,0-9é-]{0,60}|\\PC{0,40}") {
            match Filter::parse(&text) {
                Ok(filter) => {
                    holds(filter.text(), &[("a", Value::Integer(1))]);
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }

        #[test]
        fn numbers_compare_as_numbers(left in -1000i64..1000, right in -1000i64..1000) {
            // Hundredths, so that fractions, signs and zeros meet.
            let text = |number: i64| format!("{}{}.{:02}", if number < 0 { "-" } else { "" }, number.abs() / 100, number.abs() % 100);
            let ordering = compare(&Value::Decimal(text(left).into()), &Literal::Number(text(right)));
            prop_assert_eq!(ordering, Some(left.cmp(&right)));
        }

        #[test]
        fn patterns_are_those_of_a_plain_search(text in "[ab]{0,8}", pattern in "[ab%_]{0,6}") {
            fn plain(text: &[u8], pattern: &[u8]) -> bool {
                match pattern.split_first() {
                    None => text.is_empty(),
                    Some((b'%', rest)) => (0..=text.len()).any(|at| plain(&text[at..], rest)),
                    Some((wanted, rest)) => text.split_first().is_some_and(|(first, text)| (*wanted == b'_' || wanted == first) && plain(text, rest)),
                }
            }
            prop_assert_eq!(is_like(&text, &pattern), plain(text.as_bytes(), pattern.as_bytes()));
        }
    }
}
