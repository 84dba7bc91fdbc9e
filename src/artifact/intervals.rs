//! A window cut into intervals.

use super::Error;
use crate::domain::{MICROS_PER_SECOND, TimeRange, format_timestamp};
use crate::engine::Params;

/// Models count by whole minutes.
const MINUTE: i64 = 60;

/// The intervals of a window, numbered from 1; the last one may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    window: TimeRange,
    seconds: i64,
}

impl Intervals {
    /// Cuts a window.
    pub fn new(window: TimeRange, seconds: i64) -> Result<Self, Error> {
        let length = (window.to() - window.from()) / MICROS_PER_SECOND;
        if seconds < MINUTE || seconds % MINUTE != 0 || seconds > length {
            return Err(Error::Interval { seconds, window: length });
        }
        Ok(Intervals { window, seconds })
    }

    /// Those of a run's window and interval.
    pub(super) fn of(params: &Params) -> Result<Self, Error> {
        Intervals::new(params.window()?, params.interval_micros() / MICROS_PER_SECOND)
    }

    /// How many there are.
    pub fn count(self) -> usize {
        let step = self.seconds * MICROS_PER_SECOND;
        usize::try_from((self.window.to() - self.window.from() + step - 1) / step).unwrap_or_default()
    }

    /// Start and end of an interval, counted from 0.
    pub(super) fn bounds(self, position: usize) -> (i64, i64) {
        let step = self.seconds * MICROS_PER_SECOND;
        let start = self.window.from() + i64::try_from(position).unwrap_or(i64::MAX / step) * step;
        (start, (start + step).min(self.window.to()))
    }

    pub(super) fn window(self) -> TimeRange {
        self.window
    }

    pub(super) fn seconds(self) -> i64 {
        self.seconds
    }
}

/// An instant for a document.
pub(super) fn time(micros: i64) -> String {
    format_timestamp(micros)
}

/// Digits that documents keep; what comes after them is noise of the last bits.
const DIGITS: usize = 12;

/// A number rounded to so many significant digits: the shortest text that says what was measured.
pub(super) fn rounded(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    format!("{number:.*e}", DIGITS - 1).parse().unwrap_or(number)
}

/// A percentage to four decimals.
pub(super) fn percent(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_288_intervals_of_five_minutes_and_a_rest_is_one_more() {
        let day = TimeRange::day("2025-01-15").unwrap();
        let intervals = Intervals::new(day, 300).unwrap();
        assert_eq!(intervals.count(), 288);
        assert_eq!(intervals.bounds(287).1, day.to());
        let longer = TimeRange::new(day.from(), day.to() + MICROS_PER_SECOND).unwrap();
        let intervals = Intervals::new(longer, 300).unwrap();
        assert_eq!((intervals.count(), intervals.bounds(288)), (289, (day.to(), longer.to())));
    }

    #[test]
    fn an_interval_is_whole_minutes_inside_the_window() {
        let day = TimeRange::day("2025-01-15").unwrap();
        for seconds in [0, -300, 59, 90, 86_460] {
            let error = Intervals::new(day, seconds).unwrap_err().to_string();
            assert!(error.contains("expected whole minutes"), "{error}");
        }
    }

    #[test]
    fn numbers_keep_twelve_digits() {
        assert_eq!(rounded(0.1 + 0.2), 0.3);
        assert_eq!(rounded(7.894736842105263), 7.89473684211);
        assert_eq!(rounded(96636764160.0), 96636764160.0);
        assert_eq!(rounded(-0.0), 0.0);
    }
}
