//! The sketch itself: counted buckets, the smallest and the largest value.

use super::buckets::{answer, key, range};
use super::store::Store;

/// A mergeable summary of a multiset of numbers that answers quantiles within 1 % (see the
/// [module](super) for what is promised).
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileSketch {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) buckets: Store,
}

impl Default for QuantileSketch {
    fn default() -> Self {
        QuantileSketch { min: f64::INFINITY, max: f64::NEG_INFINITY, buckets: Store::default() }
    }
}

impl QuantileSketch {
    /// The sketch of nothing.
    pub fn new() -> QuantileSketch {
        QuantileSketch::default()
    }

    /// Adds one value. NaN is not a value and is ignored.
    #[inline]
    pub fn insert(&mut self, value: f64) {
        self.insert_n(value, 1);
    }

    /// Adds a value `n` times.
    #[inline]
    pub fn insert_n(&mut self, value: f64, n: u64) {
        if value.is_nan() || n == 0 {
            return;
        }
        // Adding zero turns -0.0 into 0.0: one number, one spelling.
        let value = value + 0.0;
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
        self.buckets.insert(key(value), n);
    }

    /// Adds everything another sketch holds. Counts are integers, so that any order and any grouping of
    /// inserts and merges ends in the same sketch.
    pub fn merge(&mut self, other: &QuantileSketch) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.buckets.merge(&other.buckets);
    }

    /// How many values it holds.
    pub fn count(&self) -> u64 {
        self.buckets.count()
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The smallest value, exact.
    pub fn min(&self) -> Option<f64> {
        (!self.is_empty()).then_some(self.min)
    }

    /// The largest value, exact.
    pub fn max(&self) -> Option<f64> {
        (!self.is_empty()).then_some(self.max)
    }

    /// The smallest value `v` such that at least the share `q` of all values is `<= v`: the value of rank
    /// `⌈q·n⌉` (at least 1) in ascending order, within [`RELATIVE_ERROR`](super::RELATIVE_ERROR); ranks 1 and
    /// `n` are exact. `None` when there are no values or `q` is outside `[0, 1]`.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if self.is_empty() || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let buckets = self.buckets.buckets();
        let count = buckets.iter().map(|b| b.count()).sum();
        let rank = rank(q, count);
        if rank == 1 {
            return Some(self.min);
        }
        if rank == count {
            return Some(self.max);
        }
        let mut seen = 0;
        for bucket in buckets.iter() {
            seen += bucket.count();
            if seen >= rank {
                return Some(answer(bucket.key()).clamp(self.min, self.max));
            }
        }
        Some(self.max)
    }

    /// The share of values that are at most `x`, 0 to 1. Values within 2 % of `x` count in proportion to how far `x` is
    /// into their bucket, the smallest and the largest value and all others exactly. `None` when there are no values or
    /// `x` is NaN.
    pub fn share_within(&self, x: f64) -> Option<f64> {
        if self.is_empty() || x.is_nan() {
            return None;
        }
        if x < self.min {
            return Some(0.0);
        }
        if x >= self.max {
            return Some(1.0);
        }
        let (mut within, mut partly) = (0, 0.0);
        for bucket in self.buckets.buckets().iter() {
            let (first, last) = range(bucket.key());
            let (start, end) = (first.max(self.min), last.min(self.max));
            if end <= x {
                within += bucket.count();
            } else if start <= x {
                // Of this bucket the smallest value of all is within, and the largest is not.
                let (least, most) = (start == self.min, last > self.max);
                partly = (bucket.count() as f64 * ((x - start) / (end - start)))
                    .max(f64::from(u8::from(least)))
                    .min((bucket.count() - u64::from(most)) as f64);
            } else {
                break;
            }
        }
        Some((within as f64 + partly) / self.count() as f64)
    }

    /// Every bucket in use, ascending: its answer, and how many values it counts. The same bucket has the same answer in
    /// every sketch.
    pub fn atoms(&self) -> Vec<(f64, u64)> {
        self.buckets.buckets().iter().map(|b| (answer(b.key()), b.count())).collect()
    }

    /// Bytes of heap in use.
    pub fn heap_size(&self) -> usize {
        self.buckets.heap_size()
    }
}

/// `⌈q·n⌉`, at least 1, reading `q` as the decimal it was written as: 0.07 of 100 is rank 7, although the
/// product of the doubles is 7.000000000000001.
fn rank(q: f64, n: u64) -> u64 {
    let product = q * n as f64;
    let nearest = product.round();
    let rank =
        if (product - nearest).abs() <= product * 4.0 * f64::EPSILON { nearest } else { product.ceil() };
    (rank as u64).clamp(1, n)
}

#[cfg(test)]
mod tests {
    use super::super::RELATIVE_ERROR;
    use super::super::store::MAX_COUNT;
    use super::*;
    use proptest::prelude::*;

    fn sketch(values: &[f64]) -> QuantileSketch {
        let mut sketch = QuantileSketch::new();
        values.iter().for_each(|v| sketch.insert(*v));
        sketch
    }

    /// The definition, by sorting.
    fn exact_quantile(values: &[f64], q: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[rank(q, sorted.len() as u64) as usize - 1]
    }

    fn check_quantiles(values: &[f64]) {
        let sketch = sketch(values);
        assert_eq!(sketch.count(), values.len() as u64);
        for q in [0.0, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0] {
            let (got, exact) = (sketch.quantile(q).unwrap(), exact_quantile(values, q));
            let error = (got - exact).abs();
            assert!(
                got == exact || error <= RELATIVE_ERROR * exact.abs(),
                "q {q}: {got} for {exact} ({} values)",
                values.len()
            );
        }
    }

    /// Standard normal numbers from uniform ones (Box and Muller).
    fn normal(u: f64, v: f64) -> f64 {
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    fn uniform_pairs() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((0.0..1.0, 0.0..1.0), 1..1000)
    }

    proptest! {
        #[test]
        fn quantiles_of_log_normal_values_are_within_one_percent(pairs in uniform_pairs(), sigma in 0.1..4.0) {
            check_quantiles(&pairs.iter().map(|(u, v)| f64::exp(4.0 + sigma * normal(*u, *v))).collect::<Vec<_>>());
        }

        #[test]
        fn quantiles_of_uniform_values_are_within_one_percent(values in prop::collection::vec(0.0..1000.0, 1..1000)) {
            check_quantiles(&values);
        }

        #[test]
        fn quantiles_of_heavy_tailed_values_are_within_one_percent(us in prop::collection::vec(0.0..1.0, 1..1000)) {
            // Pareto with shape 0.3: not even a mean.
            check_quantiles(&us.iter().map(|u: &f64| (1.0 - u).powf(-1.0 / 0.3)).collect::<Vec<_>>());
        }

        #[test]
        fn quantiles_of_negative_values_are_within_one_percent(values in prop::collection::vec(-1e6..0.0, 1..1000)) {
            check_quantiles(&values);
        }

        #[test]
        fn quantiles_of_values_of_either_sign_with_zeros_are_within_one_percent(
            values in prop::collection::vec(prop_oneof![-1e3..1e3, Just(0.0), Just(-0.0), -1e-6..1e-6], 1..1000)
        ) {
            check_quantiles(&values);
        }

        #[test]
        fn quantiles_of_any_normal_doubles_are_within_one_percent(
            values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::INFINITE, 1..200)
        ) {
            check_quantiles(&values);
        }

        #[test]
        fn any_order_and_any_split_ends_in_the_same_bytes(
            values in prop::collection::vec(prop_oneof![4 => 1.0..1e3, 1 => prop::num::f64::ANY], 0..600),
            cuts in prop::collection::vec(0usize..600, 0..5),
            seed in any::<u64>(),
        ) {
            let whole = sketch(&values);
            let mut shuffled = values.clone();
            let mut state = seed | 1;
            for i in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                shuffled.swap(i, (state >> 33) as usize % (i + 1));
            }
            let mut cuts: Vec<_> = cuts.iter().map(|c| c % (values.len() + 1)).chain([0, values.len()]).collect();
            cuts.sort_unstable();
            let mut parts: Vec<_> = cuts.windows(2).map(|w| sketch(&shuffled[w[0]..w[1]])).collect();
            // A tree of merges in one direction, a chain in the other.
            let mut chain = QuantileSketch::new();
            parts.iter().rev().for_each(|p| chain.merge(p));
            while parts.len() > 1 {
                let last = parts.pop().unwrap();
                let middle = parts.len() / 2;
                parts[middle].merge(&last);
            }
            prop_assert_eq!(parts[0].to_bytes(), whole.to_bytes());
            prop_assert_eq!(chain.to_bytes(), whole.to_bytes());
            prop_assert_eq!(chain, whole);
        }

        #[test]
        fn share_within_is_exact_outside_the_bucket_of_x_and_at_both_ends(
            values in prop::collection::vec(-1e3..1e3, 1..300), x in -1e3..1e3
        ) {
            let sketch = sketch(&values);
            let share = |limit: f64| values.iter().filter(|v| **v <= limit).count() as f64 / values.len() as f64;
            let (min, max) = (sketch.min().unwrap(), sketch.max().unwrap());
            prop_assert!(sketch.share_within(min).unwrap() >= share(min) - 1e-12);
            prop_assert_eq!(sketch.share_within(max), Some(1.0));
            for x in [x, min, values[0]] {
                let got = sketch.share_within(x).unwrap();
                let slack = 2.1 * RELATIVE_ERROR * f64::abs(x);
                prop_assert!(share(x - slack) - 1e-12 <= got && got <= share(x + slack) + 1e-12, "{} at {}", got, x);
            }
        }
    }

    #[test]
    fn share_within_counts_what_is_equal() {
        let constant = sketch(&[150.0; 10]);
        assert_eq!(constant.share_within(149.999), Some(0.0));
        assert_eq!(constant.share_within(150.0), Some(1.0));
        let two = sketch(&[150.0, 150.5, 900.0]);
        assert_eq!((two.share_within(150.0), two.share_within(900.0)), (Some(1.0 / 3.0), Some(1.0)));
        assert_eq!(two.share_within(899.0), Some(2.0 / 3.0));
        let ends = sketch(&[f64::NEG_INFINITY, 0.0, 2.0, f64::INFINITY]);
        assert_eq!(ends.share_within(f64::NEG_INFINITY), Some(0.25));
        assert_eq!((ends.share_within(0.0), ends.share_within(f64::INFINITY)), (Some(0.5), Some(1.0)));
        assert_eq!((ends.share_within(f64::NAN), QuantileSketch::new().share_within(1.0)), (None, None));
    }

    #[test]
    fn nothing_has_no_quantile_and_nan_is_nothing() {
        let mut sketch = QuantileSketch::new();
        sketch.insert(f64::NAN);
        sketch.insert_n(5.0, 0);
        assert!(sketch.is_empty());
        assert_eq!((sketch.count(), sketch.quantile(0.5), sketch.share_within(1.0)), (0, None, None));
        assert_eq!((sketch.min(), sketch.max()), (None, None));
    }

    #[test]
    fn the_smallest_and_the_largest_value_are_exact() {
        let sketch = sketch(&[103.7, 99.1, 12.34, 5000.5]);
        assert_eq!((sketch.quantile(0.0), sketch.quantile(1.0)), (Some(12.34), Some(5000.5)));
        assert_eq!((sketch.quantile(0.25), sketch.quantile(0.76)), (Some(12.34), Some(5000.5)));
        assert_eq!(sketch.quantile(1.5), None);
        assert_eq!(sketch.quantile(f64::NAN), None);
    }

    #[test]
    fn infinite_values_sit_at_the_ends() {
        let sketch = sketch(&[f64::NEG_INFINITY, 1.0, 2.0, f64::INFINITY]);
        assert_eq!(sketch.quantile(0.0), Some(f64::NEG_INFINITY));
        assert_eq!(sketch.quantile(0.25), Some(f64::NEG_INFINITY));
        assert!((sketch.quantile(0.5).unwrap() - 1.0).abs() < 0.01);
        assert_eq!(sketch.quantile(1.0), Some(f64::INFINITY));
        assert_eq!(sketch.share_within(f64::NEG_INFINITY), Some(0.25));
        assert_eq!(sketch.share_within(1.5), Some(0.5));
        assert_eq!(sketch.share_within(f64::INFINITY), Some(1.0));
    }

    #[test]
    fn a_rank_reads_the_quantile_as_the_decimal_it_was_written_as() {
        assert_eq!((rank(0.07, 100), rank(0.29, 100), rank(0.95, 20)), (7, 29, 19));
        assert_eq!((rank(0.0, 9), rank(1.0, 9), rank(0.5, 9), rank(0.5, 1)), (1, 9, 5, 1));
        assert_eq!(rank(0.999, 1000), 999);
    }

    #[test]
    fn a_bucket_counts_up_to_its_limit_and_stays_there_in_any_order() {
        let mut one = QuantileSketch::new();
        one.insert_n(1.0, u64::MAX);
        one.insert(1.0);
        let mut two = QuantileSketch::new();
        two.insert(1.0);
        two.insert_n(1.0, u64::MAX);
        assert_eq!(one.count(), MAX_COUNT);
        assert_eq!(one, two);
    }
}
