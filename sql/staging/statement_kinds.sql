-- title: What kind of statement each is
-- grain: one row per database system and statement that was called in the window or its baseline
-- materialized: once
-- audit: kind is `cache` where the system is one, `analytics` where the settings recognise the
--   statement, else `query`
with
kinds as (
    select distinct system, statement
    from statement_minutes
    where minute >= least($from, $baseline_from) and minute < $to
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
        kinds.system as system,
        kinds.statement as statement,
        case
            when caches.system is not null then 'cache'
            when analytics.statement is not null then 'analytics'
            else 'query'
        end as kind
    from kinds
    left join caches on kinds.system = caches.system
    left join analytics on kinds.statement = analytics.statement
)

select system, statement, kind
from final
