//! Canonical bytes of a [`Value`]: deterministic CBOR (RFC 8949 §4.2.1).
//!
//! Shortest heads, map keys in byte order of their encoding, no indefinite lengths, floats in the shortest
//! form that keeps the value. The decoder accepts nothing else, so one value has one byte string.
//! Ready-made CBOR crates accept duplicate keys, long integers and trailing bytes, hence our own.

use super::{BlobRef, BlobShape, Hash, Map, Text, Value};

/// The tag of a decimal number written as text (chosen, unassigned at IANA).
pub(super) const TAG_DECIMAL: u64 = 0xD001;
/// The tag of a blob reference: `[shape, length, hash]` (chosen, unassigned at IANA).
const TAG_BLOB: u64 = 0xD002;
/// The deepest nesting that is read (a record of a contact has 6).
const MAX_DEPTH: usize = 64;

/// Why bytes are no canonical value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside the value.
    #[error("the bytes end early")]
    Truncated,
    /// The value could be written shorter, in another order, or is of a type that has no place here.
    #[error("not canonical at byte {offset}")]
    NotCanonical {
        /// Where, from the start of the value.
        offset: usize,
    },
    /// The value nests deeper than any record does.
    #[error("nested too deep")]
    TooDeep,
    /// Bytes follow the value.
    #[error("bytes follow the value")]
    Trailing,
}

/// Returns the canonical bytes of `value`.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    encode_into(value, &mut out);
    out
}

/// Appends the canonical bytes of `value`.
pub fn encode_into(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xF6),
        Value::Bool(false) => out.push(0xF4),
        Value::Bool(true) => out.push(0xF5),
        Value::Integer(number) => integer_into(*number, out),
        Value::Float(number) => encode_float(*number, out),
        Value::Decimal(text) => {
            head(6, TAG_DECIMAL, out);
            text_into(text, out);
        }
        Value::Text(text) => text_into(text, out),
        Value::Bytes(bytes) => bytes_into(bytes, out),
        Value::List(list) => {
            list_head(list.len(), out);
            for item in list {
                encode_into(item, out);
            }
        }
        Value::Map(map) => encode_map(map, out),
        Value::Blob(blob) => {
            head(6, TAG_BLOB, out);
            head(4, 3, out);
            head(0, u64::from(blob.shape == BlobShape::Bytes), out);
            head(0, blob.length_bytes, out);
            head(2, Hash::BYTES as u64, out);
            out.extend_from_slice(blob.hash.bytes());
        }
    }
}

/// Appends the canonical bytes of a map.
pub fn encode_map(map: &Map, out: &mut Vec<u8>) {
    // Encoded text keys sort by length first, because the length stands in the head; the map is sorted by bytes, so a
    // stable sort by length does it. Most small maps are in order as they are.
    if map.keys().map(Text::len).is_sorted() {
        head(5, map.len() as u64, out);
        for (key, value) in map {
            text_into(key, out);
            encode_into(value, out);
        }
    } else {
        encode_entries(map.iter(), out);
    }
}

/// Appends the canonical bytes of a map that has these entries, given in byte order of their keys.
pub(super) fn encode_entries<'m>(entries: impl Iterator<Item = (&'m Text, &'m Value)>, out: &mut Vec<u8>) {
    let mut few = [None; FEW_ENTRIES];
    let mut many = Vec::new();
    let mut count = 0;
    for entry in entries {
        match few.get_mut(count) {
            Some(place) => *place = Some(entry),
            None if many.is_empty() => many.extend(few.iter().copied().chain([Some(entry)])),
            None => many.push(Some(entry)),
        }
        count += 1;
    }
    let entries = if many.is_empty() {
        few.get_mut(..count).unwrap_or_default()
    } else {
        &mut many[..]
    };
    entries.sort_by_key(|entry| entry.map_or(0, |(key, _)| key.len()));
    head(5, count as u64, out);
    for (key, value) in entries.iter().flatten() {
        text_into(key, out);
        encode_into(value, out);
    }
}

/// Up to so many entries are sorted without an allocation (the standard library sorts up to 20 by insertion).
const FEW_ENTRIES: usize = 20;

/// Appends what stands before the entries of a map; they follow in canonical order of their keys.
pub fn map_head(entries: usize, out: &mut Vec<u8>) {
    head(5, entries as u64, out);
}

/// Appends what stands before the items of a list.
pub fn list_head(items: usize, out: &mut Vec<u8>) {
    head(4, items as u64, out);
}

/// Appends the canonical bytes of a byte string.
pub fn bytes_into(bytes: &[u8], out: &mut Vec<u8>) {
    head(2, bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Appends the canonical bytes of an integer.
pub fn integer_into(number: i64, out: &mut Vec<u8>) {
    if number >= 0 {
        head(0, number.unsigned_abs(), out);
    } else {
        head(1, number.unsigned_abs() - 1, out);
    }
}

/// Appends the canonical bytes of a text.
pub fn text_into(text: &str, out: &mut Vec<u8>) {
    head(3, text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    if let Ok(byte) = u8::try_from(argument) {
        if byte < 24 {
            out.push(major | byte);
        } else {
            out.extend_from_slice(&[major | 0x18, byte]);
        }
    } else if let Ok(short) = u16::try_from(argument) {
        out.push(major | 0x19);
        out.extend_from_slice(&short.to_be_bytes());
    } else if let Ok(word) = u32::try_from(argument) {
        out.push(major | 0x1a);
        out.extend_from_slice(&word.to_be_bytes());
    } else {
        out.push(major | 0x1b);
        out.extend_from_slice(&argument.to_be_bytes());
    }
}

pub(super) fn encode_float(number: f64, out: &mut Vec<u8>) {
    if number.is_nan() {
        out.extend_from_slice(&[0xF9, 0x7E, 0x00]);
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked by converting back")]
    let single = number as f32;
    if f64::from(single).to_bits() != number.to_bits() {
        out.push(0xFB);
        out.extend_from_slice(&number.to_be_bytes());
        return;
    }
    if let Some(half) = half_from_single(single) {
        out.push(0xF9);
        out.extend_from_slice(&half.to_be_bytes());
    } else {
        out.push(0xFA);
        out.extend_from_slice(&single.to_be_bytes());
    }
}

/// Converts to binary16 when that keeps the value.
fn half_from_single(single: f32) -> Option<u16> {
    let bits = single.to_bits();
    let sign = u16::try_from(bits >> 16 & 0x8000).ok()?;
    let exponent = i32::try_from(bits >> 23 & 0xFF).ok()? - 127;
    let mantissa = bits & 0x007F_FFFF;
    let half = match exponent {
        128 => 0x7C00 | u16::try_from(mantissa >> 13).ok()?,
        -14..=15 => u16::try_from(exponent + 15).ok()? << 10 | u16::try_from(mantissa >> 13).ok()?,
        -24..=-15 => {
            let shift = u32::try_from(-exponent - 14 + 13).ok()?;
            u16::try_from((mantissa | 0x0080_0000) >> shift).ok()?
        }
        -127 => 0,
        _ => return None,
    };
    (single_from_half(sign | half).to_bits() == bits).then_some(sign | half)
}

fn single_from_half(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10 & 0x1F);
    let mantissa = u32::from(half & 0x3FF);
    let magnitude = match exponent {
        0 => {
            // A subnormal half is mantissa × 2^-24, exact in a single.
            #[expect(clippy::cast_precision_loss, reason = "ten bits fit")]
            let value = mantissa as f32 * f32::from_bits(0x3380_0000);
            value.to_bits()
        }
        31 => 0x7F80_0000 | mantissa << 13,
        _ => (exponent + 112) << 23 | mantissa << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// Decodes exactly one canonical value.
pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
    let mut reader = Reader { bytes, offset: 0 };
    let value = reader.value(0)?;
    if reader.offset == bytes.len() {
        Ok(value)
    } else {
        Err(DecodeError::Trailing)
    }
}

/// Decodes one canonical value at the start of `bytes` and returns its length too.
pub fn decode_prefix(bytes: &[u8]) -> Result<(Value, usize), DecodeError> {
    let mut reader = Reader { bytes, offset: 0 };
    let value = reader.value(0)?;
    Ok((value, reader.offset))
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(length).map_err(|_| DecodeError::Truncated)?;
        let end = self.offset.checked_add(length).ok_or(DecodeError::Truncated)?;
        let slice = self.bytes.get(self.offset..end).ok_or(DecodeError::Truncated)?;
        self.offset = end;
        Ok(slice)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.take(N as u64)?.try_into().map_err(|_| DecodeError::Truncated)
    }

    fn bad<T>(&self) -> Result<T, DecodeError> {
        Err(DecodeError::NotCanonical { offset: self.offset })
    }

    /// Reads a head and returns (major type, additional information, argument).
    fn head(&mut self) -> Result<(u8, u8, u64), DecodeError> {
        let [first] = self.array::<1>()?;
        let (major, info) = (first >> 5, first & 31);
        let argument = match info {
            0..=23 => u64::from(info),
            24 => u64::from(self.array::<1>()?[0]),
            25 => u64::from(u16::from_be_bytes(self.array()?)),
            26 => u64::from(u32::from_be_bytes(self.array()?)),
            27 => u64::from_be_bytes(self.array()?),
            _ => return self.bad(),
        };
        let floor = match info {
            24 => 24,
            25 => 1 << 8,
            26 => 1 << 16,
            27 => 1 << 32,
            _ => 0,
        };
        if major != 7 && argument < floor {
            return self.bad();
        }
        Ok((major, info, argument))
    }

    fn expect(&mut self, wanted: u8) -> Result<u64, DecodeError> {
        let (major, _, argument) = self.head()?;
        if major == wanted { Ok(argument) } else { self.bad() }
    }

    fn text(&mut self, length: u64) -> Result<Text, DecodeError> {
        let slice = self.take(length)?;
        match std::str::from_utf8(slice) {
            Ok(text) => Ok(text.into()),
            Err(_) => self.bad(),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::TooDeep);
        }
        let (major, info, argument) = self.head()?;
        match major {
            0 => i64::try_from(argument).map(Value::Integer).or_else(|_| self.bad()),
            1 => match i64::try_from(argument) {
                Ok(number) => Ok(Value::Integer(-1 - number)),
                Err(_) => self.bad(),
            },
            2 => Ok(Value::Bytes(self.take(argument)?.to_vec())),
            3 => self.text(argument).map(Value::Text),
            4 => self.list(argument, depth),
            5 => self.map(argument, depth),
            6 => self.tagged(argument),
            _ => self.simple(info, argument),
        }
    }

    fn list(&mut self, length: u64, depth: usize) -> Result<Value, DecodeError> {
        // Each item needs a byte, so what is left bounds the allocation.
        if length > (self.bytes.len() - self.offset) as u64 {
            return Err(DecodeError::Truncated);
        }
        (0..length)
            .map(|_| self.value(depth + 1))
            .collect::<Result<_, _>>()
            .map(Value::List)
    }

    fn map(&mut self, length: u64, depth: usize) -> Result<Value, DecodeError> {
        // Each entry needs two bytes, so what is left bounds the allocation.
        let most = (self.bytes.len() - self.offset) / 2;
        let mut entries: Vec<(Text, Value)> = Vec::with_capacity(usize::try_from(length).unwrap_or(most).min(most));
        for _ in 0..length {
            let key_length = self.expect(3)?;
            let key = self.text(key_length)?;
            if entries
                .last()
                .is_some_and(|(last, _)| (last.len(), last) >= (key.len(), &key))
            {
                return self.bad();
            }
            let value = self.value(depth + 1)?;
            entries.push((key, value));
        }
        let map: Map = entries.into_iter().collect();
        Ok(Value::Map(map))
    }

    fn tagged(&mut self, tag: u64) -> Result<Value, DecodeError> {
        match tag {
            TAG_DECIMAL => {
                let length = self.expect(3)?;
                self.text(length).map(Value::Decimal)
            }
            TAG_BLOB => {
                if self.expect(4)? != 3 {
                    return self.bad();
                }
                let shape = match self.expect(0)? {
                    0 => BlobShape::Text,
                    1 => BlobShape::Bytes,
                    _ => return self.bad(),
                };
                let length_bytes = self.expect(0)?;
                if self.expect(2)? != Hash::BYTES as u64 {
                    return self.bad();
                }
                let hash = Hash::from_bytes(self.array()?);
                Ok(Value::Blob(BlobRef {
                    hash,
                    length_bytes,
                    shape,
                }))
            }
            _ => self.bad(),
        }
    }

    fn simple(&mut self, info: u8, argument: u64) -> Result<Value, DecodeError> {
        #[expect(clippy::cast_possible_truncation, reason = "the head was 2 or 4 bytes long")]
        let number = match info {
            20 => return Ok(Value::Bool(false)),
            21 => return Ok(Value::Bool(true)),
            22 => return Ok(Value::Null),
            25 => f64::from(single_from_half(argument as u16)),
            26 => f64::from(f32::from_bits(argument as u32)),
            27 => f64::from_bits(argument),
            _ => return self.bad(),
        };
        let mut again = Vec::with_capacity(9);
        encode_float(number, &mut again);
        let length = again.len();
        if self.bytes.get(self.offset - 1 - (1 << (info - 24))..self.offset) == Some(&again[..]) && length > 0 {
            Ok(Value::Float(number))
        } else {
            self.bad()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>()
                .prop_filter("NaN is not equal to itself", |n| !n.is_nan())
                .prop_map(Value::Float),
            (-3000i16..3000).prop_map(|n| Value::Float(f64::from(n) / 64.0)),
            "[0-9]{1,5}(\\.[0-9]{1,3})?".prop_map(|text| Value::Decimal(text.into())),
            ".{0,30}".prop_map(Value::from),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            any::<[u8; 32]>().prop_map(|hash| Value::Blob(BlobRef {
                hash: Hash::from_bytes(hash),
                length_bytes: 999,
                shape: BlobShape::Text
            })),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                proptest::collection::btree_map(".{0,30}", inner, 0..6).prop_map(|map| Value::Map(map.into())),
            ]
        })
    }

    proptest! {
        #[test]
        fn decode_inverts_encode(value in values()) {
            let bytes = encode(&value);
            prop_assert_eq!(decode(&bytes), Ok(value));
            for end in 0..bytes.len() {
                prop_assert!(decode(&bytes[..end]).is_err());
            }
        }

        #[test]
        fn accepted_bytes_are_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(value) = decode(&bytes) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }
    }

    #[test]
    fn rfc_8949_appendix_a_floats() {
        for (number, bytes) in [
            (0.0, "f90000"),
            (-0.0, "f98000"),
            (1.5, "f93e00"),
            (65504.0, "f97bff"),
            (100_000.0, "fa47c35000"),
            (5.960_464_477_539_063e-8, "f90001"),
            (6.103_515_625e-5, "f90400"),
            (1.1, "fb3ff199999999999a"),
            (f64::INFINITY, "f97c00"),
        ] {
            assert_eq!(
                data_encoding::HEXLOWER.encode(&encode(&Value::Float(number))),
                bytes,
                "{number}"
            );
        }
    }

    #[test]
    fn spellings_that_are_not_canonical_are_refused() {
        for bytes in [
            "1800",
            "190017",
            "fa3fc00000",
            "a2616200616100",
            "a2616100616101",
            "9f00ff",
            "fb3ff8000000000000",
            "0000",
        ] {
            let bytes = data_encoding::HEXLOWER.decode(bytes.as_bytes()).unwrap();
            assert!(decode(&bytes).is_err(), "{bytes:x?}");
        }
    }
}
