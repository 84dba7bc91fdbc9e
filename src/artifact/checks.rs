//! What the models of checks and criteria rest on.

/// Models to hold before `validation_checks` and `criteria_results` are read: several of the models below
/// them read each of these, directly or through others.
pub const HELD: [&str; 8] = [
    "kpi_summary",
    "drift_measures",
    "drift_checks",
    "slo_observed",
    "slo_violations",
    "slo_episodes",
    "oom_events",
    "check_observations",
];
