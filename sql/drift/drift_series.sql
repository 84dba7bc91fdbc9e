-- title: What drift checks measure, at every place, packed
-- grain: one row per side, season, region (and `all`), service (and `all`) and check name that was
--   measured
-- materialized: view
-- audit: `is_counted` where the figures are counted from requests and calls (request_series), not
--   where they are means of samples
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
    from request_series
    where name not in ('database_latency_p95', 'external_api_latency_ms')
),

unwanted as (
    select region, service, name
    from answered
    union all
    select
        reported.region as region,
        reported.service as service,
        'reported_request_rate' as name
    from (
        select distinct region, service from everywhere where name = 'reported_request_rate'
    ) as reported
    left anti join (select region, service from answered where name = 'request_rate') as counted
        on reported.region = counted.region and reported.service = counted.service
),

-- No more than this one join: a filter after it would be taken to leave few rows, and joins would
-- hold the series in memory instead of what they are compared with.
final as (
    select
        everywhere.side as side,
        everywhere.season as season,
        everywhere.region as region,
        everywhere.service as service,
        everywhere.name as name,
        everywhere.unit as unit,
        everywhere.series as series,
        false as is_counted
    from everywhere
    left anti join unwanted
        on everywhere.region = unwanted.region
        and everywhere.service = unwanted.service
        and everywhere.name = unwanted.name
    union all
    select
        side,
        season,
        region,
        service,
        name,
        unit,
        series,
        true as is_counted
    from request_series
)

select side, season, region, service, name, unit, series, is_counted
from final
