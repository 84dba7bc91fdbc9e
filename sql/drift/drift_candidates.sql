-- title: Figures that moved beyond the limit of their check
-- grain: one row per interval, region (and `all`), service (and `all`) and check name
-- materialized: once
-- audit: the rows of drift_comparisons that can be drift, whether or not they are chance
select
    slot,
    region,
    service,
    name,
    category,
    threshold_percent,
    floor,
    baseline_value,
    current_value,
    drift_percent,
    size_status,
    p_value,
    unit,
    is_unlike,
    measured
from drift_comparisons
where may_drift and size_status <> 'ok'
