//! The best split of a leaf: which feature, which bins go left, what it gains.
//!
//! Gain and leaf value are those of Chen and Guestrin, 2016, "XGBoost", equations 5 to 7, with LightGBM's L1 penalty.

use super::binning::FeatureBins;
use super::gradient::Grid;
use super::histogram::Bins;
use super::hyperparams::{Monotone, ValidHyperParams};

/// A split must gain more than this share of what the leaf has: less is rounding.
const RELATIVE_GAIN: f64 = 1e-10;

/// Categorical splits, as LightGBM's `cat_smooth`, `cat_l2` and `max_cat_threshold`.
const CATEGORY_SMOOTHING: f64 = 10.0;
const CATEGORY_L2: f64 = 10.0;
const MAX_LEFT_CATEGORIES: usize = 32;

/// A way to divide a leaf.
#[derive(Debug, Clone)]
pub(super) struct Split {
    pub(super) gain: f64,
    pub(super) feature: usize,
    pub(super) divide: Divide,
    /// Packed derivatives of the left child.
    pub(super) left: i64,
}

/// Which bins go left.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Divide {
    /// Bins up to and with this one, and missing values if `default_left`.
    UpTo { bin: usize, default_left: bool },
    /// These bins.
    Bins(Vec<u8>),
}

/// What is known of a leaf that may be split.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeafSums {
    /// Packed derivatives of all its rows.
    pub(super) packed: i64,
    /// Its rows.
    pub(super) rows: usize,
    /// What its value may be (monotone constraints).
    pub(super) bounds: (f64, f64),
}

/// Sums over all bins up to and with each.
struct Passed {
    first: [f64; 256],
    second: [f64; 256],
    /// Where rows were counted.
    rows: Option<[f64; 256]>,
}

impl Passed {
    fn new(sums: &[i64], counts: Option<&[u32; 256]>) -> Passed {
        let mut passed = Passed { first: [0.0; 256], second: [0.0; 256], rows: None };
        let mut sum = 0;
        for ((bin, first), second) in sums.iter().zip(&mut passed.first).zip(&mut passed.second) {
            sum += bin;
            (*first, *second) = Grid::unpack(sum);
        }
        passed.rows = counts.map(|counts| {
            let mut sum = 0;
            counts.map(|count| {
                sum += count;
                f64::from(sum)
            })
        });
        passed
    }

    /// Counts what is missing as well.
    fn add(&mut self, packed: i64, rows: u32) {
        let (first, second) = Grid::unpack(packed);
        self.first.iter_mut().for_each(|sum| *sum += first);
        self.second.iter_mut().for_each(|sum| *sum += second);
        self.rows.iter_mut().flatten().for_each(|sum| *sum += f64::from(rows));
    }
}

/// How splits are valued.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) params: &'a ValidHyperParams,
    pub(super) grid: Grid,
}

fn shrink(first: f64, l1: f64) -> f64 {
    first.signum() * (first.abs() - l1).max(0.0)
}

impl Search<'_> {
    /// The value of a leaf with these sums of derivatives.
    pub(super) fn value(&self, first: f64, second: f64, bounds: (f64, f64)) -> f64 {
        self.value_with(first, second, bounds, self.params.l2)
    }

    fn value_with(&self, first: f64, second: f64, bounds: (f64, f64), l2: f64) -> f64 {
        let below = second + l2;
        let value = if below > 0.0 { -shrink(first, self.params.l1) / below } else { 0.0 };
        value.clamp(bounds.0, bounds.1)
    }

    /// How much a leaf of this value lowers the loss, times two.
    fn gain_at(&self, first: f64, second: f64, value: f64, l2: f64) -> f64 {
        -(2.0 * shrink(first, self.params.l1) * value + (second + l2) * value * value)
    }

    fn real(&self, packed: i64) -> (f64, f64) {
        let (first, second) = Grid::unpack(packed);
        (first * self.grid.first, second * self.grid.second)
    }

    /// What a leaf gains by itself, without a split.
    fn own_gain(&self, leaf: &LeafSums, l2: f64) -> f64 {
        let (first, second) = self.real(leaf.packed);
        self.gain_at(first, second, self.value_with(first, second, leaf.bounds, l2), l2)
    }

    /// The value that a child would have.
    pub(super) fn child_value(&self, packed: i64, bounds: (f64, f64)) -> f64 {
        let (first, second) = self.real(packed);
        self.value(first, second, bounds)
    }

    fn monotone(&self, feature: usize) -> Monotone {
        self.params.monotone.get(feature).copied().unwrap_or_default()
    }

    /// The best split by one feature. `counts` are the rows of each bin; without them they are estimated from the
    /// second derivatives, and whoever applies the split has to check.
    pub(super) fn best(
        &self,
        feature: usize,
        bins: &FeatureBins,
        sums: &Bins,
        leaf: &LeafSums,
        counts: Option<&[u32; 256]>,
    ) -> Option<Split> {
        match bins {
            FeatureBins::Numeric { upper, missing } => {
                let empty = leaf.packed & 0xffff_ffff == 0;
                if empty || (upper.is_empty() && !missing) {
                    return None;
                }
                let missing = missing.then_some(upper.len() + 1);
                self.numeric(feature, upper.len() + 1, missing, sums, leaf, counts)
            }
            FeatureBins::Categorical { categories } => {
                self.categorical(feature, categories.len() + 1, sums, leaf, counts)
            }
        }
    }

    /// Every bound between bins is a split, once with what is missing right and once left. Sums of second
    /// derivatives and of rows only grow from bin to bin, so the splits that leave both children enough are one range.
    fn numeric(
        &self,
        feature: usize,
        value_bins: usize,
        missing: Option<usize>,
        sums: &Bins,
        leaf: &LeafSums,
        counts: Option<&[u32; 256]>,
    ) -> Option<Split> {
        let absent = missing.map_or(0, |bin| sums[bin]);
        let absent_rows = missing.and_then(|bin| counts.map(|c| c[bin])).unwrap_or_default();
        // Rows of next to no weight add up to nothing and are rows all the same.
        let is_absent = absent != 0 || absent_rows > 0;
        let mut passed = Passed::new(&sums[..value_bins], counts);
        let (gain, bin) = self.best_bound(&passed, value_bins - usize::from(!is_absent), leaf, feature);
        let mut best = (gain, bin, false);
        if is_absent {
            passed.add(absent, absent_rows);
            let (gain, bin) = self.best_bound(&passed, value_bins - 1, leaf, feature);
            if gain > best.0 {
                best = (gain, bin, true);
            }
        }
        let (gain, bin, with_absent) = best;
        if gain == f64::NEG_INFINITY {
            return None;
        }
        let gain = self.net(gain, leaf, self.params.l2)?;
        let left = sums[..=bin].iter().sum::<i64>() + if with_absent { absent } else { 0 };
        // Where nothing is missing, what will be goes with the many.
        let many_left = 2.0 * Grid::unpack(left).1 >= Grid::unpack(leaf.packed).1;
        let default_left = if is_absent { with_absent } else { many_left };
        Some(Split { gain, feature, divide: Divide::UpTo { bin, default_left }, left })
    }

    /// The bound with the most gain among the first `bounds`, and that gain.
    fn best_bound(&self, passed: &Passed, bounds: usize, leaf: &LeafSums, feature: usize) -> (f64, usize) {
        let p = self.params;
        let total = Grid::unpack(leaf.packed);
        let least_rows = p.min_child_samples as f64;
        let least = (p.min_child_weight / self.grid.second).max(f64::MIN_POSITIVE);
        let second = &passed.second[..bounds];
        let (mut from, mut to) =
            (second.partition_point(|h| *h < least), second.partition_point(|h| total.1 - h >= least));
        let (rows, all) = match &passed.rows {
            Some(rows) => (&rows[..bounds], leaf.rows as f64),
            None => (second, total.1),
        };
        let one = all / leaf.rows as f64;
        let (fewest, most) = ((least_rows - 0.5) * one, all - (least_rows - 0.5) * one);
        from = from.max(rows.partition_point(|r| *r < fewest));
        to = to.min(rows.partition_point(|r| *r <= most));
        let mut best = (f64::NEG_INFINITY, 0);
        if from >= to {
            return best;
        }
        let mut gains = [0.0; 256];
        let gains = &mut gains[..to - from];
        let (first, second) = (&passed.first[from..to], &second[from..to]);
        let mut unit = 1.0;
        if p.l1 == 0.0 && p.monotone.is_empty() {
            let l2 = p.l2 / self.grid.second;
            unit = self.grid.first * self.grid.first / self.grid.second;
            for ((gain, gl), hl) in gains.iter_mut().zip(first).zip(second) {
                let (gr, bl, br) = (total.0 - gl, hl + l2, total.1 - hl + l2);
                *gain = (gl * gl * br + gr * gr * bl) / (bl * br);
            }
        } else {
            let monotone = self.monotone(feature);
            for ((gain, gl), hl) in gains.iter_mut().zip(first).zip(second) {
                *gain = self.constrained((*gl, *hl), total, leaf, monotone).unwrap_or(f64::NEG_INFINITY);
            }
        }
        for (at, gain) in gains.iter().enumerate() {
            if *gain > best.0 {
                best = (*gain, from + at);
            }
        }
        (best.0 * unit, best.1)
    }

    /// The gain over the leaf as it is, if there is any worth having.
    fn net(&self, gain: f64, leaf: &LeafSums, l2: f64) -> Option<f64> {
        let own = self.own_gain(leaf, l2);
        let net = gain - own;
        (net > self.params.min_gain + RELATIVE_GAIN * own.abs()).then_some(net)
    }

    /// The gain of a split where values are bounded or penalised; nothing where a constraint forbids it.
    fn constrained(
        &self,
        left: (f64, f64),
        total: (f64, f64),
        leaf: &LeafSums,
        monotone: Monotone,
    ) -> Option<f64> {
        let real = |(first, second): (f64, f64)| (first * self.grid.first, second * self.grid.second);
        let ((gl, hl), (gr, hr)) = (real(left), real((total.0 - left.0, total.1 - left.1)));
        let (low, high) = (self.value(gl, hl, leaf.bounds), self.value(gr, hr, leaf.bounds));
        let allowed = match monotone {
            Monotone::Free => true,
            Monotone::Rising => low <= high,
            Monotone::Falling => low >= high,
        };
        let l2 = self.params.l2;
        allowed.then(|| self.gain_at(gl, hl, low, l2) + self.gain_at(gr, hr, high, l2))
    }

    /// Categories in the order of what they speak for; the best stretch from either end goes left (Fisher, 1958, "On
    /// Grouping for Maximum Homogeneity"; smoothed as in LightGBM). What is missing or unknown stays right.
    fn categorical(
        &self,
        feature: usize,
        bins: usize,
        sums: &Bins,
        leaf: &LeafSums,
        counts: Option<&[u32; 256]>,
    ) -> Option<Split> {
        let p = self.params;
        let l2 = p.l2 + CATEGORY_L2;
        let per_second = leaf.rows as f64 / Grid::unpack(leaf.packed).1;
        let rows_of = |bin: usize| match counts {
            Some(counts) => f64::from(counts[bin]),
            None => Grid::unpack(sums[bin]).1 * per_second,
        };
        let mut order: Vec<(f64, usize)> = (1..bins)
            .filter(|bin| sums[*bin] != 0)
            .map(|bin| {
                let (first, second) = self.real(sums[bin]);
                (first / (second + CATEGORY_SMOOTHING), bin)
            })
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut best: Option<(f64, Vec<u8>, i64)> = None;
        for backwards in [false, true] {
            let (mut left, mut left_rows, mut members) = (0_i64, 0.0, Vec::new());
            for step in 0..order.len().min(MAX_LEFT_CATEGORIES) {
                let bin = order[if backwards { order.len() - 1 - step } else { step }].1;
                left += sums[bin];
                left_rows += rows_of(bin);
                members.push(bin as u8);
                let ((gl, hl), (gr, hr)) = (self.real(left), self.real(leaf.packed - left));
                let least = p.min_child_samples as f64 - 0.5;
                if left_rows < least || hl < p.min_child_weight || hl <= 0.0 {
                    continue;
                }
                if leaf.rows as f64 - left_rows < least || hr < p.min_child_weight || hr <= 0.0 {
                    break;
                }
                let (low, high) =
                    (self.value_with(gl, hl, leaf.bounds, l2), self.value_with(gr, hr, leaf.bounds, l2));
                let gain = self.gain_at(gl, hl, low, l2) + self.gain_at(gr, hr, high, l2);
                if best.as_ref().is_none_or(|(most, _, _)| gain > *most) {
                    best = Some((gain, members.clone(), left));
                }
            }
        }
        let (gain, mut members, left) = best?;
        let gain = self.net(gain, leaf, p.l2)?;
        members.sort_unstable();
        Some(Split { gain, feature, divide: Divide::Bins(members), left })
    }
}

/// The better of two splits: more gain, then the earlier feature.
pub(super) fn better(a: Option<Split>, b: Option<Split>) -> Option<Split> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let b_wins = b.gain > a.gain || (b.gain == a.gain && b.feature < a.feature);
            Some(if b_wins { b } else { a })
        }
        (a, b) => a.or(b),
    }
}
