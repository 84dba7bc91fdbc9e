-- title: Requests by minute
-- grain: one row per minute, region, service and route of the window and its baseline
-- materialized: run
-- audit: a service of a region is read from logs where they hold requests in this stretch of time,
--   else
--   from spans, never from both: that would count its requests twice (`signal` says which)
-- audit: the window is made of whole minutes; a row without a service belongs to service `unknown`
with
log_parts as (
    select
        minute,
        region,
        coalesce(service, 'unknown') as service,
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
        bytes_sent
    from log_minutes
    where minute >= least($from, $baseline_from) and minute < $to
),

span_parts as (
    select
        minute,
        region,
        coalesce(service, 'unknown') as service,
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
        bytes_sent
    from span_minutes
    where minute >= least($from, $baseline_from) and minute < $to
),

logged as (
    select distinct region, service
    from log_parts
),

parts as (
    select
        'logs' as signal,
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
        bytes_sent
    from log_parts
    union all
    select
        'spans' as signal,
        span_parts.minute,
        span_parts.region,
        span_parts.service,
        span_parts.route,
        span_parts.requests,
        span_parts.errors,
        span_parts.timeouts,
        span_parts.retries,
        span_parts.retry_known,
        span_parts.durations,
        span_parts.duration_us,
        span_parts.latency,
        span_parts.queue_waits,
        span_parts.queue_wait,
        span_parts.bytes_sent
    from span_parts
    left join logged
        on span_parts.region = logged.region and span_parts.service = logged.service
    where logged.service is null
),

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
    from parts
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
