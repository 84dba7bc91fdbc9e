//! The statistics by which a series is looked at.

use super::profile::Season;
use super::recent::Recent;

/// A few values: their median ignores one outlier and sees a short incident.
const FEW: usize = 3;

/// Values before the newest whose median a jump is measured from. One outlier among them moves nothing, so its
/// end is not a jump of its own.
const BEFORE: usize = 5;

/// Some values: enough to see a shift of a noisy level.
const SOME: usize = 12;

/// Many values: what a few are compared with, and enough to see that a whole morning is off.
const MANY: usize = 48;

/// Weight of the newest value in the slow moving average.
const SLOW: f64 = 0.005;

/// How many statistics there are.
pub(super) const CHANNELS: usize = 8;

/// One way to look at the newest value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statistic {
    pub(super) value: f64,
    /// Whether it can be judged already, or only be learned.
    pub(super) is_settled: bool,
    /// Whether it is the value itself, which is extreme on one side only when it is far from all it used to be;
    /// the others also swing to the other side when an incident ends.
    pub(super) is_value: bool,
}

/// What the statistics of the next value are made from.
#[derive(Debug, Clone)]
pub(super) struct Channels {
    values: u64,
    last: f64,
    slow: f64,
    recent: Recent<MANY>,
    changes: Recent<SOME>,
    residuals: Recent<MANY>,
    season: Season,
}

impl Default for Channels {
    fn default() -> Self {
        Channels {
            values: 0,
            last: 0.0,
            slow: 0.0,
            recent: Recent::default(),
            changes: Recent::default(),
            residuals: Recent::default(),
            season: Season::default(),
        }
    }
}

impl Channels {
    /// The statistics of a value, `None` where one cannot be told yet; then the value is learned.
    pub(super) fn push(&mut self, seconds: Option<f64>, value: f64) -> [Option<Statistic>; CHANNELS] {
        if self.values == 0 {
            (self.last, self.slow) = (value, value);
        }
        let before = self.recent.median(BEFORE).unwrap_or(value);
        let usual = self.recent.median(MANY);
        self.recent.push(value);
        self.changes.push((value - self.last).abs());
        if let Some(residual) = seconds.and_then(|s| self.season.push(s, value)) {
            self.residuals.push(residual);
        }
        let is_settled = seconds.is_some_and(|s| self.season.is_settled(s));
        let plain = |value: f64| Statistic { value, is_settled: true, is_value: false };
        let seasonal = |value: f64| Statistic { value, is_settled, is_value: false };
        let statistics = [
            Some(Statistic { is_value: true, ..plain(value) }),
            Some(plain(value - before)),
            self.few().zip(usual).map(|(few, usual)| plain(few - usual)),
            self.recent.mean(SOME).map(|mean| plain(mean - self.slow)),
            self.changes.mean(SOME).map(plain),
            self.residuals.mean(1).map(seasonal),
            self.residuals.mean(FEW).map(seasonal),
            self.residuals.mean(MANY).map(seasonal),
        ];
        self.values += 1;
        let newest = SLOW.max(1.0 / self.values as f64);
        // In this form a constant stays itself to the last digit.
        let step = (value - self.slow) * newest;
        self.slow = if step.is_finite() { self.slow + step } else { value };
        self.last = value;
        statistics.map(|s| s.filter(|s| s.value.is_finite()))
    }

    fn few(&self) -> Option<f64> {
        if self.recent.len() < FEW { None } else { self.recent.median(FEW) }
    }
}
