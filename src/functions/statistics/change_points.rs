//! Where the level of a series changed, deterministically and in O(n log n).
//!
//! 1. Outliers: a value is held within a few deviations of the median of its neighbourhood, so that a spike is no
//!    level, and a level of five points is not touched.
//! 2. Candidates: the series is looked at through nested intervals whose lengths and places are fixed by its length
//!    alone ("seeded"), and in each the best place of one change is found by its CUSUM contrast (Kovács, Bühlmann, Li,
//!    Munk, "Seeded binary segmentation", Biometrika 2023). Of the intervals with a clear contrast the narrowest win, since
//!    they hold one change only (Baranowski, Chen, Fryzlewicz, "Narrowest-over-threshold detection", J. R. Statist.
//!    Soc. B 2019).
//! 3. Judgement: the weakest candidate is dropped and its neighbours are placed anew, until every one that is left
//!    is significant by Welch's test between the levels on either side, corrected for the number of places where a change
//!    could be (Bonferroni) and for values that follow their predecessors (first-order autocorrelation).
//! 4. A slope is no step: the pieces of a ramp, or of a season as smooth as that of a day, differ significantly, yet
//!    nothing happened where they meet. Where a line is nearer to the values about a place than two levels, the place
//!    stays only if the values jump there beside a slope common to both sides (analysis of covariance).
//!
//! PELT was not chosen, because without changes it takes n² steps; E-divisive (Matteson and James 2014) takes n² and
//! permutations; rank statistics over the whole series lose steps that are large.

use super::normal;
use super::sample::{median, sorted};

/// A level lasts this many points at least; fewer are an outlier.
pub const MIN_SEGMENT: usize = 5;

/// A change with fewer points than this on one side, up to the edge of the series, may yet turn out to be something
/// else.
const SURE_EDGE: usize = 2 * MIN_SEGMENT;

/// What is not explained by chance this surely is a change.
const CONFIDENCE: f64 = 0.999;

/// Levels closer than this many deviations of the noise are one level, however significant their difference.
const MIN_EFFECT: f64 = 0.6;

/// Ratio of the lengths of successive layers of intervals, 1/√2 (Kovács et al., section 2.2).
const DECAY: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// Values further than this many deviations from the median of their neighbourhood are held there.
const OUTLIER: f64 = 3.0;

/// Neighbours on either side that the median is taken over.
const NEIGHBOURS: usize = 2;

/// Points whose noise is looked at together, with as many on either side.
const STRETCH: usize = 16;

/// From the median absolute deviation to the standard deviation of normal values, 1 / Φ⁻¹(3/4).
const NORMAL_MAD: f64 = 1.482_602_218_505_602;

/// More autocorrelation than this is taken for levels that change rather than for noise that lasts.
const MOST_AUTOCORRELATION: f64 = 0.8;

/// Points on either side of a place in which a jump beside a slope is looked for: few enough for a season to be straight.
const NEAR: usize = 24;

/// By how many variances of the noise a line has to be nearer in a part of what lies about a place.
const CLEARLY: f64 = 6.0;

/// Jumps beside a slope of fewer standard errors are not looked at.
const JUMP: f64 = 4.0;

/// A level counts as the earlier one again when at most this share of the change is left.
const RETURNED: f64 = 0.25;

/// A change of level.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePoint {
    /// Position of the first value of the new level, from 0.
    pub position: usize,
    /// Median of the level before.
    pub before: f64,
    /// Median of the level after.
    pub after: f64,
    /// 1 less the probability that a series without change shows such a difference anywhere.
    pub confidence: f64,
    /// Whether one of the levels is short and ends with the series, so that more data may tell otherwise.
    pub is_provisional: bool,
    /// Position from which on the level was what it had been before, if it went back.
    pub returned_at: Option<usize>,
}

/// The changes of level of a series of finite values, in the order of time.
pub fn change_points(values: &[f64]) -> Vec<ChangePoint> {
    if values.len() < 2 * MIN_SEGMENT {
        return Vec::new();
    }
    // By a power of two, which is exact: squares stay within the doubles.
    let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let exponent = if largest > 0.0 { largest.log2().floor() } else { 0.0 };
    let scaled: Vec<f64> = values.iter().map(|v| v * 0.5_f64.powf(exponent.clamp(-1000.0, 1000.0))).collect();
    let noise = noise(&scaled);
    let series = Series::new(hold_outliers(&scaled, noise));
    describe(values, &series.judge(series.candidates(noise)))
}

/// Intervals of lengths n, n/√2, n/2 … in steps of about half their length: every stretch of the series lies in the
/// middle of one not much longer.
fn seeded_intervals(n: usize) -> Vec<(usize, usize)> {
    let mut intervals = Vec::new();
    let mut length = n as f64;
    while length >= (2 * MIN_SEGMENT) as f64 {
        let count = 2 * (n as f64 / length).ceil() as usize - 1;
        let step = if count > 1 { (n as f64 - length) / (count - 1) as f64 } else { 0.0 };
        for k in 0..count {
            let from = (k as f64 * step).floor();
            intervals.push((from as usize, ((from + length).ceil() as usize).min(n)));
        }
        length *= DECAY;
    }
    intervals
}

/// The changes in the units of the series.
fn describe(values: &[f64], places: &[Place]) -> Vec<ChangePoint> {
    let bounds: Vec<usize> = [vec![0], places.iter().map(|p| p.at).collect(), vec![values.len()]].concat();
    let levels: Vec<f64> = bounds
        .windows(2)
        .map(|pair| median(&sorted(values[pair[0]..pair[1]].iter().copied())).unwrap_or(f64::NAN))
        .collect();
    let describe = |(i, place): (usize, &Place)| {
        let (before, after) = (levels[i], levels[i + 1]);
        let is_back = |level: &f64| (level - before).abs() <= RETURNED * (after - before).abs();
        let returned = levels[i + 2..].iter().position(is_back);
        ChangePoint {
            position: place.at,
            before,
            after,
            confidence: 1.0 - place.p,
            is_provisional: place.at < SURE_EDGE || place.at + SURE_EDGE > values.len(),
            returned_at: returned.map(|later| bounds[i + 2 + later]),
        }
    };
    places.iter().enumerate().map(describe).collect()
}

/// The deviation of the noise, from differences of neighbours, which levels hardly enter. Where most values repeat
/// their predecessor, from the differences that are there.
fn noise(values: &[f64]) -> f64 {
    let steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let all = sorted(steps.iter().copied());
    match median(&all) {
        Some(typical) if typical > 0.0 => typical * NORMAL_MAD / std::f64::consts::SQRT_2,
        _ => {
            // The root of the mean square, of the smaller nine tenths: a few large steps are levels.
            let kept = &all[..all.len() * 9 / 10];
            (kept.iter().map(|d| d * d).sum::<f64>() / (2 * kept.len().max(1)) as f64).sqrt()
        }
    }
}

/// The values with outliers held within reach of their neighbours. What is an outlier in calm times is none in a
/// noisy stretch, so the noise is that of the surroundings where it is more.
fn hold_outliers(values: &[f64], noise_of_all: f64) -> Vec<f64> {
    let n = values.len();
    let mut held = Vec::with_capacity(n);
    for start in (0..n).step_by(STRETCH) {
        let end = (start + STRETCH).min(n);
        let around = &values[start.saturating_sub(STRETCH)..(end + STRETCH).min(n)];
        let reach = OUTLIER * noise(around).max(noise_of_all);
        for i in start..end {
            let near = &values[i.saturating_sub(NEIGHBOURS)..(i + NEIGHBOURS + 1).min(n)];
            let centre = median(&sorted(near.iter().copied())).unwrap_or(values[i]);
            held.push(values[i].clamp(centre - reach, centre + reach));
        }
    }
    held
}

/// A place where the level changes, and how surely.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: usize,
    p: f64,
}

/// A series with the sums that make every contrast a few additions.
struct Series {
    values: Vec<f64>,
    /// Sums of the first i values about the median, of their squares, and of their products with their positions.
    sums: Vec<Sums>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    value: f64,
    square: f64,
    product: f64,
}

impl Series {
    fn new(mut values: Vec<f64>) -> Series {
        let centre = median(&sorted(values.iter().copied())).unwrap_or(0.0);
        values.iter_mut().for_each(|v| *v -= centre);
        let mut sums = Vec::with_capacity(values.len() + 1);
        let mut sum = Sums::default();
        sums.push(sum);
        for (i, v) in values.iter().enumerate() {
            sum = Sums {
                value: sum.value + v,
                square: sum.square + v * v,
                product: sum.product + i as f64 * v,
            };
            sums.push(sum);
        }
        Series { values, sums }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        (self.sums[to].value - self.sums[from].value) / (to - from) as f64
    }

    /// The sum of squared distances from the mean.
    fn scatter(&self, from: usize, to: usize) -> f64 {
        let sum = self.sums[to].value - self.sums[from].value;
        (self.sums[to].square - self.sums[from].square - sum * sum / (to - from) as f64).max(0.0)
    }

    /// The sum of products of the distances from the means of values and positions, and that of squared distances from
    /// the mean position.
    fn slant(&self, from: usize, to: usize) -> (f64, f64) {
        let sum = self.sums[to].value - self.sums[from].value;
        let middle = (from + to - 1) as f64 / 2.0;
        let n = (to - from) as f64;
        (self.sums[to].product - self.sums[from].product - middle * sum, n * (n * n - 1.0) / 12.0)
    }

    /// Whether, near enough, a line is clearly nearer to the values about a bound than a level on either side.
    fn is_sloping(&self, bounds: &[usize], i: usize) -> bool {
        let (from, at, to) = (bounds[i - 1], bounds[i], bounds[i + 1]);
        // Halved and halved again: what steps from afar may slide, as half a season does.
        // A part knows less than the whole, so that it has to speak clearly.
        let mut reach = (at - from).min(to - at).max(NEAR);
        let mut margin = 0.0;
        loop {
            let (from, to) = (from.max(at.saturating_sub(reach)), to.min(at + reach));
            let (product, square) = self.slant(from, to);
            let beside_line = self.scatter(from, to) - product * product / square;
            let beside_levels = self.scatter(from, at) + self.scatter(at, to);
            let variance = beside_line.max(0.0) / ((to - from) as f64 - 2.0);
            if beside_levels - beside_line > margin * variance {
                return true;
            }
            if reach <= NEAR {
                return false;
            }
            reach = (reach / 2).max(NEAR);
            margin = CLEARLY;
        }
    }

    /// How many points on either side a jump is looked for in.
    fn reach(&self, at: usize) -> usize {
        at.min(self.len() - at).min(NEAR)
    }

    /// By how many standard errors the values jump at a place, beside a slope common to both sides; 0 at the edges.
    fn jump(&self, at: usize) -> f64 {
        let reach = self.reach(at);
        if reach < MIN_SEGMENT {
            return 0.0;
        }
        let (from, to) = (at - reach, at + reach);
        let (left, right) = (self.slant(from, at), self.slant(at, to));
        let (product, square) = (left.0 + right.0, left.1 + right.1);
        let n = reach as f64;
        // The middles of both sides are as far apart as a side is long.
        let jump = self.mean(at, to) - self.mean(from, at) - product / square * n;
        let rest = self.scatter(from, at) + self.scatter(at, to) - product * product / square;
        let variance = rest.max(0.0) / (2.0 * n - 3.0) * (2.0 / n + n * n / square);
        if jump == 0.0 { 0.0 } else { jump.abs() / variance.sqrt() }
    }

    /// The CUSUM contrast of a change at `at` within `[from, to)`.
    fn contrast(&self, from: usize, at: usize, to: usize) -> f64 {
        let (left, right) = ((at - from) as f64, (to - at) as f64);
        (self.mean(at, to) - self.mean(from, at)).abs() * (left * right / (left + right)).sqrt()
    }

    /// The best place of one change in `[from, to)`, the first of equal ones.
    fn best(&self, from: usize, to: usize) -> Option<(usize, f64)> {
        let places = from + MIN_SEGMENT..(to + 1).saturating_sub(MIN_SEGMENT);
        places.map(|at| (at, self.contrast(from, at, to))).reduce(|a, b| if b.1 > a.1 { b } else { a })
    }

    /// Places of changes by the narrowest intervals that show one clearly.
    fn candidates(&self, noise: f64) -> Vec<usize> {
        // Half the bar of the judgement: what is too much is dropped there.
        let threshold = noise * (2.0 * (self.len() as f64).ln()).sqrt();
        let mut found: Vec<(usize, usize, usize, f64)> = Vec::new();
        for (from, to) in seeded_intervals(self.len()) {
            if let Some((at, contrast)) = self.best(from, to).filter(|(_, c)| *c > threshold) {
                found.push((from, at, to, contrast));
            }
        }
        found.sort_by(|a, b| (a.2 - a.0).cmp(&(b.2 - b.0)).then(b.3.total_cmp(&a.3)).then(a.0.cmp(&b.0)));
        let mut places = self.jumps();
        for (from, at, to, _) in found {
            let is_crowded = places.range(from + 1..to).next().is_some()
                || places.range((at + 1).saturating_sub(MIN_SEGMENT)..at + MIN_SEGMENT).next().is_some();
            if !is_crowded {
                places.insert(at);
            }
        }
        places.into_iter().collect()
    }

    /// Places where the values jump, whatever the slope about them: the largest jump of its surroundings each.
    fn jumps(&self) -> std::collections::BTreeSet<usize> {
        let sizes: Vec<f64> = (0..self.len()).map(|at| self.jump(at)).collect();
        // The first of equal ones, so that no two are close.
        let is_largest = |at: &usize| {
            let (from, to) = (at.saturating_sub(NEAR / 2), (at + NEAR / 2).min(sizes.len()));
            let size = sizes[*at];
            size > JUMP
                && sizes[from..*at].iter().all(|earlier| *earlier < size)
                && sizes[*at..to].iter().all(|later| *later <= size)
        };
        (0..self.len()).filter(is_largest).collect()
    }

    /// Drops the weakest place until all are significant, and puts the others where they fit best.
    fn judge(&self, places: Vec<usize>) -> Vec<Place> {
        let mut bounds: Vec<usize> = [vec![0], places, vec![self.len()]].concat();
        for i in 1..bounds.len() - 1 {
            self.replace(&mut bounds, i);
        }
        let inflation = self.inflation(&bounds);
        let mut ps: Vec<f64> = vec![0.0; bounds.len()];
        let judge = |bounds: &[usize], ps: &mut [f64], places: std::ops::Range<usize>| {
            places.for_each(|i| ps[i] = self.p(bounds, i, inflation));
        };
        let inner = 1..bounds.len() - 1;
        judge(&bounds, &mut ps, inner);
        loop {
            let weakest = (1..bounds.len() - 1).max_by(|a, b| ps[*a].total_cmp(&ps[*b]).then(b.cmp(a)));
            match weakest.filter(|i| ps[*i] > 1.0 - CONFIDENCE) {
                None => break,
                Some(i) => {
                    bounds.remove(i);
                    ps.remove(i);
                    let near = i.saturating_sub(1).max(1)..(i + 1).min(bounds.len() - 1);
                    near.clone().for_each(|j| self.replace(&mut bounds, j));
                    let first = near.start.saturating_sub(1).max(1);
                    let last = (near.end + 1).min(bounds.len() - 1);
                    judge(&bounds, &mut ps, first..last);
                }
            }
        }
        (1..bounds.len() - 1).map(|i| Place { at: bounds[i], p: ps[i] }).collect()
    }

    /// Puts a bound where the contrast of its neighbours is largest; on a slope, where the largest jump is.
    fn replace(&self, bounds: &mut [usize], i: usize) {
        let (from, to) = (bounds[i - 1], bounds[i + 1]);
        let Some((at, _)) = self.best(from, to) else { return };
        bounds[i] = at;
        if self.is_sloping(bounds, i) {
            let places = from + MIN_SEGMENT..(to + 1).saturating_sub(MIN_SEGMENT);
            let jumps = places.map(|at| (at, self.jump(at)));
            if let Some((at, _)) = jumps.reduce(|a, b| if b.1 > a.1 { b } else { a }) {
                bounds[i] = at;
            }
        }
    }

    /// By how much autocorrelation widens the error of a mean: (1 + ρ) / (1 − ρ) of what is left beside the levels
    /// and their slopes.
    fn inflation(&self, bounds: &[usize]) -> f64 {
        let (mut products, mut squares) = (0.0, 0.0);
        for pair in bounds.windows(2) {
            let (mean, middle) = (self.mean(pair[0], pair[1]), (pair[0] + pair[1] - 1) as f64 / 2.0);
            let (product, square) = self.slant(pair[0], pair[1]);
            let slope = if square > 0.0 { product / square } else { 0.0 };
            let rest = |k: usize| self.values[k] - mean - slope * (k as f64 - middle);
            products += (pair[0] + 1..pair[1]).map(|k| rest(k - 1) * rest(k)).sum::<f64>();
            squares += (pair[0]..pair[1]).map(|k| rest(k) * rest(k)).sum::<f64>();
        }
        // A mean and a slope of its own take some correlation out of each segment (Marriott and Pope 1954: about 1/n each).
        let bias = 2.0 * (bounds.len() - 1) as f64 / self.len() as f64;
        let rho = if squares > 0.0 { products / squares + bias } else { 0.0 };
        let rho = rho.clamp(0.0, MOST_AUTOCORRELATION);
        (1.0 + rho) / (1.0 - rho)
    }

    /// How likely the levels on either side of a bound are to differ as much by chance, anywhere in the series.
    fn p(&self, bounds: &[usize], i: usize, inflation: f64) -> f64 {
        let (from, at, to) = (bounds[i - 1], bounds[i], bounds[i + 1]);
        let (m, n) = ((at - from) as f64, (to - at) as f64);
        // Sums carry the rounding of all that came before, which would give values that are all equal two levels.
        if m < 2.0 || n < 2.0 || self.values[from..to].windows(2).all(|pair| pair[0] == pair[1]) {
            return 1.0;
        }
        let step = (self.mean(at, to) - self.mean(from, at)).abs();
        let (left, right) = (self.scatter(from, at), self.scatter(at, to));
        // A few points that happen to agree are no proof that there is no noise: variances are shared in part.
        let shared = (left + right) / (m + n - 2.0);
        let own = |scatter: f64, n: f64| (scatter + 4.0 * shared) / (n + 3.0);
        if self.is_sloping(bounds, i) {
            let t = self.jump(at) / inflation.sqrt();
            let freedom = (2 * self.reach(at)).saturating_sub(3).max(1);
            return (normal::t_both_tails(t, freedom as f64) * self.len() as f64).min(1.0);
        }
        if step <= MIN_EFFECT * shared.sqrt() || step <= f64::EPSILON * self.largest(from, to) {
            return 1.0;
        }
        let error = (own(left, m) / m + own(right, n) / n) * inflation;
        let t = step / error.sqrt();
        (normal::t_both_tails(t, m + n - 2.0) * self.len() as f64).min(1.0)
    }

    fn largest(&self, from: usize, to: usize) -> f64 {
        self.values[from..to].iter().fold(0.0, |m: f64, v| m.max(v.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};

    /// Levels of some length with noise around them.
    fn series(levels: &[(usize, f64)], noise: f64, seed: u64) -> Vec<f64> {
        let mut random = rand_pcg::Pcg64::seed_from_u64(seed);
        let all = levels.iter().flat_map(|(length, level)| std::iter::repeat_n(*level, *length));
        // Twelve uniform numbers less six: normal enough.
        all.map(|level| level + noise * ((0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0))
            .collect()
    }

    fn positions(values: &[f64]) -> Vec<usize> {
        change_points(values).iter().map(|c| c.position).collect()
    }

    #[test]
    fn steps_are_found_where_they_are_with_the_levels_on_either_side() {
        for seed in 0..20 {
            let values = series(&[(100, 10.0), (80, 14.0), (120, 7.0)], 1.0, seed);
            let found = change_points(&values);
            assert_eq!(found.len(), 2, "seed {seed}: {found:?}");
            assert!(
                found[0].position.abs_diff(100) <= 2 && found[1].position.abs_diff(180) <= 2,
                "{found:?}"
            );
            assert!((found[0].before - 10.0).abs() < 0.5 && (found[0].after - 14.0).abs() < 0.5, "{found:?}");
            assert!(found.iter().all(|c| c.confidence > 0.999 && !c.is_provisional), "{found:?}");
        }
    }

    #[test]
    fn values_that_are_all_equal_have_one_level_however_they_round() {
        // 512 MiB and 90 % of it: their sums are not exact.
        for first in [20, 55, 90, 150] {
            let values: Vec<f64> =
                (0..288).map(|i| if i < first { 536_870_912.0 } else { 483_183_820.8 }).collect();
            assert_eq!(positions(&values), [first]);
        }
    }

    #[test]
    fn noise_without_a_change_has_none() {
        let found: usize = (0..100).map(|seed| change_points(&series(&[(300, 5.0)], 1.0, seed)).len()).sum();
        assert!(found <= 1, "{found} changes in 100 series without one");
    }

    #[test]
    fn a_change_that_goes_back_says_when_and_one_that_stays_does_not() {
        let found = change_points(&series(&[(60, 1.0), (30, 9.0), (60, 1.0), (60, 20.0)], 0.5, 3));
        assert_eq!(found.iter().map(|c| c.position).collect::<Vec<_>>(), [60, 90, 150]);
        assert_eq!(found.iter().map(|c| c.returned_at).collect::<Vec<_>>(), [Some(90), None, None]);
    }

    #[test]
    fn a_level_that_has_only_begun_is_provisional() {
        let found = change_points(&series(&[(60, 1.0), (7, 9.0)], 0.5, 3));
        assert_eq!((found.len(), found[0].position, found[0].is_provisional), (1, 60, true));
    }

    #[test]
    fn spikes_and_constants_are_no_change_and_steps_without_noise_are() {
        let mut values = series(&[(200, 5.0)], 1.0, 8);
        (20..200).step_by(40).for_each(|i| values[i] = 500.0);
        values[90] = 400.0;
        values[91] = 410.0;
        assert!(positions(&values).is_empty());
        assert!(positions(&[0.1; 50]).is_empty());
        assert_eq!(positions(&series(&[(30, 0.1), (30, 0.3)], 0.0, 0)), [30]);
        assert_eq!(positions(&series(&[(30, 0.0), (10, 1e300), (30, 0.0)], 0.0, 0)), [30, 40]);
        assert!(positions(&[1.0, 2.0, 3.0]).is_empty());
    }

    /// Noise of deviation 1 about a season of `period` points.
    fn season(n: usize, period: f64, amplitude: f64, seed: u64) -> Vec<f64> {
        let wave = |k: usize| amplitude * (std::f64::consts::TAU * k as f64 / period).sin();
        series(&[(n, 100.0)], 1.0, seed).iter().enumerate().map(|(k, v)| v + wave(k)).collect()
    }

    #[test]
    fn a_smooth_season_and_a_ramp_are_no_steps() {
        let of_seasons: usize = (0..20).map(|seed| positions(&season(576, 288.0, 10.0, seed)).len()).sum();
        assert!(of_seasons <= 2, "{of_seasons} changes in 20 seasons");
        let ramp = |seed| -> Vec<f64> {
            series(&[(288, 5.0)], 1.0, seed).iter().enumerate().map(|(k, v)| v + 0.05 * k as f64).collect()
        };
        let of_ramps: usize = (0..20).map(|seed| positions(&ramp(seed)).len()).sum();
        assert!(of_ramps <= 12, "{of_ramps} changes in 20 ramps");
    }

    #[test]
    fn a_step_on_a_season_is_found_where_it_is() {
        let found = (0..20).filter(|seed| {
            let mut values = season(576, 288.0, 10.0, *seed);
            values[300..].iter_mut().for_each(|v| *v -= 5.0);
            positions(&values).iter().any(|at| at.abs_diff(300) <= 2)
        });
        assert!(found.count() >= 18);
    }

    proptest! {
        #[test]
        fn any_finite_series_is_judged_and_its_changes_are_apart(
            values in prop::collection::vec(prop_oneof![3 => -10.0..10.0, 1 => Just(0.0), 1 => prop::num::f64::NORMAL], 0..120)
        ) {
            let found = change_points(&values);
            let bounds: Vec<usize> =
                [vec![0], found.iter().map(|c| c.position).collect(), vec![values.len()]].concat();
            prop_assert!(found.is_empty() || bounds.windows(2).all(|pair| pair[1] - pair[0] >= MIN_SEGMENT));
            prop_assert!(found.iter().all(|c| (0.999..=1.0).contains(&c.confidence)));
        }

        #[test]
        fn shifting_and_stretching_a_series_leaves_its_changes_where_they_are(seed in 0u64..200, k in -20i32..20) {
            let values = series(&[(50, 10.0), (40, 14.0), (30, 9.0)], 1.0, seed);
            let stretched: Vec<f64> = values.iter().map(|v| v * 2.0_f64.powi(k)).collect();
            prop_assert_eq!(positions(&values), positions(&stretched));
            let turned: Vec<f64> = values.iter().map(|v| -v).collect();
            prop_assert_eq!(positions(&values), positions(&turned));
        }
    }
}
