-- title: Calls to databases and external APIs by minute
-- grain: several rows may stand for one minute, region, service and called service; readers merge
--   them
-- materialized: view
-- audit: the calls of `client_calls`, of which it is the rollup: a call that is none to a database is
--   external when its `peer_service` is no service that serves requests in this lake
-- audit: the window is made of whole minutes, as in the rollups
with
calls as (
    select
        minute,
        region,
        coalesce(service, 'unknown') as service,
        peer_service,
        is_database,
        calls,
        latency
    from call_minutes
    where minute >= least($from, $baseline_from) and minute < $to
),

own_services as (
    select distinct service
    from service_slots
),

final as (
    select
        calls.minute as minute,
        calls.region as region,
        calls.service as service,
        calls.peer_service as peer_service,
        case when calls.is_database then 'database' else 'external' end as target,
        calls.calls as calls,
        calls.latency as latency
    from calls
    left join own_services on calls.peer_service = own_services.service
    where
        calls.is_database
        or (calls.peer_service is not null and own_services.service is null)
)

select minute, region, service, peer_service, target, calls, latency
from final
