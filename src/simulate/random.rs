//! Seeded randomness that is the same on every machine.
//!
//! Every stretch of output has a generator of its own, derived from the seed and from what is generated,
//! so that slices can be made in any order by any number of threads. `exp` and `cos` are built from
//! additions and multiplications: the platform's own may differ in the last bit, and then so would the bytes.

use rand::RngCore;
use rand_pcg::Pcg64Mcg;

/// What a generator is for; part of its seed, so that one table's draws never shift another's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    Plan = 1,
    Requests = 2,
    Metrics = 3,
    Evaluations = 4,
    Noise = 5,
    Routine = 6,
}

/// Finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
pub(super) fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A generator for one stretch of one stream.
pub(super) struct Random(Pcg64Mcg);

impl Random {
    pub(super) fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let high = mix(mix(seed) ^ mix(stream as u64));
        let low = mix(high ^ mix(index));
        Random(Pcg64Mcg::new((u128::from(high) << 64) | u128::from(low)))
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)`.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `[low, high)`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in `0..bound` (Lemire's multiplication; the bias is far below what a count could show).
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (((self.bits() >> 32) * bound as u64) >> 32) as usize
    }

    /// True with probability `chance`.
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.unit() < chance
    }

    /// In place, every order equally likely.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// A number in `[0, 1)` that belongs to a place: the same whenever and wherever it is asked for.
pub(super) fn unit_at(seed: u64, stream: Stream, a: u64, b: u64) -> f64 {
    let bits = mix(mix(mix(seed) ^ mix(stream as u64)) ^ mix(mix(a) ^ b));
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// Smooth noise in `[-1, 1]` over a position measured in knots: values at whole positions, joined by a cubic.
pub(super) fn smooth(seed: u64, series: u64, position: f64) -> f64 {
    let knot = position.floor();
    let t = position - knot;
    let at = |k: f64| 2.0 * unit_at(seed, Stream::Noise, series, k as i64 as u64) - 1.0;
    let ease = t * t * (3.0 - 2.0 * t);
    at(knot) + (at(knot + 1.0) - at(knot)) * ease
}

/// e to the power of x, from basic operations only.
pub(super) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let k = (x * std::f64::consts::LOG2_E).round();
    let r = x - k * std::f64::consts::LN_2;
    // |r| <= ln(2)/2: fourteen terms leave an error below one unit in the last place.
    let mut sum = 1.0;
    for n in (1..=14).rev() {
        sum = 1.0 + sum * r / f64::from(n);
    }
    sum * f64::from_bits(((k as i64 + 1_023) as u64) << 52)
}

/// Cosine of `turns` full turns, from basic operations only.
pub(super) fn cos_turns(turns: f64) -> f64 {
    // Even and periodic: fold into a quarter turn.
    let mut t = (turns - turns.floor()).min(1.0);
    if t > 0.5 {
        t = 1.0 - t;
    }
    let (t, sign) = if t > 0.25 { (0.5 - t, -1.0) } else { (t, 1.0) };
    let x = t * std::f64::consts::TAU;
    let square = x * x;
    let mut sum = 1.0;
    for n in (1..=11).rev() {
        let k = f64::from(2 * n);
        sum = 1.0 - sum * square / (k * (k - 1.0));
    }
    sign * sum
}

const QUANTILES: usize = 4_096;

/// How widely durations spread: the standard deviation of their logarithm.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spread {
    Narrow = 0,
    Medium = 1,
    Wide = 2,
}

const SPREADS: [f64; 3] = [0.25, 0.42, 0.65];

/// Log-normal factors with median 1 as precomputed quantiles: one look-up per draw.
pub(super) struct LogNormal {
    factors: [Vec<f32>; 3],
    normal: Vec<f32>,
}

impl LogNormal {
    pub(super) fn new() -> Self {
        let normal = normal_quantiles();
        let factors = SPREADS.map(|s| normal.iter().map(|z| exp(s * f64::from(*z)) as f32).collect());
        LogNormal { factors, normal }
    }

    /// A factor with median 1, from 12 random bits.
    #[inline]
    pub(super) fn factor(&self, spread: Spread, bits: u64) -> f64 {
        f64::from(self.factors[spread as usize][bits as usize & (QUANTILES - 1)])
    }

    /// A standard normal number, from 12 random bits.
    pub(super) fn normal(&self, bits: u64) -> f64 {
        f64::from(self.normal[bits as usize & (QUANTILES - 1)])
    }
}

/// The middle of each of `QUANTILES` equally likely slices of the standard normal, by walking its density.
fn normal_quantiles() -> Vec<f32> {
    const STEP: f64 = 1.0 / 4_096.0;
    let density = |x: f64| exp(-0.5 * x * x) / 2.506_628_274_631_000_7; // sqrt(2 pi)
    let mut quantiles = Vec::with_capacity(QUANTILES);
    let (mut x, mut below) = (-8.0, 0.0);
    while quantiles.len() < QUANTILES {
        let wanted = (quantiles.len() as f64 + 0.5) / QUANTILES as f64;
        while below < wanted && x < 8.0 {
            below += density(x + STEP / 2.0) * STEP;
            x += STEP;
        }
        quantiles.push(x as f32);
    }
    quantiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_exp_and_cos_agree_with_the_platform() {
        for i in -400..=400 {
            let x = f64::from(i) * 0.05;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp({x})");
            let expected = (x * std::f64::consts::TAU).cos();
            assert!((cos_turns(x) - expected).abs() < 1e-12, "cos of {x} turns");
        }
    }

    #[test]
    fn normal_quantiles_are_those_of_the_textbook() {
        // Python: statistics.NormalDist().inv_cdf(p)
        let table = normal_quantiles();
        for (p, z) in [(0.025, -1.959_964), (0.5, 0.0), (0.95, 1.644_854), (0.999, 3.090_232)] {
            let found = table[(p * QUANTILES as f64) as usize];
            assert!((f64::from(found) - z).abs() < 0.03, "{p}: {found} against {z}");
        }
    }

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let first = |stream, index| Random::new(7, stream, index).bits();
        assert_eq!(first(Stream::Plan, 3), first(Stream::Plan, 3));
        assert_ne!(first(Stream::Plan, 3), first(Stream::Plan, 4));
        assert_ne!(first(Stream::Plan, 3), first(Stream::Metrics, 3));
    }

    #[test]
    fn smooth_noise_stays_in_range_and_does_not_jump() {
        let at = |i: i32| smooth(1, 2, f64::from(i) / 100.0);
        for i in 0..1_000 {
            assert!(at(i).abs() <= 1.0);
            assert!((at(i + 1) - at(i)).abs() < 0.04);
        }
    }
}
