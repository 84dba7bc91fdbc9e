-- title: What drift checks measure of metrics and rewards in the baseline, packed
-- grain: one row per region, service and check name that was sampled
-- materialized: once
-- audit: slots as in request_intervals; `series` holds every interval with its samples
-- audit: a series has all seasons, which series_profile tells apart
select
    region,
    service,
    name,
    max(unit) as unit,
    interval_series(
        (cast(timestamp as bigint) - cast($baseline_from as bigint))
            / ($interval_seconds * 1000000),
        value
    ) as series
from drift_samples
where timestamp >= $baseline_from and timestamp < $baseline_to and $baseline_name = ''
group by region, service, name
