//! Text encodings of row files: found where the bytes are proof of it, else stated, and kept when writing.
//!
//! A byte order mark, valid UTF-8 and the zero bytes of UTF-16 are proof. A file of single bytes in an unnamed code page is
//! [`Encoding::Unnamed`]: only letters that are the same in all of them are read and written there.

use std::borrow::Cow;

use encoding_rs::{
    GB18030, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254,
    WINDOWS_1257, WINDOWS_1258, X_USER_DEFINED,
};

/// An encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Encoding {
    Utf8,
    Utf8Bom,
    Utf16Le,
    Utf16Be,
    /// UTF-16 without a byte order mark.
    Utf16LeBare,
    /// See [`Self::Utf16LeBare`].
    Utf16BeBare,
    Windows1252,
    /// Another code page of the Encoding Standard in which ASCII bytes are ASCII.
    CodePage(&'static encoding_rs::Encoding),
    /// A code page that nobody has named.
    Unnamed,
}

/// The code pages that files of an unnamed one are read in; where they disagree, nothing is known.
const LATIN_PAGES: [&encoding_rs::Encoding; 5] = [WINDOWS_1252, WINDOWS_1250, WINDOWS_1254, WINDOWS_1257, WINDOWS_1258];
/// The letters on which they agree.
const SURE_LETTERS: &str = "ÄäÉéÓóÖöÜüß";
/// How much of a file shows whether it is UTF-16 (chosen).
const WIDE_SAMPLE_BYTES: usize = 4096;

impl Encoding {
    const NAMED: [Self; 8] = [
        Self::Utf8,
        Self::Utf8Bom,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Utf16LeBare,
        Self::Utf16BeBare,
        Self::Windows1252,
        Self::Unnamed,
    ];

    /// Finds the encoding of a whole file: a byte order mark says it, then the zero bytes of UTF-16, then UTF-8.
    ///
    /// A file that is UTF-8 but for a few places is UTF-8: a code page has no sequences of it by chance.
    pub(in crate::format) fn detect(bytes: &[u8]) -> Self {
        if let Some(encoding) = marked(bytes).or_else(|| wide_without_mark(bytes)) {
            return encoding;
        }
        let (mut sequences, mut faults) = (0_usize, 0_usize);
        for chunk in bytes.utf8_chunks() {
            sequences += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
            faults += usize::from(!chunk.invalid().is_empty());
        }
        if faults == 0 || sequences > faults {
            Self::Utf8
        } else {
            Self::Unnamed
        }
    }

    /// Finds the encoding of the start of a file, which may end inside a character.
    pub(in crate::format) fn detect_head(head: &[u8]) -> Self {
        match std::str::from_utf8(head) {
            Err(error) if error.error_len().is_none() => Self::detect(&head[..error.valid_up_to()]),
            _ => Self::detect(head),
        }
    }

    /// Takes a code page that nobody has named for the one of Western Europe.
    pub(in crate::format) fn or_western(self) -> Self {
        match self {
            Self::Unnamed => Self::Windows1252,
            other => other,
        }
    }

    /// Returns this encoding, which somebody stated, with or without the byte order mark that `bytes` have.
    pub(in crate::format) fn as_marked(self, bytes: &[u8]) -> Self {
        let found = marked(bytes);
        match self {
            Self::Utf8 | Self::Utf8Bom => found.filter(|found| *found == Self::Utf8Bom).unwrap_or(Self::Utf8),
            Self::Utf16Le | Self::Utf16LeBare => found
                .filter(|found| *found == Self::Utf16Le)
                .unwrap_or(Self::Utf16LeBare),
            Self::Utf16Be | Self::Utf16BeBare => found
                .filter(|found| *found == Self::Utf16Be)
                .unwrap_or(Self::Utf16BeBare),
            other => other,
        }
    }

    /// Returns the name that styles and descriptions use.
    pub(in crate::format) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf8Bom => "utf-8-bom",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Utf16LeBare => "utf-16le-bare",
            Self::Utf16BeBare => "utf-16be-bare",
            Self::Windows1252 => "windows-1252",
            Self::CodePage(page) => page.name(),
            Self::Unnamed => "unknown-8bit",
        }
    }

    /// Finds an encoding by [`Self::name`] or by a label of the Encoding Standard.
    pub(in crate::format) fn by_name(name: &str) -> Option<Self> {
        if let Some(named) = Self::NAMED.into_iter().find(|encoding| encoding.name() == name) {
            return Some(named);
        }
        let page = encoding_rs::Encoding::for_label(name.as_bytes())?;
        if page == UTF_8 {
            Some(Self::Utf8)
        } else if page == UTF_16LE {
            Some(Self::Utf16Le)
        } else if page == UTF_16BE {
            Some(Self::Utf16Be)
        } else if page == WINDOWS_1252 {
            Some(Self::Windows1252)
        } else if [ISO_2022_JP, REPLACEMENT, X_USER_DEFINED].contains(&page) {
            // Bytes of the first mean something else after others; the second stands for what nobody should read.
            None
        } else {
            Some(Self::CodePage(page))
        }
    }

    /// Returns the byte order mark that files of this encoding start with.
    pub(in crate::format) const fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8Bom => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
            Self::Utf16Be => b"\xFE\xFF",
            _ => b"",
        }
    }

    /// Returns how many bytes the delimiters and line ends of this encoding have.
    pub(in crate::format) const fn unit_bytes(self) -> usize {
        match self {
            Self::Utf16Le | Self::Utf16Be | Self::Utf16LeBare | Self::Utf16BeBare => 2,
            _ => 1,
        }
    }

    /// Returns the unit that starts at `at`; `None` past the last whole unit.
    pub(in crate::format) fn unit(self, bytes: &[u8], at: usize) -> Option<u16> {
        let first = *bytes.get(at)?;
        Some(match self {
            Self::Utf16Le | Self::Utf16LeBare => u16::from_le_bytes([first, *bytes.get(at + 1)?]),
            Self::Utf16Be | Self::Utf16BeBare => u16::from_be_bytes([first, *bytes.get(at + 1)?]),
            _ => u16::from(first),
        })
    }

    /// Decodes bytes; `None` when they are not of this encoding, or not surely.
    pub(in crate::format) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 | Self::Utf8Bom => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Windows1252 => whole(WINDOWS_1252, bytes),
            Self::CodePage(page) => whole(page, bytes),
            Self::Utf16Le | Self::Utf16LeBare => whole(UTF_16LE, bytes),
            Self::Utf16Be | Self::Utf16BeBare => whole(UTF_16BE, bytes),
            Self::Unnamed => surely(bytes),
        }
    }

    /// Decodes bytes as what they most often are, for names of columns and for showing.
    pub(in crate::format) fn decode_likely(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        self.decode(bytes).or_else(|| self.or_western().decode(bytes))
    }

    /// Encodes text; `None` when a character has no place in this encoding, or would not surely be read as it is.
    pub(in crate::format) fn encode(self, text: &str) -> Option<Vec<u8>> {
        let page = match self {
            Self::Utf8 | Self::Utf8Bom => return Some(text.as_bytes().to_vec()),
            Self::Utf16Le | Self::Utf16LeBare => return Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be | Self::Utf16BeBare => return Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Windows1252 | Self::Unnamed => WINDOWS_1252,
            Self::CodePage(page) => page,
        };
        let (bytes, _, unmappable) = page.encode(text);
        // Some code pages have one byte for two characters.
        let comes_back = !unmappable && self.decode(&bytes).is_some_and(|again| again == text);
        comes_back.then(|| bytes.into_owned())
    }

    /// Tells why [`Self::decode`] refuses bytes.
    pub(in crate::format) fn refusal(self, bytes: &[u8]) -> String {
        if self != Self::Unnamed {
            return format!("its bytes are no text in {}", self.name());
        }
        let doubtful = words(bytes).find(|word| surely(word).is_none()).unwrap_or(bytes);
        let mut readings: Vec<(Cow<'_, str>, &str)> = Vec::new();
        for page in LATIN_PAGES.iter().chain(&OTHER_PAGES) {
            let Some(text) = whole(page, doubtful).filter(|text| !text.contains(char::is_control)) else {
                continue;
            };
            if readings.len() < MAX_READINGS && readings.iter().all(|(known, _)| *known != text) {
                readings.push((text, page.name()));
            }
        }
        let readings: Vec<String> = readings
            .iter()
            .map(|(text, page)| format!("`{text}` in {page}"))
            .collect();
        if readings.is_empty() {
            return "the file does not say its encoding (`--encoding` does)".to_owned();
        }
        format!(
            "the file does not say its encoding (`--encoding` does): {}",
            readings.join(", ")
        )
    }
}

/// Code pages of other scripts that a refusal shows.
const OTHER_PAGES: [&encoding_rs::Encoding; 4] = [
    encoding_rs::WINDOWS_1251,
    encoding_rs::WINDOWS_1253,
    encoding_rs::SHIFT_JIS,
    GB18030,
];
/// How many readings a refusal shows (chosen).
const MAX_READINGS: usize = 4;

fn marked(bytes: &[u8]) -> Option<Encoding> {
    let marked = [Encoding::Utf8Bom, Encoding::Utf16Le, Encoding::Utf16Be];
    marked.into_iter().find(|encoding| bytes.starts_with(encoding.mark()))
}

/// Recognises UTF-16 by the zero bytes of ASCII letters, all of them in one half of the units.
fn wide_without_mark(bytes: &[u8]) -> Option<Encoding> {
    let sample = &bytes[..bytes.len().min(WIDE_SAMPLE_BYTES)];
    let (units, _) = sample.as_chunks::<2>();
    let zeros = |half: usize| units.iter().filter(|unit| unit[half] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let enough = |zeros: usize| units.len() >= 2 && zeros * 2 >= units.len();
    match (first, second) {
        (0, second) if enough(second) => Some(Encoding::Utf16LeBare),
        (first, 0) if enough(first) => Some(Encoding::Utf16BeBare),
        _ => None,
    }
}

fn whole<'b>(page: &'static encoding_rs::Encoding, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
    page.decode_without_bom_handling_and_without_replacement(bytes)
}

/// Decodes bytes of an unnamed code page where it makes no difference which one it is.
///
/// A word must have at least as many ASCII letters as others (else it may be of another script), and a sign must not touch a
/// letter (else it may be a letter of a code page of another system).
fn surely(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if bytes.is_ascii() {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let text = whole(WINDOWS_1252, bytes)?;
    let agree = LATIN_PAGES
        .iter()
        .all(|page| whole(page, bytes).is_some_and(|other| other == text));
    let is_latin = || {
        let is_word = |character: char| character.is_ascii_alphanumeric() || !character.is_ascii();
        text.split(|character| !is_word(character)).all(|word| {
            let foreign = word.chars().filter(|character| !character.is_ascii());
            let (letters, signs): (Vec<char>, Vec<char>) =
                foreign.partition(|character| SURE_LETTERS.contains(*character));
            let own = word.chars().filter(char::is_ascii_alphabetic).count();
            let control = signs.iter().any(|character| character.is_control());
            letters.len() <= own && !control && (signs.is_empty() || own + letters.len() == 0)
        })
    };
    (agree && is_latin()).then_some(text)
}

/// Splits bytes into words of ASCII letters and bytes beyond ASCII.
fn words(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_keeps_text_or_refuses_it() {
        let pages = [WINDOWS_1250, WINDOWS_1254, GB18030].map(Encoding::CodePage);
        for encoding in Encoding::NAMED.into_iter().chain(pages) {
            let bytes = encoding.encode("Zoé, Groß €\r\n").unwrap();
            assert_eq!(encoding.decode(&bytes).unwrap(), "Zoé, Groß €\r\n");
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
        assert_eq!(Encoding::detect_head(b"M\xFCller"), Encoding::Unnamed);
    }

    #[test]
    fn a_fault_in_utf_8_makes_no_code_page_of_the_rest() {
        // A file cut while it is written, and one that another program added a line to.
        let text = "Zoë,Jiří\nAnn,Łee\n".as_bytes();
        assert_eq!(Encoding::detect(&text[..text.len() - 4]), Encoding::Utf8);
        assert_eq!(Encoding::detect(&[text, b"M\xFCller"].concat()), Encoding::Utf8);
        assert_eq!(Encoding::detect("張偉".as_bytes()), Encoding::Utf8);
        let (gbk, ..) = encoding_rs::GBK.encode("张伟,王芳,李娜,刘洋,陈静,杨敏,赵磊,黄勇,周军,吴杰\n");
        assert_eq!(Encoding::detect(&gbk), Encoding::Unnamed);
    }

    #[test]
    fn utf_16_is_known_without_its_mark() {
        for (marked, bare) in [
            (Encoding::Utf16Le, Encoding::Utf16LeBare),
            (Encoding::Utf16Be, Encoding::Utf16BeBare),
        ] {
            let bytes = marked.encode("Name,Mail\r\nЖанна,张伟\r\n").unwrap();
            assert_eq!(Encoding::detect(&bytes), bare);
            assert_eq!(Encoding::detect(&[marked.mark(), &bytes].concat()), marked);
            assert_eq!(marked.as_marked(&bytes), bare);
        }
        assert_eq!(Encoding::detect(b"a\0b"), Encoding::Utf8);
    }

    #[test]
    fn only_what_all_code_pages_say_is_sure() {
        for (bytes, sure) in [
            (&b"M\xFCller, Gro\xDF \x80 20"[..], Some("Müller, Groß € 20")),
            (b"Andr\xE9 L\xF3pez", Some("André López")),
            (b"Garc\xEDa", None),
            (b"H\xE9l\xE8ne", None),
            (b"Ji\xF8\xED", None),
            // `Ян` and `Дед` in windows-1251: letters that are sure elsewhere.
            (b"\xDF\xED", None),
            (b"\xC4\xE9\xE4", None),
            // `Straße` and `Málaga` of a Macintosh and of DOS.
            (b"Stra\xA7e", None),
            (b"M\xA0laga", None),
            (b"\x83A\x83\x93", None),
        ] {
            assert_eq!(Encoding::Unnamed.decode(bytes).as_deref(), sure, "{bytes:?}");
        }
        for letter in SURE_LETTERS.chars() {
            let text = letter.to_string();
            let (byte, ..) = WINDOWS_1252.encode(&text);
            assert_eq!(byte.len(), 1);
            for page in LATIN_PAGES {
                assert_eq!(whole(page, &byte).unwrap(), text, "{}", page.name());
            }
        }
        assert_eq!(Encoding::Unnamed.encode("Hélène"), None);
        assert_eq!(Encoding::Unnamed.encode("Müller").unwrap(), b"M\xFCller");
    }

    #[test]
    fn a_refusal_shows_how_the_word_could_be_read() {
        assert_eq!(
            Encoding::Unnamed.refusal(b"1,M\xFCller,Garc\xEDa,x"),
            "the file does not say its encoding (`--encoding` does): `García` in windows-1252, `Garcķa` in windows-1257, \
             `Garcнa` in windows-1251, `Garcνa` in windows-1253"
        );
    }

    #[test]
    fn one_byte_for_two_characters_is_not_written() {
        let page = Encoding::by_name("shift_jis").unwrap();
        assert_eq!(page.encode("5¥"), None);
        assert_eq!(page.encode("山田").unwrap().len(), 4);
        assert_eq!(Encoding::by_name("iso-2022-jp"), None);
        assert_eq!(Encoding::by_name("latin1"), Some(Encoding::Windows1252));
    }
}
