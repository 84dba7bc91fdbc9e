//! What a certain time of the day, or of the week, usually brings.

/// Days and weeks that a mean remembers: from then on it moves by one in this many.
const MEMORY: f64 = 30.0;

/// A value moves a mean by no more than this many mean deviations, so that one odd day is not expected to
/// come again.
const CLIP: f64 = 5.0;

/// Values in a bin from which on its deviation is known well enough to clip by.
const SETTLED: f64 = 4.0;

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    mean: f64,
    deviation: f64,
    weight: f64,
}

/// Running means over equal parts of a period.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    period: f64,
    memory: f64,
    bins: Vec<Bin>,
}

impl Profile {
    /// A day in parts of half an hour.
    pub(super) fn of_day() -> Self {
        Profile { period: 86_400.0, memory: MEMORY, bins: vec![Bin::default(); 48] }
    }

    /// A week in parts of an hour. An hour holds two values for each of the day's half hours.
    pub(super) fn of_week() -> Self {
        Profile { period: 7.0 * 86_400.0, memory: 2.0 * MEMORY, bins: vec![Bin::default(); 168] }
    }

    /// What is expected at this time: between the middles of two bins, a value between their means. `None`
    /// where one of them has seen nothing.
    pub(super) fn expected(&self, seconds: f64) -> Option<f64> {
        let n = self.bins.len();
        let position = self.position(seconds) - 0.5;
        let low = position.floor();
        let share = position - low;
        let at = (low + n as f64) as usize % n;
        let (a, b) = (self.bins[at], self.bins[(at + 1) % n]);
        (a.weight > 0.0 && b.weight > 0.0).then_some(a.mean * (1.0 - share) + b.mean * share)
    }

    /// Learns a value.
    pub(super) fn push(&mut self, seconds: f64, value: f64) {
        let expected = self.expected(seconds);
        let at = self.position(seconds) as usize % self.bins.len();
        let bin = &mut self.bins[at];
        if bin.weight == 0.0 {
            bin.mean = value;
        }
        bin.weight = (bin.weight + 1.0).min(self.memory);
        let most =
            if bin.weight >= SETTLED && bin.deviation > 0.0 { CLIP * bin.deviation } else { f64::INFINITY };
        bin.mean += (value - bin.mean).clamp(-most, most) / bin.weight;
        if let Some(expected) = expected {
            bin.deviation += ((value - expected).abs().min(most) - bin.deviation) / bin.weight;
        }
    }

    fn position(&self, seconds: f64) -> f64 {
        seconds.rem_euclid(self.period) / self.period * self.bins.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_expects_what_the_same_time_brought_on_earlier_days() {
        let mut profile = Profile::of_day();
        for i in 0..48 * 5 {
            profile.push(f64::from(i) * 1800.0 + 900.0, f64::from(i % 48));
        }
        assert_eq!(profile.expected(900.0 + 10.0 * 1800.0), Some(10.0));
        assert_eq!(profile.expected(10.0 * 1800.0 + 1800.0), Some(10.5));
        assert_eq!(Profile::of_day().expected(0.0), None);
    }

    #[test]
    fn one_odd_day_moves_a_settled_expectation_little() {
        let mut profile = Profile::of_day();
        for day in 0..20 {
            for part in 0..48 {
                let noise = f64::from((day * 7 + part * 3) % 5) - 2.0;
                profile.push(f64::from(day * 48 + part) * 1800.0 + 900.0, 100.0 + noise);
            }
        }
        let before = profile.expected(900.0).unwrap();
        profile.push(900.0, 1e6);
        assert!((profile.expected(900.0).unwrap() - before).abs() < 2.0);
    }
}
