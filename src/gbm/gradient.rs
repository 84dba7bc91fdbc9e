//! First and second derivatives of the loss, as whole numbers.
//!
//! Histograms add derivatives up. Floating-point sums depend on their order; so that the same data give the same
//! model at any number of threads, derivatives are rounded to a grid fine enough for the number of rows, and
//! added as integers. Both derivatives of a row share one word, which makes a histogram's inner loop one addition
//! (quantised training: Shi et al., 2022, "Quantized Training of Gradient Boosting Decision Trees", who need 2 to 5
//! bits; here there are at least 6 and mostly more than 10).
//! Rounding is random but reproducible, so that it averages out: up or down is decided by the value itself.

/// Bits of the part that holds the second derivative.
const HALF: u32 = 32;

/// More bits than these would only be noise of `f32`.
const MAX_BITS: u32 = 20;

/// Added to a small number, it leaves the nearest whole number in the low bits: faster than `as`, which has to look
/// for numbers that do not fit.
const TO_LOW_BITS: f64 = 1.5 * (1_u64 << 52) as f64;

/// The nearest whole number, of numbers that fit in 31 bits.
#[inline]
fn round(x: f64) -> i64 {
    i64::from((x + TO_LOW_BITS).to_bits() as i32)
}

/// First and second derivative of the loss of one row.
pub(super) type Pair = (f32, f32);

/// Derivatives of all rows on a grid.
pub(super) struct Quantized {
    /// Both derivatives of each row.
    pub(super) packed: Vec<i64>,
    /// What 1 stands for in each.
    pub(super) grid: Grid,
}

/// What one step of the grid stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    pub(super) first: f64,
    pub(super) second: f64,
}

impl Quantized {
    /// Rounds the derivatives of one tree. `salt` varies the rounding from tree to tree.
    pub(super) fn new(pairs: impl Iterator<Item = Pair> + Clone, rows: usize, salt: u64) -> Quantized {
        let (first, second) = pairs
            .clone()
            .fold((0.0_f32, 0.0_f32), |(first, second), (g, h)| (first.max(g.abs()), second.max(h)));
        // Sums stay below 2^31.
        let bits = (30 - (rows.max(2) - 1).ilog2() - 1).min(MAX_BITS);
        let step = |largest: f32, steps: u64| match largest {
            0.0 => 1.0,
            largest => f64::from(largest) / steps as f64,
        };
        let grid = Grid { first: step(first, 1 << bits), second: step(second, 1 << bits) };
        let (to_first, to_second) = (1.0 / grid.first, 1.0 / grid.second);
        let packed = pairs
            .map(|(g, h)| {
                let random = mix(u64::from(g.to_bits()) ^ salt);
                let up = |bits: u64| bits as f64 / (1_u64 << 32) as f64 - 0.5;
                let first = round(f64::from(g) * to_first + up(random >> 32));
                let second = round(f64::from(h) * to_second + up(random & 0xffff_ffff));
                (first << HALF) + second
            })
            .collect();
        Quantized { packed, grid }
    }
}

impl Grid {
    /// The sums of both derivatives that a sum of words stands for.
    #[inline]
    pub(super) fn unpack(packed: i64) -> (f64, f64) {
        ((packed >> HALF) as i32 as f64, packed as i32 as f64)
    }
}

/// A number that looks random (the finaliser of splitmix64: Steele et al., 2014).
#[inline]
pub(super) fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Sums of derivatives that do not depend on the order of the rows: fixed-point integers, with as many bits
/// as the number of rows leaves.
pub(super) struct ExactSums {
    first: f64,
    second: f64,
}

impl ExactSums {
    /// For sums of up to `rows` derivatives, each at most `bits` steps of the grid.
    pub(super) fn new(grid: Grid, rows: usize) -> ExactSums {
        let bits = (30 - (rows.max(2) - 1).ilog2() - 1).min(MAX_BITS);
        let room = 61 - (rows.max(2) - 1).ilog2() - 1 - bits - 1;
        let scale = (1_u64 << room) as f64;
        ExactSums { first: scale / grid.first, second: scale / grid.second }
    }

    /// The sums over the rows of each leaf; rows of no leaf have a number beyond.
    pub(super) fn by_leaf(&self, pairs: &[Pair], leaf_of: &[u32], leaves: usize) -> Vec<(f64, f64)> {
        let mut sums = vec![(0_i64, 0_i64); leaves + 1];
        for ((g, h), leaf) in pairs.iter().zip(leaf_of) {
            let sum = &mut sums[(*leaf as usize).min(leaves)];
            sum.0 += (f64::from(*g) * self.first) as i64;
            sum.1 += (f64::from(*h) * self.second) as i64;
        }
        let real = |(first, second)| (first as f64 / self.first, second as f64 / self.second);
        sums.into_iter().take(leaves).map(real).collect()
    }
}
