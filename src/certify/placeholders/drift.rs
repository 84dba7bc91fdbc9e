//! Drift of the window from its baseline: interval by interval, as `drift_analysis.json` has it, and as a whole.

use super::registry::Quantity::{Count, Percent, Plain, Text, Time};
use super::registry::{Group, Listing, Source, scalar};

pub(super) const GROUPS: &[Group] = &[CHECKS, LARGEST];

const CHECKS: Group = Group {
    source: Source::Drift,
    from: "drift_tallies",
    scalars: &[
        scalar(
            "TOTAL_DRIFT_CHECKS",
            "sum(case when status is not null then checks end)",
            Count,
            "Checks, interval by interval, that had data on both sides",
        ),
        scalar(
            "DRIFTS_DETECTED",
            "case when count(status) > 0 then sum(case when status in ('warning', 'critical') then checks else 0 end) end",
            Count,
            "Checks that are not ok",
        ),
        scalar(
            "CRITICAL_DRIFTS",
            "case when count(status) > 0 then sum(case when status = 'critical' then checks else 0 end) end",
            Count,
            "Checks that are critical",
        ),
        scalar(
            "WARNING_DRIFTS",
            "case when count(status) > 0 then sum(case when status = 'warning' then checks else 0 end) end",
            Count,
            "Checks that are a warning",
        ),
        scalar(
            "OK_DRIFT_CHECKS",
            "case when count(status) > 0 then sum(case when status = 'ok' then checks else 0 end) end",
            Count,
            "Checks that are ok",
        ),
        scalar(
            "UNMEASURED_DRIFT_CHECKS",
            "sum(case when status is null then checks else 0 end)",
            Count,
            "Checks that lack data on a side",
        ),
        scalar("RESOURCE_DRIFTS", RESOURCE, Count, "Drifts of resources"),
        scalar("PERFORMANCE_DRIFTS", PERFORMANCE, Count, "Drifts of performance"),
        scalar("CONFIGURATION_DRIFTS", CONFIGURATION, Count, "Drifts of configuration"),
        scalar("BEHAVIOR_DRIFTS", BEHAVIOR, Count, "Drifts of behaviour"),
    ],
};

const RESOURCE: &str = "case when count(status) > 0 then sum(case when category = 'resource' and status in ('warning', 'critical') then checks else 0 end) end";
const PERFORMANCE: &str = "case when count(status) > 0 then sum(case when category = 'performance' and status in ('warning', 'critical') then checks else 0 end) end";
const CONFIGURATION: &str = "case when count(status) > 0 then sum(case when category = 'configuration' and status in ('warning', 'critical') then checks else 0 end) end";
const BEHAVIOR: &str = "case when count(status) > 0 then sum(case when category = 'behavior' and status in ('warning', 'critical') then checks else 0 end) end";

const LARGEST: Group = Group {
    source: Source::Drift,
    from: "drift_checks where region = 'all' and drift_percent = drift_percent \
           and coalesce(reason, '') <> 'difference below the floor'",
    scalars: &[
        scalar(
            "LARGEST_DRIFT_PERCENT",
            "max(least(abs(drift_percent), 1e6))",
            Percent,
            "Largest drift of the whole window, over all regions",
        ),
        scalar(
            "LARGEST_DRIFT_NAME",
            "first_value(name order by least(abs(drift_percent), 1e6) desc, name)",
            Text,
            "The check that has it",
        ),
    ],
};

pub(super) const LISTINGS: &[Listing] = &[Listing {
    name: "TOP_DRIFTS_TABLE",
    source: Source::Drift,
    sql: "select name, category, region, service, baseline_value, current_value, drift_percent, status, timestamp \
          from ( \
              select *, row_number() over ( \
                  partition by name, region, service \
                  order by status, slo_violations desc, abs(drift_percent) desc nulls last, check_number, reason \
              ) as place \
              from drift_effects \
          ) where place = 1 \
          order by status, slo_violations desc, abs(drift_percent) desc nulls last, check_number, name, region, service \
          limit 10",
    columns: &[
        ("name", "Check", Text),
        ("category", "Category", Text),
        ("region", "Region", Text),
        ("service", "Service", Text),
        ("baseline_value", "Baseline", Plain),
        ("current_value", "Window", Plain),
        ("drift_percent", "Drift", Percent),
        ("status", "Status", Text),
        ("timestamp", "At", Time),
    ],
    meaning: "The worst interval of the ten worst drifts",
    empty: "Nothing drifted from its baseline by more than is allowed.",
}];
