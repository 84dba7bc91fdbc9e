-- title: Direction of error rates and latencies
-- grain: one row per SLO, region and service that was measured in three stretches of time or more
-- materialized: view
-- audit: slope is the median of the slopes between all pairs of stretches (Theil-Sen; Sen 1968, J.
--   Am. Stat. Assoc. 63:1379), which one bad stretch does not tilt; the window is cut into at most
--   48 stretches of whole hours
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
        windows.slo as slo,
        windows.type as type,
        windows.region as region,
        windows.service as service,
        windows.is_lower_better as is_lower_better,
        (cast(windows.window_start as bigint) - cast($from as bigint)) / cut.length as place,
        max(cut.length) / 3600000000.0 as hours,
        exact_sum(windows.observed * windows.samples)
            / exact_sum(cast(windows.samples as double)) as observed
    from slo_windows as windows
    cross join cut
    where windows.samples > 0
    group by 1, 2, 3, 4, 5, 6
),

pairs as (
    select
        earlier.slo as slo,
        earlier.type as type,
        earlier.region as region,
        earlier.service as service,
        earlier.is_lower_better as is_lower_better,
        (later.observed - earlier.observed)
            / ((later.place - earlier.place) * earlier.hours) as slope,
        signum(later.observed - earlier.observed) as direction
    from stretches as earlier
    join stretches as later
        on earlier.slo = later.slo
        and earlier.region = later.region
        and earlier.service = later.service
        and earlier.place < later.place
),

slopes as (
    select
        slo,
        type,
        region,
        service,
        is_lower_better,
        median(slope) as slope_per_hour,
        sum(cast(direction as bigint)) as score
    from pairs
    group by slo, type, region, service, is_lower_better
),

extents as (
    select
        slo,
        region,
        service,
        count(*) as stretches,
        max(hours) as hours_each,
        min(observed) as lowest,
        max(observed) as highest
    from stretches
    group by slo, region, service
),

final as (
    select
        slopes.slo as slo,
        slopes.type as type,
        slopes.region as region,
        slopes.service as service,
        extents.stretches as stretches,
        extents.hours_each as hours_each,
        slopes.slope_per_hour as slope_per_hour,
        extents.lowest as lowest,
        extents.highest as highest,
        slopes.score
            / sqrt(extents.stretches * (extents.stretches - 1) * (2 * extents.stretches + 5) / 18.0)
            as certainty,
        slopes.is_lower_better as is_lower_better
    from slopes
    join extents
        on slopes.slo = extents.slo
        and slopes.region = extents.region
        and slopes.service = extents.service
    where extents.stretches >= 3
)

select
    slo,
    type,
    region,
    service,
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
