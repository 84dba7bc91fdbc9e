-- title: Requests by minute and version
-- grain: one row per minute, region, service and version of the window and its baseline
-- materialized: view
-- audit: reads raw logs and spans, because the rollups do not tell versions apart; what a request
--   and an error are is said in log_minutes and span_minutes
-- audit: a service of a region is read from the one of logs and spans that holds more of its
--   requests with a version, logs when they hold as many; never from both
with
request_lines as (
    select
        'logs' as signal,
        date_trunc('minute', timestamp) as minute,
        region,
        coalesce(service, 'unknown') as service,
        version,
        case
            when status_code is not null then status_code >= 500
            else coalesce(level in ('ERROR', 'FATAL'), false) or error is not null
        end as is_error,
        case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end as duration_ms
    from logs
    where
        (duration_ms is not null or status_code is not null)
        and version is not null
        and timestamp >= least($from, $baseline_from)
        and timestamp < $to
    union all
    select
        'spans' as signal,
        date_trunc('minute', timestamp) as minute,
        region,
        coalesce(service, 'unknown') as service,
        version,
        coalesce(status = 'error', false) or coalesce(status_code >= 500, false) as is_error,
        case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end as duration_ms
    from spans
    where
        kind in ('server', 'consumer')
        and version is not null
        and timestamp >= least($from, $baseline_from)
        and timestamp < $to
),

minutes as (
    select
        signal,
        minute,
        region,
        service,
        version,
        count(*) as requests,
        sum(case when is_error then 1 else 0 end) as errors,
        quantile_sketch(duration_ms) as latency
    from request_lines
    group by signal, minute, region, service, version
),

totals as (
    select region, service, signal, sum(requests) as requests
    from minutes
    group by region, service, signal
),

signals as (
    select
        region,
        service,
        signal,
        row_number() over (partition by region, service order by requests desc, signal) as place
    from totals
),

final as (
    select
        minutes.minute as minute,
        minutes.region as region,
        minutes.service as service,
        minutes.version as version,
        minutes.requests as requests,
        minutes.errors as errors,
        minutes.latency as latency
    from minutes
    join signals
        on minutes.region = signals.region
        and minutes.service = signals.service
        and minutes.signal = signals.signal
        and signals.place = 1
)

select minute, region, service, version, requests, errors, latency
from final
