-- title: SLO windows with what was to be expected of them
-- grain: one row per SLO, region, service and window
-- materialized: run
-- audit: a window is judged only by the measured windows before it; the first ones have no
--   expectation
-- audit: the expectation and its band are those that the SLO asks for (`band`): mean or
--   exponentially weighted mean with the standard deviation, median with the median absolute
--   deviation, or the latter over the same hour (UTC) of the week, which the first six days lack
-- audit: an anomaly is worse than the band (a latency below it is none), at least
--   `zscore_limit` standard deviations from the mean, made of `min_samples` or more, and away from
--   the expectation by `deviation_floor` of the distance between target and threshold; NULL where
--   nothing was measured
with
windows as (
    select
        slo,
        type,
        region,
        service,
        window_start,
        window_end,
        observed,
        samples,
        target,
        threshold,
        percentile,
        is_lower_better,
        is_met,
        is_violated
    from slo_windows
),

limits as (
    select
        ewma_alpha,
        band_periods,
        band_width,
        zscore_limit,
        min_samples,
        deviation_floor
    from settings_detection
),

options as (
    select
        name, coalesce(band, 'bollinger') as band, coalesce(detect, 'both') as detect
    from settings_slos
),

-- The hours of a week are series of their own where a season is expected; 1970 began on a Thursday.
placed as (
    select
        windows.*,
        options.band as band,
        options.detect as detect,
        case
            when options.band = 'season'
                then (cast(windows.window_start as bigint) / 3600000000 + 72) % 168
            else 0
        end as season
    from windows
    join options on windows.slo = options.name
),

histories as (
    select
        placed.*,
        limits.band_width as band_width,
        limits.zscore_limit as zscore_limit,
        limits.min_samples as min_samples,
        limits.deviation_floor as deviation_floor,
        ewma(placed.observed, limits.ewma_alpha) over history as average,
        bollinger_lower(placed.observed, limits.band_periods, limits.band_width) over history
            as bollinger_lower,
        bollinger_upper(placed.observed, limits.band_periods, limits.band_width) over history
            as bollinger_upper,
        zscore(placed.observed, limits.band_periods) over history as bollinger_zscore,
        robust_center(
            case when placed.band in ('robust', 'season') then placed.observed end,
            limits.band_periods
        ) over history as center,
        robust_deviation(
            case when placed.band in ('robust', 'season') then placed.observed end,
            limits.band_periods
        ) over history as deviation,
        min(placed.window_start) over (
            partition by placed.slo, placed.region, placed.service, placed.season
        ) as first_window
    from placed
    cross join limits
    window history as (
        partition by placed.slo, placed.region, placed.service, placed.season
        order by placed.window_start
    )
),

banded as (
    select
        *,
        case
            when band = 'season' and window_start < first_window + interval '6 days' then null
            when band in ('robust', 'season') then center
            else average
        end as expected,
        case band
            when 'bollinger' then bollinger_lower
            when 'ewma' then average - (bollinger_upper - bollinger_lower) / 2.0
            else center - band_width * deviation
        end as lower,
        case band
            when 'bollinger' then bollinger_upper
            when 'ewma' then average + (bollinger_upper - bollinger_lower) / 2.0
            else center + band_width * deviation
        end as upper,
        case band
            when 'bollinger' then bollinger_zscore
            when 'ewma'
                then (observed - average)
                    / nullif((bollinger_upper - bollinger_lower) / 2.0 / band_width, 0.0)
            else (observed - center) / nullif(deviation, 0.0)
        end as zscore,
        -- Where target and threshold are the same, a tenth of the target is the yardstick.
        deviation_floor * coalesce(nullif(abs(threshold - target), 0.0), 0.1 * target) as floor
    from histories
),

final as (
    select
        slo,
        type,
        region,
        service,
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
        detect,
        expected,
        case when expected is not null then lower end as lower,
        case when expected is not null then upper end as upper,
        case when expected is not null then greatest(least(zscore, 100.0), -100.0) end as zscore,
        case
            when observed is null then null
            when detect = 'threshold' then false
            when samples < min_samples then false
            when expected is null then false
            when abs(observed - expected) < floor then false
            -- After a history of equal values there is no z-score, and any distance is far.
            when is_lower_better
                then coalesce(observed > upper, false) and coalesce(zscore >= zscore_limit, true)
            else coalesce(observed < lower, false) and coalesce(zscore <= -zscore_limit, true)
        end as is_anomaly
    from banded
)

select
    slo,
    type,
    region,
    service,
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
    detect,
    expected,
    lower,
    upper,
    zscore,
    is_anomaly
from final
