//! Judging each value of a series by the values before it: moving averages, bands, z-scores.
//!
//! What is said of a value depends on those before it (and, for the z-score, on the value itself), never on later
//! ones. A value is a finite number; NULL, NaN and ±∞ are gaps: they do not
//! enter the history, and the row that has one still gets its expectation.
//!
//! A window of the last `periods` values is summed afresh for each row, mean first and squared deviations
//! second. That costs `periods` additions a row and loses nothing to cancellation, which a running sum of
//! squares would; and the result depends on the values of the window only, not on how long the series ran.

use std::collections::VecDeque;

/// Values that must have been seen before anything is expected of the next one.
pub const WARM_UP: usize = 5;

/// z-scores end here. A hundred standard deviations say "far out" as well as any larger number, and a
/// constant history, for which the score is unbounded, stays finite.
pub const MAX_ZSCORE: f64 = 100.0;

/// Mean and population standard deviation of the last values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// The population standard deviation (Bollinger's convention), 0 for a constant history.
    pub deviation: f64,
}

impl Moments {
    /// `mean + width · deviation` (Bollinger, "Bollinger on Bollinger Bands", 2001); a negative `width` gives the
    /// lower band. `None` where the band is not finite.
    pub fn band(self, width: f64) -> Option<f64> {
        Some(self.mean + width * self.deviation).filter(|band| band.is_finite())
    }

    /// How many standard deviations a value is away from the mean, within ±[`MAX_ZSCORE`]. After a constant history:
    /// 0 for the constant, ±[`MAX_ZSCORE`] for anything else. `None` for a gap.
    pub fn zscore(self, value: f64) -> Option<f64> {
        let Moments { mean, deviation } = self;
        if !value.is_finite() || !mean.is_finite() || !deviation.is_finite() {
            return None;
        }
        let distance = value - mean;
        // x / 0 is infinite and ends at the limit like everything beyond it.
        Some(if distance == 0.0 { 0.0 } else { (distance / deviation).clamp(-MAX_ZSCORE, MAX_ZSCORE) })
    }
}

/// Exponentially weighted moving average of the earlier values: starts at the first, then moves by `alpha` of
/// the difference to each next one (EWMA without bias adjustment; Roberts, "Control chart tests based on
/// geometric moving averages", 1959).
#[derive(Debug, Clone)]
pub struct Average {
    alpha: f64,
    average: f64,
    seen: usize,
}

impl Average {
    /// Of no values yet.
    pub fn new(alpha: f64) -> Self {
        Average { alpha, average: 0.0, seen: 0 }
    }

    /// What is expected of the next value; then takes it in. `None` before [`WARM_UP`] values.
    pub fn next(&mut self, value: Option<f64>) -> Option<f64> {
        let expected = (self.seen >= WARM_UP).then_some(self.average);
        if let Some(value) = value.filter(|v| v.is_finite()) {
            self.average = if self.seen == 0 { value } else { step(self.average, value, self.alpha) };
            self.seen += 1;
        }
        expected
    }
}

/// `average + alpha · (value − average)`, which keeps a constant exactly; the difference of two numbers of
/// opposite sign near the largest double does not overflow either.
fn step(average: f64, value: f64, alpha: f64) -> f64 {
    let difference = value - average;
    if difference.is_finite() {
        average + alpha * difference
    } else {
        average * (1.0 - alpha) + value * alpha
    }
}

/// The last values of a series.
#[derive(Debug, Clone)]
pub struct Window {
    periods: usize,
    values: VecDeque<f64>,
    seen: usize,
}

impl Window {
    /// Of no values yet; it will hold `periods` at most.
    pub fn new(periods: usize) -> Self {
        Window { periods, values: VecDeque::new(), seen: 0 }
    }

    /// The values before the next one; then takes it in. `None` before [`WARM_UP`] values.
    pub fn advance<T>(&mut self, value: Option<f64>, of: impl FnOnce(&VecDeque<f64>) -> T) -> Option<T> {
        let expected = (self.seen >= WARM_UP).then(|| of(&self.values));
        if let Some(value) = value.filter(|v| v.is_finite()) {
            if self.values.len() == self.periods {
                self.values.pop_front();
            }
            self.values.push_back(value);
            self.seen += 1;
        }
        expected
    }

    /// [`Moments`] of the values before the next one; then takes it in.
    pub fn next(&mut self, value: Option<f64>) -> Option<Moments> {
        self.advance(value, moments_of)
    }
}

/// Two passes around the newest value, so that a constant has exactly its own mean and deviation 0.
fn moments_of(window: &VecDeque<f64>) -> Moments {
    let Some(pivot) = window.back() else { return Moments { mean: 0.0, deviation: 0.0 } };
    let n = window.len() as f64;
    let mean = pivot + window.iter().map(|v| v - pivot).sum::<f64>() / n;
    let squares = window.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    Moments { mean, deviation: (squares / n).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ewma(values: &[Option<f64>], alpha: f64) -> Vec<Option<f64>> {
        let mut average = Average::new(alpha);
        values.iter().map(|value| average.next(*value)).collect()
    }

    fn moments(values: &[Option<f64>], periods: usize) -> Vec<Option<Moments>> {
        let mut window = Window::new(periods);
        values.iter().map(|value| window.next(*value)).collect()
    }

    fn bollinger(values: &[Option<f64>], periods: usize, width: f64) -> Vec<Option<f64>> {
        moments(values, periods).into_iter().map(|m| m.and_then(|m| m.band(width))).collect()
    }

    fn zscore(values: &[Option<f64>], periods: usize) -> Vec<Option<f64>> {
        values
            .iter()
            .zip(moments(values, periods))
            .map(|(value, moments)| moments?.zscore((*value)?))
            .collect()
    }

    fn some(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    fn series() -> impl Strategy<Value = Vec<Option<f64>>> {
        let value = prop_oneof![
            8 => (-1e3..1e3).prop_map(Some),
            1 => Just(Some(250.0)),
            1 => Just(None),
            1 => prop_oneof![Just(Some(f64::NAN)), Just(Some(f64::INFINITY))]
        ];
        prop::collection::vec(value, 0..60)
    }

    fn earlier(values: &[Option<f64>], at: usize) -> Vec<f64> {
        values[..at].iter().flatten().copied().filter(|v| v.is_finite()).collect()
    }

    fn close(got: Option<f64>, expected: Option<f64>) -> bool {
        match (got, expected) {
            (Some(got), Some(expected)) => (got - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            (got, expected) => got == expected,
        }
    }

    proptest! {
        #[test]
        fn an_average_is_the_weighted_sum_of_its_history(values in series(), alpha in 0.01..=1.0) {
            for (at, got) in ewma(&values, alpha).into_iter().enumerate() {
                let history = earlier(&values, at);
                // The closed form: the first value keeps (1 - alpha)^k, the others alpha (1 - alpha)^age.
                let last = history.len().saturating_sub(1) as i32;
                let weight = |i: usize| (1.0 - alpha).powi(last - i as i32) * if i == 0 { 1.0 } else { alpha };
                let naive = history.iter().enumerate().map(|(i, v)| weight(i) * v).sum::<f64>();
                prop_assert!(close(got, (history.len() >= WARM_UP).then_some(naive)), "{at}: {got:?} {naive}");
            }
        }

        #[test]
        fn bands_and_scores_are_those_of_the_last_values(values in series(), periods in 2usize..12, width in 0.0..4.0) {
            let (upper, scores) = (bollinger(&values, periods, width), zscore(&values, periods));
            let lower = bollinger(&values, periods, -width);
            for at in 0..values.len() {
                let history = earlier(&values, at);
                let window = &history[history.len().saturating_sub(periods)..];
                let n = window.len() as f64;
                let mean = window.iter().sum::<f64>() / n;
                let deviation = (window.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
                let is_warm = history.len() >= WARM_UP;
                prop_assert!(close(upper[at], is_warm.then_some(mean + width * deviation)));
                prop_assert!(close(lower[at], is_warm.then_some(mean - width * deviation)));
                let value = values[at].filter(|v| v.is_finite());
                prop_assert_eq!(scores[at].is_some(), is_warm && value.is_some());
                if let (Some(score), Some(value), true) = (scores[at], value, deviation > 1e-6) {
                    let naive = ((value - mean) / deviation).clamp(-MAX_ZSCORE, MAX_ZSCORE);
                    prop_assert!((score - naive).abs() < 1e-6, "{score} {naive}");
                }
            }
        }

        #[test]
        fn a_change_to_later_values_never_changes_an_earlier_result(
            values in series(), later in series(), cut in any::<prop::sample::Index>(), periods in 2usize..12
        ) {
            let cut = cut.index(values.len() + 1);
            let changed: Vec<_> = values[..cut].iter().chain(&later).copied().collect();
            prop_assert_eq!(&ewma(&values, 0.3)[..cut], &ewma(&changed, 0.3)[..cut]);
            prop_assert_eq!(&bollinger(&values, periods, 2.0)[..cut], &bollinger(&changed, periods, 2.0)[..cut]);
            prop_assert_eq!(&zscore(&values, periods)[..cut], &zscore(&changed, periods)[..cut]);
        }
    }

    #[test]
    fn nothing_is_expected_before_five_values() {
        let values = some(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(ewma(&values, 0.5)[..5], [None; 5]);
        assert_eq!(bollinger(&values, 3, 2.0)[..5], [None; 5]);
        assert_eq!(zscore(&values, 3)[..5], [None; 5]);
        assert!(zscore(&values, 3)[5].is_some());
        assert_eq!(ewma(&[], 0.5), []);
    }

    #[test]
    fn a_constant_history_has_bands_at_the_constant_and_finite_scores() {
        // 0.1 has no exact double: a mean by plain summation would differ from it.
        let values = some(&[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.0]);
        assert_eq!(ewma(&values, 0.3)[7], Some(0.1));
        assert_eq!(bollinger(&values, 20, 2.0)[7], Some(0.1));
        assert_eq!(bollinger(&values, 20, -2.0)[7], Some(0.1));
        assert_eq!(zscore(&values[..8], 20)[6..], [Some(0.0), Some(MAX_ZSCORE)]);
        assert_eq!(zscore(&some(&[0.1, 0.1, 0.1, 0.1, 0.1, 0.0]), 20)[5], Some(-MAX_ZSCORE));
    }

    #[test]
    fn small_movements_on_a_large_level_are_not_lost() {
        // A sum of squares of numbers near 1e9 has no digits left for movements of 0.1.
        let values = some(&[1e9, 1e9 + 0.1, 1e9, 1e9 + 0.1, 1e9, 1e9 + 0.1, 1e9]);
        let deviation = moments(&values, 6)[6].unwrap().deviation;
        assert!((deviation - 0.05).abs() < 1e-6, "{deviation}");
    }

    #[test]
    fn numbers_near_the_largest_double_give_none_instead_of_infinity() {
        let values = some(&[1e308, -1e308, 1e308, -1e308, 1e308, -1e308]);
        assert!(ewma(&values, 0.5)[5].unwrap().is_finite());
        assert_eq!(bollinger(&values, 5, 2.0)[5], None);
        assert_eq!(zscore(&values, 5)[5], None);
    }
}
