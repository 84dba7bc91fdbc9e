-- title: How often each SLO was met
-- grain: one row per SLO, region and service
-- materialized: view
-- audit: compliance is met over measured windows, and NULL when none was measured; coverage says
--   what share of the windows was measured at all
with
windows as (
    select slo, type, region, service, observed, is_met, is_violated
    from slo_windows
),

counted as (
    select
        slo,
        type,
        region,
        service,
        count(*) as windows,
        count(observed) as measured_windows,
        sum(case when is_met then 1 else 0 end) as met_windows,
        sum(case when is_violated then 1 else 0 end) as violated_windows
    from windows
    group by slo, type, region, service
),

final as (
    select
        slo,
        type,
        region,
        service,
        windows,
        measured_windows,
        met_windows,
        violated_windows,
        met_windows / nullif(cast(measured_windows as double), 0.0) as compliance,
        measured_windows / cast(windows as double) as coverage
    from counted
)

select
    slo,
    type,
    region,
    service,
    windows,
    measured_windows,
    met_windows,
    violated_windows,
    compliance,
    coverage
from final
