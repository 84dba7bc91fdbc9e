//! The slope of a series, unmoved by outliers: the median of the slopes of all pairs of points (Theil 1950; Sen,
//! "Estimates of the regression coefficient based on Kendall's tau", JASA 1968).
//!
//! Pairs are not listed. A pair's slope is at most `s` exactly when the later point's residual `v − s·t` is not above
//! the earlier one's, so merge sort counts such pairs, and bisection over `s` finds the median (the idea of Cole,
//! Salowe, Steiger, Szemerédi, "An optimal-time algorithm for slope selection", 1989, without their parametric
//! search). Residuals carry twice the precision of a double, so that counts are right also where slopes are equal.

use super::sample::midpoint;
use super::search::smallest;

/// A point of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When, in any unit.
    pub at: f64,
    /// What was measured.
    pub value: f64,
}

/// A number of about 106 bits; the derived order is right because the parts do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Double(f64, f64);

/// `value − slope·at`.
fn residual(point: &Point, slope: f64) -> Double {
    let product = slope * point.at;
    let product_rest = slope.mul_add(point.at, -product);
    // Knuth's two-sum of value and −product.
    let high = point.value - product;
    let back = high - point.value;
    let low = (point.value - (high - back)) - (product + back) - product_rest;
    let sum = high + low;
    Double(sum, low - (sum - high))
}

/// How many pairs of the run have a later residual that is not above the earlier one's; leaves the run sorted.
fn count_not_rising(run: &mut [Double], spare: &mut [Double]) -> u64 {
    let n = run.len();
    if n < 2 {
        return 0;
    }
    let (left, right) = run.split_at_mut(n / 2);
    let mut count = count_not_rising(left, spare) + count_not_rising(right, spare);
    let (mut l, mut r) = (0, 0);
    for slot in spare[..n].iter_mut() {
        // Equal ones: the later point goes first, so that it is counted.
        if r < right.len() && (l == left.len() || right[r] <= left[l]) {
            *slot = right[r];
            r += 1;
            count += (left.len() - l) as u64;
        } else {
            *slot = left[l];
            l += 1;
        }
    }
    run.copy_from_slice(&spare[..n]);
    count
}

fn pairs(n: usize) -> u64 {
    (n as u64) * (n as u64).saturating_sub(1) / 2
}

/// Pairs within runs of neighbours that are alike.
fn pairs_alike(points: &[Point], alike: impl Fn(&Point, &Point) -> bool) -> u64 {
    points.chunk_by(alike).map(|run| pairs(run.len())).sum()
}

/// The median slope of all pairs of points that differ in time; `None` when there is no such pair or the values
/// are so far apart that slopes are no doubles. Points that are not finite are left out.
pub fn theil_sen(points: &[Point]) -> Option<f64> {
    let mut points: Vec<Point> =
        points.iter().copied().filter(|p| p.at.is_finite() && p.value.is_finite()).collect();
    points.sort_unstable_by(|a, b| a.at.total_cmp(&b.at).then(a.value.total_cmp(&b.value)));
    let first = points.first()?.at;
    points.iter_mut().for_each(|p| p.at -= first);

    let total = pairs(points.len()) - pairs_alike(&points, |a, b| a.at == b.at);
    if total == 0 {
        return None;
    }
    // Among points of one time, values ascend: only exact repetitions look like a pair that does not rise.
    let repeated = pairs_alike(&points, |a, b| a.at == b.at && a.value == b.value);
    let steps = points.windows(2).map(|pair| pair[1].at - pair[0].at).filter(|step| *step > 0.0);
    let shortest = steps.fold(f64::INFINITY, f64::min);
    let (low, high) =
        points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.value), h.max(p.value)));
    let steepest = (high - low) / shortest * 2.0;
    let length = points.last()?.at;
    if !(steepest * length).is_finite() {
        return None;
    }

    let mut run = Vec::with_capacity(points.len());
    let mut spare = vec![Double(0.0, 0.0); points.len()];
    let mut at_most = |slope: f64| {
        run.clear();
        run.extend(points.iter().map(|p| residual(p, slope)));
        count_not_rising(&mut run, &mut spare) - repeated
    };
    let lower = smallest(-steepest, steepest, |s| at_most(s) > (total - 1) / 2);
    let upper = if at_most(lower) > total / 2 {
        lower
    } else {
        smallest(lower, steepest, |s| at_most(s) > total / 2)
    };
    Some(midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{median, sorted};
    use super::*;
    use proptest::prelude::*;

    fn series(values: &[(f64, f64)]) -> Vec<Point> {
        values.iter().map(|(at, value)| Point { at: *at, value: *value }).collect()
    }

    /// The definition: all slopes, sorted.
    fn by_listing(points: &[Point]) -> Option<f64> {
        let mut slopes = Vec::new();
        for (i, a) in points.iter().enumerate() {
            for b in points[i + 1..].iter().filter(|b| b.at != a.at) {
                slopes.push((b.value - a.value) / (b.at - a.at));
            }
        }
        median(&sorted(slopes))
    }

    fn points() -> impl Strategy<Value = Vec<Point>> {
        let at = prop_oneof![(0i32..40).prop_map(f64::from), 0.0..1e6];
        let value = prop_oneof![(0i32..5).prop_map(f64::from), -1e3..1e3];
        prop::collection::vec((at, value).prop_map(|(at, value)| Point { at, value }), 0..60)
    }

    proptest! {
        #[test]
        fn the_median_slope_is_that_of_the_list_of_all_slopes(points in points()) {
            match (theil_sen(&points), by_listing(&points)) {
                (Some(got), Some(listed)) => {
                    prop_assert!((got - listed).abs() <= 1e-11 * listed.abs().max(1e-3), "{got} for {listed}");
                }
                (got, listed) => prop_assert_eq!(got, listed),
            }
        }

        #[test]
        fn the_order_of_the_points_does_not_matter(points in points()) {
            let mut turned = points.clone();
            turned.reverse();
            prop_assert_eq!(theil_sen(&points), theil_sen(&turned));
        }
    }

    #[test]
    fn equal_slopes_are_found_exactly_and_outliers_do_not_move_them() {
        let mut line: Vec<Point> =
            (0..500).map(|k| Point { at: f64::from(k), value: 7.0 + 0.25 * f64::from(k) }).collect();
        assert_eq!(theil_sen(&line), Some(0.25));
        (0..100).for_each(|k| line[k * 5].value = 1e9);
        assert!((theil_sen(&line).unwrap() - 0.25).abs() < 0.01);
    }

    #[test]
    fn without_two_different_times_there_is_no_slope() {
        assert_eq!(theil_sen(&[]), None);
        assert_eq!(theil_sen(&series(&[(1.0, 2.0), (1.0, 3.0)])), None);
        assert_eq!(theil_sen(&series(&[(1.0, 2.0), (2.0, f64::NAN)])), None);
        assert_eq!(theil_sen(&series(&[(1.0, -1e308), (2.0, 1e308)])), None);
        assert_eq!(theil_sen(&series(&[(1.0, 2.0), (3.0, 2.0)])), Some(0.0));
    }
}
