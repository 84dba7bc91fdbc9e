-- title: How long requests of single routes take in the baseline
-- grain: one row per region, service that serves several routes, and route with known latencies
-- materialized: once
-- audit: a request is slow when it takes longer than `slow_from`: the 95th percentile of its route
--   in the baseline, and by the check's limit more, or twice the median, whichever is less: where
--   the slowest take many times as long as most, all can become slow below the percentile
-- audit: `share` of the baseline's requests are slow
-- audit: a kept baseline has the limits of the settings when it was set
with
past as (
    select region, service, route, sketch_merge(latency) as latency
    from request_slots
    where
        $baseline_name = ''
        and route is not null
        and slot >= $baseline_from
        and slot < $baseline_to
    group by region, service, route
),

several as (
    select
        past.*,
        count(*) over (partition by region, service) as routes
    from past
),

limits as (
    select
        past.region as region,
        past.service as service,
        past.route as route,
        past.latency as latency,
        least(
            sketch_quantile(past.latency, 0.95)
                * (1.0 + least(checks.threshold_percent, checks.warning_percent) / 100.0),
            2.0 * sketch_quantile(past.latency, 0.5)
        ) as slow_from
    from settings_drift as checks
    cross join several as past
    where
        checks.name = 'route_slow_requests'
        and past.routes > 1
        and sketch_count(past.latency) > 0
),

final as (
    select
        region,
        service,
        route,
        slow_from,
        cast(sketch_count(latency) as double) as trials,
        1.0 - sketch_share_within(latency, slow_from) as share
    from limits
    union all
    select region, service, route, slow_from, trials, value as share
    from baselines
    where
        $baseline_name <> ''
        and name = $baseline_name
        and version = $baseline_version
        and measure = 'route_slow_requests'
        and route is not null
)

select region, service, route, slow_from, trials, share
from final
