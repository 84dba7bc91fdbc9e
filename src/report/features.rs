//! Regression features in words, as the contributing factor of a verdict.

use super::content::{Unit, Value};
use super::format::{count, show};

/// What a feature's value says, such as `latency up 240 %`. The value is in the unit of the feature:
/// deltas of latency, throughput and reward are relative to the baseline, deltas of rates are
/// differences of shares, and levels are counted from what is usual for the service.
pub(super) fn in_words(feature: &str, value: f64) -> String {
    let relative = |what: &str| format!("{what} {}", moved(value, Unit::Share));
    let plain = |unit: Unit| show(&Value::number(value, unit), unit);
    match feature {
        "reward_delta" => relative("reward"),
        "latency_delta" => relative("latency"),
        "throughput_delta" => relative("throughput"),
        "external_api_latency_delta" => relative("latency of external APIs"),
        "database_latency_delta" => relative("database latency"),
        "error_rate_delta" => points("error rate", value),
        "cache_hit_rate_delta" => points("cache hit rate", value),
        "cpu_utilization_mean" => format!("CPU {} of its headroom", moved(value, Unit::Percent)),
        "memory_utilization_mean" => format!("memory {} of its headroom", moved(value, Unit::Percent)),
        "queue_wait_time_p95" => format!("queue wait (p95) {}", moved(value, Unit::Milliseconds)),
        "queue_depth_mean" => format!("mean queue depth {}", moved(value, Unit::Plain)),
        "queue_depth_max" => format!("greatest queue depth {}", moved(value, Unit::Plain)),
        "disk_io_rate" => format!("disk I/O {}", moved(value, Unit::PerSecond)),
        "timeout_rate" => format!("{} of requests timed out", plain(Unit::Share)),
        "retry_rate" => format!("{} retries per request", plain(Unit::Plain)),
        "deployment_age_hours" => format!("{} h after a deployment", plain(Unit::Plain)),
        "config_change_count" => changes("configuration", value),
        "dependency_change_count" => changes("dependency", value),
        "policy_change_count" => changes("policy", value),
        "hyperparameter_drift_score" => format!("hyperparameter drift {}", plain(Unit::Plain)),
        "error_spike_detected" => "an error spike".to_owned(),
        other => format!("{other} {}", plain(Unit::Plain)),
    }
}

fn changes(what: &str, value: f64) -> String {
    let (one, many) = (format!("{what} change"), format!("{what} changes"));
    count(value as i64, &one, &many)
}

fn moved(value: f64, unit: Unit) -> String {
    let word = if value < 0.0 { "down" } else { "up" };
    format!("{word} {}", show(&Value::number(value.abs(), unit), unit))
}

fn points(what: &str, value: f64) -> String {
    let word = if value < 0.0 { "down" } else { "up" };
    let points = show(&Value::number(value.abs() * 100.0, Unit::Plain), Unit::Plain);
    format!("{what} {word} {points} points")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::REGRESSION_FEATURES;

    #[test]
    fn a_factor_reads_as_a_cause() {
        assert_eq!(in_words("latency_delta", 2.4), "latency up 240 %");
        assert_eq!(in_words("cache_hit_rate_delta", -0.305), "cache hit rate down 30.5 points");
        assert_eq!(in_words("config_change_count", 1.0), "1 configuration change");
        assert_eq!(in_words("cpu_utilization_mean", 91.3), "CPU up 91.3 % of its headroom");
        assert_eq!(in_words("queue_wait_time_p95", 1_250.0), "queue wait (p95) up 1,250 ms");
    }

    #[test]
    fn every_feature_has_words_of_its_own() {
        for feature in REGRESSION_FEATURES {
            assert!(!in_words(feature, 1.0).contains(feature), "{feature}");
        }
    }
}
