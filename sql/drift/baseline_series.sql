-- title: What drift checks measure of metrics and rewards in the baseline, packed
-- grain: one row per region, service and check name that was sampled
-- materialized: once
-- audit: slots as in request_intervals; `series` holds every interval with its samples
-- audit: a series has all seasons, which series_profile tells apart
with
sampled as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        case when role = 'database_latency_ms' then 'database_latency_p95' else role end as name,
        value,
        unit
    from metric_points
    where timestamp >= $baseline_from and timestamp < $baseline_to and $baseline_name = ''
    union all
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        'reward' as name,
        reward_mean as value,
        null as unit
    from evaluations
    where timestamp >= $baseline_from and timestamp < $baseline_to and $baseline_name = ''
),

placed as (
    select
        (cast(sampled.timestamp as bigint) - cast($baseline_from as bigint))
            / ($interval_seconds * 1000000) as slot,
        sampled.region as region,
        sampled.service as service,
        sampled.name as name,
        sampled.value as value,
        sampled.unit as unit
    from sampled
    join settings_drift as checks on sampled.name = checks.name
),

final as (
    select
        region,
        service,
        name,
        max(unit) as unit,
        interval_series(slot, value) as series
    from placed
    group by region, service, name
)

select region, service, name, unit, series
from final
where series is not null
