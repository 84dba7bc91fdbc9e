-- title: Requests of services by slots of five minutes, in parts
-- grain: several rows may stand for one slot, region and service of the window and its baseline;
--   readers add them up
-- materialized: view
-- audit: slots are those of `request_slots`, whatever the routes
-- audit: a service of a region is read from logs or from spans, as `request_signals` says
with
-- Each signal is joined with those who are read from it, so that where nobody is its rows are not
-- read at all.
readable as (
    select signals.region, signals.service, signals.signal
    from request_signals as signals
    cross join request_grain as grain
    where grain.seconds = 300
),

final as (
    select
        parts.slot as slot,
        parts.region as region,
        readable.service as service,
        parts.minutes as minutes,
        parts.requests as requests,
        parts.errors as errors,
        parts.timeouts as timeouts,
        parts.retries as retries,
        parts.retry_known as retry_known,
        parts.durations as durations,
        parts.latency as latency,
        parts.queue_wait as queue_wait
    from readable
    join log_service_slots as parts
        on readable.region = parts.region
        and readable.service = coalesce(parts.service, 'unknown')
    where
        readable.signal = 'logs'
        and parts.slot >= least($from, $baseline_from)
        and parts.slot < $to
    union all
    select
        parts.slot as slot,
        parts.region as region,
        readable.service as service,
        parts.minutes as minutes,
        parts.requests as requests,
        parts.errors as errors,
        parts.timeouts as timeouts,
        parts.retries as retries,
        parts.retry_known as retry_known,
        parts.durations as durations,
        parts.latency as latency,
        parts.queue_wait as queue_wait
    from readable
    join span_service_slots as parts
        on readable.region = parts.region
        and readable.service = coalesce(parts.service, 'unknown')
    where
        readable.signal = 'spans'
        and parts.slot >= least($from, $baseline_from)
        and parts.slot < $to
    union all
    select
        parts.minute as slot,
        parts.region as region,
        parts.service as service,
        1 as minutes,
        parts.requests as requests,
        parts.errors as errors,
        parts.timeouts as timeouts,
        parts.retries as retries,
        parts.retry_known as retry_known,
        parts.durations as durations,
        parts.latency as latency,
        parts.queue_wait as queue_wait
    from request_parts as parts
    cross join request_grain as grain
    where grain.seconds = 60
)

select
    slot,
    region,
    service,
    minutes,
    requests,
    errors,
    timeouts,
    retries,
    retry_known,
    durations,
    latency,
    queue_wait
from final
