-- title: What the intervals of the window are compared with
-- grain: one row per season, region, service and check name
-- materialized: view
-- audit: `value` is that of the whole baseline, for what is configured its newest one; `center` and
--   `spread` are mean and standard deviation of its intervals
with
points as (
    select season, region, service, name, slot, value, events, trials, latency, unit
    from drift_points
    where side = 'baseline'
),

checks as (
    select name, category
    from settings_drift
),

summed as (
    select
        points.season as season,
        points.region as region,
        points.service as service,
        points.name as name,
        max(checks.category) as category,
        first_value(points.value order by points.slot desc) as newest,
        exact_avg(points.value) as center,
        exact_sum(points.value * points.value) as squares,
        count(*) as intervals,
        exact_sum(points.events) as events,
        exact_sum(points.trials) as trials,
        sketch_merge(points.latency) as latency,
        max(points.unit) as unit
    from points
    join checks on points.name = checks.name
    group by points.season, points.region, points.service, points.name
),

live as (
    select
        season,
        region,
        service,
        name,
        case
            when category = 'configuration' then newest
            when latency is null then events / trials
            when name = 'api_latency_p50' then sketch_quantile(latency, 0.50)
            when name = 'api_latency_p99' then sketch_quantile(latency, 0.99)
            else sketch_quantile(latency, 0.95)
        end as value,
        center,
        case
            when intervals > 1
                then sqrt(
                    greatest(squares - intervals * center * center, 0.0) / (intervals - 1)
                )
        end as spread,
        intervals,
        events,
        trials,
        latency,
        unit
    from summed
),

kept as (
    select
        season,
        region,
        service,
        measure as name,
        value,
        center,
        spread,
        intervals,
        events,
        trials,
        sketch as latency,
        unit
    from baselines
    where
        $baseline_name <> '' and name = $baseline_name and version = $baseline_version
),

final as (
    select * from live
    union all
    select * from kept
)

select
    season,
    region,
    service,
    name,
    value,
    center,
    spread,
    intervals,
    events,
    trials,
    latency,
    unit
from final
