-- title: Slow requests of single routes, packed
-- grain: one row per side of the comparison, region, service and route that was served
-- materialized: once
-- audit: slots as in request_intervals; the mean of an interval is the share of its requests that
--   took longer than `drift_route_limits` says
with
counted as (
    select
        requests.slot as slot,
        requests.region as region,
        requests.service as service,
        requests.route as route,
        cast(sketch_count(requests.latency) as bigint) as trials,
        1.0 - sketch_share_within(requests.latency, limits.slow_from) as share,
        -- A slot may lie on both sides. A join with the two would hold all of this in memory.
        unnest(
            make_array(
                case
                    when requests.slot >= $from and requests.slot < $to then 'current'
                end,
                case
                    when
                        $baseline_name = ''
                        and requests.slot >= $baseline_from
                        and requests.slot < $baseline_to
                        then 'baseline'
                end
            )
        ) as side
    from request_slots as requests
    join drift_route_limits as limits
        on requests.region = limits.region
        and requests.service = limits.service
        and requests.route = limits.route
    where sketch_count(requests.latency) > 0
)

select
    side,
    region,
    service,
    route,
    interval_counts(
        (
            cast(slot as bigint)
            - case side
                when 'current' then cast($from as bigint) else cast($baseline_from as bigint)
            end
        ) / ($interval_seconds * 1000000),
        share * trials,
        trials
    ) as series
from counted
where side is not null
group by side, region, service, route
