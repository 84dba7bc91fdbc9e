//! Units of time: what a key, a format or a mapping says a number is counted in. Never guessed from its size.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::domain::{MAX_MICROS, MIN_MICROS, parse_timestamp};

/// What a time or a duration is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
}

/// A spelling that is no unit of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown unit `{got}`; expected one of: ns, us, ms, s, m, h")]
pub struct UnknownUnit {
    got: String,
}

impl Unit {
    /// Nanoseconds in one unit.
    fn nanos(self) -> i128 {
        match self {
            Unit::Nanoseconds => 1,
            Unit::Microseconds => 1_000,
            Unit::Milliseconds => 1_000_000,
            Unit::Seconds => 1_000_000_000,
            Unit::Minutes => 60_000_000_000,
            Unit::Hours => 3_600_000_000_000,
        }
    }

    /// The unit behind a suffix of a key or of a number.
    pub(crate) fn of_suffix(suffix: &str) -> Option<Unit> {
        Some(match suffix {
            "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" | "nsec" => Unit::Nanoseconds,
            "us" | "µs" | "μs" | "micro" | "micros" | "microsecond" | "microseconds" | "usec" => {
                Unit::Microseconds
            }
            "ms" | "milli" | "millis" | "millisecond" | "milliseconds" | "msec" | "msecs" => {
                Unit::Milliseconds
            }
            "s" | "sec" | "secs" | "second" | "seconds" => Unit::Seconds,
            "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minutes,
            "h" | "hr" | "hour" | "hours" => Unit::Hours,
            _ => return None,
        })
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Unit::Nanoseconds => "ns",
            Unit::Microseconds => "us",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::Minutes => "m",
            Unit::Hours => "h",
        })
    }
}

impl FromStr for Unit {
    type Err = UnknownUnit;

    fn from_str(text: &str) -> Result<Self, UnknownUnit> {
        Unit::of_suffix(&text.trim().to_lowercase()).ok_or_else(|| UnknownUnit { got: text.to_owned() })
    }
}

/// Bytes in a unit of size: decimal and binary ones, as UCUM, Prometheus and CloudWatch call them.
pub(crate) fn bytes_of_unit(unit: &str) -> Option<u32> {
    Some(match unit.trim() {
        "bytes" | "byte" | "B" | "By" | "Bytes" => 1,
        "kB" | "kBy" | "KB" | "Kilobytes" => 1_000,
        "MB" | "MBy" | "Megabytes" => 1_000_000,
        "GB" | "GBy" | "Gigabytes" => 1_000_000_000,
        "KiB" | "KiBy" => 1 << 10,
        "MiB" | "MiBy" => 1 << 20,
        "GiB" | "GiBy" => 1 << 30,
        _ => return None,
    })
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The time of the common log format, `26/Jan/2019:19:45:25 +0330`, in microseconds.
pub(crate) fn common_log_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.len() < 20 || !text.is_ascii() || text.as_bytes()[2] != b'/' {
        return None;
    }
    let (day, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let (year, clock) = rest.split_once(':')?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))? + 1;
    parse_timestamp(&format!("{year}-{month:02}-{day}T{clock}"))
}

/// Digits that fit into the 128-bit arithmetic below with room for the largest unit.
const MAX_DIGITS: usize = 24;

/// An instant from a number since 1970 in a unit, in microseconds; what is finer is cut off.
///
/// Works on the decimal text: a double would already have lost the microseconds of
/// `1693840791.7564995`. `None` for what is not a number or falls outside years 1 to 9999.
pub(crate) fn instant(number: &str, unit: Unit) -> Option<i64> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let nanos = if plain(whole) && plain(fraction) && !whole.is_empty() && whole.len() <= MAX_DIGITS {
        let mut nanos = whole.parse::<i128>().ok()? * unit.nanos();
        let mut place = unit.nanos();
        for digit in fraction.bytes() {
            place /= 10;
            nanos += i128::from(digit - b'0') * place;
        }
        if negative { -nanos } else { nanos }
    } else {
        // An exponent: rare enough that a double has to do.
        let value: f64 = number.parse().ok()?;
        let nanos = value * unit.nanos() as f64;
        if !nanos.is_finite() {
            return None;
        }
        nanos as i128
    };
    i64::try_from(nanos.div_euclid(1_000)).ok().filter(|m| (MIN_MICROS..=MAX_MICROS).contains(m))
}

/// A duration in milliseconds from a number in a unit; negative and non-finite ones are none.
///
/// A power of ten is put behind the digits instead of multiplied in, so that `0.001901` s is 1.901 ms and not
/// the nearest product of two doubles.
pub(crate) fn millis(number: &str, unit: Unit) -> Option<f64> {
    let number = number.trim();
    let shifted = |power: &str| match number.contains(['e', 'E']) {
        false => format!("{number}{power}").parse::<f64>().ok(),
        true => {
            let (digits, exponent) = number.split_once(['e', 'E'])?;
            let sum = exponent.parse::<i32>().ok()?.checked_add(power[1..].parse().ok()?)?;
            format!("{digits}e{sum}").parse::<f64>().ok()
        }
    };
    let ms = match unit {
        Unit::Nanoseconds => shifted("e-6")?,
        Unit::Microseconds => shifted("e-3")?,
        Unit::Milliseconds => number.parse::<f64>().ok()?,
        Unit::Seconds => shifted("e3")?,
        Unit::Minutes => number.parse::<f64>().ok()? * 6e4,
        Unit::Hours => number.parse::<f64>().ok()? * 3.6e6,
    };
    (ms.is_finite() && ms >= 0.0).then_some(ms)
}

/// A duration in milliseconds from a text that carries its units: `12ms`, `0.001901s`, `1m2.5s`, `561.927µs`.
pub(crate) fn millis_of_text(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (suffix, next) = after.split_at(end);
        total += millis(number, Unit::of_suffix(suffix.trim())?)?;
        rest = next;
    }
    Some(total)
}

/// The words of a key, lower-case, joined with `_`: `durationMs`, `duration-ms` and `DurationMS` become
/// `duration_ms`. Dots and `@` stay.
pub(crate) fn snake(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    let mut before = ' ';
    for c in key.chars() {
        if c == '-' || c == ' ' {
            out.push('_');
        } else {
            if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        }
        before = c;
    }
    out
}

/// A key without its separators and case, for look-ups: `trace_id`, `traceId` and `TraceID` are one.
pub(crate) fn squash(key: &str) -> Cow<'_, str> {
    if key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'@') {
        return Cow::Borrowed(key);
    }
    key.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .into()
}

/// Splits a key into what it names and the unit that it ends in.
pub(crate) fn split_unit(snake: &str) -> (&str, Option<Unit>) {
    match snake.rsplit_once(['_', '.']) {
        Some((base, suffix)) => match Unit::of_suffix(suffix) {
            Some(unit) => (base.strip_suffix("_in").unwrap_or(base), Some(unit)),
            None => (snake, None),
        },
        None => (snake, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_every_microsecond_of_their_spelling() {
        // python3 -c "from decimal import Decimal as D; print(int(D('1693840791.7564995')*10**6))"
        assert_eq!(instant("1693840791.7564995", Unit::Seconds), Some(1_693_840_791_756_499));
        assert_eq!(instant("1745532517537", Unit::Milliseconds), Some(1_745_532_517_537_000));
        assert_eq!(instant("1745532517537.25", Unit::Milliseconds), Some(1_745_532_517_537_250));
        assert_eq!(instant("1661140374351773094", Unit::Nanoseconds), Some(1_661_140_374_351_773));
        assert_eq!(instant("-1", Unit::Nanoseconds), Some(-1));
        assert_eq!(instant("1.5e9", Unit::Seconds), Some(1_500_000_000_000_000));
        for (text, unit) in [
            ("1745532517537", Unit::Seconds),
            ("99999999999999999999999999999999999", Unit::Nanoseconds),
            ("1e300", Unit::Seconds),
            ("abc", Unit::Seconds),
            ("", Unit::Seconds),
        ] {
            assert_eq!(instant(text, unit), None, "{text}");
        }
    }

    #[test]
    fn access_logs_spell_times_their_way() {
        // date -u -d '26 Jan 2019 19:45:25 +0330' +%s
        assert_eq!(common_log_time("26/Jan/2019:19:45:25 +0330"), Some(1_548_519_325_000_000));
        for wrong in [
            "26/Foo/2019:19:45:25 +0330",
            "31/Feb/2019:19:45:25 +0000",
            "",
            "26/Jan/2019",
            "26/Jän/2019:19:45:25 +0330",
        ] {
            assert_eq!(common_log_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_come_in_milliseconds() {
        assert_eq!(millis_of_text("12ms"), Some(12.0));
        assert_eq!(millis_of_text("0.001901s"), Some(1.901));
        assert_eq!(millis_of_text("561.927µs"), Some(0.561927));
        assert_eq!(millis_of_text("1m2.5s"), Some(62_500.0));
        assert_eq!(millis_of_text("89.34 ms"), Some(89.34));
        for text in ["", "12", "ms", "-1s", "1x", "1.2.3s", "1s2"] {
            assert_eq!(millis_of_text(text), None, "{text}");
        }
        assert_eq!(millis("-5", Unit::Milliseconds), None);
        assert_eq!(millis("357313", Unit::Nanoseconds), Some(0.357313));
        assert_eq!(millis("2.701e-6", Unit::Seconds), Some(0.002701));
        assert_eq!(millis("1e+3", Unit::Nanoseconds), Some(0.001));
    }

    #[test]
    fn keys_say_their_unit() {
        for (key, base, unit) in [
            ("durationMs", "duration", Some(Unit::Milliseconds)),
            ("duration_in_millis", "duration", Some(Unit::Milliseconds)),
            ("time_unix_nano", "time_unix", Some(Unit::Nanoseconds)),
            ("http.resp.took_ms", "http.resp.took", Some(Unit::Milliseconds)),
            ("latency", "latency", None),
            ("Latency-Seconds", "latency", Some(Unit::Seconds)),
        ] {
            assert_eq!(split_unit(&snake(key)), (base, unit), "{key}");
        }
        assert_eq!(squash("TraceID"), "traceid");
        assert_eq!(squash("http.request_id"), "http.requestid");
    }
}
