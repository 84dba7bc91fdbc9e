//! Token buckets, and the clock that they and retries wait by.

use std::fmt::Debug;
use std::time::{Duration, SystemTime};

/// Time as a pull knows it. Tests give their own, so that nothing really waits.
pub trait Clock: Debug + Send + Sync {
    /// Time since the Unix epoch.
    fn now(&self) -> Duration;
    /// Waits.
    fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Lets a number of things per second through: `burst` at once, and then as they are refilled.
#[derive(Debug, Clone)]
pub(crate) struct TokenBucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
}

impl TokenBucket {
    /// Full at the start. Both numbers must be above zero.
    pub(crate) fn new(per_second: f64, burst: f64, now: Duration) -> TokenBucket {
        TokenBucket { per_second, burst, tokens: burst, at: now }
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        // A clock that was set back must not stop the flow.
        self.at = now;
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
    }

    /// Takes tokens, also more than there are, and says how long to wait until the debt is paid.
    pub(crate) fn take(&mut self, tokens: f64, now: Duration) -> Duration {
        self.refill(now);
        self.tokens -= tokens;
        if self.tokens >= 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(-self.tokens / self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    #[test]
    fn a_burst_passes_and_the_rest_waits_its_turn() {
        let mut bucket = TokenBucket::new(5.0, 2.0, seconds(100.0));
        let waits: Vec<f64> = (0..4).map(|_| bucket.take(1.0, seconds(100.0)).as_secs_f64()).collect();
        // Two at once; then one every fifth of a second.
        assert_eq!(waits, [0.0, 0.0, 0.2, 0.4]);
        // A second later five are back, two are the most it holds after the debt of two is paid.
        assert_eq!(bucket.take(2.0, seconds(101.0)), Duration::ZERO);
        assert_eq!(bucket.take(1.0, seconds(101.0)), seconds(0.2));
    }

    #[test]
    fn more_than_a_burst_is_paid_for_afterwards() {
        let mut bucket = TokenBucket::new(50_000.0 / 60.0, 50_000.0, Duration::ZERO);
        assert_eq!(bucket.take(50_000.0, Duration::ZERO), Duration::ZERO);
        assert_eq!(bucket.take(25_000.0, Duration::ZERO).as_secs_f64().round(), 30.0);
    }

    #[test]
    fn a_clock_that_goes_back_adds_nothing_and_breaks_nothing() {
        let mut bucket = TokenBucket::new(1.0, 1.0, seconds(100.0));
        bucket.take(1.0, seconds(100.0));
        assert_eq!(bucket.take(1.0, seconds(50.0)), seconds(1.0));
        assert_eq!(bucket.take(0.0, seconds(51.0)), Duration::ZERO);
    }

    proptest! {
        /// However requests come, never more than burst + rate x time pass.
        #[test]
        fn the_rate_holds(gaps in prop::collection::vec(0.0..2.0f64, 1..200), rate in 0.5..20.0f64, burst in 1.0..10.0f64) {
            let mut bucket = TokenBucket::new(rate, burst, Duration::ZERO);
            let mut now = Duration::ZERO;
            let mut passed = Vec::new();
            for gap in gaps {
                now += seconds(gap);
                now += bucket.take(1.0, now);
                passed.push(now.as_secs_f64());
            }
            for (count, at) in passed.iter().enumerate() {
                prop_assert!((count + 1) as f64 <= burst + rate * at + 1e-6);
            }
        }
    }
}
