-- title: Calls to databases and caches, from client spans
-- grain: one row per client span of the window or its baseline that names a database system
-- materialized: view
-- audit: kind is `cache` where the system is one, `analytics` where the settings recognise the
--   statement, else `query`
-- audit: the statement is the span's name, or what it says of its query where it has none
-- audit: a duration that is NaN, infinite, negative or longer than 31 years is left out
with
calls as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        lower(coalesce(attributes['db.system'], attributes['db.system.name'])) as system,
        coalesce(
            name,
            attributes['db.query.summary'],
            attributes['db.operation'],
            attributes['db.operation.name'],
            'unknown'
        ) as statement,
        trace_id,
        duration_ms,
        coalesce(status = 'error', false) as is_error
    from spans
    where
        timestamp >= least($from, $baseline_from)
        and timestamp < $to
        and kind = 'client'
        and duration_ms >= 0.0
        and duration_ms <= 1e12
),

-- The patterns meet each kind of statement once, not each call.
kinds as (
    select distinct system, statement
    from calls
    where system is not null
),

caches as (
    select distinct kinds.system as system
    from kinds
    join settings_selectors as selectors
        on selectors.what = 'cache_system' and kinds.system like selectors.pattern
),

analytics as (
    select distinct kinds.statement as statement
    from kinds
    join settings_selectors as selectors
        on selectors.what = 'analytics_statement'
        and lower(kinds.statement) like selectors.pattern
),

final as (
    select
        calls.timestamp as timestamp,
        calls.region as region,
        calls.service as service,
        calls.system as system,
        calls.statement as statement,
        case
            when caches.system is not null then 'cache'
            when analytics.statement is not null then 'analytics'
            else 'query'
        end as kind,
        calls.trace_id as trace_id,
        calls.duration_ms as duration_ms,
        calls.is_error as is_error
    from calls
    left join caches on calls.system = caches.system
    left join analytics on calls.statement = analytics.statement
    where calls.system is not null
)

select timestamp, region, service, system, statement, kind, trace_id, duration_ms, is_error
from final
