-- title: What the intervals of the window are compared with
-- grain: one row per season, region, service and check name; season -1 stands for the whole
--   baseline
-- materialized: once
-- audit: `value` is the median of the baseline's intervals; for latency and error rate the figure
--   of the whole baseline, for what is configured its newest one. Medians, because the baseline may
--   have had faults of its own
-- audit: in a season `value` is the median of that season's median and those of its two
--   neighbours, so that a fault of an hour is not taken for the rhythm of the day
-- audit: `spread` is 1.4826 times the median distance of intervals from their level (the standard
--   deviation of normal values; where more than half are equal, the root mean square distance). The
--   level of what is seasonal runs on straight lines between the middles of hours, and the distance
--   is a share of the `value` of the season; the same share holds in every season
-- audit: `seasons` is `none` where season -1 is meant to be compared with at any hour
with
packed as (
    select
        series.region as region,
        series.service as service,
        series.name as name,
        series.season as season,
        series.unit as unit,
        series.series as series,
        series.is_counted as is_counted,
        checks.category as category,
        case when checks.seasonal then evidence.season else 'none' end as seasons
    from settings_drift_evidence as evidence
    cross join drift_series as series
    join settings_drift as checks on series.name = checks.name
    where series.side = 'baseline'
),

-- Requests come season by season.
whole as (
    select
        region,
        service,
        name,
        category,
        seasons,
        is_counted,
        max(unit) as unit,
        series_sum(series) as series
    from packed
    where is_counted
    group by region, service, name, category, seasons, is_counted
    union all
    select region, service, name, category, seasons, is_counted, unit, series
    from packed
    where not is_counted
),

profiles as (
    select
        region,
        service,
        name,
        category,
        seasons,
        is_counted,
        unit,
        unnest(
            series_profile(
                series, cast($baseline_from as bigint) / 1000000, $interval_seconds, seasons
            )
        ) as profile
    from whole
),

sketched as (
    select season, region, service, name, latency
    from request_series
    where side = 'baseline' and latency is not null
),

latencies as (
    select season, region, service, name, latency
    from sketched
    union all
    select -1 as season, region, service, name, sketch_merge(latency) as latency
    from sketched
    where season >= 0
    group by region, service, name
),

live as (
    select
        profile['season'] as season,
        profiles.region as region,
        profiles.service as service,
        profiles.name as name,
        case
            when category = 'configuration' and not is_counted then profile['newest']
            when profiles.name = 'error_rate' then profile['total'] / profile['samples']
            when latencies.latency is null then profile['center']
            when profiles.name = 'api_latency_p50' then sketch_quantile(latencies.latency, 0.50)
            when profiles.name = 'api_latency_p99' then sketch_quantile(latencies.latency, 0.99)
            else sketch_quantile(latencies.latency, 0.95)
        end as value,
        profile['center'] as center,
        profile['spread'] as spread,
        profile['intervals'] as intervals,
        case
            when latencies.latency is not null then null
            -- Requests of a season count at the rate of its center, whatever fault its own hour had.
            when is_counted and profiles.name = 'request_rate'
                then profile['center'] * profile['samples']
            else profile['total']
        end as events,
        cast(coalesce(sketch_count(latencies.latency), profile['samples']) as double) as trials,
        latencies.latency as latency,
        unit,
        seasons
    from profiles
    left join latencies
        on is_counted
        and profile['season'] = latencies.season
        and profiles.region = latencies.region
        and profiles.service = latencies.service
        and profiles.name = latencies.name
),

kept as (
    select
        case when seasons = 'none' then -1 else season end as season,
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
        unit,
        seasons
    from baselines
    where
        $baseline_name <> ''
        and name = $baseline_name
        and version = $baseline_version
        and route is null
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
    unit,
    arrow_cast(seasons, 'Utf8') as seasons
from final
