-- title: Requests by minute, in parts
-- grain: several rows may stand for one minute, region, service and route; readers add them up
-- materialized: view
-- audit: a service of a region is read from logs or from spans, as `request_signals` says
-- audit: a row without a service belongs to service `unknown`
with
-- Each signal is joined with those who are read from it, so that where nobody is its rows are not
-- read at all.
final as (
    select
        parts.minute as minute,
        parts.region as region,
        signals.service as service,
        parts.route as route,
        parts.requests as requests,
        parts.errors as errors,
        parts.timeouts as timeouts,
        parts.retries as retries,
        parts.retry_known as retry_known,
        parts.durations as durations,
        parts.duration_us as duration_us,
        parts.latency as latency,
        parts.queue_waits as queue_waits,
        parts.queue_wait as queue_wait,
        parts.bytes_sent as bytes_sent,
        signals.signal as signal
    from request_signals as signals
    join log_minutes as parts
        on signals.region = parts.region
        and signals.service = coalesce(parts.service, 'unknown')
    where
        signals.signal = 'logs'
        and parts.minute >= least($from, $baseline_from)
        and parts.minute < $to
    union all
    select
        parts.minute as minute,
        parts.region as region,
        signals.service as service,
        parts.route as route,
        parts.requests as requests,
        parts.errors as errors,
        parts.timeouts as timeouts,
        parts.retries as retries,
        parts.retry_known as retry_known,
        parts.durations as durations,
        parts.duration_us as duration_us,
        parts.latency as latency,
        parts.queue_waits as queue_waits,
        parts.queue_wait as queue_wait,
        parts.bytes_sent as bytes_sent,
        signals.signal as signal
    from request_signals as signals
    join span_minutes as parts
        on signals.region = parts.region
        and signals.service = coalesce(parts.service, 'unknown')
    where
        signals.signal = 'spans'
        and parts.minute >= least($from, $baseline_from)
        and parts.minute < $to
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
