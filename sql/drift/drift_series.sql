-- title: What drift checks measure of metrics and rewards, at every place
-- grain: one row per side, season, region (and `all`), service (and `all`) and check name that was
--   sampled, and that requests do not answer
-- materialized: view
-- audit: requests answer for themselves wherever they are known: two sides measured in two ways would
--   always differ. There, and only there, the rate that a service reports is a check of its own: it is
--   no sample of the requests, so that where few are kept it moves when they cannot show it
with
everywhere as (
    select side, season, region, service, name, unit, series from service_series
    union all
    select side, season, region, service, name, unit, series from place_series
),

answered as (
    select distinct region, service, name
    from drift_points
    where name not in ('database_latency_p95', 'external_api_latency_ms')
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
    left join answered
        on everywhere.region = answered.region
        and everywhere.service = answered.service
        and case everywhere.name when 'reported_request_rate' then 'request_rate'
            else everywhere.name end = answered.name
    where (answered.name is not null) = (everywhere.name = 'reported_request_rate')
)

select side, season, region, service, name, unit, series
from final
