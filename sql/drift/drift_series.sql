-- title: What drift checks measure of metrics and rewards, at every place
-- grain: one row per side, season, region (and `all`), service (and `all`) and check name that was
--   sampled, and that requests do not answer
-- materialized: view
with
everywhere as (
    select side, season, region, service, name, unit, series from service_series
    union all
    select side, season, region, service, name, unit, series from place_series
),

-- Requests answer for themselves wherever they are known: two sides measured in two ways would
-- always differ.
answered as (
    select distinct region, service, name
    from drift_points
    where name <> 'database_latency_p95'
),

final as (
    select
        everywhere.side as side,
        everywhere.season as season,
        everywhere.region as region,
        everywhere.service as service,
        everywhere.name as name,
        everywhere.unit as unit,
        everywhere.series as series
    from everywhere
    left anti join answered
        on everywhere.region = answered.region
        and everywhere.service = answered.service
        and everywhere.name = answered.name
)

select side, season, region, service, name, unit, series
from final
