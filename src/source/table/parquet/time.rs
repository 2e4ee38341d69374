//! Dates, times of day and timestamps as texts, for all years that the numbers reach.

/// Returns the date so many days after 1970-01-01 in the proleptic Gregorian calendar.
pub(super) fn date(days: i64) -> String {
    // Counted from 0000-03-01 in eras of 400 years, so that leap days come last.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    if (0..=9999).contains(&year) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:+05}-{month:02}-{day:02}")
    }
}

/// Returns the days from 1970-01-01 to a date.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let mut parts = rest.split('-');
    let mut number = |length: std::ops::RangeInclusive<usize>| -> Option<i64> {
        let part = parts.next()?;
        let is_plain = part.bytes().all(|byte| byte.is_ascii_digit()) && length.contains(&part.len());
        part.parse().ok().filter(|_| is_plain)
    };
    let (year, month, day) = (sign * number(4..=9)?, number(2..=2)?, number(2..=2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    // A day that the month does not have is another date.
    let same = date(days);
    (same == text || same.strip_prefix('+') == Some(text)).then_some(days)
}

/// Returns a time of day, counted in units of `digits` behind the second; `None` outside a day.
pub(super) fn clock(count: i64, digits: u32) -> Option<String> {
    let unit = 10i64.checked_pow(digits)?;
    let (seconds, fraction) = (count.div_euclid(unit), count.rem_euclid(unit));
    if !(0..=86_400).contains(&seconds) || seconds == 86_400 && fraction > 0 {
        return None;
    }
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if fraction > 0 {
        let more = format!(".{fraction:0width$}", width = digits as usize);
        text.push_str(more.trim_end_matches('0'));
    }
    Some(text)
}

/// Returns a time of day in units of `digits` behind the second, if it is one of them exactly.
pub(super) fn parse_clock(text: &str, digits: u32) -> Option<i64> {
    let (clock_text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock_text.split(':');
    let mut number = || -> Option<i64> {
        let part = parts.next()?;
        let is_plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|_| is_plain)
    };
    let (hours, minutes) = (number()?, number()?);
    let seconds = number();
    if clock_text.split(':').count() > 3 || clock_text.split(':').count() == 3 && seconds.is_none() {
        return None;
    }
    let seconds = seconds.unwrap_or_default();
    let fraction = fraction.trim_end_matches('0');
    let is_plain = fraction.bytes().all(|byte| byte.is_ascii_digit()) && fraction.len() <= digits as usize;
    if !is_plain || hours > 24 || minutes > 59 || seconds > 59 {
        return None;
    }
    let padded = format!("{fraction:0<width$}", width = digits as usize);
    let fraction: i64 = if padded.is_empty() { 0 } else { padded.parse().ok()? };
    let total = (hours * 3600 + minutes * 60 + seconds) * 10i64.checked_pow(digits)? + fraction;
    clock(total, digits).map(|_| total)
}

const DAY_SECONDS: i128 = 86_400;

/// Returns a timestamp, counted from 1970 in units of `digits` behind the second.
pub(super) fn timestamp(count: i128, digits: u32, is_utc: bool) -> String {
    let unit = DAY_SECONDS * 10i128.pow(digits);
    let days = i64::try_from(count.div_euclid(unit)).unwrap_or_default();
    let rest = i64::try_from(count.rem_euclid(unit)).unwrap_or_default();
    let clock = clock(rest, digits).unwrap_or_default();
    let zone = if is_utc { "+00:00" } else { "" };
    format!("{} {clock}{zone}", date(days))
}

/// Returns what a timestamp counts in units of `digits` behind the second, if it is one of them exactly.
///
/// One without an offset counts as UTC where timestamps are in UTC; one with an offset has no place where they are not.
pub(super) fn parse_timestamp(text: &str, digits: u32, is_utc: bool) -> Option<i128> {
    let at = text.rfind([' ', 'T', 't'])?;
    let (day, rest) = (text.get(..at)?, text.get(at + 1..)?);
    let (clock_text, offset) = match rest.find(['+', '-', 'Z', 'z']) {
        Some(at) => (rest.get(..at)?, Some(rest.get(at..)?)),
        None => (rest, None),
    };
    let offset_seconds = match offset {
        Some(_) if !is_utc => return None,
        None | Some("Z" | "z") => 0,
        Some(offset) => {
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = offset.get(1..)?.split_once(':').unwrap_or((offset.get(1..)?, "00"));
            let number = |part: &str| -> Option<i128> {
                (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
            };
            sign * (number(hours)? * 3600 + number(minutes)? * 60)
        }
    };
    let unit = 10i128.pow(digits);
    let seconds = i128::from(parse_date(day)?) * DAY_SECONDS - offset_seconds;
    Some(seconds * unit + i128::from(parse_clock(clock_text, digits)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_what_people_write() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-719_529), "-0001-12-31");
        assert_eq!(date(20_788), "2026-12-01");
        assert_eq!(parse_date("2024-02-29"), Some(19_782));
        assert_eq!(parse_date("2023-02-29"), None);
        assert_eq!(parse_date("2023-2-9"), None);
        assert_eq!(clock(52_205_250, 3).unwrap(), "14:30:05.25");
        assert_eq!(parse_clock("14:30", 3), Some(52_200_000));
        assert_eq!(parse_clock("14:30:05.0001", 3), None);
        assert_eq!(parse_clock("14:30:x", 3), None);
        assert_eq!(timestamp(-1, 9, true), "1969-12-31 23:59:59.999999999+00:00");
        assert_eq!(
            parse_timestamp("2026-11-22T14:30:05+01:00", 3, true),
            parse_timestamp("2026-11-22 13:30:05", 3, true)
        );
        assert_eq!(parse_timestamp("2026-11-22T14:30:05Z", 3, false), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9:. TZ]{0,30}") {
            let _day = parse_date(&text);
            let _clock = parse_clock(&text, 6);
            let _time = parse_timestamp(&text, 9, true);
        }

        #[test]
        fn every_day_has_one_text(days in -3_000_000i64..3_000_000) {
            prop_assert_eq!(parse_date(&date(days)), Some(days));
        }
    }
}
