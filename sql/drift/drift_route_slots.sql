-- title: Slow requests of single routes, interval by interval
-- grain: one row per side of the comparison, interval, region, service and route that was served
-- materialized: once
with
sides as (
    select side, since, until
    from (
        values
            ('current', $from, $to),
            ('baseline', $baseline_from, $baseline_to)
    ) as listed (side, since, until)
),

counted as (
    select
        requests.slot as slot,
        requests.region as region,
        requests.service as service,
        requests.route as route,
        cast(sketch_count(requests.latency) as double) as trials,
        sketch_share_below(requests.latency, limits.slow_from) as in_time
    from request_slots as requests
    join drift_route_limits as limits
        on requests.region = limits.region
        and requests.service = limits.service
        and requests.route = limits.route
    where sketch_count(requests.latency) > 0
)

select
    sides.side as side,
    (cast(counted.slot as bigint) - cast(sides.since as bigint))
        / ($interval_seconds * 1000000) as slot,
    counted.region as region,
    counted.service as service,
    counted.route as route,
    exact_sum(counted.trials) as trials,
    exact_sum(counted.trials * (1.0 - counted.in_time)) as events
from counted
join sides on counted.slot >= sides.since and counted.slot < sides.until
group by 1, 2, 3, 4, 5
