-- title: Checks that compare more than one figure of a place: distributions of latency, and routes
-- grain: one row per interval, region (and `all`), service (and `all`) and check name
-- materialized: view
-- audit: columns stand in the order of drift_comparisons, of which these rows are a part
-- audit: where no route of a service can be drift, the share of slow requests of all is shown
with
judged as (
    select
        region,
        service,
        name,
        category,
        threshold_percent,
        floor,
        baseline_value,
        unnest(series_points(series)) as point
    from drift_route_places
),

shares as (
    select
        point['slot'] as slot,
        region,
        service,
        name,
        category,
        threshold_percent,
        floor,
        baseline_value,
        point['value'] as current_value
    from judged
),

quiet as (
    select
        shares.slot as slot,
        shares.region as region,
        shares.service as service,
        shares.name as name,
        shares.category as category,
        shares.threshold_percent as threshold_percent,
        shares.floor as floor,
        shares.baseline_value as baseline_value,
        shares.current_value as current_value
    from shares
    left anti join drift_routes as routes
        on shares.slot = routes.slot
        and shares.region = routes.region
        and shares.service = routes.service
),

final as (
    select *, true as may_drift
    from drift_distances
    union all
    select *, true as may_drift
    from drift_routes
    union all
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
        drift_percent(baseline_value, current_value) as drift_percent,
        'ok' as size_status,
        null as p_value,
        '1' as unit,
        null as measured,
        false as may_drift
    from quiet
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
    false as is_unlike,
    measured,
    may_drift
from final
