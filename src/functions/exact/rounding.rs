//! From digits of 32 bits to the nearest double.

/// Bits of a digit.
pub(super) const DIGIT_BITS: u32 = 32;

pub(super) const MANTISSA_BITS: u32 = 52;

/// The bit, counted from 2^-1074, of the highest finite double's lowest mantissa bit, plus one.
const FIRST_INFINITE_LSB: u64 = 2046;

/// The double nearest to `digits · 2^(low − 1074)`, ties to even; `is_more` says that the true value is a
/// little more than the digits.
pub(super) fn round(digits: &[u32], low: i64, is_more: bool) -> f64 {
    let Some(highest) = digits.iter().rposition(|d| *d != 0) else { return 0.0 };
    let top = low + highest as i64 * i64::from(DIGIT_BITS) + i64::from(digits[highest].ilog2());
    // A double keeps 53 bits, and nothing below 2^-1074.
    let lowest_kept = (top - i64::from(MANTISSA_BITS)).max(0);
    if lowest_kept as u64 >= FIRST_INFINITE_LSB {
        return f64::INFINITY;
    }
    let kept = match usize::try_from(lowest_kept - low) {
        Ok(cut) => {
            let mut kept = bits_from(digits, cut);
            if cut > 0 {
                let half = cut - 1;
                let (digit, bit) = (half / DIGIT_BITS as usize, half % DIGIT_BITS as usize);
                let is_half = digits.get(digit).is_some_and(|d| d >> bit & 1 == 1);
                let has_rest = is_more
                    || digits.iter().take(digit).any(|d| *d != 0)
                    || digits.get(digit).is_some_and(|d| d & ((1 << bit) - 1) != 0);
                kept += u64::from(is_half && (has_rest || kept & 1 == 1));
            }
            kept
        }
        Err(_) => bits_from(digits, 0) << (low - lowest_kept),
    };
    // The hidden bit of `kept` adds one to the exponent, a carry out of the mantissa another.
    f64::from_bits(((lowest_kept as u64) << MANTISSA_BITS) + kept)
}

/// The bits from `cut` on; the caller knows that there are at most 53.
fn bits_from(digits: &[u32], cut: usize) -> u64 {
    let wide = digits.iter().skip(cut / DIGIT_BITS as usize).take(3).rev();
    let wide = wide.fold(0_u128, |wide, digit| wide << DIGIT_BITS | u128::from(*digit));
    (wide >> (cut % DIGIT_BITS as usize)) as u64
}
