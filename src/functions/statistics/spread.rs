//! Do two samples spread equally far around their medians? (Brown and Forsythe, "Robust tests for the equality of
//! variances", JASA 1974: Levene's test with medians.)
//!
//! Chosen before the F test, which takes heavy tails for spread, and before Ansari-Bradley and Mood, which need equal
//! medians and have no simple effect: here the effect is the ratio of the mean distances, in words anyone can check.
//!
//! | samples | ratio | p |
//! |---|---|---|
//! | either under 3 values | none | none |
//! | both constant | 1 | 1 |
//! | only the baseline constant | ∞ | by the test |
//! | every distance equal within each sample | as it is | 1 when equal, else 0 |

use super::normal;
use super::sample::{deviations, sum};

/// Fewer values have no spread worth the name.
const MIN_VALUES: usize = 3;

/// The outcome of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean distance from the median, candidate by baseline.
    pub ratio: f64,
    /// How likely distances as different are when the samples spread equally far.
    pub p: f64,
}

/// Compares the spread of two sorted samples.
pub fn brown_forsythe(baseline: &[f64], candidate: &[f64]) -> Option<Spread> {
    if baseline.len() < MIN_VALUES || candidate.len() < MIN_VALUES {
        return None;
    }
    let (ours, theirs) = (deviations(baseline), deviations(candidate));
    let (m, n) = (ours.len() as f64, theirs.len() as f64);
    let (our_mean, their_mean) = (sum(ours.iter().copied()) / m, sum(theirs.iter().copied()) / n);
    let ratio = if our_mean == their_mean { 1.0 } else { their_mean / our_mean };
    let squares = |distances: &[f64], mean: f64| sum(distances.iter().map(|d| (d - mean) * (d - mean)));
    // The order of the two sums must not matter.
    let within = squares(&ours, our_mean) + squares(&theirs, their_mean);
    let step = our_mean - their_mean;
    let between = step * step * (m * n / (m + n));
    if !(within.is_finite() && between.is_finite()) {
        return None;
    }
    let p = match (between == 0.0, within == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => normal::f_upper_tail(between / (within / (m + n - 2.0)), 1.0, m + n - 2.0)?,
    };
    Some(Spread { ratio, p })
}

#[cfg(test)]
mod tests {
    use super::super::mann_whitney::mann_whitney;
    use super::super::sample::sorted;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_medians_with_different_spread_are_not_equal() {
        // b = [100 + (k * 37 % 101 - 50) / 50 for k in range(101)]; c = [100 + (k * 37 % 101 - 50) / 5 for k in range(101)]
        // scipy.stats.levene(b, c, center="median").pvalue; mannwhitneyu(b, c).pvalue is 1.0
        let b = sorted((0..101).map(|k| 100.0 + f64::from(k * 37 % 101 - 50) / 50.0));
        let c = sorted((0..101).map(|k| 100.0 + f64::from(k * 37 % 101 - 50) / 5.0));
        assert!(mann_whitney(&b, &c).unwrap().p > 0.99);
        let spread = brown_forsythe(&b, &c).unwrap();
        assert!((spread.ratio - 10.0).abs() < 1e-9, "{spread:?}");
        assert!((spread.p / 3.881_154_988_695_641e-36 - 1.0).abs() < 1e-6, "{spread:?}");
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![(0i32..9).prop_map(f64::from), -5.0..15.0], 3..60)
    }

    proptest! {
        #[test]
        fn swapping_the_samples_keeps_p_and_inverts_the_ratio(a in values(), b in values()) {
            let (a, b) = (sorted(a), sorted(b));
            let (one, other) = (brown_forsythe(&a, &b).unwrap(), brown_forsythe(&b, &a).unwrap());
            prop_assert_eq!(one.p, other.p);
            prop_assert!((one.ratio * other.ratio - 1.0).abs() < 1e-12 || one.ratio.min(other.ratio) == 0.0);
            prop_assert_eq!(brown_forsythe(&a, &a).unwrap(), Spread { ratio: 1.0, p: 1.0 });
        }
    }

    #[test]
    fn constants_and_small_samples_follow_the_stated_rules() {
        assert_eq!(brown_forsythe(&[1.0, 2.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(brown_forsythe(&[4.0; 5], &[9.0; 4]), Some(Spread { ratio: 1.0, p: 1.0 }));
        let against_constant = brown_forsythe(&[4.0; 5], &[1.0, 2.0, 3.0, 9.0]).unwrap();
        assert!(against_constant.ratio.is_infinite() && against_constant.p < 1.0);
    }
}
