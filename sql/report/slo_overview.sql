-- title: Compliance of each SLO over all regions and services
-- grain: one row per SLO of the settings, also one that nothing was measured for
-- materialized: view
-- audit: worst_service names its route as well where the SLO is judged by route
-- audit: an SLO without a measured window has NULL compliance
with
compliance as (
    select
        slo,
        region,
        service || coalesce(' ' || route, '') as service,
        windows,
        measured_windows,
        met_windows,
        compliance
    from slo_compliance
),

limits as (
    select
        name,
        max(type) as type,
        max(target) as target,
        max(threshold) as threshold,
        max(percentile) as percentile
    from settings_slos
    group by name
),

broken as (
    select slo, count(*) as violations
    from slo_episodes
    where kind = 'violation'
    group by slo
),

totals as (
    select
        slo,
        sum(windows) as windows,
        sum(measured_windows) as measured_windows,
        sum(met_windows) as met_windows,
        count(*) as series,
        first_value(region order by compliance nulls last, region, service) as worst_region,
        first_value(service order by compliance nulls last, region, service) as worst_service,
        min(compliance) as worst_compliance
    from compliance
    group by slo
),

final as (
    select
        limits.name as slo,
        limits.type as type,
        limits.target as target,
        limits.threshold as threshold,
        limits.percentile as percentile,
        coalesce(totals.series, 0) as series,
        coalesce(totals.windows, 0) as windows,
        coalesce(totals.measured_windows, 0) as measured_windows,
        coalesce(totals.met_windows, 0) as met_windows,
        totals.met_windows / nullif(cast(totals.measured_windows as double), 0) as compliance,
        totals.measured_windows / nullif(cast(totals.windows as double), 0) as coverage,
        coalesce(broken.violations, 0) as violations,
        case when totals.worst_compliance < 1 then totals.worst_region end as worst_region,
        case when totals.worst_compliance < 1 then totals.worst_service end as worst_service,
        totals.worst_compliance as worst_compliance
    from limits
    left join totals on limits.name = totals.slo
    left join broken on limits.name = broken.slo
)

select
    slo,
    type,
    target,
    threshold,
    percentile,
    series,
    windows,
    measured_windows,
    met_windows,
    compliance,
    coverage,
    violations,
    worst_region,
    worst_service,
    worst_compliance
from final
