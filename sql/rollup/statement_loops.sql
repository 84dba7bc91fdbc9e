-- title: How often traces call a statement, from client spans
-- grain: one row per minute, region, service, database system, statement and number of calls
-- materialized: incremental
-- source: spans
-- scope: hours
-- audit: the calls of a trace count together, in all regions, at the minute and in the region of the
--   first; what a trace calls on both sides of a full hour counts apart
-- audit: what a call and its statement are is said in `statement_minutes`
with
calls as (
    select
        timestamp,
        region,
        service,
        lower(coalesce(attributes['db.system'], attributes['db.system.name'])) as system,
        coalesce(
            name,
            attributes['db.query.summary'],
            attributes['db.operation'],
            attributes['db.operation.name'],
            'unknown'
        ) as statement,
        trace_id
    from spans
    where
        kind = 'client'
        and duration_ms >= 0.0
        and duration_ms <= 1e12
        and trace_id is not null
),

in_traces as (
    select
        date_trunc('hour', timestamp) as hour,
        service,
        system,
        statement,
        trace_id,
        min(timestamp) as first_at,
        first_value(region order by timestamp, region) as region,
        count(*) as calls
    from calls
    where system is not null
    group by 1, 2, 3, 4, 5
),

final as (
    select
        date_trunc('minute', first_at) as minute,
        region,
        service,
        system,
        statement,
        calls,
        count(*) as traces
    from in_traces
    group by 1, 2, 3, 4, 5, 6
)

select minute, region, service, system, statement, calls, traces
from final
