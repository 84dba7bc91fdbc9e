-- title: Requests of services by slots of five minutes, in parts
-- grain: several rows may stand for one slot, region and service of the window and its baseline;
--   readers add them up
-- materialized: view
-- audit: slots are those of `request_slots`, whatever the routes
-- audit: a service of a region is read from logs or from spans, as `slot_signals` says
with
final as (
    select
        parts.slot as slot,
        parts.region as region,
        signals.service as service,
        parts.minutes as minutes,
        parts.requests as requests,
        parts.errors as errors,
        parts.timeouts as timeouts,
        parts.retries as retries,
        parts.retry_known as retry_known,
        parts.durations as durations,
        parts.latency as latency,
        parts.queue_wait as queue_wait
    from slot_signals as signals
    join log_service_slots as parts
        on signals.region = parts.region
        and signals.service = coalesce(parts.service, 'unknown')
    where
        signals.signal = 'logs'
        and parts.slot >= least($from, $baseline_from)
        and parts.slot < $to
    union all
    select
        parts.slot as slot,
        parts.region as region,
        signals.service as service,
        parts.minutes as minutes,
        parts.requests as requests,
        parts.errors as errors,
        parts.timeouts as timeouts,
        parts.retries as retries,
        parts.retry_known as retry_known,
        parts.durations as durations,
        parts.latency as latency,
        parts.queue_wait as queue_wait
    from slot_signals as signals
    join span_service_slots as parts
        on signals.region = parts.region
        and signals.service = coalesce(parts.service, 'unknown')
    where
        signals.signal = 'spans'
        and parts.slot >= least($from, $baseline_from)
        and parts.slot < $to
    union all
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
    from minute_slots
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
