-- title: Requests by minute, from logs
-- grain: one row per minute, region, service and route of the log files read; readers merge rows of
--   one key
-- materialized: incremental
-- source: logs
-- audit: a request is a line with `duration_ms` or `status_code`; it failed when its status is 500
--   or more, or, where it has no status, when its level is ERROR or FATAL or `error` is set
-- audit: a duration or wait that is NaN, infinite, negative or longer than 31 years (1e12 ms, so
--   that sums in microseconds fit) does not count as one
with
request_lines as (
    select
        date_trunc('minute', timestamp) as minute,
        region,
        service,
        route,
        case
            when status_code is not null then status_code >= 500
            else coalesce(level in ('ERROR', 'FATAL'), false) or error is not null
        end as is_error,
        coalesce(
            timeout,
            status_code in (408, 504)
                or error_type ilike '%timeout%'
                or error_type ilike '%deadline%',
            false
        ) as is_timeout,
        case when retry_count >= 0 then cast(retry_count as bigint) end as retries,
        case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end as duration_ms,
        case when queue_wait_ms >= 0.0 and queue_wait_ms <= 1e12 then queue_wait_ms end
            as queue_wait_ms,
        case when bytes_sent >= 0 then bytes_sent end as bytes_sent
    from logs
    where duration_ms is not null or status_code is not null
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
        coalesce(sum(retries), 0) as retries,
        count(retries) as retry_known,
        count(duration_ms) as durations,
        coalesce(sum(cast(round(duration_ms * 1000.0) as bigint)), 0) as duration_us,
        quantile_sketch(duration_ms) as latency,
        count(queue_wait_ms) as queue_waits,
        quantile_sketch(queue_wait_ms) as queue_wait,
        coalesce(sum(bytes_sent), 0) as bytes_sent
    from request_lines
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
    retries,
    retry_known,
    durations,
    duration_us,
    latency,
    queue_waits,
    queue_wait,
    bytes_sent
from final
