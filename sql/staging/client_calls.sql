-- title: Calls to databases and external APIs, from client spans
-- grain: one row per client span with a usable duration that calls either, in the window or its
--   baseline
-- materialized: view
-- audit: a call to a database has the attribute `db.system`; any other call is external when its
--   `peer_service` is no service that serves requests in this lake
with
calls as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        peer_service,
        attributes['db.system'] is not null or attributes['db.system.name'] is not null
            as is_database,
        duration_ms
    from spans
    where
        timestamp >= least($from, $baseline_from)
        and timestamp < $to
        and kind = 'client'
        and duration_ms >= 0.0
        and duration_ms <= 1e12
),

own_services as (
    select distinct service
    from service_slots
),

final as (
    select
        calls.timestamp as timestamp,
        calls.region as region,
        calls.service as service,
        calls.peer_service as peer_service,
        case when calls.is_database then 'database' else 'external' end as target,
        calls.duration_ms as duration_ms
    from calls
    left join own_services on calls.peer_service = own_services.service
    where
        calls.is_database
        or (calls.peer_service is not null and own_services.service is null)
)

select timestamp, region, service, peer_service, target, duration_ms
from final
