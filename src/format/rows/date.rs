//! Dates in cells: which spellings are read, and how a date is written like its neighbours.

use super::mapping::DateStyle;

/// A date of which parts may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub year: Option<u16>,
    pub month: Option<u8>,
    pub day: Option<u8>,
}

/// How dates of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateWriting {
    pub style: DateStyle,
    /// Whether months and days have two digits.
    pub padded: bool,
}

impl DateWriting {
    /// Returns how a style is written where no example shows it.
    pub(super) fn of(style: DateStyle) -> Self {
        Self {
            style,
            padded: style == DateStyle::YearFirst,
        }
    }
}

impl Date {
    /// Checks that the parts can be a date.
    pub(super) fn checked(year: Option<u16>, month: Option<u8>, day: Option<u8>) -> Option<Self> {
        let date = Self { year, month, day };
        let days = match month {
            None => return (day.is_none() && year.is_some_and(|year| (1..=9999).contains(&year))).then_some(date),
            Some(4 | 6 | 9 | 11) => 30,
            Some(2) if year.is_none_or(|year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) => 29,
            Some(2) => 28,
            Some(1..=12) => 31,
            Some(_) => return None,
        };
        let day_fits = match day {
            Some(day) => (1..=days).contains(&day),
            None => year.is_some(),
        };
        (day_fits && year.is_none_or(|year| (1..=9999).contains(&year))).then_some(date)
    }

    /// Reads the universal form (`1985-04-12`, `--04-12`, `1985-04`, `1985`).
    pub(super) fn from_universal(text: &str) -> Option<Self> {
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        let date = match *parts.as_slice() {
            [year] if digits(year, 4) => Self::checked(year.parse().ok(), None, None),
            [year, month] if digits(year, 4) && digits(month, 2) => {
                Self::checked(year.parse().ok(), month.parse().ok(), None)
            }
            [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => {
                Self::checked(year.parse().ok(), month.parse().ok(), day.parse().ok())
            }
            ["", "", month, day] if digits(month, 2) && digits(day, 2) => {
                Self::checked(None, month.parse().ok(), day.parse().ok())
            }
            _ => None,
        }?;
        (date.to_universal() == text).then_some(date)
    }

    /// Writes the universal form.
    pub(super) fn to_universal(self) -> String {
        match (self.year, self.month, self.day) {
            (Some(year), Some(month), Some(day)) => format!("{year:04}-{month:02}-{day:02}"),
            (Some(year), Some(month), None) => format!("{year:04}-{month:02}"),
            (None, Some(month), Some(day)) => format!("--{month:02}-{day:02}"),
            (year, ..) => format!("{:04}", year.unwrap_or_default()),
        }
    }
}

/// Returns the numbers of a year-last date with its separator, for finding out which of the first two is the day.
pub(super) fn year_last(text: &str) -> Option<(char, u8, u8, u16)> {
    let text = text.trim();
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(separator, '/' | '.' | '-') {
        return None;
    }
    let mut parts = text.split(separator);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let short = |text: &str| numeric(text) && text.len() <= 2;
    if parts.next().is_some() || year.len() != 4 || !numeric(year) || !short(first) || !short(second) {
        return None;
    }
    Some((separator, first.parse().ok()?, second.parse().ok()?, year.parse().ok()?))
}

/// Reads a cell; `style` decides whether `4/5/1985` is in April or May.
pub(super) fn read(text: &str, style: DateStyle) -> Option<(Date, DateWriting)> {
    let text = text.trim();
    if let Some(date) = Date::from_universal(text) {
        let whole = (date.year.is_some() && date.day.is_some()) || date.year.is_none();
        return whole.then_some((date, DateWriting::of(DateStyle::YearFirst)));
    }
    let (separator, first, second, year) = year_last(text)?;
    let style = match (separator, style) {
        ('.', _) => DateStyle::DayFirstDots,
        (_, DateStyle::DayFirst | DateStyle::DayFirstDots) => DateStyle::DayFirst,
        _ => DateStyle::MonthFirst,
    };
    let (day, month) = match style {
        DateStyle::MonthFirst => (second, first),
        _ => (first, second),
    };
    let padded = text.split(separator).take(2).any(|part| part.starts_with('0'));
    let date = Date::checked(Some(year), Some(month), Some(day))?;
    Some((date, DateWriting { style, padded }))
}

/// Writes a date in the style of its file; `None` where that style has no place for what is missing.
pub(super) fn write(date: Date, writing: DateWriting) -> Option<String> {
    let (Some(month), Some(day)) = (date.month, date.day) else {
        return None;
    };
    if writing.style == DateStyle::YearFirst {
        return Some(date.to_universal());
    }
    let year = date.year?;
    let (first, second, separator) = match writing.style {
        DateStyle::MonthFirst => (month, day, '/'),
        DateStyle::DayFirst => (day, month, '/'),
        _ => (day, month, '.'),
    };
    Some(if writing.padded {
        format!("{first:02}{separator}{second:02}{separator}{year:04}")
    } else {
        format!("{first}{separator}{second}{separator}{year:04}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_read_and_written_back() {
        for (text, style, universal) in [
            ("1/20/1981", DateStyle::MonthFirst, "1981-01-20"),
            ("20/1/1981", DateStyle::DayFirst, "1981-01-20"),
            ("31.1.1972", DateStyle::MonthFirst, "1972-01-31"),
            ("05.01.1972", DateStyle::MonthFirst, "1972-01-05"),
            ("1972-01-31", DateStyle::MonthFirst, "1972-01-31"),
            ("--02-29", DateStyle::YearFirst, "--02-29"),
        ] {
            let (date, writing) = read(text, style).unwrap();
            assert_eq!(date.to_universal(), universal);
            assert_eq!(write(date, writing).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "0/0/00",
            "1977-02-31",
            "31/31/1990",
            "1/20/81",
            "Anniversary",
            "",
            "1985-4-1",
            "2/29/1900",
            "1/2/3/4",
        ] {
            assert_eq!(read(text, DateStyle::MonthFirst), None, "{text}");
        }
    }
}
