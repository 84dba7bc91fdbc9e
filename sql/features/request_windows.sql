-- title: Requests of services by intervals
-- grain: one row per region, service and interval with requests
-- materialized: once
-- audit: intervals are counted from $from; the `pooled_windows` - 1 before it have numbers below 0
with
-- How far back intervals with few requests may reach.
reach as (
    select
        pooled_windows - 1 as intervals,
        cast($from as bigint) - (pooled_windows - 1) * $interval_seconds * 1000000 as starts
    from settings_detection
),

in_window as (
    select
        request_outcomes.*,
        -- Counted from before the window, because division rounds towards 0.
        (at - reach.starts) / ($interval_seconds * 1000000) - reach.intervals as position
    from request_outcomes
    cross join reach
    where at >= reach.starts and slot < $to
),

final as (
    select
        region,
        service,
        position,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(timeouts) as timeouts,
        sum(retries) as retries,
        sum(retry_known) as retry_known,
        sum(durations) as durations,
        sketch_merge(latency) as latency,
        sketch_quantile(sketch_merge(queue_wait), 0.95) as queue_wait_p95
    from in_window
    group by region, service, position
)

select
    region,
    service,
    position,
    requests,
    errors,
    timeouts,
    retries,
    retry_known,
    durations,
    latency,
    queue_wait_p95
from final
