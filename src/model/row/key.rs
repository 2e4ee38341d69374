//! Keys of rows: bytes whose order is the order of the key columns.
//!
//! A part says nothing of its column's type: `1001` is one key, whether a table has it as number or as text, so that
//! two tables whose types differ still mean the same row.

use super::Cell;
use super::cell::integer;
use crate::model::{Domain, Hash, RecordKey};

/// First byte of the key of a row that has no key columns.
const CONTENT: u8 = 0x02;
/// Null.
const NULL: u8 = 0x05;
/// Zero; `n` above it a number of `n` bytes, `n` below a negative one.
const ZERO: u8 = 0x30;
/// Text.
const TEXT: u8 = 0x40;
/// Raw bytes.
const BYTES: u8 = 0x48;
/// A key that would be too long, by its hash.
const HASHED: u8 = 0x7F;

/// Appends one key column's part.
pub fn push_part(cell: &Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.push(NULL),
        Cell::Integer(number) => push_integer(*number, out),
        Cell::Bytes(bytes) => push_escaped(BYTES, bytes, out),
        other => {
            let text = other.text().unwrap_or_default();
            match integer(text.as_bytes()) {
                Some(number) => push_integer(number, out),
                None => push_escaped(TEXT, text.as_bytes(), out),
            }
        }
    }
}

fn push_integer(number: i64, out: &mut Vec<u8>) {
    let bytes = number.unsigned_abs().to_be_bytes();
    let skipped = number.unsigned_abs().leading_zeros() as usize / 8;
    let digits = bytes.get(skipped..).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "at most eight")]
    let length = digits.len() as u8;
    if number < 0 {
        out.push(ZERO - length);
        out.extend(digits.iter().map(|byte| !byte));
    } else {
        out.push(ZERO + length);
        out.extend_from_slice(digits);
    }
}

/// A zero byte inside is followed by `FF`; the end is a single zero byte, which sorts before every continuation.
fn push_escaped(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(0, rest) {
        let (head, tail) = rest.split_at(at + 1);
        out.extend_from_slice(head);
        out.push(0xFF);
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.push(0);
}

/// Returns the parts of a key as people type them, separated by commas; `None` where a key does not say them.
pub fn shown(key: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    let mut rest = key;
    while let Some((tag, after)) = rest.split_first() {
        let (part, left) = match *tag {
            NULL => (String::new(), after),
            TEXT => {
                let (bytes, left) = unescaped(after)?;
                (String::from_utf8(bytes).ok()?, left)
            }
            tag if tag.abs_diff(ZERO) <= 8 => {
                let (digits, left) = after.split_at_checked(usize::from(tag.abs_diff(ZERO)))?;
                (shown_integer(digits, tag < ZERO), left)
            }
            _ => return None,
        };
        parts.push(part);
        rest = left;
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

fn shown_integer(digits: &[u8], is_negative: bool) -> String {
    let digits = digits.iter().map(|byte| if is_negative { !byte } else { *byte });
    let magnitude = digits.fold(0u64, |sum, digit| sum << 8 | u64::from(digit));
    let sign = if is_negative { "-" } else { "" };
    format!("{sign}{magnitude}")
}

/// Returns what was escaped and what follows its end.
fn unescaped(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = bytes;
    loop {
        let (head, tail) = rest.split_at_checked(memchr::memchr(0, rest)?)?;
        out.extend_from_slice(head);
        rest = tail.get(1..)?;
        match rest.split_first() {
            Some((0xFF, after)) => {
                out.push(0);
                rest = after;
            }
            _ => return Some((out, rest)),
        }
    }
}

/// Shortens `key`, made of parts, to what a tree takes: one that is too long becomes its hash.
pub fn bound(key: &mut Vec<u8>) {
    if key.len() > RecordKey::MAX_BYTES {
        let hash = Hash::of(Domain::Identity, key);
        key.clear();
        key.push(HASHED);
        key.extend_from_slice(hash.bytes());
    }
}

/// Makes the key of a row that is identified by what it first held: 12 bytes of its record's hash and how many equal
/// rows stood before it.
pub fn of_content(record: &[u8], ordinal: u32) -> Vec<u8> {
    let hash = Hash::of(Domain::Value, record);
    let mut key = Vec::with_capacity(17);
    key.push(CONTENT);
    key.extend_from_slice(&hash.bytes()[..12]);
    key.extend_from_slice(&ordinal.to_be_bytes());
    key
}

/// Makes the key of a later row of a table without key columns.
pub fn of_random(bytes: [u8; 16]) -> Vec<u8> {
    let mut key = vec![CONTENT];
    key.extend_from_slice(&bytes);
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(cells: &[Cell<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        for cell in cells {
            push_part(cell, &mut out);
        }
        out
    }

    proptest! {
        #[test]
        fn keys_say_their_parts(texts in proptest::collection::vec("[a-c0-9\\-\u{0}]{0,4}", 1..4)) {
            let mut bytes = Vec::new();
            for text in &texts {
                push_part(&Cell::Text(text.as_str().into()), &mut bytes);
            }
            prop_assert_eq!(shown(&bytes), Some(texts.join(",")));
            for end in 0..bytes.len() {
                let _cut_anywhere = shown(&bytes[..end]);
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_sort_as_numbers(left: i64, right: i64) {
            let order = key(&[Cell::Integer(left)]).cmp(&key(&[Cell::Integer(right)]));
            prop_assert_eq!(order, left.cmp(&right));
        }

        #[test]
        fn columns_sort_one_after_the_other(
            left in ("[a\\x00b]{0,4}", "[a\\x00b]{0,4}"),
            right in ("[a\\x00b]{0,4}", "[a\\x00b]{0,4}"),
        ) {
            let of = |(first, second): &(String, String)| {
                key(&[Cell::Text(first.as_str().into()), Cell::Text(second.as_str().into())])
            };
            prop_assert_eq!(of(&left).cmp(&of(&right)), left.cmp(&right));
        }
    }

    #[test]
    fn keys_have_these_bytes() {
        let hex = |cells: &[Cell<'_>]| data_encoding::HEXLOWER.encode(&key(cells));
        assert_eq!(hex(&[Cell::Integer(0)]), "30");
        assert_eq!(hex(&[Cell::Integer(1001)]), "3203e9");
        assert_eq!(hex(&[Cell::Text("1001".into())]), "3203e9");
        assert_eq!(hex(&[Cell::Text("007".into())]), "4030303700");
        assert_eq!(hex(&[Cell::Integer(-1), Cell::Null]), "2ffe05");
        assert_eq!(hex(&[Cell::Integer(i64::MIN)]), "287fffffffffffffff");
        let mut long = key(&[Cell::Text("x".repeat(2000).into())]);
        bound(&mut long);
        assert_eq!((long.len(), long[0]), (33, HASHED));
        assert_eq!(of_content(b"x", 1).len(), 17);
    }
}
