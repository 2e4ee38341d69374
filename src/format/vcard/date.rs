//! Dates between vCard's spellings and the model's.
//!
//! The model writes `1985-04-12`, `--04-12`, `1985-04`, `1985` or a date with time as in RFC 3339.

use super::text::Version;

/// The year Apple writes for a date without one.
pub(super) const OMITTED_YEAR: &str = "1604";

/// Reads a date; `omitted_year` is the value of `X-APPLE-OMIT-YEAR`. `None` for anything that is no date.
pub(super) fn read(text: &str, omitted_year: Option<&str>) -> Option<String> {
    let text = text.trim();
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)),
        None => (text, None),
    };
    let date = read_date(date)?;
    let date = match omitted_year.zip(date.split_once('-')) {
        Some((omitted, (year, rest))) if omitted == year && !year.is_empty() => format!("--{rest}"),
        _ => date,
    };
    match time.map(read_time) {
        None => Some(date),
        // Several exporters write a plain date as midnight.
        Some(Some(time)) if time.starts_with("00:00:00") && !time.contains(['+', '-']) => Some(date),
        Some(Some(time)) if date.len() == 10 && !date.starts_with('-') => Some(format!("{date}T{time}")),
        Some(_) => None,
    }
}

fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn read_date(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("--") {
        let digits = rest.replacen('-', "", 1);
        return month_day(&digits).map(|(month, day)| format!("--{month:02}-{day:02}"));
    }
    if !text.is_ascii() {
        return None;
    }
    let year = number(text.get(..4)?, 4).filter(|year| *year > 0)?;
    let rest = text.get(4..)?;
    match rest.len() {
        0 => Some(format!("{year:04}")),
        3 => {
            let month = number(rest.strip_prefix('-')?, 2).filter(|month| (1..=12).contains(month))?;
            Some(format!("{year:04}-{month:02}"))
        }
        4 => month_day(rest).map(|(month, day)| format!("{year:04}-{month:02}-{day:02}")),
        6 if rest.starts_with('-') && rest.get(3..4) == Some("-") => {
            month_day(&rest.replace('-', "")).map(|(month, day)| format!("{year:04}-{month:02}-{day:02}"))
        }
        _ => None,
    }
}

fn month_day(digits: &str) -> Option<(u32, u32)> {
    if !digits.is_ascii() {
        return None;
    }
    let month = number(digits.get(..2)?, 2)?;
    let day = number(digits.get(2..)?, 2)?;
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((month, day))
}

/// Reads `HHMMSS` or `HH:MM[:SS[.f]]` with `Z` or an offset.
fn read_time(text: &str) -> Option<String> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone_at)?;
    let clock = clock.split('.').next().unwrap_or_default().replace(':', "");
    let (hour, minute) = (number(clock.get(..2)?, 2)?, number(clock.get(2..4).unwrap_or("00"), 2)?);
    let second = if clock.len() > 4 {
        number(clock.get(4..)?, 2)?
    } else {
        0
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = match zone {
        "" => String::new(),
        "Z" | "z" => "Z".to_owned(),
        offset => {
            let digits = offset.get(1..)?.replace(':', "");
            let (hours, minutes) = (
                number(digits.get(..2)?, 2)?,
                digits.get(2..).filter(|rest| !rest.is_empty()),
            );
            let minutes = minutes.map_or(Some(0), |minutes| number(minutes, 2))?;
            format!("{}{hours:02}:{minutes:02}", offset.get(..1)?)
        }
    };
    Some(format!("{hour:02}:{minute:02}:{second:02}{zone}"))
}

/// A date as a vCard writes it.
pub(super) struct Written {
    /// The value.
    pub(super) text: String,
    /// Whether `X-APPLE-OMIT-YEAR` must stand with it.
    pub(super) omits_year: bool,
}

/// Writes a date of the model; `None` if it is none.
pub(super) fn write(date: &str, version: Version, dashes: bool) -> Option<Written> {
    if read(date, None).as_deref() != Some(date) {
        return None;
    }
    let plain = |text: String| {
        Some(Written {
            text,
            omits_year: false,
        })
    };
    if let Some(rest) = date.strip_prefix("--") {
        if version == Version::V30 {
            return Some(Written {
                text: format!("{OMITTED_YEAR}-{rest}"),
                omits_year: true,
            });
        }
        return plain(if dashes {
            date.to_owned()
        } else {
            format!("--{}", rest.replace('-', ""))
        });
    }
    if dashes || date.len() < 10 {
        return plain(date.to_owned());
    }
    let (day, time) = date.split_at_checked(10)?;
    plain(format!("{}{}", day.replace('-', ""), time.replace(':', "")))
}
