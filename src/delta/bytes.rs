//! Bounded reading and writing of the small binary forms of this module.

use super::DeltaError;

/// Appends `number` in LEB128: seven bits per byte, lowest first.
pub(super) fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7F) as u8);
}

/// Appends the length of `bytes` and the bytes.
pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// A reader that never leaves its bytes.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    object: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], object: &'static str) -> Self {
        Self { bytes, object }
    }

    pub(super) const fn error(&self, what: &'static str) -> DeltaError {
        DeltaError::malformed(self.object, what)
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], DeltaError> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or_else(|| self.error("the bytes end early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, DeltaError> {
        match self.take(1)? {
            [byte] => Ok(*byte),
            _ => Err(self.error("the bytes end early")),
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DeltaError> {
        self.take(N)?.try_into().map_err(|_| self.error("the bytes end early"))
    }

    /// Reads a number; its shortest form only.
    pub(super) fn number(&mut self) -> Result<u64, DeltaError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7F);
            if shift == 63 && part > 1 {
                return Err(self.error("a number is too large"));
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(self.error("a number is not in its shortest form"));
                }
                return Ok(number);
            }
        }
        Err(self.error("a number is too large"))
    }

    /// Reads a number of at most `limit`.
    pub(super) fn limited(&mut self, limit: usize, what: &'static str) -> Result<usize, DeltaError> {
        match usize::try_from(self.number()?) {
            Ok(number) if number <= limit => Ok(number),
            _ => Err(self.error(what)),
        }
    }

    /// Reads a length of at most `limit` and as many bytes.
    pub(super) fn bytes(&mut self, limit: usize, what: &'static str) -> Result<&'a [u8], DeltaError> {
        let length = self.limited(limit, what)?;
        self.take(length)
    }

    /// Reads text of at most `limit` bytes.
    pub(super) fn text(&mut self, limit: usize, what: &'static str) -> Result<String, DeltaError> {
        let bytes = self.bytes(limit, what)?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.error("text is not UTF-8"))?;
        Ok(text.to_owned())
    }

    pub(super) fn end(&self) -> Result<(), DeltaError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(self.error("bytes follow the end"))
        }
    }
}
