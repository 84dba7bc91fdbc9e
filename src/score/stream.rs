//! Scoring as telemetry comes in: which windows are over, and what each is compared with.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;

use super::Error;
use crate::domain::{MICROS_PER_DAY, TimeRange};
use crate::engine::{Params, Value};
use crate::lake::Lake;
use crate::pipeline::{Run, held_time};

/// The longest stretch that is scored in one go, so that catching up takes no more memory than a day does.
const LONGEST: i64 = MICROS_PER_DAY;

/// How windows are scored one after the other. Times are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Length of a window, in seconds.
    pub interval_seconds: u32,
    /// How long after its end a window waits for rows that come late. Told by the newest row, not by a clock, so that
    /// the same rows are judged alike whenever they come.
    pub lag: i64,
    /// Length of the time just before a stretch of windows that it is compared with.
    pub baseline: i64,
}

impl Stream {
    /// The windows that are over and not judged: from `judged_until`, or only the last one when nothing was judged.
    pub async fn due(&self, lake: &Lake, judged_until: Option<i64>) -> Result<Option<TimeRange>, Error> {
        let held = held_time(lake).await.map_err(Error::from)?;
        Ok(held.and_then(|held| self.due_of(held, judged_until)))
    }

    fn due_of(&self, held: TimeRange, judged_until: Option<i64>) -> Option<TimeRange> {
        let interval = i64::from(self.interval_seconds) * crate::domain::MICROS_PER_SECOND;
        let floor = |micros: i64| micros.div_euclid(interval) * interval;
        let over = floor(held.to().saturating_sub(self.lag));
        // What lies before the first row is empty, however far back somebody asks to begin.
        let from = judged_until.map_or(over - interval, floor).max(floor(held.from()));
        let most = (LONGEST / interval).max(1) * interval;
        TimeRange::new(from, over.min(from + most)).ok()
    }

    /// The parameters of a run over such windows.
    pub fn params(&self, due: TimeRange) -> Result<Params, Error> {
        let baseline =
            TimeRange::new(due.from().saturating_sub(self.baseline), due.from()).unwrap_or(due.previous());
        let mut params = Params::new(due, baseline);
        params.set("interval_seconds", Value::Integer(i64::from(self.interval_seconds)))?;
        Ok(params)
    }
}

/// The end of the last window that a judge has kept a verdict of.
pub async fn judged_until(run: &Run, judge: &str) -> Result<Option<i64>, Error> {
    let judge = judge.replace('\'', "''");
    let sql = format!("select max(window_end) as last from predictions where judge = '{judge}'");
    let rows = run.rows(&sql).await?;
    Ok(rows.iter().find(|batch| batch.num_rows() > 0).and_then(|batch| {
        let last = batch.column(0).as_primitive_opt::<TimestampMicrosecondType>()?;
        last.iter().next().flatten()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn a_window_is_due_once_when_its_lag_is_over() {
        let stream = Stream { interval_seconds: 300, lag: MINUTE, baseline: 60 * MINUTE };
        let due = |first: i64, last: i64, judged: Option<i64>| {
            let held = TimeRange::new(first * MINUTE, last * MINUTE).unwrap();
            stream.due_of(held, judged.map(|j| j * MINUTE)).map(|r| (r.from() / MINUTE, r.to() / MINUTE))
        };
        // Nothing judged: the last window that is over.
        assert_eq!(due(0, 16, None), Some((10, 15)));
        assert_eq!(due(0, 15, None), Some((5, 10)), "its lag is not over");
        assert_eq!(due(3, 6, None), Some((0, 5)));
        // From where judging stopped.
        assert_eq!(due(0, 31, Some(15)), Some((15, 30)));
        assert_eq!(due(0, 31, Some(30)), None);
        assert_eq!(due(0, 34, Some(30)), None);
        assert_eq!(due(12, 31, Some(-500_000)), Some((10, 30)), "nothing lies before the first row");
        // A long time is caught up with in days.
        assert_eq!(due(0, 4 * 1440, Some(0)), Some((0, 1440)));
    }

    #[test]
    fn a_stretch_is_compared_with_the_time_just_before_it() {
        let stream = Stream { interval_seconds: 60, lag: 0, baseline: 60 * MINUTE };
        let params = stream.params(TimeRange::new(600 * MINUTE, 601 * MINUTE).unwrap()).unwrap();
        assert_eq!(params.baseline().unwrap(), TimeRange::new(540 * MINUTE, 600 * MINUTE).unwrap());
    }
}
