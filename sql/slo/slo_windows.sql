-- title: What each SLO observed in each window
-- grain: one row per series and window; windows follow each other from $from
-- materialized: view
-- audit: a window without data has a row with `observed` NULL and `samples` 0: it is not measured,
--   so it is neither met nor violated
-- audit: services are those with any data in the window or its baseline, so that one that fell
--   silent shows as not measured
-- audit: good_share is the share of requests within the target (latency) or without failure; NULL
--   for throughput, whose windows have no good and bad requests
-- audit: met means at least as good as the target, violated means worse than the threshold
with
-- Every window of every series, whether or not anything was observed in it.
grid as (
    select
        series.*,
        unnest(
            range(
                0,
                (cast($to as bigint) - cast($from as bigint) + series.window_seconds * 1000000 - 1)
                    / (series.window_seconds * 1000000)
            )
        ) as position
    from slo_series as series
    where series.stream is not null
),

final as (
    select
        grid.series as series,
        grid.position as window_position,
        grid.slo as slo,
        grid.type as type,
        grid.region as region,
        grid.service as service,
        grid.route as route,
        arrow_cast(
            cast($from as bigint) + grid.position * grid.window_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as window_start,
        -- The last window ends with the range, where that is no multiple of its length.
        least(
            arrow_cast(
                cast($from as bigint) + (grid.position + 1) * grid.window_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ),
            $to
        ) as window_end,
        observed.observed as observed,
        coalesce(observed.samples, 0) as samples,
        observed.good_share as good_share,
        grid.target as target,
        grid.threshold as threshold,
        grid.percentile as percentile,
        grid.is_lower_better as is_lower_better,
        case
            when grid.is_lower_better then observed.observed <= grid.target
            else observed.observed >= grid.target
        end as is_met,
        case
            when grid.is_lower_better then observed.observed > grid.threshold
            else observed.observed < grid.threshold
        end as is_violated
    from grid
    left join slo_observed as observed
        on grid.series = observed.series and grid.position = observed.position
)

select
    slo,
    type,
    region,
    service,
    route,
    window_start,
    window_end,
    observed,
    samples,
    target,
    threshold,
    percentile,
    is_lower_better,
    is_met,
    is_violated,
    good_share,
    series,
    window_position
from final
