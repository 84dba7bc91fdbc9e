-- title: Direction of error rates and latencies
-- grain: one row per series that was measured in three stretches of time or more
-- materialized: view
-- audit: slope_per_hour is that of `theil_sen_slope`, which one bad stretch does not tilt; the
--   window is cut into at most 48 stretches of whole hours
-- audit: a trend is `worse` or `better` when Kendall's test over the same pairs is sure of its
--   direction at the 1 % level (Mann 1945, Econometrica 13:245: S / sqrt(n (n - 1) (2 n + 5) / 18),
--   beyond 2.58), else `none`
with
cut as (
    select
        greatest(
            (cast($to as bigint) - cast($from as bigint) + 48 * 3600000000 - 1)
                / (48 * 3600000000),
            1
        ) * 3600000000 as length
),

stretches as (
    select
        windows.series as series,
        windows.position * series.window_seconds * 1000000 / cut.length as place,
        max(cut.length) / 3600000000.0 as hours,
        exact_sum(windows.observed * windows.samples)
            / exact_sum(cast(windows.samples as double)) as observed
    from slo_series as series
    join slo_observed as windows on series.series = windows.series
    cross join cut
    group by 1, 2
),

slopes as (
    select
        series,
        count(*) as stretches,
        max(hours) as hours_each,
        min(observed) as lowest,
        max(observed) as highest,
        theil_sen_slope(observed order by place * hours) as slope_per_hour
    from stretches
    group by series
),

directions as (
    select
        earlier.series as series,
        sum(cast(signum(later.observed - earlier.observed) as bigint)) as score
    from stretches as earlier
    join stretches as later on earlier.series = later.series and earlier.place < later.place
    group by earlier.series
),

final as (
    select
        series.slo as slo,
        series.type as type,
        series.region as region,
        series.service as service,
        series.route as route,
        slopes.stretches as stretches,
        slopes.hours_each as hours_each,
        slopes.slope_per_hour as slope_per_hour,
        slopes.lowest as lowest,
        slopes.highest as highest,
        directions.score
            / sqrt(slopes.stretches * (slopes.stretches - 1) * (2 * slopes.stretches + 5) / 18.0)
            as certainty,
        series.is_lower_better as is_lower_better
    from slo_series as series
    join slopes on series.series = slopes.series
    join directions on slopes.series = directions.series
    where slopes.stretches >= 3
)

select
    slo,
    type,
    region,
    service,
    route,
    case
        when abs(certainty) < 2.58 then 'none'
        when (certainty > 0.0) = is_lower_better then 'worse'
        else 'better'
    end as trend,
    slope_per_hour,
    certainty,
    stretches,
    hours_each,
    lowest,
    highest
from final
