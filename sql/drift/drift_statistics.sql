-- title: Checks that compare more than one figure of a place: distributions of latency, and routes
-- grain: one row per interval, region (and `all`), service (and `all`) and check name
-- materialized: view
with
final as (
    select * from drift_distances
    union all
    select * from drift_routes
)

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
    measured
from final
