//! From a number to its bucket and back: the logarithmic mapping of DDSketch with γ = 2^(1/35).
//!
//! DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
//! relative-error guarantees", VLDB 2019) puts `x > 0` into bucket `⌊log_γ x⌋` and answers with a number
//! that is at most α = (γ − 1) / (γ + 1) away, relatively, from everything in the bucket. With γ the 35th
//! root of two, α = 0.99 %, and the bucket splits into the exponent of the double and one of 35 parts of
//! its mantissa: no logarithm is taken, so the same number lands in the same bucket on every machine.

/// Buckets per power of two. 35 is the smallest count with a relative error under 1 %.
const PARTS: usize = 35;

/// 2^(1/35), the ratio between the ends of a bucket (`Decimal(2) ** (Decimal(1) / 35)` in Python).
const GAMMA: f64 = 1.020_001_609_421_199;

/// The largest relative distance between a number and the answer of its bucket; 0.99 % plus the
/// rounding of the bucket ends to 32 bits.
pub const RELATIVE_ERROR: f64 = 0.009_902;

/// The key of +∞, which has a bucket of its own above every finite one.
pub(super) const MAX_KEY: i32 = 1 + 2046 * PARTS as i32;

/// The key of 1.0: keys are stored relative to it, because telemetry is near it.
pub(super) const KEY_OF_ONE: i32 = 1 + 1022 * PARTS as i32;

const MANTISSA_BITS: u32 = 52;
const SIGN_BIT: u64 = 1 << 63;

/// Lower ends of the 35 parts of `[1, 2)`, then 2.
const ENDS: [f64; PARTS + 1] = {
    let mut ends = [1.0; PARTS + 1];
    let mut j = 1;
    while j < PARTS {
        ends[j] = ends[j - 1] * GAMMA;
        j += 1;
    }
    ends[PARTS] = 2.0;
    // Whole multiples of 2^-32, so that 32 bits of the mantissa decide.
    let mut j = 1;
    while j < PARTS {
        ends[j] = 1.0 + (((ends[j] - 1.0) * 4_294_967_296.0) as u64 as f64) / 4_294_967_296.0;
        j += 1;
    }
    ends
};

/// `ENDS` as the leading 32 bits of the mantissa.
const MANTISSA_ENDS: [u64; PARTS + 1] = {
    let mut bits = [0; PARTS + 1];
    let mut j = 0;
    while j <= PARTS {
        bits[j] = ((ENDS[j] - 1.0) * 4_294_967_296.0) as u64;
        j += 1;
    }
    bits
};

/// For the leading 8 bits of the mantissa: the part that holds the first number of that cell. A part is
/// at least five cells wide, so at most one end lies inside a cell.
const FIRST_PART: [u8; 256] = {
    let mut first = [0; 256];
    let mut cell = 0;
    while cell < 256 {
        let mut part = 0;
        while part + 1 < PARTS && MANTISSA_ENDS[part + 1] <= (cell as u64) << 24 {
            part += 1;
        }
        first[cell] = part as u8;
        cell += 1;
    }
    first
};

/// The bucket of a number that is not NaN. Keys sort as the numbers do: 0 is zero (and anything below
/// the smallest normal double, 2.2e-308), negative numbers have the negated key of their magnitude.
#[inline]
pub(super) fn key(x: f64) -> i32 {
    let bits = x.to_bits();
    let exponent = ((bits & !SIGN_BIT) >> MANTISSA_BITS) as i32;
    if exponent == 0 {
        return 0;
    }
    let mantissa = (bits >> (MANTISSA_BITS - 32)) & 0xffff_ffff;
    let part = usize::from(FIRST_PART[(mantissa >> 24) as usize]);
    let part = part + usize::from(mantissa >= MANTISSA_ENDS[part + 1]);
    let key = 1 + (exponent - 1) * PARTS as i32 + part as i32;
    if bits & SIGN_BIT == 0 { key } else { -key }
}

/// Where a bucket of magnitudes starts; `key` is 1 to `MAX_KEY`.
fn magnitude_start(key: i32) -> f64 {
    let (exponent, part) = ((key - 1) as usize / PARTS + 1, (key - 1) as usize % PARTS);
    f64::from_bits((exponent as u64) << MANTISSA_BITS) * ENDS[part]
}

/// Where a bucket of magnitudes ends (the start of the next, kept finite below the one of infinity).
fn magnitude_end(key: i32) -> f64 {
    if key == MAX_KEY { f64::INFINITY } else { magnitude_start(key + 1).min(f64::MAX) }
}

/// The two ends of a bucket, lower first.
pub(super) fn range(key: i32) -> (f64, f64) {
    match key {
        0 => (0.0, 0.0),
        1.. => (magnitude_start(key), magnitude_end(key)),
        _ => (-magnitude_end(-key), -magnitude_start(-key)),
    }
}

/// The answer of a bucket: equally far, relatively, from both of its ends (their harmonic mean).
pub(super) fn answer(key: i32) -> f64 {
    if key == 0 {
        return 0.0;
    }
    let magnitude = key.unsigned_abs() as i32;
    let (exponent, part) = ((magnitude - 1) as usize / PARTS + 1, (magnitude - 1) as usize % PARTS);
    let (start, end) = (ENDS[part], ENDS[part + 1]);
    let answer = f64::from_bits((exponent as u64) << MANTISSA_BITS) * (2.0 * start * end / (start + end));
    if key > 0 { answer } else { -answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_answers_for_both_of_its_ends_within_the_stated_error() {
        for part in 0..PARTS {
            let (start, end) = (ENDS[part], ENDS[part + 1]);
            let key = key(start);
            assert_eq!(key, KEY_OF_ONE + part as i32);
            let below_end = f64::from_bits(end.to_bits() - 1);
            assert_eq!(super::key(below_end), key, "part {part}");
            for x in [start, below_end] {
                assert!(((answer(key) - x) / x).abs() <= RELATIVE_ERROR, "part {part}: {x}");
            }
        }
    }

    #[test]
    fn keys_grow_with_the_numbers_from_minus_infinity_to_infinity() {
        let ladder = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1e300,
            -2.0,
            -1.0,
            -0.5,
            -f64::MIN_POSITIVE,
            0.0,
            f64::MIN_POSITIVE,
            1e-9,
            0.999,
            1.0,
            1.5,
            2.0,
            1e300,
            f64::MAX,
            f64::INFINITY,
        ];
        for pair in ladder.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
        assert_eq!(key(f64::INFINITY), MAX_KEY);
        assert_eq!(key(-0.0), 0);
        assert_eq!(key(f64::MIN_POSITIVE / 2.0), 0);
        assert_eq!(answer(MAX_KEY), f64::INFINITY);
        assert!(answer(MAX_KEY - 1).is_finite());
    }

    #[test]
    fn a_range_holds_its_answer_and_touches_its_neighbour() {
        for key in [-MAX_KEY + 1, -5000, -1, 1, 2, 700, KEY_OF_ONE, KEY_OF_ONE + 34, KEY_OF_ONE + 35] {
            let (low, high) = range(key);
            assert!(low <= answer(key) && answer(key) <= high, "{key}");
        }
        assert_eq!(range(KEY_OF_ONE).0, 1.0);
        assert_eq!(range(KEY_OF_ONE + 34).1, 2.0);
        assert_eq!(range(-KEY_OF_ONE).1, -1.0);
    }
}
