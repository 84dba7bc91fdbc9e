-- title: What drift checks measure of metrics in whole regions, and in all of them, packed
-- grain: one row per side, season, region (and `all`) and check name that was sampled
-- materialized: once
-- audit: the mean of an interval is that of all samples of the place
-- audit: what is configured is measured per service only
with
services as (
    select
        services.side as side,
        services.season as season,
        services.region as region,
        services.name as name,
        services.unit as unit,
        services.series as series
    from service_series as services
    join settings_drift as checks on services.name = checks.name
    where checks.category <> 'configuration'
),

final as (
    select
        side,
        season,
        coalesce(region, 'all') as region,
        'all' as service,
        name,
        max(unit) as unit,
        series_sum(series) as series
    from services
    group by grouping sets ((side, season, region, name), (side, season, name))
)

select side, season, region, service, name, unit, series
from final
