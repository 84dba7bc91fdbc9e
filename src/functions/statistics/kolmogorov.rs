//! The largest gap between two distribution functions, and how likely it is by chance (Smirnov, "On the estimation of
//! the discrepancy between empirical curves of distribution for two independent samples", 1939).
//!
//! | distributions | statistic | p |
//! |---|---|---|
//! | either without values | none | none |
//! | equal | 0 | 1 |
//! | without overlap | 1 | the least that the sizes allow |
//! | with ties, or from sketches | as it is | too large rather than too small |

use super::distribution::Distribution;

/// Up to this product of sizes paths are counted exactly; a step each.
const MOST_STEPS: u128 = 1_000_000;

/// The statistic, as a whole number of 1 / (m·n).
fn gap(ours: &Distribution, theirs: &Distribution) -> u128 {
    let (m, n) = (u128::from(ours.total()), u128::from(theirs.total()));
    let gaps = ours.cumulated(theirs).map(|(_, a, b)| (u128::from(a) * n).abs_diff(u128::from(b) * m));
    gaps.max().unwrap_or(0)
}

/// The largest distance between the distribution functions, 0 to 1.
pub fn ks_statistic(ours: &Distribution, theirs: &Distribution) -> f64 {
    gap(ours, theirs) as f64 / (u128::from(ours.total()) * u128::from(theirs.total())) as f64
}

/// How likely a gap as large is when both come from one distribution; two-sided. Exact for values without ties up to
/// m·n = 1,000,000, beyond that Kolmogorov's limit.
pub fn ks_p_value(ours: &Distribution, theirs: &Distribution) -> f64 {
    let gap = gap(ours, theirs);
    let (m, n) = (u128::from(ours.total()), u128::from(theirs.total()));
    if m * n <= MOST_STEPS {
        return reaching(m as u64, n as u64, gap as u64);
    }
    let effective = m as f64 * (n as f64 / (m + n) as f64);
    kolmogorov_upper_tail(effective.sqrt() * ks_statistic(ours, theirs))
}

/// The probability that the path of two samples shuffled into one another gets a gap as wide somewhere. Coming to
/// `(i, j)`, the last step was one of the first sample with probability i / (i + j); all terms are positive, so that
/// small probabilities keep their digits.
fn reaching(m: u64, n: u64, gap: u64) -> f64 {
    if gap == 0 {
        return 1.0;
    }
    let is_wide = |i: u64, j: u64| (i * n).abs_diff(j * m) >= gap;
    let mut row: Vec<f64> = Vec::with_capacity(n as usize + 1);
    for i in 0..=m {
        for j in 0..=n {
            let at = j as usize;
            let reached = if is_wide(i, j) {
                1.0
            } else {
                let from_above = if i > 0 { row[at] * (i as f64 / (i + j) as f64) } else { 0.0 };
                let from_left = if j > 0 { row[at - 1] * (j as f64 / (i + j) as f64) } else { 0.0 };
                from_above + from_left
            };
            if i == 0 { row.push(reached) } else { row[at] = reached }
        }
    }
    row[n as usize].min(1.0)
}

/// The probability that Kolmogorov's distribution exceeds `x` (Kolmogorov 1933; below 1 in the form of the theta
/// function, which converges there).
fn kolmogorov_upper_tail(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        return 1.0;
    }
    // Four terms leave less than 1e-16 on either side.
    let terms = 1..=4;
    let p: f64 = if x < 1.0 {
        let term = |k: i32| (-f64::from((2 * k - 1) * (2 * k - 1)) * PI * PI / (8.0 * x * x)).exp();
        1.0 - (2.0 * PI).sqrt() / x * terms.map(term).sum::<f64>()
    } else {
        let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * f64::from(k * k) * x * x).exp();
        terms.map(term).sum()
    };
    p.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::sample::sorted;
    use super::*;
    use proptest::prelude::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Distribution {
        Distribution::of_sample(&sorted(values)).unwrap()
    }

    fn close(got: f64, expected: f64) {
        assert!((got / expected - 1.0).abs() < 1e-10, "{got} for {expected}");
    }

    #[test]
    fn the_gap_and_its_exact_probability_are_those_of_scipy() {
        // a = [k * 37 % 211 for k in range(60)]; b = [(k * 53 % 197) * 1.3 + 10.01 for k in range(45)]
        // scipy.stats.ks_2samp(a, b, method="exact")
        let a = of((0..60).map(|k| f64::from(k * 37 % 211)));
        let b = of((0..45).map(|k| f64::from(k * 53 % 197) * 1.3 + 10.01));
        close(ks_statistic(&a, &b), 0.233_333_333_333_333_34);
        close(ks_p_value(&a, &b), 0.106_018_608_164_905_71);
    }

    #[test]
    fn the_limit_is_that_of_scipy() {
        // scipy.stats.kstwobign.sf([0.4, 0.9, 1.0, 1.5, 3.0])
        let expectations = [
            (0.4, 0.997_192_326_777_298_3),
            (0.9, 0.392_730_707_940_654_3),
            (1.0, 0.269_999_671_677_354_56),
            (1.5, 0.022_217_962_616_525_127),
            (3.0, 3.045_995_948_942_526e-8),
        ];
        for (x, expected) in expectations {
            close(kolmogorov_upper_tail(x), expected);
        }
    }

    #[test]
    fn large_samples_are_judged_by_the_limit() {
        // a = range(2000); b = [k + 60.5 for k in range(2000)]; scipy.special.kolmogorov(sqrt(1000) * 61 / 2000)
        let a = of((0..2000).map(f64::from));
        let b = of((0..2000).map(|k| f64::from(k) + 60.5));
        assert_eq!(ks_statistic(&a, &b), 61.0 / 2000.0);
        close(ks_p_value(&a, &b), 0.310_017_510_317_237_9);
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![(0i32..9).prop_map(f64::from), -5.0..15.0], 1..60)
    }

    proptest! {
        #[test]
        fn gap_and_probability_are_symmetric_and_equals_have_none(a in values(), b in values()) {
            let (a, b) = (of(a), of(b));
            prop_assert_eq!(ks_statistic(&a, &b), ks_statistic(&b, &a));
            prop_assert!((ks_p_value(&a, &b) / ks_p_value(&b, &a) - 1.0).abs() < 1e-9);
            prop_assert_eq!((ks_statistic(&a, &a), ks_p_value(&a, &a)), (0.0, 1.0));
        }
    }
}
