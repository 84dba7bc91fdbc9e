-- title: What drift checks measure of metrics and rewards of services, packed
-- grain: one row per side, season, region, service and check name that was sampled
-- materialized: view
-- audit: `side` as in request_intervals; a baseline has season -1
-- audit: each side is packed by itself, so that two do not lie in memory while they are
with
final as (
    select 'current' as side, season, region, service, name, unit, series
    from current_series
    union all
    select 'baseline' as side, -1 as season, region, service, name, unit, series
    from baseline_series
)

select side, season, region, service, name, unit, series
from final
