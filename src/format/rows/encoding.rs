//! Text encodings of row files: found by byte order mark and content, kept when writing.

use std::borrow::Cow;

/// An encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Encoding {
    Utf8,
    Utf8Bom,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Encoding {
    const ALL: [Self; 5] = [
        Self::Utf8,
        Self::Utf8Bom,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Windows1252,
    ];

    /// Finds the encoding of a whole file: a byte order mark says it, else valid UTF-8 is UTF-8, else windows-1252.
    pub(in crate::format) fn detect(bytes: &[u8]) -> Self {
        let marked = [Self::Utf8Bom, Self::Utf16Le, Self::Utf16Be];
        if let Some(encoding) = marked.into_iter().find(|encoding| bytes.starts_with(encoding.mark())) {
            return encoding;
        }
        match std::str::from_utf8(bytes) {
            Ok(_) => Self::Utf8,
            Err(_) => Self::Windows1252,
        }
    }

    /// Finds the encoding of the start of a file, which may end inside a character.
    pub(in crate::format) fn detect_head(head: &[u8]) -> Self {
        match std::str::from_utf8(head) {
            Err(error) if error.error_len().is_none() => Self::detect(&head[..error.valid_up_to()]),
            _ => Self::detect(head),
        }
    }

    /// Returns the name that styles and descriptions use.
    pub(in crate::format) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf8Bom => "utf-8-bom",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// Finds an encoding by [`Self::name`].
    pub(in crate::format) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name() == name)
    }

    /// Returns the byte order mark that files of this encoding start with.
    pub(in crate::format) const fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 | Self::Windows1252 => b"",
            Self::Utf8Bom => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
            Self::Utf16Be => b"\xFE\xFF",
        }
    }

    /// Returns how many bytes the delimiters and line ends of this encoding have.
    pub(in crate::format) const fn unit_bytes(self) -> usize {
        match self {
            Self::Utf16Le | Self::Utf16Be => 2,
            _ => 1,
        }
    }

    /// Returns the unit that starts at `at`; `None` past the last whole unit.
    pub(in crate::format) fn unit(self, bytes: &[u8], at: usize) -> Option<u16> {
        let first = *bytes.get(at)?;
        Some(match self {
            Self::Utf16Le => u16::from_le_bytes([first, *bytes.get(at + 1)?]),
            Self::Utf16Be => u16::from_be_bytes([first, *bytes.get(at + 1)?]),
            _ => u16::from(first),
        })
    }

    /// Decodes bytes; `None` when they are not of this encoding.
    pub(in crate::format) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 | Self::Utf8Bom => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Windows1252 => encoding_rs::WINDOWS_1252.decode_without_bom_handling_and_without_replacement(bytes),
            Self::Utf16Le => encoding_rs::UTF_16LE.decode_without_bom_handling_and_without_replacement(bytes),
            Self::Utf16Be => encoding_rs::UTF_16BE.decode_without_bom_handling_and_without_replacement(bytes),
        }
    }

    /// Encodes text; `None` when a character has no place in this encoding.
    pub(in crate::format) fn encode(self, text: &str) -> Option<Vec<u8>> {
        Some(match self {
            Self::Utf8 | Self::Utf8Bom => text.as_bytes().to_vec(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Windows1252 => {
                let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
                if unmappable {
                    return None;
                }
                bytes.into_owned()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_keeps_text_or_refuses_it() {
        for encoding in Encoding::ALL {
            let bytes = encoding.encode("Zoë, ß €\r\n").unwrap();
            assert_eq!(encoding.decode(&bytes).unwrap(), "Zoë, ß €\r\n");
            assert_eq!(Encoding::by_name(encoding.name()), Some(encoding));
        }
        assert_eq!(Encoding::Windows1252.encode("Jiří"), None);
        assert_eq!(Encoding::Utf16Le.decode(&[0x00, 0xD8]), None);
    }

    #[test]
    fn every_windows_1252_byte_comes_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = Encoding::Windows1252.decode(&bytes).unwrap();
        assert_eq!(Encoding::Windows1252.encode(&text).unwrap(), bytes);
    }

    #[test]
    fn a_head_cut_inside_a_character_is_still_utf_8() {
        assert_eq!(Encoding::detect_head(&"Müller é".as_bytes()[..9]), Encoding::Utf8);
        assert_eq!(Encoding::detect_head(b"M\xFCller"), Encoding::Windows1252);
    }
}
