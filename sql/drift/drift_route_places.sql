-- title: Slow requests of all routes of a service together, packed
-- grain: one row per region and service that serves several routes
-- materialized: once
-- audit: in `series` the mean of an interval is the share of slow requests among those of all
--   routes that are judged in it, in `routes` its samples count these routes
select
    region,
    service,
    max(name) as name,
    max(category) as category,
    max(threshold_percent) as threshold_percent,
    max(floor) as floor,
    exact_sum(share * trials) / exact_sum(trials) as baseline_value,
    series_sum(series) as series,
    series_sum(series_marks(series)) as routes
from drift_route_pools
group by region, service
