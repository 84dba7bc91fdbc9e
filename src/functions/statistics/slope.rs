//! The slope of a series, unmoved by outliers: the median of the slopes of all pairs of points (Theil 1950; Sen,
//! "Estimates of the regression coefficient based on Kendall's tau", JASA 1968).
//!
//! Of many points the pairs are not listed. A pair's slope is at most `s` exactly when the later point's residual
//! `v − s·t` is not above the earlier one's, so merge sort counts such pairs (Cole, Salowe, Steiger, Szemerédi, "An
//! optimal-time algorithm for slope selection", 1989). Some pairs, always the same ones, tell about where the median
//! is (Matoušek, "Randomized optimal algorithm for slope selection", 1991, but without chance); counting makes an interval of
//! that, and the few pairs whose slopes lie in it are listed: they are those that change places between the orders of
//! the residuals at its two ends. Residuals carry twice the precision of a double, and the interval is wider than
//! what rounding does to a slope, so that the result is that of the list of all slopes, to the last bit.

use std::cmp::Ordering;

use super::sample::midpoint;
use super::search::between;

/// A point of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When, in any unit.
    pub at: f64,
    /// What was measured.
    pub value: f64,
}

/// Up to so many pairs are listed, and so many more for each point.
const LISTED: u64 = 1 << 16;
const LISTED_PER_POINT: u64 = 16;

/// Pairs that are looked at to tell where the median is, for each point.
const LOOKED_AT_PER_POINT: u64 = 8;

/// How far the median of all pairs is from that of those looked at, in standard deviations of a fair sample.
const DEVIATIONS: f64 = 3.0;

/// What fills an interval evenly by its multiples: the golden ratio's fraction of 2⁶⁴ (Knuth, "The Art of Computer
/// Programming" 3, section 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// More than a slope is off by: two differences and their quotient are rounded once each, which is 3.1 · 2⁻⁵³ at most.
const SLACK: f64 = 1.0 / (1_u64 << 50) as f64;

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

/// Sorts a run; says of each pair that changes places, and of equal ones, how many later elements passed which earlier
/// ones: `passed(those, one)`.
fn merge_sort<T: Copy>(
    run: &mut [T],
    spare: &mut [T],
    is_not_above: &impl Fn(&T, &T) -> bool,
    passed: &mut impl FnMut(&[T], &T),
) {
    let n = run.len();
    if n < 2 {
        return;
    }
    let (left, right) = run.split_at_mut(n / 2);
    merge_sort(left, spare, is_not_above, passed);
    merge_sort(right, spare, is_not_above, passed);
    let (mut l, mut r) = (0, 0);
    for slot in spare[..n].iter_mut() {
        // Equal ones: the later one goes first, so that it is counted.
        if r < right.len() && (l == left.len() || is_not_above(&right[r], &left[l])) {
            *slot = right[r];
            passed(&left[l..], &right[r]);
            r += 1;
        } else {
            *slot = left[l];
            l += 1;
        }
    }
    run.copy_from_slice(&spare[..n]);
}

fn pairs(n: usize) -> u64 {
    (n as u64) * (n as u64).saturating_sub(1) / 2
}

/// Pairs within runs of neighbours that are alike.
fn pairs_alike(points: &[Point], alike: impl Fn(&Point, &Point) -> bool) -> u64 {
    points.chunk_by(alike).map(|run| pairs(run.len())).sum()
}

/// Points by time, those of one time by value, and what is known of their pairs.
struct Series {
    points: Vec<Point>,
    /// Pairs that differ in time.
    total: u64,
    /// Pairs of points that are equal. Among points of one time, values ascend, so only these look like a pair that
    /// does not rise.
    repeated: u64,
    /// No slope is steeper.
    steepest: f64,
}

/// A residual where points are sorted by, and which point it is of.
type Place = (Double, u32);

impl Series {
    fn of(points: &[Point]) -> Option<Self> {
        let mut points: Vec<Point> =
            points.iter().copied().filter(|p| p.at.is_finite() && p.value.is_finite()).collect();
        points.sort_unstable_by(|a, b| a.at.total_cmp(&b.at).then(a.value.total_cmp(&b.value)));
        let total = pairs(points.len()) - pairs_alike(&points, |a, b| a.at == b.at);
        let repeated = pairs_alike(&points, |a, b| a.at == b.at && a.value == b.value);
        let steps = points.windows(2).map(|pair| pair[1].at - pair[0].at).filter(|step| *step > 0.0);
        let shortest = steps.fold(f64::INFINITY, f64::min);
        let (low, high) = points
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.value), h.max(p.value)));
        let steepest = (high - low) / shortest * 2.0;
        let farthest = points.first()?.at.abs().max(points.last()?.at.abs());
        let is_sound = total > 0 && (steepest * farthest).is_finite();
        is_sound.then_some(Series { points, total, repeated, steepest })
    }

    /// The slope of a pair, of which the first is the earlier one.
    fn slope(&self, a: usize, b: usize) -> Option<f64> {
        let (a, b) = (self.points[a], self.points[b]);
        // One spelling of zero.
        (a.at != b.at).then(|| (b.value - a.value) / (b.at - a.at) + 0.0)
    }

    /// The slopes of all pairs.
    fn all(&self) -> Vec<f64> {
        let n = self.points.len();
        (0..n).flat_map(|a| (a + 1..n).filter_map(move |b| self.slope(a, b))).collect()
    }

    /// The slopes of a few pairs, evenly from all distances: each point with partners that a fixed sequence chooses.
    fn some(&self) -> Vec<f64> {
        let n = self.points.len() as u64;
        let mut slopes = Vec::new();
        for a in 0..n {
            for k in 0..LOOKED_AT_PER_POINT {
                // The fractional parts of multiples of the golden ratio fill the interval evenly.
                let step = (a * LOOKED_AT_PER_POINT + k + 1).wrapping_mul(GOLDEN);
                let b = ((u128::from(step) * u128::from(n)) >> 64) as u64;
                slopes.extend(self.slope(a.min(b) as usize, a.max(b) as usize));
            }
        }
        slopes
    }

    /// How many pairs have a slope of at most this.
    fn at_most(&self, slope: f64) -> u64 {
        let mut run: Vec<Double> = self.points.iter().map(|p| residual(p, slope)).collect();
        let mut spare = run.clone();
        let mut count = 0;
        merge_sort(&mut run, &mut spare, &|a, b| a <= b, &mut |left, _| count += left.len() as u64);
        count - self.repeated
    }

    /// The slopes of the pairs above `low` and up to `high`, as far as there is room for them.
    fn within(&self, low: f64, high: f64, room: usize) -> Vec<f64> {
        let mut order: Vec<Place> = (0..).zip(&self.points).map(|(i, p)| (residual(p, low), i)).collect();
        // Of equal residuals the later point first: its slope is `low`, and so not above it.
        order.sort_unstable_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then(b.1.cmp(&a.1)));
        for (place, i) in &mut order {
            *place = residual(&self.points[*i as usize], high);
        }
        let mut spare = order.clone();
        let mut slopes = Vec::new();
        // A pair in its old order changes places now if the later point's residual is not above any more.
        let is_not_above = |b: &Place, a: &Place| b.0 < a.0 || b.0 == a.0 && b.1 > a.1;
        merge_sort(&mut order, &mut spare, &is_not_above, &mut |left, b| {
            for a in left.iter().take(room.saturating_sub(slopes.len())) {
                slopes.extend(self.slope(a.1.min(b.1) as usize, a.1.max(b.1) as usize));
            }
        });
        slopes
    }

    /// The median slope, for which up to about `room` pairs are listed.
    fn median(&self, room: u64) -> f64 {
        let (lower, next) = self.select((self.total - 1) / 2, room);
        if self.total % 2 == 1 {
            return lower;
        }
        midpoint(lower, next.unwrap_or_else(|| self.select(self.total / 2, room).0))
    }

    /// The slope of this rank, from 0, and that of the next one where it came to light.
    fn select(&self, rank: u64, room: u64) -> (f64, Option<f64>) {
        if self.total <= room {
            return ranked(self.all(), rank, f64::INFINITY);
        }
        let mut bracket = Bracket { low: -self.steepest, high: self.steepest, inside: self.total, before: 0 };
        let mut some = self.some();
        let share = rank as f64 / self.total as f64;
        let spread = DEVIATIONS * (share * (1.0 - share) / some.len().max(1) as f64).sqrt();
        for share in [share - spread, share + spread] {
            let place = (share.clamp(0.0, 1.0) * some.len() as f64) as usize;
            let place = place.min(some.len().saturating_sub(1));
            if !some.is_empty() {
                let slope = *some.select_nth_unstable_by(place, f64::total_cmp).1;
                bracket.narrow(self, rank, slope);
            }
        }
        let mut most = room;
        loop {
            // Of the pairs looked at too few were near, or many share a slope: the doubles between are halved.
            while bracket.inside > most && !bracket.is_narrow() {
                bracket.narrow(self, rank, between(bracket.low, bracket.high));
            }
            let low = bracket.low - 2.0 * slack(bracket.low);
            let high = bracket.high + 2.0 * slack(bracket.high);
            let before = self.at_most(low);
            if self.at_most(high).saturating_sub(before) <= room {
                let slopes = self.within(low, high, room as usize);
                return ranked(slopes, rank.saturating_sub(before), bracket.high);
            }
            if bracket.is_narrow() {
                // One slope, but for rounding, that more pairs share than there is room for.
                let slopes = self.within(low, high, room as usize);
                let middle = slopes.len() as u64 / 2;
                return (ranked(slopes, middle, bracket.high).0, None);
            }
            // Such a slope lies at an end.
            most = 0;
        }
    }
}

/// Between which slopes that of a rank lies: above `low`, and at most `high`.
struct Bracket {
    low: f64,
    high: f64,
    /// Pairs up to `low`.
    before: u64,
    /// Pairs above `low` and up to `high`.
    inside: u64,
}

impl Bracket {
    /// Looks at both sides of a slope, so that the pairs that may share it are told from the rest.
    fn narrow(&mut self, series: &Series, rank: u64, slope: f64) {
        self.cut(series, rank, slope - 4.0 * slack(slope));
        self.cut(series, rank, slope + 4.0 * slack(slope));
    }

    fn cut(&mut self, series: &Series, rank: u64, slope: f64) {
        if slope <= self.low || slope >= self.high {
            return;
        }
        let count = series.at_most(slope);
        let end = self.before + self.inside;
        *self = if count <= rank {
            Bracket { low: slope, before: count, inside: end.saturating_sub(count), ..*self }
        } else {
            Bracket { high: slope, inside: count.saturating_sub(self.before), ..*self }
        };
    }

    /// Whether its slopes are one, but for rounding.
    fn is_narrow(&self) -> bool {
        self.low + 16.0 * slack(self.low) >= self.high
    }
}

fn slack(slope: f64) -> f64 {
    (slope.abs() * SLACK).max(f64::MIN_POSITIVE)
}

/// The slope of a rank among these, and the next one unless it is above `sure`.
fn ranked(mut slopes: Vec<f64>, rank: u64, sure: f64) -> (f64, Option<f64>) {
    let Some(last) = slopes.len().checked_sub(1) else { return (sure, None) };
    let rank = usize::try_from(rank).unwrap_or(last).min(last);
    let (_, found, above) = slopes.select_nth_unstable_by(rank, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp).filter(|next| *next <= sure);
    (*found, next)
}

/// The median slope of all pairs of points that differ in time; `None` when there is no such pair or the values
/// are so far apart that slopes are no doubles. Points that are not finite are left out.
pub fn theil_sen(points: &[Point]) -> Option<f64> {
    let series = Series::of(points)?;
    Some(series.median(LISTED + LISTED_PER_POINT * series.points.len() as u64))
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
                slopes.push((b.value - a.value) / (b.at - a.at) + 0.0);
            }
        }
        median(&sorted(slopes))
    }

    fn points() -> impl Strategy<Value = Vec<Point>> {
        let at = prop_oneof![(0i32..40).prop_map(f64::from), 0.0..1e6];
        let value = prop_oneof![(0i32..5).prop_map(f64::from), -1e3..1e3];
        prop::collection::vec((at, value).prop_map(|(at, value)| Point { at, value }), 0..60)
    }

    /// The same without a list of all pairs, however few they are.
    fn by_counting(points: &[Point]) -> Option<f64> {
        Series::of(points).map(|series| series.median(8))
    }

    proptest! {
        #[test]
        fn the_median_slope_is_that_of_the_list_of_all_slopes_to_the_last_bit(points in points()) {
            let listed = by_listing(&points).map(f64::to_bits);
            prop_assert_eq!(theil_sen(&points).map(f64::to_bits), listed);
            prop_assert_eq!(by_counting(&points).map(f64::to_bits), listed);
        }

        #[test]
        fn the_order_of_the_points_does_not_matter(points in points()) {
            let mut turned = points.clone();
            turned.reverse();
            prop_assert_eq!(theil_sen(&points), theil_sen(&turned));
        }
    }

    /// A series of which the pairs are too many to list, by what it does at each step.
    fn long(step: impl Fn(u64) -> (f64, f64)) -> Vec<Point> {
        // Marsaglia's xorshift64, so that the noise is the same everywhere.
        let mut noise = 88_172_645_463_325_252_u64;
        let points = (0..1_000).map(|_| {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            let (at, value) = step(noise);
            Point { at, value }
        });
        points.collect()
    }

    #[test]
    fn long_series_have_the_median_of_the_list_to_the_last_bit() {
        use std::cell::Cell;
        let k = Cell::new(0.0);
        let next = || k.replace(k.get() + 1.0);
        let unit = |noise: u64| noise as f64 / u64::MAX as f64;
        let cases: [(&str, Vec<Point>); 8] = [
            ("a noisy memory", long(|r| (next() * 60.0, 5e8 + unit(r) * 1e7))),
            ("few values", long(|r| (next(), (r % 3) as f64))),
            ("a line of rounded values", long(|_| (next(), 0.1 * k.get()))),
            ("steps of a third", long(|_| (next(), (k.get() / 3.0).floor()))),
            ("many at one time", long(|r| ((r % 90) as f64, unit(r)))),
            ("mostly one value", long(|r| (next(), if r % 4 == 0 { unit(r) } else { 7.0 }))),
            ("far from zero", long(|r| (1.7e9 + next() * 0.1, next() * 1e-3 + unit(r) * 1e-9))),
            ("tiny values", long(|r| (next(), -3e-200 * unit(r)))),
        ];
        for (case, points) in &cases {
            assert_eq!(theil_sen(points).map(f64::to_bits), by_listing(points).map(f64::to_bits), "{case}");
        }
    }

    #[test]
    fn a_day_of_seconds_on_one_line_is_judged_without_its_four_billion_pairs() {
        let day: Vec<Point> =
            (0..86_400).map(|k| Point { at: f64::from(k), value: 3.0 * f64::from(k) }).collect();
        assert_eq!(theil_sen(&day), Some(3.0));
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
