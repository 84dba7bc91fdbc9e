//! What a certain time of the day, or of the week, usually brings.

/// Days after the first value from which on something is expected of a time of the day, and of the week.
const DAYS_OF_DAILY: f64 = 3.0;
const DAYS_OF_WEEKLY: f64 = 8.0;

/// Days for which residuals are learned before one is judged: those of one morning say nothing of the evening.
const DAYS_OF_RESIDUALS: f64 = 1.0;

/// What the week adds to the day after `n` weeks counts `n / (n + SHRINKAGE)`: an estimate from few weeks is
/// drawn towards none at all, as by James and Stein.
const SHRINKAGE: f64 = 4.0;

/// Visits that a mean remembers: from then on it moves by one in this many.
const DAYS_REMEMBERED: f64 = 14.0;
const WEEKS_REMEMBERED: f64 = 8.0;

/// A visit moves a mean by no more than this many mean deviations, so that one odd day is not expected to
/// come again.
const CLIP: f64 = 5.0;

/// Visits from which on a deviation is known well enough to clip by.
const SETTLED: f64 = 3.0;

/// Parts of the period in which a neighbour is looked for, when values come less often than there are parts.
const REACH: usize = 4;

const DAY: f64 = 86_400.0;

/// What the time of a value, of the day and of the week, lets expect.
#[derive(Debug, Clone)]
pub(super) struct Season {
    first_seen: Option<f64>,
    first_expected: Option<f64>,
    day: Profile,
    /// What the week adds to the day.
    week: Profile,
}

impl Default for Season {
    fn default() -> Self {
        Season {
            first_seen: None,
            first_expected: None,
            // Parts of half an hour, and of an hour.
            day: Profile::new(DAY, 48, DAYS_REMEMBERED),
            week: Profile::new(7.0 * DAY, 168, WEEKS_REMEMBERED),
        }
    }
}

impl Season {
    /// The distance of a value from what is expected at its time, `None` as long as too little was seen; then
    /// the value is learned.
    pub(super) fn push(&mut self, seconds: f64, value: f64) -> Option<f64> {
        let days = (seconds - *self.first_seen.get_or_insert(seconds)).abs() / DAY;
        let day = self.day.expected(seconds).map(|day| day.mean);
        let residual = day.filter(|_| days > DAYS_OF_DAILY).map(|day| {
            let week = if days > DAYS_OF_WEEKLY { self.week.expected(seconds) } else { None };
            value - day - week.map_or(0.0, |week| week.mean * week.visits / (week.visits + SHRINKAGE))
        });
        if residual.is_some() {
            self.first_expected.get_or_insert(seconds);
        }
        self.day.push(seconds, value);
        if let Some(day) = day {
            self.week.push(seconds, value - day);
        }
        residual
    }

    /// Whether residuals have been seen for long enough to judge one.
    pub(super) fn is_settled(&self, seconds: f64) -> bool {
        self.first_expected.is_some_and(|first| (seconds - first).abs() >= DAYS_OF_RESIDUALS * DAY)
    }
}

/// What a part of the period has brought, or is expected to bring.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    mean: f64,
    deviation: f64,
    visits: f64,
}

/// What the present visit to a part has brought so far.
#[derive(Debug, Clone, Copy, Default)]
struct Visit {
    part: usize,
    values: f64,
    mean: f64,
    expected: f64,
    away: f64,
}

/// Running means over equal parts of a period. A part learns once a visit, when the visit is over: however
/// many values come in half an hour, they are one day's, and a value is never compared with its own incident.
#[derive(Debug, Clone)]
struct Profile {
    period: f64,
    memory: f64,
    parts: Vec<Part>,
    visit: Visit,
}

impl Profile {
    fn new(period: f64, parts: usize, memory: f64) -> Self {
        Profile { period, memory, parts: vec![Part::default(); parts], visit: Visit::default() }
    }

    /// What is expected at this time: between the middles of two parts, a value between their means. `None`
    /// where nothing near has been seen.
    fn expected(&self, seconds: f64) -> Option<Part> {
        let n = self.parts.len();
        let position = self.position(seconds) - 0.5;
        let low = position.floor();
        let at = (low + n as f64) as usize % n;
        let has_seen = |part: &Part| part.visits > 0.0;
        let (back, a) = (0..REACH).map(|k| (k, self.parts[(at + n - k) % n])).find(|(_, p)| has_seen(p))?;
        let (on, b) = (1..=REACH).map(|k| (k, self.parts[(at + k) % n])).find(|(_, p)| has_seen(p))?;
        let share = (position - low + back as f64) / (back + on) as f64;
        Some(Part {
            // In this form, as in the running means, a constant is expected to the last digit.
            mean: a.mean + (b.mean - a.mean) * share,
            deviation: a.deviation.max(b.deviation),
            visits: a.visits.min(b.visits),
        })
    }

    /// Learns a value.
    fn push(&mut self, seconds: f64, value: f64) {
        let part = self.position(seconds) as usize % self.parts.len();
        if part != self.visit.part {
            self.end_visit();
            self.visit = Visit { part, ..Visit::default() };
        }
        if let Some(expected) = self.expected(seconds) {
            self.visit.expected += 1.0;
            self.visit.away += (value - expected.mean).abs();
        }
        self.visit.values += 1.0;
        self.visit.mean += (value - self.visit.mean) / self.visit.values;
    }

    fn end_visit(&mut self) {
        let visit = self.visit;
        if visit.values == 0.0 {
            return;
        }
        let mean = visit.mean;
        let part = &mut self.parts[visit.part];
        if part.visits == 0.0 && mean.is_finite() {
            part.mean = mean;
        }
        // Beyond what numbers can hold there is nothing to learn.
        let step = mean - part.mean;
        if !step.is_finite() || !visit.away.is_finite() {
            return;
        }
        let most = if part.visits >= SETTLED && part.deviation > 0.0 {
            CLIP * part.deviation
        } else {
            f64::INFINITY
        };
        part.visits = (part.visits + 1.0).min(self.memory);
        part.mean += step.clamp(-most, most) / part.visits;
        if visit.expected > 0.0 {
            let away = (visit.away / visit.expected).min(most);
            part.deviation += (away - part.deviation) / (part.visits - 1.0).max(1.0);
        }
    }

    fn position(&self, seconds: f64) -> f64 {
        seconds.rem_euclid(self.period) / self.period * self.parts.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day in half hours that has seen some days, at some values a half hour.
    fn learned(days: usize, values: usize, of: impl Fn(usize, usize) -> f64) -> Profile {
        let mut profile = Profile::new(DAY, 48, DAYS_REMEMBERED);
        for at in 0..days * 48 * values {
            let (day, part) = (at / values / 48, at / values % 48);
            profile.push((at as f64 + 0.5) * 1800.0 / values as f64, of(day, part));
        }
        profile
    }

    fn expected(profile: &Profile, seconds: f64) -> Option<f64> {
        profile.expected(seconds).map(|part| part.mean)
    }

    #[test]
    fn a_profile_expects_what_the_same_time_brought_on_earlier_days() {
        let profile = learned(5, 1, |_, part| part as f64);
        assert_eq!(expected(&profile, 900.0 + 10.0 * 1800.0), Some(10.0));
        assert_eq!(expected(&profile, 10.0 * 1800.0 + 1800.0), Some(10.5));
        assert_eq!(expected(&Profile::new(DAY, 48, DAYS_REMEMBERED), 0.0), None);
    }

    #[test]
    fn hourly_values_have_a_day_of_half_hours() {
        let mut profile = Profile::new(DAY, 48, DAYS_REMEMBERED);
        (0..24 * 4).for_each(|hour| profile.push(f64::from(hour) * 3600.0 + 900.0, f64::from(hour % 24)));
        assert_eq!(expected(&profile, 5.0 * 3600.0 + 900.0), Some(5.0));
        assert_eq!(expected(&profile, 5.0 * 3600.0 + 2700.0), Some(5.5));
    }

    #[test]
    fn the_values_of_one_visit_are_one_day_however_many_they_are() {
        let rising = |day: usize, _| day as f64;
        let [seldom, often] = [1, 30].map(|values| expected(&learned(6, values, rising), 900.0));
        assert_eq!(seldom, Some(2.5));
        assert_eq!(seldom, often);
    }

    #[test]
    fn an_incident_is_not_expected_while_it_lasts() {
        let mut profile = learned(6, 30, |_, _| 100.0);
        (0..30).for_each(|i| profile.push(6.0 * DAY + 60.0 * f64::from(i), 900.0));
        assert_eq!(expected(&profile, 900.0), Some(100.0));
    }

    #[test]
    fn one_odd_day_moves_a_settled_expectation_little() {
        let mut profile = learned(20, 1, |day, part| 98.0 + ((day * 7 + part * 3) % 5) as f64);
        let before = expected(&profile, 900.0).unwrap();
        profile.push(20.0 * DAY + 900.0, 1e6);
        profile.push(20.0 * DAY + 2700.0, 100.0);
        assert!((expected(&profile, 900.0).unwrap() - before).abs() < 2.0);
    }

    #[test]
    fn a_quiet_weekend_is_expected_the_more_the_more_weeks_had_one() {
        let mut season = Season::default();
        let value = |hour: usize| if hour / 24 % 7 >= 5 { 20.0 } else { 100.0 };
        let mut off = vec![];
        for hour in 0..24 * 7 * 8 {
            let seconds = 3600.0 * hour as f64 + 1800.0;
            // How far the noon of each Saturday is from what was expected of it.
            if hour % (24 * 7) == 24 * 5 + 12 {
                off.push(season.clone().push(seconds, 20.0).map(f64::abs));
            }
            season.push(seconds, value(hour));
        }
        let off: Vec<f64> = off.into_iter().flatten().collect();
        assert!(off.len() == 8 && off[7] < off[1] && off[7] < 30.0, "{off:?}");
    }
}
