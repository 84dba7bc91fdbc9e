-- title: The way of calls between services by minute, from spans
-- grain: one row per minute, region and service that other services call
-- materialized: incremental
-- source: spans
-- scope: hours
-- audit: the way of a call is the caller's span less the callee's: network, queues and whatever
--   holds a service up before it can measure itself
-- audit: the caller's span begins in the hour of the callee's or in the one before
-- audit: a duration that is NaN, infinite, negative or longer than 31 years is left out
with
callees as (
    select
        timestamp,
        date_trunc('hour', timestamp) as hour,
        region,
        coalesce(service, 'unknown') as service,
        trace_id,
        parent_span_id,
        duration_ms
    from spans
    where
        kind in ('server', 'consumer')
        and trace_id is not null
        and parent_span_id is not null
        and duration_ms >= 0.0
        and duration_ms <= 1e12
),

callers as (
    select
        date_trunc('hour', timestamp) as hour,
        coalesce(service, 'unknown') as service,
        trace_id,
        span_id,
        duration_ms
    from spans
    where duration_ms >= 0.0 and duration_ms <= 1e12
),

ways as (
    select
        date_trunc('minute', callees.timestamp) as minute,
        callees.region as region,
        callees.service as service,
        greatest(callers.duration_ms - callees.duration_ms, 0.0) as way_ms
    from callees
    join callers
        on callees.trace_id = callers.trace_id
        and callees.parent_span_id = callers.span_id
        and callees.service <> callers.service
        and callers.hour <= callees.hour
        and callers.hour >= callees.hour - interval '1 hour'
),

final as (
    select minute, region, service, count(*) as calls, quantile_sketch(way_ms) as way
    from ways
    group by minute, region, service
)

select minute, region, service, calls, way
from final
