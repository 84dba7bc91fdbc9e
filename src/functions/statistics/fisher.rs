//! Do two shares of rare events differ? Fisher's exact test on counts ("Statistical methods for research workers",
//! 1934), two-sided: the probability of all tables with the same margins that are no likelier than the one observed.
//!
//! Chosen before tests of rates by window, which see nothing in two errors against an error-free baseline, and before
//! Boschloo's, whose maximisation has no bound on its steps.
//!
//! | counts | p |
//! |---|---|
//! | one is negative, not whole or above its total; a total is 0 or above 2^53 | none |
//! | no event on either side, or nothing but events | 1 |
//!
//! Probabilities are Loader's ("Fast and accurate computation of binomial probabilities", 2000), which lose no digits
//! in large counts; sums run from the largest term outwards until terms no longer matter.

use std::f64::consts::TAU;

/// Counts beyond it are not exact doubles.
const LARGEST: u64 = 1 << 53;

/// Tables this much likelier than the observed one still count as equally likely (R's and SciPy's tolerance).
const TOLERANCE: f64 = 1.0 + 1e-7;

/// ln(n!) less Stirling's formula; the series is exact to 1e-16 from 16 on (Loader, table 1).
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let factorial: f64 = (1..=n as u32).map(f64::from).product();
        return if n == 0.0 { 0.0 } else { factorial.ln() - 0.5 * (TAU * n).ln() - n * n.ln() + n };
    }
    let n2 = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / n2) / n2) / n2) / n2) / n
}

/// x·ln(x / mean) + mean − x, without cancellation where they are close (Loader, section 3).
fn deviance(x: f64, mean: f64) -> f64 {
    if (x - mean).abs() < 0.1 * (x + mean) {
        let v = (x - mean) / (x + mean);
        let mut sum = (x - mean) * v;
        let mut term = 2.0 * x * v;
        for j in 1..1000 {
            term *= v * v;
            let next = sum + term / f64::from(2 * j + 1);
            if next == sum {
                break;
            }
            sum = next;
        }
        return sum;
    }
    x * (x / mean).ln() + mean - x
}

/// The logarithm of the binomial probability of `x` of `n`.
fn binomial(x: f64, n: f64, share: f64) -> f64 {
    if x == 0.0 {
        return n * (-share).ln_1p();
    }
    if x == n {
        return n * share.ln();
    }
    let rest = n - x;
    stirling_error(n)
        - stirling_error(x)
        - stirling_error(rest)
        - deviance(x, n * share)
        - deviance(rest, n * (1.0 - share))
        - 0.5 * (TAU * x * (rest / n)).ln()
}

/// How many events fall to the candidate when `events` fall on `ours + theirs` tries at random.
struct Hypergeometric {
    ours: f64,
    theirs: f64,
    events: f64,
}

impl Hypergeometric {
    fn probability(&self, x: f64) -> f64 {
        let share = self.events / (self.ours + self.theirs);
        (binomial(x, self.theirs, share) + binomial(self.events - x, self.ours, share)
            - binomial(self.events, self.ours + self.theirs, share))
        .exp()
    }

    /// The ratio of the probabilities of `x + 1` and `x`.
    fn growth(&self, x: f64) -> f64 {
        (self.theirs - x) * (self.events - x) / ((x + 1.0) * (self.ours - self.events + x + 1.0))
    }

    /// The sum of probabilities from `x` away from the mode.
    fn tail(&self, x: u64, least: u64, most: u64, is_upper: bool) -> f64 {
        let first = self.probability(x as f64);
        let (mut term, mut sum, mut x) = (first, 0.0, x);
        loop {
            let next = sum + term;
            if next == sum {
                return sum;
            }
            sum = next;
            if is_upper {
                if x == most {
                    return sum;
                }
                term *= self.growth(x as f64);
                x += 1;
            } else {
                if x == least {
                    return sum;
                }
                x -= 1;
                term /= self.growth(x as f64);
            }
        }
    }
}

/// How likely shares as different as `ours` of `our_total` and `theirs` of `their_total` are when both sides are alike.
pub fn fisher_exact(ours: u64, our_total: u64, theirs: u64, their_total: u64) -> Option<f64> {
    let is_sound = ours <= our_total && theirs <= their_total && our_total > 0 && their_total > 0;
    if !is_sound || our_total > LARGEST || their_total > LARGEST {
        return None;
    }
    let events = ours + theirs;
    let (least, most) = (events.saturating_sub(our_total), events.min(their_total));
    if least == most {
        return Some(1.0);
    }
    let all = Hypergeometric { ours: our_total as f64, theirs: their_total as f64, events: events as f64 };
    let limit = all.probability(theirs as f64) * TOLERANCE;
    let mode = ((events as f64 + 1.0) * (their_total as f64 + 1.0) / ((our_total + their_total) as f64 + 2.0))
        .floor() as u64;
    let mode = mode.clamp(least, most);
    if all.probability(mode as f64) <= limit {
        return Some(1.0);
    }
    // On either side of the mode probabilities fall, so the tables that count are two tails.
    let unlikely = |x: &u64| all.probability(*x as f64) <= limit;
    let mut p = 0.0;
    if let Some(x) = last(least, mode, unlikely) {
        p += all.tail(x, least, most, false);
    }
    if let Some(x) = first(mode, most, unlikely) {
        p += all.tail(x, least, most, true);
    }
    Some(p.min(1.0))
}

/// The last number from `low` to `high` that `holds` is true for, given that it is true up to there.
fn last(mut low: u64, mut high: u64, holds: impl Fn(&u64) -> bool) -> Option<u64> {
    if !holds(&low) {
        return None;
    }
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if holds(&middle) { low = middle } else { high = middle - 1 }
    }
    Some(low)
}

/// The first number from `low` to `high` that `holds` is true for, given that it is true from there.
fn first(mut low: u64, mut high: u64, holds: impl Fn(&u64) -> bool) -> Option<u64> {
    if !holds(&high) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(&middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_are_judged_as_scipy_judges_them() {
        // scipy.stats.fisher_exact([[a, m - a], [b, n - b]]).pvalue
        let expectations = [
            ([0, 1000, 7, 1000], 0.015_461_266_199_607_457),
            ([3, 12, 9, 14], 0.061_838_740_072_688_116),
            ([10, 100_000, 31, 90_000], 0.000_421_447_250_901_020_5),
            ([1000, 2_000_000, 1300, 2_500_000], 0.355_834_870_063_781_67),
            ([5, 5, 0, 6], 0.002_164_502_164_502_164_5),
            ([120, 300, 140, 310], 0.219_418_790_984_056_42),
        ];
        for (counts, expected) in expectations {
            let [a, m, b, n] = counts;
            let got = fisher_exact(a, m, b, n).unwrap();
            assert!((got / expected - 1.0).abs() < 1e-9, "{counts:?}: {got} for {expected}");
        }
    }

    #[test]
    fn rare_errors_against_an_error_free_baseline_are_judged_by_counts() {
        assert!(fisher_exact(0, 10_000, 9, 10_000).unwrap() < 0.01);
        assert!(fisher_exact(0, 10_000, 2, 10_000).unwrap() > 0.05);
    }

    #[test]
    fn what_is_no_table_has_no_answer_and_no_events_are_no_difference() {
        assert_eq!(fisher_exact(2, 1, 0, 1), None);
        assert_eq!(fisher_exact(0, 0, 0, 1), None);
        assert_eq!(fisher_exact(0, 1 << 54, 0, 1), None);
        assert_eq!(fisher_exact(0, 7, 0, 9), Some(1.0));
        assert_eq!(fisher_exact(7, 7, 9, 9), Some(1.0));
    }

    /// C(n, k) as a double, exact enough for small n.
    fn choose(n: u64, k: u64) -> f64 {
        (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
    }

    proptest! {
        #[test]
        fn p_is_the_sum_over_all_tables_that_are_no_likelier(m in 1u64..40, n in 1u64..40, a in 0u64..40, b in 0u64..40) {
            let (a, b) = (a.min(m), b.min(n));
            let table = |x: u64| choose(n, x) * choose(m, a + b - x) / choose(m + n, a + b);
            let (least, most) = ((a + b).saturating_sub(m), (a + b).min(n));
            let limit = table(b) * TOLERANCE;
            let listed: f64 = (least..=most).map(table).filter(|p| *p <= limit).sum();
            let got = fisher_exact(a, m, b, n).unwrap();
            prop_assert!((got - listed.min(1.0)).abs() <= 1e-10 * listed, "{got} for {listed}");
        }

        #[test]
        fn the_sides_can_be_swapped(m in 1u64..100_000, n in 1u64..100_000, a in 0u64..50, b in 0u64..50) {
            let (a, b) = (a.min(m), b.min(n));
            let (one, other) = (fisher_exact(a, m, b, n).unwrap(), fisher_exact(b, n, a, m).unwrap());
            prop_assert!((one - other).abs() <= 1e-9 * one);
        }
    }
}
