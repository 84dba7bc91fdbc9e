-- title: Figures that moved beyond the limit of their check
-- grain: one row per interval, region (and `all`), service (and `all`) and check name
-- materialized: once
-- audit: the rows of drift_comparisons that can be drift, whether or not they are chance
select
    slot,
    arrow_cast(region, 'Utf8') as region,
    arrow_cast(service, 'Utf8') as service,
    arrow_cast(name, 'Utf8') as name,
    arrow_cast(category, 'Utf8') as category,
    threshold_percent,
    floor,
    baseline_value,
    current_value,
    drift_percent,
    arrow_cast(size_status, 'Utf8') as size_status,
    p_value,
    arrow_cast(unit, 'Utf8') as unit,
    is_unlike,
    measured
from drift_comparisons
where may_drift and size_status <> 'ok'
