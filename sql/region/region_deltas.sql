-- title: Every region against the primary
-- grain: one row per region and metric, the primary itself included (its deltas are 0)
-- materialized: view
with
kpis as (
    select
        region,
        is_primary,
        error_rate,
        availability,
        p50_ms,
        p95_ms,
        p99_ms,
        requests_per_second
    from region_kpis
),

long as (
    select region, is_primary, 'error_rate' as metric, error_rate as value from kpis
    union all
    select region, is_primary, 'availability' as metric, availability as value from kpis
    union all
    select region, is_primary, 'p50_ms' as metric, p50_ms as value from kpis
    union all
    select region, is_primary, 'p95_ms' as metric, p95_ms as value from kpis
    union all
    select region, is_primary, 'p99_ms' as metric, p99_ms as value from kpis
    union all
    select region, is_primary, 'requests_per_second' as metric, requests_per_second as value
    from kpis
),

primaries as (
    select metric, value as primary_value
    from long
    where is_primary
),

final as (
    select
        long.region as region,
        long.metric as metric,
        long.value as value,
        primaries.primary_value as primary_value,
        long.value - primaries.primary_value as delta,
        drift_percent(primaries.primary_value, long.value) as delta_percent
    from long
    left join primaries on long.metric = primaries.metric
)

select region, metric, value, primary_value, delta, delta_percent
from final
