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
points as (
    select
        points.season as season,
        points.region as region,
        points.service as service,
        points.name as name,
        points.slot as slot,
        points.value as value,
        points.events as events,
        points.trials as trials,
        points.latency as latency,
        points.unit as unit
    from drift_points as points
    join settings_drift as checks on points.name = checks.name
    where points.side = 'baseline'
),

both as (
    select season, region, service, name, slot, value, events, trials, latency, unit
    from points
    union all
    select -1 as season, region, service, name, slot, value, events, trials, latency, unit
    from points
    where season >= 0
),

summed as (
    select
        season,
        region,
        service,
        name,
        median(value) as level,
        count(*) as intervals,
        exact_sum(events) as events,
        exact_sum(trials) as trials,
        sketch_merge(latency) as latency,
        max(unit) as unit
    from both
    group by season, region, service, name
),

-- Midnight lies beside the last hour of the day, or of the week.
neighbours as (
    select
        summed.region as region,
        summed.service as service,
        summed.name as name,
        summed.level as level,
        unnest(
            case
                when summed.season < 0 then make_array(-1)
                else make_array(
                    (summed.season + cycle.hours - 1) % cycle.hours,
                    summed.season,
                    (summed.season + 1) % cycle.hours
                )
            end
        ) as season
    from (
        select case season when 'hour_of_week' then 168 else 24 end as hours
        from settings_drift_evidence
    ) as cycle
    cross join summed
),

centers as (
    select season, region, service, name, median(level) as center
    from neighbours
    group by season, region, service, name
),

-- What the levels of the hours beside it are, as shares of a season's own.
lines as (
    select
        centers.season as season,
        centers.region as region,
        centers.service as service,
        centers.name as name,
        centers.center as center,
        coalesce(earlier.center / nullif(centers.center, 0.0), 1.0) as before,
        coalesce(later.center / nullif(centers.center, 0.0), 1.0) as after
    from (
        select case season when 'hour_of_week' then 168 else 24 end as hours
        from settings_drift_evidence
    ) as cycle
    cross join centers
    left join centers as earlier
        on (centers.season + cycle.hours - 1) % cycle.hours = earlier.season
        and centers.region = earlier.region
        and centers.service = earlier.service
        and centers.name = earlier.name
    left join centers as later
        on (centers.season + 1) % cycle.hours = later.season
        and centers.region = later.region
        and centers.service = later.service
        and centers.name = later.name
),

-- Where in its hour an interval has its middle, -1/2 to 1/2; intervals of an hour or more have one
-- level.
placed as (
    select
        points.*,
        case
            when points.season < 0 or $interval_seconds >= 3600 then 0.0
            else (
                (cast($baseline_from as bigint) / 1000000 + points.slot * $interval_seconds) % 3600
                + $interval_seconds / 2.0
            ) / 3600.0 - 0.5
        end as phase
    from points
),

-- A share of the center for what is seasonal, else in the figure's own unit.
residuals as (
    select
        placed.region as region,
        placed.service as service,
        placed.name as name,
        placed.season >= 0 and lines.center <> 0.0 as is_share,
        case
            when placed.season >= 0 and lines.center <> 0.0
                then (
                    placed.value - lines.center * (
                        1.0 + placed.phase
                            * case when placed.phase < 0.0 then 1.0 - lines.before
                                else lines.after - 1.0 end
                    )
                ) / abs(lines.center)
            else placed.value - lines.center
        end as residual
    from placed
    join lines
        on placed.season = lines.season
        and placed.region = lines.region
        and placed.service = lines.service
        and placed.name = lines.name
),

spreads as (
    select
        region,
        service,
        name,
        bool_and(is_share) as is_share,
        count(*) as intervals,
        case
            when count(*) > 1
                then coalesce(
                    nullif(1.4826 * mad(residual), 0.0),
                    sqrt(exact_sum(residual * residual) / (count(*) - 1))
                )
        end as spread
    from residuals
    group by region, service, name
),

live as (
    select
        summed.season as season,
        summed.region as region,
        summed.service as service,
        summed.name as name,
        case
            when summed.name = 'error_rate' then summed.events / summed.trials
            when summed.latency is null then centers.center
            when summed.name = 'api_latency_p50' then sketch_quantile(summed.latency, 0.50)
            when summed.name = 'api_latency_p99' then sketch_quantile(summed.latency, 0.99)
            else sketch_quantile(summed.latency, 0.95)
        end as value,
        centers.center as center,
        spreads.spread * case when spreads.is_share then abs(centers.center) else 1.0 end as spread,
        spreads.intervals as intervals,
        -- Requests of a season count at the rate of its center, whatever fault its own hour had.
        case
            when summed.name = 'request_rate' then centers.center * summed.trials
            else summed.events
        end as events,
        summed.trials as trials,
        summed.latency as latency,
        summed.unit as unit,
        case when checks.seasonal then evidence.season else 'none' end as seasons
    from settings_drift_evidence as evidence
    cross join summed
    join centers
        on summed.season = centers.season
        and summed.region = centers.region
        and summed.service = centers.service
        and summed.name = centers.name
    join spreads
        on summed.region = spreads.region
        and summed.service = spreads.service
        and summed.name = spreads.name
    join settings_drift as checks on summed.name = checks.name
),

-- Metrics and rewards.
profiles as (
    select
        series.region as region,
        series.service as service,
        series.name as name,
        series.unit as unit,
        checks.category as category,
        case when checks.seasonal then evidence.season else 'none' end as seasons,
        unnest(
            series_profile(
                series.series,
                cast($baseline_from as bigint) / 1000000,
                $interval_seconds,
                case when checks.seasonal then evidence.season else 'none' end
            )
        ) as profile
    from settings_drift_evidence as evidence
    cross join drift_series as series
    join settings_drift as checks on series.name = checks.name
    where series.side = 'baseline'
),

live_metrics as (
    select
        profile['season'] as season,
        region,
        service,
        name,
        case
            when category = 'configuration' then profile['newest']
            when name = 'error_rate' then profile['total'] / profile['samples']
            else profile['center']
        end as value,
        profile['center'] as center,
        profile['spread'] as spread,
        profile['intervals'] as intervals,
        profile['total'] as events,
        cast(profile['samples'] as double) as trials,
        null as latency,
        unit,
        seasons
    from profiles
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
    select * from live_metrics
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
