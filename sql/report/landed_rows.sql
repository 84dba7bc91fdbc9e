-- title: Rows of the window by table
-- grain: one row per table that ingest fills
-- materialized: view
-- audit: a window of whole hours is counted by the folders of its hours, without a look at the rows
with
-- The names are rows, not constants beside the counts: the engine would push a filter on a constant
-- below the counts, where it makes them 0 instead of leaving them out.
final as (
    select named.position, named.source, counted.landed, counted.regions
    from (values (1, 'logs')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from logs
        where
            cast($from as bigint) % 3600000000 = 0
            and cast($to as bigint) % 3600000000 = 0
            and hour >= substr(cast($from as varchar), 1, 13)
            and hour < substr(cast($to as varchar), 1, 13)
            or (
                cast($from as bigint) % 3600000000 <> 0
                or cast($to as bigint) % 3600000000 <> 0
                or hour is null
            )
            and timestamp >= $from
            and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (2, 'spans')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from spans
        where
            cast($from as bigint) % 3600000000 = 0
            and cast($to as bigint) % 3600000000 = 0
            and hour >= substr(cast($from as varchar), 1, 13)
            and hour < substr(cast($to as varchar), 1, 13)
            or (
                cast($from as bigint) % 3600000000 <> 0
                or cast($to as bigint) % 3600000000 <> 0
                or hour is null
            )
            and timestamp >= $from
            and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (3, 'metrics')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from metrics
        where
            cast($from as bigint) % 3600000000 = 0
            and cast($to as bigint) % 3600000000 = 0
            and hour >= substr(cast($from as varchar), 1, 13)
            and hour < substr(cast($to as varchar), 1, 13)
            or (
                cast($from as bigint) % 3600000000 <> 0
                or cast($to as bigint) % 3600000000 <> 0
                or hour is null
            )
            and timestamp >= $from
            and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (4, 'evaluations')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from evaluations
        where
            cast($from as bigint) % 3600000000 = 0
            and cast($to as bigint) % 3600000000 = 0
            and hour >= substr(cast($from as varchar), 1, 13)
            and hour < substr(cast($to as varchar), 1, 13)
            or (
                cast($from as bigint) % 3600000000 <> 0
                or cast($to as bigint) % 3600000000 <> 0
                or hour is null
            )
            and timestamp >= $from
            and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (5, 'changes')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from changes
        where
            cast($from as bigint) % 3600000000 = 0
            and cast($to as bigint) % 3600000000 = 0
            and hour >= substr(cast($from as varchar), 1, 13)
            and hour < substr(cast($to as varchar), 1, 13)
            or (
                cast($from as bigint) % 3600000000 <> 0
                or cast($to as bigint) % 3600000000 <> 0
                or hour is null
            )
            and timestamp >= $from
            and timestamp < $to
    ) as counted
    union all
    select named.position, named.source, counted.landed, counted.regions
    from (values (6, 'alerts')) as named (position, source)
    cross join (
        select count(*) as landed, count(distinct region) as regions
        from alerts
        where
            cast($from as bigint) % 3600000000 = 0
            and cast($to as bigint) % 3600000000 = 0
            and hour >= substr(cast($from as varchar), 1, 13)
            and hour < substr(cast($to as varchar), 1, 13)
            or (
                cast($from as bigint) % 3600000000 <> 0
                or cast($to as bigint) % 3600000000 <> 0
                or hour is null
            )
            and timestamp >= $from
            and timestamp < $to
    ) as counted
)

select position, source, landed, regions
from final
