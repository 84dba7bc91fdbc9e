-- title: How often each SLO was met
-- grain: one row per series
-- materialized: view
-- audit: compliance is met over measured windows, and NULL when none was measured; coverage says
--   what share of the windows was measured at all
with
windows as (
    select
        series,
        slo,
        type,
        region,
        service,
        route,
        (cast($to as bigint) - cast($from as bigint) + window_seconds * 1000000 - 1)
            / (window_seconds * 1000000) as windows
    from slo_series
    where stream is not null
),

counted as (
    select
        observed.series as series,
        count(*) as measured_windows,
        sum(
            case
                when series.is_lower_better and observed.observed <= series.target then 1
                when not series.is_lower_better and observed.observed >= series.target then 1
                else 0
            end
        ) as met_windows,
        sum(
            case
                when series.is_lower_better and observed.observed > series.threshold then 1
                when not series.is_lower_better and observed.observed < series.threshold then 1
                else 0
            end
        ) as violated_windows
    from slo_series as series
    join slo_observed as observed on series.series = observed.series
    group by observed.series
),

final as (
    select
        windows.slo as slo,
        windows.type as type,
        windows.region as region,
        windows.service as service,
        windows.route as route,
        windows.windows as windows,
        coalesce(counted.measured_windows, 0) as measured_windows,
        coalesce(counted.met_windows, 0) as met_windows,
        coalesce(counted.violated_windows, 0) as violated_windows
    from windows
    left join counted on windows.series = counted.series
)

select
    slo,
    type,
    region,
    service,
    route,
    windows,
    measured_windows,
    met_windows,
    violated_windows,
    met_windows / nullif(cast(measured_windows as double), 0.0) as compliance,
    measured_windows / cast(windows as double) as coverage
from final
