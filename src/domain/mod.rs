//! Words of the field, without I/O: time, regions, severities, verdicts. Everything else builds on these.

mod bytes;
mod time;
mod words;

pub use bytes::{ByteSize, ByteSizeError};
pub use time::{
    Hour, MAX_MICROS, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, MIN_MICROS, TimeError, TimeRange,
    format_timestamp, parse_timestamp,
};
pub use words::{
    AlertAction, Band, Budgeting, CalendarPeriod, ChangeKind, DriftCategory, DriftStatus, Level,
    NotificationChannel, Percentiles, Severity, SloType, UnknownWord, Verdict, ViolationKind,
};

/// The region of a row that names none.
pub const UNKNOWN_REGION: &str = "unknown";

/// The partition columns of every table of the lake, in path order.
pub const PARTITION_COLUMNS: [&str; 2] = ["region", "hour"];

/// The 21 regression features, in the order that the model and the rules expect.
pub const REGRESSION_FEATURES: [&str; 21] = [
    "reward_delta",
    "latency_delta",
    "error_rate_delta",
    "throughput_delta",
    "queue_depth_mean",
    "queue_depth_max",
    "queue_wait_time_p95",
    "cpu_utilization_mean",
    "memory_utilization_mean",
    "disk_io_rate",
    "deployment_age_hours",
    "config_change_count",
    "dependency_change_count",
    "hyperparameter_drift_score",
    "policy_change_count",
    "error_spike_detected",
    "timeout_rate",
    "retry_rate",
    "external_api_latency_delta",
    "database_latency_delta",
    "cache_hit_rate_delta",
];
