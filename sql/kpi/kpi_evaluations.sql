-- title: Evaluations, interval by interval
-- grain: one row per interval in which an evaluation with a status began
-- materialized: view
with
final as (
    select
        (cast(timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000) as slot,
        count(*) as evaluations,
        sum(case when status = 'success' then 1 else 0 end) as succeeded
    from evaluations
    where timestamp >= $from and timestamp < $to and status is not null
    group by (cast(timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
)

select slot, evaluations, succeeded, succeeded / cast(evaluations as double) as evaluation_success
from final
