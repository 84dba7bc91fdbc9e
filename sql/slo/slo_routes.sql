-- title: Routes that SLOs are judged by
-- grain: one row per scope that tells routes apart, region, service and route of the window or its
--   baseline
-- materialized: once
-- audit: the `max_routes` routes with most requests are judged each, the others together as
--   `(other routes)`; requests that name no route, which is empty here, are `(no route)`
-- audit: reads says which rows of `slo_route_slots` are those of the route
with
places as (
    select distinct
        scopes.scope,
        scopes.source,
        scopes.route,
        scopes.max_routes,
        signals.region,
        signals.service,
        case when grain.seconds = 60 then 'parts' else signals.signal end as reads
    from slo_scopes as scopes
    join request_signals as signals
        on coalesce(scopes.region, signals.region) = signals.region
        and coalesce(scopes.service, signals.service) = signals.service
    cross join request_grain as grain
    where scopes.max_routes is not null
),

-- Counted once, for all scopes.
served as (
    select reads, region, service, route, sum(requests) as requests
    from slo_route_slots
    group by 1, 2, 3, 4
),

counted as (
    select
        places.scope as scope,
        places.region as region,
        places.service as service,
        served.route as route,
        places.max_routes as max_routes,
        places.reads as reads,
        served.requests as requests
    from places
    join served
        on places.reads = served.reads
        and places.region = served.region
        and places.service = served.service
    where places.source = 'requests' and (places.route is null or places.route = served.route)
    union all
    select
        places.scope as scope,
        places.region as region,
        places.service as service,
        coalesce(selected.route, '') as route,
        max(places.max_routes) as max_routes,
        max(places.reads) as reads,
        sum(selected.requests) as requests
    from places
    join slo_selected as selected
        on places.scope = selected.slo
        and places.region = selected.region
        and places.service = selected.service
    where places.source = 'selected' and (places.route is null or places.route = selected.route)
    group by 1, 2, 3, 4
),

ranked as (
    select
        *,
        row_number() over (
            partition by scope, region, service order by requests desc, route
        ) as place
    from counted
),

final as (
    select
        scope,
        region,
        service,
        route,
        reads,
        requests,
        case
            when place > max_routes then '(other routes)'
            when route = '' then '(no route)'
            else route
        end as judged_as
    from ranked
)

select scope, region, service, route, reads, requests, judged_as
from final
