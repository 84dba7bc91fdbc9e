//! By how much one sample is larger than another: the median of all differences between their values (Hodges and
//! Lehmann, "Estimates of location based on rank tests", Ann. Math. Statist. 1963), with the interval that belongs
//! to the Mann-Whitney test (Moses 1953; Hollander, Wolfe, Chicken, "Nonparametric statistical methods", 2014, 4.3).
//!
//! The m·n differences are not listed: how many of them are at most `d` is counted by walking both sorted samples
//! once, and bisection over `d` finds the one wanted.

use super::mann_whitney::Ranking;
use super::normal;
use super::sample::midpoint;
use super::search::smallest;

/// How many differences candidate − baseline are at most `limit`. Rounded subtraction is monotone in both arguments, so
/// one walk counts exactly the doubles that a list would hold.
fn at_most(baseline: &[f64], candidate: &[f64], limit: f64) -> u64 {
    let mut reached = 0;
    let mut count = 0;
    for b in baseline {
        while reached < candidate.len() && candidate[reached] - b <= limit {
            reached += 1;
        }
        count += reached as u64;
    }
    count
}

/// The difference of this rank, from 1, in ascending order.
fn difference(baseline: &[f64], candidate: &[f64], rank: u64) -> Option<f64> {
    let low = candidate.first()? - baseline.last()?;
    let high = candidate.last()? - baseline.first()?;
    (low.is_finite() && high.is_finite())
        .then(|| smallest(low, high, |limit| at_most(baseline, candidate, limit) >= rank))
}

/// The Hodges-Lehmann shift from baseline to candidate, both sorted; `None` when one is empty.
pub fn hodges_lehmann(baseline: &[f64], candidate: &[f64]) -> Option<f64> {
    let pairs = baseline.len() as u64 * candidate.len() as u64;
    let lower = difference(baseline, candidate, pairs.div_ceil(2))?;
    let upper = difference(baseline, candidate, pairs / 2 + 1)?;
    Some(midpoint(lower, upper))
}

/// The interval that holds the shift with this confidence; `None` when the samples are too small to say so.
///
/// Its ends are differences of the same rank from below and from above: the rank at which the exact distribution of U
/// leaves (1 − confidence) / 2 below it (R's `wilcox.test`), for larger samples that of the normal distribution.
pub fn shift_interval(baseline: &[f64], candidate: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let ranking = Ranking::new(baseline, candidate)?;
    let tail = (1.0 - confidence) / 2.0;
    let pairs = ranking.pairs();
    let rank = if ranking.is_exact() {
        let counts = ranking.arrangements();
        let limit = tail * counts.iter().sum::<i128>() as f64;
        let mut below = 0_i128;
        let reaches = |count: &i128| {
            below += count;
            below as f64 >= limit
        };
        counts.iter().position(reaches)? as u64
    } else {
        let rank = pairs as f64 / 2.0 - normal::upper_quantile(tail) * ranking.deviation();
        rank.round().max(0.0) as u64
    };
    if rank == 0 {
        return None;
    }
    Some((difference(baseline, candidate, rank)?, difference(baseline, candidate, pairs + 1 - rank)?))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{median, sorted};
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![(0i32..9).prop_map(f64::from), -5.0..15.0], 1..60)
    }

    proptest! {
        #[test]
        fn the_shift_is_the_median_of_the_list_of_differences(a in values(), b in values()) {
            let listed = sorted(a.iter().flat_map(|x| b.iter().map(move |y| y - x)));
            prop_assert_eq!(hodges_lehmann(&sorted(a), &sorted(b)), median(&listed));
        }

        #[test]
        fn swapping_the_samples_changes_the_sign_and_mirrors_the_interval(a in values(), b in values()) {
            let (a, b) = (sorted(a), sorted(b));
            prop_assert_eq!(hodges_lehmann(&a, &b).unwrap(), -hodges_lehmann(&b, &a).unwrap());
            let mirrored = shift_interval(&b, &a, 0.95).map(|(low, high)| (-high, -low));
            prop_assert_eq!(shift_interval(&a, &b, 0.95), mirrored);
        }

        #[test]
        fn the_shift_lies_in_its_interval_and_more_confidence_makes_it_wider(a in values(), b in values()) {
            let (a, b) = (sorted(a), sorted(b));
            let shift = hodges_lehmann(&a, &b).unwrap();
            if let (Some(narrow), Some(wide)) = (shift_interval(&a, &b, 0.8), shift_interval(&a, &b, 0.99)) {
                prop_assert!(wide.0 <= narrow.0 && narrow.0 <= shift && shift <= narrow.1 && narrow.1 <= wide.1);
            }
        }
    }

    #[test]
    fn small_samples_have_the_interval_of_the_exact_test() {
        // wilcox.test(c(2.5,3.5,5.5,6.6,7.7,8.8), c(1.1,2.2,3.3,4.4,5.0), conf.int=TRUE) takes the differences of rank
        // qwilcox(0.025, 6, 5) = 4 from either end of the sorted 30; listed with numpy:
        let (b, c) = ([1.1, 2.2, 3.3, 4.4, 5.0], [2.5, 3.5, 5.5, 6.6, 7.7, 8.8]);
        let listed = sorted(b.iter().flat_map(|x| c.iter().map(move |y| y - x)));
        assert_eq!(shift_interval(&b, &c, 0.95), Some((listed[3], listed[26])));
    }

    #[test]
    fn three_values_a_side_support_no_interval_of_95_percent() {
        assert_eq!(shift_interval(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], 0.95), None);
        assert_eq!(hodges_lehmann(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), Some(3.0));
        assert_eq!(hodges_lehmann(&[], &[4.0]), None);
    }
}
