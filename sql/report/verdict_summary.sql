-- title: Verdicts of all judged windows
-- grain: one row per verdict that was given
-- audit: a window that no feature says anything about has no verdict and is not counted
-- materialized: view
with
judged as (
    select verdict, confidence, region, service
    from verdicts
    where window_start >= $from and window_start < $to and verdict is not null
),

totals as (
    select count(*) as windows
    from judged
),

final as (
    select
        verdict,
        count(*) as windows,
        count(*) / cast((select windows from totals) as double) as share,
        exact_avg(confidence) as mean_confidence,
        max(confidence) as highest_confidence,
        count(distinct service) as services,
        count(distinct region) as regions
    from judged
    group by verdict
)

select verdict, windows, share, mean_confidence, highest_confidence, services, regions
from final
