//! JSON as bytes, without an allocation per row.
//!
//! Fragments that are known beforehand are spelled once, with escapes, by [`field`]; what changes per row
//! is digits and hexadecimal.

use crate::domain::{MICROS_PER_DAY, format_timestamp};

const DIGITS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a whole number.
#[inline]
pub(super) fn integer(out: &mut Vec<u8>, mut value: u64) {
    let mut text = [0u8; 20];
    let mut at = text.len();
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        text[at..at + 2].copy_from_slice(&DIGITS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        text[at..at + 2].copy_from_slice(&DIGITS[pair..pair + 2]);
    } else {
        at -= 1;
        text[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&text[at..]);
}

#[inline]
fn pair(value: u64) -> [u8; 2] {
    let at = value as usize * 2;
    [DIGITS[at], DIGITS[at + 1]]
}

/// Appends microseconds as milliseconds with three decimals.
#[inline]
pub(super) fn millis(out: &mut Vec<u8>, micros: u64) {
    integer(out, micros / 1_000);
    let rest = micros % 1_000;
    let [tens, ones] = pair(rest % 100);
    out.extend_from_slice(&[b'.', b'0' + (rest / 100) as u8, tens, ones]);
}

/// Appends a number rounded to three decimals.
pub(super) fn number(out: &mut Vec<u8>, value: f64) {
    let thousandths = (value * 1_000.0).round() as i64;
    if thousandths < 0 {
        out.push(b'-');
    }
    millis(out, thousandths.unsigned_abs());
}

/// Appends 64 bits as 16 lower-case hexadecimal digits.
#[inline]
pub(super) fn hex(out: &mut Vec<u8>, value: u64) {
    let mut text = [0u8; 16];
    for (i, byte) in value.to_be_bytes().into_iter().enumerate() {
        text[2 * i] = HEX[usize::from(byte >> 4)];
        text[2 * i + 1] = HEX[usize::from(byte & 15)];
    }
    out.extend_from_slice(&text);
}

/// Appends a JSON string, quotes included.
pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    // Nearly every text is plain, and is copied in one go.
    if !value.bytes().any(|b| b < 0x20 || b == b'"' || b == b'\\') {
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
        return;
    }
    for byte in value.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// The fragment `,"key":"value"`.
pub(super) fn field(out: &mut Vec<u8>, key: &str, value: &str) {
    out.push(b',');
    text(out, key);
    out.push(b':');
    text(out, value);
}

/// The fragment `,"key":1.250`.
pub(super) fn number_field(out: &mut Vec<u8>, key: &str, value: f64) {
    out.push(b',');
    text(out, key);
    out.push(b':');
    number(out, value);
}

/// The fragment `,"key":12`.
pub(super) fn integer_field(out: &mut Vec<u8>, key: &str, value: u64) {
    out.push(b',');
    text(out, key);
    out.push(b':');
    integer(out, value);
}

/// Spells instants as RFC 3339 with six decimals; keeps the date of the last day it saw.
pub(super) struct Clock {
    day: i64,
    date: [u8; 11],
}

impl Clock {
    pub(super) fn new() -> Self {
        let mut clock = Clock { day: 0, date: [0; 11] };
        clock.turn_to(0);
        clock
    }

    fn turn_to(&mut self, day: i64) {
        self.day = day;
        self.date.copy_from_slice(&format_timestamp(day * MICROS_PER_DAY).as_bytes()[..11]);
    }

    /// Appends the instant, without quotes.
    #[inline]
    pub(super) fn instant(&mut self, out: &mut Vec<u8>, micros: i64) {
        let day = micros.div_euclid(MICROS_PER_DAY);
        if day != self.day {
            self.turn_to(day);
        }
        let in_day = micros.rem_euclid(MICROS_PER_DAY) as u64;
        let (second, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
        let ([h1, h2], [m1, m2], [s1, s2]) =
            (pair(second / 3_600), pair(second / 60 % 60), pair(second % 60));
        let ([a, b], [c, d], [e, f]) =
            (pair(fraction / 10_000), pair(fraction / 100 % 100), pair(fraction % 100));
        let mut text = *b"2025-01-15T00:00:00.000000Z";
        text[..11].copy_from_slice(&self.date);
        text[11..].copy_from_slice(&[h1, h2, b':', m1, m2, b':', s1, s2, b'.', a, b, c, d, e, f, b'Z']);
        out.extend_from_slice(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::parse_timestamp;
    use proptest::prelude::*;

    fn spelled(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_spelled_in_full() {
        assert_eq!(spelled(|o| millis(o, 1_000_007)), "1000.007");
        assert_eq!(spelled(|o| millis(o, 90)), "0.090");
        assert_eq!(spelled(|o| number(o, -0.0625)), "-0.063");
        assert_eq!(spelled(|o| hex(o, 0x0123_4567_89ab_cdef)), "0123456789abcdef");
    }

    proptest! {
        #[test]
        fn integers_read_back(value: u64) {
            prop_assert_eq!(spelled(|o| integer(o, value)), value.to_string());
        }

        #[test]
        fn any_text_reads_back(value: String) {
            let json = spelled(|o| text(o, &value));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
        }

        #[test]
        fn instants_read_back(micros in 0i64..4_000_000_000_000_000) {
            let text = spelled(|o| Clock::new().instant(o, micros));
            prop_assert_eq!(text.len(), 27);
            prop_assert_eq!(parse_timestamp(&text), Some(micros));
        }
    }
}
