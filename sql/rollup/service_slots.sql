-- title: Requests of services by slots of five minutes
-- grain: one row per slot, region and service of the window and its baseline
-- materialized: run
-- audit: slots are those of `request_slots`, whatever the routes
with
final as (
    select
        slot,
        region,
        service,
        bit_or(minutes) as minutes,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(timeouts) as timeouts,
        sum(retries) as retries,
        sum(retry_known) as retry_known,
        sum(durations) as durations,
        sketch_merge(latency) as latency,
        sketch_merge(queue_wait) as queue_wait
    from service_parts
    group by slot, region, service
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
