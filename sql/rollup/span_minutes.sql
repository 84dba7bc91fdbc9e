-- title: Requests by minute, from spans
-- grain: one row per minute, region, service and route of the span files read; readers merge rows
--   of one key
-- materialized: incremental
-- source: spans
-- audit: a request is a span of kind server or consumer; it failed when its status is `error` or
--   its status code 500 or more; its route is its name where it states none
-- audit: spans say nothing of retries, queue waits and response sizes: those are 0 of 0 known
-- audit: a duration that is NaN, infinite, negative or longer than 31 years does not count as one
with
request_spans as (
    select
        date_trunc('minute', timestamp) as minute,
        region,
        service,
        coalesce(route, name) as route,
        coalesce(status = 'error', false) or coalesce(status_code >= 500, false) as is_error,
        coalesce(
            status_code in (408, 504)
                or error_type ilike '%timeout%'
                or error_type ilike '%deadline%',
            false
        ) as is_timeout,
        case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end as duration_ms
    from spans
    where kind in ('server', 'consumer')
),

final as (
    select
        minute,
        region,
        service,
        route,
        count(*) as requests,
        sum(case when is_error then 1 else 0 end) as errors,
        sum(case when is_timeout then 1 else 0 end) as timeouts,
        count(duration_ms) as durations,
        coalesce(sum(cast(round(duration_ms * 1000.0) as bigint)), 0) as duration_us,
        quantile_sketch(duration_ms) as latency
    from request_spans
    group by minute, region, service, route
)

select
    minute,
    region,
    service,
    route,
    requests,
    errors,
    timeouts,
    cast(0 as bigint) as retries,
    cast(0 as bigint) as retry_known,
    durations,
    duration_us,
    latency,
    cast(0 as bigint) as queue_waits,
    arrow_cast(null, 'Binary') as queue_wait,
    cast(0 as bigint) as bytes_sent
from final
