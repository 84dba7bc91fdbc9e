-- title: Good and slow requests by five minutes, from the requests themselves
-- grain: one row per series with `percentiles = "exact"` and slot of five minutes that holds durations
-- materialized: view
-- audit: a request is good when it took at most the target; slot is in microseconds
with
final as (
    select
        series.series as series,
        cast(durations.timestamp as bigint) / 300000000 * 300000000 as slot,
        sum(case when durations.duration_ms <= series.target then 1 else 0 end) as good,
        count(*) as total
    from slo_series as series
    join slo_series_durations as durations on series.series = durations.series
    where series.budgeting = 'occurrences'
    group by 1, 2
)

select series, slot, good, total
from final
