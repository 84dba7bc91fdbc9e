-- title: The routes that streams count
-- grain: one row per stream of requests and route that it counts
-- materialized: once
-- audit: route is NULL where all routes count, and empty for requests that name none
with
final as (
    select
        streams.stream as stream,
        streams.scope as scope,
        streams.source as source,
        streams.region as region,
        streams.service as service,
        coalesce(routes.route, streams.route) as route,
        streams.bucket_seconds as bucket_seconds,
        streams.reads_latency as reads_latency
    from slo_streams as streams
    left join slo_routes as routes
        on streams.scope = routes.scope
        and streams.region = routes.region
        and streams.service = routes.service
        and streams.judged_as = routes.judged_as
    where streams.source <> 'evaluations'
)

select stream, scope, source, region, service, route, bucket_seconds, reads_latency
from final
