//! What to simulate: as asked for, and as checked.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::Error;
use super::world::REGIONS;
use crate::domain::{MAX_MICROS, MICROS_PER_HOUR, MICROS_PER_SECOND, MIN_MICROS};

/// 2025-01-15T00:00:00Z.
pub const DEFAULT_START: i64 = 1_736_899_200 * MICROS_PER_SECOND;

/// Log lines of a day, unless asked otherwise: enough for faults to meet requests even in the smallest region at night.
pub const DAILY_ROWS: u64 = 1_000_000;

/// Ten years: beyond that the plan itself would no longer be small.
const MAX_HOURS: f64 = 10.0 * 365.0 * 24.0;
/// One minute, the grain of the plan.
const MIN_HOURS: f64 = 1.0 / 60.0;

/// What to simulate. Nothing is checked before [`run`](super::run) or [`Options::check`].
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Directory for the files; made when absent, files of the same names are replaced.
    pub out: PathBuf,
    /// First instant, UTC microseconds.
    pub start: i64,
    /// Length in hours, fractions allowed; one minute to ten years.
    pub hours: f64,
    /// Exact number of log lines. Every other table follows from it and from the length.
    pub rows: u64,
    /// Seed: same options, same bytes.
    pub seed: u64,
    /// How many regions take part, the primary one first; 1 to 6.
    pub regions: usize,
    /// Share of traces whose spans are kept, 0 to 1. Always whole traces.
    pub trace_sampling: f64,
    /// No faults, no daily rhythm, nothing that drifts.
    pub quiet: bool,
    /// Threads that generate; `None`: as many as there are. It never changes a byte.
    pub threads: Option<NonZeroUsize>,
}

impl Options {
    /// One day, a million log lines, all regions, 6 % of traces.
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Options {
            out: out.into(),
            start: DEFAULT_START,
            hours: 24.0,
            rows: DAILY_ROWS,
            seed: 42,
            regions: REGIONS.len(),
            trace_sampling: 0.06,
            quiet: false,
            threads: None,
        }
    }

    /// Checks every value against its range.
    pub fn check(&self) -> Result<Checked, Error> {
        let refuse = |field, expected: String, got: String| Err(Error::Option { field, expected, got });
        if !(MIN_HOURS..=MAX_HOURS).contains(&self.hours) {
            return refuse("hours", format!("a minute (0.017) to {MAX_HOURS} hours"), self.hours.to_string());
        }
        // Whole seconds, so that a fraction such as 0.1 hours means the same on paper and in files.
        let length = (self.hours * 3_600.0).round() as i64 * MICROS_PER_SECOND;
        if self.start < MIN_MICROS || self.start > MAX_MICROS - length {
            return refuse(
                "start",
                "an instant so that the whole span lies in the years 1 to 9999".into(),
                format!("{} microseconds since 1970", self.start),
            );
        }
        if self.rows == 0 {
            return refuse("rows", "at least one log line".into(), "0".into());
        }
        if !(1..=REGIONS.len()).contains(&self.regions) {
            return refuse("regions", format!("1 to {}", REGIONS.len()), self.regions.to_string());
        }
        if !(0.0..=1.0).contains(&self.trace_sampling) {
            return refuse("trace_sampling", "a share from 0 to 1".into(), self.trace_sampling.to_string());
        }
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok());
        Ok(Checked {
            start: self.start,
            length,
            rows: self.rows,
            seed: self.seed,
            regions: self.regions,
            trace_sampling: self.trace_sampling,
            quiet: self.quiet,
            threads: threads.map_or(1, NonZeroUsize::get),
        })
    }
}

/// Options that hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub(super) start: i64,
    pub(super) length: i64,
    pub(super) rows: u64,
    pub(super) seed: u64,
    pub(super) regions: usize,
    pub(super) trace_sampling: f64,
    pub(super) quiet: bool,
    pub(super) threads: usize,
}

/// The grain of the plan, in microseconds: faults begin and end on whole minutes after the start.
pub(super) const MINUTE: i64 = 60 * MICROS_PER_SECOND;

impl Checked {
    /// Minutes, the last one possibly cut short.
    pub(super) fn minutes(&self) -> usize {
        (self.length + MINUTE - 1).div_euclid(MINUTE) as usize
    }

    /// First instant of a minute.
    pub(super) fn minute_start(&self, minute: usize) -> i64 {
        self.start + (minute as i64 * MINUTE).min(self.length)
    }

    /// First instant after the span.
    pub(super) fn end(&self) -> i64 {
        self.start + self.length
    }

    /// UTC hour of the day in the middle of a minute, with fraction.
    pub(super) fn hour_of_day(&self, minute: usize) -> f64 {
        let instant = self.minute_start(minute) + MINUTE / 2;
        instant.rem_euclid(24 * MICROS_PER_HOUR) as f64 / MICROS_PER_HOUR as f64
    }

    pub(super) fn hours(&self) -> f64 {
        self.length as f64 / MICROS_PER_HOUR as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl Fn(&mut Options)) -> String {
        let mut options = Options::new("unused");
        change(&mut options);
        options.check().unwrap_err().to_string()
    }

    #[test]
    fn a_value_out_of_range_is_refused_by_name() {
        assert!(refused(|o| o.hours = 0.0).starts_with("option `hours`: expected a minute (0.017) to"));
        assert!(refused(|o| o.hours = f64::NAN).contains("got NaN"));
        assert!(refused(|o| o.rows = 0).contains("at least one log line, got 0"));
        assert!(refused(|o| o.regions = 7).contains("expected 1 to 6, got 7"));
        assert!(refused(|o| o.trace_sampling = 1.5).contains("a share from 0 to 1"));
        assert!(refused(|o| o.start = MAX_MICROS).contains("the years 1 to 9999"));
    }

    #[test]
    fn a_fraction_of_an_hour_is_whole_seconds() {
        let mut options = Options::new("unused");
        options.hours = 0.1;
        let checked = options.check().unwrap();
        assert_eq!(checked.length, 360 * MICROS_PER_SECOND);
        assert_eq!(checked.minutes(), 6);
        assert_eq!(checked.minute_start(6), checked.end());
        assert_eq!(crate::domain::format_timestamp(DEFAULT_START), "2025-01-15T00:00:00Z");
    }
}
