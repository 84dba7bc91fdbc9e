-- title: Regression features that follow from the way between services
-- grain: one row per region, service and interval in which other services call it
-- materialized: run
-- audit: what the way of a call is, is said in `call_ways`
-- audit: the delta is (median + 1 ms) / (usual median + 1 ms) - 1; a millisecond more on ways of
--   less than one says nothing; fewer than 5 calls say nothing either
with
ways as (
    select
        ways.region as region,
        ways.service as service,
        ways.calls as calls,
        ways.way as way,
        case
            when ways.minute >= $from
                then (cast(ways.minute as bigint) - cast($from as bigint))
                    / ($interval_seconds * 1000000)
        end as position,
        case
            when ways.minute >= $baseline_from and ways.minute < $baseline_to
                then (cast(ways.minute as bigint) - divided.starts)
                    * divided.parts
                    / divided.length
        end as part
    from call_ways as ways
    cross join baseline_parts as divided
    where ways.minute >= least($from, $baseline_from) and ways.minute < $to
),

windows as (
    select
        region,
        service,
        position,
        sketch_quantile(sketch_merge(way), 0.5) as way_ms
    from ways
    where position is not null
    group by region, service, position
    having sum(calls) >= 5
),

baseline_figures as (
    select
        region,
        service,
        part,
        sketch_quantile(sketch_merge(way), 0.5) as way_ms
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
