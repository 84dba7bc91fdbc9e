-- title: What each figure of the window is compared with
-- grain: one row per season of the window, region (and `all`), service (and `all`) and check name
--   that was measured in the window or in the baseline; season -1 for what does not follow the load
--   of the day
-- materialized: once
-- audit: what follows the load of the day is compared with the same hours of the baseline; where it
--   has none, a service is compared with its whole baseline moved as the services of its region
--   moved in that hour, in the median of three at least, and anything else has no value
-- audit: all of that holds in the middle of an hour; `before` and `after` are the levels of the hours
--   beside it as shares of its own, towards which it runs on straight lines
-- audit: nothing within `size_limit` of `baseline_value`, or within `chance_limit` of `center`, can
--   be drift; they are a hair too small, so that rounding leaves nothing out
with
packed as (
    select region, service, name, season, unit, series
    from drift_series
    where side = 'current'
),

baseline as (
    select
        own.season as season,
        own.region as region,
        own.service as service,
        own.name as name,
        own.value as value,
        own.center as center,
        own.spread as spread,
        own.intervals as intervals,
        own.events as events,
        own.trials as trials,
        own.unit as unit,
        own.seasons as seasons,
        coalesce(earlier.center / nullif(own.center, 0.0), 1.0) as before,
        coalesce(later.center / nullif(own.center, 0.0), 1.0) as after
    from (
        select case season when 'hour_of_week' then 168 else 24 end as hours
        from settings_drift_evidence
    ) as cycle
    cross join drift_baseline as own
    left join drift_baseline as earlier
        on (own.season + cycle.hours - 1) % cycle.hours = earlier.season
        and own.season >= 0
        and own.region = earlier.region
        and own.service = earlier.service
        and own.name = earlier.name
    left join drift_baseline as later
        on (own.season + 1) % cycle.hours = later.season
        and own.season >= 0
        and own.region = later.region
        and own.service = later.service
        and own.name = later.name
),

series as (
    select region, service, name, max(unit) as unit
    from (
        select region, service, name, unit from packed
        union all
        select region, service, name, cast(null as varchar) as unit from baseline
    ) as all_kinds
    group by region, service, name
),

grid as (
    select
        slots.season as season,
        series.region as region,
        series.service as service,
        series.name as name,
        series.unit as unit,
        checks.category as category,
        checks.threshold_percent as threshold_percent,
        checks.warning_percent as warning_percent,
        checks.critical_percent as critical_percent,
        checks.floor as floor,
        checks.seasonal as seasonal,
        evidence.false_alarm_rate as false_alarm_rate,
        evidence.min_intervals as min_intervals
    from settings_drift_evidence as evidence
    cross join series
    join settings_drift as checks on series.name = checks.name
    join drift_slots as slots
        on (slots.season >= 0) = (coalesce(checks.seasonal, false) and evidence.season <> 'none')
),

-- Hours that a baseline has not.
unlike as (
    select distinct grid.season as season, grid.region as region, grid.name as name
    from grid
    left anti join baseline as same
        on grid.season = same.season
        and grid.region = same.region
        and grid.service = same.service
        and grid.name = same.name
    where grid.season >= 0
),

unlike_packed as (
    select
        packed.season as season,
        packed.region as region,
        packed.service as service,
        packed.name as name,
        unnest(series_points(packed.series)) as point
    from packed
    join unlike
        on packed.season = unlike.season
        and packed.region = unlike.region
        and packed.name = unlike.name
    where packed.service <> 'all'
),

unlike_points as (
    select season, region, service, name, point['value'] as value
    from unlike_packed
),

-- How far an hour without its like in the baseline lies from it, as services of a region agree.
shapes as (
    select
        points.season as season,
        points.region as region,
        points.name as name,
        median(points.value / whole.value) as factor
    from unlike_points as points
    join baseline as whole
        on points.region = whole.region
        and points.service = whole.service
        and points.name = whole.name
    where
        whole.season = -1
        and whole.seasons <> 'none'
        and whole.value <> 0.0
    group by points.season, points.region, points.name
    having count(distinct points.service) >= 3
),

paired as (
    select
        grid.*,
        case
            when same.season is not null then same.value
            when whole.seasons = 'none' then whole.value
            when grid.service <> 'all' then whole.value * shapes.factor
        end as baseline_value,
        coalesce(grid.unit, whole.unit, same.unit) as shown_unit,
        coalesce(same.center, whole.center * coalesce(shapes.factor, 1.0)) as center,
        coalesce(same.spread, whole.spread * coalesce(shapes.factor, 1.0)) as spread,
        coalesce(same.intervals, whole.intervals) as intervals,
        coalesce(same.events, whole.events * coalesce(shapes.factor, 1.0)) as baseline_events,
        coalesce(same.trials, whole.trials) as baseline_trials,
        coalesce(same.before, 1.0) as before,
        coalesce(same.after, 1.0) as after,
        same.season is null and whole.value is not null and whole.seasons <> 'none' as is_unlike
    from grid
    left join baseline as same
        on grid.season = same.season
        and same.season >= 0
        and grid.region = same.region
        and grid.service = same.service
        and grid.name = same.name
    left join baseline as whole
        on whole.season = -1
        and grid.region = whole.region
        and grid.service = whole.service
        and grid.name = whole.name
    left join shapes
        on grid.season = shapes.season
        and grid.service <> 'all'
        and grid.region = shapes.region
        and grid.name = shapes.name
)

-- Plain strings, as in drift_results: every figure of a month carries them.
select
    season,
    arrow_cast(region, 'Utf8') as region,
    arrow_cast(service, 'Utf8') as service,
    arrow_cast(name, 'Utf8') as name,
    arrow_cast(category, 'Utf8') as category,
    threshold_percent,
    warning_percent,
    critical_percent,
    floor,
    baseline_value,
    arrow_cast(shown_unit, 'Utf8') as unit,
    center,
    spread,
    intervals,
    baseline_events,
    baseline_trials,
    is_unlike,
    before,
    after,
    case
        when category = 'configuration' then greatest(floor, 0.0) * (1.0 - 1e-9)
        else greatest(
            -- Limits grow with the level, but the floor does not.
            floor / greatest(1.0, (1.0 + before) / 2.0, (1.0 + after) / 2.0),
            abs(baseline_value) / 100.0
                * least(threshold_percent, warning_percent, critical_percent)
        ) * (1.0 - 1e-9)
    end as size_limit,
    case
        when category <> 'configuration' and intervals >= min_intervals
            then student_t(false_alarm_rate, cast(intervals as double) - 1.0)
                * spread * sqrt(1.0 + 1.0 / intervals) * (1.0 - 1e-9)
    end as chance_limit
from paired
