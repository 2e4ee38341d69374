//! Values as `PostgreSQL` prints them: the text format of `COPY`, types, and what a column makes of a value.
//!
//! The forms are those of a session with `DateStyle` ISO, `TimeZone` UTC and `bytea_output` hex
//! (`PostgreSQL` documentation, "COPY", section "Text Format", and "Data Types").

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::format::ItemError;
use crate::model::row::{Cell, ColumnType};

/// What the values of a column are, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    /// A whole number of that many bytes.
    Integer(u8),
    /// An exact number, with that many digits behind the point where the column says so.
    Numeric(Option<usize>),
    Real,
    Double,
    Text,
    /// Text that is filled up with blanks, which mean nothing.
    Padded,
    Date,
    Time,
    /// Date and time; whether with an offset, and whether fractions are kept as they are.
    Timestamp {
        has_offset: bool,
        is_exact: bool,
    },
    Bytes,
    Json,
    /// A type whose texts only the server understands.
    Other,
}

impl Kind {
    /// Finds the kind of a type by its number in `pg_type` and the column's type modifier.
    pub(super) fn of(oid: u32, modifier: i32) -> Self {
        match oid {
            16 => Self::Boolean,
            21 => Self::Integer(2),
            23 => Self::Integer(4),
            20 => Self::Integer(8),
            // The scale is in the lower bits, above a header of four (`numeric.c`); since version 15 it may be negative.
            1700 => Self::Numeric(
                usize::try_from(modifier.wrapping_sub(4) & 0x7FF)
                    .ok()
                    .filter(|scale| modifier >= 4 && *scale < 1024),
            ),
            700 => Self::Real,
            701 => Self::Double,
            25 | 1043 => Self::Text,
            1042 => Self::Padded,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 | 1184 => Self::Timestamp {
                has_offset: oid == 1184,
                is_exact: modifier < 0,
            },
            17 => Self::Bytes,
            114 | 3802 => Self::Json,
            _ => Self::Other,
        }
    }

    /// Returns the type of such a column in a collection.
    pub(super) fn column_type(self) -> ColumnType {
        match self {
            Self::Boolean => ColumnType::Boolean,
            Self::Integer(_) => ColumnType::Integer,
            Self::Numeric(_) => ColumnType::Decimal,
            Self::Real | Self::Double => ColumnType::Float,
            Self::Text | Self::Padded | Self::Other => ColumnType::Text,
            Self::Date => ColumnType::Date,
            Self::Time => ColumnType::Time,
            Self::Timestamp { .. } => ColumnType::Timestamp,
            Self::Bytes => ColumnType::Bytes,
            Self::Json => ColumnType::Json,
        }
    }

    /// Returns whether values are compared as such: one value can have several spellings in a record.
    pub(super) fn is_compared_by_value(self) -> bool {
        matches!(
            self,
            Self::Boolean | Self::Integer(_) | Self::Real | Self::Double | Self::Padded | Self::Timestamp { .. }
        )
    }

    /// Returns the cell for what the server prints.
    pub(super) fn cell(self, text: Cow<'_, str>) -> Cell<'_> {
        match self {
            Self::Boolean => match text.as_ref() {
                "t" | "true" => Cell::Bool(true),
                "f" | "false" => Cell::Bool(false),
                _ => Cell::Text(text),
            },
            Self::Integer(_) => text.parse().map_or(Cell::Text(text), Cell::Integer),
            Self::Numeric(_) => Cell::Text(text).typed(ColumnType::Decimal),
            Self::Real | Self::Double => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Cell::Float(number),
                _ => Cell::Text(text),
            },
            Self::Padded => Cell::Text(text.trim_end_matches(' ').to_owned().into()),
            // Schemas know offsets with minutes.
            Self::Timestamp { has_offset: true, .. } if text.ends_with("+00") => {
                Cell::Text(format!("{text}:00").into())
            }
            Self::Bytes => match text
                .strip_prefix("\\x")
                .map(|hex| data_encoding::HEXLOWER.decode(hex.as_bytes()))
            {
                Some(Ok(bytes)) => Cell::Bytes(bytes.into()),
                _ => Cell::Text(text),
            },
            _ => Cell::Text(text),
        }
    }

    /// Returns what such a column shows of a text that was written there; `None` where only the server can tell.
    pub(super) fn shown(self, text: &str) -> Option<Cell<'_>> {
        let same = || Some(self.cell(text.into()));
        match self {
            Self::Boolean if matches!(text, "true" | "false") => same(),
            Self::Integer(size) => {
                let number: i64 = text.parse().ok()?;
                let bits = u32::from(size) * 8 - 1;
                (number >> bits == 0 || number >> bits == -1).then_some(Cell::Integer(number))
            }
            Self::Numeric(scale) => plain_decimal(text, scale).map(|text| self.cell(text)),
            Self::Double => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Cell::Float),
            Self::Real => {
                let number: f32 = text.parse().ok().filter(|number: &f32| number.is_finite())?;
                number.to_string().parse().ok().map(Cell::Float)
            }
            Self::Text | Self::Padded => same(),
            Self::Date if has_form(text, "0000-00-00") => same(),
            Self::Time if has_form(text, "00:00:00") => same(),
            Self::Timestamp {
                has_offset,
                is_exact: true,
            } => timestamp(text, has_offset).map(|text| self.cell(text.into())),
            Self::Bytes if text.starts_with("\\x") => same(),
            _ => None,
        }
    }
}

/// Returns a number in plain notation with as many digits behind the point as a column has; `None` where that needs
/// rounding.
fn plain_decimal(text: &str, scale: Option<usize>) -> Option<Cow<'_, str>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let has_plain_start = whole.len() == 1 || !whole.is_empty() && !whole.starts_with('0');
    let are_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    // Zero has no sign there.
    let is_minus_zero = text.starts_with('-') && digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let is_plain = has_plain_start && are_digits && !digits.ends_with('.') && !is_minus_zero;
    let Some(scale) = scale else {
        return is_plain.then_some(text.into());
    };
    if !is_plain || fraction.len() > scale {
        return None;
    }
    let zeros = "0".repeat(scale - fraction.len());
    let point = if fraction.is_empty() && scale > 0 { "." } else { "" };
    Some(format!("{text}{point}{zeros}").into())
}

/// Returns whether a text has digits where `form` has `0`, and its other characters where they are.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| {
            if form == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == form
            }
        })
}

/// Returns date and time as the server prints them; `None` for forms that it may understand in other ways.
fn timestamp(text: &str, has_offset: bool) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    let clock = rest.get(1..).filter(|_| rest.starts_with([' ', 'T']))?;
    let offset_at = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at(offset_at);
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let is_plain = has_form(date, "0000-00-00")
        && has_form(seconds, "00:00:00")
        && fraction.len() <= 6
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && !date.starts_with("0000");
    if !is_plain {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    if !has_offset {
        // The server passes over an offset; which one is not for us to say.
        return offset.is_empty().then(|| format!("{date} {seconds}{point}{fraction}"));
    }
    let offset = if offset.is_empty() { "Z" } else { offset };
    let instant: Timestamp = format!("{date}T{seconds}{point}{fraction}{offset}").parse().ok()?;
    let shown = instant
        .to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string();
    Some(format!("{shown}{point}{fraction}+00"))
}

/// Splits a line of `COPY` into its fields; `None` is null.
pub(super) fn fields(line: &[u8]) -> impl Iterator<Item = Result<Option<Cow<'_, str>>, ItemError>> {
    line.split(|byte| *byte == b'\t').map(|field| {
        if field == b"\\N" {
            return Ok(None);
        }
        let bytes = if memchr::memchr(b'\\', field).is_none() {
            Cow::Borrowed(field)
        } else {
            Cow::Owned(unescaped(field))
        };
        let text = match bytes {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).ok(),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
        };
        text.map(Some)
            .ok_or_else(|| ItemError::new("a text in it is not UTF-8"))
    })
}

fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut bytes = field.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'v') => 11,
                Some(other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
    out
}

/// Returns a line without its last nulls, so that a new column changes no row. The first field stays: an empty line is
/// an empty text.
pub(super) fn without_last_nulls(line: &[u8]) -> &[u8] {
    let mut line = line;
    while let Some(shorter) = line.strip_suffix(b"\t\\N") {
        line = shorter;
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> Vec<Option<String>> {
        fields(line.as_bytes())
            .map(|field| field.unwrap().map(Cow::into_owned))
            .collect()
    }

    #[test]
    fn lines_are_read_as_the_server_writes_them() {
        assert_eq!(
            read("a\\tb\t\\N\t\t\\\\N\tx\\ny\\\\"),
            [Some("a\tb"), None, Some(""), Some("\\N"), Some("x\ny\\")].map(|text| text.map(str::to_owned))
        );
        assert!(fields(b"\xff").next().unwrap().is_err());
        assert_eq!(without_last_nulls(b"a\t\\N\t\\N"), b"a");
        assert_eq!(without_last_nulls(b"\\N\t\\N"), b"\\N");
        assert_eq!(without_last_nulls(b"a\\\\N"), b"a\\\\N");
    }

    #[test]
    fn columns_show_what_the_server_makes_of_a_text() {
        let stamp = |has_offset| Kind::Timestamp {
            has_offset,
            is_exact: true,
        };
        for (kind, written, shown) in [
            (Kind::Integer(2), "32767", Some("32767")),
            (Kind::Integer(2), "32768", None),
            (Kind::Integer(8), "-9223372036854775808", Some("-9223372036854775808")),
            (Kind::Numeric(None), "1.50", Some("1.50")),
            (Kind::Numeric(Some(2)), "7", Some("7.00")),
            (Kind::Numeric(Some(2)), "-1.5", Some("-1.50")),
            (Kind::Numeric(Some(2)), "1.555", None),
            (Kind::Numeric(None), "-0.0", None),
            (Kind::Numeric(None), "1e5", None),
            (Kind::Real, "0.1", Some("0.1")),
            (Kind::Real, "16777217", Some("16777216.0")),
            (Kind::Padded, "a  ", Some("a")),
            (Kind::Date, "2026-11-22", Some("2026-11-22")),
            (Kind::Date, "22.11.2026", None),
            (stamp(false), "2026-11-22T14:30:05.250", Some("2026-11-22 14:30:05.25")),
            (stamp(false), "2026-11-22T14:30:05Z", None),
            (stamp(true), "2026-11-22T14:30:05Z", Some("2026-11-22 14:30:05+00:00")),
            (
                stamp(true),
                "2026-11-22 14:30:05.5+01:00",
                Some("2026-11-22 13:30:05.5+00:00"),
            ),
            (stamp(true), "2026-11-22 14:30", None),
            (Kind::Other, "x", None),
        ] {
            let cell = kind.shown(written);
            assert_eq!(
                cell.as_ref().and_then(Cell::text).as_deref(),
                shown,
                "{kind:?} {written}"
            );
        }
        assert_eq!(Kind::of(1700, (10 << 16 | 2) + 4), Kind::Numeric(Some(2)));
        assert_eq!(Kind::of(1700, -1), Kind::Numeric(None));
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in proptest::collection::vec(any::<u8>(), 0..40)) {
            assert!(fields(&line).count() > 0);
        }

        #[test]
        fn any_text_is_shown(text in "\\PC{0,30}", oid in 0u32..4000, modifier: i32) {
            let _cell = Kind::of(oid, modifier).shown(&text);
        }
    }
}
