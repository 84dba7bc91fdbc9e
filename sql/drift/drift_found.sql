-- title: Drifts of single intervals
-- grain: one row per interval of the window, region (and `all`), service (and `all`) and check name
--   that drifted, and per recorded change of a configuration
-- materialized: once
select
    check_number,
    interval_start,
    timestamp,
    region,
    service,
    name,
    category,
    baseline_value,
    current_value,
    drift_percent,
    threshold_percent,
    status,
    p_value,
    unit,
    reason,
    is_recorded
from drift_results
where may_drift and status in ('warning', 'critical')
