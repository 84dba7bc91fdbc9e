//! What stretches of time a lake holds, read from the records of its files, and what to compare a window with.

use super::Error;
use crate::domain::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, TimeRange};
use crate::lake::Lake;

/// Models count by whole minutes.
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;

/// The tables whose presence makes a stretch of time comparable, in two groups: requests decide where there are any,
/// because metrics often go on when nothing is served.
const MEASURED: [[&str; 2]; 2] = [["logs", "spans"], ["metrics", "evaluations"]];

/// The half-open stretches of time that the files of some tables cover.
async fn stretches(lake: &Lake, tables: &[&str]) -> Result<Vec<(i64, i64)>, Error> {
    let mut stretches = Vec::new();
    for table in tables {
        if let Some(snapshot) = lake.snapshot(table).await? {
            stretches.extend(snapshot.files().iter().map(|file| (file.min_time, file.max_time + 1)));
        }
    }
    Ok(stretches)
}

/// From the first to after the last instant of which the lake holds requests (logs or spans), else any telemetry.
pub async fn held_time(lake: &Lake) -> Result<Option<TimeRange>, Error> {
    for tables in &MEASURED {
        let held = stretches(lake, tables).await?;
        let first = held.iter().map(|(from, _)| *from).min();
        let last = held.iter().map(|(_, to)| *to).max();
        if let Some((first, last)) = first.zip(last) {
            return Ok(TimeRange::new(first, last).ok());
        }
    }
    Ok(None)
}

/// The first instant of the day of an instant.
fn midnight(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY
}

/// The newest UTC day that holds requests (logs or spans), else any telemetry.
pub async fn last_day_with_requests(lake: &Lake) -> Result<Option<TimeRange>, Error> {
    Ok(held_time(lake).await?.and_then(|held| {
        let from = midnight(held.to() - 1);
        TimeRange::new(from, from + MICROS_PER_DAY).ok()
    }))
}

/// All the time in which the lake holds requests (logs or spans), else any telemetry, in whole days.
pub async fn whole_history(lake: &Lake) -> Result<Option<TimeRange>, Error> {
    Ok(held_time(lake).await?.and_then(|held| {
        TimeRange::new(midnight(held.from()), midnight(held.to() - 1) + MICROS_PER_DAY).ok()
    }))
}

/// A baseline for a window, and in words which one.
///
/// The period of the same length just before it, when the lake holds anything of that period; else the
/// first quarter of what the window itself holds, to a whole hour where that is most of it, so that the first
/// day of a lake can be compared with how it began.
pub async fn default_baseline(lake: &Lake, window: TimeRange) -> Result<(TimeRange, String), Error> {
    let previous = window.previous();
    let mut held: Option<(i64, i64)> = None;
    for tables in &MEASURED {
        let stretches = stretches(lake, tables).await?;
        if stretches.iter().any(|(from, to)| *from < previous.to() && *to > previous.from()) {
            return Ok((previous, "the period before it".to_owned()));
        }
        let inside = stretches.iter().filter(|(from, to)| *from < window.to() && *to > window.from());
        let first = inside.clone().map(|(from, _)| (*from).max(window.from())).min();
        let last = inside.map(|(_, to)| (*to).min(window.to())).max();
        held = held.or(first.zip(last));
    }
    let (first, last) = held.unwrap_or((window.from(), window.to()));
    let from = (first.div_euclid(MICROS_PER_HOUR) * MICROS_PER_HOUR).max(window.from());
    let quarter = (last - first) / 4;
    let end = first + quarter;
    let hour = end.div_euclid(MICROS_PER_HOUR) * MICROS_PER_HOUR;
    // What began within an hour may have little of it left before the next.
    let to = if hour - first >= quarter / 2 {
        hour
    } else {
        (end.div_euclid(MICROS_PER_MINUTE) * MICROS_PER_MINUTE).max(from + MICROS_PER_MINUTE)
    };
    let baseline = TimeRange::new(from, to).unwrap_or(window);
    Ok((
        baseline,
        "the first quarter of its data, because the lake holds nothing of the period before".to_owned(),
    ))
}
