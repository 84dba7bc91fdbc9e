-- title: SLO windows with what was to be expected of them
-- grain: one row per SLO, region, service and window
-- materialized: run
-- audit: a window is judged only by the measured windows before it; the first ones have no
--   expectation
-- audit: an anomaly is worse than the Bollinger band (a latency below it is none), at least
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

banded as (
    select
        windows.*,
        limits.zscore_limit as zscore_limit,
        limits.min_samples as min_samples,
        limits.deviation_floor as deviation_floor,
        ewma(windows.observed, limits.ewma_alpha) over history as expected,
        bollinger_lower(windows.observed, limits.band_periods, limits.band_width) over history
            as lower,
        bollinger_upper(windows.observed, limits.band_periods, limits.band_width) over history
            as upper,
        zscore(windows.observed, limits.band_periods) over history as zscore
    from windows
    cross join limits
    window history as (
        partition by windows.slo, windows.region, windows.service order by windows.window_start
    )
),

final as (
    select
        *,
        case
            when observed is null then null
            when samples < min_samples then false
            when abs(observed - expected) < deviation_floor * abs(threshold - target) then false
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
    expected,
    lower,
    upper,
    zscore,
    is_anomaly
from final
