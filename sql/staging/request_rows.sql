-- title: Requests, one by one
-- grain: one row per request of the window and its baseline
-- materialized: view
-- audit: what a request is, when it failed and from which signal it is read is the same as in
--   `log_minutes`, `span_minutes` and `request_signals`; columns that a signal lacks are NULL
-- audit: requests are of whole minutes, as in the rollups
with
log_rows as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        route,
        method,
        status_code,
        case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end
            as duration_ms,
        case
            when status_code is not null then status_code >= 500
            else coalesce(level in ('ERROR', 'FATAL'), false) or error is not null
        end as is_error,
        error_type,
        error,
        level,
        host,
        environment,
        version,
        request_id,
        user_id,
        trace_id,
        bytes_sent,
        retry_count,
        timeout,
        queue_wait_ms,
        cast(null as varchar) as name,
        cast(null as varchar) as peer_service,
        cast(null as varchar) as status,
        attributes,
        'logs' as signal
    from logs
    where
        (duration_ms is not null or status_code is not null)
        and timestamp >= least($from, $baseline_from)
        and timestamp < $to
),

span_rows as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        coalesce(route, name) as route,
        method,
        status_code,
        case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end
            as duration_ms,
        coalesce(status = 'error', false) or coalesce(status_code >= 500, false) as is_error,
        error_type,
        status_message as error,
        cast(null as varchar) as level,
        host,
        environment,
        version,
        cast(null as varchar) as request_id,
        cast(null as varchar) as user_id,
        trace_id,
        cast(null as bigint) as bytes_sent,
        cast(null as int) as retry_count,
        cast(null as boolean) as timeout,
        cast(null as double) as queue_wait_ms,
        name,
        peer_service,
        status,
        attributes,
        'spans' as signal
    from spans
    where
        kind in ('server', 'consumer')
        and timestamp >= least($from, $baseline_from)
        and timestamp < $to
),

all_rows as (
    select * from log_rows
    union all
    select * from span_rows
),

final as (
    select all_rows.*
    from all_rows
    join request_signals as signals
        on all_rows.region = signals.region
        and all_rows.service = signals.service
        and all_rows.signal = signals.signal
)

select
    timestamp,
    region,
    service,
    route,
    method,
    status_code,
    duration_ms,
    is_error,
    error_type,
    error,
    level,
    host,
    environment,
    version,
    request_id,
    user_id,
    trace_id,
    bytes_sent,
    retry_count,
    timeout,
    queue_wait_ms,
    name,
    peer_service,
    status,
    attributes,
    signal
from final
