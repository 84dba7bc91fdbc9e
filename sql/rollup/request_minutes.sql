-- title: Requests by minute
-- grain: one row per minute, region, service and route of the window and its baseline
-- materialized: run
-- audit: a service of a region is read from the one of logs and spans that holds more of its
--   requests in this stretch of time, logs when they hold as many; never from both, which would
--   count its requests twice (`signal` says which)
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

log_totals as (
    select region, service, sum(requests) as requests
    from log_parts
    group by region, service
),

span_totals as (
    select region, service, sum(requests) as requests
    from span_parts
    group by region, service
),

-- The fuller of the two: sampled traces hold fewer requests than logs, and a few access lines among
-- application logs fewer than the traces.
signals as (
    select
        coalesce(log_totals.region, span_totals.region) as region,
        coalesce(log_totals.service, span_totals.service) as service,
        case
            when coalesce(log_totals.requests, 0) >= coalesce(span_totals.requests, 0) then 'logs'
            else 'spans'
        end as signal
    from log_totals
    full outer join span_totals
        on log_totals.region = span_totals.region and log_totals.service = span_totals.service
),

all_parts as (
    select 'logs' as signal, * from log_parts
    union all
    select 'spans' as signal, * from span_parts
),

parts as (
    select all_parts.*
    from all_parts
    join signals
        on all_parts.region = signals.region
        and all_parts.service = signals.service
        and all_parts.signal = signals.signal
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
