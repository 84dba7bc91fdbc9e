-- title: What SLOs may count, place by place
-- grain: one row per scope, region and service that holds rows of its kind in the window or its
--   baseline; also where no row passes the route or the filter of the scope; by route as well where
--   the scope tells routes apart
-- materialized: once
-- audit: stream is a number, so that millions of rows by time are joined and grouped by numbers and
--   names are joined to what comes out
-- audit: judged_as is the route by which figures are told apart, NULL where they are not
-- audit: signal says whether requests are read from logs or from spans
with
places as (
    select region, service, signal, false as is_of_evaluations
    from request_signals
    union all
    select distinct
        region,
        coalesce(service, 'unknown') as service,
        cast(null as varchar) as signal,
        true as is_of_evaluations
    from evaluations
    where
        status is not null
        and timestamp >= least($from, $baseline_from)
        and timestamp < $to
),

scopes as (
    select distinct
        scope,
        source,
        bucket_seconds,
        region,
        service,
        route,
        agent_type,
        max_routes is not null as is_by_route,
        is_of_evaluations,
        reads_latency
    from slo_scopes
),

routes as (
    select distinct scope, region, service, judged_as
    from slo_routes
),

final as (
    select
        row_number() over (
            order by scopes.scope, places.region, places.service, routes.judged_as
        ) as stream,
        scopes.scope as scope,
        scopes.source as source,
        scopes.bucket_seconds as bucket_seconds,
        places.region as region,
        places.service as service,
        scopes.route as route,
        routes.judged_as as judged_as,
        scopes.agent_type as agent_type,
        scopes.reads_latency as reads_latency,
        places.signal as signal
    from scopes
    join places
        on scopes.is_of_evaluations = places.is_of_evaluations
        and coalesce(scopes.region, places.region) = places.region
        and coalesce(scopes.service, places.service) = places.service
    left join routes
        on scopes.scope = routes.scope
        and places.region = routes.region
        and places.service = routes.service
    where not scopes.is_by_route or routes.judged_as is not null
)

select
    cast(stream as bigint) as stream,
    scope,
    source,
    bucket_seconds,
    region,
    service,
    route,
    judged_as,
    agent_type,
    reads_latency,
    signal
from final
