-- title: Figures of every interval beside those they are compared with
-- grain: one row per interval of the window, region (and `all`), service (and `all`) and check name
--   that was measured in the window or in the baseline
-- materialized: once
-- audit: `size_status` is what the size of the movement says; `p_value`, of what moved beyond its
--   limit, the larger of two probabilities: against the counts behind the figure, and against the
--   spread of the baseline's intervals
-- audit: what follows the load of the day is compared with the same hours of the baseline; where it
--   has none, a service is compared with its whole baseline moved as the services of its region
--   moved in that hour, in the median of three at least, and anything else has no status
-- audit: `api_latency_distribution` compares the latencies of an hour, in the check at its end
with
points as (
    select slot, season, region, service, name, value, events, trials, latency, unit
    from drift_points
    where side = 'current'
),

baseline as (
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
        seasons
    from drift_baseline
),

series as (
    select distinct region, service, name from points
    union
    select distinct region, service, name from baseline
),

-- What does not follow the load of the day has season -1.
slots as (
    select slot, max(season) as season
    from points
    group by slot
),

-- How far an hour without its like in the baseline lies from it, as services of a region agree.
shapes as (
    select
        points.season as season,
        points.region as region,
        points.name as name,
        median(points.value / whole.value) as factor
    from points
    join baseline as whole
        on points.region = whole.region
        and points.service = whole.service
        and points.name = whole.name
    where
        whole.season = -1
        and whole.seasons <> 'none'
        and whole.value <> 0.0
        and points.season >= 0
        and points.service <> 'all'
    group by points.season, points.region, points.name
    having count(distinct points.service) >= 3
),

-- Every series at every interval that was looked at, so that a gap shows.
gaps as (
    select
        slots.slot as slot,
        slots.season as season,
        series.region as region,
        series.service as service,
        series.name as name
    from slots
    cross join series
    left anti join points
        on slots.slot = points.slot
        and series.region = points.region
        and series.service = points.service
        and series.name = points.name
),

placed as (
    select
        slot,
        season,
        region,
        service,
        name,
        value as current_value,
        events,
        trials,
        latency,
        unit
    from points
    union all
    select
        slot,
        season,
        region,
        service,
        name,
        null as current_value,
        null as events,
        null as trials,
        null as latency,
        null as unit
    from gaps
),

paired as (
    select
        placed.slot as slot,
        placed.region as region,
        placed.service as service,
        placed.name as name,
        checks.category as category,
        checks.threshold_percent as threshold_percent,
        checks.warning_percent as warning_percent,
        checks.critical_percent as critical_percent,
        checks.floor as floor,
        case
            when same.season is not null then same.value
            when whole.seasons = 'none' then whole.value
            when placed.service <> 'all' then whole.value * shapes.factor
        end as baseline_value,
        placed.current_value as current_value,
        coalesce(placed.unit, whole.unit, same.unit) as unit,
        placed.events as events,
        placed.trials as trials,
        placed.latency as latency,
        coalesce(same.center, whole.center * coalesce(shapes.factor, 1.0)) as center,
        coalesce(same.spread, whole.spread * coalesce(shapes.factor, 1.0)) as spread,
        coalesce(same.intervals, whole.intervals) as intervals,
        coalesce(same.events, whole.events * coalesce(shapes.factor, 1.0)) as baseline_events,
        coalesce(same.trials, whole.trials) as baseline_trials,
        same.season is null and whole.value is not null and whole.seasons <> 'none' as is_unlike
    from placed
    join settings_drift as checks on placed.name = checks.name
    left join baseline as same
        on placed.season = same.season
        and same.season >= 0
        and checks.seasonal
        and placed.region = same.region
        and placed.service = same.service
        and placed.name = same.name
    left join baseline as whole
        on whole.season = -1
        and placed.region = whole.region
        and placed.service = whole.service
        and placed.name = whole.name
    left join shapes
        on placed.season = shapes.season
        and placed.service <> 'all'
        and placed.region = shapes.region
        and placed.name = shapes.name
),

sized as (
    select
        *,
        drift_percent(baseline_value, current_value) as drift_percent,
        -- A movement too small to matter in absolute terms is none, however large its percentage.
        case
            when abs(current_value - baseline_value) < floor then 'ok'
            else drift_status(
                category,
                drift_percent(baseline_value, current_value),
                threshold_percent,
                warning_percent,
                critical_percent
            )
        end as size_status
    from paired
),

-- Chance is only asked about what has moved far enough.
asked as (
    select
        sized.*,
        case
            when size_status = 'ok' or category = 'configuration' then null
            when name in ('error_rate', 'request_rate')
                then count_ratio_p(events, trials, baseline_events, baseline_trials)
            when name = 'api_latency_p50' and latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_below(latency, baseline_value)), trials,
                    baseline_trials * 0.50, baseline_trials
                )
            when name = 'api_latency_p99' and latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_below(latency, baseline_value)), trials,
                    baseline_trials * 0.01, baseline_trials
                )
            when latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_below(latency, baseline_value)), trials,
                    baseline_trials * 0.05, baseline_trials
                )
        end as count_p,
        case
            when size_status = 'ok' or category = 'configuration' then null
            when intervals >= evidence.min_intervals
                then student_p(
                    (current_value - center) / (spread * sqrt(1.0 + 1.0 / intervals)),
                    intervals - 1
                )
        end as spread_p
    from settings_drift_evidence as evidence
    cross join sized
),

-- Latencies of whole hours as distributions: how far requests moved on average (Wasserstein
-- distance), as a share of their median; chance by Kolmogorov and Smirnov.
hours as (
    select
        least(
            (slot / blocks.slots + 1) * blocks.slots - 1,
            (cast($to as bigint) - cast($from as bigint) - 1) / ($interval_seconds * 1000000)
        ) as slot,
        region,
        service,
        sketch_merge(latency) as latency
    from (
        select greatest(3600 / $interval_seconds, 1) as slots
    ) as blocks
    cross join request_intervals
    where side = 'current' and kind = 'requests'
    group by 1, 2, 3
),

distances as (
    select
        hours.slot as slot,
        hours.region as region,
        hours.service as service,
        checks.name as name,
        checks.category as category,
        checks.threshold_percent as threshold_percent,
        checks.warning_percent as warning_percent,
        checks.critical_percent as critical_percent,
        checks.floor as floor,
        sketch_quantile(past.latency, 0.5) as baseline_value,
        sketch_quantile(past.latency, 0.5) + wasserstein(past.latency, hours.latency)
            as current_value,
        past.latency as past_latency,
        hours.latency as latency,
        past.unit as unit
    from hours
    join baseline as past
        on hours.region = past.region
        and hours.service = past.service
        and past.season = -1
        and past.name = 'api_latency_p95'
    join settings_drift as checks on checks.name = 'api_latency_distribution'
    where past.latency is not null and hours.latency is not null
),

compared as (
    select
        slot,
        region,
        service,
        name,
        category,
        threshold_percent,
        floor,
        baseline_value,
        current_value,
        drift_percent,
        size_status,
        greatest(count_p, spread_p) as p_value,
        unit,
        is_unlike,
        null as measured
    from asked
    union all
    select
        slot,
        region,
        service,
        name,
        category,
        threshold_percent,
        floor,
        baseline_value,
        current_value,
        drift_percent(baseline_value, current_value) as drift_percent,
        size_status,
        case when size_status <> 'ok' then ks_p_value(past_latency, latency) end as p_value,
        unit,
        false as is_unlike,
        case
            when size_status <> 'ok'
                then 'psi ' || cast(round(psi(past_latency, latency), 3) as varchar)
                    || ', ks ' || cast(round(ks_statistic(past_latency, latency), 3) as varchar)
                    || ', js ' || cast(round(js_divergence(past_latency, latency), 3) as varchar)
        end as measured
    from (
        select
            *,
            case
                when abs(current_value - baseline_value) < floor then 'ok'
                else drift_status(
                    category,
                    drift_percent(baseline_value, current_value),
                    threshold_percent,
                    warning_percent,
                    critical_percent
                )
            end as size_status
        from distances
    ) as judged_by_size
)

select
    slot,
    region,
    service,
    name,
    category,
    threshold_percent,
    floor,
    baseline_value,
    current_value,
    drift_percent,
    size_status,
    p_value,
    unit,
    is_unlike,
    arrow_cast(measured, 'Utf8') as measured
from compared
