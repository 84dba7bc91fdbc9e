-- title: Routes that SLOs are judged by
-- grain: one row per scope that tells routes apart, region, service and route of the window or its
--   baseline
-- materialized: once
-- audit: the `max_routes` routes with most requests are judged each, the others together as
--   `(other routes)`; requests that name no route, which is empty here, are `(no route)`
with
places as (
    select distinct
        scopes.scope,
        scopes.source,
        scopes.route,
        scopes.max_routes,
        signals.region,
        signals.service
    from slo_scopes as scopes
    join request_signals as signals
        on coalesce(scopes.region, signals.region) = signals.region
        and coalesce(scopes.service, signals.service) = signals.service
    where scopes.max_routes is not null
),

counted as (
    select
        places.scope as scope,
        places.region as region,
        places.service as service,
        parts.route as route,
        max(places.max_routes) as max_routes,
        sum(parts.requests) as requests
    from places
    join slo_route_slots as parts
        on places.region = parts.region
        and places.service = parts.service
    where places.source = 'requests' and (places.route is null or places.route = parts.route)
    group by 1, 2, 3, 4
    union all
    select
        places.scope as scope,
        places.region as region,
        places.service as service,
        coalesce(selected.route, '') as route,
        max(places.max_routes) as max_routes,
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
        requests,
        case
            when place > max_routes then '(other routes)'
            when route = '' then '(no route)'
            else route
        end as judged_as
    from ranked
)

select scope, region, service, route, requests, judged_as
from final
