-- title: Windows that violate an SLO
-- grain: one row per series and window that is past its threshold or an anomaly
-- materialized: run
-- audit: kind is `threshold` when the window is worse than the threshold, `adaptive` when it is
--   only an anomaly against the windows before it, `both` when it is both
-- audit: is_corrected marks windows that begin within a correction for their series
-- audit: severity counts the way from target to threshold as 1: `critical` from 2 on, `error` past
--   the threshold; an anomaly within the threshold is a `warning` when it misses the target, else
--   `info`
with
judged as (
    select
        series.series as series,
        series.slo as slo,
        series.type as type,
        series.region as region,
        series.service as service,
        series.route as route,
        arrow_cast(
            cast($from as bigint) + windows.position * series.window_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as window_start,
        -- The last window ends with the range, where that is no multiple of its length.
        least(
            arrow_cast(
                cast($from as bigint) + (windows.position + 1) * series.window_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ),
            $to
        ) as window_end,
        windows.observed as observed,
        series.target as target,
        series.threshold as threshold,
        series.percentile as percentile,
        windows.expected as expected,
        windows.lower as lower,
        windows.upper as upper,
        windows.zscore as zscore,
        windows.samples as samples,
        windows.is_met as is_met,
        windows.is_violated as is_violated,
        windows.is_anomaly as is_anomaly,
        abs(windows.observed - series.target)
            / nullif(abs(series.threshold - series.target), 0.0) as distance
    from slo_series as series
    join slo_expected as windows on series.series = windows.series
    where (windows.is_violated and series.detect <> 'adaptive') or windows.is_anomaly
),

-- Shares read as percent, everything else in its own unit.
shown as (
    select
        judged.*,
        maintenance.minute is not null as is_corrected,
        case
            when type in ('latency', 'throughput') then 1.0
            else 100.0
        end as scale,
        case type
            when 'latency' then ' ms'
            when 'throughput' then ' requests/s'
            else ' %'
        end as unit,
        case type
            when 'latency' then 'p' || cast(round(percentile * 100.0, 2) as varchar) || ' latency'
            when 'error_rate' then 'error rate'
            when 'evaluation_success' then 'evaluation success'
            else type
        end as quantity
    from judged
    left join slo_corrections as corrections on judged.series = corrections.series
    left join slo_maintenance as maintenance
        on corrections.scope = maintenance.scope
        and date_trunc('minute', judged.window_start) = maintenance.minute
),

final as (
    select
        slo,
        type,
        region,
        service,
        route,
        window_start,
        window_end,
        observed,
        target,
        threshold,
        expected,
        lower,
        upper,
        zscore,
        samples,
        is_corrected,
        case
            when is_violated and is_anomaly then 'both'
            when is_violated then 'threshold'
            else 'adaptive'
        end as kind,
        case
            when is_violated and distance >= 2.0 then 'critical'
            when is_violated then 'error'
            when not is_met then 'warning'
            else 'info'
        end as severity,
        quantity || ' ' || cast(round(observed * scale, 3) as varchar) || unit
            || ', threshold ' || cast(round(threshold * scale, 3) as varchar) || unit
            || coalesce(
                ', expected ' || cast(round(expected * scale, 3) as varchar) || unit,
                ''
            ) as detail
    from shown
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
    target,
    threshold,
    expected,
    lower,
    upper,
    zscore,
    samples,
    kind,
    severity,
    is_corrected,
    detail
from final
