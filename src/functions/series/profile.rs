//! What a series is like on other days: its level at each hour, and how far its intervals lie around it.

use super::codec::Interval;
use crate::functions::ExactSum;
use crate::functions::statistics::sample::{mad, median, sorted};

/// What turns the median absolute deviation of normal values into their standard deviation, to four digits as
/// the models have it: 1 / Φ⁻¹(3/4).
const MAD_SCALE: f64 = 1.4826;

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// Which intervals are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Season {
    /// All.
    None,
    /// Those of the same hour of the day.
    HourOfDay,
    /// Those of the same hour of the week, which begins on Sunday.
    HourOfWeek,
}

impl Season {
    /// By the word of the settings.
    pub fn parse(word: &str) -> Option<Season> {
        match word {
            "none" => Some(Season::None),
            "hour_of_day" => Some(Season::HourOfDay),
            "hour_of_week" => Some(Season::HourOfWeek),
            _ => None,
        }
    }

    /// Hours until it begins anew.
    fn hours(self) -> i64 {
        match self {
            Season::None => 1,
            Season::HourOfDay => 24,
            Season::HourOfWeek => 168,
        }
    }

    /// The season of an instant, in seconds since 1970: hours from 0 on, or −1 without seasons.
    fn of(self, seconds: i64) -> i64 {
        /// The first of January 1970 was a Thursday.
        const FIRST_DAY: i64 = 4;
        match self {
            Season::None => -1,
            Season::HourOfDay => seconds.div_euclid(HOUR).rem_euclid(24),
            Season::HourOfWeek => (seconds.div_euclid(HOUR) + FIRST_DAY * 24).rem_euclid(168),
        }
    }
}

/// How the level runs through a season that lasts an hour: on straight lines between the middles of hours, so that it does
/// not step where one hour ends and the next begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// The level of the hour before, as a share of this one's.
    pub before: f64,
    /// The level of the hour after, as a share of this one's.
    pub after: f64,
    /// When slot 0 starts, in seconds since 1970.
    pub start: i64,
    /// How long slots last.
    pub seconds: i64,
}

impl Line {
    /// The level in the middle of a slot, as a share of that in the middle of its hour. Slots of an hour or more have one level.
    #[inline]
    pub fn at(&self, slot: u32) -> f64 {
        if self.seconds >= HOUR {
            return 1.0;
        }
        let into = (self.start + i64::from(slot) * self.seconds).rem_euclid(HOUR);
        let x = (into as f64 + self.seconds as f64 / 2.0) / HOUR as f64 - 0.5;
        1.0 + x * if x < 0.0 { 1.0 - self.before } else { self.after - 1.0 }
    }
}

/// What the intervals of one season are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeasonProfile {
    /// The season, or −1 for all intervals.
    pub season: i64,
    /// Their level: the median; of a season the median of its own and those of its two neighbours.
    pub center: f64,
    /// How far intervals lie from the level of their season; `None` when there is one interval only.
    pub spread: Option<f64>,
    /// Intervals behind the spread: all of the series.
    pub intervals: u64,
    /// The newest interval of the season.
    pub newest: f64,
    /// The total of the season's samples.
    pub total: f64,
    /// How many samples the season has.
    pub samples: u64,
}

/// The seasons of a series whose slot 0 starts at `start` (seconds since 1970) and whose slots last `seconds` each: −1 for all
/// intervals, then every season that has any.
///
/// The spread is 1.4826 times the median absolute deviation of what intervals lie off their level, which runs on straight lines
/// between the centers of seasons (where more than half are equal, the root mean square of it). With seasons that is a
/// share of the level, so that the same share holds in each (Rousseeuw and Croux, "Alternatives to the median absolute deviation", JASA 1993, for the estimate).
pub fn profile(intervals: &[Interval], start: i64, seconds: i64, season: Season) -> Vec<SeasonProfile> {
    if intervals.is_empty() {
        return Vec::new();
    }
    let of = |interval: &Interval| season.of(start + i64::from(interval.slot) * seconds);
    // Stable, so that each season stays in the order of time.
    let mut by_season: Vec<(i64, Interval)> = intervals.iter().map(|i| (of(i), *i)).collect();
    by_season.sort_by_key(|(season, _)| *season);
    let groups: Vec<&[(i64, Interval)]> = by_season.chunk_by(|a, b| a.0 == b.0).collect();
    let levels: Vec<(i64, f64)> = groups.iter().map(|group| (group[0].0, level(group))).collect();
    let centers: Vec<f64> = levels.iter().map(|(own, _)| center(&levels, *own, season)).collect();
    let is_share = season != Season::None && centers.iter().all(|center| *center != 0.0);
    let mut residuals = Vec::with_capacity(intervals.len());
    for (group, center) in groups.iter().zip(&centers) {
        if season == Season::None || *center == 0.0 {
            // A center of 0 has no shares; its intervals count in the figure's own unit.
            residuals.extend(group.iter().map(|(_, interval)| interval.mean() - center));
            continue;
        }
        let share = |hours: i64| {
            let near = (group[0].0 + hours).rem_euclid(season.hours());
            let found = levels.iter().position(|(other, _)| *other == near);
            found.map_or(1.0, |position| centers[position] / center)
        };
        let line = Line { before: share(-1), after: share(1), start, seconds };
        residuals.extend(group.iter().map(|(_, interval)| {
            let level = center * line.at(interval.slot);
            (interval.mean() - level) / center.abs()
        }));
    }
    let spread = spread(residuals);
    let whole = (season != Season::None).then(|| summary(-1, &by_season, median_of(&by_season)));
    let seasons = groups.iter().zip(&centers).map(|(group, center)| summary(group[0].0, group, *center));
    whole
        .into_iter()
        .chain(seasons)
        .map(|one| SeasonProfile {
            spread: spread.map(|s| s * if is_share { one.center.abs() } else { 1.0 }),
            intervals: intervals.len() as u64,
            ..one
        })
        .collect()
}

/// All but the spread.
fn summary(season: i64, group: &[(i64, Interval)], center: f64) -> SeasonProfile {
    let mut total = ExactSum::new();
    group.iter().for_each(|(_, interval)| total.add(interval.total));
    let newest = group.iter().max_by_key(|(_, interval)| interval.slot);
    SeasonProfile {
        season,
        center,
        spread: None,
        intervals: 0,
        newest: newest.map_or(0.0, |(_, interval)| interval.mean()),
        total: total.sum().unwrap_or_default(),
        samples: group.iter().map(|(_, interval)| interval.samples).sum(),
    }
}

fn median_of(group: &[(i64, Interval)]) -> f64 {
    median(&sorted(group.iter().map(|(_, interval)| interval.mean()))).unwrap_or_default()
}

fn level(group: &[(i64, Interval)]) -> f64 {
    median_of(group)
}

/// The median of a season's level and those of its neighbours, so that a fault of an hour is not taken for the rhythm
/// of the day. Midnight lies beside the last hour of the day, or of the week.
fn center(levels: &[(i64, f64)], own: i64, season: Season) -> f64 {
    let hours = season.hours();
    let near = match season {
        Season::None => vec![own],
        _ => vec![(own + hours - 1) % hours, own, (own + 1) % hours],
    };
    let near = near.iter().filter_map(|s| levels.iter().find(|(other, _)| other == s));
    median(&sorted(near.map(|(_, level)| *level))).unwrap_or_default()
}

fn spread(residuals: Vec<f64>) -> Option<f64> {
    let n = residuals.len();
    if n < 2 {
        return None;
    }
    let mut squares = ExactSum::new();
    residuals.iter().for_each(|residual| squares.add(residual * residual));
    let robust = MAD_SCALE * mad(&sorted(residuals)).unwrap_or_default();
    if robust != 0.0 {
        return Some(robust);
    }
    Some((squares.sum().unwrap_or_default() / (n - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intervals(values: impl IntoIterator<Item = (u32, f64)>) -> Vec<Interval> {
        values.into_iter().map(|(slot, total)| Interval { slot, samples: 1, total }).collect()
    }

    #[test]
    fn hours_are_those_of_the_utc_day_and_weeks_begin_on_sunday() {
        // date -u -d @1736902800 +'%w %H': 3 01
        assert_eq!(Season::HourOfDay.of(1_736_902_800), 1);
        assert_eq!(Season::HourOfWeek.of(1_736_902_800), 3 * 24 + 1);
        assert_eq!((Season::HourOfDay.of(-1), Season::None.of(5)), (23, -1));
    }

    #[test]
    fn levels_run_from_hour_to_hour_and_the_spread_is_what_is_left() {
        // A day begins at midnight: 40 percent in the first hour, 44 and 48 in the next two, each 0.4 up and down in turn.
        // The level of the second hour is the median of all three, of the others the mean of two: 42, 44, 46. From 00:30 to 02:30 it
        // rises by 2 an hour, and does not before and after. python3, with minute(i) = 5 * i + 2.5:
        //   level = lambda m: min(max(41 + m / 30, 42), 46)
        //   r = [(value(i) - level(minute(i))) / (42, 44, 46)[i // 12] for i in range(36)]; from statistics import median
        //   1.4826 * median(abs(x - median(r)) for x in r) -> 0.05648
        let value = |i: u32| 40.0 + 4.0 * f64::from(i / 12) + if i.is_multiple_of(2) { 0.4 } else { -0.4 };
        let day = intervals((0..36).map(|i| (i, value(i))));
        let got = profile(&day, 1_736_899_200, 300, Season::HourOfDay);
        let rounded: Vec<_> = got
            .iter()
            .map(|p| (p.season, (p.center * 1e4).round() / 1e4, (p.spread.unwrap() * 1e4).round() / 1e4))
            .collect();
        assert_eq!(rounded, [(-1, 44.0, 2.4851), (0, 42.0, 2.3722), (1, 44.0, 2.4851), (2, 46.0, 2.5981)]);
        assert!(got.iter().all(|p| p.intervals == 36));
        assert_eq!((got[0].samples, got[1].samples, got[1].newest), (36, 12, 39.6));
    }

    #[test]
    fn a_level_does_not_step_at_the_full_hour_and_is_its_own_in_the_middle() {
        // From 01:00 on, in slots of a minute: the hour before has half the level, the one after twice.
        let line = Line { before: 0.5, after: 2.0, start: 3600, seconds: 60 };
        // Half a minute after the hour: 1 - 0.5 * (29.5 / 60); half a minute before the next: 1 + 1 * (29.5 / 60).
        assert!((line.at(0) - 0.754_166_666_666_666_7).abs() < 1e-12);
        assert!((line.at(59) - 1.491_666_666_666_666_7).abs() < 1e-12);
        assert!((line.at(29) - (1.0 - 0.5 / 120.0)).abs() < 1e-12);
        let next = Line { before: 0.5, after: 1.0, start: 7200, seconds: 60 };
        let step = 2.0 * next.at(0) - line.at(59);
        assert!((step - 1.0 / 60.0).abs() < 1e-12, "one slot of a line that rises by 1 an hour: {step}");
        assert_eq!(Line { seconds: 3600, ..line }.at(1), 1.0);
    }

    #[test]
    fn a_series_that_hardly_ever_moves_has_the_spread_of_the_times_when_it_did() {
        // python3: (4 * 0.025 ** 2 / 19) ** 0.5
        let mostly = intervals((0..20).map(|i| (i, if i < 4 { 0.025 } else { 0.0 })));
        let got = profile(&mostly, 0, 300, Season::None);
        assert_eq!((got.len(), got[0].season, got[0].center), (1, -1, 0.0));
        assert!((got[0].spread.unwrap() - 0.011_470_786_693_528_09).abs() < 1e-15, "{got:?}");
        assert_eq!(profile(&mostly[..1], 0, 300, Season::None)[0].spread, None);
        assert_eq!(profile(&[], 0, 300, Season::None), []);
    }
}
