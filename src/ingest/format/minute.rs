//! Timestamps of lines that follow each other: most lie in the minute of the line before.

use crate::domain::{MICROS_PER_SECOND, parse_timestamp};

/// Length of `2025-01-15T00:00:`.
const LENGTH: usize = 17;

/// The minute of the timestamp that was read last.
#[derive(Debug, Default)]
pub(super) struct Minute {
    text: [u8; LENGTH],
    start: i64,
}

impl Minute {
    /// As [`parse_timestamp`].
    #[inline]
    pub(super) fn timestamp(&mut self, text: &[u8]) -> Option<i64> {
        if let Some((minute, rest)) = text.split_first_chunk::<LENGTH>()
            && *minute == self.text
            && let Some(micros) = seconds(rest)
        {
            return Some(self.start + micros);
        }
        self.other(std::str::from_utf8(text).ok()?)
    }

    #[inline(never)]
    fn other(&mut self, text: &str) -> Option<i64> {
        let time = parse_timestamp(text)?;
        if let Some(minute) = text.as_bytes().first_chunk::<LENGTH>()
            && minute[LENGTH - 1] == b':'
            && minute[0].is_ascii_digit()
            && let Some(start) = text.get(..LENGTH - 1).and_then(parse_timestamp)
        {
            (self.text, self.start) = (*minute, start);
        }
        Some(time)
    }
}

/// Microseconds of what stands behind the minute: seconds, perhaps with a fraction, in UTC.
#[inline]
fn seconds(text: &[u8]) -> Option<i64> {
    let (two, mut rest) = text.split_first_chunk::<2>()?;
    let mut value = number(two)?;
    // A leap second is looked at closely.
    if value > 59 {
        return None;
    }
    value *= MICROS_PER_SECOND;
    if let Some((b'.', fraction)) = rest.split_first() {
        if let Some((micros, zone)) = fraction.split_first_chunk::<6>()
            && let Some(micros) = number(micros)
        {
            (value, rest) = (value + micros, zone);
        } else {
            let (millis, zone) = fraction.split_first_chunk::<3>()?;
            (value, rest) = (value + number(millis)? * 1_000, zone);
        }
    }
    matches!(rest, b"Z" | b"+00:00").then_some(value)
}

#[inline]
fn number<const N: usize>(digits: &[u8; N]) -> Option<i64> {
    let (mut value, mut good) = (0, true);
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        good &= digit <= 9;
        value = value * 10 + i64::from(digit);
    }
    good.then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_timestamp_is_the_same_whatever_came_before(
            texts in prop::collection::vec(
                "(2025-01-15[T ]00:0[01]|9999-12-31T23:59|0001-01-01T00:00|2025-02-30T00:00)(:[0-6][0-9])?([.,][0-9]{0,9})?(Z|z|\\+00:00|\\+01:00|-0200| UTC||x)",
                1..20,
            ),
        ) {
            let mut minute = Minute::default();
            for text in &texts {
                prop_assert_eq!(minute.timestamp(text.as_bytes()), parse_timestamp(text), "{}", text);
            }
        }
    }

    #[test]
    fn the_minute_of_the_line_before_serves_for_the_next() {
        let mut minute = Minute::default();
        for text in ["2025-01-15T00:00:01Z", "2025-01-15T00:00:59.5Z", "2025-01-15T00:00:59.123+00:00"] {
            assert_eq!(minute.timestamp(text.as_bytes()), parse_timestamp(text));
            assert_eq!(minute.text, *b"2025-01-15T00:00:");
        }
        assert_eq!(seconds(b"07.250001Z"), Some(7_250_001));
        assert_eq!(seconds(b"60Z"), None);
    }
}
