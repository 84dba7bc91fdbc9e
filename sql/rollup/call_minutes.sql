-- title: Calls to others by minute, from client spans
-- grain: one row per minute, region, service, what it called and whether that is a database, of the
--   span files read; readers merge rows of one key
-- materialized: incremental
-- source: spans
-- audit: a call to a database has the attribute `db.system` or `db.system.name`
-- audit: a duration that is NaN, infinite, negative or longer than 31 years is left out
with
final as (
    select
        date_trunc('minute', timestamp) as minute,
        region,
        service,
        peer_service,
        attributes['db.system'] is not null or attributes['db.system.name'] is not null
            as is_database,
        count(*) as calls,
        quantile_sketch(duration_ms) as latency
    from spans
    where kind = 'client' and duration_ms >= 0.0 and duration_ms <= 1e12
    group by 1, 2, 3, 4, 5
)

select minute, region, service, peer_service, is_database, calls, latency
from final
