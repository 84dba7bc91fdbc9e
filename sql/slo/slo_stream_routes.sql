-- title: The routes that streams count
-- grain: one row per stream of requests and route that it counts
-- materialized: once
-- audit: route is NULL where all routes count, and empty for requests that name none
-- audit: reads is what holds its requests: `slots` of five minutes; `parts`, the minutes that stand
--   for slots which the window would cut; or `minutes`, where the SLO's windows cut slots
with
final as (
    select
        streams.stream as stream,
        streams.scope as scope,
        streams.source as source,
        streams.region as region,
        streams.service as service,
        coalesce(routes.route, streams.route) as route,
        streams.signal as signal,
        streams.bucket_seconds * 1000000 as bucket,
        case
            when grain.seconds = 60 then 'parts'
            when streams.bucket_seconds >= 300 then 'slots'
            else 'minutes'
        end as reads,
        streams.reads_latency as reads_latency
    from slo_streams as streams
    cross join request_grain as grain
    left join slo_routes as routes
        on streams.scope = routes.scope
        and streams.region = routes.region
        and streams.service = routes.service
        and streams.judged_as = routes.judged_as
    where streams.source <> 'evaluations'
)

select stream, scope, source, region, service, route, signal, bucket, reads, reads_latency
from final
