-- title: Which rows each SLO looks at
-- grain: one row per SLO
-- materialized: view
-- audit: SLOs that look at the same rows share a scope, so that one pass serves them all; it has
--   the name of the first of them
-- audit: reads is `rollup` where the rollups by minute answer, `raw` where only the rows themselves
--   do: a filter over other columns than region, service and route, agent types of requests, and
--   evaluations; `exact` where percentiles are asked to be exact, which only raw rows can be
-- audit: max_routes is NULL where routes are not told apart
-- audit: rows are counted in buckets of five minutes where windows begin and end with them, else of
--   one minute
with
slos as (
    select
        name,
        type,
        window_seconds,
        region,
        service,
        route,
        agent_type,
        filter,
        max_routes,
        case
            when percentiles = 'exact' then 'exact'
            else coalesce(reads, 'rollup')
        end as reads,
        type = 'evaluation_success' as is_of_evaluations,
        filter is not null or (agent_type is not null and type <> 'evaluation_success')
            as is_selected,
        case
            when window_seconds % 300 = 0 and cast($from as bigint) % 300000000 = 0 then 300
            else 60
        end as bucket_seconds
    from settings_slos
),

final as (
    select
        slos.*,
        case
            when is_selected then name
            else min(name) over (
                partition by
                    is_of_evaluations, is_selected, bucket_seconds, region, service, route,
                    agent_type, max_routes
            )
        end as scope,
        max(case when type = 'latency' and reads <> 'exact' then 1 else 0 end) over (
            partition by
                is_of_evaluations, is_selected, bucket_seconds, region, service, route, max_routes
        ) = 1 as reads_latency,
        case
            when is_selected then 'selected'
            when is_of_evaluations then 'evaluations'
            else 'requests'
        end as source
    from slos
)

select
    name as slo,
    scope,
    source,
    type,
    window_seconds,
    bucket_seconds,
    region,
    service,
    route,
    agent_type,
    max_routes,
    is_of_evaluations,
    reads_latency,
    reads
from final
