//! Cells: values as tables give and take them, and their form in a record.

use std::borrow::Cow;

use super::ColumnType;
use crate::model::Value;

/// A value of a table; what it becomes in a record is for its column's type to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A binary floating-point number.
    Float(f64),
    /// An exact decimal number in plain notation, as `is_decimal` accepts it.
    Decimal(Cow<'a, str>),
    /// Text; in a place without types of its own, any value.
    Text(Cow<'a, str>),
    /// Raw bytes.
    Bytes(Cow<'a, [u8]>),
}

impl Cell<'_> {
    /// Returns the cell as its column's type has it; a cell that does not fit stays what it is.
    ///
    /// Whole numbers are integers in every numeric column, so that a column whose type widens from integer to decimal
    /// has the records it had.
    #[must_use]
    pub fn typed(self, kind: ColumnType) -> Self {
        match (self, kind) {
            // A file that quotes every cell has no other way to leave a number out.
            (Self::Text(text), kind) if text.is_empty() && !matches!(kind, ColumnType::Text | ColumnType::Json) => {
                Self::Null
            }
            (Self::Text(text) | Self::Decimal(text), ColumnType::Integer | ColumnType::Decimal) => number(text),
            (Self::Text(text), ColumnType::Boolean) if text.eq_ignore_ascii_case("true") => Self::Bool(true),
            (Self::Text(text), ColumnType::Boolean) if text.eq_ignore_ascii_case("false") => Self::Bool(false),
            (Self::Text(text) | Self::Decimal(text), ColumnType::Float) => match float(&text) {
                Some(number) => Self::Float(number),
                None => Self::Text(text),
            },
            (Self::Text(text), ColumnType::Bytes) => match unhex(&text) {
                Some(bytes) => Self::Bytes(bytes.into()),
                None => Self::Text(text),
            },
            (Self::Decimal(text), ColumnType::Text) => Self::Text(text),
            (Self::Integer(bit @ 0..=1), ColumnType::Boolean) => Self::Bool(bit == 1),
            (Self::Integer(number), ColumnType::Text) => Self::Text(number.to_string().into()),
            #[expect(clippy::cast_precision_loss, reason = "checked by the bound")]
            (Self::Integer(number), ColumnType::Float) if number.unsigned_abs() <= 1 << 53 => {
                Self::Float(number as f64)
            }
            (Self::Float(number), ColumnType::Integer | ColumnType::Decimal) => {
                let text = float_text(number);
                if is_decimal(text.as_bytes()) {
                    Self::Decimal(text.into())
                } else {
                    Self::Float(number)
                }
            }
            (Self::Float(number), ColumnType::Text) => Self::Text(float_text(number).into()),
            (Self::Bool(value), ColumnType::Integer) => Self::Integer(value.into()),
            (Self::Bool(value), ColumnType::Text) => Self::Text(if value { "true" } else { "false" }.into()),
            (cell, _) => cell,
        }
    }

    /// Returns the text that a place without types shows; `None` for null.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Integer(number) => number.to_string().into(),
            Self::Float(number) => float_text(*number).into(),
            Self::Decimal(text) | Self::Text(text) => Cow::Borrowed(text.as_ref()),
            Self::Bytes(bytes) => format!("\\x{}", data_encoding::HEXLOWER.encode(bytes)).into(),
        })
    }
}

/// Returns what a cell is in a record, but for large values; null is the absence of the column.
pub fn to_value(cell: Cell<'_>) -> Option<Value> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(value) => Value::Bool(value),
        Cell::Integer(number) => Value::Integer(number),
        Cell::Float(number) => Value::Float(number),
        Cell::Decimal(text) => Value::Decimal(text.into()),
        Cell::Text(text) => Value::Text(text.into()),
        Cell::Bytes(bytes) => Value::Bytes(bytes.into_owned()),
    })
}

/// Returns the cell for what a record has in a column; large values must be in place. Lists and maps are JSON text.
pub fn from_value(value: Option<&Value>) -> Cell<'_> {
    match value {
        None | Some(Value::Null) => Cell::Null,
        Some(Value::Bool(value)) => Cell::Bool(*value),
        Some(Value::Integer(number)) => Cell::Integer(*number),
        Some(Value::Float(number)) => Cell::Float(*number),
        Some(Value::Decimal(text)) => Cell::Decimal(text.as_str().into()),
        Some(Value::Bytes(bytes)) => Cell::Bytes(bytes.as_slice().into()),
        Some(other) => match other.as_text() {
            Some(text) => Cell::Text(text.into()),
            // A record of rows has no other values; a foreign one must not stop the others.
            None => Cell::Null,
        },
    }
}

/// Returns whether a text is a number in plain notation, spelled as it would be printed: no leading zeros, no plus
/// sign, digits on both sides of the point.
fn is_decimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if whole == 0 || (whole > 1 && digits.first() == Some(&b'0')) {
        return false;
    }
    match digits.get(whole..) {
        Some([]) => true,
        Some([b'.', fraction @ ..]) => !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Reads a whole number that prints back to its own bytes.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut number = 0i64;
    for byte in digits {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        // Downwards, where the range is one longer.
        number = number.checked_mul(10)?.checked_sub(digit)?;
    }
    if negative { Some(number) } else { number.checked_neg() }
}

fn number(text: Cow<'_, str>) -> Cell<'_> {
    match integer(text.as_bytes()) {
        Some(number) => Cell::Integer(number),
        None if is_decimal(text.as_bytes()) => Cell::Decimal(text),
        None => Cell::Text(text),
    }
}

/// Reads a floating-point number; words such as `inf` are none.
fn float(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

/// Prints the shortest text that reads back as the same number.
fn float_text(number: f64) -> String {
    format!("{number:?}")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER
        .decode(text.strip_prefix("\\x")?.as_bytes())
        .ok()
}

/// What the cells of a column without a type can be, narrowed value by value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Guess {
    /// One bit per candidate that a value ruled out.
    excluded: u8,
    seen: bool,
}

/// Tells whether a text is a value of a type.
type Fits = fn(&[u8]) -> bool;

/// Candidates, the preferred first: every value of a column must be one for the column to have that type.
const CANDIDATES: [(ColumnType, Fits); 6] = [
    (ColumnType::Boolean, |text| matches!(text, b"true" | b"false")),
    (ColumnType::Integer, |text| integer(text).is_some()),
    (ColumnType::Decimal, is_decimal),
    (ColumnType::Date, is_date),
    (ColumnType::Time, is_time),
    (ColumnType::Timestamp, is_timestamp),
];

const NONE_LEFT: u8 = (1 << CANDIDATES.len()) - 1;

impl Guess {
    /// Takes one more value that is neither null nor empty.
    pub fn see(&mut self, text: &[u8]) {
        self.seen = true;
        if self.excluded == NONE_LEFT {
            return;
        }
        for (at, (_, fits)) in CANDIDATES.iter().enumerate() {
            let bit = 1 << at;
            if self.excluded & bit == 0 && !fits(text) {
                self.excluded |= bit;
            }
        }
    }

    /// Returns the type that all values have; text where there is none or no value.
    pub fn kind(self) -> ColumnType {
        let left = CANDIDATES
            .iter()
            .enumerate()
            .find(|(at, _)| self.excluded & (1 << at) == 0);
        left.filter(|_| self.seen)
            .map_or(ColumnType::Text, |(_, (kind, _))| *kind)
    }
}

/// Reads `count` digits as a number.
fn digits(text: &[u8], at: usize, count: usize) -> Option<u32> {
    let digits = text.get(at..at + count)?;
    let valid = digits.iter().all(u8::is_ascii_digit);
    valid.then(|| digits.iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0')))
}

fn is_date(text: &[u8]) -> bool {
    text.len() == 10
        && text.get(4) == Some(&b'-')
        && text.get(7) == Some(&b'-')
        && digits(text, 0, 4).is_some()
        && digits(text, 5, 2).is_some_and(|month| (1..=12).contains(&month))
        && digits(text, 8, 2).is_some_and(|day| (1..=31).contains(&day))
}

fn is_time(text: &[u8]) -> bool {
    let clock = text.len() >= 8
        && text.get(2) == Some(&b':')
        && text.get(5) == Some(&b':')
        && digits(text, 0, 2).is_some_and(|hour| hour < 24)
        && digits(text, 3, 2).is_some_and(|minute| minute < 60)
        && digits(text, 6, 2).is_some_and(|second| second <= 60);
    let fraction = match text.get(8..) {
        Some([]) => true,
        Some([b'.', rest @ ..]) => !rest.is_empty() && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    clock && fraction
}

fn is_timestamp(text: &[u8]) -> bool {
    let Some((date, [b'T' | b' ', rest @ ..])) = text.split_at_checked(10) else {
        return false;
    };
    let clock = match rest {
        [clock @ .., b'Z'] => clock,
        [clock @ .., b'+' | b'-', a, b, b':', c, d] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => clock,
        clock => clock,
    };
    is_date(date) && is_time(clock)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(text: &str, kind: ColumnType) -> Cell<'_> {
        Cell::Text(text.into()).typed(kind)
    }

    fn guess(values: &[&str]) -> ColumnType {
        let mut guess = Guess::default();
        for value in values {
            guess.see(value.as_bytes());
        }
        guess.kind()
    }

    #[test]
    fn only_what_prints_back_has_a_type() {
        for (values, kind) in [
            (&["1", "-20", "0"][..], ColumnType::Integer),
            (&["1", "007"], ColumnType::Text),
            (&["9223372036854775807", "-9223372036854775808"], ColumnType::Integer),
            (&["9223372036854775808"], ColumnType::Decimal),
            (&["1", "1.50"], ColumnType::Decimal),
            (&["1.", "2"], ColumnType::Text),
            (&["+1"], ColumnType::Text),
            (&["1e5"], ColumnType::Text),
            (&["true", "false"], ColumnType::Boolean),
            (&["True"], ColumnType::Text),
            (&["2026-11-22"], ColumnType::Date),
            (&["2026-13-22"], ColumnType::Text),
            (&["14:30:05", "00:00:00.25"], ColumnType::Time),
            (
                &["2026-11-22T14:30:05Z", "2026-11-22 14:30:05+01:00"],
                ColumnType::Timestamp,
            ),
            (&["2026-11-22", "2026-11-22T14:30:05Z"], ColumnType::Text),
            (&[], ColumnType::Text),
        ] {
            assert_eq!(guess(values), kind, "{values:?}");
        }
    }

    #[test]
    fn a_cell_that_does_not_fit_stays_text() {
        assert_eq!(typed("007", ColumnType::Integer), Cell::Text("007".into()));
        assert_eq!(typed("7", ColumnType::Decimal), Cell::Integer(7));
        assert_eq!(typed("7.0", ColumnType::Integer), Cell::Decimal("7.0".into()));
        assert_eq!(typed("nan", ColumnType::Float), Cell::Text("nan".into()));
        assert_eq!(Cell::Float(1.5).typed(ColumnType::Decimal), Cell::Decimal("1.5".into()));
        assert_eq!(Cell::Integer(1).typed(ColumnType::Boolean), Cell::Bool(true));
        assert_eq!(typed("\\x00ff", ColumnType::Bytes), Cell::Bytes(vec![0, 255].into()));
    }

    proptest! {
        #[test]
        fn exact_types_print_back(text in "-?[0-9]{0,22}(\\.[0-9]{0,4})?|[a-z]{0,3}", kind in 0usize..3) {
            let kind = [ColumnType::Text, ColumnType::Integer, ColumnType::Decimal][kind];
            let cell = typed(&text, kind);
            prop_assert_eq!(cell.text().unwrap_or_default(), text.as_str());
        }

        #[test]
        fn integers_are_those_of_the_standard_library(number: i64) {
            prop_assert_eq!(integer(number.to_string().as_bytes()), Some(number));
        }

        #[test]
        fn values_come_back(number: f64, text in ".{0,9}", bytes in proptest::collection::vec(any::<u8>(), 0..9)) {
            prop_assume!(!number.is_nan());
            for cell in [Cell::Float(number), Cell::Text(text.into()), Cell::Bytes(bytes.into())] {
                let value = to_value(cell.clone());
                prop_assert_eq!(from_value(value.as_ref()), cell);
            }
        }
    }
}
