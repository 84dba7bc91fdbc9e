//! From the rarity of several statistics to one score.

use super::HISTORY;
use super::channels::{CHANNELS, Channels};
use super::tail::Tail;

/// Values that must have been seen before a score can be above 0.
pub const WARM_UP: usize = 24;

/// Evidence of a statistic with `n` remembered values counts `n / (n + YOUTH)`: a short history knows its tail
/// badly.
const YOUTH: f64 = 30.0;

/// A history counts as this long at least when rarity is compared with it.
const SHORTEST: f64 = 550.0;

/// Decades by which a reported value may be less rare than once in the history.
const SLACK: f64 = 0.05;

/// Rows, or as much time as rows take, after which a report's hold on later ones has faded to 1/e.
const REFRACTORY: f64 = 50.0;

/// Intervals between rows whose mean is the usual one, and how many usual ones a single one counts at most.
const PACE_REMEMBERED: f64 = 100.0;
const LONGEST: f64 = 3.0;

/// Scores the values of one series in the order of time.
#[derive(Debug, Clone)]
pub struct Detector {
    channels: Channels,
    tails: [Tail; CHANNELS],
    values: usize,
    pace: Pace,
    /// Decades that were reported lately, for low and for high values.
    held: [f64; 2],
}

impl Default for Detector {
    fn default() -> Self {
        Detector {
            channels: Channels::default(),
            tails: std::array::from_fn(|_| Tail::default()),
            values: 0,
            pace: Pace::default(),
            held: [0.0; 2],
        }
    }
}

/// What speaks most for a report.
#[derive(Debug, Clone, Copy, Default)]
struct Evidence {
    /// Decades beyond what was reported lately.
    news: f64,
    decades: f64,
    side: usize,
}

impl Detector {
    /// The score of the next value, from 0 (as always) to 1; 0.5 and above is worth a report. Time is in
    /// seconds since the epoch, where known. A value that is not finite is a gap: it has no score and changes
    /// nothing.
    pub fn push(&mut self, seconds: Option<f64>, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        let faded = (1.0 - 1.0 / REFRACTORY).powf(self.pace.rows(seconds));
        self.held.iter_mut().for_each(|held| *held *= faded);
        let mut most = Evidence::default();
        for (tail, statistic) in self.tails.iter_mut().zip(self.channels.push(seconds, value)) {
            let Some(statistic) = statistic else { continue };
            let known = tail.len() as f64;
            let rarity = tail.rarity(statistic.value);
            tail.push(statistic.value);
            if !statistic.is_settled {
                continue;
            }
            let decades = rarity.decades * known / (known + YOUTH);
            let side = usize::from(rarity.is_high);
            // A dip after a peak belongs to it, whatever measures distances; a value that is itself as far out on
            // the other side does not.
            let held = if statistic.is_value { self.held[side] } else { self.held[0].max(self.held[1]) };
            if decades - held > most.news {
                most = Evidence { news: decades - held, decades, side };
            }
        }
        self.values += 1;
        if self.values <= WARM_UP {
            return Some(0.0);
        }
        let limit = (self.values as f64).clamp(SHORTEST, HISTORY as f64).log10() - SLACK;
        if most.news >= limit {
            self.held[most.side] = self.held[most.side].max(most.decades);
        }
        Some(1.0 - (-most.news / limit).exp2())
    }
}

/// How often values come.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    last: Option<f64>,
    interval: f64,
    intervals: f64,
}

impl Pace {
    /// How many rows the time since the last value would usually hold: at least 1.
    fn rows(&mut self, seconds: Option<f64>) -> f64 {
        let Some(seconds) = seconds else { return 1.0 };
        let Some(last) = self.last.replace(seconds) else { return 1.0 };
        let passed = (seconds - last).abs();
        if self.interval <= 0.0 {
            self.interval = passed;
        }
        if self.interval <= 0.0 {
            return 1.0;
        }
        let rows = (passed / self.interval).max(1.0);
        self.intervals = (self.intervals + 1.0).min(PACE_REMEMBERED);
        self.interval += (passed.min(LONGEST * self.interval) - self.interval) / self.intervals;
        rows
    }
}

/// The scores of a series. A gap (NULL or not finite) has none; times are in seconds.
pub fn anomaly_scores(values: &[Option<f64>], seconds: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut detector = Detector::default();
    let time = |at: usize| seconds.get(at).copied().flatten();
    values.iter().enumerate().map(|(at, value)| detector.push(time(at), (*value)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers between -1 and 1 that look random (a linear congruential generator, Knuth's MMIX).
    fn noise(seed: u64) -> impl Iterator<Item = f64> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        })
    }

    fn every_five_minutes(count: usize) -> Vec<Option<f64>> {
        (0..count).map(|i| Some(1_736_899_200.0 + 300.0 * i as f64)).collect()
    }

    fn reports(values: &[f64]) -> Vec<usize> {
        let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
        let scores = anomaly_scores(&values, &every_five_minutes(values.len()));
        (0..values.len()).filter(|at| scores[*at].is_some_and(|s| s >= 0.5)).collect()
    }

    /// Rows at which a report lies in `[from, to)`, and how many lie elsewhere.
    fn check(values: &[f64], from: usize, to: usize, others: usize) {
        let reports = reports(values);
        assert!(reports.iter().any(|at| (from..to).contains(at)), "{reports:?}");
        let elsewhere: Vec<_> = reports.iter().filter(|at| !(from..to).contains(at)).collect();
        assert!(elsewhere.len() <= others, "{elsewhere:?}");
    }

    #[test]
    fn a_spike_is_reported_and_uniform_noise_rarely() {
        let mut values: Vec<f64> = noise(1).take(2000).map(|e| 50.0 + 5.0 * e).collect();
        // By design a report is as rare as once in the history, so noise has a few in 2000 rows.
        assert!(reports(&values).len() <= 5, "{:?}", reports(&values));
        values[1500] = 120.0;
        check(&values, 1500, 1501, 5);
    }

    #[test]
    fn a_shift_of_the_level_is_reported_when_it_comes_and_then_becomes_normal() {
        let values: Vec<f64> = noise(2)
            .take(3000)
            .enumerate()
            .map(|(i, e)| 50.0 + 5.0 * e + if i >= 1200 { 25.0 } else { 0.0 })
            .collect();
        check(&values, 1200, 1215, 3);
        assert!(reports(&values).iter().filter(|at| **at >= 1300).count() <= 2);
    }

    #[test]
    fn a_value_that_is_usual_at_noon_is_reported_at_night() {
        let daily = |i: usize| 100.0 + 50.0 * (std::f64::consts::TAU * i as f64 / 288.0).sin();
        let mut values: Vec<f64> =
            noise(3).take(288 * 10).enumerate().map(|(i, e)| daily(i) + 3.0 * e).collect();
        let night = 288 * 8 + 216;
        values[night..night + 6].iter_mut().for_each(|v| *v += 60.0);
        check(&values, night, night + 6, 4);
    }

    #[test]
    fn a_signal_that_falls_silent_is_reported() {
        let mut values: Vec<f64> = noise(4).take(2000).map(|e| 200.0 + 40.0 * e).collect();
        values[1600..1640].iter_mut().for_each(|v| *v = 0.0);
        check(&values, 1600, 1604, 3);
    }

    #[test]
    fn a_constant_scores_zero_and_the_first_other_value_is_reported() {
        let mut values = vec![7.0; 200];
        assert!(reports(&values).is_empty());
        values[150] = 7.5;
        // The way back may be reported as well: it is a change that the constant never made.
        assert_eq!(reports(&values).first(), Some(&150));
        assert!(reports(&values).iter().all(|at| (150..153).contains(at)));
    }

    #[test]
    fn a_constant_scores_exactly_zero_for_weeks() {
        for constant in [0.1, -1e300, 5.0, 0.0] {
            let scores = anomaly_scores(&vec![Some(constant); 6000], &every_five_minutes(6000));
            assert!(scores.iter().all(|s| *s == Some(0.0)), "{constant}");
        }
    }

    #[test]
    fn the_end_of_a_spike_is_no_report_of_its_own() {
        let mut values: Vec<f64> = noise(6).take(2000).map(|e| 50.0 + 5.0 * e).collect();
        values[1500] = 500.0;
        let reports = reports(&values);
        assert!(reports.contains(&1500) && !(1501..1520).any(|at| reports.contains(&at)), "{reports:?}");
    }

    #[test]
    fn what_lasts_is_reported_although_single_values_were_further_out() {
        // A share that is nearly always whole, with single deep drops; then a smaller one in two rows of three.
        let mut values: Vec<f64> = noise(7)
            .take(1500)
            .enumerate()
            .map(|(i, e)| if i % 97 == 40 { 80.0 + 5.0 * e } else { 99.5 + 0.5 * e })
            .collect();
        values[1400..1402].fill(90.0);
        check(&values, 1400, 1402, 4);
    }

    #[test]
    fn a_peak_soon_after_a_dip_is_reported_on_its_own() {
        let mut values: Vec<f64> = noise(8).take(2000).map(|e| 50.0 + 5.0 * e).collect();
        values[1500] = 0.0;
        values[1510..1513].fill(110.0);
        let reports = reports(&values);
        assert!(reports.contains(&1500) && (1510..1513).any(|at| reports.contains(&at)), "{reports:?}");
    }

    #[test]
    fn a_report_holds_back_the_next_rows_and_not_the_next_day() {
        let mut values: Vec<f64> = noise(9).take(1000).map(|e| 50.0 + 5.0 * e).collect();
        values.extend([100.0, 100.0]);
        let at_once = every_five_minutes(values.len());
        let mut a_day_later = at_once.clone();
        a_day_later[1001] = a_day_later[1001].map(|t| t + 86_400.0);
        let is_reported_twice = |times: &[Option<f64>]| {
            let values: Vec<_> = values.iter().copied().map(Some).collect();
            anomaly_scores(&values, times)[1000..].iter().all(|s| s.is_some_and(|s| s >= 0.5))
        };
        assert!(!is_reported_twice(&at_once) && is_reported_twice(&a_day_later));
    }

    #[test]
    fn hourly_values_have_a_day_before_they_have_a_week() {
        let mut values: Vec<f64> = noise(10)
            .take(24 * 11)
            .enumerate()
            .map(|(i, e)| if (8..18).contains(&(i % 24)) { 150.0 } else { 50.0 } + 2.0 * e)
            .collect();
        // The tenth day begins three hours early: nothing new but the time.
        let night = 24 * 9 + 5;
        values[night..night + 3].fill(150.0);
        let hours: Vec<_> = (0..values.len()).map(|i| Some(3600.0 * i as f64)).collect();
        let values: Vec<_> = values.into_iter().map(Some).collect();
        let is_reported = |times: &[Option<f64>]| {
            anomaly_scores(&values, times)[night..night + 3].iter().any(|s| s.is_some_and(|s| s >= 0.5))
        };
        assert!(is_reported(&hours) && !is_reported(&[]));
    }

    #[test]
    fn gaps_have_no_score_and_change_nothing() {
        let dense: Vec<Option<f64>> = noise(5).take(300).map(Some).collect();
        let gaps = [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)];
        let (mut sparse, mut kept) = (vec![], vec![]);
        for (i, value) in dense.iter().enumerate() {
            sparse.push(gaps[i % 4]);
            kept.push(sparse.len());
            sparse.push(*value);
        }
        let scores = anomaly_scores(&sparse, &[]);
        let expected = anomaly_scores(&dense, &[]);
        for (i, score) in scores.iter().enumerate() {
            let at = kept.iter().position(|k| *k == i);
            assert_eq!(*score, at.and_then(|at| expected[at]), "{i}");
        }
    }

    #[test]
    fn one_value_scores_zero_and_none_scores_nothing() {
        assert_eq!(anomaly_scores(&[Some(3.0)], &[]), [Some(0.0)]);
        assert_eq!(anomaly_scores(&[], &[]), []);
        assert_eq!(anomaly_scores(&[None], &[]), [None]);
    }

    proptest! {
        #[test]
        fn scores_are_between_zero_and_one_and_know_nothing_of_later_rows(
            values in prop::collection::vec(prop_oneof![-1e3..1e3, Just(1e300), Just(-1e300), Just(0.0)], 0..120),
            cut in any::<prop::sample::Index>(),
        ) {
            let values: Vec<Option<f64>> = values.into_iter().map(Some).collect();
            let times = every_five_minutes(values.len());
            let scores = anomaly_scores(&values, &times);
            prop_assert!(scores.iter().flatten().all(|s| (0.0..=1.0).contains(s)));
            let cut = cut.index(values.len() + 1);
            prop_assert_eq!(&anomaly_scores(&values[..cut], &times)[..], &scores[..cut]);
        }
    }
}
