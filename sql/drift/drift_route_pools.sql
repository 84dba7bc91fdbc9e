-- title: Shares of slow requests of single routes
-- grain: one row per side of the comparison, interval, region, service and route that was served
-- materialized: once
-- audit: a route with few requests is judged over trailing intervals, as in drift_points
with
counted as (
    select * from drift_route_slots
),

served as (
    select cast(count(*) as double) as intervals
    from (select distinct side, slot from counted) as slots
),

-- Each interval counts for itself and for those after it that still look back on it.
widths as (
    select
        counted.region as region,
        counted.service as service,
        counted.route as route,
        cast(
            greatest(
                least(
                    ceil(max(evidence.min_events) * max(served.intervals) / sum(counted.trials)),
                    max(evidence.max_pooled)
                ),
                1
            ) as bigint
        ) as width
    from settings_drift_evidence as evidence
    cross join served
    cross join counted
    group by counted.region, counted.service, counted.route
),

spread_out as (
    select
        counted.side as side,
        counted.slot as slot,
        unnest(generate_series(0, widths.width - 1)) as later,
        counted.region as region,
        counted.service as service,
        counted.route as route,
        counted.trials as trials,
        counted.events as events
    from counted
    join widths
        on counted.region = widths.region
        and counted.service = widths.service
        and counted.route = widths.route
)

-- Nothing new is known of a route in an interval in which it was not served.
select
    side,
    slot + later as slot,
    region,
    service,
    route,
    exact_sum(trials) as trials,
    exact_sum(events) as events,
    exact_sum(events) / exact_sum(trials) as share
from spread_out
group by side, slot + later, region, service, route
having min(later) = 0
