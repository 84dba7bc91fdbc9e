//! How rare a value of a statistic is, learned from the statistic's own recent values.
//!
//! Within the bulk the answer is the empirical share of values as extreme or more. Beyond the most extreme
//! hundredth the tail is modelled: distances from the median, in units of the spread and on a logarithmic
//! scale, exceed a high limit by an exponentially distributed amount. That is the estimator of Hill ("A
//! simple general approach to inference about the tail of a distribution", 1975), and peaks over a threshold
//! as Siffer et al. use them for streams ("Anomaly detection in streams with extreme value theory", 2017).
//! The few excesses are blended with a prior, so that a short history does not look more certain than it is.

use std::collections::VecDeque;

/// Values of a statistic that are remembered.
pub const HISTORY: usize = 4096;

/// Fewer values say nothing.
const FEWEST: usize = 16;

/// The share of the values, on either side, that count as the tail.
const TAIL_SHARE: f64 = 0.01;

/// The tail is fitted to this many values at least.
const TAIL_FEWEST: usize = 8;

/// Mean excess that is expected before anything was seen (a tail exponent of 4), and how many values that
/// expectation weighs.
const PRIOR_EXCESS: f64 = 0.25;
const PRIOR_WEIGHT: f64 = 4.0;

/// Decades of evidence per decade of history against a value that differs from a constant history.
const CONSTANT_DECADES: f64 = 2.5;

/// A statistic's recent values, in order of arrival and of size.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    arrived: VecDeque<f64>,
    sorted: Vec<f64>,
}

/// How rare a value is and on which side of the median it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rarity {
    /// `-log10` of the probability of a value as extreme on that side: 3 is one in a thousand.
    pub(super) decades: f64,
    /// Whether the value is above the median.
    pub(super) is_high: bool,
}

impl Tail {
    /// How many values are remembered.
    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Remembers a value, and forgets the oldest when there are more than [`HISTORY`].
    pub(super) fn push(&mut self, value: f64) {
        if self.arrived.len() == HISTORY
            && let Some(oldest) = self.arrived.pop_front()
        {
            let at = self.sorted.partition_point(|s| s.total_cmp(&oldest).is_lt());
            self.sorted.remove(at);
        }
        self.arrived.push_back(value);
        let at = self.sorted.partition_point(|s| s.total_cmp(&value).is_lt());
        self.sorted.insert(at, value);
    }

    /// How rare `value` is among the remembered ones, to which it does not belong yet.
    pub(super) fn rarity(&self, value: f64) -> Rarity {
        let n = self.sorted.len();
        if n < FEWEST {
            return Rarity { decades: 0.0, is_high: true };
        }
        let median = self.quantile(0.5);
        let is_high = value >= median;
        let spread = self.spread(median);
        if spread <= 0.0 {
            let decades = if value == median { 0.0 } else { CONSTANT_DECADES * ((n + 1) as f64).log10() };
            return Rarity { decades, is_high };
        }
        // Distance from the median towards the value's side; the other side is at 0.
        let distance = |v: f64| {
            let away = if is_high { v - median } else { median - v };
            (away.max(0.0) / spread).ln_1p()
        };
        let m = ((n as f64 * TAIL_SHARE).ceil() as usize).clamp(TAIL_FEWEST, n / 2);
        let (limit, tail) = if is_high {
            (distance(self.sorted[n - m - 1]), &self.sorted[n - m..])
        } else {
            (distance(self.sorted[m]), &self.sorted[..m])
        };
        let reached = distance(value);
        let decades = if reached <= limit {
            let beyond = if is_high {
                n - self.sorted.partition_point(|s| *s < value)
            } else {
                self.sorted.partition_point(|s| *s <= value)
            };
            -((beyond + 1) as f64 / (n + 1) as f64).log10()
        } else {
            let excesses: f64 = tail.iter().map(|v| distance(*v) - limit).sum();
            let excess = (excesses + PRIOR_EXCESS * PRIOR_WEIGHT) / (m as f64 + PRIOR_WEIGHT);
            -(m as f64 / n as f64).log10() + (reached - limit) / excess / std::f64::consts::LN_10
        };
        Rarity { decades, is_high }
    }

    fn quantile(&self, share: f64) -> f64 {
        self.sorted[((self.sorted.len() - 1) as f64 * share).round() as usize]
    }

    /// Half the distance of the quartiles; wider when the rest is; the mean distance from the median for a
    /// series that rarely leaves one value.
    fn spread(&self, median: f64) -> f64 {
        let quartiles = (self.quantile(0.75) - self.quantile(0.25)) / 2.0;
        let outer = (self.quantile(0.95) - self.quantile(0.05)) / 6.0;
        let spread = quartiles.max(outer);
        if spread > 0.0 {
            return spread;
        }
        self.sorted.iter().map(|s| (s - median).abs()).sum::<f64>() / self.sorted.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(values: impl Iterator<Item = f64>) -> Tail {
        let mut tail = Tail::default();
        values.for_each(|v| tail.push(v));
        tail
    }

    #[test]
    fn within_the_bulk_rarity_is_the_share_of_values_as_extreme() {
        let tail = learned((0..1000).map(f64::from));
        // 100 of 1000 values are 900 or more: -log10(101/1001).
        let rarity = tail.rarity(900.0);
        assert!((rarity.decades - 0.996_112_5).abs() < 1e-6, "{rarity:?}");
        assert!(rarity.is_high && !tail.rarity(99.0).is_high);
    }

    #[test]
    fn rarity_grows_with_the_distance_beyond_all_values() {
        let tail = learned((0..1000).map(|i| f64::from(i % 100)));
        let decades: Vec<f64> = [99.0, 150.0, 300.0, 3000.0].map(|v| tail.rarity(v).decades).to_vec();
        assert!(decades.is_sorted() && decades[3] > 4.0, "{decades:?}");
        assert!(tail.rarity(-300.0).decades > 3.0);
    }

    #[test]
    fn only_the_latest_values_are_remembered() {
        let mut tail = learned(std::iter::repeat_n(5.0, HISTORY));
        (0..HISTORY).for_each(|_| tail.push(7.0));
        assert_eq!((tail.len(), tail.rarity(7.0).decades), (HISTORY, 0.0));
        assert!(tail.rarity(5.0).decades > 5.0);
    }

    #[test]
    fn few_values_say_nothing() {
        assert_eq!(learned((0..15).map(f64::from)).rarity(1e9).decades, 0.0);
    }
}
