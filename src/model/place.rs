//! Places in texts that people write, for messages about them.

use std::ops::Range;

/// The most characters of a line that are shown (chosen: fits a terminal beside the rest of a message).
const SHOWN_CHARACTERS: usize = 60;

/// Returns `message` in one line, after the place that it is about: `line 3, column 7, at `colum = "x"`: …`.
///
/// Lines and columns count from 1, columns in characters.
pub fn at_place(text: &str, span: Option<Range<usize>>, message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((before, after)) = span.and_then(|span| text.split_at_checked(span.start)) else {
        return message;
    };
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    let beginning = &before[start..];
    let column = beginning.chars().count() + 1;
    let rest = after.lines().next().unwrap_or_default();
    let shown: String = format!("{beginning}{rest}")
        .trim()
        .chars()
        .take(SHOWN_CHARACTERS)
        .collect();
    if shown.is_empty() {
        return format!("line {line}, column {column}: {message}");
    }
    format!("line {line}, column {column}, at `{shown}`: {message}")
}

#[cfg(test)]
mod tests {
    use super::at_place;

    #[test]
    fn a_place_is_told_in_one_line() {
        let text = "a = 1\n  ü = [\nb = 2\n";
        let at = text.find('[').unwrap();
        assert_eq!(
            at_place(text, Some(at..at + 1), "unclosed array\nexpected `]`"),
            "line 2, column 7, at `ü = [`: unclosed array expected `]`"
        );
        assert_eq!(at_place(text, None, "a\nb"), "a b");
        assert_eq!(at_place(text, Some(text.len()..text.len()), "x"), "line 4, column 1: x");
        // Inside of a character and beyond the end there is no place.
        assert_eq!(at_place(text, Some(9..10), "x"), "x");
        assert_eq!(at_place(text, Some(99..99), "x"), "x");
    }
}
