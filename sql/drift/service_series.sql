-- title: What drift checks measure of metrics and rewards, packed
-- grain: one row per side, season, region, service and check name that was sampled
-- materialized: once
-- audit: `side` and slots as in request_intervals; `series` holds every interval with its samples
-- audit: of the window, what follows the load of the day has a row for each season; all else, and
--   the baseline, has season -1
with
checks as (
    select
        checks.name as name,
        case when checks.seasonal then evidence.season else 'none' end as seasons
    from settings_drift as checks
    cross join settings_drift_evidence as evidence
),

points as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        case when role = 'database_latency_ms' then 'database_latency_p95' else role end as name,
        value,
        unit
    from metric_points
),

rewards as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        'reward' as name,
        reward_mean as value
    from evaluations
),

-- Two reads and not a join with the sides: a join by inequality costs more than a second scan.
sampled as (
    select
        'current' as side,
        timestamp,
        cast($from as bigint) as started,
        region,
        service,
        name,
        value,
        unit
    from points
    where timestamp >= $from and timestamp < $to
    union all
    select
        'current' as side,
        timestamp,
        cast($from as bigint) as started,
        region,
        service,
        name,
        value,
        null as unit
    from rewards
    where timestamp >= $from and timestamp < $to
    union all
    select
        'baseline' as side,
        timestamp,
        cast($baseline_from as bigint) as started,
        region,
        service,
        name,
        value,
        unit
    from points
    where timestamp >= $baseline_from and timestamp < $baseline_to and $baseline_name = ''
    union all
    select
        'baseline' as side,
        timestamp,
        cast($baseline_from as bigint) as started,
        region,
        service,
        name,
        value,
        null as unit
    from rewards
    where timestamp >= $baseline_from and timestamp < $baseline_to and $baseline_name = ''
),

placed as (
    select
        sampled.side as side,
        (cast(sampled.timestamp as bigint) - sampled.started) / ($interval_seconds * 1000000)
            as slot,
        sampled.started / 1000000 as started,
        case when sampled.side = 'current' then checks.seasons else 'none' end as seasons,
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
        side,
        case seasons
            when 'none' then -1
            when 'hour_of_day' then (started + slot * $interval_seconds) / 3600 % 24
            else ((started + slot * $interval_seconds) / 3600 + 96) % 168
        end as season,
        region,
        service,
        name,
        max(unit) as unit,
        interval_series(slot, value) as series
    from placed
    group by 1, 2, 3, 4, 5
)

select side, season, region, service, name, unit, series
from final
where series is not null
