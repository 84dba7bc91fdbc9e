-- title: Requests of single routes that took longer than they do in the baseline
-- grain: one row per interval, region and service with a route that moved and is hardly chance
-- materialized: once
-- audit: a request is slow when it took longer than `drift_route_limits` says; `current_value` is
--   the share of slow requests of the route that is hardest to explain by chance, and `measured`
--   names it
-- audit: one slow route among many hardly moves the latency of its service, least where others are
--   slower by nature
-- audit: the p-value is that of the route times the number of routes judged beside it (Bonferroni);
--   above the rate of false alarms nothing can be drift, and only the share of all routes is shown
with
far as (
    select
        region,
        service,
        route,
        slow_from,
        trials as baseline_trials,
        share as baseline_value,
        center,
        spread,
        intervals,
        name,
        category,
        threshold_percent,
        warning_percent,
        critical_percent,
        floor,
        false_alarm_rate,
        min_intervals,
        unnest(
            series_points(series_beyond(series, share, size_limit, center, chance_limit))
        ) as point
    from drift_route_pools
),

points as (
    select
        point['slot'] as slot,
        region,
        service,
        route,
        slow_from,
        cast(point['samples'] as double) as trials,
        point['value'] * point['samples'] as events,
        point['value'] as current_value,
        baseline_value,
        baseline_trials,
        center,
        spread,
        intervals,
        name,
        category,
        threshold_percent,
        warning_percent,
        critical_percent,
        floor,
        false_alarm_rate,
        min_intervals
    from far
    where point['value'] > baseline_value
),

sized as (
    select
        *,
        case
            when current_value - baseline_value < floor then 'ok'
            else drift_status(
                category,
                drift_percent(baseline_value, current_value),
                threshold_percent,
                warning_percent,
                critical_percent
            )
        end as size_status
    from points
),

asked as (
    select
        *,
        greatest(
            count_ratio_p(events, trials, baseline_value * baseline_trials, baseline_trials),
            case
                when intervals >= min_intervals
                    then student_p(
                        (current_value - center) / (spread * sqrt(1.0 + 1.0 / intervals)),
                        intervals - 1.0
                    )
            end
        ) as p_value
    from sized
    where size_status <> 'ok'
),

unlikely as (
    select *
    from asked
    where p_value <= false_alarm_rate
),

judged as (
    select region, service, unnest(series_points(routes)) as point
    from drift_route_places
),

corrected as (
    select
        unlikely.*,
        least(unlikely.p_value * judged.routes, 1.0) as corrected_p
    from unlikely
    join (
        select region, service, point['slot'] as slot, point['samples'] as routes from judged
    ) as judged
        on unlikely.region = judged.region
        and unlikely.service = judged.service
        and unlikely.slot = judged.slot
),

ranked as (
    select
        corrected.*,
        row_number() over (
            partition by slot, region, service
            order by corrected_p, current_value - baseline_value desc, route
        ) as place
    from corrected
    where corrected_p <= false_alarm_rate
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
    drift_percent(baseline_value, current_value) as drift_percent,
    size_status,
    corrected_p as p_value,
    '1' as unit,
    route || ': ' || cast(round(events) as bigint) || ' of '
        || cast(cast(trials as bigint) as varchar) || ' above '
        || cast(round(slow_from, 1) as varchar) || ' ms' as measured
from ranked
where place = 1
