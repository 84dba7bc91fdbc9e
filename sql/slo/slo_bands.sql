-- title: SLO windows with what was to be expected of them
-- grain: one row per series and window
-- materialized: view
-- audit: what is expected is told in `slo_expected`; of a window that was not measured nothing is
with
final as (
    select
        windows.*,
        series.detect as detect,
        expected.expected as expected,
        expected.lower as lower,
        expected.upper as upper,
        expected.zscore as zscore,
        expected.is_anomaly as is_anomaly
    from slo_windows as windows
    join slo_series as series on windows.series = series.series
    left join slo_expected as expected
        on windows.series = expected.series and windows.window_position = expected.position
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
    detect,
    expected,
    lower,
    upper,
    zscore,
    is_anomaly
from final
