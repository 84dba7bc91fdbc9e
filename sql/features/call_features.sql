-- title: Regression features that follow from calls to databases and external APIs
-- grain: one row per region, service and interval with such calls
-- materialized: run
-- audit: a delta is the p95 of the interval over the p95 of the baseline, minus 1
with
calls as (
    select
        region,
        service,
        target,
        latency,
        case
            when minute >= $from
                then (cast(minute as bigint) - cast($from as bigint))
                    / ($interval_seconds * 1000000)
        end as position,
        minute >= $baseline_from and minute < $baseline_to as in_baseline
    from client_call_minutes
),

windows as (
    select
        region,
        service,
        position,
        sketch_quantile(sketch_merge(case when target = 'database' then latency end), 0.95)
            as database_p95,
        sketch_quantile(sketch_merge(case when target = 'external' then latency end), 0.95)
            as external_p95
    from calls
    where position is not null
    group by region, service, position
),

baselines as (
    select
        region,
        service,
        sketch_quantile(sketch_merge(case when target = 'database' then latency end), 0.95)
            as database_p95,
        sketch_quantile(sketch_merge(case when target = 'external' then latency end), 0.95)
            as external_p95
    from calls
    where in_baseline
    group by region, service
),

final as (
    select
        windows.region as region,
        windows.service as service,
        windows.position as position,
        windows.database_p95 / nullif(baselines.database_p95, 0.0) - 1.0 as database_latency_delta,
        windows.external_p95 / nullif(baselines.external_p95, 0.0) - 1.0
            as external_api_latency_delta
    from windows
    left join baselines
        on windows.region = baselines.region and windows.service = baselines.service
)

select region, service, position, database_latency_delta, external_api_latency_delta
from final
