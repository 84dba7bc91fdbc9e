-- title: Requests of services by slots of five minutes, from logs
-- grain: one row per slot, region and service of the files of `log_slots` read; readers merge rows
--   of one key
-- materialized: incremental
-- source: log_slots
-- audit: what needs no routes reads a fraction of the rows of `log_slots`
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
    from log_slots
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
