//! The validation suite: checks of the deployment over the same window.

use super::registry::Quantity::{Count, Milliseconds, Of, Plain, Share, Text};
use super::registry::{Group, Listing, Source, scalar};

pub(super) const GROUPS: &[Group] = &[COUNTS, OBSERVED];

const COUNTS: Group = Group {
    source: Source::Validation,
    from: "validation_checks where suite = 'validation'",
    scalars: &[
        scalar("TOTAL_TESTS", "count(*)", Count, "Checks of the validation suite"),
        scalar(
            "TESTS_PASSED",
            "sum(case when verdict = 'pass' then 1 else 0 end)",
            Count,
            "Checks that passed",
        ),
        scalar(
            "TESTS_FAILED",
            "sum(case when verdict = 'fail' then 1 else 0 end)",
            Count,
            "Checks that failed",
        ),
        scalar(
            "TESTS_WITHOUT_DATA",
            "sum(case when verdict = 'no data' then 1 else 0 end)",
            Count,
            "Checks without data",
        ),
        scalar(
            "TEST_PASS_RATE",
            "sum(case when verdict = 'pass' then 1 else 0 end) / nullif(cast(count(*) as double), 0)",
            Share,
            "Checks that passed, as a share",
        ),
    ],
};

const OBSERVED: Group = Group {
    source: Source::Validation,
    from: "validation_checks where suite = 'validation'",
    scalars: &[
        scalar(
            "REPLICATION_LAG_MS",
            "max(case when measure = 'replication_lag' then observed end)",
            Milliseconds,
            "Replication lag between regions, worst five minutes",
        ),
        scalar(
            "REPLICATION_DIFFERENCE",
            "max(case when measure = 'replication_difference' then observed end)",
            Count,
            "Rows that the furthest region is behind",
        ),
        scalar(
            "QUERY_P95_MS",
            "max(case when measure = 'database_p95' then observed end)",
            Milliseconds,
            "p95 of database queries",
        ),
        scalar(
            "ANALYTICS_QUERY_P95_MS",
            "max(case when measure = 'analytics_p95' then observed end)",
            Milliseconds,
            "p95 of analytics queries",
        ),
        scalar(
            "DASHBOARD_LOAD_MS",
            "max(case when measure = 'dashboard_load' then observed end)",
            Milliseconds,
            "p95 of the load time of dashboards",
        ),
        scalar(
            "PANEL_LOAD_MS",
            "max(case when measure = 'panel_load' then observed end)",
            Milliseconds,
            "p95 of the load time of panels",
        ),
        scalar(
            "AGENT_MEMORY_MB",
            "max(case when measure = 'agent_memory' then observed end)",
            Of("MB"),
            "Most memory of an agent host",
        ),
        scalar(
            "AGENT_MEMORY_GROWTH",
            "max(case when measure = 'agent_memory_growth' then observed end)",
            Of("MB/h"),
            "Fastest growth of an agent host's memory",
        ),
        scalar(
            "OOM_KILLS",
            "max(case when measure = 'agent_oom_kills' then observed end)",
            Count,
            "Agents killed for their memory",
        ),
    ],
};

pub(super) const LISTINGS: &[Listing] = &[
    Listing {
        name: "INSERT_TEST_RESULTS_BREAKDOWN",
        source: Source::Validation,
        sql: "select area, title, comparison, threshold, observed, unit, level, verdict, detail \
              from validation_checks where suite = 'validation' order by rank, check",
        columns: CHECK_COLUMNS,
        meaning: "Every check of the validation suite",
        empty: "The settings list no check.",
    },
    Listing {
        name: "INSERT_FAILED_TESTS",
        source: Source::Validation,
        sql: "select area, title, comparison, threshold, observed, unit, level, verdict, detail \
              from validation_checks where suite = 'validation' and verdict <> 'pass' order by rank, check",
        columns: CHECK_COLUMNS,
        meaning: "The checks that failed or had no data",
        empty: "Every check passed.",
    },
    Listing {
        name: "PLATFORM_CHECKS_TABLE",
        source: Source::Validation,
        sql: "select area, title, comparison, threshold, observed, unit, level, verdict, detail \
              from validation_checks where suite = 'platform' order by rank, check",
        columns: CHECK_COLUMNS,
        meaning: "The checks of the platform's known issues",
        empty: "The settings list no check.",
    },
];

const CHECK_COLUMNS: &[(&str, &str, super::Quantity)] = &[
    ("area", "Area", Text),
    ("title", "Check", Text),
    ("comparison", "", Text),
    ("threshold", "Limit", Plain),
    ("observed", "Observed", Plain),
    ("unit", "Unit", Text),
    ("level", "Level", Text),
    ("verdict", "Verdict", Text),
    ("detail", "Detail", Text),
];
