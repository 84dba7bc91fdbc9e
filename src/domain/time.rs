//! Time as the lake knows it: UTC microseconds, half-open ranges, and the partition key `hour`.
//!
//! The parser is written by hand because it runs once per ingested row; `chrono` does the same work
//! several times slower and allocates on the way to an error that ingest would only count.

use std::fmt;
use std::str::FromStr;

/// Microseconds in one second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in one hour.
pub const MICROS_PER_HOUR: i64 = 3_600 * MICROS_PER_SECOND;
/// Microseconds in one day.
pub const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// The first instant of year 1, the earliest that the partition key can spell in four digits.
pub const MIN_MICROS: i64 = -62_135_596_800 * MICROS_PER_SECOND;
/// The last microsecond of year 9999, the latest that the partition key can spell in four digits.
pub const MAX_MICROS: i64 = 253_402_300_800 * MICROS_PER_SECOND - 1;

/// Days since 1970-01-01 of a proleptic Gregorian date.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a day counted from 1970-01-01; the inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0i64, |acc, b| b.is_ascii_digit().then(|| acc * 10 + i64::from(b - b'0')))
}

/// Parses an RFC 3339 style timestamp into UTC microseconds.
///
/// Accepts `T`, `t` or a space between date and time, an optional fraction of any length (digits past
/// the microsecond are cut), `,` as the decimal sign (ISO 8601), seconds left out, and the zones `Z`,
/// `UTC`, `±hh:mm`, `±hhmm`, `±hh`; without a zone the text is read as UTC. A leap second (`:60`) is
/// the first instant of the next minute. A bare date is its midnight. Years 1 to 9999.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let b = text.trim_ascii().as_bytes();
    if b.len() < 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&b[0..4])?, digits(&b[5..7])?, digits(&b[8..10])?);
    if year == 0 || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let mut seconds = days_from_civil(year, month, day) * 86_400;
    let mut micros = 0;
    let mut rest = &b[10..];
    if !rest.is_empty() {
        if !matches!(rest[0], b'T' | b't' | b' ') || rest.len() < 6 || rest[3] != b':' {
            return None;
        }
        let (hour, minute) = (digits(&rest[1..3])?, digits(&rest[4..6])?);
        rest = &rest[6..];
        let mut second = 0;
        if rest.first() == Some(&b':') {
            second = digits(rest.get(1..3)?)?;
            rest = &rest[3..];
            if let Some(b'.' | b',') = rest.first() {
                let end = 1 + rest[1..].iter().take_while(|c| c.is_ascii_digit()).count();
                if end == 1 {
                    return None;
                }
                let kept = &rest[1..end.min(7)];
                micros = digits(kept)? * 10i64.pow(6 - kept.len() as u32);
                rest = &rest[end..];
            }
        }
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        seconds += hour * 3_600 + minute * 60 + second;
    }
    let offset = parse_zone(rest.trim_ascii_start())?;
    let total = (seconds - offset) * MICROS_PER_SECOND + micros;
    (MIN_MICROS..=MAX_MICROS).contains(&total).then_some(total)
}

/// Seconds east of UTC of a zone suffix; an empty suffix is UTC.
fn parse_zone(zone: &[u8]) -> Option<i64> {
    let sign = match zone {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hours, minutes) = match &zone[1..] {
        [h @ .., b':', m1, m2] if h.len() == 2 => (digits(h)?, digits(&[*m1, *m2])?),
        [h1, h2, m1, m2] => (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        [h1, h2] => (digits(&[*h1, *h2])?, 0),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Spells UTC microseconds as RFC 3339 with `Z`, with as many of 0, 3 or 6 fraction digits as needed.
pub fn format_timestamp(micros: i64) -> String {
    let days = micros.div_euclid(MICROS_PER_DAY);
    let in_day = micros.rem_euclid(MICROS_PER_DAY);
    let (year, month, day) = civil_from_days(days);
    let (second_of_day, fraction) = (in_day / MICROS_PER_SECOND, in_day % MICROS_PER_SECOND);
    let (h, m, s) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    let head = format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}");
    match fraction {
        0 => format!("{head}Z"),
        f if f % 1_000 == 0 => format!("{head}.{:03}Z", f / 1_000),
        f => format!("{head}.{f:06}Z"),
    }
}

/// The partition key `hour`: one UTC hour, spelled `YYYY-MM-DDTHH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// The hour that holds an instant.
    pub fn of_micros(micros: i64) -> Self {
        Hour(micros.div_euclid(MICROS_PER_HOUR))
    }

    /// Its first microsecond.
    pub fn start(self) -> i64 {
        self.0 * MICROS_PER_HOUR
    }

    /// The first microsecond after it.
    pub fn end(self) -> i64 {
        self.start() + MICROS_PER_HOUR
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(24));
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}", self.0.rem_euclid(24))
    }
}

impl FromStr for Hour {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let err = || TimeError { got: text.to_owned(), expected: "an hour such as 2025-01-15T13" };
        if text.len() != 13 || text.as_bytes()[10] != b'T' {
            return Err(err());
        }
        parse_timestamp(&format!("{text}:00")).map(Hour::of_micros).ok_or_else(err)
    }
}

/// A half-open range of time, `[from, to)`, in UTC microseconds. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    from: i64,
    to: i64,
}

impl TimeRange {
    /// A range that ends after it starts.
    pub fn new(from: i64, to: i64) -> Result<Self, TimeError> {
        if from < to {
            Ok(TimeRange { from, to })
        } else {
            Err(TimeError {
                got: format!("{} .. {}", format_timestamp(from), format_timestamp(to)),
                expected: "a range whose end comes after its start",
            })
        }
    }

    /// The whole UTC day of a date such as `2025-01-15`.
    pub fn day(date: &str) -> Result<Self, TimeError> {
        let err = || TimeError { got: date.to_owned(), expected: "a date such as 2025-01-15" };
        if date.len() != 10 {
            return Err(err());
        }
        let from = parse_timestamp(date).ok_or_else(err)?;
        Ok(TimeRange { from, to: from + MICROS_PER_DAY })
    }

    /// First microsecond inside.
    pub fn from(self) -> i64 {
        self.from
    }

    /// First microsecond after it.
    pub fn to(self) -> i64 {
        self.to
    }

    /// Length in microseconds.
    pub fn micros(self) -> i64 {
        self.to - self.from
    }

    /// The range of the same length that ends where this one starts.
    pub fn previous(self) -> Self {
        TimeRange { from: self.from - self.micros(), to: self.from }
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} .. {}", format_timestamp(self.from), format_timestamp(self.to))
    }
}

/// A text that is not the time it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got `{got}`")]
pub struct TimeError {
    got: String,
    expected: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_spellings_that_telemetry_uses() {
        // Expected values: python3 -c "from datetime import *; print(int(datetime.fromisoformat(s).timestamp()*1e6))"
        for (text, micros) in [
            ("2022-08-22T05:18:42.908318Z", 1_661_145_522_908_318),
            ("2022-08-22T05:18:42.90831899Z", 1_661_145_522_908_318),
            ("2022-08-22 05:18:42", 1_661_145_522_000_000),
            ("2025-12-31T17:37:40.493035218+01:00", 1_767_199_060_493_035),
            ("2023-07-13T19:06:42.958+0530", 1_689_255_402_958_000),
            ("2024-02-29", 1_709_164_800_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("1969-12-31T23:59:59,5Z", -500_000),
            ("2025-01-15T13:05Z", 1_736_946_300_000_000),
        ] {
            assert_eq!(parse_timestamp(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for text in [
            "",
            "now",
            "2025-02-29",
            "2025-13-01",
            "2025-01-15T24:00:00Z",
            "2025-01-15T13:05:00.Z",
            "2025-01-15T13:05:00+25:00",
            "0000-01-01",
            "2025-01-15T13:05:00 PST",
            "20250115T130500Z",
            "2025-01-15T1é:05:00Z",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn an_hour_is_spelled_as_the_partition_key() {
        let hour = Hour::of_micros(parse_timestamp("2025-01-15T13:59:59.999999Z").unwrap());
        assert_eq!(hour.to_string(), "2025-01-15T13");
        assert_eq!("2025-01-15T13".parse::<Hour>(), Ok(hour));
        assert!("2025-01-15 13".parse::<Hour>().is_err());
        assert_eq!(hour.end() - hour.start(), MICROS_PER_HOUR);
    }

    #[test]
    fn a_range_is_never_empty() {
        assert!(TimeRange::new(5, 5).is_err());
        let day = TimeRange::day("2025-01-15").unwrap();
        assert_eq!(day.previous().to(), day.from());
        assert_eq!(day.to_string(), "2025-01-15T00:00:00Z .. 2025-01-16T00:00:00Z");
    }

    proptest! {
        #[test]
        fn what_is_formatted_reads_back(micros in MIN_MICROS..=MAX_MICROS) {
            prop_assert_eq!(parse_timestamp(&format_timestamp(micros)), Some(micros));
            let hour = Hour::of_micros(micros);
            prop_assert_eq!(hour.to_string().parse::<Hour>(), Ok(hour));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = parse_timestamp(&text);
        }
    }
}
