-- title: Rows of the window by table
-- grain: one row per table that ingest fills
-- materialized: view
with
counted as (
    select 1 as position, 'logs' as source, count(*) as landed, count(distinct region) as regions
    from logs
    where timestamp >= $from and timestamp < $to
    union all
    select 2 as position, 'spans' as source, count(*) as landed, count(distinct region) as regions
    from spans
    where timestamp >= $from and timestamp < $to
    union all
    select 3 as position, 'metrics' as source, count(*) as landed, count(distinct region) as regions
    from metrics
    where timestamp >= $from and timestamp < $to
    union all
    select 4 as position, 'evaluations' as source, count(*) as landed, count(distinct region) as regions
    from evaluations
    where timestamp >= $from and timestamp < $to
    union all
    select 5 as position, 'changes' as source, count(*) as landed, count(distinct region) as regions
    from changes
    where timestamp >= $from and timestamp < $to
    union all
    select 6 as position, 'alerts' as source, count(*) as landed, count(distinct region) as regions
    from alerts
    where timestamp >= $from and timestamp < $to
)

select position, source, landed, regions
from counted
