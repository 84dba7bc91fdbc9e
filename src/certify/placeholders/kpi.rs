//! Key figures of the window: requests, regions, what is used, and what it was before.

use super::registry::Quantity::{Count, Milliseconds, Of, PerSecond, Percent, Share, Text, Time};
use super::registry::{Group, Listing, Source, scalar};

pub(super) const GROUPS: &[Group] = &[REQUESTS, HOURS, REGIONS, SERVICES, CLUSTER, USE];

const REQUESTS: Group = Group {
    source: Source::Kpi,
    from: "kpi_summary",
    scalars: &[
        scalar("TOTAL_REQUESTS", "requests", Count, "Requests"),
        scalar("TOTAL_ERRORS", "errors", Count, "Requests that failed"),
        scalar("TOTAL_TIMEOUTS", "timeouts", Count, "Requests that timed out"),
        scalar("OVERALL_AVAILABILITY", "availability", Share, "Requests that succeeded"),
        scalar("OVERALL_ERROR_RATE", "error_rate", Share, "Requests that failed, as a share"),
        scalar("P50_LATENCY_MS", "p50_ms", Milliseconds, "Median latency of requests"),
        scalar("P95_LATENCY_MS", "p95_ms", Milliseconds, "p95 latency of requests"),
        scalar("P99_LATENCY_MS", "p99_ms", Milliseconds, "p99 latency of requests"),
        scalar(
            "REQUESTS_PER_SECOND",
            "requests_per_second",
            PerSecond,
            "Requests per second, while measured",
        ),
        scalar("TOTAL_EVALUATIONS", "evaluations", Count, "Evaluations that ended"),
        scalar("EVALUATIONS_SUCCEEDED", "evaluations_succeeded", Count, "Evaluations that succeeded"),
        scalar(
            "EVALUATION_SUCCESS_RATE",
            "evaluation_success",
            Share,
            "Evaluations that succeeded, as a share",
        ),
        scalar("MEASURED_MINUTES", "minutes_with_data", Count, "Minutes of the window with requests"),
        scalar("COVERAGE", "coverage", Share, "Minutes of the window with requests, as a share"),
        scalar("SERVICE_COUNT", "services", Count, "Services that served requests"),
    ],
};

const HOURS: Group = Group {
    source: Source::Kpi,
    from: "hourly_requests",
    scalars: &[
        scalar(
            "PEAK_HOUR",
            "first_value(hour order by requests desc nulls last, hour)",
            Time,
            "Hour with the most requests",
        ),
        scalar("PEAK_HOUR_REQUESTS", "max(requests)", Count, "Requests of that hour"),
        scalar("WORST_HOUR_ERROR_RATE", "max(error_rate)", Share, "Highest error rate of an hour"),
        scalar("WORST_HOUR_P99_MS", "max(p99_ms)", Milliseconds, "Highest p99 latency of an hour"),
    ],
};

const REGIONS: Group = Group {
    source: Source::Kpi,
    from: "region_kpis",
    scalars: &[
        scalar(
            "REGION_COUNT",
            "sum(case when requests > 0 then 1 else 0 end)",
            Count,
            "Regions that served requests",
        ),
        scalar(
            "PRIMARY_REGION",
            "max(case when is_primary then region end)",
            Text,
            "The region that others are compared with",
        ),
        scalar(
            "PRIMARY_AVAILABILITY",
            "max(case when is_primary then availability end)",
            Share,
            "Its availability",
        ),
        scalar(
            "PRIMARY_ERROR_RATE",
            "max(case when is_primary then error_rate end)",
            Share,
            "Its error rate",
        ),
        scalar(
            "PRIMARY_P95_LATENCY_MS",
            "max(case when is_primary then p95_ms end)",
            Milliseconds,
            "Its p95 latency",
        ),
        scalar(
            "PRIMARY_REQUEST_SHARE",
            "max(case when is_primary then request_share end)",
            Share,
            "Its share of all requests",
        ),
        scalar("LOWEST_REGION_AVAILABILITY", "min(availability)", Share, "Lowest availability of a region"),
        scalar(
            "LOWEST_AVAILABILITY_REGION",
            "first_value(region order by availability nulls last, region)",
            Text,
            "The region that has it",
        ),
        scalar("SLOWEST_REGION_P95_MS", "max(p95_ms)", Milliseconds, "Highest p95 latency of a region"),
        scalar(
            "SLOWEST_REGION",
            "first_value(region order by p95_ms desc nulls last, region)",
            Text,
            "The region that has it",
        ),
        scalar(
            "BUSIEST_REGION",
            "first_value(region order by requests desc nulls last, region)",
            Text,
            "Region with the most requests",
        ),
        scalar("BUSIEST_REGION_SHARE", "max(request_share)", Share, "Its share of all requests"),
        scalar(
            "LARGEST_P95_DELTA_MS",
            "max(p95_ms) - max(case when is_primary then p95_ms end)",
            Milliseconds,
            "p95 latency of the slowest region less that of the primary",
        ),
        scalar(
            "LARGEST_ERROR_RATE_DELTA",
            "max(error_rate) - max(case when is_primary then error_rate end)",
            Share,
            "Highest error rate of a region less that of the primary",
        ),
    ],
};

const SERVICES: Group = Group {
    source: Source::Kpi,
    from: "service_kpis",
    scalars: &[
        scalar(
            "SLOWEST_SERVICE",
            "first_value(service order by p95_ms desc nulls last, service)",
            Text,
            "Service with the highest p95 latency",
        ),
        scalar("SLOWEST_SERVICE_P95_MS", "max(p95_ms)", Milliseconds, "Its p95 latency"),
        scalar(
            "LEAST_RELIABLE_SERVICE",
            "first_value(service order by error_rate desc nulls last, service)",
            Text,
            "Service with the highest error rate",
        ),
        scalar("LEAST_RELIABLE_ERROR_RATE", "max(error_rate)", Share, "Its error rate"),
    ],
};

const CLUSTER: Group = Group {
    source: Source::Kpi,
    from: "kpi_resources",
    scalars: &[
        scalar(
            "CLUSTER_CPU_CORES",
            "exact_avg(cluster_cpu_cores)",
            Of("cores"),
            "Mean number of processor cores",
        ),
        scalar("CLUSTER_MEMORY_GB", "exact_avg(cluster_memory_gb)", Of("GB"), "Mean size of the memory"),
        scalar(
            "CLUSTER_CPU_UTILIZATION",
            "exact_avg(cluster_cpu_utilization)",
            Percent,
            "Mean use of the cluster's processors",
        ),
        scalar(
            "PEAK_CLUSTER_CPU_UTILIZATION",
            "max(cluster_cpu_utilization)",
            Percent,
            "Highest use of the cluster's processors",
        ),
        scalar(
            "CLUSTER_MEMORY_UTILIZATION",
            "exact_avg(cluster_memory_utilization)",
            Percent,
            "Mean use of the cluster's memory",
        ),
        scalar(
            "PEAK_CLUSTER_MEMORY_UTILIZATION",
            "max(cluster_memory_utilization)",
            Percent,
            "Highest use of the cluster's memory",
        ),
        scalar("NODE_COUNT", "max(node_count)", Count, "Most nodes at a time"),
        scalar(
            "NODE_PRESSURE_COUNT",
            "max(node_pressure_count)",
            Count,
            "Most nodes under pressure at a time",
        ),
        scalar(
            "ESTIMATED_COST_PER_HOUR",
            "exact_avg(estimated_cost_per_hour)",
            Of("USD/h"),
            "Mean cost at the rates of the settings",
        ),
        scalar(
            "ESTIMATED_COST",
            "exact_sum(estimated_cost_per_hour) * $interval_seconds / 3600.0",
            Of("USD"),
            "Cost of the window at the rates of the settings",
        ),
    ],
};

const USE: Group = Group {
    source: Source::Kpi,
    from: "drift_measures where region = 'all'",
    scalars: &[
        scalar("CPU_UTILIZATION", CPU_NOW, Percent, "Mean use of the processors"),
        scalar("MEMORY_UTILIZATION", MEMORY_NOW, Percent, "Mean use of the memory"),
        scalar("CACHE_HIT_RATE", CACHE_NOW, Share, "Look-ups that the cache answered"),
        scalar("DATABASE_P95_MS", DATABASE_NOW, Milliseconds, "p95 latency of database calls"),
        scalar("DISK_OPERATIONS", DISK_NOW, PerSecond, "Mean disk operations per second of a host"),
        scalar("NETWORK_THROUGHPUT", NETWORK_NOW, Of("bytes/s"), "Mean network throughput of a host"),
        scalar("BASELINE_CPU_UTILIZATION", CPU_THEN, Percent, "Mean use of the processors in the baseline"),
        scalar("BASELINE_MEMORY_UTILIZATION", MEMORY_THEN, Percent, "Mean use of the memory in the baseline"),
        scalar(
            "BASELINE_CACHE_HIT_RATE",
            CACHE_THEN,
            Share,
            "Look-ups that the cache answered in the baseline",
        ),
        scalar(
            "BASELINE_DATABASE_P95_MS",
            DATABASE_THEN,
            Milliseconds,
            "p95 latency of database calls in the baseline",
        ),
        scalar("BASELINE_P95_LATENCY_MS", P95_THEN, Milliseconds, "p95 latency of requests in the baseline"),
        scalar("BASELINE_ERROR_RATE", ERRORS_THEN, Share, "Error rate of requests in the baseline"),
    ],
};

const CPU_NOW: &str = "max(case when name = 'cpu_utilization' and side = 'current' then value end)";
const MEMORY_NOW: &str = "max(case when name = 'memory_utilization' and side = 'current' then value end)";
const CACHE_NOW: &str = "max(case when name = 'cache_hit_rate' and side = 'current' then value end)";
const DATABASE_NOW: &str = "max(case when name = 'database_latency_p95' and side = 'current' then value end)";
const DISK_NOW: &str = "max(case when name = 'disk_io' and side = 'current' then value end)";
const NETWORK_NOW: &str = "max(case when name = 'network_io' and side = 'current' then value end)";
const CPU_THEN: &str = "max(case when name = 'cpu_utilization' and side = 'baseline' then value end)";
const MEMORY_THEN: &str = "max(case when name = 'memory_utilization' and side = 'baseline' then value end)";
const CACHE_THEN: &str = "max(case when name = 'cache_hit_rate' and side = 'baseline' then value end)";
const DATABASE_THEN: &str =
    "max(case when name = 'database_latency_p95' and side = 'baseline' then value end)";
const P95_THEN: &str = "max(case when name = 'api_latency_p95' and side = 'baseline' then value end)";
const ERRORS_THEN: &str = "max(case when name = 'error_rate' and side = 'baseline' then value end)";

pub(super) const LISTINGS: &[Listing] = &[
    Listing {
        name: "REGION_TABLE",
        source: Source::Kpi,
        sql: "select region, is_primary, requests, request_share, availability, error_rate, p95_ms, p99_ms \
              from region_kpis order by is_primary desc, region",
        columns: &[
            ("region", "Region", Text),
            ("is_primary", "Primary", Text),
            ("requests", "Requests", Count),
            ("request_share", "Share", Share),
            ("availability", "Availability", Share),
            ("error_rate", "Error rate", Share),
            ("p95_ms", "p95", Milliseconds),
            ("p99_ms", "p99", Milliseconds),
        ],
        meaning: "Key figures by region",
        empty: "No region is expected, and none served requests.",
    },
    Listing {
        name: "SERVICE_TABLE",
        source: Source::Kpi,
        sql: "select service, regions, requests, error_rate, p50_ms, p95_ms, p99_ms from service_kpis \
              order by requests desc, service limit 20",
        columns: &[
            ("service", "Service", Text),
            ("regions", "Regions", Count),
            ("requests", "Requests", Count),
            ("error_rate", "Error rate", Share),
            ("p50_ms", "p50", Milliseconds),
            ("p95_ms", "p95", Milliseconds),
            ("p99_ms", "p99", Milliseconds),
        ],
        meaning: "Key figures of the 20 busiest services",
        empty: "No service served requests.",
    },
    Listing {
        name: "TOP_ERRORS_TABLE",
        source: Source::Kpi,
        sql: "select error, source, is_failure, errors, share, first_seen, last_seen from top_errors \
              order by errors desc, source, error, status_code limit 10",
        columns: &[
            ("error", "Error", Text),
            ("source", "Told by", Text),
            ("is_failure", "Failure", Text),
            ("errors", "Errors", Count),
            ("share", "Share of these", Share),
            ("first_seen", "First", Time),
            ("last_seen", "Last", Time),
        ],
        meaning: "The ten most frequent errors",
        empty: "No error was recorded.",
    },
];
