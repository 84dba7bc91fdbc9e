//! How far apart two distributions are, in three currencies: shares moved between bins (population stability index,
//! Jensen-Shannon divergence) and distance moved along the axis (Wasserstein).
//!
//! Bins are the deciles of both distributions taken together, so that neither side is privileged: swapping them gives
//! the same bytes. With deciles of the baseline alone, as often done, it would not.
//!
//! | distributions | psi | js | wasserstein |
//! |---|---|---|---|
//! | either without values | none | none | none |
//! | equal | 0 | 0 | 0 |
//! | without overlap | as large as the counts allow (an empty bin counts half a value) | 1 | their distance |
//! | ±∞ in different shares | infinite values are values | the same | ∞ |

use super::distribution::Distribution;

/// Deciles, the usual choice for the population stability index.
const BINS: u64 = 10;

/// The values of both sides in each bin.
fn binned(ours: &Distribution, theirs: &Distribution) -> Vec<(u64, u64)> {
    let all = u128::from(ours.total()) + u128::from(theirs.total());
    let mut bins = Vec::with_capacity(BINS as usize);
    let mut start = (0, 0);
    // The decile that ends next.
    let mut next = 1;
    for (_, a, b) in ours.cumulated(theirs) {
        let seen = u128::from(a) + u128::from(b);
        if seen * u128::from(BINS) >= all * u128::from(next) {
            bins.push((a - start.0, b - start.1));
            start = (a, b);
            next = (seen * u128::from(BINS) / all) as u64 + 1;
        }
    }
    bins
}

/// The population stability index, Σ (p − q)·ln(p / q) over bins: the symmetrised Kullback-Leibler divergence. Below 0.1 is
/// usually read as stable and above 0.25 as shifted (Siddiqi, "Credit risk scorecards", 2006). An empty bin counts
/// as half a value, so that its logarithm is finite and shrinks in weight with the size of the sample.
pub fn psi(ours: &Distribution, theirs: &Distribution) -> f64 {
    let share = |count: u64, total: u64| (count as f64).max(0.5) / total as f64;
    let parts = binned(ours, theirs).into_iter().map(|(a, b)| {
        let (p, q) = (share(a, ours.total()), share(b, theirs.total()));
        (p - q) * (p.ln() - q.ln())
    });
    parts.sum()
}

/// The Jensen-Shannon divergence over bins, in bits: 0 for equal shares, 1 without overlap (Lin, "Divergence measures
/// based on the Shannon entropy", IEEE Trans. Inf. Theory 1991). Its square root is a distance.
pub fn js_divergence(ours: &Distribution, theirs: &Distribution) -> f64 {
    let part = |p: f64, mean: f64| if p > 0.0 { p * (p / mean).log2() } else { 0.0 };
    let parts = binned(ours, theirs).into_iter().map(|(a, b)| {
        let (p, q) = (a as f64 / ours.total() as f64, b as f64 / theirs.total() as f64);
        let mean = (p + q) / 2.0;
        (part(p, mean) + part(q, mean)) / 2.0
    });
    parts.sum::<f64>().clamp(0.0, 1.0)
}

/// The 1-Wasserstein (earth mover's) distance, ∫ |F − G|, in the unit of the values (Vallender, "Calculation of the
/// Wasserstein distance between probability distributions on the line", 1973).
pub fn wasserstein(ours: &Distribution, theirs: &Distribution) -> f64 {
    let (m, n) = (u128::from(ours.total()), u128::from(theirs.total()));
    let mut distance = 0.0;
    let mut before: Option<(f64, u128)> = None;
    for (at, a, b) in ours.cumulated(theirs) {
        if let Some((from, apart)) = before.filter(|(_, apart)| *apart > 0) {
            distance += (at - from) * (apart as f64 / (m * n) as f64);
        }
        before = Some((at, (u128::from(a) * n).abs_diff(u128::from(b) * m)));
    }
    distance
}

#[cfg(test)]
mod tests {
    use super::super::sample::sorted;
    use super::*;
    use crate::functions::QuantileSketch;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Distribution {
        Distribution::of_sample(&sorted(values.iter().copied())).unwrap()
    }

    fn sketch(values: &[f64]) -> QuantileSketch {
        let mut sketch = QuantileSketch::new();
        values.iter().for_each(|v| sketch.insert(*v));
        sketch
    }

    fn first() -> Vec<f64> {
        (0..200).map(|k| f64::from(k * 37 % 211)).collect()
    }

    fn second() -> Vec<f64> {
        (0..150).map(|k| f64::from(k * 53 % 197) * 1.3 + 10.0).collect()
    }

    #[test]
    fn distances_are_those_of_scipy_over_the_same_bins() {
        // a = [k * 37 % 211 for k in range(200)]; b = [(k * 53 % 197) * 1.3 + 10 for k in range(150)]
        // scipy.stats.wasserstein_distance(a, b); numpy.histogram over the deciles of both
        // (numpy.quantile(a + b, k / 10, method="inverted_cdf")), p and q; scipy.spatial.distance.jensenshannon(p, q, 2) ** 2;
        // sum((p - q) * log(p / q))
        let (a, b) = (of(&first()), of(&second()));
        let close =
            |got: f64, expected: f64| assert!((got / expected - 1.0).abs() < 1e-12, "{got} for {expected}");
        close(wasserstein(&a, &b), 32.098_666_666_666_674);
        close(js_divergence(&a, &b), 0.113_009_437_934_377_84);
        close(psi(&a, &b), 0.927_090_701_400_371_6);
    }

    #[test]
    fn far_apart_is_one_bit_and_the_distance_between_them() {
        let (a, b) = (of(&[1.0, 2.0]), of(&[11.0, 12.0]));
        assert_eq!(js_divergence(&a, &b), 1.0);
        assert_eq!(wasserstein(&a, &b), 10.0);
        assert!(psi(&a, &b) > 0.5);
    }

    #[test]
    fn infinite_values_of_a_sketch_are_infinitely_far_unless_both_sides_have_them() {
        let of = |values: &[f64]| Distribution::of_values(&sketch(values)).unwrap();
        let (with, without) = (of(&[1.0, f64::INFINITY]), of(&[1.0, 2.0]));
        assert_eq!(wasserstein(&with, &without), f64::INFINITY);
        assert_eq!(wasserstein(&with, &with), 0.0);
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![(1i32..9).prop_map(f64::from), 1.0..150.0], 1..80)
    }

    proptest! {
        #[test]
        fn distances_are_symmetric_zero_for_equals_and_not_negative(a in values(), b in values()) {
            let (a, b) = (of(&a), of(&b));
            for distance in [psi, js_divergence, wasserstein] {
                prop_assert_eq!(distance(&a, &b).to_bits(), distance(&b, &a).to_bits());
                prop_assert_eq!(distance(&a, &a), 0.0);
                prop_assert!(distance(&a, &b) >= 0.0);
            }
        }

        #[test]
        fn the_order_of_values_does_not_matter_nor_does_repeating_all_of_them(a in values(), b in values()) {
            let mut turned = a.clone();
            turned.reverse();
            let twice: Vec<f64> = a.iter().chain(&a).copied().collect();
            let b = of(&b);
            prop_assert_eq!(wasserstein(&of(&a), &b), wasserstein(&of(&turned), &b));
            prop_assert!((wasserstein(&of(&a), &b) - wasserstein(&of(&twice), &b)).abs() < 1e-9);
        }

        #[test]
        fn sketches_are_as_far_apart_as_their_values_within_one_percent_of_them(a in values(), b in values()) {
            let exact = wasserstein(&of(&a), &of(&b));
            let (sa, sb) = (sketch(&a), sketch(&b));
            let got = wasserstein(&Distribution::of_values(&sa).unwrap(), &Distribution::of_values(&sb).unwrap());
            prop_assert!((got - exact).abs() <= 0.02 * 150.0, "{got} for {exact}");
        }
    }
}
