-- title: Requests by minute, in parts
-- grain: several rows may stand for one minute, region, service and route; readers add them up
-- materialized: view
-- audit: a service of a region is read from logs or from spans, as `request_signals` says
-- audit: a row without a service belongs to service `unknown`
with
all_parts as (
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
        bytes_sent,
        'logs' as signal
    from log_minutes
    where minute >= least($from, $baseline_from) and minute < $to
    union all
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
        bytes_sent,
        'spans' as signal
    from span_minutes
    where minute >= least($from, $baseline_from) and minute < $to
),

final as (
    select all_parts.*
    from all_parts
    join request_signals as signals
        on all_parts.region = signals.region
        and all_parts.service = signals.service
        and all_parts.signal = signals.signal
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
