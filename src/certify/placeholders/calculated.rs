//! What is calculated from the rest or known before: the status, the criteria, the window, what was read.

use super::registry::Quantity::{Count, Of, Plain, Share, Text, Time};
use super::registry::{Group, Listing, Source, scalar};

pub(super) const GROUPS: &[Group] =
    &[RUN, OBJECTIVES, VIOLATIONS, CHANGES, ALERTS, INCIDENTS, ERRORS, ROWS, REJECTS, TRACES];

/// The table of one row in which a package keeps what SQL cannot know.
pub(in crate::certify) const RUN_TABLE: &str = "certification_run";
/// The table of the versions that everything was read from.
pub(in crate::certify) const TABLES_TABLE: &str = "certification_tables";

const RUN: Group = Group {
    source: Source::Calculated,
    from: RUN_TABLE,
    scalars: &[
        scalar("CERTIFICATION_STATUS", "status", Text, "CERTIFIED, NOT CERTIFIED or INCONCLUSIVE"),
        scalar("CERTIFICATION_REASON", "reason", Text, "Why"),
        scalar("MINIMUM_COVERAGE", "min_coverage", Share, "Coverage that a window needs to be certified"),
        scalar(
            "GENERATION_TIMESTAMP",
            "generated_at",
            Time,
            "As of when the package is: the window's end, or what --generated-at says",
        ),
        scalar("GA_START", "$from", Time, "Start of the window"),
        scalar("GA_END", "$to", Time, "End of the window, which is not part of it"),
        scalar("GA_DATE", "to_char($from, '%Y-%m-%d')", Text, "Day on which the window starts"),
        scalar(
            "GA_DURATION_HOURS",
            "(extract(epoch from $to) - extract(epoch from $from)) / 3600.0",
            Of("h"),
            "Length of the window",
        ),
        scalar(
            "GA_DURATION_MINUTES",
            "(extract(epoch from $to) - extract(epoch from $from)) / 60.0",
            Of("min"),
            "Length of the window",
        ),
        scalar("BASELINE_START", "$baseline_from", Time, "Start of the baseline"),
        scalar("BASELINE_END", "$baseline_to", Time, "End of the baseline, which is not part of it"),
        scalar(
            "BASELINE_DURATION_HOURS",
            "(extract(epoch from $baseline_to) - extract(epoch from $baseline_from)) / 3600.0",
            Of("h"),
            "Length of the baseline",
        ),
        scalar("BASELINE_CHOICE", "baseline", Text, "Which period the baseline is"),
        scalar("CHECK_INTERVAL_SECONDS", "$interval_seconds", Of("s"), "Length of one interval of checks"),
        scalar(
            "SNAPSHOT_COUNT",
            "ceil((extract(epoch from $to) - extract(epoch from $from)) / cast($interval_seconds as double))",
            Count,
            "Intervals in the window",
        ),
        scalar("TOOL_VERSION", "tool_version", Text, "Version of tars"),
        scalar(
            "JUDGE",
            "judge",
            Text,
            "What judges windows: the rules of the settings, or the hash of a model file",
        ),
        scalar("SETTINGS_SHA256", "settings_sha256", Text, "Hash of the effective settings"),
        scalar("MODELS_SHA256", "models_sha256", Text, "Hash of all SQL models"),
        scalar("MODEL_COUNT", "models", Count, "SQL models"),
        scalar("TEMPLATE_SHA256", "template_sha256", Text, "Hash of the template of this report"),
        scalar("LAKE_TABLE_COUNT", "tables", Count, "Tables of the lake whose version is pinned"),
        scalar("LAKE_ROWS", "rows", Count, "Rows in those versions"),
        scalar("PLACEHOLDER_COUNT", "placeholders", Count, "Placeholders that tars knows"),
    ],
};

const OBJECTIVES: Group = Group {
    source: Source::Calculated,
    from: "slo_overview",
    scalars: &[
        scalar("SLO_COUNT", "count(*)", Count, "Service level objectives"),
        scalar("SLO_MEASURED", "count(compliance)", Count, "Objectives that something was measured for"),
        scalar(
            "SLO_LOWEST_COMPLIANCE",
            "min(compliance)",
            Share,
            "Lowest share of windows in which an objective was met",
        ),
        scalar(
            "SLO_LOWEST_NAME",
            "first_value(slo order by compliance nulls last, slo)",
            Text,
            "The objective that has it",
        ),
    ],
};

const VIOLATIONS: Group = Group {
    source: Source::Calculated,
    from: "slo_episodes",
    scalars: &[
        scalar(
            "SLO_VIOLATIONS",
            "coalesce(sum(case when kind = 'violation' then 1 else 0 end), 0)",
            Count,
            "Violations of objectives",
        ),
        scalar(
            "SLO_CRITICAL_VIOLATIONS",
            "coalesce(sum(case when kind = 'violation' and severity = 'critical' then 1 else 0 end), 0)",
            Count,
            "Violations that are critical",
        ),
        scalar(
            "SLO_VIOLATED_MINUTES",
            "coalesce(sum(case when kind = 'violation' then duration_seconds else 0 end), 0) / 60.0",
            Of("min"),
            "Time in violation, added up over objectives, regions and services",
        ),
        scalar(
            "SLO_LONGEST_VIOLATION_MINUTES",
            "coalesce(max(case when kind = 'violation' then duration_seconds end), 0) / 60.0",
            Of("min"),
            "The longest violation",
        ),
    ],
};

const CHANGES: Group = Group {
    source: Source::Calculated,
    from: "changes where timestamp >= $from and timestamp < $to",
    scalars: &[
        scalar("CHANGE_COUNT", "count(*)", Count, "Recorded changes"),
        scalar(
            "DEPLOYMENT_COUNT",
            "coalesce(sum(case when kind = 'deployment' then 1 else 0 end), 0)",
            Count,
            "Deployments",
        ),
        scalar(
            "CONFIG_CHANGE_COUNT",
            "coalesce(sum(case when kind = 'config' then 1 else 0 end), 0)",
            Count,
            "Changes of configuration",
        ),
        scalar(
            "DEPENDENCY_CHANGE_COUNT",
            "coalesce(sum(case when kind = 'dependency' then 1 else 0 end), 0)",
            Count,
            "Changes of dependencies",
        ),
        scalar(
            "FAILED_CHANGE_COUNT",
            "coalesce(sum(case when not success then 1 else 0 end), 0)",
            Count,
            "Changes that did not go through",
        ),
    ],
};

const ALERTS: Group = Group {
    source: Source::Calculated,
    from: "alerts where timestamp >= $from and timestamp < $to and coalesce(status, 'firing') = 'firing'",
    scalars: &[
        scalar("ALERTS_FIRED", "count(*)", Count, "Alerts that fired"),
        scalar(
            "CRITICAL_ALERTS",
            "coalesce(sum(case when severity = 'critical' then 1 else 0 end), 0)",
            Count,
            "Alerts of severity critical",
        ),
        scalar(
            "ERROR_ALERTS",
            "coalesce(sum(case when severity = 'error' then 1 else 0 end), 0)",
            Count,
            "Alerts of severity error",
        ),
        scalar(
            "WARNING_ALERTS",
            "coalesce(sum(case when severity = 'warning' then 1 else 0 end), 0)",
            Count,
            "Alerts of severity warning",
        ),
        scalar(
            "INFO_ALERTS",
            "coalesce(sum(case when severity = 'info' then 1 else 0 end), 0)",
            Count,
            "Alerts of severity info",
        ),
    ],
};

const INCIDENTS: Group = Group {
    source: Source::Calculated,
    from: "incidents where \"from\" < $to and \"to\" > $from",
    scalars: &[scalar(
        "RECORDED_INCIDENTS",
        "count(*)",
        Count,
        "Incidents that were recorded for the window",
    )],
};

const ERRORS: Group = Group {
    source: Source::Calculated,
    from: "top_errors",
    scalars: &[
        scalar("ERROR_CLASSES", "count(distinct error)", Count, "Classes of errors"),
        scalar(
            "FAILURE_CLASSES",
            "count(distinct case when is_failure then error end)",
            Count,
            "Classes of errors that count as failures",
        ),
    ],
};

const ROWS: Group = Group {
    source: Source::Calculated,
    from: "landed_rows",
    scalars: &[
        scalar(
            "LOG_ROWS",
            "max(case when source = 'logs' then landed end)",
            Count,
            "Log lines of the window",
        ),
        scalar("SPAN_ROWS", "max(case when source = 'spans' then landed end)", Count, "Spans of the window"),
        scalar(
            "METRIC_ROWS",
            "max(case when source = 'metrics' then landed end)",
            Count,
            "Metric samples of the window",
        ),
        scalar(
            "EVALUATION_ROWS",
            "max(case when source = 'evaluations' then landed end)",
            Count,
            "Evaluations of the window",
        ),
    ],
};

const REJECTS: Group = Group {
    source: Source::Calculated,
    from: "rejected_input",
    scalars: &[
        scalar(
            "REJECTED_RECORDS",
            "coalesce(sum(records), 0)",
            Count,
            "Records of the whole lake that could not be landed",
        ),
        scalar("REJECT_REASONS", "count(distinct code)", Count, "Reasons for that"),
    ],
};

const TRACES: Group = Group {
    source: Source::Calculated,
    from: "trace_continuity where region = 'all'",
    scalars: &[
        scalar("TRACE_CONTINUITY", "max(continuity)", Share, "Spans whose parent exists"),
        scalar("ORPHANED_SPANS", "max(orphaned_spans)", Count, "Spans whose parent does not exist"),
    ],
};

pub(super) const LISTINGS: &[Listing] = &[
    Listing {
        name: "SLO_TABLE",
        source: Source::Calculated,
        sql: "select slo, type, target, threshold, compliance, coverage, violations, worst_region, worst_service \
              from slo_overview order by slo",
        columns: &[
            ("slo", "Objective", Text),
            ("type", "Type", Text),
            ("target", "Target", Plain),
            ("threshold", "Threshold", Plain),
            ("compliance", "Compliance", Share),
            ("coverage", "Coverage", Share),
            ("violations", "Violations", Count),
            ("worst_region", "Worst region", Text),
            ("worst_service", "Worst service", Text),
        ],
        meaning: "Every service level objective",
        empty: "The settings list no objective.",
    },
    Listing {
        name: "CHANGES_TABLE",
        source: Source::Calculated,
        sql: "select timestamp, region, service, kind, key, version, success from changes \
              where timestamp >= $from and timestamp < $to and kind in ('deployment', 'rollback_test') \
              order by timestamp, region, service, kind, version, key limit 50",
        columns: &[
            ("timestamp", "At", Time),
            ("region", "Region", Text),
            ("service", "Service", Text),
            ("kind", "Kind", Text),
            ("version", "Version", Text),
            ("success", "Went through", Text),
        ],
        meaning: "Deployments and rollback tests of the window, the first 50",
        empty: "No deployment and no rollback test was recorded.",
    },
    Listing {
        name: "LAKE_VERSIONS_TABLE",
        source: Source::Calculated,
        sql: "select table_name, version, rows from certification_tables order by table_name",
        columns: &[("table_name", "Table", Text), ("version", "Version", Count), ("rows", "Rows", Count)],
        meaning: "The tables of the lake, and their versions, that everything was read from",
        empty: "The lake has no table.",
    },
];
