-- title: Latencies in windows, from the requests themselves
-- grain: one row per series with `percentiles = "exact"` and window that holds durations
-- materialized: view
-- audit: observed is the duration of rank ceil(percentile * samples) in ascending order; the
--   product is read as the decimal that it is meant to be, as `sketch_quantile` does
-- audit: good_share is the share of requests that took at most the target
with
placed as (
    select
        series.series as series,
        (cast(durations.timestamp as bigint) - cast($from as bigint))
            / (series.window_seconds * 1000000) as position,
        durations.duration_ms as duration_ms,
        durations.duration_ms <= series.target as is_good
    from slo_series as series
    join slo_series_durations as durations on series.series = durations.series
),

-- Sorted as a whole: a row's place is its rank and how many rows lie in the windows before.
ranked as (
    select
        series,
        position,
        duration_ms,
        row_number() over (order by series, position, duration_ms) as place
    from placed
),

sizes as (
    select
        series,
        position,
        count(*) as samples,
        sum(case when is_good then 1 else 0 end) as good
    from placed
    group by series, position
),

wanted as (
    select
        sizes.series as series,
        sizes.position as position,
        sizes.samples as samples,
        sizes.good as good,
        sum(sizes.samples) over (
            order by sizes.series, sizes.position
            rows between unbounded preceding and current row
        ) - sizes.samples
        + greatest(
            cast(ceil(round(series.percentile * sizes.samples, 9)) as bigint), 1
        ) as place
    from slo_series as series
    join sizes on series.series = sizes.series
),

final as (
    select
        wanted.series as series,
        wanted.position as position,
        ranked.duration_ms as observed,
        wanted.samples as samples,
        wanted.good / cast(wanted.samples as double) as good_share
    from wanted
    join ranked on wanted.place = ranked.place
)

select series, position, observed, samples, good_share
from final
