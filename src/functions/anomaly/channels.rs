//! The statistics by which a series is looked at.

use super::profile::Profile;
use std::collections::VecDeque;

/// A few values: enough to see a short incident, not one outlier.
const FEW: usize = 3;

/// Some values: enough to see a shift of a noisy level.
const SOME: usize = 12;

/// Many values: enough to see that a whole morning is off.
const MANY: usize = 48;

/// Weights of the newest value in the fast and in the slow moving average.
const FAST: f64 = 0.3;
const SLOW: f64 = 0.005;

/// How long a time of the day, or of the week, is watched before anything is expected of it.
const DAYS_OF_DAILY: f64 = 3.0;
const DAYS_OF_WEEKLY: f64 = 14.0;

/// How many statistics there are.
pub(super) const CHANNELS: usize = 12;

/// The last values of something.
#[derive(Debug, Clone, Default)]
struct Recent(VecDeque<f64>);

impl Recent {
    fn push(&mut self, value: f64) {
        if self.0.len() == MANY {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// The mean of the last `count`, once there are as many.
    fn mean(&self, count: usize) -> Option<f64> {
        (self.0.len() >= count).then(|| self.0.iter().rev().take(count).sum::<f64>() / count as f64)
    }
}

/// What the statistics of the next value are made from.
#[derive(Debug, Clone)]
pub(super) struct Channels {
    values: u64,
    first_seen: Option<f64>,
    last: f64,
    fast: f64,
    slow: f64,
    recent: Recent,
    changes: Recent,
    residuals: Recent,
    day: Profile,
    week: Profile,
}

impl Default for Channels {
    fn default() -> Self {
        Channels {
            values: 0,
            first_seen: None,
            last: 0.0,
            fast: 0.0,
            slow: 0.0,
            recent: Recent::default(),
            changes: Recent::default(),
            residuals: Recent::default(),
            day: Profile::of_day(),
            week: Profile::of_week(),
        }
    }
}

impl Channels {
    /// The statistics of a value, `None` where one cannot be told yet; then the value is learned.
    pub(super) fn push(&mut self, seconds: Option<f64>, value: f64) -> [Option<f64>; CHANNELS] {
        if self.values == 0 {
            (self.last, self.fast, self.slow) = (value, value, value);
        }
        self.recent.push(value);
        self.changes.push((value - self.last).abs());
        if let Some(expected) = seconds.and_then(|s| self.of_season(s)) {
            self.residuals.push(value - expected);
        }
        let has_season = !self.residuals.0.is_empty();
        let season = |count| if has_season { self.residuals.mean(count) } else { None };
        let statistics = [
            Some(value),
            self.recent.mean(FEW),
            self.recent.mean(SOME),
            Some(value - self.fast),
            self.recent.mean(SOME).map(|mean| mean - self.slow),
            self.recent.mean(FEW).map(|mean| mean - self.slow),
            self.changes.mean(SOME),
            self.changes.mean(FEW),
            season(1),
            season(FEW),
            season(SOME),
            season(MANY),
        ];
        self.learn(seconds, value);
        statistics.map(|s| s.filter(|s| s.is_finite()))
    }

    fn learn(&mut self, seconds: Option<f64>, value: f64) {
        self.values += 1;
        let newest = 1.0 / self.values as f64;
        self.fast += (value - self.fast) * FAST.max(newest);
        self.slow += (value - self.slow) * SLOW.max(newest);
        self.last = value;
        if let Some(seconds) = seconds {
            self.first_seen.get_or_insert(seconds);
            self.day.push(seconds, value);
            self.week.push(seconds, value);
        }
    }

    fn of_season(&self, seconds: f64) -> Option<f64> {
        let days = (seconds - self.first_seen?).abs() / 86_400.0;
        let weekly = if days > DAYS_OF_WEEKLY { self.week.expected(seconds) } else { None };
        weekly.or_else(|| if days > DAYS_OF_DAILY { self.day.expected(seconds) } else { None })
    }
}
