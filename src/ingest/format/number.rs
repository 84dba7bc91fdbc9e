//! Numbers of JSON, read in one go: where they end and what they are.

/// A number as a line spells it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'t> {
    pub(super) text: &'t [u8],
    /// Its digits without sign and point, if there are few enough.
    digits: u64,
    count: u32,
    /// Digits behind the point.
    fraction: u32,
    negative: bool,
    /// No point and no exponent.
    whole: bool,
    exponent: bool,
}

/// Digits that need no check for overflow.
const SAFE_DIGITS: u32 = 18;
/// Digits that a double holds, whichever they are.
const EXACT_DIGITS: u32 = 15;

/// Powers of ten that are doubles without rounding, as far as they are needed.
const POWERS: [f64; EXACT_DIGITS as usize + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl<'t> Number<'t> {
    /// The number that a text begins with; `None` if it is none as JSON has them.
    #[inline]
    pub(super) fn read(bytes: &'t [u8]) -> Option<Number<'t>> {
        let negative = bytes.first() == Some(&b'-');
        let first = usize::from(negative);
        let mut digits = 0;
        let mut at = run(bytes, first, &mut digits);
        if at == first || (bytes[first] == b'0' && at > first + 1) {
            return None;
        }
        let mut count = at - first;
        let (mut fraction, mut whole, mut exponent) = (0, true, false);
        if bytes.get(at) == Some(&b'.') {
            let from = at + 1;
            at = run(bytes, from, &mut digits);
            (fraction, whole) = (at - from, false);
            if fraction == 0 {
                return None;
            }
            count += fraction;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1;
            if let Some(b'+' | b'-') = bytes.get(at) {
                at += 1;
            }
            let from = at;
            at = run(bytes, from, &mut 0);
            (whole, exponent) = (false, true);
            if at == from {
                return None;
            }
        }
        let text = &bytes[..at];
        Some(Number {
            text,
            digits,
            count: count as u32,
            fraction: fraction as u32,
            negative,
            whole,
            exponent,
        })
    }

    /// The integer that it is, of few enough digits to need no check for overflow.
    #[inline]
    pub(super) fn integer(&self) -> Option<i64> {
        if !self.whole || self.count > SAFE_DIGITS {
            return None;
        }
        let value = self.digits as i64;
        Some(if self.negative { -value } else { value })
    }

    /// The double next to it, if there is one. Digits and power of ten are exact as doubles where they are small enough, so
    /// their quotient is rounded once and thereby correctly (Clinger, "How to Read Floating Point Numbers Accurately",
    /// 1990); the others go to the standard library.
    #[inline]
    pub(super) fn decimal(&self) -> Option<f64> {
        if self.exponent || self.count > EXACT_DIGITS {
            let text = std::str::from_utf8(self.text).ok()?;
            return text.parse::<f64>().ok().filter(|value| value.is_finite());
        }
        let value = self.digits as f64 / POWERS[self.fraction as usize];
        Some(if self.negative { -value } else { value })
    }

    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }
}

/// Goes past digits, and adds them to those before.
#[inline]
fn run(bytes: &[u8], at: usize, digits: &mut u64) -> usize {
    for (count, byte) in bytes[at..].iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return at + count;
        }
        *digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_the_doubles_that_the_standard_library_reads() {
        for text in [
            "0",
            "-0",
            "0.1",
            "39.230",
            "123456789012345",
            "0.00000000000001",
            "9007199254740993",
            "1e400",
            "-1.5e-7",
            "1E+2",
        ] {
            let expected = text.parse::<f64>().ok().filter(|v| v.is_finite());
            let number = Number::read(text.as_bytes()).unwrap();
            assert_eq!(number.decimal().map(f64::to_bits), expected.map(f64::to_bits), "{text}");
        }
    }

    #[test]
    fn what_json_does_not_allow_is_no_number() {
        for text in ["", "-", "01", "-01", "1.", "1.e3", ".5", "1e", "1e+", "+1", "x"] {
            assert!(Number::read(text.as_bytes()).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_ends_where_json_says_and_is_what_the_standard_library_reads(
            value in any::<f64>().prop_filter("finite", |v| v.is_finite()),
            integer in any::<i64>(),
            places in 0usize..20,
            rest in "[ ,}\\]a-df-z]{0,3}",
        ) {
            for spelled in [value.to_string(), format!("{value:e}"), format!("{:.*}", places, value % 1e6), integer.to_string()] {
                let text = format!("{spelled}{rest}");
                let number = Number::read(text.as_bytes()).unwrap();
                prop_assert_eq!(number.text, spelled.as_bytes());
                prop_assert_eq!(number.decimal().map(f64::to_bits), spelled.parse().ok().map(f64::to_bits));
                let whole = spelled.parse::<i64>().ok().filter(|_| spelled.trim_start_matches('-').len() <= 18);
                prop_assert_eq!(number.integer(), whole);
                prop_assert_eq!(number.is_negative(), spelled.starts_with('-'));
            }
        }
    }
}
