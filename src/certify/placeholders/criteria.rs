//! The criteria of certification, one by one.

use super::registry::Quantity::{Count, Milliseconds, Percent, Plain, Share, Text};
use super::registry::{Group, Listing, Source, scalar};

pub(super) const GROUPS: &[Group] = &[CRITERIA];

const CRITERIA: Group = Group {
    source: Source::Calculated,
    from: "criteria_results",
    scalars: &[
        scalar("CRITERIA_TOTAL", "count(*)", Count, "Criteria"),
        scalar(
            "CRITERIA_PASSED",
            "sum(case when verdict = 'pass' then 1 else 0 end)",
            Count,
            "Criteria that passed",
        ),
        scalar(
            "CRITERIA_FAILED",
            "sum(case when verdict = 'fail' then 1 else 0 end)",
            Count,
            "Criteria that failed",
        ),
        scalar(
            "CRITERIA_WITHOUT_DATA",
            "sum(case when verdict = 'no data' then 1 else 0 end)",
            Count,
            "Criteria without data",
        ),
        scalar(
            "AVAILABILITY_TARGET",
            "max(case when criterion = 'availability' then threshold end)",
            Share,
            "Least availability",
        ),
        scalar(
            "AVAILABILITY_VERDICT",
            "max(case when criterion = 'availability' then verdict end)",
            Text,
            "Whether it was reached",
        ),
        scalar(
            "ERROR_RATE_TARGET",
            "max(case when criterion = 'error_rate' then threshold end)",
            Share,
            "Highest error rate",
        ),
        scalar(
            "ERROR_RATE_VERDICT",
            "max(case when criterion = 'error_rate' then verdict end)",
            Text,
            "Whether it was kept",
        ),
        scalar(
            "P99_LATENCY_TARGET",
            "max(case when criterion = 'p99_latency' then threshold end)",
            Milliseconds,
            "Highest p99 latency",
        ),
        scalar(
            "P99_LATENCY_VERDICT",
            "max(case when criterion = 'p99_latency' then verdict end)",
            Text,
            "Whether it was kept",
        ),
        scalar(
            "DRIFT_STABILITY",
            "max(case when criterion = 'drift_stability' then observed end)",
            Percent,
            "Largest drift over all regions",
        ),
        scalar(
            "DRIFT_STABILITY_TARGET",
            "max(case when criterion = 'drift_stability' then threshold end)",
            Percent,
            "Highest drift",
        ),
        scalar(
            "DRIFT_STABILITY_VERDICT",
            "max(case when criterion = 'drift_stability' then verdict end)",
            Text,
            "Whether it was kept",
        ),
        scalar(
            "DRIFT_VARIANCE_TARGET",
            "max(case when criterion = 'drift_variance' then threshold end)",
            Percent,
            "Drift that is worth a warning",
        ),
        scalar(
            "DRIFT_VARIANCE_VERDICT",
            "max(case when criterion = 'drift_variance' then verdict end)",
            Text,
            "Whether it was kept",
        ),
        scalar(
            "WEBSOCKET_UPTIME",
            "max(case when criterion = 'websocket_uptime' then observed end)",
            Share,
            "Uptime of WebSockets",
        ),
        scalar(
            "WEBSOCKET_UPTIME_TARGET",
            "max(case when criterion = 'websocket_uptime' then threshold end)",
            Share,
            "Least uptime of WebSockets",
        ),
        scalar(
            "WEBSOCKET_UPTIME_VERDICT",
            "max(case when criterion = 'websocket_uptime' then verdict end)",
            Text,
            "Whether it was reached",
        ),
        scalar(
            "DATABASE_TARGET",
            "max(case when criterion = 'database_p95' then threshold end)",
            Milliseconds,
            "Highest p95 of database queries",
        ),
        scalar(
            "DATABASE_VERDICT",
            "max(case when criterion = 'database_p95' then verdict end)",
            Text,
            "Whether it was kept",
        ),
        scalar(
            "ANALYTICS_TARGET",
            "max(case when criterion = 'analytics_p95' then threshold end)",
            Milliseconds,
            "Highest p95 of analytics queries",
        ),
        scalar(
            "ANALYTICS_VERDICT",
            "max(case when criterion = 'analytics_p95' then verdict end)",
            Text,
            "Whether it was kept",
        ),
        scalar(
            "CRITICAL_INCIDENTS",
            "max(case when criterion = 'critical_incidents' then observed end)",
            Count,
            "Critical incidents",
        ),
        scalar(
            "CRITICAL_INCIDENTS_TARGET",
            "max(case when criterion = 'critical_incidents' then threshold end)",
            Count,
            "Most critical incidents",
        ),
        scalar(
            "CRITICAL_INCIDENTS_VERDICT",
            "max(case when criterion = 'critical_incidents' then verdict end)",
            Text,
            "Whether it was kept",
        ),
        scalar(
            "ROLLBACK_TESTS",
            "max(case when criterion = 'rollback_tested' then observed end)",
            Count,
            "Rollback tests that passed",
        ),
        scalar(
            "ROLLBACK_TESTS_TARGET",
            "max(case when criterion = 'rollback_tested' then threshold end)",
            Count,
            "Fewest rollback tests that pass",
        ),
        scalar(
            "ROLLBACK_VERDICT",
            "max(case when criterion = 'rollback_tested' then verdict end)",
            Text,
            "Whether it was reached",
        ),
    ],
};

pub(super) const LISTINGS: &[Listing] = &[Listing {
    name: "CRITERIA_TABLE",
    source: Source::Calculated,
    sql: "select title, comparison, threshold, observed, unit, level, verdict, detail from criteria_results \
              order by rank, criterion",
    columns: &[
        ("title", "Criterion", Text),
        ("comparison", "", Text),
        ("threshold", "Target", Plain),
        ("observed", "Observed", Plain),
        ("unit", "Unit", Text),
        ("level", "Level", Text),
        ("verdict", "Verdict", Text),
        ("detail", "Detail", Text),
    ],
    meaning: "Every criterion with what was observed",
    empty: "The settings list no criterion.",
}];
