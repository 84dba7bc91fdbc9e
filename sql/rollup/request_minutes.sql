-- title: Requests by minute
-- grain: one row per minute, region, service and route of the window and its baseline
-- materialized: once
-- audit: a service of a region is read from the one of logs and spans that holds more of its
--   requests in this stretch of time, logs when they hold as many; never from both, which would
--   count its requests twice (`signal` says which)
-- audit: the window is made of whole minutes; a row without a service belongs to service `unknown`
with
final as (
    select
        minute,
        region,
        service,
        route,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(timeouts) as timeouts,
        sum(retries) as retries,
        sum(retry_known) as retry_known,
        sum(durations) as durations,
        sum(duration_us) as duration_us,
        sketch_merge(latency) as latency,
        sum(queue_waits) as queue_waits,
        sketch_merge(queue_wait) as queue_wait,
        sum(bytes_sent) as bytes_sent,
        signal
    from request_parts
    group by minute, region, service, route, signal
)

select
    minute,
    region,
    service,
    route,
    requests,
    errors,
    timeouts,
    retries,
    retry_known,
    durations,
    duration_us,
    latency,
    queue_waits,
    queue_wait,
    bytes_sent,
    signal
from final
