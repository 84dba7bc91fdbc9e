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
    select 'logs' as source, region, count(*) as landed
    from logs
    where timestamp >= $from and timestamp < $to
    group by region
    union all
    select 'spans' as source, region, count(*) as landed
    from spans
    where timestamp >= $from and timestamp < $to
    group by region
    union all
    select 'metrics' as source, region, count(*) as landed
    from metrics
    where timestamp >= $from and timestamp < $to
    group by region
    union all
    select 'evaluations' as source, region, count(*) as landed
    from evaluations
    where timestamp >= $from and timestamp < $to
    group by region
    union all
    select 'changes' as source, region, count(*) as landed
    from changes
    where timestamp >= $from and timestamp < $to
    group by region
    union all
    select 'alerts' as source, region, count(*) as landed
    from alerts
    where timestamp >= $from and timestamp < $to
    group by region
),

final as (
    select
        named.position as position,
        named.source as source,
        coalesce(sum(counted.landed), 0) as landed,
        count(counted.region) as regions
    from named
    left join counted on named.source = counted.source
    group by named.position, named.source
)

select position, source, landed, regions
from final
