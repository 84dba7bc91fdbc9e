-- title: Requests of services by slots, with the errors that their lines tell
-- grain: one row per slot, region and service of the window and its baseline
-- materialized: view
-- audit: the errors of a service that is read from spans are its failed requests or its error lines,
--   whichever are more, because many traces state no outcome; never more than its requests
with
-- One row per minute and service, whatever the routes, so that error lines meet all its requests.
span_requests as (
    select minute, region, service, sum(requests) as requests, sum(errors) as errors
    from request_parts
    where signal = 'spans'
    group by minute, region, service
),

-- What the error lines of a minute say beyond its failed requests.
told_errors as (
    select
        cast(lines.minute as bigint)
            / (grain.seconds * 1000000)
            * (grain.seconds * 1000000) as slot,
        lines.region as region,
        lines.service as service,
        sum(greatest(least(lines.lines, requested.requests) - requested.errors, 0)) as errors
    from error_lines as lines
    join span_requests as requested
        on lines.minute = requested.minute
        and lines.region = requested.region
        and lines.service = requested.service
    cross join request_grain as grain
    group by 1, 2, 3
),

final as (
    select
        cast(requested.slot as bigint) as at,
        requested.slot as slot,
        requested.region as region,
        requested.service as service,
        requested.requests as requests,
        requested.errors + coalesce(told_errors.errors, 0) as errors,
        requested.timeouts as timeouts,
        requested.retries as retries,
        requested.retry_known as retry_known,
        requested.durations as durations,
        requested.latency as latency,
        requested.queue_wait as queue_wait
    from service_slots as requested
    left join told_errors
        on cast(requested.slot as bigint) = told_errors.slot
        and requested.region = told_errors.region
        and requested.service = told_errors.service
)

select
    at,
    slot,
    region,
    service,
    requests,
    errors,
    timeouts,
    retries,
    retry_known,
    durations,
    latency,
    queue_wait
from final
