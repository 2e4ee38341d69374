//! Numbers, byte strings and lists in log objects: shortest forms only, lengths bounded by what is there.

/// The bytes break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WireError {
    /// Where, from the start.
    pub(super) offset: usize,
}

/// Appends a number: seven bits a byte, the least significant first, the top bit set on all but the last.
pub(super) fn number_into(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Appends a signed number: 0, -1, 1, -2, … become 0, 1, 2, 3, ….
pub(super) fn signed_into(number: i64, out: &mut Vec<u8>) {
    number_into(((number << 1) ^ (number >> 63)).cast_unsigned(), out);
}

/// Appends a byte string with its length before it.
pub(super) fn bytes_into(bytes: &[u8], out: &mut Vec<u8>) {
    number_into(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Reads what the functions above wrote.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Returns the error for the present place.
    pub(super) fn bad(&self) -> WireError {
        WireError { offset: self.offset }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let end = self.offset.checked_add(length).ok_or(self.bad())?;
        let taken = self.bytes.get(self.offset..end).ok_or(self.bad())?;
        self.offset = end;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.bad())
    }

    pub(super) fn number(&mut self) -> Result<u64, WireError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            // The tenth byte has room for one bit; a last byte of zero could be left away.
            if (shift == 63 && bits > 1) || (byte == 0 && shift > 0) {
                return Err(self.bad());
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.bad())
    }

    pub(super) fn signed(&mut self) -> Result<i64, WireError> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| self.bad())?)
    }

    /// Reads a count and so many items, each at least `item_bytes` (one or more) long, which bounds the count.
    pub(super) fn list<T>(
        &mut self,
        item_bytes: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, WireError>,
    ) -> Result<Vec<T>, WireError> {
        let count = self.number()?;
        let possible = self.rest().len() / item_bytes.max(1);
        if count > possible as u64 {
            return Err(self.bad());
        }
        (0..count).map(|_| item(self)).collect()
    }

    /// Errors unless everything was read.
    pub(super) fn finish(&self) -> Result<(), WireError> {
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.bad())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_and_have_one_form(
            number: u64,
            signed: i64,
            bytes in proptest::collection::vec(any::<u8>(), 0..12),
        ) {
            let mut out = Vec::new();
            number_into(number, &mut out);
            signed_into(signed, &mut out);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.finish(), Ok(()));
            let mut reader = Reader::new(&bytes);
            if let Ok(number) = reader.number() {
                let mut again = Vec::new();
                number_into(number, &mut again);
                prop_assert_eq!(&again[..], &bytes[..again.len()]);
            }
        }
    }

    #[test]
    fn a_count_is_bounded_by_the_bytes() {
        let mut out = Vec::new();
        number_into(u64::MAX, &mut out);
        assert!(Reader::new(&out).list(1, Reader::byte).is_err());
    }
}
