-- title: Requests by minute and version, from logs
-- grain: one row per minute, region, service, version and whether its environment is `canary`,
--   of the log files read; readers merge rows of one key
-- materialized: incremental
-- source: logs
-- audit: what a request is and when it failed is told as in `log_minutes`
with
request_lines as (
    select
        date_trunc('minute', timestamp) as minute,
        region,
        service,
        version,
        lower(coalesce(environment, '')) = 'canary' as is_canary,
        case
            when status_code is not null then status_code >= 500
            else coalesce(level in ('ERROR', 'FATAL'), false) or error is not null
        end as is_error,
        case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end as duration_ms
    from logs
    where duration_ms is not null or status_code is not null
),

final as (
    select
        minute,
        region,
        service,
        version,
        is_canary,
        count(*) as requests,
        sum(case when is_error then 1 else 0 end) as errors,
        quantile_sketch(duration_ms) as latency
    from request_lines
    group by minute, region, service, version, is_canary
)

select minute, region, service, version, is_canary, requests, errors, latency
from final
