//! The files of `sql/`, built into the binary. A test compares this list with the folder.

macro_rules! models {
    ($($path:literal),* $(,)?) => {
        /// Path under `sql/`, text.
        pub(super) const MODELS: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../sql/", $path)))),*];
    };
}

models![
    "drift/drift_checks.sql",
    "drift/drift_measures.sql",
    "drift/drift_summary.sql",
    "features/call_features.sql",
    "features/change_features.sql",
    "features/feature_windows.sql",
    "features/metric_features.sql",
    "features/regression_features.sql",
    "features/request_features.sql",
    "features/reward_features.sql",
    "kpi/kpi_summary.sql",
    "region/region_deltas.sql",
    "region/region_drift.sql",
    "region/region_kpis.sql",
    "report/daily_requests.sql",
    "report/error_trend.sql",
    "report/health_deductions.sql",
    "report/health_score.sql",
    "report/hourly_requests.sql",
    "report/known_incidents.sql",
    "report/landed_rows.sql",
    "report/latency_distribution.sql",
    "report/recommendations.sql",
    "report/regressions.sql",
    "report/rejected_input.sql",
    "report/route_kpis.sql",
    "report/service_kpis.sql",
    "report/slo_episodes.sql",
    "report/slo_overview.sql",
    "report/slo_violation_counts.sql",
    "report/top_errors.sql",
    "report/verdict_summary.sql",
    "rollup/log_minutes.sql",
    "rollup/request_minutes.sql",
    "rollup/span_minutes.sql",
    "score/verdicts.sql",
    "slo/slo_alerts.sql",
    "slo/slo_bands.sql",
    "slo/slo_budgets.sql",
    "slo/slo_burn.sql",
    "slo/slo_compliance.sql",
    "slo/slo_events.sql",
    "slo/slo_status.sql",
    "slo/slo_violations.sql",
    "slo/slo_windows.sql",
    "staging/client_calls.sql",
    "staging/metric_points.sql",
    "staging/reject_status.sql",
];
