//! JSON values as cells, and cells as JSON values.

use crate::format::ItemError;
use crate::format::json::{compact, is_nested, is_number, quote, unquote};
use crate::model::Value;
use crate::model::row::{Cell, ColumnType, Guess, from_value};

/// How many digits a number with an exponent may have when it is written out (chosen: more than any exact amount has);
/// a longer one is the binary number that most programs take it for.
const PLAIN_MAX_DIGITS: i64 = 40;

/// Returns the cell that a valid JSON text is; objects and arrays are their compact texts.
pub(super) fn cell_of(text: &str) -> Result<Cell<'_>, ItemError> {
    Ok(match text.as_bytes().first() {
        Some(b'n') => Cell::Null,
        Some(b't') => Cell::Bool(true),
        Some(b'f') => Cell::Bool(false),
        Some(b'"') => Cell::Text(unquote(text)?),
        Some(b'{' | b'[') => Cell::Text(compact(text)?.into()),
        _ => number(text),
    })
}

pub(in crate::source::table) fn number(text: &str) -> Cell<'_> {
    if !text.contains(['e', 'E']) {
        return match text.parse() {
            Ok(number) if text != "-0" => Cell::Integer(number),
            _ => Cell::Decimal(text.into()),
        };
    }
    if let Some(plain) = plain(text) {
        // Beyond, a whole number that was written as a binary one would not become that again.
        return match plain.parse::<i64>() {
            Ok(number) if number.unsigned_abs() <= 1 << 53 => Cell::Integer(number),
            _ => Cell::Decimal(plain.into()),
        };
    }
    match text.parse() {
        Ok(number) if f64::is_finite(number) => Cell::Float(number),
        _ => Cell::Text(text.into()),
    }
}

/// Writes a number with an exponent without it, exactly; `None` where that has too many digits.
fn plain(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let exponent: i64 = exponent.parse().ok()?;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let count = i64::try_from(digits.len()).ok()?;
    if point.abs().max(count) > PLAIN_MAX_DIGITS {
        return None;
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
    let number = if point <= 0 {
        format!("0.{}{digits}", zeros(-point))
    } else if point >= count {
        format!("{digits}{}", zeros(point - count))
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
        format!("{whole}.{fraction}")
    };
    // Leading zeros of the whole part are no part of a number's plain form.
    let kept = number.trim_start_matches('0');
    Some(match kept {
        "" => "0".to_owned(),
        kept if kept.starts_with('.') => format!("{sign}0{kept}"),
        kept => format!("{sign}{kept}"),
    })
}

/// Spells a value for a column of a type.
///
/// Text that is an object or an array is written as one where the column has such values.
pub(super) fn spell(kind: Option<ColumnType>, value: Option<&Value>) -> String {
    match from_value(value) {
        Cell::Null => "null".to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Integer(number) => number.to_string(),
        Cell::Decimal(text) if is_number(&text) => text.into_owned(),
        Cell::Text(text) if kind == Some(ColumnType::Json) && is_nested(&text) => text.into_owned(),
        // Those that are no numbers to JSON are text.
        cell @ Cell::Float(_) => {
            let text = cell.text().unwrap_or_default();
            if is_number(&text) {
                text.into_owned()
            } else {
                quote(&text)
            }
        }
        cell => quote(&cell.text().unwrap_or_default()),
    }
}

/// What the values of a member are.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "any set of them is possible")]
pub(super) struct Kinds {
    has_bool: bool,
    has_integer: bool,
    has_decimal: bool,
    has_float: bool,
    has_text: bool,
    has_nested: bool,
    texts: Guess,
}

impl Kinds {
    /// Takes one more value, by its text.
    pub(super) fn see(&mut self, text: &str) {
        if matches!(text.as_bytes().first(), Some(b'{' | b'[')) {
            self.has_nested = true;
            return;
        }
        match cell_of(text) {
            Ok(Cell::Bool(_)) => self.has_bool = true,
            Ok(Cell::Integer(_)) => self.has_integer = true,
            Ok(Cell::Decimal(_)) => self.has_decimal = true,
            Ok(Cell::Float(_)) => self.has_float = true,
            Ok(Cell::Text(text)) => {
                self.has_text = true;
                if !text.is_empty() {
                    self.texts.see(text.as_bytes());
                }
            }
            Ok(Cell::Null | Cell::Bytes(_)) | Err(_) => {}
        }
    }

    /// Returns the type that all values have: JSON where they are nested or of several types.
    pub(super) fn kind(self) -> ColumnType {
        let is_number = self.has_integer || self.has_decimal || self.has_float;
        let classes = [self.has_bool, is_number, self.has_text, self.has_nested];
        if classes.iter().filter(|class| **class).count() > 1 || self.has_nested {
            return ColumnType::Json;
        }
        match (self.has_bool, is_number) {
            (true, _) => ColumnType::Boolean,
            (_, true) if self.has_float => ColumnType::Float,
            (_, true) if self.has_decimal => ColumnType::Decimal,
            (_, true) => ColumnType::Integer,
            // Strings of digits are strings: the file says so.
            _ => match self.texts.kind() {
                kind @ (ColumnType::Date | ColumnType::Time | ColumnType::Timestamp) => kind,
                _ => ColumnType::Text,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::row::to_value;

    #[test]
    fn numbers_are_exact() {
        for (text, cell) in [
            ("1.10", Cell::Decimal("1.10".into())),
            ("12345678901234567890", Cell::Decimal("12345678901234567890".into())),
            ("-9223372036854775808", Cell::Integer(i64::MIN)),
            ("-0", Cell::Decimal("-0".into())),
            ("1e3", Cell::Integer(1000)),
            ("1.25E-3", Cell::Decimal("0.00125".into())),
            ("12.5e1", Cell::Integer(125)),
            ("9.64257253971388e16", Cell::Decimal("96425725397138800".into())),
            ("-0e5", Cell::Integer(0)),
            ("0.5e1", Cell::Integer(5)),
            ("1e300", Cell::Float(1e300)),
            ("1e999", Cell::Text("1e999".into())),
        ] {
            assert_eq!(cell_of(text).unwrap(), cell, "{text}");
        }
    }

    #[test]
    fn a_column_of_several_types_is_json() {
        let kind = |values: &[&str]| {
            let mut kinds = Kinds::default();
            for value in values {
                kinds.see(value);
            }
            kinds.kind()
        };
        assert_eq!(kind(&["1", "null"]), ColumnType::Integer);
        assert_eq!(kind(&["1", "1.5"]), ColumnType::Decimal);
        assert_eq!(kind(&["\"1\"", "\"2\""]), ColumnType::Text);
        assert_eq!(kind(&["\"2026-11-22\""]), ColumnType::Date);
        assert_eq!(kind(&["\"1\"", "2"]), ColumnType::Json);
        assert_eq!(kind(&["[1]", "null"]), ColumnType::Json);
        assert_eq!(kind(&["null"]), ColumnType::Text);
    }

    proptest! {
        #[test]
        fn values_come_back_as_they_were_written(number: i64, float: f64, text in ".{0,8}") {
            prop_assume!(float.is_finite());
            for value in [Value::Integer(number), text.as_str().into(), Value::Decimal("1.10".into()), Value::Bool(true)] {
                let spelled = spell(None, Some(&value));
                prop_assert_eq!(to_value(cell_of(&spelled).unwrap()), Some(value));
            }
            let spelled = spell(None, Some(&Value::Float(float)));
            let back = cell_of(&spelled).unwrap().typed(ColumnType::Float);
            prop_assert_eq!(back, Cell::Float(float));
            let round = spell(None, Some(&Value::Float(float.round())));
            let back = cell_of(&round).unwrap().typed(ColumnType::Float);
            prop_assert_eq!(back, Cell::Float(float.round()));
        }

        #[test]
        fn plain_numbers_are_the_same_numbers(whole in 0u32..2000, fraction in "[0-9]{0,5}", exponent in -30i32..30) {
            let dot = if fraction.is_empty() { "" } else { "." };
            let text = format!("{whole}{dot}{fraction}e{exponent}");
            let back: f64 = plain(&text).unwrap().parse().unwrap();
            let wanted: f64 = text.parse().unwrap();
            prop_assert_eq!(back.to_bits(), wanted.to_bits(), "{}", text);
        }
    }
}
