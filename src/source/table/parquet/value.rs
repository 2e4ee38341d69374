//! Values of columns: what stands in the file, as cells and back.
//!
//! Both ways are exact: a value that a column cannot hold as it is, is refused and never rounded, but for binary
//! numbers, of which a column shows the nearest one it has.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::schema::types::ColumnDescriptor;

use super::time;
use crate::model::row::{Cell, ColumnType};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    /// Of so many bits.
    Integer(u32, Sign),
    /// Digits, and how many of them stand behind the point.
    Decimal(u32, u32),
    Date,
    /// Digits behind the second.
    Time(u32),
    /// Digits behind the second, and whether it is told in UTC.
    Timestamp(u32, bool),
    /// A timestamp of twelve bytes, as old programs write it.
    Old,
    Half,
    Single,
    Double,
    Text,
    Json,
    Uuid,
    Bytes,
    /// Columns within the column: shown as JSON, not written.
    Nested,
}

/// Whether whole numbers can be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Signed,
    Unsigned,
}

/// A value as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stored {
    Boolean(bool),
    Int32(i32),
    Int64(i64),
    Int96(Int96),
    Single(f32),
    Double(f64),
    Bytes(ByteArray),
    Fixed(FixedLenByteArray),
}

const fn digits(unit: TimeUnit) -> u32 {
    match unit {
        TimeUnit::MILLIS => 3,
        TimeUnit::MICROS => 6,
        TimeUnit::NANOS => 9,
    }
}

impl Kind {
    /// Reads what a column of the file says of itself; what says nothing, or something unknown, is what it is stored as.
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        let physical = column.physical_type();
        let plain = || match physical {
            Physical::BOOLEAN => Self::Boolean,
            Physical::INT32 => Self::Integer(32, Sign::Signed),
            Physical::INT64 => Self::Integer(64, Sign::Signed),
            Physical::INT96 => Self::Old,
            Physical::FLOAT => Self::Single,
            Physical::DOUBLE => Self::Double,
            Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => Self::Bytes,
        };
        let said = match column.logical_type_ref() {
            Some(logical) => Self::logical(logical),
            None => Self::converted(column),
        };
        said.filter(|kind| kind.can_be(physical, column.type_length()))
            .unwrap_or_else(plain)
    }

    fn logical(logical: &LogicalType) -> Option<Self> {
        Some(match logical {
            LogicalType::String | LogicalType::Enum => Self::Text,
            LogicalType::Json => Self::Json,
            LogicalType::Uuid => Self::Uuid,
            LogicalType::Float16 => Self::Half,
            LogicalType::Date => Self::Date,
            LogicalType::Time(time) => Self::Time(digits(time.unit)),
            LogicalType::Timestamp(time) => Self::Timestamp(digits(time.unit), time.is_adjusted_to_u_t_c),
            LogicalType::Decimal(decimal) => Self::decimal(decimal.precision, decimal.scale)?,
            LogicalType::Integer(int) => {
                let sign = if int.is_signed { Sign::Signed } else { Sign::Unsigned };
                Self::Integer(u32::try_from(int.bit_width).ok()?, sign)
            }
            _ => return None,
        })
    }

    fn converted(column: &ColumnDescriptor) -> Option<Self> {
        Some(match column.converted_type() {
            ConvertedType::UTF8 | ConvertedType::ENUM => Self::Text,
            ConvertedType::JSON => Self::Json,
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIME_MILLIS => Self::Time(3),
            ConvertedType::TIME_MICROS => Self::Time(6),
            ConvertedType::TIMESTAMP_MILLIS => Self::Timestamp(3, true),
            ConvertedType::TIMESTAMP_MICROS => Self::Timestamp(6, true),
            ConvertedType::DECIMAL => Self::decimal(column.type_precision(), column.type_scale())?,
            ConvertedType::UINT_8 => Self::Integer(8, Sign::Unsigned),
            ConvertedType::UINT_16 => Self::Integer(16, Sign::Unsigned),
            ConvertedType::UINT_32 => Self::Integer(32, Sign::Unsigned),
            ConvertedType::UINT_64 => Self::Integer(64, Sign::Unsigned),
            ConvertedType::INT_8 => Self::Integer(8, Sign::Signed),
            ConvertedType::INT_16 => Self::Integer(16, Sign::Signed),
            ConvertedType::INT_32 => Self::Integer(32, Sign::Signed),
            ConvertedType::INT_64 => Self::Integer(64, Sign::Signed),
            _ => return None,
        })
    }

    fn decimal(precision: i32, scale: i32) -> Option<Self> {
        let (precision, scale) = (u32::try_from(precision).ok()?, u32::try_from(scale).ok()?);
        (precision > 0 && scale <= precision).then_some(Self::Decimal(precision, scale))
    }

    /// Returns whether such values can be stored so; a file that says otherwise is taken at what it stores.
    fn can_be(self, physical: Physical, length: i32) -> bool {
        match self {
            Self::Boolean => physical == Physical::BOOLEAN,
            Self::Integer(8 | 16 | 32, _) | Self::Date | Self::Time(3) => physical == Physical::INT32,
            Self::Integer(64, _) | Self::Time(_) | Self::Timestamp(..) => physical == Physical::INT64,
            Self::Decimal(..) => match physical {
                Physical::INT32 | Physical::INT64 | Physical::BYTE_ARRAY => true,
                Physical::FIXED_LEN_BYTE_ARRAY => length > 0,
                _ => false,
            },
            Self::Text | Self::Json => physical == Physical::BYTE_ARRAY,
            Self::Uuid => physical == Physical::FIXED_LEN_BYTE_ARRAY && length == 16,
            Self::Half => physical == Physical::FIXED_LEN_BYTE_ARRAY && length == 2,
            _ => false,
        }
    }

    /// Returns the type of such a column in a collection.
    pub(super) fn column_type(self) -> ColumnType {
        match self {
            Self::Boolean => ColumnType::Boolean,
            Self::Integer(..) => ColumnType::Integer,
            Self::Decimal(..) => ColumnType::Decimal,
            Self::Date => ColumnType::Date,
            Self::Time(_) => ColumnType::Time,
            Self::Timestamp(..) | Self::Old => ColumnType::Timestamp,
            Self::Half | Self::Single | Self::Double => ColumnType::Float,
            Self::Text | Self::Uuid => ColumnType::Text,
            Self::Json | Self::Nested => ColumnType::Json,
            Self::Bytes => ColumnType::Bytes,
        }
    }

    /// Returns the cell of a stored value; a reason where there is none.
    pub(super) fn cell(self, stored: &Stored) -> Result<Cell<'_>, &'static str> {
        Ok(match (self, stored) {
            (_, Stored::Boolean(value)) => Cell::Bool(*value),
            (Self::Date, Stored::Int32(days)) => Cell::Text(time::date(i64::from(*days)).into()),
            (Self::Time(digits), Stored::Int32(count)) => Cell::Text(clock(i64::from(*count), digits)?.into()),
            (Self::Time(digits), Stored::Int64(count)) => Cell::Text(clock(*count, digits)?.into()),
            (Self::Timestamp(digits, is_utc), Stored::Int64(count)) => {
                Cell::Text(time::timestamp(i128::from(*count), digits, is_utc).into())
            }
            (Self::Decimal(_, scale), Stored::Int32(number)) => decimal(&number.to_be_bytes(), scale),
            (Self::Decimal(_, scale), Stored::Int64(number)) => decimal(&number.to_be_bytes(), scale),
            (Self::Decimal(_, scale), Stored::Bytes(bytes)) => decimal(bytes.data(), scale),
            (Self::Decimal(_, scale), Stored::Fixed(bytes)) => decimal(bytes.data(), scale),
            (Self::Integer(bits, Sign::Unsigned), Stored::Int32(number)) => {
                let mask = if bits >= 32 { u32::MAX } else { (1 << bits) - 1 };
                Cell::Integer(i64::from(number.cast_unsigned() & mask))
            }
            (Self::Integer(_, Sign::Unsigned), Stored::Int64(number)) if *number < 0 => {
                Cell::Decimal(number.cast_unsigned().to_string().into())
            }
            (_, Stored::Int32(number)) => Cell::Integer(i64::from(*number)),
            (_, Stored::Int64(number)) => Cell::Integer(*number),
            (_, Stored::Int96(value)) => Cell::Text(old_timestamp(value).into()),
            (_, Stored::Single(number)) => float(*number, &number.to_string()),
            (_, Stored::Double(number)) => double(*number),
            (Self::Text | Self::Json, Stored::Bytes(bytes)) => {
                let text = std::str::from_utf8(bytes.data()).map_err(|_| "a text in it is not UTF-8")?;
                Cell::Text(text.into())
            }
            (Self::Uuid, Stored::Fixed(bytes)) => Cell::Text(uuid(bytes.data()).into()),
            (Self::Half, Stored::Fixed(bytes)) => match bytes.data() {
                [low, high] => {
                    let number = half(u16::from_le_bytes([*low, *high]));
                    float(number, &number.to_string())
                }
                _ => return Err("a number in it has a wrong length"),
            },
            (_, Stored::Bytes(bytes)) => Cell::Bytes(bytes.data().into()),
            (_, Stored::Fixed(bytes)) => Cell::Bytes(bytes.data().into()),
        })
    }

    /// Returns how a cell is stored; `None` where the column cannot hold it. `length` is that of fixed bytes.
    pub(super) fn stored(self, physical: Physical, length: i32, cell: &Cell<'_>) -> Option<Stored> {
        let length = usize::try_from(length).unwrap_or_default();
        let text = cell.text()?;
        Some(match self {
            Self::Boolean => Stored::Boolean(match cell {
                Cell::Bool(value) => *value,
                _ => text.parse().ok()?,
            }),
            Self::Integer(bits, Sign::Signed) => {
                let number: i64 = text.parse().ok()?;
                let beyond = 64 - bits.min(64);
                if number << beyond >> beyond != number {
                    return None;
                }
                number_of(physical, number)?
            }
            Self::Integer(bits, Sign::Unsigned) => {
                let number: u64 = text.parse().ok()?;
                if bits < 64 && number >> bits != 0 {
                    return None;
                }
                match physical {
                    Physical::INT32 => Stored::Int32(u32::try_from(number).ok()?.cast_signed()),
                    _ => Stored::Int64(number.cast_signed()),
                }
            }
            Self::Decimal(precision, scale) => {
                let bytes = unscaled(&text, precision, scale)?;
                match physical {
                    Physical::INT32 | Physical::INT64 => number_of(physical, small(&bytes)?)?,
                    Physical::FIXED_LEN_BYTE_ARRAY => Stored::Fixed(ByteArray::from(widened(&bytes, length)?).into()),
                    _ => Stored::Bytes(bytes.into()),
                }
            }
            Self::Date => Stored::Int32(i32::try_from(time::parse_date(&text)?).ok()?),
            Self::Time(digits) => number_of(physical, time::parse_clock(&text, digits)?)?,
            Self::Timestamp(digits, is_utc) => {
                Stored::Int64(i64::try_from(time::parse_timestamp(&text, digits, is_utc)?).ok()?)
            }
            Self::Single => Stored::Single(text.parse().ok()?),
            Self::Double => Stored::Double(text.parse().ok()?),
            Self::Text | Self::Json => match cell {
                Cell::Bytes(_) => return None,
                _ => Stored::Bytes(ByteArray::from(text.as_bytes().to_vec())),
            },
            Self::Uuid => Stored::Fixed(ByteArray::from(parse_uuid(&text)?).into()),
            Self::Bytes => {
                let bytes = match cell.clone().typed(ColumnType::Bytes) {
                    Cell::Bytes(bytes) => bytes.into_owned(),
                    _ => return None,
                };
                match physical {
                    Physical::FIXED_LEN_BYTE_ARRAY if bytes.len() != length => return None,
                    Physical::FIXED_LEN_BYTE_ARRAY => Stored::Fixed(ByteArray::from(bytes).into()),
                    _ => Stored::Bytes(bytes.into()),
                }
            }
            Self::Old | Self::Half | Self::Nested => return None,
        })
    }

    /// Returns whether values of the column can be written.
    pub(super) fn is_written(self) -> bool {
        !matches!(self, Self::Old | Self::Half | Self::Nested)
    }
}

fn number_of(physical: Physical, number: i64) -> Option<Stored> {
    Some(match physical {
        Physical::INT32 => Stored::Int32(i32::try_from(number).ok()?),
        _ => Stored::Int64(number),
    })
}

fn clock(count: i64, digits: u32) -> Result<String, &'static str> {
    time::clock(count, digits).ok_or("a time in it is longer than a day")
}

/// A number of fewer bits than a `f64`, as the shortest text that means it.
fn float(number: f32, text: &str) -> Cell<'static> {
    match text.parse() {
        Ok(number) if f64::is_finite(number) => Cell::Float(number),
        _ => not_finite(f64::from(number)),
    }
}

fn double(number: f64) -> Cell<'static> {
    if number.is_finite() {
        Cell::Float(number)
    } else {
        not_finite(number)
    }
}

/// What is no number is text, as databases print it.
fn not_finite(number: f64) -> Cell<'static> {
    Cell::Text(
        if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .into(),
    )
}

/// Widens a number of sixteen bits (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (
        u32::from(bits >> 15),
        u32::from(bits >> 10 & 31),
        u32::from(bits & 1023),
    );
    let magnitude = match exponent {
        #[expect(clippy::cast_precision_loss, reason = "ten bits")]
        0 => fraction as f32 / 16_777_216.0,
        31 => f32::from_bits(0x7F80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

/// Days from the year -4713 to 1970, where those timestamps count from.
const JULIAN_EPOCH: i64 = 2_440_588;
const DAY_NANOS: i128 = 86_400_000_000_000;

fn old_timestamp(value: &Int96) -> String {
    let [low, high, day] = match value.data() {
        [low, high, day] => [*low, *high, *day],
        _ => [0; 3],
    };
    let nanos = i128::from(low) | i128::from(high) << 32;
    let days = i128::from(i64::from(day) - JULIAN_EPOCH);
    time::timestamp(days * DAY_NANOS + nanos, 9, false)
}

/// Returns the decimal number of big-endian bytes in two's complement.
fn decimal(bytes: &[u8], scale: u32) -> Cell<'static> {
    let is_negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let mut magnitude: Vec<u8> = bytes.to_vec();
    if is_negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (sum, more) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry &= more;
        }
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut rest = 0u32;
        for byte in &mut magnitude {
            let value = rest << 8 | u32::from(*byte);
            // A quotient by ten of a number below 2560.
            *byte = u8::try_from(value / 10).unwrap_or_default();
            rest = value % 10;
        }
        digits.push(char::from_digit(rest, 10).unwrap_or('0'));
    }
    let scale = scale as usize;
    while digits.len() <= scale {
        digits.push('0');
    }
    let mut text = String::new();
    if is_negative {
        text.push('-');
    }
    for (at, digit) in digits.iter().enumerate().rev() {
        text.push(*digit);
        if at == scale && scale > 0 {
            text.push('.');
        }
    }
    Cell::Decimal(text.into())
}

/// Returns the bytes of a decimal number that is to have so many digits behind the point, exactly; big-endian, in two's
/// complement, as few as there can be.
fn unscaled(text: &str, precision: u32, scale: u32) -> Option<Vec<u8>> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() && fraction.is_empty() || fraction.len() > scale as usize {
        return None;
    }
    let zeros = std::iter::repeat_n('0', scale as usize - fraction.len());
    let all: String = whole.chars().chain(fraction.chars()).chain(zeros).collect();
    let all = all.trim_start_matches('0');
    if all.len() > precision as usize || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Little-endian while it grows; one byte more than the digits need holds the sign.
    let mut bytes: Vec<u8> = vec![0];
    for digit in all.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in &mut bytes {
            let value = u32::from(*byte) * 10 + carry;
            *byte = u8::try_from(value & 0xFF).unwrap_or_default();
            carry = value >> 8;
        }
        if carry > 0 {
            bytes.push(u8::try_from(carry).unwrap_or_default());
        }
    }
    if bytes.last().is_some_and(|top| top & 0x80 != 0) {
        bytes.push(0);
    }
    if is_negative {
        let mut carry = true;
        for byte in &mut bytes {
            let (sum, more) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry &= more;
        }
    }
    bytes.reverse();
    Some(bytes)
}

/// Returns the number of big-endian bytes if it has at most eight.
fn small(bytes: &[u8]) -> Option<i64> {
    let wide = widened(bytes, 8)?;
    Some(i64::from_be_bytes(*wide.first_chunk()?))
}

/// Widens or narrows a number to `length` bytes, if it fits.
fn widened(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    let fill = if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        0xFF
    } else {
        0
    };
    let is_filling = |byte: &u8| *byte == fill;
    match bytes.len().checked_sub(length) {
        None | Some(0) => {
            let mut wide = vec![fill; length - bytes.len()];
            wide.extend_from_slice(bytes);
            Some(wide)
        }
        Some(more) => {
            let (top, rest) = bytes.split_at_checked(more)?;
            let keeps_sign = rest.first().is_some_and(|first| (first & 0x80 != 0) == (fill == 0xFF));
            (top.iter().all(is_filling) && keeps_sign).then(|| rest.to_vec())
        }
    }
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        text.push_str(&data_encoding::HEXLOWER.encode(&[*byte]));
    }
    text
}

fn parse_uuid(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|letter| *letter != '-').collect();
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    // One spelling only, so that what is read is what was written.
    (bytes.len() == 16 && uuid(&bytes) == text.to_ascii_lowercase()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(cell: &Cell<'_>) -> String {
        cell.text().unwrap().into_owned()
    }

    #[test]
    fn decimals_of_any_width_are_exact() {
        for (text, scale, shown) in [
            ("1.5", 2, "1.50"),
            ("-0.01", 2, "-0.01"),
            ("0", 0, "0"),
            ("-128", 0, "-128"),
            ("128", 0, "128"),
            (
                "-12345678901234567890123456789012345.678",
                3,
                "-12345678901234567890123456789012345.678",
            ),
        ] {
            let bytes = unscaled(text, 38, scale).unwrap();
            assert_eq!(text_of(&decimal(&bytes, scale)), shown);
            let wide = widened(&bytes, 17).unwrap();
            assert_eq!(text_of(&decimal(&wide, scale)), shown);
        }
        // Nothing is rounded or cut.
        assert_eq!(unscaled("1.555", 10, 2), None);
        assert_eq!(unscaled("1000", 3, 0), None);
        assert_eq!(unscaled("x", 3, 0), None);
        assert_eq!(unscaled("128", 5, 0).and_then(|bytes| widened(&bytes, 1)), None);
        assert_eq!(
            unscaled("-128", 5, 0).and_then(|bytes| widened(&bytes, 1)),
            Some(vec![0x80])
        );
    }

    #[test]
    fn halves_widen_as_ieee_says() {
        for (bits, number) in [
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
        ] {
            assert!((half(bits) - number).abs() < f32::EPSILON * number.abs(), "{bits:x}");
        }
        assert!(half(0x7E00).is_nan() && half(0xFC00).is_infinite());
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read(number: i64, scale in 0u32..18, days in -800_000i32..800_000, count: i64, bytes: [u8; 16], raw: Vec<u8>) {
            let whole = Cell::Integer(number);
            let mut samples = vec![
                (Kind::Integer(64, Sign::Signed), Physical::INT64, Stored::Int64(number)),
                (Kind::Integer(64, Sign::Unsigned), Physical::INT64, Stored::Int64(number)),
                (Kind::Integer(32, Sign::Unsigned), Physical::INT32, Stored::Int32(days)),
                (Kind::Decimal(19, scale), Physical::INT64, Stored::Int64(number)),
                (Kind::Date, Physical::INT32, Stored::Int32(days)),
                (Kind::Time(6), Physical::INT64, Stored::Int64(count.rem_euclid(86_400_000_000))),
                (Kind::Uuid, Physical::FIXED_LEN_BYTE_ARRAY, Stored::Fixed(ByteArray::from(bytes.to_vec()).into())),
                (Kind::Bytes, Physical::BYTE_ARRAY, Stored::Bytes(raw.into())),
                (Kind::Decimal(40, scale), Physical::FIXED_LEN_BYTE_ARRAY, Stored::Fixed(ByteArray::from(bytes.to_vec()).into())),
            ];
            for digits in [3, 6, 9] {
                samples.push((Kind::Timestamp(digits, true), Physical::INT64, Stored::Int64(count)));
                samples.push((Kind::Timestamp(digits, false), Physical::INT64, Stored::Int64(count)));
            }
            for (kind, physical, stored) in samples {
                let cell = kind.cell(&stored).unwrap();
                prop_assert_eq!(kind.stored(physical, 16, &cell), Some(stored.clone()), "{:?} {:?}", kind, cell);
            }
            for kind in [Kind::Integer(8, Sign::Signed), Kind::Integer(16, Sign::Signed), Kind::Integer(32, Sign::Signed)] {
                if let Some(stored) = kind.stored(Physical::INT32, 0, &whole) {
                    prop_assert_eq!(kind.cell(&stored).unwrap(), Cell::Integer(number));
                }
            }
        }
    }
}
