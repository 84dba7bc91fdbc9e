//! Do values of one sample tend to be larger than those of another? Ranks only, so outliers count no more than
//! other values (Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than
//! the other", Ann. Math. Statist. 1947).
//!
//! | samples | U | p |
//! |---|---|---|
//! | either empty | none | none |
//! | all values equal | m·n / 2 | 1 |
//! | both under 50 values, no two values equal | pairs in which the candidate is larger | exact |
//! | otherwise | the same, equal ones half | normal, corrected for ties and continuity |

use super::normal;

/// Below this size samples without ties are judged exactly (the rule of R's `wilcox.test`).
const EXACT_BELOW: usize = 50;

/// The outcome of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the candidate's value is larger; equal ones count half.
    pub u: f64,
    /// How likely a `u` as far from half of the pairs is when the samples do not differ; two-sided.
    pub p: f64,
}

/// Sizes and ties of two sorted samples taken together.
#[derive(Debug)]
pub(super) struct Ranking {
    m: usize,
    n: usize,
    /// Twice the U of the candidate: a whole number.
    twice_u: u128,
    /// The sum of t³ − t over groups of t equal values.
    ties: f64,
}

impl Ranking {
    /// `None` when a sample is empty.
    pub(super) fn new(baseline: &[f64], candidate: &[f64]) -> Option<Ranking> {
        if baseline.is_empty() || candidate.is_empty() {
            return None;
        }
        let (mut i, mut j) = (0, 0);
        let (mut twice_u, mut ties) = (0_u128, 0.0);
        while i < baseline.len() || j < candidate.len() {
            let smallest = match (baseline.get(i), candidate.get(j)) {
                (Some(b), Some(c)) => b.min(*c),
                (Some(b), None) => *b,
                (None, Some(c)) => *c,
                (None, None) => break,
            };
            let ours = baseline[i..].iter().take_while(|v| **v == smallest).count();
            let theirs = candidate[j..].iter().take_while(|v| **v == smallest).count();
            twice_u += theirs as u128 * (2 * i as u128 + ours as u128);
            let tied = (ours + theirs) as f64;
            ties += tied * tied * tied - tied;
            (i, j) = (i + ours, j + theirs);
        }
        Some(Ranking { m: baseline.len(), n: candidate.len(), twice_u, ties })
    }

    /// How many pairs of a value of each sample there are.
    pub(super) fn pairs(&self) -> u64 {
        self.m as u64 * self.n as u64
    }

    /// Whether the distribution of U is known exactly.
    pub(super) fn is_exact(&self) -> bool {
        self.ties == 0.0 && self.m < EXACT_BELOW && self.n < EXACT_BELOW
    }

    /// The standard deviation of U when the samples do not differ (Lehmann, "Nonparametrics", 1975, (1.35)).
    pub(super) fn deviation(&self) -> f64 {
        let all = (self.m + self.n) as f64;
        let correction = if all > 1.0 { self.ties / (all * (all - 1.0)) } else { 0.0 };
        (self.pairs() as f64 / 12.0 * (all + 1.0 - correction)).max(0.0).sqrt()
    }

    /// For each value of U without ties: in how many arrangements it occurs. These are the coefficients of the
    /// Gaussian binomial ∏ (1 − q^(n+i)) / (1 − q^i), i = 1 … m; below 2^95 for samples under 50 values.
    pub(super) fn arrangements(&self) -> Vec<i128> {
        let mut counts = vec![0_i128; self.m * self.n + 1];
        counts[0] = 1;
        for i in 1..=self.m {
            for u in (self.n + i..counts.len()).rev() {
                counts[u] -= counts[u - self.n - i];
            }
            for u in i..counts.len() {
                counts[u] += counts[u - i];
            }
        }
        counts
    }

    fn p(&self) -> f64 {
        let pairs = u128::from(self.pairs());
        let larger = self.twice_u.max(2 * pairs - self.twice_u);
        if self.is_exact() {
            let counts = self.arrangements();
            let tail: i128 = counts[(larger / 2) as usize..].iter().sum();
            let all: i128 = counts.iter().sum();
            return (2.0 * tail as f64 / all as f64).min(1.0);
        }
        let deviation = self.deviation();
        if deviation == 0.0 {
            return 1.0;
        }
        let distance = (larger - pairs) as f64 / 2.0 - 0.5;
        (2.0 * normal::upper_tail(distance / deviation)).min(1.0)
    }
}

/// Compares two sorted samples.
pub fn mann_whitney(baseline: &[f64], candidate: &[f64]) -> Option<MannWhitney> {
    let ranking = Ranking::new(baseline, candidate)?;
    Some(MannWhitney { u: ranking.twice_u as f64 / 2.0, p: ranking.p() })
}

#[cfg(test)]
mod tests {
    use super::super::sample::sorted;
    use super::*;
    use proptest::prelude::*;

    fn close(got: f64, expected: f64) -> bool {
        (got - expected).abs() <= 1e-9 * expected.abs()
    }

    #[test]
    fn small_samples_without_ties_are_judged_exactly() {
        // scipy.stats.mannwhitneyu(candidate, baseline, method="exact") -> U 17, p 0.1111111111111111
        let got = mann_whitney(&[1.1, 2.2, 3.3, 4.4], &[2.5, 3.5, 5.5, 6.6, 7.7]).unwrap();
        assert!(got.u == 17.0 && close(got.p, 0.111_111_111_111_111_1), "{got:?}");
    }

    #[test]
    fn ties_and_large_samples_are_judged_by_the_normal_distribution() {
        // b = [k * 37 % 101 // 4 for k in range(60)]; c = [k * 53 % 103 // 4 + 2 for k in range(80)]
        // scipy.stats.mannwhitneyu(c, b, method="asymptotic")
        let b = sorted((0..60).map(|k| f64::from(k * 37 % 101 / 4)));
        let c = sorted((0..80).map(|k| f64::from(k * 53 % 103 / 4 + 2)));
        let got = mann_whitney(&b, &c).unwrap();
        assert!(got.u == 2728.0 && close(got.p, 0.167_572_122_624_406_35), "{got:?}");
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![(0i32..9).prop_map(f64::from), -5.0..15.0], 1..70)
    }

    proptest! {
        #[test]
        fn swapping_the_samples_keeps_p_and_mirrors_u(a in values(), b in values()) {
            let (a, b) = (sorted(a), sorted(b));
            let (one, other) = (mann_whitney(&a, &b).unwrap(), mann_whitney(&b, &a).unwrap());
            prop_assert_eq!(one.p, other.p);
            prop_assert_eq!(one.u + other.u, (a.len() * b.len()) as f64);
        }

        #[test]
        fn u_counts_pairs_and_a_sample_does_not_differ_from_itself(a in values(), b in values()) {
            let wins = |x: &f64, y: &f64| if y > x { 1.0 } else if y == x { 0.5 } else { 0.0 };
            let counted: f64 = a.iter().flat_map(|x| b.iter().map(move |y| wins(x, y))).sum();
            let (a, b) = (sorted(a), sorted(b));
            prop_assert_eq!(mann_whitney(&a, &b).unwrap().u, counted);
            prop_assert_eq!(mann_whitney(&a, &a).unwrap().p, 1.0);
        }
    }

    #[test]
    fn without_values_there_is_nothing_to_compare_and_constants_do_not_differ() {
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[2.0; 9], &[2.0; 5]), Some(MannWhitney { u: 22.5, p: 1.0 }));
    }

    #[test]
    fn the_arrangements_of_the_largest_exact_samples_are_all_counted() {
        let ranking = Ranking { m: 49, n: 49, twice_u: 0, ties: 0.0 };
        // math.comb(98, 49)
        assert_eq!(ranking.arrangements().iter().sum::<i128>(), 25_477_612_258_980_856_902_730_428_600);
    }
}
