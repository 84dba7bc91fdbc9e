-- title: Regression features that follow from calls to databases and external APIs
-- grain: one row per region, service and interval with such calls
-- materialized: run
-- audit: a delta is the p95 of the interval over the median p95 of the parts of the baseline, minus
--   1; `database_calls` and `external_calls` are the calls of the interval behind it
with
calls as (
    select
        region,
        service,
        target,
        calls,
        latency,
        case
            when slot >= $from
                then (cast(slot as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
        end as position,
        case
            when slot >= $baseline_from and slot < $baseline_to
                then (cast(slot as bigint) - divided.starts) * divided.parts / divided.length
        end as part
    from call_slots
    cross join baseline_parts as divided
),

windows as (
    select
        region,
        service,
        position,
        sum(case when target = 'database' then calls else 0 end) as database_calls,
        sum(case when target = 'external' then calls else 0 end) as external_calls,
        sketch_quantile(sketch_merge(case when target = 'database' then latency end), 0.95)
            as database_p95,
        sketch_quantile(sketch_merge(case when target = 'external' then latency end), 0.95)
            as external_p95
    from calls
    where position is not null
    group by region, service, position
),

baseline_figures as (
    select
        region,
        service,
        part,
        sketch_quantile(sketch_merge(case when target = 'database' then latency end), 0.95)
            as database_p95,
        sketch_quantile(sketch_merge(case when target = 'external' then latency end), 0.95)
            as external_p95
    from calls
    where part is not null
    group by region, service, part
),

baselines as (
    select
        region,
        service,
        median(database_p95) as database_p95,
        median(external_p95) as external_p95
    from baseline_figures
    group by region, service
),

final as (
    select
        windows.region as region,
        windows.service as service,
        windows.position as position,
        windows.database_calls as database_calls,
        windows.external_calls as external_calls,
        windows.database_p95 / nullif(baselines.database_p95, 0.0) - 1.0 as database_latency_delta,
        windows.external_p95 / nullif(baselines.external_p95, 0.0) - 1.0
            as external_api_latency_delta
    from windows
    left join baselines
        on windows.region = baselines.region and windows.service = baselines.service
)

select
    region,
    service,
    position,
    database_calls,
    external_calls,
    database_latency_delta,
    external_api_latency_delta
from final
