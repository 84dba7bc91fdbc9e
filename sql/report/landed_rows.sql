-- title: Rows of the window by table
-- grain: one row per table that ingest fills
-- materialized: view
with
-- The names are rows, not constants beside the counts: the engine would push a filter on a constant
-- below the counts, where it makes them 0 instead of leaving them out.
final as (
    select named.position, named.source, counted.landed, counted.regions
    from (values (1, 'logs')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from logs
        where timestamp >= $from and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (2, 'spans')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from spans
        where timestamp >= $from and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (3, 'metrics')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from metrics
        where timestamp >= $from and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (4, 'evaluations')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from evaluations
        where timestamp >= $from and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (5, 'changes')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from changes
        where timestamp >= $from and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (6, 'alerts')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from alerts
        where timestamp >= $from and timestamp < $to
    ) as counted
)

select position, source, landed, regions
from final
