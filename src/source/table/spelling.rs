//! How a column writes its values where that is not the collection's way: dates, numbers, words for yes and no.
//!
//! *Invariant*: [`Spelling::read`] accepts a text only if [`Spelling::write`] gives it back byte by byte.

use std::fmt::Write as _;

use crate::model::Value;
use crate::model::row::{ColumnType, from_value};

/// How the values of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As the collection writes them.
    Plain,
    /// Numbers with this decimal mark, and this mark between groups of three digits, if any.
    Number { decimal: char, thousands: Option<char> },
    /// Dates and times by a pattern.
    Moment(Pattern),
    /// Words for true and false.
    Words { yes: String, no: String },
}

/// The parts of a date and time, each with how many digits it has at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month(usize),
    Day(usize),
    Hour(usize),
    Minute,
    Second,
    Mark(char),
}

/// A pattern such as `DD.MM.YYYY hh:mm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

/// The numbers of a date and time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Moment {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    hour: Option<u32>,
    minute: Option<u32>,
    second: Option<u32>,
}

impl Moment {
    /// Returns whether the numbers can be a date, a time, or both.
    fn is_possible(&self) -> bool {
        let has_date = self.year.is_some() && self.month.is_some() && self.day.is_some();
        let has_time = self.hour.is_some() && self.minute.is_some();
        let year = self.year.unwrap_or(2000);
        let days = match self.month.unwrap_or(1) {
            4 | 6 | 9 | 11 => 30,
            2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
            2 => 28,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            _ => return false,
        };
        (has_date || has_time)
            && (1..=days).contains(&self.day.unwrap_or(1))
            && self.hour.unwrap_or(0) < 24
            && self.minute.unwrap_or(0) < 60
            && self.second.unwrap_or(0) < 60
    }

    /// Writes it as the collection does.
    fn to_plain(self) -> String {
        let date = match (self.year, self.month, self.day) {
            (Some(year), Some(month), Some(day)) => format!("{year:04}-{month:02}-{day:02}"),
            _ => String::new(),
        };
        let time = match (self.hour, self.minute, self.second) {
            (Some(hour), Some(minute), Some(second)) => format!("{hour:02}:{minute:02}:{second:02}"),
            (Some(hour), Some(minute), None) => format!("{hour:02}:{minute:02}"),
            _ => String::new(),
        };
        let between = if date.is_empty() || time.is_empty() { "" } else { "T" };
        format!("{date}{between}{time}")
    }
}

impl Pattern {
    /// Reads a pattern: `YYYY`, `MM` or `M`, `DD` or `D`, `hh` or `h`, `mm`, `ss`, and marks between them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let run = rest.chars().take_while(|other| *other == first).count();
            let part = match (first, run) {
                ('Y', 4) => Part::Year,
                ('M', 1 | 2) => Part::Month(run),
                ('D', 1 | 2) => Part::Day(run),
                ('h', 1 | 2) => Part::Hour(run),
                ('m', 2) => Part::Minute,
                ('s', 2) => Part::Second,
                (mark, _) if mark.is_alphanumeric() && mark != 'T' => return None,
                (mark, _) => Part::Mark(mark),
            };
            let taken = if matches!(part, Part::Mark(_)) { 1 } else { run };
            rest = rest.get(taken * first.len_utf8()..)?;
            parts.push(part);
        }
        let is_variable = |part: &Part| matches!(part, Part::Month(1) | Part::Day(1) | Part::Hour(1));
        // A number without a fixed length needs a mark after it, or is the last.
        let is_clear = parts
            .iter()
            .zip(parts.iter().skip(1))
            .all(|(part, next)| !is_variable(part) || matches!(next, Part::Mark(_)));
        let pattern = Self { parts };
        let count = |wanted: fn(&Part) -> bool| pattern.parts.iter().filter(|part| wanted(part)).count();
        let (years, months, days) = (
            count(|part| *part == Part::Year),
            count(|part| matches!(part, Part::Month(_))),
            count(|part| matches!(part, Part::Day(_))),
        );
        let (hours, minutes, seconds) = (
            count(|part| matches!(part, Part::Hour(_))),
            count(|part| *part == Part::Minute),
            count(|part| *part == Part::Second),
        );
        let is_date = (years, months, days) == (1, 1, 1);
        let is_time = (hours, minutes) == (1, 1) && seconds <= 1;
        let has_none = |sum: usize| sum == 0;
        let is_whole = match (is_date, is_time) {
            (true, true) => true,
            (true, false) => has_none(hours + minutes + seconds),
            (false, true) => has_none(years + months + days),
            (false, false) => false,
        };
        (is_clear && is_whole).then_some(pattern)
    }

    /// Returns the type of a column that is written so.
    fn kind(&self) -> ColumnType {
        let has = |wanted: fn(&Part) -> bool| self.parts.iter().any(wanted);
        match (has(|part| *part == Part::Year), has(|part| *part == Part::Minute)) {
            (true, true) => ColumnType::Timestamp,
            (true, false) => ColumnType::Date,
            _ => ColumnType::Time,
        }
    }

    fn read(&self, text: &str) -> Option<Moment> {
        let mut moment = Moment::default();
        let mut rest = text;
        for part in &self.parts {
            let (place, least, most) = match part {
                Part::Mark(mark) => {
                    rest = rest.strip_prefix(*mark)?;
                    continue;
                }
                Part::Year => (&mut moment.year, 4, 4),
                Part::Month(digits) => (&mut moment.month, *digits, 2),
                Part::Day(digits) => (&mut moment.day, *digits, 2),
                Part::Hour(digits) => (&mut moment.hour, *digits, 2),
                Part::Minute => (&mut moment.minute, 2, 2),
                Part::Second => (&mut moment.second, 2, 2),
            };
            let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            if digits < least {
                return None;
            }
            let (number, after) = rest.split_at_checked(digits)?;
            *place = Some(number.parse().ok()?);
            rest = after;
        }
        (rest.is_empty() && moment.is_possible()).then_some(moment)
    }

    fn write(&self, moment: &Moment) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            let (number, digits) = match part {
                Part::Mark(mark) => {
                    text.push(*mark);
                    continue;
                }
                Part::Year => (moment.year?, 4),
                Part::Month(digits) => (moment.month?, *digits),
                Part::Day(digits) => (moment.day?, *digits),
                Part::Hour(digits) => (moment.hour?, *digits),
                Part::Minute => (moment.minute?, 2),
                Part::Second => (moment.second?, 2),
            };
            write!(text, "{number:0digits$}").ok()?;
        }
        Some(text)
    }
}

/// The ways in which a collection writes dates and times that a pattern can show.
const PLAIN_MOMENTS: [&str; 7] = [
    "YYYY-MM-DD",
    "YYYY-MM-DDThh:mm",
    "YYYY-MM-DDThh:mm:ss",
    "YYYY-MM-DD hh:mm",
    "YYYY-MM-DD hh:mm:ss",
    "hh:mm",
    "hh:mm:ss",
];

impl Spelling {
    /// Returns the type of a column that is written so, where the spelling says it.
    pub(super) fn kind(&self) -> Option<ColumnType> {
        match self {
            Self::Plain | Self::Number { .. } => None,
            Self::Moment(pattern) => Some(pattern.kind()),
            Self::Words { .. } => Some(ColumnType::Boolean),
        }
    }

    /// Returns the text that the collection has for a text of the table; `None` where the text is none of this spelling.
    pub(super) fn read(&self, text: &str) -> Option<String> {
        let plain = match self {
            Self::Plain => return Some(text.to_owned()),
            Self::Number { decimal, thousands } => {
                let ungrouped: String = text.chars().filter(|mark| Some(*mark) != *thousands).collect();
                if ungrouped.contains('.') && *decimal != '.' {
                    return None;
                }
                ungrouped.replacen(*decimal, ".", 1)
            }
            Self::Moment(pattern) => pattern.read(text)?.to_plain(),
            Self::Words { yes, no } => match text {
                text if text == yes => "true".to_owned(),
                text if text == no => "false".to_owned(),
                _ => return None,
            },
        };
        (self.written(&plain).as_deref() == Some(text)).then_some(plain)
    }

    /// Returns the text that the table has for a value; `None` where it is none of this spelling.
    pub(super) fn write(&self, value: &Value) -> Option<String> {
        match (self, value) {
            (Self::Number { .. }, Value::Integer(_) | Value::Decimal(_)) | (Self::Words { .. }, Value::Bool(_)) => {
                self.written(&from_value(Some(value)).text()?)
            }
            (Self::Moment(_), Value::Text(text)) => self.written(text),
            _ => None,
        }
    }

    /// Writes what the collection has as this text.
    fn written(&self, plain: &str) -> Option<String> {
        match self {
            Self::Plain => Some(plain.to_owned()),
            Self::Number { decimal, thousands } => grouped(plain, *decimal, *thousands),
            Self::Moment(pattern) => {
                let read = |text: &&str| Pattern::parse(text)?.read(plain);
                let moment = PLAIN_MOMENTS.iter().find_map(read)?;
                let text = pattern.write(&moment)?;
                // A pattern without seconds has no place for some.
                (pattern.read(&text)? == moment).then_some(text)
            }
            Self::Words { yes, no } => match plain {
                "true" => Some(yes.clone()),
                "false" => Some(no.clone()),
                _ => None,
            },
        }
    }
}

/// Writes a number in plain notation with other marks.
fn grouped(plain: &str, decimal: char, thousands: Option<char>) -> Option<String> {
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = is_number(whole) && fraction.is_none_or(is_number) && (whole == "0" || !whole.starts_with('0'));
    if !is_plain {
        return None;
    }
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.extend(thousands);
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push(decimal);
        text.push_str(fraction);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(decimal: char, thousands: Option<char>) -> Spelling {
        Spelling::Number { decimal, thousands }
    }

    fn moment(pattern: &str) -> Spelling {
        Spelling::Moment(Pattern::parse(pattern).unwrap())
    }

    #[test]
    fn texts_mean_what_people_mean() {
        let german = number(',', Some('.'));
        for (spelling, text, plain) in [
            (&german, "1.234,50", Some("1234.50")),
            (&german, "-12.345.678", Some("-12345678")),
            (&german, "7", Some("7")),
            (&german, "1234,50", None),
            (&german, "1.50", None),
            (&german, "1,2,3", None),
            (&german, "007", None),
            (&number(',', None), "1234,5", Some("1234.5")),
            (&number(',', None), "1234.5", None),
            (&number('.', Some(',')), "1,234.5", Some("1234.5")),
            (&number('.', Some('\u{a0}')), "1\u{a0}234", Some("1234")),
            (&moment("DD.MM.YYYY"), "31.12.2026", Some("2026-12-31")),
            (&moment("DD.MM.YYYY"), "1.2.2026", None),
            (&moment("DD.MM.YYYY"), "30.02.2026", None),
            (&moment("D.M.YYYY"), "1.2.2026", Some("2026-02-01")),
            (&moment("D.M.YYYY"), "01.02.2026", None),
            (&moment("M/D/YYYY"), "12/31/2026", Some("2026-12-31")),
            (&moment("YYYYMMDD"), "20261231", Some("2026-12-31")),
            (
                &moment("DD.MM.YYYY hh:mm"),
                "31.12.2026 23:59",
                Some("2026-12-31T23:59"),
            ),
            (&moment("h:mm"), "9:05", Some("09:05")),
        ] {
            assert_eq!(spelling.read(text).as_deref(), plain, "{text}");
        }
        let words = Spelling::Words {
            yes: "ja".to_owned(),
            no: "nein".to_owned(),
        };
        assert_eq!(words.read("ja").as_deref(), Some("true"));
        assert_eq!(words.read("Ja"), None);
        assert_eq!(words.write(&Value::Bool(false)).as_deref(), Some("nein"));
        assert_eq!(
            moment("DD.MM.YYYY").write(&"2026-12-31".into()).as_deref(),
            Some("31.12.2026")
        );
        assert_eq!(moment("DD.MM.YYYY hh:mm").write(&"2026-12-31T23:59:01".into()), None);
        assert_eq!(german.write(&Value::Integer(-1_234_567)).as_deref(), Some("-1.234.567"));
        assert_eq!(german.write(&"1234".into()), None);
    }

    #[test]
    fn patterns_that_cannot_be_read_back_are_none() {
        for pattern in [
            "",
            "DD.MM",
            "DD.MM.YY",
            "DMYYYY",
            "YYYY-MM-DD-DD",
            "hh",
            "hh:mm YYYY",
            "DD MMM YYYY",
        ] {
            assert_eq!(Pattern::parse(pattern), None, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back(
            text in "-?[0-9]{1,4}([.,][0-9]{1,4}){0,3}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4}|.{0,12}",
            which in 0usize..5,
        ) {
            let spelling = [
                number(',', Some('.')),
                number(',', None),
                number('.', Some(',')),
                moment("DD.MM.YYYY"),
                moment("M/D/YYYY"),
            ][which].clone();
            if let Some(plain) = spelling.read(&text) {
                prop_assert_eq!(spelling.written(&plain), Some(text));
            }
        }

        #[test]
        fn what_is_written_is_read_back(number_is in any::<i64>(), day in 1u32..29, month in 1u32..13, year in 1u32..10000) {
            for spelling in [number(',', Some('.')), number('.', Some('\''))] {
                let text = spelling.write(&Value::Integer(number_is)).unwrap();
                prop_assert_eq!(spelling.read(&text), Some(number_is.to_string()));
            }
            let date = format!("{year:04}-{month:02}-{day:02}");
            for pattern in ["DD.MM.YYYY", "D.M.YYYY", "M/D/YYYY", "YYYYMMDD"] {
                let text = moment(pattern).write(&date.as_str().into()).unwrap();
                prop_assert_eq!(moment(pattern).read(&text), Some(date.clone()));
            }
        }
    }
}
