-- title: Requests by slots of five minutes
-- grain: one row per slot, region, service and route of the window and its baseline
-- materialized: run
-- audit: slots are minutes where `request_grain` says so, which is where five minutes would lie on
--   both sides of an edge; so a slot lies within the window, or an interval of it, or outside of it
-- audit: a service of a region is read from logs or from spans, as `slot_signals` says
-- audit: bit k of `minutes` says that the slot's minute k, counted from 0, holds requests
with
chosen as (
    select
        parts.slot as slot,
        parts.region as region,
        signals.service as service,
        parts.route as route,
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
    join log_slots as parts
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
        parts.route as route,
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
    join span_slots as parts
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
        route,
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
),

final as (
    select
        slot,
        region,
        service,
        route,
        bit_or(minutes) as minutes,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(timeouts) as timeouts,
        sum(retries) as retries,
        sum(retry_known) as retry_known,
        sum(durations) as durations,
        sketch_merge(latency) as latency,
        sketch_merge(queue_wait) as queue_wait
    from chosen
    group by slot, region, service, route
)

select
    slot,
    region,
    service,
    route,
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
