-- title: Requests by minute, where slots of five minutes would be cut
-- grain: several rows may stand for one minute, region, service and route of the window and its
--   baseline; none where `request_grain` is five minutes
-- materialized: view
-- audit: `minutes` is that of `request_slots`: a slot of one minute holds requests in its minute 0
with
final as (
    select
        parts.minute as slot,
        parts.region as region,
        parts.service as service,
        parts.route as route,
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
