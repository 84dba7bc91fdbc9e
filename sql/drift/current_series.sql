-- title: What drift checks measure of metrics and rewards in the window, packed
-- grain: one row per season, region, service and check name that was sampled
-- materialized: once
-- audit: slots as in request_intervals; `series` holds every interval with its samples
-- audit: what follows the load of the day has a row for each season; all else has season -1
with
checks as (
    select
        checks.name as name,
        case when checks.seasonal then evidence.season else 'none' end as seasons
    from settings_drift as checks
    cross join settings_drift_evidence as evidence
),

sampled as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        case when role = 'database_latency_ms' then 'database_latency_p95' else role end as name,
        value,
        unit
    from metric_points
    where timestamp >= $from and timestamp < $to
    union all
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        'reward' as name,
        reward_mean as value,
        null as unit
    from evaluations
    where timestamp >= $from and timestamp < $to
),

placed as (
    select
        (cast(sampled.timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as slot,
        checks.seasons as seasons,
        sampled.region as region,
        sampled.service as service,
        sampled.name as name,
        sampled.value as value,
        sampled.unit as unit
    from sampled
    join checks on sampled.name = checks.name
),

-- Hours since 1970, which was a Thursday; a week begins on Sunday.
final as (
    select
        case seasons
            when 'none' then -1
            when 'hour_of_day'
                then (cast($from as bigint) / 1000000 + slot * $interval_seconds) / 3600 % 24
            else ((cast($from as bigint) / 1000000 + slot * $interval_seconds) / 3600 + 96) % 168
        end as season,
        region,
        service,
        name,
        max(unit) as unit,
        interval_series(slot, value) as series
    from placed
    group by 1, 2, 3, 4
)

select season, region, service, name, unit, series
from final
where series is not null
