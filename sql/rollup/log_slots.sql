-- title: Requests by slots of five minutes, from logs
-- grain: one row per slot, region, service and route of the files of `log_minutes` read;
--   readers merge rows of one key
-- materialized: incremental
-- source: log_minutes
-- audit: bit k of `minutes` says that the slot's minute k, counted from 0, holds requests
with
final as (
    select
        arrow_cast(
            cast(minute as bigint) / 300000000 * 300000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as slot,
        region,
        service,
        route,
        bit_or(1 << (cast(minute as bigint) / 60000000 % 5)) as minutes,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(timeouts) as timeouts,
        sum(retries) as retries,
        sum(retry_known) as retry_known,
        sum(durations) as durations,
        sketch_merge(latency) as latency,
        sketch_merge(queue_wait) as queue_wait
    from log_minutes
    group by 1, 2, 3, 4
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
