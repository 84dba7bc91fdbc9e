-- title: Rows of the window by table
-- grain: one row per table that ingest fills
-- materialized: view
-- audit: a window that cuts no file, such as one of whole hours, is counted by the log of the table,
--   without a look at the times of rows
with
-- The names are rows, not only constants beside the counts: the engine would push a filter on a
-- constant below the counts, where it makes them 0 instead of leaving them out.
named as (
    select position, source
    from (
        values
            (1, 'logs'),
            (2, 'spans'),
            (3, 'metrics'),
            (4, 'evaluations'),
            (5, 'changes'),
            (6, 'alerts')
    ) as listed (position, source)
),

counted as (
    select 'logs' as source, count(*) as landed, count(distinct region) as regions
    from logs
    where timestamp >= $from and timestamp < $to
    union all
    select 'spans' as source, count(*) as landed, count(distinct region) as regions
    from spans
    where timestamp >= $from and timestamp < $to
    union all
    select 'metrics' as source, count(*) as landed, count(distinct region) as regions
    from metrics
    where timestamp >= $from and timestamp < $to
    union all
    select 'evaluations' as source, count(*) as landed, count(distinct region) as regions
    from evaluations
    where timestamp >= $from and timestamp < $to
    union all
    select 'changes' as source, count(*) as landed, count(distinct region) as regions
    from changes
    where timestamp >= $from and timestamp < $to
    union all
    select 'alerts' as source, count(*) as landed, count(distinct region) as regions
    from alerts
    where timestamp >= $from and timestamp < $to
),

final as (
    select
        named.position as position,
        named.source as source,
        counted.landed as landed,
        counted.regions as regions
    from named
    join counted on named.source = counted.source
)

select position, source, landed, regions
from final
