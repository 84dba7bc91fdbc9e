-- title: Calls to databases by minute and statement, from client spans
-- grain: one row per minute, region, service, database system and statement of the span files read;
--   readers merge rows of one key
-- materialized: incremental
-- source: spans
-- audit: the statement is the span's name, or what it says of its query where it has none
-- audit: a duration that is NaN, infinite, negative or longer than 31 years is left out
with
calls as (
    select
        date_trunc('minute', timestamp) as minute,
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
        duration_ms,
        coalesce(status = 'error', false) as is_error
    from spans
    where kind = 'client' and duration_ms >= 0.0 and duration_ms <= 1e12
),

final as (
    select
        minute,
        region,
        service,
        system,
        statement,
        count(*) as calls,
        sum(case when is_error then 1 else 0 end) as errors,
        sum(cast(round(duration_ms * 1000.0) as bigint)) as total_us,
        max(duration_ms) as max_ms,
        quantile_sketch(duration_ms) as latency
    from calls
    where system is not null
    group by minute, region, service, system, statement
)

select minute, region, service, system, statement, calls, errors, total_us, max_ms, latency
from final
