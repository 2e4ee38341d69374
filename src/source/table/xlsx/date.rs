//! Dates and times as spreadsheets store them: days since an epoch, told from numbers by the cell's format alone.
//!
//! ECMA-376 part 1, 18.17.4: in the 1900 system day 1 is 1900-01-01 and a day 60 (1900-02-29) is counted that never
//! was; in the 1904 system day 0 is 1904-01-01.

use jiff::civil::{Date, DateTime, Time};
use jiff::{RoundMode, ToSpan, Unit};

/// Which day is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Epoch {
    #[default]
    Y1900,
    Y1904,
}

/// What a number format shows of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    Date,
    Time,
    Both,
}

/// Returns what a built-in number format shows; `None` for numbers and for elapsed times.
pub(super) fn built_in(id: u32) -> Option<Shows> {
    match id {
        14..=17 | 27..=31 | 36 | 50..=54 | 57..=58 => Some(Shows::Date),
        18..=21 | 32..=35 | 45 | 47 | 55..=56 => Some(Shows::Time),
        22 => Some(Shows::Both),
        _ => None,
    }
}

/// Returns what a number format shows, by its code.
pub(super) fn of_code(code: &str) -> Option<Shows> {
    let (mut has_date, mut has_time) = (false, false);
    // Only the first section counts: the others are for negative numbers, zero and text.
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter.to_ascii_lowercase() {
            '"' => while letters.next().is_some_and(|next| next != '"') {},
            '\\' | '_' | '*' => {
                letters.next();
            }
            '[' => {
                let inside: String = letters.by_ref().take_while(|next| *next != ']').collect();
                let elapsed =
                    |letter: char| !inside.is_empty() && inside.chars().all(|one| one.eq_ignore_ascii_case(&letter));
                if ['h', 'm', 's'].into_iter().any(elapsed) {
                    return None;
                }
            }
            ';' => break,
            'y' | 'd' => has_date = true,
            'h' | 's' => has_time = true,
            'm' => {
                let rest = letters.as_str();
                has_date |= !has_time && !rest.contains(['s', 'S']) || rest.contains(['y', 'Y', 'd', 'D']);
            }
            'g' if letters.as_str().to_ascii_lowercase().starts_with("eneral") => return None,
            '0' | '#' | '?' if !has_time => return None,
            _ => {}
        }
    }
    match (has_date, has_time) {
        (true, true) => Some(Shows::Both),
        (true, false) => Some(Shows::Date),
        (false, true) => Some(Shows::Time),
        (false, false) => None,
    }
}

/// Returns the text of a stored number; `None` where it is no date (before the epoch, the day that never was).
pub(super) fn text_of(serial: f64, shows: Shows, epoch: Epoch) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let milliseconds = (serial.fract() * 86_400_000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let (mut day, mut milliseconds) = (serial.trunc() as i64, milliseconds as i64);
    if milliseconds == 86_400_000 {
        (day, milliseconds) = (day + 1, 0);
    }
    let clock = Time::midnight().checked_add(milliseconds.milliseconds()).ok()?;
    if shows == Shows::Time {
        return (day == 0).then(|| clock_text(clock));
    }
    let first = match (epoch, day) {
        (Epoch::Y1904, _) => Date::constant(1904, 1, 1),
        (Epoch::Y1900, 1..=59) => Date::constant(1899, 12, 31),
        (Epoch::Y1900, 61..) => Date::constant(1899, 12, 30),
        (Epoch::Y1900, _) => return None,
    };
    let date = first.checked_add(day.days()).ok()?;
    if shows == Shows::Date && milliseconds == 0 {
        return Some(date.to_string());
    }
    Some(format!("{date}T{}", clock_text(clock)))
}

fn clock_text(clock: Time) -> String {
    clock.to_string()
}

/// Returns the number to store for a text of [`text_of`]; `None` where there is none that shows it.
pub(super) fn serial_of(text: &str, shows: Shows, epoch: Epoch) -> Option<String> {
    let serial = match shows {
        Shows::Time => fraction(text.parse().ok()?),
        Shows::Date | Shows::Both => {
            let spelled = text.replacen(' ', "T", 1);
            let moment: DateTime = if text.len() == 10 {
                text.parse::<Date>().ok()?.to_datetime(Time::midnight())
            } else {
                spelled.parse().ok().filter(|_| !text.ends_with('Z'))?
            };
            let first = match epoch {
                Epoch::Y1904 => Date::constant(1904, 1, 1),
                Epoch::Y1900 if moment.date() < Date::constant(1900, 3, 1) => Date::constant(1899, 12, 31),
                Epoch::Y1900 => Date::constant(1899, 12, 30),
            };
            f64::from(first.until((Unit::Day, moment.date())).ok()?.get_days()) + fraction(moment.time())
        }
    };
    // What does not come back as it is stays text.
    let back = text_of(serial, shows, epoch)?;
    (back == text || back == text.replacen(' ', "T", 1)).then(|| serial.to_string())
}

fn fraction(clock: Time) -> f64 {
    let clock = clock.round(
        jiff::civil::TimeRound::new()
            .smallest(Unit::Millisecond)
            .mode(RoundMode::Trunc),
    );
    let clock = clock.unwrap_or(Time::midnight());
    let seconds = i32::from(clock.hour()) * 3600 + i32::from(clock.minute()) * 60 + i32::from(clock.second());
    (f64::from(seconds) + f64::from(clock.millisecond()) / 1000.0) / 86_400.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formats_tell_dates_from_numbers() {
        for (code, shows) in [
            ("yyyy\\-mm\\-dd", Some(Shows::Date)),
            ("[$-409]d/m/yy h:mm AM/PM;@", Some(Shows::Both)),
            ("h:mm:ss", Some(Shows::Time)),
            ("mm:ss.0", Some(Shows::Time)),
            ("mmm", Some(Shows::Date)),
            ("[hh]:mm:ss", None),
            ("General", None),
            ("0.00", None),
            ("#,##0 \"days\"", None),
            ("[Red]0.00", None),
        ] {
            assert_eq!(of_code(code), shows, "{code}");
        }
    }

    #[test]
    fn both_epochs_count_as_spreadsheets_do() {
        let text = |serial, epoch| text_of(serial, Shows::Date, epoch);
        assert_eq!(text(1.0, Epoch::Y1900).as_deref(), Some("1900-01-01"));
        assert_eq!(text(59.0, Epoch::Y1900).as_deref(), Some("1900-02-28"));
        assert_eq!(text(60.0, Epoch::Y1900), None);
        assert_eq!(text(61.0, Epoch::Y1900).as_deref(), Some("1900-03-01"));
        assert_eq!(text(44197.0, Epoch::Y1900).as_deref(), Some("2021-01-01"));
        assert_eq!(text(44197.0 - 1462.0, Epoch::Y1904).as_deref(), Some("2021-01-01"));
        assert_eq!(text(44197.5, Epoch::Y1900).as_deref(), Some("2021-01-01T12:00:00"));
        assert_eq!(text_of(0.75, Shows::Time, Epoch::Y1900).as_deref(), Some("18:00:00"));
        assert_eq!(
            serial_of("2021-01-01", Shows::Date, Epoch::Y1900).as_deref(),
            Some("44197")
        );
        assert_eq!(serial_of("2021-01-01T00:00:00Z", Shows::Both, Epoch::Y1900), None);
    }

    proptest! {
        #[test]
        fn moments_come_back(seconds in 0u32..86_400, day in 61u32..2_900_000, is_1904: bool) {
            let epoch = if is_1904 { Epoch::Y1904 } else { Epoch::Y1900 };
            let serial = f64::from(day) + f64::from(seconds) / 86_400.0;
            if let Some(text) = text_of(serial, Shows::Both, epoch) {
                let back = serial_of(&text, Shows::Both, epoch).unwrap();
                let text_again = text_of(back.parse().unwrap(), Shows::Both, epoch);
                prop_assert_eq!(text_again, Some(text));
            }
        }
    }
}
