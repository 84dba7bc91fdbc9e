//! The sum itself: digits, carries, and what is not finite.

use super::rounding::{DIGIT_BITS, MANTISSA_BITS, round};

/// Additions that fit on top of a carried digit: 2^30 · 2^32 < 2^63.
const MAX_PENDING: u32 = 1 << 30;

/// An exact sum of doubles that can be added to, subtracted from, merged and rounded.
#[derive(Debug, Clone, Default)]
pub struct ExactSum {
    /// Digits of 32 bits with room for carries; the first stands for 2^(32·low − 1074).
    digits: Vec<i64>,
    low: u8,
    /// Additions since carries were last resolved.
    pending: u32,
    count: u64,
    specials: Option<Box<Specials>>,
}

/// How many values were not finite; boxed, because hardly any sum needs it.
#[derive(Debug, Clone, Copy, Default)]
struct Specials {
    nan: u64,
    positive: u64,
    negative: u64,
}

/// A whole number of 2^(32·low − 1074).
struct Magnitude {
    is_negative: bool,
    low: u8,
    digits: Vec<u32>,
}

/// Bytes that are not the state of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes are not the state of an exact sum")]
pub struct NotASum(usize);

impl ExactSum {
    /// The sum of nothing.
    pub fn new() -> ExactSum {
        ExactSum::default()
    }

    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        if value.is_finite() {
            self.add_finite(value);
        } else {
            let special = self.special(value);
            *special += 1;
        }
    }

    /// Takes back a value that was added before.
    pub fn remove(&mut self, value: f64) {
        self.count -= 1;
        if value.is_finite() {
            self.add_finite(-value);
        } else {
            let special = self.special(value);
            *special -= 1;
        }
    }

    #[cold]
    fn special(&mut self, value: f64) -> &mut u64 {
        let specials = self.specials.get_or_insert_default();
        if value.is_nan() {
            &mut specials.nan
        } else if value > 0.0 {
            &mut specials.positive
        } else {
            &mut specials.negative
        }
    }

    #[inline]
    fn add_finite(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = (bits >> MANTISSA_BITS) as u32 & 0x7ff;
        let fraction = bits & ((1 << MANTISSA_BITS) - 1);
        // A subnormal has no hidden bit and the exponent of the smallest normal double.
        let (mantissa, shift) =
            if exponent == 0 { (fraction, 0) } else { (fraction | (1 << MANTISSA_BITS), exponent - 1) };
        if mantissa == 0 {
            return;
        }
        let wide = u128::from(mantissa) << (shift % DIGIT_BITS);
        let parts = [wide as u32, (wide >> DIGIT_BITS) as u32, (wide >> (2 * DIGIT_BITS)) as u32];
        if self.pending == MAX_PENDING {
            self.carry();
        }
        self.pending += 1;
        let digits = self.digits_at((shift / DIGIT_BITS) as u8, 3);
        if value > 0.0 {
            digits.iter_mut().zip(parts).for_each(|(d, p)| *d += i64::from(p));
        } else {
            digits.iter_mut().zip(parts).for_each(|(d, p)| *d -= i64::from(p));
        }
    }

    /// `len` digits from `at` on, made when absent.
    #[inline]
    fn digits_at(&mut self, at: u8, len: usize) -> &mut [i64] {
        let end = usize::from(at) + len;
        if self.digits.is_empty() || at < self.low || end > usize::from(self.low) + self.digits.len() {
            self.widen(at, end);
        }
        let from = usize::from(at - self.low);
        &mut self.digits[from..from + len]
    }

    #[cold]
    fn widen(&mut self, at: u8, end: usize) {
        if self.digits.is_empty() {
            self.low = at;
        }
        let low = self.low.min(at);
        let end = end.max(usize::from(self.low) + self.digits.len());
        let mut digits = vec![0; end - usize::from(low)];
        let from = usize::from(self.low - low);
        digits[from..from + self.digits.len()].copy_from_slice(&self.digits);
        self.digits = digits;
        self.low = low;
    }

    /// Brings every digit but the highest into 0 to 2^32 − 1; the highest carries the sign.
    fn carry(&mut self) {
        let mut carry = 0;
        for digit in &mut self.digits {
            let sum = *digit + carry;
            carry = sum >> DIGIT_BITS;
            *digit = sum & 0xffff_ffff;
        }
        if carry != 0 {
            self.digits.push(carry);
        }
        self.pending = 1;
    }

    /// Adds everything another sum holds.
    pub fn merge(&mut self, other: &ExactSum) {
        self.count = self.count.saturating_add(other.count);
        if let Some(theirs) = &other.specials {
            let ours = self.specials.get_or_insert_default();
            ours.nan = ours.nan.saturating_add(theirs.nan);
            ours.positive = ours.positive.saturating_add(theirs.positive);
            ours.negative = ours.negative.saturating_add(theirs.negative);
        }
        self.add_magnitude(&other.magnitude());
    }

    fn add_magnitude(&mut self, other: &Magnitude) {
        if other.digits.is_empty() {
            return;
        }
        if self.pending == MAX_PENDING {
            self.carry();
        }
        self.pending += 1;
        let sign = if other.is_negative { -1 } else { 1 };
        let digits = self.digits_at(other.low, other.digits.len());
        digits.iter_mut().zip(&other.digits).for_each(|(d, o)| *d += sign * i64::from(*o));
    }

    /// Sign and digits, without zero digits at either end: one spelling for each sum.
    fn magnitude(&self) -> Magnitude {
        let mut sum = ExactSum { digits: self.digits.clone(), low: self.low, ..ExactSum::default() };
        sum.carry();
        let is_negative = sum.digits.last().is_some_and(|d| *d < 0);
        if is_negative {
            sum.digits.iter_mut().for_each(|d| *d = -*d);
            sum.carry();
        }
        let first = sum.digits.iter().take_while(|d| **d == 0).count();
        let last = sum.digits.iter().rposition(|d| *d != 0).map_or(first, |last| last + 1);
        let digits = sum.digits[first..last].iter().map(|d| *d as u32).collect();
        let low = if first == last { 0 } else { sum.low + first as u8 };
        Magnitude { is_negative, low, digits }
    }

    /// How many values were added, NaN and infinite ones too.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What values that are not finite make of the sum.
    fn not_finite(&self) -> Option<f64> {
        let specials = self.specials.as_ref()?;
        match (specials.nan, specials.positive, specials.negative) {
            (0, 0, 0) => None,
            (0, _, 0) => Some(f64::INFINITY),
            (0, 0, _) => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }

    /// The sum, rounded once to the nearest double (ties to even); `None` when nothing was added.
    pub fn sum(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        Some(self.not_finite().unwrap_or_else(|| {
            let magnitude = self.magnitude();
            let rounded = round(&magnitude.digits, i64::from(magnitude.low) * i64::from(DIGIT_BITS), false);
            if magnitude.is_negative { -rounded } else { rounded }
        }))
    }

    /// The mean: the exact sum over the count, rounded once; `None` when nothing was added.
    pub fn mean(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        Some(self.not_finite().unwrap_or_else(|| {
            /// Digits after the point: 128 bits, more than the 64 of a count and the 53 of a double.
            const EXTRA: usize = 4;
            let magnitude = self.magnitude();
            let mut quotient = vec![0; EXTRA];
            quotient.extend_from_slice(&magnitude.digits);
            let mut remainder = 0_u64;
            for digit in quotient.iter_mut().rev() {
                let part = u128::from(remainder) << DIGIT_BITS | u128::from(*digit);
                *digit = (part / u128::from(self.count)) as u32;
                remainder = (part % u128::from(self.count)) as u64;
            }
            let low = (i64::from(magnitude.low) - EXTRA as i64) * i64::from(DIGIT_BITS);
            let rounded = round(&quotient, low, remainder != 0);
            if magnitude.is_negative { -rounded } else { rounded }
        }))
    }

    /// Writes the state, to be merged elsewhere in the same query: sign, lowest digit, count, then the
    /// counts of NaN, +∞ and −∞ when there are any, then the digits. Equal sums give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let magnitude = self.magnitude();
        let specials = self.specials.as_ref().filter(|_| self.not_finite().is_some());
        let mut bytes = Vec::with_capacity(HEADER + 24 + 4 * magnitude.digits.len());
        bytes.push(u8::from(magnitude.is_negative) | u8::from(specials.is_some()) << 1);
        bytes.push(magnitude.low);
        bytes.extend_from_slice(&self.count.to_le_bytes());
        if let Some(specials) = specials {
            for n in [specials.nan, specials.positive, specials.negative] {
                bytes.extend_from_slice(&n.to_le_bytes());
            }
        }
        magnitude.digits.iter().for_each(|digit| bytes.extend_from_slice(&digit.to_le_bytes()));
        bytes
    }

    /// Adds what [`to_bytes`](Self::to_bytes) wrote.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), NotASum> {
        let broken = NotASum(bytes.len());
        let (header, mut rest) = bytes.split_at_checked(HEADER).ok_or(broken)?;
        let word = |from: &[u8]| {
            let mut word = [0; 8];
            word[..from.len()].copy_from_slice(from);
            u64::from_le_bytes(word)
        };
        let (flags, low) = (header[0], header[1]);
        let mut specials = None;
        if flags & 2 != 0 {
            let (counts, digits) = rest.split_at_checked(24).ok_or(broken)?;
            let [nan, positive, negative] = [0, 8, 16].map(|at| word(&counts[at..at + 8]));
            specials = Some(Box::new(Specials { nan, positive, negative }));
            rest = digits;
        }
        if flags > 3 || rest.len() % 4 != 0 || usize::from(low) + rest.len() / 4 > MAX_DIGITS {
            return Err(broken);
        }
        let digits = rest.chunks_exact(4).map(|digit| word(digit) as u32).collect();
        self.merge(&ExactSum { count: word(&header[2..]), specials, ..ExactSum::default() });
        self.add_magnitude(&Magnitude { is_negative: flags & 1 != 0, low, digits });
        Ok(())
    }

    /// Bytes of heap in use.
    pub fn heap_size(&self) -> usize {
        self.digits.capacity() * size_of::<i64>()
            + self.specials.as_ref().map_or(0, |_| size_of::<Specials>())
    }
}

/// Flags, lowest digit, count.
const HEADER: usize = 10;

/// 2098 bits of doubles and 64 of the count, rounded up to digits, and one for the sign.
const MAX_DIGITS: usize = 69;

#[cfg(test)]
mod tests {
    use super::super::oracle::oracle;
    use super::*;
    use proptest::prelude::*;

    fn exact(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::new();
        values.iter().for_each(|v| sum.add(*v));
        sum
    }

    fn sum(values: &[f64]) -> f64 {
        exact(values).sum().unwrap()
    }

    fn finite() -> impl Strategy<Value = f64> {
        prop_oneof![
            prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
            -1e3..1e3,
            Just(1e100),
            Just(-1e100),
            Just(f64::MAX),
            Just(f64::MIN),
            Just(5e-324)
        ]
    }

    proptest! {
        #[test]
        fn a_sum_is_the_true_one_rounded_once(values in prop::collection::vec(finite(), 1..30)) {
            prop_assert_eq!(sum(&values), oracle(&values));
        }

        #[test]
        fn any_order_and_any_split_gives_the_same_sum_and_the_same_state(
            values in prop::collection::vec(prop::num::f64::ANY, 1..60), cut in any::<prop::sample::Index>()
        ) {
            let whole = exact(&values);
            let mut reversed = values.clone();
            reversed.reverse();
            let (left, right) = reversed.split_at(cut.index(values.len()));
            let mut merged = exact(right);
            merged.merge(&exact(left));
            let mut read = ExactSum::new();
            read.merge_bytes(&exact(left).to_bytes()).unwrap();
            read.merge_bytes(&exact(right).to_bytes()).unwrap();
            for other in [exact(&reversed), merged, read] {
                prop_assert_eq!(other.to_bytes(), whole.to_bytes());
                prop_assert_eq!(other.sum().map(f64::to_bits), whole.sum().map(f64::to_bits));
                prop_assert_eq!(other.mean().map(f64::to_bits), whole.mean().map(f64::to_bits));
            }
        }

        #[test]
        fn what_is_removed_leaves_no_trace(
            values in prop::collection::vec(finite(), 1..20), more in prop::collection::vec(prop::num::f64::ANY, 0..20)
        ) {
            let mut changed = exact(&values);
            more.iter().for_each(|v| changed.add(*v));
            more.iter().for_each(|v| changed.remove(*v));
            prop_assert_eq!(changed.to_bytes(), exact(&values).to_bytes());
        }

        #[test]
        fn the_mean_of_a_constant_is_the_constant(value in finite(), n in 1usize..200) {
            prop_assert_eq!(exact(&vec![value; n]).mean(), Some(value + 0.0));
        }

        #[test]
        fn the_mean_of_whole_numbers_is_the_rounded_quotient(values in prop::collection::vec(-1_000_000i64..1_000_000, 1..50)) {
            let total: i64 = values.iter().sum();
            let values: Vec<f64> = values.iter().map(|v| *v as f64).collect();
            // Both are exact doubles, so IEEE division rounds the true quotient once.
            prop_assert_eq!(exact(&values).mean(), Some(total as f64 / values.len() as f64));
        }

        #[test]
        fn garbage_is_an_error_not_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut sum = ExactSum::new();
            if sum.merge_bytes(&bytes).is_ok() {
                sum.sum();
                sum.mean();
            }
        }
    }

    #[test]
    fn hard_cases_agree_with_fractions() {
        // python3 -c "from fractions import Fraction as F; print(float(sum(map(F, [...]))))"
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e16, 1.0, 1e-16]), 1.000_000_000_000_000_2e16);
        assert_eq!(sum(&[1e308, 1e308, -1e308]), 1e308);
        assert_eq!(sum(&[1e308, 1e308]), f64::INFINITY);
        assert_eq!(exact(&[1e308, 1e308, 1e308]).mean(), Some(1e308));
        assert_eq!(exact(&[5e-324, 0.0]).mean(), Some(0.0));
        assert_eq!(exact(&[5e-324, 5e-324, 0.0]).mean(), Some(5e-324));
        assert_eq!(exact(&[1.0, 0.0, 0.0]).mean(), Some(1.0 / 3.0));
        assert_eq!(sum(&[f64::MAX, f64::MAX / 2.0f64.powi(54)]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX / 2.0f64.powi(53)]), f64::INFINITY);
    }

    #[test]
    fn infinite_values_and_nan_follow_the_table() {
        assert_eq!(exact(&[]).sum(), None);
        assert_eq!(exact(&[]).mean(), None);
        assert_eq!(sum(&[1.0, f64::INFINITY]), f64::INFINITY);
        assert_eq!(exact(&[f64::NEG_INFINITY, 1e300]).mean(), Some(f64::NEG_INFINITY));
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(sum(&[1.0, f64::NAN]).is_nan());
        assert_eq!(sum(&[-0.0, -0.0]).to_bits(), 0);
    }

    #[test]
    fn many_additions_carry_in_time() {
        let mut sum = ExactSum { pending: MAX_PENDING - 2, ..ExactSum::new() };
        (0..5).for_each(|_| sum.add(f64::MAX));
        (0..4).for_each(|_| sum.add(f64::MIN));
        assert_eq!(sum.sum(), Some(f64::MAX));
    }
}
