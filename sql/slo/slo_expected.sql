-- title: What was to be expected of each measured window
-- grain: one row per series and window that was measured
-- materialized: view
-- audit: a window is judged only by the measured windows before it; the first ones have no
--   expectation
-- audit: the expectation and its band are those that the SLO asks for (`band`): mean or
--   exponentially weighted mean with the standard deviation, median with the median absolute
--   deviation, or the latter over the same hour of the week in the SLO's time zone, which the first
--   six days of that hour lack
-- audit: an anomaly is worse than the band (a latency below it is none), at least
--   `zscore_limit` standard deviations from the mean, made of `min_samples` or more, and away from
--   the expectation by `deviation_floor` of the distance between target and threshold
with
averages as (
    select
        observed.series as series,
        observed.position as position,
        observed.observed as observed,
        observed.samples as samples,
        ewma(observed.observed, series.ewma_alpha) over history as average,
        bollinger_lower(observed.observed, series.band_periods, series.band_width) over history
            as lower,
        bollinger_upper(observed.observed, series.band_periods, series.band_width) over history
            as upper,
        zscore(observed.observed, series.band_periods) over history as zscore
    from slo_series as series
    join slo_observed as observed on series.series = observed.series
    where series.band in ('bollinger', 'ewma')
    window history as (partition by observed.series order by observed.position)
),

-- The hours of a week are series of their own where a season is expected.
placed as (
    select
        observed.series as series,
        observed.position as position,
        observed.observed as observed,
        observed.samples as samples,
        series.band as band,
        series.band_periods as band_periods,
        series.band_width as band_width,
        case
            when series.band = 'season'
                then hour_of_week(
                    arrow_cast(
                        cast($from as bigint) + observed.position * series.window_seconds * 1000000,
                        'Timestamp(Microsecond, Some("UTC"))'
                    ),
                    series.time_zone
                )
            else 0
        end as season,
        observed.position * series.window_seconds as seconds
    from slo_series as series
    join slo_observed as observed on series.series = observed.series
    where series.band in ('robust', 'season')
),

medians as (
    select
        placed.series as series,
        placed.position as position,
        placed.observed as observed,
        placed.samples as samples,
        placed.band as band,
        placed.seconds as seconds,
        placed.band_width as band_width,
        min(placed.seconds) over (
            partition by placed.series, placed.season order by placed.position
            rows between unbounded preceding and current row
        ) as first_seconds,
        robust_center(placed.observed, placed.band_periods) over history as center,
        robust_deviation(placed.observed, placed.band_periods) over history as deviation
    from placed
    window history as (partition by placed.series, placed.season order by placed.position)
),

banded as (
    select
        averages.series as series,
        averages.position as position,
        averages.observed as observed,
        averages.samples as samples,
        averages.average as expected,
        case series.band
            when 'bollinger' then averages.lower
            else averages.average - (averages.upper - averages.lower) / 2.0
        end as lower,
        case series.band
            when 'bollinger' then averages.upper
            else averages.average + (averages.upper - averages.lower) / 2.0
        end as upper,
        case series.band
            when 'bollinger' then averages.zscore
            else (averages.observed - averages.average)
                / nullif((averages.upper - averages.lower) / 2.0 / series.band_width, 0.0)
        end as zscore
    from slo_series as series
    join averages on series.series = averages.series
    union all
    select
        medians.series as series,
        medians.position as position,
        medians.observed as observed,
        medians.samples as samples,
        case
            when medians.band = 'robust' or medians.seconds >= medians.first_seconds + 6 * 86400
                then medians.center
        end as expected,
        medians.center - medians.band_width * medians.deviation as lower,
        medians.center + medians.band_width * medians.deviation as upper,
        (medians.observed - medians.center) / nullif(medians.deviation, 0.0) as zscore
    from medians
),

final as (
    select
        banded.series as series,
        banded.position as position,
        banded.observed as observed,
        banded.samples as samples,
        case
            when series.is_lower_better then banded.observed <= series.target
            else banded.observed >= series.target
        end as is_met,
        case
            when series.is_lower_better then banded.observed > series.threshold
            else banded.observed < series.threshold
        end as is_violated,
        banded.expected as expected,
        case when banded.expected is not null then banded.lower end as lower,
        case when banded.expected is not null then banded.upper end as upper,
        case
            when banded.expected is not null
                then greatest(least(banded.zscore, 100.0), -100.0)
        end as zscore,
        case
            when series.detect = 'threshold' then false
            when banded.samples < series.min_samples then false
            when banded.expected is null then false
            when abs(banded.observed - banded.expected) < series.least_step then false
            -- After a history of equal values there is no z-score, and any distance is far.
            when series.is_lower_better
                then coalesce(banded.observed > banded.upper, false)
                    and coalesce(banded.zscore >= series.zscore_limit, true)
            else coalesce(banded.observed < banded.lower, false)
                and coalesce(banded.zscore <= -series.zscore_limit, true)
        end as is_anomaly
    from slo_series as series
    join banded on series.series = banded.series
)

select
    series,
    position,
    observed,
    samples,
    is_met,
    is_violated,
    expected,
    lower,
    upper,
    zscore,
    is_anomaly
from final
