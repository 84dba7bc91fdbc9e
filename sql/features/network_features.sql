-- title: Regression features that follow from the way between services
-- grain: one row per region, service and interval in which other services call it
-- materialized: run
-- audit: the way of a call is the caller's span less the callee's: network, queues and whatever
--   holds a service up before it can measure itself
-- audit: the delta is (median + 1 ms) / (usual median + 1 ms) - 1; a millisecond more on ways of
--   less than one says nothing; fewer than 5 calls say nothing either
-- audit: a median needs no more: of over 2,000,000 requests one trace in 16 is looked at, of over
--   32,000,000 one in 256, by the last digits of its id, so that memory stays bounded
with
thinned as (
    select
        case
            when sum(requests) > 32000000 then '00'
            when sum(requests) > 2000000 then '0'
            else ''
        end as ending
    from span_minutes
    where minute >= least($from, $baseline_from) and minute < $to
),

callees as (
    select
        spans.timestamp as timestamp,
        spans.region as region,
        coalesce(spans.service, 'unknown') as service,
        spans.trace_id as trace_id,
        spans.parent_span_id as parent_span_id,
        spans.duration_ms as duration_ms
    from spans
    cross join thinned
    where
        timestamp >= least($from, $baseline_from)
        and timestamp < $to
        and kind in ('server', 'consumer')
        and parent_span_id is not null
        and duration_ms >= 0.0
        and duration_ms <= 1e12
        and ends_with(trace_id, ending)
),

callers as (
    select
        coalesce(spans.service, 'unknown') as service,
        spans.trace_id as trace_id,
        spans.span_id as span_id,
        spans.duration_ms as duration_ms
    from spans
    cross join thinned
    where
        -- A caller's span begins before its callee's.
        timestamp >= least($from, $baseline_from) - interval '1 hour'
        and timestamp < $to
        and duration_ms >= 0.0
        and duration_ms <= 1e12
        and ends_with(trace_id, ending)
),

ways as (
    select
        callees.region as region,
        callees.service as service,
        greatest(callers.duration_ms - callees.duration_ms, 0.0) as way_ms,
        case
            when callees.timestamp >= $from
                then (cast(callees.timestamp as bigint) - cast($from as bigint))
                    / ($interval_seconds * 1000000)
        end as position,
        case
            when callees.timestamp >= $baseline_from and callees.timestamp < $baseline_to
                then (cast(callees.timestamp as bigint) - divided.starts)
                    * divided.parts
                    / divided.length
        end as part
    from callees
    join callers
        on callees.trace_id = callers.trace_id
        and callees.parent_span_id = callers.span_id
        and callees.service <> callers.service
    cross join baseline_parts as divided
),

windows as (
    select
        region,
        service,
        position,
        sketch_quantile(quantile_sketch(way_ms), 0.5) as way_ms
    from ways
    where position is not null
    group by region, service, position
    having count(*) >= 5
),

baseline_figures as (
    select
        region,
        service,
        part,
        sketch_quantile(quantile_sketch(way_ms), 0.5) as way_ms
    from ways
    where part is not null
    group by region, service, part
),

baselines as (
    select region, service, median(way_ms) as way_ms
    from baseline_figures
    group by region, service
),

final as (
    select
        windows.region as region,
        windows.service as service,
        windows.position as position,
        (windows.way_ms + 1.0) / (baselines.way_ms + 1.0) - 1.0 as way_delta
    from windows
    join baselines
        on windows.region = baselines.region and windows.service = baselines.service
)

select region, service, position, way_delta
from final
